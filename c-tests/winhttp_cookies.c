/* The cookies of a session: what is kept, what is sent, and how they are switched off. The rules for domains, ages and
 * prefixes are tested where they are written; here is what a program sees. */
#include "winhttp_server.h"

#define SETS(FIELDS) "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" FIELDS "\r\n"

static HINTERNET open(struct trio *it, const WCHAR *object)
{
    HINTERNET request = WinHttpOpenRequest(it->connect, NULL, object, NULL, NULL, NULL, 0);
    REQUIRE(request != NULL);
    return request;
}

TEST(test_cookies__are_kept_for_the_session)
{
    struct trio it, other;
    HINTERNET second;
    SERVER(server, {SETS("Set-Cookie: a=1; Path=/\r\nSet-Cookie: b=2; Path=/dir; HttpOnly\r\nSet-Cookie: c=3; Secure\r\n"), KEEP},
           {SETS(""), KEEP}, {SETS("Set-Cookie: a=new; Path=/\r\n"), KEEP}, {SETS(""), KEEP}, {SETS(""), KEEP});
    trio_open(&it, server.port, NULL, W("/dir/page"), 0);
    CHECK(exchange(it.request));
    /* The same handle sends them anew, and does not pile them up. */
    CHECK(exchange(it.request));
    CHECK(exchange(it.request));
    second = open(&it, W("/else"));
    CHECK(exchange(second));
    CHECK(WinHttpCloseHandle(second));
    trio_open(&other, server.port, NULL, W("/dir/page"), 0);
    CHECK(exchange(other.request));
    trio_close(&other);
    trio_close(&it);
    server_end(&server);
    CHECK(!strstr(server.requests[0], "Cookie"));
    CHECK_HAS(server.requests[1], "\r\nCookie: b=2; a=1\r\n\r\n");
    CHECK_HAS(server.requests[2], "\r\nCookie: b=2; a=1\r\n\r\n");
    CHECK_HAS(server.requests[3], "\r\nCookie: a=new\r\n\r\n");
    CHECK(!strstr(server.requests[4], "Cookie"));
}

TEST(test_cookies__redirects_and_challenges_set_them_and_interim_responses_do_not)
{
    struct trio it;
    SERVER(server, {"HTTP/1.1 302 Found\r\nLocation: /b\r\nSet-Cookie: one=1\r\nContent-Length: 0\r\n\r\n", KEEP},
           {"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\nSet-Cookie: two=2\r\nContent-Length: 0\r\n\r\n", KEEP},
           {"HTTP/1.1 103 Early Hints\r\nSet-Cookie: three=3\r\n\r\n" SETS("Set-Cookie: one=; Max-Age=0\r\n"), KEEP}, {SETS(""), KEEP});
    trio_open(&it, server.port, NULL, W("/a"), 0);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_USERNAME, (void *)W("user"), 4));
    CHECK(exchange(it.request));
    CHECK_EQ(status_of(it.request), 200);
    CHECK(exchange(it.request));
    trio_close(&it);
    server_end(&server);
    CHECK_HAS(server.requests[1], "GET /b ");
    CHECK_HAS(server.requests[1], "\r\nCookie: one=1\r\n");
    CHECK_HAS(server.requests[2], "\r\nCookie: one=1; two=2\r\n");
    CHECK_HAS(server.requests[3], "\r\nCookie: two=2\r\n");
}

TEST(test_cookies__a_field_of_the_program_comes_first)
{
    struct trio it;
    SERVER(server, {SETS("Set-Cookie: jar=1\r\n"), KEEP}, {SETS(""), KEEP}, {SETS(""), KEEP});
    trio_open(&it, server.port, NULL, W("/a"), 0);
    CHECK(exchange(it.request));
    CHECK(WinHttpAddRequestHeaders(it.request, W("Cookie: mine=1"), (DWORD)-1, WINHTTP_ADDREQ_FLAG_ADD));
    CHECK(WinHttpAddRequestHeaders(it.request, W("X: y"), (DWORD)-1, WINHTTP_ADDREQ_FLAG_ADD));
    CHECK(exchange(it.request));
    CHECK(exchange(it.request));
    trio_close(&it);
    server_end(&server);
    CHECK_HAS(server.requests[1], "\r\nCookie: mine=1; jar=1\r\nX: y\r\n\r\n");
    CHECK_HAS(server.requests[2], "\r\nCookie: mine=1; jar=1\r\nX: y\r\n\r\n");
}

TEST(test_cookies__can_be_switched_off)
{
    struct trio it;
    HINTERNET other;
    DWORD off = WINHTTP_DISABLE_COOKIES;
    SERVER(server, {SETS("Set-Cookie: a=1\r\n"), KEEP}, {SETS("Set-Cookie: b=2\r\n"), KEEP}, {SETS(""), KEEP});
    trio_open(&it, server.port, NULL, W("/a"), 0);
    CHECK(exchange(it.request));
    other = open(&it, W("/a"));
    CHECK(WinHttpSetOption(other, WINHTTP_OPTION_DISABLE_FEATURE, &off, sizeof(off)));
    CHECK(WinHttpAddRequestHeaders(other, W("Cookie: mine=1"), (DWORD)-1, WINHTTP_ADDREQ_FLAG_ADD));
    CHECK(exchange(other));
    CHECK(WinHttpCloseHandle(other));
    CHECK(exchange(it.request));
    trio_close(&it);
    server_end(&server);
    CHECK_HAS(server.requests[1], "\r\nCookie: mine=1\r\n");
    CHECK_HAS(server.requests[2], "\r\nCookie: a=1\r\n");
}

TEST(test_cookies__can_be_seen_among_the_fields_of_the_request)
{
    struct trio it;
    WCHAR text[32];
    DWORD size = sizeof(text);
    SERVER(server, {SETS("Set-Cookie: a=1\r\n"), KEEP}, {SETS(""), KEEP});
    trio_open(&it, server.port, NULL, W("/a"), 0);
    CHECK(exchange(it.request) && exchange(it.request));
    CHECK(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_COOKIE | WINHTTP_QUERY_FLAG_REQUEST_HEADERS, NULL, text, &size, NULL));
    CHECK(size == 6 && memcmp(text, W("a=1"), 6) == 0);
    trio_close(&it);
    server_end(&server);
}

TEST(test_cookies__no_server_fills_the_memory)
{
    struct trio it;
    static char answer[400000];
    static struct server server;
    struct turn turns[2] = {{answer, KEEP}, {SETS(""), KEEP}};
    size_t have = (size_t)sprintf(answer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
    DWORD limit = sizeof(answer);
    int at, kept = 0;
    const char *seek;
    for (at = 0; at < 1000; at++)
        have += (size_t)sprintf(answer + have, "Set-Cookie: name%d=value\r\n", at);
    sprintf(answer + have, "\r\n");
    server_start(&server, turns, 2);
    trio_open(&it, server.port, NULL, W("/a"), 0);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_MAX_RESPONSE_HEADER_SIZE, &limit, sizeof(limit)));
    CHECK(exchange(it.request) && exchange(it.request));
    trio_close(&it);
    server_end(&server);
    for (seek = server.requests[1]; (seek = strstr(seek, "name")); seek++)
        kept++;
    CHECK_EQ(kept, 50);
    CHECK_HAS(server.requests[1], "Cookie: name950=value; name951=value");
}

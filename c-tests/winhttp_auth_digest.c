/* Digest beyond one challenge and its answer: the next nonce a server names, the part of it that a challenge is for, proofs
 * of the body, hashed and international names, and proxies that change. When a challenge is answered at all is in
 * winhttp_auth.c.
 *
 * gate: not-mingw (it does not know all options and flags) */
#include "winhttp_auth_proof.h"

#define INFO(MORE) "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n" MORE "\r\n\r\nhello"

static HINTERNET again(struct trio *it, const WCHAR *verb, const WCHAR *object)
{
    CHECK(WinHttpCloseHandle(it->request));
    it->request = WinHttpOpenRequest(it->connect, verb, object, NULL, NULL, NULL, 0);
    REQUIRE(it->request != NULL);
    CHECK(login(it->request, WINHTTP_AUTH_TARGET_SERVER, WINHTTP_AUTH_SCHEME_DIGEST));
    return it->request;
}

TEST(test_digest__the_server_names_the_next_nonce)
{
    struct trio it;
    SERVER(server, {DIGEST("n1", ""), KEEP}, {INFO("authentication-info: rspauth=\"x\", qop=auth, nc=00000001, nextnonce=\"n\\\"2\""), KEEP},
           {OK_HELLO, KEEP}, {INFO("Authentication-Info: nextnonce=\"\", nextnonce=\"no\""), KEEP}, {OK_HELLO, KEEP},
           {"HTTP/1.1 401 No\r\nContent-Length: 0\r\nAuthentication-Info: nextnonce=\"no\"\r\nWWW-Authenticate: Digest realm=\"r\", "
            "nonce=\"n3\", qop=auth, stale=true\r\n\r\n", KEEP},
           {INFO("Proxy-Authentication-Info: nextnonce=\"no\""), KEEP}, {"HTTP/1.1 404 No\r\nContent-Length: 0\r\nAuthentication-Info: nextnonce=n4\r\n\r\n", KEEP},
           {OK_HELLO, KEEP});
    trio_open(&it, server.port, NULL, W("/"), 0);
    CHECK(login(it.request, WINHTTP_AUTH_TARGET_SERVER, WINHTTP_AUTH_SCHEME_DIGEST));
    CHECK(exchange(it.request));
    CHECK(exchange(it.request));
    /* Other requests of the session use it, too. */
    CHECK(exchange(again(&it, NULL, W("/"))));
    CHECK(exchange(it.request));
    CHECK(exchange(it.request));
    CHECK(exchange(it.request));
    CHECK_EQ(status_of(it.request), 404);
    CHECK(exchange(it.request));
    trio_close(&it);
    server_end(&server);
    check_digest(server.requests[1], "GET", "/", "n1", "00000001");
    CHECK_HAS(server.requests[2], ", nonce=\"n\\\"2\", ");
    CHECK_HAS(server.requests[2], ", nc=00000001, ");
    CHECK_HAS(server.requests[3], ", nc=00000002, ");
    CHECK_HAS(server.requests[4], ", nonce=\"n\\\"2\", ");
    CHECK_HAS(server.requests[4], ", nc=00000003, ");
    check_digest(server.requests[6], "GET", "/", "n3", "00000001");
    check_digest(server.requests[7], "GET", "/", "n3", "00000002");
    check_digest(server.requests[8], "GET", "/", "n4", "00000001");
}

TEST(test_digest__so_does_a_proxy)
{
    struct trio it;
    SERVER(server, {PROXY_WANTS "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=auth, domain=\"/else\"\r\n\r\nnope", KEEP},
           {INFO("Proxy-Authentication-Info: nextnonce=\"n2\"\r\nAuthentication-Info: nextnonce=\"no\""), KEEP}, {OK_HELLO, CLOSE},
           {"HTTP/1.1 200 OK\r\nProxy-Authentication-Info: nextnonce=\"n3\"\r\n\r\n", KEEP},
           {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nProxy-Authentication-Info: nextnonce=\"no\"\r\n\r\n", CLOSE}, {OK_HELLO, CLOSE});
    trio_open(&it, 80, NULL, W("/x"), 0);
    use_proxy(&it, server.port);
    CHECK(login(it.request, WINHTTP_AUTH_TARGET_PROXY, WINHTTP_AUTH_SCHEME_DIGEST));
    CHECK(exchange(it.request));
    CHECK(exchange(it.request));
    /* A tunnel: what the server in it says of proxies is nothing to the proxy. */
    CHECK(WinHttpSendRequest(it.request, W("Upgrade: other\r\nConnection: Upgrade"), (DWORD)-1, NULL, 0, 0, 0));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK(WinHttpAddRequestHeaders(it.request, W("Upgrade:\r\nConnection:"), (DWORD)-1, WINHTTP_ADDREQ_FLAG_REPLACE));
    CHECK(exchange(it.request));
    trio_close(&it);
    server_end(&server);
    check_digest(server.requests[1], "GET", "http://127.0.0.1/x", "n1", "00000001");
    check_digest(server.requests[2], "GET", "http://127.0.0.1/x", "n2", "00000001");
    check_digest(server.requests[3], "CONNECT", "127.0.0.1:80", "n2", "00000002");
    CHECK(!strstr(server.requests[4], "uthorization"));
    check_digest(server.requests[5], "GET", "http://127.0.0.1/x", "n3", "00000001");
}

TEST(test_digest__a_challenge_is_for_its_protection_space)
{
    struct trio it;
    char challenge[400];
    struct turn turns[6] = {{challenge, KEEP}, {OK_HELLO, KEEP}, {OK_HELLO, KEEP}, {OK_HELLO, KEEP}, {OK_HELLO, KEEP}, {OK_HELLO, KEEP}};
    static struct server server;
    server_start(&server, turns, 6);
    sprintf(challenge, DIGEST("n", ", domain=\"/a  http://127.0.0.1:%d/b http://127.0.0.1:1/c x\""), server.port);
    trio_open(&it, server.port, NULL, W("/start"), 0);
    CHECK(login(it.request, WINHTTP_AUTH_TARGET_SERVER, WINHTTP_AUTH_SCHEME_DIGEST));
    /* What was asked is answered, wherever it is. */
    CHECK(exchange(it.request));
    CHECK_EQ(status_of(it.request), 200);
    CHECK(exchange(it.request));
    CHECK(exchange(again(&it, NULL, W("/a/x"))));
    CHECK(exchange(again(&it, NULL, W("/b?c"))));
    CHECK(exchange(again(&it, NULL, W("/c"))));
    trio_close(&it);
    server_end(&server);
    check_digest(server.requests[1], "GET", "/start", "n", "00000001");
    CHECK(!strstr(server.requests[2], "Authorization"));
    check_digest(server.requests[3], "GET", "/a/x", "n", "00000002");
    check_digest(server.requests[4], "GET", "/b?c", "n", "00000003");
    CHECK(!strstr(server.requests[5], "Authorization"));
}

TEST(test_digest__no_server_speaks_for_another)
{
    struct trio it;
    char challenge[400];
    struct turn turns[2] = {{challenge, KEEP}, {OK_HELLO, KEEP}};
    static struct server server;
    SERVER(other, {OK_HELLO, KEEP});
    server_start(&server, turns, 2);
    sprintf(challenge, DIGEST("n", ", domain=\"/ http://127.0.0.1:%d/\""), other.port);
    trio_open(&it, server.port, NULL, W("/"), 0);
    CHECK(login(it.request, WINHTTP_AUTH_TARGET_SERVER, WINHTTP_AUTH_SCHEME_DIGEST));
    CHECK(exchange(it.request));
    CHECK(WinHttpCloseHandle(it.connect));
    it.connect = WinHttpConnect(it.session, W("127.0.0.1"), (INTERNET_PORT)other.port, 0);
    CHECK(exchange(again(&it, NULL, W("/"))));
    trio_close(&it);
    server_end(&server);
    server_end(&other);
    check_digest(server.requests[1], "GET", "/", "n", "00000001");
    CHECK(!strstr(other.requests[0], "Authorization"));
}

/* Two realms on one server do not displace each other. */
TEST(test_digest__realms_are_remembered_apart)
{
    struct trio it;
    SERVER(server, {DIGEST("n1", ", domain=\"/a\""), KEEP}, {OK_HELLO, KEEP},
           {UNAUTHORIZED "WWW-Authenticate: Digest realm=\"s\", nonce=\"n2\", qop=auth, domain=\"/b\"\r\n\r\nnope", KEEP}, {OK_HELLO, KEEP},
           {OK_HELLO, KEEP}, {OK_HELLO, KEEP});
    trio_open(&it, server.port, NULL, W("/a"), 0);
    CHECK(login(it.request, WINHTTP_AUTH_TARGET_SERVER, WINHTTP_AUTH_SCHEME_DIGEST));
    CHECK(exchange(it.request));
    CHECK(exchange(again(&it, NULL, W("/b"))));
    CHECK_EQ(status_of(it.request), 200);
    CHECK(exchange(again(&it, NULL, W("/a"))));
    CHECK(exchange(again(&it, NULL, W("/b"))));
    trio_close(&it);
    server_end(&server);
    CHECK(!strstr(server.requests[2], "Authorization"));
    CHECK_HAS(server.requests[3], "realm=\"s\", nonce=\"n2\"");
    check_digest(server.requests[4], "GET", "/a", "n1", "00000002");
    CHECK_HAS(server.requests[5], "realm=\"s\", nonce=\"n2\"");
    CHECK_HAS(server.requests[5], "nc=00000002");
}

#define BODY_TOO(NONCE) UNAUTHORIZED "WWW-Authenticate: Digest realm=\"r\", nonce=\"" NONCE "\", qop=\"auth-int\"\r\n\r\nnope"

TEST(test_digest__the_body_is_part_of_the_proof)
{
    struct trio it;
    SERVER(server, {BODY_TOO("n"), KEEP}, {OK_HELLO, KEEP}, {OK_HELLO, KEEP}, {OK_HELLO, KEEP},
           {"HTTP/1.1 303 See Other\r\nContent-Length: 0\r\nLocation: /y\r\n\r\n", KEEP}, {OK_HELLO, KEEP});
    trio_open(&it, server.port, W("POST"), W("/x"), 0);
    CHECK(login(it.request, WINHTTP_AUTH_TARGET_SERVER, WINHTTP_AUTH_SCHEME_DIGEST));
    CHECK(WinHttpSendRequest(it.request, NULL, 0, (void *)"body", 4, 4, 0) && WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(status_of(it.request), 200);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, (void *)"other", 5, 5, 0) && WinHttpReceiveResponse(it.request, NULL));
    CHECK(exchange(again(&it, NULL, W("/x"))));
    /* A redirect takes the body away. */
    again(&it, W("POST"), W("/x"));
    CHECK(WinHttpSendRequest(it.request, NULL, 0, (void *)"body", 4, 4, 0) && WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(status_of(it.request), 200);
    trio_close(&it);
    server_end(&server);
    check_proof(server.requests[1], "POST", "/x", "n", "00000001", "body");
    check_proof(server.requests[2], "POST", "/x", "n", "00000002", "other");
    check_proof(server.requests[3], "GET", "/x", "n", "00000003", "");
    check_proof(server.requests[4], "POST", "/x", "n", "00000004", "body");
    check_proof(server.requests[5], "GET", "/y", "n", "00000005", "");
}

/* A body that comes piece by piece is not known when the head is sent. */
TEST(test_digest__a_written_body_cannot_be_proved)
{
    struct trio it;
    int turn;
    SERVER(server, {BODY_TOO("n1"), KEEP}, {BODY_TOO("n2"), KEEP}, {OK_HELLO, KEEP}, {BODY_TOO("n3"), KEEP}, {BODY_TOO("n4"), KEEP},
           {UNAUTHORIZED "WWW-Authenticate: Digest realm=\"r\", nonce=\"n5\", qop=\"auth-int\", Digest realm=\"r\", nonce=\"n6\", qop=auth\r\n\r\nnope", KEEP},
           {OK_HELLO, KEEP});
    trio_open(&it, server.port, W("POST"), W("/x"), 0);
    CHECK(login(it.request, WINHTTP_AUTH_TARGET_SERVER, WINHTTP_AUTH_SCHEME_DIGEST));
    for (turn = 0; turn < 3; turn++) {
        if (turn == 1) {
            /* A nonce that is known does not help. */
            CHECK(WinHttpSendRequest(it.request, NULL, 0, (void *)"body", 4, 4, 0) && WinHttpReceiveResponse(it.request, NULL));
            CHECK_EQ(status_of(it.request), 200);
        }
        if (turn == 2) {
            CHECK(WinHttpCloseHandle(it.request));
            it.request = WinHttpOpenRequest(it.connect, W("POST"), W("/x"), NULL, NULL, NULL, WINHTTP_FLAG_AUTOMATIC_CHUNKING);
            CHECK(login(it.request, WINHTTP_AUTH_TARGET_SERVER, WINHTTP_AUTH_SCHEME_DIGEST));
        }
        CHECK(WinHttpSendRequest(it.request, NULL, 0, (void *)"bo", 2, turn == 2 ? 2 : 4, 0));
        CHECK(WinHttpWriteData(it.request, "dy", 2, NULL));
        CHECK(WinHttpReceiveResponse(it.request, NULL));
        CHECK_EQ(status_of(it.request), 401);
        CHECK_HAS(nthttp_last_error_message(), "auth-int");
    }
    again(&it, W("POST"), W("/x"));
    for (turn = 0; turn < 2; turn++) {
        CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 4, 0) && WinHttpWriteData(it.request, "body", 4, NULL));
        if (turn == 0)
            CHECK_FAILS(WinHttpReceiveResponse(it.request, NULL), ERROR_WINHTTP_RESEND_REQUEST);
    }
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(status_of(it.request), 200);
    trio_close(&it);
    server_end(&server);
    CHECK(!strstr(server.requests[0], "Authorization"));
    check_proof(server.requests[2], "POST", "/x", "n2", "00000001", "body");
    CHECK(!strstr(server.requests[3], "Authorization"));
    CHECK(!strstr(server.requests[4], "Authorization"));
    CHECK(!strstr(server.requests[5], "Authorization"));
    check_digest(server.requests[6], "POST", "/x", "n6", "00000001");
}

/* Nor is one whose hash would take long. */
TEST(test_digest__a_long_body_is_not_proved)
{
    struct trio it;
    DWORD size = (16 << 20) + 1;
    char *body = calloc(size, 1);
    SERVER(server, {UNAUTHORIZED "Connection: close\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"\r\n\r\nnope", LISTEN});
    REQUIRE(body != NULL);
    trio_open(&it, server.port, W("POST"), W("/x"), 0);
    CHECK(login(it.request, WINHTTP_AUTH_TARGET_SERVER, WINHTTP_AUTH_SCHEME_DIGEST));
    CHECK(WinHttpSendRequest(it.request, NULL, 0, body, size, size, 0));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(status_of(it.request), 401);
    CHECK_HAS(nthttp_last_error_message(), "at most 16 MiB");
    trio_close(&it);
    free(body);
    server_end(&server);
}

TEST(test_digest__hashed_and_international_names)
{
    struct trio it;
    char hashed[33], wanted[80];
    SERVER(server, {DIGEST("n1", ", userhash=true"), KEEP}, {OK_HELLO, KEEP}, {DIGEST("n2", ", userhash=false, charset=UTF-8, stale=true"), KEEP}, {OK_HELLO, KEEP});
    trio_open(&it, server.port, NULL, W("/"), 0);
    CHECK(login(it.request, WINHTTP_AUTH_TARGET_SERVER, WINHTTP_AUTH_SCHEME_DIGEST));
    CHECK(exchange(it.request));
    CHECK(WinHttpSetCredentials(it.request, WINHTTP_AUTH_TARGET_SERVER, WINHTTP_AUTH_SCHEME_DIGEST, W("J\u00e4s"), W("pass"), NULL));
    CHECK(exchange(it.request));
    CHECK_EQ(status_of(it.request), 200);
    trio_close(&it);
    server_end(&server);
    md5_text("user:r", hashed);
    sprintf(wanted, "Authorization: Digest username=\"%s\", ", hashed);
    CHECK_HAS(server.requests[1], wanted);
    CHECK_HAS(server.requests[1], ", userhash=true\r\n");
    CHECK_HAS(server.requests[3], "Authorization: Digest username*=UTF-8''J%C3%A4s, ");
    CHECK(!strstr(server.requests[3], "userhash"));
}

static int second_port;

static void CALLBACK change_proxy(HINTERNET handle, DWORD_PTR context, DWORD status, LPVOID information, DWORD length)
{
    struct trio it = {NULL, NULL, handle};
    (void)context, (void)information, (void)length;
    if (status == WINHTTP_CALLBACK_STATUS_RESPONSE_RECEIVED && second_port) {
        use_proxy(&it, second_port);
        second_port = 0;
    }
}

/* The proxy is changed while the request is on its way: the new one is not told what the old one asked for. */
TEST(test_digest__a_proxy_in_anothers_place_asks_for_itself)
{
    static const DWORD options[] = {WINHTTP_OPTION_PROXY_USERNAME, WINHTTP_OPTION_PROXY_PASSWORD};
    static const WCHAR *const texts[] = {W("user"), W("pass")};
    struct trio it;
    int at;
    SERVER(first, {PROXY_WANTS "Proxy-Authenticate: Basic realm=\"x\"\r\n\r\nnope", KEEP});
    SERVER(second, {PROXY_WANTS "Proxy-Authenticate: Basic realm=\"y\"\r\n\r\nnope", KEEP}, {OK_HELLO, KEEP});
    trio_open(&it, 80, NULL, W("/x"), 0);
    use_proxy(&it, first.port);
    second_port = second.port;
    WinHttpSetStatusCallback(it.request, change_proxy, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
    for (at = 0; at < 2; at++)
        CHECK(WinHttpSetOption(it.request, options[at], (void *)texts[at], 4));
    CHECK(exchange(it.request));
    CHECK_EQ(status_of(it.request), 200);
    trio_close(&it);
    server_end(&first);
    server_end(&second);
    CHECK(!strstr(second.requests[0], "uthorization"));
    CHECK_HAS(second.requests[1], "\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n");
}

/* Redirects: which are followed, as what, with which fields, and what the program is told. */
#include "winhttp_server.h"

#define MOVED(STATUS, LOCATION) "HTTP/1.1 " STATUS " Moved\r\nContent-Length: 4\r\nLocation: " LOCATION "\r\n\r\ngone"

/* Follows one redirect; gives the request that came then, "" when none came. */
static const char *followed(const char *answer, const WCHAR *verb, const char *body, const WCHAR *fields, DWORD status)
{
    static char text[4096];
    struct turn turns[2] = {{answer, KEEP}, {OK_HELLO, KEEP}};
    static struct server server;
    struct trio it;
    DWORD length = body ? (DWORD)strlen(body) : 0, alone = WINHTTP_DISABLE_KEEP_ALIVE;
    server_start(&server, turns, 2);
    trio_open(&it, server.port, verb, W("/dir/page?q"), 0);
    if (status != 200)
        CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_DISABLE_FEATURE, &alone, sizeof(alone)));
    CHECK(WinHttpSendRequest(it.request, fields, fields ? (DWORD)-1 : 0, (void *)body, length, length, 0));
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(status_of(it.request), status);
    trio_close(&it);
    server_end(&server);
    CHECK_EQ(server.connections, 1);
    memcpy(text, server.requests[1], sizeof(text));
    return text;
}

TEST(test_redirect__methods_and_bodies)
{
    static const struct {
        const char *answer;
        const WCHAR *verb;
        const char *line;
        int keeps_body;
    } cases[] = {
        {MOVED("301", "/x"), W("GET"), "GET /x ", 0},   {MOVED("302", "/x"), W("GET"), "GET /x ", 0},
        {MOVED("303", "/x"), W("GET"), "GET /x ", 0},   {MOVED("307", "/x"), W("GET"), "GET /x ", 0},
        {MOVED("308", "/x"), W("GET"), "GET /x ", 0},   {MOVED("301", "/x"), W("POST"), "GET /x ", 0},
        {MOVED("302", "/x"), W("POST"), "GET /x ", 0},  {MOVED("303", "/x"), W("POST"), "GET /x ", 0},
        {MOVED("307", "/x"), W("POST"), "POST /x ", 1}, {MOVED("308", "/x"), W("POST"), "POST /x ", 1},
        {MOVED("302", "/x"), W("PUT"), "GET /x ", 0},   {MOVED("307", "/x"), W("PUT"), "PUT /x ", 1},
        {MOVED("303", "/x"), W("DELETE"), "GET /x ", 0},
    };
    size_t at;
    const char *came;
    for (at = 0; at < COUNT(cases); at++) {
        int sends = cases[at].verb[0] == 'P';
        came = followed(cases[at].answer, cases[at].verb, sends ? "body" : NULL, sends ? W("Content-Type: text/plain\r\nX: y") : W("X: y"), 200);
        CHECK_BYTES(came, strlen(cases[at].line), cases[at].line);
        CHECK_HAS(came, "\r\nX: y\r\n");
        CHECK_EQ(strstr(came, "\r\n\r\nbody") != NULL, cases[at].keeps_body);
        CHECK_EQ(strstr(came, "Content-Length: 4") != NULL, cases[at].keeps_body);
        CHECK_EQ(strstr(came, "Content-Type") != NULL, cases[at].keeps_body);
    }
}

TEST(test_redirect__what_is_left_to_the_program)
{
    CHECK_BYTES(followed(MOVED("300", "/x"), NULL, NULL, NULL, 300), 0, "");
    CHECK_BYTES(followed(MOVED("304", "/x"), NULL, NULL, NULL, 304), 0, "");
    CHECK_BYTES(followed(MOVED("305", "/x"), NULL, NULL, NULL, 305), 0, "");
    CHECK_BYTES(followed("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", NULL, NULL, NULL, 302), 0, "");
}

TEST(test_redirect__locations_resolve_and_lose_their_fragment)
{
    CHECK_HAS(followed(MOVED("302", "other"), NULL, NULL, NULL, 200), "GET /dir/other HTTP");
    CHECK_HAS(followed(MOVED("302", "?z"), NULL, NULL, NULL, 200), "GET /dir/page?z HTTP");
    CHECK_HAS(followed(MOVED("302", "../up#part"), NULL, NULL, NULL, 200), "GET /up HTTP");
    CHECK_HAS(followed(MOVED("302", "/a b"), NULL, NULL, NULL, 200), "GET /a%20b HTTP");
}

/* One redirect with settings; the error of receiving, 0 for success. */
static DWORD received(const char *answer, DWORD option, DWORD value, DWORD *status)
{
    struct turn turns[2] = {{answer, KEEP}, {OK_HELLO, KEEP}};
    static struct server server;
    struct trio it;
    DWORD result = 0, alone = WINHTTP_DISABLE_KEEP_ALIVE;
    server_start(&server, turns, 2);
    trio_open(&it, server.port, NULL, W("/"), 0);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_DISABLE_FEATURE, &alone, sizeof(alone)));
    if (option)
        CHECK(WinHttpSetOption(it.request, option, &value, sizeof(value)));
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    if (!WinHttpReceiveResponse(it.request, NULL))
        result = GetLastError();
    else if (status)
        *status = status_of(it.request);
    trio_close(&it);
    server_end(&server);
    return result;
}

TEST(test_redirect__policies_limits_and_bad_locations)
{
    DWORD status = 0;
    CHECK_EQ(received(MOVED("302", "/"), WINHTTP_OPTION_REDIRECT_POLICY, WINHTTP_OPTION_REDIRECT_POLICY_NEVER, &status), 0);
    CHECK_EQ(status, 302);
    CHECK_EQ(received(MOVED("302", "/"), WINHTTP_OPTION_DISABLE_FEATURE, WINHTTP_DISABLE_REDIRECTS, &status), 0);
    CHECK_EQ(status, 302);
    CHECK_EQ(received(MOVED("302", "/"), WINHTTP_OPTION_REDIRECT_POLICY, WINHTTP_OPTION_REDIRECT_POLICY_ALWAYS, &status), 0);
    CHECK_EQ(status, 200);
    CHECK_EQ(received(MOVED("302", "/"), WINHTTP_OPTION_MAX_HTTP_AUTOMATIC_REDIRECTS, 0, NULL), ERROR_WINHTTP_REDIRECT_FAILED);
    CHECK_EQ(received(MOVED("302", "ftp://h/"), 0, 0, NULL), ERROR_WINHTTP_REDIRECT_FAILED);
    CHECK_EQ(received(MOVED("302", "http://h:99999/"), 0, 0, NULL), ERROR_WINHTTP_REDIRECT_FAILED);
    CHECK_EQ(received(MOVED("302", "http://"), 0, 0, NULL), ERROR_WINHTTP_REDIRECT_FAILED);
    CHECK_EQ(received(MOVED("302", "http://u:p@127.0.0.1:1/"), WINHTTP_OPTION_REJECT_USERPWD_IN_URL, 1, NULL), ERROR_WINHTTP_INVALID_URL);
}

TEST(test_redirect__so_many_and_no_more)
{
    static struct turn turns[TURNS];
    static struct server server;
    struct trio it;
    DWORD limit = 3;
    int at;
    for (at = 0; at < TURNS; at++)
        turns[at].answer = MOVED("302", "/again"), turns[at].after = KEEP;
    server_start(&server, turns, TURNS);
    trio_open(&it, server.port, NULL, W("/"), 0);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_MAX_HTTP_AUTOMATIC_REDIRECTS, &limit, sizeof(limit)));
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK_FAILS(WinHttpReceiveResponse(it.request, NULL), ERROR_WINHTTP_REDIRECT_FAILED);
    trio_close(&it);
    server_end(&server);
    CHECK(server.requests[3][0] && !server.requests[4][0]);
}

TEST(test_redirect__another_host_gets_its_own_name_and_the_programs_fields)
{
    char answer[200], host[40];
    struct turn first = {answer, KEEP};
    static const struct turn last = {OK_HELLO, KEEP};
    static struct server here, there;
    struct trio it;
    WCHAR url[64];
    DWORD size = sizeof(url);
    server_start(&there, &last, 1);
    sprintf(answer, "HTTP/1.1 307 Moved\r\nContent-Length: 0\r\nLocation: http://user:pw@127.0.0.1:%d/there#x\r\n\r\n", there.port);
    server_start(&here, &first, 1);
    trio_open(&it, here.port, NULL, W("/"), 0);
    CHECK(WinHttpSendRequest(it.request, W("Host: example.com\r\nAuthorization: mine\r\nX: y"), (DWORD)-1, NULL, 0, 0, 0));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK(WinHttpQueryOption(it.request, WINHTTP_OPTION_URL, url, &size));
    CHECK_EQ(url[size / 2 - 1], 'e');
    /* Sent again, the request goes where it went first, with the program's name of it. */
    trio_close(&it);
    server_end(&here);
    server_end(&there);
    sprintf(host, "\r\nHost: 127.0.0.1:%d\r\n", there.port);
    CHECK_HAS(here.requests[0], "\r\nHost: example.com\r\n");
    CHECK_HAS(there.requests[0], "GET /there HTTP");
    CHECK_HAS(there.requests[0], host);
    CHECK(!strstr(there.requests[0], "example.com"));
    CHECK_HAS(there.requests[0], "\r\nAuthorization: mine\r\n");
    CHECK_HAS(there.requests[0], "\r\nX: y\r\n");
}

TEST(test_redirect__a_written_body_is_asked_for_again_at_the_new_place)
{
    struct trio it;
    int turn;
    SERVER(server, {MOVED("307", "/new"), KEEP}, {OK_HELLO, KEEP}, {OK_HELLO, KEEP});
    trio_open(&it, server.port, W("POST"), W("/old"), 0);
    for (turn = 0; turn < 2; turn++) {
        CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 4, 0));
        CHECK(WinHttpWriteData(it.request, "body", 4, NULL));
        if (turn == 0)
            CHECK_FAILS(WinHttpReceiveResponse(it.request, NULL), ERROR_WINHTTP_RESEND_REQUEST);
    }
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(status_of(it.request), 200);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, (void *)"last", 4, 4, 0) && WinHttpReceiveResponse(it.request, NULL));
    trio_close(&it);
    server_end(&server);
    CHECK_HAS(server.requests[1], "POST /new HTTP");
    CHECK_HAS(server.requests[1], "\r\n\r\nbody");
    CHECK_HAS(server.requests[2], "POST /old HTTP");
}

TEST(test_redirect__programs_that_are_asked_again_and_again_come_to_an_end)
{
    static struct turn turns[TURNS];
    static struct server server;
    struct trio it;
    DWORD limit = 2, error = ERROR_WINHTTP_RESEND_REQUEST;
    int at, times = 0;
    for (at = 0; at < TURNS; at++)
        turns[at].answer = MOVED("308", "/again"), turns[at].after = KEEP;
    server_start(&server, turns, TURNS);
    trio_open(&it, server.port, W("POST"), W("/"), 0);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_MAX_HTTP_AUTOMATIC_REDIRECTS, &limit, sizeof(limit)));
    for (; error == ERROR_WINHTTP_RESEND_REQUEST && times < 10; times++) {
        CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 4, 0));
        CHECK(WinHttpWriteData(it.request, "body", 4, NULL));
        error = WinHttpReceiveResponse(it.request, NULL) ? 0 : GetLastError();
    }
    CHECK_EQ(error, ERROR_WINHTTP_REDIRECT_FAILED);
    CHECK_EQ(times, 3);
    trio_close(&it);
    server_end(&server);
}

static WCHAR told_url[256];
static DWORD told_length;
static int what_to_do;
/* The redirect's own head can be read meanwhile: programs that keep cookies themselves take them from it. */
static WCHAR told_cookie[64];
static DWORD told_status;

static void CALLBACK on_redirect(HINTERNET handle, DWORD_PTR context, DWORD status, LPVOID information, DWORD length)
{
    (void)context;
    if (status != WINHTTP_CALLBACK_STATUS_REDIRECT)
        return;
    told_length = length;
    memcpy(told_url, information, length * sizeof(WCHAR) < sizeof(told_url) ? length * sizeof(WCHAR) : sizeof(told_url));
    if (what_to_do == 1) {
        DWORD size = sizeof(told_cookie);
        told_status = status_of(handle);
        CHECK_WORKS(WinHttpQueryHeaders(handle, WINHTTP_QUERY_SET_COOKIE, NULL, told_cookie, &size, NULL));
        CHECK_FAILS(WinHttpQueryDataAvailable(handle, NULL), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
        CHECK(WinHttpAddRequestHeaders(handle, W("Authorization:"), (DWORD)-1, WINHTTP_ADDREQ_FLAG_REPLACE));
        CHECK(WinHttpAddRequestHeaders(handle, W("New: one"), (DWORD)-1, WINHTTP_ADDREQ_FLAG_ADD));
    } else
        CHECK(WinHttpCloseHandle(handle));
}

TEST(test_redirect__the_callback_may_change_fields)
{
    struct trio it;
    char wanted[64];
    size_t at;
    SERVER(server, {MOVED("302", "/new\r\nSet-Cookie: a=b"), KEEP}, {OK_HELLO, KEEP});
    trio_open(&it, server.port, NULL, W("/old"), 0);
    WinHttpSetStatusCallback(it.request, on_redirect, WINHTTP_CALLBACK_FLAG_REDIRECT, 0);
    what_to_do = 1;
    told_status = 0;
    CHECK(WinHttpSendRequest(it.request, W("Authorization: secret"), (DWORD)-1, NULL, 0, 0, 0));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(told_status, 302);
    CHECK(told_cookie[0] == 'a' && told_cookie[2] == 'b' && told_cookie[3] == 0);
    CHECK_EQ(status_of(it.request), 200);
    trio_close(&it);
    server_end(&server);
    sprintf(wanted, "http://127.0.0.1:%d/new", server.port);
    CHECK_EQ(told_length, strlen(wanted) + 1);
    for (at = 0; at <= strlen(wanted); at++)
        CHECK_EQ(told_url[at], (WCHAR)wanted[at]);
    CHECK(!strstr(server.requests[1], "secret"));
    CHECK_HAS(server.requests[1], "\r\nNew: one\r\n");
}

TEST(test_redirect__the_callback_may_refuse_by_closing)
{
    struct trio it;
    SERVER(server, {MOVED("302", "/new"), CLOSE});
    trio_open(&it, server.port, NULL, W("/old"), 0);
    WinHttpSetStatusCallback(it.request, on_redirect, WINHTTP_CALLBACK_FLAG_REDIRECT, 0);
    what_to_do = 2;
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK_FAILS(WinHttpReceiveResponse(it.request, NULL), ERROR_WINHTTP_OPERATION_CANCELLED);
    CHECK_FAILS(WinHttpCloseHandle(it.request), ERROR_INVALID_HANDLE);
    CHECK(WinHttpCloseHandle(it.connect));
    CHECK(WinHttpCloseHandle(it.session));
    server_end(&server);
}

TEST(test_redirect__asynchronous_ones_are_told_in_order)
{
    struct trio it;
    SERVER(server, {MOVED("302", "/new"), KEEP}, {OK_HELLO, KEEP});
    notes_clear(NULL);
    trio_open(&it, server.port, NULL, W("/old"), WINHTTP_FLAG_ASYNC);
    WinHttpSetStatusCallback(it.request, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 1));
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
    CHECK_TOLD_SOMEWHERE(1, "RESOLVING, RESOLVED, CONNECTING, CONNECTED, SENDING, SENT, SEND_COMPLETE, RECEIVING, RECEIVED, REDIRECT, "
                            "SENDING, SENT, RECEIVING, RECEIVED, HEADERS");
    trio_close_async(&it, 1);
    server_end(&server);
}

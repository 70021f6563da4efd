/* Authentication of requests by Basic and Digest: what is sent when, and what is left to the program. Credentials, options
 * and what is offered are in winhttp_credentials.c.
 *
 * gate: not-mingw (it does not know all options and flags) */
#include "winhttp_auth_proof.h"

#define UPASS "Authorization: Basic dXNlcjpwYXNz\r\n"

TEST(test_auth__basic_goes_out_unasked_and_is_not_tried_twice)
{
    struct trio it;
    char body[16];
    SERVER(server, {OK_HELLO, KEEP}, {BASIC, KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(login(it.request, WINHTTP_AUTH_TARGET_SERVER, WINHTTP_AUTH_SCHEME_BASIC));
    CHECK(exchange(it.request));
    CHECK_EQ(read_body(it.request, body, sizeof(body)), 5);
    CHECK(exchange(it.request));
    CHECK_EQ(status_of(it.request), 401);
    CHECK_EQ(read_body(it.request, body, sizeof(body)), 4);
    trio_close(&it);
    server_end(&server);
    CHECK_HAS(server.requests[0], "\r\n" UPASS);
    CHECK(strstr(server.requests[0], "Authorization") > strstr(server.requests[0], "Host"));
    CHECK_HAS(server.requests[1], "\r\n" UPASS);
}

TEST(test_auth__options_answer_a_challenge_inside_receive_response)
{
    struct trio it;
    DWORD_PTR context = 7;
    SERVER(server, {BASIC, KEEP}, {OK_HELLO, KEEP}, {OK_HELLO, KEEP});
    notes_clear(NULL);
    trio_open(&it, server.port, W("POST"), NULL, 0);
    CHECK(WinHttpSetStatusCallback(it.request, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == NULL);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_USERNAME, (void *)W("user"), 4));
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_PASSWORD, (void *)W("pass"), 4));
    CHECK(WinHttpSendRequest(it.request, NULL, 0, (void *)"body", 4, 4, 0));
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(status_of(it.request), 200);
    CHECK_TOLD(7, "RESOLVING A, RESOLVED A, CONNECTING A, CONNECTED A, SENDING A, SENT A, RECEIVING A, RECEIVED A, "
                  "SENDING A, SENT A, RECEIVING A, RECEIVED A");
    /* The server has asked once, so it is told at once from now on. */
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0) && WinHttpReceiveResponse(it.request, NULL));
    trio_close(&it);
    server_end(&server);
    CHECK_EQ(server.connections, 1);
    CHECK(!strstr(server.requests[0], "Authorization"));
    CHECK_HAS(server.requests[1], "\r\n" UPASS);
    CHECK_HAS(server.requests[1], "\r\n\r\nbody");
    CHECK_HAS(server.requests[2], "\r\n" UPASS);
}

TEST(test_auth__set_credentials_go_before_options)
{
    struct trio it;
    SERVER(server, {OK_HELLO, KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(login(it.request, WINHTTP_AUTH_TARGET_SERVER, WINHTTP_AUTH_SCHEME_BASIC));
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_USERNAME, (void *)W("other"), 5));
    CHECK(exchange(it.request));
    trio_close(&it);
    server_end(&server);
    CHECK_HAS(server.requests[0], "\r\n" UPASS);
}

TEST(test_auth__digest_answers_and_counts_on)
{
    struct trio it;
    HINTERNET second;
    char body[16];
    SERVER(server, {DIGEST("n1", ", opaque=\"o\""), KEEP}, {OK_HELLO, KEEP}, {OK_HELLO, KEEP}, {OK_HELLO, KEEP},
           {DIGEST("n2", ", stale=true"), KEEP}, {OK_HELLO, KEEP}, {DIGEST("n3", ""), KEEP}, {DIGEST("n4", ""), KEEP});
    trio_open(&it, server.port, W("PUT"), W("/a?b=c"), 0);
    CHECK(login(it.request, WINHTTP_AUTH_TARGET_SERVER, WINHTTP_AUTH_SCHEME_DIGEST));
    CHECK(WinHttpSendRequest(it.request, NULL, 0, (void *)"body", 4, 4, 0) && WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(status_of(it.request), 200);
    CHECK(exchange(it.request));
    CHECK_EQ(read_body(it.request, body, sizeof(body)), 5);
    /* Another request of the session goes on with the count; one without credentials says nothing. */
    second = WinHttpOpenRequest(it.connect, W("GET"), W("/"), NULL, NULL, NULL, 0);
    CHECK(exchange(second));
    CHECK(login(second, WINHTTP_AUTH_TARGET_SERVER, WINHTTP_AUTH_SCHEME_DIGEST));
    CHECK(exchange(second));
    CHECK_EQ(status_of(second), 200);
    /* An old nonce may be refused once without being called stale; then the refusal counts. */
    CHECK(exchange(second));
    CHECK_EQ(status_of(second), 401);
    CHECK(WinHttpCloseHandle(second));
    trio_close(&it);
    server_end(&server);
    CHECK_EQ(server.connections, 1);
    CHECK(!strstr(server.requests[0], "Authorization"));
    check_digest(server.requests[1], "PUT", "/a?b=c", "n1", "00000001");
    CHECK_HAS(server.requests[1], ", opaque=\"o\"");
    CHECK_HAS(server.requests[1], "\r\n\r\nbody");
    check_digest(server.requests[2], "PUT", "/a?b=c", "n1", "00000002");
    CHECK(!strstr(server.requests[3], "Authorization"));
    check_digest(server.requests[4], "GET", "/", "n1", "00000003");
    check_digest(server.requests[5], "GET", "/", "n2", "00000001");
    check_digest(server.requests[6], "GET", "/", "n2", "00000002");
    check_digest(server.requests[7], "GET", "/", "n3", "00000001");
}

TEST(test_auth__a_server_that_is_never_content_ends_it)
{
    struct trio it;
    static struct turn turns[TURNS];
    static struct server server;
    DWORD alone = WINHTTP_DISABLE_KEEP_ALIVE;
    int at;
    for (at = 0; at < TURNS; at++)
        turns[at].answer = DIGEST("n", ", stale=true"), turns[at].after = KEEP;
    server_start(&server, turns, TURNS);
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_DISABLE_FEATURE, &alone, sizeof(alone)));
    CHECK(login(it.request, WINHTTP_AUTH_TARGET_SERVER, WINHTTP_AUTH_SCHEME_DIGEST));
    CHECK(exchange(it.request));
    CHECK_EQ(status_of(it.request), 401);
    trio_close(&it);
    server_end(&server);
    CHECK(server.requests[5][0] && !server.requests[6][0]);
}

TEST(test_auth__the_first_challenge_that_can_be_answered)
{
    struct trio it;
    SERVER(server,
           {UNAUTHORIZED "WWW-Authenticate: Negotiate, Digest realm=\"r\", nonce=\"n\", algorithm=SHA-1\r\n"
                         "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\", Basic realm=\"x\"\r\n\r\nnope", KEEP},
           {UNAUTHORIZED "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", Basic realm=\"x\"\r\n\r\nnope", KEEP}, {OK_HELLO, KEEP});
    trio_open(&it, server.port, NULL, W("/"), 0);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_USERNAME, (void *)W("user"), 4));
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_PASSWORD, (void *)W("pass"), 4));
    CHECK(exchange(it.request));
    CHECK_EQ(status_of(it.request), 200);
    trio_close(&it);
    server_end(&server);
    check_digest(server.requests[1], "GET", "/", "n", "00000001");
    CHECK_HAS(server.requests[2], "\r\n" UPASS);
}

TEST(test_auth__negotiate_and_ntlm_are_left_to_the_program)
{
    struct trio it;
    SERVER(server, {UNAUTHORIZED "WWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n\r\nnope", KEEP});
    trio_open(&it, server.port, NULL, W("/"), 0);
    CHECK(login(it.request, WINHTTP_AUTH_TARGET_SERVER, WINHTTP_AUTH_SCHEME_NTLM));
    CHECK(exchange(it.request));
    CHECK_HAS(nthttp_last_error_message(), "NTLM, which is not built in");
    CHECK_EQ(status_of(it.request), 401);
    trio_close(&it);
    server_end(&server);
}

TEST(test_auth__switched_off_or_done_by_hand)
{
    struct trio it;
    DWORD off = WINHTTP_DISABLE_AUTHENTICATION;
    SERVER(server, {BASIC, KEEP}, {BASIC, KEEP});
    trio_open(&it, server.port, NULL, W("/"), 0);
    CHECK(login(it.request, WINHTTP_AUTH_TARGET_SERVER, WINHTTP_AUTH_SCHEME_BASIC));
    CHECK(WinHttpSendRequest(it.request, W("Authorization: mine"), (DWORD)-1, NULL, 0, 0, 0) && WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(status_of(it.request), 401);
    CHECK(WinHttpAddRequestHeaders(it.request, W("Authorization:"), (DWORD)-1, WINHTTP_ADDREQ_FLAG_REPLACE));
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_DISABLE_FEATURE, &off, sizeof(off)));
    CHECK(exchange(it.request));
    CHECK_EQ(status_of(it.request), 401);
    trio_close(&it);
    server_end(&server);
    CHECK_HAS(server.requests[0], "Authorization: mine\r\n");
    CHECK(!strstr(server.requests[0], "Basic"));
    CHECK(!strstr(server.requests[1], "Authorization"));
}

/* A body by WriteData, once more after the challenge, and the answer to that. */
static void write_twice(struct trio *it, int port)
{
    int turn;
    trio_open(it, port, W("POST"), W("/"), 0);
    CHECK(login(it->request, WINHTTP_AUTH_TARGET_SERVER, WINHTTP_AUTH_SCHEME_DIGEST));
    for (turn = 0; turn < 2; turn++) {
        CHECK(WinHttpSendRequest(it->request, NULL, 0, NULL, 0, 5, 0));
        CHECK(WinHttpWriteData(it->request, "bytes", 5, NULL));
        if (turn == 0)
            CHECK_FAILS(WinHttpReceiveResponse(it->request, NULL), ERROR_WINHTTP_RESEND_REQUEST);
    }
    CHECK_WORKS(WinHttpReceiveResponse(it->request, NULL));
}

TEST(test_auth__a_written_body_has_to_be_sent_again)
{
    struct trio it;
    SERVER(server, {DIGEST("n1", ""), KEEP}, {OK_HELLO, KEEP});
    write_twice(&it, server.port);
    CHECK_EQ(status_of(it.request), 200);
    trio_close(&it);
    server_end(&server);
    check_digest(server.requests[1], "POST", "/", "n1", "00000001");
    CHECK_HAS(server.requests[1], "\r\n\r\nbytes");
}

TEST(test_auth__a_written_body_that_is_refused_again_is_refused)
{
    struct trio it;
    SERVER(server, {DIGEST("n1", ""), KEEP}, {DIGEST("n2", ""), KEEP});
    write_twice(&it, server.port);
    CHECK_EQ(status_of(it.request), 401);
    trio_close(&it);
    server_end(&server);
}

TEST(test_auth__other_servers_learn_nothing)
{
    struct trio it;
    char answer[200];
    struct turn first;
    static struct server server, other;
    static const struct turn other_turns[] = {{BASIC, KEEP}};
    server_start(&other, other_turns, 1);
    sprintf(answer, "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://127.0.0.1:%d/x\r\n\r\n", other.port);
    first.answer = answer, first.after = KEEP;
    server_start(&server, &first, 1);
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(login(it.request, WINHTTP_AUTH_TARGET_SERVER, WINHTTP_AUTH_SCHEME_BASIC));
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_USERNAME, (void *)W("user"), 4));
    CHECK(exchange(it.request));
    CHECK_EQ(status_of(it.request), 401);
    trio_close(&it);
    server_end(&server);
    server_end(&other);
    CHECK_HAS(server.requests[0], "Authorization: Basic");
    CHECK(!strstr(other.requests[0], "Authorization"));
}

TEST(test_auth__a_proxy_asks_for_its_own)
{
    struct trio it;
    SERVER(server, {PROXY_WANTS "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=auth\r\n\r\nnope", KEEP}, {BASIC, KEEP}, {OK_HELLO, KEEP});
    trio_open(&it, 80, NULL, W("/x"), 0);
    use_proxy(&it, server.port);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_PROXY_USERNAME, (void *)W("user"), 4));
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_PROXY_PASSWORD, (void *)W("pass"), 4));
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_USERNAME, (void *)W("user"), 4));
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_PASSWORD, (void *)W("pass"), 4));
    CHECK(exchange(it.request));
    CHECK_EQ(status_of(it.request), 200);
    trio_close(&it);
    server_end(&server);
    CHECK(!strstr(server.requests[0], "uthorization"));
    CHECK_HAS(server.requests[1], "\r\nProxy-Authorization: Digest ");
    CHECK(!strstr(server.requests[1], "\r\nAuthorization"));
    check_digest(server.requests[1], "GET", "http://127.0.0.1/x", "n", "00000001");
    CHECK_HAS(server.requests[2], "\r\n" UPASS);
    check_digest(server.requests[2], "GET", "http://127.0.0.1/x", "n", "00000002");
}

/* The proxy is changed before the request has to be sent again on a new connection. */
TEST(test_auth__another_proxy_is_not_told_what_the_first_was)
{
    struct trio it;
    SERVER(first, {PROXY_WANTS "Proxy-Authenticate: Basic realm=\"x\"\r\n\r\nnope", KEEP}, {OK_HELLO, KEEP}, {NULL, CLOSE});
    SERVER(second, {OK_HELLO, CLOSE});
    trio_open(&it, 80, NULL, W("/x"), 0);
    use_proxy(&it, first.port);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_PROXY_USERNAME, (void *)W("user"), 4));
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_PROXY_PASSWORD, (void *)W("pass"), 4));
    CHECK(exchange(it.request));
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    use_proxy(&it, second.port);
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(status_of(it.request), 200);
    trio_close(&it);
    server_end(&first);
    server_end(&second);
    CHECK_HAS(first.requests[2], "\r\nProxy-Authorization: Basic ");
    CHECK(!strstr(second.requests[0], "uthorization"));
}

/* A request that asks to go on in another protocol goes through a tunnel. */
TEST(test_auth__tunnels_are_asked_for_with_credentials)
{
    static const DWORD schemes[] = {WINHTTP_AUTH_SCHEME_BASIC, WINHTTP_AUTH_SCHEME_DIGEST};
    struct trio it;
    int at;
    for (at = 0; at < 2; at++) {
        SERVER(server, {PROXY_WANTS "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=auth\r\n\r\nnope", CLOSE},
               {"HTTP/1.1 200 OK\r\n\r\n", KEEP}, {OK_HELLO, CLOSE});
        SERVER(open, {"HTTP/1.1 200 OK\r\n\r\n", KEEP}, {OK_HELLO, CLOSE});
        struct server *proxy = at ? &server : &open;
        trio_open(&it, 80, NULL, W("/x"), 0);
        use_proxy(&it, proxy->port);
        CHECK(login(it.request, WINHTTP_AUTH_TARGET_PROXY, schemes[at]));
        CHECK(WinHttpSendRequest(it.request, W("Upgrade: other\r\nConnection: Upgrade"), (DWORD)-1, NULL, 0, 0, 0));
        CHECK(WinHttpReceiveResponse(it.request, NULL));
        CHECK_EQ(status_of(it.request), 200);
        trio_close(&it);
        server_end(&server);
        server_end(&open);
        CHECK_HAS(proxy->requests[at], "CONNECT 127.0.0.1:80 HTTP/1.1\r\n");
        CHECK_HAS(proxy->requests[at], at ? "Proxy-Authorization: Digest " : "Proxy-Authorization: Basic dXNlcjpwYXNz\r\n");
        if (at)
            check_digest(proxy->requests[at], "CONNECT", "127.0.0.1:80", "n", "00000001");
        CHECK_HAS(proxy->requests[at + 1], "GET /x HTTP/1.1\r\n");
        CHECK(!strstr(proxy->requests[at + 1], "uthorization"));
    }
}

TEST(test_auth__a_challenge_may_cost_its_connection)
{
    struct trio it;
    DWORD limit = 2;
    SERVER(server, {UNAUTHORIZED "Connection: close\r\nWWW-Authenticate: Basic realm=x\r\n\r\nnope", CLOSE}, {OK_HELLO, CLOSE},
           {BASIC, CLOSE}, {OK_HELLO, KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_USERNAME, (void *)W("user"), 4));
    CHECK(exchange(it.request));
    CHECK_EQ(status_of(it.request), 200);
    trio_close(&it);
    /* More than may be read away. */
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_MAX_RESPONSE_DRAIN_SIZE, &limit, sizeof(limit)));
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_USERNAME, (void *)W("user"), 4));
    CHECK(exchange(it.request));
    CHECK_EQ(status_of(it.request), 200);
    trio_close(&it);
    server_end(&server);
    CHECK_HAS(server.requests[3], "Authorization: Basic ");
}

static int sends;

static void CALLBACK close_in_the_second_leg(HINTERNET handle, DWORD_PTR context, DWORD status, LPVOID information, DWORD length)
{
    (void)context, (void)information, (void)length;
    if (status == WINHTTP_CALLBACK_STATUS_SENDING_REQUEST && ++sends == 2)
        CHECK(WinHttpCloseHandle(handle));
}

TEST(test_auth__closing_between_the_legs_ends_it)
{
    struct trio it;
    SERVER(server, {BASIC, KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    WinHttpSetStatusCallback(it.request, close_in_the_second_leg, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_USERNAME, (void *)W("user"), 4));
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK_FAILS(WinHttpReceiveResponse(it.request, NULL), ERROR_WINHTTP_OPERATION_CANCELLED);
    CHECK_EQ(sends, 2);
    CHECK(WinHttpCloseHandle(it.connect) && WinHttpCloseHandle(it.session));
    server_end(&server);
}

/* A body that the library frames can be framed once more. */
TEST(test_auth__chunks_are_sent_again)
{
    struct trio it;
    SERVER(server, {BASIC, KEEP}, {OK_HELLO, KEEP});
    trio_open(&it, server.port, W("POST"), W("/"), 0);
    CHECK(WinHttpCloseHandle(it.request));
    it.request = WinHttpOpenRequest(it.connect, W("POST"), NULL, NULL, NULL, NULL, WINHTTP_FLAG_AUTOMATIC_CHUNKING);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_USERNAME, (void *)W("user"), 4));
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_PASSWORD, (void *)W("pass"), 4));
    CHECK(WinHttpSendRequest(it.request, NULL, 0, (void *)"body", 4, 4, 0));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(status_of(it.request), 200);
    trio_close(&it);
    server_end(&server);
    CHECK_EQ(server.connections, 1);
    CHECK_HAS(server.requests[1], "\r\n" UPASS);
    CHECK_HAS(server.requests[1], "\r\n\r\n4\r\nbody\r\n0\r\n\r\n");
}

TEST(test_auth__schemes_can_be_kept_from_proxies_and_servers_are_no_proxies)
{
    struct trio it;
    DWORD off = WINHTTP_PROXY_DISABLE_SCHEME_BASIC;
    SERVER(server, {PROXY_WANTS "Proxy-Authenticate: Basic realm=\"x\"\r\n\r\nnope", KEEP}, {PROXY_WANTS "Proxy-Authenticate: Basic realm=\"x\"\r\n\r\nnope", KEEP});
    trio_open(&it, 80, NULL, W("/x"), 0);
    CHECK(WinHttpSetOption(it.session, WINHTTP_OPTION_DISABLE_PROXY_AUTH_SCHEMES, &off, sizeof(off)));
    CHECK(WinHttpCloseHandle(it.request));
    it.request = WinHttpOpenRequest(it.connect, NULL, W("/x"), NULL, NULL, NULL, 0);
    use_proxy(&it, server.port);
    CHECK(login(it.request, WINHTTP_AUTH_TARGET_PROXY, WINHTTP_AUTH_SCHEME_BASIC));
    CHECK(exchange(it.request));
    CHECK_EQ(status_of(it.request), 407);
    trio_close(&it);
    /* A 407 of a server that is no proxy is no reason to tell it anything. */
    trio_open(&it, server.port, NULL, W("/x"), 0);
    CHECK(login(it.request, WINHTTP_AUTH_TARGET_PROXY, WINHTTP_AUTH_SCHEME_BASIC));
    CHECK(exchange(it.request));
    CHECK_EQ(status_of(it.request), 407);
    trio_close(&it);
    server_end(&server);
    CHECK(!strstr(server.requests[0], "uthorization"));
    CHECK(!strstr(server.requests[1], "uthorization"));
}

TEST(test_auth__asynchronous_requests_do_it_all_before_headers_available)
{
    struct trio it;
    SERVER(server, {DIGEST("n1", ""), KEEP}, {OK_HELLO, KEEP}, {DIGEST("n2", ""), KEEP});
    notes_clear(NULL);
    trio_open(&it, server.port, W("POST"), W("/"), WINHTTP_FLAG_ASYNC);
    CHECK(WinHttpSetStatusCallback(it.request, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == NULL);
    CHECK(login(it.request, WINHTTP_AUTH_TARGET_SERVER, WINHTTP_AUTH_SCHEME_DIGEST));
    CHECK(WinHttpSendRequest(it.request, NULL, 0, (void *)"body", 4, 4, 1));
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
    CHECK_EQ(status_of(it.request), 200);
    CHECK_TOLD_SOMEWHERE(1, "RESOLVING, RESOLVED, CONNECTING, CONNECTED, SENDING, SENT, SEND_COMPLETE, RECEIVING, RECEIVED, "
                            "SENDING, SENT, RECEIVING, RECEIVED, HEADERS");
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 4, 1));
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 2));
    CHECK(WinHttpWriteData(it.request, "body", 4, NULL));
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE, 1));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, 1));
    CHECK_HAS(told_to(1, 0), "ERROR(1,12032)");
    trio_close_async(&it, 1);
    server_end(&server);
}

#define PASSPORT "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /next\r\nWWW-Authenticate: Passport1.4 da=x,ru=y\r\n\r\n"

TEST(test_auth__passport_is_a_redirect_or_a_401)
{
    struct trio it;
    DWORD on = WINHTTP_ENABLE_PASSPORT_AUTH, all, first, target, size;
    char raw[512];
    SERVER(server, {PASSPORT, KEEP}, {OK_HELLO, KEEP}, {PASSPORT, KEEP}, {PASSPORT, KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(exchange(it.request));
    CHECK_EQ(status_of(it.request), 200);
    CHECK(WinHttpSetOption(it.session, WINHTTP_OPTION_CONFIGURE_PASSPORT_AUTH, &on, sizeof(on)));
    CHECK(WinHttpCloseHandle(it.request));
    it.request = WinHttpOpenRequest(it.connect, NULL, W("/x"), NULL, NULL, NULL, 0);
    CHECK(exchange(it.request));
    CHECK_EQ(status_of(it.request), 401);
    size = sizeof(raw);
    CHECK(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_RAW_HEADERS_CRLF, NULL, raw, &size, NULL));
    CHECK(memcmp(raw, W("HTTP/1.1 401 Found\r\n"), 40) == 0);
    CHECK(WinHttpQueryAuthSchemes(it.request, &all, &first, &target));
    CHECK_EQ(all, WINHTTP_AUTH_SCHEME_PASSPORT);
    CHECK(login(it.request, WINHTTP_AUTH_TARGET_SERVER, WINHTTP_AUTH_SCHEME_PASSPORT));
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK_FAILS(WinHttpReceiveResponse(it.request, NULL), ERROR_WINHTTP_LOGIN_FAILURE);
    trio_close(&it);
    server_end(&server);
}

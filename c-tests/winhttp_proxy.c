/* Requests through proxies: lists and bypass lists, the absolute form, CONNECT tunnels, SOCKS 5.
 * gate: thread */
#include "winhttp_server.h"

/* A proxy that speaks SOCKS 5: it takes one connection, checks what it is told, gives its answers, and is then the
 * server behind it. */
struct socks {
    int port, listener;
    HANDLE thread;
    /* What it says to the greeting, to the login (if any), and to the request; NULL hangs up. */
    const char *method, *login, *outcome;
    size_t outcome_size;
    unsigned char greeting[8], told[520], asked[300];
    size_t greeting_size, told_size, asked_size;
    char request[2048];
};

static size_t take(int peer, unsigned char *room, size_t count)
{
    size_t have = 0;
    while (have < count) {
        long got = (long)recv(peer, (char *)room + have, count - have, 0);
        if (got <= 0)
            return have;
        have += (size_t)got;
    }
    return have;
}

/* Takes a SOCKS request: the head, the address, the port. */
static size_t take_request(int peer, unsigned char *room)
{
    size_t have = take(peer, room, 5), rest;
    if (have < 5)
        return have;
    rest = room[3] == 1 ? 3 + 2 : room[3] == 4 ? 15 + 2 : (size_t)room[4] + 2;
    return have + take(peer, room + have, rest);
}

static DWORD WINAPI socks_serve(void *argument)
{
    struct socks *it = argument;
    size_t have = 0;
    int peer = (int)accept(it->listener, NULL, NULL);
    it->greeting_size = take(peer, it->greeting, 2);
    it->greeting_size += take(peer, it->greeting + 2, it->greeting[1] < 6 ? it->greeting[1] : 0);
    if (!it->method)
        goto out;
    send(peer, it->method, 2, MSG_NOSIGNAL);
    if (it->method[1] == 2) {
        it->told_size = take(peer, it->told, 2);
        /* The client would rather not. */
        if (it->told_size == 0)
            goto out;
        it->told_size += take(peer, it->told + 2, it->told[1] + 1u);
        it->told_size += take(peer, it->told + it->told_size, it->told[it->told_size - 1]);
        send(peer, it->login, 2, MSG_NOSIGNAL);
    }
    it->asked_size = take_request(peer, it->asked);
    if (!it->outcome || it->asked_size == 0)
        goto out;
    send(peer, it->outcome, it->outcome_size, MSG_NOSIGNAL);
    if (it->outcome_size < 10)
        goto out;
    while (have + 1 < sizeof(it->request) && !strstr(it->request, "\r\n\r\n")) {
        long got = (long)recv(peer, it->request + have, sizeof(it->request) - 1 - have, 0);
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    if (have)
        send(peer, OK_HELLO, strlen(OK_HELLO), MSG_NOSIGNAL);
out:
    close(peer);
    return 0;
}

static void socks_start(struct socks *it)
{
    it->listener = loopback_listener(&it->port, 4);
    it->thread = CreateThread(NULL, 0, socks_serve, it, 0, NULL);
}

static void socks_end(struct socks *it)
{
    CHECK_EQ(WaitForSingleObject(it->thread, 10000), WAIT_OBJECT_0);
    CloseHandle(it->thread);
    close(it->listener);
}
#define SOCKS_OK "\5\0\0\1\x7f\0\0\1\0\x50"

/* Widens ASCII, %d being a port. */
static const WCHAR *wide(const char *format, int port)
{
    static WCHAR rooms[4][256];
    static int next;
    WCHAR *room = rooms[next++ % 4];
    char text[256];
    size_t at = 0;
    snprintf(text, sizeof(text), format, port);
    do
        room[at] = (WCHAR)text[at];
    while (text[at++]);
    return room;
}

static void open_through(struct trio *it, const WCHAR *proxy, const WCHAR *bypass, const WCHAR *host, int port)
{
    it->session = WinHttpOpen(W("test"), WINHTTP_ACCESS_TYPE_NAMED_PROXY, proxy, bypass, 0);
    REQUIRE(it->session != NULL);
    it->connect = WinHttpConnect(it->session, host, (INTERNET_PORT)port, 0);
    REQUIRE(it->connect != NULL);
    it->request = WinHttpOpenRequest(it->connect, NULL, W("/x"), NULL, NULL, NULL, 0);
    REQUIRE(it->request != NULL);
}

static void expect_hello(HINTERNET request)
{
    char text[64];
    CHECK_EQ(status_of(request), 200);
    CHECK_EQ(read_body(request, text, sizeof(text)), 5);
    CHECK_BYTES(text, 5, "hello");
}

static DWORD is_proxys(HINTERNET request)
{
    DWORD is = 7, size = sizeof(is);
    CHECK_WORKS(WinHttpQueryOption(request, WINHTTP_OPTION_IS_PROXY_CONNECT_RESPONSE, &is, &size));
    return is;
}

TEST(test_proxy__absolute_form)
{
    struct trio it;
    SERVER(proxy, {OK_HELLO, KEEP}, {OK_HELLO, KEEP});
    open_through(&it, wide("ftp=f;http=http://127.0.0.1:%d/", proxy.port), NULL, W("no.such.example"), 8080);
    REQUIRE(exchange(it.request));
    expect_hello(it.request);
    CHECK_EQ(is_proxys(it.request), FALSE);
    CHECK_HAS(proxy.requests[0], "GET http://no.such.example:8080/x HTTP/1.1\r\n");
    CHECK_HAS(proxy.requests[0], "\r\nHost: no.such.example:8080\r\n");
    CHECK_HAS(proxy.requests[0], "\r\nProxy-Connection: Keep-Alive\r\n");
    REQUIRE(exchange(it.request));
    expect_hello(it.request);
    CHECK_EQ(proxy.connections, 1);
    trio_close(&it);
    server_end(&proxy);
}

TEST(test_proxy__bypass_lists)
{
    static const struct {
        const WCHAR *list;
        const char *port;
        int direct;
    } cases[] = {
        {W("127.0.0.1"), NULL, 1}, {W("x 127.0.0.*"), NULL, 1},     {W("*.0.1"), NULL, 1},  {W("127.0.0.0/8"), NULL, 1},
        {W("*"), NULL, 1},         {W("http://127.0.0.1"), NULL, 1}, {W("<local>"), NULL, 0}, {W("127.0.0.1:1"), NULL, 0},
        {W("0.0.1"), NULL, 0},     {W("https://*"), NULL, 0},        {W("10.0.0.0/8"), NULL, 0}, {W(""), NULL, 0},
    };
    size_t at;
    for (at = 0; at < COUNT(cases); at++) {
        struct trio it;
        SERVER(server, {OK_HELLO, CLOSE});
        /* Whichever way it goes, this one server gets it: the form tells. */
        open_through(&it, wide("127.0.0.1:%d", server.port), cases[at].list, W("127.0.0.1"), server.port);
        REQUIRE(exchange(it.request));
        CHECK_EQ(strncmp(server.requests[0], "GET /x", 6) == 0, cases[at].direct);
        trio_close(&it);
        server_end(&server);
    }
}

TEST(test_proxy__the_request_before_the_session)
{
    struct trio it;
    WINHTTP_PROXY_INFO info = {WINHTTP_ACCESS_TYPE_NAMED_PROXY, NULL, NULL};
    DWORD size = sizeof(info);
    HINTERNET second;
    SERVER(proxy, {OK_HELLO, KEEP}, {OK_HELLO, KEEP});
    trio_open(&it, 1, NULL, W("/y"), 0);
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_PROXY, &info, sizeof(info)), ERROR_INVALID_PARAMETER);
    info.lpszProxy = (LPWSTR)wide("127.0.0.1:%d", proxy.port);
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_PROXY, &info, sizeof(info) - 1), ERROR_INSUFFICIENT_BUFFER);
    CHECK_FAILS(WinHttpSetOption(it.connect, WINHTTP_OPTION_PROXY, &info, sizeof(info)), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpSetOption(NULL, WINHTTP_OPTION_PROXY, &info, sizeof(info)), ERROR_INVALID_HANDLE);
    info.dwAccessType = 2;
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_PROXY, &info, sizeof(info)), ERROR_INVALID_PARAMETER);
    info.dwAccessType = WINHTTP_ACCESS_TYPE_NAMED_PROXY;
    /* Set on the session: for requests opened from now on. */
    CHECK_WORKS(WinHttpSetOption(it.session, WINHTTP_OPTION_PROXY, &info, sizeof(info)));
    second = WinHttpOpenRequest(it.connect, NULL, W("/z"), NULL, NULL, NULL, 0);
    REQUIRE(exchange(second));
    expect_hello(second);
    CHECK_HAS(proxy.requests[0], "GET http://127.0.0.1:1/z HTTP/1.1\r\n");
    CHECK_FAILS(exchange(it.request), ERROR_WINHTTP_CANNOT_CONNECT);
    CHECK_WORKS(WinHttpSetOption(it.request, WINHTTP_OPTION_PROXY, &info, sizeof(info)));
    REQUIRE(exchange(it.request));
    expect_hello(it.request);
    CHECK_HAS(proxy.requests[1], "GET http://127.0.0.1:1/y HTTP/1.1\r\n");
    memset(&info, 0, sizeof(info));
    CHECK_FAILS(WinHttpQueryOption(it.connect, WINHTTP_OPTION_PROXY, &info, &size), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    size = 4;
    CHECK_FAILS(WinHttpQueryOption(it.request, WINHTTP_OPTION_PROXY, &info, &size), ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(size, sizeof(info));
    CHECK_WORKS(WinHttpQueryOption(it.request, WINHTTP_OPTION_PROXY, &info, &size));
    CHECK_EQ(info.dwAccessType, WINHTTP_ACCESS_TYPE_NAMED_PROXY);
    CHECK(info.lpszProxy && info.lpszProxyBypass == NULL);
    GlobalFree(info.lpszProxy);
    /* And back to none. */
    memset(&info, 0, sizeof(info));
    info.dwAccessType = WINHTTP_ACCESS_TYPE_NO_PROXY;
    CHECK_WORKS(WinHttpSetOption(second, WINHTTP_OPTION_PROXY, &info, sizeof(info)));
    CHECK_FAILS(exchange(second), ERROR_WINHTTP_CANNOT_CONNECT);
    CHECK(WinHttpCloseHandle(second));
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_PROXY, &(WINHTTP_PROXY_INFO){WINHTTP_ACCESS_TYPE_NAMED_PROXY,
          (LPWSTR)wide("https://127.0.0.1:%d", proxy.port), NULL}, sizeof(info)));
    CHECK_FAILS(exchange(it.request), ERROR_WINHTTP_SECURE_FAILURE_PROXY);
    trio_close(&it);
    CHECK_EQ(proxy.connections, 1);
    server_end(&proxy);
}

/* A request that asks to go on in another protocol must not be rewritten: it needs a tunnel. */
static void ask_upgrade(HINTERNET request)
{
    CHECK(WinHttpAddRequestHeaders(request, W("Upgrade: else\r\nConnection: Upgrade"), (DWORD)-1, WINHTTP_ADDREQ_FLAG_ADD));
}

TEST(test_proxy__a_tunnel)
{
    struct trio it;
    DWORD_PTR context = 5;
    SERVER(proxy, {"HTTP/1.1 103 Wait\r\n\r\nHTTP/1.1 200 There it is\r\nContent-Length: 99\r\n\r\n", KEEP}, {OK_HELLO, KEEP},
           {OK_HELLO, KEEP});
    notes_clear(NULL);
    open_through(&it, wide("127.0.0.1:%d", proxy.port), NULL, W("far.example"), 81);
    CHECK(WinHttpSetStatusCallback(it.request, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == NULL);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
    ask_upgrade(it.request);
    REQUIRE(exchange(it.request));
    CHECK_BYTES(proxy.requests[0], strlen(proxy.requests[0]),
                "CONNECT far.example:81 HTTP/1.1\r\nUser-Agent: test\r\nHost: far.example:81\r\n"
                "Proxy-Connection: Keep-Alive\r\n\r\n");
    CHECK_HAS(proxy.requests[1], "GET /x HTTP/1.1\r\n");
    CHECK_LACKS(proxy.requests[1], "Proxy-");
    CHECK_TOLD(5, "RESOLVING A, RESOLVED A, CONNECTING A, CONNECTED A, SENDING A, SENT A, RECEIVING A, RECEIVED A, "
                  "SENDING A, SENT A, RECEIVING A, RECEIVED A");
    expect_hello(it.request);
    CHECK_EQ(is_proxys(it.request), FALSE);
    /* The tunnel is kept for this server alone. */
    REQUIRE(exchange(it.request));
    expect_hello(it.request);
    CHECK_HAS(proxy.requests[2], "GET /x HTTP/1.1\r\n");
    CHECK_EQ(proxy.connections, 1);
    trio_close(&it);
    server_end(&proxy);
}

#define REFUSAL(STATUS) "HTTP/1.1 " STATUS "\r\nProxy-Authenticate: Unknown\r\nLocation: http://evil/\r\nContent-Length: 4\r\n\r\nlost"

TEST(test_proxy__a_tunnel_that_needs_a_login)
{
    struct trio it;
    char text[64];
    WCHAR value[32];
    DWORD size = sizeof(value), number;
    SERVER(proxy, {REFUSAL("407 Who"), KEEP}, {REFUSAL("407 Who"), KEEP});
    open_through(&it, wide("127.0.0.1:%d", proxy.port), NULL, W("far.example"), 81);
    ask_upgrade(it.request);
    REQUIRE(exchange(it.request));
    CHECK_EQ(status_of(it.request), 407);
    CHECK_EQ(is_proxys(it.request), TRUE);
    CHECK(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_PROXY_AUTHENTICATE, NULL, value, &size, NULL));
    CHECK_EQ(read_body(it.request, text, sizeof(text)), 0);
    number = TRUE;
    CHECK_WORKS(WinHttpSetOption(it.request, WINHTTP_OPTION_RECEIVE_PROXY_CONNECT_RESPONSE, &number, sizeof(number)));
    REQUIRE(exchange(it.request));
    CHECK_EQ(status_of(it.request), 407);
    CHECK_EQ(read_body(it.request, text, sizeof(text)), 4);
    CHECK_BYTES(text, 4, "lost");
    trio_close(&it);
    server_end(&proxy);
}

TEST(test_proxy__a_tunnel_that_is_refused)
{
    struct trio it;
    DWORD number = TRUE, size = sizeof(number);
    char text[64];
    SERVER(proxy, {REFUSAL("403 No"), KEEP}, {REFUSAL("302 Elsewhere"), KEEP}, {"HTTP/1.1 200 OK\r\nA", RESET}, {"nonsense", CLOSE},
           {NULL, CLOSE});
    open_through(&it, wide("127.0.0.1:%d", proxy.port), NULL, W("far.example"), 81);
    ask_upgrade(it.request);
    CHECK_FAILS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0), ERROR_WINHTTP_CANNOT_CONNECT);
    CHECK_FAILS(WinHttpSetOption(it.connect, WINHTTP_OPTION_RECEIVE_PROXY_CONNECT_RESPONSE, &number, 4),
                ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_RECEIVE_PROXY_CONNECT_RESPONSE, &number, 1), ERROR_INSUFFICIENT_BUFFER);
    CHECK_FAILS(WinHttpQueryOption(it.session, WINHTTP_OPTION_RECEIVE_PROXY_CONNECT_RESPONSE, &number, &size), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_IS_PROXY_CONNECT_RESPONSE, &number, 4), ERROR_WINHTTP_OPTION_NOT_SETTABLE);
    CHECK_FAILS(WinHttpQueryOption(it.connect, WINHTTP_OPTION_IS_PROXY_CONNECT_RESPONSE, &number, &size),
                ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    number = TRUE;
    CHECK_WORKS(WinHttpSetOption(it.request, WINHTTP_OPTION_RECEIVE_PROXY_CONNECT_RESPONSE, &number, sizeof(number)));
    /* A proxy does not send requests elsewhere. */
    REQUIRE(exchange(it.request));
    CHECK_EQ(status_of(it.request), 302);
    CHECK_EQ(is_proxys(it.request), TRUE);
    CHECK_EQ(read_body(it.request, text, sizeof(text)), 4);
    CHECK_FAILS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0), ERROR_WINHTTP_CONNECTION_ERROR);
    CHECK_FAILS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0), ERROR_WINHTTP_INVALID_SERVER_RESPONSE);
    CHECK_FAILS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0), ERROR_WINHTTP_CONNECTION_ERROR);
    trio_close(&it);
    server_end(&proxy);
}

TEST(test_proxy__a_body_is_not_given_to_a_proxy_that_refuses)
{
    struct trio it;
    DWORD written = 0;
    SERVER(proxy, {REFUSAL("407 Who"), HOLD});
    open_through(&it, wide("127.0.0.1:%d", proxy.port), NULL, W("far.example"), 81);
    ask_upgrade(it.request);
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 6, 0));
    CHECK_WORKS(WinHttpWriteData(it.request, "secret", 6, &written));
    CHECK_EQ(written, 6);
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(status_of(it.request), 407);
    trio_close(&it);
    CHECK_EQ(WaitForSingleObject(proxy.ended, 10000), WAIT_OBJECT_0);
    CHECK_EQ(proxy.heard, 0);
    server_end(&proxy);
}

TEST(test_proxy__socks_gets_names)
{
    struct socks proxy = {.method = "\5", .outcome = SOCKS_OK, .outcome_size = sizeof(SOCKS_OK) - 1};
    struct trio it;
    socks_start(&proxy);
    open_through(&it, wide("socks=127.0.0.1:%d", proxy.port), NULL, W("far.example"), 8081);
    REQUIRE(exchange(it.request));
    expect_hello(it.request);
    CHECK(proxy.greeting_size == 3 && !memcmp(proxy.greeting, "\5\1", 3));
    CHECK_BYTES(proxy.asked + 4, proxy.asked_size - 4, "\13far.example\37\221");
    CHECK(!memcmp(proxy.asked, "\5\1\0\3", 4));
    CHECK_HAS(proxy.request, "GET /x HTTP/1.1\r\n");
    CHECK_LACKS(proxy.request, "Proxy-Connection");
    trio_close(&it);
    socks_end(&proxy);
}

TEST(test_proxy__socks_gets_addresses_and_a_login)
{
    struct socks proxy = {.method = "\5\2", .login = "\1", .outcome = "\5\0\0\3\4four\0\1", .outcome_size = 11};
    struct trio it;
    socks_start(&proxy);
    open_through(&it, wide("socks5://me:a%%3Ab@127.0.0.1:%d", proxy.port), NULL, W("localhost"), 8081);
    REQUIRE(exchange(it.request));
    expect_hello(it.request);
    CHECK(proxy.greeting_size == 4 && !memcmp(proxy.greeting, "\5\2\0\2", 4));
    CHECK_BYTES(proxy.told, proxy.told_size, "\1\2me\3a:b");
    CHECK(proxy.asked_size == 10 && !memcmp(proxy.asked, "\5\1\0\1\x7f\0\0\1\37\221", 10));
    trio_close(&it);
    socks_end(&proxy);
}

TEST(test_proxy__socks_gets_ipv6)
{
    struct socks proxy = {.method = "\5", .outcome = "\5\0\0\4aaaaaaaaaaaaaaaa\0\1", .outcome_size = 22};
    struct trio it;
    socks_start(&proxy);
    open_through(&it, wide("socks5h://127.0.0.1:%d", proxy.port), NULL, W("[::2]"), 80);
    REQUIRE(exchange(it.request));
    CHECK(proxy.asked_size == 22 && !memcmp(proxy.asked, "\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\x50", 22));
    trio_close(&it);
    socks_end(&proxy);
}

TEST(test_proxy__socks_that_refuses)
{
    static const struct {
        const char *user, *method, *login, *outcome;
        size_t outcome_size;
        DWORD error;
    } cases[] = {
        {"", "\5", NULL, "\5\2\0\1\0\0\0\0\0\0", 10, ERROR_WINHTTP_CANNOT_CONNECT},
        {"", "\5", NULL, "\4\0\0\1\0\0\0\0\0\0", 10, ERROR_WINHTTP_INVALID_SERVER_RESPONSE},
        {"", "\5", NULL, "\5\0\0\7\0\0\0\0\0\0", 10, ERROR_WINHTTP_INVALID_SERVER_RESPONSE},
        {"", "\5", NULL, "\5\0\0\1\0\0", 6, ERROR_WINHTTP_CONNECTION_ERROR},
        {"", "\5", NULL, NULL, 0, ERROR_WINHTTP_CONNECTION_ERROR},
        {"", NULL, NULL, NULL, 0, ERROR_WINHTTP_CONNECTION_ERROR},
        {"", "HT", NULL, NULL, 0, ERROR_WINHTTP_INVALID_SERVER_RESPONSE},
        {"", "\5\2", "\1\1", NULL, 0, ERROR_WINHTTP_INVALID_SERVER_RESPONSE},
        {"u:p@", "\5\2", "\1\1", NULL, 0, ERROR_WINHTTP_LOGIN_FAILURE},
        {"", "\5\xff", NULL, NULL, 0, ERROR_WINHTTP_LOGIN_FAILURE},
    };
    size_t at;
    for (at = 0; at < COUNT(cases); at++) {
        struct socks proxy = {.method = cases[at].method, .login = cases[at].login, .outcome = cases[at].outcome,
                              .outcome_size = cases[at].outcome_size};
        char list[64];
        struct trio it;
        socks_start(&proxy);
        snprintf(list, sizeof(list), "socks5h://%s127.0.0.1:%%d", cases[at].user);
        open_through(&it, wide(list, proxy.port), NULL, W("far.example"), 80);
        CHECK_FAILS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0), cases[at].error);
        trio_close(&it);
        socks_end(&proxy);
    }
}

TEST(test_proxy__https_waits_for_tls)
{
    struct trio it;
    SERVER(proxy, {NULL, CLOSE});
    open_through(&it, wide("127.0.0.1:%d", proxy.port), NULL, W("far.example"), 443);
    CHECK(WinHttpCloseHandle(it.request));
    it.request = WinHttpOpenRequest(it.connect, NULL, NULL, NULL, NULL, NULL, WINHTTP_FLAG_SECURE);
    CHECK_FAILS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0), ERROR_WINHTTP_SECURE_FAILURE);
    trio_close(&it);
    CHECK_EQ(proxy.connections, 0);
    server_end(&proxy);
}

TEST(test_proxy__an_entry_of_a_result)
{
    struct trio it;
    WINHTTP_PROXY_RESULT_ENTRY entry = {TRUE, FALSE, INTERNET_SCHEME_HTTP, (PWSTR)W("127.0.0.1"), 0};
    DWORD size = sizeof(entry);
    /* Neither a list nor a login nor a port is a host. */
    static const WCHAR *const no_hosts[] = {W("a;b"), W("a b"), W(" a"), W("a "), W(";a"), W("u@a"), W("a/"), W("a:80"), W("http://a")};
    size_t at;
    SERVER(proxy, {OK_HELLO, CLOSE}, {OK_HELLO, CLOSE});
    entry.ProxyPort = (INTERNET_PORT)proxy.port;
    trio_open(&it, proxy.port, NULL, W("/y"), 0);
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_PROXY_RESULT_ENTRY, &entry, size), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_PROXY_RESULT_ENTRY, &entry, size - 1), ERROR_INSUFFICIENT_BUFFER);
    CHECK_FAILS(WinHttpQueryOption(it.request, WINHTTP_OPTION_PROXY_RESULT_ENTRY, &entry, &size), ERROR_INVALID_PARAMETER);
    entry.ProxyScheme = INTERNET_SCHEME_FTP;
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_PROXY_RESULT_ENTRY, &entry, size), ERROR_INVALID_PARAMETER);
    entry.ProxyScheme = INTERNET_SCHEME_HTTP;
    CHECK_WORKS(WinHttpSetOption(it.request, WINHTTP_OPTION_PROXY_RESULT_ENTRY, &entry, size));
    REQUIRE(exchange(it.request));
    expect_hello(it.request);
    CHECK_HAS(proxy.requests[0], "GET http://");
    entry.fProxy = FALSE;
    CHECK_WORKS(WinHttpSetOption(it.request, WINHTTP_OPTION_PROXY_RESULT_ENTRY, &entry, size));
    REQUIRE(exchange(it.request));
    CHECK_HAS(proxy.requests[1], "GET /y");
    entry.fProxy = TRUE;
    entry.pwszProxy = NULL;
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_PROXY_RESULT_ENTRY, &entry, size), ERROR_INVALID_PARAMETER);
    for (at = 0; at < COUNT(no_hosts); at++) {
        entry.pwszProxy = (LPWSTR)no_hosts[at];
        CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_PROXY_RESULT_ENTRY, &entry, size), ERROR_INVALID_PARAMETER);
    }
    trio_close(&it);
    server_end(&proxy);
}

#define ASKS_BASIC                                                                                                     \
    "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"p\"\r\nContent-Length: 4\r\n\r\nlost"

TEST(test_proxy__a_tunnel_with_a_login)
{
    struct trio it;
    SERVER(proxy, {ASKS_BASIC, CLOSE}, {"HTTP/1.1 200 OK\r\n\r\n", KEEP}, {OK_HELLO, KEEP});
    /* me:a:b, from the proxy list. */
    open_through(&it, wide("http://me:a%%3ab@127.0.0.1:%d", proxy.port), NULL, W("far.example"), 81);
    ask_upgrade(it.request);
    REQUIRE(exchange(it.request));
    expect_hello(it.request);
    CHECK_EQ(is_proxys(it.request), FALSE);
    CHECK_LACKS(proxy.requests[0], "Proxy-Authorization");
    CHECK_HAS(proxy.requests[1], "CONNECT far.example:81 HTTP/1.1\r\n");
    CHECK_HAS(proxy.requests[1], "\r\nProxy-Authorization: Basic bWU6YTpi\r\n");
    CHECK_LACKS(proxy.requests[2], "Proxy-Authorization");
    trio_close(&it);
    server_end(&proxy);
}

TEST(test_proxy__a_login_is_for_one_proxy)
{
    struct trio it;
    WINHTTP_PROXY_INFO info = {WINHTTP_ACCESS_TYPE_NAMED_PROXY, NULL, NULL};
    SERVER(proxy, {ASKS_BASIC, KEEP}, {OK_HELLO, CLOSE});
    SERVER(other, {ASKS_BASIC, CLOSE});
    open_through(&it, wide("me:ab@127.0.0.1:%d", proxy.port), NULL, W("far.example"), 81);
    REQUIRE(exchange(it.request));
    expect_hello(it.request);
    CHECK_HAS(proxy.requests[1], "\r\nProxy-Authorization: Basic bWU6YWI=\r\n");
    info.lpszProxy = (LPWSTR)wide("127.0.0.1:%d", other.port);
    CHECK_WORKS(WinHttpSetOption(it.request, WINHTTP_OPTION_PROXY, &info, sizeof(info)));
    REQUIRE(exchange(it.request));
    CHECK_EQ(status_of(it.request), 407);
    CHECK_LACKS(other.requests[0], "Proxy-Authorization");
    trio_close(&it);
    server_end(&proxy);
    server_end(&other);
}

TEST(test_proxy__socks_takes_the_options_login)
{
    struct socks proxy = {.method = "\5\2", .login = "\1", .outcome = SOCKS_OK, .outcome_size = sizeof(SOCKS_OK) - 1};
    struct trio it;
    socks_start(&proxy);
    open_through(&it, wide("socks5h://me:no@127.0.0.1:%d", proxy.port), NULL, W("far.example"), 8081);
    CHECK_WORKS(WinHttpSetOption(it.request, WINHTTP_OPTION_PROXY_USERNAME, (LPVOID)W("you"), 3));
    CHECK_WORKS(WinHttpSetOption(it.request, WINHTTP_OPTION_PROXY_PASSWORD, (LPVOID)W("pw"), 2));
    REQUIRE(exchange(it.request));
    expect_hello(it.request);
    CHECK_BYTES(proxy.told, proxy.told_size, "\1\3you\2pw");
    trio_close(&it);
    socks_end(&proxy);
}

static void open_async(struct trio *it, const WCHAR *proxy, DWORD_PTR context)
{
    it->session = WinHttpOpen(W("test"), WINHTTP_ACCESS_TYPE_NAMED_PROXY, proxy, NULL, WINHTTP_FLAG_ASYNC);
    REQUIRE(it->session != NULL);
    it->connect = WinHttpConnect(it->session, W("far.example"), 81, 0);
    it->request = WinHttpOpenRequest(it->connect, NULL, W("/x"), NULL, NULL, NULL, 0);
    REQUIRE(it->request != NULL);
    CHECK(WinHttpSetOption(it->request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
    CHECK(WinHttpSetStatusCallback(it->request, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == NULL);
    ask_upgrade(it->request);
}

TEST(test_proxy__a_tunnel_without_waiting)
{
    struct trio it;
    SERVER(proxy, {"HTTP/1.1 200 OK\r\n\r\n", KEEP}, {OK_HELLO, KEEP});
    notes_clear(NULL);
    open_async(&it, wide("127.0.0.1:%d", proxy.port), 6);
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    REQUIRE(note_wait(6, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK_TOLD(6, "RESOLVING W, RESOLVED W, CONNECTING W, CONNECTED W, SENDING W, SENT W, RECEIVING W, RECEIVED W, "
                  "SENDING W, SENT W, SEND_COMPLETE W");
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    REQUIRE(note_wait(6, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
    CHECK_EQ(status_of(it.request), 200);
    trio_close_async(&it, 6);
    server_end(&proxy);
}

TEST(test_proxy__closing_while_a_proxy_is_silent)
{
    struct trio it;
    struct socks quiet = {.method = NULL};
    SERVER(proxy, {NULL, HOLD});
    notes_clear(NULL);
    open_async(&it, wide("127.0.0.1:%d", proxy.port), 7);
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK_EQ(WaitForSingleObject(proxy.held, 10000), WAIT_OBJECT_0);
    REQUIRE(note_wait(7, WINHTTP_CALLBACK_STATUS_RECEIVING_RESPONSE, 1));
    trio_close_async(&it, 7);
    CHECK_TOLD_SOMEWHERE(7, "RESOLVING, RESOLVED, CONNECTING, CONNECTED, SENDING, SENT, RECEIVING, ERROR(5,12017), CLOSING");
    server_end(&proxy);
    /* And one that speaks SOCKS, or would. */
    socks_start(&quiet);
    notes_clear(NULL);
    open_async(&it, wide("socks=127.0.0.1:%d", quiet.port), 8);
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    REQUIRE(note_wait(8, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, 1));
    trio_close_async(&it, 8);
    CHECK_TOLD_SOMEWHERE(8, "RESOLVING, RESOLVED, CONNECTING, CONNECTED, ERROR(5,12030), CLOSING");
    socks_end(&quiet);
}

TEST(test_proxy__a_silent_proxy_takes_too_long)
{
    struct trio it;
    SERVER(proxy, {NULL, HOLD});
    open_through(&it, wide("127.0.0.1:%d", proxy.port), NULL, W("far.example"), 81);
    CHECK_WORKS(WinHttpSetTimeouts(it.request, 0, 10000, 10000, 100));
    ask_upgrade(it.request);
    CHECK_FAILS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0), ERROR_WINHTTP_TIMEOUT);
    trio_close(&it);
    server_end(&proxy);
}

TEST(test_proxy__a_redirect_past_the_proxy_and_back)
{
    struct trio it;
    char first[128], second[128];
    struct turn turns[2] = {{NULL, KEEP}, {OK_HELLO, KEEP}};
    static struct server proxy, server;
    struct turn once = {NULL, CLOSE};
    server_start(&proxy, turns, 2);
    server_start(&server, &once, 1);
    snprintf(first, sizeof(first), "HTTP/1.1 302 F\r\nLocation: http://127.0.0.1:%d/b\r\nContent-Length: 0\r\n\r\n", server.port);
    snprintf(second, sizeof(second), "HTTP/1.1 302 F\r\nLocation: http://far.example/c\r\nContent-Length: 0\r\n\r\n");
    turns[0].answer = first;
    once.answer = second;
    open_through(&it, wide("127.0.0.1:%d", proxy.port), W("127.*"), W("far.example"), 0);
    REQUIRE(exchange(it.request));
    expect_hello(it.request);
    CHECK_HAS(proxy.requests[0], "GET http://far.example/x HTTP/1.1\r\n");
    CHECK_HAS(server.requests[0], "GET /b HTTP/1.1\r\n");
    CHECK_LACKS(server.requests[0], "Proxy-");
    CHECK_HAS(proxy.requests[1], "GET http://far.example/c HTTP/1.1\r\n");
    trio_close(&it);
    server_end(&proxy);
    server_end(&server);
}

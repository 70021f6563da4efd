/* Connections that a server has more to say on than it was asked for, or has closed, when the next request wants them.
 * gate: not-mingw (its headers know nothing of retries, nor Windows of TIOCOUTQ) */
#include "winhttp_auth.h"
#include <sys/ioctl.h>

/* A server that answers the first request in two parts, and then says something that nobody has asked for; a second
 * connection is answered with "hello". */
static struct {
    int port, listener;
    HANDLE thread, received, said;
    const char *head, *body;
    int connections;
} gossip;

#define GOSSIP "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray"

static DWORD WINAPI gossip_serve(void *argument)
{
    char text[4096];
    int peers[2], count, left;
    (void)argument;
    for (count = 0; count < 2; count++) {
        peers[count] = (int)accept(gossip.listener, NULL, NULL);
        if (peers[count] < 0)
            break;
        gossip.connections++;
        CHECK(recv(peers[count], text, sizeof(text), 0) > 0);
        if (count == 1) {
            CHECK(send(peers[count], OK_HELLO, strlen(OK_HELLO), MSG_NOSIGNAL) > 0);
            continue;
        }
        CHECK(send(peers[count], gossip.head, strlen(gossip.head), MSG_NOSIGNAL) > 0);
        CHECK_EQ(WaitForSingleObject(gossip.received, 10000), WAIT_OBJECT_0);
        if (gossip.body) {
            CHECK(send(peers[count], gossip.body, strlen(gossip.body), MSG_NOSIGNAL) > 0);
            CHECK_EQ(WaitForSingleObject(gossip.received, 10000), WAIT_OBJECT_0);
        }
        CHECK(send(peers[count], GOSSIP, strlen(GOSSIP), MSG_NOSIGNAL) > 0);
        while (ioctl(peers[count], TIOCOUTQ, &left) == 0 && left > 0)
            Sleep(1);
        SetEvent(gossip.said);
    }
    while (count--)
        close(peers[count]);
    return 0;
}

static void hear_gossip(const WCHAR *verb, const char *head, const char *body)
{
    struct trio it;
    char text[64];
    gossip.head = head;
    gossip.body = body;
    gossip.connections = 0;
    gossip.received = CreateEventW(NULL, FALSE, FALSE, NULL);
    gossip.said = CreateEventW(NULL, FALSE, FALSE, NULL);
    gossip.listener = loopback_listener(&gossip.port, 4);
    gossip.thread = CreateThread(NULL, 0, gossip_serve, NULL, 0, NULL);
    trio_open(&it, gossip.port, verb, W("/"), 0);
    CHECK(exchange(it.request));
    SetEvent(gossip.received);
    CHECK_EQ(read_body(it.request, text, sizeof(text)), body ? (long)strlen(body) : 0);
    if (body)
        SetEvent(gossip.received);
    CHECK(WinHttpCloseHandle(it.request));
    CHECK_EQ(WaitForSingleObject(gossip.said, 10000), WAIT_OBJECT_0);
    it.request = WinHttpOpenRequest(it.connect, NULL, W("/second"), NULL, NULL, NULL, 0);
    CHECK(exchange(it.request));
    CHECK_EQ(read_body(it.request, text, sizeof(text)), 5);
    CHECK_BYTES(text, 5, "hello");
    trio_close(&it);
    shutdown(gossip.listener, 2);
    CHECK_EQ(WaitForSingleObject(gossip.thread, 10000), WAIT_OBJECT_0);
    CHECK_EQ(gossip.connections, 2);
    CloseHandle(gossip.thread);
    CloseHandle(gossip.received);
    CloseHandle(gossip.said);
    close(gossip.listener);
}

TEST(test_stale__what_nobody_asked_for_is_no_answer)
{
    hear_gossip(W("HEAD"), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", NULL);
    hear_gossip(NULL, "HTTP/1.1 204 None\r\n\r\n", NULL);
    hear_gossip(NULL, "HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n", NULL);
    hear_gossip(NULL, "HTTP/1.1 404 None\r\nContent-Length: 0\r\n\r\n", NULL);
    hear_gossip(NULL, "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", NULL);
    hear_gossip(NULL, "HTTP/1.1 103 Soon\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", NULL);
    /* Read past the connection's own buffer, so that nobody saw what came behind it. */
    hear_gossip(NULL, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", "body");
}

#define ASKS PROXY_WANTS "Proxy-Authenticate: Basic realm=x\r\n\r\nnope"

/* A request through a proxy that asks who it is; without retries, if `retries` is 0. */
static void ask_through(struct trio *it, int port, DWORD flags, int retries)
{
    WINHTTP_PROXY_INFO info = {WINHTTP_ACCESS_TYPE_NAMED_PROXY, NULL, NULL};
    WINHTTP_FAILED_CONNECTION_RETRIES none = {0, 0};
    WCHAR proxy[64];
    char text[64];
    size_t at;
    sprintf(text, "127.0.0.1:%d", port);
    for (at = 0; at <= strlen(text); at++)
        proxy[at] = (WCHAR)text[at];
    info.lpszProxy = proxy;
    it->session = WinHttpOpen(W("test"), WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0);
    REQUIRE(it->session != NULL);
    if (retries == 0)
        CHECK_WORKS(WinHttpSetOption(it->session, WINHTTP_OPTION_FAILED_CONNECTION_RETRIES, &none, sizeof(none)));
    it->connect = WinHttpConnect(it->session, W("far.example"), 80, 0);
    it->request = WinHttpOpenRequest(it->connect, NULL, W("/x"), NULL, NULL, NULL, flags);
    REQUIRE(it->request != NULL);
    CHECK(WinHttpSetOption(it->request, WINHTTP_OPTION_PROXY, &info, sizeof(info)));
    CHECK(WinHttpSetOption(it->request, WINHTTP_OPTION_PROXY_USERNAME, (void *)W("user"), 4));
}

/* The request goes on, whether the end of the connection is noticed before the next leg or only then. */
TEST(test_stale__a_challenge_may_end_its_connection_without_a_word)
{
    static const struct {
        DWORD flags;
        enum after after;
        int retries;
    } rows[] = {{0, CLOSE, -1}, {0, RESET, -1}, {0, CLOSE, 0}, {0, RESET, 0},
                {WINHTTP_FLAG_AUTOMATIC_CHUNKING, CLOSE, 0}, {WINHTTP_FLAG_AUTOMATIC_CHUNKING, RESET, -1}};
    size_t at;
    int times;
    for (at = 0; at < COUNT(rows); at++)
        for (times = 0; times < 5; times++) {
            struct trio it;
            char body[64];
            struct turn turns[] = {{ASKS, rows[at].after}, {OK_HELLO, KEEP}};
            static struct server proxy;
            server_start(&proxy, turns, 2);
            ask_through(&it, proxy.port, rows[at].flags, rows[at].retries);
            CHECK(exchange(it.request));
            CHECK_EQ(status_of(it.request), 200);
            CHECK_EQ(read_body(it.request, body, sizeof(body)), 5);
            trio_close(&it);
            server_end(&proxy);
            CHECK_EQ(proxy.connections, 2);
            CHECK_HAS(proxy.requests[1], "GET http://far.example/x HTTP/1.1\r\n");
            CHECK_HAS(proxy.requests[1], "\r\nProxy-Authorization: Basic ");
        }
}

/* The last chunk goes out before the response is waited for. Whether the receive comes while the completion of the send
 * is still being told (then it is queued behind that) or after it is all the same; the pause makes it after. */
TEST(test_stale__an_asynchronous_request_ends_its_chunks)
{
    struct trio it;
    DWORD_PTR context;
    SERVER(server, {OK_HELLO, CLOSE}, {OK_HELLO, CLOSE}, {OK_HELLO, CLOSE});
    notes_clear(NULL);
    for (context = 31; context < 34; context++) {
        trio_open(&it, server.port, NULL, NULL, WINHTTP_FLAG_ASYNC);
        CHECK(WinHttpCloseHandle(it.request));
        it.request = WinHttpOpenRequest(it.connect, W("POST"), NULL, NULL, NULL, NULL, WINHTTP_FLAG_AUTOMATIC_CHUNKING);
        WinHttpSetStatusCallback(it.request, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
        CHECK(WinHttpSendRequest(it.request, NULL, 0, (void *)"hello", 5, 5, context));
        CHECK(note_wait(context, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
        Sleep(10);
        CHECK(WinHttpReceiveResponse(it.request, NULL));
        CHECK(note_wait(context, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
        trio_close_async(&it, context);
        CHECK_HAS(server.requests[context - 31], "\r\n5\r\nhello\r\n0\r\n\r\n");
    }
    server_end(&server);
}

TEST(test_stale__a_length_that_is_no_number_is_not_sent)
{
    static const WCHAR *const lengths[] = {W("Content-Length: +5"), W("Content-Length: 5, 5"), W("Content-Length: 0x5"),
                                           W("Content-Length: 5\r\nTransfer-Encoding: chunked\r\nContent-Length: +5"),
                                           W("Content-Length: 99999999999999999999")};
    struct trio it;
    size_t at;
    for (at = 0; at < COUNT(lengths); at++) {
        trio_open(&it, 1, W("POST"), NULL, 0);
        CHECK_FAILS(WinHttpSendRequest(it.request, lengths[at], (DWORD)-1, NULL, 0, 0, 0), ERROR_INVALID_PARAMETER);
        trio_close(&it);
    }
}

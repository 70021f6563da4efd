/* WebSockets through proxies: a tunnel by CONNECT, and SOCKS 5; what the proxy sees of them, and what it refuses.
 * gate: not-mingw (poll) gate: thread */
#define _GNU_SOURCE
#include "winhttp_websocket.h"

#include <poll.h>

/* A proxy that leads one connection on to a port of this machine, wherever it is asked to. */
struct relay {
    int port, listener, target;
    HANDLE thread;
    /* Speaks SOCKS instead of HTTP. */
    int socks;
    char asked[2048];
    size_t asked_size;
};

static int relay_listen(int *port)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    int listener = (int)socket(AF_INET, SOCK_STREAM, 0);
    client_address(&address, 0);
    REQUIRE(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(listener, 4) == 0);
    REQUIRE(getsockname(listener, (struct sockaddr *)&address, &size) == 0);
    *port = ntohs(address.sin_port);
    return listener;
}

/* Hears what the client wants, and grants it. */
static int relay_greet(struct relay *it, int peer)
{
    static const char granted[] = "HTTP/1.1 200 Yes\r\n\r\n", connected[] = "\5\0\0\1\0\0\0\0\0\0";
    if (it->socks) {
        if (!ws_take(peer, it->asked, 3) || send(peer, "\5\0", 2, MSG_NOSIGNAL) != 2 || !ws_take(peer, it->asked, 5))
            return 0;
        it->asked_size = 7 + (size_t)it->asked[4];
        return ws_take(peer, it->asked + 5, it->asked_size - 5) &&
               send(peer, connected, sizeof(connected) - 1, MSG_NOSIGNAL) > 0;
    }
    while (!strstr(it->asked, "\r\n\r\n")) {
        long got = (long)recv(peer, it->asked + it->asked_size, sizeof(it->asked) - 1 - it->asked_size, 0);
        if (got <= 0)
            return 0;
        it->asked_size += (size_t)got;
    }
    return send(peer, granted, sizeof(granted) - 1, MSG_NOSIGNAL) > 0;
}

static DWORD WINAPI relay_run(void *argument)
{
    struct relay *it = argument;
    struct sockaddr_in address;
    struct pollfd ends[2] = {{-1, POLLIN, 0}, {-1, POLLIN, 0}};
    char room[4096];
    int peer = (int)accept(it->listener, NULL, NULL), server = -1, at;
    if (peer < 0 || !relay_greet(it, peer))
        goto out;
    server = (int)socket(AF_INET, SOCK_STREAM, 0);
    client_address(&address, it->target);
    if (connect(server, (struct sockaddr *)&address, sizeof(address)) != 0)
        goto out;
    ends[0].fd = peer;
    ends[1].fd = server;
    while (poll(ends, 2, 10000) > 0)
        for (at = 0; at < 2; at++)
            if (ends[at].revents) {
                long got = (long)recv(ends[at].fd, room, sizeof(room), 0);
                if (got <= 0 || send(ends[!at].fd, room, (size_t)got, MSG_NOSIGNAL) < 0)
                    goto out;
            }
out:
    if (peer >= 0)
        close(peer);
    if (server >= 0)
        close(server);
    return 0;
}

static void relay_start(struct relay *it, int target)
{
    it->listener = relay_listen(&it->port);
    it->target = target;
    it->thread = CreateThread(NULL, 0, relay_run, it, 0, NULL);
}

static void relay_end(struct relay *it)
{
    shutdown(it->listener, 2);
    CHECK_EQ(WaitForSingleObject(it->thread, 10000), WAIT_OBJECT_0);
    CloseHandle(it->thread);
    close(it->listener);
}

static const WCHAR *wide(const char *format, int port)
{
    static WCHAR room[128];
    char text[128];
    size_t at = 0;
    snprintf(text, sizeof(text), format, port);
    do
        room[at] = (WCHAR)text[at];
    while (text[at++]);
    return room;
}

static void open_through(struct trio *it, const WCHAR *proxy, DWORD flags)
{
    it->session = WinHttpOpen(W("test"), WINHTTP_ACCESS_TYPE_NAMED_PROXY, proxy, NULL, flags);
    REQUIRE(it->session != NULL);
    it->connect = WinHttpConnect(it->session, W("far.example"), 81, 0);
    it->request = WinHttpOpenRequest(it->connect, NULL, W("/chat"), NULL, NULL, NULL, 0);
    REQUIRE(it->request != NULL);
}

static void talk(struct relay *relay, const char *proxy, struct ws_server *server)
{
    struct trio it;
    HINTERNET ws;
    relay_start(relay, server->port);
    open_through(&it, wide(proxy, relay->port), 0);
    REQUIRE(ws_ask(it.request));
    CHECK_EQ(status_of(it.request), 101);
    ws = WinHttpWebSocketCompleteUpgrade(it.request, 0);
    REQUIRE(ws != NULL);
    CHECK_EQ(WinHttpWebSocketSend(ws, TEXT_ALL, "Hello", 5), 0);
    CHECK_MESSAGE(ws, TEXT_ALL, "World");
    CHECK_EQ(WinHttpWebSocketClose(ws, 1000, NULL, 0), 0);
    CHECK(WinHttpCloseHandle(ws));
    trio_close(&it);
    relay_end(relay);
    CHECK_HAS(server->request, "GET /chat HTTP/1.1\r\n");
    CHECK_HAS(server->request, "\r\nHost: far.example:81\r\n");
    CHECK_HAS(server->request, "\r\nUpgrade: websocket\r\n");
    CHECK_LACKS(server->request, "Proxy-");
}

#define CONVERSATION HEAR(0x81, "Hello"), SAY("\x81\x05World"), HEAR(0x88, "\x03\xE8"), SAY("\x88\x02\x03\xE8"), END

TEST(test_proxy_ws__by_a_tunnel)
{
    struct relay relay = {0};
    WS_SERVER(server, CONVERSATION);
    talk(&relay, "127.0.0.1:%d", &server);
    CHECK_HAS(relay.asked, "CONNECT far.example:81 HTTP/1.1\r\n");
    CHECK_LACKS(relay.asked, "Sec-WebSocket");
    ws_end(&server);
}

TEST(test_proxy_ws__by_socks)
{
    struct relay relay = {.socks = 1};
    WS_SERVER(server, CONVERSATION);
    talk(&relay, "socks5h://127.0.0.1:%d", &server);
    CHECK(relay.asked_size == 18 && !memcmp(relay.asked, "\5\1\0\3\13far.example\0\x51", 18));
    ws_end(&server);
}

TEST(test_proxy_ws__without_waiting)
{
    struct relay relay = {0};
    struct trio it;
    HINTERNET ws;
    DWORD_PTR context = 4;
    static char room[64];
    WS_SERVER(server, HEAR(0x81, "Hello"), SAY("\x81\x05World"), END);
    notes_clear(NULL);
    relay_start(&relay, server.port);
    open_through(&it, wide("127.0.0.1:%d", relay.port), WINHTTP_FLAG_ASYNC);
    CHECK(WinHttpSetStatusCallback(it.request, record, WINHTTP_CALLBACK_FLAG_ALL_COMPLETIONS, 0) == NULL);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, NULL, 0));
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    REQUIRE(note_wait(4, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    REQUIRE(note_wait(4, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
    CHECK_EQ(status_of(it.request), 101);
    ws = WinHttpWebSocketCompleteUpgrade(it.request, 4);
    REQUIRE(ws != NULL);
    CHECK_EQ(WinHttpWebSocketReceive(ws, room, sizeof(room), NULL, NULL), 0);
    CHECK_EQ(WinHttpWebSocketSend(ws, TEXT_ALL, "Hello", 5), 0);
    REQUIRE(note_wait(4, WINHTTP_CALLBACK_STATUS_READ_COMPLETE, 1));
    CHECK_BYTES(room, 5, "World");
    CHECK(WinHttpCloseHandle(ws));
    CHECK(WinHttpCloseHandle(it.request));
    CHECK(WinHttpCloseHandle(it.connect));
    CHECK(WinHttpCloseHandle(it.session));
    relay_end(&relay);
    ws_end(&server);
}

TEST(test_proxy_ws__a_proxy_that_refuses)
{
    struct trio it;
    DWORD is = 0, size = sizeof(is);
    SERVER(proxy, {"HTTP/1.1 407 Who\r\nContent-Length: 4\r\n\r\nlost", KEEP}, {"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n", KEEP},
           {"HTTP/1.1 101 No\r\n\r\nHTTP/1.1 503 No\r\n\r\n", CLOSE});
    open_through(&it, wide("127.0.0.1:%d", proxy.port), 0);
    REQUIRE(ws_ask(it.request));
    CHECK_EQ(status_of(it.request), 407);
    CHECK_WORKS(WinHttpQueryOption(it.request, WINHTTP_OPTION_IS_PROXY_CONNECT_RESPONSE, &is, &size));
    CHECK_EQ(is, TRUE);
    CHECK_FAILS(WinHttpWebSocketCompleteUpgrade(it.request, 0), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_FAILS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0), ERROR_WINHTTP_CANNOT_CONNECT);
    CHECK_FAILS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0), ERROR_WINHTTP_CANNOT_CONNECT);
    trio_close(&it);
    server_end(&proxy);
}

/* WebSockets, synchronous: the handshake and what is wrong with one, every function with every error, frames as they go
 * and come, two directions at once, the end. */
#include "winhttp_websocket.h"

#define BYE SAY("\x88\x02\x03\xE8")

static struct note created;

static void CALLBACK keep_created(HINTERNET handle, DWORD_PTR context, DWORD status, LPVOID information, DWORD length)
{
    if (status == WINHTTP_CALLBACK_STATUS_HANDLE_CREATED) {
        created.handle = *(HINTERNET *)information;
        created.context = context;
        created.thread = GetCurrentThreadId();
        CHECK_EQ(length, sizeof(HINTERNET));
        CHECK(handle != created.handle);
    } else if (status == WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING)
        created.number++;
}

TEST(test_ws__handshake_and_handles)
{
    struct trio it;
    HINTERNET ws;
    DWORD number = 7, size = sizeof(number);
    DWORD_PTR context = 5;
    USHORT status;
    WINHTTP_WEB_SOCKET_BUFFER_TYPE type;
    char byte;
    WS_SERVER(server, HEAR(0x81, "Hello"), SAY("\x81\x05Hello"), HEAR(0x88, "\x03\xE8" "bye"), BYE, END);
    memset(&created, 0, sizeof(created));
    trio_open(&it, server.port, NULL, W("/chat"), 0);
    CHECK_FAILS(WinHttpWebSocketCompleteUpgrade(it.request, 0), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK(WinHttpSetStatusCallback(it.request, keep_created, WINHTTP_CALLBACK_FLAG_HANDLES, 0) == NULL);
    CHECK_WORKS(WinHttpSetOption(it.request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
    CHECK_WORKS(ws_ask(it.request));
    CHECK_EQ(status_of(it.request), 101);
    CHECK_HAS(server.request, "GET /chat HTTP/1.1\r\n");
    CHECK_HAS(server.request, "\r\nUpgrade: websocket\r\n");
    CHECK_HAS(server.request, "\r\nConnection: Upgrade\r\n");
    CHECK_HAS(server.request, "\r\nSec-WebSocket-Version: 13\r\n");
    CHECK_HAS(server.request, "\r\nSec-WebSocket-Key: ");
    CHECK_LACKS(server.request, "Sec-WebSocket-Extensions");
    CHECK_WORKS(WinHttpQueryDataAvailable(it.request, &number));
    CHECK_EQ(number, 0);
    number = 7;
    CHECK_WORKS(WinHttpReadData(it.request, &byte, 1, &number));
    CHECK_EQ(number, 0);
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, NULL, 0),
                ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    SetLastError(0xdeadbeef);
    ws = WinHttpWebSocketCompleteUpgrade(it.request, 77);
    REQUIRE(ws != NULL);
    CHECK_EQ(GetLastError(), 0);
    CHECK(created.handle == ws);
    CHECK_EQ(created.context, 5);
    CHECK_EQ(created.thread, GetCurrentThreadId());
    CHECK_FAILS(WinHttpWebSocketCompleteUpgrade(it.request, 0), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_FAILS(WinHttpWebSocketCompleteUpgrade(it.connect, 0), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpWebSocketCompleteUpgrade(ws, 0), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpWebSocketCompleteUpgrade(NULL, 0), ERROR_INVALID_HANDLE);
    CHECK_WORKS(WinHttpQueryDataAvailable(it.request, &number));
    CHECK_EQ(number, 0);
    CHECK_WORKS(WinHttpReadData(it.request, &byte, 1, &number));
    CHECK_EQ(number, 0);
    CHECK_FAILS(WinHttpReceiveResponse(it.request, NULL), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_FAILS(WinHttpWriteData(it.request, &byte, 1, &number), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_EQ(status_of(it.request), 101);
    CHECK(WinHttpQueryOption(ws, WINHTTP_OPTION_HANDLE_TYPE, &number, &size));
    /* WINHTTP_HANDLE_TYPE_WEBSOCKET, which not every header has. */
    CHECK_EQ(number, 5);
    size = sizeof(context);
    CHECK(WinHttpQueryOption(ws, WINHTTP_OPTION_CONTEXT_VALUE, &context, &size));
    CHECK_EQ(context, 77);
    CHECK(WinHttpQueryOption(ws, WINHTTP_OPTION_PARENT_HANDLE, &context, &size));
    CHECK_EQ(context, (DWORD_PTR)it.request);
    size = sizeof(number);
    CHECK_FAILS(WinHttpQueryHeaders(ws, WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER, NULL, &number, &size, NULL),
                ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpQueryDataAvailable(ws, &number), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpSendRequest(ws, NULL, 0, NULL, 0, 0, 0), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpReceiveResponse(ws, NULL), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpWriteData(ws, &byte, 1, &number), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpReadData(ws, &byte, 1, &number), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpAddRequestHeaders(ws, W("A: b"), (DWORD)-1, WINHTTP_ADDREQ_FLAG_ADD), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpSetTimeouts(ws, 1, 1, 1, 1), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    /* The functions return their error, and leave the last error alone. */
    SetLastError(0xdeadbeef);
    CHECK_EQ(WinHttpWebSocketSend(it.request, BINARY, NULL, 0), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_EQ(WinHttpWebSocketReceive(it.request, &byte, 1, &number, &type), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_EQ(WinHttpWebSocketShutdown(it.request, 1000, NULL, 0), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_EQ(WinHttpWebSocketClose(it.request, 1000, NULL, 0), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_EQ(WinHttpWebSocketQueryCloseStatus(it.request, &status, NULL, 0, &number), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_EQ(WinHttpWebSocketSend(NULL, BINARY, NULL, 0), ERROR_INVALID_HANDLE);
    CHECK_EQ(WinHttpWebSocketReceive(NULL, &byte, 1, &number, &type), ERROR_INVALID_HANDLE);
    CHECK_EQ(WinHttpWebSocketShutdown(NULL, 1000, NULL, 0), ERROR_INVALID_HANDLE);
    CHECK_EQ(WinHttpWebSocketClose(NULL, 1000, NULL, 0), ERROR_INVALID_HANDLE);
    CHECK_EQ(WinHttpWebSocketQueryCloseStatus(NULL, &status, NULL, 0, &number), ERROR_INVALID_HANDLE);
    CHECK_EQ(GetLastError(), 0xdeadbeef);
    /* The socket lives on when everything before it is closed. */
    trio_close(&it);
    CHECK_EQ(created.number, 1);
    CHECK_EQ(WinHttpWebSocketSend(ws, TEXT_ALL, (void *)"Hello", 5), 0);
    CHECK_MESSAGE(ws, TEXT_ALL, "Hello");
    CHECK_EQ(WinHttpWebSocketClose(ws, 1000, (void *)"bye", 3), 0);
    CHECK(WinHttpCloseHandle(ws));
    CHECK_EQ(created.number, 2);
    CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, NULL, 0), ERROR_INVALID_HANDLE);
    CHECK_FAILS(WinHttpCloseHandle(ws), ERROR_INVALID_HANDLE);
    ws_end(&server);
}

#define HEAD101 "HTTP/1.1 101 Switching Protocols\r\n"

/* What is wrong with a 101. */
TEST(test_ws__answers_that_do_not_fit)
{
    static const char *const heads[] = {
        HEAD101 "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n%.0s",
        HEAD101 "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x%s\r\n\r\n",
        HEAD101 "Upgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n",
        HEAD101 "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
        HEAD101 "Upgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
        HEAD101 "Upgrade: websocket\r\nConnection: close\r\nSec-WebSocket-Accept: %s\r\n\r\n",
        HEAD101 "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: x\r\n\r\n",
        HEAD101 "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"
                "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
    };
    size_t at;
    for (at = 0; at < COUNT(heads); at++) {
        struct play play = STEPS(END);
        struct ws_server server;
        struct trio it;
        play.head = heads[at];
        ws_start(&server, &play, 1);
        trio_open(&it, server.port, NULL, NULL, 0);
        CHECK_FAILS(ws_ask(it.request), ERROR_WINHTTP_INVALID_SERVER_RESPONSE);
        CHECK_FAILS(WinHttpWebSocketCompleteUpgrade(it.request, 0), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
        trio_close(&it);
        ws_end(&server);
    }
}

TEST(test_ws__answers_that_fit)
{
    static const struct play plays[] = {
        {HEAD101 "upgrade: WebSocket\r\nconnection: keep-alive, UPGRADE\r\nSec-Websocket-Accept:  %s \r\n"
                 "Sec-WebSocket-Protocol: superchat\r\n\r\n",
         {END}, 1},
        {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno%.0s", {END}, 1},
        {NULL, {SAY("\x82\x03one"), HEAR(0x82, "1")}, 2},
        {NULL, {SAY("\x82\x03two"), HEAR(0x82, "2")}, 2},
    };
    struct ws_server server;
    struct trio it;
    HINTERNET first, second;
    char text[8], key[256];
    ws_start(&server, plays, 4);
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(WinHttpAddRequestHeaders(it.request, W("Sec-WebSocket-Protocol: chat, superchat"), (DWORD)-1, WINHTTP_ADDREQ_FLAG_ADD));
    CHECK_WORKS(ws_ask(it.request));
    CHECK_HAS(server.request, "Sec-WebSocket-Protocol: chat, superchat\r\n");
    memcpy(key, strstr(server.request, "Sec-WebSocket-Key: "), 43);
    key[43] = 0;
    /* Never completed; the next send gives it up. Any other answer is an ordinary one. */
    CHECK_WORKS(exchange(it.request));
    CHECK_EQ(status_of(it.request), 200);
    CHECK_EQ(read_body(it.request, text, sizeof(text)), 2);
    CHECK(!strstr(server.request, key));
    CHECK_FAILS(WinHttpWebSocketCompleteUpgrade(it.request, 0), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    /* One request, two sockets, which know nothing of each other. */
    CHECK_WORKS(exchange(it.request));
    first = WinHttpWebSocketCompleteUpgrade(it.request, 0);
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    /* The server plays one script after another. */
    CHECK_EQ(WinHttpWebSocketSend(first, BINARY, (void *)"1", 1), 0);
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    second = WinHttpWebSocketCompleteUpgrade(it.request, 0);
    CHECK(first && second && first != second);
    CHECK_EQ(WinHttpWebSocketSend(second, BINARY, (void *)"2", 1), 0);
    CHECK_MESSAGE(second, BINARY, "two");
    CHECK_MESSAGE(first, BINARY, "one");
    CHECK(WinHttpCloseHandle(first));
    CHECK(WinHttpCloseHandle(second));
    trio_close(&it);
    ws_end(&server);
}

/* A socket that is never completed ends with its request, and its connection serves nobody else. */
TEST(test_ws__an_upgrade_that_is_not_completed)
{
    static const struct play plays[] = {STEPS(END), STEPS(END)};
    struct ws_server server;
    int at;
    ws_start(&server, plays, 2);
    for (at = 0; at < 2; at++) {
        struct trio it;
        trio_open(&it, server.port, NULL, NULL, 0);
        CHECK_WORKS(ws_ask(it.request));
        CHECK_EQ(status_of(it.request), 101);
        trio_close(&it);
    }
    CHECK_EQ(WaitForSingleObject(server.ended, 10000), WAIT_OBJECT_0);
    ws_end(&server);
    CHECK_EQ(server.heard, 0);
}

/* A proxy is passed through a tunnel: it would take the fields of the upgrade for its own. */
TEST(test_ws__through_a_proxy)
{
    static const struct play play = {
        "HTTP/1.1 200 OK\r\n\r\n%.0s",
        {AWAIT,
         SAY("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x02hi"),
         END},
        3};
    struct ws_server server;
    struct trio it;
    HINTERNET ws;
    WCHAR address[64];
    WINHTTP_PROXY_INFO proxy = {WINHTTP_ACCESS_TYPE_NAMED_PROXY, address, NULL};
    char text[64];
    int at;
    ws_start(&server, &play, 1);
    sprintf(text, "127.0.0.1:%d", server.port);
    for (at = 0; at == 0 || text[at - 1]; at++)
        address[at] = (WCHAR)text[at];
    it.session = WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0);
    CHECK_WORKS(WinHttpSetOption(it.session, WINHTTP_OPTION_PROXY, &proxy, sizeof(proxy)));
    it.connect = WinHttpConnect(it.session, W("elsewhere.test"), 80, 0);
    it.request = WinHttpOpenRequest(it.connect, NULL, NULL, NULL, NULL, NULL, 0);
    CHECK_WORKS(WinHttpAddRequestHeaders(it.request, W("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), (DWORD)-1, WINHTTP_ADDREQ_FLAG_ADD));
    CHECK_WORKS(WinHttpSetOption(it.request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, NULL, 0));
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK_HAS(server.request, "CONNECT elsewhere.test:80 HTTP/1.1\r\n");
    SetEvent(server.go);
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    ws = WinHttpWebSocketCompleteUpgrade(it.request, 0);
    REQUIRE(ws != NULL);
    CHECK_MESSAGE(ws, TEXT_ALL, "hi");
    CHECK(WinHttpCloseHandle(ws));
    trio_close(&it);
    ws_end(&server);
}

TEST(test_ws__options)
{
    struct trio it;
    HINTERNET ws;
    DWORD value = 0, size = sizeof(value), at;
    static const DWORD sizes[] = {WINHTTP_OPTION_WEB_SOCKET_RECEIVE_BUFFER_SIZE, WINHTTP_OPTION_WEB_SOCKET_SEND_BUFFER_SIZE};
    WS_SERVER(server, END);
    trio_open(&it, server.port, NULL, NULL, 0);
    for (at = 0; at < COUNT(sizes); at++) {
        HINTERNET later;
        CHECK_WORKS(WinHttpQueryOption(it.session, sizes[at], &value, &size));
        CHECK_EQ(value, 32768);
        value = 4096 + at;
        CHECK_WORKS(WinHttpSetOption(it.session, sizes[at], &value, sizeof(value)));
        CHECK_WORKS(WinHttpQueryOption(it.request, sizes[at], &value, &size));
        CHECK_EQ(value, 32768);
        later = WinHttpOpenRequest(it.connect, NULL, NULL, NULL, NULL, NULL, 0);
        CHECK_WORKS(WinHttpQueryOption(later, sizes[at], &value, &size));
        CHECK_EQ(value, 4096 + at);
        CHECK(WinHttpCloseHandle(later));
        CHECK_WORKS(WinHttpSetOption(it.request, sizes[at], &value, sizeof(value)));
        CHECK_FAILS(WinHttpSetOption(it.connect, sizes[at], &value, sizeof(value)), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        CHECK_FAILS(WinHttpQueryOption(it.connect, sizes[at], &value, &size), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        CHECK_FAILS(WinHttpSetOption(it.request, sizes[at], &value, 3), ERROR_INSUFFICIENT_BUFFER);
        CHECK_FAILS(WinHttpSetOption(it.request, sizes[at], NULL, 4), ERROR_INVALID_PARAMETER);
        size = 3;
        CHECK_FAILS(WinHttpQueryOption(it.request, sizes[at], &value, &size), ERROR_INSUFFICIENT_BUFFER);
        CHECK_EQ(size, 4);
    }
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, NULL, 0), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpSetOption(it.connect, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, NULL, 0), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpQueryOption(it.request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, &value, &size), ERROR_INVALID_PARAMETER);
    value = 20000;
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_WEB_SOCKET_KEEPALIVE_INTERVAL, &value, 4), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_WEB_SOCKET_KEEPALIVE_INTERVAL, &value, 4), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpQueryOption(it.request, WINHTTP_OPTION_WEB_SOCKET_KEEPALIVE_INTERVAL, &value, &size), ERROR_INVALID_PARAMETER);
    CHECK_WORKS(WinHttpQueryOption(it.request, WINHTTP_OPTION_WEB_SOCKET_CLOSE_TIMEOUT, &value, &size));
    CHECK_EQ(value, 10000);
    CHECK_FAILS(WinHttpQueryOption(it.session, WINHTTP_OPTION_WEB_SOCKET_CLOSE_TIMEOUT, &value, &size),
                ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    value = 5000;
    CHECK_WORKS(WinHttpSetOption(it.request, WINHTTP_OPTION_WEB_SOCKET_CLOSE_TIMEOUT, &value, 4));
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_WEB_SOCKET_CLOSE_TIMEOUT, &value, 4), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpSetOption(it.connect, WINHTTP_OPTION_WEB_SOCKET_CLOSE_TIMEOUT, &value, 4), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    /* A send buffer that holds no frame is noticed when the request is sent. */
    CHECK_WORKS(WinHttpSetOption(it.request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, NULL, 0));
    value = 15;
    CHECK_WORKS(WinHttpSetOption(it.request, WINHTTP_OPTION_WEB_SOCKET_SEND_BUFFER_SIZE, &value, 4));
    CHECK_FAILS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0), ERROR_NOT_ENOUGH_MEMORY);
    value = 16;
    CHECK_WORKS(WinHttpSetOption(it.request, WINHTTP_OPTION_WEB_SOCKET_SEND_BUFFER_SIZE, &value, 4));
    CHECK_WORKS(exchange(it.request));
    ws = WinHttpWebSocketCompleteUpgrade(it.request, 0);
    REQUIRE(ws != NULL);
    CHECK_WORKS(WinHttpQueryOption(ws, WINHTTP_OPTION_WEB_SOCKET_CLOSE_TIMEOUT, &value, &size));
    CHECK_EQ(value, 5000);
    value = 6000;
    CHECK_WORKS(WinHttpSetOption(ws, WINHTTP_OPTION_WEB_SOCKET_CLOSE_TIMEOUT, &value, 4));
    CHECK_WORKS(WinHttpQueryOption(ws, WINHTTP_OPTION_WEB_SOCKET_CLOSE_TIMEOUT, &value, &size));
    CHECK_EQ(value, 6000);
    CHECK_FAILS(WinHttpSetOption(ws, WINHTTP_OPTION_WEB_SOCKET_CLOSE_TIMEOUT, &value, 8), ERROR_INSUFFICIENT_BUFFER);
    value = 15000;
    CHECK_WORKS(WinHttpSetOption(ws, WINHTTP_OPTION_WEB_SOCKET_KEEPALIVE_INTERVAL, &value, 4));
    value = 14999;
    CHECK_FAILS(WinHttpSetOption(ws, WINHTTP_OPTION_WEB_SOCKET_KEEPALIVE_INTERVAL, &value, 4), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSetOption(ws, WINHTTP_OPTION_WEB_SOCKET_KEEPALIVE_INTERVAL, &value, 2), ERROR_INSUFFICIENT_BUFFER);
    CHECK_FAILS(WinHttpSetOption(ws, WINHTTP_OPTION_WEB_SOCKET_KEEPALIVE_INTERVAL, NULL, 4), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpQueryOption(ws, WINHTTP_OPTION_WEB_SOCKET_KEEPALIVE_INTERVAL, &value, &size), ERROR_INVALID_PARAMETER);
    for (at = 0; at < COUNT(sizes); at++) {
        CHECK_FAILS(WinHttpSetOption(ws, sizes[at], &value, 4), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        CHECK_FAILS(WinHttpQueryOption(ws, sizes[at], &value, &size), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    }
    CHECK_FAILS(WinHttpSetOption(ws, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, NULL, 0), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpSetOption(ws, WINHTTP_OPTION_RECEIVE_TIMEOUT, &value, 4), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpQueryOption(ws, WINHTTP_OPTION_URL, NULL, &size), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK(WinHttpCloseHandle(ws));
    trio_close(&it);
    ws_end(&server);
}

TEST(test_ws__what_is_sent)
{
    struct trio it;
    HINTERNET ws;
    static char large[100000];
    WS_SERVER(server, HEAR(0x82, ""), HEAR(0x01, "a"), HEAR(0x00, ""), HEAR(0x80, "b"), HEAR(0x02, "c"), HEAR(0x80, ""),
              HEAR(0x81, "\xCE\xBA"), SKIP, HEAR(0x82, "z"), HEAR(0x88, ""), BYE, END);
    memset(large, 'x', sizeof(large));
    ws = ws_open(&it, server.port);
    CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, NULL, 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpWebSocketSend(ws, CLOSE_TYPE, NULL, 0), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpWebSocketSend(ws, (WINHTTP_WEB_SOCKET_BUFFER_TYPE)5, NULL, 0), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpWebSocketSend(ws, (WINHTTP_WEB_SOCKET_BUFFER_TYPE)-1, NULL, 0), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, NULL, 0), 0);
    CHECK_EQ(WinHttpWebSocketSend(ws, TEXT_PART, (void *)"a", 1), 0);
    CHECK_EQ(WinHttpWebSocketSend(ws, BINARY_PART, (void *)"x", 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, (void *)"x", 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpWebSocketSend(ws, TEXT_PART, NULL, 0), 0);
    CHECK_EQ(WinHttpWebSocketSend(ws, TEXT_ALL, (void *)"b", 1), 0);
    CHECK_EQ(WinHttpWebSocketSend(ws, BINARY_PART, (void *)"c", 1), 0);
    CHECK_EQ(WinHttpWebSocketSend(ws, TEXT_ALL, (void *)"x", 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, NULL, 0), 0);
    /* Text that is none goes nowhere, and does not harm what follows. */
    CHECK_EQ(WinHttpWebSocketSend(ws, TEXT_ALL, (void *)"\xCE", 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpWebSocketSend(ws, TEXT_PART, (void *)"\xFF", 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpWebSocketSend(ws, TEXT_ALL, (void *)"\xCE\xBA", 2), 0);
    CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, large, sizeof(large)), 0);
    CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, (void *)"z", 1), 0);
    CHECK_EQ(WinHttpWebSocketClose(ws, WINHTTP_WEB_SOCKET_EMPTY_CLOSE_STATUS, NULL, 0), 0);
    CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, NULL, 0), ERROR_INVALID_OPERATION);
    trio_close(&it);
    ws_end(&server);
}

TEST(test_ws__what_is_received)
{
    struct trio it;
    HINTERNET ws;
    char text[16];
    DWORD got = 7, at;
    WINHTTP_WEB_SOCKET_BUFFER_TYPE type = CLOSE_TYPE;
    static const struct {
        const char *text;
        WINHTTP_WEB_SOCKET_BUFFER_TYPE type;
    } pieces[] = {{"abcd", TEXT_PART}, {"ef", TEXT_ALL}, {"gh", TEXT_PART}, {"", TEXT_PART}, {"ijkl", TEXT_ALL},
                  {"", TEXT_ALL},      {"mnop", BINARY_PART}, {"q", BINARY},  {"rstu", BINARY}};
    /* Bytes that come with the 101 are kept; pings are answered in passing. */
    WS_SERVER(server,
              SAY("\x81\x06" "abcdef" "\x01\x02gh" "\x89\x02?!" "\x00\x00" "\x80\x04ijkl" "\x8A\x00" "\x81\x00"
                  "\x82\x05mnopq" "\x82\x04rstu" "\x88\x05\x0F\xA0why"),
              HEAR(0x8A, "?!"), HEAR(0x88, "\x03\xE8"), END);
    ws = ws_open(&it, server.port);
    CHECK_EQ(WinHttpWebSocketReceive(ws, NULL, 4, &got, &type), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpWebSocketReceive(ws, text, 0, &got, &type), ERROR_INVALID_PARAMETER);
    CHECK_EQ(got, 7);
    for (at = 0; at < COUNT(pieces); at++) {
        CHECK_EQ(WinHttpWebSocketReceive(ws, text, 4, &got, &type), 0);
        CHECK_BYTES(text, got, pieces[at].text);
        CHECK_EQ(type, pieces[at].type);
    }
    CHECK_EQ(WinHttpWebSocketReceive(ws, text, 4, NULL, NULL), 0);
    got = 7;
    CHECK_EQ(WinHttpWebSocketReceive(ws, text, 4, &got, &type), ERROR_INVALID_OPERATION);
    CHECK_EQ(got, 7);
    CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, NULL, 0), ERROR_INVALID_OPERATION);
    /* The answer to the server's close frame. */
    CHECK_EQ(WinHttpWebSocketShutdown(ws, 1000, NULL, 0), 0);
    CHECK_EQ(WinHttpWebSocketShutdown(ws, 1000, NULL, 0), ERROR_INVALID_OPERATION);
    CHECK_EQ(WinHttpWebSocketClose(ws, 1000, NULL, 0), 0);
    CHECK_EQ(WinHttpWebSocketClose(ws, 1000, NULL, 0), ERROR_INVALID_OPERATION);
    trio_close(&it);
    ws_end(&server);
}

TEST(test_ws__close_status)
{
    struct trio it;
    HINTERNET ws;
    char text[8] = "";
    USHORT status = 7;
    DWORD used = 7;
    WS_SERVER(server, AWAIT, SAY("\x88\x05\x0F\xA0why"), SKIP, END);
    ws = ws_open(&it, server.port);
    CHECK_EQ(WinHttpWebSocketQueryCloseStatus(ws, &status, text, 8, &used), ERROR_INVALID_OPERATION);
    CHECK(status == 7 && used == 7);
    SetEvent(server.go);
    CHECK_MESSAGE(ws, CLOSE_TYPE, "");
    CHECK_EQ(WinHttpWebSocketQueryCloseStatus(ws, NULL, text, 8, &used), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpWebSocketQueryCloseStatus(ws, &status, text, 8, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpWebSocketQueryCloseStatus(ws, &status, NULL, 8, &used), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpWebSocketQueryCloseStatus(ws, &status, NULL, 0, &used), ERROR_INSUFFICIENT_BUFFER);
    CHECK(status == 4000 && used == 3);
    CHECK_EQ(WinHttpWebSocketQueryCloseStatus(ws, &status, text, 2, &used), ERROR_INSUFFICIENT_BUFFER);
    CHECK(status == 4000 && used == 3 && text[0] == 0);
    CHECK_EQ(WinHttpWebSocketQueryCloseStatus(ws, &status, text, 3, &used), 0);
    CHECK_BYTES(text, used, "why");
    CHECK_EQ(WinHttpWebSocketClose(ws, 1000, NULL, 0), 0);
    CHECK_EQ(WinHttpWebSocketQueryCloseStatus(ws, &status, text, 8, &used), 0);
    trio_close(&it);
    ws_end(&server);
}

TEST(test_ws__shutdown_then_close)
{
    struct trio it;
    HINTERNET ws;
    char reason[124];
    USHORT status;
    DWORD used, at;
    static const USHORT bad[] = {0, 999, 1004, 1006, 1015, 2999, 5000};
    /* Data after our close frame are not an error, and an empty close frame is one. */
    WS_SERVER(server, HEAR(0x88, "\x0B\xB8" "enough"), SAY("\x81\x04late" "\x82\x01x" "\x88\x00"), END);
    memset(reason, 'r', sizeof(reason));
    ws = ws_open(&it, server.port);
    for (at = 0; at < COUNT(bad); at++) {
        CHECK_EQ(WinHttpWebSocketShutdown(ws, bad[at], NULL, 0), ERROR_INVALID_PARAMETER);
        CHECK_EQ(WinHttpWebSocketClose(ws, bad[at], NULL, 0), ERROR_INVALID_PARAMETER);
    }
    CHECK_EQ(WinHttpWebSocketShutdown(ws, 1000, NULL, 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpWebSocketShutdown(ws, 1000, reason, 124), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpWebSocketShutdown(ws, 1005, reason, 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpWebSocketShutdown(ws, 1000, (void *)"\xFF", 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpWebSocketClose(ws, 1000, NULL, 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpWebSocketClose(ws, 1000, reason, 124), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpWebSocketShutdown(ws, 3000, (void *)"enough", 6), 0);
    CHECK_EQ(WinHttpWebSocketShutdown(ws, 3000, NULL, 0), ERROR_INVALID_OPERATION);
    CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, NULL, 0), ERROR_INVALID_OPERATION);
    CHECK_MESSAGE(ws, TEXT_ALL, "late");
    CHECK_EQ(WinHttpWebSocketClose(ws, 1000, NULL, 0), 0);
    CHECK_EQ(WinHttpWebSocketReceive(ws, reason, 1, &used, NULL), ERROR_INVALID_OPERATION);
    CHECK_EQ(WinHttpWebSocketQueryCloseStatus(ws, &status, NULL, 0, &used), 0);
    CHECK(status == WINHTTP_WEB_SOCKET_EMPTY_CLOSE_STATUS && used == 0);
    trio_close(&it);
    ws_end(&server);
    /* After the close frame and what was before it there is nothing. */
    CHECK_EQ(server.heard, 0);
}

/* Every status that may be said, with the longest reason there can be; the server says the same. */
TEST(test_ws__statuses_and_reasons_that_pass)
{
    static const USHORT good[] = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 4999};
    size_t at;
    for (at = 0; at < COUNT(good); at++) {
        char payload[125], frame[127], reason[128];
        struct play play = STEPS(SKIP, SKIP, END);
        struct ws_server server;
        struct trio it;
        HINTERNET ws;
        USHORT status = 0;
        DWORD used = 0;
        memset(payload, 'r', sizeof(payload));
        payload[0] = (char)(good[at] >> 8), payload[1] = (char)good[at];
        frame[0] = (char)0x88, frame[1] = 125;
        memcpy(frame + 2, payload, sizeof(payload));
        play.steps[0].act = HEARS, play.steps[0].first = 0x88;
        play.steps[0].bytes = payload, play.steps[0].size = sizeof(payload);
        play.steps[1].act = SAYS, play.steps[1].bytes = frame, play.steps[1].size = sizeof(frame);
        ws_start(&server, &play, 1);
        ws = ws_open(&it, server.port);
        if (at % 2) {
            CHECK_EQ(WinHttpWebSocketShutdown(ws, good[at], payload + 2, 123), 0);
            CHECK_MESSAGE(ws, CLOSE_TYPE, "");
        } else
            CHECK_EQ(WinHttpWebSocketClose(ws, good[at], payload + 2, 123), 0);
        CHECK_EQ(WinHttpWebSocketQueryCloseStatus(ws, &status, reason, 122, &used), ERROR_INSUFFICIENT_BUFFER);
        CHECK(status == good[at] && used == 123);
        CHECK_EQ(WinHttpWebSocketQueryCloseStatus(ws, &status, reason, 123, &used), 0);
        CHECK(status == good[at] && used == 123 && memcmp(reason, payload + 2, 123) == 0);
        trio_close(&it);
        ws_end(&server);
    }
}

/* Every way for a server to break the rules, and the close frame it gets. */
TEST(test_ws__protocol_errors)
{
    static const struct {
        struct step frame;
        const char *answer;
    } faults[] = {
        {SAY("\xC1\x00"), "\x03\xEA"},
        {SAY("\x83\x00"), "\x03\xEA"},
        {SAY("\x8B\x00"), "\x03\xEA"},
        {SAY("\x81\x80mask"), "\x03\xEA"},
        {SAY("\x09\x00"), "\x03\xEA"},
        {SAY("\x89\x7E\x00\x7E"), "\x03\xEA"},
        {SAY("\x82\x7E\x00\x01x"), "\x03\xEA"},
        {SAY("\x80\x00"), "\x03\xEA"},
        {SAY("\x01\x00\x01\x00"), "\x03\xEA"},
        {SAY("\x88\x01x"), "\x03\xEA"},
        {SAY("\x88\x02\x03\xEE"), "\x03\xEA"},
        {SAY("\x88\x03\x03\xE8\xFF"), "\x03\xEF"},
        {SAY("\x81\x02\xC3\x28"), "\x03\xEF"},
        {SAY("\x01\x01\xC3\x80\x01\x28"), "\x03\xEF"},
    };
    size_t at;
    for (at = 0; at < COUNT(faults); at++) {
        struct play play = STEPS(AWAIT, SKIP, HEAR(0x88, "xx"), END);
        struct ws_server server;
        struct trio it;
        HINTERNET ws;
        char text[64];
        USHORT status;
        DWORD size;
        play.steps[1] = faults[at].frame;
        play.steps[2].bytes = faults[at].answer;
        ws_start(&server, &play, 1);
        ws = ws_open(&it, server.port);
        SetEvent(server.go);
        CHECK_EQ(ws_message(ws, text, sizeof(text), &size), 0xFFFF);
        CHECK_EQ(size, ERROR_WINHTTP_INVALID_SERVER_RESPONSE);
        CHECK_EQ(WinHttpWebSocketReceive(ws, text, 1, &size, NULL), ERROR_INVALID_OPERATION);
        CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, NULL, 0), ERROR_INVALID_OPERATION);
        CHECK_EQ(WinHttpWebSocketQueryCloseStatus(ws, &status, NULL, 0, &size), ERROR_INVALID_OPERATION);
        CHECK_EQ(WinHttpWebSocketClose(ws, 1000, NULL, 0), ERROR_WINHTTP_INVALID_SERVER_RESPONSE);
        trio_close(&it);
        ws_end(&server);
        CHECK_EQ(server.heard, 0);
    }
}

TEST(test_ws__connections_that_break)
{
    static const struct play plays[] = {STEPS(AWAIT), STEPS(AWAIT, CUT), STEPS(SAY("\x82\x05" "ab"), AWAIT)};
    struct ws_server server;
    size_t at;
    ws_start(&server, plays, (int)COUNT(plays));
    for (at = 0; at < COUNT(plays); at++) {
        struct trio it;
        HINTERNET ws = ws_open(&it, server.port);
        char text[16];
        DWORD got;
        WINHTTP_WEB_SOCKET_BUFFER_TYPE type;
        if (at == 2) {
            CHECK_EQ(WinHttpWebSocketReceive(ws, text, 16, &got, &type), 0);
            CHECK(got == 2 && type == BINARY_PART);
        }
        SetEvent(server.go);
        CHECK_EQ(WinHttpWebSocketReceive(ws, text, 16, &got, &type), ERROR_WINHTTP_CONNECTION_ERROR);
        CHECK_EQ(WinHttpWebSocketReceive(ws, text, 16, &got, &type), ERROR_INVALID_OPERATION);
        CHECK_EQ(WinHttpWebSocketClose(ws, 1000, NULL, 0), ERROR_WINHTTP_CONNECTION_ERROR);
        trio_close(&it);
    }
    ws_end(&server);
}

/* A server that takes nothing, and one that does not say goodbye. */
TEST(test_ws__time_limits)
{
    static const struct play plays[] = {STEPS(AWAIT), STEPS(AWAIT)};
    static char large[1 << 16];
    struct ws_server server;
    struct trio it;
    HINTERNET ws;
    DWORD value = 100, error = 0, at;
    ws_start(&server, plays, 2);
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_SEND_TIMEOUT, &value, 4));
    CHECK_WORKS(ws_ask(it.request));
    ws = WinHttpWebSocketCompleteUpgrade(it.request, 0);
    for (at = 0; at < 1000 && !error; at++)
        error = WinHttpWebSocketSend(ws, BINARY, large, sizeof(large));
    CHECK_EQ(error, ERROR_WINHTTP_TIMEOUT);
    CHECK(WinHttpCloseHandle(ws));
    trio_close(&it);
    SetEvent(server.go);
    ws = ws_open(&it, server.port);
    CHECK_WORKS(WinHttpSetOption(ws, WINHTTP_OPTION_WEB_SOCKET_CLOSE_TIMEOUT, &value, 4));
    CHECK_EQ(WinHttpWebSocketClose(ws, 1000, NULL, 0), ERROR_WINHTTP_TIMEOUT);
    SetEvent(server.go);
    trio_close(&it);
    ws_end(&server);
}

/* Threads: one receives while another sends. */
struct receiver {
    HINTERNET ws;
    HANDLE thread;
    DWORD error, got;
    WINHTTP_WEB_SOCKET_BUFFER_TYPE type;
    char text[64];
};

static DWORD WINAPI receive_one(void *argument)
{
    struct receiver *it = argument;
    it->error = WinHttpWebSocketReceive(it->ws, it->text, sizeof(it->text), &it->got, &it->type);
    return 0;
}

static void receiver_start(struct receiver *it, HINTERNET ws)
{
    memset(it, 0, sizeof(*it));
    it->ws = ws;
    it->thread = CreateThread(NULL, 0, receive_one, it, 0, NULL);
}

static void receiver_end(struct receiver *it)
{
    CHECK_EQ(WaitForSingleObject(it->thread, 10000), WAIT_OBJECT_0);
    CloseHandle(it->thread);
}

TEST(test_ws__sends_while_a_receive_waits)
{
    struct trio it;
    struct receiver receiver;
    HINTERNET ws;
    int at;
    WS_SERVER(server, HEAR(0x82, "0"), HEAR(0x82, "1"), HEAR(0x82, "2"), HEAR(0x82, "3"), SAY("\x81\x02ok"),
              HEAR(0x88, "\x03\xE8"), BYE, END);
    ws = ws_open(&it, server.port);
    receiver_start(&receiver, ws);
    for (at = 0; at < 4; at++) {
        char digit = (char)('0' + at);
        CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, &digit, 1), 0);
    }
    receiver_end(&receiver);
    CHECK_EQ(receiver.error, 0);
    CHECK_BYTES(receiver.text, receiver.got, "ok");
    /* A close in this thread cancels the receive of the other, or the other has the close frame. */
    receiver_start(&receiver, ws);
    CHECK_EQ(WinHttpWebSocketClose(ws, 1000, NULL, 0), 0);
    receiver_end(&receiver);
    CHECK(receiver.error == ERROR_WINHTTP_OPERATION_CANCELLED || receiver.error == ERROR_INVALID_OPERATION ||
          (receiver.error == 0 && receiver.type == CLOSE_TYPE));
    trio_close(&it);
    ws_end(&server);
}

TEST(test_ws__the_handle_closes_while_a_receive_waits)
{
    int at;
    for (at = 0; at < 20; at++) {
        struct trio it;
        struct receiver receiver;
        HINTERNET ws;
        WS_SERVER(server, END);
        ws = ws_open(&it, server.port);
        receiver_start(&receiver, ws);
        CHECK(WinHttpCloseHandle(ws));
        receiver_end(&receiver);
        CHECK(receiver.error == ERROR_WINHTTP_OPERATION_CANCELLED || receiver.error == ERROR_INVALID_HANDLE);
        CHECK(WinHttpCloseHandle(it.connect));
        CHECK(WinHttpCloseHandle(it.session));
        ws_end(&server);
    }
}

/* Closing with every operation pending: the handle itself, its connect, its session; synchronous and asynchronous.
 * Of a synchronous request every one of them ends the call; of an asynchronous one only its own handle does.
 * gate: not-mingw (looks at threads the Linux way), gate: thread */
#define _GNU_SOURCE
#include "winhttp_network.h"
#include "winhttp_websocket.h"
#include <sys/syscall.h>

enum operation {
    SEND_CONNECTING, SEND_BODY, WRITE, RECEIVE, QUERY, READ, READ_EX, WS_SEND, WS_RECEIVE, WS_SHUTDOWN, WS_CLOSE, WS_CLOSE_UNSENT,
    OPERATIONS
};
static const char *const operations[OPERATIONS] = {
    "SendRequest, connecting", "SendRequest, sending", "WriteData", "ReceiveResponse", "QueryDataAvailable", "ReadData", "ReadDataEx",
    "WebSocketSend", "WebSocketReceive", "WebSocketShutdown", "WebSocketClose, waiting", "WebSocketClose, sending",
};
/* What REQUEST_ERROR calls them; of WebSockets 100 and the operation. */
static const DWORD names[OPERATIONS] = {5, 5, 4, 1, 2, 3, 3, 100, 101, 103, 102, 102};

enum victim { OWN, CONNECT, SESSION, VICTIMS };
static const char *const victims[VICTIMS] = {"itself", "its connect", "its session"};

static struct scene {
    struct trio it;
    enum operation operation;
    struct hole hole;
    struct server server;
    struct ws_server chat;
    int listener;
    BOOL is_async;
} scene;

#define CONTEXT 77
static char block[64 * 1024 * 1024], room[16];
/* How often each status was told; of errors and farewells only those of CONTEXT. */
static LONG told_of[32];
static DWORD error_code, error_name;

static LONG *told_count(DWORD status)
{
    int bit = 0;
    while (status >>= 1)
        bit++;
    return &told_of[bit];
}

static LONG told_times(DWORD status)
{
    return InterlockedCompareExchange(told_count(status), 0, 0);
}

static void CALLBACK count(HINTERNET handle, DWORD_PTR context, DWORD status, LPVOID information, DWORD length)
{
    BOOL special = status == WINHTTP_CALLBACK_STATUS_REQUEST_ERROR || status == WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING;
    (void)handle;
    if (special && context != CONTEXT)
        return;
    if (status == WINHTTP_CALLBACK_STATUS_REQUEST_ERROR) {
        const WINHTTP_WEB_SOCKET_ASYNC_RESULT *result = information;
        error_code = result->AsyncResult.dwError;
        error_name = length == sizeof(*result) ? 100 + (DWORD)result->Operation : (DWORD)result->AsyncResult.dwResult;
    }
    /* The farewell is the last. */
    CHECK_EQ(told_times(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING), 0);
    InterlockedIncrement(told_count(status));
}

static BOOL told_wait(DWORD status)
{
    int patience = 10000;
    while (!told_times(status) && patience--)
        Sleep(1);
    return told_times(status) != 0;
}

/* Takes all the room that the socket has for bytes to a port. The last of them leave when TCP has waited in vain for a
 * larger window, which takes it 200 ms; buffers whose size has been set do not grow. */
static void fill_socket(int port)
{
    int fd, found = 0, full, small = 4096;
    for (fd = 3; fd < 1024; fd++) {
        struct sockaddr_in peer;
        socklen_t size = sizeof(peer);
        if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0 || peer.sin_family != AF_INET || ntohs(peer.sin_port) != port)
            continue;
        found++;
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
        for (full = 0; full < 60; full++) {
            while (send(fd, block, 65536, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
                full = 0;
            Sleep(5);
        }
    }
    CHECK_EQ(found, 1);
}

static void open_at(int port, const WCHAR *verb)
{
    DWORD_PTR context = CONTEXT;
    trio_open(&scene.it, port, verb, W("/"), scene.is_async ? WINHTTP_FLAG_ASYNC : 0);
    CHECK(WinHttpSetStatusCallback(scene.it.request, count, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == NULL);
    CHECK(WinHttpSetOption(scene.it.request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
}

static void send_now(DWORD total)
{
    CHECK(WinHttpSendRequest(scene.it.request, NULL, 0, NULL, 0, total, 0));
    if (scene.is_async)
        REQUIRE(told_wait(WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE));
}

static void receive_now(void)
{
    CHECK(WinHttpReceiveResponse(scene.it.request, NULL));
    if (scene.is_async)
        REQUIRE(told_wait(WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE));
}

static void open_chat(void)
{
    /* A server that says nothing and takes nothing, until the test is over. */
    static const struct play plays[] = {STEPS(AWAIT, END)};
    DWORD_PTR context = 1;
    HINTERNET socket;
    int small = 4096;
    ws_start(&scene.chat, plays, 1);
    setsockopt(scene.chat.listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    open_at(scene.chat.port, NULL);
    CHECK(WinHttpSetOption(scene.it.request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
    CHECK(WinHttpSetOption(scene.it.request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, NULL, 0));
    send_now(0);
    receive_now();
    socket = WinHttpWebSocketCompleteUpgrade(scene.it.request, CONTEXT);
    REQUIRE(socket != NULL);
    CHECK(WinHttpCloseHandle(scene.it.request));
    scene.it.request = socket;
    if (scene.operation == WS_SHUTDOWN || scene.operation == WS_CLOSE_UNSENT)
        fill_socket(scene.chat.port);
}

/* Everything up to the operation. */
static void prepare(enum operation operation, BOOL is_async)
{
    static const struct turn silent[] = {{NULL, HOLD}}, half[] = {{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", HOLD}};
    int port;
    memset((void *)told_of, 0, sizeof(told_of));
    error_code = error_name = 0;
    scene.operation = operation;
    scene.is_async = is_async;
    switch (operation) {
    case SEND_CONNECTING:
        REQUIRE(hole_open(&scene.hole, AF_INET));
        open_at(scene.hole.port, NULL);
        break;
    case SEND_BODY:
    case WRITE:
        scene.listener = loopback_listener(&port, 16);
        open_at(port, W("POST"));
        if (operation == WRITE)
            send_now(sizeof(block));
        break;
    case RECEIVE:
        server_start(&scene.server, silent, 1);
        open_at(scene.server.port, NULL);
        send_now(0);
        break;
    case QUERY:
    case READ:
    case READ_EX:
        server_start(&scene.server, half, 1);
        open_at(scene.server.port, NULL);
        send_now(0);
        receive_now();
        break;
    default:
        open_chat();
    }
}

static void clear_away(void)
{
    switch (scene.operation) {
    case SEND_CONNECTING:
        hole_close(&scene.hole);
        break;
    case SEND_BODY:
    case WRITE:
        close(scene.listener);
        break;
    case RECEIVE:
    case QUERY:
    case READ:
    case READ_EX:
        server_end(&scene.server);
        break;
    default:
        SetEvent(scene.chat.go);
        ws_end(&scene.chat);
    }
}

/* The operation; its error. */
static DWORD operate(void)
{
    HINTERNET it = scene.it.request;
    DWORD got = 0;
    WINHTTP_WEB_SOCKET_BUFFER_TYPE type;
    BOOL done;
    switch (scene.operation) {
    case SEND_CONNECTING:
        done = WinHttpSendRequest(it, NULL, 0, NULL, 0, 0, 0);
        break;
    case SEND_BODY:
        done = WinHttpSendRequest(it, NULL, 0, block, sizeof(block), sizeof(block), 0);
        break;
    case WRITE:
        done = WinHttpWriteData(it, block, sizeof(block), scene.is_async ? NULL : &got);
        break;
    case RECEIVE:
        done = WinHttpReceiveResponse(it, NULL);
        break;
    case QUERY:
        done = WinHttpQueryDataAvailable(it, scene.is_async ? NULL : &got);
        break;
    case READ:
        done = WinHttpReadData(it, room, 9, scene.is_async ? NULL : &got);
        break;
    case READ_EX:
        return WinHttpReadDataEx(it, room, 9, scene.is_async ? NULL : &got, 0, 0, NULL);
    case WS_SEND:
        return WinHttpWebSocketSend(it, WINHTTP_WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE, block, sizeof(block));
    case WS_RECEIVE:
        return WinHttpWebSocketReceive(it, room, sizeof(room), &got, &type);
    case WS_SHUTDOWN:
        return WinHttpWebSocketShutdown(it, 1000, NULL, 0);
    default:
        return WinHttpWebSocketClose(it, 1000, NULL, 0);
    }
    return done ? 0 : GetLastError();
}

static LONG caller;

static DWORD WINAPI call(void *unused)
{
    (void)unused;
    InterlockedExchange(&caller, (LONG)syscall(SYS_gettid));
    return operate();
}

/* Waits until the thread has begun its call and sleeps in it. */
static void await_sleep(void)
{
    int asleep = 0, patience = 10000;
    char path[64], text[256], state;
    while (asleep < 5 && patience--) {
        LONG thread = InterlockedCompareExchange(&caller, 0, 0);
        FILE *file = NULL;
        Sleep(1);
        if (thread) {
            sprintf(path, "/proc/self/task/%d/stat", (int)thread);
            file = fopen(path, "r");
        }
        if (!file)
            continue;
        state = 0;
        if (fgets(text, sizeof(text), file) && strrchr(text, ')'))
            state = strrchr(text, ')')[2];
        asleep = state == 'S' ? asleep + 1 : 0;
        fclose(file);
    }
    CHECK(asleep >= 5);
}

static HINTERNET of_victim(enum victim victim)
{
    return victim == OWN ? scene.it.request : victim == CONNECT ? scene.it.connect : scene.it.session;
}

/* What is left to be closed. */
static void close_others(enum victim closed)
{
    int victim;
    for (victim = OWN; victim < VICTIMS; victim++)
        if (victim != (int)closed)
            CHECK(WinHttpCloseHandle(of_victim((enum victim)victim)));
}

/* What can be done with a handle whose call has been ended. */
static void check_afterwards(enum victim victim)
{
    BOOL is_socket = scene.operation >= WS_SEND;
    HINTERNET it = scene.it.request;
    DWORD got;
    if (victim == OWN) {
        CHECK_EQ(operate(), ERROR_INVALID_HANDLE);
        CHECK_FAILS(WinHttpCloseHandle(it), ERROR_INVALID_HANDLE);
    } else if (is_socket) {
        USHORT status;
        CHECK_EQ(WinHttpWebSocketQueryCloseStatus(it, &status, NULL, 0, &got), ERROR_INVALID_OPERATION);
        if (scene.operation == WS_SEND || scene.operation == WS_RECEIVE) {
            CHECK_EQ(operate(), ERROR_WINHTTP_OPERATION_CANCELLED);
            CHECK_EQ(WinHttpWebSocketClose(it, 1000, NULL, 0), ERROR_WINHTTP_OPERATION_CANCELLED);
        }
        CHECK_EQ(WinHttpWebSocketSend(it, WINHTTP_WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE, room, 1), ERROR_INVALID_OPERATION);
    } else {
        CHECK_FAILS(WinHttpReceiveResponse(it, NULL), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
        CHECK_FAILS(WinHttpReadData(it, room, 1, &got), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    }
}

/* Closes a handle while another thread is in the scene's call, which that ends. */
static void close_under_call(enum victim victim)
{
    HANDLE thread;
    DWORD error = 0;
    caller = 0;
    thread = CreateThread(NULL, 0, call, NULL, 0, NULL);
    await_sleep();
    CHECK_WORKS(WinHttpCloseHandle(of_victim(victim)));
    REQUIRE(WaitForSingleObject(thread, 10000) == WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(thread, &error));
    CHECK_EQ(error, ERROR_WINHTTP_OPERATION_CANCELLED);
    CloseHandle(thread);
}

TEST(test_close_pending__synchronous)
{
    int operation, victim;
    for (operation = 0; operation < OPERATIONS; operation++)
        for (victim = OWN; victim < VICTIMS; victim++) {
            int before = harness_failures;
            prepare((enum operation)operation, FALSE);
            close_under_call((enum victim)victim);
            check_afterwards((enum victim)victim);
            close_others((enum victim)victim);
            CHECK_EQ(told_times(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING), 1);
            CHECK_EQ(told_times(WINHTTP_CALLBACK_STATUS_REQUEST_ERROR), 0);
            clear_away();
            if (harness_failures != before)
                fprintf(stderr, "... in %s, closing %s\n", operations[operation], victims[victim]);
        }
}

TEST(test_close_pending__asynchronous)
{
    int operation, victim;
    for (operation = 0; operation < OPERATIONS; operation++)
        for (victim = OWN; victim < VICTIMS; victim++) {
            int before = harness_failures;
            prepare((enum operation)operation, TRUE);
            CHECK_EQ(operate(), 0);
            CHECK_WORKS(WinHttpCloseHandle(of_victim((enum victim)victim)));
            if (victim != OWN) {
                /* It goes on, and still takes part in what is done with its handle. */
                CHECK_EQ(told_times(WINHTTP_CALLBACK_STATUS_REQUEST_ERROR), 0);
                CHECK_EQ(told_times(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING), 0);
                CHECK_EQ(operate(), operation < WS_SEND ? ERROR_WINHTTP_INCORRECT_HANDLE_STATE : ERROR_INVALID_OPERATION);
                CHECK_EQ(told_times(WINHTTP_CALLBACK_STATUS_REQUEST_ERROR), 0);
            }
            close_others((enum victim)victim);
            REQUIRE(told_wait(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING));
            CHECK_EQ(told_times(WINHTTP_CALLBACK_STATUS_REQUEST_ERROR), 1);
            CHECK_EQ(error_code, ERROR_WINHTTP_OPERATION_CANCELLED);
            CHECK_EQ(error_name, names[operation]);
            CHECK_FAILS(WinHttpCloseHandle(scene.it.request), ERROR_INVALID_HANDLE);
            clear_away();
            if (harness_failures != before)
                fprintf(stderr, "... in %s, closing %s\n", operations[operation], victims[victim]);
        }
}

/* The call ends, the request does not. */
TEST(test_close_pending__a_request_is_sent_again)
{
    int victim;
    for (victim = CONNECT; victim < VICTIMS; victim++) {
        char body[16];
        SERVER(server, {NULL, HOLD}, {OK_HELLO, KEEP});
        memset((void *)told_of, 0, sizeof(told_of));
        scene.operation = RECEIVE;
        scene.is_async = FALSE;
        open_at(server.port, NULL);
        send_now(0);
        close_under_call((enum victim)victim);
        CHECK_WORKS(WinHttpSendRequest(scene.it.request, NULL, 0, NULL, 0, 0, 0));
        CHECK_WORKS(WinHttpReceiveResponse(scene.it.request, NULL));
        CHECK_EQ(read_body(scene.it.request, body, sizeof(body)), 5);
        close_others((enum victim)victim);
        server_end(&server);
    }
}

/* A parent that closes while nothing of its children runs ends nothing. */
TEST(test_close_pending__idle_children_live_on)
{
    struct trio it;
    HINTERNET ws;
    char body[16];
    SERVER(server, {OK_HELLO, KEEP});
    WS_SERVER(chat, SAY("\x81\x05Hello"), SAY("\x88\x02\x03\xE8"), END);
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK_WORKS(WinHttpCloseHandle(it.session));
    CHECK_WORKS(WinHttpCloseHandle(it.connect));
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(read_body(it.request, body, sizeof(body)), 5);
    CHECK_WORKS(WinHttpCloseHandle(it.request));
    server_end(&server);
    ws = ws_open(&it, chat.port);
    CHECK_WORKS(WinHttpCloseHandle(it.connect));
    CHECK_WORKS(WinHttpCloseHandle(it.session));
    CHECK_MESSAGE(ws, TEXT_ALL, "Hello");
    CHECK_EQ(WinHttpWebSocketClose(ws, 1000, NULL, 0), 0);
    CHECK_WORKS(WinHttpCloseHandle(ws));
    ws_end(&chat);
}

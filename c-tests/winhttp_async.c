/* Asynchronous exchanges: every notification in its order and on its thread, and the last error each call leaves.
 * gate: thread */
#include "winhttp_server.h"

#define CONNECTED "RESOLVING W, RESOLVED W, CONNECTING W, CONNECTED W, "

static void open_async(struct trio *it, int port, const WCHAR *verb, DWORD_PTR context, void (*inside)(const struct note *))
{
    notes_clear(inside);
    trio_open(it, port, verb, W("/"), WINHTTP_FLAG_ASYNC);
    CHECK(WinHttpSetStatusCallback(it->request, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == NULL);
    CHECK(WinHttpSetOption(it->request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
}

static void send_and_wait(struct trio *it, DWORD_PTR context, int times)
{
    CHECK_WORKS(WinHttpSendRequest(it->request, NULL, 0, NULL, 0, 0, 0));
    CHECK(note_wait(context, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, times));
}

/* Inside a callback, what is buffered completes before the call returns, on the same thread. */
static char got_text[16];

static void read_inside(const struct note *it)
{
    DWORD number = 7;
    if (it->status != WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE)
        return;
    CHECK_WORKS(WinHttpQueryDataAvailable(it->handle, &number));
    CHECK_EQ(number, 5);
    CHECK_EQ(note_find(it->context, WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE), 1);
    CHECK_WORKS(WinHttpReadData(it->handle, got_text, 5, &number));
    CHECK_EQ(number, 5);
    CHECK_WORKS(WinHttpReadData(it->handle, got_text, 5, NULL));
    CHECK_WORKS(WinHttpQueryDataAvailable(it->handle, NULL));
    CHECK_WORKS(WinHttpCloseHandle(it->handle));
    CHECK_EQ(note_find(it->context, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING), 0);
}

TEST(test_async__get)
{
    struct trio it;
    SERVER(server, {OK_HELLO, KEEP});
    open_async(&it, server.port, NULL, 1, read_inside);
    send_and_wait(&it, 1, 1);
    CHECK_TOLD(1, CONNECTED "SENDING W, SENT W, SEND_COMPLETE W");
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1));
    CHECK_TOLD_SOMEWHERE(1, "RESOLVING, RESOLVED, CONNECTING, CONNECTED, SENDING, SENT, SEND_COMPLETE, RECEIVING, RECEIVED, "
                            "HEADERS, DATA(5), READ(5), READ(0), DATA(0), CLOSING");
    CHECK_BYTES(got_text, 5, "hello");
    WinHttpCloseHandle(it.connect);
    WinHttpCloseHandle(it.session);
    server_end(&server);
}

/* A body that has not come yet: the completion comes from a worker, and the last error says so. */
TEST(test_async__a_read_that_waits)
{
    struct trio it;
    static char text[16];
    SERVER(server, {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel", HOLD});
    open_async(&it, server.port, NULL, 2, NULL);
    send_and_wait(&it, 2, 1);
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK(note_wait(2, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
    notes_clear(NULL);
    CHECK(WinHttpReadData(it.request, text, 9, NULL));
    CHECK_EQ(GetLastError(), ERROR_IO_PENDING);
    /* One operation at a time. */
    CHECK_FAILS(WinHttpQueryDataAvailable(it.request, NULL), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_FAILS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK(note_wait(2, WINHTTP_CALLBACK_STATUS_RECEIVING_RESPONSE, 1));
    trio_close_async(&it, 2);
    CHECK_TOLD(2, "RECEIVING W, ERROR(3,12017) W, CLOSING W");
    server_end(&server);
}

TEST(test_async__warm_connection_and_queued_receive)
{
    struct trio it;
    static char text[16];
    SERVER(server, {OK_HELLO, KEEP}, {OK_HELLO, KEEP});
    open_async(&it, server.port, NULL, 3, NULL);
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    /* Accepted while the send is under way, or right after it. */
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    CHECK(note_wait(3, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
    CHECK(WinHttpReadData(it.request, text, 16, NULL));
    CHECK(note_wait(3, WINHTTP_CALLBACK_STATUS_READ_COMPLETE, 1));
    notes_clear(NULL);
    send_and_wait(&it, 3, 1);
    CHECK_TOLD(3, "SENDING W, SENT W, SEND_COMPLETE W");
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK(note_wait(3, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
    trio_close_async(&it, 3);
    server_end(&server);
    CHECK_EQ(server.connections, 1);
}

static void receive_early(const struct note *it)
{
    if (it->status == WINHTTP_CALLBACK_STATUS_SENDING_REQUEST)
        CHECK(WinHttpReceiveResponse(it->handle, NULL));
}

TEST(test_async__receive_from_inside_sending)
{
    struct trio it;
    SERVER(server, {OK_HELLO, KEEP});
    open_async(&it, server.port, NULL, 4, receive_early);
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK(note_wait(4, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
    CHECK_TOLD(4, CONNECTED "SENDING W, SENT W, SEND_COMPLETE W, RECEIVING W, RECEIVED W, HEADERS W");
    notes_clear(NULL);
    trio_close_async(&it, 4);
    server_end(&server);
}

TEST(test_async__wrong_moments)
{
    struct trio it;
    DWORD number = 7;
    SERVER(server, {OK_HELLO, KEEP});
    open_async(&it, server.port, NULL, 5, NULL);
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    CHECK_TOLD(5, "ERROR(1,12019) A");
    CHECK_FAILS(WinHttpQueryDataAvailable(it.request, &number), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_EQ(number, 7);
    send_and_wait(&it, 5, 1);
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK(note_wait(5, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
    notes_clear(NULL);
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    CHECK_TOLD(5, "ERROR(1,12019) A");
    trio_close_async(&it, 5);
    server_end(&server);
}

TEST(test_async__upload)
{
    struct trio it;
    DWORD written = 0;
    SERVER(server, {OK_HELLO, KEEP});
    open_async(&it, server.port, W("PUT"), 6, NULL);
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, (void *)"1", 1, 3, 0));
    CHECK(note_wait(6, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK_WORKS(WinHttpWriteData(it.request, "2", 1, NULL));
    CHECK(note_wait(6, WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE, 1));
    CHECK_WORKS(WinHttpWriteData(it.request, "3", 1, NULL));
    CHECK(note_wait(6, WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE, 2));
    CHECK_FAILS(WinHttpWriteData(it.request, "4", 1, &written), ERROR_INVALID_PARAMETER);
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK(note_wait(6, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
    trio_close_async(&it, 6);
    server_end(&server);
    CHECK_HAS(server.requests[0], "\r\n\r\n123");
}

TEST(test_async__failures)
{
    struct trio it;
    open_async(&it, free_port(), NULL, 7, NULL);
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 77));
    CHECK(note_wait(77, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, 1));
    CHECK_TOLD(77, "RESOLVING W, RESOLVED W, CONNECTING W, ERROR(5,12029) W");
    /* The same handle may try again. */
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK(note_wait(77, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, 2));
    trio_close_async(&it, 77);
    CHECK_EQ(note_find(77, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING), 1);
}

/* A state machine that lives in callbacks alone: reads one byte at a time, so that completions nest. */
static char one_byte;
static LONG depth, deepest, bytes;
static HANDLE finished;

static void drive(const struct note *it)
{
    LONG now = InterlockedIncrement(&depth);
    if (it->status == WINHTTP_CALLBACK_STATUS_READ_COMPLETE && now > deepest)
        deepest = now;
    switch (it->status) {
    case WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE:
        CHECK(WinHttpReceiveResponse(it->handle, NULL));
        break;
    case WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE:
        CHECK(WinHttpReadData(it->handle, &one_byte, 1, NULL));
        break;
    case WINHTTP_CALLBACK_STATUS_READ_COMPLETE:
        if (it->number) {
            bytes++;
            CHECK(WinHttpReadData(it->handle, &one_byte, 1, NULL));
        } else
            CHECK(WinHttpCloseHandle(it->handle));
        break;
    case WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING:
        CHECK_EQ(now, 1);
        SetEvent(finished);
        break;
    }
    InterlockedDecrement(&depth);
}

TEST(test_async__completions_nest_three_deep_at_most)
{
    struct trio it;
    SERVER(server, {"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n0123456789012345678901234567890123456789", KEEP});
    finished = CreateEventW(NULL, TRUE, FALSE, NULL);
    depth = deepest = bytes = 0;
    open_async(&it, server.port, NULL, 8, drive);
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK_EQ(WaitForSingleObject(finished, 10000), WAIT_OBJECT_0);
    CHECK_EQ(bytes, 40);
    CHECK(deepest >= 2 && deepest <= 4);
    CHECK_EQ(note_find(8, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING), 1);
    CHECK(WinHttpCloseHandle(it.connect));
    CHECK(WinHttpCloseHandle(it.session));
    CloseHandle(finished);
    server_end(&server);
}

/* A callback that blocks holds up nobody else. */
static HANDLE let_go;

static void block(const struct note *it)
{
    if (it->context == 9 && it->status == WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE)
        WaitForSingleObject(let_go, 10000);
}

TEST(test_async__a_blocked_callback_blocks_itself_alone)
{
    struct trio it;
    HINTERNET other;
    DWORD_PTR context = 10;
    SERVER(server, {OK_HELLO, KEEP});
    SERVER(second, {OK_HELLO, KEEP});
    HINTERNET connect;
    let_go = CreateEventW(NULL, TRUE, FALSE, NULL);
    open_async(&it, server.port, NULL, 9, block);
    connect = WinHttpConnect(it.session, W("127.0.0.1"), (INTERNET_PORT)second.port, 0);
    other = WinHttpOpenRequest(connect, NULL, NULL, NULL, NULL, NULL, 0);
    CHECK(WinHttpSetStatusCallback(other, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == NULL);
    CHECK(WinHttpSetOption(other, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK(note_wait(9, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK(WinHttpSendRequest(other, NULL, 0, NULL, 0, 0, 0));
    CHECK(note_wait(10, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK(WinHttpReceiveResponse(other, NULL));
    CHECK(note_wait(10, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
    SetEvent(let_go);
    CHECK(WinHttpCloseHandle(other));
    CHECK(WinHttpCloseHandle(connect));
    CHECK(note_wait(10, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1));
    trio_close_async(&it, 9);
    CloseHandle(let_go);
    server_end(&server);
    server_end(&second);
}

/* What has come completes a read that need not fill its buffer. */
#ifndef __MINGW32__
TEST(test_async__read_what_there_is)
{
    struct trio it;
    static char text[16];
    SERVER(server, {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel", HOLD});
    open_async(&it, server.port, NULL, 30, NULL);
    send_and_wait(&it, 30, 1);
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK(note_wait(30, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
    CHECK_EQ(WinHttpReadDataEx(it.request, text, 9, NULL, 0, 0, NULL), 0);
    CHECK(note_wait(30, WINHTTP_CALLBACK_STATUS_READ_COMPLETE, 1));
    CHECK_BYTES(text, 3, "hel");
    notes_clear(NULL);
    CHECK_EQ(WinHttpReadDataEx(it.request, text, 9, NULL, WINHTTP_READ_DATA_EX_FLAG_FILL_BUFFER, 0, NULL), 0);
    trio_close_async(&it, 30);
    CHECK_HAS(told_to(30, 0), "ERROR(3,12017), CLOSING");
    server_end(&server);
}
#endif

/* Not even many of them, whatever the number of cores; and the thread that waits for the network may be among them. */
#define BLOCKED 9
static LONG waiting_inside;

static void block_many(const struct note *it)
{
    if (it->context < 20 || it->context >= 20 + BLOCKED)
        return;
    /* Asked for inside the callback, so that no response completes on the thread of the test. */
    if (it->status == WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE)
        CHECK(WinHttpReceiveResponse(it->handle, NULL));
    if (it->status == WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE) {
        InterlockedIncrement(&waiting_inside);
        WaitForSingleObject(let_go, 10000);
    }
}

TEST(test_async__many_blocked_callbacks)
{
    static struct server servers[BLOCKED + 1];
    static const struct turn turns[] = {{OK_HELLO, KEEP}};
    HINTERNET session = WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, WINHTTP_FLAG_ASYNC);
    HINTERNET connects[BLOCKED + 1], requests[BLOCKED + 1];
    int at, patience = 1000;
    let_go = CreateEventW(NULL, TRUE, FALSE, NULL);
    waiting_inside = 0;
    notes_clear(block_many);
    CHECK(WinHttpSetStatusCallback(session, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == NULL);
    for (at = 0; at <= BLOCKED; at++) {
        server_start(&servers[at], turns, 1);
        connects[at] = WinHttpConnect(session, W("127.0.0.1"), (INTERNET_PORT)servers[at].port, 0);
        requests[at] = WinHttpOpenRequest(connects[at], NULL, NULL, NULL, NULL, NULL, 0);
    }
    for (at = 0; at < BLOCKED; at++)
        CHECK(WinHttpSendRequest(requests[at], NULL, 0, NULL, 0, 0, 20 + (DWORD_PTR)at));
    while (InterlockedCompareExchange(&waiting_inside, 0, 0) < BLOCKED && patience--)
        Sleep(5);
    CHECK_EQ(waiting_inside, BLOCKED);
    CHECK(WinHttpSendRequest(requests[BLOCKED], NULL, 0, NULL, 0, 0, 20 + BLOCKED));
    CHECK(note_wait(20 + BLOCKED, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK(WinHttpReceiveResponse(requests[BLOCKED], NULL));
    CHECK(note_wait(20 + BLOCKED, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
    SetEvent(let_go);
    for (at = 0; at <= BLOCKED; at++) {
        CHECK(WinHttpCloseHandle(requests[at]));
        CHECK(WinHttpCloseHandle(connects[at]));
        CHECK(note_wait(20 + (DWORD_PTR)at, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1));
        server_end(&servers[at]);
    }
    CHECK(WinHttpCloseHandle(session));
    CloseHandle(let_go);
}

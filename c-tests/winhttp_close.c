/* Closing: with every operation pending, from callbacks, from other threads. The last notification of every request is
 * HANDLE_CLOSING, exactly once, and frees its context.
 * gate: thread */
#include "winhttp_server.h"

static void open_async(struct trio *it, int port, DWORD_PTR context, void (*inside)(const struct note *))
{
    notes_clear(inside);
    trio_open(it, port, W("POST"), W("/"), WINHTTP_FLAG_ASYNC);
    CHECK(WinHttpSetStatusCallback(it->request, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == NULL);
    CHECK(WinHttpSetOption(it->request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
}

static void check_farewell(DWORD_PTR context)
{
    int at, last = -1;
    CHECK(note_wait(context, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1));
    AcquireSRWLockShared(&note_lock);
    for (at = 0; at < note_count; at++)
        if (notes[at].context == context)
            last = at;
    CHECK(last >= 0 && notes[last].status == WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING);
    ReleaseSRWLockShared(&note_lock);
    CHECK_EQ(note_find(context, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING), 1);
}

TEST(test_close__while_receiving)
{
    struct trio it;
    SERVER(server, {NULL, HOLD});
    open_async(&it, server.port, 1, NULL);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(WaitForSingleObject(server.held, 10000), WAIT_OBJECT_0);
    trio_close(&it);
    check_farewell(1);
    CHECK_HAS(told_to(1, 1), "ERROR(1,12017) W, CLOSING W");
    CHECK_FAILS(WinHttpCloseHandle(it.request), ERROR_INVALID_HANDLE);
    server_end(&server);
}

TEST(test_close__while_writing)
{
    struct trio it;
    static char block[64 * 1024 * 1024];
    static struct sockaddr_in address;
    socklen_t size = sizeof(address);
    int listener = (int)socket(AF_INET, SOCK_STREAM, 0);
    client_address(&address, 0);
    REQUIRE(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(listener, 4) == 0);
    getsockname(listener, (struct sockaddr *)&address, &size);
    /* Nobody reads, so the write fills the buffers and waits. */
    open_async(&it, ntohs(address.sin_port), 2, NULL);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 100 * 1024 * 1024, 0));
    CHECK(note_wait(2, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK(WinHttpWriteData(it.request, block, sizeof(block), NULL));
    trio_close(&it);
    check_farewell(2);
    CHECK_HAS(told_to(2, 1), "ERROR(4,12017) W, CLOSING W");
    close(listener);
}

/* A read and a query that wait for more of the body. */
TEST(test_close__while_reading)
{
    int which;
    for (which = 0; which < 2; which++) {
        struct trio it;
        static char text[8];
        SERVER(server, {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", HOLD});
        open_async(&it, server.port, 8, NULL);
        CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
        CHECK(note_wait(8, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
        CHECK(WinHttpReceiveResponse(it.request, NULL));
        CHECK(note_wait(8, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
        notes_clear(NULL);
        if (which == 0)
            CHECK(WinHttpQueryDataAvailable(it.request, NULL));
        else
            CHECK(WinHttpReadData(it.request, text, 8, NULL));
        CHECK(note_wait(8, WINHTTP_CALLBACK_STATUS_RECEIVING_RESPONSE, 1));
        trio_close(&it);
        check_farewell(8);
        CHECK_BYTES(told_to(8, 1), strlen(told_to(8, 1)),
                    which ? "RECEIVING W, ERROR(3,12017) W, CLOSING W" : "RECEIVING W, ERROR(2,12017) W, CLOSING W");
        server_end(&server);
    }
}

/* The session and the connect go while a receive waits, which they do not end. */
TEST(test_close__parents_of_what_waits)
{
    struct trio it;
    SERVER(server, {NULL, HOLD});
    open_async(&it, server.port, 9, NULL);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK(note_wait(9, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK(WinHttpCloseHandle(it.session));
    CHECK(WinHttpCloseHandle(it.connect));
    CHECK_EQ(WaitForSingleObject(server.held, 10000), WAIT_OBJECT_0);
    CHECK_EQ(note_find(9, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR), 0);
    CHECK(WinHttpCloseHandle(it.request));
    check_farewell(9);
    CHECK_HAS(told_to(9, 1), "ERROR(1,12017) W, CLOSING W");
    server_end(&server);
}

#ifndef __MINGW32__
/* A connect that nobody answers, and a receive that waits for its turn behind it: each fails once. */
TEST(test_close__while_connecting)
{
    struct trio it;
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    int listener = (int)socket(AF_INET, SOCK_STREAM, 0), fillers[8], at;
    client_address(&address, 0);
    REQUIRE(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0);
    REQUIRE(listen(listener, 0) == 0);
    REQUIRE(getsockname(listener, (struct sockaddr *)&address, &size) == 0);
    for (at = 0; at < 8; at++) {
        fillers[at] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(fillers[at], (struct sockaddr *)&address, sizeof(address));
    }
    open_async(&it, ntohs(address.sin_port), 10, NULL);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK(note_wait(10, WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER, 1));
    trio_close(&it);
    check_farewell(10);
    CHECK_BYTES(told_to(10, 1), strlen(told_to(10, 1)),
                "RESOLVING W, RESOLVED W, CONNECTING W, ERROR(5,12017) W, ERROR(1,12017) W, CLOSING W");
    for (at = 0; at < 8; at++)
        close(fillers[at]);
    close(listener);
}
#endif

/* A callback still runs when another thread closes: the farewell waits until it has returned. */
static HANDLE inside_now, come_back;

static void stay(const struct note *it)
{
    if (it->status == WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE) {
        SetEvent(inside_now);
        WaitForSingleObject(come_back, 10000);
        CHECK_EQ(note_find(it->context, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING), 0);
        CHECK_FAILS(WinHttpReceiveResponse(it->handle, NULL), ERROR_INVALID_HANDLE);
    } else if (it->status == WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING)
        CHECK_FAILS(WinHttpCloseHandle(it->handle), ERROR_INVALID_HANDLE);
}

TEST(test_close__while_a_callback_runs)
{
    struct trio it;
    SERVER(server, {OK_HELLO, KEEP});
    inside_now = CreateEventW(NULL, TRUE, FALSE, NULL);
    come_back = CreateEventW(NULL, TRUE, FALSE, NULL);
    open_async(&it, server.port, 11, stay);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK_EQ(WaitForSingleObject(inside_now, 10000), WAIT_OBJECT_0);
    trio_close(&it);
    SetEvent(come_back);
    check_farewell(11);
    CHECK_HAS(told_to(11, 1), "SEND_COMPLETE W, CLOSING W");
    CloseHandle(inside_now);
    CloseHandle(come_back);
    server_end(&server);
}

TEST(test_close__right_after_sending)
{
    struct trio it;
    int round;
    for (round = 0; round < 50; round++) {
        SERVER(server, {OK_HELLO, KEEP});
        open_async(&it, server.port, 3, NULL);
        CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
        trio_close(&it);
        check_farewell(3);
        CHECK_EQ(note_find(3, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE) +
                     note_find(3, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR), 1);
        server_end(&server);
    }
}

/* Closes inside one notification after the other. */
static DWORD close_at;

static void close_inside(const struct note *it)
{
    if (it->status == close_at)
        CHECK(WinHttpCloseHandle(it->handle));
    else if (it->status == WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE)
        CHECK(WinHttpReceiveResponse(it->handle, NULL));
    else if (it->status == WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE)
        CHECK(WinHttpQueryDataAvailable(it->handle, NULL));
}

TEST(test_close__inside_every_notification)
{
    static const DWORD moments[] = {
        WINHTTP_CALLBACK_STATUS_RESOLVING_NAME, WINHTTP_CALLBACK_STATUS_NAME_RESOLVED,
        WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER, WINHTTP_CALLBACK_STATUS_CONNECTED_TO_SERVER,
        WINHTTP_CALLBACK_STATUS_SENDING_REQUEST, WINHTTP_CALLBACK_STATUS_REQUEST_SENT,
        WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, WINHTTP_CALLBACK_STATUS_RECEIVING_RESPONSE,
        WINHTTP_CALLBACK_STATUS_RESPONSE_RECEIVED, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE,
        WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE,
    };
    size_t at;
    for (at = 0; at < COUNT(moments); at++) {
        struct trio it;
        SERVER(server, {OK_HELLO, KEEP});
        close_at = moments[at];
        open_async(&it, server.port, 100 + at, close_inside);
        CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
        check_farewell(100 + at);
        CHECK(note_find(100 + at, close_at) == 1);
        /* After the notification there is at most the failure of the operation it belongs to. */
        CHECK(note_find(100 + at, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR) <= 1);
        if (close_at == WINHTTP_CALLBACK_STATUS_SENDING_REQUEST)
            CHECK_HAS(told_to(100 + at, 1), "SENDING W, ERROR(5,12017) W, CLOSING W");
        CHECK_FAILS(WinHttpCloseHandle(it.request), ERROR_INVALID_HANDLE);
        CHECK(WinHttpCloseHandle(it.connect));
        CHECK(WinHttpCloseHandle(it.session));
        server_end(&server);
        if (close_at == WINHTTP_CALLBACK_STATUS_SENDING_REQUEST)
            CHECK_EQ(strlen(server.requests[0]), 0);
    }
}

/* A synchronous call is ended by closing the request, or the session, from another thread, or inside a callback. */
static HINTERNET victim;

static DWORD WINAPI closer(void *unused)
{
    (void)unused;
    CHECK(note_wait(7, WINHTTP_CALLBACK_STATUS_RECEIVING_RESPONSE, 1));
    CHECK(WinHttpCloseHandle(victim));
    return 0;
}

TEST(test_close__ends_a_synchronous_call)
{
    int which;
    for (which = 0; which < 2; which++) {
        struct trio it;
        HANDLE thread;
        DWORD_PTR context = 7;
        SERVER(server, {NULL, HOLD});
        notes_clear(NULL);
        trio_open(&it, server.port, NULL, NULL, 0);
        CHECK(WinHttpSetStatusCallback(it.request, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == NULL);
        CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
        victim = which ? it.session : it.request;
        CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
        thread = CreateThread(NULL, 0, closer, NULL, 0, NULL);
        CHECK_FAILS(WinHttpReceiveResponse(it.request, NULL), ERROR_WINHTTP_OPERATION_CANCELLED);
        CHECK_EQ(WaitForSingleObject(thread, 10000), WAIT_OBJECT_0);
        CloseHandle(thread);
        if (which)
            CHECK(WinHttpCloseHandle(it.request));
        else
            CHECK(WinHttpCloseHandle(it.session));
        CHECK(WinHttpCloseHandle(it.connect));
        server_end(&server);
    }
}

TEST(test_close__inside_a_synchronous_call)
{
    struct trio it;
    DWORD_PTR context = 5;
    SERVER(server, {OK_HELLO, KEEP});
    close_at = WINHTTP_CALLBACK_STATUS_SENDING_REQUEST;
    notes_clear(close_inside);
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(WinHttpSetStatusCallback(it.request, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == NULL);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
    CHECK_FAILS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0), ERROR_WINHTTP_OPERATION_CANCELLED);
    CHECK_TOLD(5, "RESOLVING A, RESOLVED A, CONNECTING A, CONNECTED A, SENDING A, CLOSING A");
    CHECK(WinHttpCloseHandle(it.connect));
    CHECK(WinHttpCloseHandle(it.session));
    server_end(&server);
    CHECK_EQ(strlen(server.requests[0]), 0);
}

/* Parents may go first. */
TEST(test_close__parents_first)
{
    struct trio it;
    DWORD_PTR context = 0;
    DWORD size = sizeof(context);
    SERVER(server, {OK_HELLO, KEEP});
    open_async(&it, server.port, 6, NULL);
    CHECK(WinHttpCloseHandle(it.connect));
    CHECK(WinHttpCloseHandle(it.session));
    CHECK(WinHttpQueryOption(it.request, WINHTTP_OPTION_CONTEXT_VALUE, &context, &size));
    CHECK_EQ(context, 6);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK(note_wait(6, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK(WinHttpCloseHandle(it.request));
    check_farewell(6);
    server_end(&server);
}

/* Many threads close what others use; every context is freed once. */
static LONG freed[64];
static HINTERNET targets[64];

static void CALLBACK count_farewell(HINTERNET handle, DWORD_PTR context, DWORD status, LPVOID information, DWORD length)
{
    (void)information;
    (void)length;
    if (status == WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE)
        WinHttpReceiveResponse(handle, NULL);
    if (status == WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING)
        InterlockedIncrement(&freed[context - 1]);
}

static DWORD WINAPI close_all(void *unused)
{
    size_t at;
    (void)unused;
    for (at = 0; at < COUNT(targets); at++)
        WinHttpCloseHandle(targets[at]);
    return 0;
}

TEST(test_close__from_many_threads)
{
    struct trio it;
    HANDLE threads[3];
    size_t at;
    int port = free_port(), patience = 1000;
    LONG all;
    notes_clear(NULL);
    trio_open(&it, port, NULL, NULL, WINHTTP_FLAG_ASYNC);
    memset((void *)freed, 0, sizeof(freed));
    for (at = 0; at < COUNT(targets); at++) {
        targets[at] = WinHttpOpenRequest(it.connect, NULL, NULL, NULL, NULL, NULL, 0);
        WinHttpSetStatusCallback(targets[at], count_farewell, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
        WinHttpSendRequest(targets[at], NULL, 0, NULL, 0, 0, at + 1);
    }
    for (at = 0; at < 3; at++)
        threads[at] = CreateThread(NULL, 0, close_all, NULL, 0, NULL);
    for (at = 0; at < 3; at++) {
        CHECK_EQ(WaitForSingleObject(threads[at], 10000), WAIT_OBJECT_0);
        CloseHandle(threads[at]);
    }
    do {
        all = 0;
        for (at = 0; at < COUNT(targets); at++)
            all += InterlockedCompareExchange(&freed[at], 0, 0);
        if (all < (LONG)COUNT(targets))
            Sleep(10);
    } while (all < (LONG)COUNT(targets) && patience--);
    for (at = 0; at < COUNT(targets); at++)
        CHECK_EQ(freed[at], 1);
    trio_close(&it);
}

/* The documented sequences of notifications, event by event, each with its thread (A: the one that calls, W: a worker)
 * and with the last error the call leaves.
 *
 * A call completes on its own thread only if no callback of the request is still returning on another; which of the two
 * it is can be seen from the last error, and a case that can go either way is repeated until it has gone the first.
 * gate: thread
 * gate: not-mingw */
#include "winhttp_server.h"

#define COLD_W "RESOLVING W, RESOLVED W, CONNECTING W, CONNECTED W, "
#define COLD_A "RESOLVING A, RESOLVED A, CONNECTING A, CONNECTED A, "
#define SENT_W "SENDING W, SENT W, SEND_COMPLETE W"

/* A server that does one step after the other, on one connection at a time. */
struct step {
    enum { READ, SAY, GO, LEAVE } what;
    const char *text;
};

struct stage {
    int port, listener;
    HANDLE thread, go, over;
    const struct step *steps;
    int count;
};

static DWORD WINAPI act(void *argument)
{
    struct stage *it = argument;
    char text[4096];
    int peer = -1, at;
    struct server none;
    for (at = 0; at < it->count; at++) {
        const struct step *now = &it->steps[at];
        if (peer < 0)
            peer = (int)accept(it->listener, NULL, NULL);
        if (peer < 0)
            return 1;
        if (now->what == READ && !serve_read(&none, peer, text, sizeof(text))) {
            /* The client has come on another connection. */
            close(peer);
            peer = -1;
            at--;
        } else if (now->what == SAY && send(peer, now->text, strlen(now->text), MSG_NOSIGNAL) < 0)
            break;
        else if (now->what == GO && WaitForSingleObject(it->go, 10000) != WAIT_OBJECT_0)
            break;
        else if (now->what == LEAVE) {
            close(peer);
            peer = -1;
        }
    }
    WaitForSingleObject(it->over, 10000);
    if (peer >= 0)
        close(peer);
    return 0;
}

static void stage_start(struct stage *it, const struct step *steps, int count)
{
    it->steps = steps;
    it->count = count;
    it->go = CreateEventW(NULL, FALSE, FALSE, NULL);
    it->over = CreateEventW(NULL, TRUE, FALSE, NULL);
    it->listener = loopback_listener(&it->port, 16);
    it->thread = CreateThread(NULL, 0, act, it, 0, NULL);
    REQUIRE(it->thread != NULL);
}
#define STAGE(NAME, ...)                                                                                               \
    static const struct step NAME##_steps[] = {__VA_ARGS__};                                                           \
    struct stage NAME;                                                                                                 \
    stage_start(&NAME, NAME##_steps, (int)COUNT(NAME##_steps))

/* The connection, which the library may have kept, ends with the stage. */
static void stage_end(struct stage *it)
{
    SetEvent(it->over);
    shutdown(it->listener, 2);
    CHECK_EQ(WaitForSingleObject(it->thread, 10000), WAIT_OBJECT_0);
    CloseHandle(it->thread);
    CloseHandle(it->go);
    CloseHandle(it->over);
    close(it->listener);
}

/* A request of a session with a pool of its own. */
static void open_it(struct trio *it, int port, const WCHAR *verb, DWORD flags, DWORD_PTR context,
                    void (*inside)(const struct note *))
{
    BOOL own = TRUE;
    notes_clear(inside);
    it->session = WinHttpOpen(W("test"), WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, flags);
    REQUIRE(it->session != NULL);
    CHECK(WinHttpSetOption(it->session, WINHTTP_OPTION_DISABLE_GLOBAL_POOLING, &own, sizeof(own)));
    CHECK(WinHttpSetStatusCallback(it->session, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == NULL);
    CHECK(WinHttpSetOption(it->session, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
    it->connect = WinHttpConnect(it->session, W("127.0.0.1"), (INTERNET_PORT)port, 0);
    REQUIRE(it->connect != NULL);
    it->request = WinHttpOpenRequest(it->connect, verb, W("/"), NULL, NULL, NULL, 0);
    REQUIRE(it->request != NULL);
}

/* Compares with one of two; says whether it was the first. What was told is forgotten. */
static int told_either(int line, DWORD_PTR context, const char *first, const char *second)
{
    char text[2048];
    int is_first;
    snprintf(text, sizeof(text), "%s", told_to(context, 1));
    is_first = strcmp(text, first) == 0;
    if (!is_first && strcmp(text, second) != 0) {
        fprintf(stderr, "line %d: ", line);
        CHECK_BYTES(text, strlen(text), first);
    }
    notes_clear(on_note);
    return is_first;
}
#define EITHER(CONTEXT, FIRST, SECOND) told_either(__LINE__, CONTEXT, FIRST, SECOND)
#define TOLD(CONTEXT, WANTED) told_either(__LINE__, CONTEXT, WANTED, WANTED)

/* Calls that leave 0 when they have completed here, and 997 when they will elsewhere. */
#define CHECK_DONE_OR_PENDING(CALL, CONTEXT, STATUS)                                                                   \
    do {                                                                                                               \
        DWORD error, here;                                                                                             \
        SetLastError(0xdeadbeef);                                                                                      \
        CHECK(CALL);                                                                                                   \
        error = GetLastError();                                                                                        \
        here = (DWORD)note_find_here(CONTEXT, STATUS);                                                                 \
        CHECK(error == (here ? ERROR_SUCCESS : ERROR_IO_PENDING));                                                     \
        CHECK(note_wait(CONTEXT, STATUS, 1));                                                                          \
    } while (0)

/* In later rounds, time for a callback that has told the test something to return: then what follows completes here. */
static void settle(int round)
{
    if (round)
        Sleep(round < 20 ? (DWORD)round : 20);
}

/* How often this thread was told. */
static int note_find_here(DWORD_PTR context, DWORD status)
{
    int at, found = 0;
    AcquireSRWLockShared(&note_lock);
    for (at = 0; at < note_count; at++)
        found += notes[at].context == context && notes[at].status == status && notes[at].thread == main_thread;
    ReleaseSRWLockShared(&note_lock);
    return found;
}

/* Before anything asynchronous has happened in this process, and so the first case of the file. */
TEST(test_sequences__worker_thread_count)
{
    struct trio it;
    DWORD count = 2, size = sizeof(count);
    CHECK_FAILS(WinHttpSetOption(NULL, WINHTTP_OPTION_WORKER_THREAD_COUNT, &count, 2), ERROR_INSUFFICIENT_BUFFER);
    CHECK_WORKS(WinHttpSetOption(NULL, WINHTTP_OPTION_WORKER_THREAD_COUNT, &count, sizeof(count)));
    open_it(&it, free_port(), NULL, WINHTTP_FLAG_ASYNC, 1, NULL);
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_WORKER_THREAD_COUNT, &count, sizeof(count)),
                ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    /* Once. */
    CHECK_FAILS(WinHttpSetOption(NULL, WINHTTP_OPTION_WORKER_THREAD_COUNT, &count, sizeof(count)),
                ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_WORKS(WinHttpQueryOption(it.request, WINHTTP_OPTION_WORKER_THREAD_COUNT, &count, &size));
    CHECK_EQ(count, 0);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK_FAILS(WinHttpSetOption(NULL, WINHTTP_OPTION_WORKER_THREAD_COUNT, &count, sizeof(count)),
                ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, 1));
    trio_close_async(&it, 1);
}

TEST(test_sequences__non_blocking_callbacks)
{
    struct trio it;
    BOOL promise = TRUE;
    DWORD size = sizeof(promise);
    open_it(&it, 1, NULL, WINHTTP_FLAG_ASYNC, 1, NULL);
    CHECK_WORKS(WinHttpSetOption(it.session, WINHTTP_OPTION_ASSURED_NON_BLOCKING_CALLBACKS, &promise, size));
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_ASSURED_NON_BLOCKING_CALLBACKS, &promise, 1),
                ERROR_INSUFFICIENT_BUFFER);
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_ASSURED_NON_BLOCKING_CALLBACKS, &promise, size),
                ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpSetOption(it.connect, WINHTTP_OPTION_ASSURED_NON_BLOCKING_CALLBACKS, &promise, size),
                ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpQueryOption(it.session, WINHTTP_OPTION_ASSURED_NON_BLOCKING_CALLBACKS, &promise, &size),
                ERROR_INVALID_PARAMETER);
    trio_close(&it);
}

/* S1, and the handles before and after it. */
TEST(test_sequences__synchronous_get)
{
    struct trio it;
    char text[16];
    DWORD number;
    STAGE(stage, {READ, NULL}, {SAY, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"}, {GO, NULL}, {SAY, "123456789"});
    open_it(&it, stage.port, NULL, 0, 11, NULL);
    TOLD(11, "CREATED A, CREATED A");
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    TOLD(11, COLD_A "SENDING A, SENT A");
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    TOLD(11, "RECEIVING A, RECEIVED A");
    SetEvent(stage.go);
    CHECK_WORKS(WinHttpQueryDataAvailable(it.request, &number));
    TOLD(11, "RECEIVING A, RECEIVED A");
    CHECK_EQ(number, 9);
    CHECK_WORKS(WinHttpReadData(it.request, text, 16, &number));
    CHECK_WORKS(WinHttpReadData(it.request, text, 16, &number));
    CHECK_EQ(number, 0);
    TOLD(11, "");
    trio_close(&it);
    TOLD(11, "CLOSING A, CLOSING A, CLOSING A");
    stage_end(&stage);
}

/* S2: nothing is there when it is asked for. */
TEST(test_sequences__asynchronous_get_that_waits)
{
    /* A bit for each call that has completed on this thread. */
    int round, first = 0;
    for (round = 0; round < 100 && first != 7; round++) {
        struct trio it;
        static char text[16];
        STAGE(stage, {READ, NULL}, {GO, NULL}, {SAY, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n12345"}, {GO, NULL},
              {SAY, "67"}, {GO, NULL}, {SAY, "89"});
        open_it(&it, stage.port, NULL, WINHTTP_FLAG_ASYNC, 12, NULL);
        TOLD(12, "CREATED A, CREATED A");
        CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
        CHECK(note_wait(12, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
        TOLD(12, COLD_W SENT_W);
        settle(round);
        CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
        SetEvent(stage.go);
        CHECK(note_wait(12, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
        first |= EITHER(12, "RECEIVING A, RECEIVED W, HEADERS W", "RECEIVING W, RECEIVED W, HEADERS W");
        settle(round);
        CHECK_DONE_OR_PENDING(WinHttpQueryDataAvailable(it.request, NULL), 12, WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE);
        first |= EITHER(12, "DATA(5) A", "DATA(5) W") << 1;
        settle(round);
        CHECK_DONE_OR_PENDING(WinHttpReadData(it.request, text, 5, NULL), 12, WINHTTP_CALLBACK_STATUS_READ_COMPLETE);
        first |= EITHER(12, "READ(5) A", "READ(5) W") << 2;
        SetLastError(0);
        CHECK(WinHttpQueryDataAvailable(it.request, NULL));
        CHECK_EQ(GetLastError(), ERROR_IO_PENDING);
        SetEvent(stage.go);
        CHECK(note_wait(12, WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE, 1));
        TOLD(12, "RECEIVING W, RECEIVED W, DATA(2) W");
        SetLastError(0);
        CHECK(WinHttpReadData(it.request, text + 5, 4, NULL));
        CHECK_EQ(GetLastError(), ERROR_IO_PENDING);
        SetEvent(stage.go);
        CHECK(note_wait(12, WINHTTP_CALLBACK_STATUS_READ_COMPLETE, 1));
        TOLD(12, "RECEIVING W, RECEIVED W, READ(4) W");
        CHECK_BYTES(text, 9, "123456789");
        CHECK_DONE_OR_PENDING(WinHttpReadData(it.request, text, 4, NULL), 12, WINHTTP_CALLBACK_STATUS_READ_COMPLETE);
        EITHER(12, "READ(0) A", "READ(0) W");
        CHECK_DONE_OR_PENDING(WinHttpQueryDataAvailable(it.request, NULL), 12, WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE);
        EITHER(12, "DATA(0) A", "DATA(0) W");
        trio_close_async(&it, 12);
        stage_end(&stage);
    }
    CHECK_EQ(first, 7);
}

/* S2: everything is there already. */
static HANDLE answered;

static DWORD WINAPI answer_at_once(void *argument)
{
    struct server *it = argument;
    char text[4096];
    int peer = (int)accept(it->listener, NULL, NULL);
    if (serve_read(it, peer, text, sizeof(text)))
        send(peer, OK_HELLO, strlen(OK_HELLO), MSG_NOSIGNAL);
    SetEvent(answered);
    WaitForSingleObject(it->ended, 10000);
    close(peer);
    return 0;
}

TEST(test_sequences__asynchronous_get_of_what_is_there)
{
    int round, first = 0;
    answered = CreateEventW(NULL, FALSE, FALSE, NULL);
    for (round = 0; round < 100 && !first; round++) {
        struct trio it;
        struct server server;
        struct sockaddr_in address;
        socklen_t size = sizeof(address);
        HANDLE thread;
        server.listener = (int)socket(AF_INET, SOCK_STREAM, 0);
        client_address(&address, 0);
        REQUIRE(bind(server.listener, (struct sockaddr *)&address, sizeof(address)) == 0);
        REQUIRE(listen(server.listener, 1) == 0);
        REQUIRE(getsockname(server.listener, (struct sockaddr *)&address, &size) == 0);
        server.ended = CreateEventW(NULL, TRUE, FALSE, NULL);
        thread = CreateThread(NULL, 0, answer_at_once, &server, 0, NULL);
        open_it(&it, ntohs(address.sin_port), NULL, WINHTTP_FLAG_ASYNC, 13, NULL);
        CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
        CHECK(note_wait(13, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
        CHECK_EQ(WaitForSingleObject(answered, 10000), WAIT_OBJECT_0);
        TOLD(13, "CREATED A, CREATED A, " COLD_W SENT_W);
        settle(round);
        CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
        CHECK(note_wait(13, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
        first = EITHER(13, "RECEIVING A, RECEIVED A, HEADERS A", "RECEIVING W, RECEIVED W, HEADERS W");
        trio_close_async(&it, 13);
        SetEvent(server.ended);
        CHECK_EQ(WaitForSingleObject(thread, 10000), WAIT_OBJECT_0);
        CloseHandle(thread);
        CloseHandle(server.ended);
        close(server.listener);
    }
    CHECK(first);
    CloseHandle(answered);
}

/* S2: the response is asked for before SendRequest has completed, from inside its notifications. */
static DWORD early;

static void receive_early(const struct note *it)
{
    if (it->status == early) {
        CHECK_WORKS(WinHttpReceiveResponse(it->handle, NULL));
        /* Once is enough. */
        CHECK_FAILS(WinHttpReceiveResponse(it->handle, NULL), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    }
}

TEST(test_sequences__receive_from_inside_the_send)
{
    static const DWORD moments[] = {WINHTTP_CALLBACK_STATUS_SENDING_REQUEST, WINHTTP_CALLBACK_STATUS_REQUEST_SENT};
    size_t at;
    for (at = 0; at < COUNT(moments); at++) {
        struct trio it;
        STAGE(stage, {READ, NULL}, {SAY, OK_HELLO});
        early = moments[at];
        open_it(&it, stage.port, NULL, WINHTTP_FLAG_ASYNC, 14, receive_early);
        CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
        CHECK(note_wait(14, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
        TOLD(14, "CREATED A, CREATED A, " COLD_W SENT_W ", RECEIVING W, RECEIVED W, HEADERS W");
        trio_close_async(&it, 14);
        stage_end(&stage);
    }
}

/* S3 and S4: a body with the request, and one by WriteData. */
TEST(test_sequences__uploads)
{
    int is_async;
    for (is_async = 0; is_async < 2; is_async++) {
        struct trio it;
        DWORD written = 0;
        STAGE(stage, {READ, NULL}, {SAY, OK_HELLO}, {READ, NULL}, {SAY, OK_HELLO});
        open_it(&it, stage.port, W("POST"), is_async ? WINHTTP_FLAG_ASYNC : 0, 15, NULL);
        CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, (void *)"12345", 5, 5, 0));
        if (is_async)
            CHECK(note_wait(15, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
        TOLD(15, is_async ? "CREATED A, CREATED A, " COLD_W SENT_W : "CREATED A, CREATED A, " COLD_A "SENDING A, SENT A");
        CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
        if (is_async)
            CHECK(note_wait(15, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
        notes_clear(NULL);
        CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, (void *)"1", 1, 5, 0));
        if (is_async)
            CHECK(note_wait(15, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
        TOLD(15, is_async ? SENT_W : "SENDING A, SENT A");
        CHECK_WORKS(WinHttpWriteData(it.request, "23", 2, &written));
        if (is_async)
            CHECK(note_wait(15, WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE, 1));
        else
            CHECK_EQ(written, 2);
        TOLD(15, is_async ? "WRITE(2) W" : "");
        CHECK_WORKS(WinHttpWriteData(it.request, "45", 2, &written));
        if (is_async)
            CHECK(note_wait(15, WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE, 1));
        TOLD(15, is_async ? "WRITE(2) W" : "");
        CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
        if (is_async)
            CHECK(note_wait(15, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
        CHECK_BYTES(told_to(15, 0), strlen(told_to(15, 0)), is_async ? "RECEIVING, RECEIVED, HEADERS" : "RECEIVING, RECEIVED");
        if (is_async)
            trio_close_async(&it, 15);
        else
            trio_close(&it);
        stage_end(&stage);
    }
}

/* S5: the caller frames the chunks. */
TEST(test_sequences__chunks_of_the_caller)
{
    struct trio it;
    STAGE(stage, {READ, NULL}, {SAY, OK_HELLO});
    open_it(&it, stage.port, W("POST"), WINHTTP_FLAG_ASYNC, 16, NULL);
    CHECK_WORKS(WinHttpSendRequest(it.request, W("Transfer-Encoding: chunked"), (DWORD)-1, NULL, 0,
                                   WINHTTP_IGNORE_REQUEST_TOTAL_LENGTH, 0));
    CHECK(note_wait(16, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    TOLD(16, "CREATED A, CREATED A, " COLD_W SENT_W);
    CHECK_WORKS(WinHttpWriteData(it.request, "3\r\nabc\r\n", 8, NULL));
    CHECK(note_wait(16, WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE, 1));
    CHECK_WORKS(WinHttpWriteData(it.request, "0\r\n\r\n", 5, NULL));
    CHECK(note_wait(16, WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE, 2));
    TOLD(16, "WRITE(8) W, WRITE(5) W");
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    CHECK(note_wait(16, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
    trio_close_async(&it, 16);
    stage_end(&stage);
}

/* S6: a redirect on the same connection. */
#define MOVED "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 4\r\n\r\ngone"

TEST(test_sequences__redirect)
{
    struct trio it;
    STAGE(stage, {READ, NULL}, {SAY, MOVED}, {READ, NULL}, {SAY, OK_HELLO});
    open_it(&it, stage.port, NULL, 0, 17, NULL);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    notes_clear(NULL);
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    TOLD(17, "RECEIVING A, RECEIVED A, REDIRECT A, SENDING A, SENT A, RECEIVING A, RECEIVED A");
    trio_close(&it);
    stage_end(&stage);
}

TEST(test_sequences__asynchronous_redirect)
{
    int round, first = 0;
    for (round = 0; round < 100 && !first; round++) {
        struct trio it;
        STAGE(stage, {READ, NULL}, {SAY, MOVED}, {READ, NULL}, {GO, NULL}, {SAY, OK_HELLO});
        open_it(&it, stage.port, NULL, WINHTTP_FLAG_ASYNC, 18, NULL);
        CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
        CHECK(note_wait(18, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
        /* So that it is there, most of the time. */
        Sleep(round);
        notes_clear(NULL);
        CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
        SetEvent(stage.go);
        CHECK(note_wait(18, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
        {
            const char *told = told_to(18, 0);
            CHECK_BYTES(told, strlen(told), "RECEIVING, RECEIVED, REDIRECT, SENDING, SENT, RECEIVING, RECEIVED, HEADERS");
        }
        first = strcmp(told_to(18, 1), "RECEIVING A, RECEIVED A, REDIRECT A, SENDING W, SENT W, RECEIVING W, RECEIVED W, "
                                       "HEADERS W") == 0;
        trio_close_async(&it, 18);
        stage_end(&stage);
    }
    CHECK(first);
}

/* S9, without credentials: a 401 is an answer like another, and the handle can be sent again. */
TEST(test_sequences__unauthorized)
{
    struct trio it;
    STAGE(stage, {READ, NULL},
          {SAY, "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"r\"\r\nContent-Length: 5\r\n\r\nno..."}, {READ, NULL},
          {SAY, OK_HELLO});
    open_it(&it, stage.port, NULL, WINHTTP_FLAG_ASYNC, 19, NULL);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK(note_wait(19, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK(note_wait(19, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
    CHECK_EQ(status_of(it.request), 401);
    notes_clear(NULL);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK(note_wait(19, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    TOLD(19, SENT_W);
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK(note_wait(19, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
    CHECK_EQ(status_of(it.request), 200);
    trio_close_async(&it, 19);
    stage_end(&stage);
}

/* S10: the request asks for the connection to close, which is announced before the last read completes; a response
 * that asks for it changes nothing. */
TEST(test_sequences__connection_close)
{
    int by_request, is_async;
    for (by_request = 0; by_request < 2; by_request++)
        for (is_async = 0; is_async < 2; is_async++) {
            struct trio it;
            static char text[16];
            DWORD number;
            STAGE(stage, {READ, NULL}, {SAY, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"});
            open_it(&it, stage.port, NULL, is_async ? WINHTTP_FLAG_ASYNC : 0, 20, NULL);
            CHECK(WinHttpSendRequest(it.request, by_request ? W("Connection: close") : NULL, 0, NULL, 0, 0, 0));
            if (is_async)
                CHECK(note_wait(20, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
            CHECK(WinHttpReceiveResponse(it.request, NULL));
            if (is_async)
                CHECK(note_wait(20, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
            notes_clear(NULL);
            CHECK(WinHttpReadData(it.request, text, 16, is_async ? NULL : &number));
            if (is_async)
                CHECK(note_wait(20, WINHTTP_CALLBACK_STATUS_READ_COMPLETE, 1));
            CHECK(WinHttpReadData(it.request, text, 16, is_async ? NULL : &number));
            if (is_async)
                CHECK(note_wait(20, WINHTTP_CALLBACK_STATUS_READ_COMPLETE, 2));
            {
                const char *told = told_to(20, 0), *end = by_request ? "CLOSING_CONNECTION, CONNECTION_CLOSED" : "";
                char wanted[128];
                snprintf(wanted, sizeof(wanted), "%s%s%s", end, *end && is_async ? ", " : "", is_async ? "READ(5), READ(0)" : "");
                CHECK_BYTES(told, strlen(told), wanted);
            }
            if (is_async)
                trio_close_async(&it, 20);
            else
                trio_close(&it);
            stage_end(&stage);
        }
}

/* S11: what comes before each failure. */
static void fail(const struct step *steps, int count, const char *synchronous, const char *asynchronous, DWORD error)
{
    int is_async;
    for (is_async = 0; is_async < 2; is_async++) {
        struct trio it;
        struct stage stage;
        DWORD limit = 200;
        stage_start(&stage, steps, count);
        open_it(&it, stage.port, NULL, is_async ? WINHTTP_FLAG_ASYNC : 0, 21, NULL);
        CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_RECEIVE_TIMEOUT, &limit, sizeof(limit)));
        CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
        if (is_async)
            CHECK(note_wait(21, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
        notes_clear(NULL);
        if (is_async) {
            CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
            CHECK(note_wait(21, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, 1));
        } else
            CHECK_FAILS(WinHttpReceiveResponse(it.request, NULL), error);
        {
            const char *told = told_to(21, 0);
            CHECK_BYTES(told, strlen(told), is_async ? asynchronous : synchronous);
        }
        CHECK_FAILS(WinHttpReadData(it.request, &limit, 1, NULL), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
        if (is_async)
            trio_close_async(&it, 21);
        else
            trio_close(&it);
        stage_end(&stage);
    }
}

TEST(test_sequences__failures_of_the_response)
{
    static const struct step closed[] = {{READ, NULL}, {LEAVE, NULL}};
    static const struct step garbage[] = {{READ, NULL}, {SAY, "SMTP ready\r\n\r\n"}};
    static const struct step silence[] = {{READ, NULL}};
    static const struct step nowhere[] = {{READ, NULL}, {SAY, "HTTP/1.1 302 Found\r\nLocation: ftp://x/\r\nContent-Length: 0\r\n\r\n"}};
    fail(closed, 2, "RECEIVING", "RECEIVING, ERROR(1,12030)", ERROR_WINHTTP_CONNECTION_ERROR);
    fail(garbage, 2, "RECEIVING, RECEIVED", "RECEIVING, RECEIVED, ERROR(1,12152)", ERROR_WINHTTP_INVALID_SERVER_RESPONSE);
    fail(silence, 1, "RECEIVING", "RECEIVING, ERROR(1,12002)", ERROR_WINHTTP_TIMEOUT);
    fail(nowhere, 2, "RECEIVING, RECEIVED", "RECEIVING, RECEIVED, ERROR(1,12156)", ERROR_WINHTTP_REDIRECT_FAILED);
}

TEST(test_sequences__connection_refused)
{
    struct trio it;
    open_it(&it, free_port(), NULL, WINHTTP_FLAG_ASYNC, 22, NULL);
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK(note_wait(22, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, 1));
    TOLD(22, "CREATED A, CREATED A, RESOLVING W, RESOLVED W, CONNECTING W, ERROR(5,12029) W");
    trio_close_async(&it, 22);
    open_it(&it, free_port(), NULL, 0, 23, NULL);
    CHECK_FAILS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0), ERROR_WINHTTP_CANNOT_CONNECT);
    TOLD(23, "CREATED A, CREATED A, RESOLVING A, RESOLVED A, CONNECTING A");
    CHECK_FAILS(WinHttpReceiveResponse(it.request, NULL), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    trio_close(&it);
}

/* Only what the mask names is told, and it does not change what the calls leave. */
TEST(test_sequences__masks)
{
    struct trio it;
    static char text[16];
    STAGE(stage, {READ, NULL}, {SAY, OK_HELLO});
    open_it(&it, stage.port, NULL, WINHTTP_FLAG_ASYNC, 24, NULL);
    CHECK(WinHttpSetStatusCallback(it.request, record, WINHTTP_CALLBACK_FLAG_ALL_COMPLETIONS, 0) == record);
    notes_clear(NULL);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK(note_wait(24, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK(note_wait(24, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
    CHECK(WinHttpReadData(it.request, text, 16, NULL));
    CHECK(note_wait(24, WINHTTP_CALLBACK_STATUS_READ_COMPLETE, 1));
    CHECK(WinHttpCloseHandle(it.request));
    CHECK(WinHttpCloseHandle(it.connect));
    CHECK(note_wait(24, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1));
    CHECK(WinHttpSetStatusCallback(it.session, record, WINHTTP_CALLBACK_FLAG_REDIRECT, 0) == record);
    CHECK(WinHttpCloseHandle(it.session));
    CHECK_TOLD_SOMEWHERE(24, "SEND_COMPLETE, HEADERS, READ(5), CLOSING");
    stage_end(&stage);
}

/* The context of SendRequest holds whatever becomes of the call, 0 leaves the one before. */
TEST(test_sequences__context)
{
    struct trio it;
    DWORD_PTR context = 0;
    DWORD size = sizeof(context);
    open_it(&it, free_port(), NULL, WINHTTP_FLAG_ASYNC, 25, NULL);
    CHECK_FAILS(WinHttpSendRequest(it.request, NULL, 0, (void *)"12", 2, 1, 26), ERROR_INVALID_PARAMETER);
    CHECK(WinHttpQueryOption(it.request, WINHTTP_OPTION_CONTEXT_VALUE, &context, &size));
    CHECK_EQ(context, 26);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 27));
    CHECK(note_wait(27, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, 1));
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK(note_wait(27, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, 2));
    CHECK(WinHttpCloseHandle(it.request));
    CHECK(note_wait(27, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1));
    CHECK_EQ(note_find(25, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR), 0);
    CHECK(WinHttpCloseHandle(it.connect));
    CHECK(WinHttpCloseHandle(it.session));
}

/* The unload event: not while anything is open or a callback runs. */
static HANDLE unloaded, may_return;

static void linger(const struct note *it)
{
    if (it->status == WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING && it->context == 28)
        WaitForSingleObject(may_return, 10000);
}

static DWORD WINAPI close_request(void *request)
{
    WinHttpCloseHandle(request);
    return 0;
}

TEST(test_sequences__unload_event)
{
    struct trio it;
    HANDLE thread;
    DWORD_PTR other = 29;
    STAGE(stage, {READ, NULL});
    unloaded = CreateEventW(NULL, TRUE, FALSE, NULL);
    may_return = CreateEventW(NULL, TRUE, FALSE, NULL);
    open_it(&it, stage.port, NULL, WINHTTP_FLAG_ASYNC, 28, linger);
    CHECK(WinHttpSetOption(it.session, WINHTTP_OPTION_CONTEXT_VALUE, &other, sizeof(other)));
    CHECK(WinHttpSetOption(it.connect, WINHTTP_OPTION_CONTEXT_VALUE, &other, sizeof(other)));
    CHECK_WORKS(WinHttpSetOption(it.session, WINHTTP_OPTION_UNLOAD_NOTIFY_EVENT, &unloaded, sizeof(unloaded)));
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK(note_wait(28, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK(WinHttpCloseHandle(it.session));
    CHECK(WinHttpCloseHandle(it.connect));
    CHECK_EQ(WaitForSingleObject(unloaded, 0), WAIT_TIMEOUT);
    thread = CreateThread(NULL, 0, close_request, it.request, 0, NULL);
    CHECK(note_wait(28, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1));
    CHECK_EQ(WaitForSingleObject(unloaded, 20), WAIT_TIMEOUT);
    SetEvent(may_return);
    CHECK_EQ(WaitForSingleObject(unloaded, 2000), WAIT_OBJECT_0);
    CHECK_EQ(WaitForSingleObject(thread, 10000), WAIT_OBJECT_0);
    CloseHandle(thread);
    CloseHandle(unloaded);
    CloseHandle(may_return);
    stage_end(&stage);
}

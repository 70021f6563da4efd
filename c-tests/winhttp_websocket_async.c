/* WebSockets, asynchronous: every notification in its order and on its thread, and the end with everything pending.
 * gate: thread */
#include "winhttp_websocket.h"
#include <time.h>

/* As `record`, with what WebSockets are told. */
static void CALLBACK ws_record(HINTERNET handle, DWORD_PTR context, DWORD status, LPVOID information, DWORD length)
{
    struct note it = {handle, context, status, GetCurrentThreadId(), length, 0, 0};
    if (status == WINHTTP_CALLBACK_STATUS_REQUEST_ERROR && length == sizeof(WINHTTP_WEB_SOCKET_ASYNC_RESULT)) {
        const WINHTTP_WEB_SOCKET_ASYNC_RESULT *result = information;
        CHECK_EQ(result->AsyncResult.dwResult, 0);
        it.number = result->AsyncResult.dwError;
        it.api = (DWORD_PTR)result->Operation;
    } else if (status == WINHTTP_CALLBACK_STATUS_REQUEST_ERROR) {
        it.number = ((WINHTTP_ASYNC_RESULT *)information)->dwError;
        it.api = ((WINHTTP_ASYNC_RESULT *)information)->dwResult;
    } else if (status == WINHTTP_CALLBACK_STATUS_READ_COMPLETE || status == WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE) {
        const WINHTTP_WEB_SOCKET_STATUS *done = information;
        CHECK_EQ(length, sizeof(*done));
        it.number = done->dwBytesTransferred;
        it.api = (DWORD_PTR)done->eBufferType;
    } else if (status == WINHTTP_CALLBACK_STATUS_CLOSE_COMPLETE || status == WINHTTP_CALLBACK_STATUS_SHUTDOWN_COMPLETE)
        CHECK(!information && !length);
    AcquireSRWLockExclusive(&note_lock);
    if (note_count < NOTES)
        notes[note_count++] = it;
    ReleaseSRWLockExclusive(&note_lock);
    if (on_note)
        on_note(&it);
    SetEvent(note_made);
}

static const char *ws_told(DWORD_PTR context, int threads)
{
    static char text[4096];
    char room[64];
    size_t have = 0;
    int at;
    text[0] = 0;
    AcquireSRWLockShared(&note_lock);
    for (at = 0; at < note_count; at++) {
        const struct note *it = &notes[at];
        const char *name = room;
        if (it->context != context || have + 100 > sizeof(text))
            continue;
        if (it->status == WINHTTP_CALLBACK_STATUS_READ_COMPLETE)
            sprintf(room, "READ(%u,%u)", (unsigned)it->number, (unsigned)it->api);
        else if (it->status == WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE)
            sprintf(room, "WRITE(%u,%u)", (unsigned)it->number, (unsigned)it->api);
        else if (it->status == WINHTTP_CALLBACK_STATUS_CLOSE_COMPLETE)
            name = "CLOSED";
        else if (it->status == WINHTTP_CALLBACK_STATUS_SHUTDOWN_COMPLETE)
            name = "SHUT";
        else
            name = note_name(it, room);
        have += (size_t)sprintf(text + have, "%s%s%s", have ? ", " : "", name,
                                !threads ? "" : it->thread == main_thread ? " A" : " W");
    }
    ReleaseSRWLockShared(&note_lock);
    return text;
}
#define CHECK_WS(CONTEXT, WANTED)                                                                                      \
    do {                                                                                                               \
        const char *told = ws_told(CONTEXT, 1);                                                                        \
        CHECK_BYTES(told, strlen(told), WANTED);                                                                       \
    } while (0)
#define CHECK_WS_SOMEWHERE(CONTEXT, WANTED)                                                                            \
    do {                                                                                                               \
        const char *told = ws_told(CONTEXT, 0);                                                                        \
        CHECK_BYTES(told, strlen(told), WANTED);                                                                       \
    } while (0)

#define WS 2

/* An asynchronous socket with context WS; its request, with context 1, is closed, and the notes start afresh. */
static HINTERNET ws_open_async(struct trio *it, int port, void (*inside)(const struct note *))
{
    HINTERNET socket;
    DWORD_PTR context = 1;
    notes_clear(NULL);
    trio_open(it, port, NULL, NULL, WINHTTP_FLAG_ASYNC);
    CHECK(WinHttpSetStatusCallback(it->request, ws_record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == NULL);
    CHECK(WinHttpSetOption(it->request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
    CHECK(WinHttpSetOption(it->request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, NULL, 0));
    CHECK_WORKS(WinHttpSendRequest(it->request, NULL, 0, NULL, 0, 0, 0));
    REQUIRE(note_wait(1, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK_WORKS(WinHttpReceiveResponse(it->request, NULL));
    REQUIRE(note_wait(1, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
    CHECK_EQ(status_of(it->request), 101);
    notes_clear(NULL);
    socket = WinHttpWebSocketCompleteUpgrade(it->request, WS);
    REQUIRE(socket != NULL);
    CHECK_WS(1, "CREATED A");
    CHECK(WinHttpCloseHandle(it->request));
    REQUIRE(note_wait(1, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1));
    it->request = socket;
    notes_clear(inside);
    return socket;
}

/* Closes what is left, and sees HANDLE_CLOSING come last, once. */
static void ws_close_async(struct trio *it)
{
    WinHttpCloseHandle(it->request);
    CHECK(WinHttpCloseHandle(it->connect));
    CHECK(WinHttpCloseHandle(it->session));
    CHECK(note_wait(WS, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1));
    CHECK_EQ(note_find(WS, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING), 1);
    AcquireSRWLockShared(&note_lock);
    CHECK(note_count > 0 && notes[note_count - 1].status == WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING);
    ReleaseSRWLockShared(&note_lock);
}

TEST(test_ws_async__sends_complete_at_once)
{
    struct trio it;
    HINTERNET ws;
    WS_SERVER(server, HEAR(0x81, "Hello"), HEAR(0x02, "a"), HEAR(0x80, ""), END);
    ws = ws_open_async(&it, server.port, NULL);
    SetLastError(0xdeadbeef);
    CHECK_EQ(WinHttpWebSocketSend(ws, TEXT_ALL, (void *)"Hello", 5), 0);
    CHECK_WS(WS, "WRITE(5,2) A");
    CHECK_EQ(WinHttpWebSocketSend(ws, BINARY_PART, (void *)"a", 1), 0);
    CHECK_EQ(WinHttpWebSocketSend(ws, TEXT_ALL, (void *)"b", 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, NULL, 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, NULL, 0), 0);
    CHECK_EQ(GetLastError(), 0xdeadbeef);
    CHECK_WS(WS, "WRITE(5,2) A, WRITE(1,1) A, WRITE(0,0) A");
    CHECK(WinHttpCloseHandle(ws));
    CHECK_WS(WS, "WRITE(5,2) A, WRITE(1,1) A, WRITE(0,0) A, CLOSING A");
    ws_close_async(&it);
    ws_end(&server);
}

TEST(test_ws_async__receives_wait_for_a_worker_or_find_it_there)
{
    struct trio it;
    HINTERNET ws;
    static char text[8], other[8];
    DWORD got = 7;
    WINHTTP_WEB_SOCKET_BUFFER_TYPE type = CLOSE_TYPE;
    WS_SERVER(server, AWAIT, SAY("\x81\x05Hello" "\x82\x03" "abc" "\x88\x02\x03\xE8"), END);
    ws = ws_open_async(&it, server.port, NULL);
    CHECK_EQ(WinHttpWebSocketReceive(ws, NULL, 8, &got, &type), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpWebSocketReceive(ws, text, 8, &got, &type), 0);
    CHECK_EQ(WinHttpWebSocketReceive(ws, other, 8, &got, &type), ERROR_INVALID_OPERATION);
    CHECK_WS(WS, "");
    SetEvent(server.go);
    CHECK(note_wait(WS, WINHTTP_CALLBACK_STATUS_READ_COMPLETE, 1));
    CHECK_WS(WS, "READ(5,2) W");
    CHECK_BYTES(text, 5, "Hello");
    CHECK_EQ(WinHttpWebSocketReceive(ws, text, 2, &got, &type), 0);
    CHECK_EQ(WinHttpWebSocketReceive(ws, text + 2, 2, &got, &type), 0);
    CHECK_EQ(WinHttpWebSocketReceive(ws, text, 2, &got, &type), 0);
    CHECK_WS(WS, "READ(5,2) W, READ(2,1) A, READ(1,0) A, READ(0,4) A");
    CHECK(got == 7 && type == CLOSE_TYPE);
    CHECK_BYTES(text, 3, "abc");
    CHECK_EQ(WinHttpWebSocketReceive(ws, text, 8, NULL, NULL), ERROR_INVALID_OPERATION);
    CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, NULL, 0), ERROR_INVALID_OPERATION);
    /* The server's close frame is there already. */
    notes_clear(NULL);
    CHECK_EQ(WinHttpWebSocketClose(ws, 1000, NULL, 0), 0);
    CHECK_WS(WS, "CLOSED A");
    CHECK_EQ(WinHttpWebSocketClose(ws, 1000, NULL, 0), ERROR_INVALID_OPERATION);
    CHECK_EQ(WinHttpWebSocketShutdown(ws, 1000, NULL, 0), ERROR_INVALID_OPERATION);
    ws_close_async(&it);
    /* A worker that has just told of the first receive may be the one that says goodbye. */
    CHECK_WS_SOMEWHERE(WS, "CLOSED, CLOSING");
    ws_end(&server);
}

/* Fills the socket until a send has to wait. */
static char large[8 << 20];

TEST(test_ws_async__a_send_that_waits)
{
    struct trio it;
    HINTERNET ws;
    WS_SERVER(server, AWAIT, END);
    ws = ws_open_async(&it, server.port, NULL);
    CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, large, sizeof(large)), 0);
    CHECK_WS(WS, "");
    CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, NULL, 0), ERROR_INVALID_OPERATION);
    CHECK_EQ(WinHttpWebSocketShutdown(ws, 1000, NULL, 0), ERROR_INVALID_OPERATION);
    CHECK_EQ(WinHttpWebSocketClose(ws, 1000, NULL, 0), ERROR_INVALID_OPERATION);
    SetEvent(server.go);
    CHECK(note_wait(WS, WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE, 1));
    CHECK_WS(WS, "WRITE(8388608,0) W");
    CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, NULL, 0), 0);
    CHECK(note_wait(WS, WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE, 2));
    ws_close_async(&it);
    ws_end(&server);
    CHECK_EQ(server.heard, sizeof(large) + 14 + 6);
}

TEST(test_ws_async__shutdown_while_a_receive_waits)
{
    struct trio it;
    HINTERNET ws;
    static char text[8];
    USHORT status = 0;
    DWORD used;
    WS_SERVER(server, HEAR(0x88, "\x03\xE9" "bye"), AWAIT, SAY("\x88\x05\x03\xE9you"), END);
    ws = ws_open_async(&it, server.port, NULL);
    CHECK_EQ(WinHttpWebSocketReceive(ws, text, 8, NULL, NULL), 0);
    CHECK_EQ(WinHttpWebSocketShutdown(ws, 1001, (void *)"bye", 3), 0);
    CHECK_WS(WS, "SHUT A");
    SetEvent(server.go);
    CHECK(note_wait(WS, WINHTTP_CALLBACK_STATUS_READ_COMPLETE, 1));
    CHECK_WS(WS, "SHUT A, READ(0,4) W");
    CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, NULL, 0), ERROR_INVALID_OPERATION);
    CHECK_EQ(WinHttpWebSocketShutdown(ws, 1001, NULL, 0), ERROR_INVALID_OPERATION);
    CHECK_EQ(WinHttpWebSocketQueryCloseStatus(ws, &status, text, 8, &used), 0);
    CHECK(status == 1001 && used == 3);
    /* Nothing is sent again. */
    CHECK_EQ(WinHttpWebSocketClose(ws, 1000, NULL, 0), 0);
    CHECK(note_wait(WS, WINHTTP_CALLBACK_STATUS_CLOSE_COMPLETE, 1));
    CHECK_WS(WS, "SHUT A, READ(0,4) W, CLOSED A");
    ws_close_async(&it);
    ws_end(&server);
    CHECK_EQ(server.heard, 0);
}

TEST(test_ws_async__close_while_a_receive_waits)
{
    struct trio it;
    HINTERNET ws;
    static char text[8];
    WS_SERVER(server, HEAR(0x88, "\x03\xE8"), AWAIT, SAY("\x81\x04late\x88\x00"), END);
    ws = ws_open_async(&it, server.port, NULL);
    CHECK_EQ(WinHttpWebSocketReceive(ws, text, 8, NULL, NULL), 0);
    CHECK_EQ(WinHttpWebSocketClose(ws, 1000, NULL, 0), 0);
    CHECK_WS(WS, "ERROR(1,12017) A");
    CHECK_EQ(WinHttpWebSocketReceive(ws, text, 8, NULL, NULL), ERROR_INVALID_OPERATION);
    CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, NULL, 0), ERROR_INVALID_OPERATION);
    SetEvent(server.go);
    CHECK(note_wait(WS, WINHTTP_CALLBACK_STATUS_CLOSE_COMPLETE, 1));
    CHECK_WS(WS, "ERROR(1,12017) A, CLOSED W");
    ws_close_async(&it);
    ws_end(&server);
}

TEST(test_ws_async__the_handle_closes_while_things_wait)
{
    struct trio it;
    HINTERNET ws;
    static char text[8];
    static const struct play plays[] = {STEPS(END), STEPS(HEAR(0x88, "\x03\xE8"), END), STEPS(AWAIT, END), STEPS(AWAIT, END)};
    struct ws_server server;
    ws_start(&server, plays, 4);
    ws = ws_open_async(&it, server.port, NULL);
    CHECK_EQ(WinHttpWebSocketReceive(ws, text, 8, NULL, NULL), 0);
    CHECK(WinHttpCloseHandle(ws));
    ws_close_async(&it);
    CHECK_WS(WS, "ERROR(1,12017) A, CLOSING A");
    ws = ws_open_async(&it, server.port, NULL);
    CHECK_EQ(WinHttpWebSocketClose(ws, 1000, NULL, 0), 0);
    CHECK(WinHttpCloseHandle(ws));
    ws_close_async(&it);
    CHECK_WS(WS, "ERROR(2,12017) A, CLOSING A");
    ws = ws_open_async(&it, server.port, NULL);
    CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, large, sizeof(large)), 0);
    CHECK(WinHttpCloseHandle(ws));
    ws_close_async(&it);
    CHECK_WS(WS, "ERROR(0,12017) A, CLOSING A");
    SetEvent(server.go);
    ws = ws_open_async(&it, server.port, NULL);
    CHECK_EQ(WinHttpWebSocketReceive(ws, text, 8, NULL, NULL), 0);
    CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, large, sizeof(large)), 0);
    CHECK(WinHttpCloseHandle(ws));
    ws_close_async(&it);
    CHECK_WS(WS, "ERROR(1,12017) A, ERROR(0,12017) A, CLOSING A");
    SetEvent(server.go);
    ws_end(&server);
}

/* The whole of it in callbacks, as programs do: the upgrade is completed when the head is there. */
static HINTERNET made;

static void upgrade_inside(const struct note *it)
{
    static char text[8];
    if (it->context == 1 && it->status == WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE)
        CHECK(WinHttpReceiveResponse(it->handle, NULL));
    else if (it->context == 1 && it->status == WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE) {
        made = WinHttpWebSocketCompleteUpgrade(it->handle, WS);
        CHECK(made != NULL);
        CHECK(WinHttpCloseHandle(it->handle));
        CHECK_EQ(WinHttpWebSocketReceive(made, text, sizeof(text), NULL, NULL), 0);
        CHECK_EQ(WinHttpWebSocketSend(made, TEXT_ALL, (void *)"Hello", 5), 0);
    } else if (it->status == WINHTTP_CALLBACK_STATUS_READ_COMPLETE)
        CHECK_EQ(WinHttpWebSocketClose(it->handle, 1000, NULL, 0), 0);
    else if (it->status == WINHTTP_CALLBACK_STATUS_CLOSE_COMPLETE)
        CHECK(WinHttpCloseHandle(it->handle));
}

TEST(test_ws_async__everything_in_callbacks)
{
    struct trio it;
    DWORD_PTR context = 1;
    WS_SERVER(server, HEAR(0x81, "Hello"), SAY("\x81\x05Hello"), HEAR(0x88, "\x03\xE8"), SAY("\x88\x00"), END);
    notes_clear(upgrade_inside);
    trio_open(&it, server.port, NULL, NULL, WINHTTP_FLAG_ASYNC);
    CHECK(WinHttpSetStatusCallback(it.request, ws_record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == NULL);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, NULL, 0));
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1));
    CHECK(note_wait(WS, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1));
    CHECK_WS_SOMEWHERE(WS, "WRITE(5,2), READ(5,2), CLOSED, CLOSING");
    CHECK(WinHttpCloseHandle(it.connect));
    CHECK(WinHttpCloseHandle(it.session));
    ws_end(&server);
}

TEST(test_ws_async__failures)
{
    struct trio it;
    HINTERNET ws;
    static char text[8];
    DWORD value;
    clock_t before;
    static const struct play plays[] = {STEPS(AWAIT), STEPS(AWAIT, SAY("\x83\x00"), HEAR(0x88, "\x03\xEA"), END),
                                        STEPS(HEAR(0x88, "\x03\xE8"), END), STEPS(HEAR(0x88, "\x03\xE8"), SAY("\xFF"), END)};
    struct ws_server server;
    ws_start(&server, plays, 4);
    ws = ws_open_async(&it, server.port, NULL);
    CHECK_EQ(WinHttpWebSocketReceive(ws, text, 8, NULL, NULL), 0);
    SetEvent(server.go);
    CHECK(note_wait(WS, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, 1));
    CHECK_WS(WS, "ERROR(1,12030) W");
    ws_close_async(&it);
    ws = ws_open_async(&it, server.port, NULL);
    CHECK_EQ(WinHttpWebSocketReceive(ws, text, 8, NULL, NULL), 0);
    SetEvent(server.go);
    CHECK(note_wait(WS, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, 1));
    CHECK_WS(WS, "ERROR(1,12152) W");
    ws_close_async(&it);
    /* Nobody answers the close frame; waiting for that, after a receive has, takes no computing. */
    ws = ws_open_async(&it, server.port, NULL);
    CHECK_EQ(WinHttpWebSocketReceive(ws, text, 8, NULL, NULL), 0);
    value = 400;
    before = clock();
    CHECK_WORKS(WinHttpSetOption(ws, WINHTTP_OPTION_WEB_SOCKET_CLOSE_TIMEOUT, &value, sizeof(value)));
    CHECK_EQ(WinHttpWebSocketClose(ws, 1000, NULL, 0), 0);
    CHECK(note_wait(WS, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, 2));
    CHECK_WS(WS, "ERROR(1,12017) A, ERROR(2,12002) W");
    CHECK((clock() - before) * 1000 / CLOCKS_PER_SEC < 200);
    ws_close_async(&it);
    ws = ws_open_async(&it, server.port, NULL);
    CHECK_EQ(WinHttpWebSocketClose(ws, 1000, NULL, 0), 0);
    CHECK(note_wait(WS, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, 1));
    CHECK_WS_SOMEWHERE(WS, "ERROR(2,12152)");
    ws_close_async(&it);
    ws_end(&server);
}

/* A send buffer that holds no frame is noticed on the way, and the request can be sent again. */
TEST(test_ws_async__an_upgrade_without_room)
{
    struct trio it;
    DWORD_PTR context = 1;
    DWORD size = 15;
    HINTERNET ws;
    WS_SERVER(server, END);
    notes_clear(NULL);
    trio_open(&it, server.port, NULL, NULL, WINHTTP_FLAG_ASYNC);
    CHECK(WinHttpSetStatusCallback(it.request, ws_record, WINHTTP_CALLBACK_FLAG_ALL_COMPLETIONS, 0) == NULL);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, NULL, 0));
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_WEB_SOCKET_SEND_BUFFER_SIZE, &size, sizeof(size)));
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    REQUIRE(note_wait(1, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, 1));
    CHECK_WS(1, "ERROR(5,8) W");
    size = 16;
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_WEB_SOCKET_SEND_BUFFER_SIZE, &size, sizeof(size)));
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    REQUIRE(note_wait(1, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    /* Not before the head is there. */
    CHECK_FAILS(WinHttpWebSocketCompleteUpgrade(it.request, WS), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    REQUIRE(note_wait(1, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
    ws = WinHttpWebSocketCompleteUpgrade(it.request, WS);
    CHECK(ws != NULL);
    CHECK(WinHttpCloseHandle(ws));
    CHECK(WinHttpCloseHandle(it.request));
    CHECK(WinHttpCloseHandle(it.connect));
    CHECK(WinHttpCloseHandle(it.session));
    ws_end(&server);
}

TEST(test_ws_async__a_send_that_is_not_taken)
{
    struct trio it;
    HINTERNET request, ws;
    DWORD value = 100;
    DWORD_PTR context = 1;
    WS_SERVER(server, AWAIT, END);
    notes_clear(NULL);
    trio_open(&it, server.port, NULL, NULL, WINHTTP_FLAG_ASYNC);
    request = it.request;
    CHECK(WinHttpSetStatusCallback(request, ws_record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == NULL);
    CHECK(WinHttpSetOption(request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
    CHECK(WinHttpSetOption(request, WINHTTP_OPTION_SEND_TIMEOUT, &value, sizeof(value)));
    CHECK(WinHttpSetOption(request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, NULL, 0));
    value = 15;
    CHECK(WinHttpSetOption(request, WINHTTP_OPTION_WEB_SOCKET_SEND_BUFFER_SIZE, &value, sizeof(value)));
    CHECK_WORKS(WinHttpSendRequest(request, NULL, 0, NULL, 0, 0, 0));
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, 1));
    CHECK_WS_SOMEWHERE(1, "ERROR(5,8)");
    value = 1000;
    CHECK(WinHttpSetOption(request, WINHTTP_OPTION_WEB_SOCKET_SEND_BUFFER_SIZE, &value, sizeof(value)));
    CHECK_WORKS(WinHttpSendRequest(request, NULL, 0, NULL, 0, 0, 0));
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK_WORKS(WinHttpReceiveResponse(request, NULL));
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
    ws = WinHttpWebSocketCompleteUpgrade(request, WS);
    CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, large, sizeof(large)), 0);
    CHECK(note_wait(WS, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, 1));
    CHECK_WS(WS, "ERROR(0,12002) W");
    SetEvent(server.go);
    CHECK(WinHttpCloseHandle(request));
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1));
    it.request = ws;
    ws_close_async(&it);
    ws_end(&server);
}

/* A state machine in callbacks alone. */
static char one_byte;
static LONG deepest, pieces;
static _Thread_local LONG depth;

static void drive(const struct note *it)
{
    LONG now = ++depth;
    if (now > deepest)
        deepest = now;
    if (it->status == WINHTTP_CALLBACK_STATUS_READ_COMPLETE && it->api != CLOSE_TYPE) {
        pieces++;
        CHECK_EQ(WinHttpWebSocketReceive(it->handle, &one_byte, 1, NULL, NULL), 0);
    } else if (it->status == WINHTTP_CALLBACK_STATUS_READ_COMPLETE)
        CHECK_EQ(WinHttpWebSocketClose(it->handle, 1000, NULL, 0), 0);
    else if (it->status == WINHTTP_CALLBACK_STATUS_CLOSE_COMPLETE)
        CHECK(WinHttpCloseHandle(it->handle));
    else if (it->status == WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING)
        CHECK_EQ(now, 1);
    depth--;
}

TEST(test_ws_async__completions_nest_three_deep_at_most)
{
    struct trio it;
    HINTERNET ws;
    WS_SERVER(server, SAY("\x81\x28" "0123456789012345678901234567890123456789\x88\x02\x03\xE8"), HEAR(0x88, "\x03\xE8"), END);
    deepest = pieces = 0;
    ws = ws_open_async(&it, server.port, drive);
    CHECK_EQ(WinHttpWebSocketReceive(ws, &one_byte, 1, NULL, NULL), 0);
    CHECK(note_wait(WS, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1));
    CHECK_EQ(pieces, 40);
    CHECK(deepest >= 2 && deepest <= 4);
    ws_close_async(&it);
    ws_end(&server);
}

static DWORD close_in;

static void close_inside(const struct note *it)
{
    if (it->status == close_in) {
        CHECK(WinHttpCloseHandle(it->handle));
        CHECK_EQ(note_find(WS, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING), 0);
    }
}

/* The handle closes inside each callback there is; what else waits is cancelled, and the goodbye comes after. */
TEST(test_ws_async__the_handle_closes_inside_a_callback)
{
    static const struct {
        DWORD status;
        const char *told;
    } cases[] = {
        {WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE, "WRITE(1,0), ERROR(1,12017), CLOSING"},
        {WINHTTP_CALLBACK_STATUS_READ_COMPLETE, "WRITE(1,0), READ(2,2), CLOSING"},
        {WINHTTP_CALLBACK_STATUS_SHUTDOWN_COMPLETE, "WRITE(1,0), READ(2,2), SHUT, CLOSING"},
        {WINHTTP_CALLBACK_STATUS_CLOSE_COMPLETE, "WRITE(1,0), READ(2,2), SHUT, CLOSED, CLOSING"},
    };
    size_t at;
    for (at = 0; at < COUNT(cases); at++) {
        struct trio it;
        HINTERNET ws;
        static char text[8];
        WS_SERVER(server, SKIP, AWAIT, SAY("\x81\x02ok"), SKIP, SAY("\x88\x00"), END);
        close_in = cases[at].status;
        ws = ws_open_async(&it, server.port, close_inside);
        CHECK_EQ(WinHttpWebSocketReceive(ws, text, 8, NULL, NULL), 0);
        WinHttpWebSocketSend(ws, BINARY, (void *)"1", 1);
        SetEvent(server.go);
        if (at > 0) {
            CHECK(note_wait(WS, WINHTTP_CALLBACK_STATUS_READ_COMPLETE, 1));
            if (at > 1)
                CHECK_EQ(WinHttpWebSocketShutdown(ws, 1000, NULL, 0), 0);
            if (at > 2)
                CHECK_EQ(WinHttpWebSocketClose(ws, 1000, NULL, 0), 0);
        }
        CHECK(note_wait(WS, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1));
        CHECK_WS_SOMEWHERE(WS, cases[at].told);
        ws_close_async(&it);
        ws_end(&server);
    }
}

/* Random moments: whatever runs, every operation completes once and the goodbye is the last. */
static void keep_busy(const struct note *it)
{
    static char text[4];
    if (it->status == WINHTTP_CALLBACK_STATUS_READ_COMPLETE && it->api != CLOSE_TYPE)
        WinHttpWebSocketReceive(it->handle, text, sizeof(text), NULL, NULL);
    else if (it->status == WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE && note_count < NOTES / 2)
        WinHttpWebSocketSend(it->handle, BINARY, (void *)"data", 4);
}

static DWORD WINAPI close_soon(void *socket)
{
    WinHttpCloseHandle(socket);
    return 0;
}

TEST(test_ws_async__random_ends)
{
    int at, spin;
    for (at = 0; at < 60; at++) {
        struct trio it;
        HINTERNET ws;
        HANDLE thread, gone = CreateEventW(NULL, TRUE, FALSE, NULL);
        static char text[4];
        volatile int idle = 0;
        WS_SERVER(server, SAY("\x82\x0A" "0123456789" "\x89\x01p"), SAY("\x81\x01x\x81\x01y\x89\x00"), SAY("\x82\x01z"), END);
        ws = ws_open_async(&it, server.port, keep_busy);
        CHECK(WinHttpSetOption(it.session, WINHTTP_OPTION_UNLOAD_NOTIFY_EVENT, &gone, sizeof(gone)));
        WinHttpWebSocketReceive(ws, text, sizeof(text), NULL, NULL);
        WinHttpWebSocketSend(ws, BINARY, (void *)"data", 4);
        thread = CreateThread(NULL, 0, close_soon, ws, 0, NULL);
        for (spin = 0; spin < at * 100; spin++)
            idle++;
        if (at % 3 == 0)
            WinHttpWebSocketClose(ws, 1000, NULL, 0);
        else if (at % 3 == 1)
            WinHttpCloseHandle(ws);
        CHECK_EQ(WaitForSingleObject(thread, 10000), WAIT_OBJECT_0);
        CloseHandle(thread);
        ws_close_async(&it);
        /* No timer of the socket keeps the session. */
        CHECK_EQ(WaitForSingleObject(gone, 10000), WAIT_OBJECT_0);
        CloseHandle(gone);
        ws_end(&server);
    }
}

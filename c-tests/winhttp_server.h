/* What the tests of WinHTTP share: a scripted server in a thread of the test, and a recorder of notifications.
 *
 * A script is a list of turns. Each takes one request from the present connection (or a new one) and gives one answer,
 * then may close, reset or hold the connection. Every wait ends after ten seconds; loopback only. */
#ifndef WINHTTP_SERVER_H
#define WINHTTP_SERVER_H

#include "http_client.h"
#include <windows.h>
#include <winhttp.h>

/* A string for both widths of wchar_t. */
#define W(TEXT) u##TEXT
#ifdef _WIN32
#define MSG_NOSIGNAL 0
#endif
#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

enum after { KEEP, CLOSE, RESET, HOLD, LISTEN };

/* HOLD answers and keeps the connection until the client closes it; LISTEN also counts what comes until then. */
struct turn {
    const char *answer;
    enum after after;
};

#define TURNS 16
struct server {
    int port;
    int listener;
    HANDLE thread;
    /* Set when a request has arrived that is to be held. */
    HANDLE held;
    /* Set when the server has ended a connection; a wait takes it back. */
    HANDLE ended;
    const struct turn *turns;
    int count;
    /* The requests as they came, one a turn. */
    char requests[TURNS][4096];
    int connections;
    unsigned long long heard;
};

static int serve_read(struct server *it, int peer, char *text, size_t room)
{
    size_t have = 0;
    const char *body, *length;
    (void)it;
    for (;;) {
        text[have] = 0;
        body = strstr(text, "\r\n\r\n");
        if (body) {
            body += 4;
            length = strstr(text, "Content-Length: ");
            if (strstr(text, "Transfer-Encoding: chunked")) {
                if (strstr(body, "0\r\n\r\n"))
                    return 1;
            } else if (!length || length > body ||
                       (unsigned long long)(text + have - body) >= strtoull(length + 16, NULL, 10))
                return 1;
        }
        if (have + 1 >= room)
            return 1;
        {
            long got = (long)recv(peer, text + have, room - 1 - have, 0);
            if (got <= 0)
                return 0;
            have += (size_t)got;
        }
    }
}

static void serve_end(struct server *it, int peer, enum after after)
{
    char bin[65536];
    long got;
    struct linger hard = {1, 0};
    if (after == RESET)
        setsockopt(peer, SOL_SOCKET, SO_LINGER, (const char *)&hard, sizeof(hard));
    if (after == HOLD || after == LISTEN) {
        SetEvent(it->held);
        while ((got = (long)recv(peer, bin, sizeof(bin), 0)) > 0)
            it->heard += (unsigned long long)got;
    }
    close(peer);
    SetEvent(it->ended);
}

static DWORD WINAPI serve(void *argument)
{
    struct server *it = argument;
    int peer = -1, at;
    for (at = 0; at < it->count; at++) {
        for (;;) {
            if (peer < 0) {
                peer = (int)accept(it->listener, NULL, NULL);
                if (peer < 0)
                    return 1;
                InterlockedIncrement((volatile LONG *)&it->connections);
            }
            if (serve_read(it, peer, it->requests[at], sizeof(it->requests[at])))
                break;
            close(peer);
            peer = -1;
        }
        /* A client that has left does not want the answer. */
        if (it->turns[at].answer && send(peer, it->turns[at].answer, strlen(it->turns[at].answer), MSG_NOSIGNAL) < 0)
            break;
        if (it->turns[at].after != KEEP) {
            serve_end(it, peer, it->turns[at].after);
            peer = -1;
        }
    }
    if (peer >= 0)
        close(peer);
    return 0;
}

__attribute__((unused)) static void server_start(struct server *it, const struct turn *turns, int count)
{
    memset(it, 0, sizeof(*it));
    it->turns = turns;
    it->count = count;
    it->held = CreateEventW(NULL, TRUE, FALSE, NULL);
    it->ended = CreateEventW(NULL, FALSE, FALSE, NULL);
    it->listener = loopback_listener(&it->port, 16);
    it->thread = CreateThread(NULL, 0, serve, it, 0, NULL);
    REQUIRE(it->thread != NULL);
}
#define SERVER(NAME, ...)                                                                                              \
    static const struct turn NAME##_turns[] = {__VA_ARGS__};                                                           \
    static struct server NAME;                                                                                         \
    server_start(&NAME, NAME##_turns, (int)COUNT(NAME##_turns))

/* Waits until the server has taken a connection: one that waits in its queue is lost when it ends. */
__attribute__((unused)) static void server_taken(struct server *it)
{
    int patience = 10000;
    while (InterlockedCompareExchange((volatile LONG *)&it->connections, 0, 0) == 0 && patience--)
        Sleep(1);
}

__attribute__((unused)) static void server_end(struct server *it)
{
    shutdown(it->listener, 2);
    CHECK_EQ(WaitForSingleObject(it->thread, 10000), WAIT_OBJECT_0);
    CloseHandle(it->thread);
    CloseHandle(it->held);
    CloseHandle(it->ended);
    close(it->listener);
}

/* Handles of one request. */
struct trio {
    HINTERNET session, connect, request;
};

__attribute__((unused)) static void trio_open(struct trio *it, int port, const WCHAR *verb, const WCHAR *object, DWORD flags)
{
    it->session = WinHttpOpen(W("test"), WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, flags);
    REQUIRE(it->session != NULL);
    it->connect = WinHttpConnect(it->session, W("127.0.0.1"), (INTERNET_PORT)port, 0);
    REQUIRE(it->connect != NULL);
    it->request = WinHttpOpenRequest(it->connect, verb, object, NULL, NULL, NULL, 0);
    REQUIRE(it->request != NULL);
}

__attribute__((unused)) static void trio_close(struct trio *it)
{
    CHECK(WinHttpCloseHandle(it->request));
    CHECK(WinHttpCloseHandle(it->connect));
    CHECK(WinHttpCloseHandle(it->session));
}

/* Sends without a body and receives the head. */
__attribute__((unused)) static BOOL exchange(HINTERNET request)
{
    return WinHttpSendRequest(request, NULL, 0, NULL, 0, 0, 0) && WinHttpReceiveResponse(request, NULL);
}

/* The whole body; -1 after an error. */
__attribute__((unused)) static long read_body(HINTERNET request, char *text, size_t room)
{
    size_t have = 0;
    DWORD got = 0;
    do {
        if (!WinHttpReadData(request, text + have, (DWORD)(room - 1 - have), &got))
            return -1;
        have += got;
    } while (got && have + 1 < room);
    text[have] = 0;
    return (long)have;
}

__attribute__((unused)) static DWORD status_of(HINTERNET request)
{
    DWORD status = 0, size = sizeof(status);
    CHECK(WinHttpQueryHeaders(request, WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER, NULL, &status, &size, NULL));
    return status;
}

/* CHECKs that a call fails with an error, in the last error and (here) in errno. */
#define CHECK_FAILS(CALL, ERROR)                                                                                       \
    do {                                                                                                               \
        SetLastError(0xdeadbeef);                                                                                      \
        CHECK(!(CALL));                                                                                                \
        CHECK_EQ(GetLastError(), ERROR);                                                                               \
    } while (0)
#define CHECK_WORKS(CALL)                                                                                              \
    do {                                                                                                               \
        SetLastError(0xdeadbeef);                                                                                      \
        CHECK(CALL);                                                                                                   \
        CHECK_EQ(GetLastError(), 0);                                                                                   \
    } while (0)

/* One notification. */
struct note {
    HINTERNET handle;
    DWORD_PTR context;
    DWORD status, thread, length, number;
    DWORD_PTR api;
};

#define NOTES 4096
static struct note notes[NOTES];
static LONG note_count;
static SRWLOCK note_lock = SRWLOCK_INIT;
static HANDLE note_made;
static DWORD main_thread;
/* What a test does inside the callback, if anything. */
static void (*on_note)(const struct note *);

__attribute__((unused)) static void CALLBACK record(HINTERNET handle, DWORD_PTR context, DWORD status, LPVOID information, DWORD length)
{
    struct note it = {handle, context, status, GetCurrentThreadId(), length, 0, 0};
    if (status == WINHTTP_CALLBACK_STATUS_REQUEST_ERROR) {
        it.api = ((WINHTTP_ASYNC_RESULT *)information)->dwResult;
        it.number = ((WINHTTP_ASYNC_RESULT *)information)->dwError;
    } else if (status == WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE || status == WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE ||
               status == WINHTTP_CALLBACK_STATUS_INTERMEDIATE_RESPONSE)
        it.number = *(DWORD *)information;
    else if (status == WINHTTP_CALLBACK_STATUS_READ_COMPLETE)
        it.number = length;
    AcquireSRWLockExclusive(&note_lock);
    if (note_count < NOTES)
        notes[note_count++] = it;
    ReleaseSRWLockExclusive(&note_lock);
    if (on_note)
        on_note(&it);
    SetEvent(note_made);
}

__attribute__((unused)) static void notes_clear(void (*inside)(const struct note *))
{
    main_thread = GetCurrentThreadId();
    if (!note_made)
        note_made = CreateEventW(NULL, FALSE, FALSE, NULL);
    AcquireSRWLockExclusive(&note_lock);
    note_count = 0;
    on_note = inside;
    ReleaseSRWLockExclusive(&note_lock);
}

static int note_find(DWORD_PTR context, DWORD status)
{
    int at, found = 0;
    AcquireSRWLockShared(&note_lock);
    for (at = 0; at < note_count; at++)
        found += notes[at].context == context && notes[at].status == status;
    ReleaseSRWLockShared(&note_lock);
    return found;
}

/* Waits until a context has had a notification so many times. */
__attribute__((unused)) static int note_wait(DWORD_PTR context, DWORD status, int times)
{
    int patience = 100;
    while (note_find(context, status) < times) {
        if (!patience--)
            return 0;
        WaitForSingleObject(note_made, 100);
    }
    return 1;
}

static const char *note_name(const struct note *it, char *room)
{
    static const struct {
        DWORD status;
        const char *name;
    } names[] = {
        {WINHTTP_CALLBACK_STATUS_RESOLVING_NAME, "RESOLVING"}, {WINHTTP_CALLBACK_STATUS_NAME_RESOLVED, "RESOLVED"},
        {WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER, "CONNECTING"},
        {WINHTTP_CALLBACK_STATUS_CONNECTED_TO_SERVER, "CONNECTED"},
        {WINHTTP_CALLBACK_STATUS_SENDING_REQUEST, "SENDING"}, {WINHTTP_CALLBACK_STATUS_REQUEST_SENT, "SENT"},
        {WINHTTP_CALLBACK_STATUS_RECEIVING_RESPONSE, "RECEIVING"},
        {WINHTTP_CALLBACK_STATUS_RESPONSE_RECEIVED, "RECEIVED"},
        {WINHTTP_CALLBACK_STATUS_CLOSING_CONNECTION, "CLOSING_CONNECTION"},
        {WINHTTP_CALLBACK_STATUS_CONNECTION_CLOSED, "CONNECTION_CLOSED"},
        {WINHTTP_CALLBACK_STATUS_HANDLE_CREATED, "CREATED"}, {WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, "CLOSING"},
        {WINHTTP_CALLBACK_STATUS_REDIRECT, "REDIRECT"},
        {WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, "SEND_COMPLETE"},
        {WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, "HEADERS"},
    };
    size_t at;
    for (at = 0; at < COUNT(names); at++)
        if (names[at].status == it->status)
            return names[at].name;
    if (it->status == WINHTTP_CALLBACK_STATUS_REQUEST_ERROR)
        sprintf(room, "ERROR(%d,%u)", (int)it->api, (unsigned)it->number);
    else if (it->status == WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE)
        sprintf(room, "DATA(%u)", (unsigned)it->number);
    else if (it->status == WINHTTP_CALLBACK_STATUS_READ_COMPLETE)
        sprintf(room, "READ(%u)", (unsigned)it->number);
    else if (it->status == WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE)
        sprintf(room, "WRITE(%u)", (unsigned)it->number);
    else
        sprintf(room, "%#x(%u)", (unsigned)it->status, (unsigned)it->number);
    return room;
}

/* What a context was told; with threads, each with A (the thread of the test) or W (another). */
__attribute__((unused)) static const char *told_to(DWORD_PTR context, int threads)
{
    static char text[65536];
    char room[64];
    size_t have = 0;
    int at;
    text[0] = 0;
    AcquireSRWLockShared(&note_lock);
    for (at = 0; at < note_count; at++)
        if (notes[at].context == context && have + 100 < sizeof(text))
            have += (size_t)sprintf(text + have, "%s%s%s", have ? ", " : "", note_name(&notes[at], room),
                                    !threads ? "" : notes[at].thread == main_thread ? " A" : " W");
    ReleaseSRWLockShared(&note_lock);
    return text;
}
#define CHECK_TOLD(CONTEXT, WANTED)                                                                                    \
    do {                                                                                                               \
        const char *told = told_to(CONTEXT, 1);                                                                        \
        CHECK_BYTES(told, strlen(told), WANTED);                                                                       \
    } while (0)
/* The same whatever the thread: a callback that has told the test something may not have returned yet, and then what
 * the test does next completes after it, on its thread. */
#define CHECK_TOLD_SOMEWHERE(CONTEXT, WANTED)                                                                          \
    do {                                                                                                               \
        const char *told = told_to(CONTEXT, 0);                                                                        \
        CHECK_BYTES(told, strlen(told), WANTED);                                                                       \
    } while (0)

/* Whether the handle has had its last notification. */
static int note_closed(HINTERNET handle, DWORD_PTR context)
{
    int at, found = 0;
    AcquireSRWLockShared(&note_lock);
    for (at = 0; at < note_count; at++)
        found |= notes[at].handle == handle && notes[at].context == context &&
                 notes[at].status == WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING;
    ReleaseSRWLockShared(&note_lock);
    return found;
}

/* Closes the handles of an asynchronous request and waits for its last notification. */
__attribute__((unused)) static void trio_close_async(struct trio *it, DWORD_PTR context)
{
    int patience = 100;
    CHECK(WinHttpCloseHandle(it->request));
    CHECK(WinHttpCloseHandle(it->connect));
    CHECK(WinHttpCloseHandle(it->session));
    while (!note_closed(it->request, context) && patience--)
        WaitForSingleObject(note_made, 100);
    CHECK(note_closed(it->request, context));
}

#define OK_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

#endif

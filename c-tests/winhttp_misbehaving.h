/* A server that misbehaves to order: it sends the start of an answer in pieces, then closes, resets, or falls silent.
 *
 * Unlike the scripted server it takes its orders while it runs: `order` or `give` before each exchange. After the answer it
 * listens to the connection until the client closes it; whatever it hears then is a client that uses a broken
 * connection again. */
#ifndef WINHTTP_MISBEHAVING_H
#define WINHTTP_MISBEHAVING_H

#include "winhttp_server.h"

#ifdef __MINGW32__ /* its headers do not know this library's additions */
static const char *nthttp_last_error_message(void) { return "unknown"; }
#endif

/* SILENT keeps the connection open; FINISH ends the sending side, which is how a server closes; BREAK resets; DEAF does
 * not read a byte until it is told to go on. */
enum ending { SILENT, FINISH, BREAK, DEAF };

/* How many bytes of the request to read (-1: all of it); what to send, in what pieces, with what pauses, and whether the
 * last piece again and again. */
struct command {
    const char *answer;
    size_t length, piece;
    long read;
    DWORD pause;
    int endless;
    enum ending ending;
};

struct misbehaving {
    int port, listener;
    HANDLE thread, stop, go;
    SRWLOCK lock;
    struct command next;
    /* What was seen: connections, and bytes on connections after their answer. */
    LONG connections, reused;
};

static int misbehave_read(const struct command *it, int peer)
{
    char text[8192];
    size_t have = 0;
    while (have + 1 < sizeof(text)) {
        size_t wanted = sizeof(text) - 1 - have;
        long got;
        if (it->read >= 0 && wanted > (size_t)it->read - have)
            wanted = (size_t)it->read - have;
        if (!wanted)
            return 1;
        got = (long)recv(peer, text + have, wanted, 0);
        if (got <= 0)
            return 0;
        have += (size_t)got;
        text[have] = 0;
        if (it->read < 0 && strstr(text, "\r\n\r\n"))
            return 1;
    }
    return 1;
}

static int misbehave_send(const struct command *it, HANDLE stop, int peer)
{
    size_t at = 0, piece = it->piece ? it->piece : it->length;
    while (at < it->length || it->endless) {
        size_t size;
        if (at >= it->length)
            at = it->length - piece;
        size = it->length - at < piece ? it->length - at : piece;
        if (send(peer, it->answer + at, size, MSG_NOSIGNAL) < 0)
            return 0;
        at += size;
        if (it->pause && WaitForSingleObject(stop, it->pause) == WAIT_OBJECT_0)
            return 0;
    }
    return 1;
}

static void misbehave_end(struct misbehaving *all, const struct command *it, int peer)
{
    char bin[4096];
    struct linger hard = {1, 0};
    if (it->ending == BREAK) {
        setsockopt(peer, SOL_SOCKET, SO_LINGER, (const char *)&hard, sizeof(hard));
        return;
    }
    if (it->ending == DEAF) {
        CHECK_EQ(WaitForSingleObject(all->go, 20000), WAIT_OBJECT_0);
        return;
    }
    if (it->ending == FINISH)
        shutdown(peer, 1);
    while (recv(peer, bin, sizeof(bin), 0) > 0)
        InterlockedIncrement(&all->reused);
}

static DWORD WINAPI misbehave(void *argument)
{
    struct misbehaving *it = argument;
    for (;;) {
        struct command now;
        int peer = (int)accept(it->listener, NULL, NULL);
        if (peer < 0)
            return 0;
        InterlockedIncrement(&it->connections);
        AcquireSRWLockShared(&it->lock);
        now = it->next;
        ReleaseSRWLockShared(&it->lock);
        if (misbehave_read(&now, peer) && misbehave_send(&now, it->stop, peer))
            misbehave_end(it, &now, peer);
        close(peer);
    }
}

__attribute__((unused)) static void misbehaving_start(struct misbehaving *it)
{
    memset(it, 0, sizeof(*it));
    it->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    it->go = CreateEventW(NULL, FALSE, FALSE, NULL);
    it->listener = loopback_listener(&it->port, 16);
    it->thread = CreateThread(NULL, 0, misbehave, it, 0, NULL);
    REQUIRE(it->thread != NULL);
}

__attribute__((unused)) static void misbehaving_end(struct misbehaving *it)
{
    SetEvent(it->stop);
    shutdown(it->listener, 2);
    CHECK_EQ(WaitForSingleObject(it->thread, 10000), WAIT_OBJECT_0);
    CloseHandle(it->thread);
    CloseHandle(it->stop);
    CloseHandle(it->go);
    close(it->listener);
    CHECK_EQ(it->reused, 0);
}

static void give(struct misbehaving *it, struct command next)
{
    AcquireSRWLockExclusive(&it->lock);
    it->next = next;
    ReleaseSRWLockExclusive(&it->lock);
}

/* How many connections there have been. */
__attribute__((unused)) static LONG connections_of(struct misbehaving *it)
{
    return InterlockedCompareExchange(&it->connections, 0, 0);
}

/* The whole answer at once, after all of the request. */
__attribute__((unused)) static void order(struct misbehaving *it, const char *answer, size_t length, enum ending ending)
{
    struct command next = {answer, length, 0, -1, 0, 0, ending};
    give(it, next);
}

/* What an exchange came to. */
struct outcome {
    /* The function that failed (API_*), 0 for none; its error; what was said about it. */
    DWORD_PTR api;
    DWORD error;
    char words[256];
    /* Bytes of body; -1 without a head. */
    long body;
};

__attribute__((unused)) static void remember(struct outcome *it, DWORD_PTR api)
{
    it->api = api;
    it->error = GetLastError();
    snprintf(it->words, sizeof(it->words), "%s", nthttp_last_error_message());
}

/* One exchange of a synchronous request. */
__attribute__((unused)) static struct outcome exchange_sync(HINTERNET request)
{
    struct outcome it = {0, 0, "", -1};
    static char text[65536];
    DWORD got;
    if (!WinHttpSendRequest(request, NULL, 0, NULL, 0, 0, 0))
        remember(&it, API_SEND_REQUEST);
    else if (!WinHttpReceiveResponse(request, NULL))
        remember(&it, API_RECEIVE_RESPONSE);
    else
        for (it.body = 0;; it.body += (long)got) {
            if (!WinHttpReadData(request, text, sizeof(text), &got)) {
                remember(&it, API_READ_DATA);
                break;
            }
            if (!got)
                break;
        }
    return it;
}

/* Words about the last REQUEST_ERROR, taken inside the callback. */
static char words_there[256];
static HANDLE words_taken;

static void take_words(const struct note *it)
{
    if (it->status == WINHTTP_CALLBACK_STATUS_REQUEST_ERROR) {
        snprintf(words_there, sizeof(words_there), "%s", nthttp_last_error_message());
        SetEvent(words_taken);
    }
}

/* Waits for the completion of an asynchronous call, or its error; 0 after the error. */
static int completed(struct outcome *it, DWORD_PTR context, DWORD status, DWORD *number)
{
    int at, patience = 100;
    while (patience--) {
        AcquireSRWLockShared(&note_lock);
        for (at = note_count; at-- > 0;) {
            const struct note *note = &notes[at];
            if (note->context != context || (note->status != status && note->status != WINHTTP_CALLBACK_STATUS_REQUEST_ERROR))
                continue;
            if (note->status == status)
                *number = note->number;
            else {
                it->api = note->api;
                it->error = note->number;
            }
            ReleaseSRWLockShared(&note_lock);
            if (it->error) {
                CHECK_EQ(WaitForSingleObject(words_taken, 10000), WAIT_OBJECT_0);
                strcpy(it->words, words_there);
            }
            return !it->error;
        }
        ReleaseSRWLockShared(&note_lock);
        WaitForSingleObject(note_made, 100);
    }
    CHECK(!"completed in time");
    it->error = (DWORD)-1;
    return 0;
}

/* The same of an asynchronous one, whose context is given. */
__attribute__((unused)) static struct outcome exchange_async(HINTERNET request, DWORD_PTR context)
{
    struct outcome it = {0, 0, "", -1};
    static char text[65536];
    DWORD got = 0;
    if (!words_taken)
        words_taken = CreateEventW(NULL, FALSE, FALSE, NULL);
    notes_clear(take_words);
    CHECK(WinHttpSendRequest(request, NULL, 0, NULL, 0, 0, context));
    if (!completed(&it, context, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, &got))
        return it;
    CHECK(WinHttpReceiveResponse(request, NULL));
    if (!completed(&it, context, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, &got))
        return it;
    for (it.body = 0;; it.body += (long)got) {
        notes_clear(take_words);
        CHECK(WinHttpReadData(request, text, sizeof(text), NULL));
        if (!completed(&it, context, WINHTTP_CALLBACK_STATUS_READ_COMPLETE, &got) || !got)
            return it;
    }
}

#endif

/* A storm: many requests at once, asynchronous and synchronous, against a server of many moods, while threads and
 * callbacks close handles at random. Whatever happens, every context is freed exactly once, in HANDLE_CLOSING, and
 * nothing is told after it: the context is memory of its own, so that a sanitizer sees a late or a second use.
 *
 * It blows for three seconds, or for as many as NTHTTP_STORM_SECONDS says.
 * gate: thread
 * gate: not-mingw */
#include "winhttp_server.h"
#include <sys/time.h>

#define DRIVERS 3
#define CLOSERS 2
#define TARGETS 256

static volatile LONG over, made, freed, closed_handles, opened_handles, served;

static unsigned roll(unsigned *seed, unsigned sides)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed % sides;
}

/* The server: a thread a connection. */
static int storm_port, storm_listener;
static volatile LONG peers;

static const char *const answers[] = {
    OK_HELLO,
    OK_HELLO,
    OK_HELLO,
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\nA: b\r\n\r\n",
    "HTTP/1.1 302 Found\r\nLocation: /hello\r\nContent-Length: 3\r\n\r\nyes",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end",
    "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nnot all of it",
    "HTTP/1.1 200 OK\r\nContent-Le",
    "garbage\r\n\r\n",
    "",
};

static DWORD WINAPI serve_peer(void *argument)
{
    int peer = (int)(intptr_t)argument;
    unsigned seed = (unsigned)InterlockedIncrement(&served) * 2654435761u | 1;
    char text[8192];
    struct timeval patience = {1, 0};
    struct server none;
    setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    while (serve_read(&none, peer, text, sizeof(text))) {
        unsigned at = roll(&seed, COUNT(answers)), cut;
        size_t size = strlen(answers[at]);
        if (roll(&seed, 8) == 0)
            Sleep(roll(&seed, 10));
        cut = roll(&seed, 4) == 0 ? roll(&seed, (unsigned)size + 1) : (unsigned)size;
        if (cut && send(peer, answers[at], cut, MSG_NOSIGNAL) < 0)
            break;
        if (cut < size) {
            Sleep(roll(&seed, 5));
            if (send(peer, answers[at] + cut, size - cut, MSG_NOSIGNAL) < 0)
                break;
        }
        if (at > 5) {
            /* The client waits for more, until one of the two has enough. */
            if (roll(&seed, 2))
                recv(peer, text, sizeof(text), 0);
            break;
        }
    }
    close(peer);
    InterlockedDecrement(&peers);
    return 0;
}

static DWORD WINAPI serve_storm(void *unused)
{
    int peer;
    (void)unused;
    while ((peer = (int)accept(storm_listener, NULL, NULL)) >= 0) {
        HANDLE thread;
        InterlockedIncrement(&peers);
        thread = CreateThread(NULL, 0, serve_peer, (void *)(intptr_t)peer, 0, NULL);
        if (!thread) {
            close(peer);
            InterlockedDecrement(&peers);
        } else
            CloseHandle(thread);
    }
    return 0;
}

/* What is closed by whoever comes first. */
static HINTERNET targets[TARGETS];
static SRWLOCK target_lock = SRWLOCK_INIT;

static HINTERNET target(unsigned at)
{
    HINTERNET handle;
    AcquireSRWLockShared(&target_lock);
    handle = targets[at];
    ReleaseSRWLockShared(&target_lock);
    return handle;
}

static void aim_at(HINTERNET handle, unsigned at)
{
    AcquireSRWLockExclusive(&target_lock);
    targets[at] = handle;
    ReleaseSRWLockExclusive(&target_lock);
}

static BOOL close_one(HINTERNET handle)
{
    BOOL done = WinHttpCloseHandle(handle);
    if (done)
        InterlockedIncrement(&closed_handles);
    return done;
}

/* The context of a request. */
struct one {
    unsigned seed, sends;
    BOOL writes, is_async, is_closed;
    char buffer[8];
};

static const char upload[] = "0123456789";

static void go_on(HINTERNET request, struct one *it, DWORD status, DWORD number)
{
    BOOL done = TRUE;
    switch (status) {
    case WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE:
        done = it->writes ? WinHttpWriteData(request, upload, 10, NULL) : WinHttpReceiveResponse(request, NULL);
        break;
    case WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE:
        done = WinHttpReceiveResponse(request, NULL);
        break;
    case WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE:
        done = roll(&it->seed, 2) ? WinHttpQueryDataAvailable(request, NULL) : WinHttpReadData(request, it->buffer, 8, NULL);
        break;
    case WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE:
    case WINHTTP_CALLBACK_STATUS_READ_COMPLETE:
        if (number)
            done = roll(&it->seed, 2) ? WinHttpReadData(request, it->buffer, 1 + roll(&it->seed, 8), NULL)
                                      : WinHttpQueryDataAvailable(request, NULL);
        else
            done = it->sends++ < 2 && WinHttpSendRequest(request, NULL, 0, NULL, 0, it->writes ? 10 : 0, 0);
        break;
    case WINHTTP_CALLBACK_STATUS_REQUEST_ERROR:
        done = FALSE;
        break;
    }
    /* Nothing follows, so it ends here, unless somebody else has ended it. */
    if (!done)
        close_one(request);
}

static void CALLBACK storm(HINTERNET request, DWORD_PTR context, DWORD status, LPVOID information, DWORD length)
{
    struct one *it = (struct one *)context;
    DWORD number = status == WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE ? *(DWORD *)information : length;
    if (!it)
        return;
    CHECK(!it->is_closed);
    if (status == WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING) {
        it->is_closed = TRUE;
        CHECK(!WinHttpCloseHandle(request));
        free(it);
        InterlockedIncrement(&freed);
        return;
    }
    if (roll(&it->seed, 30) == 0)
        Sleep(roll(&it->seed, 4));
    if (roll(&it->seed, 40) == 0)
        close_one(request);
    else if (it->is_async)
        go_on(request, it, status, number);
}

static HINTERNET open_one(HINTERNET connect, unsigned *seed, BOOL is_async)
{
    static const DWORD limit = 300;
    struct one *it = calloc(1, sizeof(*it));
    BOOL writes = roll(seed, 4) == 0;
    HINTERNET request = WinHttpOpenRequest(connect, writes ? W("POST") : NULL, W("/"), NULL, NULL, NULL, 0);
    REQUIRE(it && request);
    it->seed = *seed;
    it->writes = writes;
    it->is_async = is_async;
    InterlockedIncrement(&made);
    InterlockedIncrement(&opened_handles);
    CHECK(WinHttpSetOption(request, WINHTTP_OPTION_RECEIVE_TIMEOUT, (void *)&limit, sizeof(limit)));
    CHECK(WinHttpSetOption(request, WINHTTP_OPTION_CONTEXT_VALUE, &it, sizeof(it)));
    return request;
}

/* A synchronous exchange, which the closers may end anywhere. */
static void run_one(HINTERNET request)
{
    char text[64];
    DWORD got = 0;
    SetLastError(0);
    if (WinHttpSendRequest(request, NULL, 0, (void *)upload, 10, 10, 0) && WinHttpReceiveResponse(request, NULL))
        while (WinHttpReadData(request, text, sizeof(text), &got) && got)
            ;
    got = GetLastError();
    CHECK(got == 0 || got == ERROR_INVALID_HANDLE || (got > 12000 && got < 12200));
    close_one(request);
}

static DWORD WINAPI drive(void *argument)
{
    unsigned number = (unsigned)(uintptr_t)argument, seed = number * 7919 + 1, limit;
    BOOL is_async = number != 0;
    while (!InterlockedCompareExchange(&over, 0, 0)) {
        HINTERNET session = WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, is_async ? WINHTTP_FLAG_ASYNC : 0);
        HINTERNET good = WinHttpConnect(session, W("127.0.0.1"), (INTERNET_PORT)storm_port, 0);
        HINTERNET bad = WinHttpConnect(session, W("127.0.0.1"), 1, 0);
        WinHttpSetStatusCallback(good, storm, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
        WinHttpSetStatusCallback(bad, storm, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
        for (limit = 100; limit && !InterlockedCompareExchange(&over, 0, 0); limit--) {
            HINTERNET request = open_one(roll(&seed, 16) ? good : bad, &seed, is_async);
            unsigned at = roll(&seed, TARGETS);
            HINTERNET before = target(at);
            aim_at(request, at);
            /* What nobody has closed yet has had its time. */
            if (before && is_async)
                close_one(before);
            if (!is_async)
                run_one(request);
            else if (!WinHttpSendRequest(request, NULL, 0, NULL, 0, roll(&seed, 4) ? 0 : 10, 0))
                close_one(request);
            while (InterlockedCompareExchange(&made, 0, 0) - InterlockedCompareExchange(&freed, 0, 0) > 200)
                Sleep(1);
        }
        CHECK(WinHttpCloseHandle(session));
        CHECK(WinHttpCloseHandle(good));
        CHECK(WinHttpCloseHandle(bad));
    }
    return 0;
}

/* Closes and questions what others use. */
static DWORD WINAPI meddle(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument * 104729 + 1;
    while (!InterlockedCompareExchange(&over, 0, 0)) {
        HINTERNET handle = target(roll(&seed, TARGETS));
        DWORD number, size = sizeof(number);
        if (roll(&seed, 3) == 0)
            close_one(handle);
        else if (roll(&seed, 2) == 0)
            WinHttpQueryHeaders(handle, WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER, NULL, &number, &size, NULL);
        else
            WinHttpQueryDataAvailable(handle, NULL);
        if (roll(&seed, 4) == 0)
            Sleep(1);
    }
    return 0;
}

static void wait_for(HANDLE thread)
{
    CHECK_EQ(WaitForSingleObject(thread, 30000), WAIT_OBJECT_0);
    CloseHandle(thread);
}

/* One storm of some seconds, until all is calm again. */
static void blow(unsigned seconds)
{
    HANDLE drivers[DRIVERS], closers[CLOSERS];
    size_t at;
    int patience = 3000;
    over = 0;
    for (at = 0; at < DRIVERS; at++)
        drivers[at] = CreateThread(NULL, 0, drive, (void *)at, 0, NULL);
    for (at = 0; at < CLOSERS; at++)
        closers[at] = CreateThread(NULL, 0, meddle, (void *)at, 0, NULL);
    Sleep(seconds * 1000);
    InterlockedExchange(&over, 1);
    for (at = 0; at < DRIVERS; at++)
        wait_for(drivers[at]);
    for (at = 0; at < CLOSERS; at++)
        wait_for(closers[at]);
    for (at = 0; at < TARGETS; at++) {
        close_one(targets[at]);
        targets[at] = NULL;
    }
    /* What its target has lost ends by itself, by the time limit at the latest. */
    while (InterlockedCompareExchange(&freed, 0, 0) < made && patience--)
        Sleep(10);
    CHECK_EQ(freed, made);
    CHECK_EQ(closed_handles, opened_handles);
}

TEST(test_storm__every_context_is_freed_once)
{
    const char *wanted = getenv("NTHTTP_STORM_SECONDS");
    unsigned left = wanted ? (unsigned)atoi(wanted) : 3, now;
    HANDLE server;
    int patience = 3000;
    storm_listener = loopback_listener(&storm_port, 512);
    server = CreateThread(NULL, 0, serve_storm, NULL, 0, NULL);
    for (; left; left -= now) {
        now = left < 10 ? left : 10;
        blow(now);
        /* A storm is over in time, however long they go on. */
        alarm(60);
    }
    fprintf(stderr, "%ld requests\n", (long)made);
    shutdown(storm_listener, 2);
    wait_for(server);
    while (InterlockedCompareExchange(&peers, 0, 0) && patience--)
        Sleep(10);
    close(storm_listener);
}

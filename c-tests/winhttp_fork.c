/* A client that forks: the child gets errors and no hang, whatever locks the parent's other threads hold at that moment.
 * gate: not-mingw */
#include <sys/wait.h>
#include <unistd.h>

#include "winhttp_server.h"

TEST(test_fork__the_child_of_a_client_gets_errors)
{
    HINTERNET session;
    int status = -1;
    pid_t child;
    CHECK_WORKS(session = WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0));
    child = fork();
    if (child == 0) {
        alarm(30);
        HINTERNET connect = WinHttpConnect(session, W("localhost"), 80, 0);
        _exit(connect == NULL && GetLastError() == ERROR_INVALID_HANDLE ? 7 : 8);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 7);
    CHECK_WORKS(WinHttpCloseHandle(session));
}

struct forked {
    pid_t child;
    int status;
};

/* Returns twice: in the parent when the child has ended. */
static void CALLBACK fork_before_sending(HINTERNET handle, DWORD_PTR context, DWORD status, LPVOID data, DWORD length)
{
    struct forked *it = (struct forked *)context;
    (void)handle, (void)data, (void)length;
    if (status == WINHTTP_CALLBACK_STATUS_SENDING_REQUEST) {
        it->child = fork();
        if (it->child == 0)
            alarm(30);
        else
            CHECK(waitpid(it->child, &it->status, 0) == it->child);
    }
}

TEST(test_fork__a_child_made_in_a_callback_leaves_the_connection_to_its_parent)
{
    struct forked forked = {-1, -1};
    DWORD_PTR context = (DWORD_PTR)&forked;
    struct trio it;
    SERVER(server, {OK_HELLO, KEEP});
    trio_open(&it, server.port, NULL, W("/"), 0);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
    CHECK(WinHttpSetStatusCallback(it.request, fork_before_sending, WINHTTP_CALLBACK_FLAG_SEND_REQUEST, 0) == NULL);
    {
        BOOL sent = WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0);
        if (forked.child == 0)
            _exit(!sent && GetLastError() == ERROR_WINHTTP_OPERATION_CANCELLED ? 7 : 8);
        CHECK(sent);
    }
    CHECK(WIFEXITED(forked.status));
    CHECK_EQ(WEXITSTATUS(forked.status), 7);
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(status_of(it.request), 200);
    trio_close(&it);
    server_end(&server);
}

/* AddressSanitizer's malloc takes locks that the child of a fork does not get back, so that a busy parent is no test. */
#if defined(__SANITIZE_ADDRESS__)
#define FORKS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FORKS 0
#endif
#endif
#ifndef FORKS
#define FORKS 60
#endif

/* Threads that take every lock of a session, a connect and a request all the time. */
static HINTERNET volatile busy[3];
static LONG busy_end;

static DWORD WINAPI keep_busy(void *argument)
{
    const size_t which = (size_t)argument;
    while (!InterlockedCompareExchange(&busy_end, 0, 0)) {
        WCHAR url[64];
        DWORD size = sizeof(url), number = 1000;
        HINTERNET it = busy[which];
        if (which == 0)
            WinHttpAddRequestHeaders(it, W("X-Own: some words"), (DWORD)-1, WINHTTP_ADDREQ_FLAG_ADD | WINHTTP_ADDREQ_FLAG_REPLACE);
        else if (which == 1)
            WinHttpQueryOption(it, WINHTTP_OPTION_URL, url, &size);
        else
            WinHttpSetOption(it, WINHTTP_OPTION_SEND_TIMEOUT, &number, sizeof(number));
    }
    return 0;
}

static HANDLE busy_threads[4];

static void busy_start(const struct trio *it)
{
    size_t at;
    busy_end = 0;
    busy[0] = busy[1] = it->request;
    busy[2] = it->session;
    for (at = 0; at < COUNT(busy_threads); at++)
        busy_threads[at] = CreateThread(NULL, 0, keep_busy, (void *)(at % 3), 0, NULL);
}

static void busy_stop(void)
{
    size_t at;
    InterlockedExchange(&busy_end, 1);
    for (at = 0; at < COUNT(busy_threads); at++) {
        CHECK_EQ(WaitForSingleObject(busy_threads[at], 10000), WAIT_OBJECT_0);
        CloseHandle(busy_threads[at]);
    }
}

/* What every child does when its callback has come back; 7 when all is as it should be. */
static int in_child(const struct trio *it)
{
    char room[8];
    DWORD size = sizeof(room);
    if (WinHttpQueryOption(it->request, WINHTTP_OPTION_CONTEXT_VALUE, room, &size) || GetLastError() != ERROR_INVALID_HANDLE)
        return 10;
    if (WinHttpCloseHandle(it->request) || GetLastError() != ERROR_INVALID_HANDLE)
        return 11;
    if (WinHttpCloseHandle(it->session) || GetLastError() != ERROR_INVALID_HANDLE)
        return 12;
    if (WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_AUTOMATIC_PROXY, NULL, NULL, 0) || GetLastError() != ERROR_NOT_READY)
        return 13;
    if (WinHttpWebSocketSend(it->request, 0, NULL, 0) != ERROR_INVALID_HANDLE)
        return 14;
    return 7;
}

/* Which notification forks. */
static DWORD fork_at;
/* It runs on a thread of the library, which ends in the child, and the child with it. */
static BOOL on_worker;
/* How often it has; the last notifications told. */
static LONG forks, farewells;

/* When the last thread ends: what tools do at the end of a process is no matter here. */
static void leave_now(void)
{
    _exit(0);
}

static void CALLBACK fork_now(HINTERNET handle, DWORD_PTR context, DWORD status, LPVOID data, DWORD length)
{
    struct forked *it = (struct forked *)context;
    (void)handle, (void)data, (void)length;
    if (status == WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING)
        InterlockedIncrement(&farewells);
    if (status != fork_at)
        return;
    it->child = fork();
    if (it->child == 0) {
        alarm(5);
        if (on_worker)
            atexit(leave_now);
        return;
    }
    CHECK(waitpid(it->child, &it->status, 0) == it->child);
    CHECK(WIFEXITED(it->status));
    CHECK_EQ(WEXITSTATUS(it->status), on_worker ? 0 : 7);
    InterlockedIncrement(&forks);
}

static void open_forking(struct trio *it, struct forked *forked, int port, DWORD flags)
{
    DWORD_PTR context = (DWORD_PTR)forked;
    forked->child = -1;
    trio_open(it, port, NULL, NULL, flags);
    CHECK(WinHttpSetOption(it->request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
    CHECK(WinHttpSetStatusCallback(it->request, fork_now, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == NULL);
}

TEST(test_fork__in_a_call_of_a_busy_parent)
{
    static const DWORD moments[] = {WINHTTP_CALLBACK_STATUS_RESOLVING_NAME, WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER};
    int port = free_port(), round, failed = harness_failures;
    struct forked forked;
    struct trio it;
    on_worker = FALSE;
    open_forking(&it, &forked, port, 0);
    busy_start(&it);
    for (round = 0; round < FORKS && harness_failures == failed; round++) {
        fork_at = moments[round % COUNT(moments)];
        BOOL sent = WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0);
        if (forked.child == 0)
            _exit(sent ? 8 : GetLastError() != ERROR_WINHTTP_OPERATION_CANCELLED ? 9 : in_child(&it));
        CHECK_EQ(sent, FALSE);
        CHECK(forked.child > 0);
    }
    busy_stop();
    fork_at = 0;
    trio_close(&it);
}

TEST(test_fork__in_the_farewell_of_a_busy_parent)
{
    int port = free_port(), round, failed = harness_failures;
    struct forked forked;
    struct trio it;
    on_worker = FALSE;
    fork_at = 0;
    open_forking(&it, &forked, port, 0);
    busy_start(&it);
    fork_at = WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING;
    for (round = 0; round < FORKS && harness_failures == failed; round++) {
        DWORD_PTR context = (DWORD_PTR)&forked;
        HINTERNET request = it.request;
        BOOL closed = WinHttpCloseHandle(request);
        if (forked.child == 0)
            _exit(closed ? 8 : GetLastError() != ERROR_WINHTTP_OPERATION_CANCELLED ? 9 : in_child(&it));
        CHECK(closed);
        it.request = WinHttpOpenRequest(it.connect, NULL, NULL, NULL, NULL, NULL, 0);
        REQUIRE(it.request != NULL);
        CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
        CHECK(WinHttpSetStatusCallback(it.request, fork_now, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == NULL);
        busy[0] = busy[1] = it.request;
    }
    busy_stop();
    fork_at = 0;
    trio_close(&it);
}

/* The child is a copy of a thread of the library: it ends when the callback has come back. */
TEST(test_fork__on_a_thread_of_the_library)
{
    static const DWORD moments[] = {WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR};
    int port = free_port(), round, patience, failed = harness_failures;
    struct forked forked;
    struct trio it;
    on_worker = TRUE;
    open_forking(&it, &forked, port, WINHTTP_FLAG_ASYNC);
    busy_start(&it);
    for (round = 0; round < FORKS && harness_failures == failed; round++) {
        fork_at = moments[round % COUNT(moments)];
        forks = 0;
        patience = 10000;
        while (!WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0) && GetLastError() == ERROR_WINHTTP_INCORRECT_HANDLE_STATE &&
               patience--)
            Sleep(1);
        while (!InterlockedCompareExchange(&forks, 0, 0) && patience--)
            Sleep(1);
        /* The last one of the round before may fork once more. */
        CHECK(forks >= 1);
    }
    busy_stop();
    fork_at = 0;
    farewells = 0;
    trio_close(&it);
    patience = 10000;
    while (!InterlockedCompareExchange(&farewells, 0, 0) && patience--)
        Sleep(1);
    CHECK_EQ(farewells, 1);
}

/* Completion ports, overlapped files, thread-pool I/O and work. */
#include "base.h"

struct packet {
    BOOL ok;
    DWORD bytes, error;
    ULONG_PTR key;
    OVERLAPPED *overlapped;
};

static struct packet take(HANDLE port, DWORD milliseconds)
{
    struct packet it;
    memset(&it, 0, sizeof(it));
    SetLastError(0);
    it.ok = GetQueuedCompletionStatus(port, &it.bytes, &it.key, &it.overlapped, milliseconds);
    it.error = GetLastError();
    return it;
}

static HANDLE new_port(void)
{
    return CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
}

/* A file of "0123456789", opened for overlapped use and gone when it is closed. */
static HANDLE ten_digits(void)
{
    char directory[MAX_PATH], name[MAX_PATH];
    DWORD written = 0;
    OVERLAPPED overlapped;
    HANDLE file;
    memset(&overlapped, 0, sizeof(overlapped));
    CHECK(GetTempPathA(sizeof(directory), directory) != 0);
    CHECK(GetTempFileNameA(directory, "nth", 0, name) != 0);
    file = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ, NULL, OPEN_EXISTING,
                       FILE_FLAG_OVERLAPPED | FILE_FLAG_DELETE_ON_CLOSE, NULL);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK(WriteFile(file, "0123456789", 10, &written, &overlapped));
    CHECK_EQ(written, 10);
    return file;
}

TEST(test_port__gives_packets_back_in_order)
{
    HANDLE port = new_port();
    OVERLAPPED overlapped;
    struct packet it;
    CHECK(PostQueuedCompletionStatus(port, 1, 2, &overlapped));
    CHECK(PostQueuedCompletionStatus(port, 3, 4, NULL));
    it = take(port, 0);
    CHECK(it.ok && it.bytes == 1 && it.key == 2 && it.overlapped == &overlapped);
    it = take(port, INFINITE);
    CHECK(it.ok && it.bytes == 3 && it.key == 4 && it.overlapped == NULL);
    it = take(port, 0);
    CHECK(!it.ok && it.overlapped == NULL && it.error == WAIT_TIMEOUT);
    CHECK(CloseHandle(port));
    it = take(port, 0);
    CHECK(!it.ok && it.overlapped == NULL && it.error == ERROR_INVALID_HANDLE);
    CHECK_FAILS(PostQueuedCompletionStatus(port, 0, 0, NULL), ERROR_INVALID_HANDLE);
}

TEST(test_port__many_at_once)
{
    HANDLE port = new_port();
    OVERLAPPED_ENTRY entries[4];
    ULONG removed = 9, i;
    CHECK_FAILS(GetQueuedCompletionStatusEx(port, entries, 4, &removed, 0, FALSE), WAIT_TIMEOUT);
    CHECK_EQ(removed, 0);
    for (i = 0; i < 6; i++)
        CHECK(PostQueuedCompletionStatus(port, i, 10 + i, NULL));
    CHECK(GetQueuedCompletionStatusEx(port, entries, 4, &removed, INFINITE, FALSE));
    CHECK_EQ(removed, 4);
    for (i = 0; i < 4; i++)
        CHECK(entries[i].dwNumberOfBytesTransferred == i && entries[i].lpCompletionKey == 10 + i);
    CHECK(GetQueuedCompletionStatusEx(port, entries, 4, &removed, INFINITE, FALSE));
    CHECK_EQ(removed, 2);
    CHECK_FAILS(GetQueuedCompletionStatusEx(port, entries, 0, &removed, 0, FALSE), ERROR_INVALID_PARAMETER);
    CHECK(CloseHandle(port));
}

static DWORD WINAPI wait_at(LPVOID port)
{
    struct packet it = take(port, INFINITE);
    return it.ok ? 0 : it.error;
}

/* How a thread's wait ends when the port is closed so many milliseconds after the thread was made. */
static DWORD closed_after(DWORD milliseconds)
{
    HANDLE port = new_port(), thread = CreateThread(NULL, 0, wait_at, port, 0, NULL);
    DWORD code = 0;
    CHECK_EQ(WaitForSingleObject(thread, milliseconds), WAIT_TIMEOUT);
    CHECK(CloseHandle(port));
    CHECK_EQ(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(thread, &code));
    CHECK(CloseHandle(thread));
    return code;
}

/* A thread that comes to its wait too late finds no handle: give it longer. */
TEST(test_port__closing_it_ends_waits)
{
    DWORD milliseconds = 2, code = ERROR_INVALID_HANDLE;
    for (; code == ERROR_INVALID_HANDLE && milliseconds < 10000; milliseconds *= 2)
        code = closed_after(milliseconds);
    CHECK_EQ(code, ERROR_ABANDONED_WAIT_0);
}

static LONG volatile port_sum;

static DWORD WINAPI add_packets(LPVOID port)
{
    for (;;) {
        struct packet it = take(port, INFINITE);
        if (!it.ok || it.key == 0)
            return 0;
        InterlockedExchangeAdd(&port_sum, (LONG)it.bytes);
    }
}

TEST(test_port__each_packet_reaches_one_thread)
{
    HANDLE port = new_port(), threads[4];
    int i;
    port_sum = 0;
    for (i = 0; i < 4; i++)
        threads[i] = CreateThread(NULL, 0, add_packets, port, 0, NULL);
    for (i = 1; i <= 4000; i++)
        CHECK(PostQueuedCompletionStatus(port, (DWORD)i, 1, NULL));
    for (i = 0; i < 4; i++)
        CHECK(PostQueuedCompletionStatus(port, 0, 0, NULL));
    CHECK_EQ(WaitForMultipleObjects(4, threads, TRUE, INFINITE), WAIT_OBJECT_0);
    CHECK_EQ(port_sum, 4000 * 4001 / 2);
    for (i = 0; i < 4; i++)
        CHECK(CloseHandle(threads[i]));
    CHECK(CloseHandle(port));
}

TEST(test_port__an_overlapped_read_makes_a_packet_unless_skipped)
{
    HANDLE file = ten_digits(), port = CreateIoCompletionPort(file, NULL, 77, 0);
    OVERLAPPED overlapped;
    char buffer[4] = "";
    DWORD read = 0;
    struct packet it;
    memset(&overlapped, 0, sizeof(overlapped));
    overlapped.Offset = 3;
    CHECK(ReadFile(file, buffer, 3, &read, &overlapped));
    CHECK_BYTES(buffer, read, "345");
    it = take(port, 0);
    CHECK(it.ok && it.bytes == 3 && it.key == 77 && it.overlapped == &overlapped);
    overlapped.Offset = 10;
    CHECK_FAILS(ReadFile(file, buffer, 3, &read, &overlapped), ERROR_HANDLE_EOF);
    CHECK_EQ(take(port, 0).error, WAIT_TIMEOUT);
    CHECK_FAILS(CreateIoCompletionPort(file, port, 78, 0), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(SetFileCompletionNotificationModes(file, 8), ERROR_INVALID_PARAMETER);
    CHECK(SetFileCompletionNotificationModes(file, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE));
    overlapped.Offset = 0;
    CHECK(ReadFile(file, buffer, 3, &read, &overlapped));
    CHECK_EQ(take(port, 0).error, WAIT_TIMEOUT);
    CHECK(CloseHandle(file) && CloseHandle(port));
}

TEST(test_overlapped__the_result_waits_for_event_or_handle)
{
    HANDLE file = ten_digits(), event = CreateEventW(NULL, TRUE, FALSE, NULL);
    OVERLAPPED overlapped;
    char buffer[16];
    DWORD read = 0;
    memset(&overlapped, 0, sizeof(overlapped));
    overlapped.hEvent = event;
    CHECK(ReadFile(file, buffer, sizeof(buffer), NULL, &overlapped));
    CHECK(is_set(event));
    CHECK(HasOverlappedIoCompleted(&overlapped));
    CHECK(GetOverlappedResult(file, &overlapped, &read, TRUE));
    CHECK_EQ(read, 10);
    overlapped.hEvent = NULL;
    overlapped.Offset = 4;
    CHECK(ReadFile(file, buffer, sizeof(buffer), NULL, &overlapped));
    CHECK(is_set(file));
    CHECK(GetOverlappedResultEx(file, &overlapped, &read, INFINITE, FALSE));
    CHECK_EQ(read, 6);
    CHECK_FAILS(GetOverlappedResult(event, &overlapped, &read, TRUE), ERROR_INVALID_HANDLE);
    CHECK_FAILS(GetOverlappedResult(file, NULL, &read, TRUE), ERROR_INVALID_PARAMETER);
    overlapped.Internal = 0x103;
    CHECK_FAILS(GetOverlappedResult(file, &overlapped, &read, FALSE), ERROR_IO_INCOMPLETE);
    CHECK_FAILS(GetOverlappedResultEx(file, &overlapped, &read, 0, FALSE), ERROR_IO_INCOMPLETE);
    CHECK_FAILS(GetOverlappedResultEx(file, &overlapped, &read, 2, FALSE), WAIT_TIMEOUT);
    CHECK_FAILS(CancelIoEx(file, NULL), ERROR_NOT_FOUND);
    CHECK_FAILS(CancelIoEx(event, NULL), ERROR_INVALID_HANDLE);
    CHECK(CancelIo(file));
    CHECK(CloseHandle(file) && CloseHandle(event));
}

struct io_seen {
    LONG volatile calls;
    ULONG result;
    ULONG_PTR bytes;
    PVOID overlapped;
    PTP_IO io;
};

static VOID CALLBACK on_io(PTP_CALLBACK_INSTANCE instance, PVOID context, PVOID overlapped, ULONG result,
                           ULONG_PTR bytes, PTP_IO io)
{
    struct io_seen *seen = context;
    (void)instance;
    seen->result = result;
    seen->bytes = bytes;
    seen->overlapped = overlapped;
    seen->io = io;
    InterlockedIncrement(&seen->calls);
}

TEST(test_threadpool__io_is_called_back)
{
    HANDLE file = ten_digits();
    OVERLAPPED overlapped;
    struct io_seen seen;
    char buffer[8];
    PTP_IO io;
    memset(&seen, 0, sizeof(seen));
    memset(&overlapped, 0, sizeof(overlapped));
    io = CreateThreadpoolIo(file, on_io, &seen, NULL);
    REQUIRE(io != NULL);
    CHECK_FAILS(CreateThreadpoolIo(file, on_io, &seen, NULL), ERROR_INVALID_PARAMETER);
    StartThreadpoolIo(io);
    CHECK(ReadFile(file, buffer, 8, NULL, &overlapped));
    WaitForThreadpoolIoCallbacks(io, FALSE);
    CHECK_EQ(seen.calls, 1);
    CHECK(seen.result == NO_ERROR && seen.bytes == 8 && seen.overlapped == &overlapped && seen.io == io);
    StartThreadpoolIo(io);
    overlapped.Offset = 100;
    CHECK_FAILS(ReadFile(file, buffer, 8, NULL, &overlapped), ERROR_HANDLE_EOF);
    CancelThreadpoolIo(io);
    WaitForThreadpoolIoCallbacks(io, TRUE);
    CHECK_EQ(seen.calls, 1);
    CloseThreadpoolIo(io);
    CloseThreadpoolIo(io);
    io = CreateThreadpoolIo(file, on_io, &seen, NULL);
    CHECK(io != NULL);
    CloseThreadpoolIo(io);
    CHECK(CloseHandle(file));
    CHECK_FAILS(CreateThreadpoolIo(file, on_io, &seen, NULL), ERROR_INVALID_HANDLE);
}

static HANDLE bound_done;

static VOID WINAPI on_bound(DWORD status, DWORD bytes, LPOVERLAPPED overlapped)
{
    CHECK(status == 0 && bytes == 2 && overlapped != NULL);
    SetEvent(bound_done);
}

TEST(test_threadpool__the_older_binding_calls_back_too)
{
    HANDLE file = ten_digits();
    OVERLAPPED overlapped;
    char buffer[2];
    memset(&overlapped, 0, sizeof(overlapped));
    bound_done = CreateEventW(NULL, TRUE, FALSE, NULL);
    CHECK_FAILS(BindIoCompletionCallback(file, NULL, 0), ERROR_INVALID_PARAMETER);
    CHECK(BindIoCompletionCallback(file, on_bound, 0));
    CHECK(ReadFile(file, buffer, 2, NULL, &overlapped));
    CHECK_EQ(WaitForSingleObject(bound_done, INFINITE), WAIT_OBJECT_0);
    CHECK(CloseHandle(file) && CloseHandle(bound_done));
}

static VOID CALLBACK on_work(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    (void)instance;
    (void)work;
    InterlockedIncrement((LONG volatile *)context);
}

static VOID CALLBACK on_simple(PTP_CALLBACK_INSTANCE instance, PVOID context)
{
    (void)instance;
    SetEvent(context);
}

TEST(test_threadpool__work_runs_as_often_as_submitted)
{
    LONG volatile count = 0;
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    PTP_WORK work = CreateThreadpoolWork(on_work, (PVOID)&count, NULL);
    int i;
    for (i = 0; i < 500; i++)
        SubmitThreadpoolWork(work);
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    CHECK_EQ(count, 500);
    CloseThreadpoolWork(work);
    CHECK(TrySubmitThreadpoolCallback(on_simple, event, NULL));
    CHECK_EQ(WaitForSingleObject(event, INFINITE), WAIT_OBJECT_0);
    CHECK(CloseHandle(event));
}

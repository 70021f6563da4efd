/* Handles, events, semaphores, threads and waits. */
#include "base.h"

TEST(test_event__automatic_events_release_one_wait_and_manual_ones_all)
{
    HANDLE automatic = CreateEventW(NULL, FALSE, TRUE, NULL), manual = CreateEventA(NULL, TRUE, FALSE, NULL);
    CHECK(automatic != NULL && manual != NULL);
    CHECK(is_set(automatic));
    CHECK(!is_set(automatic));
    CHECK(SetEvent(manual));
    CHECK(is_set(manual) && is_set(manual));
    CHECK(ResetEvent(manual));
    CHECK(!is_set(manual));
    CHECK(CloseHandle(automatic) && CloseHandle(manual));
}

TEST(test_event__extended_creation_takes_flags)
{
    HANDLE event = CreateEventExW(NULL, NULL, CREATE_EVENT_MANUAL_RESET | CREATE_EVENT_INITIAL_SET, EVENT_ALL_ACCESS);
    CHECK(is_set(event) && is_set(event));
    CHECK(CloseHandle(event));
    CHECK_FAILS(CreateEventExW(NULL, NULL, 0x10, EVENT_ALL_ACCESS), ERROR_INVALID_PARAMETER);
}

TEST(test_event__a_name_means_the_same_event)
{
    HANDLE first = CreateEventW(NULL, TRUE, FALSE, W("nthttp test")), second;
    CHECK_EQ(GetLastError(), 0);
    second = CreateEventA(NULL, TRUE, FALSE, "nthttp test");
    CHECK_EQ(GetLastError(), ERROR_ALREADY_EXISTS);
    CHECK(first != second);
    CHECK(SetEvent(first));
    CHECK(is_set(second));
    CHECK_FAILS(CreateSemaphoreW(NULL, 0, 1, W("nthttp test")), ERROR_INVALID_HANDLE);
    CHECK(CloseHandle(first));
    CHECK(is_set(second));
    CHECK(CloseHandle(second));
    first = CreateEventW(NULL, TRUE, FALSE, W("nthttp test"));
    CHECK_EQ(GetLastError(), 0);
    CHECK(!is_set(first));
    CHECK(CloseHandle(first));
}

TEST(test_handle__what_is_no_handle_is_refused)
{
    HANDLE event = CreateEventW(NULL, TRUE, TRUE, NULL), port, local = &event;
    CHECK(CloseHandle(event));
    CHECK_FAILS(CloseHandle(event), ERROR_INVALID_HANDLE);
    CHECK_FAILS(SetEvent(event), ERROR_INVALID_HANDLE);
    CHECK_FAILS(ResetEvent(NULL), ERROR_INVALID_HANDLE);
    CHECK_FAILS(CloseHandle(NULL), ERROR_INVALID_HANDLE);
    CHECK_FAILS(CloseHandle(local), ERROR_INVALID_HANDLE);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_FAILED);
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    CHECK_FAILS(SetEvent(port), ERROR_INVALID_HANDLE);
    CHECK(CloseHandle(port));
}

TEST(test_handle__a_duplicate_keeps_the_object)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL), copy = NULL, moved = NULL, self = GetCurrentProcess();
    CHECK(DuplicateHandle(self, event, self, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS));
    CHECK(copy != event);
    CHECK(SetEvent(event) && CloseHandle(event));
    CHECK(is_set(copy));
    CHECK(DuplicateHandle(self, copy, self, &moved, 0, FALSE, DUPLICATE_CLOSE_SOURCE | DUPLICATE_SAME_ACCESS));
    CHECK(is_set(moved));
    CHECK_FAILS(CloseHandle(copy), ERROR_INVALID_HANDLE);
    CHECK(DuplicateHandle(self, moved, NULL, NULL, 0, FALSE, DUPLICATE_CLOSE_SOURCE));
    CHECK_FAILS(CloseHandle(moved), ERROR_INVALID_HANDLE);
    CHECK_FAILS(DuplicateHandle(self, moved, self, &copy, 0, FALSE, 0), ERROR_INVALID_HANDLE);
}

TEST(test_semaphore__counts)
{
    HANDLE semaphore = CreateSemaphoreW(NULL, 1, 3, NULL);
    LONG before = 0;
    CHECK(is_set(semaphore));
    CHECK(!is_set(semaphore));
    CHECK(ReleaseSemaphore(semaphore, 2, &before));
    CHECK_EQ(before, 0);
    CHECK_FAILS(ReleaseSemaphore(semaphore, 2, &before), 298);
    CHECK_FAILS(ReleaseSemaphore(semaphore, 0, NULL), ERROR_INVALID_PARAMETER);
    CHECK(is_set(semaphore) && is_set(semaphore));
    CHECK(!is_set(semaphore));
    CHECK(CloseHandle(semaphore));
    CHECK_FAILS(CreateSemaphoreW(NULL, 2, 1, NULL), ERROR_INVALID_PARAMETER);
}

static DWORD WINAPI add_one(LPVOID parameter)
{
    InterlockedIncrement((LONG volatile *)parameter);
    return GetCurrentThreadId();
}

TEST(test_thread__ends_with_its_exit_code)
{
    LONG volatile count = 0;
    DWORD id = 0, code = 0;
    HANDLE thread = CreateThread(NULL, 0, add_one, (LPVOID)&count, 0, &id);
    CHECK_EQ(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
    CHECK(is_set(thread));
    CHECK_EQ(count, 1);
    CHECK(GetExitCodeThread(thread, &code));
    CHECK_EQ(code, id);
    CHECK(id != GetCurrentThreadId());
    CHECK(CloseHandle(thread));
    CHECK_FAILS(CreateThread(NULL, 0, NULL, NULL, 0, NULL), ERROR_INVALID_PARAMETER);
}

TEST(test_thread__a_suspended_one_waits_to_be_resumed)
{
    LONG volatile count = 0;
    DWORD code = 0;
    HANDLE thread = CreateThread(NULL, 1 << 20, add_one, (LPVOID)&count, CREATE_SUSPENDED, NULL);
    CHECK(GetExitCodeThread(thread, &code));
    CHECK_EQ(code, STILL_ACTIVE);
    CHECK_EQ(WaitForSingleObject(thread, 2), WAIT_TIMEOUT);
    CHECK_EQ(ResumeThread(thread), 1);
    CHECK_EQ(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
    CHECK_EQ(ResumeThread(thread), 0);
    CHECK_EQ(count, 1);
    CHECK(CloseHandle(thread));
    CHECK_EQ(ResumeThread(thread), (DWORD)-1);
}

TEST(test_wait__for_one_gives_the_first_that_is_set)
{
    HANDLE events[3];
    int i;
    for (i = 0; i < 3; i++)
        events[i] = CreateEventW(NULL, FALSE, FALSE, NULL);
    CHECK_EQ(WaitForMultipleObjects(3, events, FALSE, 1), WAIT_TIMEOUT);
    CHECK(SetEvent(events[2]) && SetEvent(events[1]));
    CHECK_EQ(WaitForMultipleObjects(3, events, FALSE, INFINITE), WAIT_OBJECT_0 + 1);
    CHECK_EQ(WaitForMultipleObjectsEx(3, events, FALSE, INFINITE, TRUE), WAIT_OBJECT_0 + 2);
    for (i = 0; i < 3; i++)
        CHECK(CloseHandle(events[i]));
}

TEST(test_wait__for_all_takes_nothing_before_it_takes_all)
{
    HANDLE events[2] = {CreateEventW(NULL, FALSE, TRUE, NULL), CreateEventW(NULL, FALSE, FALSE, NULL)}, twice[2];
    CHECK_EQ(WaitForMultipleObjects(2, events, TRUE, 1), WAIT_TIMEOUT);
    CHECK(SetEvent(events[1]));
    CHECK_EQ(WaitForMultipleObjects(2, events, TRUE, INFINITE), WAIT_OBJECT_0);
    CHECK(!is_set(events[0]) && !is_set(events[1]));
    twice[0] = twice[1] = events[0];
    CHECK_EQ(WaitForMultipleObjects(2, twice, TRUE, 0), WAIT_FAILED);
    CHECK_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WaitForMultipleObjects(0, events, FALSE, 0), WAIT_FAILED);
    CHECK_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
    CHECK(CloseHandle(events[0]) && CloseHandle(events[1]));
}

static HANDLE ball[2];

static DWORD WINAPI return_the_ball(LPVOID parameter)
{
    int i;
    (void)parameter;
    for (i = 0; i < 2000; i++) {
        WaitForSingleObject(ball[0], INFINITE);
        SetEvent(ball[1]);
    }
    return 0;
}

TEST(test_wait__two_threads_play_ping_pong)
{
    HANDLE thread;
    int i;
    ball[0] = CreateEventW(NULL, FALSE, FALSE, NULL);
    ball[1] = CreateEventW(NULL, FALSE, FALSE, NULL);
    thread = CreateThread(NULL, 0, return_the_ball, NULL, 0, NULL);
    for (i = 0; i < 2000; i++) {
        CHECK(SetEvent(ball[0]));
        CHECK_EQ(WaitForSingleObject(ball[1], INFINITE), WAIT_OBJECT_0);
    }
    CHECK_EQ(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
    CHECK(CloseHandle(thread) && CloseHandle(ball[0]) && CloseHandle(ball[1]));
}

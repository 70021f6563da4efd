/* Errors, messages, code pages, memory, modules, locks, time. */
#include "base.h"
#include <errno.h>

static int same(const WCHAR *text, const WCHAR *wanted)
{
    return lstrcmpW(text, wanted) == 0;
}

TEST(test_error__the_last_error_is_the_threads_own_and_in_errno)
{
    SetLastError(42);
    CHECK_EQ(GetLastError(), 42);
    CHECK(!CloseHandle(NULL));
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
    CHECK_EQ(errno, ERROR_INVALID_HANDLE);
#ifndef _WIN32
    CHECK_EQ(strlen(nthttp_last_error_message()), 0);
#endif
}

TEST(test_message__system_texts)
{
    WCHAR wide[200];
    char narrow[200];
    WCHAR *allocated = NULL;
    DWORD length = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, ERROR_ACCESS_DENIED, 0,
                                  wide, 200, NULL);
    CHECK_EQ(length, 19);
    CHECK(same(wide, W("Access is denied.\r\n")));
    length = FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_MAX_WIDTH_MASK, NULL, 2, 0, narrow, 200, NULL);
    CHECK_BYTES(narrow, length, "The system cannot find the file specified. ");
    length = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_ALLOCATE_BUFFER, NULL, 87, 0, (LPWSTR)&allocated, 0,
                            NULL);
    CHECK_EQ(length, 29);
    CHECK(allocated != NULL && same(allocated, W("The parameter is incorrect.\r\n")));
    CHECK(LocalFree(allocated) == NULL);
    CHECK_FAILS(FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM, NULL, 12002, 0, wide, 200, NULL), 317);
    CHECK_FAILS(FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM, NULL, 5, 0, wide, 5, NULL), ERROR_INSUFFICIENT_BUFFER);
    CHECK_FAILS(FormatMessageW(0, NULL, 5, 0, wide, 200, NULL), ERROR_INVALID_PARAMETER);
}

TEST(test_message__winhttp_texts_are_in_its_module)
{
    char text[200];
    DWORD from = FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_IGNORE_INSERTS;
    HMODULE module = GetModuleHandleW(W("winhttp.dll"));
    CHECK(FormatMessageA(from, module, 12007, 0, text, 200, NULL) > 0);
    CHECK_HAS(text, "could not be resolved");
    CHECK_FAILS(FormatMessageA(from, module, 5, 0, text, 200, NULL), 317);
    CHECK(FormatMessageA(from | FORMAT_MESSAGE_FROM_SYSTEM, module, 5, 0, text, 200, NULL) > 0);
    CHECK_HAS(text, "Access is denied.");
    CHECK(FormatMessageA(FORMAT_MESSAGE_FROM_STRING, "50%% of %%1%n", 0, 0, text, 200, NULL) > 0);
    CHECK_BYTES(text, strlen(text), "50% of %1\r\n");
}

TEST(test_text__utf8_to_utf16_and_back)
{
    const char *text = "a\xC3\xA9\xE2\x82\xAC";
    WCHAR wide[8];
    char narrow[16];
    BOOL used = TRUE;
    CHECK_EQ(MultiByteToWideChar(CP_UTF8, 0, text, -1, NULL, 0), 4);
    CHECK_EQ(MultiByteToWideChar(CP_UTF8, 0, text, -1, wide, 8), 4);
    CHECK(same(wide, W("a\u00E9\u20AC")));
    CHECK_EQ(MultiByteToWideChar(CP_UTF8, 0, text, 3, wide, 8), 2);
    CHECK_FAILS(MultiByteToWideChar(CP_UTF8, 0, text, -1, wide, 3), ERROR_INSUFFICIENT_BUFFER);
    CHECK_FAILS(MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, "\xFF", 1, wide, 8), ERROR_NO_UNICODE_TRANSLATION);
    CHECK_FAILS(MultiByteToWideChar(CP_UTF8, MB_PRECOMPOSED, text, -1, wide, 8), ERROR_INVALID_FLAGS);
    CHECK_FAILS(MultiByteToWideChar(CP_UTF8, 0, text, 0, wide, 8), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(MultiByteToWideChar(4242, 0, text, -1, wide, 8), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WideCharToMultiByte(CP_UTF8, 0, W("\u20AC"), -1, narrow, 16, NULL, NULL), 4);
    CHECK_BYTES(narrow, strlen(narrow), "\xE2\x82\xAC");
    CHECK_FAILS(WideCharToMultiByte(CP_UTF8, 0, wide, 1, narrow, 16, NULL, &used), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WideCharToMultiByte(1252, 0, W("\u20ACz\u0416"), -1, narrow, 16, NULL, &used), 4);
    CHECK_BYTES(narrow, 3, "\x80z?");
    CHECK(used);
    CHECK_EQ(WideCharToMultiByte(1252, 0, W("abc"), 3, narrow, 16, NULL, &used), 3);
    CHECK(!used);
}

TEST(test_text__lstr_functions_take_null)
{
    CHECK_EQ(lstrlenW(NULL), 0);
    CHECK_EQ(lstrlenW(W("four")), 4);
    CHECK_EQ(lstrlenA("four"), 4);
    CHECK(lstrcmpW(W("a"), W("b")) < 0 && lstrcmpA("b", "a") > 0 && lstrcmpW(NULL, W("")) < 0);
    CHECK(lstrcmpiW(W("\u00C4x"), W("\u00E4X")) == 0 && lstrcmpiA("ABC", "abc") == 0);
}

TEST(test_memory__heap_local_and_global)
{
    HANDLE heap = GetProcessHeap();
    unsigned char *block = HeapAlloc(heap, HEAP_ZERO_MEMORY, 64);
    int i, zero = 1;
    REQUIRE(block != NULL);
    for (i = 0; i < 64; i++)
        zero &= block[i] == 0;
    CHECK(zero);
    block[63] = 5;
    block = HeapReAlloc(heap, HEAP_ZERO_MEMORY, block, 100000);
    CHECK(block[63] == 5 && block[99999] == 0);
    CHECK(HeapFree(heap, 0, block));
    CHECK_FAILS(HeapFree(NULL, 0, NULL), ERROR_INVALID_HANDLE);
    CHECK(LocalFree(LocalAlloc(LPTR, 10)) == NULL);
    CHECK(GlobalFree(GlobalAlloc(GPTR, 0)) == NULL);
    CHECK(GlobalFree(NULL) == NULL);
}

TEST(test_module__functions_are_found_in_their_library)
{
    HMODULE base = GetModuleHandleA("KERNEL32"), http = LoadLibraryW(W("C:\\Windows\\System32\\HttpApi.dll"));
    FARPROC function = GetProcAddress(base, "SetEvent");
    BOOL(WINAPI *set_event)(HANDLE);
    CHECK(base != NULL && http != NULL && base != http);
    REQUIRE(function != NULL);
    memcpy(&set_event, &function, sizeof(function));
    CHECK_FAILS(set_event(NULL), ERROR_INVALID_HANDLE);
    CHECK_FAILS(GetProcAddress(base, "NoSuchFunction"), ERROR_PROC_NOT_FOUND);
    CHECK_FAILS(GetProcAddress(base, "malloc"), ERROR_PROC_NOT_FOUND);
    CHECK_FAILS(GetProcAddress(http, "SetEvent"), ERROR_PROC_NOT_FOUND);
    CHECK_FAILS(GetModuleHandleW(W("user32.dll")), ERROR_MOD_NOT_FOUND);
    CHECK_FAILS(LoadLibraryA(NULL), ERROR_INVALID_PARAMETER);
    CHECK(GetModuleHandleW(NULL) != NULL);
    CHECK(FreeLibrary(http));
}

static CRITICAL_SECTION section;
static SRWLOCK slim = SRWLOCK_INIT;
static long guarded, guarded_slim;

static DWORD WINAPI count_under_locks(LPVOID parameter)
{
    int i;
    (void)parameter;
    for (i = 0; i < 5000; i++) {
        EnterCriticalSection(&section);
        EnterCriticalSection(&section);
        guarded++;
        LeaveCriticalSection(&section);
        LeaveCriticalSection(&section);
        AcquireSRWLockExclusive(&slim);
        guarded_slim++;
        ReleaseSRWLockExclusive(&slim);
        AcquireSRWLockShared(&slim);
        ReleaseSRWLockShared(&slim);
    }
    return 0;
}

TEST(test_lock__locks_exclude)
{
    HANDLE threads[4];
    int i;
    InitializeCriticalSection(&section);
    for (i = 0; i < 4; i++)
        threads[i] = CreateThread(NULL, 0, count_under_locks, NULL, 0, NULL);
    CHECK_EQ(WaitForMultipleObjects(4, threads, TRUE, INFINITE), WAIT_OBJECT_0);
    CHECK_EQ(guarded, 20000);
    CHECK_EQ(guarded_slim, 20000);
    for (i = 0; i < 4; i++)
        CHECK(CloseHandle(threads[i]));
    CHECK(TryEnterCriticalSection(&section));
    LeaveCriticalSection(&section);
    DeleteCriticalSection(&section);
}

TEST(test_time__conversions_and_counters)
{
    SYSTEMTIME time, back;
    FILETIME file;
    LARGE_INTEGER frequency, first, second;
    ULONGLONG ticks = GetTickCount64();
    memset(&time, 0, sizeof(time));
    time.wYear = 1994;
    time.wMonth = 11;
    time.wDay = 6;
    time.wHour = 8;
    CHECK(SystemTimeToFileTime(&time, &file));
    CHECK(FileTimeToSystemTime(&file, &back));
    CHECK(back.wYear == 1994 && back.wMonth == 11 && back.wDay == 6 && back.wHour == 8 && back.wDayOfWeek == 0);
    time.wMonth = 13;
    CHECK_FAILS(SystemTimeToFileTime(&time, &file), ERROR_INVALID_PARAMETER);
    GetSystemTime(&time);
    CHECK(time.wYear >= 2024);
    CHECK(QueryPerformanceFrequency(&frequency) && QueryPerformanceCounter(&first) && QueryPerformanceCounter(&second));
    CHECK(frequency.QuadPart > 0 && first.QuadPart > 0 && second.QuadPart >= first.QuadPart);
    CHECK(GetTickCount64() >= ticks);
}

TEST(test_system__tells_the_machine)
{
    SYSTEM_INFO info;
    DWORD_PTR process = 0, all = 0;
    GetSystemInfo(&info);
    CHECK(info.dwNumberOfProcessors >= 1 && info.dwPageSize >= 4096 && (info.dwPageSize & (info.dwPageSize - 1)) == 0);
    CHECK(GetProcessAffinityMask(GetCurrentProcess(), &process, &all));
    CHECK(process != 0 && (process & ~all) == 0);
    CHECK_FAILS(GetProcessAffinityMask(NULL, &process, &all), ERROR_INVALID_HANDLE);
    CHECK(GetCurrentProcessId() != 0);
}

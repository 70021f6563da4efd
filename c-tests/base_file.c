/* Files and their names; handles after a fork. */
#include "base.h"
#ifndef _WIN32
#include <sys/wait.h>
#endif

static char name[MAX_PATH];

static const char *temporary(void)
{
    char directory[MAX_PATH];
    DWORD length = GetTempPathA(sizeof(directory), directory);
    CHECK(length > 0 && length < sizeof(directory) && directory[length - 1] == '/');
    CHECK(GetTempFileNameA(directory, "nth", 0, name) != 0);
    return name;
}

static HANDLE create(DWORD disposition)
{
    SetLastError(0xDEAD);
    return CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, disposition, FILE_ATTRIBUTE_NORMAL, NULL);
}

TEST(test_file__dispositions)
{
    HANDLE file;
    temporary();
    CHECK(create(CREATE_NEW) == INVALID_HANDLE_VALUE);
    CHECK_EQ(GetLastError(), ERROR_FILE_EXISTS);
    file = create(OPEN_ALWAYS);
    CHECK_EQ(GetLastError(), ERROR_ALREADY_EXISTS);
    CHECK(file != INVALID_HANDLE_VALUE && CloseHandle(file));
    CHECK(DeleteFileA(name));
    CHECK_FAILS(DeleteFileA(name), ERROR_FILE_NOT_FOUND);
    CHECK_EQ(GetFileAttributesA(name), INVALID_FILE_ATTRIBUTES);
    CHECK_EQ(GetLastError(), ERROR_FILE_NOT_FOUND);
    CHECK(create(OPEN_EXISTING) == INVALID_HANDLE_VALUE);
    CHECK_EQ(GetLastError(), ERROR_FILE_NOT_FOUND);
    file = create(CREATE_ALWAYS);
    CHECK_EQ(GetLastError(), 0);
    CHECK(file != INVALID_HANDLE_VALUE && CloseHandle(file));
    CHECK_EQ(GetFileAttributesA(name), FILE_ATTRIBUTE_NORMAL);
    CHECK_EQ(GetFileAttributesW(W("\\tmp")), FILE_ATTRIBUTE_DIRECTORY);
    CHECK(create(9) == INVALID_HANDLE_VALUE);
    CHECK_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
    CHECK(DeleteFileA(name));
    CHECK(CreateFileW(W("/no/such/directory/file"), GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL) == INVALID_HANDLE_VALUE);
    CHECK_EQ(GetLastError(), ERROR_PATH_NOT_FOUND);
}

TEST(test_file__reads_and_writes_go_on_where_the_last_ended)
{
    HANDLE file;
    LARGE_INTEGER size, move;
    char buffer[16];
    DWORD done = 0;
    temporary();
    file = create(OPEN_EXISTING);
    CHECK(WriteFile(file, "hello ", 6, &done, NULL) && done == 6);
    CHECK(WriteFile(file, "world", 5, &done, NULL) && done == 5);
    CHECK(GetFileSizeEx(file, &size));
    CHECK_EQ(size.QuadPart, 11);
    CHECK_EQ(GetFileSize(file, NULL), 11);
    CHECK_EQ(SetFilePointer(file, -5, NULL, FILE_END), 6);
    CHECK(ReadFile(file, buffer, sizeof(buffer), &done, NULL));
    CHECK_BYTES(buffer, done, "world");
    CHECK(ReadFile(file, buffer, sizeof(buffer), &done, NULL));
    CHECK_EQ(done, 0);
    CHECK_EQ(SetFilePointer(file, -1, NULL, FILE_BEGIN), INVALID_SET_FILE_POINTER);
    CHECK_EQ(GetLastError(), 131);
    move.QuadPart = 4;
    CHECK(SetFilePointerEx(file, move, &size, FILE_BEGIN));
    CHECK_EQ(size.QuadPart, 4);
    CHECK(SetEndOfFile(file) && FlushFileBuffers(file));
    CHECK_EQ(GetFileSize(file, NULL), 4);
    CHECK_FAILS(ReadFile(file, buffer, 1, NULL, NULL), ERROR_INVALID_PARAMETER);
    CHECK(CloseHandle(file));
    CHECK_FAILS(ReadFile(file, buffer, 1, &done, NULL), ERROR_INVALID_HANDLE);
    file = CreateFileA(name, GENERIC_READ, 0, NULL, OPEN_EXISTING, FILE_FLAG_DELETE_ON_CLOSE, NULL);
    CHECK_FAILS(WriteFile(file, "x", 1, &done, NULL), ERROR_ACCESS_DENIED);
    CHECK(CloseHandle(file));
    CHECK_EQ(GetFileAttributesA(name), INVALID_FILE_ATTRIBUTES);
}

TEST(test_file__temporary_paths_tell_the_size_they_need)
{
    WCHAR wide[MAX_PATH], prefix[] = {'a', 'b', 'c', 'd', 0};
    DWORD needed = GetTempPathW(0, NULL);
    CHECK(needed > 1);
    CHECK_EQ(GetTempPathW(needed - 1, wide), needed);
    CHECK_EQ(GetTempPathW(needed, wide), needed - 1);
    CHECK_EQ(GetTempFileNameW(wide, prefix, 0x1F, wide), 0x1F);
    CHECK(lstrlenW(wide) == (int)(needed - 1 + 9));
    CHECK_FAILS(GetTempFileNameA("/no/such/directory", "x", 0, name), 267);
}

#ifndef _WIN32
TEST(test_fork__the_child_gets_errors_and_no_hang)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        _exit(WaitForSingleObject(event, INFINITE) == WAIT_FAILED && GetLastError() == ERROR_INVALID_HANDLE ? 7 : 8);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 7);
    CHECK(SetEvent(event));
    CHECK(CloseHandle(event));
}
#endif

/* A client that forks: the child gets errors and no hang. gate: not-mingw */
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

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

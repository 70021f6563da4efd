/* A server that forks: the child gets errors and no hang, the parent serves on. gate: not-mingw */
#include "http_server.h"

#include <sys/wait.h>
#include <unistd.h>

static union request_buffer buffer;
static struct reply reply;

/* What the child is told, as bits of what is wrong. */
static int fared(const struct server *server)
{
    HTTP_SERVER_SESSION_ID session;
    HTTP_URL_GROUP_ID group;
    HANDLE queue;
    int wrong = 0;
    wrong |= HttpReceiveHttpRequest(server->queue, 0, 0, &buffer.request, sizeof(buffer), NULL, NULL) != ERROR_INVALID_HANDLE;
    wrong |= (HttpInitialize(version(2, 0), HTTP_INITIALIZE_SERVER, NULL) != ERROR_NOT_READY) << 1;
    wrong |= (HttpCreateServerSession(version(2, 0), &session, 0) != ERROR_NOT_READY) << 2;
    wrong |= (HttpCreateUrlGroup(server->session, &group, 0) != ERROR_NOT_READY) << 3;
    wrong |= (HttpCreateRequestQueue(version(2, 0), NULL, NULL, 0, &queue) != ERROR_NOT_READY) << 4;
    wrong |= (HttpAddUrlToUrlGroup(server->group, W("http://localhost:1/"), 0, 0) != ERROR_NOT_READY) << 5;
    wrong |= (HttpCloseServerSession(server->session) != ERROR_NOT_READY) << 6;
    return wrong;
}

TEST(test_fork__the_child_of_a_server_gets_errors_and_the_parent_serves_on)
{
    struct server server;
    int client, status = -1;
    pid_t child;
    server_open(&server);
    child = fork();
    if (child == 0) {
        alarm(30);
        _exit(fared(&server));
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 0);
    client = client_get(&server, "/");
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "alive"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    CHECK_EQ(reply.body_size, 5);
    close(client);
    server_close(&server);
}

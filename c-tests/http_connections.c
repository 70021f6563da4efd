/* The parameter that bounds connections.
 * gate: not-mingw (it chooses its own configuration file) */
#define _GNU_SOURCE
#include "http_server.h"

#define CONNECTIONS 8

static char folder[] = "/tmp/nthttp-connections-XXXXXX", file[64];
static struct reply reply;

/* Before anything reads the configuration. */
__attribute__((constructor)) static void choose_file(void)
{
    FILE *out;
    if (mkdtemp(folder) == NULL)
        _exit(9);
    snprintf(file, sizeof(file), "%s/config.json", folder);
    setenv("NTHTTP_CONFIG", file, 1);
    out = fopen(file, "w");
    if (out == NULL)
        _exit(9);
    fputs("{\"parameters\": {\"MaxConnections\": 8}}", out);
    fclose(out);
}

__attribute__((destructor)) static void remove_files(void)
{
    unlink(file);
    rmdir(folder);
}

TEST(test_connections__beyond_the_bound_are_reset)
{
    static union request_buffer buffer;
    struct server server;
    OVERLAPPED overlapped;
    int clients[CONNECTIONS], at, one_more;
    server_open(&server);
    for (at = 0; at < CONNECTIONS; at++) {
        clients[at] = client_get(&server, "/");
        CHECK_EQ(answer(&server, receive(&server)->RequestId, "x"), NO_ERROR);
        CHECK(client_response(clients[at], &reply, 0));
    }
    one_more = client_get(&server, "/");
    client_all(one_more, &reply);
    CHECK(reply.closed);
    CHECK_EQ(reply.size, 0);
    close(one_more);
    /* The others are served as before. */
    client_text(clients[0], "GET / HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", server.port);
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "x"), NO_ERROR);
    CHECK(client_response(clients[0], &reply, 0));
    /* One that leaves makes room, a moment later. */
    close(clients[0]);
    memset(&overlapped, 0, sizeof(overlapped));
    overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, 0, 0, &buffer.request, sizeof(buffer), NULL, &overlapped), ERROR_IO_PENDING);
    clients[0] = client_get(&server, "/");
    while (WaitForSingleObject(overlapped.hEvent, 10) == WAIT_TIMEOUT)
        if (client_readable(clients[0], 10)) {
            close(clients[0]);
            clients[0] = client_get(&server, "/");
        }
    CloseHandle(overlapped.hEvent);
    CHECK_EQ(answer(&server, buffer.request.RequestId, "x"), NO_ERROR);
    CHECK(client_response(clients[0], &reply, 0));
    for (at = 0; at < CONNECTIONS; at++)
        close(clients[at]);
    server_close(&server);
}

/* A send beside another thread's blocking one is refused; and a long blocking send ends when its last byte has gone.
 *
 * gate: not-mingw (it looks into the client's socket) gate: thread */
#include <pthread.h>
#include <sys/ioctl.h>

#include "http_server.h"

#define SIZE (64u << 20)

static struct server server;
static HTTP_REQUEST_ID id;
static char *big;
static ULONG sent, result;

static void *send_all(void *unused)
{
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    make_response(&response, &chunk, 200, "OK", "");
    set_known(&response, HttpHeaderContentLength, "67108869");
    chunk.FromMemory.pBuffer = big;
    chunk.FromMemory.BufferLength = SIZE;
    result = send_response(&server, id, HTTP_SEND_RESPONSE_FLAG_MORE_DATA, &response, &sent);
    return unused;
}

/* Until nothing more comes: then the sender waits for the client to read. */
static void wait_until_full(int client)
{
    int before = 0, now = 0, still = 0;
    while (still < 10) {
        poll(NULL, 0, 10);
        REQUIRE(ioctl(client, FIONREAD, &now) == 0);
        still = now > 0 && now == before ? still + 1 : 0;
        before = now;
    }
}

TEST(test_racing__a_send_beside_a_blocking_one_is_a_bad_command)
{
    static char scratch[1 << 16];
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    OVERLAPPED overlapped;
    pthread_t thread;
    size_t got = 0;
    ssize_t part;
    int client;
    big = calloc(1, SIZE);
    REQUIRE(big != NULL);
    server_open(&server);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    REQUIRE(pthread_create(&thread, NULL, send_all, NULL) == 0);
    wait_until_full(client);
    memset(&overlapped, 0, sizeof(overlapped));
    CHECK_EQ(send_body(&server, id, 0, "later"), ERROR_BAD_COMMAND);
    CHECK_EQ(HttpSendResponseEntityBody(server.queue, id, 0, 0, NULL, NULL, NULL, 0, &overlapped, NULL), ERROR_BAD_COMMAND);
    make_response(&response, &chunk, 200, "OK", "x");
    CHECK_EQ(send_response(&server, id, 0, &response, NULL), ERROR_BAD_COMMAND);
    /* Another request is none of its business. */
    CHECK_EQ(send_body(&server, id + 1, 0, "later"), ERROR_CONNECTION_INVALID);
    while (got < SIZE && (part = recv(client, scratch, sizeof(scratch), 0)) > 0)
        got += (size_t)part;
    pthread_join(thread, NULL);
    CHECK_EQ(result, NO_ERROR);
    CHECK(sent > SIZE);
    /* When it is done, the next one is welcome. */
    CHECK_EQ(send_body(&server, id, 0, "later"), NO_ERROR);
    while (got < sent + 5 && (part = recv(client, scratch, sizeof(scratch), 0)) > 0)
        got += (size_t)part;
    CHECK_EQ(got, sent + 5);
    close(client);
    server_close(&server);
    free(big);
}

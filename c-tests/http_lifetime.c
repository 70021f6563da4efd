/* What ends when: shutdown, close, cancel, clients that leave, waits for disconnection. */
#include "http_server.h"

#include <pthread.h>

#define PENDING_STATUS 0x103
#define ABORTED_STATUS 0xC0000120

static union request_buffer buffer;
static struct reply reply;

static void wait_done(OVERLAPPED *overlapped)
{
    while (*(volatile ULONG_PTR *)&overlapped->Internal == PENDING_STATUS)
        REQUIRE(poll(NULL, 0, 1) == 0);
}

static ULONG receive_later(const struct server *server, OVERLAPPED *overlapped)
{
    memset(overlapped, 0, sizeof(*overlapped));
    return HttpReceiveHttpRequest(server->queue, 0, 0, &buffer.request, sizeof(buffer), NULL, overlapped);
}

TEST(test_lifetime__shutdown_ends_receives_and_cancels_the_unanswered)
{
    struct server server;
    OVERLAPPED receiving, waiting = {0};
    HTTP_REQUEST *request;
    HTTP_REQUEST_ID id;
    ULONG bytes;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    request = receive(&server);
    id = request->RequestId;
    CHECK_EQ(HttpWaitForDisconnect(server.queue, request->ConnectionId, &waiting), ERROR_IO_PENDING);
    CHECK_EQ(receive_later(&server, &receiving), ERROR_IO_PENDING);
    CHECK_EQ(HttpShutdownRequestQueue(server.queue), NO_ERROR);
    wait_done(&receiving);
    CHECK_EQ(receiving.Internal, ABORTED_STATUS);
    wait_done(&waiting);
    CHECK_EQ(waiting.Internal, ABORTED_STATUS);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, 0, 0, &buffer.request, sizeof(buffer), &bytes, NULL), ERROR_INVALID_HANDLE);
    CHECK_EQ(HttpShutdownRequestQueue(server.queue), NO_ERROR);
    client_all(client, &reply);
    CHECK(reply.closed);
    CHECK_EQ(reply.size, 0);
    CHECK_EQ(answer(&server, id, "x"), ERROR_CONNECTION_INVALID);
    close(client);
    server_close(&server);
}

TEST(test_lifetime__shutdown_lets_a_begun_response_finish)
{
    struct server server;
    HTTP_REQUEST_ID id;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    make_response(&response, &chunk, 200, "OK", "ab");
    set_known(&response, HttpHeaderContentLength, "4");
    CHECK_EQ(send_response(&server, id, HTTP_SEND_RESPONSE_FLAG_MORE_DATA, &response, NULL), NO_ERROR);
    CHECK_EQ(HttpShutdownRequestQueue(server.queue), NO_ERROR);
    CHECK_EQ(send_body(&server, id, 0, "cd"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    CHECK_BYTES(reply.body, reply.body_size, "abcd");
    close(client);
    server_close(&server);
}

/* Asks for a host that nobody serves: once that is answered, what was asked before has been looked at. */
static void look_at_all(const struct server *server)
{
    int client = client_connect(server->port);
    client_text(client, "GET / HTTP/1.1\r\nHost: elsewhere\r\n\r\n");
    CHECK(client_response(client, &reply, 0));
    CHECK_EQ(reply.status, 400);
    close(client);
}

/* Nobody will take them, but that is not known before the queue is closed. */
TEST(test_lifetime__shutdown_leaves_waiting_requests_waiting)
{
    struct server server;
    int before, after;
    server_open(&server);
    before = client_get(&server, "/before");
    look_at_all(&server);
    CHECK_EQ(HttpShutdownRequestQueue(server.queue), NO_ERROR);
    after = client_get(&server, "/after");
    look_at_all(&server);
    CHECK(!client_readable(before, 0));
    CHECK(!client_readable(after, 0));
    CHECK_EQ(HttpCloseRequestQueue(server.queue), NO_ERROR);
    CHECK(client_response(before, &reply, 0));
    CHECK_EQ(reply.status, 503);
    CHECK(client_response(after, &reply, 0));
    CHECK_EQ(reply.status, 503);
    close(before);
    close(after);
    CHECK_EQ(HttpCloseServerSession(server.session), NO_ERROR);
    CHECK_EQ(HttpTerminate(HTTP_INITIALIZE_SERVER, NULL), NO_ERROR);
}

static void *receive_blocking(void *argument)
{
    static union request_buffer own;
    const struct server *server = argument;
    ULONG bytes;
    return (void *)(uintptr_t)HttpReceiveHttpRequest(server->queue, 0, 0, &own.request, sizeof(own), &bytes, NULL);
}

TEST(test_lifetime__closing_ends_a_blocked_receive)
{
    struct server server;
    pthread_t thread;
    void *result;
    server_open(&server);
    REQUIRE(pthread_create(&thread, NULL, receive_blocking, &server) == 0);
    /* Whether it blocks already or not, it must end. */
    CHECK_EQ(HttpShutdownRequestQueue(server.queue), NO_ERROR);
    pthread_join(thread, &result);
    CHECK((uintptr_t)result == ERROR_OPERATION_ABORTED || (uintptr_t)result == ERROR_INVALID_HANDLE);
    server_close(&server);
}

TEST(test_lifetime__close_ends_everything_on_the_queue)
{
    struct server server;
    OVERLAPPED receiving, reading = {0}, waiting = {0};
    HTTP_REQUEST *request;
    HANDLE queue;
    char text[8];
    int taken, queued, later;
    server_open(&server);
    taken = client_connect(server.port);
    client_text(taken, "POST / HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 4\r\n\r\n", server.port);
    request = receive(&server);
    CHECK_EQ(HttpReceiveRequestEntityBody(server.queue, request->RequestId, 0, text, 8, NULL, &reading), ERROR_IO_PENDING);
    CHECK_EQ(HttpWaitForDisconnectEx(server.queue, request->ConnectionId, 0, &waiting), ERROR_IO_PENDING);
    CHECK_EQ(receive_later(&server, &receiving), ERROR_IO_PENDING);
    queue = server.queue;
    CHECK_EQ(HttpCloseRequestQueue(queue), NO_ERROR);
    wait_done(&receiving);
    CHECK_EQ(receiving.Internal, ABORTED_STATUS);
    wait_done(&reading);
    CHECK(reading.Internal != 0);
    wait_done(&waiting);
    CHECK_EQ(waiting.Internal, ABORTED_STATUS);
    client_all(taken, &reply);
    CHECK(reply.closed);
    CHECK_EQ(reply.size, 0);
    CHECK_EQ(receive_later(&server, &receiving), ERROR_INVALID_HANDLE);
    /* The group is unbound, its URL still there. */
    later = client_get(&server, "/");
    client_all(later, &reply);
    CHECK_EQ(reply.status, 503);
    REQUIRE(HttpCreateRequestQueue(version(2, 0), NULL, NULL, 0, &server.queue) == NO_ERROR);
    CHECK_EQ(bind_group(server.group, server.queue), NO_ERROR);
    close(later);
    later = client_get(&server, "/");
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "x"), NO_ERROR);
    /* One that waits in the queue is refused when it closes. */
    queued = client_get(&server, "/");
    while (client_readable(queued, 20))
        ;
    server_close(&server);
    client_all(queued, &reply);
    CHECK(reply.closed);
    CHECK(reply.status == 503 || reply.status == 0);
    close(taken);
    close(later);
    close(queued);
}

TEST(test_lifetime__cancel_closes_the_connection)
{
    struct server server;
    OVERLAPPED overlapped = {0};
    HTTP_REQUEST_ID id;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    CHECK_EQ(HttpCancelHttpRequest(server.queue, id, NULL), NO_ERROR);
    client_all(client, &reply);
    CHECK(reply.closed);
    CHECK_EQ(reply.size, 0);
    CHECK_EQ(HttpCancelHttpRequest(server.queue, id, NULL), ERROR_CONNECTION_INVALID);
    CHECK_EQ(answer(&server, id, "x"), ERROR_CONNECTION_INVALID);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, id, 0, &buffer.request, sizeof(buffer), NULL, NULL), ERROR_CONNECTION_INVALID);
    CHECK_EQ(HttpCancelHttpRequest(server.queue, 0, NULL), ERROR_CONNECTION_INVALID);
    CHECK_EQ(HttpCancelHttpRequest(NULL, id, NULL), ERROR_INVALID_HANDLE);
    close(client);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    CHECK_EQ(answer(&server, id, "x"), NO_ERROR);
    CHECK_EQ(HttpCancelHttpRequest(server.queue, id, NULL), ERROR_CONNECTION_INVALID);
    close(client);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    CHECK_EQ(HttpCancelHttpRequest(server.queue, id, &overlapped), NO_ERROR);
    CHECK_EQ(overlapped.Internal, 0);
    client_all(client, &reply);
    CHECK(reply.closed);
    close(client);
    server_close(&server);
}

TEST(test_lifetime__cancel_ends_a_pending_body_read)
{
    struct server server;
    OVERLAPPED reading = {0};
    HTTP_REQUEST_ID id;
    char text[8];
    int client;
    server_open(&server);
    client = client_connect(server.port);
    client_text(client, "POST / HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 4\r\n\r\n", server.port);
    id = receive(&server)->RequestId;
    CHECK_EQ(HttpReceiveRequestEntityBody(server.queue, id, 0, text, 8, NULL, &reading), ERROR_IO_PENDING);
    CHECK_EQ(HttpCancelHttpRequest(server.queue, id, NULL), NO_ERROR);
    wait_done(&reading);
    CHECK(reading.Internal == ABORTED_STATUS || reading.Internal == 0xC000023A);
    close(client);
    server_close(&server);
}

TEST(test_lifetime__wait_for_disconnect_ends_with_a_reset_and_not_with_fin)
{
    struct server server;
    OVERLAPPED waiting = {0};
    HTTP_REQUEST *request;
    HTTP_REQUEST_ID id;
    HTTP_CONNECTION_ID connection;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    request = receive(&server);
    id = request->RequestId;
    connection = request->ConnectionId;
    CHECK_EQ(HttpWaitForDisconnect(server.queue, connection, &waiting), ERROR_IO_PENDING);
    shutdown(client, SHUT_WR);
    CHECK(!client_readable(client, 50));
    CHECK_EQ(waiting.Internal, PENDING_STATUS);
    client_reset(client);
    wait_done(&waiting);
    CHECK_EQ(waiting.Internal, 0);
    CHECK_EQ(waiting.InternalHigh, 0);
    CHECK_EQ(answer(&server, id, "x"), ERROR_CONNECTION_INVALID);
    CHECK_EQ(HttpWaitForDisconnect(server.queue, connection, NULL), ERROR_CONNECTION_INVALID);
    CHECK_EQ(HttpWaitForDisconnect(server.queue, 0x1234, NULL), ERROR_CONNECTION_INVALID);
    CHECK_EQ(HttpWaitForDisconnectEx(server.queue, connection, 1, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpWaitForDisconnect(NULL, connection, NULL), ERROR_INVALID_HANDLE);
    server_close(&server);
}

TEST(test_lifetime__a_half_closed_client_is_answered)
{
    struct server server;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    shutdown(client, SHUT_WR);
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "x"), NO_ERROR);
    client_all(client, &reply);
    CHECK_EQ(reply.status, 200);
    CHECK_BYTES(reply.body, reply.body_size, "x");
    close(client);
    server_close(&server);
}

TEST(test_lifetime__a_reset_ends_a_pending_body_read)
{
    struct server server;
    OVERLAPPED reading = {0};
    HTTP_REQUEST_ID id;
    char text[8];
    int client;
    server_open(&server);
    client = client_connect(server.port);
    client_text(client, "POST / HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 4\r\n\r\n", server.port);
    id = receive(&server)->RequestId;
    CHECK_EQ(HttpReceiveRequestEntityBody(server.queue, id, 0, text, 8, NULL, &reading), ERROR_IO_PENDING);
    client_reset(client);
    wait_done(&reading);
    CHECK(reading.Internal == 0xC000020D || reading.Internal == 0xC000013B);
    CHECK_EQ(HttpReceiveRequestEntityBody(server.queue, id, 0, text, 8, NULL, NULL), ERROR_CONNECTION_INVALID);
    CHECK_EQ(answer(&server, id, "x"), ERROR_CONNECTION_INVALID);
    server_close(&server);
}

TEST(test_lifetime__removing_urls_leaves_delivered_requests_alone)
{
    struct server server;
    HTTP_REQUEST_ID id;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    CHECK_EQ(HttpRemoveUrlFromUrlGroup(server.group, NULL, HTTP_URL_FLAG_REMOVE_ALL), NO_ERROR);
    CHECK_EQ(answer(&server, id, "x"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    CHECK_BYTES(reply.body, reply.body_size, "x");
    close(client);
    server_close(&server);
}

TEST(test_lifetime__a_client_that_leaves_the_queue_is_not_delivered)
{
    struct server server;
    OVERLAPPED receiving;
    int client;
    server_open(&server);
    client = client_get(&server, "/gone");
    while (client_readable(client, 20))
        ;
    client_reset(client);
    client = client_get(&server, "/here");
    while (client_readable(client, 20))
        ;
    CHECK(receive_later(&server, &receiving) != ERROR_INVALID_PARAMETER);
    wait_done(&receiving);
    CHECK_BYTES(buffer.request.pRawUrl, buffer.request.RawUrlLength, "/here");
    close(client);
    server_close(&server);
}

struct worker {
    struct server *server;
    int served;
};

static void *serve(void *argument)
{
    struct worker *worker = argument;
    union request_buffer *own = malloc(sizeof(*own));
    ULONG bytes;
    while (HttpReceiveHttpRequest(worker->server->queue, 0, 0, &own->request, sizeof(*own), &bytes, NULL) == NO_ERROR) {
        worker->served++;
        if (answer(worker->server, own->request.RequestId, "worker") != NO_ERROR)
            break;
    }
    free(own);
    return NULL;
}

static void *ask(void *argument)
{
    const struct server *server = argument;
    struct reply *own = malloc(sizeof(*own));
    int client = client_connect(server->port), at, fine = 0;
    for (at = 0; at < 200; at++) {
        client_text(client, "GET /%d HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", at, server->port);
        fine += client_response(client, own, 0) && own->body_size == 6;
    }
    close(client);
    free(own);
    return (void *)(uintptr_t)fine;
}

TEST(test_lifetime__many_threads_serve_many_clients)
{
    static struct server server;
    static struct worker workers[4];
    pthread_t serving[4], asking[8];
    int at, served = 0;
    server_open(&server);
    for (at = 0; at < 4; at++) {
        workers[at].server = &server;
        workers[at].served = 0;
        REQUIRE(pthread_create(&serving[at], NULL, serve, &workers[at]) == 0);
    }
    for (at = 0; at < 8; at++)
        REQUIRE(pthread_create(&asking[at], NULL, ask, &server) == 0);
    for (at = 0; at < 8; at++) {
        void *fine;
        pthread_join(asking[at], &fine);
        CHECK_EQ((uintptr_t)fine, 200);
    }
    CHECK_EQ(HttpShutdownRequestQueue(server.queue), NO_ERROR);
    for (at = 0; at < 4; at++) {
        pthread_join(serving[at], NULL);
        served += workers[at].served;
    }
    CHECK_EQ(served, 1600);
    server_close(&server);
}

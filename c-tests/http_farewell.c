/* A port that closes: its connections at rest end at once, the others with the response they wait for.
 * gate: not-mingw (it looks at the threads of the process as Linux shows them)
 * gate: thread */
#include <dirent.h>
#include <pthread.h>
#include "http_server.h"

static struct reply reply;

static ULONG remove_url(const struct server *it, const char *path)
{
    return HttpRemoveUrlFromUrlGroup(it->group, wide("http://localhost:%d%s", it->port, path), 0);
}

/* A connection that has had a response and may ask again. */
static int rested(const struct server *it)
{
    int client = client_get(it, "/");
    CHECK_EQ(answer(it, receive(it)->RequestId, "first"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    CHECK_EQ(reply.status, 200);
    return client;
}

/* It ends, far sooner than an idle connection would, and nothing more comes. */
static void check_ends(int client)
{
    client_all(client, &reply);
    CHECK(reply.closed && !reply.reset);
    CHECK_EQ(reply.size, 0);
    close(client);
}

/* Whether the library's own thread that does the I/O for a busy program is there. */
static int has_watchman(void)
{
    DIR *list = opendir("/proc/self/task");
    const struct dirent *entry;
    int found = 0;
    REQUIRE(list != NULL);
    while ((entry = readdir(list)) != NULL) {
        char path[300], name[32] = "";
        FILE *file;
        snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
        if ((file = fopen(path, "r")) != NULL) {
            found |= fgets(name, sizeof(name), file) != NULL && strncmp(name, "nthttp-engine", 13) == 0;
            fclose(file);
        }
    }
    closedir(list);
    return found;
}

static int await_watchman(int there)
{
    int tries;
    for (tries = 0; tries < 1000 && has_watchman() != there; tries++)
        Sleep(10);
    return has_watchman() == there;
}

TEST(test_farewell__a_connection_at_rest)
{
    struct server server;
    int client, fresh;
    server_open(&server);
    fresh = client_connect(server.port);
    /* One that is served later was accepted later. */
    client = rested(&server);
    CHECK(await_watchman(1));
    CHECK_EQ(remove_url(&server, "/"), NO_ERROR);
    check_ends(client);
    check_ends(fresh);
    CHECK(await_watchman(0));
    /* And it opens again. */
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("http://localhost:%d/", server.port), 7, 0), NO_ERROR);
    close(rested(&server));
    server_close(&server);
}

TEST(test_farewell__while_another_url_is_left)
{
    struct server server;
    int client;
    server_open(&server);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("http://localhost:%d/more/", server.port), 8, 0), NO_ERROR);
    client = rested(&server);
    CHECK_EQ(remove_url(&server, "/"), NO_ERROR);
    client_text(client, "GET /more/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "second"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    CHECK_BYTES(reply.body, reply.body_size, "second");
    CHECK_EQ(HttpCloseUrlGroup(server.group), NO_ERROR);
    check_ends(client);
    CHECK_EQ(HttpCreateUrlGroup(server.session, &server.group, 0), NO_ERROR);
    server_close(&server);
}

TEST(test_farewell__a_request_that_waits_or_is_being_answered)
{
    struct server server;
    HTTP_REQUEST_ID taken, begun;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    int first, second, third;
    server_open(&server);
    first = client_get(&server, "/first");
    taken = receive(&server)->RequestId;
    second = client_get(&server, "/second");
    begun = receive(&server)->RequestId;
    make_response(&response, &chunk, 200, "OK", "be");
    CHECK_EQ(send_response(&server, begun, HTTP_SEND_RESPONSE_FLAG_MORE_DATA, &response, NULL), NO_ERROR);
    third = rested(&server);
    client_text(third, "GET /third HTTP/1.1\r\nHost: localhost\r\n\r\nGET /fourth HTTP/1.1\r\nHost: localhost\r\n\r\n");
    /* On the queue, where removing its URL leaves it. */
    REQUIRE(client_readable(nthttp_event_fd(server.queue), 10000));
    CHECK_EQ(remove_url(&server, "/"), NO_ERROR);
    CHECK_EQ(answer(&server, taken, "first"), NO_ERROR);
    REQUIRE(client_response(first, &reply, 0));
    CHECK_BYTES(reply.body, reply.body_size, "first");
    CHECK_HAS(reply.text, "Connection: close");
    check_ends(first);
    CHECK_EQ(send_body(&server, begun, 0, "gun"), NO_ERROR);
    client_all(second, &reply);
    CHECK(reply.closed && !reply.reset);
    CHECK_HAS(reply.body, "gun");
    close(second);
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "third"), NO_ERROR);
    client_all(third, &reply);
    CHECK_HAS(reply.text, "third");
    CHECK_LACKS(reply.text + 9, "HTTP/1.1");
    close(third);
    server_close(&server);
}

/* The client takes its time; nothing of the response is lost. */
TEST(test_farewell__a_response_that_is_going_out)
{
    static char large[4 * 1024 * 1024];
    struct server server;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    OVERLAPPED overlapped;
    size_t got = 0;
    long part;
    int client;
    memset(large, 'x', sizeof(large) - 1);
    server_open(&server);
    client = client_get(&server, "/");
    make_response(&response, &chunk, 200, "OK", large);
    memset(&overlapped, 0, sizeof(overlapped));
    overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    CHECK_EQ(HttpSendHttpResponse(server.queue, receive(&server)->RequestId, 0, &response, NULL, NULL, NULL, 0, &overlapped, NULL), ERROR_IO_PENDING);
    CHECK_EQ(remove_url(&server, "/"), NO_ERROR);
    CHECK_EQ(WaitForSingleObject(overlapped.hEvent, 0), WAIT_TIMEOUT);
    while (client_readable(client, CLIENT_PATIENCE) && (part = recv(client, reply.text, sizeof(reply.text), 0)) > 0)
        got += (size_t)part;
    CHECK(got > sizeof(large));
    CHECK_EQ(WaitForSingleObject(overlapped.hEvent, 10000), WAIT_OBJECT_0);
    close(client);
    CloseHandle(overlapped.hEvent);
    server_close(&server);
}

TEST(test_farewell__half_a_head)
{
    struct server server;
    int client;
    server_open(&server);
    client = rested(&server);
    client_text(client, "GET / HTTP/1.1\r\nHo");
    /* So much is known to have been read once the next request is here. */
    close(rested(&server));
    CHECK_EQ(remove_url(&server, "/"), NO_ERROR);
    client_text(client, "st: localhost\r\n\r\n");
    client_all(client, &reply);
    CHECK(reply.closed);
    CHECK_EQ(reply.status, 400);
    close(client);
    server_close(&server);
}

TEST(test_farewell__when_the_program_is_done)
{
    struct server server;
    int client;
    server_open(&server);
    client = rested(&server);
    CHECK_EQ(HttpTerminate(HTTP_INITIALIZE_SERVER, NULL), NO_ERROR);
    check_ends(client);
    server_open_v1(&server);
    client = rested(&server);
    CHECK(CloseHandle(server.queue));
    check_ends(client);
    CHECK_EQ(HttpTerminate(HTTP_INITIALIZE_SERVER, NULL), NO_ERROR);
}

static LONG volatile over;

static void *serve_all(void *argument)
{
    static union request_buffer buffer;
    const struct server *server = argument;
    ULONG bytes;
    while (HttpReceiveHttpRequest(server->queue, HTTP_NULL_ID, 0, &buffer.request, sizeof(buffer), &bytes, NULL) == NO_ERROR)
        answer(server, buffer.request.RequestId, "x");
    return NULL;
}

/* Connects and asks again and again, and leaves every third connection to the server to end. */
static void *ask_all(void *argument)
{
    const struct server *server = argument;
    uintptr_t count = 0;
    char text[1024];
    while (InterlockedCompareExchange(&over, 0, 0) == 0) {
        struct sockaddr_in to;
        int it = socket(AF_INET, SOCK_STREAM, 0), one = 1;
        /* A client may be given the very port the server has just left; that must not keep the server from it. */
        setsockopt(it, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        client_address(&to, server->port);
        if (connect(it, (struct sockaddr *)&to, sizeof(to)) == 0) {
            client_text(it, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
            while (client_readable(it, CLIENT_PATIENCE) && recv(it, text, sizeof(text), 0) > 0 && count % 3 == 0)
                ;
            count++;
        }
        close(it);
    }
    return (void *)count;
}

/* The port opens and closes under the clients' feet; in the end nobody is left. */
TEST(test_farewell__while_clients_come_and_go)
{
    struct server server;
    pthread_t serving, asking[3];
    uintptr_t asked = 0;
    int at;
    server_open(&server);
    InterlockedExchange(&over, 0);
    REQUIRE(pthread_create(&serving, NULL, serve_all, &server) == 0);
    for (at = 0; at < 3; at++)
        REQUIRE(pthread_create(&asking[at], NULL, ask_all, &server) == 0);
    for (at = 0; at < 200; at++) {
        close(client_connect(server.port));
        CHECK_EQ(remove_url(&server, "/"), NO_ERROR);
        CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("http://localhost:%d/", server.port), 7, 0), NO_ERROR);
    }
    CHECK_EQ(remove_url(&server, "/"), NO_ERROR);
    InterlockedExchange(&over, 1);
    for (at = 0; at < 3; at++) {
        void *count;
        pthread_join(asking[at], &count);
        asked += (uintptr_t)count;
    }
    CHECK(asked > 0);
    CHECK_EQ(HttpShutdownRequestQueue(server.queue), NO_ERROR);
    pthread_join(serving, NULL);
    CHECK(await_watchman(0));
    server_close(&server);
}

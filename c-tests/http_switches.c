/* Parameters of the service that change what goes out: the Server field, limits on heads; and 503s in full.
 * gate: not-mingw (it chooses its own configuration file) */
#define _GNU_SOURCE
#include "http_server.h"

static char folder[] = "/tmp/nthttp-switches-XXXXXX", file[64];
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
    fputs("{\"parameters\": {\"DisableServerHeader\": 2, \"MaxRequestBytes\": 100000, \"MaxFieldLength\": 60000, \"UrlSegmentMaxLength\": 500},"
          " \"timeouts\": {\"header_wait\": 1}}", out);
    fclose(out);
}

__attribute__((destructor)) static void remove_files(void)
{
    unlink(file);
    rmdir(folder);
}

TEST(test_switches__no_server_field)
{
    struct server server;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    CHECK_LACKS(reply.text, "Server:");
    client_text(client, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    make_response(&response, &chunk, 200, "OK", "x");
    set_known(&response, HttpHeaderServer, "Mine/1.0");
    CHECK_EQ(send_response(&server, receive(&server)->RequestId, 0, &response, NULL), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    CHECK_HAS(reply.text, "Server: Mine/1.0\r\n");
    client_text(client, "GET / HTTP/1.1\r\nHost: elsewhere\r\n\r\n");
    client_all(client, &reply);
    CHECK_EQ(reply.status, 400);
    CHECK_LACKS(reply.text, "Server:");
    close(client);
    server_close(&server);
}

TEST(test_switches__long_heads_and_segments)
{
    static char field[60000], path[600];
    static union {
        HTTP_REQUEST request;
        char bytes[128 * 1024];
    } buffer;
    struct server server;
    ULONG bytes;
    int client;
    memset(field, 'f', 50000);
    memset(path, 'p', 400);
    server_open(&server);
    client = client_connect(server.port);
    client_text(client, "GET /%s HTTP/1.1\r\nHost: localhost\r\nX-Long: ", path);
    client_send(client, field, 50000);
    client_text(client, "\r\n\r\n");
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, HTTP_NULL_ID, 0, &buffer.request, sizeof(buffer), &bytes, NULL), NO_ERROR);
    CHECK_EQ(buffer.request.Headers.UnknownHeaderCount, 1);
    CHECK_EQ(buffer.request.Headers.pUnknownHeaders[0].RawValueLength, 50000);
    CHECK_EQ(answer(&server, buffer.request.RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    memset(path, 'p', 501);
    client_text(client, "GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    client_all(client, &reply);
    CHECK_EQ(reply.status, 400);
    close(client);
    client = client_connect(server.port);
    client_text(client, "GET / HTTP/1.1\r\nHost: localhost\r\nA: ");
    client_send(client, field, 50000);
    client_text(client, "\r\nB: ");
    client_send(client, field, 50000);
    client_text(client, "\r\n\r\n");
    client_all(client, &reply);
    CHECK_EQ(reply.status, 400);
    CHECK_HAS(reply.text, "Request Too Long");
    close(client);
    server_close(&server);
}

TEST(test_switches__service_wide_timeouts)
{
    struct server server;
    int client;
    server_open(&server);
    client = client_connect(server.port);
    client_text(client, "GET / HTTP/1.1\r\nHost: loc");
    client_all(client, &reply);
    CHECK_EQ(reply.size, 0);
    CHECK(reply.closed);
    close(client);
    server_close(&server);
}

TEST(test_switches__503_in_full)
{
    struct server server;
    HTTP_503_RESPONSE_VERBOSITY verbosity = Http503ResponseVerbosityFull;
    HTTP_TIMEOUT_LIMIT_INFO timeouts;
    ULONG length = 1;
    int first, second;
    server_open(&server);
    REQUIRE(HttpSetRequestQueueProperty(server.queue, HttpServer503VerbosityProperty, &verbosity, sizeof(verbosity), 0, NULL) == NO_ERROR);
    REQUIRE(HttpSetRequestQueueProperty(server.queue, HttpServerQueueLengthProperty, &length, sizeof(length), 0, NULL) == NO_ERROR);
    memset(&timeouts, 0, sizeof(timeouts));
    timeouts.Flags.Present = 1;
    timeouts.RequestQueue = 1;
    REQUIRE(HttpSetUrlGroupProperty(server.group, HttpServerTimeoutsProperty, &timeouts, sizeof(timeouts)) == NO_ERROR);
    first = client_get(&server, "/");
    while (!client_readable(first, 10)) {
        /* Which of the two is first in the queue does not matter. */
        second = client_get(&server, "/");
        if (client_readable(second, 300)) {
            client_all(second, &reply);
            CHECK_HAS(reply.text, "HTTP/1.1 503 Application request queue full.\r\n");
            close(second);
            break;
        }
        close(second);
    }
    client_all(first, &reply);
    CHECK_HAS(reply.text, "HTTP/1.1 503 Request timed out in app pool queue.\r\n");
    close(first);
    server_close(&server);
}

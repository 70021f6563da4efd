/* Raw connections: 101 with HTTP_SEND_RESPONSE_FLAG_OPAQUE, then bytes both ways until both sides have ended.
 * gate: thread */
#include "http_server.h"

#define MORE HTTP_SEND_RESPONSE_FLAG_MORE_DATA
#define ENDING (HTTP_SEND_RESPONSE_FLAG_MORE_DATA | HTTP_SEND_RESPONSE_FLAG_DISCONNECT)

static struct reply reply;
static HTTP_RESPONSE response;
static HTTP_DATA_CHUNK chunk;

struct raw {
    struct server server;
    HTTP_REQUEST_ID id;
    HTTP_CONNECTION_ID connection;
    int client;
};

static void ask(struct raw *it, const char *behind)
{
    HTTP_REQUEST *request;
    it->client = client_connect(it->server.port);
    client_text(it->client, "GET / HTTP/1.1\r\nHost: localhost:%d\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n%s", it->server.port, behind);
    request = receive(&it->server);
    it->id = request->RequestId;
    it->connection = request->ConnectionId;
}

static void upgrade(struct raw *it)
{
    make_response(&response, &chunk, 101, "Switching Protocols", NULL);
    set_known(&response, HttpHeaderUpgrade, "raw");
    REQUIRE(send_response(&it->server, it->id, HTTP_SEND_RESPONSE_FLAG_OPAQUE | MORE, &response, NULL) == NO_ERROR);
    CHECK(client_response(it->client, &reply, 1));
    CHECK_EQ(reply.status, 101);
}

static void raw_open(struct raw *it, const char *behind)
{
    server_open(&it->server);
    ask(it, behind);
    upgrade(it);
}

static void raw_close(struct raw *it)
{
    close(it->client);
    server_close(&it->server);
}

static ULONG read_raw(const struct raw *it, char *out, ULONG size, ULONG *bytes, OVERLAPPED *overlapped)
{
    return HttpReceiveRequestEntityBody(it->server.queue, it->id, 0, out, size, bytes, overlapped);
}

/* Reads until so many bytes have come. */
static void expect_raw(const struct raw *it, const char *wanted)
{
    char out[256];
    ULONG filled = 0, bytes;
    while (filled < strlen(wanted)) {
        bytes = 0;
        REQUIRE(read_raw(it, out + filled, (ULONG)(strlen(wanted) - filled), &bytes, NULL) == NO_ERROR);
        filled += bytes;
    }
    CHECK_BYTES(out, filled, wanted);
}

static void begin(OVERLAPPED *overlapped)
{
    memset(overlapped, 0, sizeof(*overlapped));
    overlapped->hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
}

/* The code an operation ended with. */
static ULONG ended(const struct raw *it, OVERLAPPED *overlapped, DWORD *bytes)
{
    ULONG code = NO_ERROR;
    CHECK_EQ(WaitForSingleObject(overlapped->hEvent, 20000), WAIT_OBJECT_0);
    if (!GetOverlappedResult(it->server.queue, overlapped, bytes, FALSE))
        code = GetLastError();
    CloseHandle(overlapped->hEvent);
    return code;
}

TEST(test_opaque__what_came_behind_the_head_is_read_first)
{
    struct raw it;
    raw_open(&it, "GET /not-a-request HTTP/1.1\r\n\r\nfirst");
    client_text(it.client, "second");
    expect_raw(&it, "GET /not-a-request HTTP/1.1\r\n\r\nfirstsecond");
    CHECK_EQ(send_body(&it.server, it.id, MORE, "answer"), NO_ERROR);
    CHECK(client_bytes(it.client, &reply, 6));
    CHECK_BYTES(reply.text, reply.size, "answer");
    raw_close(&it);
}

TEST(test_opaque__the_client_ends_its_side)
{
    struct raw it;
    char out[16];
    ULONG bytes = 77;
    OVERLAPPED gone;
    raw_open(&it, "");
    begin(&gone);
    CHECK_EQ(HttpWaitForDisconnect(it.server.queue, it.connection, &gone), ERROR_IO_PENDING);
    client_text(it.client, "last words");
    shutdown(it.client, SHUT_WR);
    expect_raw(&it, "last words");
    CHECK_EQ(read_raw(&it, out, sizeof(out), &bytes, NULL), ERROR_HANDLE_EOF);
    CHECK_EQ(bytes, 0);
    /* Ours goes on, and nobody is told of an end. */
    CHECK_EQ(send_body(&it.server, it.id, MORE, "still "), NO_ERROR);
    CHECK_EQ(read_raw(&it, out, sizeof(out), &bytes, NULL), ERROR_HANDLE_EOF);
    CHECK_EQ(WaitForSingleObject(gone.hEvent, 0), WAIT_TIMEOUT);
    CHECK_EQ(send_body(&it.server, it.id, 0, "here"), NO_ERROR);
    client_all(it.client, &reply);
    CHECK_BYTES(reply.text, reply.size, "still here");
    CHECK_EQ(ended(&it, &gone, &bytes), NO_ERROR);
    CHECK_EQ(send_body(&it.server, it.id, 0, "x"), ERROR_CONNECTION_INVALID);
    raw_close(&it);
}

TEST(test_opaque__the_application_ends_its_side)
{
    struct raw it;
    char out[16];
    DWORD bytes;
    OVERLAPPED gone, reading;
    raw_open(&it, "");
    begin(&gone);
    begin(&reading);
    CHECK_EQ(HttpWaitForDisconnect(it.server.queue, it.connection, &gone), ERROR_IO_PENDING);
    CHECK_EQ(send_body(&it.server, it.id, ENDING, "all of it"), NO_ERROR);
    client_all(it.client, &reply);
    CHECK_BYTES(reply.text, reply.size, "all of it");
    CHECK(!reply.reset);
    /* Reads go on, sends do not. */
    CHECK_EQ(send_body(&it.server, it.id, MORE, "more"), ERROR_CONNECTION_INVALID);
    client_text(it.client, "thanks");
    expect_raw(&it, "thanks");
    CHECK_EQ(read_raw(&it, out, sizeof(out), NULL, &reading), ERROR_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(gone.hEvent, 0), WAIT_TIMEOUT);
    shutdown(it.client, SHUT_WR);
    CHECK_EQ(ended(&it, &reading, &bytes), ERROR_HANDLE_EOF);
    CHECK_EQ(ended(&it, &gone, &bytes), NO_ERROR);
    CHECK_EQ(send_body(&it.server, it.id, 0, NULL), ERROR_CONNECTION_INVALID);
    raw_close(&it);
}

TEST(test_opaque__what_came_before_both_ended_can_be_read)
{
    struct raw it;
    OVERLAPPED gone;
    char out[16];
    ULONG bytes;
    raw_open(&it, "");
    begin(&gone);
    CHECK_EQ(HttpWaitForDisconnect(it.server.queue, it.connection, &gone), ERROR_IO_PENDING);
    client_text(it.client, "unread");
    shutdown(it.client, SHUT_WR);
    CHECK_EQ(send_body(&it.server, it.id, ENDING, NULL), NO_ERROR);
    client_all(it.client, &reply);
    CHECK_EQ(reply.size, 0);
    expect_raw(&it, "unread");
    CHECK_EQ(read_raw(&it, out, sizeof(out), &bytes, NULL), ERROR_HANDLE_EOF);
    CHECK_EQ(ended(&it, &gone, &bytes), NO_ERROR);
    raw_close(&it);
}

TEST(test_opaque__an_end_is_told_though_nobody_reads)
{
    struct raw it;
    OVERLAPPED gone;
    char out[16];
    DWORD bytes;
    raw_open(&it, "");
    begin(&gone);
    CHECK_EQ(HttpWaitForDisconnect(it.server.queue, it.connection, &gone), ERROR_IO_PENDING);
    CHECK_EQ(send_body(&it.server, it.id, ENDING, NULL), NO_ERROR);
    client_all(it.client, &reply);
    close(it.client);
    CHECK_EQ(ended(&it, &gone, &bytes), NO_ERROR);
    /* Who asks all the same is told in a read's own words, once. */
    CHECK_EQ(read_raw(&it, out, sizeof(out), &bytes, NULL), ERROR_HANDLE_EOF);
    CHECK_EQ(read_raw(&it, out, sizeof(out), &bytes, NULL), ERROR_CONNECTION_INVALID);
    server_close(&it.server);
}

TEST(test_opaque__a_reset_ends_everything)
{
    struct raw it;
    OVERLAPPED gone, reading;
    char out[16];
    DWORD bytes;
    raw_open(&it, "");
    begin(&gone);
    begin(&reading);
    CHECK_EQ(HttpWaitForDisconnect(it.server.queue, it.connection, &gone), ERROR_IO_PENDING);
    CHECK_EQ(read_raw(&it, out, sizeof(out), NULL, &reading), ERROR_IO_PENDING);
    client_reset(it.client);
    CHECK_EQ(ended(&it, &reading, &bytes), ERROR_NETNAME_DELETED);
    CHECK_EQ(ended(&it, &gone, &bytes), NO_ERROR);
    CHECK_EQ(send_body(&it.server, it.id, MORE, "x"), ERROR_CONNECTION_INVALID);
    server_close(&it.server);
}

TEST(test_opaque__cancelling_closes_it)
{
    struct raw it;
    OVERLAPPED reading;
    char out[16];
    DWORD bytes;
    raw_open(&it, "");
    begin(&reading);
    CHECK_EQ(read_raw(&it, out, sizeof(out), NULL, &reading), ERROR_IO_PENDING);
    CHECK_EQ(HttpCancelHttpRequest(it.server.queue, it.id, NULL), NO_ERROR);
    CHECK_EQ(ended(&it, &reading, &bytes), ERROR_OPERATION_ABORTED);
    client_all(it.client, &reply);
    CHECK(reply.closed);
    raw_close(&it);
}

/* A timer that is known to run out elsewhere has not run out here. */
TEST(test_opaque__no_timer_ends_it)
{
    struct raw it;
    OVERLAPPED reading, body;
    HTTP_TIMEOUT_LIMIT_INFO limits;
    HTTP_REQUEST_ID other;
    char out[16], unused[16];
    DWORD bytes = 0;
    int client;
    server_open(&it.server);
    memset(&limits, 0, sizeof(limits));
    limits.Flags.Present = 1;
    limits.EntityBody = limits.DrainEntityBody = limits.IdleConnection = limits.HeaderWait = limits.RequestQueue = 1;
    CHECK_EQ(HttpSetUrlGroupProperty(it.server.group, HttpServerTimeoutsProperty, &limits, sizeof(limits)), NO_ERROR);
    ask(&it, "");
    upgrade(&it);
    begin(&reading);
    CHECK_EQ(read_raw(&it, out, sizeof(out), NULL, &reading), ERROR_IO_PENDING);
    client = client_connect(it.server.port);
    client_text(client, "POST / HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 5\r\n\r\n", it.server.port);
    other = receive(&it.server)->RequestId;
    begin(&body);
    CHECK_EQ(HttpReceiveRequestEntityBody(it.server.queue, other, 0, unused, sizeof(unused), NULL, &body), ERROR_IO_PENDING);
    CHECK_EQ(ended(&it, &body, &bytes), ERROR_NETNAME_DELETED);
    close(client);
    CHECK_EQ(WaitForSingleObject(reading.hEvent, 0), WAIT_TIMEOUT);
    client_text(it.client, "alive");
    CHECK_EQ(ended(&it, &reading, &bytes), NO_ERROR);
    CHECK_BYTES(out, bytes, "alive");
    CHECK_EQ(send_body(&it.server, it.id, MORE, "too"), NO_ERROR);
    CHECK(client_bytes(it.client, &reply, 3));
    raw_close(&it);
}

TEST(test_opaque__flags)
{
    struct raw it;
    server_open(&it.server);
    ask(&it, "");
    make_response(&response, &chunk, 200, "OK", NULL);
    CHECK_EQ(send_response(&it.server, it.id, HTTP_SEND_RESPONSE_FLAG_OPAQUE | MORE, &response, NULL), ERROR_INVALID_PARAMETER);
    set_known(&response, HttpHeaderContentLength, "3");
    CHECK_EQ(send_response(&it.server, it.id, MORE, &response, NULL), NO_ERROR);
    CHECK_EQ(send_body(&it.server, it.id, HTTP_SEND_RESPONSE_FLAG_OPAQUE, "abc"), ERROR_INVALID_PARAMETER);
    CHECK_EQ(send_body(&it.server, it.id, 0, "abc"), NO_ERROR);
    CHECK(client_response(it.client, &reply, 0));
    close(it.client);
    ask(&it, "");
    upgrade(&it);
    CHECK_EQ(send_body(&it.server, it.id, HTTP_SEND_RESPONSE_FLAG_OPAQUE | MORE, "raw"), NO_ERROR);
    CHECK(client_bytes(it.client, &reply, 3));
    raw_close(&it);
}

/* Both directions at once, more than the kernel holds. */
static struct raw busy;
#define MUCH (1024 * 1024)
static char out_going[MUCH], in_coming[MUCH];

static DWORD WINAPI send_much(LPVOID unused)
{
    HTTP_DATA_CHUNK piece;
    (void)unused;
    memset(&piece, 0, sizeof(piece));
    piece.DataChunkType = HttpDataChunkFromMemory;
    piece.FromMemory.pBuffer = out_going;
    piece.FromMemory.BufferLength = MUCH;
    return HttpSendResponseEntityBody(busy.server.queue, busy.id, ENDING, 1, &piece, NULL, NULL, 0, NULL, NULL);
}

static DWORD WINAPI echo_much(LPVOID unused)
{
    static char text[65536];
    long got;
    (void)unused;
    while ((got = recv(busy.client, text, sizeof(text), 0)) > 0)
        client_send(busy.client, text, (size_t)got);
    shutdown(busy.client, SHUT_WR);
    return 0;
}

TEST(test_opaque__both_ways_at_once)
{
    HANDLE sender, client;
    ULONG filled = 0, bytes = 0, code;
    DWORD sent = 99;
    size_t at;
    for (at = 0; at < MUCH; at++)
        out_going[at] = (char)(at * 31 % 251);
    raw_open(&busy, "");
    client = CreateThread(NULL, 0, echo_much, NULL, 0, NULL);
    sender = CreateThread(NULL, 0, send_much, NULL, 0, NULL);
    do {
        bytes = 0;
        code = read_raw(&busy, in_coming + filled, MUCH - filled ? MUCH - filled : 1, &bytes, NULL);
        filled += code == NO_ERROR ? bytes : 0;
    } while (code == NO_ERROR && filled <= MUCH);
    CHECK_EQ(code, ERROR_HANDLE_EOF);
    CHECK_EQ(filled, MUCH);
    CHECK(memcmp(out_going, in_coming, MUCH) == 0);
    CHECK_EQ(WaitForSingleObject(sender, 20000), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(sender, &sent));
    CHECK_EQ(sent, NO_ERROR);
    CHECK_EQ(WaitForSingleObject(client, 20000), WAIT_OBJECT_0);
    CloseHandle(sender);
    CloseHandle(client);
    raw_close(&busy);
}

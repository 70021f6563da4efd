/* HTTP_SEND_RESPONSE_FLAG_BUFFER_DATA: sends that are done before the client has taken them, up to a bound. */
#include "http_server.h"

#define PIECE (32 * 1024)
#define FLAGS (HTTP_SEND_RESPONSE_FLAG_MORE_DATA | HTTP_SEND_RESPONSE_FLAG_BUFFER_DATA)
#define SANE (64 * 1024 * 1024)

static struct reply reply;
static HTTP_RESPONSE response;
static HTTP_DATA_CHUNK chunk;
static char piece[PIECE];

/* A client that takes little without reading. */
static int narrow_client(const struct server *server)
{
    struct sockaddr_in address;
    int it = (int)socket(AF_INET, SOCK_STREAM, 0), small = 4096;
    setsockopt(it, SOL_SOCKET, SO_RCVBUF, (const char *)&small, sizeof(small));
    client_address(&address, server->port);
    REQUIRE(connect(it, (struct sockaddr *)&address, sizeof(address)) == 0);
    client_text(it, "GET / HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", server->port);
    return it;
}

static HTTP_REQUEST_ID begin_response(const struct server *server, ULONG flags)
{
    HTTP_REQUEST_ID id = receive(server)->RequestId;
    make_response(&response, &chunk, 200, "OK", NULL);
    CHECK_EQ(send_response(server, id, flags, &response, NULL), NO_ERROR);
    return id;
}

static ULONG send_piece(const struct server *server, HTTP_REQUEST_ID id, ULONG flags, OVERLAPPED *overlapped)
{
    memset(&chunk, 0, sizeof(chunk));
    chunk.DataChunkType = HttpDataChunkFromMemory;
    chunk.FromMemory.pBuffer = piece;
    chunk.FromMemory.BufferLength = PIECE;
    return HttpSendResponseEntityBody(server->queue, id, flags, 1, &chunk, NULL, NULL, 0, overlapped, NULL);
}

static void begin(OVERLAPPED *overlapped)
{
    memset(overlapped, 0, sizeof(*overlapped));
    overlapped->hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
}

/* Sends numbered pieces until one has to wait; how many were done at once. */
static int until_full(const struct server *server, HTTP_REQUEST_ID id, ULONG flags, OVERLAPPED *overlapped)
{
    int count = 0;
    ULONG code;
    do {
        memset(piece, 'a' + count % 26, sizeof(piece));
        ResetEvent(overlapped->hEvent);
        code = send_piece(server, id, flags, overlapped);
        if (code == NO_ERROR)
            count++;
    } while (code == NO_ERROR && count < SANE / PIECE);
    CHECK_EQ(code, ERROR_IO_PENDING);
    return count;
}

/* Reads a response to its end; whether it is the pieces in order, whole. */
static int pieces_come(int client, int count)
{
    static char text[65536];
    size_t at = 0, end = (size_t)count * PIECE;
    long got, index;
    REQUIRE(client_readable(client, CLIENT_PATIENCE));
    /* The head, byte by byte. */
    for (index = 0; index < 4;) {
        REQUIRE(recv(client, text, 1, 0) == 1);
        index = text[0] == "\r\n\r\n"[index] ? index + 1 : text[0] == '\r';
    }
    while ((got = recv(client, text, sizeof(text), 0)) > 0)
        for (index = 0; index < got; index++, at++)
            if (text[index] != (char)('a' + at / PIECE % 26))
                return 0;
    return CHECK_EQ(at, end);
}

TEST(test_buffered__sends_are_done_before_the_client_has_them)
{
    struct server server;
    OVERLAPPED overlapped;
    HTTP_REQUEST_ID id;
    DWORD bytes = 0;
    int client, plain, buffered;
    server_open(&server);
    begin(&overlapped);
    client = narrow_client(&server);
    id = begin_response(&server, HTTP_SEND_RESPONSE_FLAG_MORE_DATA);
    plain = until_full(&server, id, HTTP_SEND_RESPONSE_FLAG_MORE_DATA, &overlapped);
    client_reset(client);
    CHECK_EQ(WaitForSingleObject(overlapped.hEvent, 10000), WAIT_OBJECT_0);
    client = narrow_client(&server);
    id = begin_response(&server, FLAGS);
    buffered = until_full(&server, id, FLAGS, &overlapped);
    /* The service takes more than the kernel, but not without a bound. */
    CHECK(buffered >= plain + 4);
    CHECK(buffered < plain + 64);
    /* The one that waits is done when there is room; what was done before is copied, whatever became of its memory. */
    CHECK_EQ(WaitForSingleObject(overlapped.hEvent, 0), WAIT_TIMEOUT);
    while (WaitForSingleObject(overlapped.hEvent, 10) == WAIT_TIMEOUT)
        if (client_readable(client, 0))
            REQUIRE(recv(client, reply.text, sizeof(reply.text), 0) > 0);
    CHECK(GetOverlappedResult(server.queue, &overlapped, &bytes, FALSE));
    CHECK_EQ(bytes, PIECE);
    CloseHandle(overlapped.hEvent);
    close(client);
    server_close(&server);
}

TEST(test_buffered__the_memory_is_the_callers_again)
{
    struct server server;
    HTTP_REQUEST_ID id;
    int client, count;
    server_open(&server);
    client = narrow_client(&server);
    id = begin_response(&server, FLAGS);
    /* Far less than the bound: no send waits, though the client takes nothing. */
    for (count = 0; count < 6; count++) {
        memset(piece, 'a' + count, sizeof(piece));
        CHECK_EQ(send_piece(&server, id, FLAGS, NULL), NO_ERROR);
    }
    memset(piece, '!', sizeof(piece));
    CHECK_EQ(HttpSendResponseEntityBody(server.queue, id, HTTP_SEND_RESPONSE_FLAG_BUFFER_DATA | HTTP_SEND_RESPONSE_FLAG_DISCONNECT, 0, NULL, NULL,
                                        NULL, 0, NULL, NULL), NO_ERROR);
    CHECK(pieces_come(client, 6));
    close(client);
    server_close(&server);
}

TEST(test_buffered__a_whole_response)
{
    struct server server;
    HTTP_REQUEST_ID id;
    ULONG sent = 0;
    static char body[100 * 1024];
    int client;
    server_open(&server);
    memset(body, 'x', sizeof(body) - 1);
    client = narrow_client(&server);
    id = receive(&server)->RequestId;
    make_response(&response, &chunk, 200, "OK", body);
    CHECK_EQ(send_response(&server, id, HTTP_SEND_RESPONSE_FLAG_BUFFER_DATA, &response, &sent), NO_ERROR);
    memset(body, '!', sizeof(body) - 1);
    CHECK(client_response(client, &reply, 0));
    CHECK_EQ(reply.size, sent);
    CHECK_EQ(reply.body_size, sizeof(body) - 1);
    CHECK(strchr(reply.body, '!') == NULL);
    close(client);
    server_close(&server);
}

/* Request bodies: copied with the request, read piece by piece, chunked, and asked for with 100 Continue. */
#include "http_server.h"

static union request_buffer buffer;

static ULONG read_body(const struct server *server, HTTP_REQUEST_ID id, ULONG flags, void *out, ULONG length, ULONG *bytes)
{
    return HttpReceiveRequestEntityBody(server->queue, id, flags, out, length, bytes, NULL);
}

/* A POST with a body of known length; what of the body is sent is the caller's. */
static int client_post(const struct server *server, int length)
{
    int client = client_connect(server->port);
    client_text(client, "POST /post HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: %d\r\n\r\n", server->port, length);
    return client;
}

TEST(test_body__read_in_pieces_until_eof)
{
    struct server server;
    HTTP_REQUEST *request;
    char text[16];
    ULONG bytes = 0;
    int client;
    server_open(&server);
    client = client_post(&server, 10);
    client_text(client, "0123456789");
    request = receive_into(&server, &buffer, 0);
    CHECK_EQ(request->Flags, HTTP_REQUEST_FLAG_MORE_ENTITY_BODY_EXISTS);
    CHECK_EQ(request->EntityChunkCount, 0);
    CHECK(request->pEntityChunks == NULL);
    CHECK_EQ(read_body(&server, request->RequestId, HTTP_RECEIVE_REQUEST_ENTITY_BODY_FLAG_FILL_BUFFER, text, 5, &bytes), NO_ERROR);
    CHECK_BYTES(text, bytes, "01234");
    CHECK_EQ(read_body(&server, request->RequestId, HTTP_RECEIVE_REQUEST_ENTITY_BODY_FLAG_FILL_BUFFER, text, 5, &bytes), NO_ERROR);
    CHECK_BYTES(text, bytes, "56789");
    bytes = 77;
    CHECK_EQ(read_body(&server, request->RequestId, 0, text, 5, &bytes), ERROR_HANDLE_EOF);
    CHECK_EQ(bytes, 0);
    CHECK_EQ(read_body(&server, request->RequestId, 0, text, 5, NULL), ERROR_HANDLE_EOF);
    CHECK_EQ(answer(&server, request->RequestId, "x"), NO_ERROR);
    CHECK_EQ(read_body(&server, request->RequestId, 0, text, 5, &bytes), ERROR_CONNECTION_INVALID);
    close(client);
    server_close(&server);
}

TEST(test_body__returns_early_with_what_has_arrived)
{
    struct server server;
    HTTP_REQUEST *request;
    char text[16];
    ULONG bytes = 0;
    int client;
    server_open(&server);
    client = client_post(&server, 10);
    client_text(client, "01234");
    request = receive_into(&server, &buffer, 0);
    CHECK_EQ(read_body(&server, request->RequestId, 0, text, 10, &bytes), NO_ERROR);
    CHECK(bytes >= 1 && bytes <= 5);
    while (bytes < 5) {
        ULONG more = 0;
        REQUIRE(read_body(&server, request->RequestId, 0, text + bytes, 10 - bytes, &more) == NO_ERROR);
        bytes += more;
    }
    CHECK_BYTES(text, 5, "01234");
    client_text(client, "56789");
    CHECK_EQ(read_body(&server, request->RequestId, HTTP_RECEIVE_REQUEST_ENTITY_BODY_FLAG_FILL_BUFFER, text, 10, &bytes), NO_ERROR);
    CHECK_BYTES(text, bytes, "56789");
    CHECK_EQ(read_body(&server, request->RequestId, 0, text, 10, &bytes), ERROR_HANDLE_EOF);
    close(client);
    server_close(&server);
}

TEST(test_body__a_request_without_one_is_at_its_end)
{
    struct server server;
    HTTP_REQUEST *request;
    char text[16];
    ULONG bytes;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    request = receive_into(&server, &buffer, HTTP_RECEIVE_REQUEST_FLAG_COPY_BODY);
    CHECK_EQ(request->Flags, 0);
    CHECK_EQ(request->EntityChunkCount, 0);
    CHECK_EQ(read_body(&server, request->RequestId, 0, text, 16, &bytes), ERROR_HANDLE_EOF);
    CHECK_EQ(read_body(&server, 0, 0, text, 16, &bytes), ERROR_CONNECTION_INVALID);
    CHECK_EQ(read_body(&server, 0x1234567, 0, text, 16, &bytes), ERROR_CONNECTION_INVALID);
    CHECK_EQ(read_body(&server, request->RequestId, 2, text, 16, &bytes), ERROR_INVALID_PARAMETER);
    CHECK_EQ(read_body(&server, request->RequestId, 0, NULL, 16, &bytes), ERROR_NOACCESS);
    CHECK_EQ(HttpReceiveRequestEntityBody(NULL, request->RequestId, 0, text, 16, &bytes, NULL), ERROR_INVALID_HANDLE);
    close(client);
    server_close(&server);
}

TEST(test_body__copied_with_the_request)
{
    struct server server;
    HTTP_REQUEST *request = &buffer.request;
    HTTP_DATA_CHUNK *chunk;
    char text[16];
    ULONG bytes;
    int client;
    server_open(&server);
    client = client_connect(server.port);
    client_text(client, "POST / HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 7\r\n\r\nbody xx", server.port);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, 0, HTTP_RECEIVE_REQUEST_FLAG_COPY_BODY, request, sizeof(buffer), &bytes, NULL), NO_ERROR);
    CHECK_EQ(request->EntityChunkCount, 1);
    REQUIRE(request->pEntityChunks != NULL);
    chunk = request->pEntityChunks;
    CHECK_EQ(chunk->DataChunkType, HttpDataChunkFromMemory);
    CHECK_BYTES(chunk->FromMemory.pBuffer, chunk->FromMemory.BufferLength, "body xx");
    CHECK((char *)chunk->FromMemory.pBuffer + 7 == buffer.bytes + bytes);
    CHECK_EQ(request->Flags, 0);
    CHECK(request->BytesReceived > 7);
    CHECK_EQ(read_body(&server, request->RequestId, 0, text, 16, &bytes), ERROR_HANDLE_EOF);
    close(client);
    server_close(&server);
}

TEST(test_body__copy_is_cut_to_the_buffer)
{
    struct server server;
    HTTP_REQUEST *request = &buffer.request;
    HTTP_REQUEST_ID id;
    char text[16];
    ULONG needed, bytes;
    int client;
    server_open(&server);
    client = client_connect(server.port);
    client_text(client, "POST / HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 10\r\n\r\n0123456789", server.port);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, 0, HTTP_RECEIVE_REQUEST_FLAG_COPY_BODY, request, sizeof(HTTP_REQUEST), &needed, NULL),
             ERROR_MORE_DATA);
    id = request->RequestId;
    /* A buffer of the size told takes the request, without body. */
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, id, HTTP_RECEIVE_REQUEST_FLAG_COPY_BODY, request, needed, &bytes, NULL), NO_ERROR);
    CHECK_EQ(bytes, needed);
    CHECK_EQ(request->EntityChunkCount, 0);
    CHECK_EQ(request->Flags, HTTP_REQUEST_FLAG_MORE_ENTITY_BODY_EXISTS);
    needed = (needed + 7) / 8 * 8 + (ULONG)sizeof(HTTP_DATA_CHUNK) + 4;
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, id, HTTP_RECEIVE_REQUEST_FLAG_COPY_BODY, request, needed, &bytes, NULL), NO_ERROR);
    CHECK_EQ(bytes, needed);
    REQUIRE(request->EntityChunkCount == 1);
    CHECK_BYTES(request->pEntityChunks->FromMemory.pBuffer, request->pEntityChunks->FromMemory.BufferLength, "0123");
    CHECK_EQ(request->Flags, HTTP_REQUEST_FLAG_MORE_ENTITY_BODY_EXISTS);
    CHECK_EQ(read_body(&server, id, HTTP_RECEIVE_REQUEST_ENTITY_BODY_FLAG_FILL_BUFFER, text, 16, &bytes), NO_ERROR);
    CHECK_BYTES(text, bytes, "456789");
    CHECK_EQ(read_body(&server, id, 0, text, 16, &bytes), ERROR_HANDLE_EOF);
    close(client);
    server_close(&server);
}


TEST(test_body__flush_brings_the_whole_body)
{
    struct server server;
    HTTP_REQUEST *request = &buffer.request;
    OVERLAPPED overlapped;
    int client;
    server_open(&server);
    client = client_post(&server, 10);
    client_text(client, "01234");
    memset(&overlapped, 0, sizeof(overlapped));
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, 0, HTTP_RECEIVE_REQUEST_FLAG_FLUSH_BODY, request, sizeof(buffer), NULL, &overlapped),
             ERROR_IO_PENDING);
    client_text(client, "56789");
    while (*(volatile ULONG_PTR *)&overlapped.Internal == 0x103)
        client_readable(client, 1);
    CHECK_EQ(overlapped.Internal, 0);
    CHECK_EQ(request->Flags, 0);
    REQUIRE(request->EntityChunkCount == 1);
    CHECK_BYTES(request->pEntityChunks->FromMemory.pBuffer, request->pEntityChunks->FromMemory.BufferLength, "0123456789");
    CHECK_EQ(overlapped.InternalHigh, (char *)request->pEntityChunks->FromMemory.pBuffer + 10 - buffer.bytes);
    CHECK_EQ(answer(&server, request->RequestId, "x"), NO_ERROR);
    close(client);
    client = client_connect(server.port);
    client_text(client, "POST / HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 4\r\n\r\nabcd", server.port);
    receive_into(&server, &buffer, HTTP_RECEIVE_REQUEST_FLAG_FLUSH_BODY);
    CHECK_EQ(request->Flags, 0);
    REQUIRE(request->EntityChunkCount == 1);
    CHECK_BYTES(request->pEntityChunks->FromMemory.pBuffer, request->pEntityChunks->FromMemory.BufferLength, "abcd");
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, request->RequestId, 3, request, sizeof(buffer), NULL, NULL), ERROR_INVALID_PARAMETER);
    close(client);
    server_close(&server);
}

TEST(test_body__chunked_is_decoded)
{
    struct server server;
    HTTP_REQUEST *request;
    char text[32];
    ULONG bytes;
    ULONGLONG received;
    int client;
    server_open(&server);
    client = client_connect(server.port);
    client_text(client,
                "POST / HTTP/1.1\r\nHost: localhost:%d\r\nTransfer-Encoding: chunked\r\n\r\n"
                "5\r\nabcde\r\nA;ext=1\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
                server.port);
    request = receive_into(&server, &buffer, 0);
    CHECK_EQ(request->Flags, HTTP_REQUEST_FLAG_MORE_ENTITY_BODY_EXISTS);
    received = request->BytesReceived;
    CHECK(received >= 60);
    CHECK_EQ(read_body(&server, request->RequestId, HTTP_RECEIVE_REQUEST_ENTITY_BODY_FLAG_FILL_BUFFER, text, 32, &bytes), NO_ERROR);
    CHECK_BYTES(text, bytes, "abcde0123456789");
    CHECK_EQ(read_body(&server, request->RequestId, 0, text, 32, &bytes), ERROR_HANDLE_EOF);
    CHECK_EQ(answer(&server, request->RequestId, "x"), NO_ERROR);
    close(client);
    server_close(&server);
}

TEST(test_body__chunked_wins_over_content_length)
{
    static struct reply reply;
    struct server server;
    HTTP_REQUEST *request;
    char text[32];
    ULONG bytes;
    int client;
    server_open(&server);
    client = client_connect(server.port);
    client_text(client,
                "POST / HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
                "5\r\nabcde\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: localhost:%d\r\n\r\n",
                server.port, server.port);
    request = receive_into(&server, &buffer, 0);
    CHECK_EQ(request->Headers.KnownHeaders[HttpHeaderContentLength].RawValueLength, 1);
    CHECK_EQ(request->Headers.KnownHeaders[HttpHeaderTransferEncoding].RawValueLength, 7);
    CHECK_EQ(read_body(&server, request->RequestId, HTTP_RECEIVE_REQUEST_ENTITY_BODY_FLAG_FILL_BUFFER, text, 32, &bytes), NO_ERROR);
    CHECK_BYTES(text, bytes, "abcde");
    CHECK_EQ(answer(&server, request->RequestId, "x"), NO_ERROR);
    client_all(client, &reply);
    CHECK_EQ(reply.status, 200);
    CHECK(reply.closed);
    CHECK_HAS(reply.text, "\r\nConnection: close\r\n");
    CHECK_BYTES(reply.body, reply.body_size, "x");
    close(client);
    server_close(&server);
}

TEST(test_body__a_read_of_nothing_tells_that_there_is_something)
{
    struct server server;
    HTTP_REQUEST *request;
    char text[16];
    ULONG bytes = 0;
    int client;
    server_open(&server);
    client = client_post(&server, 4);
    client_text(client, "abcd");
    request = receive_into(&server, &buffer, 0);
    CHECK_EQ(read_body(&server, request->RequestId, 0, text, 0, &bytes), ERROR_MORE_DATA);
    CHECK_EQ(bytes, 1);
    CHECK_EQ(read_body(&server, request->RequestId, 0, NULL, 0, &bytes), ERROR_MORE_DATA);
    CHECK_EQ(read_body(&server, request->RequestId, HTTP_RECEIVE_REQUEST_ENTITY_BODY_FLAG_FILL_BUFFER, text, 16, &bytes), NO_ERROR);
    CHECK_BYTES(text, bytes, "abcd");
    CHECK_EQ(read_body(&server, request->RequestId, 0, text, 0, &bytes), ERROR_HANDLE_EOF);
    close(client);
    server_close(&server);
}

TEST(test_body__first_read_sends_100_continue)
{
    static struct reply reply;
    struct server server;
    HTTP_REQUEST *request;
    OVERLAPPED overlapped;
    char text[16];
    int client;
    server_open(&server);
    client = client_connect(server.port);
    client_text(client, "POST / HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n", server.port);
    request = receive_into(&server, &buffer, HTTP_RECEIVE_REQUEST_FLAG_COPY_BODY);
    CHECK_EQ(request->Flags, HTTP_REQUEST_FLAG_MORE_ENTITY_BODY_EXISTS);
    CHECK(!client_readable(client, 0));
    memset(&overlapped, 0, sizeof(overlapped));
    CHECK_EQ(HttpReceiveRequestEntityBody(server.queue, request->RequestId, 0, text, 16, NULL, &overlapped), ERROR_IO_PENDING);
    CHECK(client_response(client, &reply, 1));
    CHECK_EQ(reply.status, 100);
    CHECK_BYTES(reply.text, reply.size, "HTTP/1.1 100 Continue\r\n\r\n");
    client_text(client, "abcd");
    while (*(volatile ULONG_PTR *)&overlapped.Internal == 0x103)
        client_readable(client, 1);
    CHECK_BYTES(text, overlapped.InternalHigh, "abcd");
    CHECK_EQ(answer(&server, request->RequestId, "x"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    CHECK_EQ(reply.status, 200);
    close(client);
    server_close(&server);
}

TEST(test_body__an_answer_without_reading_sends_no_100)
{
    static struct reply reply;
    struct server server;
    HTTP_REQUEST *request;
    int client;
    server_open(&server);
    client = client_connect(server.port);
    client_text(client, "POST / HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n", server.port);
    request = receive_into(&server, &buffer, 0);
    CHECK_EQ(answer(&server, request->RequestId, "no"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    CHECK_EQ(reply.status, 200);
    CHECK_BYTES(reply.body, reply.body_size, "no");
    close(client);
    server_close(&server);
}

TEST(test_body__unread_body_does_not_disturb_the_next_request)
{
    static struct reply reply;
    struct server server;
    int client;
    server_open(&server);
    client = client_post(&server, 10);
    client_text(client, "0123456789GET /next HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", server.port);
    CHECK_EQ(answer(&server, receive_into(&server, &buffer, 0)->RequestId, "x"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    receive_into(&server, &buffer, 0);
    CHECK_BYTES(buffer.request.pRawUrl, buffer.request.RawUrlLength, "/next");
    CHECK_EQ(answer(&server, buffer.request.RequestId, "y"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    CHECK_BYTES(reply.body, reply.body_size, "y");
    close(client);
    server_close(&server);
}

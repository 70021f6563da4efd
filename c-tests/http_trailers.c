/* Trailers: those of chunked requests, told once the body is read; those of chunked responses, in the last chunk.
 * gate: not-mingw (its headers lack trailers chunks) */
#include "http_server.h"

static struct reply reply;
static union request_buffer buffer;
static HTTP_RESPONSE response;

#define CHUNKED_POST "POST / HTTP/1.1\r\nHost: localhost:%d\r\nTransfer-Encoding: chunked\r\n\r\n"

/* Reads the body to its end and receives the request again; the code of the read that ended it. */
static ULONG read_out(const struct server *server, HTTP_REQUEST_ID id)
{
    static char body[4096];
    ULONG bytes, code;
    do
        code = HttpReceiveRequestEntityBody(server->queue, id, 0, body, sizeof(body), &bytes, NULL);
    while (code == NO_ERROR);
    return code;
}

static HTTP_REQUEST *again(const struct server *server, HTTP_REQUEST_ID id)
{
    ULONG bytes, exact;
    REQUIRE(HttpReceiveHttpRequest(server->queue, id, 0, &buffer.request, sizeof(buffer), &exact, NULL) == NO_ERROR);
    CHECK_EQ(HttpReceiveHttpRequest(server->queue, id, 0, &buffer.request, exact - 1, &bytes, NULL), ERROR_MORE_DATA);
    CHECK_EQ(bytes, exact);
    CHECK_EQ(HttpReceiveHttpRequest(server->queue, id, 0, &buffer.request, exact, &bytes, NULL), NO_ERROR);
    return &buffer.request;
}

TEST(test_trailers__of_a_request_are_told_when_its_body_is_read)
{
    struct server server;
    HTTP_REQUEST *request;
    HTTP_REQUEST_ID id;
    int client;
    server_open(&server);
    client = client_connect(server.port);
    client_text(client, CHUNKED_POST "5\r\nhello\r\n0\r\nX-Sum:  abc \r\nContent-Length: 50\r\nHOST: evil\r\nx-empty:\r\n\r\n", server.port);
    request = receive_into(&server, &buffer, 0);
    id = request->RequestId;
    CHECK_EQ(request->Headers.TrailerCount, 0);
    CHECK(request->Headers.pTrailers == NULL);
    CHECK_EQ(read_out(&server, id), ERROR_HANDLE_EOF);
    request = again(&server, id);
    REQUIRE(request->Headers.TrailerCount == 2 && request->Headers.pTrailers != NULL);
    CHECK((uintptr_t)request->Headers.pTrailers % 8 == 0);
    CHECK_BYTES(request->Headers.pTrailers[0].pName, request->Headers.pTrailers[0].NameLength, "X-Sum");
    CHECK_BYTES(request->Headers.pTrailers[0].pRawValue, request->Headers.pTrailers[0].RawValueLength, "abc");
    CHECK_BYTES(request->Headers.pTrailers[1].pName, request->Headers.pTrailers[1].NameLength, "x-empty");
    CHECK_EQ(request->Headers.pTrailers[1].RawValueLength, 0);
    CHECK_EQ(request->Headers.pTrailers[1].pRawValue[0], 0);
    CHECK_EQ(request->Headers.UnknownHeaderCount, 0);
    CHECK_EQ(answer(&server, id, "x"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    /* The connection lives on, and the next request has none. */
    client_text(client, "GET / HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", server.port);
    CHECK_EQ(receive_into(&server, &buffer, 0)->Headers.TrailerCount, 0);
    close(client);
    server_close(&server);
}

/* Sends a chunked body with this end; the code with which reading it ends. */
static ULONG end_of(const struct server *server, const char *head, const char *fill, int times, const char *tail)
{
    HTTP_REQUEST_ID id;
    ULONG code;
    int client = client_connect(server->port);
    client_text(client, CHUNKED_POST "1\r\na\r\n0\r\n%s", server->port, head);
    id = receive_into(server, &buffer, 0)->RequestId;
    while (times-- > 0)
        client_text(client, "%s", fill);
    client_text(client, "%s", tail);
    code = read_out(server, id);
    close(client);
    return code;
}

TEST(test_trailers__of_a_request_have_the_limits_of_the_head)
{
    struct server server;
    server_open(&server);
    CHECK_EQ(end_of(&server, "", "X: y\r\n", 100, "\r\n"), ERROR_HANDLE_EOF);
    CHECK_EQ(end_of(&server, "", "X: y\r\n", 2800, "\r\n"), ERROR_NETNAME_DELETED);
    CHECK_EQ(end_of(&server, "X: ", "yyyyyyyyyyyyyyyy", 1100, "\r\n\r\n"), ERROR_NETNAME_DELETED);
    CHECK_EQ(end_of(&server, "X y: z\r\n", "", 0, "\r\n"), ERROR_NETNAME_DELETED);
    CHECK_EQ(end_of(&server, "X: z\r\n folded\r\n", "", 0, "\r\n"), ERROR_NETNAME_DELETED);
    server_close(&server);
}

static HTTP_UNKNOWN_HEADER field(const char *name, const char *value)
{
    HTTP_UNKNOWN_HEADER it;
    memset(&it, 0, sizeof(it));
    it.pName = name;
    it.NameLength = (USHORT)strlen(name);
    it.pRawValue = value;
    it.RawValueLength = (USHORT)strlen(value);
    return it;
}

/* Chunks: text, then trailers. */
static HTTP_DATA_CHUNK chunks[2];

static HTTP_DATA_CHUNK *with_trailers(const char *text, HTTP_UNKNOWN_HEADER *fields, USHORT count)
{
    memset(chunks, 0, sizeof(chunks));
    chunks[0].DataChunkType = HttpDataChunkFromMemory;
    chunks[0].FromMemory.pBuffer = (PVOID)(uintptr_t)text;
    chunks[0].FromMemory.BufferLength = (ULONG)strlen(text);
    chunks[1].DataChunkType = HttpDataChunkTrailers;
    chunks[1].Trailers.TrailerCount = count;
    chunks[1].Trailers.pTrailers = fields;
    return chunks;
}

static ULONG send_chunks(const struct server *server, HTTP_REQUEST_ID id, ULONG flags, HTTP_DATA_CHUNK *at, USHORT count, ULONG *sent)
{
    return HttpSendResponseEntityBody(server->queue, id, flags, count, at, sent, NULL, 0, NULL, NULL);
}

TEST(test_trailers__of_a_response_end_its_chunked_body)
{
    struct server server;
    HTTP_UNKNOWN_HEADER fields[2] = {field("X-Sum", "abc"), field("X-Empty", "")};
    HTTP_DATA_CHUNK none;
    HTTP_REQUEST_ID id;
    ULONG head = 0, sent = 0;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    make_response(&response, &none, 200, "OK", NULL);
    set_known(&response, HttpHeaderTransferEncoding, "chunked");
    set_known(&response, HttpHeaderTrailer, "X-Sum");
    CHECK_EQ(send_response(&server, id, HTTP_SEND_RESPONSE_FLAG_MORE_DATA, &response, &head), NO_ERROR);
    CHECK_EQ(send_chunks(&server, id, 0, with_trailers("5\r\nhello\r\n", fields, 2), 2, &sent), NO_ERROR);
    CHECK_EQ(sent, 10 + 3 + 12 + 11 + 2);
    CHECK(client_bytes(client, &reply, head + sent));
    CHECK_BYTES(reply.text + head, reply.size - head, "5\r\nhello\r\n0\r\nX-Sum: abc\r\nX-Empty: \r\n\r\n");
    CHECK_LACKS(reply.text, "Connection: close");
    /* All in one call, and on the same connection: its end was found. */
    client_text(client, "GET /2 HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", server.port);
    id = receive(&server)->RequestId;
    response.EntityChunkCount = 2;
    response.pEntityChunks = with_trailers("1\r\nx\r\n", fields, 1);
    CHECK_EQ(send_response(&server, id, 0, &response, &sent), NO_ERROR);
    CHECK(client_bytes(client, &reply, sent));
    CHECK_HAS(reply.text, "\r\n\r\n1\r\nx\r\n0\r\nX-Sum: abc\r\n\r\n");
    /* To HEAD goes the head alone. */
    client_text(client, "HEAD /3 HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", server.port);
    id = receive(&server)->RequestId;
    CHECK_EQ(send_response(&server, id, 0, &response, &sent), NO_ERROR);
    CHECK(client_bytes(client, &reply, sent));
    CHECK_LACKS(reply.text, "X-Sum: abc");
    close(client);
    server_close(&server);
}

TEST(test_trailers__of_a_response_where_there_can_be_none)
{
    struct server server;
    HTTP_UNKNOWN_HEADER fields[1] = {field("X-Sum", "abc")};
    HTTP_DATA_CHUNK none, turned[2];
    HTTP_REQUEST_ID id;
    size_t at;
    int client;
    static const char *const forbidden[][2] = {{"Content-Length", "5"}, {"transfer-encoding", "chunked"}, {"Host", "x"}, {"Set-Cookie", "a=b"},
                                               {"Trailer", "x"}, {"X Sum", "y"}, {"", "y"}, {"X-Sum", "a\r\nb"}, {"X-Sum", "a\nb"}};
    server_open(&server);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    make_response(&response, &none, 200, "OK", NULL);
    response.EntityChunkCount = 2;
    response.pEntityChunks = with_trailers("hello", fields, 1);
    /* Not chunked. */
    CHECK_EQ(send_response(&server, id, 0, &response, NULL), ERROR_NOT_SUPPORTED);
    set_known(&response, HttpHeaderTransferEncoding, "chunked, gzip");
    CHECK_EQ(send_response(&server, id, 0, &response, NULL), ERROR_NOT_SUPPORTED);
    set_known(&response, HttpHeaderTransferEncoding, "chunked");
    /* Not at the end. */
    CHECK_EQ(send_response(&server, id, HTTP_SEND_RESPONSE_FLAG_MORE_DATA, &response, NULL), ERROR_INVALID_PARAMETER);
    turned[0] = chunks[1];
    turned[1] = chunks[0];
    response.pEntityChunks = turned;
    CHECK_EQ(send_response(&server, id, 0, &response, NULL), ERROR_INVALID_PARAMETER);
    response.pEntityChunks = chunks;
    /* Not a trailer. */
    for (at = 0; at < sizeof(forbidden) / sizeof(forbidden[0]); at++) {
        fields[0] = field(forbidden[at][0], forbidden[at][1]);
        CHECK_EQ(send_response(&server, id, 0, &response, NULL), ERROR_INVALID_PARAMETER);
    }
    chunks[1].Trailers.pTrailers = NULL;
    CHECK_EQ(send_response(&server, id, 0, &response, NULL), ERROR_INVALID_PARAMETER);
    chunks[1].Trailers.pTrailers = fields;
    fields[0] = field("X-Sum", "abc");
    /* Nothing of all that was sent. */
    CHECK_EQ(send_response(&server, id, HTTP_SEND_RESPONSE_FLAG_DISCONNECT, &response, NULL), NO_ERROR);
    client_all(client, &reply);
    CHECK_HAS(reply.text, "\r\n\r\nhello0\r\nX-Sum: abc\r\n\r\n");
    close(client);
    /* A client of HTTP/1.0 knows no chunks. */
    client = client_connect(server.port);
    client_text(client, "GET / HTTP/1.0\r\nHost: localhost:%d\r\n\r\n", server.port);
    id = receive(&server)->RequestId;
    CHECK_EQ(send_response(&server, id, 0, &response, NULL), ERROR_NOT_SUPPORTED);
    close(client);
    server_close(&server);
}

TEST(test_trailers__are_a_feature)
{
    CHECK(HttpIsFeatureSupported(HttpFeatureResponseTrailers));
    CHECK(!HttpIsFeatureSupported(HttpFeatureDelegateEx));
    CHECK(!HttpIsFeatureSupported((HTTP_FEATURE_ID)999));
}

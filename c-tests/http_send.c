/* HttpSendHttpResponse and HttpSendResponseEntityBody: bytes on the wire, counts, refusals, sequences. */
#include <unistd.h>

#include "http_server.h"

static struct reply reply;
static HTTP_RESPONSE response;
static HTTP_DATA_CHUNK chunk;

TEST(test_send__a_whole_response)
{
    struct server server;
    HTTP_REQUEST_ID id;
    ULONG sent = 0;
    const char *date;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    make_response(&response, &chunk, 200, "Fine", "hello");
    set_known(&response, HttpHeaderContentType, "text/plain");
    set_known(&response, HttpHeaderDate, "yesterday");
    CHECK_EQ(send_response(&server, id, 0, &response, &sent), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    CHECK_EQ(sent, reply.size);
    CHECK_BYTES(reply.text, 19, "HTTP/1.1 200 Fine\r\n");
    CHECK_BYTES(reply.body, reply.body_size, "hello");
    CHECK_HAS(reply.text, "\r\nContent-Type: text/plain\r\nServer: Microsoft-HTTPAPI/2.0\r\nDate: ");
    CHECK_HAS(reply.text, " GMT\r\nContent-Length: 5\r\n\r\n");
    date = reply_field(&reply, "Date");
    CHECK(date && strlen(date) == 29);
    CHECK_LACKS(reply.text, "yesterday");
    CHECK_LACKS(reply.text, "Connection:");
    CHECK_EQ(send_response(&server, id, 0, &response, &sent), ERROR_CONNECTION_INVALID);
    CHECK_EQ(send_body(&server, id, 0, NULL), ERROR_CONNECTION_INVALID);
    /* The connection lives on. */
    client_text(client, "GET /2 HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", server.port);
    make_response(&response, &chunk, 404, "", NULL);
    CHECK_EQ(send_response(&server, receive(&server)->RequestId, 0, &response, NULL), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    CHECK_BYTES(reply.text, 15, "HTTP/1.1 404 \r\n");
    CHECK_HAS(reply.text, "\r\nContent-Length: 0\r\n");
    close(client);
    server_close(&server);
}

TEST(test_send__fields_stand_in_wire_order)
{
    struct server server;
    HTTP_UNKNOWN_HEADER unknown[2];
    HTTP_KNOWN_HEADER cookies[3];
    HTTP_MULTIPLE_KNOWN_HEADERS multiple;
    HTTP_RESPONSE_INFO info;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    make_response(&response, &chunk, 200, "OK", "x");
    set_known(&response, HttpHeaderEtag, "\"e\"");
    set_known(&response, HttpHeaderContentType, "a/b");
    set_known(&response, HttpHeaderServer, "Mine/1.0");
    set_known(&response, HttpHeaderVary, "Accept");
    set_known(&response, HttpHeaderAge, "");
    memset(unknown, 0, sizeof(unknown));
    unknown[0].pName = "X-First";
    unknown[0].NameLength = 7;
    unknown[0].pRawValue = "1";
    unknown[0].RawValueLength = 1;
    unknown[1].pName = "x-empty";
    unknown[1].NameLength = 7;
    response.Headers.UnknownHeaderCount = 2;
    response.Headers.pUnknownHeaders = unknown;
    memset(cookies, 0, sizeof(cookies));
    cookies[0].pRawValue = "a=1";
    cookies[0].RawValueLength = 3;
    cookies[2].pRawValue = "b=2";
    cookies[2].RawValueLength = 3;
    memset(&multiple, 0, sizeof(multiple));
    multiple.HeaderId = HttpHeaderSetCookie;
    multiple.KnownHeaderCount = 3;
    multiple.KnownHeaders = cookies;
    info.Type = HttpResponseInfoTypeMultipleKnownHeaders;
    info.Length = sizeof(multiple);
    info.pInfo = &multiple;
    response.ResponseInfoCount = 1;
    response.pResponseInfo = &info;
    CHECK_EQ(send_response(&server, receive(&server)->RequestId, 0, &response, NULL), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    CHECK_HAS(reply.text,
              "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nETag: \"e\"\r\nServer: Mine/1.0 Microsoft-HTTPAPI/2.0\r\n"
              "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nVary: Accept\r\nX-First: 1\r\nx-empty: \r\nDate: ");
    CHECK_LACKS(reply.text, "Age");
    close(client);
    server_close(&server);
}

TEST(test_send__an_empty_server_field_sends_none)
{
    struct server server;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    make_response(&response, &chunk, 200, "OK", "x");
    set_known(&response, HttpHeaderServer, "");
    CHECK_EQ(send_response(&server, receive(&server)->RequestId, 0, &response, NULL), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    CHECK_LACKS(reply.text, "Server");
    close(client);
    server_close(&server);
}

TEST(test_send__known_names_among_unknown_fields)
{
    static const char *const fields[][2] = {
        {"content-length", "3"}, {"Server", "other"}, {"Date", "never"}, {"Content-Type", "t/u"}};
    HTTP_UNKNOWN_HEADER unknown[4];
    struct server server;
    size_t at;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    make_response(&response, &chunk, 200, "OK", "abc");
    for (at = 0; at < 4; at++) {
        unknown[at].pName = fields[at][0];
        unknown[at].NameLength = (USHORT)strlen(fields[at][0]);
        unknown[at].pRawValue = fields[at][1];
        unknown[at].RawValueLength = (USHORT)strlen(fields[at][1]);
    }
    response.Headers.UnknownHeaderCount = 4;
    response.Headers.pUnknownHeaders = unknown;
    CHECK_EQ(send_response(&server, receive(&server)->RequestId, 0, &response, NULL), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    CHECK_HAS(reply.text, "\r\ncontent-length: 3\r\n");
    CHECK_HAS(reply.text, "\r\nServer: other\r\n");
    CHECK_LACKS(reply.text, "Microsoft-HTTPAPI");
    CHECK_LACKS(reply.text, "never");
    CHECK_LACKS(reply.text, "Content-Length");
    CHECK_BYTES(reply.body, reply.body_size, "abc");
    close(client);
    server_close(&server);
}

TEST(test_send__content_length_of_the_program_is_kept)
{
    struct server server;
    ULONG sent;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    make_response(&response, &chunk, 200, "OK", "0123456789");
    set_known(&response, HttpHeaderContentLength, "10");
    CHECK_EQ(send_response(&server, receive(&server)->RequestId, 0, &response, &sent), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    CHECK_EQ(sent, reply.size);
    CHECK_HAS(reply.text, "OK\r\nContent-Length: 10\r\nServer: ");
    CHECK_BYTES(reply.body, reply.body_size, "0123456789");
    close(client);
    server_close(&server);
}

TEST(test_send__http_1_0_clients_get_1_1_and_close)
{
    struct server server;
    int client;
    server_open(&server);
    client = client_connect(server.port);
    client_text(client, "GET / HTTP/1.0\r\nHost: localhost:%d\r\n\r\n", server.port);
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "x"), NO_ERROR);
    client_all(client, &reply);
    CHECK_EQ(reply.status, 200);
    CHECK_HAS(reply.text, "\r\nConnection: close\r\n");
    CHECK(reply.closed && !reply.reset);
    close(client);
    client = client_connect(server.port);
    client_text(client, "GET / HTTP/1.0\r\nHost: localhost:%d\r\nConnection: Keep-Alive\r\n\r\n", server.port);
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "x"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    CHECK_LACKS(reply.text, "close");
    client_text(client, "GET / HTTP/1.0\r\nHost: localhost:%d\r\n\r\n", server.port);
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "y"), NO_ERROR);
    client_all(client, &reply);
    CHECK_BYTES(reply.body, reply.body_size, "y");
    close(client);
    server_close(&server);
}

/* One request answered with these flags; the connection must close. */
static void closes(ULONG flags, const char *connection)
{
    struct server server;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    make_response(&response, &chunk, 200, "OK", "bye");
    if (connection)
        set_known(&response, HttpHeaderConnection, connection);
    CHECK_EQ(send_response(&server, receive(&server)->RequestId, flags, &response, NULL), NO_ERROR);
    client_all(client, &reply);
    CHECK(reply.closed && !reply.reset);
    CHECK_HAS(reply.text, "\r\nConnection: close\r\n");
    CHECK_BYTES(reply.body, reply.body_size, "bye");
    close(client);
    server_close(&server);
}

TEST(test_send__disconnect_closes)
{
    closes(HTTP_SEND_RESPONSE_FLAG_DISCONNECT, NULL);
}

TEST(test_send__goaway_closes)
{
    closes(HTTP_SEND_RESPONSE_FLAG_GOAWAY, NULL);
}

TEST(test_send__connection_close_of_the_program_closes)
{
    closes(0, "close");
}

TEST(test_send__a_body_in_several_calls)
{
    struct server server;
    HTTP_REQUEST_ID id;
    HTTP_DATA_CHUNK two[2];
    ULONG head = 0, sent = 0;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    CHECK_EQ(send_body(&server, id, 0, "early"), ERROR_INVALID_PARAMETER);
    make_response(&response, &chunk, 200, "OK", "ab");
    set_known(&response, HttpHeaderContentLength, "6");
    CHECK_EQ(send_response(&server, id, HTTP_SEND_RESPONSE_FLAG_MORE_DATA, &response, &head), NO_ERROR);
    CHECK_EQ(send_response(&server, id, 0, &response, NULL), ERROR_INVALID_PARAMETER);
    memset(two, 0, sizeof(two));
    two[0].FromMemory.pBuffer = "cd";
    two[0].FromMemory.BufferLength = 2;
    two[1].FromMemory.pBuffer = "e";
    two[1].FromMemory.BufferLength = 1;
    CHECK_EQ(HttpSendResponseEntityBody(server.queue, id, HTTP_SEND_RESPONSE_FLAG_MORE_DATA, 2, two, &sent, NULL, 0, NULL, NULL), NO_ERROR);
    CHECK_EQ(sent, 3);
    CHECK_EQ(send_body(&server, id, 0, "f"), NO_ERROR);
    CHECK_EQ(send_body(&server, id, 0, "f"), ERROR_CONNECTION_INVALID);
    CHECK(client_response(client, &reply, 0));
    CHECK_BYTES(reply.body, reply.body_size, "abcdef");
    CHECK_EQ(head, reply.head + 2);
    /* Kept alive. */
    client_text(client, "GET / HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", server.port);
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "x"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    close(client);
    server_close(&server);
}

TEST(test_send__the_program_frames_chunks_itself)
{
    struct server server;
    HTTP_REQUEST_ID id;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    make_response(&response, &chunk, 200, "OK", NULL);
    set_known(&response, HttpHeaderTransferEncoding, "chunked");
    CHECK_EQ(send_response(&server, id, HTTP_SEND_RESPONSE_FLAG_MORE_DATA, &response, NULL), NO_ERROR);
    CHECK_EQ(send_body(&server, id, HTTP_SEND_RESPONSE_FLAG_MORE_DATA, "3\r\nabc\r\n"), NO_ERROR);
    CHECK_EQ(send_body(&server, id, 0, "0\r\n\r\n"), NO_ERROR);
    client_text(client, "GET / HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\n\r\n", server.port);
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "x"), NO_ERROR);
    client_all(client, &reply);
    CHECK_HAS(reply.text, "\r\nTransfer-Encoding: chunked\r\n");
    CHECK_HAS(reply.text, "\r\n\r\n3\r\nabc\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n");
    close(client);
    server_close(&server);
}

TEST(test_send__neither_length_nor_coding_closes)
{
    struct server server;
    HTTP_REQUEST_ID id;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    make_response(&response, &chunk, 200, "OK", "a");
    CHECK_EQ(send_response(&server, id, HTTP_SEND_RESPONSE_FLAG_MORE_DATA, &response, NULL), NO_ERROR);
    CHECK_EQ(send_body(&server, id, HTTP_SEND_RESPONSE_FLAG_DISCONNECT, "b"), NO_ERROR);
    client_all(client, &reply);
    CHECK_HAS(reply.text, "\r\nConnection: close\r\n");
    CHECK_LACKS(reply.text, "Content-Length");
    CHECK_BYTES(reply.body, reply.body_size, "ab");
    CHECK(!reply.reset);
    close(client);
    server_close(&server);
}

TEST(test_send__fewer_bytes_than_promised_close)
{
    struct server server;
    HTTP_REQUEST_ID id;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    make_response(&response, &chunk, 200, "OK", "a");
    set_known(&response, HttpHeaderContentLength, "10");
    CHECK_EQ(send_response(&server, id, HTTP_SEND_RESPONSE_FLAG_MORE_DATA, &response, NULL), NO_ERROR);
    CHECK_EQ(send_body(&server, id, 0, NULL), NO_ERROR);
    client_all(client, &reply);
    CHECK(reply.closed);
    CHECK_BYTES(reply.body, reply.body_size, "a");
    close(client);
    server_close(&server);
}

TEST(test_send__head_gets_no_body)
{
    struct server server;
    ULONG sent;
    int client;
    server_open(&server);
    client = client_connect(server.port);
    client_text(client, "HEAD / HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", server.port);
    make_response(&response, &chunk, 200, "OK", "hello");
    CHECK_EQ(send_response(&server, receive(&server)->RequestId, 0, &response, &sent), NO_ERROR);
    CHECK(client_response(client, &reply, 1));
    CHECK_EQ(reply.size, sent);
    CHECK_EQ(reply.size, reply.head);
    CHECK_HAS(reply.text, "\r\nContent-Length: 5\r\n");
    client_text(client, "GET / HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", server.port);
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "x"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    CHECK_BYTES(reply.body, reply.body_size, "x");
    close(client);
    server_close(&server);
}

TEST(test_send__204_and_304_have_no_body)
{
    static const USHORT statuses[] = {204, 304};
    struct server server;
    size_t at;
    int client;
    server_open(&server);
    client = client_connect(server.port);
    for (at = 0; at < 2; at++) {
        client_text(client, "GET / HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", server.port);
        make_response(&response, &chunk, statuses[at], "None", "body");
        CHECK_EQ(send_response(&server, receive(&server)->RequestId, 0, &response, NULL), NO_ERROR);
        CHECK(client_response(client, &reply, 1));
        CHECK_EQ(reply.status, statuses[at]);
        CHECK_EQ(reply.size, reply.head);
        CHECK_LACKS(reply.text, "Content-Length");
    }
    close(client);
    server_close(&server);
}

TEST(test_send__interim_responses_come_before_the_final_one)
{
    struct server server;
    HTTP_REQUEST_ID id;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    make_response(&response, &chunk, 103, "Early Hints", NULL);
    CHECK_EQ(send_response(&server, id, 0, &response, NULL), NO_ERROR);
    CHECK_EQ(answer(&server, id, "final"), NO_ERROR);
    CHECK(client_response(client, &reply, 1));
    CHECK_EQ(reply.status, 103);
    CHECK_LACKS(reply.text, "Content-Length: 0");
    CHECK_HAS(reply.text, "HTTP/1.1 103 Early Hints\r\n");
    while (!strstr(reply.text, "final"))
        REQUIRE(client_more(client, &reply));
    CHECK_HAS(reply.text, "\r\n\r\nHTTP/1.1 200 OK\r\n");
    close(client);
    server_close(&server);
}

TEST(test_send__opaque_makes_a_raw_connection)
{
    struct server server;
    HTTP_REQUEST_ID id;
    HTTP_UNKNOWN_HEADER unknown = {0};
    char text[16];
    ULONG bytes, flags = HTTP_SEND_RESPONSE_FLAG_OPAQUE | HTTP_SEND_RESPONSE_FLAG_MORE_DATA | HTTP_SEND_RESPONSE_FLAG_BUFFER_DATA;
    int client;
    server_open(&server);
    client = client_connect(server.port);
    client_text(client, "GET / HTTP/1.1\r\nHost: localhost:%d\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n", server.port);
    id = receive(&server)->RequestId;
    make_response(&response, &chunk, 200, "OK", NULL);
    CHECK_EQ(send_response(&server, id, flags, &response, NULL), ERROR_INVALID_PARAMETER);
    make_response(&response, &chunk, 101, "Switching Protocols", NULL);
    set_known(&response, HttpHeaderUpgrade, "raw");
    unknown.pName = "Connection";
    unknown.NameLength = 10;
    unknown.pRawValue = "Upgrade";
    unknown.RawValueLength = 7;
    response.Headers.UnknownHeaderCount = 1;
    response.Headers.pUnknownHeaders = &unknown;
    CHECK_EQ(send_response(&server, id, flags, &response, NULL), NO_ERROR);
    CHECK(client_response(client, &reply, 1));
    CHECK_EQ(reply.status, 101);
    CHECK_LACKS(reply.text, "Content-Length");
    CHECK_LACKS(reply.text, "close");
    client_text(client, "ping");
    CHECK_EQ(HttpReceiveRequestEntityBody(server.queue, id, 0, text, 16, &bytes, NULL), NO_ERROR);
    CHECK_BYTES(text, bytes, "ping");
    CHECK_EQ(send_body(&server, id, flags & ~(ULONG)HTTP_SEND_RESPONSE_FLAG_OPAQUE, "pong"), NO_ERROR);
    CHECK(client_bytes(client, &reply, 4));
    CHECK_BYTES(reply.text, reply.size, "pong");
    client_text(client, "GET / HTTP/1.1\r\n\r\n");
    CHECK_EQ(HttpReceiveRequestEntityBody(server.queue, id, 0, text, 3, &bytes, NULL), NO_ERROR);
    CHECK_BYTES(text, bytes, "GET");
    CHECK_EQ(send_body(&server, id, 0, "end"), NO_ERROR);
    client_all(client, &reply);
    CHECK_BYTES(reply.text, reply.size, "end");
    close(client);
    server_close(&server);
}

/* A live request to try malformed responses on; it stays answerable. */
static struct server tried;
static HTTP_REQUEST_ID tried_id;

static void refused(ULONG code)
{
    CHECK_EQ(send_response(&tried, tried_id, 0, &response, NULL), code);
    make_response(&response, &chunk, 200, "OK", "x");
}

TEST(test_send__malformed_responses_are_refused)
{
    static HTTP_DATA_CHUNK many[101];
    HTTP_UNKNOWN_HEADER unknown = {1, 1, "N", "v"};
    HTTP_RESPONSE_INFO info = {HttpResponseInfoTypeMultipleKnownHeaders, 0, NULL};
    ULONG sent;
    int client;
    server_open(&tried);
    client = client_get(&tried, "/");
    tried_id = receive(&tried)->RequestId;
    make_response(&response, &chunk, 99, "OK", "x");
    refused(ERROR_INVALID_PARAMETER);
    response.StatusCode = 1000;
    refused(ERROR_INVALID_PARAMETER);
    response.Flags = 0x80;
    refused(ERROR_INVALID_PARAMETER);
    response.pReason = NULL;
    refused(ERROR_INVALID_PARAMETER);
    response.pReason = "\r\n";
    refused(ERROR_INVALID_PARAMETER);
    response.Headers.TrailerCount = 1;
    refused(ERROR_INVALID_PARAMETER);
    set_known(&response, HttpHeaderContentType, "a\r\nX: y");
    refused(ERROR_INVALID_PARAMETER);
    response.Headers.KnownHeaders[HttpHeaderContentType].RawValueLength = 4;
    refused(ERROR_INVALID_PARAMETER);
    response.Headers.UnknownHeaderCount = 1;
    refused(ERROR_INVALID_PARAMETER);
    response.Headers.UnknownHeaderCount = 10000;
    response.Headers.pUnknownHeaders = &unknown;
    refused(ERROR_INVALID_PARAMETER);
    unknown.pName = "\n";
    response.Headers.UnknownHeaderCount = 1;
    response.Headers.pUnknownHeaders = &unknown;
    refused(ERROR_INVALID_PARAMETER);
    response.ResponseInfoCount = 1;
    refused(ERROR_INVALID_PARAMETER);
    response.ResponseInfoCount = 1;
    response.pResponseInfo = &info;
    refused(ERROR_INVALID_PARAMETER);
    chunk.FromMemory.pBuffer = NULL;
    refused(ERROR_INVALID_PARAMETER);
    chunk.DataChunkType = (HTTP_DATA_CHUNK_TYPE)9;
    refused(ERROR_INVALID_PARAMETER);
    response.pEntityChunks = NULL;
    refused(ERROR_INVALID_PARAMETER);
    response.EntityChunkCount = 101;
    response.pEntityChunks = many;
    refused(ERROR_INVALID_PARAMETER);
    memset(&chunk, 0, sizeof(chunk));
    chunk.DataChunkType = HttpDataChunkFromFragmentCache;
    chunk.FromFragmentCache.pFragmentName = W("http://localhost:1/f");
    chunk.FromFragmentCache.FragmentNameLength = 40;
    refused(ERROR_PATH_NOT_FOUND);
    memset(&chunk, 0, sizeof(chunk));
    chunk.DataChunkType = HttpDataChunkFromFileHandle;
    chunk.FromFileHandle.FileHandle = (HANDLE)(uintptr_t)0x1230;
    refused(ERROR_INVALID_HANDLE);
    CHECK_EQ(send_response(&tried, tried_id, 0x200, &response, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(send_response(&tried, tried_id, 0, NULL, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSendHttpResponse(tried.queue, tried_id, 0, &response, NULL, NULL, &sent, 0, NULL, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSendHttpResponse(tried.queue, tried_id, 0, &response, NULL, NULL, NULL, 1, NULL, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSendHttpResponse(NULL, tried_id, 0, &response, NULL, NULL, NULL, 0, NULL, NULL), ERROR_INVALID_HANDLE);
    CHECK_EQ(send_response(&tried, 0, 0, &response, NULL), ERROR_CONNECTION_INVALID);
    CHECK_EQ(send_response(&tried, 0x123456, 0, &response, NULL), ERROR_CONNECTION_INVALID);
    CHECK_EQ(HttpSendResponseEntityBody(tried.queue, tried_id, 0, 10000, many, NULL, NULL, 0, NULL, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSendResponseEntityBody(tried.queue, tried_id, 0, 1, NULL, NULL, NULL, 0, NULL, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(send_response(&tried, tried_id, 0, &response, &sent), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    CHECK_EQ(reply.size, sent);
    close(client);
    server_close(&tried);
}

TEST(test_send__large_bodies_arrive_whole)
{
    static char big[200 * 1024];
    struct server server;
    ULONG sent;
    size_t at;
    int client;
    server_open(&server);
    for (at = 0; at + 1 < sizeof(big); at++)
        big[at] = (char)('a' + at * 7 % 26);
    client = client_get(&server, "/");
    make_response(&response, &chunk, 200, "OK", big);
    CHECK_EQ(send_response(&server, receive(&server)->RequestId, HTTP_SEND_RESPONSE_FLAG_BUFFER_DATA, &response, &sent), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    CHECK_EQ(reply.size, sent);
    CHECK_EQ(reply.body_size, sizeof(big) - 1);
    CHECK(memcmp(reply.body, big, sizeof(big) - 1) == 0);
    close(client);
    server_close(&server);
}

/* A file with the ten digits in it, open for reading. */
static HANDLE digits_file(char *path, size_t size)
{
    FILE *file;
    HANDLE handle;
    snprintf(path, size, "%s/nthttp-digits-%ld", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (long)getpid());
    file = fopen(path, "wb");
    REQUIRE(file && fwrite("0123456789", 1, 10, file) == 10 && fclose(file) == 0);
    handle = CreateFileW(wide("%s", path), GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    REQUIRE(handle != INVALID_HANDLE_VALUE);
    return handle;
}

static void file_chunk(HTTP_DATA_CHUNK *it, HANDLE file, ULONGLONG start, ULONGLONG length)
{
    memset(it, 0, sizeof(*it));
    it->DataChunkType = HttpDataChunkFromFileHandle;
    it->FromFileHandle.ByteRange.StartingOffset.QuadPart = start;
    it->FromFileHandle.ByteRange.Length.QuadPart = length;
    it->FromFileHandle.FileHandle = file;
}

TEST(test_send__files_and_memory_in_one_body)
{
    struct server server;
    HTTP_DATA_CHUNK chunks[4];
    char path[256];
    HANDLE file = digits_file(path, sizeof(path));
    DWORD read = 0;
    char first = 0;
    ULONG sent;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    make_response(&response, &chunk, 200, "OK", "<");
    chunks[0] = chunk;
    file_chunk(&chunks[1], file, 2, 3);
    chunks[2] = chunk;
    file_chunk(&chunks[3], file, 7, HTTP_BYTE_RANGE_TO_EOF);
    response.EntityChunkCount = 4;
    response.pEntityChunks = chunks;
    CHECK_EQ(send_response(&server, receive(&server)->RequestId, 0, &response, &sent), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    CHECK_BYTES(reply.body, reply.body_size, "<234<789");
    CHECK_EQ(reply.size, sent);
    /* The file's own position has not moved. */
    CHECK(ReadFile(file, &first, 1, &read, NULL));
    CHECK_EQ(first, '0');
    CHECK(CloseHandle(file));
    remove(path);
    close(client);
    server_close(&server);
}

TEST(test_send__file_ranges_beyond_the_end_fail)
{
    struct server server;
    HTTP_REQUEST_ID id;
    char path[256];
    HANDLE file = digits_file(path, sizeof(path));
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    make_response(&response, &chunk, 200, "OK", NULL);
    file_chunk(&chunk, file, 11, 1);
    response.EntityChunkCount = 1;
    response.pEntityChunks = &chunk;
    CHECK_EQ(send_response(&server, id, 0, &response, NULL), ERROR_HANDLE_EOF);
    file_chunk(&chunk, server.queue, 0, 1);
    CHECK(send_response(&server, id, 0, &response, NULL) != NO_ERROR);
    CHECK(CloseHandle(file));
    remove(path);
    close(client);
    server_close(&server);
}

TEST(test_send__a_file_may_be_closed_once_the_call_returned)
{
    struct server server;
    OVERLAPPED overlapped = {0};
    char path[256];
    HANDLE file = digits_file(path, sizeof(path));
    DWORD bytes;
    ULONG result;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    make_response(&response, &chunk, 200, "OK", NULL);
    file_chunk(&chunk, file, 0, HTTP_BYTE_RANGE_TO_EOF);
    response.EntityChunkCount = 1;
    response.pEntityChunks = &chunk;
    result = HttpSendHttpResponse(server.queue, receive(&server)->RequestId, 0, &response, NULL, NULL, NULL, 0, &overlapped, NULL);
    CHECK(result == NO_ERROR || result == ERROR_IO_PENDING);
    CHECK(CloseHandle(file));
    CHECK(client_response(client, &reply, 0));
    CHECK_BYTES(reply.body, reply.body_size, "0123456789");
    CHECK(GetOverlappedResult(server.queue, &overlapped, &bytes, TRUE));
    CHECK_EQ(bytes, reply.size);
    remove(path);
    close(client);
    server_close(&server);
}

/* A client that has gone breaks the pipe: the program must not be ended by SIGPIPE. */
TEST(test_send__a_file_to_a_client_that_has_gone)
{
    struct server server;
    char path[256];
    HANDLE file = digits_file(path, sizeof(path));
    HTTP_REQUEST_ID id;
    int client, turn;
    FILE *longer = fopen(path, "r+b");
    REQUIRE(longer && fseek(longer, 4 * 1024 * 1024, SEEK_SET) == 0 && fputc('x', longer) == 'x' && fclose(longer) == 0);
    server_open(&server);
    for (turn = 0; turn < 20; turn++) {
        client = client_get(&server, "/");
        make_response(&response, &chunk, 200, "OK", NULL);
        file_chunk(&chunk, file, 0, HTTP_BYTE_RANGE_TO_EOF);
        response.EntityChunkCount = 1;
        response.pEntityChunks = &chunk;
        id = receive(&server)->RequestId;
        close(client);
        CHECK(send_response(&server, id, 0, &response, NULL) != ERROR_INVALID_PARAMETER);
    }
    CHECK(CloseHandle(file));
    remove(path);
    server_close(&server);
}

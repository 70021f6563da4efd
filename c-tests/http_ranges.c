/* HTTP_SEND_RESPONSE_FLAG_PROCESS_RANGES: the part the client asked for, made of the whole. */
#include "http_server.h"

static struct reply reply;

/* Asks for a range of "0123456789" with ETag "v1", answered as a whole with the flag. */
static void ask(const struct server *it, const char *method, const char *fields, USHORT status)
{
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    ULONG sent = 0;
    int client = client_connect(it->port);
    client_text(client, "%s / HTTP/1.1\r\nHost: localhost\r\n%s\r\n", method, fields);
    make_response(&response, &chunk, status, "OK", "0123456789");
    set_known(&response, HttpHeaderContentType, "text/plain");
    set_known(&response, HttpHeaderContentLength, "10");
    set_known(&response, HttpHeaderEtag, "\"v1\"");
    CHECK_EQ(send_response(it, receive(it)->RequestId, HTTP_SEND_RESPONSE_FLAG_PROCESS_RANGES, &response, &sent), NO_ERROR);
    REQUIRE(client_response(client, &reply, strcmp(method, "HEAD") == 0));
    CHECK_EQ(sent, reply.size);
    close(client);
}

TEST(test_ranges__one_part)
{
    struct server server;
    server_open(&server);
    ask(&server, "GET", "Range: bytes=2-5\r\n", 200);
    CHECK_EQ(reply.status, 206);
    CHECK_HAS(reply.text, "HTTP/1.1 206 Partial Content\r\n");
    CHECK_HAS(reply.text, "Content-Type: text/plain\r\n");
    CHECK_HAS(reply.text, "Content-Range: bytes 2-5/10\r\n");
    CHECK_HAS(reply.text, "Content-Length: 4\r\n");
    CHECK_BYTES(reply.body, reply.body_size, "2345");
    ask(&server, "GET", "Range: bytes=-3\r\n", 200);
    CHECK_BYTES(reply.body, reply.body_size, "789");
    ask(&server, "GET", "Range: bytes=8-\r\nIf-Range: \"v1\"\r\n", 200);
    CHECK_BYTES(reply.body, reply.body_size, "89");
    server_close(&server);
}

TEST(test_ranges__several_parts)
{
    struct server server;
    server_open(&server);
    ask(&server, "GET", "Range: bytes=7-8,0-1\r\n", 200);
    CHECK_EQ(reply.status, 206);
    CHECK_HAS(reply.text, "Content-Type: multipart/byteranges; boundary=");
    CHECK_HAS(reply.body, "\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r\n--");
    CHECK_HAS(reply.body, "\r\nContent-Range: bytes 7-8/10\r\n\r\n78\r\n--");
    CHECK(reply.body_size > 4 && memcmp(reply.body + reply.body_size - 4, "--\r\n", 4) == 0);
    ask(&server, "GET", "Range: bytes=0-3,2-6\r\n", 200);
    CHECK_HAS(reply.text, "Content-Range: bytes 0-6/10\r\n");
    server_close(&server);
}

TEST(test_ranges__nothing_of_it)
{
    struct server server;
    server_open(&server);
    ask(&server, "GET", "Range: bytes=10-\r\n", 200);
    CHECK_EQ(reply.status, 416);
    CHECK_HAS(reply.text, "Content-Range: bytes */10\r\n");
    CHECK_HAS(reply.text, "Content-Length: 0\r\n");
    CHECK_EQ(reply.body_size, 0);
    server_close(&server);
}

TEST(test_ranges__the_whole)
{
    static const char *const fields[] = {"", "Range: items=0-1\r\n", "Range: bytes=5-2\r\n", "Range: bytes=0-1\r\nIf-Range: \"v0\"\r\n",
                                         "Range: bytes=0-1\r\nIf-Range: W/\"v1\"\r\n"};
    struct server server;
    size_t at;
    server_open(&server);
    for (at = 0; at < sizeof(fields) / sizeof(fields[0]); at++) {
        ask(&server, "GET", fields[at], 200);
        CHECK_EQ(reply.status, 200);
        CHECK_BYTES(reply.body, reply.body_size, "0123456789");
    }
    ask(&server, "HEAD", "Range: bytes=0-1\r\n", 200);
    CHECK_EQ(reply.status, 200);
    ask(&server, "GET", "Range: bytes=0-1\r\n", 404);
    CHECK_EQ(reply.status, 404);
    server_close(&server);
}

TEST(test_ranges__of_a_file_and_memory_together)
{
    struct server server;
    WCHAR folder[MAX_PATH], path[MAX_PATH];
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunks[2];
    HANDLE file;
    DWORD written;
    int client;
    server_open(&server);
    REQUIRE(GetTempPathW(MAX_PATH, folder) > 0 && GetTempFileNameW(folder, W("rng"), 0, path) != 0);
    file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    REQUIRE(file != INVALID_HANDLE_VALUE && WriteFile(file, "abcdefghij", 10, &written, NULL));
    make_response(&response, chunks, 200, "OK", "0123");
    memset(&chunks[1], 0, sizeof(chunks[1]));
    chunks[1].DataChunkType = HttpDataChunkFromFileHandle;
    chunks[1].FromFileHandle.ByteRange.StartingOffset.QuadPart = 2;
    chunks[1].FromFileHandle.ByteRange.Length.QuadPart = HTTP_BYTE_RANGE_TO_EOF;
    chunks[1].FromFileHandle.FileHandle = file;
    response.EntityChunkCount = 2;
    client = client_connect(server.port);
    client_text(client, "GET / HTTP/1.1\r\nHost: localhost\r\nRange: bytes=2-6\r\n\r\n");
    CHECK_EQ(send_response(&server, receive(&server)->RequestId, HTTP_SEND_RESPONSE_FLAG_PROCESS_RANGES, &response, NULL), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    CHECK_HAS(reply.text, "Content-Range: bytes 2-6/12\r\n");
    CHECK_BYTES(reply.body, reply.body_size, "23cde");
    close(client);
    CloseHandle(file);
    DeleteFileW(path);
    server_close(&server);
}

/* What no file can have is refused before the program sees it. */
TEST(test_ranges__out_of_bounds)
{
    struct server server;
    int client;
    server_open(&server);
    client = client_connect(server.port);
    client_text(client, "GET / HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-18446744073709551615\r\n\r\n");
    client_all(client, &reply);
    CHECK_EQ(reply.status, 400);
    CHECK_HAS(reply.text, "<h2>Bad Request - Invalid Header</h2>");
    close(client);
    ask(&server, "GET", "Range: bytes=8-18446744073709551614\r\n", 200);
    CHECK_BYTES(reply.body, reply.body_size, "89");
    server_close(&server);
}

/* What the application has framed itself is not cut. */
TEST(test_ranges__of_a_chunked_body)
{
    struct server server;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    ULONG sent = 0;
    int client;
    server_open(&server);
    client = client_connect(server.port);
    client_text(client, "GET / HTTP/1.1\r\nHost: localhost\r\nRange: bytes=2-5\r\n\r\n");
    make_response(&response, &chunk, 200, "OK", "a\r\n0123456789\r\n0\r\n\r\n");
    set_known(&response, HttpHeaderTransferEncoding, "chunked");
    CHECK_EQ(send_response(&server, receive(&server)->RequestId, HTTP_SEND_RESPONSE_FLAG_PROCESS_RANGES, &response, &sent), NO_ERROR);
    CHECK(client_bytes(client, &reply, sent));
    CHECK_HAS(reply.text, "HTTP/1.1 200 OK\r\n");
    CHECK_HAS(reply.text, "\r\n\r\na\r\n0123456789\r\n0\r\n\r\n");
    close(client);
    server_close(&server);
}

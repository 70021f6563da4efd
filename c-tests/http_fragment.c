/* The fragment cache: adding, reading with ranges, use in responses, flushing. */
#include "http_server.h"

static struct reply reply;

static ULONG add(const struct server *it, PCWSTR url, const char *bytes)
{
    HTTP_CACHE_POLICY policy = {.Policy = HttpCachePolicyUserInvalidates};
    HTTP_DATA_CHUNK chunk;
    memset(&chunk, 0, sizeof(chunk));
    chunk.DataChunkType = HttpDataChunkFromMemory;
    chunk.FromMemory.pBuffer = (PVOID)(uintptr_t)bytes;
    chunk.FromMemory.BufferLength = (ULONG)strlen(bytes);
    return HttpAddFragmentToCache(it->queue, url, &chunk, &policy, NULL);
}

static PCWSTR url_of(const struct server *it, const char *path)
{
    return wide("http://localhost:%d%s", it->port, path);
}

TEST(test_fragment__is_read_whole_and_in_ranges)
{
    struct server server;
    HTTP_BYTE_RANGE range;
    char out[32];
    ULONG got = 77;
    server_open(&server);
    CHECK_EQ(HttpReadFragmentFromCache(server.queue, url_of(&server, "/f"), NULL, out, sizeof(out), &got, NULL), ERROR_PATH_NOT_FOUND);
    CHECK_EQ(add(&server, url_of(&server, "/f"), "0123456789"), NO_ERROR);
    CHECK_EQ(HttpReadFragmentFromCache(server.queue, url_of(&server, "/F"), NULL, out, sizeof(out), &got, NULL), NO_ERROR);
    CHECK_BYTES(out, got, "0123456789");
    CHECK_EQ(HttpReadFragmentFromCache(server.queue, url_of(&server, "/f"), NULL, out, 9, &got, NULL), ERROR_MORE_DATA);
    CHECK_EQ(got, 10);
    range.StartingOffset.QuadPart = 3;
    range.Length.QuadPart = 4;
    CHECK_EQ(HttpReadFragmentFromCache(server.queue, url_of(&server, "/f"), &range, out, 4, &got, NULL), NO_ERROR);
    CHECK_BYTES(out, got, "3456");
    range.Length.QuadPart = HTTP_BYTE_RANGE_TO_EOF;
    CHECK_EQ(HttpReadFragmentFromCache(server.queue, url_of(&server, "/f"), &range, out, sizeof(out), &got, NULL), NO_ERROR);
    CHECK_BYTES(out, got, "3456789");
    range.StartingOffset.QuadPart = 11;
    CHECK_EQ(HttpReadFragmentFromCache(server.queue, url_of(&server, "/f"), &range, out, sizeof(out), &got, NULL), ERROR_HANDLE_EOF);
    CHECK_EQ(add(&server, url_of(&server, "/f"), "new"), NO_ERROR);
    CHECK_EQ(HttpReadFragmentFromCache(server.queue, url_of(&server, "/f"), NULL, out, sizeof(out), &got, NULL), NO_ERROR);
    CHECK_BYTES(out, got, "new");
    server_close(&server);
}

TEST(test_fragment__arguments)
{
    struct server server;
    HTTP_CACHE_POLICY policy = {.Policy = HttpCachePolicyUserInvalidates};
    HTTP_DATA_CHUNK chunk;
    char out[8];
    memset(&chunk, 0, sizeof(chunk));
    chunk.DataChunkType = HttpDataChunkFromMemory;
    chunk.FromMemory.pBuffer = (PVOID)(uintptr_t)"x";
    chunk.FromMemory.BufferLength = 1;
    server_open(&server);
    CHECK_EQ(add(&server, NULL, "x"), ERROR_INVALID_PARAMETER);
    CHECK_EQ(add(&server, W("http://elsewhere:1/"), "x"), ERROR_INVALID_PARAMETER);
    CHECK_EQ(add(&server, W("nonsense"), "x"), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpAddFragmentToCache(server.queue, url_of(&server, "/f"), NULL, &policy, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpAddFragmentToCache(server.queue, url_of(&server, "/f"), &chunk, NULL, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpAddFragmentToCache(NULL, url_of(&server, "/f"), &chunk, &policy, NULL), ERROR_INVALID_HANDLE);
    policy.Policy = HttpCachePolicyNocache;
    CHECK_EQ(HttpAddFragmentToCache(server.queue, url_of(&server, "/f"), &chunk, &policy, NULL), ERROR_INVALID_PARAMETER);
    policy.Policy = (HTTP_CACHE_POLICY_TYPE)9;
    CHECK_EQ(HttpAddFragmentToCache(server.queue, url_of(&server, "/f"), &chunk, &policy, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpReadFragmentFromCache(server.queue, url_of(&server, "/f"), NULL, NULL, 8, NULL, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpReadFragmentFromCache(NULL, url_of(&server, "/f"), NULL, out, sizeof(out), NULL, NULL), ERROR_INVALID_HANDLE);
    server_close(&server);
}

static void name_fragment(HTTP_DATA_CHUNK *chunk, PCWSTR url)
{
    USHORT units = 0;
    while (url[units])
        units++;
    memset(chunk, 0, sizeof(*chunk));
    chunk->DataChunkType = HttpDataChunkFromFragmentCache;
    chunk->FromFragmentCache.FragmentNameLength = (USHORT)(units * 2);
    chunk->FromFragmentCache.pFragmentName = (PWSTR)url;
}

TEST(test_fragment__stands_in_responses)
{
    struct server server;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK unused, chunks[3];
    HTTP_REQUEST_ID id;
    ULONG sent = 0;
    int client;
    server_open(&server);
    CHECK_EQ(add(&server, url_of(&server, "/f"), "middle"), NO_ERROR);
    make_response(&response, &unused, 200, "OK", NULL);
    memset(chunks, 0, sizeof(chunks));
    chunks[0].DataChunkType = HttpDataChunkFromMemory;
    chunks[0].FromMemory.pBuffer = (PVOID)(uintptr_t)"<";
    chunks[0].FromMemory.BufferLength = 1;
    name_fragment(&chunks[1], url_of(&server, "/f"));
    chunks[2] = chunks[0];
    chunks[2].FromMemory.pBuffer = (PVOID)(uintptr_t)">";
    response.EntityChunkCount = 3;
    response.pEntityChunks = chunks;
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    CHECK_EQ(send_response(&server, id, 0, &response, &sent), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    CHECK_BYTES(reply.body, reply.body_size, "<middle>");
    CHECK_EQ(sent, reply.size);

    /* A missing one fails the whole; the request lives on. */
    client_text(client, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    id = receive(&server)->RequestId;
    name_fragment(&chunks[1], url_of(&server, "/missing"));
    CHECK_EQ(send_response(&server, id, 0, &response, NULL), ERROR_PATH_NOT_FOUND);
    response.EntityChunkCount = 0;
    CHECK_EQ(send_response(&server, id, HTTP_SEND_RESPONSE_FLAG_MORE_DATA, &response, NULL), NO_ERROR);
    CHECK_EQ(HttpSendResponseEntityBody(server.queue, id, 0, 1, &chunks[1], NULL, NULL, 0, NULL, NULL), ERROR_PATH_NOT_FOUND);
    name_fragment(&chunks[1], url_of(&server, "/f"));
    CHECK_EQ(HttpSendResponseEntityBody(server.queue, id, 0, 1, &chunks[1], NULL, NULL, 0, NULL, NULL), NO_ERROR);
    client_all(client, &reply);
    CHECK_HAS(reply.text, "\r\n\r\nmiddle");
    close(client);
    server_close(&server);
}

TEST(test_fragment__flushed_and_of_its_own_queue)
{
    struct server server, other;
    char out[16];
    ULONG got;
    server_open(&server);
    server_open_bare(&other);
    CHECK_EQ(add(&server, url_of(&server, "/a/f"), "x"), NO_ERROR);
    CHECK_EQ(HttpReadFragmentFromCache(other.queue, url_of(&server, "/a/f"), NULL, out, sizeof(out), &got, NULL), ERROR_PATH_NOT_FOUND);
    CHECK_EQ(add(&other, url_of(&server, "/a/f"), "x"), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpFlushResponseCache(other.queue, url_of(&server, "/"), HTTP_FLUSH_RESPONSE_FLAG_RECURSIVE, NULL), NO_ERROR);
    CHECK_EQ(HttpReadFragmentFromCache(server.queue, url_of(&server, "/a/f"), NULL, out, sizeof(out), &got, NULL), NO_ERROR);
    CHECK_EQ(HttpFlushResponseCache(server.queue, url_of(&server, "/a"), 0, NULL), NO_ERROR);
    CHECK_EQ(HttpReadFragmentFromCache(server.queue, url_of(&server, "/a/f"), NULL, out, sizeof(out), &got, NULL), NO_ERROR);
    CHECK_EQ(HttpFlushResponseCache(server.queue, url_of(&server, "/a"), HTTP_FLUSH_RESPONSE_FLAG_RECURSIVE, NULL), NO_ERROR);
    CHECK_EQ(HttpReadFragmentFromCache(server.queue, url_of(&server, "/a/f"), NULL, out, sizeof(out), &got, NULL), ERROR_PATH_NOT_FOUND);
    server_close(&other);
    server_close(&server);
}

/* Content codings: what is asked for, what comes out, and what the fields say then.
 *
 * Bodies were made with gzip, zlib and zstd; that of brotli is a stored block of RFC 7932, written by hand. */
#include "winhttp_server.h"

#ifndef NTHTTP_DECOMPRESSION_FLAG_BROTLI
#define NTHTTP_DECOMPRESSION_FLAG_BROTLI 0x100
#define NTHTTP_DECOMPRESSION_FLAG_ZSTD 0x200
#endif
#define ALL (WINHTTP_DECOMPRESSION_FLAG_ALL | NTHTTP_DECOMPRESSION_FLAG_BROTLI | NTHTTP_DECOMPRESSION_FLAG_ZSTD)

/* "hello, hello, hello, compressed world\n" */
#define PLAIN "hello, hello, hello, compressed world\n"
static const char gzipped[] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\xd7\x51\xc8\x40\xa1\x92\xf3\x73\x0b"
    "\x8a\x52\x8b\x8b\x53\x53\x14\xca\xf3\x8b\x72\x52\xb8\x00\x6d\xdc\x53\xad\x26\x00\x00\x00";
static const char zlibbed[] =
    "\x78\x9c\xcb\x48\xcd\xc9\xc9\xd7\x51\xc8\x40\xa1\x92\xf3\x73\x0b\x8a\x52\x8b\x8b\x53\x53\x14\xca"
    "\xf3\x8b\x72\x52\xb8\x00\x09\xe5\x0d\xa8";
static const char deflated[] =
    "\xcb\x48\xcd\xc9\xc9\xd7\x51\xc8\x40\xa1\x92\xf3\x73\x0b\x8a\x52\x8b\x8b\x53\x53\x14\xca\xf3\x8b"
    "\x72\x52\xb8\x00";
static const char zstandard[] =
    "\x28\xb5\x2f\xfd\x04\x68\xf5\x00\x00\xc0\x68\x65\x6c\x6c\x6f\x2c\x20\x63\x6f\x6d\x70\x72\x65\x73"
    "\x73\x65\x64\x20\x77\x6f\x72\x6c\x64\x0a\x01\x00\x92\x8b\x11\xa5\x39\x55\xcb";
static const char brotlied[] =
    "\x50\x02\x10\x68\x65\x6c\x6c\x6f\x2c\x20\x68\x65\x6c\x6c\x6f\x2c\x20\x68\x65\x6c\x6c\x6f\x2c\x20"
    "\x63\x6f\x6d\x70\x72\x65\x73\x73\x65\x64\x20\x77\x6f\x72\x6c\x64\x0a\x03";

/* A server of one answer whose body is bytes, sent in pieces. */
struct answer {
    const char *head;
    const char *body;
    size_t size, piece;
    int listener, port;
    char request[2048];
    HANDLE thread;
};

static DWORD WINAPI give(void *argument)
{
    struct answer *it = argument;
    int peer = (int)accept(it->listener, NULL, NULL), one = 1;
    size_t have = 0, at;
    while (!strstr(it->request, "\r\n\r\n") && have + 1 < sizeof(it->request)) {
        long got = (long)recv(peer, it->request + have, sizeof(it->request) - 1 - have, 0);
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, (const char *)&one, sizeof(one));
    send(peer, it->head, strlen(it->head), MSG_NOSIGNAL);
    for (at = 0; at < it->size; at += it->piece) {
        size_t size = it->size - at < it->piece ? it->size - at : it->piece;
        if (send(peer, it->body + at, size, MSG_NOSIGNAL) < 0)
            break;
    }
    close(peer);
    return 0;
}

static void answer_start(struct answer *it, const char *head, const char *body, size_t size, size_t piece)
{
    memset(it, 0, sizeof(*it));
    it->head = head, it->body = body, it->size = size, it->piece = piece;
    it->listener = loopback_listener(&it->port, 1);
    it->thread = CreateThread(NULL, 0, give, it, 0, NULL);
    REQUIRE(it->thread != NULL);
}

static void answer_end(struct answer *it)
{
    CHECK_EQ(WaitForSingleObject(it->thread, 10000), WAIT_OBJECT_0);
    CloseHandle(it->thread);
    close(it->listener);
}

#define CODED(NAME) "HTTP/1.1 200 OK\r\nContent-Encoding: " NAME "\r\nX: y\r\n\r\n"

/* Receives one answer with the bits set. */
static void open_coded(struct trio *it, struct answer *server, DWORD bits, DWORD flags)
{
    trio_open(it, server->port, NULL, NULL, flags);
    CHECK_WORKS(WinHttpSetOption(it->request, WINHTTP_OPTION_DECOMPRESSION, &bits, sizeof(bits)));
}

/* Reads one coded body in one way; 0 for the text, else the error, or 1 for another text. */
static DWORD read_coded(const char *head, const char *body, size_t size, size_t piece, int how)
{
    struct trio it;
    struct answer server;
    char text[256];
    long have = 0;
    DWORD ready, got = 1, error = 0;
    answer_start(&server, head, body, size, piece);
    open_coded(&it, &server, ALL, 0);
    REQUIRE(exchange(it.request));
    if (how == 0) {
        have = read_body(it.request, text, sizeof(text));
        error = have < 0 ? GetLastError() : 0;
    } else {
        for (;;) {
            if (!WinHttpQueryDataAvailable(it.request, &ready)) {
                error = GetLastError();
                break;
            }
            if (!ready)
                break;
            if (how == 2 && ready > 3)
                ready = 3;
            CHECK(WinHttpReadData(it.request, text + have, ready, &got));
            CHECK_EQ(got, ready);
            have += (long)got;
        }
    }
    if (!error) {
        CHECK(WinHttpReadData(it.request, text + have, 1, &got));
        CHECK_EQ(got, 0);
        error = have != (long)strlen(PLAIN) || memcmp(text, PLAIN, strlen(PLAIN)) != 0;
    }
    trio_close(&it);
    answer_end(&server);
    return error;
}

static const struct {
    const char *head, *body;
    size_t size;
} samples[] = {
    {CODED("gzip"), gzipped, sizeof(gzipped) - 1},   {CODED("deflate"), zlibbed, sizeof(zlibbed) - 1},
    {CODED("deflate"), deflated, sizeof(deflated) - 1}, {CODED("zstd"), zstandard, sizeof(zstandard) - 1},
    {CODED("br"), brotlied, sizeof(brotlied) - 1},
};

TEST(test_decompress__every_coding_in_every_way_of_reading)
{
    size_t at, piece;
    int how;
    for (at = 0; at < COUNT(samples); at++)
        for (how = 0; how < 3; how++)
            for (piece = 1; piece < 100; piece *= 9)
                CHECK_EQ(read_coded(samples[at].head, samples[at].body, samples[at].size, piece, how), 0);
}

TEST(test_decompress__a_stream_that_is_cut_or_broken_fails)
{
    size_t at;
    int how;
    for (at = 0; at < COUNT(samples); at++)
        for (how = 0; how < 2; how++) {
            CHECK_EQ(read_coded(samples[at].head, samples[at].body, samples[at].size - 1, 1000, how),
                     ERROR_WINHTTP_INVALID_SERVER_RESPONSE);
            CHECK_EQ(read_coded(samples[at].head, samples[at].body, 3, 1000, how), ERROR_WINHTTP_INVALID_SERVER_RESPONSE);
            CHECK_EQ(read_coded(samples[at].head, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, 1000, how),
                     ERROR_WINHTTP_INVALID_SERVER_RESPONSE);
        }
}

static DWORD has_field(HINTERNET request, DWORD field)
{
    WCHAR text[64];
    DWORD size = sizeof(text);
    return WinHttpQueryHeaders(request, field, NULL, text, &size, NULL) ? 0 : GetLastError();
}

TEST(test_decompress__fields_tell_of_the_decoded_body)
{
    struct trio it;
    struct answer server;
    char head[200], raw[400];
    DWORD size = sizeof(raw);
    sprintf(head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nContent-Encoding: gzip\r\nX: y\r\n\r\n", (int)sizeof(gzipped) - 1);
    answer_start(&server, head, gzipped, sizeof(gzipped) - 1, 1000);
    open_coded(&it, &server, ALL, 0);
    CHECK(WinHttpSendRequest(it.request, W("Accept-Encoding: mine"), (DWORD)-1, NULL, 0, 0, 0) && WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(has_field(it.request, WINHTTP_QUERY_CONTENT_ENCODING), ERROR_WINHTTP_HEADER_NOT_FOUND);
    CHECK_EQ(has_field(it.request, WINHTTP_QUERY_CONTENT_LENGTH), ERROR_WINHTTP_HEADER_NOT_FOUND);
    CHECK(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_RAW_HEADERS_CRLF, NULL, raw, &size, NULL));
    CHECK_EQ(size, 2 * strlen("HTTP/1.1 200 OK\r\nX: y\r\n\r\n"));
    trio_close(&it);
    answer_end(&server);
    CHECK_HAS(server.request, "\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n");
    CHECK(!strstr(server.request, "mine"));
}

TEST(test_decompress__what_was_not_asked_for_stays)
{
    struct trio it;
    struct answer server;
    char text[256];
    answer_start(&server, CODED("gzip"), gzipped, sizeof(gzipped) - 1, 1000);
    open_coded(&it, &server, WINHTTP_DECOMPRESSION_FLAG_DEFLATE, 0);
    CHECK(exchange(it.request));
    CHECK_EQ(has_field(it.request, WINHTTP_QUERY_CONTENT_ENCODING), 0);
    CHECK_EQ(read_body(it.request, text, sizeof(text)), (long)sizeof(gzipped) - 1);
    trio_close(&it);
    answer_end(&server);
    CHECK_HAS(server.request, "\r\nAccept-Encoding: deflate\r\n");
    answer_start(&server, CODED("gzip, compress"), gzipped, sizeof(gzipped) - 1, 1000);
    open_coded(&it, &server, ALL, 0);
    CHECK(exchange(it.request));
    CHECK_EQ(has_field(it.request, WINHTTP_QUERY_CONTENT_ENCODING), 0);
    CHECK_EQ(read_body(it.request, text, sizeof(text)), (long)sizeof(gzipped) - 1);
    trio_close(&it);
    answer_end(&server);
}

TEST(test_decompress__the_option)
{
    struct trio it;
    DWORD bits = 0, size = sizeof(bits);
    char text[8] = {0};
    trio_open(&it, free_port(), NULL, NULL, 0);
    for (bits = 0; bits <= 3; bits++) {
        CHECK_WORKS(WinHttpSetOption(it.session, WINHTTP_OPTION_DECOMPRESSION, &bits, sizeof(bits)));
        CHECK_WORKS(WinHttpSetOption(it.request, WINHTTP_OPTION_DECOMPRESSION, &bits, sizeof(bits)));
    }
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_DECOMPRESSION, &bits, sizeof(bits)), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_DECOMPRESSION, &bits, sizeof(bits)), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_DECOMPRESSION, text, 2), ERROR_INSUFFICIENT_BUFFER);
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_DECOMPRESSION, text, 8), ERROR_INSUFFICIENT_BUFFER);
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_DECOMPRESSION, NULL, 4), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSetOption(it.connect, WINHTTP_OPTION_DECOMPRESSION, text, 4), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpQueryOption(it.request, WINHTTP_OPTION_DECOMPRESSION, &bits, &size), ERROR_INVALID_PARAMETER);
    trio_close(&it);
}

TEST(test_decompress__connections_are_kept_and_chunks_undone_first)
{
    struct trio it;
    DWORD bits = ALL;
    char text[64];
    SERVER(server, {"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "4\r\n\x0b\x01\x80h\r\n3\r\nel\x03\r\n0\r\nT: t\r\n\r\n", KEEP}, {OK_HELLO, KEEP},
           {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_DECOMPRESSION, &bits, sizeof(bits)));
    CHECK(exchange(it.request));
    CHECK_EQ(read_body(it.request, text, sizeof(text)), 3);
    CHECK_BYTES(text, 3, "hel");
    CHECK(exchange(it.request));
    CHECK_EQ(read_body(it.request, text, sizeof(text)), 5);
    CHECK(exchange(it.request));
    CHECK_EQ(read_body(it.request, text, sizeof(text)), 0);
    trio_close(&it);
    server_end(&server);
    CHECK_EQ(server.connections, 1);
}

static char bomb_text[4096];
static LONG bomb_total;
static HANDLE bomb_over;

static void read_on(const struct note *note)
{
    if (note->status == WINHTTP_CALLBACK_STATUS_READ_COMPLETE) {
        InterlockedExchangeAdd(&bomb_total, (LONG)note->length);
        if (!note->length) {
            SetEvent(bomb_over);
            return;
        }
    } else if (note->status != WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE)
        return;
    CHECK(WinHttpReadData(note->handle, bomb_text, sizeof(bomb_text), NULL));
}

TEST(test_decompress__asynchronous_reads_get_a_little_body_that_stands_for_a_large_one)
{
    struct trio it;
    struct answer server;
    static char body[6 + 64 * 4];
    size_t at;
    /* zstd: 64 blocks that each repeat one byte 128 Ki times. */
    memcpy(body, "\x28\xb5\x2f\xfd\0\x50", 6);
    for (at = 0; at < 64; at++) {
        unsigned header = 128 * 1024 << 3 | 1 << 1 | (at == 63);
        body[6 + at * 4] = (char)header, body[7 + at * 4] = (char)(header >> 8), body[8 + at * 4] = (char)(header >> 16);
        body[9 + at * 4] = 'x';
    }
    bomb_over = CreateEventW(NULL, TRUE, FALSE, NULL);
    notes_clear(read_on);
    answer_start(&server, CODED("zstd"), body, sizeof(body), 50);
    open_coded(&it, &server, ALL, WINHTTP_FLAG_ASYNC);
    WinHttpSetStatusCallback(it.request, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 1));
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(WaitForSingleObject(bomb_over, 30000), WAIT_OBJECT_0);
    CHECK_EQ(bomb_total, 64 * 128 * 1024);
    trio_close_async(&it, 1);
    answer_end(&server);
    CloseHandle(bomb_over);
}

/* What the tests of WebSockets share: a server that upgrades one connection after another and plays a script on each.
 *
 * SAY sends bytes as they are; HEAR takes one frame of the client, which must be masked, and compares it; AWAIT waits
 * for the test; UNTIL_END counts what comes until the client ends the connection. Every wait ends after ten seconds. */
#ifndef WINHTTP_WEBSOCKET_H
#define WINHTTP_WEBSOCKET_H

#include "winhttp_server.h"

enum act { SAYS, HEARS, SKIPS, AWAITS, UNTIL_END, RESETS };

struct step {
    enum act act;
    /* The first byte of a frame that is heard. */
    int first;
    const char *bytes;
    size_t size;
};

#define SAY(BYTES) {SAYS, 0, BYTES, sizeof(BYTES) - 1}
#define HEAR(FIRST, BYTES) {HEARS, FIRST, BYTES, sizeof(BYTES) - 1}
#define SKIP {SKIPS, 0, NULL, 0}
#define AWAIT {AWAITS, 0, NULL, 0}
#define END {UNTIL_END, 0, NULL, 0}
#define CUT {RESETS, 0, NULL, 0}

#define SCRIPT 16
struct play {
    /* Sent instead of a proper 101, with %s for the accept key; NULL for that. */
    const char *head;
    struct step steps[SCRIPT];
    int count;
};

struct ws_server {
    int port, listener;
    HANDLE thread, go, ended;
    const struct play *plays;
    int count;
    char request[4096];
    /* Bytes that came in UNTIL_END. */
    unsigned long long heard;
};

static uint32_t ws_turn(uint32_t word, int bits)
{
    return word << bits | word >> (32 - bits);
}

/* SHA-1 of a text of at most 119 bytes. */
static void ws_sha1(const char *text, unsigned char *digest)
{
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0}, w[80];
    unsigned char block[128] = {0};
    size_t size = strlen(text), blocks = size < 56 ? 1 : 2, at;
    int i;
    memcpy(block, text, size);
    block[size] = 0x80;
    block[blocks * 64 - 2] = (unsigned char)(size * 8 >> 8);
    block[blocks * 64 - 1] = (unsigned char)(size * 8);
    for (at = 0; at < blocks; at++) {
        uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
        for (i = 0; i < 80; i++)
            w[i] = i < 16 ? (uint32_t)block[at * 64 + i * 4] << 24 | (uint32_t)block[at * 64 + i * 4 + 1] << 16 |
                                (uint32_t)block[at * 64 + i * 4 + 2] << 8 | block[at * 64 + i * 4 + 3]
                          : ws_turn(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        for (i = 0; i < 80; i++) {
            uint32_t f = i < 20 ? (b & c) | (~b & d) : i >= 40 && i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
            uint32_t k = i < 20 ? 0x5A827999 : i < 40 ? 0x6ED9EBA1 : i < 60 ? 0x8F1BBCDC : 0xCA62C1D6;
            uint32_t next = ws_turn(a, 5) + f + e + k + w[i];
            e = d, d = c, c = ws_turn(b, 30), b = a, a = next;
        }
        h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
    }
    for (i = 0; i < 20; i++)
        digest[i] = (unsigned char)(h[i / 4] >> (24 - i % 4 * 8));
}

/* The accept key for the request's. */
static void ws_accept(const char *request, char accept[32])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *key = strstr(request, "Sec-WebSocket-Key: ");
    unsigned char digest[22] = {0};
    char joined[128];
    int i;
    sprintf(joined, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key ? key + 19 : "");
    ws_sha1(joined, digest);
    for (i = 0; i < 28; i++) {
        int bit = i * 6, pair = digest[bit / 8] << 8 | digest[bit / 8 + 1];
        accept[i] = letters[pair >> (10 - bit % 8) & 63];
    }
    accept[27] = '=';
    accept[28] = 0;
}

static int ws_take(int peer, void *room, size_t size)
{
    size_t have = 0;
    while (have < size) {
        long got = (long)recv(peer, (char *)room + have, size - have, 0);
        if (got <= 0)
            return 0;
        have += (size_t)got;
    }
    return 1;
}

/* One frame, unmasked; its length, or -1. */
static long ws_frame(int peer, int *first, char *room, size_t size)
{
    unsigned char head[14];
    size_t length, at, more;
    if (!ws_take(peer, head, 2))
        return -1;
    *first = head[0];
    if (!CHECK(head[1] & 0x80))
        return -1;
    length = head[1] & 0x7F;
    more = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (!ws_take(peer, head + 2, more + 4))
        return -1;
    if (more)
        for (length = 0, at = 0; at < more; at++)
            length = length << 8 | head[2 + at];
    if (!CHECK(length <= size) || !ws_take(peer, room, length))
        return -1;
    for (at = 0; at < length; at++)
        room[at] = (char)(room[at] ^ (char)head[2 + more + at % 4]);
    return (long)length;
}

static void ws_play(struct ws_server *it, int peer, const struct play *play)
{
    static char room[1 << 20];
    int at, first;
    for (at = 0; at < play->count; at++) {
        const struct step *step = &play->steps[at];
        long size;
        switch (step->act) {
        case SAYS:
            if (send(peer, step->bytes, step->size, MSG_NOSIGNAL) < 0)
                return;
            break;
        case HEARS:
            size = ws_frame(peer, &first, room, sizeof(room));
            CHECK(size >= 0);
            if (size >= 0) {
                CHECK_EQ(first, step->first);
                harness_bytes(__FILE__, __LINE__, "a frame", room, (size_t)size, step->bytes, step->size);
            }
            break;
        case SKIPS:
            ws_frame(peer, &first, room, sizeof(room));
            break;
        case AWAITS:
            CHECK_EQ(WaitForSingleObject(it->go, 10000), WAIT_OBJECT_0);
            break;
        case UNTIL_END:
            while ((size = (long)recv(peer, room, sizeof(room), 0)) > 0)
                it->heard += (unsigned long long)size;
            return;
        case RESETS: {
            struct linger hard = {1, 0};
            setsockopt(peer, SOL_SOCKET, SO_LINGER, (const char *)&hard, sizeof(hard));
            return;
        }
        }
    }
}

static DWORD WINAPI ws_serve(void *argument)
{
    struct ws_server *it = argument;
    int at;
    for (at = 0; at < it->count; at++) {
        char head[1024], accept_key[32];
        const struct step *steps = it->plays[at].steps;
        size_t have = 0;
        int peer = (int)accept(it->listener, NULL, NULL);
        if (peer < 0)
            return 1;
        do {
            long got = (long)recv(peer, it->request + have, sizeof(it->request) - 1 - have, 0);
            if (got <= 0)
                break;
            have += (size_t)got;
            it->request[have] = 0;
        } while (!strstr(it->request, "\r\n\r\n"));
        ws_accept(it->request, accept_key);
        have = (size_t)sprintf(head,
                               it->plays[at].head ? it->plays[at].head
                                                  : "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                                    "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                               accept_key);
        /* What is said first goes out with the head. */
        if (it->plays[at].count && steps[0].act == SAYS && have + steps[0].size <= sizeof(head)) {
            struct play rest = it->plays[at];
            memcpy(head + have, steps[0].bytes, steps[0].size);
            send(peer, head, have + steps[0].size, MSG_NOSIGNAL);
            memmove(rest.steps, rest.steps + 1, sizeof(rest.steps) - sizeof(rest.steps[0]));
            rest.count--;
            ws_play(it, peer, &rest);
        } else {
            send(peer, head, have, MSG_NOSIGNAL);
            ws_play(it, peer, &it->plays[at]);
        }
        close(peer);
        SetEvent(it->ended);
    }
    return 0;
}

__attribute__((unused)) static void ws_start(struct ws_server *it, const struct play *plays, int count)
{
    memset(it, 0, sizeof(*it));
    it->plays = plays;
    it->count = count;
    it->go = CreateEventW(NULL, FALSE, FALSE, NULL);
    it->ended = CreateEventW(NULL, FALSE, FALSE, NULL);
    it->listener = loopback_listener(&it->port, 16);
    it->thread = CreateThread(NULL, 0, ws_serve, it, 0, NULL);
    REQUIRE(it->thread != NULL);
}

#define STEPS(...)                                                                                                     \
    {NULL, {__VA_ARGS__}, (int)(sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step))}
/* A server for one connection. */
#define WS_SERVER(NAME, ...)                                                                                           \
    static const struct play NAME##_plays[] = {STEPS(__VA_ARGS__)};                                                    \
    static struct ws_server NAME;                                                                                      \
    ws_start(&NAME, NAME##_plays, 1)

__attribute__((unused)) static void ws_end(struct ws_server *it)
{
    shutdown(it->listener, 2);
    CHECK_EQ(WaitForSingleObject(it->thread, 10000), WAIT_OBJECT_0);
    CloseHandle(it->thread);
    CloseHandle(it->go);
    CloseHandle(it->ended);
    close(it->listener);
}

/* Sends a request for an upgrade and receives the head of the answer. */
__attribute__((unused)) static BOOL ws_ask(HINTERNET request)
{
    return WinHttpSetOption(request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, NULL, 0) && exchange(request);
}

/* A synchronous socket; its request is closed. */
__attribute__((unused)) static HINTERNET ws_open(struct trio *it, int port)
{
    HINTERNET socket;
    trio_open(it, port, NULL, W("/chat"), 0);
    REQUIRE(ws_ask(it->request));
    CHECK_EQ(status_of(it->request), 101);
    socket = WinHttpWebSocketCompleteUpgrade(it->request, 0);
    REQUIRE(socket != NULL);
    CHECK(WinHttpCloseHandle(it->request));
    it->request = socket;
    return socket;
}

/* Receives a whole message; its type and, in *size, its length. 0xFFFF and the error for a failure. */
__attribute__((unused)) static int ws_message(HINTERNET socket, char *text, DWORD room, DWORD *size)
{
    WINHTTP_WEB_SOCKET_BUFFER_TYPE type = WINHTTP_WEB_SOCKET_BINARY_FRAGMENT_BUFFER_TYPE;
    DWORD got = 0, error;
    *size = 0;
    do {
        error = WinHttpWebSocketReceive(socket, text + *size, room - *size, &got, &type);
        if (error) {
            *size = error;
            return 0xFFFF;
        }
        *size += got;
    } while (type == WINHTTP_WEB_SOCKET_BINARY_FRAGMENT_BUFFER_TYPE || type == WINHTTP_WEB_SOCKET_UTF8_FRAGMENT_BUFFER_TYPE);
    return (int)type;
}
#define CHECK_MESSAGE(SOCKET, TYPE, WANTED)                                                                            \
    do {                                                                                                               \
        static char text[65536];                                                                                       \
        DWORD text_size;                                                                                               \
        CHECK_EQ(ws_message(SOCKET, text, sizeof(text), &text_size), TYPE);                                            \
        CHECK_BYTES(text, text_size, WANTED);                                                                          \
    } while (0)

#define BINARY WINHTTP_WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE
#define BINARY_PART WINHTTP_WEB_SOCKET_BINARY_FRAGMENT_BUFFER_TYPE
#define TEXT_ALL WINHTTP_WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE
#define TEXT_PART WINHTTP_WEB_SOCKET_UTF8_FRAGMENT_BUFFER_TYPE
#define CLOSE_TYPE WINHTTP_WEB_SOCKET_CLOSE_BUFFER_TYPE

#endif

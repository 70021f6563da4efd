/* WebSockets against a vector set in the order of the Autobahn test suite: framing, pings, reserved bits, opcodes,
 * fragments, UTF-8, close handling, large messages, compression. A client echoes what it receives; the server says what
 * the vector says and compares what it hears, to the end of the connection.
 *
 * A vector is a list of frames with blanks between: the first byte in hex, then `=text`, `:hex` or `*count` for the
 * payload; `!hex` are bytes as they are. */
#include "winhttp_websocket.h"

struct vector {
    const char *name, *said, *heard;
    /* Bytes sent at a time; 0 for all. */
    int chop;
};

#define GOODBYE " 88:03e8"
#define WRONG "88:03ea"
#define NO_TEXT "88:03ef"
#define BIG (8 << 20)

static int digit(char letter)
{
    return letter >= 'a' ? letter - 'a' + 10 : letter - '0';
}

static size_t put_hex(const char **from, unsigned char *room)
{
    size_t count = 0;
    for (; **from && **from != ' '; *from += 2)
        room[count++] = (unsigned char)(digit((*from)[0]) << 4 | digit((*from)[1]));
    return count;
}

/* The frames of a list as a server sends them. */
static size_t spell(const char *list, unsigned char *room)
{
    static unsigned char payload[BIG];
    size_t have = 0;
    while (*list) {
        size_t size = 0;
        unsigned char first;
        if (*list == ' ') {
            list++;
            continue;
        }
        if (*list == '!') {
            list++;
            have += put_hex(&list, room + have);
            continue;
        }
        first = (unsigned char)(digit(list[0]) << 4 | digit(list[1]));
        list += 3;
        switch (list[-1]) {
        case ':':
            size = put_hex(&list, payload);
            break;
        case '*':
            size = strtoul(list, (char **)(size_t)&list, 10);
            memset(payload, '*', size);
            break;
        default:
            while (*list && *list != ' ')
                payload[size++] = (unsigned char)*list++;
        }
        room[have++] = first;
        if (size > 65535) {
            int shift;
            room[have++] = 127;
            for (shift = 56; shift >= 0; shift -= 8)
                room[have++] = (unsigned char)((unsigned long long)size >> shift);
        } else if (size > 125) {
            room[have++] = 126;
            room[have++] = (unsigned char)(size >> 8);
            room[have++] = (unsigned char)size;
        } else
            room[have++] = (unsigned char)size;
        memcpy(room + have, payload, size);
        have += size;
    }
    return have;
}

/* A client's frame as the server would have sent it; its size, 0 at the end. */
static size_t hear(int peer, unsigned char *room)
{
    static char payload[BIG];
    unsigned char head[14];
    int first;
    size_t at, size;
    long got = ws_frame(peer, &first, payload, sizeof(payload));
    if (got < 0)
        return 0;
    size = (size_t)got;
    head[0] = (unsigned char)first;
    at = 1;
    if (size > 65535) {
        int shift;
        head[at++] = 127;
        for (shift = 56; shift >= 0; shift -= 8)
            head[at++] = (unsigned char)((unsigned long long)size >> shift);
    } else if (size > 125) {
        head[at++] = 126;
        head[at++] = (unsigned char)(size >> 8);
        head[at++] = (unsigned char)size;
    } else
        head[at++] = (unsigned char)size;
    memcpy(room, head, at);
    memcpy(room + at, payload, size);
    return at + size;
}

struct stage {
    int listener, port;
    HANDLE thread;
    const struct vector *vectors;
    int count;
    /* Sec-WebSocket-Extensions of the answer; then every frame goes back as it came. */
    const char *extensions;
};

static int welcome(int listener, const char *extensions)
{
    char request[4096], head[512], accept_key[32];
    size_t have = 0;
    int one = 1, peer = (int)accept(listener, NULL, NULL);
    if (peer < 0)
        return -1;
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, (const char *)&one, sizeof(one));
    do {
        long got = (long)recv(peer, request + have, sizeof(request) - 1 - have, 0);
        if (got <= 0)
            break;
        have += (size_t)got;
        request[have] = 0;
    } while (!strstr(request, "\r\n\r\n"));
    ws_accept(request, accept_key);
    have = (size_t)sprintf(head,
                           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           "Sec-WebSocket-Accept: %s\r\n%s%s%s\r\n",
                           accept_key, extensions ? "Sec-WebSocket-Extensions: " : "", extensions ? extensions : "",
                           extensions ? "\r\n" : "");
    send(peer, head, have, MSG_NOSIGNAL);
    return peer;
}

static DWORD WINAPI perform(void *argument)
{
    static unsigned char said[BIG], heard[BIG], wanted[BIG];
    struct stage *it = argument;
    int at;
    for (at = 0; at < it->count; at++) {
        const struct vector *vector = &it->vectors[at];
        size_t size = spell(vector->said, said), sent = 0, have = 0, got;
        int peer = welcome(it->listener, NULL);
        if (peer < 0)
            return 1;
        while (sent < size) {
            size_t piece = vector->chop && (size_t)vector->chop < size - sent ? (size_t)vector->chop : size - sent;
            long gone = (long)send(peer, (const char *)said + sent, piece, MSG_NOSIGNAL);
            if (gone < 0)
                break;
            sent += (size_t)gone;
        }
        while ((got = hear(peer, heard + have)) > 0)
            have += got;
        close(peer);
        size = spell(vector->heard, wanted);
        if (have != size || memcmp(heard, wanted, size)) {
            char text[512];
            size_t byte, shown = (size_t)sprintf(text, "vector %s: heard %u bytes, not %u:", vector->name, (unsigned)have, (unsigned)size);
            for (byte = 0; byte < have && byte < 40; byte++)
                shown += (size_t)sprintf(text + shown, " %02x", heard[byte]);
            harness_fail(__FILE__, __LINE__, text);
        }
    }
    return 0;
}

/* Sends every frame back as it came. */
static DWORD WINAPI mirror(void *argument)
{
    static unsigned char frame[BIG];
    struct stage *it = argument;
    size_t size;
    int peer = welcome(it->listener, it->extensions);
    if (peer < 0)
        return 1;
    while ((size = hear(peer, frame)) > 0)
        if (send(peer, (const char *)frame, size, MSG_NOSIGNAL) < 0)
            break;
    close(peer);
    return 0;
}

static void stage_open(struct stage *it, DWORD(WINAPI *run)(void *))
{
    it->listener = loopback_listener(&it->port, 16);
    it->thread = CreateThread(NULL, 0, run, it, 0, NULL);
    REQUIRE(it->thread != NULL);
}

static void stage_close(struct stage *it)
{
    shutdown(it->listener, 2);
    CHECK_EQ(WaitForSingleObject(it->thread, 10000), WAIT_OBJECT_0);
    CloseHandle(it->thread);
    close(it->listener);
}

/* Echoes messages until there are no more. */
static void echo_all(int port)
{
    static char text[BIG];
    struct trio it;
    HINTERNET ws = ws_open(&it, port);
    DWORD size;
    int type;
    while ((type = ws_message(ws, text, sizeof(text), &size)) != 0xFFFF && type != CLOSE_TYPE)
        if (WinHttpWebSocketSend(ws, (WINHTTP_WEB_SOCKET_BUFFER_TYPE)type, text, size))
            break;
    WinHttpWebSocketClose(ws, 1000, NULL, 0);
    trio_close(&it);
}

static void run(const struct vector *vectors, int count)
{
    struct stage it = {0};
    int at;
    it.vectors = vectors;
    it.count = count;
    stage_open(&it, perform);
    for (at = 0; at < count; at++)
        echo_all(it.port);
    stage_close(&it);
}
#define RUN(...)                                                                                                       \
    do {                                                                                                               \
        static const struct vector list[] = {__VA_ARGS__};                                                             \
        run(list, (int)COUNT(list));                                                                                   \
    } while (0)

/* Both kinds of message, in one piece and chopped. */
#define SIZED(NAME, SIZE, CHOP)                                                                                        \
    {NAME " text", "81*" SIZE GOODBYE, "81*" SIZE GOODBYE, CHOP}, {NAME " binary", "82*" SIZE GOODBYE, "82*" SIZE GOODBYE, CHOP}

TEST(test_ws_cases__1_framing)
{
    RUN(SIZED("1.1", "0", 0), SIZED("1.2", "125", 0), SIZED("1.3", "126", 0), SIZED("1.4", "127", 0), SIZED("1.5", "128", 0),
        SIZED("1.6", "65535", 0), SIZED("1.7", "65536", 0), SIZED("1.8", "65536", 997));
}

#define TEN(TOKEN) TOKEN TOKEN TOKEN TOKEN TOKEN TOKEN TOKEN TOKEN TOKEN TOKEN

TEST(test_ws_cases__2_pings)
{
    RUN({"2.1", "89=" GOODBYE, "8a=" GOODBYE, 0}, {"2.2", "89=Hello" GOODBYE, "8a=Hello" GOODBYE, 0},
        {"2.3", "89:00fffefdfcfb00ff" GOODBYE, "8a:00fffefdfcfb00ff" GOODBYE, 0}, {"2.4", "89*125" GOODBYE, "8a*125" GOODBYE, 0},
        {"2.5", "89*126" GOODBYE, WRONG, 0}, {"2.6", "89*125" GOODBYE, "8a*125" GOODBYE, 1}, {"2.7", "8a=" GOODBYE, GOODBYE, 0},
        {"2.8", "8a=unasked" GOODBYE, GOODBYE, 0}, {"2.9", "8a=unasked 89=asked" GOODBYE, "8a=asked" GOODBYE, 0},
        {"2.10", TEN("89=p ") GOODBYE, TEN("8a=p ") GOODBYE, 0}, {"2.11", TEN("89=p ") GOODBYE, TEN("8a=p ") GOODBYE, 1});
}

TEST(test_ws_cases__3_reserved_bits)
{
    RUN({"3.1", "91=Hello", WRONG, 0}, {"3.2", "81=Hello a1=Hello 89=", "81=Hello " WRONG, 0},
        {"3.3", "81=Hello b1=Hello 89=", "81=Hello " WRONG, 0}, {"3.4", "81=Hello c1=Hello 89=", "81=Hello " WRONG, 1},
        {"3.5", "d2=Hello", WRONG, 0}, {"3.6", "e9=Hello", WRONG, 0}, {"3.7", "f8:03e8", WRONG, 0});
}

TEST(test_ws_cases__4_opcodes)
{
    RUN({"4.1.1", "83=", WRONG, 0}, {"4.1.2", "84=reserved", WRONG, 0}, {"4.1.3", "81=Hello 85= 89=", "81=Hello " WRONG, 0},
        {"4.1.4", "81=Hello 86=x 89=", "81=Hello " WRONG, 0}, {"4.1.5", "81=Hello 87=x 89=", "81=Hello " WRONG, 1},
        {"4.2.1", "8b=", WRONG, 0}, {"4.2.2", "8c=reserved", WRONG, 0}, {"4.2.3", "81=Hello 8d= 89=", "81=Hello " WRONG, 0},
        {"4.2.4", "81=Hello 8e=x 89=", "81=Hello " WRONG, 0}, {"4.2.5", "81=Hello 8f=x 89=", "81=Hello " WRONG, 1},
        {"lengths", "!817e007d", WRONG, 0}, {"lengths", "!827f000000000000ffff", WRONG, 1},
        {"lengths", "!827f8000000000000000", WRONG, 0}, {"a mask", "!818000000000", WRONG, 0});
}

TEST(test_ws_cases__5_fragments)
{
    RUN({"5.1", "09=a 80=b", WRONG, 0}, {"5.2", "0a=a 80=b", WRONG, 0}, {"5.3", "01=a 80=b" GOODBYE, "81=ab" GOODBYE, 0},
        {"5.4", "01=a 80=b" GOODBYE, "81=ab" GOODBYE, 1}, {"5.6", "01=a 89=ping 80=b" GOODBYE, "8a=ping 81=ab" GOODBYE, 0},
        {"5.7", "01=a 89=ping 80=b" GOODBYE, "8a=ping 81=ab" GOODBYE, 1}, {"5.9", "80=stray 81=Hello", WRONG, 0},
        {"5.12", "00=stray 81=Hello", WRONG, 0}, {"5.15", "01=a 80=b 00=c 81=d", "81=ab " WRONG, 0},
        {"5.16", "00=a 01=b 80=c", WRONG, 0}, {"5.17", "80=a 01=b 80=c", WRONG, 0}, {"5.18", "01=a 81=b", WRONG, 0},
        {"5.19", "01=a 00=b 89=1 00=c 00=d 89=2 80=e" GOODBYE, "8a=1 8a=2 81=abcde" GOODBYE, 0},
        {"5.20", "02=a 00=b 89=1 00=c 00=d 89=2 80=e" GOODBYE, "8a=1 8a=2 82=abcde" GOODBYE, 1},
        {"empty", "01= 00= 80=" GOODBYE, "81=" GOODBYE, 0}, {"empty", "01= 00=middle 80=" GOODBYE, "81=middle" GOODBYE, 0});
}

/* Text that is UTF-8, and text that is not. */
static const char *const good_text[] = {
    "68656c6c6f24776f726c64", "68656c6c6fc2a2776f726c64", "68656c6c6fe282ac776f726c64", "68656c6c6ff0a4ada2776f726c64",
    "cebae1bdb9cf83cebcceb5", "00", "c280", "e0a080", "f0908080", "7f", "dfbf", "efbfbf", "f48fbfbf", "ed9fbf", "ee8080",
    "efbfbd", "f48fbfbf", "efbfbe", "f09fbfbe", "f3afbfbf",
};
static const char *const bad_text[] = {
    "ce", "cebae1", "cebae1bd", "f888808080", "fc8480808080", "f7bfbfbf", "fbbfbfbfbf", "fdbfbfbfbfbf", "f4908080", "80", "bf",
    "80bf", "80bf80bf80bf", "808182838485868788898a8b8c8d8e8f", "c020c120", "e020e120", "f020f120", "f820", "fc20", "c0", "e080",
    "f08080", "f8808080", "fc80808080", "df", "efbf", "f7bfbf", "fbbfbfbf", "fdbfbfbfbf", "c0e080f08080f8808080", "fe", "ff",
    "fefeffff", "c0af", "e080af", "f08080af", "f8808080af", "fc80808080af", "c1bf", "e09fbf", "f08fbfbf", "f887bfbfbf", "c080",
    "e08080", "f0808080", "eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf", "eda080edb080", "edadbfedbfbf",
    "cebae1bdb9cf83cebcceb5eda080656469746564", "cebae1bdb9cf83cebcceb5f4908080656469746564",
};

TEST(test_ws_cases__6_utf8)
{
    static struct vector vectors[2 * (COUNT(good_text) + COUNT(bad_text))];
    static char texts[COUNT(vectors)][512], answers[COUNT(vectors)][128];
    int count = 0;
    size_t at;
    const char *byte;
    for (at = 0; at < COUNT(good_text) + COUNT(bad_text); at++) {
        int good = at < COUNT(good_text), split;
        const char *hex = good ? good_text[at] : bad_text[at - COUNT(good_text)];
        for (split = 0; split < 2; split++, count++) {
            char *text = texts[count];
            vectors[count].name = hex;
            vectors[count].said = text;
            vectors[count].heard = good ? answers[count] : NO_TEXT;
            sprintf(answers[count], "81:%s" GOODBYE, hex);
            if (!split) {
                sprintf(text, "81:%s" GOODBYE, hex);
                continue;
            }
            /* Each byte is a fragment, and each byte of those is sent alone. */
            vectors[count].chop = 1;
            text += sprintf(text, "01:");
            for (byte = hex; *byte; byte += 2)
                text += sprintf(text, " 00:%.2s", byte);
            sprintf(text, " 80:" GOODBYE);
        }
    }
    run(vectors, count);
    RUN({"6.4.1", "01:cebae1bdb9cf83cebcceb5 00:f4908080 80:656469746564", NO_TEXT, 0},
        {"6.4.3", "81:cebae1bdb9cf83cebcceb5f4908080656469746564", NO_TEXT, 3}, {"binary is not text", "82:fffe" GOODBYE, "82:fffe" GOODBYE, 0},
        {"a ping is not text", "01:ce 89:ff 80:ba" GOODBYE, "8a:ff 81:ceba" GOODBYE, 0});
}

TEST(test_ws_cases__7_close)
{
    RUN({"7.1.1", "81=Hello" GOODBYE, "81=Hello" GOODBYE, 0}, {"7.1.2", "88:03e8 88:03e8", GOODBYE, 0},
        {"7.1.3", "88:03e8 89=", GOODBYE, 0}, {"7.1.4", "88:03e8 81=late", GOODBYE, 0}, {"7.1.5", "01=a 88:03e8 80=b", GOODBYE, 0},
        {"7.3.1", "88:", GOODBYE, 0}, {"7.3.2", "88:61", WRONG, 0}, {"7.3.3", "88:03e8", GOODBYE, 0},
        {"7.3.4", "88:03e848656c6c6f", GOODBYE, 0}, {"7.3.6", "88*126", WRONG, 0},
        {"7.5.1", "88:03e8cebae1bdb9cf83cebcceb5eda080", NO_TEXT, 0}, {"7.7.1", "88:03e8", GOODBYE, 0}, {"7.7.2", "88:03e9", GOODBYE, 0},
        {"7.7.3", "88:03ea", GOODBYE, 0}, {"7.7.4", "88:03eb", GOODBYE, 0}, {"7.7.5", "88:03ef", GOODBYE, 0},
        {"7.7.6", "88:03f0", GOODBYE, 0}, {"7.7.7", "88:03f1", GOODBYE, 0}, {"7.7.8", "88:03f2", GOODBYE, 0},
        {"7.7.9", "88:03f3", GOODBYE, 0}, {"7.7.10", "88:0bb8", GOODBYE, 0}, {"7.7.11", "88:0f9f", GOODBYE, 0},
        {"7.7.12", "88:0fa0", GOODBYE, 0}, {"7.7.13", "88:1387", GOODBYE, 0}, {"7.9.1", "88:0000", WRONG, 0},
        {"7.9.2", "88:03e7", WRONG, 0}, {"7.9.3", "88:03ec", WRONG, 0}, {"7.9.4", "88:03ed", WRONG, 0}, {"7.9.5", "88:03ee", WRONG, 0},
        {"7.9.6", "88:03f8", WRONG, 0}, {"7.9.7", "88:044c", WRONG, 0}, {"7.9.8", "88:07d0", WRONG, 0}, {"7.9.9", "88:0bb7", WRONG, 0},
        {"7.13.1", "88:1388", WRONG, 0}, {"7.13.2", "88:ffff", WRONG, 0});
}

TEST(test_ws_cases__9_large_messages)
{
    RUN(SIZED("9.1", "262144", 0), SIZED("9.2", "1048576", 0), SIZED("9.3", "4194304", 0), SIZED("9.5", "262144", 1024),
        SIZED("9.6", "1048576", 4096), {"9.4", "02*1000000 00*1000000 80*1000000" GOODBYE, "82*3000000" GOODBYE, 0},
        {"9.7", TEN("01*0 80*1 ") GOODBYE, TEN("81*1 ") GOODBYE, 0}, {"9.8", TEN("82*16384 ") GOODBYE, TEN("82*16384 ") GOODBYE, 0});
}

TEST(test_ws_cases__10_many_fragments)
{
    static char said[8192];
    char *end = said;
    int at;
    struct vector vector = {"10.1", said, "81*130000" GOODBYE, 0};
    end += sprintf(end, "01*1300");
    for (at = 0; at < 98; at++)
        end += sprintf(end, " 00*1300");
    sprintf(end, " 80*1300" GOODBYE);
    run(&vector, 1);
}

#ifdef NTHTTP_OPTION_WEB_SOCKET_DEFLATE
/* Data that compress well, and data that do not. */
static void make_data(char *data, DWORD size, int seed)
{
    static const char word[] = "the quick brown fox jumps over the lazy dog ";
    uint32_t random = (uint32_t)seed * 2654435761u + 1;
    DWORD at;
    for (at = 0; at < size; at++) {
        random = random * 1664525 + 1013904223;
        data[at] = seed % 2 ? word[(at + (DWORD)seed) % (sizeof(word) - 1)] : (char)(random >> 24);
    }
}

/* Messages of many sizes go out compressed, come back as they went, and are what they were. */
static void reflect(const char *extensions, DWORD option)
{
    static const DWORD sizes[] = {0, 1, 16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072};
    static char data[131072], back[131072];
    struct stage it = {0};
    struct trio handles;
    HINTERNET ws;
    size_t at;
    int round;
    it.extensions = extensions;
    stage_open(&it, mirror);
    trio_open(&handles, it.port, NULL, NULL, 0);
    CHECK_WORKS(WinHttpSetOption(handles.request, NTHTTP_OPTION_WEB_SOCKET_DEFLATE, &option, sizeof(option)));
    REQUIRE(ws_ask(handles.request));
    ws = WinHttpWebSocketCompleteUpgrade(handles.request, 0);
    REQUIRE(ws != NULL);
    for (at = 0; at < COUNT(sizes); at++)
        for (round = 0; round < 4; round++) {
            DWORD half = sizes[at] / 2, got;
            make_data(data, sizes[at], (int)at + round);
            if (round == 3) {
                CHECK_EQ(WinHttpWebSocketSend(ws, BINARY_PART, data, half), 0);
                CHECK_EQ(WinHttpWebSocketSend(ws, BINARY_PART, NULL, 0), 0);
                CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, data + half, sizes[at] - half), 0);
            } else
                CHECK_EQ(WinHttpWebSocketSend(ws, BINARY, data, sizes[at]), 0);
            if (!CHECK_EQ(ws_message(ws, back, sizeof(back), &got), BINARY) || !CHECK_EQ(got, sizes[at]) ||
                !CHECK(memcmp(data, back, got) == 0))
                break;
        }
    CHECK_EQ(WinHttpWebSocketClose(ws, 1000, NULL, 0), 0);
    CHECK(WinHttpCloseHandle(ws));
    trio_close(&handles);
    stage_close(&it);
}

TEST(test_ws_cases__12_13_compression)
{
    reflect("permessage-deflate", NTHTTP_WEB_SOCKET_DEFLATE_ON);
    reflect("permessage-deflate; client_no_context_takeover; server_no_context_takeover", NTHTTP_WEB_SOCKET_DEFLATE_ON);
    reflect("permessage-deflate; client_no_context_takeover; server_no_context_takeover",
            NTHTTP_WEB_SOCKET_DEFLATE_ON | NTHTTP_WEB_SOCKET_DEFLATE_CLIENT_NO_CONTEXT | NTHTTP_WEB_SOCKET_DEFLATE_SERVER_NO_CONTEXT);
    reflect("permessage-deflate; client_max_window_bits=9; server_max_window_bits=9", NTHTTP_WEB_SOCKET_DEFLATE_ON);
    reflect("permessage-deflate; client_max_window_bits=8; server_max_window_bits=8", NTHTTP_WEB_SOCKET_DEFLATE_ON);
    reflect("permessage-deflate; client_max_window_bits=12; server_max_window_bits=12",
            NTHTTP_WEB_SOCKET_DEFLATE_ON | 12 * NTHTTP_WEB_SOCKET_DEFLATE_CLIENT_BITS | 12 * NTHTTP_WEB_SOCKET_DEFLATE_SERVER_BITS);
    /* The server may do without. */
    reflect(NULL, NTHTTP_WEB_SOCKET_DEFLATE_ON);
}

TEST(test_ws_cases__12_13_offers)
{
    struct trio it;
    DWORD value = 7, size = sizeof(value), at;
    static const DWORD bad[] = {2, 8, NTHTTP_WEB_SOCKET_DEFLATE_ON | 8 * NTHTTP_WEB_SOCKET_DEFLATE_CLIENT_BITS,
                                NTHTTP_WEB_SOCKET_DEFLATE_ON | 16 * NTHTTP_WEB_SOCKET_DEFLATE_SERVER_BITS, 0x01000001};
    static const struct play play = {
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"
        "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
        /* The example of RFC 7692, twice, the second time with the memory of the first; a compressed control frame. */
        {SAY("\xC1\x07\xF2\x48\xCD\xC9\xC9\x07\x00\xC1\x05\xF2\x00\x11\x00\x00\xC9\x00"), HEAR(0x88, "\x03\xEA"), END},
        3};
    struct ws_server server;
    HINTERNET ws;
    ws_start(&server, &play, 1);
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK_WORKS(WinHttpQueryOption(it.session, NTHTTP_OPTION_WEB_SOCKET_DEFLATE, &value, &size));
    CHECK_EQ(value, 0);
    for (at = 0; at < COUNT(bad); at++) {
        value = bad[at];
        CHECK_FAILS(WinHttpSetOption(it.request, NTHTTP_OPTION_WEB_SOCKET_DEFLATE, &value, sizeof(value)), ERROR_INVALID_PARAMETER);
    }
    value = NTHTTP_WEB_SOCKET_DEFLATE_ON;
    CHECK_FAILS(WinHttpSetOption(it.connect, NTHTTP_OPTION_WEB_SOCKET_DEFLATE, &value, sizeof(value)), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpSetOption(it.request, NTHTTP_OPTION_WEB_SOCKET_DEFLATE, &value, 2), ERROR_INSUFFICIENT_BUFFER);
    CHECK_WORKS(WinHttpSetOption(it.request, NTHTTP_OPTION_WEB_SOCKET_DEFLATE, &value, sizeof(value)));
    CHECK_WORKS(ws_ask(it.request));
    CHECK_HAS(server.request, "\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n");
    ws = WinHttpWebSocketCompleteUpgrade(it.request, 0);
    CHECK_FAILS(WinHttpSetOption(ws, NTHTTP_OPTION_WEB_SOCKET_DEFLATE, &value, sizeof(value)), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_MESSAGE(ws, TEXT_ALL, "Hello");
    CHECK_MESSAGE(ws, TEXT_ALL, "Hello");
    {
        char byte;
        CHECK_EQ(WinHttpWebSocketReceive(ws, &byte, 1, &size, NULL), ERROR_WINHTTP_INVALID_SERVER_RESPONSE);
    }
    CHECK(WinHttpCloseHandle(ws));
    trio_close(&it);
    ws_end(&server);
}
#endif

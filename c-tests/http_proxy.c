/* The PROXY protocol at a listener of its own: headers made by hand, whole and in pieces, and who may send them.
 * gate: not-mingw (an addition of this library) */
#include "http_log_files.h"

static struct reply reply;
static char config_file[64];

/* A head may take a second and no longer; read when the first port opens. */
__attribute__((constructor)) static void choose_times(void)
{
    static char file[] = "/tmp/nthttp-proxy-XXXXXX";
    static const char text[] = "{\"timeouts\": {\"header_wait\": 1}}";
    extern int mkstemp(char *);
    int out = mkstemp(file);
    if (out < 0 || write(out, text, sizeof(text) - 1) < 0 || close(out) != 0 || setenv("NTHTTP_CONFIG", file, 1) != 0)
        abort();
    strcpy(config_file, file);
}

__attribute__((destructor)) static void remove_times(void)
{
    remove(config_file);
}

struct proxied {
    struct server server;
    int port;
};

static ULONG listen_at(const struct proxied *it, const char *where, NTHTTP_PROXY_PROTOCOL protocol, const char *trusted)
{
    NTHTTP_LISTEN_INFO info;
    memset(&info, 0, sizeof(info));
    info.Flags.Present = 1;
    info.Address = where;
    info.ProxyProtocol = protocol;
    info.TrustedProxies = trusted;
    info.Port = (USHORT)it->server.port;
    return HttpSetUrlGroupProperty(it->server.group, NTHTTP_SERVER_LISTEN_PROPERTY, &info, sizeof(info));
}

static void open_proxied(struct proxied *it, NTHTTP_PROXY_PROTOCOL protocol, const char *trusted)
{
    char text[64];
    server_open(&it->server);
    snprintf(text, sizeof(text), "127.0.0.1:%d", it->port = free_port());
    REQUIRE(listen_at(it, text, protocol, trusted) == NO_ERROR);
}

static void ask(int client)
{
    client_text(client, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

/* "address port", of IPv4 or IPv6. */
static const char *shown(const SOCKADDR *address)
{
    static char texts[4][80];
    static int turn;
    char ip[64];
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
    char *out = texts[turn = (turn + 1) % 4];
    if (v4->sin_family == AF_INET)
        inet_ntop(AF_INET, &v4->sin_addr, ip, sizeof(ip));
    else
        inet_ntop(AF_INET6, &v6->sin6_addr, ip, sizeof(ip));
    snprintf(out, sizeof(texts[0]), "%s %d", ip, ntohs(v4->sin_family == AF_INET ? v4->sin_port : v6->sin6_port));
    return out;
}

#define CHECK_ADDRESS(GOT, WANTED) CHECK_BYTES(shown(GOT), strlen(shown(GOT)), WANTED)

/* Takes the request, checks who is told, and answers. */
static void serve(const struct proxied *it, int client, const char *remote, const char *local)
{
    HTTP_REQUEST *request = receive(&it->server);
    if (remote)
        CHECK_ADDRESS(request->Address.pRemoteAddress, remote);
    if (local)
        CHECK_ADDRESS(request->Address.pLocalAddress, local);
    CHECK_EQ(answer(&it->server, request->RequestId, "ok"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    CHECK_EQ(reply.status, 200);
}

/* The client's own end, as it is shown. */
static const char *own(int client)
{
    static struct sockaddr_in address;
    socklen_t size = sizeof(address);
    REQUIRE(getsockname(client, (struct sockaddr *)&address, &size) == 0);
    return shown((const SOCKADDR *)(const void *)&address);
}

/* A version 2 header; its size. */
static size_t version2(unsigned char *out, int command, int family, const void *rest, size_t size)
{
    memcpy(out, "\r\n\r\n\0\r\nQUIT\n", 12);
    out[12] = (unsigned char)command;
    out[13] = (unsigned char)family;
    out[14] = (unsigned char)(size >> 8);
    out[15] = (unsigned char)size;
    memcpy(out + 16, rest, size);
    return 16 + size;
}

static const unsigned char v4_ends[12] = {192, 0, 2, 1, 198, 51, 100, 2, 0xDC, 0x04, 0x1F, 0x90};

/* Sends a header and a request in pieces of `piece` bytes. */
static void send_in_pieces(int client, const void *bytes, size_t size, size_t piece)
{
    const char *at = bytes;
    while (size > 0) {
        size_t now = size < piece ? size : piece;
        client_send(client, at, now);
        at += now;
        size -= now;
    }
}

/* The connection is closed and nothing was answered. */
static void check_closed(int client)
{
    client_all(client, &reply);
    CHECK(reply.closed);
    CHECK_EQ(reply.size, 0);
    close(client);
}

TEST(test_proxy__version_1)
{
    struct proxied it;
    int client;
    open_proxied(&it, NthttpProxyProtocolRequired, NULL);
    client = client_connect(it.port);
    client_text(client, "PROXY TCP4 192.0.2.1 198.51.100.2 56324 8080\r\n");
    ask(client);
    serve(&it, client, "192.0.2.1 56324", "198.51.100.2 8080");
    /* It holds for the connection, not for one request. */
    ask(client);
    serve(&it, client, "192.0.2.1 56324", "198.51.100.2 8080");
    close(client);
    client = client_connect(it.port);
    client_text(client, "PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n");
    ask(client);
    serve(&it, client, "2001:db8::1 1", "2001:db8::2 65535");
    close(client);
    client = client_connect(it.port);
    client_text(client, "PROXY UNKNOWN\r\n");
    ask(client);
    serve(&it, client, own(client), NULL);
    close(client);
    server_close(&it.server);
}

TEST(test_proxy__version_2)
{
    struct proxied it;
    unsigned char header[512], rest[256] = {0};
    size_t size;
    int client;
    open_proxied(&it, NthttpProxyProtocolRequired, NULL);
    client = client_connect(it.port);
    size = version2(header, 0x21, 0x11, v4_ends, sizeof(v4_ends));
    client_send(client, header, size);
    ask(client);
    serve(&it, client, "192.0.2.1 56324", "198.51.100.2 8080");
    close(client);

    rest[15] = 1, rest[31] = 2, rest[33] = 7, rest[35] = 80;
    client = client_connect(it.port);
    size = version2(header, 0x21, 0x21, rest, 36);
    client_send(client, header, size);
    ask(client);
    serve(&it, client, "::1 7", "::2 80");
    close(client);

    /* LOCAL, with anything behind it; then a Unix socket's names. */
    client = client_connect(it.port);
    size = version2(header, 0x20, 0x00, "anything", 8);
    client_send(client, header, size);
    ask(client);
    serve(&it, client, own(client), NULL);
    close(client);
    client = client_connect(it.port);
    size = version2(header, 0x21, 0x31, rest, 216);
    client_send(client, header, size);
    ask(client);
    serve(&it, client, own(client), NULL);
    close(client);

    /* Entries behind the addresses are passed over. */
    memcpy(rest, v4_ends, 12);
    memcpy(rest + 12, "\x02\0\x03www\xE0\0\0", 9);
    client = client_connect(it.port);
    size = version2(header, 0x21, 0x11, rest, 21);
    client_send(client, header, size);
    ask(client);
    serve(&it, client, "192.0.2.1 56324", "198.51.100.2 8080");
    close(client);
    server_close(&it.server);
}

TEST(test_proxy__in_pieces)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct proxied it;
    unsigned char bytes[512];
    size_t size;
    int client;
    open_proxied(&it, NthttpProxyProtocolOptional, NULL);
    for (size_t piece = 1; piece < 8; piece += 3) {
        client = client_connect(it.port);
        size = version2(bytes, 0x21, 0x11, v4_ends, sizeof(v4_ends));
        memcpy(bytes + size, request, sizeof(request) - 1);
        send_in_pieces(client, bytes, size + sizeof(request) - 1, piece);
        serve(&it, client, "192.0.2.1 56324", "198.51.100.2 8080");
        close(client);
        client = client_connect(it.port);
        snprintf((char *)bytes, sizeof(bytes), "PROXY TCP4 192.0.2.9 198.51.100.2 5 6\r\n%s", request);
        send_in_pieces(client, bytes, strlen((char *)bytes), piece);
        serve(&it, client, "192.0.2.9 5", "198.51.100.2 6");
        close(client);
    }
    server_close(&it.server);
}

TEST(test_proxy__required_and_missing_or_malformed)
{
    static const char *const wrong[] = {
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 56324 99999\r\n",
        "PROXY TCP9 192.0.2.1 198.51.100.2 56324 80\r\n",
        "PROXY UNKNOWN 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
    };
    struct proxied it;
    unsigned char header[8192], rest[4200] = {0};
    size_t size, at;
    int client;
    open_proxied(&it, NthttpProxyProtocolRequired, NULL);
    for (at = 0; at < sizeof(wrong) / sizeof(*wrong); at++) {
        client = client_connect(it.port);
        client_text(client, "%s", wrong[at]);
        check_closed(client);
    }
    for (at = 0; at < 6; at++) {
        memset(rest, 0, sizeof(rest));
        memcpy(rest, v4_ends, 12);
        switch (at) {
        case 0: size = version2(header, 0x31, 0x11, rest, 12); break;
        case 1: size = version2(header, 0x22, 0x11, rest, 12); break;
        case 2: size = version2(header, 0x21, 0x11, rest, 11); break;
        case 3: size = version2(header, 0x21, 0x51, rest, 12); break;
        case 4: size = version2(header, 0x21, 0x11, rest, 4097); break;
        default:
            /* A checksum that is wrong. */
            memcpy(rest + 12, "\x03\0\x04\1\2\3\4", 7);
            size = version2(header, 0x21, 0x11, rest, 19);
        }
        client = client_connect(it.port);
        client_send(client, header, size);
        check_closed(client);
    }
    /* The port itself expects none. */
    client = client_get(&it.server, "/");
    serve(&it, client, own(client), NULL);
    close(client);
    server_close(&it.server);
}

TEST(test_proxy__optional)
{
    struct proxied it;
    int client;
    open_proxied(&it, NthttpProxyProtocolOptional, NULL);
    client = client_connect(it.port);
    ask(client);
    serve(&it, client, own(client), NULL);
    close(client);
    client = client_connect(it.port);
    client_text(client, "PROXY TCP4 192.0.2.1 198.51.100.2 56324 8080\r\n");
    ask(client);
    serve(&it, client, "192.0.2.1 56324", "198.51.100.2 8080");
    close(client);
    client = client_connect(it.port);
    client_text(client, "PROXY TCP4 nonsense\r\n");
    check_closed(client);
    server_close(&it.server);
}

TEST(test_proxy__whose_word_is_taken)
{
    struct proxied it;
    char text[64];
    int client, port;
    open_proxied(&it, NthttpProxyProtocolRequired, "10.0.0.0/8, 127.0.0.0/8, ::1");
    client = client_connect(it.port);
    client_text(client, "PROXY TCP4 192.0.2.1 198.51.100.2 56324 8080\r\n");
    ask(client);
    serve(&it, client, "192.0.2.1 56324", NULL);
    close(client);
    snprintf(text, sizeof(text), "127.0.0.1:%d", port = free_port());
    REQUIRE(listen_at(&it, text, NthttpProxyProtocolRequired, "10.0.0.0/8") == NO_ERROR);
    client = client_connect(port);
    check_closed(client);
    /* From anybody else it is a request, and no good one. */
    snprintf(text, sizeof(text), "127.0.0.1:%d", port = free_port());
    REQUIRE(listen_at(&it, text, NthttpProxyProtocolOptional, "10.0.0.0/8") == NO_ERROR);
    client = client_connect(port);
    ask(client);
    serve(&it, client, own(client), NULL);
    client_text(client, "PROXY TCP4 192.0.2.1 198.51.100.2 56324 8080\r\n\r\n");
    REQUIRE(client_response(client, &reply, 0));
    CHECK_EQ(reply.status, 400);
    close(client);
    server_close(&it.server);
}

/* Behind a prefix with an address, the address that was told decides. */
TEST(test_proxy__routing_by_the_address_told)
{
    struct proxied it;
    HTTP_REQUEST *request;
    int client;
    open_proxied(&it, NthttpProxyProtocolRequired, NULL);
    CHECK_EQ(HttpAddUrlToUrlGroup(it.server.group, wide("http://198.51.100.2:%d/", it.server.port), 9, 0), NO_ERROR);
    client = client_connect(it.port);
    client_text(client, "PROXY TCP4 192.0.2.1 198.51.100.2 56324 8080\r\nGET / HTTP/1.1\r\nHost: unknown.example\r\n\r\n");
    request = receive(&it.server);
    CHECK_EQ(request->UrlContext, 9);
    CHECK_EQ(request->Flags & HTTP_REQUEST_FLAG_IP_ROUTED, HTTP_REQUEST_FLAG_IP_ROUTED);
    CHECK_EQ(answer(&it.server, request->RequestId, "ok"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    close(client);
    server_close(&it.server);
}

/* Half a header and no more: the time for heads, which began with it, runs out. Also when the header is whole and the head is
 * not: both together have that time. */
TEST(test_proxy__a_header_that_does_not_come)
{
    static const char *const halves[] = {"PROXY TCP4 192.0.2.1", "\r\n\r\n", "PROXY UNKNOWN\r\nGET / HT"};
    struct proxied it;
    size_t at;
    int client;
    open_proxied(&it, NthttpProxyProtocolRequired, NULL);
    for (at = 0; at < sizeof(halves) / sizeof(*halves); at++) {
        client = client_connect(it.port);
        client_text(client, "%s", halves[at]);
        check_closed(client);
    }
    CHECK_HAS(log_await("HTTPERR", "httperr1.log", "Timer_HeaderWait"), "Timer_HeaderWait");
    /* And the client may leave at any time. */
    client = client_connect(it.port);
    shutdown(client, SHUT_WR);
    check_closed(client);
    client = client_connect(it.port);
    client_text(client, "PROXY TCP4 192.0.2.1");
    shutdown(client, SHUT_WR);
    check_closed(client);
    server_close(&it.server);
}

TEST(test_proxy__logs)
{
    struct proxied it;
    char text[64];
    int client, port;
    open_proxied(&it, NthttpProxyProtocolRequired, NULL);
    client = client_connect(it.port);
    client_text(client, "PROXY TCP4 192.0.2.77 198.51.100.2 7777 8080\r\nGET / HTTP/1.1\r\nHost: unknown.example\r\n\r\n");
    CHECK(client_response(client, &reply, 0));
    CHECK_EQ(reply.status, 400);
    close(client);
    CHECK_HAS(log_await("HTTPERR", "httperr1.log", "192.0.2.77 7777 198.51.100.2 8080"), " Hostname ");
    client = client_connect(it.port);
    ask(client);
    check_closed(client);
    CHECK_HAS(log_await("HTTPERR", "httperr1.log", "ProxyProtocol_Missing"), "127.0.0.1 ");
    client = client_connect(it.port);
    client_text(client, "PROXY \r\n");
    check_closed(client);
    CHECK_HAS(log_await("HTTPERR", "httperr1.log", "ProxyProtocol_Malformed"), "ProxyProtocol_Malformed");
    snprintf(text, sizeof(text), "127.0.0.1:%d", port = free_port());
    REQUIRE(listen_at(&it, text, NthttpProxyProtocolRequired, "10.0.0.0/8") == NO_ERROR);
    client = client_connect(port);
    check_closed(client);
    CHECK_HAS(log_await("HTTPERR", "httperr1.log", "ProxyProtocol_Untrusted"), "ProxyProtocol_Untrusted");
    server_close(&it.server);
}

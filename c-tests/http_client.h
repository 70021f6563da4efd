/* A client made of plain sockets, so that the tests see every byte: connect, send, read one response or all there is.
 * Every wait ends after ten seconds; loopback only. */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
#define poll WSAPoll
#define close closesocket
#define SHUT_WR SD_SEND
#else
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#endif
#include "harness.h"

#define CLIENT_PATIENCE 10000

/* One response, NUL behind it. */
struct reply {
    char text[256 * 1024];
    size_t size;
    /* Bytes of the head with its empty line. */
    size_t head;
    int status;
    char *body;
    size_t body_size;
    /* The server closed the connection (or reset it) before or behind this. */
    int closed, reset;
};

static int client_address(struct sockaddr_in *address, int port)
{
    memset(address, 0, sizeof(*address));
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address->sin_port = htons((unsigned short)port);
    return (int)sizeof(*address);
}

/* Listens on loopback, at a port of the system's choice. */
__attribute__((unused)) static int loopback_listener(int *port, int backlog)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    int it = (int)socket(AF_INET, SOCK_STREAM, 0);
    client_address(&address, 0);
    REQUIRE(bind(it, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(it, backlog) == 0);
    REQUIRE(getsockname(it, (struct sockaddr *)&address, &size) == 0);
    *port = ntohs(address.sin_port);
    return it;
}

/* A port nobody has just now, nor gets for a connection of his: those that the system hands out lie higher. */
__attribute__((unused)) static int free_port(void)
{
    static unsigned dice;
    struct sockaddr_in address;
    int it, free = 0, port = 0;
    if (dice == 0)
        dice = (unsigned)((uintptr_t)&address >> 4) * 2654435761u; /* every process has its stack elsewhere */
    while (!free) {
        dice = dice * 1664525u + 1013904223u;
        port = 10000 + (int)(dice >> 8) % 22000;
        it = (int)socket(AF_INET, SOCK_STREAM, 0);
        client_address(&address, port);
        address.sin_addr.s_addr = htonl(INADDR_ANY);
        free = bind(it, (struct sockaddr *)&address, sizeof(address)) == 0;
        close(it);
    }
    return port;
}

/* A socket of ours listening on a port, as another program would. */
__attribute__((unused)) static int foreign_listener(int *port)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    int it = (int)socket(AF_INET, SOCK_STREAM, 0);
    client_address(&address, 0);
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    REQUIRE(bind(it, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(it, 1) == 0);
    REQUIRE(getsockname(it, (struct sockaddr *)&address, &size) == 0);
    *port = ntohs(address.sin_port);
    return it;
}

__attribute__((unused)) static int client_connect(int port)
{
    struct sockaddr_in address;
    int it = (int)socket(AF_INET, SOCK_STREAM, 0), one = 1;
    client_address(&address, port);
    REQUIRE(connect(it, (struct sockaddr *)&address, sizeof(address)) == 0);
    setsockopt(it, IPPROTO_TCP, TCP_NODELAY, (const char *)&one, sizeof(one));
    return it;
}

__attribute__((unused)) static void client_send(int it, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
#ifdef _WIN32
        long sent = send(it, at, (int)size, 0);
#else
        long sent = send(it, at, size, MSG_NOSIGNAL);
#endif
        if (sent <= 0)
            return;
        at += sent;
        size -= (size_t)sent;
    }
}

/* Sends text made like printf's; {port} is not replaced, so give the port as an argument. */
__attribute__((unused, format(printf, 2, 3))) static void client_text(int it, const char *format, ...)
{
    char text[64 * 1024];
    va_list arguments;
    int size;
    va_start(arguments, format);
    size = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    client_send(it, text, (size_t)size);
}

__attribute__((unused)) static int client_readable(int it, int milliseconds)
{
    struct pollfd waiting;
    waiting.fd = it;
    waiting.events = POLLIN;
    waiting.revents = 0;
    return poll(&waiting, 1, milliseconds) > 0;
}

/* Reads what there is; false at the end. */
__attribute__((unused)) static int client_more(int it, struct reply *reply)
{
    long got;
    if (reply->closed || reply->size + 1 >= sizeof(reply->text) || !client_readable(it, CLIENT_PATIENCE))
        return 0;
    got = recv(it, reply->text + reply->size, sizeof(reply->text) - reply->size - 1, 0);
    if (got <= 0) {
        reply->closed = 1;
        reply->reset = got < 0;
        return 0;
    }
    reply->size += (size_t)got;
    reply->text[reply->size] = 0;
    return 1;
}

/* The value of a field in a head, in a buffer of its own; NULL if there is none. */
__attribute__((unused)) static const char *reply_field(const struct reply *reply, const char *name)
{
    static char values[4][1024];
    static int turn;
    const char *line = strstr(reply->text, "\r\n");
    size_t length = strlen(name);
    while (line && (size_t)(line - reply->text) + 2 < reply->head) {
        const char *end = strstr(line + 2, "\r\n");
#ifdef _WIN32
        int same = _strnicmp(line + 2, name, length) == 0;
#else
        extern int strncasecmp(const char *, const char *, size_t);
        int same = strncasecmp(line + 2, name, length) == 0;
#endif
        if (end && same && line[2 + length] == ':') {
            const char *value = line + 3 + length;
            char *out = values[turn = (turn + 1) % 4];
            while (*value == ' ')
                value++;
            snprintf(out, sizeof(values[0]), "%.*s", (int)(end - value), value);
            return out;
        }
        line = end;
    }
    return NULL;
}

static void reply_clear(struct reply *reply)
{
    reply->size = reply->head = reply->body_size = 0;
    reply->status = reply->closed = reply->reset = 0;
    reply->text[0] = 0;
    reply->body = reply->text;
}

static int reply_parse(struct reply *reply)
{
    char *end = strstr(reply->text, "\r\n\r\n");
    if (!end)
        return 0;
    reply->head = (size_t)(end - reply->text) + 4;
    reply->body = reply->text + reply->head;
    if (reply->size < 12 || memcmp(reply->text, "HTTP/1.1 ", 9) != 0)
        return 0;
    reply->status = atoi(reply->text + 9);
    return 1;
}

/* Reads one response: its head, and as much body as Content-Length says (none with `headless`). False if the
 * connection ended before. */
__attribute__((unused)) static int client_response(int it, struct reply *reply, int headless)
{
    const char *length;
    size_t wanted;
    reply_clear(reply);
    while (!reply_parse(reply))
        if (!client_more(it, reply))
            return 0;
    length = reply_field(reply, "Content-Length");
    wanted = headless || !length ? 0 : (size_t)atol(length);
    while (reply->size < reply->head + wanted)
        if (!client_more(it, reply))
            return 0;
    reply->body_size = wanted;
    return 1;
}

/* Reads until the server closes; parses the first response in it. */
__attribute__((unused)) static void client_all(int it, struct reply *reply)
{
    reply_clear(reply);
    while (client_more(it, reply))
        ;
    if (reply_parse(reply))
        reply->body_size = reply->size - reply->head;
}

/* Reads exactly `size` bytes of whatever comes. */
__attribute__((unused)) static int client_bytes(int it, struct reply *reply, size_t size)
{
    reply_clear(reply);
    while (reply->size < size)
        if (!client_more(it, reply))
            return 0;
    return 1;
}

/* Closes so that the server sees a reset. */
__attribute__((unused)) static void client_reset(int it)
{
    struct linger now = {1, 0};
    setsockopt(it, SOL_SOCKET, SO_LINGER, (const char *)&now, sizeof(now));
    close(it);
}

#endif

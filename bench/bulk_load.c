/* The load for large bodies: one keep-alive connection on one thread, blocking, one request after the other.
 *
 *   bulk_load PORT down PATH BODY_BYTES COUNT      GETs PATH COUNT times and throws the bodies away, unread by us
 *   bulk_load PORT up PATH BODY_BYTES COUNT        POSTs a body of that size COUNT times
 *
 * Prints one line of JSON: body bytes moved and seconds. Any surprise ends it with status 1.
 * Build: gcc -O2 -o bulk_load bulk_load.c */
#define _GNU_SOURCE
#include "common.h"

#define PIECE (256 * 1024)

static char piece[PIECE];

static void send_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
        if (sent <= 0)
            give_up("send");
        bytes += sent;
        length -= (size_t)sent;
    }
}

/* Reads one response head; returns its Content-Length, and in `*extra` how much of the body came with it. */
static long long read_head(int fd, long long *extra)
{
    size_t held = 0;
    for (;;) {
        ssize_t got = recv(fd, piece + held, 4096 - held, 0);
        if (got <= 0)
            give_up("recv");
        held += (size_t)got;
        const char *end = memmem(piece, held, "\r\n\r\n", 4);
        if (end == NULL)
            continue;
        const char *field = memmem(piece, (size_t)(end - piece), "\r\nContent-Length: ", 18);
        if (memcmp(piece, "HTTP/1.1 200", 12) != 0 || field == NULL) {
            fprintf(stderr, "bulk_load: not a 200 with a length: %.60s\n", piece);
            exit(1);
        }
        *extra = (long long)(held - (size_t)(end + 4 - piece));
        return atoll(field + 18);
    }
}

static void skip_body(int fd, long long left)
{
    while (left > 0) {
        /* The kernel drops the bytes: what is measured is the server. */
        ssize_t got = recv(fd, piece, left < PIECE ? (size_t)left : PIECE, MSG_TRUNC);
        if (got <= 0)
            give_up("recv");
        left -= got;
    }
}

static void down(int fd, const char *path, long long expected)
{
    char request[512];
    long long extra, length;
    int n = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path);
    send_all(fd, request, (size_t)n);
    length = read_head(fd, &extra);
    if (length != expected) {
        fprintf(stderr, "bulk_load: %lld bytes instead of %lld\n", length, expected);
        exit(1);
    }
    skip_body(fd, length - extra);
}

static void up(int fd, const char *path, long long length)
{
    char request[512];
    long long extra, left, answer;
    int n = snprintf(request, sizeof(request), "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %lld\r\n\r\n", path,
                     length);
    send_all(fd, request, (size_t)n);
    for (left = length; left > 0; left -= PIECE)
        send_all(fd, piece, left < PIECE ? (size_t)left : PIECE);
    answer = read_head(fd, &extra);
    skip_body(fd, answer - extra);
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: bulk_load PORT down|up PATH BODY_BYTES COUNT\n");
        return 2;
    }
    int fd = connect_to(atoi(argv[1]));
    long long length = atoll(argv[4]);
    long count = atol(argv[5]);
    double started = seconds_now();
    for (long i = 0; i < count; i++)
        (argv[2][0] == 'd' ? down : up)(fd, argv[3], length);
    printf("{\"bytes\": %lld, \"seconds\": %.6f}\n", length * count, seconds_now() - started);
    return 0;
}

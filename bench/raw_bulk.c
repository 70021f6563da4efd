/* The limit for bodies in memory and for uploads: the least a server in C can do, one connection at a time, blocking.
 *
 *   raw_bulk PORT BODY_BYTES
 *
 * GET: sends BODY_BYTES from memory, head and body in one sendmsg as far as the socket takes them. POST: reads
 * Content-Length bytes into a buffer of 128 KiB and answers 200 with no body.
 * Build: gcc -O2 -o raw_bulk raw_bulk.c */
#define _GNU_SOURCE
#include "common.h"
#include <sys/uio.h>

static char buffer[128 * 1024];

static void answer(int fd, const char *body, size_t length)
{
    char head[256];
    int n = snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nServer: Microsoft-HTTPAPI/2.0\r\nContent-Length: %zu\r\n\r\n",
                     length);
    struct iovec parts[2] = {{head, (size_t)n}, {(char *)body, length}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    while (parts[0].iov_len + parts[1].iov_len > 0) {
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (sent < 0)
            return;
        for (int i = 0; i < 2; i++) {
            size_t step = (size_t)sent < parts[i].iov_len ? (size_t)sent : parts[i].iov_len;
            parts[i].iov_base = (char *)parts[i].iov_base + step;
            parts[i].iov_len -= step;
            sent -= (ssize_t)step;
        }
    }
}

static void serve(int fd, const char *body, size_t length)
{
    size_t held = 0;
    ssize_t got;
    while ((got = read(fd, buffer + held, sizeof(buffer) - held)) > 0) {
        held += (size_t)got;
        char *end = memmem(buffer, held, "\r\n\r\n", 4);
        if (end == NULL)
            continue;
        char *field = memmem(buffer, (size_t)(end - buffer), "\r\nContent-Length: ", 18);
        long long left = field == NULL ? 0 : atoll(field + 18);
        left -= (long long)(held - (size_t)(end + 4 - buffer));
        while (left > 0 && (got = read(fd, buffer, sizeof(buffer))) > 0)
            left -= got;
        if (field == NULL)
            answer(fd, body, length);
        else
            answer(fd, "", 0);
        held = 0;
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    size_t length = (size_t)atoll(argv[2]);
    char *body = malloc(length + 1);
    struct sockaddr_in address = loopback(atoi(argv[1]));
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0), fd;
    if (body == NULL)
        give_up("memory");
    memset(body, 'x', length);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(listener, 16) != 0)
        give_up("listen");
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        send_at_once(fd);
        serve(fd, body, length);
        close(fd);
    }
    return 0;
}

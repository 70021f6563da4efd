/* The limit: the least a server in C can do for a small keep-alive request, on one thread.
 *
 *   epoll_limit PORT
 *
 * One persistent level-triggered registration a connection; read, find the blank line, write one ready-made answer of
 * the same size and fields as nthttp's. It checks nothing, parses nothing and keeps no timers: it is a yardstick, not a
 * server. Pipelined requests that arrive together are answered with one write.
 * Build: gcc -O2 -o epoll_limit epoll_limit.c */
#define _GNU_SOURCE
#include "common.h"
#include <sys/epoll.h>

#define MOST_ANSWERS 64
#define MOST_EVENTS 256

static char answers[MOST_ANSWERS * 256];
static size_t answer_length;

/* The Date is that of the start: a server that cares refreshes it once a second, which costs nothing a request. */
static void make_answers(void)
{
    char date[64];
    time_t now = time(NULL);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime(&now));
    for (int i = 0; i < MOST_ANSWERS; i++)
        answer_length = (size_t)sprintf(answers + (size_t)i * answer_length,
                                        "HTTP/1.1 200 OK\r\nServer: Microsoft-HTTPAPI/2.0\r\nDate: %s\r\n"
                                        "Content-Length: %zu\r\n\r\n%s",
                                        date, strlen(BENCH_BODY), BENCH_BODY);
}

static int listen_on(int port)
{
    struct sockaddr_in address = loopback(port);
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 4096) != 0)
        give_up("listen");
    return fd;
}

/* A head may arrive in pieces: how many bytes of the blank line the last read ended with, by descriptor. */
static unsigned char matched[65536];

/* Counts the heads that end in these bytes. */
static int heads_in(int fd, const char *bytes, size_t length)
{
    int heads = 0;
    unsigned char seen = matched[fd];
    if (seen == 0 && length >= 4 && memcmp(bytes + length - 4, "\r\n\r\n", 4) == 0 &&
        (const char *)memmem(bytes, length, "\r\n\r\n", 4) == bytes + length - 4)
        return 1;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == "\r\n\r\n"[seen])
            seen++;
        else
            seen = bytes[i] == '\r';
        if (seen == 4) {
            heads++;
            seen = 0;
        }
    }
    matched[fd] = seen;
    return heads;
}

static void serve(int fd)
{
    static char buffer[16384];
    ssize_t got = read(fd, buffer, sizeof(buffer));
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            close(fd);
        return;
    }
    for (int heads = heads_in(fd, buffer, (size_t)got); heads > 0; heads -= MOST_ANSWERS) {
        size_t length = answer_length * (size_t)(heads < MOST_ANSWERS ? heads : MOST_ANSWERS);
        if (write(fd, answers, length) != (ssize_t)length) {
            close(fd);
            return;
        }
    }
}

static void accept_all(int poller, int listener)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (fd < 0)
            return;
        if (fd >= (int)sizeof(matched)) {
            close(fd);
            continue;
        }
        matched[fd] = 0;
        send_at_once(fd);
        struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: epoll_limit PORT\n");
        return 2;
    }
    make_answers();
    int listener = listen_on(atoi(argv[1]));
    int poller = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = listener}};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        struct epoll_event events[MOST_EVENTS];
        int count = epoll_wait(poller, events, MOST_EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener)
                accept_all(poller, listener);
            else
                serve(events[i].data.fd);
        }
    }
}

/* The load: C keep-alive connections on one thread, each with one request outstanding (or DEPTH, pipelined).
 *
 *   load PORT CONNECTIONS [-n REQUESTS | -t SECONDS] [-p DEPTH] [-w]
 *   load PORT CONNECTIONS -i        one request on each connection, then "idle" on stdout, and waits for stdin to end
 *
 * -w first sends one request on every connection before the clock (and the count) starts. Prints one line of JSON:
 * requests answered, errors (a status other than 200, a connection lost), seconds, and reads that brought answers.
 * Build: gcc -O2 -o load load.c */
#define _GNU_SOURCE
#include "common.h"
#include <fcntl.h>
#include <sys/epoll.h>

#define REQUEST "GET /plain HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
#define DEEPEST 64
#define MOST_EVENTS 512

struct connection {
    int fd;
    int outstanding;
    size_t held;
    char buffer[8192];
};

static struct connection *connections;
static char requests[DEEPEST * sizeof(REQUEST)];
static int port, connection_count, depth = 1, warm, idle;
static long wanted = -1, sent, answered, errors;
static double limit_seconds = 1;

static void read_options(int argc, char **argv)
{
    int option;
    while ((option = getopt(argc, argv, "n:t:p:wi")) != -1) {
        switch (option) {
        case 'n': wanted = atol(optarg); break;
        case 't': limit_seconds = atof(optarg); break;
        case 'p': depth = atoi(optarg); break;
        case 'w': warm = 1; break;
        case 'i': idle = 1; break;
        default: exit(2);
        }
    }
    if (argc - optind != 2 || depth < 1 || depth > DEEPEST) {
        fprintf(stderr, "usage: load PORT CONNECTIONS [-n REQUESTS | -t SECONDS] [-p DEPTH] [-w] [-i]\n");
        exit(2);
    }
    port = atoi(argv[optind]);
    connection_count = atoi(argv[optind + 1]);
}

/* Length of the first answer in the buffer, 0 if it is not whole yet; counts an error if it is not a 200. */
static size_t first_answer(const char *bytes, size_t length)
{
    const char *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    size_t head = (size_t)(end - bytes) + 4;
    const char *field = memmem(bytes, head, "\r\nContent-Length: ", 18);
    size_t total = head + (field == NULL ? 0 : strtoul(field + 18, NULL, 10));
    if (total > length)
        return 0;
    if (memcmp(bytes, "HTTP/1.1 200", 12) != 0)
        errors++;
    return total;
}

static void send_requests(struct connection *c, int count)
{
    size_t length = (size_t)count * (sizeof(REQUEST) - 1);
    if (write(c->fd, requests, length) != (ssize_t)length)
        give_up("write");
    c->outstanding += count;
    sent += count;
}

static void reopen(int poller, struct connection *c)
{
    errors += c->outstanding > 0 ? c->outstanding : 1;
    answered += c->outstanding;
    close(c->fd);
    c->fd = connect_to(port);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    c->outstanding = 0;
    c->held = 0;
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = c}};
    epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event);
}

/* Takes what arrived; true when the connection has no request outstanding. */
static int take_answers(int poller, struct connection *c)
{
    ssize_t got = read(c->fd, c->buffer + c->held, sizeof(c->buffer) - c->held);
    if (got <= 0) {
        if (got < 0 && errno == EAGAIN)
            return 0;
        reopen(poller, c);
        return 1;
    }
    c->held += (size_t)got;
    size_t at = 0, length;
    while (at < c->held && (length = first_answer(c->buffer + at, c->held - at)) > 0) {
        at += length;
        answered++;
        c->outstanding--;
    }
    memmove(c->buffer, c->buffer + at, c->held - at);
    c->held -= at;
    return c->outstanding <= 0;
}

/* Keeps every connection busy until `until` requests were sent (-1: until `deadline`), then drains. */
static void run(int poller, long until, double deadline)
{
    int over = 0;
    for (int i = 0; i < connection_count && (until < 0 || sent < until); i++)
        send_requests(&connections[i], until < 0 || until - sent > depth ? depth : (int)(until - sent));
    while (answered < sent) {
        struct epoll_event events[MOST_EVENTS];
        int count = epoll_wait(poller, events, MOST_EVENTS, 10000);
        if (count == 0) {
            fprintf(stderr, "load: no answer for 10 seconds, %ld outstanding\n", sent - answered);
            exit(1);
        }
        over = over || (until < 0 && seconds_now() >= deadline);
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;
            if (!take_answers(poller, c) || over || (until >= 0 && sent >= until))
                continue;
            send_requests(c, until < 0 || until - sent > depth ? depth : (int)(until - sent));
        }
    }
}

static int open_all(void)
{
    int poller = epoll_create1(0);
    connections = calloc((size_t)connection_count, sizeof(*connections));
    if (connections == NULL)
        give_up("memory");
    for (int i = 0; i < DEEPEST; i++)
        memcpy(requests + (size_t)i * (sizeof(REQUEST) - 1), REQUEST, sizeof(REQUEST) - 1);
    for (int i = 0; i < connection_count; i++) {
        struct connection *c = &connections[i];
        c->fd = connect_to(port);
        fcntl(c->fd, F_SETFL, O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = c}};
        epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event);
    }
    return poller;
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    int poller = open_all();
    if (warm || idle) {
        int wanted_depth = depth;
        depth = 1;
        run(poller, connection_count, 0);
        depth = wanted_depth;
        if (idle) {
            printf("idle\n");
            fflush(stdout);
            while (getchar() != EOF)
                continue;
            return errors != 0;
        }
        sent = answered = 0;
    }
    double started = seconds_now();
    run(poller, wanted, started + limit_seconds);
    printf("{\"requests\": %ld, \"errors\": %ld, \"seconds\": %.6f}\n", answered, errors, seconds_now() - started);
    return 0;
}

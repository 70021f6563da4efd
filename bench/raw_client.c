/* The client limit: one blocking socket, one request at a time, the answer read until its last byte.
 *
 *   raw_client PORT REQUESTS
 *
 * Prints requests and CPU microseconds of this process as JSON, after a warm-up of a tenth.
 * Build: gcc -O2 -o raw_client raw_client.c */
#define _GNU_SOURCE
#include "common.h"

static const char request[] = "GET /plain HTTP/1.1\r\nConnection: Keep-Alive\r\nUser-Agent: bench\r\nHost: 127.0.0.1\r\n\r\n";

static void fetch(int fd)
{
    char buffer[4096];
    size_t held = 0, total = 0;
    if (write(fd, request, sizeof(request) - 1) != (ssize_t)sizeof(request) - 1)
        give_up("write");
    while (total == 0 || held < total) {
        ssize_t got = read(fd, buffer + held, sizeof(buffer) - 1 - held);
        if (got <= 0)
            give_up("read");
        held += (size_t)got;
        buffer[held] = 0;
        const char *end = strstr(buffer, "\r\n\r\n");
        const char *field = strstr(buffer, "\r\nContent-Length: ");
        if (total == 0 && end != NULL && field != NULL)
            total = (size_t)(end - buffer) + 4 + strtoul(field + 18, NULL, 10);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    int fd = connect_to(atoi(argv[1]));
    long count = atol(argv[2]);
    for (long i = 0; i < count / 10; i++)
        fetch(fd);
    double cpu = cpu_now();
    for (long i = 0; i < count; i++)
        fetch(fd);
    printf("{\"requests\": %ld, \"cpu_us\": %.1f}\n", count, cpu_now() - cpu);
    return 0;
}

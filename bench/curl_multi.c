/* libcurl's multi interface the fast way, by sockets and epoll, so many transfers in flight, each handle used again.
 *
 *   curl_multi PORT REQUESTS IN_FLIGHT
 *
 * Prints requests and CPU microseconds of this process as JSON, after a warm-up of a tenth.
 * Build: gcc -O2 -o curl_multi curl_multi.c -lcurl */
#define _GNU_SOURCE
#include "common.h"
#include <curl/curl.h>
#include <sys/epoll.h>

static int epoll;
static long wait_ms = -1;
static long left;
static int running;

static size_t keep(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    *(size_t *)context += size * count;
    return size * count;
}

static int watch(CURL *curl, curl_socket_t fd, int what, void *context, void *known)
{
    struct epoll_event event = {.data.fd = fd};
    (void)curl;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
    if (epoll_ctl(epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0)
        epoll_ctl(epoll, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
    curl_multi_assign(context, fd, &epoll);
    return 0;
}

static int set_timer(CURLM *multi, long timeout, void *unused)
{
    (void)multi;
    (void)unused;
    wait_ms = timeout;
    return 0;
}

static void start(CURLM *multi, CURL *curl)
{
    size_t *received;
    curl_easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&received);
    if (left == 0)
        return;
    left--;
    running++;
    *received = 0;
    curl_multi_add_handle(multi, curl);
}

static void finish(CURLM *multi)
{
    CURLMsg *message;
    int more;
    while ((message = curl_multi_info_read(multi, &more)) != NULL) {
        CURL *curl = message->easy_handle;
        size_t *received;
        curl_easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&received);
        if (message->data.result != CURLE_OK || *received != strlen(BENCH_BODY)) {
            fprintf(stderr, "curl_multi: a request failed\n");
            exit(1);
        }
        curl_multi_remove_handle(multi, curl);
        running--;
        start(multi, curl);
    }
}

static void fetch_all(CURLM *multi, CURL **curls, int in_flight, long count)
{
    struct epoll_event events[64];
    int still;
    left = count;
    for (int at = 0; at < in_flight; at++)
        start(multi, curls[at]);
    while (running > 0) {
        int got = epoll_wait(epoll, events, 64, (int)wait_ms);
        if (got == 0) {
            wait_ms = -1;
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &still);
        }
        for (int at = 0; at < got; at++) {
            int what = (events[at].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                       (events[at].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                       (events[at].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
            curl_multi_socket_action(multi, events[at].data.fd, what, &still);
        }
        finish(multi);
    }
}

int main(int argc, char **argv)
{
    char url[64];
    if (argc != 4)
        return 2;
    int in_flight = atoi(argv[3]);
    long count = atol(argv[2]);
    CURL **curls = calloc((size_t)in_flight, sizeof(*curls));
    size_t *received = calloc((size_t)in_flight, sizeof(*received));
    snprintf(url, sizeof(url), "http://127.0.0.1:%s/plain", argv[1]);
    epoll = epoll_create1(0);
    CURLM *multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, multi);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)in_flight);
    for (int at = 0; at < in_flight; at++) {
        curls[at] = curl_easy_init();
        curl_easy_setopt(curls[at], CURLOPT_URL, url);
        curl_easy_setopt(curls[at], CURLOPT_USERAGENT, "bench");
        curl_easy_setopt(curls[at], CURLOPT_WRITEFUNCTION, keep);
        curl_easy_setopt(curls[at], CURLOPT_WRITEDATA, &received[at]);
        curl_easy_setopt(curls[at], CURLOPT_PRIVATE, &received[at]);
    }
    fetch_all(multi, curls, in_flight, count / 10);
    double cpu = cpu_now();
    fetch_all(multi, curls, in_flight, count);
    printf("{\"requests\": %ld, \"cpu_us\": %.1f}\n", count, cpu_now() - cpu);
    curl_multi_cleanup(multi);
    return 0;
}

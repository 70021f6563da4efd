/* nthttp served from the program's own epoll loop, by the queue's descriptor: one thread, and none of ours that waits.
 *
 *   nthttp_epoll PORT
 *
 * Build: gcc -O2 -Iinclude -o nthttp_epoll nthttp_epoll.c -lnthttp */
#include "nthttp_common.h"
#include <sys/epoll.h>

int main(int argc, char **argv)
{
    union {
        HTTP_REQUEST request;
        char bytes[REQUEST_BUFFER_BYTES];
    } buffer;
    struct epoll_event event = {.events = EPOLLIN};
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    OVERLAPPED overlapped;
    HANDLE queue, done;
    ULONG got;
    int poller = epoll_create1(0);

    if (argc < 2)
        return 2;
    queue = open_queue(argv[1]);
    done = CreateEventW(NULL, TRUE, FALSE, NULL);
    fill_answer(&response, &chunk);
    epoll_ctl(poller, EPOLL_CTL_ADD, nthttp_event_fd(queue), &event);
    for (;;) {
        epoll_wait(poller, &event, 1, -1);
        memset(&overlapped, 0, sizeof(overlapped));
        overlapped.hEvent = done;
        if (HttpReceiveHttpRequest(queue, HTTP_NULL_ID, 0, &buffer.request, sizeof(buffer), &got, &overlapped) == NO_ERROR)
            HttpSendHttpResponse(queue, buffer.request.RequestId, 0, &response, NULL, &got, NULL, 0, NULL, NULL);
        else
            WaitForSingleObject(done, INFINITE);
    }
}

/* nthttp served from the program's own epoll loop, by a completion port's descriptor: requests that wait are taken at once,
 * and only when there is none does one receive pend and the loop wait. One thread, and none of the program's in a call of ours.
 *
 *   nthttp_epoll PORT
 *
 * Build: gcc -O2 -Iinclude -o nthttp_epoll nthttp_epoll.c -lnthttp */
#include "nthttp_common.h"
#include <sys/epoll.h>

static HANDLE queue, port;
static union {
    HTTP_REQUEST request;
    char bytes[REQUEST_BUFFER_BYTES];
} buffer;

/* The receive that pends is told at the port; FALSE for one that failed (its client has left). */
static BOOL await_request(int poller)
{
    struct epoll_event event;
    LPOVERLAPPED overlapped = NULL;
    ULONG_PTR key;
    DWORD bytes;
    BOOL good = FALSE;

    while (overlapped == NULL) {
        epoll_wait(poller, &event, 1, -1);
        good = GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, 0);
    }
    return good;
}

int main(int argc, char **argv)
{
    struct epoll_event event = {.events = EPOLLIN};
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    OVERLAPPED overlapped;
    ULONG result, sent;
    int poller = epoll_create1(0);

    if (argc < 2)
        return 2;
    queue = open_queue(argv[1]);
    port = CreateIoCompletionPort(queue, NULL, 1, 0);
    SetFileCompletionNotificationModes(queue, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE);
    fill_answer(&response, &chunk);
    epoll_ctl(poller, EPOLL_CTL_ADD, nthttp_event_fd(port), &event);
    for (;;) {
        memset(&overlapped, 0, sizeof(overlapped));
        result = HttpReceiveHttpRequest(queue, HTTP_NULL_ID, 0, &buffer.request, sizeof(buffer), NULL, &overlapped);
        if (result == NO_ERROR || (result == ERROR_IO_PENDING && await_request(poller)))
            HttpSendHttpResponse(queue, buffer.request.RequestId, 0, &response, NULL, &sent, NULL, 0, NULL, NULL);
    }
}

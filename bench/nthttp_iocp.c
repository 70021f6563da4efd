/* nthttp, the asynchronous way: one thread on a completion port, OUTSTANDING receives kept in the queue.
 *
 *   nthttp_iocp PORT [OUTSTANDING]
 *
 * SetFileCompletionNotificationModes is asked to skip the port when a call ends at once, as careful servers do.
 * Build: gcc -O2 -Iinclude -o nthttp_iocp nthttp_iocp.c -lnthttp */
#include "nthttp_common.h"

enum step { RECEIVING, SENDING };

struct operation {
    OVERLAPPED overlapped; /* first: a completion hands its address back */
    enum step step;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    union {
        HTTP_REQUEST request;
        char bytes[REQUEST_BUFFER_BYTES];
    } buffer;
};

static HANDLE queue;

/* Runs an operation's steps until one of them waits. `result` is the outcome of the step it stands at. */
static void go_on(struct operation *o, ULONG result)
{
    do {
        memset(&o->overlapped, 0, sizeof(o->overlapped));
        if (o->step == RECEIVING && result == NO_ERROR) {
            o->step = SENDING;
            result = HttpSendHttpResponse(queue, o->buffer.request.RequestId, 0, &o->response, NULL, NULL, NULL, 0,
                                          &o->overlapped, NULL);
        } else {
            /* Sent; or a client has left, which a send or a receive may report, and is its own affair. */
            o->step = RECEIVING;
            result = HttpReceiveHttpRequest(queue, HTTP_NULL_ID, 0, &o->buffer.request, sizeof(o->buffer), NULL,
                                            &o->overlapped);
        }
    } while (result != ERROR_IO_PENDING);
}

static void start_receives(int count)
{
    while (count-- > 0) {
        struct operation *o = calloc(1, sizeof(*o));
        fill_answer(&o->response, &o->chunk);
        o->step = SENDING;
        go_on(o, NO_ERROR);
    }
}

int main(int argc, char **argv)
{
    HANDLE port;
    if (argc < 2)
        return 2;
    queue = open_queue(argv[1]);
    port = CreateIoCompletionPort(queue, NULL, 0, 1);
    if (port == NULL || !SetFileCompletionNotificationModes(queue, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS))
        check(GetLastError(), "completion port");
    start_receives(argc > 2 ? atoi(argv[2]) : 64);
    for (;;) {
        OVERLAPPED *overlapped = NULL;
        ULONG_PTR key;
        DWORD bytes;
        BOOL ok = GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, INFINITE);
        if (overlapped == NULL)
            check(GetLastError(), "GetQueuedCompletionStatus");
        go_on((struct operation *)overlapped, ok ? NO_ERROR : GetLastError());
    }
}

/* nthttp, the plain way: THREADS threads, each in a loop of HttpReceiveHttpRequest and HttpSendHttpResponse.
 *
 *   nthttp_sync PORT [THREADS]
 *
 * Build: gcc -O2 -Iinclude -o nthttp_sync nthttp_sync.c -lnthttp */
#include "nthttp_common.h"
#include <pthread.h>

static HANDLE queue;

static void *serve(void *unused)
{
    union {
        HTTP_REQUEST request;
        char bytes[REQUEST_BUFFER_BYTES];
    } buffer;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    ULONG result, got;

    (void)unused;
    fill_answer(&response, &chunk);
    for (;;) {
        result = HttpReceiveHttpRequest(queue, HTTP_NULL_ID, 0, &buffer.request, sizeof(buffer), &got, NULL);
        if (result == ERROR_CONNECTION_INVALID)
            continue;
        check(result, "HttpReceiveHttpRequest");
        /* A client that has left is its own affair. */
        HttpSendHttpResponse(queue, buffer.request.RequestId, 0, &response, NULL, &got, NULL, 0, NULL, NULL);
    }
}

int main(int argc, char **argv)
{
    int threads = argc > 2 ? atoi(argv[2]) : 1;
    pthread_t thread;
    if (argc < 2)
        return 2;
    queue = open_queue(argv[1]);
    while (--threads > 0)
        check((ULONG)pthread_create(&thread, NULL, serve, NULL), "pthread_create");
    serve(NULL);
    return 0;
}

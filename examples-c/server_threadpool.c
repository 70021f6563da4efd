/*
 * server_threadpool.c - an asynchronous server on the thread pool.
 *
 * Shows: CreateThreadpoolIo on a request queue, StartThreadpoolIo before every asynchronous call, CancelThreadpoolIo when
 * a call fails at once (no callback will come), and the orderly end: shut the queue down, wait for the callbacks, close.
 * Enter, or the end of the input, stops it.
 *
 * Build on Linux:   gcc -Iinclude examples-c/server_threadpool.c -Ltarget/release -lnthttp -o server_threadpool
 * Build on Windows: cl server_threadpool.c httpapi.lib
 * Run:              server_threadpool 8080
 */
#define WIN32_LEAN_AND_MEAN
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0600
#endif
#include <windows.h>
#include <http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECEIVES 4

/* Either receives or sends; the OVERLAPPED comes first, so a callback finds its operation. */
typedef struct {
    OVERLAPPED overlapped;
    BOOL sending;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    union {
        HTTP_REQUEST request;
        char bytes[sizeof(HTTP_REQUEST) + 16384];
    } buffer;
} OPERATION;

static HANDLE queue;
static PTP_IO poolIo;
static char greeting[] = "Hello from the thread pool!\n";

static void PrepareAnswer(OPERATION *operation, USHORT status, const char *reason)
{
    memset(&operation->response, 0, sizeof(operation->response));
    operation->response.StatusCode = status;
    operation->response.pReason = reason;
    operation->response.ReasonLength = (USHORT)strlen(reason);
    if (status != 200)
        return;
    operation->chunk.DataChunkType = HttpDataChunkFromMemory;
    operation->chunk.FromMemory.pBuffer = greeting;
    operation->chunk.FromMemory.BufferLength = sizeof(greeting) - 1;
    operation->response.EntityChunkCount = 1;
    operation->response.pEntityChunks = &operation->chunk;
}

/* Starts the operation's next call. A call that fails at once has no callback: say so to the pool. */
static ULONG Start(OPERATION *operation)
{
    ULONG result;

    memset(&operation->overlapped, 0, sizeof(operation->overlapped));
    StartThreadpoolIo(poolIo);
    if (operation->sending)
        result = HttpSendHttpResponse(queue, operation->buffer.request.RequestId, 0, &operation->response, NULL, NULL,
                                      NULL, 0, &operation->overlapped, NULL);
    else
        result = HttpReceiveHttpRequest(queue, HTTP_NULL_ID, 0, &operation->buffer.request, sizeof(operation->buffer),
                                        NULL, &operation->overlapped);
    if (result == NO_ERROR || result == ERROR_IO_PENDING)
        return NO_ERROR;
    CancelThreadpoolIo(poolIo);
    return result;
}

static void ReceiveNext(OPERATION *operation)
{
    ULONG result;

    operation->sending = FALSE;
    do
        result = Start(operation);
    while (result == ERROR_CONNECTION_INVALID);
    if (result != NO_ERROR)
        free(operation); /* the queue is shut down: this operation ends here */
}

static VOID CALLBACK OnCompletion(PTP_CALLBACK_INSTANCE instance, PVOID context, PVOID overlapped, ULONG result,
                                  ULONG_PTR bytes, PTP_IO io)
{
    OPERATION *operation = (OPERATION *)overlapped;

    (void)instance, (void)context, (void)bytes, (void)io;
    if (result == ERROR_OPERATION_ABORTED) {
        free(operation);
        return;
    }
    if (operation->sending || (result != NO_ERROR && result != ERROR_MORE_DATA)) {
        ReceiveNext(operation);
        return;
    }
    if (result == ERROR_MORE_DATA)
        PrepareAnswer(operation, 431, "Request Header Fields Too Large");
    else
        PrepareAnswer(operation, 200, "OK");
    operation->sending = TRUE;
    if (Start(operation) != NO_ERROR)
        ReceiveNext(operation);
}

static ULONG OpenQueue(const char *port, HTTP_SERVER_SESSION_ID *session)
{
    HTTPAPI_VERSION version = HTTPAPI_VERSION_2;
    HTTP_URL_GROUP_ID group;
    HTTP_BINDING_INFO binding;
    WCHAR url[64];
    char text[64];
    ULONG result = HttpCreateServerSession(version, session, 0);

    snprintf(text, sizeof(text), "http://localhost:%s/", port);
    MultiByteToWideChar(CP_UTF8, 0, text, -1, url, 64);
    if (result == NO_ERROR)
        result = HttpCreateUrlGroup(*session, &group, 0);
    if (result == NO_ERROR)
        result = HttpAddUrlToUrlGroup(group, url, 0, 0);
    if (result == NO_ERROR)
        result = HttpCreateRequestQueue(version, NULL, NULL, 0, &queue);
    if (result != NO_ERROR)
        return result;
    memset(&binding, 0, sizeof(binding));
    binding.Flags.Present = 1;
    binding.RequestQueueHandle = queue;
    return HttpSetUrlGroupProperty(group, HttpServerBindingProperty, &binding, sizeof(binding));
}

int main(int argc, char **argv)
{
    HTTPAPI_VERSION version = HTTPAPI_VERSION_2;
    HTTP_SERVER_SESSION_ID session = HTTP_NULL_ID;
    ULONG result;
    int i;

    if (argc != 2) {
        printf("usage: server_threadpool PORT\n");
        return 2;
    }
    result = HttpInitialize(version, HTTP_INITIALIZE_SERVER, NULL);
    if (result == NO_ERROR)
        result = OpenQueue(argv[1], &session);
    if (result == NO_ERROR) {
        poolIo = CreateThreadpoolIo(queue, OnCompletion, NULL, NULL);
        if (poolIo == NULL)
            result = GetLastError();
    }
    if (result != NO_ERROR) {
        printf("cannot start: error %u\n", (unsigned)result);
        return 1;
    }
    for (i = 0; i < RECEIVES; i++)
        ReceiveNext((OPERATION *)calloc(1, sizeof(OPERATION)));
    printf("listening on http://localhost:%s/\n", argv[1]);
    fflush(stdout);

    getchar();
    HttpShutdownRequestQueue(queue);
    WaitForThreadpoolIoCallbacks(poolIo, FALSE);
    CloseThreadpoolIo(poolIo);
    HttpCloseServerSession(session);
    HttpCloseRequestQueue(queue);
    HttpTerminate(HTTP_INITIALIZE_SERVER, NULL);
    printf("stopped\n");
    return 0;
}

/*
 * server_iocp.c - an asynchronous server on a completion port.
 *
 * Shows: a request queue on a completion port, several receives outstanding, worker threads in
 * GetQueuedCompletionStatus, a buffer that grows, and a graceful stop: the queue is shut down, every operation ends with
 * ERROR_OPERATION_ABORTED, and the workers leave when the last one has. Enter, or the end of the input, stops it.
 *
 * Build on Linux:   gcc -fshort-wchar -Iinclude examples-c/server_iocp.c -Ltarget/release -lnthttp -o server_iocp
 * Build on Windows: cl server_iocp.c httpapi.lib
 * Run:              server_iocp http://localhost:8080/
 */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKERS 2
#define RECEIVES 8
#define KEY_QUEUE 1
#define KEY_LEAVE 2

typedef enum { RECEIVE, SEND } STEP;

/* One operation that goes round: receive, send, receive, ... Its OVERLAPPED comes first. */
typedef struct {
    OVERLAPPED overlapped;
    STEP step;
    HTTP_REQUEST *request;
    ULONG requestBytes;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    char body[128];
} OPERATION;

static HANDLE queue, port;
static LONG running; /* operations that have not ended */
static LONG served;

static void EndOperation(OPERATION *operation)
{
    int i;
    free(operation->request);
    free(operation);
    if (InterlockedDecrement(&running) == 0)
        for (i = 0; i < WORKERS; i++)
            PostQueuedCompletionStatus(port, 0, KEY_LEAVE, NULL);
}

/* Without FILE_SKIP_COMPLETION_PORT_ON_SUCCESS a completion follows success and ERROR_IO_PENDING alike. */
static BOOL CompletionFollows(ULONG result)
{
    return result == NO_ERROR || result == ERROR_IO_PENDING;
}

static void StartReceive(OPERATION *operation, HTTP_REQUEST_ID id)
{
    ULONG result;

    do {
        operation->step = RECEIVE;
        memset(&operation->overlapped, 0, sizeof(operation->overlapped));
        result = HttpReceiveHttpRequest(queue, id, 0, operation->request, operation->requestBytes, NULL,
                                        &operation->overlapped);
        if (CompletionFollows(result))
            return;
        /* ERROR_CONNECTION_INVALID: the client left before its request was asked for again. */
        id = HTTP_NULL_ID;
    } while (result == ERROR_CONNECTION_INVALID);
    EndOperation(operation);
}

static void StartSend(OPERATION *operation)
{
    ULONG result;
    HTTP_RESPONSE *response = &operation->response;
    int length = snprintf(operation->body, sizeof(operation->body), "request %ld\n",
                          (long)InterlockedIncrement(&served));

    memset(response, 0, sizeof(*response));
    response->StatusCode = 200;
    response->pReason = "OK";
    response->ReasonLength = 2;
    operation->chunk.DataChunkType = HttpDataChunkFromMemory;
    operation->chunk.FromMemory.pBuffer = operation->body;
    operation->chunk.FromMemory.BufferLength = (ULONG)length;
    response->EntityChunkCount = 1;
    response->pEntityChunks = &operation->chunk;

    operation->step = SEND;
    memset(&operation->overlapped, 0, sizeof(operation->overlapped));
    result = HttpSendHttpResponse(queue, operation->request->RequestId, 0, response, NULL, NULL, NULL, 0,
                                  &operation->overlapped, NULL);
    if (!CompletionFollows(result))
        StartReceive(operation, HTTP_NULL_ID);
}

/* The request did not fit: make room for what the completion counted, and ask for the same one again. */
static void GrowAndReceive(OPERATION *operation, DWORD needed)
{
    HTTP_REQUEST_ID id = operation->request->RequestId;
    HTTP_REQUEST *larger = (HTTP_REQUEST *)realloc(operation->request, needed);

    if (larger == NULL) {
        EndOperation(operation);
        return;
    }
    operation->request = larger;
    operation->requestBytes = needed;
    StartReceive(operation, id);
}

static void Continue(OPERATION *operation, DWORD result, DWORD bytes)
{
    if (result == ERROR_OPERATION_ABORTED)
        EndOperation(operation);
    else if (operation->step == SEND)
        StartReceive(operation, HTTP_NULL_ID);
    else if (result == NO_ERROR)
        StartSend(operation);
    else if (result == ERROR_MORE_DATA)
        GrowAndReceive(operation, bytes);
    else
        StartReceive(operation, HTTP_NULL_ID);
}

static DWORD WINAPI Worker(LPVOID unused)
{
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *overlapped;

    (void)unused;
    for (;;) {
        BOOL ok = GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, INFINITE);
        if (overlapped == NULL)
            return ok && key == KEY_LEAVE ? 0 : 1;
        Continue((OPERATION *)overlapped, ok ? NO_ERROR : GetLastError(), bytes);
    }
}

static ULONG OpenQueue(PCWSTR url, HTTP_SERVER_SESSION_ID *session)
{
    HTTPAPI_VERSION version = HTTPAPI_VERSION_2;
    HTTP_URL_GROUP_ID group;
    HTTP_BINDING_INFO binding;
    ULONG result = HttpCreateServerSession(version, session, 0);

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

static void Serve(void)
{
    HANDLE workers[WORKERS];
    int i;

    running = RECEIVES;
    for (i = 0; i < WORKERS; i++)
        workers[i] = CreateThread(NULL, 0, Worker, NULL, 0, NULL);
    for (i = 0; i < RECEIVES; i++) {
        OPERATION *operation = (OPERATION *)calloc(1, sizeof(OPERATION));
        operation->requestBytes = sizeof(HTTP_REQUEST) + 512;
        operation->request = (HTTP_REQUEST *)malloc(operation->requestBytes);
        StartReceive(operation, HTTP_NULL_ID);
    }
    getchar();
    HttpShutdownRequestQueue(queue);
    WaitForMultipleObjects(WORKERS, workers, TRUE, INFINITE);
    for (i = 0; i < WORKERS; i++)
        CloseHandle(workers[i]);
}

int wmain(int argc, wchar_t **argv)
{
    HTTPAPI_VERSION version = HTTPAPI_VERSION_2;
    HTTP_SERVER_SESSION_ID session = HTTP_NULL_ID;
    ULONG result;

    if (argc != 2) {
        wprintf(L"usage: server_iocp URL\n");
        return 2;
    }
    result = HttpInitialize(version, HTTP_INITIALIZE_SERVER, NULL);
    if (result == NO_ERROR)
        result = OpenQueue(argv[1], &session);
    if (result == NO_ERROR) {
        port = CreateIoCompletionPort(queue, NULL, KEY_QUEUE, WORKERS);
        if (port == NULL)
            result = GetLastError();
    }
    if (result != NO_ERROR) {
        wprintf(L"cannot start: error %u\n", (unsigned)result);
        return 1;
    }
    wprintf(L"%ls: listening\n", argv[1]);
    fflush(stdout);
    Serve();
    HttpCloseServerSession(session);
    HttpCloseRequestQueue(queue);
    CloseHandle(port);
    HttpTerminate(HTTP_INITIALIZE_SERVER, NULL);
    wprintf(L"stopped after %ld requests\n", (long)served);
    return 0;
}

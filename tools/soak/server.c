/* The server of the soak: a completion port with several threads, and a path for everything that can go wrong.
 *
 *   server PORT FILE THREADS
 *
 * GET /hello             14 bytes                       GET /cached    the same, kept by the response cache for a second
 * GET /big               SIZE bytes from memory         GET /file      FILE, ranges honoured
 * POST /size             reads the body, says how long  GET /held      never answered: waits until the client has left
 * GET /dropped           cancels the request            GET /none      404 with 14 bytes
 *
 * Every operation of the API is asynchronous here. A line on standard input is answered with nthttp_counters() and a line
 * "."; its end ends the server, with 0 if all went in order. */
#include <windows.h>
#include <http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECEIVES 32
#define SIZE (1024 * 1024)
#define PIECE 8192

enum state { RECEIVING, READING, ANSWERING, HOLDING };

typedef struct {
    OVERLAPPED overlapped;
    enum state state;
    HTTP_REQUEST_ID id;
    ULONGLONG length;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    char text[32];
    union {
        HTTP_REQUEST request;
        char bytes[16384];
    } in;
    char piece[PIECE];
} OPERATION;

static HANDLE queue, port, file;
static char *big;

static void Receive(OPERATION *op);

static void Say(OPERATION *op, USHORT status, const void *body, ULONG length)
{
    memset(&op->response, 0, sizeof(op->response));
    op->response.StatusCode = status;
    op->response.pReason = "Said";
    op->response.ReasonLength = 4;
    op->response.EntityChunkCount = 1;
    op->response.pEntityChunks = &op->chunk;
    op->chunk.DataChunkType = HttpDataChunkFromMemory;
    op->chunk.FromMemory.pBuffer = (PVOID)body;
    op->chunk.FromMemory.BufferLength = length;
}

static void Send(OPERATION *op, ULONG flags, HTTP_CACHE_POLICY *policy)
{
    ULONG result;

    op->state = ANSWERING;
    memset(&op->overlapped, 0, sizeof(op->overlapped));
    result = HttpSendHttpResponse(queue, op->id, flags, &op->response, policy, NULL, NULL, 0, &op->overlapped, NULL);
    if (result != NO_ERROR && result != ERROR_IO_PENDING)
        Receive(op); /* the client has left */
}

static void Read(OPERATION *op)
{
    ULONG result;

    op->state = READING;
    memset(&op->overlapped, 0, sizeof(op->overlapped));
    result = HttpReceiveRequestEntityBody(queue, op->id, 0, op->piece, PIECE, NULL, &op->overlapped);
    if (result == ERROR_HANDLE_EOF) {
        int n = snprintf(op->text, sizeof(op->text), "%llu bytes\n", (unsigned long long)op->length);
        Say(op, 200, op->text, (ULONG)n);
        Send(op, 0, NULL);
    } else if (result != NO_ERROR && result != ERROR_IO_PENDING) {
        Receive(op);
    }
}

static void Hold(OPERATION *op)
{
    ULONG result;

    op->state = HOLDING;
    memset(&op->overlapped, 0, sizeof(op->overlapped));
    result = HttpWaitForDisconnectEx(queue, op->in.request.ConnectionId, 0, &op->overlapped);
    if (result != NO_ERROR && result != ERROR_IO_PENDING)
        Receive(op);
}

static void SendFile(OPERATION *op)
{
    Say(op, 200, NULL, 0);
    op->chunk.DataChunkType = HttpDataChunkFromFileHandle;
    op->chunk.FromFileHandle.ByteRange.StartingOffset.QuadPart = 0;
    op->chunk.FromFileHandle.ByteRange.Length.QuadPart = HTTP_BYTE_RANGE_TO_EOF;
    op->chunk.FromFileHandle.FileHandle = file;
    Send(op, HTTP_SEND_RESPONSE_FLAG_PROCESS_RANGES, NULL);
}

static void Serve(OPERATION *op)
{
    const char *path = op->in.request.pRawUrl;
    HTTP_CACHE_POLICY second = {HttpCachePolicyTimeToLive, 1};

    op->id = op->in.request.RequestId;
    op->length = 0;
    if (strcmp(path, "/size") == 0) {
        Read(op);
    } else if (strcmp(path, "/held") == 0) {
        Hold(op);
    } else if (strcmp(path, "/file") == 0) {
        SendFile(op);
    } else if (strcmp(path, "/dropped") == 0) {
        HttpCancelHttpRequest(queue, op->id, NULL);
        Receive(op);
    } else {
        BOOL is_big = strcmp(path, "/big") == 0, cached = strcmp(path, "/cached") == 0;
        Say(op, strcmp(path, "/none") == 0 ? 404 : 200, is_big ? big : "Hello, world!\n", is_big ? SIZE : 14);
        Send(op, 0, cached ? &second : NULL);
    }
}

static void Receive(OPERATION *op)
{
    ULONG result;

    do {
        op->state = RECEIVING;
        memset(&op->overlapped, 0, sizeof(op->overlapped));
        result = HttpReceiveHttpRequest(queue, HTTP_NULL_ID, 0, &op->in.request, sizeof(op->in), NULL, &op->overlapped);
    } while (result == ERROR_CONNECTION_INVALID);
    if (result != NO_ERROR && result != ERROR_IO_PENDING && result != ERROR_INVALID_HANDLE) {
        fprintf(stderr, "receive: %u\n", (unsigned)result);
        exit(1);
    }
}

/* A completion: what came of the operation's last call decides its next. */
static void Step(OPERATION *op, ULONG result, DWORD bytes)
{
    switch (op->state) {
    case RECEIVING:
        if (result == NO_ERROR)
            Serve(op);
        else if (result != ERROR_OPERATION_ABORTED)
            Receive(op);
        break;
    case READING:
        op->length += bytes;
        if (result == NO_ERROR || result == ERROR_HANDLE_EOF)
            Read(op);
        else
            Receive(op);
        break;
    case ANSWERING:
    case HOLDING:
        Receive(op);
        break;
    }
}

static DWORD WINAPI Work(LPVOID unused)
{
    DWORD bytes;
    ULONG_PTR key;
    LPOVERLAPPED overlapped;

    (void)unused;
    for (;;) {
        BOOL good = GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, INFINITE);
        if (overlapped == NULL)
            return 0;
        Step(CONTAINING_RECORD(overlapped, OPERATION, overlapped), good ? NO_ERROR : GetLastError(), bytes);
    }
}

static void SayCounters(void)
{
    static char page[256 * 1024];
    ULONG needed;

    if (nthttp_counters(page, sizeof(page), &needed) != NO_ERROR)
        exit(1);
    printf("%s.\n", page);
    fflush(stdout);
}

static void Listen(HTTP_SERVER_SESSION_ID session, const char *at)
{
    HTTP_URL_GROUP_ID group;
    HTTP_BINDING_INFO binding = {{1}, queue};
    WCHAR url[64];
    char text[64];
    int i = 0;

    snprintf(text, sizeof(text), "http://+:%s/", at);
    do {
        url[i] = (WCHAR)text[i];
    } while (text[i++] != 0);
    if (HttpCreateUrlGroup(session, &group, 0) != NO_ERROR
        || HttpSetUrlGroupProperty(group, HttpServerBindingProperty, &binding, sizeof(binding)) != NO_ERROR
        || HttpAddUrlToUrlGroup(group, url, 0, 0) != NO_ERROR)
        exit(2);
}

int main(int argc, char **argv)
{
    HTTPAPI_VERSION v2 = HTTPAPI_VERSION_2;
    HTTP_SERVER_SESSION_ID session;
    HANDLE threads[16];
    char line[64];
    OPERATION *ops = calloc(RECEIVES, sizeof(*ops));
    int i, count = argc == 4 ? atoi(argv[3]) : 0;

    big = malloc(SIZE);
    if (count < 1 || count > 16 || ops == NULL || big == NULL)
        return 2;
    for (i = 0; i < SIZE; i++)
        big[i] = (char)('a' + i % 23);
    file = CreateFileA(argv[2], GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    if (HttpInitialize(v2, HTTP_INITIALIZE_SERVER, NULL) != NO_ERROR || HttpCreateServerSession(v2, &session, 0) != NO_ERROR
        || HttpCreateRequestQueue(v2, NULL, NULL, 0, &queue) != NO_ERROR)
        return 2;
    port = CreateIoCompletionPort(queue, NULL, 1, 0);
    Listen(session, argv[1]);
    for (i = 0; i < RECEIVES; i++)
        Receive(&ops[i]);
    for (i = 0; i < count; i++)
        threads[i] = CreateThread(NULL, 0, Work, NULL, 0, NULL);
    while (fgets(line, sizeof(line), stdin) != NULL)
        SayCounters();
    HttpShutdownRequestQueue(queue);
    HttpCloseRequestQueue(queue);
    for (i = 0; i < count; i++)
        PostQueuedCompletionStatus(port, 0, 0, NULL);
    for (i = 0; i < count; i++) {
        WaitForSingleObject(threads[i], INFINITE);
        CloseHandle(threads[i]);
    }
    HttpCloseServerSession(session);
    HttpTerminate(HTTP_INITIALIZE_SERVER, NULL);
    CloseHandle(port);
    CloseHandle(file);
    free(ops);
    free(big);
    return 0;
}

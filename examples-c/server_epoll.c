/*
 * server_epoll.c - a server in a program's own epoll loop, with one thread and none that waits for the library.
 * gate: not-mingw (it uses what this library adds to http.h, and Linux's epoll)
 *
 * Shows: nthttp_event_fd of a request queue, readable while a request waits, and of a completion port, readable while an
 * operation is over; both stand in one loop with a descriptor of the program's own, its standard input. Receives and sends
 * are asynchronous, so nothing in the loop blocks, however slow a client is. Enter, or the end of the input, stops it.
 *
 * Build: gcc -Iinclude examples-c/server_epoll.c -Ltarget/release -lnthttp -o server_epoll
 * Run:   server_epoll 8080
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <windows.h>
#include <http.h>

/* One request and its response. Its OVERLAPPED comes first, so a completion's is the operation's. */
typedef struct {
    OVERLAPPED overlapped;
    BOOL sending;
    HTTP_REQUEST *request;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    char body[64];
} OPERATION;

static HANDLE queue, port;
static unsigned long pending; /* operations that the port will tell of */
static unsigned long served;

static void Free(OPERATION *operation)
{
    free(operation->request);
    free(operation);
}

static void Send(OPERATION *operation)
{
    HTTP_RESPONSE *response = &operation->response;
    int length = snprintf(operation->body, sizeof(operation->body), "request %lu\n", ++served);

    operation->chunk.DataChunkType = HttpDataChunkFromMemory;
    operation->chunk.FromMemory.pBuffer = operation->body;
    operation->chunk.FromMemory.BufferLength = (ULONG)length;
    response->StatusCode = 200;
    response->pReason = "OK";
    response->ReasonLength = 2;
    response->EntityChunkCount = 1;
    response->pEntityChunks = &operation->chunk;
    operation->sending = TRUE;
    memset(&operation->overlapped, 0, sizeof(operation->overlapped));
    /* Pending only if the client takes its time. */
    if (HttpSendHttpResponse(queue, operation->request->RequestId, 0, response, NULL, NULL, NULL, 0, &operation->overlapped,
                             NULL) == ERROR_IO_PENDING)
        pending++;
    else
        Free(operation);
}

/* Takes a request, or, with its id, the same one again with as much room as it needs. */
static void Receive(OPERATION *operation, HTTP_REQUEST_ID id, ULONG room)
{
    ULONG result, needed = 0;

    free(operation->request);
    operation->request = (HTTP_REQUEST *)malloc(room);
    memset(&operation->overlapped, 0, sizeof(operation->overlapped));
    result = HttpReceiveHttpRequest(queue, id, 0, operation->request, room, &needed, &operation->overlapped);
    if (result == NO_ERROR)
        Send(operation);
    else if (result == ERROR_MORE_DATA)
        Receive(operation, operation->request->RequestId, needed);
    else if (result == ERROR_IO_PENDING)
        pending++; /* the client has left since: the next request comes to this one */
    else
        Free(operation);
}

/* The queue is readable. It stays so while more requests wait. */
static void OnQueue(void)
{
    Receive((OPERATION *)calloc(1, sizeof(OPERATION)), HTTP_NULL_ID, sizeof(HTTP_REQUEST) + 2048);
}

/* The port is readable: a slow client has its response, or a request came to a receive that waited. */
static void OnPort(DWORD patience)
{
    OVERLAPPED *overlapped;
    ULONG_PTR key;
    DWORD bytes;
    BOOL ok = GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, patience);
    OPERATION *operation = (OPERATION *)overlapped;

    if (operation == NULL)
        return;
    pending--;
    if (operation->sending)
        Free(operation);
    else if (ok)
        Send(operation);
    else if (GetLastError() == ERROR_MORE_DATA)
        Receive(operation, operation->request->RequestId, bytes);
    else
        Free(operation);
}

static ULONG Open(const char *number, HTTP_SERVER_SESSION_ID *session)
{
    HTTPAPI_VERSION version = HTTPAPI_VERSION_2;
    HTTP_BINDING_INFO binding;
    HTTP_URL_GROUP_ID group;
    WCHAR url[64];
    char text[64];
    int at = -1;
    ULONG result = HttpInitialize(version, HTTP_INITIALIZE_SERVER, NULL);

    snprintf(text, sizeof(text), "http://localhost:%s/", number);
    do
        url[at + 1] = (WCHAR)text[at + 1];
    while (text[++at] != 0);
    if (result == NO_ERROR)
        result = HttpCreateServerSession(version, session, 0);
    if (result == NO_ERROR)
        result = HttpCreateUrlGroup(*session, &group, 0);
    if (result == NO_ERROR)
        result = HttpCreateRequestQueue(version, NULL, NULL, 0, &queue);
    if (result != NO_ERROR)
        return result;
    memset(&binding, 0, sizeof(binding));
    binding.Flags.Present = 1;
    binding.RequestQueueHandle = queue;
    result = HttpSetUrlGroupProperty(group, HttpServerBindingProperty, &binding, sizeof(binding));
    if (result == NO_ERROR)
        result = HttpAddUrlToUrlGroup(group, url, 0, 0);
    return result;
}

static void Watch(int poller, int descriptor)
{
    struct epoll_event event;

    event.events = EPOLLIN;
    event.data.fd = descriptor;
    epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
}

static void Loop(void)
{
    int poller = epoll_create1(0), requests = nthttp_event_fd(queue), completions = nthttp_event_fd(port);
    struct epoll_event event;

    Watch(poller, requests);
    Watch(poller, completions);
    Watch(poller, STDIN_FILENO);
    for (;;) {
        if (epoll_wait(poller, &event, 1, -1) != 1)
            continue;
        if (event.data.fd == STDIN_FILENO)
            break;
        if (event.data.fd == requests)
            OnQueue();
        else
            OnPort(0);
    }
    close(poller);
}

int main(int argc, char **argv)
{
    HTTP_SERVER_SESSION_ID session = HTTP_NULL_ID;
    ULONG result;

    if (argc != 2) {
        fprintf(stderr, "usage: server_epoll PORT\n");
        return 2;
    }
    result = Open(argv[1], &session);
    if (result == NO_ERROR) {
        port = CreateIoCompletionPort(queue, NULL, 0, 0);
        /* What is done at once needs no packet. */
        if (port == NULL || !SetFileCompletionNotificationModes(queue, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS))
            result = GetLastError();
    }
    if (result != NO_ERROR) {
        fprintf(stderr, "cannot start: error %u\n", (unsigned)result);
        return 1;
    }
    printf("port %s: listening\n", argv[1]);
    fflush(stdout);
    Loop();
    HttpCloseRequestQueue(queue); /* ends every operation */
    while (pending > 0)
        OnPort(INFINITE);
    HttpCloseServerSession(session);
    CloseHandle(port);
    HttpTerminate(HTTP_INITIALIZE_SERVER, NULL);
    printf("stopped after %lu requests\n", served);
    return 0;
}

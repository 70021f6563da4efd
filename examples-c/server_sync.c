/*
 * server_sync.c - the HTTP Server API 2.0 on one thread.
 *
 * Shows: a server session, a URL group bound to a request queue, a receive loop whose buffer grows when a request
 * does not fit, answers from memory with a known header, and a POST whose body arrives with the request.
 *
 *   GET  /        a greeting
 *   GET  /about   the URL, the client's User-Agent and the number of requests so far
 *   POST /size    the number of bytes posted
 *   POST /stop    ends the server (an example's convenience: a real server keeps no such door)
 *
 * Build on Linux:   gcc -Iinclude examples-c/server_sync.c -Ltarget/release -lnthttp -o server_sync
 * Build on Windows: cl server_sync.c httpapi.lib
 * Run:              server_sync 8080
 */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _MSC_VER
#pragma comment(lib, "httpapi.lib")
#endif

static ULONG requestCount;

static void SetKnownHeader(HTTP_RESPONSE *response, HTTP_HEADER_ID id, const char *value)
{
    response->Headers.KnownHeaders[id].pRawValue = value;
    response->Headers.KnownHeaders[id].RawValueLength = (USHORT)strlen(value);
}

/* Answers with a status and a text; the system adds Server, Date and Content-Length. */
static ULONG SendText(HANDLE queue, HTTP_REQUEST_ID id, USHORT status, const char *reason, const char *text)
{
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    ULONG bytesSent;

    memset(&response, 0, sizeof(response));
    response.StatusCode = status;
    response.pReason = reason;
    response.ReasonLength = (USHORT)strlen(reason);
    SetKnownHeader(&response, HttpHeaderContentType, "text/plain");

    memset(&chunk, 0, sizeof(chunk));
    chunk.DataChunkType = HttpDataChunkFromMemory;
    chunk.FromMemory.pBuffer = (PVOID)text;
    chunk.FromMemory.BufferLength = (ULONG)strlen(text);
    response.EntityChunkCount = 1;
    response.pEntityChunks = &chunk;

    return HttpSendHttpResponse(queue, id, 0, &response, NULL, &bytesSent, NULL, 0, NULL, NULL);
}

/* Reads the body to its end and counts it. */
static ULONG CountBody(HANDLE queue, const HTTP_REQUEST *request, ULONGLONG *total)
{
    char buffer[4096];
    ULONG got, result;

    *total = 0;
    if ((request->Flags & HTTP_REQUEST_FLAG_MORE_ENTITY_BODY_EXISTS) == 0)
        return NO_ERROR;
    while ((result = HttpReceiveRequestEntityBody(queue, request->RequestId, 0, buffer, sizeof(buffer), &got, NULL)) ==
           NO_ERROR)
        *total += got;
    return result == ERROR_HANDLE_EOF ? NO_ERROR : result;
}

static int PathIs(const HTTP_REQUEST *request, const char *path)
{
    return request->RawUrlLength == strlen(path) && memcmp(request->pRawUrl, path, strlen(path)) == 0;
}

static ULONG AnswerAbout(HANDLE queue, const HTTP_REQUEST *request)
{
    char text[512];
    const HTTP_KNOWN_HEADER *agent = &request->Headers.KnownHeaders[HttpHeaderUserAgent];

    snprintf(text, sizeof(text), "url: %.*s\nagent: %.*s\nrequests: %u\n", (int)request->RawUrlLength, request->pRawUrl,
             (int)agent->RawValueLength, agent->RawValueLength ? agent->pRawValue : "", (unsigned)requestCount);
    return SendText(queue, request->RequestId, 200, "OK", text);
}

/* Answers one request; sets *stop when asked to end. */
static ULONG Answer(HANDLE queue, const HTTP_REQUEST *request, BOOL *stop)
{
    char text[64];
    ULONGLONG total;
    ULONG result;

    requestCount++;
    if (request->Verb == HttpVerbGET && PathIs(request, "/"))
        return SendText(queue, request->RequestId, 200, "OK", "Hello, world!\n");
    if (request->Verb == HttpVerbGET && PathIs(request, "/about"))
        return AnswerAbout(queue, request);
    if (request->Verb == HttpVerbPOST && PathIs(request, "/size")) {
        result = CountBody(queue, request, &total);
        if (result != NO_ERROR)
            return result;
        snprintf(text, sizeof(text), "%llu bytes\n", (unsigned long long)total);
        return SendText(queue, request->RequestId, 200, "OK", text);
    }
    if (request->Verb == HttpVerbPOST && PathIs(request, "/stop")) {
        *stop = TRUE;
        return SendText(queue, request->RequestId, 200, "OK", "stopping\n");
    }
    return SendText(queue, request->RequestId, 404, "Not Found", "no such page\n");
}

static ULONG ReceiveLoop(HANDLE queue)
{
    ULONG size = sizeof(HTTP_REQUEST) + 2048, got, result;
    HTTP_REQUEST *request = (HTTP_REQUEST *)malloc(size);
    HTTP_REQUEST_ID id = HTTP_NULL_ID;
    BOOL stop = FALSE;

    while (!stop && request != NULL) {
        memset(request, 0, sizeof(*request));
        result = HttpReceiveHttpRequest(queue, id, 0, request, size, &got, NULL);
        if (result == NO_ERROR) {
            result = Answer(queue, request, &stop);
            if (result != NO_ERROR) {
                /* Its client has gone: let go of what is left of the request. */
                printf("a request was not answered: error %u\n", (unsigned)result);
                HttpCancelHttpRequest(queue, request->RequestId, NULL);
            }
            id = HTTP_NULL_ID;
        } else if (result == ERROR_MORE_DATA) {
            /* Too small: the id is filled in. Grow, and ask for this very request again. */
            id = request->RequestId;
            size = got;
            free(request);
            request = (HTTP_REQUEST *)malloc(size);
        } else if (result == ERROR_CONNECTION_INVALID && !HTTP_IS_NULL_ID(&id)) {
            id = HTTP_NULL_ID; /* its client left while the buffer grew: take the next one */
        } else {
            free(request);
            return result;
        }
    }
    free(request);
    return stop ? NO_ERROR : ERROR_NOT_ENOUGH_MEMORY;
}

static ULONG Bind(HTTP_URL_GROUP_ID group, HANDLE queue, const char *port)
{
    HTTP_BINDING_INFO binding;
    WCHAR url[64];
    char text[64];
    int i;
    ULONG result;

    snprintf(text, sizeof(text), "http://localhost:%s/", port);
    for (i = 0; i == 0 || text[i - 1] != 0; i++)
        url[i] = (WCHAR)text[i];
    result = HttpAddUrlToUrlGroup(group, url, 0, 0);
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
    HTTP_URL_GROUP_ID group = HTTP_NULL_ID;
    HANDLE queue = NULL;
    ULONG result;

    if (argc != 2) {
        printf("usage: server_sync PORT\n");
        return 2;
    }
    result = HttpInitialize(version, HTTP_INITIALIZE_SERVER, NULL);
    if (result != NO_ERROR) {
        printf("HttpInitialize: error %u\n", (unsigned)result);
        return 1;
    }
    result = HttpCreateServerSession(version, &session, 0);
    if (result == NO_ERROR)
        result = HttpCreateUrlGroup(session, &group, 0);
    if (result == NO_ERROR)
        result = HttpCreateRequestQueue(version, NULL, NULL, 0, &queue);
    if (result == NO_ERROR)
        result = Bind(group, queue, argv[1]);
    if (result == NO_ERROR) {
        printf("listening on http://localhost:%s/\n", argv[1]);
        fflush(stdout);
        result = ReceiveLoop(queue);
    }
    if (result != NO_ERROR)
        printf("the server ends: error %u\n", (unsigned)result);

    if (!HTTP_IS_NULL_ID(&group))
        HttpCloseUrlGroup(group);
    if (!HTTP_IS_NULL_ID(&session))
        HttpCloseServerSession(session);
    if (queue != NULL)
        HttpCloseRequestQueue(queue);
    HttpTerminate(HTTP_INITIALIZE_SERVER, NULL);
    return result == NO_ERROR ? 0 : 1;
}

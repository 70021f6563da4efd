/*
 * echo_upload.c - sends back what is uploaded, while it arrives.
 *
 * Shows: HttpReceiveRequestEntityBody in a loop, an answer sent in pieces with HTTP_SEND_RESPONSE_FLAG_MORE_DATA and
 * HttpSendResponseEntityBody, and chunked framing, which is the application's own work in this API. A client of
 * HTTP/1.0 gets the bare bytes and the end of the connection instead. Enter, or the end of the input, stops it.
 *
 * Build on Linux:   gcc -Iinclude examples-c/echo_upload.c -Ltarget/release -lnthttp -o echo_upload
 * Build on Windows: cl echo_upload.c httpapi.lib
 * Run:              echo_upload 8080     and then     curl -T some.file http://localhost:8080/
 */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES 16384
#define REQUEST_BYTES (sizeof(HTTP_REQUEST) + 16384)

static HANDLE queue;

static DWORD WINAPI StopOnEnter(LPVOID unused)
{
    (void)unused;
    getchar();
    HttpShutdownRequestQueue(queue);
    return 0;
}

static void FromMemory(HTTP_DATA_CHUNK *chunk, const void *bytes, ULONG count)
{
    memset(chunk, 0, sizeof(*chunk));
    chunk->DataChunkType = HttpDataChunkFromMemory;
    chunk->FromMemory.pBuffer = (PVOID)bytes;
    chunk->FromMemory.BufferLength = count;
}

/* Sends the head alone and promises more. */
static ULONG SendHead(HTTP_REQUEST_ID id, BOOL chunked)
{
    HTTP_RESPONSE response;
    HTTP_KNOWN_HEADER *known = response.Headers.KnownHeaders;

    memset(&response, 0, sizeof(response));
    response.StatusCode = 200;
    response.pReason = "OK";
    response.ReasonLength = 2;
    known[HttpHeaderContentType].pRawValue = "application/octet-stream";
    known[HttpHeaderContentType].RawValueLength = 24;
    if (chunked) {
        known[HttpHeaderTransferEncoding].pRawValue = "chunked";
        known[HttpHeaderTransferEncoding].RawValueLength = 7;
    }
    return HttpSendHttpResponse(queue, id, HTTP_SEND_RESPONSE_FLAG_MORE_DATA, &response, NULL, NULL, NULL, 0, NULL,
                                NULL);
}

/* Sends a piece of the body: as one chunk with its size line, or as it is. */
static ULONG SendPiece(HTTP_REQUEST_ID id, BOOL chunked, const void *bytes, ULONG count)
{
    HTTP_DATA_CHUNK pieces[3];
    char size[16];
    int length = snprintf(size, sizeof(size), "%x\r\n", (unsigned)count);

    FromMemory(&pieces[0], size, (ULONG)length);
    FromMemory(&pieces[1], bytes, count);
    FromMemory(&pieces[2], "\r\n", 2);
    return HttpSendResponseEntityBody(queue, id, HTTP_SEND_RESPONSE_FLAG_MORE_DATA, chunked ? 3 : 1,
                                      chunked ? pieces : pieces + 1, NULL, NULL, 0, NULL, NULL);
}

/* Ends the answer: with the last chunk, or with the end of the connection. */
static ULONG SendEnd(HTTP_REQUEST_ID id, BOOL chunked)
{
    HTTP_DATA_CHUNK last;

    if (!chunked)
        return HttpSendResponseEntityBody(queue, id, HTTP_SEND_RESPONSE_FLAG_DISCONNECT, 0, NULL, NULL, NULL, 0, NULL,
                                          NULL);
    FromMemory(&last, "0\r\n\r\n", 5);
    return HttpSendResponseEntityBody(queue, id, 0, 1, &last, NULL, NULL, 0, NULL, NULL);
}

static ULONG Echo(const HTTP_REQUEST *request)
{
    static char piece[PIECE_BYTES];
    HTTP_REQUEST_ID id = request->RequestId;
    BOOL chunked = HTTP_GREATER_EQUAL_VERSION(request->Version, 1, 1);
    ULONG got, result = SendHead(id, chunked);

    if (request->Flags & HTTP_REQUEST_FLAG_MORE_ENTITY_BODY_EXISTS)
        while (result == NO_ERROR) {
            result = HttpReceiveRequestEntityBody(queue, id, 0, piece, sizeof(piece), &got, NULL);
            if (result == NO_ERROR)
                result = SendPiece(id, chunked, piece, got);
        }
    if (result == NO_ERROR || result == ERROR_HANDLE_EOF)
        return SendEnd(id, chunked);
    HttpCancelHttpRequest(queue, id, NULL); /* the client has gone, or sent nonsense: nothing more to say */
    return result;
}

static ULONG ReceiveLoop(void)
{
    HTTP_REQUEST *request = (HTTP_REQUEST *)malloc(REQUEST_BYTES);
    ULONG got, result = ERROR_NOT_ENOUGH_MEMORY;

    while (request != NULL) {
        result = HttpReceiveHttpRequest(queue, HTTP_NULL_ID, 0, request, REQUEST_BYTES, &got, NULL);
        if (result == NO_ERROR)
            result = Echo(request);
        else if (result == ERROR_MORE_DATA)
            HttpCancelHttpRequest(queue, request->RequestId, NULL);
        else if (result != ERROR_CONNECTION_INVALID)
            break;
    }
    free(request);
    return result;
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
    HANDLE thread;
    ULONG result;

    if (argc != 2) {
        printf("usage: echo_upload PORT\n");
        return 2;
    }
    result = HttpInitialize(version, HTTP_INITIALIZE_SERVER, NULL);
    if (result == NO_ERROR)
        result = OpenQueue(argv[1], &session);
    if (result != NO_ERROR) {
        printf("cannot start: error %u\n", (unsigned)result);
        return 1;
    }
    printf("listening on http://localhost:%s/\n", argv[1]);
    fflush(stdout);
    thread = CreateThread(NULL, 0, StopOnEnter, NULL, 0, NULL);
    ReceiveLoop();
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    HttpCloseServerSession(session);
    HttpCloseRequestQueue(queue);
    HttpTerminate(HTTP_INITIALIZE_SERVER, NULL);
    printf("stopped\n");
    return 0;
}

/*
 * server_v1.c - the HTTP Server API 1.0, as programs since Windows XP SP2 use it.
 *
 * Shows: HttpCreateHttpHandle and HttpAddUrl without session or group, wide arguments (wmain, L"..."), several URLs on
 * one queue, a method without a known verb, and a stop from another thread. Enter, or the end of the input, stops it.
 *
 * Build on Linux:   gcc -fshort-wchar -Iinclude examples-c/server_v1.c -Ltarget/release -lnthttp -o server_v1
 * Build on Windows: cl server_v1.c httpapi.lib
 * Run:              server_v1 http://localhost:8080/ http://localhost:8080/images/
 */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES (sizeof(HTTP_REQUEST_V1) + 16384)

static HANDLE queue;

/* Waits for Enter, then closes the queue, which ends the receive that waits on it. */
static DWORD WINAPI StopOnEnter(LPVOID unused)
{
    (void)unused;
    getchar();
    CloseHandle(queue);
    return 0;
}

static ULONG SendPage(HTTP_REQUEST_ID id, USHORT status, const char *reason, const char *page)
{
    HTTP_RESPONSE_V1 response;
    HTTP_DATA_CHUNK chunk;
    ULONG sent;

    memset(&response, 0, sizeof(response));
    response.StatusCode = status;
    response.pReason = reason;
    response.ReasonLength = (USHORT)strlen(reason);
    response.Headers.KnownHeaders[HttpHeaderContentType].pRawValue = "text/html; charset=utf-8";
    response.Headers.KnownHeaders[HttpHeaderContentType].RawValueLength = 24;

    memset(&chunk, 0, sizeof(chunk));
    chunk.DataChunkType = HttpDataChunkFromMemory;
    chunk.FromMemory.pBuffer = (PVOID)page;
    chunk.FromMemory.BufferLength = (ULONG)strlen(page);
    response.EntityChunkCount = 1;
    response.pEntityChunks = &chunk;
    return HttpSendHttpResponse(queue, id, 0, (PHTTP_RESPONSE)&response, NULL, &sent, NULL, 0, NULL, NULL);
}

static ULONG Answer(const HTTP_REQUEST_V1 *request)
{
    char page[1024], url[512];

    switch (request->Verb) {
    case HttpVerbGET:
        /* The cooked URL is wide and unescaped; pFullUrl ends in a zero. */
        if (WideCharToMultiByte(CP_UTF8, 0, request->CookedUrl.pFullUrl, -1, url, sizeof(url), NULL, NULL) == 0)
            return SendPage(request->RequestId, 414, "URI Too Long", "<p>too long</p>\n");
        snprintf(page, sizeof(page), "<p>You asked for %s</p>\n", url);
        return SendPage(request->RequestId, 200, "OK", page);
    case HttpVerbUnknown:
        snprintf(page, sizeof(page), "<p>The method %.*s is not known here</p>\n", (int)request->UnknownVerbLength,
                 request->pUnknownVerb);
        return SendPage(request->RequestId, 501, "Not Implemented", page);
    default:
        return SendPage(request->RequestId, 405, "Method Not Allowed", "<p>GET only</p>\n");
    }
}

static ULONG ReceiveLoop(void)
{
    HTTP_REQUEST_V1 *request = (HTTP_REQUEST_V1 *)malloc(BUFFER_BYTES);
    ULONG got, result = ERROR_NOT_ENOUGH_MEMORY;

    while (request != NULL) {
        result = HttpReceiveHttpRequest(queue, HTTP_NULL_ID, 0, (PHTTP_REQUEST)request, BUFFER_BYTES, &got, NULL);
        if (result == NO_ERROR)
            Answer(request);
        else if (result == ERROR_MORE_DATA)
            SendPage(request->RequestId, 431, "Request Header Fields Too Large", "<p>too large</p>\n");
        else if (result != ERROR_CONNECTION_INVALID)
            break;
    }
    free(request);
    return result;
}

int wmain(int argc, wchar_t **argv)
{
    HTTPAPI_VERSION version = HTTPAPI_VERSION_1;
    ULONG result;
    HANDLE thread;
    int i;

    if (argc < 2) {
        wprintf(L"usage: server_v1 URL [URL ...]\n");
        return 2;
    }
    result = HttpInitialize(version, HTTP_INITIALIZE_SERVER, NULL);
    if (result != NO_ERROR) {
        wprintf(L"HttpInitialize: error %u\n", (unsigned)result);
        return 1;
    }
    result = HttpCreateHttpHandle(&queue, 0);
    for (i = 1; result == NO_ERROR && i < argc; i++) {
        result = HttpAddUrl(queue, argv[i], NULL);
        wprintf(L"%ls: %ls\n", argv[i], result == NO_ERROR ? L"listening" : L"refused");
    }
    fflush(stdout);
    if (result == NO_ERROR) {
        thread = CreateThread(NULL, 0, StopOnEnter, NULL, 0, NULL);
        result = ReceiveLoop();
        WaitForSingleObject(thread, INFINITE);
        CloseHandle(thread);
    }
    wprintf(L"stopped with %u\n", (unsigned)result);
    HttpTerminate(HTTP_INITIALIZE_SERVER, NULL);
    return result == ERROR_OPERATION_ABORTED || result == ERROR_INVALID_HANDLE ? 0 : 1;
}

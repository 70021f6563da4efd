/* What the two nthttp servers of the benchmark share: a version 2 queue on 127.0.0.1, and the answer. */
#ifndef BENCH_NTHTTP_COMMON_H
#define BENCH_NTHTTP_COMMON_H

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>
#include <http.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_BUFFER_BYTES 4096

static void check(ULONG result, const char *what)
{
    if (result != NO_ERROR) {
        fprintf(stderr, "%s: %u\n", what, (unsigned)result);
        exit(1);
    }
}

/* A queue that receives every request for http://127.0.0.1:port/. Lives as long as the process. */
static HANDLE open_queue(const char *port)
{
    HTTPAPI_VERSION version = HTTPAPI_VERSION_2;
    HTTP_SERVER_SESSION_ID session;
    HTTP_URL_GROUP_ID group;
    HTTP_BINDING_INFO binding;
    HANDLE queue;
    WCHAR url[64];
    char text[64];
    int i;

    snprintf(text, sizeof(text), "http://127.0.0.1:%s/", port);
    for (i = 0; text[i] != 0; i++)
        url[i] = (WCHAR)text[i];
    url[i] = 0;
    check(HttpInitialize(version, HTTP_INITIALIZE_SERVER, NULL), "HttpInitialize");
    check(HttpCreateServerSession(version, &session, 0), "HttpCreateServerSession");
    check(HttpCreateUrlGroup(session, &group, 0), "HttpCreateUrlGroup");
    check(HttpAddUrlToUrlGroup(group, url, 0, 0), "HttpAddUrlToUrlGroup");
    check(HttpCreateRequestQueue(version, NULL, NULL, 0, &queue), "HttpCreateRequestQueue");
    memset(&binding, 0, sizeof(binding));
    binding.Flags.Present = 1;
    binding.RequestQueueHandle = queue;
    check(HttpSetUrlGroupProperty(group, HttpServerBindingProperty, &binding, sizeof(binding)), "binding");
    return queue;
}

/* Fills a 200 with a 13-byte body; `response` and `chunk` must outlive the send. */
static void fill_answer(HTTP_RESPONSE *response, HTTP_DATA_CHUNK *chunk)
{
    static char body[] = "Hello, world!";
    memset(response, 0, sizeof(*response));
    memset(chunk, 0, sizeof(*chunk));
    response->StatusCode = 200;
    response->pReason = "OK";
    response->ReasonLength = 2;
    chunk->DataChunkType = HttpDataChunkFromMemory;
    chunk->FromMemory.pBuffer = body;
    chunk->FromMemory.BufferLength = sizeof(body) - 1;
    response->EntityChunkCount = 1;
    response->pEntityChunks = chunk;
}

#endif

/* What most tests of the HTTP Server API need: a server on a free port, a receive, an answer. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#ifdef _WIN32
#include <winsock2.h>
#endif
#include <windows.h>
#include <http.h>
#include "harness.h"
#include "http_client.h"

/* Text in UTF-16 with and without -fshort-wchar. */
#define W(TEXT) ((PCWSTR)u##TEXT)

/* Names that older headers lack. */
#ifndef HTTP_RECEIVE_REQUEST_FLAG_FLUSH_BODY
#define HTTP_RECEIVE_REQUEST_FLAG_FLUSH_BODY 2
#endif
#ifndef HTTP_SEND_RESPONSE_FLAG_ENABLE_NAGLING
#define HTTP_SEND_RESPONSE_FLAG_ENABLE_NAGLING 8
#endif
#ifndef HTTP_SEND_RESPONSE_FLAG_PROCESS_RANGES
#define HTTP_SEND_RESPONSE_FLAG_PROCESS_RANGES 0x20
#endif
#ifndef HTTP_SEND_RESPONSE_FLAG_OPAQUE
#define HTTP_SEND_RESPONSE_FLAG_OPAQUE 0x40
#endif
#ifndef HTTP_SEND_RESPONSE_FLAG_GOAWAY
#define HTTP_SEND_RESPONSE_FLAG_GOAWAY 0x100
#endif
#ifndef HTTP_URL_FLAG_REMOVE_ALL
#define HTTP_URL_FLAG_REMOVE_ALL 1
#endif
#ifndef HTTP_CREATE_REQUEST_QUEUE_FLAG_OPEN_EXISTING
#define HTTP_CREATE_REQUEST_QUEUE_FLAG_OPEN_EXISTING 1
#endif
#ifndef HTTP_CREATE_REQUEST_QUEUE_FLAG_CONTROLLER
#define HTTP_CREATE_REQUEST_QUEUE_FLAG_CONTROLLER 2
#endif
#ifndef HTTP_REQUEST_FLAG_IP_ROUTED
#define HTTP_REQUEST_FLAG_IP_ROUTED 2
#endif
#ifndef HTTP_RESPONSE_INFO_FLAGS_PRESERVE_ORDER
#define HTTP_RESPONSE_INFO_FLAGS_PRESERVE_ORDER 1
#endif
#ifndef HTTP_RESPONSE_FLAG_MULTIPLE_ENCODINGS_AVAILABLE
#define HTTP_RESPONSE_FLAG_MULTIPLE_ENCODINGS_AVAILABLE 1
#endif
#ifndef HTTP_LIMIT_INFINITE
#define HTTP_LIMIT_INFINITE ((ULONG)-1)
#endif
#ifdef _WIN32
HTTPAPI_LINKAGE ULONG WINAPI HttpWaitForDisconnectEx(HANDLE queue, HTTP_CONNECTION_ID connection, ULONG reserved,
                                                     LPOVERLAPPED overlapped);
#endif

struct server {
    HTTP_SERVER_SESSION_ID session;
    HTTP_URL_GROUP_ID group;
    HANDLE queue;
    int port;
};

/* Text made like printf's, in UTF-16, in one of a few buffers used in turn. */
__attribute__((unused, format(printf, 1, 2))) static PCWSTR wide(const char *format, ...)
{
    static WCHAR buffers[8][1024];
    static int turn;
    char text[1024];
    WCHAR *out = buffers[turn = (turn + 1) % 8];
    size_t at;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    for (at = 0; at <= strlen(text); at++)
        out[at] = (WCHAR)(unsigned char)text[at];
    return out;
}

__attribute__((unused)) static HTTPAPI_VERSION version(USHORT major, USHORT minor)
{
    HTTPAPI_VERSION it;
    it.HttpApiMajorVersion = major;
    it.HttpApiMinorVersion = minor;
    return it;
}

__attribute__((unused)) static ULONG bind_group(HTTP_URL_GROUP_ID group, HANDLE queue)
{
    HTTP_BINDING_INFO info;
    memset(&info, 0, sizeof(info));
    info.Flags.Present = 1;
    info.RequestQueueHandle = queue;
    return HttpSetUrlGroupProperty(group, HttpServerBindingProperty, &info, sizeof(info));
}

/* A version 2 server without URLs. */
__attribute__((unused)) static void server_open_bare(struct server *it)
{
    memset(it, 0, sizeof(*it));
    it->port = free_port();
    REQUIRE(HttpInitialize(version(2, 0), HTTP_INITIALIZE_SERVER, NULL) == NO_ERROR);
    REQUIRE(HttpCreateServerSession(version(2, 0), &it->session, 0) == NO_ERROR);
    REQUIRE(HttpCreateUrlGroup(it->session, &it->group, 0) == NO_ERROR);
    REQUIRE(HttpCreateRequestQueue(version(2, 0), NULL, NULL, 0, &it->queue) == NO_ERROR);
    REQUIRE(bind_group(it->group, it->queue) == NO_ERROR);
}

/* A version 2 server on http://localhost:port/ with URL context 7. */
__attribute__((unused)) static void server_open(struct server *it)
{
    server_open_bare(it);
    REQUIRE(HttpAddUrlToUrlGroup(it->group, wide("http://localhost:%d/", it->port), 7, 0) == NO_ERROR);
}

/* A version 1 server on http://localhost:port/. */
__attribute__((unused)) static void server_open_v1(struct server *it)
{
    memset(it, 0, sizeof(*it));
    it->port = free_port();
    REQUIRE(HttpInitialize(version(1, 0), HTTP_INITIALIZE_SERVER, NULL) == NO_ERROR);
    REQUIRE(HttpCreateHttpHandle(&it->queue, 0) == NO_ERROR);
    REQUIRE(HttpAddUrl(it->queue, wide("http://localhost:%d/", it->port), NULL) == NO_ERROR);
}

__attribute__((unused)) static void server_close(struct server *it)
{
    if (it->session == 0)
        CHECK(CloseHandle(it->queue));
    else {
        CHECK_EQ(HttpCloseRequestQueue(it->queue), NO_ERROR);
        CHECK_EQ(HttpCloseUrlGroup(it->group), NO_ERROR);
        CHECK_EQ(HttpCloseServerSession(it->session), NO_ERROR);
    }
    CHECK_EQ(HttpTerminate(HTTP_INITIALIZE_SERVER, NULL), NO_ERROR);
}

/* A connection that has asked for a path. */
__attribute__((unused)) static int client_get(const struct server *it, const char *path)
{
    int client = client_connect(it->port);
    client_text(client, "GET %s HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", path, it->port);
    return client;
}

/* A request with room behind it. */
union request_buffer {
    HTTP_REQUEST request;
    char bytes[48 * 1024];
};

/* Receives the next request into `buffer`, blocking. */
__attribute__((unused)) static HTTP_REQUEST *receive_into(const struct server *it, union request_buffer *buffer, ULONG flags)
{
    ULONG bytes = 0;
    REQUIRE(HttpReceiveHttpRequest(it->queue, HTTP_NULL_ID, flags, &buffer->request, sizeof(*buffer), &bytes, NULL) == NO_ERROR);
    CHECK(bytes >= sizeof(HTTP_REQUEST_V1) && bytes <= sizeof(*buffer));
    return &buffer->request;
}

/* Receives the next request into a buffer that the next call uses again. */
__attribute__((unused)) static HTTP_REQUEST *receive(const struct server *it)
{
    static union request_buffer buffer;
    return receive_into(it, &buffer, 0);
}

/* A response with this status, reason and, unless NULL, body. `chunk` must outlive the send. */
__attribute__((unused)) static void make_response(HTTP_RESPONSE *response, HTTP_DATA_CHUNK *chunk, USHORT status,
                                                  const char *reason, const char *body)
{
    memset(response, 0, sizeof(*response));
    memset(chunk, 0, sizeof(*chunk));
    response->StatusCode = status;
    response->pReason = reason;
    response->ReasonLength = (USHORT)strlen(reason);
    if (body) {
        chunk->DataChunkType = HttpDataChunkFromMemory;
        chunk->FromMemory.pBuffer = (PVOID)(uintptr_t)body;
        chunk->FromMemory.BufferLength = (ULONG)strlen(body);
        response->EntityChunkCount = 1;
        response->pEntityChunks = chunk;
    }
}

__attribute__((unused)) static void set_known(HTTP_RESPONSE *response, HTTP_HEADER_ID id, const char *value)
{
    response->Headers.KnownHeaders[id].pRawValue = value;
    response->Headers.KnownHeaders[id].RawValueLength = (USHORT)strlen(value);
}

__attribute__((unused)) static ULONG send_response(const struct server *it, HTTP_REQUEST_ID id, ULONG flags,
                                                   HTTP_RESPONSE *response, ULONG *sent)
{
    return HttpSendHttpResponse(it->queue, id, flags, response, NULL, sent, NULL, 0, NULL, NULL);
}

__attribute__((unused)) static ULONG send_body(const struct server *it, HTTP_REQUEST_ID id, ULONG flags, const char *body)
{
    HTTP_DATA_CHUNK chunk;
    memset(&chunk, 0, sizeof(chunk));
    chunk.DataChunkType = HttpDataChunkFromMemory;
    chunk.FromMemory.pBuffer = (PVOID)(uintptr_t)body;
    chunk.FromMemory.BufferLength = body ? (ULONG)strlen(body) : 0;
    return HttpSendResponseEntityBody(it->queue, id, flags, body ? 1 : 0, body ? &chunk : NULL, NULL, NULL, 0, NULL, NULL);
}

/* 200 OK with a body. */
__attribute__((unused)) static ULONG answer(const struct server *it, HTTP_REQUEST_ID id, const char *body)
{
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    make_response(&response, &chunk, 200, "OK", body);
    return send_response(it, id, 0, &response, NULL);
}

#endif

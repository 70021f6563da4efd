/* The entries of pRequestInfo: who gets which, how they lie in the buffer, and what they tell; and BytesReceived.
 * gate: not-mingw (its headers lack the structures) */
#include "http_server.h"
#include <mstcpip.h>
#include <nthttp/nthttp.h>

static struct reply reply;

#define BIT(NAME) (1u << HttpRequestInfoType##NAME)
#define ALL (BIT(RequestTiming) | BIT(TcpInfoV0) | BIT(RequestSizing) | BIT(TcpInfoV1))

static NTHTTP_REQUEST_INFO_TYPES wanting(ULONG types)
{
    NTHTTP_REQUEST_INFO_TYPES it;
    memset(&it, 0, sizeof(it));
    it.Flags.Present = 1;
    it.Types = types;
    return it;
}

static ULONG want(const struct server *server, ULONG types)
{
    NTHTTP_REQUEST_INFO_TYPES it = wanting(types);
    return HttpSetUrlGroupProperty(server->group, NTHTTP_SERVER_REQUEST_INFO_PROPERTY, &it, sizeof(it));
}

/* The structure of a type, checked to lie aligned inside the buffer; NULL if there is none. */
static const void *info_of(const union request_buffer *buffer, HTTP_REQUEST_INFO_TYPE type, ULONG size)
{
    const HTTP_REQUEST *request = &buffer->request;
    USHORT at;
    for (at = 0; at < request->RequestInfoCount; at++) {
        const HTTP_REQUEST_INFO *info = &request->pRequestInfo[at];
        const char *start = info->pInfo;
        if (info->InfoType != type)
            continue;
        CHECK_EQ(info->InfoLength, size);
        CHECK((uintptr_t)start % 8 == 0);
        CHECK(start > (const char *)buffer && start + size <= (const char *)buffer + sizeof(*buffer));
        return start;
    }
    return NULL;
}

static union request_buffer buffer;

TEST(test_request_info__nothing_unless_asked_for)
{
    struct server server;
    HTTP_REQUEST *request;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    request = receive_into(&server, &buffer, 0);
    CHECK_EQ(request->RequestInfoCount, 0);
    CHECK(request->pRequestInfo == NULL);
    close(client);
    server_close(&server);
}

TEST(test_request_info__each_entry_tells_its_part)
{
    struct server server;
    const HTTP_REQUEST_TIMING_INFO *timing;
    const HTTP_REQUEST_SIZING_INFO *sizing;
    const TCP_INFO_v0 *v0;
    const TCP_INFO_v1 *v1;
    LARGE_INTEGER now;
    HTTP_REQUEST *request;
    size_t at;
    int client;
    static const int order[] = {HttpRequestTimingTypeConnectionStart, HttpRequestTimingTypeDataStart,
                                HttpRequestTimingTypeRequestHeaderParseStart, HttpRequestTimingTypeRequestHeaderParseEnd,
                                HttpRequestTimingTypeRequestRoutingStart, HttpRequestTimingTypeRequestRoutingEnd,
                                HttpRequestTimingTypeRequestQueuedForIO, HttpRequestTimingTypeRequestDeliveredForIO};
    server_open(&server);
    CHECK_EQ(want(&server, ALL), NO_ERROR);
    client = client_connect(server.port);
    client_text(client, "GET /first HTTP/1.1\r\nHost: localhost:%d\r\nX-Unknown: 1\r\n\r\n", server.port);
    request = receive_into(&server, &buffer, 0);
    CHECK_EQ(request->RequestInfoCount, 4);
    timing = info_of(&buffer, HttpRequestInfoTypeRequestTiming, sizeof(*timing));
    sizing = info_of(&buffer, HttpRequestInfoTypeRequestSizing, sizeof(*sizing));
    v0 = info_of(&buffer, HttpRequestInfoTypeTcpInfoV0, sizeof(*v0));
    v1 = info_of(&buffer, HttpRequestInfoTypeTcpInfoV1, sizeof(*v1));
    REQUIRE(timing && sizing && v0 && v1);
    CHECK_EQ(timing->RequestTimingCount, HttpRequestTimingTypeMax);
    CHECK(timing->RequestTiming[order[0]] != 0);
    for (at = 1; at < sizeof(order) / sizeof(order[0]); at++)
        CHECK(timing->RequestTiming[order[at]] >= timing->RequestTiming[order[at - 1]]);
    CHECK(QueryPerformanceCounter(&now));
    CHECK(timing->RequestTiming[order[7]] <= (ULONGLONG)now.QuadPart);
    CHECK_EQ(timing->RequestTiming[HttpRequestTimingTypeHttp2StreamStart], 0);
    CHECK_EQ(sizing->Flags, HTTP_REQUEST_SIZING_INFO_FLAG_FIRST_REQUEST);
    CHECK_EQ(sizing->RequestIndex, 0);
    CHECK_EQ(sizing->RequestSizingCount, HttpRequestSizingTypeMax);
    CHECK_EQ(sizing->RequestSizing[HttpRequestSizingTypeHeaders], request->BytesReceived);
    CHECK_EQ(sizing->RequestSizing[HttpRequestSizingTypeTlsHandshakeLeg1ClientData], 0);
    CHECK_EQ(v0->State, 4);
    CHECK(v0->Mss > 0 && v0->Mss == v1->Mss && v0->BytesIn >= request->BytesReceived);
    CHECK_EQ(request->Headers.UnknownHeaderCount, 1);
    CHECK_BYTES(request->Headers.pUnknownHeaders[0].pName, request->Headers.pUnknownHeaders[0].NameLength, "X-Unknown");
    CHECK_EQ(answer(&server, request->RequestId, "x"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    client_text(client, "GET /second HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", server.port);
    receive_into(&server, &buffer, 0);
    sizing = info_of(&buffer, HttpRequestInfoTypeRequestSizing, sizeof(*sizing));
    REQUIRE(sizing != NULL);
    CHECK_EQ(sizing->Flags, 0);
    CHECK_EQ(sizing->RequestIndex, 1);
    close(client);
    server_close(&server);
}

TEST(test_request_info__counts_in_the_size_needed)
{
    struct server server;
    ULONG without, with = 0, bytes = 0;
    HTTP_REQUEST_ID id;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, HTTP_NULL_ID, 0, &buffer.request, sizeof(HTTP_REQUEST), &without, NULL), ERROR_MORE_DATA);
    CHECK_EQ(answer(&server, buffer.request.RequestId, "x"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    CHECK_EQ(want(&server, ALL), NO_ERROR);
    client_text(client, "GET / HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", server.port);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, HTTP_NULL_ID, 0, &buffer.request, sizeof(HTTP_REQUEST), &with, NULL), ERROR_MORE_DATA);
    CHECK_EQ(with, without + 4 * sizeof(HTTP_REQUEST_INFO) + sizeof(HTTP_REQUEST_TIMING_INFO) + sizeof(HTTP_REQUEST_SIZING_INFO) +
                       sizeof(TCP_INFO_v0) + sizeof(TCP_INFO_v1));
    CHECK_EQ(buffer.request.RequestInfoCount, 0);
    id = buffer.request.RequestId;
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, id, 0, &buffer.request, with - 1, &bytes, NULL), ERROR_MORE_DATA);
    CHECK_EQ(bytes, with);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, id, 0, &buffer.request, with, &bytes, NULL), NO_ERROR);
    CHECK_EQ(bytes, with);
    CHECK_EQ(buffer.request.RequestInfoCount, 4);
    close(client);
    server_close(&server);
}

TEST(test_request_info__the_property)
{
    struct server server;
    NTHTTP_REQUEST_INFO_TYPES it = wanting(BIT(RequestSizing)), none;
    ULONG size = 0;
    int client;
    server_open(&server);
    CHECK_EQ(want(&server, BIT(Auth)), ERROR_INVALID_PARAMETER);
    CHECK_EQ(want(&server, BIT(QuicStats)), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, NTHTTP_SERVER_REQUEST_INFO_PROPERTY, &it, sizeof(it) - 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetRequestQueueProperty(server.queue, NTHTTP_SERVER_REQUEST_INFO_PROPERTY, &it, sizeof(it), 0, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpQueryUrlGroupProperty(server.group, NTHTTP_SERVER_REQUEST_INFO_PROPERTY, &it, sizeof(it), &size), NO_ERROR);
    CHECK_EQ(it.Flags.Present, 0);
    CHECK_EQ(size, sizeof(it));
    it = wanting(BIT(RequestSizing));
    CHECK_EQ(HttpSetServerSessionProperty(server.session, NTHTTP_SERVER_REQUEST_INFO_PROPERTY, &it, sizeof(it)), NO_ERROR);
    client = client_get(&server, "/");
    CHECK_EQ(receive_into(&server, &buffer, 0)->RequestInfoCount, 1);
    CHECK_EQ(buffer.request.pRequestInfo[0].InfoType, HttpRequestInfoTypeRequestSizing);
    close(client);
    /* The group's own goes before the session's, and is taken back. */
    CHECK_EQ(want(&server, 0), NO_ERROR);
    client = client_get(&server, "/");
    CHECK_EQ(receive_into(&server, &buffer, 0)->RequestInfoCount, 0);
    close(client);
    CHECK_EQ(HttpQueryServerSessionProperty(server.session, NTHTTP_SERVER_REQUEST_INFO_PROPERTY, &it, sizeof(it), &size), NO_ERROR);
    CHECK_EQ(it.Flags.Present, 1);
    CHECK_EQ(it.Types, BIT(RequestSizing));
    memset(&none, 0, sizeof(none));
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, NTHTTP_SERVER_REQUEST_INFO_PROPERTY, &none, sizeof(none)), NO_ERROR);
    client = client_get(&server, "/");
    CHECK_EQ(receive_into(&server, &buffer, 0)->RequestInfoCount, 1);
    close(client);
    server_close(&server);
}

/* BytesReceived is the request's own: what is pipelined behind it does not count. */
static void received(const struct server *server, const char *sent, ULONGLONG at_first, ULONGLONG at_last)
{
    static char body[4096];
    ULONG bytes, code;
    HTTP_REQUEST *request;
    HTTP_REQUEST_ID id;
    int client = client_connect(server->port);
    client_text(client, "%sGET /behind HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", sent, server->port);
    request = receive_into(server, &buffer, 0);
    id = request->RequestId;
    CHECK_EQ(request->BytesReceived, at_first);
    do
        code = HttpReceiveRequestEntityBody(server->queue, id, 0, body, 3, &bytes, NULL);
    while (code == NO_ERROR);
    CHECK_EQ(code, ERROR_HANDLE_EOF);
    CHECK_EQ(HttpReceiveHttpRequest(server->queue, id, 0, &buffer.request, sizeof(buffer), &bytes, NULL), NO_ERROR);
    CHECK_EQ(buffer.request.BytesReceived, at_last);
    CHECK_EQ(answer(server, id, "x"), NO_ERROR);
    CHECK_EQ(answer(server, receive_into(server, &buffer, 0)->RequestId, "y"), NO_ERROR);
    close(client);
}

TEST(test_request_info__bytes_received_are_the_requests_own)
{
    struct server server;
    char text[512];
    size_t head;
    server_open(&server);
    head = (size_t)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", server.port);
    received(&server, text, head, head);
    head = (size_t)snprintf(text, sizeof(text), "POST / HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 10\r\n\r\n", server.port);
    strcat(text, "0123456789");
    received(&server, text, head + 10, head + 10);
    head = (size_t)snprintf(text, sizeof(text), "POST / HTTP/1.1\r\nHost: localhost:%d\r\nTransfer-Encoding: chunked\r\n\r\n", server.port);
    strcat(text, "5\r\nhello\r\n0\r\n\r\n");
    received(&server, text, head + 15, head + 15);
    server_close(&server);
}

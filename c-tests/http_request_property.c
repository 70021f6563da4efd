/* Properties of requests, and the calls about URLs and pushes.
 * gate: not-mingw (its headers lack these functions) */
#include "http_server.h"
#include <winsock2.h>
#include <mstcpip.h>

static struct reply reply;

TEST(test_request_property__tcp_info)
{
    struct server server;
    TCP_INFO_v0 v0;
    TCP_INFO_v1 v1;
    ULONGLONG backlog = 0;
    ULONG size = 0;
    HTTP_REQUEST_ID id;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
#define QUERY(PROPERTY, WHERE, SIZE) HttpQueryRequestProperty(server.queue, id, PROPERTY, NULL, 0, WHERE, SIZE, &size, NULL)
    memset(&v0, 0xEE, sizeof(v0));
    CHECK_EQ(QUERY(HttpRequestPropertyTcpInfoV0, &v0, sizeof(v0)), NO_ERROR);
    CHECK_EQ(size, sizeof(v0));
    CHECK_EQ(v0.State, 4);
    CHECK(v0.Mss > 0 && v0.Cwnd > 0 && v0.RcvBuf > 0 && v0.BytesIn > 20);
    CHECK_EQ(QUERY(HttpRequestPropertyTcpInfoV1, &v1, sizeof(v1)), NO_ERROR);
    CHECK_EQ(size, sizeof(v1));
    CHECK_EQ(v1.Mss, v0.Mss);
    CHECK_EQ(QUERY(HttpRequestPropertyIsb, &backlog, sizeof(backlog)), NO_ERROR);
    CHECK(backlog > 0);
    CHECK_EQ(QUERY(HttpRequestPropertyTcpInfoV0, &v0, sizeof(v0) - 1), ERROR_MORE_DATA);
    CHECK_EQ(size, sizeof(v0));
    CHECK_EQ(QUERY(HttpRequestPropertyTcpInfoV0, NULL, 0), ERROR_MORE_DATA);
    CHECK_EQ(QUERY(HttpRequestPropertyTcpInfoV0, NULL, 8), ERROR_INVALID_PARAMETER);
    CHECK_EQ(answer(&server, id, "x"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    CHECK_EQ(QUERY(HttpRequestPropertyTcpInfoV0, &v0, sizeof(v0)), ERROR_CONNECTION_INVALID);
    close(client);
    server_close(&server);
}

TEST(test_request_property__what_this_connection_has_not)
{
    static const HTTP_REQUEST_PROPERTY lacking[] = {HttpRequestPropertyQuicStats, HttpRequestPropertySni, HttpRequestPropertyWskApiTimings,
                                                    HttpRequestPropertyQuicApiTimings, HttpRequestPropertyTlsClientHello,
                                                    HttpRequestPropertyTlsCipherInfo};
    struct server server;
    char out[1024];
    ULONG size = 0;
    HTTP_REQUEST_ID id;
    size_t at;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    for (at = 0; at < sizeof(lacking) / sizeof(lacking[0]); at++)
        CHECK_EQ(QUERY(lacking[at], out, sizeof(out)), ERROR_INVALID_FUNCTION);
    CHECK_EQ(QUERY((HTTP_REQUEST_PROPERTY)99, out, sizeof(out)), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpQueryRequestProperty(server.queue, id, HttpRequestPropertyDscpTag, out, 1, out, sizeof(out), &size, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpQueryRequestProperty(NULL, id, HttpRequestPropertyDscpTag, NULL, 0, out, sizeof(out), &size, NULL), ERROR_INVALID_HANDLE);
    id++;
    CHECK_EQ(QUERY(HttpRequestPropertyDscpTag, out, sizeof(out)), ERROR_CONNECTION_INVALID);
    close(client);
    server_close(&server);
}

TEST(test_request_property__set_and_read_back)
{
    struct server server;
    HTTP_REQUEST_PROPERTY_STREAM_ERROR error = {8};
    USHORT seconds = 33;
    BYTE code = 46;
    ULONG size = 0;
    HTTP_REQUEST_ID id;
    OVERLAPPED overlapped;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    CHECK_EQ(HttpSetRequestProperty(server.queue, id, HttpRequestPropertyTransportIdleConnectionTimeout, &seconds, sizeof(seconds), NULL), NO_ERROR);
    seconds = 0;
    CHECK_EQ(QUERY(HttpRequestPropertyTransportIdleConnectionTimeout, &seconds, sizeof(seconds)), NO_ERROR);
    CHECK_EQ(seconds, 33);
    memset(&overlapped, 0, sizeof(overlapped));
    overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    CHECK_EQ(HttpSetRequestProperty(server.queue, id, HttpRequestPropertyDscpTag, &code, sizeof(code), &overlapped), NO_ERROR);
    CHECK_EQ(WaitForSingleObject(overlapped.hEvent, 10000), WAIT_OBJECT_0);
    CloseHandle(overlapped.hEvent);
    code = 0;
    CHECK_EQ(QUERY(HttpRequestPropertyDscpTag, &code, sizeof(code)), NO_ERROR);
    CHECK_EQ(code, 46);
    code = 64;
    CHECK_EQ(HttpSetRequestProperty(server.queue, id, HttpRequestPropertyDscpTag, &code, sizeof(code), NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetRequestProperty(server.queue, id, HttpRequestPropertyStreamError, &error, sizeof(error), NULL), NO_ERROR);
    CHECK_EQ(HttpSetRequestProperty(server.queue, id, HttpRequestPropertyStreamError, &error, 3, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetRequestProperty(server.queue, id, HttpRequestPropertyStreamError, NULL, 4, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetRequestProperty(server.queue, id, HttpRequestPropertyTcpInfoV0, &error, sizeof(error), NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetRequestProperty(server.queue, id + 1, HttpRequestPropertyStreamError, &error, sizeof(error), NULL), ERROR_CONNECTION_INVALID);
    close(client);
    server_close(&server);
}

static int same(PCWSTR got, const char *wanted)
{
    size_t at;
    for (at = 0; wanted[at]; at++)
        if (got[at] != (WCHAR)(unsigned char)wanted[at])
            return 0;
    return got[at] == 0;
}

TEST(test_prepare_url__canonical_form)
{
    static const struct {
        PCWSTR url;
        const char *wanted;
    } rows[] = {
        {W("http://LocalHost:80/App"), "http://localhost:80/App/"},
        {W("http://B\u00dcCHER.example:80/"), "http://xn--bcher-kva.example:80/"},
        {W("http://[0:0:0:0:0:0:0:1]:80/"), "http://[::1]:80/"},
        {W("https://+:443/a%20b/"), "https://+:443/a b/"},
        {W("HTTPS://Example.org.:443/A"), "https://example.org:443/A/"},
    };
    PWSTR prepared;
    size_t at;
    for (at = 0; at < sizeof(rows) / sizeof(rows[0]); at++) {
        prepared = NULL;
        CHECK_EQ(HttpPrepareUrl(NULL, 0, rows[at].url, &prepared), NO_ERROR);
        REQUIRE(prepared != NULL);
        CHECK(same(prepared, rows[at].wanted));
        CHECK(HeapFree(GetProcessHeap(), 0, prepared));
    }
    CHECK_EQ(HttpPrepareUrl(NULL, 0, W("localhost"), &prepared), ERROR_INVALID_PARAMETER);
    CHECK(prepared == NULL);
    CHECK_EQ(HttpPrepareUrl(NULL, 0, NULL, &prepared), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpPrepareUrl(NULL, 1, rows[0].url, &prepared), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpPrepareUrl(&prepared, 0, rows[0].url, &prepared), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpPrepareUrl(NULL, 0, rows[0].url, NULL), ERROR_INVALID_PARAMETER);
}

TEST(test_prepare_url__international_names_are_served)
{
    struct server server;
    int client;
    server_open_bare(&server);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("http://b%ccher.example:%d/", 0xFC, server.port), 5, 0), NO_ERROR);
    client = client_connect(server.port);
    client_text(client, "GET / HTTP/1.1\r\nHost: xn--bcher-kva.example\r\n\r\n");
    CHECK_EQ(receive(&server)->UrlContext, 5);
    close(client);
    server_close(&server);
}

TEST(test_find_url_group__of_a_queue)
{
    struct server server, other;
    HTTP_URL_GROUP_ID found = 0;
    server_open(&server);
    server_open_bare(&other);
    CHECK_EQ(HttpFindUrlGroupId(wide("http://LOCALHOST:%d/", server.port), server.queue, &found), NO_ERROR);
    CHECK_EQ(found, server.group);
    CHECK_EQ(HttpFindUrlGroupId(wide("http://localhost:%d/x/", server.port), server.queue, &found), ERROR_FILE_NOT_FOUND);
    CHECK_EQ(HttpFindUrlGroupId(wide("http://localhost:%d/", server.port), other.queue, &found), ERROR_FILE_NOT_FOUND);
    CHECK_EQ(HttpFindUrlGroupId(W("x"), server.queue, &found), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpFindUrlGroupId(NULL, server.queue, &found), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpFindUrlGroupId(W("http://a:1/"), server.queue, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpFindUrlGroupId(W("http://a:1/"), NULL, &found), ERROR_INVALID_HANDLE);
    server_close(&other);
    server_close(&server);
}

TEST(test_declare_push__is_checked_and_does_nothing)
{
    struct server server;
    HTTP_REQUEST_HEADERS headers;
    HTTP_REQUEST_ID id;
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    memset(&headers, 0, sizeof(headers));
    CHECK_EQ(HttpDeclarePush(server.queue, id, HttpVerbGET, W("/style.css"), "v=1", &headers), NO_ERROR);
    CHECK_EQ(HttpDeclarePush(server.queue, id, HttpVerbHEAD, W("/style.css"), NULL, NULL), NO_ERROR);
    CHECK_EQ(HttpDeclarePush(server.queue, id, HttpVerbPOST, W("/style.css"), NULL, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpDeclarePush(server.queue, id, HttpVerbGET, W("style.css"), NULL, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpDeclarePush(server.queue, id, HttpVerbGET, NULL, NULL, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpDeclarePush(server.queue, id, HttpVerbGET, W("/"), "?v=1", NULL), ERROR_INVALID_PARAMETER);
    headers.KnownHeaders[HttpHeaderContentLength].pRawValue = "0";
    headers.KnownHeaders[HttpHeaderContentLength].RawValueLength = 1;
    CHECK_EQ(HttpDeclarePush(server.queue, id, HttpVerbGET, W("/"), NULL, &headers), NO_ERROR);
    headers.KnownHeaders[HttpHeaderContentLength].pRawValue = "5";
    CHECK_EQ(HttpDeclarePush(server.queue, id, HttpVerbGET, W("/"), NULL, &headers), ERROR_INVALID_PARAMETER);
    memset(&headers, 0, sizeof(headers));
    headers.KnownHeaders[HttpHeaderHost].pRawValue = "x";
    headers.KnownHeaders[HttpHeaderHost].RawValueLength = 1;
    CHECK_EQ(HttpDeclarePush(server.queue, id, HttpVerbGET, W("/"), NULL, &headers), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpDeclarePush(server.queue, id + 1, HttpVerbGET, W("/"), NULL, NULL), ERROR_CONNECTION_INVALID);
    CHECK_EQ(HttpDeclarePush(NULL, id, HttpVerbGET, W("/"), NULL, NULL), ERROR_INVALID_HANDLE);
    CHECK_EQ(answer(&server, id, "x"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    close(client);
    server_close(&server);
}

/* HttpReceiveHttpRequest: what is told of a request, and the two-call protocol to the byte. */
#include "http_server.h"

static int same_units(PCWSTR units, USHORT bytes, const char *text)
{
    size_t at, length = strlen(text);
    if (bytes != length * 2)
        return 0;
    for (at = 0; at < length; at++)
        if (units[at] != (WCHAR)(unsigned char)text[at])
            return 0;
    return 1;
}

static const HTTP_UNKNOWN_HEADER *unknown_header(const HTTP_REQUEST *request, const char *name)
{
    USHORT at;
    for (at = 0; at < request->Headers.UnknownHeaderCount; at++) {
        const HTTP_UNKNOWN_HEADER *it = &request->Headers.pUnknownHeaders[at];
        if (it->NameLength == strlen(name) && memcmp(it->pName, name, it->NameLength) == 0)
            return it;
    }
    return NULL;
}

#define CHECK_KNOWN(REQUEST, ID, TEXT)                                                                                 \
    do {                                                                                                               \
        const HTTP_KNOWN_HEADER *known_ = &(REQUEST)->Headers.KnownHeaders[ID];                                        \
        if (CHECK(known_->pRawValue != NULL)) {                                                                        \
            CHECK_BYTES(known_->pRawValue, known_->RawValueLength, TEXT);                                              \
            CHECK_EQ(known_->pRawValue[known_->RawValueLength], 0);                                                    \
        }                                                                                                              \
    } while (0)

TEST(test_receive__tells_a_plain_request)
{
    struct server server;
    HTTP_REQUEST *request;
    int client;
    server_open(&server);
    client = client_get(&server, "/foobar?a=b");
    request = receive(&server);
    CHECK(request->RequestId != 0);
    CHECK(request->ConnectionId != 0);
    CHECK_EQ(request->Flags, 0);
    CHECK_EQ(request->UrlContext, 7);
    CHECK_EQ(request->Version.MajorVersion, 1);
    CHECK_EQ(request->Version.MinorVersion, 1);
    CHECK_EQ(request->Verb, HttpVerbGET);
    CHECK_EQ(request->UnknownVerbLength, 0);
    CHECK(request->pUnknownVerb == NULL);
    CHECK_BYTES(request->pRawUrl, request->RawUrlLength, "/foobar?a=b");
    CHECK_EQ(request->pRawUrl[request->RawUrlLength], 0);
    CHECK(request->pSslInfo == NULL);
    CHECK_EQ(request->RawConnectionId, 0);
    CHECK_EQ(request->RequestInfoCount, 0);
    CHECK(request->pRequestInfo == NULL);
    CHECK_EQ(request->EntityChunkCount, 0);
    CHECK(request->pEntityChunks == NULL);
    CHECK_EQ(request->Headers.UnknownHeaderCount, 0);
    CHECK(request->Headers.pUnknownHeaders == NULL);
    CHECK_EQ(request->Headers.TrailerCount, 0);
    CHECK(request->Headers.pTrailers == NULL);
    close(client);
    server_close(&server);
}

TEST(test_receive__cooks_the_url)
{
    struct server server;
    HTTP_REQUEST *request;
    HTTP_COOKED_URL *url;
    char full[128], host[64];
    int client;
    server_open(&server);
    client = client_get(&server, "/foobar?a=b");
    request = receive(&server);
    url = &request->CookedUrl;
    snprintf(host, sizeof(host), "localhost:%d", server.port);
    snprintf(full, sizeof(full), "http://%s/foobar?a=b", host);
    CHECK(same_units(url->pFullUrl, url->FullUrlLength, full));
    CHECK_EQ(url->pFullUrl[url->FullUrlLength / 2], 0);
    CHECK(same_units(url->pHost, url->HostLength, host));
    CHECK(url->pHost == url->pFullUrl + 7);
    CHECK(same_units(url->pAbsPath, url->AbsPathLength, "/foobar"));
    CHECK(url->pAbsPath == url->pHost + url->HostLength / 2);
    CHECK(same_units(url->pQueryString, url->QueryStringLength, "?a=b"));
    CHECK(url->pQueryString == url->pAbsPath + url->AbsPathLength / 2);
    close(client);
    server_close(&server);
}

TEST(test_receive__cooks_decoded_paths_and_missing_parts)
{
    struct server server;
    HTTP_REQUEST *request;
    char full[128];
    int client;
    server_open(&server);
    client = client_connect(server.port);
    client_text(client, "GET /a/../b%%20c HTTP/1.1\r\nHost: LocalHost\r\n\r\n");
    request = receive(&server);
    snprintf(full, sizeof(full), "http://LocalHost:%d/b c", server.port);
    CHECK(same_units(request->CookedUrl.pFullUrl, request->CookedUrl.FullUrlLength, full));
    CHECK(same_units(request->CookedUrl.pAbsPath, request->CookedUrl.AbsPathLength, "/b c"));
    CHECK(request->CookedUrl.pQueryString == NULL);
    CHECK_EQ(request->CookedUrl.QueryStringLength, 0);
    CHECK_BYTES(request->pRawUrl, request->RawUrlLength, "/a/../b%20c");
    CHECK_EQ(answer(&server, request->RequestId, ""), NO_ERROR);
    client_text(client, "GET /gr%%C3%%BC%%C3%%9Fe HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", server.port);
    request = receive(&server);
    CHECK_EQ(request->CookedUrl.AbsPathLength, 12);
    CHECK_EQ(request->CookedUrl.pAbsPath[3], 0xFC);
    CHECK_EQ(request->CookedUrl.pAbsPath[4], 0xDF);
    close(client);
    server_close(&server);
}

TEST(test_receive__absolute_target_overrides_host)
{
    struct server server;
    HTTP_REQUEST *request;
    char text[128];
    int client;
    server_open(&server);
    client = client_connect(server.port);
    client_text(client, "GET http://localhost:%d/x?y HTTP/1.1\r\nHost: elsewhere\r\n\r\n", server.port);
    request = receive(&server);
    snprintf(text, sizeof(text), "http://localhost:%d/x?y", server.port);
    CHECK_BYTES(request->pRawUrl, request->RawUrlLength, text);
    CHECK(same_units(request->CookedUrl.pFullUrl, request->CookedUrl.FullUrlLength, text));
    snprintf(text, sizeof(text), "localhost:%d", server.port);
    CHECK(same_units(request->CookedUrl.pHost, request->CookedUrl.HostLength, text));
    CHECK_KNOWN(request, HttpHeaderHost, "elsewhere");
    close(client);
    server_close(&server);
}

TEST(test_receive__tells_verbs)
{
    static const struct { const char *text; HTTP_VERB verb; } verbs[] = {
        {"OPTIONS", HttpVerbOPTIONS}, {"HEAD", HttpVerbHEAD}, {"DELETE", HttpVerbDELETE}, {"TRACE", HttpVerbTRACE},
        {"TRACK", HttpVerbTRACK}, {"MOVE", HttpVerbMOVE}, {"COPY", HttpVerbCOPY}, {"PROPFIND", HttpVerbPROPFIND},
        {"PROPPATCH", HttpVerbPROPPATCH}, {"MKCOL", HttpVerbMKCOL}, {"LOCK", HttpVerbLOCK},
        {"UNLOCK", HttpVerbUNLOCK}, {"SEARCH", HttpVerbSEARCH}, {"xyzzy", HttpVerbUnknown}, {"get", HttpVerbUnknown},
    };
    struct server server;
    size_t at;
    server_open(&server);
    for (at = 0; at < sizeof(verbs) / sizeof(verbs[0]); at++) {
        int client = client_connect(server.port);
        HTTP_REQUEST *request;
        client_text(client, "%s / HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", verbs[at].text, server.port);
        request = receive(&server);
        CHECK_EQ(request->Verb, verbs[at].verb);
        if (verbs[at].verb == HttpVerbUnknown) {
            CHECK_BYTES(request->pUnknownVerb, request->UnknownVerbLength, verbs[at].text);
            CHECK_EQ(request->pUnknownVerb[request->UnknownVerbLength], 0);
        } else
            CHECK(request->pUnknownVerb == NULL);
        close(client);
    }
    server_close(&server);
}

TEST(test_receive__tells_fields)
{
    struct server server;
    HTTP_REQUEST *request;
    const HTTP_UNKNOWN_HEADER *unknown;
    int client;
    server_open(&server);
    client = client_connect(server.port);
    client_text(client,
                "GET / HTTP/1.1\r\nhOST: localhost:%d\r\nACCEPT:   text/html \t\r\nX-One: 1\r\naccept: text/plain\r\n"
                "Accept-Encoding:\r\nx-one: 2\r\nX-Empty: \r\nCookie: a=1\r\nReferer: r\r\nUser-Agent: u\r\nX-ONE: 3\r\n\r\n",
                server.port);
    request = receive(&server);
    CHECK_KNOWN(request, HttpHeaderAccept, "text/html, text/plain");
    CHECK_KNOWN(request, HttpHeaderAcceptEncoding, "");
    CHECK_KNOWN(request, HttpHeaderCookie, "a=1");
    CHECK_KNOWN(request, HttpHeaderReferer, "r");
    CHECK_KNOWN(request, HttpHeaderUserAgent, "u");
    CHECK(request->Headers.KnownHeaders[HttpHeaderRange].pRawValue == NULL);
    CHECK_EQ(request->Headers.KnownHeaders[HttpHeaderRange].RawValueLength, 0);
    CHECK_EQ(request->Headers.UnknownHeaderCount, 2);
    unknown = unknown_header(request, "X-One");
    REQUIRE(unknown != NULL);
    CHECK_BYTES(unknown->pRawValue, unknown->RawValueLength, "1, 2, 3");
    CHECK_EQ(unknown->pRawValue[unknown->RawValueLength], 0);
    CHECK_EQ(unknown->pName[unknown->NameLength], 0);
    unknown = unknown_header(request, "X-Empty");
    REQUIRE(unknown != NULL);
    CHECK_BYTES(unknown->pRawValue, unknown->RawValueLength, "");
    close(client);
    server_close(&server);
}

TEST(test_receive__tells_addresses)
{
    struct server server;
    HTTP_REQUEST *request;
    struct sockaddr_in own, told;
    socklen_t size = sizeof(own);
    int client;
    server_open(&server);
    client = client_get(&server, "/");
    request = receive(&server);
    REQUIRE(getsockname(client, (struct sockaddr *)&own, &size) == 0);
    memcpy(&told, request->Address.pRemoteAddress, sizeof(told));
    CHECK_EQ(told.sin_family, AF_INET);
    CHECK_EQ(told.sin_port, own.sin_port);
    CHECK_EQ(told.sin_addr.s_addr, own.sin_addr.s_addr);
    memcpy(&told, request->Address.pLocalAddress, sizeof(told));
    CHECK_EQ(told.sin_family, AF_INET);
    CHECK_EQ(ntohs(told.sin_port), server.port);
    CHECK_EQ(told.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    close(client);
    server_close(&server);
}

TEST(test_receive__everything_lies_in_the_buffer)
{
    static union request_buffer buffer;
    struct server server;
    HTTP_REQUEST *it = &buffer.request;
    ULONG bytes = 0;
    int client;
    const char *places[8];
    size_t at;
    server_open(&server);
    client = client_connect(server.port);
    client_text(client, "FROB /q?r HTTP/1.1\r\nHost: localhost:%d\r\nX-A: b\r\n\r\n", server.port);
    REQUIRE(HttpReceiveHttpRequest(server.queue, 0, 0, it, sizeof(buffer), &bytes, NULL) == NO_ERROR);
    places[0] = it->pRawUrl;
    places[1] = it->pUnknownVerb;
    places[2] = (const char *)it->CookedUrl.pFullUrl;
    places[3] = (const char *)it->Address.pRemoteAddress;
    places[4] = (const char *)it->Address.pLocalAddress;
    places[5] = it->Headers.KnownHeaders[HttpHeaderHost].pRawValue;
    places[6] = (const char *)it->Headers.pUnknownHeaders;
    places[7] = it->Headers.pUnknownHeaders->pRawValue;
    for (at = 0; at < 8; at++)
        CHECK(places[at] >= buffer.bytes + sizeof(HTTP_REQUEST) && places[at] < buffer.bytes + bytes);
    CHECK_EQ((uintptr_t)places[3] % 8, 0);
    CHECK_EQ((uintptr_t)places[4] % 8, 0);
    CHECK_EQ((uintptr_t)places[6] % 8, 0);
    close(client);
    server_close(&server);
}

TEST(test_receive__too_small_for_the_structure_takes_nothing)
{
    static union request_buffer buffer;
    struct server server;
    ULONG bytes = 0;
    int client;
    server_open(&server);
    client = client_get(&server, "/first");
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, 0, 0, &buffer.request, sizeof(HTTP_REQUEST) - 1, &bytes, NULL),
             ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, 0, 0, &buffer.request, 0, &bytes, NULL), ERROR_INSUFFICIENT_BUFFER);
    CHECK_BYTES(receive(&server)->pRawUrl, 6, "/first");
    close(client);
    server_close(&server);
}

TEST(test_receive__more_data_tells_ids_and_size)
{
    static union request_buffer buffer;
    struct server server;
    HTTP_REQUEST *it = &buffer.request;
    HTTP_REQUEST_ID id;
    HTTP_CONNECTION_ID connection;
    HTTP_REQUEST zero;
    OVERLAPPED overlapped;
    ULONG bytes = 0, again = 0;
    int client;
    server_open(&server);
    client = client_get(&server, "/foobar?a=b");
    memset(&buffer, 0xAA, sizeof(buffer));
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, 0, 0, it, sizeof(HTTP_REQUEST), &bytes, NULL), ERROR_MORE_DATA);
    CHECK(bytes > sizeof(HTTP_REQUEST));
    id = it->RequestId;
    connection = it->ConnectionId;
    CHECK(id != 0 && connection != 0);
    memset(&zero, 0, sizeof(zero));
    zero.RequestId = id;
    zero.ConnectionId = connection;
    CHECK(memcmp(it, &zero, sizeof(zero)) == 0);
    /* Taken: the queue gives it to nobody else. */
    memset(&overlapped, 0, sizeof(overlapped));
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, 0, 0, (HTTP_REQUEST *)(buffer.bytes + 8192), 8192, NULL, &overlapped),
             ERROR_IO_PENDING);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, id, 0, it, bytes - 1, &again, NULL), ERROR_MORE_DATA);
    CHECK_EQ(again, bytes);
    CHECK_EQ(it->RequestId, id);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, id, 0, it, bytes, &again, NULL), NO_ERROR);
    CHECK_EQ(again, bytes);
    CHECK_EQ(it->RequestId, id);
    CHECK_EQ(it->ConnectionId, connection);
    CHECK_BYTES(it->pRawUrl, it->RawUrlLength, "/foobar?a=b");
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, id, 0, it, sizeof(buffer) / 6, &again, NULL), NO_ERROR);
    CHECK_EQ(answer(&server, id, "x"), NO_ERROR);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, id, 0, it, bytes, &again, NULL), ERROR_CONNECTION_INVALID);
    close(client);
    server_close(&server);
    while (*(volatile ULONG_PTR *)&overlapped.Internal == 0x103)
        poll(NULL, 0, 1);
    CHECK_EQ(overlapped.Internal, 0xC0000120);
}

TEST(test_receive__bad_arguments)
{
    static union request_buffer buffer;
    struct server server;
    ULONG bytes = 0, size = sizeof(buffer);
    HTTP_REQUEST *it = &buffer.request;
    server_open(&server);
    CHECK_EQ(HttpReceiveHttpRequest(NULL, 0, 0, it, size, &bytes, NULL), ERROR_INVALID_HANDLE);
    CHECK_EQ(HttpReceiveHttpRequest((HANDLE)(uintptr_t)0x1234, 0, 0, it, size, &bytes, NULL), ERROR_INVALID_HANDLE);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, 0, 4, it, size, &bytes, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, 0, 3, it, size, &bytes, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, 0, 0, NULL, size, &bytes, NULL), ERROR_NOACCESS);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, 0, 0, (HTTP_REQUEST *)(void *)(buffer.bytes + 4), size - 4, &bytes, NULL),
             ERROR_NOACCESS);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, 0x123456789, 0, it, size, &bytes, NULL), ERROR_CONNECTION_INVALID);
    server_close(&server);
}

TEST(test_receive__version_1_queue_uses_version_1_structures)
{
    static union request_buffer buffer;
    struct server server;
    ULONG bytes = 0;
    HTTP_REQUEST *it = &buffer.request;
    int client;
    server_open_v1(&server);
    client = client_get(&server, "/v1");
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, 0, 0, it, sizeof(HTTP_REQUEST_V1) - 1, &bytes, NULL),
             ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, 0, 0, it, sizeof(HTTP_REQUEST_V1), &bytes, NULL), ERROR_MORE_DATA);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, it->RequestId, 0, it, bytes, &bytes, NULL), NO_ERROR);
    CHECK_EQ(it->UrlContext, 0);
    CHECK_BYTES(it->pRawUrl, it->RawUrlLength, "/v1");
    CHECK((char *)it->pRawUrl < buffer.bytes + bytes);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, 0, HTTP_RECEIVE_REQUEST_FLAG_FLUSH_BODY, it, sizeof(buffer), &bytes, NULL),
             ERROR_INVALID_PARAMETER);
    CHECK_EQ(answer(&server, it->RequestId, "x"), NO_ERROR);
    close(client);
    server_close(&server);
}

TEST(test_receive__pipelined_requests_come_one_by_one)
{
    static union request_buffer first, second;
    static struct reply reply;
    struct server server;
    OVERLAPPED overlapped;
    int client;
    server_open(&server);
    client = client_connect(server.port);
    client_text(client, "GET /1 HTTP/1.1\r\nHost: localhost:%d\r\n\r\nGET /2 HTTP/1.1\r\nHost: localhost:%d\r\n\r\n",
                server.port, server.port);
    receive_into(&server, &first, 0);
    CHECK_BYTES(first.request.pRawUrl, first.request.RawUrlLength, "/1");
    memset(&overlapped, 0, sizeof(overlapped));
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, 0, 0, &second.request, sizeof(second), NULL, &overlapped), ERROR_IO_PENDING);
    CHECK_EQ(overlapped.Internal, 0x103);
    CHECK_EQ(answer(&server, first.request.RequestId, "one"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    CHECK_BYTES(reply.body, reply.body_size, "one");
    while (*(volatile ULONG_PTR *)&overlapped.Internal == 0x103)
        client_readable(client, 1);
    CHECK_EQ(overlapped.Internal, 0);
    CHECK_BYTES(second.request.pRawUrl, second.request.RawUrlLength, "/2");
    CHECK_EQ(second.request.ConnectionId, first.request.ConnectionId);
    CHECK(second.request.RequestId != first.request.RequestId);
    CHECK_EQ(answer(&server, second.request.RequestId, "two"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    CHECK_BYTES(reply.body, reply.body_size, "two");
    close(client);
    server_close(&server);
}

TEST(test_receive__id_of_another_queue_is_unknown)
{
    static union request_buffer buffer;
    struct server server;
    HANDLE other;
    ULONG bytes;
    HTTP_REQUEST_ID id;
    int client;
    server_open(&server);
    REQUIRE(HttpCreateRequestQueue(version(2, 0), NULL, NULL, 0, &other) == NO_ERROR);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    CHECK_EQ(HttpReceiveHttpRequest(other, id, 0, &buffer.request, sizeof(buffer), &bytes, NULL), ERROR_CONNECTION_INVALID);
    CHECK_EQ(HttpCancelHttpRequest(other, id, NULL), ERROR_CONNECTION_INVALID);
    CHECK_EQ(answer(&server, id, "x"), NO_ERROR);
    CHECK_EQ(HttpCloseRequestQueue(other), NO_ERROR);
    close(client);
    server_close(&server);
}

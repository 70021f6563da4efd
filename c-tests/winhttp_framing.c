/* HTTP/1.0, connections that are kept or not, and request bodies that the library frames.
 *
 * gate: not-mingw (it does not know WINHTTP_FLAG_AUTOMATIC_CHUNKING) */
#include "winhttp_server.h"

/* Two exchanges on one handle; the number of connections they took. */
static int connections(const char *answer, const WCHAR *version, const WCHAR *fields, long body)
{
    struct turn turns[2] = {{answer, KEEP}, {OK_HELLO, CLOSE}};
    static struct server server;
    struct trio it;
    char text[64];
    server_start(&server, turns, 2);
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(WinHttpCloseHandle(it.request));
    it.request = WinHttpOpenRequest(it.connect, NULL, NULL, version, NULL, NULL, 0);
    CHECK(WinHttpSendRequest(it.request, fields, fields ? (DWORD)-1 : 0, NULL, 0, 0, 0));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(read_body(it.request, text, sizeof(text)), body);
    CHECK(exchange(it.request));
    CHECK_EQ(read_body(it.request, text, sizeof(text)), 5);
    trio_close(&it);
    server_end(&server);
    CHECK_HAS(server.requests[0], version ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
    CHECK_HAS(server.requests[0], "\r\nHost: ");
    return server.connections;
}

TEST(test_framing__connections_are_kept_by_version_and_field)
{
    CHECK_EQ(connections("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", NULL, NULL, 2), 1);
    CHECK_EQ(connections("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", NULL, NULL, 2), 2);
    CHECK_EQ(connections("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", NULL, NULL, 2), 2);
    CHECK_EQ(connections("HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok", NULL, NULL, 2), 1);
    CHECK_EQ(connections("HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: Keep-Alive\r\n\r\nok", W("HTTP/1.0"), NULL, 2), 1);
    CHECK_EQ(connections("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n0\r\nT: t\r\n\r\n", NULL, NULL, 2), 1);
    CHECK_EQ(connections("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", NULL, NULL, 2), 2);
    CHECK_EQ(connections("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", NULL, NULL, 2), 1);
    CHECK_EQ(connections("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", NULL, W("Connection: close"), 2), 2);
}

TEST(test_framing__the_version_is_an_option_of_the_process)
{
    struct trio it;
    HTTP_VERSION_INFO version = {1, 0};
    DWORD size = sizeof(version);
    WCHAR text[16];
    SERVER(server, {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", CLOSE});
    CHECK_WORKS(WinHttpSetOption(NULL, WINHTTP_OPTION_HTTP_VERSION, &version, sizeof(version)));
    trio_open(&it, server.port, NULL, NULL, 0);
    version.dwMinorVersion = 2;
    CHECK_FAILS(WinHttpSetOption(NULL, WINHTTP_OPTION_HTTP_VERSION, &version, sizeof(version)), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSetOption(NULL, WINHTTP_OPTION_HTTP_VERSION, &version, 4), ERROR_INSUFFICIENT_BUFFER);
    version.dwMinorVersion = 1;
    CHECK_WORKS(WinHttpSetOption(NULL, WINHTTP_OPTION_HTTP_VERSION, &version, sizeof(version)));
    version.dwMinorVersion = 7;
    CHECK_WORKS(WinHttpQueryOption(NULL, WINHTTP_OPTION_HTTP_VERSION, &version, &size));
    CHECK_EQ(version.dwMinorVersion, 1);
    CHECK(exchange(it.request));
    size = sizeof(text);
    CHECK(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_VERSION, NULL, text, &size, NULL));
    CHECK(memcmp(text, W("HTTP/1.0"), 18) == 0);
    trio_close(&it);
    server_end(&server);
    CHECK_HAS(server.requests[0], "GET / HTTP/1.0\r\n");
}

/* A request whose body the library frames. */
static void open_chunked(struct trio *it, int port, const WCHAR *version)
{
    trio_open(it, port, NULL, NULL, 0);
    CHECK(WinHttpCloseHandle(it->request));
    it->request = WinHttpOpenRequest(it->connect, W("POST"), NULL, version, NULL, NULL, WINHTTP_FLAG_AUTOMATIC_CHUNKING);
    REQUIRE(it->request != NULL);
}

TEST(test_framing__chunks_are_made_of_what_is_written)
{
    struct trio it;
    DWORD written = 0;
    int turn;
    SERVER(server, {OK_HELLO, KEEP}, {OK_HELLO, KEEP}, {OK_HELLO, KEEP});
    open_chunked(&it, server.port, NULL);
    for (turn = 0; turn < 2; turn++) {
        CHECK(WinHttpSendRequest(it.request, NULL, 0, (void *)"first", 5, WINHTTP_IGNORE_REQUEST_TOTAL_LENGTH, 0));
        CHECK(WinHttpWriteData(it.request, "", 0, &written));
        CHECK_EQ(written, 0);
        CHECK(WinHttpWriteData(it.request, "a second chunk", 14, &written));
        CHECK_EQ(written, 14);
        CHECK(WinHttpReceiveResponse(it.request, NULL));
        CHECK_EQ(status_of(it.request), 200);
    }
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    trio_close(&it);
    server_end(&server);
    CHECK_EQ(server.connections, 1);
    CHECK_HAS(server.requests[0], "\r\nTransfer-Encoding: chunked\r\n");
    CHECK(!strstr(server.requests[0], "Content-Length"));
    CHECK_HAS(server.requests[0], "\r\n\r\n5\r\nfirst\r\ne\r\na second chunk\r\n0\r\n\r\n");
    CHECK_HAS(server.requests[1], "\r\n\r\n5\r\nfirst\r\ne\r\na second chunk\r\n0\r\n\r\n");
    CHECK_HAS(server.requests[2], "\r\n\r\n0\r\n\r\n");
}

TEST(test_framing__a_body_for_http_1_0_has_a_length)
{
    struct trio it;
    SERVER(server, {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", CLOSE});
    open_chunked(&it, server.port, W("HTTP/1.0"));
    CHECK(WinHttpSendRequest(it.request, NULL, 0, (void *)"body", 4, 4, 0) && WinHttpReceiveResponse(it.request, NULL));
    trio_close(&it);
    server_end(&server);
    CHECK_HAS(server.requests[0], "\r\nContent-Length: 4\r\n");
    CHECK(!strstr(server.requests[0], "chunked"));
    CHECK_HAS(server.requests[0], "\r\n\r\nbody");
}

/* Synchronous exchanges: notifications, bodies, uploads, redirects, proxies, reuse. */
#include "winhttp_server.h"

static void watch(struct trio *it, DWORD_PTR context)
{
    CHECK(WinHttpSetStatusCallback(it->request, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == NULL);
    CHECK(WinHttpSetOption(it->request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
}

TEST(test_sync__get_and_what_is_told)
{
    struct trio it;
    char body[64];
    DWORD available = 0;
    SERVER(server, {OK_HELLO, KEEP}, {OK_HELLO, KEEP});
    notes_clear(NULL);
    trio_open(&it, server.port, NULL, W("/a b?c"), 0);
    watch(&it, 1);
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK_TOLD(1, "RESOLVING A, RESOLVED A, CONNECTING A, CONNECTED A, SENDING A, SENT A");
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(status_of(it.request), 200);
    CHECK_WORKS(WinHttpQueryDataAvailable(it.request, &available));
    CHECK_EQ(available, 5);
    CHECK_EQ(read_body(it.request, body, sizeof(body)), 5);
    CHECK_BYTES(body, 5, "hello");
    CHECK_WORKS(WinHttpQueryDataAvailable(it.request, &available));
    CHECK_EQ(available, 0);
    CHECK(WinHttpCloseHandle(it.request));
    CHECK_TOLD(1, "RESOLVING A, RESOLVED A, CONNECTING A, CONNECTED A, SENDING A, SENT A, RECEIVING A, RECEIVED A, "
                  "CLOSING A");
    CHECK_HAS(server.requests[0], "GET /a%20b?c HTTP/1.1\r\nUser-Agent: test\r\nHost: 127.0.0.1:");
    CHECK_HAS(server.requests[0], "\r\nConnection: Keep-Alive\r\n\r\n");
    /* A second request takes the connection of the first, even in another session. */
    {
        struct trio other;
        trio_open(&other, server.port, W("GET"), NULL, 0);
        watch(&other, 2);
        CHECK(exchange(other.request));
        CHECK_TOLD(2, "SENDING A, SENT A, RECEIVING A, RECEIVED A");
        trio_close(&other);
    }
    CHECK(WinHttpCloseHandle(it.connect));
    CHECK(WinHttpCloseHandle(it.session));
    server_end(&server);
    CHECK_EQ(server.connections, 1);
}

TEST(test_sync__post_with_a_body_and_with_write_data)
{
    struct trio it;
    DWORD written = 77;
    char body[64];
    SERVER(server, {OK_HELLO, KEEP}, {OK_HELLO, KEEP}, {OK_HELLO, KEEP}, {OK_HELLO, KEEP});
    trio_open(&it, server.port, W("POST"), W("x"), 0);
    CHECK(WinHttpSendRequest(it.request, W("A: 1\r\nB: 2"), (DWORD)-1, (void *)"body", 4, 4, 0));
    CHECK_FAILS(WinHttpWriteData(it.request, "x", 1, &written), ERROR_INVALID_PARAMETER);
    CHECK_EQ(written, 77);
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(read_body(it.request, body, sizeof(body)), 5);
    /* The same handle again, in pieces; the previous response is read away. */
    CHECK(WinHttpSendRequest(it.request, NULL, 0, (void *)"12", 2, 6, 0));
    CHECK(WinHttpWriteData(it.request, "34", 2, &written));
    CHECK_EQ(written, 2);
    CHECK(WinHttpWriteData(it.request, NULL, 0, &written));
    CHECK_EQ(written, 0);
    CHECK(WinHttpWriteData(it.request, "56", 2, &written));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK_FAILS(WinHttpWriteData(it.request, "7", 1, NULL), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    /* A POST without a body says so. The second body was never read. */
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(read_body(it.request, body, sizeof(body)), 5);
    /* Chunks are framed by the caller. */
    CHECK(WinHttpAddRequestHeaders(it.request, W("Transfer-Encoding: chunked"), (DWORD)-1, WINHTTP_ADDREQ_FLAG_ADD));
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, WINHTTP_IGNORE_REQUEST_TOTAL_LENGTH, 0));
    CHECK(WinHttpWriteData(it.request, "1\r\nx\r\n0\r\n\r\n", 11, &written));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    trio_close(&it);
    server_end(&server);
    CHECK_HAS(server.requests[0], "POST /x HTTP/1.1\r\n");
    CHECK_HAS(server.requests[0], "Content-Length: 4\r\nConnection: Keep-Alive\r\nA: 1\r\nB: 2\r\n\r\nbody");
    CHECK_HAS(server.requests[1], "Content-Length: 6\r\n");
    CHECK_HAS(server.requests[1], "\r\n\r\n123456");
    CHECK_HAS(server.requests[2], "Content-Length: 0\r\n");
    CHECK_LACKS(server.requests[3], "Content-Length");
    CHECK_HAS(server.requests[3], "\r\n\r\n1\r\nx\r\n0\r\n\r\n");
    CHECK_EQ(server.connections, 1);
}

TEST(test_sync__lengths_that_contradict)
{
    struct trio it;
    trio_open(&it, 1, W("POST"), NULL, 0);
    CHECK_FAILS(WinHttpSendRequest(it.request, NULL, 0, (void *)"1234", 4, 3, 0), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSendRequest(it.request, NULL, 0, NULL, 4, 4, 0), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSendRequest(it.request, W("Content-Length: 5"), (DWORD)-1, (void *)"1234", 4, 4, 0),
                ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSendRequest(it.request, W("no colon"), (DWORD)-1, NULL, 0, 0, 0), ERROR_INVALID_PARAMETER);
    trio_close(&it);
}

/* Five GiB announced by a field of the caller's; a few bytes of them are sent, and the count is kept in 64 bits. */
TEST(test_sync__an_upload_beyond_4_gib)
{
    struct trio it;
    DWORD written;
    static char block[65536];
    const char *length;
    int at;
    SERVER(server, {NULL, LISTEN});
    trio_open(&it, server.port, W("PUT"), W("/big"), 0);
    CHECK(WinHttpSendRequest(it.request, W("Content-Length: 5368709120"), 0, NULL, 0,
                             WINHTTP_IGNORE_REQUEST_TOTAL_LENGTH, 0));
    for (at = 0; at < 64; at++)
        CHECK(WinHttpWriteData(it.request, block, sizeof(block), &written));
    server_taken(&server);
    trio_close(&it);
    server_end(&server);
    CHECK_HAS(server.requests[0], "PUT /big HTTP/1.1\r\n");
    CHECK_HAS(server.requests[0], "Content-Length: 5368709120\r\n");
    /* Once. */
    length = strstr(server.requests[0], "Content-Length: ");
    if (length)
        CHECK_LACKS(length + 1, "Content-Length: ");
}

TEST(test_sync__chunked_body_in_pieces)
{
    struct trio it;
    DWORD available, got;
    char text[64];
    SERVER(server, {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x\r\n world\r\n0\r\nT: 1\r\n\r\n",
                    KEEP}, {OK_HELLO, KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(exchange(it.request));
    CHECK(WinHttpQueryDataAvailable(it.request, &available));
    CHECK_EQ(available, 5);
    CHECK(WinHttpQueryDataAvailable(it.request, &available));
    CHECK_EQ(available, 5);
    CHECK(WinHttpReadData(it.request, text, available, &got));
    CHECK_EQ(got, 5);
    CHECK(WinHttpReadData(it.request, text, 2, &got));
    CHECK_EQ(got, 2);
    CHECK(WinHttpReadData(it.request, text, 50, &got));
    CHECK_EQ(got, 4);
    CHECK_BYTES(text, got, "orld");
    CHECK(WinHttpReadData(it.request, text, 50, &got));
    CHECK_EQ(got, 0);
    CHECK(WinHttpQueryDataAvailable(it.request, &available));
    CHECK_EQ(available, 0);
    CHECK(exchange(it.request));
    trio_close(&it);
    server_end(&server);
    CHECK_EQ(server.connections, 1);
}

TEST(test_sync__responses_without_a_body)
{
    struct trio it;
    DWORD available = 7;
    char text[16];
    SERVER(server, {"HTTP/1.1 204 None\r\nContent-Length: 5\r\n\r\n", KEEP},
           {"HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n", KEEP}, {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(exchange(it.request));
    CHECK(WinHttpQueryDataAvailable(it.request, &available));
    CHECK_EQ(available, 0);
    CHECK(exchange(it.request));
    CHECK_EQ(status_of(it.request), 304);
    CHECK_EQ(read_body(it.request, text, sizeof(text)), 0);
    CHECK(WinHttpCloseHandle(it.request));
    it.request = WinHttpOpenRequest(it.connect, W("HEAD"), NULL, NULL, NULL, NULL, 0);
    CHECK(exchange(it.request));
    CHECK_EQ(read_body(it.request, text, sizeof(text)), 0);
    trio_close(&it);
    server_end(&server);
    CHECK_EQ(server.connections, 1);
}

TEST(test_sync__interim_responses_are_skipped)
{
    struct trio it;
    SERVER(server, {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" OK_HELLO, KEEP});
    notes_clear(NULL);
    trio_open(&it, server.port, NULL, NULL, 0);
    watch(&it, 3);
    CHECK(exchange(it.request));
    CHECK_EQ(status_of(it.request), 200);
    CHECK_EQ(note_find(3, WINHTTP_CALLBACK_STATUS_INTERMEDIATE_RESPONSE), 2);
    trio_close(&it);
    server_end(&server);
}

static void add_field(const struct note *it)
{
    if (it->status == WINHTTP_CALLBACK_STATUS_REDIRECT)
        CHECK(WinHttpAddRequestHeaders(it->handle, W("Authorization: public"), (DWORD)-1,
                                       WINHTTP_ADDREQ_FLAG_ADD | WINHTTP_ADDREQ_FLAG_REPLACE));
}

TEST(test_sync__redirects)
{
    struct trio it;
    WCHAR url[128];
    DWORD size = sizeof(url), policy = WINHTTP_OPTION_REDIRECT_POLICY_NEVER;
    SERVER(server, {"HTTP/1.1 302 Found\r\nLocation: /next?q#f\r\nContent-Length: 3\r\n\r\nbye", KEEP}, {OK_HELLO, KEEP},
           {"HTTP/1.1 307 Found\r\nLocation: z\r\nContent-Length: 0\r\n\r\n", KEEP}, {OK_HELLO, KEEP},
           {"HTTP/1.1 302 Found\r\nLocation: /z\r\nContent-Length: 0\r\n\r\n", KEEP},
           {"HTTP/1.1 302 Found\r\nLocation: ftp://z/\r\nContent-Length: 0\r\n\r\n", KEEP});
    notes_clear(add_field);
    trio_open(&it, server.port, W("POST"), W("/first"), 0);
    watch(&it, 4);
    CHECK(WinHttpSendRequest(it.request, W("Authorization: secret"), 0, (void *)"body", 4, 4, 0));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK_TOLD(4, "RESOLVING A, RESOLVED A, CONNECTING A, CONNECTED A, SENDING A, SENT A, RECEIVING A, RECEIVED A, "
                  "REDIRECT A, SENDING A, SENT A, RECEIVING A, RECEIVED A");
    CHECK(WinHttpQueryOption(it.request, WINHTTP_OPTION_URL, url, &size));
    CHECK_EQ(size % 2, 0);
    CHECK(size > 12 && url[size / 2 - 1] == 'q' && url[size / 2] == 0);
    /* 307 keeps method and body; so does sending again, at the first URL. */
    CHECK(WinHttpSendRequest(it.request, NULL, 0, (void *)"body", 4, 4, 0));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(status_of(it.request), 200);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_REDIRECT_POLICY, &policy, sizeof(policy)));
    CHECK(WinHttpSendRequest(it.request, NULL, 0, (void *)"body", 4, 4, 0));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(status_of(it.request), 302);
    policy = WINHTTP_OPTION_REDIRECT_POLICY_ALWAYS;
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_REDIRECT_POLICY, &policy, sizeof(policy)));
    CHECK(WinHttpSendRequest(it.request, NULL, 0, (void *)"body", 4, 4, 0));
    CHECK_FAILS(WinHttpReceiveResponse(it.request, NULL), ERROR_WINHTTP_REDIRECT_FAILED);
    trio_close(&it);
    server_end(&server);
    CHECK_HAS(server.requests[1], "GET /next?q HTTP/1.1\r\n");
    CHECK_LACKS(server.requests[1], "secret");
    CHECK_HAS(server.requests[1], "Authorization: public\r\n");
    CHECK_LACKS(server.requests[1], "Content-Length");
    CHECK_HAS(server.requests[2], "POST /first ");
    CHECK_HAS(server.requests[3], "POST /z ");
    CHECK_HAS(server.requests[3], "\r\n\r\nbody");
}

TEST(test_sync__connection_close)
{
    struct trio it;
    char text[16];
    SERVER(server, {OK_HELLO, CLOSE}, {OK_HELLO, KEEP});
    notes_clear(NULL);
    trio_open(&it, server.port, NULL, NULL, 0);
    watch(&it, 5);
    CHECK(WinHttpSendRequest(it.request, W("Connection: close"), (DWORD)-1, NULL, 0, 0, 0));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(read_body(it.request, text, sizeof(text)), 5);
    CHECK_TOLD(5, "RESOLVING A, RESOLVED A, CONNECTING A, CONNECTED A, SENDING A, SENT A, RECEIVING A, RECEIVED A, "
                  "CLOSING_CONNECTION A, CONNECTION_CLOSED A");
    CHECK(WinHttpCloseHandle(it.request));
    it.request = WinHttpOpenRequest(it.connect, NULL, NULL, NULL, NULL, NULL, 0);
    CHECK(exchange(it.request));
    trio_close(&it);
    server_end(&server);
    CHECK_EQ(server.connections, 2);
}

TEST(test_sync__through_a_proxy)
{
    struct trio it;
    WCHAR proxy[64], port[16];
    WINHTTP_PROXY_INFO info;
    DWORD size = sizeof(info), at;
    char digits[16];
    SERVER(server, {OK_HELLO, KEEP}, {OK_HELLO, KEEP});
    sprintf(digits, "%d", server.port);
    for (at = 0; at <= strlen(digits); at++)
        port[at] = (WCHAR)digits[at];
    memcpy(proxy, W("http=127.0.0.1:"), 32);
    memcpy(proxy + 15, port, sizeof(port));
    it.session = WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_NAMED_PROXY, proxy, W("<local>;127.*"), 0);
    REQUIRE(it.session != NULL);
    it.connect = WinHttpConnect(it.session, W("www.example.test"), 0, 0);
    it.request = WinHttpOpenRequest(it.connect, NULL, W("/x"), NULL, NULL, NULL, 0);
    CHECK(exchange(it.request));
    CHECK(WinHttpQueryOption(it.session, WINHTTP_OPTION_PROXY, &info, &size));
    CHECK_EQ(info.dwAccessType, WINHTTP_ACCESS_TYPE_NAMED_PROXY);
    CHECK(info.lpszProxy && info.lpszProxy[0] == 'h' && info.lpszProxyBypass && info.lpszProxyBypass[0] == '<');
    GlobalFree(info.lpszProxy);
    GlobalFree(info.lpszProxyBypass);
    WinHttpCloseHandle(it.request);
    WinHttpCloseHandle(it.connect);
    it.connect = WinHttpConnect(it.session, W("127.0.0.1"), (INTERNET_PORT)server.port, 0);
    it.request = WinHttpOpenRequest(it.connect, NULL, W("/y"), NULL, NULL, NULL, 0);
    CHECK(exchange(it.request));
    trio_close(&it);
    server_end(&server);
    CHECK_HAS(server.requests[0], "GET http://www.example.test/x HTTP/1.1\r\nHost: www.example.test\r\n");
    CHECK_HAS(server.requests[1], "GET /y HTTP/1.1\r\n");
}

#ifndef __MINGW32__ /* its headers do not know these yet */
TEST(test_sync__read_data_ex)
{
    struct trio it;
    char text[16];
    DWORD got = 7;
    SERVER(server, {OK_HELLO, KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK_EQ(WinHttpReadDataEx(it.request, text, 16, &got, 2, 0, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(got, 0);
    CHECK_EQ(WinHttpReadDataEx(it.request, text, 16, &got, 0, 0, NULL), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK(exchange(it.request));
    CHECK_EQ(WinHttpReadDataEx(it.request, text, 16, &got, 0, 0, NULL), 0);
    CHECK_BYTES(text, got, "hello");
    CHECK_EQ(WinHttpReadDataEx(it.request, text, 16, &got, WINHTTP_READ_DATA_EX_FLAG_FILL_BUFFER, 0, NULL), 0);
    CHECK_EQ(got, 0);
    trio_close(&it);
    server_end(&server);
}
#endif

TEST(test_sync__states)
{
    struct trio it;
    DWORD number = 7;
    char text[4];
    SERVER(server, {OK_HELLO, KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK_FAILS(WinHttpReceiveResponse(it.request, NULL), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_FAILS(WinHttpQueryDataAvailable(it.request, &number), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_EQ(number, 7);
    CHECK_FAILS(WinHttpReadData(it.request, text, 4, &number), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_FAILS(WinHttpWriteData(it.request, text, 4, &number), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK(exchange(it.request));
    CHECK_FAILS(WinHttpReceiveResponse(it.request, NULL), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_FAILS(WinHttpReceiveResponse(it.session, NULL), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpReadData(it.request, NULL, 4, &number), ERROR_INVALID_PARAMETER);
    trio_close(&it);
    CHECK_FAILS(WinHttpReceiveResponse(it.request, NULL), ERROR_INVALID_HANDLE);
    server_end(&server);
}

TEST(test_sync__https_says_why_it_fails)
{
    struct trio it;
    trio_open(&it, 1, NULL, NULL, 0);
    WinHttpCloseHandle(it.request);
    it.request = WinHttpOpenRequest(it.connect, NULL, NULL, NULL, NULL, NULL, WINHTTP_FLAG_SECURE);
    REQUIRE(it.request != NULL);
    CHECK_FAILS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0), ERROR_WINHTTP_SECURE_FAILURE);
    trio_close(&it);
}

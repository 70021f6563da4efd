/* Servers that misbehave: every fault has its error, nothing hangs. */
#include "winhttp_server.h"

static char *repeat(const char *start, const char *piece, size_t size)
{
    char *text = malloc(size + strlen(start) + strlen(piece) + 1);
    char *end = text + strlen(start);
    strcpy(text, start);
    while ((size_t)(end - text) < size) {
        strcpy(end, piece);
        end += strlen(piece);
    }
    return text;
}

/* One answer; the error of ReceiveResponse, or 0. */
static DWORD receive_error(const char *answer, enum after after)
{
    struct trio it;
    struct server server;
    struct turn turn = {answer, after};
    DWORD error;
    server_start(&server, &turn, 1);
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    error = WinHttpReceiveResponse(it.request, NULL) ? 0 : GetLastError();
    if (error)
        CHECK_FAILS(WinHttpReceiveResponse(it.request, NULL), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    trio_close(&it);
    server_end(&server);
    return error;
}

TEST(test_faults__heads)
{
    char *text;
    CHECK_EQ(receive_error("", CLOSE), ERROR_WINHTTP_CONNECTION_ERROR);
    CHECK_EQ(receive_error("", RESET), ERROR_WINHTTP_CONNECTION_ERROR);
    CHECK_EQ(receive_error("HTTP/1.1 20", CLOSE), ERROR_WINHTTP_CONNECTION_ERROR);
    CHECK_EQ(receive_error("HTTP/1.1 200 OK\r\nA: b\r\n", CLOSE), ERROR_WINHTTP_CONNECTION_ERROR);
    CHECK_EQ(receive_error("<html>hello</html>", CLOSE), ERROR_WINHTTP_INVALID_SERVER_RESPONSE);
    CHECK_EQ(receive_error("HTTP/1.1 abc\r\n\r\n", CLOSE), ERROR_WINHTTP_INVALID_SERVER_RESPONSE);
    CHECK_EQ(receive_error("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", CLOSE), ERROR_WINHTTP_INVALID_SERVER_RESPONSE);
    CHECK_EQ(receive_error("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", CLOSE),
             ERROR_WINHTTP_INVALID_SERVER_RESPONSE);
    text = repeat("HTTP/1.1 200 OK\r\nA: ", "aaaaaaaaaaaaaaaa", 80000);
    CHECK_EQ(receive_error(text, HOLD), ERROR_WINHTTP_HEADER_SIZE_OVERFLOW);
    free(text);
    text = repeat("HTTP/1.1 200 OK\r\n", "A: b\r\n", 6 * 1100);
    strcat(text, "\r\n");
    CHECK_EQ(receive_error(text, HOLD), ERROR_WINHTTP_HEADER_COUNT_EXCEEDED);
    free(text);
    text = repeat("", "HTTP/1.1 100 Continue\r\n\r\n", 25 * 11);
    CHECK_EQ(receive_error(text, HOLD), ERROR_WINHTTP_INVALID_SERVER_RESPONSE);
    free(text);
    CHECK_EQ(receive_error("HTTP/1.1 200 OK\r\nOdd line\r\nContent-Length: 0\r\n\r\n", CLOSE), 0);
    CHECK_EQ(receive_error("HTTP/1.0 200\r\n\r\n", CLOSE), 0);
}

/* One answer; the number of bytes read of its body, or minus the error. */
static long body_result(const char *answer, enum after after)
{
    struct trio it;
    struct server server;
    struct turn turn = {answer, after};
    char text[256];
    long result;
    server_start(&server, &turn, 1);
    trio_open(&it, server.port, NULL, NULL, 0);
    REQUIRE(exchange(it.request));
    result = read_body(it.request, text, sizeof(text));
    if (result < 0)
        result = -(long)GetLastError();
    trio_close(&it);
    server_end(&server);
    return result;
}

#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

TEST(test_faults__bodies)
{
    /* A body cut short is short, and no error; a chunked one is an error. */
    CHECK_EQ(body_result("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", CLOSE), 5);
    CHECK_EQ(body_result("HTTP/1.1 200 OK\r\n\r\nhello", CLOSE), 5);
    CHECK_EQ(body_result("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello", CLOSE), 2);
    CHECK_EQ(body_result("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx", CLOSE), 4);
    CHECK_EQ(body_result(CHUNKED "5\r\nhel", CLOSE), -ERROR_WINHTTP_CONNECTION_ERROR);
    CHECK_EQ(body_result(CHUNKED "5\r\nhello\r\n", CLOSE), -ERROR_WINHTTP_CONNECTION_ERROR);
    CHECK_EQ(body_result(CHUNKED "5\r\nhello\r\n0\r\n", CLOSE), -ERROR_WINHTTP_CONNECTION_ERROR);
    CHECK_EQ(body_result(CHUNKED "x\r\nhello\r\n", HOLD), -ERROR_WINHTTP_INVALID_SERVER_RESPONSE);
    CHECK_EQ(body_result(CHUNKED "3\r\nhello\r\n", HOLD), -ERROR_WINHTTP_INVALID_SERVER_RESPONSE);
    CHECK_EQ(body_result(CHUNKED "11112222333344445\r\nhello\r\n", HOLD),
             -ERROR_WINHTTP_CHUNKED_ENCODING_HEADER_SIZE_OVERFLOW);
    CHECK_EQ(body_result("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", RESET), -ERROR_WINHTTP_CONNECTION_ERROR);
}

TEST(test_faults__silence_ends_when_time_is_up)
{
    struct trio it;
    char text[16];
    DWORD got;
    SERVER(server, {NULL, HOLD}, {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", HOLD});
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(WinHttpSetTimeouts(it.request, 0, 1000, 1000, 50));
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK_FAILS(WinHttpReceiveResponse(it.request, NULL), ERROR_WINHTTP_TIMEOUT);
    CHECK(exchange(it.request));
    CHECK(WinHttpReadData(it.request, text, 5, &got));
    CHECK_FAILS(WinHttpReadData(it.request, text, 5, &got), ERROR_WINHTTP_TIMEOUT);
    CHECK_FAILS(WinHttpQueryDataAvailable(it.request, &got), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    trio_close(&it);
    server_end(&server);
}

TEST(test_faults__a_stale_connection_is_replaced)
{
    struct trio it;
    char text[16];
    SERVER(server, {OK_HELLO, CLOSE}, {OK_HELLO, RESET}, {OK_HELLO, KEEP});
    trio_open(&it, server.port, W("POST"), NULL, 0);
    CHECK(exchange(it.request));
    CHECK_EQ(read_body(it.request, text, sizeof(text)), 5);
    CHECK_EQ(WaitForSingleObject(server.ended, 10000), WAIT_OBJECT_0);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, (void *)"again", 5, 5, 0));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(read_body(it.request, text, sizeof(text)), 5);
    CHECK_EQ(WaitForSingleObject(server.ended, 10000), WAIT_OBJECT_0);
    /* A body that is written cannot be sent again, so its connection is looked at first. */
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 5, 0));
    CHECK(WinHttpWriteData(it.request, "third", 5, NULL));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    trio_close(&it);
    server_end(&server);
    CHECK_EQ(server.connections, 3);
    CHECK_HAS(server.requests[1], "\r\n\r\nagain");
    CHECK_HAS(server.requests[2], "\r\n\r\nthird");
}

TEST(test_faults__an_answer_before_the_body_is_complete)
{
    struct trio it;
    static char block[1024 * 1024];
    DWORD written;
    int at;
    SERVER(server, {"HTTP/1.1 413 Enough\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", CLOSE});
    trio_open(&it, server.port, W("POST"), NULL, 0);
    /* The head and a full record of the server's, which then answers and leaves. */
    CHECK(WinHttpSendRequest(it.request, NULL, 0, block, 8192, 64 * 1024 * 1024, 0));
    for (at = 0; at < 16; at++)
        CHECK(WinHttpWriteData(it.request, block, sizeof(block), &written));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(status_of(it.request), 413);
    trio_close(&it);
    server_end(&server);
}

TEST(test_faults__no_server)
{
    struct trio it;
    trio_open(&it, free_port(), NULL, NULL, 0);
    CHECK_FAILS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0), ERROR_WINHTTP_CANNOT_CONNECT);
    CHECK_FAILS(WinHttpReceiveResponse(it.request, NULL), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    trio_close(&it);
}

TEST(test_faults__too_much_to_read_away)
{
    struct trio it;
    DWORD limit = 3;
    SERVER(server, {"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello", HOLD}, {OK_HELLO, KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_MAX_RESPONSE_DRAIN_SIZE, &limit, sizeof(limit)));
    CHECK(exchange(it.request));
    CHECK_FAILS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0), ERROR_WINHTTP_RESPONSE_DRAIN_OVERFLOW);
    CHECK(exchange(it.request));
    trio_close(&it);
    server_end(&server);
}

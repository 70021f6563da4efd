/* Overlapped calls: events, completion ports, the thread pool, cancellation, notification modes. */
#include "http_server.h"

#ifndef FILE_SKIP_COMPLETION_PORT_ON_SUCCESS
#define FILE_SKIP_COMPLETION_PORT_ON_SUCCESS 1
#endif
#ifndef FILE_SKIP_SET_EVENT_ON_HANDLE
#define FILE_SKIP_SET_EVENT_ON_HANDLE 2
#endif

#define PENDING_STATUS 0x103
#define ABORTED_STATUS 0xC0000120

static union request_buffer buffer, second_buffer;

static ULONG receive_later(const struct server *server, union request_buffer *into, ULONG size, OVERLAPPED *overlapped)
{
    return HttpReceiveHttpRequest(server->queue, 0, 0, &into->request, size, NULL, overlapped);
}

static HANDLE port_of(const struct server *server, ULONG_PTR key)
{
    HANDLE port = CreateIoCompletionPort(server->queue, NULL, key, 0);
    REQUIRE(port != NULL);
    return port;
}

/* Takes one packet and checks all that is in it. */
static void check_packet(HANDLE port, OVERLAPPED *overlapped, ULONG_PTR key, DWORD error, DWORD bytes)
{
    DWORD got_bytes = 0xAAAA;
    ULONG_PTR got_key = 0;
    OVERLAPPED *got = NULL;
    BOOL fine = GetQueuedCompletionStatus(port, &got_bytes, &got_key, &got, 10000);
    DWORD got_error = fine ? 0 : GetLastError();
    CHECK_EQ(fine, error == 0);
    CHECK_EQ(got_error, error);
    CHECK(got == overlapped);
    CHECK_EQ(got_key, key);
    CHECK_EQ(got_bytes, bytes);
}

static void check_no_packet(HANDLE port)
{
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *got = NULL;
    CHECK(!GetQueuedCompletionStatus(port, &bytes, &key, &got, 0));
    CHECK(got == NULL);
    CHECK_EQ(GetLastError(), WAIT_TIMEOUT);
}

TEST(test_async__a_pending_receive_sets_its_event)
{
    struct server server;
    OVERLAPPED overlapped = {0};
    DWORD bytes = 0;
    int client;
    server_open(&server);
    overlapped.hEvent = CreateEventW(NULL, TRUE, TRUE, NULL);
    CHECK_EQ(receive_later(&server, &buffer, sizeof(buffer), &overlapped), ERROR_IO_PENDING);
    CHECK_EQ(overlapped.Internal, PENDING_STATUS);
    CHECK_EQ(WaitForSingleObject(overlapped.hEvent, 0), WAIT_TIMEOUT);
    CHECK(!GetOverlappedResult(server.queue, &overlapped, &bytes, FALSE));
    CHECK_EQ(GetLastError(), ERROR_IO_INCOMPLETE);
    client = client_get(&server, "/late");
    CHECK_EQ(WaitForSingleObject(overlapped.hEvent, 10000), WAIT_OBJECT_0);
    CHECK(GetOverlappedResult(server.queue, &overlapped, &bytes, FALSE));
    CHECK_EQ(bytes, overlapped.InternalHigh);
    CHECK_EQ(overlapped.Internal, 0);
    CHECK_BYTES(buffer.request.pRawUrl, buffer.request.RawUrlLength, "/late");
    CHECK_EQ(answer(&server, buffer.request.RequestId, "x"), NO_ERROR);
    close(client);
    CloseHandle(overlapped.hEvent);
    server_close(&server);
}

TEST(test_async__the_queue_itself_is_signalled_without_an_event)
{
    struct server server;
    OVERLAPPED overlapped = {0};
    DWORD bytes = 0;
    int client;
    server_open(&server);
    CHECK_EQ(receive_later(&server, &buffer, sizeof(buffer), &overlapped), ERROR_IO_PENDING);
    client = client_get(&server, "/");
    CHECK(GetOverlappedResult(server.queue, &overlapped, &bytes, TRUE));
    CHECK(bytes > sizeof(HTTP_REQUEST));
    close(client);
    server_close(&server);
}

TEST(test_async__inline_success_is_signalled_and_counted)
{
    struct server server;
    OVERLAPPED overlapped = {0};
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    static struct reply reply;
    HTTP_REQUEST_ID id;
    ULONG sent = 0, result;
    DWORD bytes = 0;
    int client;
    server_open(&server);
    overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    make_response(&response, &chunk, 200, "OK", "hello");
    result = HttpSendHttpResponse(server.queue, id, 0, &response, NULL, &sent, NULL, 0, &overlapped, NULL);
    CHECK(result == NO_ERROR || result == ERROR_IO_PENDING);
    CHECK(client_response(client, &reply, 0));
    CHECK(GetOverlappedResult(server.queue, &overlapped, &bytes, TRUE));
    CHECK_EQ(WaitForSingleObject(overlapped.hEvent, 10000), WAIT_OBJECT_0);
    CHECK_EQ(bytes, reply.size);
    if (result == NO_ERROR)
        CHECK_EQ(sent, reply.size);
    close(client);
    CloseHandle(overlapped.hEvent);
    server_close(&server);
}

TEST(test_async__inline_failures_are_told_by_the_call_alone)
{
    struct server server;
    OVERLAPPED overlapped = {0};
    HANDLE port;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    HTTP_REQUEST_ID id;
    ULONG bytes = 0;
    char text[8];
    int client;
    server_open(&server);
    port = port_of(&server, 1);
    client = client_get(&server, "/");
    /* Until the request has come in. */
    id = receive(&server)->RequestId;
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, id, 0, &buffer.request, sizeof(HTTP_REQUEST), &bytes, &overlapped), ERROR_MORE_DATA);
    CHECK(bytes > sizeof(HTTP_REQUEST));
    CHECK_EQ(buffer.request.RequestId, id);
    check_no_packet(port);
    CHECK_EQ(HttpReceiveRequestEntityBody(server.queue, id, 0, text, 8, &bytes, &overlapped), ERROR_HANDLE_EOF);
    CHECK_EQ(bytes, 0);
    check_no_packet(port);
    make_response(&response, &chunk, 200, "OK", "x");
    CHECK_EQ(HttpSendHttpResponse(server.queue, id + 1, 0, &response, NULL, NULL, NULL, 0, &overlapped, NULL), ERROR_CONNECTION_INVALID);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, 0, 0, &buffer.request, 10, &bytes, &overlapped), ERROR_INSUFFICIENT_BUFFER);
    check_no_packet(port);
    close(client);
    server_close(&server);
    check_no_packet(port);
    CloseHandle(port);
}

TEST(test_async__port_gets_key_overlapped_and_bytes)
{
    struct server server;
    OVERLAPPED overlapped = {0}, sending = {0};
    HANDLE port;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    static struct reply reply;
    ULONG result;
    int client;
    server_open(&server);
    port = port_of(&server, 0x1234567);
    CHECK_EQ(receive_later(&server, &buffer, sizeof(buffer), &overlapped), ERROR_IO_PENDING);
    client = client_get(&server, "/");
    while (*(volatile ULONG_PTR *)&overlapped.Internal == PENDING_STATUS)
        client_readable(client, 1);
    check_packet(port, &overlapped, 0x1234567, 0, (DWORD)overlapped.InternalHigh);
    make_response(&response, &chunk, 200, "OK", "hello");
    result = HttpSendHttpResponse(server.queue, buffer.request.RequestId, 0, &response, NULL, NULL, NULL, 0, &sending, NULL);
    CHECK(result == NO_ERROR || result == ERROR_IO_PENDING);
    CHECK(client_response(client, &reply, 0));
    check_packet(port, &sending, 0x1234567, 0, (DWORD)reply.size);
    check_no_packet(port);
    close(client);
    server_close(&server);
    CloseHandle(port);
}

TEST(test_async__a_late_more_data_comes_with_its_size)
{
    struct server server;
    OVERLAPPED overlapped = {0};
    HANDLE port;
    DWORD needed;
    ULONG bytes;
    int client;
    server_open(&server);
    port = port_of(&server, 5);
    CHECK_EQ(receive_later(&server, &buffer, sizeof(HTTP_REQUEST), &overlapped), ERROR_IO_PENDING);
    client = client_get(&server, "/more");
    while (*(volatile ULONG_PTR *)&overlapped.Internal == PENDING_STATUS)
        client_readable(client, 1);
    CHECK_EQ(overlapped.Internal, 0x80000005);
    needed = (DWORD)overlapped.InternalHigh;
    check_packet(port, &overlapped, 5, ERROR_MORE_DATA, needed);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, buffer.request.RequestId, 0, &buffer.request, needed, &bytes, NULL), NO_ERROR);
    CHECK_EQ(bytes, needed);
    CHECK_BYTES(buffer.request.pRawUrl, buffer.request.RawUrlLength, "/more");
    close(client);
    server_close(&server);
    CloseHandle(port);
}

TEST(test_async__receives_are_served_in_order)
{
    struct server server;
    OVERLAPPED first = {0}, second = {0};
    int one, two;
    server_open(&server);
    CHECK_EQ(receive_later(&server, &buffer, sizeof(buffer), &first), ERROR_IO_PENDING);
    CHECK_EQ(receive_later(&server, &second_buffer, sizeof(second_buffer), &second), ERROR_IO_PENDING);
    one = client_get(&server, "/1");
    while (*(volatile ULONG_PTR *)&first.Internal == PENDING_STATUS)
        client_readable(one, 1);
    CHECK_EQ(second.Internal, PENDING_STATUS);
    two = client_get(&server, "/2");
    while (*(volatile ULONG_PTR *)&second.Internal == PENDING_STATUS)
        client_readable(two, 1);
    CHECK_BYTES(buffer.request.pRawUrl, buffer.request.RawUrlLength, "/1");
    CHECK_BYTES(second_buffer.request.pRawUrl, second_buffer.request.RawUrlLength, "/2");
    close(one);
    close(two);
    server_close(&server);
}

TEST(test_async__cancelio_aborts_a_pending_receive)
{
    struct server server;
    OVERLAPPED overlapped = {0};
    HANDLE port;
    int client;
    server_open(&server);
    port = port_of(&server, 0xABC);
    CHECK_EQ(receive_later(&server, &buffer, sizeof(buffer), &overlapped), ERROR_IO_PENDING);
    CHECK(CancelIo(server.queue));
    check_packet(port, &overlapped, 0xABC, ERROR_OPERATION_ABORTED, 0);
    CHECK_EQ(overlapped.Internal, ABORTED_STATUS);
    CHECK_EQ(overlapped.InternalHigh, 0);
    /* It has swallowed no request. */
    client = client_get(&server, "/");
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "x"), NO_ERROR);
    close(client);
    server_close(&server);
    CloseHandle(port);
}

TEST(test_async__cancelioex_aborts_one_operation)
{
    struct server server;
    OVERLAPPED first = {0}, second = {0};
    DWORD bytes;
    int client;
    server_open(&server);
    first.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    second.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    CHECK(!CancelIoEx(server.queue, NULL));
    CHECK_EQ(GetLastError(), ERROR_NOT_FOUND);
    CHECK_EQ(receive_later(&server, &buffer, sizeof(buffer), &first), ERROR_IO_PENDING);
    CHECK_EQ(receive_later(&server, &second_buffer, sizeof(second_buffer), &second), ERROR_IO_PENDING);
    CHECK(CancelIoEx(server.queue, &first));
    CHECK(!GetOverlappedResult(server.queue, &first, &bytes, TRUE));
    CHECK_EQ(GetLastError(), ERROR_OPERATION_ABORTED);
    CHECK_EQ(second.Internal, PENDING_STATUS);
    client = client_get(&server, "/2");
    CHECK(GetOverlappedResult(server.queue, &second, &bytes, TRUE));
    CHECK_BYTES(second_buffer.request.pRawUrl, second_buffer.request.RawUrlLength, "/2");
    close(client);
    CloseHandle(first.hEvent);
    CloseHandle(second.hEvent);
    server_close(&server);
}

TEST(test_async__cancelling_a_body_read_leaves_the_request)
{
    static struct reply reply;
    struct server server;
    OVERLAPPED overlapped = {0};
    HTTP_REQUEST_ID id;
    DWORD bytes;
    char text[8];
    int client;
    server_open(&server);
    client = client_connect(server.port);
    client_text(client, "POST / HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 4\r\n\r\n", server.port);
    id = receive(&server)->RequestId;
    CHECK_EQ(HttpReceiveRequestEntityBody(server.queue, id, 0, text, 8, NULL, &overlapped), ERROR_IO_PENDING);
    CHECK(CancelIoEx(server.queue, &overlapped));
    CHECK(!GetOverlappedResult(server.queue, &overlapped, &bytes, TRUE));
    CHECK_EQ(GetLastError(), ERROR_OPERATION_ABORTED);
    client_text(client, "abcd");
    CHECK_EQ(HttpReceiveRequestEntityBody(server.queue, id, 0, text, 8, NULL, NULL), NO_ERROR);
    CHECK_EQ(answer(&server, id, "x"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    close(client);
    server_close(&server);
}

TEST(test_async__skip_on_success_posts_nothing_for_inline_success)
{
    struct server server;
    OVERLAPPED overlapped = {0};
    HANDLE port;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    static struct reply reply;
    ULONG sent = 0, result;
    int client;
    server_open(&server);
    port = port_of(&server, 5);
    CHECK(SetFileCompletionNotificationModes(server.queue, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE));
    CHECK_EQ(receive_later(&server, &buffer, sizeof(buffer), &overlapped), ERROR_IO_PENDING);
    client = client_get(&server, "/");
    while (*(volatile ULONG_PTR *)&overlapped.Internal == PENDING_STATUS)
        client_readable(client, 1);
    check_packet(port, &overlapped, 5, 0, (DWORD)overlapped.InternalHigh);
    make_response(&response, &chunk, 200, "OK", "hello");
    result = HttpSendHttpResponse(server.queue, buffer.request.RequestId, 0, &response, NULL, &sent, NULL, 0, &overlapped, NULL);
    CHECK(client_response(client, &reply, 0));
    if (result == NO_ERROR) {
        CHECK_EQ(sent, reply.size);
        check_no_packet(port);
    } else {
        CHECK_EQ(result, ERROR_IO_PENDING);
        check_packet(port, &overlapped, 5, 0, (DWORD)reply.size);
    }
    close(client);
    server_close(&server);
    CloseHandle(port);
}

struct pool_server {
    struct server server;
    PTP_IO io;
    OVERLAPPED overlapped;
    HANDLE done;
    ULONG result;
    ULONG_PTR bytes;
};

static VOID CALLBACK pool_callback(PTP_CALLBACK_INSTANCE instance, PVOID context, PVOID overlapped, ULONG result,
                                   ULONG_PTR bytes, PTP_IO io)
{
    struct pool_server *it = context;
    (void)instance;
    CHECK(overlapped == &it->overlapped);
    CHECK(io == it->io);
    it->result = result;
    it->bytes = bytes;
    SetEvent(it->done);
}

TEST(test_async__thread_pool_io)
{
    static struct pool_server it;
    int client;
    memset(&it, 0, sizeof(it));
    server_open(&it.server);
    it.done = CreateEventW(NULL, FALSE, FALSE, NULL);
    it.io = CreateThreadpoolIo(it.server.queue, pool_callback, &it, NULL);
    REQUIRE(it.io != NULL);
    StartThreadpoolIo(it.io);
    CHECK_EQ(receive_later(&it.server, &buffer, sizeof(HTTP_REQUEST), &it.overlapped), ERROR_IO_PENDING);
    client = client_get(&it.server, "/pool");
    CHECK_EQ(WaitForSingleObject(it.done, 10000), WAIT_OBJECT_0);
    CHECK_EQ(it.result, ERROR_MORE_DATA);
    CHECK(it.bytes > sizeof(HTTP_REQUEST));
    StartThreadpoolIo(it.io);
    memset(&it.overlapped, 0, sizeof(it.overlapped));
    CHECK_EQ(HttpReceiveHttpRequest(it.server.queue, buffer.request.RequestId, 0, &buffer.request, (ULONG)it.bytes, NULL, &it.overlapped),
             NO_ERROR);
    CHECK_EQ(WaitForSingleObject(it.done, 10000), WAIT_OBJECT_0);
    CHECK_EQ(it.result, NO_ERROR);
    CHECK_BYTES(buffer.request.pRawUrl, buffer.request.RawUrlLength, "/pool");
    StartThreadpoolIo(it.io);
    CHECK_EQ(HttpReceiveHttpRequest(it.server.queue, 0x1234, 0, &buffer.request, sizeof(buffer), NULL, &it.overlapped),
             ERROR_CONNECTION_INVALID);
    CancelThreadpoolIo(it.io);
    StartThreadpoolIo(it.io);
    memset(&it.overlapped, 0, sizeof(it.overlapped));
    CHECK_EQ(receive_later(&it.server, &buffer, sizeof(buffer), &it.overlapped), ERROR_IO_PENDING);
    CHECK_EQ(HttpShutdownRequestQueue(it.server.queue), NO_ERROR);
    CHECK_EQ(WaitForSingleObject(it.done, 10000), WAIT_OBJECT_0);
    CHECK_EQ(it.result, ERROR_OPERATION_ABORTED);
    WaitForThreadpoolIoCallbacks(it.io, FALSE);
    CloseThreadpoolIo(it.io);
    close(client);
    CloseHandle(it.done);
    server_close(&it.server);
}

TEST(test_async__structures_may_be_freed_once_the_send_pends)
{
    static struct reply reply;
    struct server server;
    OVERLAPPED overlapped = {0};
    HTTP_RESPONSE *response = malloc(sizeof(*response));
    HTTP_DATA_CHUNK *chunk = malloc(sizeof(*chunk));
    char *reason = malloc(8), *body = malloc(1 << 22);
    size_t at, got = 0;
    DWORD bytes = 0;
    ULONG result;
    int client;
    server_open(&server);
    for (at = 0; at < 1 << 22; at++)
        body[at] = (char)('a' + at % 23);
    client = client_get(&server, "/");
    memcpy(reason, "Reason", 7);
    make_response(response, chunk, 200, reason, "");
    chunk->FromMemory.pBuffer = body;
    chunk->FromMemory.BufferLength = 1 << 22;
    result = HttpSendHttpResponse(server.queue, receive(&server)->RequestId, 0, response, NULL, NULL, NULL, 0, &overlapped, NULL);
    CHECK(result == NO_ERROR || result == ERROR_IO_PENDING);
    memset(response, 0xAA, sizeof(*response));
    memset(chunk, 0xAA, sizeof(*chunk));
    memset(reason, 0xAA, 8);
    free(response);
    free(chunk);
    free(reason);
    CHECK(client_response(client, &reply, 1));
    CHECK_HAS(reply.text, "HTTP/1.1 200 Reason\r\n");
    for (at = reply.head; at < reply.size; at++, got++)
        REQUIRE(reply.text[at] == (char)('a' + got % 23));
    while (got < 1 << 22) {
        reply_clear(&reply);
        REQUIRE(client_more(client, &reply));
        for (at = 0; at < reply.size; at++, got++)
            REQUIRE(reply.text[at] == (char)('a' + got % 23));
    }
    CHECK(GetOverlappedResult(server.queue, &overlapped, &bytes, TRUE));
    CHECK(bytes > 1 << 22);
    free(body);
    close(client);
    server_close(&server);
}

TEST(test_async__overlapped_sends_go_out_in_order)
{
    static struct reply reply;
    static OVERLAPPED overlapped[20];
    struct server server;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    HTTP_REQUEST_ID id;
    char letters[20], wanted[21];
    int client, at;
    server_open(&server);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    make_response(&response, &chunk, 200, "OK", NULL);
    set_known(&response, HttpHeaderContentLength, "20");
    CHECK_EQ(send_response(&server, id, HTTP_SEND_RESPONSE_FLAG_MORE_DATA, &response, NULL), NO_ERROR);
    memset(overlapped, 0, sizeof(overlapped));
    for (at = 0; at < 20; at++) {
        ULONG result;
        letters[at] = wanted[at] = (char)('a' + at);
        chunk.DataChunkType = HttpDataChunkFromMemory;
        chunk.FromMemory.pBuffer = &letters[at];
        chunk.FromMemory.BufferLength = 1;
        result = HttpSendResponseEntityBody(server.queue, id, at < 19 ? HTTP_SEND_RESPONSE_FLAG_MORE_DATA : 0, 1, &chunk, NULL, NULL, 0,
                                            &overlapped[at], NULL);
        CHECK(result == NO_ERROR || result == ERROR_IO_PENDING);
    }
    wanted[20] = 0;
    CHECK(client_response(client, &reply, 0));
    CHECK_BYTES(reply.body, reply.body_size, wanted);
    for (at = 0; at < 20; at++) {
        DWORD bytes;
        CHECK(GetOverlappedResult(server.queue, &overlapped[at], &bytes, TRUE));
        CHECK_EQ(bytes, 1);
    }
    close(client);
    server_close(&server);
}

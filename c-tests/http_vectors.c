/* The acceptance vectors of the digest (section 10). Each of T1 to T30 stands in the file of its topic:
 *
 *   T1   http_queue version_1_arguments, http_url malformed_prefixes and version_1, http_receive bad_arguments
 *   T2   http_receive too_small_for_the_structure_takes_nothing
 *   T3   http_receive more_data_tells_ids_and_size
 *   T4   http_receive tells_a_plain_request, cooks_the_url
 *   T5   http_receive absolute_target_overrides_host
 *   T6   http_receive tells_verbs
 *   T7   http_receive tells_fields
 *   T8   http_body copy_is_cut_to_the_buffer
 *   T9   http_body read_in_pieces_until_eof
 *   T10  http_body chunked_is_decoded, http_request_info bytes_received_are_the_requests_own
 *   T11  http_send a_whole_response, content_length_of_the_program_is_kept
 *   T12  http_send http_1_0_clients_get_1_1_and_close
 *   T13  http_receive pipelined_requests_come_one_by_one
 *   T14  http_async cancelio_aborts_a_pending_receive, port_gets_key_overlapped_and_bytes
 *   T15  http_errors garbage
 *   T16  http_init versions_and_arguments
 *   T17  http_init closing_invalidates_its_groups
 *   T18  http_url port_of_another_program
 *   T19  http_lifetime wait_for_disconnect_ends_with_a_reset_and_not_with_fin
 *   T20  http_send opaque_makes_a_raw_connection, http_opaque
 *   T21  http_queue version_2_arguments (the separator in a name; queues with a name are not there yet)
 *   T22  http_queue unbound_and_inactive_answer_503, full_queue_...
 *   T23  http_queue queue_length
 *   T24  http_body chunked_wins_over_content_length, http_smuggling codings
 *   T25  http_errors post_without_length, missing_host, unknown_path, unbound_group
 *   T26  http_errors forbidden_url, head_too_long, unknown_coding
 *   T27  http_cache a_kept_response_answers_without_the_program, flush_of_one_url_and_of_a_tree, requests_that_pass_it_by
 *   T28  http_body a_read_of_nothing_tells_that_there_is_something
 *   T29  http_body first_read_sends_100_continue, an_answer_without_reading_sends_no_100
 *   T30  http_lifetime cancel_closes_the_connection
 *
 * Here are the ways in which well-known programs use the API (section 10.2): the thread pool of the C++ REST SDK, the
 * completion port of ASP.NET Core, and the two loops of Microsoft's samples.
 *
 * gate: thread */
#include "http_server.h"

#ifndef FILE_SKIP_COMPLETION_PORT_ON_SUCCESS
#define FILE_SKIP_COMPLETION_PORT_ON_SUCCESS 1
#endif
#ifndef FILE_SKIP_SET_EVENT_ON_HANDLE
#define FILE_SKIP_SET_EVENT_ON_HANDLE 2
#endif

static struct reply reply;

/* The C++ REST SDK: one operation after the other, each begun by the completion of the one before. */
enum rest_step { REST_HEAD, REST_WHOLE, REST_BODY, REST_BEGUN, REST_CHUNK, REST_ALL, REST_CANCEL };

static struct {
    struct server server;
    enum rest_step step;
    PTP_IO io;
    HANDLE done;
    OVERLAPPED overlapped;
    HTTP_REQUEST first;
    HTTP_REQUEST *whole;
    HTTP_REQUEST_ID id;
    char body[64];
    ULONG got;
} rest;

static void rest_begin(enum rest_step step)
{
    rest.step = step;
    StartThreadpoolIo(rest.io);
    memset(&rest.overlapped, 0, sizeof(rest.overlapped));
}

/* Whether a completion will come. */
static int rest_begun(ULONG result)
{
    if (result == NO_ERROR || result == ERROR_IO_PENDING)
        return 1;
    CancelThreadpoolIo(rest.io);
    return 0;
}

static void rest_receive(void)
{
    rest_begin(REST_HEAD);
    CHECK(rest_begun(HttpReceiveHttpRequest(rest.server.queue, HTTP_NULL_ID, 0, &rest.first, sizeof(rest.first), NULL, &rest.overlapped)));
}

/* All fields are unknown ones; the structures are gone when this returns. */
static void rest_respond(void)
{
    HTTP_UNKNOWN_HEADER fields[2] = {{17, 7, "Transfer-Encoding", "chunked"}, {12, 10, "Content-Type", "text/plain"}};
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    char reason[8] = "Created";
    make_response(&response, &chunk, 201, reason, NULL);
    response.Headers.UnknownHeaderCount = 2;
    response.Headers.pUnknownHeaders = fields;
    rest_begin(REST_BEGUN);
    CHECK(rest_begun(HttpSendHttpResponse(rest.server.queue, rest.id, HTTP_SEND_RESPONSE_FLAG_MORE_DATA, &response, NULL, NULL, NULL, 0,
                                          &rest.overlapped, NULL)));
    memset(&response, 0xAA, sizeof(response));
    memset(reason, 0xAA, sizeof(reason));
}

static void rest_send(enum rest_step step, const char *text, ULONG flags)
{
    HTTP_DATA_CHUNK chunk;
    memset(&chunk, 0, sizeof(chunk));
    chunk.FromMemory.pBuffer = (PVOID)(uintptr_t)text;
    chunk.FromMemory.BufferLength = (ULONG)strlen(text);
    rest_begin(step);
    CHECK(rest_begun(HttpSendResponseEntityBody(rest.server.queue, rest.id, flags, 1, &chunk, NULL, NULL, 0, &rest.overlapped, NULL)));
}

static void rest_read(void)
{
    ULONG result;
    rest_begin(REST_BODY);
    result = HttpReceiveRequestEntityBody(rest.server.queue, rest.id, HTTP_RECEIVE_REQUEST_ENTITY_BODY_FLAG_FILL_BUFFER,
                                          rest.body + rest.got, 5, NULL, &rest.overlapped);
    if (rest_begun(result))
        return;
    CHECK_EQ(result, ERROR_HANDLE_EOF);
    rest_respond();
}

static VOID CALLBACK rest_completed(PTP_CALLBACK_INSTANCE instance, PVOID context, PVOID overlapped, ULONG result, ULONG_PTR bytes, PTP_IO io)
{
    (void)instance, (void)context, (void)io;
    CHECK(overlapped == &rest.overlapped);
    switch (rest.step) {
    case REST_HEAD:
        CHECK_EQ(result, ERROR_MORE_DATA);
        CHECK(bytes > sizeof(HTTP_REQUEST));
        rest.id = rest.first.RequestId;
        rest.whole = malloc(bytes);
        rest_begin(REST_WHOLE);
        CHECK(rest_begun(HttpReceiveHttpRequest(rest.server.queue, rest.id, 0, rest.whole, (ULONG)bytes, NULL, &rest.overlapped)));
        return;
    case REST_WHOLE:
        CHECK_EQ(result, NO_ERROR);
        CHECK_BYTES(rest.whole->pRawUrl, rest.whole->RawUrlLength, "/rest");
        rest_read();
        return;
    case REST_BODY:
        if (result == ERROR_HANDLE_EOF) {
            rest_respond();
            return;
        }
        CHECK_EQ(result, NO_ERROR);
        rest.got += (ULONG)bytes;
        rest_read();
        return;
    case REST_BEGUN:
        CHECK_EQ(result, NO_ERROR);
        rest_send(REST_CHUNK, "5\r\nhello\r\n", HTTP_SEND_RESPONSE_FLAG_MORE_DATA);
        return;
    case REST_CHUNK:
        CHECK_EQ(result, NO_ERROR);
        CHECK_EQ(bytes, 10);
        rest_send(REST_ALL, "0\r\n\r\n", 0);
        return;
    default:
        CHECK_EQ(result, NO_ERROR);
        SetEvent(rest.done);
    }
}

TEST(test_consumers__cpp_rest_sdk)
{
    HTTP_TIMEOUT_LIMIT_INFO timeouts;
    int client;
    memset(&rest, 0, sizeof(rest));
    server_open(&rest.server);
    rest.done = CreateEventW(NULL, FALSE, FALSE, NULL);
    /* It sets no rate of sending: whatever is there. */
    memset(&timeouts, 0xCC, sizeof(timeouts));
    memset(&timeouts.Flags, 0, sizeof(timeouts.Flags));
    timeouts.Flags.Present = 1;
    timeouts.EntityBody = timeouts.DrainEntityBody = timeouts.RequestQueue = timeouts.IdleConnection = timeouts.HeaderWait = 120;
    CHECK_EQ(HttpSetUrlGroupProperty(rest.server.group, HttpServerTimeoutsProperty, &timeouts, sizeof(timeouts)), NO_ERROR);
    rest.io = CreateThreadpoolIo(rest.server.queue, rest_completed, NULL, NULL);
    REQUIRE(rest.io != NULL);
    rest_receive();
    client = client_connect(rest.server.port);
    client_text(client, "POST /rest HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 8\r\n\r\n12345678", rest.server.port);
    REQUIRE(WaitForSingleObject(rest.done, 20000) == WAIT_OBJECT_0);
    CHECK_BYTES(rest.body, rest.got, "12345678");
    CHECK(client_response(client, &reply, 1));
    CHECK_BYTES(reply.text, 22, "HTTP/1.1 201 Created\r\n");
    while (!strstr(reply.text, "0\r\n\r\n"))
        REQUIRE(client_more(client, &reply));
    CHECK_HAS(reply.text, "\r\nTransfer-Encoding: chunked\r\n");
    CHECK_LACKS(reply.text, "Connection: close");
    CHECK_HAS(reply.text, "\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    /* What it cannot answer it cancels. */
    client_text(client, "GET /again HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", rest.server.port);
    rest.id = receive(&rest.server)->RequestId;
    rest_begin(REST_CANCEL);
    CHECK(rest_begun(HttpCancelHttpRequest(rest.server.queue, rest.id, &rest.overlapped)));
    CHECK_EQ(WaitForSingleObject(rest.done, 20000), WAIT_OBJECT_0);
    client_all(client, &reply);
    CHECK(reply.closed);
    CHECK_EQ(HttpShutdownRequestQueue(rest.server.queue), NO_ERROR);
    WaitForThreadpoolIoCallbacks(rest.io, FALSE);
    CloseThreadpoolIo(rest.io);
    free(rest.whole);
    close(client);
    CloseHandle(rest.done);
    server_close(&rest.server);
}

/* Takes a packet; gives its error. */
static DWORD next_packet(HANDLE port, OVERLAPPED *wanted, DWORD *bytes)
{
    ULONG_PTR key;
    OVERLAPPED *got = NULL;
    BOOL fine = GetQueuedCompletionStatus(port, bytes, &key, &got, 20000);
    DWORD error = fine ? NO_ERROR : GetLastError();
    CHECK(got == wanted);
    return error;
}

TEST(test_consumers__asp_net_core)
{
    static ULONGLONG small[512], large[4096];
    static char fields[5000];
    HTTP_REQUEST *request = (HTTP_REQUEST *)(void *)small;
    HTTP_KNOWN_HEADER challenges[3] = {{5, "Other"}, {15, "Basic realm=\"r\""}, {4, "NTLM"}};
    HTTP_MULTIPLE_KNOWN_HEADERS multiple = {HttpHeaderWwwAuthenticate, HTTP_RESPONSE_INFO_FLAGS_PRESERVE_ORDER, 3, challenges};
    HTTP_RESPONSE_INFO info = {HttpResponseInfoTypeMultipleKnownHeaders, sizeof(multiple), &multiple};
    struct server server;
    OVERLAPPED receiving, gone, sending;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    HTTP_REQUEST_ID id;
    HANDLE port;
    DWORD bytes = 0;
    ULONG got = 0;
    int client;
    server_open(&server);
    port = CreateIoCompletionPort(server.queue, NULL, 1, 0);
    REQUIRE(port != NULL);
    CHECK(SetFileCompletionNotificationModes(server.queue, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE));
    memset(&receiving, 0, sizeof(receiving));
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, 0, 0, request, sizeof(small), &got, &receiving), ERROR_IO_PENDING);
    memset(fields, 'a', sizeof(fields) - 1);
    client = client_connect(server.port);
    client_text(client, "GET /asp HTTP/1.1\r\nHost: localhost:%d\r\nX-Long: %s\r\n\r\n", server.port, fields);
    CHECK_EQ(next_packet(port, &receiving, &bytes), ERROR_MORE_DATA);
    CHECK(bytes > sizeof(small) && bytes < sizeof(large));
    id = request->RequestId;
    /* More room than was asked for; done at once, and so without a packet. */
    request = (HTTP_REQUEST *)(void *)large;
    memset(&receiving, 0, sizeof(receiving));
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, id, 0, request, bytes + 512, &got, &receiving), NO_ERROR);
    CHECK_EQ(got, bytes);
    CHECK_EQ(request->Headers.UnknownHeaderCount, 1);
    memset(&gone, 0, sizeof(gone));
    CHECK_EQ(HttpWaitForDisconnect(server.queue, request->ConnectionId, &gone), ERROR_IO_PENDING);
    make_response(&response, &chunk, 401, "Unauthorized", "one ");
    set_known(&response, HttpHeaderContentLength, "7");
    response.ResponseInfoCount = 1;
    response.pResponseInfo = &info;
    memset(&sending, 0, sizeof(sending));
    CHECK_EQ(HttpSendHttpResponse(server.queue, id,
                                  HTTP_SEND_RESPONSE_FLAG_MORE_DATA | HTTP_SEND_RESPONSE_FLAG_DISCONNECT | HTTP_SEND_RESPONSE_FLAG_BUFFER_DATA
                                      | HTTP_SEND_RESPONSE_FLAG_GOAWAY,
                                  &response, NULL, NULL, NULL, 0, &sending, NULL),
             NO_ERROR);
    CHECK_EQ(send_body(&server, id, HTTP_SEND_RESPONSE_FLAG_BUFFER_DATA, "two"), NO_ERROR);
    client_all(client, &reply);
    CHECK_HAS(reply.text, "\r\nWWW-Authenticate: Other\r\nWWW-Authenticate: Basic realm=\"r\"\r\nWWW-Authenticate: NTLM\r\n");
    CHECK_HAS(reply.text, "\r\nConnection: close\r\n");
    CHECK_BYTES(reply.body, reply.body_size, "one two");
    CHECK(reply.closed && !reply.reset);
    close(client);
    /* Nothing but the end of the connection comes to the port. */
    CHECK_EQ(next_packet(port, &gone, &bytes), NO_ERROR);
    /* What older systems lack it looks for by name. */
    CHECK(GetProcAddress(GetModuleHandleA("httpapi.dll"), "HttpSetRequestProperty") != NULL);
    CHECK(GetProcAddress(GetModuleHandleA("httpapi.dll"), "HttpIsFeatureSupported") != NULL);
    CHECK(GetProcAddress(GetModuleHandleA("httpapi.dll"), "HttpOfTheFuture") == NULL);
    server_close(&server);
    CloseHandle(port);
}

TEST(test_consumers__the_synchronous_sample)
{
    static char fields[4000];
    struct server server;
    ULONG room = sizeof(HTTP_REQUEST) + 2048, bytes = 0, result;
    HTTP_REQUEST *request = malloc(room);
    HTTP_REQUEST_ID id;
    int client, tries = 0;
    server_open(&server);
    memset(fields, 'a', sizeof(fields) - 1);
    client = client_connect(server.port);
    client_text(client, "GET /long HTTP/1.1\r\nHost: localhost:%d\r\nX-Long: %s\r\n\r\n", server.port, fields);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, HTTP_NULL_ID, 0, request, room, &bytes, NULL), ERROR_MORE_DATA);
    id = request->RequestId;
    room = bytes;
    free(request);
    request = malloc(room);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, id, 0, request, room, &bytes, NULL), NO_ERROR);
    CHECK_BYTES(request->pRawUrl, request->RawUrlLength, "/long");
    /* The client leaves between two calls: no disaster, the next request is the next. */
    client_reset(client);
    do
        result = HttpReceiveHttpRequest(server.queue, id, 0, request, room, &bytes, NULL);
    while (result == NO_ERROR && tries++ < 20000 && poll(NULL, 0, 1) == 0);
    CHECK_EQ(result, ERROR_CONNECTION_INVALID);
    client = client_get(&server, "/next");
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, HTTP_NULL_ID, 0, request, room, &bytes, NULL), NO_ERROR);
    CHECK_BYTES(request->pRawUrl, request->RawUrlLength, "/next");
    CHECK_EQ(answer(&server, request->RequestId, "x"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    close(client);
    free(request);
    server_close(&server);
}

TEST(test_consumers__the_completion_port_sample)
{
    enum { AT_ONCE = 4, CLIENTS = 3 };
    static union request_buffer buffers[AT_ONCE];
    struct server server;
    OVERLAPPED receives[AT_ONCE];
    OVERLAPPED_ENTRY entries[AT_ONCE];
    int clients[CLIENTS], served = 0, ended = 0;
    ULONG count, at;
    HANDLE port;
    server_open(&server);
    port = CreateIoCompletionPort(server.queue, NULL, 0x55, 0);
    REQUIRE(port != NULL);
    memset(receives, 0, sizeof(receives));
    for (at = 0; at < AT_ONCE; at++)
        CHECK_EQ(HttpReceiveHttpRequest(server.queue, 0, 0, &buffers[at].request, sizeof(buffers[at]), NULL, &receives[at]), ERROR_IO_PENDING);
    for (at = 0; at < CLIENTS; at++)
        clients[at] = client_get(&server, "/hp");
    while (served < CLIENTS) {
        REQUIRE(GetQueuedCompletionStatusEx(port, entries, AT_ONCE, &count, 20000, FALSE));
        for (at = 0; at < count; at++, served++) {
            HTTP_REQUEST *request = &buffers[entries[at].lpOverlapped - receives].request;
            CHECK_EQ(entries[at].lpCompletionKey, 0x55);
            CHECK_EQ(entries[at].lpOverlapped->Internal, 0);
            CHECK_EQ(entries[at].dwNumberOfBytesTransferred, entries[at].lpOverlapped->InternalHigh);
            CHECK_EQ(answer(&server, request->RequestId, "hp"), NO_ERROR);
        }
    }
    for (at = 0; at < CLIENTS; at++) {
        CHECK(client_response(clients[at], &reply, 0));
        CHECK_BYTES(reply.body, reply.body_size, "hp");
        close(clients[at]);
    }
    /* The end: what still waits is told so by its status, what comes later by the call. */
    CHECK_EQ(HttpShutdownRequestQueue(server.queue), NO_ERROR);
    while (ended < AT_ONCE - CLIENTS) {
        REQUIRE(GetQueuedCompletionStatusEx(port, entries, AT_ONCE, &count, 20000, FALSE));
        for (at = 0; at < count; at++, ended++) {
            CHECK_EQ(entries[at].lpOverlapped->Internal, 0xC0000120);
            CHECK_EQ(entries[at].dwNumberOfBytesTransferred, 0);
        }
    }
    memset(&receives[0], 0, sizeof(receives[0]));
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, 0, 0, &buffers[0].request, sizeof(buffers[0]), NULL, &receives[0]), ERROR_INVALID_HANDLE);
    server_close(&server);
    CloseHandle(port);
}

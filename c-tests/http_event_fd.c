/* nthttp_event_fd: descriptors for a program's own loop.
 * gate: not-mingw (an addition of this library) */
#include "http_server.h"

static struct reply reply;

static int is_readable(int descriptor, int milliseconds)
{
    struct pollfd it = {.fd = descriptor, .events = POLLIN};
    return poll(&it, 1, milliseconds) == 1 && (it.revents & POLLIN) != 0;
}

TEST(test_event_fd__of_an_event)
{
    HANDLE manual = CreateEventW(NULL, TRUE, FALSE, NULL), automatic = CreateEventW(NULL, FALSE, TRUE, NULL);
    int first = nthttp_event_fd(manual), second = nthttp_event_fd(automatic);
    REQUIRE(first >= 0 && second >= 0);
    CHECK_EQ(nthttp_event_fd(manual), first);
    CHECK(!is_readable(first, 0));
    SetEvent(manual);
    SetEvent(manual);
    CHECK(is_readable(first, 0));
    CHECK_EQ(WaitForSingleObject(manual, 0), WAIT_OBJECT_0);
    CHECK(is_readable(first, 0));
    ResetEvent(manual);
    CHECK(!is_readable(first, 0));
    CHECK(is_readable(second, 0));
    CHECK_EQ(WaitForSingleObject(automatic, 0), WAIT_OBJECT_0);
    CHECK(!is_readable(second, 0));
    CloseHandle(manual);
    CloseHandle(automatic);
    CHECK_EQ(nthttp_event_fd(manual), (unsigned long long)-1);
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
    CHECK_EQ(nthttp_event_fd(NULL), (unsigned long long)-1);
}

TEST(test_event_fd__of_a_port)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    int descriptor = nthttp_event_fd(port);
    ULONG_PTR key;
    DWORD bytes;
    LPOVERLAPPED overlapped;
    REQUIRE(descriptor >= 0);
    CHECK(!is_readable(descriptor, 0));
    CHECK(PostQueuedCompletionStatus(port, 1, 2, NULL));
    CHECK(PostQueuedCompletionStatus(port, 1, 3, NULL));
    CHECK(is_readable(descriptor, 0));
    CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, 0));
    CHECK(is_readable(descriptor, 0));
    CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, 0));
    CHECK(!is_readable(descriptor, 0));
    CloseHandle(port);
}

/* Many requests, served from a loop of this program's own over poll, in one thread. */
TEST(test_event_fd__a_queue_served_from_poll)
{
    struct server server;
    union request_buffer buffer;
    OVERLAPPED overlapped;
    int descriptor, at, client;
    server_open(&server);
    descriptor = nthttp_event_fd(server.queue);
    REQUIRE(descriptor >= 0);
    CHECK(!is_readable(descriptor, 0));
    for (at = 0; at < 20; at++) {
        client = client_get(&server, "/");
        REQUIRE(is_readable(descriptor, 10000));
        memset(&overlapped, 0, sizeof(overlapped));
        CHECK_EQ(HttpReceiveHttpRequest(server.queue, HTTP_NULL_ID, 0, &buffer.request, sizeof(buffer), NULL, &overlapped), NO_ERROR);
        CHECK(!is_readable(descriptor, 0));
        CHECK_EQ(answer(&server, buffer.request.RequestId, "x"), NO_ERROR);
        CHECK(client_response(client, &reply, 0));
        close(client);
    }
    CHECK_EQ(HttpShutdownRequestQueue(server.queue), NO_ERROR);
    CHECK(is_readable(descriptor, 0));
    server_close(&server);
}

TEST(test_event_fd__a_port_that_receives_complete_to)
{
    struct server server;
    union request_buffer buffer;
    OVERLAPPED overlapped;
    HANDLE port;
    ULONG_PTR key;
    DWORD bytes;
    LPOVERLAPPED done;
    ULONG result;
    int descriptor, client, at;
    server_open(&server);
    port = CreateIoCompletionPort(server.queue, NULL, 7, 0);
    descriptor = nthttp_event_fd(port);
    REQUIRE(port != NULL && descriptor >= 0);
    for (at = 0; at < 10; at++) {
        memset(&overlapped, 0, sizeof(overlapped));
        result = HttpReceiveHttpRequest(server.queue, HTTP_NULL_ID, 0, &buffer.request, sizeof(buffer), NULL, &overlapped);
        CHECK_EQ(result, ERROR_IO_PENDING);
        CHECK(!is_readable(descriptor, 0));
        client = client_get(&server, "/");
        REQUIRE(is_readable(descriptor, 10000));
        CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &done, 0));
        CHECK(done == &overlapped && key == 7);
        CHECK_EQ(answer(&server, buffer.request.RequestId, "x"), NO_ERROR);
        CHECK(client_response(client, &reply, 0));
        close(client);
    }
    CloseHandle(port);
    server_close(&server);
}

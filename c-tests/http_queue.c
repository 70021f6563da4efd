/* Request queues and the properties of queues, groups and sessions. */
#include "http_server.h"

TEST(test_queue__version_1_arguments)
{
    HANDLE queue = NULL;
    REQUIRE(HttpInitialize(version(1, 0), HTTP_INITIALIZE_SERVER, NULL) == NO_ERROR);
    CHECK_EQ(HttpCreateHttpHandle(NULL, 0), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpCreateHttpHandle(&queue, 1), ERROR_INVALID_PARAMETER);
    CHECK(queue == NULL);
    CHECK_EQ(HttpCreateHttpHandle(&queue, 0), NO_ERROR);
    CHECK(queue != NULL && queue != INVALID_HANDLE_VALUE);
    CHECK(CloseHandle(queue));
    CHECK(!CloseHandle(queue));
    CHECK_EQ(HttpTerminate(HTTP_INITIALIZE_SERVER, NULL), NO_ERROR);
}

TEST(test_queue__version_2_arguments)
{
    WCHAR name[140];
    HANDLE queue = NULL;
    SECURITY_ATTRIBUTES security = {sizeof(security), NULL, FALSE};
    size_t at;
    REQUIRE(HttpInitialize(version(2, 0), HTTP_INITIALIZE_SERVER, NULL) == NO_ERROR);
    CHECK_EQ(HttpCreateRequestQueue(version(1, 0), NULL, NULL, 0, &queue), ERROR_REVISION_MISMATCH);
    CHECK_EQ(HttpCreateRequestQueue(version(2, 1), NULL, NULL, 0, &queue), ERROR_REVISION_MISMATCH);
    CHECK_EQ(HttpCreateRequestQueue(version(2, 0), NULL, NULL, 0, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpCreateRequestQueue(version(2, 0), NULL, NULL, 0x40, &queue), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpCreateRequestQueue(version(2, 0), NULL, NULL, HTTP_CREATE_REQUEST_QUEUE_FLAG_OPEN_EXISTING, &queue),
             ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpCreateRequestQueue(version(2, 0), W("name"), &security, HTTP_CREATE_REQUEST_QUEUE_FLAG_OPEN_EXISTING, &queue),
             ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpCreateRequestQueue(version(2, 0), W("a\\b"), NULL, 0, &queue), ERROR_INVALID_NAME);
    CHECK_EQ(HttpCreateRequestQueue(version(2, 0), W("a/b"), NULL, 0, &queue), ERROR_INVALID_NAME);
    for (at = 0; at < 131; at++)
        name[at] = 'n';
    name[131] = 0;
    CHECK_EQ(HttpCreateRequestQueue(version(2, 0), name, NULL, 0, &queue), ERROR_INVALID_PARAMETER);
    CHECK(queue == NULL);
    CHECK_EQ(HttpCreateRequestQueue(version(2, 0), NULL, &security, 0, &queue), NO_ERROR);
    CHECK_EQ(HttpCloseRequestQueue(queue), NO_ERROR);
    CHECK_EQ(HttpCloseRequestQueue(queue), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpCloseRequestQueue(NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpShutdownRequestQueue(queue), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpShutdownRequestQueue(NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpTerminate(HTTP_INITIALIZE_SERVER, NULL), NO_ERROR);
}

TEST(test_queue__versions_do_not_mix)
{
    struct server server;
    HANDLE old;
    ULONG length = 5;
    server_open(&server);
    REQUIRE(HttpCreateHttpHandle(&old, 0) == NO_ERROR);
    CHECK_EQ(HttpAddUrl(server.queue, wide("http://localhost:%d/x/", server.port), NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpRemoveUrl(server.queue, wide("http://localhost:%d/", server.port)), ERROR_INVALID_PARAMETER);
    CHECK_EQ(bind_group(server.group, old), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetRequestQueueProperty(old, HttpServerQueueLengthProperty, &length, sizeof(length), 0, NULL), ERROR_NOT_SUPPORTED);
    CHECK_EQ(HttpQueryRequestQueueProperty(old, HttpServerQueueLengthProperty, &length, sizeof(length), 0, NULL, NULL),
             ERROR_NOT_SUPPORTED);
    CHECK_EQ(HttpShutdownRequestQueue(old), ERROR_INVALID_PARAMETER);
    CHECK(CloseHandle(old));
    server_close(&server);
}

TEST(test_property__queue_length)
{
    struct server server;
    ULONG both[2] = {50, 0xFFFFFFFF}, length = 0, size = 0, reserved = 0;
    server_open(&server);
    CHECK_EQ(HttpQueryRequestQueueProperty(server.queue, HttpServerQueueLengthProperty, &length, 4, 0, &size, NULL), NO_ERROR);
    CHECK_EQ(length, 1000);
    CHECK_EQ(size, 4);
    CHECK_EQ(HttpSetRequestQueueProperty(server.queue, HttpServerQueueLengthProperty, both, 8, 0, NULL), NO_ERROR);
    CHECK_EQ(HttpQueryRequestQueueProperty(server.queue, HttpServerQueueLengthProperty, both, 8, 0, &size, NULL), NO_ERROR);
    CHECK_EQ(both[0], 50);
    CHECK_EQ(both[1], 0xFFFFFFFF);
    CHECK_EQ(size, 4);
    length = 0;
    CHECK_EQ(HttpSetRequestQueueProperty(server.queue, HttpServerQueueLengthProperty, &length, 4, 0, NULL), ERROR_INVALID_PARAMETER);
    length = 5;
    CHECK_EQ(HttpSetRequestQueueProperty(server.queue, HttpServerQueueLengthProperty, &length, 3, 0, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetRequestQueueProperty(server.queue, HttpServerQueueLengthProperty, NULL, 4, 0, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetRequestQueueProperty(server.queue, HttpServerQueueLengthProperty, &length, 0, 0, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetRequestQueueProperty(server.queue, HttpServerQueueLengthProperty, &length, 4, 1, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetRequestQueueProperty(server.queue, HttpServerQueueLengthProperty, &length, 4, 0, &reserved), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetRequestQueueProperty(NULL, HttpServerQueueLengthProperty, &length, 4, 0, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetRequestQueueProperty(server.queue, HttpServerTimeoutsProperty, &length, 4, 0, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetRequestQueueProperty(server.queue, (HTTP_SERVER_PROPERTY)99, &length, 4, 0, NULL), ERROR_INVALID_PARAMETER);
    server_close(&server);
}

TEST(test_property__query_buffers)
{
    struct server server;
    ULONG length = 0, size = 0;
    HTTP_TIMEOUT_LIMIT_INFO timeouts;
    server_open(&server);
    CHECK_EQ(HttpQueryRequestQueueProperty(server.queue, HttpServerQueueLengthProperty, &length, 3, 0, &size, NULL), ERROR_MORE_DATA);
    CHECK_EQ(size, 4);
    size = 0;
    CHECK_EQ(HttpQueryRequestQueueProperty(server.queue, HttpServerQueueLengthProperty, NULL, 0, 0, &size, NULL), ERROR_MORE_DATA);
    CHECK_EQ(size, 4);
    CHECK_EQ(HttpQueryRequestQueueProperty(server.queue, HttpServerQueueLengthProperty, NULL, 0, 0, NULL, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpQueryRequestQueueProperty(server.queue, HttpServerQueueLengthProperty, NULL, 4, 0, &size, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpQueryRequestQueueProperty(server.queue, HttpServerQueueLengthProperty, &length, 4, 0, NULL, NULL), NO_ERROR);
    CHECK_EQ(HttpQueryRequestQueueProperty(server.queue, HttpServerQueueLengthProperty, &length, 4, 1, NULL, NULL), ERROR_INVALID_PARAMETER);
    size = 0;
    CHECK_EQ(HttpQueryUrlGroupProperty(server.group, HttpServerTimeoutsProperty, &timeouts, sizeof(timeouts) - 1, &size), ERROR_MORE_DATA);
    CHECK_EQ(size, sizeof(timeouts));
    CHECK_EQ(HttpQueryServerSessionProperty(server.session, HttpServerTimeoutsProperty, NULL, 0, &size), ERROR_MORE_DATA);
    CHECK_EQ(HttpQueryServerSessionProperty(server.session, HttpServerTimeoutsProperty, NULL, 0, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpQueryUrlGroupProperty(server.group, HttpServerBindingProperty, &timeouts, sizeof(timeouts), &size), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpQueryUrlGroupProperty(0xDEAD, HttpServerTimeoutsProperty, &timeouts, sizeof(timeouts), &size), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpQueryServerSessionProperty(0xDEAD, HttpServerTimeoutsProperty, &timeouts, sizeof(timeouts), &size),
             ERROR_INVALID_PARAMETER);
    server_close(&server);
}

TEST(test_property__timeouts_are_kept)
{
    struct server server;
    HTTP_TIMEOUT_LIMIT_INFO set, got;
    ULONG size = 0;
    server_open(&server);
    memset(&got, 0xAA, sizeof(got));
    CHECK_EQ(HttpQueryUrlGroupProperty(server.group, HttpServerTimeoutsProperty, &got, sizeof(got), &size), NO_ERROR);
    CHECK_EQ(got.Flags.Present, 0);
    CHECK_EQ(size, sizeof(got));
    memset(&set, 0, sizeof(set));
    set.Flags.Present = 1;
    set.EntityBody = 10;
    set.DrainEntityBody = 20;
    set.RequestQueue = 30;
    set.IdleConnection = 40;
    set.HeaderWait = 50;
    set.MinSendRate = 0xABCDEF01;
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerTimeoutsProperty, &set, sizeof(set)), NO_ERROR);
    CHECK_EQ(HttpQueryUrlGroupProperty(server.group, HttpServerTimeoutsProperty, &got, sizeof(got), &size), NO_ERROR);
    CHECK_EQ(got.Flags.Present, 1);
    CHECK_EQ(got.EntityBody, 10);
    CHECK_EQ(got.DrainEntityBody, 20);
    CHECK_EQ(got.RequestQueue, 30);
    CHECK_EQ(got.IdleConnection, 40);
    CHECK_EQ(got.HeaderWait, 50);
    CHECK_EQ(got.MinSendRate, 0xABCDEF01);
    CHECK_EQ(HttpSetServerSessionProperty(server.session, HttpServerTimeoutsProperty, &set, sizeof(set)), NO_ERROR);
    CHECK_EQ(HttpQueryServerSessionProperty(server.session, HttpServerTimeoutsProperty, &got, sizeof(got), &size), NO_ERROR);
    CHECK_EQ(got.HeaderWait, 50);
    set.Flags.Present = 0;
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerTimeoutsProperty, &set, sizeof(set)), NO_ERROR);
    CHECK_EQ(HttpQueryUrlGroupProperty(server.group, HttpServerTimeoutsProperty, &got, sizeof(got), &size), NO_ERROR);
    CHECK_EQ(got.Flags.Present, 0);
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerTimeoutsProperty, &set, sizeof(set) - 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetUrlGroupProperty(0xDEAD, HttpServerTimeoutsProperty, &set, sizeof(set)), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetServerSessionProperty(0xDEAD, HttpServerTimeoutsProperty, &set, sizeof(set)), ERROR_INVALID_PARAMETER);
    server_close(&server);
}

TEST(test_property__binding_arguments)
{
    struct server server;
    HTTP_BINDING_INFO info;
    server_open(&server);
    memset(&info, 0, sizeof(info));
    info.Flags.Present = 1;
    info.RequestQueueHandle = (HANDLE)(uintptr_t)0x1230;
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerBindingProperty, &info, sizeof(info)), ERROR_INVALID_PARAMETER);
    info.RequestQueueHandle = server.queue;
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerBindingProperty, &info, sizeof(info) - 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerBindingProperty, NULL, sizeof(info)), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetUrlGroupProperty(0xDEAD, HttpServerBindingProperty, &info, sizeof(info)), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetServerSessionProperty(server.session, HttpServerBindingProperty, &info, sizeof(info)), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerBindingProperty, &info, sizeof(info)), NO_ERROR);
    server_close(&server);
}

static int status_of_get(const struct server *server)
{
    static struct reply reply;
    int client = client_get(server, "/");
    client_all(client, &reply);
    close(client);
    return reply.status;
}

TEST(test_property__unbound_and_inactive_answer_503)
{
    struct server server;
    HTTP_STATE_INFO state, got;
    HTTP_ENABLED_STATE queue = HttpEnabledStateInactive;
    ULONG size, verbosity = Http503ResponseVerbosityFull;
    int client;
    server_open(&server);
    CHECK_EQ(bind_group(server.group, NULL), NO_ERROR);
    CHECK_EQ(status_of_get(&server), 503);
    CHECK_EQ(bind_group(server.group, server.queue), NO_ERROR);
    memset(&state, 0, sizeof(state));
    state.Flags.Present = 1;
    state.State = HttpEnabledStateInactive;
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerStateProperty, &state, sizeof(state)), NO_ERROR);
    CHECK_EQ(HttpQueryUrlGroupProperty(server.group, HttpServerStateProperty, &got, sizeof(got), &size), NO_ERROR);
    CHECK_EQ(got.Flags.Present, 1);
    CHECK_EQ(got.State, HttpEnabledStateInactive);
    CHECK_EQ(status_of_get(&server), 503);
    state.State = HttpEnabledStateActive;
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerStateProperty, &state, sizeof(state)), NO_ERROR);
    state.State = HttpEnabledStateInactive;
    CHECK_EQ(HttpSetServerSessionProperty(server.session, HttpServerStateProperty, &state, sizeof(state)), NO_ERROR);
    CHECK_EQ(status_of_get(&server), 503);
    state.State = HttpEnabledStateActive;
    CHECK_EQ(HttpSetServerSessionProperty(server.session, HttpServerStateProperty, &state, sizeof(state)), NO_ERROR);
    CHECK_EQ(HttpSetRequestQueueProperty(server.queue, HttpServer503VerbosityProperty, &verbosity, 4, 0, NULL), NO_ERROR);
    CHECK_EQ(HttpSetRequestQueueProperty(server.queue, HttpServerStateProperty, &queue, 4, 0, NULL), NO_ERROR);
    CHECK_EQ(status_of_get(&server), 503);
    queue = HttpEnabledStateActive;
    CHECK_EQ(HttpSetRequestQueueProperty(server.queue, HttpServerStateProperty, &queue, 4, 0, NULL), NO_ERROR);
    state.State = (HTTP_ENABLED_STATE)2;
    CHECK_EQ(HttpSetServerSessionProperty(server.session, HttpServerStateProperty, &state, sizeof(state)), ERROR_INVALID_PARAMETER);
    client = client_get(&server, "/");
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "x"), NO_ERROR);
    close(client);
    server_close(&server);
}

/* With one place in the queue, the second waiting request is refused as the verbosity says. */
static void full_queue(ULONG verbosity, int status)
{
    static struct reply reply;
    struct server server;
    ULONG length = 1, got = 9;
    int first, second;
    server_open(&server);
    CHECK_EQ(HttpSetRequestQueueProperty(server.queue, HttpServerQueueLengthProperty, &length, 4, 0, NULL), NO_ERROR);
    CHECK_EQ(HttpSetRequestQueueProperty(server.queue, HttpServer503VerbosityProperty, &verbosity, 4, 0, NULL), NO_ERROR);
    CHECK_EQ(HttpQueryRequestQueueProperty(server.queue, HttpServer503VerbosityProperty, &got, 4, 0, NULL, NULL), NO_ERROR);
    CHECK_EQ(got, verbosity);
    /* One of the two gets the place and the other the refusal. */
    first = client_get(&server, "/");
    second = client_get(&server, "/");
    while (!client_readable(first, 10) && !client_readable(second, 10))
        ;
    client_all(client_readable(first, 0) ? first : second, &reply);
    CHECK(reply.closed);
    CHECK_EQ(reply.status, status);
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "x"), NO_ERROR);
    close(first);
    close(second);
    server_close(&server);
}

TEST(test_property__full_queue_basic_resets)
{
    full_queue(Http503ResponseVerbosityBasic, 0);
}

TEST(test_property__full_queue_limited_answers)
{
    full_queue(Http503ResponseVerbosityLimited, 503);
}

TEST(test_property__full_queue_full_answers)
{
    full_queue(Http503ResponseVerbosityFull, 503);
}

TEST(test_property__verbosity_values)
{
    struct server server;
    ULONG value = 3, got = 9;
    server_open(&server);
    CHECK_EQ(HttpQueryRequestQueueProperty(server.queue, HttpServer503VerbosityProperty, &got, 4, 0, NULL, NULL), NO_ERROR);
    CHECK_EQ(got, Http503ResponseVerbosityBasic);
    CHECK_EQ(HttpSetRequestQueueProperty(server.queue, HttpServer503VerbosityProperty, &value, 4, 0, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpQueryRequestQueueProperty(server.queue, HttpServerStateProperty, &got, 4, 0, NULL, NULL), NO_ERROR);
    CHECK_EQ(got, HttpEnabledStateActive);
    value = 2;
    CHECK_EQ(HttpSetRequestQueueProperty(server.queue, HttpServerStateProperty, &value, 4, 0, NULL), ERROR_INVALID_PARAMETER);
    server_close(&server);
}

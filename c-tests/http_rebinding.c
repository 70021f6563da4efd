/* What becomes of requests that wait, or that the program has, when their URL, group or binding goes (digest, section
 * 1.5): nothing. And whom new requests go to.
 *
 * gate: not-mingw (it waits at the queue's descriptor, which is ours) */
#include <nthttp/nthttp.h>

#include "http_server.h"

static struct reply reply;

static void wait_until_queued(HANDLE queue)
{
    int descriptor = nthttp_event_fd(queue);
    REQUIRE(descriptor >= 0);
    REQUIRE(client_readable(descriptor, 10000));
}

static void remove_url(struct server *it)
{
    CHECK_EQ(HttpRemoveUrlFromUrlGroup(it->group, NULL, HTTP_URL_FLAG_REMOVE_ALL), NO_ERROR);
}

static void unbind(struct server *it)
{
    CHECK_EQ(bind_group(it->group, NULL), NO_ERROR);
}

static void unbind_by_absence(struct server *it)
{
    HTTP_BINDING_INFO info;
    memset(&info, 0, sizeof(info));
    info.RequestQueueHandle = it->queue;
    CHECK_EQ(HttpSetUrlGroupProperty(it->group, HttpServerBindingProperty, &info, sizeof(info)), NO_ERROR);
}

static void deactivate(struct server *it)
{
    HTTP_STATE_INFO state;
    memset(&state, 0, sizeof(state));
    state.Flags.Present = 1;
    state.State = HttpEnabledStateInactive;
    CHECK_EQ(HttpSetUrlGroupProperty(it->group, HttpServerStateProperty, &state, sizeof(state)), NO_ERROR);
}

static void deactivate_queue(struct server *it)
{
    HTTP_ENABLED_STATE state = HttpEnabledStateInactive;
    CHECK_EQ(HttpSetRequestQueueProperty(it->queue, HttpServerStateProperty, &state, sizeof(state), 0, NULL), NO_ERROR);
}

static void close_group(struct server *it)
{
    CHECK_EQ(HttpCloseUrlGroup(it->group), NO_ERROR);
    REQUIRE(HttpCreateUrlGroup(it->session, &it->group, 0) == NO_ERROR);
}

static void close_session(struct server *it)
{
    CHECK_EQ(HttpCloseServerSession(it->session), NO_ERROR);
    REQUIRE(HttpCreateServerSession(version(2, 0), &it->session, 0) == NO_ERROR);
    REQUIRE(HttpCreateUrlGroup(it->session, &it->group, 0) == NO_ERROR);
}

/* One request has been delivered and one waits when `happens` happens; both are answered all the same. `status` is
 * what a new request gets, or 0 if nobody listens any more. */
static void outlived(void (*happens)(struct server *), int status)
{
    static union request_buffer buffer;
    struct server server;
    HTTP_REQUEST_ID delivered;
    int first, second, third;
    server_open(&server);
    first = client_get(&server, "/first");
    delivered = receive(&server)->RequestId;
    second = client_get(&server, "/second");
    wait_until_queued(server.queue);
    happens(&server);
    if (status != 0) {
        third = client_get(&server, "/third");
        client_all(third, &reply);
        CHECK_EQ(reply.status, status);
        close(third);
    }
    CHECK_EQ(answer(&server, delivered, "one"), NO_ERROR);
    CHECK(client_response(first, &reply, 0));
    CHECK_BYTES(reply.body, reply.body_size, "one");
    receive_into(&server, &buffer, 0);
    CHECK_BYTES(buffer.request.pRawUrl, buffer.request.RawUrlLength, "/second");
    CHECK_EQ(answer(&server, buffer.request.RequestId, "two"), NO_ERROR);
    CHECK(client_response(second, &reply, 0));
    CHECK_BYTES(reply.body, reply.body_size, "two");
    close(first);
    close(second);
    server_close(&server);
}

TEST(test_rebinding__requests_outlive_their_url)
{
    outlived(remove_url, 0);
}

TEST(test_rebinding__requests_outlive_their_binding)
{
    outlived(unbind, 503);
    outlived(unbind_by_absence, 503);
}

TEST(test_rebinding__requests_outlive_the_active_state)
{
    outlived(deactivate, 503);
    outlived(deactivate_queue, 503);
}

TEST(test_rebinding__requests_outlive_group_and_session)
{
    outlived(close_group, 0);
    outlived(close_session, 0);
}

TEST(test_rebinding__new_requests_go_to_the_new_queue)
{
    static union request_buffer buffer;
    struct server server;
    HANDLE old, other;
    int first, second;
    server_open(&server);
    old = server.queue;
    REQUIRE(HttpCreateRequestQueue(version(2, 0), NULL, NULL, 0, &other) == NO_ERROR);
    first = client_get(&server, "/old");
    wait_until_queued(old);
    CHECK_EQ(bind_group(server.group, other), NO_ERROR);
    second = client_get(&server, "/new");
    server.queue = other;
    receive_into(&server, &buffer, 0);
    CHECK_BYTES(buffer.request.pRawUrl, buffer.request.RawUrlLength, "/new");
    CHECK_EQ(answer(&server, buffer.request.RequestId, "new"), NO_ERROR);
    server.queue = old;
    receive_into(&server, &buffer, 0);
    CHECK_BYTES(buffer.request.pRawUrl, buffer.request.RawUrlLength, "/old");
    CHECK_EQ(answer(&server, buffer.request.RequestId, "old"), NO_ERROR);
    CHECK(client_response(first, &reply, 0));
    CHECK_BYTES(reply.body, reply.body_size, "old");
    CHECK(client_response(second, &reply, 0));
    CHECK_BYTES(reply.body, reply.body_size, "new");
    close(first);
    close(second);
    CHECK_EQ(HttpCloseRequestQueue(other), NO_ERROR);
    server_close(&server);
}

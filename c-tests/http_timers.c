/* Timers of groups and sessions that no other file waits for: unread bodies, inheritance, and a timer switched off. */
#include "http_server.h"

static struct reply reply;

static void set_idle(HTTP_SERVER_SESSION_ID session, HTTP_URL_GROUP_ID group, USHORT seconds)
{
    HTTP_TIMEOUT_LIMIT_INFO timeouts;
    memset(&timeouts, 0, sizeof(timeouts));
    timeouts.Flags.Present = 1;
    timeouts.IdleConnection = seconds;
    if (session)
        CHECK_EQ(HttpSetServerSessionProperty(session, HttpServerTimeoutsProperty, &timeouts, sizeof(timeouts)), NO_ERROR);
    else
        CHECK_EQ(HttpSetUrlGroupProperty(group, HttpServerTimeoutsProperty, &timeouts, sizeof(timeouts)), NO_ERROR);
}

TEST(test_timers__an_unread_body_must_come_in_time)
{
    struct server server;
    HTTP_TIMEOUT_LIMIT_INFO timeouts;
    int client;
    server_open(&server);
    memset(&timeouts, 0, sizeof(timeouts));
    timeouts.Flags.Present = 1;
    timeouts.DrainEntityBody = 1;
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerTimeoutsProperty, &timeouts, sizeof(timeouts)), NO_ERROR);
    client = client_connect(server.port);
    client_text(client, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n0123456789");
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    /* The connection is to live on, if the rest of the body comes. */
    CHECK_LACKS(reply.text, "Connection: close");
    client_all(client, &reply);
    CHECK(reply.closed);
    CHECK_EQ(reply.size, 0);
    close(client);
    server_close(&server);
}

TEST(test_timers__a_session_s_holds_unless_the_group_has_its_own)
{
    struct server server;
    HTTP_URL_GROUP_ID own;
    int patient, hasty;
    server_open_bare(&server);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("http://localhost:%d/hasty/", server.port), 0, 0), NO_ERROR);
    REQUIRE(HttpCreateUrlGroup(server.session, &own, 0) == NO_ERROR);
    CHECK_EQ(HttpAddUrlToUrlGroup(own, wide("http://localhost:%d/patient/", server.port), 0, 0), NO_ERROR);
    CHECK_EQ(bind_group(own, server.queue), NO_ERROR);
    set_idle(server.session, 0, 1);
    set_idle(0, own, 0xFFFF);
    patient = client_get(&server, "/patient/");
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(patient, &reply, 0));
    hasty = client_get(&server, "/hasty/");
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(hasty, &reply, 0));
    client_all(hasty, &reply);
    CHECK(reply.closed);
    CHECK_EQ(reply.size, 0);
    /* It has been idle for longer, and goes on. */
    CHECK(!client_readable(patient, 0));
    client_text(patient, "GET /patient/ HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", server.port);
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "y"), NO_ERROR);
    REQUIRE(client_response(patient, &reply, 0));
    CHECK_BYTES(reply.body, reply.body_size, "y");
    close(patient);
    close(hasty);
    CHECK_EQ(HttpCloseUrlGroup(own), NO_ERROR);
    server_close(&server);
}

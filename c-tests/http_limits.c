/* Limits that a session or URL group sets for itself (NTHTTP_SERVER_LIMITS_PROPERTY), within the service's.
 * gate: not-mingw (the property is ours) */
#include "http_server.h"
#include <nthttp/nthttp.h>

static struct reply reply;

static NTHTTP_LIMITS_INFO limits(ULONG field, ULONG head, ULONG length, ULONG count)
{
    NTHTTP_LIMITS_INFO it;
    memset(&it, 0, sizeof(it));
    it.Flags.Present = 1;
    it.MaxFieldLength = field;
    it.MaxRequestBytes = head;
    it.UrlSegmentMaxLength = length;
    it.UrlSegmentMaxCount = count;
    return it;
}

static ULONG limit_group(const struct server *server, NTHTTP_LIMITS_INFO it)
{
    return HttpSetUrlGroupProperty(server->group, NTHTTP_SERVER_LIMITS_PROPERTY, &it, sizeof(it));
}

/* Asks for a path with this much in one field and in another, and is refused with this status and text. */
static void refused(const struct server *server, const char *path, int one, int other, int status, const char *text)
{
    static char long_one[2000], long_other[2000];
    int client = client_connect(server->port);
    memset(long_one, 'a', sizeof(long_one) - 1);
    memset(long_other, 'b', sizeof(long_other) - 1);
    client_text(client, "GET %s HTTP/1.1\r\nHost: localhost:%d\r\nA: %.*s\r\nB: %.*s\r\n\r\n", path, server->port, one, long_one, other, long_other);
    client_all(client, &reply);
    CHECK_EQ(reply.status, status);
    CHECK_HAS(reply.text, text);
    close(client);
}

static void taken(const struct server *server, const char *path, int one)
{
    static char long_one[2000];
    int client = client_connect(server->port);
    memset(long_one, 'a', sizeof(long_one) - 1);
    client_text(client, "GET %s HTTP/1.1\r\nHost: localhost:%d\r\nA: %.*s\r\n\r\n", path, server->port, one, long_one);
    CHECK_EQ(answer(server, receive(server)->RequestId, "x"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    CHECK_EQ(reply.status, 200);
    close(client);
}

TEST(test_limits__of_a_group)
{
    struct server server;
    server_open(&server);
    taken(&server, "/a/b/c/d/e", 1000);
    CHECK_EQ(limit_group(&server, limits(100, 300, 5, 4)), NO_ERROR);
    taken(&server, "/a/b/c/eeeee?a/longer/query/is/not/a/path", 97);
    refused(&server, "/", 98, 1, 400, "Header Field Too Long");
    refused(&server, "/", 97, 300, 400, "Too Long");
    refused(&server, "/a/b/c/d/e", 1, 1, 400, "Invalid URL");
    refused(&server, "/abcdef", 1, 1, 400, "Invalid URL");
    refused(&server, "/%61%62%63%64%65%66", 1, 1, 400, "Invalid URL");
    refused(&server, "/?0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789", 1, 1, 414, "URL Too Long");
    /* Taken back, the service's hold again. */
    {
        NTHTTP_LIMITS_INFO none;
        memset(&none, 0, sizeof(none));
        CHECK_EQ(limit_group(&server, none), NO_ERROR);
    }
    taken(&server, "/a/b/c/d/e", 1000);
    server_close(&server);
}

TEST(test_limits__of_the_whole_head)
{
    struct server server;
    char head[600];
    int client, at;
    server_open(&server);
    CHECK_EQ(limit_group(&server, limits(0, 256, 0, 0)), NO_ERROR);
    for (at = 0; at < 2; at++) {
        int size = snprintf(head, sizeof(head), "GET / HTTP/1.1\r\nHost: localhost:%d\r\nA: ", server.port);
        /* With value and two line ends: 256 bytes, then one more. */
        int value = 256 - 4 - size + at;
        snprintf(head + size, sizeof(head) - (size_t)size, "%0*d\r\n\r\n", value, 0);
        client = client_connect(server.port);
        client_text(client, "%s", head);
        if (at == 0) {
            CHECK_EQ(answer(&server, receive(&server)->RequestId, "x"), NO_ERROR);
            CHECK(client_response(client, &reply, 0));
        } else
            client_all(client, &reply);
        CHECK_EQ(reply.status, at == 0 ? 200 : 400);
        close(client);
    }
    CHECK_HAS(reply.text, "Request Too Long");
    server_close(&server);
}

TEST(test_limits__are_inherited_and_read_back)
{
    struct server server;
    NTHTTP_LIMITS_INFO it = limits(0, 0, 7, 3);
    ULONG size = 0;
    server_open(&server);
    CHECK_EQ(HttpQueryUrlGroupProperty(server.group, NTHTTP_SERVER_LIMITS_PROPERTY, &it, sizeof(it), &size), NO_ERROR);
    CHECK_EQ(size, sizeof(it));
    CHECK_EQ(it.Flags.Present, 0);
    it = limits(0, 0, 7, 3);
    CHECK_EQ(HttpSetServerSessionProperty(server.session, NTHTTP_SERVER_LIMITS_PROPERTY, &it, sizeof(it)), NO_ERROR);
    refused(&server, "/12345678", 1, 1, 400, "Invalid URL");
    refused(&server, "/1/2/3/4", 1, 1, 400, "Invalid URL");
    CHECK_EQ(limit_group(&server, limits(0, 0, 9, 0)), NO_ERROR);
    taken(&server, "/12345678", 1);
    refused(&server, "/1/2/3/4", 1, 1, 400, "Invalid URL");
    CHECK_EQ(HttpQueryServerSessionProperty(server.session, NTHTTP_SERVER_LIMITS_PROPERTY, &it, sizeof(it), NULL), NO_ERROR);
    CHECK_EQ(it.Flags.Present, 1);
    CHECK_EQ(it.UrlSegmentMaxLength, 7);
    CHECK_EQ(it.UrlSegmentMaxCount, 3);
    CHECK_EQ(it.MaxFieldLength, 0);
    CHECK_EQ(limit_group(&server, limits(63, 0, 0, 0)), ERROR_INVALID_PARAMETER);
    CHECK_EQ(limit_group(&server, limits(0, 255, 0, 0)), ERROR_INVALID_PARAMETER);
    CHECK_EQ(limit_group(&server, limits(0, 16777217, 0, 0)), ERROR_INVALID_PARAMETER);
    CHECK_EQ(limit_group(&server, limits(0, 0, 32767, 0)), ERROR_INVALID_PARAMETER);
    CHECK_EQ(limit_group(&server, limits(0, 0, 0, 16384)), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, NTHTTP_SERVER_LIMITS_PROPERTY, &it, sizeof(it) - 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetRequestQueueProperty(server.queue, NTHTTP_SERVER_LIMITS_PROPERTY, &it, sizeof(it), 0, NULL), ERROR_INVALID_PARAMETER);
    server_close(&server);
}

TEST(test_limits__of_one_group_are_not_anothers)
{
    struct server server;
    HTTP_URL_GROUP_ID other;
    server_open(&server);
    REQUIRE(HttpCreateUrlGroup(server.session, &other, 0) == NO_ERROR);
    REQUIRE(bind_group(other, server.queue) == NO_ERROR);
    REQUIRE(HttpAddUrlToUrlGroup(other, wide("http://localhost:%d/other/", server.port), 8, 0) == NO_ERROR);
    CHECK_EQ(limit_group(&server, limits(0, 0, 5, 0)), NO_ERROR);
    taken(&server, "/other/longer-than-five", 1);
    refused(&server, "/longer-than-five", 1, 1, 400, "Invalid URL");
    CHECK_EQ(HttpCloseUrlGroup(other), NO_ERROR);
    server_close(&server);
}

/* A chunked body whose trailers are over the group's limit cannot be read to its end. */
TEST(test_limits__of_trailers)
{
    struct server server;
    HTTP_REQUEST_ID id;
    static char body[64];
    ULONG bytes, code;
    int client, at;
    server_open(&server);
    CHECK_EQ(limit_group(&server, limits(64, 0, 0, 0)), NO_ERROR);
    for (at = 0; at < 2; at++) {
        client = client_connect(server.port);
        client_text(client, "POST / HTTP/1.1\r\nHost: localhost:%d\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nA: %0*d\r\n\r\n", server.port,
                    61 + at, 0);
        id = receive(&server)->RequestId;
        do
            code = HttpReceiveRequestEntityBody(server.queue, id, 0, body, sizeof(body), &bytes, NULL);
        while (code == NO_ERROR);
        CHECK_EQ(code, at == 0 ? ERROR_HANDLE_EOF : ERROR_NETNAME_DELETED);
        close(client);
    }
    server_close(&server);
}

/* HTTP_SEND_RESPONSE_FLAG_ENABLE_NAGLING: Nagle's algorithm is on for the sends that ask for it, and off otherwise.
 *
 * gate: not-mingw (it looks at the server's end of the connection, which is in this process) */
#include "http_server.h"

/* The server's end of a client's connection. */
static int other_end(int client)
{
    struct sockaddr_in own, peer, theirs;
    socklen_t size = sizeof(own);
    int fd;
    REQUIRE(getsockname(client, (struct sockaddr *)&own, &size) == 0);
    for (fd = 3; fd < 1024; fd++) {
        socklen_t peer_size = sizeof(peer), size_theirs = sizeof(theirs);
        if (fd == client || getpeername(fd, (struct sockaddr *)&peer, &peer_size) != 0
            || getsockname(fd, (struct sockaddr *)&theirs, &size_theirs) != 0)
            continue;
        if (peer.sin_family == AF_INET && peer.sin_port == own.sin_port && theirs.sin_port != own.sin_port)
            return fd;
    }
    REQUIRE(!"the server's end is not in this process");
    return -1;
}

static int nagles(int fd)
{
    int off = -1;
    socklen_t size = sizeof(off);
    REQUIRE(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &off, &size) == 0);
    return !off;
}

TEST(test_nagling__holds_for_the_sends_that_ask_for_it)
{
    static struct reply reply;
    struct server server;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    HTTP_REQUEST_ID id;
    const ULONG more = HTTP_SEND_RESPONSE_FLAG_MORE_DATA;
    int client, fd;
    server_open(&server);
    client = client_get(&server, "/");
    id = receive(&server)->RequestId;
    fd = other_end(client);
    CHECK(!nagles(fd));
    make_response(&response, &chunk, 200, "OK", "a");
    set_known(&response, HttpHeaderContentLength, "4");
    CHECK_EQ(send_response(&server, id, more | HTTP_SEND_RESPONSE_FLAG_ENABLE_NAGLING, &response, NULL), NO_ERROR);
    CHECK(nagles(fd));
    CHECK_EQ(send_body(&server, id, more | HTTP_SEND_RESPONSE_FLAG_ENABLE_NAGLING, "b"), NO_ERROR);
    CHECK(nagles(fd));
    CHECK_EQ(send_body(&server, id, more, "c"), NO_ERROR);
    CHECK(!nagles(fd));
    CHECK_EQ(send_body(&server, id, HTTP_SEND_RESPONSE_FLAG_ENABLE_NAGLING, "d"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    CHECK_BYTES(reply.body, reply.body_size, "abcd");
    /* The end of a response waits for nothing, nor does the next. */
    CHECK(!nagles(fd));
    client_text(client, "GET /2 HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", server.port);
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "x"), NO_ERROR);
    CHECK(!nagles(fd));
    CHECK(client_response(client, &reply, 0));
    close(client);
    server_close(&server);
}

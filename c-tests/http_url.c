/* Registering URLs: grammar, conflicts, removal, and which registration a request finds. */
#include "http_server.h"

static const char *const malformed[] = {
    "http://localhost:50000", "localhost:50000/", "http://localhost/", "http://localhost:/", "http://localhost:0/",
    "http://localhost:080/", "http://localhost:65536/", "http://localhost:8o/", "ftp://localhost:80/", "HTTP://localhost:80/",
    "http://:80/", "http://localhost:80/a?b/", "http://localhost:80/a#b/", "http:/localhost:80/", "", "/",
    "http://[::1:80/", "http://local host:80/",
};

TEST(test_url__malformed_prefixes)
{
    struct server server;
    HANDLE queue;
    size_t at;
    server_open_bare(&server);
    REQUIRE(HttpCreateHttpHandle(&queue, 0) == NO_ERROR);
    for (at = 0; at < sizeof(malformed) / sizeof(malformed[0]); at++) {
        ULONG one = HttpAddUrl(queue, wide("%s", malformed[at]), NULL);
        ULONG two = HttpAddUrlToUrlGroup(server.group, wide("%s", malformed[at]), 0, 0);
        if (one != ERROR_INVALID_PARAMETER || two != ERROR_INVALID_PARAMETER)
            fprintf(stderr, "prefix \"%s\"\n", malformed[at]);
        CHECK_EQ(one, ERROR_INVALID_PARAMETER);
        CHECK_EQ(two, ERROR_INVALID_PARAMETER);
    }
    CHECK(CloseHandle(queue));
    server_close(&server);
}

TEST(test_url__version_1)
{
    struct server server;
    HANDLE other;
    PCWSTR url;
    int reserved;
    server_open_v1(&server);
    url = wide("http://localhost:%d/", server.port);
    REQUIRE(HttpCreateHttpHandle(&other, 0) == NO_ERROR);
    CHECK_EQ(HttpAddUrl(NULL, url, NULL), ERROR_INVALID_HANDLE);
    CHECK_EQ(HttpAddUrl(server.queue, NULL, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpAddUrl(server.queue, url, &reserved), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpAddUrl(server.queue, url, NULL), ERROR_ALREADY_EXISTS);
    CHECK_EQ(HttpAddUrl(other, url, NULL), ERROR_ALREADY_EXISTS);
    CHECK_EQ(HttpAddUrl(other, wide("http://LOCALHOST:%d/", server.port), NULL), ERROR_ALREADY_EXISTS);
    CHECK_EQ(HttpRemoveUrl(other, url), ERROR_FILE_NOT_FOUND);
    CHECK_EQ(HttpRemoveUrl(server.queue, wide("http://localhost:%d/nothing/", server.port)), ERROR_FILE_NOT_FOUND);
    CHECK_EQ(HttpRemoveUrl(server.queue, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpRemoveUrl(server.queue, url), NO_ERROR);
    CHECK_EQ(HttpRemoveUrl(server.queue, url), ERROR_FILE_NOT_FOUND);
    CHECK_EQ(HttpAddUrl(other, url, NULL), NO_ERROR);
    CHECK(CloseHandle(other));
    CHECK_EQ(HttpRemoveUrl(other, url), ERROR_INVALID_HANDLE);
    CHECK_EQ(HttpAddUrl(server.queue, url, NULL), NO_ERROR);
    server_close(&server);
}

TEST(test_url__version_2)
{
    struct server server;
    HTTP_URL_GROUP_ID other;
    PCWSTR root, sub;
    server_open(&server);
    root = wide("http://localhost:%d/", server.port);
    sub = wide("http://localhost:%d/Sub/", server.port);
    REQUIRE(HttpCreateUrlGroup(server.session, &other, 0) == NO_ERROR);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, NULL, 0, 0), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, sub, 0, 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpAddUrlToUrlGroup(0xDEAD, sub, 0, 0), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, root, 0, 0), ERROR_ALREADY_EXISTS);
    CHECK_EQ(HttpAddUrlToUrlGroup(other, root, 0, 0), ERROR_ALREADY_EXISTS);
    CHECK_EQ(HttpAddUrlToUrlGroup(other, sub, 0, 0), NO_ERROR);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("http://localhost:%d/sub/", server.port), 0, 0), ERROR_ALREADY_EXISTS);
    CHECK_EQ(HttpRemoveUrlFromUrlGroup(server.group, sub, 0), ERROR_FILE_NOT_FOUND);
    CHECK_EQ(HttpRemoveUrlFromUrlGroup(0xDEAD, sub, 0), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpRemoveUrlFromUrlGroup(other, NULL, 0), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpRemoveUrlFromUrlGroup(other, sub, 2), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpRemoveUrlFromUrlGroup(other, sub, HTTP_URL_FLAG_REMOVE_ALL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpRemoveUrlFromUrlGroup(other, sub, 0), NO_ERROR);
    CHECK_EQ(HttpRemoveUrlFromUrlGroup(other, sub, 0), ERROR_FILE_NOT_FOUND);
    CHECK_EQ(HttpRemoveUrlFromUrlGroup(server.group, NULL, HTTP_URL_FLAG_REMOVE_ALL), NO_ERROR);
    CHECK_EQ(HttpRemoveUrlFromUrlGroup(server.group, NULL, HTTP_URL_FLAG_REMOVE_ALL), NO_ERROR);
    CHECK_EQ(HttpAddUrlToUrlGroup(other, root, 0, 0), NO_ERROR);
    CHECK_EQ(HttpCloseUrlGroup(other), NO_ERROR);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, root, 0, 0), NO_ERROR);
    server_close(&server);
}

TEST(test_url__port_of_another_program)
{
    struct server server;
    HANDLE queue;
    int port, foreign;
    server_open_bare(&server);
    foreign = foreign_listener(&port);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("http://localhost:%d/", port), 0, 0), ERROR_SHARING_VIOLATION);
    REQUIRE(HttpCreateHttpHandle(&queue, 0) == NO_ERROR);
    CHECK_EQ(HttpAddUrl(queue, wide("http://localhost:%d/", port), NULL), ERROR_SHARING_VIOLATION);
    close(foreign);
    CHECK_EQ(HttpAddUrl(queue, wide("http://localhost:%d/", port), NULL), NO_ERROR);
    CHECK(CloseHandle(queue));
    server_close(&server);
}

/* The URL context of the registration that a request finds. */
static HTTP_URL_CONTEXT context_of(const struct server *server, const char *host, const char *path)
{
    HTTP_REQUEST *request;
    HTTP_URL_CONTEXT context;
    int client = client_connect(server->port);
    client_text(client, "GET %s HTTP/1.1\r\nHost: %s:%d\r\n\r\n", path, host, server->port);
    request = receive(server);
    context = request->UrlContext;
    CHECK_EQ(answer(server, request->RequestId, ""), NO_ERROR);
    close(client);
    return context;
}

TEST(test_url__longest_prefix_of_whole_segments_wins)
{
    struct server server;
    server_open(&server);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("http://localhost:%d/dir/", server.port), 8, 0), NO_ERROR);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("http://localhost:%d/dir/sna", server.port), 9, 0), NO_ERROR);
    CHECK_EQ(context_of(&server, "localhost", "/"), 7);
    CHECK_EQ(context_of(&server, "localhost", "/other"), 7);
    CHECK_EQ(context_of(&server, "localhost", "/dir/x"), 8);
    CHECK_EQ(context_of(&server, "localhost", "/dir"), 8);
    CHECK_EQ(context_of(&server, "localhost", "/direct"), 7);
    CHECK_EQ(context_of(&server, "localhost", "/DIR/SNA/x"), 9);
    CHECK_EQ(context_of(&server, "localhost", "/dir/sna"), 9);
    CHECK_EQ(context_of(&server, "localhost", "/dir/snack"), 8);
    CHECK_EQ(context_of(&server, "LOCALHOST", "/dir/%73na/"), 9);
    server_close(&server);
}

TEST(test_url__categories_are_searched_in_order)
{
    struct server server;
    HTTP_REQUEST *request;
    ULONG result;
    int client;
    server_open(&server);
    result = HttpAddUrlToUrlGroup(server.group, wide("http://*:%d/", server.port), 1, 0);
    if (result == ERROR_ACCESS_DENIED) {
        server_close(&server);
        return;
    }
    CHECK_EQ(result, NO_ERROR);
    CHECK_EQ(context_of(&server, "elsewhere", "/"), 1);
    CHECK_EQ(context_of(&server, "localhost", "/"), 7);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("http://127.0.0.1:%d/", server.port), 2, 0), NO_ERROR);
    CHECK_EQ(context_of(&server, "elsewhere", "/"), 2);
    client = client_connect(server.port);
    client_text(client, "GET / HTTP/1.0\r\n\r\n");
    request = receive(&server);
    CHECK_EQ(request->UrlContext, 2);
    CHECK_EQ(request->Flags, HTTP_REQUEST_FLAG_IP_ROUTED);
    CHECK_EQ(request->Version.MinorVersion, 0);
    close(client);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("http://+:%d/strong/", server.port), 3, 0), NO_ERROR);
    CHECK_EQ(context_of(&server, "localhost", "/strong/x"), 3);
    CHECK_EQ(context_of(&server, "localhost", "/weak"), 7);
    server_close(&server);
}

TEST(test_url__removal_works_at_once)
{
    static struct reply reply;
    struct server server;
    int client;
    server_open(&server);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("http://localhost:%d/dir/", server.port), 8, 0), NO_ERROR);
    CHECK_EQ(HttpRemoveUrlFromUrlGroup(server.group, wide("http://localhost:%d/", server.port), 0), NO_ERROR);
    client = client_get(&server, "/");
    client_all(client, &reply);
    CHECK_EQ(reply.status, 404);
    close(client);
    CHECK_EQ(context_of(&server, "localhost", "/dir/"), 8);
    server_close(&server);
}

TEST(test_url__the_roots_dot_changes_nothing)
{
    struct server server;
    server_open(&server);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("http://example.test.:%d/", server.port), 8, 0), NO_ERROR);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("http://example.test:%d/", server.port), 9, 0), ERROR_ALREADY_EXISTS);
    CHECK_EQ(context_of(&server, "example.test", "/"), 8);
    CHECK_EQ(context_of(&server, "EXAMPLE.test.", "/"), 8);
    CHECK_EQ(HttpRemoveUrlFromUrlGroup(server.group, wide("http://example.test:%d/", server.port), 0), NO_ERROR);
    server_close(&server);
}

/* Request targets (digest, section 2.8): what becomes of their paths and queries, and which are refused. */
#include "http_server.h"

static struct reply reply;

static int same_units(PCWSTR units, USHORT bytes, PCWSTR wanted)
{
    size_t at, length = 0;
    while (wanted[length])
        length++;
    if (bytes != length * 2)
        return 0;
    for (at = 0; at < length; at++)
        if (units[at] != wanted[at])
            return 0;
    return 1;
}

/* Sends a request line; the path and query that the program is told. */
static void cooked(const struct server *it, const char *verb, const char *target, PCWSTR path, PCWSTR query)
{
    HTTP_REQUEST *request;
    char text[256];
    int client = client_connect(it->port);
    client_text(client, "%s %s HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", verb, target, it->port);
    request = receive(it);
    snprintf(text, sizeof(text), "%s: not the path or the query that was to come", target);
    if (!same_units(request->CookedUrl.pAbsPath, request->CookedUrl.AbsPathLength, path)
        || !same_units(request->CookedUrl.pQueryString, request->CookedUrl.QueryStringLength, query))
        harness_fail(__FILE__, __LINE__, text);
    CHECK_BYTES(request->pRawUrl, request->RawUrlLength, target);
    CHECK_EQ(answer(it, request->RequestId, ""), NO_ERROR);
    close(client);
}

static void refused(const struct server *it, const char *target, int status)
{
    char text[256];
    int client = client_connect(it->port);
    client_text(client, "GET %s HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", target, it->port);
    client_all(client, &reply);
    snprintf(text, sizeof(text), "%.100s: %d, not %d", target, reply.status, status);
    if (reply.status != status)
        harness_fail(__FILE__, __LINE__, text);
    close(client);
}

TEST(test_targets__paths_are_decoded_once)
{
    static const struct {
        const char *target;
        PCWSTR path, query;
    } rows[] = {
        {"/", W("/"), W("")},
        {"/a%20b", W("/a b"), W("")},
        {"/a%2Fb", W("/a/b"), W("")},
        {"/a%5Cb\\c", W("/a/b/c"), W("")},
        {"/a%252Fb", W("/a%2Fb"), W("")},
        {"/a//b///", W("/a//b///"), W("")},
        {"/a/./b/../c", W("/a/c"), W("")},
        {"/a/%2E%2e/b", W("/b"), W("")},
        {"/%u00e9%u4e2d", W("/\u00e9\u4e2d"), W("")},
        {"/%C3%A9", W("/\u00e9"), W("")},
        {"/%E9", W("/\u00e9"), W("")},
        {"/\xc3\xa9", W("/\u00e9"), W("")},
        {"/\xe9", W("/\u00e9"), W("")},
        {"/a?", W("/a"), W("?")},
        {"/a?b=%00%zz&/../c??", W("/a"), W("?b=%00%zz&/../c??")},
        {"http://localhost/x%20y?z", W("/x y"), W("?z")},
        {"HTTP://LOCALHOST:1/x", W("/x"), W("")},
    };
    struct server server;
    size_t at;
    server_open(&server);
    for (at = 0; at < sizeof(rows) / sizeof(rows[0]); at++)
        cooked(&server, "GET", rows[at].target, rows[at].path, rows[at].query);
    cooked(&server, "OPTIONS", "*", W("*"), W(""));
    server_close(&server);
}

TEST(test_targets__what_is_refused)
{
    static const struct {
        const char *target;
        int status;
    } rows[] = {
        {"/%00", 400}, {"/a%1Fb", 400}, {"/%7F", 400},        {"/a\x01", 400},  {"/a?b\x7f", 400},
        {"/%", 400},   {"/%zz", 400},   {"/%u12", 400},       {"/a#b", 400},    {"/a?b#c", 400},
        {"*", 400},    {"a", 400},      {"ftp://localhost/", 400}, {"http://localhost?a/b", 400}, {"/..", 403},
        {"/a/../..", 403}, {"/%2e%2E/a", 403}, {"/a/..\\..\\b", 403},
    };
    struct server server;
    size_t at;
    server_open(&server);
    for (at = 0; at < sizeof(rows) / sizeof(rows[0]); at++)
        refused(&server, rows[at].target, rows[at].status);
    server_close(&server);
}

/* A target of so many segments of so many letters. */
static const char *segments(int count, int letters)
{
    static char text[32 * 1024];
    size_t at = 0;
    while (count-- > 0) {
        text[at++] = '/';
        memset(text + at, 'a', (size_t)letters);
        at += (size_t)letters;
    }
    text[at] = 0;
    return text;
}

static void taken(const struct server *it, const char *target)
{
    HTTP_REQUEST *request;
    int client = client_connect(it->port);
    client_text(client, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", target);
    request = receive(it);
    CHECK_BYTES(request->pRawUrl, request->RawUrlLength, target);
    CHECK_EQ(answer(it, request->RequestId, ""), NO_ERROR);
    close(client);
}

TEST(test_targets__segments_and_their_length_have_limits)
{
    struct server server;
    server_open(&server);
    taken(&server, segments(1, 260));
    refused(&server, segments(1, 261), 400);
    taken(&server, segments(255, 1));
    refused(&server, segments(256, 1), 400);
    taken(&server, segments(40, 255));
    refused(&server, segments(65, 255), 414);
    CHECK_HAS(reply.text, "<h2>Request URL Too Long</h2>\r\n<hr><p>HTTP Error 414. The request URL is too long.</p>");
    CHECK_EQ(reply.body_size, 329);
    server_close(&server);
}

TEST(test_targets__without_a_host_the_address_stands_in)
{
    struct server server;
    HTTP_REQUEST *request;
    int client;
    server_open_bare(&server);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("http://127.0.0.1:%d/", server.port), 0, 0), NO_ERROR);
    client = client_connect(server.port);
    client_text(client, "GET /a?b HTTP/1.0\r\n\r\n");
    request = receive(&server);
    CHECK(same_units(request->CookedUrl.pFullUrl, request->CookedUrl.FullUrlLength, wide("http://127.0.0.1:%d/a?b", server.port)));
    CHECK_EQ(request->Flags, HTTP_REQUEST_FLAG_IP_ROUTED);
    CHECK_EQ(request->Version.MinorVersion, 0);
    CHECK_EQ(answer(&server, request->RequestId, ""), NO_ERROR);
    close(client);
    server_close(&server);
}

TEST(test_targets__a_port_has_one_scheme)
{
    struct server server;
    int port = free_port(), client;
    server_open(&server);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("https://localhost:%d/a/", server.port), 0, 0), ERROR_ALREADY_EXISTS);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("https://localhost:%d/", port), 0, 0), NO_ERROR);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("http://localhost:%d/a/", port), 0, 0), ERROR_ALREADY_EXISTS);
    /* Without a certificate, connections end as they begin. */
    client = client_connect(port);
    client_text(client, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client_all(client, &reply);
    CHECK(reply.closed);
    CHECK_EQ(reply.size, 0);
    close(client);
    CHECK_EQ(HttpRemoveUrlFromUrlGroup(server.group, wide("https://localhost:%d/", port), 0), NO_ERROR);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("http://localhost:%d/", port), 0, 0), NO_ERROR);
    server_close(&server);
}

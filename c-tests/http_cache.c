/* The response cache: what is kept, what it answers, and how it is forgotten. */
#include "http_server.h"

static HTTP_CACHE_POLICY keep_policy(HTTP_CACHE_POLICY_TYPE type, ULONG seconds)
{
    HTTP_CACHE_POLICY policy;
    policy.Policy = type;
    policy.SecondsToLive = seconds;
    return policy;
}

/* Answers with a body and a type, to be kept. */
static ULONG answer_kept(const struct server *it, HTTP_REQUEST_ID id, const char *body, HTTP_CACHE_POLICY policy)
{
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    make_response(&response, &chunk, 200, "OK", body);
    set_known(&response, HttpHeaderContentType, "text/plain");
    set_known(&response, HttpHeaderEtag, "\"v1\"");
    set_known(&response, HttpHeaderLastModified, "Sun, 06 Nov 1994 08:49:37 GMT");
    return HttpSendHttpResponse(it->queue, id, 0, &response, &policy, NULL, NULL, 0, NULL, NULL);
}

/* A request of a client's own, with these lines behind the Host field. */
static int ask(const struct server *it, const char *method, const char *path, const char *fields)
{
    int client = client_connect(it->port);
    client_text(client, "%s %s HTTP/1.1\r\nHost: localhost:%d\r\n%s\r\n", method, path, it->port, fields);
    return client;
}

/* Has `path` answered once, so that it is kept. */
static void prime(const struct server *it, const char *path, const char *body)
{
    static struct reply reply;
    int client = client_get(it, path);
    REQUIRE(answer_kept(it, receive(it)->RequestId, body, keep_policy(HttpCachePolicyUserInvalidates, 0)) == NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    close(client);
}

/* Whether the cache answers this request; the program answers 404 when it does not. */
static int is_cached(const struct server *it, const char *method, const char *path, const char *fields, struct reply *reply)
{
    OVERLAPPED overlapped;
    union request_buffer buffer;
    int client, cached;
    ULONG result;
    memset(&overlapped, 0, sizeof(overlapped));
    overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    client = ask(it, method, path, fields);
    /* Either the answer comes by itself, or the request arrives here. */
    result = HttpReceiveHttpRequest(it->queue, HTTP_NULL_ID, 0, &buffer.request, sizeof(buffer), NULL, &overlapped);
    for (cached = -1; cached < 0;) {
        if (client_readable(client, 5))
            cached = 1;
        else if (result == NO_ERROR || WaitForSingleObject(overlapped.hEvent, 0) == WAIT_OBJECT_0)
            cached = 0;
    }
    if (cached) {
        DWORD bytes;
        CancelIoEx(it->queue, &overlapped);
        GetOverlappedResult(it->queue, &overlapped, &bytes, TRUE);
    } else {
        HTTP_RESPONSE response;
        HTTP_DATA_CHUNK chunk;
        make_response(&response, &chunk, 404, "Not kept", "");
        CHECK_EQ(send_response(it, buffer.request.RequestId, 0, &response, NULL), NO_ERROR);
    }
    CHECK(client_response(client, reply, strcmp(method, "HEAD") == 0));
    close(client);
    CloseHandle(overlapped.hEvent);
    return cached;
}

/* How often a text stands in the bytes of a reply. */
static int count_of(const struct reply *it, const char *text)
{
    const char *at = it->text;
    int count = 0;
    while ((at = strstr(at, text)) != NULL) {
        at += strlen(text);
        count++;
    }
    return count;
}

static struct reply reply;

TEST(test_cache__a_kept_response_answers_without_the_program)
{
    struct server server;
    server_open(&server);
    prime(&server, "/a", "kept");
    CHECK(is_cached(&server, "GET", "/a", "", &reply));
    CHECK_EQ(reply.status, 200);
    CHECK_BYTES(reply.body, reply.body_size, "kept");
    CHECK_HAS(reply.text, "Content-Type: text/plain\r\n");
    CHECK_HAS(reply.text, "\r\nDate: ");
    CHECK_HAS(reply.text, "Server: Microsoft-HTTPAPI/2.0\r\n");
    CHECK(!is_cached(&server, "GET", "/b", "", &reply));
    CHECK(!is_cached(&server, "GET", "/a/", "", &reply));
    server_close(&server);
}

TEST(test_cache__many_requests_on_one_connection)
{
    struct server server;
    int client, at;
    server_open(&server);
    prime(&server, "/a", "kept");
    client = client_connect(server.port);
    for (at = 0; at < 40; at++)
        client_text(client, "GET /a HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", server.port);
    client_text(client, "GET /a HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\n\r\n", server.port);
    client_all(client, &reply);
    CHECK_EQ(count_of(&reply, "\r\n\r\nkept"), 41);
    CHECK_EQ(count_of(&reply, "Connection: close\r\n"), 1);
    CHECK(reply.closed);
    close(client);
    server_close(&server);
}

TEST(test_cache__hits_and_deliveries_keep_their_order_in_a_pipeline)
{
    struct server server;
    int client;
    server_open(&server);
    prime(&server, "/a", "kept");
    client = client_connect(server.port);
    client_text(client, "GET /a HTTP/1.1\r\nHost: localhost:%d\r\n\r\nGET /own HTTP/1.1\r\nHost: localhost\r\n\r\n"
                        "GET /a HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\n\r\n", server.port, server.port);
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "own"), NO_ERROR);
    client_all(client, &reply);
    CHECK_EQ(count_of(&reply, "\r\n\r\nkept"), 2);
    CHECK(strstr(reply.text, "\r\n\r\nkept") < strstr(reply.text, "\r\n\r\nown"));
    CHECK(strstr(strstr(reply.text, "\r\n\r\nown"), "\r\n\r\nkept") != NULL);
    close(client);
    server_close(&server);
}

TEST(test_cache__head_conditions_and_ranges)
{
    struct server server;
    server_open(&server);
    prime(&server, "/a", "0123456789");
    CHECK(is_cached(&server, "HEAD", "/a", "", &reply));
    CHECK_EQ(reply.status, 200);
    CHECK_HAS(reply.text, "Content-Length: 10\r\n");
    CHECK(is_cached(&server, "GET", "/a", "If-None-Match: \"v0\", \"v1\"\r\n", &reply));
    CHECK_EQ(reply.status, 304);
    CHECK_HAS(reply.text, "ETag: \"v1\"\r\n");
    CHECK_LACKS(reply.text, "Content-Length");
    CHECK(is_cached(&server, "GET", "/a", "If-None-Match: \"v2\"\r\n", &reply));
    CHECK_EQ(reply.status, 200);
    CHECK(is_cached(&server, "GET", "/a", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", &reply));
    CHECK_EQ(reply.status, 304);
    CHECK(is_cached(&server, "GET", "/a", "If-Modified-Since: Sat, 05 Nov 1994 08:49:37 GMT\r\n", &reply));
    CHECK_EQ(reply.status, 200);
    CHECK(is_cached(&server, "GET", "/a", "Range: bytes=2-4\r\n", &reply));
    CHECK_EQ(reply.status, 206);
    CHECK_HAS(reply.text, "Content-Range: bytes 2-4/10\r\n");
    CHECK_HAS(reply.text, "Content-Length: 3\r\n");
    CHECK_BYTES(reply.body, reply.body_size, "234");
    CHECK(is_cached(&server, "GET", "/a", "Range: bytes=2-4\r\nIf-Range: \"old\"\r\n", &reply));
    CHECK_EQ(reply.status, 200);
    CHECK(is_cached(&server, "GET", "/a", "Range: bytes=20-\r\n", &reply));
    CHECK_EQ(reply.status, 416);
    CHECK_HAS(reply.text, "Content-Range: bytes */10\r\n");
    server_close(&server);
}

/* Conditions and ranges are for what a 200 brings. */
TEST(test_cache__other_answers_are_given_as_they_are)
{
    HTTP_CACHE_POLICY policy = keep_policy(HttpCachePolicyUserInvalidates, 0);
    struct server server;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    int client;
    server_open(&server);
    client = client_get(&server, "/gone");
    make_response(&response, &chunk, 410, "Gone", "no more of it");
    set_known(&response, HttpHeaderContentType, "text/plain");
    set_known(&response, HttpHeaderEtag, "\"v1\"");
    CHECK_EQ(HttpSendHttpResponse(server.queue, receive(&server)->RequestId, 0, &response, &policy, NULL, NULL, 0, NULL, NULL), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    close(client);
    CHECK(is_cached(&server, "GET", "/gone", "Range: bytes=2-4\r\n", &reply));
    CHECK_EQ(reply.status, 410);
    CHECK_BYTES(reply.body, reply.body_size, "no more of it");
    CHECK(is_cached(&server, "GET", "/gone", "If-None-Match: \"v1\"\r\n", &reply));
    CHECK_EQ(reply.status, 410);
    CHECK_BYTES(reply.body, reply.body_size, "no more of it");
    server_close(&server);
}

TEST(test_cache__requests_that_pass_it_by)
{
    struct server server;
    server_open(&server);
    prime(&server, "/a", "kept");
    CHECK(!is_cached(&server, "GET", "/a?q", "", &reply));
    CHECK(!is_cached(&server, "GET", "/a", "Authorization: Basic eDp5\r\n", &reply));
    CHECK(!is_cached(&server, "GET", "/a", "Translate: f\r\n", &reply));
    CHECK(!is_cached(&server, "GET", "/a", "If-Match: \"v1\"\r\n", &reply));
    CHECK(!is_cached(&server, "DELETE", "/a", "", &reply));
    CHECK(is_cached(&server, "GET", "/a", "", &reply));
    server_close(&server);
}

struct unkept {
    const char *what, *method, *path, *fields;
    USHORT status;
    const char *type, *modified, *body;
    ULONG flags;
    HTTP_CACHE_POLICY_TYPE policy;
};

TEST(test_cache__responses_that_are_not_kept)
{
    static const struct unkept rows[] = {
        {"no policy", "GET", "/1", "", 200, "a/b", NULL, "x", 0, HttpCachePolicyNocache},
        {"no type", "GET", "/2", "", 200, NULL, NULL, "x", 0, HttpCachePolicyUserInvalidates},
        {"no body", "GET", "/3", "", 200, "a/b", NULL, NULL, 0, HttpCachePolicyUserInvalidates},
        {"part", "GET", "/4", "", 206, "a/b", NULL, "x", 0, HttpCachePolicyUserInvalidates},
        {"bad date", "GET", "/5", "", 200, "a/b", "yesterday", "x", 0, HttpCachePolicyUserInvalidates},
        {"HEAD", "HEAD", "/6", "", 200, "a/b", NULL, "x", 0, HttpCachePolicyUserInvalidates},
        {"query", "GET", "/7?q", "", 200, "a/b", NULL, "x", 0, HttpCachePolicyUserInvalidates},
        {"authorised", "GET", "/8", "Authorization: x\r\n", 200, "a/b", NULL, "x", 0, HttpCachePolicyUserInvalidates},
        {"range", "GET", "/9", "Range: bytes=0-\r\n", 200, "a/b", NULL, "x", 0, HttpCachePolicyUserInvalidates},
        {"closing", "GET", "/10", "", 200, "a/b", NULL, "x", HTTP_SEND_RESPONSE_FLAG_MORE_DATA, HttpCachePolicyUserInvalidates},
        {"no time", "GET", "/11", "", 200, "a/b", NULL, "x", 0, HttpCachePolicyTimeToLive},
    };
    struct server server;
    size_t at;
    server_open(&server);
    for (at = 0; at < sizeof(rows) / sizeof(rows[0]); at++) {
        const struct unkept *row = &rows[at];
        HTTP_CACHE_POLICY policy = keep_policy(row->policy, 0);
        HTTP_RESPONSE response;
        HTTP_DATA_CHUNK chunk;
        HTTP_REQUEST_ID id;
        char path[16];
        int client = ask(&server, row->method, row->path, row->fields);
        make_response(&response, &chunk, row->status, "X", row->body);
        if (row->type)
            set_known(&response, HttpHeaderContentType, row->type);
        if (row->modified)
            set_known(&response, HttpHeaderLastModified, row->modified);
        id = receive(&server)->RequestId;
        CHECK_EQ(HttpSendHttpResponse(server.queue, id, row->flags, &response, &policy, NULL, NULL, 0, NULL, NULL), NO_ERROR);
        if (row->flags)
            CHECK_EQ(send_body(&server, id, 0, NULL), NO_ERROR);
        client_response(client, &reply, strcmp(row->method, "HEAD") == 0);
        close(client);
        snprintf(path, sizeof(path), "%s", row->path);
        if (strchr(path, '?'))
            *strchr(path, '?') = 0;
        if (is_cached(&server, "GET", path, "", &reply))
            harness_fail(__FILE__, __LINE__, row->what);
    }
    server_close(&server);
}

TEST(test_cache__time_to_live)
{
    struct server server;
    int client, tries;
    server_open(&server);
    client = client_get(&server, "/a");
    CHECK_EQ(answer_kept(&server, receive(&server)->RequestId, "kept", keep_policy(HttpCachePolicyTimeToLive, 1)), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    close(client);
    CHECK(is_cached(&server, "GET", "/a", "", &reply));
    for (tries = 0; tries < 200 && is_cached(&server, "GET", "/a", "", &reply); tries++)
        Sleep(50);
    CHECK(tries > 0 && tries < 200);
    server_close(&server);
}

TEST(test_cache__flush_of_one_url_and_of_a_tree)
{
    struct server server;
    server_open(&server);
    prime(&server, "/a", "1");
    prime(&server, "/a/b", "2");
    prime(&server, "/a/b/c", "3");
    CHECK_EQ(HttpFlushResponseCache(server.queue, wide("http://LOCALHOST:%d/a/b", server.port), 0, NULL), NO_ERROR);
    CHECK(is_cached(&server, "GET", "/a", "", &reply));
    CHECK(!is_cached(&server, "GET", "/a/b", "", &reply));
    CHECK(is_cached(&server, "GET", "/a/b/c", "", &reply));
    CHECK_EQ(HttpFlushResponseCache(server.queue, wide("http://localhost:%d/a/", server.port), HTTP_FLUSH_RESPONSE_FLAG_RECURSIVE, NULL), NO_ERROR);
    CHECK(!is_cached(&server, "GET", "/a", "", &reply));
    CHECK(!is_cached(&server, "GET", "/a/b/c", "", &reply));
    CHECK_EQ(HttpFlushResponseCache(server.queue, wide("http://localhost:%d/never", server.port), 0, NULL), NO_ERROR);
    CHECK_EQ(HttpFlushResponseCache(server.queue, NULL, 0, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpFlushResponseCache(server.queue, W("nonsense"), 0, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpFlushResponseCache(server.queue, W("http://a:1/"), 2, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpFlushResponseCache(NULL, W("http://a:1/"), 0, NULL), ERROR_INVALID_HANDLE);
    server_close(&server);
}

TEST(test_cache__flush_completes_an_overlapped)
{
    struct server server;
    OVERLAPPED overlapped;
    ULONG result;
    memset(&overlapped, 0, sizeof(overlapped));
    overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    server_open(&server);
    result = HttpFlushResponseCache(server.queue, wide("http://localhost:%d/", server.port), HTTP_FLUSH_RESPONSE_FLAG_RECURSIVE, &overlapped);
    CHECK(result == NO_ERROR || result == ERROR_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(overlapped.hEvent, 10000), WAIT_OBJECT_0);
    CloseHandle(overlapped.hEvent);
    server_close(&server);
}

TEST(test_cache__goes_with_its_url_its_binding_and_its_state)
{
    struct server server;
    HTTP_STATE_INFO state;
    HTTP_ENABLED_STATE queue;
    int client;
    server_open(&server);
    prime(&server, "/a", "kept");
    memset(&state, 0, sizeof(state));
    state.Flags.Present = 1;
    state.State = HttpEnabledStateInactive;
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerStateProperty, &state, sizeof(state)), NO_ERROR);
    client = client_get(&server, "/a");
    client_all(client, &reply);
    CHECK_EQ(reply.status, 503);
    close(client);
    state.State = HttpEnabledStateActive;
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerStateProperty, &state, sizeof(state)), NO_ERROR);
    CHECK(is_cached(&server, "GET", "/a", "", &reply));
    queue = HttpEnabledStateInactive;
    CHECK_EQ(HttpSetRequestQueueProperty(server.queue, HttpServerStateProperty, &queue, sizeof(queue), 0, NULL), NO_ERROR);
    client = client_get(&server, "/a");
    client_all(client, &reply);
    CHECK_EQ(reply.status, 503);
    close(client);
    queue = HttpEnabledStateActive;
    CHECK_EQ(HttpSetRequestQueueProperty(server.queue, HttpServerStateProperty, &queue, sizeof(queue), 0, NULL), NO_ERROR);
    CHECK(is_cached(&server, "GET", "/a", "", &reply));
    CHECK_EQ(HttpRemoveUrlFromUrlGroup(server.group, wide("http://localhost:%d/", server.port), 0), NO_ERROR);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("http://localhost:%d/", server.port), 0, 0), NO_ERROR);
    CHECK(!is_cached(&server, "GET", "/a", "", &reply));
    server_close(&server);
}

TEST(test_cache__the_newest_response_counts)
{
    struct server server;
    int client;
    server_open(&server);
    prime(&server, "/a", "old");
    /* One the cache does not answer, whose own answer is kept. */
    client = ask(&server, "GET", "/a", "If-Match: *\r\n");
    CHECK_EQ(answer_kept(&server, receive(&server)->RequestId, "new", keep_policy(HttpCachePolicyUserInvalidates, 0)), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    close(client);
    CHECK(is_cached(&server, "GET", "/a", "", &reply));
    CHECK_BYTES(reply.body, reply.body_size, "new");
    server_close(&server);
}

TEST(test_cache__an_encoded_copy_is_for_those_who_take_it)
{
    struct server server;
    HTTP_CACHE_POLICY policy = keep_policy(HttpCachePolicyUserInvalidates, 0);
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    int client;
    server_open(&server);
    client = ask(&server, "GET", "/a", "Accept-Encoding: gzip\r\n");
    make_response(&response, &chunk, 200, "OK", "packed");
    response.Flags = HTTP_RESPONSE_FLAG_MULTIPLE_ENCODINGS_AVAILABLE;
    set_known(&response, HttpHeaderContentType, "text/plain");
    set_known(&response, HttpHeaderContentEncoding, "gzip");
    CHECK_EQ(HttpSendHttpResponse(server.queue, receive(&server)->RequestId, 0, &response, &policy, NULL, NULL, 0, NULL, NULL), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    close(client);
    CHECK(is_cached(&server, "GET", "/a", "Accept-Encoding: br, gzip\r\n", &reply));
    CHECK(!is_cached(&server, "GET", "/a", "", &reply));
    CHECK(!is_cached(&server, "GET", "/a", "Accept-Encoding: gzip;q=0, br\r\n", &reply));
    server_close(&server);
}

TEST(test_cache__large_responses_arrive_whole)
{
    struct server server;
    static char body[50 * 1024 + 1];
    int client, at;
    memset(body, 'x', sizeof(body) - 1);
    server_open(&server);
    prime(&server, "/a", body);
    client = client_connect(server.port);
    for (at = 0; at < 4; at++)
        client_text(client, "GET /a HTTP/1.1\r\nHost: localhost:%d\r\n%s\r\n", server.port, at == 3 ? "Connection: close\r\n" : "");
    client_all(client, &reply);
    CHECK_EQ(count_of(&reply, "HTTP/1.1 200 OK\r\n"), 4);
    CHECK_EQ(count_of(&reply, "xxxxxxxxxx"), 4 * 5 * 1024);
    close(client);
    CHECK(is_cached(&server, "GET", "/a", "Range: bytes=-7\r\n", &reply));
    CHECK_BYTES(reply.body, reply.body_size, "xxxxxxx");
    server_close(&server);
}

TEST(test_cache__answers_while_the_program_is_busy)
{
    struct server server;
    int waits, client;
    server_open(&server);
    prime(&server, "/a", "kept");
    /* A request the program has taken and not answered; nobody of it waits for anything. */
    waits = client_get(&server, "/slow");
    receive(&server);
    client = client_get(&server, "/a");
    REQUIRE(client_response(client, &reply, 0));
    CHECK_BYTES(reply.body, reply.body_size, "kept");
    close(client);
    close(waits);
    server_close(&server);
}

/* Counters: the exported text, what it adds up to, and the same over the control socket.
 * gate: not-mingw (nthttp_counters, and sockets of POSIX) */
#include <sys/stat.h>
#include <sys/un.h>
#include "http_server.h"

static char *counters(void)
{
    static char text[256 * 1024];
    ULONG size = 0;
    CHECK_EQ(nthttp_counters(text, sizeof(text), &size), NO_ERROR);
    CHECK_EQ(size, strlen(text) + 1);
    return text;
}

/* The value of the first sample that begins so. */
static unsigned long long value(const char *text, const char *name)
{
    char line[128];
    const char *at;
    snprintf(line, sizeof(line), "\n%s", name);
    at = strstr(text, line);
    if (!CHECK(at != NULL))
        return 0;
    at = strpbrk(at + 1, "{ ");
    at = *at == '{' ? strstr(at, "} ") + 1 : at;
    return strtoull(at, NULL, 10);
}

TEST(test_counters__the_size_is_told)
{
    char small[16] = "untouched";
    ULONG size = 0;
    CHECK_EQ(nthttp_counters(NULL, 0, &size), ERROR_MORE_DATA);
    CHECK(size > 1000);
    size = 0;
    CHECK_EQ(nthttp_counters(small, sizeof(small), &size), ERROR_MORE_DATA);
    CHECK(size > 1000);
    CHECK_BYTES(small, 9, "untouched");
    CHECK_EQ(nthttp_counters(small, sizeof(small), NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(nthttp_counters(NULL, 1, &size), ERROR_INVALID_PARAMETER);
    CHECK_HAS(counters(), "# HELP nthttp_requests_total ");
}

TEST(test_counters__they_add_up_to_what_the_client_saw)
{
    static struct reply reply;
    struct server it;
    unsigned long long sent = 0, received = 0, base_sent, base_received, base_all, base_connections;
    char request[256];
    const char *text;
    size_t size;
    int client, each;
    server_open(&it);
    text = counters();
    base_sent = value(text, "nthttp_sent_bytes_total");
    base_received = value(text, "nthttp_received_bytes_total");
    base_all = value(text, "nthttp_requests_total");
    base_connections = value(text, "nthttp_connections_total");
    client = client_connect(it.port);
    for (each = 0; each < 30; each++) {
        const char *verb = each % 3 == 0 ? "GET" : each % 3 == 1 ? "HEAD" : "POST";
        size = (size_t)snprintf(request, sizeof(request), "%s /%d HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: %d\r\n\r\n%s", verb,
                                each, it.port, each % 3 == 2 ? 4 : 0, each % 3 == 2 ? "body" : "");
        client_send(client, request, size);
        received += size;
        CHECK_EQ(answer(&it, receive(&it)->RequestId, "some body"), NO_ERROR);
        CHECK(client_response(client, &reply, each % 3 == 1));
        sent += reply.size;
    }
    text = counters();
    CHECK_EQ(value(text, "nthttp_group_requests_total"), 30);
    CHECK_EQ(value(text, "nthttp_group_get_requests_total"), 10);
    CHECK_EQ(value(text, "nthttp_group_head_requests_total"), 10);
    CHECK_EQ(value(text, "nthttp_group_sent_bytes_total"), sent);
    CHECK_EQ(value(text, "nthttp_group_received_bytes_total"), received);
    CHECK_EQ(value(text, "nthttp_group_connections{"), 1);
    CHECK_EQ(value(text, "nthttp_group_connections_max{"), 1);
    CHECK_EQ(value(text, "nthttp_group_connections_total{"), 1);
    CHECK_EQ(value(text, "nthttp_queue_arrived_total"), 30);
    CHECK_EQ(value(text, "nthttp_queue_rejected_total"), 0);
    CHECK_EQ(value(text, "nthttp_queue_size"), 0);
    close(client);
    client = client_connect(it.port);
    size = (size_t)snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: else\r\n\r\n");
    client_send(client, request, size);
    received += size;
    client_all(client, &reply);
    sent += reply.size;
    close(client);
    server_close(&it);
    for (each = 0; each < 1000 && value(counters(), "nthttp_connections ") > 0; each++)
        Sleep(10);
    text = counters();
    CHECK_EQ(value(text, "nthttp_connections "), 0);
    CHECK_EQ(value(text, "nthttp_requests_total") - base_all, 31);
    CHECK_EQ(value(text, "nthttp_connections_total") - base_connections, 2);
    CHECK_EQ(value(text, "nthttp_sent_bytes_total") - base_sent, sent);
    CHECK_EQ(value(text, "nthttp_received_bytes_total") - base_received, received);
    CHECK_LACKS(text, "nthttp_group_requests_total{");
}

TEST(test_counters__answers_from_the_cache_count_too)
{
    static struct reply reply;
    struct server it;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    HTTP_CACHE_POLICY policy;
    unsigned long long sent = 0, hits = value(counters(), "nthttp_cache_hits_total");
    const char *text;
    int client, each;
    server_open(&it);
    make_response(&response, &chunk, 200, "OK", "kept");
    set_known(&response, HttpHeaderContentType, "text/plain");
    memset(&policy, 0, sizeof(policy));
    policy.Policy = HttpCachePolicyUserInvalidates;
    client = client_get(&it, "/kept");
    CHECK_EQ(HttpSendHttpResponse(it.queue, receive(&it)->RequestId, 0, &response, &policy, NULL, NULL, 0, NULL, NULL), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    sent += reply.size;
    for (each = 0; each < 5; each++) {
        client_text(client, "GET /kept HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", it.port);
        CHECK(client_response(client, &reply, 0));
        sent += reply.size;
    }
    text = counters();
    CHECK_EQ(value(text, "nthttp_cache_hits_total") - hits, 5);
    CHECK_EQ(value(text, "nthttp_queue_cache_hits_total"), 5);
    CHECK_EQ(value(text, "nthttp_queue_arrived_total"), 1);
    CHECK_EQ(value(text, "nthttp_group_requests_total"), 6);
    CHECK_EQ(value(text, "nthttp_group_sent_bytes_total"), sent);
    CHECK_EQ(value(text, "nthttp_cache_uris "), 1);
    close(client);
    server_close(&it);
    CHECK_EQ(value(counters(), "nthttp_cache_uris "), 0);
}

TEST(test_counters__requests_that_wait_or_are_refused)
{
    struct server it;
    ULONG length = 1;
    const char *text;
    int first, second, third, tries;
    server_open(&it);
    CHECK_EQ(HttpSetRequestQueueProperty(it.queue, HttpServerQueueLengthProperty, &length, sizeof(length), 0, NULL), NO_ERROR);
    first = client_get(&it, "/1");
    for (tries = 0; tries < 1000 && value(counters(), "nthttp_queue_oldest_age_ms") < 20; tries++)
        Sleep(5);
    CHECK(value(counters(), "nthttp_queue_oldest_age_ms") >= 20);
    second = client_get(&it, "/2");
    third = client_get(&it, "/3");
    for (tries = 0; tries < 1000 && value(counters(), "nthttp_queue_rejected_total") < 2; tries++)
        Sleep(5);
    text = counters();
    CHECK_EQ(value(text, "nthttp_queue_size"), 1);
    CHECK_EQ(value(text, "nthttp_queue_arrived_total"), 3);
    CHECK_EQ(value(text, "nthttp_queue_rejected_total"), 2);
    close(first);
    close(second);
    close(third);
    server_close(&it);
}

/* Asks the control socket of this process; the answer lives until the next call. */
static const char *control(const char *line)
{
    static char answer[256 * 1024];
    struct sockaddr_un address;
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    size_t size = 0;
    long got;
    int it = socket(AF_UNIX, SOCK_STREAM, 0);
    memset(&address, 0, sizeof(address));
    address.sun_family = AF_UNIX;
    if (geteuid() == 0)
        snprintf(address.sun_path, sizeof(address.sun_path), "/run/nthttp/%d.sock", (int)getpid());
    else if (runtime)
        snprintf(address.sun_path, sizeof(address.sun_path), "%s/nthttp/%d.sock", runtime, (int)getpid());
    else
        snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/nthttp-%d/%d.sock", (int)geteuid(), (int)getpid());
    answer[0] = 0;
    if (connect(it, (struct sockaddr *)&address, sizeof(address)) == 0) {
        struct stat about;
        CHECK(stat(address.sun_path, &about) == 0 && (about.st_mode & 0777) == 0600);
        client_send(it, line, strlen(line));
        while (client_readable(it, CLIENT_PATIENCE) && (got = recv(it, answer + size, sizeof(answer) - size - 1, 0)) > 0)
            size += (size_t)got;
        answer[size] = 0;
    }
    close(it);
    return answer;
}

TEST(test_counters__the_control_socket_answers_while_a_port_is_open)
{
    struct server it;
    char part[128];
    int client;
    if (access(geteuid() == 0 ? "/run" : "/tmp", W_OK) != 0)
        return;
    CHECK_BYTES(control("{\"show\":\"metrics\"}\n"), 0, "");
    server_open(&it);
    client = client_get(&it, "/seen?x=1");
    receive(&it);
    CHECK_HAS(control("{\"show\":\"metrics\"}\n"), "nthttp_connections 1\n");
    snprintf(part, sizeof(part), "\"urls\":[\"http://localhost:%d/\"]", it.port);
    CHECK_HAS(control("{\"show\":\"snapshot\"}\n"), part);
    CHECK_HAS(control("{\"show\":\"snapshot\"}\n"), "\"phase\":\"delivered\",\"method\":\"GET\",\"url\":\"/seen?x=1\"");
    CHECK_HAS(control("{\"do\":\"flush-log\"}\n"), "{\"code\":0}");
    CHECK_HAS(control("nonsense\n"), "{\"code\":87,");
    close(client);
    server_close(&it);
    CHECK_BYTES(control("{\"show\":\"metrics\"}\n"), 0, "");
}

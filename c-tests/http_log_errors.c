/* HTTPERR: a line with its reason word for everything the system refuses, times out or drops.
 * gate: not-mingw (folders and environment of POSIX) */
#include "http_log_files.h"

static const char *errors(const char *part)
{
    return log_await("HTTPERR", "httperr1.log", part);
}

/* Sends bytes as they are; the connection's port as the client sees it, for finding its line. */
static int send_raw(const struct server *it, const char *text, int *port)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    int client = client_connect(it->port);
    REQUIRE(getsockname(client, (struct sockaddr *)&address, &size) == 0);
    *port = ntohs(address.sin_port);
    client_send(client, text, strlen(text));
    return client;
}

/* The counter whose line begins so; 0 if there is none. */
static unsigned long long counted(const char *name)
{
    static char text[64 * 1024];
    ULONG size;
    const char *at, *end;
    REQUIRE(nthttp_counters(text, sizeof(text), &size) == NO_ERROR);
    at = strstr(text, name);
    if (!at)
        return 0;
    end = strchr(at + 1, '\n');
    while (end[-1] != ' ')
        end--;
    return strtoull(end, NULL, 10);
}

static void check_line(const struct server *it, int port, const char *rest)
{
    char line[512];
    snprintf(line, sizeof(line), " 127.0.0.1 %d 127.0.0.1 %d %s -\r\n", port, it->port, rest);
    CHECK_HAS(errors(line), line);
}

TEST(test_log_errors__refusals_have_their_words)
{
    static const struct {
        const char *request, *rest;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: nowhere.test\r\n\r\n", "HTTP/1.1 GET / 400 - Hostname"},
        {"GET /a?b HTTP/1.1\r\n\r\n", "HTTP/1.1 GET /a?b 400 - Hostname"},
        {"GET /x\x01 HTTP/1.1\r\n\r\n", "HTTP/1.1 GET /x 400 - URL"},
        {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "HTTP/1.1 GET / 400 - Header"},
        {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 GET / 400 - Header"},
        {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n", "HTTP/1.1 GET / 400 - Number"},
        {"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", "HTTP/1.1 GET / 400 - Invalid_CR/LF"},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "HTTP/2.0 GET / 505 - Version_N/S"},
        {"GET /../.. HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 GET /../.. 403 - Forbidden"},
        {"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 POST / 411 - LengthRequired"},
        {"G<T / HTTP/1.1\r\n\r\n", "- G - 400 - Verb"},
    };
    static struct reply reply;
    struct server it;
    size_t row;
    int client, port;
    server_open(&it);
    for (row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        client = send_raw(&it, rows[row].request, &port);
        client_all(client, &reply);
        close(client);
        check_line(&it, port, rows[row].rest);
    }
    server_close(&it);
    CHECK_BYTES(errors(""), 50, "#Software: Microsoft HTTP API 2.0\r\n#Version: 1.0\r\n");
    CHECK_HAS(errors(""), "#Fields: date time c-ip c-port s-ip s-port cs-version cs-method cs-uri sc-status s-siteid s-reason s-queuename\r\n");
}

TEST(test_log_errors__what_is_unbound_or_inactive)
{
    static struct reply reply;
    struct server it;
    HTTP_STATE_INFO state;
    char request[128];
    int client, port;
    server_open(&it);
    snprintf(request, sizeof(request), "GET /q HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", it.port);
    memset(&state, 0, sizeof(state));
    state.Flags.Present = 1;
    state.State = HttpEnabledStateInactive;
    CHECK_EQ(HttpSetUrlGroupProperty(it.group, HttpServerStateProperty, &state, sizeof(state)), NO_ERROR);
    client = send_raw(&it, request, &port);
    client_all(client, &reply);
    close(client);
    check_line(&it, port, "HTTP/1.1 GET /q 503 - Disabled");
    state.State = HttpEnabledStateActive;
    CHECK_EQ(HttpSetUrlGroupProperty(it.group, HttpServerStateProperty, &state, sizeof(state)), NO_ERROR);
    CHECK_EQ(bind_group(it.group, NULL), NO_ERROR);
    client = send_raw(&it, request, &port);
    client_all(client, &reply);
    close(client);
    check_line(&it, port, "HTTP/1.1 GET /q 503 - N/A");
    server_close(&it);
}

TEST(test_log_errors__queues_that_are_full_or_slow)
{
    static struct reply reply;
    struct server it;
    HTTP_TIMEOUT_LIMIT_INFO timeouts;
    HTTP_503_RESPONSE_VERBOSITY verbosity = Http503ResponseVerbosityLimited;
    ULONG length = 1;
    char request[128];
    int first, second, first_port, second_port, tries;
    server_open(&it);
    snprintf(request, sizeof(request), "GET /q HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", it.port);
    CHECK_EQ(HttpSetRequestQueueProperty(it.queue, HttpServerQueueLengthProperty, &length, sizeof(length), 0, NULL), NO_ERROR);
    first = send_raw(&it, request, &first_port);
    for (tries = 0; tries < 1000 && counted("\nnthttp_queue_size{") == 0; tries++)
        Sleep(10);
    second = send_raw(&it, request, &second_port);
    client_all(second, &reply);
    close(second);
    check_line(&it, second_port, "HTTP/1.1 GET /q - - QueueFull");
    CHECK_EQ(HttpSetRequestQueueProperty(it.queue, HttpServer503VerbosityProperty, &verbosity, sizeof(verbosity), 0, NULL), NO_ERROR);
    second = send_raw(&it, request, &second_port);
    client_all(second, &reply);
    close(second);
    check_line(&it, second_port, "HTTP/1.1 GET /q 503 - QueueFull");
    receive(&it);
    memset(&timeouts, 0, sizeof(timeouts));
    timeouts.Flags.Present = 1;
    timeouts.RequestQueue = 1;
    CHECK_EQ(HttpSetUrlGroupProperty(it.group, HttpServerTimeoutsProperty, &timeouts, sizeof(timeouts)), NO_ERROR);
    second = send_raw(&it, request, &second_port);
    client_all(second, &reply);
    close(second);
    check_line(&it, second_port, "HTTP/1.1 GET /q 503 - Timer_ReqQueue");
    close(first);
    server_close(&it);
}

TEST(test_log_errors__clients_that_leave)
{
    struct server it;
    char request[128];
    unsigned long long before;
    int client, port, tries;
    server_open(&it);
    snprintf(request, sizeof(request), "GET /gone HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", it.port);
    before = counted("\nnthttp_received_bytes_total ");
    client = send_raw(&it, "GET /half HTTP/1.1\r\n", &port);
    for (tries = 0; tries < 1000 && counted("\nnthttp_received_bytes_total ") == before; tries++)
        Sleep(10);
    client_reset(client);
    check_line(&it, port, "- - - - - Client_Reset");
    client = send_raw(&it, request, &port);
    receive(&it);
    client_reset(client);
    check_line(&it, port, "HTTP/1.1 GET /gone - - Connection_Dropped");
    client = send_raw(&it, request, &port);
    receive(&it);
    server_close(&it);
    check_line(&it, port, "HTTP/1.1 GET /gone - - Connection_Abandoned_By_ReqQueue");
    close(client);
}

TEST(test_log_errors__timers)
{
    static struct reply reply;
    struct server it;
    HTTP_TIMEOUT_LIMIT_INFO timeouts;
    char request[128], body[64];
    HTTP_REQUEST_ID id;
    ULONG got;
    int client, port;
    server_open(&it);
    memset(&timeouts, 0, sizeof(timeouts));
    timeouts.Flags.Present = 1;
    timeouts.IdleConnection = timeouts.HeaderWait = timeouts.EntityBody = 1;
    CHECK_EQ(HttpSetUrlGroupProperty(it.group, HttpServerTimeoutsProperty, &timeouts, sizeof(timeouts)), NO_ERROR);
    snprintf(request, sizeof(request), "GET /t HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", it.port);
    client = send_raw(&it, request, &port);
    CHECK_EQ(answer(&it, receive(&it)->RequestId, "x"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    client_all(client, &reply);
    close(client);
    check_line(&it, port, "- - - - - Timer_ConnectionIdle");
    client = send_raw(&it, request, &port);
    CHECK_EQ(answer(&it, receive(&it)->RequestId, "x"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    client_text(client, "GET /unfinished");
    client_all(client, &reply);
    close(client);
    check_line(&it, port, "- - - - - Timer_HeaderWait");
    snprintf(request, sizeof(request), "POST /t HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 9\r\n\r\n12", it.port);
    client = send_raw(&it, request, &port);
    id = receive(&it)->RequestId;
    CHECK_EQ(HttpReceiveRequestEntityBody(it.queue, id, 0, body, sizeof(body), &got, NULL), NO_ERROR);
    CHECK_EQ(HttpReceiveRequestEntityBody(it.queue, id, 0, body, sizeof(body), &got, NULL), ERROR_NETNAME_DELETED);
    client_all(client, &reply);
    close(client);
    check_line(&it, port, "HTTP/1.1 POST /t - - Timer_EntityBody");
    server_close(&it);
}

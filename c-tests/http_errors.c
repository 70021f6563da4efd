/* Responses the system makes itself, with their lengths to the byte; requests that never reach the program. */
#include "http_server.h"

static struct reply reply;

/* Sends one request and checks the whole refusal. {text} has one %d for the port, or none. */
static void refused(const char *text, const char *status, size_t length, const char *title, const char *heading, const char *words)
{
    static char body[1024];
    struct server server;
    const char *field;
    char line[64];
    int client, code = atoi(status);
    server_open(&server);
    client = client_connect(server.port);
    {
        static char made[32 * 1024];
        const char *port = strstr(text, "{port}");
        if (port)
            snprintf(made, sizeof(made), "%.*s%d%s", (int)(port - text), text, server.port, port + 6);
        else
            snprintf(made, sizeof(made), "%s", text);
        client_send(client, made, strlen(made));
    }
    client_all(client, &reply);
    CHECK(reply.closed);
    CHECK(!reply.reset);
    snprintf(line, sizeof(line), "HTTP/1.1 %s\r\n", status);
    CHECK_BYTES(reply.text, strlen(line) < reply.size ? strlen(line) : reply.size, line);
    CHECK_EQ(reply.status, code);
    snprintf(body, sizeof(body),
             "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\"\"http://www.w3.org/TR/html4/strict.dtd\">\r\n"
             "<HTML><HEAD><TITLE>%s</TITLE>\r\n"
             "<META HTTP-EQUIV=\"Content-Type\" Content=\"text/html; charset=us-ascii\"></HEAD>\r\n"
             "<BODY><h2>%s</h2>\r\n<hr><p>HTTP Error %d. %s</p>\r\n</BODY></HTML>\r\n",
             title, heading, code, words);
    CHECK_EQ(strlen(body), length);
    CHECK_BYTES(reply.body, reply.body_size, body);
    field = reply_field(&reply, "Content-Length");
    CHECK(field && (size_t)atol(field) == length);
    field = reply_field(&reply, "Content-Type");
    CHECK(field && strcmp(field, "text/html; charset=us-ascii") == 0);
    field = reply_field(&reply, "Server");
    CHECK(field && strcmp(field, "Microsoft-HTTPAPI/2.0") == 0);
    field = reply_field(&reply, "Connection");
    CHECK(field && strcmp(field, "close") == 0);
    CHECK(reply_field(&reply, "Date") != NULL);
    close(client);
    server_close(&server);
}

#define HOST "Host: localhost:{port}\r\n"

TEST(test_errors__garbage)
{
    struct server server;
    int client;
    server_open(&server);
    client = client_connect(server.port);
    client_text(client, "foo\r\n");
    client_all(client, &reply);
    CHECK_EQ(reply.status, 400);
    CHECK(reply.closed);
    close(client);
    server_close(&server);
}

TEST(test_errors__missing_host)
{
    refused("GET / HTTP/1.1\r\n\r\n", "400 Bad Request", 334, "Bad Request", "Bad Request - Invalid Hostname",
            "The request hostname is invalid.");
}

TEST(test_errors__unknown_host)
{
    refused("GET / HTTP/1.1\r\nHost: nobody.invalid\r\n\r\n", "400 Bad Request", 334, "Bad Request",
            "Bad Request - Invalid Hostname", "The request hostname is invalid.");
}

TEST(test_errors__bad_verb)
{
    refused("G@T / HTTP/1.1\r\n" HOST "\r\n", "400 Bad Request", 326, "Bad Request", "Bad Request - Invalid Verb",
            "The request verb is invalid.");
}

TEST(test_errors__bad_url)
{
    refused("GET /a%00b HTTP/1.1\r\n" HOST "\r\n", "400 Bad Request", 324, "Bad Request", "Bad Request - Invalid URL",
            "The request URL is invalid.");
}

TEST(test_errors__bad_field)
{
    refused("GET / HTTP/1.1\r\n" HOST "A b: c\r\n\r\n", "400 Bad Request", 339, "Bad Request", "Bad Request - Invalid Header",
            "The request has an invalid header name.");
}

TEST(test_errors__conflicting_lengths)
{
    refused("POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "400 Bad Request", 339, "Bad Request",
            "Bad Request - Invalid Header", "The request has an invalid header name.");
}

TEST(test_errors__head_too_long)
{
    static char text[20000];
    size_t at;
    snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n" HOST);
    for (at = strlen(text); at < 17000;)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "X-%zu: 0123456789012345678901234567890123456789\r\n", at);
    snprintf(text + at, sizeof(text) - at, "\r\n");
    refused(text, "400 Bad Request", 346, "Bad Request", "Bad Request - Request Too Long",
            "The size of the request headers is too long.");
}

TEST(test_errors__badly_formed)
{
    refused("GET / HTTP/1.10\r\n" HOST "\r\n", "400 Bad Request", 311, "Bad Request", "Bad Request", "The request is badly formed.");
}

TEST(test_errors__version)
{
    refused("GET / HTTP/2.0\r\n" HOST "\r\n", "505 HTTP Version Not Supported", 347, "HTTP Version Not Supported",
            "HTTP Version Not Supported", "The HTTP version is not supported.");
}

TEST(test_errors__forbidden_url)
{
    refused("GET /../a HTTP/1.1\r\n" HOST "\r\n", "403 Forbidden", 312, "Forbidden", "Forbidden URL",
            "The request URL is forbidden.");
}

TEST(test_errors__post_without_length)
{
    refused("POST / HTTP/1.1\r\n" HOST "\r\n", "411 Length Required", 344, "Length Required", "Length Required",
            "The request must be chunked or have a content length.");
}

TEST(test_errors__unknown_coding)
{
    refused("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: frob\r\n\r\n", "501 Not Implemented", 343, "Not Implemented",
            "Not Implemented", "The request transfer encoding type is not supported.");
}

/* Refusals that depend on what is registered. */
static void status_with(const char *path, const char *line, size_t length)
{
    struct server server;
    int client;
    server_open_bare(&server);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("http://localhost:%d/app/", server.port), 0, 0), NO_ERROR);
    CHECK_EQ(bind_group(server.group, NULL), NO_ERROR);
    client = client_get(&server, path);
    client_all(client, &reply);
    CHECK_BYTES(reply.text, strlen(line), line);
    CHECK_EQ(reply.body_size, length);
    CHECK(reply.closed);
    close(client);
    server_close(&server);
}

TEST(test_errors__unknown_path)
{
    status_with("/other", "HTTP/1.1 404 Not Found\r\n", 315);
}

TEST(test_errors__unbound_group)
{
    status_with("/app/", "HTTP/1.1 503 Service Unavailable\r\n", 326);
}

TEST(test_errors__refusal_of_head_has_no_body)
{
    struct server server;
    int client;
    server_open(&server);
    client = client_connect(server.port);
    client_text(client, "HEAD / HTTP/1.1\r\nHost: nobody.invalid\r\n\r\n");
    client_all(client, &reply);
    CHECK_EQ(reply.status, 400);
    CHECK_EQ(reply.body_size, 0);
    close(client);
    server_close(&server);
}

/* Request smuggling and parser differentials: what one peer takes for one request and another for two. Each row is sent on a
 * connection of its own and names the statuses of all responses, in order, up to the server's close; a program answers
 * everything it is given with 200 and the body it read. Rows end with a request for /end, which only a server that found the
 * right end of the first one answers (or that refused before). */
#include "http_server.h"
#ifdef _WIN32
#include <process.h>
#else
#include <pthread.h>
#endif

#define END "GET /end HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
#define POST "POST /first HTTP/1.1\r\nHost: localhost\r\n"
#define GET "GET /first HTTP/1.1\r\nHost: localhost\r\n"

/* Answers whatever comes until the queue is shut. */
static void serve(HANDLE queue)
{
    static char body[64 * 1024];
    union request_buffer buffer;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    ULONG bytes, got, size;
    for (;;) {
        ULONG result = HttpReceiveHttpRequest(queue, HTTP_NULL_ID, 0, &buffer.request, sizeof(buffer), &bytes, NULL);
        if (result == ERROR_CONNECTION_INVALID)
            continue;
        if (result != NO_ERROR)
            return;
        size = 0;
        while (size < sizeof(body) && HttpReceiveRequestEntityBody(queue, buffer.request.RequestId, 0, body + size,
                                                                   (ULONG)sizeof(body) - size, &got, NULL) == NO_ERROR)
            size += got;
        make_response(&response, &chunk, 200, "OK", "");
        chunk.FromMemory.pBuffer = body;
        chunk.FromMemory.BufferLength = size;
        HttpSendHttpResponse(queue, buffer.request.RequestId, 0, &response, NULL, NULL, NULL, 0, NULL, NULL);
    }
}

#ifdef _WIN32
static unsigned __stdcall serve_thread(void *queue)
{
    serve(queue);
    return 0;
}
#else
static void *serve_thread(void *queue)
{
    serve(queue);
    return NULL;
}
#endif

/* The statuses of the responses in `text`, each followed by a space. */
static void statuses(const char *text, size_t size, char *out, size_t room)
{
    const char *at = text, *end = text + size;
    *out = 0;
    while ((size_t)(end - at) > 12 && memcmp(at, "HTTP/1.1 ", 9) == 0) {
        const char *head = strstr(at, "\r\n\r\n"), *length = strstr(at, "Content-Length: ");
        size_t used = strlen(out);
        snprintf(out + used, room - used, "%.3s ", at + 9);
        if (head == NULL || length == NULL || length > head)
            return;
        at = head + 4 + strtoul(length + 16, NULL, 10);
    }
}

struct row {
    const char *what, *bytes, *wanted;
};

static void run(const struct row *rows, size_t count)
{
    struct server server;
    size_t at;
#ifdef _WIN32
    HANDLE thread;
#else
    pthread_t thread;
#endif
    server_open(&server);
#ifdef _WIN32
    thread = (HANDLE)_beginthreadex(NULL, 0, serve_thread, server.queue, 0, NULL);
#else
    REQUIRE(pthread_create(&thread, NULL, serve_thread, server.queue) == 0);
#endif
    for (at = 0; at < count; at++) {
        static struct reply reply;
        char got[128], text[512];
        int client = client_connect(server.port);
        client_send(client, rows[at].bytes, strlen(rows[at].bytes));
        client_all(client, &reply);
        close(client);
        statuses(reply.text, reply.size, got, sizeof(got));
        if (strcmp(got, rows[at].wanted) != 0) {
            snprintf(text, sizeof(text), "%s: \"%s\", not \"%s\"", rows[at].what, got, rows[at].wanted);
            harness_fail(__FILE__, __LINE__, text);
        }
    }
    CHECK_EQ(HttpShutdownRequestQueue(server.queue), NO_ERROR);
#ifdef _WIN32
    WaitForSingleObject(thread, INFINITE);
#else
    pthread_join(thread, NULL);
#endif
    server_close(&server);
}

#define RUN(ROWS) run(ROWS, sizeof(ROWS) / sizeof((ROWS)[0]))

TEST(test_smuggling__lengths)
{
    static const struct row rows[] = {
        {"one length", POST "Content-Length: 5\r\n\r\nhello" END, "200 200 "},
        {"the same length twice", POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello" END, "200 200 "},
        {"two lengths", POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!" END, "400 "},
        {"two lengths in a list", POST "Content-Length: 5, 6\r\n\r\nhello!" END, "400 "},
        {"a plus sign", POST "Content-Length: +5\r\n\r\nhello" END, "400 "},
        {"a minus sign", POST "Content-Length: -5\r\n\r\nhello" END, "400 "},
        {"hexadecimal", POST "Content-Length: 0x5\r\n\r\nhello" END, "400 "},
        {"letters behind", POST "Content-Length: 5b\r\n\r\nhello" END, "400 "},
        {"a space inside", POST "Content-Length: 5 5\r\n\r\nhello" END, "400 "},
        {"no digits", POST "Content-Length:\r\n\r\n" END, "400 "},
        {"leading zeros", POST "Content-Length: 0005\r\n\r\nhello" END, "200 200 "},
        {"space around", POST "Content-Length: \t 5 \t\r\n\r\nhello" END, "200 200 "},
        {"more than 64 bits", POST "Content-Length: 18446744073709551621\r\n\r\nhello" END, "400 "},
        {"a body of GET", GET "Content-Length: 5\r\n\r\nhello" END, "200 200 "},
        {"a GET hidden in a body of GET", GET "Content-Length: 4\r\n\r\nGET " END, "200 200 "},
    };
    RUN(rows);
}

TEST(test_smuggling__codings)
{
#define CHUNKS "5\r\nhello\r\n0\r\n\r\n"
    static const struct row rows[] = {
        {"chunked", POST "Transfer-Encoding: chunked\r\n\r\n" CHUNKS END, "200 200 "},
        {"chunked in capitals", POST "Transfer-Encoding: CHUNKED\r\n\r\n" CHUNKS END, "200 200 "},
        {"length and chunked: the connection ends", POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" CHUNKS END, "200 "},
        {"chunked and length: the connection ends", POST "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" CHUNKS END, "200 "},
        {"space before the colon", POST "Transfer-Encoding : chunked\r\n\r\n" CHUNKS END, "400 "},
        {"space before the colon of the length", POST "Content-Length : 5\r\n\r\nhello" END, "400 "},
        {"vertical tab before the value", POST "Transfer-Encoding:\x0b" "chunked\r\n\r\n" CHUNKS END, "400 "},
        {"another word", POST "Transfer-Encoding: xchunked\r\n\r\n" CHUNKS END, "501 "},
        {"chunked is not last", POST "Transfer-Encoding: chunked, identity\r\n\r\n" CHUNKS END, "501 "},
        {"identity", POST "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello" END, "501 "},
        {"chunked twice", POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" CHUNKS END, "501 "},
        {"chunked and another behind", POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n" CHUNKS END, "501 "},
        {"quoted", POST "Transfer-Encoding: \"chunked\"\r\n\r\n" CHUNKS END, "501 "},
        {"a field with NUL would follow", POST "Transfer-Encoding: chunked\x01\r\n\r\n" CHUNKS END, "400 "},
        {"chunked from a 1.0 client, who cannot know it",
         "POST /first HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n" CHUNKS END, "400 "},
        {"folded", POST "Transfer-Encoding:\r\n chunked\r\n\r\n" CHUNKS END, "400 "},
        {"the name in a folded line", POST "X: y\r\n Transfer-Encoding: chunked\r\n\r\n" CHUNKS END, "400 "},
        {"POST without either", POST "\r\n" END, "411 "},
    };
    RUN(rows);
}

TEST(test_smuggling__chunks)
{
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
    static const struct row rows[] = {
        {"extension", CHUNKED "5;a=b\r\nhello\r\n0\r\n\r\n" END, "200 200 "},
        {"extension in quotes with a line's end spelled out", CHUNKED "5;a=\"\\r\\n\"\r\nhello\r\n0\r\n\r\n" END, "200 200 "},
        {"trailers are not fields", CHUNKED "5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n" END, "200 200 "},
        {"leading zeros", CHUNKED "0005\r\nhello\r\n000\r\n\r\n" END, "200 200 "},
        {"capitals", CHUNKED "A\r\nhellohello\r\n0\r\n\r\n" END, "200 200 "},
        {"hexadecimal prefix", CHUNKED "0x5\r\nhello\r\n0\r\n\r\n" END, ""},
        {"a sign", CHUNKED "+5\r\nhello\r\n0\r\n\r\n" END, ""},
        {"no size", CHUNKED "\r\nhello\r\n0\r\n\r\n" END, ""},
        {"too large a size", CHUNKED "fffffffffffffffff\r\nhello\r\n0\r\n\r\n" END, ""},
        {"no line's end behind the data", CHUNKED "5\r\nhello0\r\n\r\n" END, ""},
        {"bare CR behind the size", CHUNKED "5\rXhello\r\n0\r\n\r\n" END, ""},
        {"space before the size", CHUNKED " 5\r\nhello\r\n0\r\n\r\n" END, ""},
    };
    RUN(rows);
}

TEST(test_smuggling__lines)
{
    static const struct row rows[] = {
        {"two requests", GET "\r\n" END, "200 200 "},
        {"an empty line first", "\r\n" GET "\r\n" END, "200 200 "},
        {"bare LF", "GET /first HTTP/1.1\nHost: localhost\n\n" END, "200 200 "},
        {"bare CR in a value", GET "X: a\rb\r\n\r\n" END, "400 "},
        {"bare CR as the end of a field", GET "X: a\rY: b\r\n\r\n" END, "400 "},
        {"bare CR in the request line", "GET /first HTTP/1.1\rX\r\nHost: localhost\r\n\r\n" END, "400 "},
        {"a space first", " GET /first HTTP/1.1\r\nHost: localhost\r\n\r\n" END, "400 "},
        {"a field line that begins with a space", "GET /first HTTP/1.1\r\n Host: localhost\r\n\r\n" END, "400 "},
        {"a field without a colon", GET "X\r\n\r\n" END, "400 "},
        {"a field without a name", GET ": x\r\n\r\n" END, "400 "},
        {"a name in brackets", GET "X(y): z\r\n\r\n" END, "400 "},
        {"a second host", GET "Host: other\r\n\r\n" END, "400 "},
        {"two hosts in one", "GET /first HTTP/1.1\r\nHost: localhost, other\r\n\r\n" END, "400 "},
        {"a host with a path", "GET /first HTTP/1.1\r\nHost: localhost/x\r\n\r\n" END, "400 "},
        {"no host", "GET /first HTTP/1.1\r\n\r\n" END, "400 "},
        {"the target's host counts", "GET http://localhost/first HTTP/1.1\r\nHost: other\r\n\r\n" END, "200 200 "},
        {"the target's host is another's", "GET http://other/first HTTP/1.1\r\nHost: localhost\r\n\r\n" END, "400 "},
        {"two spaces", "GET  /first HTTP/1.1\r\nHost: localhost\r\n\r\n" END, "400 "},
        {"a tab", "GET\t/first HTTP/1.1\r\nHost: localhost\r\n\r\n" END, "400 "},
        {"a space in the target", "GET /fir st HTTP/1.1\r\nHost: localhost\r\n\r\n" END, "400 "},
        {"version in small letters", "GET /first http/1.1\r\nHost: localhost\r\n\r\n" END, "400 "},
        {"no version", "GET /first\r\nHost: localhost\r\n\r\n" END, "400 "},
        {"version 2", "GET /first HTTP/2.0\r\nHost: localhost\r\n\r\n" END, "505 "},
        {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 "},
        {"1.0 ends the connection", "GET /first HTTP/1.0\r\nHost: localhost\r\n\r\n" END, "200 "},
    };
    RUN(rows);
}

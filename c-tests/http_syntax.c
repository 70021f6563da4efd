/* Parameters of the service that loosen the grammar of request heads.
 * gate: not-mingw (it chooses its own configuration file) */
#define _GNU_SOURCE
#include "http_server.h"

static char folder[] = "/tmp/nthttp-syntax-XXXXXX", file[64];
static struct reply reply;

/* Before anything reads the configuration. */
__attribute__((constructor)) static void choose_file(void)
{
    FILE *out;
    if (mkdtemp(folder) == NULL)
        _exit(9);
    snprintf(file, sizeof(file), "%s/config.json", folder);
    setenv("NTHTTP_CONFIG", file, 1);
    out = fopen(file, "w");
    if (out == NULL)
        _exit(9);
    fputs("{\"parameters\": {\"AllowRestrictedChars\": 1, \"PercentUAllowed\": 0, \"FavorUTF8\": 0, \"AllowWeakHeaderNameSyntax\": 1,"
          " \"AllowWeakHeaderValueSyntax\": 1, \"AllowCaseInsensitiveVerbs\": 1, \"AllowUnEscapedRestrictedChars\": 1,"
          " \"UrlSegmentMaxCount\": 0}}", out);
    fclose(out);
}

__attribute__((destructor)) static void remove_files(void)
{
    unlink(file);
    rmdir(folder);
}

static HTTP_REQUEST *taken(const struct server *server, int *client, const char *line, const char *fields)
{
    *client = client_connect(server->port);
    client_text(*client, "%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", line, fields);
    return receive(server);
}

static void refused(const struct server *server, const char *line, const char *fields)
{
    int client = client_connect(server->port);
    client_text(client, "%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", line, fields);
    client_all(client, &reply);
    CHECK_EQ(reply.status, 400);
    close(client);
}

TEST(test_syntax__restricted_characters)
{
    struct server server;
    HTTP_REQUEST *request;
    int client;
    server_open(&server);
    request = taken(&server, &client, "GET /a%01b%7Fc", "");
    CHECK_EQ(request->CookedUrl.AbsPathLength, 12);
    CHECK_EQ(request->CookedUrl.pAbsPath[2], 1);
    CHECK_EQ(request->CookedUrl.pAbsPath[4], 0x7F);
    close(client);
    request = taken(&server, &client, "GET /a\x02" "b?c\x03", "");
    CHECK_EQ(request->CookedUrl.pAbsPath[2], 2);
    CHECK_BYTES(request->pRawUrl, request->RawUrlLength, "/a\x02" "b?c\x03");
    close(client);
    refused(&server, "GET /a\tb", "");
    refused(&server, "GET /a\rb", "");
    server_close(&server);
}

TEST(test_syntax__encodings_of_paths)
{
    struct server server;
    HTTP_REQUEST *request;
    int client;
    server_open(&server);
    refused(&server, "GET /%u0041", "");
    request = taken(&server, &client, "GET /%C3%BC", "");
    CHECK_EQ(request->CookedUrl.AbsPathLength, 6);
    CHECK_EQ(request->CookedUrl.pAbsPath[1], 0xC3);
    CHECK_EQ(request->CookedUrl.pAbsPath[2], 0xBC);
    close(client);
    server_close(&server);
}

TEST(test_syntax__weak_fields_and_verbs)
{
    struct server server;
    HTTP_REQUEST *request;
    int client;
    server_open(&server);
    request = taken(&server, &client, "get /", "X?(y): a\x01" "b\r\n");
    CHECK_EQ(request->Verb, HttpVerbGET);
    REQUIRE(request->Headers.UnknownHeaderCount == 1);
    CHECK_BYTES(request->Headers.pUnknownHeaders[0].pName, request->Headers.pUnknownHeaders[0].NameLength, "X?(y)");
    CHECK_BYTES(request->Headers.pUnknownHeaders[0].pRawValue, request->Headers.pUnknownHeaders[0].RawValueLength, "a\x01" "b");
    close(client);
    refused(&server, "GET /", "X : a\r\n");
    refused(&server, "GET /", "X y: a\r\n");
    refused(&server, "GET /", "X: a\rb\r\n");
    refused(&server, "GET /", "X: a\r\n Y: b\r\n");
    server_close(&server);
}

TEST(test_syntax__no_limit_on_segments)
{
    static char line[1100];
    struct server server;
    size_t at;
    int client;
    server_open(&server);
    strcpy(line, "GET ");
    for (at = 4; at < 1004; at += 2)
        memcpy(line + at, "/a", 3);
    CHECK_EQ(taken(&server, &client, line, "")->RawUrlLength, 1000);
    close(client);
    server_close(&server);
}

/* The password file for all, by the parameter PasswordFile, where neither session nor group names one; and several challenges
 * by the kinds of proof it has.
 * gate: not-mingw (it chooses its own configuration file) */
#define _GNU_SOURCE
#include "http_server.h"
#include "http_auth_digest.h"

static char folder[] = "/tmp/nthttp-auth-default-XXXXXX", config[64], passwords[64];
static struct reply reply;

static void write_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    if (out == NULL)
        _exit(9);
    fputs(text, out);
    fclose(out);
}

/* Before anything reads the configuration. The sums are those of "Circle of Life", as in RFC 7616. */
__attribute__((constructor)) static void choose_files(void)
{
    char text[128];
    if (mkdtemp(folder) == NULL)
        _exit(9);
    snprintf(config, sizeof(config), "%s/config.json", folder);
    snprintf(passwords, sizeof(passwords), "%s/passwords", folder);
    snprintf(text, sizeof(text), "{\"parameters\": {\"PasswordFile\": \"%s\"}}", passwords);
    write_file(config, text);
    write_file(passwords, "Mufasa:http-auth@example.org:3d78807defe7de2157e2b0b6573a855f\n"
                          "Mufasa:http-auth@example.org:7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232\n");
    setenv("NTHTTP_CONFIG", config, 1);
    unsetenv("NTHTTP_PASSWORD_FILE");
}

__attribute__((destructor)) static void remove_files(void)
{
    unlink(config);
    unlink(passwords);
    rmdir(folder);
}

static void enable(const struct server *server)
{
    static WCHAR realm[] = {'h', 't', 't', 'p', '-', 'a', 'u', 't', 'h', '@', 'e', 'x', 'a', 'm', 'p', 'l', 'e', '.', 'o', 'r', 'g'};
    HTTP_SERVER_AUTHENTICATION_INFO it;
    memset(&it, 0, sizeof(it));
    it.Flags.Present = 1;
    it.AuthSchemes = HTTP_AUTH_ENABLE_BASIC | HTTP_AUTH_ENABLE_DIGEST;
    it.BasicParams.Realm = it.DigestParams.Realm = realm;
    it.BasicParams.RealmLength = it.DigestParams.RealmLength = sizeof(realm);
    REQUIRE(HttpSetUrlGroupProperty(server->group, HttpServerAuthenticationProperty, &it, sizeof(it)) == NO_ERROR);
}

static void check_status(const struct server *server, HTTP_AUTH_STATUS status)
{
    const HTTP_REQUEST *request = receive(server);
    const HTTP_REQUEST_AUTH_INFO *info;
    REQUIRE(request->RequestInfoCount == 1 && request->pRequestInfo[0].InfoType == HttpRequestInfoTypeAuth);
    info = request->pRequestInfo[0].pInfo;
    CHECK_EQ(info->AuthStatus, status);
    if (info->AccessToken)
        CHECK(CloseHandle(info->AccessToken));
    CHECK_EQ(answer(server, request->RequestId, "x"), NO_ERROR);
}

TEST(test_auth_default__passwords_are_found)
{
    struct server server;
    int client;
    server_open(&server);
    enable(&server);
    client = client_connect(server.port);
    /* Mufasa:Circle of Life, and of Lies. */
    client_text(client, "GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic TXVmYXNhOkNpcmNsZSBvZiBMaWZl\r\n\r\n");
    check_status(&server, HttpAuthStatusSuccess);
    REQUIRE(client_response(client, &reply, 0));
    client_text(client, "GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic TXVmYXNhOkNpcmNsZSBvZiBMaWVz\r\n\r\n");
    check_status(&server, HttpAuthStatusFailure);
    REQUIRE(client_response(client, &reply, 0));
    close(client);
    server_close(&server);
}

TEST(test_auth_default__the_stronger_challenge_comes_first)
{
    struct server server;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    char field[1024], rspauth[33];
    const char *first, *second;
    int client;
    server_open(&server);
    enable(&server);
    client = client_get(&server, "/");
    make_response(&response, &chunk, 401, "Unauthorized", "no");
    set_known(&response, HttpHeaderWwwAuthenticate, "Digest");
    CHECK_EQ(send_response(&server, receive(&server)->RequestId, 0, &response, NULL), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    first = strstr(reply.text, "algorithm=SHA-256");
    second = strstr(reply.text, "algorithm=MD5");
    REQUIRE(first != NULL && second != NULL && first < second);
    /* Either may be answered. */
    digest_answer(reply_field(&reply, "WWW-Authenticate"), "Mufasa", "Circle of Life", "/", 1, field, sizeof(field), rspauth);
    client_text(client, "GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: %s\r\n\r\n", field);
    check_status(&server, HttpAuthStatusSuccess);
    REQUIRE(client_response(client, &reply, 0));
    close(client);
    server_close(&server);
}

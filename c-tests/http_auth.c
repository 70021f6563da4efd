/* Basic and Digest on the server: challenges, credentials against a password file and a function of the program, what the
 * application is told, tokens, replays, the cache, inheritance.
 * gate: not-mingw (the extension property is ours) gate: thread */
#define _GNU_SOURCE
#include "http_server.h"
#include "http_auth_digest.h"
#include <fcntl.h>
#include <pthread.h>

/* ann's password is secret. */
#define RIGHT "Basic YW5uOnNlY3JldA=="
#define WRONG "Basic YW5uOndyb25n"
#define NOBODY "Basic Ym9iOnNlY3JldA=="
#define DENIED ((ULONG)SEC_E_LOGON_DENIED)
#define OUT_OF_SEQUENCE 0x80090310u

static char folder[] = "/tmp/nthttp-auth-XXXXXX", file[64];
static struct reply reply;
static union request_buffer buffer;

static void write_file(const char *text)
{
    FILE *out = fopen(file, "w");
    REQUIRE(out != NULL);
    fputs(text, out);
    fclose(out);
}

__attribute__((constructor)) static void make_file(void)
{
    char ha1[33], text[256];
    FILE *out;
    if (mkdtemp(folder) == NULL)
        _exit(9);
    snprintf(file, sizeof(file), "%s/passwords", folder);
    md5_text("ann:the realm:secret", ha1);
    /* Made by openssl passwd -5. */
    snprintf(text, sizeof(text), "# users\nann:$5$abc$qsg6EHbUzHQzF1POlD7zUwBINSELQxypPaeDcZe6vH0\nann:the realm:%s\n", ha1);
    out = fopen(file, "w");
    if (out == NULL)
        _exit(9);
    fputs(text, out);
    fclose(out);
}

__attribute__((destructor)) static void remove_files(void)
{
    unlink(file);
    rmdir(folder);
}

static HTTP_SERVER_AUTHENTICATION_INFO enabling(ULONG schemes)
{
    static WCHAR realm[] = {'t', 'h', 'e', ' ', 'r', 'e', 'a', 'l', 'm'};
    HTTP_SERVER_AUTHENTICATION_INFO it;
    memset(&it, 0, sizeof(it));
    it.Flags.Present = 1;
    it.AuthSchemes = schemes;
    it.BasicParams.Realm = it.DigestParams.Realm = realm;
    it.BasicParams.RealmLength = it.DigestParams.RealmLength = sizeof(realm);
    return it;
}

static ULONG enable(const struct server *server, ULONG schemes)
{
    HTTP_SERVER_AUTHENTICATION_INFO it = enabling(schemes);
    return HttpSetUrlGroupProperty(server->group, HttpServerAuthenticationProperty, &it, sizeof(it));
}

static NTHTTP_CREDENTIALS_INFO from_file(void)
{
    NTHTTP_CREDENTIALS_INFO it;
    memset(&it, 0, sizeof(it));
    it.Flags.Present = 1;
    it.PasswordFile = wide("%s", file);
    return it;
}

static ULONG set_source(const struct server *server, NTHTTP_CREDENTIALS_INFO it)
{
    return HttpSetUrlGroupProperty(server->group, NTHTTP_SERVER_CREDENTIALS_PROPERTY, &it, sizeof(it));
}

/* A server with these schemes and the password file. */
static void open_guarded(struct server *server, ULONG schemes)
{
    server_open(server);
    REQUIRE(set_source(server, from_file()) == NO_ERROR);
    REQUIRE(enable(server, schemes) == NO_ERROR);
}

static void ask(const struct server *server, int client, const char *path, const char *authorization)
{
    if (authorization)
        client_text(client, "GET %s HTTP/1.1\r\nHost: localhost:%d\r\nAuthorization: %s\r\n\r\n", path, server->port, authorization);
    else
        client_text(client, "GET %s HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", path, server->port);
}

static const HTTP_REQUEST_AUTH_INFO *auth_of(const HTTP_REQUEST *request)
{
    USHORT at;
    for (at = 0; at < request->RequestInfoCount; at++)
        if (request->pRequestInfo[at].InfoType == HttpRequestInfoTypeAuth) {
            CHECK_EQ(request->pRequestInfo[at].InfoLength, sizeof(HTTP_REQUEST_AUTH_INFO));
            return request->pRequestInfo[at].pInfo;
        }
    return NULL;
}

/* Receives a request and checks what it tells of who asks; closes its token. */
static HTTP_REQUEST *receive_told(const struct server *server, HTTP_AUTH_STATUS status, HTTP_REQUEST_AUTH_TYPE type, ULONG reason)
{
    HTTP_REQUEST *request = receive_into(server, &buffer, 0);
    const HTTP_REQUEST_AUTH_INFO *info = auth_of(request);
    REQUIRE(info != NULL);
    CHECK_EQ(info->AuthStatus, status);
    CHECK_EQ(info->AuthType, type);
    CHECK_EQ((ULONG)info->SecStatus, reason);
    CHECK_EQ(info->Flags, 0);
    CHECK(info->PackedContext == NULL && info->PackedContextLength == 0);
    CHECK((info->AccessToken != NULL) == (status == HttpAuthStatusSuccess));
    if (info->AccessToken)
        CHECK(CloseHandle(info->AccessToken));
    return request;
}

/* 401 with these entries for WWW-Authenticate, in one list. */
static ULONG refuse(const struct server *server, HTTP_REQUEST_ID id, USHORT count, const char *const *names, ULONG flags)
{
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    HTTP_KNOWN_HEADER entries[8];
    HTTP_MULTIPLE_KNOWN_HEADERS list;
    HTTP_RESPONSE_INFO info;
    USHORT at;
    make_response(&response, &chunk, 401, "Unauthorized", "no");
    memset(&list, 0, sizeof(list));
    for (at = 0; at < count; at++) {
        entries[at].pRawValue = names[at];
        entries[at].RawValueLength = (USHORT)strlen(names[at]);
    }
    list.HeaderId = HttpHeaderWwwAuthenticate;
    list.Flags = flags;
    list.KnownHeaderCount = count;
    list.KnownHeaders = entries;
    info.Type = HttpResponseInfoTypeMultipleKnownHeaders;
    info.Length = sizeof(list);
    info.pInfo = &list;
    response.ResponseInfoCount = 1;
    response.pResponseInfo = &info;
    return send_response(server, id, 0, &response, NULL);
}

static ULONG refuse_with(const struct server *server, HTTP_REQUEST_ID id, const char *name)
{
    return refuse(server, id, 1, &name, 0);
}

/* Asks without credentials and copies the challenge. */
static void challenge_for(const struct server *server, int client, char *out, size_t size)
{
    ask(server, client, "/", NULL);
    CHECK_EQ(refuse_with(server, receive_told(server, HttpAuthStatusNotAuthenticated, HttpRequestAuthTypeNone, 0)->RequestId, "Digest"),
             NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    CHECK_EQ(reply.status, 401);
    REQUIRE(reply_field(&reply, "WWW-Authenticate") != NULL);
    snprintf(out, size, "%s", reply_field(&reply, "WWW-Authenticate"));
}

TEST(test_auth__off_unless_enabled)
{
    struct server server;
    int client;
    server_open(&server);
    client = client_connect(server.port);
    ask(&server, client, "/", RIGHT);
    receive_into(&server, &buffer, 0);
    CHECK_EQ(buffer.request.RequestInfoCount, 0);
    CHECK_EQ(refuse_with(&server, buffer.request.RequestId, "Basic"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    CHECK_HAS(reply.text, "WWW-Authenticate: Basic\r\n");
    close(client);
    server_close(&server);
}

TEST(test_auth__challenges_are_made_whole)
{
    static const char *const names[] = {"Basic", "Digest", "NTLM", "Negotiate", "Basic realm=\"mine\"", "Bearer"};
    struct server server;
    const char *digest, *basic;
    int client;
    open_guarded(&server, HTTP_AUTH_ENABLE_BASIC | HTTP_AUTH_ENABLE_DIGEST | HTTP_AUTH_ENABLE_NTLM | HTTP_AUTH_ENABLE_NEGOTIATE);
    client = client_connect(server.port);
    ask(&server, client, "/", NULL);
    CHECK_EQ(refuse(&server, receive_told(&server, HttpAuthStatusNotAuthenticated, HttpRequestAuthTypeNone, 0)->RequestId, 6, names, 0),
             NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    digest = strstr(reply.text, "WWW-Authenticate: Digest realm=\"the realm\", nonce=\"");
    basic = strstr(reply.text, "WWW-Authenticate: Basic realm=\"the realm\"\r\n");
    CHECK(digest != NULL && basic != NULL && digest < basic);
    CHECK_HAS(reply.text, "qop=\"auth\", algorithm=MD5, ");
    CHECK_HAS(reply.text, "WWW-Authenticate: Basic realm=\"mine\"\r\n");
    CHECK_HAS(reply.text, "WWW-Authenticate: Bearer\r\n");
    CHECK_LACKS(reply.text, "stale");
    CHECK_LACKS(reply.text, "NTLM");
    CHECK_LACKS(reply.text, "Negotiate");
    ask(&server, client, "/", NULL);
    CHECK_EQ(refuse(&server, receive_told(&server, HttpAuthStatusNotAuthenticated, HttpRequestAuthTypeNone, 0)->RequestId, 2, names,
                    HTTP_RESPONSE_INFO_FLAGS_PRESERVE_ORDER), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    CHECK(strstr(reply.text, "WWW-Authenticate: Basic") < strstr(reply.text, "WWW-Authenticate: Digest"));
    /* None is added that the application does not name. */
    ask(&server, client, "/", NULL);
    CHECK_EQ(refuse(&server, receive_told(&server, HttpAuthStatusNotAuthenticated, HttpRequestAuthTypeNone, 0)->RequestId, 0, names, 0), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    CHECK_LACKS(reply.text, "WWW-Authenticate");
    close(client);
    server_close(&server);
}

TEST(test_auth__a_response_may_have_settings_of_its_own)
{
    struct server server;
    HTTP_SERVER_AUTHENTICATION_INFO own = enabling(HTTP_AUTH_ENABLE_BASIC);
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    HTTP_RESPONSE_INFO info;
    int client;
    server_open(&server);
    client = client_connect(server.port);
    ask(&server, client, "/", NULL);
    make_response(&response, &chunk, 401, "Unauthorized", "no");
    set_known(&response, HttpHeaderWwwAuthenticate, "Basic");
    info.Type = HttpResponseInfoTypeAuthenticationProperty;
    info.Length = sizeof(own);
    info.pInfo = &own;
    response.ResponseInfoCount = 1;
    response.pResponseInfo = &info;
    CHECK_EQ(send_response(&server, receive_into(&server, &buffer, 0)->RequestId, 0, &response, NULL), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    CHECK_HAS(reply.text, "WWW-Authenticate: Basic realm=\"the realm\"\r\n");
    close(client);
    server_close(&server);
}

/* Twice each, because the second password is remembered. */
TEST(test_auth__basic_against_a_file)
{
    static const struct {
        const char *authorization;
        HTTP_AUTH_STATUS status;
        ULONG reason;
    } cases[] = {
        {RIGHT, HttpAuthStatusSuccess, 0}, {WRONG, HttpAuthStatusFailure, DENIED}, {NOBODY, HttpAuthStatusFailure, DENIED},
        {RIGHT, HttpAuthStatusSuccess, 0}, {WRONG, HttpAuthStatusFailure, DENIED}, {"Basic RE9NXGFubjpzZWNyZXQ=", HttpAuthStatusSuccess, 0},
    };
    struct server server;
    size_t at;
    int client;
    open_guarded(&server, HTTP_AUTH_ENABLE_BASIC);
    client = client_connect(server.port);
    for (at = 0; at < sizeof(cases) / sizeof(*cases); at++) {
        ask(&server, client, "/", cases[at].authorization);
        CHECK_EQ(answer(&server, receive_told(&server, cases[at].status, HttpRequestAuthTypeBasic, cases[at].reason)->RequestId, "x"), NO_ERROR);
        REQUIRE(client_response(client, &reply, 0));
        CHECK_EQ(reply.status, 200);
    }
    /* Of a scheme that is not enabled, or not spoken. */
    ask(&server, client, "/", "Negotiate YII=");
    CHECK_EQ(answer(&server, receive_told(&server, HttpAuthStatusNotAuthenticated, HttpRequestAuthTypeNone, 0)->RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    ask(&server, client, "/", "Digest nonsense");
    CHECK_EQ(answer(&server, receive_told(&server, HttpAuthStatusNotAuthenticated, HttpRequestAuthTypeNone, 0)->RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    close(client);
    server_close(&server);
}

TEST(test_auth__malformed_credentials_are_refused)
{
    static const char *const bad[] = {"Basic", "Basic ???", "Basic YWJj", "Digest nonsense", "Digest username=\"a\"",
                                      "Basic YTpi\r\nAuthorization: Basic YTpj"};
    struct server server;
    size_t at;
    open_guarded(&server, HTTP_AUTH_ENABLE_BASIC | HTTP_AUTH_ENABLE_DIGEST);
    for (at = 0; at < sizeof(bad) / sizeof(*bad); at++) {
        int client = client_connect(server.port);
        ask(&server, client, "/", bad[at]);
        client_all(client, &reply);
        CHECK_EQ(reply.status, 400);
        close(client);
    }
    server_close(&server);
}

TEST(test_auth__the_token_tells_the_user)
{
    struct server server;
    const HTTP_REQUEST_AUTH_INFO *info;
    WCHAR name[16];
    ULONG length = 0, bytes;
    HANDLE token;
    int client;
    open_guarded(&server, HTTP_AUTH_ENABLE_BASIC);
    client = client_connect(server.port);
    ask(&server, client, "/", RIGHT);
    info = auth_of(receive_into(&server, &buffer, 0));
    REQUIRE(info != NULL && info->AccessToken != NULL);
    token = info->AccessToken;
    CHECK_EQ(nthttp_token_user(token, NULL, &length), ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(length, 4);
    length = 3;
    name[0] = 'z';
    CHECK_EQ(nthttp_token_user(token, name, &length), ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(name[0], 'z');
    length = 16;
    CHECK_EQ(nthttp_token_user(token, name, &length), NO_ERROR);
    CHECK_EQ(length, 4);
    CHECK(name[0] == 'a' && name[1] == 'n' && name[2] == 'n' && name[3] == 0);
    CHECK_EQ(nthttp_token_user(token, name, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(nthttp_token_user(token, NULL, &length), ERROR_INVALID_PARAMETER);
    CHECK_EQ(nthttp_token_user(server.queue, name, &length), ERROR_INVALID_HANDLE);
    CHECK_EQ(nthttp_token_user(NULL, name, &length), ERROR_INVALID_HANDLE);
    /* Again by its id: a token of its own, each to be closed. */
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, buffer.request.RequestId, 0, &buffer.request, sizeof(buffer), &bytes, NULL), NO_ERROR);
    info = auth_of(&buffer.request);
    REQUIRE(info != NULL);
    CHECK(info->AuthStatus == HttpAuthStatusSuccess && info->AccessToken != NULL && info->AccessToken != token);
    CHECK(CloseHandle(info->AccessToken));
    CHECK(CloseHandle(token));
    CHECK(!CloseHandle(token));
    length = 16;
    CHECK_EQ(nthttp_token_user(token, name, &length), ERROR_INVALID_HANDLE);
    CHECK_EQ(answer(&server, buffer.request.RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    close(client);
    server_close(&server);
}

/* The entry counts for the size told, and a receive that does not fit makes no token. */
TEST(test_auth__buffers_of_just_the_size)
{
    struct server server;
    ULONG bytes = 0, needed;
    int client;
    open_guarded(&server, HTTP_AUTH_ENABLE_BASIC);
    client = client_connect(server.port);
    ask(&server, client, "/", RIGHT);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, HTTP_NULL_ID, 0, &buffer.request, sizeof(HTTP_REQUEST), &bytes, NULL), ERROR_MORE_DATA);
    needed = bytes;
    CHECK(needed >= sizeof(HTTP_REQUEST) + sizeof(HTTP_REQUEST_INFO) + sizeof(HTTP_REQUEST_AUTH_INFO));
    CHECK_EQ(buffer.request.RequestInfoCount, 0);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, buffer.request.RequestId, 0, &buffer.request, needed - 1, &bytes, NULL), ERROR_MORE_DATA);
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, buffer.request.RequestId, 0, &buffer.request, needed, &bytes, NULL), NO_ERROR);
    CHECK_EQ(bytes, needed);
    REQUIRE(auth_of(&buffer.request) != NULL);
    CHECK(CloseHandle(auth_of(&buffer.request)->AccessToken));
    CHECK_EQ(answer(&server, buffer.request.RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    close(client);
    server_close(&server);
}

TEST(test_auth__digest_against_a_file)
{
    struct server server;
    char challenge[1024], field[1024], rspauth[33], proof[64];
    int client;
    open_guarded(&server, HTTP_AUTH_ENABLE_DIGEST);
    client = client_connect(server.port);
    challenge_for(&server, client, challenge, sizeof(challenge));
    digest_answer(challenge, "ann", "secret", "/a?b", 1, field, sizeof(field), rspauth);
    ask(&server, client, "/a?b", field);
    CHECK_EQ(answer(&server, receive_told(&server, HttpAuthStatusSuccess, HttpRequestAuthTypeDigest, 0)->RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    REQUIRE(reply_field(&reply, "Authentication-Info") != NULL);
    snprintf(proof, sizeof(proof), "rspauth=\"%s\"", rspauth);
    CHECK_HAS(reply_field(&reply, "Authentication-Info"), proof);
    /* The same once more is a replay. */
    ask(&server, client, "/a?b", field);
    CHECK_EQ(answer(&server, receive_told(&server, HttpAuthStatusFailure, HttpRequestAuthTypeDigest, OUT_OF_SEQUENCE)->RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    CHECK_LACKS(reply.text, "Authentication-Info");
    digest_answer(challenge, "ann", "secret", "/", 2, field, sizeof(field), rspauth);
    ask(&server, client, "/", field);
    CHECK_EQ(answer(&server, receive_told(&server, HttpAuthStatusSuccess, HttpRequestAuthTypeDigest, 0)->RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    digest_answer(challenge, "ann", "wrong", "/", 3, field, sizeof(field), rspauth);
    ask(&server, client, "/", field);
    CHECK_EQ(answer(&server, receive_told(&server, HttpAuthStatusFailure, HttpRequestAuthTypeDigest, DENIED)->RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    digest_answer(challenge, "bob", "secret", "/", 4, field, sizeof(field), rspauth);
    ask(&server, client, "/", field);
    CHECK_EQ(answer(&server, receive_told(&server, HttpAuthStatusFailure, HttpRequestAuthTypeDigest, DENIED)->RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    /* A proof for one target is none for another. */
    digest_answer(challenge, "ann", "secret", "/other", 5, field, sizeof(field), rspauth);
    ask(&server, client, "/", field);
    client_all(client, &reply);
    CHECK_EQ(reply.status, 400);
    close(client);
    server_close(&server);
}

TEST(test_auth__mutual_data_goes_to_who_wants_it)
{
    struct server server;
    HTTP_SERVER_AUTHENTICATION_INFO it = enabling(HTTP_AUTH_ENABLE_DIGEST);
    const HTTP_REQUEST_AUTH_INFO *info;
    char challenge[1024], field[1024], rspauth[33];
    int client;
    server_open(&server);
    it.ReceiveMutualAuth = TRUE;
    CHECK_EQ(set_source(&server, from_file()), NO_ERROR);
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerAuthenticationProperty, &it, sizeof(it)), NO_ERROR);
    client = client_connect(server.port);
    challenge_for(&server, client, challenge, sizeof(challenge));
    digest_answer(challenge, "ann", "secret", "/", 1, field, sizeof(field), rspauth);
    ask(&server, client, "/", field);
    info = auth_of(receive_into(&server, &buffer, 0));
    REQUIRE(info != NULL && info->pMutualAuthData != NULL);
    CHECK_EQ(info->MutualAuthDataLength, strlen(info->pMutualAuthData));
    CHECK_HAS(info->pMutualAuthData, rspauth);
    CHECK(CloseHandle(info->AccessToken));
    CHECK_EQ(answer(&server, buffer.request.RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    CHECK_LACKS(reply.text, "Authentication-Info");
    close(client);
    server_close(&server);
}

/* A challenge that has run out, and one that was never made, get a new one that says so. */
TEST(test_auth__stale_nonces)
{
    struct server server;
    NTHTTP_CREDENTIALS_INFO source = from_file();
    char challenge[1024], field[1024], rspauth[33];
    unsigned count = 0;
    int client;
    open_guarded(&server, HTTP_AUTH_ENABLE_DIGEST);
    client = client_connect(server.port);
    digest_answer("Digest realm=\"the realm\", nonce=\"made-up\"", "ann", "secret", "/", 1, field, sizeof(field), rspauth);
    ask(&server, client, "/", field);
    CHECK_EQ(refuse_with(&server, receive_told(&server, HttpAuthStatusNotAuthenticated, HttpRequestAuthTypeNone, 0)->RequestId, "Digest"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    CHECK_HAS(reply.text, ", stale=true\r\n");
    snprintf(challenge, sizeof(challenge), "%s", reply_field(&reply, "WWW-Authenticate"));
    source.NonceSeconds = 1;
    CHECK_EQ(set_source(&server, source), NO_ERROR);
    for (;;) {
        HTTP_AUTH_STATUS status;
        digest_answer(challenge, "ann", "secret", "/", ++count, field, sizeof(field), rspauth);
        ask(&server, client, "/", field);
        receive_into(&server, &buffer, 0);
        REQUIRE(auth_of(&buffer.request) != NULL);
        status = auth_of(&buffer.request)->AuthStatus;
        if (status != HttpAuthStatusSuccess) {
            CHECK_EQ(status, HttpAuthStatusNotAuthenticated);
            break;
        }
        CHECK(CloseHandle(auth_of(&buffer.request)->AccessToken));
        CHECK_EQ(answer(&server, buffer.request.RequestId, "x"), NO_ERROR);
        REQUIRE(client_response(client, &reply, 0));
    }
    CHECK_EQ(refuse_with(&server, buffer.request.RequestId, "Digest"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    CHECK_HAS(reply.text, ", stale=true\r\n");
    close(client);
    server_close(&server);
}

struct judge {
    const struct server *server;
    int calls;
    ULONG scheme;
    SECURITY_STATUS verdict;
    int as_hash;
    pthread_t thread;
};

/* Judges ann, and calls the library while it does. */
static SECURITY_STATUS CALLBACK judge_ann(PVOID context, PNTHTTP_CREDENTIALS credentials)
{
    struct judge *it = context;
    HTTP_STATE_INFO state;
    it->calls++;
    it->thread = pthread_self();
    it->scheme = credentials->AuthType;
    CHECK_EQ(HttpQueryUrlGroupProperty(it->server->group, HttpServerStateProperty, &state, sizeof(state), NULL), NO_ERROR);
    CHECK_BYTES(credentials->Realm, strlen(credentials->Realm), "the realm");
    if (strcmp(credentials->UserName, "ann") != 0)
        return SEC_E_LOGON_DENIED;
    if (credentials->AuthType == HttpRequestAuthTypeBasic) {
        CHECK_EQ(credentials->DigestAlgorithm, 0);
        return strcmp(credentials->Password, "secret") == 0 ? it->verdict : SEC_E_LOGON_DENIED;
    }
    CHECK(credentials->Password == NULL);
    CHECK_EQ(credentials->DigestAlgorithm, NTHTTP_DIGEST_MD5);
    if (it->as_hash) {
        md5_text("ann:the realm:secret", credentials->Secret);
        credentials->SecretIsHash = TRUE;
    } else
        snprintf(credentials->Secret, sizeof(credentials->Secret), "secret");
    return SEC_E_OK;
}

static ULONG set_judge(const struct server *server, struct judge *judge)
{
    NTHTTP_CREDENTIALS_INFO it;
    memset(judge, 0, sizeof(*judge));
    judge->server = server;
    memset(&it, 0, sizeof(it));
    it.Flags.Present = 1;
    it.Verify = judge_ann;
    it.Context = judge;
    return set_source(server, it);
}

TEST(test_auth__the_program_judges_passwords)
{
    struct server server;
    struct judge judge;
    ULONG bytes;
    int client;
    server_open(&server);
    REQUIRE(set_judge(&server, &judge) == NO_ERROR);
    REQUIRE(enable(&server, HTTP_AUTH_ENABLE_BASIC) == NO_ERROR);
    client = client_connect(server.port);
    ask(&server, client, "/", NULL);
    CHECK_EQ(answer(&server, receive_told(&server, HttpAuthStatusNotAuthenticated, HttpRequestAuthTypeNone, 0)->RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    CHECK_EQ(judge.calls, 0);
    ask(&server, client, "/", RIGHT);
    receive_told(&server, HttpAuthStatusSuccess, HttpRequestAuthTypeBasic, 0);
    CHECK_EQ(judge.calls, 1);
    CHECK_EQ(judge.scheme, HttpRequestAuthTypeBasic);
    CHECK(pthread_equal(judge.thread, pthread_self()));
    /* It is asked once for a request. */
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, buffer.request.RequestId, 0, &buffer.request, sizeof(buffer), &bytes, NULL), NO_ERROR);
    CHECK_EQ(judge.calls, 1);
    REQUIRE(auth_of(&buffer.request) != NULL);
    CHECK_EQ(auth_of(&buffer.request)->AuthStatus, HttpAuthStatusSuccess);
    CHECK(CloseHandle(auth_of(&buffer.request)->AccessToken));
    CHECK_EQ(answer(&server, buffer.request.RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    judge.verdict = SEC_E_NO_CREDENTIALS;
    ask(&server, client, "/", RIGHT);
    CHECK_EQ(answer(&server, receive_told(&server, HttpAuthStatusFailure, HttpRequestAuthTypeBasic, (ULONG)SEC_E_NO_CREDENTIALS)->RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    ask(&server, client, "/", NOBODY);
    CHECK_EQ(answer(&server, receive_told(&server, HttpAuthStatusFailure, HttpRequestAuthTypeBasic, DENIED)->RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    close(client);
    server_close(&server);
}

TEST(test_auth__the_program_knows_secrets_for_digest)
{
    struct server server;
    struct judge judge;
    char challenge[1024], field[1024], rspauth[33];
    int client;
    unsigned count;
    server_open(&server);
    REQUIRE(set_judge(&server, &judge) == NO_ERROR);
    REQUIRE(enable(&server, HTTP_AUTH_ENABLE_DIGEST) == NO_ERROR);
    client = client_connect(server.port);
    challenge_for(&server, client, challenge, sizeof(challenge));
    for (count = 1; count <= 2; count++) {
        judge.as_hash = count == 2;
        digest_answer(challenge, "ann", "secret", "/", count, field, sizeof(field), rspauth);
        ask(&server, client, "/", field);
        CHECK_EQ(answer(&server, receive_told(&server, HttpAuthStatusSuccess, HttpRequestAuthTypeDigest, 0)->RequestId, "x"), NO_ERROR);
        REQUIRE(client_response(client, &reply, 0));
        CHECK_HAS(reply.text, rspauth);
    }
    CHECK_EQ(judge.calls, 2);
    /* A replay is not even told. */
    ask(&server, client, "/", field);
    CHECK_EQ(answer(&server, receive_told(&server, HttpAuthStatusFailure, HttpRequestAuthTypeDigest, OUT_OF_SEQUENCE)->RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    CHECK_EQ(judge.calls, 2);
    digest_answer(challenge, "ann", "wrong", "/", 3, field, sizeof(field), rspauth);
    ask(&server, client, "/", field);
    CHECK_EQ(answer(&server, receive_told(&server, HttpAuthStatusFailure, HttpRequestAuthTypeDigest, DENIED)->RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    close(client);
    server_close(&server);
}

/* A receive that pended is completed like any other, for either source; the queue's threads are not held up. */
TEST(test_auth__pending_receives)
{
    struct server server;
    struct judge judge;
    OVERLAPPED overlapped;
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    DWORD bytes;
    int client, round;
    open_guarded(&server, HTTP_AUTH_ENABLE_BASIC);
    client = client_connect(server.port);
    for (round = 0; round < 3; round++) {
        if (round == 1)
            REQUIRE(set_judge(&server, &judge) == NO_ERROR);
        memset(&overlapped, 0, sizeof(overlapped));
        overlapped.hEvent = event;
        CHECK_EQ(HttpReceiveHttpRequest(server.queue, HTTP_NULL_ID, 0, &buffer.request, sizeof(buffer), NULL, &overlapped), ERROR_IO_PENDING);
        ask(&server, client, "/", round == 2 ? WRONG : RIGHT);
        CHECK(GetOverlappedResult(server.queue, &overlapped, &bytes, TRUE));
        REQUIRE(auth_of(&buffer.request) != NULL);
        CHECK_EQ(auth_of(&buffer.request)->AuthStatus, round == 2 ? HttpAuthStatusFailure : HttpAuthStatusSuccess);
        if (auth_of(&buffer.request)->AccessToken)
            CHECK(CloseHandle(auth_of(&buffer.request)->AccessToken));
        CHECK_EQ(answer(&server, buffer.request.RequestId, "x"), NO_ERROR);
        REQUIRE(client_response(client, &reply, 0));
    }
    CHECK_EQ(judge.calls, 2);
    CHECK(CloseHandle(event));
    close(client);
    server_close(&server);
}

TEST(test_auth__groups_inherit_and_may_differ)
{
    struct server server;
    HTTP_SERVER_AUTHENTICATION_INFO it = enabling(HTTP_AUTH_ENABLE_BASIC);
    NTHTTP_CREDENTIALS_INFO source = from_file();
    int client;
    server_open(&server);
    client = client_connect(server.port);
    CHECK_EQ(HttpSetServerSessionProperty(server.session, HttpServerAuthenticationProperty, &it, sizeof(it)), NO_ERROR);
    CHECK_EQ(HttpSetServerSessionProperty(server.session, NTHTTP_SERVER_CREDENTIALS_PROPERTY, &source, sizeof(source)), NO_ERROR);
    ask(&server, client, "/", RIGHT);
    CHECK_EQ(answer(&server, receive_told(&server, HttpAuthStatusSuccess, HttpRequestAuthTypeBasic, 0)->RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    /* The group's own settings go before the session's, also when they enable nothing. */
    CHECK_EQ(enable(&server, 0), NO_ERROR);
    ask(&server, client, "/", RIGHT);
    CHECK(auth_of(receive_into(&server, &buffer, 0)) == NULL);
    CHECK_EQ(answer(&server, buffer.request.RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    /* Taken back, and with the session's scheme enabled by the other property. */
    it.Flags.Present = 0;
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerAuthenticationProperty, &it, sizeof(it)), NO_ERROR);
    it = enabling(HTTP_AUTH_ENABLE_BASIC | HTTP_AUTH_ENABLE_KERBEROS);
    CHECK_EQ(HttpSetServerSessionProperty(server.session, HttpServerExtendedAuthenticationProperty, &it, sizeof(it)), NO_ERROR);
    ask(&server, client, "/", WRONG);
    CHECK_EQ(answer(&server, receive_told(&server, HttpAuthStatusFailure, HttpRequestAuthTypeBasic, DENIED)->RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    close(client);
    server_close(&server);
}

TEST(test_auth__nowhere_to_look)
{
    struct server server;
    int client;
    server_open(&server);
    CHECK_EQ(enable(&server, HTTP_AUTH_ENABLE_BASIC), NO_ERROR);
    client = client_connect(server.port);
    ask(&server, client, "/", RIGHT);
    CHECK_EQ(answer(&server, receive_told(&server, HttpAuthStatusFailure, HttpRequestAuthTypeBasic, 0x80090311u)->RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    close(client);
    server_close(&server);
}

TEST(test_auth__sources_that_cannot_be)
{
    struct server server;
    struct judge judge;
    NTHTTP_CREDENTIALS_INFO it = from_file();
    ULONG length = sizeof(it);
    server_open(&server);
    it.Verify = judge_ann;
    CHECK_EQ(set_source(&server, it), ERROR_INVALID_PARAMETER);
    it = from_file();
    it.DigestAlgorithms = 4;
    CHECK_EQ(set_source(&server, it), ERROR_INVALID_PARAMETER);
    it = from_file();
    it.PasswordFile = wide("%s/missing", folder);
    CHECK_EQ(set_source(&server, it), ERROR_FILE_NOT_FOUND);
    it = from_file();
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, NTHTTP_SERVER_CREDENTIALS_PROPERTY, &it, sizeof(it) - 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetUrlGroupProperty(server.group + 1, NTHTTP_SERVER_CREDENTIALS_PROPERTY, &it, sizeof(it)), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpQueryUrlGroupProperty(server.group, NTHTTP_SERVER_CREDENTIALS_PROPERTY, &it, length, &length), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetRequestQueueProperty(server.queue, NTHTTP_SERVER_CREDENTIALS_PROPERTY, &it, sizeof(it), 0, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(set_judge(&server, &judge), NO_ERROR);
    it.Flags.Present = 0;
    CHECK_EQ(set_source(&server, it), NO_ERROR);
    server_close(&server);
}

/* A function taken back between arrival and receipt is not called; the request is told as without credentials. */
TEST(test_auth__a_function_taken_back_is_not_called)
{
    struct server server;
    struct judge judge;
    NTHTTP_CREDENTIALS_INFO it = from_file();
    int client;
    server_open(&server);
    REQUIRE(set_judge(&server, &judge) == NO_ERROR);
    REQUIRE(enable(&server, HTTP_AUTH_ENABLE_BASIC) == NO_ERROR);
    client = client_connect(server.port);
    ask(&server, client, "/", RIGHT);
    while (!client_readable(nthttp_event_fd(server.queue), CLIENT_PATIENCE))
        ;
    it.Flags.Present = 0;
    CHECK_EQ(set_source(&server, it), NO_ERROR);
    CHECK_EQ(answer(&server, receive_told(&server, HttpAuthStatusNotAuthenticated, HttpRequestAuthTypeNone, 0)->RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    CHECK_EQ(judge.calls, 0);
    close(client);
    server_close(&server);
}

TEST(test_auth__a_changed_file_holds_within_a_second)
{
    struct server server;
    HTTP_AUTH_STATUS status;
    int client, old = open(file, O_RDONLY);
    char text[512];
    ssize_t size = read(old, text, sizeof(text) - 1);
    REQUIRE(size > 0);
    text[size] = 0;
    close(old);
    open_guarded(&server, HTTP_AUTH_ENABLE_BASIC);
    client = client_connect(server.port);
    ask(&server, client, "/", RIGHT);
    CHECK_EQ(answer(&server, receive_told(&server, HttpAuthStatusSuccess, HttpRequestAuthTypeBasic, 0)->RequestId, "x"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    write_file("nobody:$5$abc$qsg6EHbUzHQzF1POlD7zUwBINSELQxypPaeDcZe6vH0\n");
    do {
        ask(&server, client, "/", RIGHT);
        receive_into(&server, &buffer, 0);
        REQUIRE(auth_of(&buffer.request) != NULL);
        status = auth_of(&buffer.request)->AuthStatus;
        if (auth_of(&buffer.request)->AccessToken)
            CHECK(CloseHandle(auth_of(&buffer.request)->AccessToken));
        CHECK_EQ(answer(&server, buffer.request.RequestId, "x"), NO_ERROR);
        REQUIRE(client_response(client, &reply, 0));
    } while (status == HttpAuthStatusSuccess);
    CHECK_EQ(status, HttpAuthStatusFailure);
    write_file(text);
    close(client);
    server_close(&server);
}

/* What is cached for all is for nobody once the group asks who it is, and its answers are not kept. */
TEST(test_auth__the_cache_is_left_alone)
{
    struct server server;
    HTTP_CACHE_POLICY policy;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    int client, round;
    server_open(&server);
    REQUIRE(set_source(&server, from_file()) == NO_ERROR);
    client = client_connect(server.port);
    memset(&policy, 0, sizeof(policy));
    policy.Policy = HttpCachePolicyUserInvalidates;
    for (round = 0; round < 3; round++) {
        if (round == 1)
            REQUIRE(enable(&server, HTTP_AUTH_ENABLE_BASIC) == NO_ERROR);
        ask(&server, client, "/", NULL);
        receive_into(&server, &buffer, 0);
        CHECK((auth_of(&buffer.request) != NULL) == (round > 0));
        make_response(&response, &chunk, 200, "OK", round == 0 ? "for all" : "for one");
        set_known(&response, HttpHeaderContentType, "text/plain");
        CHECK_EQ(HttpSendHttpResponse(server.queue, buffer.request.RequestId, 0, &response, &policy, NULL, NULL, 0, NULL, NULL), NO_ERROR);
        REQUIRE(client_response(client, &reply, 0));
        CHECK_BYTES(reply.body, reply.body_size, round == 0 ? "for all" : "for one");
    }
    /* Off again: what was kept before answers, and nothing of what came between. */
    CHECK_EQ(enable(&server, 0), NO_ERROR);
    ask(&server, client, "/", NULL);
    REQUIRE(client_response(client, &reply, 0));
    CHECK_BYTES(reply.body, reply.body_size, "for all");
    close(client);
    server_close(&server);
}

/* Clients that leave, and a queue that closes, while passwords are being compared. */
TEST(test_auth__closing_while_passwords_are_compared)
{
    struct server server;
    int clients[40];
    size_t at, count = sizeof(clients) / sizeof(*clients);
    open_guarded(&server, HTTP_AUTH_ENABLE_BASIC);
    for (at = 0; at < count; at++) {
        clients[at] = client_connect(server.port);
        ask(&server, clients[at], "/", at % 2 ? WRONG : NOBODY);
        if (at % 4 == 0)
            client_reset(clients[at]);
    }
    /* At least one was compared. */
    receive_told(&server, HttpAuthStatusFailure, HttpRequestAuthTypeBasic, DENIED);
    server_close(&server);
    for (at = 0; at < count; at++)
        if (at % 4 != 0) {
            client_all(clients[at], &reply);
            /* The queue had gone when its turn came, or the URL had when it was read. */
            if (reply.size != 0 && reply.status != 400)
                CHECK_EQ(reply.status, 503);
            close(clients[at]);
        }
}

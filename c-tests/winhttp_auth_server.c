/* WinHTTP's Basic and Digest against this library's own server, which judges them by its own reading of the RFCs.
 *
 * gate: not-mingw (the server's property for credentials is ours) */
#include "http_server.h"
#include <winhttp.h>

static WCHAR realm[] = {'t', 'h', 'e', ' ', 'r', 'e', 'a', 'l', 'm'};
static const char *offered;
static LONG refused, welcomed;

static SECURITY_STATUS CALLBACK judge(PVOID context, PNTHTTP_CREDENTIALS it)
{
    (void)context;
    if (strcmp(it->UserName, "J\xc3\xa4s \"x\\") != 0)
        return SEC_E_LOGON_DENIED;
    if (it->AuthType == HttpRequestAuthTypeBasic)
        return strcmp(it->Password, "s\xc3\xa9" "cret:") == 0 ? SEC_E_OK : SEC_E_LOGON_DENIED;
    strcpy(it->Secret, "s\xc3\xa9" "cret:");
    return SEC_E_OK;
}

/* Answers until the queue ends: 401 to strangers. */
static DWORD WINAPI serve(void *argument)
{
    const struct server *server = argument;
    static union request_buffer buffer;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    ULONG bytes;
    USHORT at;
    while (HttpReceiveHttpRequest(server->queue, HTTP_NULL_ID, HTTP_RECEIVE_REQUEST_FLAG_FLUSH_BODY, &buffer.request, sizeof(buffer),
                                  &bytes, NULL) == NO_ERROR) {
        int known = 0;
        for (at = 0; at < buffer.request.RequestInfoCount; at++)
            if (buffer.request.pRequestInfo[at].InfoType == HttpRequestInfoTypeAuth) {
                HTTP_REQUEST_AUTH_INFO *info = buffer.request.pRequestInfo[at].pInfo;
                known = info->AuthStatus == HttpAuthStatusSuccess;
                if (info->AccessToken)
                    CloseHandle(info->AccessToken);
            }
        InterlockedIncrement(known ? &welcomed : &refused);
        if (known)
            make_response(&response, &chunk, 200, "OK", "welcome");
        else {
            make_response(&response, &chunk, 401, "Who", "go away");
            /* The server makes a whole challenge of the name. */
            set_known(&response, HttpHeaderWwwAuthenticate, offered);
        }
        send_response(server, buffer.request.RequestId, 0, &response, NULL);
    }
    return 0;
}

/* So many exchanges of one session with a scheme; the status of the last. */
static DWORD ask(ULONG enabled, ULONG algorithms, ULONG seconds, DWORD scheme, PCWSTR password, int times)
{
    struct server server;
    HTTP_SERVER_AUTHENTICATION_INFO auth;
    NTHTTP_CREDENTIALS_INFO source;
    HANDLE thread;
    HINTERNET session, connect, request;
    DWORD status = 0, size = sizeof(status);
    server_open(&server);
    memset(&auth, 0, sizeof(auth));
    auth.Flags.Present = 1;
    auth.AuthSchemes = enabled;
    auth.BasicParams.Realm = auth.DigestParams.Realm = realm;
    auth.BasicParams.RealmLength = auth.DigestParams.RealmLength = sizeof(realm);
    memset(&source, 0, sizeof(source));
    source.Flags.Present = 1;
    source.Verify = judge;
    source.DigestAlgorithms = algorithms;
    source.NonceSeconds = seconds;
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, NTHTTP_SERVER_CREDENTIALS_PROPERTY, &source, sizeof(source)), NO_ERROR);
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, HttpServerAuthenticationProperty, &auth, sizeof(auth)), NO_ERROR);
    refused = welcomed = 0;
    offered = enabled & HTTP_AUTH_ENABLE_DIGEST ? "Digest" : "Basic";
    thread = CreateThread(NULL, 0, serve, &server, 0, NULL);
    session = WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0);
    connect = WinHttpConnect(session, W("localhost"), (INTERNET_PORT)server.port, 0);
    while (times--) {
        request = WinHttpOpenRequest(connect, W("POST"), W("/a b?c=\"d\""), NULL, NULL, NULL, 0);
        CHECK(WinHttpSetCredentials(request, WINHTTP_AUTH_TARGET_SERVER, scheme, W("J\u00e4s \"x\\"), password, NULL));
        CHECK(WinHttpSendRequest(request, NULL, 0, (void *)"body", 4, 4, 0) && WinHttpReceiveResponse(request, NULL));
        CHECK(WinHttpQueryHeaders(request, WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER, NULL, &status, &size, NULL));
        CHECK(WinHttpCloseHandle(request));
    }
    CHECK(WinHttpCloseHandle(connect) && WinHttpCloseHandle(session));
    CHECK_EQ(HttpShutdownRequestQueue(server.queue), NO_ERROR);
    CHECK_EQ(WaitForSingleObject(thread, 10000), WAIT_OBJECT_0);
    CloseHandle(thread);
    server_close(&server);
    return status;
}

TEST(test_auth_server__basic)
{
    CHECK_EQ(ask(HTTP_AUTH_ENABLE_BASIC, 0, 0, WINHTTP_AUTH_SCHEME_BASIC, W("s\u00e9cret:"), 2), 200);
    CHECK_EQ(refused, 0);
    CHECK_EQ(ask(HTTP_AUTH_ENABLE_BASIC, 0, 0, WINHTTP_AUTH_SCHEME_BASIC, W("wrong"), 1), 401);
}

TEST(test_auth_server__digest)
{
    ULONG algorithm;
    for (algorithm = NTHTTP_DIGEST_MD5; algorithm <= NTHTTP_DIGEST_SHA256; algorithm++) {
        CHECK_EQ(ask(HTTP_AUTH_ENABLE_DIGEST, algorithm, 0, WINHTTP_AUTH_SCHEME_DIGEST, W("s\u00e9cret:"), 5), 200);
        /* One challenge for the session: its requests count on. */
        CHECK_EQ(refused, 1);
        CHECK_EQ(welcomed, 5);
        CHECK_EQ(ask(HTTP_AUTH_ENABLE_DIGEST, algorithm, 0, WINHTTP_AUTH_SCHEME_DIGEST, W("wrong"), 1), 401);
    }
    /* Two challenges, of which the first counts. */
    CHECK_EQ(ask(HTTP_AUTH_ENABLE_DIGEST | HTTP_AUTH_ENABLE_BASIC, NTHTTP_DIGEST_MD5 | NTHTTP_DIGEST_SHA256, 0,
                 WINHTTP_AUTH_SCHEME_DIGEST, W("s\u00e9cret:"), 3), 200);
}

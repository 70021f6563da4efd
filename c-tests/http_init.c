/* HttpInitialize, HttpTerminate, sessions and URL groups. */
#include "http_server.h"

static void open_server(void)
{
    REQUIRE(HttpInitialize(version(2, 0), HTTP_INITIALIZE_SERVER, NULL) == NO_ERROR);
}

static void close_server(void)
{
    CHECK_EQ(HttpTerminate(HTTP_INITIALIZE_SERVER, NULL), NO_ERROR);
}

TEST(test_init__every_call_needs_it)
{
    static union request_buffer buffer;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    HTTP_OPAQUE_ID id = 5;
    HANDLE queue = NULL;
    ULONG value = 0;
    make_response(&response, &chunk, 200, "OK", NULL);
    CHECK_EQ(HttpCreateHttpHandle(&queue, 0), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpAddUrl(NULL, W("http://localhost:1/"), NULL), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpRemoveUrl(NULL, W("http://localhost:1/")), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpCreateServerSession(version(2, 0), &id, 0), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpCloseServerSession(1), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpCreateUrlGroup(1, &id, 0), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpCloseUrlGroup(1), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpAddUrlToUrlGroup(1, W("http://localhost:1/"), 0, 0), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpRemoveUrlFromUrlGroup(1, W("http://localhost:1/"), 0), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpCreateRequestQueue(version(2, 0), NULL, NULL, 0, &queue), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpCloseRequestQueue(NULL), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpShutdownRequestQueue(NULL), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpSetServerSessionProperty(1, HttpServerStateProperty, &value, 4), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpQueryServerSessionProperty(1, HttpServerStateProperty, &value, 4, NULL), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpSetUrlGroupProperty(1, HttpServerStateProperty, &value, 4), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpQueryUrlGroupProperty(1, HttpServerStateProperty, &value, 4, NULL), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpSetRequestQueueProperty(NULL, HttpServerStateProperty, &value, 4, 0, NULL), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpQueryRequestQueueProperty(NULL, HttpServerStateProperty, &value, 4, 0, NULL, NULL), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpReceiveHttpRequest(NULL, 0, 0, &buffer.request, sizeof(buffer), NULL, NULL), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpReceiveRequestEntityBody(NULL, 1, 0, &buffer, 16, NULL, NULL), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpSendHttpResponse(NULL, 1, 0, &response, NULL, NULL, NULL, 0, NULL, NULL), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpSendResponseEntityBody(NULL, 1, 0, 0, NULL, NULL, NULL, 0, NULL, NULL), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpCancelHttpRequest(NULL, 1, NULL), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpWaitForDisconnect(NULL, 1, NULL), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(id, 5);
    CHECK(queue == NULL);
}

TEST(test_init__checks_its_arguments)
{
    int reserved;
    CHECK_EQ(HttpInitialize(version(2, 0), 0, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpInitialize(version(2, 0), 4, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpInitialize(version(2, 0), HTTP_INITIALIZE_SERVER, &reserved), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpInitialize(version(0, 9), HTTP_INITIALIZE_SERVER, NULL), ERROR_REVISION_MISMATCH);
    CHECK_EQ(HttpInitialize(version(1, 1), HTTP_INITIALIZE_SERVER, NULL), ERROR_REVISION_MISMATCH);
    CHECK_EQ(HttpInitialize(version(3, 0), HTTP_INITIALIZE_SERVER, NULL), ERROR_REVISION_MISMATCH);
    CHECK_EQ(HttpTerminate(HTTP_INITIALIZE_SERVER, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpInitialize(version(1, 0), HTTP_INITIALIZE_SERVER, NULL), NO_ERROR);
    CHECK_EQ(HttpTerminate(0, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpTerminate(HTTP_INITIALIZE_SERVER, &reserved), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpTerminate(HTTP_INITIALIZE_CONFIG, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpTerminate(HTTP_INITIALIZE_SERVER | HTTP_INITIALIZE_CONFIG, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpTerminate(HTTP_INITIALIZE_SERVER, NULL), NO_ERROR);
    CHECK_EQ(HttpTerminate(HTTP_INITIALIZE_SERVER, NULL), ERROR_INVALID_PARAMETER);
}

TEST(test_init__counts_each_flag)
{
    HTTP_SERVER_SESSION_ID session;
    CHECK_EQ(HttpInitialize(version(2, 0), HTTP_INITIALIZE_SERVER | HTTP_INITIALIZE_CONFIG, NULL), NO_ERROR);
    CHECK_EQ(HttpInitialize(version(1, 0), HTTP_INITIALIZE_SERVER, NULL), NO_ERROR);
    CHECK_EQ(HttpTerminate(HTTP_INITIALIZE_SERVER | HTTP_INITIALIZE_CONFIG, NULL), NO_ERROR);
    CHECK_EQ(HttpCreateServerSession(version(2, 0), &session, 0), NO_ERROR);
    CHECK_EQ(HttpCloseServerSession(session), NO_ERROR);
    CHECK_EQ(HttpTerminate(HTTP_INITIALIZE_CONFIG, NULL), ERROR_INVALID_PARAMETER);
    close_server();
    CHECK_EQ(HttpCreateServerSession(version(2, 0), &session, 0), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpInitialize(version(2, 0), HTTP_INITIALIZE_CONFIG, NULL), NO_ERROR);
    CHECK_EQ(HttpCreateServerSession(version(2, 0), &session, 0), ERROR_DLL_INIT_FAILED);
    CHECK_EQ(HttpTerminate(HTTP_INITIALIZE_CONFIG, NULL), NO_ERROR);
}

TEST(test_init__last_terminate_closes_what_is_open)
{
    static union request_buffer buffer;
    struct server server;
    OVERLAPPED overlapped;
    HTTP_URL_GROUP_ID group;
    server_open(&server);
    memset(&overlapped, 0, sizeof(overlapped));
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, 0, 0, &buffer.request, sizeof(buffer), NULL, &overlapped), ERROR_IO_PENDING);
    close_server();
    while (*(volatile ULONG_PTR *)&overlapped.Internal == 0x103)
        poll(NULL, 0, 1);
    CHECK_EQ(overlapped.Internal, 0xC0000120);
    open_server();
    CHECK_EQ(HttpReceiveHttpRequest(server.queue, 0, 0, &buffer.request, sizeof(buffer), NULL, NULL), ERROR_INVALID_HANDLE);
    CHECK_EQ(HttpCreateUrlGroup(server.session, &group, 0), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpCloseUrlGroup(server.group), ERROR_INVALID_PARAMETER);
    close_server();
    /* The URL is free again. */
    open_server();
    CHECK_EQ(HttpCreateServerSession(version(2, 0), &server.session, 0), NO_ERROR);
    CHECK_EQ(HttpCreateUrlGroup(server.session, &group, 0), NO_ERROR);
    CHECK_EQ(HttpAddUrlToUrlGroup(group, wide("http://localhost:%d/", server.port), 0, 0), NO_ERROR);
    close_server();
}

TEST(test_session__versions_and_arguments)
{
    HTTP_SERVER_SESSION_ID session = 0;
    open_server();
    CHECK_EQ(HttpCreateServerSession(version(2, 0), NULL, 0), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpCreateServerSession(version(2, 0), &session, 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpCreateServerSession(version(9, 9), NULL, 0), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpCreateServerSession(version(9, 9), &session, 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpCreateServerSession(version(1, 1), &session, 0), ERROR_REVISION_MISMATCH);
    CHECK_EQ(HttpCreateServerSession(version(3, 0), &session, 0), ERROR_REVISION_MISMATCH);
    CHECK_EQ(session, 0);
    CHECK_EQ(HttpCreateServerSession(version(1, 0), &session, 0), NO_ERROR);
    CHECK(session != 0);
    CHECK_EQ(HttpCloseServerSession(session), NO_ERROR);
    CHECK_EQ(HttpCloseServerSession(session), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpCreateServerSession(version(2, 0), &session, 0), NO_ERROR);
    CHECK_EQ(HttpCloseServerSession(session), NO_ERROR);
    CHECK_EQ(HttpCloseServerSession(0), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpCloseServerSession(0xDEADBEEF), ERROR_INVALID_PARAMETER);
    close_server();
}

TEST(test_session__closing_invalidates_its_groups)
{
    HTTP_SERVER_SESSION_ID session;
    HTTP_URL_GROUP_ID group = 0, other = 0xABCD;
    open_server();
    CHECK_EQ(HttpCreateServerSession(version(2, 0), &session, 0), NO_ERROR);
    CHECK_EQ(HttpCreateUrlGroup(session, NULL, 0), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpCreateUrlGroup(session, &other, 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpCreateUrlGroup(session, &group, 0), NO_ERROR);
    CHECK(group != 0);
    CHECK_EQ(HttpCloseServerSession(session), NO_ERROR);
    CHECK_EQ(HttpCloseUrlGroup(group), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpCreateUrlGroup(session, &other, 0), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpCreateUrlGroup(0xDEAD, &other, 0), ERROR_INVALID_PARAMETER);
    CHECK_EQ(other, 0xABCD);
    CHECK_EQ(HttpCloseUrlGroup(0xDEAD), ERROR_INVALID_PARAMETER);
    close_server();
}

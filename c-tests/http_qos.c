/* Quality of service: the property's structures, and limits on bandwidth and connections in effect. */
#include "http_server.h"

static struct reply reply;

static ULONG set_qos(const struct server *it, int of_session, HTTP_QOS_SETTING_TYPE type, void *setting)
{
    HTTP_QOS_SETTING_INFO info;
    info.QosType = type;
    info.QosSetting = setting;
    if (of_session)
        return HttpSetServerSessionProperty(it->session, HttpServerQosProperty, &info, sizeof(info));
    return HttpSetUrlGroupProperty(it->group, HttpServerQosProperty, &info, sizeof(info));
}

static HTTP_BANDWIDTH_LIMIT_INFO bandwidth(ULONG rate)
{
    HTTP_BANDWIDTH_LIMIT_INFO info;
    memset(&info, 0, sizeof(info));
    info.Flags.Present = 1;
    info.MaxBandwidth = rate;
    return info;
}

TEST(test_qos__set_and_query)
{
    struct server server;
    HTTP_BANDWIDTH_LIMIT_INFO limit = bandwidth(5000);
    HTTP_CONNECTION_LIMIT_INFO connections;
    struct {
        HTTP_QOS_SETTING_INFO info;
        HTTP_FLOWRATE_INFO room;
    } out;
    ULONG size = 0;
    server_open(&server);
    CHECK_EQ(set_qos(&server, 0, HttpQosSettingTypeBandwidth, &limit), NO_ERROR);
    memset(&out, 0xEE, sizeof(out));
    out.info.QosType = HttpQosSettingTypeBandwidth;
    CHECK_EQ(HttpQueryUrlGroupProperty(server.group, HttpServerQosProperty, &out, sizeof(out), &size), NO_ERROR);
    CHECK_EQ(size, sizeof(out.info) + sizeof(limit));
    CHECK((char *)out.info.QosSetting == (char *)&out + sizeof(out.info));
    CHECK_EQ(((HTTP_BANDWIDTH_LIMIT_INFO *)out.info.QosSetting)->MaxBandwidth, 5000);
    CHECK_EQ(((HTTP_BANDWIDTH_LIMIT_INFO *)out.info.QosSetting)->Flags.Present, 1);
    CHECK_EQ(HttpQueryUrlGroupProperty(server.group, HttpServerQosProperty, &out, size - 1, &size), ERROR_MORE_DATA);
    out.info.QosType = HttpQosSettingTypeConnectionLimit;
    CHECK_EQ(HttpQueryUrlGroupProperty(server.group, HttpServerQosProperty, &out, sizeof(out), &size), NO_ERROR);
    CHECK_EQ(((HTTP_CONNECTION_LIMIT_INFO *)out.info.QosSetting)->Flags.Present, 0);
    CHECK_EQ(HttpQueryUrlGroupProperty(server.group, HttpServerQosProperty, NULL, 0, &size), ERROR_MORE_DATA);
    CHECK(size >= sizeof(out.info) + sizeof(HTTP_FLOWRATE_INFO));

    limit.MaxBandwidth = 1023;
    CHECK_EQ(set_qos(&server, 0, HttpQosSettingTypeBandwidth, &limit), ERROR_INVALID_PARAMETER);
    CHECK_EQ(set_qos(&server, 0, (HTTP_QOS_SETTING_TYPE)9, &limit), ERROR_INVALID_PARAMETER);
    CHECK_EQ(set_qos(&server, 0, HttpQosSettingTypeBandwidth, NULL), ERROR_INVALID_PARAMETER);
    limit.MaxBandwidth = HTTP_LIMIT_INFINITE;
    CHECK_EQ(set_qos(&server, 0, HttpQosSettingTypeBandwidth, &limit), NO_ERROR);
    CHECK_EQ(set_qos(&server, 1, HttpQosSettingTypeBandwidth, &limit), NO_ERROR);
    memset(&connections, 0, sizeof(connections));
    connections.Flags.Present = 1;
    connections.MaxConnections = 5;
    CHECK_EQ(set_qos(&server, 0, HttpQosSettingTypeConnectionLimit, &connections), NO_ERROR);
    CHECK_EQ(set_qos(&server, 1, HttpQosSettingTypeConnectionLimit, &connections), ERROR_INVALID_PARAMETER);
    server_close(&server);
}

/* Fetches `bytes` bytes of a server with some limit; gives the milliseconds it took. */
static ULONGLONG fetch(const struct server *it, const char *body, HTTP_RESPONSE_INFO *info)
{
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    OVERLAPPED overlapped;
    ULONGLONG began;
    ULONG result;
    int client = client_get(it, "/");
    HTTP_REQUEST_ID id = receive(it)->RequestId;
    memset(&overlapped, 0, sizeof(overlapped));
    overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    make_response(&response, &chunk, 200, "OK", body);
    response.ResponseInfoCount = info ? 1 : 0;
    response.pResponseInfo = info;
    began = GetTickCount64();
    result = HttpSendHttpResponse(it->queue, id, 0, &response, NULL, NULL, NULL, 0, &overlapped, NULL);
    CHECK(result == NO_ERROR || result == ERROR_IO_PENDING);
    CHECK(client_response(client, &reply, 0));
    began = GetTickCount64() - began;
    CHECK_EQ(reply.body_size, strlen(body));
    CHECK_EQ(WaitForSingleObject(overlapped.hEvent, 10000), WAIT_OBJECT_0);
    CloseHandle(overlapped.hEvent);
    close(client);
    return began;
}

static char body[100 * 1024 + 1];

TEST(test_qos__bandwidth_of_a_group_holds)
{
    struct server server;
    HTTP_BANDWIDTH_LIMIT_INFO limit = bandwidth(100 * 1024);
    memset(body, 'x', sizeof(body) - 1);
    server_open(&server);
    CHECK_EQ(set_qos(&server, 0, HttpQosSettingTypeBandwidth, &limit), NO_ERROR);
    /* 100 KiB, of which a quarter of a second's worth goes at once. */
    CHECK(fetch(&server, body, NULL) >= 600);
    limit.Flags.Present = 0;
    CHECK_EQ(set_qos(&server, 0, HttpQosSettingTypeBandwidth, &limit), NO_ERROR);
    CHECK(fetch(&server, body, NULL) < 600);
    server_close(&server);
}

TEST(test_qos__bandwidth_of_a_session_holds)
{
    struct server server;
    HTTP_BANDWIDTH_LIMIT_INFO limit = bandwidth(100 * 1024);
    memset(body, 'x', sizeof(body) - 1);
    server_open(&server);
    CHECK_EQ(set_qos(&server, 1, HttpQosSettingTypeBandwidth, &limit), NO_ERROR);
    CHECK(fetch(&server, body, NULL) >= 600);
    server_close(&server);
}

TEST(test_qos__bandwidth_of_one_response_holds)
{
    struct server server;
    HTTP_BANDWIDTH_LIMIT_INFO limit = bandwidth(100 * 1024);
    HTTP_QOS_SETTING_INFO setting;
    HTTP_RESPONSE_INFO info;
    setting.QosType = HttpQosSettingTypeBandwidth;
    setting.QosSetting = &limit;
    /* HttpResponseInfoTypeQoSProperty, which some headers spell otherwise. */
    info.Type = (HTTP_RESPONSE_INFO_TYPE)2;
    info.Length = sizeof(setting);
    info.pInfo = &setting;
    memset(body, 'x', sizeof(body) - 1);
    server_open(&server);
    CHECK(fetch(&server, body, &info) >= 600);
    CHECK(fetch(&server, body, NULL) < 600);
    server_close(&server);
}

TEST(test_qos__a_limited_response_holds_up_nobody)
{
    struct server server;
    HTTP_BANDWIDTH_LIMIT_INFO limit = bandwidth(2048);
    HTTP_URL_GROUP_ID slow_group;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    OVERLAPPED overlapped;
    HTTP_REQUEST_ID id;
    struct server slow;
    int slow_client, client, at;
    memset(body, 'x', sizeof(body) - 1);
    server_open(&server);
    REQUIRE(HttpCreateUrlGroup(server.session, &slow_group, 0) == NO_ERROR);
    REQUIRE(bind_group(slow_group, server.queue) == NO_ERROR);
    REQUIRE(HttpAddUrlToUrlGroup(slow_group, wide("http://localhost:%d/slow/", server.port), 0, 0) == NO_ERROR);
    slow = server;
    slow.group = slow_group;
    CHECK_EQ(set_qos(&slow, 0, HttpQosSettingTypeBandwidth, &limit), NO_ERROR);
    slow_client = client_get(&server, "/slow/");
    id = receive(&server)->RequestId;
    memset(&overlapped, 0, sizeof(overlapped));
    overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    make_response(&response, &chunk, 200, "OK", body);
    CHECK_EQ(HttpSendHttpResponse(server.queue, id, 0, &response, NULL, NULL, NULL, 0, &overlapped, NULL), ERROR_IO_PENDING);
    for (at = 0; at < 20; at++) {
        client = client_get(&server, "/");
        CHECK_EQ(answer(&server, receive(&server)->RequestId, "quick"), NO_ERROR);
        CHECK(client_response(client, &reply, 0));
        close(client);
    }
    CHECK_EQ(WaitForSingleObject(overlapped.hEvent, 0), WAIT_TIMEOUT);
    /* Cancelled, it is over at once. */
    CHECK(CancelIoEx(server.queue, &overlapped));
    CHECK_EQ(WaitForSingleObject(overlapped.hEvent, 10000), WAIT_OBJECT_0);
    CloseHandle(overlapped.hEvent);
    close(slow_client);
    CHECK_EQ(HttpCloseUrlGroup(slow_group), NO_ERROR);
    server_close(&server);
}

static void set_verbosity(const struct server *it, HTTP_503_RESPONSE_VERBOSITY verbosity)
{
    REQUIRE(HttpSetRequestQueueProperty(it->queue, HttpServer503VerbosityProperty, &verbosity, sizeof(verbosity), 0, NULL) == NO_ERROR);
}

TEST(test_qos__connections_of_a_group_are_limited)
{
    struct server server;
    HTTP_CONNECTION_LIMIT_INFO limit;
    int first, second, tries;
    memset(&limit, 0, sizeof(limit));
    limit.Flags.Present = 1;
    limit.MaxConnections = 1;
    server_open(&server);
    set_verbosity(&server, Http503ResponseVerbosityLimited);
    CHECK_EQ(set_qos(&server, 0, HttpQosSettingTypeConnectionLimit, &limit), NO_ERROR);
    first = client_get(&server, "/");
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "1"), NO_ERROR);
    CHECK(client_response(first, &reply, 0));
    second = client_get(&server, "/");
    client_all(second, &reply);
    CHECK_EQ(reply.status, 503);
    close(second);
    set_verbosity(&server, Http503ResponseVerbosityBasic);
    second = client_get(&server, "/");
    client_all(second, &reply);
    CHECK_EQ(reply.size, 0);
    close(second);
    /* The first one goes on, and makes room when it ends. */
    client_text(first, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK_EQ(answer(&server, receive(&server)->RequestId, "2"), NO_ERROR);
    CHECK(client_response(first, &reply, 0));
    close(first);
    set_verbosity(&server, Http503ResponseVerbosityLimited);
    limit.MaxConnections = 2;
    CHECK_EQ(set_qos(&server, 0, HttpQosSettingTypeConnectionLimit, &limit), NO_ERROR);
    for (tries = 0; tries < 2; tries++) {
        second = client_get(&server, "/");
        CHECK_EQ(answer(&server, receive(&server)->RequestId, "3"), NO_ERROR);
        CHECK(client_response(second, &reply, 0));
        CHECK_EQ(reply.status, 200);
        close(second);
    }
    server_close(&server);
}

/* Logs of responses: formats, what is logged and what is not, what may be set where.
 * gate: not-mingw (folders and environment of POSIX) */
#include "http_log_files.h"

#define DAILY HttpLoggingRolloverDaily

static const ULONG EVERY = HTTP_LOG_FIELD_DATE | HTTP_LOG_FIELD_TIME | HTTP_LOG_FIELD_CLIENT_IP | HTTP_LOG_FIELD_USER_NAME |
                           HTTP_LOG_FIELD_METHOD | HTTP_LOG_FIELD_URI_STEM | HTTP_LOG_FIELD_URI_QUERY | HTTP_LOG_FIELD_STATUS |
                           HTTP_LOG_FIELD_BYTES_SENT | HTTP_LOG_FIELD_BYTES_RECV | HTTP_LOG_FIELD_TIME_TAKEN |
                           HTTP_LOG_FIELD_VERSION | HTTP_LOG_FIELD_USER_AGENT | HTTP_LOG_FIELD_COOKIE | HTTP_LOG_FIELD_SUB_STATUS;

/* The last line of a text, without its end. */
static const char *last_line(const char *text)
{
    static char line[4096];
    size_t end = strlen(text), start;
    while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == '\r'))
        end--;
    for (start = end; start > 0 && text[start - 1] != '\n'; start--)
        ;
    snprintf(line, sizeof(line), "%.*s", (int)(end - start), text + start);
    return line;
}

static int count(const char *text, const char *part)
{
    int found = 0;
    for (text = strstr(text, part); text; text = strstr(text + 1, part))
        found++;
    return found;
}

TEST(test_log__w3c_has_the_fields_chosen_and_what_the_system_knows)
{
    struct server it;
    char expected[256], name[64];
    const char *text, *line;
    size_t got, sent;
    server_open(&it);
    CHECK_EQ(log_group(it.group, logging("w3c", HttpLoggingTypeW3C, DAILY, EVERY)), NO_ERROR);
    CHECK_BYTES(log_name("w3c"), 0, "");
    got = exchange_logged(&it, 200);
    server_close(&it);
    snprintf(name, sizeof(name), "%s", log_name("w3c"));
    CHECK_EQ(strlen(name), strlen("exyymmdd.log"));
    CHECK_BYTES(name, 2, "ex");
    text = log_text("w3c", name);
    CHECK_BYTES(text, 64, "#Software: Microsoft HTTP Server API 2.0\r\n#Version: 1.0\r\n#Date: ");
    CHECK_HAS(text, "#Fields: date time cs-method cs-uri-stem cs-uri-query cs-username c-ip cs-version cs(User-Agent) cs(Cookie) "
                    "sc-status sc-substatus sc-bytes cs-bytes time-taken\r\n");
    line = last_line(text);
    sent = strlen("GET /a%20b?q=1 HTTP/1.1\r\nHost: localhost:\r\n\r\n") + (size_t)snprintf(NULL, 0, "%d", it.port);
    snprintf(expected, sizeof(expected), "GET /a+b q=1 fred 127.0.0.1 HTTP/1.1 a+gent/1 - 200 2 %zu %zu ", got, sent);
    CHECK_HAS(line, expected);
    CHECK(line[4] == '-' && line[13] == ':' && line[19] == ' ' && line[20] == 'G');
}

TEST(test_log__the_other_formats_are_fixed)
{
    struct server it;
    size_t got;
    char part[128];
    server_open(&it);
    CHECK_EQ(log_group(it.group, logging("ncsa", HttpLoggingTypeNCSA, HttpLoggingRolloverSize, 0)), NO_ERROR);
    got = exchange_logged(&it, 200);
    CHECK_EQ(log_group(it.group, logging("iis", HttpLoggingTypeIIS, HttpLoggingRolloverSize, 0)), NO_ERROR);
    exchange_logged(&it, 200);
    CHECK_EQ(log_group(it.group, logging("json", NTHTTP_LOGGING_TYPE_JSON, HttpLoggingRolloverSize, 0)), NO_ERROR);
    exchange_logged(&it, 404);
    server_close(&it);
    CHECK_BYTES(log_name("ncsa"), strlen(log_name("ncsa")), "ncsa1.log");
    snprintf(part, sizeof(part), "] \"GET /a+b?q=1 HTTP/1.1\" 200 %zu\r\n", got);
    CHECK_HAS(log_text("ncsa", "ncsa1.log"), part);
    CHECK_BYTES(log_text("ncsa", "ncsa1.log"), strlen("127.0.0.1 - fred ["), "127.0.0.1 - fred [");
    CHECK_HAS(log_text("iis", "inetsv1.log"), ", SVC, HOST, 127.0.0.2, ");
    snprintf(part, sizeof(part), ", %zu, 200, 5, GET, /a+b, q=1,\r\n", got);
    CHECK_HAS(log_text("iis", "inetsv1.log"), part);
    CHECK_HAS(log_text("json", "json1.log"), "\"cs-uri-stem\":\"/a b\"");
    CHECK_HAS(log_text("json", "json1.log"), "\"sc-status\":404");
}

TEST(test_log__a_session_logs_all_its_groups_in_one_file)
{
    struct server it;
    HTTP_URL_GROUP_ID other;
    const unsigned char *text;
    server_open(&it);
    REQUIRE(HttpCreateUrlGroup(it.session, &other, 0) == NO_ERROR);
    REQUIRE(bind_group(other, it.queue) == NO_ERROR);
    REQUIRE(HttpAddUrlToUrlGroup(other, wide("http://localhost:%d/other/", it.port), 0, 0) == NO_ERROR);
    CHECK_EQ(log_group(other, logging("own", HttpLoggingTypeNCSA, DAILY, 0)), NO_ERROR);
    CHECK_EQ(log_session(it.session, logging("all", HttpLoggingTypeW3C, HttpLoggingRolloverSize, HTTP_LOG_FIELD_STATUS)), NO_ERROR);
    exchange_logged(&it, 200);
    {
        static struct reply reply;
        int client = client_get(&it, "/other/x");
        CHECK_EQ(answer_logged(&it, receive(&it)->RequestId, 404, "no"), NO_ERROR);
        CHECK(client_response(client, &reply, 0));
        close(client);
    }
    CHECK_EQ(log_session(it.session, logging("raw", HttpLoggingTypeRaw, HttpLoggingRolloverSize, 0)), NO_ERROR);
    exchange_logged(&it, 503);
    server_close(&it);
    CHECK_BYTES(log_name("own"), 0, "");
    CHECK_HAS(log_text("all", "extend1.log"), "#Fields: sc-status\r\n200\r\n404\r\n");
    text = (const unsigned char *)log_text("raw", "raw1.ibl");
    CHECK_BYTES(text, 7, "nthtibl");
    CHECK_EQ(text[8 + 40] | text[8 + 41] << 8, 503);
}

TEST(test_log__only_the_last_send_counts_and_only_with_log_data)
{
    struct server it;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    HTTP_LOG_FIELDS_DATA data;
    HTTP_REQUEST_ID id;
    static struct reply reply;
    char expected[64];
    int client;
    server_open(&it);
    CHECK_EQ(log_group(it.group, logging("last", HttpLoggingTypeW3C, HttpLoggingRolloverSize,
                                         HTTP_LOG_FIELD_STATUS | HTTP_LOG_FIELD_BYTES_SENT)), NO_ERROR);
    client = client_get(&it, "/");
    make_log_data(&data, 201);
    make_response(&response, &chunk, 200, "OK", "one");
    set_known(&response, HttpHeaderContentLength, "6");
    id = receive(&it)->RequestId;
    CHECK_EQ(HttpSendHttpResponse(it.queue, id, HTTP_SEND_RESPONSE_FLAG_MORE_DATA, &response, NULL, NULL, NULL, 0, NULL,
                                  (PHTTP_LOG_DATA)&data), NO_ERROR);
    data.ProtocolStatus = 202;
    chunk.FromMemory.pBuffer = "two";
    CHECK_EQ(HttpSendResponseEntityBody(it.queue, id, 0, 1, &chunk, NULL, NULL, 0, NULL, (PHTTP_LOG_DATA)&data), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    close(client);
    snprintf(expected, sizeof(expected), "\r\n202 %zu\r\n", reply.size);
    client = client_get(&it, "/");
    CHECK_EQ(answer(&it, receive(&it)->RequestId, "unlogged"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    close(client);
    server_close(&it);
    CHECK_HAS(log_text("last", "extend1.log"), expected);
    CHECK_EQ(count(log_text("last", "extend1.log"), "\r\n"), 5);
}

TEST(test_log__pipelined_responses_add_up)
{
    struct server it;
    static struct reply reply;
    const char *at;
    size_t sum = 0, single;
    int client, each;
    server_open(&it);
    CHECK_EQ(log_group(it.group, logging("pipe", HttpLoggingTypeW3C, HttpLoggingRolloverSize,
                                         HTTP_LOG_FIELD_METHOD | HTTP_LOG_FIELD_BYTES_SENT)), NO_ERROR);
    client = client_connect(it.port);
    client_text(client,
                "GET /1 HTTP/1.1\r\nHost: localhost:%d\r\n\r\nGET /2 HTTP/1.1\r\nHost: localhost:%d\r\n\r\n"
                "GET /3 HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\n\r\n",
                it.port, it.port, it.port);
    for (each = 0; each < 3; each++)
        CHECK_EQ(answer_logged(&it, receive(&it)->RequestId, 200, each == 1 ? "a longer body" : "short"), NO_ERROR);
    client_all(client, &reply);
    close(client);
    server_close(&it);
    for (at = strstr(log_text("pipe", "extend1.log"), "\nGET "); at; at = strstr(at + 1, "\nGET ")) {
        single = (size_t)atol(at + 5);
        CHECK(single > 100);
        sum += single;
    }
    CHECK_EQ(sum, reply.size);
}

TEST(test_log__answers_from_the_cache_are_logged_with_what_was_said_first)
{
    struct server it;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    HTTP_LOG_FIELDS_DATA data;
    HTTP_CACHE_POLICY policy;
    static struct reply reply;
    char expected[64];
    int client, each;
    server_open(&it);
    CHECK_EQ(log_group(it.group, logging("hits", HttpLoggingTypeW3C, HttpLoggingRolloverSize,
                                         HTTP_LOG_FIELD_STATUS | HTTP_LOG_FIELD_BYTES_SENT)), NO_ERROR);
    make_log_data(&data, 200);
    make_response(&response, &chunk, 200, "OK", "kept");
    set_known(&response, HttpHeaderContentType, "text/plain");
    memset(&policy, 0, sizeof(policy));
    policy.Policy = HttpCachePolicyUserInvalidates;
    client = client_get(&it, "/kept");
    CHECK_EQ(HttpSendHttpResponse(it.queue, receive(&it)->RequestId, 0, &response, &policy, NULL, NULL, 0, NULL,
                                  (PHTTP_LOG_DATA)&data), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    for (each = 0; each < 3; each++) {
        client_text(client, "GET /kept HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", it.port);
        CHECK(client_response(client, &reply, 0));
        CHECK_BYTES(reply.body, reply.body_size, "kept");
    }
    close(client);
    server_close(&it);
    snprintf(expected, sizeof(expected), "\r\n200 %zu\r\n", reply.size);
    CHECK_HAS(log_text("hits", "extend1.log"), expected);
    CHECK_EQ(count(log_text("hits", "extend1.log"), expected + 2), 4);
}

TEST(test_log__errors_only_and_success_only)
{
    static const ULONG flags[] = {HTTP_LOGGING_FLAG_LOG_ERRORS_ONLY, HTTP_LOGGING_FLAG_LOG_SUCCESS_ONLY};
    static const char *const folders[] = {"errors", "success"}, *const wanted[] = {"#Fields: sc-status\r\n404\r\n", "#Fields: sc-status\r\n200\r\n"};
    struct server it;
    int side;
    for (side = 0; side < 2; side++) {
        HTTP_LOGGING_INFO info = logging(folders[side], HttpLoggingTypeW3C, HttpLoggingRolloverSize, HTTP_LOG_FIELD_STATUS);
        server_open(&it);
        info.LoggingFlags = flags[side] | HTTP_LOGGING_FLAG_USE_UTF8_CONVERSION | HTTP_LOGGING_FLAG_LOCAL_TIME_ROLLOVER;
        CHECK_EQ(log_group(it.group, info), NO_ERROR);
        exchange_logged(&it, 200);
        exchange_logged(&it, 404);
        server_close(&it);
        CHECK_HAS(log_text(folders[side], "u_extend1.log"), wanted[side]);
        CHECK_EQ(count(log_text(folders[side], "u_extend1.log"), "\r\n"), 5);
    }
}

TEST(test_log__a_folder_that_cannot_be_made_harms_nobody)
{
    struct server it;
    char path[128];
    FILE *file;
    int each;
    snprintf(path, sizeof(path), "%s/file", log_folder);
    file = fopen(path, "w");
    REQUIRE(file != NULL);
    fclose(file);
    server_open(&it);
    CHECK_EQ(log_group(it.group, logging("file/below", HttpLoggingTypeW3C, DAILY, EVERY)), NO_ERROR);
    for (each = 0; each < 20; each++)
        CHECK(exchange_logged(&it, 200) > 0);
    server_close(&it);
}

TEST(test_log__taken_back_it_logs_no_more)
{
    struct server it;
    HTTP_LOGGING_INFO none;
    server_open(&it);
    CHECK_EQ(log_group(it.group, logging("taken", HttpLoggingTypeW3C, HttpLoggingRolloverSize, HTTP_LOG_FIELD_STATUS)), NO_ERROR);
    exchange_logged(&it, 200);
    memset(&none, 0, sizeof(none));
    CHECK_EQ(log_group(it.group, none), NO_ERROR);
    CHECK_HAS(log_text("taken", "extend1.log"), "\r\n200\r\n");
    exchange_logged(&it, 404);
    server_close(&it);
    CHECK_LACKS(log_text("taken", "extend1.log"), "404");
}

/* Threads of this process that write logs. */
static int writers(void)
{
    DIR *list = opendir("/proc/self/task");
    struct dirent *entry;
    int found = 0;
    while (list && (entry = readdir(list)) != NULL) {
        char path[300], name[32] = "";
        FILE *file;
        snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
        file = fopen(path, "r");
        if (file) {
            found += fgets(name, sizeof(name), file) && strcmp(name, "nthttp-log\n") == 0;
            fclose(file);
        }
    }
    if (list)
        closedir(list);
    return found;
}

TEST(test_log__one_thread_writes_and_ends_with_the_last_log)
{
    struct server it;
    int tries;
    for (tries = 0; tries < 1000 && writers() > 0; tries++)
        Sleep(10);
    CHECK_EQ(writers(), 0);
    server_open(&it);
    CHECK_EQ(log_group(it.group, logging("thread", HttpLoggingTypeW3C, DAILY, EVERY)), NO_ERROR);
    CHECK_EQ(writers(), 0);
    exchange_logged(&it, 200);
    for (tries = 0; tries < 1000 && writers() == 0; tries++)
        Sleep(10);
    CHECK_EQ(writers(), 1);
    server_close(&it);
    for (tries = 0; tries < 1000 && writers() > 0; tries++)
        Sleep(10);
    CHECK_EQ(writers(), 0);
}

TEST(test_log__what_may_be_set)
{
    struct server it;
    HTTP_LOGGING_INFO info;
    static WCHAR longer[256];
    size_t at;
    server_open(&it);
    CHECK_EQ(log_session(it.session, logging("x", HttpLoggingTypeIIS, DAILY, 0)), ERROR_INVALID_PARAMETER);
    CHECK_EQ(log_session(it.session, logging("x", HttpLoggingTypeNCSA, DAILY, 0)), ERROR_INVALID_PARAMETER);
    CHECK_EQ(log_group(it.group, logging("x", HttpLoggingTypeRaw, DAILY, 0)), ERROR_INVALID_PARAMETER);
    CHECK_EQ(log_group(it.group, logging("x", 4, DAILY, 0)), ERROR_INVALID_PARAMETER);
    CHECK_EQ(log_group(it.group, logging("x", -1, DAILY, 0)), ERROR_INVALID_PARAMETER);
    CHECK_EQ(log_group(it.group, logging("x", HttpLoggingTypeW3C, 5, 0)), ERROR_INVALID_PARAMETER);
    CHECK_EQ(log_group(it.group, logging("../x", HttpLoggingTypeW3C, DAILY, 0)), ERROR_INVALID_PARAMETER);
    info = logging("x", HttpLoggingTypeW3C, HttpLoggingRolloverSize, 0);
    info.RolloverSize--;
    CHECK_EQ(log_group(it.group, info), ERROR_INVALID_PARAMETER);
    info.RolloverSize = HTTP_LIMIT_INFINITE;
    CHECK_EQ(log_group(it.group, info), NO_ERROR);
    info.LoggingFlags = HTTP_LOGGING_FLAG_LOG_ERRORS_ONLY | HTTP_LOGGING_FLAG_LOG_SUCCESS_ONLY;
    CHECK_EQ(log_group(it.group, info), ERROR_INVALID_PARAMETER);
    info.LoggingFlags = 0;
    info.NumOfExtFields = 1;
    CHECK_EQ(log_group(it.group, info), ERROR_INVALID_PARAMETER);
    info.NumOfExtFields = 0;
    info.DirectoryName = NULL;
    CHECK_EQ(log_group(it.group, info), ERROR_INVALID_PARAMETER);
    info.DirectoryNameLength = 0;
    CHECK_EQ(log_group(it.group, info), ERROR_INVALID_PARAMETER);
    for (at = 0; at < 213; at++)
        longer[at] = at == 0 ? '/' : 'a';
    info.DirectoryName = longer;
    info.DirectoryNameLength = 2 * 213;
    CHECK_EQ(log_group(it.group, info), ERROR_INVALID_PARAMETER);
    info.DirectoryNameLength = 2 * 212;
    CHECK_EQ(log_group(it.group, info), NO_ERROR);
    info.DirectoryName = W("logs");
    info.DirectoryNameLength = 8;
    CHECK_EQ(log_group(it.group, info), ERROR_INVALID_PARAMETER);
    info.DirectoryName = W("C:\\logs");
    info.DirectoryNameLength = 14;
    CHECK_EQ(log_group(it.group, info), NO_ERROR);
    CHECK_EQ(HttpSetUrlGroupProperty(it.group, HttpServerLoggingProperty, &info, sizeof(info) - 1), ERROR_INVALID_PARAMETER);
    server_close(&it);
}

TEST(test_log__log_data_of_another_type_is_refused)
{
    struct server it;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    HTTP_LOG_FIELDS_DATA data;
    HTTP_REQUEST_ID id;
    static struct reply reply;
    int client;
    server_open(&it);
    CHECK_EQ(log_group(it.group, logging("type", HttpLoggingTypeW3C, DAILY, EVERY)), NO_ERROR);
    client = client_get(&it, "/");
    id = receive(&it)->RequestId;
    make_response(&response, &chunk, 200, "OK", "x");
    make_log_data(&data, 200);
    data.Base.Type = (HTTP_LOG_DATA_TYPE)1;
    CHECK_EQ(HttpSendHttpResponse(it.queue, id, 0, &response, NULL, NULL, NULL, 0, NULL, (PHTTP_LOG_DATA)&data), ERROR_INVALID_PARAMETER);
    data.Base.Type = HttpLogDataTypeFields;
    data.Cookie = NULL;
    data.CookieLength = 3;
    CHECK_EQ(HttpSendHttpResponse(it.queue, id, 0, &response, NULL, NULL, NULL, 0, NULL, (PHTTP_LOG_DATA)&data), ERROR_INVALID_PARAMETER);
    CHECK_EQ(answer(&it, id, "x"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    close(client);
    server_close(&it);
}

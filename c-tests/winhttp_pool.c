/* The pool: limits and who waits, how long connections are kept, when requests are sent again, groups.
 * gate: not-mingw (its headers know nothing of retries and groups) */
#define _GNU_SOURCE
#include "winhttp_network.h"

static HINTERNET open_request(struct trio *it)
{
    HINTERNET request = WinHttpOpenRequest(it->connect, NULL, W("/"), NULL, NULL, NULL, 0);
    REQUIRE(request != NULL);
    return request;
}

TEST(test_pool__a_limit_makes_requests_wait)
{
    struct trio it;
    HINTERNET second;
    char body[64];
    DWORD since;
    SERVER(server, {OK_HELLO, KEEP}, {OK_HELLO, KEEP});
    network_open(&it, W("127.0.0.1"), server.port, 0);
    CHECK_WORKS(set_number(it.session, WINHTTP_OPTION_MAX_CONNS_PER_SERVER, 1));
    second = open_request(&it);
    CHECK(exchange(it.request));
    /* Its body has not been read, so the only connection is in use. */
    CHECK(set_number(second, WINHTTP_OPTION_CONNECT_TIMEOUT, 100));
    since = GetTickCount();
    network_told[0] = 0;
    CHECK_FAILS(exchange(second), ERROR_WINHTTP_TIMEOUT);
    CHECK(GetTickCount() - since >= 100);
    CHECK_NETWORK("");
    CHECK_EQ(read_body(it.request, body, sizeof(body)), 5);
    CHECK(exchange(second));
    CHECK_EQ(read_body(second, body, sizeof(body)), 5);
    CHECK_NETWORK("");
    CHECK_EQ(server.connections, 1);
    CHECK(WinHttpCloseHandle(second));
    trio_close(&it);
    server_end(&server);
}

TEST(test_pool__a_connection_goes_to_who_waits)
{
    struct trio it;
    HINTERNET second;
    DWORD_PTR first_context = 11, second_context = 12;
    char body[64];
    SERVER(server, {OK_HELLO, KEEP}, {OK_HELLO, KEEP});
    notes_clear(NULL);
    trio_open(&it, server.port, NULL, NULL, WINHTTP_FLAG_ASYNC);
    CHECK_WORKS(set_number(it.session, WINHTTP_OPTION_MAX_CONNS_PER_SERVER, 1));
    WinHttpSetStatusCallback(it.request, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, first_context));
    CHECK(note_wait(first_context, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    second = open_request(&it);
    WinHttpSetStatusCallback(second, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
    CHECK(WinHttpSendRequest(second, NULL, 0, NULL, 0, 0, second_context));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK(note_wait(first_context, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
    CHECK_EQ(note_find(second_context, WINHTTP_CALLBACK_STATUS_SENDING_REQUEST), 0);
    CHECK(WinHttpReadData(it.request, body, sizeof(body), NULL));
    CHECK(note_wait(second_context, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK_EQ(note_find(second_context, WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER), 0);
    CHECK(note_wait(first_context, WINHTTP_CALLBACK_STATUS_READ_COMPLETE, 1));
    CHECK_EQ(server.connections, 1);
    CHECK(WinHttpCloseHandle(second));
    CHECK(note_wait(second_context, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1));
    trio_close_async(&it, first_context);
    server_end(&server);
}

TEST(test_pool__closing_ends_the_wait)
{
    struct trio it;
    HINTERNET second;
    DWORD_PTR first_context = 21, second_context = 22;
    SERVER(server, {OK_HELLO, KEEP});
    notes_clear(NULL);
    trio_open(&it, server.port, NULL, NULL, WINHTTP_FLAG_ASYNC);
    CHECK_WORKS(set_number(it.session, WINHTTP_OPTION_MAX_CONNS_PER_SERVER, 1));
    WinHttpSetStatusCallback(it.request, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, first_context));
    CHECK(note_wait(first_context, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    second = open_request(&it);
    WinHttpSetStatusCallback(second, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
    CHECK(WinHttpSendRequest(second, NULL, 0, NULL, 0, 0, second_context));
    CHECK(WinHttpCloseHandle(second));
    CHECK(note_wait(second_context, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1));
    CHECK_TOLD_SOMEWHERE(second_context, "ERROR(5,12017), CLOSING");
    trio_close_async(&it, first_context);
    server_end(&server);
}

TEST(test_pool__a_server_of_the_old_version_has_its_own_limit)
{
    struct trio it;
    HINTERNET second;
    char body[64];
    SERVER(server, {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello", KEEP},
           {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", CLOSE});
    network_open(&it, W("127.0.0.1"), server.port, 0);
    CHECK_WORKS(set_number(it.session, WINHTTP_OPTION_MAX_CONNS_PER_1_0_SERVER, 1));
    CHECK(exchange(it.request));
    second = open_request(&it);
    CHECK(set_number(second, WINHTTP_OPTION_CONNECT_TIMEOUT, 100));
    CHECK_FAILS(exchange(second), ERROR_WINHTTP_TIMEOUT);
    CHECK_EQ(read_body(it.request, body, sizeof(body)), 5);
    CHECK(exchange(second));
    CHECK_EQ(server.connections, 1);
    CHECK(WinHttpCloseHandle(second));
    trio_close(&it);
    server_end(&server);
}

TEST(test_pool__limits_are_numbers_of_sessions)
{
    static const DWORD options[] = {WINHTTP_OPTION_MAX_CONNS_PER_SERVER, WINHTTP_OPTION_MAX_CONNS_PER_1_0_SERVER};
    struct trio it;
    DWORD number[2] = {1, 0}, size;
    size_t at;
    trio_open(&it, 80, NULL, NULL, 0);
    for (at = 0; at < COUNT(options); at++) {
        CHECK_EQ(get_number(it.session, options[at]), 0xFFFFFFFF);
        CHECK_WORKS(set_number(it.session, options[at], 7));
        CHECK_EQ(get_number(it.session, options[at]), 7);
        CHECK_WORKS(set_number(it.session, options[at], 0));
        CHECK_EQ(get_number(it.session, options[at]), 2);
        CHECK_FAILS(WinHttpSetOption(it.session, options[at], number, 8), ERROR_INSUFFICIENT_BUFFER);
        CHECK_FAILS(set_number(it.connect, options[at], 7), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        CHECK_FAILS(set_number(it.request, options[at], 7), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        size = sizeof(number);
        CHECK_FAILS(WinHttpQueryOption(it.request, options[at], number, &size), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        CHECK_FAILS(WinHttpQueryOption(it.connect, options[at], number, &size), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        size = 3;
        CHECK_FAILS(WinHttpQueryOption(it.session, options[at], number, &size), ERROR_INSUFFICIENT_BUFFER);
        CHECK_EQ(size, 4);
    }
    trio_close(&it);
}

TEST(test_pool__a_pool_of_ones_own_is_a_switch_of_sessions)
{
    struct trio it;
    DWORD number = 1, size = sizeof(number);
    trio_open(&it, 80, NULL, NULL, 0);
    CHECK_WORKS(set_number(it.session, WINHTTP_OPTION_DISABLE_GLOBAL_POOLING, TRUE));
    CHECK_FAILS(set_number(it.connect, WINHTTP_OPTION_DISABLE_GLOBAL_POOLING, TRUE), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(set_number(it.request, WINHTTP_OPTION_DISABLE_GLOBAL_POOLING, TRUE), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_DISABLE_GLOBAL_POOLING, &number, 3), ERROR_INSUFFICIENT_BUFFER);
    CHECK_FAILS(WinHttpQueryOption(it.session, WINHTTP_OPTION_DISABLE_GLOBAL_POOLING, &number, &size), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_EXPIRE_CONNECTION, NULL, 0), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpSetOption(it.connect, WINHTTP_OPTION_EXPIRE_CONNECTION, NULL, 0), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(set_number(it.request, WINHTTP_OPTION_EXPIRE_CONNECTION, 1), ERROR_INSUFFICIENT_BUFFER);
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_EXPIRE_CONNECTION, NULL, 0), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_FAILS(WinHttpQueryOption(it.request, WINHTTP_OPTION_EXPIRE_CONNECTION, &number, &size), ERROR_INVALID_PARAMETER);
    trio_close(&it);
}

TEST(test_pool__a_server_says_how_long)
{
    struct trio it;
    char body[64];
    SERVER(server, {"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=0\r\nContent-Length: 5\r\n\r\nhello", KEEP},
           {"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=9, max=7\r\nContent-Length: 5\r\n\r\nhello", KEEP}, {OK_HELLO, KEEP});
    network_open(&it, W("127.0.0.1"), server.port, 0);
    CHECK(exchange(it.request));
    CHECK_EQ(read_body(it.request, body, sizeof(body)), 5);
    network_again(&it);
    CHECK(exchange(it.request));
    CHECK_EQ(read_body(it.request, body, sizeof(body)), 5);
    CHECK_EQ(server.connections, 2);
    network_again(&it);
    CHECK(exchange(it.request));
    CHECK_EQ(server.connections, 2);
    trio_close(&it);
    server_end(&server);
}

static BOOL set_retries(HINTERNET handle, DWORD most, DWORD conditions)
{
    WINHTTP_FAILED_CONNECTION_RETRIES retries;
    retries.dwMaxRetries = most;
    retries.dwAllowedRetryConditions = conditions;
    return WinHttpSetOption(handle, WINHTTP_OPTION_FAILED_CONNECTION_RETRIES, &retries, sizeof(retries));
}

/* A session whose first connect is not made yet. */
static void open_with_retries(struct trio *it, int port, int set, DWORD most, DWORD conditions)
{
    BOOL yes = TRUE;
    it->session = WinHttpOpen(W("test"), WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0);
    REQUIRE(it->session != NULL);
    CHECK(WinHttpSetOption(it->session, WINHTTP_OPTION_DISABLE_GLOBAL_POOLING, &yes, sizeof(yes)));
    if (set)
        CHECK_WORKS(set_retries(it->session, most, conditions));
    it->connect = WinHttpConnect(it->session, W("127.0.0.1"), (INTERNET_PORT)port, 0);
    it->request = open_request(it);
}

TEST(test_pool__a_connection_given_up_is_replaced_unless_that_is_not_wanted)
{
    static const struct {
        int set;
        DWORD most, conditions;
        int works;
    } rows[] = {
        {0, 0, 0, 1},
        {1, 5, WINHTTP_CONNECTION_RETRY_CONDITION_STALE_CONNECTION, 1},
        {1, 1, WINHTTP_CONNECTION_RETRY_CONDITION_408, 1},
        {1, 0, 0, 0},
    };
    struct trio it;
    char body[64];
    size_t at;
    for (at = 0; at < COUNT(rows); at++) {
        SERVER(server, {OK_HELLO, CLOSE}, {OK_HELLO, CLOSE});
        open_with_retries(&it, server.port, rows[at].set, rows[at].most, rows[at].conditions);
        CHECK(exchange(it.request));
        CHECK_EQ(WaitForSingleObject(server.ended, 10000), WAIT_OBJECT_0);
        CHECK_EQ(read_body(it.request, body, sizeof(body)), 5);
        CHECK(WinHttpCloseHandle(it.request));
        it.request = open_request(&it);
        if (rows[at].works)
            CHECK(exchange(it.request));
        else {
            CHECK_FAILS(exchange(it.request), ERROR_WINHTTP_CONNECTION_ERROR);
            CHECK(exchange(it.request));
        }
        trio_close(&it);
        server_end(&server);
    }
}

#define LATE "HTTP/1.1 408 Request Timeout\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlate"

TEST(test_pool__a_request_that_came_too_late_is_sent_again)
{
    struct trio it;
    char body[64];
    SERVER(server, {LATE, CLOSE}, {LATE, CLOSE}, {OK_HELLO, CLOSE}, {LATE, CLOSE}, {LATE, CLOSE}, {LATE, CLOSE});
    open_with_retries(&it, server.port, 1, 2, WINHTTP_CONNECTION_RETRY_CONDITION_408);
    CHECK(exchange(it.request));
    CHECK_EQ(status_of(it.request), 200);
    CHECK_EQ(read_body(it.request, body, sizeof(body)), 5);
    CHECK_EQ(server.connections, 3);
    trio_close(&it);
    /* So often and no more; without the option not at all. */
    open_with_retries(&it, server.port, 1, 1, 7);
    CHECK(exchange(it.request));
    CHECK_EQ(status_of(it.request), 408);
    CHECK_EQ(server.connections, 5);
    CHECK_EQ(read_body(it.request, body, sizeof(body)), 4);
    trio_close(&it);
    open_with_retries(&it, server.port, 0, 0, 0);
    CHECK(exchange(it.request));
    CHECK_EQ(status_of(it.request), 408);
    CHECK_EQ(server.connections, 6);
    trio_close(&it);
    server_end(&server);
}

/* A server that waits for the rest of a body would take the next request for it. */
TEST(test_pool__a_body_without_its_last_chunk_ends_the_connection)
{
    static const char *const bodies[] = {"5\r\nhel", "5\r\nhello\r\n0\r\n\r\n"};
    struct trio it;
    HINTERNET request;
    char body[64];
    int at;
    for (at = 0; at < 2; at++) {
        SERVER(cut, {OK_HELLO, KEEP}, {OK_HELLO, CLOSE});
        SERVER(whole, {OK_HELLO, KEEP}, {OK_HELLO, CLOSE});
        struct server *server = at ? &whole : &cut;
        trio_open(&it, server->port, W("POST"), W("/"), 0);
        /* The scripted server knows only the other spelling, and answers at once. */
        CHECK(WinHttpSendRequest(it.request, W("transfer-encoding: chunked"), (DWORD)-1, (void *)bodies[at],
                                 (DWORD)strlen(bodies[at]), (DWORD)strlen(bodies[at]), 0));
        CHECK(WinHttpReceiveResponse(it.request, NULL));
        CHECK_EQ(read_body(it.request, body, sizeof(body)), 5);
        request = open_request(&it);
        CHECK(exchange(request));
        CHECK(WinHttpCloseHandle(request));
        trio_close(&it);
        server_end(&cut);
        server_end(&whole);
        CHECK_EQ(server->connections, at ? 1 : 2);
    }
}

TEST(test_pool__errors_of_retries)
{
    struct trio it;
    HINTERNET session = WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0);
    DWORD pair[2] = {1, 1}, size = sizeof(pair);
    CHECK_FAILS(set_retries(session, 1, 8), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSetOption(session, WINHTTP_OPTION_FAILED_CONNECTION_RETRIES, pair, 4), ERROR_INSUFFICIENT_BUFFER);
    CHECK_FAILS(WinHttpQueryOption(session, WINHTTP_OPTION_FAILED_CONNECTION_RETRIES, pair, &size), ERROR_INVALID_PARAMETER);
    CHECK_WORKS(set_retries(session, 1, 7));
    CHECK(WinHttpCloseHandle(session));
    trio_open(&it, 80, NULL, NULL, 0);
    CHECK_FAILS(set_retries(it.session, 1, 7), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_FAILS(set_retries(it.connect, 1, 7), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(set_retries(it.request, 1, 7), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    trio_close(&it);
}

/* How many connections a handle tells of, by GUID (NULL: without a GUID). */
static DWORD group_count(HINTERNET handle, const GUID *wanted)
{
    static const GUID none;
    PWINHTTP_QUERY_CONNECTION_GROUP_RESULT result = NULL;
    DWORD count = 0, at;
    CHECK_EQ(WinHttpQueryConnectionGroup(handle, NULL, WINHTTP_QUERY_CONNECTION_GROUP_FLAG_INSECURE, &result), 0);
    REQUIRE(result != NULL);
    CHECK(result->cHosts <= 1);
    if (result->cHosts) {
        CHECK(result->pHostConnectionGroups->pwszHost[0] == '1');
        for (at = 0; at < result->pHostConnectionGroups->cConnectionGroups; at++)
            if (memcmp(&result->pHostConnectionGroups->pConnectionGroups[at].guidGroup, wanted ? wanted : &none, sizeof(none)) == 0)
                count += result->pHostConnectionGroups->pConnectionGroups[at].cConnections;
    }
    WinHttpFreeQueryConnectionGroupResult(result);
    return count;
}

static const GUID red = {1, 2, 3, {4, 5, 6, 7, 8, 9, 10, 11}}, blue = {2, 2, 3, {4, 5, 6, 7, 8, 9, 10, 11}};

static BOOL match(HINTERNET request, const GUID *guid, ULONGLONG flags)
{
    WINHTTP_MATCH_CONNECTION_GUID wanted;
    memset(&wanted, 0, sizeof(wanted));
    wanted.ConnectionGuid = *guid;
    wanted.ullFlags = flags;
    return WinHttpSetOption(request, WINHTTP_OPTION_MATCH_CONNECTION_GUID, &wanted, sizeof(wanted));
}

TEST(test_pool__connections_have_groups)
{
    struct trio it;
    HINTERNET second;
    GUID told;
    DWORD size = sizeof(told);
    char body[64];
    SERVER(server, {OK_HELLO, KEEP}, {OK_HELLO, KEEP});
    network_open(&it, W("127.0.0.1"), server.port, 0);
    CHECK_WORKS(set_number(it.session, WINHTTP_OPTION_DISABLE_GLOBAL_POOLING, TRUE));
    CHECK_EQ(group_count(it.connect, NULL), 0);
    CHECK_WORKS(WinHttpSetOption(it.request, WINHTTP_OPTION_CONNECTION_GUID, (void *)&red, sizeof(red)));
    CHECK(WinHttpQueryOption(it.request, WINHTTP_OPTION_CONNECTION_GUID, &told, &size));
    CHECK(memcmp(&told, &red, sizeof(red)) == 0);
    CHECK(exchange(it.request));
    CHECK_EQ(group_count(it.connect, &red), 1);
    CHECK_EQ(group_count(it.request, NULL), 0);
    /* While it is in use it can be moved. */
    CHECK_WORKS(WinHttpSetOption(it.request, WINHTTP_OPTION_CONNECTION_GUID, (void *)&blue, sizeof(blue)));
    CHECK_EQ(group_count(it.request, &blue), 1);
    CHECK_EQ(read_body(it.request, body, sizeof(body)), 5);
    CHECK_EQ(group_count(it.connect, &blue), 1);
    second = open_request(&it);
    network_told[0] = 0;
    CHECK_WORKS(match(second, &blue, 0));
    CHECK(exchange(second));
    CHECK_NETWORK("");
    CHECK_EQ(read_body(second, body, sizeof(body)), 5);
    CHECK_EQ(server.connections, 1);
    CHECK(WinHttpCloseHandle(second));
    trio_close(&it);
    server_end(&server);
}

TEST(test_pool__a_match_that_insists_makes_a_new_connection)
{
    struct trio it;
    PWINHTTP_QUERY_CONNECTION_GROUP_RESULT result = NULL;
    char body[64];
    SERVER(server, {OK_HELLO, HOLD}, {OK_HELLO, KEEP});
    network_open(&it, W("127.0.0.1"), server.port, 0);
    CHECK_WORKS(set_number(it.session, WINHTTP_OPTION_DISABLE_GLOBAL_POOLING, TRUE));
    CHECK(exchange(it.request));
    CHECK_EQ(read_body(it.request, body, sizeof(body)), 5);
    network_again(&it);
    CHECK_WORKS(match(it.request, &red, WINHTTP_MATCH_CONNECTION_GUID_FLAG_REQUIRE_MARKED_CONNECTION));
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK_HAS(network_told, "CONNECTING");
    CHECK_EQ(group_count(it.connect, NULL), 2);
    CHECK_EQ(WinHttpQueryConnectionGroup(it.connect, &red, 1, &result), 0);
    CHECK_EQ(result->cHosts, 0);
    WinHttpFreeQueryConnectionGroupResult(result);
    trio_close(&it);
    /* The connections of the session end with it, so the server comes to its second turn. */
    server_end(&server);
}

TEST(test_pool__errors_of_groups)
{
    struct trio it;
    GUID guid = red;
    DWORD size = 15;
    PWINHTTP_QUERY_CONNECTION_GROUP_RESULT result = NULL;
    trio_open(&it, 80, NULL, NULL, 0);
    CHECK_EQ(WinHttpQueryConnectionGroup(it.connect, NULL, 1, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpQueryConnectionGroup(it.connect, NULL, 2, &result), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpQueryConnectionGroup(NULL, NULL, 1, &result), ERROR_INVALID_HANDLE);
    CHECK_EQ(WinHttpQueryConnectionGroup(it.session, NULL, 1, &result), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK(result == NULL);
    SetLastError(0xdeadbeef);
    CHECK_EQ(WinHttpQueryConnectionGroup(it.request, NULL, 0, &result), 0);
    CHECK_EQ(GetLastError(), 0xdeadbeef);
    CHECK(result->cHosts == 0 && result->pHostConnectionGroups == NULL);
    WinHttpFreeQueryConnectionGroupResult(result);
    CHECK_EQ(WinHttpQueryConnectionGroup(it.connect, NULL, 0, &result), 0);
    CHECK_EQ(result->cHosts, 0);
    WinHttpFreeQueryConnectionGroupResult(result);
    WinHttpFreeQueryConnectionGroupResult(NULL);
#define GUID_OF(HANDLE, SIZE) WinHttpSetOption(HANDLE, WINHTTP_OPTION_CONNECTION_GUID, &guid, SIZE)
    CHECK_FAILS(GUID_OF(it.session, 16), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(GUID_OF(it.connect, 16), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(GUID_OF(it.request, 15), ERROR_INSUFFICIENT_BUFFER);
    CHECK_FAILS(WinHttpQueryOption(it.request, WINHTTP_OPTION_CONNECTION_GUID, &guid, &size), ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(size, 16);
    CHECK_FAILS(WinHttpQueryOption(it.session, WINHTTP_OPTION_CONNECTION_GUID, &guid, &size), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(match(it.session, &red, 0), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(match(it.request, &red, 2), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_MATCH_CONNECTION_GUID, &guid, 16), ERROR_INSUFFICIENT_BUFFER);
    CHECK_FAILS(WinHttpQueryOption(it.request, WINHTTP_OPTION_MATCH_CONNECTION_GUID, &guid, &size), ERROR_INVALID_PARAMETER);
    trio_close(&it);
}

TEST(test_pool__connections_are_opened_ahead)
{
    struct trio it;
    int patience = 1000, port, listener = listen_at(AF_INET, 16, &port), peer;
    char text[4096];
    network_open(&it, W("127.0.0.1"), port, 0);
    CHECK_WORKS(set_number(it.session, WINHTTP_OPTION_BACKGROUND_CONNECTIONS, 3));
    network_again(&it);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    while (group_count(it.connect, NULL) < 3 && patience--)
        Sleep(10);
    CHECK_EQ(group_count(it.connect, NULL), 3);
    /* Nobody is told of the others. */
    CHECK_NETWORK("RESOLVING(127.0.0.1) RESOLVED(127.0.0.1) CONNECTING(127.0.0.1) CONNECTED(127.0.0.1)");
    /* All three have come; the request is on one of them. */
    for (patience = 0; patience < 3; patience++) {
        struct pollfd wait = {0, POLLIN, 0};
        peer = wait.fd = (int)accept(listener, NULL, NULL);
        REQUIRE(peer >= 0);
        if (poll(&wait, 1, 50) == 1) {
            CHECK(recv(peer, text, sizeof(text), 0) > 0);
            CHECK(send(peer, OK_HELLO, strlen(OK_HELLO), MSG_NOSIGNAL) > 0);
            CHECK(WinHttpReceiveResponse(it.request, NULL));
        }
    }
    CHECK_EQ(status_of(it.request), 200);
    trio_close(&it);
    close(listener);
}

TEST(test_pool__the_first_connection_that_is_free)
{
    struct trio it;
    HINTERNET second;
    DWORD_PTR first_context = 31, second_context = 32;
    int port, peer, count = 0, held[16], listener = listen_at(AF_INET, 0, &port);
    char text[4096];
    BOOL yes = TRUE;
    struct sockaddr_in address;
    struct pollfd wait;
    notes_clear(NULL);
    trio_open(&it, port, NULL, NULL, WINHTTP_FLAG_ASYNC);
    CHECK_WORKS(WinHttpSetOption(it.session, WINHTTP_OPTION_FIRST_AVAILABLE_CONNECTION, &yes, sizeof(yes)));
    second = open_request(&it);
    WinHttpSetStatusCallback(it.request, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
    WinHttpSetStatusCallback(second, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, first_context));
    peer = (int)accept(listener, NULL, NULL);
    REQUIRE(peer >= 0);
    /* From now on nobody can connect. */
    client_address(&address, port);
    do {
        wait.fd = held[count++] = (int)socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        wait.events = POLLOUT;
        connect(wait.fd, (struct sockaddr *)&address, sizeof(address));
    } while (count < 16 && poll(&wait, 1, 200) == 1);
    CHECK(note_wait(first_context, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK(WinHttpSendRequest(second, NULL, 0, NULL, 0, 0, second_context));
    CHECK(note_wait(second_context, WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER, 1));
    CHECK(recv(peer, text, sizeof(text), 0) > 0);
    CHECK(send(peer, OK_HELLO, strlen(OK_HELLO), MSG_NOSIGNAL) > 0);
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK(note_wait(first_context, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1));
    CHECK(WinHttpReadData(it.request, text, sizeof(text), NULL));
    CHECK(note_wait(second_context, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK_EQ(note_find(second_context, WINHTTP_CALLBACK_STATUS_CONNECTED_TO_SERVER), 0);
    CHECK(recv(peer, text, sizeof(text), 0) > 0);
    CHECK(note_wait(first_context, WINHTTP_CALLBACK_STATUS_READ_COMPLETE, 1));
    CHECK(WinHttpCloseHandle(second));
    CHECK(note_wait(second_context, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1));
    trio_close_async(&it, first_context);
    while (count)
        close(held[--count]);
    close(peer);
    close(listener);
}

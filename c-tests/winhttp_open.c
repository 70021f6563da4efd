/* Opening handles, their kinds and inheritance, callbacks, time limits, options. */
#include "winhttp_server.h"

TEST(test_open__handles_and_their_errors)
{
    HINTERNET session, connect, request;
    const WCHAR *accept[] = {W("text/html"), W("*/*"), NULL};
    CHECK_WORKS(WinHttpCheckPlatform());
    CHECK_FAILS(WinHttpOpen(NULL, 2, NULL, NULL, 0), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_NAMED_PROXY, NULL, NULL, 0), ERROR_INVALID_PARAMETER);
    CHECK_WORKS(session = WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_DEFAULT_PROXY, W("ignored"), NULL, 0));
    CHECK_FAILS(WinHttpConnect(session, NULL, 80, 0), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpConnect(NULL, W("a"), 80, 0), ERROR_INVALID_HANDLE);
    CHECK_FAILS(WinHttpConnect(session, W("http://a"), 80, 0), ERROR_WINHTTP_INVALID_URL);
    CHECK_FAILS(WinHttpConnect(session, W("a b"), 80, 0), ERROR_WINHTTP_INVALID_URL);
    CHECK_FAILS(WinHttpConnect(session, W("a:80"), 80, 0), ERROR_WINHTTP_INVALID_URL);
    CHECK_FAILS(WinHttpConnect(session, W("http:"), 80, 0), ERROR_WINHTTP_INVALID_URL);
    CHECK_FAILS(WinHttpConnect(session, W(""), 80, 0), ERROR_WINHTTP_INVALID_URL);
    CHECK_FAILS(WinHttpConnect(session, W("a"), 80, 1), ERROR_INVALID_PARAMETER);
    CHECK_WORKS(connect = WinHttpConnect(session, W("a"), 0, 0));
    CHECK_FAILS(WinHttpConnect(connect, W("a"), 80, 0), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpOpenRequest(session, NULL, NULL, NULL, NULL, NULL, 0), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpOpenRequest(connect, W("G T"), NULL, NULL, NULL, NULL, 0), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpOpenRequest(connect, NULL, NULL, NULL, NULL, NULL, 0x400), ERROR_INVALID_PARAMETER);
    CHECK_WORKS(request = WinHttpOpenRequest(connect, NULL, NULL, NULL, W("http://r/"), accept, WINHTTP_FLAG_REFRESH));
    CHECK_FAILS(WinHttpCloseHandle(NULL), ERROR_INVALID_HANDLE);
    CHECK_FAILS(WinHttpCloseHandle((HINTERNET)0xdeadbeef), ERROR_INVALID_HANDLE);
    CHECK_WORKS(WinHttpCloseHandle(session));
    CHECK_FAILS(WinHttpCloseHandle(session), ERROR_INVALID_HANDLE);
    CHECK_WORKS(WinHttpCloseHandle(connect));
    CHECK_WORKS(WinHttpCloseHandle(request));
}

/* Every function on every handle that it does not take: closed, made up, of another kind. */
TEST(test_open__wrong_handles)
{
    struct trio it;
    HINTERNET bad[3];
    WCHAR text[8];
    DWORD size = sizeof(text), number = 0;
    size_t at;
    trio_open(&it, 80, NULL, NULL, 0);
    bad[0] = NULL;
    bad[1] = (HINTERNET)0xdeadbeef;
    bad[2] = WinHttpConnect(it.session, W("a"), 80, 0);
    CHECK(WinHttpCloseHandle(bad[2]));
    for (at = 0; at < COUNT(bad); at++) {
        CHECK_FAILS(WinHttpConnect(bad[at], W("a"), 80, 0), ERROR_INVALID_HANDLE);
        CHECK_FAILS(WinHttpOpenRequest(bad[at], NULL, NULL, NULL, NULL, NULL, 0), ERROR_INVALID_HANDLE);
        CHECK_FAILS(WinHttpAddRequestHeaders(bad[at], W("a: b"), (DWORD)-1, WINHTTP_ADDREQ_FLAG_ADD), ERROR_INVALID_HANDLE);
        CHECK_FAILS(WinHttpSendRequest(bad[at], NULL, 0, NULL, 0, 0, 0), ERROR_INVALID_HANDLE);
        CHECK_FAILS(WinHttpReceiveResponse(bad[at], NULL), ERROR_INVALID_HANDLE);
        CHECK_FAILS(WinHttpQueryHeaders(bad[at], WINHTTP_QUERY_VERSION, NULL, text, &size, NULL), ERROR_INVALID_HANDLE);
        CHECK_FAILS(WinHttpQueryDataAvailable(bad[at], &number), ERROR_INVALID_HANDLE);
        CHECK_FAILS(WinHttpReadData(bad[at], text, 1, &number), ERROR_INVALID_HANDLE);
        CHECK_FAILS(WinHttpWriteData(bad[at], text, 1, &number), ERROR_INVALID_HANDLE);
        CHECK_FAILS(WinHttpSetTimeouts(bad[at], 0, 0, 0, 0), ERROR_INVALID_HANDLE);
        CHECK_FAILS(WinHttpQueryOption(bad[at], WINHTTP_OPTION_HANDLE_TYPE, &number, &size), ERROR_INVALID_HANDLE);
        CHECK_FAILS(WinHttpSetOption(bad[at], WINHTTP_OPTION_REDIRECT_POLICY, &number, 4), ERROR_INVALID_HANDLE);
        CHECK_FAILS(WinHttpSetStatusCallback(bad[at], NULL, 0, 0) != WINHTTP_INVALID_STATUS_CALLBACK, ERROR_INVALID_HANDLE);
        CHECK_FAILS(WinHttpCloseHandle(bad[at]), ERROR_INVALID_HANDLE);
    }
    bad[0] = it.session;
    bad[1] = it.connect;
    for (at = 0; at < 2; at++) {
        CHECK_FAILS(WinHttpAddRequestHeaders(bad[at], W("a: b"), (DWORD)-1, WINHTTP_ADDREQ_FLAG_ADD),
                    ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        CHECK_FAILS(WinHttpSendRequest(bad[at], NULL, 0, NULL, 0, 0, 0), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        CHECK_FAILS(WinHttpReceiveResponse(bad[at], NULL), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        CHECK_FAILS(WinHttpQueryHeaders(bad[at], WINHTTP_QUERY_VERSION, NULL, text, &size, NULL), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        CHECK_FAILS(WinHttpQueryDataAvailable(bad[at], &number), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        CHECK_FAILS(WinHttpReadData(bad[at], text, 1, &number), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        CHECK_FAILS(WinHttpWriteData(bad[at], text, 1, &number), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    }
    CHECK_FAILS(WinHttpConnect(it.request, W("a"), 80, 0), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpOpenRequest(it.request, NULL, NULL, NULL, NULL, NULL, 0), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    trio_close(&it);
}

TEST(test_open__sessions_and_servers)
{
    static const DWORD flags[] = {1, 0x100, 0x08000000, 0x20000000, 0x40000000, 0x10000001};
    static const struct {
        const WCHAR *name;
        INTERNET_PORT port;
        DWORD flags;
        const char *url;
    } rows[] = {
        {W("host"), 0, 0, "http://host/"}, {W("host"), 0, WINHTTP_FLAG_SECURE, "https://host/"},
        {W("host"), 443, 0, "http://host:443/"}, {W("host"), 80, WINHTTP_FLAG_SECURE, "https://host:80/"},
        {W("::1"), 81, 0, "http://[::1]:81/"}, {W("[::1]"), 81, 0, "http://[::1]:81/"}, {W("10.0.1.45"), 80, 0, "http://10.0.1.45/"},
        {W("fe80::1%lo"), 80, 0, "http://[fe80::1%lo]/"},
    };
    HINTERNET session, connect, request;
    size_t at;
    for (at = 0; at < COUNT(flags); at++)
        CHECK_FAILS(WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, flags[at]), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpOpen(NULL, 5, NULL, NULL, 0), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_NAMED_PROXY, W(""), NULL, 0), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpOpen(W("a\r\nb: c"), WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0), ERROR_INVALID_PARAMETER);
    CHECK_WORKS(session = WinHttpOpen(W(""), WINHTTP_ACCESS_TYPE_NAMED_PROXY, W("proxy"), W(""), 0));
    CHECK_WORKS(WinHttpCloseHandle(session));
    CHECK_WORKS(session = WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_NO_PROXY, W("ignored"), W("ignored"), 0));
    for (at = 0; at < COUNT(rows); at++) {
        WCHAR url[64];
        DWORD size = sizeof(url), length;
        CHECK_WORKS(connect = WinHttpConnect(session, rows[at].name, rows[at].port, 0));
        CHECK_WORKS(request = WinHttpOpenRequest(connect, NULL, NULL, NULL, NULL, NULL, rows[at].flags));
        CHECK_WORKS(WinHttpQueryOption(request, WINHTTP_OPTION_URL, url, &size));
        CHECK_EQ(size, 2 * strlen(rows[at].url));
        for (length = 0; length < size / 2 && url[length] == (WCHAR)rows[at].url[length]; length++)
            ;
        CHECK_EQ(length, strlen(rows[at].url));
        CHECK(WinHttpCloseHandle(request) && WinHttpCloseHandle(connect));
    }
    CHECK_WORKS(WinHttpCloseHandle(session));
}

/* A handle does not need its parents to be open. */
TEST(test_open__children_stay)
{
    struct trio it;
    DWORD_PTR context = 5;
    DWORD size = sizeof(context);
    HINTERNET second;
    SERVER(server, {OK_HELLO, KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK_WORKS(WinHttpSetOption(it.connect, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
    CHECK_WORKS(WinHttpCloseHandle(it.session));
    CHECK_WORKS(second = WinHttpOpenRequest(it.connect, NULL, NULL, NULL, NULL, NULL, 0));
    CHECK_WORKS(WinHttpCloseHandle(it.connect));
    context = 0;
    CHECK_WORKS(WinHttpQueryOption(second, WINHTTP_OPTION_CONTEXT_VALUE, &context, &size));
    CHECK_EQ(context, 5);
    CHECK(exchange(second));
    CHECK_WORKS(WinHttpCloseHandle(second));
    CHECK_WORKS(WinHttpCloseHandle(it.request));
    server_end(&server);
}

TEST(test_open__notifications_of_handles)
{
    HINTERNET session, connect, request;
    DWORD_PTR context = 1, second = 2;
    WINHTTP_STATUS_CALLBACK callback = NULL;
    DWORD size = sizeof(callback);
    notes_clear(NULL);
    session = WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0);
    CHECK(WinHttpSetStatusCallback(NULL, record, 0, 0) == WINHTTP_INVALID_STATUS_CALLBACK);
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
    CHECK_WORKS(WinHttpSetStatusCallback(session, record, WINHTTP_CALLBACK_FLAG_HANDLES, 0) == NULL);
    CHECK_WORKS(WinHttpSetStatusCallback(session, record, WINHTTP_CALLBACK_FLAG_HANDLES, 0) == record);
    CHECK_WORKS(WinHttpSetOption(session, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
    connect = WinHttpConnect(session, W("a"), 80, 0);
    CHECK_TOLD(1, "CREATED A");
    CHECK(notes[0].handle == session && notes[0].length == sizeof(HINTERNET));
    CHECK(WinHttpQueryOption(connect, WINHTTP_OPTION_CALLBACK, &callback, &size));
    CHECK(callback == record);
    CHECK(WinHttpSetOption(connect, WINHTTP_OPTION_CONTEXT_VALUE, &second, sizeof(second)));
    request = WinHttpOpenRequest(connect, NULL, NULL, NULL, NULL, NULL, 0);
    CHECK(notes[1].handle == request && notes[1].context == 2);
    CHECK(WinHttpCloseHandle(session));
    CHECK(WinHttpCloseHandle(request));
    CHECK(WinHttpCloseHandle(connect));
    CHECK_TOLD(1, "CREATED A, CLOSING A");
    CHECK_TOLD(2, "CREATED A, CLOSING A, CLOSING A");
}

static DWORD number_of(HINTERNET handle, DWORD option)
{
    DWORD number = 0xabcd, size = sizeof(number);
    CHECK(WinHttpQueryOption(handle, option, &number, &size));
    CHECK_EQ(size, sizeof(number));
    return number;
}

TEST(test_open__time_limits)
{
    struct trio it;
    DWORD number;
    trio_open(&it, 80, NULL, NULL, 0);
    CHECK_EQ(number_of(it.session, WINHTTP_OPTION_RESOLVE_TIMEOUT), 0);
    CHECK_EQ(number_of(it.request, WINHTTP_OPTION_CONNECT_TIMEOUT), 60000);
    CHECK_EQ(number_of(it.connect, WINHTTP_OPTION_SEND_TIMEOUT), 30000);
    CHECK_EQ(number_of(it.request, WINHTTP_OPTION_RECEIVE_TIMEOUT), 30000);
    CHECK_EQ(number_of(it.request, WINHTTP_OPTION_RECEIVE_RESPONSE_TIMEOUT), 0xFFFFFFFF);
    CHECK_FAILS(WinHttpSetTimeouts(it.connect, -2, 0, 0, 0), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSetTimeouts(it.session, 0, -2, 0, 0), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSetTimeouts(it.request, 0, 0, -2, 0), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSetTimeouts(it.request, 0, 0, 0, -2147483647), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSetTimeouts(it.connect, 1, 2, 3, 4), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpSetTimeouts(NULL, 1, 2, 3, 4), ERROR_INVALID_HANDLE);
    CHECK_WORKS(WinHttpSetTimeouts(it.session, 1, 2, -1, 4));
    /* Seen through the connect that is there, not in the request that is there. */
    CHECK_EQ(number_of(it.connect, WINHTTP_OPTION_SEND_TIMEOUT), 0xFFFFFFFF);
    CHECK_EQ(number_of(it.request, WINHTTP_OPTION_RESOLVE_TIMEOUT), 0);
    CHECK(WinHttpCloseHandle(it.request));
    it.request = WinHttpOpenRequest(it.connect, NULL, NULL, NULL, NULL, NULL, 0);
    CHECK_EQ(number_of(it.request, WINHTTP_OPTION_RECEIVE_TIMEOUT), 4);
    number = 48879;
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_RECEIVE_TIMEOUT, &number, sizeof(number)));
    number = 48878;
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_RECEIVE_RESPONSE_TIMEOUT, &number, sizeof(number)));
    CHECK_EQ(number_of(it.request, WINHTTP_OPTION_RECEIVE_RESPONSE_TIMEOUT), 48879);
    CHECK_FAILS(WinHttpSetOption(it.connect, WINHTTP_OPTION_SEND_TIMEOUT, &number, sizeof(number)),
                ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_EQ(number_of(it.session, WINHTTP_OPTION_RECEIVE_TIMEOUT), 4);
    trio_close(&it);
}

TEST(test_open__query_option_protocol)
{
    struct trio it;
    DWORD number = 5, size;
    WCHAR text[32];
    trio_open(&it, 8080, NULL, W("x"), 0);
    CHECK_FAILS(WinHttpQueryOption(it.session, WINHTTP_OPTION_HANDLE_TYPE, &number, NULL), ERROR_INVALID_PARAMETER);
    size = 0;
    CHECK_FAILS(WinHttpQueryOption(it.session, WINHTTP_OPTION_HANDLE_TYPE, NULL, &size), ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(size, 4);
    size = 3;
    CHECK_FAILS(WinHttpQueryOption(it.session, WINHTTP_OPTION_HANDLE_TYPE, &number, &size), ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(size, 4);
    size = 60;
    CHECK_WORKS(WinHttpQueryOption(it.session, WINHTTP_OPTION_USER_AGENT, text, &size));
    CHECK_EQ(size, 8);
    CHECK(text[0] == 't' && text[4] == 0);
    size = 8;
    CHECK_FAILS(WinHttpQueryOption(it.session, WINHTTP_OPTION_USER_AGENT, text, &size), ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(size, 10);
    size = 0;
    CHECK_FAILS(WinHttpQueryOption(it.request, WINHTTP_OPTION_URL, NULL, &size), ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(size, 2 * (strlen("http://127.0.0.1:8080/x") + 1));
    CHECK_FAILS(WinHttpQueryOption(it.session, WINHTTP_OPTION_URL, NULL, &size), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_EQ(number_of(it.session, WINHTTP_OPTION_HANDLE_TYPE), WINHTTP_HANDLE_TYPE_SESSION);
    CHECK_EQ(number_of(it.connect, WINHTTP_OPTION_HANDLE_TYPE), WINHTTP_HANDLE_TYPE_CONNECT);
    CHECK_EQ(number_of(it.request, WINHTTP_OPTION_HANDLE_TYPE), WINHTTP_HANDLE_TYPE_REQUEST);
    size = 4;
    CHECK_FAILS(WinHttpQueryOption(it.session, 0, &number, &size), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpQueryOption(it.session, 0xFFFF, &number, &size), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpQueryOption(it.request, WINHTTP_OPTION_DISABLE_FEATURE, &number, &size), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpQueryOption(it.request, WINHTTP_OPTION_ENABLE_FEATURE, &number, &size), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpQueryOption((HINTERNET)0xdeadbeef, WINHTTP_OPTION_HANDLE_TYPE, NULL, NULL), ERROR_INVALID_HANDLE);
    {
        HINTERNET parent = NULL;
        WINHTTP_CONNECTION_INFO info;
        size = sizeof(parent);
        CHECK(WinHttpQueryOption(it.request, WINHTTP_OPTION_PARENT_HANDLE, &parent, &size));
        CHECK(parent == it.connect);
        CHECK(WinHttpQueryOption(it.connect, WINHTTP_OPTION_PARENT_HANDLE, &parent, &size));
        CHECK(parent == it.session);
        memset(&info, 0, sizeof(info));
        info.cbSize = size = sizeof(info);
        CHECK_FAILS(WinHttpQueryOption(it.request, WINHTTP_OPTION_CONNECTION_INFO, &info, &size),
                    ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    }
    trio_close(&it);
}

TEST(test_open__set_option_protocol)
{
    struct trio it;
    DWORD number = 2, size;
    DWORD_PTR context = 9;
    static const DWORD of_requests[] = {WINHTTP_OPTION_DISABLE_FEATURE, WINHTTP_OPTION_SECURITY_FLAGS};
    size_t at;
    trio_open(&it, 80, NULL, NULL, 0);
    CHECK_FAILS(WinHttpSetOption(it.session, 0xFFFF, &number, 4), ERROR_WINHTTP_INVALID_OPTION);
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_HANDLE_TYPE, &number, 4), ERROR_WINHTTP_OPTION_NOT_SETTABLE);
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_REDIRECT_POLICY, NULL, 4), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_REDIRECT_POLICY, &number, 3), ERROR_INSUFFICIENT_BUFFER);
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_REDIRECT_POLICY, &number, 5), ERROR_INSUFFICIENT_BUFFER);
    CHECK_WORKS(WinHttpSetOption(it.session, WINHTTP_OPTION_REDIRECT_POLICY, &number, 4));
    CHECK_EQ(number_of(it.session, WINHTTP_OPTION_REDIRECT_POLICY), 2);
    CHECK_EQ(number_of(it.request, WINHTTP_OPTION_REDIRECT_POLICY), 1);
    number = 3;
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_REDIRECT_POLICY, &number, 4), ERROR_INVALID_PARAMETER);
    for (at = 0; at < COUNT(of_requests); at++) {
        number = 0;
        CHECK_FAILS(WinHttpSetOption(it.session, of_requests[at], &number, 4), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        CHECK_FAILS(WinHttpSetOption(it.connect, of_requests[at], &number, 4), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        CHECK_WORKS(WinHttpSetOption(it.request, of_requests[at], &number, 4));
    }
    number = 0xFFFFFFFF;
    CHECK_WORKS(WinHttpSetOption(it.request, WINHTTP_OPTION_DISABLE_FEATURE, &number, 4));
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_SECURITY_FLAGS, &number, 4), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_ENABLE_FEATURE, NULL, 0), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_CLIENT_CERT_CONTEXT, NULL, 0),
                ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_CONTEXT_VALUE, &context, 4), ERROR_INSUFFICIENT_BUFFER);
    CHECK_WORKS(WinHttpSetOption(it.session, WINHTTP_OPTION_USER_AGENT, (void *)W("other"), 5));
    size = 0;
    CHECK_FAILS(WinHttpQueryOption(it.session, WINHTTP_OPTION_USER_AGENT, NULL, &size), ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(size, 12);
    trio_close(&it);
}

TEST(test_open__unload_event_and_connection_limit)
{
    struct trio it;
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL), none = NULL;
    DWORD number = WINHTTP_CONNS_PER_SERVER_UNLIMITED;
    trio_open(&it, 80, NULL, NULL, WINHTTP_FLAG_ASYNC);
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_UNLOAD_NOTIFY_EVENT, &event, sizeof(event)),
                ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_WORKS(WinHttpSetOption(it.session, WINHTTP_OPTION_UNLOAD_NOTIFY_EVENT, &none, sizeof(none)));
    CHECK_WORKS(WinHttpSetOption(it.session, WINHTTP_OPTION_UNLOAD_NOTIFY_EVENT, &event, sizeof(event)));
    CHECK_WORKS(WinHttpSetOption(it.session, WINHTTP_OPTION_MAX_CONNS_PER_SERVER, &number, sizeof(number)));
    CHECK_EQ(number_of(it.session, WINHTTP_OPTION_MAX_CONNS_PER_SERVER), WINHTTP_CONNS_PER_SERVER_UNLIMITED);
    CHECK(WinHttpCloseHandle(it.session));
    CHECK(WinHttpCloseHandle(it.connect));
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    CHECK(WinHttpCloseHandle(it.request));
    CHECK_EQ(WaitForSingleObject(event, 10000), WAIT_OBJECT_0);
    CloseHandle(event);
}

TEST(test_open__connection_info)
{
    struct trio it;
    WINHTTP_CONNECTION_INFO info;
    DWORD size = sizeof(info);
    SERVER(server, {OK_HELLO, KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(exchange(it.request));
    info.cbSize = 4;
    CHECK_FAILS(WinHttpQueryOption(it.request, WINHTTP_OPTION_CONNECTION_INFO, &info, &size), ERROR_INVALID_PARAMETER);
    info.cbSize = sizeof(info) - 4; /* as Windows 7 has it */
    CHECK_WORKS(WinHttpQueryOption(it.request, WINHTTP_OPTION_CONNECTION_INFO, &info, &size));
    size = sizeof(info) - 1;
    CHECK_FAILS(WinHttpQueryOption(it.request, WINHTTP_OPTION_CONNECTION_INFO, &info, &size), ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(size, sizeof(info));
    info.cbSize = sizeof(info);
    CHECK_WORKS(WinHttpQueryOption(it.request, WINHTTP_OPTION_CONNECTION_INFO, &info, &size));
    CHECK_EQ(ntohs(((struct sockaddr_in *)&info.RemoteAddress)->sin_port), server.port);
    CHECK_EQ(((struct sockaddr_in *)&info.LocalAddress)->sin_family, AF_INET);
    trio_close(&it);
    server_end(&server);
}

#ifndef __MINGW32__ /* its headers do not know these yet */
TEST(test_open__newer_options)
{
    struct trio it, other;
    DWORD number = WINHTTP_FEATURE_READ_DATA_EX, size = sizeof(number), yes = TRUE;
    SERVER(server, {OK_HELLO, KEEP}, {OK_HELLO, CLOSE}, {OK_HELLO, KEEP});
    CHECK(WinHttpQueryOption(NULL, WINHTTP_OPTION_FEATURE_SUPPORTED, &number, &size));
    CHECK_EQ(number, TRUE);
    number = WINHTTP_FEATURE_QUIC_STATS;
    CHECK(WinHttpQueryOption(NULL, WINHTTP_OPTION_FEATURE_SUPPORTED, &number, &size));
    CHECK_EQ(number, FALSE);
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_EXPIRE_CONNECTION, NULL, 0),
                ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK(exchange(it.request));
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_EXPIRE_CONNECTION, NULL, 0));
    CHECK(exchange(it.request));
    trio_open(&other, server.port, NULL, NULL, 0);
    CHECK(WinHttpSetOption(other.session, WINHTTP_OPTION_DISABLE_GLOBAL_POOLING, &yes, sizeof(yes)));
    CHECK(exchange(other.request));
    trio_close(&other);
    trio_close(&it);
    server_end(&server);
}
#endif

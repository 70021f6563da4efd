/* Making connections: the race of addresses, time limits, cancelling, what the sockets are told, errors of all the
 * options about it.
 * gate: not-mingw (overrides are an addition of this library), gate: thread */
#define _GNU_SOURCE
#include "winhttp_network.h"
#include <net/if.h>

/* The socket error is the request's: any thread can ask, another request has none, and the next exchange begins anew. */
TEST(test_connect__the_socket_error_of_a_request)
{
    struct trio it, other;
    DWORD_PTR context = 4;
    SERVER(server, {NULL, RESET}, {OK_HELLO, KEEP});
    notes_clear(NULL);
    trio_open(&it, server.port, NULL, NULL, WINHTTP_FLAG_ASYNC);
    trio_open(&other, refusing_port(), NULL, NULL, 0);
    CHECK(WinHttpSetStatusCallback(it.request, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == NULL);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
    CHECK_EQ(get_number(it.request, WINHTTP_OPTION_EXTENDED_ERROR), 0);
    CHECK_FAILS(exchange(other.request), ERROR_WINHTTP_CANNOT_CONNECT);
    CHECK_EQ(get_number(it.request, WINHTTP_OPTION_EXTENDED_ERROR), 0);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK(note_wait(4, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK(note_wait(4, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, 1));
    CHECK_EQ(get_number(it.request, WINHTTP_OPTION_EXTENDED_ERROR), 10054);
    CHECK_EQ(get_number(other.request, WINHTTP_OPTION_EXTENDED_ERROR), 10061);
    /* The process and a session answer for the thread. */
    CHECK_EQ(get_number(NULL, WINHTTP_OPTION_EXTENDED_ERROR), 10061);
    CHECK_EQ(get_number(it.session, WINHTTP_OPTION_EXTENDED_ERROR), 10061);
    /* What is no error of sockets leaves it alone; a new exchange does not. */
    CHECK_FAILS(WinHttpReceiveResponse(other.request, NULL), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_EQ(get_number(other.request, WINHTTP_OPTION_EXTENDED_ERROR), 10061);
    while (!WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0))
        Sleep(1);
    CHECK(note_wait(4, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 2));
    CHECK_EQ(get_number(it.request, WINHTTP_OPTION_EXTENDED_ERROR), 0);
    trio_close_async(&it, 4);
    trio_close(&other);
    server_end(&server);
}

TEST(test_connect__a_refused_port)
{
    struct trio it;
    DWORD since = GetTickCount();
    int port = refusing_port();
    char address[64];
    network_open(&it, W("127.0.0.1"), port, 0);
    CHECK_FAILS(exchange(it.request), ERROR_WINHTTP_CANNOT_CONNECT);
    CHECK(GetTickCount() - since < 5000);
    CHECK_EQ(get_number(NULL, WINHTTP_OPTION_EXTENDED_ERROR), 10061);
    CHECK_EQ(get_number(it.session, WINHTTP_OPTION_EXTENDED_ERROR), 10061);
    CHECK_EQ(get_number(it.request, WINHTTP_OPTION_EXTENDED_ERROR), 10061);
    CHECK_NETWORK("RESOLVING(127.0.0.1) RESOLVED(127.0.0.1) CONNECTING(127.0.0.1)");
    trio_close(&it);
    /* Every address is told of. */
    network_open(&it, W("localhost"), port, 0);
    CHECK_FAILS(exchange(it.request), ERROR_WINHTTP_CANNOT_CONNECT);
    sprintf(address, "127.0.0.1:%d", port);
    CHECK_HAS(nthttp_last_error_message(), address);
    sprintf(address, "[::1]:%d", port);
    CHECK_HAS(nthttp_last_error_message(), address);
    trio_close(&it);
}

TEST(test_connect__nobody_answers)
{
    struct trio it;
    struct hole hole;
    DWORD since = GetTickCount();
    REQUIRE(hole_open(&hole, AF_INET));
    network_open(&it, W("127.0.0.1"), hole.port, 0);
    CHECK(set_number(it.request, WINHTTP_OPTION_CONNECT_TIMEOUT, 100));
    CHECK_FAILS(exchange(it.request), ERROR_WINHTTP_TIMEOUT);
    CHECK(GetTickCount() - since >= 100);
    CHECK_EQ(get_number(NULL, WINHTTP_OPTION_EXTENDED_ERROR), 10060);
    CHECK_NETWORK("RESOLVING(127.0.0.1) RESOLVED(127.0.0.1) CONNECTING(127.0.0.1)");
    trio_close(&it);
    hole_close(&hole);
}

TEST(test_connect__a_silent_address_is_overtaken)
{
    struct trio it;
    struct hole hole;
    char hosts[128];
    DWORD since;
    SERVER(server, {OK_HELLO, CLOSE});
    REQUIRE(hole_open(&hole, AF_INET));
    sprintf(hosts, "race.example=127.0.0.1:%d race.example=127.0.0.1:%d", hole.port, server.port);
    network_open(&it, W("race.example"), 80, 0);
    CHECK(set_text(it.request, NTHTTP_OPTION_HOST_OVERRIDE, hosts));
    since = GetTickCount();
    CHECK(exchange(it.request));
    CHECK(GetTickCount() - since >= 200);
    CHECK(GetTickCount() - since < 30000);
    CHECK_NETWORK("RESOLVING(race.example) RESOLVED(127.0.0.1) CONNECTING(127.0.0.1) CONNECTING(127.0.0.1) CONNECTED(127.0.0.1)");
    /* Only so many are tried, and what one answered decides what the failure is called. */
    trio_close(&it);
    network_open(&it, W("race.example"), 81, 0);
    CHECK(set_text(it.request, NTHTTP_OPTION_HOST_OVERRIDE, hosts));
    CHECK(set_number(it.request, WINHTTP_OPTION_CONNECT_RETRIES, 1));
    CHECK(set_number(it.request, WINHTTP_OPTION_CONNECT_TIMEOUT, 50));
    CHECK_FAILS(exchange(it.request), ERROR_WINHTTP_TIMEOUT);
    sprintf(hosts, "race.example=127.0.0.1:%d race.example=127.0.0.1:%d", hole.port, refusing_port());
    CHECK(set_text(it.request, NTHTTP_OPTION_HOST_OVERRIDE, hosts));
    CHECK(set_number(it.request, WINHTTP_OPTION_CONNECT_RETRIES, 5));
    CHECK_FAILS(exchange(it.request), ERROR_WINHTTP_CANNOT_CONNECT);
    CHECK_HAS(nthttp_last_error_message(), "no answer from");
    trio_close(&it);
    hole_close(&hole);
    server_end(&server);
}

TEST(test_connect__fast_fallback_from_the_newer_family)
{
    struct trio it;
    struct hole hole;
    char hosts[128];
    BOOL yes = TRUE;
    SERVER(server, {OK_HELLO, CLOSE});
    if (!hole_open(&hole, AF_INET6)) {
        printf("this machine has no ::1\n");
        server_end(&server);
        return;
    }
    sprintf(hosts, "fast.example=127.0.0.1:%d fast.example=[::1]:%d", server.port, hole.port);
    network_open(&it, W("fast.example"), 80, 0);
    CHECK_WORKS(WinHttpSetOption(it.session, WINHTTP_OPTION_IPV6_FAST_FALLBACK, &yes, sizeof(yes)));
    CHECK(set_text(it.session, NTHTTP_OPTION_HOST_OVERRIDE, hosts));
    network_again(&it);
    CHECK(exchange(it.request));
    CHECK_NETWORK("RESOLVING(fast.example) RESOLVED(127.0.0.1) CONNECTING(::1) CONNECTING(127.0.0.1) CONNECTED(127.0.0.1)");
    trio_close(&it);
    hole_close(&hole);
    server_end(&server);
}

static void close_inside(const struct note *note)
{
    if (note->status == WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER)
        WinHttpCloseHandle(note->handle);
}

TEST(test_connect__closing_ends_the_race)
{
    struct trio it;
    struct hole hole;
    DWORD_PTR context = 7;
    DWORD since = GetTickCount();
    REQUIRE(hole_open(&hole, AF_INET));
    notes_clear(NULL);
    trio_open(&it, hole.port, NULL, NULL, WINHTTP_FLAG_ASYNC);
    WinHttpSetStatusCallback(it.request, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, context));
    CHECK(note_wait(context, WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER, 1));
    trio_close_async(&it, context);
    CHECK_TOLD_SOMEWHERE(context, "RESOLVING, RESOLVED, CONNECTING, ERROR(5,12017), CLOSING");
    /* The same from the callback of a synchronous request. */
    notes_clear(close_inside);
    trio_open(&it, hole.port, NULL, NULL, 0);
    WinHttpSetStatusCallback(it.request, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
    CHECK_FAILS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, context), ERROR_WINHTTP_OPERATION_CANCELLED);
    CHECK_TOLD(context, "RESOLVING A, RESOLVED A, CONNECTING A, CLOSING A");
    CHECK_FAILS(WinHttpCloseHandle(it.request), ERROR_INVALID_HANDLE);
    CHECK(WinHttpCloseHandle(it.connect));
    CHECK(WinHttpCloseHandle(it.session));
    notes_clear(NULL);
    CHECK(GetTickCount() - since < 30000);
    hole_close(&hole);
}

/* The socket of this process that is connected to a port. */
static int socket_to(int port)
{
    struct sockaddr_in address;
    socklen_t size;
    int fd;
    for (fd = 3; fd < 1024; fd++) {
        size = sizeof(address);
        if (getpeername(fd, (struct sockaddr *)&address, &size) == 0 && address.sin_family == AF_INET &&
            ntohs(address.sin_port) == port)
            return fd;
    }
    return -1;
}

static int told(int fd, int level, int option)
{
    int value = -1;
    socklen_t size = sizeof(value);
    CHECK(getsockopt(fd, level, option, &value, &size) == 0);
    return value;
}

TEST(test_connect__what_a_socket_is_told)
{
    struct trio it;
    struct tcp_keepalive alive = {1, 7500, 2000};
    int fd;
    SERVER(server, {OK_HELLO, KEEP});
    network_open(&it, W("127.0.0.1"), server.port, 0);
    CHECK_WORKS(WinHttpSetOption(it.session, WINHTTP_OPTION_TCP_KEEPALIVE, &alive, sizeof(alive)));
    CHECK_WORKS(set_number(it.session, WINHTTP_OPTION_DSCP_TAG, 10));
    CHECK_WORKS(set_number(it.session, WINHTTP_OPTION_NETWORK_INTERFACE_AFFINITY, if_nametoindex("lo")));
    CHECK_WORKS(set_number(it.session, WINHTTP_OPTION_TCP_PRIORITY_HINT, 1));
    CHECK_WORKS(set_number(it.session, WINHTTP_OPTION_TCP_FAST_OPEN, TRUE));
    network_again(&it);
    CHECK_EQ(get_number(it.request, WINHTTP_OPTION_TCP_PRIORITY_STATUS), 1);
    CHECK(exchange(it.request));
    fd = socket_to(server.port);
    REQUIRE(fd >= 0);
    CHECK_EQ(told(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    CHECK_EQ(told(fd, IPPROTO_TCP, TCP_KEEPIDLE), 8);
    CHECK_EQ(told(fd, IPPROTO_TCP, TCP_KEEPINTVL), 2);
    CHECK_EQ(told(fd, IPPROTO_IP, IP_TOS), 10 << 2);
    CHECK_EQ(told(fd, SOL_SOCKET, SO_PRIORITY), 2);
    CHECK_EQ(told(fd, SOL_SOCKET, 62 /* SO_BINDTOIFINDEX */), if_nametoindex("lo"));
    CHECK_EQ(told(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT), 1);
    CHECK_EQ(told(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    trio_close(&it);
    server_end(&server);
}

TEST(test_connect__an_interface_that_is_not_there)
{
    struct trio it;
    network_open(&it, W("127.0.0.1"), refusing_port(), 0);
    CHECK_WORKS(set_number(it.request, WINHTTP_OPTION_NETWORK_INTERFACE_AFFINITY, 1000000));
    CHECK_FAILS(exchange(it.request), ERROR_WINHTTP_CANNOT_CONNECT);
    CHECK_EQ(get_number(NULL, WINHTTP_OPTION_EXTENDED_ERROR), 10050);
    trio_close(&it);
}

#define S 1
#define C 2
#define R 4
/* Numbers that can be set, by whom, and a value that is refused. */
static const struct {
    DWORD option;
    int levels;
    DWORD good, bad;
} rows[] = {
    {WINHTTP_OPTION_IPV6_FAST_FALLBACK, S, 1, 0},
    {WINHTTP_OPTION_FIRST_AVAILABLE_CONNECTION, S, 1, 0},
    {WINHTTP_OPTION_TCP_FAST_OPEN, S, 1, 0},
    {WINHTTP_OPTION_BACKGROUND_CONNECTIONS, S, 3, 0},
    {WINHTTP_OPTION_TCP_PRIORITY_HINT, S | R, 0, 3},
    {WINHTTP_OPTION_NETWORK_INTERFACE_AFFINITY, S | R, 5, 0},
    {WINHTTP_OPTION_DSCP_TAG, S | R, 63, 64},
};

TEST(test_connect__errors_of_numbers)
{
    struct trio it;
    HINTERNET handles[3];
    DWORD value[2], size;
    size_t at, kind;
    trio_open(&it, 80, NULL, NULL, 0);
    handles[0] = it.session, handles[1] = it.connect, handles[2] = it.request;
    for (at = 0; at < COUNT(rows); at++) {
        for (kind = 0; kind < 3; kind++) {
            value[0] = rows[at].good, value[1] = 0;
            if (!(rows[at].levels & 1 << kind)) {
                CHECK_FAILS(WinHttpSetOption(handles[kind], rows[at].option, value, 4), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
                continue;
            }
            CHECK_WORKS(WinHttpSetOption(handles[kind], rows[at].option, value, 4));
            CHECK_FAILS(WinHttpSetOption(handles[kind], rows[at].option, value, 3), ERROR_INSUFFICIENT_BUFFER);
            CHECK_FAILS(WinHttpSetOption(handles[kind], rows[at].option, value, 8), ERROR_INSUFFICIENT_BUFFER);
            CHECK_FAILS(WinHttpSetOption(handles[kind], rows[at].option, NULL, 4), ERROR_INVALID_PARAMETER);
            if (rows[at].bad) {
                value[0] = rows[at].bad;
                CHECK_FAILS(WinHttpSetOption(handles[kind], rows[at].option, value, 4), ERROR_INVALID_PARAMETER);
            }
        }
        size = sizeof(value);
        CHECK_FAILS(WinHttpQueryOption(it.session, rows[at].option, value, &size), ERROR_INVALID_PARAMETER);
        CHECK_FAILS(WinHttpSetOption(NULL, rows[at].option, value, 4), ERROR_INVALID_HANDLE);
    }
    trio_close(&it);
}

TEST(test_connect__errors_of_structures)
{
    struct trio it;
    struct tcp_keepalive alive = {0, 0, 0};
    DWORD size = sizeof(alive);
    trio_open(&it, 80, NULL, NULL, 0);
    CHECK_WORKS(WinHttpSetOption(it.session, WINHTTP_OPTION_TCP_KEEPALIVE, &alive, sizeof(alive)));
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_TCP_KEEPALIVE, &alive, 4), ERROR_INSUFFICIENT_BUFFER);
    CHECK_FAILS(WinHttpSetOption(it.connect, WINHTTP_OPTION_TCP_KEEPALIVE, &alive, sizeof(alive)), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_TCP_KEEPALIVE, &alive, sizeof(alive)), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpQueryOption(it.session, WINHTTP_OPTION_TCP_KEEPALIVE, &alive, &size), ERROR_INVALID_PARAMETER);
    size = 4;
    CHECK_FAILS(WinHttpQueryOption(it.session, WINHTTP_OPTION_TCP_PRIORITY_STATUS, &alive, &size), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_EQ(get_number(it.request, WINHTTP_OPTION_TCP_PRIORITY_STATUS), 2);
    CHECK_FAILS(set_number(it.request, WINHTTP_OPTION_TCP_PRIORITY_STATUS, 1), ERROR_WINHTTP_OPTION_NOT_SETTABLE);
    trio_close(&it);
}

/* What can be read of a request's course and of its connection: times, statistics, addresses, the kernel's figures.
 * gate: not-mingw (its headers know nothing of TCP_INFO) */
#define _GNU_SOURCE
#include "winhttp_network.h"

#define HEAD "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"

static WINHTTP_REQUEST_TIMES times_of(HINTERNET request)
{
    WINHTTP_REQUEST_TIMES times;
    DWORD size = sizeof(times);
    memset(&times, 0, sizeof(times));
    times.cTimes = WinHttpRequestTimeLast;
    CHECK_WORKS(WinHttpQueryOption(request, WINHTTP_OPTION_REQUEST_TIMES, &times, &size));
    CHECK_EQ(size, sizeof(times));
    CHECK_EQ(times.cTimes, 36);
    return times;
}

static WINHTTP_REQUEST_STATS stats_of(HINTERNET request)
{
    WINHTTP_REQUEST_STATS stats;
    DWORD size = sizeof(stats);
    memset(&stats, 0, sizeof(stats));
    stats.cStats = WinHttpRequestStatLast;
    CHECK_WORKS(WinHttpQueryOption(request, WINHTTP_OPTION_REQUEST_STATS, &stats, &size));
    CHECK_EQ(size, sizeof(stats));
    CHECK_EQ(stats.cStats, 16);
    return stats;
}

/* In the order in which they come about. */
static const int order[] = {
    WinHttpConnectionAcquireStart,       WinHttpConnectionAcquireWaitEnd,    WinHttpNameResolutionStart,
    WinHttpNameResolutionEnd,            WinHttpConnectionEstablishmentStart, WinHttpConnectionEstablishmentEnd,
    WinHttpConnectionAcquireEnd,         WinHttpSendRequestStart,            WinHttpSendRequestHeadersEnd,
    WinHttpSendRequestEnd,               WinHttpReceiveResponseStart,        WinHttpReceiveResponseHeadersEnd,
    WinHttpReceiveResponseEnd,
};

TEST(test_facts__times_of_a_request)
{
    struct trio it;
    WINHTTP_REQUEST_TIMES times;
    LARGE_INTEGER before, after;
    ULONGLONG last;
    char body[64];
    size_t at, seen = 0;
    SERVER(server, {OK_HELLO, KEEP}, {OK_HELLO, KEEP});
    QueryPerformanceCounter(&before);
    network_open(&it, W("127.0.0.1"), server.port, 0);
    CHECK(exchange(it.request));
    CHECK_EQ(times_of(it.request).rgullTimes[WinHttpReceiveResponseEnd], 0);
    CHECK_EQ(read_body(it.request, body, sizeof(body)), 5);
    times = times_of(it.request);
    QueryPerformanceCounter(&after);
    last = (ULONGLONG)before.QuadPart;
    for (at = 0; at < COUNT(order); at++) {
        CHECK(times.rgullTimes[order[at]] >= last);
        last = times.rgullTimes[order[at]];
    }
    CHECK((ULONGLONG)after.QuadPart >= last);
    for (at = 0; at < WinHttpRequestTimeMax; at++)
        seen += times.rgullTimes[at] != 0;
    CHECK_EQ(seen, COUNT(order));
    /* On a connection of the pool no name is resolved. */
    network_again(&it);
    CHECK(exchange(it.request));
    times = times_of(it.request);
    CHECK_EQ(times.rgullTimes[WinHttpNameResolutionStart], 0);
    CHECK_EQ(times.rgullTimes[WinHttpConnectionEstablishmentEnd], 0);
    CHECK(times.rgullTimes[WinHttpConnectionAcquireStart] >= last);
    CHECK(times.rgullTimes[WinHttpSendRequestEnd] >= times.rgullTimes[WinHttpConnectionAcquireStart]);
    trio_close(&it);
    server_end(&server);
}

TEST(test_facts__statistics_of_a_request)
{
    struct trio it;
    WINHTTP_REQUEST_STATS stats;
    char body[64];
    SERVER(server, {OK_HELLO, KEEP}, {OK_HELLO, KEEP});
    network_open(&it, W("127.0.0.1"), server.port, 0);
    CHECK(exchange(it.request));
    CHECK_EQ(read_body(it.request, body, sizeof(body)), 5);
    stats = stats_of(it.request);
    CHECK_EQ(stats.ullFlags, WINHTTP_REQUEST_STAT_FLAG_FIRST_REQUEST);
    CHECK_EQ(stats.ulIndex, 0);
    CHECK_EQ(stats.rgullStats[WinHttpRequestHeadersSize], strlen(server.requests[0]));
    CHECK_EQ(stats.rgullStats[WinHttpResponseHeadersSize], strlen(HEAD));
    CHECK_EQ(stats.rgullStats[WinHttpResponseBodySize], 5);
    CHECK_EQ(stats.rgullStats[WinHttpResponseBodyCompressedSize], 5);
    CHECK_EQ(stats.rgullStats[WinHttpConnectFailureCount], 0);
    CHECK_EQ(stats.rgullStats[WinHttpTlsHandshakeClientLeg1Size], 0);
    network_again(&it);
    CHECK(exchange(it.request));
    stats = stats_of(it.request);
    CHECK_EQ(stats.ullFlags, 0);
    CHECK_EQ(stats.ulIndex, 1);
    CHECK_EQ(stats.rgullStats[WinHttpResponseBodySize], 0);
    trio_close(&it);
    server_end(&server);
    /* Addresses that refuse are counted. */
    network_open(&it, W("localhost"), refusing_port(), 0);
    CHECK(!exchange(it.request));
    CHECK_EQ(stats_of(it.request).rgullStats[WinHttpConnectFailureCount], 2);
    trio_close(&it);
}

TEST(test_facts__errors_of_times_and_statistics)
{
    static const DWORD options[] = {WINHTTP_OPTION_REQUEST_TIMES, WINHTTP_OPTION_REQUEST_STATS,
                                    WINHTTP_OPTION_CONNECTION_STATS_V0, WINHTTP_OPTION_CONNECTION_STATS_V1,
                                    WINHTTP_OPTION_CONNECTION_STATS_V2};
    static const DWORD sizes[] = {sizeof(WINHTTP_REQUEST_TIMES), sizeof(WINHTTP_REQUEST_STATS), sizeof(TCP_INFO_v0), sizeof(TCP_INFO_v1),
                                  sizeof(TCP_INFO_v2)};
    WINHTTP_REQUEST_TIMES times;
    WINHTTP_REQUEST_STATS stats;
    struct trio it;
    DWORD size;
    size_t at;
    char room[1024];
    memset(room, 0, sizeof(room));
    SERVER(server, {OK_HELLO, KEEP});
    network_open(&it, W("127.0.0.1"), server.port, 0);
    for (at = 0; at < COUNT(options); at++) {
        size = sizeof(room);
        CHECK_FAILS(WinHttpQueryOption(it.request, options[at], room, &size), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
        CHECK_FAILS(WinHttpQueryOption(it.session, options[at], room, &size), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        CHECK_FAILS(WinHttpQueryOption(it.connect, options[at], room, &size), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        CHECK_FAILS(WinHttpQueryOption(NULL, options[at], room, &size), ERROR_INVALID_HANDLE);
        size = sizes[at] - 1;
        CHECK_FAILS(WinHttpQueryOption(it.request, options[at], room, &size), ERROR_INSUFFICIENT_BUFFER);
        CHECK_EQ(size, sizes[at]);
        CHECK_FAILS(WinHttpQueryOption(it.request, options[at], NULL, &size), ERROR_INSUFFICIENT_BUFFER);
        CHECK_FAILS(WinHttpSetOption(it.request, options[at], room, sizes[at]), ERROR_WINHTTP_OPTION_NOT_SETTABLE);
    }
    CHECK_FAILS(set_number(it.session, WINHTTP_OPTION_EXTENDED_ERROR, 1), ERROR_WINHTTP_OPTION_NOT_SETTABLE);
    size = 4;
    CHECK_FAILS(WinHttpQueryOption(it.connect, WINHTTP_OPTION_EXTENDED_ERROR, room, &size), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    size = 3;
    CHECK_FAILS(WinHttpQueryOption(NULL, WINHTTP_OPTION_EXTENDED_ERROR, room, &size), ERROR_INSUFFICIENT_BUFFER);
    CHECK(exchange(it.request));
    /* As many as are asked for. */
    memset(&times, 0, sizeof(times));
    times.cTimes = 5;
    size = sizeof(times);
    CHECK_WORKS(WinHttpQueryOption(it.request, WINHTTP_OPTION_REQUEST_TIMES, &times, &size));
    CHECK(times.cTimes == 5 && times.rgullTimes[4] != 0 && times.rgullTimes[5] == 0);
    times.cTimes = WinHttpRequestTimeMax + 1;
    CHECK_FAILS(WinHttpQueryOption(it.request, WINHTTP_OPTION_REQUEST_TIMES, &times, &size), ERROR_INVALID_PARAMETER);
    memset(&stats, 0, sizeof(stats));
    stats.cStats = WinHttpRequestStatMax + 1;
    size = sizeof(stats);
    CHECK_FAILS(WinHttpQueryOption(it.request, WINHTTP_OPTION_REQUEST_STATS, &stats, &size), ERROR_INVALID_PARAMETER);
    trio_close(&it);
    server_end(&server);
}

TEST(test_facts__the_connection)
{
    struct trio it;
    WINHTTP_CONNECTION_INFO info;
    TCP_INFO_v0 v0;
    TCP_INFO_v1 v1;
    TCP_INFO_v2 v2;
    DWORD size = sizeof(info);
    char body[64];
    SERVER(server, {OK_HELLO, KEEP}, {OK_HELLO, CLOSE});
    network_open(&it, W("127.0.0.1"), server.port, 0);
    memset(&info, 0, sizeof(info));
    info.cbSize = sizeof(info);
    CHECK_FAILS(WinHttpQueryOption(it.request, WINHTTP_OPTION_CONNECTION_INFO, &info, &size), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_CONNECTION_INFO, &info, sizeof(info)), ERROR_WINHTTP_OPTION_NOT_SETTABLE);
    CHECK(exchange(it.request));
    CHECK_EQ(read_body(it.request, body, sizeof(body)), 5);
    CHECK_WORKS(WinHttpQueryOption(it.request, WINHTTP_OPTION_CONNECTION_INFO, &info, &size));
    CHECK_EQ(ntohs(((struct sockaddr_in *)&info.RemoteAddress)->sin_port), server.port);
    CHECK(((struct sockaddr_in *)&info.LocalAddress)->sin_port != 0);
    /* The connection is in the pool, and still the request's. */
    size = sizeof(v0);
    CHECK_WORKS(WinHttpQueryOption(it.request, WINHTTP_OPTION_CONNECTION_STATS_V0, &v0, &size));
    CHECK_EQ(size, sizeof(v0));
    CHECK_EQ(v0.State, TCPSTATE_ESTABLISHED);
    CHECK_EQ(v0.BytesOut, strlen(server.requests[0]));
    CHECK_EQ(v0.BytesIn, strlen(OK_HELLO));
    CHECK(v0.Mss > 0 && v0.ConnectionTimeMs < 60000);
    size = sizeof(v1);
    CHECK_WORKS(WinHttpQueryOption(it.request, WINHTTP_OPTION_CONNECTION_STATS_V1, &v1, &size));
    CHECK_EQ(v1.BytesIn, v0.BytesIn);
    size = sizeof(v2);
    memset(&v2, 0xFF, sizeof(v2));
    CHECK_WORKS(WinHttpQueryOption(it.request, WINHTTP_OPTION_CONNECTION_STATS_V2, &v2, &size));
    CHECK_EQ(size, 152);
    CHECK(v2.State == TCPSTATE_ESTABLISHED && v2.BytesOut == v0.BytesOut && v2.BytesIn == v0.BytesIn);
    CHECK(v2.EcnNegotiated <= 1 && v2.OutOfOrderPktsIn < 1000 && v2.EceAcksIn < 1000 && v2.PtoEpisodes == 0);
    /* What the request before sent is in the figures, too. */
    network_again(&it);
    CHECK(exchange(it.request));
    size = sizeof(v0);
    CHECK_WORKS(WinHttpQueryOption(it.request, WINHTTP_OPTION_CONNECTION_STATS_V0, &v0, &size));
    CHECK_EQ(v0.BytesOut, strlen(server.requests[0]) + strlen(server.requests[1]));
    trio_close(&it);
    server_end(&server);
}

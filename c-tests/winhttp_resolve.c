/* Names: overrides, the name to resolve, how names are remembered, addresses of both families.
 * gate: not-mingw (overrides are an addition of this library) */
#define _GNU_SOURCE
#include "winhttp_network.h"

/* Before anything is looked up: the variable is read once. */
__attribute__((constructor)) static void environment(void)
{
    setenv("NTHTTP_HOSTS", "environment.example=localhost, mute.example=127.0.0.1, nowhere.example=-", 1);
}

static void check_get(struct trio *it)
{
    char body[64];
    CHECK(exchange(it->request));
    CHECK_EQ(read_body(it->request, body, sizeof(body)), 5);
}

TEST(test_resolve__a_name_leads_elsewhere)
{
    struct trio it;
    char hosts[128], wanted[128];
    SERVER(server, {OK_HELLO, CLOSE}, {OK_HELLO, CLOSE});
    network_open(&it, W("override.example"), 0, 0);
    sprintf(hosts, "other.example=127.0.0.9; Override.Example:80=127.0.0.1:%d", server.port);
    CHECK_WORKS(set_text(it.session, NTHTTP_OPTION_HOST_OVERRIDE, hosts));
    network_again(&it);
    check_get(&it);
    CHECK_NETWORK("RESOLVING(override.example) RESOLVED(127.0.0.1) CONNECTING(127.0.0.1) CONNECTED(127.0.0.1)");
    CHECK_HAS(server.requests[0], "Host: override.example\r\n");
    /* On one request; any name. */
    trio_close(&it);
    network_open(&it, W("any.example"), 8123, 0);
    sprintf(hosts, "*=127.0.0.1:%d", server.port);
    CHECK_WORKS(set_text(it.request, NTHTTP_OPTION_HOST_OVERRIDE, hosts));
    check_get(&it);
    sprintf(wanted, "Host: any.example:8123\r\n");
    CHECK_HAS(server.requests[1], wanted);
    trio_close(&it);
    server_end(&server);
}

TEST(test_resolve__several_addresses_and_the_environment)
{
    struct trio it;
    char hosts[128];
    int refusing = refusing_port();
    SERVER(server, {OK_HELLO, CLOSE}, {OK_HELLO, CLOSE});
    network_open(&it, W("two.example"), 80, 0);
    sprintf(hosts, "two.example=127.0.0.1:%d two.example=127.0.0.1:%d", refusing, server.port);
    CHECK_WORKS(set_text(it.request, NTHTTP_OPTION_HOST_OVERRIDE, hosts));
    check_get(&it);
    CHECK_NETWORK("RESOLVING(two.example) RESOLVED(127.0.0.1) CONNECTING(127.0.0.1) CONNECTING(127.0.0.1) CONNECTED(127.0.0.1)");
    trio_close(&it);
    network_open(&it, W("environment.example"), server.port, 0);
    check_get(&it);
    CHECK_HAS(server.requests[1], "Host: environment.example:");
    trio_close(&it);
    server_end(&server);
}

TEST(test_resolve__connections_of_an_override_are_its_own)
{
    struct trio plain, led;
    char hosts[128];
    SERVER(first, {OK_HELLO, KEEP}, {OK_HELLO, KEEP});
    SERVER(second, {OK_HELLO, KEEP}, {OK_HELLO, KEEP});
    network_open(&plain, W("127.0.0.1"), first.port, 0);
    check_get(&plain);
    network_open(&led, W("127.0.0.1"), first.port, 0);
    sprintf(hosts, "127.0.0.1:%d=localhost:%d", first.port, second.port);
    CHECK_WORKS(set_text(led.session, NTHTTP_OPTION_HOST_OVERRIDE, hosts));
    network_again(&led);
    check_get(&led);
    CHECK_EQ(second.connections, 1);
    /* The same override, in other words, shares; none does not. */
    CHECK_WORKS(set_text(led.session, NTHTTP_OPTION_HOST_OVERRIDE, ""));
    CHECK_WORKS(set_text(led.session, NTHTTP_OPTION_HOST_OVERRIDE, hosts));
    network_again(&led);
    check_get(&led);
    CHECK_NETWORK("");
    network_again(&plain);
    check_get(&plain);
    CHECK_NETWORK("");
    CHECK_EQ(first.connections, 1);
    CHECK_EQ(second.connections, 1);
    trio_close(&plain);
    trio_close(&led);
    server_end(&first);
    server_end(&second);
}

TEST(test_resolve__errors_of_overrides)
{
    static const char *const bad[] = {"a", "a=", "=b", "a:0=b", "a=b:x", "a=*", "fine=b a", "-=", "a:0=-"};
    struct trio it;
    size_t at;
    WCHAR some[] = {'a', '=', 'b', 0};
    trio_open(&it, 80, NULL, NULL, 0);
    for (at = 0; at < COUNT(bad); at++) {
        CHECK_FAILS(set_text(it.session, NTHTTP_OPTION_HOST_OVERRIDE, bad[at]), ERROR_INVALID_PARAMETER);
        CHECK_HAS(nthttp_last_error_message(), "name[:port]=host[:port]");
    }
    CHECK_FAILS(set_text(it.connect, NTHTTP_OPTION_HOST_OVERRIDE, "a=b"), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpSetOption(it.session, NTHTTP_OPTION_HOST_OVERRIDE, NULL, 3), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSetOption(NULL, NTHTTP_OPTION_HOST_OVERRIDE, some, 3), ERROR_INVALID_HANDLE);
    CHECK_FAILS(WinHttpQueryOption(it.session, NTHTTP_OPTION_HOST_OVERRIDE, some, &(DWORD){sizeof(some)}), ERROR_INVALID_PARAMETER);
    trio_close(&it);
}

/* Every notification of a name that does not exist: of the environment's, of a session's and of a request's. */
TEST(test_resolve__a_name_that_does_not_exist)
{
    int way, flags;
    for (flags = 0; flags < 2; flags++)
        for (way = 0; way < 3; way++) {
            struct trio it;
            DWORD_PTR context = 3;
            int round;
            notes_clear(NULL);
            it.session = WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, flags ? WINHTTP_FLAG_ASYNC : 0);
            if (way == 1)
                CHECK_WORKS(set_text(it.session, NTHTTP_OPTION_HOST_OVERRIDE, "127.0.0.1=localhost none.example=-"));
            it.connect = WinHttpConnect(it.session, way == 0 ? W("Nowhere.Example") : way == 1 ? W("none.example") : W("localhost"), 80, 0);
            it.request = WinHttpOpenRequest(it.connect, NULL, NULL, NULL, NULL, NULL, 0);
            REQUIRE(it.request != NULL);
            if (way == 2)
                CHECK_WORKS(set_text(it.request, NTHTTP_OPTION_HOST_OVERRIDE, "*:80=-"));
            CHECK(WinHttpSetStatusCallback(it.request, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == NULL);
            CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
            /* A failed request can be sent again, and fails in the same way. */
            for (round = 0; round < 2; round++) {
                if (flags) {
                    int patience = 10000;
                    while (!WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0) && patience--)
                        Sleep(1);
                    CHECK(note_wait(3, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, 1 + round));
                } else {
                    CHECK_FAILS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0), ERROR_WINHTTP_NAME_NOT_RESOLVED);
                    CHECK_HAS(nthttp_last_error_message(), "does not exist");
                    CHECK_FAILS(WinHttpReceiveResponse(it.request, NULL), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
                }
                CHECK_EQ(get_number(it.request, WINHTTP_OPTION_EXTENDED_ERROR), 11001);
            }
            if (flags) {
                trio_close_async(&it, 3);
                CHECK_TOLD_SOMEWHERE(3, "RESOLVING, ERROR(5,12007), RESOLVING, ERROR(5,12007), CLOSING");
                CHECK_HAS(told_to(3, 1), "RESOLVING W, ERROR(5,12007) W, RESOLVING W, ERROR(5,12007) W, CLOSING ");
            } else {
                trio_close(&it);
                CHECK_TOLD(3, "RESOLVING A, RESOLVING A, CLOSING A");
            }
        }
}

TEST(test_resolve__another_name_is_resolved)
{
    struct trio it;
    WCHAR room[16];
    SERVER(server, {OK_HELLO, CLOSE});
    network_open(&it, W("resolution.invalid"), server.port, 0);
    CHECK_FAILS(set_text(it.session, WINHTTP_OPTION_RESOLUTION_HOSTNAME, "localhost"), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(set_text(it.connect, WINHTTP_OPTION_RESOLUTION_HOSTNAME, "localhost"), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(set_text(it.request, WINHTTP_OPTION_RESOLUTION_HOSTNAME, "a b"), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpQueryOption(it.request, WINHTTP_OPTION_RESOLUTION_HOSTNAME, room, &(DWORD){sizeof(room)}), ERROR_INVALID_PARAMETER);
    CHECK_WORKS(set_text(it.request, WINHTTP_OPTION_RESOLUTION_HOSTNAME, "127.0.0.1"));
    check_get(&it);
    CHECK_NETWORK("RESOLVING(127.0.0.1) RESOLVED(127.0.0.1) CONNECTING(127.0.0.1) CONNECTED(127.0.0.1)");
    CHECK_HAS(server.requests[0], "Host: resolution.invalid:");
    CHECK_FAILS(set_text(it.request, WINHTTP_OPTION_RESOLUTION_HOSTNAME, "localhost"), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    trio_close(&it);
    server_end(&server);
}

TEST(test_resolve__a_name_without_address)
{
    struct trio it;
    DWORD error;
    network_open(&it, W("no.such.name.invalid"), 80, 0);
    /* A machine without a name server does not learn that there is none. */
    CHECK(set_number(it.request, WINHTTP_OPTION_RESOLVE_TIMEOUT, 3000));
    CHECK(!exchange(it.request));
    error = GetLastError();
    CHECK(error == ERROR_WINHTTP_NAME_NOT_RESOLVED || error == ERROR_WINHTTP_TIMEOUT);
    CHECK_EQ(get_number(NULL, WINHTTP_OPTION_EXTENDED_ERROR), error == ERROR_WINHTTP_TIMEOUT ? 10060 : 11001);
    CHECK_NETWORK("RESOLVING(no.such.name.invalid)");
    /* An impossible zone is no address, and no name either. */
    trio_close(&it);
    network_open(&it, W("fe80::1%nosuchinterface"), 80, 0);
    CHECK_FAILS(exchange(it.request), ERROR_WINHTTP_NAME_NOT_RESOLVED);
    trio_close(&it);
}

TEST(test_resolve__how_names_are_remembered)
{
    struct trio it;
    WINHTTP_RESOLVER_CACHE_CONFIG wanted;
    memset(&wanted, 0, sizeof(wanted));
    trio_open(&it, 80, NULL, NULL, 0);
#define SET(HANDLE, SIZE) WinHttpSetOption(HANDLE, WINHTTP_OPTION_RESOLVER_CACHE_CONFIG, &wanted, SIZE)
    CHECK_WORKS(SET(it.session, sizeof(wanted)));
    CHECK_FAILS(SET(it.session, sizeof(wanted) - 1), ERROR_INSUFFICIENT_BUFFER);
    CHECK_FAILS(SET(it.session, sizeof(wanted) + 1), ERROR_INSUFFICIENT_BUFFER);
    CHECK_FAILS(SET(it.connect, sizeof(wanted)), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(SET(it.request, sizeof(wanted)), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    wanted.ullFlags = 15;
    wanted.ulMaxResolverCacheEntries = 3;
    wanted.ulMaxCacheEntryAge = 4;
    wanted.ulMinCacheEntryTtl = 5;
    CHECK_WORKS(SET(it.session, sizeof(wanted)));
    wanted.ullFlags = 16;
    CHECK_FAILS(SET(it.session, sizeof(wanted)), ERROR_INVALID_PARAMETER);
    wanted.ullFlags = 0;
    wanted.SecureDnsSetting = WinHttpSecureDnsSettingTryEncryptionWithFallback;
    CHECK_WORKS(SET(it.session, sizeof(wanted)));
    wanted.SecureDnsSetting = WinHttpSecureDnsSettingRequireEncryption;
    CHECK_FAILS(SET(it.session, sizeof(wanted)), ERROR_WINHTTP_INVALID_OPTION);
    CHECK_HAS(nthttp_last_error_message(), "encryption");
    wanted.SecureDnsSetting = WinHttpSecureDnsSettingMax;
    CHECK_FAILS(SET(it.session, sizeof(wanted)), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpQueryOption(it.session, WINHTTP_OPTION_RESOLVER_CACHE_CONFIG, &wanted, &(DWORD){sizeof(wanted)}), ERROR_INVALID_PARAMETER);
    trio_close(&it);
}

/* Answers one request at a listener. */
static DWORD WINAPI answer_once(void *argument)
{
    static char text[4096];
    int peer = (int)accept(*(int *)argument, NULL, NULL);
    size_t have = 0;
    long got;
    while (peer >= 0 && (got = (long)recv(peer, text + have, sizeof(text) - 1 - have, 0)) > 0) {
        have += (size_t)got;
        text[have] = 0;
        if (strstr(text, "\r\n\r\n")) {
            CHECK_HAS(text, "\r\nHost: ");
            CHECK_LACKS(text, "%");
            CHECK(send(peer, OK_HELLO, strlen(OK_HELLO), MSG_NOSIGNAL) > 0);
            break;
        }
    }
    close(peer);
    return 0;
}

TEST(test_resolve__addresses_of_the_newer_family)
{
    static const struct {
        const WCHAR *host;
        const char *told;
    } ways[] = {
        {W("::1"), "RESOLVING([::1]) RESOLVED(::1) CONNECTING(::1) CONNECTED(::1)"},
        {W("[::1]"), "RESOLVING([::1]) RESOLVED(::1) CONNECTING(::1) CONNECTED(::1)"},
        {W("::1%1"), "RESOLVING([::1%1]) RESOLVED(::1) CONNECTING(::1) CONNECTED(::1)"},
        /* Both are tried: nobody listens at 127.0.0.1. */
        {W("localhost"), "RESOLVING(localhost) RESOLVED(127.0.0.1) CONNECTING(127.0.0.1) CONNECTING(::1) CONNECTED(::1)"},
    };
    struct trio it;
    HANDLE thread;
    size_t at;
    int port = 0, listener = listen_at(AF_INET6, 4, &port);
    if (listener < 0) {
        printf("this machine has no ::1\n");
        return;
    }
    for (at = 0; at < COUNT(ways); at++) {
        thread = CreateThread(NULL, 0, answer_once, &listener, 0, NULL);
        network_open(&it, ways[at].host, port, 0);
        CHECK_WORKS(set_number(it.session, WINHTTP_OPTION_DISABLE_GLOBAL_POOLING, TRUE));
        check_get(&it);
        CHECK_NETWORK(ways[at].told);
        trio_close(&it);
        CHECK_EQ(WaitForSingleObject(thread, 10000), WAIT_OBJECT_0);
        CloseHandle(thread);
    }
    close(listener);
}

/* What the tests of connections share: names that lead anywhere, ports that answer nothing, sockets of this process. */
#ifndef WINHTTP_NETWORK_H
#define WINHTTP_NETWORK_H

#include "winhttp_server.h"

/* Sets a string option of ASCII. */
__attribute__((unused)) static BOOL set_text(HINTERNET handle, DWORD option, const char *text)
{
    WCHAR wide[1024];
    DWORD at = 0;
    for (; text[at]; at++)
        wide[at] = (WCHAR)text[at];
    return WinHttpSetOption(handle, option, wide, at);
}

__attribute__((unused)) static BOOL set_number(HINTERNET handle, DWORD option, DWORD number)
{
    return WinHttpSetOption(handle, option, &number, sizeof(number));
}

__attribute__((unused)) static DWORD get_number(HINTERNET handle, DWORD option)
{
    DWORD number = 0xabcd, size = sizeof(number);
    CHECK(WinHttpQueryOption(handle, option, &number, &size));
    CHECK_EQ(size, sizeof(number));
    return number;
}

/* A listener at an address; -1 when this machine has none. */
__attribute__((unused)) static int listen_at(int family, int backlog, int *port)
{
    struct sockaddr_storage address;
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
    socklen_t size = family == AF_INET ? sizeof(*v4) : sizeof(*v6);
    int it = (int)socket(family, SOCK_STREAM, 0);
    memset(&address, 0, sizeof(address));
    if (family == AF_INET)
        client_address(v4, 0);
    else {
        v6->sin6_family = AF_INET6;
        v6->sin6_addr = in6addr_loopback;
    }
    if (it < 0 || bind(it, (struct sockaddr *)&address, size) != 0 || listen(it, backlog) != 0) {
        if (it >= 0)
            close(it);
        return -1;
    }
    CHECK(getsockname(it, (struct sockaddr *)&address, &size) == 0);
    *port = ntohs(family == AF_INET ? v4->sin_port : v6->sin6_port);
    return it;
}

/* A port that answers nothing, because its queue is full. */
struct hole {
    int listener, port, count, held[64];
};

__attribute__((unused)) static int hole_open(struct hole *it, int family)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    struct pollfd wait;
    it->count = 0;
    it->listener = listen_at(family, 0, &it->port);
    if (it->listener < 0)
        return 0;
    CHECK(getsockname(it->listener, (struct sockaddr *)&address, &size) == 0);
    do {
        wait.fd = it->held[it->count++] = (int)socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
        wait.events = POLLOUT;
        if (connect(wait.fd, (struct sockaddr *)&address, size) == 0)
            continue;
    } while (it->count < 64 && poll(&wait, 1, 200) == 1);
    return 1;
}

__attribute__((unused)) static void hole_close(struct hole *it)
{
    while (it->count)
        close(it->held[--it->count]);
    close(it->listener);
}

/* A port of the loopback that refuses. */
__attribute__((unused)) static int refusing_port(void)
{
    int port = 0;
    close(listen_at(AF_INET, 1, &port));
    return port;
}

/* The texts of CONNECTING and so on, in a row. */
static char network_told[4096];

__attribute__((unused)) static void CALLBACK network_record(HINTERNET handle, DWORD_PTR context, DWORD status, LPVOID information, DWORD length)
{
    const WCHAR *text = information;
    const char *name = status == WINHTTP_CALLBACK_STATUS_RESOLVING_NAME         ? "RESOLVING"
                       : status == WINHTTP_CALLBACK_STATUS_NAME_RESOLVED        ? "RESOLVED"
                       : status == WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER ? "CONNECTING"
                       : status == WINHTTP_CALLBACK_STATUS_CONNECTED_TO_SERVER  ? "CONNECTED"
                                                                                : NULL;
    size_t have = strlen(network_told);
    (void)handle, (void)context;
    if (!name || have + length + 20 > sizeof(network_told))
        return;
    have += (size_t)sprintf(network_told + have, "%s%s(", have ? " " : "", name);
    while (*text)
        network_told[have++] = (char)*text++;
    network_told[have++] = ')';
    network_told[have] = 0;
}

/* A session with a handle of each kind, whose connecting is recorded. */
__attribute__((unused)) static void network_open(struct trio *it, const WCHAR *host, int port, DWORD flags)
{
    network_told[0] = 0;
    it->session = WinHttpOpen(W("test"), WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, flags);
    REQUIRE(it->session != NULL);
    if (!(flags & WINHTTP_FLAG_ASYNC))
        WinHttpSetStatusCallback(it->session, network_record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
    it->connect = WinHttpConnect(it->session, host, (INTERNET_PORT)port, 0);
    REQUIRE(it->connect != NULL);
    it->request = WinHttpOpenRequest(it->connect, NULL, W("/"), NULL, NULL, NULL, 0);
    REQUIRE(it->request != NULL);
}

/* Replaces the request by a new one, which has what was set on the session since. */
__attribute__((unused)) static void network_again(struct trio *it)
{
    CHECK(WinHttpCloseHandle(it->request));
    it->request = WinHttpOpenRequest(it->connect, NULL, W("/"), NULL, NULL, NULL, 0);
    REQUIRE(it->request != NULL);
    network_told[0] = 0;
}
#define CHECK_NETWORK(WANTED) CHECK_BYTES(network_told, strlen(network_told), WANTED)

#endif

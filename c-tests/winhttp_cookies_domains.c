/* Cookies for a domain: whom a server may set them for, by a list of public suffixes of our own.
 * gate: not-mingw (the list and overrides of names are additions of this library) */
#define _GNU_SOURCE
#include "winhttp_network.h"

static char list[] = "/tmp/nthttp-suffixes-XXXXXX";

/* Before the first cookie: the list is read once. */
__attribute__((constructor)) static void environment(void)
{
    static const char rules[] = "// A list for a test.\nexample\nio\ngithub.io\n*.ck\n!www.ck\ncn\n\xe5\x85\xac\xe5\x8f\xb8.cn\n";
    int file = mkstemp(list);
    if (file < 0 || write(file, rules, sizeof(rules) - 1) != (ssize_t)sizeof(rules) - 1)
        abort();
    close(file);
    setenv("NTHTTP_PUBLIC_SUFFIX_LIST", list, 1);
}

__attribute__((destructor)) static void clean(void)
{
    unlink(list);
}

static void get(HINTERNET session, const char *host)
{
    WCHAR wide[256];
    HINTERNET connect, request;
    size_t at;
    for (at = 0; at <= strlen(host); at++)
        wide[at] = (unsigned char)host[at];
    connect = WinHttpConnect(session, wide, 80, 0);
    REQUIRE(connect != NULL);
    request = WinHttpOpenRequest(connect, NULL, W("/"), NULL, NULL, NULL, 0);
    CHECK(exchange(request));
    CHECK(WinHttpCloseHandle(request) && WinHttpCloseHandle(connect));
}

/* What a host is sent after another has set a cookie a. */
static int sent(const char *setter, const char *domain, const char *reader)
{
    static struct server server;
    char answer[400], hosts[64];
    struct turn turns[2] = {{answer, CLOSE}, {OK_HELLO, CLOSE}};
    HINTERNET session = WinHttpOpen(W("test"), WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0);
    sprintf(answer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: a=1; Domain=%s\r\n\r\n", domain);
    server_start(&server, turns, 2);
    sprintf(hosts, "*=127.0.0.1:%d", server.port);
    CHECK(set_text(session, NTHTTP_OPTION_HOST_OVERRIDE, hosts));
    get(session, setter);
    get(session, reader);
    CHECK(WinHttpCloseHandle(session));
    server_end(&server);
    return strstr(server.requests[1], "\r\nCookie: a=1\r\n") != NULL;
}

TEST(test_cookies__domains_and_public_suffixes)
{
    static const struct {
        const char *setter, *domain, *reader;
        int sent;
    } rows[] = {
        {"www.own.example", "own.example", "mail.own.example", 1},
        {"www.own.example", "example", "other.example", 0},
        {"www.own.example", "example", "www.own.example", 0},
        {"one.github.io", "github.io", "two.github.io", 0},
        {"one.github.io", "github.io", "one.github.io", 0},
        {"www.one.github.io", ".one.GitHub.io", "one.github.io", 1},
        /* The suffix itself may have cookies, of its own. */
        {"github.io", "github.io", "github.io", 1},
        {"github.io", "github.io", "one.github.io", 0},
        {"www.any.ck", "any.ck", "mail.any.ck", 0},
        {"x.www.ck", "www.ck", "y.www.ck", 1},
        {"one.xn--55qx5d.cn", "xn--55qx5d.cn", "two.xn--55qx5d.cn", 0},
        {"one.xn--55qx5d.cn", "\xe5\x85\xac\xe5\x8f\xb8.cn", "two.xn--55qx5d.cn", 0},
        {"x.one.xn--55qx5d.cn", "one.\xe5\x85\xac\xe5\x8f\xb8.cn", "y.one.xn--55qx5d.cn", 1},
        /* The list decides, not the rule that holds without one; it does not speak of these. */
        {"a.co.uk", "co.uk", "b.co.uk", 1},
        {"a.unknown", "unknown", "b.unknown", 0},
        /* Short forms of addresses are no names. */
        {"127.0.1", "0.1", "127.1.0.1", 0},
    };
    size_t at;
    for (at = 0; at < COUNT(rows); at++) {
        int has = sent(rows[at].setter, rows[at].domain, rows[at].reader);
        if (has != rows[at].sent)
            printf("  %s sets for %s, %s is sent: %d\n", rows[at].setter, rows[at].domain, rows[at].reader, has);
        CHECK_EQ(has, rows[at].sent);
    }
}

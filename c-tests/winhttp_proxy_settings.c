/* Where proxy settings come from and go to: the default, the user's, detection, GetProxyForUrl, change notification, and
 * the functions that are refused. gate: not-mingw (it sets the environment, and newer functions) */
#define _GNU_SOURCE
#include "winhttp_server.h"

#include <sys/stat.h>

static char home[256];

static void put_file(const char *name, const char *text)
{
    char path[512];
    FILE *file;
    snprintf(path, sizeof(path), "%s/%s", home, name);
    file = fopen(path, "w");
    REQUIRE(file != NULL);
    fputs(text, file);
    fclose(file);
}

/* Puts a file in place as writers of settings do: whole, under its name. */
static void swap_file(const char *name, const char *text)
{
    char from[512], to[512];
    put_file("fresh", text);
    snprintf(from, sizeof(from), "%s/fresh", home);
    snprintf(to, sizeof(to), "%s/%s", home, name);
    REQUIRE(rename(from, to) == 0);
}

static void remove_file(const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", home, name);
    unlink(path);
}

/* An environment of one's own: no proxies, no desktop, no configuration. */
static void fresh(void)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY",
                                        "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD", "XDG_CURRENT_DESKTOP"};
    char path[512];
    size_t at;
    for (at = 0; at < COUNT(names); at++)
        unsetenv(names[at]);
    if (!home[0]) {
        snprintf(home, sizeof(home), "/tmp/nthttp-proxies-XXXXXX");
        REQUIRE(mkdtemp(home) != NULL);
    }
    remove_file("config.json");
    remove_file("kioslaverc");
    snprintf(path, sizeof(path), "%s/config.json", home);
    setenv("NTHTTP_CONFIG", path, 1);
    setenv("HOME", home, 1);
    setenv("XDG_CONFIG_HOME", home, 1);
    /* Nothing to climb from; and a name that is known, if it is asked for. */
    setenv("LOCALDOMAIN", "", 1);
    setenv("NTHTTP_HOSTS", "wpad.corp.example=127.0.0.1", 1);
}

/* Takes the folder away again. */
__attribute__((destructor)) static void sweep(void)
{
    static const char *const names[] = {"config.json", "config.json.lock", "config.json.new", "kioslaverc", "fresh",
                                        "glib-2.0/settings/keyfile"};
    size_t at;
    char path[512];
    if (!home[0])
        return;
    for (at = 0; at < COUNT(names); at++)
        remove_file(names[at]);
    snprintf(path, sizeof(path), "%s/glib-2.0/settings", home);
    rmdir(path);
    snprintf(path, sizeof(path), "%s/glib-2.0", home);
    rmdir(path);
    rmdir(home);
}

static int is_text(const WCHAR *text, const char *wanted)
{
    size_t at = 0;
    if (!text || !wanted)
        return !text && !wanted;
    for (; text[at] && text[at] == (WCHAR)wanted[at]; at++)
        ;
    return text[at] == (WCHAR)wanted[at];
}

static void check_default(DWORD access, const char *list, const char *bypass)
{
    WINHTTP_PROXY_INFO info;
    DWORD size = sizeof(info);
    int round;
    for (round = 0; round < 2; round++) {
        memset(&info, 0xcc, sizeof(info));
        if (round == 0)
            CHECK_WORKS(WinHttpGetDefaultProxyConfiguration(&info));
        else
            CHECK_WORKS(WinHttpQueryOption(NULL, WINHTTP_OPTION_PROXY, &info, &size));
        CHECK_EQ(info.dwAccessType, access);
        CHECK(is_text(info.lpszProxy, list));
        CHECK(is_text(info.lpszProxyBypass, bypass));
        GlobalFree(info.lpszProxy);
        GlobalFree(info.lpszProxyBypass);
    }
}

TEST(test_settings__the_default_is_kept)
{
    WINHTTP_PROXY_INFO info = {WINHTTP_ACCESS_TYPE_NAMED_PROXY, (LPWSTR)W("p:1;https=q"), (LPWSTR)W("<local>")};
    fresh();
    check_default(WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL);
    CHECK_WORKS(WinHttpSetDefaultProxyConfiguration(&info));
    check_default(WINHTTP_ACCESS_TYPE_NAMED_PROXY, "p:1;https=q", "<local>");
    info.lpszProxyBypass = NULL;
    CHECK_WORKS(WinHttpSetDefaultProxyConfiguration(&info));
    check_default(WINHTTP_ACCESS_TYPE_NAMED_PROXY, "p:1;https=q", NULL);
    /* The environment comes second, to "no proxy" too. */
    setenv("http_proxy", "http://e:2", 1);
    check_default(WINHTTP_ACCESS_TYPE_NAMED_PROXY, "p:1;https=q", NULL);
    info.dwAccessType = WINHTTP_ACCESS_TYPE_NO_PROXY;
    CHECK_WORKS(WinHttpSetDefaultProxyConfiguration(&info));
    check_default(WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL);
    remove_file("config.json");
    check_default(WINHTTP_ACCESS_TYPE_NAMED_PROXY, "http=http://e:2", NULL);
    setenv("HTTP_PROXY", "upper", 1);
    setenv("NO_PROXY", ".corp,10.0.0.0/8", 1);
    setenv("ALL_PROXY", "socks5://s", 1);
    check_default(WINHTTP_ACCESS_TYPE_NAMED_PROXY, "http=http://e:2;socks5://s", "corp;*.corp;10.0.0.0/8");
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    setenv("REQUEST_METHOD", "GET", 1);
    check_default(WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL);
}

TEST(test_settings__what_is_no_default)
{
    WINHTTP_PROXY_INFO info = {WINHTTP_ACCESS_TYPE_NAMED_PROXY, NULL, NULL};
    fresh();
    CHECK_FAILS(WinHttpGetDefaultProxyConfiguration(NULL), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSetDefaultProxyConfiguration(NULL), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSetDefaultProxyConfiguration(&info), ERROR_INVALID_PARAMETER);
    info.lpszProxy = (LPWSTR)W("");
    CHECK_FAILS(WinHttpSetDefaultProxyConfiguration(&info), ERROR_INVALID_PARAMETER);
    info.lpszProxy = (LPWSTR)W("\u00e4");
    CHECK_FAILS(WinHttpSetDefaultProxyConfiguration(&info), ERROR_INVALID_PARAMETER);
    info.lpszProxy = (LPWSTR)W("p");
    info.lpszProxyBypass = (LPWSTR)W("\u00e4");
    CHECK_FAILS(WinHttpSetDefaultProxyConfiguration(&info), ERROR_INVALID_PARAMETER);
    info.lpszProxyBypass = NULL;
    info.dwAccessType = WINHTTP_ACCESS_TYPE_DEFAULT_PROXY;
    CHECK_FAILS(WinHttpSetDefaultProxyConfiguration(&info), ERROR_INVALID_PARAMETER);
    info.dwAccessType = WINHTTP_ACCESS_TYPE_AUTOMATIC_PROXY;
    CHECK_FAILS(WinHttpSetDefaultProxyConfiguration(&info), ERROR_INVALID_PARAMETER);
    info.dwAccessType = WINHTTP_ACCESS_TYPE_NAMED_PROXY;
    /* Nobody makes folders there. */
    setenv("NTHTTP_CONFIG", "/sys/nthttp/config.json", 1);
    CHECK_FAILS(WinHttpSetDefaultProxyConfiguration(&info), ERROR_ACCESS_DENIED);
    setenv("NTHTTP_CONFIG", "/dev/null/config.json", 1);
    CHECK_FAILS(WinHttpSetDefaultProxyConfiguration(&info), ERROR_WINHTTP_INTERNAL_ERROR);
    check_default(WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL);
}

TEST(test_settings__the_default_counts_for_sessions_opened_later)
{
    struct trio it;
    HINTERNET later;
    WINHTTP_PROXY_INFO shown, info = {WINHTTP_ACCESS_TYPE_NAMED_PROXY, NULL, NULL};
    DWORD size = sizeof(shown);
    WCHAR list[32];
    char text[32];
    size_t at = 0;
    SERVER(server, {OK_HELLO, CLOSE}, {OK_HELLO, CLOSE}, {OK_HELLO, CLOSE});
    fresh();
    snprintf(text, sizeof(text), "127.0.0.1:%d", server.port);
    do
        list[at] = (WCHAR)text[at];
    while (text[at++]);
    it.session = WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_DEFAULT_PROXY, NULL, NULL, 0);
    info.lpszProxy = list;
    CHECK_WORKS(WinHttpSetDefaultProxyConfiguration(&info));
    it.connect = WinHttpConnect(it.session, W("127.0.0.1"), (INTERNET_PORT)server.port, 0);
    it.request = WinHttpOpenRequest(it.connect, NULL, W("/a"), NULL, NULL, NULL, 0);
    REQUIRE(exchange(it.request));
    CHECK_HAS(server.requests[0], "GET /a HTTP");
    trio_close(&it);
    it.session = WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_DEFAULT_PROXY, NULL, NULL, 0);
    it.connect = WinHttpConnect(it.session, W("127.0.0.1"), (INTERNET_PORT)server.port, 0);
    it.request = WinHttpOpenRequest(it.connect, NULL, W("/b"), NULL, NULL, NULL, 0);
    REQUIRE(exchange(it.request));
    CHECK_HAS(server.requests[1], "GET http://127.0.0.1:");
    /* What the default is, not that it is one. */
    memset(&shown, 0, sizeof(shown));
    CHECK_WORKS(WinHttpQueryOption(it.session, WINHTTP_OPTION_PROXY, &shown, &size));
    CHECK_EQ(shown.dwAccessType, WINHTTP_ACCESS_TYPE_NAMED_PROXY);
    CHECK(is_text(shown.lpszProxy, text));
    GlobalFree(shown.lpszProxy);
    trio_close(&it);
    later = WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0);
    it.session = later;
    info.dwAccessType = WINHTTP_ACCESS_TYPE_DEFAULT_PROXY;
    CHECK_WORKS(WinHttpSetOption(later, WINHTTP_OPTION_PROXY, &info, sizeof(info)));
    it.connect = WinHttpConnect(it.session, W("127.0.0.1"), (INTERNET_PORT)server.port, 0);
    it.request = WinHttpOpenRequest(it.connect, NULL, W("/c"), NULL, NULL, NULL, 0);
    REQUIRE(exchange(it.request));
    CHECK_HAS(server.requests[2], "GET http://127.0.0.1:");
    trio_close(&it);
    server_end(&server);
}

static void check_user(BOOL detect, const char *script, const char *list, const char *bypass)
{
    WINHTTP_CURRENT_USER_IE_PROXY_CONFIG config;
    memset(&config, 0xcc, sizeof(config));
    CHECK_WORKS(WinHttpGetIEProxyConfigForCurrentUser(&config));
    CHECK_EQ(config.fAutoDetect, detect);
    CHECK(is_text(config.lpszAutoConfigUrl, script));
    CHECK(is_text(config.lpszProxy, list));
    CHECK(is_text(config.lpszProxyBypass, bypass));
    GlobalFree(config.lpszAutoConfigUrl);
    GlobalFree(config.lpszProxy);
    GlobalFree(config.lpszProxyBypass);
}

TEST(test_settings__of_the_user)
{
    WINHTTP_CURRENT_USER_IE_PROXY_CONFIG config;
    char path[512];
    fresh();
    CHECK_FAILS(WinHttpGetIEProxyConfigForCurrentUser(NULL), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpGetIEProxyConfigForCurrentUser(&config), ERROR_FILE_NOT_FOUND);
    setenv("https_proxy", "q:9", 1);
    check_user(FALSE, NULL, "https=q:9", NULL);
    put_file("kioslaverc", "[Proxy Settings]\nProxyType=1\nhttpProxy=http://p 3128\nNoProxyFor=.kde.org\n");
    check_user(FALSE, NULL, "http=http://p:3128", "kde.org;*.kde.org");
    put_file("kioslaverc", "[Proxy Settings]\nProxyType=2\nProxy Config Script=http://w/p.pac\n");
    check_user(FALSE, "http://w/p.pac", NULL, NULL);
    put_file("kioslaverc", "[Proxy Settings]\nProxyType=3\n");
    check_user(TRUE, NULL, NULL, NULL);
    put_file("kioslaverc", "[Proxy Settings]\nProxyType=0\n");
    check_user(FALSE, NULL, NULL, NULL);
    /* On another desktop KDE's file says nothing. */
    setenv("XDG_CURRENT_DESKTOP", "ubuntu:GNOME", 1);
    check_user(FALSE, NULL, "https=q:9", NULL);
    snprintf(path, sizeof(path), "%s/glib-2.0", home);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/glib-2.0/settings", home);
    mkdir(path, 0700);
    put_file("glib-2.0/settings/keyfile", "[system/proxy]\nmode='manual'\nignore-hosts=['*.x']\n[system/proxy/http]\nhost='g'\nport=8\n");
    check_user(FALSE, NULL, "http=g:8", "x;*.x");
    put_file("glib-2.0/settings/keyfile", "[system/proxy]\nmode='auto'\n");
    check_user(TRUE, NULL, NULL, NULL);
    remove_file("glib-2.0/settings/keyfile");
    unsetenv("https_proxy");
    CHECK_FAILS(WinHttpGetIEProxyConfigForCurrentUser(&config), ERROR_FILE_NOT_FOUND);
}

TEST(test_settings__detection)
{
    LPWSTR url = (LPWSTR)W("old");
    fresh();
    CHECK_FAILS(WinHttpDetectAutoProxyConfigUrl(0, &url), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpDetectAutoProxyConfigUrl(4, &url), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpDetectAutoProxyConfigUrl(WINHTTP_AUTO_DETECT_TYPE_DNS_A, NULL), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpDetectAutoProxyConfigUrl(WINHTTP_AUTO_DETECT_TYPE_DNS_A, &url), ERROR_WINHTTP_AUTODETECTION_FAILED);
    CHECK(url == NULL);
    setenv("LOCALDOMAIN", "deep.down.corp.example", 1);
    CHECK_WORKS(WinHttpDetectAutoProxyConfigUrl(WINHTTP_AUTO_DETECT_TYPE_DHCP | WINHTTP_AUTO_DETECT_TYPE_DNS_A, &url));
    CHECK(is_text(url, "http://wpad.corp.example/wpad.dat"));
    GlobalFree(url);
    /* A public suffix belongs to nobody: not even asked. */
    setenv("LOCALDOMAIN", "com co.uk", 1);
    CHECK_FAILS(WinHttpDetectAutoProxyConfigUrl(WINHTTP_AUTO_DETECT_TYPE_DNS_A, &url), ERROR_WINHTTP_AUTODETECTION_FAILED);
}

TEST(test_settings__proxy_for_url)
{
    WINHTTP_AUTOPROXY_OPTIONS options = {WINHTTP_AUTOPROXY_CONFIG_URL, 0, W("http://w/p.pac"), NULL, 0, FALSE};
    WINHTTP_PROXY_INFO info, untouched;
    HINTERNET session, connect;
    fresh();
    session = WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0);
    connect = WinHttpConnect(session, W("h"), 80, 0);
    CHECK_FAILS(WinHttpGetProxyForUrl(NULL, W("http://h/"), &options, &info), ERROR_INVALID_HANDLE);
    CHECK_FAILS(WinHttpGetProxyForUrl(connect, W("http://h/"), &options, &info), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    /* A handle that is none goes before every other fault, a wrong kind of one does not. */
    CHECK_FAILS(WinHttpGetProxyForUrl(NULL, NULL, NULL, NULL), ERROR_INVALID_HANDLE);
    CHECK_FAILS(WinHttpGetProxyForUrl((HINTERNET)&info, W("http://h/"), &options, &info), ERROR_INVALID_HANDLE);
    CHECK_FAILS(WinHttpGetProxyForUrl(connect, NULL, &options, &info), ERROR_INVALID_PARAMETER);
    memset(&info, 0xcc, sizeof(info));
    untouched = info;
    CHECK_FAILS(WinHttpGetProxyForUrl(session, NULL, &options, &info), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpGetProxyForUrl(session, W("http://h/"), NULL, &info), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpGetProxyForUrl(session, W("http://h/"), &options, NULL), ERROR_INVALID_PARAMETER);
    CHECK(!WinHttpGetProxyForUrl(session, W("http:"), &options, &info));
    CHECK_FAILS(WinHttpGetProxyForUrl(session, W("ftp://h/"), &options, &info), ERROR_WINHTTP_UNRECOGNIZED_SCHEME);
    CHECK_FAILS(WinHttpGetProxyForUrl(session, W("http://h/"), &options, &info), ERROR_WINHTTP_BAD_AUTO_PROXY_SCRIPT);
    options.lpszAutoConfigUrl = W("file:///p.pac");
    CHECK_FAILS(WinHttpGetProxyForUrl(session, W("http://h/"), &options, &info), ERROR_WINHTTP_UNRECOGNIZED_SCHEME);
    options.lpszAutoConfigUrl = NULL;
    CHECK_FAILS(WinHttpGetProxyForUrl(session, W("http://h/"), &options, &info), ERROR_INVALID_PARAMETER);
    options.dwFlags = 0;
    CHECK_FAILS(WinHttpGetProxyForUrl(session, W("http://h/"), &options, &info), ERROR_INVALID_PARAMETER);
    options.dwFlags = WINHTTP_AUTOPROXY_AUTO_DETECT;
    CHECK_FAILS(WinHttpGetProxyForUrl(session, W("http://h/"), &options, &info), ERROR_INVALID_PARAMETER);
    options.dwAutoDetectFlags = WINHTTP_AUTO_DETECT_TYPE_DNS_A;
    CHECK_FAILS(WinHttpGetProxyForUrl(session, W("http://h/"), &options, &info), ERROR_WINHTTP_AUTODETECTION_FAILED);
    options.dwFlags = WINHTTP_AUTOPROXY_ALLOW_AUTOCONFIG;
    CHECK_FAILS(WinHttpGetProxyForUrl(session, W("http://h/"), &options, &info), ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR);
    put_file("kioslaverc", "[Proxy Settings]\nProxyType=2\nProxy Config Script=http://w/p.pac\n");
    CHECK_FAILS(WinHttpGetProxyForUrl(session, W("http://h/"), &options, &info), ERROR_WINHTTP_BAD_AUTO_PROXY_SCRIPT);
    CHECK(memcmp(&info, &untouched, sizeof(info)) == 0);
    CHECK(WinHttpCloseHandle(connect));
    CHECK(WinHttpCloseHandle(session));
}

TEST(test_settings__proxy_for_url_by_lists)
{
    static const struct {
        const WCHAR *url;
        const char *list;
    } cases[] = {
        {W("http://far.example/x"), "p:80;q:1"}, {W("https://far.example:99/"), "s:81;q:1"}, {W("http://a.corp/"), NULL},
        {W("HTTP://CORP/"), NULL},
    };
    WINHTTP_AUTOPROXY_OPTIONS options = {0, WINHTTP_AUTO_DETECT_TYPE_DNS_A, NULL, NULL, 0, FALSE};
    WINHTTP_PROXY_INFO info, set = {WINHTTP_ACCESS_TYPE_NAMED_PROXY, (LPWSTR)W("http=p https=s:81 q:1"), (LPWSTR)W("*.corp;corp")};
    HINTERNET session;
    size_t at;
    fresh();
    session = WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, WINHTTP_FLAG_ASYNC);
    CHECK(WinHttpSetDefaultProxyConfiguration(&set));
    options.dwFlags = WINHTTP_AUTOPROXY_ALLOW_STATIC | WINHTTP_AUTOPROXY_AUTO_DETECT;
    for (at = 0; at < COUNT(cases); at++) {
        memset(&info, 0xcc, sizeof(info));
        CHECK_WORKS(WinHttpGetProxyForUrl(session, cases[at].url, &options, &info));
        CHECK_EQ(info.dwAccessType, cases[at].list ? WINHTTP_ACCESS_TYPE_NAMED_PROXY : WINHTTP_ACCESS_TYPE_NO_PROXY);
        CHECK(is_text(info.lpszProxy, cases[at].list));
        CHECK(info.lpszProxyBypass == NULL);
        GlobalFree(info.lpszProxy);
    }
    /* The user's own list goes before the default. */
    put_file("kioslaverc", "[Proxy Settings]\nProxyType=1\nsocksProxy=socks://u 3128\n");
    CHECK_WORKS(WinHttpGetProxyForUrl(session, W("http://far.example"), &options, &info));
    CHECK(is_text(info.lpszProxy, "socks5h://u:3128"));
    GlobalFree(info.lpszProxy);
    CHECK(WinHttpCloseHandle(session));
}

TEST(test_settings__automatic_proxies_fail_over)
{
    struct trio it;
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    char text[256];
    DWORD_PTR context = 9;
    int nobody = (int)socket(AF_INET, SOCK_STREAM, 0);
    SERVER(server, {OK_HELLO, KEEP}, {OK_HELLO, KEEP});
    fresh();
    notes_clear(NULL);
    /* A port that is taken and not listened on. */
    client_address(&address, 0);
    REQUIRE(bind(nobody, (struct sockaddr *)&address, sizeof(address)) == 0);
    REQUIRE(getsockname(nobody, (struct sockaddr *)&address, &size) == 0);
    snprintf(text, sizeof(text), "http=http://127.0.0.1:%d", ntohs(address.sin_port));
    setenv("http_proxy", text + 5, 1);
    snprintf(text, sizeof(text), "http://127.0.0.1:%d", server.port);
    setenv("all_proxy", text, 1);
    it.session = WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_AUTOMATIC_PROXY, NULL, NULL, 0);
    REQUIRE(it.session != NULL);
    CHECK_EQ(WinHttpResetAutoProxy(it.session, WINHTTP_RESET_ALL | WINHTTP_RESET_OUT_OF_PROC), 0);
    CHECK(WinHttpSetStatusCallback(it.session, record, WINHTTP_CALLBACK_FLAG_CONNECT_TO_SERVER, 0) == NULL);
    CHECK(WinHttpSetOption(it.session, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
    it.connect = WinHttpConnect(it.session, W("far.example"), 80, 0);
    it.request = WinHttpOpenRequest(it.connect, NULL, W("/a"), NULL, NULL, NULL, 0);
    REQUIRE(exchange(it.request));
    CHECK_HAS(server.requests[0], "GET http://far.example/a HTTP/1.1\r\n");
    CHECK_TOLD(9, "CONNECTING A, CONNECTING A, CONNECTED A");
    CHECK_EQ(read_body(it.request, text, sizeof(text)), 5);
    /* The one that was not there is not tried first again; the other's connection is there still. */
    CHECK(WinHttpCloseHandle(it.request));
    it.request = WinHttpOpenRequest(it.connect, NULL, W("/b"), NULL, NULL, NULL, 0);
    REQUIRE(exchange(it.request));
    CHECK_TOLD(9, "CONNECTING A, CONNECTING A, CONNECTED A");
    CHECK_EQ(read_body(it.request, text, sizeof(text)), 5);
    trio_close(&it);
    /* When none is there, that is the error; a named proxy has no second. */
    server_end(&server);
    it.session = WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_AUTOMATIC_PROXY, NULL, NULL, 0);
    it.connect = WinHttpConnect(it.session, W("far.example"), 80, 0);
    it.request = WinHttpOpenRequest(it.connect, NULL, W("/c"), NULL, NULL, NULL, 0);
    CHECK_FAILS(exchange(it.request), ERROR_WINHTTP_CANNOT_CONNECT);
    CHECK_EQ(WinHttpResetAutoProxy(it.session, WINHTTP_RESET_STATE | WINHTTP_RESET_OUT_OF_PROC), 0);
    trio_close(&it);
    close(nobody);
}

TEST(test_settings__reset)
{
    struct trio it;
    fresh();
    trio_open(&it, 80, NULL, NULL, 0);
    CHECK_EQ(WinHttpResetAutoProxy(NULL, WINHTTP_RESET_OUT_OF_PROC), ERROR_INVALID_HANDLE);
    CHECK_EQ(WinHttpResetAutoProxy(it.request, WINHTTP_RESET_OUT_OF_PROC), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_EQ(WinHttpResetAutoProxy(it.session, WINHTTP_RESET_ALL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpResetAutoProxy(it.session, WINHTTP_RESET_OUT_OF_PROC), 0);
    trio_close(&it);
}

TEST(test_settings__bypass_lists_by_themselves)
{
    WINHTTP_PROXY_INFO info = {WINHTTP_ACCESS_TYPE_NAMED_PROXY, (LPWSTR)W("p"), (LPWSTR)W("<local>;https://*.corp")};
    BOOL is = 7;
    CHECK_EQ(WinHttpIsHostInProxyBypassList(&info, W("intranet"), INTERNET_SCHEME_HTTP, 80, &is), 0);
    CHECK_EQ(is, TRUE);
    CHECK_EQ(WinHttpIsHostInProxyBypassList(&info, W("a.corp"), INTERNET_SCHEME_HTTP, 80, &is), 0);
    CHECK_EQ(is, FALSE);
    CHECK_EQ(WinHttpIsHostInProxyBypassList(&info, W("a.corp"), INTERNET_SCHEME_HTTPS, 443, &is), 0);
    CHECK_EQ(is, TRUE);
    CHECK_EQ(WinHttpIsHostInProxyBypassList(NULL, W("h"), INTERNET_SCHEME_HTTP, 80, &is), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpIsHostInProxyBypassList(&info, NULL, INTERNET_SCHEME_HTTP, 80, &is), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpIsHostInProxyBypassList(&info, W("h"), INTERNET_SCHEME_HTTP, 80, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpIsHostInProxyBypassList(&info, W("h"), INTERNET_SCHEME_FTP, 80, &is), ERROR_INVALID_PARAMETER);
    is = 7;
    CHECK_EQ(WinHttpIsHostInProxyBypassList(&info, W("h"), (INTERNET_SCHEME)0, 80, &is), ERROR_INVALID_PARAMETER);
    CHECK_EQ(is, 7);
    /* Addresses with or without their brackets, names in either case, whole names only. */
    info.lpszProxyBypass = (LPWSTR)W("[::1]:80 ::2;Name *.b.c");
    CHECK_EQ(WinHttpIsHostInProxyBypassList(&info, W("::1"), INTERNET_SCHEME_HTTP, 80, &is), 0);
    CHECK_EQ(is, TRUE);
    CHECK_EQ(WinHttpIsHostInProxyBypassList(&info, W("[::1]"), INTERNET_SCHEME_HTTP, 81, &is), 0);
    CHECK_EQ(is, FALSE);
    CHECK_EQ(WinHttpIsHostInProxyBypassList(&info, W("[::2]"), INTERNET_SCHEME_HTTP, 81, &is), 0);
    CHECK_EQ(is, TRUE);
    CHECK_EQ(WinHttpIsHostInProxyBypassList(&info, W("nAME"), INTERNET_SCHEME_HTTPS, 1, &is), 0);
    CHECK_EQ(is, TRUE);
    CHECK_EQ(WinHttpIsHostInProxyBypassList(&info, W("a.name"), INTERNET_SCHEME_HTTPS, 1, &is), 0);
    CHECK_EQ(is, FALSE);
    CHECK_EQ(WinHttpIsHostInProxyBypassList(&info, W("a.b.c"), INTERNET_SCHEME_HTTP, 1, &is), 0);
    CHECK_EQ(is, TRUE);
    CHECK_EQ(WinHttpIsHostInProxyBypassList(&info, W("b.c"), INTERNET_SCHEME_HTTP, 1, &is), 0);
    CHECK_EQ(is, FALSE);
    info.lpszProxyBypass = NULL;
    CHECK_EQ(WinHttpIsHostInProxyBypassList(&info, W("name"), INTERNET_SCHEME_HTTP, 1, &is), 0);
    CHECK_EQ(is, FALSE);
    info.lpszProxyBypass = (LPWSTR)W("*");
    info.dwAccessType = WINHTTP_ACCESS_TYPE_NO_PROXY;
    CHECK_EQ(WinHttpIsHostInProxyBypassList(&info, W("intranet"), INTERNET_SCHEME_HTTP, 80, &is), 0);
    CHECK_EQ(is, FALSE);
}

/* Who is told of changes. */
struct told {
    LONG times;
    HANDLE event;
    /* Set to end the registration from inside. */
    PVOID registration;
    HANDLE may_go;
};

static VOID CALLBACK on_change(ULONGLONG flags, PVOID context)
{
    struct told *it = context;
    CHECK_EQ(flags, WINHTTP_PROXY_NOTIFY_CHANGE);
    InterlockedIncrement(&it->times);
    if (it->registration)
        CHECK_EQ(WinHttpUnregisterProxyChangeNotification(it->registration), 0);
    SetEvent(it->event);
    if (it->may_go)
        CHECK_EQ(WaitForSingleObject(it->may_go, 10000), WAIT_OBJECT_0);
}

TEST(test_settings__changes_are_told)
{
    struct told one = {0}, two = {0};
    PVOID first = NULL, second = NULL;
    WINHTTP_PROXY_INFO info = {WINHTTP_ACCESS_TYPE_NAMED_PROXY, (LPWSTR)W("p"), NULL};
    fresh();
    one.event = CreateEventW(NULL, FALSE, FALSE, NULL);
    two.event = CreateEventW(NULL, FALSE, FALSE, NULL);
    CHECK_EQ(WinHttpRegisterProxyChangeNotification(0, on_change, &one, &first), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpRegisterProxyChangeNotification(WINHTTP_PROXY_NOTIFY_CHANGE, NULL, &one, &first), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpRegisterProxyChangeNotification(WINHTTP_PROXY_NOTIFY_CHANGE, on_change, &one, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpUnregisterProxyChangeNotification(NULL), ERROR_INVALID_HANDLE);
    CHECK_EQ(WinHttpUnregisterProxyChangeNotification(&one), ERROR_INVALID_HANDLE);
    CHECK_EQ(WinHttpRegisterProxyChangeNotification(WINHTTP_PROXY_NOTIFY_CHANGE, on_change, &one, &first), 0);
    CHECK_EQ(WinHttpRegisterProxyChangeNotification(WINHTTP_PROXY_NOTIFY_CHANGE, on_change, &two, &second), 0);
    CHECK(first && second && first != second);
    CHECK(WinHttpSetDefaultProxyConfiguration(&info));
    CHECK_EQ(WaitForSingleObject(one.event, 10000), WAIT_OBJECT_0);
    CHECK_EQ(WaitForSingleObject(two.event, 10000), WAIT_OBJECT_0);
    /* One goes, and the other hears of the desktop's. */
    CHECK_EQ(WinHttpUnregisterProxyChangeNotification(first), 0);
    CHECK_EQ(WinHttpUnregisterProxyChangeNotification(first), ERROR_INVALID_HANDLE);
    swap_file("kioslaverc", "[Proxy Settings]\nProxyType=1\nhttpProxy=k 1\n");
    CHECK_EQ(WaitForSingleObject(two.event, 10000), WAIT_OBJECT_0);
    CHECK_EQ(one.times, 1);
    CHECK_EQ(two.times, 2);
    CHECK_EQ(WinHttpUnregisterProxyChangeNotification(second), 0);
    CloseHandle(one.event);
    CloseHandle(two.event);
}

static DWORD WINAPI unregister(void *registration)
{
    return WinHttpUnregisterProxyChangeNotification(registration);
}

TEST(test_settings__a_registration_ends_from_inside_and_waits_from_outside)
{
    struct told inside = {0}, outside = {0};
    PVOID registration;
    HANDLE thread;
    DWORD code = 1;
    fresh();
    inside.event = CreateEventW(NULL, FALSE, FALSE, NULL);
    outside.event = CreateEventW(NULL, FALSE, FALSE, NULL);
    outside.may_go = CreateEventW(NULL, FALSE, FALSE, NULL);
    CHECK_EQ(WinHttpRegisterProxyChangeNotification(WINHTTP_PROXY_NOTIFY_CHANGE, on_change, &inside, &inside.registration), 0);
    swap_file("kioslaverc", "[Proxy Settings]\nProxyType=1\nhttpProxy=k 2\n");
    CHECK_EQ(WaitForSingleObject(inside.event, 10000), WAIT_OBJECT_0);
    CHECK_EQ(WinHttpUnregisterProxyChangeNotification(inside.registration), ERROR_INVALID_HANDLE);
    CHECK_EQ(WinHttpRegisterProxyChangeNotification(WINHTTP_PROXY_NOTIFY_CHANGE, on_change, &outside, &registration), 0);
    swap_file("kioslaverc", "[Proxy Settings]\nProxyType=1\nhttpProxy=k 3\n");
    CHECK_EQ(WaitForSingleObject(outside.event, 10000), WAIT_OBJECT_0);
    thread = CreateThread(NULL, 0, unregister, registration, 0, NULL);
    CHECK_EQ(WaitForSingleObject(thread, 50), WAIT_TIMEOUT);
    SetEvent(outside.may_go);
    CHECK_EQ(WaitForSingleObject(thread, 10000), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(thread, &code));
    CHECK_EQ(code, 0);
    CloseHandle(thread);
    CHECK_EQ(inside.times, 1);
    CHECK_EQ(outside.times, 1);
    CloseHandle(inside.event);
    CloseHandle(outside.event);
    CloseHandle(outside.may_go);
}

TEST(test_settings__what_only_windows_has)
{
    struct trio it;
    WINHTTP_CONNECTION_POLICY_ENTRY_LIST policies = {NULL, 0};
    WINHTTP_CONNECTION_IFINDEX_LIST indices = {NULL, 0};
    WINHTTP_CONNECTION_PROXY_INFO proxy;
    WINHTTP_PROXY_SETTINGS settings;
    DWORD version = 7;
    fresh();
    memset(&proxy, 0, sizeof(proxy));
    trio_open(&it, 80, NULL, NULL, 0);
    CHECK_EQ(WinHttpConnectionSetPolicyEntries(NULL, 0, &policies), ERROR_INVALID_HANDLE);
    CHECK_EQ(WinHttpConnectionSetPolicyEntries(it.connect, 0, &policies), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_EQ(WinHttpConnectionSetPolicyEntries(it.session, 3, &policies), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpConnectionSetPolicyEntries(it.session, 0, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpConnectionSetPolicyEntries(it.session, 2, &policies), ERROR_NOT_SUPPORTED);
    CHECK_EQ(WinHttpConnectionDeletePolicyEntries(NULL, 0), ERROR_INVALID_HANDLE);
    CHECK_EQ(WinHttpConnectionDeletePolicyEntries(it.request, 0), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_EQ(WinHttpConnectionDeletePolicyEntries(it.session, -1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpConnectionDeletePolicyEntries(it.session, 1), ERROR_NOT_SUPPORTED);
    CHECK_EQ(WinHttpConnectionSetProxyInfo(NULL, WINHTTP_CONNECTION_PROXY_TYPE_HTTP, &proxy), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpConnectionSetProxyInfo(W("Cellular"), 2, &proxy), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpConnectionSetProxyInfo(W("Cellular"), WINHTTP_CONNECTION_PROXY_TYPE_HTTP, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpConnectionSetProxyInfo(W("Cellular"), WINHTTP_CONNECTION_PROXY_TYPE_HTTP, &proxy), ERROR_NOT_SUPPORTED);
    CHECK_EQ(WinHttpConnectionDeleteProxyInfo(NULL, WINHTTP_CONNECTION_PROXY_TYPE_HTTP), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpConnectionDeleteProxyInfo(W("Cellular"), WINHTTP_CONNECTION_PROXY_TYPE_NULL), ERROR_NOT_SUPPORTED);
    CHECK_EQ(WinHttpConnectionUpdateIfIndexTable(NULL, &indices), ERROR_INVALID_HANDLE);
    CHECK_EQ(WinHttpConnectionUpdateIfIndexTable(it.connect, &indices), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_EQ(WinHttpConnectionUpdateIfIndexTable(it.session, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpConnectionUpdateIfIndexTable(it.session, &indices), ERROR_NOT_SUPPORTED);
    CHECK_EQ(WinHttpReadProxySettings(it.session, NULL, TRUE, FALSE, &version, NULL, &settings), ERROR_NOT_SUPPORTED);
    CHECK_EQ(WinHttpWriteProxySettings(it.session, FALSE, &settings), ERROR_NOT_SUPPORTED);
    CHECK_EQ(WinHttpGetProxySettingsVersion(it.session, &version), ERROR_NOT_SUPPORTED);
    CHECK_EQ(version, 7);
    WinHttpFreeProxySettings(NULL);
    CHECK_EQ(WinHttpSetProxySettingsPerUser(TRUE), geteuid() == 0 ? ERROR_NOT_SUPPORTED : ERROR_ACCESS_DENIED);
    version = FALSE;
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_PROXY_DISABLE_SERVICE_CALLS, &version, 4),
                ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_PROXY_DISABLE_SERVICE_CALLS, &version, 2), ERROR_INSUFFICIENT_BUFFER);
    CHECK_WORKS(WinHttpSetOption(it.session, WINHTTP_OPTION_PROXY_DISABLE_SERVICE_CALLS, &version, 4));
    trio_close(&it);
}

/* URLs taken apart and put together: the tables of the documentation and of observed behaviour. */
#include "winhttp_server.h"

static WCHAR url_room[512];

static const WCHAR *wide_url(const char *text)
{
    size_t at;
    for (at = 0; at <= strlen(text); at++)
        url_room[at] = (WCHAR)(unsigned char)text[at];
    return url_room;
}

static int is(const WCHAR *part, DWORD length, const char *wanted)
{
    size_t at;
    if (length != strlen(wanted))
        return 0;
    for (at = 0; at < length; at++)
        if (part[at] != (WCHAR)(unsigned char)wanted[at])
            return 0;
    return 1;
}

static void ask_for_pointers(URL_COMPONENTS *it)
{
    memset(it, 0, sizeof(*it));
    it->dwStructSize = sizeof(*it);
    it->dwSchemeLength = it->dwHostNameLength = it->dwUserNameLength = 1;
    it->dwPasswordLength = it->dwUrlPathLength = it->dwExtraInfoLength = 1;
}

TEST(test_url__taken_apart)
{
    static const struct {
        const char *url, *scheme, *user, *password, *host;
        int port;
        const char *path, *extra;
    } rows[] = {
        {"http://username:password@www.winehq.org/site/about?query", "http", "username", "password", "www.winehq.org", 80,
         "/site/about", "?query"},
        {"http://www.winehq.org:42", "http", NULL, NULL, "www.winehq.org", 42, "", ""},
        {"http://www.winehq.org:0", "http", NULL, NULL, "www.winehq.org", 0, "", ""},
        {"http://winehq.org:", "http", NULL, NULL, "winehq.org", 80, "", ""},
        {"http://winehq.org:/", "http", NULL, NULL, "winehq.org", 80, "/", ""},
        {"https://host", "https", NULL, NULL, "host", 443, "", ""},
        {"HTTP://host", "HTTP", NULL, NULL, "host", 80, "", ""},
        {"http://winehq?", "http", NULL, NULL, "winehq", 80, "", "?"},
        {"http://winehq/post;a", "http", NULL, NULL, "winehq", 80, "/post;a", ""},
        {"http://www.winehq.org/myscript.php;test=1?var1=a&var2=b@c", "http", NULL, NULL, "www.winehq.org", 80,
         "/myscript.php;test=1", "?var1=a&var2=b@c"},
        {"http://user@host/", "http", "user", NULL, "host", 80, "/", ""},
        {"http://h/p#f?q", "http", NULL, NULL, "h", 80, "/p", "#f?q"},
        {"http://[::1]:81/", "http", NULL, NULL, "[::1]", 81, "/", ""},
    };
    size_t at;
    for (at = 0; at < COUNT(rows); at++) {
        URL_COMPONENTS it;
        ask_for_pointers(&it);
        CHECK_WORKS(WinHttpCrackUrl(wide_url(rows[at].url), 0, 0, &it));
        harness_current = rows[at].url;
        CHECK(is(it.lpszScheme, it.dwSchemeLength, rows[at].scheme));
        CHECK(it.lpszScheme == url_room);
        CHECK_EQ(it.nScheme, it.dwSchemeLength == 5 ? INTERNET_SCHEME_HTTPS : INTERNET_SCHEME_HTTP);
        CHECK(is(it.lpszUserName, it.dwUserNameLength, rows[at].user ? rows[at].user : ""));
        CHECK((it.lpszUserName != NULL) == (rows[at].user != NULL));
        CHECK(is(it.lpszPassword, it.dwPasswordLength, rows[at].password ? rows[at].password : ""));
        CHECK((it.lpszPassword != NULL) == (rows[at].password != NULL));
        CHECK(is(it.lpszHostName, it.dwHostNameLength, rows[at].host));
        CHECK_EQ(it.nPort, rows[at].port);
        CHECK(is(it.lpszUrlPath, it.dwUrlPathLength, rows[at].path));
        CHECK(is(it.lpszExtraInfo, it.dwExtraInfoLength, rows[at].extra));
        harness_current = "test_url__taken_apart";
    }
}

TEST(test_url__that_cannot_be_taken_apart)
{
    static const struct {
        const char *url;
        DWORD flags, error;
    } rows[] = {
        {"http://winehq.org:65536", 0, ERROR_WINHTTP_INVALID_URL}, {"http:", 0, ERROR_WINHTTP_INVALID_URL},
        {"http:/", 0, ERROR_WINHTTP_INVALID_URL}, {"http://", 0, ERROR_WINHTTP_INVALID_URL},
        {"HTTP:www", 0, ERROR_WINHTTP_INVALID_URL}, {"http:/www", 0, ERROR_WINHTTP_INVALID_URL},
        {"www.host.org", 0, ERROR_WINHTTP_UNRECOGNIZED_SCHEME}, {"http", 0, ERROR_WINHTTP_UNRECOGNIZED_SCHEME},
        {"", 0, ERROR_WINHTTP_UNRECOGNIZED_SCHEME}, {"ftp://host", 0, ERROR_WINHTTP_UNRECOGNIZED_SCHEME},
        {"http://:@host/", ICU_REJECT_USERPWD, ERROR_WINHTTP_INVALID_URL},
        {"http://host/", ICU_DECODE, ERROR_INVALID_PARAMETER}, {"http://host/", ICU_ESCAPE, ERROR_INVALID_PARAMETER},
    };
    URL_COMPONENTS it;
    size_t at;
    for (at = 0; at < COUNT(rows); at++) {
        ask_for_pointers(&it);
        harness_current = rows[at].url;
        CHECK_FAILS(WinHttpCrackUrl(wide_url(rows[at].url), 0, rows[at].flags, &it), rows[at].error);
        harness_current = "test_url__that_cannot_be_taken_apart";
    }
    CHECK_FAILS(WinHttpCrackUrl(NULL, 0, 0, &it), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpCrackUrl(wide_url("http://a"), 0, 0, NULL), ERROR_INVALID_PARAMETER);
    it.dwStructSize--;
    CHECK_FAILS(WinHttpCrackUrl(wide_url("http://a"), 0, 0, &it), ERROR_INVALID_PARAMETER);
}

TEST(test_url__copies_and_their_room)
{
    URL_COMPONENTS it;
    WCHAR scheme[1], host[1], path[20], extra[8];
    const WCHAR *url = wide_url("http://username:password@www.winehq.org/site/about?query");
    memset(&it, 0, sizeof(it));
    it.dwStructSize = sizeof(it);
    it.lpszScheme = scheme;
    it.dwSchemeLength = 1;
    it.lpszHostName = host;
    it.dwHostNameLength = 1;
    it.lpszUrlPath = path;
    it.dwUrlPathLength = 20;
    it.dwExtraInfoLength = 1;
    CHECK_FAILS(WinHttpCrackUrl(url, 0, 0, &it), ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(it.dwSchemeLength, 5);
    CHECK_EQ(it.dwHostNameLength, 15);
    CHECK(is(path, it.dwUrlPathLength, "/site/about") && path[11] == 0);
    it.dwHostNameLength = 0;
    CHECK_FAILS(WinHttpCrackUrl(url, 0, 0, &it), ERROR_INVALID_PARAMETER);
    /* Only the path: it keeps the query. A length limits the URL. */
    memset(&it, 0, sizeof(it));
    it.dwStructSize = sizeof(it);
    it.dwUrlPathLength = 1;
    CHECK(WinHttpCrackUrl(url, 54, 0, &it));
    CHECK(is(it.lpszUrlPath, it.dwUrlPathLength, "/site/about?que"));
    /* Decoding and escaping go to copies. */
    it.lpszUrlPath = path;
    it.dwUrlPathLength = 20;
    it.lpszExtraInfo = extra;
    it.dwExtraInfoLength = 8;
    CHECK(WinHttpCrackUrl(wide_url("http://a/b%20c%3Fd"), 0, ICU_DECODE, &it));
    CHECK(is(path, it.dwUrlPathLength, "/b c") && is(extra, it.dwExtraInfoLength, "?d"));
    it.dwUrlPathLength = 20;
    it.dwExtraInfoLength = 8;
    CHECK(WinHttpCrackUrl(wide_url("http://a/b c"), 0, ICU_ESCAPE, &it));
    CHECK(is(path, it.dwUrlPathLength, "/b%20c"));
}

static URL_COMPONENTS parts_of(const WCHAR *scheme, const WCHAR *user, const WCHAR *password, const WCHAR *host, int port,
                               const WCHAR *path, const WCHAR *extra)
{
    URL_COMPONENTS it;
    memset(&it, 0, sizeof(it));
    it.dwStructSize = sizeof(it);
    it.lpszScheme = (WCHAR *)scheme;
    it.lpszUserName = (WCHAR *)user;
    it.lpszPassword = (WCHAR *)password;
    it.lpszHostName = (WCHAR *)host;
    it.nPort = (INTERNET_PORT)port;
    it.lpszUrlPath = (WCHAR *)path;
    it.lpszExtraInfo = (WCHAR *)extra;
    return it;
}

static void check_made(URL_COMPONENTS it, DWORD flags, const char *wanted)
{
    WCHAR url[300];
    DWORD length = 300;
    harness_current = wanted;
    CHECK_WORKS(WinHttpCreateUrl(&it, flags, url, &length));
    CHECK(is(url, length, wanted) && url[length] == 0);
}

TEST(test_url__put_together)
{
#define USER W("username"), W("password"), W("www.winehq.org")
    check_made(parts_of(W("http"), USER, 80, W("/site/about"), W("?query")), 0,
               "http://username:password@www.winehq.org/site/about?query");
    check_made(parts_of(W("http"), USER, 42, W("site/about"), W("?query")), 0,
               "http://username:password@www.winehq.org:42/site/about?query");
    check_made(parts_of(W("http"), USER, 0, W("/"), NULL), 0, "http://username:password@www.winehq.org:0/");
    check_made(parts_of(W("https"), NULL, NULL, W("h"), 443, NULL, NULL), 0, "https://h");
    check_made(parts_of(W("https"), NULL, NULL, W("h"), 80, NULL, NULL), 0, "https://h:80");
    check_made(parts_of(W("http"), W(""), W(""), W("h"), 80, NULL, NULL), 0, "http://:@h");
    check_made(parts_of(W("http"), W("u"), NULL, W("h"), 80, NULL, NULL), 0, "http://u@h");
    check_made(parts_of(W("ftp"), NULL, NULL, W("h"), 80, W("/"), NULL), 0, "ftp://h:80/");
    check_made(parts_of(NULL, NULL, NULL, NULL, 0, NULL, W("?text= !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")), ICU_ESCAPE,
               "http://?text=%20!%22%23$%25&'()*+,-./:;%3C=%3E?@%5B%5C%5D%5E_%60%7B%7C%7D%7E");
}

TEST(test_url__that_cannot_be_put_together)
{
    URL_COMPONENTS it = parts_of(W("http"), USER, 80, W("/site/about"), W("?query"));
    WCHAR url[64];
    DWORD length = 10;
    CHECK_FAILS(WinHttpCreateUrl(&it, 0, url, &length), ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(length, 57);
    CHECK_FAILS(WinHttpCreateUrl(&it, 0, NULL, &length), ERROR_INVALID_PARAMETER);
    CHECK_EQ(length, 57);
    CHECK_FAILS(WinHttpCreateUrl(NULL, 0, url, &length), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpCreateUrl(&it, 0, url, NULL), ERROR_INVALID_PARAMETER);
    it.lpszUserName = NULL;
    length = 64;
    CHECK_FAILS(WinHttpCreateUrl(&it, 0, url, &length), ERROR_INVALID_PARAMETER);
    CHECK_EQ(length, 64);
    it.dwStructSize = 1;
    CHECK_FAILS(WinHttpCreateUrl(&it, 0, url, &length), ERROR_INVALID_PARAMETER);
}

TEST(test_url__rooms_to_the_character)
{
    URL_COMPONENTS it = parts_of(W("http"), NULL, NULL, W("host"), 80, W("/p"), NULL);
    WCHAR url[16], host[8];
    DWORD length;
    /* "http://host/p" has 13 characters; the NUL needs room too. */
    for (length = 0; length <= 13; length++) {
        DWORD needed = length;
        url[0] = 'x';
        CHECK_FAILS(WinHttpCreateUrl(&it, 0, url, &needed), ERROR_INSUFFICIENT_BUFFER);
        CHECK(needed == 14 && url[0] == 'x');
    }
    CHECK_WORKS(WinHttpCreateUrl(&it, 0, url, &length));
    CHECK(length == 13 && url[13] == 0);
    for (length = 1; length <= 4; length++) {
        memset(&it, 0, sizeof(it));
        it.dwStructSize = sizeof(it);
        it.lpszHostName = host;
        it.dwHostNameLength = length;
        CHECK_FAILS(WinHttpCrackUrl(W("http://host/p"), 0, 0, &it), ERROR_INSUFFICIENT_BUFFER);
        CHECK_EQ(it.dwHostNameLength, 5);
    }
    CHECK_WORKS(WinHttpCrackUrl(W("http://host/p"), 0, 0, &it));
    CHECK(is(host, it.dwHostNameLength, "host") && host[4] == 0);
    /* The length of a part, and of the URL, counts where it is given. */
    it = parts_of(W("http"), NULL, NULL, W("hostess"), 80, W("/path"), NULL);
    it.dwHostNameLength = 4;
    it.dwUrlPathLength = 2;
    length = COUNT(url);
    CHECK_WORKS(WinHttpCreateUrl(&it, 0, url, &length));
    CHECK(is(url, length, "http://host/p"));
}

TEST(test_url__flags_of_putting_together)
{
    URL_COMPONENTS it;
    WCHAR url[64];
    DWORD length = COUNT(url);
    check_made(parts_of(W("http"), NULL, NULL, W("h"), 80, W("/a b"), NULL), 0, "http://h/a b");
    check_made(parts_of(W("http"), NULL, NULL, W("h"), 80, W("/a b"), W("?c d")), ICU_ESCAPE, "http://h/a%20b?c%20d");
    check_made(parts_of(W("http"), NULL, NULL, W("h"), 0, NULL, NULL), 0, "http://h:0");
    check_made(parts_of(W("http"), W("u@"), W("p:"), W("h"), 80, NULL, NULL), ICU_ESCAPE_AUTHORITY, "http://u%40:p%3A@h");
    it = parts_of(W("http"), W("u"), W("p"), W("h"), 80, NULL, NULL);
    CHECK_FAILS(WinHttpCreateUrl(&it, ICU_REJECT_USERPWD, url, &length), ERROR_WINHTTP_INVALID_URL);
    it = parts_of(NULL, NULL, NULL, W("h"), 443, NULL, NULL);
    it.nScheme = INTERNET_SCHEME_HTTPS;
    CHECK_WORKS(WinHttpCreateUrl(&it, 0, url, &length));
    CHECK(is(url, length, "https://h"));
}

/* What is not asked for is left alone; scheme and port as numbers always come. */
TEST(test_url__parts_that_are_asked_for)
{
    URL_COMPONENTS it;
    WCHAR user[8], password[8], host[8] = {'x', 0};
    const WCHAR *url = wide_url("https://u:@h:8/p?q#f");
    memset(&it, 0, sizeof(it));
    it.dwStructSize = sizeof(it);
    CHECK_WORKS(WinHttpCrackUrl(url, 0, 0, &it));
    CHECK(it.nScheme == INTERNET_SCHEME_HTTPS && it.nPort == 8);
    CHECK(!it.lpszScheme && !it.lpszHostName && !it.lpszUserName && !it.lpszPassword && !it.lpszUrlPath && !it.lpszExtraInfo);
    CHECK(!it.dwSchemeLength && !it.dwHostNameLength && !it.dwUrlPathLength && !it.dwExtraInfoLength);
    /* A password that is empty is there, one that is missing is an empty copy. */
    ask_for_pointers(&it);
    CHECK_WORKS(WinHttpCrackUrl(url, 0, 0, &it));
    CHECK(it.lpszPassword == url + 10 && it.dwPasswordLength == 0);
    CHECK(is(it.lpszExtraInfo, it.dwExtraInfoLength, "?q#f"));
    ask_for_pointers(&it);
    it.lpszUserName = user;
    it.lpszPassword = password;
    it.dwUserNameLength = it.dwPasswordLength = 8;
    user[0] = password[0] = 'x';
    CHECK_WORKS(WinHttpCrackUrl(wide_url("http://h"), 0, 0, &it));
    CHECK(it.lpszUserName == user && it.dwUserNameLength == 0 && user[0] == 0);
    CHECK(it.lpszPassword == password && it.dwPasswordLength == 0 && password[0] == 0);
    /* A copy may go into the URL itself, a pointer beside it. */
    memset(&it, 0, sizeof(it));
    it.dwStructSize = sizeof(it);
    url = wide_url("http://host/path?q");
    it.lpszUrlPath = url_room + 1;
    it.dwUrlPathLength = 10;
    it.dwExtraInfoLength = 1;
    CHECK_WORKS(WinHttpCrackUrl(url, 0, 0, &it));
    CHECK(it.lpszUrlPath == url_room + 1 && is(url_room + 1, it.dwUrlPathLength, "/path") && url_room[6] == 0);
    CHECK(it.lpszExtraInfo == url + 16 && is(it.lpszExtraInfo, it.dwExtraInfoLength, "?q"));
    /* What is absent points at the end. */
    ask_for_pointers(&it);
    url = wide_url("http://h");
    CHECK_WORKS(WinHttpCrackUrl(url, 0, 0, &it));
    CHECK(it.lpszUrlPath == url + 8 && it.lpszExtraInfo == url + 8);
    /* A fault changes nothing. */
    memset(&it, 0, sizeof(it));
    it.dwStructSize = sizeof(it);
    it.lpszHostName = host;
    it.dwHostNameLength = 8;
    it.lpszScheme = user;
    it.nPort = 7;
    CHECK_FAILS(WinHttpCrackUrl(url, 0, 0, &it), ERROR_INVALID_PARAMETER);
    CHECK(it.nPort == 7 && it.nScheme == 0 && it.dwHostNameLength == 8 && host[0] == 'x');
    it.lpszScheme = NULL;
    CHECK_FAILS(WinHttpCrackUrl(wide_url("http://h:x"), 0, 0, &it), ERROR_WINHTTP_INVALID_URL);
    CHECK(it.nPort == 7 && it.nScheme == 0 && it.dwHostNameLength == 8 && host[0] == 'x');
}

TEST(test_url__flags_of_taking_apart)
{
    static const struct {
        const char *url;
        DWORD flags;
        const char *host, *path, *extra;
    } rows[] = {
        {"http://a/b%20c?d%41", ICU_DECODE, "a", "/b c", "?dA"},
        {"http://a/%zz%4", ICU_DECODE, "a", "/%zz%4", ""},
        {"http://a/%c3%a4", ICU_DECODE, "a", "/\xc3\xa4", ""},
        {"http://a%2fb", ICU_DECODE, "a", "/b", ""},
        {"http://winehq.o g/path with spaces", ICU_ESCAPE, "winehq.o g", "/path%20with%20spaces", ""},
        {"http://a/b?c d\"", ICU_ESCAPE, "a", "/b", "?c%20d%22"},
        {"http://a/b c", ICU_ESCAPE | ICU_DECODE, "a", "/b%20c", ""},
        {"http://a/b", ICU_REJECT_USERPWD, "a", "/b", ""},
        {"http://a/b@c", ICU_REJECT_USERPWD, "a", "/b@c", ""},
    };
    static const char *const with_users[] = {"http://u:p@h", "http://:@h", "http://u:@h", "http://:p@h", "http://u@h", "http://@h"};
    URL_COMPONENTS it;
    WCHAR host[32], path[32], extra[32];
    size_t at;
    for (at = 0; at < COUNT(rows); at++) {
        memset(&it, 0, sizeof(it));
        it.dwStructSize = sizeof(it);
        it.lpszHostName = host;
        it.lpszUrlPath = path;
        it.lpszExtraInfo = extra;
        it.dwHostNameLength = it.dwUrlPathLength = it.dwExtraInfoLength = 32;
        harness_current = rows[at].url;
        CHECK_WORKS(WinHttpCrackUrl(wide_url(rows[at].url), 0, rows[at].flags, &it));
        CHECK(is(host, it.dwHostNameLength, rows[at].host) && host[it.dwHostNameLength] == 0);
        CHECK(is(path, it.dwUrlPathLength, rows[at].path) && path[it.dwUrlPathLength] == 0);
        CHECK(is(extra, it.dwExtraInfoLength, rows[at].extra) && extra[it.dwExtraInfoLength] == 0);
        harness_current = "test_url__flags_of_taking_apart";
    }
    for (at = 0; at < COUNT(with_users); at++) {
        ask_for_pointers(&it);
        CHECK_FAILS(WinHttpCrackUrl(wide_url(with_users[at]), 0, ICU_REJECT_USERPWD, &it), ERROR_WINHTTP_INVALID_URL);
    }
    /* One pointer among buffers is one too many. */
    memset(&it, 0, sizeof(it));
    it.dwStructSize = sizeof(it);
    it.lpszHostName = host;
    it.dwHostNameLength = 32;
    it.dwUrlPathLength = 1;
    CHECK_FAILS(WinHttpCrackUrl(wide_url("http://a/b"), 0, ICU_DECODE, &it), ERROR_INVALID_PARAMETER);
}

/* The example of both functions' pages: parts that point into one URL make another. */
TEST(test_url__apart_and_together)
{
    URL_COMPONENTS it;
    WCHAR url[128];
    const WCHAR *first = wide_url("http://search.msn.com/results.asp?RS=CHECKED&FORM=MSNH&v=1&q=wininet");
    DWORD length = 0;
    memset(&it, 0, sizeof(it));
    it.dwStructSize = sizeof(it);
    it.dwSchemeLength = it.dwHostNameLength = it.dwUrlPathLength = it.dwExtraInfoLength = (DWORD)-1;
    CHECK_WORKS(WinHttpCrackUrl(first, 68, 0, &it));
    it.lpszExtraInfo = (WCHAR *)W("?RS=CHECKED&FORM=MSNH&v=1&q=winhttp");
    CHECK_FAILS(WinHttpCreateUrl(&it, 0, NULL, &length), ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(length, 69);
    CHECK_WORKS(WinHttpCreateUrl(&it, 0, url, &length));
    CHECK(is(url, length, "http://search.msn.com/results.asp?RS=CHECKED&FORM=MSNH&v=1&q=winhttp"));
}

TEST(test_url__schemes_and_ports_put_together)
{
    URL_COMPONENTS it = parts_of(NULL, NULL, NULL, W("h"), 80, NULL, NULL);
    WCHAR url[64];
    DWORD length = COUNT(url);
    it.nScheme = 99;
    CHECK_FAILS(WinHttpCreateUrl(&it, 0, url, &length), ERROR_INVALID_PARAMETER);
    CHECK_EQ(length, COUNT(url));
    /* The text goes before the number; without both it is http. */
    it.lpszScheme = (WCHAR *)W("https");
    it.nScheme = INTERNET_SCHEME_HTTP;
    check_made(it, 0, "https://h:80");
    check_made(parts_of(NULL, NULL, NULL, W("h"), 80, NULL, NULL), 0, "http://h");
    check_made(parts_of(W("HTTPS"), NULL, NULL, W("h"), 443, NULL, NULL), 0, "HTTPS://h");
    it = parts_of(W("http"), W("u"), NULL, W("h"), 80, NULL, NULL);
    CHECK_FAILS(WinHttpCreateUrl(&it, ICU_REJECT_USERPWD, url, &length), ERROR_WINHTTP_INVALID_URL);
    check_made(parts_of(W("http"), NULL, NULL, W("h"), 80, W("/\x4f60"), NULL), ICU_ESCAPE, "http://h/%E4%BD%A0");
#ifndef __MINGW32__ /* its headers do not know this yet */
    check_made(parts_of(W("http"), NULL, NULL, W("h"), 80, W("/"), NULL), ICU_INCLUDE_DEFAULT_PORT, "http://h:80/");
    check_made(parts_of(W("https"), NULL, NULL, W("h"), 443, W("/"), NULL), ICU_INCLUDE_DEFAULT_PORT, "https://h:443/");
#endif
}

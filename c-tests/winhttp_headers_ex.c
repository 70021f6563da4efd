/* Header fields row by row: every modifier, every attribute, every rule of buffers and indexes; what goes out on the
 * wire for each way to open and send a request; reading bodies and trailers.
 * gate: not-mingw */
#include "winhttp_server.h"

static const char *narrow(const WCHAR *text, size_t bytes)
{
    static char rooms[4][8192];
    static int turn;
    char *room = rooms[turn++ % 4];
    size_t at;
    for (at = 0; at < bytes / 2; at++)
        room[at] = text[at] ? (char)text[at] : '~';
    room[at] = 0;
    return room;
}

static const char *find(HINTERNET request, DWORD level, const WCHAR *name)
{
    static WCHAR text[8192];
    DWORD size = sizeof(text);
    if (!WinHttpQueryHeaders(request, level, name, text, &size, NULL))
        return GetLastError() == ERROR_WINHTTP_HEADER_NOT_FOUND ? "(none)" : "(error)";
    return narrow(text, size);
}
#define CHECK_FIELD(REQUEST, LEVEL, NAME, WANTED)                                                                      \
    do {                                                                                                               \
        const char *found = find(REQUEST, LEVEL, NAME);                                                                \
        CHECK_BYTES(found, strlen(found), WANTED);                                                                     \
    } while (0)

/* Every step adds a text with modifiers and must end with an error; then the fields are these. */
struct step {
    const WCHAR *text;
    DWORD modifiers, error;
};

static void check_steps(const struct step *steps, size_t count, const char *wanted)
{
    struct trio it;
    const char *found;
    size_t at;
    trio_open(&it, 80, NULL, NULL, 0);
    for (at = 0; at < count; at++) {
        SetLastError(0xdeadbeef);
        CHECK_EQ(WinHttpAddRequestHeaders(it.request, steps[at].text, (DWORD)-1, steps[at].modifiers), !steps[at].error);
        CHECK_EQ(GetLastError(), steps[at].error);
    }
    found = find(it.request, WINHTTP_QUERY_RAW_HEADERS | WINHTTP_QUERY_FLAG_REQUEST_HEADERS, NULL);
    CHECK_HAS(found, "GET / HTTP/1.1~");
    CHECK_BYTES(found + 15, strlen(found + 15), wanted);
    trio_close(&it);
}
#define CHECK_STEPS(WANTED, ...)                                                                                       \
    do {                                                                                                               \
        static const struct step steps[] = {__VA_ARGS__};                                                              \
        check_steps(steps, COUNT(steps), WANTED);                                                                      \
    } while (0)
#define ADD WINHTTP_ADDREQ_FLAG_ADD
#define IF_NEW WINHTTP_ADDREQ_FLAG_ADD_IF_NEW
#define REPLACE WINHTTP_ADDREQ_FLAG_REPLACE
#define COMMA WINHTTP_ADDREQ_FLAG_COALESCE_WITH_COMMA
#define SEMICOLON WINHTTP_ADDREQ_FLAG_COALESCE_WITH_SEMICOLON

TEST(test_headers_ex__separators_and_syntax)
{
    CHECK_STEPS("a: 1~b: 2~", {W("a: 1\r\nb: 2"), ADD, 0});
    CHECK_STEPS("a: 1~b: 2~", {W("a: 1\nb: 2\n"), ADD, 0});
    CHECK_STEPS("a: 1~b: 2~", {W("a: 1\rb: 2\r\n"), ADD, 0});
    CHECK_STEPS("a: 1~b: 2~", {W("a: 1\n\rb: 2\r\r\r"), ADD, 0});
    CHECK_STEPS("a: ~", {W("a:"), ADD, 0});
    CHECK_STEPS("a: b c~", {W("a: \t b c \t"), ADD, 0});
    CHECK_STEPS("a: :b:~", {W("a: :b:"), ADD, 0});
    CHECK_STEPS("", {W("cd"), ADD, ERROR_INVALID_PARAMETER}, {W(":"), ADD, ERROR_INVALID_PARAMETER},
                {W(":b"), ADD, ERROR_INVALID_PARAMETER}, {W(" e :f"), ADD, ERROR_INVALID_PARAMETER},
                {W("e f: g"), ADD, ERROR_INVALID_PARAMETER}, {W("(e): f"), ADD, ERROR_INVALID_PARAMETER},
                {NULL, ADD, ERROR_INVALID_PARAMETER}, {W(""), ADD, ERROR_INVALID_PARAMETER});
    /* What comes before a fault stays. */
    CHECK_STEPS("a: 1~", {W("a: 1\r\nb\r\nc: 3"), ADD, ERROR_INVALID_PARAMETER});
}

TEST(test_headers_ex__modifiers)
{
    CHECK_STEPS("a: 1~A: 2~", {W("a: 1"), 0, 0}, {W("A: 2"), 0, 0});
    CHECK_STEPS("a: 1~A: 2~", {W("a: 1"), ADD, 0}, {W("A: 2"), ADD, 0});
    CHECK_STEPS("a: 1~", {W("a: 1"), IF_NEW, 0}, {W("A: 2"), IF_NEW, ERROR_WINHTTP_HEADER_ALREADY_EXISTS});
    CHECK_STEPS("", {W("a: 1"), REPLACE, ERROR_WINHTTP_HEADER_NOT_FOUND});
    CHECK_STEPS("a: 2~a: 3~", {W("a: 1\r\na: 2"), ADD, 0}, {W("a: 3"), REPLACE, 0});
    CHECK_STEPS("a: 2~", {W("a: 1\r\na: 2"), ADD, 0}, {W("a:"), REPLACE, 0});
    CHECK_STEPS("a: 1~", {W("a: 1"), ADD | REPLACE, 0});
    CHECK_STEPS("a: 2~", {W("a: 1"), ADD, 0}, {W("a: 2"), ADD | REPLACE, 0});
    CHECK_STEPS("", {W("a: 1"), ADD, 0}, {W("a:"), ADD | REPLACE, 0});
    CHECK_STEPS("a: 1~", {W("a: 1"), COMMA, 0});
    CHECK_STEPS("a: 1, 3~a: 2~", {W("a: 1\r\na: 2"), ADD, 0}, {W("a: 3"), COMMA, 0});
    CHECK_STEPS("a: 1; 2~", {W("a: 1"), SEMICOLON, 0}, {W("a: 2"), SEMICOLON, 0});
    CHECK_STEPS("a: 1~b: 1~", {W("a: 1"), ADD, 0}, {W("b: 1\r\na: 2\r\nc: 3"), IF_NEW, ERROR_WINHTTP_HEADER_ALREADY_EXISTS});
}

TEST(test_headers_ex__adding_apart)
{
    static const struct {
        const WCHAR *name, *value;
        DWORD error;
    } rows[] = {
        {W("a"), W("1"), 0}, {W("b"), NULL, 0}, {W("c"), W(" x "), 0}, {NULL, W("1"), ERROR_INVALID_PARAMETER},
        {W(""), W("1"), ERROR_INVALID_PARAMETER}, {W("a b"), W("1"), ERROR_INVALID_PARAMETER},
        {W("a:"), W("1"), ERROR_INVALID_PARAMETER}, {W("d"), W("1\r\ne: 2"), ERROR_INVALID_PARAMETER},
        {W("d"), W("1\n2"), ERROR_INVALID_PARAMETER},
    };
    WINHTTP_EXTENDED_HEADER one;
    struct trio it;
    size_t at;
    trio_open(&it, 80, NULL, NULL, 0);
    for (at = 0; at < COUNT(rows); at++) {
        one.pwszName = rows[at].name;
        one.pwszValue = rows[at].value;
        CHECK_EQ(WinHttpAddRequestHeadersEx(it.request, ADD, WINHTTP_EXTENDED_HEADER_FLAG_UNICODE, 0, 1, &one), rows[at].error);
    }
    one.pszName = "f";
    one.pszValue = "\xc3\xa4";
    CHECK_EQ(WinHttpAddRequestHeadersEx(it.request, ADD, 0, 0, 1, &one), 0);
    CHECK_FIELD(it.request, WINHTTP_QUERY_RAW_HEADERS | WINHTTP_QUERY_FLAG_REQUEST_HEADERS, NULL,
                "GET / HTTP/1.1~a: 1~b: ~c: x~f: \xe4~");
    CHECK_EQ(WinHttpAddRequestHeadersEx(it.request, IF_NEW, 0, 0, 1, &one), ERROR_WINHTTP_HEADER_ALREADY_EXISTS);
    CHECK_EQ(WinHttpAddRequestHeadersEx(it.request, ADD, 2, 0, 1, &one), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpAddRequestHeadersEx(it.request, ADD, 0, 1, 1, &one), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpAddRequestHeadersEx(it.request, ADD, 0, 0, 0, &one), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpAddRequestHeadersEx(it.request, ADD, 0, 0, 1, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpAddRequestHeadersEx(it.connect, ADD, 0, 0, 1, &one), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_EQ(WinHttpAddRequestHeadersEx(NULL, ADD, 0, 0, 1, &one), ERROR_INVALID_HANDLE);
    trio_close(&it);
}

/* The names of the attributes, by number; NULL for those that name none. */
static const char *const names[] = {
    "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Content-ID", "Content-Description", "Content-Length",
    "Content-Language", "Allow", "Public", "Date", "Expires", "Last-Modified", "Message-ID", "URI", "Derived-From", "Cost",
    "Link", "Pragma", NULL, NULL, NULL, NULL, NULL, "Connection", "Accept", "Accept-Charset", "Accept-Encoding",
    "Accept-Language", "Authorization", "Content-Encoding", "Forwarded", "From", "If-Modified-Since", "Location", "Orig-URI",
    "Referer", "Retry-After", "Server", "Title", "User-Agent", "WWW-Authenticate", "Proxy-Authenticate", "Accept-Ranges",
    "Set-Cookie", "Cookie", NULL, "Refresh", "Content-Disposition", "Age", "Cache-Control", "Content-Base",
    "Content-Location", "Content-MD5", "Content-Range", "ETag", "Host", "If-Match", "If-None-Match", "If-Range",
    "If-Unmodified-Since", "Max-Forwards", "Proxy-Authorization", "Range", "Transfer-Encoding", "Upgrade", "Vary", "Via",
    "Warning", "Expect", "Proxy-Connection", "Unless-Modified-Since", NULL, NULL, NULL, NULL, "Proxy-Support",
    "Authentication-Info", "PassportURLs", "PassportConfig"};

TEST(test_headers_ex__every_attribute)
{
    static char answer[8192];
    struct turn turn = {answer, KEEP};
    struct server server;
    struct trio it;
    WCHAR text[64];
    DWORD size, at, count = 0;
    WINHTTP_EXTENDED_HEADER *fields = NULL;
    static ULONGLONG room[64];
    char *end = answer + sprintf(answer, "HTTP/1.1 200 OK\r\n");
    for (at = 0; at < COUNT(names); at++)
        if (names[at] && at != WINHTTP_QUERY_TRANSFER_ENCODING)
            end += sprintf(end, at == WINHTTP_QUERY_CONTENT_LENGTH ? "%s: 0\r\n" : "%s: v%u\r\n", names[at], (unsigned)at);
    strcpy(end, "\r\n");
    server_start(&server, &turn, 1);
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(exchange(it.request));
    for (at = 0; at < COUNT(names); at++) {
        char wanted[16];
        sprintf(wanted, at == WINHTTP_QUERY_CONTENT_LENGTH ? "0" : "v%u", (unsigned)at);
        if ((names[at] && at != WINHTTP_QUERY_TRANSFER_ENCODING)) {
            CHECK_FIELD(it.request, at, NULL, wanted);
            size = sizeof(room);
            CHECK_EQ(WinHttpQueryHeadersEx(it.request, at | WINHTTP_QUERY_FLAG_WIRE_ENCODING, 0, 0, NULL, NULL, room, &size,
                                           &fields, &count), 0);
            CHECK_EQ(count, 1);
            CHECK_BYTES(fields[0].pszName, strlen(fields[0].pszName), names[at]);
            CHECK_BYTES(fields[0].pszValue, strlen(fields[0].pszValue), wanted);
        } else if (at == WINHTTP_QUERY_TRANSFER_ENCODING || at > 70)
            CHECK_FIELD(it.request, at, NULL, "(none)");
    }
    size = sizeof(text);
    for (at = 79; at < 65535; at = at * 2)
        CHECK_FAILS(WinHttpQueryHeaders(it.request, at, NULL, text, &size, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpQueryHeadersEx(it.request, 79, 0, 0, NULL, NULL, room, &size, &fields, &count), ERROR_INVALID_PARAMETER);
    CHECK_FIELD(it.request, WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_REQUEST_HEADERS, NULL, "(none)");
    CHECK_FIELD(it.request, WINHTTP_QUERY_CUSTOM, W("no-such"), "(none)");
    CHECK_FIELD(it.request, WINHTTP_QUERY_CUSTOM, W("eTAG"), "v54");
    trio_close(&it);
    server_end(&server);
}

TEST(test_headers_ex__rooms_of_raw_headers)
{
    struct trio it;
    WCHAR text[256];
    DWORD size = 0, needed;
    SERVER(server, {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA:1\r\n\r\n", KEEP});
    trio_open(&it, server.port, NULL, W("/x"), 0);
    CHECK(exchange(it.request));
    CHECK_FAILS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_RAW_HEADERS_CRLF, NULL, NULL, &size, NULL),
                ERROR_INSUFFICIENT_BUFFER);
    needed = size;
    CHECK_EQ(needed, 2 * (strlen("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: 1\r\n\r\n") + 1));
    size = needed - 2;
    CHECK_FAILS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_RAW_HEADERS_CRLF, NULL, text, &size, NULL),
                ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(size, needed);
    CHECK_WORKS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_RAW_HEADERS_CRLF, NULL, text, &size, NULL));
    CHECK_EQ(size, needed - 2);
    CHECK(text[size / 2] == 0 && text[size / 2 - 1] == '\n');
    size = sizeof(text);
    CHECK_WORKS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_RAW_HEADERS, NULL, text, &size, NULL));
    CHECK(text[size / 2 - 2] == '1' && text[size / 2 - 1] == 0 && text[size / 2] == 0);
    CHECK_FIELD(it.request, WINHTTP_QUERY_RAW_HEADERS, NULL, "HTTP/1.1 200 OK~Content-Length: 0~A: 1~");
    size = sizeof(text);
    CHECK_WORKS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_RAW_HEADERS | WINHTTP_QUERY_FLAG_REQUEST_HEADERS, NULL, text,
                                    &size, NULL));
    CHECK(text[size / 2 - 1] == 0 && text[size / 2] == 0);
    size = sizeof(text);
    CHECK_WORKS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_RAW_HEADERS_CRLF | WINHTTP_QUERY_FLAG_WIRE_ENCODING, NULL, text,
                                    &size, NULL));
    CHECK_BYTES((char *)text, size, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: 1\r\n\r\n");
    trio_close(&it);
    server_end(&server);
}

TEST(test_headers_ex__values_of_every_type)
{
    static const struct {
        DWORD flag, room;
        const WCHAR *name;
        DWORD error, length;
        ULONGLONG value;
    } rows[] = {
        {WINHTTP_QUERY_FLAG_NUMBER, 4, W("n"), 0, 4, 42},
        {WINHTTP_QUERY_FLAG_NUMBER, 8, W("n"), 0, 4, 42},
        {WINHTTP_QUERY_FLAG_NUMBER, 3, W("n"), ERROR_INSUFFICIENT_BUFFER, 4, 0},
        {WINHTTP_QUERY_FLAG_NUMBER, 4, W("leading"), 0, 4, 12},
        {WINHTTP_QUERY_FLAG_NUMBER, 4, W("word"), ERROR_WINHTTP_INVALID_HEADER, 4, 0},
        {WINHTTP_QUERY_FLAG_NUMBER, 4, W("none"), ERROR_WINHTTP_HEADER_NOT_FOUND, 4, 0},
        {WINHTTP_QUERY_FLAG_NUMBER64, 8, W("big"), 0, 8, 5368709120ULL},
        {WINHTTP_QUERY_FLAG_NUMBER64, 4, W("big"), ERROR_INSUFFICIENT_BUFFER, 8, 0},
        {WINHTTP_QUERY_FLAG_NUMBER64, 8, W("word"), ERROR_WINHTTP_INVALID_HEADER, 8, 0},
        {WINHTTP_QUERY_FLAG_SYSTEMTIME, 16, W("when"), 0, 16, 0},
        {WINHTTP_QUERY_FLAG_SYSTEMTIME, 15, W("when"), ERROR_INSUFFICIENT_BUFFER, 16, 0},
        {WINHTTP_QUERY_FLAG_SYSTEMTIME, 16, W("word"), ERROR_WINHTTP_HEADER_NOT_FOUND, 16, 0},
    };
    struct trio it;
    size_t at;
    SERVER(server, {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nN: 42\r\nLeading: 12 apples\r\nWord: apple\r\nBig: 5368709120\r\n"
                    "When: Sunday, 06-Nov-94 08:49:37 GMT\r\n\r\n", KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(exchange(it.request));
    for (at = 0; at < COUNT(rows); at++) {
        ULONGLONG value[2] = {0, 0};
        DWORD size = rows[at].room;
        SetLastError(0xdeadbeef);
        CHECK_EQ(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_CUSTOM | rows[at].flag, rows[at].name, value, &size, NULL),
                 !rows[at].error);
        CHECK_EQ(GetLastError(), rows[at].error);
        CHECK_EQ(size, rows[at].length);
        if (rows[at].flag == WINHTTP_QUERY_FLAG_SYSTEMTIME && !rows[at].error)
            CHECK(((SYSTEMTIME *)value)->wYear == 1994 && ((SYSTEMTIME *)value)->wDayOfWeek == 0);
        else
            CHECK_EQ(value[0], rows[at].value);
        size = 0;
        if (rows[at].error != ERROR_WINHTTP_HEADER_NOT_FOUND && rows[at].error != ERROR_WINHTTP_INVALID_HEADER) {
            CHECK_FAILS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_CUSTOM | rows[at].flag, rows[at].name, NULL, &size, NULL),
                        ERROR_INSUFFICIENT_BUFFER);
            CHECK_EQ(size, rows[at].length);
        }
    }
    trio_close(&it);
    server_end(&server);
}

TEST(test_headers_ex__indexes_enumerate)
{
    struct trio it;
    WCHAR text[32];
    DWORD size, index = 0, count = 0, at;
    WINHTTP_EXTENDED_HEADER *fields = NULL;
    static ULONGLONG room[64];
    SERVER(server, {"HTTP/1.1 200 OK\r\nA: 0\r\nContent-Length: 0\r\na: 1\r\nA: 2\r\n\r\n", KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(exchange(it.request));
    for (at = 0;; at++) {
        size = sizeof(text);
        if (!WinHttpQueryHeaders(it.request, WINHTTP_QUERY_CUSTOM, W("A"), text, &size, &index))
            break;
        CHECK(text[0] == '0' + at);
    }
    CHECK_EQ(GetLastError(), ERROR_WINHTTP_HEADER_NOT_FOUND);
    CHECK(at == 3 && index == 3);
    /* What there is only one of leaves the index alone. */
    size = sizeof(text);
    CHECK(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_STATUS_CODE, NULL, text, &size, &index));
    CHECK_EQ(index, 3);
    index = 1;
    size = sizeof(room);
    CHECK_EQ(WinHttpQueryHeadersEx(it.request, WINHTTP_QUERY_EX_ALL_HEADERS, 0, 0, &index, NULL, room, &size, &fields, &count), 0);
    CHECK(count == 1 && index == 2);
    CHECK_BYTES(narrow(fields[0].pwszName, 28), 14, "Content-Length");
    size = sizeof(room);
    index = 9;
    CHECK_EQ(WinHttpQueryHeadersEx(it.request, WINHTTP_QUERY_EX_ALL_HEADERS, 0, 0, &index, NULL, room, &size, &fields, &count),
             ERROR_WINHTTP_HEADER_NOT_FOUND);
    CHECK_EQ(index, 9);
    trio_close(&it);
    server_end(&server);
}

TEST(test_headers_ex__arrays)
{
    static const struct {
        DWORD level;
        ULONGLONG flags;
        UINT page;
        DWORD error;
    } rows[] = {
        {WINHTTP_QUERY_STATUS_CODE, 0, 0, ERROR_INVALID_PARAMETER}, {WINHTTP_QUERY_STATUS_TEXT, 0, 0, ERROR_INVALID_PARAMETER},
        {WINHTTP_QUERY_VERSION, 0, 0, ERROR_INVALID_PARAMETER}, {WINHTTP_QUERY_RAW_HEADERS_CRLF, 0, 0, ERROR_INVALID_PARAMETER},
        {WINHTTP_QUERY_DATE | WINHTTP_QUERY_FLAG_SYSTEMTIME, 0, 0, ERROR_INVALID_PARAMETER},
        {WINHTTP_QUERY_AGE | WINHTTP_QUERY_FLAG_NUMBER, 0, 0, ERROR_INVALID_PARAMETER},
        {WINHTTP_QUERY_AGE | WINHTTP_QUERY_FLAG_NUMBER64, 0, 0, ERROR_INVALID_PARAMETER},
        {WINHTTP_QUERY_CUSTOM, 0, 0, ERROR_INVALID_PARAMETER},
        {WINHTTP_QUERY_EX_ALL_HEADERS, 1, 0, ERROR_INVALID_PARAMETER},
        /* The body has not been read to its end. */
        {WINHTTP_QUERY_EX_ALL_HEADERS | WINHTTP_QUERY_FLAG_TRAILERS, 0, 0, ERROR_WINHTTP_INCORRECT_HANDLE_STATE},
        {WINHTTP_QUERY_AGE, 0, 0, ERROR_WINHTTP_HEADER_NOT_FOUND},
        {WINHTTP_QUERY_EX_ALL_HEADERS, 0, 99999, 0}, {WINHTTP_QUERY_EX_ALL_HEADERS, 0, 65001, 0}, {WINHTTP_QUERY_EX_ALL_HEADERS, 0, 1252, 0},
        {WINHTTP_QUERY_EX_ALL_HEADERS | WINHTTP_QUERY_FLAG_REQUEST_HEADERS, 0, 0, 0},
    };
    struct trio it;
    WINHTTP_EXTENDED_HEADER *fields = NULL;
    WINHTTP_HEADER_NAME name;
    DWORD size, count = 0, needed;
    static ULONGLONG room[256];
    size_t at;
    SERVER(server, {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: \xc3\xa4\r\nB: \x80\r\n\r\n", KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    size = sizeof(room);
    CHECK_EQ(WinHttpQueryHeadersEx(it.request, WINHTTP_QUERY_EX_ALL_HEADERS, 0, 0, NULL, NULL, room, &size, &fields, &count),
             ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK(exchange(it.request));
    for (at = 0; at < COUNT(rows); at++) {
        size = sizeof(room);
        CHECK_EQ(WinHttpQueryHeadersEx(it.request, rows[at].level, rows[at].flags, rows[at].page, NULL, NULL, room, &size,
                                       &fields, &count), rows[at].error);
    }
    size = 0;
    CHECK_EQ(WinHttpQueryHeadersEx(it.request, WINHTTP_QUERY_EX_ALL_HEADERS, 0, 0, NULL, NULL, NULL, &size, &fields, &count),
             ERROR_INSUFFICIENT_BUFFER);
    needed = size--;
    CHECK_EQ(WinHttpQueryHeadersEx(it.request, WINHTTP_QUERY_EX_ALL_HEADERS, 0, 0, NULL, NULL, room, &size, &fields, &count),
             ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(size, needed);
    CHECK_EQ(WinHttpQueryHeadersEx(it.request, WINHTTP_QUERY_EX_ALL_HEADERS, 0, 0, NULL, NULL, room, &size, &fields, &count), 0);
    CHECK(count == 3 && fields[1].pwszValue[0] == 0xe4 && fields[1].pwszValue[1] == 0 && fields[2].pwszValue[0] == 0x80);
    size = sizeof(room);
    name.pwszName = W("b");
    CHECK_EQ(WinHttpQueryHeadersEx(it.request, WINHTTP_QUERY_CUSTOM, 0, 1252, NULL, &name, room, &size, &fields, &count), 0);
    CHECK(count == 1 && fields[0].pwszValue[0] == 0x20ac);
    CHECK_EQ(WinHttpQueryHeadersEx(it.request, WINHTTP_QUERY_CUSTOM, 0, 0, NULL, &name, room, NULL, &fields, &count),
             ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpQueryHeadersEx(it.request, WINHTTP_QUERY_CUSTOM, 0, 0, NULL, &name, room, &size, &fields, NULL),
             ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpQueryHeadersEx(it.request, WINHTTP_QUERY_ETAG, 0, 0, NULL, &name, room, &size, &fields, &count),
             ERROR_INVALID_PARAMETER);
    name.pwszName = NULL;
    CHECK_EQ(WinHttpQueryHeadersEx(it.request, WINHTTP_QUERY_CUSTOM, 0, 0, NULL, &name, room, &size, &fields, &count),
             ERROR_INVALID_PARAMETER);
    /* Who wants but the size, or the count, need not have a place for the array. */
    size = 0;
    CHECK_EQ(WinHttpQueryHeadersEx(it.request, WINHTTP_QUERY_EX_ALL_HEADERS, 0, 0, NULL, NULL, NULL, &size, NULL, &count),
             ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(size, needed);
    count = 0;
    CHECK_EQ(WinHttpQueryHeadersEx(it.request, WINHTTP_QUERY_EX_ALL_HEADERS, 0, 0, NULL, NULL, room, &size, NULL, &count), 0);
    CHECK_EQ(count, 3);
    CHECK_EQ(WinHttpQueryHeadersEx(it.session, WINHTTP_QUERY_EX_ALL_HEADERS, 0, 0, NULL, NULL, room, &size, &fields, &count),
             ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_EQ(WinHttpQueryHeadersEx(NULL, WINHTTP_QUERY_EX_ALL_HEADERS, 0, 0, NULL, NULL, room, &size, &fields, &count),
             ERROR_INVALID_HANDLE);
    trio_close(&it);
    server_end(&server);
}

/* One field of a name at a time: without an index the first, with one that one, which is then moved on. */
TEST(test_headers_ex__one_of_a_name)
{
    struct trio it;
    WINHTTP_EXTENDED_HEADER *fields = NULL;
    WINHTTP_HEADER_NAME name;
    DWORD size = 0, count = 0, index = 0, at;
    static ULONGLONG room[64];
    SERVER(server, {"HTTP/1.1 200 OK\r\nSet-Cookie: a=0\r\nContent-Length: 0\r\nset-cookie: a=1\r\n\r\n", KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(exchange(it.request));
    name.pszName = "SET-COOKIE";
    for (at = 0; at < 2; at++) {
        const DWORD level = (at ? WINHTTP_QUERY_CUSTOM : WINHTTP_QUERY_SET_COOKIE) | WINHTTP_QUERY_FLAG_WIRE_ENCODING;
        size = sizeof(room);
        CHECK_EQ(WinHttpQueryHeadersEx(it.request, level, 0, 0, NULL, at ? &name : NULL, room, &size, &fields, &count), 0);
        CHECK_EQ(count, 1);
        CHECK_BYTES(fields[0].pszValue, strlen(fields[0].pszValue), "a=0");
        index = 1;
        size = 1;
        CHECK_EQ(WinHttpQueryHeadersEx(it.request, level, 0, 0, &index, at ? &name : NULL, room, &size, &fields, &count),
                 ERROR_INSUFFICIENT_BUFFER);
        CHECK(index == 1 && size > sizeof(*fields));
        CHECK_EQ(WinHttpQueryHeadersEx(it.request, level, 0, 0, &index, at ? &name : NULL, room, &size, &fields, &count), 0);
        CHECK(count == 1 && index == 2);
        CHECK_BYTES(fields[0].pszName, strlen(fields[0].pszName), "set-cookie");
        CHECK_BYTES(fields[0].pszValue, strlen(fields[0].pszValue), "a=1");
        CHECK_EQ(WinHttpQueryHeadersEx(it.request, level, 0, 0, &index, at ? &name : NULL, room, &size, &fields, &count),
                 ERROR_WINHTTP_HEADER_NOT_FOUND);
        CHECK_EQ(index, 2);
    }
    trio_close(&it);
    server_end(&server);
}

/* What is asked of a handle too early, of the wrong one, or of the wrong side. */
TEST(test_headers_ex__states_and_sides)
{
    static const DWORD responses[] = {WINHTTP_QUERY_VERSION, WINHTTP_QUERY_STATUS_CODE, WINHTTP_QUERY_STATUS_TEXT,
                                      WINHTTP_QUERY_RAW_HEADERS, WINHTTP_QUERY_RAW_HEADERS_CRLF, WINHTTP_QUERY_CONTENT_LENGTH,
                                      WINHTTP_QUERY_CUSTOM, 71, 74};
    struct trio it;
    WCHAR text[256];
    DWORD size, number = 0, index, at;
    SYSTEMTIME time;
    SERVER(server, {"HTTP/1.1 204 \r\nContent-ID: x\r\n\r\n", KEEP});
    trio_open(&it, server.port, W("DELETE"), NULL, 0);
    CHECK(WinHttpAddRequestHeaders(it.request, W("N: 7\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"), (DWORD)-1, ADD));
    for (at = 0; at < COUNT(responses); at++) {
        const WCHAR *name = responses[at] == WINHTTP_QUERY_CUSTOM ? W("A") : NULL;
        size = sizeof(text);
        CHECK_FAILS(WinHttpQueryHeaders(it.request, responses[at], name, text, &size, NULL),
                    ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
        CHECK_FAILS(WinHttpQueryHeaders(it.request, responses[at] | WINHTTP_QUERY_FLAG_TRAILERS, name, text, &size, NULL),
                    ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
        CHECK_EQ(size, sizeof(text));
        CHECK_FAILS(WinHttpQueryHeaders(it.connect, responses[at], name, text, &size, NULL), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        CHECK_FAILS(WinHttpQueryHeaders(NULL, responses[at], name, text, &size, NULL), ERROR_INVALID_HANDLE);
    }
    CHECK_FIELD(it.request, WINHTTP_QUERY_REQUEST_METHOD, NULL, "DELETE");
    CHECK_FIELD(it.request, WINHTTP_QUERY_VERSION | WINHTTP_QUERY_FLAG_REQUEST_HEADERS, NULL, "HTTP/1.1");
    CHECK_FIELD(it.request, WINHTTP_QUERY_HOST | WINHTTP_QUERY_FLAG_REQUEST_HEADERS, NULL, "(none)");
    size = sizeof(number);
    CHECK_WORKS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_CUSTOM | WINHTTP_QUERY_FLAG_NUMBER | WINHTTP_QUERY_FLAG_REQUEST_HEADERS,
                                    W("n"), &number, &size, NULL));
    CHECK_EQ(number, 7);
    size = sizeof(time);
    CHECK_WORKS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_IF_MODIFIED_SINCE | WINHTTP_QUERY_FLAG_SYSTEMTIME |
                                    WINHTTP_QUERY_FLAG_REQUEST_HEADERS, NULL, &time, &size, NULL));
    CHECK(time.wYear == 1994 && time.wMonth == 11 && time.wDayOfWeek == 0);
    CHECK(exchange(it.request));
    CHECK_FIELD(it.request, WINHTTP_QUERY_STATUS_TEXT, NULL, "");
    CHECK_FIELD(it.request, WINHTTP_QUERY_CONTENT_ID, NULL, "x");
    CHECK_FIELD(it.request, WINHTTP_QUERY_HOST, NULL, "(none)");
    CHECK(strncmp(find(it.request, WINHTTP_QUERY_HOST | WINHTTP_QUERY_FLAG_REQUEST_HEADERS, NULL), "127.0.0.1:", 10) == 0);
    /* An empty text takes two bytes, and none of them counts. */
    size = 0;
    CHECK_FAILS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_STATUS_TEXT, NULL, text, &size, NULL), ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(size, 2);
    CHECK_WORKS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_STATUS_TEXT, NULL, text, &size, NULL));
    CHECK_EQ(size, 0);
    /* In the encoding of the wire a character is a byte. */
    size = 3;
    CHECK_FAILS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_WIRE_ENCODING, NULL, text, &size,
                                    NULL), ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(size, 4);
    CHECK_WORKS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_WIRE_ENCODING, NULL, text, &size,
                                    NULL));
    CHECK(size == 3 && !strcmp((char *)text, "204"));
    /* The room may be said to be there when it is not; an index stays where it is when nothing comes. */
    index = 0;
    size = sizeof(text);
    CHECK_FAILS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_CONTENT_ID, NULL, WINHTTP_NO_OUTPUT_BUFFER, &size, &index),
                ERROR_INSUFFICIENT_BUFFER);
    CHECK(size == 4 && index == 0);
    index = 1;
    CHECK_FAILS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_CONTENT_ID, NULL, text, &size, &index),
                ERROR_WINHTTP_HEADER_NOT_FOUND);
    CHECK(size == 4 && index == 1);
    size = sizeof(text);
    CHECK_WORKS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_RAW_HEADERS_CRLF, NULL, text, &size, &index));
    CHECK_EQ(index, 1);
    trio_close(&it);
    server_end(&server);
}

TEST(test_headers_ex__trailers_and_reading)
{
    struct trio it;
    char text[64];
    DWORD got = 77;
    SERVER(server, {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\nT: 1\r\nT: 2\r\nN: 42\r\n\r\n",
                    KEEP}, {OK_HELLO, KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK_EQ(WinHttpReadDataEx(it.request, text, 5, &got, 0, 0, NULL), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_EQ(got, 0);
    CHECK(exchange(it.request));
    got = 77;
    CHECK_EQ(WinHttpReadDataEx(it.request, text, 5, &got, 2, 0, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(got, 0);
    CHECK_EQ(WinHttpReadDataEx(it.request, text, 5, &got, 0, 1, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpReadDataEx(it.request, text, 5, &got, 0, 0, text), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpReadDataEx(it.request, NULL, 5, &got, 0, 0, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpReadDataEx(it.connect, text, 5, &got, 0, 0, NULL), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_EQ(WinHttpReadDataEx(it.request, text, 5, &got, WINHTTP_READ_DATA_EX_FLAG_FILL_BUFFER, 0, NULL), 0);
    CHECK_BYTES(text, got, "abcde");
    CHECK_FIELD(it.request, WINHTTP_QUERY_CUSTOM | WINHTTP_QUERY_FLAG_TRAILERS, W("T"), "(error)");
    CHECK_EQ(GetLastError(), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_EQ(WinHttpReadDataEx(it.request, text, 5, &got, 0, 0, NULL), 0);
    CHECK_BYTES(text, got, "fg");
    CHECK_EQ(WinHttpReadDataEx(it.request, text, 5, &got, 0, 0, NULL), 0);
    CHECK_EQ(got, 0);
    CHECK_FIELD(it.request, WINHTTP_QUERY_CUSTOM | WINHTTP_QUERY_FLAG_TRAILERS, W("t"), "1");
    CHECK_FIELD(it.request, WINHTTP_QUERY_RAW_HEADERS | WINHTTP_QUERY_FLAG_TRAILERS, NULL, "T: 1~T: 2~N: 42~");
    CHECK_FIELD(it.request, WINHTTP_QUERY_RAW_HEADERS_CRLF | WINHTTP_QUERY_FLAG_TRAILERS, NULL,
                "T: 1\r\nT: 2\r\nN: 42\r\n\r\n");
    {
        DWORD index = 1, number = 0, size = sizeof(number);
        CHECK_WORKS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_CUSTOM | WINHTTP_QUERY_FLAG_TRAILERS | WINHTTP_QUERY_FLAG_NUMBER,
                                        W("T"), &number, &size, &index));
        CHECK(number == 2 && index == 2 && size == 4);
    }
    CHECK_FIELD(it.request, WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_TRAILERS, NULL, "(none)");
    CHECK_FIELD(it.request, WINHTTP_QUERY_CUSTOM, W("t"), "(none)");
    CHECK(exchange(it.request));
    CHECK_EQ(read_body(it.request, text, sizeof(text)), 5);
    CHECK_FIELD(it.request, WINHTTP_QUERY_CUSTOM | WINHTTP_QUERY_FLAG_TRAILERS, W("T"), "(none)");
    trio_close(&it);
    server_end(&server);
}

/* What a request looks like on the wire. */
static const char *wire(const WCHAR *verb, const WCHAR *object, const WCHAR *version, const WCHAR *referrer,
                        const WCHAR **accept, DWORD flags)
{
    static struct server server;
    struct turn turn = {OK_HELLO, KEEP};
    HINTERNET request;
    struct trio it;
    server_start(&server, &turn, 1);
    trio_open(&it, server.port, NULL, NULL, 0);
    request = WinHttpOpenRequest(it.connect, verb, object, version, referrer, accept, flags);
    REQUIRE(request != NULL);
    CHECK(exchange(request));
    CHECK(WinHttpCloseHandle(request));
    trio_close(&it);
    server_end(&server);
    return server.requests[0];
}
#define CHECK_LINE(WANTED, ...)                                                                                        \
    do {                                                                                                               \
        const char *sent = wire(__VA_ARGS__);                                                                          \
        CHECK_BYTES(sent, strstr(sent, "\r\n") - sent, WANTED);                                                        \
    } while (0)

TEST(test_headers_ex__request_lines)
{
    const DWORD percent = WINHTTP_FLAG_ESCAPE_PERCENT, off = WINHTTP_FLAG_ESCAPE_DISABLE;
    const DWORD query = WINHTTP_FLAG_ESCAPE_DISABLE_QUERY;
    CHECK_LINE("GET / HTTP/1.1", NULL, NULL, NULL, NULL, NULL, 0);
    CHECK_LINE("GET / HTTP/1.1", W(""), W(""), W(""), W(""), NULL, 0);
    CHECK_LINE("Put /a HTTP/1.1", W("Put"), W("a"), NULL, NULL, NULL, 0);
    CHECK_LINE("GET / HTTP/1.0", NULL, NULL, W("HTTP/1.0"), NULL, NULL, 0);
    CHECK_LINE("GET /%0D%0A%1F%7F%3C%20 HTTP/1.1", NULL, W("/\r\n\x1f\x7f< "), NULL, NULL, NULL, 0);
    CHECK_LINE("GET /%C2%80%E4%BD%A0 HTTP/1.1", NULL, W("/\x80\x4f60"), NULL, NULL, NULL, 0);
    CHECK_LINE("GET /%20!%22%23$%&'()*+,-./:;%3C=%3E?@%5B%5C%5D%5E_%60%7B%7C%7D~ HTTP/1.1", NULL,
               W("/ !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"), NULL, NULL, NULL, 0);
    CHECK_LINE("GET /%41?%41 HTTP/1.1", NULL, W("/%41?%41"), NULL, NULL, NULL, 0);
    CHECK_LINE("GET /%2541?%2541 HTTP/1.1", NULL, W("/%41?%41"), NULL, NULL, NULL, percent);
    CHECK_LINE("GET /<\"#%20?<%E4%BD%A0 HTTP/1.1", NULL, W("/<\"#\r\n ?<\x4f60"), NULL, NULL, NULL, off);
    CHECK_LINE("GET /%3C%0A?<%20 HTTP/1.1", NULL, W("/<\n?<\n "), NULL, NULL, NULL, query);
    CHECK_LINE("GET /a HTTP/1.1", NULL, W("a"), NULL, NULL, NULL, WINHTTP_FLAG_NULL_CODEPAGE);
}

TEST(test_headers_ex__fields_the_library_adds)
{
    const WCHAR *accept[] = {W("text/html"), W("*/*"), NULL}, *none[] = {NULL};
    const char *sent = wire(NULL, NULL, NULL, W("http://r/"), accept, WINHTTP_FLAG_REFRESH);
    CHECK_HAS(sent, "User-Agent: test\r\nHost: 127.0.0.1:");
    CHECK_HAS(sent, "Connection: Keep-Alive\r\nPragma: no-cache\r\nCache-Control: no-cache\r\nAccept: text/html, */*\r\n"
                    "Referer: http://r/\r\n\r\n");
    sent = wire(NULL, NULL, W("HTTP/1.0"), NULL, NULL, WINHTTP_FLAG_BYPASS_PROXY_CACHE);
    CHECK_HAS(sent, "Pragma: no-cache\r\n");
    CHECK_LACKS(sent, "Cache-Control:");
    sent = wire(NULL, NULL, NULL, NULL, none, 0);
    CHECK_LACKS(sent, "Accept:");
    CHECK_LACKS(sent, "Pragma:");
    CHECK_LACKS(sent, "Content-Length:");
    CHECK_HAS(wire(W("PUT"), NULL, NULL, NULL, NULL, 0), "Content-Length: 0\r\n");
    CHECK_HAS(wire(W("POST"), NULL, NULL, NULL, NULL, 0), "Content-Length: 0\r\n");
}

TEST(test_headers_ex__lengths_of_sends)
{
    static const struct {
        const WCHAR *headers;
        DWORD length, optional, total, error;
        const char *wanted;
    } rows[] = {
        {NULL, 0, 0, 0, 0, "\r\n\r\n"},
        {W("A: b"), (DWORD)-1, 5, 5, 0, "A: b\r\n\r\nhello"},
        {W("A: b"), 0, 5, 5, 0, "A: b\r\n\r\nhello"},
        {W("A: bcd"), 4, 5, 5, 0, "A: b\r\n\r\nhello"},
        {W("nonsense"), (DWORD)-1, 0, 0, ERROR_INVALID_PARAMETER, NULL},
        {NULL, 0, 5, 4, ERROR_INVALID_PARAMETER, NULL},
        {W("Content-Length: 6"), (DWORD)-1, 5, 5, ERROR_INVALID_PARAMETER, NULL},
        {W("Content-Length: 5"), (DWORD)-1, 5, 5, 0, "Content-Length: 5\r\n\r\nhello"},
        {W("Content-Length: x"), (DWORD)-1, 5, 5, ERROR_INVALID_PARAMETER, NULL},
        {W("Transfer-Encoding: chunked"), (DWORD)-1, 15, 15, 0, "chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
    };
    size_t at;
    for (at = 0; at < COUNT(rows); at++) {
        struct turn turn = {OK_HELLO, CLOSE};
        const char *body = rows[at].optional == 15 ? "5\r\nhello\r\n0\r\n\r\n" : "hello";
        static struct server server;
        struct trio it;
        server_start(&server, &turn, rows[at].error ? 0 : 1);
        trio_open(&it, server.port, W("POST"), NULL, 0);
        SetLastError(0xdeadbeef);
        CHECK_EQ(WinHttpSendRequest(it.request, rows[at].headers, rows[at].length, (void *)body, rows[at].optional,
                                    rows[at].total, 0), !rows[at].error);
        CHECK_EQ(GetLastError(), rows[at].error);
        if (!rows[at].error) {
            CHECK(WinHttpReceiveResponse(it.request, NULL));
            CHECK_HAS(server.requests[0], rows[at].wanted);
            if (rows[at].optional == 15)
                CHECK_LACKS(server.requests[0], "Content-Length");
        }
        trio_close(&it);
        server_end(&server);
    }
}

TEST(test_headers_ex__chunks_of_the_library)
{
    struct trio it;
    HINTERNET request;
    DWORD written = 0;
    int with_optional;
    SERVER(server, {OK_HELLO, KEEP}, {OK_HELLO, KEEP}, {OK_HELLO, KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    request = WinHttpOpenRequest(it.connect, W("PUT"), NULL, NULL, NULL, NULL, WINHTTP_FLAG_AUTOMATIC_CHUNKING);
    REQUIRE(request != NULL);
    for (with_optional = 0; with_optional < 2; with_optional++) {
        CHECK(WinHttpSendRequest(request, NULL, 0, (void *)"abc", with_optional ? 3 : 0, 0, 0));
        CHECK(WinHttpWriteData(request, "hello", 5, &written));
        CHECK_EQ(written, 5);
        CHECK(WinHttpWriteData(request, "", 0, &written));
        CHECK(WinHttpWriteData(request, " world, how are you", 19, NULL));
        CHECK(WinHttpReceiveResponse(request, NULL));
        CHECK_HAS(server.requests[with_optional], "Transfer-Encoding: chunked\r\n");
        CHECK_LACKS(server.requests[with_optional], "Content-Length");
        CHECK_HAS(server.requests[with_optional], "5\r\nhello\r\n13\r\n world, how are you\r\n0\r\n\r\n");
    }
    CHECK_HAS(server.requests[1], "\r\n\r\n3\r\nabc\r\n5\r\nhello");
    CHECK(exchange(request));
    CHECK_HAS(server.requests[2], "\r\n\r\n0\r\n\r\n");
    CHECK_EQ(server.connections, 1);
    CHECK(WinHttpCloseHandle(request));
    trio_close(&it);
    server_end(&server);
}

TEST(test_headers_ex__code_page_and_encoding)
{
    struct trio it;
    DWORD page = 1252, yes = TRUE, off = WINHTTP_FLAG_ESCAPE_DISABLE;
    HINTERNET request;
    SERVER(server, {OK_HELLO, KEEP}, {OK_HELLO, KEEP}, {OK_HELLO, KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK_WORKS(WinHttpSetOption(it.session, WINHTTP_OPTION_CODEPAGE, &page, sizeof(page)));
    request = WinHttpOpenRequest(it.connect, NULL, W("/\xe9?\xe9\x20ac"), NULL, NULL, NULL, 0);
    CHECK(exchange(request));
    CHECK_HAS(server.requests[0], "GET /%C3%A9?%E9%80 HTTP/1.1\r\n");
    CHECK(WinHttpCloseHandle(request));
    request = WinHttpOpenRequest(it.connect, NULL, W("/<?<"), NULL, NULL, NULL, off);
    CHECK_WORKS(WinHttpSetOption(request, WINHTTP_OPTION_ENCODE_EXTRA, &yes, sizeof(yes)));
    CHECK(exchange(request));
    CHECK_HAS(server.requests[1], "GET /%3C?%3C HTTP/1.1\r\n");
    CHECK(WinHttpCloseHandle(request));
    CHECK_WORKS(WinHttpSetOption(it.session, WINHTTP_OPTION_ENCODE_EXTRA, &yes, sizeof(yes)));
    request = WinHttpOpenRequest(it.connect, NULL, W("/<?<"), NULL, NULL, NULL, off);
    CHECK(exchange(request));
    CHECK_HAS(server.requests[2], "GET /%3C?%3C HTTP/1.1\r\n");
    CHECK(WinHttpCloseHandle(request));
    trio_close(&it);
    server_end(&server);
}

TEST(test_headers_ex__times)
{
    static const struct {
        const WCHAR *text;
        int works;
    } rows[] = {
        {W("Mon, 28 Jul 2008 10:05:52 GMT"), 1}, {W(" mon 28 jul 2008 10 05 52\n"), 1}, {W("Monday, 28-Jul-08 10:05:52 GMT"), 1},
        {W("Mon Jul 28 10:05:52 2008"), 1}, {W("28 Jul 2008 10:05:52"), 1}, {W(""), 0}, {W("mon"), 0}, {W("28 2008"), 0},
        {W("Mon, 32 Jul 2008 10:05:52 GMT"), 0},
    };
    size_t at;
    for (at = 0; at < COUNT(rows); at++) {
        SYSTEMTIME time = {0, 0, 0, 0, 0, 0, 0, 0};
        WCHAR back[WINHTTP_TIME_FORMAT_BUFSIZE / sizeof(WCHAR)];
        if (!rows[at].works) {
            CHECK_FAILS(WinHttpTimeToSystemTime(rows[at].text, &time), ERROR_INVALID_PARAMETER);
            continue;
        }
        CHECK_WORKS(WinHttpTimeToSystemTime(rows[at].text, &time));
        CHECK_WORKS(WinHttpTimeFromSystemTime(&time, back));
        CHECK_BYTES(narrow(back, 58), 29, "Mon, 28 Jul 2008 10:05:52 GMT");
    }
}

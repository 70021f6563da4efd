/* Header fields: adding them to requests, finding them in responses. */
#include "winhttp_server.h"

static BOOL add(HINTERNET request, const WCHAR *text, DWORD modifiers)
{
    return WinHttpAddRequestHeaders(request, text, (DWORD)-1, modifiers);
}

/* A text of UTF-16 as plain characters. */
static const char *narrow(const WCHAR *text, size_t bytes)
{
    static char room[4096];
    size_t at;
    for (at = 0; at < bytes / 2; at++)
        room[at] = text[at] ? (char)text[at] : '~';
    room[at] = 0;
    return room;
}

static const char *find(HINTERNET request, DWORD level, const WCHAR *name, DWORD index)
{
    static WCHAR text[2048];
    DWORD size = sizeof(text);
    if (!WinHttpQueryHeaders(request, level, name, text, &size, index == (DWORD)-1 ? NULL : &index))
        return GetLastError() == ERROR_WINHTTP_HEADER_NOT_FOUND ? "(none)" : "(error)";
    return narrow(text, size);
}
#define CHECK_FIELD(LEVEL, NAME, INDEX, WANTED)                                                                        \
    do {                                                                                                               \
        const char *found = find(it.request, LEVEL, NAME, INDEX);                                                      \
        CHECK_BYTES(found, strlen(found), WANTED);                                                                     \
    } while (0)
#define OWN (WINHTTP_QUERY_CUSTOM | WINHTTP_QUERY_FLAG_REQUEST_HEADERS)

TEST(test_headers__adding)
{
    struct trio it;
    trio_open(&it, 80, NULL, W("/x"), 0);
    CHECK_FAILS(add(it.request, NULL, WINHTTP_ADDREQ_FLAG_ADD), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpAddRequestHeaders(it.request, W("a: b"), 0, WINHTTP_ADDREQ_FLAG_ADD), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(add(it.request, W("cd"), WINHTTP_ADDREQ_FLAG_ADD), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(add(it.request, W(":b"), WINHTTP_ADDREQ_FLAG_ADD), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(add(it.connect, W("a: b"), WINHTTP_ADDREQ_FLAG_ADD), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_WORKS(add(it.request, W("a: 1\r\n"), WINHTTP_ADDREQ_FLAG_ADD));
    CHECK_WORKS(add(it.request, W("A: 2\nb:3"), WINHTTP_ADDREQ_FLAG_ADD));
    CHECK_FIELD(OWN, W("a"), 0, "1");
    CHECK_FIELD(OWN, W("a"), 1, "2");
    CHECK_FIELD(OWN, W("a"), 2, "(none)");
    CHECK_FIELD(OWN, W("B"), (DWORD)-1, "3");
    CHECK_FAILS(add(it.request, W("b: 4"), WINHTTP_ADDREQ_FLAG_ADD_IF_NEW), ERROR_WINHTTP_HEADER_ALREADY_EXISTS);
    CHECK_FAILS(add(it.request, W("d: 4"), WINHTTP_ADDREQ_FLAG_REPLACE), ERROR_WINHTTP_HEADER_NOT_FOUND);
    CHECK_WORKS(add(it.request, W("b: 4"), WINHTTP_ADDREQ_FLAG_COALESCE_WITH_COMMA));
    CHECK_FIELD(OWN, W("b"), 0, "3, 4");
    CHECK_WORKS(add(it.request, W("b:"), WINHTTP_ADDREQ_FLAG_REPLACE));
    CHECK_FIELD(OWN, W("b"), 0, "(none)");
    CHECK_FIELD(WINHTTP_QUERY_RAW_HEADERS_CRLF | WINHTTP_QUERY_FLAG_REQUEST_HEADERS, NULL, (DWORD)-1,
                "GET /x HTTP/1.1\r\na: 1\r\nA: 2\r\n\r\n");
    CHECK_FIELD(WINHTTP_QUERY_RAW_HEADERS | WINHTTP_QUERY_FLAG_REQUEST_HEADERS, NULL, (DWORD)-1,
                "GET /x HTTP/1.1~a: 1~A: 2~");
    CHECK_FIELD(WINHTTP_QUERY_REQUEST_METHOD, NULL, (DWORD)-1, "GET");
    CHECK_FIELD(WINHTTP_QUERY_VERSION | WINHTTP_QUERY_FLAG_REQUEST_HEADERS, NULL, (DWORD)-1, "HTTP/1.1");
    trio_close(&it);
}

#ifndef __MINGW32__ /* its headers do not know these yet */
TEST(test_headers__adding_apart)
{
    struct trio it;
    WINHTTP_EXTENDED_HEADER wide[2], plain;
    trio_open(&it, 80, NULL, NULL, 0);
    wide[0].pwszName = W("a");
    wide[0].pwszValue = W("1");
    wide[1].pwszName = W("b");
    wide[1].pwszValue = W("2\r\nc: 3");
    CHECK_EQ(WinHttpAddRequestHeadersEx(it.request, WINHTTP_ADDREQ_FLAG_ADD, WINHTTP_EXTENDED_HEADER_FLAG_UNICODE, 0, 1,
                                        wide), 0);
    CHECK_EQ(WinHttpAddRequestHeadersEx(it.request, WINHTTP_ADDREQ_FLAG_ADD, WINHTTP_EXTENDED_HEADER_FLAG_UNICODE, 0, 2,
                                        wide), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpAddRequestHeadersEx(it.request, WINHTTP_ADDREQ_FLAG_ADD, WINHTTP_EXTENDED_HEADER_FLAG_UNICODE, 1, 1,
                                        wide), ERROR_INVALID_PARAMETER);
    plain.pszName = "d";
    plain.pszValue = "4";
    CHECK_EQ(WinHttpAddRequestHeadersEx(it.request, WINHTTP_ADDREQ_FLAG_ADD, 0, 0, 1, &plain), 0);
    CHECK_FIELD(OWN, W("a"), 1, "1");
    CHECK_FIELD(OWN, W("b"), 0, "(none)");
    CHECK_FIELD(OWN, W("d"), 0, "4");
    trio_close(&it);
}
#endif

static const char answer[] = "HTTP/1.1 200 Fine thing\r\nContent-Length:  7 \r\nSet-Cookie: a=1\r\nX-Odd : \xe4\r\n"
                             "Set-Cookie: b=2\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nEmpty:\r\nBig: 5368709120\r\n\r\n1234567";

TEST(test_headers__finding)
{
    struct trio it;
    WCHAR text[512];
    DWORD size = sizeof(text), number = 0, index;
    ULONGLONG big = 0;
    SYSTEMTIME time;
    SERVER(server, {answer, KEEP});
    trio_open(&it, server.port, W("POST"), NULL, 0);
    CHECK_FAILS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_STATUS_CODE, NULL, text, &size, NULL),
                ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK(exchange(it.request));
    CHECK_FIELD(WINHTTP_QUERY_STATUS_CODE, NULL, (DWORD)-1, "200");
    CHECK_FIELD(WINHTTP_QUERY_STATUS_TEXT, NULL, (DWORD)-1, "Fine thing");
    CHECK_FIELD(WINHTTP_QUERY_VERSION, NULL, (DWORD)-1, "HTTP/1.1");
    CHECK_FIELD(WINHTTP_QUERY_CONTENT_LENGTH, NULL, (DWORD)-1, "7");
    CHECK_FIELD(WINHTTP_QUERY_SET_COOKIE, NULL, 1, "b=2");
    CHECK_FIELD(WINHTTP_QUERY_SET_COOKIE, NULL, 2, "(none)");
    CHECK_FIELD(WINHTTP_QUERY_CUSTOM, W("x-odd"), (DWORD)-1, "\xe4");
    CHECK_FIELD(WINHTTP_QUERY_CUSTOM, W("empty"), (DWORD)-1, "");
    CHECK_FIELD(WINHTTP_QUERY_USER_AGENT | WINHTTP_QUERY_FLAG_REQUEST_HEADERS, NULL, (DWORD)-1, "test");
    CHECK_FIELD(WINHTTP_QUERY_REQUEST_METHOD, NULL, (DWORD)-1, "POST");
    CHECK_FIELD(WINHTTP_QUERY_RAW_HEADERS_CRLF, NULL, (DWORD)-1,
                "HTTP/1.1 200 Fine thing\r\nContent-Length: 7\r\nSet-Cookie: a=1\r\nX-Odd: \xe4\r\nSet-Cookie: b=2\r\n"
                "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nEmpty: \r\nBig: 5368709120\r\n\r\n");
    /* The protocol of sizes, in bytes. */
    CHECK_FAILS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_STATUS_CODE, NULL, text, NULL, NULL), ERROR_INVALID_PARAMETER);
    size = 100;
    CHECK_FAILS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_STATUS_CODE, NULL, NULL, &size, NULL),
                ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(size, 8);
    size = 6;
    text[0] = 'x';
    CHECK_FAILS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_STATUS_CODE, NULL, text, &size, NULL),
                ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(text[0], 'x');
    size = 8;
    CHECK_WORKS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_STATUS_CODE, NULL, text, &size, NULL));
    CHECK_EQ(size, 6);
    size = 3;
    CHECK_FAILS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER, NULL, &number, &size,
                                    NULL), ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(size, 4);
    CHECK_EQ(status_of(it.request), 200);
    size = 77;
    CHECK_FAILS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_LOCATION, NULL, text, &size, NULL),
                ERROR_WINHTTP_HEADER_NOT_FOUND);
    CHECK_EQ(size, 77);
    CHECK_FAILS(WinHttpQueryHeaders(it.request, 79, NULL, text, &size, NULL), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_CUSTOM, NULL, text, &size, NULL), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpQueryHeaders(it.session, WINHTTP_QUERY_STATUS_CODE, NULL, text, &size, NULL),
                ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    /* The index moves on success only. */
    index = 0;
    size = 2;
    CHECK_FAILS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_SET_COOKIE, NULL, text, &size, &index),
                ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(index, 0);
    size = sizeof(text);
    CHECK(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_SET_COOKIE, NULL, text, &size, &index));
    CHECK_EQ(index, 1);
    /* Other types. */
    size = sizeof(big);
    CHECK(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_CUSTOM | WINHTTP_QUERY_FLAG_NUMBER64, W("Big"), &big, &size, NULL));
    CHECK_EQ(big, 5368709120ULL);
    size = sizeof(number);
    CHECK_FAILS(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_SET_COOKIE | WINHTTP_QUERY_FLAG_NUMBER, NULL, &number, &size,
                                    NULL), ERROR_WINHTTP_INVALID_HEADER);
    size = sizeof(time);
    CHECK(WinHttpQueryHeaders(it.request, WINHTTP_QUERY_DATE | WINHTTP_QUERY_FLAG_SYSTEMTIME, NULL, &time, &size, NULL));
    CHECK(time.wYear == 1994 && time.wMonth == 11 && time.wDay == 6 && time.wHour == 8 && time.wSecond == 37);
    CHECK_EQ(size, sizeof(time));
    trio_close(&it);
    server_end(&server);
}

#ifndef __MINGW32__ /* its headers do not know these yet */
TEST(test_headers__as_an_array)
{
    struct trio it;
    char text[16];
    static ULONGLONG room[512];
    WINHTTP_EXTENDED_HEADER *fields = NULL;
    WINHTTP_HEADER_NAME name;
    DWORD size = 0, count = 0;
    SERVER(server, {"HTTP/1.1 200 OK\r\nA: 1\r\nTransfer-Encoding: chunked\r\nA: 2\r\n\r\n1\r\nx\r\n0\r\nT: u\r\n\r\n", KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(exchange(it.request));
    CHECK_EQ(WinHttpQueryHeadersEx(it.request, WINHTTP_QUERY_EX_ALL_HEADERS, 0, 0, NULL, NULL, NULL, &size, &fields, &count),
             ERROR_INSUFFICIENT_BUFFER);
    CHECK(size > 3 * sizeof(*fields) && size <= sizeof(room));
    CHECK_EQ(WinHttpQueryHeadersEx(it.request, WINHTTP_QUERY_EX_ALL_HEADERS, 0, 0, NULL, NULL, room, &size, &fields, &count),
             0);
    CHECK_EQ(count, 3);
    CHECK((void *)fields == (void *)room && fields[2].pwszName[0] == 'A' && fields[2].pwszValue[0] == '2');
    name.pszName = "a";
    size = sizeof(room);
    CHECK_EQ(WinHttpQueryHeadersEx(it.request, WINHTTP_QUERY_CUSTOM | WINHTTP_QUERY_FLAG_WIRE_ENCODING, 0, 0, NULL, &name,
                                   room, &size, &fields, &count), 0);
    /* One of a name at a time. */
    CHECK_EQ(count, 1);
    CHECK_BYTES(fields[0].pszValue, strlen(fields[0].pszValue), "1");
    CHECK_EQ(WinHttpQueryHeadersEx(it.request, WINHTTP_QUERY_STATUS_CODE, 0, 0, NULL, NULL, room, &size, &fields, &count),
             ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpQueryHeadersEx(it.request, WINHTTP_QUERY_EX_ALL_HEADERS | WINHTTP_QUERY_FLAG_TRAILERS, 0, 0, NULL, NULL,
                                   room, &size, &fields, &count), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_EQ(read_body(it.request, text, sizeof(text)), 1);
    size = sizeof(room);
    CHECK_EQ(WinHttpQueryHeadersEx(it.request, WINHTTP_QUERY_EX_ALL_HEADERS | WINHTTP_QUERY_FLAG_TRAILERS, 0, 0, NULL, NULL,
                                   room, &size, &fields, &count), 0);
    CHECK(count == 1 && fields[0].pwszName[0] == 'T' && fields[0].pwszValue[0] == 'u');
    trio_close(&it);
    server_end(&server);
}
#endif

TEST(test_headers__times_as_text)
{
    SYSTEMTIME time = {2008, 7, 1, 28, 10, 5, 52, 0};
    WCHAR text[WINHTTP_TIME_FORMAT_BUFSIZE / sizeof(WCHAR)];
    const char *found;
    CHECK_FAILS(WinHttpTimeFromSystemTime(NULL, text), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpTimeFromSystemTime(&time, NULL), ERROR_INVALID_PARAMETER);
    CHECK_WORKS(WinHttpTimeFromSystemTime(&time, text));
    found = narrow(text, 58);
    CHECK_BYTES(found, strlen(found), "Mon, 28 Jul 2008 10:05:52 GMT");
    /* The weekday is the caller's, as long as it is one. */
    time.wDayOfWeek = 6;
    CHECK_WORKS(WinHttpTimeFromSystemTime(&time, text));
    CHECK(text[0] == 'S' && text[1] == 'a' && text[29] == 0);
    time.wDayOfWeek = 7;
    CHECK_FAILS(WinHttpTimeFromSystemTime(&time, text), ERROR_INVALID_PARAMETER);
    time.wDayOfWeek = 1;
    time.wMonth = 13;
    CHECK_FAILS(WinHttpTimeFromSystemTime(&time, text), ERROR_INVALID_PARAMETER);
    time.wYear = 77;
    CHECK_FAILS(WinHttpTimeToSystemTime(W("no date"), &time), ERROR_INVALID_PARAMETER);
    CHECK_EQ(time.wYear, 77);
    memset(&time, 0, sizeof(time));
    CHECK_FAILS(WinHttpTimeToSystemTime(NULL, &time), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpTimeToSystemTime(text, NULL), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpTimeToSystemTime(W("no date"), &time), ERROR_INVALID_PARAMETER);
    CHECK_WORKS(WinHttpTimeToSystemTime(W(" mon 28 jul 2008 10 05 52\n"), &time));
    CHECK(time.wYear == 2008 && time.wMonth == 7 && time.wDayOfWeek == 1 && time.wDay == 28 && time.wMinute == 5);
    /* The weekday is what the text says, and worked out where it says none. */
    CHECK_WORKS(WinHttpTimeToSystemTime(W("SATURDAY, 28 Jul 2008 10:05:52 GMT"), &time));
    CHECK(time.wDayOfWeek == 6 && time.wHour == 10 && time.wSecond == 52 && time.wMilliseconds == 0);
    CHECK_WORKS(WinHttpTimeToSystemTime(W("28 Jul 2008"), &time));
    CHECK(time.wDayOfWeek == 1 && time.wHour == 0 && time.wMinute == 0 && time.wSecond == 0);
}

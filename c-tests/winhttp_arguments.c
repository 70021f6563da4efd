/* Sending, receiving and reading: every argument error, every wrong moment, empty buffers, and what the places for
 * counts hold, in both modes.
 *
 * gate: not-mingw (it does not know ReadDataEx) */
#include "winhttp_server.h"

enum { SEND, RECEIVE, WRITE, QUERY, READ, READ_EX, FUNCTIONS };

static char bytes[16];

/* Calls one function with arguments that are sound; 0 or the error. */
static DWORD call(int function, HINTERNET handle, DWORD *count)
{
    BOOL done = FALSE;
    SetLastError(0xdeadbeef);
    switch (function) {
    case SEND:
        done = WinHttpSendRequest(handle, NULL, 0, NULL, 0, 0, 0);
        break;
    case RECEIVE:
        done = WinHttpReceiveResponse(handle, NULL);
        break;
    case WRITE:
        done = WinHttpWriteData(handle, bytes, 1, count);
        break;
    case QUERY:
        done = WinHttpQueryDataAvailable(handle, count);
        break;
    case READ_EX: {
        DWORD error = WinHttpReadDataEx(handle, bytes, 1, count, 0, 0, NULL);
        CHECK_EQ(GetLastError(), 0xdeadbeef);
        return error;
    }
    default:
        done = WinHttpReadData(handle, bytes, 1, count);
    }
    return done ? 0 : GetLastError();
}

/* Two functions set the count to 0 before they look at anything; the others leave it alone when they fail. */
static void check_count(int function, DWORD count)
{
    CHECK_EQ(count, function == READ || function == READ_EX ? 0 : 7);
}

TEST(test_arguments__handles)
{
    struct trio it;
    HINTERNET handles[4], closed;
    static const DWORD errors[] = {ERROR_INVALID_HANDLE, ERROR_INVALID_HANDLE, ERROR_WINHTTP_INCORRECT_HANDLE_TYPE,
                                   ERROR_WINHTTP_INCORRECT_HANDLE_TYPE};
    int mode, function;
    size_t at;
    for (mode = 0; mode < 2; mode++) {
        trio_open(&it, 1, NULL, NULL, mode ? WINHTTP_FLAG_ASYNC : 0);
        closed = WinHttpOpenRequest(it.connect, NULL, NULL, NULL, NULL, NULL, 0);
        CHECK_WORKS(WinHttpCloseHandle(closed));
        handles[0] = NULL, handles[1] = closed, handles[2] = it.session, handles[3] = it.connect;
        for (function = 0; function < FUNCTIONS; function++)
            for (at = 0; at < COUNT(handles); at++) {
                DWORD count = 7;
                CHECK_EQ(call(function, handles[at], &count), errors[at]);
                check_count(function, count);
            }
        trio_close(&it);
    }
}

#define PARAMETER ERROR_INVALID_PARAMETER
#define DECLARED "POST / HTTP/1.1\r\n"
#define COMES_TO(FIELDS, BODY) FIELDS, "\r\n\r\n" BODY

/* What is said of the body's length, by whom, and what comes of it. */
TEST(test_arguments__lengths)
{
    static const struct {
        DWORD error;
        const WCHAR *fields;
        const char *optional;
        DWORD given, total;
        const char *rest, *sent, *body;
    } cases[] = {
        {PARAMETER, NULL, "1234", 4, 3, NULL, NULL, NULL},
        {PARAMETER, NULL, "1234", 4, 0, NULL, NULL, NULL},
        {PARAMETER, NULL, NULL, 4, 4, NULL, NULL, NULL},
        {PARAMETER, W("Content-Length: 5"), "1234", 4, 4, NULL, NULL, NULL},
        {PARAMETER, W("Content-Length: 3"), "1234", 4, 0, NULL, NULL, NULL},
        {PARAMETER, W("Content-Length: many"), NULL, 0, 0, NULL, NULL, NULL},
        {PARAMETER, W("Content-Length: -1"), NULL, 0, 0, NULL, NULL, NULL},
        {PARAMETER, W("Transfer-Encoding: chunked\r\nContent-Length: 5"), NULL, 0, 0, NULL, NULL, NULL},
        {PARAMETER, W("Transfer-Encoding: chunked\r\nContent-Length: 5"), "0\r\n\r\n", 5, 5, NULL, NULL, NULL},
        {PARAMETER, W("no colon"), NULL, 0, 0, NULL, NULL, NULL},
        {0, NULL, "1234", 0, 0, NULL, COMES_TO("Content-Length: 0", "")},
        {0, NULL, "1234", 4, 4, NULL, COMES_TO("Content-Length: 4", "1234")},
        {0, NULL, "12", 2, 4, "34", COMES_TO("Content-Length: 4", "1234")},
        {0, W("Content-Length: 4"), "1234", 4, 4, NULL, COMES_TO("Content-Length: 4", "1234")},
        {0, W("Content-Length: 4"), "1234", 4, 0, NULL, COMES_TO("Content-Length: 4", "1234")},
        {0, W("Content-Length: 4"), "12", 2, 0, "34", COMES_TO("Content-Length: 4", "1234")},
        {0, W("Transfer-Encoding: identity"), "1234", 4, 4, NULL, COMES_TO("Content-Length: 4", "1234")},
        {0, W("Transfer-Encoding: chunked"), "0\r\n\r\n", 5, 5, NULL, COMES_TO("Transfer-Encoding: chunked", "0\r\n\r\n")},
        {0, W("Transfer-Encoding: chunked"), NULL, 0, 0, "0\r\n\r\n", COMES_TO("Transfer-Encoding: chunked", "0\r\n\r\n")},
    };
    struct server server;
    struct turn turn = {OK_HELLO, KEEP};
    struct trio it;
    const char *field;
    size_t at;
    for (at = 0; at < COUNT(cases); at++) {
        DWORD error, count = 7;
        server_start(&server, &turn, 1);
        trio_open(&it, server.port, W("POST"), NULL, 0);
        SetLastError(0xdeadbeef);
        error = WinHttpSendRequest(it.request, cases[at].fields, 0, (void *)cases[at].optional, cases[at].given, cases[at].total, 0)
                    ? 0 : GetLastError();
        if (!CHECK_EQ(error, cases[at].error))
            fprintf(stderr, "case %u\n", (unsigned)at);
        if (error == 0) {
            if (cases[at].rest) {
                DWORD size = (DWORD)strlen(cases[at].rest);
                CHECK_WORKS(WinHttpWriteData(it.request, cases[at].rest, size, &count));
                CHECK_EQ(count, size);
            }
            CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
        }
        trio_close(&it);
        server_end(&server);
        if (cases[at].error)
            continue;
        CHECK_BYTES(server.requests[0], strlen(DECLARED), DECLARED);
        CHECK_HAS(server.requests[0], cases[at].body);
        /* Once, and nothing else about the length. */
        field = strstr(server.requests[0], cases[at].sent);
        if (CHECK(field != NULL)) {
            CHECK_LACKS(field + 1, "Content-Length");
            if (*field == 'T')
                CHECK_LACKS(server.requests[0], "Content-Length");
        }
    }
}

/* A length that 32 bits cannot say goes before the one that they say. */
TEST(test_arguments__a_length_beyond_32_bits_counts_alone)
{
    struct trio it;
    DWORD count = 7;
    SERVER(server, {NULL, LISTEN});
    trio_open(&it, server.port, W("PUT"), NULL, 0);
    CHECK_WORKS(WinHttpSendRequest(it.request, W("Content-Length: 4294967297"), (DWORD)-1, NULL, 0, 1, 0));
    CHECK_WORKS(WinHttpWriteData(it.request, "12", 2, &count));
    CHECK_EQ(count, 2);
    server_taken(&server);
    trio_close(&it);
    server_end(&server);
    CHECK_HAS(server.requests[0], "Content-Length: 4294967297\r\n");
}

/* The library's own chunks leave no room for a length. */
TEST(test_arguments__chunks_of_the_library)
{
    struct trio it;
    HINTERNET request;
    SERVER(server, {OK_HELLO, KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    request = WinHttpOpenRequest(it.connect, W("POST"), NULL, NULL, NULL, NULL, WINHTTP_FLAG_AUTOMATIC_CHUNKING);
    CHECK_FAILS(WinHttpSendRequest(request, W("Content-Length: 4"), (DWORD)-1, NULL, 0, 0, 0), ERROR_INVALID_PARAMETER);
    CHECK_WORKS(WinHttpAddRequestHeaders(request, W("Content-Length:"), (DWORD)-1, WINHTTP_ADDREQ_FLAG_REPLACE));
    CHECK_WORKS(WinHttpSendRequest(request, NULL, 0, NULL, 0, 99, 0));
    CHECK_WORKS(WinHttpReceiveResponse(request, NULL));
    CHECK_WORKS(WinHttpCloseHandle(request));
    trio_close(&it);
    server_end(&server);
    CHECK_HAS(server.requests[0], "Transfer-Encoding: chunked\r\n");
    CHECK_LACKS(server.requests[0], "Content-Length");
}

/* The length of the fields counts characters; -1 and 0 stand for a text that ends in NUL. */
TEST(test_arguments__lengths_of_fields)
{
    struct trio it;
    SERVER(server, {OK_HELLO, KEEP}, {OK_HELLO, KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK_WORKS(WinHttpSendRequest(it.request, W("A: 1\r\nB: 2"), 4, NULL, 0, 0, 0));
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    CHECK_WORKS(WinHttpSendRequest(it.request, W("A: 3\r\nB: 4"), 0, NULL, 0, 0, 0));
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    CHECK_FAILS(WinHttpSendRequest(it.request, W("A: 3\r\nB: 4"), 1, NULL, 0, 0, 0), ERROR_INVALID_PARAMETER);
    trio_close(&it);
    server_end(&server);
    CHECK_HAS(server.requests[0], "\r\nA: 1\r\n");
    CHECK_LACKS(server.requests[0], "B: ");
    CHECK_HAS(server.requests[1], "\r\nA: 3\r\nB: 4\r\n");
    CHECK_LACKS(server.requests[1], "A: 1");
}

TEST(test_arguments__writing)
{
    struct trio it;
    DWORD count = 7;
    SERVER(server, {OK_HELLO, KEEP});
    trio_open(&it, server.port, W("PUT"), NULL, 0);
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 3, 0));
    CHECK_FAILS(WinHttpWriteData(it.request, NULL, 1, &count), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpWriteData(it.request, "1234", 4, &count), ERROR_INVALID_PARAMETER);
    CHECK_EQ(count, 7);
    CHECK_WORKS(WinHttpWriteData(it.request, NULL, 0, &count));
    CHECK_EQ(count, 0);
    CHECK_WORKS(WinHttpWriteData(it.request, "12", 2, &count));
    CHECK_EQ(count, 2);
    CHECK_FAILS(WinHttpWriteData(it.request, "34", 2, &count), ERROR_INVALID_PARAMETER);
    CHECK_EQ(count, 2);
    CHECK_WORKS(WinHttpWriteData(it.request, "3", 1, NULL));
    CHECK_WORKS(WinHttpWriteData(it.request, "", 0, &count));
    CHECK_EQ(count, 0);
    count = 7;
    CHECK_FAILS(WinHttpReceiveResponse(it.request, &it), ERROR_INVALID_PARAMETER);
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    CHECK_FAILS(WinHttpWriteData(it.request, "", 0, &count), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_EQ(count, 7);
    trio_close(&it);
    server_end(&server);
    CHECK_HAS(server.requests[0], "\r\n\r\n123");
}

TEST(test_arguments__reading)
{
    struct trio it;
    DWORD count = 7;
    char text[8];
    SERVER(server, {OK_HELLO, KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(exchange(it.request));
    CHECK_WORKS(WinHttpQueryDataAvailable(it.request, NULL));
    CHECK_FAILS(WinHttpReadData(it.request, NULL, 1, &count), ERROR_INVALID_PARAMETER);
    CHECK_EQ(count, 0);
    count = 7;
    CHECK_WORKS(WinHttpReadData(it.request, NULL, 0, &count));
    CHECK_EQ(count, 0);
    count = 7;
    CHECK_WORKS(WinHttpReadData(it.request, text, 0, &count));
    CHECK_EQ(count, 0);
    CHECK_WORKS(WinHttpReadData(it.request, text, 2, NULL));
    CHECK_BYTES(text, 2, "he");
    CHECK_EQ(WinHttpReadDataEx(it.request, NULL, 0, &count, 0, 0, NULL), 0);
    CHECK_EQ(count, 0);
    count = 7;
    CHECK_EQ(WinHttpReadDataEx(it.request, NULL, 1, &count, 0, 0, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(count, 0);
    count = 7;
    CHECK_EQ(WinHttpReadDataEx(it.request, text, 8, &count, 0, 1, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(count, 0);
    count = 7;
    CHECK_EQ(WinHttpReadDataEx(it.request, text, 8, &count, 0, 0, text), ERROR_INVALID_PARAMETER);
    CHECK_EQ(count, 0);
    CHECK_EQ(WinHttpReadDataEx(it.request, text, 1, NULL, WINHTTP_READ_DATA_EX_FLAG_FILL_BUFFER, 0, NULL), 0);
    CHECK_BYTES(text, 1, "l");
    CHECK_WORKS(WinHttpQueryDataAvailable(it.request, &count));
    CHECK_EQ(count, 2);
    CHECK_WORKS(WinHttpReadData(it.request, text, 8, &count));
    CHECK_BYTES(text, count, "lo");
    CHECK_WORKS(WinHttpReadData(it.request, NULL, 0, &count));
    CHECK_EQ(count, 0);
    count = 7;
    CHECK_WORKS(WinHttpReadData(it.request, text, 8, &count));
    CHECK_EQ(count, 0);
    trio_close(&it);
    server_end(&server);
}

/* Where the buffer of the last read is, as the callback is told. */
static void *volatile read_at;

static void CALLBACK record_places(HINTERNET handle, DWORD_PTR context, DWORD status, LPVOID information, DWORD length)
{
    if (status == WINHTTP_CALLBACK_STATUS_READ_COMPLETE)
        read_at = information;
    if (status == WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE || status == WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE)
        CHECK(!information && !length);
    if (status == WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE || status == WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE)
        CHECK_EQ(length, sizeof(DWORD));
    if (status == WINHTTP_CALLBACK_STATUS_REQUEST_ERROR)
        CHECK_EQ(length, sizeof(WINHTTP_ASYNC_RESULT));
    record(handle, context, status, information, length);
}

static void open_async(struct trio *it, int port, const WCHAR *verb, void (*inside)(const struct note *))
{
    DWORD_PTR context = 1;
    DWORD wanted = WINHTTP_CALLBACK_FLAG_ALL_COMPLETIONS | WINHTTP_CALLBACK_FLAG_HANDLES;
    notes_clear(inside);
    trio_open(it, port, verb, NULL, WINHTTP_FLAG_ASYNC);
    CHECK(WinHttpSetStatusCallback(it->request, record_places, wanted, 0) == NULL);
    CHECK(WinHttpSetOption(it->request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
}

static void finish(HINTERNET request, int function, DWORD status)
{
    int before = note_find(1, status);
    CHECK_EQ(call(function, request, NULL), 0);
    CHECK(note_wait(1, status, before + 1));
}

static void finish_exchange(HINTERNET request)
{
    finish(request, SEND, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE);
    finish(request, RECEIVE, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE);
}

/* An argument that is no good brings no notification; a buffer of no bytes brings one. */
TEST(test_arguments__asynchronous)
{
    struct trio it;
    DWORD count = 7;
    static char text[8];
    SERVER(server, {OK_HELLO, KEEP});
    open_async(&it, server.port, W("PUT"), NULL);
    CHECK_FAILS(WinHttpSendRequest(it.request, NULL, 0, NULL, 1, 1, 0), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpReceiveResponse(it.request, &it), ERROR_INVALID_PARAMETER);
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 1, 0));
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK_FAILS(WinHttpWriteData(it.request, NULL, 1, NULL), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpWriteData(it.request, "12", 2, NULL), ERROR_INVALID_PARAMETER);
    CHECK_WORKS(WinHttpWriteData(it.request, NULL, 0, NULL));
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE, 1));
    CHECK_WORKS(WinHttpWriteData(it.request, "1", 1, NULL));
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE, 2));
    finish(it.request, RECEIVE, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE);
    CHECK_FAILS(WinHttpReadData(it.request, NULL, 1, &count), ERROR_INVALID_PARAMETER);
    CHECK_EQ(count, 0);
    CHECK_TOLD_SOMEWHERE(1, "SEND_COMPLETE, WRITE(0), WRITE(1), HEADERS");
    CHECK(WinHttpReadData(it.request, text, 0, NULL));
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_READ_COMPLETE, 1));
    CHECK(read_at == text);
    CHECK_EQ(WinHttpReadDataEx(it.request, text, 8, &count, 2, 0, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpReadDataEx(it.request, text + 1, 2, NULL, 0, 0, NULL), 0);
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_READ_COMPLETE, 2));
    CHECK(read_at == text + 1);
    CHECK(WinHttpReadData(it.request, text, 8, NULL));
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_READ_COMPLETE, 3));
    CHECK_BYTES(text, 3, "llo");
    /* At the end it is the program's own buffer, too. */
    CHECK(WinHttpReadData(it.request, text + 4, 1, NULL));
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_READ_COMPLETE, 4));
    CHECK(read_at == text + 4);
    trio_close_async(&it, 1);
    CHECK_TOLD_SOMEWHERE(1, "SEND_COMPLETE, WRITE(0), WRITE(1), HEADERS, READ(0), READ(2), READ(3), READ(0), CLOSING");
    server_end(&server);
}

/* A count that is given at once is there before the callback hears of it, and not touched after that: the callback may
 * have freed the place. */
static DWORD available, got;

static void reuse_places(const struct note *it)
{
    DWORD *place = it->status == WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE  ? &available
                   : it->status == WINHTTP_CALLBACK_STATUS_READ_COMPLETE ? &got
                                                                         : NULL;
    if (it->status == WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE) {
        CHECK_WORKS(WinHttpQueryDataAvailable(it->handle, &available));
        CHECK_EQ(available, 0xAA);
        CHECK_WORKS(WinHttpReadData(it->handle, bytes, 4, &got));
        CHECK_EQ(got, 0xAA);
        SetEvent(note_made);
    } else if (place) {
        CHECK_EQ(*place, it->number);
        *place = 0xAA;
    }
}

TEST(test_arguments__counts_come_before_callbacks)
{
    struct trio it;
    SERVER(server, {OK_HELLO, KEEP});
    available = got = 7;
    open_async(&it, server.port, NULL, reuse_places);
    finish_exchange(it.request);
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_READ_COMPLETE, 1));
    trio_close_async(&it, 1);
    CHECK_TOLD_SOMEWHERE(1, "SEND_COMPLETE, HEADERS, DATA(5), READ(4), CLOSING");
    server_end(&server);
}

/* What comes with a notification: text and its length with the NUL, numbers, handles, or nothing. */
static DWORD carried[3];
static int carried_count;

static void check_text(const WCHAR *text, DWORD length, const char *wanted)
{
    size_t at;
    CHECK_EQ(length, strlen(wanted) + 1);
    for (at = 0; at < length; at++)
        CHECK_EQ(text[at], (WCHAR)(unsigned char)wanted[at]);
}

static char moved_to[64];

static void CALLBACK check_information(HINTERNET handle, DWORD_PTR context, DWORD status, LPVOID information, DWORD length)
{
    (void)context;
    switch (status) {
    case WINHTTP_CALLBACK_STATUS_RESOLVING_NAME:
    case WINHTTP_CALLBACK_STATUS_NAME_RESOLVED:
    case WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER:
    case WINHTTP_CALLBACK_STATUS_CONNECTED_TO_SERVER:
        check_text(information, length, "127.0.0.1");
        break;
    case WINHTTP_CALLBACK_STATUS_REDIRECT:
        check_text(information, length, moved_to);
        break;
    case WINHTTP_CALLBACK_STATUS_REQUEST_SENT:
    case WINHTTP_CALLBACK_STATUS_RESPONSE_RECEIVED:
    case WINHTTP_CALLBACK_STATUS_INTERMEDIATE_RESPONSE:
        CHECK_EQ(length, sizeof(DWORD));
        if (status != WINHTTP_CALLBACK_STATUS_RESPONSE_RECEIVED && carried_count < 3)
            carried[carried_count++] = *(DWORD *)information;
        else
            CHECK(*(DWORD *)information > 0);
        break;
    case WINHTTP_CALLBACK_STATUS_HANDLE_CREATED:
    case WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING:
        CHECK_EQ(length, sizeof(HINTERNET));
        CHECK(*(HINTERNET *)information == handle);
        break;
    case WINHTTP_CALLBACK_STATUS_SENDING_REQUEST:
    case WINHTTP_CALLBACK_STATUS_RECEIVING_RESPONSE:
        CHECK(!information && !length);
        break;
    default:
        CHECK_EQ(status, 0);
    }
}

TEST(test_arguments__what_notifications_carry)
{
    struct trio it;
    SERVER(server, {"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 307 Moved\r\nContent-Length: 0\r\nLocation: /new\r\n\r\n", KEEP},
           {OK_HELLO, KEEP});
    carried_count = 0;
    sprintf(moved_to, "http://127.0.0.1:%d/new", server.port);
    trio_open(&it, server.port, W("POST"), NULL, 0);
    CHECK(WinHttpSetStatusCallback(it.request, check_information, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == NULL);
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, (void *)"body", 4, 4, 0));
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    trio_close(&it);
    server_end(&server);
    /* Head and optional bytes. */
    CHECK_EQ(carried_count, 3);
    CHECK_EQ(carried[0], strlen(server.requests[0]));
    CHECK_EQ(carried[1], 103);
    CHECK_EQ(carried[2], strlen(server.requests[1]));
}

/* What is said to be there is read by one call, however long the body; 8 KiB at most. */
TEST(test_arguments__what_is_available_can_be_read)
{
    static char answer[70000], text[8192];
    const char *head = "HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n";
    struct turn turn = {answer, KEEP};
    struct server server;
    struct trio it;
    DWORD count, total = 0, got;
    memset(answer, 'x', strlen(head) + 60000);
    memcpy(answer, head, strlen(head));
    server_start(&server, &turn, 1);
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(exchange(it.request));
    for (;;) {
        CHECK_WORKS(WinHttpQueryDataAvailable(it.request, &count));
        if (!CHECK(count <= sizeof(text)) || !count)
            break;
        CHECK_WORKS(WinHttpReadData(it.request, text, count, &got));
        CHECK_EQ(got, count);
        total += got;
    }
    CHECK_EQ(total, 60000);
    trio_close(&it);
    server_end(&server);
}

/* ReadDataEx takes what has come; told to fill the buffer it waits, as ReadData does. */
TEST(test_arguments__a_body_that_stops)
{
    struct trio it;
    DWORD count = 7, limit = 200;
    char text[8];
    SERVER(server, {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel", HOLD}, {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel", HOLD});
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_RECEIVE_TIMEOUT, &limit, sizeof(limit)));
    CHECK(exchange(it.request));
    CHECK_EQ(WinHttpReadDataEx(it.request, text, 8, &count, 0, 0, NULL), 0);
    CHECK_BYTES(text, count, "hel");
    CHECK_EQ(WinHttpReadDataEx(it.request, text, 8, &count, 0, 0, NULL), ERROR_WINHTTP_TIMEOUT);
    CHECK_EQ(count, 0);
    CHECK(exchange(it.request));
    CHECK_EQ(WinHttpReadDataEx(it.request, text, 8, &count, WINHTTP_READ_DATA_EX_FLAG_FILL_BUFFER, 0, NULL), ERROR_WINHTTP_TIMEOUT);
    trio_close(&it);
    server_end(&server);
}

/* Less is written than was announced: the server waits for the rest, and the program for the server. */
TEST(test_arguments__a_body_that_is_not_finished)
{
    struct trio it;
    DWORD count, limit = 200;
    SERVER(server, {OK_HELLO, KEEP});
    trio_open(&it, server.port, W("PUT"), NULL, 0);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_RECEIVE_TIMEOUT, &limit, sizeof(limit)));
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 4, 0));
    CHECK_WORKS(WinHttpWriteData(it.request, "12", 2, &count));
    CHECK_FAILS(WinHttpReceiveResponse(it.request, NULL), ERROR_WINHTTP_TIMEOUT);
    CHECK_FAILS(WinHttpWriteData(it.request, "34", 2, &count), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    trio_close(&it);
    server_end(&server);
}

#define STATE ERROR_WINHTTP_INCORRECT_HANDLE_STATE
/* A receive at the wrong time, which an asynchronous request reports to its callback. */
#define TOLD 1
/* Allowed, and so not tried. */
#define FINE 2

/* Tries all functions at one moment. Where they fail, nothing changes, and nothing is told unless it is TOLD. */
static void check_moment(HINTERNET request, int is_async, const DWORD *errors, DWORD header)
{
    DWORD status, size = sizeof(status);
    int function, told = note_find(1, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR);
    for (function = 0; function < FUNCTIONS; function++) {
        DWORD wanted = errors[function == READ_EX ? READ : function], count = 7;
        if (wanted == FINE)
            continue;
        if (wanted == TOLD && is_async) {
            CHECK_WORKS(WinHttpReceiveResponse(request, NULL));
            CHECK_EQ(note_find(1, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR), ++told);
            continue;
        }
        CHECK_EQ(call(function, request, &count), STATE);
        check_count(function, count);
    }
    CHECK_EQ(note_find(1, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR), told);
    SetLastError(0xdeadbeef);
    CHECK_EQ(WinHttpQueryHeaders(request, WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER, NULL, &status, &size, NULL),
             header == 0);
    CHECK_EQ(GetLastError(), header);
}

/* In the order of the functions. */
static const DWORD opened[] = {FINE, TOLD, STATE, STATE, STATE}, sending[] = {STATE, FINE, STATE, STATE, STATE},
                   sent[] = {FINE, FINE, FINE, STATE, STATE}, busy[] = {STATE, STATE, STATE, STATE, STATE},
                   responded[] = {FINE, TOLD, STATE, FINE, FINE}, failed[] = {FINE, TOLD, STATE, STATE, STATE};

TEST(test_arguments__moments_of_a_synchronous_request)
{
    struct trio it;
    char text[8];
    DWORD count;
    SERVER(server, {OK_HELLO, KEEP}, {OK_HELLO, KEEP}, {"garbage\r\n\r\n", CLOSE});
    notes_clear(NULL);
    trio_open(&it, server.port, NULL, NULL, 0);
    check_moment(it.request, 0, opened, STATE);
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    check_moment(it.request, 0, sent, STATE);
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    check_moment(it.request, 0, responded, 0);
    CHECK_WORKS(WinHttpReadData(it.request, text, 8, &count));
    check_moment(it.request, 0, responded, 0);
    CHECK_WORKS(WinHttpQueryDataAvailable(it.request, &count));
    CHECK_EQ(count, 0);
    /* The handle serves again, also after a failure. */
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    check_moment(it.request, 0, sent, STATE);
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK_FAILS(WinHttpReceiveResponse(it.request, NULL), ERROR_WINHTTP_INVALID_SERVER_RESPONSE);
    check_moment(it.request, 0, failed, STATE);
    server_end(&server);
    CHECK(!WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    check_moment(it.request, 0, failed, STATE);
    trio_close(&it);
}

TEST(test_arguments__moments_of_an_asynchronous_request)
{
    struct trio it;
    static char text[8], large[8 << 20];
    int port, listener;
    SERVER(server, {OK_HELLO, KEEP}, {NULL, HOLD}, {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel", HOLD});
    open_async(&it, server.port, NULL, NULL);
    check_moment(it.request, 1, opened, STATE);
    finish(it.request, SEND, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE);
    check_moment(it.request, 1, sent, STATE);
    finish(it.request, RECEIVE, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE);
    check_moment(it.request, 1, responded, 0);
    finish(it.request, READ, WINHTTP_CALLBACK_STATUS_READ_COMPLETE);
    CHECK(WinHttpReadData(it.request, text, 8, NULL));
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_READ_COMPLETE, 2));
    check_moment(it.request, 1, responded, 0);
    /* A receive that waits. */
    finish(it.request, SEND, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE);
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    check_moment(it.request, 1, busy, STATE);
    trio_close_async(&it, 1);
    /* A read and a query that wait. */
    open_async(&it, server.port, NULL, NULL);
    finish_exchange(it.request);
    CHECK(WinHttpReadData(it.request, text, 8, NULL));
    CHECK_EQ(GetLastError(), ERROR_IO_PENDING);
    check_moment(it.request, 1, busy, 0);
    trio_close_async(&it, 1);
    server_end(&server);
    /* A send and a write that wait: nobody takes the connection. */
    listener = loopback_listener(&port, 16);
    open_async(&it, port, W("PUT"), NULL);
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, large, sizeof(large), sizeof(large), 0));
    check_moment(it.request, 1, sending, STATE);
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    check_moment(it.request, 1, busy, STATE);
    trio_close_async(&it, 1);
    open_async(&it, port, W("PUT"), NULL);
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, sizeof(large), 0));
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1));
    CHECK_WORKS(WinHttpWriteData(it.request, large, sizeof(large), NULL));
    check_moment(it.request, 1, busy, STATE);
    trio_close_async(&it, 1);
    close(listener);
    /* Failed: nobody listens any more. */
    open_async(&it, port, NULL, NULL);
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK(note_wait(1, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, 1));
    check_moment(it.request, 1, failed, STATE);
    trio_close_async(&it, 1);
}

/* While a synchronous call tells the callback of its progress, no other call of the request can begin. */
static int told_of;

static void CALLBACK try_everything(HINTERNET handle, DWORD_PTR context, DWORD status, LPVOID information, DWORD length)
{
    int function;
    (void)context;
    (void)information;
    (void)length;
    if (status == WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING)
        return;
    told_of |= (int)status;
    for (function = 0; function < FUNCTIONS; function++) {
        DWORD count = 7;
        CHECK_EQ(call(function, handle, &count), STATE);
        check_count(function, count);
    }
}

TEST(test_arguments__one_call_at_a_time)
{
    struct trio it;
    char text[16];
    DWORD count;
    SERVER(server, {"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 302 Moved\r\nContent-Length: 0\r\nLocation: /new\r\n\r\n", KEEP},
           {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel", CLOSE});
    told_of = 0;
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(WinHttpSetStatusCallback(it.request, try_everything, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == NULL);
    CHECK_WORKS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK_WORKS(WinHttpReceiveResponse(it.request, NULL));
    CHECK_WORKS(WinHttpReadData(it.request, text, 16, &count));
    CHECK_BYTES(text, count, "hel");
    trio_close(&it);
    server_end(&server);
    CHECK_EQ(told_of, WINHTTP_CALLBACK_FLAG_RESOLVE_NAME | WINHTTP_CALLBACK_FLAG_CONNECT_TO_SERVER | WINHTTP_CALLBACK_FLAG_SEND_REQUEST |
                          WINHTTP_CALLBACK_FLAG_RECEIVE_RESPONSE | WINHTTP_CALLBACK_FLAG_INTERMEDIATE_RESPONSE | WINHTTP_CALLBACK_FLAG_REDIRECT);
}

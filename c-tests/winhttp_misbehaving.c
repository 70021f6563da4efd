/* A server that cuts, resets, floods and dawdles at every place it can: each fault has its documented error, told
 * with its cause, to synchronous and asynchronous requests alike, and no broken connection is used again.
 * gate: thread */
#include "winhttp_misbehaving.h"

static struct misbehaving bad;
static struct trio plain, with_callback;
#define ASYNC_CONTEXT 0x77

static void set_up(void)
{
    DWORD_PTR context = ASYNC_CONTEXT;
    misbehaving_start(&bad);
    trio_open(&plain, bad.port, NULL, NULL, 0);
    trio_open(&with_callback, bad.port, NULL, NULL, WINHTTP_FLAG_ASYNC);
    notes_clear(NULL);
    CHECK(WinHttpSetOption(with_callback.request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
    WinHttpSetStatusCallback(with_callback.request, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
}

static void tear_down(void)
{
    trio_close(&plain);
    notes_clear(NULL);
    trio_close_async(&with_callback, ASYNC_CONTEXT);
    misbehaving_end(&bad);
}

/* Both kinds of request meet the present order, with this result. */
static void both(DWORD_PTR api, DWORD error, long body, const char *words)
{
    int kind;
    for (kind = 0; kind < 2; kind++) {
        struct outcome got = kind ? exchange_async(with_callback.request, ASYNC_CONTEXT) : exchange_sync(plain.request);
        int right = got.api == api && got.error == error && (api || got.body == body);
        if (!right || (words && !strstr(got.words, words)))
            printf("%s, %u bytes, ending %d: api %d, error %u, body %ld, \"%s\"\n", kind ? "asynchronous" : "synchronous",
                   (unsigned)bad.next.length, bad.next.ending, (int)got.api, (unsigned)got.error, got.body, got.words);
        CHECK(right);
        CHECK(!words || strstr(got.words, words));
    }
}

/* Every prefix of an answer, ended both ways. `framed` tells a client where the end is: 1 by a length, 2 by chunks. */
static void cut_everywhere(const char *answer, int framed)
{
    size_t whole = strlen(answer), head = (size_t)(strstr(answer, "\r\n\r\n") + 4 - answer), cut;
    set_up();
    /* The whole of a framed answer is no fault. */
    for (cut = 0; cut < whole + !framed; cut++) {
        LONG before = connections_of(&bad);
        order(&bad, answer, cut, FINISH);
        if (cut < head)
            both(API_RECEIVE_RESPONSE, ERROR_WINHTTP_CONNECTION_ERROR, 0, cut ? "unfinished response head" : "before it answered");
        else if (framed == 2)
            both(API_READ_DATA, ERROR_WINHTTP_CONNECTION_ERROR, 0, "before the last chunk");
        else
            both(0, 0, (long)(cut - head), NULL);
        order(&bad, answer, cut, BREAK);
        if (cut < head)
            both(API_RECEIVE_RESPONSE, ERROR_WINHTTP_CONNECTION_ERROR, 0, "the ");
        else
            both(API_READ_DATA, ERROR_WINHTTP_CONNECTION_ERROR, 0, "receiving the response body: ");
        CHECK_EQ(connections_of(&bad) - before, 4);
    }
    tear_down();
}

TEST(test_misbehaving__a_body_with_a_length_cut_everywhere)
{
    cut_everywhere("HTTP/1.1 200 OK\r\nContent-Length: 10\r\nX: y\r\n\r\n0123456789", 1);
}

TEST(test_misbehaving__a_chunked_body_cut_everywhere)
{
    cut_everywhere("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nT: u\r\n\r\n", 2);
}

TEST(test_misbehaving__a_body_without_a_length_cut_everywhere)
{
    cut_everywhere("HTTP/1.0 200 OK\r\nX: y\r\n\r\nhello", 0);
}

/* A connection that is reset before a byte of the request was read may have gone before it was ready. */
static int is_reset(const struct outcome *got)
{
    return (got->api == API_RECEIVE_RESPONSE && got->error == ERROR_WINHTTP_CONNECTION_ERROR && got->words[0]) ||
           (got->api == API_SEND_REQUEST && got->words[0] &&
            (got->error == ERROR_WINHTTP_CONNECTION_ERROR || got->error == ERROR_WINHTTP_CANNOT_CONNECT));
}

TEST(test_misbehaving__a_reset_after_every_byte_of_the_request)
{
    long read;
    set_up();
    for (read = 0; read < 60; read++) {
        struct outcome got;
        struct command next = {"", 0, 0, read, 0, 0, BREAK};
        give(&bad, next);
        got = exchange_sync(plain.request);
        CHECK(is_reset(&got));
        got = exchange_async(with_callback.request, ASYNC_CONTEXT);
        CHECK(is_reset(&got));
    }
    tear_down();
}

#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"

struct row {
    const char *answer;
    DWORD_PTR api;
    DWORD error;
    const char *words;
};

static void each(const struct row *rows, size_t count)
{
    size_t at;
    set_up();
    for (at = 0; at < count; at++) {
        LONG before = connections_of(&bad);
        order(&bad, rows[at].answer, strlen(rows[at].answer), SILENT);
        harness_current = rows[at].answer;
        both(rows[at].api, rows[at].error, 0, rows[at].words);
        /* The server holds each connection: that the next request finds a new one shows that none was kept. */
        CHECK_EQ(connections_of(&bad) - before, 2);
    }
    harness_current = "test_misbehaving";
    tear_down();
}

TEST(test_misbehaving__garbage)
{
    static const struct row rows[] = {
        {"<html>hello</html>\r\n\r\n", API_RECEIVE_RESPONSE, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, "\"<html>hello</html>\""},
        {"hello", API_RECEIVE_RESPONSE, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, "not HTTP/1.x: \"hello\""},
        {"\x16\x03\x03", API_RECEIVE_RESPONSE, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, "\\x16\\x03\\x03"},
        {"\r\n\r\n", API_RECEIVE_RESPONSE, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, NULL},
        {"http/1.1 200 OK\r\n\r\n", API_RECEIVE_RESPONSE, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, NULL},
        {"HTTP/1.1\r\n\r\n", API_RECEIVE_RESPONSE, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, NULL},
        {"HTTP/11 200 OK\r\n\r\n", API_RECEIVE_RESPONSE, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, NULL},
        {"HTTP/1.1 20 OK\r\n\r\n", API_RECEIVE_RESPONSE, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, NULL},
        {"HTTP/1.1 2000 OK\r\n\r\n", API_RECEIVE_RESPONSE, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, NULL},
        {"HTTP/1.1 099 OK\r\n\r\n", API_RECEIVE_RESPONSE, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, NULL},
        {"HTTP/1.1 -20 OK\r\n\r\n", API_RECEIVE_RESPONSE, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, NULL},
        {"ICY 200 OK\r\n\r\n", API_RECEIVE_RESPONSE, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, NULL},
        {"SSH-2.0-OpenSSH\r\n", API_RECEIVE_RESPONSE, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, "SSH-2.0"},
    };
    each(rows, COUNT(rows));
}

TEST(test_misbehaving__lengths)
{
    static const struct row rows[] = {
        {OK "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", API_RECEIVE_RESPONSE, ERROR_WINHTTP_INVALID_SERVER_RESPONSE,
         "Content-Length"},
        {OK "Content-Length: 1, 2\r\n\r\nxx", API_RECEIVE_RESPONSE, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, "Content-Length"},
        {OK "Content-Length: -1\r\n\r\n", API_RECEIVE_RESPONSE, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, "Content-Length"},
        {OK "Content-Length: +1\r\n\r\nx", API_RECEIVE_RESPONSE, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, "Content-Length"},
        {OK "Content-Length: 0x1\r\n\r\nx", API_RECEIVE_RESPONSE, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, "Content-Length"},
        {OK "Content-Length: 99999999999999999999\r\n\r\n", API_RECEIVE_RESPONSE, ERROR_WINHTTP_INVALID_SERVER_RESPONSE,
         "Content-Length"},
        /* More than was announced is not read, and the connection not used again. */
        {OK "Content-Length: 0\r\n\r\nmore", 0, 0, NULL},
        {"HTTP/1.1 204 None\r\nContent-Length: 4\r\n\r\nmore", 0, 0, NULL},
        {"HTTP/1.1 304 Same\r\nContent-Length: 4\r\n\r\nmore", 0, 0, NULL},
    };
    each(rows, COUNT(rows));
}

TEST(test_misbehaving__chunks)
{
    static const struct row rows[] = {
        {CHUNKED "x\r\n", API_READ_DATA, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, "framed wrongly"},
        {CHUNKED "\r\n", API_READ_DATA, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, "framed wrongly"},
        {CHUNKED ";a=b\r\n", API_READ_DATA, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, "framed wrongly"},
        {CHUNKED "-1\r\n", API_READ_DATA, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, "framed wrongly"},
        {CHUNKED "0x1\r\nx\r\n", API_READ_DATA, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, "framed wrongly"},
        {CHUNKED "1\nx\r\n", API_READ_DATA, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, "framed wrongly"},
        {CHUNKED "1\r\nxx", API_READ_DATA, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, "framed wrongly"},
        {CHUNKED "1\r\nx0\r\n\r\n", API_READ_DATA, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, "framed wrongly"},
        {CHUNKED "1\r\nx\r\r", API_READ_DATA, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, "framed wrongly"},
        {CHUNKED "0\r\nbad trailer\r\n\r\n", API_READ_DATA, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, "framed wrongly"},
        {CHUNKED "11112222333344445\r\n", API_READ_DATA, ERROR_WINHTTP_CHUNKED_ENCODING_HEADER_SIZE_OVERFLOW, "size"},
        {CHUNKED "00000000000000000\r\n", API_READ_DATA, ERROR_WINHTTP_CHUNKED_ENCODING_HEADER_SIZE_OVERFLOW, "size"},
        /* A response that says its length twice is read, and the connection not used again. */
        {OK "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, 0, NULL},
    };
    each(rows, COUNT(rows));
}

/* A text of a start and then a piece over and over. */
static char *repeat(const char *start, const char *piece, size_t times, const char *end)
{
    char *text = malloc(strlen(start) + strlen(piece) * times + strlen(end) + 1), *at = text;
    at += sprintf(at, "%s", start);
    while (times--)
        at += sprintf(at, "%s", piece);
    strcpy(at, end);
    return text;
}

TEST(test_misbehaving__too_much)
{
    static struct row rows[7];
    int at;
    rows[0].answer = repeat(OK "A: ", "aaaaaaaaaaaaaaaa", 5000, "\r\n\r\n");
    rows[0].error = ERROR_WINHTTP_HEADER_SIZE_OVERFLOW;
    rows[0].words = "65536 bytes";
    rows[1].answer = repeat("HTTP/1.1 200 ", "aaaaaaaaaaaaaaaa", 5000, "");
    rows[1].error = ERROR_WINHTTP_HEADER_SIZE_OVERFLOW;
    rows[2].answer = repeat(OK, "A: b\r\n", 1025, "\r\n");
    rows[2].error = ERROR_WINHTTP_HEADER_COUNT_EXCEEDED;
    rows[2].words = "1024 fields";
    rows[3].answer = repeat("", "HTTP/1.1 103 Hints\r\n\r\n", 11, "");
    rows[3].error = ERROR_WINHTTP_INVALID_SERVER_RESPONSE;
    rows[3].words = "more than 10";
    rows[4].answer = repeat(CHUNKED "1;", "aaaaaaaaaaaaaaaa", 300, "\r\n");
    rows[4].error = ERROR_WINHTTP_CHUNKED_ENCODING_HEADER_SIZE_OVERFLOW;
    rows[5].answer = repeat(CHUNKED "0\r\n", "A: aaaaaaaaaaaaaaaa\r\n", 1000, "");
    rows[5].error = ERROR_WINHTTP_INVALID_SERVER_RESPONSE;
    rows[5].words = "trailer";
    rows[6].answer = repeat("", "HTTP/1.1 100 Continue\r\nA: b\r\n\r\n", 10, OK "Connection: close\r\nContent-Length: 0\r\n\r\n");
    for (at = 0; at < 6; at++)
        rows[at].api = at < 4 ? API_RECEIVE_RESPONSE : API_READ_DATA;
    each(rows, COUNT(rows));
    for (at = 0; at < 7; at++)
        free((void *)rows[at].answer);
}

/* Heads, interim responses and bodies that never end. */
TEST(test_misbehaving__without_end)
{
    static const struct {
        const char *answer;
        size_t piece;
        DWORD_PTR api;
        DWORD error;
    } rows[] = {
        {OK "A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 60,
         API_RECEIVE_RESPONSE, ERROR_WINHTTP_HEADER_SIZE_OVERFLOW},
        {"HTTP/1.1 100 Continue\r\n\r\n", 25, API_RECEIVE_RESPONSE, ERROR_WINHTTP_INVALID_SERVER_RESPONSE},
        {OK "A: b\r\nA: b\r\n", 6, API_RECEIVE_RESPONSE, ERROR_WINHTTP_HEADER_SIZE_OVERFLOW},
    };
    size_t at;
    set_up();
    for (at = 0; at < COUNT(rows); at++) {
        struct command next = {rows[at].answer, strlen(rows[at].answer), rows[at].piece, -1, 0, 1, SILENT};
        give(&bad, next);
        both(rows[at].api, rows[at].error, 0, NULL);
    }
    tear_down();
}

static void limits(DWORD receive, DWORD response)
{
    struct trio *trios[] = {&plain, &with_callback};
    int at;
    for (at = 0; at < 2; at++) {
        CHECK(WinHttpSetOption(trios[at]->request, WINHTTP_OPTION_RECEIVE_TIMEOUT, &receive, sizeof(receive)));
        CHECK(WinHttpSetOption(trios[at]->request, WINHTTP_OPTION_RECEIVE_RESPONSE_TIMEOUT, &response, sizeof(response)));
    }
}

TEST(test_misbehaving__silence_and_trickle)
{
    static const char answer[] = OK "Connection: close\r\nContent-Length: 10\r\n\r\n0123456789", slow[] = OK "A: bbbb";
    struct command bytewise = {answer, sizeof(answer) - 1, 1, -1, 0, 0, FINISH};
    struct command dawdling = {slow, sizeof(slow) - 1, 1, -1, 40, 1, SILENT};
    size_t head = sizeof(answer) - 11, cut;
    set_up();
    /* Silence, anywhere. */
    limits(250, 30000);
    for (cut = 0; cut < sizeof(answer) - 1; cut += 12) {
        order(&bad, answer, cut, SILENT);
        both(cut < head ? API_RECEIVE_RESPONSE : API_READ_DATA, ERROR_WINHTTP_TIMEOUT, 0, "for 250 ms");
    }
    /* Byte by byte: each receive is in time, and so is the whole. */
    limits(10000, 30000);
    give(&bad, bytewise);
    both(0, 0, 10, NULL);
    /* Each receive is in time, the head is not. */
    limits(1000, 1000);
    give(&bad, dawdling);
    both(API_RECEIVE_RESPONSE, ERROR_WINHTTP_TIMEOUT, 0, "not complete after 1000 ms");
    tear_down();
}

TEST(test_misbehaving__a_server_that_does_not_read)
{
    static char block[1024 * 1024];
    struct command deaf = {"", 0, 0, 0, 0, 0, DEAF};
    struct trio it;
    struct outcome got = {0, 0, "", -1};
    DWORD limit = 60, number, at;
    set_up();
    give(&bad, deaf);
    trio_open(&it, bad.port, W("POST"), NULL, 0);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_SEND_TIMEOUT, &limit, sizeof(limit)));
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, sizeof(block) * 64, 0));
    for (at = 0; at < 64 && !got.error; at++)
        if (!WinHttpWriteData(it.request, block, sizeof(block), &number))
            remember(&got, API_WRITE_DATA);
    CHECK_EQ(got.error, ERROR_WINHTTP_TIMEOUT);
    CHECK_HAS(got.words, "took no bytes");
    SetEvent(bad.go);
    trio_close(&it);
    trio_open(&it, bad.port, W("POST"), NULL, WINHTTP_FLAG_ASYNC);
    WinHttpSetStatusCallback(it.request, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
    if (!words_taken)
        words_taken = CreateEventW(NULL, FALSE, FALSE, NULL);
    notes_clear(take_words);
    memset(&got, 0, sizeof(got));
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_SEND_TIMEOUT, &limit, sizeof(limit)));
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, sizeof(block) * 64, 3));
    CHECK(completed(&got, 3, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, &number));
    for (at = 0; at < 64 && !got.error; at++) {
        notes_clear(take_words);
        CHECK(WinHttpWriteData(it.request, block, sizeof(block), NULL));
        completed(&got, 3, WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE, &number);
    }
    CHECK(got.api == API_WRITE_DATA && got.error == ERROR_WINHTTP_TIMEOUT);
    CHECK_HAS(got.words, "took no bytes");
    SetEvent(bad.go);
    trio_close_async(&it, 3);
    tear_down();
}

#ifndef __MINGW32__
TEST(test_misbehaving__no_room_for_a_connection)
{
    struct trio it;
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    int listener = (int)socket(AF_INET, SOCK_STREAM, 0), fillers[8], at;
    DWORD limit = 100;
    client_address(&address, 0);
    REQUIRE(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0);
    REQUIRE(listen(listener, 0) == 0);
    REQUIRE(getsockname(listener, (struct sockaddr *)&address, &size) == 0);
    for (at = 0; at < (int)COUNT(fillers); at++) {
        fillers[at] = (int)socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(fillers[at], (struct sockaddr *)&address, sizeof(address));
    }
    trio_open(&it, ntohs(address.sin_port), NULL, NULL, 0);
    CHECK(WinHttpSetOption(it.request, WINHTTP_OPTION_CONNECT_TIMEOUT, &limit, sizeof(limit)));
    CHECK_FAILS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0), ERROR_WINHTTP_TIMEOUT);
    CHECK_HAS(nthttp_last_error_message(), "127.0.0.1");
    trio_close(&it);
    for (at = 0; at < (int)COUNT(fillers); at++)
        close(fillers[at]);
    close(listener);
}
#endif

TEST(test_misbehaving__nobody_listens)
{
    struct trio it;
    struct outcome got;
    trio_open(&it, free_port(), NULL, NULL, 0);
    got = exchange_sync(it.request);
    CHECK(got.api == API_SEND_REQUEST && got.error == ERROR_WINHTTP_CANNOT_CONNECT);
    CHECK_HAS(got.words, "127.0.0.1");
    trio_close(&it);
    trio_open(&it, free_port(), NULL, NULL, WINHTTP_FLAG_ASYNC);
    WinHttpSetStatusCallback(it.request, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
    got = exchange_async(it.request, 5);
    CHECK(got.api == API_SEND_REQUEST && got.error == ERROR_WINHTTP_CANNOT_CONNECT);
    CHECK_HAS(got.words, "127.0.0.1");
    trio_close_async(&it, 5);
}

/* An answer before the body is complete is the answer, and the connection, which waits for the rest of the body, is not
 * used again. */
TEST(test_misbehaving__an_early_answer)
{
    struct trio it;
    char text[16];
    static const char last[] = OK "Connection: close\r\nContent-Length: 5\r\n\r\nhello";
    set_up();
    order(&bad, OK_HELLO, strlen(OK_HELLO), SILENT);
    trio_open(&it, bad.port, W("POST"), NULL, 0);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 1000, 0));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(read_body(it.request, text, sizeof(text)), 5);
    order(&bad, last, strlen(last), FINISH);
    CHECK(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0));
    CHECK(WinHttpReceiveResponse(it.request, NULL));
    CHECK_EQ(connections_of(&bad), 2);
    trio_close(&it);
    both(0, 0, 5, NULL);
    tear_down();
}

/* QueryDataAvailable meets the same faults as ReadData. */
TEST(test_misbehaving__asked_how_much_there_is)
{
    static const struct {
        const char *answer;
        enum ending ending;
        DWORD error;
        const char *words;
    } rows[] = {
        {CHUNKED "x\r\n", SILENT, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, "framed wrongly"},
        {CHUNKED "11112222333344445\r\n", SILENT, ERROR_WINHTTP_CHUNKED_ENCODING_HEADER_SIZE_OVERFLOW, "size"},
        {CHUNKED "5\r\n", FINISH, ERROR_WINHTTP_CONNECTION_ERROR, "before the last chunk"},
        {CHUNKED "5\r\n", BREAK, ERROR_WINHTTP_CONNECTION_ERROR, "receiving the response body: "},
        {OK "Content-Length: 5\r\n\r\n", SILENT, ERROR_WINHTTP_TIMEOUT, "for 1000 ms"},
        {OK "Content-Length: 5\r\n\r\n", FINISH, 0, NULL},
        {OK "\r\n", FINISH, 0, NULL},
    };
    size_t at;
    set_up();
    for (at = 0; at < COUNT(rows); at++) {
        struct outcome got = {0, 0, "", -1};
        DWORD number = 77;
        limits(rows[at].error == ERROR_WINHTTP_TIMEOUT ? 1000 : 10000, 30000);
        order(&bad, rows[at].answer, strlen(rows[at].answer), rows[at].ending);
        CHECK(exchange(plain.request));
        if (!WinHttpQueryDataAvailable(plain.request, &number))
            remember(&got, API_QUERY_DATA_AVAILABLE);
        CHECK_EQ(got.error, rows[at].error);
        CHECK(rows[at].words ? strstr(got.words, rows[at].words) != NULL : number == 0);
        memset(&got, 0, sizeof(got));
        if (!words_taken)
            words_taken = CreateEventW(NULL, FALSE, FALSE, NULL);
        notes_clear(take_words);
        CHECK(WinHttpSendRequest(with_callback.request, NULL, 0, NULL, 0, 0, ASYNC_CONTEXT));
        CHECK(completed(&got, ASYNC_CONTEXT, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, &number));
        CHECK(WinHttpReceiveResponse(with_callback.request, NULL));
        CHECK(completed(&got, ASYNC_CONTEXT, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, &number));
        CHECK(WinHttpQueryDataAvailable(with_callback.request, NULL));
        number = 77;
        completed(&got, ASYNC_CONTEXT, WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE, &number);
        CHECK_EQ(got.error, rows[at].error);
        CHECK(rows[at].error ? got.api == API_QUERY_DATA_AVAILABLE : number == 0);
        CHECK(!rows[at].words || strstr(got.words, rows[at].words));
    }
    tear_down();
}

/* What a failed request says does not stick to the next one. */
TEST(test_misbehaving__words_are_those_of_the_failure)
{
    set_up();
    order(&bad, "hello", 5, SILENT);
    both(API_RECEIVE_RESPONSE, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, 0, "hello");
    CHECK_FAILS(WinHttpReceiveResponse(plain.request, NULL), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_EQ(strlen(nthttp_last_error_message()), 0);
    tear_down();
}

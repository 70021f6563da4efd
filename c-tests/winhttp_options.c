/* Every option of the table: who takes it, how its size is checked, what it is before it is set, what it may not be, and
 * what requests inherit. The table is abi/options.tsv.
 * gate: not-mingw */
#include "winhttp_websocket.h"

enum { CAN_SET = 1, CAN_GET = 2 };
enum { AT_SESSION = 1, AT_CONNECT = 2, AT_REQUEST = 4, AT_WEB_SOCKET = 8, AT_PROCESS = 16, AT_RESOLVER = 32 };
#define ANYWHERE (AT_SESSION | AT_CONNECT | AT_REQUEST | AT_WEB_SOCKET | AT_RESOLVER)
enum { CORE, USEFUL, WINDOWS_ONLY };
#define NO_VALUE 0
#define TEXT_VALUE ((size_t)-1)
#define OTHER_VALUE ((size_t)-2)
struct option_row {
    DWORD option;
    const char *name;
    int access, levels;
    size_t size;
    int rank;
};
#include "winhttp_option_rows.h"

/* What the table does not tell: who else takes an option, or which rows are told apart below. */
static const struct {
    DWORD option;
    int set_too, get_too;
} extras[] = {
    {WINHTTP_OPTION_CALLBACK, ANYWHERE, ANYWHERE},
    {WINHTTP_OPTION_CONTEXT_VALUE, ANYWHERE, ANYWHERE},
    {WINHTTP_OPTION_HANDLE_TYPE, 0, ANYWHERE},
    {WINHTTP_OPTION_RESOLVE_TIMEOUT, 0, AT_CONNECT},
    {WINHTTP_OPTION_CONNECT_TIMEOUT, 0, AT_CONNECT},
    {WINHTTP_OPTION_SEND_TIMEOUT, 0, AT_CONNECT},
    {WINHTTP_OPTION_RECEIVE_TIMEOUT, 0, AT_CONNECT},
    {WINHTTP_OPTION_RECEIVE_RESPONSE_TIMEOUT, 0, AT_CONNECT},
    {WINHTTP_OPTION_HTTP_VERSION, ANYWHERE, ANYWHERE},
    {WINHTTP_OPTION_WEB_SOCKET_CLOSE_TIMEOUT, AT_REQUEST, AT_REQUEST},
    {WINHTTP_OPTION_SECURE_PROTOCOLS, AT_REQUEST, 0},
    {WINHTTP_OPTION_TCP_PRIORITY_HINT, AT_SESSION, 0},
};

/* Rows with rules of their own, tested one by one below or in the tests of their topic. */
static int is_special(DWORD option)
{
    switch (option) {
    case WINHTTP_OPTION_PARENT_HANDLE: /* a session has none */
    case WINHTTP_OPTION_CLIENT_CERT_CONTEXT:
    case WINHTTP_OPTION_ENABLE_FEATURE:
    case WINHTTP_OPTION_WORKER_THREAD_COUNT:
    case WINHTTP_OPTION_UNLOAD_NOTIFY_EVENT:
    case WINHTTP_OPTION_FEATURE_SUPPORTED:
    case WINHTTP_OPTION_ENABLETRACING:
    case WINHTTP_OPTION_CONNECTION_INFO:
    case WINHTTP_OPTION_IS_PROXY_CONNECT_RESPONSE: /* documented for sessions, which have no response */
    case WINHTTP_OPTION_GLOBAL_PROXY_CREDS: /* these three are taken where an administrator says so, and here is none */
    case WINHTTP_OPTION_GLOBAL_SERVER_CREDS:
    case WINHTTP_OPTION_USE_GLOBAL_SERVER_CREDENTIALS:
    case WINHTTP_OPTION_PASSPORT_SIGN_OUT: /* a string of any length */
    case WINHTTP_OPTION_UNSAFE_HEADER_PARSING: /* from here on, none is documented */
    case WINHTTP_OPTION_CONNECTION_FILTER:
    case WINHTTP_OPTION_KDC_PROXY_SETTINGS:
    case WINHTTP_OPTION_PROXY_DISABLE_SERVICE_CALLS:
    case WINHTTP_OPTION_SET_TOKEN_BINDING:
    case WINHTTP_OPTION_TOKEN_BINDING_PUBLIC_KEY:
    case WINHTTP_OPTION_REFERER_TOKEN_BINDING_HOSTNAME:
    case 203:
    case 204:
    case 205:
    case 206:
    case 207:
    case 208:
    case 209:
        return 1;
    }
    return 0;
}

static int taken_by(const struct option_row *row, int setting)
{
    size_t at;
    int levels = row->levels;
    for (at = 0; at < COUNT(extras); at++)
        if (extras[at].option == row->option)
            levels |= setting ? extras[at].set_too : extras[at].get_too;
    return levels;
}

static struct {
    HINTERNET handle;
    int level;
} kinds[5];
static struct trio it, socket_trio;
static struct ws_server server;
static HINTERNET waiting;

static void open_all(void)
{
    static const struct play plays[] = {STEPS(END)};
    trio_open(&it, 80, NULL, NULL, 0);
    kinds[0].handle = it.session;
    kinds[0].level = AT_SESSION;
    kinds[1].handle = it.connect;
    kinds[1].level = AT_CONNECT;
    kinds[2].handle = it.request;
    kinds[2].level = AT_REQUEST;
    ws_start(&server, plays, 1);
    kinds[3].handle = ws_open(&socket_trio, server.port);
    kinds[3].level = AT_WEB_SOCKET;
    waiting = WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, WINHTTP_FLAG_ASYNC);
    REQUIRE(waiting != NULL && WinHttpCreateProxyResolver(waiting, &kinds[4].handle) == 0);
    kinds[4].level = AT_RESOLVER;
}

static void close_all(void)
{
    trio_close(&it);
    trio_close(&socket_trio);
    ws_end(&server);
    CHECK(WinHttpCloseHandle(kinds[4].handle));
    CHECK(WinHttpCloseHandle(waiting));
}

static void fails(BOOL done, DWORD error, const struct option_row *row, int level, const char *what)
{
    DWORD got = GetLastError();
    if (done || got != error)
        printf("%u %s of %d, %s: %s, error %u, not %u\n", (unsigned)row->option, row->name, level, what,
               done ? "works" : "fails", (unsigned)got, (unsigned)error);
    CHECK(!done && got == error);
}

static int is_number(size_t size)
{
    return size != NO_VALUE && size != TEXT_VALUE && size != OTHER_VALUE;
}

TEST(test_options__who_can_set_them)
{
    size_t at, kind;
    static char value[1024];
    open_all();
    for (at = 0; at < COUNT(option_rows); at++) {
        const struct option_row *row = &option_rows[at];
        DWORD size = is_number(row->size) ? (DWORD)row->size : row->size == OTHER_VALUE ? 8 : 0;
        if (is_special(row->option))
            continue;
        for (kind = 0; kind < COUNT(kinds); kind++) {
            int level = kinds[kind].level;
            HINTERNET handle = kinds[kind].handle;
            if (!(row->access & CAN_SET))
                fails(WinHttpSetOption(handle, row->option, value, size), ERROR_WINHTTP_OPTION_NOT_SETTABLE, row, level, "set");
            else if (!(taken_by(row, 1) & level))
                fails(WinHttpSetOption(handle, row->option, size ? value : NULL, size), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE, row,
                      level, "set");
            else if (is_number(row->size)) {
                fails(WinHttpSetOption(handle, row->option, value, size - 1), ERROR_INSUFFICIENT_BUFFER, row, level, "too short");
                fails(WinHttpSetOption(handle, row->option, value, size + 1), ERROR_INSUFFICIENT_BUFFER, row, level, "too long");
                fails(WinHttpSetOption(handle, row->option, NULL, 0), ERROR_INSUFFICIENT_BUFFER, row, level, "nothing");
                fails(WinHttpSetOption(handle, row->option, NULL, size), ERROR_INVALID_PARAMETER, row, level, "NULL");
            }
        }
        fails(WinHttpSetOption((HINTERNET)0xdeadbeef, row->option, value, size), ERROR_INVALID_HANDLE, row, 0, "set");
    }
    close_all();
}

/* Read before they are there: connections, certificates. */
static int is_not_there_yet(DWORD option)
{
    switch (option) {
    case WINHTTP_OPTION_SECURITY_CERTIFICATE_STRUCT:
    case WINHTTP_OPTION_SERVER_CERT_CONTEXT:
    case WINHTTP_OPTION_CLIENT_CERT_ISSUER_LIST:
    case WINHTTP_OPTION_SERVER_CBT:
    case WINHTTP_OPTION_SERVER_CERT_CHAIN_CONTEXT:
    case WINHTTP_OPTION_SECURITY_INFO:
    case WINHTTP_OPTION_QUIC_STATS:
    case WINHTTP_OPTION_QUIC_STATS_V2:
    case WINHTTP_OPTION_QUIC_STREAM_STATS:
    case WINHTTP_OPTION_SERVER_SPN_USED:
    case WINHTTP_OPTION_PROXY_SPN_USED:
    case WINHTTP_OPTION_CONNECTION_STATS_V0:
    case WINHTTP_OPTION_CONNECTION_STATS_V1:
    case WINHTTP_OPTION_PASSPORT_COBRANDING_TEXT:
    case WINHTTP_OPTION_PASSPORT_COBRANDING_URL:
    case WINHTTP_OPTION_PASSPORT_RETURN_URL:
        return 1;
    }
    return 0;
}

TEST(test_options__who_can_read_them)
{
    size_t at, kind;
    static ULONGLONG room[256];
    open_all();
    for (at = 0; at < COUNT(option_rows); at++) {
        const struct option_row *row = &option_rows[at];
        if (is_special(row->option))
            continue;
        for (kind = 0; kind < COUNT(kinds); kind++) {
            int level = kinds[kind].level;
            HINTERNET handle = kinds[kind].handle;
            DWORD size = sizeof(room), needed = 0;
            fails(WinHttpQueryOption(handle, row->option, room, NULL), ERROR_INVALID_PARAMETER, row, level, "no size");
            if ((!(row->access & CAN_GET) && row->option != WINHTTP_OPTION_CONNECTION_GUID) ||
                row->option == WINHTTP_OPTION_WEB_SOCKET_KEEPALIVE_INTERVAL) {
                BOOL done = WinHttpQueryOption(handle, row->option, room, &size);
                if (taken_by(row, 1) & level)
                    fails(done, ERROR_INVALID_PARAMETER, row, level, "read");
                else
                    CHECK(!done);
            } else if (!(taken_by(row, 0) & level))
                fails(WinHttpQueryOption(handle, row->option, room, &size), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE, row, level, "read");
            else if (is_not_there_yet(row->option)) {
                memset(room, 0, sizeof(room));
                size = is_number(row->size) ? (DWORD)row->size : sizeof(room);
                fails(WinHttpQueryOption(handle, row->option, room, &size), ERROR_WINHTTP_INCORRECT_HANDLE_STATE, row, level, "read");
            } else {
                fails(WinHttpQueryOption(handle, row->option, NULL, &needed), ERROR_INSUFFICIENT_BUFFER, row, level, "NULL");
                if (is_number(row->size))
                    CHECK_EQ(needed, row->size);
                size = needed - 1;
                fails(WinHttpQueryOption(handle, row->option, room, &size), ERROR_INSUFFICIENT_BUFFER, row, level, "too short");
                CHECK_EQ(size, needed);
                size = sizeof(room);
                if (row->option == WINHTTP_OPTION_REQUEST_TIMES || row->option == WINHTTP_OPTION_REQUEST_STATS) {
                    /* Nothing has happened yet. */
                    ((WINHTTP_REQUEST_TIMES *)room)->cTimes = WinHttpRequestTimeLast;
                    fails(WinHttpQueryOption(handle, row->option, room, &size), ERROR_WINHTTP_INCORRECT_HANDLE_STATE, row, level,
                          "read");
                    continue;
                }
                if (!CHECK(WinHttpQueryOption(handle, row->option, room, &size)))
                    printf("%u %s of %d: error %u\n", (unsigned)row->option, row->name, level, (unsigned)GetLastError());
                CHECK_EQ(size, row->size == TEXT_VALUE ? needed - sizeof(WCHAR) : needed);
            }
        }
        {
            DWORD size = sizeof(room);
            fails(WinHttpQueryOption((HINTERNET)0xdeadbeef, row->option, room, &size), ERROR_INVALID_HANDLE, row, 0, "read");
        }
    }
    close_all();
}

static DWORD number_of(HINTERNET handle, DWORD option)
{
    DWORD number = 0xabcd, size = sizeof(number);
    CHECK(WinHttpQueryOption(handle, option, &number, &size));
    return number;
}

TEST(test_options__defaults_and_inheritance)
{
    static const struct {
        DWORD option, at_first, other;
        int levels;
    } rows[] = {
        {WINHTTP_OPTION_RESOLVE_TIMEOUT, 0, 11, AT_SESSION | AT_REQUEST},
        {WINHTTP_OPTION_CONNECT_TIMEOUT, 60000, 12, AT_SESSION | AT_REQUEST},
        {WINHTTP_OPTION_CONNECT_RETRIES, 5, 2, AT_SESSION | AT_REQUEST},
        {WINHTTP_OPTION_SEND_TIMEOUT, 30000, 13, AT_SESSION | AT_REQUEST},
        {WINHTTP_OPTION_RECEIVE_TIMEOUT, 30000, 14, AT_SESSION | AT_REQUEST},
        {WINHTTP_OPTION_RECEIVE_RESPONSE_TIMEOUT, 0xFFFFFFFF, 99999, AT_SESSION | AT_REQUEST},
        {WINHTTP_OPTION_READ_BUFFER_SIZE, 8192, 15, AT_REQUEST},
        {WINHTTP_OPTION_WRITE_BUFFER_SIZE, 8192, 16, AT_REQUEST},
        {WINHTTP_OPTION_SECURITY_FLAGS, 0, 0x3300, AT_REQUEST},
        {WINHTTP_OPTION_REQUEST_PRIORITY, 0, 17, AT_REQUEST},
        {WINHTTP_OPTION_MAX_CONNS_PER_SERVER, 0xFFFFFFFF, 18, AT_SESSION},
        {WINHTTP_OPTION_MAX_CONNS_PER_1_0_SERVER, 0xFFFFFFFF, 19, AT_SESSION},
        {WINHTTP_OPTION_REDIRECT_POLICY, 1, 2, AT_SESSION | AT_REQUEST},
        {WINHTTP_OPTION_MAX_HTTP_AUTOMATIC_REDIRECTS, 10, 20, AT_SESSION | AT_REQUEST},
        {WINHTTP_OPTION_MAX_HTTP_STATUS_CONTINUE, 10, 21, AT_SESSION | AT_REQUEST},
        {WINHTTP_OPTION_MAX_RESPONSE_HEADER_SIZE, 65536, 22, AT_SESSION | AT_REQUEST},
        {WINHTTP_OPTION_MAX_RESPONSE_DRAIN_SIZE, 1048576, 23, AT_SESSION | AT_REQUEST},
        {WINHTTP_OPTION_WEB_SOCKET_RECEIVE_BUFFER_SIZE, 32768, 1024, AT_SESSION | AT_REQUEST},
        {WINHTTP_OPTION_WEB_SOCKET_SEND_BUFFER_SIZE, 32768, 1025, AT_SESSION | AT_REQUEST},
    };
    size_t at;
    HINTERNET later;
    open_all();
    for (at = 0; at < COUNT(rows); at++) {
        DWORD value = rows[at].other;
        HINTERNET handle = rows[at].levels & AT_SESSION ? it.session : it.request;
        CHECK_EQ(number_of(handle, rows[at].option), rows[at].at_first);
        CHECK_WORKS(WinHttpSetOption(handle, rows[at].option, &value, sizeof(value)));
        CHECK_EQ(number_of(handle, rows[at].option), rows[at].other);
        if (rows[at].levels == (AT_SESSION | AT_REQUEST)) {
            /* A request that is there keeps its own; one opened later inherits; it does not change its parent. */
            CHECK_EQ(number_of(it.request, rows[at].option), rows[at].at_first);
            later = WinHttpOpenRequest(it.connect, NULL, NULL, NULL, NULL, NULL, 0);
            CHECK_EQ(number_of(later, rows[at].option), rows[at].other);
            value = rows[at].option == WINHTTP_OPTION_REDIRECT_POLICY ? 0 : value + 1;
            CHECK_WORKS(WinHttpSetOption(later, rows[at].option, &value, sizeof(value)));
            CHECK_EQ(number_of(later, rows[at].option), value);
            CHECK_EQ(number_of(it.session, rows[at].option), rows[at].other);
            CHECK(WinHttpCloseHandle(later));
        }
    }
    close_all();
}

TEST(test_options__impossible_values)
{
    static const struct {
        DWORD option, value;
        int level;
        DWORD error;
    } rows[] = {
        {WINHTTP_OPTION_REDIRECT_POLICY, 3, AT_SESSION, ERROR_INVALID_PARAMETER},
        {WINHTTP_OPTION_SECURITY_FLAGS, 0x1, AT_REQUEST, ERROR_INVALID_PARAMETER},
        {WINHTTP_OPTION_SECURITY_FLAGS, 0x10000000, AT_REQUEST, ERROR_INVALID_PARAMETER},
        {WINHTTP_OPTION_SECURITY_FLAGS, 0x40000000, AT_REQUEST, ERROR_INVALID_PARAMETER},
        {WINHTTP_OPTION_SECURITY_FLAGS, 0x20000000, AT_REQUEST, ERROR_INVALID_PARAMETER},
        {WINHTTP_OPTION_SECURITY_FLAGS, SECURITY_FLAG_IGNORE_WEAK_SIGNATURE, AT_REQUEST, 0},
        {WINHTTP_OPTION_SECURITY_FLAGS, SECURITY_FLAG_IGNORE_ALL_CERT_ERRORS, AT_REQUEST, 0},
        {WINHTTP_OPTION_SECURITY_FLAGS, 0, AT_REQUEST, 0},
        {WINHTTP_OPTION_CODEPAGE, 12345, AT_SESSION, ERROR_INVALID_PARAMETER},
        {WINHTTP_OPTION_CODEPAGE, 28591, AT_SESSION, 0},
        {WINHTTP_OPTION_AUTOLOGON_POLICY, 4, AT_REQUEST, ERROR_INVALID_PARAMETER},
        {WINHTTP_OPTION_AUTOLOGON_POLICY, 2, AT_REQUEST, 0},
        {WINHTTP_OPTION_ENABLE_FEATURE, 2, AT_REQUEST, ERROR_INVALID_PARAMETER},
        {WINHTTP_OPTION_ENABLE_FEATURE, 1, AT_SESSION, ERROR_INVALID_PARAMETER},
        {WINHTTP_OPTION_ENABLE_FEATURE, 1, AT_REQUEST, 0},
        {WINHTTP_OPTION_ENABLE_FEATURE, 2, AT_SESSION, 0},
        {WINHTTP_OPTION_SECURE_PROTOCOLS, 0x4000, AT_SESSION, ERROR_INVALID_PARAMETER},
        {WINHTTP_OPTION_SECURE_PROTOCOLS, WINHTTP_FLAG_SECURE_PROTOCOL_ALL, AT_SESSION, 0},
        {WINHTTP_OPTION_SECURE_PROTOCOLS, WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2 | WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3, AT_REQUEST, 0},
        {WINHTTP_OPTION_DECOMPRESSION, 0x4, AT_SESSION, ERROR_INVALID_PARAMETER},
        {WINHTTP_OPTION_DECOMPRESSION, WINHTTP_DECOMPRESSION_FLAG_ALL, AT_REQUEST, 0},
        {WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, 0x4, AT_REQUEST, ERROR_INVALID_PARAMETER},
        {WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, 0x3, AT_SESSION, 0},
        {WINHTTP_OPTION_HTTP2_KEEPALIVE, 4999, AT_SESSION, ERROR_INVALID_PARAMETER},
        {WINHTTP_OPTION_HTTP2_KEEPALIVE, 5000, AT_SESSION, 0},
        {148, 0x1, AT_SESSION, ERROR_INVALID_PARAMETER},
        {148, 0x2004, AT_REQUEST, 0},
        {WINHTTP_OPTION_DISABLE_FEATURE, 0xFFFFFFFF, AT_REQUEST, 0},
        {WINHTTP_OPTION_DISABLE_FEATURE, 0, AT_REQUEST, 0},
    };
    HTTP_VERSION_INFO version = {1, 2}, usual = {1, 1};
    size_t at;
    open_all();
    for (at = 0; at < COUNT(rows); at++) {
        DWORD value = rows[at].value;
        BOOL done = WinHttpSetOption(rows[at].level == AT_SESSION ? it.session : it.request, rows[at].option, &value, sizeof(value));
        DWORD error = done ? 0 : GetLastError();
        if (error != rows[at].error)
            printf("%u := %#x\n", (unsigned)rows[at].option, (unsigned)value);
        CHECK_EQ(error, rows[at].error);
    }
    CHECK_FAILS(WinHttpSetOption(NULL, WINHTTP_OPTION_HTTP_VERSION, &version, sizeof(version)), ERROR_INVALID_PARAMETER);
    CHECK_WORKS(WinHttpSetOption(NULL, WINHTTP_OPTION_HTTP_VERSION, &usual, sizeof(usual)));
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_CLIENT_CERT_CONTEXT, NULL, 0), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_CLIENT_CERT_CONTEXT, NULL, 0), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK(WinHttpCloseHandle(it.request));
    it.request = WinHttpOpenRequest(it.connect, NULL, NULL, NULL, NULL, NULL, WINHTTP_FLAG_SECURE);
    CHECK_WORKS(WinHttpSetOption(it.request, WINHTTP_OPTION_CLIENT_CERT_CONTEXT, NULL, 0));
    close_all();
}

TEST(test_options__features_to_enable)
{
    DWORD wanted = WINHTTP_ENABLE_SSL_REVOCATION, size = sizeof(wanted);
    size_t at;
    open_all();
    for (at = 0; at < COUNT(kinds); at++) {
        int takes = kinds[at].level == AT_SESSION || kinds[at].level == AT_REQUEST;
        DWORD wrong = takes ? ERROR_INVALID_PARAMETER : ERROR_WINHTTP_INCORRECT_HANDLE_TYPE;
        wanted = 4;
        CHECK_FAILS(WinHttpSetOption(kinds[at].handle, WINHTTP_OPTION_ENABLE_FEATURE, &wanted, sizeof(wanted)), wrong);
        CHECK_FAILS(WinHttpSetOption(kinds[at].handle, WINHTTP_OPTION_ENABLE_FEATURE, NULL, 0), wrong);
        CHECK_FAILS(WinHttpQueryOption(kinds[at].handle, WINHTTP_OPTION_ENABLE_FEATURE, &wanted, &size), ERROR_INVALID_PARAMETER);
    }
    close_all();
}

/* Of strings, what is set counts characters, with or without a NUL; what is read counts bytes. */
TEST(test_options__lengths_of_strings)
{
    static const DWORD options[] = {WINHTTP_OPTION_USERNAME, WINHTTP_OPTION_PASSWORD, WINHTTP_OPTION_PROXY_USERNAME,
                                    WINHTTP_OPTION_PROXY_PASSWORD, WINHTTP_OPTION_USER_AGENT, WINHTTP_OPTION_REQUEST_ANNOTATION};
    WCHAR back[16];
    DWORD size, extra;
    size_t at;
    open_all();
    for (at = 0; at < COUNT(options); at++) {
        HINTERNET handle = options[at] == WINHTTP_OPTION_USER_AGENT ? it.session : it.request;
        for (extra = 0; extra < 2; extra++) {
            CHECK_WORKS(WinHttpSetOption(handle, options[at], (void *)W("abcd"), 4 + extra));
            size = 0;
            CHECK_FAILS(WinHttpQueryOption(handle, options[at], NULL, &size), ERROR_INSUFFICIENT_BUFFER);
            CHECK_EQ(size, 10);
            size = 8;
            CHECK_FAILS(WinHttpQueryOption(handle, options[at], back, &size), ERROR_INSUFFICIENT_BUFFER);
            CHECK_EQ(size, 10);
            CHECK_WORKS(WinHttpQueryOption(handle, options[at], back, &size));
            CHECK(size == 8 && back[0] == 'a' && back[3] == 'd' && back[4] == 0);
        }
        CHECK_WORKS(WinHttpSetOption(handle, options[at], (void *)W("abcd"), 2));
        size = sizeof(back);
        CHECK_WORKS(WinHttpQueryOption(handle, options[at], back, &size));
        CHECK(size == 4 && back[1] == 'b' && back[2] == 0);
        CHECK_FAILS(WinHttpSetOption(handle, options[at], NULL, 4), ERROR_INVALID_PARAMETER);
        CHECK_WORKS(WinHttpSetOption(handle, options[at], NULL, 0));
        size = sizeof(back);
        CHECK_WORKS(WinHttpQueryOption(handle, options[at], back, &size));
        CHECK(size == 0 && back[0] == 0);
    }
    close_all();
}

TEST(test_options__the_unload_event)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL), other = CreateEventW(NULL, TRUE, FALSE, NULL), nothing = &event;
    DWORD size = sizeof(event);
    open_all();
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_UNLOAD_NOTIFY_EVENT, &event, 4), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_UNLOAD_NOTIFY_EVENT, &nothing, size), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_UNLOAD_NOTIFY_EVENT, NULL, 0), ERROR_INVALID_PARAMETER);
    CHECK_WORKS(WinHttpSetOption(it.session, WINHTTP_OPTION_UNLOAD_NOTIFY_EVENT, &event, size));
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_UNLOAD_NOTIFY_EVENT, &other, size), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSetOption(it.connect, WINHTTP_OPTION_UNLOAD_NOTIFY_EVENT, &other, size), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpQueryOption(it.session, WINHTTP_OPTION_UNLOAD_NOTIFY_EVENT, &other, &size), ERROR_INVALID_PARAMETER);
    close_all();
    CHECK_EQ(WaitForSingleObject(event, 10000), WAIT_OBJECT_0);
    CHECK_EQ(WaitForSingleObject(other, 0), WAIT_TIMEOUT);
    CHECK(CloseHandle(event) && CloseHandle(other));
}

TEST(test_options__secure_defaults)
{
    HINTERNET session = WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, WINHTTP_FLAG_SECURE_DEFAULTS);
    DWORD protocols;
    REQUIRE(session != NULL);
    /* Its two bits mean this together; the one that is not ASYNC means nothing. */
    CHECK_FAILS(WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, WINHTTP_FLAG_SECURE_DEFAULTS & ~WINHTTP_FLAG_ASYNC),
                ERROR_INVALID_PARAMETER);
    protocols = WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_1 | WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2;
    CHECK_FAILS(WinHttpSetOption(session, WINHTTP_OPTION_SECURE_PROTOCOLS, &protocols, sizeof(protocols)), ERROR_ACCESS_DENIED);
    protocols = WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2;
    CHECK_WORKS(WinHttpSetOption(session, WINHTTP_OPTION_SECURE_PROTOCOLS, &protocols, sizeof(protocols)));
    CHECK(WinHttpCloseHandle(session));
}

TEST(test_options__of_the_process)
{
    DWORD value = TRUE, size = sizeof(value);
    HTTP_VERSION_INFO version;
    WINHTTP_PROXY_INFO proxy;
    open_all();
    CHECK_EQ(number_of(NULL, WINHTTP_OPTION_ENABLETRACING), FALSE);
    CHECK_WORKS(WinHttpSetOption(NULL, WINHTTP_OPTION_ENABLETRACING, &value, sizeof(value)));
    CHECK_EQ(number_of(NULL, WINHTTP_OPTION_ENABLETRACING), TRUE);
    CHECK_FAILS(WinHttpSetOption(NULL, WINHTTP_OPTION_ENABLETRACING, &value, 3), ERROR_INSUFFICIENT_BUFFER);
    CHECK_FAILS(WinHttpSetOption(it.session, WINHTTP_OPTION_ENABLETRACING, &value, sizeof(value)),
                ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpQueryOption(it.request, WINHTTP_OPTION_ENABLETRACING, &value, &size), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    value = FALSE;
    CHECK_WORKS(WinHttpSetOption(NULL, WINHTTP_OPTION_ENABLETRACING, &value, sizeof(value)));
    size = sizeof(version);
    CHECK_WORKS(WinHttpQueryOption(NULL, WINHTTP_OPTION_HTTP_VERSION, &version, &size));
    CHECK(version.dwMajorVersion == 1 && version.dwMinorVersion == 1);
    size = sizeof(proxy);
    CHECK_WORKS(WinHttpQueryOption(NULL, WINHTTP_OPTION_PROXY, &proxy, &size));
    CHECK(GlobalFree(proxy.lpszProxy) == NULL && GlobalFree(proxy.lpszProxyBypass) == NULL);
    CHECK_EQ(number_of(it.session, WINHTTP_OPTION_WORKER_THREAD_COUNT), 0);
    /* Options of handles have none here, and that goes before all other faults. */
    CHECK_FAILS(WinHttpQueryOption(NULL, WINHTTP_OPTION_HANDLE_TYPE, NULL, NULL), ERROR_INVALID_HANDLE);
    CHECK_FAILS(WinHttpQueryOption(NULL, 0xFFFF, NULL, NULL), ERROR_INVALID_HANDLE);
    CHECK_FAILS(WinHttpQueryOption(NULL, WINHTTP_OPTION_EXTENDED_ERROR, &value, NULL), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpQueryOption(NULL, WINHTTP_OPTION_PROXY, &proxy, NULL), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpSetOption(NULL, WINHTTP_OPTION_REDIRECT_POLICY, &value, sizeof(value)), ERROR_INVALID_HANDLE);
    size = sizeof(value);
    CHECK_FAILS(WinHttpQueryOption(NULL, WINHTTP_OPTION_REDIRECT_POLICY, &value, &size), ERROR_INVALID_HANDLE);
    close_all();
}

TEST(test_options__that_are_not_here)
{
    static const struct {
        DWORD option, set, get;
    } rows[] = {
        {WINHTTP_OPTION_GLOBAL_PROXY_CREDS, ERROR_WINHTTP_INVALID_OPTION, ERROR_INVALID_PARAMETER},
        {WINHTTP_OPTION_GLOBAL_SERVER_CREDS, ERROR_WINHTTP_INVALID_OPTION, ERROR_INVALID_PARAMETER},
        {WINHTTP_OPTION_USE_GLOBAL_SERVER_CREDENTIALS, ERROR_WINHTTP_INVALID_OPTION, ERROR_INVALID_PARAMETER},
        {0, ERROR_WINHTTP_INVALID_OPTION, ERROR_INVALID_PARAMETER},
        {8, ERROR_WINHTTP_INVALID_OPTION, ERROR_INVALID_PARAMETER},
        {110, ERROR_WINHTTP_INVALID_OPTION, ERROR_INVALID_PARAMETER},
        {131, ERROR_WINHTTP_INVALID_OPTION, ERROR_INVALID_PARAMETER},
        {136, ERROR_WINHTTP_INVALID_OPTION, ERROR_INVALID_PARAMETER},
        {166, ERROR_WINHTTP_INVALID_OPTION, ERROR_INVALID_PARAMETER},
        {167, ERROR_WINHTTP_INVALID_OPTION, ERROR_INVALID_PARAMETER},
        {168, ERROR_WINHTTP_INVALID_OPTION, ERROR_INVALID_PARAMETER},
        {203, ERROR_WINHTTP_INVALID_OPTION, ERROR_INVALID_PARAMETER},
        {204, ERROR_WINHTTP_INVALID_OPTION, ERROR_INVALID_PARAMETER},
        {205, ERROR_WINHTTP_FAST_FORWARDING_NOT_SUPPORTED, ERROR_WINHTTP_FAST_FORWARDING_NOT_SUPPORTED},
        {206, ERROR_WINHTTP_FAST_FORWARDING_NOT_SUPPORTED, ERROR_WINHTTP_FAST_FORWARDING_NOT_SUPPORTED},
        {207, ERROR_WINHTTP_INVALID_OPTION, ERROR_INVALID_PARAMETER},
        {208, ERROR_WINHTTP_INVALID_OPTION, ERROR_INVALID_PARAMETER},
        {209, ERROR_WINHTTP_FAST_FORWARDING_NOT_SUPPORTED, ERROR_WINHTTP_FAST_FORWARDING_NOT_SUPPORTED},
        {213, ERROR_WINHTTP_INVALID_OPTION, ERROR_INVALID_PARAMETER},
        {0xFFFFFFFF, ERROR_WINHTTP_INVALID_OPTION, ERROR_INVALID_PARAMETER},
    };
    size_t at;
    ULONGLONG room[4] = {0, 0, 0, 0};
    open_all();
    for (at = 0; at < COUNT(rows); at++) {
        DWORD size = sizeof(room);
        CHECK_FAILS(WinHttpSetOption(it.request, rows[at].option, room, 4), rows[at].set);
        CHECK_FAILS(WinHttpQueryOption(it.request, rows[at].option, room, &size), rows[at].get);
    }
    close_all();
}

TEST(test_options__kinds_of_handles)
{
    static const DWORD types[] = {WINHTTP_HANDLE_TYPE_SESSION, WINHTTP_HANDLE_TYPE_CONNECT, WINHTTP_HANDLE_TYPE_REQUEST,
                                  WINHTTP_HANDLE_TYPE_WEBSOCKET, WINHTTP_HANDLE_TYPE_PROXY_RESOLVER};
    HINTERNET parent;
    DWORD size = sizeof(parent);
    size_t at;
    open_all();
    for (at = 0; at < COUNT(kinds); at++)
        CHECK_EQ(number_of(kinds[at].handle, WINHTTP_OPTION_HANDLE_TYPE), types[at]);
    CHECK_FAILS(WinHttpQueryOption(it.session, WINHTTP_OPTION_PARENT_HANDLE, &parent, &size), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_WORKS(WinHttpQueryOption(it.connect, WINHTTP_OPTION_PARENT_HANDLE, &parent, &size));
    CHECK(parent == it.session);
    CHECK_WORKS(WinHttpQueryOption(it.request, WINHTTP_OPTION_PARENT_HANDLE, &parent, &size));
    CHECK(parent == it.connect);
    CHECK_WORKS(WinHttpQueryOption(kinds[4].handle, WINHTTP_OPTION_PARENT_HANDLE, &parent, &size));
    CHECK(parent == waiting);
    close_all();
}

TEST(test_options__annotations)
{
    static WCHAR text[WINHTTP_OPTION_REQUEST_ANNOTATION_MAX_LENGTH + 1], back[64];
    DWORD size = sizeof(back), at;
    open_all();
    CHECK_WORKS(WinHttpQueryOption(it.request, WINHTTP_OPTION_REQUEST_ANNOTATION, back, &size));
    CHECK_EQ(size, 0);
    CHECK_WORKS(WinHttpSetOption(it.request, WINHTTP_OPTION_REQUEST_ANNOTATION, (void *)W("for the log"), 11));
    size = sizeof(back);
    CHECK_WORKS(WinHttpQueryOption(it.request, WINHTTP_OPTION_REQUEST_ANNOTATION, back, &size));
    CHECK_EQ(size, 22);
    CHECK(back[0] == 'f' && back[10] == 'g' && back[11] == 0);
    for (at = 0; at < COUNT(text); at++)
        text[at] = 'a';
    CHECK_WORKS(WinHttpSetOption(it.request, WINHTTP_OPTION_REQUEST_ANNOTATION, text, COUNT(text) - 1));
    CHECK_FAILS(WinHttpSetOption(it.request, WINHTTP_OPTION_REQUEST_ANNOTATION, text, COUNT(text)), ERROR_INVALID_PARAMETER);
    CHECK_WORKS(WinHttpSetOption(it.request, WINHTTP_OPTION_REQUEST_ANNOTATION, NULL, 0));
    size = sizeof(back);
    CHECK_WORKS(WinHttpQueryOption(it.request, WINHTTP_OPTION_REQUEST_ANNOTATION, back, &size));
    CHECK_EQ(size, 0);
    close_all();
}

/* A protocol that is required and not spoken is an error, not a surprise. */
TEST(test_options__required_protocols)
{
    DWORD protocols = WINHTTP_PROTOCOL_FLAG_HTTP2, yes = TRUE;
    SERVER(server, {OK_HELLO, KEEP});
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK_WORKS(WinHttpSetOption(it.request, WINHTTP_OPTION_HTTP_PROTOCOL_REQUIRED, &yes, sizeof(yes)));
    CHECK(exchange(it.request));
    CHECK_EQ(number_of(it.request, WINHTTP_OPTION_HTTP_PROTOCOL_USED), 0);
    CHECK_WORKS(WinHttpSetOption(it.request, WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, &protocols, sizeof(protocols)));
    CHECK_FAILS(WinHttpSendRequest(it.request, NULL, 0, NULL, 0, 0, 0), ERROR_WINHTTP_HTTP_PROTOCOL_MISMATCH);
    CHECK_HAS(nthttp_last_error_message(), "HTTP/1.1");
    trio_close(&it);
    server_end(&server);
}

TEST(test_options__features_tell_the_truth)
{
    /* A feature that is an option is there when the option does something here. */
    static const DWORD there[] = {2,  3,  4,  5,  7,  8,  12, 14, 15, 24, 27, 32, 34, 35, 37, 38, 39, 44, 46, 48, 49,
                                  50, 51, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 73, 74, 76, 77, 80, 92};
    static const DWORD absent[] = {0,  1,  6,  9,  13, 16, 17, 20, 21, 22, 23, 26, 28, 29, 30, 31, 33, 43, 47, 52, 64,
                                   65, 66, 69, 70, 71, 72, 75, 78, 79, 81, 82, 83, 88, 89, 90, 91, 93, 94, 0xFFFF};
    size_t at;
    DWORD size;
    for (at = 0; at < COUNT(there) + COUNT(absent); at++) {
        int wanted = at < COUNT(there);
        DWORD feature = wanted ? there[at] : absent[at - COUNT(there)], value = feature;
        size = sizeof(value);
        CHECK_WORKS(WinHttpQueryOption(NULL, WINHTTP_OPTION_FEATURE_SUPPORTED, &value, &size));
        if (value != (DWORD)wanted)
            printf("feature %u\n", (unsigned)feature);
        CHECK_EQ(value, wanted);
    }
    size = 3;
    CHECK_FAILS(WinHttpQueryOption(NULL, WINHTTP_OPTION_FEATURE_SUPPORTED, &at, &size), ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(size, 4);
    CHECK_FAILS(WinHttpSetOption(NULL, WINHTTP_OPTION_FEATURE_SUPPORTED, &at, 4), ERROR_INVALID_HANDLE);
}

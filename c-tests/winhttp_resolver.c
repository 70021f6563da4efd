/* Proxy resolvers: asking, the answer, what the callback is told, closing at any time.
 * gate: not-mingw (it sets the environment, and newer functions) gate: thread */
#define _GNU_SOURCE
#include "winhttp_server.h"

static void prepare(const char *list, const char *bypass)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY",
                                        "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD", "XDG_CURRENT_DESKTOP"};
    size_t at;
    for (at = 0; at < COUNT(names); at++)
        unsetenv(names[at]);
    setenv("NTHTTP_CONFIG", "/nonexistent/config.json", 1);
    setenv("HOME", "/nonexistent", 1);
    setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
    setenv("LOCALDOMAIN", "", 1);
    if (list)
        setenv("all_proxy", list, 1);
    if (bypass)
        setenv("no_proxy", bypass, 1);
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

static void open_resolver(HINTERNET *session, HINTERNET *resolver)
{
    *session = WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, WINHTTP_FLAG_ASYNC);
    REQUIRE(*session != NULL);
    CHECK(WinHttpSetStatusCallback(*session, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == NULL);
    CHECK_EQ(WinHttpCreateProxyResolver(*session, resolver), 0);
    REQUIRE(*resolver != NULL);
}

static WINHTTP_AUTOPROXY_OPTIONS by_list = {WINHTTP_AUTOPROXY_ALLOW_STATIC, 0, NULL, NULL, 0, FALSE};
static WINHTTP_AUTOPROXY_OPTIONS by_script = {WINHTTP_AUTOPROXY_CONFIG_URL, 0, W("http://w/p.pac"), NULL, 0, FALSE};

TEST(test_resolver__its_handle)
{
    HINTERNET session, resolver = NULL, synchronous, parent;
    DWORD kind = 0, size = sizeof(kind);
    DWORD_PTR context = 3;
    WINHTTP_PROXY_RESULT result;
    prepare(NULL, NULL);
    notes_clear(NULL);
    synchronous = WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0);
    CHECK_EQ(WinHttpCreateProxyResolver(synchronous, &resolver), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_EQ(WinHttpCreateProxyResolver(NULL, &resolver), ERROR_INVALID_HANDLE);
    open_resolver(&session, &resolver);
    CHECK_EQ(WinHttpCreateProxyResolver(session, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpCreateProxyResolver(resolver, &parent), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_WORKS(WinHttpQueryOption(resolver, WINHTTP_OPTION_HANDLE_TYPE, &kind, &size));
    CHECK_EQ(kind, WINHTTP_HANDLE_TYPE_PROXY_RESOLVER);
    size = sizeof(parent);
    CHECK_WORKS(WinHttpQueryOption(resolver, WINHTTP_OPTION_PARENT_HANDLE, &parent, &size));
    CHECK(parent == session);
    CHECK_WORKS(WinHttpSetOption(resolver, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
    CHECK_WORKS(WinHttpSetStatusCallback(resolver, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == record);
    size = sizeof(kind);
    CHECK_FAILS(WinHttpQueryOption(resolver, WINHTTP_OPTION_SEND_TIMEOUT, &kind, &size), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpSetOption(resolver, WINHTTP_OPTION_SEND_TIMEOUT, &kind, sizeof(kind)), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpSetTimeouts(resolver, 1, 1, 1, 1), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpSendRequest(resolver, NULL, 0, NULL, 0, 0, 0), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpConnect(resolver, W("h"), 80, 0), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_EQ(WinHttpGetProxyResult(session, &result), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_EQ(WinHttpGetProxyForUrlEx(session, W("http://h/"), &by_list, 1), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_WORKS(WinHttpCloseHandle(resolver));
    CHECK_FAILS(WinHttpCloseHandle(resolver), ERROR_INVALID_HANDLE);
    CHECK_TOLD(0, "CREATED A");
    CHECK_TOLD(3, "CLOSING A");
    CHECK(WinHttpCloseHandle(session));
    CHECK(WinHttpCloseHandle(synchronous));
}

TEST(test_resolver__what_is_no_question)
{
    HINTERNET session, resolver;
    WINHTTP_AUTOPROXY_OPTIONS none = {0, 0, NULL, NULL, 0, FALSE};
    WINHTTP_PROXY_RESULT result;
    WINHTTP_PROXY_RESULT_EX more;
    WINHTTP_PROXY_SETTINGS_EX settings;
    prepare(NULL, NULL);
    notes_clear(NULL);
    open_resolver(&session, &resolver);
    CHECK_EQ(WinHttpGetProxyForUrlEx(NULL, W("http://h/"), &by_list, 1), ERROR_INVALID_HANDLE);
    CHECK_EQ(WinHttpGetProxyForUrlEx2(NULL, W("http://h/"), &by_list, 0, NULL, 1), ERROR_INVALID_HANDLE);
    CHECK_EQ(WinHttpGetProxyForUrlEx2(session, W("http://h/"), &by_list, 0, NULL, 1), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_EQ(WinHttpGetProxyForUrlEx2(resolver, NULL, &by_list, 0, NULL, 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpGetProxyForUrlEx2(resolver, W("http://h/"), NULL, 0, NULL, 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpGetProxyResultEx(NULL, &more), ERROR_INVALID_HANDLE);
    CHECK_EQ(WinHttpGetProxyResultEx(session, &more), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_EQ(WinHttpGetProxySettingsResultEx(NULL, &settings), ERROR_INVALID_HANDLE);
    CHECK_EQ(WinHttpGetProxySettingsResultEx(session, &settings), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_EQ(WinHttpGetProxySettingsEx(resolver, 4, NULL, 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpFreeProxySettingsEx(WinHttpProxySettingsTypeUnknown, &settings), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpGetProxyForUrlEx(resolver, NULL, &by_list, 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpGetProxyForUrlEx(resolver, W("http://h/"), NULL, 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpGetProxyForUrlEx(resolver, W("http://h/"), &none, 1), ERROR_INVALID_PARAMETER);
    none.dwFlags = WINHTTP_AUTOPROXY_AUTO_DETECT;
    CHECK_EQ(WinHttpGetProxyForUrlEx(resolver, W("http://h/"), &none, 1), ERROR_INVALID_PARAMETER);
    none.dwFlags = WINHTTP_AUTOPROXY_CONFIG_URL;
    CHECK_EQ(WinHttpGetProxyForUrlEx(resolver, W("http://h/"), &none, 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpGetProxyForUrlEx(resolver, W("http://"), &by_list, 1), ERROR_WINHTTP_INVALID_URL);
    CHECK_EQ(WinHttpGetProxyForUrlEx(resolver, W("ftp://h/"), &by_list, 1), ERROR_WINHTTP_UNRECOGNIZED_SCHEME);
    CHECK_EQ(WinHttpGetProxyResult(resolver, &result), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_EQ(WinHttpGetProxyResult(resolver, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpGetProxyResult(NULL, &result), ERROR_INVALID_HANDLE);
    CHECK_EQ(WinHttpGetProxyResultEx(resolver, &more), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_EQ(WinHttpGetProxyResultEx(resolver, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpGetProxySettingsResultEx(resolver, &settings), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_EQ(WinHttpGetProxySettingsResultEx(resolver, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpGetProxySettingsEx(NULL, WinHttpProxySettingsTypeWsl, NULL, 1), ERROR_INVALID_HANDLE);
    CHECK_EQ(WinHttpGetProxySettingsEx(session, WinHttpProxySettingsTypeWsl, NULL, 1), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_EQ(WinHttpGetProxySettingsEx(resolver, WinHttpProxySettingsTypeUnknown, NULL, 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpFreeProxySettingsEx(WinHttpProxySettingsTypeWsl, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WinHttpFreeProxySettingsEx(9, &settings), ERROR_INVALID_PARAMETER);
    WinHttpFreeProxyResult(NULL);
    WinHttpFreeProxyResultEx(NULL);
    CHECK(WinHttpCloseHandle(resolver));
    CHECK(WinHttpCloseHandle(session));
    CHECK_EQ(note_find(1, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR), 0);
}

TEST(test_resolver__an_answer)
{
    HINTERNET session, resolver;
    WINHTTP_PROXY_RESULT result;
    WINHTTP_PROXY_RESULT_EX more;
    prepare("socks5h://[::1]:99", "here.example");
    setenv("http_proxy", "p", 1);
    notes_clear(NULL);
    open_resolver(&session, &resolver);
    CHECK_EQ(WinHttpGetProxyForUrlEx(resolver, W("http://far.example/"), &by_list, 5), ERROR_IO_PENDING);
    REQUIRE(note_wait(5, WINHTTP_CALLBACK_STATUS_GETPROXYFORURL_COMPLETE, 1));
    CHECK(notes[1].handle == resolver && notes[1].length == 0 && notes[1].thread != main_thread);
    CHECK_EQ(WinHttpGetProxyResult(resolver, &result), 0);
    REQUIRE(result.cEntries == 2);
    CHECK_EQ(result.pEntries[0].fProxy, TRUE);
    CHECK_EQ(result.pEntries[0].ProxyScheme, INTERNET_SCHEME_HTTP);
    CHECK(is_text(result.pEntries[0].pwszProxy, "p"));
    CHECK_EQ(result.pEntries[0].ProxyPort, 80);
    CHECK_EQ(result.pEntries[1].ProxyScheme, INTERNET_SCHEME_SOCKS);
    CHECK(is_text(result.pEntries[1].pwszProxy, "::1"));
    CHECK_EQ(result.pEntries[1].ProxyPort, 99);
    WinHttpFreeProxyResult(&result);
    CHECK(result.cEntries == 0 && result.pEntries == NULL);
    WinHttpFreeProxyResult(&result);
    /* Another question, which a bypass list answers. */
    CHECK_EQ(WinHttpGetProxyForUrlEx2(resolver, W("http://a.here.example/"), &by_list, 0, NULL, 6), ERROR_IO_PENDING);
    REQUIRE(note_wait(6, WINHTTP_CALLBACK_STATUS_GETPROXYFORURL_COMPLETE, 1));
    CHECK_EQ(WinHttpGetProxyResultEx(resolver, &more), 0);
    REQUIRE(more.cEntries == 1);
    CHECK(!more.pEntries[0].fProxy && more.pEntries[0].fBypass && more.pEntries[0].pwszProxy == NULL);
    CHECK(more.hProxyDetectionHandle == NULL && more.dwProxyInterfaceAffinity == 0);
    WinHttpFreeProxyResultEx(&more);
    CHECK(more.cEntries == 0 && more.pEntries == NULL);
    CHECK(WinHttpCloseHandle(resolver));
    REQUIRE(note_wait(6, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1));
    CHECK(WinHttpCloseHandle(session));
}

TEST(test_resolver__no_answer)
{
    HINTERNET session, resolver;
    WINHTTP_PROXY_RESULT result;
    prepare(NULL, NULL);
    notes_clear(NULL);
    open_resolver(&session, &resolver);
    CHECK_EQ(WinHttpGetProxyForUrlEx(resolver, W("http://far.example/"), &by_script, 5), ERROR_IO_PENDING);
    REQUIRE(note_wait(5, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, 1));
    CHECK_EQ(notes[1].api, API_GET_PROXY_FOR_URL);
    CHECK_EQ(notes[1].number, ERROR_WINHTTP_BAD_AUTO_PROXY_SCRIPT);
    CHECK_EQ(WinHttpGetProxyResult(resolver, &result), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_EQ(WinHttpGetProxyForUrlEx(resolver, W("http://far.example/"), &by_list, 7), ERROR_IO_PENDING);
    REQUIRE(note_wait(7, WINHTTP_CALLBACK_STATUS_GETPROXYFORURL_COMPLETE, 1));
    CHECK_EQ(WinHttpGetProxyResult(resolver, &result), 0);
    CHECK(result.cEntries == 1 && !result.pEntries[0].fProxy && !result.pEntries[0].fBypass);
    WinHttpFreeProxyResult(&result);
    CHECK(WinHttpCloseHandle(resolver));
    CHECK(WinHttpCloseHandle(session));
}

static HINTERNET asked;
static HANDLE may_go;

/* Asks the next question from inside the answer to the one before. */
static void ask_again(const struct note *it)
{
    WINHTTP_PROXY_RESULT result;
    if (it->status != WINHTTP_CALLBACK_STATUS_GETPROXYFORURL_COMPLETE || it->context >= 30)
        return;
    CHECK_EQ(WinHttpGetProxyResult(asked, &result), 0);
    WinHttpFreeProxyResult(&result);
    CHECK_EQ(WinHttpGetProxyForUrlEx(asked, W("http://far.example/"), &by_list, it->context + 1), ERROR_IO_PENDING);
}

TEST(test_resolver__questions_from_inside_answers)
{
    HINTERNET session;
    prepare("p", NULL);
    notes_clear(ask_again);
    open_resolver(&session, &asked);
    CHECK_EQ(WinHttpGetProxyForUrlEx(asked, W("http://far.example/"), &by_list, 10), ERROR_IO_PENDING);
    REQUIRE(note_wait(30, WINHTTP_CALLBACK_STATUS_GETPROXYFORURL_COMPLETE, 1));
    CHECK(WinHttpCloseHandle(asked));
    REQUIRE(note_wait(30, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1));
    CHECK_TOLD_SOMEWHERE(20, "0x1000000(0)");
    CHECK_TOLD_SOMEWHERE(30, "0x1000000(0), CLOSING");
    CHECK(WinHttpCloseHandle(session));
    notes_clear(NULL);
}

static void close_inside(const struct note *it)
{
    if (it->status == WINHTTP_CALLBACK_STATUS_GETPROXYFORURL_COMPLETE) {
        CHECK(WinHttpCloseHandle(asked));
        /* HANDLE_CLOSING waits for this to return. */
        CHECK_EQ(note_find(4, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING), 0);
    }
}

TEST(test_resolver__closing_from_inside)
{
    HINTERNET session;
    prepare("p", NULL);
    notes_clear(close_inside);
    open_resolver(&session, &asked);
    CHECK_EQ(WinHttpGetProxyForUrlEx(asked, W("http://far.example/"), &by_list, 4), ERROR_IO_PENDING);
    REQUIRE(note_wait(4, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1));
    CHECK_TOLD(4, "0x1000000(0) W, CLOSING W");
    CHECK(WinHttpCloseHandle(session));
    notes_clear(NULL);
}

/* Holds the first answer back, so that the second question is still waiting. */
static void hold_first(const struct note *it)
{
    if (it->status == WINHTTP_CALLBACK_STATUS_GETPROXYFORURL_COMPLETE && it->context == 1) {
        SetEvent(note_made);
        CHECK_EQ(WaitForSingleObject(may_go, 10000), WAIT_OBJECT_0);
    }
}

TEST(test_resolver__closing_cancels)
{
    HINTERNET session, resolver;
    prepare("p", NULL);
    may_go = CreateEventW(NULL, FALSE, FALSE, NULL);
    notes_clear(hold_first);
    open_resolver(&session, &resolver);
    CHECK_EQ(WinHttpGetProxyForUrlEx(resolver, W("http://far.example/"), &by_list, 1), ERROR_IO_PENDING);
    REQUIRE(note_wait(1, WINHTTP_CALLBACK_STATUS_GETPROXYFORURL_COMPLETE, 1));
    CHECK_EQ(WinHttpGetProxyForUrlEx(resolver, W("http://far.example/"), &by_list, 2), ERROR_IO_PENDING);
    CHECK_EQ(WinHttpGetProxyForUrlEx(resolver, W("http://far.example/"), &by_list, 3), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_EQ(WinHttpGetProxySettingsEx(resolver, WinHttpProxySettingsTypeWsl, NULL, 3), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_WORKS(WinHttpCloseHandle(resolver));
    CHECK_EQ(note_find(2, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING), 0);
    SetEvent(may_go);
    REQUIRE(note_wait(2, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1));
    CHECK_TOLD(2, "ERROR(6,12017) W, CLOSING W");
    CHECK(WinHttpCloseHandle(session));
    notes_clear(NULL);
    CloseHandle(may_go);
}

TEST(test_resolver__outlives_its_session_and_holds_it)
{
    HINTERNET session, resolver;
    HANDLE gone = CreateEventW(NULL, TRUE, FALSE, NULL);
    prepare("p", NULL);
    notes_clear(NULL);
    open_resolver(&session, &resolver);
    CHECK_WORKS(WinHttpSetOption(session, WINHTTP_OPTION_UNLOAD_NOTIFY_EVENT, &gone, sizeof(gone)));
    CHECK(WinHttpCloseHandle(session));
    CHECK_EQ(WaitForSingleObject(gone, 0), WAIT_TIMEOUT);
    CHECK_EQ(WinHttpGetProxyForUrlEx(resolver, W("http://far.example/"), &by_list, 8), ERROR_IO_PENDING);
    REQUIRE(note_wait(8, WINHTTP_CALLBACK_STATUS_GETPROXYFORURL_COMPLETE, 1));
    CHECK(WinHttpCloseHandle(resolver));
    CHECK_EQ(WaitForSingleObject(gone, 10000), WAIT_OBJECT_0);
    CloseHandle(gone);
}

TEST(test_resolver__settings)
{
    HINTERNET session, resolver;
    WINHTTP_PROXY_SETTINGS_EX settings;
    WINHTTP_PROXY_RESULT result;
    prepare("q:8", "a.b,c");
    setenv("http_proxy", "p:7", 1);
    notes_clear(NULL);
    open_resolver(&session, &resolver);
    CHECK_EQ(WinHttpGetProxySettingsEx(resolver, WinHttpProxySettingsTypeWsl, NULL, 5), ERROR_IO_PENDING);
    REQUIRE(note_wait(5, WINHTTP_CALLBACK_STATUS_GETPROXYSETTINGS_COMPLETE, 1));
    CHECK_EQ(WinHttpGetProxyResult(resolver, &result), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    CHECK_EQ(WinHttpGetProxySettingsResultEx(resolver, &settings), 0);
    CHECK(settings.ullGenerationId != 0);
    CHECK_EQ(settings.ullFlags, WINHTTP_PROXY_TYPE_DIRECT | WINHTTP_PROXY_TYPE_PROXY);
    CHECK(settings.pcwszAutoconfigUrl == NULL && settings.pcwszConnectionName == NULL);
    CHECK(is_text(settings.pcwszProxy, "p:7"));
    CHECK(is_text(settings.pcwszSecureProxy, "q:8"));
    REQUIRE(settings.cProxyBypasses == 4);
    CHECK(is_text(settings.rgpcwszProxyBypasses[0], "a.b"));
    CHECK(is_text(settings.rgpcwszProxyBypasses[3], "*.c"));
    CHECK_EQ(WinHttpFreeProxySettingsEx(WinHttpProxySettingsTypeWsl, &settings), 0);
    CHECK(settings.pcwszProxy == NULL && settings.cProxyBypasses == 0);
    CHECK_EQ(WinHttpFreeProxySettingsEx(WinHttpProxySettingsTypeWsl, &settings), 0);
    CHECK(WinHttpCloseHandle(resolver));
    CHECK(WinHttpCloseHandle(session));
}

#define ROUNDS 300

/* Closes what it is told to, at a moment of its own. */
static DWORD WINAPI close_it(void *resolver)
{
    CHECK(WinHttpCloseHandle(resolver));
    return 0;
}

TEST(test_resolver__closing_at_any_moment)
{
    HINTERNET session, resolver;
    DWORD_PTR context;
    int at, answered, failed, closed;
    prepare("p", NULL);
    notes_clear(NULL);
    open_resolver(&session, &resolver);
    CHECK(WinHttpCloseHandle(resolver));
    for (context = 100; context < 100 + ROUNDS; context++) {
        HANDLE thread;
        REQUIRE(WinHttpCreateProxyResolver(session, &resolver) == 0);
        CHECK_EQ(WinHttpGetProxyForUrlEx(resolver, W("http://far.example/"), &by_list, context), ERROR_IO_PENDING);
        if (context % 3 == 0) {
            thread = CreateThread(NULL, 0, close_it, resolver, 0, NULL);
            CHECK_EQ(WaitForSingleObject(thread, 10000), WAIT_OBJECT_0);
            CloseHandle(thread);
        } else
            CHECK(WinHttpCloseHandle(resolver));
    }
    for (context = 100; context < 100 + ROUNDS; context++) {
        REQUIRE(note_wait(context, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1));
        answered = note_find(context, WINHTTP_CALLBACK_STATUS_GETPROXYFORURL_COMPLETE);
        failed = note_find(context, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR);
        closed = note_find(context, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING);
        CHECK_EQ(answered + failed, 1);
        CHECK_EQ(closed, 1);
    }
    /* The last of each is the closing. */
    for (at = 0; at < note_count; at++)
        if (notes[at].status == WINHTTP_CALLBACK_STATUS_REQUEST_ERROR)
            CHECK_EQ(notes[at].number, ERROR_WINHTTP_OPERATION_CANCELLED);
    for (context = 100; context < 100 + ROUNDS; context++) {
        const struct note *last = NULL;
        for (at = 0; at < note_count; at++)
            if (notes[at].context == context)
                last = &notes[at];
        CHECK(last && last->status == WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING);
    }
    CHECK(WinHttpCloseHandle(session));
}

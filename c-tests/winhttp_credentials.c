/* Credentials and the options about authentication, with every error; what a response offers.
 *
 * gate: not-mingw (it does not know all options) */
#include "winhttp_auth.h"

TEST(test_credentials__credentials_have_rules)
{
    struct trio it;
    trio_open(&it, free_port(), NULL, NULL, 0);
    for (DWORD bit = 1; bit; bit <<= 1) {
        if (bit <= WINHTTP_AUTH_SCHEME_NEGOTIATE)
            CHECK_WORKS(login(it.request, WINHTTP_AUTH_TARGET_SERVER, bit));
        else
            CHECK_FAILS(login(it.request, WINHTTP_AUTH_TARGET_SERVER, bit), ERROR_INVALID_PARAMETER);
    }
    CHECK_FAILS(login(it.request, 0, 0), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(login(it.request, 0, WINHTTP_AUTH_SCHEME_BASIC | WINHTTP_AUTH_SCHEME_DIGEST), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(login(it.request, 2, WINHTTP_AUTH_SCHEME_BASIC), ERROR_INVALID_PARAMETER);
    CHECK_WORKS(login(it.request, WINHTTP_AUTH_TARGET_PROXY, WINHTTP_AUTH_SCHEME_BASIC));
    for (DWORD bit = WINHTTP_AUTH_SCHEME_BASIC; bit <= WINHTTP_AUTH_SCHEME_DIGEST; bit *= 8) {
        CHECK_FAILS(WinHttpSetCredentials(it.request, 0, bit, NULL, W("p"), NULL), ERROR_INVALID_PARAMETER);
        CHECK_FAILS(WinHttpSetCredentials(it.request, 0, bit, W("u"), NULL, NULL), ERROR_INVALID_PARAMETER);
        CHECK_FAILS(WinHttpSetCredentials(it.request, 0, bit, W(""), W("p"), NULL), ERROR_INVALID_PARAMETER);
        CHECK_WORKS(WinHttpSetCredentials(it.request, 0, bit, W("u"), W(""), NULL));
    }
    CHECK_WORKS(WinHttpSetCredentials(it.request, 0, WINHTTP_AUTH_SCHEME_NTLM, NULL, NULL, NULL));
    CHECK_WORKS(WinHttpSetCredentials(it.request, 0, WINHTTP_AUTH_SCHEME_NEGOTIATE, NULL, NULL, NULL));
    CHECK_WORKS(WinHttpSetCredentials(it.request, 0, WINHTTP_AUTH_SCHEME_PASSPORT, NULL, NULL, NULL));
    CHECK_FAILS(WinHttpSetCredentials(it.request, 0, WINHTTP_AUTH_SCHEME_BASIC, W("u"), W("p"), &it), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(login(it.session, 0, WINHTTP_AUTH_SCHEME_BASIC), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(login(it.connect, 0, WINHTTP_AUTH_SCHEME_BASIC), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(login(NULL, 0, WINHTTP_AUTH_SCHEME_BASIC), ERROR_INVALID_HANDLE);
    CHECK_FAILS(WinHttpQueryAuthParams(it.request, WINHTTP_AUTH_SCHEME_BASIC, NULL), ERROR_CALL_NOT_IMPLEMENTED);
    trio_close(&it);
}

TEST(test_credentials__names_and_passwords_are_options)
{
    static const DWORD options[] = {WINHTTP_OPTION_USERNAME, WINHTTP_OPTION_PASSWORD, WINHTTP_OPTION_PROXY_USERNAME,
                                    WINHTTP_OPTION_PROXY_PASSWORD};
    struct trio it;
    WCHAR text[16];
    DWORD size, at;
    trio_open(&it, free_port(), NULL, NULL, 0);
    CHECK(login(it.request, 0, WINHTTP_AUTH_SCHEME_BASIC));
    for (at = 0; at < COUNT(options); at++) {
        size = 0;
        CHECK_FAILS(WinHttpQueryOption(it.request, options[at], NULL, &size), ERROR_INSUFFICIENT_BUFFER);
        CHECK_EQ(size, 2);
        size = sizeof(text);
        CHECK_WORKS(WinHttpQueryOption(it.request, options[at], text, &size));
        CHECK_EQ(size, 0);
        CHECK_WORKS(WinHttpSetOption(it.request, options[at], (void *)W("name"), 4));
        size = sizeof(text);
        CHECK_WORKS(WinHttpQueryOption(it.request, options[at], text, &size));
        CHECK_EQ(size, 8);
        CHECK(memcmp(text, W("name"), 10) == 0);
        CHECK_FAILS(WinHttpSetOption(it.request, options[at], NULL, 4), ERROR_INVALID_PARAMETER);
        CHECK_FAILS(WinHttpSetOption(it.session, options[at], (void *)W("n"), 1), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        CHECK_FAILS(WinHttpSetOption(it.connect, options[at], (void *)W("n"), 1), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        CHECK_FAILS(WinHttpQueryOption(it.connect, options[at], text, &size), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    }
    trio_close(&it);
}

/* Option, handle (s, c or r), size, value, error (0: works). */
static const struct {
    DWORD option;
    char kind;
    DWORD size, value, error;
} sets[] = {
    {WINHTTP_OPTION_AUTOLOGON_POLICY, 'r', 4, 3, 0},
    {WINHTTP_OPTION_AUTOLOGON_POLICY, 'r', 4, 4, ERROR_INVALID_PARAMETER},
    {WINHTTP_OPTION_AUTOLOGON_POLICY, 'r', 2, 0, ERROR_INSUFFICIENT_BUFFER},
    {WINHTTP_OPTION_AUTOLOGON_POLICY, 'r', 8, 0, ERROR_INSUFFICIENT_BUFFER},
    {WINHTTP_OPTION_AUTOLOGON_POLICY, 's', 4, 0, ERROR_WINHTTP_INCORRECT_HANDLE_TYPE},
    {WINHTTP_OPTION_SPN, 'r', 4, 1, 0},
    {WINHTTP_OPTION_SPN, 'r', 4, 2, ERROR_INVALID_PARAMETER},
    {WINHTTP_OPTION_SPN, 'r', 3, 1, ERROR_INSUFFICIENT_BUFFER},
    {WINHTTP_OPTION_SPN, 'c', 4, 1, ERROR_WINHTTP_INCORRECT_HANDLE_TYPE},
    {WINHTTP_OPTION_DISABLE_PROXY_AUTH_SCHEMES, 's', 4, 0x11f, 0},
    {WINHTTP_OPTION_DISABLE_PROXY_AUTH_SCHEMES, 's', 4, 0x20, ERROR_INVALID_PARAMETER},
    {WINHTTP_OPTION_DISABLE_PROXY_AUTH_SCHEMES, 's', 1, 0, ERROR_INSUFFICIENT_BUFFER},
    {WINHTTP_OPTION_DISABLE_PROXY_AUTH_SCHEMES, 'r', 4, 1, ERROR_WINHTTP_INCORRECT_HANDLE_TYPE},
    {WINHTTP_OPTION_CONFIGURE_PASSPORT_AUTH, 's', 4, WINHTTP_ENABLE_PASSPORT_AUTH | WINHTTP_DISABLE_PASSPORT_KEYRING, 0},
    {WINHTTP_OPTION_CONFIGURE_PASSPORT_AUTH, 's', 4, 1, ERROR_INVALID_PARAMETER},
    {WINHTTP_OPTION_CONFIGURE_PASSPORT_AUTH, 's', 3, 0, ERROR_INSUFFICIENT_BUFFER},
    {WINHTTP_OPTION_CONFIGURE_PASSPORT_AUTH, 'r', 4, 0, ERROR_WINHTTP_INCORRECT_HANDLE_TYPE},
    {WINHTTP_OPTION_PASSPORT_SIGN_OUT, 'r', 0, 0, ERROR_WINHTTP_INCORRECT_HANDLE_TYPE},
    {WINHTTP_OPTION_SERVER_SPN_USED, 'r', 4, 0, ERROR_WINHTTP_OPTION_NOT_SETTABLE},
    {WINHTTP_OPTION_PROXY_SPN_USED, 'r', 4, 0, ERROR_WINHTTP_OPTION_NOT_SETTABLE},
    {WINHTTP_OPTION_PASSPORT_COBRANDING_TEXT, 'r', 4, 0, ERROR_WINHTTP_OPTION_NOT_SETTABLE},
    {WINHTTP_OPTION_PASSPORT_COBRANDING_URL, 'r', 4, 0, ERROR_WINHTTP_OPTION_NOT_SETTABLE},
    {WINHTTP_OPTION_PASSPORT_RETURN_URL, 'r', 4, 0, ERROR_WINHTTP_OPTION_NOT_SETTABLE},
    {WINHTTP_OPTION_USE_GLOBAL_SERVER_CREDENTIALS, 's', 4, 1, ERROR_WINHTTP_INVALID_OPTION},
    {WINHTTP_OPTION_GLOBAL_PROXY_CREDS, '-', 4, 0, ERROR_WINHTTP_INVALID_OPTION},
    {WINHTTP_OPTION_GLOBAL_SERVER_CREDS, '-', 4, 0, ERROR_WINHTTP_INVALID_OPTION},
};

TEST(test_credentials__options)
{
    static const DWORD unread[] = {WINHTTP_OPTION_AUTOLOGON_POLICY, WINHTTP_OPTION_SPN, WINHTTP_OPTION_CONFIGURE_PASSPORT_AUTH,
                                   WINHTTP_OPTION_DISABLE_PROXY_AUTH_SCHEMES};
    static const DWORD later[] = {WINHTTP_OPTION_SERVER_SPN_USED, WINHTTP_OPTION_PROXY_SPN_USED,
                                  WINHTTP_OPTION_PASSPORT_COBRANDING_TEXT, WINHTTP_OPTION_PASSPORT_RETURN_URL};
    struct trio it;
    ULONGLONG value;
    DWORD size, at;
    trio_open(&it, free_port(), NULL, NULL, 0);
    for (at = 0; at < COUNT(sets); at++) {
        HINTERNET handle = sets[at].kind == 's' ? it.session : sets[at].kind == 'c' ? it.connect : sets[at].kind == 'r' ? it.request : NULL;
        value = sets[at].value;
        SetLastError(0xdeadbeef);
        CHECK_EQ(WinHttpSetOption(handle, sets[at].option, sets[at].size ? (void *)&value : NULL, sets[at].size), !sets[at].error);
        CHECK_EQ(GetLastError(), sets[at].error);
    }
    CHECK_WORKS(WinHttpSetOption(it.session, WINHTTP_OPTION_PASSPORT_SIGN_OUT, (void *)W("http://x/"), 9));
    for (at = 0; at < COUNT(unread); at++) {
        size = sizeof(value);
        CHECK_FAILS(WinHttpQueryOption(at < 2 ? it.request : it.session, unread[at], &value, &size), ERROR_INVALID_PARAMETER);
    }
    for (at = 0; at < COUNT(later); at++) {
        size = sizeof(value);
        CHECK_FAILS(WinHttpQueryOption(it.request, later[at], &value, &size), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
        CHECK_FAILS(WinHttpQueryOption(it.session, later[at], &value, &size), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    }
    trio_close(&it);
}

/* What one answer offers: supported << 16 | first << 8 | target, or the error. */
static DWORD offered(const char *answer)
{
    struct trio it;
    struct turn turn = {answer, CLOSE};
    struct server server;
    DWORD all = 0xbeef, first = 0xbeef, target = 0xbeef, result;
    server_start(&server, &turn, 1);
    trio_open(&it, server.port, NULL, NULL, 0);
    CHECK(exchange(it.request));
    if (WinHttpQueryAuthSchemes(it.request, &all, &first, &target))
        result = all << 16 | first << 8 | target;
    else {
        result = GetLastError();
        CHECK(all == 0xbeef && first == 0xbeef && target == 0xbeef);
    }
    trio_close(&it);
    server_end(&server);
    return result;
}

TEST(test_credentials__what_is_offered)
{
    struct trio it;
    DWORD all, first, target;
    CHECK_EQ(offered(BASIC), 0x10100);
    CHECK_EQ(offered(UNAUTHORIZED "WWW-Authenticate: Bearer x, Negotiate, NTLM\r\nWWW-Authenticate: Digest realm=\"a, Basic b\"\r\n\r\nnope"), 0x1a1000);
    CHECK_EQ(offered(UNAUTHORIZED "WWW-Authenticate: Passport1.4 a=b\r\n\r\nnope"), 0x40400);
    CHECK_EQ(offered(PROXY_WANTS "Proxy-Authenticate: Digest realm=\"x\", Basic realm=\"y\"\r\nWWW-Authenticate: NTLM\r\n\r\nnope"), 0x90801);
    CHECK_EQ(offered(UNAUTHORIZED "WWW-Authenticate: Bearer realm=\"x\"\r\n\r\nnope"), ERROR_INVALID_OPERATION);
    CHECK_EQ(offered(UNAUTHORIZED "\r\nnope"), ERROR_INVALID_OPERATION);
    CHECK_EQ(offered("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nWWW-Authenticate: Basic\r\n\r\n"), ERROR_INVALID_OPERATION);
    trio_open(&it, free_port(), NULL, NULL, 0);
    CHECK_FAILS(WinHttpQueryAuthSchemes(it.request, &all, &first, &target), ERROR_INVALID_OPERATION);
    CHECK_FAILS(WinHttpQueryAuthSchemes(it.request, NULL, &first, &target), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpQueryAuthSchemes(it.request, &all, NULL, &target), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpQueryAuthSchemes(it.request, &all, &first, NULL), ERROR_INVALID_PARAMETER);
    CHECK_FAILS(WinHttpQueryAuthSchemes(it.session, &all, &first, &target), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    CHECK_FAILS(WinHttpQueryAuthSchemes(NULL, &all, &first, &target), ERROR_INVALID_HANDLE);
    trio_close(&it);
}

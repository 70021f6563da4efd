/*
 * fetch.c - a synchronous WinHTTP client.
 *
 * Shows: WinHttpCrackUrl, the three handles (session, connection, request), all response headers with a buffer of the
 * size the first call asks for, and the body read to its end. Prints the status and headers on standard error and the
 * body on standard output, so that the body can be redirected.
 *
 * Build on Linux:   gcc -fshort-wchar -Iinclude examples-c/fetch.c -Ltarget/release -lnthttp -o fetch
 * Build on Windows: cl fetch.c winhttp.lib
 * Run:              fetch http://localhost:8080/
 */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <winhttp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _MSC_VER
#pragma comment(lib, "winhttp.lib")
#endif

static int Fail(const char *what)
{
    fprintf(stderr, "%s: error %u\n", what, (unsigned)GetLastError());
    return 1;
}

/* Prints wide text, which headers arrive as, in UTF-8. */
static void PrintWide(FILE *to, LPCWSTR text)
{
    char buffer[16384];
    if (WideCharToMultiByte(CP_UTF8, 0, text, -1, buffer, sizeof(buffer), NULL, NULL) > 0)
        fprintf(to, "%s", buffer);
}

/* Asks for the length first, then for the headers themselves. */
static int PrintHeaders(HINTERNET request)
{
    DWORD bytes = 0;
    WCHAR *headers;

    WinHttpQueryHeaders(request, WINHTTP_QUERY_RAW_HEADERS_CRLF, WINHTTP_HEADER_NAME_BY_INDEX, NULL, &bytes,
                        WINHTTP_NO_HEADER_INDEX);
    if (GetLastError() != ERROR_INSUFFICIENT_BUFFER)
        return Fail("WinHttpQueryHeaders");
    headers = (WCHAR *)malloc(bytes);
    if (headers == NULL || !WinHttpQueryHeaders(request, WINHTTP_QUERY_RAW_HEADERS_CRLF, WINHTTP_HEADER_NAME_BY_INDEX,
                                                headers, &bytes, WINHTTP_NO_HEADER_INDEX)) {
        free(headers);
        return Fail("WinHttpQueryHeaders");
    }
    PrintWide(stderr, headers);
    free(headers);
    return 0;
}

static int PrintBody(HINTERNET request)
{
    char buffer[8192];
    DWORD got;

    do {
        if (!WinHttpReadData(request, buffer, sizeof(buffer), &got))
            return Fail("WinHttpReadData");
        fwrite(buffer, 1, got, stdout);
    } while (got > 0);
    return 0;
}

static int Exchange(HINTERNET request)
{
    if (!WinHttpSendRequest(request, WINHTTP_NO_ADDITIONAL_HEADERS, 0, WINHTTP_NO_REQUEST_DATA, 0, 0, 0))
        return Fail("WinHttpSendRequest");
    if (!WinHttpReceiveResponse(request, NULL))
        return Fail("WinHttpReceiveResponse");
    return PrintHeaders(request) != 0 || PrintBody(request) != 0;
}

int wmain(int argc, wchar_t **argv)
{
    URL_COMPONENTS parts;
    WCHAR host[256], path[2048];
    HINTERNET session, connection = NULL, request = NULL;
    int failed = 1;

    if (argc != 2) {
        fprintf(stderr, "usage: fetch URL\n");
        return 2;
    }
    memset(&parts, 0, sizeof(parts));
    parts.dwStructSize = sizeof(parts);
    parts.lpszHostName = host;
    parts.dwHostNameLength = ARRAYSIZE(host);
    parts.lpszUrlPath = path;
    parts.dwUrlPathLength = ARRAYSIZE(path);
    if (!WinHttpCrackUrl(argv[1], 0, 0, &parts))
        return Fail("WinHttpCrackUrl");

    session = WinHttpOpen(L"fetch/1.0", WINHTTP_ACCESS_TYPE_DEFAULT_PROXY, WINHTTP_NO_PROXY_NAME,
                          WINHTTP_NO_PROXY_BYPASS, 0);
    if (session != NULL)
        connection = WinHttpConnect(session, host, parts.nPort, 0);
    if (connection != NULL)
        request = WinHttpOpenRequest(connection, L"GET", path, NULL, WINHTTP_NO_REFERER, WINHTTP_DEFAULT_ACCEPT_TYPES,
                                     parts.nScheme == INTERNET_SCHEME_HTTPS ? WINHTTP_FLAG_SECURE : 0);
    if (request != NULL)
        failed = Exchange(request);
    else
        Fail("cannot prepare the request");

    if (request != NULL)
        WinHttpCloseHandle(request);
    if (connection != NULL)
        WinHttpCloseHandle(connection);
    if (session != NULL)
        WinHttpCloseHandle(session);
    return failed;
}

/* WinHTTP, one synchronous session and connection: open, send, receive, read, close, one request at a time.
 *
 *   winhttp_client PORT REQUESTS
 *
 * Prints requests and CPU microseconds of this process as JSON, after a warm-up of a tenth.
 * Build: gcc -O2 -Iinclude -o winhttp_client winhttp_client.c -lnthttp */
#define _GNU_SOURCE
#include "common.h"
#include <windows.h>
#include <winhttp.h>

static void fail(const char *what)
{
    fprintf(stderr, "winhttp_client: %s: %u\n", what, (unsigned)GetLastError());
    exit(1);
}

static void fetch(HINTERNET connection)
{
    char body[4096];
    DWORD got = 0, total = 0;
    HINTERNET request = WinHttpOpenRequest(connection, NULL, (LPCWSTR)u"/plain", NULL, WINHTTP_NO_REFERER,
                                           WINHTTP_DEFAULT_ACCEPT_TYPES, 0);
    if (request == NULL)
        fail("WinHttpOpenRequest");
    if (!WinHttpSendRequest(request, WINHTTP_NO_ADDITIONAL_HEADERS, 0, WINHTTP_NO_REQUEST_DATA, 0, 0, 0))
        fail("WinHttpSendRequest");
    if (!WinHttpReceiveResponse(request, NULL))
        fail("WinHttpReceiveResponse");
    do {
        if (!WinHttpReadData(request, body, sizeof(body), &got))
            fail("WinHttpReadData");
        total += got;
    } while (got > 0);
    if (total != strlen(BENCH_BODY))
        fail("the body's length");
    WinHttpCloseHandle(request);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    HINTERNET session = WinHttpOpen((LPCWSTR)u"bench", WINHTTP_ACCESS_TYPE_NO_PROXY, WINHTTP_NO_PROXY_NAME,
                                    WINHTTP_NO_PROXY_BYPASS, 0);
    HINTERNET connection = WinHttpConnect(session, (LPCWSTR)u"127.0.0.1", (INTERNET_PORT)atoi(argv[1]), 0);
    if (connection == NULL)
        fail("WinHttpConnect");
    long count = atol(argv[2]);
    for (long i = 0; i < count / 10; i++)
        fetch(connection);
    double cpu = cpu_now();
    for (long i = 0; i < count; i++)
        fetch(connection);
    printf("{\"requests\": %ld, \"cpu_us\": %.1f}\n", count, cpu_now() - cpu);
    WinHttpCloseHandle(connection);
    WinHttpCloseHandle(session);
    return 0;
}

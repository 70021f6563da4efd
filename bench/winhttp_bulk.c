/* WinHTTP, synchronous: one large download or upload.
 *
 *   winhttp_bulk PORT down|up BYTES
 *
 * A download reads /file in pieces of 64 KiB; an upload writes as many bytes to /upload in such pieces. Prints bytes and
 * CPU microseconds of this process as JSON.
 * Build: gcc -O2 -Iinclude -o winhttp_bulk winhttp_bulk.c -lnthttp */
#define _GNU_SOURCE
#include "common.h"
#include <windows.h>
#include <winhttp.h>

static char piece[64 * 1024];

static void fail(const char *what)
{
    fprintf(stderr, "winhttp_bulk: %s: %u\n", what, (unsigned)GetLastError());
    exit(1);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    BOOL up = strcmp(argv[2], "up") == 0;
    unsigned long long bytes = strtoull(argv[3], NULL, 10), sent = 0, total = 0;
    DWORD got = 0, status = 0, size = sizeof(status);
    HINTERNET session = WinHttpOpen((LPCWSTR)u"bench", WINHTTP_ACCESS_TYPE_NO_PROXY, WINHTTP_NO_PROXY_NAME,
                                    WINHTTP_NO_PROXY_BYPASS, 0);
    HINTERNET connection = WinHttpConnect(session, (LPCWSTR)u"127.0.0.1", (INTERNET_PORT)atoi(argv[1]), 0);
    HINTERNET request = WinHttpOpenRequest(connection, (LPCWSTR)(up ? u"PUT" : u"GET"), (LPCWSTR)(up ? u"/upload" : u"/file"),
                                           NULL, WINHTTP_NO_REFERER, WINHTTP_DEFAULT_ACCEPT_TYPES, 0);
    if (request == NULL)
        fail("WinHttpOpenRequest");
    double cpu = cpu_now();
    if (!WinHttpSendRequest(request, WINHTTP_NO_ADDITIONAL_HEADERS, 0, WINHTTP_NO_REQUEST_DATA, 0, up ? (DWORD)bytes : 0, 0))
        fail("WinHttpSendRequest");
    for (; up && sent < bytes; sent += got)
        if (!WinHttpWriteData(request, piece, bytes - sent < sizeof(piece) ? (DWORD)(bytes - sent) : sizeof(piece), &got))
            fail("WinHttpWriteData");
    if (!WinHttpReceiveResponse(request, NULL))
        fail("WinHttpReceiveResponse");
    WinHttpQueryHeaders(request, WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER, NULL, &status, &size, NULL);
    if (status != 200)
        fail("the status");
    do {
        if (!WinHttpReadData(request, piece, sizeof(piece), &got))
            fail("WinHttpReadData");
        total += got;
    } while (got > 0);
    printf("{\"bytes\": %llu, \"cpu_us\": %.1f}\n", up ? sent : total, cpu_now() - cpu);
    WinHttpCloseHandle(request);
    WinHttpCloseHandle(connection);
    WinHttpCloseHandle(session);
    return 0;
}

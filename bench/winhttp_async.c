/* WinHTTP, asynchronous, so many requests in flight: each opens the next when its handle has closed. One session.
 *
 *   winhttp_async PORT REQUESTS IN_FLIGHT
 *
 * Prints requests and CPU microseconds of this process as JSON, after a warm-up of a tenth.
 * Build: gcc -O2 -Iinclude -o winhttp_async winhttp_async.c -lnthttp */
#define _GNU_SOURCE
#include "common.h"
#include <windows.h>
#include <winhttp.h>

struct one {
    DWORD total;
    char body[4096];
};

static HINTERNET connection;
static LONG left, running;
static HANDLE done;

static void fail(const char *what)
{
    fprintf(stderr, "winhttp_async: %s: %u\n", what, (unsigned)GetLastError());
    exit(1);
}

static void start(struct one *it)
{
    HINTERNET request;
    if (InterlockedDecrement(&left) < 0) {
        if (InterlockedDecrement(&running) == 0)
            SetEvent(done);
        return;
    }
    it->total = 0;
    request = WinHttpOpenRequest(connection, NULL, (LPCWSTR)u"/plain", NULL, WINHTTP_NO_REFERER,
                                 WINHTTP_DEFAULT_ACCEPT_TYPES, 0);
    if (request == NULL)
        fail("WinHttpOpenRequest");
    if (!WinHttpSendRequest(request, WINHTTP_NO_ADDITIONAL_HEADERS, 0, WINHTTP_NO_REQUEST_DATA, 0, 0, (DWORD_PTR)it))
        fail("WinHttpSendRequest");
}

static void CALLBACK go_on(HINTERNET request, DWORD_PTR context, DWORD status, LPVOID information, DWORD length)
{
    struct one *it = (struct one *)context;
    switch (status) {
    case WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE:
        if (!WinHttpReceiveResponse(request, NULL))
            fail("WinHttpReceiveResponse");
        break;
    case WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE:
        if (!WinHttpReadData(request, it->body, sizeof(it->body), NULL))
            fail("WinHttpReadData");
        break;
    case WINHTTP_CALLBACK_STATUS_READ_COMPLETE:
        it->total += length;
        if (length == 0)
            WinHttpCloseHandle(request);
        else if (!WinHttpReadData(request, it->body, sizeof(it->body), NULL))
            fail("WinHttpReadData");
        break;
    case WINHTTP_CALLBACK_STATUS_REQUEST_ERROR:
        SetLastError(((WINHTTP_ASYNC_RESULT *)information)->dwError);
        fail("a request");
        break;
    case WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING:
        if (it == NULL)
            break;
        if (it->total != strlen(BENCH_BODY))
            fail("the body's length");
        start(it);
        break;
    }
}

static void fetch_all(struct one *ones, LONG in_flight, LONG count)
{
    left = count;
    running = in_flight;
    for (LONG at = 0; at < in_flight; at++)
        start(&ones[at]);
    WaitForSingleObject(done, INFINITE);
}

int main(int argc, char **argv)
{
    BOOL quick = TRUE;
    if (argc != 4)
        return 2;
    LONG count = atoi(argv[2]), in_flight = atoi(argv[3]);
    struct one *ones = calloc((size_t)in_flight, sizeof(*ones));
    HINTERNET session = WinHttpOpen((LPCWSTR)u"bench", WINHTTP_ACCESS_TYPE_NO_PROXY, WINHTTP_NO_PROXY_NAME,
                                    WINHTTP_NO_PROXY_BYPASS, WINHTTP_FLAG_ASYNC);
    done = CreateEventW(NULL, FALSE, FALSE, NULL);
    WinHttpSetOption(session, WINHTTP_OPTION_ASSURED_NON_BLOCKING_CALLBACKS, &quick, sizeof(quick));
    WinHttpSetStatusCallback(session, go_on, WINHTTP_CALLBACK_FLAG_ALL_COMPLETIONS | WINHTTP_CALLBACK_FLAG_HANDLES, 0);
    connection = WinHttpConnect(session, (LPCWSTR)u"127.0.0.1", (INTERNET_PORT)atoi(argv[1]), 0);
    if (connection == NULL)
        fail("WinHttpConnect");
    fetch_all(ones, in_flight, count / 10);
    double cpu = cpu_now();
    fetch_all(ones, in_flight, count);
    printf("{\"requests\": %ld, \"cpu_us\": %.1f}\n", (long)count, cpu_now() - cpu);
    WinHttpCloseHandle(connection);
    WinHttpCloseHandle(session);
    return 0;
}

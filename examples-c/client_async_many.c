/*
 * client_async_many.c - several URLs at once, asynchronously, without a thread for any of them.
 *
 * Shows: one asynchronous session and its status callback; a context for each request; each notification starts the next
 * step; a failure that closes the request; HANDLE_CLOSING, the last notification, which counts a request as done; and
 * the main thread, which only waits, and then tells what came of each URL, in their order.
 *
 * Build on Linux:   gcc -fshort-wchar -Iinclude examples-c/client_async_many.c -Ltarget/release -lnthttp -o client_async_many
 * Build on Windows: cl client_async_many.c winhttp.lib
 * Run:              client_async_many http://localhost:8080/ http://localhost:8080/about ...
 */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <winhttp.h>
#include <stdio.h>
#include <stdlib.h>

/* What all requests share. */
typedef struct {
    LONG left;   /* requests that are not closed */
    HANDLE done; /* set when there are none */
} CROWD;

typedef struct {
    CROWD *crowd;
    HINTERNET connection, request;
    DWORD status; /* of the response, or 0 */
    DWORD error;  /* why it failed, or 0 */
    ULONGLONG received;
    char buffer[16384]; /* lent to WinHttpReadData until READ_COMPLETE */
} FETCH;

/* Ends a request; HANDLE_CLOSING follows. The first reason counts: closing may cause others. */
static void End(FETCH *fetch, DWORD error)
{
    if (fetch->error == 0)
        fetch->error = error;
    WinHttpCloseHandle(fetch->request);
}

static void ReadNext(FETCH *fetch)
{
    if (!WinHttpReadData(fetch->request, fetch->buffer, sizeof(fetch->buffer), NULL))
        End(fetch, GetLastError());
}

/* Called on a thread of the library, or on the one that called a function which could complete at once. The calls for
 * one request come one after the other, those for different requests side by side. */
static VOID CALLBACK OnStatus(HINTERNET handle, DWORD_PTR context, DWORD status, LPVOID info, DWORD length)
{
    FETCH *fetch = (FETCH *)context;
    DWORD size;

    (void)handle;
    if (fetch == NULL)
        return; /* the session and the connections have no context */
    switch (status) {
    case WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE:
        if (!WinHttpReceiveResponse(fetch->request, NULL))
            End(fetch, GetLastError());
        break;
    case WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE:
        size = sizeof(fetch->status);
        WinHttpQueryHeaders(fetch->request, WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER,
                            WINHTTP_HEADER_NAME_BY_INDEX, &fetch->status, &size, WINHTTP_NO_HEADER_INDEX);
        ReadNext(fetch);
        break;
    case WINHTTP_CALLBACK_STATUS_READ_COMPLETE:
        fetch->received += length; /* a real program uses fetch->buffer here */
        if (length == 0)
            End(fetch, 0);
        else
            ReadNext(fetch);
        break;
    case WINHTTP_CALLBACK_STATUS_REQUEST_ERROR:
        End(fetch, ((WINHTTP_ASYNC_RESULT *)info)->dwError);
        break;
    case WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING:
        /* From here on the library does not touch the request's context or its buffer. */
        if (InterlockedDecrement(&fetch->crowd->left) == 0)
            SetEvent(fetch->crowd->done);
        break;
    }
}

/* Starts a request; the callback does the rest. FALSE if there is none to be closed. */
static BOOL Start(HINTERNET session, const WCHAR *url, FETCH *fetch)
{
    URL_COMPONENTS parts = {0};
    WCHAR host[256], path[2048];
    DWORD_PTR context = (DWORD_PTR)fetch;
    DWORD flags;

    parts.dwStructSize = sizeof(parts);
    parts.lpszHostName = host;
    parts.dwHostNameLength = ARRAYSIZE(host);
    parts.lpszUrlPath = path; /* with what follows the question mark */
    parts.dwUrlPathLength = ARRAYSIZE(path);
    if (!WinHttpCrackUrl(url, 0, 0, &parts))
        return FALSE;
    flags = parts.nScheme == INTERNET_SCHEME_HTTPS ? WINHTTP_FLAG_SECURE : 0;
    fetch->connection = WinHttpConnect(session, host, parts.nPort, 0);
    if (fetch->connection == NULL)
        return FALSE;
    fetch->request = WinHttpOpenRequest(fetch->connection, NULL, path, NULL, WINHTTP_NO_REFERER,
                                        WINHTTP_DEFAULT_ACCEPT_TYPES, flags);
    if (fetch->request == NULL)
        return FALSE;
    InterlockedIncrement(&fetch->crowd->left);
    /* Bound before the send, so that even a send that fails at once ends with a HANDLE_CLOSING that knows its fetch. */
    WinHttpSetOption(fetch->request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context));
    if (!WinHttpSendRequest(fetch->request, WINHTTP_NO_ADDITIONAL_HEADERS, 0, WINHTTP_NO_REQUEST_DATA, 0, 0, context))
        End(fetch, GetLastError());
    return TRUE;
}

static int Tell(const FETCH *fetches, int count)
{
    int i, failed = 0;

    for (i = 0; i < count; i++) {
        if (fetches[i].error != 0)
            printf("%d: error %u\n", i + 1, (unsigned)fetches[i].error);
        else
            printf("%d: %u, %llu bytes\n", i + 1, (unsigned)fetches[i].status, (unsigned long long)fetches[i].received);
        failed += fetches[i].error != 0;
    }
    return failed == 0 ? 0 : 1;
}

int wmain(int argc, wchar_t **argv)
{
    CROWD crowd = {1, NULL}; /* one for this function, so that the first to end is not taken for the last */
    HINTERNET session = WinHttpOpen(L"many/1.0", WINHTTP_ACCESS_TYPE_DEFAULT_PROXY, WINHTTP_NO_PROXY_NAME,
                                    WINHTTP_NO_PROXY_BYPASS, WINHTTP_FLAG_ASYNC);
    FETCH *fetches = (FETCH *)calloc((size_t)argc, sizeof(FETCH));
    int i, code, count = argc - 1;

    crowd.done = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (count < 1 || session == NULL || fetches == NULL || crowd.done == NULL) {
        fprintf(stderr, "usage: client_async_many URL...\n");
        return 2;
    }
    WinHttpSetStatusCallback(session, OnStatus, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
    for (i = 0; i < count; i++) {
        fetches[i].crowd = &crowd;
        if (!Start(session, argv[i + 1], &fetches[i]))
            fetches[i].error = GetLastError();
    }
    if (InterlockedDecrement(&crowd.left) == 0)
        SetEvent(crowd.done);
    WaitForSingleObject(crowd.done, INFINITE);
    code = Tell(fetches, count);
    for (i = 0; i < count; i++)
        if (fetches[i].connection != NULL)
            WinHttpCloseHandle(fetches[i].connection);
    WinHttpCloseHandle(session);
    CloseHandle(crowd.done);
    free(fetches);
    return code;
}

/*
 * download_async.c - an asynchronous WinHTTP download.
 *
 * Shows: a session with WINHTTP_FLAG_ASYNC, a status callback that starts each next step, the context that goes with the
 * request, and the last callback (HANDLE_CLOSING), after which nothing of the request is used any more. Draws a progress
 * bar when standard error is a terminal.
 *
 * Build on Linux:   gcc -fshort-wchar -Iinclude examples-c/download_async.c -Ltarget/release -lnthttp -o download_async
 * Build on Windows: cl download_async.c winhttp.lib
 * Run:              download_async http://localhost:8080/ page.html
 */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <winhttp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _WIN32
#include <io.h>
#define isatty _isatty
#define fileno _fileno
#else
#include <unistd.h>
#endif

#define BAR_WIDTH 40

typedef struct {
    HANDLE closed; /* set by the last callback */
    FILE *file;
    DWORD status;
    DWORD error; /* why it failed, or 0 */
    ULONGLONG received, expected;
    char buffer[16384];
} DOWNLOAD;

static void ShowProgress(const DOWNLOAD *download)
{
    int filled, i;

    if (!isatty(fileno(stderr)) || download->expected == 0)
        return;
    filled = (int)(download->received * BAR_WIDTH / download->expected);
    fputs("\r[", stderr);
    for (i = 0; i < BAR_WIDTH; i++)
        fputc(i < filled ? '#' : '.', stderr);
    fprintf(stderr, "] %llu of %llu bytes", (unsigned long long)download->received,
            (unsigned long long)download->expected);
}

/* Notes why, and closes the request: the only way to end one early. HANDLE_CLOSING follows. */
static void Give(HINTERNET request, DOWNLOAD *download, DWORD error)
{
    download->error = error;
    WinHttpCloseHandle(request);
}

static void ReadNext(HINTERNET request, DOWNLOAD *download)
{
    if (!WinHttpReadData(request, download->buffer, sizeof(download->buffer), NULL))
        Give(request, download, GetLastError());
}

static void OnHeaders(HINTERNET request, DOWNLOAD *download)
{
    WCHAR length[32];
    DWORD bytes = sizeof(download->status);

    WinHttpQueryHeaders(request, WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER, WINHTTP_HEADER_NAME_BY_INDEX,
                        &download->status, &bytes, WINHTTP_NO_HEADER_INDEX);
    bytes = sizeof(length);
    if (WinHttpQueryHeaders(request, WINHTTP_QUERY_CONTENT_LENGTH, WINHTTP_HEADER_NAME_BY_INDEX, length, &bytes,
                            WINHTTP_NO_HEADER_INDEX)) {
        const WCHAR *digit;
        for (digit = length; *digit >= '0' && *digit <= '9'; digit++)
            download->expected = download->expected * 10 + (ULONGLONG)(*digit - '0');
    }
    ReadNext(request, download);
}

static void OnData(HINTERNET request, DOWNLOAD *download, DWORD bytes)
{
    if (bytes == 0) {
        WinHttpCloseHandle(request);
        return;
    }
    if (fwrite(download->buffer, 1, bytes, download->file) != bytes) {
        Give(request, download, ERROR_GEN_FAILURE);
        return;
    }
    download->received += bytes;
    ShowProgress(download);
    ReadNext(request, download);
}

static VOID CALLBACK OnStatus(HINTERNET request, DWORD_PTR context, DWORD status, LPVOID info, DWORD infoLength)
{
    DOWNLOAD *download = (DOWNLOAD *)context;

    if (download == NULL)
        return; /* the session's and the connection's own notifications */
    switch (status) {
    case WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE:
        if (!WinHttpReceiveResponse(request, NULL))
            Give(request, download, GetLastError());
        break;
    case WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE:
        OnHeaders(request, download);
        break;
    case WINHTTP_CALLBACK_STATUS_READ_COMPLETE:
        OnData(request, download, infoLength);
        break;
    case WINHTTP_CALLBACK_STATUS_REQUEST_ERROR:
        Give(request, download, ((WINHTTP_ASYNC_RESULT *)info)->dwError);
        break;
    case WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING:
        SetEvent(download->closed);
        break;
    }
}

/* Starts the request; the callback does the rest and closes it. False when not even the start succeeded. */
static BOOL StartDownload(HINTERNET connection, const WCHAR *path, DWORD flags, DOWNLOAD *download)
{
    HINTERNET request = WinHttpOpenRequest(connection, NULL, path, NULL, WINHTTP_NO_REFERER,
                                           WINHTTP_DEFAULT_ACCEPT_TYPES, flags);
    DWORD_PTR context = (DWORD_PTR)download;

    if (request == NULL)
        return FALSE;
    /* Bound before the send, so that a send that fails still ends with a HANDLE_CLOSING that knows its download. */
    WinHttpSetOption(request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context));
    if (!WinHttpSendRequest(request, WINHTTP_NO_ADDITIONAL_HEADERS, 0, WINHTTP_NO_REQUEST_DATA, 0, 0, context))
        Give(request, download, GetLastError());
    return TRUE;
}

static int Run(const URL_COMPONENTS *parts, DOWNLOAD *download)
{
    DWORD flags = parts->nScheme == INTERNET_SCHEME_HTTPS ? WINHTTP_FLAG_SECURE : 0;
    HINTERNET connection = NULL;
    HINTERNET session = WinHttpOpen(L"download/1.0", WINHTTP_ACCESS_TYPE_DEFAULT_PROXY, WINHTTP_NO_PROXY_NAME,
                                    WINHTTP_NO_PROXY_BYPASS, WINHTTP_FLAG_ASYNC);

    if (session != NULL) {
        WinHttpSetStatusCallback(session, OnStatus, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
        connection = WinHttpConnect(session, parts->lpszHostName, parts->nPort, 0);
    }
    if (connection != NULL && StartDownload(connection, parts->lpszUrlPath, flags, download))
        WaitForSingleObject(download->closed, INFINITE);
    else
        download->error = GetLastError();
    if (connection != NULL)
        WinHttpCloseHandle(connection);
    if (session != NULL)
        WinHttpCloseHandle(session);
    return download->error == 0 ? 0 : 1;
}

int wmain(int argc, wchar_t **argv)
{
    static DOWNLOAD download;
    URL_COMPONENTS parts;
    WCHAR host[256], path[2048];
    char name[1024];
    int failed;

    if (argc != 3) {
        fprintf(stderr, "usage: download_async URL FILE\n");
        return 2;
    }
    memset(&parts, 0, sizeof(parts));
    parts.dwStructSize = sizeof(parts);
    parts.lpszHostName = host;
    parts.dwHostNameLength = ARRAYSIZE(host);
    parts.lpszUrlPath = path;
    parts.dwUrlPathLength = ARRAYSIZE(path);
    WideCharToMultiByte(CP_UTF8, 0, argv[2], -1, name, sizeof(name), NULL, NULL);
    download.file = fopen(name, "wb");
    if (download.file == NULL || !WinHttpCrackUrl(argv[1], 0, 0, &parts)) {
        fprintf(stderr, "not a URL, or the file cannot be written\n");
        return 1;
    }
    download.closed = CreateEventW(NULL, TRUE, FALSE, NULL);
    failed = Run(&parts, &download);
    CloseHandle(download.closed);
    fclose(download.file);
    if (failed)
        fprintf(stderr, "the download failed: error %u\n", (unsigned)download.error);
    else
        printf("%u, %llu bytes\n", (unsigned)download.status, (unsigned long long)download.received);
    return failed;
}

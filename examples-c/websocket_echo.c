/*
 * websocket_echo.c - a WebSocket client.
 *
 * Shows: the upgrade of a request, WinHttpWebSocketSend and Receive with messages that come in pieces, and the end with
 * WinHttpWebSocketClose and QueryCloseStatus. Sends each word of the command line as a text message to a server that
 * echoes, prints what comes back, and says goodbye.
 *
 * Build on Linux:   gcc -fshort-wchar -Iinclude examples-c/websocket_echo.c -Ltarget/release -lnthttp -o websocket_echo
 * Build on Windows: cl websocket_echo.c winhttp.lib
 * Run:              websocket_echo http://localhost:8080/echo hello world
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

static int Fail(const char *what, DWORD error)
{
    fprintf(stderr, "%s: error %u\n", what, (unsigned)error);
    return 1;
}

/* Asks for the upgrade. The socket outlives the request. */
static HINTERNET OpenSocket(HINTERNET connection, const WCHAR *path, DWORD flags)
{
    HINTERNET socket = NULL;
    HINTERNET request = WinHttpOpenRequest(connection, L"GET", path, NULL, WINHTTP_NO_REFERER,
                                           WINHTTP_DEFAULT_ACCEPT_TYPES, flags);
    DWORD status = 0, bytes = sizeof(status);

    if (request == NULL)
        return NULL;
    if (WinHttpSetOption(request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, NULL, 0) &&
        WinHttpSendRequest(request, WINHTTP_NO_ADDITIONAL_HEADERS, 0, WINHTTP_NO_REQUEST_DATA, 0, 0, 0) &&
        WinHttpReceiveResponse(request, NULL) &&
        WinHttpQueryHeaders(request, WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER, WINHTTP_HEADER_NAME_BY_INDEX,
                            &status, &bytes, WINHTTP_NO_HEADER_INDEX)) {
        if (status == HTTP_STATUS_SWITCH_PROTOCOLS)
            socket = WinHttpWebSocketCompleteUpgrade(request, 0);
        else
            fprintf(stderr, "the server answers with %u\n", (unsigned)status);
    }
    WinHttpCloseHandle(request);
    return socket;
}

/* Prints one message, which may come in any number of pieces. */
static int PrintMessage(HINTERNET socket)
{
    char buffer[1024];
    DWORD bytes, error;
    WINHTTP_WEB_SOCKET_BUFFER_TYPE type;

    do {
        error = WinHttpWebSocketReceive(socket, buffer, sizeof(buffer), &bytes, &type);
        if (error != NO_ERROR)
            return Fail("WinHttpWebSocketReceive", error);
        if (type == WINHTTP_WEB_SOCKET_CLOSE_BUFFER_TYPE) {
            fprintf(stderr, "the server has closed\n");
            return 1;
        }
        fwrite(buffer, 1, bytes, stdout);
    } while (type == WINHTTP_WEB_SOCKET_UTF8_FRAGMENT_BUFFER_TYPE || type == WINHTTP_WEB_SOCKET_BINARY_FRAGMENT_BUFFER_TYPE);
    printf("\n");
    return 0;
}

static int SayGoodbye(HINTERNET socket)
{
    char reason[WINHTTP_WEB_SOCKET_MAX_CLOSE_REASON_LENGTH];
    USHORT status = 0;
    DWORD length = 0, error;

    error = WinHttpWebSocketClose(socket, WINHTTP_WEB_SOCKET_SUCCESS_CLOSE_STATUS, NULL, 0);
    if (error == NO_ERROR)
        error = WinHttpWebSocketQueryCloseStatus(socket, &status, reason, sizeof(reason), &length);
    if (error != NO_ERROR)
        return Fail("WinHttpWebSocketClose", error);
    printf("closed, status %u %.*s\n", (unsigned)status, (int)length, reason);
    return 0;
}

static int Run(const URL_COMPONENTS *parts, int count, wchar_t **words)
{
    DWORD flags = parts->nScheme == INTERNET_SCHEME_HTTPS ? WINHTTP_FLAG_SECURE : 0;
    HINTERNET connection = NULL, socket = NULL;
    HINTERNET session = WinHttpOpen(L"websocket_echo/1.0", WINHTTP_ACCESS_TYPE_DEFAULT_PROXY, WINHTTP_NO_PROXY_NAME,
                                    WINHTTP_NO_PROXY_BYPASS, 0);
    int failed = 0, i;

    if (session != NULL)
        connection = WinHttpConnect(session, parts->lpszHostName, parts->nPort, 0);
    if (connection != NULL)
        socket = OpenSocket(connection, parts->lpszUrlPath, flags);
    if (socket == NULL)
        failed = Fail("the upgrade", GetLastError());
    for (i = 0; i < count && !failed; i++) {
        char text[1024];
        DWORD error;
        int length = WideCharToMultiByte(CP_UTF8, 0, words[i], -1, text, sizeof(text), NULL, NULL);
        if (length <= 0)
            continue;
        error = WinHttpWebSocketSend(socket, WINHTTP_WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, text, (DWORD)length - 1);
        failed = error != NO_ERROR ? Fail("WinHttpWebSocketSend", error) : PrintMessage(socket);
    }
    if (!failed)
        failed = SayGoodbye(socket);
    if (socket != NULL)
        WinHttpCloseHandle(socket);
    if (connection != NULL)
        WinHttpCloseHandle(connection);
    if (session != NULL)
        WinHttpCloseHandle(session);
    return failed;
}

int wmain(int argc, wchar_t **argv)
{
    URL_COMPONENTS parts;
    WCHAR host[256], path[2048];

    if (argc < 3) {
        fprintf(stderr, "usage: websocket_echo URL WORD...\n");
        return 2;
    }
    memset(&parts, 0, sizeof(parts));
    parts.dwStructSize = sizeof(parts);
    parts.lpszHostName = host;
    parts.dwHostNameLength = ARRAYSIZE(host);
    parts.lpszUrlPath = path;
    parts.dwUrlPathLength = ARRAYSIZE(path);
    if (!WinHttpCrackUrl(argv[1], 0, 0, &parts))
        return Fail("WinHttpCrackUrl", GetLastError());
    return Run(&parts, argc - 2, argv + 2);
}

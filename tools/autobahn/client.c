/* The client side of the Autobahn test suite: runs every case of its fuzzing server and echoes what comes.
 *
 *   client PORT [FIRST LAST]
 *
 * Build: gcc -std=c11 -Iinclude tools/autobahn/client.c -Ltarget/debug -lnthttp -o client */
#include <windows.h>
#include <winhttp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static HINTERNET connection;

/* Opens a socket for a path; NULL if the server does not agree to one. */
static HINTERNET Upgrade(const char *path)
{
    WCHAR object[256];
    HINTERNET request, socket = NULL;
    DWORD deflate = NTHTTP_WEB_SOCKET_DEFLATE_ON;
    size_t at;

    for (at = 0; path[at] && at < 255; at++)
        object[at] = (WCHAR)path[at];
    object[at] = 0;
    request = WinHttpOpenRequest(connection, NULL, object, NULL, NULL, NULL, 0);
    WinHttpSetOption(request, NTHTTP_OPTION_WEB_SOCKET_DEFLATE, &deflate, sizeof(deflate));
    WinHttpSetOption(request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, NULL, 0);
    if (WinHttpSendRequest(request, NULL, 0, NULL, 0, 0, 0) && WinHttpReceiveResponse(request, NULL))
        socket = WinHttpWebSocketCompleteUpgrade(request, 0);
    if (!socket)
        fprintf(stderr, "%s: error %u\n", path, (unsigned)GetLastError());
    WinHttpCloseHandle(request);
    return socket;
}

/* A whole message into a buffer that grows; its type, or -1 for anything else. */
static int Message(HINTERNET socket, char **text, size_t *size, size_t *room)
{
    WINHTTP_WEB_SOCKET_BUFFER_TYPE type;
    DWORD got;

    *size = 0;
    do {
        if (*room - *size < 65536)
            *text = realloc(*text, *room = *room * 2 + 131072);
        if (WinHttpWebSocketReceive(socket, *text + *size, (DWORD)(*room - *size), &got, &type))
            return -1;
        *size += got;
        if (type == WINHTTP_WEB_SOCKET_CLOSE_BUFFER_TYPE)
            return -1;
    } while (type == WINHTTP_WEB_SOCKET_BINARY_FRAGMENT_BUFFER_TYPE || type == WINHTTP_WEB_SOCKET_UTF8_FRAGMENT_BUFFER_TYPE);
    return (int)type;
}

static void Echo(const char *path)
{
    static char *text;
    static size_t room;
    HINTERNET socket = Upgrade(path);
    size_t size;
    int type;

    if (!socket)
        return;
    while ((type = Message(socket, &text, &size, &room)) >= 0)
        if (WinHttpWebSocketSend(socket, (WINHTTP_WEB_SOCKET_BUFFER_TYPE)type, text, (DWORD)size))
            break;
    WinHttpWebSocketClose(socket, WINHTTP_WEB_SOCKET_SUCCESS_CLOSE_STATUS, NULL, 0);
    WinHttpCloseHandle(socket);
}

static int CaseCount(void)
{
    char *text = NULL;
    size_t size = 0, room = 0;
    int count = 0;
    HINTERNET socket = Upgrade("/getCaseCount");

    if (socket && Message(socket, &text, &size, &room) >= 0) {
        text[size] = 0;
        count = atoi(text);
    }
    free(text);
    WinHttpWebSocketClose(socket, WINHTTP_WEB_SOCKET_SUCCESS_CLOSE_STATUS, NULL, 0);
    WinHttpCloseHandle(socket);
    return count;
}

int main(int argc, char **argv)
{
    WCHAR host[] = {'1', '2', '7', '.', '0', '.', '0', '.', '1', 0};
    HINTERNET session = WinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0);
    char path[64];
    int at, last;

    connection = WinHttpConnect(session, host, (INTERNET_PORT)(argc > 1 ? atoi(argv[1]) : 9001), 0);
    last = CaseCount();
    printf("%d cases\n", last);
    if (argc > 3)
        last = atoi(argv[3]);
    for (at = argc > 2 ? atoi(argv[2]) : 1; at <= last; at++) {
        sprintf(path, "/runCase?case=%d&agent=nthttp", at);
        Echo(path);
    }
    Echo("/updateReports?agent=nthttp");
    WinHttpCloseHandle(connection);
    WinHttpCloseHandle(session);
    return last == 0;
}

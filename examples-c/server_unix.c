/*
 * server_unix.c - a server at a Unix socket, for a proxy such as nginx or HAProxy in front of it.
 * gate: not-mingw (it uses what this library adds to http.h)
 *
 * Shows: NTHTTP_SERVER_LISTEN_PROPERTY, with the port itself left closed, and the PROXY protocol, by which the proxy says
 * who its client is. GET /stop ends it.
 *
 * Build: gcc -Iinclude examples-c/server_unix.c -Ltarget/release -lnthttp -o server_unix
 * Run:   server_unix /tmp/app.sock                 curl --unix-socket /tmp/app.sock http://localhost/
 *        server_unix /tmp/app.sock --proxy         curl --unix-socket /tmp/app.sock --haproxy-protocol http://localhost/
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>
#include <http.h>

static ULONG Listen(HTTP_URL_GROUP_ID group, const char *path, BOOL proxy)
{
    NTHTTP_LISTEN_INFO info;
    char address[128];

    snprintf(address, sizeof(address), "unix:%s", path);
    memset(&info, 0, sizeof(info));
    info.Flags.Present = 1;
    info.ListenFlags = NTHTTP_LISTEN_FLAG_ONLY; /* port 80 stays closed */
    info.Address = address;
    info.SocketMode = 0660;
    info.ProxyProtocol = proxy ? NthttpProxyProtocolOptional : NthttpProxyProtocolOff;
    return HttpSetUrlGroupProperty(group, NTHTTP_SERVER_LISTEN_PROPERTY, &info, sizeof(info));
}

static ULONG Open(const char *path, BOOL proxy, HTTP_SERVER_SESSION_ID *session, HANDLE *queue)
{
    HTTPAPI_VERSION version = HTTPAPI_VERSION_2;
    HTTP_BINDING_INFO binding;
    HTTP_URL_GROUP_ID group;
    ULONG result = HttpInitialize(version, HTTP_INITIALIZE_SERVER, NULL);

    if (result == NO_ERROR)
        result = HttpCreateServerSession(version, session, 0);
    if (result == NO_ERROR)
        result = HttpCreateUrlGroup(*session, &group, 0);
    if (result == NO_ERROR)
        result = HttpCreateRequestQueue(version, NULL, NULL, 0, queue);
    if (result != NO_ERROR)
        return result;
    memset(&binding, 0, sizeof(binding));
    binding.Flags.Present = 1;
    binding.RequestQueueHandle = *queue;
    result = HttpSetUrlGroupProperty(group, HttpServerBindingProperty, &binding, sizeof(binding));
    if (result == NO_ERROR)
        result = Listen(group, path, proxy);
    if (result == NO_ERROR)
        result = HttpAddUrlToUrlGroup(group, u"http://localhost:80/", 0, 0);
    return result;
}

/* Who asks: what the proxy told, else 127.0.0.1 with port 0. */
static const char *Client(const HTTP_REQUEST *request, char *text, socklen_t size)
{
    const struct sockaddr_in *v4 = (const void *)request->Address.pRemoteAddress;
    const struct sockaddr_in6 *v6 = (const void *)request->Address.pRemoteAddress;

    return inet_ntop(v4->sin_family, v4->sin_family == AF_INET ? (const void *)&v4->sin_addr : &v6->sin6_addr, text, size);
}

static void Serve(HANDLE queue)
{
    union {
        HTTP_REQUEST request;
        char bytes[16384];
    } in;
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    char body[160], client[64];
    ULONG got;
    BOOL stop = FALSE;

    while (!stop && HttpReceiveHttpRequest(queue, HTTP_NULL_ID, 0, &in.request, sizeof(in), &got, NULL) == NO_ERROR) {
        stop = in.request.RawUrlLength == 5 && memcmp(in.request.pRawUrl, "/stop", 5) == 0;
        snprintf(body, sizeof(body), "%s, %s\n", stop ? "Good-bye" : "Hello", Client(&in.request, client, sizeof(client)));
        memset(&response, 0, sizeof(response));
        memset(&chunk, 0, sizeof(chunk));
        chunk.DataChunkType = HttpDataChunkFromMemory;
        chunk.FromMemory.pBuffer = body;
        chunk.FromMemory.BufferLength = (ULONG)strlen(body);
        response.StatusCode = 200;
        response.pReason = "OK";
        response.ReasonLength = 2;
        response.EntityChunkCount = 1;
        response.pEntityChunks = &chunk;
        HttpSendHttpResponse(queue, in.request.RequestId, 0, &response, NULL, NULL, NULL, 0, NULL, NULL);
    }
}

int main(int argc, char **argv)
{
    HTTP_SERVER_SESSION_ID session = HTTP_NULL_ID;
    HANDLE queue = NULL;
    ULONG result;

    if (argc < 2 || argc > 3 || (argc == 3 && strcmp(argv[2], "--proxy") != 0)) {
        fprintf(stderr, "usage: server_unix /PATH [--proxy]\n");
        return 2;
    }
    result = Open(argv[1], argc == 3, &session, &queue);
    if (result != NO_ERROR) {
        fprintf(stderr, "cannot listen at %s: error %u (%s)\n", argv[1], (unsigned)result, nthttp_last_error_message());
        return 1;
    }
    printf("%s: listening\n", argv[1]);
    fflush(stdout);
    Serve(queue);
    HttpCloseRequestQueue(queue);
    HttpCloseServerSession(session); /* the socket is gone from the file system now */
    HttpTerminate(HTTP_INITIALIZE_SERVER, NULL);
    return 0;
}

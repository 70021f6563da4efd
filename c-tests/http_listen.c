/* NTHTTP_SERVER_LISTEN_PROPERTY: Unix sockets, further addresses and inherited sockets of a URL group.
 * gate: not-mingw (an addition of this library) */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "http_server.h"

extern char *mkdtemp(char *);

static struct reply reply;
static char folder[64], path[80], address[100];

/* A fresh folder; `path` is a socket's in it, `address` the same for the property. */
static void open_folder(void)
{
    strcpy(folder, "/tmp/nthttp-listen-XXXXXX");
    REQUIRE(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/s", folder);
    snprintf(address, sizeof(address), "unix:%s", path);
}

static void close_folder(void)
{
    remove(path);
    CHECK(rmdir(folder) == 0);
}

static NTHTTP_LISTEN_INFO info_of(const struct server *it, const char *where)
{
    NTHTTP_LISTEN_INFO info;
    memset(&info, 0, sizeof(info));
    info.Flags.Present = 1;
    info.Address = where;
    info.Port = (USHORT)it->port;
    return info;
}

static ULONG set(const struct server *it, NTHTTP_LISTEN_INFO *info)
{
    return HttpSetUrlGroupProperty(it->group, NTHTTP_SERVER_LISTEN_PROPERTY, info, sizeof(*info));
}

static ULONG listen_at(const struct server *it, const char *where)
{
    NTHTTP_LISTEN_INFO info = info_of(it, where);
    return set(it, &info);
}

static ULONG take_back(const struct server *it, const char *where)
{
    NTHTTP_LISTEN_INFO info = info_of(it, where);
    info.Flags.Present = 0;
    return set(it, &info);
}

/* -1 if nobody listens there. */
static int unix_connect(const char *name, int is_abstract)
{
    struct sockaddr_un to;
    int it = socket(AF_UNIX, SOCK_STREAM, 0);
    memset(&to, 0, sizeof(to));
    to.sun_family = AF_UNIX;
    snprintf(to.sun_path + is_abstract, sizeof(to.sun_path) - 1, "%s", name);
    if (connect(it, (struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1)) == 0)
        return it;
    close(it);
    return -1;
}

/* A Unix socket of another program's. */
static int foreign_unix_listener(void)
{
    struct sockaddr_un at;
    int it = socket(AF_UNIX, SOCK_STREAM, 0);
    memset(&at, 0, sizeof(at));
    at.sun_family = AF_UNIX;
    snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
    REQUIRE(bind(it, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(it, 1) == 0);
    return it;
}

static int is_refused(int port)
{
    struct sockaddr_in to;
    int it = socket(AF_INET, SOCK_STREAM, 0), refused;
    client_address(&to, port);
    refused = connect(it, (struct sockaddr *)&to, sizeof(to)) != 0 && errno == ECONNREFUSED;
    close(it);
    return refused;
}

/* One request over a connection that stands, for the host given. */
static HTTP_REQUEST *ask(const struct server *it, int client, const char *host)
{
    client_text(client, "GET /x HTTP/1.1\r\nHost: %s\r\n\r\n", host);
    return receive(it);
}

static void serve(const struct server *it, int client)
{
    HTTP_REQUEST *request = ask(it, client, "localhost");
    CHECK_EQ(request->UrlContext, 7);
    CHECK_EQ(answer(it, request->RequestId, "here"), NO_ERROR);
    REQUIRE(client_response(client, &reply, 0));
    CHECK_EQ(reply.status, 200);
    CHECK_BYTES(reply.body, reply.body_size, "here");
}

TEST(test_listen__layout)
{
    CHECK_EQ(sizeof(NTHTTP_LISTEN_INFO), 40);
    CHECK_EQ(offsetof(NTHTTP_LISTEN_INFO, ListenFlags), 4);
    CHECK_EQ(offsetof(NTHTTP_LISTEN_INFO, Address), 8);
    CHECK_EQ(offsetof(NTHTTP_LISTEN_INFO, TrustedProxies), 16);
    CHECK_EQ(offsetof(NTHTTP_LISTEN_INFO, ProxyProtocol), 24);
    CHECK_EQ(offsetof(NTHTTP_LISTEN_INFO, SocketMode), 28);
    CHECK_EQ(offsetof(NTHTTP_LISTEN_INFO, Backlog), 32);
    CHECK_EQ(offsetof(NTHTTP_LISTEN_INFO, Port), 36);
}

TEST(test_listen__a_unix_socket_beside_the_port)
{
    struct server server;
    HTTP_REQUEST *request;
    const struct sockaddr_in *remote, *local;
    int client, other;
    open_folder();
    server_open(&server);
    CHECK_EQ(listen_at(&server, address), NO_ERROR);
    client = unix_connect(path, 0);
    REQUIRE(client >= 0);
    request = ask(&server, client, "localhost");
    CHECK_EQ(request->UrlContext, 7);
    remote = (const struct sockaddr_in *)request->Address.pRemoteAddress;
    local = (const struct sockaddr_in *)request->Address.pLocalAddress;
    CHECK_EQ(remote->sin_family, AF_INET);
    CHECK_EQ(ntohl(remote->sin_addr.s_addr), INADDR_LOOPBACK);
    CHECK_EQ(remote->sin_port, 0);
    CHECK_EQ(ntohl(local->sin_addr.s_addr), INADDR_LOOPBACK);
    CHECK_EQ(ntohs(local->sin_port), server.port);
    CHECK_EQ(answer(&server, request->RequestId, "x"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    serve(&server, client);
    client_text(client, "GET / HTTP/1.1\r\nHost: elsewhere\r\n\r\n");
    CHECK(client_response(client, &reply, 0));
    CHECK_EQ(reply.status, 400);
    other = client_connect(server.port);
    serve(&server, other);
    close(client);
    close(other);
    CHECK_EQ(access(path, F_OK), 0);
    server_close(&server);
    CHECK(access(path, F_OK) != 0);
    close_folder();
}

/* What TCP alone knows is not told of a connection that is none. */
TEST(test_listen__facts_of_a_unix_socket)
{
    struct server server;
    NTHTTP_REQUEST_INFO_TYPES types;
    TCP_INFO_v0 facts;
    HTTP_REQUEST *request;
    ULONG bytes;
    int client;
    USHORT at;
    open_folder();
    server_open(&server);
    CHECK_EQ(listen_at(&server, address), NO_ERROR);
    memset(&types, 0, sizeof(types));
    types.Flags.Present = 1;
    types.Types = 1u << HttpRequestInfoTypeTcpInfoV0 | 1u << HttpRequestInfoTypeRequestSizing;
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, NTHTTP_SERVER_REQUEST_INFO_PROPERTY, &types, sizeof(types)), NO_ERROR);
    client = unix_connect(path, 0);
    REQUIRE(client >= 0);
    request = ask(&server, client, "localhost");
    for (at = 0; at < request->RequestInfoCount; at++)
        CHECK(request->pRequestInfo[at].InfoType != HttpRequestInfoTypeTcpInfoV0);
    CHECK(request->RequestInfoCount > 0);
    CHECK_EQ(HttpQueryRequestProperty(server.queue, request->RequestId, HttpRequestPropertyTcpInfoV0, NULL, 0, &facts, sizeof(facts), &bytes, NULL),
             ERROR_INVALID_FUNCTION);
    CHECK_EQ(answer(&server, request->RequestId, "x"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    close(client);
    server_close(&server);
    close_folder();
}

TEST(test_listen__instead_of_the_port)
{
    struct server server;
    NTHTTP_LISTEN_INFO info;
    int client;
    open_folder();
    server_open_bare(&server);
    info = info_of(&server, address);
    info.ListenFlags = NTHTTP_LISTEN_FLAG_ONLY;
    info.SocketMode = 0640;
    CHECK_EQ(set(&server, &info), NO_ERROR);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("http://localhost:%d/", server.port), 7, 0), NO_ERROR);
    CHECK(is_refused(server.port));
    client = unix_connect(path, 0);
    REQUIRE(client >= 0);
    serve(&server, client);
    close(client);
    /* Once it is gone, URLs open the port again. */
    CHECK_EQ(take_back(&server, address), NO_ERROR);
    CHECK_EQ(HttpAddUrlToUrlGroup(server.group, wide("http://localhost:%d/more/", server.port), 7, 0), NO_ERROR);
    client = client_connect(server.port);
    serve(&server, client);
    close(client);
    server_close(&server);
    close_folder();
}

TEST(test_listen__permissions)
{
    struct server server;
    NTHTTP_LISTEN_INFO info;
    struct stat found;
    mode_t before = umask(027);
    open_folder();
    server_open(&server);
    info = info_of(&server, address);
    info.SocketMode = 0606;
    CHECK_EQ(set(&server, &info), NO_ERROR);
    CHECK(stat(path, &found) == 0);
    CHECK_EQ(found.st_mode & 0777, 0606);
    CHECK_EQ(take_back(&server, address), NO_ERROR);
    CHECK(access(path, F_OK) != 0);
    CHECK_EQ(listen_at(&server, address), NO_ERROR);
    CHECK(stat(path, &found) == 0);
    CHECK_EQ(found.st_mode & 0777, 0750);
    umask(before);
    server_close(&server);
    close_folder();
}

TEST(test_listen__what_stands_at_the_path)
{
    struct server server;
    int theirs, file;
    open_folder();
    server_open(&server);
    theirs = foreign_unix_listener();
    CHECK_EQ(listen_at(&server, address), ERROR_SHARING_VIOLATION);
    close(theirs);
    /* Left behind. */
    CHECK_EQ(access(path, F_OK), 0);
    CHECK_EQ(listen_at(&server, address), NO_ERROR);
    CHECK_EQ(listen_at(&server, address), ERROR_ALREADY_EXISTS);
    /* Another one in its place is not removed with ours. */
    remove(path);
    theirs = foreign_unix_listener();
    CHECK_EQ(take_back(&server, address), NO_ERROR);
    CHECK_EQ(access(path, F_OK), 0);
    close(theirs);
    remove(path);
    file = open(path, O_CREAT | O_WRONLY, 0600);
    close(file);
    CHECK_EQ(listen_at(&server, address), ERROR_FILE_EXISTS);
    CHECK_EQ(access(path, F_OK), 0);
    server_close(&server);
    close_folder();
}

TEST(test_listen__errors)
{
    static const char *const malformed[] = {"",     "unix:",     "unix:s",       "unix:/", "localhost:80", "127.0.0.1",
                                            "*:0",  "[::1]",     "fd:",          "fd:-1",  "127.0.0.1:0",  "*:70000",
                                            "/run", "127.0.0.1:80 "};
    struct server server;
    NTHTTP_LISTEN_INFO info;
    char longest[256];
    size_t at;
    int theirs, port, room;
    open_folder();
    server_open(&server);
    for (at = 0; at < sizeof(malformed) / sizeof(*malformed); at++)
        if (!CHECK_EQ(listen_at(&server, malformed[at]), ERROR_INVALID_PARAMETER))
            fprintf(stderr, "%s\n", malformed[at]);
    CHECK_EQ(listen_at(&server, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(listen_at(&server, "unix:/tmp/nthttp-there-is-none/s"), ERROR_PATH_NOT_FOUND);
    room = 107 - (int)strlen(folder) - 1;
    snprintf(longest, sizeof(longest), "unix:%s/%0*d", folder, room, 0);
    CHECK_EQ(listen_at(&server, longest), NO_ERROR);
    CHECK_EQ(take_back(&server, longest), NO_ERROR);
    snprintf(longest, sizeof(longest), "unix:%s/%0*d", folder, room + 1, 0);
    CHECK_EQ(listen_at(&server, longest), ERROR_BUFFER_OVERFLOW);
    snprintf(longest, sizeof(longest), "unix:@%0*d", 107, 0);
    CHECK_EQ(listen_at(&server, longest), ERROR_BUFFER_OVERFLOW);
    CHECK_EQ(listen_at(&server, "192.0.2.1:8080"), ERROR_NOT_FOUND);
    CHECK_EQ(listen_at(&server, "fd:100000"), ERROR_INVALID_HANDLE);
    CHECK_EQ(listen_at(&server, "fd:0"), ERROR_INVALID_HANDLE);
    theirs = foreign_listener(&port);
    snprintf(longest, sizeof(longest), "127.0.0.1:%d", port);
    CHECK_EQ(listen_at(&server, longest), ERROR_SHARING_VIOLATION);
    close(theirs);

    info = info_of(&server, address);
    info.ListenFlags = 2;
    CHECK_EQ(set(&server, &info), ERROR_INVALID_PARAMETER);
    info = info_of(&server, address);
    info.SocketMode = 01000;
    CHECK_EQ(set(&server, &info), ERROR_INVALID_PARAMETER);
    info = info_of(&server, "127.0.0.1:80");
    info.SocketMode = 0600;
    CHECK_EQ(set(&server, &info), ERROR_INVALID_PARAMETER);
    info = info_of(&server, address);
    info.ProxyProtocol = (NTHTTP_PROXY_PROTOCOL)3;
    CHECK_EQ(set(&server, &info), ERROR_INVALID_PARAMETER);
    info = info_of(&server, address);
    info.TrustedProxies = "::1";
    CHECK_EQ(set(&server, &info), ERROR_INVALID_PARAMETER);
    info.ProxyProtocol = NthttpProxyProtocolRequired;
    info.TrustedProxies = "::1,";
    CHECK_EQ(set(&server, &info), ERROR_INVALID_PARAMETER);

    info = info_of(&server, address);
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, NTHTTP_SERVER_LISTEN_PROPERTY, &info, sizeof(info) - 1), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetUrlGroupProperty(server.group, NTHTTP_SERVER_LISTEN_PROPERTY, NULL, sizeof(info)), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetUrlGroupProperty(server.group + 1, NTHTTP_SERVER_LISTEN_PROPERTY, &info, sizeof(info)), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpSetServerSessionProperty(server.session, NTHTTP_SERVER_LISTEN_PROPERTY, &info, sizeof(info)), ERROR_INVALID_PARAMETER);
    CHECK_EQ(HttpQueryUrlGroupProperty(server.group, NTHTTP_SERVER_LISTEN_PROPERTY, &info, sizeof(info), NULL), ERROR_INVALID_PARAMETER);
    CHECK(access(path, F_OK) != 0);
    server_close(&server);
    close_folder();
}

TEST(test_listen__taken_back)
{
    struct server server;
    char second[128];
    int client;
    open_folder();
    server_open(&server);
    snprintf(second, sizeof(second), "%s2", address);
    CHECK_EQ(take_back(&server, address), ERROR_FILE_NOT_FOUND);
    CHECK_EQ(listen_at(&server, address), NO_ERROR);
    CHECK_EQ(listen_at(&server, second), NO_ERROR);
    client = unix_connect(path, 0);
    REQUIRE(client >= 0);
    serve(&server, client);
    CHECK_EQ(take_back(&server, address), NO_ERROR);
    CHECK(access(path, F_OK) != 0);
    CHECK_EQ(access(second + 5, F_OK), 0);
    /* The port is still open, and so are connections that came this way. */
    serve(&server, client);
    close(client);
    CHECK_EQ(listen_at(&server, address), NO_ERROR);
    CHECK_EQ(take_back(&server, NULL), NO_ERROR);
    CHECK(access(path, F_OK) != 0 && access(second + 5, F_OK) != 0);
    CHECK_EQ(take_back(&server, NULL), NO_ERROR);
    server_close(&server);
    close_folder();
}

TEST(test_listen__it_ends_with_its_session)
{
    struct server server;
    open_folder();
    server_open(&server);
    CHECK_EQ(listen_at(&server, address), NO_ERROR);
    CHECK_EQ(HttpCloseServerSession(server.session), NO_ERROR);
    CHECK(access(path, F_OK) != 0);
    CHECK_EQ(HttpCloseRequestQueue(server.queue), NO_ERROR);
    CHECK_EQ(HttpTerminate(HTTP_INITIALIZE_SERVER, NULL), NO_ERROR);
    close_folder();
}

TEST(test_listen__an_abstract_name)
{
    struct server server;
    char name[64];
    int client;
    server_open(&server);
    snprintf(name, sizeof(name), "unix:@nthttp-listen-%ld", (long)getpid());
    CHECK_EQ(listen_at(&server, name), NO_ERROR);
    /* A name is as long as it is: no NUL behind it. */
    {
        struct sockaddr_un to;
        memset(&to, 0, sizeof(to));
        to.sun_family = AF_UNIX;
        memcpy(to.sun_path + 1, name + 6, strlen(name + 6));
        client = socket(AF_UNIX, SOCK_STREAM, 0);
        REQUIRE(connect(client, (struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name + 6))) == 0);
    }
    serve(&server, client);
    close(client);
    server_close(&server);
}

TEST(test_listen__further_addresses)
{
    struct server server;
    char text[64];
    int port, other, client;
    ULONG result;
    server_open(&server);
    snprintf(text, sizeof(text), "127.0.0.1:%d", port = free_port());
    CHECK_EQ(listen_at(&server, text), NO_ERROR);
    client = client_connect(port);
    serve(&server, client);
    close(client);
    snprintf(text, sizeof(text), "*:%d", port = free_port());
    CHECK_EQ(listen_at(&server, text), NO_ERROR);
    client = client_connect(port);
    serve(&server, client);
    close(client);
    snprintf(text, sizeof(text), "[::1]:%d", other = free_port());
    result = listen_at(&server, text);
    if (result == NO_ERROR) {
        struct sockaddr_in6 to;
        memset(&to, 0, sizeof(to));
        to.sin6_family = AF_INET6;
        to.sin6_port = htons((unsigned short)other);
        to.sin6_addr = in6addr_loopback;
        client = socket(AF_INET6, SOCK_STREAM, 0);
        REQUIRE(connect(client, (struct sockaddr *)&to, sizeof(to)) == 0);
        serve(&server, client);
        close(client);
    } else
        /* A machine without IPv6. */
        CHECK(result == ERROR_NOT_FOUND || result == ERROR_NO_SYSTEM_RESOURCES);
    server_close(&server);
    CHECK(is_refused(port));
}

TEST(test_listen__a_socket_the_program_has)
{
    struct server server;
    char text[64];
    int port, client, theirs;
    server_open(&server);
    theirs = foreign_listener(&port);
    snprintf(text, sizeof(text), "fd:%d", theirs);
    CHECK_EQ(listen_at(&server, text), NO_ERROR);
    CHECK_EQ(listen_at(&server, text), ERROR_ALREADY_EXISTS);
    client = client_connect(port);
    serve(&server, client);
    close(client);
    CHECK_EQ(take_back(&server, text), NO_ERROR);
    /* It is still the program's, and still listens. */
    client = client_connect(port);
    CHECK(client_readable(theirs, 10000));
    close(client);
    close(theirs);
    theirs = socket(AF_INET, SOCK_STREAM, 0);
    snprintf(text, sizeof(text), "fd:%d", theirs);
    CHECK_EQ(listen_at(&server, text), ERROR_INVALID_HANDLE);
    close(theirs);
    server_close(&server);
}

/* What the tests of logs share: a folder of their own, logs on it, log data, and reading files back. */
#ifndef HTTP_LOG_FILES_H
#define HTTP_LOG_FILES_H

#include <dirent.h>
#include <sys/stat.h>
#include "http_server.h"

#ifdef __cplusplus
#error "C only"
#endif

/* POSIX names that -std=c11 hides. */
extern char *mkdtemp(char *);
extern int setenv(const char *, const char *, int);

static char log_folder[64];

/* A fresh folder, given as the library's own place for logs too. */
__attribute__((constructor, unused)) static void log_folder_make(void)
{
    strcpy(log_folder, "/tmp/nthttp-logs-XXXXXX");
    if (!mkdtemp(log_folder) || setenv("NTHTTP_LOG_DIR", log_folder, 1) != 0)
        abort();
}

static void log_folder_empty(const char *folder)
{
    char path[1024];
    DIR *list = opendir(folder);
    struct dirent *entry;
    if (!list)
        return;
    while ((entry = readdir(list)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        log_folder_empty(path);
        remove(path);
    }
    closedir(list);
}

__attribute__((destructor, unused)) static void log_folder_remove(void)
{
    log_folder_empty(log_folder);
    remove(log_folder);
}

/* The name of the one file in a folder below ours; empty if there is none. */
__attribute__((unused)) static const char *log_name(const char *below)
{
    static char name[512];
    char folder[512];
    struct dirent *entry;
    DIR *list;
    int count = 0;
    name[0] = 0;
    snprintf(folder, sizeof(folder), "%s/%s", log_folder, below);
    list = opendir(folder);
    if (!list)
        return name;
    while ((entry = readdir(list)) != NULL)
        if (entry->d_name[0] != '.') {
            snprintf(name, sizeof(name), "%s", entry->d_name);
            count++;
        }
    closedir(list);
    CHECK(count <= 1);
    return name;
}

/* The contents of a file below our folder, NUL behind them; empty if there is none. */
__attribute__((unused)) static const char *log_text(const char *below, const char *name)
{
    static char text[64 * 1024];
    char path[1200];
    size_t size = 0;
    FILE *file;
    snprintf(path, sizeof(path), "%s/%s/%s", log_folder, below, name);
    file = fopen(path, "rb");
    if (file) {
        size = fread(text, 1, sizeof(text) - 1, file);
        fclose(file);
    }
    text[size] = 0;
    return text;
}

/* Waits until a file has a text; the library writes within a second. */
__attribute__((unused)) static const char *log_await(const char *below, const char *name, const char *part)
{
    const char *text = log_text(below, name);
    int tries;
    for (tries = 0; tries < 1000 && !strstr(text, part); tries++) {
        Sleep(10);
        text = log_text(below, name);
    }
    return text;
}

/* How to log, into a folder below ours. The texts live until the eighth call from now. */
__attribute__((unused)) static HTTP_LOGGING_INFO logging(const char *below, int format, int rollover, ULONG fields)
{
    char name[512];
    HTTP_LOGGING_INFO it;
    memset(&it, 0, sizeof(it));
    snprintf(name, sizeof(name), "%s/%s", log_folder, below);
    it.Flags.Present = 1;
    it.Format = (HTTP_LOGGING_TYPE)format;
    it.RolloverType = (HTTP_LOGGING_ROLLOVER_TYPE)rollover;
    it.RolloverSize = 1024 * 1024;
    it.Fields = fields;
    it.DirectoryName = wide("%s", name);
    it.DirectoryNameLength = (USHORT)(2 * strlen(name));
    return it;
}

__attribute__((unused)) static ULONG log_group(HTTP_URL_GROUP_ID group, HTTP_LOGGING_INFO it)
{
    return HttpSetUrlGroupProperty(group, HttpServerLoggingProperty, &it, sizeof(it));
}

__attribute__((unused)) static ULONG log_session(HTTP_SERVER_SESSION_ID session, HTTP_LOGGING_INFO it)
{
    return HttpSetServerSessionProperty(session, HttpServerLoggingProperty, &it, sizeof(it));
}

#define LOG_TEXT(IT, MEMBER, LENGTH, TEXT) ((IT)->MEMBER = (PCHAR)(uintptr_t)(TEXT), (IT)->LENGTH = (USHORT)strlen(TEXT))

/* What a program might say about a GET of /a b?q=1. */
__attribute__((unused)) static void make_log_data(HTTP_LOG_FIELDS_DATA *it, USHORT status)
{
    memset(it, 0, sizeof(*it));
    it->Base.Type = HttpLogDataTypeFields;
    it->UserName = (PWCHAR)(uintptr_t)W("fred");
    it->UserNameLength = 8;
    it->UriStem = (PWCHAR)(uintptr_t)W("/a b");
    it->UriStemLength = 8;
    LOG_TEXT(it, UriQuery, UriQueryLength, "q=1");
    LOG_TEXT(it, ClientIp, ClientIpLength, "127.0.0.1");
    LOG_TEXT(it, ServerName, ServerNameLength, "HOST");
    LOG_TEXT(it, ServiceName, ServiceNameLength, "SVC");
    LOG_TEXT(it, ServerIp, ServerIpLength, "127.0.0.2");
    LOG_TEXT(it, Method, MethodLength, "GET");
    LOG_TEXT(it, Host, HostLength, "localhost");
    LOG_TEXT(it, UserAgent, UserAgentLength, "a\tgent/1");
    it->ServerPort = 8080;
    it->ProtocolStatus = status;
    it->Win32Status = 5;
    it->SubStatus = 2;
}

/* Answers a request with a status, a body and log data. */
__attribute__((unused)) static ULONG answer_logged(const struct server *it, HTTP_REQUEST_ID id, USHORT status,
                                                   const char *body)
{
    HTTP_RESPONSE response;
    HTTP_DATA_CHUNK chunk;
    HTTP_LOG_FIELDS_DATA data;
    make_response(&response, &chunk, status, "OK", body);
    make_log_data(&data, status);
    return HttpSendHttpResponse(it->queue, id, 0, &response, NULL, NULL, NULL, 0, NULL, (PHTTP_LOG_DATA)&data);
}

/* One request answered with log data; gives the bytes the client got. */
__attribute__((unused)) static size_t exchange_logged(const struct server *it, USHORT status)
{
    static struct reply reply;
    int client = client_get(it, "/a%20b?q=1");
    CHECK_EQ(answer_logged(it, receive(it)->RequestId, status, "hello"), NO_ERROR);
    CHECK(client_response(client, &reply, 0));
    close(client);
    return reply.size;
}

#endif

/* dlclose: the library stays, because its threads do, and what was made with it goes on.
 * gate: not-mingw */
#define _GNU_SOURCE
#include "winhttp_server.h"
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define TWICE 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TWICE 0
#endif
#endif
#ifndef TWICE
#define TWICE 1
#endif

static const char *library(void)
{
    Dl_info info;
    REQUIRE(dladdr((void *)(uintptr_t)WinHttpOpen, &info) != 0);
    return info.dli_fname;
}

TEST(test_unload__the_library_says_that_it_stays)
{
    void *it = dlopen(library(), RTLD_NOW);
    struct link_map *map = NULL;
    const ElfW(Dyn) *entry;
    int stays = 0;
    REQUIRE(it != NULL);
    REQUIRE(dlinfo(it, RTLD_DI_LINKMAP, &map) == 0);
    for (entry = map->l_ld; entry->d_tag != DT_NULL; entry++)
        stays |= entry->d_tag == DT_FLAGS_1 && (entry->d_un.d_val & DF_1_NODELETE) != 0;
    CHECK(stays);
    CHECK_EQ(dlclose(it), 0);
}

/* A second library in this process: a copy of the one that the test is linked with. */
static void copy_library(char *path)
{
    static char buffer[1 << 20];
    size_t got;
    FILE *from = fopen(library(), "rb"), *to;
    int fd = mkstemp(path);
    REQUIRE(from != NULL && fd >= 0);
    to = fdopen(fd, "wb");
    while ((got = fread(buffer, 1, sizeof(buffer), from)) > 0)
        REQUIRE(fwrite(buffer, 1, got, to) == got);
    fclose(from);
    REQUIRE(fclose(to) == 0);
}

static struct {
    BOOL (*SendRequest)(HINTERNET, LPCWSTR, DWORD, LPVOID, DWORD, DWORD, DWORD_PTR);
    BOOL (*ReceiveResponse)(HINTERNET, LPVOID);
    BOOL (*SetOption)(HINTERNET, DWORD, LPVOID, DWORD);
    BOOL (*CloseHandle)(HINTERNET);
    WINHTTP_STATUS_CALLBACK (*SetStatusCallback)(HINTERNET, WINHTTP_STATUS_CALLBACK, DWORD, DWORD_PTR);
    HINTERNET (*Open)(LPCWSTR, DWORD, LPCWSTR, LPCWSTR, DWORD);
    HINTERNET (*Connect)(HINTERNET, LPCWSTR, INTERNET_PORT, DWORD);
    HINTERNET (*OpenRequest)(HINTERNET, LPCWSTR, LPCWSTR, LPCWSTR, LPCWSTR, LPCWSTR *, DWORD);
} second;
#define FIND(NAME) REQUIRE((*(void **)&second.NAME = dlsym(it, "WinHttp" #NAME)) != NULL)

static void receive(HINTERNET request, int times)
{
    int patience = 10000;
    while (!second.SendRequest(request, NULL, 0, NULL, 0, 0, 0) && patience--)
        Sleep(1);
    REQUIRE(note_wait(6, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, times));
    CHECK(second.ReceiveResponse(request, NULL));
    REQUIRE(note_wait(6, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, times));
}

TEST(test_unload__threads_outlive_it)
{
    char path[] = "/tmp/nthttp-unload-XXXXXX";
    void *it, *again;
    HINTERNET session, connect, request;
    DWORD_PTR context = 6;
    SERVER(server, {OK_HELLO, CLOSE}, {OK_HELLO, CLOSE}, {OK_HELLO, CLOSE});
    if (!TWICE) {
        shutdown(server.listener, 2);
        server_end(&server);
        return;
    }
    copy_library(path);
    it = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    REQUIRE(it != NULL);
    FIND(SendRequest);
    FIND(ReceiveResponse);
    FIND(SetOption);
    FIND(CloseHandle);
    FIND(SetStatusCallback);
    FIND(Open);
    FIND(Connect);
    FIND(OpenRequest);
    CHECK((void *)(uintptr_t)second.Open != (void *)(uintptr_t)WinHttpOpen);
    notes_clear(NULL);
    session = second.Open(NULL, WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, WINHTTP_FLAG_ASYNC);
    connect = second.Connect(session, W("127.0.0.1"), (INTERNET_PORT)server.port, 0);
    request = second.OpenRequest(connect, NULL, NULL, NULL, NULL, NULL, 0);
    REQUIRE(request != NULL);
    CHECK(second.SetStatusCallback(request, record, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) == NULL);
    CHECK(second.SetOption(request, WINHTTP_OPTION_CONTEXT_VALUE, &context, sizeof(context)));
    receive(request, 1);
    CHECK_EQ(dlclose(it), 0);
    again = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    unlink(path);
    REQUIRE(again == it);
    CHECK_EQ(dlclose(again), 0);
    receive(request, 2);
    receive(request, 3);
    CHECK(second.CloseHandle(request));
    CHECK(note_wait(6, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1));
    CHECK(second.CloseHandle(connect));
    CHECK(second.CloseHandle(session));
    server_end(&server);
}

/* The texts of WinHTTP's errors, asked for as Windows programs do. */
#include "harness.h"
#include <windows.h>
#include <winhttp.h>
#include <string.h>

#define W(TEXT) u##TEXT
#define NO_TEXT 317 /* ERROR_MR_MID_NOT_FOUND */

static const DWORD errors[] = {
    12001, 12002, 12004, 12005, 12006, 12007, 12009, 12011, 12012, 12015, 12017, 12018, 12019, 12029, 12030, 12032, 12037, 12038,
    12044, 12045, 12057, 12100, 12101, 12102, 12103, 12150, 12152, 12153, 12154, 12155, 12156, 12157, 12166, 12167, 12169, 12170,
    12172, 12175, 12176, 12177, 12178, 12179, 12180, 12181, 12182, 12183, 12184, 12185, 12186, 12187, 12188, 12190, 12191, 12192,
    12193};

TEST(test_messages__of_every_error)
{
    HMODULE winhttp = GetModuleHandleW(W("winhttp.dll"));
    size_t at;
    CHECK(winhttp != NULL && GetModuleHandleA("winhttp") == winhttp);
    for (at = 0; at < sizeof(errors) / sizeof(errors[0]); at++) {
        char narrow[256];
        WCHAR wide[256], *own = NULL;
        DWORD length = FormatMessageA(FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_IGNORE_INSERTS, winhttp, errors[at], 0,
                                      narrow, sizeof(narrow), NULL), same;
        CHECK(length > 10 && length == strlen(narrow));
        CHECK(!strcmp(narrow + length - 3, ".\r\n"));
        CHECK_EQ(FormatMessageW(FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_FROM_SYSTEM, winhttp, errors[at],
                                MAKELANGID(LANG_NEUTRAL, SUBLANG_DEFAULT), wide, 256, NULL), length);
        for (same = 0; same < length && wide[same] == (WCHAR)narrow[same]; same++)
            ;
        CHECK_EQ(same, length);
        CHECK_EQ(FormatMessageW(FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_MAX_WIDTH_MASK,
                                winhttp, errors[at], 0, (LPWSTR)&own, 0, NULL), length - 1);
        CHECK(own && own[length - 2] == ' ' && own[length - 1] == 0);
        CHECK(LocalFree(own) == NULL);
        /* The system alone does not know them. */
        SetLastError(0);
        CHECK_EQ(FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM, NULL, errors[at], 0, narrow, sizeof(narrow), NULL), 0);
        CHECK_EQ(GetLastError(), NO_TEXT);
    }
    SetLastError(0);
    {
        char narrow[64];
        CHECK_EQ(FormatMessageA(FORMAT_MESSAGE_FROM_HMODULE, winhttp, 12003, 0, narrow, sizeof(narrow), NULL), 0);
        CHECK_EQ(GetLastError(), NO_TEXT);
        CHECK_EQ(FormatMessageA(FORMAT_MESSAGE_FROM_HMODULE, winhttp, 12002, 0, narrow, 5, NULL), 0);
        CHECK_EQ(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
    }
}

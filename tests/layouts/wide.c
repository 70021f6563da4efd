/*
 * Runs the 16-bit text functions of include/ under -fshort-wchar: the same file as C11 and as C++17.
 * tools/layout.sh compiles and runs it; the exit code is the line of the check that failed, cut to a byte.
 */
#include <windows.h>
#include <strsafe.h>
#include <tchar.h>
#ifdef __cplusplus
#include <sstream>
#include <string>
#endif

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            return 1; \
        } \
    } while (0)

static int lengths_and_searches(void) {
    WCHAR text[16];
    CHECK(wcslen(L"hello") == 5);
    CHECK(wcscmp(L"abc", L"abd") < 0 && wcscmp(L"b", L"abd") > 0 && wcscmp(L"", L"") == 0);
    CHECK(_wcsicmp(L"Host", L"hOST") == 0);
    CHECK(wcsstr(L"a needle", L"needle")[0] == L'n' && wcsstr(L"a", L"b") == NULL);
    CHECK(wcschr(L"abc", L'\0') != NULL && wcsrchr(L"abcabc", L'b')[1] == L'c');
    CHECK(wcscpy_s(text, 16, L"0123456789") == 0 && wcscat_s(text, 16, L"abcdefgh") != 0 && text[0] == 0);
    CHECK(_wtoi(L"-42x") == -42 && wcstoul(L"ff", NULL, 16) == 255);
    return 0;
}

static int formats(void) {
    WCHAR text[64];
    CHECK(swprintf(text, 64, L"%s|%S|%ls|%ws|%hs", L"w", "n", L"l", L"ws", "h") == 10);
    CHECK(wcscmp(text, L"w|n|l|ws|h") == 0);
    CHECK(swprintf(text, 64, L"%d %lu %I64u %#06x %5s|%-5s|%.2s", -7, (DWORD)4000000000u, 1ULL << 40, 255, L"ab", L"cd", L"efg") > 0);
    CHECK(wcscmp(text, L"-7 4000000000 1099511627776 0x00ff    ab|cd   |ef") == 0);
    CHECK(swprintf(text, 64, L"%ld%%%c%.3f", (LONG)-5, L'x', 1.5) > 0 && wcscmp(text, L"-5%x1.500") == 0);
    CHECK(swprintf(text, 4, L"%s", L"too long") < 0 && wcscmp(text, L"too") == 0);
    CHECK(swprintf(text, 64, L"%S", "\xC3\xA9\xF0\x9F\x98\x80") == 3 && text[0] == 0xE9 && text[1] == 0xD83D && text[2] == 0xDE00);
    CHECK(StringCchPrintfW(text, 64, L"%s-%u", L"id", 7u) == S_OK && wcscmp(text, L"id-7") == 0);
    CHECK(StringCchPrintfW(text, 3, L"%s", L"long") == STRSAFE_E_INSUFFICIENT_BUFFER && wcscmp(text, L"lo") == 0);
    CHECK(StringCbCopyW(text, sizeof text, L"ab") == S_OK && StringCbCatW(text, sizeof text, L"cd") == S_OK);
    CHECK(wcscmp(text, L"abcd") == 0);
    return 0;
}

static int conversions(void) {
    char bytes[64];
    WCHAR text[64];
    CHECK(wcstombs(bytes, L"\u00e9\xD83D\xDE00", sizeof bytes) == 6 && strcmp(bytes, "\xC3\xA9\xF0\x9F\x98\x80") == 0);
    CHECK(wcstombs(bytes, L"\xD83D", sizeof bytes) == 3 && strcmp(bytes, "\xEF\xBF\xBD") == 0);
    CHECK(mbstowcs(text, "\xC3\xA9!", 64) == 2 && wcscmp(text, L"\u00e9!") == 0);
    CHECK(sprintf_s(bytes, sizeof bytes, "%S %s %lu", L"wide", "narrow", (DWORD)9) == 13);
    CHECK(strcmp(bytes, "wide narrow 9") == 0);
    return 0;
}

#ifdef __cplusplus
static int library_of_cpp(void) {
    std::wstring text = L"hello";
    text += L" world, long enough to leave the small buffer";
    CHECK(text.size() == 50 && text.find(L"world") == 6 && text.compare(0, 5, L"hello") == 0);
    CHECK(std::to_wstring(42) == L"42" && std::to_wstring(-1.5) == L"-1.500000");
    CHECK(std::stoi(L"17") == 17);
    std::wostringstream stream;
    stream << L"port " << 8080 << L' ' << 2.5;
    CHECK(stream.str() == L"port 8080 2.5");
    return 0;
}
#else
static int library_of_cpp(void) {
    return 0;
}
#endif

int __cdecl wmain(int argc, wchar_t **argv) {
    CHECK(argc == 2 && wcscmp(argv[1], L"\u00e9") == 0);
    wprintf(L"%s %S\n", L"wide", "narrow");
    printf("%S\n", L"\u00e9");
    return lengths_and_searches() || formats() || conversions() || library_of_cpp();
}

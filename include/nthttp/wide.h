/*
 * The wide-string functions of C for a 16-bit wchar_t; <wchar.h> includes this under -fshort-wchar.
 *
 * Streams get UTF-8. The wscanf family and mbrtowc have no 16-bit version: calling one is an error of compilation.
 * Microsoft's additions (_wcsicmp, swprintf_s) are here too.
 */
#ifndef NTHTTP_WIDE_H
#define NTHTTP_WIDE_H

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wctype.h>

/* Length, copy and search */
static inline size_t wcslen(const wchar_t *s) {
    size_t n = 0;
    while (s[n]) {
        n++;
    }
    return n;
}

static inline size_t wcsnlen(const wchar_t *s, size_t most) {
    size_t n = 0;
    while (n < most && s[n]) {
        n++;
    }
    return n;
}

static inline wchar_t *wmemcpy(wchar_t *to, const wchar_t *from, size_t n) {
    return (wchar_t *)memcpy(to, from, n * sizeof *to);
}

static inline wchar_t *wmemmove(wchar_t *to, const wchar_t *from, size_t n) {
    return (wchar_t *)memmove(to, from, n * sizeof *to);
}

static inline wchar_t *wmemset(wchar_t *to, wchar_t c, size_t n) {
    size_t i;
    for (i = 0; i < n; i++) {
        to[i] = c;
    }
    return to;
}

static inline int wmemcmp(const wchar_t *a, const wchar_t *b, size_t n) {
    for (; n; n--, a++, b++) {
        if (*a != *b) {
            return *a < *b ? -1 : 1;
        }
    }
    return 0;
}

static inline wchar_t *wcscpy(wchar_t *to, const wchar_t *from) {
    return wmemcpy(to, from, wcslen(from) + 1);
}

static inline wchar_t *wcsncpy(wchar_t *to, const wchar_t *from, size_t n) {
    size_t length = wcsnlen(from, n);
    wmemcpy(to, from, length);
    wmemset(to + length, 0, n - length);
    return to;
}

static inline wchar_t *wcscat(wchar_t *to, const wchar_t *from) {
    wcscpy(to + wcslen(to), from);
    return to;
}

static inline wchar_t *wcsncat(wchar_t *to, const wchar_t *from, size_t n) {
    wchar_t *end = to + wcslen(to);
    size_t length = wcsnlen(from, n);
    wmemcpy(end, from, length);
    end[length] = 0;
    return to;
}

static inline int wcsncmp(const wchar_t *a, const wchar_t *b, size_t n) {
    for (; n; n--, a++, b++) {
        if (*a != *b) {
            return *a < *b ? -1 : 1;
        }
        if (!*a) {
            break;
        }
    }
    return 0;
}

static inline int wcscmp(const wchar_t *a, const wchar_t *b) {
    return wcsncmp(a, b, (size_t)-1);
}

static inline int wcscoll(const wchar_t *a, const wchar_t *b) {
    return wcscmp(a, b);
}

static inline size_t wcsxfrm(wchar_t *to, const wchar_t *from, size_t n) {
    size_t length = wcslen(from);
    if (n) {
        wcsncpy(to, from, n);
    }
    return length;
}

static inline int wcsncasecmp(const wchar_t *a, const wchar_t *b, size_t n) {
    for (; n; n--, a++, b++) {
        wint_t x = towlower(*a), y = towlower(*b);
        if (x != y) {
            return x < y ? -1 : 1;
        }
        if (!x) {
            break;
        }
    }
    return 0;
}

static inline int wcscasecmp(const wchar_t *a, const wchar_t *b) {
    return wcsncasecmp(a, b, (size_t)-1);
}

static inline size_t wcscspn(const wchar_t *s, const wchar_t *stop) {
    size_t n = 0, i;
    for (; s[n]; n++) {
        for (i = 0; stop[i]; i++) {
            if (s[n] == stop[i]) {
                return n;
            }
        }
    }
    return n;
}

static inline size_t wcsspn(const wchar_t *s, const wchar_t *accept) {
    size_t n = 0, i;
    for (; s[n]; n++) {
        for (i = 0; accept[i] && accept[i] != s[n]; i++) {
        }
        if (!accept[i]) {
            break;
        }
    }
    return n;
}

static inline wchar_t *nthttp_wmemchr(const wchar_t *s, wchar_t c, size_t n) {
    for (; n; n--, s++) {
        if (*s == c) {
            return (wchar_t *)s;
        }
    }
    return NULL;
}

static inline wchar_t *nthttp_wcschr(const wchar_t *s, wchar_t c) {
    return nthttp_wmemchr(s, c, wcslen(s) + 1);
}

static inline wchar_t *nthttp_wcsrchr(const wchar_t *s, wchar_t c) {
    size_t i = wcslen(s) + 1;
    while (i--) {
        if (s[i] == c) {
            return (wchar_t *)s + i;
        }
    }
    return NULL;
}

static inline wchar_t *nthttp_wcspbrk(const wchar_t *s, const wchar_t *accept) {
    s += wcscspn(s, accept);
    return *s ? (wchar_t *)s : NULL;
}

static inline wchar_t *nthttp_wcsstr(const wchar_t *s, const wchar_t *part) {
    size_t length = wcslen(part);
    for (;; s++) {
        if (wcsncmp(s, part, length) == 0) {
            return (wchar_t *)s;
        }
        if (!*s) {
            return NULL;
        }
    }
}

/* In C++ a search gives const for const; where the platform leaves that to <cwchar>, so does this file. */
#ifdef __CORRECT_ISO_CPP_WCHAR_H_PROTO
#define NTHTTP_BOTH(name, list, arguments) \
    static inline const wchar_t *name(const wchar_t *s, list) { return nthttp_##name arguments; } \
    static inline wchar_t *name(wchar_t *s, list) { return nthttp_##name arguments; }
#else
#define NTHTTP_BOTH(name, list, arguments) \
    static inline wchar_t *name(const wchar_t *s, list) { return nthttp_##name arguments; }
#endif
NTHTTP_BOTH(wcschr, wchar_t c, (s, c))
NTHTTP_BOTH(wcsrchr, wchar_t c, (s, c))
NTHTTP_BOTH(wcspbrk, const wchar_t *accept, (s, accept))
NTHTTP_BOTH(wcsstr, const wchar_t *part, (s, part))
#undef NTHTTP_BOTH
#ifdef __CORRECT_ISO_CPP_WCHAR_H_PROTO
static inline const wchar_t *wmemchr(const wchar_t *s, wchar_t c, size_t n) {
    return nthttp_wmemchr(s, c, n);
}
static inline wchar_t *wmemchr(wchar_t *s, wchar_t c, size_t n) {
    return nthttp_wmemchr(s, c, n);
}
#else
static inline wchar_t *wmemchr(const wchar_t *s, wchar_t c, size_t n) {
    return nthttp_wmemchr(s, c, n);
}
#endif

static inline wchar_t *wcstok(wchar_t *s, const wchar_t *stop, wchar_t **rest) {
    wchar_t *token = s ? s : *rest;
    if (!token) {
        return NULL;
    }
    token += wcsspn(token, stop);
    if (!*token) {
        *rest = NULL;
        return NULL;
    }
    s = token + wcscspn(token, stop);
    *rest = *s ? s + 1 : NULL;
    *s = 0;
    return token;
}

static inline wchar_t *wcsdup(const wchar_t *s) {
    size_t size = wcslen(s) + 1;
    wchar_t *copy = (wchar_t *)malloc(size * sizeof *copy);
    return copy ? wmemcpy(copy, s, size) : NULL;
}

/* Numbers: read by the narrow function from a copy, whose length is the length in the wide string */
static inline void nthttp_narrow_number(const wchar_t *s, char *text, size_t room) {
    size_t n = 0;
    for (; n + 1 < room && s[n] > 0 && s[n] < 0x80; n++) {
        text[n] = (char)s[n];
    }
    text[n] = 0;
}

#define NTHTTP_TO_NUMBER(name, narrow, type, list, arguments) \
    static inline type name list { \
        char text[512], *stop; \
        type number; \
        nthttp_narrow_number(s, text, sizeof text); \
        number = narrow arguments; \
        if (end) { \
            *end = (wchar_t *)s + (stop - text); \
        } \
        return number; \
    }
NTHTTP_TO_NUMBER(wcstol, strtol, long, (const wchar_t *s, wchar_t **end, int base), (text, &stop, base))
NTHTTP_TO_NUMBER(wcstoul, strtoul, unsigned long, (const wchar_t *s, wchar_t **end, int base), (text, &stop, base))
NTHTTP_TO_NUMBER(wcstoll, strtoll, long long, (const wchar_t *s, wchar_t **end, int base), (text, &stop, base))
NTHTTP_TO_NUMBER(wcstoull, strtoull, unsigned long long, (const wchar_t *s, wchar_t **end, int base), (text, &stop, base))
NTHTTP_TO_NUMBER(wcstod, strtod, double, (const wchar_t *s, wchar_t **end), (text, &stop))
NTHTTP_TO_NUMBER(wcstof, strtof, float, (const wchar_t *s, wchar_t **end), (text, &stop))
NTHTTP_TO_NUMBER(wcstold, strtold, long double, (const wchar_t *s, wchar_t **end), (text, &stop))
#undef NTHTTP_TO_NUMBER

#include "format.h"

/* Output */
static inline int vfwprintf(FILE *stream, const wchar_t *format, va_list list) {
    return nthttp_format_stream(stream, format, 1, list);
}

static inline int vwprintf(const wchar_t *format, va_list list) {
    return vfwprintf(stdout, format, list);
}

static inline int vswprintf(wchar_t *text, size_t room, const wchar_t *format, va_list list) {
    int length = nthttp_format_units(text, room, format, list);
    return (size_t)length < room ? length : -1;
}

static inline int fwprintf(FILE *stream, const wchar_t *format, ...) {
    va_list list;
    int length;
    va_start(list, format);
    length = vfwprintf(stream, format, list);
    va_end(list);
    return length;
}

static inline int wprintf(const wchar_t *format, ...) {
    va_list list;
    int length;
    va_start(list, format);
    length = vwprintf(format, list);
    va_end(list);
    return length;
}

static inline int swprintf(wchar_t *text, size_t room, const wchar_t *format, ...) {
    va_list list;
    int length;
    va_start(list, format);
    length = vswprintf(text, room, format, list);
    va_end(list);
    return length;
}

static inline int fputws(const wchar_t *text, FILE *stream) {
    return fwprintf(stream, L"%s", text) < 0 ? -1 : 0;
}

static inline int _putws(const wchar_t *text) {
    return wprintf(L"%s\n", text) < 0 ? -1 : 0;
}

static inline wint_t fputwc(wchar_t c, FILE *stream) {
    return fwprintf(stream, L"%c", c) < 0 ? WEOF : (wint_t)c;
}

static inline wint_t putwc(wchar_t c, FILE *stream) {
    return fputwc(c, stream);
}

static inline wint_t putwchar(wchar_t c) {
    return fputwc(c, stdout);
}

/* Input: one line of UTF-8, cut where the buffer ends */
static inline wchar_t *fgetws(wchar_t *text, int room, FILE *stream) {
    NTHTTP_SINK sink;
    char character[4];
    int byte = 0;
    memset(&sink, 0, sizeof sink);
    sink.units = text;
    sink.room = room > 0 ? (size_t)room - 1 : 0;
    while (sink.count < sink.room && byte != '\n' && (byte = fgetc(stream)) != EOF) {
        size_t size = 1, want = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
        character[0] = (char)byte;
        while (size < want && (byte = fgetc(stream)) != EOF) {
            character[size++] = (char)byte;
        }
        nthttp_take_utf8(&sink, character, size);
    }
    if (sink.count == 0) {
        return NULL;
    }
    text[sink.count < sink.room ? sink.count : sink.room] = 0;
    return text;
}

static inline size_t wcsftime(wchar_t *text, size_t room, const wchar_t *format, const struct tm *time) {
    char pattern[512], out[1024];
    size_t length, i;
    nthttp_narrow_number(format, pattern, sizeof pattern);
    length = strftime(out, sizeof out, pattern, time);
    if (length >= room) {
        return 0;
    }
    for (i = 0; i <= length; i++) {
        text[i] = (unsigned char)out[i];
    }
    return length;
}

/* Without a 16-bit version */
#if defined(__clang__)
#define NTHTTP_ABSENT(name) __attribute__((__unavailable__(#name " works on a 32-bit wchar_t only")))
#else
#define NTHTTP_ABSENT(name) __attribute__((__error__(#name " works on a 32-bit wchar_t only")))
#endif
#ifdef __cplusplus
extern "C" {
#endif
int swscanf(const wchar_t *text, const wchar_t *format, ...) NTHTTP_ABSENT(swscanf);
int fwscanf(FILE *stream, const wchar_t *format, ...) NTHTTP_ABSENT(fwscanf);
int wscanf(const wchar_t *format, ...) NTHTTP_ABSENT(wscanf);
int vswscanf(const wchar_t *text, const wchar_t *format, va_list list) NTHTTP_ABSENT(vswscanf);
int vfwscanf(FILE *stream, const wchar_t *format, va_list list) NTHTTP_ABSENT(vfwscanf);
int vwscanf(const wchar_t *format, va_list list) NTHTTP_ABSENT(vwscanf);
size_t mbrtowc(wchar_t *c, const char *text, size_t n, mbstate_t *state) NTHTTP_ABSENT(mbrtowc);
size_t mbsrtowcs(wchar_t *to, const char **from, size_t n, mbstate_t *state) NTHTTP_ABSENT(mbsrtowcs);
size_t wcsrtombs(char *to, const wchar_t **from, size_t n, mbstate_t *state) NTHTTP_ABSENT(wcsrtombs);
#ifdef __cplusplus
}
#endif
#undef NTHTTP_ABSENT

/* Microsoft's additions */
#define _wcsicmp wcscasecmp
#define _wcsnicmp wcsncasecmp
#define wcsicmp wcscasecmp
#define _wcsdup wcsdup
#define _wcstoui64 wcstoull
#define _wcstoi64 wcstoll

static inline int _wtoi(const wchar_t *s) {
    return (int)wcstol(s, NULL, 10);
}

static inline long long _wtoi64(const wchar_t *s) {
    return wcstoll(s, NULL, 10);
}

static inline double _wtof(const wchar_t *s) {
    return wcstod(s, NULL);
}

/* As the CRT: the whole length when it fits, -1 when it does not; no end mark when there is no room for one. */
static inline int _vsnwprintf(wchar_t *text, size_t room, const wchar_t *format, va_list list) {
    int length = nthttp_format_units(text, room, format, list);
    return (size_t)length < room ? length : -1;
}

static inline int _snwprintf(wchar_t *text, size_t room, const wchar_t *format, ...) {
    va_list list;
    int length;
    va_start(list, format);
    length = _vsnwprintf(text, room, format, list);
    va_end(list);
    return length;
}

/* The _s functions: on failure the text is empty and the result says so; the program goes on. */
static inline int vswprintf_s(wchar_t *text, size_t room, const wchar_t *format, va_list list) {
    int length = vswprintf(text, room, format, list);
    if (length < 0 && text && room) {
        text[0] = 0;
    }
    return length;
}

static inline int nthttp_swprintf_s(wchar_t *text, size_t room, const wchar_t *format, ...) {
    va_list list;
    int length;
    va_start(list, format);
    length = vswprintf_s(text, room, format, list);
    va_end(list);
    return length;
}

static inline int nthttp_wcsncpy_s(wchar_t *to, size_t room, const wchar_t *from, size_t most) {
    size_t length = from ? wcsnlen(from, most) : 0;
    if (!to || !room || !from || length >= room) {
        if (to && room) {
            to[0] = 0;
        }
        return to && room && from ? ERANGE : EINVAL;
    }
    wmemcpy(to, from, length);
    to[length] = 0;
    return 0;
}

static inline int nthttp_wcscpy_s(wchar_t *to, size_t room, const wchar_t *from) {
    return nthttp_wcsncpy_s(to, room, from, (size_t)-1);
}

static inline int nthttp_wcscat_s(wchar_t *to, size_t room, const wchar_t *from) {
    size_t used = to ? wcsnlen(to, room) : 0;
    int result = to && used < room ? nthttp_wcscpy_s(to + used, room - used, from) : EINVAL;
    if (result && to && room) {
        to[0] = 0;
    }
    return result;
}

#ifdef __cplusplus
extern "C++" {
template <typename... Rest> int swprintf_s(wchar_t *text, size_t room, const wchar_t *format, Rest... rest) {
    return nthttp_swprintf_s(text, room, format, rest...);
}
template <size_t room, typename... Rest> int swprintf_s(wchar_t (&text)[room], const wchar_t *format, Rest... rest) {
    return nthttp_swprintf_s(text, room, format, rest...);
}
static inline int wcscpy_s(wchar_t *to, size_t room, const wchar_t *from) {
    return nthttp_wcscpy_s(to, room, from);
}
template <size_t room> int wcscpy_s(wchar_t (&to)[room], const wchar_t *from) {
    return nthttp_wcscpy_s(to, room, from);
}
static inline int wcscat_s(wchar_t *to, size_t room, const wchar_t *from) {
    return nthttp_wcscat_s(to, room, from);
}
template <size_t room> int wcscat_s(wchar_t (&to)[room], const wchar_t *from) {
    return nthttp_wcscat_s(to, room, from);
}
static inline int wcsncpy_s(wchar_t *to, size_t room, const wchar_t *from, size_t most) {
    return nthttp_wcsncpy_s(to, room, from, most);
}
}
#else
#define swprintf_s nthttp_swprintf_s
#define wcscpy_s nthttp_wcscpy_s
#define wcscat_s nthttp_wcscat_s
#define wcsncpy_s nthttp_wcsncpy_s
#endif

#endif

/*
 * printf under -fshort-wchar with Microsoft's rules: %S and %ls print a 16-bit string, %lu and %ld take 32 bits, I64 works.
 * Only <windows.h> includes this; a program that wants the platform's printf writes (printf)(...).
 */
#ifndef NTHTTP_PRINT_H
#define NTHTTP_PRINT_H

#ifdef __cplusplus
extern "C++" {
#include <cstdio>
#include <cstdlib>
}
#else
#include <stdio.h>
#include <stdlib.h>
#endif
#include "format.h"

static inline int nthttp_vfprintf(FILE *stream, const char *format, va_list list) {
    return nthttp_format_stream(stream, format, 0, list);
}

static inline int nthttp_fprintf(FILE *stream, const char *format, ...) {
    va_list list;
    int length;
    va_start(list, format);
    length = nthttp_vfprintf(stream, format, list);
    va_end(list);
    return length;
}

static inline int nthttp_printf(const char *format, ...) {
    va_list list;
    int length;
    va_start(list, format);
    length = nthttp_vfprintf(stdout, format, list);
    va_end(list);
    return length;
}

static inline int nthttp_snprintf(char *text, size_t room, const char *format, ...) {
    va_list list;
    int length;
    va_start(list, format);
    length = nthttp_format_bytes(text, room, format, list);
    va_end(list);
    return length;
}

static inline int nthttp_sprintf_s(char *text, size_t room, const char *format, ...) {
    va_list list;
    int length;
    va_start(list, format);
    length = nthttp_format_bytes(text, room, format, list);
    va_end(list);
    if ((size_t)length >= room) {
        text[0] = 0;
        return -1;
    }
    return length;
}

/* The size that would have been written, or the size that was; (size_t)-1 is not possible, bad text becomes U+FFFD. */
static inline size_t nthttp_wcstombs(char *to, const wchar_t *from, size_t room) {
    NTHTTP_SINK sink;
    char nowhere[1];
    memset(&sink, 0, sizeof sink);
    sink.bytes = to ? to : nowhere;
    sink.room = to ? room : 0;
    while (*from) {
        size_t before = sink.count;
        nthttp_take_unit(&sink, *from++);
        if (to && sink.count > room) {
            return before;
        }
    }
    nthttp_settle(&sink);
    if (to && sink.count < room) {
        to[sink.count] = 0;
    }
    return sink.count;
}

static inline size_t nthttp_mbstowcs(wchar_t *to, const char *from, size_t room) {
    NTHTTP_SINK sink;
    size_t left = strlen(from);
    memset(&sink, 0, sizeof sink);
    sink.units = to;
    sink.room = to ? room : 0;
    while (left && !(to && sink.count >= room)) {
        size_t size = nthttp_take_utf8(&sink, from, left);
        from += size;
        left -= size;
    }
    if (to && sink.count < room) {
        to[sink.count] = 0;
    }
    return to && sink.count > room ? room : sink.count;
}

#define printf(...) nthttp_printf(__VA_ARGS__)
#define fprintf(...) nthttp_fprintf(__VA_ARGS__)
#define sprintf_s(...) nthttp_sprintf_s(__VA_ARGS__)
#define _snprintf(...) nthttp_snprintf(__VA_ARGS__)
#define wcstombs(...) nthttp_wcstombs(__VA_ARGS__)
#define mbstowcs(...) nthttp_mbstowcs(__VA_ARGS__)
#ifdef __cplusplus
namespace std {
using ::nthttp_fprintf;
using ::nthttp_mbstowcs;
using ::nthttp_printf;
using ::nthttp_wcstombs;
}
#endif

#endif

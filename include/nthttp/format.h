/*
 * printf with Microsoft's rules, for 16-bit strings: what wprintf, StringCchPrintfW and their kin are made of.
 *
 * In a wide format %s is a wide string and %S a narrow one; in a narrow format the other way round. %ls and %ws are
 * always wide, %hs always narrow. I64, I32, I and w are lengths too; l is 32 bits, as LONG is. Bytes are UTF-8.
 * Numbers go to the platform's snprintf.
 */
#ifndef NTHTTP_FORMAT_H
#define NTHTTP_FORMAT_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "wchar16.h"

/* Where the text goes: a stream or a byte buffer gets UTF-8, a wide buffer gets UTF-16. */
typedef struct {
    FILE *stream;
    char *bytes;
    WCHAR *units;
    size_t room;
    size_t count;
    unsigned pending;
    int failed;
} NTHTTP_SINK;

typedef struct {
    va_list list;
} NTHTTP_ARGUMENTS;

typedef struct {
    char flags[8];
    int width, precision, length;
} NTHTTP_DIRECTIVE;

static inline void nthttp_put_byte(NTHTTP_SINK *sink, char byte) {
    if (sink->stream) {
        sink->failed |= fputc((unsigned char)byte, sink->stream) == EOF;
    } else if (sink->count < sink->room) {
        sink->bytes[sink->count] = byte;
    }
    sink->count++;
}

static inline void nthttp_put_unit(NTHTTP_SINK *sink, unsigned unit) {
    if (sink->count < sink->room) {
        sink->units[sink->count] = (WCHAR)unit;
    }
    sink->count++;
}

static inline void nthttp_put_point(NTHTTP_SINK *sink, unsigned point) {
    if (sink->units || (!sink->stream && !sink->bytes)) {
        if (point >= 0x10000) {
            nthttp_put_unit(sink, 0xD7C0 + (point >> 10));
            point = 0xDC00 | (point & 0x3FF);
        }
        nthttp_put_unit(sink, point);
        return;
    }
    if (point < 0x80) {
        nthttp_put_byte(sink, (char)point);
    } else {
        int shift = point < 0x800 ? 6 : point < 0x10000 ? 12 : 18;
        nthttp_put_byte(sink, (char)((shift == 6 ? 0xC0 : shift == 12 ? 0xE0 : 0xF0) | point >> shift));
        while (shift) {
            shift -= 6;
            nthttp_put_byte(sink, (char)(0x80 | (point >> shift & 0x3F)));
        }
    }
}

/* Takes one UTF-16 code unit; halves of a pair wait for each other, a half alone becomes U+FFFD. */
static inline void nthttp_take_unit(NTHTTP_SINK *sink, unsigned unit) {
    unsigned first = sink->pending;
    sink->pending = 0;
    if (first && unit >= 0xDC00 && unit < 0xE000) {
        nthttp_put_point(sink, 0x10000 + ((first & 0x3FF) << 10 | (unit & 0x3FF)));
        return;
    }
    if (first) {
        nthttp_put_point(sink, 0xFFFD);
    }
    if (unit >= 0xD800 && unit < 0xDC00) {
        sink->pending = unit;
    } else {
        nthttp_put_point(sink, unit >= 0xDC00 && unit < 0xE000 ? 0xFFFD : unit);
    }
}

/* Takes one UTF-8 character and says how many bytes it had; a bad byte becomes U+FFFD. */
static inline size_t nthttp_take_utf8(NTHTTP_SINK *sink, const char *text, size_t left) {
    const unsigned char *at = (const unsigned char *)text;
    unsigned point = at[0];
    size_t size = point < 0x80 ? 1 : point >= 0xF0 && point < 0xF5 ? 4 : point >= 0xE0 ? 3 : point >= 0xC2 ? 2 : 0, i;
    if (size == 0 || point >= 0xF5 || size > left) {
        nthttp_put_point(sink, 0xFFFD);
        return 1;
    }
    if (size > 1) {
        point &= 0x7Fu >> size;
        for (i = 1; i < size; i++) {
            if ((at[i] & 0xC0) != 0x80) {
                nthttp_put_point(sink, 0xFFFD);
                return i;
            }
            point = point << 6 | (at[i] & 0x3F);
        }
    }
    nthttp_put_point(sink, point);
    return size;
}

/* Ends a surrogate pair that never came. */
static inline void nthttp_settle(NTHTTP_SINK *sink) {
    if (sink->pending) {
        sink->pending = 0;
        nthttp_put_point(sink, 0xFFFD);
    }
}

static inline void nthttp_take_bytes(NTHTTP_SINK *sink, const char *text, size_t length) {
    nthttp_settle(sink);
    if (sink->stream || sink->bytes) {
        while (length--) {
            nthttp_put_byte(sink, *text++);
        }
        return;
    }
    while (length) {
        size_t size = nthttp_take_utf8(sink, text, length);
        text += size;
        length -= size;
    }
}

static inline void nthttp_pad(NTHTTP_SINK *sink, int width, size_t length) {
    for (; width > 0 && (size_t)width > length; width--) {
        nthttp_take_bytes(sink, " ", 1);
    }
}

static inline void nthttp_put_text(NTHTTP_SINK *sink, const NTHTTP_DIRECTIVE *how, const void *text, int wide) {
    const WCHAR *units = (const WCHAR *)text;
    const char *bytes = text ? (const char *)text : "(null)";
    size_t most = how->precision < 0 ? (size_t)-1 : (size_t)how->precision, length = 0, i;
    int left = strchr(how->flags, '-') != NULL;
    wide = wide && text;
    while (length < most && (wide ? units[length] != 0 : bytes[length] != 0)) {
        length++;
    }
    nthttp_pad(sink, left ? 0 : how->width, length);
    if (wide) {
        for (i = 0; i < length; i++) {
            nthttp_take_unit(sink, units[i]);
        }
    } else {
        nthttp_take_bytes(sink, bytes, length);
    }
    nthttp_pad(sink, left ? how->width : 0, length);
}

static inline void nthttp_put_number(NTHTTP_SINK *sink, const NTHTTP_DIRECTIVE *how, char conversion, NTHTTP_ARGUMENTS *from) {
    char spec[40], small[128], *text = small;
    int size, is_float = strchr("aAeEfFgG", conversion) != NULL;
    long double real = 0;
    unsigned long long value = 0;
    const char *length = conversion == 'p' ? "" : is_float ? (how->length == 'L' ? "L" : "") : "ll";
    if (is_float) {
        real = how->length == 'L' ? va_arg(from->list, long double) : va_arg(from->list, double);
    } else if (conversion == 'p' || how->length == '6') {
        value = va_arg(from->list, unsigned long long);
    } else {
        value = va_arg(from->list, unsigned);
        if (conversion == 'd' || conversion == 'i') {
            value = (unsigned long long)(how->length == 'h' ? (short)value : how->length == 'b' ? (signed char)value : (int)value);
        } else {
            value &= how->length == 'h' ? 0xFFFF : how->length == 'b' ? 0xFF : 0xFFFFFFFF;
        }
    }
    if (conversion == 'p') {
        snprintf(spec, sizeof spec, "%%%s016llX", strchr(how->flags, '-') ? "-" : "");
        size = snprintf(small, sizeof small, spec, value);
    } else {
        size = 0;
        if (how->precision < 0) {
            snprintf(spec, sizeof spec, "%%%s*%s%c", how->flags, length, conversion);
        } else {
            snprintf(spec, sizeof spec, "%%%s*.%d%s%c", how->flags, how->precision, length, conversion);
        }
        for (;;) {
            size_t room = text == small ? sizeof small : (size_t)size + 1;
            size = !is_float ? snprintf(text, room, spec, how->width, value)
                 : how->length == 'L' ? snprintf(text, room, spec, how->width, real)
                 : snprintf(text, room, spec, how->width, (double)real);
            if (size < 0 || (size_t)size < room) {
                break;
            }
            text = (char *)__builtin_alloca((size_t)size + 1);
        }
    }
    if (size > 0) {
        nthttp_take_bytes(sink, text, (size_t)size);
    }
}

static inline unsigned nthttp_format_at(const void *format, int wide, size_t i) {
    return wide ? ((const WCHAR *)format)[i] : ((const unsigned char *)format)[i];
}

static inline int nthttp_read_count(const void *format, int wide, size_t *i, NTHTTP_ARGUMENTS *from) {
    int count = 0;
    if (nthttp_format_at(format, wide, *i) == '*') {
        ++*i;
        return va_arg(from->list, int);
    }
    for (; nthttp_format_at(format, wide, *i) - '0' < 10u; ++*i) {
        count = count > 99999 ? count : count * 10 + (int)(nthttp_format_at(format, wide, *i) - '0');
    }
    return count;
}

/* Lengths become one letter: '6' for 64 bits, 'h' and 'b' for short and char, 'L' for long double, 'w' for wide, 'l'. */
static inline int nthttp_read_length(const void *format, int wide, size_t *i) {
    int length = 0;
    for (;; ++*i) {
        unsigned letter = nthttp_format_at(format, wide, *i);
        if (letter == 'l') {
            length = length == 'l' ? '6' : 'l';
        } else if (letter == 'h') {
            length = length == 'h' ? 'b' : 'h';
        } else if (letter == 'L' || letter == 'w') {
            length = (int)letter;
        } else if (letter == 'j' || letter == 'z' || letter == 't') {
            length = '6';
        } else if (letter == 'I') {
            unsigned first = nthttp_format_at(format, wide, *i + 1);
            unsigned second = first ? nthttp_format_at(format, wide, *i + 2) : 0;
            length = first == '3' && second == '2' ? 0 : '6';
            *i += (first == '6' && second == '4') || (first == '3' && second == '2') ? 2 : 0;
        } else {
            return length;
        }
    }
}

static inline void nthttp_read_directive(NTHTTP_DIRECTIVE *how, const void *format, int wide, size_t *i, NTHTTP_ARGUMENTS *from) {
    size_t flags = 0;
    memset(how, 0, sizeof *how);
    for (;; ++*i) {
        unsigned letter = nthttp_format_at(format, wide, *i);
        if (letter == 0 || letter > 0x7F || !strchr("-+ #0", (int)letter)) {
            break;
        }
        if (flags < sizeof how->flags - 2 && !strchr(how->flags, (int)letter)) {
            how->flags[flags++] = (char)letter;
        }
    }
    how->width = nthttp_read_count(format, wide, i, from);
    if (how->width < 0) {
        how->width = -how->width;
        if (!strchr(how->flags, '-')) {
            how->flags[flags] = '-';
        }
    }
    how->precision = -1;
    if (nthttp_format_at(format, wide, *i) == '.') {
        ++*i;
        how->precision = nthttp_read_count(format, wide, i, from);
    }
    how->length = nthttp_read_length(format, wide, i);
}

static inline void nthttp_put_directive(NTHTTP_SINK *sink, const NTHTTP_DIRECTIVE *how, unsigned letter, int wide, NTHTTP_ARGUMENTS *from) {
    int is_wide = how->length == 'l' || how->length == 'w' ? 1 : how->length == 'h' ? 0 : wide == (letter >= 'a');
    if (letter == 's' || letter == 'S') {
        nthttp_put_text(sink, how, va_arg(from->list, const void *), is_wide);
    } else if (letter == 'c' || letter == 'C') {
        unsigned value = va_arg(from->list, unsigned);
        WCHAR unit = (WCHAR)value;
        char byte = (char)value;
        NTHTTP_DIRECTIVE one = *how;
        one.precision = 1;
        nthttp_put_text(sink, &one, is_wide ? (const void *)&unit : (const void *)&byte, is_wide);
    } else if (letter < 0x80 && letter && strchr("diouxXpaAeEfFgG", (int)letter)) {
        nthttp_put_number(sink, how, (char)letter, from);
    } else {
        nthttp_put_point(sink, letter);
    }
}

/* Formats into a sink; the result is the number of characters, or -1 when the stream failed. */
static inline int nthttp_format(NTHTTP_SINK *sink, const void *format, int wide, va_list list) {
    NTHTTP_ARGUMENTS from;
    NTHTTP_DIRECTIVE how;
    size_t i = 0;
    va_copy(from.list, list);
    while (nthttp_format_at(format, wide, i)) {
        unsigned letter = nthttp_format_at(format, wide, i++);
        if (letter != '%') {
            if (wide) {
                nthttp_take_unit(sink, letter);
            } else {
                char byte = (char)letter;
                nthttp_take_bytes(sink, &byte, 1);
            }
            continue;
        }
        nthttp_read_directive(&how, format, wide, &i, &from);
        letter = nthttp_format_at(format, wide, i);
        if (letter == 0) {
            break;
        }
        nthttp_put_directive(sink, &how, letter, wide, &from);
        i++;
    }
    va_end(from.list);
    nthttp_settle(sink);
    return sink->failed ? -1 : (int)sink->count;
}

static inline int nthttp_format_stream(FILE *stream, const void *format, int wide, va_list list) {
    NTHTTP_SINK sink;
    memset(&sink, 0, sizeof sink);
    sink.stream = stream;
    return nthttp_format(&sink, format, wide, list);
}

/* The whole length, or the length that would have been; the text is cut and ended when room is short. */
static inline int nthttp_format_units(WCHAR *units, size_t room, const WCHAR *format, va_list list) {
    NTHTTP_SINK sink;
    int length;
    memset(&sink, 0, sizeof sink);
    sink.units = units;
    sink.room = units && room ? room - 1 : 0;
    length = nthttp_format(&sink, format, 1, list);
    if (units && room) {
        units[sink.count < room ? sink.count : room - 1] = 0;
    }
    return length;
}

static inline int nthttp_format_bytes(char *bytes, size_t room, const char *format, va_list list) {
    static char nowhere[1];
    NTHTTP_SINK sink;
    int length;
    memset(&sink, 0, sizeof sink);
    sink.bytes = bytes ? bytes : nowhere;
    sink.room = bytes && room ? room - 1 : 0;
    length = nthttp_format(&sink, format, 0, list);
    if (bytes && room) {
        bytes[sink.count < room ? sink.count : room - 1] = 0;
    }
    return length;
}

#endif

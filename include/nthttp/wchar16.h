/* WCHAR, one UTF-16 code unit: wchar_t under -fshort-wchar, else char16_t in C++ and its integer type in C. */
#ifndef NTHTTP_WCHAR16_H
#define NTHTTP_WCHAR16_H

#include <stddef.h>
#include <stdint.h>

#if __SIZEOF_WCHAR_T__ == 2
typedef wchar_t WCHAR;
#elif defined(__cplusplus)
typedef char16_t WCHAR;
#else
typedef uint_least16_t WCHAR;
#endif

#endif

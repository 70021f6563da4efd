/*
 * The platform's <wchar.h>, and under -fshort-wchar 16-bit versions of the functions that work on wchar_t.
 *
 * The platform's own are compiled for a 32-bit wchar_t, so their declarations are moved out of the way and nthttp/wide.h
 * takes their names. In C++ the ready-made instantiations of libstdc++ are 32-bit too and are not used.
 */
#if __SIZEOF_WCHAR_T__ != 2 || defined(_WIN32)
#include_next <wchar.h>
#elif !defined(NTHTTP_WCHAR_H)
#define NTHTTP_WCHAR_H

#ifdef __cplusplus
#if __has_include(<bits/c++config.h>)
#include <bits/c++config.h>
#undef _GLIBCXX_EXTERN_TEMPLATE
#define _GLIBCXX_EXTERN_TEMPLATE 0
#endif
#endif

#define fgetws nthttp_libc_fgetws
#define fputwc nthttp_libc_fputwc
#define fputws nthttp_libc_fputws
#define fwprintf nthttp_libc_fwprintf
#define mbrtowc nthttp_libc_mbrtowc
#define mbsrtowcs nthttp_libc_mbsrtowcs
#define putwc nthttp_libc_putwc
#define putwchar nthttp_libc_putwchar
#define swprintf nthttp_libc_swprintf
#define swscanf nthttp_libc_swscanf
#define fwscanf nthttp_libc_fwscanf
#define wscanf nthttp_libc_wscanf
#define vfwprintf nthttp_libc_vfwprintf
#define vfwscanf nthttp_libc_vfwscanf
#define vswprintf nthttp_libc_vswprintf
#define vswscanf nthttp_libc_vswscanf
#define vwprintf nthttp_libc_vwprintf
#define vwscanf nthttp_libc_vwscanf
#define wcscasecmp nthttp_libc_wcscasecmp
#define wcscat nthttp_libc_wcscat
#define wcschr nthttp_libc_wcschr
#define wcscmp nthttp_libc_wcscmp
#define wcscoll nthttp_libc_wcscoll
#define wcscpy nthttp_libc_wcscpy
#define wcscspn nthttp_libc_wcscspn
#define wcsdup nthttp_libc_wcsdup
#define wcsftime nthttp_libc_wcsftime
#define wcslen nthttp_libc_wcslen
#define wcsncasecmp nthttp_libc_wcsncasecmp
#define wcsncat nthttp_libc_wcsncat
#define wcsncmp nthttp_libc_wcsncmp
#define wcsncpy nthttp_libc_wcsncpy
#define wcsnlen nthttp_libc_wcsnlen
#define wcspbrk nthttp_libc_wcspbrk
#define wcsrchr nthttp_libc_wcsrchr
#define wcsrtombs nthttp_libc_wcsrtombs
#define wcsspn nthttp_libc_wcsspn
#define wcsstr nthttp_libc_wcsstr
#define wcstod nthttp_libc_wcstod
#define wcstof nthttp_libc_wcstof
#define wcstok nthttp_libc_wcstok
#define wcstol nthttp_libc_wcstol
#define wcstold nthttp_libc_wcstold
#define wcstoll nthttp_libc_wcstoll
#define wcstoul nthttp_libc_wcstoul
#define wcstoull nthttp_libc_wcstoull
#define wcsxfrm nthttp_libc_wcsxfrm
#define wmemchr nthttp_libc_wmemchr
#define wmemcmp nthttp_libc_wmemcmp
#define wmemcpy nthttp_libc_wmemcpy
#define wmemmove nthttp_libc_wmemmove
#define wmemset nthttp_libc_wmemset
#define wprintf nthttp_libc_wprintf
#include_next <wchar.h>
#undef fgetws
#undef fputwc
#undef fputws
#undef fwprintf
#undef mbrtowc
#undef mbsrtowcs
#undef putwc
#undef putwchar
#undef swprintf
#undef swscanf
#undef fwscanf
#undef wscanf
#undef vfwprintf
#undef vfwscanf
#undef vswprintf
#undef vswscanf
#undef vwprintf
#undef vwscanf
#undef wcscasecmp
#undef wcscat
#undef wcschr
#undef wcscmp
#undef wcscoll
#undef wcscpy
#undef wcscspn
#undef wcsdup
#undef wcsftime
#undef wcslen
#undef wcsncasecmp
#undef wcsncat
#undef wcsncmp
#undef wcsncpy
#undef wcsnlen
#undef wcspbrk
#undef wcsrchr
#undef wcsrtombs
#undef wcsspn
#undef wcsstr
#undef wcstod
#undef wcstof
#undef wcstok
#undef wcstol
#undef wcstold
#undef wcstoll
#undef wcstoul
#undef wcstoull
#undef wcsxfrm
#undef wmemchr
#undef wmemcmp
#undef wmemcpy
#undef wmemmove
#undef wmemset
#undef wprintf

#include "nthttp/wide.h"

#endif

/* <strsafe.h>: the StringCch and StringCb functions. Text that does not fit is cut and ended. */
#ifndef NTHTTP_STRSAFE_H
#define NTHTTP_STRSAFE_H

#include "nthttp/base.h"
#include "nthttp/codes.h"
#include "nthttp/format.h"

#define STRSAFE_MAX_CCH 2147483647
#define STRSAFE_E_INSUFFICIENT_BUFFER ((HRESULT)0x8007007A)
#define STRSAFE_E_INVALID_PARAMETER ((HRESULT)0x80070057)
#define STRSAFE_E_END_OF_FILE ((HRESULT)0x80070026)
typedef char *STRSAFE_LPSTR;
typedef const char *STRSAFE_LPCSTR;
typedef WCHAR *STRSAFE_LPWSTR;
typedef const WCHAR *STRSAFE_LPCWSTR;

static inline HRESULT StringCchVPrintfW(STRSAFE_LPWSTR pszDest, size_t cchDest, STRSAFE_LPCWSTR pszFormat, va_list argList) {
    if (!cchDest || cchDest > STRSAFE_MAX_CCH) {
        return STRSAFE_E_INVALID_PARAMETER;
    }
    return (size_t)nthttp_format_units(pszDest, cchDest, pszFormat, argList) < cchDest ? S_OK : STRSAFE_E_INSUFFICIENT_BUFFER;
}

static inline HRESULT StringCchVPrintfA(STRSAFE_LPSTR pszDest, size_t cchDest, STRSAFE_LPCSTR pszFormat, va_list argList) {
    if (!cchDest || cchDest > STRSAFE_MAX_CCH) {
        return STRSAFE_E_INVALID_PARAMETER;
    }
    return (size_t)nthttp_format_bytes(pszDest, cchDest, pszFormat, argList) < cchDest ? S_OK : STRSAFE_E_INSUFFICIENT_BUFFER;
}

/* The functions that exist for char and for WCHAR: A and W differ in the type alone. */
#define NTHTTP_STRSAFE(AW, type) \
    static inline HRESULT StringCchPrintf##AW(type *pszDest, size_t cchDest, const type *pszFormat, ...) { \
        HRESULT result; \
        va_list list; \
        va_start(list, pszFormat); \
        result = StringCchVPrintf##AW(pszDest, cchDest, pszFormat, list); \
        va_end(list); \
        return result; \
    } \
    static inline HRESULT StringCbPrintf##AW(type *pszDest, size_t cbDest, const type *pszFormat, ...) { \
        HRESULT result; \
        va_list list; \
        va_start(list, pszFormat); \
        result = StringCchVPrintf##AW(pszDest, cbDest / sizeof(type), pszFormat, list); \
        va_end(list); \
        return result; \
    } \
    static inline HRESULT StringCchLength##AW(const type *psz, size_t cchMax, size_t *pcchLength) { \
        size_t length = 0; \
        while (psz && length < cchMax && psz[length]) { \
            length++; \
        } \
        if (pcchLength) { \
            *pcchLength = psz && length < cchMax ? length : 0; \
        } \
        return psz && cchMax <= STRSAFE_MAX_CCH && length < cchMax ? S_OK : STRSAFE_E_INVALID_PARAMETER; \
    } \
    static inline HRESULT StringCbLength##AW(const type *psz, size_t cbMax, size_t *pcbLength) { \
        HRESULT result = StringCchLength##AW(psz, cbMax / sizeof(type), pcbLength); \
        if (pcbLength) { \
            *pcbLength *= sizeof(type); \
        } \
        return result; \
    } \
    static inline HRESULT StringCchCopyN##AW(type *pszDest, size_t cchDest, const type *pszSrc, size_t cchToCopy) { \
        size_t i = 0; \
        if (!cchDest || cchDest > STRSAFE_MAX_CCH) { \
            return STRSAFE_E_INVALID_PARAMETER; \
        } \
        for (; i + 1 < cchDest && i < cchToCopy && pszSrc[i]; i++) { \
            pszDest[i] = pszSrc[i]; \
        } \
        pszDest[i] = 0; \
        return i == cchToCopy || !pszSrc[i] ? S_OK : STRSAFE_E_INSUFFICIENT_BUFFER; \
    } \
    static inline HRESULT StringCchCopy##AW(type *pszDest, size_t cchDest, const type *pszSrc) { \
        return StringCchCopyN##AW(pszDest, cchDest, pszSrc, (size_t)-1); \
    } \
    static inline HRESULT StringCchCat##AW(type *pszDest, size_t cchDest, const type *pszSrc) { \
        size_t used = 0; \
        while (used < cchDest && pszDest[used]) { \
            used++; \
        } \
        return used < cchDest ? StringCchCopy##AW(pszDest + used, cchDest - used, pszSrc) : STRSAFE_E_INVALID_PARAMETER; \
    } \
    static inline HRESULT StringCbCopyN##AW(type *pszDest, size_t cbDest, const type *pszSrc, size_t cbToCopy) { \
        return StringCchCopyN##AW(pszDest, cbDest / sizeof(type), pszSrc, cbToCopy / sizeof(type)); \
    } \
    static inline HRESULT StringCbCopy##AW(type *pszDest, size_t cbDest, const type *pszSrc) { \
        return StringCchCopy##AW(pszDest, cbDest / sizeof(type), pszSrc); \
    } \
    static inline HRESULT StringCbCat##AW(type *pszDest, size_t cbDest, const type *pszSrc) { \
        return StringCchCat##AW(pszDest, cbDest / sizeof(type), pszSrc); \
    }
NTHTTP_STRSAFE(A, char)
NTHTTP_STRSAFE(W, WCHAR)
#undef NTHTTP_STRSAFE

#ifdef UNICODE
#define NTHTTP_STRSAFE_AW(name) name##W
#else
#define NTHTTP_STRSAFE_AW(name) name##A
#endif
#define StringCchVPrintf NTHTTP_STRSAFE_AW(StringCchVPrintf)
#define StringCchPrintf NTHTTP_STRSAFE_AW(StringCchPrintf)
#define StringCbPrintf NTHTTP_STRSAFE_AW(StringCbPrintf)
#define StringCchLength NTHTTP_STRSAFE_AW(StringCchLength)
#define StringCbLength NTHTTP_STRSAFE_AW(StringCbLength)
#define StringCchCopy NTHTTP_STRSAFE_AW(StringCchCopy)
#define StringCchCopyN NTHTTP_STRSAFE_AW(StringCchCopyN)
#define StringCchCat NTHTTP_STRSAFE_AW(StringCchCat)
#define StringCbCopy NTHTTP_STRSAFE_AW(StringCbCopy)
#define StringCbCopyN NTHTTP_STRSAFE_AW(StringCbCopyN)
#define StringCbCat NTHTTP_STRSAFE_AW(StringCbCat)

#endif

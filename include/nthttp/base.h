/*
 * The Win32 base types: numbers, strings, handles and the structures that go with them.
 *
 * WCHAR is one UTF-16 code unit: wchar_t under -fshort-wchar (for source that writes L"..."), else char16_t (u"...").
 * DWORD, LONG and ULONG are 32 bits, so print them with %u and %d. Functions are not declared here.
 */
#ifndef NTHTTP_BASE_H
#define NTHTTP_BASE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>
#include "streams.h"
#include "sal.h"
#include "wchar16.h"

/* Calling conventions and marks of the compiler */
#define WINAPI
#define WINAPIV
#define APIENTRY
#define CALLBACK
#define NTAPI
#define PASCAL
#define STDMETHODCALLTYPE
#define STDAPICALLTYPE
#define DECLSPEC_IMPORT
#define DECLSPEC_NORETURN __attribute__((__noreturn__))
#define DECLSPEC_ALIGN(bytes) __attribute__((__aligned__(bytes)))
#define WINBASEAPI
#define WINHTTPAPI
#define HTTPAPI_LINKAGE
#define EXTERN_C_START
#define EXTERN_C_END
#ifdef __cplusplus
#define EXTERN_C extern "C"
#else
#define EXTERN_C extern
#endif
#if !defined(_MSC_VER) && !defined(__MINGW32__)
#define __stdcall
#define __cdecl
#define __fastcall
#define __declspec(mark)
#define __forceinline inline __attribute__((__always_inline__))
#define __int8 char
#define __int16 short
#define __int32 int
#define __int64 long long
#define _alloca __builtin_alloca
#endif
#define FORCEINLINE static inline
#define UNALIGNED
#define FAR
#define NEAR
#define CONST const
#define IN
#define OUT
#define OPTIONAL

/* Numbers */
#define VOID void
typedef char CHAR, *PCHAR, CCHAR;
typedef signed char INT8;
typedef unsigned char UCHAR, *PUCHAR;
typedef unsigned char BYTE, *PBYTE, *LPBYTE;
typedef unsigned char UINT8;
typedef BYTE BOOLEAN, *PBOOLEAN;
typedef int BOOL, *PBOOL, *LPBOOL;
typedef short SHORT, *PSHORT, INT16;
typedef unsigned short USHORT, *PUSHORT, UINT16;
typedef unsigned short WORD, *PWORD, *LPWORD;
typedef int INT, *PINT, *LPINT;
typedef unsigned int UINT, *PUINT, *LPUINT;
typedef int32_t LONG, *PLONG, *LPLONG, INT32, LONG32;
typedef uint32_t ULONG, *PULONG, UINT32, ULONG32;
typedef uint32_t DWORD, *PDWORD, *LPDWORD, DWORD32;
typedef long long LONGLONG, *PLONGLONG, INT64, LONG64, *PLONG64;
typedef unsigned long long ULONGLONG, *PULONGLONG, UINT64, ULONG64, DWORDLONG, *PULONG64;
typedef unsigned long long DWORD64, *PDWORD64;
typedef float FLOAT, *PFLOAT;
typedef double DOUBLE;
typedef intptr_t INT_PTR, *PINT_PTR, LONG_PTR, *PLONG_PTR, SSIZE_T;
typedef uintptr_t UINT_PTR, *PUINT_PTR, ULONG_PTR, *PULONG_PTR, DWORD_PTR, *PDWORD_PTR, SIZE_T, *PSIZE_T;
typedef ULONG_PTR KAFFINITY;
typedef LONG HRESULT, NTSTATUS, *PNTSTATUS, SECURITY_STATUS;
typedef WORD LANGID;
typedef DWORD LCID, ACCESS_MASK;

/* Strings */
typedef CHAR *PSTR, *LPSTR, *PCH, *LPCH;
typedef const CHAR *PCSTR, *LPCSTR, *PCCH, *LPCCH, *PCSZ;
typedef WCHAR *PWCHAR, *PWSTR, *LPWSTR, *PWCH, *LPWCH, *PZZWSTR, OLECHAR, *LPOLESTR, *BSTR;
typedef const WCHAR *PCWSTR, *LPCWSTR, *PCWCH, *LPCWCH, *LPCOLESTR, *PCZZWSTR;
#ifdef UNICODE
typedef WCHAR TCHAR, *PTCHAR, *PTSTR, *LPTSTR;
typedef LPCWSTR PCTSTR, LPCTSTR;
#if __SIZEOF_WCHAR_T__ == 2
#define __TEXT(quote) L##quote
#else
#define __TEXT(quote) u##quote
#endif
#else
typedef char TCHAR, *PTCHAR, *PTSTR, *LPTSTR;
typedef LPCSTR PCTSTR, LPCTSTR;
#define __TEXT(quote) quote
#endif
#define TEXT(quote) __TEXT(quote)

/* Pointers and handles */
typedef void *PVOID, *LPVOID;
typedef const void *LPCVOID, *PCVOID;
typedef void *HANDLE, **PHANDLE, **LPHANDLE;
typedef HANDLE HMODULE, HINSTANCE, HGLOBAL, HLOCAL, HKEY, HWND;
typedef PVOID PSECURITY_DESCRIPTOR, PSID;
typedef INT_PTR (WINAPI *FARPROC)(void);
#define INVALID_HANDLE_VALUE ((HANDLE)(LONG_PTR)-1)

#ifndef TRUE
#define FALSE 0
#define TRUE 1
#endif
#define MAX_PATH 260
#define INFINITE 0xFFFFFFFF
#define MAXUSHORT 0xFFFF
#define MAXDWORD 0xFFFFFFFF
#define MAXULONG 0xFFFFFFFF
#define MAXLONG 0x7FFFFFFF
#define UNICODE_NULL ((WCHAR)0)

/* Structures */
typedef struct _GUID {
    uint32_t Data1;
    unsigned short Data2;
    unsigned short Data3;
    unsigned char Data4[8];
} GUID, *PGUID, *LPGUID, IID, *LPIID, CLSID, *LPCLSID, UUID;

typedef union _LARGE_INTEGER {
    __extension__ struct {
        DWORD LowPart;
        LONG HighPart;
    };
    struct {
        DWORD LowPart;
        LONG HighPart;
    } u;
    LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef union _ULARGE_INTEGER {
    __extension__ struct {
        DWORD LowPart;
        DWORD HighPart;
    };
    struct {
        DWORD LowPart;
        DWORD HighPart;
    } u;
    ULONGLONG QuadPart;
} ULARGE_INTEGER, *PULARGE_INTEGER;

typedef struct _LUID {
    DWORD LowPart;
    LONG HighPart;
} LUID, *PLUID;

typedef struct _FILETIME {
    DWORD dwLowDateTime;
    DWORD dwHighDateTime;
} FILETIME, *PFILETIME, *LPFILETIME;

typedef struct _SYSTEMTIME {
    WORD wYear;
    WORD wMonth;
    WORD wDayOfWeek;
    WORD wDay;
    WORD wHour;
    WORD wMinute;
    WORD wSecond;
    WORD wMilliseconds;
} SYSTEMTIME, *PSYSTEMTIME, *LPSYSTEMTIME;

typedef struct _SECURITY_ATTRIBUTES {
    DWORD nLength;
    LPVOID lpSecurityDescriptor;
    BOOL bInheritHandle;
} SECURITY_ATTRIBUTES, *PSECURITY_ATTRIBUTES, *LPSECURITY_ATTRIBUTES;

typedef struct _UNICODE_STRING {
    USHORT Length;
    USHORT MaximumLength;
    PWSTR Buffer;
} UNICODE_STRING, *PUNICODE_STRING;

/* Internal holds an NTSTATUS, InternalHigh the number of bytes. */
typedef struct _OVERLAPPED {
    ULONG_PTR Internal;
    ULONG_PTR InternalHigh;
    union {
        __extension__ struct {
            DWORD Offset;
            DWORD OffsetHigh;
        };
        PVOID Pointer;
    };
    HANDLE hEvent;
} OVERLAPPED, *POVERLAPPED, *LPOVERLAPPED;

typedef struct _OVERLAPPED_ENTRY {
    ULONG_PTR lpCompletionKey;
    LPOVERLAPPED lpOverlapped;
    ULONG_PTR Internal;
    DWORD dwNumberOfBytesTransferred;
} OVERLAPPED_ENTRY, *POVERLAPPED_ENTRY, *LPOVERLAPPED_ENTRY;

#define HasOverlappedIoCompleted(lpOverlapped) \
    (__atomic_load_n(&(lpOverlapped)->Internal, __ATOMIC_ACQUIRE) != 0x00000103)

/* Small words every program uses */
#define ARRAYSIZE(array) (sizeof(array) / sizeof((array)[0]))
#define RTL_NUMBER_OF(array) ARRAYSIZE(array)
#ifndef _countof
#define _countof(array) ARRAYSIZE(array)
#endif
#define FIELD_OFFSET(type, field) ((LONG)offsetof(type, field))
#define RTL_FIELD_SIZE(type, field) (sizeof(((type *)0)->field))
#define CONTAINING_RECORD(address, type, field) ((type *)((char *)(address) - offsetof(type, field)))
#define UNREFERENCED_PARAMETER(parameter) ((void)(parameter))
#define DBG_UNREFERENCED_PARAMETER(parameter) ((void)(parameter))
#define UNREFERENCED_LOCAL_VARIABLE(variable) ((void)(variable))
#define RtlZeroMemory(destination, length) memset((destination), 0, (length))
#define RtlFillMemory(destination, length, fill) memset((destination), (fill), (length))
#define RtlCopyMemory(destination, source, length) memcpy((destination), (source), (length))
#define RtlMoveMemory(destination, source, length) memmove((destination), (source), (length))
#define RtlEqualMemory(left, right, length) (!memcmp((left), (right), (length)))
#define ZeroMemory RtlZeroMemory
#define FillMemory RtlFillMemory
#define CopyMemory RtlCopyMemory
#define MoveMemory RtlMoveMemory
#define SecureZeroMemory(destination, length) \
    do { memset((destination), 0, (length)); __asm__ volatile("" ::: "memory"); } while (0)
#define LOBYTE(value) ((BYTE)((DWORD_PTR)(value) & 0xFF))
#define HIBYTE(value) ((BYTE)(((DWORD_PTR)(value) >> 8) & 0xFF))
#define LOWORD(value) ((WORD)((DWORD_PTR)(value) & 0xFFFF))
#define HIWORD(value) ((WORD)(((DWORD_PTR)(value) >> 16) & 0xFFFF))
#define MAKEWORD(low, high) ((WORD)((BYTE)(low) | (WORD)((BYTE)(high) << 8)))
#define MAKELONG(low, high) ((LONG)((WORD)(low) | (DWORD)((WORD)(high)) << 16))
#define MAKELANGID(primary, sub) ((WORD)((WORD)(sub) << 10 | (WORD)(primary)))
#define LANG_NEUTRAL 0x00
#define SUBLANG_DEFAULT 0x01

/* HRESULT */
#define SUCCEEDED(result) ((HRESULT)(result) >= 0)
#define FAILED(result) ((HRESULT)(result) < 0)
#define NT_SUCCESS(status) ((NTSTATUS)(status) >= 0)
#define HRESULT_CODE(result) ((result) & 0xFFFF)
#define FACILITY_WIN32 7
#define HRESULT_FROM_WIN32(error) \
    ((HRESULT)((LONG)(error) <= 0 ? (LONG)(error) : (LONG)(((error) & 0xFFFF) | (FACILITY_WIN32 << 16) | 0x80000000)))

#endif

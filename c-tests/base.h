/* What the base_*.c tests share: UTF-16 literals without -fshort-wchar, and a look at a wait without waiting. */
#ifndef BASE_H
#define BASE_H

#include "harness.h"
#include <windows.h>

/* A UTF-16 string under every compiler: u"" is char16_t, which is WCHAR's size and representation. */
#define W(TEXT) ((const WCHAR *)u##TEXT)

/* The last error after a call that must fail. */
#define CHECK_FAILS(CALL, CODE)                                                                                        \
    do {                                                                                                               \
        SetLastError(0xDEAD);                                                                                          \
        CHECK(!(CALL));                                                                                                \
        CHECK_EQ(GetLastError(), (CODE));                                                                              \
    } while (0)

__attribute__((unused)) static int is_set(HANDLE object)
{
    return WaitForSingleObject(object, 0) == WAIT_OBJECT_0;
}

#endif

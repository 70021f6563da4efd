/* <winerror.h>: Win32 errors and HRESULTs. */
#ifndef NTHTTP_WINERROR_H
#define NTHTTP_WINERROR_H
#include "nthttp/codes.h"

#endif

/*
 * <windows.h> for programs that use the HTTP Server API or WinHTTP: base types, codes, and the Win32 functions that
 * libnthttp exports. It is not the Windows SDK: what is missing here is missing in the library.
 */
#ifndef NTHTTP_WINDOWS_H
#define NTHTTP_WINDOWS_H

#include "sdkddkver.h"
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include "nthttp/base.h"
#include "nthttp/win32.h"
#include "nthttp/win32_functions.h"

#define _stricmp strcasecmp
#define _strnicmp strncasecmp
#define _strdup strdup
#ifndef WIN32_LEAN_AND_MEAN
#include "winsock2.h"
#endif
#include "nthttp/start.h"

#endif

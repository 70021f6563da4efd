/* <winhttp.h>: WinHTTP, the HTTP client. */
#ifndef NTHTTP_WINHTTP_H
#define NTHTTP_WINHTTP_H

#include "winsock2.h"
#include "windows.h"
#include "nthttp/winhttp_types.h"
#include "nthttp/winhttp_extras.h"
#include "nthttp/winhttp_functions.h"

#endif

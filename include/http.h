/* <http.h>: the HTTP Server API, versions 1.0 and 2.0. */
#ifndef NTHTTP_HTTP_H
#define NTHTTP_HTTP_H

#include "winsock2.h"
#include "windows.h"
#include "nthttp/http_types.h"
#include "nthttp/http_functions.h"
#include "nthttp/nthttp.h"

#endif

/* <sspi.h>: security package contexts that the HTTP APIs hand out. */
#ifndef NTHTTP_SSPI_H
#define NTHTTP_SSPI_H
#include "nthttp/security.h"

#endif

/* <wincrypt.h>: certificate contexts; the functions come with windows.h. */
#ifndef NTHTTP_WINCRYPT_H
#define NTHTTP_WINCRYPT_H
#include "nthttp/security.h"

#endif

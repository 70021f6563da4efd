/* <oleauto.h>: VARIANT, SAFEARRAY and BSTR as data types. */
#ifndef NTHTTP_OLEAUTO_H
#define NTHTTP_OLEAUTO_H
#include "nthttp/automation.h"

#endif

/* What this library adds to http.h. Its functions, which begin with nthttp_, stand with the others. */
#ifndef NTHTTP_NTHTTP_H
#define NTHTTP_NTHTTP_H

#include "http_types.h"

/* HTTP_LOGGING_INFO.Format, for sessions and URL groups: one JSON object a line, in files json<n>.log and js<yymmdd>.log.
 * Members are named like the columns of the W3C format; fields that were not given are left out. */
#define NTHTTP_LOGGING_TYPE_JSON ((HTTP_LOGGING_TYPE)0x100)

#endif

/* What this library adds to http.h. Its functions, which begin with nthttp_, stand with the others. */
#ifndef NTHTTP_NTHTTP_H
#define NTHTTP_NTHTTP_H

#include "http_types.h"

/* HTTP_LOGGING_INFO.Format, for sessions and URL groups: one JSON object a line, in files json<n>.log and js<yymmdd>.log.
 * Members are named like the columns of the W3C format; fields that were not given are left out. */
#define NTHTTP_LOGGING_TYPE_JSON ((HTTP_LOGGING_TYPE)0x100)

/* A property of sessions and URL groups, set and read with the functions for those: which entries pRequestInfo of a
 * request has besides those the service needs no asking for. A group that has it not set has its session's. The structure
 * holds 1 << HttpRequestInfoType... for each: RequestTiming, TcpInfoV0, RequestSizing, TcpInfoV1; others are refused with
 * ERROR_INVALID_PARAMETER. Requests of version 1 queues never have entries.
 *
 * Times are in the steps of QueryPerformanceCounter, 0 for what did not happen; that of the connection's start, and of the
 * first byte of a request that came in pieces, are good to a few milliseconds. RequestIndex counts the connection's
 * requests that came to a queue (not those answered from the cache); RequestSizing has the bytes of the head. */
#define NTHTTP_SERVER_REQUEST_INFO_PROPERTY ((HTTP_SERVER_PROPERTY)0x100)

typedef struct _NTHTTP_REQUEST_INFO_TYPES {
    HTTP_PROPERTY_FLAGS Flags;
    ULONG Types;
} NTHTTP_REQUEST_INFO_TYPES, *PNTHTTP_REQUEST_INFO_TYPES;

/* A property of sessions and URL groups, set and read with the functions for those: limits on the heads and trailers of
 * their requests, by their names in the registry and in its ranges (else ERROR_INVALID_PARAMETER). 0 inherits: a group's
 * from its session's, and that from the service's. They are looked at when it is known whose a request is, so they can only
 * be narrower than the service's. A request beyond them is answered as one beyond the service's: 400, or 414 for its URL. */
#define NTHTTP_SERVER_LIMITS_PROPERTY ((HTTP_SERVER_PROPERTY)0x101)

typedef struct _NTHTTP_LIMITS_INFO {
    HTTP_PROPERTY_FLAGS Flags;
    ULONG MaxFieldLength;      /* bytes of one header field; also of the URL; 64 to 65534 */
    ULONG MaxRequestBytes;     /* bytes of request line and fields together; 256 to 16777216 */
    ULONG UrlSegmentMaxLength; /* characters between two slashes of the path; to 32766 */
    ULONG UrlSegmentMaxCount;  /* segments of the path; to 16383 */
} NTHTTP_LIMITS_INFO, *PNTHTTP_LIMITS_INFO;

#endif

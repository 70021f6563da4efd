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

/* A property of sessions and URL groups, set with the functions for those: where the passwords for Basic and Digest come
 * from, when HttpServerAuthenticationProperty enables these. A group that has it not set has its session's. Not to be read.
 *
 * PasswordFile names a file of lines user:hash as htpasswd writes them (bcrypt, SHA-crypt), for Basic, and user:realm:HA1 as
 * htdigest writes them (MD5, or SHA-256), for both schemes. A change of the file takes effect within a second; one that
 * cannot be read lets nobody in. ERROR_FILE_NOT_FOUND or ERROR_ACCESS_DENIED when it cannot be read at first.
 *
 * Verify, instead of a file, is called with Context for each request with credentials, on the thread that receives the
 * request or on one of the library's, on several at once, and may call this library. For Basic it judges Password. For Digest
 * it fills Secret with the user's password, or with H(user:realm:password) in hexadecimal and SecretIsHash set; the library
 * then checks the client's proof. It returns SEC_E_OK, or the SecStatus of the failure, such as SEC_E_LOGON_DENIED. Texts are
 * the client's bytes with a NUL, valid during the call. Once it is taken back or replaced, or the session or group closed,
 * no call begins; one that has begun may still run.
 *
 * DigestAlgorithms says which are offered; 0 means those for which everybody in the file has a line, and MD5 without such a
 * file. NonceSeconds is how long a challenge is good; 0 means 300. */
#define NTHTTP_SERVER_CREDENTIALS_PROPERTY ((HTTP_SERVER_PROPERTY)0x120)

#define NTHTTP_DIGEST_MD5 0x00000001
#define NTHTTP_DIGEST_SHA256 0x00000002

typedef struct _NTHTTP_CREDENTIALS {
    HTTP_REQUEST_AUTH_TYPE AuthType; /* HttpRequestAuthTypeBasic or HttpRequestAuthTypeDigest */
    ULONG DigestAlgorithm;           /* NTHTTP_DIGEST_MD5 or NTHTTP_DIGEST_SHA256; 0 for Basic */
    PCSTR UserName;
    PCSTR Realm;
    PCSTR Password;       /* NULL for Digest */
    BOOLEAN SecretIsHash; /* out, for Digest */
    CHAR Secret[256];     /* out, for Digest, with a NUL unless it is full */
} NTHTTP_CREDENTIALS, *PNTHTTP_CREDENTIALS;

typedef SECURITY_STATUS(CALLBACK *NTHTTP_VERIFY_CALLBACK)(PVOID Context, PNTHTTP_CREDENTIALS Credentials);

typedef struct _NTHTTP_CREDENTIALS_INFO {
    HTTP_PROPERTY_FLAGS Flags;
    ULONG DigestAlgorithms;
    ULONG NonceSeconds;
    PCWSTR PasswordFile;
    NTHTTP_VERIFY_CALLBACK Verify;
    PVOID Context;
} NTHTTP_CREDENTIALS_INFO, *PNTHTTP_CREDENTIALS_INFO;

/* A property of URL groups (HttpSetUrlGroupProperty, NTHTTP_LISTEN_INFO): a further way in for the group's URLs, such as a
 * Unix socket, an address of its own, or a socket that systemd has opened, with the PROXY protocol or without.
 *
 *   NTHTTP_LISTEN_INFO info = {.Flags = {1}, .Address = "unix:/run/app.sock", .SocketMode = 0660};
 *   HttpSetUrlGroupProperty(group, NTHTTP_SERVER_LISTEN_PROPERTY, &info, sizeof(info));
 *
 * It listens when the call returns, and until it is taken back or the group is closed. Each call adds one way in; with
 * Flags.Present 0 a call takes back the one with that address, or all of the group's when Address is NULL. A request finds
 * its URL by its Host field, as if it had come to the port named in Port, among the URLs of all groups on that port.
 *
 * Errors of HttpSetUrlGroupProperty: ERROR_INVALID_PARAMETER (no such group, Address malformed or missing, a member out of
 * range), ERROR_ALREADY_EXISTS (the program opened this address already), ERROR_SHARING_VIOLATION (somebody else listens
 * there), ERROR_FILE_EXISTS (a file that is no socket has the path), ERROR_PATH_NOT_FOUND (no such folder),
 * ERROR_BUFFER_OVERFLOW (the path or name is longer than the system's 107 bytes), ERROR_ACCESS_DENIED, ERROR_NOT_FOUND (not
 * an address of this machine), ERROR_INVALID_HANDLE (the descriptor is no listening stream socket), ERROR_FILE_NOT_FOUND
 * (taken back: not opened by this group), ERROR_NO_SYSTEM_RESOURCES. The property cannot be queried. */
#define NTHTTP_SERVER_LISTEN_PROPERTY ((HTTP_SERVER_PROPERTY)0x140)

/* The port itself is not opened by URLs that are added to it from then on, by any group of the program: set it before the
 * first URL, and http://localhost:80/ is served at a Unix socket alone. It holds for as long as the way in is open. */
#define NTHTTP_LISTEN_FLAG_ONLY 0x00000001

/* Whether a connection begins with a header of the PROXY protocol, version 1 or 2, which tells the client behind a proxy.
 * The addresses it tells are then those of HTTP_REQUEST.Address and of HTTPERR; where it tells none (the commands LOCAL and
 * UNKNOWN, Unix sockets) the connection's own stand. The time-out for heads (HeaderWait) covers it. A connection that does
 * not keep to it is closed without an answer, and has a line in HTTPERR: ProxyProtocol_Missing, ProxyProtocol_Malformed (also
 * longer than 4096 bytes, or with a wrong checksum) or ProxyProtocol_Untrusted. */
typedef enum _NTHTTP_PROXY_PROTOCOL {
    NthttpProxyProtocolOff = 0,
    /* Trusted proxies may send it; what others send is a request. */
    NthttpProxyProtocolOptional = 1,
    /* It must be there, and come from a trusted proxy. */
    NthttpProxyProtocolRequired = 2
} NTHTTP_PROXY_PROTOCOL;

typedef struct _NTHTTP_LISTEN_INFO {
    /* Present 1: listen there. 0: no longer; only Address counts then. */
    HTTP_PROPERTY_FLAGS Flags;
    /* 0, or NTHTTP_LISTEN_FLAG_ONLY. */
    ULONG ListenFlags;
    /* Where, in UTF-8 with a NUL behind it; it is copied:
     *   unix:/run/app.sock   a Unix socket. One that a program left behind is replaced; ours is removed with the way in.
     *   unix:@name           a Unix socket with an abstract name (Linux): in no folder, and open to the whole machine.
     *   192.0.2.1:8080, [2001:db8::1]:8080, *:8080
     *   fd:3                 a socket that listens already, such as systemd hands on from descriptor 3. It is copied and made
     *                        non-blocking; the descriptor stays the program's.
     * Clients of a Unix socket are shown as 127.0.0.1, port 0, and their server as 127.0.0.1 with the port of Port; they
     * speak plain HTTP, also where the URLs are https. */
    PCSTR Address;
    /* With ProxyProtocol: whose word is taken, addresses and networks with commas between them ("10.0.0.0/8, ::1"). NULL:
     * everybody's. Of a Unix socket always everybody's who may open it. */
    PCSTR TrustedProxies;
    NTHTTP_PROXY_PROTOCOL ProxyProtocol;
    /* Permissions of a Unix socket in the file system, such as 0660; 0: those the process gives to new files. */
    ULONG SocketMode;
    /* Connections that may wait to be accepted; 0: 4096. The system has a limit of its own. */
    ULONG Backlog;
    /* The port of the URLs it is for; 0: 80. */
    USHORT Port;
} NTHTTP_LISTEN_INFO, *PNTHTTP_LISTEN_INFO;

#endif

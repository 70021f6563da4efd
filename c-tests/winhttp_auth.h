/* What both tests of authentication say and set. */
#ifndef WINHTTP_AUTH_H
#define WINHTTP_AUTH_H

#include "winhttp_server.h"

#define UNAUTHORIZED "HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n"
#define PROXY_WANTS "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 4\r\n"
#define BASIC UNAUTHORIZED "WWW-Authenticate: Basic realm=\"x\"\r\n\r\nnope"
#define DIGEST(NONCE, MORE)                                                                                             \
    UNAUTHORIZED "WWW-Authenticate: Digest realm=\"r\", nonce=\"" NONCE "\", qop=\"auth\"" MORE "\r\n\r\nnope"

__attribute__((unused)) static BOOL login(HINTERNET request, DWORD target, DWORD scheme)
{
    return WinHttpSetCredentials(request, target, scheme, W("user"), W("pass"), NULL);
}

#endif

/* <winsock2.h>: socket addresses and the few calls around them; the rest is the platform's <sys/socket.h>. */
#ifndef NTHTTP_WINSOCK2_H
#define NTHTTP_WINSOCK2_H

#include "nthttp/sockets.h"
#include "windows.h"

static inline int WSAGetLastError(void) {
    return errno;
}

#endif

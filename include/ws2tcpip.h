/* <ws2tcpip.h>: IPv6 addresses and name resolution; both come with winsock2.h. */
#ifndef NTHTTP_WS2TCPIP_H
#define NTHTTP_WS2TCPIP_H
#include "winsock2.h"

#endif

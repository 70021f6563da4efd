/* <mstcpip.h>: keep-alive and TCP statistics structures; both come with winsock2.h. */
#ifndef NTHTTP_MSTCPIP_H
#define NTHTTP_MSTCPIP_H
#include "winsock2.h"

#endif

/* <process.h>: _beginthreadex, which here is CreateThread. */
#ifndef NTHTTP_PROCESS_H
#define NTHTTP_PROCESS_H

#include "windows.h"

#define _beginthreadex(security, stack_size, start_address, arglist, initflag, thrdaddr) \
    ((uintptr_t)CreateThread((LPSECURITY_ATTRIBUTES)(security), (stack_size), (LPTHREAD_START_ROUTINE)(start_address), \
        (arglist), (initflag), (LPDWORD)(thrdaddr)))

#endif

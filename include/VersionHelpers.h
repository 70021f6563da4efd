/* <VersionHelpers.h>: every version the HTTP APIs ask about is reached; their behaviour is that of Windows 10. */
#ifndef NTHTTP_VERSIONHELPERS_H
#define NTHTTP_VERSIONHELPERS_H

#define IsWindowsXPOrGreater() 1
#define IsWindowsXPSP2OrGreater() 1
#define IsWindowsXPSP3OrGreater() 1
#define IsWindowsVistaOrGreater() 1
#define IsWindowsVistaSP1OrGreater() 1
#define IsWindows7OrGreater() 1
#define IsWindows7SP1OrGreater() 1
#define IsWindows8OrGreater() 1
#define IsWindows8Point1OrGreater() 1
#define IsWindows10OrGreater() 1
#define IsWindowsServer() 0

#endif

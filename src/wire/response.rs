//! Response heads as a client reads them (digest of WinHTTP §5.3, §6.7, §6.9).

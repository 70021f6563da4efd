//! Editing the header list of a request for `WinHttpAddRequestHeaders` (digest of WinHTTP §5.1).

//! URLs as WinHTTP takes them apart and puts them together (`WinHttpCrackUrl`, `WinHttpCreateUrl`), and the
//! escaping of request paths (`WinHttpOpenRequest`).

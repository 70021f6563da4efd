//! What a log is told about one response: the application's fields, and what the engine knows itself.

use crate::server::service::{LogFields, LogText};

/// One response.
pub(crate) struct Record<'a> {
    /// What the application said.
    pub(crate) fields: &'a LogFields,
    /// When its last byte was given to the kernel, in seconds since 1970.
    pub(crate) now: u64,
    /// The client's version of HTTP.
    pub(crate) version: (u16, u16),
    /// Bytes of the whole response, and of the request as far as it was read.
    pub(crate) bytes_sent: u64,
    /// See `bytes_sent`.
    pub(crate) bytes_received: u64,
    /// Milliseconds from the first byte of the request to the end of the last send.
    pub(crate) time_taken: u64,
}

/// Names of `HTTP_VERB`, which stand in for a method that was given as a number only.
const VERBS: [&str; 20] = [
    "",
    "",
    "",
    "OPTIONS",
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "TRACE",
    "CONNECT",
    "TRACK",
    "MOVE",
    "COPY",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "LOCK",
    "UNLOCK",
    "SEARCH",
];

impl Record<'_> {
    /// The method, empty if none was given.
    pub(super) fn method(&self) -> &[u8] {
        match self.fields.text(LogText::Method) {
            [] => VERBS.get(self.fields.method_num as usize).map_or(&[], |name| name.as_bytes()),
            method => method,
        }
    }
}

/// Appends a field of a line: `-` for an empty one, `+` for blanks and what cannot be printed, so that nothing a
/// client sends can end the field or the line.
pub(super) fn push_field(field: &[u8], out: &mut Vec<u8>) {
    if field.is_empty() {
        return out.push(b'-');
    }
    out.extend(field.iter().map(|byte| if *byte <= b' ' || *byte == 0x7F { b'+' } else { *byte }));
}

/// Appends a number in decimal.
pub(super) fn push_number(number: u64, out: &mut Vec<u8>) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends `HTTP/1.1`.
pub(super) fn push_version(version: (u16, u16), out: &mut Vec<u8>) {
    out.extend_from_slice(b"HTTP/");
    push_number(version.0.into(), out);
    out.push(b'.');
    push_number(version.1.into(), out);
}

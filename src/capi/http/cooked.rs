//! The cooked URL: `http://host:port/path?query` in UTF-16, planned (how many units) and then written.
//!
//! The host keeps the client's spelling and gets the connection's port when the client sent none; the path is
//! the decoded one; the query is copied as it came, one unit a byte. Decoding itself is `wire::target`.

use std::net::SocketAddr;

use crate::wire::request::RequestHead;

const SCHEME: [u16; 7] =
    [b'h' as u16, b't' as u16, b't' as u16, b'p' as u16, b':' as u16, b'/' as u16, b'/' as u16];

/// The cooked URL of one request, in pieces; all lengths in UTF-16 units.
pub(super) struct CookedUrl<'a> {
    host: Host<'a>,
    /// `:port`, right-aligned; empty when the host carries one.
    port: PortText,
    path: &'a [u8],
    path_len: usize,
    query: &'a [u8],
}

/// Where each piece of a written URL ends, in units from its start. The host starts after `http://`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) host: usize,
    pub(super) path: usize,
    pub(super) all: usize,
}

/// Units before the host.
pub(super) const HOST_START: usize = SCHEME.len();

enum Host<'a> {
    Sent(&'a [u8]),
    /// An HTTP/1.0 client named no host: the address it came to.
    Local(String),
}

impl Host<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Host::Sent(bytes) => bytes,
            Host::Local(text) => text.as_bytes(),
        }
    }
}

impl<'a> CookedUrl<'a> {
    /// Plans the URL of a request that came in on `local`.
    pub(super) fn plan(head: &'a RequestHead, local: &SocketAddr) -> CookedUrl<'a> {
        let (host, port) = match head.host {
            Some(span) => {
                let sent = head.text(span);
                (Host::Sent(sent), PortText::after(sent, local.port()))
            }
            None => (Host::Local(local.to_string()), PortText::none()),
        };
        let path = head.path();
        let query = head.text(head.raw_query);
        CookedUrl { host, port, path, path_len: units(path), query }
    }

    /// Units of the whole URL, without the NUL.
    #[inline]
    pub(super) fn len(&self) -> usize {
        SCHEME.len() + self.host.bytes().len() + self.port.text().len() + self.path_len + self.query.len()
    }

    /// Writes the URL into `out`, which holds [`CookedUrl::len`] units.
    #[inline]
    pub(super) fn write(&self, out: &mut [u16]) -> Ends {
        let (host, port) = (self.host.bytes(), self.port.text());
        let (scheme, rest) = out.split_at_mut(HOST_START);
        scheme.copy_from_slice(&SCHEME);
        let rest = widen(port, widen(host, rest));
        let rest = if self.path_len == self.path.len() {
            widen(self.path, rest)
        } else {
            encode(self.path, rest, self.path_len)
        };
        widen(self.query, rest);
        let host_end = HOST_START + host.len() + port.len();
        let path_end = host_end + self.path_len;
        Ends { host: host_end, path: path_end, all: path_end + self.query.len() }
    }
}

/// Copies bytes to units one to one, and gives what is left of `out`.
#[inline]
fn widen<'a>(bytes: &[u8], out: &'a mut [u16]) -> &'a mut [u16] {
    let (units, rest) = out.split_at_mut(bytes.len());
    if !widen_by::<8>(bytes, units) && !widen_by::<4>(bytes, units) {
        for (unit, byte) in units.iter_mut().zip(bytes) {
            *unit = u16::from(*byte);
        }
    }
    rest
}

/// Widens `N` bytes at a time, the last `N` perhaps over some that are there already: hosts and paths are so short
/// that a loop over what is left of them would take longer than all the rest. False if there are fewer.
#[inline(always)]
fn widen_by<const N: usize>(bytes: &[u8], units: &mut [u16]) -> bool {
    let (Some(last), Some(last_units)) = (bytes.last_chunk::<N>(), units.last_chunk_mut::<N>()) else {
        return false;
    };
    widen_array(last, last_units);
    for (some, some_units) in bytes.as_chunks::<N>().0.iter().zip(units.as_chunks_mut::<N>().0) {
        widen_array(some, some_units);
    }
    true
}

/// One vector instruction.
#[inline(always)]
fn widen_array<const N: usize>(bytes: &[u8; N], units: &mut [u16; N]) {
    for i in 0..N {
        units[i] = u16::from(bytes[i]);
    }
}

/// Units a path takes: UTF-8 is decoded, anything else stands for itself byte by byte.
#[inline]
fn units(path: &[u8]) -> usize {
    if path.is_ascii() {
        return path.len();
    }
    match std::str::from_utf8(path) {
        Ok(text) => text.encode_utf16().count(),
        Err(_) => path.len(),
    }
}

/// Writes a path in UTF-8 as `len` units, and gives what is left of `out`.
#[cold]
fn encode<'a>(path: &[u8], out: &'a mut [u16], len: usize) -> &'a mut [u16] {
    let (units, rest) = out.split_at_mut(len);
    if let Ok(text) = std::str::from_utf8(path) {
        for (unit, code) in units.iter_mut().zip(text.encode_utf16()) {
            *unit = code;
        }
    }
    rest
}

/// `:12345` in a few bytes on the stack.
struct PortText {
    bytes: [u8; 6],
    start: usize,
}

impl PortText {
    fn none() -> PortText {
        PortText { bytes: [0; 6], start: 6 }
    }

    /// What `host` lacks to end in a port.
    #[inline]
    fn after(host: &[u8], port: u16) -> PortText {
        let mut at = host.len();
        while at > 0 && host[at - 1].is_ascii_digit() {
            at -= 1;
        }
        let colon = at > 0 && host[at - 1] == b':';
        match (colon, at == host.len()) {
            (true, false) if !inside_brackets(host) => PortText::none(),
            (true, true) => PortText::digits(port),
            _ => {
                let mut text = PortText::digits(port);
                text.start -= 1;
                text.bytes[text.start] = b':';
                text
            }
        }
    }

    /// All five digits at once: a loop that stops at the first would wait for each division.
    fn digits(port: u16) -> PortText {
        let digit = |unit: u16| b'0' + (port / unit % 10) as u8;
        let bytes = [0, digit(10_000), digit(1000), digit(100), digit(10), digit(1)];
        let start = match port {
            10_000.. => 1,
            1000.. => 2,
            100.. => 3,
            10.. => 4,
            _ => 5,
        };
        PortText { bytes, start }
    }

    #[inline]
    fn text(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

/// Whether `host` is an IPv6 literal whose closing bracket is missing: its last colon is not a port's.
fn inside_brackets(host: &[u8]) -> bool {
    host.first() == Some(&b'[') && !host.contains(&b']')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Span;

    fn cooked(host: Option<&str>, path: &str, query: &str) -> (String, Ends) {
        let mut head = RequestHead::new();
        let mut span = |text: &str| {
            let start = head.bytes.len();
            head.bytes.extend_from_slice(text.as_bytes());
            Span::between(start, head.bytes.len())
        };
        let (host, raw_path, raw_query) = (host.map(&mut span), span(path), span(query));
        (head.host, head.raw_path, head.raw_query) = (host, raw_path, raw_query);
        let url = CookedUrl::plan(&head, &"127.0.0.1:8080".parse().unwrap());
        let mut out = vec![0; url.len()];
        let ends = url.write(&mut out);
        assert_eq!(ends.all, out.len());
        (String::from_utf16(&out).unwrap(), ends)
    }

    #[test]
    fn the_host_ends_in_a_port() {
        for (host, told) in [
            ("localhost:50000", "localhost:50000"),
            ("localhost", "localhost:8080"),
            ("localhost:", "localhost:8080"),
            ("10.0.0.1", "10.0.0.1:8080"),
            ("[::1]", "[::1]:8080"),
            ("[::1]:99", "[::1]:99"),
            ("Web7", "Web7:8080"),
        ] {
            assert_eq!(cooked(Some(host), "/a", "").0, format!("http://{told}/a"));
        }
    }

    #[test]
    fn pieces_end_where_they_should() {
        let (url, ends) = cooked(Some("localhost:50000"), "/foobar", "?a=b");
        assert_eq!(url, "http://localhost:50000/foobar?a=b");
        assert_eq!((HOST_START, ends), (7, Ends { host: 22, path: 29, all: 33 }));
    }

    #[test]
    fn a_path_in_utf8_becomes_utf16() {
        let (url, ends) = cooked(Some("h:1"), "/grüße/😀", "");
        assert_eq!(url, "http://h:1/grüße/😀");
        assert_eq!(ends.path - ends.host, "/grüße/😀".encode_utf16().count());
    }

    #[test]
    fn without_a_host_the_local_address_stands_in() {
        assert_eq!(cooked(None, "/", "").0, "http://127.0.0.1:8080/");
    }
}

//! Trailer sections: the fields behind the last chunk of a chunked body (RFC 9110 §6.5, RFC 9112 §7.1.2).
//!
//! A trailer comes when the message has long been framed, routed and judged, so fields that take part in that must not
//! be told in one: here is the list. What comes in with such a name is dropped; what is to go out with one is refused.

use super::field::{is_token, value_is_safe};

/// Lower-case names that must not be trailers: framing, routing, controls and conditions of the request, credentials, control
/// data of the response, and what says how content is to be read (RFC 9110 §6.5.1).
const FORBIDDEN: [&str; 36] = [
    "age",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "expect",
    "expires",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "location",
    "max-forwards",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "retry-after",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "vary",
    "via",
    "warning",
    "www-authenticate",
];

/// Whether a field of this name must not be a trailer.
pub fn is_forbidden(name: &[u8]) -> bool {
    FORBIDDEN.iter().any(|forbidden| name.eq_ignore_ascii_case(forbidden.as_bytes()))
}

/// Whether a field may be sent as a trailer.
pub fn may_send(name: &[u8], value: &[u8]) -> bool {
    is_token(name) && value_is_safe(value) && !is_forbidden(name)
}

/// Names and values of a section, line by line; values without the blanks around them.
pub fn fields(section: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let lines = section.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.filter_map(|line| {
        let colon = memchr::memchr(b':', line)?;
        Some((&line[..colon], line[colon + 1..].trim_ascii()))
    })
}

/// Appends a field to a section.
pub fn push(section: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    section.extend_from_slice(name);
    section.extend_from_slice(b": ");
    section.extend_from_slice(value);
    section.extend_from_slice(b"\r\n");
}

/// A section as received, without the fields that must not be told.
pub fn allowed(section: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    for (name, value) in fields(section).filter(|(name, _)| !is_forbidden(name)) {
        push(&mut kept, name, value);
    }
    kept
}

/// The end of a chunked body with this section: the last chunk, the section, the empty line.
pub fn end_of_body(section: &[u8]) -> Vec<u8> {
    [b"0\r\n", section, b"\r\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn framing_and_routing_do_not_get_through() {
        let section =
            b"Content-Length: 9\r\nX-Sum:  abc \r\nHOST: evil\r\ntransfer-encoding: chunked\r\nX-Empty:\r\n";
        let kept = allowed(section);
        assert_eq!(kept, b"X-Sum: abc\r\nX-Empty: \r\n");
        assert_eq!(fields(&kept).collect::<Vec<_>>(), [(&b"X-Sum"[..], &b"abc"[..]), (b"X-Empty", b"")]);
    }

    #[test]
    fn what_would_break_the_section_may_not_be_sent() {
        assert!(may_send(b"X-Sum", b"abc"));
        assert!(!may_send(b"X Sum", b"abc") && !may_send(b"", b"abc"));
        assert!(!may_send(b"X-Sum", b"a\r\nb") && !may_send(b"Trailer", b"x"));
        assert!(FORBIDDEN.is_sorted());
    }

    #[test]
    fn a_body_ends_as_the_decoder_reads_it() {
        let mut section = Vec::new();
        push(&mut section, b"X-Sum", b"abc");
        let mut decoder = super::super::chunked::ChunkDecoder::new(true);
        decoder.decode(&end_of_body(&section), &mut []).unwrap();
        assert!(decoder.is_done());
        assert_eq!(decoder.trailers(), section);
    }

    proptest! {
        #[test]
        fn any_section_is_read(section in proptest::collection::vec(any::<u8>(), 0..64)) {
            let kept = allowed(&section);
            prop_assert!(fields(&kept).all(|(name, _)| !is_forbidden(name)));
        }
    }
}

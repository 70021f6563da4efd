//! Header fields: the numbers known names have in `HTTP_HEADER_ID` (digest §0.5), and the grammar of names and
//! values (RFC 9110 §5). Reading field lines out of a head is in `request` and `response`.

use super::Span;
use super::bytes::{self, Name};

/// One field line of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The number of a known name (request or response numbering, by the head it is in), else [`UNKNOWN`].
    pub id: u8,
    /// The name as sent.
    pub name: Span,
    /// The value without surrounding white space.
    pub value: Span,
}

/// [`Field::id`] of a name without a number.
pub const UNKNOWN: u8 = 255;

/// How many request fields have a number (`HttpHeaderRequestMaximum`).
pub const REQUEST_IDS: usize = 41;

/// How many response fields have a number (`HttpHeaderResponseMaximum`).
pub const RESPONSE_IDS: usize = 30;

/// The numbers the library itself looks at, in either numbering.
pub mod id {
    /// `Connection`
    pub const CONNECTION: u8 = 1;
    /// `Date`
    pub const DATE: u8 = 2;
    /// `Transfer-Encoding`
    pub const TRANSFER_ENCODING: u8 = 6;
    /// `Content-Length`
    pub const CONTENT_LENGTH: u8 = 11;
    /// `Content-Type`
    pub const CONTENT_TYPE: u8 = 12;
    /// `Expect`, of requests.
    pub const EXPECT: u8 = 26;
    /// `Host`, of requests.
    pub const HOST: u8 = 28;
    /// `Range`, of requests.
    pub const RANGE: u8 = 37;
    /// `Server`, of responses.
    pub const SERVER: u8 = 26;
}

/// Names 0 to 19 are shared; the rest differ.
const SHARED: [&str; 20] = [
    "Cache-Control",
    "Connection",
    "Date",
    "Keep-Alive",
    "Pragma",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "Via",
    "Warning",
    "Allow",
    "Content-Length",
    "Content-Type",
    "Content-Encoding",
    "Content-Language",
    "Content-Location",
    "Content-MD5",
    "Content-Range",
    "Expires",
    "Last-Modified",
];

const REQUEST_ONLY: [&str; REQUEST_IDS - 20] = [
    "Accept",
    "Accept-Charset",
    "Accept-Encoding",
    "Accept-Language",
    "Authorization",
    "Cookie",
    "Expect",
    "From",
    "Host",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Max-Forwards",
    "Proxy-Authorization",
    "Referer",
    "Range",
    "TE",
    "Translate",
    "User-Agent",
];

const RESPONSE_ONLY: [&str; RESPONSE_IDS - 20] = [
    "Accept-Ranges",
    "Age",
    "ETag",
    "Location",
    "Proxy-Authenticate",
    "Retry-After",
    "Server",
    "Set-Cookie",
    "Vary",
    "WWW-Authenticate",
];

const REQUEST_NAMES: [&str; REQUEST_IDS] = join(REQUEST_ONLY);
const RESPONSE_NAMES: [&str; RESPONSE_IDS] = join(RESPONSE_ONLY);
static REQUEST_SLOTS: [u8; 128] = slots(&REQUEST_NAMES);
static RESPONSE_SLOTS: [u8; 128] = slots(&RESPONSE_NAMES);
static REQUEST_FORMS: [Name; REQUEST_IDS] = forms(&REQUEST_NAMES);
static RESPONSE_FORMS: [Name; RESPONSE_IDS] = forms(&RESPONSE_NAMES);

const fn forms<const ALL: usize>(names: &[&str; ALL]) -> [Name; ALL] {
    let mut forms = [Name::NONE; ALL];
    let mut i = 0;
    while i < ALL {
        forms[i] = Name::new(names[i]);
        i += 1;
    }
    forms
}

const fn join<const OWN: usize, const ALL: usize>(own: [&'static str; OWN]) -> [&'static str; ALL] {
    let mut names = [""; ALL];
    let mut i = 0;
    while i < ALL {
        names[i] = if i < SHARED.len() { SHARED[i] } else { own[i - SHARED.len()] };
        i += 1;
    }
    names
}

/// The slot of a name that is not empty. The factors were searched for: no two names of one numbering meet,
/// and [`slots`] refuses to compile if they ever do.
#[inline]
const fn slot(name: &[u8]) -> usize {
    let length = name.len();
    let (first, middle, last) = (name[0] | 0x20, name[length / 2] | 0x20, name[length - 1] | 0x20);
    (length * 4 + first as usize * 20 + last as usize * 27 + middle as usize) & 127
}

const fn slots(names: &[&str]) -> [u8; 128] {
    let mut table = [UNKNOWN; 128];
    let mut i = 0;
    while i < names.len() {
        let at = slot(names[i].as_bytes());
        assert!(table[at] == UNKNOWN, "two names share a slot");
        table[at] = i as u8;
        i += 1;
    }
    table
}

/// The number of the name that the first `len` bytes of `text` are.
#[inline]
fn look_up(text: &[u8], len: usize, slots: &[u8; 128], forms: &[Name]) -> u8 {
    if len == 0 {
        return UNKNOWN;
    }
    let id = slots[slot(&text[..len])];
    match forms.get(usize::from(id)) {
        Some(name) if name.starts(text, len) => id,
        _ => UNKNOWN,
    }
}

/// The number of the request field whose name is the first `len` bytes of `text`.
#[inline]
pub(super) fn request_id_at(text: &[u8], len: usize) -> u8 {
    look_up(text, len, &REQUEST_SLOTS, &REQUEST_FORMS)
}

/// The number of a request field's name, compared without regard to case, or [`UNKNOWN`].
#[inline]
pub fn request_id(name: &[u8]) -> u8 {
    look_up(name, name.len(), &REQUEST_SLOTS, &REQUEST_FORMS)
}

/// The number of a response field's name, compared without regard to case, or [`UNKNOWN`].
#[inline]
pub fn response_id(name: &[u8]) -> u8 {
    look_up(name, name.len(), &RESPONSE_SLOTS, &RESPONSE_FORMS)
}

/// The name of a numbered response field in its usual spelling, e.g. `Content-Type`; empty for other numbers.
pub fn response_name(id: u8) -> &'static str {
    RESPONSE_NAMES.get(usize::from(id)).copied().unwrap_or("")
}

/// The name of a numbered request field in its usual spelling; empty for other numbers.
pub fn request_name(id: u8) -> &'static str {
    REQUEST_NAMES.get(usize::from(id)).copied().unwrap_or("")
}

/// Whether a value may be put on the wire: no CR, LF or NUL.
pub fn value_is_safe(value: &[u8]) -> bool {
    // Without an early end, so that it takes whole vectors; most values are shorter than what a search sets up.
    !value.iter().fold(false, |unsafe_so_far, byte| unsafe_so_far | matches!(byte, 0 | b'\r' | b'\n'))
}

/// Whether a name is an RFC 9110 token.
pub fn is_token(name: &[u8]) -> bool {
    !name.is_empty() && bytes::token_len(name) == name.len()
}

/// The members of a comma-separated list (RFC 9110 §5.6.1), without white space around them; empty ones are
/// left out. Quoted strings are not looked into: the lists read this way have none.
pub(super) fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(bytes::trim).filter(|member| !member.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_http_header_id() {
        assert_eq!(request_id(b"Cache-Control"), 0);
        assert_eq!(request_id(b"Last-Modified"), 19);
        assert_eq!(request_id(b"Accept"), 20);
        assert_eq!(request_id(b"host"), 28);
        assert_eq!(request_id(b"USER-AGENT"), 40);
        assert_eq!(response_id(b"Accept-Ranges"), 20);
        assert_eq!(response_id(b"ETAG"), 22);
        assert_eq!(response_id(b"www-authenticate"), 29);
        assert_eq!(id::HOST, request_id(b"Host"));
        assert_eq!(id::EXPECT, request_id(b"Expect"));
        assert_eq!(id::RANGE, request_id(b"Range"));
        assert_eq!(id::SERVER, response_id(b"Server"));
        assert_eq!(id::CONTENT_LENGTH, response_id(b"Content-Length"));
        assert_eq!(id::TRANSFER_ENCODING, response_id(b"Transfer-Encoding"));
    }

    #[test]
    fn every_name_finds_its_own_number_in_any_case() {
        for id in 0..REQUEST_IDS as u8 {
            assert_eq!(request_id(request_name(id).as_bytes()), id);
            assert_eq!(request_id(request_name(id).to_ascii_uppercase().as_bytes()), id);
        }
        for id in 0..RESPONSE_IDS as u8 {
            assert_eq!(response_id(response_name(id).as_bytes()), id);
            assert_eq!(response_id(response_name(id).to_ascii_lowercase().as_bytes()), id);
        }
    }

    #[test]
    fn other_names_have_no_number() {
        for name in [&b""[..], b"X", b"Hosts", b"Hos", b"Server", b"Content\rType", b"DNT"] {
            assert_eq!(request_id(name), UNKNOWN, "{name:?}");
        }
        assert_eq!(response_id(b"Host"), UNKNOWN);
        assert_eq!(request_name(UNKNOWN), "");
        assert_eq!(response_name(30), "");
    }

    #[test]
    fn tokens_and_values() {
        assert!(is_token(b"!#$%&'*+-.^_`|~09azAZ"));
        for name in [&b""[..], b"a b", b"a:", b"a(", b"a\x7f", b"\xc3\xa9", b"a/b"] {
            assert!(!is_token(name), "{name:?}");
        }
        assert!(value_is_safe(b"any\tthing \xff"));
        assert!(!value_is_safe(b"a\r\nb") && !value_is_safe(b"\0") && !value_is_safe(b"a\nb"));
    }

    #[test]
    fn lists_skip_empty_members() {
        let members: Vec<_> = list(b" a ,,\tb, ").collect();
        assert_eq!(members, [b"a", b"b"]);
    }
}

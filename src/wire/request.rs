//! Request heads: the request line, the fields, and what they say of the body and the connection (RFC 9112).

use super::field::Field;
use super::refusal::Refusal;
use super::{Parsed, Span};

/// The methods that have a number in `HTTP_VERB`; the discriminants are those numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Verb {
    /// A token without a number; its text is in [`RequestHead::verb_text`].
    Unknown = 1,
    Options = 3,
    Get = 4,
    Head = 5,
    Post = 6,
    Put = 7,
    Delete = 8,
    Trace = 9,
    Connect = 10,
    Track = 11,
    Move = 12,
    Copy = 13,
    Propfind = 14,
    Proppatch = 15,
    Mkcol = 16,
    Lock = 17,
    Unlock = 18,
    Search = 19,
}

/// How the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    None,
    /// Exactly this many bytes.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// Until the connection closes (responses only).
    Close,
}

/// The registry's limits on a request head (digest §8.2), with their defaults.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `MaxFieldLength`: bytes of one field line.
    pub field: usize,
    /// `MaxRequestBytes`: bytes of request line and fields together.
    pub head: usize,
    /// `UrlSegmentMaxLength`: characters between two slashes.
    pub segment: usize,
    /// `UrlSegmentMaxCount`: segments of a path.
    pub segments: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { field: 16384, head: 16384, segment: 260, segments: 255 }
    }
}

/// One request head. Kept and reused, so that a request on a warm connection allocates nothing.
#[derive(Clone, Debug)]
pub struct RequestHead {
    /// Request line and fields as they came, up to and including the empty line.
    pub bytes: Vec<u8>,
    /// The method, if it has a number.
    pub verb: Verb,
    /// The method as sent.
    pub verb_text: Span,
    /// The request target as sent.
    pub target: Span,
    /// HTTP version, (1, 1) or (1, 0).
    pub version: (u16, u16),
    /// Field lines in arrival order, values without surrounding white space.
    pub fields: Vec<Field>,
    /// Host as it counts for routing: the target's authority in absolute form, else the Host field; with
    /// its port if it was sent with one. `None` when an HTTP/1.0 request has neither.
    pub host: Option<Span>,
    /// Path of the target before decoding (from its `/`, or `*`), without the query.
    pub raw_path: Span,
    /// Query of the target with its `?`; empty when there is none.
    pub raw_query: Span,
    /// The decoded path (percent escapes, dot segments, backslashes resolved) when that differs from
    /// `raw_path`; `None` when `raw_path` is already it. UTF-8.
    pub decoded_path: Option<String>,
    /// Where the body ends.
    pub framing: Framing,
    /// The client lets the connection live on after this exchange.
    pub keep_alive: bool,
    /// `Expect: 100-continue` was sent.
    pub expect_continue: bool,
}

impl RequestHead {
    /// An empty head, ready for [`RequestHead::parse`].
    pub fn new() -> RequestHead {
        RequestHead {
            bytes: Vec::new(),
            verb: Verb::Unknown,
            verb_text: Span::default(),
            target: Span::default(),
            version: (1, 1),
            fields: Vec::new(),
            host: None,
            raw_path: Span::default(),
            raw_query: Span::default(),
            decoded_path: None,
            framing: Framing::None,
            keep_alive: true,
            expect_continue: false,
        }
    }

    /// Looks for a complete head at the start of `input`; on `Complete` the head's bytes have been copied
    /// into `self.bytes` and every other field is set. On a refusal the fields seen so far (`verb`,
    /// `target`, `version`) are kept for the log.
    pub fn parse(&mut self, input: &[u8], limits: &Limits) -> Result<Parsed, Refusal> {
        let _ = (input, limits);
        todo!("wire")
    }

    /// The decoded path, as routing and `pAbsPath` see it.
    #[inline]
    pub fn path(&self) -> &[u8] {
        match &self.decoded_path {
            Some(path) => path.as_bytes(),
            None => self.raw_path.of(&self.bytes),
        }
    }

    /// The bytes a span of this head names.
    #[inline]
    pub fn text(&self, span: Span) -> &[u8] {
        span.of(&self.bytes)
    }
}

impl Default for RequestHead {
    fn default() -> Self {
        RequestHead::new()
    }
}

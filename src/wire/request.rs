//! Request heads: the request line, the fields, and what they say of the body and the connection (RFC 9112).
//!
//! Here are the types. `parse` reads the head in one pass, `line` the request line, `framing` decides about
//! body and connection, `host` knows the grammar of authorities. Faults are answered in the order of digest
//! §8.3: verb, version, target, fields, host, framing.
//!
//! Differs from the digest where a proxy could read the same bytes otherwise: folded field lines are refused,
//! and an empty line ends the head even directly after the request line.

mod framing;
#[cfg(test)]
mod framing_tests;
mod host;
mod limits;
mod line;
mod parse;
#[cfg(test)]
mod tests;

use super::Span;
use super::field::Field;

pub use limits::{Limits, Syntax};

/// The methods that have a number in `HTTP_VERB`; the discriminants are those numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Verb {
    /// A token without a number; its text is in [`RequestHead::verb_text`].
    Unknown = 1,
    /// `OPTIONS`
    Options = 3,
    /// `GET`
    Get = 4,
    /// `HEAD`
    Head = 5,
    /// `POST`
    Post = 6,
    /// `PUT`
    Put = 7,
    /// `DELETE`
    Delete = 8,
    /// `TRACE`
    Trace = 9,
    /// `CONNECT`
    Connect = 10,
    /// `TRACK`
    Track = 11,
    /// `MOVE`
    Move = 12,
    /// `COPY`
    Copy = 13,
    /// `PROPFIND`
    Propfind = 14,
    /// `PROPPATCH`
    Proppatch = 15,
    /// `MKCOL`
    Mkcol = 16,
    /// `LOCK`
    Lock = 17,
    /// `UNLOCK`
    Unlock = 18,
    /// `SEARCH`
    Search = 19,
}

impl Verb {
    /// The verb for a method as sent; methods are case-sensitive.
    #[inline]
    pub fn from_text(text: &[u8]) -> Verb {
        match text {
            b"GET" => Verb::Get,
            b"POST" => Verb::Post,
            b"PUT" => Verb::Put,
            b"HEAD" => Verb::Head,
            b"OPTIONS" => Verb::Options,
            b"DELETE" => Verb::Delete,
            b"TRACE" => Verb::Trace,
            b"CONNECT" => Verb::Connect,
            b"TRACK" => Verb::Track,
            b"MOVE" => Verb::Move,
            b"COPY" => Verb::Copy,
            b"PROPFIND" => Verb::Propfind,
            b"PROPPATCH" => Verb::Proppatch,
            b"MKCOL" => Verb::Mkcol,
            b"LOCK" => Verb::Lock,
            b"UNLOCK" => Verb::Unlock,
            b"SEARCH" => Verb::Search,
            _ => Verb::Unknown,
        }
    }
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
    /// HTTP version, (1, 1) or (1, 0); (0, 0) while unknown and another one when it is refused.
    pub version: (u16, u16),
    /// Field lines in arrival order, values without surrounding white space.
    pub fields: Vec<Field>,
    /// Host as it counts for routing: the target's authority in absolute form, else the Host field; with
    /// its port if it was sent with one. `None` when an HTTP/1.0 request has neither.
    pub host: Option<Span>,
    /// Path of the target before decoding (from its `/`, or `*`), without the query; empty for CONNECT.
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

//! HTTP as bytes: URLs and prefixes, heads, fields, chunks, dates. No sockets, no threads, no clocks, no unsafe.
//!
//! Everything here is a function of its arguments, so it is tested and fuzzed without a network.

pub mod authorization;
pub(crate) mod bytes;
pub mod challenge;
pub mod chunked;
pub mod cookie;
pub mod date;
pub mod field;
mod framing;
mod keep_alive;
pub mod prefix;
pub mod proxy;
pub mod range;
pub mod refusal;
pub mod request;
pub mod request_fields;
pub mod response;
pub mod suffixes;
pub mod target;
pub mod trailers;
pub mod url;
pub mod websocket;

/// A stretch of the buffer a head was parsed from. Heads are limited to 16 MiB, so 32 bits are enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Number of bytes.
    pub len: u32,
}

impl Span {
    /// The bytes this span names in `buffer`.
    #[inline]
    pub fn of(self, buffer: &[u8]) -> &[u8] {
        &buffer[self.start as usize..self.start as usize + self.len as usize]
    }

    /// The span from `start` up to, not including, `end`.
    #[inline]
    pub fn between(start: usize, end: usize) -> Span {
        Span { start: start as u32, len: (end - start) as u32 }
    }
}

/// What came of looking for a head at the start of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// The head is complete and ends before this offset; the body or the next message starts there.
    Complete(usize),
    /// More bytes are needed.
    Partial,
}

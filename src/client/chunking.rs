//! Framing the request body in chunks for the application (WINHTTP_FLAG_AUTOMATIC_CHUNKING): every write is a
//! chunk, and ReceiveResponse ends the body.
//!
//! The CR LF that ends a chunk goes out in front of the next one, so that a write is one send.

use std::io::Write;

use crate::abi::error::Result;

use super::causes;
use super::connection::io_error;
use super::exchange::Exchange;
use super::request::Request;

/// How far a body framed here has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Chunks {
    /// The body is not framed here.
    #[default]
    Off,
    /// Nothing of it has been sent.
    Start,
    /// A chunk has been sent, but for its last CR LF.
    Open,
    /// The last chunk has been sent.
    Ended,
}

/// A size line with what has to go before it: two times CR LF and 16 digits.
#[derive(Default)]
pub(crate) struct Prefix {
    bytes: [u8; 20],
    len: usize,
}

impl Prefix {
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Chunks {
    /// What goes in front of so many bytes of body; nothing in front of none.
    pub(crate) fn prefix(&mut self, count: usize) -> Prefix {
        let mut prefix = Prefix::default();
        if *self == Chunks::Off || count == 0 {
            return prefix;
        }
        let room = prefix.bytes.len();
        let mut rest = &mut prefix.bytes[..];
        let before = if *self == Chunks::Open { "\r\n" } else { "" };
        // 20 bytes hold every size a usize can have.
        let _ = write!(rest, "{before}{count:x}\r\n");
        prefix.len = room - rest.len();
        *self = Chunks::Open;
        prefix
    }

    /// What ends the body, once.
    fn end(&mut self) -> &'static [u8] {
        match std::mem::replace(self, Chunks::Ended) {
            Chunks::Start => b"0\r\n\r\n",
            Chunks::Open => b"\r\n0\r\n\r\n",
            unchanged @ (Chunks::Off | Chunks::Ended) => {
                *self = unchanged;
                b""
            }
        }
    }

    /// The last chunk is still to be sent.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Chunks::Start | Chunks::Open)
    }
}

/// How a body ends that the application frames itself, as far as it has been sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ending {
    bytes: [u8; 7],
    len: usize,
}

impl Ending {
    /// More of the body has been sent.
    pub(crate) fn add(&mut self, sent: &[u8]) {
        let sent = &sent[sent.len().saturating_sub(self.bytes.len())..];
        let drop = (self.len + sent.len()).saturating_sub(self.bytes.len());
        self.bytes.copy_within(drop..self.len, 0);
        let kept = self.len - drop;
        self.len = kept + sent.len();
        self.bytes[kept..self.len].copy_from_slice(sent);
    }

    /// It ends with a last chunk without trailers; what else may be complete is not known.
    pub(crate) fn is_last_chunk(&self) -> bool {
        matches!(&self.bytes[..self.len], b"\r\n0\r\n\r\n" | b"0\r\n\r\n")
    }
}

impl Request {
    /// Sends the last chunk. A server that has answered already may not want it any more.
    pub(crate) fn end_chunks(&self, exchange: &mut Exchange) -> Result<()> {
        let end = exchange.upload.chunks.end();
        if exchange.upload.unwanted {
            return Ok(());
        }
        let Err(error) = exchange.connection()?.stream.send_all(end, &[]) else { return Ok(()) };
        exchange.upload.unwanted = exchange.has_early_answer();
        if exchange.upload.unwanted {
            return Ok(());
        }
        let stale = !self.cancel.is_cancelled()
            && exchange.can_replay()
            && self.with_settings(|settings| exchange.is_stale(io_error(&error), settings));
        if stale {
            return self.resend_quietly(exchange);
        }
        Err(self.with_settings(|settings| causes::sending(&error, settings)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_known_however_it_is_sent() {
        for (body, over) in [
            ("0\r\n\r\n", true),
            ("5\r\nhello\r\n0\r\n\r\n", true),
            ("", false),
            ("5\r\nhel", false),
            ("10\r\n\r\n", false),
            ("0\r\n", false),
        ] {
            for size in 1..9 {
                let mut ending = Ending::default();
                body.as_bytes().chunks(size).for_each(|part| ending.add(part));
                assert_eq!(ending.is_last_chunk(), over, "{body:?} by {size}");
            }
        }
    }

    #[test]
    fn chunks_follow_each_other() {
        let mut chunks = Chunks::Start;
        assert_eq!(chunks.prefix(0).as_slice(), b"");
        assert_eq!(chunks.prefix(255).as_slice(), b"ff\r\n");
        assert_eq!(chunks.prefix(usize::MAX).as_slice(), b"\r\nffffffffffffffff\r\n");
        assert_eq!(chunks.end(), b"\r\n0\r\n\r\n");
        assert_eq!(chunks.end(), b"");
        assert_eq!(Chunks::Start.end(), b"0\r\n\r\n");
        let mut off = Chunks::Off;
        assert_eq!(off.prefix(5).as_slice(), b"");
        assert_eq!((off.end(), off), (&b""[..], Chunks::Off));
    }
}

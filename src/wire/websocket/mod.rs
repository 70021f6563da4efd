//! WebSocket as bytes (RFC 6455, RFC 7692), from a client's side: what goes out is masked, what comes in is not.
//!
//! ```text
//! handshake   the fields of the upgrade and their checks, with the parameters of permessage-deflate
//! frame       headers and masks
//! inbound     bytes received -> pieces of messages, pings, the close frame
//! outbound    messages and control frames -> bytes to send
//! close       status and reason of a close frame
//! deflate     compressed messages, both ways
//! utf8        text checked as it comes
//! ```
//!
//! Sockets and timers, and what waits for what, are in `client::websocket`.

pub mod close;
pub mod deflate;
pub mod frame;
pub mod handshake;
pub mod inbound;
pub mod outbound;
pub mod utf8;

#[cfg(test)]
mod tests;

/// What is wrong with what the server sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A reserved bit is set that no extension has claimed.
    ReservedBit,
    /// An opcode that has no meaning.
    UnknownOpcode,
    /// A masked frame; only clients mask.
    Masked,
    /// A length of more bytes than it needs, or over 2^63.
    Length,
    /// A control frame of more than 125 bytes, or one that is a fragment.
    ControlFrame,
    /// A continuation with nothing to continue.
    StrayContinuation,
    /// A new message inside another.
    Interrupted,
    /// A close frame with a status that must not be sent, or with half a one.
    CloseStatus,
    /// Text that is not UTF-8.
    NotUtf8,
    /// A compressed message that does not decompress.
    Compression,
}

impl Fault {
    /// The status of the close frame that answers it.
    pub fn close_status(self) -> u16 {
        if self == Fault::NotUtf8 { close::INVALID_PAYLOAD } else { close::PROTOCOL_ERROR }
    }

    /// It in words, for nthttp_last_error_message.
    pub fn words(self) -> &'static str {
        match self {
            Fault::ReservedBit => "a frame with a reserved bit",
            Fault::UnknownOpcode => "a frame with an unknown opcode",
            Fault::Masked => "a masked frame",
            Fault::Length => "a frame whose length is not written as it should be",
            Fault::ControlFrame => "a control frame that is too long or a fragment",
            Fault::StrayContinuation => "a continuation with nothing to continue",
            Fault::Interrupted => "a new message inside another",
            Fault::CloseStatus => "a close frame with an impossible status",
            Fault::NotUtf8 => "text that is not UTF-8",
            Fault::Compression => "a compressed message that does not decompress",
        }
    }
}

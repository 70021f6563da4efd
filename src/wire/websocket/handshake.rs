//! The fields of an upgrade and of its answer (RFC 6455 §4.1, RFC 7692 §7.1).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// What every key is joined with.
const MAGIC: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The name of the one extension there is.
const DEFLATE: &str = "permessage-deflate";

/// The value of Sec-WebSocket-Key for 16 random bytes.
pub fn key(random: [u8; 16]) -> String {
    STANDARD.encode(random)
}

/// The value of Sec-WebSocket-Accept that answers a key.
pub fn accept(key: &str) -> String {
    STANDARD.encode(Sha1::new().chain_update(key).chain_update(MAGIC).finalize())
}

/// Whether a list of tokens has this one, in any case.
pub fn has_token(list: &[u8], token: &str) -> bool {
    list.split(|byte| *byte == b',').any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

/// What is offered of permessage-deflate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// This side will compress every message by itself.
    pub client_no_context: bool,
    /// The server is to do so.
    pub server_no_context: bool,
    /// The largest window of this side, 9 to 15 bits; 0 leaves it to the server.
    pub client_bits: u8,
    /// The largest window of the server, 9 to 15 bits; 0 leaves it to the server.
    pub server_bits: u8,
}

impl Offer {
    /// The value of Sec-WebSocket-Extensions.
    pub fn text(&self) -> String {
        let mut text = DEFLATE.to_owned();
        if self.client_no_context {
            text.push_str("; client_no_context_takeover");
        }
        if self.server_no_context {
            text.push_str("; server_no_context_takeover");
        }
        if self.server_bits != 0 {
            text.push_str(&format!("; server_max_window_bits={}", self.server_bits));
        }
        text.push_str("; client_max_window_bits");
        if self.client_bits != 0 {
            text.push_str(&format!("={}", self.client_bits));
        }
        text
    }

    /// Reads the server's answer to the offer. `None` when it says what was not offered, or not all that was asked.
    pub fn agree(&self, answer: &[u8]) -> Option<Agreement> {
        let answer = std::str::from_utf8(answer).ok()?;
        let mut parts = answer.split(';').map(str::trim);
        if !parts.next()?.eq_ignore_ascii_case(DEFLATE) {
            return None;
        }
        let [mut client_no_context, mut server_no_context, mut client_bits, mut server_bits] =
            [None::<u8>; 4];
        for part in parts {
            let (name, value) = part
                .split_once('=')
                .map_or((part, None), |(name, value)| (name.trim(), Some(value.trim().trim_matches('"'))));
            let slot = match name.to_ascii_lowercase().as_str() {
                "client_no_context_takeover" => &mut client_no_context,
                "server_no_context_takeover" => &mut server_no_context,
                "client_max_window_bits" => &mut client_bits,
                "server_max_window_bits" => &mut server_bits,
                _ => return None,
            };
            let number = match (name.ends_with("bits"), value) {
                (true, Some(value)) => window_bits(value)?,
                (false, None) => 1,
                _ => return None,
            };
            if slot.replace(number).is_some() {
                return None;
            }
        }
        let within = |bits: Option<u8>, asked: u8| asked == 0 || bits.is_some_and(|bits| bits <= asked);
        let granted = !self.server_no_context || server_no_context.is_some();
        if !granted || !within(server_bits, self.server_bits) {
            return None;
        }
        let own = if self.client_bits == 0 { 15 } else { self.client_bits };
        Some(Agreement {
            client_no_context: self.client_no_context || client_no_context.is_some(),
            server_no_context: server_no_context.is_some(),
            client_bits: client_bits.unwrap_or(15).min(own),
            server_bits: server_bits.unwrap_or(15),
        })
    }
}

/// A number of 8 to 15 without leading zeros.
fn window_bits(text: &str) -> Option<u8> {
    let bits = text.parse::<u8>().ok().filter(|bits| (8..=15).contains(bits))?;
    (bits.to_string() == text).then_some(bits)
}

/// What both sides keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// This side compresses every message by itself.
    pub client_no_context: bool,
    /// So does the server.
    pub server_no_context: bool,
    /// This side's window.
    pub client_bits: u8,
    /// The server's window.
    pub server_bits: u8,
}

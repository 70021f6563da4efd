//! Frame headers and masks (RFC 6455 §5.2, §5.3).

use super::Fault;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// More of a message.
    Continuation = 0,
    /// The start of a text message.
    Text = 1,
    /// The start of a binary message.
    Binary = 2,
    /// The last frame of a side.
    Close = 8,
    /// Asks for a pong.
    Ping = 9,
    /// Answers a ping, or shows that someone is there.
    Pong = 10,
}

impl Opcode {
    fn from_bits(bits: u8) -> Option<Opcode> {
        Some(match bits {
            0 => Opcode::Continuation,
            1 => Opcode::Text,
            2 => Opcode::Binary,
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            _ => return None,
        })
    }

    /// Close, ping or pong.
    pub fn is_control(self) -> bool {
        self as u8 >= 8
    }
}

/// The longest payload of a control frame.
pub const MAX_CONTROL: usize = 125;

/// The longest header a client writes: two bytes, eight of length, four of mask.
pub const MAX_HEADER: usize = 14;

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const RSV23: u8 = 0x30;
const MASK: u8 = 0x80;

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The last frame of its message.
    pub fin: bool,
    /// RSV1: the first frame of a compressed message.
    pub compressed: bool,
    /// What the frame is.
    pub opcode: Opcode,
    /// Bytes of payload.
    pub length: u64,
}

/// Reads a server's header from the front of `input`; also gives its size. `None` when more bytes are needed. What is
/// wrong is refused as soon as the byte that says it is there.
pub fn parse(input: &[u8], may_compress: bool) -> Result<Option<(Header, usize)>, Fault> {
    let Some(&first) = input.first() else { return Ok(None) };
    if first & RSV23 != 0 || (first & RSV1 != 0 && !may_compress) {
        return Err(Fault::ReservedBit);
    }
    let opcode = Opcode::from_bits(first & 0x0F).ok_or(Fault::UnknownOpcode)?;
    let (fin, compressed) = (first & FIN != 0, first & RSV1 != 0);
    if compressed && !matches!(opcode, Opcode::Text | Opcode::Binary) {
        return Err(Fault::ReservedBit);
    }
    if opcode.is_control() && !fin {
        return Err(Fault::ControlFrame);
    }
    let Some(&second) = input.get(1) else { return Ok(None) };
    if second & MASK != 0 {
        return Err(Fault::Masked);
    }
    if opcode.is_control() && usize::from(second) > MAX_CONTROL {
        return Err(Fault::ControlFrame);
    }
    let (length, size) = match second {
        126 => match input.get(2..4) {
            Some(bytes) => (bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)), 4),
            None => return Ok(None),
        },
        127 => match input.get(2..10) {
            Some(bytes) => (bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)), 10),
            None => return Ok(None),
        },
        short => (u64::from(short), 2),
    };
    let minimal = match size {
        2 => true,
        4 => length > 125,
        _ => length > 0xFFFF && length >> 63 == 0,
    };
    if !minimal {
        return Err(Fault::Length);
    }
    Ok(Some((Header { fin, compressed, opcode, length }, size)))
}

impl Header {
    /// Writes a client's header, with its mask, to the end of `room`; gives its size.
    pub fn write(&self, key: [u8; 4], room: &mut [u8; MAX_HEADER]) -> usize {
        let first =
            self.opcode as u8 | if self.fin { FIN } else { 0 } | if self.compressed { RSV1 } else { 0 };
        let length = self.length.to_be_bytes();
        let (second, more): (u8, &[u8]) = match self.length {
            0..=125 => (length[7], &[]),
            126..=0xFFFF => (126, &length[6..]),
            _ => (127, &length),
        };
        let size = 2 + more.len() + 4;
        let place = &mut room[MAX_HEADER - size..];
        place[0] = first;
        place[1] = MASK | second;
        place[2..2 + more.len()].copy_from_slice(more);
        place[2 + more.len()..].copy_from_slice(&key);
        size
    }
}

/// Masks `bytes`, which start `phase` bytes into the payload. Words of eight bytes, which compilers make wider.
pub fn mask(bytes: &mut [u8], mut key: [u8; 4], phase: usize) {
    key.rotate_left(phase % 4);
    let [a, b, c, d] = key;
    let word = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for chunk in words {
        *chunk = (u64::from_ne_bytes(*chunk) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

//! What this side sends: messages in frames, control frames between them, every payload masked.
//!
//! [`Outbound`] fills a buffer of fixed size; whoever has the socket empties it. A message that is sent in one go is
//! one frame however long it is, unless it is compressed: then each buffer is a frame.

use super::deflate::Deflater;
use super::frame::{self, Header, MAX_HEADER, Opcode};
use super::handshake::Agreement;
use super::utf8::Utf8;

/// Where masks come from: fills the slice with bytes that nobody can foresee.
pub type Random = fn(&mut [u8]);

/// A message of another type is under way, or the text is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsendable {
    /// Text inside a binary message or the reverse.
    OtherType,
    /// Not UTF-8, or a message that ends inside a character.
    NotUtf8,
}

/// What the application sends in one go, on its way.
#[derive(Clone, Debug)]
pub struct Sending {
    opcode: Opcode,
    last: bool,
    key: [u8; 4],
    offset: usize,
    begun: bool,
    done: bool,
}

impl Sending {
    /// All of it is in the buffer, or has left it.
    pub fn is_done(&self) -> bool {
        self.done
    }
}

/// The sending side of a connection.
#[derive(Debug)]
pub struct Outbound {
    buffer: Vec<u8>,
    start: usize,
    size: usize,
    masks: Masks,
    /// Text or binary, while a message is incomplete.
    message: Option<bool>,
    utf8: Utf8,
    deflater: Option<Box<Deflater>>,
    /// Compressed and not yet framed.
    squeezed: Vec<u8>,
}

impl Outbound {
    /// A connection on which nothing was sent, with a buffer of about `size` bytes.
    pub fn new(size: usize, random: Random, agreement: Option<&Agreement>) -> Outbound {
        Outbound {
            buffer: Vec::new(),
            start: 0,
            size: size.max(MAX_HEADER + 2),
            masks: Masks { bytes: [0; 256], used: 256, random },
            message: None,
            utf8: Utf8::default(),
            deflater: agreement.and_then(Deflater::new).map(Box::new),
            squeezed: Vec::new(),
        }
    }

    /// Starts a message or goes on with one. `last` ends it.
    pub fn begin(&mut self, text: bool, last: bool, bytes: &[u8]) -> Result<Sending, Unsendable> {
        if self.message.is_some_and(|under_way| under_way != text) {
            return Err(Unsendable::OtherType);
        }
        if text {
            let mut utf8 = if self.message.is_some() { self.utf8 } else { Utf8::default() };
            utf8.check(bytes).map_err(|_| Unsendable::NotUtf8)?;
            if last && !utf8.is_complete() {
                return Err(Unsendable::NotUtf8);
            }
            self.utf8 = utf8;
        }
        let opcode = match self.message {
            Some(_) => Opcode::Continuation,
            None if text => Opcode::Text,
            None => Opcode::Binary,
        };
        self.message = if last { None } else { Some(text) };
        Ok(Sending { opcode, last, key: self.masks.next(), offset: 0, begun: false, done: false })
    }

    /// Puts as much of the message into the buffer as there is room for.
    pub fn fill(&mut self, sending: &mut Sending, bytes: &[u8]) {
        if self.deflater.is_some() {
            self.fill_compressed(sending, bytes);
            return;
        }
        if !sending.begun {
            sending.begun = true;
            let header = Header {
                fin: sending.last,
                compressed: false,
                opcode: sending.opcode,
                length: bytes.len() as u64,
            };
            self.put_header(&header, sending.key);
        }
        let room = self.size.saturating_sub(self.buffer.len()).max(1);
        let end = bytes.len().min(sending.offset + room);
        self.put_masked(&bytes[sending.offset..end], sending.key, sending.offset);
        sending.offset = end;
        sending.done = end == bytes.len();
    }

    /// Compresses until there is a frame's worth. The last four bytes are held back until it is known that they are
    /// not the end of the message, which goes without them.
    fn fill_compressed(&mut self, sending: &mut Sending, bytes: &[u8]) {
        let Some(deflater) = &mut self.deflater else { return };
        let most = self.size;
        sending.offset += deflater.deflate(&bytes[sending.offset..], &mut self.squeezed, most);
        sending.done = sending.offset == bytes.len() && self.squeezed.len() < most;
        let keep = if sending.done {
            deflater.flush(&mut self.squeezed, sending.last);
            0
        } else {
            4
        };
        let payload = self.squeezed.len().saturating_sub(keep);
        let header = Header {
            fin: sending.done && sending.last,
            compressed: sending.opcode != Opcode::Continuation,
            opcode: sending.opcode,
            length: payload as u64,
        };
        let squeezed = std::mem::take(&mut self.squeezed);
        let key = self.masks.next();
        self.put_header(&header, key);
        self.put_masked(&squeezed[..payload], key, 0);
        self.squeezed = squeezed;
        self.squeezed.drain(..payload);
        sending.opcode = Opcode::Continuation;
    }

    /// Appends a control frame, whose payload has at most 125 bytes. Not inside another frame.
    pub fn control(&mut self, opcode: Opcode, payload: &[u8]) {
        let payload = &payload[..payload.len().min(frame::MAX_CONTROL)];
        let key = self.masks.next();
        let header = Header { fin: true, compressed: false, opcode, length: payload.len() as u64 };
        self.put_header(&header, key);
        self.put_masked(payload, key, 0);
    }

    fn put_header(&mut self, header: &Header, key: [u8; 4]) {
        let mut room = [0; MAX_HEADER];
        let size = header.write(key, &mut room);
        self.buffer.extend_from_slice(&room[MAX_HEADER - size..]);
    }

    fn put_masked(&mut self, bytes: &[u8], key: [u8; 4], phase: usize) {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(bytes);
        frame::mask(&mut self.buffer[start..], key, phase);
    }

    /// What is to be sent.
    pub fn pending(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// So much of it was sent.
    pub fn sent(&mut self, count: usize) {
        self.start += count;
        if self.start >= self.buffer.len() {
            self.start = 0;
            self.buffer.clear();
            if self.buffer.capacity() > 2 * self.size {
                self.buffer.shrink_to(self.size);
            }
        }
    }
}

/// Masks, made many at a time.
#[derive(Debug)]
struct Masks {
    bytes: [u8; 256],
    used: usize,
    random: Random,
}

impl Masks {
    fn next(&mut self) -> [u8; 4] {
        if self.used == self.bytes.len() {
            (self.random)(&mut self.bytes);
            self.used = 0;
        }
        let mut key = [0; 4];
        key.copy_from_slice(&self.bytes[self.used..self.used + 4]);
        // A mask that has been used is no secret, but the next ones are.
        self.bytes[self.used..self.used + 4].fill(0);
        self.used += 4;
        key
    }
}

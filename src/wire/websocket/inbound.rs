//! What the server sends, frame by frame: pieces of messages, pings, the close frame.
//!
//! [`Inbound::step`] is given what has been received and where data are to go. It never keeps payload: data are moved
//! to the reader's buffer as they come, and a control frame is waited for until it is complete in the input.

use super::close::{self, CloseFrame};
use super::deflate::Inflater;
use super::frame::{self, Header, Opcode};
use super::utf8::Utf8;
use super::{Fault, handshake::Agreement};

/// Input this long holds any header and any control frame.
pub const MIN_INPUT: usize = 2 + frame::MAX_CONTROL;

/// What a step came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// More input is needed.
    Partial,
    /// Some of a message is in the output.
    Data(Piece),
    /// To be answered with a pong that says the same.
    Ping(&'a [u8]),
    /// Of no consequence.
    Pong,
    /// The last thing the server says.
    Close(CloseFrame),
}

/// Some of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Bytes of it.
    pub count: usize,
    /// Text, not binary.
    pub text: bool,
    /// The end of the message.
    pub last: bool,
}

/// The message being received.
#[derive(Clone, Copy, Debug)]
struct Message {
    text: bool,
    compressed: bool,
}

/// The data frame being received.
#[derive(Clone, Copy, Debug)]
struct Frame {
    left: u64,
    fin: bool,
}

/// The receiving side of a connection.
#[derive(Debug, Default)]
pub struct Inbound {
    message: Option<Message>,
    frame: Option<Frame>,
    utf8: Utf8,
    inflater: Option<Box<Inflater>>,
}

impl Inbound {
    /// A connection on which nothing was received; with an agreement, messages may be compressed.
    pub fn new(agreement: Option<&Agreement>) -> Inbound {
        Inbound { inflater: agreement.map(|agreed| Box::new(Inflater::new(agreed))), ..Inbound::default() }
    }

    /// Takes one step: how much of `input` it used, and what came of it. `out` has room for at least one byte.
    pub fn step<'a>(&mut self, input: &'a [u8], out: &mut [u8]) -> Result<(usize, Event<'a>), Fault> {
        let mut used = 0;
        loop {
            if let (Some(message), Some(frame)) = (self.message, self.frame) {
                let (taken, piece) = if message.compressed {
                    self.inflate(message, frame, &input[used..], out)?
                } else {
                    self.copy(message, frame, &input[used..], out)?
                };
                used += taken;
                match piece {
                    Some(piece) => return Ok((used, Event::Data(piece))),
                    None if self.frame.is_some() => return Ok((used, Event::Partial)),
                    // A compressed frame that had nothing to show.
                    None => continue,
                }
            }
            let rest = &input[used..];
            let Some((header, size)) = frame::parse(rest, self.inflater.is_some())? else {
                return Ok((used, Event::Partial));
            };
            if header.opcode.is_control() {
                // A control frame is no longer than 125 bytes.
                return match rest.get(size..size + header.length as usize) {
                    Some(payload) => Ok((used + size + payload.len(), control(header.opcode, payload)?)),
                    None => Ok((used, Event::Partial)),
                };
            }
            self.begin(&header)?;
            used += size;
        }
    }

    /// Opens a data frame.
    fn begin(&mut self, header: &Header) -> Result<(), Fault> {
        match (header.opcode, self.message) {
            (Opcode::Continuation, None) => return Err(Fault::StrayContinuation),
            (Opcode::Continuation, Some(_)) => {}
            (_, Some(_)) => return Err(Fault::Interrupted),
            (opcode, None) => {
                let text = opcode == Opcode::Text;
                self.message = Some(Message { text, compressed: header.compressed });
                self.utf8 = Utf8::default();
            }
        }
        self.frame = Some(Frame { left: header.length, fin: header.fin });
        Ok(())
    }

    fn copy(
        &mut self,
        message: Message,
        frame: Frame,
        input: &[u8],
        out: &mut [u8],
    ) -> Result<(usize, Option<Piece>), Fault> {
        let most = usize::try_from(frame.left).unwrap_or(usize::MAX);
        let count = most.min(input.len()).min(out.len());
        if count == 0 && frame.left > 0 {
            return Ok((0, None));
        }
        out[..count].copy_from_slice(&input[..count]);
        self.pass(message, frame, &out[..count]).map(|piece| (count, Some(piece)))
    }

    /// Accounts for payload that is in its place.
    fn pass(&mut self, message: Message, frame: Frame, payload: &[u8]) -> Result<Piece, Fault> {
        let left = frame.left - payload.len() as u64;
        self.frame = (left > 0).then_some(Frame { left, ..frame });
        self.tell(message, payload, left == 0 && frame.fin)
    }

    /// Checks text, and ends the message with its last byte.
    fn tell(&mut self, message: Message, data: &[u8], last: bool) -> Result<Piece, Fault> {
        if message.text {
            self.utf8.check(data).map_err(|_| Fault::NotUtf8)?;
            if last && !self.utf8.is_complete() {
                return Err(Fault::NotUtf8);
            }
        }
        if last {
            self.message = None;
        }
        Ok(Piece { count: data.len(), text: message.text, last })
    }

    fn inflate(
        &mut self,
        message: Message,
        frame: Frame,
        input: &[u8],
        out: &mut [u8],
    ) -> Result<(usize, Option<Piece>), Fault> {
        let inflater = self.inflater.as_mut().ok_or(Fault::ReservedBit)?;
        let most = usize::try_from(frame.left).unwrap_or(usize::MAX).min(input.len());
        let (used, mut made, mut more) = inflater.inflate(&input[..most], out)?;
        if used < most && !more {
            return Err(Fault::Compression);
        }
        let left = frame.left - used as u64;
        if left == 0 && frame.fin && !more {
            let (tail, rest) = inflater.finish(&mut out[made..])?;
            (made, more) = (made + tail, rest);
        }
        let over = left == 0 && !more;
        self.frame = (!over).then_some(Frame { left, ..frame });
        if made == 0 && !(over && frame.fin) {
            return Ok((used, None));
        }
        self.tell(message, &out[..made], over && frame.fin).map(|piece| (used, Some(piece)))
    }

    /// How many bytes may be received past the input buffer, straight into a reader's: payload of a frame that is not
    /// compressed. They are to be told to [`Inbound::direct`].
    pub fn room_for_direct(&self) -> u64 {
        match (self.message, self.frame) {
            (Some(message), Some(frame)) if !message.compressed => frame.left,
            _ => 0,
        }
    }

    /// Takes payload that was received like that.
    pub fn direct(&mut self, payload: &[u8]) -> Result<Option<Piece>, Fault> {
        let (Some(message), Some(frame)) = (self.message, self.frame) else { return Ok(None) };
        self.pass(message, frame, payload).map(Some)
    }
}

fn control(opcode: Opcode, payload: &[u8]) -> Result<Event<'_>, Fault> {
    Ok(match opcode {
        Opcode::Ping => Event::Ping(payload),
        Opcode::Close => Event::Close(close::parse(payload)?),
        _ => Event::Pong,
    })
}

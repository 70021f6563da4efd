//! Messages as frames on a channel: lengths, limits, and which descriptors belong to which message.
//!
//! A message is one frame or several. A frame is a header of 8 bytes and a payload:
//!
//! | bytes | are |
//! |---|---|
//! | 0–3 | length of the payload, little-endian, at most [`MAX_FRAME`] |
//! | 4 | 1 when the message goes on in the next frame, else 0 |
//! | 5 | how many descriptors came with the frame's first byte; 0 in all but the first frame |
//! | 6–7 | 0 |
//!
//! Nothing is allocated because a peer announces it beyond one frame; longer messages grow as they arrive.
//! What the payload says is [`super::message`]'s.

use std::fs::File;
use std::io::{Error, ErrorKind, IoSlice, Result};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::net::fd_channel::FdChannel;

/// Bytes of payload in one frame.
pub const MAX_FRAME: usize = 1 << 20;

/// Bytes of one message: enough for a request head of 16 MiB however many fields it is cut into.
pub const MAX_MESSAGE: usize = 64 << 20;

/// Descriptors with one message.
pub const MAX_FILES: usize = 64;

const HEADER: usize = 8;

/// Bytes asked of the channel at a time when a header is due.
const READ_AHEAD: usize = 32 << 10;

/// The sending half; any thread may send, one message at a time.
pub struct FrameSender {
    channel: Arc<FdChannel>,
    turn: Mutex<()>,
}

impl FrameSender {
    /// Sends on `channel`.
    pub fn new(channel: Arc<FdChannel>) -> FrameSender {
        FrameSender { channel, turn: Mutex::new(()) }
    }

    /// Sends one message, waiting while the channel is full. The lock is held for as long, so the other
    /// side must go on receiving whatever else it waits for. `InvalidInput` when the message is over a
    /// limit (nothing has been sent then); after any other error the channel is of no more use.
    pub fn send(&self, message: &[u8], files: &[Arc<File>]) -> Result<()> {
        if message.len() > MAX_MESSAGE || files.len() > MAX_FILES {
            return Err(ErrorKind::InvalidInput.into());
        }
        let mut files: Vec<BorrowedFd<'_>> = files.iter().map(|file| file.as_fd()).collect();
        let _turn = self.turn.lock();
        let mut rest = message;
        loop {
            let (payload, after) = rest.split_at(rest.len().min(MAX_FRAME));
            self.send_frame(payload, !after.is_empty(), &files)?;
            if after.is_empty() {
                return Ok(());
            }
            files.clear();
            rest = after;
        }
    }

    fn send_frame(&self, payload: &[u8], continued: bool, files: &[BorrowedFd<'_>]) -> Result<()> {
        let mut header = [0; HEADER];
        header[..4].copy_from_slice(&(payload.len() as u32).to_le_bytes());
        header[4] = u8::from(continued);
        header[5] = files.len() as u8;
        let mut slices = [IoSlice::new(&header), IoSlice::new(payload)];
        let mut left = &mut slices[..];
        let mut count = self.channel.send(left, files)?;
        loop {
            IoSlice::advance_slices(&mut left, count);
            if left.is_empty() {
                return Ok(());
            }
            count = self.channel.send(left, &[])?;
        }
    }
}

/// The receiving half; belongs to one thread.
pub struct FrameReceiver {
    channel: Arc<FdChannel>,
    /// Bytes received and not yet used lie in `buffer[start..end]`.
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    message: Vec<u8>,
    files: Vec<OwnedFd>,
}

/// What a frame's header says.
struct Header {
    len: usize,
    continued: bool,
    files: usize,
}

impl FrameReceiver {
    /// Receives from `channel`.
    pub fn new(channel: Arc<FdChannel>) -> FrameReceiver {
        let buffer = vec![0; READ_AHEAD].into_boxed_slice();
        FrameReceiver { channel, buffer, start: 0, end: 0, message: Vec::new(), files: Vec::new() }
    }

    /// The next message with its files, or `None` when the other side ended the channel between two
    /// messages. After an error the channel is of no more use.
    pub fn receive(&mut self) -> Result<Option<(&[u8], Vec<File>)>> {
        self.message.clear();
        self.message.shrink_to(MAX_FRAME);
        let Some(first) = self.header()? else { return Ok(None) };
        self.payload(first.len)?;
        let mut continued = first.continued;
        while continued {
            let next = self.header()?.ok_or(ErrorKind::UnexpectedEof)?;
            if next.files != 0 || next.len == 0 {
                return Err(malformed("continuation"));
            }
            self.payload(next.len)?;
            continued = next.continued;
        }
        if first.files > self.files.len() {
            return Err(malformed("descriptors missing"));
        }
        let files = self.files.drain(..first.files).map(File::from).collect();
        Ok(Some((&self.message, files)))
    }

    /// Reads the next header; `None` if the channel ends before its first byte.
    fn header(&mut self) -> Result<Option<Header>> {
        while self.end - self.start < HEADER {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            match self.channel.receive(&mut self.buffer[self.end..], &mut self.files)? {
                0 if self.end == 0 => return Ok(None),
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => self.end += count,
            }
            self.check_files()?;
        }
        let bytes = &self.buffer[self.start..self.start + HEADER];
        self.start += HEADER;
        let len = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
        let files = usize::from(bytes[5]);
        if len > MAX_FRAME || files > MAX_FILES || bytes[4] > 1 || bytes[6..] != [0, 0] {
            return Err(malformed("frame header"));
        }
        Ok(Some(Header { len, continued: bytes[4] == 1, files }))
    }

    /// Adds the frame's payload of `len` bytes (checked) to the message.
    fn payload(&mut self, len: usize) -> Result<()> {
        if self.message.len() + len > MAX_MESSAGE {
            return Err(malformed("message too long"));
        }
        let here = len.min(self.end - self.start);
        self.message.extend_from_slice(&self.buffer[self.start..self.start + here]);
        self.start += here;
        let mut filled = self.message.len();
        self.message.resize(filled + len - here, 0);
        while filled < self.message.len() {
            match self.channel.receive(&mut self.message[filled..], &mut self.files)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => filled += count,
            }
            self.check_files()?;
        }
        Ok(())
    }

    /// Descriptors arrive with their message's first byte, so those of one message read and of one read
    /// ahead are all there can be, read-ahead being cut off at each set of descriptors.
    fn check_files(&self) -> Result<()> {
        if self.files.len() > 2 * MAX_FILES { Err(malformed("too many descriptors")) } else { Ok(()) }
    }
}

fn malformed(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    fn ends() -> (FrameSender, FrameReceiver) {
        let (one, other) = FdChannel::pair().unwrap();
        (FrameSender::new(Arc::new(one)), FrameReceiver::new(Arc::new(other)))
    }

    #[test]
    fn messages_of_all_sizes_arrive_in_order() {
        let (sender, mut receiver) = ends();
        let sizes = [0, 1, READ_AHEAD - HEADER, READ_AHEAD, MAX_FRAME, MAX_FRAME + 1, 5 * MAX_FRAME / 2, 3];
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for (fill, size) in sizes.into_iter().enumerate() {
                    sender.send(&vec![fill as u8; size], &[]).unwrap();
                }
            });
            for (fill, size) in sizes.into_iter().enumerate() {
                let (message, files) = receiver.receive().unwrap().unwrap();
                assert_eq!((message.len(), files.len()), (size, 0));
                assert!(message.iter().all(|byte| *byte == fill as u8));
            }
            assert!(receiver.receive().unwrap().is_none());
        });
    }

    #[test]
    fn each_message_keeps_its_own_files() {
        let (sender, mut receiver) = ends();
        let mut readers = Vec::new();
        for count in [0, 2, 0, 1] {
            let (files, near): (Vec<_>, Vec<_>) = (0..count)
                .map(|_| {
                    let (far, near) = UnixStream::pair().unwrap();
                    (Arc::new(File::from(OwnedFd::from(far))), near)
                })
                .unzip();
            sender.send(b"message", &files).unwrap();
            readers.push(near);
        }
        for near in readers {
            let (_, files) = receiver.receive().unwrap().unwrap();
            assert_eq!(files.len(), near.len());
            for (file, mut reader) in files.into_iter().zip(near) {
                std::io::Write::write_all(&mut &file, b"mine").unwrap();
                drop(file);
                let mut text = String::new();
                reader.read_to_string(&mut text).unwrap();
                assert_eq!(text, "mine");
            }
        }
    }

    #[test]
    fn a_message_over_the_limit_is_refused_and_the_channel_lives() {
        let (sender, mut receiver) = ends();
        let error = sender.send(&vec![0; MAX_MESSAGE + 1], &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        sender.send(b"next", &[]).unwrap();
        assert_eq!(receiver.receive().unwrap().unwrap().0, b"next");
    }

    #[test]
    fn bad_headers_are_errors() {
        let bad: [&[u8]; 6] = [
            &[0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0],
            &[1, 0, 0, 0, 2, 0, 0, 0, 7],
            &[1, 0, 0, 0, 0, 1, 0, 0, 7],
            &[1, 0, 0, 0, 0, 0, 9, 0, 7],
            &[1, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0],
            &[5, 0, 0, 0, 0, 0, 0, 0, 7],
        ];
        for bytes in bad {
            let (one, other) = FdChannel::pair().unwrap();
            one.send(&[IoSlice::new(bytes)], &[]).unwrap();
            one.shutdown();
            let mut receiver = FrameReceiver::new(Arc::new(other));
            assert!(receiver.receive().is_err(), "{bytes:?}");
        }
    }
}

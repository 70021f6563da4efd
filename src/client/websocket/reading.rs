//! From the socket to the reader's buffer.
//!
//! A burst reads until there is something to tell, or nothing more to read without waiting. Payload goes past the
//! socket's own buffer into the reader's where that saves a copy.

use std::io::ErrorKind;
use std::sync::Arc;

use crate::abi::error::{Error, Result};
use crate::net::stream_wait::{Direction, shut_in, wait};
use crate::win32::last_error::explain;
use crate::win32::lent::LentBuffer;
use crate::wire::websocket::Fault;
use crate::wire::websocket::inbound::{Event, Inbound, Piece};

use super::super::connect::connection::io_error;
use super::operation::Received;
use super::task::is_past;
use super::{BufferType, WebSocket};

/// A buffer smaller than this is filled by way of the socket's own, to save system calls.
const DIRECT: u64 = 4096;

/// The receiving side of the socket.
pub(super) struct Reader {
    inbound: Inbound,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Why nothing more can be read.
    failed: Option<Error>,
}

/// What a burst came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Burst {
    /// Some of a message.
    Data(Piece),
    /// The server's close frame, which is in the state now.
    Closed,
    /// A ping or a pong, which is dealt with.
    Control,
    /// Nothing more has come.
    Blocked,
}

impl Reader {
    /// A side with a buffer of `size` bytes, and what has come with the 101 already.
    pub(super) fn new(inbound: Inbound, size: usize, mut begun: Vec<u8>) -> Reader {
        let end = begun.len();
        begun.resize(size.max(end), 0);
        Reader { inbound, buffer: begun, start: 0, end, failed: None }
    }

    /// The part of the buffer that can be filled. Never empty: what is kept is less than a header or a control frame.
    fn room(&mut self) -> &mut [u8] {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        &mut self.buffer[self.end..]
    }
}

impl WebSocket {
    /// Reads until there is something to tell or nothing more to read without waiting.
    pub(super) fn read_now(self: &Arc<Self>, reader: &mut Reader, out: &mut [u8]) -> Result<Burst> {
        if let Some(error) = reader.failed {
            return Err(error);
        }
        let burst = self.burst(reader, out);
        if let Err(error) = burst {
            reader.failed = Some(error);
        }
        burst
    }

    fn burst(self: &Arc<Self>, reader: &mut Reader, out: &mut [u8]) -> Result<Burst> {
        loop {
            if self.is_closed() {
                return Err(Error::WINHTTP_OPERATION_CANCELLED);
            }
            let Reader { inbound, buffer, start, end, .. } = &mut *reader;
            let (used, event) =
                inbound.step(&buffer[*start..*end], out).map_err(|fault| self.protest(fault))?;
            *start += used;
            match event {
                Event::Data(piece) => return Ok(Burst::Data(piece)),
                Event::Close(frame) => {
                    self.state.lock().peer = Some(frame);
                    return Ok(Burst::Closed);
                }
                Event::Ping(payload) => {
                    self.pong(Some(payload));
                    return Ok(Burst::Control);
                }
                Event::Pong => return Ok(Burst::Control),
                Event::Partial => {
                    let direct = inbound.room_for_direct().min(out.len() as u64);
                    let whole = direct > 0 && direct == inbound.room_for_direct();
                    if start == end && (direct >= DIRECT || whole) {
                        let room = &mut out[..direct as usize];
                        let Some(count) = self.receive_now(room)? else { return Ok(Burst::Blocked) };
                        let piece = inbound.direct(&room[..count]).map_err(|fault| self.protest(fault))?;
                        if let Some(piece) = piece {
                            return Ok(Burst::Data(piece));
                        }
                    } else {
                        let Some(count) = self.receive_now(reader.room())? else { return Ok(Burst::Blocked) };
                        reader.end += count;
                    }
                }
            }
        }
    }

    /// Receives what has come; `None` when nothing has.
    fn receive_now(&self, room: &mut [u8]) -> Result<Option<usize>> {
        self.waiting.will_receive();
        match self.stream.receive_now(room) {
            Ok(0) => {
                explain(format_args!("the server ended the connection without a close frame"));
                Err(Error::WINHTTP_CONNECTION_ERROR)
            }
            Ok(count) => Ok(Some(count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => {
                explain(format_args!("receiving on the WebSocket: {error}"));
                Err(io_error(&error))
            }
        }
    }

    /// The server breaks the rules: it is told so, and the connection ends.
    fn protest(&self, fault: Fault) -> Error {
        explain(format_args!("the server sent {}", fault.words()));
        self.give_up(fault.close_status());
        Error::WINHTTP_INVALID_SERVER_RESPONSE
    }

    /// Runs a synchronous receive.
    pub(super) fn read_waiting(self: &Arc<Self>, mut buffer: LentBuffer) -> Result<Received> {
        loop {
            let burst = {
                let mut reader = self.reader.lock();
                if self.state.lock().close_called {
                    return Err(Error::WINHTTP_OPERATION_CANCELLED);
                }
                self.read_now(&mut reader, buffer.as_mut_slice())
            };
            match burst.map_err(|error| self.blame(error))? {
                Burst::Data(piece) => return Ok(received(piece)),
                Burst::Closed => return Ok(self.close_received()),
                Burst::Control => continue,
                Burst::Blocked => {}
            }
            wait(&self.stream, Direction::In, u64::MAX).map_err(|error| io_error(&error))?;
        }
    }

    /// Receives what has come for an asynchronous operation, and completes it or keeps it.
    pub(super) fn drive_receive(self: &Arc<Self>, mut buffer: LentBuffer) {
        let burst = loop {
            let burst = self.read_now(&mut self.reader.lock(), buffer.as_mut_slice());
            if burst != Ok(Burst::Control) {
                break burst;
            }
        };
        let result = match burst {
            Ok(Burst::Control | Burst::Blocked) => {
                self.keep_receive(buffer, false);
                return;
            }
            Ok(Burst::Data(piece)) => Ok(received(piece)),
            Ok(Burst::Closed) => Ok(self.close_received()),
            Err(error) => Err(self.blame(error)),
        };
        drop(buffer);
        self.complete_receive(result);
    }

    /// Leaves a receive to the workers; `now` when it need not wait for the socket. If the handle or the connection has
    /// been closed in the meantime, it is cancelled.
    pub(super) fn keep_receive(self: &Arc<Self>, buffer: LentBuffer, now: bool) {
        {
            let mut state = self.state.lock();
            if !state.closing && !state.close_called {
                state.receive = Some(buffer);
                drop(state);
                self.wait_for_bytes(u64::MAX, now);
                return;
            }
        }
        self.complete_receive(Err(Error::WINHTTP_OPERATION_CANCELLED));
    }

    /// The close frame is told to a receive. A close that waits for it in another thread is woken.
    fn close_received(&self) -> Received {
        if self.state.lock().close_called {
            shut_in(&self.stream);
        }
        (0, BufferType::Close)
    }

    /// The socket has bytes, or a time has come.
    pub(super) fn bytes_again(self: &Arc<Self>, parked: bool) {
        let (receive, close) = {
            let Ok(mut state) = self.enter() else { return };
            let last = !parked || state.unpark(Direction::In);
            let close = state.close_wait.take_if(|until| last || is_past(*until));
            (state.receive.take_if(|_| last), close)
        };
        if let Some(buffer) = receive {
            self.drive_receive(buffer);
        }
        if let Some(until) = close {
            self.drive_close(until);
        }
        self.leave();
    }
}

fn received(piece: Piece) -> Received {
    // C callers cannot offer more than 32 bits can count.
    (u32::try_from(piece.count).unwrap_or(u32::MAX), BufferType::of(piece.text, piece.last))
}

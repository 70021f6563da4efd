//! From the sender's buffer to the socket.
//!
//! Messages, pongs and close frames share one buffer. A pong that comes up in the middle of a long frame waits for its
//! end; of several, the last is sent, which answers them all (RFC 6455 §5.5.3).

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::abi::error::{Error, Result};
use crate::net::clock::now_ms;
use crate::net::stream_wait::{Direction, shut, shut_out, wait};
use crate::win32::last_error::explain;
use crate::win32::lent::LentBytes;
use crate::wire::websocket::frame::Opcode;
use crate::wire::websocket::outbound::{Outbound, Sending};

use super::super::connect::connection::io_error;
use super::task::{after, is_past};
use super::{BufferType, Function, WebSocket, WebSocketEvent};

/// The sending side of the socket.
pub(super) struct Writer {
    pub(super) outbound: Outbound,
    /// A frame is not complete in the buffer.
    inside_frame: bool,
    /// The payload of a ping that has not been answered.
    pong: Option<Vec<u8>>,
}

impl Writer {
    pub(super) fn new(outbound: Outbound) -> Writer {
        Writer { outbound, inside_frame: false, pong: None }
    }
}

/// What is to be sent for one operation.
pub(super) struct Output {
    pub(super) function: Function,
    kind: BufferType,
    bytes: LentBytes,
    sending: Option<Sending>,
    close: Option<Vec<u8>>,
    /// By when there has to be progress.
    until: u64,
}

impl Output {
    pub(super) fn message(kind: BufferType, sending: Sending, bytes: LentBytes) -> Output {
        Output { function: Function::Send, kind, bytes, sending: Some(sending), close: None, until: 0 }
    }

    /// A close frame with this payload, or nothing.
    pub(super) fn control(function: Function, close: Option<Vec<u8>>) -> Output {
        let bytes = LentBytes::empty();
        Output { function, kind: BufferType::Close, bytes, sending: None, close, until: 0 }
    }
}

impl WebSocket {
    /// Sends what is buffered as far as that goes; true when it is gone.
    fn flush(&self, writer: &mut Writer) -> io::Result<bool> {
        while !writer.outbound.pending().is_empty() {
            self.waiting.will_send();
            match self.stream.send_now(writer.outbound.pending()) {
                Ok(count) => writer.outbound.sent(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            self.sent_at.store(now_ms(), Ordering::Relaxed);
        }
        Ok(true)
    }

    /// Sends as much of an operation as that goes; true when all of it is gone.
    fn write_now(&self, output: &mut Output) -> Result<bool> {
        let mut writer = self.writer.lock();
        loop {
            let left = writer.outbound.pending().len();
            let is_empty = self.flush(&mut writer).map_err(|error| self.broken(&error))?;
            if output.until == 0 || writer.outbound.pending().len() < left {
                output.until = after(self.send_limit);
            }
            if !is_empty {
                return Ok(false);
            }
            let Writer { outbound, inside_frame, pong } = &mut *writer;
            if let Some(sending) = output.sending.as_mut().filter(|sending| !sending.is_done()) {
                outbound.fill(sending, output.bytes.as_slice());
                *inside_frame = !sending.is_done();
            } else if let Some(payload) = pong.take() {
                outbound.control(Opcode::Pong, &payload);
            } else if let Some(payload) = output.close.take() {
                outbound.control(Opcode::Close, &payload);
            } else {
                return Ok(true);
            }
        }
    }

    /// The connection has failed: neither side can go on.
    fn broken(&self, error: &io::Error) -> Error {
        explain(format_args!("sending on the WebSocket: {error}"));
        shut(&self.stream);
        io_error(error)
    }

    /// The server takes nothing.
    fn stuck(&self) -> Error {
        explain(format_args!("the server took nothing for {} milliseconds", self.send_limit));
        shut(&self.stream);
        Error::WINHTTP_TIMEOUT
    }

    /// Sends all of an operation.
    pub(super) fn write_all(&self, output: &mut Output) -> Result<()> {
        while !self.write_now(output)? {
            if !wait(&self.stream, Direction::Out, output.until).map_err(|error| self.broken(&error))? {
                return Err(self.stuck());
            }
        }
        Ok(())
    }

    /// Sends what can be sent of an asynchronous operation, and completes it or keeps it.
    pub(super) fn drive_output(self: &Arc<Self>, mut output: Output) {
        let result = match self.write_now(&mut output) {
            Ok(true) => Ok(()),
            Ok(false) if is_past(output.until) => Err(self.stuck()),
            Ok(false) => {
                self.keep_output(output, false);
                return;
            }
            Err(error) => Err(error),
        };
        self.complete_output(output, result);
    }

    /// Leaves an operation to the workers; `now` when it need not wait for the socket. If the handle has been closed
    /// in the meantime it is cancelled.
    pub(super) fn keep_output(self: &Arc<Self>, output: Output, now: bool) {
        let until = output.until;
        {
            let mut state = self.state.lock();
            if !state.closing {
                state.output = Some(output);
                drop(state);
                self.wait_for_room(until, now);
                return;
            }
        }
        self.complete_output(output, Err(Error::WINHTTP_OPERATION_CANCELLED));
    }

    fn complete_output(self: &Arc<Self>, output: Output, result: Result<()>) {
        let Output { function, kind, bytes, .. } = output;
        let count = u32::try_from(bytes.as_slice().len()).unwrap_or(u32::MAX);
        drop(bytes);
        let result = result.map_err(|error| self.blame(error));
        if function == Function::Close {
            self.await_close(result);
            return;
        }
        self.state.lock().sending = false;
        self.notify(match (result, function) {
            (Ok(()), Function::Shutdown) => WebSocketEvent::ShutdownComplete,
            (Ok(()), _) => WebSocketEvent::Written(count, kind),
            (Err(error), _) => WebSocketEvent::Failed(function, error),
        });
    }

    /// The socket has room again, or a time has come.
    pub(super) fn room_again(self: &Arc<Self>, parked: bool) {
        let (last, output) = {
            let Ok(mut state) = self.enter() else { return };
            let last = !parked || state.unpark(Direction::Out);
            (last, state.output.take_if(|output| last || is_past(output.until)))
        };
        match output {
            Some(output) => self.drive_output(output),
            None if last => self.tidy(),
            None => {}
        }
        self.leave();
    }

    /// Answers a ping, or shows that someone is there, as soon as that can be. A server that takes nothing gets none.
    pub(super) fn pong(self: &Arc<Self>, ping: Option<&[u8]>) {
        if self.state.lock().close_sent {
            return;
        }
        {
            let mut writer = self.writer.lock();
            match ping {
                Some(payload) => writer.pong = Some(payload.to_vec()),
                None => drop(writer.pong.get_or_insert_default()),
            }
        }
        self.tidy();
    }

    /// Sends what no operation will send: a pong between frames, and what earlier ones have left in the buffer.
    fn tidy(self: &Arc<Self>) {
        let mut writer = self.writer.lock();
        // A fault will be met again by whoever sends or receives next.
        while self.flush(&mut writer).unwrap_or(true) {
            if writer.inside_frame {
                return;
            }
            let Some(payload) = writer.pong.take() else { return };
            writer.outbound.control(Opcode::Pong, &payload);
        }
        drop(writer);
        // Whoever waits for room already does this, too.
        if self.state.lock().parked[Direction::Out as usize] == 0 {
            self.wait_for_room(u64::MAX, false);
        }
    }

    /// Sends a close frame on this side's own account, if it is not too late, and then nothing more.
    pub(super) fn give_up(&self, status: u16) {
        if std::mem::replace(&mut self.state.lock().close_sent, true) {
            return;
        }
        let mut writer = self.writer.lock();
        if !writer.inside_frame {
            writer.outbound.control(Opcode::Close, &status.to_be_bytes());
            // If this fails there is nobody to tell.
            let _ = self.flush(&mut writer);
        }
        shut_out(&self.stream);
    }
}

//! The end: WinHttpWebSocketClose, which waits for the server's close frame, and WinHttpCloseHandle, which does not.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::abi::error::{Error, Result};
use crate::net::stream_wait::{Direction, shut, wait};
use crate::win32::last_error::explain;
use crate::wire::websocket::close;

use super::super::connect::connection::io_error;
use super::reading::Burst;
use super::task::{after, is_past};
use super::writing::Output;
use super::{Function, WebSocket, WebSocketEvent};

impl WebSocket {
    /// Sends the close frame, unless that has been done, and reads on until the server's has come.
    ///
    /// A receive that waits is cancelled first. `INVALID_PARAMETER` for a status or reason that cannot be sent,
    /// `INVALID_OPERATION` while a send runs and when it has been called before.
    pub fn close(self: &Arc<Self>, status: u16, reason: &[u8]) -> Result<()> {
        let payload = close::payload(status, reason).ok_or(Error::INVALID_PARAMETER)?;
        let (mut needed, mut receive, mut limit) = (true, None, 0);
        self.begin_output(
            |_| false,
            |state| {
                needed = !std::mem::replace(&mut state.close_sent, true);
                state.close_called = true;
                receive = state.receive.take();
                limit = state.close_timeout;
            },
        )?;
        if let Some(buffer) = receive {
            drop(buffer);
            self.complete_receive(Err(Error::WINHTTP_OPERATION_CANCELLED));
        }
        let mut output = Output::control(Function::Close, needed.then_some(payload));
        if self.is_async {
            self.drive_output(output);
            self.leave();
            return Ok(());
        }
        let until = after(limit);
        let result = self.write_all(&mut output).and_then(|()| self.wait_for_close(until));
        let result = self.closed(result);
        self.leave();
        result
    }

    /// The close frame of an asynchronous close has left, or could not.
    pub(super) fn await_close(self: &Arc<Self>, sent: Result<()>) {
        match sent {
            Ok(()) => {
                let limit = self.state.lock().close_timeout;
                self.drive_close(after(limit));
            }
            Err(error) => self.complete_close(Err(error)),
        }
    }

    /// Reads on as far as that goes without waiting, and completes the close or keeps it.
    pub(super) fn drive_close(self: &Arc<Self>, until: u64) {
        let result = match self.read_away(until) {
            Ok(true) => Ok(()),
            Ok(false) if is_past(until) => Err(self.no_answer()),
            Ok(false) => {
                {
                    let mut state = self.state.lock();
                    if !state.closing {
                        state.close_wait = Some(until);
                        drop(state);
                        self.wait_for_bytes(until, false);
                        return;
                    }
                }
                Err(Error::WINHTTP_OPERATION_CANCELLED)
            }
            Err(error) => Err(error),
        };
        self.complete_close(result);
    }

    fn complete_close(&self, result: Result<()>) {
        self.notify(match self.closed(result) {
            Ok(()) => WebSocketEvent::CloseComplete,
            Err(error) => WebSocketEvent::Failed(Function::Close, error),
        });
    }

    /// The close is over, and with it the connection.
    fn closed(&self, result: Result<()>) -> Result<()> {
        shut(&self.stream);
        self.state.lock().sending = false;
        result.map_err(|error| self.blame(error))
    }

    fn no_answer(&self) -> Error {
        explain(format_args!("the server did not answer the close frame in time"));
        Error::WINHTTP_TIMEOUT
    }

    /// Reads data away, and no longer than to a moment however much comes; true when the close frame has come.
    fn read_away(self: &Arc<Self>, until: u64) -> Result<bool> {
        let mut bin = [0_u8; 4096];
        let mut reader = self.reader.lock();
        loop {
            if self.state.lock().peer.is_some() {
                return Ok(true);
            }
            match self.read_now(&mut reader, &mut bin)? {
                Burst::Blocked => return Ok(false),
                Burst::Data(_) | Burst::Control if is_past(until) => return Ok(false),
                Burst::Data(_) | Burst::Control | Burst::Closed => {}
            }
        }
    }

    fn wait_for_close(self: &Arc<Self>, until: u64) -> Result<()> {
        while !self.read_away(until)? {
            if is_past(until)
                || !wait(&self.stream, Direction::In, until).map_err(|error| io_error(&error))?
            {
                return Err(self.no_answer());
            }
        }
        Ok(())
    }

    /// Ends the synchronous calls that other threads are in, for a parent that closes. A message may have been cut, so
    /// the connection ends with them, and later calls are cancelled, too.
    pub fn interrupt(&self) {
        let state = self.state.lock();
        if !self.is_async && (state.sending || state.receiving) {
            self.closed.store(true, Ordering::Release);
            drop(state);
            shut(&self.stream);
        }
    }

    /// Closes the handle: what waits is cancelled, what runs is woken, and HANDLE_CLOSING follows when nothing runs
    /// any more, which is at once, on this thread, when nothing does.
    pub fn close_handle(&self) {
        let (receive, output, close) = {
            let Ok(mut state) = self.enter() else { return };
            state.closing = true;
            self.closed.store(true, Ordering::Release);
            (state.receive.take(), state.output.take(), state.close_wait.take())
        };
        shut(&self.stream);
        let cancelled = [
            receive.map(|buffer| {
                drop(buffer);
                Function::Receive
            }),
            output.map(|output| output.function),
            close.map(|_| Function::Close),
        ];
        for function in cancelled.into_iter().flatten() {
            self.notify(WebSocketEvent::Failed(function, Error::WINHTTP_OPERATION_CANCELLED));
        }
        self.leave();
    }
}

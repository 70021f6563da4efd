//! What can be started when, and what forbids it (digest §10.3 to §10.6).

use std::sync::Arc;

use crate::abi::error::{Error, Result};
use crate::win32::lent::{LentBuffer, LentBytes};
use crate::wire::websocket::close;
use crate::wire::websocket::outbound::Unsendable;

use super::writing::Output;
use super::{BufferType, DEPTH, Function, NESTING, State, WebSocket, WebSocketEvent};

/// Bytes received, and of what.
pub(super) type Received = (u32, BufferType);

impl WebSocket {
    /// Sends a message or a piece of one.
    ///
    /// `INVALID_PARAMETER` for a piece that does not fit the message it is in and for text that is not UTF-8,
    /// `INVALID_OPERATION` while another send runs and after either side has closed.
    pub fn send(self: &Arc<Self>, kind: BufferType, bytes: LentBytes) -> Result<()> {
        let (text, last) = match kind {
            BufferType::BinaryMessage => (false, true),
            BufferType::BinaryFragment => (false, false),
            BufferType::Utf8Message => (true, true),
            BufferType::Utf8Fragment => (true, false),
            BufferType::Close => return Err(Error::INVALID_PARAMETER),
        };
        self.begin_output(|state| state.close_sent || state.peer.is_some(), |_| {})?;
        let begun = self.writer.lock().outbound.begin(text, last, bytes.as_slice());
        match begun {
            Ok(sending) => self.run_output(Output::message(kind, sending, bytes)),
            Err(why) => {
                self.state.lock().sending = false;
                self.leave();
                Err(refuse(why))
            }
        }
    }

    /// Sends the close frame; receiving goes on.
    ///
    /// `INVALID_PARAMETER` for a status or reason that cannot be sent, `INVALID_OPERATION` while a send runs and when
    /// the close frame has been sent already.
    pub fn shutdown(self: &Arc<Self>, status: u16, reason: &[u8]) -> Result<()> {
        let payload = close::payload(status, reason).ok_or(Error::INVALID_PARAMETER)?;
        self.begin_output(|state| state.close_sent, |state| state.close_sent = true)?;
        self.run_output(Output::control(Function::Shutdown, Some(payload)))
    }

    /// Claims the sending side, unless the state forbids it.
    pub(super) fn begin_output(
        &self,
        forbidden: impl FnOnce(&State) -> bool,
        change: impl FnOnce(&mut State),
    ) -> Result<()> {
        let mut state = self.enter()?;
        if state.sending || state.close_called || forbidden(&state) {
            drop(state);
            self.leave();
            return Err(Error::INVALID_OPERATION);
        }
        state.sending = true;
        change(&mut state);
        Ok(())
    }

    /// Runs a send or a shutdown: to its end, or as far as it goes without waiting.
    fn run_output(self: &Arc<Self>, mut output: Output) -> Result<()> {
        if self.is_async {
            if DEPTH.get() < NESTING {
                self.drive_output(output);
            } else {
                self.keep_output(output, true);
            }
            self.leave();
            return Ok(());
        }
        let result = self.write_all(&mut output);
        drop(output);
        self.state.lock().sending = false;
        let result = result.map_err(|error| self.blame(error));
        self.leave();
        result
    }

    /// Receives some of a message, or the close frame. Asynchronously the answer is `None`, and the callback is told.
    ///
    /// `INVALID_OPERATION` while another receive or a close runs, and when nothing more can come.
    pub fn receive(self: &Arc<Self>, buffer: LentBuffer) -> Result<Option<Received>> {
        let mut state = self.enter()?;
        if state.receiving || state.close_called || state.receive_over {
            drop(state);
            self.leave();
            return Err(Error::INVALID_OPERATION);
        }
        state.receiving = true;
        drop(state);
        if self.is_async {
            if DEPTH.get() < NESTING {
                self.drive_receive(buffer);
            } else {
                self.keep_receive(buffer, true);
            }
            self.leave();
            return Ok(None);
        }
        let result = self.read_waiting(buffer);
        self.finish_receive(&result);
        self.leave();
        result.map(Some)
    }

    /// The receive is over; after the close frame or an error there is no other.
    pub(super) fn finish_receive(&self, result: &Result<Received>) {
        let mut state = self.state.lock();
        state.receiving = false;
        let cancelled = matches!(result, Err(error) if *error == Error::WINHTTP_OPERATION_CANCELLED);
        if matches!(result, Ok((_, BufferType::Close)) | Err(_)) && !cancelled {
            state.receive_over = true;
        }
    }

    /// Tells the callback of a receive that is over.
    pub(super) fn complete_receive(&self, result: Result<Received>) {
        self.finish_receive(&result);
        self.notify(match result {
            Ok((count, kind)) => WebSocketEvent::Read(count, kind),
            Err(error) => WebSocketEvent::Failed(Function::Receive, error),
        });
    }
}

fn refuse(why: Unsendable) -> Error {
    if why == Unsendable::NotUtf8 {
        crate::win32::last_error::explain(format_args!("the text is not UTF-8"));
    }
    Error::INVALID_PARAMETER
}

//! What comes of an operation: the application is told, or the operation waits for the server.

use std::io::ErrorKind;
use std::sync::Arc;

use crate::abi::error::{Error, Result};
use crate::net::clock::precise_ms;
use crate::net::deadlines::NEVER;
use crate::win32::last_error;

use super::causes;
use super::exchange::Exchange;
use super::notify::Event;
use super::operation::{Api, Operation, Patience};
use super::request::{Phase, Request};
use super::settings::limit;
use super::workers::{Interest, WatchId, after, step_aside};

/// An operation that waits for the server, and what it waits with.
pub(crate) struct Parked {
    exchange: Box<Exchange>,
    operation: Operation,
    watch: WatchId,
    until: u64,
    /// Bytes that had gone or come when it began to wait.
    moved: u64,
}

impl Parked {
    /// Where it waits, for what, and how long.
    pub(crate) fn place(&self) -> (WatchId, Interest, u64) {
        let writes = matches!(self.operation, Operation::Write { .. });
        (self.watch, if writes { Interest::Write } else { Interest::Read }, self.until)
    }
}

/// Bytes that have gone (of an upload) or come; the same number twice is no progress.
fn moved(exchange: &Exchange, operation: &Operation) -> u64 {
    match operation {
        Operation::Write { sent, .. } => *sent as u64,
        _ => exchange.connection.as_ref().map_or(0, |connection| connection.received),
    }
}

impl Request {
    /// Puts an operation where a worker finds it: `tried` and in want of nothing but the server, it waits for that.
    pub(crate) fn leave_to_worker(&self, mut exchange: Box<Exchange>, operation: Operation, tried: bool) {
        let wants_only_that = !exchange.resend && !exchange.upload.chunks.is_open();
        let waits = tried && matches!(operation, Operation::Receive) && wants_only_that;
        let watch = if waits { exchange.connection().ok().and_then(|c| c.watched().ok()) } else { None };
        let mut core = self.core.lock();
        match watch {
            Some(watch) => {
                drop(core);
                self.wait_for_server(exchange, operation, watch, None);
            }
            None => {
                core.exchange = Some(exchange);
                core.turn.queue.insert(0, operation);
            }
        }
    }

    fn wait_for_server(
        &self,
        exchange: Box<Exchange>,
        operation: Operation,
        watch: WatchId,
        until: Option<u64>,
    ) {
        let until = until.unwrap_or_else(|| self.deadline(&exchange, &operation));
        let moved = moved(&exchange, &operation);
        self.core.lock().turn.parked = Some(Parked { exchange, operation, watch, until, moved });
    }

    /// When an operation that waits from now on has waited too long. The limit of the whole head counts when
    /// something of it comes, and here only if a receive may wait for ever.
    fn deadline(&self, exchange: &Exchange, operation: &Operation) -> u64 {
        let (send, receive, response) =
            self.with_settings(|s| (s.send_timeout, s.receive_timeout, s.response_limit()));
        match (operation, exchange.receiving_since) {
            (Operation::Write { .. }, _) => after(limit(send)),
            (Operation::Receive, Some(since)) if limit(receive) == 0 && response != 0 => {
                let spent = u32::try_from(since.elapsed().as_millis()).unwrap_or(u32::MAX);
                after(response.saturating_sub(spent).max(1))
            }
            _ => after(limit(receive)),
        }
    }

    /// The words about an operation that has waited too long.
    fn timed_out(&self, operation: &Operation) -> Error {
        let silence = ErrorKind::WouldBlock.into();
        let error = self.with_settings(|settings| match operation {
            Operation::Write { .. } => causes::sending(&silence, settings),
            Operation::Receive => match limit(settings.receive_timeout) {
                0 => causes::head_too_slow(settings.response_limit()),
                silent => causes::receiving(&silence, "the response head", silent),
            },
            _ => causes::receiving(&silence, "the response body", settings.receive_timeout),
        });
        self.log_failure(operation.api(), error);
        error
    }

    /// Runs what waits first.
    pub(crate) fn run_next(self: &Arc<Self>, patience: Patience) {
        let (mut exchange, mut operation, waited) = {
            let mut core = self.core.lock();
            if let Some(parked) = core.turn.parked.take() {
                (parked.exchange, parked.operation, Some((parked.until, parked.moved)))
            } else if !core.turn.queue.is_empty() {
                let operation = core.turn.queue.remove(0);
                (core.exchange.take().unwrap_or_default(), operation, None)
            } else {
                return;
            }
        };
        let mut result = self.perform(&mut exchange, &mut operation, patience);
        if let Ok(None) = result {
            let until =
                waited.filter(|(_, before)| *before == moved(&exchange, &operation)).map(|(until, _)| until);
            if until.is_some_and(|until| until != NEVER && precise_ms() >= until) {
                result = Err(self.timed_out(&operation));
            } else if let Ok(watch) =
                exchange.connection().map_err(drop).and_then(|c| c.watched().map_err(drop))
            {
                return self.wait_for_server(exchange, operation, watch, until);
            } else {
                // It cannot be watched, so a thread waits.
                step_aside();
                result = self.perform(&mut exchange, &mut operation, Patience::Wait);
            }
        }
        self.complete(exchange, operation, &result.map(Option::unwrap_or_default));
    }

    /// Tells the callback that the operation is over.
    pub(crate) fn complete(&self, exchange: Box<Exchange>, mut operation: Operation, result: &Result<u32>) {
        let api = operation.api();
        let buffer = match &mut operation {
            Operation::Read { buffer, .. } => buffer.as_mut_slice().as_mut_ptr().expose_provenance(),
            _ => 0,
        };
        let doomed = self.put_back(exchange, api, result);
        drop(operation);
        if result.is_err() {
            // The callback may ask for the words about it.
            last_error::settle();
        }
        let event = match *result {
            Err(error) => Event::RequestError(api, error),
            Ok(count) => match api {
                Api::SendRequest => Event::SendRequestComplete,
                Api::WriteData => Event::WriteComplete(count),
                Api::ReceiveResponse => Event::HeadersAvailable,
                Api::QueryDataAvailable => Event::DataAvailable(count),
                Api::ReadData => Event::ReadComplete(buffer, count),
            },
        };
        self.with_notifier(|notifier| *notifier).invoke(&event);
        if doomed {
            let closed = self.cancel.is_cancelled();
            let error = if closed {
                Error::WINHTTP_OPERATION_CANCELLED
            } else {
                Error::WINHTTP_INCORRECT_HANDLE_STATE
            };
            self.with_notifier(|notifier| *notifier)
                .invoke(&Event::RequestError(Api::ReceiveResponse, error));
        }
    }

    /// The exchange is at home again. Says whether a receive that waited for a send was dropped with it.
    pub(crate) fn put_back(&self, mut exchange: Box<Exchange>, api: Api, result: &Result<u32>) -> bool {
        if result.is_err() {
            exchange.abandon(&self.cancel);
        }
        let mut core = self.core.lock();
        core.exchange = Some(exchange);
        let receive_waits = api == Api::SendRequest && !core.turn.queue.is_empty();
        core.phase = match (result, api) {
            (Err(_), _) => Phase::Failed,
            (Ok(_), Api::SendRequest) if receive_waits => Phase::Receiving,
            (Ok(_), Api::SendRequest | Api::WriteData) => Phase::Sent,
            (Ok(_), _) => Phase::Responded,
        };
        if receive_waits && result.is_err() {
            core.turn.queue.clear();
        }
        receive_waits && result.is_err()
    }
}

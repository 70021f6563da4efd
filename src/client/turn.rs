//! Who runs a request, what waits to be run, and who says goodbye.
//!
//! At most one thread at a time has a request's *turn*: it runs an operation or a callback of it. Operations that
//! cannot complete at once on an asynchronous request wait in the turn's queue for a worker. A thread that gives
//! up the turn passes it on: to a worker if something waits, else, when the handle has been closed, to the last
//! notification, HANDLE_CLOSING. So every callback of a request comes after the one before it has returned,
//! except one that the application causes by calling from inside a callback.
//!
//! ```text
//!          start (inline)            nothing waits
//! FREE ──────────────────► HELD by a thread ─────────► FREE, or HANDLE_CLOSING and FREE
//!   │ start (not ready)        │ something waits
//!   └────────────► IN TRANSIT ◄┘
//!                      └── a worker takes it ──► HELD
//! ```

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::abi::error::{Error, Result};

use crate::win32::last_error;

use super::exchange::Exchange;
use super::notify::Event;
use super::operation::{Api, Operation, Outcome};
use super::request::{Core, Phase, Request};
use super::workers;

/// How many completions may nest on one thread before the next is left to a worker (digest §1.8).
const NESTING: u32 = 3;

/// A thread, by the address of a variable of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ThreadToken(usize);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Holder {
    #[default]
    Nobody,
    Transit,
    Thread(ThreadToken),
}

/// The state drawn above.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    holder: Holder,
    queue: VecDeque<Operation>,
    closing: bool,
    farewell_said: bool,
}

impl Turn {
    fn has_receive(&self) -> bool {
        self.queue.iter().any(|operation| operation.api() == Api::ReceiveResponse)
    }
}

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

fn this_thread() -> ThreadToken {
    DEPTH.with(|depth| ThreadToken(std::ptr::from_ref(depth).addr()))
}

/// What came of asking for the turn.
enum Admission {
    /// The thread has it, for the first time or from further out.
    Here { exchange: Box<Exchange>, operation: Operation, nested: bool },
    /// The operation waits for a worker.
    Queued,
}

impl Request {
    /// Starts an operation. Synchronous requests run it here and now.
    pub fn start(self: &Arc<Self>, operation: Operation) -> Result<Outcome> {
        let api = operation.api();
        match self.admit(operation) {
            Ok(Admission::Queued) => Ok(Outcome::Pending),
            Ok(Admission::Here { exchange, operation, nested }) if self.is_async => {
                Ok(self.try_inline(exchange, operation, nested))
            }
            Ok(Admission::Here { mut exchange, mut operation, .. }) => {
                let result = self.perform(&mut exchange, &mut operation);
                self.put_back(exchange, api, &result);
                self.pass_on(false);
                result.map(Outcome::Done)
            }
            Err(refused) => self.refuse(api, refused),
        }
    }

    /// An error of admission: asynchronous ReceiveResponse at the wrong time reports it through the callback.
    fn refuse(&self, api: Api, error: Refused) -> Result<Outcome> {
        if let (Refused::TellCallback, true) = (error, self.is_async) {
            let notifier = self.with_notifier(|notifier| *notifier);
            notifier.invoke(&Event::RequestError(api, Error::WINHTTP_INCORRECT_HANDLE_STATE));
            return Ok(Outcome::Reported);
        }
        Err(match error {
            Refused::Parameter => Error::INVALID_PARAMETER,
            Refused::State | Refused::TellCallback => Error::WINHTTP_INCORRECT_HANDLE_STATE,
            Refused::Closed => Error::INVALID_HANDLE,
        })
    }

    fn admit(&self, operation: Operation) -> std::result::Result<Admission, Refused> {
        let mut core = self.core.lock();
        if core.turn.closing {
            return Err(Refused::Closed);
        }
        let next = core.next_phase(&operation, self.is_async)?;
        let me = Holder::Thread(this_thread());
        let nested = core.turn.holder == me;
        let mine = core.turn.holder == Holder::Nobody || (nested && DEPTH.get() < NESTING);
        if !mine || core.phase == Phase::Sending {
            if !self.is_async {
                return Err(Refused::State);
            }
            core.phase = next.unwrap_or(core.phase);
            core.turn.queue.push_back(operation);
            return Ok(Admission::Queued);
        }
        core.phase = next.unwrap_or(core.phase);
        core.turn.holder = me;
        let exchange = core.exchange.take().unwrap_or_default();
        Ok(Admission::Here { exchange, operation, nested })
    }

    /// Completes the operation on this thread if that needs no waiting, else leaves it to a worker.
    fn try_inline(
        self: &Arc<Self>,
        mut exchange: Box<Exchange>,
        mut operation: Operation,
        nested: bool,
    ) -> Outcome {
        let attempt = self.attempt(&mut exchange, &mut operation, nested);
        let outcome = match attempt {
            None => {
                let mut core = self.core.lock();
                core.exchange = Some(exchange);
                core.turn.queue.push_front(operation);
                Outcome::Pending
            }
            Some(result) => {
                DEPTH.set(DEPTH.get() + 1);
                self.complete(exchange, operation, &result);
                DEPTH.set(DEPTH.get() - 1);
                result.map_or(Outcome::Reported, Outcome::Done)
            }
        };
        if !nested {
            self.pass_on(false);
        }
        outcome
    }

    /// Tells the callback that the operation is over.
    fn complete(&self, exchange: Box<Exchange>, mut operation: Operation, result: &Result<u32>) {
        let api = operation.api();
        let buffer = match &mut operation {
            Operation::Read { buffer, .. } => buffer.as_mut_slice().as_mut_ptr().expose_provenance(),
            _ => 0,
        };
        drop(operation);
        if result.is_err() {
            // The callback may ask for the words about it.
            last_error::settle();
        }
        let doomed = self.put_back(exchange, api, result);
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
            let error = Error::WINHTTP_INCORRECT_HANDLE_STATE;
            self.with_notifier(|notifier| *notifier)
                .invoke(&Event::RequestError(Api::ReceiveResponse, error));
        }
    }

    /// The exchange is at home again. Says whether a receive that waited for a send was dropped with it.
    fn put_back(&self, mut exchange: Box<Exchange>, api: Api, result: &Result<u32>) -> bool {
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

    /// The life of a turn on a worker.
    pub(crate) fn run_turn(self: &Arc<Self>) {
        self.core.lock().turn.holder = Holder::Thread(this_thread());
        self.pass_on(true);
    }

    /// Gives up the turn, or, on a worker, first runs what waits.
    fn pass_on(self: &Arc<Self>, on_worker: bool) {
        let mut run_here = on_worker;
        loop {
            let mut core = self.core.lock();
            if core.turn.queue.is_empty() {
                if !core.turn.closing || core.turn.farewell_said {
                    core.turn.holder = Holder::Nobody;
                    return;
                }
                core.turn.farewell_said = true;
                let notifier = core.notifier;
                drop(core);
                notifier.invoke(&Event::HandleClosing);
            } else if run_here {
                drop(core);
                self.run_next();
            } else {
                core.turn.holder = Holder::Transit;
                drop(core);
                let task: Arc<dyn workers::Task> = Arc::clone(self) as _;
                match workers::submit(task) {
                    Ok(()) => return,
                    // No thread is to be had: this one does it.
                    Err(_) => self.core.lock().turn.holder = Holder::Thread(this_thread()),
                }
                run_here = true;
            }
        }
    }

    fn run_next(self: &Arc<Self>) {
        let (mut exchange, mut operation) = {
            let mut core = self.core.lock();
            let Some(operation) = core.turn.queue.pop_front() else { return };
            (core.exchange.take().unwrap_or_default(), operation)
        };
        let result = self.perform(&mut exchange, &mut operation);
        self.complete(exchange, operation, &result);
    }

    /// Closes the request: whatever runs is cancelled, and HANDLE_CLOSING follows when nothing runs any more,
    /// which is at once, on this thread, when nothing does.
    pub fn close(self: &Arc<Self>) {
        let (exchange, idle) = {
            let mut core = self.core.lock();
            core.turn.closing = true;
            let idle = core.turn.holder == Holder::Nobody;
            if idle {
                core.turn.holder = Holder::Thread(this_thread());
            }
            let exchange = core.exchange.take();
            if exchange.is_some() {
                // Nothing runs on its connection, which may serve others.
                self.cancel.detach();
            }
            self.cancel.cancel();
            (exchange, idle)
        };
        if let Some(mut exchange) = exchange {
            exchange.settle();
        }
        if idle {
            self.pass_on(false);
        }
    }

    /// Ends a synchronous call that another thread is in, for a parent that closes.
    pub fn interrupt(&self) {
        if !self.is_async && self.core.lock().turn.holder != Holder::Nobody {
            self.cancel.cancel();
        }
    }
}

impl workers::Task for Request {
    fn run(self: Arc<Self>) {
        self.run_turn();
    }
}

/// Why an operation is not admitted.
#[derive(Clone, Copy)]
enum Refused {
    Closed,
    State,
    /// As `State`; an asynchronous request's callback is told instead of the caller.
    TellCallback,
    Parameter,
}

impl Core {
    /// The phase the operation leads to; `None` leaves the present one (a receive queued behind a send).
    fn next_phase(
        &self,
        operation: &Operation,
        is_async: bool,
    ) -> std::result::Result<Option<Phase>, Refused> {
        use Phase::*;
        match (operation, self.phase) {
            (Operation::Send { .. }, Opened | Sent | Responded | Failed) => Ok(Some(Sending)),
            (Operation::Write(bytes), Sent) => {
                let allowed = self.exchange.as_ref().is_some_and(|e| e.upload.admits(bytes.as_slice().len()));
                if allowed { Ok(Some(Writing)) } else { Err(Refused::Parameter) }
            }
            (Operation::Receive, Sent) => Ok(Some(Receiving)),
            (Operation::Receive, Sending) if is_async && !self.turn.has_receive() => Ok(None),
            (Operation::Receive, Opened | Responded | Failed) => Err(Refused::TellCallback),
            (Operation::Query | Operation::Read { .. }, Responded) => Ok(Some(Reading)),
            _ => Err(Refused::State),
        }
    }
}

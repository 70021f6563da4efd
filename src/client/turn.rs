//! Who runs a request, what waits to be run, and who says goodbye.
//!
//! At most one thread at a time has a request's *turn*: it runs an operation or a callback of it. Operations that
//! cannot complete at once on an asynchronous request wait in the turn's queue for a worker, or, when only the server
//! can bring them on, are parked until its connection has something to say. A thread that gives up the turn passes it
//! on: to a worker if something waits, else, when the handle has been closed, to the last notification,
//! HANDLE_CLOSING. So every callback of a request comes after the one before it has returned, except one that the
//! application causes by calling from inside a callback.
//!
//! ```text
//!          start (inline)            nothing waits
//! FREE ──────────────────► HELD by a thread ─────────► FREE, or HANDLE_CLOSING and FREE
//!   │ start (not ready)        │ something waits, or the server is waited for
//!   └────────────► IN TRANSIT ◄┘
//!                      └── a worker takes it ──► HELD
//! ```
//!
//! What comes of an operation is in `completing`.

use std::cell::Cell;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::abi::error::{Error, Result};

use super::completing::Parked;
use super::exchange::Exchange;
use super::notify::{Event, Notifier};
use super::operation::{Api, Operation, Outcome, Patience};
use super::request::{Core, Phase, Request};
use super::workers::{self, Task};

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
#[derive(Default)]
pub(crate) struct Turn {
    holder: Holder,
    /// Hardly ever more than a receive behind a send.
    pub(super) queue: SmallVec<[Operation; 2]>,
    /// The operation that waits for the server, which comes before those in the queue.
    pub(super) parked: Option<Parked>,
    /// Threads that tell the callback something without having the turn.
    visitors: u32,
    pub(super) closing: bool,
    farewell_said: bool,
}

impl Turn {
    /// A thread has it, or is about to.
    pub(super) fn is_held(&self) -> bool {
        self.holder != Holder::Nobody
    }

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
    /// The callback is to be told that this is not the time for it.
    Misplaced(Notifier),
}

impl Request {
    /// Starts an operation. Synchronous requests run it here and now.
    pub fn start(self: &Arc<Self>, operation: Operation) -> Result<Outcome> {
        self.start_counting(operation, &mut |_| {})
    }

    /// As [`Request::start`]. `count` is given the byte count of an operation that completes here, and is so before
    /// the callback hears of it: that may free what the count is kept in, or start the next operation with it.
    pub fn start_counting(
        self: &Arc<Self>,
        operation: Operation,
        count: &mut dyn FnMut(u32),
    ) -> Result<Outcome> {
        let api = operation.api();
        match self.admit(operation)? {
            Admission::Misplaced(notifier) => {
                self.tell_misplaced(&notifier);
                Ok(Outcome::Reported)
            }
            Admission::Queued => Ok(Outcome::Pending),
            Admission::Here { exchange, operation, nested } if self.is_async => {
                Ok(self.try_inline(exchange, operation, nested, count))
            }
            Admission::Here { mut exchange, mut operation, .. } => {
                let result = self.perform(&mut exchange, &mut operation, Patience::Wait);
                let result = result.map(Option::unwrap_or_default);
                self.put_back(exchange, api, &result);
                let result = self.after_interruption(result);
                let _ = result.map(&mut *count);
                self.pass_on(false);
                result.map(Outcome::Done)
            }
        }
    }

    /// Tells the callback of a receive at the wrong time, here and now, whoever has the turn; but not after
    /// HANDLE_CLOSING, which waits for it.
    fn tell_misplaced(self: &Arc<Self>, notifier: &Notifier) {
        let error = Error::WINHTTP_INCORRECT_HANDLE_STATE;
        notifier.invoke(&Event::RequestError(Api::ReceiveResponse, error));
        {
            let mut core = self.core.lock();
            core.turn.visitors -= 1;
            if core.turn.holder != Holder::Nobody {
                return;
            }
            core.turn.holder = Holder::Thread(this_thread());
        }
        self.pass_on(false);
    }

    fn admit(&self, operation: Operation) -> Result<Admission> {
        let mut core = self.core.lock();
        if core.turn.closing {
            return Err(Error::INVALID_HANDLE);
        }
        let next = match core.next_phase(&operation, self.is_async) {
            Ok(next) => next,
            Err(Refused::Parameter) => return Err(Error::INVALID_PARAMETER),
            Err(Refused::Receive) if self.is_async => {
                core.turn.visitors += 1;
                return Ok(Admission::Misplaced(core.notifier));
            }
            Err(_) => return Err(Error::WINHTTP_INCORRECT_HANDLE_STATE),
        };
        let me = Holder::Thread(this_thread());
        let nested = core.turn.holder == me;
        let mine = core.turn.holder == Holder::Nobody || (nested && DEPTH.get() < NESTING);
        if !mine || core.phase == Phase::Sending {
            if !self.is_async {
                return Err(Error::WINHTTP_INCORRECT_HANDLE_STATE);
            }
            core.phase = next.unwrap_or(core.phase);
            core.turn.queue.push(operation);
            return Ok(Admission::Queued);
        }
        core.phase = next.unwrap_or(core.phase);
        core.turn.holder = me;
        let exchange = core.exchange.take().unwrap_or_default();
        Ok(Admission::Here { exchange, operation, nested })
    }

    /// Completes the operation on this thread if that needs no waiting, else leaves it to a worker. Inside a callback
    /// of this request a worker is about to be free for it, so that looking for a response would be a system call for
    /// nothing.
    fn try_inline(
        self: &Arc<Self>,
        mut exchange: Box<Exchange>,
        mut operation: Operation,
        nested: bool,
        count: &mut dyn FnMut(u32),
    ) -> Outcome {
        let leave = nested && matches!(operation, Operation::Receive);
        let attempt =
            if leave { Ok(None) } else { self.perform(&mut exchange, &mut operation, Patience::Probe) };
        let outcome = match attempt.transpose() {
            None => {
                self.leave_to_worker(exchange, operation, !leave);
                Outcome::Pending
            }
            Some(result) => {
                let _ = result.map(count);
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

    /// Gives up the turn, or, on a worker, first runs what waits.
    fn pass_on(self: &Arc<Self>, on_worker: bool) {
        let mut run_here = on_worker;
        loop {
            let mut core = self.core.lock();
            if let Some(parked) = &core.turn.parked {
                let (watch, interest, until) = parked.place();
                core.turn.holder = Holder::Transit;
                drop(core);
                if workers::park(self.as_task(), watch, interest, until).is_ok() {
                    return;
                }
                self.take_over();
                self.run_next(Patience::Wait);
            } else if core.turn.queue.is_empty() {
                if !core.turn.closing || core.turn.farewell_said || core.turn.visitors > 0 {
                    core.turn.holder = Holder::Nobody;
                    return;
                }
                core.turn.farewell_said = true;
                let notifier = core.notifier;
                drop(core);
                notifier.invoke(&Event::HandleClosing);
            } else if run_here {
                drop(core);
                self.run_next(Patience::Work);
            } else {
                core.turn.holder = Holder::Transit;
                drop(core);
                if workers::submit(self.as_task()).is_ok() {
                    return;
                }
                // No thread is to be had: this one does it.
                self.take_over();
                run_here = true;
            }
        }
    }

    fn as_task(self: &Arc<Self>) -> Arc<dyn Task> {
        Arc::clone(self) as Arc<dyn Task>
    }

    fn take_over(&self) {
        self.core.lock().turn.holder = Holder::Thread(this_thread());
    }

    /// Closes the request: whatever runs is cancelled, and HANDLE_CLOSING follows when nothing runs any more,
    /// which is at once, on this thread, when nothing does.
    pub fn close(self: &Arc<Self>) {
        let (exchange, idle, waits) = {
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
            (exchange, idle, core.turn.parked.as_ref().map(Parked::place))
        };
        if let Some(mut exchange) = exchange {
            exchange.settle();
        }
        if let Some((watch, interest, _)) = waits {
            workers::rouse(watch, interest);
        }
        if idle {
            self.pass_on(false);
        }
    }
}

impl Task for Request {
    /// The life of a turn on a worker.
    fn run(self: Arc<Self>) {
        self.take_over();
        if self.core.lock().turn.parked.is_some() {
            self.run_next(Patience::Work);
        }
        self.pass_on(true);
    }
}

/// Why an operation is not admitted.
#[derive(Clone, Copy)]
enum Refused {
    State,
    /// As `State`, for a receive: an asynchronous request's callback is told instead of the caller.
    Receive,
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
            (Operation::Write { bytes, .. }, Sent) => {
                let allowed = self.exchange.as_ref().is_some_and(|e| e.upload.admits(bytes.as_slice().len()));
                if allowed { Ok(Some(Writing)) } else { Err(Refused::Parameter) }
            }
            (Operation::Receive, Sent) => Ok(Some(Receiving)),
            (Operation::Receive, Sending) if is_async && !self.turn.has_receive() => Ok(None),
            (Operation::Receive, Opened | Responded | Failed) => Err(Refused::Receive),
            (Operation::Query | Operation::Read { .. }, Responded) => Ok(Some(Reading)),
            _ => Err(Refused::State),
        }
    }
}

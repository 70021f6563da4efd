//! The host's unfinished commands: operations of the engine on behalf of calls of the guest.
//!
//! A command runs in one step, which is one operation of the engine, or in several: a read that fills a
//! large buffer is a step for each part (here), a large body to send likewise ([`super::uploads`]).
//!
//! ```text
//!          ┌──────────── next step ──────────┐
//! command ─┴► engine ─► ready ───────────────┴► Done
//!                └────► pend: Pending ─► completion ─┘
//! ```
//!
//! A call is in the table from its `Pending` to its `Done`. `Pending` is queued inside `pend`, before the
//! engine has the reply, so nothing of the call can overtake it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use parking_lot::Mutex;

use super::body::PART_BYTES;
use super::codec::{Bytes, Decoded, Malformed};
use super::message::{Answer, Outcome};
use super::order::SendOrder;
use super::outbox::Outbox;
use super::uploads::Upload;
use crate::abi::error::{Error, Result};
use crate::server::service::{BodyPart, BodyRead, OperationId, Pend, QueueId, Reply, RequestId, Service};
use crate::win32::lent::LentBuffer;

/// Unfinished commands one guest may have; more are refused with `NO_SYSTEM_RESOURCES`.
const MAX_RUNNING: usize = 1 << 16;

/// Operations of all hosts in the process. `capi` of this process may use the same engine and numbers its own
/// from 0 and from 1 << 63 upward; these stay clear of both.
static NEXT_OPERATION: AtomicU64 = AtomicU64::new(3 << 62);

/// A call in the table.
pub(super) struct Running {
    pub(super) queue: QueueId,
    /// The engine's pending operation; none between steps.
    pub(super) operation: Option<OperationId>,
    /// The guest has asked to abort the call.
    pub(super) aborted: bool,
    /// It runs in steps, so an abort that finds no operation still counts.
    pub(super) steps: bool,
    /// What a send in steps needs to go on.
    pub(super) upload: Option<Upload>,
    /// A send that was accepted while another one for this request went out in parts.
    pub(super) waits_for: Option<RequestId>,
}

impl Running {
    /// What a failure of a later step is to the guest: it has been told that its call was accepted, so that a request
    /// which is no more has gone meanwhile.
    fn told(&self, error: Error) -> Error {
        let accepted = self.waits_for.is_some() || self.upload.as_ref().is_some_and(Upload::has_begun);
        match error {
            Error::CONNECTION_INVALID if accepted && self.aborted => Error::OPERATION_ABORTED,
            Error::CONNECTION_INVALID if accepted => Error::NETNAME_DELETED,
            error => error,
        }
    }
}

/// What the threads of one host and the engine's completions share.
pub(super) struct Link {
    pub(super) engine: Arc<dyn Service>,
    pub(super) outbox: Outbox,
    pub(super) running: Mutex<HashMap<u64, Running>>,
    pub(super) order: SendOrder,
}

/// A read in steps.
#[derive(Clone, Copy)]
pub(super) struct Fill {
    pub(super) queue: QueueId,
    pub(super) request: RequestId,
    pub(super) mode: BodyRead,
    /// Bytes of the guest's buffer not yet filled.
    pub(super) left: u64,
    /// Something has been read.
    pub(super) begun: bool,
}

impl Link {
    /// A link with nothing running.
    pub(super) fn new(engine: Arc<dyn Service>, outbox: Outbox) -> Link {
        Link { engine, outbox, running: Mutex::default(), order: SendOrder::default() }
    }

    /// Whether the guest may start another command, under this tag: malformed if the tag is in use.
    pub(super) fn has_room(&self, tag: u64) -> Decoded<bool> {
        let running = self.running.lock();
        if running.contains_key(&tag) { Err(Malformed) } else { Ok(running.len() < MAX_RUNNING) }
    }

    /// Runs a command of one step.
    pub(super) fn single<T: 'static>(
        self: &Arc<Self>,
        tag: u64,
        queue: QueueId,
        into: fn(T) -> Outcome,
        call: impl FnOnce(Pend<'_, T>) -> Poll<Result<T>>,
    ) {
        self.step(tag, queue, false, call, move |link, result| link.finish(tag, result.map(into)));
    }

    /// Runs one step, of several or the only one: `call` asks the engine, `then` gets the outcome, here or on
    /// the engine's thread.
    pub(super) fn step<T: 'static>(
        self: &Arc<Self>,
        tag: u64,
        queue: QueueId,
        steps: bool,
        call: impl FnOnce(Pend<'_, T>) -> Poll<Result<T>>,
        then: impl FnOnce(&Arc<Link>, Result<T>) + Send + 'static,
    ) {
        let mut then = Some(then);
        let mut pend = || {
            let then = then.take().expect("the engine asks for one reply");
            let operation = OperationId(NEXT_OPERATION.fetch_add(1, Ordering::Relaxed));
            self.announce(tag, queue, steps, Some(operation));
            let link = Arc::clone(self);
            Reply::new(operation, move |result| {
                if let Some(running) = link.running.lock().get_mut(&tag) {
                    running.operation = None;
                }
                then(&link, result);
            })
        };
        if let Poll::Ready(result) = call(&mut pend)
            && let Some(then) = then
        {
            then(self, result);
        }
    }

    /// Enters a call that is not over at once, if it is not in the table, and says so to the guest.
    pub(super) fn announce(&self, tag: u64, queue: QueueId, steps: bool, operation: Option<OperationId>) {
        let mut running = self.running.lock();
        match running.entry(tag) {
            Entry::Occupied(mut call) => call.get_mut().operation = operation,
            Entry::Vacant(place) => {
                place.insert(Running {
                    queue,
                    operation,
                    aborted: false,
                    steps,
                    upload: None,
                    waits_for: None,
                });
                drop(running);
                self.outbox.later(tag, Answer::Pending);
            }
        }
    }

    /// Ends a call: queued behind whatever else was answered to it, written at once if nothing was. In that
    /// case the command has not pended, so this is the thread that took it, which may wait.
    pub(super) fn finish(&self, tag: u64, outcome: Result<Outcome>) {
        let call = self.running.lock().remove(&tag);
        let outcome = outcome.map_err(|error| call.as_ref().map_or(error, |call| call.told(error)));
        let answer = Answer::Done(outcome);
        if call.is_some() { self.outbox.later(tag, answer) } else { self.outbox.now((tag, answer)) }
    }

    /// Runs one step of a read.
    pub(super) fn read(self: &Arc<Self>, tag: u64, fill: Fill) {
        if self.running.lock().get(&tag).is_some_and(|call| call.aborted) {
            return self.finish(tag, Err(Error::OPERATION_ABORTED));
        }
        let len = fill.left.min(PART_BYTES as u64) as usize;
        let Fill { queue, request, mode, .. } = fill;
        let steps = fill.begun || (mode == BodyRead::Fill && fill.left > len as u64);
        self.step(
            tag,
            queue,
            steps,
            |pend| {
                let buffer = LentBuffer::owned(vec![0; len]);
                self.engine.read_body(queue, request, mode, buffer, pend)
            },
            move |link, result| link.took(tag, fill, result),
        );
    }

    /// A step of a read is done: passes on what it brought, and goes on or ends the call.
    fn took(self: &Arc<Self>, tag: u64, mut fill: Fill, result: Result<BodyPart>) {
        let part = match result {
            Err(Error::HANDLE_EOF) if fill.begun => return self.finish(tag, Ok(read_all(false))),
            Err(error) => return self.finish(tag, Err(error)),
            Ok(part) => part,
        };
        let BodyPart { mut buffer, len, more_body } = part;
        let bytes = Bytes(buffer.as_mut_slice().get(..len).unwrap_or_default().to_vec());
        fill.left -= bytes.0.len() as u64;
        fill.begun = true;
        if fill.mode != BodyRead::Fill || fill.left == 0 || !more_body || bytes.0.is_empty() {
            return self.finish(tag, Ok(Outcome::Read(bytes, more_body)));
        }
        self.announce(tag, fill.queue, true, None);
        self.outbox.later(tag, Answer::Data(bytes));
        let link = Arc::clone(self);
        self.outbox.after(move || link.read(tag, fill));
    }

    /// Aborts the call `tag`; false if there is nothing to abort.
    pub(super) fn abort(self: &Arc<Self>, tag: u64) -> bool {
        let mut running = self.running.lock();
        let Some(call) = running.get_mut(&tag) else { return false };
        call.aborted = call.steps;
        let (queue, operation, steps) = (call.queue, call.operation, call.steps);
        if let Some(request) = call.waits_for.filter(|_| operation.is_none() && call.upload.is_none()) {
            drop(running);
            // As when the engine aborts a send: the connection goes with it, and so do the sends before this one.
            let _ = self.engine.cancel_request(queue, request);
            return true;
        }
        if let Some(request) = call.upload.as_ref().and_then(Upload::waits_for_part) {
            drop(running);
            self.cancel_upload(tag, queue, request);
            return true;
        }
        drop(running);
        operation.is_some_and(|operation| self.engine.abort(queue, operation)) || steps
    }
}

fn read_all(more_body: bool) -> Outcome {
    Outcome::Read(Bytes::default(), more_body)
}

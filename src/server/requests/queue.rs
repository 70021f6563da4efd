//! Request queues: requests that wait for a receive, and receives that wait for a request.
//!
//! A receive waits in one of two ways: as a reply to be completed, or as a thread to be woken, which then
//! takes its request itself (that needs no completion, and the thread drives the engine meanwhile). A waiting request is only a claim on its connection; whoever
//! takes it asks the connection whether the request still stands (the client may have left).

use std::collections::VecDeque;
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::abi::error::{Error, Result};
use crate::win32::beacon::Beacon;
use crate::win32::wait::Waiter;

use crate::server::cache::Hit;
use crate::server::monitor::snapshot::{QueueCounters, QueueState};
use crate::server::service::{
    ApiVersion, Delivery, OperationId, Property, PropertyKind, QueueId, Reply, RequestId, Verbosity,
};

struct State {
    requests: VecDeque<RequestId>,
    receivers: VecDeque<Receiver>,
    length: u32,
    active: bool,
    verbosity: Verbosity,
    /// No receive is taken any more.
    shut: bool,
    /// Nor is a request.
    closed: bool,
    /// Requests that came, and those refused.
    arrived: u64,
    rejected: u64,
    beacon: Beacon,
}

impl State {
    fn push(&mut self, request: RequestId) {
        self.requests.push_back(request);
        self.beacon.show(true);
    }

    fn pop(&mut self) -> Option<RequestId> {
        let waiting = self.requests.pop_front();
        self.show();
        waiting
    }

    /// Lights the descriptor, if there is one, or puts it out.
    fn show(&mut self) {
        self.beacon.show(!self.requests.is_empty() || self.shut);
    }

    /// Takes a thread that waits out of the line, unless an operation stands before all threads.
    fn serve_thread(&mut self, waiter: &Arc<Waiter>) -> bool {
        match self.receivers.front() {
            Some(front) if front.is_thread(waiter) => self.receivers.pop_front().is_some(),
            Some(Receiver::Thread(_)) => {
                let at = self.receivers.iter().position(|r| r.is_thread(waiter));
                at.and_then(|at| self.receivers.remove(at)).is_some()
            }
            _ => false,
        }
    }
}

/// Who waits for a request.
enum Receiver {
    /// An operation to be completed.
    Operation(Reply<Delivery>),
    /// A thread that looks again when woken.
    Thread(Arc<Waiter>),
}

impl Receiver {
    #[inline]
    fn is_thread(&self, waiter: &Arc<Waiter>) -> bool {
        matches!(self, Receiver::Thread(thread) if Arc::ptr_eq(thread, waiter))
    }
}

/// A request queue.
pub(crate) struct Queue {
    pub(crate) id: QueueId,
    pub(crate) version: ApiVersion,
    /// Requests for it that the cache answered.
    cache_hits: AtomicU64,
    /// As in the state; here for those who answer from the cache and take no lock.
    inactive: AtomicBool,
    state: Mutex<State>,
}

/// What became of a request offered to a queue.
pub(crate) enum Offer {
    /// It waits.
    Queued,
    /// This receive takes it.
    Taken(Reply<Delivery>),
    /// The thread that offers it waits for it itself.
    Mine,
    /// The queue is full, inactive or closed.
    Refused(Refused),
    /// It need not be offered: the cache answers it.
    Cached(Hit),
}

/// Why a queue took no request.
pub(crate) enum Refused {
    Full(Verbosity),
    /// The group has as many connections as it may.
    Connections(Verbosity),
    Inactive,
    Closed,
}

impl Queue {
    pub(crate) fn new(id: QueueId, version: ApiVersion) -> Queue {
        let state = State {
            requests: VecDeque::new(),
            receivers: VecDeque::new(),
            length: 1000,
            active: true,
            verbosity: Verbosity::Basic,
            shut: false,
            closed: false,
            beacon: Beacon::new(),
            arrived: 0,
            rejected: 0,
        };
        Queue {
            id,
            version,
            cache_hits: AtomicU64::new(0),
            inactive: AtomicBool::new(false),
            state: Mutex::new(state),
        }
    }

    /// The cache answers a request that would have come here, unless it would have been refused.
    pub(crate) fn spared(&self, hit: Hit) -> Offer {
        if self.inactive.load(Ordering::Relaxed) {
            let mut state = self.state.lock();
            state.arrived += 1;
            state.rejected += 1;
            return Offer::Refused(Refused::Inactive);
        }
        self.cache_hits.fetch_add(1, Ordering::Relaxed);
        Offer::Cached(hit)
    }

    /// Puts a request on the queue, or gives it to the oldest waiting receive; if that is a thread and `driver`,
    /// the thread that brings the request, waits here too, to that one, because it need not be woken.
    pub(crate) fn offer(&self, request: RequestId, driver: Option<&Arc<Waiter>>) -> Offer {
        let mut state = self.state.lock();
        state.arrived += 1;
        if state.closed {
            return Offer::Refused(Refused::Closed);
        }
        if !state.active {
            state.rejected += 1;
            return Offer::Refused(Refused::Inactive);
        }
        if driver.is_some_and(|driver| state.serve_thread(driver)) {
            return Offer::Mine;
        }
        match state.receivers.pop_front() {
            Some(Receiver::Operation(receive)) => Offer::Taken(receive),
            Some(Receiver::Thread(waiter)) => {
                state.push(request);
                drop(state);
                waiter.notify();
                Offer::Queued
            }
            None if state.requests.len() >= state.length as usize => {
                state.rejected += 1;
                Offer::Refused(Refused::Full(state.verbosity))
            }
            None => {
                state.push(request);
                Offer::Queued
            }
        }
    }

    /// The oldest waiting request, or the promise to complete `pend`'s reply with a later one. `None` with
    /// the reply stored.
    pub(crate) fn take(&self, pend: &mut dyn FnMut() -> Reply<Delivery>) -> Result<Option<RequestId>> {
        let mut state = self.state.lock();
        if state.shut {
            return Err(Error::INVALID_HANDLE);
        }
        if let Some(waiting) = state.pop() {
            return Ok(Some(waiting));
        }
        let reply = pend();
        state.receivers.push_back(Receiver::Operation(reply));
        Ok(None)
    }

    /// The oldest waiting request; when there is none, `waiter` is notified of the next one. `first` on the
    /// first call of a receive, which a queue that is shut refuses differently.
    pub(crate) fn take_or_wait(&self, waiter: &Arc<Waiter>, first: bool) -> Result<Option<RequestId>> {
        let mut state = self.state.lock();
        if state.shut {
            return Err(if first { Error::INVALID_HANDLE } else { Error::OPERATION_ABORTED });
        }
        let waiting = state.pop();
        // A thread woken by a late word about something else still stands here. It must not stand here twice,
        // nor when it has left: the next request would be given to nobody.
        let mine = |r: &Receiver| matches!(r, Receiver::Thread(w) if Arc::ptr_eq(w, waiter));
        let stands = if first { None } else { state.receivers.iter().position(mine) };
        match (&waiting, stands) {
            (Some(_), Some(at)) => drop(state.receivers.remove(at)),
            (None, None) => {
                waiter.reset();
                state.receivers.push_back(Receiver::Thread(Arc::clone(waiter)));
            }
            _ => {}
        }
        Ok(waiting)
    }

    /// Takes out a request that is not to be had any more, so that it does not count.
    pub(crate) fn forget(&self, request: RequestId) {
        let mut state = self.state.lock();
        if let Some(at) = state.requests.iter().position(|r| *r == request) {
            state.requests.remove(at);
            state.show();
        }
    }

    /// A descriptor that is readable while a request waits, or the queue is shut.
    pub(crate) fn descriptor(&self) -> Result<Arc<File>> {
        let mut state = self.state.lock();
        let ready = !state.requests.is_empty() || state.shut;
        state.beacon.descriptor(ready).map_err(|_| Error::NO_SYSTEM_RESOURCES)
    }

    /// Takes a waiting receive out.
    pub(crate) fn abort(&self, operation: OperationId) -> Option<Reply<Delivery>> {
        let mut state = self.state.lock();
        let wanted = |r: &Receiver| matches!(r, Receiver::Operation(reply) if reply.operation == operation);
        let at = state.receivers.iter().position(wanted)?;
        match state.receivers.remove(at) {
            Some(Receiver::Operation(reply)) => Some(reply),
            _ => None,
        }
    }

    /// Takes no more requests or receives; hands back the requests that wait, and the receives.
    pub(crate) fn close(&self) -> (Vec<RequestId>, Vec<Reply<Delivery>>) {
        let mut state = self.state.lock();
        state.closed = true;
        let waiting = state.requests.drain(..).collect();
        drop(state);
        (waiting, self.shut())
    }

    /// Takes no more receives; hands back those that wait. Requests wait on until the queue is closed, or their time is
    /// over (digest §1.5).
    pub(crate) fn shut(&self) -> Vec<Reply<Delivery>> {
        let mut state = self.state.lock();
        state.shut = true;
        // Who waits at the descriptor is to learn of it.
        state.beacon.show(true);
        let mut receives = Vec::new();
        for receiver in state.receivers.drain(..) {
            match receiver {
                Receiver::Operation(reply) => receives.push(reply),
                Receiver::Thread(waiter) => waiter.notify(),
            }
        }
        receives
    }

    /// Sets a property of queues.
    pub(crate) fn set(&self, property: Property) -> Result<()> {
        let mut state = self.state.lock();
        match property {
            Property::QueueLength(0) => return Err(Error::INVALID_PARAMETER),
            Property::QueueLength(length) => state.length = length,
            Property::State(active) => {
                state.active = active.unwrap_or(true);
                self.inactive.store(!state.active, Ordering::Relaxed);
            }
            Property::Verbosity(verbosity) => state.verbosity = verbosity,
            _ => return Err(Error::INVALID_PARAMETER),
        }
        Ok(())
    }

    /// Reads a property of queues.
    pub(crate) fn get(&self, kind: PropertyKind) -> Result<Property> {
        let state = self.state.lock();
        match kind {
            PropertyKind::QueueLength => Ok(Property::QueueLength(state.length)),
            PropertyKind::State => Ok(Property::State(Some(state.active))),
            PropertyKind::Verbosity => Ok(Property::Verbosity(state.verbosity)),
            _ => Err(Error::INVALID_PARAMETER),
        }
    }

    /// What can be seen of it, and its oldest waiting request.
    pub(crate) fn observe(&self) -> (QueueState, Option<RequestId>) {
        let state = self.state.lock();
        let verbosity = match state.verbosity {
            Verbosity::Basic => "basic",
            Verbosity::Limited => "limited",
            Verbosity::Full => "full",
        };
        let seen = QueueState {
            id: self.id.0,
            version: if self.version == ApiVersion::V1 { 1 } else { 2 },
            active: state.active,
            length: state.length,
            verbosity: verbosity.into(),
            receivers: state.receivers.len() as u64,
            counters: QueueCounters {
                current_queue_size: state.requests.len() as u64,
                arrived: state.arrived,
                rejected: state.rejected,
                cache_hits: self.cache_hits.load(Ordering::Relaxed),
                ..QueueCounters::default()
            },
            ..QueueState::default()
        };
        (seen, state.requests.front().copied())
    }

    pub(crate) fn verbosity(&self) -> Verbosity {
        self.state.lock().verbosity
    }
}

//! Request queues: requests that wait for a receive, and receives that wait for a request.
//!
//! At most one of the two lists has entries. A waiting request is only a claim on its connection; whoever
//! takes it asks the connection whether the request still stands (the client may have left).

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::abi::error::{Error, Result};

use super::connection::Connection;
use super::service::{
    ApiVersion, Delivery, OperationId, Property, PropertyKind, QueueId, Reply, RequestId, Verbosity,
};

/// A request on a queue.
pub(crate) type Waiting = (Arc<Connection>, RequestId);

struct State {
    requests: VecDeque<Waiting>,
    receives: VecDeque<Reply<Delivery>>,
    length: u32,
    active: bool,
    verbosity: Verbosity,
    shut: bool,
}

/// A request queue.
pub(crate) struct Queue {
    pub(crate) id: QueueId,
    pub(crate) version: ApiVersion,
    state: Mutex<State>,
}

/// What became of a request offered to a queue.
pub(crate) enum Offer {
    /// It waits.
    Queued,
    /// This receive takes it.
    Taken(Reply<Delivery>),
    /// The queue is full, inactive or closed.
    Refused(Refused),
}

/// Why a queue took no request.
pub(crate) enum Refused {
    Full(Verbosity),
    Inactive,
    Closed,
}

impl Queue {
    pub(crate) fn new(id: QueueId, version: ApiVersion) -> Queue {
        let state = State {
            requests: VecDeque::new(),
            receives: VecDeque::new(),
            length: 1000,
            active: true,
            verbosity: Verbosity::Basic,
            shut: false,
        };
        Queue { id, version, state: Mutex::new(state) }
    }

    /// Puts a request on the queue, or gives it to the oldest waiting receive.
    pub(crate) fn offer(&self, connection: &Arc<Connection>, request: RequestId) -> Offer {
        let mut state = self.state.lock();
        if state.shut {
            return Offer::Refused(Refused::Closed);
        }
        if !state.active {
            return Offer::Refused(Refused::Inactive);
        }
        if let Some(receive) = state.receives.pop_front() {
            return Offer::Taken(receive);
        }
        if state.requests.len() >= state.length as usize {
            return Offer::Refused(Refused::Full(state.verbosity));
        }
        state.requests.push_back((Arc::clone(connection), request));
        Offer::Queued
    }

    /// The oldest waiting request, or the promise to complete `pend`'s reply with a later one. `None` with
    /// the reply stored.
    pub(crate) fn take(&self, pend: &mut dyn FnMut() -> Reply<Delivery>) -> Result<Option<Waiting>> {
        let mut state = self.state.lock();
        if state.shut {
            return Err(Error::INVALID_HANDLE);
        }
        if let Some(waiting) = state.requests.pop_front() {
            return Ok(Some(waiting));
        }
        let reply = pend();
        state.receives.push_back(reply);
        Ok(None)
    }

    /// Takes a waiting receive out.
    pub(crate) fn abort(&self, operation: OperationId) -> Option<Reply<Delivery>> {
        let mut state = self.state.lock();
        let at = state.receives.iter().position(|r| r.operation == operation)?;
        state.receives.remove(at)
    }

    /// Takes no more requests or receives; hands back what waits.
    pub(crate) fn shut(&self) -> (Vec<Reply<Delivery>>, Vec<Waiting>) {
        let mut state = self.state.lock();
        state.shut = true;
        (state.receives.drain(..).collect(), state.requests.drain(..).collect())
    }

    /// Sets a property of queues.
    pub(crate) fn set(&self, property: Property) -> Result<()> {
        let mut state = self.state.lock();
        match property {
            Property::QueueLength(0) => return Err(Error::INVALID_PARAMETER),
            Property::QueueLength(length) => state.length = length,
            Property::State(active) => state.active = active.unwrap_or(true),
            Property::Verbosity(verbosity) => state.verbosity = verbosity,
            Property::Timeouts(_) => return Err(Error::INVALID_PARAMETER),
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
            PropertyKind::Timeouts => Err(Error::INVALID_PARAMETER),
        }
    }

    pub(crate) fn verbosity(&self) -> Verbosity {
        self.state.lock().verbosity
    }
}

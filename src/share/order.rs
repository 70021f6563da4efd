//! The order of sends for one request: while a long one goes out part by part, those that come later wait for its end.
//!
//! The engine keeps the order of what it has been given; what is still with the guest it cannot know. So the host takes a
//! later send as accepted, keeps it, and gives it to the engine when its turn comes.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;

use super::running::Link;
use crate::abi::error::Error;
use crate::server::service::{QueueId, RequestId};

/// A send that waits for its turn; tells whether it goes on in parts.
type Later = Box<dyn FnOnce(&Arc<Link>) -> bool + Send>;

/// The requests for which a send goes out in parts, and what waits behind it.
#[derive(Default)]
pub(super) struct SendOrder {
    busy: Mutex<HashMap<RequestId, VecDeque<Later>>>,
}

impl SendOrder {
    /// A send begins to go out in parts.
    pub(super) fn begin(&self, request: RequestId) {
        self.busy.lock().entry(request).or_default();
    }

    fn is_busy(&self, request: RequestId) -> bool {
        self.busy.lock().contains_key(&request)
    }

    /// Keeps a send for its turn; gives it back if that has come.
    fn keep(&self, request: RequestId, later: Later) -> Option<Later> {
        match self.busy.lock().get_mut(&request) {
            Some(waiting) => {
                waiting.push_back(later);
                None
            }
            None => Some(later),
        }
    }

    /// Whose turn it is; nobody waits any more if it is nobody's.
    fn next(&self, request: RequestId) -> Option<Later> {
        let mut busy = self.busy.lock();
        let next = busy.get_mut(&request).and_then(VecDeque::pop_front);
        if next.is_none() {
            busy.remove(&request);
        }
        next
    }
}

impl Link {
    /// Does a send now, or when those before it have gone out. `send` tells whether it goes on in parts.
    pub(super) fn in_order(
        self: &Arc<Self>,
        tag: u64,
        queue: QueueId,
        request: RequestId,
        send: impl FnOnce(&Arc<Link>) -> bool + Send + 'static,
    ) {
        if !self.order.is_busy(request) {
            send(self);
            return;
        }
        self.announce(tag, queue, true, None);
        if let Some(call) = self.running.lock().get_mut(&tag) {
            call.waits_for = Some(request);
        }
        let later = move |link: &Arc<Link>| {
            let aborted = link.running.lock().get(&tag).is_none_or(|call| call.aborted);
            if aborted {
                link.finish(tag, Err(Error::OPERATION_ABORTED));
            }
            !aborted && send(link)
        };
        if let Some(later) = self.order.keep(request, Box::new(later)) {
            later(self);
        }
    }

    /// A send that went out in parts is over: the next ones go, until one goes on in parts itself.
    pub(super) fn next_in_order(self: &Arc<Self>, request: RequestId) {
        let link = Arc::clone(self);
        self.outbox.after(move || {
            while let Some(later) = link.order.next(request) {
                if later(&link) {
                    return;
                }
            }
        });
    }
}

//! The blocking receive: a thread that waits for a request itself and drives the engine meanwhile.
//!
//! What a thread keeps from one receive to the next is in one place, found once a call: looking a queue up takes
//! a lock, and every reference counted is one more locked operation of the few hundred nanoseconds a request has.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::abi::error::Result;
use crate::win32::wait::Waiter;

use super::queue::Queue;
use crate::server::commands::Local;
use crate::server::service::{Delivery, QueueId};

/// What a thread that receives keeps.
struct Receiver {
    waiter: Arc<Waiter>,
    /// The queue it received from last. Ids are not used again, and a queue that was closed says so itself.
    queue: Cell<Option<Arc<Queue>>>,
    /// The request it waited for and found itself while it drove the engine.
    found: RefCell<Option<Delivery>>,
}

thread_local! {
    static RECEIVER: Receiver =
        Receiver { waiter: Waiter::current(), queue: Cell::new(None), found: RefCell::new(None) };
}

/// The calling thread has found the request it waits for.
pub(crate) fn found(delivery: Option<Delivery>) {
    RECEIVER.with(|receiver| *receiver.found.borrow_mut() = delivery);
}

impl Local {
    /// Waits on this thread, driving the engine, until it has a request.
    pub(crate) fn wait_for_request(&self, id: QueueId) -> Result<Delivery> {
        RECEIVER.with(|receiver| {
            let queue = match receiver.queue.take() {
                Some(last) if last.id == id => last,
                _ => self.0.queue(id)?,
            };
            let outcome = self.take_blocking(receiver, &queue);
            receiver.queue.set(Some(queue));
            outcome
        })
    }

    fn take_blocking(&self, receiver: &Receiver, queue: &Queue) -> Result<Delivery> {
        let mut first = true;
        loop {
            let found = match queue.take_or_wait(&receiver.waiter, first)? {
                Some(request) => self.claim(request),
                None => {
                    receiver.waiter.wait(None, true);
                    receiver.found.take()
                }
            };
            if let Some(delivery) = found {
                return Ok(delivery);
            }
            first = false;
        }
    }
}

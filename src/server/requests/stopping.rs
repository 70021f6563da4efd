//! The end of request queues: who waits there is told, what was taken and not answered ends with its connection.

use crate::abi::error::Error;

use super::queue::{Queue, Refused};
use crate::server::commands::Local;
use crate::server::connections::connection::{Active, Stage};
use crate::server::monitor::reason::Reason;
use crate::server::service::{Delivery, QueueId, Reply, RequestId};

impl Local {
    /// Ends every exchange of a queue for which `ends` says so.
    fn end_exchanges(&self, queue: &Queue, ends: impl Fn(Stage) -> bool) {
        for connection in self.0.slots.all() {
            let mut active = Active::new(&self.0, connection);
            let exchange = active.state.work.as_ref().and_then(|w| w.exchange.as_ref());
            if exchange.is_some_and(|e| e.queue == queue.id && ends(e.stage)) {
                if let Some(socket) = &active.state.socket {
                    socket.reset_on_close();
                }
                active.report(Reason::Abandoned);
                active.break_off_with(Error::OPERATION_ABORTED);
            }
            active.finish();
        }
    }

    /// Answers requests nobody can take any more.
    fn turn_away(&self, waiting: Vec<RequestId>) {
        for request in waiting {
            let Some(connection) = self.0.connection_of(request.0) else { continue };
            let mut active = Active::new(&self.0, connection);
            let exchange = active.state.work.as_ref().and_then(|w| w.exchange.as_ref());
            if exchange.is_some_and(|e| e.request == request && e.stage == Stage::Queued) {
                active.refuse_by(Refused::Closed);
            }
            active.finish();
        }
    }

    /// Ends the waits for disconnection that were made through a queue.
    fn end_disconnect_waits(&self, queue: QueueId) {
        for connection in self.0.slots.all() {
            let mut active = Active::new(&self.0, connection);
            active.abort_disconnect_waits(queue);
            active.finish();
        }
    }

    /// Stops delivery on a queue. What waits there goes on waiting.
    pub(crate) fn shut(&self, queue: &Queue) {
        self.end_waits(queue, queue.shut());
        self.end_exchanges(queue, |stage| stage == Stage::Delivered);
        self.0.poller.wake();
    }

    /// Ends a queue, and every exchange it has part in.
    pub(crate) fn close(&self, queue: &Queue) {
        let (waiting, receives) = queue.close();
        self.end_waits(queue, receives);
        self.turn_away(waiting);
        self.end_exchanges(queue, |_| true);
        // Nothing may be left to do for who sits in the engine's place.
        self.0.poller.wake();
    }

    /// Before the connections end, or the waits for that would complete as if the clients had left.
    fn end_waits(&self, queue: &Queue, receives: Vec<Reply<Delivery>>) {
        for receive in receives {
            receive.send(Err(Error::OPERATION_ABORTED));
        }
        self.end_disconnect_waits(queue.id);
    }
}

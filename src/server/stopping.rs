//! The end of request queues: who waits there is told, what was taken and not answered ends with its connection.

use crate::abi::error::Error;

use super::commands::Local;
use super::connection::{Active, Stage};
use super::reason::Reason;
use super::request_queue::{Queue, Refused};
use super::service::{QueueId, RequestId};

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

    /// Stops a queue, and ends the exchanges for which `ends` says so.
    pub(super) fn stop(&self, queue: &Queue, ends: impl Fn(Stage) -> bool) {
        let (receives, waiting) = queue.shut();
        for receive in receives {
            receive.send(Err(Error::OPERATION_ABORTED));
        }
        // Before the connections end, or the waits would complete as if the clients had left.
        self.end_disconnect_waits(queue.id);
        self.turn_away(waiting);
        self.end_exchanges(queue, ends);
        // Nothing may be left to do for who sits in the engine's place.
        self.0.poller.wake();
    }
}

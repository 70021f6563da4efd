//! The ends of connections: orderly, abrupt, by timer, by cancellation.

use crate::abi::error::Error;
use crate::net::deadlines::NEVER;
use crate::net::socket::Transfer;
use crate::wire::refusal::Refusal;

use super::connection::{Active, Effect, Phase, Stage};
use crate::server::monitor::reason::Reason;
use crate::server::responses::outbound::Outgoing;
use crate::server::service::{OperationId, QueueId, Reply, Verbosity};

/// How much of what a client still sends is read and thrown away, so that it reads our last response
/// instead of a reset, or so that its connection can live on.
pub(crate) const LINGER_BYTES: u64 = 64 * 1024;

/// Milliseconds a lingering connection is given.
const LINGER_MS: u64 = 2_000;

impl Active<'_> {
    /// Ends our side after what was written, and waits a little for the client to end its own.
    pub(crate) fn end_politely(&mut self) {
        if self.state.phase == Phase::Closed {
            return;
        }
        if let Some(work) = self.state.work.as_mut() {
            let n = work.input.bytes().len();
            work.input.consume(n);
            work.exchange = None;
            for read in work.reads.drain(..) {
                self.effects.push(Effect::Read(read.reply, Err(Error::CONNECTION_INVALID)));
            }
        }
        self.state.phase = Phase::Lingering;
        self.state.discarded = 0;
        (self.state.read_due, self.state.send_due) = (NEVER, NEVER);
        self.end_our_side();
        self.linger();
    }

    /// Ends our side once all is sent; until then the rate of sending counts.
    pub(crate) fn end_our_side(&mut self) {
        let waiting = self.state.work.as_ref().and_then(|w| w.outbox.front());
        if let Some(left) = waiting.map(Outgoing::left) {
            return self.await_room(left);
        }
        if let Some(socket) = &self.state.socket {
            socket.shutdown_write();
        }
        self.set_deadline(self.engine.now_ms() + LINGER_MS);
    }

    /// Throws away what the client still sends; closes when it has ended too.
    pub(crate) fn linger(&mut self) {
        let mut scratch = [0u8; 4096];
        while self.state.readable {
            let Some(socket) = &self.state.socket else { return };
            match socket.read(&mut scratch) {
                Transfer::Bytes(n) => {
                    self.state.discarded += n as u64;
                    self.state.readable = n == scratch.len() || self.state.end_told;
                    if self.state.discarded > LINGER_BYTES {
                        return self.break_off();
                    }
                }
                Transfer::WouldBlock => self.state.readable = false,
                Transfer::End => {
                    self.state.readable = false;
                    self.state.peer_done = true;
                }
                Transfer::Broken => return self.break_off(),
            }
        }
        let unsent = self.state.work.as_ref().is_some_and(|w| !w.outbox.is_empty());
        if self.state.peer_done && !unsent {
            self.break_off();
        }
    }

    /// Closes with a reset, so that the client learns its request was not served.
    pub(crate) fn reset(&mut self) {
        if let Some(socket) = &self.state.socket {
            socket.reset_on_close();
        }
        self.break_off();
    }

    /// Closes now: pending operations fail, waits for the end complete, the slot becomes free.
    pub(crate) fn break_off(&mut self) {
        self.break_off_with(Error::NETNAME_DELETED);
    }

    /// As [`Active::break_off`], with the status pending operations get.
    pub(crate) fn break_off_with(&mut self, status: Error) {
        if self.state.phase == Phase::Closed {
            return;
        }
        self.leave_queue();
        self.account(Some(status));
        self.state.phase = Phase::Closed;
        let socket = self.state.socket.take();
        if let Some(mut work) = self.state.work.take() {
            if let (Some(socket), false) = (&socket, work.held.is_empty()) {
                // Responses that were complete go out before the connection ends.
                socket.write(&work.held, false);
            }
            work.held.clear();
            for outgoing in work.outbox.drain(..) {
                if let Some(reply) = outgoing.reply {
                    self.effects.push(Effect::Sent(reply, Err(status)));
                }
            }
            for read in work.reads.drain(..) {
                self.effects.push(Effect::Read(read.reply, Err(status)));
            }
            let n = work.input.bytes().len();
            work.input.consume(n);
            self.engine.buffers.give(work);
        }
        self.tell_disconnected();
        if let Some(socket) = socket {
            self.engine.count_closed(&socket);
        }
        self.state.endpoint = None;
        self.state.change_policy(None);
        self.engine.slots.release(self.state.slot());
    }

    /// Who waits for the end of the connection is told that it has come.
    pub(crate) fn tell_disconnected(&mut self) {
        for (_, wait) in *self.state.disconnect_waits.take().unwrap_or_default() {
            self.effects.push(Effect::Gone(wait, Ok(())));
        }
    }

    /// A request that nobody has taken yet goes from its queue.
    pub(crate) fn leave_queue(&mut self) {
        if let Some(exchange) = self.state.work.as_ref().and_then(|w| w.exchange.as_ref())
            && exchange.stage == Stage::Queued
            && let Ok(queue) = self.engine.queue(exchange.queue)
        {
            queue.forget(exchange.request);
        }
    }

    /// The timer looks: a deadline that has passed closes the connection, a later one is entered again.
    pub(crate) fn on_timer(&mut self, now_ms: u64) {
        if self.state.timer_entry > now_ms {
            return;
        }
        self.state.timer_entry = NEVER;
        if self.state.phase == Phase::Closed {
            return;
        }
        if self.resume(now_ms) {
            return;
        }
        if self.state.deadline > now_ms {
            if self.state.deadline != NEVER {
                self.set_deadline(self.state.deadline);
            }
            return;
        }
        let queued = self.state.work.as_ref().and_then(|w| w.exchange.as_ref()).map(|e| e.stage);
        if queued == Some(Stage::Queued) {
            return self.expire_in_queue();
        }
        self.report_timeout(now_ms);
        if self.state.work.as_ref().is_some_and(|w| !w.outbox.is_empty()) {
            // Who takes too little has no claim on the kernel's memory either.
            return self.reset();
        }
        self.break_off();
    }

    /// Nobody took the request in time (digest §6.5): refuse it as the queue's verbosity says.
    fn expire_in_queue(&mut self) {
        let Some(exchange) = self.state.work.as_ref().and_then(|w| w.exchange.as_ref()) else { return };
        let queue = self.engine.queue(exchange.queue);
        let verbosity = queue.map_or(Verbosity::Basic, |queue| queue.verbosity());
        self.report(Reason::RequestQueue(verbosity != Verbosity::Basic));
        match verbosity {
            Verbosity::Basic => self.reset(),
            _ => self.refuse_in(Refusal::QueueTimeout, verbosity == Verbosity::Full),
        }
    }

    /// Cancels an operation pending here. A cancelled send takes the connection with it, because the
    /// client has part of a response.
    pub(crate) fn abort(&mut self, operation: OperationId) -> bool {
        if let Some(waits) = self.state.disconnect_waits.as_mut()
            && let Some(at) = waits.iter().position(|(_, w)| w.operation == operation)
        {
            let (_, wait) = waits.swap_remove(at);
            self.effects.push(Effect::Gone(wait, Err(Error::OPERATION_ABORTED)));
            return true;
        }
        let Some(work) = self.state.work.as_mut() else { return false };
        if let Some(at) = work.reads.iter().position(|r| r.reply.operation == operation)
            && let Some(read) = work.reads.remove(at)
        {
            let none_left = work.reads.is_empty();
            self.effects.push(Effect::Read(read.reply, Err(Error::OPERATION_ABORTED)));
            if none_left {
                self.set_read_due(NEVER);
            }
            return true;
        }
        let sending = work.outbox.iter().any(|o| o.reply.as_ref().is_some_and(|r| r.operation == operation));
        if sending {
            if let Some(socket) = &self.state.socket {
                socket.reset_on_close();
            }
            self.break_off_with(Error::OPERATION_ABORTED);
        }
        sending
    }

    /// Keeps a wait for the end of the connection.
    pub(crate) fn await_disconnect(&mut self, queue: QueueId, reply: Reply<()>) {
        self.state.disconnect_waits.get_or_insert_default().push((queue, reply));
    }

    /// Ends the waits made through a queue that stops.
    pub(crate) fn abort_disconnect_waits(&mut self, queue: QueueId) {
        let Some(waits) = self.state.disconnect_waits.take() else { return };
        let (ended, kept): (Vec<_>, Vec<_>) = waits.into_iter().partition(|(q, _)| *q == queue);
        self.state.disconnect_waits = (!kept.is_empty()).then(|| Box::new(kept));
        for (_, wait) in ended {
            self.effects.push(Effect::Gone(wait, Err(Error::OPERATION_ABORTED)));
        }
    }
}

//! Raw connections: after a 101 sent with `HTTP_SEND_RESPONSE_FLAG_OPAQUE`, bytes both ways until both sides have ended.
//!
//! ```text
//! head, bytes behind it ─► 101 ─► reads give raw bytes, sends take them      no timer looks at it
//!                                  │ client ends its side: reads say EOF, sends go on
//!                                  │ DISCONNECT | MORE_DATA: our side ends, reads go on
//!                                  ▼ both have ended, or a send without MORE_DATA: over
//! ```

use crate::abi::error::{Error, Result};
use crate::net::deadlines::NEVER;
use crate::net::socket::Transfer;

use super::connection::{Active, Exchange};
use crate::server::service::{Body, SendFlags};

impl Exchange {
    /// The connection is raw from now on.
    pub(crate) fn become_raw(&mut self) {
        self.opaque = true;
        self.body.become_raw();
    }

    /// Whether this may be sent now; notes that it ends our side of a raw connection.
    #[inline]
    pub(crate) fn admit_more(&mut self, flags: SendFlags, body: &Body) -> Result<()> {
        if !self.opaque {
            return if flags.opaque { Err(Error::INVALID_PARAMETER) } else { Ok(()) };
        }
        if self.ended && (flags.more_data || !body.is_empty()) {
            return Err(Error::CONNECTION_INVALID);
        }
        self.ended |= flags.disconnect && flags.more_data;
        Ok(())
    }
}

impl Active<'_> {
    pub(crate) fn is_raw_and_ended(&self) -> bool {
        let exchange = self.state.work.as_ref().and_then(|work| work.exchange.as_ref());
        exchange.is_some_and(|exchange| exchange.opaque && exchange.ended)
    }

    /// All that was to be sent is gone: our side ends, if the application has ended it.
    #[inline]
    pub(crate) fn end_raw_side(&mut self) {
        let Some(work) = &self.state.work else { return };
        let due = work.outbox.is_empty() && work.exchange.as_ref().is_some_and(|e| e.opaque && e.ended);
        if due && let Some(socket) = &self.state.socket {
            socket.shutdown_write();
        }
        if due {
            self.leave_raw();
        }
    }

    /// Both sides of a raw connection are shut, as the kernel says, though not all that came may have been read. False if it
    /// is no such connection.
    pub(crate) fn raw_is_shut(&mut self) -> bool {
        if !self.is_raw_and_ended() {
            return false;
        }
        (self.state.readable, self.state.end_told) = (true, true);
        let nothing_there =
            self.state.work.as_ref().is_some_and(|work| work.input.is_empty() && work.reads.is_empty());
        if nothing_there {
            self.find_raw_end();
        }
        true
    }

    /// Nobody reads, so nobody else would find out that there is nothing left. Who waits for the end is told; a read that
    /// comes soon learns of it in its own way, and then the connection is closed.
    fn find_raw_end(&mut self) {
        let Some(mut work) = self.state.work.take() else { return };
        let got = self.fill(&mut work);
        let mut seconds = None;
        if let (Transfer::End | Transfer::Broken, Some(exchange)) = (got, work.exchange.as_mut()) {
            exchange.body.end_raw();
            seconds = Some(exchange.policy.timeouts.drain_entity_body);
        }
        self.state.work = Some(work);
        if let Some(seconds) = seconds {
            self.tell_disconnected();
            self.set_timeout(seconds);
        }
    }

    /// Closes a raw connection whose both sides have ended and whose bytes have all been read.
    #[inline]
    pub(crate) fn leave_raw(&mut self) {
        let Some(work) = &self.state.work else { return };
        let over = |e: &Exchange| e.opaque && e.ended && e.body.is_done();
        if work.reads.is_empty() && work.outbox.is_empty() && work.exchange.as_ref().is_some_and(over) {
            self.break_off();
        }
    }

    /// A read that waits for raw bytes waits without an end.
    pub(crate) fn forget_read_due(&mut self) {
        if self.state.read_due != NEVER {
            self.set_read_due(NEVER);
        }
    }
}

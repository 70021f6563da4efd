//! Pipelining: a response waits while its connection has another complete request buffered, so that a batch
//! of requests is answered by one write. It waits for the next response, or until the engine has nothing
//! else to do; never for the application.

use crate::net::deadlines::NEVER;
use crate::net::socket::Transfer;
use crate::wire::bytes::has_empty_line;

use super::connection::{Active, Work};
use super::outbound::Outgoing;

/// The most that is held back.
const HELD: usize = 32 * 1024;

/// Whether the finished response at the end of what is held may wait: the connection lives on, and the next
/// request is there already.
#[inline]
pub(super) fn may_hold(work: &Work) -> bool {
    let goes_on = |e: &super::connection::Exchange| !e.close_after && !e.opaque && e.body.is_done();
    !work.input.is_empty() && work.exchange.as_ref().is_some_and(goes_on) && next_is_there(work)
}

/// Whether the next request is there already, and its answer may go out with what is held.
#[inline]
pub(super) fn next_is_there(work: &Work) -> bool {
    if work.input.is_empty() || !work.outbox.is_empty() || work.held.len() > HELD {
        return false;
    }
    let input = work.input.bytes();
    work.head.repeats(input).is_some() || has_empty_line(input)
}

impl Active<'_> {
    /// Keeps a response back, behind `earlier` bytes of others. The first one has the engine told.
    pub(super) fn hold(&mut self, earlier: usize) {
        if earlier == 0 {
            self.engine.hold(self.state.slot());
        }
    }

    /// Sends bytes of the engine's own behind what waits already.
    pub(super) fn send_own(&mut self, mut bytes: Vec<u8>) {
        let state = &mut *self.state;
        let (Some(work), Some(socket)) = (state.work.as_mut(), &state.socket) else { return };
        let sent = match work.outbox.is_empty() {
            true => socket.write(&bytes, false),
            false => Transfer::WouldBlock,
        };
        let sent = match sent {
            Transfer::Bytes(n) => n,
            Transfer::WouldBlock => 0,
            Transfer::End | Transfer::Broken => return self.break_off(),
        };
        if sent < bytes.len() {
            let rest = bytes.split_off(sent);
            let left = rest.len() as u64;
            work.outbox.push_back(Outgoing::rest(rest));
            if state.send_due == NEVER {
                self.await_room(left);
            }
        }
    }

    /// Sends what was kept back.
    pub(crate) fn release_held(&mut self) {
        let state = &mut *self.state;
        let Some(work) = state.work.as_mut() else { return };
        let Some(socket) = &state.socket else { return };
        if work.held.is_empty() {
            // Not a response was held back, but one rests until the others had their turn.
            return self.pump();
        }
        let sent = match socket.write(&work.held, false) {
            Transfer::Bytes(n) => n,
            Transfer::WouldBlock => 0,
            Transfer::End | Transfer::Broken => return self.break_off(),
        };
        // Nothing is held while something waits, so what is left waits alone.
        let rest = work.held.split_off(sent);
        work.held.clear();
        if !rest.is_empty() {
            let left = rest.len() as u64;
            work.outbox.push_back(Outgoing::rest(rest));
            self.await_room(left);
        }
    }
}

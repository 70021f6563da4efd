//! Sending: responses and their bodies, at once as far as the socket takes them, the rest as it drains.
//!
//! The sending thread itself writes; only what does not fit is kept and goes out when the poller reports
//! room. Sends on one request leave in call order.

use crate::abi::error::{Error, Result};
use crate::net::deadlines::NEVER;
use crate::wire::request::Verb;

use super::head::{Circumstances, write_head};
use super::parcel::{Parcel, Progress, Sent, copy_rest, join_small, length, measure, push};
use super::partial::{Served, cut, wants_part};
use super::pipeline::may_hold;
use super::trailers::has_trailers;
use crate::server::connections::closing::LINGER_BYTES;
use crate::server::connections::connection::{Active, Effect, Exchange, Phase, Stage, Work};
use crate::server::groups::policy::service_timeouts;
use crate::server::service::{Body, Chunk, Pend, Reply, ResponseHead, SendFlags};

/// Bytes of a connection that calls with `BUFFER_DATA` have no longer to wait for; beyond them, they wait like others.
const BUFFERED: u64 = 256 * 1024;

/// A send that waits for room.
pub(crate) struct Outgoing {
    head: Vec<u8>,
    body: Body,
    at: Progress,
    /// `None` when the call has already been told it is done (`BUFFER_DATA`).
    pub(crate) reply: Option<Reply<u64>>,
    last: bool,
}

impl Active<'_> {
    /// Begins (or, after a 1xx, begins in earnest) the response to a request found alive.
    pub(crate) fn send_response(
        &mut self,
        flags: SendFlags,
        head: &ResponseHead,
        body: &mut Body,
        pend: Pend<'_, u64>,
    ) -> Option<Result<u64>> {
        let mut body_len = match self.measure(flags, Some(head), body) {
            Ok(len) => len,
            Err(error) => return Some(Err(error)),
        };
        let mut part = None;
        if !flags.more_data {
            part = match self.whole_response(flags, head, body, &mut body_len) {
                Ok(part) => part,
                Err(error) => return Some(Err(error)),
            };
        }
        let head = part.as_deref().unwrap_or(head);
        let dressed = self.dress(head);
        let head = dressed.as_deref().unwrap_or(head);
        let Some(work) = self.state.work.as_mut() else { return Some(Err(Error::CONNECTION_INVALID)) };
        let head_request = work.head.verb == Verb::Head;
        let Some(exchange) = work.exchange.as_mut() else { return Some(Err(Error::CONNECTION_INVALID)) };
        if exchange.stage == Stage::Responding {
            return Some(Err(Error::INVALID_PARAMETER));
        }
        let drainable = exchange.body.is_drainable(LINGER_BYTES);
        let facts = Circumstances {
            head_request,
            complete: !flags.more_data,
            body_len,
            may_persist: !exchange.close_after && !flags.disconnect && drainable,
            server: self.engine.names_itself,
        };
        // Behind what is held back, and in the connection's working memory: most responses allocate nothing.
        let earlier = work.held.len();
        let decision = write_head(head, facts, &mut work.held);
        exchange.bodyless = decision.bodyless;
        exchange.promised = decision.promised;
        exchange.chunked = decision.chunked;
        exchange.given = 0;
        let interim = head.status < 200 && head.status != 101;
        if !interim {
            // Without raw bytes the client would go on in a protocol that is not ours.
            exchange.close_after = decision.close || head.status == 101 && !flags.opaque;
            exchange.stage = Stage::Responding;
            if let Some(extras) = &head.extras {
                exchange.limit(extras, self.engine.now_ms());
                if !flags.more_data {
                    exchange.note_log(|| extras.log.clone().map(Box::new));
                }
            }
        }
        exchange.body.owes_continue &= interim && head.status != 100;
        if flags.opaque {
            exchange.become_raw();
            self.forget_read_due();
        }
        self.send(flags, earlier, body, body_len, interim, pend)
    }

    /// Puts fragments and trailers in their places, fixes the lengths of files and sums up.
    #[inline]
    fn measure(&self, flags: SendFlags, head: Option<&ResponseHead>, body: &mut Body) -> Result<u64> {
        if body.iter().any(|chunk| matches!(chunk, Chunk::Fragment { .. } | Chunk::Trailers(_))) {
            self.fill_in(flags, head, body)?;
        }
        measure(body)
    }

    #[cold]
    fn fill_in(&self, flags: SendFlags, head: Option<&ResponseHead>, body: &mut Body) -> Result<()> {
        if has_trailers(body) {
            self.end_with_trailers(flags, head, body)?;
        }
        let exchange = self.state.work.as_ref().and_then(|w| w.exchange.as_ref());
        let queue = exchange.ok_or(Error::CONNECTION_INVALID)?.queue;
        self.engine.cache.fill_in(queue, body, self.engine.now_ms())
    }

    /// What is done with a response that is all there: it may be kept, and it may be cut to the range asked for.
    fn whole_response(
        &self,
        flags: SendFlags,
        head: &ResponseHead,
        body: &mut Body,
        body_len: &mut u64,
    ) -> Result<Option<Box<ResponseHead>>> {
        if head.extras.is_none() && !flags.process_ranges {
            return Ok(None);
        }
        let Some(work) = self.state.work.as_ref() else { return Ok(None) };
        let fresh = work.exchange.as_ref().filter(|e| e.stage == Stage::Delivered);
        let Some(exchange) = fresh else { return Ok(None) };
        if head.extras.is_some() && exchange.policy.guard.is_none() {
            self.keep_response(exchange.queue, head, body, *body_len);
        }
        if !flags.process_ranges || !wants_part(&work.head, head) {
            return Ok(None);
        }
        match cut(&work.head, head, body, *body_len)? {
            Served::Whole => Ok(None),
            Served::Instead(head) => {
                *body_len = body.iter().map(length).sum();
                Ok(Some(head))
            }
        }
    }

    /// Sends more of a response that has begun.
    pub(crate) fn send_more(
        &mut self,
        flags: SendFlags,
        body: &mut Body,
        pend: Pend<'_, u64>,
    ) -> Option<Result<u64>> {
        let body_len = match self.measure(flags, None, body) {
            Ok(len) => len,
            Err(error) => return Some(Err(error)),
        };
        let Some(work) = self.state.work.as_mut() else { return Some(Err(Error::CONNECTION_INVALID)) };
        match &mut work.exchange {
            None => return Some(Err(Error::CONNECTION_INVALID)),
            Some(e) if e.stage != Stage::Responding => return Some(Err(Error::INVALID_PARAMETER)),
            Some(e) => {
                if let Err(error) = e.admit_more(flags, body) {
                    return Some(Err(error));
                }
                e.close_after |= flags.disconnect;
            }
        }
        let earlier = work.held.len();
        self.send(flags, earlier, body, body_len, false, pend)
    }

    /// Sends the head, which stands in the held bytes behind `earlier` ones of other responses, and `body`; or
    /// keeps what does not fit, which it then takes out of both.
    fn send(
        &mut self,
        flags: SendFlags,
        earlier: usize,
        body: &mut Body,
        body_len: u64,
        interim: bool,
        pend: Pend<'_, u64>,
    ) -> Option<Result<u64>> {
        let last = !flags.more_data && !interim;
        let gone = Some(Err(Error::CONNECTION_INVALID));
        let state = &mut *self.state;
        let Some(work) = state.work.as_mut().filter(|_| state.socket.is_some()) else { return gone };
        let Some(exchange) = work.exchange.as_mut() else { return gone };
        if exchange.bodyless && !exchange.opaque {
            body.clear();
        } else {
            exchange.given = exchange.given.saturating_add(body_len);
            if work.held.len() > earlier {
                join_small(&mut work.held, body, body_len);
            }
        }
        if last {
            exchange.stage = Stage::Finishing;
            exchange.close_after |= broken_promise(exchange);
        }
        if last && body.is_empty() && may_hold(work) {
            let total = work.held.len() - earlier;
            self.hold(earlier);
            self.response_done();
            return Some(Ok(total as u64));
        }
        if flags.nagling != work.nagled {
            work.nagled = flags.nagling;
            if let Some(socket) = &state.socket {
                socket.set_nodelay(!flags.nagling);
            }
        }
        let mut at = Progress::new(earlier);
        let most = self.allowance();
        let state = &mut *self.state;
        let (Some(work), Some(socket)) = (state.work.as_mut(), &state.socket) else { return gone };
        let sent = if work.outbox.is_empty() {
            push(socket, Parcel { head: &work.held, body, at: &mut at }, most)
        } else {
            Sent::Blocked
        };
        self.spend(at.total);
        let Some(work) = self.state.work.as_mut() else { return gone };
        match sent {
            Sent::All => {
                work.held.clear();
                if last {
                    self.response_done();
                } else if flags.disconnect {
                    self.end_raw_side();
                }
                Some(Ok(at.own()))
            }
            Sent::Failed(error) => {
                work.held.clear();
                self.report_loss();
                self.break_off();
                Some(Err(error))
            }
            Sent::Blocked | Sent::Paused => {
                let head = std::mem::take(&mut work.held);
                let outcome = self.keep(flags, head, std::mem::take(body), at, last, pend);
                if matches!(sent, Sent::Paused) {
                    self.pause();
                }
                outcome
            }
        }
    }

    /// Keeps what did not fit until there is room.
    fn keep(
        &mut self,
        flags: SendFlags,
        head: Vec<u8>,
        body: Body,
        at: Progress,
        last: bool,
        pend: Pend<'_, u64>,
    ) -> Option<Result<u64>> {
        let Some(work) = self.state.work.as_mut() else { return Some(Err(Error::CONNECTION_INVALID)) };
        let (outgoing, outcome) = if flags.buffer_data && may_buffer(work, &head, &body, at) {
            let rest = copy_rest(&head, &body, at);
            let total = at.own() + rest.len() as u64 - at.earlier.saturating_sub(at.total);
            let at = Progress::default();
            (Outgoing { head: rest, body: Body::new(), at, reply: None, last }, Some(Ok(total)))
        } else {
            (Outgoing { head, body, at, reply: Some(pend()), last }, None)
        };
        let left = outgoing.left();
        work.outbox.push_back(outgoing);
        if self.state.send_due == NEVER {
            self.await_room(left);
        }
        outcome
    }

    /// Sends on when the socket has room again.
    pub(crate) fn pump(&mut self) {
        let mut most = self.allowance();
        loop {
            let state = &mut *self.state;
            let Some(work) = state.work.as_mut() else { return };
            if work.paused_until != NEVER {
                return;
            }
            let Some(socket) = &state.socket else { return };
            let Some(first) = work.outbox.front_mut() else { return };
            let before = first.at.total;
            let parcel = Parcel { head: &first.head, body: &first.body, at: &mut first.at };
            let sent = push(socket, parcel, most);
            let gone = first.at.total - before;
            most = most.saturating_sub(gone);
            self.spend(gone);
            let Some(work) = self.state.work.as_mut() else { return };
            match sent {
                Sent::Blocked => return,
                Sent::Paused => return self.pause(),
                Sent::Failed(error) => {
                    if let Some(reply) = work.outbox.pop_front().and_then(|first| first.reply) {
                        self.effects.push(Effect::Sent(reply, Err(error)));
                    }
                    self.report_loss();
                    return self.break_off();
                }
                Sent::All => {}
            }
            let Some(done) = work.outbox.pop_front() else { return };
            match work.outbox.front().map(Outgoing::left) {
                Some(left) => self.await_room(left),
                None => self.set_send_due(NEVER),
            }
            if let Some(reply) = done.reply {
                self.effects.push(Effect::Sent(reply, Ok(done.at.own())));
            }
            if done.last {
                return self.response_done();
            }
            if self.state.phase == Phase::Lingering {
                self.end_our_side();
            }
            self.end_raw_side();
        }
    }

    /// The client must take the first of what waits at the least rate allowed, after a first allowance. Taking
    /// a little of it now and then does not renew that.
    pub(crate) fn await_room(&mut self, left: u64) {
        let exchange = self.state.work.as_ref().and_then(|w| w.exchange.as_ref());
        let rate = match exchange {
            Some(exchange) if exchange.opaque => u32::MAX,
            Some(exchange) => exchange.policy.timeouts.min_send_rate,
            None => service_timeouts().min_send_rate,
        };
        if rate == u32::MAX || rate == 0 {
            return self.set_send_due(NEVER);
        }
        let allowance = (left.saturating_mul(1000) / u64::from(rate)).saturating_add(120_000);
        self.set_send_due(self.engine.now_ms().saturating_add(allowance));
    }

    /// The last byte of a response has been handed to the kernel.
    fn response_done(&mut self) {
        self.account(None);
        let state = &mut *self.state;
        let Some(work) = state.work.as_mut() else { return };
        while let Some(read) = work.reads.pop_front() {
            self.effects.push(Effect::Read(read.reply, Err(Error::CONNECTION_INVALID)));
        }
        if std::mem::take(&mut work.nagled)
            && let Some(socket) = &state.socket
        {
            // The end of a response waits for nothing.
            socket.set_nodelay(true);
        }
        let Some(exchange) = work.exchange.as_ref() else { return };
        let seconds = exchange.policy.timeouts.drain_entity_body;
        (state.read_due, state.send_due) = (NEVER, NEVER);
        if exchange.close_after || exchange.opaque {
            return self.end_politely();
        }
        if exchange.body.is_done() {
            self.next_request();
        } else {
            self.state.phase = Phase::Draining;
            self.state.discarded = 0;
            self.set_timeout(seconds);
        }
        self.after_response();
    }
}

impl Outgoing {
    /// The end of an answer of the engine's own.
    pub(crate) fn last(head: Vec<u8>, body: Body, at: Progress) -> Outgoing {
        Outgoing { head, body, at, reply: None, last: true }
    }

    /// Bytes nobody waits for.
    pub(crate) fn rest(bytes: Vec<u8>) -> Outgoing {
        Outgoing { head: bytes, body: Body::new(), at: Progress::default(), reply: None, last: false }
    }

    pub(crate) fn left(&self) -> u64 {
        let body: u64 = self.body.iter().map(length).sum();
        body.saturating_add(self.head.len() as u64).saturating_sub(self.at.total)
    }
}

/// Whether what is left of a send may be copied, so that its call need not wait.
fn may_buffer(work: &Work, head: &[u8], body: &Body, at: Progress) -> bool {
    let in_memory = body.iter().all(|c| c.memory().is_some());
    let left = body.iter().map(length).sum::<u64>() + head.len() as u64 - at.total;
    let nobody_waits = |o: &&Outgoing| o.reply.is_none();
    let before: u64 = work.outbox.iter().filter(nobody_waits).map(Outgoing::left).sum();
    in_memory && before + left <= BUFFERED
}

/// Whether the application gave other than it promised; the client cannot find the next response then.
fn broken_promise(exchange: &Exchange) -> bool {
    exchange.promised.is_some_and(|p| p != exchange.given) && !exchange.bodyless
}

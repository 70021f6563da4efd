//! From readiness to requests: reading heads, routing them, putting them on queues, refusing the rest.

use std::sync::Arc;

use crate::net::deadlines::NEVER;
use crate::net::poller::Readiness;
use crate::net::socket::Transfer;
use crate::wire::Parsed;
use crate::wire::refusal::{Manner, Refusal};
use crate::wire::request::{RequestHead, Verb};

use super::body::RequestBody;
use super::info::Stamps;
use super::queue::{Offer, Queue, Refused};
use super::waiting;
use crate::server::cache::{Answered, Hit};
use crate::server::connections::connection::{Active, Effect, Exchange, Phase, Stage, Work};
use crate::server::groups::policy::{Policy, service_timeouts};
use crate::server::monitor::accounting::Account;
use crate::server::monitor::reason::Reason;
use crate::server::service::{RequestId, Timeouts, Verbosity};

/// Requests of one connection that are answered before the others have their turn, if nobody waits for the application.
const TURN: u32 = 256;

/// Whether there is more to do at once.
pub(crate) enum Next {
    Again,
    Wait,
}

impl Active<'_> {
    /// Does what a report of the poller asks for.
    pub(crate) fn on_readiness(&mut self, readiness: Readiness) {
        let gone = readiness.gone() && self.state.phase != Phase::Lingering;
        if gone && !(readiness.shut() && self.raw_is_shut()) {
            // What the client sent before it left is of no use to anyone who would answer it.
            self.report_loss();
            return self.break_off();
        }
        self.state.readable |= readiness.readable();
        self.state.end_told |= readiness.ended();
        if readiness.writable() {
            self.pump();
        }
        self.advance();
    }

    /// Goes on as far as the bytes at hand and the socket allow.
    pub(crate) fn advance(&mut self) {
        for _ in 0..TURN {
            let next = match self.state.phase {
                Phase::Reading => self.read_head(),
                Phase::Serving => {
                    self.feed_reads();
                    Next::Wait
                }
                Phase::Draining => self.drain(),
                Phase::Lingering => {
                    self.linger();
                    Next::Wait
                }
                Phase::Introducing(required) => self.read_introduction(required),
                Phase::Closed => Next::Wait,
            };
            if matches!(next, Next::Wait) {
                return;
            }
        }
        // What the cache answers could go on for as long as the client likes; so the others come first (`pipeline`).
        self.engine.hold(self.state.slot());
    }

    /// Looks for the next head in what has been read, and reads on while there is none.
    fn read_head(&mut self) -> Next {
        let mut work = match self.state.work.take() {
            Some(work) => work,
            None if self.state.readable => self.engine.buffers.take(),
            None => return Next::Wait,
        };
        loop {
            if !work.input.is_empty() {
                let parsing = Stamps::now();
                match parse(&mut work, self.engine) {
                    Ok(Parsed::Complete(used)) => {
                        Stamps::open(&mut work, self.state.socket.as_ref(), parsing);
                        work.input.consume(used);
                        self.state.work = Some(work);
                        return self.begin(used);
                    }
                    Ok(Parsed::Partial) => {}
                    Err(refusal) => {
                        self.state.work = Some(work);
                        self.refuse(refusal);
                        return Next::Again;
                    }
                }
            }
            if !self.state.readable {
                return self.await_head(work);
            }
            match self.fill(&mut work) {
                Transfer::Bytes(_) => {}
                Transfer::WouldBlock => return self.await_head(work),
                Transfer::End | Transfer::Broken => {
                    self.state.work = Some(work);
                    self.report_loss();
                    self.break_off();
                    return Next::Wait;
                }
            }
        }
    }

    /// Reads once into the input. A read that falls short has emptied the socket, unless its end is there too.
    pub(crate) fn fill(&mut self, work: &mut Work) -> Transfer {
        let Some(socket) = &self.state.socket else { return Transfer::Broken };
        let space = work.input.space();
        let room = space.len();
        let got = socket.read(space);
        match got {
            Transfer::Bytes(n) => {
                work.input.filled(n);
                self.state.readable = n == room || self.state.end_told;
            }
            Transfer::WouldBlock => self.state.readable = false,
            Transfer::End => {
                self.state.readable = false;
                self.state.peer_done = true;
            }
            Transfer::Broken => {}
        }
        got
    }

    /// Nothing complete is there: an idle connection gives its memory back, a partial head gets a deadline.
    pub(crate) fn await_head(&mut self, work: Box<Work>) -> Next {
        if work.input.is_empty() {
            self.rest(work);
        } else {
            let state = &mut *self.state;
            let work = state.work.insert(work);
            if state.discarded == 0 {
                work.began = self.engine.now_ms();
            }
            // The wait for a head begins with its first byte and is not renewed by further ones.
            if self.state.discarded == 0 {
                self.state.discarded = 1;
                self.set_timeout(self.state.between_requests().1);
            }
        }
        Next::Wait
    }

    /// Nothing is left to do until the client sends more.
    fn rest(&mut self, work: Box<Work>) {
        self.engine.buffers.give(work);
        self.set_timeout(self.state.between_requests().0);
        self.state.discarded = 0;
    }

    /// Goes on after a response, which for most connections means to wait for the next request.
    pub(crate) fn after_response(&mut self) {
        let state = &mut *self.state;
        if state.phase == Phase::Reading
            && !state.readable
            && let Some(work) = state.work.take_if(|work| work.input.is_empty())
        {
            return self.rest(work);
        }
        self.advance();
    }

    /// A head is complete: find its queue and put it there.
    fn begin(&mut self, head_len: usize) -> Next {
        self.state.discarded = 0;
        // Out of the state for as long as its routes are read, so that the state can be written.
        let endpoint = self.state.endpoint.take();
        let offer = match &endpoint {
            Some(endpoint) => self.place(endpoint, head_len),
            None => Err(Refusal::Internal),
        };
        self.state.endpoint = endpoint;
        match offer {
            Ok((request, Offer::Mine)) => {
                waiting::found(self.claim(request));
                if let Some(driver) = self.driver {
                    driver.notify_self();
                }
            }
            Ok((request, Offer::Taken(reply))) => {
                if let Some(delivery) = self.claim(request) {
                    self.effects.push(Effect::Deliver(reply, delivery));
                }
            }
            Ok((_, Offer::Queued)) => {
                self.note_queued();
                self.set_timeout(exchange_timeouts(self).request_queue);
            }
            Ok((_, Offer::Cached(hit))) => return self.serve_from_cache(&hit, head_len),
            Ok((_, Offer::Refused(refused))) => {
                if let Some(work) = self.state.work.as_mut() {
                    work.exchange = None;
                }
                self.refuse_by(refused);
                return Next::Again;
            }
            Err(refusal) => {
                self.count_unrouted();
                self.refuse(refusal);
                return Next::Again;
            }
        }
        Next::Wait
    }

    fn serve_from_cache(&mut self, hit: &Hit, head_len: usize) -> Next {
        self.state.belong(&hit.policy);
        match self.answer_from_cache(hit, head_len) {
            Answered::Gone => {
                if self.state.work.as_ref().is_some_and(|work| !work.head.keep_alive) {
                    self.end_politely();
                } else {
                    self.state.deadline = NEVER;
                }
                Next::Again
            }
            Answered::Waiting => Next::Wait,
            Answered::Broken => {
                self.break_off();
                Next::Wait
            }
        }
    }

    /// Sets up the exchange and offers its request to the queue.
    pub(crate) fn offer(
        &mut self,
        queue: &Queue,
        policy: Arc<Policy>,
        context: (u64, bool),
        head_len: usize,
    ) -> (RequestId, Offer) {
        let request = self.open_exchange(queue, policy, context, head_len);
        (request, queue.offer(request, self.driver))
    }

    /// Sets up the exchange of the request whose head was read last.
    #[inline]
    pub(crate) fn open_exchange(
        &mut self,
        queue: &Queue,
        policy: Arc<Policy>,
        (url_context, ip_routed): (u64, bool),
        head_len: usize,
    ) -> RequestId {
        let state = &mut *self.state;
        let request = RequestId(state.next_id());
        if let Some(work) = state.work.as_mut() {
            Stamps::routed(work);
            let account = Account::open(work, state.socket.as_ref(), &policy, head_len);
            let head = &work.head;
            work.exchange = Some(Exchange {
                request,
                queue: queue.id,
                url_context,
                ip_routed,
                stage: Stage::Queued,
                body: RequestBody::new(
                    head.framing,
                    head.expect_continue && work.input.is_empty(),
                    &self.engine.limits,
                    policy.limits.as_deref(),
                ),
                policy,
                bytes_received: head_len as u64,
                bodyless: head.verb == Verb::Head,
                close_after: !head.keep_alive,
                opaque: false,
                ended: false,
                promised: None,
                chunked: false,
                given: 0,
                throttle: None,
                identity: None,
                account,
            });
        }
        state.phase = Phase::Serving;
        request
    }

    /// Answers in the application's stead and ends the connection.
    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        self.refuse_in(refusal, false);
    }

    /// As [`Active::refuse`], with the particular reason if the queue's verbosity wants it told.
    pub(crate) fn refuse_in(&mut self, refusal: Refusal, detailed: bool) {
        self.leave_queue();
        self.report(Reason::Refused(refusal));
        let Some(work) = self.state.work.as_mut() else { return self.break_off() };
        let mut response = std::mem::take(&mut work.held);
        let head_only = work.head.verb == Verb::Head;
        let server = self.engine.configured.parameters.disable_server_header == 0;
        refusal.write(
            Manner { head_only, detailed, server },
            &crate::server::responses::head::date(),
            &mut response,
        );
        work.exchange = None;
        self.send_own(response);
        self.end_politely();
    }

    /// Answers for a queue that takes no request.
    pub(crate) fn refuse_by(&mut self, refused: Refused) {
        match refused {
            Refused::Full(Verbosity::Basic) => {
                self.report(Reason::QueueFull);
                self.reset();
            }
            Refused::Full(verbosity) => self.refuse_in(Refusal::QueueFull, verbosity == Verbosity::Full),
            Refused::Connections(Verbosity::Basic) => {
                self.report(Reason::ConnectionLimit);
                self.reset();
            }
            Refused::Connections(verbosity) => {
                self.refuse_in(Refusal::ConnectionLimit, verbosity == Verbosity::Full);
            }
            Refused::Inactive => self.refuse(Refusal::Disabled),
            Refused::Closed => self.refuse(Refusal::Unavailable),
        }
    }

    /// The exchange is over and its connection lives on.
    pub(crate) fn next_request(&mut self) {
        if let Some(work) = self.state.work.as_mut()
            && let Some(exchange) = work.exchange.take()
            && let Some(place) = &mut work.place
        {
            place.policy = Some(exchange.policy);
        }
        self.state.discarded = 0;
        self.state.deadline = NEVER;
        self.state.phase = Phase::Reading;
    }
}

pub(crate) fn exchange_timeouts(active: &Active<'_>) -> Timeouts {
    let exchange = active.state.work.as_ref().and_then(|w| w.exchange.as_ref());
    exchange.map_or_else(service_timeouts, |e| e.policy.timeouts)
}

fn parse(work: &mut Work, engine: &crate::server::engine::Engine) -> Result<Parsed, Refusal> {
    if let Some(used) = work.head.repeats(work.input.bytes()) {
        return Ok(Parsed::Complete(used));
    }
    work.place = None;
    if Arc::strong_count(&work.head) > 1 {
        // The application still looks at the last request's head; it keeps that one.
        work.head = Arc::new(RequestHead::new());
    }
    match Arc::get_mut(&mut work.head) {
        Some(head) => head.parse(work.input.bytes(), &engine.limits),
        None => Err(Refusal::Internal),
    }
}

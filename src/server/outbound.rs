//! Sending: responses and their bodies, at once as far as the socket takes them, the rest as it drains.
//!
//! The sending thread itself writes; only what does not fit is kept and goes out when the poller reports
//! room. Sends on one request leave in call order.

use std::cell::Cell;
use std::io::IoSlice;

use smallvec::SmallVec;

use crate::abi::error::{Error, Result};
use crate::net::deadlines::NEVER;
use crate::net::socket::{Socket, Transfer};
use crate::wire::request::Verb;

use super::closing::LINGER_BYTES;
use super::connection::{Active, Effect, Exchange, Phase, Stage};
use super::pipeline::may_hold;
use super::response::{Circumstances, write_head};
use super::service::{Body, Chunk, Pend, Reply, ResponseHead, SendFlags};
use super::session::DEFAULT_TIMEOUTS;

/// The largest body that is copied behind its head.
const SMALL: u64 = 4096;

/// Bytes to go: a head (or copied data), then chunks; and how far they have gone.
struct Parcel<'a> {
    head: &'a [u8],
    body: &'a [Chunk],
    at: &'a mut Progress,
}

/// How far a send has gone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    head: usize,
    chunk: usize,
    offset: u64,
    total: u64,
    /// Of `total`, bytes of earlier responses that were held back for this one.
    earlier: u64,
}

impl Progress {
    /// Bytes sent of this call's own.
    fn own(&self) -> u64 {
        self.total.saturating_sub(self.earlier)
    }
}

/// A send that waits for room.
pub(crate) struct Outgoing {
    head: Vec<u8>,
    body: Body,
    at: Progress,
    /// `None` when the call has already been told it is done (`BUFFER_DATA`).
    pub(crate) reply: Option<Reply<u64>>,
    last: bool,
}

/// Where an attempt to send ended.
enum Sent {
    All,
    Blocked,
    Failed(Error),
}

thread_local! {
    /// Heads are written here, so that a response that goes out at once allocates nothing.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Active<'_> {
    /// Begins (or, after a 1xx, begins in earnest) the response to a request found alive.
    pub(crate) fn send_response(
        &mut self,
        flags: SendFlags,
        head: &ResponseHead,
        mut body: Body,
        pend: Pend<'_, u64>,
    ) -> Option<Result<u64>> {
        let body_len = match measure(&mut body) {
            Ok(len) => len,
            Err(error) => return Some(Err(error)),
        };
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
        };
        let mut bytes = SCRATCH.take();
        bytes.clear();
        let decision = write_head(head, facts, &mut bytes);
        exchange.bodyless = decision.bodyless;
        exchange.promised = decision.promised;
        exchange.given = 0;
        let interim = head.status < 200 && head.status != 101;
        if !interim {
            // Without raw bytes the client would go on in a protocol that is not ours.
            exchange.close_after = decision.close || head.status == 101 && !flags.opaque;
            exchange.stage = Stage::Responding;
        }
        exchange.body.owes_continue &= interim && head.status != 100;
        if flags.opaque {
            exchange.opaque = true;
            exchange.body.become_raw();
        }
        let (outcome, bytes) = self.send(flags, bytes, body, body_len, interim, pend);
        SCRATCH.set(bytes);
        outcome
    }

    /// Sends more of a response that has begun.
    pub(crate) fn send_more(
        &mut self,
        flags: SendFlags,
        mut body: Body,
        pend: Pend<'_, u64>,
    ) -> Option<Result<u64>> {
        let body_len = match measure(&mut body) {
            Ok(len) => len,
            Err(error) => return Some(Err(error)),
        };
        let exchange = self.state.work.as_mut().and_then(|w| w.exchange.as_mut());
        match exchange {
            None => return Some(Err(Error::CONNECTION_INVALID)),
            Some(e) if e.stage != Stage::Responding => return Some(Err(Error::INVALID_PARAMETER)),
            Some(e) => e.close_after |= flags.disconnect,
        }
        self.send(flags, Vec::new(), body, body_len, false, pend).0
    }

    /// Sends head and body, or keeps what does not fit. Gives the head's memory back.
    fn send(
        &mut self,
        flags: SendFlags,
        mut head: Vec<u8>,
        mut body: Body,
        body_len: u64,
        interim: bool,
        pend: Pend<'_, u64>,
    ) -> (Option<Result<u64>>, Vec<u8>) {
        let last = !flags.more_data && !interim;
        let gone = Some(Err(Error::CONNECTION_INVALID));
        let state = &mut *self.state;
        let Some(work) = state.work.as_mut() else { return (gone, head) };
        let Some(exchange) = work.exchange.as_mut() else { return (gone, head) };
        if exchange.bodyless && !exchange.opaque {
            body.clear();
        } else {
            exchange.given = exchange.given.saturating_add(body_len);
            join_small(&mut head, &mut body, body_len);
        }
        if last {
            exchange.stage = Stage::Finishing;
            exchange.close_after |= broken_promise(exchange);
        }
        if last && body.is_empty() && may_hold(work, head.len()) {
            let total = head.len() as u64;
            self.hold(&head);
            self.response_done();
            return (Some(Ok(total)), head);
        }
        let Some(socket) = &state.socket else { return (gone, head) };
        let mut at = Progress::default();
        if !work.held.is_empty() {
            at.earlier = work.held.len() as u64;
            work.held.extend_from_slice(&head);
            std::mem::swap(&mut work.held, &mut head);
            work.held.clear();
        }
        let sent = if work.outbox.is_empty() {
            let parcel = Parcel { head: &head, body: &body, at: &mut at };
            push(socket, parcel)
        } else {
            Sent::Blocked
        };
        match sent {
            Sent::All => {
                if last {
                    self.response_done();
                }
                (Some(Ok(at.own())), head)
            }
            Sent::Failed(error) => {
                self.break_off();
                (Some(Err(error)), head)
            }
            Sent::Blocked => (self.keep(flags, head, body, at, last, pend), Vec::new()),
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
        let in_memory = body.iter().all(|c| matches!(c, Chunk::Memory(_)));
        let (outgoing, outcome) = if flags.buffer_data && in_memory {
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
        loop {
            let state = &mut *self.state;
            let Some(work) = state.work.as_mut() else { return };
            let Some(socket) = &state.socket else { return };
            let Some(first) = work.outbox.front_mut() else { return };
            let parcel = Parcel { head: &first.head, body: &first.body, at: &mut first.at };
            match push(socket, parcel) {
                Sent::Blocked => return,
                Sent::Failed(_) => return self.break_off(),
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
        }
    }

    /// The client must take the first of what waits at the least rate allowed, after a first allowance. Taking
    /// a little of it now and then does not renew that.
    pub(super) fn await_room(&mut self, left: u64) {
        let exchange = self.state.work.as_ref().and_then(|w| w.exchange.as_ref());
        let rate = exchange.map_or(DEFAULT_TIMEOUTS.min_send_rate, |e| e.timeouts.min_send_rate);
        if rate == u32::MAX || rate == 0 {
            return self.set_send_due(NEVER);
        }
        let allowance = (left.saturating_mul(1000) / u64::from(rate)).saturating_add(120_000);
        self.set_send_due(self.engine.now_ms().saturating_add(allowance));
    }

    /// The last byte of a response has been handed to the kernel.
    fn response_done(&mut self) {
        let state = &mut *self.state;
        let Some(work) = state.work.as_mut() else { return };
        while let Some(read) = work.reads.pop_front() {
            self.effects.push(Effect::Read(read.reply, Err(Error::CONNECTION_INVALID)));
        }
        let Some(exchange) = work.exchange.as_ref() else { return };
        let seconds = exchange.timeouts.drain_entity_body;
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
        self.advance();
    }
}

impl Outgoing {
    /// Bytes nobody waits for.
    pub(super) fn rest(bytes: Vec<u8>) -> Outgoing {
        Outgoing { head: bytes, body: Body::new(), at: Progress::default(), reply: None, last: false }
    }

    pub(super) fn left(&self) -> u64 {
        let body: u64 = self.body.iter().map(length).sum();
        body.saturating_add(self.head.len() as u64).saturating_sub(self.at.total)
    }
}

/// Whether the application gave other than it promised; the client cannot find the next response then.
fn broken_promise(exchange: &Exchange) -> bool {
    exchange.promised.is_some_and(|p| p != exchange.given) && !exchange.bodyless
}

fn length(chunk: &Chunk) -> u64 {
    match chunk {
        Chunk::Memory(bytes) => bytes.as_slice().len() as u64,
        Chunk::File { length, .. } => length.unwrap_or(0),
    }
}

/// Puts a small body behind its head: one plain buffer costs the kernel less than a list of two.
fn join_small(head: &mut Vec<u8>, body: &mut Body, body_len: u64) {
    if body_len > SMALL || head.is_empty() || body.iter().any(|c| matches!(c, Chunk::File { .. })) {
        return;
    }
    for chunk in body.iter() {
        if let Chunk::Memory(bytes) = chunk {
            head.extend_from_slice(bytes.as_slice());
        }
    }
    body.clear();
}

/// Fixes the lengths of file ranges and sums up. A range that begins behind the end is `HANDLE_EOF`.
fn measure(body: &mut Body) -> Result<u64> {
    let mut total = 0u64;
    for chunk in body.iter_mut() {
        if let Chunk::File { file, offset, length: length @ None } = chunk {
            let size = file.metadata().map_err(|_| Error::INVALID_HANDLE)?.len();
            *length = Some(size.checked_sub(*offset).ok_or(Error::HANDLE_EOF)?);
        }
        total = total.checked_add(length(chunk)).ok_or(Error::INVALID_PARAMETER)?;
    }
    Ok(total)
}

/// Sends as far as the socket takes it.
fn push(socket: &Socket, parcel: Parcel<'_>) -> Sent {
    let Parcel { head, body, at } = parcel;
    loop {
        while at.chunk < body.len() && at.head == head.len() && at.offset >= length(&body[at.chunk]) {
            at.chunk += 1;
            at.offset = 0;
        }
        if at.head == head.len() && at.chunk == body.len() {
            return Sent::All;
        }
        let transfer = match body.get(at.chunk) {
            Some(Chunk::File { file, offset, length }) if at.head == head.len() => {
                let left = length.unwrap_or(0) - at.offset;
                match socket.send_file(file, offset + at.offset, left) {
                    Ok(Transfer::Bytes(0)) | Err(_) => return Sent::Failed(Error::HANDLE_EOF),
                    Ok(transfer) => transfer,
                }
            }
            _ => push_memory(socket, head, body, at),
        };
        match transfer {
            Transfer::Bytes(n) => advance(at, head, body, n as u64),
            Transfer::WouldBlock => return Sent::Blocked,
            Transfer::End | Transfer::Broken => return Sent::Failed(Error::NETNAME_DELETED),
        }
    }
}

/// Writes what is left of the head and the memory chunks up to the next file.
fn push_memory(socket: &Socket, head: &[u8], body: &[Chunk], at: &Progress) -> Transfer {
    let mut parts: SmallVec<[IoSlice<'_>; 8]> = SmallVec::new();
    if at.head < head.len() {
        parts.push(IoSlice::new(&head[at.head..]));
    }
    let mut skip = at.offset as usize;
    let mut file_follows = false;
    for chunk in &body[at.chunk..] {
        let Chunk::Memory(bytes) = chunk else {
            file_follows = true;
            break;
        };
        let bytes = &bytes.as_slice()[skip..];
        skip = 0;
        if !bytes.is_empty() {
            parts.push(IoSlice::new(bytes));
        }
    }
    socket.write_all_of(&parts, file_follows)
}

fn advance(at: &mut Progress, head: &[u8], body: &[Chunk], mut n: u64) {
    at.total += n;
    let of_head = n.min((head.len() - at.head) as u64);
    at.head += of_head as usize;
    n -= of_head;
    while n > 0 && at.chunk < body.len() {
        let left = length(&body[at.chunk]) - at.offset;
        if n < left {
            at.offset += n;
            return;
        }
        n -= left;
        at.chunk += 1;
        at.offset = 0;
    }
}

/// What has not gone, in one piece.
fn copy_rest(head: &[u8], body: &[Chunk], at: Progress) -> Vec<u8> {
    let mut rest = head[at.head..].to_vec();
    let mut skip = at.offset as usize;
    for chunk in &body[at.chunk..] {
        if let Chunk::Memory(bytes) = chunk {
            rest.extend_from_slice(&bytes.as_slice()[skip..]);
        }
        skip = 0;
    }
    rest
}

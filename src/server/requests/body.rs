//! Request bodies: framing taken off, bytes handed to the reads that wait for them.
//!
//! The engine reads no more of a body than the application asks for: what it does not take stays in the
//! kernel, and the client's sending slows down by itself.

use crate::abi::error::{Error, Result};
use crate::net::deadlines::NEVER;
use crate::net::socket::Transfer;
use crate::win32::lent::LentBuffer;
use crate::wire::chunked::{ChunkDecoder, ChunkError};
use crate::wire::request::{Framing, Limits};
use crate::wire::trailers::allowed;

use crate::server::connections::buffers::Input;
use crate::server::connections::connection::{Active, Effect, Stage, Work};
use crate::server::service::{BodyPart, BodyRead, Pend, Reply};

/// What is left of a request's body on the wire.
pub(crate) struct RequestBody {
    kind: Kind,
    /// `100 Continue` is owed once the application asks for the body.
    pub(crate) owes_continue: bool,
}

enum Kind {
    Length(u64),
    Chunked(Box<ChunkDecoder>),
    /// Raw bytes until the peer ends (after a 101).
    Raw,
    Done,
    /// Done, and there were trailers.
    Trailed(Box<[u8]>),
}

impl RequestBody {
    /// Trailers are held to the limits of the head.
    pub(crate) fn new(
        framing: Framing,
        expects: bool,
        limits: &Limits,
        narrower: Option<&Limits>,
    ) -> RequestBody {
        let kind = match framing {
            Framing::None | Framing::Close | Framing::Length(0) => Kind::Done,
            Framing::Length(n) => Kind::Length(n),
            Framing::Chunked => {
                let own = narrower.unwrap_or(limits);
                let (section, field) = (own.head.min(limits.head), own.field.min(limits.field));
                Kind::Chunked(Box::new(ChunkDecoder::with_limits(section, field)))
            }
        };
        let owes_continue = expects && !matches!(kind, Kind::Done);
        RequestBody { kind, owes_continue }
    }

    /// That of a request without one.
    pub(crate) fn none() -> RequestBody {
        RequestBody { kind: Kind::Done, owes_continue: false }
    }

    /// From now on every byte is body.
    pub(crate) fn become_raw(&mut self) {
        self.kind = Kind::Raw;
        self.owes_continue = false;
    }

    /// The client has ended its side of a raw connection.
    pub(crate) fn end_raw(&mut self) {
        self.kind = Kind::Done;
    }

    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.kind, Kind::Done | Kind::Trailed(_))
    }

    /// Bytes of it, framing included, that are in the input: what comes behind is the next request's.
    #[inline]
    pub(crate) fn arrived(&self, input: &Input) -> u64 {
        if self.is_done() || input.is_empty() { 0 } else { self.arrived_of(input) }
    }

    #[cold]
    fn arrived_of(&self, input: &Input) -> u64 {
        let there = input.bytes().len() as u64;
        match &self.kind {
            Kind::Length(n) => there.min(*n),
            Kind::Chunked(decoder) => decoder.span(input.bytes()) as u64,
            Kind::Raw => there,
            Kind::Done | Kind::Trailed(_) => 0,
        }
    }

    /// The trailers that came behind it, of those that may.
    #[inline]
    pub(crate) fn trailers(&self) -> &[u8] {
        match &self.kind {
            Kind::Trailed(section) => section,
            _ => &[],
        }
    }

    /// Whether it can be thrown away at little cost, so that the connection may live on.
    pub(crate) fn is_drainable(&self, limit: u64) -> bool {
        match &self.kind {
            Kind::Length(n) => *n <= limit && !self.owes_continue,
            Kind::Chunked(_) => !self.owes_continue,
            Kind::Raw => false,
            Kind::Done | Kind::Trailed(_) => true,
        }
    }

    /// The body ended early because its sender did.
    fn cut(&mut self) -> Result<()> {
        match self.kind {
            Kind::Raw | Kind::Done | Kind::Trailed(_) => {
                self.kind = Kind::Done;
                Ok(())
            }
            _ => Err(Error::NETNAME_DELETED),
        }
    }

    /// Bytes that can be read from the socket straight into the application's buffer.
    fn direct(&self) -> u64 {
        match &self.kind {
            Kind::Length(n) => *n,
            Kind::Raw => u64::MAX,
            _ => 0,
        }
    }

    fn took(&mut self, n: usize) {
        if let Kind::Length(left) = &mut self.kind {
            *left -= n as u64;
            if *left == 0 {
                self.kind = Kind::Done;
            }
        }
    }

    /// Moves body from the input into `output`.
    pub(crate) fn take(&mut self, input: &mut Input, output: &mut [u8]) -> Result<usize, ChunkError> {
        match &mut self.kind {
            Kind::Length(_) | Kind::Raw => {
                let n = (self.direct().min(output.len() as u64) as usize).min(input.bytes().len());
                output[..n].copy_from_slice(&input.bytes()[..n]);
                input.consume(n);
                self.took(n);
                Ok(n)
            }
            Kind::Chunked(decoder) => {
                let step = decoder.decode(input.bytes(), output)?;
                input.consume(step.consumed);
                if decoder.is_done() {
                    self.kind = end_of(decoder);
                }
                Ok(step.produced)
            }
            Kind::Done | Kind::Trailed(_) => Ok(0),
        }
    }
}

/// What a chunked body is at its end.
fn end_of(decoder: &ChunkDecoder) -> Kind {
    match decoder.trailers() {
        [] => Kind::Done,
        section => match allowed(section) {
            none if none.is_empty() => Kind::Done,
            section => Kind::Trailed(section.into()),
        },
    }
}

/// A read that waits for body.
pub(crate) struct PendingRead {
    pub(crate) mode: BodyRead,
    pub(crate) buffer: LentBuffer,
    pub(crate) filled: usize,
    pub(crate) reply: Reply<BodyPart>,
}

/// How far a read has come.
enum Fill {
    /// It is over, with this outcome.
    Over(Result<usize>),
    /// It needs bytes that have not arrived.
    Starved,
}

impl Active<'_> {
    /// Reads body into `buffer` at once, or promises to. The exchange has been found to be alive.
    pub(crate) fn read_body(
        &mut self,
        mode: BodyRead,
        mut buffer: LentBuffer,
        pend: Pend<'_, BodyPart>,
    ) -> Option<Result<BodyPart>> {
        let mut filled = 0;
        if self.reads_waiting() == 0 {
            match self.fill_read(mode, &mut buffer, &mut filled) {
                Fill::Over(outcome) => {
                    let part = self.part(buffer, outcome);
                    self.leave_raw();
                    return Some(part);
                }
                Fill::Starved => {}
            }
        } else if mode == BodyRead::Arrived {
            // What has arrived belongs to the reads before this one.
            return Some(self.part(buffer, Ok(0)));
        }
        self.pay_continue();
        let Some(work) = self.state.work.as_mut() else { return Some(Err(Error::CONNECTION_INVALID)) };
        work.reads.push_back(PendingRead { mode, buffer, filled, reply: pend() });
        if work.reads.len() == 1 {
            self.await_body();
        }
        None
    }

    /// The first of the reads that wait has so long until data arrives.
    fn await_body(&mut self) {
        let exchange = self.state.work.as_ref().and_then(|w| w.exchange.as_ref());
        let seconds = match exchange {
            Some(exchange) if !exchange.opaque => exchange.policy.timeouts.entity_body,
            _ => u16::MAX,
        };
        self.set_read_due(self.seconds_from_now(seconds));
    }

    /// Gives what has arrived to the reads that wait.
    pub(crate) fn feed_reads(&mut self) {
        let mut moved = false;
        loop {
            let Some(work) = self.state.work.as_mut() else { return };
            let Some(mut read) = work.reads.pop_front() else {
                if moved {
                    self.leave_raw();
                }
                return;
            };
            let before = read.filled;
            match self.fill_read(read.mode, &mut read.buffer, &mut read.filled) {
                Fill::Over(outcome) => {
                    moved = true;
                    self.set_read_due(NEVER);
                    let part = self.part(read.buffer, outcome);
                    self.effects.push(Effect::Read(read.reply, part));
                }
                Fill::Starved => {
                    moved |= read.filled != before;
                    let Some(work) = self.state.work.as_mut() else { return };
                    work.reads.push_front(read);
                    if moved {
                        self.await_body();
                    }
                    return;
                }
            }
        }
    }

    fn reads_waiting(&self) -> usize {
        self.state.work.as_ref().map_or(0, |w| w.reads.len())
    }

    fn part(&self, buffer: LentBuffer, outcome: Result<usize>) -> Result<BodyPart> {
        let exchange = self.state.work.as_ref().and_then(|w| w.exchange.as_ref());
        let more_body = exchange.is_some_and(|e| !e.body.is_done());
        outcome.map(|len| BodyPart { buffer, len, more_body })
    }

    /// Fills a read from the input and the socket as far as they go.
    fn fill_read(&mut self, mode: BodyRead, buffer: &mut LentBuffer, filled: &mut usize) -> Fill {
        let Some(mut work) = self.state.work.take() else {
            return Fill::Over(Err(Error::CONNECTION_INVALID));
        };
        let fill = self.fill_from(&mut work, mode, buffer, filled);
        self.state.work = Some(work);
        if matches!(fill, Fill::Over(Err(Error::NETNAME_DELETED))) {
            // The rest of this body will never come: neither request nor connection is worth keeping.
            self.report_loss();
            self.break_off();
        }
        fill
    }

    fn fill_from(
        &mut self,
        work: &mut Work,
        mode: BodyRead,
        buffer: &mut LentBuffer,
        filled: &mut usize,
    ) -> Fill {
        loop {
            let Some(exchange) = work.exchange.as_mut() else {
                return Fill::Over(Err(Error::CONNECTION_INVALID));
            };
            let before = work.input.bytes().len();
            match exchange.body.take(&mut work.input, &mut buffer.as_mut_slice()[*filled..]) {
                Ok(n) => *filled += n,
                Err(_) => {
                    // The framing is lost, and with it the connection (digest §4.4).
                    return Fill::Over(Err(Error::NETNAME_DELETED));
                }
            }
            exchange.bytes_received += (before - work.input.bytes().len()) as u64;
            let done = exchange.body.is_done();
            // Framing has been taken off by now, so that what is left in the input is body.
            if buffer.is_empty()
                && let Some(probe) = probe(done, work, mode)
            {
                return probe;
            }
            if done || *filled == buffer.len() && !buffer.is_empty() {
                return ended(mode, *filled);
            }
            if mode == BodyRead::Arrived && !self.state.readable || mode == BodyRead::Some && *filled > 0 {
                return Fill::Over(Ok(*filled));
            }
            match self.read_more(work, buffer, filled) {
                Transfer::Bytes(_) => {}
                Transfer::WouldBlock if mode == BodyRead::Arrived => return Fill::Over(Ok(*filled)),
                Transfer::WouldBlock => return Fill::Starved,
                Transfer::End => match work.exchange.as_mut().map(|e| e.body.cut()) {
                    Some(Ok(())) => return ended(mode, *filled),
                    _ => return Fill::Over(Err(Error::NETNAME_DELETED)),
                },
                Transfer::Broken => return Fill::Over(Err(Error::NETNAME_DELETED)),
            }
        }
    }

    /// Reads from the socket: large remainders straight into the application's buffer.
    fn read_more(&mut self, work: &mut Work, buffer: &mut LentBuffer, filled: &mut usize) -> Transfer {
        if !self.state.readable {
            return if self.state.peer_done { Transfer::End } else { Transfer::WouldBlock };
        }
        let room = buffer.len() - *filled;
        let direct = work.exchange.as_ref().map_or(0, |e| e.body.direct()).min(room as u64) as usize;
        if direct == 0 {
            let got = self.fill(work);
            if let (Transfer::Bytes(_), Some(exchange)) = (got, work.exchange.as_mut()) {
                exchange.body.owes_continue = false;
            }
            return got;
        }
        let Some(socket) = &self.state.socket else { return Transfer::Broken };
        let got = socket.read(&mut buffer.as_mut_slice()[*filled..*filled + direct]);
        match got {
            Transfer::Bytes(n) => {
                *filled += n;
                self.state.readable = n == direct || self.state.end_told;
                if let Some(exchange) = work.exchange.as_mut() {
                    exchange.body.took(n);
                    exchange.body.owes_continue = false;
                    exchange.bytes_received += n as u64;
                }
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

    /// The client waits for leave to send its body: give it, unless an answer has begun.
    fn pay_continue(&mut self) {
        let Some(exchange) = self.state.work.as_mut().and_then(|w| w.exchange.as_mut()) else { return };
        if !std::mem::take(&mut exchange.body.owes_continue) || exchange.stage != Stage::Delivered {
            return;
        }
        self.release_held();
        self.send_own(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec());
    }
}

/// A read without room asks whether there is something to read.
fn probe(done: bool, work: &Work, mode: BodyRead) -> Option<Fill> {
    match (done, mode) {
        (true, _) => Some(ended(mode, 0)),
        (false, BodyRead::Arrived) => Some(Fill::Over(Ok(0))),
        (false, _) if !work.input.is_empty() => Some(Fill::Over(Err(Error::MORE_DATA))),
        (false, _) => None,
    }
}

/// The outcome of a read that has come to the end of its buffer or of the body.
fn ended(mode: BodyRead, filled: usize) -> Fill {
    match (mode, filled) {
        (BodyRead::Some | BodyRead::Fill, 0) => Fill::Over(Err(Error::HANDLE_EOF)),
        _ => Fill::Over(Ok(filled)),
    }
}

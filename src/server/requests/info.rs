//! What a request tells of itself besides head and body: the entries of `pRequestInfo`, and when its steps were taken.
//!
//! Nobody gets an entry who has not asked for its type on session or group, but for who asks where that is found out. Times must be taken before it is known whose
//! request it is, so they are taken of every request as soon as anybody in the process has asked for them.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::abi::error::{Error, Result};
use crate::net::clock;
use crate::net::socket::Socket;

use crate::server::connections::connection::{Active, Exchange, Work};
use crate::server::connections::slots::SLOT_BITS;
use crate::server::service::{DeliveryExtras, Fact, Question, RequestId, RequestInfo, Sizing, Timing};

/// Numbers of `HTTP_REQUEST_INFO_TYPE`, as bits.
const TIMING: u32 = 1 << 5;
const TCP_V0: u32 = 1 << 6;
const SIZING: u32 = 1 << 7;
const TCP_V1: u32 = 1 << 9;

/// Somebody wants to know times.
static TIMED: AtomicBool = AtomicBool::new(false);

/// Somebody wants these entries. `INVALID_PARAMETER` if there is one that cannot be asked for.
pub(crate) fn want(types: u32) -> Result<()> {
    if types & !(TIMING | TCP_V0 | SIZING | TCP_V1) != 0 {
        return Err(Error::INVALID_PARAMETER);
    }
    if types & TIMING != 0 {
        TIMED.store(true, Ordering::Relaxed);
    }
    Ok(())
}

/// When the steps of a request were taken.
pub(crate) type Stamps = Timing;

impl Stamps {
    /// The time, or 0 if nobody wants to know.
    #[inline]
    pub(crate) fn now() -> u64 {
        if TIMED.load(Ordering::Relaxed) { clock::ticks() } else { 0 }
    }

    /// A head is complete whose last reading began at `parsing`.
    #[inline]
    pub(crate) fn open(work: &mut Work, socket: Option<&Socket>, parsing: u64) {
        if parsing != 0 {
            Stamps::open_at(work, socket, parsing);
        }
    }

    #[cold]
    fn open_at(work: &mut Work, socket: Option<&Socket>, parsing: u64) {
        let (now, now_ms) = (clock::ticks(), clock::now_ms());
        let ago = |ms: u64| parsing.saturating_sub(ms * 10_000);
        let age = socket.map_or(0, |socket| (now_ms as u32).wrapping_sub(socket.opened()));
        let data_start = if work.began == 0 { parsing } else { ago(now_ms.saturating_sub(work.began)) };
        let stamps = Stamps {
            connection_start: ago(age.into()).min(data_start),
            data_start,
            parse_start: parsing,
            parse_end: now,
            routing_start: now,
            ..Stamps::default()
        };
        work.stamps = Some(Box::new(stamps));
    }

    /// A queue was found, to which the request goes now.
    #[inline]
    pub(crate) fn routed(work: &mut Work) {
        if let Some(stamps) = &mut work.stamps {
            stamps.routing_end = clock::ticks();
            stamps.queued = stamps.routing_end;
        }
    }
}

impl Active<'_> {
    /// Notes a time of the request, if anyone wants to know.
    #[inline]
    pub(crate) fn stamp(&mut self, note: impl FnOnce(&mut Stamps, u64)) {
        if let Some(stamps) = self.state.work.as_mut().and_then(|work| work.stamps.as_mut()) {
            note(stamps, clock::ticks());
        }
    }

    /// What the request tells besides head and body.
    #[inline]
    pub(crate) fn delivery_extras(&self, exchange: &Exchange) -> Option<Box<DeliveryExtras>> {
        let unasked = exchange.policy.request_infos == 0 && exchange.identity.is_none();
        if unasked && exchange.body.trailers().is_empty() {
            return None;
        }
        self.make_extras(exchange)
    }

    #[cold]
    fn make_extras(&self, exchange: &Exchange) -> Option<Box<DeliveryExtras>> {
        let infos = self.infos(exchange);
        let trailers = exchange.body.trailers().to_vec();
        Some(Box::new(DeliveryExtras { infos, trailers }))
    }

    /// The one list of entries, in the order of their types.
    fn infos(&self, exchange: &Exchange) -> Vec<RequestInfo> {
        let wanted = exchange.policy.request_infos;
        let mut infos = Vec::new();
        if let Some(identity) = &exchange.identity {
            infos.push(RequestInfo::Auth(identity.clone()));
        }
        if wanted & TIMING != 0
            && let Some(stamps) = self.state.work.as_ref().and_then(|work| work.stamps.as_deref())
        {
            infos.push(RequestInfo::Timing(*stamps));
        }
        let tcp = match wanted & (TCP_V0 | TCP_V1) {
            0 => None,
            _ => self.ask(Question::Tcp).ok(),
        };
        let Some(work) = &self.state.work else { return infos };
        if wanted & TCP_V0 != 0
            && let Some(Fact::Tcp(facts)) = tcp
        {
            infos.push(RequestInfo::TcpV0(facts));
        }
        if wanted & SIZING != 0 {
            let index = self.number_of(exchange.request);
            infos.push(RequestInfo::Sizing(Sizing { index, head: work.head.bytes.len() as u64 }));
        }
        if wanted & TCP_V1 != 0
            && let Some(Fact::Tcp(facts)) = tcp
        {
            infos.push(RequestInfo::TcpV1(facts));
        }
        infos
    }

    /// How many requests of this connection came to a queue before this one: ids are given in turn.
    fn number_of(&self, request: RequestId) -> u32 {
        let turn = |id: u64| id >> SLOT_BITS;
        turn(request.0).wrapping_sub(turn(self.state.id.0)).saturating_sub(1) as u32
    }
}

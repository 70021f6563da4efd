//! A connection: its state, and how a thread works on it.
//!
//! ```text
//! Introducing (the proxy its client; `introduction`)
//!    │
//!    ▼      head complete, routed           last byte of response sent
//! Reading ───────────────────────► Serving ───────────────────────────► Reading
//!    │ refused                        │  │ request body left   drained ▲
//!    ▼                                │  └──────► Draining ────────────┘
//! Lingering ◄─────── close after ─────┘               │ too much, too late
//!    │ peer has ended, or too late                    ▼
//!    └──────────────────────────────────────────► Closed ◄── reset, cancel, timer
//! ```
//!
//! Every step happens under the connection's own lock, through [`Active`]; what must happen without the
//! lock (completing operations) is collected as effects (`effect`) and done when the lock is let go. The lock
//! may be held while taking a queue's lock, never the other way round.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use crate::net::deadlines::NEVER;
use crate::net::socket::Socket;
use crate::win32::wait::Waiter;
use crate::wire::request::RequestHead;

use super::buffers::Input;
pub(crate) use super::effect::{Effect, Effects};
use super::slots::{SLOT_BITS, slot_of};
use crate::server::engine::Engine;
use crate::server::groups::policy::{Policy, service_timeouts};
use crate::server::groups::throttle::Throttle;
use crate::server::monitor::accounting::Account;
use crate::server::ports::endpoint::Endpoint;
use crate::server::ports::placing::Place;
use crate::server::requests::body::{PendingRead, RequestBody};
use crate::server::requests::info::Stamps;
use crate::server::responses::outbound::Outgoing;
use crate::server::service::{ConnectionId, Delivery, Identity, QueueId, Reply, RequestId};

/// Where a connection stands; see the picture above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// A proxy is to say who the client is; whether it must.
    Introducing(bool),
    Reading,
    Serving,
    Draining,
    Lingering,
    Closed,
}

/// Where a request stands (digest §9.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// On its queue; its id is not known to the application.
    Queued,
    /// Taken by the application.
    Delivered,
    /// A response was begun.
    Responding,
    /// The last send has begun; the id is dead.
    Finishing,
}

/// One request and its response.
pub(crate) struct Exchange {
    pub(crate) request: RequestId,
    pub(crate) queue: QueueId,
    pub(crate) url_context: u64,
    pub(crate) ip_routed: bool,
    pub(crate) stage: Stage,
    /// What holds for it.
    pub(crate) policy: Arc<Policy>,
    pub(crate) body: RequestBody,
    /// Bytes of it taken out of the input so far, head included.
    pub(crate) bytes_received: u64,
    /// No body bytes go out: HEAD, 1xx, 204, 304.
    pub(crate) bodyless: bool,
    /// The connection ends with this response.
    pub(crate) close_after: bool,
    /// Raw bytes both ways after a 101.
    pub(crate) opaque: bool,
    /// The application has ended our side of a raw connection.
    pub(crate) ended: bool,
    /// Content-Length the application promised, and body bytes it has given.
    pub(crate) promised: Option<u64>,
    /// The application frames the body in chunks.
    pub(crate) chunked: bool,
    pub(crate) given: u64,
    /// A limit of this response alone.
    pub(crate) throttle: Option<Arc<Throttle>>,
    /// Who asks, if anybody finds out.
    pub(crate) identity: Option<Box<Identity>>,
    /// For counters and the log.
    pub(crate) account: Account,
}

/// What a connection needs only while something is going on; idle ones give it back.
pub(crate) struct Work {
    pub(crate) input: Input,
    pub(crate) head: Arc<RequestHead>,
    pub(crate) exchange: Option<Exchange>,
    /// Where `head` goes.
    pub(crate) place: Option<Place>,
    /// Body reads that wait, and sends that wait: both outlive no exchange.
    pub(crate) reads: VecDeque<PendingRead>,
    pub(crate) outbox: VecDeque<Outgoing>,
    /// Finished responses that wait for the next one (see `pipeline`).
    pub(crate) held: Vec<u8>,
    /// When the first bytes of a head that is not yet whole came; 0 if none is waited for.
    pub(crate) began: u64,
    /// Nagle's algorithm is on, because a send asked for it.
    pub(crate) nagled: bool,
    /// When a response that rests because of a limit goes on.
    pub(crate) paused_until: u64,
    /// When the steps of the request were taken, if anyone wants to know.
    pub(crate) stamps: Option<Box<Stamps>>,
}

/// The part of a connection behind its lock.
pub(crate) struct State {
    pub(crate) phase: Phase,
    /// Numbers the connections and requests of this place. It never goes back, so no id comes twice.
    sequence: u64,
    /// Whose place this is now. Its low bits are the place, whoever has it.
    pub(crate) id: ConnectionId,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    /// The port it came in on; `None` while the place is vacant.
    pub(crate) endpoint: Option<Arc<Endpoint>>,
    /// `None` once closed.
    pub(crate) socket: Option<Socket>,
    /// An edge told of data that has not been read to its end.
    pub(crate) readable: bool,
    /// An edge told of the peer's end, which no further edge will tell of: read until it is met.
    pub(crate) end_told: bool,
    /// The peer has ended its side.
    pub(crate) peer_done: bool,
    /// The time this connection must not outlast in its phase, and when the timer will look at it.
    pub(crate) deadline: u64,
    pub(crate) timer_entry: u64,
    /// While serving: when body must have come, and when what waits to be sent must have gone.
    pub(crate) read_due: u64,
    pub(crate) send_due: u64,
    /// What held for the last request, and holds until the next.
    pub(crate) policy: Option<Arc<Policy>>,
    /// Bytes thrown away while draining or lingering.
    pub(crate) discarded: u64,
    pub(crate) work: Option<Box<Work>>,
    /// Rare, and therefore out of the way.
    pub(crate) disconnect_waits: Option<Box<DisconnectWaits>>,
}

/// Who waits for the end of a connection, and through which queue.
pub(crate) type DisconnectWaits = Vec<(QueueId, Reply<()>)>;

/// A place for a client's connection. Aligned, so that with hundreds of them a request touches three cache lines and
/// none of its neighbours'.
#[repr(align(64))]
pub(crate) struct Connection {
    pub(crate) state: Mutex<State>,
}

impl Exchange {
    /// A request that the engine has answered by itself, whose answer is still going out.
    pub(crate) fn answered(policy: &Arc<Policy>, close_after: bool, account: Account) -> Exchange {
        Exchange {
            request: RequestId(0),
            queue: QueueId(0),
            url_context: 0,
            ip_routed: false,
            stage: Stage::Finishing,
            policy: Arc::clone(policy),
            body: RequestBody::none(),
            bytes_received: 0,
            bodyless: false,
            close_after,
            opaque: false,
            ended: false,
            promised: None,
            chunked: false,
            given: 0,
            throttle: None,
            identity: None,
            account,
        }
    }
}

impl State {
    /// Seconds for the next head to begin, and to come whole.
    #[inline]
    pub(crate) fn between_requests(&self) -> (u16, u16) {
        let timeouts = self.policy.as_ref().map_or_else(service_timeouts, |policy| policy.timeouts);
        (timeouts.idle_connection, timeouts.header_wait)
    }

    /// Whether a connection that comes to a group now is one more than its limit allows.
    #[inline]
    pub(crate) fn is_one_too_many(&self, policy: &Arc<Policy>) -> bool {
        let Some(limit) = policy.connections else { return false };
        let is_counted = self.policy.as_ref().is_some_and(|last| Arc::ptr_eq(&last.tally, &policy.tally));
        !is_counted && policy.tally.connections() >= u64::from(limit)
    }

    /// The connection belongs to the group of its last request.
    #[inline]
    pub(crate) fn belong(&mut self, policy: &Arc<Policy>) {
        if !self.policy.as_ref().is_some_and(|last| Arc::ptr_eq(last, policy)) {
            self.change_policy(Some(Arc::clone(policy)));
        }
    }

    /// Leaves the last group, if it is another, for the next.
    pub(crate) fn change_policy(&mut self, next: Option<Arc<Policy>>) {
        let last = std::mem::replace(&mut self.policy, next);
        let (last, next) = (last.as_ref().map(|p| &p.tally), self.policy.as_ref().map(|p| &p.tally));
        if last.map(Arc::as_ptr) != next.map(Arc::as_ptr) {
            last.inspect(|tally| tally.leave());
            next.inspect(|tally| tally.join());
        }
    }

    /// An id no connection and no request had before: a number of this place, and the place itself.
    #[inline]
    pub(crate) fn next_id(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence << SLOT_BITS | u64::from(self.slot())
    }

    /// The place.
    #[inline]
    pub(crate) fn slot(&self) -> u32 {
        slot_of(self.id.0)
    }
}

impl Connection {
    /// A place without a connection, whose ids go on from `sequence`.
    pub(crate) fn vacant(slot: u32, sequence: u64) -> Connection {
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let state = State {
            phase: Phase::Closed,
            sequence,
            id: ConnectionId(slot.into()),
            local: nowhere,
            remote: nowhere,
            endpoint: None,
            socket: None,
            readable: false,
            end_told: false,
            peer_done: false,
            deadline: NEVER,
            timer_entry: NEVER,
            read_due: NEVER,
            send_due: NEVER,
            policy: None,
            discarded: 0,
            work: None,
            disconnect_waits: None,
        };
        Connection { state: Mutex::new(state) }
    }

    /// Puts a new connection in a vacant place.
    pub(crate) fn occupy(
        &self,
        socket: Socket,
        (local, remote): (SocketAddr, SocketAddr),
        endpoint: Arc<Endpoint>,
    ) {
        let mut state = self.state.lock();
        let id = ConnectionId(state.next_id());
        let vacant = Connection::vacant(state.slot(), state.sequence).state.into_inner();
        *state = State {
            phase: Phase::Reading,
            id,
            local,
            remote,
            endpoint: Some(endpoint),
            socket: Some(socket),
            ..vacant
        };
    }
}

/// A connection being worked on: the lock, and what is to be done after it.
pub(crate) struct Active<'a> {
    pub(crate) engine: &'a Engine,
    /// The calling thread, if it works on the connection while it waits for something.
    pub(crate) driver: Option<&'a Arc<Waiter>>,
    pub(crate) state: MutexGuard<'a, State>,
    pub(crate) effects: Effects,
    /// The error log knows why it ends.
    pub(crate) told: bool,
}

impl<'a> Active<'a> {
    /// Takes the connection's lock.
    pub(crate) fn new(engine: &'a Engine, connection: &'a Connection) -> Active<'a> {
        let state = connection.state.lock();
        Active { engine, driver: None, state, effects: Effects::default(), told: false }
    }

    /// Lets the lock go and completes what came of the work.
    pub(crate) fn finish(self) {
        let Active { state, effects, .. } = self;
        drop(state);
        effects.perform();
    }

    /// The exchange of this request, if it still is this connection's and `allowed` accepts its stage.
    pub(crate) fn exchange_of(&mut self, queue: QueueId, request: RequestId) -> Option<&mut Exchange> {
        let exchange = self.state.work.as_mut()?.exchange.as_mut()?;
        let alive = matches!(exchange.stage, Stage::Delivered | Stage::Responding);
        (alive && exchange.request == request && exchange.queue == queue).then_some(exchange)
    }

    /// The application has its request, and neither reads nor sends that wait for the client.
    #[inline]
    pub(crate) fn is_in_hand(&self) -> bool {
        let Some(work) = &self.state.work else { return false };
        let stage = work.exchange.as_ref().map(|exchange| exchange.stage);
        matches!(stage, Some(Stage::Delivered | Stage::Responding))
            && work.reads.is_empty()
            && work.outbox.is_empty()
    }

    /// Takes a queued request for the application. `None` if it no longer stands.
    pub(crate) fn claim(&mut self, request: RequestId) -> Option<Delivery> {
        let exchange = self.state.work.as_mut()?.exchange.as_mut()?;
        if exchange.request != request || exchange.stage != Stage::Queued {
            return None;
        }
        exchange.stage = Stage::Delivered;
        self.state.deadline = NEVER;
        self.stamp(|stamps, now| stamps.delivered = now);
        self.delivery()
    }

    /// The current request as it is told to the application.
    #[inline(always)]
    pub(crate) fn delivery(&self) -> Option<Delivery> {
        let work = self.state.work.as_ref()?;
        let exchange = work.exchange.as_ref()?;
        Some(Delivery {
            request: exchange.request,
            connection: self.state.id,
            url_context: exchange.url_context,
            head: Arc::clone(&work.head),
            local: self.state.local,
            remote: self.state.remote,
            bytes_received: exchange.bytes_received + exchange.body.arrived(&work.input),
            more_body: !exchange.body.is_done(),
            ip_routed: exchange.ip_routed,
            extras: self.delivery_extras(exchange),
        })
    }

    /// Sets the time the connection must not outlast. Later deadlines cost nothing; an earlier one than
    /// the timer knows is entered.
    pub(crate) fn set_deadline(&mut self, at_ms: u64) {
        self.state.deadline = at_ms;
        if at_ms < self.state.timer_entry {
            self.state.timer_entry = self.engine.arm(self.state.slot(), at_ms);
        }
    }

    /// As [`Active::set_deadline`], some seconds from now; 0xFFFF means never.
    pub(crate) fn set_timeout(&mut self, seconds: u16) {
        self.set_deadline(self.seconds_from_now(seconds));
    }

    /// When so many seconds have passed; 0xFFFF means never.
    pub(crate) fn seconds_from_now(&self, seconds: u16) -> u64 {
        if seconds == u16::MAX { NEVER } else { self.engine.now_ms() + u64::from(seconds) * 1000 }
    }

    /// When body must have come; [`NEVER`] when no read waits.
    pub(crate) fn set_read_due(&mut self, at_ms: u64) {
        self.state.read_due = at_ms;
        self.set_deadline(at_ms.min(self.state.send_due));
    }

    /// When what waits to be sent must have gone; [`NEVER`] when nothing does.
    pub(crate) fn set_send_due(&mut self, at_ms: u64) {
        self.state.send_due = at_ms;
        self.set_deadline(at_ms.min(self.state.read_due));
    }
}

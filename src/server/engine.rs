//! The engine of this process: the ports, the connections, the queues, and the commands of [`crate::server::service::Service`].

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use parking_lot::{Mutex, RwLock};

use crate::abi::error::{Error, Result};
use crate::net::clock;
use crate::net::deadlines::Deadlines;
use crate::net::listener::{Listener, is_lasting};
use crate::net::poller::{Poller, Readiness};
use crate::win32::wait::Waiter;
use crate::wire::request::Limits;

use crate::server::auth::{self, Judges};
use crate::server::cache::Cache;
use crate::server::connections::buffers::Pool;
use crate::server::connections::connection::{Active, Connection};
use crate::server::connections::slots::{SLOT_BITS, Slots, slot_of};
use crate::server::driver::Driver;
use crate::server::groups::policy::{Policy, service_timeouts, set_service_timeouts};
use crate::server::groups::session::Directory;
use crate::server::log::ErrorLog;
use crate::server::monitor::control::{self, Control};
use crate::server::monitor::counters::Tally;
use crate::server::ports::configured::Configured;
use crate::server::ports::endpoint::{Endpoint, LISTENER};
use crate::server::ports::entrance::Welcome;
use crate::server::requests::queue::Queue;
use crate::server::service::{ApiVersion, ConnectionId, QueueId};

/// The engine.
pub struct Engine {
    pub(crate) poller: Poller,
    pub(crate) driver: Driver,
    pub(crate) deadlines: Deadlines,
    pub(crate) buffers: Pool,
    pub(crate) configured: Configured,
    pub(crate) limits: Limits,
    pub(crate) cache: Cache,
    /// Bytes one connection sends before the others have their turn.
    pub(crate) turn: u64,
    /// It names itself in the Server field of responses.
    pub(crate) names_itself: bool,
    pub(crate) directory: Directory,
    /// Those who compare passwords with slow sums.
    pub(crate) judges: Judges,
    /// Itself, for those who come back to it from other threads; known since a port was opened.
    pub(crate) own: OnceLock<Weak<Engine>>,
    /// What holds for requests of version 1 queues.
    pub(crate) policy: Arc<Policy>,
    /// Counts requests that came to no group.
    pub(crate) unrouted: Arc<Tally>,
    /// How other programs look at it.
    pub(crate) control: Control,
    /// Tells of what is refused, timed out and dropped.
    pub(crate) errors: ErrorLog,
    /// Seconds since 1970 when it was made.
    pub(crate) started: u64,
    /// Queues by the low bits of their id.
    pub(crate) queues: RwLock<Vec<Option<Arc<Queue>>>>,
    pub(crate) endpoints: RwLock<HashMap<u16, Arc<Endpoint>>>,
    pub(crate) slots: Slots,
    /// Connections with responses held back, to be sent before the engine sleeps.
    held: Mutex<Vec<u32>>,
    any_held: AtomicBool,
    /// Listeners that could not accept for want of descriptors, with their tokens.
    resting: Mutex<Vec<(Weak<Listener>, u64)>>,
    sequence: AtomicU64,
}

/// The slot of no connection, under which the timer looks at resting listeners.
const RESTING: u32 = u32::MAX;

/// Milliseconds a listener rests.
const REST_MS: u64 = 100;

impl Engine {
    /// An engine that serves nothing yet. Fails when the process has no descriptors left.
    pub fn new() -> std::io::Result<Engine> {
        // Ids begin at a number nobody guesses, so that a stale or made-up one finds nothing.
        let seed = (clock::now_ms() << 8 ^ u64::from(std::process::id()) << 20 | 1) & 0x7F_FFFF_FFFF;
        let directory = Directory::default();
        let configured = Configured::read();
        set_service_timeouts(configured.timeouts);
        auth::set_default_file(configured.parameters.password_file.as_deref());
        Ok(Engine {
            started: clock::unix_seconds(),
            poller: Poller::new()?,
            driver: Driver::new(),
            deadlines: Deadlines::default(),
            buffers: Pool::default(),
            limits: configured.limits(),
            judges: Judges::default(),
            own: OnceLock::new(),
            cache: Cache::new(configured.cache_limits()),
            turn: configured.parameters.max_bytes_per_send,
            names_itself: configured.parameters.disable_server_header < 2,
            configured,
            policy: Arc::new(Policy::of_service(directory.totals.tally())),
            unrouted: directory.totals.tally(),
            queues: RwLock::default(),
            endpoints: RwLock::default(),
            control: Control::default(),
            errors: ErrorLog::default(),
            slots: Slots::new(seed),
            directory,
            held: Mutex::default(),
            any_held: AtomicBool::new(false),
            resting: Mutex::default(),
            sequence: AtomicU64::new(seed),
        })
    }

    /// Milliseconds on the engine's clock.
    #[inline]
    pub(crate) fn now_ms(&self) -> u64 {
        clock::now_ms()
    }

    fn next_sequence(&self) -> u64 {
        self.sequence.fetch_add(1, Ordering::Relaxed)
    }

    /// No port is open and no connection lives.
    pub(crate) fn is_idle(&self) -> bool {
        self.slots.live() == 0 && !self.endpoints.read().values().any(|e| e.is_open())
    }

    /// Handles one event of the poller, on a thread that waits (`driver`) or on the watchman. False if it was about a
    /// request that the application has in hand, and brought nothing that anybody waits for.
    pub(crate) fn handle(&self, token: u64, readiness: Readiness, driver: Option<&Arc<Waiter>>) -> bool {
        if token == Poller::WAKE {
            return true;
        }
        if token == control::TOKEN {
            self.control.accept(&self.poller);
            return true;
        }
        if token & LISTENER != 0 {
            self.accept((token >> 8) as u16, token as u8);
            return true;
        }
        let Some(connection) = self.slots.get(slot_of(token)) else { return true };
        let mut active = Active { driver, ..Active::new(self, connection) };
        let is_awaited = readiness.gone() || !active.is_in_hand();
        // The report may be about one that was closed after the poller spoke, whose place is taken again.
        if token_of(active.state.id) == token {
            active.on_readiness(readiness);
        }
        active.finish();
        is_awaited
    }

    /// Looks at the connections whose time may have come.
    pub(crate) fn run_timers(&self) {
        let now = self.now_ms();
        for slot in self.deadlines.expired(now) {
            if slot == RESTING {
                self.rouse_listeners();
                continue;
            }
            if let Some(connection) = self.slots.get(slot) {
                let mut active = Active::new(self, connection);
                active.on_timer(now);
                active.finish();
            }
        }
    }

    /// A connection holds back a response.
    pub(crate) fn hold(&self, slot: u32) {
        self.held.lock().push(slot);
        if !self.any_held.swap(true, Ordering::SeqCst) {
            self.look_after_held();
        }
    }

    /// Whether a response is held back.
    pub(crate) fn holds_any(&self) -> bool {
        self.any_held.load(Ordering::SeqCst)
    }

    /// Sends every response that is held back; called before the engine waits for something to happen.
    #[inline]
    pub(crate) fn release_held(&self) {
        if !self.holds_any() {
            return;
        }
        let mut held = self.held.lock();
        self.any_held.store(false, Ordering::SeqCst);
        let slots = std::mem::take(&mut *held);
        drop(held);
        for connection in slots.into_iter().filter_map(|slot| self.slots.get(slot)) {
            let mut active = Active::new(self, connection);
            active.release_held();
            active.finish();
        }
    }

    /// Enters a deadline; wakes the poller if it is the first.
    pub(crate) fn arm(&self, slot: u32, at_ms: u64) -> u64 {
        let (at, first) = self.deadlines.insert(slot, at_ms);
        if first {
            self.poller.wake();
        }
        at
    }

    fn accept(&self, port: u16, number: u8) {
        let Some(endpoint) = self.endpoints.read().get(&port).cloned() else { return };
        let Some((listener, entrance)) = endpoint.door(number) else { return };
        // A few at a time, so that a flood of connections does not hold up the others' requests.
        for _ in 0..16 {
            let (socket, local, remote) = match listener.accept() {
                Ok(accepted) => accepted,
                Err(error) if is_lasting(&error) => {
                    self.rest(&listener, LISTENER | u64::from(port) << 8 | u64::from(number));
                    break;
                }
                Err(_) => break,
            };
            socket.set_nodelay(true);
            if endpoint.is_secure() && !listener.is_unix() {
                // No certificate is configured for the port: what Windows does with https then.
                socket.reset_on_close();
                continue;
            }
            let (ends, welcome) = match &entrance {
                Some(entrance) => entrance.welcome((local, remote)),
                None => ((local, remote), Welcome::Client),
            };
            if self.slots.live() as u64 >= self.configured.parameters.max_connections {
                self.turn_down(&socket, ends.0, ends.1);
                continue;
            }
            let Some(connection) = self.slots.reserve() else { continue };
            connection.occupy(socket, ends, Arc::clone(&endpoint));
            self.adopt(connection, welcome);
        }
        if !endpoint.is_open() {
            // Closed while they came.
            self.part_with_clients(&endpoint);
        }
    }

    /// Watches a listener no more for a moment: it would report the same connections again and again.
    fn rest(&self, listener: &Arc<Listener>, token: u64) {
        self.poller.remove(listener.as_fd());
        self.resting.lock().push((Arc::downgrade(listener), token));
        self.arm(RESTING, self.now_ms() + REST_MS);
    }

    fn rouse_listeners(&self) {
        let resting = std::mem::take(&mut *self.resting.lock());
        for (listener, token) in resting {
            let Some(listener) = listener.upgrade() else { continue };
            if self.poller.add_listener(listener.as_fd(), token).is_err() {
                self.rest(&listener, token);
            } else if !self.listens(&listener, token) {
                // Closed while it rested; whoever closes it from now on tells the poller.
                self.poller.remove(listener.as_fd());
            }
        }
    }

    /// Whether this is the listener its token means.
    fn listens(&self, listener: &Arc<Listener>, token: u64) -> bool {
        let endpoint = self.endpoints.read().get(&((token >> 8) as u16)).cloned();
        let door = endpoint.and_then(|endpoint| endpoint.door(token as u8));
        door.is_some_and(|(open, _)| Arc::ptr_eq(&open, listener))
    }

    pub(super) fn adopt(&self, connection: &Connection, welcome: Welcome) {
        let mut active = Active::new(self, connection);
        active.receive(welcome);
        let added = match &active.state.socket {
            Some(socket) => self.poller.add(socket.as_fd(), token_of(active.state.id)).is_ok(),
            None => false,
        };
        if added {
            active.set_timeout(service_timeouts().idle_connection);
        } else {
            active.reset();
        }
        active.finish();
    }

    /// The connection a request or connection id belongs to, if it still lives.
    #[inline]
    pub(crate) fn connection_of(&self, id: u64) -> Option<&Connection> {
        self.slots.get(slot_of(id))
    }

    #[inline]
    pub(crate) fn queue(&self, id: QueueId) -> Result<Arc<Queue>> {
        let queues = self.queues.read();
        match queues.get(id.0 as usize & ((1 << SLOT_BITS) - 1)) {
            Some(Some(queue)) if queue.id == id => Ok(Arc::clone(queue)),
            _ => Err(Error::INVALID_HANDLE),
        }
    }

    /// Makes a queue.
    pub(crate) fn add_queue(&self, version: ApiVersion) -> QueueId {
        let mut queues = self.queues.write();
        let slot = queues.iter().position(Option::is_none).unwrap_or(queues.len());
        if slot == queues.len() {
            queues.push(None);
        }
        let id = QueueId(self.next_sequence() << SLOT_BITS | slot as u64);
        queues[slot] = Some(Arc::new(Queue::new(id, version)));
        id
    }

    pub(crate) fn remove_queue(&self, id: QueueId) -> Result<Arc<Queue>> {
        // Looked for and taken out under one lock: its place may be another's a moment later.
        let mut queues = self.queues.write();
        let place = queues.get_mut(id.0 as usize & ((1 << SLOT_BITS) - 1));
        let found = place.and_then(|place| place.take_if(|queue| queue.id == id));
        found.ok_or(Error::INVALID_HANDLE)
    }
}

/// What the poller calls a connection.
fn token_of(id: ConnectionId) -> u64 {
    id.0 & !LISTENER
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::poller::Events;
    use crate::net::socket::Socket;
    use crate::server::connections::connection::Phase;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    /// Puts a connection in a free place; gives its slot and the client's end.
    fn connect(engine: &Engine) -> (u32, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let connection = engine.slots.reserve().unwrap();
        let nowhere = std::net::SocketAddr::from(([127, 0, 0, 1], 1));
        let socket = Socket::from_fd(OwnedFd::from(ours));
        connection.occupy(socket, (nowhere, nowhere), Arc::new(Endpoint::new(1)));
        engine.adopt(connection, Welcome::Client);
        (connection.state.lock().slot(), theirs)
    }

    #[test]
    fn a_report_about_a_closed_connection_does_not_reach_the_next_in_its_place() {
        let engine = Engine::new().unwrap();
        let (slot, client) = connect(&engine);
        drop(client);
        let mut events = Events::with_capacity(8);
        let mut report = None;
        while report.is_none() {
            engine.poller.wait(&mut events, -1).unwrap();
            while let Some((token, readiness)) = events.take() {
                if readiness.gone() {
                    report = Some((token, readiness));
                }
            }
        }
        let mut active = Active::new(&engine, engine.slots.get(slot).unwrap());
        active.break_off();
        active.finish();
        let (again, _client) = connect(&engine);
        assert_eq!(again, slot);
        let (token, readiness) = report.unwrap();
        engine.handle(token, readiness, None);
        assert_eq!(engine.slots.get(slot).unwrap().state.lock().phase, Phase::Reading);
    }
}

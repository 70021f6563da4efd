//! Places for connections, and who waits for one (`WINHTTP_OPTION_MAX_CONNS_PER_SERVER`).
//!
//! Every connection to a server has a [`Slot`] from before it is made until it is closed. When there may be no more,
//! a request waits: for the first of the server's connections that becomes free, or for a place, in the order in
//! which the requests came.

use std::sync::Arc;
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::client::workers::step_aside;
use crate::net::bell::Bell;
use crate::net::client_stream::{Cancel, Cancelled};
use crate::win32::handles::is_forked;

use super::connection::{Connection, Origin};
use super::network::{Limits, Mark, Wish};
use super::pool::{self, Idle, POOL, Server};

/// What 0 means as a limit.
const LIMIT_FOR_ZERO: u32 = 2;

impl Limits {
    fn of(&self, server: &Server) -> u32 {
        match if server.is_old { self.old } else { self.modern } {
            0 => LIMIT_FOR_ZERO,
            limit => limit,
        }
    }
}

/// The place of one connection, which is counted while this lives.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(super) origin: Arc<Origin>,
    pub(super) mark: Option<Mark>,
    /// There was no other when it was given out.
    pub(super) is_first: bool,
}

impl Slot {
    /// Moves the connection to a group.
    pub(super) fn set_mark(&mut self, mark: Option<Mark>) {
        if self.mark != mark
            && let Some(server) = POOL.lock().servers.get_mut(&self.origin)
        {
            server.discount(self.mark);
            server.count(mark);
            self.mark = mark;
        }
    }

    /// The server has answered in HTTP/1.0.
    pub(super) fn set_old(&self) {
        if let Some(server) = POOL.lock().servers.get_mut(&self.origin) {
            server.is_old = true;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if is_forked() {
            return;
        }
        let mut pool = POOL.lock();
        let Some(server) = pool.servers.get_mut(&self.origin) else { return };
        server.discount(self.mark);
        let next = server.waiting.iter().position(|waiter| waiter.wants_slot);
        if let Some(at) = next
            && server.total() < server.waiting[at].limits.of(server)
            && let Some(waiter) = server.waiting.remove(at)
        {
            server.count(None);
            waiter.grant(Grant::Slot(Slot { origin: Arc::clone(&self.origin), mark: None, is_first: false }));
        }
        if server.is_over() {
            pool.servers.remove(&self.origin);
        }
    }
}

/// What a waiting request gets.
pub(super) enum Grant {
    Connection(Box<Connection>),
    Slot(Slot),
}

impl Grant {
    /// It is not wanted after all.
    fn refuse(self) {
        match self {
            Grant::Connection(connection) => pool::give(connection),
            Grant::Slot(slot) => drop(slot),
        }
    }
}

enum Alarm {
    Thread(Thread),
    Bell(Bell),
}

/// A request that waits.
pub(super) struct Waiter {
    pub(super) wish: Wish,
    /// It would make a connection of its own; otherwise it is making one already.
    pub(super) wants_slot: bool,
    limits: Limits,
    alarm: Alarm,
    granted: Mutex<Option<Grant>>,
}

impl Waiter {
    /// Gives the request, which is in no queue any more, what it waits for.
    pub(super) fn grant(&self, grant: Grant) {
        *self.granted.lock() = Some(grant);
        match &self.alarm {
            Alarm::Thread(thread) => thread.unpark(),
            Alarm::Bell(bell) => bell.ring(),
        }
    }

    /// Stops waiting. What was granted meanwhile must be used or refused.
    fn leave(&self, origin: &Arc<Origin>) -> Option<Grant> {
        let mut pool = POOL.lock();
        if let Some(server) = pool.servers.get_mut(origin) {
            server.waiting.retain(|waiter| !std::ptr::eq(&**waiter, self));
            if server.is_over() {
                pool.servers.remove(origin);
            }
        }
        drop(pool);
        self.granted.lock().take()
    }
}

/// Why a request waits no longer.
pub(super) enum GivenUp {
    Cancelled,
    Timeout,
}

/// A free connection to the origin, or a place for a new one, within `limit` milliseconds (0: for ever).
/// For `certain` see [`pool::take`].
pub(super) fn acquire(
    origin: &Arc<Origin>,
    limits: Limits,
    wish: &Wish,
    certain: bool,
    limit: u32,
    cancel: &Cancel,
) -> Result<Grant, GivenUp> {
    let deadline = (limit != 0).then(|| Instant::now() + Duration::from_millis(limit.into()));
    loop {
        let waiter = match claim(origin, limits, wish) {
            Claim::Slot(slot) => return Ok(Grant::Slot(slot)),
            Claim::Idle(idle) => match idle.check(certain) {
                Some(connection) => return Ok(Grant::Connection(connection)),
                None => continue,
            },
            Claim::Room(idle) => {
                drop(idle);
                continue;
            }
            Claim::Queued(waiter) => waiter,
        };
        step_aside();
        let waited = cancel.wait(deadline, || waiter.granted.lock().is_some());
        match (waited, waiter.leave(origin)) {
            (Err(Cancelled), granted) => {
                granted.into_iter().for_each(Grant::refuse);
                return Err(GivenUp::Cancelled);
            }
            (Ok(_), Some(Grant::Connection(connection))) if !connection.is_sound(certain) => drop(connection),
            (Ok(_), Some(grant)) => return Ok(grant),
            (Ok(_), None) => return Err(GivenUp::Timeout),
        }
    }
}

/// What came of asking for a connection.
enum Claim {
    /// A new one may be made.
    Slot(Slot),
    /// One became idle meanwhile.
    Idle(Idle),
    /// One that will not do is to be closed, to make room.
    Room(Idle),
    /// There may be no more.
    Queued(Arc<Waiter>),
}

fn claim(origin: &Arc<Origin>, limits: Limits, wish: &Wish) -> Claim {
    let pool = &mut *POOL.lock();
    if let Some(idle) = pool.pick(origin, wish) {
        return Claim::Idle(idle);
    }
    let server = pool.servers.entry(Arc::clone(origin)).or_default();
    if !server.waiting.iter().any(|waiter| waiter.wants_slot) {
        if server.total() < limits.of(server) {
            let is_first = server.total() == 0;
            server.count(None);
            return Claim::Slot(Slot { origin: Arc::clone(origin), mark: None, is_first });
        }
        if let Some(idle) = pool.evict(origin) {
            return Claim::Room(idle);
        }
    }
    let alarm = Alarm::Thread(thread::current());
    let waiter = Waiter { wish: *wish, wants_slot: true, limits, alarm, granted: Mutex::new(None) };
    let waiter = Arc::new(waiter);
    if let Some(server) = pool.servers.get_mut(origin) {
        server.waiting.push_back(Arc::clone(&waiter));
    }
    Claim::Queued(waiter)
}

/// A place if there may be one more connection, without waiting.
pub(super) fn try_acquire(origin: &Arc<Origin>, limits: Limits) -> Option<Slot> {
    let pool = &mut *POOL.lock();
    let server = pool.servers.get_mut(origin)?;
    if !server.waiting.is_empty() || server.total() >= limits.of(server) {
        return None;
    }
    server.count(None);
    Some(Slot { origin: Arc::clone(origin), mark: None, is_first: false })
}

/// Waiting for any connection that becomes free, by somebody who is making one
/// (`WINHTTP_OPTION_FIRST_AVAILABLE_CONNECTION`).
pub(super) struct Lookout {
    waiter: Arc<Waiter>,
    origin: Arc<Origin>,
}

impl Lookout {
    /// Joins the queue. `None` when the system has no descriptors left.
    pub(super) fn new(origin: &Arc<Origin>, wish: &Wish, limits: Limits) -> Option<Lookout> {
        let alarm = Alarm::Bell(Bell::new().ok()?);
        let waiter = Waiter { wish: *wish, wants_slot: false, limits, alarm, granted: Mutex::new(None) };
        let waiter = Arc::new(waiter);
        POOL.lock().servers.get_mut(origin)?.waiting.push_back(Arc::clone(&waiter));
        Some(Lookout { waiter, origin: Arc::clone(origin) })
    }

    /// What rings when there is one.
    pub(super) fn bell(&self) -> Option<&Bell> {
        match &self.waiter.alarm {
            Alarm::Bell(bell) => Some(bell),
            Alarm::Thread(_) => None,
        }
    }

    /// The connection that became free, if any.
    pub(super) fn take(&self) -> Option<Box<Connection>> {
        match self.waiter.leave(&self.origin)? {
            Grant::Connection(connection) => Some(connection),
            Grant::Slot(_) => None,
        }
    }
}

impl Drop for Lookout {
    fn drop(&mut self) {
        self.waiter.leave(&self.origin).into_iter().for_each(Grant::refuse);
    }
}

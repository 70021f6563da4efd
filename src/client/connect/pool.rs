//! The connections of the process, shared by all its sessions (digest §6.3): those that are idle are here, those in
//! use are counted.
//!
//! A connection waits here for at most [`LIFETIME`], or as long as the server has said, and at most [`MOST_IDLE`] do.
//! A thread that closes the old ones is started with the first connection that waits and ends with the last. Who has
//! to wait for a connection is in `waiting`. The child of a fork never touches its parent's connections.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use foldhash::fast::RandomState;
use parking_lot::{Condvar, Mutex};
use smallvec::SmallVec;

use crate::net::clock::ticks;
use crate::win32::handles::is_forked;

use super::connection::{Connection, Origin};
use super::network::{Mark, Wish};
use super::waiting::{Grant, Waiter};

/// Steps of [`ticks`] in a second. The pool counts in them, as the facts of a request do.
const SECOND: u64 = 10_000_000;

/// How long an idle connection is kept.
const LIFETIME: u64 = 30 * SECOND;

/// A connection idle for longer than this is looked at before it is trusted with a request; others as `trust` says.
const TRUSTED: u64 = SECOND;

/// No more than this are idle at the same time, whoever they lead to.
const MOST_IDLE: usize = 512;

pub(super) struct Idle {
    connection: Box<Connection>,
    since: u64,
    until: u64,
}

impl Idle {
    /// The connection, unless it has waited too long or turns out to be of no use.
    pub(super) fn check(mut self, certain: bool) -> Option<Box<Connection>> {
        let now = ticks();
        self.connection.touched = now;
        let look = certain || now.saturating_sub(self.since) > TRUSTED;
        let good = now < self.until && self.connection.is_sound(look);
        good.then_some(self.connection)
    }
}

/// What is known of one origin while there are connections to it, or somebody waits for one.
#[derive(Default)]
pub(super) struct Server {
    /// The longest idle first.
    idle: Vec<Idle>,
    /// How many connections there are or are being made, idle and in use, by their mark.
    pub(super) counts: SmallVec<[(Option<Mark>, u32); 1]>,
    /// Who waits, in the order in which they came.
    pub(super) waiting: VecDeque<Arc<Waiter>>,
    /// It has answered in HTTP/1.0.
    pub(super) is_old: bool,
}

#[derive(Default)]
pub(super) struct Pool {
    pub(super) servers: HashMap<Arc<Origin>, Server, RandomState>,
    idle: usize,
    sweeping: bool,
    /// When the sweeping thread looks next.
    due: Option<u64>,
}

pub(super) static POOL: LazyLock<Mutex<Pool>> = LazyLock::new(Mutex::default);
static SOONER: Condvar = Condvar::new();

/// The most recently used idle connection to the origin that will do. With `certain` it has been looked at even when
/// it waited only for a moment, because what will be sent on it cannot be sent again.
pub(super) fn take(origin: &Arc<Origin>, wish: &Wish, certain: bool) -> Option<Box<Connection>> {
    if is_forked() {
        return None;
    }
    loop {
        let idle = POOL.lock().pick(origin, wish)?;
        if let Some(connection) = idle.check(certain) {
            return Some(connection);
        }
    }
}

/// Hands a connection to who has waited longest for one like it, or keeps it for the next request to its origin.
pub(crate) fn give(mut connection: Box<Connection>) {
    connection.shrink();
    connection.reused = true;
    let now = ticks();
    let keep = connection.keep_for.map_or(LIFETIME, |seconds| LIFETIME.min(u64::from(seconds) * SECOND));
    if keep == 0 {
        return;
    }
    let crowded = POOL.lock().put(Idle { connection, since: now, until: now + keep });
    // What is closed here makes room for others, under the lock of the pool.
    drop(crowded);
}

/// Closes the idle connections of a partition, which nobody will ask for any more.
pub(crate) fn discard(partition: u64) {
    let mut gone = Vec::new();
    let pool = &mut *POOL.lock();
    for (origin, server) in &mut pool.servers {
        if origin.partition == partition {
            pool.idle -= server.idle.len();
            gone.append(&mut server.idle);
        }
    }
}

impl Server {
    /// How many connections there are.
    pub(super) fn total(&self) -> u32 {
        self.counts.iter().map(|(_, count)| count).sum()
    }

    /// One connection more with a mark.
    pub(super) fn count(&mut self, mark: Option<Mark>) {
        match self.counts.iter_mut().find(|(known, _)| *known == mark) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((mark, 1)),
        }
    }

    /// One connection less with a mark.
    pub(super) fn discount(&mut self, mark: Option<Mark>) {
        if let Some(at) = self.counts.iter().position(|(known, _)| *known == mark) {
            self.counts[at].1 -= 1;
            if self.counts[at].1 == 0 {
                self.counts.swap_remove(at);
            }
        }
    }

    /// Nothing is left to know.
    pub(super) fn is_over(&self) -> bool {
        self.counts.is_empty() && self.waiting.is_empty()
    }

    /// The idle connection to use: the last, of those with the mark if there is any.
    fn best(&self, wish: &Wish) -> Option<usize> {
        if wish.mark.is_none() {
            return self.idle.len().checked_sub(1);
        }
        let last = |mark: Option<Mark>| self.idle.iter().rposition(|idle| idle.connection.mark() == mark);
        last(wish.mark).or_else(|| if wish.only_marked { None } else { last(None) })
    }

    /// Who has waited longest for a connection like this.
    fn taker(&mut self, mark: Option<Mark>) -> Option<Arc<Waiter>> {
        let at = self.waiting.iter().position(|waiter| waiter.wish.accepts(mark))?;
        self.waiting.remove(at)
    }

    /// The connection that has been idle longest.
    pub(super) fn take_longest_idle(&mut self) -> Option<Idle> {
        if self.idle.is_empty() { None } else { Some(self.idle.remove(0)) }
    }
}

impl Pool {
    /// Takes out the connection to the origin that suits best.
    pub(super) fn pick(&mut self, origin: &Arc<Origin>, wish: &Wish) -> Option<Idle> {
        let server = self.servers.get_mut(origin)?;
        let at = server.best(wish)?;
        self.idle -= 1;
        Some(server.idle.remove(at))
    }

    /// Passes a connection on or keeps it. Gives back what has to be closed, once the pool is no longer locked.
    fn put(&mut self, idle: Idle) -> Option<Idle> {
        // A connection that is counted has a server.
        let Some(server) = self.servers.get_mut(&idle.connection.origin) else { return Some(idle) };
        if let Some(waiter) = server.taker(idle.connection.mark()) {
            waiter.grant(Grant::Connection(idle.connection));
            return None;
        }
        if server.waiting.iter().any(|waiter| waiter.wants_slot) {
            // Nobody wants this one, but somebody its place.
            return Some(idle);
        }
        let until = idle.until;
        server.idle.push(idle);
        self.idle += 1;
        if self.due.is_none_or(|due| until < due) {
            self.due = Some(until);
            SOONER.notify_one();
        }
        if !self.sweeping {
            let sweeper = thread::Builder::new().name("nthttp-idle".into()).stack_size(128 * 1024);
            self.sweeping = sweeper.spawn(sweep).is_ok();
        }
        if self.idle > MOST_IDLE { self.take_longest_idle() } else { None }
    }

    fn take_longest_idle(&mut self) -> Option<Idle> {
        let longest = |server: &&mut Server| server.idle.first().map(|idle| idle.since);
        let idle = self.servers.values_mut().filter(|server| !server.idle.is_empty()).min_by_key(longest)?;
        self.idle -= 1;
        idle.take_longest_idle()
    }

    /// An idle connection of this server, whatever its mark, for its place.
    pub(super) fn evict(&mut self, origin: &Arc<Origin>) -> Option<Idle> {
        let idle = self.servers.get_mut(origin)?.take_longest_idle()?;
        self.idle -= 1;
        Some(idle)
    }

    /// Takes out what has waited too long, and notes when the next connection will have.
    fn take_old(&mut self, now: u64) -> Vec<Idle> {
        let mut old = Vec::new();
        self.due = None;
        for server in self.servers.values_mut() {
            old.extend(server.idle.extract_if(.., |idle| idle.until <= now));
            let next = server.idle.iter().map(|idle| idle.until).min();
            self.due = self.due.into_iter().chain(next).min();
        }
        self.idle -= old.len();
        old
    }
}

/// The life of the sweeping thread: it sleeps until the first connection is due, and ends when none is idle.
fn sweep() {
    loop {
        let mut pool = POOL.lock();
        while let Some(left) = pool.due.map(|due| due.saturating_sub(ticks())).filter(|left| *left > 0) {
            SOONER.wait_for(&mut pool, Duration::from_nanos(left * 100));
        }
        let old = pool.take_old(ticks());
        let more = pool.due.is_some();
        pool.sweeping = more;
        drop(pool);
        // Closing them takes the lock again.
        drop(old);
        if !more {
            return;
        }
    }
}

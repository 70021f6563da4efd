//! Idle connections, shared by all sessions of the process (digest §6.3).
//!
//! A connection waits here for at most [`LIFETIME`]. A thread that closes the old ones is started with the first
//! connection that waits and ends with the last. The child of a fork never touches its parent's connections.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::win32::handles::is_forked;

use super::connection::{Connection, Origin};

/// How long an idle connection is kept.
const LIFETIME: Duration = Duration::from_secs(30);

/// A connection idle for longer than this is looked at before it is trusted with a request.
const TRUSTED: Duration = Duration::from_secs(1);

struct Idle {
    connection: Connection,
    since: Instant,
}

#[derive(Default)]
struct Pool {
    idle: HashMap<Arc<Origin>, Vec<Idle>>,
    sweeping: bool,
}

static POOL: LazyLock<Mutex<Pool>> = LazyLock::new(Mutex::default);

/// The most recently used idle connection to the origin. With `certain` it has been looked at even when it
/// waited only for a moment, because what will be sent on it cannot be sent again.
pub(crate) fn take(origin: &Arc<Origin>, certain: bool) -> Option<Connection> {
    if is_forked() {
        return None;
    }
    loop {
        let idle = POOL.lock().idle.get_mut(origin)?.pop()?;
        let waited = idle.since.elapsed();
        let doubtful = certain || waited > TRUSTED;
        if waited < LIFETIME && (!doubtful || idle.connection.stream.is_quiet()) {
            return Some(idle.connection);
        }
    }
}

/// Keeps a connection for the next request to its origin.
pub(crate) fn give(mut connection: Connection) {
    connection.shrink();
    connection.reused = true;
    let idle = Idle { connection, since: Instant::now() };
    let mut pool = POOL.lock();
    match pool.idle.get_mut(&idle.connection.origin) {
        Some(list) => list.push(idle),
        None => drop(pool.idle.insert(Arc::clone(&idle.connection.origin), vec![idle])),
    }
    if !pool.sweeping {
        let sweeper = thread::Builder::new().name("nthttp-idle".into()).stack_size(128 * 1024);
        pool.sweeping = sweeper.spawn(sweep).is_ok();
    }
}

/// The life of the sweeping thread: it sleeps until the oldest connection is due, and ends when, after such a
/// sleep, none waits.
fn sweep() {
    let mut due = Instant::now() + LIFETIME;
    loop {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let mut pool = POOL.lock();
        let (old, next) = pool.take_old(Instant::now());
        pool.sweeping = next.is_some();
        drop(pool);
        // Closing them takes no lock.
        drop(old);
        match next {
            Some(next) => due = next,
            None => return,
        }
    }
}

impl Pool {
    /// Takes out what has waited too long; also says when the next connection will have.
    fn take_old(&mut self, now: Instant) -> (Vec<Idle>, Option<Instant>) {
        let mut old = Vec::new();
        let mut oldest: Option<Instant> = None;
        self.idle.retain(|_, list| {
            let stale = list.partition_point(|idle| now.duration_since(idle.since) >= LIFETIME);
            old.extend(list.drain(..stale));
            if let Some(first) = list.first() {
                oldest = Some(oldest.map_or(first.since, |time| time.min(first.since)));
            }
            !list.is_empty()
        });
        (old, oldest.map(|time| time + LIFETIME))
    }
}

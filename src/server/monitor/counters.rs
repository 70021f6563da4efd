//! Counters of URL groups, spread so that threads that count at the same time do not wait for one another's cache
//! lines: the first threads that count have places of their own, where adding takes no locked operation; the others share
//! one. Who reads sums the places up.
//!
//! A group's counters go on while its last responses do, and then pass into the totals of the engine; `snapshot`
//! says what each is called.

use std::array::from_fn;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::thread::LocalKey;

use parking_lot::Mutex;

use super::snapshot::GroupCounters;

/// Places of a counter. The last is shared by all threads that came when the others were taken.
const PLACES: usize = 8;
const SHARED: usize = PLACES - 1;

/// What one thread has counted.
#[derive(Default)]
#[repr(align(64))]
struct Place {
    all_requests: AtomicU64,
    get_requests: AtomicU64,
    head_requests: AtomicU64,
    bytes_sent: AtomicU64,
    bytes_received: AtomicU64,
}

/// The place of the calling thread.
#[inline]
fn my_place() -> usize {
    // Made at compile time, so that reading it is no more than that; PLACES before the thread counts for the first time.
    thread_local! { static MINE: Cell<usize> = const { Cell::new(PLACES) } }
    let mine = MINE.get();
    if mine < PLACES { mine } else { choose_place(&MINE) }
}

#[cold]
fn choose_place(mine: &'static LocalKey<Cell<usize>>) -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    // Given for life: a thread that ends leaves its place empty.
    let place = NEXT.fetch_add(1, Ordering::Relaxed).min(SHARED);
    mine.set(place);
    place
}

/// Adds to a counter of the calling thread's place.
#[inline]
fn add_to(counter: &AtomicU64, place: usize, more: u64) {
    if place == SHARED {
        counter.fetch_add(more, Ordering::Relaxed);
    } else {
        // Nobody else writes there.
        counter.store(counter.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
    }
}

/// What is counted of a request as it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Get,
    Head,
    Other,
}

/// The counters of one group, or of all that belongs to none.
pub(crate) struct Tally {
    places: [Place; PLACES],
    /// Connections whose last request was counted here, the most at once, and how many ever.
    current: AtomicU64,
    most: AtomicU64,
    ever: AtomicU64,
    totals: Weak<Totals>,
}

impl Tally {
    /// A request comes.
    #[inline]
    pub(crate) fn request(&self, kind: Kind) {
        let mine = my_place();
        let place = &self.places[mine];
        add_to(&place.all_requests, mine, 1);
        match kind {
            Kind::Get => add_to(&place.get_requests, mine, 1),
            Kind::Head => add_to(&place.head_requests, mine, 1),
            Kind::Other => {}
        }
    }

    /// A response is over: its bytes, and those of its request.
    #[inline]
    pub(crate) fn bytes(&self, sent: u64, received: u64) {
        let mine = my_place();
        let place = &self.places[mine];
        add_to(&place.bytes_sent, mine, sent);
        add_to(&place.bytes_received, mine, received);
    }

    /// A connection brings its first request.
    pub(crate) fn join(&self) {
        let current = self.current.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(current, Ordering::Relaxed);
        self.ever.fetch_add(1, Ordering::Relaxed);
    }

    /// It ends, or goes to another group.
    pub(crate) fn leave(&self) {
        self.current.fetch_sub(1, Ordering::Relaxed);
    }

    /// Connections whose last request was counted here.
    pub(crate) fn connections(&self) -> u64 {
        self.current.load(Ordering::Relaxed)
    }

    /// What has been counted.
    pub(crate) fn read(&self) -> GroupCounters {
        let sum = |which: fn(&Place) -> &AtomicU64| {
            self.places.iter().map(|place| which(place).load(Ordering::Relaxed)).sum()
        };
        GroupCounters {
            all_requests: sum(|place| &place.all_requests),
            get_requests: sum(|place| &place.get_requests),
            head_requests: sum(|place| &place.head_requests),
            bytes_sent: sum(|place| &place.bytes_sent),
            bytes_received: sum(|place| &place.bytes_received),
            current_connections: self.current.load(Ordering::Relaxed),
            max_connections: self.most.load(Ordering::Relaxed),
            connection_attempts: self.ever.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        if let Some(totals) = self.totals.upgrade() {
            let mut kept = totals.kept.lock();
            kept.retired = add(kept.retired, self.read());
        }
    }
}

/// The counters of an engine: of its groups, those that live and those that do not.
#[derive(Default)]
pub(crate) struct Totals {
    kept: Mutex<Kept>,
    /// What was refused, timed out or dropped.
    pub(crate) errors: AtomicU64,
    /// Bytes of connections that are closed.
    pub(crate) closed_sent: AtomicU64,
    /// See `closed_sent`.
    pub(crate) closed_received: AtomicU64,
    /// The sums told last, which the next may not fall behind.
    told_sent: AtomicU64,
    told_received: AtomicU64,
}

#[derive(Default)]
struct Kept {
    live: Vec<Weak<Tally>>,
    retired: GroupCounters,
}

impl Totals {
    /// Counters that pass into these at their end.
    pub(crate) fn tally(self: &Arc<Totals>) -> Arc<Tally> {
        let tally = Arc::new(Tally {
            places: from_fn(|_| Place::default()),
            current: AtomicU64::new(0),
            most: AtomicU64::new(0),
            ever: AtomicU64::new(0),
            totals: Arc::downgrade(self),
        });
        let mut kept = self.kept.lock();
        kept.live.retain(|other| other.strong_count() > 0);
        kept.live.push(Arc::downgrade(&tally));
        tally
    }

    /// Bytes sent and received in all, with those of the connections that live. One that closes while they are summed up
    /// may be missed, but what was told once is never taken back.
    pub(crate) fn bytes(&self, live: impl FnOnce() -> (u64, u64)) -> (u64, u64) {
        // Before the living, or one that closes meanwhile would count twice.
        let (sent, received) =
            (self.closed_sent.load(Ordering::Relaxed), self.closed_received.load(Ordering::Relaxed));
        let live = live();
        let (sent, received) = (sent + live.0, received + live.1);
        let told = |last: &AtomicU64, sum: u64| last.fetch_max(sum, Ordering::Relaxed).max(sum);
        (told(&self.told_sent, sent), told(&self.told_received, received))
    }

    /// The sum of all.
    pub(crate) fn read(&self) -> GroupCounters {
        // A tally that dies while it is held here would want the lock.
        let kept = self.kept.lock();
        let live: Vec<_> = kept.live.iter().filter_map(Weak::upgrade).collect();
        let retired = kept.retired;
        drop(kept);
        live.iter().fold(retired, |sum, tally| add(sum, tally.read()))
    }
}

fn add(a: GroupCounters, b: GroupCounters) -> GroupCounters {
    GroupCounters {
        all_requests: a.all_requests + b.all_requests,
        get_requests: a.get_requests + b.get_requests,
        head_requests: a.head_requests + b.head_requests,
        bytes_sent: a.bytes_sent + b.bytes_sent,
        bytes_received: a.bytes_received + b.bytes_received,
        ..GroupCounters::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_add_up_and_nothing_is_lost_with_a_group() {
        let totals = Arc::new(Totals::default());
        let (first, second) = (totals.tally(), totals.tally());
        std::thread::scope(|scope| {
            for _ in 0..2 * PLACES {
                scope.spawn(|| {
                    for n in 0..1000 {
                        first.request(if n % 2 == 0 { Kind::Get } else { Kind::Other });
                        first.bytes(3, 2);
                        second.request(Kind::Head);
                    }
                });
            }
        });
        let expected = 2 * PLACES as u64 * 1000;
        let read = first.read();
        assert_eq!(
            (read.all_requests, read.get_requests, read.bytes_sent),
            (expected, expected / 2, 3 * expected)
        );
        let before = totals.read();
        assert_eq!((before.all_requests, before.head_requests), (2 * expected, expected));
        drop(first);
        assert_eq!(totals.read(), before);
        drop(second);
        assert_eq!(totals.read(), before);
    }
}

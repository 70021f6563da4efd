//! The one timer structure of a poller: which slot to look at when.
//!
//! Entries are hints, not promises: an entry that fires makes its owner compare its real deadline with the
//! clock and, if that has moved, put in a later entry. So moving a deadline later, which every request
//! does, touches nothing here.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

/// Deadlines are rounded up to this many milliseconds, so that many share an entry.
const GRAIN: u64 = 64;

/// No deadline.
pub const NEVER: u64 = u64::MAX;

/// Slots to look at, by time.
pub struct Deadlines {
    by_time: Mutex<BTreeMap<u64, Vec<u32>>>,
    next: AtomicU64,
}

impl Default for Deadlines {
    fn default() -> Self {
        Deadlines { by_time: Mutex::default(), next: AtomicU64::new(NEVER) }
    }
}

impl Deadlines {
    /// Asks for `slot` to be looked at no earlier than `at_ms`. Returns when that will be, and whether it
    /// is now the first entry, in which case a sleeping poller must be told.
    pub fn insert(&self, slot: u32, at_ms: u64) -> (u64, bool) {
        let at = at_ms.div_ceil(GRAIN) * GRAIN;
        let mut map = self.by_time.lock();
        map.entry(at).or_default().push(slot);
        let first = at < self.next.load(Ordering::Relaxed);
        if first {
            self.next.store(at, Ordering::Release);
        }
        (at, first)
    }

    /// When the first entry fires, or [`NEVER`].
    #[inline]
    pub fn next(&self) -> u64 {
        self.next.load(Ordering::Acquire)
    }

    /// Takes out the slots whose time has come.
    pub fn expired(&self, now_ms: u64) -> Vec<u32> {
        let mut map = self.by_time.lock();
        let later = map.split_off(&(now_ms + 1));
        let due = std::mem::replace(&mut *map, later);
        self.next.store(map.keys().next().copied().unwrap_or(NEVER), Ordering::Release);
        due.into_values().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_fires_early() {
        let deadlines = Deadlines::default();
        let (at, first) = deadlines.insert(7, 1000);
        assert!(at >= 1000 && first);
        assert!(!deadlines.insert(8, 5000).1);
        assert!(deadlines.expired(999).is_empty());
        assert_eq!(deadlines.next(), at);
        assert_eq!(deadlines.expired(at), [7]);
        assert_eq!(deadlines.expired(6000), [8]);
        assert_eq!(deadlines.next(), NEVER);
    }
}

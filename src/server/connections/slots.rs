//! Connections by slot. Their memory stays for the next connection, so that finding one takes no lock and
//! counts no reference: a slot is a place, and what is in it is the state behind the connection's lock.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::connection::Connection;

/// Ids of requests and connections carry the connection's slot in this many low bits.
pub(crate) const SLOT_BITS: u32 = 24;

const FIRST: usize = 64;
/// Chunks of 64, 128, 256 … connections: 16 million in all.
const CHUNKS: usize = 18;

/// The slots.
#[derive(Default)]
pub(crate) struct Slots {
    /// Where the ids of every place begin.
    sequence: u64,
    chunks: [OnceLock<Box<[Connection]>>; CHUNKS],
    free: Mutex<Vec<u32>>,
    used: AtomicU32,
    live: AtomicUsize,
    /// The most that lived at once, and how many there ever were.
    most: AtomicUsize,
    ever: AtomicU64,
}

/// The slot an id belongs to.
#[inline]
pub(crate) fn slot_of(id: u64) -> u32 {
    (id & ((1 << SLOT_BITS) - 1)) as u32
}

/// Chunk and index of a slot.
#[inline]
fn place(slot: u32) -> (usize, usize) {
    let n = slot as usize + FIRST;
    let chunk = n.ilog2() - FIRST.ilog2();
    (chunk as usize, n - (FIRST << chunk))
}

impl Slots {
    /// No connections; ids begin at `sequence`.
    pub(crate) fn new(sequence: u64) -> Slots {
        Slots { sequence, ..Slots::default() }
    }

    /// The place of a slot, if it was ever used.
    #[inline]
    pub(crate) fn get(&self, slot: u32) -> Option<&Connection> {
        let (chunk, index) = place(slot);
        self.chunks.get(chunk)?.get()?.get(index)
    }

    /// A place for a new connection; `None` when all are taken.
    pub(crate) fn reserve(&self) -> Option<&Connection> {
        let mut free = self.free.lock();
        let slot = match free.pop() {
            Some(slot) => slot,
            None => self.used.fetch_add(1, Ordering::Relaxed),
        };
        drop(free);
        let (chunk, _) = place(slot);
        let make = || {
            let first = (FIRST << chunk) - FIRST;
            (first..first + (FIRST << chunk))
                .map(|slot| Connection::vacant(slot as u32, self.sequence))
                .collect()
        };
        self.chunks.get(chunk)?.get_or_init(make);
        let live = self.live.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(live, Ordering::Relaxed);
        self.ever.fetch_add(1, Ordering::Relaxed);
        self.get(slot)
    }

    /// A connection is closed; its place is free.
    pub(crate) fn release(&self, slot: u32) {
        self.free.lock().push(slot);
        self.live.fetch_sub(1, Ordering::SeqCst);
    }

    /// How many connections live.
    pub(crate) fn live(&self) -> usize {
        self.live.load(Ordering::SeqCst)
    }

    /// The most that lived at once, and how many there ever were.
    pub(crate) fn history(&self) -> (u64, u64) {
        (self.most.load(Ordering::Relaxed) as u64, self.ever.load(Ordering::Relaxed))
    }

    /// Every place ever used.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Connection> {
        (0..self.used.load(Ordering::Relaxed)).filter_map(|slot| self.get(slot))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_three_cache_lines() {
        assert!(size_of::<Connection>() <= 192, "{}", size_of::<Connection>());
    }

    #[test]
    fn every_slot_has_one_place() {
        assert_eq!(
            (place(0), place(63), place(64), place(191), place(192)),
            ((0, 0), (0, 63), (1, 0), (1, 127), (2, 0))
        );
        let slots = Slots::default();
        for expected in 0..300 {
            assert_eq!(slots.reserve().unwrap().state.lock().slot(), expected);
        }
        slots.release(7);
        assert_eq!(slots.reserve().unwrap().state.lock().slot(), 7);
        assert_eq!((slots.live(), slots.all().count()), (300, 300));
    }
}

//! Handle tables: numbers for C, objects for Rust.
//!
//! A handle is a number made of a slot, the slot's generation and the table's kind; it is never a pointer, so
//! a stale, foreign or made-up handle is told apart and refused. Values are positive, non-zero multiples of 4
//! (Windows programs use the two low bits) and never `INVALID_HANDLE_VALUE`. What lies behind the kernel's
//! handles is in `object`; WinHTTP keeps a table of its own.
//!
//! ```text
//! bit 63  62 ... 56  55 ....... 32  31 ... 2  1 0
//!      0  kind       generation     slot + 1  0 0
//! ```
//!
//! Look-up takes one lock of the slot alone, clones the object and lets go, so threads that use different
//! handles never meet. Slots are handed out again oldest first, which keeps stale handles stale for long.

use std::collections::VecDeque;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};

use crate::abi::error::{Error, Result};

/// A handle as a number. C sees it as a `void *` that must not be followed.
pub type Handle = usize;

const FIRST_CHUNK: usize = 64;
const CHUNKS: usize = 20;
const GENERATIONS: u32 = 1 << 24;
/// Freed slots rest until so many wait, so that a handle closed twice by mistake hits nobody else's.
const RESTING: usize = 16;

struct Slot<T> {
    generation: u32,
    object: Option<T>,
}

type Chunk<T> = Box<[RwLock<Slot<T>>]>;

struct Free {
    next: usize,
    resting: VecDeque<u32>,
}

/// A table of objects named by handles.
pub struct HandleTable<T> {
    kind: u8,
    chunks: [OnceLock<Chunk<T>>; CHUNKS],
    free: Mutex<Free>,
    /// How many handles were closed; tells a remembered look-up from a stale one.
    removals: AtomicU64,
}

static FORKED: AtomicBool = AtomicBool::new(false);

/// Tells the tables that this process is the child of a fork: the threads that served its handles are gone,
/// and locks may be held for ever, so every handle is refused from now on, without touching a lock.
pub fn forget_after_fork() {
    FORKED.store(true, Ordering::Relaxed);
}

/// Whether [`forget_after_fork`] was called.
#[inline]
pub fn is_forked() -> bool {
    FORKED.load(Ordering::Relaxed)
}

/// What a thread unwinds with that comes back from a callback in the child of a fork.
pub struct Forked;

/// To be called where a callback has returned. In the child of a fork that it made, other threads of the parent may
/// have held any lock, which is held for ever: so the thread leaves the library from here, touching none, and
/// whoever catches it reports an error or ends the thread.
#[inline]
pub fn leave_if_forked() {
    if is_forked() {
        leave();
    }
}

#[cold]
fn leave() -> ! {
    std::panic::resume_unwind(Box::new(Forked))
}

impl<T: Clone> HandleTable<T> {
    /// An empty table. `kind` (below 128) keeps the handles of different tables apart.
    pub const fn new(kind: u8) -> HandleTable<T> {
        assert!(kind < 128);
        HandleTable {
            kind,
            chunks: [const { OnceLock::new() }; CHUNKS],
            free: Mutex::new(Free { next: 0, resting: VecDeque::new() }),
            removals: AtomicU64::new(0),
        }
    }

    /// Gives the object a handle. `NO_SYSTEM_RESOURCES` when the table is full (67 million handles),
    /// `NOT_READY` in the child of a fork.
    pub fn insert(&self, object: T) -> Result<Handle> {
        if is_forked() {
            return Err(Error::NOT_READY);
        }
        let slot = self.take_slot()?;
        let (chunk, index) = place(slot);
        let chunk = self.chunks[chunk].get_or_init(|| new_chunk(FIRST_CHUNK << chunk));
        let mut entry = chunk[index].write();
        entry.object = Some(object);
        Ok(self.handle(slot, entry.generation))
    }

    /// The object behind the handle. `INVALID_HANDLE` if there is none.
    #[inline]
    pub fn get(&self, handle: Handle) -> Result<T> {
        let (entry, generation) = self.entry(handle)?;
        let entry = entry.read();
        match &entry.object {
            Some(object) if entry.generation == generation => Ok(object.clone()),
            _ => Err(Error::INVALID_HANDLE),
        }
    }

    /// Takes the object out; the handle is stale from now on. Exactly one of several callers gets the object.
    pub fn remove(&self, handle: Handle) -> Result<T> {
        let (entry, generation) = self.entry(handle)?;
        let mut entry = entry.write();
        if entry.generation != generation {
            return Err(Error::INVALID_HANDLE);
        }
        let object = entry.object.take().ok_or(Error::INVALID_HANDLE)?;
        entry.generation = (generation + 1) % GENERATIONS;
        drop(entry);
        self.removals.fetch_add(1, Ordering::SeqCst);
        self.free.lock().resting.push_back(slot_of(handle) as u32);
        Ok(object)
    }

    /// How many handles were closed so far. A look-up made at this count holds as long as the count does.
    #[inline]
    pub fn removals(&self) -> u64 {
        self.removals.load(Ordering::SeqCst)
    }

    /// Every object in the table at some moment during the call; none in the child of a fork.
    pub fn snapshot(&self) -> Vec<T> {
        if is_forked() {
            return Vec::new();
        }
        let chunks = self.chunks.iter().filter_map(OnceLock::get);
        chunks.flat_map(|chunk| chunk.iter().filter_map(|entry| entry.read().object.clone())).collect()
    }

    fn take_slot(&self) -> Result<usize> {
        let mut free = self.free.lock();
        if free.resting.len() > RESTING
            && let Some(slot) = free.resting.pop_front()
        {
            return Ok(slot as usize);
        }
        if free.next == FIRST_CHUNK * ((1 << CHUNKS) - 1) {
            return free.resting.pop_front().map(|slot| slot as usize).ok_or(Error::NO_SYSTEM_RESOURCES);
        }
        free.next += 1;
        Ok(free.next - 1)
    }

    #[inline]
    fn entry(&self, handle: Handle) -> Result<(&RwLock<Slot<T>>, u32)> {
        let misfit = handle & 3 != 0 || handle as u32 == 0 || (handle as u64) >> 56 != u64::from(self.kind);
        if misfit || is_forked() {
            return Err(Error::INVALID_HANDLE);
        }
        let (chunk, index) = place(slot_of(handle));
        let chunk = self.chunks.get(chunk).and_then(OnceLock::get).ok_or(Error::INVALID_HANDLE)?;
        Ok((&chunk[index], (handle as u64 >> 32) as u32 % GENERATIONS))
    }

    fn handle(&self, slot: usize, generation: u32) -> Handle {
        (u64::from(self.kind) << 56 | u64::from(generation) << 32 | (slot as u64 + 1) << 2) as Handle
    }
}

#[inline]
fn slot_of(handle: Handle) -> usize {
    (handle as u32 as usize >> 2) - 1
}

/// The chunk of a slot and its index there: chunk k holds `FIRST_CHUNK << k` slots.
#[inline]
fn place(slot: usize) -> (usize, usize) {
    let chunk = (slot / FIRST_CHUNK + 1).ilog2() as usize;
    (chunk, slot - FIRST_CHUNK * ((1 << chunk) - 1))
}

fn new_chunk<T>(len: usize) -> Chunk<T> {
    (0..len).map(|_| RwLock::new(Slot { generation: 0, object: None })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::Arc;

    #[test]
    fn handles_look_like_windows_handles_and_are_distinct() {
        let table = HandleTable::new(0);
        let handles: HashSet<Handle> = (0..5000).map(|n| table.insert(n).unwrap()).collect();
        assert_eq!(handles.len(), 5000);
        assert!(handles.iter().all(|&h| h != 0 && h % 4 == 0 && (h as isize) > 0));
        assert_eq!(table.snapshot().len(), 5000);
    }

    #[test]
    fn stale_foreign_and_invented_handles_are_refused() {
        let table = HandleTable::new(0);
        let other = HandleTable::new(1);
        let handle = table.insert("object").unwrap();
        assert_eq!(table.get(handle), Ok("object"));
        assert_eq!(table.remove(handle), Ok("object"));
        for _ in 0..100 {
            let next = table.insert("next").unwrap();
            assert_ne!(next, handle);
            table.remove(next).unwrap();
        }
        let foreign = other.insert("foreign").unwrap();
        for bad in [
            handle,
            foreign,
            0,
            usize::MAX,
            1,
            handle + 1,
            handle + 2,
            4 << 20,
            1 << 40,
            u32::MAX as usize - 3,
        ] {
            assert_eq!(table.get(bad), Err(Error::INVALID_HANDLE), "{bad:#x}");
            assert_eq!(table.remove(bad), Err(Error::INVALID_HANDLE), "{bad:#x}");
        }
    }

    #[test]
    fn one_of_many_closers_wins() {
        let table = Arc::new(HandleTable::new(0));
        for _ in 0..200 {
            let handle = table.insert(()).unwrap();
            let closers: Vec<_> = (0..4)
                .map(|_| {
                    let table = Arc::clone(&table);
                    std::thread::spawn(move || table.remove(handle).is_ok())
                })
                .collect();
            assert_eq!(closers.into_iter().map(|t| t.join().unwrap()).filter(|&won| won).count(), 1);
        }
    }

    #[test]
    fn slots_fill_the_chunks_without_gaps() {
        let mut expected = (0, 0);
        for slot in 0..100_000 {
            assert_eq!(place(slot), expected);
            expected.1 += 1;
            if expected.1 == FIRST_CHUNK << expected.0 {
                expected = (expected.0 + 1, 0);
            }
        }
    }
}

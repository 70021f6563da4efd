//! What makes an object waitable: its signalled state and the threads waiting for it.
//!
//! As on Windows, a signal is granted to a waiting thread at the moment it is set: a manual event that is set
//! and reset at once still releases the threads that wait. A wait for all of several objects, and a wait for
//! some other condition, are only woken to look again. Objects built on this: `event`, `thread`, `device`;
//! the calls that wait are in `waits`.
//!
//! ```text
//!               set, grant                    withdraw
//! Block: PENDING ─────────► index of the signal ─────► gone
//!           │ close ─► CLOSED     │ deadline ─► TIMED_OUT
//! ```

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use smallvec::SmallVec;

use super::beacon::Beacon;
use super::wait::Waiter;
use crate::abi::error::{Error, Result};

const PENDING: u32 = u32::MAX;
const CLOSED: u32 = u32::MAX - 1;
const TIMED_OUT: u32 = u32::MAX - 2;

/// What a granted wait does to the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing: stays signalled until reset.
    Manual,
    /// Resets it: each signal releases one thread.
    Auto,
    /// Takes one of up to `maximum` (a semaphore).
    Counting {
        /// The largest count.
        maximum: u32,
    },
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The signal with this index released it (0 for all).
    Signalled(usize),
    /// The deadline passed.
    TimedOut,
    /// The last handle of an object was closed meanwhile.
    Closed,
}

/// The signalled state of an object.
pub struct Signal {
    state: Mutex<State>,
}

struct State {
    mode: Mode,
    count: u32,
    closed: bool,
    entries: Vec<Entry>,
    beacon: Beacon,
}

struct Entry {
    block: Arc<Block>,
    index: u32,
}

/// One wait of one thread, known to every signal it waits for.
struct Block {
    waiter: Arc<Waiter>,
    outcome: AtomicU32,
    looks_again: bool,
}

type Woken = SmallVec<[Arc<Waiter>; 4]>;

/// The moment a wait of so many milliseconds ends; `None` for `INFINITE`.
pub fn deadline(milliseconds: u32) -> Option<Instant> {
    (milliseconds != u32::MAX).then(|| Instant::now() + Duration::from_millis(milliseconds.into()))
}

impl Signal {
    /// A signal with so many grants in it (0 or 1 unless counting).
    pub const fn new(mode: Mode, count: u32) -> Signal {
        Signal {
            state: Mutex::new(State {
                mode,
                count,
                closed: false,
                entries: Vec::new(),
                beacon: Beacon::new(),
            }),
        }
    }

    /// Signals.
    pub fn set(&self) {
        self.set_after(|| ());
    }

    /// Signals, after `publish` has run under the signal's lock: who sees what it published and then resets
    /// the signal is sure that this set comes before that reset.
    pub fn set_after(&self, publish: impl FnOnce()) {
        let mut state = self.state.lock();
        publish();
        state.count = state.count.max(1);
        let woken = state.grant();
        drop(state);
        wake(woken);
    }

    /// Runs `publish` and makes the waits for a condition look again, without signalling.
    pub fn poke_after(&self, publish: impl FnOnce()) {
        let state = self.state.lock();
        publish();
        let woken = state.entries.iter().filter(|e| e.block.looks_again).map(|e| Arc::clone(&e.block.waiter));
        let woken: Woken = woken.collect();
        drop(state);
        wake(woken);
    }

    /// Adds to a counting signal; gives the count before. `TOO_MANY_POSTS` (298) if that would pass the
    /// maximum.
    pub fn add(&self, more: u32) -> Result<u32> {
        let mut state = self.state.lock();
        let Mode::Counting { maximum } = state.mode else { return Err(Error::INVALID_HANDLE) };
        let before = state.count;
        state.count = before.checked_add(more).filter(|&sum| sum <= maximum).ok_or(Error(298))?;
        let woken = state.grant();
        drop(state);
        wake(woken);
        Ok(before)
    }

    /// Takes the signal back.
    pub fn reset(&self) {
        let mut state = self.state.lock();
        state.count = 0;
        state.show();
    }

    /// A descriptor that is readable while a wait would be granted, or the object is closed.
    pub fn descriptor(&self) -> io::Result<Arc<File>> {
        let mut state = self.state.lock();
        let ready = state.count > 0 || state.closed;
        state.beacon.descriptor(ready)
    }

    /// Whether a wait would be granted now.
    pub fn is_set(&self) -> bool {
        self.state.lock().count > 0
    }

    /// Ends all waits, present and future, as [`Outcome::Closed`].
    pub fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        state.show();
        let mut woken = Woken::new();
        for entry in &state.entries {
            entry.block.decide(CLOSED);
            woken.push(Arc::clone(&entry.block.waiter));
        }
        drop(state);
        wake(woken);
    }

    /// Takes a grant if there is one.
    pub fn try_take(&self) -> bool {
        let mut state = self.state.lock();
        let granted = state.count > 0 && !state.closed;
        if granted {
            state.take();
        }
        granted
    }

    /// Makes the wait known here; false once the wait is decided.
    fn enlist(&self, block: &Arc<Block>, index: usize) -> bool {
        let mut state = self.state.lock();
        if state.closed {
            block.decide(CLOSED);
        } else if state.count > 0 && !block.looks_again && block.decide(index as u32) {
            state.take();
        }
        if block.outcome().is_some() {
            return false;
        }
        state.entries.push(Entry { block: Arc::clone(block), index: index as u32 });
        true
    }

    fn withdraw(&self, block: &Arc<Block>) {
        self.state.lock().entries.retain(|entry| !Arc::ptr_eq(&entry.block, block));
    }
}

impl State {
    fn take(&mut self) {
        match self.mode {
            Mode::Manual => {}
            Mode::Auto => self.count = 0,
            Mode::Counting { .. } => self.count -= 1,
        }
        self.show();
    }

    /// Lights the descriptor, if there is one, or puts it out.
    fn show(&mut self) {
        self.beacon.show(self.count > 0 || self.closed);
    }

    /// Releases waiting threads, longest waiting first, as far as the signal reaches.
    fn grant(&mut self) -> Woken {
        let mut woken = Woken::new();
        let mut entries = std::mem::take(&mut self.entries);
        entries.retain(|entry| {
            if entry.block.looks_again {
                woken.push(Arc::clone(&entry.block.waiter));
                return true;
            }
            if self.count == 0 {
                return true;
            }
            if entry.block.decide(entry.index) {
                self.take();
                woken.push(Arc::clone(&entry.block.waiter));
            }
            false
        });
        self.entries = entries;
        self.show();
        woken
    }
}

impl Block {
    fn new(looks_again: bool) -> Arc<Block> {
        let waiter = Waiter::current();
        waiter.reset();
        Arc::new(Block { waiter, outcome: AtomicU32::new(PENDING), looks_again })
    }

    /// Ends the wait so, unless it has ended otherwise.
    fn decide(&self, outcome: u32) -> bool {
        self.outcome.compare_exchange(PENDING, outcome, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    fn outcome(&self) -> Option<Outcome> {
        match self.outcome.load(Ordering::Acquire) {
            PENDING => None,
            CLOSED => Some(Outcome::Closed),
            TIMED_OUT => Some(Outcome::TimedOut),
            index => Some(Outcome::Signalled(index as usize)),
        }
    }
}

fn wake(woken: Woken) {
    for waiter in woken {
        waiter.notify();
    }
}

/// Waits until one of the signals is granted to this thread; the first in order if several are set.
pub fn wait_any(signals: &[&Signal], deadline: Option<Instant>, drive: bool) -> Outcome {
    if let Some(index) = signals.iter().position(|signal| signal.try_take()) {
        return Outcome::Signalled(index);
    }
    let block = Block::new(false);
    let enlisted =
        signals.iter().enumerate().take_while(|(index, signal)| signal.enlist(&block, *index)).count();
    let outcome = loop {
        if let Some(outcome) = block.outcome() {
            break outcome;
        }
        if !block.waiter.wait(deadline, drive) {
            block.decide(TIMED_OUT);
        }
    };
    signals[..enlisted].iter().for_each(|signal| signal.withdraw(&block));
    outcome
}

/// Waits until all signals are set at one moment, and takes them all. The signals are distinct.
pub fn wait_all(signals: &[&Signal], deadline: Option<Instant>, drive: bool) -> Outcome {
    let mut in_order: SmallVec<[&Signal; 8]> = SmallVec::from_slice(signals);
    in_order.sort_by_key(|signal| std::ptr::from_ref(*signal).addr());
    look_again(signals, deadline, drive, || take_all(&in_order))
}

/// Waits until `condition` holds; it is looked at whenever the signal is set, poked or closed.
pub fn wait_until(
    signal: &Signal,
    deadline: Option<Instant>,
    drive: bool,
    condition: impl FnMut() -> bool,
) -> Outcome {
    look_again(&[signal], deadline, drive, condition)
}

fn look_again(
    signals: &[&Signal],
    deadline: Option<Instant>,
    drive: bool,
    mut condition: impl FnMut() -> bool,
) -> Outcome {
    if condition() {
        return Outcome::Signalled(0);
    }
    let block = Block::new(true);
    let enlisted =
        signals.iter().enumerate().take_while(|(index, signal)| signal.enlist(&block, *index)).count();
    let outcome = loop {
        if condition() {
            break Outcome::Signalled(0);
        }
        if let Some(outcome) = block.outcome() {
            break outcome;
        }
        if !block.waiter.wait(deadline, drive) {
            block.decide(TIMED_OUT);
        }
    };
    signals[..enlisted].iter().for_each(|signal| signal.withdraw(&block));
    outcome
}

/// Takes a grant of each signal if every one has one. The signals stand in address order, so that two threads
/// never hold what the other needs.
fn take_all(in_order: &[&Signal]) -> bool {
    let mut states: SmallVec<[MutexGuard<'_, State>; 8]> = in_order.iter().map(|s| s.state.lock()).collect();
    let all = states.iter().all(|state| state.count > 0 && !state.closed);
    if all {
        states.iter_mut().for_each(|state| state.take());
    }
    all
}

#[cfg(test)]
mod tests;

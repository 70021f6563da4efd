//! Events: `CreateEvent`, and what overlapped operations signal.
//!
//! An event counts the operations that are pending on it: while there are any, a thread that waits for the
//! event does the engine's I/O meanwhile instead of sleeping (see `wait`).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::object::HandleCount;
use super::signal::{Mode, Signal};

/// An event object.
pub struct Event {
    /// Its state.
    pub signal: Signal,
    pub(super) handles: HandleCount,
    pending: AtomicU32,
}

impl Event {
    /// A new event, signalled or not, that a wait resets (`manual` false) or leaves alone.
    pub fn new(manual: bool, signalled: bool) -> Arc<Event> {
        let mode = if manual { Mode::Manual } else { Mode::Auto };
        let signal = Signal::new(mode, signalled.into());
        Arc::new(Event { signal, handles: HandleCount::new(), pending: AtomicU32::new(0) })
    }

    /// An operation that will signal the event has begun.
    pub(super) fn operation_begun(&self) {
        self.pending.fetch_add(1, Ordering::Relaxed);
        self.signal.reset();
    }

    /// That operation is about to signal the event.
    pub(super) fn operation_ended(&self) {
        self.pending.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether operations are pending on the event.
    pub fn has_operations(&self) -> bool {
        self.pending.load(Ordering::Relaxed) > 0
    }
}

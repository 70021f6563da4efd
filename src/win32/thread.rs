//! Thread objects: signalled when the thread has ended, with its exit code.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::object::HandleCount;
use super::signal::{Mode, Signal};

/// The exit code of a thread that runs (`STILL_ACTIVE`).
pub const STILL_ACTIVE: u32 = 259;

/// A thread object.
pub struct Thread {
    /// Set when the thread has ended.
    pub signal: Signal,
    /// Set as soon as the thread may begin.
    pub may_run: Signal,
    pub(super) handles: HandleCount,
    exit_code: AtomicU32,
}

impl Thread {
    /// The object of a thread about to start, or to be started later (`suspended`).
    pub fn new(suspended: bool) -> Arc<Thread> {
        Arc::new(Thread {
            signal: Signal::new(Mode::Manual, 0),
            may_run: Signal::new(Mode::Manual, (!suspended).into()),
            handles: HandleCount::new(),
            exit_code: AtomicU32::new(STILL_ACTIVE),
        })
    }

    /// The thread ends with this code.
    pub fn ended(&self, exit_code: u32) {
        self.signal.set_after(|| self.exit_code.store(exit_code, Ordering::Release));
    }

    /// Its exit code, or [`STILL_ACTIVE`].
    pub fn exit_code(&self) -> u32 {
        self.exit_code.load(Ordering::Acquire)
    }
}

thread_local! {
    static NUMBER: Cell<u64> = const { Cell::new(0) };
}

/// A number of the calling thread, never given to another; cheaper than asking the system.
pub fn number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        number.get()
    })
}

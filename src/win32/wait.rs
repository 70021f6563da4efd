//! How a thread waits: parked, or doing the engine's I/O in the meantime ("waiters drive").
//!
//! A [`Waiter`] belongs to one thread. Whoever brings what the thread waits for calls [`Waiter::notify`];
//! that costs no system call unless the thread really sleeps. The engine registers itself once as the
//! [`WhileWaiting`] hook; waits that ask for it then drive the engine instead of sleeping, because a hop
//! to another thread costs between a fifth and a half of a request. Driving never runs application code.
//!
//! ```text
//!            wait                 park
//! RUNNING ────────► (DRIVING | PARKED) ──notify──► NOTIFIED ──wait returns──► RUNNING
//! ```

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::Instant;

const RUNNING: u32 = 0;
const NOTIFIED: u32 = 1;
const PARKED: u32 = 2;
const DRIVING: u32 = 3;

/// What a waiting thread does instead of sleeping. Implemented by the server engine.
pub trait WhileWaiting: Sync {
    /// Does the engine's I/O on this thread until the waiter is notified ([`Waiter::is_notified`]) or the
    /// deadline passes, then returns true. Returns false at once when another thread has the place; the
    /// engine may then [`Waiter::nudge`] this waiter later to offer it.
    fn drive(&self, waiter: &Arc<Waiter>, deadline: Option<Instant>) -> bool;

    /// Makes a thread inside [`WhileWaiting::drive`] look at its waiter again.
    fn interrupt(&self);

    /// The waiter that was refused the place no longer waits.
    fn leave(&self, waiter: &Arc<Waiter>);
}

static HOOK: OnceLock<&'static dyn WhileWaiting> = OnceLock::new();

/// Registers the hook; the first registration stays for the life of the process.
pub fn set_while_waiting(hook: &'static dyn WhileWaiting) {
    let _ = HOOK.set(hook);
}

/// The place one thread waits at.
pub struct Waiter {
    thread: Thread,
    state: AtomicU32,
}

thread_local! {
    static CURRENT: Arc<Waiter> =
        Arc::new(Waiter { thread: std::thread::current(), state: AtomicU32::new(RUNNING) });
}

impl Waiter {
    /// The calling thread's waiter. A thread waits for one thing at a time, so there is one each.
    pub fn current() -> Arc<Waiter> {
        CURRENT.with(Arc::clone)
    }

    /// Ends the wait, now or the next one if the thread does not wait yet.
    pub fn notify(&self) {
        match self.state.swap(NOTIFIED, Ordering::AcqRel) {
            PARKED => self.thread.unpark(),
            DRIVING => {
                if let Some(hook) = HOOK.get()
                    && std::thread::current().id() != self.thread.id()
                {
                    hook.interrupt();
                }
            }
            _ => {}
        }
    }

    /// As [`Waiter::notify`], by the waiting thread itself out of [`WhileWaiting::drive`]. It is known to be
    /// awake and there is nobody to interrupt, so this is a plain store: whoever else notifies stores the same.
    #[inline]
    pub fn notify_self(&self) {
        self.state.store(NOTIFIED, Ordering::Release);
    }

    /// Lets a thread that waits try again to take the engine's place, without ending its wait. One that was just refused
    /// the place and has not parked yet does not park then.
    pub fn nudge(&self) {
        let _ = self.state.compare_exchange(PARKED, RUNNING, Ordering::AcqRel, Ordering::Relaxed);
        self.thread.unpark();
    }

    /// Whether [`Waiter::notify`] was called since the last wait returned.
    #[inline]
    pub fn is_notified(&self) -> bool {
        self.state.load(Ordering::Acquire) == NOTIFIED
    }

    /// Forgets an earlier notification; call before making the waiter known to anyone who may notify it.
    #[inline]
    pub fn reset(&self) {
        self.state.store(RUNNING, Ordering::Release);
    }

    /// Waits until notified (true) or until the deadline (false). With `drive`, does the engine's I/O
    /// meanwhile. Must be called on the waiter's own thread. Consumes the notification.
    pub fn wait(self: &Arc<Self>, deadline: Option<Instant>, drive: bool) -> bool {
        let hook = if drive { HOOK.get().copied() } else { None };
        let mut offered = false;
        let notified = loop {
            if self.take_notification() {
                break true;
            }
            if deadline.is_some_and(|d| Instant::now() >= d) {
                break self.take_notification();
            }
            if let Some(hook) = hook {
                if self.enter(DRIVING) {
                    let drove = hook.drive(self, deadline);
                    self.exit(DRIVING);
                    offered |= !drove;
                    if drove {
                        continue;
                    }
                } else {
                    continue;
                }
            }
            self.park(deadline);
        };
        if offered && let Some(hook) = hook {
            hook.leave(self);
        }
        notified
    }

    fn take_notification(&self) -> bool {
        self.is_notified()
            && self.state.compare_exchange(NOTIFIED, RUNNING, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    fn enter(&self, state: u32) -> bool {
        self.state.compare_exchange(RUNNING, state, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    fn exit(&self, state: u32) {
        if self.is_notified() {
            return;
        }
        let _ = self.state.compare_exchange(state, RUNNING, Ordering::AcqRel, Ordering::Relaxed);
    }

    fn park(&self, deadline: Option<Instant>) {
        if !self.enter(PARKED) {
            return;
        }
        match deadline {
            None => std::thread::park(),
            Some(d) => std::thread::park_timeout(d.saturating_duration_since(Instant::now())),
        }
        self.exit(PARKED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_notification_before_the_wait_is_not_lost() {
        let waiter = Waiter::current();
        waiter.notify();
        assert!(waiter.wait(None, false));
        assert!(!waiter.wait(Some(Instant::now() + Duration::from_millis(1)), false));
    }

    #[test]
    fn an_offer_before_the_thread_parks_is_not_lost() {
        let waiter = Waiter::current();
        waiter.reset();
        assert!(waiter.enter(DRIVING));
        let other = Arc::clone(&waiter);
        std::thread::spawn(move || other.nudge()).join().unwrap();
        waiter.exit(DRIVING);
        let began = Instant::now();
        waiter.park(Some(began + Duration::from_secs(10)));
        assert!(began.elapsed() < Duration::from_secs(5) && !waiter.is_notified());
    }

    #[test]
    fn another_thread_ends_the_wait() {
        let waiter = Waiter::current();
        let other = Arc::clone(&waiter);
        let thread = std::thread::spawn(move || other.notify());
        assert!(waiter.wait(None, false));
        thread.join().unwrap();
    }
}

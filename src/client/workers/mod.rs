//! The threads that run asynchronous requests, and how a request waits without one.
//!
//! A [`Task`] is [`submit`]ted to run on a worker now, or [`park`]ed to run when a descriptor has something to say or
//! a time has come. What is known of the descriptors is in `watched`, the threads are in `crew` and `worker`, and who
//! sees to it that a thread which blocks holds up nobody else is in `overseer`.

mod crew;
mod overseer;
mod watched;
mod worker;

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

use crate::net::clock::precise_ms;
use crate::net::deadlines::NEVER;

pub use crew::set_limit;
pub(crate) use crew::{park, rouse, step_aside, submit};
pub(crate) use watched::{Interest, WatchId};

use watched::Flags;

/// Something that runs on a worker.
pub(crate) trait Task: Send + Sync {
    /// Runs a step. Whoever waits in it, other than for a short send, calls [`step_aside`] first.
    fn run(self: Arc<Self>);
}

/// A descriptor known to the workers, for as long as this value lives; or, without one, a place to wait for a time.
///
/// Dropped while a task waits, it lets the task run.
pub(crate) struct Watch {
    id: WatchId,
    flags: Arc<Flags>,
}

impl Watch {
    /// Watches a descriptor, which takes it from an earlier watch. Closing it is what ends that, so the watch is not
    /// to outlive it for long.
    pub(crate) fn new(fd: &impl AsFd) -> io::Result<Watch> {
        let watch = Watch::timer();
        crew::poller()?.add_again(fd.as_fd(), watch.id.token())?;
        Ok(watch)
    }

    /// A place to wait for a time or to be roused.
    pub(crate) fn timer() -> Watch {
        let flags = Arc::new(Flags::default());
        Watch { id: crew::add(Arc::clone(&flags)), flags }
    }

    /// What to [`park`] with.
    pub(crate) fn id(&self) -> WatchId {
        self.id
    }

    /// Receives, unless the descriptor is known to have nothing: then the answer is `WouldBlock`, without a system
    /// call. `receive` must not wait.
    pub(crate) fn receive(
        &self,
        room: &mut [u8],
        receive: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        // Asked before the receive, so that a report during it is not lost.
        if !self.flags.take(Interest::Read) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let got = receive(room)?;
        self.flags.received(got, room.len());
        Ok(got)
    }

    /// Whether the descriptor has reported bytes or its end that nobody has received.
    pub(crate) fn has_reported(&self) -> bool {
        self.flags.has(Interest::Read)
    }

    /// To be called before a send that does not wait, so that a task parked after it hears of room made since.
    pub(crate) fn will_send(&self) {
        self.flags.take(Interest::Write);
    }

    /// The same before a receive that is made whatever the descriptor has reported.
    pub(crate) fn will_receive(&self) {
        self.flags.take(Interest::Read);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        crew::remove(self.id);
    }
}

/// The moment so many milliseconds from now, as [`park`] wants it; 0 is never.
pub(crate) fn after(milliseconds: u32) -> u64 {
    if milliseconds == 0 { NEVER } else { precise_ms() + u64::from(milliseconds) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parking_lot::{Condvar, Mutex};
    use std::io::Write;
    use std::os::unix::net::UnixStream;
    use std::time::{Duration, Instant};

    /// Runs a function and counts.
    struct Job<F: Fn() + Send + Sync> {
        job: F,
        runs: Mutex<u32>,
        ran: Condvar,
    }

    impl<F: Fn() + Send + Sync> Job<F> {
        fn new(job: F) -> Arc<Job<F>> {
            Arc::new(Job { job, runs: Mutex::new(0), ran: Condvar::new() })
        }

        fn wait_for(&self, runs: u32) {
            let mut seen = self.runs.lock();
            while *seen < runs {
                let late = self.ran.wait_for(&mut seen, Duration::from_secs(20)).timed_out();
                assert!(!late, "{} of {runs} runs", *seen);
            }
        }
    }

    impl<F: Fn() + Send + Sync> Task for Job<F> {
        fn run(self: Arc<Self>) {
            (self.job)();
            *self.runs.lock() += 1;
            self.ran.notify_all();
        }
    }

    #[test]
    fn what_is_submitted_runs_once() {
        let job = Job::new(|| {});
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..500).for_each(|_| assert!(submit(job.clone()).is_ok())));
            }
        });
        job.wait_for(2000);
        assert_eq!(*job.runs.lock(), 2000);
    }

    #[test]
    fn a_deadline_is_kept_and_not_anticipated() {
        let (timer, job, start) = (Watch::timer(), Job::new(|| {}), Instant::now());
        assert!(park(job.clone(), timer.id(), Interest::Read, after(120)).is_ok());
        job.wait_for(1);
        assert!(start.elapsed() >= Duration::from_millis(119), "{:?}", start.elapsed());
        // No deadline: only a call, or the end of the watch, ends this.
        assert!(park(job.clone(), timer.id(), Interest::Read, NEVER).is_ok());
        rouse(timer.id(), Interest::Read);
        job.wait_for(2);
        assert!(park(job.clone(), timer.id(), Interest::Read, NEVER).is_ok());
        drop(timer);
        job.wait_for(3);
    }

    #[test]
    fn tasks_that_block_hold_up_nobody() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let gate = Arc::new((Mutex::new(false), Condvar::new()));
        let inside = Arc::clone(&gate);
        let blocked = Job::new(move || {
            let mut open = inside.0.lock();
            while !*open {
                inside.1.wait(&mut open);
            }
        });
        for _ in 0..20 {
            assert!(submit(blocked.clone()).is_ok());
        }
        let watch = Watch::new(&near).unwrap();
        let free = Job::new(|| {});
        assert!(park(free.clone(), watch.id(), Interest::Read, NEVER).is_ok());
        far.write_all(b"x").unwrap();
        free.wait_for(1);
        *gate.0.lock() = true;
        gate.1.notify_all();
        blocked.wait_for(20);
    }

    #[test]
    fn a_descriptor_can_be_watched_anew() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let job = Job::new(|| {});
        drop(Watch::new(&near).unwrap());
        let second = Watch::new(&near).unwrap();
        assert!(park(job.clone(), second.id(), Interest::Read, NEVER).is_ok());
        far.write_all(b"x").unwrap();
        job.wait_for(1);
    }

    fn beside_a_watcher(then: impl Fn() + Send + Sync + 'static) {
        let (silent, endless) = (Watch::timer(), Job::new(|| {}));
        assert!(crew::poller().is_ok() && park(endless, silent.id(), Interest::Read, NEVER).is_ok());
        let job = Job::new(move || {
            step_aside();
            let start = Instant::now();
            while !crew::crew().watching {
                assert!(start.elapsed() < Duration::from_secs(20), "nobody watches");
                std::thread::yield_now();
            }
            then();
        });
        assert!(submit(job.clone()).is_ok());
        job.wait_for(1);
    }

    #[test]
    fn who_watches_hears_of_an_earlier_deadline_from_another_worker() {
        let (timer, timed) = (Arc::new(Watch::timer()), Job::new(|| {}));
        let (on, job) = (Arc::clone(&timer), timed.clone());
        beside_a_watcher(move || assert!(park(job.clone(), on.id(), Interest::Read, after(50)).is_ok()));
        timed.wait_for(1);
    }

    #[test]
    fn who_watches_helps_a_worker_that_waits_for_what_it_has_submitted() {
        let inner = Job::new(|| {});
        beside_a_watcher(move || {
            assert!(submit(inner.clone()).is_ok());
            inner.wait_for(1);
        });
    }

    #[test]
    fn a_worker_may_wait_for_what_it_has_parked() {
        let (timer, inner) = (Watch::timer(), Job::new(|| {}));
        let job = Job::new(move || {
            assert!(park(inner.clone(), timer.id(), Interest::Read, after(50)).is_ok());
            inner.wait_for(1);
        });
        assert!(submit(job.clone()).is_ok());
        job.wait_for(1);
    }
}

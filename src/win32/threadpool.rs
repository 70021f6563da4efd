//! The thread pool: callbacks on the library's own threads.
//!
//! [`Callbacks`] is what C knows as `PTP_IO` and `PTP_WORK`: a function, and the count of its outstanding
//! calls. Threads come with the first job and go when nobody uses the pool or after five idle seconds. There
//! are as many as processors; if all of them are blocked inside callbacks while jobs wait, a watcher adds one
//! at a time. A thread that waits for a job drives the engine meanwhile, so a completion it brings is called
//! back on the same thread.

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;

use super::device::{CompletionSink, Device, Packet};
use super::handles::is_forked;
use super::queue::WaitQueue;
use super::signal::{Mode, Signal, deadline, wait_until};
use crate::abi::error::{Error, Result};

const IDLE_MILLISECONDS: u32 = 5000;
const MOST_THREADS: usize = 512;
const WATCH: Duration = Duration::from_millis(20);
const QUIET_ROUNDS: u32 = 50;

/// A function the pool calls, and how many of its calls are outstanding.
pub struct Callbacks {
    function: Box<dyn Fn(&Packet) + Send + Sync>,
    device: Option<Weak<Device>>,
    state: Mutex<State>,
    /// Poked whenever a call has ended.
    progress: Signal,
    _user: User,
}

#[derive(Default)]
struct State {
    /// Calls announced or queued, and not ended.
    outstanding: u32,
    running: u32,
    /// Calls queued under an older generation are cancelled.
    generation: u32,
    closed: bool,
}

impl Callbacks {
    /// Work: a function called once for each [`Callbacks::submit`].
    pub fn work(function: impl Fn() + Send + Sync + 'static) -> Arc<Callbacks> {
        Arc::new(Callbacks::new(Box::new(move |_| function()), None))
    }

    /// Thread-pool I/O: a function called with each completion of the device. `INVALID_PARAMETER` if the
    /// device is bound already.
    pub fn io(
        device: &Arc<Device>,
        function: impl Fn(&Packet) + Send + Sync + 'static,
    ) -> Result<Arc<Callbacks>> {
        let callbacks = Arc::new(Callbacks::new(Box::new(function), Some(Arc::downgrade(device))));
        device.bind(Arc::clone(&callbacks) as Arc<dyn CompletionSink>, 0)?;
        Ok(callbacks)
    }

    fn new(function: Box<dyn Fn(&Packet) + Send + Sync>, device: Option<Weak<Device>>) -> Callbacks {
        let progress = Signal::new(Mode::Manual, 0);
        Callbacks { function, device, state: Mutex::default(), progress, _user: User::new() }
    }

    /// Announces an operation whose completion will be called back (`StartThreadpoolIo`).
    pub fn start(&self) {
        self.state.lock().outstanding += 1;
    }

    /// Takes an announcement back: the operation failed or completed without a packet (`CancelThreadpoolIo`).
    pub fn cancel(&self) {
        self.ended(false);
    }

    /// Queues a call.
    pub fn submit(self: &Arc<Self>) -> Result<()> {
        self.start();
        let queued = self.enqueue(Packet { key: 0, overlapped: 0, status: 0, bytes: 0 });
        if queued.is_err() {
            self.ended(false);
        }
        queued
    }

    /// Waits until no call is outstanding; or, with `cancel_queued`, drops those that have not begun and
    /// waits for those that run.
    pub fn wait(&self, cancel_queued: bool) {
        if cancel_queued {
            self.state.lock().generation += 1;
        }
        let finished = || {
            let state = self.state.lock();
            if cancel_queued { state.running == 0 } else { state.outstanding == 0 }
        };
        wait_until(&self.progress, None, true, finished);
    }

    /// No more operations begin; outstanding calls still come, then the device is free for another binding.
    pub fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        let last = state.outstanding == 0;
        drop(state);
        if last {
            self.release();
        }
    }

    fn enqueue(self: &Arc<Self>, packet: Packet) -> Result<()> {
        let generation = self.state.lock().generation;
        POOL.submit(Job::Call { callbacks: Arc::clone(self), packet, generation })
    }

    fn run(&self, packet: &Packet, generation: u32) {
        let mut state = self.state.lock();
        let cancelled = state.generation != generation;
        state.running += u32::from(!cancelled);
        drop(state);
        if !cancelled {
            // A panic of our own closure must not take the pool's thread with it.
            let _ = catch_unwind(AssertUnwindSafe(|| (self.function)(packet)));
        }
        if is_forked() {
            return;
        }
        self.ended(!cancelled);
    }

    fn ended(&self, ran: bool) {
        let mut state = self.state.lock();
        state.outstanding = state.outstanding.saturating_sub(1);
        state.running -= u32::from(ran);
        let last = state.closed && state.outstanding == 0;
        drop(state);
        self.progress.poke_after(|| ());
        if last {
            self.release();
        }
    }

    fn release(&self) {
        if let Some(device) = self.device.as_ref().and_then(Weak::upgrade) {
            device.unbind();
        }
    }
}

impl CompletionSink for Callbacks {
    fn deliver(self: Arc<Self>, packet: Packet) {
        // Refused only in a process that cannot start a single thread: the call is lost, its count is not.
        if self.enqueue(packet).is_err() {
            self.ended(false);
        }
    }
}

enum Job {
    Call {
        callbacks: Arc<Callbacks>,
        packet: Packet,
        generation: u32,
    },
    /// The last user has gone: the thread that finds this ends, unless a new user has come.
    Leave,
}

/// Somebody who may queue jobs; the pool's threads stay while there is one.
struct User;

impl User {
    fn new() -> User {
        POOL.users.fetch_add(1, Ordering::AcqRel);
        User
    }
}

impl Drop for User {
    fn drop(&mut self) {
        if POOL.users.fetch_sub(1, Ordering::AcqRel) == 1 && !is_forked() {
            let threads = POOL.crew.lock().threads;
            (0..threads).for_each(|_| drop(POOL.jobs.put(Job::Leave)));
        }
    }
}

struct Pool {
    jobs: WaitQueue<Job>,
    crew: Mutex<Crew>,
    users: AtomicUsize,
    /// Jobs begun: a backlog under which this stands still is a blocked pool.
    begun: AtomicU64,
}

struct Crew {
    threads: usize,
    watched: bool,
}

static POOL: Pool = Pool {
    jobs: WaitQueue::new(),
    crew: Mutex::new(Crew { threads: 0, watched: false }),
    users: AtomicUsize::new(0),
    begun: AtomicU64::new(0),
};

impl Pool {
    /// Queues a job and sees to it that a thread will take it. `NO_SYSTEM_RESOURCES` if no thread can be had,
    /// `NOT_READY` in the child of a fork.
    fn submit(&'static self, job: Job) -> Result<()> {
        if is_forked() {
            return Err(Error::NOT_READY);
        }
        let taken = self.jobs.put(job).map_err(|_| Error::NO_SYSTEM_RESOURCES)?;
        if taken {
            return Ok(());
        }
        let mut crew = self.crew.lock();
        if crew.threads < processors() {
            // With threads at work already, the job waits for one of them if no other can be had.
            return self.hire(&mut crew).or(if crew.threads > 0 {
                Ok(())
            } else {
                Err(Error::NO_SYSTEM_RESOURCES)
            });
        }
        if !crew.watched {
            crew.watched = start("nthttp-watch", || POOL.watch()).is_ok();
        }
        Ok(())
    }

    fn hire(&'static self, crew: &mut Crew) -> Result<()> {
        start("nthttp-pool", || POOL.work())?;
        crew.threads += 1;
        Ok(())
    }

    fn work(&'static self) {
        loop {
            match self.jobs.take(deadline(IDLE_MILLISECONDS)) {
                Ok(Job::Call { callbacks, packet, generation }) => {
                    self.begun.fetch_add(1, Ordering::Relaxed);
                    callbacks.run(&packet, generation);
                    if is_forked() {
                        // A callback has come back in the child of a fork, where others may hold locks for ever.
                        return;
                    }
                }
                Ok(Job::Leave) if self.users.load(Ordering::Acquire) > 0 => {}
                Ok(Job::Leave) | Err(_) => {
                    let mut crew = self.crew.lock();
                    // Who queued a job before this lock was taken may have counted on this thread.
                    if self.jobs.is_empty() || self.users.load(Ordering::Acquire) == 0 {
                        crew.threads -= 1;
                        return;
                    }
                }
            }
        }
    }

    /// Adds a thread whenever jobs wait and none has begun since the last look; goes when all is quiet.
    fn watch(&'static self) {
        let (mut seen, mut quiet) = (self.begun.load(Ordering::Relaxed), 0);
        while quiet < QUIET_ROUNDS {
            std::thread::sleep(WATCH);
            let begun = self.begun.load(Ordering::Relaxed);
            let waiting = !self.jobs.is_empty();
            quiet = if waiting { 0 } else { quiet + 1 };
            let mut crew = self.crew.lock();
            if waiting && begun == seen && crew.threads < MOST_THREADS {
                let _ = self.hire(&mut crew);
            }
            seen = begun;
            if quiet == QUIET_ROUNDS || self.users.load(Ordering::Acquire) == 0 {
                crew.watched = !self.jobs.is_empty();
                if !crew.watched {
                    return;
                }
                quiet = 0;
            }
        }
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

fn start(name: &str, run: fn()) -> Result<()> {
    let thread = std::thread::Builder::new().name(name.into()).spawn(run);
    thread.map(drop).map_err(|_| Error::NO_SYSTEM_RESOURCES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[test]
    fn every_submitted_call_runs_and_waiting_sees_them_all() {
        let count = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&count);
        let work = Callbacks::work(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        (0..1000).for_each(|_| work.submit().unwrap());
        work.wait(false);
        assert_eq!(count.load(Ordering::Relaxed), 1000);
        work.close();
    }

    #[test]
    fn calls_that_block_each_other_still_end() {
        let needed = processors() + 3;
        let barrier = Arc::new(Barrier::new(needed));
        let work = Callbacks::work(move || {
            barrier.wait();
        });
        (0..needed).for_each(|_| work.submit().unwrap());
        work.wait(false);
        work.close();
    }

    #[test]
    fn cancelled_calls_never_begin() {
        let (gate, count) = (Arc::new(Signal::new(Mode::Manual, 0)), Arc::new(AtomicUsize::new(0)));
        let blocker = {
            let gate = Arc::clone(&gate);
            Callbacks::work(move || {
                assert_eq!(
                    wait_until(&gate, None, false, || gate.is_set()),
                    super::super::signal::Outcome::Signalled(0)
                )
            })
        };
        (0..MOST_THREADS + 1).for_each(|_| blocker.submit().unwrap());
        let counter = Arc::clone(&count);
        let work = Callbacks::work(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        work.submit().unwrap();
        work.wait(true);
        gate.set();
        work.wait(false);
        blocker.wait(false);
        assert_eq!(count.load(Ordering::Relaxed), 0);
    }
}

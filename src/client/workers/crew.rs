//! The threads: who runs a task, who watches the descriptors, who sleeps.
//!
//! ```text
//!                   nothing to run, nobody watches
//!   RUNNING ◄───────────────────────────────────────► WATCHING (at most one: waits in epoll)
//!    │  ▲ │
//!    │  │ │ nothing to run, another watches            ACTIVE = RUNNING + WATCHING, at most `limit`
//!    │  │ └──────────────────► ASLEEP ──► gone, after a while
//!    │  └── summoned ────────────┘ ▲
//!    └─ blocks ──► ASIDE ──────────┘ (or back among the active ones, if there is room)
//! ```
//!
//! As many threads are active as there are cores, or as the application wants. One that blocks in a callback or in a
//! connect does not count: it steps aside itself, or `overseer` sees it. Threads start with demand and end after a
//! while without work; while a task is parked, one stays to watch. Here is what is shared; what a thread does with it
//! is in `worker`.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;
use std::{io, thread};

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::net::deadlines::Deadlines;
use crate::net::poller::Poller;
use crate::win32::handles::is_forked;

use super::watched::{Flags, Interest, Parking, Slots, WatchId};
use super::{Task, overseer, worker};

/// How long a thread without work stays.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// So many tasks have to wait before another thread is woken for them: fewer are done sooner than it is awake.
const WORTH_WAKING: usize = 2;

/// What is known of one thread.
#[derive(Default)]
pub(super) struct Member {
    /// Tasks begun.
    pub(super) begun: u64,
    pub(super) running: bool,
    pub(super) aside: bool,
    /// `begun` when the overseer last looked.
    pub(super) seen: u64,
    present: bool,
}

pub(super) struct Crew {
    pub(super) queue: VecDeque<Arc<dyn Task>>,
    pub(super) slots: Slots,
    pub(super) members: Vec<Member>,
    pub(super) active: usize,
    /// 0 until the first task comes or the application chooses.
    pub(super) limit: usize,
    started: bool,
    pub(super) watching: bool,
    /// Tasks begun since somebody watched.
    pub(super) unwatched: usize,
    /// The watching thread has been told to come back.
    pub(super) called: bool,
    living: usize,
    pub(super) asleep: usize,
    /// Sleepers that have been woken, and count as active, but have not noticed yet.
    pub(super) summoned: usize,
    pub(super) oversight: overseer::Oversight,
}

static CREW: Mutex<Crew> = Mutex::new(Crew {
    queue: VecDeque::new(),
    slots: Slots::new(),
    members: Vec::new(),
    active: 0,
    limit: 0,
    started: false,
    watching: false,
    unwatched: 0,
    called: false,
    living: 0,
    asleep: 0,
    summoned: 0,
    oversight: overseer::Oversight::new(),
});
pub(super) static SUMMONS: Condvar = Condvar::new();
pub(super) static POLLER: OnceLock<Poller> = OnceLock::new();
pub(super) static DEADLINES: LazyLock<Deadlines> = LazyLock::new(Deadlines::default);

thread_local! {
    /// Which member this thread is.
    pub(super) static MEMBER: Cell<Option<usize>> = const { Cell::new(None) };
}

/// The poller all descriptors are watched with.
pub(super) fn poller() -> io::Result<&'static Poller> {
    match POLLER.get() {
        Some(poller) => Ok(poller),
        // Of two made at once, one is dropped.
        None => Poller::new().map(|poller| POLLER.get_or_init(|| poller)),
    }
}

pub(super) fn crew() -> MutexGuard<'static, Crew> {
    CREW.lock()
}

/// Has a worker run the task. Gives it back when there is no worker and none can be started.
pub(crate) fn submit(task: Arc<dyn Task>) -> Result<(), Arc<dyn Task>> {
    if is_forked() {
        return Err(task);
    }
    let mut crew = crew();
    crew.queue.push_back(task);
    match attend(crew) {
        Ok(()) => Ok(()),
        Err(mut crew) => crew.queue.pop_back().map_or(Ok(()), Err),
    }
}

/// Has a worker run the task when the descriptor has something for that interest, when the time has come (NEVER: no
/// time), or when it is roused. At most one task waits for an interest; another lets the first run. Gives the task
/// back when there is no worker and none can be started.
pub(crate) fn park(
    task: Arc<dyn Task>,
    id: WatchId,
    interest: Interest,
    until: u64,
) -> Result<(), Arc<dyn Task>> {
    if is_forked() {
        return Err(task);
    }
    let mut crew = crew();
    let mut earlier = false;
    match crew.slots.park(id, interest, task, until) {
        Parking::Ready(task) => crew.queue.push_back(task),
        Parking::Waits(look, before) => {
            crew.queue.extend(before);
            if let Some(at) = look {
                let (at, first) = DEADLINES.insert(id.slot(), at);
                crew.slots.will_look(id.slot(), at);
                earlier = first && crew.watching;
            }
        }
    }
    if earlier {
        crew.recall();
    }
    if crew.watching && crew.queue.is_empty() {
        return Ok(());
    }
    match attend(crew) {
        Ok(()) => Ok(()),
        Err(mut crew) => {
            let waiting = crew.slots.rouse(id, interest);
            waiting.or_else(|| crew.queue.pop_back()).map_or(Ok(()), Err)
        }
    }
}

/// Ends a wait early, if there is one.
pub(crate) fn rouse(id: WatchId, interest: Interest) {
    if !is_forked() {
        let mut crew = crew();
        let waiting = crew.slots.rouse(id, interest);
        run_all(crew, waiting);
    }
}

/// A new place in the table.
pub(super) fn add(flags: Arc<Flags>) -> WatchId {
    crew().slots.add(flags)
}

/// Forgets a place in the table; who waited there runs.
pub(super) fn remove(id: WatchId) {
    if !is_forked() {
        let mut crew = crew();
        let waiting = crew.slots.remove(id);
        run_all(crew, waiting.into_iter().flatten());
    }
}

/// Runs what has waited, for which there is a thread.
fn run_all(mut crew: MutexGuard<'static, Crew>, waiting: impl IntoIterator<Item = Arc<dyn Task>>) {
    let before = crew.queue.len();
    crew.queue.extend(waiting);
    if crew.queue.len() > before {
        drop(attend(crew));
    }
}

/// The running task is about to block: others are not to wait for this thread.
pub(crate) fn step_aside() {
    let Some(me) = MEMBER.get() else { return };
    let mut crew = crew();
    crew.set_aside(me);
    if crew.is_wanting() {
        crew.find_help();
    }
}

/// How many threads may be active, 0 for as many as there are cores. False once there has been work for
/// them, or another number before.
pub fn set_limit(limit: u32) -> bool {
    if is_forked() {
        return false;
    }
    let mut crew = crew();
    let in_time = !crew.started && crew.limit == 0;
    if in_time {
        crew.limit = limit as usize;
    }
    in_time
}

/// Sees to it that somebody looks after what has just come. Hands the crew back when there is no thread at all.
fn attend(mut crew: MutexGuard<'static, Crew>) -> Result<(), MutexGuard<'static, Crew>> {
    crew.start();
    if MEMBER.get().is_some() {
        // This thread itself, when its task is done; the overseer, when that takes long.
        crew.share_out();
        crew.call_overseer();
    } else if crew.watching {
        if !std::mem::replace(&mut crew.called, true) {
            drop(crew);
            if let Some(poller) = POLLER.get() {
                poller.wake();
            }
        }
    } else if !crew.summon() {
        if crew.living == 0 {
            return Err(crew);
        }
        crew.call_overseer();
    }
    Ok(())
}

impl Crew {
    /// Work waits, and nobody looks for it. Who watches does not see what others put into the queue.
    pub(super) fn is_wanting(&self) -> bool {
        !self.queue.is_empty() || (!self.watching && self.slots.parked() > 0)
    }

    /// Has somebody look for what waits: who watches, or one more thread.
    pub(super) fn find_help(&mut self) {
        if self.watching {
            self.recall();
        } else {
            self.summon();
        }
    }

    /// Has the watching thread come back.
    fn recall(&mut self) {
        if !std::mem::replace(&mut self.called, true)
            && let Some(poller) = POLLER.get()
        {
            poller.wake();
        }
    }

    fn start(&mut self) {
        if !self.started {
            self.started = true;
            if self.limit == 0 {
                self.limit = thread::available_parallelism().map_or(1, usize::from);
            }
        }
    }

    /// Another thread helps, if enough waits for it.
    pub(super) fn share_out(&mut self) {
        if self.queue.len() >= WORTH_WAKING {
            self.summon();
        }
    }

    pub(super) fn call_overseer(&mut self) {
        if self.is_wanting() {
            self.oversight.call();
        }
    }

    /// Makes one more thread active, if there is room.
    pub(super) fn summon(&mut self) -> bool {
        if self.active >= self.limit {
            return false;
        }
        if self.asleep > self.summoned {
            self.summoned += 1;
            SUMMONS.notify_one();
        } else if thread::Builder::new().name("nthttp-client".into()).spawn(worker::work).is_ok() {
            self.living += 1;
        } else {
            return false;
        }
        self.active += 1;
        true
    }

    /// A thread that blocks does not count among the active ones.
    pub(super) fn set_aside(&mut self, member: usize) {
        if !std::mem::replace(&mut self.members[member].aside, true) {
            self.active -= 1;
        }
    }

    pub(super) fn enrol(&mut self) -> usize {
        let free = self.members.iter().position(|member| !member.present);
        let me = free.unwrap_or_else(|| {
            self.members.push(Member::default());
            self.members.len() - 1
        });
        self.members[me] = Member { present: true, ..Member::default() };
        me
    }

    pub(super) fn leave(&mut self, me: usize) {
        self.members[me].present = false;
        self.living -= 1;
    }
}

//! The life of one thread of the crew: run what waits, else watch, else sleep, else go.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parking_lot::MutexGuard;

use crate::net::clock::precise_ms;
use crate::net::deadlines::NEVER;
use crate::net::poller::{Events, Poller};
use crate::win32::handles::is_forked;

use super::Task;
use super::crew::{Crew, DEADLINES, MEMBER, PATIENCE, SUMMONS, crew, poller};

/// Events taken at a time.
const BATCH: usize = 64;

/// The life of a thread, which counts as active from the start.
pub(super) fn work() {
    let me = crew().enrol();
    MEMBER.set(Some(me));
    let mut events = Events::with_capacity(BATCH);
    while let Some(task) = next(me, &mut events) {
        // A bug in one task is not to take the thread from the others.
        let _ = catch_unwind(AssertUnwindSafe(|| task.run()));
    }
}

/// The next task to run; `None` when the thread has waited long enough, and in the child of a fork.
fn next(me: usize, events: &mut Events) -> Option<Arc<dyn Task>> {
    if is_forked() {
        return None;
    }
    let mut crew = crew();
    crew.members[me].running = false;
    if std::mem::take(&mut crew.members[me].aside) {
        if crew.active < crew.limit {
            crew.active += 1;
        } else if !sleep(&mut crew) {
            crew.leave(me);
            return None;
        }
    }
    loop {
        if crew.unwatched >= BATCH
            && !crew.watching
            && crew.is_wanting()
            && let Ok(poller) = poller()
        {
            // Tasks that bring on tasks without end are not to keep the network waiting.
            watch(&mut crew, poller, events, 0);
        }
        if let Some(task) = crew.queue.pop_front() {
            crew.unwatched += 1;
            let member = &mut crew.members[me];
            member.running = true;
            member.begun += 1;
            crew.share_out();
            crew.call_overseer();
            return Some(task);
        }
        // Also where no descriptor is watched yet: there are deadlines.
        let stays = match poller() {
            Ok(poller) if !crew.watching => {
                let patience = if crew.slots.parked() == 0 { PATIENCE.as_millis() as u64 } else { NEVER };
                let stays = watch(&mut crew, poller, events, patience);
                crew.active -= usize::from(!stays);
                stays
            }
            _ => {
                crew.active -= 1;
                sleep(&mut crew)
            }
        };
        if !stays {
            crew.leave(me);
            return None;
        }
    }
}

/// Waits to be summoned, which makes the thread active; false after a while.
fn sleep(crew: &mut MutexGuard<'_, Crew>) -> bool {
    // Those who stay active may be blocked, and what this thread has parked is not to wait for them.
    crew.call_overseer();
    crew.asleep += 1;
    let mut waited_enough = false;
    while crew.summoned == 0 && !waited_enough {
        waited_enough = SUMMONS.wait_for(crew, PATIENCE).timed_out();
    }
    crew.asleep -= 1;
    let summoned = crew.summoned > 0;
    if summoned {
        crew.summoned -= 1;
    }
    summoned
}

/// As epoll wants it: -1 is for ever.
fn in_milliseconds(timeout: u64) -> i32 {
    if timeout == NEVER { -1 } else { i32::try_from(timeout).unwrap_or(i32::MAX) }
}

/// Waits for descriptors and deadlines, for so many milliseconds at most, and queues who waited for them. False when
/// nobody waits for anything.
fn watch(crew: &mut MutexGuard<'_, Crew>, poller: &Poller, events: &mut Events, patience: u64) -> bool {
    let begin = precise_ms();
    let next = DEADLINES.next();
    let timeout = if next == NEVER { patience } else { patience.min(next.saturating_sub(begin)) };
    crew.watching = true;
    MutexGuard::unlocked(crew, || {
        // A fault of epoll itself would be a bug; the overseer keeps the work going.
        let _ = poller.wait(events, in_milliseconds(timeout));
    });
    crew.watching = false;
    crew.called = false;
    crew.unwatched = 0;
    let Crew { slots, queue, .. } = &mut **crew;
    let idle = events.is_empty();
    while let Some((token, readiness)) = events.take() {
        slots.report(token, readiness, |task| queue.push_back(task));
    }
    let now = precise_ms();
    if now >= DEADLINES.next() {
        for slot in DEADLINES.expired(now) {
            if let Some(later) = slots.expire(slot, now, |task| queue.push_back(task)) {
                slots.will_look(slot, DEADLINES.insert(slot, later).0);
            }
        }
    }
    !idle || !queue.is_empty() || slots.parked() > 0 || now - begin < patience
}

//! Who sees to it that a thread which blocks in a callback holds up nobody else.
//!
//! While work waits and nobody looks for it, this thread looks at the crew in short intervals. Whoever has been at the
//! same task for a whole interval is set aside, and another thread takes its place. When there is nothing to oversee
//! it sleeps, and after a while it ends.

use std::thread;
use std::time::Duration;

use parking_lot::Condvar;

use super::crew::{Crew, PATIENCE, crew};

/// A task that takes longer than this, or at most twice this, is taken to block.
const INTERVAL: Duration = Duration::from_millis(5);

static CALL: Condvar = Condvar::new();

/// The state of the overseer, kept with the crew's.
pub(super) struct Oversight {
    /// There is such a thread.
    present: bool,
    /// It looks in intervals.
    alert: bool,
}

impl Oversight {
    pub(super) const fn new() -> Oversight {
        Oversight { present: false, alert: false }
    }

    /// Has the overseer look after the crew from now on.
    pub(super) fn call(&mut self) {
        if std::mem::replace(&mut self.alert, true) {
            return;
        }
        if self.present {
            CALL.notify_one();
            return;
        }
        let thread = thread::Builder::new().name("nthttp-oversee".into()).stack_size(128 * 1024);
        self.present = thread.spawn(oversee).is_ok();
        // Without one, the next call tries again.
        self.alert = self.present;
    }
}

fn oversee() {
    let mut crew = crew();
    loop {
        if crew.oversight.alert {
            CALL.wait_for(&mut crew, INTERVAL);
            crew.oversight.alert = crew.inspect();
        } else if CALL.wait_for(&mut crew, PATIENCE).timed_out() && !crew.oversight.alert {
            crew.oversight.present = false;
            return;
        }
    }
}

impl Crew {
    /// Replaces whoever blocks while work waits. Says whether there was anything to see since the last time.
    fn inspect(&mut self) -> bool {
        let wanting = self.is_wanting();
        let mut moved = false;
        for index in 0..self.members.len() {
            let member = &mut self.members[index];
            let stuck = member.running && member.seen == member.begun;
            moved |= member.seen != member.begun;
            member.seen = member.begun;
            if stuck && wanting {
                self.set_aside(index);
            }
        }
        if wanting {
            self.find_help();
        }
        wanting || moved
    }
}

//! The threads that run asynchronous requests.
//!
//! There is a thread for every request that waits, because each wait is a blocking system call; a callback that
//! blocks therefore holds up nobody else. Threads start with demand, the first with the first asynchronous
//! operation, and end after a while without work.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// Something that runs on a worker.
pub(crate) trait Task: Send + Sync {
    /// Runs a step.
    fn run(self: Arc<Self>);
}

/// How long a thread without work stays.
const PATIENCE: Duration = Duration::from_secs(2);

struct State {
    waiting: VecDeque<Arc<dyn Task>>,
    idle: usize,
    threads: usize,
}

static STATE: Mutex<State> = Mutex::new(State { waiting: VecDeque::new(), idle: 0, threads: 0 });
static WORK: Condvar = Condvar::new();

/// Has a worker run the task. Gives it back when there is no worker and none can be started.
pub(crate) fn submit(task: Arc<dyn Task>) -> Result<(), Arc<dyn Task>> {
    let mut state = STATE.lock();
    state.waiting.push_back(task);
    if state.waiting.len() <= state.idle {
        WORK.notify_one();
        return Ok(());
    }
    if thread::Builder::new().name("nthttp-client".into()).spawn(work).is_ok() {
        state.threads += 1;
    } else if state.threads == 0 {
        return state.waiting.pop_back().map_or(Ok(()), Err);
    }
    Ok(())
}

fn work() {
    while let Some(task) = next() {
        task.run();
    }
}

/// The next task; `None` when the thread has waited long enough.
fn next() -> Option<Arc<dyn Task>> {
    let mut state = STATE.lock();
    loop {
        if let Some(task) = state.waiting.pop_front() {
            return Some(task);
        }
        state.idle += 1;
        let timed_out = WORK.wait_for(&mut state, PATIENCE).timed_out();
        state.idle -= 1;
        if timed_out && state.waiting.is_empty() {
            state.threads -= 1;
            return None;
        }
    }
}

//! The one thread that writes logs. It starts with the first record and ends with the last log; it wakes a second
//! after a record has come, or at once when a buffer fills, a log closes or someone asks.

use std::sync::Arc;
use std::thread::Builder;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::win32::trace;

use super::sink::Sink;

/// How long a record may wait in memory.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a caller waits for a flush. A file may be on a server that does not answer.
const LONGEST_FLUSH: Duration = Duration::from_secs(5);

static WRITER: Writer = Writer {
    state: Mutex::new(State {
        sinks: Vec::new(),
        process: 0,
        called: false,
        hurried: false,
        leaving: true,
        asked: 0,
        answered: 0,
    }),
    bell: Condvar::new(),
    done: Condvar::new(),
};

struct Writer {
    state: Mutex<State>,
    /// Something changed that the thread wants to know.
    bell: Condvar,
    /// A round is over.
    done: Condvar,
}

struct State {
    sinks: Vec<Arc<Sink>>,
    /// The process the thread runs in, 0 when it does not: a child of fork has none.
    process: u32,
    /// There is something to write.
    called: bool,
    /// It is to be written now.
    hurried: bool,
    /// The thread is to end when only lasting sinks are left.
    leaving: bool,
    /// Flushes asked for, and those answered.
    asked: u64,
    answered: u64,
}

impl State {
    fn is_running(&self) -> bool {
        self.process != 0 && self.process == std::process::id()
    }

    /// Starts the thread unless it runs. Records stay in memory when none can be had.
    fn start(&mut self) {
        if self.is_running() {
            return;
        }
        self.process = match Builder::new().name("nthttp-log".into()).spawn(run) {
            Ok(_) => std::process::id(),
            Err(error) => {
                trace::warn(format_args!("no thread for logs: {error}"));
                0
            }
        };
    }

    fn may_end(&self) -> bool {
        self.sinks.iter().all(|sink| sink.lasting && self.leaving)
    }
}

/// A new sink is to be looked after.
pub(super) fn register(sink: &Arc<Sink>) {
    WRITER.state.lock().sinks.push(Arc::clone(sink));
}

/// A first record lies in a buffer.
pub(super) fn call() {
    let mut state = WRITER.state.lock();
    state.called = true;
    state.start();
    WRITER.bell.notify_one();
}

/// A buffer fills, or a log closes. A log that never had a record goes without a thread.
pub(super) fn hurry() {
    let mut state = WRITER.state.lock();
    if !state.is_running() {
        state.sinks.retain(|sink| !sink.is_closed() || !sink.is_empty());
        if state.sinks.iter().all(|sink| sink.is_empty()) {
            return;
        }
        state.start();
    }
    state.hurried = true;
    WRITER.bell.notify_one();
}

/// Something is served: there may be errors to report now and then.
pub(crate) fn stay() {
    WRITER.state.lock().leaving = false;
}

/// Nothing is served any more: the thread need not wait for errors to report.
pub(crate) fn rest() {
    let mut state = WRITER.state.lock();
    state.leaving = true;
    if state.is_running() {
        state.hurried = true;
        WRITER.bell.notify_one();
    }
}

/// Writes what all logs hold, and waits until that is done; false if it takes too long.
pub(crate) fn flush_all() -> bool {
    let mut state = WRITER.state.lock();
    if !state.is_running() {
        return true;
    }
    state.asked += 1;
    let ticket = state.asked;
    state.hurried = true;
    WRITER.bell.notify_one();
    let deadline = Instant::now() + LONGEST_FLUSH;
    while state.answered < ticket && state.is_running() {
        if WRITER.done.wait_until(&mut state, deadline).timed_out() {
            return state.answered >= ticket;
        }
    }
    true
}

/// The thread.
fn run() {
    let mut state = WRITER.state.lock();
    loop {
        while !state.called && !state.hurried {
            if state.may_end() {
                state.process = 0;
                WRITER.done.notify_all();
                return;
            }
            WRITER.bell.wait(&mut state);
        }
        let deadline = Instant::now() + PATIENCE;
        while !state.hurried && !WRITER.bell.wait_until(&mut state, deadline).timed_out() {}
        (state.called, state.hurried) = (false, false);
        let ticket = state.asked;
        let sinks = state.sinks.clone();
        drop(state);
        sinks.iter().for_each(|sink| sink.drain());
        drop(sinks);
        state = WRITER.state.lock();
        state.sinks.retain(|sink| !sink.is_closed() || !sink.is_empty());
        state.answered = ticket;
        WRITER.done.notify_all();
    }
}

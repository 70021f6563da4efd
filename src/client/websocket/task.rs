//! How asynchronous operations and timers wait: as tasks of the workers.

use std::sync::{Arc, Weak};

use once_cell::sync::OnceCell;

use crate::net::clock::precise_ms;
use crate::net::stream_wait::{Direction, wait};

use super::super::workers::{Interest, Task, Watch, park, submit};
use super::WebSocket;

pub(super) use super::super::workers::after;

/// Whether a moment has come.
pub(super) fn is_past(moment: u64) -> bool {
    moment <= precise_ms()
}

/// How the workers know the socket.
pub(super) struct Waiting {
    /// Once something has waited for the stream.
    stream: OnceCell<Watch>,
    /// For the keep-alive. When it is dropped the timer is, too.
    pub(super) timer: OnceCell<Watch>,
}

impl Waiting {
    pub(super) fn new(watch: Option<Watch>) -> Waiting {
        let stream = watch.map_or_else(OnceCell::new, OnceCell::with_value);
        Waiting { stream, timer: OnceCell::new() }
    }

    /// To be called before a send that does not wait.
    pub(super) fn will_send(&self) {
        if let Some(watch) = self.stream.get() {
            watch.will_send();
        }
    }

    /// To be called before a receive that does not wait.
    pub(super) fn will_receive(&self) {
        if let Some(watch) = self.stream.get() {
            watch.will_receive();
        }
    }
}

/// The socket may have bytes.
struct Bytes(Arc<WebSocket>);

impl Task for Bytes {
    fn run(self: Arc<Self>) {
        self.0.bytes_again();
    }
}

/// The socket may have room.
struct Room(Arc<WebSocket>);

impl Task for Room {
    fn run(self: Arc<Self>) {
        self.0.room_again();
    }
}

/// The keep-alive is due. It does not keep the socket.
struct Due(Weak<WebSocket>);

impl Task for Due {
    fn run(self: Arc<Self>) {
        if let Some(socket) = self.0.upgrade() {
            socket.keep_alive_due();
        }
    }
}

impl WebSocket {
    /// Goes on with what waits for room when there is some, at a moment, or (`now`) as soon as there is a worker.
    pub(super) fn wait_for_room(self: &Arc<Self>, until: u64, now: bool) {
        self.leave_to_worker(Arc::new(Room(Arc::clone(self))), Direction::Out, until, now);
    }

    /// Goes on with what waits for bytes.
    pub(super) fn wait_for_bytes(self: &Arc<Self>, until: u64, now: bool) {
        self.leave_to_worker(Arc::new(Bytes(Arc::clone(self))), Direction::In, until, now);
    }

    fn leave_to_worker(&self, task: Arc<dyn Task>, direction: Direction, until: u64, now: bool) {
        let left = if now {
            submit(task)
        } else {
            let interest = if direction == Direction::In { Interest::Read } else { Interest::Write };
            match self.waiting.stream.get_or_try_init(|| Watch::new(&self.stream)) {
                Ok(watch) => park(task, watch.id(), interest, until),
                Err(_) => Err(task),
            }
        };
        if let Err(task) = left {
            // No worker is to be had: this thread does it.
            if !now {
                let _ = wait(&self.stream, direction, until);
            }
            task.run();
        }
    }

    /// Has the keep-alive look at a moment.
    pub(super) fn wait_for_due(self: &Arc<Self>, moment: u64) {
        let timer = self.waiting.timer.get_or_init(Watch::timer);
        // Without workers there is no keep-alive.
        let _ = park(Arc::new(Due(Arc::downgrade(self))), timer.id(), Interest::Read, moment);
    }
}

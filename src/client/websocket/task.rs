//! How asynchronous operations and timers wait: as tasks of the workers.

use std::sync::{Arc, Weak};

use once_cell::sync::OnceCell;

use crate::net::clock::precise_ms;
use crate::net::stream_wait::{Direction, wait};

use super::super::workers::{Interest, Task, Watch, park, submit};
use super::{State, WebSocket};

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

/// Goes on with one direction of a socket.
struct Step {
    socket: Arc<WebSocket>,
    direction: Direction,
    /// It has waited, and is counted in the state.
    parked: bool,
}

impl Task for Step {
    fn run(self: Arc<Self>) {
        match self.direction {
            Direction::In => self.socket.bytes_again(self.parked),
            Direction::Out => self.socket.room_again(self.parked),
        }
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

impl State {
    /// A task runs that has waited. When another still waits, this one has merely made place for it, and has nothing to
    /// do: two that both went on and waited again would do so for ever.
    pub(super) fn unpark(&mut self, direction: Direction) -> bool {
        let parked = &mut self.parked[direction as usize];
        *parked -= 1;
        *parked == 0
    }
}

impl WebSocket {
    /// Goes on with what waits for room when there is some, at a moment, or (`now`) as soon as there is a worker.
    pub(super) fn wait_for_room(self: &Arc<Self>, until: u64, now: bool) {
        self.leave_to_worker(Direction::Out, until, now);
    }

    /// Goes on with what waits for bytes.
    pub(super) fn wait_for_bytes(self: &Arc<Self>, until: u64, now: bool) {
        self.leave_to_worker(Direction::In, until, now);
    }

    fn leave_to_worker(self: &Arc<Self>, direction: Direction, until: u64, now: bool) {
        let task: Arc<dyn Task> = Arc::new(Step { socket: Arc::clone(self), direction, parked: !now });
        if !now {
            self.state.lock().parked[direction as usize] += 1;
        }
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

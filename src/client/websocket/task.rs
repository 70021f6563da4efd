//! How asynchronous operations and timers wait.
//!
//! A stopgap until there are workers that watch: a thread for each wait.

use std::sync::Arc;
use std::thread;

use crate::net::clock::precise_ms;
use crate::net::stream_wait::{Direction, wait};

use super::WebSocket;

/// The moment so many milliseconds from now; 0 is never.
pub(super) fn after(milliseconds: u32) -> u64 {
    if milliseconds == 0 { u64::MAX } else { precise_ms() + u64::from(milliseconds) }
}

/// Whether a moment has come.
pub(super) fn is_past(moment: u64) -> bool {
    moment <= precise_ms()
}

#[derive(Default)]
pub(super) struct Waiting;

impl Waiting {
    pub(super) fn will_send(&self) {}
    pub(super) fn will_receive(&self) {}
}

impl WebSocket {
    pub(super) fn wait_for_room(self: &Arc<Self>, until: u64, now: bool) {
        let socket = Arc::clone(self);
        thread::spawn(move || {
            if !now {
                let _ = wait(&socket.stream, Direction::Out, until);
            }
            socket.room_again();
        });
    }

    pub(super) fn wait_for_bytes(self: &Arc<Self>, until: u64, now: bool) {
        let socket = Arc::clone(self);
        thread::spawn(move || {
            if !now {
                let _ = wait(&socket.stream, Direction::In, until);
            }
            socket.bytes_again();
        });
    }
}

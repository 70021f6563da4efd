//! A pong after every interval in which nothing was sent, as long as something may be sent.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::net::clock::precise_ms;

use super::super::workers::{Interest, rouse};
use super::WebSocket;

impl WebSocket {
    /// Sets WINHTTP_OPTION_WEB_SOCKET_KEEPALIVE_INTERVAL.
    pub fn set_keep_alive(&self, milliseconds: u32) {
        self.state.lock().keep_alive = milliseconds;
        self.rouse_keep_alive();
    }

    /// Begins to count.
    pub fn start_keep_alive(self: &Arc<Self>) {
        let interval = self.state.lock().keep_alive;
        self.wait_for_due(precise_ms() + u64::from(interval));
    }

    /// A moment has come at which it may be time.
    pub(super) fn keep_alive_due(self: &Arc<Self>) {
        let interval = {
            let Ok(state) = self.enter() else { return };
            if state.close_sent {
                drop(state);
                self.leave();
                return;
            }
            u64::from(state.keep_alive)
        };
        let now = precise_ms();
        let mut due = self.sent_at.load(Ordering::Relaxed) + interval;
        if due <= now {
            self.pong(None);
            due = now + interval;
        }
        self.wait_for_due(due);
        if u64::from(self.state.lock().keep_alive) != interval {
            // It was changed while there was nothing to rouse.
            self.rouse_keep_alive();
        }
        self.leave();
    }

    fn rouse_keep_alive(&self) {
        if let Some(timer) = self.waiting.timer.get() {
            rouse(timer.id(), Interest::Read);
        }
    }
}

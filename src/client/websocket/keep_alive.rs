//! A pong after every interval in which nothing was sent.

use std::sync::Arc;

use super::WebSocket;

impl WebSocket {
    /// Sets WINHTTP_OPTION_WEB_SOCKET_KEEPALIVE_INTERVAL.
    pub fn set_keep_alive(&self, milliseconds: u32) {
        self.state.lock().keep_alive = milliseconds;
    }

    /// Begins to count.
    pub fn start_keep_alive(self: &Arc<Self>) {}
}

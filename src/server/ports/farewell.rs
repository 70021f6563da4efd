//! What becomes of a port's connections when it closes: those at rest end at once, the others with the response they wait
//! for. Requests that came before stay deliverable (digest §1.5).

use std::sync::Arc;

use super::endpoint::Endpoint;
use crate::server::connections::connection::{Active, Phase};
use crate::server::engine::Engine;

impl Engine {
    /// Ends the connections of a port as they allow it, if the port is closed.
    pub(crate) fn part_with_clients(&self, endpoint: &Arc<Endpoint>) {
        if endpoint.is_open() || self.slots.live() == 0 {
            return;
        }
        for connection in self.slots.all() {
            let mut active = Active::new(self, connection);
            if active.state.endpoint.as_ref().is_some_and(|of| Arc::ptr_eq(of, endpoint)) {
                active.take_leave();
            }
            active.finish();
        }
    }
}

impl Active<'_> {
    fn take_leave(&mut self) {
        match self.state.phase {
            Phase::Reading | Phase::Introducing(_) => {
                let work = self.state.work.as_ref();
                if self.state.readable || work.is_some_and(|work| !work.input.is_empty()) {
                    // What has come is answered yet: nothing is served there any more.
                } else if work.is_some_and(|work| !work.outbox.is_empty()) {
                    self.end_politely();
                } else {
                    self.break_off();
                }
            }
            Phase::Serving => {
                if let Some(exchange) = self.state.work.as_mut().and_then(|work| work.exchange.as_mut()) {
                    exchange.close_after = true;
                }
            }
            // The response is gone already.
            Phase::Draining => self.end_politely(),
            Phase::Lingering | Phase::Closed => {}
        }
    }
}

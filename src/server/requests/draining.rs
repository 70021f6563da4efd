//! What is left of a request's body when its response is over: read and thrown away, as far as it is worth it.

use crate::net::socket::Transfer;

use super::inbound::Next;
use crate::server::connections::closing::LINGER_BYTES;
use crate::server::connections::connection::{Active, Work};

impl Active<'_> {
    /// Reads and throws away what is left of the request's body, then goes on to the next request.
    pub(crate) fn drain(&mut self) -> Next {
        let Some(mut work) = self.state.work.take() else { return Next::Wait };
        let next = self.drain_into(&mut work);
        self.state.work = Some(work);
        match next {
            Some(true) => {
                self.account(None);
                self.next_request();
                Next::Again
            }
            Some(false) => {
                // The client is to read the response, not a reset.
                self.end_politely();
                Next::Wait
            }
            None => Next::Wait,
        }
    }

    /// `Some(true)` at the end of the body, `Some(false)` when it is not worth going on, else `None`.
    fn drain_into(&mut self, work: &mut Work) -> Option<bool> {
        let mut scratch = [0u8; 4096];
        loop {
            let exchange = work.exchange.as_mut()?;
            let before = work.input.bytes().len();
            let Ok(n) = exchange.body.take(&mut work.input, &mut scratch) else { return Some(false) };
            // Framing counts too: it may be far longer than the body in it.
            self.state.discarded += (before - work.input.bytes().len()) as u64;
            if exchange.body.is_done() {
                return Some(true);
            }
            if self.state.discarded > LINGER_BYTES {
                return Some(false);
            }
            if n == scratch.len() {
                continue;
            }
            if !self.state.readable {
                return None;
            }
            match self.fill(work) {
                Transfer::Bytes(_) => {}
                Transfer::WouldBlock => return None,
                Transfer::End | Transfer::Broken => return Some(false),
            }
        }
    }
}

//! Ending the synchronous calls that other threads are in below a session or a connect that closes.
//!
//! The call ends, and with it the exchange it was about; the request itself lives on and can be sent again. Asynchronous
//! operations go on. WebSockets have the same in `websocket/closing`; closing the request itself is in `turn`.

use std::mem::take;

use crate::abi::error::{Error, Result};

use super::request::{Phase, Request};

impl Request {
    /// Ends a synchronous call that another thread is in, for a parent that closes.
    pub fn interrupt(&self) {
        if self.is_async {
            return;
        }
        let core = self.core.lock();
        // The exchange is away from home while an operation runs on it; under the lock it cannot come back.
        if core.turn.is_held() && core.exchange.is_none() {
            self.cancel.interrupt();
        }
    }

    /// What a synchronous call comes to whose exchange is at home again, so that nothing interrupts it any more. One
    /// that was done before the interruption took hold counts as done, unless its connection was still in use.
    #[inline]
    pub(crate) fn after_interruption(&self, result: Result<u32>) -> Result<u32> {
        if self.cancel.resume() { self.give_up_connection(result) } else { result }
    }

    #[cold]
    fn give_up_connection(&self, result: Result<u32>) -> Result<u32> {
        let broken = {
            let mut core = self.core.lock();
            let broken = core.exchange.as_mut().filter(|exchange| exchange.connection.is_some()).map(take);
            if broken.is_some() {
                core.phase = Phase::Failed;
            }
            broken
        };
        let Some(mut exchange) = broken else { return result };
        exchange.abandon(&self.cancel);
        Err(Error::WINHTTP_OPERATION_CANCELLED)
    }
}

//! Blocking sends under way, so that another send for the same request is refused meanwhile (`ERROR_BAD_COMMAND`).
//! Overlapped sends need no such care: the engine sends them in the order of the calls.

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::abi::error::{Error, Result};
use crate::server::service::RequestId;

/// The requests of one queue for which a thread waits until its send is done.
#[derive(Default)]
pub(super) struct BlockedSends {
    /// As many as are listed: nearly always none, and then nobody takes the lock.
    count: AtomicUsize,
    requests: Mutex<Vec<RequestId>>,
}

/// One such send, until it is dropped.
pub(super) struct BlockedSend<'a> {
    sends: &'a BlockedSends,
    request: RequestId,
}

impl BlockedSends {
    /// `BAD_COMMAND` while a blocking send for this request is under way.
    #[inline]
    pub(super) fn admit(&self, request: RequestId) -> Result<()> {
        if self.count.load(Ordering::Relaxed) != 0 && self.requests.lock().contains(&request) {
            return Err(Error::BAD_COMMAND);
        }
        Ok(())
    }

    /// A thread begins to wait.
    #[cold]
    pub(super) fn enter(&self, request: RequestId) -> BlockedSend<'_> {
        let mut requests = self.requests.lock();
        requests.push(request);
        self.count.store(requests.len(), Ordering::Relaxed);
        BlockedSend { sends: self, request }
    }
}

impl Drop for BlockedSend<'_> {
    fn drop(&mut self) {
        let mut requests = self.sends.requests.lock();
        if let Some(at) = requests.iter().position(|request| *request == self.request) {
            requests.swap_remove(at);
        }
        self.sends.count.store(requests.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_taken_until_its_send_is_done() {
        let sends = BlockedSends::default();
        let (one, other) = (RequestId(1), RequestId(2));
        assert_eq!(sends.admit(one), Ok(()));
        let under_way = sends.enter(one);
        assert_eq!((sends.admit(one), sends.admit(other)), (Err(Error::BAD_COMMAND), Ok(())));
        drop(under_way);
        assert_eq!(sends.admit(one), Ok(()));
    }
}

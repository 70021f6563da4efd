//! Completion ports: packets in, packets out, oldest first.
//!
//! What binds a device to a port is in `device`; the C functions are in `capi`. The number of concurrent
//! threads a program asks for is not enforced: every waiting thread may run when there is a packet for it.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use super::device::{CompletionSink, Packet};
use super::object::HandleCount;
use super::queue::{Empty, WaitQueue};
use crate::abi::error::{Error, Result};

/// A completion port.
pub struct Port {
    packets: WaitQueue<Packet>,
    pub(super) handles: HandleCount,
}

impl Port {
    /// An empty port.
    pub fn new() -> Arc<Port> {
        Arc::new(Port { packets: WaitQueue::new(), handles: HandleCount::new() })
    }

    /// Queues a packet. `INVALID_HANDLE` if the port was closed.
    pub fn post(&self, packet: Packet) -> Result<()> {
        self.packets.put(packet).map(drop).map_err(|_| Error::INVALID_HANDLE)
    }

    /// Takes the oldest packet. `WAIT_TIMEOUT` at the deadline, `ABANDONED_WAIT_0` if the port is closed.
    pub fn get(&self, deadline: Option<Instant>) -> Result<Packet> {
        self.packets.take(deadline).map_err(error)
    }

    /// Takes up to `limit` packets, waiting for the first only. Errors as [`Port::get`].
    pub fn get_many(&self, deadline: Option<Instant>, limit: usize, each: impl FnMut(Packet)) -> Result<()> {
        self.packets.take_many(deadline, limit, each).map_err(error)
    }

    /// A descriptor that is readable while there is a packet, or the port is closed.
    pub fn descriptor(&self) -> io::Result<Arc<File>> {
        self.packets.descriptor()
    }

    pub(super) fn close(&self) {
        self.packets.close();
    }
}

impl CompletionSink for Port {
    fn deliver(self: Arc<Self>, packet: Packet) {
        // A packet for a port that is closed has nobody to go to.
        let _ = self.post(packet);
    }
}

fn error(empty: Empty) -> Error {
    match empty {
        Empty::TimedOut => Error::WAIT_TIMEOUT,
        Empty::Closed => Error::ABANDONED_WAIT_0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::signal::deadline;
    use super::*;

    #[test]
    fn a_port_gives_back_what_was_posted_and_its_closing_ends_waits() {
        let port = Port::new();
        let packet = Packet { key: 7, overlapped: 8, status: 0, bytes: 9 };
        port.post(packet).unwrap();
        assert_eq!(port.get(deadline(0)), Ok(packet));
        assert_eq!(port.get(deadline(0)), Err(Error::WAIT_TIMEOUT));
        let other = Arc::clone(&port);
        let thread = std::thread::spawn(move || other.get(None));
        port.close();
        assert_eq!(thread.join().unwrap(), Err(Error::ABANDONED_WAIT_0));
        assert_eq!(port.post(packet), Err(Error::INVALID_HANDLE));
    }
}

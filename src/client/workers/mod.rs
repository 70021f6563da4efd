//! The threads that run asynchronous requests, and how a request waits without one.
//!
//! A [`Task`] is [`submit`]ted to run on a worker now, or [`park`]ed to run when a descriptor has something to say or
//! a time has come. What is known of the descriptors is in `watched`, the threads are in `crew` and `worker`, and who
//! sees to it that a thread which blocks holds up nobody else is in `overseer`.

mod crew;
mod overseer;
mod watched;
mod worker;

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

use crate::net::clock::precise_ms;
use crate::net::deadlines::NEVER;

pub use crew::set_limit;
pub(crate) use crew::{park, rouse, step_aside, submit};
pub(crate) use watched::{Interest, WatchId};

use watched::Flags;

/// Something that runs on a worker.
pub(crate) trait Task: Send + Sync {
    /// Runs a step. Whoever waits in it, other than for a short send, calls [`step_aside`] first.
    fn run(self: Arc<Self>);
}

/// A descriptor known to the workers, for as long as this value lives; or, without one, a place to wait for a time.
///
/// Dropped while a task waits, it lets the task run.
pub(crate) struct Watch {
    id: WatchId,
    flags: Arc<Flags>,
}

impl Watch {
    /// Watches a descriptor. Closing it is what ends that, so the watch is not to outlive it for long.
    pub(crate) fn new(fd: &impl AsFd) -> io::Result<Watch> {
        let watch = Watch::timer();
        crew::poller()?.add(fd.as_fd(), watch.id.token())?;
        Ok(watch)
    }

    /// A place to wait for a time or to be roused.
    pub(crate) fn timer() -> Watch {
        let flags = Arc::new(Flags::default());
        Watch { id: crew::add(Arc::clone(&flags)), flags }
    }

    /// What to [`park`] with.
    pub(crate) fn id(&self) -> WatchId {
        self.id
    }

    /// Receives, unless the descriptor is known to have nothing: then the answer is `WouldBlock`, without a system
    /// call. `receive` must not wait.
    pub(crate) fn receive(
        &self,
        room: &mut [u8],
        receive: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        // Asked before the receive, so that a report during it is not lost.
        if !self.flags.take(Interest::Read) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let got = receive(room)?;
        if got == room.len() {
            self.flags.more();
        }
        Ok(got)
    }

    /// To be called before a send that does not wait, so that a task parked after it hears of room made since.
    pub(crate) fn will_send(&self) {
        self.flags.take(Interest::Write);
    }

    /// The same before a receive that is made whatever the descriptor has reported.
    pub(crate) fn will_receive(&self) {
        self.flags.take(Interest::Read);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        crew::remove(self.id);
    }
}

/// The moment so many milliseconds from now, as [`park`] wants it; 0 is never.
pub(crate) fn after(milliseconds: u32) -> u64 {
    if milliseconds == 0 { NEVER } else { precise_ms() + u64::from(milliseconds) }
}

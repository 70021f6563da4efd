//! What each thread that calls keeps for its next call: the queue it called with, and memory for response heads.
//!
//! A server calls with the same handle over and over, so most calls take no lock and count no reference. What a
//! call uses is taken, not borrowed: no call inside a call could meet it.

use std::cell::Cell;
use std::sync::Arc;

use crate::abi::base::HANDLE;
use crate::abi::error::Result;
use crate::server::service::ResponseHead;
use crate::win32::device::Device;
use crate::win32::object;

/// Heads longer than this are not kept for the next response.
const KEEP: usize = 64 * 1024;

/// What the calling thread keeps.
pub(super) struct Caller {
    last: Cell<Option<Lookup>>,
    head: Cell<Option<Box<ResponseHead>>>,
}

struct Lookup {
    handle: usize,
    closings: u64,
    device: Arc<Device>,
}

thread_local! {
    static CALLER: Caller = const { Caller { last: Cell::new(None), head: Cell::new(None) } };
}

/// Calls `call` with the device behind a handle. `INVALID_HANDLE` if there is none; whether it is a queue, `queue_of`
/// tells.
#[inline]
pub(super) fn with_device<R>(
    handle: HANDLE,
    call: impl FnOnce(&Arc<Device>, &Caller) -> Result<R>,
) -> Result<R> {
    CALLER.with(|caller| {
        let handle = handle.addr();
        // Read before the look-up, so that a handle closed meanwhile makes it stale.
        let closings = object::closings();
        let lookup = match caller.last.take() {
            Some(last) if last.handle == handle && last.closings == closings => last,
            _ => Lookup { handle, closings, device: object::device(handle)? },
        };
        let result = call(&lookup.device, caller);
        caller.last.set(Some(lookup));
        result
    })
}

impl Caller {
    /// Calls `call` with a head to be filled, which holds what the last one left there.
    #[inline]
    pub(super) fn with_head<R>(&self, call: impl FnOnce(&mut ResponseHead) -> R) -> R {
        let mut head = self.head.take().unwrap_or_default();
        let result = call(&mut head);
        if head.text.capacity() <= KEEP {
            self.head.set(Some(head));
        }
        result
    }
}

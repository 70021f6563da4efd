//! How a call on a queue waits: blocking its thread, or as an overlapped operation.
//!
//! | pOverlapped | outcome at once | outcome later |
//! |---|---|---|
//! | NULL | returned | the thread waits, doing the engine's I/O meanwhile |
//! | given | returned; success is signalled too | `ERROR_IO_PENDING`, then completed through the OVERLAPPED |

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use parking_lot::Mutex;

use crate::abi::base::{LPOVERLAPPED, PULONG};
use crate::abi::error::{Error, Result};
use crate::server::service::{BodyPart, Delivery, OperationId, Pend, Reply};
use crate::win32::device::Device;
use crate::win32::overlapped::Operation;
use crate::win32::wait::Waiter;

/// What a call tells: a status, and a byte count that some errors carry too.
pub(super) struct Outcome {
    pub(super) status: Result<()>,
    pub(super) bytes: u32,
}

impl Outcome {
    /// An outcome; counts past 32 bits stop there.
    pub(super) fn new(status: Result<()>, bytes: u64) -> Outcome {
        Outcome { status, bytes: u32::try_from(bytes).unwrap_or(u32::MAX) }
    }
}

/// What an operation of the service brings, as a program is told it.
pub(super) trait Concluded: Awaited {
    /// Status and byte count.
    fn outcome(result: Result<Self>) -> Outcome;
}

impl Concluded for () {
    fn outcome(result: Result<()>) -> Outcome {
        Outcome::new(result, 0)
    }
}

impl Concluded for u64 {
    fn outcome(result: Result<u64>) -> Outcome {
        match result {
            Ok(bytes) => Outcome::new(Ok(()), bytes),
            Err(error) => Outcome::new(Err(error), 0),
        }
    }
}

impl Concluded for BodyPart {
    /// A read of no bytes that finds some tells one, as Windows does.
    fn outcome(result: Result<BodyPart>) -> Outcome {
        match result {
            Ok(part) => Outcome::new(Ok(()), part.len as u64),
            Err(error) => Outcome::new(Err(error), u64::from(error == Error::MORE_DATA)),
        }
    }
}

/// The one place a blocked thread's outcome arrives at. Each thread has one for each kind and uses it again.
pub(super) struct Slot<T> {
    outcome: Mutex<Option<Result<T>>>,
    waiter: Arc<Waiter>,
}

impl<T> Slot<T> {
    fn new() -> Slot<T> {
        Slot { outcome: Mutex::new(None), waiter: Waiter::current() }
    }

    fn fill(&self, outcome: Result<T>) {
        *self.outcome.lock() = Some(outcome);
        self.waiter.notify();
    }

    /// Waits until the slot is filled. The service fills it even when the queue closes or the client leaves.
    fn empty(&self) -> Result<T> {
        loop {
            let outcome = self.outcome.lock().take();
            if let Some(outcome) = outcome {
                return outcome;
            }
            self.waiter.wait(None, true);
        }
    }
}

/// What a thread can wait for.
pub(super) trait Awaited: Sized + Send + 'static {
    /// The calling thread's slot.
    fn slot() -> Arc<Slot<Self>>;
}

macro_rules! awaited {
    ($($kind:ty),*) => { $(
        impl Awaited for $kind {
            fn slot() -> Arc<Slot<Self>> {
                thread_local! { static SLOT: Arc<Slot<$kind>> = Arc::new(Slot::new()); }
                SLOT.with(Arc::clone)
            }
        }
    )* };
}

awaited!((), u64, BodyPart, Delivery);

/// A number for a blocking operation, apart from those of overlapped ones.
fn blocking_operation() -> OperationId {
    static NEXT: AtomicU64 = AtomicU64::new(1 << 63);
    OperationId(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Starts an operation and waits for its outcome on this thread.
#[inline]
pub(super) fn wait<T: Awaited>(start: impl FnOnce(Pend<'_, T>) -> Poll<Result<T>>) -> Result<T> {
    let started = start(&mut || {
        let slot = T::slot();
        slot.waiter.reset();
        Reply::new(blocking_operation(), move |outcome| slot.fill(outcome))
    });
    match started {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => T::slot().empty(),
    }
}

/// Starts an operation, waits or lets it pend as `overlapped` asks, and gives the code to return. `bytes` is filled
/// with the count unless the operation pends.
///
/// # Safety
/// `bytes` is NULL or valid for writes; `overlapped` is NULL or valid until completion.
#[expect(unsafe_code, reason = "the caller's byte count and OVERLAPPED")]
pub(super) unsafe fn run<T: Concluded>(
    device: &Arc<Device>,
    bytes: PULONG,
    overlapped: LPOVERLAPPED,
    start: impl FnOnce(Pend<'_, T>) -> Poll<Result<T>>,
) -> Result<u32> {
    if overlapped.is_null() {
        let outcome = T::outcome(wait(start));
        // SAFETY: as promised by the caller.
        unsafe { tell(bytes, outcome.bytes) };
        return outcome.status.map(|()| 0);
    }
    // SAFETY: as promised by the caller.
    let operation = unsafe { Operation::begin(device, overlapped)? };
    let number = operation.number();
    let mut held = Some(operation);
    let started = start(&mut || {
        let operation = held.take();
        Reply::new(OperationId(number.0), move |result| {
            let Outcome { status, bytes } = T::outcome(result);
            if let Some(operation) = operation {
                operation.complete_with(status, bytes);
            }
        })
    });
    match (started, held) {
        (Poll::Ready(result), Some(operation)) => {
            // SAFETY: as promised by the caller.
            Ok(unsafe { finish_inline(operation, T::outcome(result), bytes) })
        }
        _ => {
            device.accepted(number);
            Ok(Error::IO_PENDING.0)
        }
    }
}

/// Ends an operation within the call that began it and gives the code to return.
///
/// # Safety
/// `bytes` is NULL or valid for writes.
#[expect(unsafe_code, reason = "the caller's byte count")]
pub(super) unsafe fn finish_inline(operation: Operation, outcome: Outcome, bytes: PULONG) -> u32 {
    // SAFETY: as promised by the caller. Told before the completion, after which the caller may free the place.
    unsafe { tell(bytes, outcome.bytes) };
    operation.finish_inline(outcome.status, outcome.bytes)
}

/// Stores a byte count where one is wanted.
///
/// # Safety
/// `place` is NULL or valid for writes.
#[expect(unsafe_code, reason = "the caller's byte count")]
pub(super) unsafe fn tell(place: PULONG, bytes: u32) {
    if !place.is_null() {
        // SAFETY: as promised by the caller.
        unsafe { place.write_unaligned(bytes) };
    }
}

//! File-like objects: what request queues and files have in common.
//!
//! A [`Device`] knows where completions go (a port, a thread pool, or only an event), which operations are
//! pending, by whom and on which OVERLAPPED, and its own signalled state. What it really is lies behind
//! [`Backend`]. Operations themselves are in `overlapped`.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};

use super::object::HandleCount;
use super::signal::{Mode, Signal};
use super::thread;
use crate::abi::error::{Error, Result};

/// `FILE_SKIP_COMPLETION_PORT_ON_SUCCESS`: no packet for an operation that succeeds at once.
pub const SKIP_PORT_ON_SUCCESS: u8 = 1;
/// `FILE_SKIP_SET_EVENT_ON_HANDLE`: operations leave the device's own signal alone.
pub const SKIP_SET_EVENT: u8 = 2;

/// Names a pending operation; unique in the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OperationNumber(pub u64);

/// What a device really is.
pub trait Backend: AsAny + Send + Sync {
    /// Cancels an operation: it completes with `OPERATION_ABORTED`, now or soon, unless it completes otherwise
    /// first. False if the backend does not know it (any more, or yet).
    fn abort(&self, operation: OperationNumber) -> bool;

    /// The last handle was closed: ends all operations.
    fn close(&self);
}

/// Gives a trait object's concrete type back; implemented for everything.
pub trait AsAny: Any {
    /// The value as `Any`.
    fn as_any(&self) -> &dyn Any;
}

impl<T: Any> AsAny for T {
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A completion as a port or a thread pool receives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The key given when the device was bound.
    pub key: usize,
    /// Address of the OVERLAPPED, or whatever the program posted.
    pub overlapped: usize,
    /// NTSTATUS.
    pub status: u32,
    /// Bytes transferred.
    pub bytes: usize,
}

/// Where a device's completions go.
pub trait CompletionSink: Send + Sync {
    /// Takes a completion. Never runs application code on this thread.
    fn deliver(self: Arc<Self>, packet: Packet);
}

#[derive(Clone)]
struct Association {
    sink: Arc<dyn CompletionSink>,
    key: usize,
}

/// A file-like object.
pub struct Device {
    backend: Box<dyn Backend>,
    pub(super) handles: HandleCount,
    pub(super) signal: Signal,
    association: RwLock<Option<Association>>,
    modes: AtomicU8,
    pending: Mutex<PendingList>,
    count: AtomicU32,
    cancelled: AtomicU32,
}

#[derive(Default)]
struct PendingList {
    slots: Vec<Option<Pending>>,
    free: Vec<u32>,
}

struct Pending {
    number: OperationNumber,
    overlapped: usize,
    thread: u64,
    cancelled: bool,
}

/// Which operations a cancellation means.
#[derive(Clone, Copy, Debug)]
pub enum Cancel {
    /// All of them (`CancelIoEx` with NULL).
    All,
    /// Those on the OVERLAPPED at this address (`CancelIoEx`).
    Overlapped(usize),
    /// Those the calling thread began (`CancelIo`).
    ThisThread,
}

impl Device {
    /// A device over this backend.
    pub fn new(backend: impl Backend) -> Arc<Device> {
        Arc::new(Device {
            backend: Box::new(backend),
            handles: HandleCount::new(),
            signal: Signal::new(Mode::Manual, 0),
            association: RwLock::new(None),
            modes: AtomicU8::new(0),
            pending: Mutex::default(),
            count: AtomicU32::new(0),
            cancelled: AtomicU32::new(0),
        })
    }

    /// The backend, if it is of this type.
    #[inline]
    pub fn backend<T: Backend>(&self) -> Option<&T> {
        (*self.backend).as_any().downcast_ref()
    }

    /// Binds the device: completions go to `sink` with `key`. `INVALID_PARAMETER` if it is bound already.
    pub fn bind(&self, sink: Arc<dyn CompletionSink>, key: usize) -> Result<()> {
        let mut association = self.association.write();
        if association.is_some() {
            return Err(Error::INVALID_PARAMETER);
        }
        *association = Some(Association { sink, key });
        Ok(())
    }

    /// Undoes [`Device::bind`] (closing thread-pool I/O frees the device for another binding).
    pub fn unbind(&self) {
        let association = self.association.write().take();
        drop(association);
    }

    /// Whether completions go to a port or a thread pool.
    pub fn is_bound(&self) -> bool {
        self.association.read().is_some()
    }

    /// Adds notification modes ([`SKIP_PORT_ON_SUCCESS`], [`SKIP_SET_EVENT`]); they cannot be taken back.
    pub fn add_modes(&self, modes: u8) {
        self.modes.fetch_or(modes, Ordering::Relaxed);
    }

    /// Whether the mode is on.
    #[inline]
    pub fn has_mode(&self, mode: u8) -> bool {
        self.modes.load(Ordering::Relaxed) & mode != 0
    }

    /// Whether operations are pending.
    pub fn has_operations(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    /// Cancels pending operations; `NOT_FOUND` if there was none such. They complete by themselves.
    pub fn cancel(&self, which: Cancel) -> Result<()> {
        let mut pending = self.pending.lock();
        let (chosen, newly) = pending.mark_cancelled(which);
        self.cancelled.fetch_add(newly, Ordering::Release);
        drop(pending);
        for &number in &chosen {
            self.backend.abort(number);
        }
        if chosen.is_empty() { Err(Error::NOT_FOUND) } else { Ok(()) }
    }

    /// Call when the backend has accepted an operation as pending: repeats a cancellation that was too early for
    /// the backend to know the operation.
    #[inline]
    pub fn accepted(&self, number: OperationNumber) {
        // Either the canceller's abort came after the acceptance and found the operation, or it came before and
        // then, by the backend's own lock, its count is seen here.
        if self.cancelled.load(Ordering::Acquire) > 0 && self.pending.lock().is_cancelled(number) {
            self.backend.abort(number);
        }
    }

    pub(super) fn close(&self) {
        self.backend.close();
        self.signal.close();
    }

    /// Enters an operation on the OVERLAPPED at this address; gives its place and number.
    pub(super) fn register(&self, overlapped: usize) -> (u32, OperationNumber) {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = OperationNumber(NEXT.fetch_add(1, Ordering::Relaxed));
        let entry = Pending { number, overlapped, thread: thread::number(), cancelled: false };
        let mut pending = self.pending.lock();
        let slot = pending.insert(entry);
        self.count.fetch_add(1, Ordering::Relaxed);
        (slot, number)
    }

    pub(super) fn unregister(&self, slot: u32) {
        let mut pending = self.pending.lock();
        let entry = pending.slots[slot as usize].take();
        pending.free.push(slot);
        self.count.fetch_sub(1, Ordering::Relaxed);
        if entry.is_some_and(|entry| entry.cancelled) {
            self.cancelled.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Sends a completion to where the device is bound.
    pub(super) fn deliver(&self, overlapped: usize, status: u32, bytes: usize) {
        let association = self.association.read().clone();
        if let Some(Association { sink, key }) = association {
            sink.deliver(Packet { key, overlapped, status, bytes });
        }
    }
}

impl PendingList {
    fn insert(&mut self, entry: Pending) -> u32 {
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(entry);
                slot
            }
            None => {
                self.slots.push(Some(entry));
                self.slots.len() as u32 - 1
            }
        }
    }

    /// The operations meant, and how many of them nobody had cancelled before.
    fn mark_cancelled(&mut self, which: Cancel) -> (Vec<OperationNumber>, u32) {
        let me = thread::number();
        let meant = self.slots.iter_mut().flatten().filter(|entry| match which {
            Cancel::All => true,
            Cancel::Overlapped(address) => entry.overlapped == address,
            Cancel::ThisThread => entry.thread == me,
        });
        let mut newly = 0;
        let mark = |entry: &mut Pending| {
            newly += u32::from(!std::mem::replace(&mut entry.cancelled, true));
            entry.number
        };
        (meant.map(mark).collect(), newly)
    }

    fn is_cancelled(&self, number: OperationNumber) -> bool {
        self.slots.iter().flatten().any(|entry| entry.number == number && entry.cancelled)
    }
}

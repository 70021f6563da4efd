//! The guest's unfinished calls: who waits for which answer, and the memory lent to each.
//!
//! ```text
//!           Pending            register
//! ASKED ───────────► WAITING ───────────► REGISTERED
//!   │ Done              │ Done                │ Done
//!   ▼                   ▼  register           ▼
//! SETTLED ─► caller   SETTLED ─────────► completion runs
//! ```
//!
//! Up to REGISTERED the calling thread is at the call and fetches the outcome itself; after it the outcome
//! goes to the completion, which [`super::guest`] runs. An outcome that comes between `Pending` and the
//! registration waits in the table. The lent memory of a call is touched by the
//! receiving thread alone, and given up before anyone learns the outcome.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::Thread;

use parking_lot::Mutex;

use super::body::{Cutter, Part};
use super::codec::{Bytes, Decoded, Malformed};
use super::message::Outcome;
use crate::abi::error::{Error, Result};
use crate::server::service::OperationId;
use crate::win32::last_error;
use crate::win32::lent::LentBuffer;

/// A finished call: its outcome, and the buffer it was given with the number of bytes in it.
pub(super) struct Settled {
    pub(super) outcome: Result<Outcome>,
    pub(super) read: Option<(LentBuffer, usize)>,
}

/// What a call gets its outcome by once its thread has gone on.
pub(super) type Completion = Box<dyn FnOnce(Settled) + Send>;

/// A completion whose outcome has come, to be run with no lock held.
pub(super) struct Due {
    completion: Completion,
    settled: Settled,
}

impl Due {
    /// Runs the completion. One that panics must not take the others' answers with it.
    pub(super) fn run(self) {
        let Due { completion, settled } = self;
        let _ = catch_unwind(AssertUnwindSafe(|| completion(settled)));
    }
}

/// The first thing a calling thread hears.
pub(super) enum First {
    Settled(Settled),
    Pending,
}

/// What the caller lent to a call.
#[derive(Default)]
pub(super) struct Lent {
    /// A buffer to read into, and the bytes in it.
    pub(super) read: Option<(LentBuffer, usize)>,
    /// What is left to send.
    pub(super) send: Option<Cutter>,
}

struct Call {
    thread: Thread,
    /// What the call reports when the channel breaks before the first answer.
    gone: Error,
    lent: Lent,
    pending: bool,
    /// Why it fails, in words.
    because: Option<String>,
    settled: Option<Settled>,
    registered: Option<(OperationId, Completion)>,
}

#[derive(Default)]
struct Table {
    broken: bool,
    last_tag: u64,
    calls: HashMap<u64, Call>,
    operations: HashMap<OperationId, u64>,
}

/// All unfinished calls of one guest.
#[derive(Default)]
pub(super) struct Calls {
    table: Mutex<Table>,
}

impl Calls {
    /// Enters a call of this thread and gives it a tag; `Err(gone)` if the channel is broken.
    pub(super) fn begin(&self, gone: Error, lent: Lent) -> Result<u64> {
        let thread = std::thread::current();
        let call =
            Call { thread, gone, lent, pending: false, because: None, settled: None, registered: None };
        let mut table = self.table.lock();
        if table.broken {
            return Err(gone);
        }
        table.last_tag += 1;
        let tag = table.last_tag;
        table.calls.insert(tag, call);
        Ok(tag)
    }

    /// Waits for the first answer. A call that is settled by then is taken out even if it was pending.
    pub(super) fn first(&self, tag: u64) -> First {
        loop {
            if let Some(first) = self.poll(tag) {
                return first;
            }
            std::thread::park();
        }
    }

    /// Waits for the outcome.
    pub(super) fn outcome(&self, tag: u64) -> Settled {
        loop {
            if let Some(First::Settled(settled)) = self.poll(tag) {
                return settled;
            }
            std::thread::park();
        }
    }

    fn poll(&self, tag: u64) -> Option<First> {
        let mut table = self.table.lock();
        let Some(call) = table.calls.get_mut(&tag) else {
            // Only its own thread takes a call out before registration.
            return Some(First::Settled(Settled { outcome: Err(Error::INTERNAL_ERROR), read: None }));
        };
        if let Some(settled) = call.settled.take() {
            if let Some(words) = table.calls.remove(&tag).and_then(|call| call.because) {
                last_error::explain(format_args!("{words}"));
            }
            return Some(First::Settled(settled));
        }
        call.pending.then_some(First::Pending)
    }

    /// Leaves the completion of a pending call, or runs it if the outcome has come meanwhile.
    pub(super) fn register(&self, tag: u64, operation: OperationId, completion: Completion) {
        let mut table = self.table.lock();
        let Some(call) = table.calls.get_mut(&tag) else { return };
        match call.settled.take() {
            Some(settled) => {
                table.calls.remove(&tag);
                drop(table);
                completion(settled);
            }
            None => {
                call.registered = Some((operation, completion));
                table.operations.insert(operation, tag);
            }
        }
    }

    /// The tag of a pending operation.
    pub(super) fn tag_of(&self, operation: OperationId) -> Option<u64> {
        self.table.lock().operations.get(&operation).copied()
    }

    /// The host said `Pending`.
    pub(super) fn pending(&self, tag: u64) -> Decoded<()> {
        let mut table = self.table.lock();
        let call = table.calls.get_mut(&tag).ok_or(Malformed)?;
        call.pending = true;
        let thread = call.thread.clone();
        drop(table);
        thread.unpark();
        Ok(())
    }

    /// The host said why the call fails.
    pub(super) fn because(&self, tag: u64, words: String) -> Decoded<()> {
        let mut table = self.table.lock();
        table.calls.get_mut(&tag).ok_or(Malformed)?.because = Some(words);
        Ok(())
    }

    /// The host sent body that was read.
    pub(super) fn data(&self, tag: u64, bytes: &[u8]) -> Decoded<()> {
        self.with_lent(tag, |lent| fill(&mut lent.read, bytes))?
    }

    /// The host wants the next part of a body.
    pub(super) fn next_part(&self, tag: u64) -> Decoded<Part> {
        self.with_lent(tag, |lent| lent.send.as_mut().map(Cutter::next_part).ok_or(Malformed))?
    }

    /// Uses the memory of a call outside the lock, so that a long copy holds up nobody.
    fn with_lent<T>(&self, tag: u64, with: impl FnOnce(&mut Lent) -> T) -> Decoded<T> {
        let call = |table: &mut Table| table.calls.get_mut(&tag).map(|call| std::mem::take(&mut call.lent));
        let mut lent = call(&mut self.table.lock()).ok_or(Malformed)?;
        let result = with(&mut lent);
        if let Some(call) = self.table.lock().calls.get_mut(&tag) {
            call.lent = lent;
        }
        Ok(result)
    }

    /// The outcome is known. The completion is the caller's to run, if there is one.
    pub(super) fn settle(&self, tag: u64, mut outcome: Result<Outcome>) -> Decoded<Option<Due>> {
        if let Ok(Outcome::Read(Bytes(bytes), _)) = &mut outcome {
            self.data(tag, &std::mem::take(bytes))?;
        }
        let mut table = self.table.lock();
        let call = table.calls.get_mut(&tag).ok_or(Malformed)?;
        if call.settled.is_some() {
            return Err(Malformed);
        }
        let Lent { read, send } = std::mem::take(&mut call.lent);
        let settled = Settled { outcome, read };
        match call.registered.take() {
            None => {
                call.settled = Some(settled);
                let thread = call.thread.clone();
                drop((table, send));
                thread.unpark();
                Ok(None)
            }
            Some((operation, completion)) => {
                table.calls.remove(&tag);
                table.operations.remove(&operation);
                drop((table, send));
                Ok(Some(Due { completion, settled }))
            }
        }
    }

    /// The channel broke: settles every call, and refuses new ones.
    pub(super) fn break_off(&self) -> Vec<Due> {
        let open: Vec<(u64, Error)> = {
            let mut table = self.table.lock();
            table.broken = true;
            let unsettled = table.calls.iter().filter(|(_, call)| call.settled.is_none());
            let error = |call: &Call| if call.pending { Error::OPERATION_ABORTED } else { call.gone };
            unsettled.map(|(tag, call)| (*tag, error(call))).collect()
        };
        // Only a call that was never written may be settled by its own thread in between.
        open.into_iter().filter_map(|(tag, error)| self.settle(tag, Err(error)).ok().flatten()).collect()
    }
}

/// Appends to the buffer of a read; more than fits is a host's fault.
fn fill(read: &mut Option<(LentBuffer, usize)>, bytes: &[u8]) -> Decoded<()> {
    let (buffer, filled) = read.as_mut().ok_or(Malformed)?;
    let end = filled.checked_add(bytes.len()).ok_or(Malformed)?;
    buffer.as_mut_slice().get_mut(*filled..end).ok_or(Malformed)?.copy_from_slice(bytes);
    *filled = end;
    Ok(())
}

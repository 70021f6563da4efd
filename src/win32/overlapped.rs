//! Overlapped operations: from the caller's OVERLAPPED to its event, port packet or thread-pool callback.
//!
//! An [`Operation`] is begun by the C call and completed exactly once: late by the engine
//! ([`Operation::complete`]), inline by the call itself ([`Operation::finish_inline`]), or, if it is dropped,
//! as aborted. When the status has been published in `Internal`, the OVERLAPPED belongs to the caller again
//! and is not touched any more.
//!
//! ```text
//! begin ──► pending ──complete──► Internal, InternalHigh; event or device signal; packet
//!              ├─finish_inline(Ok)─► the same, but no packet with SKIP_PORT_ON_SUCCESS
//!              └─finish_inline(Err)► Internal only: the caller has its answer as return value
//! ```
#![expect(unsafe_code, reason = "writes the C caller's OVERLAPPED")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::device::{Device, OperationNumber, SKIP_PORT_ON_SUCCESS, SKIP_SET_EVENT};
use super::event::Event;
use super::object;
use super::signal::{Outcome, Signal, wait_until};
use crate::abi::base::OVERLAPPED;
use crate::abi::error::{Error, Result, STATUS_PENDING};

/// An operation on an OVERLAPPED that has not completed.
#[must_use = "dropping an operation aborts it"]
pub struct Operation {
    device: Arc<Device>,
    overlapped: *mut OVERLAPPED,
    event: Option<Arc<Event>>,
    number: OperationNumber,
    slot: u32,
    /// The caller asked for no packet (low bit of hEvent).
    quiet: bool,
    open: bool,
}

// SAFETY: the OVERLAPPED belongs to the process, not to a thread; the C caller keeps it valid until
// completion.
unsafe impl Send for Operation {}
// SAFETY: nothing is written through a shared reference.
unsafe impl Sync for Operation {}

impl Operation {
    /// Begins an operation: `Internal` becomes STATUS_PENDING, the event is reset, the operation can be
    /// cancelled. `INVALID_PARAMETER` for NULL, `NOACCESS` if misaligned, `INVALID_HANDLE` if hEvent is
    /// neither NULL nor an event (unless the device is bound to a port, where hEvent is documented as
    /// ignored).
    ///
    /// # Safety
    /// `overlapped` is NULL or valid for reads and writes until the operation has completed.
    pub unsafe fn begin(device: &Arc<Device>, overlapped: *mut OVERLAPPED) -> Result<Operation> {
        if overlapped.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        if !overlapped.is_aligned() {
            return Err(Error::NOACCESS);
        }
        // SAFETY: valid and aligned, per this function's contract.
        let event_handle = unsafe { (*overlapped).hEvent }.addr();
        let event = event_of(device, event_handle)?;
        // SAFETY: as above; no completion is under way yet.
        unsafe {
            (*overlapped).InternalHigh = 0;
            internal(overlapped).store(STATUS_PENDING as usize, Ordering::Relaxed);
        }
        match &event {
            Some(event) => event.operation_begun(),
            None => device.signal.reset(),
        }
        let (slot, number) = device.register(overlapped.expose_provenance());
        let quiet = event_handle & 1 != 0;
        Ok(Operation { device: Arc::clone(device), overlapped, event, number, slot, quiet, open: true })
    }

    /// The operation's number, by which the backend's `abort` knows it.
    pub fn number(&self) -> OperationNumber {
        self.number
    }

    /// The device it was begun on.
    pub fn device(&self) -> &Arc<Device> {
        &self.device
    }

    /// Completes the operation late: the call that began it has returned, or will return, `IO_PENDING`.
    pub fn complete(self, outcome: Result<u32>) {
        self.complete_with(outcome.map(drop), outcome.unwrap_or(0));
    }

    /// As [`Operation::complete`], for outcomes that carry bytes although they are errors (`MORE_DATA`).
    pub fn complete_with(mut self, status: Result<()>, bytes: u32) {
        self.end(status, bytes, true);
    }

    /// Ends the operation within the call that began it, and gives the code to return. Success is signalled
    /// like a late completion (unless the device's modes say otherwise); anything else is told by the return
    /// value alone: no event, no packet.
    pub fn finish_inline(mut self, status: Result<()>, bytes: u32) -> u32 {
        match status {
            Ok(()) => {
                let packet = !self.device.has_mode(SKIP_PORT_ON_SUCCESS);
                self.end(status, bytes, packet);
                0
            }
            Err(error) => {
                self.unregister();
                // SAFETY: the C caller keeps the OVERLAPPED valid until completion, which this is.
                unsafe { publish(self.overlapped, error.ntstatus(), bytes) };
                error.0
            }
        }
    }

    fn end(&mut self, status: Result<()>, bytes: u32, packet: bool) {
        self.unregister();
        let overlapped = self.overlapped;
        let ntstatus = status.map_or_else(Error::ntstatus, |()| 0);
        // SAFETY: the C caller keeps the OVERLAPPED valid until completion, which this is.
        let publish = || unsafe { publish(overlapped, ntstatus, bytes) };
        match &self.event {
            Some(event) => {
                event.signal.set_after(publish);
                if self.device.is_bound() {
                    // Who asks for the result may find the event closed, and then waits on the device.
                    self.device.signal.poke_after(|| ());
                }
            }
            None if self.device.has_mode(SKIP_SET_EVENT) => self.device.signal.poke_after(publish),
            None => self.device.signal.set_after(publish),
        }
        if packet && !self.quiet {
            self.device.deliver(overlapped.expose_provenance(), ntstatus, bytes as usize);
        }
    }

    fn unregister(&mut self) {
        self.open = false;
        self.device.unregister(self.slot);
        if let Some(event) = &self.event {
            event.operation_ended();
        }
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        if self.open {
            self.end(Err(Error::OPERATION_ABORTED), 0, true);
        }
    }
}

/// The outcome of the operation last begun on an OVERLAPPED: its bytes, and its error if it failed. Waits for
/// it until the deadline. `IO_INCOMPLETE` (996) if it is still pending then and `wait` is false, else
/// `WAIT_TIMEOUT`.
///
/// # Safety
/// `overlapped` is valid for reads and stays so during the call.
pub unsafe fn result(
    device: &Arc<Device>,
    overlapped: *mut OVERLAPPED,
    wait: bool,
    deadline: Option<Instant>,
) -> (u32, Result<()>) {
    // SAFETY: valid per this function's contract; operations write `Internal` as an atomic.
    let status = || unsafe { internal(overlapped) }.load(Ordering::Acquire) as u32;
    if status() == STATUS_PENDING {
        if !wait {
            return (0, Err(Error::IO_INCOMPLETE));
        }
        // SAFETY: as above; hEvent is the caller's and is not written by us.
        let event = match event_of(device, unsafe { (*overlapped).hEvent }.addr()) {
            Ok(event) => event,
            Err(error) => return (0, Err(error)),
        };
        let signal: &Signal = event.as_ref().map_or(&device.signal, |event| &event.signal);
        match wait_until(signal, deadline, true, || status() != STATUS_PENDING) {
            Outcome::TimedOut => return (0, Err(Error::WAIT_TIMEOUT)),
            Outcome::Closed => return (0, Err(Error::INVALID_HANDLE)),
            // As a wait on the event would have.
            Outcome::Signalled(_) => drop(event.is_some_and(|event| event.signal.try_take())),
        }
    }
    let outcome = Error::from_ntstatus(status());
    // SAFETY: the status is published, so the byte count before it is too.
    (unsafe { (*overlapped).InternalHigh } as u32, outcome)
}

/// The event an hEvent names, if any. On a bound device hEvent is documented as ignored, so nonsense is no
/// error.
fn event_of(device: &Device, handle: usize) -> Result<Option<Arc<Event>>> {
    match handle & !1 {
        0 => Ok(None),
        handle => match object::event(handle) {
            Ok(event) => Ok(Some(event)),
            Err(_) if device.is_bound() => Ok(None),
            Err(error) => Err(error),
        },
    }
}

/// # Safety
/// The OVERLAPPED is valid, and no operation is pending on it but the caller's own.
unsafe fn publish(overlapped: *mut OVERLAPPED, status: u32, bytes: u32) {
    // SAFETY: valid per this function's contract. The status comes last: who sees it sees the bytes.
    unsafe {
        (*overlapped).InternalHigh = bytes as usize;
        internal(overlapped).store(status as usize, Ordering::Release);
    }
}

/// # Safety
/// The OVERLAPPED is valid during `'a`.
unsafe fn internal<'a>(overlapped: *mut OVERLAPPED) -> &'a AtomicUsize {
    // SAFETY: valid and aligned per this function's contract; C reads the member as a volatile word.
    unsafe { AtomicUsize::from_ptr(&raw mut (*overlapped).Internal) }
}

#[cfg(test)]
mod tests {
    use super::super::device::{Backend, Cancel, SKIP_PORT_ON_SUCCESS};
    use super::super::object::Object;
    use super::super::port::Port;
    use super::super::signal::deadline;
    use super::*;
    use parking_lot::Mutex;
    use std::ptr;

    /// A backend that keeps its operations until told otherwise.
    #[derive(Default)]
    struct Shelf(Mutex<Vec<Operation>>);

    impl Backend for Shelf {
        fn abort(&self, number: OperationNumber) -> bool {
            let mut shelf = self.0.lock();
            let Some(index) = shelf.iter().position(|operation| operation.number() == number) else {
                return false;
            };
            let operation = shelf.remove(index);
            drop(shelf);
            operation.complete(Err(Error::OPERATION_ABORTED));
            true
        }

        fn close(&self) {
            let all = std::mem::take(&mut *self.0.lock());
            drop(all);
        }
    }

    fn overlapped() -> OVERLAPPED {
        // SAFETY: all members are integers and pointers.
        unsafe { std::mem::zeroed() }
    }

    fn begin(device: &Arc<Device>, overlapped: *mut OVERLAPPED) -> Operation {
        // SAFETY: the tests keep their OVERLAPPED until they have the result.
        unsafe { Operation::begin(device, overlapped) }.unwrap()
    }

    fn result_of(device: &Arc<Device>, overlapped: *mut OVERLAPPED, wait: bool) -> (u32, Result<()>) {
        // SAFETY: as above.
        unsafe { result(device, overlapped, wait, None) }
    }

    fn bound() -> (Arc<Device>, Arc<Port>) {
        let (device, port) = (Device::new(Shelf::default()), Port::new());
        device.bind(port.clone(), 5).unwrap();
        (device, port)
    }

    #[test]
    fn a_late_completion_reaches_event_result_and_port() {
        let (device, port) = bound();
        let event = Event::new(false, true);
        let mut ov = overlapped();
        ov.hEvent = ptr::with_exposed_provenance_mut(object::open(Object::Event(event.clone())).unwrap());
        let ov = &raw mut ov;
        let operation = begin(&device, ov);
        assert!(!event.signal.is_set() && event.has_operations() && device.has_operations());
        assert_eq!(result_of(&device, ov, false), (0, Err(Error::IO_INCOMPLETE)));
        let thread = std::thread::spawn(move || operation.complete_with(Err(Error::MORE_DATA), 77));
        assert_eq!(result_of(&device, ov, true), (77, Err(Error::MORE_DATA)));
        thread.join().unwrap();
        let packet = port.get(deadline(0)).unwrap();
        assert_eq!((packet.key, packet.overlapped, packet.bytes), (5, ov.addr(), 77));
        assert_eq!(packet.status, 0x8000_0005);
        assert!(!event.has_operations() && !device.has_operations());
    }

    #[test]
    fn inline_success_makes_a_packet_unless_skipped_and_inline_errors_never_do() {
        let (device, port) = bound();
        let mut ov = overlapped();
        assert_eq!(begin(&device, &mut ov).finish_inline(Ok(()), 3), 0);
        assert_eq!(port.get(deadline(0)).unwrap().bytes, 3);
        assert_eq!(begin(&device, &mut ov).finish_inline(Err(Error::MORE_DATA), 4), 234);
        assert_eq!(result_of(&device, &mut ov, false), (4, Err(Error::MORE_DATA)));
        device.add_modes(SKIP_PORT_ON_SUCCESS);
        assert_eq!(begin(&device, &mut ov).finish_inline(Ok(()), 3), 0);
        assert_eq!(port.get(deadline(0)), Err(Error::WAIT_TIMEOUT));
        begin(&device, &mut ov).complete(Ok(1));
        assert_eq!(port.get(deadline(0)).unwrap().bytes, 1);
    }

    #[test]
    fn the_low_bit_of_the_event_keeps_the_port_out_of_it() {
        let (device, port) = bound();
        let event = Event::new(true, false);
        let mut ov = overlapped();
        ov.hEvent = ptr::with_exposed_provenance_mut(object::open(Object::Event(event.clone())).unwrap() | 1);
        begin(&device, &mut ov).complete(Ok(1));
        assert!(event.signal.is_set());
        assert_eq!(port.get(deadline(0)), Err(Error::WAIT_TIMEOUT));
    }

    #[test]
    fn a_dropped_operation_is_aborted_and_wrong_arguments_are_refused() {
        let device = Device::new(Shelf::default());
        let mut ov = overlapped();
        drop(begin(&device, &mut ov));
        assert_eq!(result_of(&device, &mut ov, true), (0, Err(Error::OPERATION_ABORTED)));
        ov.hEvent = ptr::with_exposed_provenance_mut(0x7770);
        // SAFETY: NULL, misaligned and valid pointers are all allowed.
        let begin = |ov| unsafe { Operation::begin(&device, ov) }.err();
        assert_eq!(begin(&mut ov), Some(Error::INVALID_HANDLE));
        assert_eq!(begin(ptr::null_mut()), Some(Error::INVALID_PARAMETER));
        assert_eq!(begin((&raw mut ov).wrapping_byte_add(1)), Some(Error::NOACCESS));
    }

    #[test]
    fn cancelling_chooses_by_overlapped_and_by_thread() {
        let device = Device::new(Shelf::default());
        let mut ovs = [overlapped(), overlapped(), overlapped()];
        let shelf = &device.backend::<Shelf>().unwrap().0;
        for ov in &mut ovs {
            shelf.lock().push(begin(&device, ov));
        }
        let [a, b, c] = &mut ovs;
        let other = Arc::clone(&device);
        std::thread::spawn(move || assert_eq!(other.cancel(Cancel::ThisThread), Err(Error::NOT_FOUND)))
            .join()
            .unwrap();
        device.cancel(Cancel::Overlapped((&raw const *b).addr())).unwrap();
        assert_eq!(result_of(&device, b, true), (0, Err(Error::OPERATION_ABORTED)));
        assert_eq!(result_of(&device, a, false), (0, Err(Error::IO_INCOMPLETE)));
        device.cancel(Cancel::ThisThread).unwrap();
        assert_eq!(result_of(&device, a, true), (0, Err(Error::OPERATION_ABORTED)));
        assert_eq!(result_of(&device, c, true), (0, Err(Error::OPERATION_ABORTED)));
        assert_eq!(device.cancel(Cancel::All), Err(Error::NOT_FOUND));
    }

    #[test]
    fn a_cancellation_before_the_backend_knows_the_operation_is_repeated() {
        let device = Device::new(Shelf::default());
        let mut ov = overlapped();
        let operation = begin(&device, &mut ov);
        let number = operation.number();
        device.cancel(Cancel::All).unwrap();
        assert_eq!(result_of(&device, &mut ov, false), (0, Err(Error::IO_INCOMPLETE)));
        device.backend::<Shelf>().unwrap().0.lock().push(operation);
        device.accepted(number);
        assert_eq!(result_of(&device, &mut ov, true), (0, Err(Error::OPERATION_ABORTED)));
    }

    #[test]
    fn completion_and_cancellation_race_to_one_outcome() {
        let device = Device::new(Shelf::default());
        for round in 0..500u32 {
            let mut ov = overlapped();
            device.backend::<Shelf>().unwrap().0.lock().push(begin(&device, &mut ov));
            let other = Arc::clone(&device);
            let canceller = std::thread::spawn(move || {
                let _ = other.cancel(Cancel::All);
            });
            let taken = device.backend::<Shelf>().unwrap().0.lock().pop();
            let completed = taken.map(|operation| operation.complete(Ok(round))).is_some();
            let (bytes, outcome) = result_of(&device, &mut ov, true);
            assert_eq!(outcome, if completed { Ok(()) } else { Err(Error::OPERATION_ABORTED) });
            assert_eq!(bytes, if completed { round } else { 0 });
            canceller.join().unwrap();
        }
    }

    #[test]
    fn closing_the_device_ends_its_operations() {
        let device = Device::new(Shelf::default());
        let handle = object::open(Object::Device(device.clone())).unwrap();
        let mut ov = overlapped();
        device.backend::<Shelf>().unwrap().0.lock().push(begin(&device, &mut ov));
        let closer = std::thread::spawn(move || object::close(handle).unwrap());
        assert_eq!(result_of(&device, &mut ov, true), (0, Err(Error::OPERATION_ABORTED)));
        closer.join().unwrap();
    }
}

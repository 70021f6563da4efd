//! The thread pool: I/O callbacks, work, and the older BindIoCompletionCallback.
//!
//! Callbacks run on the library's own threads, several at once, with none of its locks held; they may block
//! and may call any function. PTP_IO and PTP_WORK are handles, so that a closed one is ignored and harms
//! nobody.
#![expect(unsafe_code, reason = "exports, and callbacks into C")]
#![expect(non_snake_case, non_camel_case_types, reason = "Windows spelling, as in the header")]

use std::ffi::c_void;
use std::ptr::{null_mut, with_exposed_provenance_mut, without_provenance_mut};
use std::sync::{Arc, OnceLock};

use super::handle::prepare_for_fork;
use crate::abi::base::{
    BOOL, HANDLE, LPOVERLAPPED_COMPLETION_ROUTINE, PTP_CALLBACK_ENVIRON, PTP_CALLBACK_INSTANCE, PTP_IO,
    PTP_WIN32_IO_CALLBACK, PTP_WORK, PVOID, TRUE, ULONG,
};
use crate::abi::error::{Error, Result};
use crate::capi::guard::{returning, returning_last_error};
use crate::win32::device::Packet;
use crate::win32::handles::HandleTable;
use crate::win32::object;
use crate::win32::threadpool::Callbacks;

/// A function of a program's that the pool calls for work.
pub type PTP_WORK_CALLBACK =
    Option<unsafe extern "C" fn(Instance: PTP_CALLBACK_INSTANCE, Context: PVOID, Work: PTP_WORK)>;
/// A function of a program's that the pool calls once.
pub type PTP_SIMPLE_CALLBACK = Option<unsafe extern "C" fn(Instance: PTP_CALLBACK_INSTANCE, Context: PVOID)>;

static IO: HandleTable<Arc<Callbacks>> = HandleTable::new(2);
static WORK: HandleTable<Arc<Callbacks>> = HandleTable::new(3);

/// The caller's context, handed back to it and never looked at.
#[derive(Clone, Copy)]
struct Context(*mut c_void);

// SAFETY: the program asked for callbacks on other threads with this pointer.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

impl Context {
    fn get(self) -> *mut c_void {
        self.0
    }
}

fn win32_code(packet: &Packet) -> ULONG {
    Error::from_ntstatus(packet.status).map_or_else(|error| error.0, |()| 0)
}

/// Binds a queue or file to the thread pool: pfnio is called with each completion (Windows error code in
/// IoResult). Call StartThreadpoolIo before every operation. The environment pcbe has no effect.
/// Returns the I/O object, to be closed with CloseThreadpoolIo, or NULL with ERROR_INVALID_HANDLE,
/// ERROR_INVALID_PARAMETER (bound already, no callback). Any thread. MSDN: CreateThreadpoolIo.
///
/// # Safety
/// `pfnio` may be called on any thread with `pv` until the last outstanding callback after CloseThreadpoolIo.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CreateThreadpoolIo(
    fl: HANDLE,
    pfnio: PTP_WIN32_IO_CALLBACK,
    pv: PVOID,
    pcbe: PTP_CALLBACK_ENVIRON,
) -> PTP_IO {
    let _ = pcbe;
    let io = returning_last_error(|| {
        let device = object::device(fl.addr())?;
        let callback = pfnio.ok_or(Error::INVALID_PARAMETER)?;
        let (context, name) = (Context(pv), Arc::new(OnceLock::new()));
        let io: Arc<OnceLock<usize>> = Arc::clone(&name);
        let callbacks = Callbacks::io(&device, move |packet| {
            let overlapped = with_exposed_provenance_mut(packet.overlapped);
            let io = without_provenance_mut(io.wait_for_name());
            // SAFETY: C caller, per CreateThreadpoolIo: callable on any thread.
            unsafe { callback(null_mut(), context.get(), overlapped, win32_code(packet), packet.bytes, io) };
        })?;
        let handle = IO.insert(Arc::clone(&callbacks)).inspect_err(|_| callbacks.close())?;
        let _ = name.set(handle);
        Ok(without_provenance_mut::<c_void>(handle))
    });
    io.cast()
}

/// The handle of the object a callback belongs to, which is known a moment after the callback could first
/// come.
trait Named {
    fn wait_for_name(&self) -> usize;
}

impl Named for OnceLock<usize> {
    fn wait_for_name(&self) -> usize {
        loop {
            if let Some(&name) = self.get() {
                return name;
            }
            std::thread::yield_now();
        }
    }
}

/// Announces an operation on the handle of an I/O object; call it before each one. If the operation fails
/// with anything but ERROR_IO_PENDING, or succeeds at once under FILE_SKIP_COMPLETION_PORT_ON_SUCCESS, call
/// CancelThreadpoolIo. Any thread. MSDN: StartThreadpoolIo.
#[unsafe(no_mangle)]
pub extern "C" fn StartThreadpoolIo(pio: PTP_IO) {
    with(&IO, pio.addr(), |io| io.start());
}

/// Takes an announcement back. Any thread. MSDN: CancelThreadpoolIo.
#[unsafe(no_mangle)]
pub extern "C" fn CancelThreadpoolIo(pio: PTP_IO) {
    with(&IO, pio.addr(), |io| io.cancel());
}

/// Waits until every announced operation has been called back; with fCancelPendingCallbacks, drops the
/// callbacks that have not begun and waits only for those that run. Not from a callback of the same object.
/// MSDN: WaitForThreadpoolIoCallbacks.
#[unsafe(no_mangle)]
pub extern "C" fn WaitForThreadpoolIoCallbacks(pio: PTP_IO, fCancelPendingCallbacks: BOOL) {
    with(&IO, pio.addr(), |io| io.wait(fCancelPendingCallbacks != 0));
}

/// Releases an I/O object. Outstanding callbacks still come; after them the handle is free for another
/// binding. Any thread, callbacks included. MSDN: CloseThreadpoolIo.
#[unsafe(no_mangle)]
pub extern "C" fn CloseThreadpoolIo(pio: PTP_IO) {
    close(&IO, pio.addr());
}

/// Creates work: a function the pool calls once for each SubmitThreadpoolWork. The environment pcbe has no
/// effect.
/// Returns the work, to be closed with CloseThreadpoolWork, or NULL with ERROR_INVALID_PARAMETER (no
/// callback). Any thread. MSDN: CreateThreadpoolWork.
///
/// # Safety
/// `pfnwk` may be called on any thread with `pv` until the last outstanding callback after
/// CloseThreadpoolWork.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CreateThreadpoolWork(
    pfnwk: PTP_WORK_CALLBACK,
    pv: PVOID,
    pcbe: PTP_CALLBACK_ENVIRON,
) -> PTP_WORK {
    let _ = pcbe;
    let work = returning_last_error(|| {
        prepare_for_fork();
        let callback = pfnwk.ok_or(Error::INVALID_PARAMETER)?;
        let (context, name) = (Context(pv), Arc::new(OnceLock::new()));
        let work: Arc<OnceLock<usize>> = Arc::clone(&name);
        let callbacks = Callbacks::work(move || {
            // SAFETY: C caller, per CreateThreadpoolWork: callable on any thread.
            unsafe { callback(null_mut(), context.get(), without_provenance_mut(work.wait_for_name())) };
        });
        let handle = WORK.insert(callbacks)?;
        let _ = name.set(handle);
        Ok(without_provenance_mut::<c_void>(handle))
    });
    work.cast()
}

/// Has the pool call the work once more. Any thread. MSDN: SubmitThreadpoolWork.
#[unsafe(no_mangle)]
pub extern "C" fn SubmitThreadpoolWork(pwk: PTP_WORK) {
    // Windows has no way to report failure here either.
    with(&WORK, pwk.addr(), |work| {
        let _ = work.submit();
    });
}

/// Waits until every submitted call has ended; with fCancelPendingCallbacks, drops those that have not begun
/// and waits only for those that run. Not from a callback of the same work. MSDN:
/// WaitForThreadpoolWorkCallbacks.
#[unsafe(no_mangle)]
pub extern "C" fn WaitForThreadpoolWorkCallbacks(pwk: PTP_WORK, fCancelPendingCallbacks: BOOL) {
    with(&WORK, pwk.addr(), |work| work.wait(fCancelPendingCallbacks != 0));
}

/// Releases work. Outstanding callbacks still come. Any thread, callbacks included. MSDN:
/// CloseThreadpoolWork.
#[unsafe(no_mangle)]
pub extern "C" fn CloseThreadpoolWork(pwk: PTP_WORK) {
    close(&WORK, pwk.addr());
}

/// Has the pool call a function once. The environment pcbe has no effect.
/// Returns TRUE, or FALSE with ERROR_INVALID_PARAMETER (no callback), ERROR_NO_SYSTEM_RESOURCES. Any thread.
/// MSDN: TrySubmitThreadpoolCallback.
///
/// # Safety
/// `pfns` may be called on any thread with `pv`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn TrySubmitThreadpoolCallback(
    pfns: PTP_SIMPLE_CALLBACK,
    pv: PVOID,
    pcbe: PTP_CALLBACK_ENVIRON,
) -> BOOL {
    let _ = pcbe;
    returning_last_error(|| {
        prepare_for_fork();
        let callback = pfns.ok_or(Error::INVALID_PARAMETER)?;
        let context = Context(pv);
        // SAFETY: C caller, per TrySubmitThreadpoolCallback: callable on any thread.
        Callbacks::work(move || unsafe { callback(null_mut(), context.get()) }).submit().map(|()| TRUE)
    })
}

/// Binds a queue or file to the thread pool for good: Function is called with each completion, dwErrorCode
/// being the operation's NTSTATUS. Flags must be 0. Returns TRUE, or FALSE with ERROR_INVALID_HANDLE,
/// ERROR_INVALID_PARAMETER (bound already, no function, flags). Any thread. MSDN: BindIoCompletionCallback.
///
/// # Safety
/// `Function` may be called on any thread until the handle is closed and its operations have completed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn BindIoCompletionCallback(
    FileHandle: HANDLE,
    Function: LPOVERLAPPED_COMPLETION_ROUTINE,
    Flags: ULONG,
) -> BOOL {
    returning_last_error(|| -> Result<BOOL> {
        let device = object::device(FileHandle.addr())?;
        let function = Function.filter(|_| Flags == 0).ok_or(Error::INVALID_PARAMETER)?;
        Callbacks::io(&device, move |packet| {
            let overlapped = with_exposed_provenance_mut(packet.overlapped);
            // SAFETY: C caller, per BindIoCompletionCallback: callable on any thread.
            unsafe { function(packet.status, packet.bytes as u32, overlapped) };
        })?;
        Ok(TRUE)
    })
}

fn with(table: &HandleTable<Arc<Callbacks>>, handle: usize, act: impl FnOnce(&Arc<Callbacks>)) {
    returning((), || {
        if let Ok(callbacks) = table.get(handle) {
            act(&callbacks);
        }
    });
}

fn close(table: &HandleTable<Arc<Callbacks>>, handle: usize) {
    returning((), || {
        if let Ok(callbacks) = table.remove(handle) {
            callbacks.close();
        }
    });
}

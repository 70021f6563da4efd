//! Handles as such: closing, duplicating, the pseudo handles of process and thread.
#![expect(unsafe_code, reason = "exports, and out-parameters of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::ptr::{null_mut, without_provenance_mut};
use std::sync::Once;

use super::read::put;
use crate::abi::base::{BOOL, DWORD, FALSE, HANDLE, INVALID_HANDLE_VALUE, LPHANDLE, TRUE};
use crate::abi::error::{Error, Result};
use crate::capi::guard::returning_last_error;
use crate::win32::handles::forget_after_fork;
use crate::win32::object::{self, Object};

const DUPLICATE_CLOSE_SOURCE: DWORD = 1;
const CURRENT_PROCESS: HANDLE = INVALID_HANDLE_VALUE;
const CURRENT_THREAD: HANDLE = without_provenance_mut(usize::MAX - 1);

/// Gives an object a handle for C.
pub(crate) fn open(object: Object) -> Result<HANDLE> {
    prepare_for_fork();
    object::open(object).map(without_provenance_mut)
}

/// Sees to it that the child of a fork gets errors, and does not wait for threads it does not have. Every
/// call that may start threads or give out a handle goes through here first.
pub(crate) fn prepare_for_fork() {
    static PREPARED: Once = Once::new();
    PREPARED.call_once(|| {
        // SAFETY: the child's handler stores one atomic, which is allowed after a fork of threads.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
}

extern "C" fn in_child() {
    forget_after_fork();
}

/// Closes a handle of any kind: event, thread, semaphore, completion port, file, access token, request queue.
///
/// Waits and operations on an object whose last handle is closed end: operations of a queue with
/// ERROR_OPERATION_ABORTED, waits for a port with ERROR_ABANDONED_WAIT_0, waits for an event or semaphore
/// with WAIT_FAILED and ERROR_INVALID_HANDLE. Pseudo handles are accepted and nothing is closed.
/// Returns TRUE, or FALSE with ERROR_INVALID_HANDLE. Any thread. MSDN: CloseHandle.
///
/// Differs from Windows: a wait for an event whose last handle is closed ends; on Windows it would last for
/// ever.
#[unsafe(no_mangle)]
pub extern "C" fn CloseHandle(hObject: HANDLE) -> BOOL {
    returning_last_error(|| {
        if hObject == CURRENT_PROCESS || hObject == CURRENT_THREAD {
            return Ok(TRUE);
        }
        object::close(hObject.addr()).map(|()| TRUE)
    })
}

/// Makes a second handle of an object. Both processes must be the current one (GetCurrentProcess()); access,
/// inheritance and DUPLICATE_SAME_ACCESS have no effect; DUPLICATE_CLOSE_SOURCE closes the source, even if
/// this fails.
/// Returns TRUE, or FALSE with ERROR_INVALID_HANDLE (source or process), ERROR_INVALID_PARAMETER (no place
/// for the handle and not closing). Any thread. MSDN: DuplicateHandle.
///
/// Differs from Windows: handles cannot be given to another process, nor made of the pseudo handles.
///
/// # Safety
/// `lpTargetHandle` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn DuplicateHandle(
    hSourceProcessHandle: HANDLE,
    hSourceHandle: HANDLE,
    hTargetProcessHandle: HANDLE,
    lpTargetHandle: LPHANDLE,
    dwDesiredAccess: DWORD,
    bInheritHandle: BOOL,
    dwOptions: DWORD,
) -> BOOL {
    let _ = (dwDesiredAccess, bInheritHandle);
    returning_last_error(|| {
        if hSourceProcessHandle != CURRENT_PROCESS {
            return Err(Error::INVALID_HANDLE);
        }
        let source = object::find(hSourceHandle.addr());
        if dwOptions & DUPLICATE_CLOSE_SOURCE != 0 {
            // The second handle comes first, or the object might end in between.
            let duplicate = source.and_then(|source| duplicate(source, hTargetProcessHandle, lpTargetHandle));
            object::close(hSourceHandle.addr())?;
            // SAFETY: C caller, per DuplicateHandle: NULL or writable.
            return duplicate.map(|handle| unsafe { put(lpTargetHandle, handle) }).map(|()| TRUE);
        }
        if lpTargetHandle.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        let handle = duplicate(source?, hTargetProcessHandle, lpTargetHandle)?;
        // SAFETY: C caller, per DuplicateHandle: writable.
        unsafe { put(lpTargetHandle, handle) };
        Ok(TRUE)
    })
}

fn duplicate(source: Object, process: HANDLE, target: LPHANDLE) -> Result<HANDLE> {
    match (target.is_null(), process) {
        // Closing the source is all that is asked.
        (true, _) => Ok(null_mut()),
        (false, CURRENT_PROCESS) => open(source),
        (false, _) => Err(Error::INVALID_HANDLE),
    }
}

/// The pseudo handle (HANDLE)-1 of this process; it need not be closed. MSDN: GetCurrentProcess.
#[unsafe(no_mangle)]
pub extern "C" fn GetCurrentProcess() -> HANDLE {
    CURRENT_PROCESS
}

/// The pseudo handle (HANDLE)-2 of the calling thread; it need not be closed. MSDN: GetCurrentThread.
#[unsafe(no_mangle)]
pub extern "C" fn GetCurrentThread() -> HANDLE {
    CURRENT_THREAD
}

/// Whether a handle names the current process; for the functions that take one.
pub(super) fn is_current_process(handle: HANDLE) -> bool {
    handle == CURRENT_PROCESS
}

/// Whether two handles name the same object. Returns FALSE, last error untouched, if they do not or if one of
/// them is invalid. Any thread. MSDN: CompareObjectHandles.
#[unsafe(no_mangle)]
pub extern "C" fn CompareObjectHandles(hFirstObjectHandle: HANDLE, hSecondObjectHandle: HANDLE) -> BOOL {
    let same = match (object::find(hFirstObjectHandle.addr()), object::find(hSecondObjectHandle.addr())) {
        (Ok(first), Ok(second)) => first.is(&second),
        _ => false,
    };
    if same { TRUE } else { FALSE }
}

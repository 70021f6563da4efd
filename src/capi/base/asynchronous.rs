//! Asynchronous I/O: results of overlapped operations, cancelling them, and how a device tells of them.
#![expect(unsafe_code, reason = "exports, and the OVERLAPPED of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::time::Instant;

use super::read::put;
use crate::abi::base::{BOOL, DWORD, HANDLE, INFINITE, LPDWORD, LPOVERLAPPED, TRUE, UCHAR};
use crate::abi::error::{Error, Result};
use crate::capi::guard::returning_last_error;
use crate::win32::device::{Cancel, SKIP_PORT_ON_SUCCESS, SKIP_SET_EVENT};
use crate::win32::signal::deadline;
use crate::win32::{object, overlapped};

/// # Safety
/// `overlapped` is NULL or valid during the call, `transferred` NULL or writable.
unsafe fn result_of(
    file: HANDLE,
    overlapped: LPOVERLAPPED,
    transferred: LPDWORD,
    wait: bool,
    deadline: Option<Instant>,
) -> Result<BOOL> {
    if overlapped.is_null() {
        return Err(Error::INVALID_PARAMETER);
    }
    if !overlapped.is_aligned() {
        return Err(Error::NOACCESS);
    }
    let device = object::device(file.addr())?;
    // SAFETY: the caller's promise, passed on.
    let (bytes, outcome) = unsafe { overlapped::result(&device, overlapped, wait, deadline) };
    let pending = matches!(outcome, Err(Error::IO_INCOMPLETE | Error::WAIT_TIMEOUT | Error::INVALID_HANDLE))
        && bytes == 0;
    if !pending {
        // SAFETY: the caller's promise: NULL or writable.
        unsafe { put(transferred, bytes) };
    }
    outcome.map(|()| TRUE)
}

/// Tells how an overlapped operation ended. hFile is the queue or file it was begun on;
/// *lpNumberOfBytesTransferred gets its byte count, also when it failed with ERROR_MORE_DATA. With bWait the
/// call waits for hEvent of the OVERLAPPED, or for the handle itself if there is none.
/// Returns TRUE, or FALSE with the operation's error, ERROR_IO_INCOMPLETE (still pending, and bWait is
/// FALSE), ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER. Any thread. MSDN: GetOverlappedResult.
///
/// # Safety
/// `lpOverlapped` is valid for reads; `lpNumberOfBytesTransferred` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetOverlappedResult(
    hFile: HANDLE,
    lpOverlapped: LPOVERLAPPED,
    lpNumberOfBytesTransferred: LPDWORD,
    bWait: BOOL,
) -> BOOL {
    // SAFETY: C caller, per GetOverlappedResult.
    returning_last_error(|| unsafe {
        result_of(hFile, lpOverlapped, lpNumberOfBytesTransferred, bWait != 0, None)
    })
}

/// As GetOverlappedResult, waiting at most dwMilliseconds (0: not at all, ERROR_IO_INCOMPLETE if pending;
/// else WAIT_TIMEOUT as error when they have passed; INFINITE). bAlertable has no effect. MSDN:
/// GetOverlappedResultEx.
///
/// # Safety
/// As for GetOverlappedResult.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetOverlappedResultEx(
    hFile: HANDLE,
    lpOverlapped: LPOVERLAPPED,
    lpNumberOfBytesTransferred: LPDWORD,
    dwMilliseconds: DWORD,
    bAlertable: BOOL,
) -> BOOL {
    let _ = bAlertable;
    // SAFETY: C caller, per GetOverlappedResultEx.
    returning_last_error(|| unsafe {
        let until = if dwMilliseconds == INFINITE { None } else { deadline(dwMilliseconds) };
        result_of(hFile, lpOverlapped, lpNumberOfBytesTransferred, dwMilliseconds != 0, until)
    })
}

/// Cancels operations pending on a queue or file: the one on lpOverlapped, or all (NULL), whichever thread
/// began them. Each completes with ERROR_OPERATION_ABORTED, unless it completes otherwise first; the
/// OVERLAPPED is in use until then.
/// Returns TRUE, or FALSE with ERROR_NOT_FOUND (none such pending), ERROR_INVALID_HANDLE. Any thread. MSDN:
/// CancelIoEx.
#[unsafe(no_mangle)]
pub extern "C" fn CancelIoEx(hFile: HANDLE, lpOverlapped: LPOVERLAPPED) -> BOOL {
    returning_last_error(|| {
        let which =
            if lpOverlapped.is_null() { Cancel::All } else { Cancel::Overlapped(lpOverlapped.addr()) };
        object::device(hFile.addr())?.cancel(which).map(|()| TRUE)
    })
}

/// Cancels the operations the calling thread has pending on a queue or file, as CancelIoEx does; that there
/// are none is no error. Returns TRUE, or FALSE with ERROR_INVALID_HANDLE. MSDN: CancelIo.
#[unsafe(no_mangle)]
pub extern "C" fn CancelIo(hFile: HANDLE) -> BOOL {
    returning_last_error(|| match object::device(hFile.addr())?.cancel(Cancel::ThisThread) {
        Ok(()) | Err(Error::NOT_FOUND) => Ok(TRUE),
        Err(error) => Err(error),
    })
}

/// Sets how a queue or file tells of completions. FILE_SKIP_COMPLETION_PORT_ON_SUCCESS: an operation that
/// succeeds at once makes no packet and no thread-pool callback. FILE_SKIP_SET_EVENT_ON_HANDLE: operations do
/// not signal the handle itself; hEvent of the OVERLAPPED is still signalled. A mode once set stays.
/// Returns TRUE, or FALSE with ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER (unknown flags). Any thread.
/// MSDN: SetFileCompletionNotificationModes.
#[unsafe(no_mangle)]
pub extern "C" fn SetFileCompletionNotificationModes(FileHandle: HANDLE, Flags: UCHAR) -> BOOL {
    returning_last_error(|| {
        let device = object::device(FileHandle.addr())?;
        if Flags & !(SKIP_PORT_ON_SUCCESS | SKIP_SET_EVENT) != 0 {
            return Err(Error::INVALID_PARAMETER);
        }
        device.add_modes(Flags);
        Ok(TRUE)
    })
}

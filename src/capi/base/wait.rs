//! Waiting for objects, and sleeping.
#![expect(unsafe_code, reason = "exports, and the array of handles")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::time::Duration;

use super::read::bytes;
use crate::abi::base::{BOOL, DWORD, HANDLE, INFINITE, WAIT_FAILED};
use crate::abi::error::{Error, Result};
use crate::capi::guard::returning_or;
use crate::win32::waits::{MAXIMUM_WAIT_OBJECTS, wait_for_multiple_objects, wait_for_single_object};

/// Waits until an event, thread, semaphore, queue or file is signalled. dwMilliseconds may be 0 (only look)
/// or INFINITE. While operations are pending on the object, the waiting thread does the library's I/O; it
/// never runs callbacks.
/// Returns WAIT_OBJECT_0, WAIT_TIMEOUT, or WAIT_FAILED with ERROR_INVALID_HANDLE (also when the last handle
/// is closed meanwhile). MSDN: WaitForSingleObject.
#[unsafe(no_mangle)]
pub extern "C" fn WaitForSingleObject(hHandle: HANDLE, dwMilliseconds: DWORD) -> DWORD {
    returning_or(WAIT_FAILED, || wait_for_single_object(hHandle.addr(), dwMilliseconds))
}

/// As WaitForSingleObject. There are no asynchronous procedure calls here, so bAlertable has no effect.
/// MSDN: WaitForSingleObjectEx.
#[unsafe(no_mangle)]
pub extern "C" fn WaitForSingleObjectEx(hHandle: HANDLE, dwMilliseconds: DWORD, bAlertable: BOOL) -> DWORD {
    let _ = bAlertable;
    WaitForSingleObject(hHandle, dwMilliseconds)
}

/// Waits until one (bWaitAll FALSE) or all of 1 to 64 objects are signalled; those that release the wait are
/// taken together. Returns WAIT_OBJECT_0 plus the index of the first that released it (WAIT_OBJECT_0 for
/// all), WAIT_TIMEOUT, or WAIT_FAILED with ERROR_INVALID_PARAMETER (count, or one object twice in a wait for
/// all), ERROR_INVALID_HANDLE.
/// MSDN: WaitForMultipleObjects.
///
/// # Safety
/// `lpHandles` is valid for reads of `nCount` handles.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WaitForMultipleObjects(
    nCount: DWORD,
    lpHandles: *const HANDLE,
    bWaitAll: BOOL,
    dwMilliseconds: DWORD,
) -> DWORD {
    returning_or(WAIT_FAILED, || -> Result<DWORD> {
        if lpHandles.is_null() || nCount as usize > MAXIMUM_WAIT_OBJECTS {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per WaitForMultipleObjects: nCount handles.
        let handles = unsafe { bytes(lpHandles, nCount as usize) };
        let handles: smallvec::SmallVec<[usize; 8]> = handles.iter().map(|handle| handle.addr()).collect();
        wait_for_multiple_objects(&handles, bWaitAll != 0, dwMilliseconds)
    })
}

/// As WaitForMultipleObjects; bAlertable has no effect. MSDN: WaitForMultipleObjectsEx.
///
/// # Safety
/// `lpHandles` is valid for reads of `nCount` handles.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WaitForMultipleObjectsEx(
    nCount: DWORD,
    lpHandles: *const HANDLE,
    bWaitAll: BOOL,
    dwMilliseconds: DWORD,
    bAlertable: BOOL,
) -> DWORD {
    let _ = bAlertable;
    // SAFETY: the same contract.
    unsafe { WaitForMultipleObjects(nCount, lpHandles, bWaitAll, dwMilliseconds) }
}

/// Sleeps. 0 gives the rest of the time slice away; INFINITE never returns. MSDN: Sleep.
#[unsafe(no_mangle)]
pub extern "C" fn Sleep(dwMilliseconds: DWORD) {
    match dwMilliseconds {
        0 => std::thread::yield_now(),
        INFINITE => loop {
            std::thread::park();
        },
        milliseconds => std::thread::sleep(Duration::from_millis(milliseconds.into())),
    }
}

/// As Sleep; bAlertable has no effect. Returns 0. MSDN: SleepEx.
#[unsafe(no_mangle)]
pub extern "C" fn SleepEx(dwMilliseconds: DWORD, bAlertable: BOOL) -> DWORD {
    let _ = bAlertable;
    Sleep(dwMilliseconds);
    0
}

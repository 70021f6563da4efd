//! Events and semaphores.
//!
//! Names are known within the process: creating an event under a name in use gives another handle to the same
//! event and leaves ERROR_ALREADY_EXISTS as last error.
#![expect(unsafe_code, reason = "exports, and strings of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use parking_lot::Mutex;

use super::handle::open;
use super::read::{optional, put};
use crate::abi::base::{BOOL, DWORD, HANDLE, LONG, LPCSTR, LPCWSTR, LPLONG, LPSECURITY_ATTRIBUTES, TRUE};
use crate::abi::error::{Error, Result};
use crate::capi::guard::{returning_last_error, set_last_error};
use crate::win32::event::Event;
use crate::win32::handles::is_forked;
use crate::win32::object::{self, Object, WeakObject};
use crate::win32::semaphore::Semaphore;
use crate::win32::{last_error, text};

const CREATE_EVENT_MANUAL_RESET: DWORD = 1;
const CREATE_EVENT_INITIAL_SET: DWORD = 2;

static NAMES: LazyLock<Mutex<HashMap<Vec<u16>, WeakObject>>> = LazyLock::new(Mutex::default);

/// Opens the object of that name, or makes one and gives it the name.
fn open_named(name: Option<&[u16]>, make: impl FnOnce() -> Result<Object>) -> Result<HANDLE> {
    let made = make()?;
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        let handle = open(made)?;
        last_error::set(0);
        return Ok(handle);
    };
    if is_forked() {
        return Err(Error::NOT_READY);
    }
    let mut names = NAMES.lock();
    names.retain(|_, object| object.is_alive());
    if let Some(object) = names.get(name).and_then(WeakObject::upgrade) {
        if !object.is_same_kind(&made) {
            return Err(Error::INVALID_HANDLE);
        }
        // If its last handle is being closed at this moment, the name is free.
        if let Ok(handle) = open(object) {
            set_last_error(Error::ALREADY_EXISTS.0);
            return Ok(handle);
        }
    }
    let weak = made.downgrade();
    let handle = open(made)?;
    names.insert(name.to_vec(), weak);
    last_error::set(0);
    Ok(handle)
}

/// The name in UTF-16.
///
/// # Safety
/// `name` is NULL or ends in NUL.
unsafe fn wide_name(name: LPCSTR) -> Option<Vec<u16>> {
    // SAFETY: the caller promises the NUL.
    let name = unsafe { optional(name.cast::<u8>()) }?;
    Some(text::to_wide(&String::from_utf8_lossy(name)))
}

fn create_event(name: Option<&[u16]>, manual: bool, signalled: bool) -> Result<HANDLE> {
    open_named(name, || Ok(Object::Event(Event::new(manual, signalled))))
}

/// Creates an event, or opens the event of that name in this process (then the last error is
/// ERROR_ALREADY_EXISTS, else 0). bManualReset: stays signalled until ResetEvent; otherwise each signal
/// releases one thread. Security attributes have no effect. Returns a handle to be closed with CloseHandle,
/// or NULL with ERROR_INVALID_HANDLE (the name belongs to another kind of object). Any thread. MSDN:
/// CreateEventW.
///
/// Differs from Windows: other processes do not see the name.
///
/// # Safety
/// `lpName` is NULL or ends in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CreateEventW(
    lpEventAttributes: LPSECURITY_ATTRIBUTES,
    bManualReset: BOOL,
    bInitialState: BOOL,
    lpName: LPCWSTR,
) -> HANDLE {
    let _ = lpEventAttributes;
    returning_last_error(|| {
        // SAFETY: C caller, per CreateEventW: ends in NUL.
        create_event(unsafe { optional(lpName) }, bManualReset != 0, bInitialState != 0)
    })
}

/// As CreateEventW, with a name in UTF-8. MSDN: CreateEventA.
///
/// # Safety
/// `lpName` is NULL or ends in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CreateEventA(
    lpEventAttributes: LPSECURITY_ATTRIBUTES,
    bManualReset: BOOL,
    bInitialState: BOOL,
    lpName: LPCSTR,
) -> HANDLE {
    let _ = lpEventAttributes;
    returning_last_error(|| {
        // SAFETY: C caller, per CreateEventA: ends in NUL.
        create_event(unsafe { wide_name(lpName) }.as_deref(), bManualReset != 0, bInitialState != 0)
    })
}

fn create_event_ex(name: Option<&[u16]>, flags: DWORD) -> Result<HANDLE> {
    if flags & !(CREATE_EVENT_MANUAL_RESET | CREATE_EVENT_INITIAL_SET) != 0 {
        return Err(Error::INVALID_PARAMETER);
    }
    create_event(name, flags & CREATE_EVENT_MANUAL_RESET != 0, flags & CREATE_EVENT_INITIAL_SET != 0)
}

/// As CreateEventW, with CREATE_EVENT_MANUAL_RESET and CREATE_EVENT_INITIAL_SET as flags (others:
/// ERROR_INVALID_PARAMETER). dwDesiredAccess has no effect. MSDN: CreateEventExW.
///
/// # Safety
/// `lpName` is NULL or ends in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CreateEventExW(
    lpEventAttributes: LPSECURITY_ATTRIBUTES,
    lpName: LPCWSTR,
    dwFlags: DWORD,
    dwDesiredAccess: DWORD,
) -> HANDLE {
    let _ = (lpEventAttributes, dwDesiredAccess);
    // SAFETY: C caller, per CreateEventExW: ends in NUL.
    returning_last_error(|| create_event_ex(unsafe { optional(lpName) }, dwFlags))
}

/// As CreateEventExW, with a name in UTF-8. MSDN: CreateEventExA.
///
/// # Safety
/// `lpName` is NULL or ends in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CreateEventExA(
    lpEventAttributes: LPSECURITY_ATTRIBUTES,
    lpName: LPCSTR,
    dwFlags: DWORD,
    dwDesiredAccess: DWORD,
) -> HANDLE {
    let _ = (lpEventAttributes, dwDesiredAccess);
    // SAFETY: C caller, per CreateEventExA: ends in NUL.
    returning_last_error(|| create_event_ex(unsafe { wide_name(lpName) }.as_deref(), dwFlags))
}

/// Signals an event. Returns TRUE, or FALSE with ERROR_INVALID_HANDLE. Any thread. MSDN: SetEvent.
#[unsafe(no_mangle)]
pub extern "C" fn SetEvent(hEvent: HANDLE) -> BOOL {
    returning_last_error(|| {
        object::event(hEvent.addr())?.signal.set();
        Ok(TRUE)
    })
}

/// Takes the signal of an event back. Returns TRUE, or FALSE with ERROR_INVALID_HANDLE. Any thread. MSDN:
/// ResetEvent.
#[unsafe(no_mangle)]
pub extern "C" fn ResetEvent(hEvent: HANDLE) -> BOOL {
    returning_last_error(|| {
        object::event(hEvent.addr())?.signal.reset();
        Ok(TRUE)
    })
}

/// Creates a semaphore with a count of lInitialCount, at most lMaximumCount; each wait takes one. Names as
/// for CreateEventW. Returns a handle to be closed with CloseHandle, or NULL with ERROR_INVALID_PARAMETER
/// (counts), ERROR_INVALID_HANDLE (the name belongs to another kind). Any thread. MSDN: CreateSemaphoreW.
///
/// # Safety
/// `lpName` is NULL or ends in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CreateSemaphoreW(
    lpSemaphoreAttributes: LPSECURITY_ATTRIBUTES,
    lInitialCount: LONG,
    lMaximumCount: LONG,
    lpName: LPCWSTR,
) -> HANDLE {
    let _ = lpSemaphoreAttributes;
    returning_last_error(|| {
        // SAFETY: C caller, per CreateSemaphoreW: ends in NUL.
        let name = unsafe { optional(lpName) };
        open_named(name, || Semaphore::new(lInitialCount, lMaximumCount).map(Object::Semaphore))
    })
}

/// As CreateSemaphoreW, with a name in UTF-8. MSDN: CreateSemaphoreA.
///
/// # Safety
/// `lpName` is NULL or ends in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CreateSemaphoreA(
    lpSemaphoreAttributes: LPSECURITY_ATTRIBUTES,
    lInitialCount: LONG,
    lMaximumCount: LONG,
    lpName: LPCSTR,
) -> HANDLE {
    let _ = lpSemaphoreAttributes;
    returning_last_error(|| {
        // SAFETY: C caller, per CreateSemaphoreA: ends in NUL.
        let name = unsafe { wide_name(lpName) };
        open_named(name.as_deref(), || Semaphore::new(lInitialCount, lMaximumCount).map(Object::Semaphore))
    })
}

/// Adds lReleaseCount (at least 1) to a semaphore and gives the count before in *lpPreviousCount (may be
/// NULL).
/// Returns TRUE, or FALSE with ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, or ERROR_TOO_MANY_POSTS (298)
/// if the maximum would be passed; then nothing is added. Any thread. MSDN: ReleaseSemaphore.
///
/// # Safety
/// `lpPreviousCount` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ReleaseSemaphore(
    hSemaphore: HANDLE,
    lReleaseCount: LONG,
    lpPreviousCount: LPLONG,
) -> BOOL {
    returning_last_error(|| {
        let semaphore: Arc<Semaphore> = object::semaphore(hSemaphore.addr())?;
        let more =
            u32::try_from(lReleaseCount).ok().filter(|&more| more > 0).ok_or(Error::INVALID_PARAMETER)?;
        let before = semaphore.signal.add(more)?;
        // SAFETY: C caller, per ReleaseSemaphore: NULL or writable.
        unsafe { put(lpPreviousCount, before as LONG) };
        Ok(TRUE)
    })
}

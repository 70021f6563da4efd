//! Threads and the numbers of thread and process.
#![expect(unsafe_code, reason = "exports, and the program's thread function")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::ffi::c_void;
use std::sync::Arc;

use super::handle::open;
use super::read::put;
use crate::abi::base::{
    BOOL, DWORD, HANDLE, LPDWORD, LPSECURITY_ATTRIBUTES, LPTHREAD_START_ROUTINE, LPVOID, PUINT, SIZE_T, TRUE,
    UINT, UINT_PTR,
};
use crate::abi::error::{Error, Result};
use crate::capi::guard::{returning_last_error, returning_or};
use crate::win32::handles::is_forked;
use crate::win32::object::{self, Object};
use crate::win32::signal::{Mode, Signal, wait_any};
use crate::win32::thread::Thread;

const CREATE_SUSPENDED: DWORD = 4;
const STACK_SIZE_PARAM_IS_A_RESERVATION: DWORD = 0x1_0000;
const LEAST_STACK: usize = 64 * 1024;

/// The program's argument, handed to its thread function and never looked at.
struct Argument(*mut c_void);

// SAFETY: the program asked for a thread that gets this pointer.
unsafe impl Send for Argument {}

/// Starts a thread that calls lpStartAddress(lpParameter). dwStackSize 0 is the system's default; flags are
/// STACK_SIZE_PARAM_IS_A_RESERVATION (no effect) and CREATE_SUSPENDED (waits for ResumeThread). Security
/// attributes have no effect. *lpThreadId (may be NULL) gets the number GetCurrentThreadId gives there.
/// Returns a handle that is signalled when the function has returned, to be closed with CloseHandle, or NULL
/// with ERROR_INVALID_PARAMETER, ERROR_NO_SYSTEM_RESOURCES. MSDN: CreateThread.
///
/// # Safety
/// `lpStartAddress` may be called with `lpParameter` on another thread; `lpThreadId` is NULL or valid for
/// writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CreateThread(
    lpThreadAttributes: LPSECURITY_ATTRIBUTES,
    dwStackSize: SIZE_T,
    lpStartAddress: LPTHREAD_START_ROUTINE,
    lpParameter: LPVOID,
    dwCreationFlags: DWORD,
    lpThreadId: LPDWORD,
) -> HANDLE {
    let _ = lpThreadAttributes;
    returning_last_error(|| {
        let start = lpStartAddress.ok_or(Error::INVALID_PARAMETER)?;
        if dwCreationFlags & !(CREATE_SUSPENDED | STACK_SIZE_PARAM_IS_A_RESERVATION) != 0 {
            return Err(Error::INVALID_PARAMETER);
        }
        let argument = Argument(lpParameter);
        let run = move || {
            let argument = argument;
            // SAFETY: C caller, per CreateThread: callable on another thread.
            unsafe { start(argument.0) }
        };
        let (thread, id) = spawn(dwStackSize, dwCreationFlags & CREATE_SUSPENDED != 0, run)?;
        let handle = open(Object::Thread(thread))?;
        // SAFETY: C caller, per CreateThread: NULL or writable.
        unsafe { put(lpThreadId, id) };
        Ok(handle)
    })
}

/// As CreateThread, with the C runtime's signature. Returns the handle as a number, or 0. MSDN: _beginthreadex.
///
/// # Safety
/// As for CreateThread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _beginthreadex(
    security: LPVOID,
    stack_size: UINT,
    start_address: LPTHREAD_START_ROUTINE,
    arglist: LPVOID,
    initflag: UINT,
    thrdaddr: PUINT,
) -> UINT_PTR {
    // SAFETY: the same contract.
    unsafe { CreateThread(security.cast(), stack_size as SIZE_T, start_address, arglist, initflag, thrdaddr) }
        .addr()
}

/// Starts a thread; gives its object and, as soon as it runs, its number.
fn spawn(
    stack: usize,
    suspended: bool,
    run: impl FnOnce() -> u32 + Send + 'static,
) -> Result<(Arc<Thread>, u32)> {
    let mut builder = std::thread::Builder::new();
    if stack > 0 {
        builder = builder.stack_size(stack.max(LEAST_STACK));
    }
    let thread = Thread::new(suspended);
    let object = Arc::clone(&thread);
    let started = Arc::new((Signal::new(Mode::Manual, 0), std::sync::OnceLock::new()));
    let starting = Arc::clone(&started);
    let spawned = builder.spawn(move || {
        let _ = starting.1.set(current_id());
        starting.0.set();
        drop(starting);
        wait_any(&[&object.may_run], None, false);
        let code = run();
        // The child of a fork has this thread alone, and nobody who waits for it.
        if !is_forked() {
            object.ended(code);
        }
    });
    spawned.map_err(|_| Error::NO_SYSTEM_RESOURCES)?;
    wait_any(&[&started.0], None, false);
    Ok((thread, started.1.get().copied().unwrap_or(0)))
}

/// Lets a thread created with CREATE_SUSPENDED run. Returns 1 if it was suspended, 0 if not, or (DWORD)-1
/// with ERROR_INVALID_HANDLE. Any thread. MSDN: ResumeThread.
///
/// Differs from Windows: a thread that runs cannot be suspended, so the count is never more than 1.
#[unsafe(no_mangle)]
pub extern "C" fn ResumeThread(hThread: HANDLE) -> DWORD {
    returning_or(u32::MAX, || {
        let thread = object::thread(hThread.addr())?;
        let suspended = !thread.may_run.is_set();
        thread.may_run.set();
        Ok(suspended.into())
    })
}

/// Gives the exit code of a thread, or STILL_ACTIVE (259) while it runs. Returns TRUE, or FALSE with
/// ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER. Any thread. MSDN: GetExitCodeThread.
///
/// # Safety
/// `lpExitCode` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetExitCodeThread(hThread: HANDLE, lpExitCode: LPDWORD) -> BOOL {
    returning_last_error(|| {
        let thread = object::thread(hThread.addr())?;
        if lpExitCode.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per GetExitCodeThread: writable.
        unsafe { put(lpExitCode, thread.exit_code()) };
        Ok(TRUE)
    })
}

/// The number of the calling thread in the system. MSDN: GetCurrentThreadId.
#[unsafe(no_mangle)]
pub extern "C" fn GetCurrentThreadId() -> DWORD {
    current_id()
}

#[cfg(target_os = "linux")]
fn current_id() -> u32 {
    thread_local! {
        // SAFETY: no preconditions.
        static ID: u32 = unsafe { libc::gettid() } as u32;
    }
    // While the thread's locals are being destroyed the system is asked again.
    // SAFETY: no preconditions.
    ID.try_with(|id| *id).unwrap_or_else(|_| unsafe { libc::gettid() } as u32)
}

#[cfg(not(target_os = "linux"))]
fn current_id() -> u32 {
    crate::win32::thread::number() as u32
}

/// The number of this process in the system. MSDN: GetCurrentProcessId.
#[unsafe(no_mangle)]
pub extern "C" fn GetCurrentProcessId() -> DWORD {
    std::process::id()
}

/// Gives the rest of the time slice away. Returns TRUE. MSDN: SwitchToThread.
#[unsafe(no_mangle)]
pub extern "C" fn SwitchToThread() -> BOOL {
    std::thread::yield_now();
    TRUE
}

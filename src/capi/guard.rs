//! The guard around every exported function: panics become 1359, errors become what C expects of the
//! function.
//!
//! | guard | failure | success |
//! |---|---|---|
//! | [`returning_status`] | returns the code; last error untouched | returns 0 |
//! | [`returning_code`] | the same, for calls whose success may be another code (`IO_PENDING`) | returns the code |
//! | [`returning_last_error`] | returns [`Failing::FAILED`]; last error and errno hold the code | last error untouched |
//! | [`returning_or`] | the same with a value of the caller's choice | last error untouched |
//! | [`winhttp_returning`] | as `returning_last_error` | last error 0 |
//!
//! The storage behind it, and [`explain`], are in `win32::last_error`.
#![expect(unsafe_code, reason = "errno")]

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::abi::error::{Error, Result};
use crate::win32::handles::Forked;
use crate::win32::last_error;
pub use crate::win32::last_error::explain;

/// What failing looks like to C.
pub trait Failing {
    /// FALSE, NULL or 0.
    const FAILED: Self;
}

/// BOOL, LONG and int: FALSE.
impl Failing for i32 {
    const FAILED: i32 = 0;
}

/// DWORD and UINT: 0.
impl Failing for u32 {
    const FAILED: u32 = 0;
}

/// SIZE_T: 0.
impl Failing for usize {
    const FAILED: usize = 0;
}

/// HANDLE, HINTERNET and memory: NULL.
impl Failing for *mut c_void {
    const FAILED: *mut c_void = std::ptr::null_mut();
}

/// Runs the body of a function that returns a Win32 code.
#[inline]
pub fn returning_status(call: impl FnOnce() -> Result<()>) -> u32 {
    match caught(call) {
        Ok(()) => 0,
        Err(error) => error.0,
    }
}

/// Runs the body of a function that returns a Win32 code and has more than one way to succeed.
#[inline]
pub fn returning_code(call: impl FnOnce() -> Result<u32>) -> u32 {
    caught(call).unwrap_or_else(|error| error.0)
}

/// Runs the body of a Win32 function that tells failure by its value and the last error.
#[inline]
pub fn returning_last_error<R: Failing>(call: impl FnOnce() -> Result<R>) -> R {
    returning_or(R::FAILED, call)
}

/// As [`returning_last_error`], where failure is `failed` (`INVALID_HANDLE_VALUE`, `WAIT_FAILED`).
#[inline]
pub fn returning_or<R>(failed: R, call: impl FnOnce() -> Result<R>) -> R {
    match caught(call) {
        Ok(value) => value,
        Err(error) => {
            set_last_error(error.0);
            failed
        }
    }
}

/// As [`returning_last_error`], for WinHTTP, whose functions set the last error to 0 when they succeed.
#[inline]
pub fn winhttp_returning<R: Failing>(call: impl FnOnce() -> Result<R>) -> R {
    let value = returning_or(None, || call().map(Some));
    if value.is_some() {
        last_error::set(0);
    }
    value.unwrap_or(R::FAILED)
}

/// Runs a body that cannot fail except by a bug, which is reported as `otherwise`.
#[inline]
pub fn returning<R>(otherwise: R, call: impl FnOnce() -> R) -> R {
    caught(|| Ok(call())).unwrap_or(otherwise)
}

/// Sets the last error and, for languages that capture that instead, errno.
pub fn set_last_error(code: u32) {
    last_error::set(code);
    // SAFETY: the C library promises a valid pointer to the thread's errno.
    unsafe { *errno() = code as i32 };
}

fn caught<R>(call: impl FnOnce() -> Result<R>) -> Result<R> {
    let result = catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        if panic.is::<Forked>() {
            return Err(Error::WINHTTP_OPERATION_CANCELLED);
        }
        let words = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        explain(format_args!("internal error: {}", words.unwrap_or("no further words")));
        Err(Error::INTERNAL_ERROR)
    });
    if result.is_err() {
        last_error::settle();
    }
    result
}

#[cfg(any(target_os = "linux", target_os = "l4re"))]
unsafe fn errno() -> *mut i32 {
    // SAFETY: no preconditions.
    unsafe { libc::__errno_location() }
}

#[cfg(not(any(target_os = "linux", target_os = "l4re")))]
unsafe fn errno() -> *mut i32 {
    // SAFETY: no preconditions.
    unsafe { libc::__error() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_guard_tells_failure_its_own_way() {
        last_error::set(7);
        assert_eq!(returning_status(|| Err(Error::MORE_DATA)), 234);
        assert_eq!(returning_code(|| Ok(997)), 997);
        assert_eq!(last_error::get(), 7);
        assert_eq!(returning_last_error(|| Ok(1)), 1);
        assert_eq!(last_error::get(), 7);
        assert!(returning_last_error::<*mut c_void>(|| Err(Error::INVALID_HANDLE)).is_null());
        assert_eq!(last_error::get(), 6);
        assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(6));
        assert_eq!(winhttp_returning(|| Ok(1)), 1);
        assert_eq!(last_error::get(), 0);
        assert_eq!(returning_or(u32::MAX, || Err(Error::INVALID_PARAMETER)), u32::MAX);
    }

    #[test]
    fn a_call_left_in_the_child_of_a_fork_is_cancelled() {
        let leave = || std::panic::resume_unwind(Box::new(Forked));
        assert_eq!(returning_status(leave), Error::WINHTTP_OPERATION_CANCELLED.0);
    }

    #[test]
    fn a_panic_becomes_an_internal_error_with_its_words() {
        let value: i32 = winhttp_returning(|| panic!("seven {}", 7));
        assert_eq!((value, last_error::get()), (0, 1359));
        last_error::detail(|text| assert_eq!(text.unwrap(), c"internal error: seven 7"));
    }
}

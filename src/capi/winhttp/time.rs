//! Dates as text.
#![expect(unsafe_code, reason = "exports, and memory of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use super::text::{put, required};
use crate::abi::base::{BOOL, LPCWSTR, LPWSTR, SYSTEMTIME, TRUE};
use crate::abi::error::{Error, Result};
use crate::capi::guard::winhttp_returning;
use crate::wire::date::{CivilTime, parse_tolerant, rfc1123};

/// Writes a time as HTTP does, e.g. "Mon, 28 Jul 2008 10:05:52 GMT".
///
/// `pwszTime` has room for WINHTTP_TIME_FORMAT_BUFSIZE bytes. The weekday is taken as it is given. Errors:
/// ERROR_INVALID_PARAMETER for NULL and for a time that cannot be written.
///
/// MSDN: WinHttpTimeFromSystemTime.
///
/// # Safety
/// The time is readable, the text writable for 62 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpTimeFromSystemTime(pst: *const SYSTEMTIME, pwszTime: LPWSTR) -> BOOL {
    winhttp_returning(|| {
        if pst.is_null() || pwszTime.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per WinHttpTimeFromSystemTime: a readable time.
        let time = unsafe { pst.read_unaligned() };
        let text = rfc1123(&from_system_time(&time)).ok_or(Error::INVALID_PARAMETER)?;
        for (index, byte) in text.iter().chain(&[0]).enumerate() {
            // SAFETY: C caller, per WinHttpTimeFromSystemTime: 62 bytes hold 31 characters, and these are 30.
            unsafe { pwszTime.add(index).write_unaligned(u16::from(*byte)) };
        }
        Ok(TRUE)
    })
}

/// Reads a time as HTTP writes it, in any of its formats and with any separators.
///
/// Errors: ERROR_INVALID_PARAMETER for NULL and for text that holds no date; the time is then left alone.
///
/// MSDN: WinHttpTimeToSystemTime.
///
/// # Safety
/// The text ends in NUL, the time is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpTimeToSystemTime(pwszTime: LPCWSTR, pst: *mut SYSTEMTIME) -> BOOL {
    winhttp_returning(|| {
        // SAFETY: C caller, per WinHttpTimeToSystemTime: the text ends in NUL.
        let text = unsafe { required(pwszTime) }?;
        if pst.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        let time = parse_system_time(text)?;
        // SAFETY: C caller, per WinHttpTimeToSystemTime: a place for the time.
        unsafe { put(pst, time) };
        Ok(TRUE)
    })
}

/// A date as SYSTEMTIME; `INVALID_PARAMETER` if it is none.
pub(super) fn parse_system_time(text: &[u16]) -> Result<SYSTEMTIME> {
    let time = parse_tolerant(text).ok_or(Error::INVALID_PARAMETER)?;
    Ok(SYSTEMTIME {
        wYear: time.year,
        wMonth: time.month,
        wDayOfWeek: time.weekday,
        wDay: time.day,
        wHour: time.hour,
        wMinute: time.minute,
        wSecond: time.second,
        wMilliseconds: time.milliseconds,
    })
}

fn from_system_time(time: &SYSTEMTIME) -> CivilTime {
    CivilTime {
        year: time.wYear,
        month: time.wMonth,
        weekday: time.wDayOfWeek,
        day: time.wDay,
        hour: time.wHour,
        minute: time.wMinute,
        second: time.wSecond,
        milliseconds: time.wMilliseconds,
    }
}

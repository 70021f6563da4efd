//! Time: clocks, counters, and SYSTEMTIME to FILETIME and back.
//!
//! A FILETIME counts steps of 100 ns since 1601-01-01 UTC. Text forms (`WinHttpTimeToSystemTime`) are in
//! `capi::winhttp`.
#![expect(unsafe_code, reason = "exports, and structures of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::time::{SystemTime, UNIX_EPOCH};

use super::read::put;
use crate::abi::base::{
    BOOL, DWORD, FILETIME, LARGE_INTEGER, LONG, LPFILETIME, LPSYSTEMTIME, PLARGE_INTEGER, SYSTEMTIME, TRUE,
    ULONGLONG,
};
use crate::abi::error::{Error, Result};
use crate::capi::guard::{returning, returning_last_error};
use crate::net::clock;

const STEPS_PER_SECOND: u64 = 10_000_000;
const STEPS_PER_DAY: u64 = 86_400 * STEPS_PER_SECOND;
/// Steps from 1601 to 1970.
const UNIX_START: u64 = 11_644_473_600 * STEPS_PER_SECOND;
const DAYS_PER_400_YEARS: u64 = 146_097;

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_START + since.as_secs() * STEPS_PER_SECOND + u64::from(since.subsec_nanos() / 100)
}

fn file_time(steps: u64) -> FILETIME {
    FILETIME { dwLowDateTime: steps as u32, dwHighDateTime: (steps >> 32) as u32 }
}

fn steps(time: FILETIME) -> u64 {
    u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in_month(year: u64, month: u64) -> u64 {
    match month {
        2 => 28 + u64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1601-01-01 to the first of January of a year.
fn days_before(year: u64) -> u64 {
    let years = year - 1601;
    years * 365 + years / 4 - years / 100 + years / 400
}

/// `INVALID_PARAMETER` past the year 30827, where SYSTEMTIME ends.
fn to_system_time(steps: u64) -> Result<SYSTEMTIME> {
    if steps >= 1 << 63 {
        return Err(Error::INVALID_PARAMETER);
    }
    let (days, rest) = (steps / STEPS_PER_DAY, steps % STEPS_PER_DAY);
    let mut year = 1601 + days * 400 / DAYS_PER_400_YEARS;
    while days_before(year) > days {
        year -= 1;
    }
    while days_before(year + 1) <= days {
        year += 1;
    }
    let (mut month, mut day) = (1, days - days_before(year));
    while day >= days_in_month(year, month) {
        day -= days_in_month(year, month);
        month += 1;
    }
    let milliseconds = rest / 10_000;
    Ok(SYSTEMTIME {
        wYear: year as u16,
        wMonth: month as u16,
        // 1601 began on a Monday.
        wDayOfWeek: ((days + 1) % 7) as u16,
        wDay: day as u16 + 1,
        wHour: (milliseconds / 3_600_000) as u16,
        wMinute: (milliseconds / 60_000 % 60) as u16,
        wSecond: (milliseconds / 1000 % 60) as u16,
        wMilliseconds: (milliseconds % 1000) as u16,
    })
}

/// The day of the week is not looked at. `INVALID_PARAMETER` for what is no date from 1601 to 30827.
fn from_system_time(time: &SYSTEMTIME) -> Result<u64> {
    let (year, month, day) = (u64::from(time.wYear), u64::from(time.wMonth), u64::from(time.wDay));
    let date = (1601..=30827).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day);
    if !date || time.wHour > 23 || time.wMinute > 59 || time.wSecond > 59 || time.wMilliseconds > 999 {
        return Err(Error::INVALID_PARAMETER);
    }
    let days = days_before(year) + (1..month).map(|month| days_in_month(year, month)).sum::<u64>() + day - 1;
    let seconds = u64::from(time.wHour) * 3600 + u64::from(time.wMinute) * 60 + u64::from(time.wSecond);
    Ok(days * STEPS_PER_DAY + seconds * STEPS_PER_SECOND + u64::from(time.wMilliseconds) * 10_000)
}

/// Tells the time in UTC. MSDN: GetSystemTime.
///
/// # Safety
/// `lpSystemTime` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetSystemTime(lpSystemTime: LPSYSTEMTIME) {
    returning((), || {
        if let Ok(time) = to_system_time(now()) {
            // SAFETY: C caller, per GetSystemTime: writable.
            unsafe { put(lpSystemTime, time) };
        }
    });
}

/// Tells the time in the local time zone. MSDN: GetLocalTime.
///
/// # Safety
/// `lpSystemTime` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetLocalTime(lpSystemTime: LPSYSTEMTIME) {
    returning((), || {
        let utc = now();
        let offset = local_offset((utc - UNIX_START) / STEPS_PER_SECOND);
        let local = utc.saturating_add_signed(offset * STEPS_PER_SECOND as i64);
        if let Ok(time) = to_system_time(local) {
            // SAFETY: C caller, per GetLocalTime: writable.
            unsafe { put(lpSystemTime, time) };
        }
    });
}

/// Seconds by which local time is ahead of UTC at a moment.
fn local_offset(unix_seconds: u64) -> i64 {
    let seconds = unix_seconds as libc::time_t;
    // SAFETY: all members are integers and a pointer; localtime_r fills them.
    unsafe {
        let mut local: libc::tm = std::mem::zeroed();
        if libc::localtime_r(&raw const seconds, &raw mut local).is_null() {
            0
        } else {
            local.tm_gmtoff as i64
        }
    }
}

/// Tells the time in UTC in steps of 100 ns since 1601. MSDN: GetSystemTimeAsFileTime.
///
/// # Safety
/// `lpSystemTimeAsFileTime` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetSystemTimeAsFileTime(lpSystemTimeAsFileTime: LPFILETIME) {
    // SAFETY: C caller, per GetSystemTimeAsFileTime: writable.
    returning((), || unsafe { put(lpSystemTimeAsFileTime, file_time(now())) });
}

/// As GetSystemTimeAsFileTime. MSDN: GetSystemTimePreciseAsFileTime.
///
/// # Safety
/// `lpSystemTimeAsFileTime` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetSystemTimePreciseAsFileTime(lpSystemTimeAsFileTime: LPFILETIME) {
    // SAFETY: the same contract.
    unsafe { GetSystemTimeAsFileTime(lpSystemTimeAsFileTime) };
}

/// Converts a SYSTEMTIME, whose wDayOfWeek is not looked at. Returns TRUE, or FALSE with
/// ERROR_INVALID_PARAMETER (no such time, NULL). MSDN: SystemTimeToFileTime.
///
/// # Safety
/// `lpSystemTime` is valid for reads, `lpFileTime` for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SystemTimeToFileTime(
    lpSystemTime: *const SYSTEMTIME,
    lpFileTime: LPFILETIME,
) -> BOOL {
    returning_last_error(|| {
        if lpSystemTime.is_null() || lpFileTime.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per SystemTimeToFileTime: readable and writable.
        unsafe { put(lpFileTime, file_time(from_system_time(&lpSystemTime.read_unaligned())?)) };
        Ok(TRUE)
    })
}

/// Converts a FILETIME. Returns TRUE, or FALSE with ERROR_INVALID_PARAMETER (2^63 or more, NULL). MSDN:
/// FileTimeToSystemTime.
///
/// # Safety
/// `lpFileTime` is valid for reads, `lpSystemTime` for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn FileTimeToSystemTime(
    lpFileTime: *const FILETIME,
    lpSystemTime: LPSYSTEMTIME,
) -> BOOL {
    returning_last_error(|| {
        if lpSystemTime.is_null() || lpFileTime.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per FileTimeToSystemTime: readable and writable.
        unsafe { put(lpSystemTime, to_system_time(steps(lpFileTime.read_unaligned()))?) };
        Ok(TRUE)
    })
}

/// Compares two times: -1, 0 or 1. MSDN: CompareFileTime.
///
/// # Safety
/// Both are valid for reads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CompareFileTime(lpFileTime1: *const FILETIME, lpFileTime2: *const FILETIME) -> LONG {
    // SAFETY: C caller, per CompareFileTime: readable.
    let (first, second) =
        unsafe { (steps(lpFileTime1.read_unaligned()), steps(lpFileTime2.read_unaligned())) };
    first.cmp(&second) as LONG
}

#[cfg(target_os = "linux")]
const SINCE_BOOT: libc::clockid_t = libc::CLOCK_BOOTTIME;
#[cfg(not(target_os = "linux"))]
const SINCE_BOOT: libc::clockid_t = libc::CLOCK_MONOTONIC;

/// Milliseconds since the system was started. MSDN: GetTickCount64.
#[unsafe(no_mangle)]
pub extern "C" fn GetTickCount64() -> ULONGLONG {
    // SAFETY: the structure is ours to fill.
    let time = unsafe {
        let mut time: libc::timespec = std::mem::zeroed();
        libc::clock_gettime(SINCE_BOOT, &raw mut time);
        time
    };
    time.tv_sec as u64 * 1000 + time.tv_nsec as u64 / 1_000_000
}

/// As GetTickCount64, in 32 bits: starts again at 0 after 49.7 days. MSDN: GetTickCount.
#[unsafe(no_mangle)]
pub extern "C" fn GetTickCount() -> DWORD {
    GetTickCount64() as DWORD
}

/// Tells a counter of steps that never goes back; see QueryPerformanceFrequency. Returns TRUE, or FALSE with
/// ERROR_INVALID_PARAMETER (NULL). MSDN: QueryPerformanceCounter.
///
/// # Safety
/// `lpPerformanceCount` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn QueryPerformanceCounter(lpPerformanceCount: PLARGE_INTEGER) -> BOOL {
    // SAFETY: C caller, per QueryPerformanceCounter: NULL or writable.
    returning_last_error(|| unsafe { put_number(lpPerformanceCount, clock::ticks() as i64) })
}

/// Tells the steps of QueryPerformanceCounter in a second: ten million. Returns TRUE, or FALSE with
/// ERROR_INVALID_PARAMETER.
/// MSDN: QueryPerformanceFrequency.
///
/// # Safety
/// `lpFrequency` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn QueryPerformanceFrequency(lpFrequency: PLARGE_INTEGER) -> BOOL {
    // SAFETY: C caller, per QueryPerformanceFrequency: NULL or writable.
    returning_last_error(|| unsafe { put_number(lpFrequency, STEPS_PER_SECOND as i64) })
}

/// # Safety
/// `place` is NULL or valid for writes.
unsafe fn put_number(place: PLARGE_INTEGER, number: i64) -> Result<BOOL> {
    if place.is_null() {
        return Err(Error::INVALID_PARAMETER);
    }
    // SAFETY: as this function's contract.
    unsafe { put(place, LARGE_INTEGER { QuadPart: number }) };
    Ok(TRUE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates_convert_both_ways() {
        let time = to_system_time(UNIX_START + 784_111_777 * STEPS_PER_SECOND + 1_230_000).unwrap();
        assert_eq!((time.wYear, time.wMonth, time.wDay, time.wDayOfWeek), (1994, 11, 6, 0));
        assert_eq!((time.wHour, time.wMinute, time.wSecond, time.wMilliseconds), (8, 49, 37, 123));
        for days in (0..10_000_000).step_by(97).chain([151_464, 58, 59, 145_730]) {
            let time = to_system_time(days * STEPS_PER_DAY).unwrap();
            assert_eq!(from_system_time(&time), Ok(days * STEPS_PER_DAY));
            assert_eq!(u64::from(time.wDayOfWeek), (days + 1) % 7);
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        let valid = to_system_time(UNIX_START).unwrap();
        for wrong in [
            SYSTEMTIME { wMonth: 13, ..valid },
            SYSTEMTIME { wMonth: 0, ..valid },
            SYSTEMTIME { wMonth: 2, wDay: 29, ..valid },
            SYSTEMTIME { wHour: 24, ..valid },
            SYSTEMTIME { wYear: 1600, ..valid },
        ] {
            assert_eq!(from_system_time(&wrong), Err(Error::INVALID_PARAMETER));
        }
        assert!(to_system_time(1 << 63).is_err());
        assert!(to_system_time((1 << 63) - 1).is_ok());
    }
}

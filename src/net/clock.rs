//! The two clocks of the engine: a coarse monotonic one for deadlines, a coarse wall clock for `Date`.
//!
//! Both are read without a system call and are a few milliseconds behind, which is what deadlines of
//! seconds and dates of seconds need.
#![expect(unsafe_code, reason = "clock_gettime and localtime_r")]

/// Milliseconds on the monotonic clock.
pub fn now_ms() -> u64 {
    let t = read(coarse(libc::CLOCK_MONOTONIC));
    t.tv_sec as u64 * 1000 + t.tv_nsec as u64 / 1_000_000
}

/// Seconds since 1970.
pub fn unix_seconds() -> u64 {
    read(coarse(libc::CLOCK_REALTIME)).tv_sec as u64
}

/// Milliseconds on the clock of [`now_ms`], read finely; for measuring.
pub fn precise_ms() -> u64 {
    let t = read(libc::CLOCK_MONOTONIC);
    t.tv_sec as u64 * 1000 + t.tv_nsec as u64 / 1_000_000
}

/// Steps of 100 nanoseconds on the clock of [`now_ms`], read finely; the same for all processes of the machine.
pub fn ticks() -> u64 {
    let t = read(libc::CLOCK_MONOTONIC);
    t.tv_sec as u64 * 10_000_000 + t.tv_nsec as u64 / 100
}

/// Seconds the machine's own clock is ahead of UTC at a moment.
pub fn local_offset(unix_seconds: u64) -> i64 {
    let seconds = unix_seconds as libc::time_t;
    // SAFETY: all members are integers and a pointer; localtime_r fills them.
    let mut local: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both are locals.
    let known = unsafe { !libc::localtime_r(&raw const seconds, &raw mut local).is_null() };
    if known { local.tm_gmtoff } else { 0 }
}

#[cfg(target_os = "linux")]
fn coarse(clock: libc::clockid_t) -> libc::clockid_t {
    match clock {
        libc::CLOCK_MONOTONIC => libc::CLOCK_MONOTONIC_COARSE,
        _ => libc::CLOCK_REALTIME_COARSE,
    }
}

#[cfg(not(target_os = "linux"))]
fn coarse(clock: libc::clockid_t) -> libc::clockid_t {
    clock
}

fn read(clock: libc::clockid_t) -> libc::timespec {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `t` is ours and outlives the call; the clock ids exist on every supported kernel.
    unsafe { libc::clock_gettime(clock, &mut t) };
    t
}

//! Keeps SIGPIPE away while a thread makes a call that cannot be told not to raise it.
//!
//! The disposition of a signal belongs to the program; a library may only look after its own call. So the signal is
//! blocked for the thread, taken back if the call raised it, and let through again as it was before.
#![expect(unsafe_code, reason = "signal masks")]

use std::mem::MaybeUninit;

/// Makes a call that writes to what may have been closed at the other end.
pub(super) fn without_signal<T>(call: impl FnOnce() -> T) -> T {
    let pipe = only_sigpipe();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: both are valid for the call, which fills the second; it fails only on a bad first argument.
    let before = unsafe {
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const pipe, before.as_mut_ptr());
        before.assume_init()
    };
    // SAFETY: a set the system filled.
    let was_blocked = unsafe { libc::sigismember(&raw const before, libc::SIGPIPE) } == 1;
    let outcome = call();
    if was_blocked {
        return outcome;
    }
    // Raised by a call that succeeds too: `sendfile` says how much went before the pipe broke.
    take(&pipe);
    // SAFETY: a set the system filled; nothing is asked for.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut()) };
    outcome
}

fn only_sigpipe() -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the first call fills the set, the second changes it.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGPIPE);
        set.assume_init()
    }
}

/// Takes the signal that waits for this thread, if it does.
#[cfg(target_os = "linux")]
fn take(pipe: &libc::sigset_t) {
    let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: both are valid for the call; nothing is asked about the signal.
    unsafe { libc::sigtimedwait(pipe, std::ptr::null_mut(), &raw const at_once) };
}

/// Takes the signal that waits for this thread, if it does.
#[cfg(not(target_os = "linux"))]
fn take(pipe: &libc::sigset_t) {
    let (mut waiting, mut taken) = (MaybeUninit::<libc::sigset_t>::uninit(), 0);
    // SAFETY: the first call fills the set that the second asks; the third waits for what is there already.
    unsafe {
        libc::sigpending(waiting.as_mut_ptr());
        if libc::sigismember(waiting.as_ptr(), libc::SIGPIPE) == 1 {
            libc::sigwait(pipe, &raw mut taken);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Raised for this very thread, as a broken pipe does it. Had it got through, the process would have ended.
    #[test]
    fn a_signal_raised_meanwhile_is_taken_and_the_mask_is_as_before() {
        let mask = || {
            let mut set = MaybeUninit::<libc::sigset_t>::uninit();
            // SAFETY: the call fills the set, which is then asked.
            unsafe {
                libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), set.as_mut_ptr());
                libc::sigismember(set.as_ptr(), libc::SIGPIPE)
            }
        };
        // SAFETY: no pointers.
        let old = unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        without_signal(|| {
            assert_eq!(mask(), 1);
            // SAFETY: no pointers; the signal is blocked.
            unsafe { libc::pthread_kill(libc::pthread_self(), libc::SIGPIPE) };
        });
        assert_eq!(mask(), 0);
        // SAFETY: the disposition the process had.
        unsafe { libc::signal(libc::SIGPIPE, old) };
    }
}

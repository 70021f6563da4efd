//! The last error of a thread, and the words that explain it.
//!
//! Codes are all that Windows programs get, so any room may call [`explain`] with the cause (which prefix
//! conflicts with whose, what TLS disliked) before it returns an error; `capi`'s guard settles, when the call
//! fails, whether the words belong to this failure. Nothing here touches errno: the guard does.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString};
use std::fmt;

thread_local! {
    static CODE: Cell<u32> = const { Cell::new(0) };
    static DETAIL: RefCell<Detail> = const { RefCell::new(Detail { text: None, fresh: false }) };
}

struct Detail {
    text: Option<CString>,
    /// Set during the call that is still running.
    fresh: bool,
}

/// The thread's last error.
#[inline]
pub fn get() -> u32 {
    CODE.get()
}

/// Sets the thread's last error.
#[inline]
pub fn set(code: u32) {
    CODE.set(code);
}

/// Says why the running call is about to fail: `explain(format_args!("port {port} belongs to process
/// {pid}"))`.
pub fn explain(cause: fmt::Arguments<'_>) {
    let mut text = cause.to_string();
    text.retain(|c| c != '\0');
    DETAIL.with_borrow_mut(|detail| *detail = Detail { text: CString::new(text).ok(), fresh: true });
}

/// Says something about a call that is about to succeed all the same: it can be read until the next call fails.
pub fn remark(words: fmt::Arguments<'_>) {
    explain(words);
    DETAIL.with_borrow_mut(|detail| detail.fresh = false);
}

/// Takes the words said since the last call ended, for who runs a call on behalf of another thread and tells
/// them there.
pub fn take_words() -> Option<String> {
    DETAIL.with_borrow_mut(|detail| {
        let text = if std::mem::replace(&mut detail.fresh, false) { detail.text.take() } else { None };
        text.and_then(|text| text.into_string().ok())
    })
}

/// Shows `read` the words said since the last call ended, and leaves them.
pub fn fresh<R>(read: impl FnOnce(Option<&str>) -> R) -> R {
    DETAIL.with_borrow(|detail| {
        let text = detail.text.as_deref().filter(|_| detail.fresh);
        read(text.and_then(|text| text.to_str().ok()))
    })
}

/// A call has failed: keeps the words said during it, forgets older ones.
pub fn settle() {
    DETAIL.with_borrow_mut(|detail| {
        if !std::mem::replace(&mut detail.fresh, false) {
            detail.text = None;
        }
    });
}

/// Hands the words about the last failed call, if there are any, to `read`. The C string stays where it is
/// until a call on this thread fails again.
pub fn detail<R>(read: impl FnOnce(Option<&CStr>) -> R) -> R {
    DETAIL.with_borrow(|detail| read(detail.text.as_deref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_belong_to_the_failure_they_were_said_for() {
        let text = || detail(|text| text.map(|text| text.to_str().unwrap().to_owned()));
        explain(format_args!("port {} is {}", 80, "taken\0"));
        settle();
        assert_eq!(text().as_deref(), Some("port 80 is taken"));
        settle();
        assert_eq!(text(), None);
        explain(format_args!("said here, told there"));
        fresh(|words| assert_eq!(words, Some("said here, told there")));
        assert_eq!(take_words().as_deref(), Some("said here, told there"));
        assert_eq!(take_words(), None);
        fresh(|words| assert_eq!(words, None));
    }
}

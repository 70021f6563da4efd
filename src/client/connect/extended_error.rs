//! The socket error behind the last WinHTTP error of a thread (`WINHTTP_OPTION_EXTENDED_ERROR`).

use std::cell::Cell;
use std::io;

use crate::net::winsock;

thread_local! {
    static CODE: Cell<u32> = const { Cell::new(0) };
}

/// A socket call on this thread has failed.
#[inline]
pub(crate) fn note(error: &io::Error) {
    CODE.set(winsock::code_of(error));
}

/// Something failed that is no call, such as a wait.
pub(super) fn note_code(code: u32) {
    CODE.set(code);
}

/// The Winsock number of this thread's last one; 0 if there was none.
pub fn last() -> u32 {
    CODE.get()
}

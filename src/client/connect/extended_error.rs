//! The socket error behind the last WinHTTP error of a thread, and of a request (`WINHTTP_OPTION_EXTENDED_ERROR`).
//!
//! What fails notes its error for the thread it is on. When an operation has failed, the request takes what was noted
//! since the operation began, so that any thread can ask the request for it.

use std::cell::Cell;
use std::io;

use crate::client::request::Request;
use crate::net::winsock;

thread_local! {
    static CODE: Cell<u32> = const { Cell::new(0) };
    /// Noted since the present operation began.
    static FRESH: Cell<u32> = const { Cell::new(0) };
}

/// A socket call on this thread has failed.
#[inline]
pub(crate) fn note(error: &io::Error) {
    note_code(winsock::code_of(error));
}

/// Something failed that is no call, such as a wait.
pub(super) fn note_code(code: u32) {
    CODE.set(code);
    FRESH.set(code);
}

/// The Winsock number of this thread's last one; 0 if there was none.
pub fn last() -> u32 {
    CODE.get()
}

/// An operation begins on this thread, and what was noted before is not about it.
#[inline]
pub(crate) fn begin() {
    FRESH.set(0);
}

impl Request {
    /// An operation has failed, on this thread.
    #[cold]
    pub(crate) fn keep_extended_error(&self) {
        let code = FRESH.take();
        if code != 0 {
            self.facts.set_socket_error(code);
        }
    }

    /// The Winsock number of what went wrong last with the present exchange; 0 if nothing has, or nothing of sockets.
    pub fn extended_error(&self) -> u32 {
        self.facts.socket_error()
    }
}

//! Sockets, the poller, listeners, deadlines, files to sockets. All of `libc` lives here.

pub mod account;
pub mod bell;
mod broken_pipe;
pub mod client_stream;
pub mod clock;
pub mod deadlines;
pub mod dial;
pub mod fd_channel;
pub mod listener;
pub mod peer;
pub mod poller;
pub mod resolve;
pub mod socket;
pub mod stream_wait;
pub mod tcp_facts;
pub mod tuning;
mod unix_listener;
pub mod watch;
pub mod winsock;

use std::io;

/// Turns the -1 of a system call into the error behind it.
fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// As [`check`], for calls that count bytes.
fn check_len(result: libc::ssize_t) -> io::Result<usize> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as usize) }
}

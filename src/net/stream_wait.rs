//! Waiting for a stream socket in one direction, and shutting it down: for who reads and writes it from two threads.
#![expect(unsafe_code, reason = "poll and shutdown")]

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use super::clock::precise_ms;

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Bytes, the end of the stream, or a fault.
    In = 0,
    /// Room to send, or a fault.
    Out = 1,
}

/// Waits until the socket is ready, or until a moment on the clock of [`precise_ms`] (`u64::MAX`: for ever). False
/// when the moment came first.
pub fn wait(socket: &impl AsFd, direction: Direction, until: u64) -> io::Result<bool> {
    let events = match direction {
        Direction::In => libc::POLLIN,
        Direction::Out => libc::POLLOUT,
    };
    let mut entry = libc::pollfd { fd: socket.as_fd().as_raw_fd(), events, revents: 0 };
    loop {
        let timeout = match until {
            u64::MAX => -1,
            moment => i32::try_from(moment.saturating_sub(precise_ms())).unwrap_or(i32::MAX),
        };
        // SAFETY: one entry, which lives through the call.
        let ready = unsafe { libc::poll(&raw mut entry, 1, timeout) };
        if ready >= 0 {
            return Ok(ready > 0);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Ends both directions: whoever waits for the socket is woken.
pub fn shut(socket: &impl AsFd) {
    end(socket, libc::SHUT_RDWR);
}

/// Ends the receiving direction, which wakes who waits for bytes.
pub fn shut_in(socket: &impl AsFd) {
    end(socket, libc::SHUT_RD);
}

/// Tells the other side that nothing more will come.
pub fn shut_out(socket: &impl AsFd) {
    end(socket, libc::SHUT_WR);
}

fn end(socket: &impl AsFd, how: i32) {
    // SAFETY: the descriptor is borrowed, so it is open. A socket that has ended already is no matter.
    unsafe { libc::shutdown(socket.as_fd().as_raw_fd(), how) };
}

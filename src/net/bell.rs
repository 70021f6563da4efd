//! A bell that one thread rings and another polls for, beside the sockets it waits on.

use std::io::{self, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;

/// Rings at most once.
#[derive(Debug)]
pub struct Bell {
    ear: UnixStream,
    button: UnixStream,
}

impl Bell {
    /// A bell that has not rung.
    pub fn new() -> io::Result<Bell> {
        let (ear, button) = UnixStream::pair()?;
        button.set_nonblocking(true)?;
        Ok(Bell { ear, button })
    }

    /// Rings. Never waits.
    pub fn ring(&self) {
        // One byte always fits; further ones change nothing.
        let _ = (&self.button).write(&[1]);
    }

    /// What becomes readable.
    pub(super) fn fd(&self) -> RawFd {
        self.ear.as_raw_fd()
    }
}

//! A non-blocking stream socket: scatter writes, files, the ways to end it. Never raises SIGPIPE.
#![expect(unsafe_code, reason = "recv, sendmsg, sendfile and socket options")]

use std::cell::Cell;
use std::fs::File;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use super::broken_pipe::without_signal;
use super::{check, check_len, clock};

/// A connected, non-blocking TCP or Unix socket, which counts what goes over it.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    opened: u32,
    received: Cell<u64>,
    sent: Cell<u64>,
}

/// What an attempt to read or write came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// This many bytes went over.
    Bytes(usize),
    /// Nothing can go over now.
    WouldBlock,
    /// The peer has ended its side (reads only).
    End,
    /// The connection is broken.
    Broken,
}

fn transfer(result: io::Result<usize>) -> Transfer {
    match result {
        Ok(n) => Transfer::Bytes(n),
        Err(e) => match e.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Transfer::WouldBlock,
            _ => Transfer::Broken,
        },
    }
}

impl Socket {
    /// Takes over a connected socket that is already non-blocking.
    pub fn from_fd(fd: OwnedFd) -> Socket {
        Socket { fd, opened: clock::now_ms() as u32, received: Cell::new(0), sent: Cell::new(0) }
    }

    /// When it was taken over: milliseconds on the coarse clock, as far as they fit.
    pub fn opened(&self) -> u32 {
        self.opened
    }

    /// Bytes read so far.
    #[inline]
    pub fn received(&self) -> u64 {
        self.received.get()
    }

    /// Bytes written so far, those of files too.
    #[inline]
    pub fn sent(&self) -> u64 {
        self.sent.get()
    }

    /// Counts what a write came to.
    #[inline]
    fn wrote(&self, result: io::Result<usize>) -> Transfer {
        if let Ok(n) = result {
            self.sent.set(self.sent.get() + n as u64);
        }
        transfer(result)
    }

    fn raw(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    /// Sends small segments at once (`TCP_NODELAY`); ignored on sockets that are not TCP.
    pub fn set_nodelay(&self, on: bool) {
        self.set_option(libc::IPPROTO_TCP, libc::TCP_NODELAY, i32::from(on));
    }

    /// Marks what is sent with a differentiated services code point, 0 to 63.
    pub fn set_dscp(&self, code: u8) {
        let class = libc::c_int::from(code) << 2;
        self.set_option(libc::IPPROTO_IP, libc::IP_TOS, class);
        self.set_option(libc::IPPROTO_IPV6, libc::IPV6_TCLASS, class);
    }

    fn set_option<T>(&self, level: libc::c_int, name: libc::c_int, value: T) {
        let len = size_of::<T>() as libc::socklen_t;
        // SAFETY: the kernel reads `len` bytes of a local.
        unsafe { libc::setsockopt(self.raw(), level, name, (&raw const value).cast(), len) };
    }

    /// Reads what is there, at most `buffer.len()` bytes.
    #[inline]
    pub fn read(&self, buffer: &mut [u8]) -> Transfer {
        // SAFETY: the kernel writes at most `len` bytes into a slice borrowed for the call.
        let n = unsafe { call::recv(self.raw(), buffer.as_mut_ptr(), buffer.len()) };
        match transfer(check_len(n)) {
            Transfer::Bytes(0) if !buffer.is_empty() => Transfer::End,
            Transfer::Bytes(n) => {
                self.received.set(self.received.get() + n as u64);
                Transfer::Bytes(n)
            }
            other => other,
        }
    }

    /// Writes one buffer as far as it goes. `more` says that more follows at once.
    #[inline]
    pub fn write(&self, bytes: &[u8], more: bool) -> Transfer {
        // SAFETY: the kernel reads at most `len` bytes of a slice borrowed for the call.
        let n = unsafe { call::send(self.raw(), bytes.as_ptr(), bytes.len(), flags(more)) };
        self.wrote(check_len(n))
    }

    /// Writes several buffers in one call, as far as they go.
    pub fn write_all_of(&self, parts: &[IoSlice<'_>], more: bool) -> Transfer {
        if let [one] = parts {
            return self.write(one, more);
        }
        // SAFETY: all-zero is a valid msghdr.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_iov = parts.as_ptr().cast_mut().cast();
        message.msg_iovlen = parts.len().min(1024) as _;
        // SAFETY: IoSlice has the layout of iovec; the slices are borrowed for the call and only read.
        self.wrote(check_len(unsafe { libc::sendmsg(self.raw(), &message, flags(more)) }))
    }

    /// Sends up to `len` bytes of a file from `offset`, without moving the file's position.
    #[cfg(target_os = "linux")]
    pub fn send_file(&self, file: &File, offset: u64, len: u64) -> io::Result<Transfer> {
        let mut at = offset as libc::off_t;
        let len = len.min(1 << 20) as usize;
        let sent = without_signal(|| {
            loop {
                // SAFETY: both descriptors are open, `at` is a local.
                match check_len(unsafe { libc::sendfile(self.raw(), file.as_raw_fd(), &mut at, len) }) {
                    // Reading the file may be interrupted, and then the poller has nothing to report of the socket.
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    sent => break sent,
                }
            }
        });
        match sent {
            Err(e) if e.kind() == io::ErrorKind::InvalidInput => self.copy_file(file, offset, len),
            result => Ok(self.wrote(result)),
        }
    }

    /// Sends up to `len` bytes of a file from `offset`, without moving the file's position.
    #[cfg(not(target_os = "linux"))]
    pub fn send_file(&self, file: &File, offset: u64, len: u64) -> io::Result<Transfer> {
        self.copy_file(file, offset, len.min(1 << 16) as usize)
    }

    /// For files `sendfile` does not take, such as pipes' relatives and some file systems.
    fn copy_file(&self, file: &File, offset: u64, len: usize) -> io::Result<Transfer> {
        use std::os::unix::fs::FileExt;
        let mut buffer = [0u8; 16384];
        let room = len.min(buffer.len());
        let n = file.read_at(&mut buffer[..room], offset)?;
        Ok(if n == 0 { Transfer::Bytes(0) } else { self.write(&buffer[..n], false) })
    }

    /// Ends our side; what was written still goes out.
    pub fn shutdown_write(&self) {
        // SAFETY: no pointers.
        unsafe { libc::shutdown(self.raw(), libc::SHUT_WR) };
    }

    /// Makes the coming close a reset instead of an orderly end.
    pub fn reset_on_close(&self) {
        self.set_option(libc::SOL_SOCKET, libc::SO_LINGER, libc::linger { l_onoff: 1, l_linger: 0 });
    }

    /// Ends both sides now; threads and pollers see the connection as gone.
    pub fn shutdown_both(&self) {
        // SAFETY: no pointers.
        let _ = check(unsafe { libc::shutdown(self.raw(), libc::SHUT_RDWR) });
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The two calls of every request, past the C library's: its versions are cancellation points, which a
/// process with threads pays for with two more atomic operations a call, and nobody cancels our threads.
#[cfg(target_os = "linux")]
mod call {
    use std::os::fd::RawFd;

    /// # Safety
    /// `buffer` is valid for writes of `len` bytes.
    #[inline]
    pub(super) unsafe fn recv(fd: RawFd, buffer: *mut u8, len: usize) -> libc::ssize_t {
        // Pointer-sized, because a variadic call leaves the upper half of an `int` undefined.
        let none = std::ptr::null_mut::<u8>();
        // SAFETY: promised by the caller; no address is asked for.
        unsafe { libc::syscall(libc::SYS_recvfrom, fd, buffer, len, 0, none, none) as libc::ssize_t }
    }

    /// # Safety
    /// `bytes` is valid for reads of `len` bytes.
    #[inline]
    pub(super) unsafe fn send(fd: RawFd, bytes: *const u8, len: usize, flags: i32) -> libc::ssize_t {
        let none = std::ptr::null::<u8>();
        // SAFETY: promised by the caller; no address is given.
        unsafe { libc::syscall(libc::SYS_sendto, fd, bytes, len, flags, none, 0usize) as libc::ssize_t }
    }
}

#[cfg(not(target_os = "linux"))]
mod call {
    use std::os::fd::RawFd;

    /// # Safety
    /// `buffer` is valid for writes of `len` bytes.
    pub(super) unsafe fn recv(fd: RawFd, buffer: *mut u8, len: usize) -> libc::ssize_t {
        // SAFETY: promised by the caller.
        unsafe { libc::recv(fd, buffer.cast(), len, 0) }
    }

    /// # Safety
    /// `bytes` is valid for reads of `len` bytes.
    pub(super) unsafe fn send(fd: RawFd, bytes: *const u8, len: usize, flags: i32) -> libc::ssize_t {
        // SAFETY: promised by the caller.
        unsafe { libc::send(fd, bytes.cast(), len, flags) }
    }
}

#[inline]
fn flags(more: bool) -> libc::c_int {
    libc::MSG_NOSIGNAL | if more { libc::MSG_MORE } else { 0 }
}

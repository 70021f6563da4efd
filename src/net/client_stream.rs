//! The socket of one client connection: blocking sends and receives with time limits, and how another thread
//! ends them.
//!
//! Connecting is in `dial`, what the bytes mean in `client`. A time limit is given to the kernel
//! (`SO_RCVTIMEO`, `SO_SNDTIMEO`) only when it changes, so that an exchange on a warm connection costs one send
//! and one receive.
#![expect(unsafe_code, reason = "socket system calls")]

use std::io;
use std::mem::{ManuallyDrop, size_of, zeroed};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{self, Thread};
use std::time::Instant;

use parking_lot::Mutex;
use smallvec::SmallVec;

/// A connected stream socket in blocking mode.
#[derive(Debug)]
pub struct ClientStream {
    fd: Arc<OwnedFd>,
    peer: SocketAddr,
    send_limit: u32,
    receive_limit: u32,
}

impl ClientStream {
    /// Takes over a blocking socket that is connected to `peer`.
    pub(super) fn new(fd: OwnedFd, peer: SocketAddr) -> ClientStream {
        ClientStream { fd: Arc::new(fd), peer, send_limit: 0, receive_limit: 0 }
    }

    /// A way to ask the kernel about the connection for as long as it lasts.
    pub fn glimpse(&self) -> Glimpse {
        Glimpse(Arc::downgrade(&self.fd))
    }

    /// Sets how long one send and one receive may wait, in milliseconds; 0 waits for ever.
    pub fn set_limits(&mut self, send: u32, receive: u32) -> io::Result<()> {
        if self.send_limit != send {
            set_time_limit(self.fd.as_raw_fd(), libc::SO_SNDTIMEO, send)?;
            self.send_limit = send;
        }
        if self.receive_limit != receive {
            set_time_limit(self.fd.as_raw_fd(), libc::SO_RCVTIMEO, receive)?;
            self.receive_limit = receive;
        }
        Ok(())
    }

    /// Sends both parts completely, in one system call when the kernel takes them. `WouldBlock` means that
    /// the time limit passed.
    pub fn send_all(&self, mut first: &[u8], mut second: &[u8]) -> io::Result<()> {
        while !first.is_empty() || !second.is_empty() {
            let sent = match self.send_some(first, second, 0) {
                Ok(sent) => sent,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let of_first = sent.min(first.len());
            first = &first[of_first..];
            second = &second[sent - of_first..];
        }
        Ok(())
    }

    /// Sends as much as can be without waiting; `WouldBlock` when that is nothing.
    pub fn send_now(&self, bytes: &[u8]) -> io::Result<usize> {
        self.send_some(bytes, &[], libc::MSG_DONTWAIT)
    }

    fn send_some(&self, first: &[u8], second: &[u8], flags: i32) -> io::Result<usize> {
        let parts = [io_slice(first), io_slice(second)];
        // SAFETY: an all-zero msghdr is valid; the fields used are set below.
        let mut message: libc::msghdr = unsafe { zeroed() };
        message.msg_iov = parts.as_ptr().cast_mut();
        message.msg_iovlen = parts.len();
        // SAFETY: the message points at two live slices, which sendmsg only reads.
        let sent = unsafe { libc::sendmsg(self.fd.as_raw_fd(), &message, libc::MSG_NOSIGNAL | flags) };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }

    /// Waits for bytes; 0 is the end of the stream, `WouldBlock` means that the time limit passed.
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.receive_with(buffer, 0)
    }

    /// Takes what has arrived without waiting; `WouldBlock` means that nothing has.
    pub fn receive_now(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.receive_with(buffer, libc::MSG_DONTWAIT)
    }

    /// Whether an idle connection is still usable: open, and the server has said nothing.
    pub fn is_quiet(&self) -> bool {
        let mut byte = [0_u8; 1];
        let probe = self.receive_with(&mut byte, libc::MSG_PEEK | libc::MSG_DONTWAIT);
        matches!(probe, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    fn receive_with(&self, buffer: &mut [u8], flags: i32) -> io::Result<usize> {
        loop {
            let fd = self.fd.as_raw_fd();
            // SAFETY: recv writes at most `len` bytes into the exclusively borrowed buffer.
            let got = unsafe { libc::recv(fd, buffer.as_mut_ptr().cast(), buffer.len(), flags) };
            if let Ok(got) = usize::try_from(got) {
                return Ok(got);
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }

    /// The addresses of this end and of the other. This end has none before the first bytes leave a socket that
    /// sends them with the connection request.
    pub fn addresses(&self) -> (SocketAddr, SocketAddr) {
        // SAFETY: the descriptor is open while `self` lives, and the view does not close it.
        let view = ManuallyDrop::new(unsafe { TcpStream::from_raw_fd(self.fd.as_raw_fd()) });
        let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        (view.local_addr().unwrap_or(nowhere), self.peer)
    }
}

impl AsFd for ClientStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
/// See [`ClientStream::glimpse`]. It does not keep the connection open.
#[derive(Clone, Debug, Default)]
pub struct Glimpse(pub(super) Weak<OwnedFd>);

fn io_slice(bytes: &[u8]) -> libc::iovec {
    libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() }
}

fn set_time_limit(fd: RawFd, option: i32, milliseconds: u32) -> io::Result<()> {
    let limit =
        libc::timeval { tv_sec: (milliseconds / 1000).into(), tv_usec: (milliseconds % 1000 * 1000).into() };
    set_option(fd, libc::SOL_SOCKET, option, &limit)
}

/// `setsockopt` with a value of any plain type.
pub(super) fn set_option<T: Copy>(fd: RawFd, level: i32, option: i32, value: &T) -> io::Result<()> {
    let size = size_of::<T>() as libc::socklen_t;
    // SAFETY: the kernel reads `size` bytes of a live value.
    let result = unsafe { libc::setsockopt(fd, level, option, std::ptr::from_ref(value).cast(), size) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The size of a `sockaddr_storage`.
pub const ADDRESS_SIZE: usize = size_of::<libc::sockaddr_storage>();

/// An address as the platform's own `sockaddr_in` or `sockaddr_in6`, zeros behind it.
pub fn socket_address(address: SocketAddr) -> [u8; ADDRESS_SIZE] {
    let mut bytes = [0; ADDRESS_SIZE];
    let mut put = |at: usize, part: &[u8]| bytes[at..at + part.len()].copy_from_slice(part);
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    put(std::mem::offset_of!(libc::sockaddr_in, sin_family), &(family as libc::sa_family_t).to_ne_bytes());
    put(std::mem::offset_of!(libc::sockaddr_in, sin_port), &address.port().to_be_bytes());
    match address {
        SocketAddr::V4(v4) => put(std::mem::offset_of!(libc::sockaddr_in, sin_addr), &v4.ip().octets()),
        SocketAddr::V6(v6) => {
            put(std::mem::offset_of!(libc::sockaddr_in6, sin6_flowinfo), &v6.flowinfo().to_ne_bytes());
            put(std::mem::offset_of!(libc::sockaddr_in6, sin6_addr), &v6.ip().octets());
            put(std::mem::offset_of!(libc::sockaddr_in6, sin6_scope_id), &v6.scope_id().to_ne_bytes());
        }
    }
    bytes
}

/// The operation was cancelled by [`Cancel::cancel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled;

/// What a thread of one request may be waiting for.
#[derive(Debug)]
enum Waiting {
    Nothing,
    Socket(RawFd),
    /// Several that are being connected.
    Race(SmallVec<[RawFd; 4]>),
    Thread(Thread),
}

/// Waits wait.
const OPEN: u8 = 0;
/// Waits end until [`Cancel::resume`].
const INTERRUPTED: u8 = 1;
/// Waits end for good.
const CANCELLED: u8 = 2;

/// How one thread ends the wait of another: by shutting down the socket it waits on, or by waking it.
///
/// Whoever closes an attached descriptor must detach it first, so that a number the system has given to
/// someone else is never shut down.
#[derive(Debug)]
pub struct Cancel {
    state: AtomicU8,
    waiting: Mutex<Waiting>,
}

impl Cancel {
    /// Nothing is waited for, nothing is cancelled.
    pub fn new() -> Cancel {
        Cancel { state: AtomicU8::new(OPEN), waiting: Mutex::new(Waiting::Nothing) }
    }

    /// Ends the present wait and all later ones.
    pub fn cancel(&self) {
        self.end(CANCELLED);
    }

    /// Ends the present wait and later ones, up to [`Cancel::resume`].
    pub fn interrupt(&self) {
        self.end(INTERRUPTED);
    }

    /// Waits wait again, unless they are cancelled. Says whether there was an interruption.
    #[inline]
    pub fn resume(&self) -> bool {
        // Hardly ever more than this look at it.
        self.state.load(Ordering::Acquire) == INTERRUPTED
            && self.state.compare_exchange(INTERRUPTED, OPEN, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    fn end(&self, state: u8) {
        let waiting = self.waiting.lock();
        self.state.fetch_max(state, Ordering::Release);
        match &*waiting {
            Waiting::Nothing => {}
            // SAFETY: an attached descriptor is open, because it is detached under this lock before it closes.
            Waiting::Socket(fd) => drop(unsafe { libc::shutdown(*fd, libc::SHUT_RDWR) }),
            Waiting::Race(all) => {
                for fd in all {
                    // SAFETY: the same for each of them.
                    unsafe { libc::shutdown(*fd, libc::SHUT_RDWR) };
                }
            }
            Waiting::Thread(thread) => thread.unpark(),
        }
    }

    /// Whether waits end: [`Cancel::cancel`] was called, or [`Cancel::interrupt`] and not yet `resume`.
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.state.load(Ordering::Acquire) != OPEN
    }

    /// From now on `cancel` shuts this connection down.
    pub fn attach(&self, stream: &ClientStream) -> Result<(), Cancelled> {
        self.attach_socket(stream.fd.as_raw_fd())
    }

    pub(super) fn attach_socket(&self, fd: RawFd) -> Result<(), Cancelled> {
        self.set(Waiting::Socket(fd))
    }

    /// From now on `cancel` shuts this socket down, too.
    pub(super) fn attach_runner(&self, fd: RawFd) -> Result<(), Cancelled> {
        let mut waiting = self.waiting.lock();
        if self.is_cancelled() {
            return Err(Cancelled);
        }
        match &mut *waiting {
            Waiting::Race(all) => all.push(fd),
            other => *other = Waiting::Race(SmallVec::from_slice(&[fd])),
        }
        Ok(())
    }

    /// `cancel` leaves this one of several alone from now on.
    pub(super) fn detach_runner(&self, fd: RawFd) {
        if let Waiting::Race(all) = &mut *self.waiting.lock() {
            all.retain(|runner| *runner != fd);
        }
    }

    /// Waits, until a deadline, for `ready`, which whoever makes it so follows with an `unpark` of this thread.
    /// False when the deadline came first.
    pub fn wait(
        &self,
        deadline: Option<Instant>,
        mut ready: impl FnMut() -> bool,
    ) -> Result<bool, Cancelled> {
        self.set(Waiting::Thread(thread::current()))?;
        let outcome = loop {
            if self.is_cancelled() {
                break Err(Cancelled);
            }
            if ready() {
                break Ok(true);
            }
            match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                None => thread::park(),
                Some(left) if left.is_zero() => break Ok(false),
                Some(left) => thread::park_timeout(left),
            }
        };
        self.detach();
        outcome
    }

    /// `cancel` touches nothing any more.
    pub fn detach(&self) {
        *self.waiting.lock() = Waiting::Nothing;
    }

    fn set(&self, new: Waiting) -> Result<(), Cancelled> {
        let mut waiting = self.waiting.lock();
        if self.is_cancelled() {
            return Err(Cancelled);
        }
        *waiting = new;
        Ok(())
    }
}

impl Default for Cancel {
    fn default() -> Self {
        Cancel::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interruption_passes_and_a_cancellation_stays() {
        let cancel = Cancel::new();
        assert!(!cancel.resume());
        cancel.interrupt();
        assert!(cancel.is_cancelled());
        assert_eq!(cancel.wait(None, || false), Err(Cancelled));
        assert!(cancel.resume() && !cancel.is_cancelled());
        assert_eq!(cancel.wait(None, || true), Ok(true));
        cancel.cancel();
        cancel.interrupt();
        assert!(!cancel.resume() && cancel.is_cancelled());
    }
}

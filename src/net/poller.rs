//! Readiness of many descriptors (epoll), edge-triggered, one registration for the life of a descriptor.
//!
//! Edge-triggered registration for reading and writing at once means no further call per request: the
//! owner remembers "may be readable" until a read falls short, and asks nothing of the kernel.
#![expect(unsafe_code, reason = "epoll and eventfd")]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use super::check;

/// What a descriptor reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness(u32);

impl Readiness {
    /// Data, or the end of the stream, may be there.
    pub fn readable(self) -> bool {
        self.0 & (libc::EPOLLIN | libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR) as u32 != 0
    }

    /// There may be room to write.
    pub fn writable(self) -> bool {
        self.0 & (libc::EPOLLOUT | libc::EPOLLHUP | libc::EPOLLERR) as u32 != 0
    }

    /// The peer has ended its side; the end itself is still to be read, after what came before it.
    pub fn ended(self) -> bool {
        self.0 & libc::EPOLLRDHUP as u32 != 0
    }

    /// Both sides are shut, by no fault.
    pub fn shut(self) -> bool {
        self.0 & (libc::EPOLLERR | libc::EPOLLHUP) as u32 == libc::EPOLLHUP as u32
    }

    /// There are urgent data, which a receive stops short of although more has come.
    pub fn urgent(self) -> bool {
        self.0 & libc::EPOLLPRI as u32 != 0
    }

    /// The connection is gone: reset, or closed both ways.
    pub fn gone(self) -> bool {
        self.0 & (libc::EPOLLERR | libc::EPOLLHUP) as u32 != 0
    }
}

/// Room for the events of one wait, and a cursor over those not yet handled.
pub struct Events {
    list: Vec<libc::epoll_event>,
    next: usize,
    len: usize,
}

impl Events {
    /// Room for `capacity` events.
    pub fn with_capacity(capacity: usize) -> Events {
        Events { list: vec![libc::epoll_event { events: 0, u64: 0 }; capacity], next: 0, len: 0 }
    }

    /// The next event not yet handled: its token and what it reports.
    #[inline]
    pub fn take(&mut self) -> Option<(u64, Readiness)> {
        if self.next == self.len {
            return None;
        }
        let event = self.list[self.next];
        self.next += 1;
        Some((event.u64, Readiness(event.events)))
    }

    /// Whether events are left.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.next == self.len
    }
}

/// An epoll instance and an eventfd that ends its waits.
pub struct Poller {
    epoll: OwnedFd,
    wake: OwnedFd,
}

impl Poller {
    /// The token [`Poller::wake`] arrives under.
    pub const WAKE: u64 = u64::MAX;

    /// A poller that watches nothing but its own wake-up.
    pub fn new() -> io::Result<Poller> {
        // SAFETY: no pointers; the result is checked before it is owned.
        let epoll = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        // SAFETY: a fresh descriptor nobody else owns.
        let epoll = unsafe { OwnedFd::from_raw_fd(check(epoll)?) };
        // SAFETY: no pointers; the result is checked before it is owned.
        let wake = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        // SAFETY: a fresh descriptor nobody else owns.
        let wake = unsafe { OwnedFd::from_raw_fd(check(wake)?) };
        let poller = Poller { epoll, wake };
        poller.control(
            libc::EPOLL_CTL_ADD,
            poller.wake.as_raw_fd(),
            Self::WAKE,
            libc::EPOLLIN | libc::EPOLLET,
        )?;
        Ok(poller)
    }

    /// Watches a connection for reading, writing and its end, edge-triggered, until it is closed.
    pub fn add(&self, fd: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        let interest = libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLET;
        self.control(libc::EPOLL_CTL_ADD, fd.as_raw_fd(), token, interest)
    }

    /// As [`Poller::add`], and for urgent data; for a descriptor that may be watched already, under a token that nobody
    /// wants any more.
    pub fn add_again(&self, fd: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        let interest = libc::EPOLLIN | libc::EPOLLPRI | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLET;
        match self.control(libc::EPOLL_CTL_ADD, fd.as_raw_fd(), token, interest) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.control(libc::EPOLL_CTL_MOD, fd.as_raw_fd(), token, interest)
            }
            result => result,
        }
    }

    /// Watches a listener, level-triggered, so that connections left in the backlog report again.
    pub fn add_listener(&self, fd: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd.as_raw_fd(), token, libc::EPOLLIN)
    }

    /// Stops watching a descriptor that stays open elsewhere.
    pub fn remove(&self, fd: BorrowedFd<'_>) {
        // SAFETY: both descriptors are open; DEL reads no event.
        unsafe {
            libc::epoll_ctl(self.epoll.as_raw_fd(), libc::EPOLL_CTL_DEL, fd.as_raw_fd(), std::ptr::null_mut())
        };
    }

    /// Waits for events, at most `timeout_ms` (-1: for ever). The previous events must have been taken.
    pub fn wait(&self, events: &mut Events, timeout_ms: i32) -> io::Result<()> {
        let room = events.list.len() as libc::c_int;
        // SAFETY: the list has `room` entries and is ours for the call.
        let got =
            unsafe { libc::epoll_wait(self.epoll.as_raw_fd(), events.list.as_mut_ptr(), room, timeout_ms) };
        events.next = 0;
        events.len = 0;
        match check(got) {
            Ok(n) => events.len = n as usize,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
        Ok(())
    }

    /// Ends a wait of another thread, or the next one. The eventfd is edge-triggered: its counter is never
    /// read, each write is an edge.
    pub fn wake(&self) {
        let one = 1u64;
        // SAFETY: eight bytes of a local are read; a full counter cannot happen within the life of a host.
        unsafe { libc::write(self.wake.as_raw_fd(), (&raw const one).cast(), 8) };
    }

    fn control(&self, how: libc::c_int, fd: RawFd, token: u64, interest: libc::c_int) -> io::Result<()> {
        let mut event = libc::epoll_event { events: interest as u32, u64: token };
        // SAFETY: both descriptors are open and `event` is ours for the call.
        check(unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), how, fd, &mut event) })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wake_ends_the_wait_each_time() {
        let poller = Poller::new().unwrap();
        let mut events = Events::with_capacity(4);
        for _ in 0..3 {
            poller.wake();
            poller.wait(&mut events, 5000).unwrap();
            assert_eq!(events.take().map(|e| e.0), Some(Poller::WAKE));
            assert!(events.is_empty());
        }
        poller.wait(&mut events, 0).unwrap();
        assert!(events.is_empty());
    }
}

//! Connecting to one of several addresses: attempts are started one after the other and race (RFC 8305 §5), on the
//! calling thread, with a time limit each and a way to give up.
//!
//! Which addresses, and in what order, is decided in `client`; names become addresses in `resolve`; what a socket is
//! told first is in `tuning`.
#![expect(unsafe_code, reason = "socket system calls")]

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use smallvec::SmallVec;

use super::bell::Bell;
use super::client_stream::{Cancel, ClientStream, set_option};
use super::tuning::Tuning;

/// One address to try, for so many milliseconds (0: as long as the system tries).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Where to.
    pub address: SocketAddr,
    /// How long.
    pub limit: u32,
}

/// What came of an attempt that failed.
#[derive(Debug)]
pub enum Answer {
    /// Nothing, while there was time.
    Silence,
    /// The system's error.
    Error(io::Error),
}

/// Why there is no connection.
#[derive(Debug)]
pub enum DialError {
    /// Another thread cancelled.
    Cancelled,
    /// The bell rang.
    Rung,
    /// Every attempt failed; in the order in which they did.
    Failed(Vec<(SocketAddr, Answer)>),
}

/// What to race, and how.
#[derive(Clone, Copy, Debug)]
pub struct Course<'a> {
    /// The attempts, in the order in which they start.
    pub attempts: &'a [Attempt],
    /// How long the latest attempt goes on alone before the next starts; `None` until it has failed.
    pub stagger: Option<Duration>,
    /// What the sockets are told.
    pub tuning: &'a Tuning,
    /// Ends the race from another thread.
    pub cancel: &'a Cancel,
    /// Ends it as well.
    pub bell: Option<&'a Bell>,
}

/// Runs the race. `begin` is called before each attempt, and ends the race by giving false. The connection that is
/// made first is left attached to `cancel`; the failures before it come with it.
pub fn race(
    course: &Course<'_>,
    begin: &mut dyn FnMut(&SocketAddr) -> bool,
) -> Result<(ClientStream, usize), DialError> {
    let mut race =
        Race { course, running: SmallVec::new(), failed: Vec::new(), next: 0, due: Instant::now() };
    let won = race.run(begin).and_then(|runner| race.finish(runner));
    if won.is_err() {
        course.cancel.detach();
    }
    // Those that lost have been detached, and may close.
    drop(race.running);
    match won {
        _ if course.cancel.is_cancelled() => {
            course.cancel.detach();
            Err(DialError::Cancelled)
        }
        Ok(stream) => Ok((stream, race.failed.len())),
        Err(DialError::Failed(_)) => Err(DialError::Failed(race.failed)),
        Err(error) => Err(error),
    }
}

/// A connection being made.
struct Runner {
    fd: OwnedFd,
    address: SocketAddr,
    deadline: Option<Instant>,
}

struct Race<'a> {
    course: &'a Course<'a>,
    running: SmallVec<[Runner; 4]>,
    failed: Vec<(SocketAddr, Answer)>,
    /// The attempt to start next, and when.
    next: usize,
    due: Instant,
}

impl Race<'_> {
    fn run(&mut self, begin: &mut dyn FnMut(&SocketAddr) -> bool) -> Result<Runner, DialError> {
        loop {
            if let Some(attempt) = self.next_due() {
                if !begin(&attempt.address) {
                    return Err(DialError::Cancelled);
                }
                if let Some(runner) = self.start(attempt)? {
                    return Ok(runner);
                }
            } else if self.running.is_empty() {
                // The list is put in by the caller.
                return Err(DialError::Failed(Vec::new()));
            } else if let Some(runner) = self.wait()? {
                return Ok(runner);
            }
        }
    }

    fn next_due(&mut self) -> Option<Attempt> {
        let attempt = *self.course.attempts.get(self.next)?;
        let due = self.running.is_empty() || (self.course.stagger.is_some() && Instant::now() >= self.due);
        self.next += usize::from(due);
        due.then_some(attempt)
    }

    /// Starts an attempt; gives it back if it is connected at once.
    fn start(&mut self, attempt: Attempt) -> Result<Option<Runner>, DialError> {
        let address = attempt.address;
        let fd = match open_socket(&address, self.course.tuning) {
            Ok(fd) => fd,
            Err(error) => {
                self.failed.push((address, Answer::Error(error)));
                return Ok(None);
            }
        };
        self.course.cancel.attach_runner(fd.as_raw_fd()).map_err(|_| DialError::Cancelled)?;
        let now = Instant::now();
        let deadline = (attempt.limit != 0).then(|| now + Duration::from_millis(attempt.limit.into()));
        let runner = Runner { fd, address, deadline };
        match start_connect(runner.fd.as_raw_fd(), &address) {
            Ok(()) => return Ok(Some(runner)),
            Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {
                self.due = now + self.course.stagger.unwrap_or_default();
                self.running.push(runner);
            }
            Err(error) => self.lost(runner, Answer::Error(error)),
        }
        Ok(None)
    }

    /// Waits until something happens; gives the winner when there is one.
    fn wait(&mut self) -> Result<Option<Runner>, DialError> {
        let entry = |fd, events| libc::pollfd { fd, events, revents: 0 };
        let mut entries: SmallVec<[libc::pollfd; 5]> =
            self.running.iter().map(|runner| entry(runner.fd.as_raw_fd(), libc::POLLOUT)).collect();
        entries.extend(self.course.bell.map(|bell| entry(bell.fd(), libc::POLLIN)));
        poll(&mut entries, self.time_left());
        if self.course.bell.is_some() && entries.last().is_some_and(|bell| bell.revents != 0) {
            return Err(DialError::Rung);
        }
        let now = Instant::now();
        // Backwards, so that taking one out moves only those already seen.
        for at in (0..self.running.len()).rev() {
            if entries[at].revents != 0 {
                let runner = self.running.remove(at);
                match socket_error(runner.fd.as_raw_fd()) {
                    Ok(0) => return Ok(Some(runner)),
                    Ok(libc::ETIMEDOUT) => self.lost(runner, Answer::Silence),
                    Ok(code) => self.lost(runner, Answer::Error(io::Error::from_raw_os_error(code))),
                    Err(error) => self.lost(runner, Answer::Error(error)),
                }
            } else if self.running[at].deadline.is_some_and(|deadline| now >= deadline) {
                let runner = self.running.remove(at);
                self.lost(runner, Answer::Silence);
            }
        }
        Ok(None)
    }

    /// Milliseconds until the next attempt or deadline, for `poll`.
    fn time_left(&self) -> i32 {
        let more = self.next < self.course.attempts.len() && self.course.stagger.is_some();
        let deadlines = self.running.iter().filter_map(|runner| runner.deadline);
        let Some(first) = deadlines.chain(more.then_some(self.due)).min() else { return -1 };
        let left = first.saturating_duration_since(Instant::now());
        i32::try_from(left.as_micros().div_ceil(1000)).unwrap_or(i32::MAX)
    }

    /// An attempt has failed, so the next need not wait.
    fn lost(&mut self, runner: Runner, answer: Answer) {
        self.course.cancel.detach_runner(runner.fd.as_raw_fd());
        self.failed.push((runner.address, answer));
        self.due = Instant::now();
    }

    fn finish(&mut self, runner: Runner) -> Result<ClientStream, DialError> {
        let fd = runner.fd.as_raw_fd();
        self.course.cancel.attach_socket(fd).map_err(|_| DialError::Cancelled)?;
        if let Err(error) = make_ready(fd) {
            self.course.cancel.detach();
            self.failed.push((runner.address, Answer::Error(error)));
            return Err(DialError::Failed(Vec::new()));
        }
        Ok(ClientStream::new(runner.fd, runner.address))
    }
}

fn open_socket(address: &SocketAddr, tuning: &Tuning) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    // SAFETY: socket takes no pointers.
    let fd = unsafe { libc::socket(family, libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was just opened and belongs to nobody else.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    // Urgent data is data like any other: left out, it would be missed, and what waits for it would wait in vain.
    set_option(fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_OOBINLINE, &1_i32)?;
    tuning.apply(fd.as_raw_fd(), address.is_ipv4())?;
    Ok(fd)
}

fn start_connect(fd: RawFd, address: &SocketAddr) -> io::Result<()> {
    let result = match address {
        SocketAddr::V4(v4) => {
            let raw = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(v4.ip().octets()) },
                sin_zero: [0; 8],
            };
            connect_raw(fd, &raw)
        }
        SocketAddr::V6(v6) => {
            let raw = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: v6.flowinfo(),
                sin6_addr: libc::in6_addr { s6_addr: v6.ip().octets() },
                sin6_scope_id: v6.scope_id(),
            };
            connect_raw(fd, &raw)
        }
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn connect_raw<T>(fd: RawFd, raw: &T) -> i32 {
    let size = size_of::<T>() as libc::socklen_t;
    // SAFETY: `raw` is a live socket address of `size` bytes, which connect only reads.
    unsafe { libc::connect(fd, std::ptr::from_ref(raw).cast(), size) }
}

/// Waits so many milliseconds (-1: for ever) for one of the entries. A signal or a shortage is no event.
fn poll(entries: &mut [libc::pollfd], wait: i32) {
    // SAFETY: the kernel reads and writes so many live entries.
    if unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, wait) } < 0 {
        entries.iter_mut().for_each(|entry| entry.revents = 0);
    }
}

fn socket_error(fd: RawFd) -> io::Result<i32> {
    let mut code: i32 = 0;
    let mut size = size_of::<i32>() as libc::socklen_t;
    let place: *mut i32 = &mut code;
    // SAFETY: the kernel writes at most `size` bytes to a live integer.
    let result = unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_ERROR, place.cast(), &mut size) };
    if result == 0 { Ok(code) } else { Err(io::Error::last_os_error()) }
}

/// Back to blocking mode, and no waiting for more bytes before a small send leaves.
fn make_ready(fd: RawFd) -> io::Result<()> {
    // SAFETY: fcntl with F_SETFL takes an integer.
    if unsafe { libc::fcntl(fd, libc::F_SETFL, 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    set_option(fd, libc::IPPROTO_TCP, libc::TCP_NODELAY, &1_i32)
}

#[cfg(test)]
mod tests;

//! Connecting to one address, with a time limit and a way to give up.
//!
//! Which address, and in what order, is decided in `client`; names become addresses in `resolve`.
#![expect(unsafe_code, reason = "socket system calls")]

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use super::client_stream::{Cancel, ClientStream, set_option};

/// Why there is no connection.
#[derive(Debug)]
pub enum DialError {
    /// Another thread cancelled.
    Cancelled,
    /// The time limit passed.
    Timeout,
    /// The system said no.
    Failed(io::Error),
}

/// Connects within `limit` milliseconds (0: as long as the system tries). The new connection is left attached
/// to `cancel`.
pub fn dial(address: &SocketAddr, limit: u32, cancel: &Cancel) -> Result<ClientStream, DialError> {
    let fd = open_socket(address).map_err(DialError::Failed)?;
    cancel.attach_socket(fd.as_raw_fd()).map_err(|_| DialError::Cancelled)?;
    let connected = connect(&fd, address, limit).and_then(|()| make_ready(&fd).map_err(DialError::Failed));
    match connected {
        Ok(()) if !cancel.is_cancelled() => Ok(ClientStream::new(fd)),
        result => {
            cancel.detach();
            drop(fd);
            let cancelled = if cancel.is_cancelled() { Err(DialError::Cancelled) } else { result };
            Err(cancelled.expect_err("success was handled above"))
        }
    }
}

fn open_socket(address: &SocketAddr) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    // SAFETY: socket takes no pointers.
    let fd = unsafe { libc::socket(family, libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was just opened and belongs to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn connect(fd: &OwnedFd, address: &SocketAddr, limit: u32) -> Result<(), DialError> {
    let deadline = (limit != 0).then(|| Instant::now() + Duration::from_millis(limit.into()));
    match start_connect(fd.as_raw_fd(), address) {
        Ok(()) => return Ok(()),
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
        Err(error) => return Err(DialError::Failed(error)),
    }
    wait_until_connected(fd.as_raw_fd(), deadline)?;
    match socket_error(fd.as_raw_fd()).map_err(DialError::Failed)? {
        0 => Ok(()),
        code if code == libc::ETIMEDOUT => Err(DialError::Timeout),
        code => Err(DialError::Failed(io::Error::from_raw_os_error(code))),
    }
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

fn wait_until_connected(fd: RawFd, deadline: Option<Instant>) -> Result<(), DialError> {
    loop {
        let wait = match deadline {
            None => -1,
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                i32::try_from(left.as_micros().div_ceil(1000)).unwrap_or(i32::MAX)
            }
        };
        let mut entry = libc::pollfd { fd, events: libc::POLLOUT, revents: 0 };
        // SAFETY: one live entry.
        match unsafe { libc::poll(&mut entry, 1, wait) } {
            0 => return Err(DialError::Timeout),
            1 => return Ok(()),
            _ => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(DialError::Failed(error));
                }
            }
        }
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
fn make_ready(fd: &OwnedFd) -> io::Result<()> {
    // SAFETY: fcntl with F_SETFL takes an integer.
    if unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    set_option(fd.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_NODELAY, &1_i32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::sync::Arc;

    #[test]
    fn a_closed_port_refuses() {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let refused = dial(&address, 5000, &Cancel::new());
        assert!(matches!(refused, Err(DialError::Failed(e)) if e.kind() == io::ErrorKind::ConnectionRefused));
    }

    #[test]
    fn cancelling_ends_a_receive() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let cancel = Arc::new(Cancel::new());
        let stream = dial(&listener.local_addr().unwrap(), 5000, &cancel).unwrap();
        let other = Arc::clone(&cancel);
        let thread = std::thread::spawn(move || other.cancel());
        let mut buffer = [0; 16];
        assert_eq!(stream.receive(&mut buffer).unwrap(), 0);
        assert!(cancel.is_cancelled());
        cancel.detach();
        thread.join().unwrap();
    }

    #[test]
    fn a_receive_ends_when_its_time_has_passed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut stream = dial(&listener.local_addr().unwrap(), 5000, &Cancel::new()).unwrap();
        stream.set_limits(1000, 20).unwrap();
        assert_eq!(stream.receive(&mut [0; 16]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert!(stream.is_quiet());
    }

    #[test]
    fn nothing_is_dialled_after_cancelling() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let cancel = Cancel::new();
        cancel.cancel();
        assert!(matches!(dial(&listener.local_addr().unwrap(), 0, &cancel), Err(DialError::Cancelled)));
    }
}

//! Listening sockets: one port on all addresses, IPv4 and IPv6 apart, so that clients keep their family. Those of the
//! Unix domain are made in `unix_listener`; one that another program opened is taken over here.
#![expect(unsafe_code, reason = "socket, bind, listen, accept4 and addresses")]

use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use super::check;
use super::socket::Socket;
use super::unix_listener::SocketFile;

/// How many connections may wait to be accepted, if nobody says otherwise. The system has a limit of its own.
pub const BACKLOG: u32 = 4096;

/// A socket that accepts connections.
#[derive(Debug)]
pub struct Listener {
    fd: OwnedFd,
    is_unix: bool,
    /// Others have it too.
    is_inherited: bool,
    /// Its name in the file system, which goes with it.
    file: Option<SocketFile>,
}

impl Listener {
    /// Listens on a port of every address, IPv4 and, where the machine has it, IPv6.
    pub fn bind_all(port: u16, backlog: u32) -> io::Result<Vec<Listener>> {
        let mut listeners = vec![Self::bind_with(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)), backlog)?];
        match Self::bind_with(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)), backlog) {
            Ok(listener) => listeners.push(listener),
            Err(e) if e.kind() == io::ErrorKind::AddrInUse => return Err(e),
            Err(_) => {}
        }
        Ok(listeners)
    }

    /// Listens on a port of these addresses; of every address when there are none, or an unspecified one of a family.
    pub fn bind_these(addresses: &[IpAddr], port: u16) -> io::Result<Vec<Listener>> {
        if addresses.is_empty() {
            return Self::bind_all(port, BACKLOG);
        }
        addresses.iter().map(|address| Self::bind(SocketAddr::new(*address, port))).collect()
    }

    /// Listens on one address.
    pub fn bind(address: SocketAddr) -> io::Result<Listener> {
        Self::bind_with(address, BACKLOG)
    }

    /// As [`Listener::bind`], with so many connections that may wait.
    pub fn bind_with(address: SocketAddr, backlog: u32) -> io::Result<Listener> {
        let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
        let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: no pointers; the result is checked before it is owned.
        let fd = check(unsafe { libc::socket(family, kind, 0) })?;
        // SAFETY: a fresh descriptor nobody else owns.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        set_flag(fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_REUSEADDR)?;
        if address.is_ipv6() {
            set_flag(fd.as_raw_fd(), libc::IPPROTO_IPV6, libc::IPV6_V6ONLY)?;
        }
        let (raw, len) = to_raw(address);
        // SAFETY: `raw` is a socket address of `len` bytes, a local.
        check(unsafe { libc::bind(fd.as_raw_fd(), (&raw const raw).cast(), len) })?;
        Self::listening(fd, backlog, None)
    }

    /// Begins to listen at a socket that is bound; to one of the Unix domain if it has a `file` or is abstract.
    pub(super) fn listening(fd: OwnedFd, backlog: u32, file: Option<SocketFile>) -> io::Result<Listener> {
        let backlog = libc::c_int::try_from(backlog).unwrap_or(libc::c_int::MAX);
        // SAFETY: no pointers.
        check(unsafe { libc::listen(fd.as_raw_fd(), backlog) })?;
        let is_unix = family(fd.as_fd())? == libc::AF_UNIX;
        Ok(Listener { fd, is_unix, is_inherited: false, file })
    }

    /// Takes over a socket that listens already, as a service manager hands them on. Whatever is none is
    /// `InvalidInput`.
    pub fn inherit(file: File) -> io::Result<Listener> {
        let fd = OwnedFd::from(file);
        let listens = number(fd.as_fd(), libc::SO_ACCEPTCONN)? == 1;
        let family = family(fd.as_fd())?;
        let known = [libc::AF_INET, libc::AF_INET6, libc::AF_UNIX].contains(&family);
        if !listens || !known || number(fd.as_fd(), libc::SO_TYPE)? != libc::SOCK_STREAM {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // SAFETY: no pointers.
        let flags = check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) })?;
        // SAFETY: no pointers.
        check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK) })?;
        Ok(Listener { fd, is_unix: family == libc::AF_UNIX, is_inherited: true, file: None })
    }

    /// Whether its clients have no addresses.
    pub fn is_unix(&self) -> bool {
        self.is_unix
    }

    /// Listens no more, although somebody may have it in hand yet: the next one may be bound at once. One that others have
    /// too goes on for them.
    pub fn retire(&self) {
        if let Some(file) = &self.file {
            file.remove();
        }
        if !self.is_inherited {
            // SAFETY: no pointers.
            unsafe { libc::shutdown(self.fd.as_raw_fd(), libc::SHUT_RD) };
        }
    }

    /// The next waiting connection and its two ends; `WouldBlock` when there is none.
    pub fn accept(&self) -> io::Result<(Socket, SocketAddr, SocketAddr)> {
        let mut raw = empty();
        let mut len = size_of_val(&raw) as libc::socklen_t;
        let flags = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: the kernel writes at most `len` bytes into a local.
        let fd = unsafe { libc::accept4(self.fd.as_raw_fd(), (&raw mut raw).cast(), &mut len, flags) };
        // SAFETY: a fresh descriptor nobody else owns.
        let fd = unsafe { OwnedFd::from_raw_fd(check(fd)?) };
        // A socket of both families, such as service managers hand on, shows clients of IPv4 as mapped: rules about
        // addresses, and URLs bound to one, would not know them.
        let plain = |end: SocketAddr| match end.ip().to_canonical() {
            ip if ip == end.ip() => end,
            ip => SocketAddr::new(ip, end.port()),
        };
        let (local, remote) = (plain(local_address(fd.as_fd())?), plain(from_raw(&raw)));
        Ok((Socket::from_fd(fd), local, remote))
    }

    /// The address it is bound to.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        local_address(self.fd.as_fd())
    }
}

/// Whether an attempt to accept failed for a reason that will last a while: process or machine have nothing left, or
/// somebody who has the socket too has shut it.
pub fn is_lasting(error: &io::Error) -> bool {
    let exhausted =
        matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM));
    exhausted || error.raw_os_error() == Some(libc::EINVAL)
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The family of a socket.
fn family(fd: BorrowedFd<'_>) -> io::Result<libc::c_int> {
    let mut raw = empty();
    let mut len = size_of_val(&raw) as libc::socklen_t;
    // SAFETY: the kernel writes at most `len` bytes into a local.
    check(unsafe { libc::getsockname(fd.as_raw_fd(), (&raw mut raw).cast(), &mut len) })?;
    Ok(raw.ss_family.into())
}

/// A socket option that is a number. What is no socket has none.
fn number(fd: BorrowedFd<'_>, name: libc::c_int) -> io::Result<libc::c_int> {
    let mut value: libc::c_int = 0;
    let mut len = size_of_val(&value) as libc::socklen_t;
    let place = (&raw mut value).cast();
    // SAFETY: the kernel writes at most `len` bytes into a local.
    let got = unsafe { libc::getsockopt(fd.as_raw_fd(), libc::SOL_SOCKET, name, place, &mut len) };
    check(got).map_err(|_| io::ErrorKind::InvalidInput)?;
    Ok(value)
}

fn local_address(fd: BorrowedFd<'_>) -> io::Result<SocketAddr> {
    let mut raw = empty();
    let mut len = size_of_val(&raw) as libc::socklen_t;
    // SAFETY: the kernel writes at most `len` bytes into a local.
    check(unsafe { libc::getsockname(fd.as_raw_fd(), (&raw mut raw).cast(), &mut len) })?;
    Ok(from_raw(&raw))
}

fn set_flag(fd: RawFd, level: libc::c_int, name: libc::c_int) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the kernel reads four bytes of a local.
    check(unsafe { libc::setsockopt(fd, level, name, (&raw const on).cast(), 4) })?;
    Ok(())
}

fn empty() -> libc::sockaddr_storage {
    // SAFETY: all-zero is a valid sockaddr_storage.
    unsafe { std::mem::zeroed() }
}

fn to_raw(address: SocketAddr) -> (libc::sockaddr_storage, libc::socklen_t) {
    let mut raw = empty();
    let len = match address {
        SocketAddr::V4(v4) => {
            // SAFETY: sockaddr_storage is large enough and aligned for every family.
            let raw = unsafe { &mut *(&raw mut raw).cast::<libc::sockaddr_in>() };
            raw.sin_family = libc::AF_INET as libc::sa_family_t;
            raw.sin_port = v4.port().to_be();
            raw.sin_addr.s_addr = u32::from_ne_bytes(v4.ip().octets());
            size_of::<libc::sockaddr_in>()
        }
        SocketAddr::V6(v6) => {
            // SAFETY: sockaddr_storage is large enough and aligned for every family.
            let raw = unsafe { &mut *(&raw mut raw).cast::<libc::sockaddr_in6>() };
            raw.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            raw.sin6_port = v6.port().to_be();
            raw.sin6_addr.s6_addr = v6.ip().octets();
            raw.sin6_scope_id = v6.scope_id();
            size_of::<libc::sockaddr_in6>()
        }
    };
    (raw, len as libc::socklen_t)
}

fn from_raw(raw: &libc::sockaddr_storage) -> SocketAddr {
    match i32::from(raw.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says which structure the kernel wrote.
            let raw = unsafe { &*std::ptr::from_ref(raw).cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(raw.sin_addr.s_addr.to_ne_bytes());
            SocketAddr::V4(SocketAddrV4::new(ip, u16::from_be(raw.sin_port)))
        }
        libc::AF_INET6 => {
            // SAFETY: the family says which structure the kernel wrote.
            let raw = unsafe { &*std::ptr::from_ref(raw).cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(raw.sin6_addr.s6_addr);
            SocketAddr::V6(SocketAddrV6::new(ip, u16::from_be(raw.sin6_port), 0, raw.sin6_scope_id))
        }
        _ => SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_retired_is_in_nobodys_way() {
        let first = Listener::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let address = first.local_address().unwrap();
        assert_eq!(Listener::bind(address).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        first.retire();
        let second = Listener::bind(address).unwrap();
        let _client = std::net::TcpStream::connect(address).unwrap();
        second.accept().unwrap();
        assert!(first.accept().is_err());
    }

    #[test]
    fn clients_keep_their_family_at_a_socket_of_both() {
        let Ok(both) = std::net::TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)) else { return };
        let port = both.local_addr().unwrap().port();
        let ours = Listener::inherit(File::from(OwnedFd::from(both))).unwrap();
        let Ok(client) = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return };
        let (_socket, local, remote) = loop {
            match ours.accept() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::yield_now(),
                accepted => break accepted.unwrap(),
            }
        };
        assert_eq!((local, remote), (client.peer_addr().unwrap(), client.local_addr().unwrap()));
    }

    #[test]
    fn one_that_is_shared_goes_on() {
        let theirs = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let copy = OwnedFd::from(theirs.try_clone().unwrap());
        let ours = Listener::inherit(File::from(copy)).unwrap();
        ours.retire();
        let _client = std::net::TcpStream::connect(theirs.local_addr().unwrap()).unwrap();
        ours.accept().unwrap();
    }
}

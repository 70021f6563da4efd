//! Who runs this process, and who is at the other end of a Unix socket.
#![expect(unsafe_code, reason = "geteuid and SO_PEERCRED")]

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

use super::check;

/// The user this process acts as.
pub fn own_uid() -> u32 {
    // SAFETY: no preconditions; it cannot fail.
    unsafe { libc::geteuid() }
}

/// Whether this process may do everything.
pub fn is_root() -> bool {
    own_uid() == 0
}

/// The user who connected a Unix socket.
#[cfg(target_os = "linux")]
pub fn uid_of(stream: &UnixStream) -> io::Result<u32> {
    let mut who = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut len = size_of_val(&who) as libc::socklen_t;
    let place = (&raw mut who).cast();
    // SAFETY: the kernel writes at most `len` bytes into a local.
    let got =
        unsafe { libc::getsockopt(stream.as_raw_fd(), libc::SOL_SOCKET, libc::SO_PEERCRED, place, &mut len) };
    check(got)?;
    Ok(who.uid)
}

/// The user who connected a Unix socket.
#[cfg(not(target_os = "linux"))]
pub fn uid_of(stream: &UnixStream) -> io::Result<u32> {
    let (mut uid, mut gid) = (0, 0);
    // SAFETY: both are locals.
    check(unsafe { libc::getpeereid(stream.as_raw_fd(), &mut uid, &mut gid) })?;
    Ok(uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_a_pair_are_ours() {
        let (one, _other) = UnixStream::pair().unwrap();
        assert_eq!(uid_of(&one).unwrap(), own_uid());
    }
}

//! A Unix stream socket that carries file descriptors beside its bytes (`SCM_RIGHTS`).
//!
//! Only the system calls: what the bytes mean, and which descriptor belongs to what, is `share`'s business.
//! Sends and receives block; [`FdChannel::shutdown`] ends both, on both sides.
#![expect(unsafe_code, reason = "sendmsg and recvmsg with control messages")]

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::mem::size_of;
use std::net::Shutdown;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::ptr;

/// Descriptors one send may carry (the kernel's `SCM_MAX_FD`).
pub const MAX_FILES: usize = 253;

/// Room for one control message with [`MAX_FILES`] descriptors, in units that align a `cmsghdr`.
type Control = [u64; 136];

// SAFETY: CMSG_SPACE is arithmetic on its argument.
const _: () = assert!(
    unsafe { libc::CMSG_SPACE((MAX_FILES * size_of::<RawFd>()) as u32) } as usize <= size_of::<Control>()
);

/// One end of the channel.
#[derive(Debug)]
pub struct FdChannel {
    socket: UnixStream,
}

impl FdChannel {
    /// Two ends connected with each other, both closed on exec.
    pub fn pair() -> Result<(FdChannel, FdChannel)> {
        let (one, other) = UnixStream::pair()?;
        Ok((FdChannel { socket: one }, FdChannel { socket: other }))
    }

    /// A channel over a connected socket in blocking mode.
    pub fn new(socket: UnixStream) -> FdChannel {
        FdChannel { socket }
    }

    /// Ends the channel for both sides; calls blocked in it return.
    pub fn shutdown(&self) {
        // The other side may have gone first; then there is nothing to end.
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    /// Sends some of the bytes, at least one, and all of the descriptors with the first of them. Returns how
    /// many bytes went. A channel that has ended gives `BrokenPipe`, and no signal.
    pub fn send(&self, bytes: &[IoSlice<'_>], files: &[BorrowedFd<'_>]) -> Result<usize> {
        if files.len() > MAX_FILES {
            return Err(ErrorKind::InvalidInput.into());
        }
        let mut control: Control = [0; 136];
        let mut message = empty_message();
        message.msg_iov = bytes.as_ptr().cast::<libc::iovec>().cast_mut();
        message.msg_iovlen = bytes.len() as _;
        if !files.is_empty() {
            attach(&mut message, &mut control, files);
        }
        retry(|| {
            // SAFETY: the header points at live slices (IoSlice has the layout of iovec, which sendmsg only
            // reads) and at `control`, whose first msg_controllen bytes `attach` has filled in.
            unsafe { libc::sendmsg(self.socket.as_raw_fd(), &message, libc::MSG_NOSIGNAL) }
        })
    }

    /// Receives bytes into `buffer`, waiting for the first; 0 when the channel has ended. Descriptors that
    /// came with them are added to `files`, closed on exec.
    pub fn receive(&self, buffer: &mut [u8], files: &mut Vec<OwnedFd>) -> Result<usize> {
        let mut control: Control = [0; 136];
        let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
        let mut message = empty_message();
        let received = retry(|| {
            message.msg_iov = &mut part;
            message.msg_iovlen = 1;
            message.msg_control = control.as_mut_ptr().cast();
            message.msg_controllen = size_of::<Control>() as _;
            // SAFETY: the header points at `part` (thus at `buffer`) and `control`, all live and writable.
            unsafe { libc::recvmsg(self.socket.as_raw_fd(), &mut message, libc::MSG_CMSG_CLOEXEC) }
        })?;
        collect(&message, files);
        if message.msg_flags & libc::MSG_CTRUNC != 0 {
            return Err(Error::new(ErrorKind::InvalidData, "descriptors were cut off"));
        }
        Ok(received)
    }
}

fn empty_message() -> libc::msghdr {
    // SAFETY: msghdr is made of integers and pointers; all zeros is the header of an empty message.
    unsafe { std::mem::zeroed() }
}

/// Writes one `SCM_RIGHTS` control message with the descriptors; the caller has checked their number.
fn attach(message: &mut libc::msghdr, control: &mut Control, files: &[BorrowedFd<'_>]) {
    let bytes = (files.len() * size_of::<RawFd>()) as u32;
    message.msg_control = control.as_mut_ptr().cast();
    // SAFETY: CMSG_SPACE is arithmetic. The header CMSG_FIRSTHDR finds lies at the start of `control`, which
    // is aligned for it and, by the assertion above, has room for it and the descriptors after it.
    unsafe {
        message.msg_controllen = libc::CMSG_SPACE(bytes) as _;
        let header = libc::CMSG_FIRSTHDR(message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(bytes) as _;
        let data = libc::CMSG_DATA(header).cast::<RawFd>();
        for (place, file) in files.iter().enumerate() {
            ptr::write_unaligned(data.add(place), file.as_raw_fd());
        }
    }
}

/// Takes the descriptors out of a received message.
fn collect(message: &libc::msghdr, files: &mut Vec<OwnedFd>) {
    // SAFETY: the kernel wrote well-formed control messages into the live buffer the header points at, and
    // each descriptor in them is open, ours, and seen here only.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(message);
        while !header.is_null() {
            if (*header).cmsg_level == libc::SOL_SOCKET && (*header).cmsg_type == libc::SCM_RIGHTS {
                let bytes = (*header).cmsg_len as usize - libc::CMSG_LEN(0) as usize;
                let data = libc::CMSG_DATA(header).cast::<RawFd>();
                for place in 0..bytes / size_of::<RawFd>() {
                    files.push(OwnedFd::from_raw_fd(ptr::read_unaligned(data.add(place))));
                }
            }
            header = libc::CMSG_NXTHDR(message, header);
        }
    }
}

/// Repeats a call that a signal interrupted.
fn retry(mut call: impl FnMut() -> libc::ssize_t) -> Result<usize> {
    loop {
        let result = call();
        if result >= 0 {
            return Ok(result as usize);
        }
        let error = Error::last_os_error();
        if error.kind() != ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::fd::AsFd;

    #[test]
    fn bytes_and_descriptors_arrive_together() {
        let (one, other) = FdChannel::pair().unwrap();
        let (mut reader, writer) = std::io::pipe().unwrap();
        let sent = one.send(&[IoSlice::new(b"he"), IoSlice::new(b"ad")], &[writer.as_fd()]).unwrap();
        assert_eq!(sent, 4);
        drop(writer);

        let (mut buffer, mut files) = ([0; 16], Vec::new());
        assert_eq!(other.receive(&mut buffer, &mut files).unwrap(), 4);
        assert_eq!((&buffer[..4], files.len()), (&b"head"[..], 1));
        File::from(files.pop().unwrap()).write_all(b"through").unwrap();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "through");
    }

    #[test]
    fn as_many_descriptors_as_the_kernel_allows() {
        let (one, other) = FdChannel::pair().unwrap();
        let null = File::open("/dev/null").unwrap();
        let files: Vec<_> = (0..MAX_FILES).map(|_| null.as_fd()).collect();
        assert_eq!(one.send(&[IoSlice::new(b"x")], &files).unwrap(), 1);
        let mut received = Vec::new();
        assert_eq!(other.receive(&mut [0; 1], &mut received).unwrap(), 1);
        assert_eq!(received.len(), MAX_FILES);

        let too_many = vec![null.as_fd(); MAX_FILES + 1];
        assert_eq!(one.send(&[IoSlice::new(b"x")], &too_many).unwrap_err().kind(), ErrorKind::InvalidInput);
    }

    #[test]
    fn shutdown_ends_both_sides() {
        let (one, other) = FdChannel::pair().unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| other.receive(&mut [0; 1], &mut Vec::new()));
            one.shutdown();
            assert_eq!(waiting.join().unwrap().unwrap(), 0);
        });
        assert_eq!(other.send(&[IoSlice::new(b"x")], &[]).unwrap_err().kind(), ErrorKind::BrokenPipe);
    }
}

//! Waiting until something happens in some folders (inotify), and being woken from that.
#![expect(unsafe_code, reason = "inotify, eventfd and poll")]

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use super::check;

/// Folders that are watched.
#[derive(Debug)]
pub struct Watch {
    notices: OwnedFd,
    wake: Arc<Waker>,
}

/// Ends a [`Watch::wait`] from another thread.
#[derive(Debug)]
pub struct Waker(OwnedFd);

impl Waker {
    /// Ends the present wait, or the next.
    pub fn wake(&self) {
        let one = 1_u64.to_ne_bytes();
        // SAFETY: eight live bytes. It fails only when the count is full, and then the wait ends all the same.
        unsafe { libc::write(self.0.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }
}

impl Watch {
    /// Watches nothing yet.
    pub fn new() -> io::Result<Watch> {
        // SAFETY: takes no pointers.
        let notices = check(unsafe { libc::inotify_init1(libc::IN_CLOEXEC | libc::IN_NONBLOCK) })?;
        // SAFETY: just opened, and nobody else's.
        let notices = unsafe { OwnedFd::from_raw_fd(notices) };
        // SAFETY: takes no pointers.
        let wake = check(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        // SAFETY: just opened, and nobody else's.
        let wake = unsafe { OwnedFd::from_raw_fd(wake) };
        Ok(Watch { notices, wake: Arc::new(Waker(wake)) })
    }

    /// How to end a wait.
    pub fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.wake)
    }

    /// Watches a folder, from now on or as before.
    pub fn add(&self, folder: &Path) -> io::Result<()> {
        let name = CString::new(folder.as_os_str().as_bytes())?;
        let what = libc::IN_CLOSE_WRITE
            | libc::IN_CREATE
            | libc::IN_DELETE
            | libc::IN_MOVED_FROM
            | libc::IN_MOVED_TO;
        let mask = what | libc::IN_DELETE_SELF | libc::IN_MOVE_SELF | libc::IN_ONLYDIR;
        // SAFETY: a live string with its NUL.
        check(unsafe { libc::inotify_add_watch(self.notices.as_raw_fd(), name.as_ptr(), mask) }).map(|_| ())
    }

    /// Waits until something has happened in a folder, or until woken.
    pub fn wait(&self) -> io::Result<()> {
        let entry = |fd: &OwnedFd| libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let mut entries = [entry(&self.notices), entry(&self.wake.0)];
        loop {
            // SAFETY: two live entries.
            match check(unsafe { libc::poll(entries.as_mut_ptr(), 2, -1) }) {
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let mut bin = [0_u8; 4096];
        for fd in [&self.notices, &self.wake.0] {
            // What exactly has happened is of no interest.
            // SAFETY: read writes at most so many bytes into the local array.
            while unsafe { libc::read(fd.as_raw_fd(), bin.as_mut_ptr().cast(), bin.len()) } > 0 {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_with_a_change_or_a_wake() {
        let folder = std::env::temp_dir().join(format!("nthttp-watch-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let watch = Watch::new().unwrap();
        assert!(watch.add(Path::new("/nonexistent")).is_err());
        watch.add(&folder).unwrap();
        std::fs::write(folder.join("a"), "x").unwrap();
        watch.wait().unwrap();
        watch.waker().wake();
        watch.wait().unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        watch.wait().unwrap();
    }
}

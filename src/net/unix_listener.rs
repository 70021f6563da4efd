//! Listening sockets of the Unix domain: files, and names that begin with `@`, which are nowhere in the file system.
//!
//! A file that a program left behind is replaced; one that somebody listens at is not. Between looking and replacing
//! there must be nobody else who does the same, so whoever opens or removes such a file locks its folder meanwhile. That
//! holds among programs with this library, and only where the folder may be read.
#![expect(unsafe_code, reason = "socket, bind, connect and fchmod with addresses of the Unix domain")]

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::check;
use super::listener::Listener;

/// How often, and after how long, a folder that is locked is tried again.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(10);

/// A socket in the file system.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and inode, by which it is known from a later one in its place.
    identity: (u64, u64),
    is_there: AtomicBool,
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<SocketFile> {
        let found = fs::symlink_metadata(path)?;
        let identity = (found.dev(), found.ino());
        Ok(SocketFile { path: path.to_owned(), identity, is_there: AtomicBool::new(true) })
    }

    /// Gives it these permissions; it and nothing that somebody who may write to the folder has put in its place.
    fn permit(&self, mode: u32) -> io::Result<()> {
        let flags = libc::O_PATH | libc::O_NOFOLLOW;
        let held = OpenOptions::new().read(true).custom_flags(flags).open(&self.path)?;
        let found = held.metadata()?;
        if (found.dev(), found.ino()) != self.identity {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let held = format!("/proc/self/fd/{}", held.as_raw_fd());
        fs::set_permissions(held, Permissions::from_mode(mode))
    }

    /// Removes it, once, if it still is the one that was made.
    pub(super) fn remove(&self) {
        if !self.is_there.swap(false, Ordering::SeqCst) {
            return;
        }
        let _turn = Turn::take(&self.path);
        if fs::symlink_metadata(&self.path).is_ok_and(|it| (it.dev(), it.ino()) == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        self.remove();
    }
}

impl Listener {
    /// Listens at a path, or at an abstract name after `@`. With a `mode` the file has just these permissions, from its
    /// first moment; else those the process gives to new files.
    ///
    /// Errors: `InvalidFilename` (too long), `AddrInUse` (somebody listens there), `AlreadyExists` (there is something that
    /// is no socket), and those of the file system.
    pub fn bind_unix(name: &[u8], mode: Option<u32>, backlog: u32) -> io::Result<Listener> {
        let (raw, len) = to_raw(name)?;
        let fd = socket()?;
        if name.first() == Some(&b'@') {
            bind(&fd, &raw, len)?;
            return Listener::listening(fd, backlog, None);
        }
        let path = Path::new(OsStr::from_bytes(name));
        let _turn = Turn::take(path);
        if let Some(mode) = mode {
            // What the file is made with; the mask of the process is still to be taken off.
            // SAFETY: no pointers.
            check(unsafe { libc::fchmod(fd.as_raw_fd(), mode as libc::mode_t) })?;
        }
        if let Err(error) = bind(&fd, &raw, len) {
            if error.kind() != io::ErrorKind::AddrInUse {
                return Err(error);
            }
            make_room(path, &raw, len)?;
            bind(&fd, &raw, len)?;
        }
        let file = SocketFile::of(path)?;
        if let Some(mode) = mode {
            file.permit(mode)?;
        }
        // Nobody can connect before.
        Listener::listening(fd, backlog, Some(file))
    }
}

/// Removes a socket that nobody listens at any more.
fn make_room(path: &Path, raw: &libc::sockaddr_un, len: libc::socklen_t) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.file_type().is_socket() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    // One that does not block: a full backlog is a sign of life too.
    let probe = socket()?;
    // SAFETY: `raw` is a socket address of `len` bytes, borrowed for the call.
    let answer = check(unsafe { libc::connect(probe.as_raw_fd(), std::ptr::from_ref(raw).cast(), len) });
    match answer.map_err(|error| error.kind()) {
        Err(io::ErrorKind::ConnectionRefused) => fs::remove_file(path),
        Err(io::ErrorKind::PermissionDenied) => Err(io::ErrorKind::PermissionDenied.into()),
        _ => Err(io::ErrorKind::AddrInUse.into()),
    }
}

/// The right to open or remove a socket in a folder. Given up when dropped.
struct Turn {
    _folder: Option<File>,
}

impl Turn {
    /// Waits a moment for it. Who does not get it goes on without, for a lock that anybody may hold must not keep a
    /// server from starting.
    fn take(path: &Path) -> Turn {
        let folder = path.parent().and_then(|folder| File::open(folder).ok());
        let locked = folder.filter(|folder| {
            (0..TRIES).any(|_| match folder.try_lock() {
                Ok(()) => true,
                Err(_) => {
                    std::thread::sleep(PAUSE);
                    false
                }
            })
        });
        Turn { _folder: locked }
    }
}

fn socket() -> io::Result<OwnedFd> {
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: no pointers; the result is checked before it is owned.
    let fd = check(unsafe { libc::socket(libc::AF_UNIX, kind, 0) })?;
    // SAFETY: a fresh descriptor nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn bind(fd: &OwnedFd, raw: &libc::sockaddr_un, len: libc::socklen_t) -> io::Result<()> {
    // SAFETY: `raw` is a socket address of `len` bytes, borrowed for the call.
    check(unsafe { libc::bind(fd.as_raw_fd(), std::ptr::from_ref(raw).cast(), len) })?;
    Ok(())
}

/// The address of a name. A path needs room for a NUL behind it; the first byte of an abstract name is one.
fn to_raw(name: &[u8]) -> io::Result<(libc::sockaddr_un, libc::socklen_t)> {
    // SAFETY: all-zero is a valid sockaddr_un.
    let mut raw: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    if name.len() >= raw.sun_path.len() {
        return Err(io::ErrorKind::InvalidFilename.into());
    }
    raw.sun_family = libc::AF_UNIX as libc::sa_family_t;
    let is_abstract = name.first() == Some(&b'@');
    for (at, byte) in name.iter().enumerate().skip(usize::from(is_abstract)) {
        raw.sun_path[at] = *byte as libc::c_char;
    }
    let before = size_of_val(&raw) - raw.sun_path.len();
    let len = before + name.len() + usize::from(!is_abstract);
    Ok((raw, len as libc::socklen_t))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::{UnixListener, UnixStream};

    /// A folder of its own for a test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("nthttp-unix-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir(&path).unwrap();
            Folder(path)
        }

        fn socket(&self) -> PathBuf {
            self.0.join("s")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn open(path: &Path) -> Result<Listener, io::ErrorKind> {
        Listener::bind_unix(path.as_os_str().as_bytes(), None, 8).map_err(|error| error.kind())
    }

    #[test]
    fn the_file_lives_as_long_as_the_listener_and_no_longer() {
        let folder = Folder::new("life");
        let path = folder.socket();
        let listener = Listener::bind_unix(path.as_os_str().as_bytes(), Some(0o602), 8).unwrap();
        assert!(listener.is_unix());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o602);
        let _client = UnixStream::connect(&path).unwrap();
        listener.accept().unwrap();
        listener.retire();
        assert!(!path.exists());
    }

    #[test]
    fn only_what_nobody_listens_at_is_replaced() {
        let folder = Folder::new("stale");
        let path = folder.socket();
        let live = UnixListener::bind(&path).unwrap();
        assert_eq!(open(&path).err(), Some(io::ErrorKind::AddrInUse));
        drop(live);
        let ours = open(&path).unwrap();
        assert_eq!(open(&path).err(), Some(io::ErrorKind::AddrInUse));
        // Somebody else's by now: not ours to remove.
        fs::remove_file(&path).unwrap();
        let theirs = UnixListener::bind(&path).unwrap();
        drop(ours);
        assert!(path.exists());
        drop(theirs);
        fs::remove_file(&path).unwrap();
        fs::write(&path, "x").unwrap();
        assert_eq!(open(&path).err(), Some(io::ErrorKind::AlreadyExists));
        assert_eq!(open(&folder.0.join("none/s")).err(), Some(io::ErrorKind::NotFound));
    }

    #[test]
    fn what_was_put_in_its_place_keeps_its_permissions() {
        let folder = Folder::new("instead");
        let (path, victim) = (folder.socket(), folder.0.join("victim"));
        let _theirs = UnixListener::bind(&path).unwrap();
        let file = SocketFile::of(&path).unwrap();
        file.permit(0o640).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        fs::write(&victim, "x").unwrap();
        let before = fs::metadata(&victim).unwrap().permissions();
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        assert!(file.permit(0o666).is_err());
        assert_eq!(fs::metadata(&victim).unwrap().permissions(), before);
    }

    #[test]
    fn names_are_limited_and_may_be_abstract() {
        let long = vec![b'/'; 108];
        let error = Listener::bind_unix(&long, None, 8).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidFilename);
        let name = format!("@nthttp-test-{}", std::process::id());
        let listener = Listener::bind_unix(name.as_bytes(), None, 8).unwrap();
        let again = Listener::bind_unix(name.as_bytes(), None, 8).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AddrInUse);
        drop(listener);
        Listener::bind_unix(name.as_bytes(), None, 8).unwrap();
    }

    #[test]
    fn of_many_who_replace_the_same_socket_one_has_it() {
        let folder = Folder::new("race");
        let path = folder.socket();
        drop(UnixListener::bind(&path).unwrap());
        let opened: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| open(&path).ok())).collect();
            threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(opened.len(), 1);
        UnixStream::connect(&path).unwrap();
    }

    #[test]
    fn a_listening_socket_is_taken_over_and_nothing_else() {
        let folder = Folder::new("inherit");
        let theirs = UnixListener::bind(folder.socket()).unwrap();
        let copy = File::from(OwnedFd::from(theirs.try_clone().unwrap()));
        let listener = Listener::inherit(copy).unwrap();
        assert!(listener.is_unix());
        assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let (one, _other) = UnixStream::pair().unwrap();
        for wrong in [File::from(OwnedFd::from(one)), File::open("/dev/null").unwrap()] {
            assert_eq!(Listener::inherit(wrong).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
        drop(listener);
        assert!(folder.socket().exists());
    }
}

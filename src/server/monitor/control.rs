//! The control socket: how other programs of the same user look at this engine and have it do things (`snapshot` has
//! the words). One command a connection, one line of JSON; the answer is JSON or text, and then the end.
//!
//! The socket is `<pid>.sock` in [`folder`], there while a port is open, unless `NTHTTP_CONTROL` is `off`. It is
//! one more listener of the engine's poller; a connection is answered by a short-lived thread of its own, so that a
//! slow client holds up nobody. Where it cannot be made, the engine goes without.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::Builder;
use std::time::Duration;

use parking_lot::Mutex;
use serde::Serialize;

use crate::abi::error::Error;
use crate::net::peer;
use crate::net::poller::Poller;
use crate::win32::trace;

use super::metrics;
use super::snapshot::{Command, Deed, Done, Show};
use crate::server::engine::Engine;
use crate::server::log;

/// The token of the socket among the poller's; no listener and no connection has it.
pub(crate) const TOKEN: u64 = u64::MAX - 1;

const TIMEOUT: Error = Error(1460);

/// The longest command, and how long its sender may take.
const LONGEST: u64 = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(2);

/// Connections answered at once; more are closed.
const MOST: usize = 4;

/// The socket, once there is an engine to talk to.
#[derive(Default)]
pub(crate) struct Control {
    engine: OnceLock<Weak<Engine>>,
    open: Mutex<Option<Open>>,
    busy: AtomicUsize,
}

struct Open {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for Open {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// A client being answered.
struct Place(Arc<Engine>);

impl Place {
    fn take(engine: Arc<Engine>) -> Place {
        engine.control.busy.fetch_add(1, Ordering::Relaxed);
        Place(engine)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.control.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Where the sockets of this user's processes are: `/run/nthttp` for root, else `$XDG_RUNTIME_DIR/nthttp`, else
/// `/tmp/nthttp-<uid>`.
pub fn folder() -> PathBuf {
    if peer::is_root() {
        return PathBuf::from("/run/nthttp");
    }
    match std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute()) {
        Some(runtime) => runtime.join("nthttp"),
        None => PathBuf::from(format!("/tmp/nthttp-{}", peer::own_uid())),
    }
}

impl Control {
    /// Lets the socket be opened. Only the engine of the process has one.
    pub(crate) fn allow(&self, engine: &Arc<Engine>) {
        if std::env::var_os("NTHTTP_CONTROL").is_none_or(|said| said != "off") {
            self.engine.get_or_init(|| Arc::downgrade(engine));
        }
    }

    /// Opens the socket if it may be open and is not.
    pub(crate) fn open(&self, poller: &Poller) {
        let mut open = self.open.lock();
        if self.engine.get().is_none() || open.is_some() {
            return;
        }
        match bind(&folder()) {
            Ok(bound) if poller.add_listener(bound.listener.as_fd(), TOKEN).is_ok() => *open = Some(bound),
            Ok(_) => trace::info(format_args!("no control socket: it cannot be polled")),
            Err(error) => trace::info(format_args!("no control socket: {error}")),
        }
    }

    /// Closes the socket.
    pub(crate) fn close(&self, poller: &Poller) {
        if let Some(open) = self.open.lock().take() {
            // A child of fork may have it open yet.
            poller.remove(open.listener.as_fd());
        }
    }

    /// A client has come. What it wants is found out elsewhere.
    pub(crate) fn accept(&self, poller: &Poller) {
        let accepted = match &*self.open.lock() {
            Some(open) => open.listener.accept(),
            None => return,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            // The report would come again and again.
            Err(_) => return self.close(poller),
        };
        let ours = peer::uid_of(&stream).is_ok_and(|uid| uid == peer::own_uid() || uid == 0);
        let Some(engine) = self.engine.get().and_then(Weak::upgrade) else { return };
        let place = Place::take(engine);
        if !ours || place.0.control.busy.load(Ordering::Relaxed) > MOST {
            return;
        }
        let serve = move || place.0.serve_control(stream);
        // Without a thread, the client finds its connection closed.
        let _ = Builder::new().name("nthttp-control".into()).spawn(serve);
    }
}

/// Binds the socket of this process in a folder that nobody else may write to.
fn bind(place: &Path) -> std::io::Result<Open> {
    DirBuilder::new().recursive(true).mode(0o700).create(place)?;
    let owner = fs::symlink_metadata(place)?;
    if !owner.is_dir() || owner.uid() != peer::own_uid() || owner.mode() & 0o022 != 0 {
        return Err(std::io::Error::other("its folder is not ours alone"));
    }
    let path = place.join(format!("{}.sock", std::process::id()));
    sweep(place);
    let open = Open { listener: UnixListener::bind(&path)?, path };
    fs::set_permissions(&open.path, Permissions::from_mode(0o600))?;
    open.listener.set_nonblocking(true)?;
    Ok(open)
}

/// Removes the sockets of processes that were killed: nobody listens there, and the process is gone or has our number.
fn sweep(place: &Path) {
    for path in fs::read_dir(place).into_iter().flatten().flatten().map(|entry| entry.path()) {
        let pid = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".sock")?.parse::<u32>().ok());
        let Some(pid) = pid else { continue };
        let alive = pid != std::process::id() && Path::new("/proc").join(pid.to_string()).exists();
        // Asked only where no process is seen: one in another container may be behind it.
        let refused = || UnixStream::connect(&path).is_err_and(|e| e.kind() == ErrorKind::ConnectionRefused);
        if !alive && refused() {
            let _ = fs::remove_file(&path);
        }
    }
}

impl Engine {
    /// Reads one command and answers it.
    fn serve_control(&self, stream: UnixStream) -> std::io::Result<()> {
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut line = Vec::new();
        BufReader::new((&stream).take(LONGEST)).read_until(b'\n', &mut line)?;
        let answer = match serde_json::from_slice(&line) {
            Ok(command) => self.carry_out(command),
            Err(error) => json(&Done { code: Error::INVALID_PARAMETER.0, error: error.to_string() }),
        };
        (&stream).write_all(&answer)
    }

    fn carry_out(&self, command: Command) -> Vec<u8> {
        match command {
            Command::Show { show: Show::Snapshot } => json(&self.snapshot()),
            Command::Show { show: Show::Cache } => json(&self.see_cache(true)),
            Command::Show { show: Show::Metrics } => metrics::text(&self.snapshot()).into_bytes(),
            Command::Do(deed) => json(&self.do_deed(deed)),
        }
    }

    fn do_deed(&self, deed: Deed) -> Done {
        let outcome = match deed {
            Deed::FlushLog if log::flush_all() => Ok(()),
            Deed::FlushLog => Err(TIMEOUT),
            Deed::FlushCache { url, recursive } => self.flush_cache(url.as_deref(), recursive),
        };
        match outcome {
            Ok(()) => Done { code: 0, error: String::new() },
            Err(error) => Done { code: error.0, error: format!("error {}", error.0) },
        }
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // Plain values of ours: nothing in them can refuse.
    let mut text = serde_json::to_vec(value).unwrap_or_default();
    text.push(b'\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::monitor::snapshot::Snapshot;

    fn asked(engine: &Arc<Engine>, line: &str) -> String {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        ours.write_all(line.as_bytes()).unwrap();
        let _ = engine.serve_control(theirs);
        let mut answer = String::new();
        ours.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn a_command_gets_its_answer() {
        let engine = Arc::new(Engine::new().unwrap());
        let snapshot: Snapshot = serde_json::from_str(&asked(&engine, "{\"show\":\"snapshot\"}\n")).unwrap();
        assert_eq!(snapshot.pid, std::process::id());
        assert!(asked(&engine, "{\"show\":\"metrics\"}\n").contains("# TYPE nthttp_requests_total counter"));
        assert_eq!(asked(&engine, "{\"do\":\"flush-log\"}\n"), "{\"code\":0}\n");
        let refused: Done = serde_json::from_str(&asked(&engine, "{\"show\":\"all\"}\n")).unwrap();
        assert_eq!(refused.code, 87);
        assert!(!refused.error.is_empty());
    }

    #[test]
    fn a_socket_is_ours_alone_and_goes_with_its_owner() {
        let folder = std::env::temp_dir().join(format!("nthttp-control-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
        let killed = folder.join("4294967295.sock");
        drop(UnixListener::bind(&killed).unwrap());
        fs::write(folder.join("other"), "").unwrap();
        let open = bind(&folder).unwrap();
        assert!(!killed.exists() && folder.join("other").exists());
        let path = open.path.clone();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        drop(open);
        assert!(!path.exists());
        fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
        assert!(bind(&folder).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}

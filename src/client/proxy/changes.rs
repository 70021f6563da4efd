//! Who wants to know that the proxy settings have changed (WinHttpRegisterProxyChangeNotification).
//!
//! While somebody is registered, a thread watches the folders of the files the settings come from. When something
//! happens there it reads the settings again, and tells everybody if they differ. Nobody is called under a lock.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, ThreadId};

use parking_lot::{Condvar, Mutex};

use crate::abi::error::{Error, Result};
use crate::config::Store;
use crate::net::watch::{Waker, Watch};
use crate::win32::handles::is_forked;

use super::settings::{self, UserSettings};
use super::{Proxy, desktop, lookup};

/// What is called.
pub type Tell = Arc<dyn Fn() + Send + Sync>;

struct Registration {
    id: usize,
    tell: Tell,
}

#[derive(Default)]
struct Registry {
    all: Vec<Registration>,
    last_id: usize,
    /// Whose callback runs, and where.
    running: Option<(usize, ThreadId)>,
    /// How to end the watching thread's wait; `None` when there is no thread.
    waker: Option<Arc<Waker>>,
}

static REGISTRY: Mutex<Registry> =
    Mutex::new(Registry { all: Vec::new(), last_id: 0, running: None, waker: None });
static RETURNED: Condvar = Condvar::new();

/// From now on `tell` is called after each change. Gives what [`unregister`] wants, never 0.
pub fn register(tell: Tell) -> Result<usize> {
    if is_forked() {
        return Err(Error::NOT_SUPPORTED);
    }
    let mut registry = REGISTRY.lock();
    if registry.waker.is_none() {
        // Files are not read under the lock. Armed first: what happens from there on is seen.
        drop(registry);
        let watch = Watch::new().map_err(|_| Error::NOT_ENOUGH_MEMORY)?;
        arm(&watch);
        let known = Settings::read();
        registry = REGISTRY.lock();
        if registry.waker.is_none() {
            registry.waker = Some(watch.waker());
            let thread = thread::Builder::new().name("nthttp-proxies".into());
            if thread.spawn(move || watch_over(&watch, known)).is_err() {
                registry.waker = None;
                return Err(Error::NOT_ENOUGH_MEMORY);
            }
        }
    }
    registry.last_id += 1;
    let id = registry.last_id;
    registry.all.push(Registration { id, tell });
    Ok(id)
}

/// Ends a registration. When this returns its callback does not run and will not, unless it is the caller.
/// `INVALID_HANDLE` for one that does not exist.
pub fn unregister(id: usize) -> Result<()> {
    if is_forked() {
        return Err(Error::INVALID_HANDLE);
    }
    let mut registry = REGISTRY.lock();
    let at = registry.all.iter().position(|one| one.id == id).ok_or(Error::INVALID_HANDLE)?;
    let gone = registry.all.remove(at);
    if let (true, Some(waker)) = (registry.all.is_empty(), &registry.waker) {
        waker.wake();
    }
    let here = thread::current().id();
    while registry.running.is_some_and(|(running, on)| running == id && on != here) {
        RETURNED.wait(&mut registry);
    }
    drop(registry);
    // Whatever it holds goes without the lock.
    drop(gone);
    Ok(())
}

/// Everything whose change is a change.
#[derive(PartialEq)]
struct Settings {
    default: Proxy,
    user: Option<UserSettings>,
}

impl Settings {
    fn read() -> Settings {
        Settings { default: settings::default_proxy(), user: settings::user() }
    }
}

fn files() -> Vec<PathBuf> {
    let mut files = desktop::files();
    files.push(Store::of_this_user().path().to_owned());
    files.extend(Store::of_machine().map(|store| store.path().to_owned()));
    files
}

/// Watches the folder of each file; where there is none, the nearest above it, so that its making is seen.
fn arm(watch: &Watch) {
    for file in files() {
        let mut folder = file.parent();
        while let Some(path) = folder.filter(|path| *path != Path::new("")) {
            if watch.add(path).is_ok() {
                break;
            }
            folder = path.parent();
        }
    }
}

/// The life of the watching thread: until nobody is registered.
fn watch_over(watch: &Watch, mut known: Settings) {
    loop {
        let failed = watch.wait().is_err();
        let mut registry = REGISTRY.lock();
        if registry.all.is_empty() || failed {
            registry.waker = None;
            return;
        }
        drop(registry);
        // Folders come and go. Armed first: what happens from here on ends the next wait.
        arm(watch);
        let now = Settings::read();
        if now != known {
            known = now;
            lookup::reset();
            tell_all();
        }
    }
}

fn tell_all() {
    let ids: Vec<usize> = REGISTRY.lock().all.iter().map(|one| one.id).collect();
    for id in ids {
        let mut registry = REGISTRY.lock();
        // It may have been ended by one of those before it.
        let Some(tell) = registry.all.iter().find(|one| one.id == id).map(|one| Arc::clone(&one.tell)) else {
            continue;
        };
        registry.running = Some((id, thread::current().id()));
        drop(registry);
        tell();
        drop(tell);
        REGISTRY.lock().running = None;
        RETURNED.notify_all();
    }
}

//! Sessions and connects: what requests are made from.
//!
//! Neither does any I/O. A connect is a host, a port, and the notifier its requests inherit; its settings are
//! its session's. Parents live as long as their children need them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;

use super::auth::Nonces;
use super::connection::Origin;
use super::cookies::Cookies;
use super::notify::Notifier;
use super::pool;
use super::proxy::{Passage, Proxy};
use super::settings::Settings;

/// What WinHttpOpen makes.
pub struct Session {
    /// Operations of all descendants complete through the callback.
    pub is_async: bool,
    /// What servers have asked to be told again.
    pub(crate) cookies: Cookies,
    /// How servers want to be told who asks.
    pub(crate) nonces: Nonces,
    /// A connect has been made from it.
    pub has_children: AtomicBool,
    state: Mutex<SessionState>,
    when_gone: Mutex<Option<WhenGone>>,
}

type WhenGone = Box<dyn FnOnce() + Send>;

/// The adjustable parts of a session.
#[derive(Clone)]
pub struct SessionState {
    /// Copied by connects.
    pub notifier: Notifier,
    /// Copied by requests.
    pub settings: Settings,
    /// Value of User-Agent; empty for none.
    pub agent: Arc<[u8]>,
    /// Nothing older than TLS 1.2 may be admitted (WINHTTP_FLAG_SECURE_DEFAULTS).
    pub secure_defaults: bool,
    /// Copied by requests.
    pub proxy: Arc<Proxy>,
    /// Connections are shared inside this partition; 0 is the whole process.
    pub partition: u64,
}

impl Session {
    /// A session with default settings.
    pub fn new(is_async: bool, notifier: Notifier, agent: Arc<[u8]>, proxy: Proxy) -> Session {
        let state = SessionState {
            notifier,
            settings: Settings::default(),
            agent,
            secure_defaults: false,
            proxy: Arc::new(proxy),
            partition: 0,
        };
        Session {
            is_async,
            cookies: Cookies::default(),
            nonces: Nonces::default(),
            has_children: AtomicBool::new(false),
            state: Mutex::new(state),
            when_gone: Mutex::new(None),
        }
    }

    /// Looks at or changes the adjustable parts. Nothing that blocks or calls back may happen inside.
    pub fn with<R>(&self, use_state: impl FnOnce(&mut SessionState) -> R) -> R {
        use_state(&mut self.state.lock())
    }

    /// What to do when the session and all its descendants are gone and their last callback has returned.
    pub fn set_when_gone(&self, when_gone: Option<WhenGone>) {
        *self.when_gone.lock() = when_gone;
    }

    /// Whether there is something to do then.
    pub fn has_when_gone(&self) -> bool {
        self.when_gone.lock().is_some()
    }

    /// Gives the session a connection pool of its own.
    pub fn leave_global_pool(&self) {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        self.with(|state| {
            if state.partition == 0 {
                state.partition = NEXT.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let partition = self.state.get_mut().partition;
        if partition != 0 {
            pool::discard(partition);
        }
        if let Some(when_gone) = self.when_gone.get_mut().take() {
            when_gone();
        }
    }
}

/// What WinHttpConnect makes.
pub struct Connect {
    /// Its parent.
    pub session: Arc<Session>,
    /// Name or address of the server; an IPv6 address has its brackets.
    pub host: String,
    /// 0 is the standard port of the request's scheme.
    pub port: u16,
    notifier: Mutex<Notifier>,
    /// Where its last request went, so that the next need not spell it out again.
    last_origin: Mutex<Option<Arc<Origin>>>,
}

impl Connect {
    /// A connect that inherits the session's notifier.
    pub fn new(session: Arc<Session>, host: String, port: u16) -> Connect {
        session.has_children.store(true, Ordering::Relaxed);
        let notifier = Mutex::new(session.with(|state| state.notifier));
        Connect { session, host, port, notifier, last_origin: Mutex::new(None) }
    }

    /// Looks at or changes the notifier.
    pub fn with_notifier<R>(&self, use_notifier: impl FnOnce(&mut Notifier) -> R) -> R {
        use_notifier(&mut self.notifier.lock())
    }

    /// Where connections for this server or proxy lead.
    pub(crate) fn origin(
        &self,
        (host, port): (&str, u16),
        passage: Passage,
        partition: u64,
        settings: &Settings,
    ) -> Arc<Origin> {
        let mut last = self.last_origin.lock();
        let path = &settings.network().path;
        let same = |origin: &Origin| {
            let here = origin.host == host && origin.port == port && origin.partition == partition;
            here && origin.passage == passage && origin.path == *path
        };
        match &*last {
            Some(origin) if same(origin) => Arc::clone(origin),
            _ => {
                let path = path.clone();
                let origin = Origin { host: host.to_owned(), port, passage, partition, path };
                Arc::clone(last.insert(Arc::new(origin)))
            }
        }
    }
}

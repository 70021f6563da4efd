//! Listening endpoints: a port, its sockets and the prefixes registered on it.

use std::net::IpAddr;
use std::os::fd::AsFd;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use crate::abi::error::{Error, Result};
use crate::net::listener::Listener;
use crate::net::poller::Poller;
use crate::win32::trace;
use crate::wire::prefix::{Scheme, UrlPrefix};

use super::configured::Admission;
use super::entrance::{Door, Entrance, listen_error};
use super::routing::{Registration, Routes};

/// Marks the tokens of listeners among the poller's.
pub(crate) const LISTENER: u64 = 1 << 63;

/// A port. It outlives its registrations, because connections do.
pub(crate) struct Endpoint {
    pub(crate) port: u16,
    pub(crate) routes: RwLock<Routes>,
    pub(crate) open: Mutex<Open>,
}

/// What is open.
#[derive(Default)]
pub(crate) struct Open {
    scheme: Option<Scheme>,
    listeners: Vec<Arc<Listener>>,
    pub(crate) entrances: Vec<Arc<Entrance>>,
}

impl Endpoint {
    pub(crate) fn new(port: u16) -> Endpoint {
        Endpoint { port, routes: RwLock::default(), open: Mutex::default() }
    }

    /// Adds a registration, and opens the port for the first one.
    pub(crate) fn register(
        &self,
        registration: Registration,
        admission: &Admission,
        poller: &Poller,
    ) -> Result<()> {
        let mut open = self.open.lock();
        let scheme = registration.prefix.scheme;
        if open.scheme.is_some_and(|s| s != scheme) {
            return Err(Error::ALREADY_EXISTS);
        }
        let prefix = registration.prefix.clone();
        {
            let mut routes = self.routes.write();
            routes.reserve(&admission.reserved);
            routes.insert(Arc::new(registration))?;
        }
        let stays_closed = open.entrances.iter().any(|entrance| entrance.is_only());
        if open.listeners.is_empty()
            && !stays_closed
            && let Err(error) = self.listen(&mut open, &admission.addresses, poller)
        {
            self.routes.write().remove(&prefix);
            trace::info(format_args!("port {}: {}", self.port, error.0));
            return Err(error);
        }
        trace::info(format_args!("{} is served", prefix.to_text()));
        open.scheme = Some(scheme);
        Ok(())
    }

    /// Removes the registration if `mine` says so; closes the port after the last one.
    pub(crate) fn unregister(
        &self,
        prefix: &UrlPrefix,
        mine: impl Fn(&Registration) -> bool,
        poller: &Poller,
    ) -> Result<()> {
        let mut open = self.open.lock();
        let mut routes = self.routes.write();
        let removed = routes.remove(prefix).ok_or(Error::FILE_NOT_FOUND)?;
        if !mine(&removed) {
            routes.insert(removed)?;
            return Err(Error::FILE_NOT_FOUND);
        }
        if routes.is_empty() {
            trace::info(format_args!("port {} is closed", self.port));
            open.listeners.drain(..).for_each(|listener| part_with(&listener, poller));
            open.scheme = None;
        }
        Ok(())
    }

    /// The prefixes for which `mine` says so.
    pub(crate) fn prefixes(&self, mine: impl Fn(&Registration) -> bool) -> Vec<UrlPrefix> {
        self.routes.read().all().filter(|r| mine(r)).map(|r| r.prefix.clone()).collect()
    }

    /// One of the listeners, by the number in its token.
    pub(crate) fn door(&self, number: u8) -> Option<Door> {
        let open = self.open.lock();
        if let Some(listener) = open.listeners.get(usize::from(number)) {
            return Some((Arc::clone(listener), None));
        }
        let entrance = open.entrances.iter().find(|entrance| entrance.number == number)?;
        Some((Arc::clone(&entrance.listener), Some(Arc::clone(entrance))))
    }

    /// Whether it listens.
    pub(crate) fn is_open(&self) -> bool {
        let open = self.open.lock();
        !open.listeners.is_empty() || !open.entrances.is_empty()
    }

    /// Whether connections here speak TLS, for which no certificate can be configured yet.
    pub(crate) fn is_secure(&self) -> bool {
        self.open.lock().scheme == Some(Scheme::Https)
    }

    fn listen(&self, open: &mut Open, addresses: &[IpAddr], poller: &Poller) -> Result<()> {
        let listeners = Listener::bind_these(addresses, self.port).map_err(|e| listen_error(&e))?;
        for (number, listener) in listeners.iter().enumerate() {
            let token = LISTENER | u64::from(self.port) << 8 | number as u64;
            poller.add_listener(listener.as_fd(), token).map_err(|_| Error::NO_SYSTEM_RESOURCES)?;
        }
        open.listeners = listeners.into_iter().map(Arc::new).collect();
        Ok(())
    }
}

/// Listens there no more. The poller is told, because it forgets a socket by itself only when nobody has it open, and a
/// child of fork, or whoever handed it to this process, may.
pub(crate) fn part_with(listener: &Listener, poller: &Poller) {
    poller.remove(listener.as_fd());
    listener.retire();
}

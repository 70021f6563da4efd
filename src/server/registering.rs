//! URL prefixes, added to and taken from the ports they are on; what opens with the first and closes with the last.

use std::sync::Arc;

use crate::abi::error::{Error, Result};
use crate::wire::prefix::UrlPrefix;

use super::endpoint::Endpoint;
use super::engine::Engine;
use super::log;
use super::routing::{Registration, Target};
use super::service::UrlOwner;

impl Engine {
    /// Registers a prefix for its owner.
    pub(crate) fn register(&self, owner: UrlOwner, url: &[u16], context: u64) -> Result<()> {
        let target = match owner {
            UrlOwner::Group(id) => Target::Group(self.directory.group(id)?),
            UrlOwner::Queue(id) => Target::Queue(self.queue(id)?),
        };
        let prefix = UrlPrefix::parse(url)?;
        let admission = self.configured.admit(&prefix)?;
        let port = prefix.port;
        let known = self.endpoints.read().get(&port).cloned();
        let endpoint = match known {
            Some(endpoint) => endpoint,
            None => {
                let mut endpoints = self.endpoints.write();
                Arc::clone(endpoints.entry(port).or_insert_with(|| Arc::new(Endpoint::new(port))))
            }
        };
        endpoint.register(Registration { prefix, target, context }, &admission, &self.poller)?;
        self.wake_up();
        Ok(())
    }

    /// A port is open: there is something to look at, and there may be errors to tell of.
    fn wake_up(&self) {
        log::stay();
        self.control.open(&self.poller);
    }

    /// After prefixes were removed: without an open port there is nothing to look at or to wait for.
    fn settle(&self) {
        let any_open = || self.endpoints.read().values().any(|endpoint| endpoint.is_open());
        if !any_open() {
            self.control.close();
            log::rest();
            // Another thread may have opened one meanwhile.
            if any_open() {
                self.wake_up();
            }
        }
        self.poller.wake();
    }

    /// Removes one prefix of an owner.
    pub(crate) fn unregister(&self, owner: UrlOwner, url: &[u16]) -> Result<()> {
        let prefix = UrlPrefix::parse(url)?;
        let endpoint = self.endpoints.read().get(&prefix.port).cloned().ok_or(Error::FILE_NOT_FOUND)?;
        endpoint.unregister(&prefix, |r| owns(owner, r))?;
        self.settle();
        Ok(())
    }

    /// Removes every prefix of an owner.
    pub(crate) fn unregister_all(&self, owner: UrlOwner) {
        let endpoints: Vec<_> = self.endpoints.read().values().cloned().collect();
        for endpoint in endpoints {
            for prefix in endpoint.prefixes(|r| owns(owner, r)) {
                let _ = endpoint.unregister(&prefix, |r| owns(owner, r));
            }
        }
        self.settle();
    }
}

/// Whether a registration is this owner's.
pub(crate) fn owns(owner: UrlOwner, registration: &Registration) -> bool {
    match (owner, &registration.target) {
        (UrlOwner::Group(id), Target::Group(group)) => group.id == id,
        (UrlOwner::Queue(id), Target::Queue(queue)) => queue.id == id,
        _ => false,
    }
}

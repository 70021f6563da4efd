//! URL prefixes, added to and taken from the ports they are on; what opens with the first and closes with the last.

use std::sync::Arc;

use crate::abi::error::{Error, Result};
use crate::wire::prefix::{Host, UrlPrefix};

use super::endpoint::Endpoint;
use super::routing::{Registration, Target};
use crate::server::engine::Engine;
use crate::server::log;
use crate::server::service::{GroupId, QueueId, UrlOwner};

impl Engine {
    /// Registers a prefix for its owner.
    pub(crate) fn register(&self, owner: UrlOwner, url: &[u16], context: u64) -> Result<()> {
        let target = match owner {
            UrlOwner::Group(id) => Target::Group(self.directory.group(id)?),
            UrlOwner::Queue(id) => Target::Queue(self.queue(id)?),
        };
        let prefix = UrlPrefix::parse(url)?;
        let admission = self.configured.admit(&prefix)?;
        let endpoint = self.endpoint(prefix.port);
        endpoint.register(Registration { prefix, target, context }, &admission, &self.poller)?;
        self.wake_up();
        // The owner may have been closed meanwhile, by somebody who saw nothing there to take away.
        let lives = match owner {
            UrlOwner::Group(id) => self.directory.group(id).map(drop),
            UrlOwner::Queue(id) => self.queue(id).map(drop),
        };
        lives.inspect_err(|_| self.unregister_all(owner))
    }

    /// What belongs to a port.
    pub(crate) fn endpoint(&self, port: u16) -> Arc<Endpoint> {
        if let Some(known) = self.endpoints.read().get(&port) {
            return Arc::clone(known);
        }
        let mut endpoints = self.endpoints.write();
        Arc::clone(endpoints.entry(port).or_insert_with(|| Arc::new(Endpoint::new(port))))
    }

    /// A port is open: there is something to look at, and there may be errors to tell of.
    pub(crate) fn wake_up(&self) {
        log::stay();
        self.control.open(&self.poller);
    }

    /// After prefixes were removed: without an open port there is nothing to look at or to wait for.
    pub(crate) fn settle(&self) {
        let any_open = || self.endpoints.read().values().any(|endpoint| endpoint.is_open());
        if !any_open() {
            self.control.close(&self.poller);
            log::rest();
            // Another thread may have opened one meanwhile.
            if any_open() {
                self.wake_up();
            }
        }
        self.poller.wake();
    }

    /// Whether a URL lies under a prefix whose requests go to this queue.
    pub(crate) fn is_served_by(&self, url: &UrlPrefix, queue: QueueId) -> bool {
        let Some(endpoint) = self.endpoints.read().get(&url.port).cloned() else { return false };
        let path = url.path.to_lowercase();
        let serves = |r: &Registration| {
            let goes_there = match &r.target {
                Target::Queue(q) => q.id == queue,
                Target::Group(group) => group.binding.lock().queue.as_ref().is_some_and(|q| q.id == queue),
                Target::Reserved => false,
            };
            let host = matches!(r.prefix.host, Host::Strong | Host::Weak) || r.prefix.host == url.host;
            goes_there
                && host
                && r.prefix.scheme == url.scheme
                && path.starts_with(&r.prefix.path.to_lowercase())
        };
        !endpoint.prefixes(serves).is_empty()
    }

    /// The group that has this prefix, if its requests go to this queue.
    pub(crate) fn group_with(&self, queue: QueueId, url: &UrlPrefix) -> Option<GroupId> {
        let endpoint = self.endpoints.read().get(&url.port).cloned()?;
        let wanted = url.to_text().to_lowercase();
        let routes = endpoint.routes.read();
        routes.all().find_map(|r| match &r.target {
            Target::Group(group) if r.prefix.to_text().to_lowercase() == wanted => {
                let bound = group.binding.lock().queue.as_ref().is_some_and(|q| q.id == queue);
                bound.then_some(group.id)
            }
            _ => None,
        })
    }

    /// Removes one prefix of an owner.
    pub(crate) fn unregister(&self, owner: UrlOwner, url: &[u16]) -> Result<()> {
        let prefix = UrlPrefix::parse(url)?;
        let endpoint = self.endpoints.read().get(&prefix.port).cloned().ok_or(Error::FILE_NOT_FOUND)?;
        endpoint.unregister(&prefix, |r| owns(owner, r), &self.poller)?;
        self.cache.forget_prefix(&prefix);
        self.part_with_clients(&endpoint);
        self.settle();
        Ok(())
    }

    /// Removes every prefix of an owner.
    pub(crate) fn unregister_all(&self, owner: UrlOwner) {
        let endpoints: Vec<_> = self.endpoints.read().values().cloned().collect();
        for endpoint in endpoints {
            let prefixes = endpoint.prefixes(|r| owns(owner, r));
            for prefix in &prefixes {
                let _ = endpoint.unregister(prefix, |r| owns(owner, r), &self.poller);
                self.cache.forget_prefix(prefix);
            }
            if !prefixes.is_empty() {
                self.part_with_clients(&endpoint);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::service::ApiVersion;
    use std::net::{Ipv4Addr, TcpListener};
    use std::sync::Barrier;

    /// What two threads make of it when they begin at one moment.
    fn at_once<A: Send, B: Send>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
        let barrier = Barrier::new(2);
        std::thread::scope(|scope| {
            let first = scope.spawn(|| {
                barrier.wait();
                one()
            });
            barrier.wait();
            let other = other();
            (first.join().unwrap(), other)
        })
    }

    #[test]
    fn a_group_that_closes_leaves_no_url_behind() {
        let engine = Engine::new().unwrap();
        let session = engine.directory.create_session();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let url: Vec<u16> = format!("http://127.0.0.1:{port}/").encode_utf16().collect();
        for _ in 0..300 {
            let group = engine.directory.create_group(session).unwrap();
            let close = || {
                drop(engine.directory.close_group(group));
                engine.unregister_all(UrlOwner::Group(group));
            };
            let (_, _) = at_once(|| engine.register(UrlOwner::Group(group), &url, 0), close);
            assert!(engine.is_idle());
        }
    }

    #[test]
    fn no_group_outlives_its_session() {
        let engine = Engine::new().unwrap();
        for _ in 0..2000 {
            let session = engine.directory.create_session();
            let directory = &engine.directory;
            let (_, _) = at_once(|| directory.create_group(session), || directory.close_session(session));
            assert!(directory.groups().is_empty());
        }
    }

    #[test]
    fn one_of_two_removes_a_queue() {
        let engine = Engine::new().unwrap();
        for _ in 0..2000 {
            let id = engine.add_queue(ApiVersion::V2);
            let remove = || engine.remove_queue(id).is_ok();
            let (one, other) = at_once(remove, remove);
            assert!(one != other);
        }
    }
}

//! Which registration a request belongs to: four categories of hosts, then the longest prefix (digest §2.7).
//!
//! One [`Routes`] holds the registrations of one port. Paths are compared without regard to case and on
//! whole segments: `/a/b/` takes `/a/b`, `/a/b/` and `/a/b/c`, not `/a/bc`.

use std::net::IpAddr;
use std::sync::Arc;

use crate::abi::error::{Error, Result};
use crate::wire::prefix::{Host, UrlPrefix, ascii_name};
use crate::wire::refusal::Refusal;

use super::placing;
use crate::server::groups::session::Group;
use crate::server::requests::queue::Queue;

/// Whom requests under a prefix go to.
#[derive(Clone)]
pub(crate) enum Target {
    /// A URL group; its binding and state decide at the time of the request.
    Group(Arc<Group>),
    /// A version 1 queue.
    Queue(Arc<Queue>),
    /// Nobody: the prefix is reserved, and who it is for has not registered it. Requests are refused, and what would match
    /// in a later category is hidden (digest §2.7).
    Reserved,
}

impl Target {
    fn is_reserved(&self) -> bool {
        matches!(self, Target::Reserved)
    }
}

/// One registered prefix.
pub(crate) struct Registration {
    pub(crate) prefix: UrlPrefix,
    pub(crate) target: Target,
    pub(crate) context: u64,
}

/// The prefixes of one host, longest first.
#[derive(Default)]
struct Prefixes {
    /// Lower-case path without its trailing slash, and the registration.
    list: Vec<(String, Arc<Registration>)>,
}

/// Few prefixes are compared one by one; many are probed by binary search per segment.
impl Prefixes {
    fn insert(&mut self, registration: Arc<Registration>) -> Result<()> {
        let key = key(&registration.prefix.path);
        if self.list.iter().any(|(k, r)| *k == key && !r.target.is_reserved()) {
            return Err(Error::ALREADY_EXISTS);
        }
        // A registration stands before the reservation of the same prefix, and wins.
        let at = self.list.partition_point(|(k, _)| k.len() > key.len());
        self.list.insert(at, (key, registration));
        Ok(())
    }

    fn remove(&mut self, path: &str) -> Option<Arc<Registration>> {
        let key = key(path);
        let at = self.list.iter().position(|(k, r)| *k == key && !r.target.is_reserved())?;
        Some(self.list.remove(at).1)
    }

    fn longest(&self, path: &[u8]) -> Option<&Arc<Registration>> {
        self.list.iter().find(|(key, _)| covers(key.as_bytes(), path)).map(|(_, r)| r)
    }
}

fn key(path: &str) -> String {
    path.trim_end_matches('/').to_lowercase()
}

/// Whether the prefix (no trailing slash) names the path or a parent of it.
fn covers(prefix: &[u8], path: &[u8]) -> bool {
    if prefix.is_empty() {
        return true;
    }
    let at_segment = matches!(path.get(prefix.len()), None | Some(b'/'));
    if at_segment && path.len() >= prefix.len() && path[..prefix.len()].eq_ignore_ascii_case(prefix) {
        return true;
    }
    !path.is_ascii() && covers_unicode(prefix, path)
}

fn covers_unicode(prefix: &[u8], path: &[u8]) -> bool {
    let lower = String::from_utf8_lossy(path).to_lowercase();
    let rest = lower.as_bytes().strip_prefix(prefix);
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
}

/// What routing found.
pub(crate) struct Route<'a> {
    pub(crate) registration: &'a Registration,
    /// The address the connection came in on decided (category 3).
    pub(crate) ip_routed: bool,
}

/// The registrations of one port.
#[derive(Default)]
pub(crate) struct Routes {
    strong: Prefixes,
    /// By name, sorted.
    names: Vec<(String, Prefixes)>,
    addresses: Vec<(IpAddr, Prefixes)>,
    weak: Prefixes,
    count: usize,
}

impl Routes {
    /// Adds a registration; the same prefix again is `ALREADY_EXISTS`.
    pub(crate) fn insert(&mut self, registration: Arc<Registration>) -> Result<()> {
        let prefixes = match &registration.prefix.host {
            Host::Strong => &mut self.strong,
            Host::Weak => &mut self.weak,
            Host::Name(name) => entry(&mut self.names, name),
            Host::Address(ip) => entry(&mut self.addresses, ip),
        };
        prefixes.insert(registration)?;
        placing::changed();
        self.count += 1;
        Ok(())
    }

    /// Takes these prefixes for reserved, and no others.
    pub(crate) fn reserve(&mut self, prefixes: &[UrlPrefix]) {
        placing::changed();
        let keep = |list: &mut Prefixes| list.list.retain(|(_, r)| !r.target.is_reserved());
        keep(&mut self.strong);
        keep(&mut self.weak);
        self.names.iter_mut().for_each(|(_, p)| keep(p));
        self.addresses.iter_mut().for_each(|(_, p)| keep(p));
        for prefix in prefixes {
            let reserved = Registration { prefix: prefix.clone(), target: Target::Reserved, context: 0 };
            let list = match &prefix.host {
                Host::Strong => &mut self.strong,
                Host::Weak => &mut self.weak,
                Host::Name(name) => entry(&mut self.names, name),
                Host::Address(ip) => entry(&mut self.addresses, ip),
            };
            let key = key(&prefix.path);
            let at = list.list.partition_point(|(k, _)| k.len() >= key.len());
            list.list.insert(at, (key, Arc::new(reserved)));
        }
        self.names.retain(|(_, p)| !p.list.is_empty());
        self.addresses.retain(|(_, p)| !p.list.is_empty());
    }

    /// Takes a registration out.
    pub(crate) fn remove(&mut self, prefix: &UrlPrefix) -> Option<Arc<Registration>> {
        let removed = match &prefix.host {
            Host::Strong => self.strong.remove(&prefix.path),
            Host::Weak => self.weak.remove(&prefix.path),
            Host::Name(name) => entry(&mut self.names, name).remove(&prefix.path),
            Host::Address(ip) => entry(&mut self.addresses, ip).remove(&prefix.path),
        };
        self.names.retain(|(_, p)| !p.list.is_empty());
        self.addresses.retain(|(_, p)| !p.list.is_empty());
        let removed = removed?;
        placing::changed();
        self.count -= 1;
        Some(removed)
    }

    /// Whether nothing is registered on the port any more.
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The prefixes of the name a Host value has.
    fn named(&self, host: &[u8]) -> Option<&Prefixes> {
        if self.names.is_empty() {
            return None;
        }
        let international;
        let mut name = name_of(host);
        if !name.is_ascii() {
            international = ascii_name(&String::from_utf8_lossy(name).to_lowercase())?;
            name = international.as_bytes();
        }
        let order = |known: &str| known.bytes().cmp(name.iter().map(u8::to_ascii_lowercase));
        let at = self.names.binary_search_by(|(known, _)| order(known)).ok()?;
        Some(&self.names[at].1)
    }

    /// Every registration.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Registration>> {
        let named = self.names.iter().map(|(_, p)| p).chain(self.addresses.iter().map(|(_, p)| p));
        let lists = [&self.strong, &self.weak].into_iter().chain(named);
        lists.flat_map(|p| p.list.iter().map(|(_, r)| r)).filter(|r| !r.target.is_reserved())
    }

    /// Finds the registration of a request: `host` as the client named it (with or without port), the
    /// local address of the connection, the decoded path.
    pub(crate) fn find(&self, host: Option<&[u8]>, local: IpAddr, path: &[u8]) -> Result<Route<'_>, Refusal> {
        if let Some(found) = self.strong.longest(path) {
            return Ok(Route { registration: found, ip_routed: false });
        }
        let mut host_known = !self.strong.list.is_empty();
        if let Some(prefixes) = host.and_then(|h| self.named(h)) {
            host_known = true;
            if let Some(found) = prefixes.longest(path) {
                return Ok(Route { registration: found, ip_routed: false });
            }
        }
        if let Some((_, prefixes)) = self.addresses.iter().find(|(ip, _)| *ip == local) {
            host_known = true;
            if let Some(found) = prefixes.longest(path) {
                return Ok(Route { registration: found, ip_routed: true });
            }
        }
        match self.weak.longest(path) {
            Some(found) => Ok(Route { registration: found, ip_routed: false }),
            None if host_known || !self.weak.list.is_empty() => Err(Refusal::NotFound),
            None => Err(Refusal::Hostname),
        }
    }
}

/// The prefixes under a key of a sorted list, made if need be.
fn entry<'a, K: Ord + Clone>(list: &'a mut Vec<(K, Prefixes)>, key: &K) -> &'a mut Prefixes {
    let at = match list.binary_search_by(|(k, _)| k.cmp(key)) {
        Ok(at) => at,
        Err(at) => {
            list.insert(at, (key.clone(), Prefixes::default()));
            at
        }
    };
    &mut list[at].1
}

/// The name in a Host value, without port. A trailing dot is the same name.
fn name_of(host: &[u8]) -> &[u8] {
    let colon = host.iter().rposition(|b| *b == b':' || *b == b']');
    let name = match colon {
        Some(at) if host[at] == b':' => &host[..at],
        _ => host,
    };
    name.strip_suffix(b".").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::service::{ApiVersion, QueueId};

    fn routes(urls: &[&str]) -> Routes {
        let mut routes = Routes::default();
        let queue = Arc::new(Queue::new(QueueId(1), ApiVersion::V1));
        for (i, url) in urls.iter().enumerate() {
            let utf16: Vec<u16> = url.encode_utf16().collect();
            let prefix = UrlPrefix::parse(&utf16).unwrap();
            let target = Target::Queue(Arc::clone(&queue));
            routes.insert(Arc::new(Registration { prefix, target, context: i as u64 })).unwrap();
        }
        routes
    }

    fn find(routes: &Routes, host: &str, path: &str) -> Result<u64, Refusal> {
        let local = "127.0.0.1".parse().unwrap();
        routes.find(Some(host.as_bytes()), local, path.as_bytes()).map(|r| r.registration.context)
    }

    #[test]
    fn the_longest_prefix_on_whole_segments_wins() {
        let r = routes(&["http://+:80/", "http://+:80/Dir/", "http://+:80/dir/sna/"]);
        assert_eq!(find(&r, "x", "/"), Ok(0));
        assert_eq!(find(&r, "x", "/DIR/a"), Ok(1));
        assert_eq!(find(&r, "x", "/dir/sna"), Ok(2));
        assert_eq!(find(&r, "x", "/dir/sna/x"), Ok(2));
        assert_eq!(find(&r, "x", "/dir/snack"), Ok(1));
        assert_eq!(find(&r, "x", "/dirt"), Ok(0));
    }

    #[test]
    fn categories_are_searched_in_order() {
        let r = routes(&[
            "http://*:80/",
            "http://127.0.0.1:80/a/",
            "http://example.org:80/a/",
            "http://+:80/a/b/",
        ]);
        assert_eq!(find(&r, "example.org:80", "/a/b/c"), Ok(3));
        assert_eq!(find(&r, "EXAMPLE.org.", "/a/c"), Ok(2));
        assert_eq!(find(&r, "other", "/a/c"), Ok(1));
        assert_eq!(find(&r, "other", "/c"), Ok(0));
    }

    #[test]
    fn an_unknown_host_and_an_unknown_path_differ() {
        let r = routes(&["http://localhost:80/a/"]);
        assert_eq!(find(&r, "localhost", "/b"), Err(Refusal::NotFound));
        assert_eq!(find(&r, "other", "/a"), Err(Refusal::Hostname));
    }

    #[test]
    fn the_same_prefix_in_other_case_is_a_duplicate() {
        let mut r = routes(&["http://+:80/A/"]);
        let utf16: Vec<u16> = "http://+:80/a".encode_utf16().collect();
        let prefix = UrlPrefix::parse(&utf16).unwrap();
        let queue = Arc::new(Queue::new(QueueId(1), ApiVersion::V1));
        let again = Registration { prefix: prefix.clone(), target: Target::Queue(queue), context: 0 };
        assert_eq!(r.insert(Arc::new(again)), Err(Error::ALREADY_EXISTS));
        assert!(r.remove(&prefix).is_some());
        assert!(r.is_empty());
    }

    #[test]
    fn a_reservation_nobody_registered_hides_what_lies_behind() {
        let mut r = routes(&["http://*:80/", "http://+:80/a/b/", "http://example.org:80/x/"]);
        let prefix = |url: &str| UrlPrefix::parse(&url.encode_utf16().collect::<Vec<_>>()).unwrap();
        r.reserve(&[
            prefix("http://+:80/a/"),
            prefix("http://example.org:80/x/"),
            prefix("http://example.org:80/y/"),
        ]);
        let local = "127.0.0.1".parse().unwrap();
        let target = |path: &str| {
            let found = r.find(Some(b"example.org"), local, path.as_bytes()).unwrap();
            (found.registration.target.is_reserved(), found.registration.context)
        };
        assert_eq!(target("/a/c"), (true, 0));
        assert_eq!(target("/a/b/c"), (false, 1));
        assert_eq!(target("/x"), (false, 2));
        assert_eq!(target("/y"), (true, 0));
        assert_eq!(target("/z"), (false, 0));
        assert_eq!(r.all().count(), 3);
        r.reserve(&[]);
        assert_eq!(find(&r, "example.org", "/a/c"), Ok(0));
    }

    #[test]
    fn international_names_are_found_in_either_form() {
        let r = routes(&["http://bücher.example:80/", "http://xn--mnchen-3ya.example:80/"]);
        assert_eq!(find(&r, "xn--bcher-kva.example", "/"), Ok(0));
        assert_eq!(find(&r, "BÜCHER.example:80", "/"), Ok(0));
        assert_eq!(find(&r, "münchen.example", "/"), Ok(1));
        assert_eq!(find(&r, "bucher.example", "/"), Err(Refusal::Hostname));
    }

    #[test]
    fn letters_beyond_ascii_fold_too() {
        let r = routes(&["http://+:80/%C3%84pfel/"]);
        assert_eq!(find(&r, "x", "/äPFEL/rot"), Ok(0));
    }
}

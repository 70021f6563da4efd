//! The cookies of a session (digest §6.11; RFC 6265 §5.3, §5.4): kept in memory only, sent by all its requests.
//!
//! How a Set-Cookie field is read, and what matches what, is in `wire::cookie`. A cookie for a public suffix, such as
//! `com` or `github.io`, is refused, unless that is the very host that sets it; which names are, is in `suffixes`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

use crate::wire::cookie::{
    SetCookie, canonical_host, default_path, domain_matches, is_address, path_matches,
};
use crate::wire::response::ResponseHead;

use super::plan::Url;
use super::request::Request;
use super::suffixes::is_public_suffix;

/// The number of Set-Cookie among response fields.
const SET_COOKIE: u8 = 27;

/// Cookies of one domain, and of all: who sets more loses the oldest.
const MOST_OF_DOMAIN: usize = 50;
const MOST: usize = 3000;

/// One cookie; its domain is the jar's key.
#[derive(Debug)]
struct Cookie {
    name: Box<[u8]>,
    value: Box<[u8]>,
    path: Box<[u8]>,
    /// For the very host that set it only.
    host_only: bool,
    secure: bool,
    /// Seconds since 1970; `None` lives as long as the session.
    ends: Option<i64>,
    /// Its place among all cookies, by when it was first set.
    age: u64,
}

impl Cookie {
    fn has_ended(&self, now: i64) -> bool {
        self.ends.is_some_and(|ends| ends <= now)
    }
}

#[derive(Debug, Default)]
struct Shelves {
    domains: HashMap<String, Vec<Cookie>>,
    count: usize,
    next_age: u64,
    /// There may be a cookie that is for https only.
    any_secure: bool,
}

/// The jar.
#[derive(Debug, Default)]
pub(crate) struct Cookies {
    any: AtomicBool,
    shelves: Mutex<Shelves>,
}

impl Cookies {
    /// Whether there may be something to send. Costs next to nothing.
    #[inline]
    pub(crate) fn holds_any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// The value of Cookie for a request: longer paths first, then older cookies.
    pub(crate) fn field(&self, url: &Url) -> Option<Vec<u8>> {
        let (host, path, now) = (host_of(url), path_of(url), now());
        let shelves = self.shelves.lock();
        let mut fitting: Vec<&Cookie> = Vec::new();
        for domain in parents(&host) {
            let Some(shelf) = shelves.domains.get(domain) else { continue };
            fitting.extend(shelf.iter().filter(|cookie| {
                (domain == host || !cookie.host_only)
                    && (url.secure || !cookie.secure)
                    && !cookie.has_ended(now)
                    && path_matches(path, &cookie.path)
            }));
        }
        fitting.sort_by_key(|cookie| (std::cmp::Reverse(cookie.path.len()), cookie.age));
        let mut field = Vec::new();
        for cookie in &fitting {
            if !field.is_empty() {
                field.extend_from_slice(b"; ");
            }
            field.extend_from_slice(&cookie.name);
            field.push(b'=');
            field.extend_from_slice(&cookie.value);
        }
        (!fitting.is_empty()).then_some(field)
    }

    /// Takes a Set-Cookie field of a response from this URL.
    pub(crate) fn store(&self, url: &Url, field: &[u8]) {
        let now = now();
        let Some(set) = SetCookie::parse(field) else { return };
        let Some((domain, cookie)) = accept(url, &set, now) else { return };
        let mut shelves = self.shelves.lock();
        shelves.put(domain, cookie, url.secure, now);
        self.any.store(shelves.count > 0, Ordering::Relaxed);
    }
}

/// The cookie that a field sets, and its domain; `None` when this URL may not set it.
fn accept(url: &Url, set: &SetCookie<'_>, now: i64) -> Option<(String, Cookie)> {
    let host = host_of(url);
    let asked = set.domain.as_deref().filter(|domain| *domain != host || !is_public_suffix(domain));
    let host_only = asked.is_none() || is_address(&host);
    let domain = asked.unwrap_or(&host).to_owned();
    let path = set.path.unwrap_or_else(|| default_path(path_of(url)));
    let starts = |prefix: &[u8]| set.name.get(..prefix.len()).is_some_and(|n| n.eq_ignore_ascii_case(prefix));
    let refused = !domain_matches(&host, &domain)
        || (domain != host && is_public_suffix(&domain))
        || (set.secure && !url.secure)
        || (starts(b"__Secure-") && !set.secure)
        || (starts(b"__Host-") && !(set.secure && set.domain.is_none() && path == b"/"));
    if refused {
        return None;
    }
    let ends = match set.max_age {
        Some(0) => Some(0),
        Some(seconds) => Some(now.saturating_add(seconds)),
        None => set.expires,
    };
    let (name, value, path) = (set.name.into(), set.value.into(), path.into());
    Some((domain, Cookie { name, value, path, host_only, secure: set.secure, ends, age: 0 }))
}

impl Shelves {
    /// Replaces the cookie of the same name and path, keeping its age. What has ended already only takes the old
    /// one away.
    fn put(&mut self, domain: String, mut cookie: Cookie, from_secure: bool, now: i64) {
        if self.any_secure && !from_secure && self.shadows_secure(&domain, &cookie) {
            return;
        }
        cookie.age = self.next_age;
        self.next_age += 1;
        self.any_secure |= cookie.secure;
        let ended = cookie.has_ended(now);
        let shelf = match self.domains.get_mut(&domain) {
            Some(shelf) => shelf,
            None if ended => return,
            None => self.domains.entry(domain.clone()).or_default(),
        };
        self.count -= shelf.len();
        let same = |old: &Cookie| {
            old.name == cookie.name && old.path == cookie.path && old.host_only == cookie.host_only
        };
        if let Some(at) = shelf.iter().position(same) {
            cookie.age = shelf.remove(at).age;
        }
        if !ended {
            make_room(shelf, now);
            shelf.push(cookie);
        }
        self.count += shelf.len();
        if shelf.is_empty() {
            self.domains.remove(&domain);
        }
        if self.count > MOST {
            self.drop_some(now);
        }
    }

    /// Whether a cookie that came in plain text would stand before one that is for https only, on any host that
    /// would be sent both (RFC 6265bis §5.7).
    fn shadows_secure(&self, domain: &str, cookie: &Cookie) -> bool {
        let shelves = self
            .domains
            .iter()
            .filter(|(other, _)| domain_matches(other, domain) || domain_matches(domain, other));
        shelves
            .flat_map(|(_, shelf)| shelf)
            .any(|old| old.secure && old.name == cookie.name && path_matches(&cookie.path, &old.path))
    }

    /// Takes away what has ended, and if that was nothing, the oldest cookie of the domain that has most: who fills
    /// the jar empties his own shelf.
    fn drop_some(&mut self, now: i64) {
        self.domains.values_mut().for_each(|shelf| shelf.retain(|cookie| !cookie.has_ended(now)));
        let left: usize = self.domains.values().map(Vec::len).sum();
        if left > MOST {
            let fullest = self.domains.values_mut().max_by_key(|shelf| {
                let oldest = shelf.iter().map(|cookie| cookie.age).min();
                (shelf.len(), std::cmp::Reverse(oldest))
            });
            fullest.into_iter().for_each(drop_oldest);
        }
        self.domains.retain(|_, shelf| !shelf.is_empty());
        self.count = self.domains.values().map(Vec::len).sum();
    }
}

/// Leaves room for one more cookie of a domain.
fn make_room(shelf: &mut Vec<Cookie>, now: i64) {
    if shelf.len() >= MOST_OF_DOMAIN {
        shelf.retain(|cookie| !cookie.has_ended(now));
    }
    if shelf.len() >= MOST_OF_DOMAIN {
        drop_oldest(shelf);
    }
}

fn drop_oldest(shelf: &mut Vec<Cookie>) {
    let oldest = shelf.iter().map(|cookie| cookie.age).min();
    shelf.retain(|cookie| Some(cookie.age) != oldest);
}

/// A host and the domains it lies in, from the longest to the shortest. An address lies in none.
fn parents(host: &str) -> impl Iterator<Item = &str> {
    let most = if is_address(host) { 1 } else { usize::MAX };
    std::iter::successors(Some(host), |domain| domain.split_once('.').map(|(_, parent)| parent)).take(most)
}

fn host_of(url: &Url) -> String {
    canonical_host(&url.host)
}

fn path_of(url: &Url) -> &[u8] {
    let end = url.target.find('?').unwrap_or(url.target.len());
    &url.target.as_bytes()[..end]
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Whether a head sets cookies.
pub(crate) fn are_set_by(head: &ResponseHead) -> bool {
    head.values(SET_COOKIE).next().is_some()
}

impl Request {
    /// Keeps the cookies of the response just received. The first one for a domain has a file read, so they are taken
    /// out of the request first.
    pub(crate) fn keep_cookies(&self) {
        let (url, fields) = {
            let core = self.core.lock();
            if core.settings.disabled.cookies() {
                return;
            }
            let fields: Vec<_> = core.response.values(SET_COOKIE).map(<[u8]>::to_vec).collect();
            (core.plan.url.clone(), fields)
        };
        fields.iter().for_each(|field| self.connect.session.cookies.store(&url, field));
    }
}

#[cfg(test)]
mod tests;

//! The cookies of a session (digest §6.11; RFC 6265 §5.3, §5.4): kept in memory only, sent by all its requests.
//!
//! How a Set-Cookie field is read, and what matches what, is in `wire::cookie`. There is no full list of public
//! suffixes: a cookie for `com`, or for a name like `co.uk`, is refused.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

use crate::wire::cookie::{
    SetCookie, default_path, domain_matches, is_address, is_public_suffix, path_matches,
};

use super::plan::Url;
use super::request::Core;
use super::session::Session;

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
    /// one away; what came in plain text does not replace a secure one.
    fn put(&mut self, domain: String, mut cookie: Cookie, from_secure: bool, now: i64) {
        cookie.age = self.next_age;
        self.next_age += 1;
        let shelf = self.domains.entry(domain).or_default();
        let same = |old: &Cookie| {
            old.name == cookie.name && old.path == cookie.path && old.host_only == cookie.host_only
        };
        let shadows = |old: &Cookie| old.secure && !from_secure && old.name == cookie.name;
        let shadowed = shelf.iter().any(|old| shadows(old) && path_matches(&cookie.path, &old.path));
        if !shadowed {
            if let Some(at) = shelf.iter().position(same) {
                cookie.age = shelf.remove(at).age;
                self.count -= 1;
            }
            if !cookie.has_ended(now) {
                self.count += 1 + shelf.len();
                make_room(shelf, now);
                self.count -= shelf.len();
                shelf.push(cookie);
            }
        }
        self.domains.retain(|_, shelf| !shelf.is_empty());
        if self.count > MOST {
            self.drop_some(now);
        }
    }

    /// Takes away what has ended, and if that was nothing, the oldest cookie of all.
    fn drop_some(&mut self, now: i64) {
        self.domains.values_mut().for_each(|shelf| shelf.retain(|cookie| !cookie.has_ended(now)));
        let left: usize = self.domains.values().map(Vec::len).sum();
        if left > MOST {
            let oldest = self.domains.values().flatten().map(|cookie| cookie.age).min();
            self.domains.values_mut().for_each(|shelf| shelf.retain(|cookie| Some(cookie.age) != oldest));
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
    if shelf.len() >= MOST_OF_DOMAIN
        && let Some(oldest) = shelf.iter().map(|cookie| cookie.age).min()
    {
        shelf.retain(|cookie| cookie.age != oldest);
    }
}

/// A host and the domains it lies in, from the longest to the shortest. An address lies in none.
fn parents(host: &str) -> impl Iterator<Item = &str> {
    let most = if is_address(host) { 1 } else { usize::MAX };
    std::iter::successors(Some(host), |domain| domain.split_once('.').map(|(_, parent)| parent)).take(most)
}

fn host_of(url: &Url) -> String {
    url.host.to_ascii_lowercase()
}

fn path_of(url: &Url) -> &[u8] {
    let end = url.target.find('?').unwrap_or(url.target.len());
    &url.target.as_bytes()[..end]
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

impl Core {
    /// Keeps the cookies of the response just received.
    pub(crate) fn keep_cookies(&self, session: &Session) {
        if !self.settings.disabled.cookies() {
            let fields = self.response.values(SET_COOKIE);
            fields.for_each(|field| session.cookies.store(&self.plan.url, field));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        let (secure, rest) = match text.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix("http://").unwrap()),
        };
        let (host, path) = rest.split_once('/').unwrap();
        Url { secure, host: host.into(), port: 80, target: format!("/{path}") }
    }

    /// What is sent to one URL after fields were set at others.
    fn sent(set: &[(&str, &str)], to: &str) -> String {
        let jar = Cookies::default();
        set.iter().for_each(|(from, field)| jar.store(&url(from), field.as_bytes()));
        String::from_utf8(jar.field(&url(to)).unwrap_or_default()).unwrap()
    }

    #[test]
    fn domains_and_paths() {
        const A: &str = "http://www.example.com/dir/page?q=/x/y";
        for (field, to, wanted) in [
            ("a=1", "http://www.example.com/dir/x", "a=1"),
            ("a=1", "http://WWW.EXAMPLE.COM/dir", "a=1"),
            ("a=1", "http://www.example.com/", ""),
            ("a=1; Path=/", "http://www.example.com/", "a=1"),
            ("a=1; Path=/di", "http://www.example.com/dir", ""),
            ("a=1; Path=/", "http://example.com/", ""),
            ("a=1; Path=/", "http://x.www.example.com/", ""),
            ("a=1; Path=/; Domain=example.com", "http://example.com/", "a=1"),
            ("a=1; Path=/; Domain=.EXAMPLE.com", "http://x.y.example.com/", "a=1"),
            ("a=1; Path=/; Domain=other.com", "http://other.com/", ""),
            ("a=1; Path=/; Domain=com", "http://www.example.com/", ""),
            ("a=1; Path=/; Domain=x.www.example.com", "http://x.www.example.com/", ""),
        ] {
            assert_eq!(sent(&[(A, field)], to), wanted, "{field} to {to}");
        }
        assert_eq!(sent(&[("http://127.0.0.1/", "a=1; Domain=0.0.1")], "http://127.0.0.1/"), "");
        assert_eq!(sent(&[("http://127.0.0.1/", "a=1; Domain=127.0.0.1")], "http://127.0.0.1/"), "a=1");
        assert_eq!(sent(&[("http://localhost/", "a=1; Domain=localhost")], "http://localhost/"), "a=1");
        assert_eq!(sent(&[("http://a.co.uk/", "a=1; Domain=co.uk")], "http://b.co.uk/"), "");
    }

    #[test]
    fn longer_paths_go_first_and_then_older_cookies() {
        const AT: &str = "http://h/a/b/c";
        let set =
            [(AT, "one=1; Path=/"), (AT, "two=2; Path=/a/b"), (AT, "three=3; Path=/"), (AT, "one=4; Path=/")];
        assert_eq!(sent(&set, AT), "two=2; one=4; three=3");
    }

    #[test]
    fn ends() {
        const AT: &str = "http://h/";
        let gone = "Thu, 01 Jan 1970 00:00:01 GMT";
        let far = "Fri, 31 Dec 9999 23:59:59 GMT";
        for (fields, wanted) in [
            (vec![format!("a=1; Expires={far}")], "a=1"),
            (vec![format!("a=1; Expires={gone}")], ""),
            (vec![format!("a=1; Max-Age=100; Expires={gone}")], "a=1"),
            (vec!["a=1".into(), "a=2; Max-Age=0".into()], ""),
            (vec!["a=1".into(), format!("a=2; Expires={gone}")], ""),
            (vec!["a=1; Max-Age=99999999999999999999".into()], "a=1"),
        ] {
            let set: Vec<_> = fields.iter().map(|field| (AT, &**field)).collect();
            assert_eq!(sent(&set, AT), wanted, "{fields:?}");
        }
    }

    #[test]
    fn secure_cookies_and_prefixes() {
        for (from, field, to, wanted) in [
            ("https://h/", "a=1; Secure", "https://h/", "a=1"),
            ("https://h/", "a=1; Secure", "http://h/", ""),
            ("http://h/", "a=1; Secure", "https://h/", ""),
            ("https://h/", "__Secure-a=1", "https://h/", ""),
            ("https://h/", "__Secure-a=1; Secure", "https://h/", "__Secure-a=1"),
            ("https://h/", "__host-a=1; Secure", "https://h/", "__host-a=1"),
            ("https://h/", "__Host-a=1; Secure; Path=/x", "https://h/x", ""),
            ("https://h/", "__Host-a=1; Secure; Domain=h", "https://h/", ""),
            ("https://h/", "__Host-a=1", "https://h/", ""),
        ] {
            assert_eq!(sent(&[(from, field)], to), wanted, "{field}");
        }
        let kept = [("https://h/", "a=1; Secure"), ("http://h/", "a=2")];
        assert_eq!(sent(&kept, "https://h/"), "a=1", "plain text does not replace what is secure");
    }

    #[test]
    fn no_server_fills_the_memory() {
        let jar = Cookies::default();
        let at = url("http://h.example.com/");
        for n in 0..200 {
            jar.store(&at, format!("n{n}=1").as_bytes());
        }
        let text = String::from_utf8(jar.field(&at).unwrap()).unwrap();
        assert_eq!(text.split("; ").count(), MOST_OF_DOMAIN);
        assert!(text.starts_with("n150=1"), "the oldest have gone");
        for n in 0..MOST + 100 {
            jar.store(&url(&format!("http://h{n}/")), b"a=1");
        }
        let shelves = jar.shelves.lock();
        assert_eq!(shelves.count, MOST);
        assert_eq!(shelves.domains.values().map(Vec::len).sum::<usize>(), MOST);
    }

    #[test]
    fn an_empty_jar_says_so() {
        let jar = Cookies::default();
        assert!(!jar.holds_any());
        jar.store(&url("http://h/"), b"a=1");
        assert!(jar.holds_any());
        jar.store(&url("http://h/"), b"a=1; Max-Age=0");
        assert!(!jar.holds_any());
    }
}

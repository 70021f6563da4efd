//! Names to addresses.
//!
//! Numeric addresses and `localhost` are answered here. For everything else the system's resolver is asked on a
//! thread of its own, because it knows neither time limits nor cancelling: one thread a name, however many wait for
//! it. When nobody waits any more, that thread ends as soon as the resolver returns. What was found is remembered in
//! `client`, if at all.
#![expect(unsafe_code, reason = "if_nametoindex")]

use std::collections::HashMap;
use std::ffi::CString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs};
use std::sync::{Arc, LazyLock};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use smallvec::SmallVec;

use super::client_stream::Cancel;

/// The addresses of one name, in the order the resolver prefers.
pub type Addresses = SmallVec<[SocketAddr; 4]>;

/// Why there are no addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResolveError {
    /// Another thread cancelled.
    Cancelled,
    /// The time limit passed.
    Timeout,
    /// The name has no address; the resolver's words.
    NotFound(Arc<str>),
    /// No thread could be started.
    NoThread,
}

/// What needs no resolver: numeric addresses (with or without brackets, an IPv6 one perhaps with a zone) and
/// `localhost`, which is 127.0.0.1 and then ::1: nearly all servers on this machine listen on the first.
pub fn resolve_here(host: &str, port: u16) -> Option<Addresses> {
    let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = host.parse::<IpAddr>() {
        return Some([SocketAddr::new(address, port)].into_iter().collect());
    }
    if let Some((address, zone)) = host.split_once('%') {
        let address = address.parse::<Ipv6Addr>().ok()?;
        let scope = zone_index(zone.strip_prefix("25").filter(|rest| !rest.is_empty()).unwrap_or(zone))
            .or_else(|| zone_index(zone))?;
        return Some([SocketAddrV6::new(address, port, 0, scope).into()].into_iter().collect());
    }
    if host.eq_ignore_ascii_case("localhost") {
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        return Some(loopback.into_iter().map(|address| SocketAddr::new(address, port)).collect());
    }
    None
}

/// The number of a zone, which is one already or the name of an interface.
fn zone_index(zone: &str) -> Option<u32> {
    if let Ok(index) = zone.parse() {
        return Some(index);
    }
    let name = CString::new(zone).ok()?;
    // SAFETY: the name is a live C string.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => None,
        index => Some(index),
    }
}

/// The addresses of a name, all with port 0, from the system's resolver, within `limit` milliseconds (0: as long as
/// it takes).
pub fn resolve(name: &str, limit: u32, cancel: &Cancel) -> Result<Addresses, ResolveError> {
    if !name.is_ascii() || name.is_empty() || name.contains('%') {
        return Err(ResolveError::NotFound("no name can be like that".into()));
    }
    let deadline = (limit != 0).then(|| Instant::now() + Duration::from_millis(limit.into()));
    let lookup = Lookup::join(name)?;
    let mut answer = None;
    let answered = cancel.wait(deadline, || {
        answer = lookup.state.lock().answer.clone();
        answer.is_some()
    });
    lookup.leave();
    match answered {
        Err(_) => Err(ResolveError::Cancelled),
        Ok(false) => Err(ResolveError::Timeout),
        Ok(true) => answer.unwrap_or(Err(ResolveError::NoThread)),
    }
}

/// A question that has been put to the resolver, and who waits for the answer.
#[derive(Default)]
struct Lookup {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    answer: Option<Result<Addresses, ResolveError>>,
    waiting: Vec<Thread>,
}

/// The questions without an answer, by name.
static LOOKUPS: LazyLock<Mutex<HashMap<String, Arc<Lookup>>>> = LazyLock::new(Mutex::default);

impl Lookup {
    /// Waits, from now on, for the answer to a question that has been put already, or puts it.
    fn join(name: &str) -> Result<Arc<Lookup>, ResolveError> {
        let mut lookups = LOOKUPS.lock();
        if let Some(lookup) = lookups.get(name) {
            lookup.state.lock().waiting.push(thread::current());
            return Ok(Arc::clone(lookup));
        }
        let lookup = Arc::new(Lookup::default());
        lookup.state.lock().waiting.push(thread::current());
        let (theirs, asked) = (Arc::clone(&lookup), name.to_owned());
        let asker = thread::Builder::new().name("nthttp-resolve".into());
        asker.spawn(move || theirs.ask(&asked)).map_err(|_| ResolveError::NoThread)?;
        lookups.insert(name.to_owned(), Arc::clone(&lookup));
        Ok(lookup)
    }

    /// The life of the thread that asks.
    fn ask(&self, name: &str) {
        let answer = match (name, 0).to_socket_addrs() {
            Ok(found) => Ok(found.collect::<Addresses>()),
            Err(error) => Err(ResolveError::NotFound(error.to_string().into())),
        };
        let answer = match answer {
            Ok(found) if found.is_empty() => Err(ResolveError::NotFound("it has no address".into())),
            other => other,
        };
        LOOKUPS.lock().remove(name);
        let mut state = self.state.lock();
        state.answer = Some(answer);
        state.waiting.iter().for_each(Thread::unpark);
    }

    fn leave(&self) {
        let me = thread::current().id();
        self.state.lock().waiting.retain(|thread| thread.id() != me);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_localhost_need_no_resolver() {
        let text = |host: &str| -> Vec<String> {
            resolve_here(host, 80).unwrap().iter().map(SocketAddr::to_string).collect()
        };
        assert_eq!(text("127.0.0.1"), ["127.0.0.1:80"]);
        assert_eq!(text("[::1]"), ["[::1]:80"]);
        assert_eq!(text("::1"), ["[::1]:80"]);
        assert_eq!(text("LocalHost"), ["127.0.0.1:80", "[::1]:80"]);
        assert_eq!(text("[fe80::1%7]"), ["[fe80::1%7]:80"]);
        assert_eq!(text("fe80::1%257"), ["[fe80::1%7]:80"]);
        assert_eq!(text("fe80::1%25"), ["[fe80::1%25]:80"]);
        assert_eq!(resolve_here("fe80::1%nosuchinterface", 80), None);
        assert_eq!(resolve_here("example.com", 80), None);
    }

    #[test]
    fn names_outside_ascii_are_not_looked_up() {
        for name in ["bücher.example", "", "fe80::1%none"] {
            assert!(matches!(resolve(name, 0, &Cancel::new()), Err(ResolveError::NotFound(_))));
        }
    }

    #[test]
    fn a_cancelled_caller_is_not_kept_waiting() {
        let cancel = Cancel::new();
        cancel.cancel();
        assert_eq!(resolve("a.invalid", 0, &cancel), Err(ResolveError::Cancelled));
    }

    #[test]
    fn those_who_ask_for_the_same_name_share_one_question() {
        let first = Lookup::join("same.invalid").unwrap();
        let second = Lookup::join("same.invalid").unwrap();
        // The resolver may have been quick; but then the first has its answer.
        assert!(Arc::ptr_eq(&first, &second) || first.state.lock().answer.is_some());
    }
}

//! Names to addresses.
//!
//! Numeric addresses and `localhost` are answered here. For everything else the system's resolver is asked on a
//! thread of its own, because it knows neither time limits nor cancelling; when the caller stops waiting, that
//! thread ends as soon as the resolver returns.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use smallvec::SmallVec;

use super::client_stream::Cancel;

/// The addresses of one name, in the order to be tried.
pub type Addresses = SmallVec<[SocketAddr; 4]>;

/// Why there are no addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolveError {
    /// Another thread cancelled.
    Cancelled,
    /// The time limit passed.
    Timeout,
    /// The name has no address.
    NotFound,
    /// No thread could be started.
    NoThread,
}

/// The addresses of `host` (a name, or an address with or without brackets), within `limit` milliseconds
/// (0: as long as the resolver takes).
///
/// `localhost` is 127.0.0.1 and then ::1: nearly all servers on this machine listen on the first.
pub fn resolve(host: &str, port: u16, limit: u32, cancel: &Cancel) -> Result<Addresses, ResolveError> {
    let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok([SocketAddr::new(address, port)].into_iter().collect());
    }
    if host.eq_ignore_ascii_case("localhost") {
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        return Ok(loopback.into_iter().map(|address| SocketAddr::new(address, port)).collect());
    }
    if !host.is_ascii() || host.is_empty() {
        return Err(ResolveError::NotFound);
    }
    ask_system(host.to_owned(), port, limit, cancel)
}

type Answer = Arc<Mutex<Option<io::Result<Addresses>>>>;

fn ask_system(host: String, port: u16, limit: u32, cancel: &Cancel) -> Result<Addresses, ResolveError> {
    let deadline = (limit != 0).then(|| Instant::now() + Duration::from_millis(limit.into()));
    let caller = thread::current();
    cancel.attach_thread(caller.clone()).map_err(|_| ResolveError::Cancelled)?;
    let answer: Answer = Arc::default();
    let theirs = Arc::clone(&answer);
    let started = thread::Builder::new().name("nthttp-resolve".into()).spawn(move || {
        let found = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
        *theirs.lock() = Some(found);
        caller.unpark();
    });
    let result = match started {
        Ok(_) => wait_for(&answer, deadline, cancel),
        Err(_) => Err(ResolveError::NoThread),
    };
    cancel.detach();
    result
}

fn wait_for(answer: &Answer, deadline: Option<Instant>, cancel: &Cancel) -> Result<Addresses, ResolveError> {
    loop {
        if cancel.is_cancelled() {
            return Err(ResolveError::Cancelled);
        }
        match answer.lock().take() {
            Some(Ok(addresses)) if !addresses.is_empty() => return Ok(addresses),
            Some(_) => return Err(ResolveError::NotFound),
            None => {}
        }
        match deadline {
            None => thread::park(),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(ResolveError::Timeout);
                }
                thread::park_timeout(left);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_localhost_need_no_resolver() {
        let cancel = Cancel::new();
        let text = |host: &str| -> Vec<String> {
            resolve(host, 80, 1, &cancel).unwrap().iter().map(SocketAddr::to_string).collect()
        };
        assert_eq!(text("127.0.0.1"), ["127.0.0.1:80"]);
        assert_eq!(text("[::1]"), ["[::1]:80"]);
        assert_eq!(text("::1"), ["[::1]:80"]);
        assert_eq!(text("LocalHost"), ["127.0.0.1:80", "[::1]:80"]);
    }

    #[test]
    fn names_outside_ascii_are_not_looked_up() {
        assert_eq!(resolve("bücher.example", 80, 0, &Cancel::new()), Err(ResolveError::NotFound));
        assert_eq!(resolve("", 80, 0, &Cancel::new()), Err(ResolveError::NotFound));
    }

    #[test]
    fn a_cancelled_caller_is_not_kept_waiting() {
        let cancel = Cancel::new();
        cancel.cancel();
        assert_eq!(resolve("a.invalid", 80, 0, &cancel), Err(ResolveError::Cancelled));
    }
}

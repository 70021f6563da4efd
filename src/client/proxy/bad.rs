//! Proxies that were not there when they were needed. They come last for a while, whoever asks.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::Server;

/// How long a proxy that could not be reached comes last.
const MEMORY: Duration = Duration::from_secs(5 * 60);

/// More than this many are not remembered: the oldest are forgotten.
const MOST: usize = 64;

struct Bad {
    host: String,
    port: u16,
    since: Instant,
}

static BAD: Mutex<Vec<Bad>> = Mutex::new(Vec::new());

/// Remembers that a proxy could not be reached.
pub(super) fn remember(host: &str, port: u16) {
    let mut all = BAD.lock();
    all.retain(|bad| bad.since.elapsed() < MEMORY && (bad.port != port || bad.host != host));
    if all.len() == MOST {
        all.remove(0);
    }
    all.push(Bad { host: host.to_owned(), port, since: Instant::now() });
}

/// Forgets all of them (WinHttpResetAutoProxy).
pub(super) fn forget() {
    BAD.lock().clear();
}

/// The best of several: the first that is not known to be bad, else the one that has been so for the longest time.
pub(super) fn best<'a>(servers: &[Server<'a>]) -> Option<Server<'a>> {
    if servers.len() < 2 {
        return servers.first().copied();
    }
    let all = BAD.lock();
    let since = |server: &Server<'_>| {
        let known = all.iter().find(|bad| bad.port == server.port && bad.host == server.host);
        known.map(|bad| bad.since).filter(|since| since.elapsed() < MEMORY)
    };
    servers.iter().min_by_key(|server| since(server)).copied()
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    #[test]
    fn a_bad_proxy_comes_last_and_the_oldest_fault_first() {
        let server = |host| Server { kind: Kind::Http, host, port: 1, user: None };
        let (a, b) = (server("bad-a"), server("bad-b"));
        assert_eq!(best(&[]), None);
        assert_eq!(best(&[a, b]), Some(a));
        remember("bad-a", 1);
        assert_eq!(best(&[a, b]), Some(b));
        assert_eq!(best(&[a]), Some(a));
        remember("bad-b", 1);
        assert_eq!(best(&[a, b]), Some(a));
        remember("bad-a", 1);
        assert_eq!(best(&[a, b]), Some(b));
        forget();
        assert_eq!(best(&[a, b]), Some(a));
    }
}

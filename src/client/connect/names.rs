//! What names were found to mean, remembered for a while by the whole process (`WINHTTP_OPTION_RESOLVER_CACHE_CONFIG`).
//!
//! The system's resolver does not tell how long an answer holds, so every answer is given `LIFE`. A name whose
//! addresses turn out to lead nowhere is forgotten at once.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::net::client_stream::Cancel;
use crate::net::resolve::{Addresses, ResolveError, resolve, resolve_here};

/// How long an answer is taken to hold.
const LIFE: Duration = Duration::from_secs(30);

/// How many names are remembered when the session does not say.
const ENTRIES: usize = 256;

/// No session makes the process remember more than this.
const MOST_ENTRIES: usize = 4096;

/// How a session wants its names remembered. The default is 0 in everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remembering {
    /// Names; 0 is `ENTRIES`.
    pub entries: u32,
    /// Seconds after which an answer is too old whatever else is said; 0 is never.
    pub max_age: u32,
    /// Seconds that an answer holds at the least.
    pub min_life: u32,
    /// Beyond `entries`, names are added all the same.
    pub soft_limit: bool,
    /// Nothing is looked up here, or remembered.
    pub bypass: bool,
}

impl Remembering {
    fn life(&self) -> Duration {
        let life = LIFE.max(Duration::from_secs(self.min_life.into()));
        if self.max_age == 0 { life } else { life.min(Duration::from_secs(self.max_age.into())) }
    }

    fn room(&self) -> usize {
        match self.entries {
            0 => ENTRIES,
            entries => (entries as usize).min(MOST_ENTRIES),
        }
    }
}

struct Entry {
    addresses: Addresses,
    since: Instant,
}

#[derive(Default)]
struct Memory {
    entries: HashMap<String, Entry>,
}

static MEMORY: LazyLock<Mutex<Memory>> = LazyLock::new(Mutex::default);

/// The addresses of a name or address, within `limit` milliseconds (0: as long as it takes).
pub(crate) fn look_up(
    host: &str,
    port: u16,
    limit: u32,
    how: &Remembering,
    cancel: &Cancel,
) -> Result<Addresses, ResolveError> {
    if let Some(addresses) = resolve_here(host, port) {
        return Ok(addresses);
    }
    let name = host.to_ascii_lowercase();
    if !how.bypass
        && let Some(mut known) = MEMORY.lock().recall(&name, how, Instant::now())
    {
        known.iter_mut().for_each(|address| address.set_port(port));
        return Ok(known);
    }
    let mut found = resolve(&name, limit, cancel)?;
    if !how.bypass {
        MEMORY.lock().remember(name, found.clone(), how, Instant::now());
    }
    found.iter_mut().for_each(|address| address.set_port(port));
    Ok(found)
}

/// The addresses of this name led nowhere.
pub(super) fn forget(host: &str) {
    MEMORY.lock().entries.remove(&host.to_ascii_lowercase());
}

impl Memory {
    fn recall(&self, name: &str, how: &Remembering, now: Instant) -> Option<Addresses> {
        let entry = self.entries.get(name)?;
        (now.duration_since(entry.since) < how.life()).then(|| entry.addresses.clone())
    }

    fn remember(&mut self, name: String, addresses: Addresses, how: &Remembering, now: Instant) {
        let full =
            |entries: &HashMap<String, Entry>, room| entries.len() >= room && !entries.contains_key(&name);
        if full(&self.entries, how.room()) {
            self.entries.retain(|_, entry| now.duration_since(entry.since) < how.life());
        }
        let room = if how.soft_limit { MOST_ENTRIES } else { how.room() };
        while full(&self.entries, room) {
            let Some(oldest) = self.entries.iter().min_by_key(|(_, entry)| entry.since) else { break };
            let oldest = oldest.0.clone();
            self.entries.remove(&oldest);
        }
        self.entries.insert(name, Entry { addresses, since: now });
    }
}

/// The addresses in the order to be tried: the families take turns, beginning with that of the resolver's first
/// (RFC 8305 §4).
pub(super) fn interleave(addresses: &Addresses) -> Addresses {
    let first_is_v4 = addresses.first().is_some_and(SocketAddr::is_ipv4);
    let mut first = addresses.iter().filter(|address| address.is_ipv4() == first_is_v4);
    let mut second = addresses.iter().filter(|address| address.is_ipv4() != first_is_v4);
    let mut mixed = Addresses::new();
    while mixed.len() < addresses.len() {
        mixed.extend(first.next().copied());
        mixed.extend(second.next().copied());
    }
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Addresses {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn the_families_take_turns() {
        let mixed = interleave(&addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "1.1.1.2:1"]));
        assert_eq!(mixed, addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "1.1.1.2:1", "[::3]:1"]));
        let mixed = interleave(&addresses(&["1.1.1.1:1", "1.1.1.2:1", "[::1]:1"]));
        assert_eq!(mixed, addresses(&["1.1.1.1:1", "[::1]:1", "1.1.1.2:1"]));
    }

    #[test]
    fn answers_grow_old() {
        let (mut memory, start) = (Memory::default(), Instant::now());
        let found = addresses(&["1.1.1.1:0"]);
        let usual = Remembering::default();
        memory.remember("a".into(), found.clone(), &usual, start);
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(memory.recall("a", &usual, after(29)), Some(found.clone()));
        assert_eq!(memory.recall("a", &usual, after(30)), None);
        assert_eq!(memory.recall("b", &usual, start), None);
        let short = Remembering { max_age: 5, min_life: 60, ..usual };
        assert_eq!(memory.recall("a", &short, after(5)), None);
        let long = Remembering { min_life: 60, ..usual };
        assert_eq!(memory.recall("a", &long, after(59)), Some(found));
    }

    #[test]
    fn the_oldest_answer_makes_room() {
        let (mut memory, start) = (Memory::default(), Instant::now());
        let two = Remembering { entries: 2, ..Remembering::default() };
        let names = |memory: &Memory| {
            let mut names: Vec<_> = memory.entries.keys().cloned().collect();
            names.sort();
            names.concat()
        };
        for (age, name) in ["a", "b", "a", "c"].into_iter().enumerate() {
            memory.remember(name.into(), Addresses::new(), &two, start + Duration::from_secs(age as u64));
        }
        assert_eq!(names(&memory), "ac");
        let soft = Remembering { soft_limit: true, ..two };
        memory.remember("d".into(), Addresses::new(), &soft, start);
        assert_eq!(names(&memory), "acd");
    }
}

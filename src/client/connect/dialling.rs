//! Opening a connection: name, addresses, race, notifications (digest §6.1, §6.2).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;

use crate::abi::error::{Error, Result};
use crate::client::notify::Event;
use crate::client::proxy::Passage;
use crate::client::request::Request;
use crate::client::settings::{Settings, limit};
use crate::net::client_stream::Cancel;
use crate::net::dial::{Answer, Attempt, Course, DialError, race};
use crate::net::resolve::{Addresses, ResolveError};
use crate::net::tuning::Tuning;
use crate::net::winsock;
use crate::win32::last_error::explain;

use super::connection::{Connection, Origin};
use super::facts::{Stat, Time};
use super::hosts;
use super::names::{self, interleave};
use super::network::Path;
use super::waiting::{Lookout, Slot};
use super::{ahead, extended_error};
use crate::client::workers::step_aside;

/// How long an attempt goes on alone (RFC 8305 §5, Connection Attempt Delay).
const STAGGER: Duration = Duration::from_millis(250);

/// How long the first IPv6 address has to itself with `IPV6_FAST_FALLBACK`, in milliseconds.
const FAST_FALLBACK: u32 = 300;

impl Request {
    /// Makes a connection to the origin in a place of its own, and leaves it attached to the request's cancelling.
    /// `quiet` tells the application nothing.
    pub(crate) fn open_connection(
        &self,
        origin: &Arc<Origin>,
        settings: &Settings,
        slot: Slot,
        quiet: bool,
    ) -> Result<Box<Connection>> {
        let name = self.name_to_resolve(origin);
        step_aside();
        self.tell(quiet, &Event::ResolvingName(&name))?;
        self.facts.mark(Time::NameResolutionStart);
        let found = find_addresses(&name, origin, settings, &self.cancel);
        self.facts.mark(Time::NameResolutionEnd);
        let addresses = found.map_err(|error| resolve_error(error, &name))?;
        if let Some(first) = addresses.first() {
            self.tell(quiet, &Event::NameResolved(&first.ip().to_string()))?;
        }
        if slot.is_first && !quiet && origin.passage == Passage::Straight {
            ahead::open(origin, &addresses, settings);
        }
        let result = self.run_race(origin, settings, &addresses, slot, quiet);
        if matches!(result, Err(Error::WINHTTP_CANNOT_CONNECT | Error::WINHTTP_TIMEOUT)) {
            names::forget(&name);
        }
        result
    }

    fn run_race(
        &self,
        origin: &Arc<Origin>,
        settings: &Settings,
        addresses: &Addresses,
        slot: Slot,
        quiet: bool,
    ) -> Result<Box<Connection>> {
        let network = settings.network();
        let (attempts, stagger) = plan(addresses, settings);
        let lookout =
            network.first_available.then(|| Lookout::new(origin, &network.wish, network.limits)).flatten();
        let bell = lookout.as_ref().and_then(Lookout::bell);
        let path = origin.path.as_deref();
        let tuning = &path.map_or_else(Tuning::default, |path| path.tuning);
        let course = Course { attempts: &attempts, stagger, tuning, cancel: &self.cancel, bell };
        self.facts.mark(Time::ConnectionEstablishmentStart);
        let result = race(&course, &mut |address| {
            self.tell(quiet, &Event::Connecting(&address.ip().to_string())).is_ok()
        });
        self.facts.mark(Time::ConnectionEstablishmentEnd);
        match result {
            Ok((stream, failures)) => {
                self.facts.add(Stat::ConnectFailureCount, failures as u64);
                let connection = Connection::new(stream, slot);
                let text = connection.addresses.1.ip().to_string();
                self.tell(quiet, &Event::Connected(&text)).inspect_err(|_| self.cancel.detach())?;
                Ok(connection)
            }
            Err(DialError::Cancelled) => Err(Error::WINHTTP_OPERATION_CANCELLED),
            Err(DialError::Rung) => {
                let free = lookout.as_ref().and_then(Lookout::take).ok_or(Error::WINHTTP_CANNOT_CONNECT)?;
                self.cancel.attach(&free.stream).map_err(|_| Error::WINHTTP_OPERATION_CANCELLED)?;
                Ok(free)
            }
            Err(DialError::Failed(answers)) => {
                self.facts.add(Stat::ConnectFailureCount, answers.len() as u64);
                Err(no_connection(&answers))
            }
        }
    }

    /// What the resolver is asked for: the server's name, or the one that the application wants instead of it.
    fn name_to_resolve(&self, origin: &Origin) -> Arc<str> {
        let instead = origin.path.as_deref().and_then(|path| path.resolve_as.as_ref());
        match instead {
            // A proxy keeps its name.
            Some(instead) if self.with_plan(|plan| plan.url.host == origin.host) => Arc::clone(instead),
            _ => Arc::from(&*origin.host),
        }
    }

    fn tell(&self, quiet: bool, event: &Event<'_>) -> Result<()> {
        if !quiet {
            self.notify(event);
        }
        self.check_open()
    }
}

/// The addresses that a name leads to, by way of the overrides of the application and of the environment.
fn find_addresses(
    name: &str,
    origin: &Origin,
    settings: &Settings,
    cancel: &Cancel,
) -> std::result::Result<Addresses, ResolveError> {
    let own = origin.path.as_deref().and_then(|path: &Path| path.hosts.as_deref());
    let mut places = own.map(|hosts| hosts.find(name, origin.port)).unwrap_or_default();
    if places.is_empty() {
        places = hosts::of_environment().map(|hosts| hosts.find(name, origin.port)).unwrap_or_default();
    }
    if places.is_empty() {
        places.push((name, origin.port));
    }
    let mut all = Addresses::new();
    for (host, port) in places {
        let limit = limit(settings.resolve_timeout);
        all.extend(names::look_up(host, port, limit, &settings.network().names, cancel)?);
    }
    Ok(all)
}

fn resolve_error(error: ResolveError, name: &str) -> Error {
    match error {
        ResolveError::Cancelled => Error::WINHTTP_OPERATION_CANCELLED,
        ResolveError::Timeout => {
            extended_error::note_code(winsock::TIMED_OUT);
            explain(format_args!("looking up {name}: no answer in time"));
            Error::WINHTTP_TIMEOUT
        }
        ResolveError::NotFound(words) => {
            extended_error::note_code(winsock::HOST_NOT_FOUND);
            explain(format_args!("the name {name} has no address: {words}"));
            Error::WINHTTP_NAME_NOT_RESOLVED
        }
        ResolveError::NoThread => Error::NOT_ENOUGH_MEMORY,
    }
}

type Attempts = SmallVec<[Attempt; 6]>;

/// Which addresses are tried in which order, each for how long, and how long each goes on alone.
pub(super) fn plan(addresses: &Addresses, settings: &Settings) -> (Attempts, Option<Duration>) {
    let (most, limit) = (settings.connect_retries.max(1) as usize, limit(settings.connect_timeout));
    let attempt = |address: &SocketAddr| Attempt { address: *address, limit };
    if settings.network().fast_fallback
        && let Some(attempts) = fast_fallback(&addresses[..most.min(addresses.len())], limit)
    {
        return (attempts, None);
    }
    (interleave(addresses).iter().take(most).map(attempt).collect(), Some(STAGGER))
}

/// The documented order: the first IPv6 address for a moment, the first IPv4 address, the IPv6 address again, the
/// rest. `None` when there is only one family.
fn fast_fallback(addresses: &[SocketAddr], limit: u32) -> Option<Attempts> {
    let v6 = *addresses.iter().find(|address| address.is_ipv6())?;
    let v4 = *addresses.iter().find(|address| address.is_ipv4())?;
    let moment = if limit == 0 { FAST_FALLBACK } else { limit.min(FAST_FALLBACK) };
    let mut attempts = Attempts::from_slice(&[Attempt { address: v6, limit: moment }]);
    attempts.extend([v4, v6].map(|address| Attempt { address, limit }));
    let rest = addresses.iter().filter(|address| ![v4, v6].contains(address));
    attempts.extend(rest.map(|address| Attempt { address: *address, limit }));
    Some(attempts)
}

/// Says what each address answered, and what to call it: TIMEOUT when none did.
fn no_connection(answers: &[(SocketAddr, Answer)]) -> Error {
    let mut words = String::new();
    let mut error = Error::WINHTTP_TIMEOUT;
    extended_error::note_code(winsock::TIMED_OUT);
    for (address, answer) in answers {
        if !words.is_empty() {
            words.push_str("; ");
        }
        match answer {
            Answer::Silence => words.push_str(&format!("no answer from {address}")),
            Answer::Error(cause) => {
                words.push_str(&format!("connecting to {address}: {cause}"));
                extended_error::note(cause);
                error = Error::WINHTTP_CANNOT_CONNECT;
            }
        }
    }
    explain(format_args!("{words}"));
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(texts: &[&str], change: impl FnOnce(&mut Settings)) -> String {
        let addresses: Addresses = texts.iter().map(|text| text.parse().unwrap()).collect();
        let mut settings = Settings { connect_timeout: 1000, ..Settings::default() };
        change(&mut settings);
        let (attempts, stagger) = plan(&addresses, &settings);
        let texts: Vec<_> =
            attempts.iter().map(|attempt| format!("{}/{}", attempt.address.ip(), attempt.limit)).collect();
        format!("{} {:?}", texts.join(" "), stagger.map(|stagger| stagger.as_millis()))
    }

    #[test]
    fn so_many_addresses_are_tried() {
        let many = ["[::1]:1", "[::2]:1", "1.1.1.1:1"];
        assert_eq!(planned(&many, |_| ()), "::1/1000 1.1.1.1/1000 ::2/1000 Some(250)");
        assert_eq!(planned(&many, |s| s.connect_retries = 2), "::1/1000 1.1.1.1/1000 Some(250)");
        assert_eq!(planned(&many, |s| s.connect_retries = 0), "::1/1000 Some(250)");
        assert_eq!(planned(&many[..1], |s| s.connect_timeout = u32::MAX), "::1/0 Some(250)");
    }

    #[test]
    fn fast_fallback_goes_from_one_family_to_the_other_and_back() {
        let fast = |settings: &mut Settings| settings.with_network(|network| network.fast_fallback = true);
        let many = ["1.1.1.1:1", "[::1]:1", "[::2]:1", "1.1.1.2:1"];
        assert_eq!(planned(&many, fast), "::1/300 1.1.1.1/1000 ::1/1000 ::2/1000 1.1.1.2/1000 None");
        assert_eq!(planned(&many[1..3], fast), "::1/1000 ::2/1000 Some(250)");
        let hasty = |settings: &mut Settings| {
            fast(settings);
            settings.connect_timeout = 100;
        };
        assert_eq!(planned(&many[..2], hasty), "::1/100 1.1.1.1/100 ::1/100 None");
    }
}

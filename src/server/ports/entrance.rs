//! Further ways into a port: Unix sockets, addresses and sockets the process was started with, which a URL group asked for.
//! Requests that come in there find their URLs as if they had come to the port.

use std::fmt;
use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsFd;
use std::sync::Arc;

use crate::abi::error::{Error, Result};
use crate::net::listener::Listener;
use crate::net::poller::Poller;
use crate::win32::{last_error, trace};

use super::endpoint::{Endpoint, LISTENER, Open, part_with};
use crate::server::engine::Engine;
use crate::server::service::{GroupId, Listen, ListenAddress, ProxyMode};

/// The lowest number of an entrance among the listeners of its port; the port itself has few.
const FIRST: u8 = 0x80;

/// `ERROR_BUFFER_OVERFLOW`, whose text is "The file name is too long".
const NAME_TOO_LONG: Error = Error(111);

/// One listener of a further way in.
pub(crate) struct Entrance {
    group: GroupId,
    listen: Arc<Listen>,
    pub(crate) listener: Arc<Listener>,
    /// Which of its port's listeners it is.
    pub(crate) number: u8,
}

/// How a connection is to be treated at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Welcome {
    /// The client itself.
    Client,
    /// A proxy, which introduces the client; whether it must.
    Proxy(bool),
    /// Nobody who may come this way.
    Stranger,
}

/// A listener of a port, and the entrance it belongs to, if it is no listener of the port itself.
pub(crate) type Door = (Arc<Listener>, Option<Arc<Entrance>>);

impl Entrance {
    /// Whether the port itself stays closed because of it.
    pub(crate) fn is_only(&self) -> bool {
        self.listen.only
    }

    /// How a connection is treated, and the ends it has for the application: a client without an address is shown as one
    /// on this machine, with port 0.
    pub(crate) fn welcome(&self, ends: (SocketAddr, SocketAddr)) -> ((SocketAddr, SocketAddr), Welcome) {
        let rule = &self.listen.proxy;
        if self.listener.is_unix() {
            let local = SocketAddr::from((Ipv4Addr::LOCALHOST, self.listen.port));
            let remote = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            return ((local, remote), Self::of_mode(rule.mode));
        }
        let remote = ends.1.ip();
        let is_trusted = rule.trusted.is_empty() || rule.trusted.iter().any(|network| network.has(remote));
        let welcome = match rule.mode {
            mode if is_trusted => Self::of_mode(mode),
            ProxyMode::Required => Welcome::Stranger,
            ProxyMode::Optional | ProxyMode::Off => Welcome::Client,
        };
        (ends, welcome)
    }

    fn of_mode(mode: ProxyMode) -> Welcome {
        match mode {
            ProxyMode::Off => Welcome::Client,
            ProxyMode::Optional => Welcome::Proxy(false),
            ProxyMode::Required => Welcome::Proxy(true),
        }
    }
}

impl fmt::Display for Entrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proxies = match self.listen.proxy.mode {
            ProxyMode::Off => "",
            ProxyMode::Optional => ", PROXY protocol",
            ProxyMode::Required => ", PROXY protocol required",
        };
        let instead = if self.listen.only { "instead of" } else { "beside" };
        write!(f, "{} {instead} port {}{proxies}", shown(&self.listen.address), self.listen.port)
    }
}

impl Endpoint {
    /// Opens a further way in. There already: `ALREADY_EXISTS`.
    fn open_entrance(
        &self,
        group: GroupId,
        listen: Listen,
        given: Option<File>,
        poller: &Poller,
    ) -> Result<()> {
        let known = |open: &Open| open.entrances.iter().any(|it| it.listen.address == listen.address);
        if known(&self.open.lock()) {
            return Err(Error::ALREADY_EXISTS);
        }
        // Without the lock, because the file system may take its time.
        let listeners = bind(&listen, given).map_err(|error| {
            last_error::explain(format_args!("{}: {error}", shown(&listen.address)));
            listen_error(&error)
        })?;
        let mut open = self.open.lock();
        if known(&open) {
            // An inherited socket may be copied twice at once.
            return Err(Error::ALREADY_EXISTS);
        }
        let before = open.entrances.len();
        let listen = Arc::new(listen);
        for listener in listeners {
            let entrance = self.watched(group, &listen, Arc::new(listener), &open, poller);
            let Some(entrance) = entrance else {
                let gone = open.entrances.split_off(before);
                drop(open);
                gone.iter().for_each(|entrance| part_with(&entrance.listener, poller));
                return Err(Error::NO_SYSTEM_RESOURCES);
            };
            open.entrances.push(Arc::new(entrance));
        }
        trace::info(format_args!("port {} is served at {} too", self.port, shown(&listen.address)));
        Ok(())
    }

    /// An entrance of a free number, watched by the poller; none when no number is free, or nothing can be watched.
    fn watched(
        &self,
        group: GroupId,
        listen: &Arc<Listen>,
        listener: Arc<Listener>,
        open: &Open,
        poller: &Poller,
    ) -> Option<Entrance> {
        let is_taken = |number: u8| open.entrances.iter().any(|it| it.number == number);
        let number = (FIRST..=u8::MAX).find(|number| !is_taken(*number))?;
        let token = LISTENER | u64::from(self.port) << 8 | u64::from(number);
        poller.add_listener(listener.as_fd(), token).ok()?;
        Some(Entrance { group, listen: Arc::clone(listen), listener, number })
    }

    /// Closes the ways in that a group opened: this one, or all. Whether there was one.
    fn close_entrances(&self, group: GroupId, address: Option<&ListenAddress>, poller: &Poller) -> bool {
        let mut open = self.open.lock();
        let goes = |entrance: &Arc<Entrance>| {
            entrance.group == group && address.is_none_or(|address| *address == entrance.listen.address)
        };
        let (gone, kept): (Vec<_>, Vec<_>) = open.entrances.drain(..).partition(goes);
        open.entrances = kept;
        drop(open);
        gone.iter().for_each(|entrance| part_with(&entrance.listener, poller));
        !gone.is_empty()
    }
}

impl Engine {
    /// Opens a further way in for a group.
    pub(crate) fn listen(&self, group: GroupId, listen: Listen, given: Option<Arc<File>>) -> Result<()> {
        self.directory.group(group)?;
        let given = given.map(|file| file.try_clone()).transpose().map_err(|_| Error::INVALID_HANDLE)?;
        let endpoint = self.endpoint(listen.port);
        endpoint.open_entrance(group, listen, given, &self.poller)?;
        self.wake_up();
        // The group may have been closed meanwhile, by somebody who saw nothing there to close.
        if self.directory.group(group).is_err() {
            self.stop_listening(group, None);
            return Err(Error::INVALID_PARAMETER);
        }
        Ok(())
    }

    /// Closes ways in of a group: this one, or all. Whether there was one.
    pub(crate) fn stop_listening(&self, group: GroupId, address: Option<&ListenAddress>) -> bool {
        let endpoints: Vec<_> = self.endpoints.read().values().cloned().collect();
        let closes = |endpoint: &Arc<Endpoint>| endpoint.close_entrances(group, address, &self.poller);
        let closed: Vec<_> = endpoints.into_iter().filter(closes).collect();
        closed.iter().for_each(|endpoint| self.part_with_clients(endpoint));
        if !closed.is_empty() {
            self.settle();
        }
        !closed.is_empty()
    }
}

impl Engine {
    /// A group's ways in, in words.
    pub(crate) fn entrances_of(&self, group: GroupId) -> Vec<String> {
        let endpoints: Vec<_> = self.endpoints.read().values().cloned().collect();
        let mut found = Vec::new();
        for endpoint in endpoints {
            let open = endpoint.open.lock();
            found.extend(open.entrances.iter().filter(|it| it.group == group).map(|it| it.to_string()));
        }
        found.sort();
        // A port of every address is two listeners.
        found.dedup();
        found
    }
}

fn bind(listen: &Listen, given: Option<File>) -> io::Result<Vec<Listener>> {
    let one = match (&listen.address, given) {
        (ListenAddress::Unix(name), _) => Listener::bind_unix(name, listen.mode, listen.backlog)?,
        (ListenAddress::Tcp(address), _) => Listener::bind_with(*address, listen.backlog)?,
        (ListenAddress::EveryAddress(port), _) => return Listener::bind_all(*port, listen.backlog),
        (ListenAddress::Inherited(_), Some(file)) => Listener::inherit(file)?,
        (ListenAddress::Inherited(_), None) => return Err(io::ErrorKind::InvalidInput.into()),
    };
    Ok(vec![one])
}

fn shown(address: &ListenAddress) -> String {
    match address {
        ListenAddress::Unix(name) => format!("unix:{}", String::from_utf8_lossy(name)),
        ListenAddress::Tcp(address) => address.to_string(),
        ListenAddress::EveryAddress(port) => format!("*:{port}"),
        ListenAddress::Inherited(number) => format!("fd:{number}"),
    }
}

/// The Win32 error for what keeps a listener from being opened.
pub(crate) fn listen_error(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::AddrInUse => Error::SHARING_VIOLATION,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Error::ACCESS_DENIED,
        io::ErrorKind::AlreadyExists => Error::FILE_EXISTS,
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Error::PATH_NOT_FOUND,
        io::ErrorKind::InvalidFilename => NAME_TOO_LONG,
        io::ErrorKind::AddrNotAvailable => Error::NOT_FOUND,
        io::ErrorKind::InvalidInput => Error::INVALID_HANDLE,
        _ => Error::NO_SYSTEM_RESOURCES,
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use super::*;
    use crate::net::poller::{Events, Readiness};
    use crate::server::service::{Network, ProxyRule};

    fn entrance(mode: ProxyMode, trusted: &str) -> Entrance {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let trusted = if trusted.is_empty() { Vec::new() } else { Network::parse_all(trusted).unwrap() };
        let listen = Listen {
            port: 80,
            address: ListenAddress::EveryAddress(1),
            only: false,
            proxy: ProxyRule { mode, trusted },
            mode: None,
            backlog: 8,
        };
        Entrance { group: GroupId(1), listen: Arc::new(listen), listener: Arc::new(listener), number: FIRST }
    }

    /// An engine with a group, and a socket as it would be handed on.
    fn inherited() -> (Engine, GroupId, std::net::TcpListener, Listen, Arc<File>) {
        let engine = Engine::new().unwrap();
        let group = engine.directory.create_group(engine.directory.create_session()).unwrap();
        let theirs = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let given = Arc::new(File::from(OwnedFd::from(theirs.try_clone().unwrap())));
        let listen = Listen {
            port: 80,
            address: ListenAddress::Inherited(9),
            only: false,
            proxy: ProxyRule::default(),
            mode: None,
            backlog: 8,
        };
        (engine, group, theirs, listen, given)
    }

    /// What the poller tells now of listeners.
    fn told(engine: &Engine) -> Vec<(u64, Readiness)> {
        let mut events = Events::with_capacity(8);
        engine.poller.wait(&mut events, 0).unwrap();
        std::iter::from_fn(|| events.take()).filter(|(token, _)| *token != Poller::WAKE).collect()
    }

    #[test]
    fn a_socket_that_others_have_too_is_let_go_of() {
        let (engine, group, theirs, listen, given) = inherited();
        engine.listen(group, listen.clone(), Some(Arc::clone(&given))).unwrap();
        assert!(engine.stop_listening(group, None));
        let _client = std::net::TcpStream::connect(theirs.local_addr().unwrap()).unwrap();
        // Whoever takes it now, it is not we: the poller would tell of it again and again.
        assert_eq!(told(&engine).len(), 0);
        engine.listen(group, listen, Some(given)).unwrap();
    }

    #[test]
    fn a_socket_that_others_shut_is_not_looked_at_all_the_time() {
        let (engine, group, theirs, listen, given) = inherited();
        engine.listen(group, listen, Some(given)).unwrap();
        std::net::TcpStream::from(OwnedFd::from(theirs)).shutdown(std::net::Shutdown::Both).unwrap();
        let reports = told(&engine);
        assert_eq!(reports.len(), 1);
        for (token, readiness) in reports {
            engine.handle(token, readiness, None);
        }
        assert_eq!(told(&engine).len(), 0);
    }

    #[test]
    fn who_may_introduce_others() {
        let welcome = |mode, trusted: &str| {
            let ends = (([10, 0, 0, 2], 80).into(), ([10, 0, 0, 1], 5).into());
            entrance(mode, trusted).welcome(ends).1
        };
        assert_eq!(welcome(ProxyMode::Off, ""), Welcome::Client);
        assert_eq!(welcome(ProxyMode::Optional, ""), Welcome::Proxy(false));
        assert_eq!(welcome(ProxyMode::Optional, "10.0.0.0/24"), Welcome::Proxy(false));
        assert_eq!(welcome(ProxyMode::Optional, "10.0.1.0/24"), Welcome::Client);
        assert_eq!(welcome(ProxyMode::Required, ""), Welcome::Proxy(true));
        assert_eq!(welcome(ProxyMode::Required, "10.0.1.0/24"), Welcome::Stranger);
        assert_eq!(
            entrance(ProxyMode::Required, "").to_string(),
            "*:1 beside port 80, PROXY protocol required"
        );
    }
}

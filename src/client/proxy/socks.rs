//! SOCKS 5 (RFC 1928) with user name and password (RFC 1929): what is said on a connection to such a proxy before it
//! is a connection to the server.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::abi::error::{Error, Result};
use crate::win32::last_error::explain;

use super::super::causes;
use super::super::connect::names::look_up;
use super::super::connection::Connection;
use super::super::request::Request;
use super::super::settings::{Settings, limit};
use super::list::NameAndPassword;
use crate::client::operation::Patience;

/// `ERROR_WINHTTP_LOGIN_FAILURE`
const LOGIN_FAILURE: Error = Error(12015);

/// How to introduce oneself to the proxy. It is wiped when it is dropped, though the pool goes by it.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Login {
    /// The proxy is given names, not addresses.
    pub(super) remote_names: bool,
    /// User name and password, if there are any.
    pub(super) user: Option<NameAndPassword>,
}

impl Hash for Login {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.remote_names.hash(state);
        self.user.as_ref().map(|(user, password)| (user.as_slice(), password.as_slice())).hash(state);
    }
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login")
    }
}

impl Request {
    /// Has the proxy connect to the target. The proxy resolves its name unless the proxy list says otherwise.
    pub(super) fn pass_socks(
        &self,
        connection: &mut Connection,
        (host, port): (&str, u16),
        login: &Login,
        settings: &Settings,
    ) -> Result<()> {
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let target = match bare.parse::<IpAddr>() {
            Ok(address) => Target::Address(SocketAddr::new(address, port)),
            Err(_) if login.remote_names => Target::Name(bare, port),
            Err(_) => {
                let (limit, names) = (limit(settings.resolve_timeout), &settings.network().names);
                let found = look_up(bare, port, limit, names, &self.cancel);
                self.check_open()?;
                self.cancel.attach(&connection.stream).map_err(|_| Error::WINHTTP_OPERATION_CANCELLED)?;
                let first = found.ok().and_then(|addresses| addresses.first().copied());
                Target::Address(first.ok_or_else(|| {
                    explain(format_args!("the name {bare} has no address"));
                    Error::WINHTTP_NAME_NOT_RESOLVED
                })?)
            }
        };
        let time = limit(settings.connect_timeout);
        let deadline = (time != 0).then(|| Instant::now() + Duration::from_millis(time.into()));
        Dialogue { connection, deadline }.run(login, &target)
    }
}

/// What the proxy is to connect to.
enum Target<'a> {
    Address(SocketAddr),
    Name(&'a str, u16),
}

/// One dialogue with the proxy, and when it has to be over.
struct Dialogue<'a> {
    connection: &'a mut Connection,
    deadline: Option<Instant>,
}

const VERSION: u8 = 5;
const CONNECT: u8 = 1;
const NO_LOGIN: u8 = 0;
const PASSWORD: u8 = 2;
const NOTHING_ACCEPTABLE: u8 = 0xFF;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

impl Dialogue<'_> {
    fn run(&mut self, login: &Login, target: &Target<'_>) -> Result<()> {
        self.introduce(login)?;
        let mut ask = vec![VERSION, CONNECT, 0];
        let port = match *target {
            Target::Address(SocketAddr::V4(address)) => {
                ask.push(IPV4);
                ask.extend_from_slice(&address.ip().octets());
                address.port()
            }
            Target::Address(SocketAddr::V6(address)) => {
                ask.push(IPV6);
                ask.extend_from_slice(&address.ip().octets());
                address.port()
            }
            Target::Name(name, port) => {
                let len = u8::try_from(name.len()).map_err(|_| {
                    explain(format_args!("SOCKS has no room for names longer than 255 bytes"));
                    Error::WINHTTP_NAME_NOT_RESOLVED
                })?;
                ask.extend_from_slice(&[NAME, len]);
                ask.extend_from_slice(name.as_bytes());
                port
            }
        };
        ask.extend_from_slice(&port.to_be_bytes());
        self.say(&ask)?;
        self.hear_outcome()
    }

    fn introduce(&mut self, login: &Login) -> Result<()> {
        match &login.user {
            None => self.say(&[VERSION, 1, NO_LOGIN])?,
            Some(_) => self.say(&[VERSION, 2, NO_LOGIN, PASSWORD])?,
        }
        let [version, method] = self.hear()?;
        if version != VERSION {
            return Err(self.is_no_socks());
        }
        match (method, &login.user) {
            (NO_LOGIN, _) => Ok(()),
            (PASSWORD, Some((user, password))) => self.log_in(user, password),
            (NOTHING_ACCEPTABLE, _) => self.refused_login("wants another kind of login"),
            _ => Err(self.is_no_socks()),
        }
    }

    fn log_in(&mut self, user: &[u8], password: &[u8]) -> Result<()> {
        let (Ok(user_len), Ok(password_len)) = (u8::try_from(user.len()), u8::try_from(password.len()))
        else {
            return self.refused_login("takes no name or password longer than 255 bytes");
        };
        let mut words = Zeroizing::new(Vec::with_capacity(3 + user.len() + password.len()));
        words.extend_from_slice(&[1, user_len]);
        words.extend_from_slice(user);
        words.push(password_len);
        words.extend_from_slice(password);
        self.say(&words)?;
        let [_, status] = self.hear()?;
        if status == 0 { Ok(()) } else { self.refused_login("refused user name and password") }
    }

    fn hear_outcome(&mut self) -> Result<()> {
        let [version, outcome, _, kind] = self.hear()?;
        if version != VERSION {
            return Err(self.is_no_socks());
        }
        if outcome != 0 {
            explain(format_args!("the SOCKS proxy {}: {}", self.connection.origin.host, words_for(outcome)));
            return Err(Error::WINHTTP_CANNOT_CONNECT);
        }
        // The address it connects from is of no interest.
        let rest = match kind {
            IPV4 => 4,
            IPV6 => 16,
            NAME => usize::from(self.hear::<1>()?[0]),
            _ => return Err(self.is_no_socks()),
        };
        self.await_bytes(rest + 2)?;
        self.connection.consume(rest + 2);
        Ok(())
    }

    fn say(&mut self, bytes: &[u8]) -> Result<()> {
        let sent = self.connection.stream.send_all(bytes, &[]);
        sent.map_err(|error| causes::proxy(&error, &self.connection.origin.host))
    }

    fn hear<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.await_bytes(N)?;
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.connection.buffered()[..N]);
        self.connection.consume(N);
        Ok(bytes)
    }

    fn await_bytes(&mut self, count: usize) -> Result<()> {
        while self.connection.buffered().len() < count {
            if self.deadline.is_some_and(|deadline| Instant::now() > deadline) {
                return Err(causes::slow_proxy(&self.connection.origin.host));
            }
            match self.connection.fill(Patience::Wait) {
                Ok(0) => {
                    explain(format_args!("the SOCKS proxy {} hung up", self.connection.origin.host));
                    return Err(Error::WINHTTP_CONNECTION_ERROR);
                }
                Ok(_) => {}
                Err(error) => return Err(causes::proxy(&error, &self.connection.origin.host)),
            }
        }
        Ok(())
    }

    fn is_no_socks(&self) -> Error {
        explain(format_args!("{} does not speak SOCKS 5", self.connection.origin.host));
        Error::WINHTTP_INVALID_SERVER_RESPONSE
    }

    fn refused_login(&self, why: &str) -> Result<()> {
        explain(format_args!("the SOCKS proxy {} {why}", self.connection.origin.host));
        Err(LOGIN_FAILURE)
    }
}

/// RFC 1928 §6.
fn words_for(outcome: u8) -> &'static str {
    match outcome {
        1 => "general failure",
        2 => "not allowed by its rules",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "time to live expired",
        7 => "command not supported",
        8 => "address type not supported",
        _ => "a failure it has no name for",
    }
}

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::*;

    fn is_wiped(_: &impl ZeroizeOnDrop) {}

    #[test]
    fn a_login_is_wiped_and_can_be_told_from_others() {
        let secret = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
        let login = |user: &str, password: &str| Login {
            remote_names: true,
            user: Some((secret(user), secret(password))),
        };
        let (user, password) = login("u", "p").user.unwrap();
        is_wiped(&user);
        is_wiped(&password);
        let state = foldhash::fast::FixedState::default();
        let hash = |login: &Login| std::hash::BuildHasher::hash_one(&state, login);
        assert_eq!(hash(&login("u", "p")), hash(&login("u", "p")));
        for other in [login("up", ""), login("u", "q"), Login::default()] {
            assert!(other != login("u", "p") && hash(&other) != hash(&login("u", "p")));
        }
    }
}

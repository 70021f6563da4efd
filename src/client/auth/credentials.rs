//! Whom a request logs in as (digest §3.19, §7.2). Nothing here ends up in a log or stays in memory when it is dropped.

use zeroize::Zeroizing;

use super::{Server, Tried};

/// Who asks for credentials (`WINHTTP_AUTH_TARGET_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The server, by 401.
    Server = 0,
    /// The proxy, by 407.
    Proxy = 1,
}

impl Target {
    /// The number of the field that challenges come in: WWW-Authenticate or Proxy-Authenticate.
    pub fn field(self) -> u8 {
        match self {
            Target::Server => 29,
            Target::Proxy => 24,
        }
    }
}

/// How to prove who one is (`WINHTTP_AUTH_SCHEME_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Scheme {
    /// User and password as they are.
    Basic = 1,
    /// Not built in.
    Ntlm = 2,
    /// Not built in; the service is gone.
    Passport = 4,
    /// A hash of user, password and the server's nonce.
    Digest = 8,
    /// Not built in.
    Negotiate = 16,
}

impl Scheme {
    /// The scheme of a challenge; `None` for one that WinHTTP does not know.
    pub fn named(name: &[u8]) -> Option<Scheme> {
        let names: [(&[u8], Scheme); 5] = [
            (b"Basic", Scheme::Basic),
            (b"NTLM", Scheme::Ntlm),
            (b"Passport1.4", Scheme::Passport),
            (b"Digest", Scheme::Digest),
            (b"Negotiate", Scheme::Negotiate),
        ];
        names.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, scheme)| scheme)
    }
}

impl TryFrom<u32> for Scheme {
    type Error = ();

    fn try_from(bit: u32) -> Result<Scheme, ()> {
        let all = [Scheme::Basic, Scheme::Ntlm, Scheme::Passport, Scheme::Digest, Scheme::Negotiate];
        all.into_iter().find(|scheme| *scheme as u32 == bit).ok_or(())
    }
}

/// A user and a password. Both are wiped when they are dropped.
#[derive(Clone, Default)]
pub struct Login {
    /// `None` stands for whoever runs the program.
    pub user: Option<Zeroizing<String>>,
    /// Perhaps empty.
    pub password: Zeroizing<String>,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login")
    }
}

fn breaks(user: &str) -> bool {
    user.contains(|c: char| c.is_ascii_control())
}

/// What is known for one target.
#[derive(Debug, Default)]
struct Known {
    /// By SetCredentials, one for each scheme.
    given: Vec<(Scheme, Login)>,
    /// By the options for a user name and a password, for any scheme.
    named: Login,
    /// By the proxy list that named this proxy, for any scheme.
    listed: Option<Login>,
    /// Who has asked for Basic, and so gets it unasked from now on.
    asked_basic: Option<Server>,
}

/// The credentials of one request.
#[derive(Debug, Default)]
pub(crate) struct Credentials {
    known: [Known; 2],
    /// What an exchange that ended with RESEND_REQUEST had tried; the next one goes on there.
    pub(super) carried: Option<[Tried; 2]>,
}

impl Credentials {
    /// Keeps what SetCredentials was given.
    pub(crate) fn set(&mut self, target: Target, scheme: Scheme, login: Login) {
        let known = &mut self.known[target as usize];
        known.given.retain(|(old, _)| *old != scheme);
        known.given.push((scheme, login));
    }

    /// The user and password of the options.
    pub(crate) fn named(&mut self, target: Target) -> &mut Login {
        &mut self.known[target as usize].named
    }

    /// The user and password that are for any scheme: SetCredentials' for Basic, else the options'.
    pub(crate) fn named_login(&self, target: Target) -> Option<&Login> {
        let known = &self.known[target as usize];
        let basic = known.given.iter().find(|(of, _)| *of == Scheme::Basic).map(|(_, login)| login);
        basic.or(Some(&known.named)).filter(|login| login.user.as_ref().is_some_and(|user| !user.is_empty()))
    }

    /// The user and password that a proxy list has for the proxy it named, if it has.
    pub(crate) fn set_listed(&mut self, login: Option<Login>) {
        self.known[Target::Proxy as usize].listed = login;
    }

    /// All that a proxy may be told of who asks: the scheme it is for, user and password.
    pub(super) fn of_proxy<'a>(
        &'a self,
        listed: Option<&'a Login>,
    ) -> impl Iterator<Item = (Option<Scheme>, &'a Login)> {
        let known = &self.known[Target::Proxy as usize];
        let given = known.given.iter().map(|(scheme, login)| (Some(*scheme), login));
        let named = known.named.user.as_ref().is_some_and(|user| !user.is_empty());
        given.chain(named.then_some((None, &known.named))).chain(listed.map(|login| (None, login)))
    }

    /// What to log in with: SetCredentials goes before the options, and these before a proxy list.
    pub(super) fn login(&self, target: Target, scheme: Scheme) -> Option<&Login> {
        let known = &self.known[target as usize];
        let given = known.given.iter().find(|(of, _)| *of == scheme).map(|(_, login)| login);
        let named =
            Some(&known.named).filter(|login| login.user.as_ref().is_some_and(|user| !user.is_empty()));
        let login = given.or(named).or(known.listed.as_ref());
        // Digest says the name as it is, which must not be able to break the head.
        login
            .filter(|login| scheme != Scheme::Digest || !login.user.as_ref().is_some_and(|user| breaks(user)))
    }

    /// What goes out with Basic although nobody has asked yet: credentials set for Basic, and any others once this
    /// server has asked for them.
    pub(super) fn basic_unasked(&self, target: Target, server: &Server) -> Option<&Login> {
        let known = &self.known[target as usize];
        let asked = known.asked_basic.as_ref() == Some(server);
        let meant = known.given.iter().any(|(scheme, _)| *scheme == Scheme::Basic);
        if asked || meant { self.login(target, Scheme::Basic) } else { None }
    }

    /// Remembers that Basic was asked for.
    pub(super) fn note_basic(&mut self, target: Target, server: &Server) {
        self.known[target as usize].asked_basic = Some(server.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_adds_a_field_to_the_head() {
        for (user, sound) in [("user", true), ("J\u{e4}s Doe", true), ("u\r\nX: y", false), ("u\0", false)] {
            let mut credentials = Credentials::default();
            let user = Some(Zeroizing::new(user.to_owned()));
            credentials.set_listed(Some(Login { user, ..Login::default() }));
            assert_eq!(credentials.login(Target::Proxy, Scheme::Digest).is_some(), sound);
            // Basic hides it.
            assert!(credentials.login(Target::Proxy, Scheme::Basic).is_some());
        }
    }
}

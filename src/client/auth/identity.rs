//! Whom a proxy takes somebody for. A tunnel was opened with somebody's credentials, so it may carry only requests that
//! have the same: this is part of what the pool goes by. It is a hash, so that the pool holds no passwords.

use sha2::{Digest, Sha256};

use super::{Credentials, Login};

/// All that a request could tell a proxy of itself.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Identity([u8; 32]);

impl Identity {
    /// Of who has these credentials and, from the proxy list, this login. `None` of who has neither.
    pub(crate) fn of(credentials: Option<&Credentials>, listed: Option<&Login>) -> Option<Identity> {
        let none = Credentials::default();
        let mut all = credentials.unwrap_or(&none).of_proxy(listed).peekable();
        all.peek()?;
        let mut hash = Sha256::new();
        for (scheme, login) in all {
            let user = login.user.as_deref().map_or(&b""[..], |user| user.as_bytes());
            hash.update([scheme.map_or(0, |scheme| scheme as u8), u8::from(login.user.is_some())]);
            for text in [user, login.password.as_bytes()] {
                hash.update((text.len() as u64).to_le_bytes());
                hash.update(text);
            }
        }
        Some(Identity(hash.finalize().into()))
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::super::{Scheme, Target};
    use super::*;

    fn login(user: &str, password: &str) -> Login {
        let text = |text: &str| Zeroizing::new(text.to_owned());
        Login { user: Some(text(user)), password: text(password) }
    }

    #[test]
    fn whoever_could_log_in_otherwise_is_another() {
        assert_eq!(Identity::of(None, None), None);
        let mut own = Credentials::default();
        own.set(Target::Server, Scheme::Basic, login("u", "p"));
        own.named(Target::Proxy).password = Zeroizing::new("p".into());
        assert_eq!(Identity::of(Some(&own), None), None, "nothing that the proxy would be told");
        let listed = |user, password| Identity::of(Some(&own), Some(&login(user, password)));
        assert!(listed("u", "p").is_some());
        assert_eq!(listed("u", "p"), listed("u", "p"));
        let mut all = vec![None, listed("u", "p"), listed("u", "q"), listed("up", ""), listed("", "up")];
        for scheme in [Scheme::Basic, Scheme::Digest] {
            let mut given = Credentials::default();
            given.set(Target::Proxy, scheme, login("u", "p"));
            all.push(Identity::of(Some(&given), None));
            all.push(Identity::of(Some(&given), Some(&login("u", "p"))));
        }
        for (at, one) in all.iter().enumerate() {
            assert!(!all[at + 1..].contains(one), "{at}");
        }
    }
}

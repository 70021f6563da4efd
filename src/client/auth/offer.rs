//! What the application sees and says of authentication: the schemes a 401 or 407 offers, and credentials.

use crate::abi::error::{Error, Result};
use crate::client::request::Request;
use crate::wire::challenge::challenges;

use super::{Login, Scheme, Target};

/// What a response offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The bits of all known schemes.
    pub schemes: u32,
    /// The first of them.
    pub first: Scheme,
    /// Whose challenges they are.
    pub target: Target,
}

impl Request {
    /// What the 401 or 407 just received offers. `INVALID_OPERATION` when there is none or it offers nothing known.
    pub fn auth_offer(&self) -> Result<Offer> {
        self.with_response(|head| {
            let target = match head.status {
                401 => Target::Server,
                407 => Target::Proxy,
                _ => return None,
            };
            let offered = head.values(target.field()).flat_map(challenges);
            let mut offered = offered.filter_map(|challenge| Scheme::named(challenge.scheme));
            let first = offered.next()?;
            let schemes = offered.fold(first as u32, |bits, scheme| bits | scheme as u32);
            Some(Offer { schemes, first, target })
        })
        .ok()
        .flatten()
        .ok_or(Error::INVALID_OPERATION)
    }

    /// Keeps credentials for one scheme.
    pub fn set_credentials(&self, target: Target, scheme: Scheme, login: Login) {
        self.core.lock().credentials.get_or_insert_default().set(target, scheme, login);
    }

    /// Looks at or changes the user and password that are for any scheme.
    pub fn with_named_login<R>(&self, target: Target, use_login: impl FnOnce(&mut Login) -> R) -> R {
        use_login(self.core.lock().credentials.get_or_insert_default().named(target))
    }
}

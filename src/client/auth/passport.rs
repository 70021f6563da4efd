//! Passport (digest §7.6): its service is gone, so nothing is left but to show a redirect to it as a 401, and to
//! fail a request that means to log in there.

use crate::abi::error::{Error, Result};
use crate::client::request::Core;
use crate::win32::last_error::explain;
use crate::wire::challenge::challenges;

use super::{Scheme, Target};

impl Core {
    /// Shows the 302 just received as a 401 if it has a challenge of Passport.
    pub(crate) fn present_passport(&mut self) -> Result<()> {
        let Core { response, credentials, .. } = self;
        let is_passport = |field| {
            challenges(field)
                .iter()
                .any(|challenge| Scheme::named(challenge.scheme) == Some(Scheme::Passport))
        };
        if !response.values(Target::Server.field()).any(is_passport) {
            return Ok(());
        }
        let login = credentials.as_ref().and_then(|known| known.login(Target::Server, Scheme::Passport));
        if login.is_some() {
            explain(format_args!("the server asks for Passport, whose service is gone"));
            return Err(Error::WINHTTP_LOGIN_FAILURE);
        }
        response.present_as(401);
        Ok(())
    }
}

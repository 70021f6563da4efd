//! When a request is sent again without the application (digest §6.2): its connection came from the pool and had been
//! given up by the server, or the session wants more than that (`WINHTTP_OPTION_FAILED_CONNECTION_RETRIES`).
//!
//! What that option says counts once it is set: with no retries allowed there are none at all. It has no say where a
//! request goes on after a challenge or a redirect and finds the connection closed: servers may close without a word
//! (RFC 9112 §9.3.1), and nothing of the new leg has been answered.

use crate::abi::error::{Error, Result};
use crate::client::body::Body;
use crate::client::exchange::Exchange;
use crate::client::operation::Patience;
use crate::client::request::Request;
use crate::client::settings::Settings;

use super::network::Retries;

impl Exchange {
    /// Whether what happened to its connection is reason to take a new one. Counts.
    pub(crate) fn is_stale(&mut self, error: Error, settings: &Settings) -> bool {
        // The next leg goes out in any case: that its connection is a new one makes it no retry.
        let next_leg = self.continued && error == Error::WINHTTP_CONNECTION_ERROR;
        let reused = self.connection.as_ref().is_some_and(|connection| connection.reused);
        let wanted = match (settings.network().retries, error) {
            (retries, Error::WINHTTP_CONNECTION_ERROR) => retries.is_none_or(|retries| retries.most > 0),
            (Some(retries), Error::WINHTTP_TIMEOUT) => retries.allow(Retries::STALE, self.retries),
            _ => false,
        };
        self.retries += u32::from(reused && wanted && !next_leg);
        reused && (wanted || next_leg)
    }

    /// The handle closes: drops what has arrived of the body, up to the drain limit; true when that was all of it.
    pub(crate) fn drain_arrived(&mut self) -> bool {
        let mut dropped = 0;
        while !self.skip_buffered() {
            let Some(connection) = &mut self.connection else { return false };
            match connection.fill(Patience::Probe) {
                Ok(got @ 1..) if dropped + got <= self.drain_limit as usize => dropped += got,
                _ => return false,
            }
        }
        true
    }
}

impl Request {
    /// After a 408 response: sends the request again on a new connection, if that is wanted and can be.
    #[cold]
    pub(crate) fn retry_after_408(&self, exchange: &mut Exchange) -> Result<bool> {
        let retries = self.with_settings(|settings| settings.network().retries);
        let allowed = retries.is_some_and(|retries| retries.allow(Retries::AFTER_408, exchange.retries));
        if !allowed || !exchange.can_replay() {
            return Ok(false);
        }
        exchange.retries += 1;
        exchange.body = Body::default();
        exchange.spent = false;
        self.resend_quietly(exchange)?;
        Ok(true)
    }
}

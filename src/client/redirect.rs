//! Redirects (digest §6.5): whether to follow, where to, and as what.

use crate::abi::error::{Error, Result};
use crate::win32::last_error::explain;
use crate::wire::url::{SCHEME_HTTPS, crack, escape_object_name, resolve_location};

use super::causes;
use super::exchange::{Exchange, Upload};
use super::notify::Event;
use super::operation::Patience;
use super::plan::Url;
use super::request::Request;
use super::settings::RedirectPolicy;

/// The number of Location among response fields (`HttpHeaderLocation`).
const LOCATION: u8 = 23;

/// What becomes of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The application gets it.
    Final,
    /// The request goes elsewhere.
    Follow,
}

impl Request {
    /// Whether the response just received is to be followed. Its Location is looked at by `follow_redirect`.
    pub(crate) fn decide_redirect(&self, exchange: &Exchange) -> Result<Decision> {
        let core = self.core.lock();
        let moved = matches!(core.response.status, 301 | 302 | 303 | 307 | 308);
        let wanted =
            core.settings.redirect_policy != RedirectPolicy::Never && !core.settings.disabled.redirects();
        if !moved || !wanted || core.response.values(LOCATION).next().is_none() {
            return Ok(Decision::Final);
        }
        if exchange.redirects >= core.settings.max_redirects {
            let location = core.response.values(LOCATION).next().unwrap_or_default();
            return Err(causes::bad_redirect(location, "is one more than the limit allows"));
        }
        Ok(Decision::Follow)
    }

    /// Moves the request to the Location. What is left of the response is read away, as far as `patience` allows.
    pub(crate) fn follow_redirect(&self, exchange: &mut Exchange, patience: Patience) -> Result<()> {
        let (url, drop_body) = {
            let core = self.core.lock();
            let location = core.response.values(LOCATION).next().unwrap_or_default();
            let url = target_of(&core.plan.url, location, core.settings.reject_userinfo)?;
            let policy = core.settings.redirect_policy;
            if policy == RedirectPolicy::DisallowHttpsToHttp && core.plan.url.secure && !url.secure {
                return Err(causes::bad_redirect(location, "leads from https to http"));
            }
            let keeps_verb =
                matches!(core.response.status, 307 | 308) || matches!(&*core.plan.verb, "GET" | "HEAD");
            (url, !keeps_verb)
        };
        let complete = drop_body || exchange.can_replay();
        // The callback may look for the redirect's cookies.
        self.core.lock().has_response = true;
        self.notify(&Event::Redirect(&url.text()));
        self.core.lock().has_response = false;
        self.check_open()?;
        self.drain_leg(exchange, patience);
        self.check_open()?;
        exchange.redirects += 1;
        exchange.tried = Default::default();
        if drop_body {
            exchange.optional = None;
            exchange.upload = Upload { left: Some(0), ..Upload::default() };
        }
        let mut core = self.core.lock();
        core.plan.redirect(url, drop_body);
        if complete {
            return Ok(());
        }
        // The application sends its body once more, and to the new place.
        core.plan.resumed = Some(exchange.redirects);
        explain(format_args!("the request is redirected, and its body was written piece by piece"));
        Err(Error::WINHTTP_RESEND_REQUEST)
    }

    /// Frees the connection of the body of a response that is not the last, and has the request sent again. The
    /// body is not worth an error: without its end, the connection is closed.
    pub(crate) fn drain_leg(&self, exchange: &mut Exchange, patience: Patience) {
        exchange.continues = 0;
        exchange.resend = true;
        let optional = exchange.optional.take();
        let at_end =
            exchange.skip_buffered() || (patience != Patience::Probe && self.drain(exchange) == Ok(true));
        if !at_end || !exchange.may_keep() {
            exchange.abandon(&self.cancel);
        }
        exchange.keep_for_more();
        exchange.continued = exchange.connection.is_some();
        exchange.optional = optional;
    }
}

/// The URL a Location means when it comes from `base`. `REDIRECT_FAILED` when it leads nowhere WinHTTP goes.
fn target_of(base: &Url, location: &[u8], reject_userinfo: bool) -> Result<Url> {
    let failed = |_| causes::bad_redirect(location, "leads nowhere: it is no http or https URL");
    let text = match std::str::from_utf8(location) {
        Ok(text) => text.encode_utf16().collect(),
        // Not UTF-8: taken as Latin-1, as field values are.
        Err(_) => location.iter().map(|byte| u16::from(*byte)).collect::<Vec<_>>(),
    };
    let base: Vec<u16> = base.text().encode_utf16().collect();
    let url = resolve_location(&base, &text).map_err(failed)?;
    let parts = crack(&url, 0).map_err(failed)?;
    if reject_userinfo && parts.user.is_some() {
        return Err(Error::WINHTTP_INVALID_URL);
    }
    let host = String::from_utf16_lossy(&parts.text[parts.host.clone()]);
    if !is_host(&host) {
        return Err(causes::bad_redirect(location, "leads nowhere: no server can have such a name"));
    }
    let target = escape_object_name(&parts.text[parts.path_and_extra()], 0);
    Ok(Url {
        secure: parts.scheme_id == SCHEME_HTTPS,
        host,
        port: parts.port,
        target: String::from_utf8_lossy(&target).into_owned(),
    })
}

/// Whether a head can name this host, also on a request line for a proxy, where a blank ends it.
fn is_host(text: &str) -> bool {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    !bare.is_empty() && !bare.contains(|c: char| c <= ' ' || c == '\x7F' || "\"<>[]\\^`{|}".contains(c))
}

#[cfg(test)]
mod tests;

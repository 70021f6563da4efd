//! Redirects (digest §6.5): whether to follow, where to, and as what.

use crate::abi::error::{Error, Result};

use super::exchange::Exchange;
use super::notify::Event;
use super::plan::Url;
use super::request::Request;
use super::settings::RedirectPolicy;

/// The number of Location among response fields (`HttpHeaderLocation`).
const LOCATION: u8 = 23;

/// `ERROR_WINHTTP_RESEND_REQUEST`: the application has to send the request again, body and all.
const RESEND_REQUEST: Error = Error(12032);

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
            return Err(Error::WINHTTP_REDIRECT_FAILED);
        }
        Ok(Decision::Follow)
    }

    /// Moves the request to the Location. What is left of the response is read away if it is short.
    pub(crate) fn follow_redirect(&self, exchange: &mut Exchange) -> Result<()> {
        let (url, drop_body) = {
            let core = self.core.lock();
            let location = core.response.values(LOCATION).next().unwrap_or_default();
            let url = target_of(&core.plan.url, location, core.settings.reject_userinfo)?;
            let policy = core.settings.redirect_policy;
            if policy == RedirectPolicy::DisallowHttpsToHttp && core.plan.url.secure && !url.secure {
                return Err(Error::WINHTTP_REDIRECT_FAILED);
            }
            let keeps_verb = matches!(core.response.status, 307 | 308) || matches!(&*core.plan.verb, "GET" | "HEAD");
            (url, !keeps_verb)
        };
        if !drop_body && !exchange.can_replay() {
            return Err(RESEND_REQUEST);
        }
        self.notify(&Event::Redirect(&url.text()));
        self.check_open()?;
        self.drain_redirect(exchange);
        exchange.redirects += 1;
        exchange.continues = 0;
        exchange.resend = true;
        if drop_body {
            exchange.optional = None;
            exchange.upload.left = Some(0);
            exchange.upload.written = false;
        }
        self.core.lock().plan.redirect(url, drop_body);
        Ok(())
    }

    /// Frees the connection of a redirect's own body. The body is not worth an error: without its end, the
    /// connection is closed.
    fn drain_redirect(&self, exchange: &mut Exchange) {
        let optional = exchange.optional.take();
        if !exchange.skip_buffered() || !exchange.may_keep() {
            exchange.abandon(&self.cancel);
        }
        exchange.optional = optional;
    }
}

/// The URL a Location means when it comes from `base`. `REDIRECT_FAILED` when it leads nowhere WinHTTP goes.
fn target_of(base: &Url, location: &[u8], reject_userinfo: bool) -> Result<Url> {
    let location = escaped(location);
    let location = location.split('#').next().unwrap_or_default();
    let has_scheme = location.find(':').is_some_and(|colon| is_scheme(&location[..colon]));
    let absolute = match (has_scheme, location.strip_prefix("//")) {
        (true, _) => Some(location.to_owned()),
        (false, Some(_)) => Some(format!("{}:{location}", if base.secure { "https" } else { "http" })),
        (false, None) => None,
    };
    match absolute {
        Some(text) => absolute_url(&text, reject_userinfo),
        None => Ok(Url { target: resolve(&base.target, location), ..base.clone() }),
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// Bytes that may not stand in a URL become escapes; existing escapes stay.
fn escaped(location: &[u8]) -> String {
    let mut text = String::with_capacity(location.len());
    for byte in location {
        match byte {
            0x21..=0x7E if !b"\"<>\\^`{|}".contains(byte) => text.push(char::from(*byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

fn absolute_url(text: &str, reject_userinfo: bool) -> Result<Url> {
    let failed = Error::WINHTTP_REDIRECT_FAILED;
    let (scheme, rest) = text.split_once("://").ok_or(failed)?;
    let secure = match scheme.to_ascii_lowercase().as_str() {
        "http" => false,
        "https" => true,
        _ => return Err(failed),
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    let server = match authority.rsplit_once('@') {
        Some(_) if reject_userinfo => return Err(Error::WINHTTP_INVALID_URL),
        Some((_, server)) => server,
        None => authority,
    };
    let (host, port) = match server.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (server, ""),
    };
    let standard = if secure { 443 } else { 80 };
    let port = if port.is_empty() { standard } else { port.parse().map_err(|_| failed)? };
    if host.is_empty() {
        return Err(failed);
    }
    Ok(Url { secure, host: host.to_owned(), port, target: resolve("/", target) })
}

/// A relative reference against the path and query it stands in (RFC 3986 §5.2).
fn resolve(base: &str, reference: &str) -> String {
    let (base_path, base_query) = split_query(base);
    let (path, query) = split_query(reference);
    if path.is_empty() {
        let query = if query.is_empty() { base_query } else { query };
        return format!("{base_path}{query}");
    }
    let merged = match path.strip_prefix('/') {
        Some(_) => path.to_owned(),
        None => format!("{}{path}", &base_path[..=base_path.rfind('/').unwrap_or(0)]),
    };
    format!("{}{query}", without_dots(&merged))
}

/// Path, and query with its question mark.
fn split_query(target: &str) -> (&str, &str) {
    target.split_at(target.find('?').unwrap_or(target.len()))
}

/// RFC 3986 §5.2.4 for a path that starts with a slash.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Url {
        Url { secure: false, host: "a".into(), port: 80, target: "/b/c/d;p?q".into() }
    }

    #[test]
    fn references_resolve_as_in_rfc_3986() {
        for (reference, target) in [
            ("g", "/b/c/g"),
            ("./g", "/b/c/g"),
            ("g/", "/b/c/g/"),
            ("/g", "/g"),
            ("?y", "/b/c/d;p?y"),
            ("g?y", "/b/c/g?y"),
            ("#s", "/b/c/d;p?q"),
            ("g#s", "/b/c/g"),
            (";x", "/b/c/;x"),
            ("", "/b/c/d;p?q"),
            (".", "/b/c/"),
            ("..", "/b/"),
            ("../g", "/b/g"),
            ("../../../g", "/g"),
            ("/./g", "/g"),
            ("g/../h", "/b/c/h"),
            ("a b\"", "/b/c/a%20b%22"),
            ("%41", "/b/c/%41"),
        ] {
            assert_eq!(target_of(&base(), reference.as_bytes(), false).unwrap().target, target, "{reference}");
        }
    }

    #[test]
    fn absolute_locations_name_another_server() {
        let to = |location: &str| target_of(&base(), location.as_bytes(), false).map(|url| url.text());
        assert_eq!(to("http://h"), Ok("http://h/".into()));
        assert_eq!(to("HTTP://user@h:81/x/../y?z"), Ok("http://h:81/y?z".into()));
        assert_eq!(to("https://[::1]:443/"), Ok("https://[::1]/".into()));
        assert_eq!(to("//h/x"), Ok("http://h/x".into()));
        assert_eq!(to("http://h?q"), Ok("http://h/?q".into()));
        for bad in ["ftp://h/", "http:/h", "http://", "http://h:x/", "http://h:65536/", "mailto:me"] {
            assert_eq!(to(bad), Err(Error::WINHTTP_REDIRECT_FAILED), "{bad}");
        }
        assert_eq!(target_of(&base(), b"http://u@h/", true), Err(Error::WINHTTP_INVALID_URL));
    }
}

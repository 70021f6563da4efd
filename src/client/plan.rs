//! What a request asks for, and the head that says it (digest §5.2).
//!
//! The plan outlives exchanges: the application edits its fields, redirects change its URL and method for the
//! time until the next SendRequest, and the head is written from it each time one is sent.

use std::borrow::Cow;

use crate::wire::bytes::push_decimal;
use crate::wire::request_fields::RequestField;

use super::auth::Dress;
use super::decode;
use super::websocket::upgrade::Upgrade;

/// An absolute http or https URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// https
    pub secure: bool,
    /// Name or address; an IPv6 address has its brackets.
    pub host: String,
    /// Never 0 unless the application asks for that.
    pub port: u16,
    /// Path and query, escaped, starting with a slash.
    pub target: String,
}

impl Url {
    /// `host` or `host:port`, the port being left out when it is the scheme's own.
    pub fn authority(&self) -> String {
        let standard = if self.secure { 443 } else { 80 };
        if self.port == standard { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }

    /// The URL as text.
    pub fn text(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority(), self.target)
    }

    /// Whether both name the same scheme, host and port.
    pub(crate) fn is_same_server(&self, other: &Url) -> bool {
        self.secure == other.secure && self.port == other.port && self.host.eq_ignore_ascii_case(&other.host)
    }
}

/// What to ask for.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The method, in the case it was given in.
    pub verb: String,
    /// Where it goes, after redirects where they led.
    pub url: Url,
    /// HTTP/1.0 on the request line.
    pub version_1_0: bool,
    /// Value of Referer.
    pub referrer: Option<Vec<u8>>,
    /// Value of Accept.
    pub accept: Option<Vec<u8>>,
    /// Ask caches for a fresh copy (WINHTTP_FLAG_REFRESH).
    pub refresh: bool,
    /// The library frames the body (WINHTTP_FLAG_AUTOMATIC_CHUNKING).
    pub chunking: bool,
    /// The application's own fields.
    pub fields: Vec<RequestField>,
    /// Where the request stood before redirects moved it.
    pub(crate) before_redirects: Option<(String, Url)>,
    /// Ask for a WebSocket.
    pub(crate) upgrade: Option<Box<Upgrade>>,
    /// A redirect took the body away.
    pub(crate) bodiless: bool,
    /// Redirects followed when the application was asked to send the body again: SendRequest goes on from there.
    pub(crate) resumed: Option<u32>,
    /// Length to announce; `None` when the application announces it, or there is no body to speak of.
    pub(crate) length: Option<u64>,
}

/// What the head depends on beside the plan.
pub(crate) struct Surroundings<'a> {
    pub(crate) agent: &'a [u8],
    /// Write the whole URL into the request line, for a proxy.
    pub(crate) through_proxy: bool,
    pub(crate) keep_alive: bool,
    /// Credentials and cookies.
    pub(crate) dress: &'a Dress,
    /// Content codings to ask for, as `WINHTTP_DECOMPRESSION_FLAG_*`.
    pub(crate) decompression: u32,
}

impl Plan {
    /// A plan without fields.
    pub fn new(verb: String, url: Url) -> Plan {
        Plan {
            verb,
            url,
            version_1_0: false,
            referrer: None,
            accept: None,
            refresh: false,
            chunking: false,
            fields: Vec::new(),
            before_redirects: None,
            upgrade: None,
            bodiless: false,
            resumed: None,
            length: None,
        }
    }

    /// `HTTP/1.1` or `HTTP/1.0`.
    pub fn version(&self) -> &'static str {
        if self.version_1_0 { "HTTP/1.0" } else { "HTTP/1.1" }
    }

    /// Undoes what redirects changed, for a request that begins anew. Says how many of them still count for one
    /// that goes on with its body.
    pub(crate) fn restore(&mut self) -> u32 {
        if let Some(redirects) = self.resumed.take() {
            return redirects;
        }
        if let Some((verb, url)) = self.before_redirects.take() {
            (self.verb, self.url) = (verb, url);
        }
        self.bodiless = false;
        0
    }

    /// Whether no redirect has led away from the server that the application chose.
    pub(crate) fn is_at_first_server(&self) -> bool {
        self.before_redirects.as_ref().is_none_or(|(_, first)| first.is_same_server(&self.url))
    }

    /// Whether one of the application's fields stays out of the head: what describes a body that a redirect took
    /// away, the name of a host that it led away from, and what the library decides in its place.
    fn leaves_out(&self, own: &RequestField, around: &Surroundings<'_>) -> bool {
        (self.bodiless && describes_body(own))
            || (own.is("Host") && !self.is_at_first_server())
            || (around.decompression != 0 && own.is("Accept-Encoding"))
    }

    /// Moves the request to another URL; `drop_body` when it becomes a GET.
    pub(crate) fn redirect(&mut self, url: Url, drop_body: bool) {
        let verb = if drop_body { "GET".to_owned() } else { self.verb.clone() };
        let old = (std::mem::replace(&mut self.verb, verb), std::mem::replace(&mut self.url, url));
        self.before_redirects.get_or_insert(old);
        if drop_body {
            self.bodiless = true;
            self.length = None;
        }
    }

    /// The library frames the body of the next exchange.
    pub(crate) fn frames_chunks(&self) -> bool {
        self.chunking && !self.bodiless && !self.version_1_0
    }

    /// The application frames the body.
    pub(crate) fn has_own_coding(&self) -> bool {
        self.field("Transfer-Encoding").is_some_and(|coding| !coding.trim().eq_ignore_ascii_case("identity"))
    }

    /// Whether a response to this request has no body whatever its head says.
    pub(crate) fn is_head(&self) -> bool {
        self.verb == "HEAD"
    }

    /// The value of the application's first field of this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.is(name)).map(|field| &*field.value)
    }

    /// The application asked for the connection to be closed.
    pub(crate) fn asks_to_close(&self) -> bool {
        self.field("Connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }

    /// Appends request line, fields and empty line to `out`.
    pub(crate) fn write_head(&self, around: &Surroundings<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(self.verb.as_bytes());
        out.push(b' ');
        if around.through_proxy {
            out.extend_from_slice(self.url.text().as_bytes());
        } else {
            out.extend_from_slice(self.url.target.as_bytes());
        }
        out.push(b' ');
        out.extend_from_slice(self.version().as_bytes());
        out.extend_from_slice(b"\r\n");
        self.write_own_fields(around, out);
        let mut cookies = around.dress.cookies.as_deref();
        for own in &self.fields {
            if self.leaves_out(own, around) {
                continue;
            }
            match cookies.filter(|_| own.is("Cookie")) {
                Some(more) => {
                    field(out, &own.name, &[own.value.as_bytes(), b"; ", more].concat());
                    cookies = None;
                }
                None => field(out, &own.name, own.value.as_bytes()),
            }
        }
        if let Some(cookies) = cookies {
            field(out, "Cookie", cookies);
        }
        out.extend_from_slice(b"\r\n");
    }

    /// Appends the head without the fields that the library adds.
    pub(crate) fn write_draft(&self, out: &mut Vec<u8>) {
        let line = format!("{} {} {}\r\n", self.verb, self.url.target, self.version());
        out.extend_from_slice(line.as_bytes());
        self.fields.iter().for_each(|own| field(out, &own.name, own.value.as_bytes()));
        out.extend_from_slice(b"\r\n");
    }

    /// The fields the library adds, each unless the application has its own.
    fn write_own_fields(&self, around: &Surroundings<'_>, out: &mut Vec<u8>) {
        let mut add = |name: &str, value: &[u8]| {
            let own = self.fields.iter().find(|own| own.is(name));
            if own.is_none_or(|own| own.is("Host") && !self.is_at_first_server()) {
                field(out, name, value);
            }
        };
        if !around.agent.is_empty() {
            add("User-Agent", around.agent);
        }
        let standard = if self.url.secure { 443 } else { 80 };
        let host = without_zone(&self.url.host);
        if self.url.port == standard {
            add("Host", host.as_bytes());
        } else {
            let mut authority = Vec::with_capacity(host.len() + 6);
            authority.extend_from_slice(host.as_bytes());
            authority.push(b':');
            push_decimal(&mut authority, self.url.port.into());
            add("Host", &authority);
        }
        if let Some(authorization) = &around.dress.authorization {
            add("Authorization", authorization);
        }
        if let Some(authorization) =
            around.dress.proxy_authorization.as_ref().filter(|_| around.through_proxy)
        {
            add("Proxy-Authorization", authorization);
        }
        if let Some(length) = self.length {
            let mut digits = Vec::with_capacity(20);
            push_decimal(&mut digits, length);
            add("Content-Length", &digits);
        }
        if self.frames_chunks() {
            add("Transfer-Encoding", b"chunked");
        }
        match &self.upgrade {
            Some(upgrade) => upgrade.fields().for_each(|(name, value)| add(name, value.as_bytes())),
            None => add("Connection", if around.keep_alive { b"Keep-Alive" } else { b"close" }),
        }
        if around.through_proxy && around.keep_alive {
            add("Proxy-Connection", b"Keep-Alive");
        }
        if self.refresh {
            add("Pragma", b"no-cache");
            if !self.version_1_0 {
                add("Cache-Control", b"no-cache");
            }
        }
        if let Some(accept) = &self.accept {
            add("Accept", accept);
        }
        if let Some(referrer) = &self.referrer {
            add("Referer", referrer);
        }
        if around.decompression != 0 {
            field(out, "Accept-Encoding", decode::names(around.decompression).as_bytes());
        }
    }
}

/// A host as others see it: the zone of an address is this machine's own affair (RFC 6874 §1).
fn without_zone(host: &str) -> Cow<'_, str> {
    match host.split_once('%') {
        Some((address, _)) if host.starts_with('[') => format!("{address}]").into(),
        _ => host.into(),
    }
}

fn describes_body(field: &RequestField) -> bool {
    const NAMES: [&str; 7] = [
        "Content-Length",
        "Content-Type",
        "Content-Encoding",
        "Content-Language",
        "Content-Location",
        "Transfer-Encoding",
        "Expect",
    ];
    NAMES.into_iter().any(|name| field.is(name))
}

fn field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

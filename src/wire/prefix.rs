//! URL prefixes (`UrlPrefix` strings, digest §2.1): their grammar and canonical form. Which prefix a request
//! belongs to is decided in `server`.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::request::{Limits, Syntax};
use super::target::decode_path;
use crate::abi::error::{Error, Result};

/// http or https.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `http`
    Http,
    /// `https`
    Https,
}

/// The host part of a prefix, which decides the routing category (digest §2.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// `+`
    Strong,
    /// A DNS name in lower case; an international one in its ASCII form.
    Name(String),
    /// An IP literal.
    Address(std::net::IpAddr),
    /// `*`
    Weak,
}

/// A URL prefix in canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UrlPrefix {
    /// Before `://`.
    pub scheme: Scheme,
    /// Between `://` and the port.
    pub host: Host,
    /// 1 to 65535.
    pub port: u16,
    /// Decoded path in its original case, with leading and trailing slash.
    pub path: String,
}

/// Longest prefix in UTF-16 units: its length in bytes is a USHORT and leaves room for the NUL.
const MAX_UNITS: usize = 32_766;

/// A prefix's path may be as long as the whole prefix.
const NO_LIMITS: Limits =
    Limits { field: usize::MAX, head: usize::MAX, segment: 0, segments: 0, syntax: Syntax::USUAL };

impl UrlPrefix {
    /// Reads a prefix; anything malformed is `INVALID_PARAMETER`.
    ///
    /// `http://+:80/a` gets its last slash; the path is decoded like that of a request, so that the two compare.
    pub fn parse(url: &[u16]) -> Result<UrlPrefix> {
        read(url).ok_or(Error::INVALID_PARAMETER)
    }

    /// The prefix as text, e.g. `http://+:8080/app/`. Characters that [`UrlPrefix::parse`] would not take
    /// back as they are are escaped.
    pub fn to_text(&self) -> String {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        let host = match &self.host {
            Host::Strong => "+".to_owned(),
            Host::Name(name) => name.clone(),
            Host::Address(IpAddr::V4(address)) => address.to_string(),
            Host::Address(IpAddr::V6(address)) => format!("[{address}]"),
            Host::Weak => "*".to_owned(),
        };
        let mut text = format!("{scheme}://{host}:{}", self.port);
        for character in self.path.chars() {
            match character {
                '%' | '?' | '#' => _ = write!(text, "%{:02X}", u32::from(character)),
                _ => text.push(character),
            }
        }
        text
    }
}

fn read(url: &[u16]) -> Option<UrlPrefix> {
    if url.len() > MAX_UNITS {
        return None;
    }
    let url = String::from_utf16(url).ok()?;
    let (scheme, rest) = match url.split_once("://")? {
        ("http", rest) => (Scheme::Http, rest),
        ("https", rest) => (Scheme::Https, rest),
        _ => return None,
    };
    let (authority, path) = rest.split_at(rest.find('/')?);
    let (host, port) = authority.rsplit_once(':')?;
    let mut path = decode_path(path.as_bytes(), &NO_LIMITS).ok()?.unwrap_or_else(|| path.to_owned());
    if !path.ends_with('/') {
        path.push('/');
    }
    Some(UrlPrefix { scheme, host: read_host(host)?, port: read_port(port)?, path })
}

fn read_host(host: &str) -> Option<Host> {
    match host {
        "+" => return Some(Host::Strong),
        "*" => return Some(Host::Weak),
        _ => {}
    }
    if let Some(literal) = host.strip_prefix('[') {
        let address: Ipv6Addr = literal.strip_suffix(']')?.parse().ok()?;
        return Some(Host::Address(address.into()));
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Some(Host::Address(address.into()));
    }
    let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || !c.is_ascii();
    // The root's dot changes nothing about a name.
    let host = host.strip_suffix('.').unwrap_or(host);
    let sound = host.split('.').all(|label| !label.is_empty() && label.chars().all(in_name));
    if !sound {
        return None;
    }
    let name = host.to_lowercase();
    if name.is_ascii() { Some(Host::Name(name)) } else { ascii_name(&name).map(Host::Name) }
}

/// The form in ASCII of an international name, in which names are compared (IDNA, UTS 46).
pub fn ascii_name(name: &str) -> Option<String> {
    idna::domain_to_ascii(name).ok()
}

/// 1 to 65535 in decimal without leading zero.
fn read_port(port: &str) -> Option<u16> {
    let well_formed = !port.starts_with('0') && port.bytes().all(|byte| byte.is_ascii_digit());
    port.parse().ok().filter(|_| well_formed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<UrlPrefix> {
        UrlPrefix::parse(&text.encode_utf16().collect::<Vec<_>>())
    }

    fn canonical(text: &str) -> String {
        parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).to_text()
    }

    #[test]
    fn malformed_prefixes_of_the_digest() {
        for text in [
            "http://localhost:50000",
            "localhost:50000/",
            "http://localhost/",
            "http://localhost:/",
            "http://localhost:0/",
            "http://localhost:080/",
            "http://localhost:65536/",
            "http://localhost:+80/",
            "http://localhost:8o/",
            "HTTP://localhost:80/",
            "ftp://localhost:80/",
            "http://:80/",
            "http://a b:80/",
            "http://u@a:80/",
            "http://host:80:10.0.0.1/",
            "http://*.example.com:80/",
            "http://+:*/",
            "http://::1:80/",
            "http://[::1:80/",
            "http://[::1%1]:80/",
            "http://[1.2.3.4]:80/",
            "http://a..b:80/",
            "http://+:80/a?b",
            "http://+:80/a#b",
            "http://+:80/%zz",
            "http://+:80/%00",
            "http://+:80/\0",
            "http://+:80/../",
            "http:/+:80/",
            "",
        ] {
            assert_eq!(parse(text), Err(Error::INVALID_PARAMETER), "{text:?}");
        }
        assert_eq!(UrlPrefix::parse(&[0xD800]), Err(Error::INVALID_PARAMETER));
    }

    #[test]
    fn canonical_forms() {
        for (text, expected) in [
            ("http://+:80/", "http://+:80/"),
            ("https://*:443/App", "https://*:443/App/"),
            ("http://LocalHost:50000/", "http://localhost:50000/"),
            ("http://BÜCHER.example:1/", "http://xn--bcher-kva.example:1/"),
            ("http://10.0.0.1:65535/a/", "http://10.0.0.1:65535/a/"),
            ("http://[0:0:0:0:0:0:0:1]:80/", "http://[::1]:80/"),
            ("http://[2001:DB8::A]:80/x", "http://[2001:db8::a]:80/x/"),
            ("http://a.:80/", "http://a:80/"),
            ("http://+:80/a%20b/%C3%BC/", "http://+:80/a b/ü/"),
            ("http://+:80/a b", "http://+:80/a b/"),
            ("http://+:80/%2541", "http://+:80/%2541/"),
            ("http://+:80/a\\b", "http://+:80/a/b/"),
            ("http://+:80/a/../b", "http://+:80/b/"),
            ("http://+:80//a", "http://+:80//a/"),
        ] {
            assert_eq!(canonical(text), expected);
        }
    }

    #[test]
    fn hosts_fall_into_their_categories() {
        assert_eq!(parse("http://+:80/").unwrap().host, Host::Strong);
        assert_eq!(parse("http://*:80/").unwrap().host, Host::Weak);
        assert_eq!(parse("http://A:80/").unwrap().host, Host::Name("a".into()));
        assert_eq!(parse("http://127.0.0.1:80/").unwrap().host, Host::Address([127, 0, 0, 1].into()));
        assert_eq!(parse("http://[::1]:80/").unwrap().host, Host::Address(Ipv6Addr::LOCALHOST.into()));
    }

    #[test]
    fn a_prefix_fits_a_ushort() {
        let longest = format!("http://+:80/{}/", "a".repeat(MAX_UNITS - 13));
        assert!(parse(&longest).is_ok());
        assert_eq!(parse(&format!("{longest}/")), Err(Error::INVALID_PARAMETER));
    }

    proptest! {
        #[test]
        fn a_canonical_prefix_is_its_own_canonical_form(
            text in "https?://([+*]|[a-zA-Z.]{1,8}|\\[::[0-9a-fA-F]{1,4}\\]|1.2.3.[0-9]{1,3}):[1-9][0-9]{0,4}/[a-zA-Z/.%25FCü\\\\ ]{0,12}",
        ) {
            if let Ok(prefix) = parse(&text) {
                prop_assert_eq!(parse(&prefix.to_text()), Ok(prefix));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in prop::collection::vec(any::<u16>(), 0..60)) {
            let _ = UrlPrefix::parse(&text);
        }
    }
}

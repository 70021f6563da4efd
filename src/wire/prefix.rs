//! URL prefixes (`UrlPrefix` strings, digest §2.1): their grammar and canonical form.

use crate::abi::error::Result;

/// http or https.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    Http,
    Https,
}

/// The host part of a prefix, which decides the routing category (digest §2.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// `+`
    Strong,
    /// A DNS name, lower case.
    Name(String),
    /// An IP literal.
    Address(std::net::IpAddr),
    /// `*`
    Weak,
}

/// A URL prefix in canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UrlPrefix {
    pub scheme: Scheme,
    pub host: Host,
    pub port: u16,
    /// Decoded path in its original case, with leading and trailing slash.
    pub path: String,
}

impl UrlPrefix {
    /// Reads a prefix; anything malformed is `INVALID_PARAMETER`.
    pub fn parse(url: &[u16]) -> Result<UrlPrefix> {
        let _ = url;
        todo!("wire")
    }

    /// The prefix as text, e.g. `http://+:8080/app/`.
    pub fn to_text(&self) -> String {
        todo!("wire")
    }
}

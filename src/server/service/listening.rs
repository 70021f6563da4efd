//! Further ways in for the URLs of a group: where, and whose word is taken about who the client is. An addition of this
//! library; `capi` reads its structure, `server::ports::entrance` opens what is said here.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

/// A further way in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listen {
    /// The port whose URLs it leads to.
    pub port: u16,
    /// Where it is.
    pub address: ListenAddress,
    /// The port itself is not opened by URLs that come later.
    pub only: bool,
    /// What is expected of proxies.
    pub proxy: ProxyRule,
    /// Permissions of a Unix socket; `None` for those the process gives to new files.
    pub mode: Option<u32>,
    /// How many connections may wait to be accepted.
    pub backlog: u32,
}

/// Where a way in is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ListenAddress {
    /// A path, or `@` and an abstract name.
    Unix(Vec<u8>),
    /// An address and port.
    Tcp(SocketAddr),
    /// A port of every address.
    EveryAddress(u16),
    /// A socket that the process has, by its descriptor's number.
    Inherited(i32),
}

impl ListenAddress {
    /// Reads `unix:/path`, `unix:@name`, `192.0.2.1:80`, `[2001:db8::1]:80`, `*:80` or `fd:3`.
    pub fn parse(text: &[u8]) -> Option<ListenAddress> {
        if let Some(name) = text.strip_prefix(b"unix:") {
            let sound = matches!(name, [b'/' | b'@', _, ..]);
            return sound.then(|| ListenAddress::Unix(name.to_vec()));
        }
        let text = std::str::from_utf8(text).ok()?;
        if let Some(number) = text.strip_prefix("fd:") {
            return number.parse().ok().filter(|number| *number >= 0).map(ListenAddress::Inherited);
        }
        if let Some(port) = text.strip_prefix("*:") {
            return port.parse().ok().filter(|port| *port != 0).map(ListenAddress::EveryAddress);
        }
        text.parse().ok().filter(|address: &SocketAddr| address.port() != 0).map(ListenAddress::Tcp)
    }
}

/// What is expected of proxies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxyRule {
    /// Whether they introduce their clients.
    pub mode: ProxyMode,
    /// Those whose word is taken; all when there are none. At a Unix socket everybody's is.
    pub trusted: Vec<Network>,
}

/// Whether connections begin with a PROXY header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProxyMode {
    /// None does.
    #[default]
    Off,
    /// Those of proxies that are trusted may.
    Optional,
    /// All do, and others than trusted proxies are turned away.
    Required,
}

/// The addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads an address, or an address and the number of bits that count: `10.0.0.0/8`.
    pub fn parse(text: &str) -> Option<Network> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= most)?,
            None => most,
        };
        Some(Network { address, bits })
    }

    /// Reads several with commas between them; blanks do not count.
    pub fn parse_all(text: &str) -> Option<Vec<Network>> {
        text.split(',').map(|one| Network::parse(one.trim())).collect()
    }

    /// Whether an address is one of them.
    pub fn has(&self, address: IpAddr) -> bool {
        let leading = |differing: u32| differing >= u32::from(self.bits);
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                leading((own.to_bits() ^ other.to_bits()).leading_zeros())
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                leading((own.to_bits() ^ other.to_bits()).leading_zeros())
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_they_are_written() {
        let parse = |text: &str| ListenAddress::parse(text.as_bytes());
        assert_eq!(parse("unix:/run/x"), Some(ListenAddress::Unix(b"/run/x".to_vec())));
        assert_eq!(parse("unix:@x"), Some(ListenAddress::Unix(b"@x".to_vec())));
        assert_eq!(parse("127.0.0.1:80"), Some(ListenAddress::Tcp(([127, 0, 0, 1], 80).into())));
        assert_eq!(parse("[::1]:80"), Some(ListenAddress::Tcp("[::1]:80".parse().unwrap())));
        assert_eq!(parse("*:80"), Some(ListenAddress::EveryAddress(80)));
        assert_eq!(parse("fd:3"), Some(ListenAddress::Inherited(3)));
        for bad in [
            "",
            "unix:",
            "unix:x",
            "unix:/",
            "unix:@",
            "x:80",
            "127.0.0.1",
            "127.0.0.1:0",
            "*:0",
            "fd:",
            "fd:-1",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn networks_have_the_addresses_that_begin_like_them() {
        let has =
            |network: &str, address: &str| Network::parse(network).unwrap().has(address.parse().unwrap());
        assert!(has("10.0.0.0/8", "10.255.0.1") && !has("10.0.0.0/8", "11.0.0.1"));
        assert!(has("192.0.2.1", "192.0.2.1") && !has("192.0.2.1", "192.0.2.2"));
        assert!(has("0.0.0.0/0", "203.0.113.9") && !has("0.0.0.0/0", "::1"));
        assert!(has("192.0.2.0/24", "::ffff:192.0.2.7"));
        assert!(has("2001:db8::/33", "2001:db8:7fff::1") && !has("2001:db8::/33", "2001:db8:8000::1"));
        for bad in ["", "10.0.0.0/33", "10.0.0.0/", "::/129", "x", "10.0.0.0/-1", "10.0.0/8"] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
        assert_eq!(Network::parse_all("::1, 10.0.0.0/8").map(|all| all.len()), Some(2));
        assert_eq!(Network::parse_all("::1,"), None);
    }
}

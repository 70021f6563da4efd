//! The grammar of `Host` and of authorities in targets: `uri-host [ ":" port ]` (RFC 9110 §7.2).

use std::net::Ipv6Addr;

use crate::wire::bytes;
use crate::wire::refusal::Refusal;

/// Host with or without port: 1 to 65535, no user information, brackets around IPv6 only.
#[inline]
pub(super) fn check(authority: &[u8]) -> Result<(), Refusal> {
    split(authority).map(|_| ())
}

/// Host with port, as CONNECT needs it.
pub(super) fn check_with_port(authority: &[u8]) -> Result<(), Refusal> {
    split(authority)?.map(|_| ()).ok_or(Refusal::Hostname)
}

/// Checks an authority; returns its port if it has one.
#[inline]
fn split(authority: &[u8]) -> Result<Option<u16>, Refusal> {
    let host = match authority.first() {
        Some(b'[') => literal_len(authority),
        _ => name_len(authority),
    };
    match (host, authority.get(host.unwrap_or(0)..)) {
        (Some(_), Some([])) => Ok(None),
        (Some(_), Some([b':', digits @ ..])) => port(digits).map(Some).ok_or(Refusal::Hostname),
        _ => Err(Refusal::Hostname),
    }
}

/// Length of a registered name or IPv4 address at the start; names have at least one byte.
#[inline]
fn name_len(authority: &[u8]) -> Option<usize> {
    let mut len = bytes::host_len(authority);
    while authority.get(len) == Some(&b'%') {
        let digits = authority.get(len + 1..len + 3)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        len += 3 + bytes::host_len(&authority[len + 3..]);
    }
    (len > 0).then_some(len)
}

/// Length of `[IPv6]` at the start. Zones and later IP versions are refused.
fn literal_len(authority: &[u8]) -> Option<usize> {
    let close = authority.iter().position(|byte| *byte == b']')?;
    let address = std::str::from_utf8(&authority[1..close]).ok()?;
    address.parse::<Ipv6Addr>().ok()?;
    Some(close + 1)
}

/// A port from 1 to 65535 in one to five digits.
fn port(digits: &[u8]) -> Option<u16> {
    if digits.is_empty() || digits.len() > 5 {
        return None;
    }
    let mut port = 0;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        port = port * 10 + u32::from(digit);
    }
    u16::try_from(port).ok().filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_are_valid() {
        for host in
            ["a", "localhost:1", "www.example.com:65535", "127.0.0.1", "[::1]", "[2001:db8::1]:8080", "a_b"]
        {
            assert_eq!(check(host.as_bytes()), Ok(()), "{host}");
        }
        for host in ["xn--bcher-kva.example", "bücher.example:80", "a%20b", "host:080"] {
            assert_eq!(check(host.as_bytes()), Ok(()), "{host}");
        }
    }

    #[test]
    fn hosts_that_are_not() {
        for host in [
            "", ":80", "a:", "a:0", "a:65536", "a:123456", "a:+1", "a:b", "a:1:2", "u@a", "a/b", "a b", "a%2",
        ] {
            assert_eq!(check(host.as_bytes()), Err(Refusal::Hostname), "{host}");
        }
        for host in
            ["[", "[]", "[::1", "[::1]x", "[1.2.3.4]", "[fe80::1%25eth0]", "[v1.x]", "::1", "a\\b", "a%gg"]
        {
            assert_eq!(check(host.as_bytes()), Err(Refusal::Hostname), "{host}");
        }
    }

    #[test]
    fn connect_needs_a_port() {
        assert_eq!(check_with_port(b"a:443"), Ok(()));
        assert_eq!(check_with_port(b"a"), Err(Refusal::Hostname));
    }
}

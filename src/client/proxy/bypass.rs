//! Bypass lists (digest §8.4): which servers are asked directly.
//!
//! Items stand between semicolons or blanks: `<local>` (any name without a dot), a name or address, or a pattern with
//! `*`, each perhaps with `scheme://` before it and `:port` behind it. `*` anywhere but in front, ports and address
//! ranges (`10.0.0.0/8`) are extensions.

use std::net::IpAddr;

use super::list::{items, split_port};

/// Whether a bypass list has this server. An IPv6 address may have its brackets or not, on both sides.
pub fn bypasses(list: &str, secure: bool, host: &str, port: u16) -> bool {
    let scheme = if secure { "https" } else { "http" };
    items(list).any(|item| matches(item, scheme, bare(host), port))
}

fn matches(item: &str, scheme: &str, host: &str, port: u16) -> bool {
    if item.eq_ignore_ascii_case("<local>") {
        return !host.contains(['.', ':']);
    }
    let pattern = match item.split_once("://") {
        Some((for_scheme, rest)) if for_scheme.eq_ignore_ascii_case(scheme) => rest.trim_end_matches('/'),
        Some(_) => return false,
        None => item,
    };
    if let Some(is_in) = in_range(pattern, host) {
        return is_in;
    }
    let (name, for_port) = split_port(pattern);
    for_port.is_none_or(|digits| digits.parse() == Ok(port))
        && is_like(bare(name).as_bytes(), host.as_bytes())
}

/// An address without the brackets that URLs put around it.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}

/// Whether the host is an address in `address/bits`; `None` when the pattern is no such range.
fn in_range(pattern: &str, host: &str) -> Option<bool> {
    let (start, bits) = pattern.split_once('/')?;
    let (start, bits) = (bare(start).parse::<IpAddr>().ok()?, bits.parse::<u32>().ok()?);
    let Ok(address) = host.parse::<IpAddr>() else { return Some(false) };
    let differ =
        |a: u128, b: u128, width: u32| bits <= width && (a ^ b).checked_shr(width - bits).unwrap_or(0) == 0;
    Some(match (start, address) {
        (IpAddr::V4(a), IpAddr::V4(b)) => differ(a.to_bits().into(), b.to_bits().into(), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => differ(a.to_bits(), b.to_bits(), 128),
        _ => false,
    })
}

/// Whether text is like a pattern in which `*` stands for anything, letters in either case. It goes back to the last
/// `*` only, so the time is at most the product of both lengths.
fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            retry = Some((p, t));
            p += 1;
        } else if p < pattern.len() && pattern[p].eq_ignore_ascii_case(&text[t]) {
            (p, t) = (p + 1, t + 1);
        } else if let Some((star, from)) = retry {
            retry = Some((star, from + 1));
            (p, t) = (star + 1, from + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// A list in the form of `no_proxy` (names that stand for their sub-domains too, commas) as a bypass list.
pub(super) fn from_suffixes(list: &str) -> String {
    let mut out = String::new();
    for item in list.split([',', ';', ' ', '\t', '\n']).filter(|item| !item.is_empty()) {
        let (name, _) = split_port(item);
        let literal = item.contains(['*', '/', '<']) || bare(name).parse::<IpAddr>().is_ok();
        let plain = if literal { item } else { item.trim_start_matches('.') };
        let separator = if out.is_empty() { "" } else { ";" };
        match literal {
            true => out.extend([separator, plain]),
            false => out.extend([separator, plain, ";*.", plain]),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bypass_list_follows_the_table() {
        for (item, host, bypassed) in [
            ("<local>", "intranet", true),
            ("<LOCAL>", "intranet", true),
            ("<local>", "intra.net", false),
            ("<local>", "127.0.0.1", false),
            ("<local>", "[::1]", false),
            ("*.b.c", "a.b.c", true),
            ("*.b.c", "A.x.B.C", true),
            ("*.b.c", "b.c", false),
            ("*.b.c", "ab.c", false),
            ("b.c", "B.C", true),
            ("b.c", "a.b.c", false),
            ("b.c", "b.cc", false),
            ("10.*", "10.1.2.3", true),
            ("10.*", "110.1.2.3", false),
            ("a*z.*", "abz.x", true),
            ("a*z.*", "abz", false),
            ("*", "anything", true),
            ("x;http://h:8080", "h", true),
            ("https://h", "h", false),
            ("h:81", "h", false),
            ("h:8080", "h", true),
            ("[::1]:8080", "[::1]", true),
            ("::1", "[::1]", true),
            ("10.0.0.0/8", "10.200.1.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("10.0.0.0/33", "10.0.0.0", false),
            ("fe80::/10", "[fe80::1]", true),
            ("fe80::/10", "[2001::1]", false),
            ("fe80::/10", "10.0.0.1", false),
            ("127.0.0.1", "127.1", false),
            ("", "h", false),
        ] {
            assert_eq!(bypasses(item, false, host, 8080), bypassed, "{item} {host}");
        }
    }

    #[test]
    fn a_suffix_stands_for_the_domain_and_all_below_it() {
        for (given, made) in [
            (".corp", "corp;*.corp"),
            ("localhost,127.0.0.1, ::1", "localhost;*.localhost;127.0.0.1;::1"),
            ("a.b,10.0.0.0/8,*.x", "a.b;*.a.b;10.0.0.0/8;*.x"),
            ("*", "*"),
            (" , ", ""),
        ] {
            assert_eq!(from_suffixes(given), made);
        }
    }
}

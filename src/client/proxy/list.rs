//! Proxy lists (digest §8.3): `[scheme=][scheme://]server[:port]` items between semicolons or blanks.
//!
//! Extensions: `socks=server`, which serves every scheme that has no item of its own, and `socks5://server` (names
//! are resolved here) or `socks5h://server` (names are resolved by the proxy) wherever a server may stand, each with
//! `user:password@` if the proxy wants that.

use std::net::Ipv6Addr;

use zeroize::Zeroizing;

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// HTTP.
    Http,
    /// HTTP over TLS.
    Https,
    /// SOCKS 5.
    Socks {
        /// The proxy is given names, not addresses.
        remote_names: bool,
    },
}

/// One proxy of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server<'a> {
    /// What it speaks.
    pub kind: Kind,
    /// Name or address; an IPv6 address has its brackets.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
    /// `user:password` as it stands in the list.
    pub user: Option<&'a str>,
}

/// Wiped when it is dropped.
pub(super) type NameAndPassword = (Zeroizing<Vec<u8>>, Zeroizing<Vec<u8>>);

/// The proxies for a scheme, in order.
pub(super) fn servers(list: &str, secure: bool) -> Vec<Server<'_>> {
    let own: Vec<_> = of_scheme(list, secure).collect();
    if own.is_empty() { labelled(list, "socks").collect() } else { own }
}

/// The first proxy for a scheme.
pub(super) fn first(list: &str, secure: bool) -> Option<Server<'_>> {
    of_scheme(list, secure).next().or_else(|| labelled(list, "socks").next())
}

/// The items between semicolons and blanks.
pub(super) fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(|c: char| c == ';' || c.is_ascii_whitespace()).filter(|item| !item.is_empty())
}

fn of_scheme(list: &str, secure: bool) -> impl Iterator<Item = Server<'_>> {
    let scheme = if secure { "https" } else { "http" };
    items(list).filter_map(move |item| match label(item) {
        Some((label, server)) if label.eq_ignore_ascii_case(scheme) => read(server, Kind::Http),
        Some(_) => None,
        None => read(item, Kind::Http),
    })
}

fn labelled<'a>(list: &'a str, wanted: &'static str) -> impl Iterator<Item = Server<'a>> {
    items(list).filter_map(move |item| {
        let (label, server) = label(item)?;
        let kind = Kind::Socks { remote_names: true };
        if label.eq_ignore_ascii_case(wanted) { read(server, kind) } else { None }
    })
}

/// The scheme that an item is for, and the rest; `None` when it is for all. Passwords may have `=` too.
fn label(item: &str) -> Option<(&str, &str)> {
    item.split_once('=').filter(|(label, _)| label.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Reads `[scheme://][user:password@]server[:port][/]`.
fn read(item: &str, unsaid: Kind) -> Option<Server<'_>> {
    let (kind, rest) = match item.split_once("://") {
        Some((scheme, rest)) => (kind_of(scheme)?, rest),
        None => (unsaid, item),
    };
    let rest = rest.trim_end_matches('/');
    let (user, rest) = match rest.rsplit_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, rest),
    };
    let (host, port) = split_port(rest);
    let port = match port {
        Some(digits) => digits.parse().ok().filter(|port| *port != 0)?,
        None => standard_port(kind),
    };
    is_host(host).then_some(Server { kind, host, port, user })
}

/// Whether text can be a name, or an address with or without brackets.
fn is_host(text: &str) -> bool {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let stray = |c: char| c.is_control() || "/\\?#@[]\"<>=".contains(c);
    match bare.or(Some(text).filter(|text| text.contains(':'))) {
        // A zone may stand behind the address.
        Some(address) => {
            address.split('%').next().is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
                && !address.contains(stray)
        }
        None => !text.is_empty() && !text.contains(stray),
    }
}

fn kind_of(scheme: &str) -> Option<Kind> {
    let is = |name: &str| scheme.eq_ignore_ascii_case(name);
    match () {
        () if is("http") => Some(Kind::Http),
        () if is("https") => Some(Kind::Https),
        () if is("socks5") => Some(Kind::Socks { remote_names: false }),
        () if is("socks5h") || is("socks") => Some(Kind::Socks { remote_names: true }),
        () => None,
    }
}

fn standard_port(kind: Kind) -> u16 {
    match kind {
        Kind::Http => 80,
        Kind::Https => 443,
        Kind::Socks { .. } => 1080,
    }
}

/// Text in which `%XX` stands for a byte.
fn plain(text: &str) -> Zeroizing<Vec<u8>> {
    let bytes = text.as_bytes();
    // With room for all of it: growing would leave copies.
    let (mut out, mut at) = (Zeroizing::new(Vec::with_capacity(bytes.len())), 0);
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.filter(|d| bytes[at] == b'%' && d.bytes().all(|b| b.is_ascii_hexdigit())) {
            Some(digits) => {
                out.push(u8::from_str_radix(digits, 16).unwrap_or_default());
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    out
}

/// `host:port` apart, minding the colons of an IPv6 address.
pub(super) fn split_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') && (!host.contains(':') || host.ends_with(']')) => {
            (host, Some(port))
        }
        _ => (text, None),
    }
}

impl Server<'_> {
    /// User name and password, if the list has them. `%XX` stands for a byte.
    pub(super) fn login(&self) -> Option<NameAndPassword> {
        let (user, password) = self.user.map(|text| text.split_once(':').unwrap_or((text, "")))?;
        Some((plain(user), plain(password)))
    }

    /// The proxy as an item of a list that means the same everywhere.
    pub fn item(&self) -> String {
        let scheme = match self.kind {
            Kind::Http => "",
            Kind::Https => "https://",
            Kind::Socks { remote_names: true } => "socks5h://",
            Kind::Socks { remote_names: false } => "socks5://",
        };
        let user = self.user.map(|user| format!("{user}@")).unwrap_or_default();
        let bare = self.host.contains(':') && !self.host.starts_with('[');
        let (open, close) = if bare { ("[", "]") } else { ("", "") };
        format!("{scheme}{user}{open}{}{close}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(list: &str, secure: bool) -> Option<String> {
        first(list, secure).map(|server| server.item())
    }

    #[test]
    fn the_first_item_for_the_scheme_counts() {
        for (list, plain, secure) in [
            ("p1:81", Some("p1:81"), Some("p1:81")),
            ("https=p2:443;http=p1", Some("p1:80"), Some("p2:443")),
            ("socks=s:1 http://p3:3128/", Some("p3:3128"), Some("p3:3128")),
            ("https=p2", None, Some("p2:80")),
            ("[::1]:99", Some("[::1]:99"), Some("[::1]:99")),
            ("[::1]", Some("[::1]:80"), Some("[::1]:80")),
            ("fe80::2;x", Some("[fe80::2]:80"), Some("[fe80::2]:80")),
            ("a:b:c [1.2.3.4] a/b a[b p", Some("p:80"), Some("p:80")),
            ("p:x; p:0 ;p:65536;q", Some("q:80"), Some("q:80")),
            ("HTTP=A HTTPS=https://B", Some("A:80"), Some("https://B:443")),
            ("ftp=f;gopher://g", None, None),
            (" ; ", None, None),
        ] {
            assert_eq!(chosen(list, false).as_deref(), plain, "{list}");
            assert_eq!(chosen(list, true).as_deref(), secure, "{list}");
        }
    }

    #[test]
    fn socks_stands_in_where_nothing_else_does() {
        for (list, plain, secure) in [
            ("http=p;socks=s", Some("p:80"), Some("socks5h://s:1080")),
            ("socks=s:9", Some("socks5h://s:9"), Some("socks5h://s:9")),
            ("socks5://u:p@s", Some("socks5://u:p@s:1080"), Some("socks5://u:p@s:1080")),
            ("https=socks5h://s:5", None, Some("socks5h://s:5")),
            ("socks4://s", None, None),
            ("socks5://u:a=b@s", Some("socks5://u:a=b@s:1080"), Some("socks5://u:a=b@s:1080")),
        ] {
            assert_eq!(chosen(list, false).as_deref(), plain, "{list}");
            assert_eq!(chosen(list, true).as_deref(), secure, "{list}");
        }
    }

    #[test]
    fn a_login_is_read_from_the_list() {
        let of = |user| {
            let login = Server { kind: Kind::Http, host: "h", port: 1, user }.login();
            login.map(|(user, password)| (user.to_vec(), password.to_vec()))
        };
        assert_eq!(of(None), None);
        assert_eq!(of(Some("u:p%3A%zz:q")), Some((b"u".to_vec(), b"p:%zz:q".to_vec())));
        assert_eq!(of(Some("u")), Some((b"u".to_vec(), Vec::new())));
        assert_eq!(of(Some("%")), Some((b"%".to_vec(), Vec::new())));
        assert_eq!(of(Some("%c3%A4:")), Some(("ä".into(), Vec::new())));
    }

    #[test]
    fn all_items_of_a_scheme_come_in_order() {
        let all: Vec<_> =
            servers("http=a;b:1 https=c http=d;socks=e", false).iter().map(Server::item).collect();
        assert_eq!(all, ["a:80", "b:1", "d:80"]);
    }
}

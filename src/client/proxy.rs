//! Which proxy a URL is asked through (digest §8.3, §8.4): the list and the bypass list of a named proxy.
//!
//! Finding a proxy by itself (WPAD, PAC) is not done here. SOCKS entries are skipped.

/// A named proxy, as given to WinHttpOpen or WINHTTP_OPTION_PROXY.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxy {
    /// `WINHTTP_ACCESS_TYPE_*`
    pub access: u32,
    /// `[scheme=][http://]server[:port]` items between semicolons or blanks.
    pub list: Option<String>,
    /// Hosts that are asked directly.
    pub bypass: Option<String>,
}

impl Proxy {
    /// Host and port of the proxy for a server; `None` is a direct connection.
    pub fn choose(&self, secure: bool, host: &str, port: u16) -> Option<(&str, u16)> {
        let list = self.list.as_deref()?;
        let scheme = if secure { "https" } else { "http" };
        if self.bypass.as_deref().is_some_and(|bypass| bypasses(bypass, scheme, host, port)) {
            return None;
        }
        items(list).find_map(|item| match item.split_once('=') {
            Some((for_scheme, server)) if for_scheme.eq_ignore_ascii_case(scheme) => server_of(server),
            Some(_) => None,
            None => server_of(item),
        })
    }
}

fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(|c: char| c == ';' || c.is_ascii_whitespace()).filter(|item| !item.is_empty())
}

/// Reads `[http://]server[:port]`.
fn server_of(item: &str) -> Option<(&str, u16)> {
    let (rest, standard) = match item.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (rest, 80),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (rest, 443),
        Some(_) => return None,
        None => (item, 80),
    };
    let rest = rest.trim_end_matches('/');
    let (host, port) = split_port(rest);
    let port = match port {
        Some(digits) => digits.parse().ok()?,
        None => standard,
    };
    (!host.is_empty()).then_some((host, port))
}

/// `host:port` apart, minding the colons of an IPv6 address.
fn split_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') && (!host.contains(':') || host.ends_with(']')) => {
            (host, Some(port))
        }
        _ => (text, None),
    }
}

fn bypasses(list: &str, scheme: &str, host: &str, port: u16) -> bool {
    items(list).any(|item| {
        if item.eq_ignore_ascii_case("<local>") {
            return !host.contains('.') && !host.contains(':');
        }
        let pattern = match item.split_once("://") {
            Some((for_scheme, rest)) if for_scheme.eq_ignore_ascii_case(scheme) => rest,
            Some(_) => return false,
            None => item,
        };
        let (name, for_port) = split_port(pattern);
        for_port.is_none_or(|digits| digits.parse() == Ok(port)) && name_matches(name, host)
    })
}

/// `*` alone, at the front, or (as an extension) at the end stands for anything; otherwise the whole name counts.
fn name_matches(pattern: &str, host: &str) -> bool {
    let (pattern, host) = (pattern.to_ascii_lowercase(), host.to_ascii_lowercase());
    if let Some(tail) = pattern.strip_prefix('*') {
        return host.ends_with(tail) && (tail.is_empty() || host.len() > tail.len());
    }
    match pattern.strip_suffix('*') {
        Some(start) => host.starts_with(start),
        None => pattern == host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(list: &str, bypass: &str, host: &str) -> Option<(String, u16)> {
        let proxy = Proxy { access: 3, list: Some(list.into()), bypass: Some(bypass.into()) };
        proxy.choose(false, host, 8080).map(|(host, port)| (host.to_owned(), port))
    }

    #[test]
    fn the_first_item_for_the_scheme_counts() {
        let found = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(chosen("p1:81", "", "a"), found("p1", 81));
        assert_eq!(chosen("https=p2:443;http=p1", "", "a"), found("p1", 80));
        assert_eq!(chosen("socks=s:1 http://p3:3128/", "", "a"), found("p3", 3128));
        assert_eq!(chosen("https=p2", "", "a"), None);
        assert_eq!(chosen("[::1]:99", "", "a"), found("[::1]", 99));
        assert_eq!(chosen("p:x", "", "a"), None);
    }

    #[test]
    fn the_bypass_list_follows_the_table() {
        for (item, host, bypassed) in [
            ("<local>", "intranet", true),
            ("<local>", "intra.net", false),
            ("<local>", "127.0.0.1", false),
            ("*.b.c", "a.b.c", true),
            ("*.b.c", "b.c", false),
            ("*.b.c", "ab.c", false),
            ("b.c", "B.C", true),
            ("b.c", "a.b.c", false),
            ("10.*", "10.1.2.3", true),
            ("*", "anything", true),
            ("x;http://h:8080", "h", true),
            ("https://h", "h", false),
            ("h:81", "h", false),
        ] {
            assert_eq!(chosen("p", item, host).is_none(), bypassed, "{item} {host}");
        }
    }
}

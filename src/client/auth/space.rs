//! Whom credentials are for: a server or a proxy, and for a Digest challenge with `domain` (RFC 7616 §3.3) the part
//! of the server whose requests may answer it before they are asked.
//!
//! A server speaks for itself only: URIs on other servers are left out of `domain`, so that nobody can have a
//! request elsewhere answer a challenge that he made up.

use crate::client::plan::Url;

/// Whom credentials are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    secure: bool,
    /// In lower case.
    pub(super) host: String,
    port: u16,
}

impl Server {
    /// A server, by any URL on it.
    pub(crate) fn of(url: &Url) -> Server {
        Server { secure: url.secure, host: url.host.to_ascii_lowercase(), port: url.port }
    }

    /// A proxy.
    pub(crate) fn proxy(host: &str, port: u16) -> Server {
        Server { secure: false, host: host.to_ascii_lowercase(), port }
    }

    /// The path of a URI on this server: of one with a path only, or of an absolute one.
    fn path_of<'a>(&self, uri: &'a str) -> Option<&'a str> {
        let rest = match uri.split_once("//") {
            Some(("", rest)) => rest,
            Some((scheme, rest)) if scheme.ends_with(':') => {
                let own = if self.secure { "https:" } else { "http:" };
                Some(rest).filter(|_| scheme.eq_ignore_ascii_case(own))?
            }
            _ => return Some(uri).filter(|uri| uri.starts_with('/')),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        self.is_named(authority).then_some(if path.is_empty() { "/" } else { path })
    }

    /// Whether this is `host` or `host:port`.
    fn is_named(&self, authority: &str) -> bool {
        let standard = if self.secure { 443 } else { 80 };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()),
            _ => (authority, Some(standard)),
        };
        host.eq_ignore_ascii_case(&self.host) && port == Some(self.port)
    }
}

/// URIs of one `domain` that are looked at, and its longest value: of more, nothing is known.
const MOST_URIS: usize = 16;
const LONGEST: usize = 4096;

/// The part of a server that a challenge is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Space {
    /// All of it.
    Whole,
    /// What begins with one of these.
    Below(Vec<Box<str>>),
}

impl Space {
    /// What a challenge of this server says by `domain`: URIs with blanks between them.
    pub(super) fn read(domain: Option<&[u8]>, server: &Server) -> Space {
        let domain = domain.unwrap_or_default().trim_ascii();
        if domain.is_empty() {
            return Space::Whole;
        }
        let text = std::str::from_utf8(domain).ok().filter(|text| text.len() <= LONGEST);
        let uris = text.unwrap_or_default().split_ascii_whitespace().take(MOST_URIS);
        Space::Below(uris.filter_map(|uri| server.path_of(uri)).map(Box::from).collect())
    }

    /// How much of a path tells that it lies here; `None` when it does not.
    pub(super) fn depth(&self, path: &str) -> Option<usize> {
        match self {
            Space::Whole => Some(0),
            Space::Below(prefixes) => {
                let fitting = prefixes.iter().filter(|prefix| path.starts_with(&***prefix));
                fitting.map(|prefix| prefix.len()).max()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(secure: bool, host: &str, port: u16) -> Server {
        Server::of(&Url { secure, host: host.into(), port, target: "/".into() })
    }

    #[test]
    fn a_server_speaks_for_itself() {
        for (uri, path) in [
            ("/a", Some("/a")),
            ("/a//b", Some("/a//b")),
            ("http://Host/a?b=//c", Some("/a?b=//c")),
            ("HTTP://host:80/", Some("/")),
            ("http://host", Some("/")),
            ("//host/a", Some("/a")),
            ("https://host/a", None),
            ("http://host:81/a", None),
            ("http://host:/a", None),
            ("http://other/a", None),
            ("http://u@host/a", None),
            ("//other/a", None),
            ("a", None),
            ("", None),
        ] {
            assert_eq!(server(false, "HOST", 80).path_of(uri), path, "{uri}");
        }
        assert_eq!(server(true, "h", 443).path_of("https://h/x"), Some("/x"));
        assert_eq!(server(true, "h", 444).path_of("https://h:444/x"), Some("/x"));
        assert_eq!(server(false, "[::1]", 80).path_of("http://[::1]/x"), Some("/x"));
        assert_eq!(server(false, "[::1]", 81).path_of("http://[::1]:81/x"), Some("/x"));
    }

    #[test]
    fn what_a_challenge_is_good_for() {
        let read = |domain: &str| Space::read(Some(domain.as_bytes()), &server(false, "host", 80));
        assert_eq!(Space::read(None, &server(false, "host", 80)), Space::Whole);
        assert_eq!(read("  "), Space::Whole);
        let space = read("/a /a/b\thttp://host/c http://other/");
        for (path, depth) in
            [("/a", Some(2)), ("/a/b/c", Some(4)), ("/c?d", Some(2)), ("/", None), ("/b", None)]
        {
            assert_eq!(space.depth(path), depth, "{path}");
        }
        assert_eq!(Space::Whole.depth("/"), Some(0));
        assert_eq!(read("http://other/").depth("/"), None, "others' URIs are no reason to say more");
        let many = "/a ".repeat(MOST_URIS) + "/b";
        assert_eq!((read(&many).depth("/a"), read(&many).depth("/b")), (Some(2), None));
        assert_eq!(read(&"/a ".repeat(LONGEST)).depth("/a"), None);
    }
}

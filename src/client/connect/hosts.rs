//! Names that lead elsewhere: `NTHTTP_OPTION_HOST_OVERRIDE` and the environment variable `NTHTTP_HOSTS`.
//!
//! Both are items `name[:port]=host[:port]` between blanks, commas or semicolons. `*` is any name; without a port on
//! the left any port is meant, without one on the right it stays the same. `-` on the right is nowhere: the name does
//! not exist. The first item that fits decides; further items with the same left side add addresses to try.

use std::sync::LazyLock;

use crate::win32::trace;

/// A list of items.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hosts {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Rule {
    from: Place,
    /// `None` is nowhere.
    to: Option<Place>,
}

/// The right side of a name that does not exist.
const NOWHERE: &str = "-";

/// `*` is an empty host; 0 is any port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    host: String,
    port: u16,
}

impl Hosts {
    /// Reads a list; the item that cannot be read is the error.
    pub fn read(text: &str) -> Result<Hosts, String> {
        let items = text.split(|c: char| c.is_ascii_whitespace() || c == ',' || c == ';');
        let rules = items.filter(|item| !item.is_empty()).map(|item| {
            let (from, to) = item.split_once('=').ok_or(item)?;
            let from =
                if from == "*" || from.starts_with("*:") { &from[1..] } else { check_name(from, item)? };
            Ok(Rule {
                from: Place::read(from).ok_or(item)?,
                to: match to {
                    NOWHERE => None,
                    _ => Some(Place::read(check_name(to, item)?).ok_or(item)?),
                },
            })
        });
        let rules: Result<_, &str> = rules.collect();
        rules.map(|rules| Hosts { rules }).map_err(str::to_owned)
    }

    /// Where a name leads, in order, which may be nowhere; `None` when no item fits.
    pub(crate) fn find(&self, host: &str, port: u16) -> Option<Vec<(&str, u16)>> {
        let host = bare(host);
        let fits = |place: &Place| {
            (place.host.is_empty() || place.host.eq_ignore_ascii_case(host))
                && (place.port == 0 || place.port == port)
        };
        let first = self.rules.iter().find(|rule| fits(&rule.from))?;
        let alike = self.rules.iter().filter(|rule| rule.from == first.from);
        let places = alike.filter_map(|rule| rule.to.as_ref());
        Some(places.map(|to| (&*to.host, if to.port == 0 { port } else { to.port })).collect())
    }

    /// No item.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// A name stands before the colon.
fn check_name<'a>(place: &'a str, item: &'a str) -> Result<&'a str, &'a str> {
    if place.is_empty() || place.starts_with(':') || place.contains('*') { Err(item) } else { Ok(place) }
}

fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}

impl Place {
    /// Reads `host[:port]`, with brackets around an IPv6 address that is followed by a port.
    fn read(text: &str) -> Option<Place> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if host.ends_with(']') || !host.contains(':') => (host, Some(port)),
            _ => (text, None),
        };
        let port = match port {
            Some(digits) => digits.parse().ok().filter(|port| *port != 0)?,
            None => 0,
        };
        Some(Place { host: bare(host).to_owned(), port })
    }
}

/// The items of `NTHTTP_HOSTS`, read once.
pub(crate) fn of_environment() -> Option<&'static Hosts> {
    static HOSTS: LazyLock<Option<Hosts>> = LazyLock::new(|| {
        let text = std::env::var("NTHTTP_HOSTS").ok()?;
        match Hosts::read(&text) {
            Ok(hosts) => Some(hosts),
            Err(item) => {
                trace::warn(format_args!(
                    "NTHTTP_HOSTS is left out: \"{item}\" is not name[:port]=host[:port] or name[:port]=-"
                ));
                None
            }
        }
    });
    HOSTS.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_item_that_fits_decides() {
        let hosts =
            Hosts::read("a.example:80=127.0.0.1:8080; A.example=[::1] *:81=b ,x=[::1]:7 x=127.0.0.2 y=-\t")
                .unwrap();
        for (host, port, leads) in [
            ("A.Example", 80, Some(vec![("127.0.0.1", 8080)])),
            ("a.example", 81, Some(vec![("::1", 81)])),
            ("c", 81, Some(vec![("b", 81)])),
            ("c", 82, None),
            ("x", 1, Some(vec![("::1", 7), ("127.0.0.2", 1)])),
            ("y", 1, Some(vec![])),
        ] {
            assert_eq!(hosts.find(host, port), leads, "{host}:{port}");
        }
    }

    #[test]
    fn addresses_may_lead_elsewhere_too() {
        let hosts = Hosts::read("[2001:db8::1]:80=localhost 2001:db8::2=h:1 *=z").unwrap();
        assert_eq!(hosts.find("[2001:db8::1]", 80), Some(vec![("localhost", 80)]));
        assert_eq!(hosts.find("2001:db8::2", 5), Some(vec![("h", 1)]));
        assert_eq!(hosts.find("any", 9), Some(vec![("z", 9)]));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for item in ["a", "=b", "a=", ":80=b", "a=:80", "a:0=b", "a:x=b", "a=b:65536", "a=*", "*b=c"] {
            assert_eq!(Hosts::read(&format!("ok=fine {item}")), Err(item.to_owned()));
        }
        assert!(Hosts::read(" ;, ").unwrap().is_empty());
    }
}

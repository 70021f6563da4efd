//! The proxy variables of the environment: `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`.
//!
//! Lower case wins. `HTTP_PROXY` is ignored where `REQUEST_METHOD` is set: in a CGI program it is what a client
//! sent in a field named Proxy.

use super::bypass::from_suffixes;
use super::{NAMED, Proxy};

/// What the environment of this process says.
pub(super) fn read() -> Option<Proxy> {
    from(|name| std::env::var(name).ok())
}

fn from(variable: impl Fn(&str) -> Option<String>) -> Option<Proxy> {
    let either = |lower: &str, upper: &str| variable(lower).or_else(|| variable(upper));
    let in_cgi = variable("REQUEST_METHOD").is_some();
    let http = if in_cgi { variable("http_proxy") } else { either("http_proxy", "HTTP_PROXY") };
    let https = either("https_proxy", "HTTPS_PROXY");
    let all = either("all_proxy", "ALL_PROXY");
    let mut list = String::new();
    for (label, value) in [("http=", http), ("https=", https), ("", all)] {
        let value = value.unwrap_or_default();
        // What would be more than one item is none at all.
        if value.is_empty() || value.contains(';') || value.contains(char::is_whitespace) {
            continue;
        }
        let separator = if list.is_empty() { "" } else { ";" };
        list.extend([separator, label, &value]);
    }
    let bypass =
        either("no_proxy", "NO_PROXY").map(|list| from_suffixes(&list)).filter(|list| !list.is_empty());
    (!list.is_empty()).then_some(Proxy { access: NAMED, list: Some(list), bypass })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Option<(String, Option<String>)> {
        let found =
            |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        from(found).map(|proxy| (proxy.list.unwrap(), proxy.bypass))
    }

    #[test]
    fn lower_case_wins_and_no_proxy_becomes_a_bypass_list() {
        assert_eq!(with(&[]), None);
        assert_eq!(with(&[("no_proxy", "a")]), None);
        assert_eq!(with(&[("http_proxy", "")]), None);
        let all = [
            ("HTTP_PROXY", "http://upper"),
            ("http_proxy", "http://p:3128"),
            ("HTTPS_PROXY", "q:1"),
            ("all_proxy", "socks5://s"),
            ("no_proxy", "localhost,.corp"),
        ];
        let list = "http=http://p:3128;https=q:1;socks5://s".to_owned();
        assert_eq!(with(&all), Some((list, Some("localhost;*.localhost;corp;*.corp".into()))));
        assert_eq!(with(&[("http_proxy", "a;b")]), None);
    }

    #[test]
    fn a_field_of_a_client_is_no_proxy() {
        assert_eq!(with(&[("HTTP_PROXY", "evil"), ("REQUEST_METHOD", "GET")]), None);
        let own = [("http_proxy", "good"), ("REQUEST_METHOD", "GET")];
        assert_eq!(with(&own), Some(("http=good".into(), None)));
    }
}

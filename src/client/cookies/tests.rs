//! The jar: what is kept from whom, what is sent to whom, and in which order.

use super::*;

fn url(text: &str) -> Url {
    let (secure, rest) = match text.strip_prefix("https://") {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix("http://").unwrap()),
    };
    let (host, path) = rest.split_once('/').unwrap();
    Url { secure, host: host.into(), port: 80, target: format!("/{path}") }
}

/// What is sent to one URL after fields were set at others.
fn sent(set: &[(&str, &str)], to: &str) -> String {
    let jar = Cookies::default();
    set.iter().for_each(|(from, field)| jar.store(&url(from), field.as_bytes()));
    String::from_utf8(jar.field(&url(to)).unwrap_or_default()).unwrap()
}

#[test]
fn domains_and_paths() {
    const A: &str = "http://www.example.com/dir/page?q=/x/y";
    for (field, to, wanted) in [
        ("a=1", "http://www.example.com/dir/x", "a=1"),
        ("a=1", "http://WWW.EXAMPLE.COM/dir", "a=1"),
        ("a=1", "http://www.example.com/", ""),
        ("a=1; Path=/", "http://www.example.com/", "a=1"),
        ("a=1; Path=/di", "http://www.example.com/dir", ""),
        ("a=1; Path=/", "http://example.com/", ""),
        ("a=1; Path=/", "http://x.www.example.com/", ""),
        ("a=1; Path=/; Domain=example.com", "http://example.com/", "a=1"),
        ("a=1; Path=/; Domain=.EXAMPLE.com", "http://x.y.example.com/", "a=1"),
        ("a=1; Path=/; Domain=other.com", "http://other.com/", ""),
        ("a=1; Path=/; Domain=com", "http://www.example.com/", ""),
        ("a=1; Path=/; Domain=x.www.example.com", "http://x.www.example.com/", ""),
    ] {
        assert_eq!(sent(&[(A, field)], to), wanted, "{field} to {to}");
    }
    assert_eq!(sent(&[("http://127.0.0.1/", "a=1; Domain=0.0.1")], "http://127.0.0.1/"), "");
    assert_eq!(sent(&[("http://127.0.0.1/", "a=1; Domain=127.0.0.1")], "http://127.0.0.1/"), "a=1");
    assert_eq!(sent(&[("http://localhost/", "a=1; Domain=localhost")], "http://localhost/"), "a=1");
    assert_eq!(sent(&[("http://a.co.uk/", "a=1; Domain=co.uk")], "http://b.co.uk/"), "");
}

#[test]
fn longer_paths_go_first_and_then_older_cookies() {
    const AT: &str = "http://h/a/b/c";
    let set =
        [(AT, "one=1; Path=/"), (AT, "two=2; Path=/a/b"), (AT, "three=3; Path=/"), (AT, "one=4; Path=/")];
    assert_eq!(sent(&set, AT), "two=2; one=4; three=3");
}

#[test]
fn ends() {
    const AT: &str = "http://h/";
    let gone = "Thu, 01 Jan 1970 00:00:01 GMT";
    let far = "Fri, 31 Dec 9999 23:59:59 GMT";
    for (fields, wanted) in [
        (vec![format!("a=1; Expires={far}")], "a=1"),
        (vec![format!("a=1; Expires={gone}")], ""),
        (vec![format!("a=1; Max-Age=100; Expires={gone}")], "a=1"),
        (vec!["a=1".into(), "a=2; Max-Age=0".into()], ""),
        (vec!["a=1".into(), format!("a=2; Expires={gone}")], ""),
        (vec!["a=1; Max-Age=99999999999999999999".into()], "a=1"),
    ] {
        let set: Vec<_> = fields.iter().map(|field| (AT, &**field)).collect();
        assert_eq!(sent(&set, AT), wanted, "{fields:?}");
    }
}

#[test]
fn secure_cookies_and_prefixes() {
    for (from, field, to, wanted) in [
        ("https://h/", "a=1; Secure", "https://h/", "a=1"),
        ("https://h/", "a=1; Secure", "http://h/", ""),
        ("http://h/", "a=1; Secure", "https://h/", ""),
        ("https://h/", "__Secure-a=1", "https://h/", ""),
        ("https://h/", "__Secure-a=1; Secure", "https://h/", "__Secure-a=1"),
        ("https://h/", "__host-a=1; Secure", "https://h/", "__host-a=1"),
        ("https://h/", "__Host-a=1; Secure; Path=/x", "https://h/x", ""),
        ("https://h/", "__Host-a=1; Secure; Domain=h", "https://h/", ""),
        ("https://h/", "__Host-a=1", "https://h/", ""),
    ] {
        assert_eq!(sent(&[(from, field)], to), wanted, "{field}");
    }
    // Plain text does not stand before what is secure.
    const HTTPS: &str = "https://w.x.example/";
    for (secure, from, plain, wanted) in [
        ("a=1; Secure", "http://w.x.example/", "a=2", "a=1"),
        ("a=1; Secure", "http://w.x.example/", "a=2; Domain=x.example", "a=1"),
        ("a=1; Secure", "http://x.example/", "a=2; Domain=x.example", "a=1"),
        ("a=1; Secure; Domain=x.example", "http://w.x.example/", "a=2", "a=1"),
        ("a=1; Secure", "http://v.x.example/", "a=2; Domain=v.x.example", "a=1"),
        ("a=1; Secure", "http://w.x.example/", "b=2", "a=1; b=2"),
        ("a=1; Secure; Path=/x", "http://w.x.example/", "a=2; Path=/", "a=2"),
        ("a=1", "http://w.x.example/", "a=2", "a=2"),
    ] {
        assert_eq!(sent(&[(HTTPS, secure), (from, plain)], HTTPS), wanted, "{secure} {from} {plain}");
    }
}

#[test]
fn international_names_and_short_addresses() {
    for (from, field, to, wanted) in [
        ("http://www.Bücher.example/", "a=1; Domain=bücher.example", "http://xn--bcher-kva.example/", "a=1"),
        ("http://xn--bcher-kva.example/", "a=1", "http://bücher.example/", "a=1"),
        ("http://10.1.2/", "a=1; Domain=1.2", "http://99.1.2/", ""),
    ] {
        assert_eq!(sent(&[(from, field)], to), wanted, "{from} {field}");
    }
}

#[test]
fn no_server_fills_the_memory() {
    let jar = Cookies::default();
    let at = url("http://h.example.com/");
    for n in 0..200 {
        jar.store(&at, format!("n{n}=1").as_bytes());
    }
    let text = String::from_utf8(jar.field(&at).unwrap()).unwrap();
    assert_eq!(text.split("; ").count(), MOST_OF_DOMAIN);
    assert!(text.starts_with("n150=1"), "the oldest have gone");
    for n in 0..MOST - 10 {
        jar.store(&url(&format!("http://h{n}/")), b"a=1");
    }
    {
        let shelves = jar.shelves.lock();
        assert_eq!(shelves.count, MOST);
        assert_eq!(shelves.domains.values().map(Vec::len).sum::<usize>(), MOST);
    }
    let text = String::from_utf8(jar.field(&at).unwrap()).unwrap();
    assert!(text.starts_with("n190=1;") && text.ends_with("n199=1"), "who has most makes room: {text}");
    assert!(jar.field(&url("http://h0/")).is_some());
    for n in MOST..2 * MOST {
        jar.store(&url(&format!("http://h{n}/")), b"a=1");
    }
    assert_eq!(jar.shelves.lock().count, MOST);
    assert!(jar.field(&at).is_none() && jar.field(&url("http://h0/")).is_none());
}

#[test]
fn the_count_is_right_whatever_comes() {
    let jar = Cookies::default();
    for n in 0..2000_u32 {
        let (host, name, age) = (n * 7 % 11, n * 5 % 61, n % 3);
        jar.store(&url(&format!("http://h{host}/")), format!("n{name}=1; Max-Age={age}").as_bytes());
        let shelves = jar.shelves.lock();
        assert_eq!(shelves.count, shelves.domains.values().map(Vec::len).sum::<usize>());
        assert!(shelves.domains.values().all(|shelf| !shelf.is_empty()));
    }
}

#[test]
fn an_empty_jar_says_so() {
    let jar = Cookies::default();
    assert!(!jar.holds_any());
    jar.store(&url("http://h/"), b"a=1");
    assert!(jar.holds_any());
    jar.store(&url("http://h/"), b"a=1; Max-Age=0");
    assert!(!jar.holds_any());
}

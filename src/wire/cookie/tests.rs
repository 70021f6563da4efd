use super::*;
use proptest::prelude::*;

#[test]
fn names_values_and_attributes() {
    let cookie =
        SetCookie::parse(b" a = b c ; Path=/x; DOMAIN=.Example.com; secure; HttpOnly; Max-Age=10").unwrap();
    assert_eq!((cookie.name, cookie.value), (&b"a"[..], &b"b c"[..]));
    assert_eq!(cookie.path, Some(&b"/x"[..]));
    assert_eq!(cookie.domain.as_deref(), Some("example.com"));
    assert!(cookie.secure);
    assert_eq!(cookie.max_age, Some(10));
    let value = |field: &'static str| SetCookie::parse(field.as_bytes()).map(|cookie| cookie.value);
    assert_eq!(value("a="), Some(&b""[..]));
    assert_eq!(value("a=b=c"), Some(&b"b=c"[..]));
    assert_eq!(value("a=\"b\""), Some(&b"\"b\""[..]));
}

#[test]
fn what_sets_nothing() {
    for field in ["", "a", "; a=b", "=b", " =b; Path=/", "a=\x01", "a=b\x7f"] {
        assert_eq!(SetCookie::parse(field.as_bytes()), None, "{field:?}");
    }
    assert_eq!(SetCookie::parse(format!("a={}", "x".repeat(LONGEST_PAIR)).as_bytes()), None);
    assert!(SetCookie::parse(format!("a={}", "x".repeat(LONGEST_PAIR - 1)).as_bytes()).is_some());
}

#[test]
fn the_last_attribute_counts_and_empty_ones_undo() {
    let cookie = SetCookie::parse(b"a=b; Path=/x; Path=y; Domain=x; Domain=; Max-Age=1; Max-Age=z").unwrap();
    assert_eq!((cookie.path, cookie.domain, cookie.max_age), (None, None, Some(1)));
    let long = format!("a=b; Path=/{}", "x".repeat(2000));
    assert_eq!(SetCookie::parse(long.as_bytes()).unwrap().path, None);
}

#[test]
fn ages() {
    for (text, age) in [
        ("0", Some(0)),
        ("-1", Some(0)),
        ("99999999999999999999", Some(i64::MAX)),
        ("", None),
        ("-", None),
        ("1x", None),
        ("+1", None),
    ] {
        assert_eq!(parse_age(text.as_bytes()), age, "{text}");
    }
}

#[test]
fn dates_in_all_forms() {
    const WANTED: i64 = 784_111_777;
    for text in [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "6 nov 1994 8:49:37",
        "08:49:37 1994 November 6",
        "Sun/06/Nov/1994/08:49:37/+0000",
        "06 Nov 1994 08:49:37x",
    ] {
        assert_eq!(parse_date(text.as_bytes()), Some(WANTED), "{text}");
    }
    assert_eq!(parse_date(b"1 Jan 1970 0:0:0"), Some(0));
    assert_eq!(parse_date(b"1 Jan 00 0:0:0"), Some(946_684_800));
    for bad in [
        "",
        "Sun, 06 Nov 1994",
        "06 Nov 1994 08:49",
        "06 Nov 1994 24:00:00",
        "06 Nov 1994 08:60:00",
        "06 Nov 1994 08:49:60",
        "32 Nov 1994 08:49:37",
        "30 Feb 1994 08:49:37",
        "06 Foo 1994 08:49:37",
        "06 Nov 1600 08:49:37",
        "06 Nov 19945 08:49:37",
    ] {
        assert_eq!(parse_date(bad.as_bytes()), None, "{bad}");
    }
}

#[test]
fn domains() {
    for (host, domain, matches) in [
        ("example.com", "example.com", true),
        ("www.example.com", "example.com", true),
        ("example.com", "www.example.com", false),
        ("badexample.com", "example.com", false),
        ("127.0.0.1", "0.0.1", false),
        ("127.0.0.1", "127.0.0.1", true),
        ("[::1]", "1]", false),
    ] {
        assert_eq!(domain_matches(host, domain), matches, "{host} {domain}");
    }
    for (domain, public) in [
        ("com", true),
        ("localhost", true),
        ("co.uk", true),
        ("example.com", false),
        ("x.co.uk", false),
        ("uk.", true),
    ] {
        assert_eq!(is_public_suffix(domain), public, "{domain}");
    }
}

#[test]
fn hosts() {
    for (host, address) in [
        ("127.0.0.1", true),
        ("127.0.0.1.", true),
        ("127.1", true),
        ("1", true),
        ("0x7f.1", true),
        ("1.0x7F", true),
        ("[::1]", true),
        ("::1", true),
        ("1.example", false),
        ("1.0xfg", false),
        ("1a", false),
        ("example.", false),
        ("", false),
        (".", false),
    ] {
        assert_eq!(is_address(host), address, "{host}");
    }
    assert_eq!(canonical_host("Bücher.EXAMPLE"), "xn--bcher-kva.example");
    assert_eq!(canonical_host("A_b.Example"), "a_b.example");
    assert_eq!(
        SetCookie::parse("a=b; Domain=.BÜCHER.example".as_bytes()).unwrap().domain.as_deref(),
        Some("xn--bcher-kva.example")
    );
}

#[test]
fn paths() {
    for (path, prefix, matches) in [
        ("/a/b", "/a/b", true),
        ("/a/b/c", "/a/b", true),
        ("/a/b", "/a/", true),
        ("/ab", "/a", false),
        ("/a", "/a/", false),
        ("/", "/", true),
    ] {
        assert_eq!(path_matches(path.as_bytes(), prefix.as_bytes()), matches, "{path} {prefix}");
    }
    for (path, directory) in
        [("/", "/"), ("/a", "/"), ("/a/b", "/a"), ("/a/b/", "/a/b"), ("", "/"), ("*", "/"), ("a/b", "/")]
    {
        assert_eq!(default_path(path.as_bytes()), directory.as_bytes(), "{path}");
    }
}

proptest! {
    #[test]
    fn any_field_is_read_without_surprise(field in prop::collection::vec(any::<u8>(), 0..120)) {
        if let Some(cookie) = SetCookie::parse(&field) {
            prop_assert!(!cookie.name.is_empty());
            prop_assert!(!cookie.name.iter().chain(cookie.value).any(|b| *b == b';' || (b.is_ascii_control() && *b != b'\t')));
        }
        let _ = parse_date(&field);
    }
}

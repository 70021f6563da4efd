//! Any bytes as a Set-Cookie value, a cookie date, a host and a path: no panic, and a cookie that is read can be sent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nthttp_fuzz::wire::cookie::{
    LONGEST_PAIR, SetCookie, canonical_host, default_path, domain_matches, is_public_suffix, parse_date, path_matches,
};
use nthttp_fuzz::wire::suffixes::Suffixes;

fuzz_target!(|data: &[u8]| {
    if let Some(cookie) = SetCookie::parse(data) {
        assert!(!cookie.name.is_empty() && !cookie.name.contains(&b'='));
        assert!(cookie.name.len() + cookie.value.len() <= LONGEST_PAIR);
        let pair = [cookie.name, b"=", cookie.value].concat();
        assert!(!pair.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0 | b';')));
        let again = SetCookie::parse(&pair).unwrap();
        assert_eq!((again.name, again.value), (cookie.name, cookie.value));
    }
    let _ = parse_date(data);
    let directory = default_path(data);
    assert!(path_matches(data, directory) || !data.starts_with(b"/"));
    if let Ok(text) = std::str::from_utf8(data) {
        assert!(domain_matches(text, text));
        let _ = is_public_suffix(text);
        let host = canonical_host(text);
        assert_eq!(canonical_host(&host), host);
        let list = Suffixes::read(b"com\n*.ck\n!www.ck\n").unwrap();
        assert!(list.holds(text) || text.contains('.'));
    }
    // As a list, too.
    if let Some(list) = Suffixes::read(data) {
        let _ = list.holds("www.example.com");
    }
});

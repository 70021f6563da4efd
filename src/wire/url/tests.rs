//! The tables of the digest of WinHTTP §3.3 and §4, row by row, and RFC 3986's examples of references.

use proptest::prelude::*;

use super::escape::{ESCAPE_DISABLE, ESCAPE_DISABLE_QUERY, ESCAPE_PERCENT};
use super::*;
use crate::abi::error::{Error, Result};

const PUNCTUATION: &str = " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn narrow(text: &[u16]) -> String {
    String::from_utf16(text).unwrap()
}

/// A cracked URL in plain words: scheme number, user, password, host, port, path, extra.
type Words = (u32, Option<String>, Option<String>, String, u16, String, String);

fn words(url: &str, flags: u32) -> Result<Words> {
    let url = wide(url);
    let parts = crack(&url, flags)?;
    let text = |range: &std::ops::Range<usize>| narrow(&parts.text[range.clone()]);
    let host = text(&parts.host);
    let (user, password) = (parts.user.as_ref().map(text), parts.password.as_ref().map(text));
    Ok((parts.scheme_id, user, password, host, parts.port, text(&parts.path), text(&parts.extra)))
}

/// What a URL without user information should give.
fn plain(scheme: u32, host: &str, port: u16, path: &str, extra: &str) -> Result<Words> {
    Ok((scheme, None, None, host.into(), port, path.into(), extra.into()))
}

#[test]
fn crack_all_components() {
    let url = wide("http://username:password@www.winehq.org/site/about?query");
    let parts = crack(&url, 0).unwrap();
    assert_eq!((parts.scheme.len(), parts.scheme_id, parts.port), (4, 1, 80));
    assert_eq!((parts.user.clone(), parts.password.clone()), (Some(7..15), Some(16..24)));
    assert_eq!((parts.host.len(), parts.path.len(), parts.extra.len()), (14, 11, 6));
    assert_eq!(narrow(&url[parts.path_and_extra()]), "/site/about?query");
    assert!(matches!(parts.text, std::borrow::Cow::Borrowed(_)));
}

#[test]
fn crack_ports() {
    assert_eq!(words("http://www.winehq.org:42", 0), plain(1, "www.winehq.org", 42, "", ""));
    assert_eq!(words("http://www.winehq.org:0", 0), plain(1, "www.winehq.org", 0, "", ""));
    assert_eq!(words("http://winehq.org:", 0), plain(1, "winehq.org", 80, "", ""));
    assert_eq!(words("http://winehq.org:/", 0), plain(1, "winehq.org", 80, "/", ""));
    assert_eq!(words("https://host", 0), plain(2, "host", 443, "", ""));
    assert_eq!(words("HTTP://host", 0), plain(1, "host", 80, "", ""));
    for url in ["http://winehq.org:65536", "http://winehq.org:8o", "http://h:-1/", "http://h:80:80/"] {
        assert_eq!(words(url, 0), Err(Error::WINHTTP_INVALID_URL), "{url}");
    }
}

#[test]
fn crack_absent_components_are_empty_at_the_end() {
    let url = wide("http://www.winehq.org:42");
    let parts = crack(&url, 0).unwrap();
    assert_eq!((parts.user, parts.password), (None, None));
    assert_eq!((parts.path, parts.extra), (24..24, 24..24));
}

#[test]
fn crack_paths_and_extra() {
    assert_eq!(words("http://winehq?", 0), plain(1, "winehq", 80, "", "?"));
    assert_eq!(crack(&wide("http://winehq?"), 0).unwrap().extra, 13..14);
    assert_eq!(words("http://winehq/post;a", 0), plain(1, "winehq", 80, "/post;a", ""));
    assert_eq!(words("http://a/b#c?d", 0), plain(1, "a", 80, "/b", "#c?d"));
    assert_eq!(words("http://a/b?c#d", 0), plain(1, "a", 80, "/b", "?c#d"));
    assert_eq!(
        words("http://www.winehq.org/myscript.php;test=1?var1=a&var2=b@c", 0),
        plain(1, "www.winehq.org", 80, "/myscript.php;test=1", "?var1=a&var2=b@c")
    );
}

#[test]
fn crack_users() {
    let user = |url: &str| words(url, 0).map(|words| (words.1, words.2, words.3));
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(user("http://user@host/"), Ok((some("user"), None, "host".into())));
    assert_eq!(user("http://:@host/"), Ok((some(""), some(""), "host".into())));
    assert_eq!(user("http://u:a:b@host/"), Ok((some("u"), some("a:b"), "host".into())));
    assert_eq!(user("http://a@b@host/"), Ok((some("a@b"), None, "host".into())));
    for url in ["http://user@host/", "http://:@host", "http://@host"] {
        assert_eq!(words(url, ICU_REJECT_USERPWD), Err(Error::WINHTTP_INVALID_URL), "{url}");
    }
    assert!(words("http://host/@", ICU_REJECT_USERPWD).is_ok());
}

#[test]
fn crack_ipv6() {
    assert_eq!(words("http://[::1]:81/a", 0), plain(1, "[::1]", 81, "/a", ""));
    assert_eq!(words("https://[::1]", 0), plain(2, "[::1]", 443, "", ""));
    assert_eq!(words("http://[::1/", 0), Err(Error::WINHTTP_INVALID_URL));
    assert_eq!(words("http://[::1]x/", 0), Err(Error::WINHTTP_INVALID_URL));
}

#[test]
fn crack_what_is_no_url() {
    for url in
        ["http:", "http:/", "http://", "HTTP:www", "http:/www", "http:///a", "http://u@/", "http://:80/"]
    {
        assert_eq!(words(url, 0), Err(Error::WINHTTP_INVALID_URL), "{url}");
    }
    for url in ["www.host.org", "www", "http", "", "ftp://host", ":", "://host", " http://host"] {
        assert_eq!(words(url, 0), Err(Error::WINHTTP_UNRECOGNIZED_SCHEME), "{url}");
    }
}

#[test]
fn crack_and_decode() {
    assert_eq!(words("http://a/b%20c?d", ICU_DECODE), plain(1, "a", 80, "/b c", "?d"));
    assert_eq!(words("http://a/b%3Fc", ICU_DECODE), plain(1, "a", 80, "/b", "?c"));
    assert_eq!(words("http://a/%E9%zz%4", ICU_DECODE), plain(1, "a", 80, "/é%zz%4", ""));
}

#[test]
fn crack_and_escape() {
    let url = "http://winehq.o g/path with spaces";
    assert_eq!(words(url, ICU_ESCAPE), plain(1, "winehq.o g", 80, "/path%20with%20spaces", ""));
    assert_eq!(words(url, ICU_ESCAPE | ICU_DECODE), words(url, ICU_ESCAPE));
    assert_eq!(words("http://a/b c/d?e f", ICU_ESCAPE), plain(1, "a", 80, "/b%20c/d", "?e%20f"));
}

/// The components of the digest's table.
fn example<'a>(
    path: &'a [u16],
    extra: &'a [u16],
    user: &'a [u16],
    password: &'a [u16],
    host: &'a [u16],
) -> Components<'a> {
    Components {
        scheme: None,
        scheme_id: SCHEME_HTTP,
        user: Some(user),
        password: Some(password),
        host: Some(host),
        port: 80,
        path: Some(path),
        extra: Some(extra),
    }
}

#[test]
fn create_the_table() {
    let [path, bare, extra] = ["/site/about", "site/about", "?query"].map(wide);
    let [user, password, host, https, ftp] =
        ["username", "password", "www.winehq.org", "https", "ftp"].map(wide);
    let parts = example(&path, &extra, &user, &password, &host);
    let url = |parts: Components, flags| create(&parts, flags).map(|url| narrow(&url));
    let start = "http://username:password@www.winehq.org";
    let whole = format!("{start}/site/about?query");
    assert_eq!(url(parts, 0), Ok(whole.clone()));
    assert_eq!(whole.len(), 56);
    assert_eq!(url(Components { port: 42, ..parts }, 0), Ok(format!("{start}:42/site/about?query")));
    assert_eq!(url(Components { port: 0, ..parts }, 0), Ok(format!("{start}:0/site/about?query")));
    assert_eq!(url(Components { path: Some(&bare), ..parts }, 0), Ok(whole));
    assert_eq!(url(parts, ICU_INCLUDE_DEFAULT_PORT), Ok(format!("{start}:80/site/about?query")));
    let nobody = Components { user: None, password: None, path: None, extra: None, ..parts };
    let secure = Components { scheme_id: SCHEME_HTTPS, ..nobody };
    assert_eq!(url(Components { port: 443, ..secure }, 0), Ok("https://www.winehq.org".into()));
    assert_eq!(url(secure, 0), Ok("https://www.winehq.org:80".into()));
    let named = Components { scheme: Some(&https), port: 443, ..nobody };
    assert_eq!(url(named, 0), Ok("https://www.winehq.org".into()), "the text wins");
    assert_eq!(url(Components { scheme: Some(&ftp), ..nobody }, 0), Ok("ftp://www.winehq.org:80".into()));
    assert_eq!(url(Components { scheme_id: 0, ..nobody }, 0), Ok("http://www.winehq.org".into()));
    assert_eq!(url(Components { scheme_id: 9, ..nobody }, 0), Err(Error::INVALID_PARAMETER));
}

#[test]
fn create_with_users() {
    let [host, user, password] = ["h", "u ü", "p:@/"].map(wide);
    let nobody = Components { host: Some(&host), port: 80, ..Components::default() };
    let url = |parts: Components, flags| create(&parts, flags).map(|url| narrow(&url));
    assert_eq!(
        url(Components { user: Some(&[]), password: Some(&[]), ..nobody }, 0),
        Ok("http://:@h".into())
    );
    assert_eq!(url(Components { user: Some(&host), ..nobody }, 0), Ok("http://h@h".into()));
    assert_eq!(
        url(Components { user: Some(&host), password: Some(&[]), ..nobody }, 0),
        Ok("http://h:@h".into())
    );
    assert_eq!(url(Components { password: Some(&host), ..nobody }, 0), Err(Error::INVALID_PARAMETER));
    let both = Components { user: Some(&user), password: Some(&password), ..nobody };
    assert_eq!(url(both, ICU_REJECT_USERPWD), Err(Error::WINHTTP_INVALID_URL));
    assert_eq!(url(both, ICU_ESCAPE_AUTHORITY), Ok("http://u%20%C3%BC:p%3A%40%2F@h".into()));
}

#[test]
fn create_and_escape_extra_alone() {
    let extra = wide(&format!("?text={PUNCTUATION}"));
    let parts = Components { extra: Some(&extra), port: 80, ..Components::default() };
    let expected = "http://?text=%20!%22%23$%25&'()*+,-./:;%3C=%3E?@%5B%5C%5D%5E_%60%7B%7C%7D%7E";
    assert_eq!(narrow(&create(&parts, ICU_ESCAPE).unwrap()), expected);
    assert_eq!(narrow(&create(&parts, 0).unwrap()), format!("http://?text={PUNCTUATION}"));
    let path = wide("/ü\u{1}\u{7f}");
    let parts = Components { path: Some(&path), ..Components::default() };
    assert_eq!(narrow(&create(&parts, ICU_ESCAPE).unwrap()), "http:///%C3%BC%01%7F");
}

fn escaped(name: &str, flags: u32) -> String {
    String::from_utf8(escape_object_name(&wide(name), flags)).unwrap()
}

#[test]
fn object_names_by_mode() {
    assert_eq!(escaped("", 0), "/");
    assert_eq!(escaped("a", 0), "/a");
    assert_eq!(escaped("?a", 0), "/?a");
    assert_eq!(escaped("/\r\n\u{1f}\u{7f}< ", 0), "/%0D%0A%1F%7F%3C%20");
    assert_eq!(escaped("/\u{80}", 0), "/%C2%80");
    let all = "/%20!%22%23$%&'()*+,-./:;%3C=%3E?@%5B%5C%5D%5E_%60%7B%7C%7D~";
    assert_eq!(escaped(&format!("/{PUNCTUATION}"), 0), all);
    assert_eq!(escaped("/%41%", 0), "/%41%");
    assert_eq!(escaped("/%41%?%", ESCAPE_PERCENT), "/%2541%25?%25");
    assert_eq!(escaped("/<\" \r\n\u{7f}你", ESCAPE_DISABLE), "/<\"%20\u{7f}%E4%BD%A0");
    assert_eq!(escaped("/%", ESCAPE_DISABLE | ESCAPE_PERCENT), "/%");
    assert_eq!(escaped("/<\n?<\n ?", ESCAPE_DISABLE_QUERY), "/%3C%0A?<%20?");
}

fn resolve(location: &str) -> Result<String> {
    resolve_location(&wide("http://a/b/c/d;p?q"), &wide(location)).map(|url| narrow(&url))
}

#[test]
fn references_of_rfc_3986() {
    for (location, url) in [
        ("g", "http://a/b/c/g"),
        ("./g", "http://a/b/c/g"),
        ("g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"),
        ("//g/", "http://g/"),
        ("?y", "http://a/b/c/d;p?y"),
        ("g?y", "http://a/b/c/g?y"),
        ("#s", "http://a/b/c/d;p?q"),
        ("g#s", "http://a/b/c/g"),
        ("g?y#s", "http://a/b/c/g?y"),
        (";x", "http://a/b/c/;x"),
        ("", "http://a/b/c/d;p?q"),
        (".", "http://a/b/c/"),
        ("..", "http://a/b/"),
        ("../g", "http://a/b/g"),
        ("../../../g", "http://a/g"),
        ("/../g", "http://a/g"),
        ("g.", "http://a/b/c/g."),
        ("..g", "http://a/b/c/..g"),
        ("g;x=1/../y", "http://a/b/c/y"),
        ("g?y/../x", "http://a/b/c/g?y/../x"),
        ("https://x:1/y#z", "https://x:1/y"),
        (" g\t", "http://a/b/c/g"),
    ] {
        assert_eq!(resolve(location), Ok(url.to_owned()), "{location}");
    }
}

#[test]
fn references_that_lead_nowhere() {
    for location in ["ftp://a/", "mailto:x", "javascript:alert(1)", "g:h"] {
        assert_eq!(resolve(location), Err(Error::WINHTTP_UNRECOGNIZED_SCHEME), "{location}");
    }
    for location in ["http:g", "http://", "//", "http://a:x/"] {
        assert_eq!(resolve(location), Err(Error::WINHTTP_INVALID_URL), "{location}");
    }
    let from_root = resolve_location(&wide("http://a?q"), &wide("b"));
    assert_eq!(from_root.map(|url| narrow(&url)), Ok("http://a/b".into()));
}

proptest! {
    #[test]
    fn what_is_created_cracks_into_its_parts(
        user in "[a-z]{1,4}", password in "[a-z:]{0,4}", host in "[a-z.]{1,8}", port in any::<u16>(),
        path in "(/[a-z;%]{0,4}){0,3}", extra in "(\\?[a-z/@:#]{0,6})?", secure in any::<bool>(),
    ) {
        let [path, extra, user, password, host] = [path, extra, user, password, host].map(|text| wide(&text));
        let scheme_id = if secure { SCHEME_HTTPS } else { SCHEME_HTTP };
        let parts = Components { port, scheme_id, ..example(&path, &extra, &user, &password, &host) };
        let url = create(&parts, 0).unwrap();
        let cracked = crack(&url, 0).unwrap();
        prop_assert_eq!(&url[cracked.user.unwrap()], &user[..]);
        prop_assert_eq!(&url[cracked.password.unwrap()], &password[..]);
        prop_assert_eq!(&url[cracked.host], &host[..]);
        prop_assert_eq!((cracked.port, cracked.scheme_id), (port, scheme_id));
        prop_assert_eq!(&url[cracked.path], &path[..]);
        prop_assert_eq!(&url[cracked.extra], &extra[..]);
    }

    #[test]
    fn what_is_taken_apart_goes_together_again(
        secure in any::<bool>(), user in "([a-z%]{0,3}(:[a-z:%]{0,3})?@)?", host in "[a-z.]{1,8}|\\[[0-9a-f:]{2,8}\\]",
        port in prop::option::of(1u16..), path in "(/[a-z;%é你~]{0,4}){0,3}", extra in "([?#][a-z/?@:#é ]{0,6})?",
    ) {
        let scheme = if secure { "https" } else { "http" };
        let standard = if secure { 443 } else { 80 };
        let shown = port.filter(|port| *port != standard).map_or(String::new(), |port| format!(":{port}"));
        let url = wide(&format!("{scheme}://{user}{host}{shown}{path}{extra}"));
        let cracked = crack(&url, 0).unwrap();
        let part = |range: &std::ops::Range<usize>| &cracked.text[range.clone()];
        let parts = Components {
            scheme: Some(part(&cracked.scheme)),
            scheme_id: 0,
            user: cracked.user.as_ref().map(part),
            password: cracked.password.as_ref().map(part),
            host: Some(part(&cracked.host)),
            port: cracked.port,
            path: Some(part(&cracked.path)),
            extra: Some(part(&cracked.extra)),
        };
        prop_assert_eq!(narrow(&create(&parts, 0).unwrap()), narrow(&url));
    }

    #[test]
    fn what_is_escaped_decodes_to_the_same(path in "(/[ -~]{0,8}){1,3}") {
        // Decoding comes before the URL is taken apart, so that what would end the path has to stay out of it.
        let path: String = path.chars().filter(|c| !matches!(c, '?' | '#')).collect();
        let units = wide(&path);
        let host = wide("h");
        let parts = Components { host: Some(&host), port: 80, path: Some(&units), ..Components::default() };
        let url = create(&parts, ICU_ESCAPE).unwrap();
        prop_assert!(url.iter().all(|unit| (0x21..0x7F).contains(unit)));
        let cracked = crack(&url, ICU_DECODE).unwrap();
        prop_assert_eq!(narrow(&cracked.text[cracked.path.clone()]), path);
    }

    #[test]
    fn any_text_is_cracked_or_refused(text in prop::collection::vec(any::<u16>(), 0..30), flags in any::<u32>()) {
        let url = [wide("http://"), text].concat();
        if let Ok(parts) = crack(&url, flags) {
            prop_assert_eq!(parts.extra.end, parts.text.len());
        }
        let name = escape_object_name(&url, flags);
        prop_assert!(!name.iter().any(|byte| matches!(byte, b' ' | b'\r' | b'\n' | 0x80..)));
        let _ = resolve_location(&wide("http://a/b"), &url[7..]);
    }
}

use std::sync::Arc;

use super::*;
use crate::client::Plan;
use crate::client::notify::Notifier;
use crate::client::proxy::Proxy;
use crate::client::session::{Connect, Session};
use crate::wire::response::ResponseLimits;

fn base() -> Url {
    Url { secure: false, host: "a".into(), port: 80, target: "/b/c/d;p?q".into() }
}

#[test]
fn references_resolve_as_in_rfc_3986() {
    for (reference, target) in [
        ("g", "/b/c/g"),
        ("./g", "/b/c/g"),
        ("g/", "/b/c/g/"),
        ("/g", "/g"),
        ("?y", "/b/c/d;p?y"),
        ("g?y", "/b/c/g?y"),
        ("#s", "/b/c/d;p?q"),
        ("g#s", "/b/c/g"),
        (";x", "/b/c/;x"),
        ("", "/b/c/d;p?q"),
        (".", "/b/c/"),
        ("..", "/b/"),
        ("../g", "/b/g"),
        ("../../../g", "/g"),
        ("/./g", "/g"),
        ("g/../h", "/b/c/h"),
        ("a b\"", "/b/c/a%20b%22"),
        ("%41", "/b/c/%41"),
    ] {
        assert_eq!(target_of(&base(), reference.as_bytes(), false).unwrap().target, target, "{reference}");
    }
}

#[test]
fn absolute_locations_name_another_server() {
    let to = |location: &str| target_of(&base(), location.as_bytes(), false).map(|url| url.text());
    assert_eq!(to("http://h"), Ok("http://h/".into()));
    assert_eq!(to("HTTP://user@h:81/x y?z"), Ok("http://h:81/x%20y?z".into()));
    assert_eq!(to("https://[::1]:443/"), Ok("https://[::1]/".into()));
    assert_eq!(to("//h/x"), Ok("http://h/x".into()));
    assert_eq!(to("http://h?q"), Ok("http://h/?q".into()));
    for bad in ["ftp://h/", "http:/h", "http://", "http://h:x/", "http://h:65536/", "mailto:me"] {
        assert_eq!(to(bad), Err(Error::WINHTTP_REDIRECT_FAILED), "{bad}");
    }
    assert_eq!(target_of(&base(), b"http://u@h/", true), Err(Error::WINHTTP_INVALID_URL));
}

/// A request to https://a/b that has had this answer.
fn answered(head: &str) -> Request {
    let session = Session::new(false, Notifier::new(|_, _| {}), Arc::from(&b""[..]), Proxy::default());
    let connect = Connect::new(Arc::new(session), "a".into(), 443);
    let url = Url { secure: true, host: "a".into(), port: 443, target: "/b".into() };
    let request = Request::new(Arc::new(connect), Plan::new("GET".into(), url));
    request.core.lock().response.parse(head.as_bytes(), &ResponseLimits::default()).unwrap();
    request
}

#[test]
fn https_does_not_lead_to_http_unless_that_is_allowed() {
    const DOWN: &str = "HTTP/1.1 302 Found\r\nLocation: http://a/b\r\n\r\n";
    let mut exchange = Exchange::default();
    let request = answered(DOWN);
    assert_eq!(request.decide_redirect(&exchange), Ok(Decision::Follow));
    let refused = request.follow_redirect(&mut exchange, Patience::Wait);
    assert_eq!(refused, Err(Error::WINHTTP_REDIRECT_FAILED));
    assert!(request.with_plan(|plan| plan.url.secure), "the request has stayed where it was");
    request.with_settings(|settings| settings.redirect_policy = RedirectPolicy::Always);
    assert_eq!(request.follow_redirect(&mut exchange, Patience::Wait), Ok(()));
    assert!(!request.with_plan(|plan| plan.url.secure));
    assert!(!request.with_plan(|plan| plan.is_at_first_server()), "and no credentials go along");
    let up = answered("HTTP/1.1 302 Found\r\nLocation: /c\r\n\r\n");
    assert_eq!(up.follow_redirect(&mut exchange, Patience::Wait), Ok(()));
    assert!(up.with_plan(|plan| plan.is_at_first_server() && plan.url.text() == "https://a/c"));
}

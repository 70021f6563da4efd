//! Digest against the examples of RFC 7616 §3.9, RFC 2617 §3.5 and its form without qop, Basic against RFC 7617.

use zeroize::Zeroizing;

use super::credentials::{Credentials, Login, Scheme, Target};
use super::digest::{Nonce, basic};
use super::handshake::Server;
use super::nonces::Nonces;
use crate::client::Url;
use crate::wire::challenge::challenges;

fn login(user: &str, password: &str) -> Login {
    Login { user: Some(Zeroizing::new(user.into())), password: Zeroizing::new(password.into()) }
}

/// The first challenge of a field.
fn nonce(field: &str, own: &str) -> Option<Nonce> {
    Nonce::read(&challenges(field.as_bytes())[0], own.into())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const EXAMPLE: &str = "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=ALG, \
    nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";

fn answer(algorithm: &str) -> String {
    let own = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    let mut nonce = nonce(&EXAMPLE.replace("ALG", algorithm), own).unwrap();
    text(&nonce.answer(&login("Mufasa", "Circle of Life"), "GET", "/dir/index.html"))
}

#[test]
fn the_examples_of_rfc_7616() {
    assert_eq!(
        answer("MD5"),
        "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", \
         nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", uri=\"/dir/index.html\", algorithm=MD5, qop=auth, \
         nc=00000001, cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", \
         response=\"8ca523f5e9506fed4657c9700eebdbec\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
    );
    let sha = answer("SHA-256");
    assert!(
        sha.contains("response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\""),
        "{sha}"
    );
}

#[test]
fn the_example_with_a_hashed_user() {
    let field = "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, \
        nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", \
        opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", charset=UTF-8, userhash=true";
    let mut nonce = nonce(field, "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v").unwrap();
    let answer = text(&nonce.answer(&login("Jäsøn Doe", "Secret, or not?"), "GET", "/doe.json"));
    let user = "username=\"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b\"";
    // Erratum 4897: the RFC's own numbers are those of SHA-512 cut short.
    let proof = "response=\"3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5\"";
    assert!(answer.contains(user) && answer.contains(proof) && answer.ends_with("userhash=true"), "{answer}");
}

#[test]
fn the_examples_of_the_older_rfcs() {
    let field = "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"";
    let mufasa = login("Mufasa", "Circle Of Life");
    let mut counted = nonce(&format!("{field}, qop=\"auth,auth-int\""), "0a4f113b").unwrap();
    let answer = text(&counted.answer(&mufasa, "GET", "/dir/index.html"));
    assert!(answer.contains("response=\"6629fae49393a05397450978507c4ef1\""), "{answer}");
    assert!(!answer.contains("algorithm"), "what the server does not name is not named");
    let mut plain = nonce(field, "0a4f113b").unwrap();
    let answer = text(&plain.answer(&mufasa, "GET", "/dir/index.html"));
    assert!(answer.contains("response=\"670fd8c2df070c60b045671b8b24ff02\""), "{answer}");
    assert!(!answer.contains("cnonce") && !answer.contains("nc="), "{answer}");
}

#[test]
fn a_session_key_stays_while_counts_go_on() {
    let field = "Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess, qop=auth";
    let mut nonce = nonce(field, "c").unwrap();
    let first = text(&nonce.answer(&login("u", "p"), "GET", "/"));
    let second = text(&nonce.answer(&login("u", "p"), "GET", "/"));
    assert!(first.contains("nc=00000001") && second.contains("nc=00000002"));
    assert!(first.contains("cnonce=\"c\"") && second.contains("cnonce=\"c\""));
    // H(H(H(u:r:p):n:c):n:00000001:c:auth:H(GET:/)), by md5sum.
    assert!(first.contains("response=\"6e4aac8b22e97762f88ccd0d5ccf5b1d\""), "{first}");
}

#[test]
fn what_cannot_be_answered() {
    for field in [
        "Digest nonce=n",
        "Digest realm=r",
        "Digest realm=r, nonce=n, algorithm=SHA-1",
        "Digest realm=r, nonce=n, qop=auth-int",
        "Digest realm=\"r\x01\", nonce=n",
    ] {
        assert!(nonce(field, "c").is_none(), "{field}");
    }
    let mut quoted = nonce("Digest realm=\"a \\\"b\\\"\", nonce=n", "c").unwrap();
    let answer = text(&quoted.answer(&login("a\"b\\", ""), "GET", "/"));
    assert!(answer.starts_with("Digest username=\"a\\\"b\\\\\", realm=\"a \\\"b\\\"\""), "{answer}");
    let mut wide = nonce("Digest realm=r, nonce=n, charset=utf-8", "c").unwrap();
    assert!(
        text(&wide.answer(&login("Jäs Doe", ""), "GET", "/"))
            .starts_with("Digest username*=UTF-8''J%C3%A4s%20Doe,")
    );
}

#[test]
fn the_examples_of_rfc_7617() {
    assert_eq!(text(&basic(&login("Aladdin", "open sesame"))), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_eq!(text(&basic(&login("test", "123£"))), "Basic dGVzdDoxMjPCow==");
}

#[test]
fn set_credentials_go_before_the_options() {
    let url = Url { secure: false, host: "Host".into(), port: 80, target: "/".into() };
    let server = Server::of(&url);
    let mut known = Credentials::default();
    let user = |login: Option<&Login>| login.and_then(|login| login.user.as_deref().cloned());
    assert_eq!(user(known.login(Target::Server, Scheme::Basic)), None);
    *known.named(Target::Server) = login("option", "");
    assert_eq!(user(known.login(Target::Server, Scheme::Digest)).as_deref(), Some("option"));
    assert_eq!(user(known.login(Target::Proxy, Scheme::Digest)), None);
    assert_eq!(user(known.basic_unasked(Target::Server, &server)), None, "nobody has asked");
    known.note_basic(Target::Server, &server);
    assert_eq!(user(known.basic_unasked(Target::Server, &server)).as_deref(), Some("option"));
    assert_eq!(user(known.basic_unasked(Target::Server, &Server::proxy("other", 80))), None);
    known.set(Target::Server, Scheme::Basic, login("old", ""));
    known.set(Target::Server, Scheme::Basic, login("hidden", ""));
    assert_eq!(user(known.login(Target::Server, Scheme::Basic)).as_deref(), Some("hidden"));
    assert_eq!(user(known.login(Target::Server, Scheme::Digest)).as_deref(), Some("option"));
    assert!(!format!("{known:?}").contains("hidden"));
}

#[test]
fn a_session_remembers_the_last_challenges_of_some_servers() {
    let nonces = Nonces::default();
    let server = |n: usize| Server::proxy(&format!("h{n}"), 80);
    let keep = |n: usize, text: &str| {
        nonces.keep(
            Target::Server,
            &server(n),
            nonce(&format!("Digest realm=r, nonce={text}, qop=auth"), "c").unwrap(),
        );
    };
    let says = |n: usize, target: Target| {
        let answer = nonces.answer(target, &server(n), &login("u", "p"), "GET", "/");
        answer.map(|answer| text(&answer))
    };
    keep(0, "first");
    assert!(says(0, Target::Server).unwrap().contains("nc=00000001"));
    assert!(says(0, Target::Server).unwrap().contains("nc=00000002"));
    assert_eq!(says(0, Target::Proxy), None);
    keep(0, "second");
    let answer = says(0, Target::Server).unwrap();
    assert!(answer.contains("nonce=\"second\"") && answer.contains("nc=00000001"));
    for n in 1..70 {
        keep(n, "x");
    }
    assert_eq!(says(0, Target::Server), None);
    assert!(says(69, Target::Server).is_some());
}

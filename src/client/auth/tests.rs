//! Digest against the examples of RFC 7616 §3.9, RFC 2617 §3.5 and its form without qop, Basic against RFC 7617.

use zeroize::Zeroizing;

use super::credentials::{Credentials, Login, Scheme, Target};
use super::digest::{Nonce, basic};
use super::nonces::{Asked, NonceId, Nonces};
use super::space::{Server, Space};
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

/// The next answer to a challenge, by a request without a body.
fn say(nonce: &mut Nonce, login: &Login, method: &str, uri: &str) -> String {
    nonce.count_one();
    text(&nonce.answer(login, method, uri, b""))
}

const EXAMPLE: &str = "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=ALG, \
    nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";

fn answer(algorithm: &str) -> String {
    let own = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    let mut nonce = nonce(&EXAMPLE.replace("ALG", algorithm), own).unwrap();
    say(&mut nonce, &login("Mufasa", "Circle of Life"), "GET", "/dir/index.html")
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
    let answer = say(&mut nonce, &login("Jäsøn Doe", "Secret, or not?"), "GET", "/doe.json");
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
    let answer = say(&mut counted, &mufasa, "GET", "/dir/index.html");
    assert!(answer.contains("response=\"6629fae49393a05397450978507c4ef1\""), "{answer}");
    assert!(!answer.contains("algorithm"), "what the server does not name is not named");
    let mut plain = nonce(field, "0a4f113b").unwrap();
    let answer = say(&mut plain, &mufasa, "GET", "/dir/index.html");
    assert!(answer.contains("response=\"670fd8c2df070c60b045671b8b24ff02\""), "{answer}");
    assert!(!answer.contains("cnonce") && !answer.contains("nc="), "{answer}");
}

#[test]
fn a_session_key_stays_while_counts_go_on() {
    let field = "Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess, qop=auth";
    let mut nonce = nonce(field, "c").unwrap();
    let first = say(&mut nonce, &login("u", "p"), "GET", "/");
    let second = say(&mut nonce, &login("u", "p"), "GET", "/");
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
        "Digest realm=r, nonce=n, qop=other",
        "Digest realm=\"r\x01\", nonce=n",
    ] {
        assert!(nonce(field, "c").is_none(), "{field}");
    }
    let long = format!("Digest realm=r, nonce={}", "n".repeat(5000));
    assert!(nonce(&long, "c").is_none());
    let mut quoted = nonce("Digest realm=\"a \\\"b\\\"\", nonce=n", "c").unwrap();
    let answer = say(&mut quoted, &login("a\"b\\", ""), "GET", "/");
    assert!(answer.starts_with("Digest username=\"a\\\"b\\\\\", realm=\"a \\\"b\\\"\""), "{answer}");
    let mut wide = nonce("Digest realm=r, nonce=n, charset=utf-8", "c").unwrap();
    assert!(
        say(&mut wide, &login("Jäs Doe", ""), "GET", "/")
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

/// Numbers by Python's hashlib, from the formulas of RFC 7616 §3.4.
#[test]
fn all_algorithms_and_protections() {
    let long = "b".repeat(1000);
    for (algorithm, qop, body, proof) in [
        ("MD5", "auth-int", "body", "c3c60ff5adf3d694ec8c9de6f2ab6a73"),
        ("MD5", "auth-int", "", "6fe89387290fa95f2a2c358e2d1292fe"),
        ("MD5-sess", "auth-int", &*long, "d9ef1b6fe8c5f76a3fe4cd98adce54b8"),
        ("SHA-256", "auth-int", "body", "34e971a5957d638d3a94d64e934f26a7bb8b77b95d40e58fd77b56ca1cc63bfd"),
        ("sha-256-SESS", "auth", "body", "af8569b1e243a8a4f17ff597763da7a17af3e1d9095892b986329bab1d61a231"),
        ("SHA-512-256", "auth", "", "2a50622cd9d660e29e3537fd177e47b586fa1f8e389ee717eca7f58c7a70d77b"),
        (
            "SHA-512-256-sess",
            "auth-int",
            "body",
            "f07e103d366cc9791f5cb82a74608efccd25741ee6dc78ca05cf98b9517dad5a",
        ),
    ] {
        let field = format!("Digest realm=r, nonce=n, algorithm={algorithm}, qop={qop}");
        let mut nonce = nonce(&field, "c").unwrap();
        assert_eq!(nonce.signs_body(), qop == "auth-int");
        nonce.count_one();
        let answer = text(&nonce.answer(&login("u", "p"), "PUT", "/x", body.as_bytes()));
        assert!(answer.contains(&format!("response=\"{proof}\"")), "{algorithm} {qop}: {answer}");
        assert!(answer.contains(&format!("algorithm={algorithm}, qop={qop}, nc=00000001")), "{answer}");
    }
    for qop in ["\"auth-int,auth\"", "\"AUTH , auth-int\"", "\"x,auth,auth-int\""] {
        let field = format!("Digest realm=r, nonce=n, qop={qop}");
        assert!(!nonce(&field, "c").unwrap().signs_body(), "{field}");
    }
}

#[test]
fn the_next_nonce_counts_anew() {
    let user = login("u", "p");
    let mut one = nonce("Digest realm=r, nonce=n, qop=auth", "c").unwrap();
    let first = say(&mut one, &user, "GET", "/");
    for no in ["", "n", "a\r\nX: y", &"n".repeat(5000)] {
        one.renew(no.as_bytes());
    }
    let second = say(&mut one, &user, "GET", "/");
    assert!(second.contains("nonce=\"n\"") && second.contains("nc=00000002"), "{second}");
    one.renew(b"m");
    let third = say(&mut one, &user, "GET", "/");
    assert!(third.contains("nonce=\"m\"") && third.contains("nc=00000001") && first != third, "{third}");
    let mut other = nonce("Digest realm=r, nonce=m, qop=auth", "c").unwrap();
    assert_eq!(third, say(&mut other, &user, "GET", "/"), "as if it had been the challenge's");
    // The key of a session stays what it was.
    let mut session = nonce("Digest realm=r, nonce=n, qop=auth, algorithm=MD5-sess", "c").unwrap();
    session.renew(b"m");
    session.renew(b"k");
    let answer = say(&mut session, &user, "GET", "/");
    assert!(answer.contains("response=\"8e6e644d0696182d4bc4076d4644c1ad\""), "{answer}");
}

fn asked<'a>(server: &'a Server, path: &'a str, body: Option<&'a [u8]>) -> Asked<'a> {
    Asked { target: Target::Server, server, verb: "GET", uri: path, path, body }
}

#[test]
fn a_session_remembers_the_last_challenges_of_some_servers() {
    let nonces = Nonces::default();
    let server = |n: usize| Server::proxy(&format!("h{n}"), 80);
    let keep = |n: usize, realm: &str, text: &str| {
        let challenge = format!("Digest realm={realm}, nonce={text}, qop=auth");
        nonces.keep(Target::Server, &server(n), Space::Whole, nonce(&challenge, "c").unwrap())
    };
    let answer = |asked: &Asked<'_>, named: Option<NonceId>| {
        let answer = nonces.answer(asked, named, &login("u", "p"));
        answer.map(|(_, answer)| text(&answer))
    };
    let says = |n: usize| answer(&asked(&server(n), "/", None), None);
    let first = keep(0, "r", "first");
    assert!(says(0).unwrap().contains("nc=00000001"));
    assert!(says(0).unwrap().contains("nc=00000002"));
    assert_eq!(answer(&Asked { target: Target::Proxy, ..asked(&server(0), "/", None) }, None), None);
    keep(0, "r", "second");
    assert!(says(0).is_some_and(|says| says.contains("nonce=\"second\"") && says.contains("nc=00000001")));
    nonces.renew(first, b"late");
    assert!(
        says(0).is_some_and(|says| says.contains("nonce=\"second\"")),
        "the challenge is not known any more"
    );
    let other = keep(0, "other", "third");
    assert!(says(0).is_some_and(|says| says.contains("nonce=\"third\"")));
    keep(0, "r", "fourth");
    let named = answer(&asked(&server(0), "/", None), Some(other)).unwrap();
    assert!(named.contains("nonce=\"third\"") && named.contains("nc=00000002"), "{named}");
    let elsewhere = answer(&asked(&server(1), "/", None), Some(other));
    assert_eq!(elsewhere, None, "a challenge is answered to who made it");
    for n in 1..64 {
        keep(n, "r", "x");
    }
    for realm in 0..100 {
        keep(63, &realm.to_string(), "x");
    }
    assert!(says(62).is_some() && says(5).is_some(), "one server does not displace all others");
    assert_eq!(says(0), None);
    for n in 64..200 {
        keep(n, "r", "x");
    }
    assert_eq!(says(62), None);
    assert!(says(199).is_some());
}

#[test]
fn what_is_answered_unasked() {
    let nonces = Nonces::default();
    let server = Server::of(&Url { secure: false, host: "h".into(), port: 80, target: "/".into() });
    let keep = |text: &str, domain: &str, qop: &str| {
        let challenge = format!("Digest realm={text}, nonce={text}, qop={qop}");
        let space = Space::read(Some(domain.as_bytes()), &server);
        nonces.keep(Target::Server, &server, space, nonce(&challenge, "c").unwrap())
    };
    let says = |path: &str, body: Option<&[u8]>| {
        let answer = nonces.answer(&asked(&server, path, body), None, &login("u", "p"));
        answer.map_or("nothing".to_owned(), |(_, answer)| text(&answer))
    };
    let deep = keep("deep", "/a/b", "auth");
    keep("high", "/a http://h/c", "auth");
    keep("body", "/d", "auth-int");
    assert!(says("/a/b/c", None).contains("nonce=\"deep\""));
    assert!(says("/a/x", None).contains("nonce=\"high\""));
    assert!(says("/c", None).contains("nonce=\"high\""));
    assert_eq!(says("/", None), "nothing");
    assert_eq!(says("/d", None), "nothing");
    assert!(says("/d", Some(b"x")).contains("qop=auth-int"));
    // Asked for it, it is answered anywhere.
    let named = nonces.answer(&asked(&server, "/", None), Some(deep), &login("u", "p"));
    assert!(named.is_some_and(|(id, _)| id == deep));
}

//! The guard and what it adds to responses, with requests as they come.

use super::*;
use crate::server::service::{AuthStatus, ResponseField, ResponseHead};

fn settings(schemes: u32) -> Authentication {
    let realm = || Some("r".to_owned());
    Authentication { schemes, digest_realm: realm(), basic_realm: realm(), ..Authentication::default() }
}

/// A guard with a file of its own, which is gone when this returns: its first reading holds for a second.
fn guard(schemes: u32, name: &str) -> Guard {
    let path = std::env::temp_dir().join(format!("nthttp-guard-{}-{name}", std::process::id()));
    let line = format!("ann:r:{}\n", ha1(false, b"ann", b"r", b"secret"));
    std::fs::write(&path, line).unwrap();
    let file = Arc::new(PasswordFile::open(&path).unwrap());
    file.content(clock::now_ms());
    std::fs::remove_file(&path).unwrap();
    let source = Source { settings: CredentialSource::default(), file: Some(file) };
    Guard::of(Some(&settings(schemes)), Some(&source)).unwrap()
}

fn request(target: &str, fields: &str) -> RequestHead {
    let mut head = RequestHead::new();
    let text = format!("GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    head.parse(text.as_bytes(), &Default::default()).unwrap();
    head
}

fn examine(guard: &Guard, authorization: &str) -> Identity {
    match guard.examine(&request("/x?y", &format!("Authorization: {authorization}\r\n"))) {
        Examined::Known(identity) => identity,
        Examined::Slow(_) => panic!("slow"),
        Examined::Malformed => panic!("malformed"),
    }
}

fn digest_field(nonce: &str, count: u32, password: &str, uri: &str) -> String {
    let ha1 = ha1(false, b"ann", b"r", password.as_bytes());
    let ha2 = digest::hash(false, format!("GET:{uri}").as_bytes());
    let response = digest::hash(false, format!("{ha1}:{nonce}:{count:08x}:c:auth:{ha2}").as_bytes());
    format!(
        "Digest username=\"ann\", realm=\"r\", nonce=\"{nonce}\", uri=\"{uri}\", qop=auth, nc={count:08x}, \
         cnonce=\"c\", response=\"{response}\""
    )
}

#[test]
fn what_is_no_business_of_the_guards_is_not_authenticated() {
    let guard = guard(BASIC | NTLM | NEGOTIATE, "business");
    assert!(matches!(guard.examine(&request("/", "")), Examined::Known(it) if it == Identity::default()));
    for other in ["NTLM TlRMTVNTUAAB", "Negotiate YII=", "Digest nonsense", "Bearer x", ""] {
        assert_eq!(examine(&guard, other), Identity::default(), "{other}");
    }
}

#[test]
fn malformed_and_doubled_fields_are_refused() {
    let guard = guard(BASIC | DIGEST, "malformed");
    for bad in ["Basic", "Basic !", "Digest nonsense"] {
        let head = request("/", &format!("Authorization: {bad}\r\n"));
        assert!(matches!(guard.examine(&head), Examined::Malformed), "{bad}");
    }
    let two = "Authorization: Basic YTpi\r\nAuthorization: Basic YTpj\r\n";
    assert!(matches!(guard.examine(&request("/", two)), Examined::Malformed));
    let elsewhere = digest_field(&nonce::make(clock::now_ms()), 1, "secret", "/other");
    let head = request("/x?y", &format!("Authorization: {elsewhere}\r\n"));
    assert!(matches!(guard.examine(&head), Examined::Malformed));
}

#[test]
fn a_proof_for_the_path_holds_for_the_absolute_form() {
    let head = request("http://a/x?y", "");
    for (uri, right) in [("http://a/x?y", true), ("/x?y", true), ("/x", false), ("/x?", false), ("", false)] {
        assert_eq!(is_target(uri.as_bytes(), &head), right, "{uri}");
    }
}

#[test]
fn a_proof_is_good_once() {
    let guard = guard(DIGEST, "proof");
    let nonce = nonce::make(clock::now_ms());
    let right = examine(&guard, &digest_field(&nonce, 1, "secret", "/x?y"));
    assert_eq!(
        (right.status, &right.user[..], right.scheme),
        (AuthStatus::Success, "ann", Some(AuthScheme::Digest))
    );
    assert!(right.mutual.unwrap().starts_with("rspauth="));
    let again = examine(&guard, &digest_field(&nonce, 1, "secret", "/x?y"));
    assert_eq!((again.status, again.reason), (AuthStatus::Failure, OUT_OF_SEQUENCE));
    let wrong = examine(&guard, &digest_field(&nonce, 2, "Secret", "/x?y"));
    assert_eq!((wrong.status, wrong.reason), (AuthStatus::Failure, LOGON_DENIED));
    // A wrong proof uses no count up.
    let right = examine(&guard, &digest_field(&nonce, 2, "secret", "/x?y"));
    assert_eq!(right.status, AuthStatus::Success);
}

#[test]
fn weaker_proofs_than_offered_are_denied() {
    let guard = guard(DIGEST, "weaker");
    let nonce = nonce::make(clock::now_ms());
    let good = digest_field(&nonce, 1, "secret", "/x?y");
    for (from, to) in [
        ("qop=auth, nc=00000001, cnonce=\"c\", ", ""),
        ("qop=auth", "qop=auth-int"),
        ("realm=\"r\"", "realm=\"s\""),
        ("qop=auth", "qop=auth, algorithm=SHA-256"),
        ("qop=auth", "qop=auth, algorithm=MD5-sess"),
        ("username=\"ann\"", "username=\"bob\""),
    ] {
        let denied = examine(&guard, &good.replace(from, to));
        assert_eq!((denied.status, denied.reason), (AuthStatus::Failure, LOGON_DENIED), "{to}");
    }
}

#[test]
fn nonces_that_are_not_ours_or_too_old_are_stale() {
    let mut guard = guard(DIGEST, "stale");
    guard.nonce_ms = 5;
    let old = nonce::make(clock::now_ms().saturating_sub(6));
    for nonce in [&old[..], "dcd98b7102dd2f0e8b11d0f600bfb0c093"] {
        let stale = examine(&guard, &digest_field(nonce, 1, "secret", "/x?y"));
        assert!(stale.stale && stale.status == AuthStatus::NotAuthenticated);
    }
}

#[test]
fn a_password_is_slow_once() {
    let guard = guard(BASIC, "slow");
    let head = request("/", "Authorization: Basic YW5uOnNlY3JldA==\r\n");
    let Examined::Slow(password) = guard.examine(&head) else { panic!("known") };
    assert_eq!(password.judge().user, "ann");
    assert!(matches!(guard.examine(&head), Examined::Known(it) if it.status == AuthStatus::Success));
    let wrong = request("/", "Authorization: Basic YW5uOlNlY3JldA==\r\n");
    let Examined::Slow(password) = guard.examine(&wrong) else { panic!("known") };
    assert_eq!(password.judge().reason, LOGON_DENIED);
    assert!(matches!(guard.examine(&wrong), Examined::Slow(_)));
    let domain = request("/", "Authorization: Basic RE9NXGFubjpzZWNyZXQ=\r\n");
    let Examined::Slow(password) = guard.examine(&domain) else { panic!("known") };
    assert_eq!(password.judge().status, AuthStatus::Success);
}

#[test]
fn there_must_be_somewhere_to_look() {
    let guard = Guard { file: None, ..guard(BASIC | DIGEST, "nowhere") };
    assert_eq!(examine(&guard, "Basic YTpi").reason, NO_AUTHORITY);
    let field = digest_field(&nonce::make(clock::now_ms()), 1, "secret", "/x?y");
    assert_eq!(examine(&guard, &field).reason, NO_AUTHORITY);
}

#[test]
fn a_function_of_the_program_gets_the_claim() {
    let guard = Guard { verifier: Some(7), ..guard(BASIC | DIGEST, "claim") };
    let claim = examine(&guard, "Basic YTpi").claim.unwrap();
    assert_eq!((claim.verifier, &claim.user[..], &claim.realm[..]), (7, &b"a"[..], &b"r"[..]));
    assert!(claim.evidence == Evidence::Password(b"b".to_vec()));
    assert!(!format!("{claim:?}").contains("98"), "{claim:?}");
    let field = digest_field(&nonce::make(clock::now_ms()), 1, "secret", "/x?y");
    let claim = examine(&guard, &field).claim.unwrap();
    let Evidence::Proof(proof) = &claim.evidence else { panic!("{claim:?}") };
    assert!(proof.check(&ha1(false, b"ann", b"r", b"secret")).is_some());
}

fn unauthorized(challenges: &[&str]) -> ResponseHead {
    let mut head = ResponseHead { status: 401, ..ResponseHead::default() };
    for challenge in challenges {
        let value = (head.text.len() as u32, challenge.len() as u32);
        head.text.extend_from_slice(challenge.as_bytes());
        head.fields.push(ResponseField { id: 29, name: (0, 0), value });
    }
    head
}

fn challenges(head: &ResponseHead) -> Vec<String> {
    let value = |(start, len): (u32, u32)| &head.text[start as usize..(start + len) as usize];
    head.fields.iter().map(|field| String::from_utf8(value(field.value).to_vec()).unwrap()).collect()
}

#[test]
fn names_of_schemes_become_challenges() {
    let mut guard = guard(BASIC | DIGEST | NEGOTIATE | NTLM, "names");
    guard.basic_realm = "a \"b\" \\".to_owned();
    guard.digest_domain = Some("/x".to_owned());
    guard.offered = 3;
    let named = unauthorized(&["Negotiate", "NTLM", "digest", "Basic", "Kerberos", "Basic realm=\"mine\""]);
    let made = challenges(&dress(&named, Some(&guard), None, clock::now_ms()).unwrap());
    assert_eq!(made.len(), 5);
    assert!(
        made[0].starts_with("Digest realm=\"r\", domain=\"/x\", nonce=\"")
            && made[0].contains("algorithm=SHA-256")
    );
    assert!(made[1].contains("qop=\"auth\", algorithm=MD5, ") && made[1].contains("charset=UTF-8"));
    assert!(!made[1].contains("stale"));
    assert_eq!(made[2..], ["Basic realm=\"a \\\"b\\\" \\\\\"", "Kerberos", "Basic realm=\"mine\""]);
    let stale = Identity { stale: true, ..Identity::default() };
    let made = challenges(&dress(&named, Some(&guard), Some(&stale), 0).unwrap());
    assert!(made[1].ends_with(", stale=true"));
    guard.schemes = NTLM;
    let made = challenges(&dress(&named, Some(&guard), None, 0).unwrap());
    assert_eq!(made, ["Negotiate", "digest", "Basic", "Kerberos", "Basic realm=\"mine\""]);
    assert!(dress(&unauthorized(&[]), Some(&guard), None, 0).is_none());
}

#[test]
fn the_right_user_learns_that_the_server_is_right_too() {
    let ok = ResponseHead { status: 200, ..ResponseHead::default() };
    let mut identity = Identity::success(AuthScheme::Digest, b"ann", Some("rspauth=\"x\"".into()));
    let made = dress(&ok, None, Some(&identity), 0).unwrap();
    assert_eq!(challenges(&made), ["rspauth=\"x\""]);
    identity.mutual_wanted = true;
    assert!(dress(&ok, None, Some(&identity), 0).is_none());
    let failed = Identity::failure(AuthScheme::Digest, LOGON_DENIED);
    assert!(dress(&ok, None, Some(&failed), 0).is_none());
}

#[test]
fn settings_that_enable_nothing_make_no_guard() {
    assert!(Guard::of(None, None).is_none());
    assert!(Guard::of(Some(&settings(0)), None).is_none());
    assert!(Guard::of(Some(&settings(NTLM)), None).is_some());
}

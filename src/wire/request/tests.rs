//! Request heads: RFC 9112 and digest examples, verdicts in their order, and properties of the parser.

use proptest::prelude::*;

use super::*;
use crate::wire::Parsed;
use crate::wire::field::id;
use crate::wire::refusal::Refusal;

pub(super) fn parse_with(input: &[u8], limits: &Limits) -> (RequestHead, Result<Parsed, Refusal>) {
    let mut head = RequestHead::new();
    let outcome = head.parse(input, limits);
    (head, outcome)
}

fn outcome(input: impl AsRef<[u8]>) -> Result<Parsed, Refusal> {
    parse_with(input.as_ref(), &Limits::default()).1
}

/// A head that must be complete and end where the input ends.
pub(super) fn head(input: impl AsRef<[u8]>) -> RequestHead {
    let (head, outcome) = parse_with(input.as_ref(), &Limits::default());
    assert_eq!(outcome, Ok(Parsed::Complete(input.as_ref().len())));
    head
}

/// The verdict on a GET with these fields and a Host.
fn with_fields(fields: &str) -> Result<Parsed, Refusal> {
    outcome(format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"))
}

/// The verdict on a request line with a Host below it.
fn with_line(line: &str) -> Result<Parsed, Refusal> {
    outcome(format!("{line}\r\nHost: a\r\n\r\n"))
}

fn target_of(target: &str) -> RequestHead {
    head(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"))
}

fn text(head: &RequestHead, span: Span) -> &str {
    std::str::from_utf8(head.text(span)).unwrap()
}

#[test]
fn the_request_of_digest_2_9() {
    let head = head("GET /foobar?a=b HTTP/1.1\r\nHost: localhost:50000\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!((head.verb, text(&head, head.verb_text)), (Verb::Get, "GET"));
    assert_eq!(text(&head, head.target), "/foobar?a=b");
    assert_eq!((text(&head, head.raw_path), text(&head, head.raw_query)), ("/foobar", "?a=b"));
    assert_eq!((head.path(), head.decoded_path.as_deref()), (&b"/foobar"[..], None));
    assert_eq!(text(&head, head.host.unwrap()), "localhost:50000");
    assert_eq!((head.version, head.framing), ((1, 1), Framing::None));
    assert!(head.keep_alive && !head.expect_continue);
    assert_eq!(head.fields.len(), 2);
    assert_eq!((head.fields[0].id, text(&head, head.fields[0].value)), (id::HOST, "localhost:50000"));
    assert_eq!(text(&head, head.fields[1].name), "Connection");
}

#[test]
fn fields_keep_order_case_and_empty_values() {
    let head = head("GET / HTTP/1.1\r\nhOST: a\r\nX-Y:\t v \t\r\nCookie:\r\nx-empty: \r\nTab: a\tb\r\n\r\n");
    let fields: Vec<_> =
        head.fields.iter().map(|field| (text(&head, field.name), text(&head, field.value))).collect();
    assert_eq!(fields, [("hOST", "a"), ("X-Y", "v"), ("Cookie", ""), ("x-empty", ""), ("Tab", "a\tb")]);
    assert_eq!(head.fields.iter().map(|field| field.id).collect::<Vec<_>>(), [28, 255, 25, 255, 255]);
}

#[test]
fn verbs_are_case_sensitive_and_unknown_ones_are_delivered() {
    for (line, verb) in
        [("GET", Verb::Get), ("get", Verb::Unknown), ("xyzzy", Verb::Unknown), ("LOCK", Verb::Lock)]
    {
        let head = head(format!("{line} / HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!((head.verb, text(&head, head.verb_text)), (verb, line));
    }
}

#[test]
fn request_line_verdicts() {
    for (line, refusal) in [
        ("foo", Refusal::BadRequest),
        ("GET", Refusal::BadRequest),
        ("GET /", Refusal::BadRequest),
        ("GET / ", Refusal::BadRequest),
        ("GET / HTTP/1.1 ", Refusal::BadRequest),
        ("GET /a b HTTP/1.1", Refusal::BadRequest),
        ("GET /  HTTP/1.1", Refusal::BadRequest),
        ("GET / http/1.1", Refusal::BadRequest),
        ("GET / HTTP/1", Refusal::BadRequest),
        ("GET / HTTP/1.10", Refusal::BadRequest),
        ("GET / HTTP/0.9", Refusal::BadRequest),
        ("GET / HTTP/2.0", Refusal::Version),
        ("GET /\x01 HTTP/2.0", Refusal::Version),
        ("G(T / HTTP/1.1", Refusal::Verb),
        ("G\tT / HTTP/1.1", Refusal::Verb),
        (" GET / HTTP/1.1", Refusal::Verb),
        ("\u{16}\u{3}\u{1}", Refusal::Verb),
        ("GET  / HTTP/1.1", Refusal::BadRequest),
        ("GET  HTTP/1.1", Refusal::Url),
        ("GET foo HTTP/1.1", Refusal::Url),
        ("GET /\x01 HTTP/1.1", Refusal::Url),
        ("GET /\x7f HTTP/1.1", Refusal::Url),
        ("GET /a?\x0b HTTP/1.1", Refusal::Url),
        ("GET /#a HTTP/1.1", Refusal::Url),
        ("GET /?a#b HTTP/1.1", Refusal::Url),
        ("GET /%00 HTTP/1.1", Refusal::Url),
        ("GET /.. HTTP/1.1", Refusal::Forbidden),
        ("GET * HTTP/1.1", Refusal::Url),
        ("CONNECT / HTTP/1.1", Refusal::Url),
        ("GET a:80 HTTP/1.1", Refusal::Url),
    ] {
        assert_eq!(with_line(line), Err(refusal), "{line:?}");
    }
}

#[test]
fn minor_versions_above_one_are_one() {
    assert_eq!(head("GET / HTTP/1.7\r\nHost: a\r\n\r\n").version, (1, 1));
    assert_eq!(head("GET / HTTP/1.0\r\n\r\n").version, (1, 0));
}

#[test]
fn forms_of_targets() {
    let head = target_of("http://Example.com:81/a%20b?c=%20");
    assert_eq!(text(&head, head.host.unwrap()), "Example.com:81");
    assert_eq!((text(&head, head.raw_path), text(&head, head.raw_query)), ("/a%20b", "?c=%20"));
    assert_eq!(head.path(), b"/a b");
    assert_eq!(text(&target_of("HTTPS://[::1]/"), target_of("HTTPS://[::1]/").host.unwrap()), "[::1]");
    for target in ["http://host", "http://host?x", "http://host#x/", "ftp://host/", "http:/host/"] {
        assert_eq!(with_line(&format!("GET {target} HTTP/1.1")), Err(Refusal::Url), "{target}");
    }
    for target in ["http:///", "http://u@h/", "http://h:0/"] {
        assert_eq!(with_line(&format!("GET {target} HTTP/1.1")), Err(Refusal::Hostname), "{target}");
    }
}

#[test]
fn asterisk_and_authority_forms() {
    let options = head("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!((options.path(), text(&options, options.raw_query)), (&b"*"[..], ""));
    let connect = head("CONNECT b:443 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!((text(&connect, connect.host.unwrap()), connect.path()), ("b:443", &b""[..]));
}

#[test]
fn queries_are_not_decoded() {
    let head = target_of("/a?b=%00/../%zz?\\");
    assert_eq!(text(&head, head.raw_query), "?b=%00/../%zz?\\");
    let head = target_of("/%41?/..");
    assert_eq!((head.path(), text(&head, head.raw_query)), (&b"/A"[..], "?/.."));
}

#[test]
fn bare_lf_and_leading_empty_lines_are_accepted() {
    let head = head("\r\n\n\r\nGET / HTTP/1.1\nHost: a\n\n");
    assert_eq!(text(&head, head.host.unwrap()), "a");
    assert_eq!(head.bytes, b"GET / HTTP/1.1\nHost: a\n\n");
    assert_eq!(outcome("\r\n\r"), Ok(Parsed::Partial));
}

#[test]
fn bare_cr_is_an_invalid_line_end() {
    for input in [
        "GET /\rx HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\rHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
        "GET / HTTP/1.1\r\nHo\rst: a\r\n\r\n",
        "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n",
    ] {
        assert_eq!(outcome(input), Err(Refusal::LineEnd), "{input:?}");
    }
}

#[test]
fn malformed_fields() {
    for fields in [
        "X : a\r\n",
        ": a\r\n",
        "X\r\n",
        "X\n",
        "X y: a\r\n",
        "X: \0\r\n",
        "X: a\x01b\r\n",
        "X: \x7f\r\n",
        "\u{e9}: a\r\n",
    ] {
        assert_eq!(with_fields(fields), Err(Refusal::Header), "{fields:?}");
    }
    assert_eq!(with_fields("X: a\r\n b\r\n"), Err(Refusal::Header), "obs-fold");
    assert_eq!(outcome("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), Err(Refusal::Header), "white space first");
    assert!(with_fields("X: \u{e9}\r\n").is_ok());
}

#[test]
fn garbage_is_answered_when_its_line_is_complete() {
    assert_eq!(outcome("foo\r\n"), Err(Refusal::BadRequest));
    assert_eq!(outcome("foo"), Ok(Parsed::Partial));
    assert_eq!(outcome("GET / HTTP/9.1\r\nHo"), Err(Refusal::Version));
    assert_eq!(outcome("\x16\x03\x01"), Err(Refusal::Verb));
    assert_eq!(outcome("GET / HTTP/1.1\r\n"), Ok(Parsed::Partial));
}

#[test]
fn what_a_refusal_leaves_for_the_log() {
    let (head, outcome) = parse_with(b"PUT /x?y HTTP/1.1\r\nX-A: 1\r\n\r\n", &Limits::default());
    assert_eq!(outcome, Err(Refusal::Hostname));
    assert_eq!(
        (head.verb, text(&head, head.verb_text), text(&head, head.target)),
        (Verb::Put, "PUT", "/x?y")
    );
    assert_eq!((head.version, head.fields.len()), ((1, 1), 0));
    let (head, _) = parse_with(b"GET / HTTP/2.0\r\n\r\n", &Limits::default());
    assert_eq!((head.version, text(&head, head.target)), ((2, 0), "/"));
}

#[test]
fn limits_of_head_field_and_target() {
    let limits = Limits { field: 64, head: 100, ..Limits::default() };
    let verdict = |text: &str| parse_with(text.as_bytes(), &limits).1;
    let line = "GET / HTTP/1.1\r\nHost: a\r\n";
    assert!(verdict(&format!("{line}X: {}\r\n\r\n", "b".repeat(61))).is_ok());
    assert_eq!(verdict(&format!("{line}X: {}\r\n\r\n", "b".repeat(62))), Err(Refusal::FieldLength));
    assert_eq!(verdict(&format!("{line}X: {}\r\n\r\n", "b".repeat(90))), Err(Refusal::RequestLength));
    assert_eq!(verdict(&format!("{line}{}\r\n", "X: b\r\n".repeat(13))), Err(Refusal::RequestLength));
    assert_eq!(verdict(&format!("{line}{}", "X: b\r\n".repeat(13))), Err(Refusal::RequestLength));
    assert_eq!(verdict(&format!("GET /{} HTTP/1.1\r\n\r\n", "b".repeat(64))), Err(Refusal::UrlLength));
    assert_eq!(verdict(&format!("GET /{}", "b".repeat(64))), Err(Refusal::UrlLength));
    assert_eq!(verdict(&"b".repeat(101)), Err(Refusal::Verb));
    assert_eq!(verdict(&format!("{line}\r\n{}", "body".repeat(100))), Ok(Parsed::Complete(27)));
    assert_eq!(verdict(&"\r\n".repeat(51)), Err(Refusal::Verb));
}

#[test]
fn nothing_is_waited_for_beyond_the_limit() {
    let limits = Limits { head: 64, ..Limits::default() };
    for start in [
        "\r",
        "foo\r",
        "foo\r ",
        "foo",
        "GET /",
        "GET / ",
        "GET / HTTP/1.1\r",
        "GET / HTTP/1.1\n",
        "\n\n\r\n",
    ] {
        for filler in ["x", "\r", " ", "\r\n "] {
            let input = format!("{start}{}", filler.repeat(65));
            assert!(parse_with(input.as_bytes(), &limits).1.is_err(), "{start:?} {filler:?}");
        }
    }
    assert!(parse_with(format!("{}\r", "b".repeat(64)).as_bytes(), &limits).1.is_err());
    assert_eq!(outcome("foo\r"), Ok(Parsed::Partial));
    assert_eq!(outcome("foo\rx"), Err(Refusal::BadRequest));
}

#[test]
fn a_header_block_over_16384_bytes_is_too_long() {
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "b".repeat(16384));
    assert_eq!(outcome(&long), Err(Refusal::RequestLength));
    assert_eq!(outcome(&long[..16385]), Err(Refusal::RequestLength));
    assert_eq!(outcome(&long[..16384]), Ok(Parsed::Partial));
}

#[test]
fn host_is_needed_once_in_1_1() {
    assert_eq!(outcome("GET / HTTP/1.1\r\n\r\n"), Err(Refusal::Hostname));
    assert_eq!(outcome("GET http://a/ HTTP/1.1\r\n\r\n"), Err(Refusal::Hostname));
    assert_eq!(with_fields("Host: a\r\n"), Err(Refusal::Hostname));
    assert_eq!(outcome("GET / HTTP/1.1\r\nHost:\r\n\r\n"), Err(Refusal::Hostname));
    assert_eq!(outcome("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), Err(Refusal::Hostname));
    assert_eq!(head("GET / HTTP/1.0\r\n\r\n").host, None);
    assert_eq!(head("GET / HTTP/1.0\r\nHost:\r\n\r\n").host, None);
    assert_eq!(outcome("GET / HTTP/1.0\r\nHost: /\r\n\r\n"), Err(Refusal::Hostname));
    assert_eq!(outcome("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"), Err(Refusal::Hostname));
}

#[test]
fn host_faults_come_before_framing_faults() {
    assert_eq!(outcome("POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"), Err(Refusal::Hostname));
    assert_eq!(outcome("GET /.. HTTP/1.1\r\nX : a\r\n\r\n"), Err(Refusal::Forbidden));
}

#[test]
fn the_same_head_again_is_known_by_its_bytes_and_a_refused_one_never() {
    let one = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
    let head = head(one);
    assert_eq!(head.repeats(one), Some(one.len()));
    assert_eq!(head.repeats(&[&one[..], b"GET"].concat()), Some(one.len()));
    assert_eq!(head.repeats(&one[..one.len() - 1]), None);
    assert_eq!(head.repeats(b"GET /b HTTP/1.1\r\nHost: a\r\n\r\n"), None);
    let (refused, outcome) = parse_with(b"PUT /x HTTP/1.1\r\nHost: a\r\n\r\n", &Limits::default());
    assert_eq!(outcome, Err(Refusal::LengthRequired));
    assert_eq!(refused.repeats(b"PUT /x HTTP/1.1\r\nHost: a\r\n\r\n"), None);
    assert_eq!(RequestHead::new().repeats(b""), None);
}

#[test]
fn a_reused_head_keeps_nothing() {
    let mut head = RequestHead::new();
    let limits = Limits::default();
    head.parse(
        b"POST http://h/%41?q HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
        &limits,
    )
    .unwrap();
    assert_eq!(head.parse(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", &limits), Ok(Parsed::Complete(27)));
    assert_eq!((head.framing, head.decoded_path.clone(), head.keep_alive), (Framing::None, None, true));
    assert_eq!((head.fields.len(), head.text(head.raw_query), head.bytes.len()), (1, &b""[..], 27));
    assert_eq!(head.parse(b"GET /", &limits), Ok(Parsed::Partial));
    assert_eq!((head.bytes.len(), head.fields.len(), head.target), (0, 0, Span::default()));
}

/// Text that is nearly a head, so that random bytes reach every corner.
pub(super) fn nearly_a_head() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "GET ",
        "POST ",
        "CONNECT ",
        "OPTIONS ",
        "/",
        "*",
        "a:80",
        "http://a/",
        "%2e",
        "..",
        "?",
        "#",
        " HTTP/1.1",
        " HTTP/1.0",
        "\r\n",
        "\n",
        "\r",
        " ",
        "\t",
        "Host: a",
        "Content-Length: 1",
        "Transfer-Encoding: chunked",
        "Connection: close",
        ":",
        "\0",
        "\x01",
        "X?",
        "X",
    ]);
    prop::collection::vec(pieces, 0..14).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn a_complete_head_is_the_same_whatever_follows(mut input in nearly_a_head(), more in nearly_a_head()) {
        let (first, outcome) = parse_with(&input, &Limits::default());
        if let Ok(Parsed::Complete(end)) = outcome {
            input.truncate(end);
            input.extend(more);
            let (second, again) = parse_with(&input, &Limits::default());
            prop_assert_eq!(again, outcome);
            prop_assert_eq!(format!("{first:?}"), format!("{second:?}"));
        }
    }

    #[test]
    fn a_prefix_of_a_good_head_is_partial(input in nearly_a_head()) {
        if let Ok(Parsed::Complete(end)) = outcome(&input) {
            for len in 0..end {
                prop_assert_eq!(outcome(&input[..len]), Ok(Parsed::Partial));
            }
        }
    }

    #[test]
    fn any_bytes_are_parsed_or_refused(input in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = outcome(&input);
    }
}

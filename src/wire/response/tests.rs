//! Response heads: the table of digest §6.9, forgiveness and its limits.

use proptest::prelude::*;

use super::*;

fn parse(input: impl AsRef<[u8]>) -> (ResponseHead, Result<Parsed, ResponseFault>) {
    let mut head = ResponseHead::new();
    let outcome = head.parse(input.as_ref(), &ResponseLimits::default());
    (head, outcome)
}

fn head(input: impl AsRef<[u8]>) -> ResponseHead {
    let (head, outcome) = parse(input.as_ref());
    assert_eq!(outcome, Ok(Parsed::Complete(input.as_ref().len())));
    head
}

fn shown(head: &ResponseHead) -> &str {
    std::str::from_utf8(&head.bytes).unwrap()
}

#[test]
fn a_plain_response() {
    let head = head("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: a\r\nset-cookie: b\r\n\r\n");
    assert_eq!((head.version, head.status, head.text(head.reason)), ((1, 1), 200, &b"OK"[..]));
    assert_eq!(head.values(27).collect::<Vec<_>>(), [b"a", b"b"]);
    assert_eq!(
        shown(&head),
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: a\r\nset-cookie: b\r\n\r\n"
    );
}

#[test]
fn raw_headers_are_shown_in_normal_form() {
    let head = head(
        "HTTP/1.0  404   Not Found \nA :  b \t\nC:\n  d\r\n\te \n \nno field\n more\nX Y: z\n: v\nF:g\rh\n\n",
    );
    assert_eq!(shown(&head), "HTTP/1.0 404 Not Found\r\nA: b\r\nC: d e\r\nF: g h\r\n\r\n");
    assert_eq!(head.fields.len(), 3);
    assert_eq!(head.text(head.fields[1].value), b"d e");
}

#[test]
fn a_reason_may_be_missing() {
    for line in ["HTTP/1.1 200", "HTTP/1.1 200 "] {
        let head = head(format!("{line}\r\n\r\n"));
        assert_eq!((head.status, head.text(head.reason)), (200, &b""[..]));
    }
}

#[test]
fn what_is_not_http_is_garbage_at_once() {
    for input in [
        "x",
        "\r\n",
        "HTTP 200",
        "HTTP/1.1x",
        "http/1.1 200 OK\r\n",
        "ICY 200 OK\r\n",
        "HTTP/1.1 2000 OK\r\n",
    ] {
        assert_eq!(parse(input).1, Err(ResponseFault::Garbage), "{input:?}");
    }
    for input in [
        "HTTP/1.1 OK\r\n",
        "HTTP/1.1 20\r\n",
        "HTTP/1.1 099 x\r\n",
        "HTTP/1.1 \r\n",
        "HTTP/1.1 200 OK\r\nA: \0\r\n\r\n",
    ] {
        assert_eq!(parse(input).1, Err(ResponseFault::Garbage), "{input:?}");
    }
    for input in ["", "H", "HTTP/1.", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nA: b\r\n"] {
        assert_eq!(parse(input).1, Ok(Parsed::Partial), "{input:?}");
    }
}

#[test]
fn limits_of_size_and_number() {
    let limits = ResponseLimits { head: 60, fields: 2 };
    let verdict = |text: &str| ResponseHead::new().parse(text.as_bytes(), &limits);
    assert!(verdict("HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n\r\n").is_ok());
    assert_eq!(verdict("HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\nE: f\r\n\r\n"), Err(ResponseFault::TooManyFields));
    let long = format!("HTTP/1.1 200 OK\r\nA: {}", "b".repeat(60));
    assert_eq!(verdict(&long), Err(ResponseFault::HeadTooLarge));
    assert_eq!(verdict(&format!("{long}\r\n\r\n")), Err(ResponseFault::HeadTooLarge));
    assert_eq!(Error::from(ResponseFault::HeadTooLarge), Error(12182));
    assert_eq!(Error::from(ResponseFault::TooManyFields), Error(12181));
    assert_eq!(Error::from(ResponseFault::Garbage), Error(12152));
}

fn framing(line: &str, fields: &str) -> Result<(Framing, bool), ResponseFault> {
    let head = head(format!("{line}\r\n{fields}\r\n"));
    head.framing(false, false).map(|framing| (framing, head.keep_alive(framing)))
}

#[test]
fn how_bodies_end() {
    let ok = |fields| framing("HTTP/1.1 200 OK", fields);
    assert_eq!(ok("Content-Length: 5\r\n"), Ok((Framing::Length(5), true)));
    assert_eq!(ok("Content-Length: 5\r\nContent-Length: 5\r\n"), Ok((Framing::Length(5), true)));
    assert_eq!(ok("Transfer-Encoding: chunked\r\n"), Ok((Framing::Chunked, true)));
    assert_eq!(ok("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), Ok((Framing::Chunked, false)));
    assert_eq!(ok("Transfer-Encoding: gzip\r\n"), Ok((Framing::Close, false)));
    assert_eq!(ok(""), Ok((Framing::Close, false)));
    assert_eq!(ok("Content-Length: -1\r\n"), Err(ResponseFault::Garbage));
    assert_eq!(ok("Content-Length: 5\r\nContent-Length: 6\r\n"), Err(ResponseFault::Garbage));
    for status in [100, 101, 204, 304] {
        assert_eq!(
            framing(&format!("HTTP/1.1 {status} x"), "Content-Length: 5\r\n"),
            Ok((Framing::None, true))
        );
    }
}

#[test]
fn head_and_connect_have_no_body() {
    let head = head("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_eq!(head.framing(true, false), Ok(Framing::None));
    assert_eq!(head.framing(false, true), Ok(Framing::None));
    let refused = self::head("HTTP/1.1 407 No\r\nContent-Length: 3\r\n\r\n");
    assert_eq!(refused.framing(false, true), Ok(Framing::Length(3)));
}

#[test]
fn http_1_0_closes_unless_it_says_otherwise_and_knows_no_chunks() {
    let old = |fields| framing("HTTP/1.0 200 OK", fields);
    assert_eq!(old("Content-Length: 5\r\n"), Ok((Framing::Length(5), false)));
    assert_eq!(old("Content-Length: 5\r\nConnection: Keep-Alive\r\n"), Ok((Framing::Length(5), true)));
    assert_eq!(old("Transfer-Encoding: chunked\r\n"), Ok((Framing::Close, false)));
    let close = framing("HTTP/1.1 200 OK", "Content-Length: 5\r\nConnection: close\r\n");
    assert_eq!(close, Ok((Framing::Length(5), false)));
}

proptest! {
    #[test]
    fn the_normal_form_reads_as_itself(lines in prop::collection::vec("[a-zA-Z -]{0,4}[: ]{0,2}[a-z \t\r]{0,6}(\r\n|\n)", 0..6)) {
        let (first, outcome) = parse(format!("HTTP/1.1 200 OK\r\n{}\r\n", lines.concat()));
        prop_assert!(outcome.is_ok());
        if outcome != Ok(Parsed::Partial) {
            let (second, again) = parse(&first.bytes);
            prop_assert_eq!(again, Ok(Parsed::Complete(first.bytes.len())));
            prop_assert_eq!(first.bytes, second.bytes);
            prop_assert_eq!(first.fields, second.fields);
        }
    }

    #[test]
    fn any_bytes_are_parsed_or_refused(input in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = parse([b"HTTP/1.1 200 OK\r\n", input.as_slice()].concat());
        let _ = parse(input);
    }
}

#[test]
fn fields_can_be_taken_out_and_the_status_shown_as_another() {
    let text = b"HTTP/1.1 302 Found\r\nA: 1\r\nContent-Length: 5\r\nB: 2\r\nContent-Encoding: x\r\n\r\n";
    let mut head = ResponseHead::new();
    head.parse(text, &ResponseLimits::default()).unwrap();
    head.remove(&[11, 13]);
    head.present_as(401);
    assert_eq!(head.bytes, b"HTTP/1.1 401 Found\r\nA: 1\r\nB: 2\r\n\r\n");
    assert_eq!((head.status, head.text(head.reason)), (401, &b"Found"[..]));
    let fields: Vec<_> =
        head.fields.iter().map(|field| (head.text(field.name), head.text(field.value))).collect();
    assert_eq!(fields, [(&b"A"[..], &b"1"[..]), (&b"B"[..], &b"2"[..])]);
}

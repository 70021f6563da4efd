//! What heads say of bodies and connections: RFC 9112 §6 and digest §4.4, case by case.

use super::tests::{head, parse_with};
use super::*;
use crate::wire::refusal::Refusal;

fn framing(line: &str, fields: &str) -> Result<(Framing, bool), Refusal> {
    let (head, outcome) =
        parse_with(format!("{line}\r\nHost: a\r\n{fields}\r\n").as_bytes(), &Limits::default());
    outcome.map(|_| (head.framing, head.keep_alive))
}

#[test]
fn framing_of_bodies() {
    let post = |fields| framing("POST / HTTP/1.1", fields);
    assert_eq!(post("Content-Length: 5\r\n"), Ok((Framing::Length(5), true)));
    assert_eq!(post("Content-Length: 5\r\nContent-Length: 5\r\n"), Ok((Framing::Length(5), true)));
    assert_eq!(post("Content-Length: 5, 5\r\n"), Ok((Framing::Length(5), true)));
    assert_eq!(post("Transfer-Encoding: Chunked\r\n"), Ok((Framing::Chunked, true)));
    assert_eq!(post("Transfer-Encoding: gzip, chunked,\r\n"), Ok((Framing::Chunked, true)));
    assert_eq!(
        post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"),
        Ok((Framing::Chunked, true))
    );
    assert_eq!(post(""), Err(Refusal::LengthRequired));
    assert_eq!(framing("PUT / HTTP/1.1", ""), Err(Refusal::LengthRequired));
    assert_eq!(framing("DELETE / HTTP/1.1", ""), Ok((Framing::None, true)));
    assert_eq!(framing("GET / HTTP/1.1", "Content-Length: 3\r\n"), Ok((Framing::Length(3), true)));
}

#[test]
fn chunked_wins_over_a_length_and_ends_the_connection() {
    let fields = "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n";
    assert_eq!(framing("POST / HTTP/1.1", fields), Ok((Framing::Chunked, false)));
}

#[test]
fn lengths_that_make_no_sense() {
    for value in ["", "+5", "-5", "5x", "5 5", "5,", "0x5", "18446744073709551616", "9223372036854775808"] {
        let fields = format!("Content-Length: {value}\r\n");
        assert_eq!(framing("GET / HTTP/1.1", &fields), Err(Refusal::Number), "{value:?}");
    }
    assert_eq!(framing("GET / HTTP/1.1", "Content-Length: 5, 6\r\n"), Err(Refusal::Header));
    assert_eq!(framing("GET / HTTP/1.1", "Content-Length: 5\r\nContent-Length: 6\r\n"), Err(Refusal::Header));
    assert_eq!(
        framing("GET / HTTP/1.1", "Transfer-Encoding: chunked\r\nContent-Length: x\r\n"),
        Err(Refusal::Number)
    );
}

#[test]
fn codings_that_are_not_understood() {
    for value in [
        "gzip",
        "chunked, gzip",
        "chunked, chunked",
        "identity",
        "xchunked",
        "chunked;q=1",
        "",
        "\"chunked\", chunked",
    ] {
        let fields = format!("Transfer-Encoding: {value}\r\n");
        assert_eq!(framing("POST / HTTP/1.1", &fields), Err(Refusal::TransferEncoding), "{value:?}");
    }
    assert_eq!(framing("POST / HTTP/1.0", "Transfer-Encoding: chunked\r\n"), Err(Refusal::BadRequest));
}

#[test]
fn connections_live_on_by_version_and_connection_options() {
    for (line, fields, lives) in [
        ("GET / HTTP/1.1", "", true),
        ("GET / HTTP/1.1", "Connection: upgrade, Close\r\n", false),
        ("GET / HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n", false),
        ("GET / HTTP/1.0", "", false),
        ("GET / HTTP/1.0", "Connection: x, Keep-Alive\r\n", true),
        ("GET / HTTP/1.0", "Connection: keep-alive, close\r\n", false),
    ] {
        assert_eq!(framing(line, fields), Ok((Framing::None, lives)), "{line} {fields:?}");
    }
}

#[test]
fn expect_continue_is_of_1_1_only() {
    assert!(head("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n\r\n").expect_continue);
    assert!(!head("GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n").expect_continue);
    assert!(!head("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").expect_continue);
}

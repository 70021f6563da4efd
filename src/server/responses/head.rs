//! Response heads: what the system adds, in which order, and how the body's end is told (digest §5).
//!
//! Wire order: status line; the application's fields with `Server` at its id's place; `Date`;
//! `Connection: close` when the system closes; an automatic `Content-Length` last.

use std::cell::RefCell;

use crate::net::clock;
use crate::wire::date::imf_fixdate;
use crate::wire::field::{UNKNOWN, response_id, response_name};

use crate::server::service::{ResponseField, ResponseHead};

const CONNECTION: u8 = 1;
const DATE: u8 = 2;
const TRANSFER_ENCODING: u8 = 6;
const CONTENT_LENGTH: u8 = 11;
const SERVER: u8 = 26;
const PRODUCT: &[u8] = b"Microsoft-HTTPAPI/2.0";

/// The lines most responses end with; made once a second.
#[derive(Clone, Copy)]
struct Stamp {
    second: u64,
    lines: [u8; Self::LEN],
}

impl Stamp {
    const SERVER: &[u8] = b"Server: Microsoft-HTTPAPI/2.0\r\n";
    const DATE: usize = Self::SERVER.len();
    const VALUE: usize = Self::DATE + b"Date: ".len();
    const LEN: usize = Self::VALUE + 29 + 2;

    fn make(second: u64) -> Stamp {
        let mut lines = [0; Self::LEN];
        lines[..Self::DATE].copy_from_slice(Self::SERVER);
        lines[Self::DATE..Self::VALUE].copy_from_slice(b"Date: ");
        lines[Self::VALUE..Self::VALUE + 29].copy_from_slice(&imf_fixdate(second));
        lines[Self::VALUE + 29..].copy_from_slice(b"\r\n");
        Stamp { second, lines }
    }

    /// Calls `use_it` with the lines of this second.
    #[inline]
    fn with<T>(use_it: impl FnOnce(&[u8; Self::LEN]) -> T) -> T {
        thread_local! { static LAST: RefCell<Stamp> = RefCell::new(Stamp::make(0)) }
        let now = clock::unix_seconds();
        LAST.with(|last| {
            let mut last = last.borrow_mut();
            if last.second != now {
                *last = Stamp::make(now);
            }
            use_it(&last.lines)
        })
    }
}

/// The current date as a field value.
pub(crate) fn date() -> [u8; 29] {
    Stamp::with(|lines| {
        let mut value = [0; 29];
        value.copy_from_slice(&lines[Stamp::VALUE..Stamp::VALUE + 29]);
        value
    })
}

/// What the engine knows when a response begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances {
    /// The request was HEAD.
    pub(crate) head_request: bool,
    /// The whole response is given in this call.
    pub(crate) complete: bool,
    /// Bytes of body given in this call.
    pub(crate) body_len: u64,
    /// The request and the engine would let the connection live on.
    pub(crate) may_persist: bool,
    /// The system names itself in the Server field (`DisableServerHeader` 0 or 1).
    pub(crate) server: bool,
}

/// What was decided about a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    /// No body bytes go on the wire.
    pub(crate) bodyless: bool,
    /// The connection ends after it.
    pub(crate) close: bool,
    /// The length told to the client.
    pub(crate) promised: Option<u64>,
    /// The application frames the body in chunks.
    pub(crate) chunked: bool,
}

/// What the application's fields say about framing and connection, known or spelled out.
#[derive(Default)]
struct Seen {
    length: Option<Option<u64>>,
    transfer_encoding: bool,
    chunked: bool,
    close: bool,
    server: bool,
}

/// Appends the head to `out`.
pub(crate) fn write_head(head: &ResponseHead, facts: Circumstances, out: &mut Vec<u8>) -> Decision {
    let mut seen = look(head);
    seen.server |= !facts.server;
    let no_body = head.status < 200 || head.status == 204 || head.status == 304;
    let bodyless = no_body && head.status != 101 || facts.head_request;
    let automatic = facts.complete && !no_body && seen.length.is_none() && !seen.transfer_encoding;
    let delimited = automatic || seen.length.is_some() || seen.transfer_encoding || bodyless;
    let switching = head.status == 101;
    let interim = head.status < 200 && !switching;
    let close = !interim && !switching && (!facts.may_persist || seen.close || !delimited);
    out.reserve(head.text.len() + 256);
    status_line(head, out);
    let server_due = fields(head, &seen, interim, facts.server, out);
    if !interim {
        Stamp::with(|lines| out.extend_from_slice(if server_due { lines } else { &lines[Stamp::DATE..] }));
    }
    if close && !seen.close {
        out.extend_from_slice(b"Connection: close\r\n");
    }
    if automatic {
        content_length(facts.body_len, out);
    } else {
        out.extend_from_slice(b"\r\n");
    }
    let promised = if automatic { Some(facts.body_len) } else { seen.length.flatten() };
    let promised = promised.filter(|_| !seen.transfer_encoding);
    Decision { bodyless, close, promised, chunked: seen.chunked }
}

/// Whether the application names a transfer coding, and with that frames the body itself.
pub(crate) fn names_coding(head: &ResponseHead) -> bool {
    head.fields.iter().any(|field| id_of(head, field) == TRANSFER_ENCODING)
}

/// Whether the application says that it frames the body in chunks.
pub(crate) fn is_chunked(head: &ResponseHead) -> bool {
    let last = head.fields.iter().rfind(|field| id_of(head, field) == TRANSFER_ENCODING);
    last.is_some_and(|field| ends_chunked(value(head, field)))
}

fn look(head: &ResponseHead) -> Seen {
    let mut seen = Seen { server: head.suppress_server, ..Seen::default() };
    for field in &head.fields {
        match id_of(head, field) {
            CONTENT_LENGTH => seen.length = Some(number(value(head, field))),
            TRANSFER_ENCODING => {
                seen.transfer_encoding = true;
                seen.chunked = ends_chunked(value(head, field));
            }
            CONNECTION => seen.close |= lists(value(head, field), b"close"),
            SERVER => seen.server = true,
            _ => {}
        }
    }
    seen
}

/// The number of a field, also when a known name was given as an unknown field: programs do that.
fn id_of(head: &ResponseHead, field: &ResponseField) -> u8 {
    if field.id == UNKNOWN { response_id(slice(head, field.name)) } else { field.id }
}

fn status_line(head: &ResponseHead, out: &mut Vec<u8>) {
    let s = head.status;
    let mut start = *b"HTTP/1.1 000 ";
    start[9] += (s / 100) as u8;
    start[10] += (s / 10 % 10) as u8;
    start[11] += (s % 10) as u8;
    out.extend_from_slice(&start);
    out.extend_from_slice(slice(head, (0, head.reason_len)));
    out.extend_from_slice(b"\r\n");
}

/// Writes the application's fields. True if the system's own Server line is still to come, after them.
fn fields(head: &ResponseHead, seen: &Seen, interim: bool, names_itself: bool, out: &mut Vec<u8>) -> bool {
    let mut server_due = !seen.server && !interim;
    for field in &head.fields {
        if server_due && (field.id == UNKNOWN || field.id > SERVER) {
            line(b"Server", PRODUCT, out);
            server_due = false;
        }
        let id = id_of(head, field);
        if id == DATE && !interim {
            continue;
        }
        if field.id == UNKNOWN {
            line(slice(head, field.name), value(head, field), out);
            continue;
        }
        let name = response_name(field.id).as_bytes();
        if id == SERVER {
            line(name, value(head, field), out);
            if names_itself {
                // The system appends its own token to a known Server field (digest §5.2).
                out.truncate(out.len() - 2);
                out.push(b' ');
                out.extend_from_slice(PRODUCT);
                out.extend_from_slice(b"\r\n");
            }
        } else {
            line(name, value(head, field), out);
        }
    }
    server_due
}

#[inline]
fn line(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

#[inline]
fn slice(head: &ResponseHead, (start, len): (u32, u32)) -> &[u8] {
    &head.text[start as usize..start as usize + len as usize]
}

#[inline]
fn value<'a>(head: &'a ResponseHead, field: &ResponseField) -> &'a [u8] {
    slice(head, field.value)
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

/// Whether a comma-separated list has this token.
fn lists(value: &[u8], token: &[u8]) -> bool {
    value.split(|b| *b == b',').any(|item| item.trim_ascii().eq_ignore_ascii_case(token))
}

/// Whether the last transfer coding is `chunked`.
#[cold]
fn ends_chunked(value: &[u8]) -> bool {
    value.rsplit(|b| *b == b',').next().is_some_and(|last| last.trim_ascii().eq_ignore_ascii_case(b"chunked"))
}

/// Appends the length of the body and the empty line behind it.
fn content_length(mut n: u64, out: &mut Vec<u8>) {
    let mut digits = *b"00000000000000000000\r\n\r\n";
    let mut at = digits.len() - 4;
    loop {
        at -= 1;
        digits[at] += (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    out.extend_from_slice(b"Content-Length: ");
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(status: u16, reason: &str, fields: &[(u8, &str, &str)]) -> ResponseHead {
        let mut head = ResponseHead { status, reason_len: reason.len() as u32, ..Default::default() };
        head.text.extend_from_slice(reason.as_bytes());
        for (id, name, value) in fields {
            let mut put = |text: &str| {
                let span = (head.text.len() as u32, text.len() as u32);
                head.text.extend_from_slice(text.as_bytes());
                span
            };
            let (name, value) = (put(name), put(value));
            head.fields.push(ResponseField { id: *id, name, value });
        }
        head
    }

    const GET: Circumstances =
        Circumstances { head_request: false, complete: true, body_len: 5, may_persist: true, server: true };

    fn write(head: &ResponseHead, facts: Circumstances) -> (String, Decision) {
        let mut out = Vec::new();
        let decision = write_head(head, facts, &mut out);
        let text = String::from_utf8(out).unwrap();
        let text = text.replace(std::str::from_utf8(&date()).unwrap(), "NOW");
        (text, decision)
    }

    #[test]
    fn the_last_coding_says_whether_a_body_is_chunked() {
        for (value, chunked) in [("chunked", true), ("gzip, Chunked ", true), ("chunked, gzip", false)] {
            assert_eq!(is_chunked(&head(200, "OK", &[(TRANSFER_ENCODING, "", value)])), chunked, "{value}");
        }
        assert!(is_chunked(&head(200, "OK", &[(UNKNOWN, "transfer-encoding", "chunked")])));
    }

    #[test]
    fn the_order_is_the_captured_one() {
        let h = head(200, "OK", &[(12, "", "text/plain"), (UNKNOWN, "x-a", "1")]);
        let (text, decision) = write(&h, GET);
        let want = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nServer: Microsoft-HTTPAPI/2.0\r\nx-a: 1\r\n\
                    Date: NOW\r\nContent-Length: 5\r\n\r\n";
        assert_eq!(text, want);
        assert_eq!(decision, Decision { bodyless: false, close: false, promised: Some(5), chunked: false });
    }

    #[test]
    fn known_names_given_as_unknown_fields_count() {
        let fields =
            [(UNKNOWN, "content-length", "5"), (UNKNOWN, "Server", "mine"), (UNKNOWN, "connection", "close")];
        let (text, decision) = write(&head(200, "OK", &fields), GET);
        assert_eq!(
            text,
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nServer: mine\r\nconnection: close\r\nDate: NOW\r\n\r\n"
        );
        assert!(decision.close);
    }

    #[test]
    fn the_system_adds_its_token_and_replaces_the_date() {
        let (text, _) = write(&head(200, "", &[(2, "", "never"), (26, "", "Mine/1.0")]), GET);
        assert!(text.starts_with("HTTP/1.1 200 \r\nServer: Mine/1.0 Microsoft-HTTPAPI/2.0\r\nDate: NOW\r\n"));
    }

    #[test]
    fn the_system_need_not_name_itself() {
        let facts = Circumstances { server: false, ..GET };
        let (text, _) = write(&head(200, "OK", &[]), facts);
        assert!(!text.contains("Server"));
        let (text, _) = write(&head(200, "OK", &[(26, "", "Mine/1.0")]), facts);
        assert!(text.contains("Server: Mine/1.0\r\n"));
    }

    #[test]
    fn an_undelimited_body_closes_the_connection() {
        let facts = Circumstances { complete: false, ..GET };
        let (text, decision) = write(&head(200, "OK", &[]), facts);
        assert!(text.contains("Connection: close") && !text.contains("Content-Length"));
        assert!(decision.close);
        let (_, chunked) = write(&head(200, "OK", &[(6, "", "chunked")]), facts);
        assert!(!chunked.close);
    }

    #[test]
    fn no_content_has_no_length() {
        let (text, decision) = write(&head(204, "No Content", &[]), Circumstances { body_len: 0, ..GET });
        assert!(!text.contains("Content-Length") && decision.bodyless && !decision.close);
    }

    #[test]
    fn an_interim_response_gets_nothing_added() {
        let (text, decision) = write(&head(103, "Early Hints", &[(UNKNOWN, "Link", "</a>")]), GET);
        assert_eq!(text, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
        assert!(!decision.close);
    }
}

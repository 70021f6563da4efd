//! What may be kept and what a kept response may answer (the table of digest §5.8). Whatever fails a condition is sent, or
//! delivered, as if there were no cache.

use crate::server::responses::head::names_coding;
use crate::server::responses::partial::{LAST_MODIFIED, given};
use crate::server::service::ResponseHead;
use crate::wire::request::{Framing, RequestHead, Verb};

const CONTENT_TYPE: u8 = 12;

const AUTHORIZATION: u8 = 24;
const EXPECT: u8 = 26;
const IF_MATCH: u8 = 29;
const IF_MODIFIED_SINCE: u8 = 30;
const IF_NONE_MATCH: u8 = 31;
const IF_RANGE: u8 = 32;
const IF_UNMODIFIED_SINCE: u8 = 33;
const RANGE: u8 = 37;
const TRANSLATE: u8 = 39;

/// The longest head that is kept, in bytes.
pub(super) const LONGEST_HEAD: usize = 1024;

/// How a kept response answers a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Whole.
    Plain,
    /// Only its head: HEAD.
    Head,
    /// Perhaps a part, or nothing new: Range or a condition.
    Judged,
}

/// How the cache may answer this request; `None` if it may not.
#[inline]
pub(super) fn manner(head: &RequestHead) -> Option<Manner> {
    let mut manner = match head.verb {
        Verb::Get => Manner::Plain,
        Verb::Head => Manner::Head,
        _ => return None,
    };
    if head.framing != Framing::None || head.raw_query.len != 0 {
        return None;
    }
    for field in &head.fields {
        match field.id {
            AUTHORIZATION | IF_MATCH | IF_UNMODIFIED_SINCE => return None,
            EXPECT if !head.expect_continue => return None,
            TRANSLATE if head.text(field.value).eq_ignore_ascii_case(b"f") => return None,
            IF_MODIFIED_SINCE | IF_NONE_MATCH => {
                manner = if manner == Manner::Head { return None } else { Manner::Judged }
            }
            RANGE | IF_RANGE if manner != Manner::Head => manner = Manner::Judged,
            _ => {}
        }
    }
    Some(manner)
}

/// What a response is found by: Host and path as the client wrote them.
#[inline]
pub(super) fn key(head: &RequestHead) -> Option<(&[u8], &[u8])> {
    Some((head.text(head.host?), head.text(head.raw_path)))
}

/// Whether the answer to this request may answer others: a plain GET that asked for the whole.
pub(crate) fn may_be_kept(request: &RequestHead, response: &ResponseHead) -> bool {
    let of_request = request.verb == Verb::Get
        && request.framing == Framing::None
        && request.raw_query.len == 0
        && request.fields.iter().all(|field| match field.id {
            AUTHORIZATION | RANGE | IF_RANGE => false,
            TRANSLATE => !request.text(field.value).eq_ignore_ascii_case(b"f"),
            EXPECT => request.expect_continue,
            _ => true,
        });
    let bodyless = response.status < 200 || matches!(response.status, 204 | 206 | 304);
    of_request
        && !bodyless
        && given(response, CONTENT_TYPE).is_some()
        // The framing of such a body is not to be cut, nor for every client.
        && !names_coding(response)
        && given(response, LAST_MODIFIED).is_none_or(|date| super::entry::seconds_of(date).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str, fields: &str) -> RequestHead {
        let mut head = RequestHead::new();
        head.parse(format!("{line} HTTP/1.1\r\nHost: a\r\n{fields}\r\n").as_bytes(), &Default::default())
            .unwrap();
        head
    }

    fn response(status: u16, fields: &[(u8, &str)]) -> ResponseHead {
        let mut head = ResponseHead { status, ..Default::default() };
        for (id, value) in fields {
            crate::server::responses::partial::insert(&mut head, *id, value);
        }
        head
    }

    #[test]
    fn requests_that_have_their_answers_kept() {
        let ok = response(200, &[(CONTENT_TYPE, "a/b")]);
        assert!(may_be_kept(&request("GET /", ""), &ok));
        assert!(may_be_kept(&request("GET /", "Expect: 100-continue\r\nTranslate: t\r\n"), &ok));
        for (line, fields) in [
            ("HEAD /", ""),
            ("GET /?q", ""),
            ("GET /", "Authorization: x\r\n"),
            ("GET /", "Range: bytes=0-1\r\n"),
            ("GET /", "If-Range: \"a\"\r\n"),
            ("GET /", "Translate: F\r\n"),
            ("GET /", "Expect: other\r\n"),
            ("GET /", "Content-Length: 1\r\n"),
        ] {
            assert!(!may_be_kept(&request(line, fields), &ok), "{line} {fields}");
        }
    }

    #[test]
    fn responses_that_are_kept() {
        let get = request("GET /", "");
        let kind = (CONTENT_TYPE, "a/b");
        assert!(may_be_kept(&get, &response(404, &[kind])));
        assert!(may_be_kept(&get, &response(200, &[kind, (LAST_MODIFIED, "Sun, 06 Nov 1994 08:49:37 GMT")])));
        for bad in [
            response(200, &[]),
            response(206, &[kind]),
            response(204, &[kind]),
            response(200, &[(6, "chunked"), kind]),
            response(200, &[kind, (LAST_MODIFIED, "yesterday")]),
        ] {
            assert!(!may_be_kept(&get, &bad));
        }
    }

    #[test]
    fn how_requests_are_answered() {
        assert_eq!(manner(&request("GET /", "")), Some(Manner::Plain));
        assert_eq!(manner(&request("HEAD /", "")), Some(Manner::Head));
        assert_eq!(manner(&request("GET /", "If-None-Match: *\r\n")), Some(Manner::Judged));
        assert_eq!(manner(&request("GET /", "Range: bytes=0-\r\n")), Some(Manner::Judged));
        for (line, fields) in [
            ("POST /", "Content-Length: 0\r\n"),
            ("GET /?a", ""),
            ("GET /", "Authorization: x\r\n"),
            ("GET /", "If-Match: *\r\n"),
        ] {
            assert_eq!(manner(&request(line, fields)), None, "{line} {fields}");
        }
    }
}

//! One kept response: its bytes as they go out, and what is needed to answer in another manner.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::server::monitor::snapshot::CacheEntry;
use crate::server::responses::head::{Circumstances, write_head};
use crate::server::responses::partial::{ETAG, LAST_MODIFIED, asked, given};
use crate::server::service::{CachePolicy, QueueId, ResponseHead};
use crate::wire::date::{parse_tolerant, to_unix};
use crate::wire::range::names_tag;
use crate::wire::request::RequestHead;

use super::eligible::{LONGEST_HEAD, key};

const CONTENT_ENCODING: u8 = 13;
/// Fields of requests.
const ACCEPT_ENCODING: u8 = 22;
const IF_MODIFIED_SINCE: u8 = 30;
const IF_NONE_MATCH: u8 = 31;

/// The largest body that is kept behind its head, to go out as one piece.
const SMALL: usize = 4096;

/// Bytes an entry takes besides its texts, roughly.
const OVERHEAD: usize = 512;

/// A kept response.
pub(crate) struct Entry {
    pub(super) port: u16,
    pub(super) host: Box<[u8]>,
    pub(super) path: Box<[u8]>,
    pub(super) queue: QueueId,
    /// Canonical, in small letters: what a flush names.
    pub(crate) url: String,
    pub(super) decoded_path: String,
    /// What the application gave.
    pub(crate) head: ResponseHead,
    pub(crate) body: Arc<[u8]>,
    /// The head as it goes out to a client whose connection lives on, and a small body behind it.
    wire: Box<[u8]>,
    /// Where in it the date stands.
    date_at: usize,
    /// The body is not in `wire`.
    pub(super) body_apart: bool,
    /// When it is not to be used any more.
    pub(crate) expires_ms: Option<u64>,
    encoded: bool,
    pub(crate) hits: AtomicU64,
    fresh: AtomicBool,
}

impl Entry {
    /// Makes an entry of a response to `request`; `None` if its head is too long.
    pub(crate) fn new(
        request: &RequestHead,
        (port, queue): (u16, QueueId),
        head: &ResponseHead,
        body: Arc<[u8]>,
        policy: CachePolicy,
        now_ms: u64,
        server: bool,
    ) -> Option<Entry> {
        let (host, path) = key(request)?;
        let mut wire = Vec::new();
        let facts = Circumstances {
            head_request: false,
            complete: true,
            body_len: body.len() as u64,
            may_persist: true,
            server,
        };
        let decision = write_head(head, facts, &mut wire);
        if decision.close || wire.len() > LONGEST_HEAD {
            return None;
        }
        let date_at = date_in(&wire)?;
        let body_apart = body.len() > SMALL;
        if !body_apart {
            wire.extend_from_slice(&body);
        }
        let expires_ms = match policy {
            CachePolicy::TimeToLive(seconds) => Some(now_ms.saturating_add(u64::from(seconds) * 1000)),
            CachePolicy::UserInvalidates | CachePolicy::NoCache => None,
        };
        let decoded_path = String::from_utf8_lossy(request.path()).to_lowercase();
        let extras = head.extras.as_deref();
        Some(Entry {
            port,
            url: format!("http://{}{decoded_path}", with_port(host, port)),
            host: host.into(),
            path: path.into(),
            queue,
            decoded_path: if decoded_path.ends_with('/') { decoded_path } else { decoded_path + "/" },
            encoded: extras.is_some_and(|e| e.multiple_encodings) && given(head, CONTENT_ENCODING).is_some(),
            head: head.clone(),
            body,
            wire: wire.into(),
            date_at,
            body_apart,
            expires_ms,
            hits: AtomicU64::new(0),
            fresh: AtomicBool::new(false),
        })
    }

    /// What it is, for those who look from outside.
    pub(super) fn see(&self, now_ms: u64) -> CacheEntry {
        CacheEntry {
            url: self.url.clone(),
            fragment: false,
            status: self.head.status,
            bytes: self.size(),
            hits: self.hits.load(Ordering::Relaxed),
            seconds_left: self.expires_ms.map(|at| at.saturating_sub(now_ms) / 1000),
        }
    }

    /// Bytes it takes.
    pub(crate) fn size(&self) -> u64 {
        let texts = self.host.len() + self.path.len() + self.url.len() + self.head.text.len();
        (OVERHEAD + texts + self.body.len() + self.wire.len()) as u64
    }

    /// Its time is over.
    pub(super) fn is_stale(&self, now_ms: u64) -> bool {
        self.expires_ms.is_some_and(|at| now_ms >= at)
    }

    /// Notes a use.
    #[inline]
    pub(super) fn used(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
        self.fresh.store(true, Ordering::Relaxed);
    }

    /// Whether it was used since this was asked last.
    pub(super) fn was_used(&self) -> bool {
        self.fresh.swap(false, Ordering::Relaxed)
    }

    /// Whether the client takes it as it is: an encoded copy only goes to those who said they take that encoding.
    #[inline]
    pub(super) fn suits(&self, request: &RequestHead) -> bool {
        !self.encoded || self.accepted_by(request)
    }

    fn accepted_by(&self, request: &RequestHead) -> bool {
        let Some(coding) = given(&self.head, CONTENT_ENCODING) else { return true };
        let Some(list) = asked(request, ACCEPT_ENCODING) else { return false };
        list.split(|byte| *byte == b',').any(|item| {
            let mut parts = item.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
            let name = parts.next().unwrap_or_default();
            let refused = parts.any(|part| matches!(part, b"q=0" | b"q=0.0" | b"q=0.00" | b"q=0.000"));
            !refused && (name.eq_ignore_ascii_case(coding.trim_ascii()) || name == b"*")
        })
    }

    /// Appends what goes out to a client whose connection lives on, with this date.
    #[inline]
    pub(super) fn write(&self, date: &[u8; 29], out: &mut Vec<u8>) {
        let at = out.len() + self.date_at;
        out.extend_from_slice(&self.wire);
        out[at..at + date.len()].copy_from_slice(date);
    }

    /// Whether the client has it already (304).
    pub(super) fn is_known_to(&self, request: &RequestHead) -> bool {
        if let Some(tags) = asked(request, IF_NONE_MATCH) {
            return names_tag(tags, given(&self.head, ETAG));
        }
        let since = asked(request, IF_MODIFIED_SINCE).and_then(seconds_of);
        let modified = given(&self.head, LAST_MODIFIED).and_then(seconds_of);
        matches!((since, modified), (Some(since), Some(modified)) if modified <= since)
    }
}

/// A date field as seconds since 1970.
pub(super) fn seconds_of(date: &[u8]) -> Option<i64> {
    let units: Vec<u16> = date.iter().map(|byte| u16::from(*byte)).collect();
    parse_tolerant(&units).as_ref().and_then(to_unix)
}

/// Where the system's date stands: it comes after the application's fields.
fn date_in(wire: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"\r\nDate: ";
    let at = wire.windows(NAME.len()).rposition(|window| window == NAME)?;
    (wire.len() >= at + NAME.len() + 29).then_some(at + NAME.len())
}

/// The name in a Host value with the port it stands for.
fn with_port(host: &[u8], port: u16) -> String {
    let text = String::from_utf8_lossy(host).to_lowercase();
    let has_port =
        text.rsplit_once(':').is_some_and(|(_, p)| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
    let name = if has_port {
        text.rsplit_once(':').map_or("", |(name, _)| name)
    } else {
        text.trim_end_matches(':')
    };
    format!("{name}:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_get_the_port_of_the_connection() {
        assert_eq!(with_port(b"A.example", 80), "a.example:80");
        assert_eq!(with_port(b"a:81", 80), "a:80");
        assert_eq!(with_port(b"[::1]", 80), "[::1]:80");
        assert_eq!(with_port(b"[::1]:81", 80), "[::1]:80");
    }

    #[test]
    fn the_date_is_the_systems() {
        let head = ResponseHead { status: 200, ..Default::default() };
        let mut request = RequestHead::new();
        request.parse(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n", &Default::default()).unwrap();
        let body: Arc<[u8]> = (*b"body").into();
        let entry =
            Entry::new(&request, (80, QueueId(1)), &head, body, CachePolicy::UserInvalidates, 0, true)
                .unwrap();
        let mut out = b"before".to_vec();
        entry.write(b"Sun, 06 Nov 1994 08:49:37 GMT", &mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.starts_with("beforeHTTP/1.1 200 \r\n")
                && text.ends_with("\r\nContent-Length: 4\r\n\r\nbody")
        );
        assert!(text.contains("\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
        assert_eq!(entry.url, "http://a:80/a");
    }
}

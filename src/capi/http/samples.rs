//! Requests for the tests of this folder, made without the parser.

use std::sync::Arc;

use crate::server::service::{ConnectionId, Delivery, RequestId};
use crate::wire::Span;
use crate::wire::field::{Field, UNKNOWN};
use crate::wire::request::{RequestHead, Verb};

/// A delivery of `GET target` with these fields, numbered as given ([`UNKNOWN`] for none).
pub(super) fn delivery(verb: Verb, verb_text: &str, target: &str, fields: &[(u8, &str, &str)]) -> Delivery {
    let mut head = RequestHead::new();
    let mut push = |text: &str| {
        let start = head.bytes.len();
        head.bytes.extend_from_slice(text.as_bytes());
        Span::between(start, head.bytes.len())
    };
    let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    let (verb_span, raw_path, raw_query) = (push(verb_text), push(path), push(query));
    let fields =
        fields.iter().map(|(id, name, value)| Field { id: *id, name: push(name), value: push(value) });
    let fields: Vec<Field> = fields.collect();
    head.verb = verb;
    head.verb_text = verb_span;
    head.raw_path = raw_path;
    head.raw_query = raw_query;
    head.target = Span { start: raw_path.start, len: raw_path.len + raw_query.len };
    head.host = fields.iter().find(|field| field.id == 28).map(|field| field.value);
    head.fields = fields;
    Delivery {
        request: RequestId(0xF00D),
        connection: ConnectionId(0xBEEF),
        url_context: 77,
        head: Arc::new(head),
        local: "127.0.0.1:50000".parse().unwrap(),
        remote: "[2001:db8::1]:40000".parse().unwrap(),
        bytes_received: 123,
        more_body: false,
        ip_routed: false,
        extras: None,
    }
}

/// `GET /foobar?a=b` with a few fields, one known and one unknown name repeated.
pub(super) fn get_with_repeats() -> Delivery {
    let fields = [
        (28, "Host", "localhost:50000"),
        (20, "accept", "text/html"),
        (UNKNOWN, "X-One", "1"),
        (25, "Cookie", "a=1"),
        (20, "Accept", "text/plain"),
        (UNKNOWN, "x-one", "2"),
        (25, "Cookie", "b=2"),
        (22, "Accept-Encoding", ""),
        (UNKNOWN, "X-Empty", ""),
    ];
    delivery(Verb::Get, "GET", "/foobar?a=b", &fields)
}

/// A buffer aligned to 8.
pub(super) struct Buffer(Vec<u64>);

impl Buffer {
    /// Room for at least `len` bytes, filled with rubbish.
    pub(super) fn new(len: usize) -> Buffer {
        Buffer(vec![0xAAAA_AAAA_AAAA_AAAA; len.div_ceil(8)])
    }

    /// Its address.
    pub(super) fn start(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }
}

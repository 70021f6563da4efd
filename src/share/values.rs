//! How the values of `server::service` are written, structure by structure.
//!
//! Heads carry stretches of their own text; a decoded head whose stretches leave the text is malformed, so
//! that nobody who slices by them can be made to panic from the other side.

use std::sync::Arc;

use super::codec::{
    Bytes, Decoded, Decoder, Element, Encoder, Malformed, Wire, wire_enum, wire_struct, wire_values,
};
use crate::abi::error::Error;
use crate::server::service::{
    ApiVersion, BodyRead, CachePolicy, ConnectionId, Delivery, DeliveryExtras, Extras, Fact, FragmentPart,
    GroupId, Holder, Identity, Listen, ListenAddress, LogFields, Property, PropertyKind, Question, QueueId,
    Range, RequestId, ResponseField, ResponseHead, SendFlags, SessionId, UrlOwner,
};
use crate::wire::Span;
use crate::wire::field::Field;
use crate::wire::request::{Framing, RequestHead, Verb};

macro_rules! wire_number {
    ($($name:ident),*) => { $(
        impl Wire for $name {
            fn encode(&self, to: &mut Encoder) {
                self.0.encode(to);
            }
            fn decode(from: &mut Decoder<'_>) -> Decoded<$name> {
                Wire::decode(from).map($name)
            }
        }
    )* };
}

wire_number!(SessionId, GroupId, QueueId, RequestId, ConnectionId, Error);

wire_values!(
    Property,
    PropertyKind,
    Holder,
    Box<Extras>,
    Box<LogFields>,
    Box<Identity>,
    CachePolicy,
    Listen,
    ListenAddress,
    Range,
    FragmentPart,
    Question,
    Fact,
    Box<DeliveryExtras>
);

wire_struct! {
    Delivery {
        request, connection, url_context, head, local, remote, bytes_received, more_body, ip_routed, extras
    }
    ResponseField { id, name, value }
    SendFlags { disconnect, more_data, buffer_data, nagling, opaque, process_ranges }
    Span { start, len }
    Field { id, name, value }
}

wire_enum! {
    UrlOwner { 0 = Group { 0: group }, 1 = Queue { 0: queue } }
    ApiVersion { 1 = V1, 2 = V2 }
    BodyRead { 0 = Arrived, 1 = Some, 2 = Fill }
    Framing { 0 = None, 1 = Length { 0: bytes }, 2 = Chunked, 3 = Close }
    Verb {
        1 = Unknown, 3 = Options, 4 = Get, 5 = Head, 6 = Post, 7 = Put, 8 = Delete, 9 = Trace, 10 = Connect,
        11 = Track, 12 = Move, 13 = Copy, 14 = Propfind, 15 = Proppatch, 16 = Mkcol, 17 = Lock, 18 = Unlock,
        19 = Search,
    }
}

impl Element for Field {}
impl Element for ResponseField {}

impl Wire for Arc<RequestHead> {
    fn encode(&self, to: &mut Encoder) {
        RequestHead::encode(self, to);
    }

    fn decode(from: &mut Decoder<'_>) -> Decoded<Arc<RequestHead>> {
        RequestHead::decode(from).map(Arc::new)
    }
}

impl Wire for RequestHead {
    fn encode(&self, to: &mut Encoder) {
        let RequestHead {
            bytes,
            verb,
            verb_text,
            target,
            version,
            fields,
            host,
            raw_path,
            raw_query,
            decoded_path,
            framing,
            keep_alive,
            expect_continue,
        } = self;
        Bytes::encode_from(bytes, to);
        verb.encode(to);
        (*verb_text, *target).encode(to);
        version.encode(to);
        fields.encode(to);
        host.encode(to);
        (*raw_path, *raw_query).encode(to);
        decoded_path.encode(to);
        framing.encode(to);
        (*keep_alive, *expect_continue).encode(to);
    }

    fn decode(from: &mut Decoder<'_>) -> Decoded<RequestHead> {
        let Bytes(bytes) = Wire::decode(from)?;
        let verb = Wire::decode(from)?;
        let (verb_text, target) = Wire::decode(from)?;
        let version = Wire::decode(from)?;
        let fields = Wire::decode(from)?;
        let host = Wire::decode(from)?;
        let (raw_path, raw_query) = Wire::decode(from)?;
        let decoded_path = Wire::decode(from)?;
        let framing = Wire::decode(from)?;
        let (keep_alive, expect_continue) = Wire::decode(from)?;
        let head = RequestHead {
            bytes,
            verb,
            verb_text,
            target,
            version,
            fields,
            host,
            raw_path,
            raw_query,
            decoded_path,
            framing,
            keep_alive,
            expect_continue,
        };
        if request_spans(&head).all(|span| lies_in(&head.bytes, span.start, span.len)) {
            Ok(head)
        } else {
            Err(Malformed)
        }
    }
}

fn request_spans(head: &RequestHead) -> impl Iterator<Item = Span> {
    let line = [head.verb_text, head.target, head.raw_path, head.raw_query];
    let fields = head.fields.iter().flat_map(|field| [field.name, field.value]);
    line.into_iter().chain(head.host).chain(fields)
}

impl Wire for ResponseHead {
    fn encode(&self, to: &mut Encoder) {
        let ResponseHead { status, text, reason_len, fields, suppress_server, extras } = self;
        status.encode(to);
        Bytes::encode_from(text, to);
        reason_len.encode(to);
        fields.encode(to);
        suppress_server.encode(to);
        extras.encode(to);
    }

    fn decode(from: &mut Decoder<'_>) -> Decoded<ResponseHead> {
        let status = Wire::decode(from)?;
        let Bytes(text) = Wire::decode(from)?;
        let reason_len = Wire::decode(from)?;
        let fields: Vec<ResponseField> = Wire::decode(from)?;
        let suppress_server = Wire::decode(from)?;
        let extras = Wire::decode(from)?;
        let mut stretches =
            fields.iter().flat_map(|field| [field.name, field.value]).chain([(0, reason_len)]);
        if stretches.all(|(start, len)| lies_in(&text, start, len)) {
            Ok(ResponseHead { status, text, reason_len, fields, suppress_server, extras })
        } else {
            Err(Malformed)
        }
    }
}

fn lies_in(text: &[u8], start: u32, len: u32) -> bool {
    u64::from(start) + u64::from(len) <= text.len() as u64
}

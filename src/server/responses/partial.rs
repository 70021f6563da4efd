//! Parts of a complete response: 206 for a range or several, 416, 304; made of its head and its body. For programs that ask
//! for it (`HTTP_SEND_RESPONSE_FLAG_PROCESS_RANGES`, digest §5.11) and for the cache.

use std::fmt::Write;

use crate::abi::error::Result;
use crate::wire::field::UNKNOWN;
use crate::wire::range::{ByteRange, Selection, if_range_holds, select};
use crate::wire::request::{RequestHead, Verb};

use super::head::names_coding;
use super::parcel::length;
use crate::server::service::{Body, Chunk, ResponseField, ResponseHead};
use crate::win32::lent::LentBytes;

const CONTENT_LENGTH: u8 = 11;
const CONTENT_TYPE: u8 = 12;
const CONTENT_RANGE: u8 = 17;
pub(crate) const LAST_MODIFIED: u8 = 19;
const ACCEPT_RANGES: u8 = 20;
pub(crate) const ETAG: u8 = 22;
/// Fields of requests.
const IF_RANGE: u8 = 32;
const RANGE: u8 = 37;

/// The boundary between parts. It need not be random: clients find parts by the lengths they know, and a part that holds
/// it is told apart by its place.
const BOUNDARY: &str = "nthttp_7MA4YWxkTrZu0gW_part";

/// What a complete response becomes for a request.
pub(crate) enum Served {
    /// What it is.
    Whole,
    /// This instead, with the body cut to it.
    Instead(Box<ResponseHead>),
}

/// The value of a request's field.
pub(crate) fn asked(head: &RequestHead, id: u8) -> Option<&[u8]> {
    head.fields.iter().find(|field| field.id == id).map(|field| head.text(field.value))
}

/// The value of a response's field.
pub(crate) fn given(head: &ResponseHead, id: u8) -> Option<&[u8]> {
    let field = head.fields.iter().find(|field| field.id == id)?;
    head.text.get(field.value.0 as usize..(field.value.0 + field.value.1) as usize)
}

/// Whether the request asks for part of a 200 that is all there.
pub(crate) fn wants_part(request: &RequestHead, response: &ResponseHead) -> bool {
    request.verb == Verb::Get
        && response.status == 200
        && request.fields.iter().any(|field| field.id == RANGE)
        // Framing that the application made is not to be cut.
        && !names_coding(response)
}

/// Cuts a complete response to the part the request asks for.
pub(crate) fn cut(
    request: &RequestHead,
    response: &ResponseHead,
    body: &mut Body,
    total: u64,
) -> Result<Served> {
    let Some(range) = asked(request, RANGE) else { return Ok(Served::Whole) };
    if let Some(condition) = asked(request, IF_RANGE)
        && !if_range_holds(condition, given(response, ETAG), given(response, LAST_MODIFIED))
    {
        return Ok(Served::Whole);
    }
    let instead = match select(range, total) {
        Selection::Whole => return Ok(Served::Whole),
        Selection::Unsatisfiable => {
            body.clear();
            let mut head = changed(response, 416, "Range Not Satisfiable", &[CONTENT_LENGTH, CONTENT_TYPE]);
            insert(&mut head, CONTENT_RANGE, &format!("bytes */{total}"));
            head
        }
        Selection::Parts(parts) if parts.len() == 1 => {
            *body = slice(std::mem::take(body), parts[0])?;
            let mut head = changed(response, 206, "Partial Content", &[CONTENT_LENGTH]);
            insert(&mut head, CONTENT_RANGE, &parts[0].content_range(total));
            accept_ranges(&mut head);
            head
        }
        Selection::Parts(parts) => {
            let kind = given(response, CONTENT_TYPE).map(|kind| String::from_utf8_lossy(kind).into_owned());
            *body = multipart(body, &parts, total, kind.as_deref())?;
            let mut head = changed(response, 206, "Partial Content", &[CONTENT_LENGTH, CONTENT_TYPE]);
            insert(&mut head, CONTENT_TYPE, &format!("multipart/byteranges; boundary={BOUNDARY}"));
            accept_ranges(&mut head);
            head
        }
    };
    Ok(Served::Instead(Box::new(instead)))
}

fn accept_ranges(head: &mut ResponseHead) {
    if given(head, ACCEPT_RANGES).is_none() {
        insert(head, ACCEPT_RANGES, "bytes");
    }
}

/// The head with another status and without these fields, which are also looked for under their names.
pub(crate) fn changed(head: &ResponseHead, status: u16, reason: &str, without: &[u8]) -> ResponseHead {
    let mut out = ResponseHead {
        status,
        reason_len: reason.len() as u32,
        suppress_server: head.suppress_server,
        ..ResponseHead::default()
    };
    out.text.extend_from_slice(reason.as_bytes());
    let text = |span: (u32, u32)| &head.text[span.0 as usize..(span.0 + span.1) as usize];
    for field in &head.fields {
        let id = match field.id {
            UNKNOWN => crate::wire::field::response_id(text(field.name)),
            id => id,
        };
        if !without.contains(&id) {
            let name = push(&mut out, text(field.name));
            let value = push(&mut out, text(field.value));
            out.fields.push(ResponseField { id: field.id, name, value });
        }
    }
    out
}

fn push(head: &mut ResponseHead, text: &[u8]) -> (u32, u32) {
    let start = head.text.len() as u32;
    head.text.extend_from_slice(text);
    (start, text.len() as u32)
}

/// Adds a known field at its place among the known ones.
pub(crate) fn insert(head: &mut ResponseHead, id: u8, value: &str) {
    let value = push(head, value.as_bytes());
    let at = head.fields.iter().position(|field| field.id > id).unwrap_or(head.fields.len());
    head.fields.insert(at, ResponseField { id, name: (0, 0), value });
}

/// A part of a body: of each chunk what lies in it.
fn slice(body: Body, part: ByteRange) -> Result<Body> {
    let mut out = Body::new();
    let (mut skip, mut left) = (part.first, part.length());
    for chunk in body {
        let len = length(&chunk);
        if skip >= len {
            skip -= len;
            continue;
        }
        let take = left.min(len - skip);
        if take == 0 {
            break;
        }
        out.push(match chunk {
            Chunk::Memory(bytes) => Chunk::Memory(bytes.narrow(skip as usize, take as usize)),
            Chunk::File { file, offset, .. } => {
                Chunk::File { file, offset: offset + skip, length: Some(take) }
            }
            Chunk::Shared { bytes, offset, .. } => {
                Chunk::Shared { bytes, offset: offset + skip as usize, length: take as usize }
            }
            other => other,
        });
        (skip, left) = (0, left - take);
    }
    Ok(out)
}

/// A multipart body of several parts. Memory is copied: a caller's memory cannot be lent twice.
fn multipart(body: &Body, parts: &[ByteRange], total: u64, kind: Option<&str>) -> Result<Body> {
    let mut out = Body::new();
    let whole: Body = body.iter().map(shared).collect();
    for part in parts {
        let mut head = format!("\r\n--{BOUNDARY}\r\n");
        if let Some(kind) = kind {
            let _ = write!(head, "Content-Type: {kind}\r\n");
        }
        let _ = write!(head, "Content-Range: {}\r\n\r\n", part.content_range(total));
        out.push(Chunk::Memory(LentBytes::owned(head.into_bytes())));
        out.extend(slice(whole.iter().map(shared).collect(), *part)?);
    }
    out.push(Chunk::Memory(LentBytes::owned(format!("\r\n--{BOUNDARY}--\r\n").into_bytes())));
    Ok(out)
}

/// The same bytes once more: memory is copied the first time.
fn shared(chunk: &Chunk) -> Chunk {
    match chunk {
        Chunk::File { file, offset, length } => {
            Chunk::File { file: std::sync::Arc::clone(file), offset: *offset, length: *length }
        }
        Chunk::Shared { bytes, offset, length } => {
            Chunk::Shared { bytes: std::sync::Arc::clone(bytes), offset: *offset, length: *length }
        }
        Chunk::Memory(bytes) => {
            let bytes: std::sync::Arc<[u8]> = bytes.as_slice().into();
            Chunk::Shared { length: bytes.len(), bytes, offset: 0 }
        }
        // Put in place before anything is sent (`cache::fragments`).
        Chunk::Fragment { .. } | Chunk::Trailers(_) => Chunk::Memory(LentBytes::empty()),
    }
}

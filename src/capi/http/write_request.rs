//! Writes a request into the caller's buffer as `HTTP_REQUEST_V1` or `HTTP_REQUEST_V2`.
//!
//! `layout` has planned every place; here each piece is written once, front to back. The writer checks every place
//! against the buffer all the same, so a plan that were wrong would end in an error and not in foreign memory.
#![expect(unsafe_code, reason = "lays C structures and arrays over the caller's buffer")]

use std::ptr;

use crate::abi::base::{PCSTR, PCWSTR};
use crate::abi::http::*;
use crate::server::service::{ApiVersion, Delivery};
use crate::wire::field::{Field, UNKNOWN};
use crate::wire::request::{RequestHead, Verb};

use super::cooked::HOST_START;
use super::joined::{Joined, separator};
use super::layout::{BodyRoom, Extra, Plan};
use super::request_tail::Tail;
use super::{layout, request_info, trailers};

/// Writes the planned request at the start of `buffer`, which is aligned to 8 and holds at least `plan.size` bytes.
pub(super) fn write_http_request_v2(plan: &Plan<'_>, buffer: &mut [u8]) {
    let whole = buffer.len();
    let (fixed, rest) = buffer.split_at_mut(plan.fixed);
    let mut tail = Tail { rest };
    let unknown = tail.take(plan.unknown * size_of::<HTTP_UNKNOWN_HEADER>());
    fixed.fill(0);
    let trailers = plan.extra.as_ref().map(|extra| write_infos(extra, fixed, &mut tail));
    let request = request_in(fixed);
    let delivery = plan.delivery;
    let head: &RequestHead = &delivery.head;
    write_ids(request, delivery);
    request.Flags = flags(delivery);
    request.UrlContext = delivery.url_context;
    request.Version = HTTP_VERSION { MajorVersion: head.version.0, MinorVersion: head.version.1 };
    request.BytesReceived = delivery.bytes_received;
    request.Address = HTTP_TRANSPORT_ADDRESS {
        pRemoteAddress: tail.address(&delivery.remote),
        pLocalAddress: tail.address(&delivery.local),
    };
    request.CookedUrl = write_cooked_url(plan, &mut tail);
    request.RawUrlLength = ushort(head.target.len as usize);
    request.pRawUrl = tail.text(head.text(head.target));
    write_verb(request, head, &mut tail);
    write_fields(plan, unknown, &mut request.Headers, &mut tail);
    if let Some(place) = trailers.filter(|place| !place.is_empty()) {
        let headers = &mut request.Headers;
        let section = trailers::section(delivery);
        (headers.TrailerCount, headers.pTrailers) = trailers::write(section, place, &mut tail);
    }
    debug_assert_eq!(plan.size + tail.rest.len(), whole);
}

/// Writes what a receive leaves behind that ends with `ERROR_MORE_DATA`: zeros and the two ids.
pub(super) fn write_ids_only(plan: &Plan<'_>, buffer: &mut [u8]) {
    let fixed = &mut buffer[..plan.fixed];
    fixed.fill(0);
    write_ids(request_in(fixed), plan.delivery);
}

/// Tells the body copied behind the request: `len` bytes at `room.start`.
pub(super) fn write_body(room: &BodyRoom, len: usize, more_body: bool, buffer: &mut [u8]) {
    let base = buffer.as_mut_ptr();
    // SAFETY: `room` lies inside the buffer and its chunk at a multiple of 8, by `BodyRoom::behind`.
    let (request, chunk, bytes) = unsafe {
        (
            &mut *base.cast::<HTTP_REQUEST_V1>(),
            base.add(room.chunk).cast::<HTTP_DATA_CHUNK>(),
            base.add(room.start),
        )
    };
    if more_body {
        request.Flags |= HTTP_REQUEST_FLAG_MORE_ENTITY_BODY_EXISTS;
    } else {
        request.Flags &= !HTTP_REQUEST_FLAG_MORE_ENTITY_BODY_EXISTS;
    }
    if len > 0 {
        let memory = HTTP_DATA_CHUNK_FROM_MEMORY { pBuffer: bytes.cast(), BufferLength: len as u32 };
        // SAFETY: as above; zero is a value of every member of the union.
        unsafe {
            chunk.write_bytes(0, 1);
            (*chunk).DataChunkType = HttpDataChunkFromMemory;
            (*chunk).Source.FromMemory = memory;
        }
        request.EntityChunkCount = 1;
        request.pEntityChunks = chunk;
    }
}

/// The fixed structure, which has been zeroed.
fn request_in(fixed: &mut [u8]) -> &mut HTTP_REQUEST_V1 {
    assert!(fixed.len() >= layout::fixed_size(ApiVersion::V1));
    // SAFETY: the caller's buffer is aligned to 8 (checked on entry), large enough (asserted), and zero is a value of
    // every member.
    unsafe { &mut *fixed.as_mut_ptr().cast() }
}

/// Writes the request infos; gives the place of the trailers' array, which is next.
#[cold]
fn write_infos<'a>(extra: &Extra<'_>, fixed: &mut [u8], tail: &mut Tail<'a>) -> &'a mut [u8] {
    if !extra.infos.is_empty() {
        assert!(fixed.len() >= layout::fixed_size(ApiVersion::V2));
        let (count, array) = request_info::write(extra.infos, tail.take(request_info::room(extra.infos)));
        let request: *mut HTTP_REQUEST_V2 = fixed.as_mut_ptr().cast();
        // SAFETY: the caller's buffer is aligned to 8 (checked on entry) and large enough (asserted).
        unsafe {
            (*request).RequestInfoCount = count;
            (*request).pRequestInfo = array;
        }
    }
    tail.take(extra.trailers.0)
}

fn write_ids(request: &mut HTTP_REQUEST_V1, delivery: &Delivery) {
    request.ConnectionId = delivery.connection.0;
    request.RequestId = delivery.request.0;
}

fn flags(delivery: &Delivery) -> u32 {
    let more = if delivery.more_body { HTTP_REQUEST_FLAG_MORE_ENTITY_BODY_EXISTS } else { 0 };
    let routed = if delivery.ip_routed { HTTP_REQUEST_FLAG_IP_ROUTED } else { 0 };
    more | routed
}

fn write_cooked_url(plan: &Plan<'_>, tail: &mut Tail<'_>) -> HTTP_COOKED_URL {
    let len = plan.url.len();
    let units = tail.units(len + 1);
    let ends = plan.url.write(&mut units[..len]);
    units[len] = 0;
    let at = |unit: usize| -> PCWSTR { &raw const units[unit] };
    let query = ends.all - ends.path;
    HTTP_COOKED_URL {
        FullUrlLength: ushort(ends.all * 2),
        HostLength: ushort((ends.host - HOST_START) * 2),
        AbsPathLength: ushort((ends.path - ends.host) * 2),
        QueryStringLength: ushort(query * 2),
        pFullUrl: at(0),
        pHost: at(HOST_START),
        pAbsPath: at(ends.host),
        pQueryString: if query > 0 { at(ends.path) } else { ptr::null() },
    }
}

fn write_verb(request: &mut HTTP_REQUEST_V1, head: &RequestHead, tail: &mut Tail<'_>) {
    request.Verb = head.verb as HTTP_VERB;
    if head.verb == Verb::Unknown {
        request.UnknownVerbLength = ushort(head.verb_text.len as usize);
        request.pUnknownVerb = tail.text(head.text(head.verb_text));
    }
}

/// Writes names and values, and the entries that point at them. `unknown` is the place of the unknown header array.
fn write_fields(
    plan: &Plan<'_>,
    unknown: &mut [u8],
    headers: &mut HTTP_REQUEST_HEADERS,
    tail: &mut Tail<'_>,
) {
    let head: &RequestHead = &plan.delivery.head;
    if plan.unknown > 0 {
        headers.UnknownHeaderCount = ushort(plan.unknown);
        headers.pUnknownHeaders = unknown.as_mut_ptr().cast();
    }
    let mut entries = unknown.chunks_exact_mut(size_of::<HTTP_UNKNOWN_HEADER>());
    for (index, field) in head.fields.iter().enumerate() {
        let (value, len) = match &plan.joined {
            None => (tail.text(head.text(field.value)), field.value.len as usize),
            Some(joined) if joined.is_later(index) => continue,
            Some(joined) => write_joined(head, joined, index, tail),
        };
        if field.id == UNKNOWN {
            let name = tail.text(head.text(field.name));
            if let Some(place) = entries.next() {
                set_header(place, field, name, value, len);
            }
        } else if let Some(known) = headers.KnownHeaders.get_mut(field.id as usize) {
            *known = HTTP_KNOWN_HEADER { RawValueLength: ushort(len), pRawValue: value };
        }
    }
}

/// Writes an entry of the unknown header array at `place`.
fn set_header(place: &mut [u8], field: &Field, name: PCSTR, value: PCSTR, len: usize) {
    assert!(place.len() == size_of::<HTTP_UNKNOWN_HEADER>());
    let header = HTTP_UNKNOWN_HEADER {
        NameLength: ushort(field.name.len as usize),
        RawValueLength: ushort(len),
        pName: name,
        pRawValue: value,
    };
    // SAFETY: the place is large enough (asserted), and the array starts at a multiple of 8.
    unsafe { place.as_mut_ptr().cast::<HTTP_UNKNOWN_HEADER>().write(header) };
}

/// Writes the values of all lines that share a name, joined, and one NUL.
#[cold]
fn write_joined(head: &RequestHead, joined: &Joined, first: usize, tail: &mut Tail<'_>) -> (PCSTR, usize) {
    let before = tail.rest.len();
    let value = tail.append(head.text(head.fields[first].value));
    let mut at = first;
    while let Some(next) = joined.next(at) {
        tail.append(separator(head.fields[next].id));
        tail.append(head.text(head.fields[next].value));
        at = next;
    }
    let len = before - tail.rest.len();
    tail.append(b"\0");
    (value, len)
}

/// A length of the structure. Heads are far shorter by default; a longer value than 16 bits can tell is told cut.
#[inline]
fn ushort(len: usize) -> u16 {
    len.min(0xFFFE) as u16
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Buffer, delivery, get_with_repeats};
    use super::*;

    struct Written {
        buffer: Buffer,
        size: usize,
    }

    impl Written {
        fn of(delivery: &Delivery) -> Written {
            let plan = Plan::new(ApiVersion::V2, delivery);
            let mut buffer = Buffer::new(plan.size);
            // SAFETY: the buffer holds `size` bytes, rounded up to 8.
            let bytes = unsafe { std::slice::from_raw_parts_mut(buffer.start(), plan.size) };
            write_http_request_v2(&plan, bytes);
            Written { size: plan.size, buffer }
        }

        fn request(&mut self) -> &HTTP_REQUEST_V2 {
            // SAFETY: just written there.
            unsafe { &*self.buffer.start().cast() }
        }

        /// The string at `place`, which must lie in the buffer and end in NUL.
        fn text(&mut self, place: PCSTR, len: u16) -> String {
            let start = self.buffer.start();
            let at = place as usize - start as usize;
            assert!(at + usize::from(len) < self.size, "outside the buffer");
            // SAFETY: checked to lie in the buffer.
            let bytes = unsafe { std::slice::from_raw_parts(start.add(at), usize::from(len) + 1) };
            assert_eq!(bytes[usize::from(len)], 0);
            String::from_utf8(bytes[..usize::from(len)].to_vec()).unwrap()
        }

        fn known(&mut self, id: HTTP_HEADER_ID) -> Option<String> {
            let known = self.request().Base.Headers.KnownHeaders[id as usize];
            (!known.pRawValue.is_null()).then(|| self.text(known.pRawValue, known.RawValueLength))
        }
    }

    #[test]
    fn repeated_fields_are_told_once() {
        let mut written = Written::of(&get_with_repeats());
        assert_eq!(written.known(HttpHeaderAccept).as_deref(), Some("text/html, text/plain"));
        assert_eq!(written.known(HttpHeaderCookie).as_deref(), Some("a=1; b=2"));
        assert_eq!(written.known(HttpHeaderAcceptEncoding).as_deref(), Some(""));
        assert_eq!(written.known(HttpHeaderRange), None);
        let headers = written.request().Base.Headers;
        assert_eq!(headers.UnknownHeaderCount, 2);
        let told: Vec<(String, String)> = (0..2)
            .map(|index| {
                // SAFETY: the array has two entries.
                let header = unsafe { *headers.pUnknownHeaders.add(index) };
                let name = written.text(header.pName, header.NameLength);
                (name, written.text(header.pRawValue, header.RawValueLength))
            })
            .collect();
        assert_eq!(told[0], ("X-One".into(), "1, 2".into()));
        assert_eq!(told[1], ("X-Empty".into(), String::new()));
    }

    #[test]
    fn the_fixed_part_tells_the_request() {
        let mut delivery = get_with_repeats();
        (delivery.more_body, delivery.ip_routed) = (true, true);
        let mut written = Written::of(&delivery);
        let request = written.request().Base;
        assert_eq!((request.RequestId, request.ConnectionId, request.UrlContext), (0xF00D, 0xBEEF, 77));
        assert_eq!((request.Verb, request.UnknownVerbLength, request.Flags), (HttpVerbGET, 0, 3));
        assert_eq!((request.Version.MajorVersion, request.Version.MinorVersion), (1, 1));
        assert!(
            request.pUnknownVerb.is_null() && request.pSslInfo.is_null() && request.pEntityChunks.is_null()
        );
        assert_eq!(written.text(request.pRawUrl, request.RawUrlLength), "/foobar?a=b");
        assert_eq!(written.request().RequestInfoCount, 0);
    }

    #[test]
    fn the_cooked_url_points_into_itself() {
        let mut written = Written::of(&get_with_repeats());
        let url = written.request().Base.CookedUrl;
        let full = "http://localhost:50000/foobar?a=b";
        // SAFETY: the URL and its NUL were just written.
        let units = unsafe { std::slice::from_raw_parts(url.pFullUrl, full.len() + 1) };
        assert_eq!(String::from_utf16(units).unwrap(), format!("{full}\0"));
        assert_eq!(
            (url.FullUrlLength, url.HostLength, url.AbsPathLength, url.QueryStringLength),
            (66, 30, 14, 8)
        );
        let at = |place: PCWSTR| (place as usize - url.pFullUrl as usize) / 2;
        assert_eq!((at(url.pHost), at(url.pAbsPath), at(url.pQueryString)), (7, 22, 29));
        assert_eq!(url.pFullUrl as usize % 2, 0);
    }

    #[test]
    fn an_unknown_verb_is_spelled_out() {
        let mut written = Written::of(&delivery(Verb::Unknown, "xyzzy", "/", &[(28, "Host", "h:1")]));
        let request = written.request().Base;
        assert_eq!(
            (request.Verb, written.text(request.pUnknownVerb, request.UnknownVerbLength)),
            (1, "xyzzy".into())
        );
        assert!(request.CookedUrl.pQueryString.is_null() && request.Headers.pUnknownHeaders.is_null());
        assert_eq!(request.Address.pRemoteAddress as usize % 8, 0);
    }

    #[test]
    fn what_is_left_behind_by_more_data_is_two_ids() {
        let delivery = get_with_repeats();
        let plan = Plan::new(ApiVersion::V1, &delivery);
        let mut buffer = Buffer::new(plan.fixed);
        // SAFETY: the buffer holds `fixed` bytes.
        let bytes = unsafe { std::slice::from_raw_parts_mut(buffer.start(), plan.fixed) };
        write_ids_only(&plan, bytes);
        let ids: [u8; 16] = bytes[8..24].try_into().unwrap();
        assert_eq!(ids[..2], [0xEF, 0xBE]);
        bytes[8..24].fill(0);
        assert!(bytes.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn copied_body_lies_behind_the_request() {
        let delivery = get_with_repeats();
        let plan = Plan::new(ApiVersion::V2, &delivery);
        let mut buffer = Buffer::new(plan.size + 64);
        // SAFETY: the buffer holds that much.
        let bytes = unsafe { std::slice::from_raw_parts_mut(buffer.start(), plan.size + 64) };
        write_http_request_v2(&plan, bytes);
        let room = BodyRoom::behind(plan.size, bytes.len()).unwrap();
        write_body(&room, 3, true, bytes);
        // SAFETY: written just now.
        let request = unsafe { &*bytes.as_ptr().cast::<HTTP_REQUEST_V1>() };
        assert_eq!((request.Flags, request.EntityChunkCount), (HTTP_REQUEST_FLAG_MORE_ENTITY_BODY_EXISTS, 1));
        // SAFETY: the chunk lies in the buffer.
        let memory = unsafe { (*request.pEntityChunks).Source.FromMemory };
        assert_eq!((memory.pBuffer as usize, memory.BufferLength), (bytes.as_ptr() as usize + room.start, 3));
    }
}

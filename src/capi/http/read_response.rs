//! Reads `HTTP_RESPONSE_V1` and `HTTP_RESPONSE_V2` into a [`ResponseHead`], refusing what must not reach the wire.
//!
//! Everything is copied, because programs free these structures while the send is pending. Body chunks are
//! `chunks`'s; what the system adds, replaces or leaves out is the engine's.
//!
//! Fields come out in wire order: known ones by id, each with its multiple-known-headers entries behind it, then
//! unknown ones. An unknown field that spells a known name stays unknown: the engine honours it, sent as given.
#![expect(unsafe_code, reason = "reads C structures")]
#![expect(non_upper_case_globals, reason = "Windows spelling, as in the header")]

use crate::abi::error::{Error, Result};
use crate::abi::http::*;
use crate::server::service::{ApiVersion, Property, ResponseField, ResponseHead};
use crate::wire::field::{UNKNOWN, is_token, value_is_safe};

use super::property_auth::{read_authentication, read_channel_bind};
use super::property_buffers::Given;
use super::property_qos::read_qos;

/// Unknown fields one response may have.
const MAX_UNKNOWN: u16 = 9999;

const KNOWN_FLAGS: u32 =
    HTTP_RESPONSE_FLAG_MULTIPLE_ENCODINGS_AVAILABLE | HTTP_RESPONSE_FLAG_MORE_ENTITY_BODY_EXISTS;

/// Reads the head of `response`, whose tail past `HTTP_RESPONSE_V1` exists on version 2 queues only.
///
/// # Safety
/// `response` is aligned, and with everything it points at valid for reads during the call.
pub(super) unsafe fn read_http_response_v2(
    version: ApiVersion,
    response: *const HTTP_RESPONSE_V2,
    head: &mut ResponseHead,
) -> Result<()> {
    // SAFETY: the caller promised a readable structure; a version 1 one ends after `Base`.
    let base = unsafe { &(*response).Base };
    let valid = base.Flags & !KNOWN_FLAGS == 0
        && (100..=999).contains(&base.StatusCode)
        && base.Headers.UnknownHeaderCount <= MAX_UNKNOWN
        && base.Headers.TrailerCount == 0;
    if !valid {
        return Err(Error::INVALID_PARAMETER);
    }
    head.status = base.StatusCode;
    head.text.clear();
    head.fields.clear();
    head.extras = None;
    if base.Flags & HTTP_RESPONSE_FLAG_MULTIPLE_ENCODINGS_AVAILABLE != 0 {
        head.extras_mut().multiple_encodings = true;
    }
    // SAFETY: as promised by the caller, here and in the calls below.
    unsafe {
        head.reason_len = push_text(head, base.pReason, base.ReasonLength)?.1;
        let infos = match version {
            ApiVersion::V1 => &[][..],
            ApiVersion::V2 => array((*response).pResponseInfo, (*response).ResponseInfoCount)?,
        };
        read_known(head, &base.Headers, infos)?;
        for field in array(base.Headers.pUnknownHeaders, base.Headers.UnknownHeaderCount)? {
            read_unknown(head, field)?;
        }
    }
    Ok(())
}

/// Reads the known fields in id order, each followed by its entries in `infos`.
///
/// # Safety
/// Everything the arguments point at is valid for reads.
unsafe fn read_known(
    head: &mut ResponseHead,
    headers: &HTTP_RESPONSE_HEADERS,
    infos: &[HTTP_RESPONSE_INFO],
) -> Result<()> {
    // SAFETY: as promised by the caller, here and below.
    let listed = unsafe { check_infos(head, infos)? };
    let server = &headers.KnownHeaders[HttpHeaderServer as usize];
    head.suppress_server = server.RawValueLength == 0 && !server.pRawValue.is_null();
    let mut given = listed;
    for (id, known) in headers.KnownHeaders.iter().enumerate() {
        given |= u32::from(known.RawValueLength > 0) << id;
    }
    while given != 0 {
        let id = given.trailing_zeros();
        given &= given - 1;
        let known = &headers.KnownHeaders[id as usize];
        if known.RawValueLength > 0 {
            // SAFETY: see above.
            unsafe { push_known(head, id as u8, known)? };
        }
        if listed & 1 << id != 0 {
            // SAFETY: see above.
            unsafe { read_listed(head, id as u8, infos)? };
        }
    }
    Ok(())
}

/// Checks every response info, takes over what concerns this response alone, and gives the set of ids that
/// multiple-known-headers entries bring.
///
/// # Safety
/// Everything the infos point at is valid for reads.
unsafe fn check_infos(head: &mut ResponseHead, infos: &[HTTP_RESPONSE_INFO]) -> Result<u32> {
    let mut listed = 0;
    for info in infos {
        match info.Type {
            HttpResponseInfoTypeMultipleKnownHeaders => {
                // SAFETY: as promised by the caller.
                let multiple = unsafe { multiple_of(info)? };
                let valid = (0..HttpHeaderResponseMaximum).contains(&multiple.HeaderId)
                    && multiple.Flags & !HTTP_RESPONSE_INFO_FLAGS_PRESERVE_ORDER == 0
                    && (multiple.KnownHeaderCount == 0 || !multiple.KnownHeaders.is_null());
                if !valid {
                    return Err(Error::INVALID_PARAMETER);
                }
                listed |= 1 << multiple.HeaderId;
            }
            HttpResponseInfoTypeAuthenticationProperty
            | HttpResponseInfoTypeQosProperty
            | HttpResponseInfoTypeChannelBind => {
                // SAFETY: as promised by the caller.
                unsafe { read_extra(head, info)? };
            }
            _ => return Err(Error::INVALID_PARAMETER),
        }
    }
    Ok(listed)
}

/// Reads a property of this response alone.
///
/// # Safety
/// What `info` points at is valid for reads.
unsafe fn read_extra(head: &mut ResponseHead, info: &HTTP_RESPONSE_INFO) -> Result<()> {
    let given = Given { start: info.pInfo, len: info.Length };
    // SAFETY: as promised by the caller.
    unsafe {
        match info.Type {
            HttpResponseInfoTypeQosProperty => match read_qos(given)? {
                Property::Bandwidth(limit) => head.extras_mut().bandwidth = limit,
                Property::FlowRate(rate) => head.extras_mut().flow_rate = rate,
                _ => return Err(Error::INVALID_PARAMETER),
            },
            HttpResponseInfoTypeChannelBind => {
                head.extras_mut().channel_bind = Some(read_channel_bind(given)?)
            }
            _ => head.extras_mut().authentication = read_authentication(given, true)?,
        }
    }
    Ok(())
}

/// # Safety
/// What `info` points at is valid for reads.
unsafe fn multiple_of(info: &HTTP_RESPONSE_INFO) -> Result<&HTTP_MULTIPLE_KNOWN_HEADERS> {
    let place: *const HTTP_MULTIPLE_KNOWN_HEADERS = info.pInfo.cast();
    let whole = info.Length as usize >= size_of::<HTTP_MULTIPLE_KNOWN_HEADERS>();
    if !whole || place.is_null() || !place.is_aligned() {
        return Err(Error::INVALID_PARAMETER);
    }
    // SAFETY: as promised by the caller; NULL and misaligned pointers are refused above.
    Ok(unsafe { &*place })
}

/// Reads the entries `infos` list for one id; empty ones are skipped.
///
/// # Safety
/// As for [`check_infos`], which has passed them.
unsafe fn read_listed(head: &mut ResponseHead, id: u8, infos: &[HTTP_RESPONSE_INFO]) -> Result<()> {
    for info in infos {
        // SAFETY: as promised by the caller, here and below.
        let multiple = unsafe { multiple_of(info)? };
        if multiple.HeaderId != i32::from(id) {
            continue;
        }
        let first = head.fields.len();
        // SAFETY: see above.
        for known in unsafe { array(multiple.KnownHeaders, multiple.KnownHeaderCount)? } {
            if known.RawValueLength > 0 {
                // SAFETY: see above.
                unsafe { push_known(head, id, known)? };
            }
        }
        if id == HttpHeaderWwwAuthenticate as u8
            && multiple.Flags & HTTP_RESPONSE_INFO_FLAGS_PRESERVE_ORDER == 0
        {
            let ResponseHead { text, fields, .. } = head;
            fields[first..].sort_by_key(|field| scheme_rank(text, field));
        }
    }
    Ok(())
}

/// Challenges go out strongest first; schemes the system does not know come last, as given.
fn scheme_rank(text: &[u8], field: &ResponseField) -> usize {
    let value = &text[field.value.0 as usize..][..field.value.1 as usize];
    let scheme = value.split(|byte| matches!(byte, b' ' | b'\t' | b',')).next().unwrap_or(value);
    let order: [&[u8]; 4] = [b"Negotiate", b"NTLM", b"Digest", b"Basic"];
    order.iter().position(|known| scheme.eq_ignore_ascii_case(known)).unwrap_or(order.len())
}

/// # Safety
/// The value is valid for reads.
unsafe fn push_known(head: &mut ResponseHead, id: u8, known: &HTTP_KNOWN_HEADER) -> Result<()> {
    // SAFETY: as promised by the caller.
    let value = unsafe { push_text(head, known.pRawValue, known.RawValueLength)? };
    head.fields.push(ResponseField { id, name: (0, 0), value });
    Ok(())
}

/// # Safety
/// Name and value are valid for reads.
unsafe fn read_unknown(head: &mut ResponseHead, field: &HTTP_UNKNOWN_HEADER) -> Result<()> {
    // SAFETY: as promised by the caller, here and below.
    let name = unsafe { push_text(head, field.pName, field.NameLength)? };
    if !is_token(&head.text[name.0 as usize..]) {
        return Err(Error::INVALID_PARAMETER);
    }
    // SAFETY: see above.
    let value = unsafe { push_text(head, field.pRawValue, field.RawValueLength)? };
    head.fields.push(ResponseField { id: UNKNOWN, name, value });
    Ok(())
}

/// Copies a string and gives its start and length. Refuses NULL with a length, and bytes that would break the head.
///
/// # Safety
/// `start` is NULL or valid for reads of `len` bytes.
unsafe fn push_text(
    head: &mut ResponseHead,
    start: *const core::ffi::c_char,
    len: u16,
) -> Result<(u32, u32)> {
    let at = u32::try_from(head.text.len()).map_err(|_| Error::INVALID_PARAMETER)?;
    // SAFETY: as promised by the caller.
    let bytes = unsafe { array(start.cast::<u8>(), len)? };
    if !value_is_safe(bytes) {
        return Err(Error::INVALID_PARAMETER);
    }
    head.text.extend_from_slice(bytes);
    Ok((at, u32::from(len)))
}

/// A C array. NULL is one of no elements only.
///
/// # Safety
/// `start` is NULL or valid for reads of `count` elements while the slice lives.
pub(super) unsafe fn array<'a, T>(start: *const T, count: u16) -> Result<&'a [T]> {
    if count == 0 {
        return Ok(&[]);
    }
    if start.is_null() {
        return Err(Error::INVALID_PARAMETER);
    }
    if !start.is_aligned() {
        return Err(Error::NOACCESS);
    }
    // SAFETY: as promised by the caller; NULL and misaligned pointers are refused above.
    Ok(unsafe { std::slice::from_raw_parts(start, usize::from(count)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr;

    fn known(value: &str) -> HTTP_KNOWN_HEADER {
        HTTP_KNOWN_HEADER { RawValueLength: value.len() as u16, pRawValue: value.as_ptr().cast() }
    }

    fn unknown(name: &str, value: &str) -> HTTP_UNKNOWN_HEADER {
        HTTP_UNKNOWN_HEADER {
            NameLength: name.len() as u16,
            RawValueLength: value.len() as u16,
            pName: name.as_ptr().cast(),
            pRawValue: value.as_ptr().cast(),
        }
    }

    fn response() -> HTTP_RESPONSE_V2 {
        // SAFETY: zero is a value of every member.
        let mut response: HTTP_RESPONSE_V2 = unsafe { std::mem::zeroed() };
        response.Base.StatusCode = 200;
        response.Base.ReasonLength = 2;
        response.Base.pReason = c"OK".as_ptr();
        response
    }

    fn read(response: &HTTP_RESPONSE_V2) -> Result<ResponseHead> {
        let mut head = ResponseHead::default();
        // SAFETY: the structures of these tests are whole.
        unsafe { read_http_response_v2(ApiVersion::V2, response, &mut head)? };
        Ok(head)
    }

    fn lines(head: &ResponseHead) -> Vec<(u8, String)> {
        let text =
            |(start, len): (u32, u32)| String::from_utf8_lossy(&head.text[start as usize..][..len as usize]);
        head.fields.iter().map(|f| (f.id, format!("{}:{}", text(f.name), text(f.value)))).collect()
    }

    #[test]
    fn known_fields_stand_by_id_with_listed_ones_at_their_place() {
        let mut cookies = [known("a=1"), known(""), known("b=2")];
        let multiple = HTTP_MULTIPLE_KNOWN_HEADERS {
            HeaderId: HttpHeaderSetCookie,
            Flags: 0,
            KnownHeaderCount: 3,
            KnownHeaders: cookies.as_mut_ptr(),
        };
        let info = HTTP_RESPONSE_INFO {
            Type: HttpResponseInfoTypeMultipleKnownHeaders,
            Length: size_of_val(&multiple) as u32,
            pInfo: (&raw const multiple).cast_mut().cast(),
        };
        let mut others = [unknown("X-Empty", ""), unknown("Server", "mine")];
        let mut response = response();
        response.ResponseInfoCount = 1;
        response.pResponseInfo = (&raw const info).cast_mut();
        response.Base.Headers.KnownHeaders[HttpHeaderVary as usize] = known("Accept");
        response.Base.Headers.KnownHeaders[HttpHeaderContentType as usize] = known("text/plain");
        response.Base.Headers.UnknownHeaderCount = 2;
        response.Base.Headers.pUnknownHeaders = others.as_mut_ptr();
        let head = read(&response).unwrap();
        let expected = [
            (12, ":text/plain"),
            (27, ":a=1"),
            (27, ":b=2"),
            (28, ":Accept"),
            (UNKNOWN, "X-Empty:"),
            (UNKNOWN, "Server:mine"),
        ];
        assert_eq!(lines(&head), expected.map(|(id, text)| (id, text.to_owned())));
        assert_eq!((head.status, &head.text[..2], head.reason_len), (200, &b"OK"[..], 2));
    }

    #[test]
    fn challenges_are_sorted_unless_order_is_to_be_kept() {
        let mut entries = [known("Basic realm=\"x\""), known("Other"), known("Negotiate"), known("NTLM")];
        for (flags, first) in
            [(0, ":Negotiate"), (HTTP_RESPONSE_INFO_FLAGS_PRESERVE_ORDER, ":Basic realm=\"x\"")]
        {
            let multiple = HTTP_MULTIPLE_KNOWN_HEADERS {
                HeaderId: HttpHeaderWwwAuthenticate,
                Flags: flags,
                KnownHeaderCount: 4,
                KnownHeaders: entries.as_mut_ptr(),
            };
            let info = HTTP_RESPONSE_INFO {
                Type: HttpResponseInfoTypeMultipleKnownHeaders,
                Length: size_of_val(&multiple) as u32,
                pInfo: (&raw const multiple).cast_mut().cast(),
            };
            let mut response = response();
            response.ResponseInfoCount = 1;
            response.pResponseInfo = (&raw const info).cast_mut();
            assert_eq!(lines(&read(&response).unwrap())[0].1, first);
        }
    }

    #[test]
    fn an_empty_server_field_asks_for_none() {
        let mut response = response();
        assert!(!read(&response).unwrap().suppress_server);
        response.Base.Headers.KnownHeaders[HttpHeaderServer as usize] = known("");
        assert!(read(&response).unwrap().suppress_server);
    }

    #[test]
    fn what_would_break_the_head_is_refused() {
        let refused = |change: &dyn Fn(&mut HTTP_RESPONSE_V2)| {
            let mut response = response();
            change(&mut response);
            assert_eq!(read(&response).err(), Some(Error::INVALID_PARAMETER));
        };
        refused(&|r| r.Base.StatusCode = 99);
        refused(&|r| r.Base.StatusCode = 1000);
        refused(&|r| r.Base.Flags = 4);
        refused(&|r| r.Base.pReason = ptr::null());
        refused(&|r| r.Base.pReason = c"\r\n".as_ptr());
        refused(&|r| r.Base.Headers.TrailerCount = 1);
        refused(&|r| r.Base.Headers.UnknownHeaderCount = 1);
        refused(&|r| r.Base.Headers.KnownHeaders[0] = known("a\nb"));
        refused(&|r| r.Base.Headers.KnownHeaders[0] = known("a\0b"));
        refused(&|r| r.Base.Headers.KnownHeaders[0].RawValueLength = 1);
        refused(&|r| r.ResponseInfoCount = 1);
        for field in [unknown("", "x"), unknown("a b", "x"), unknown("a:", "x"), unknown("a", "x\r\ny")] {
            refused(&move |r| {
                r.Base.Headers.UnknownHeaderCount = 1;
                r.Base.Headers.pUnknownHeaders = (&raw const field).cast_mut();
            });
        }
    }
}

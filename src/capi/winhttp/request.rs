//! Requests: opening, header fields, sending.
#![expect(unsafe_code, reason = "exports, and strings and buffers of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::sync::Arc;

use super::handle::{self, Object};
use super::options::default_version_is_1_0;
use super::target::read_target;
use super::text::{counted, optional, put};
use crate::abi::base::{BOOL, DWORD, DWORD_PTR, LPCVOID, LPCWSTR, LPDWORD, LPVOID, TRUE, ULONGLONG};
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::capi::guard::{returning_status, winhttp_returning};
use crate::client::notify::Event;
use crate::client::request::Request;
use crate::client::session::Connect;
use crate::client::{Operation, Plan, Url};
use crate::win32::lent::LentBytes;
use crate::wire::field::{is_token, value_is_safe};
use crate::wire::request_fields::{RequestField, apply, apply_text};

const KNOWN_FLAGS: u32 = WINHTTP_FLAG_ESCAPE_PERCENT
    | WINHTTP_FLAG_NULL_CODEPAGE
    | WINHTTP_FLAG_ESCAPE_DISABLE
    | WINHTTP_FLAG_ESCAPE_DISABLE_QUERY
    | WINHTTP_FLAG_REFRESH
    | WINHTTP_FLAG_AUTOMATIC_CHUNKING
    | WINHTTP_FLAG_SECURE;

/// Lengths that mean "ends in NUL": -1, and 0 where a pointer is given all the same.
const OPEN_ENDED: [u32; 2] = [u32::MAX, 0];

/// Opens a request. No network is touched.
///
/// `pwszVerb` NULL or "" is GET. `pwszObjectName` is path and query, escaped as `dwFlags` say (WINHTTP_FLAG_ESCAPE_*).
/// `pwszVersion` NULL is HTTP/1.1. `pwszReferrer` and the NULL-terminated array `ppwszAcceptTypes` become Referer and
/// Accept, if not NULL. WINHTTP_FLAG_SECURE asks for https, WINHTTP_FLAG_REFRESH adds Pragma and (HTTP/1.1) Cache-Control,
/// WINHTTP_FLAG_AUTOMATIC_CHUNKING frames the body in chunks, one a write, that ReceiveResponse ends. Returns a
/// handle for WinHttpCloseHandle; on failure NULL: ERROR_INVALID_HANDLE, ERROR_WINHTTP_INCORRECT_HANDLE_TYPE,
/// ERROR_INVALID_PARAMETER for unknown flags and for a verb or value that would break the request.
/// HANDLE_CREATED comes through the request.
///
/// MSDN: WinHttpOpenRequest.
///
/// # Safety
/// Strings are NULL or end in NUL; the array ends in NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpOpenRequest(
    hConnect: HINTERNET,
    pwszVerb: LPCWSTR,
    pwszObjectName: LPCWSTR,
    pwszVersion: LPCWSTR,
    pwszReferrer: LPCWSTR,
    ppwszAcceptTypes: *mut LPCWSTR,
    dwFlags: DWORD,
) -> HINTERNET {
    winhttp_returning(|| {
        let connect = handle::connect(hConnect)?;
        if dwFlags & !KNOWN_FLAGS != 0 {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per WinHttpOpenRequest: strings end in NUL.
        let (verb, object, version, referrer) = unsafe {
            (optional(pwszVerb), optional(pwszObjectName), optional(pwszVersion), optional(pwszReferrer))
        };
        let mut plan = Plan::new(read_verb(verb)?, read_url(&connect, object.unwrap_or_default(), dwFlags));
        plan.version_1_0 = read_version(version);
        plan.referrer = referrer.map(read_value).transpose()?.filter(|value| !value.is_empty());
        // SAFETY: C caller, per WinHttpOpenRequest: the array ends in NULL, its strings in NUL.
        plan.accept = unsafe { read_accept(ppwszAcceptTypes) }?;
        plan.chunking = dwFlags & WINHTTP_FLAG_AUTOMATIC_CHUNKING != 0;
        plan.refresh = dwFlags & WINHTTP_FLAG_REFRESH != 0;
        let request = Arc::new(Request::new(connect, plan));
        let created = handle::open(Object::Request(Arc::clone(&request)))?;
        request.with_notifier(|notifier| *notifier).invoke(&Event::HandleCreated(created.addr()));
        Ok(created)
    })
}

fn read_verb(verb: Option<&[u16]>) -> Result<String> {
    let verb = String::from_utf16_lossy(verb.unwrap_or_default());
    match () {
        () if verb.is_empty() => Ok("GET".to_owned()),
        () if is_token(verb.as_bytes()) => Ok(verb),
        () => Err(Error::INVALID_PARAMETER),
    }
}

fn read_version(version: Option<&[u16]>) -> bool {
    match version {
        Some(version) if !version.is_empty() => {
            String::from_utf16_lossy(version).eq_ignore_ascii_case("HTTP/1.0")
        }
        _ => default_version_is_1_0(),
    }
}

fn read_url(connect: &Connect, object: &[u16], flags: u32) -> Url {
    let secure = flags & WINHTTP_FLAG_SECURE != 0;
    let standard = if secure { 443 } else { 80 };
    let target = connect.session.with(|state| read_target(object, flags, &state.settings.kept));
    let port = if connect.port == 0 { standard } else { connect.port };
    Url { secure, host: connect.host.clone(), port, target }
}

fn read_value(value: &[u16]) -> Result<Vec<u8>> {
    let value = String::from_utf16_lossy(value).into_bytes();
    if value_is_safe(&value) { Ok(value) } else { Err(Error::INVALID_PARAMETER) }
}

/// # Safety
/// As for the array of WinHttpOpenRequest.
unsafe fn read_accept(types: *mut LPCWSTR) -> Result<Option<Vec<u8>>> {
    let mut accept: Option<Vec<u8>> = None;
    let mut next = types;
    // SAFETY: C caller, per WinHttpOpenRequest: the array ends in NULL, its strings in NUL.
    while let Some(one) = unsafe { next.as_ref().and_then(|place| optional(*place)) } {
        let value = read_value(one)?;
        match &mut accept {
            Some(list) => list.extend_from_slice(&[b", ", &*value].concat()),
            None => accept = Some(value),
        }
        next = next.wrapping_add(1);
    }
    Ok(accept)
}

/// Adds, replaces or removes header fields of a request that it will be sent with.
///
/// `lpszHeaders` holds "Name: value" lines ended by CR and LF; `dwHeadersLength` counts characters, -1 for a text that
/// ends in NUL. `dwModifiers` are WINHTTP_ADDREQ_FLAG_*. Errors: ERROR_INVALID_PARAMETER for no text or a malformed
/// line (lines before it stay applied), ERROR_WINHTTP_HEADER_ALREADY_EXISTS, ERROR_WINHTTP_HEADER_NOT_FOUND,
/// ERROR_INVALID_HANDLE, ERROR_WINHTTP_INCORRECT_HANDLE_TYPE.
///
/// MSDN: WinHttpAddRequestHeaders.
///
/// # Safety
/// The text is readable for its length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpAddRequestHeaders(
    hRequest: HINTERNET,
    lpszHeaders: LPCWSTR,
    dwHeadersLength: DWORD,
    dwModifiers: DWORD,
) -> BOOL {
    winhttp_returning(|| {
        // SAFETY: C caller, per WinHttpAddRequestHeaders: that many characters, or up to a NUL.
        let text = unsafe { counted(lpszHeaders, dwHeadersLength, &[u32::MAX]) }?;
        let request = handle::request(hRequest)?;
        request.with_plan(|plan| apply_text(&mut plan.fields, text, dwModifiers))?;
        Ok(TRUE)
    })
}

/// As WinHttpAddRequestHeaders, with names and values apart, so that a value can bring no further fields.
///
/// `ullFlags` WINHTTP_EXTENDED_HEADER_FLAG_UNICODE says that the strings are wide; else they are bytes (UTF-8).
/// `ullExtra` must be 0. Returns the error code, 0 for success; the last error is left alone.
///
/// MSDN: WinHttpAddRequestHeadersEx.
///
/// # Safety
/// `pHeaders` holds `cHeaders` entries whose strings end in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpAddRequestHeadersEx(
    hRequest: HINTERNET,
    dwModifiers: DWORD,
    ullFlags: ULONGLONG,
    ullExtra: ULONGLONG,
    cHeaders: DWORD,
    pHeaders: *mut WINHTTP_EXTENDED_HEADER,
) -> DWORD {
    returning_status(|| {
        let wide = ullFlags & u64::from(WINHTTP_EXTENDED_HEADER_FLAG_UNICODE) != 0;
        if ullFlags & !u64::from(WINHTTP_EXTENDED_HEADER_FLAG_UNICODE) != 0
            || ullExtra != 0
            || cHeaders == 0
            || pHeaders.is_null()
        {
            return Err(Error::INVALID_PARAMETER);
        }
        let request = handle::request(hRequest)?;
        for index in 0..cHeaders as usize {
            // SAFETY: C caller, per WinHttpAddRequestHeadersEx: so many entries, strings that end in NUL.
            let field = unsafe { read_extended(&*pHeaders.add(index), wide) }?;
            request.with_plan(|plan| apply(&mut plan.fields, field, dwModifiers))?;
        }
        Ok(())
    })
}

/// # Safety
/// As for an entry of WinHttpAddRequestHeadersEx.
unsafe fn read_extended(entry: &WINHTTP_EXTENDED_HEADER, wide: bool) -> Result<RequestField> {
    // SAFETY: both members of each union are pointers; the caller says which it has set.
    let (name, value) = unsafe {
        if wide {
            let text = |units: *const u16| optional(units).map(String::from_utf16_lossy);
            (text(entry.Name.pwszName), text(entry.Value.pwszValue))
        } else {
            let text = |bytes: *const std::ffi::c_char| {
                optional(bytes.cast::<u8>()).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            };
            (text(entry.Name.pszName), text(entry.Value.pszValue))
        }
    };
    RequestField::new(&name.ok_or(Error::INVALID_PARAMETER)?, &value.unwrap_or_default())
}

/// Sends the request: connects if need be, sends the head and the first bytes of the body.
///
/// `lpszHeaders` (NULL for none) are added or replaced first; `dwHeadersLength` counts characters, -1 or 0 for a text
/// that ends in NUL. `lpOptional` are `dwOptionalLength` bytes that stay valid until the response is received.
/// `dwTotalLength` is the length of the whole body; with 0 a Content-Length field of your own tells it, and one of 4 GiB
/// or more always does. A Transfer-Encoding field of your own goes without either: you frame the body. A
/// `dwContext` other than 0 becomes the request's context, whatever else happens. Synchronous: returns when the bytes
/// are handed to the network. Asynchronous: SENDREQUEST_COMPLETE or REQUEST_ERROR follows, on another thread.
/// Errors: ERROR_INVALID_PARAMETER for lengths that contradict and a Content-Length field that is no plain decimal
/// number (or several that differ), ERROR_WINHTTP_INCORRECT_HANDLE_STATE, _NAME_NOT_RESOLVED, _CANNOT_CONNECT,
/// _TIMEOUT, _CONNECTION_ERROR, _OPERATION_CANCELLED, _RESPONSE_DRAIN_OVERFLOW, _SECURE_FAILURE.
///
/// MSDN: WinHttpSendRequest. Differs from Windows: https is not built in yet and fails with
/// ERROR_WINHTTP_SECURE_FAILURE.
///
/// # Safety
/// The text is readable for its length; the optional bytes are, until the response is received.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpSendRequest(
    hRequest: HINTERNET,
    lpszHeaders: LPCWSTR,
    dwHeadersLength: DWORD,
    lpOptional: LPVOID,
    dwOptionalLength: DWORD,
    dwTotalLength: DWORD,
    dwContext: DWORD_PTR,
) -> BOOL {
    winhttp_returning(|| {
        let request = handle::request(hRequest)?;
        if dwContext != 0 {
            request.with_notifier(|notifier| notifier.context = dwContext);
        }
        if !lpszHeaders.is_null() {
            // SAFETY: C caller, per WinHttpSendRequest: that many characters, or up to a NUL.
            let text = unsafe { counted(lpszHeaders, dwHeadersLength, &OPEN_ENDED) }?;
            if !text.is_empty() {
                let modifiers = WINHTTP_ADDREQ_FLAG_ADD | WINHTTP_ADDREQ_FLAG_REPLACE;
                request.with_plan(|plan| apply_text(&mut plan.fields, text, modifiers))?;
            }
        }
        if lpOptional.is_null() && dwOptionalLength != 0 {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per WinHttpSendRequest: the bytes are valid until the response is received.
        let optional = unsafe { LentBytes::new(lpOptional.cast(), dwOptionalLength as usize) };
        request.send(optional, dwTotalLength)?;
        Ok(TRUE)
    })
}

/// Sends more of the request's body, after WinHttpSendRequest has announced it.
///
/// The bytes go out as they are: a body with Transfer-Encoding is framed by the caller. Synchronous: returns when the
/// network has taken them all. Asynchronous: they stay valid until WRITE_COMPLETE (or REQUEST_ERROR), which gives the
/// count; `lpdwNumberOfBytesWritten` is then best NULL. Errors: ERROR_INVALID_PARAMETER for more than was announced,
/// ERROR_WINHTTP_INCORRECT_HANDLE_STATE, _CONNECTION_ERROR, _TIMEOUT, _OPERATION_CANCELLED.
///
/// MSDN: WinHttpWriteData.
///
/// # Safety
/// The bytes are readable until the operation completes; the count is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpWriteData(
    hRequest: HINTERNET,
    lpBuffer: LPCVOID,
    dwNumberOfBytesToWrite: DWORD,
    lpdwNumberOfBytesWritten: LPDWORD,
) -> BOOL {
    winhttp_returning(|| {
        if lpBuffer.is_null() && dwNumberOfBytesToWrite != 0 {
            return Err(Error::INVALID_PARAMETER);
        }
        let request = handle::request(hRequest)?;
        // SAFETY: C caller, per WinHttpWriteData: the bytes are valid until the operation completes.
        let bytes = unsafe { LentBytes::new(lpBuffer.cast(), dwNumberOfBytesToWrite as usize) };
        // SAFETY: C caller, per WinHttpWriteData: NULL or a place for the count.
        let mut tell = |written| unsafe { put(lpdwNumberOfBytesWritten, written) };
        request.start_counting(Operation::Write { bytes, sent: 0 }, &mut tell)?;
        Ok(TRUE)
    })
}

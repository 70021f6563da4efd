//! URLs and hints that need no request to be sent: `HttpPrepareUrl`, `HttpFindUrlGroupId`, `HttpDeclarePush`.
#![expect(unsafe_code, reason = "functions called from C; read its strings")]
#![expect(non_snake_case, non_upper_case_globals, reason = "Windows spelling, as in the header")]

use crate::abi::base::{HANDLE, PCSTR, PCWSTR, PVOID, PWSTR, ULONG};
use crate::abi::error::{Error, Result};
use crate::abi::http::*;
use crate::capi::base::memory::{GetProcessHeap, HeapAlloc};
use crate::capi::guard::returning_status;
use crate::server::service::{self, Question};
use crate::wire::prefix::UrlPrefix;

use super::init::ensure_server;
use super::queue::{device, queue_of};
use super::wide::wide;

/// Bytes a path or query of a push may have.
const MAX_TEXT: usize = 65_534;

/// Brings a URL prefix into the form in which prefixes are compared: scheme and host in small letters, the host, if
/// international, in ASCII (Punycode), addresses in short form, the path decoded and with its last slash.
///
/// `Reserved` is NULL, `Flags` 0. `*PreparedUrl` is a NUL-terminated string that the caller frees with
/// `HeapFree(GetProcessHeap(), 0, ...)`; NULL on failure. Needs no `HttpInitialize`. Errors: `ERROR_INVALID_PARAMETER` (URL
/// NULL or no prefix, `PreparedUrl` NULL, reserved parameters), `ERROR_NOT_ENOUGH_MEMORY`.
///
/// MSDN: HttpPrepareUrl function.
///
/// # Safety
/// `Url` is NULL or a NUL-terminated string; `PreparedUrl` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpPrepareUrl(
    Reserved: PVOID,
    Flags: ULONG,
    Url: PCWSTR,
    PreparedUrl: *mut PWSTR,
) -> ULONG {
    returning_status(|| {
        if PreparedUrl.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per HttpPrepareUrl: a place for the pointer.
        unsafe { PreparedUrl.write_unaligned(std::ptr::null_mut()) };
        if !Reserved.is_null() || Flags != 0 {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, as above: a NUL-terminated string, valid during the call.
        let mut url = unsafe { wide(Url)? }.to_vec();
        lower_scheme(&mut url);
        let prefix = UrlPrefix::parse(&url)?;
        let units: Vec<u16> = prefix.to_text().encode_utf16().chain([0]).collect();
        // SAFETY: the process's heap; the memory is as long as what is copied there.
        unsafe {
            let memory = HeapAlloc(GetProcessHeap(), 0, size_of_val(&units[..])).cast::<u16>();
            if memory.is_null() {
                return Err(Error::NOT_ENOUGH_MEMORY);
            }
            memory.copy_from_nonoverlapping(units.as_ptr(), units.len());
            PreparedUrl.write_unaligned(memory);
        }
        Ok(())
    })
}

/// Only here, where URLs come from anywhere, are schemes taken in capitals.
fn lower_scheme(url: &mut [u16]) {
    let scheme = url.iter_mut().take_while(|unit| **unit != u16::from(b':'));
    for unit in scheme.filter(|unit| (u16::from(b'A')..=u16::from(b'Z')).contains(*unit)) {
        *unit += u16::from(b'a' - b'A');
    }
}

/// Tells which URL group has a prefix, among those bound to a queue. The prefix is compared in canonical form.
///
/// Errors: `ERROR_INVALID_PARAMETER` (URL NULL or malformed, `UrlGroupId` NULL), `ERROR_FILE_NOT_FOUND` (no group bound to
/// the queue has it), `ERROR_INVALID_HANDLE`, `ERROR_DLL_INIT_FAILED`.
///
/// MSDN: HttpFindUrlGroupId function.
///
/// # Safety
/// `FullyQualifiedUrl` is NULL or a NUL-terminated string; `UrlGroupId` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpFindUrlGroupId(
    FullyQualifiedUrl: PCWSTR,
    RequestQueueHandle: HANDLE,
    UrlGroupId: PHTTP_URL_GROUP_ID,
) -> ULONG {
    returning_status(|| {
        ensure_server()?;
        if UrlGroupId.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        let device = device(RequestQueueHandle)?;
        let queue = queue_of(&device)?;
        // SAFETY: C caller, per HttpFindUrlGroupId: a NUL-terminated string, valid during the call.
        let group = queue.service.find_group(queue.id, unsafe { wide(FullyQualifiedUrl)? })?;
        // SAFETY: C caller, as above: a place for the id.
        unsafe { UrlGroupId.write_unaligned(group.0) };
        Ok(())
    })
}

/// Declares that a resource will be asked for because of the response to a request, for HTTP/2 to push it. A hint: on
/// HTTP/1.1 it is checked and has no effect.
///
/// `Verb` is `HttpVerbGET` or `HttpVerbHEAD`; `Path` begins with `/`; `Query` is NULL or stands without `?`; `Headers` is NULL
/// or fields of the promised request without `Host`, `Transfer-Encoding`, or a `Content-Length` other than 0. Errors:
/// `ERROR_INVALID_PARAMETER` (any of these), `ERROR_CONNECTION_INVALID` (no such request, or answered),
/// `ERROR_INVALID_HANDLE`, `ERROR_DLL_INIT_FAILED`.
///
/// MSDN: HttpDeclarePush function.
///
/// # Safety
/// `Path` and `Query` are NULL or NUL-terminated strings; `Headers` is NULL or valid for reads with what it points at.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpDeclarePush(
    RequestQueueHandle: HANDLE,
    RequestId: HTTP_REQUEST_ID,
    Verb: HTTP_VERB,
    Path: PCWSTR,
    Query: PCSTR,
    Headers: PHTTP_REQUEST_HEADERS,
) -> ULONG {
    returning_status(|| {
        ensure_server()?;
        let device = device(RequestQueueHandle)?;
        let queue = queue_of(&device)?;
        if !matches!(Verb, HttpVerbGET | HttpVerbHEAD) {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per HttpDeclarePush: strings and fields, valid during the call.
        unsafe {
            if wide(Path)?.first() != Some(&u16::from(b'/')) {
                return Err(Error::INVALID_PARAMETER);
            }
            check_query(Query)?;
            check_fields(Headers)?;
        }
        // The request must live, although nothing comes of it.
        queue.service.ask_request(queue.id, service::RequestId(RequestId), Question::IdleTimeout).map(drop)
    })
}

/// # Safety
/// `query` is NULL or a NUL-terminated string.
unsafe fn check_query(query: PCSTR) -> Result<()> {
    if query.is_null() {
        return Ok(());
    }
    let query = query.cast::<u8>();
    // SAFETY: as promised by the caller; nothing is read past the NUL.
    let len = (0..MAX_TEXT).find(|at| unsafe { *query.add(*at) } == 0).ok_or(Error::INVALID_PARAMETER)?;
    // SAFETY: see above; there is at least the NUL.
    let starts_with_mark = unsafe { *query } == b'?';
    if len > 0 && starts_with_mark { Err(Error::INVALID_PARAMETER) } else { Ok(()) }
}

/// # Safety
/// `fields` is NULL or valid for reads, and so are the values in it.
unsafe fn check_fields(fields: PHTTP_REQUEST_HEADERS) -> Result<()> {
    if fields.is_null() {
        return Ok(());
    }
    // SAFETY: as promised by the caller, here and below.
    let known = unsafe { &(*fields).KnownHeaders };
    let given = |id: HTTP_HEADER_ID| Some(&known[id as usize]).filter(|field| field.RawValueLength > 0);
    if given(HttpHeaderHost).is_some() || given(HttpHeaderTransferEncoding).is_some() {
        return Err(Error::INVALID_PARAMETER);
    }
    match given(HttpHeaderContentLength) {
        Some(field) if field.pRawValue.is_null() => Err(Error::INVALID_PARAMETER),
        Some(field) => {
            let len = usize::from(field.RawValueLength);
            // SAFETY: see above.
            let value = unsafe { std::slice::from_raw_parts(field.pRawValue.cast::<u8>(), len) };
            if value.iter().all(|byte| *byte == b'0') { Ok(()) } else { Err(Error::INVALID_PARAMETER) }
        }
        None => Ok(()),
    }
}

//! The response cache and the fragment cache: `HttpFlushResponseCache`, `HttpAddFragmentToCache`,
//! `HttpReadFragmentFromCache`. Which responses are kept is the engine's (`server/cache`).
#![expect(unsafe_code, reason = "functions called from C; read and write its structures")]
#![expect(non_snake_case, non_upper_case_globals, reason = "Windows spelling, as in the header")]

use std::ptr;
use std::task::Poll;

use crate::abi::base::{HANDLE, LPOVERLAPPED, PCWSTR, PULONG, PVOID, ULONG};
use crate::abi::error::{Error, Result};
use crate::abi::http::*;
use crate::capi::guard::returning_code;
use crate::server::service::{Body, CachePolicy, Range};

use super::calls::run;
use super::chunks::read_chunks;
use super::init::ensure_server;
use super::queue::{device, queue_of};
use super::wide::wide;

/// Takes the responses and fragments of a URL out of the cache; with `HTTP_FLUSH_RESPONSE_FLAG_RECURSIVE` also those of
/// every URL below it. Only what was kept through this queue goes. A URL nothing is kept for is no error.
///
/// A response sent with a cache policy is kept when the request was a GET without body, query, `Authorization`, `Range`,
/// `If-Range` or `Translate: f`, and the response was sent in one call, has a body and a `Content-Type`, is no 206, and
/// takes at most 262,144 bytes with a head of at most 1,024. Later GET and HEAD requests for the URL are then answered
/// without the program: whole, by range, or with 304. It is forgotten when its time is over, when it is flushed or
/// replaced, when its URL or queue goes, and when memory (64 MiB in all) runs short.
///
/// The flush is done when the call returns. Errors: `ERROR_INVALID_PARAMETER` (URL NULL or malformed, flags),
/// `ERROR_INVALID_HANDLE`, `ERROR_DLL_INIT_FAILED`.
///
/// MSDN: HttpFlushResponseCache function.
///
/// # Safety
/// `UrlPrefix` is NULL or a NUL-terminated string; `Overlapped` is NULL or valid until completion.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpFlushResponseCache(
    RequestQueueHandle: HANDLE,
    UrlPrefix: PCWSTR,
    Flags: ULONG,
    Overlapped: LPOVERLAPPED,
) -> ULONG {
    returning_code(|| {
        ensure_server()?;
        let device = device(RequestQueueHandle)?;
        let queue = queue_of(&device)?;
        if Flags & !HTTP_FLUSH_RESPONSE_FLAG_RECURSIVE != 0 {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per HttpFlushResponseCache: a NUL-terminated string, valid during the call.
        let url = unsafe { wide(UrlPrefix)? };
        let done = queue.service.flush_cache(queue.id, url, Flags != 0);
        // SAFETY: C caller, as above: the OVERLAPPED is ours until completion.
        unsafe { run(&device, ptr::null_mut(), Overlapped, |_| Poll::Ready(done)) }
    })
}

/// Keeps the bytes of a chunk (memory, or a range of a file) under a URL, for responses of this queue to use by
/// `HttpDataChunkFromFragmentCache` and `..Ex`. An older fragment of that URL is replaced. A fragment may vanish at any time:
/// a send that names a missing one fails with `ERROR_PATH_NOT_FOUND`.
///
/// The bytes are copied when the call returns. Errors: `ERROR_INVALID_PARAMETER` (URL malformed or not below a prefix
/// registered for this queue, chunk or policy), `ERROR_HANDLE_EOF` (range beyond the file's end),
/// `ERROR_NOT_ENOUGH_MEMORY` (more than the cache may hold), `ERROR_INVALID_HANDLE`, `ERROR_DLL_INIT_FAILED`.
///
/// MSDN: HttpAddFragmentToCache function.
///
/// # Safety
/// `UrlPrefix` is NULL or a NUL-terminated string; `DataChunk` and `CachePolicy` are NULL or valid for reads, and so is what
/// the chunk points at; `Overlapped` is NULL or valid until completion.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpAddFragmentToCache(
    RequestQueueHandle: HANDLE,
    UrlPrefix: PCWSTR,
    DataChunk: PHTTP_DATA_CHUNK,
    CachePolicy: PHTTP_CACHE_POLICY,
    Overlapped: LPOVERLAPPED,
) -> ULONG {
    returning_code(|| {
        ensure_server()?;
        let device = device(RequestQueueHandle)?;
        let queue = queue_of(&device)?;
        if DataChunk.is_null() || CachePolicy.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        let mut body = Body::new();
        // SAFETY: C caller, per HttpAddFragmentToCache: a string, a chunk and a policy, valid during the call.
        let (url, policy) = unsafe {
            read_chunks(1, DataChunk, &mut body)?;
            (wide(UrlPrefix)?, cache_policy(CachePolicy)?)
        };
        let done = queue.service.add_fragment(queue.id, url, body, policy);
        // SAFETY: C caller, as above: the OVERLAPPED is ours until completion.
        unsafe { run(&device, ptr::null_mut(), Overlapped, |_| Poll::Ready(done)) }
    })
}

/// Reads a fragment: all of it (`ByteRange` NULL), or a range, whose `Length` may be `HTTP_BYTE_RANGE_TO_EOF`.
///
/// `*BytesRead`, unless NULL, is the number of bytes; with `ERROR_MORE_DATA` (`BufferLength` too small) the number needed,
/// and nothing is written. Other errors: `ERROR_PATH_NOT_FOUND` (no such fragment), `ERROR_HANDLE_EOF` (the range begins
/// behind its end), `ERROR_INVALID_PARAMETER` (URL, or `Buffer` NULL with a length), `ERROR_INVALID_HANDLE`,
/// `ERROR_DLL_INIT_FAILED`.
///
/// MSDN: HttpReadFragmentFromCache function.
///
/// # Safety
/// `UrlPrefix` is NULL or a NUL-terminated string; `ByteRange` is NULL or valid for reads; `Buffer` is NULL or valid for
/// writes of `BufferLength` bytes; `BytesRead` is NULL or valid for writes; `Overlapped` is NULL or valid until completion.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpReadFragmentFromCache(
    RequestQueueHandle: HANDLE,
    UrlPrefix: PCWSTR,
    ByteRange: PHTTP_BYTE_RANGE,
    Buffer: PVOID,
    BufferLength: ULONG,
    BytesRead: PULONG,
    Overlapped: LPOVERLAPPED,
) -> ULONG {
    returning_code(|| {
        ensure_server()?;
        let device = device(RequestQueueHandle)?;
        let queue = queue_of(&device)?;
        if Buffer.is_null() && BufferLength > 0 {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per HttpReadFragmentFromCache: a string and NULL or a range, valid during the call.
        let (url, range) = unsafe { (wide(UrlPrefix)?, byte_range(ByteRange)) };
        let part = queue.service.read_fragment(queue.id, url, range, BufferLength.into())?;
        if part.length > BufferLength.into() {
            // SAFETY: C caller, as above: NULL or a place for the number.
            unsafe { tell(BytesRead, part.length) };
            return Err(Error::MORE_DATA);
        }
        // SAFETY: C caller, as above: the buffer has room for them; the OVERLAPPED is ours until completion.
        unsafe {
            Buffer.cast::<u8>().copy_from_nonoverlapping(part.bytes.as_ptr(), part.bytes.len());
            run(&device, BytesRead, Overlapped, |_| Poll::Ready(Ok(part.length)))
        }
    })
}

/// # Safety
/// `place` is NULL or valid for writes.
unsafe fn tell(place: PULONG, bytes: u64) {
    if !place.is_null() {
        // SAFETY: as promised by the caller.
        unsafe { place.write_unaligned(u32::try_from(bytes).unwrap_or(u32::MAX)) };
    }
}

/// # Safety
/// `range` is NULL or valid for reads.
unsafe fn byte_range(range: PHTTP_BYTE_RANGE) -> Range {
    if range.is_null() {
        return Range { offset: 0, length: None };
    }
    // SAFETY: as promised by the caller; both members of the unions are the same bits.
    let (offset, length) = unsafe { ((*range).StartingOffset.QuadPart, (*range).Length.QuadPart) };
    Range { offset, length: (length != HTTP_BYTE_RANGE_TO_EOF).then_some(length) }
}

/// Reads a policy; NULL keeps nothing.
///
/// # Safety
/// `policy` is NULL or valid for reads.
pub(super) unsafe fn cache_policy(policy: PHTTP_CACHE_POLICY) -> Result<CachePolicy> {
    if policy.is_null() {
        return Ok(CachePolicy::NoCache);
    }
    // SAFETY: as promised by the caller.
    let HTTP_CACHE_POLICY { Policy, SecondsToLive } = unsafe { policy.read_unaligned() };
    match Policy {
        HttpCachePolicyNocache => Ok(CachePolicy::NoCache),
        HttpCachePolicyUserInvalidates => Ok(CachePolicy::UserInvalidates),
        HttpCachePolicyTimeToLive => Ok(CachePolicy::TimeToLive(SecondsToLive)),
        _ => Err(Error::INVALID_PARAMETER),
    }
}

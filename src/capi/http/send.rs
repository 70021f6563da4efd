//! `HttpSendHttpResponse` and `HttpSendResponseEntityBody`: the head of a response, and its body in one or more calls.
//!
//! Everything but body memory and files is copied during the call (`read_response`, `chunks`), into a head that each
//! thread keeps, so that a small response allocates nothing.
#![expect(unsafe_code, reason = "functions called from C; read its structures")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::sync::Arc;
use std::task::Poll;

use crate::abi::base::{HANDLE, LPOVERLAPPED, PULONG, PVOID, ULONG, USHORT};
use crate::abi::error::{Error, Result};
use crate::abi::http::*;
use crate::capi::guard::returning_code;
use crate::server::service::{self, ApiVersion, Body, LogFields, Pend, ResponseHead, SendFlags, Service};
use crate::win32::device::Device;

use super::cache::cache_policy;
use super::caller::with_device;
use super::calls::run;
use super::chunks::read_chunks;
use super::init::ensure_server;
use super::queue::{Queue, queue_of};
use super::read_log::read_log_fields_data;
use super::read_response::read_http_response_v2;

/// Chunks an `HTTP_RESPONSE` may have.
const MAX_RESPONSE_CHUNKS: USHORT = 100;

/// Chunks one call of `HttpSendResponseEntityBody` may have.
const MAX_BODY_CHUNKS: USHORT = 9999;

/// Sends the head of a response and the first part of its body, or all of it.
///
/// `Flags`: `HTTP_SEND_RESPONSE_FLAG_MORE_DATA` when `HttpSendResponseEntityBody` follows, `DISCONNECT` to close the
/// connection afterwards (`GOAWAY` does the same), `BUFFER_DATA` to copy memory chunks and complete early (as long as no more
/// than 256 KB of a connection wait to be sent; beyond that, and with file chunks, the send waits), `ENABLE_NAGLING`,
/// `OPAQUE` (status 101 only, with `MORE_DATA`) for raw bytes both ways afterwards. Body memory and file handles must live
/// until completion; everything else may be freed when the call returns. `*BytesSent` counts all bytes sent by this call, head
/// included; NULL is allowed. Unless more follows, `RequestId` is no longer valid once the send has begun.
///
/// `LogData` is `HTTP_LOG_FIELDS_DATA` or NULL; with it, and with the last send of a response only, the response is
/// logged if its group or session has a log. `Reserved1` is NULL, `Reserved2` 0.
///
/// Errors: `ERROR_INVALID_PARAMETER` (flags, `OPAQUE` without 101, status outside 100 to 999, more than 100 chunks or 9999
/// unknown fields, NULL with a length, CR, LF or NUL in a field, chunk type, `pTrailers`, trailers that are not the response's
/// last chunk or may not be trailers (RFC 9110, 6.5.1) or are longer than 64 KB, reserved parameters, a second
/// response, log data of another type), `ERROR_CONNECTION_INVALID` (no such request, answered, or the client left),
/// `ERROR_NETNAME_DELETED` (it left meanwhile), `ERROR_PATH_NOT_FOUND` (fragment not cached), `ERROR_NOT_SUPPORTED` (trailers where they cannot be),
/// `ERROR_HANDLE_EOF` (range beyond the file's end), `ERROR_INVALID_HANDLE`, `ERROR_IO_PENDING`,
/// `ERROR_OPERATION_ABORTED`, `ERROR_DLL_INIT_FAILED`.
///
/// `HTTP_SEND_RESPONSE_FLAG_PROCESS_RANGES` has the engine answer a GET with `Range` (and `If-Range`, compared with the
/// response's `ETag` and `Last-Modified`) by the part asked for: 206, several parts as `multipart/byteranges`, or 416. The
/// response must be a 200 that is whole in this call and has no transfer coding.
///
/// After `OPAQUE`, `HttpReceiveRequestEntityBody` gives raw bytes, first those that came behind the head (what was not read of
/// a body is among them), and `ERROR_HANDLE_EOF` when the client has ended its side; `HttpSendResponseEntityBody` sends raw bytes. No timeout holds. A
/// send with `DISCONNECT` and `MORE_DATA` ends this side and lets reads go on; one without `MORE_DATA` ends the request.
///
/// A chunk of type `HttpDataChunkTrailers`, the last of the last send, puts trailer fields behind a body the program sends with
/// `Transfer-Encoding: chunked` to a client of HTTP/1.1. The program frames the chunks before it; the last chunk (`0`) and
/// the end of the body are written with the trailers.
///
/// `CachePolicy` other than `HttpCachePolicyNocache` lets the engine answer later requests for the URL by itself; see
/// `HttpFlushResponseCache`. A response that may not be kept is sent all the same.
///
/// In a 401 of a session or URL group with authentication, an entry of `WWW-Authenticate` that is but the name of an enabled
/// scheme (`Basic`, `Digest`) is made a whole challenge; other text is sent as it is, and none is added. Settings for this
/// response alone may come as `HttpResponseInfoTypeAuthenticationProperty`.
///
/// Differs from Windows: trailers are sent over HTTP/1.1 too. Without `HTTP_RESPONSE_INFO_FLAGS_PRESERVE_ORDER`, challenges of
/// unknown schemes are accepted and sent last.
///
/// MSDN: HttpSendHttpResponse function.
///
/// # Safety
/// `HttpResponse` and all it points at is valid for reads; body memory and `Overlapped`, if given, until completion;
/// `BytesSent` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpSendHttpResponse(
    RequestQueueHandle: HANDLE,
    RequestId: HTTP_REQUEST_ID,
    Flags: ULONG,
    HttpResponse: PHTTP_RESPONSE,
    CachePolicy: PHTTP_CACHE_POLICY,
    BytesSent: PULONG,
    Reserved1: PVOID,
    Reserved2: ULONG,
    Overlapped: LPOVERLAPPED,
    LogData: PHTTP_LOG_DATA,
) -> ULONG {
    returning_code(|| {
        ensure_server()?;
        with_device(RequestQueueHandle, |device, caller| {
            let queue = queue_of(device)?;
            check_reserved(Reserved1, Reserved2)?;
            // SAFETY: C caller, per HttpSendHttpResponse: NULL or a policy.
            let policy = unsafe { cache_policy(CachePolicy)? };
            let flags = send_flags(Flags)?;
            let request = service::RequestId(RequestId);
            caller.with_head(|head| {
                let body = &mut Body::new();
                // SAFETY: C caller, per HttpSendHttpResponse: a response and body that are whole, here and below.
                unsafe {
                    read_head(queue.version, HttpResponse, flags, head)?;
                    if policy != service::CachePolicy::NoCache {
                        head.extras_mut().cache = policy;
                    }
                    if let Some(fields) = log_fields(queue.service, flags, LogData)? {
                        head.extras_mut().log = Some(fields);
                    }
                    let base = &(*HttpResponse).Base;
                    read_chunks(base.EntityChunkCount, base.pEntityChunks, body)?;
                }
                // SAFETY: C caller, as above: the OVERLAPPED is ours until completion.
                unsafe {
                    run_send(device, (queue, request), BytesSent, Overlapped, |pend| {
                        queue.service.send_response(queue.id, request, flags, head, body, pend)
                    })
                }
            })
        })
    })
}

/// Sends more body of a response begun with `HTTP_SEND_RESPONSE_FLAG_MORE_DATA`. A call without that flag is the last;
/// it may have no chunks.
///
/// Flags, chunks, `*BytesSent` and OVERLAPPED are as for `HttpSendHttpResponse`, with up to 9999 chunks. Overlapped sends
/// are sent in the order of the calls. `LogData` counts in the last call. `Reserved1` is NULL, `Reserved2` 0.
///
/// Errors: as for `HttpSendHttpResponse`; `ERROR_INVALID_PARAMETER` also when no response was begun and for `OPAQUE`
/// when the connection is not raw, `ERROR_BAD_COMMAND` when another thread's blocking send is under way.
///
/// MSDN: HttpSendResponseEntityBody function.
///
/// # Safety
/// `EntityChunks` is valid for reads; body memory and `Overlapped`, if given, until completion; `BytesSent` is NULL or
/// valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpSendResponseEntityBody(
    RequestQueueHandle: HANDLE,
    RequestId: HTTP_REQUEST_ID,
    Flags: ULONG,
    EntityChunkCount: USHORT,
    EntityChunks: PHTTP_DATA_CHUNK,
    BytesSent: PULONG,
    Reserved1: PVOID,
    Reserved2: ULONG,
    Overlapped: LPOVERLAPPED,
    LogData: PHTTP_LOG_DATA,
) -> ULONG {
    returning_code(|| {
        ensure_server()?;
        with_device(RequestQueueHandle, |device, _| {
            let queue = queue_of(device)?;
            check_reserved(Reserved1, Reserved2)?;
            let flags = send_flags(Flags)?;
            if EntityChunkCount > MAX_BODY_CHUNKS {
                return Err(Error::INVALID_PARAMETER);
            }
            let request = service::RequestId(RequestId);
            let body = &mut Body::new();
            // SAFETY: C caller, per HttpSendResponseEntityBody: chunks that are whole, their memory until completion.
            let fields = unsafe {
                read_chunks(EntityChunkCount, EntityChunks, body)?;
                log_fields(queue.service, flags, LogData)?
            };
            if let Some(fields) = fields {
                queue.service.log_response(queue.id, request, Box::new(fields))?;
            }
            // SAFETY: C caller, as above: the OVERLAPPED is ours until completion.
            unsafe {
                run_send(device, (queue, request), BytesSent, Overlapped, |pend| {
                    queue.service.send_body(queue.id, request, flags, body, pend)
                })
            }
        })
    })
}

/// Runs a send, unless another thread's blocking send for the request is under way.
///
/// # Safety
/// As for [`run`].
unsafe fn run_send(
    device: &Arc<Device>,
    (queue, request): (&Queue, service::RequestId),
    bytes: PULONG,
    overlapped: LPOVERLAPPED,
    start: impl FnOnce(Pend<'_, u64>) -> Poll<Result<u64>>,
) -> Result<u32> {
    queue.sends.admit(request)?;
    if !overlapped.is_null() {
        // SAFETY: as promised by the caller.
        return unsafe { run(device, bytes, overlapped, start) };
    }
    let mut under_way = None;
    // SAFETY: as promised by the caller.
    unsafe {
        run(device, bytes, overlapped, |pend| {
            start(&mut || {
                under_way = Some(queue.sends.enter(request));
                pend()
            })
        })
    }
}

/// What the program says for the log. Only with the last send of a response, and where there may be a log.
///
/// # Safety
/// `data` is NULL or log data, with everything it points at valid for reads.
unsafe fn log_fields(
    service: &dyn Service,
    flags: SendFlags,
    data: PHTTP_LOG_DATA,
) -> Result<Option<LogFields>> {
    if data.is_null() || flags.more_data || !service.logs() {
        return Ok(None);
    }
    // SAFETY: as promised by the caller.
    unsafe { read_log_fields_data(data) }
}

fn check_reserved(pointer: PVOID, number: ULONG) -> Result<()> {
    if pointer.is_null() && number == 0 { Ok(()) } else { Err(Error::INVALID_PARAMETER) }
}

/// The flags, or `INVALID_PARAMETER` for unknown ones, so that programs try again without them.
fn send_flags(flags: ULONG) -> Result<SendFlags> {
    const KNOWN: ULONG = HTTP_SEND_RESPONSE_FLAG_DISCONNECT
        | HTTP_SEND_RESPONSE_FLAG_MORE_DATA
        | HTTP_SEND_RESPONSE_FLAG_BUFFER_DATA
        | HTTP_SEND_RESPONSE_FLAG_ENABLE_NAGLING
        | HTTP_SEND_RESPONSE_FLAG_OPAQUE
        | HTTP_SEND_RESPONSE_FLAG_PROCESS_RANGES
        | HTTP_SEND_RESPONSE_FLAG_GOAWAY;
    if flags & !KNOWN != 0 {
        return Err(Error::INVALID_PARAMETER);
    }
    let has = |flag| flags & flag != 0;
    Ok(SendFlags {
        disconnect: has(HTTP_SEND_RESPONSE_FLAG_DISCONNECT | HTTP_SEND_RESPONSE_FLAG_GOAWAY),
        more_data: has(HTTP_SEND_RESPONSE_FLAG_MORE_DATA),
        buffer_data: has(HTTP_SEND_RESPONSE_FLAG_BUFFER_DATA),
        nagling: has(HTTP_SEND_RESPONSE_FLAG_ENABLE_NAGLING),
        opaque: has(HTTP_SEND_RESPONSE_FLAG_OPAQUE),
        process_ranges: has(HTTP_SEND_RESPONSE_FLAG_PROCESS_RANGES),
    })
}

/// Reads the head and checks what concerns the response as a whole.
///
/// # Safety
/// `response` is NULL, or with everything it points at valid for reads.
unsafe fn read_head(
    version: ApiVersion,
    response: PHTTP_RESPONSE,
    flags: SendFlags,
    head: &mut ResponseHead,
) -> Result<()> {
    if response.is_null() {
        return Err(Error::INVALID_PARAMETER);
    }
    if !response.is_aligned() {
        return Err(Error::NOACCESS);
    }
    // SAFETY: as promised by the caller.
    unsafe { read_http_response_v2(version, response, head)? };
    // SAFETY: as promised by the caller.
    let chunks = unsafe { (*response).Base.EntityChunkCount };
    if chunks > MAX_RESPONSE_CHUNKS || flags.opaque && head.status != 101 {
        return Err(Error::INVALID_PARAMETER);
    }
    Ok(())
}

//! `HttpReceiveRequestEntityBody`: the body of a request, piece by piece.
#![expect(unsafe_code, reason = "function called from C; takes its buffer")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use crate::abi::base::{HANDLE, LPOVERLAPPED, PULONG, PVOID, ULONG};
use crate::abi::error::Error;
use crate::abi::http::*;
use crate::capi::guard::returning_code;
use crate::server::service::{self, BodyRead};
use crate::win32::lent::LentBuffer;

use super::caller::with_device;
use super::calls::run;
use super::init::ensure_server;
use super::queue::queue_of;

/// Reads body of a request received before: what has arrived, at least one byte; with
/// `HTTP_RECEIVE_REQUEST_ENTITY_BODY_FLAG_FILL_BUFFER`, until the buffer is full or the body ends. Chunked bodies come
/// without their framing. The first read asks a client for the body that waits for `100 Continue`.
///
/// `EntityBufferLength` and `*BytesReturned` count bytes. With an OVERLAPPED the buffer must live until completion.
///
/// Errors: `ERROR_HANDLE_EOF` (no more body; the read that brings the last bytes succeeds), `ERROR_MORE_DATA` (a buffer of
/// no bytes, and there is body; `*BytesReturned` is 1), `ERROR_CONNECTION_INVALID` (no such request, or answered),
/// `ERROR_NETNAME_DELETED` (the client left meanwhile), `ERROR_INVALID_HANDLE`, `ERROR_NOACCESS` (buffer NULL),
/// `ERROR_INVALID_PARAMETER` (flags), `ERROR_IO_PENDING`, `ERROR_OPERATION_ABORTED`, `ERROR_DLL_INIT_FAILED`.
///
/// MSDN: HttpReceiveRequestEntityBody function.
///
/// # Safety
/// The buffer is valid for writes of `EntityBufferLength` bytes, with an OVERLAPPED until completion, as that is;
/// `BytesReturned` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpReceiveRequestEntityBody(
    RequestQueueHandle: HANDLE,
    RequestId: HTTP_REQUEST_ID,
    Flags: ULONG,
    EntityBuffer: PVOID,
    EntityBufferLength: ULONG,
    BytesReturned: PULONG,
    Overlapped: LPOVERLAPPED,
) -> ULONG {
    returning_code(|| {
        ensure_server()?;
        with_device(RequestQueueHandle, |device, _| {
            let queue = queue_of(device)?;
            let mode = match Flags {
                0 => BodyRead::Some,
                HTTP_RECEIVE_REQUEST_ENTITY_BODY_FLAG_FILL_BUFFER => BodyRead::Fill,
                _ => return Err(Error::INVALID_PARAMETER),
            };
            if EntityBuffer.is_null() && EntityBufferLength > 0 {
                return Err(Error::NOACCESS);
            }
            let request = service::RequestId(RequestId);
            // SAFETY: C caller, per HttpReceiveRequestEntityBody: the buffer is ours until the read has completed.
            let buffer = unsafe { LentBuffer::new(EntityBuffer.cast(), EntityBufferLength as usize) };
            // SAFETY: C caller, as above.
            unsafe {
                run(device, BytesReturned, Overlapped, |pend| {
                    queue.service.read_body(queue.id, request, mode, buffer, pend)
                })
            }
        })
    })
}

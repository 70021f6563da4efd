//! Ending requests and learning of their end: `HttpCancelHttpRequest`, `HttpWaitForDisconnect`.
#![expect(unsafe_code, reason = "functions called from C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::ptr;
use std::task::Poll;

use crate::abi::base::{HANDLE, LPOVERLAPPED, ULONG};
use crate::abi::error::{Error, Result};
use crate::abi::http::*;
use crate::capi::guard::returning_code;
use crate::server::service;

use super::calls::run;
use super::init::ensure_server;
use super::queue::{device, queue_of};

/// Cancels a request: its connection is closed, calls pending on it end. Possible until the last send has begun; a send
/// under way is cancelled with `CancelIoEx`.
///
/// The cancellation is done when the call returns; an OVERLAPPED is completed as for any call that succeeds at once.
/// Errors: `ERROR_CONNECTION_INVALID` (no such request, or answered), `ERROR_INVALID_HANDLE`, `ERROR_DLL_INIT_FAILED`.
///
/// MSDN: HttpCancelHttpRequest function.
///
/// # Safety
/// `Overlapped` is NULL or valid until completion.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpCancelHttpRequest(
    RequestQueueHandle: HANDLE,
    RequestId: HTTP_REQUEST_ID,
    Overlapped: LPOVERLAPPED,
) -> ULONG {
    returning_code(|| {
        ensure_server()?;
        let device = device(RequestQueueHandle)?;
        let queue = queue_of(&device)?;
        let request = service::RequestId(RequestId);
        // SAFETY: C caller, per HttpCancelHttpRequest: the OVERLAPPED is ours until completion.
        unsafe {
            run(&device, ptr::null_mut(), Overlapped, |_| {
                Poll::Ready(queue.service.cancel_request(queue.id, request))
            })
        }
    })
}

/// Waits until a connection is gone, for whatever reason. A client that only stops sending keeps the wait going.
///
/// `ConnectionId` is that of a request received. Errors: `ERROR_CONNECTION_INVALID` (no such connection, or gone
/// already), `ERROR_INVALID_HANDLE`, `ERROR_IO_PENDING`, `ERROR_OPERATION_ABORTED` (queue shut down or closed, or
/// cancelled), `ERROR_DLL_INIT_FAILED`.
///
/// MSDN: HttpWaitForDisconnect function.
///
/// # Safety
/// `Overlapped` is NULL or valid until completion.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpWaitForDisconnect(
    RequestQueueHandle: HANDLE,
    ConnectionId: HTTP_CONNECTION_ID,
    Overlapped: LPOVERLAPPED,
) -> ULONG {
    // SAFETY: C caller, per HttpWaitForDisconnect: the OVERLAPPED is ours until completion.
    returning_code(|| unsafe { wait_for_disconnect(RequestQueueHandle, ConnectionId, 0, Overlapped) })
}

/// As `HttpWaitForDisconnect`; `Reserved` is 0, else `ERROR_INVALID_PARAMETER`.
///
/// MSDN: HttpWaitForDisconnectEx function.
///
/// # Safety
/// `Overlapped` is NULL or valid until completion.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpWaitForDisconnectEx(
    RequestQueueHandle: HANDLE,
    ConnectionId: HTTP_CONNECTION_ID,
    Reserved: ULONG,
    Overlapped: LPOVERLAPPED,
) -> ULONG {
    // SAFETY: C caller, per HttpWaitForDisconnectEx: the OVERLAPPED is ours until completion.
    returning_code(|| unsafe { wait_for_disconnect(RequestQueueHandle, ConnectionId, Reserved, Overlapped) })
}

/// # Safety
/// `overlapped` is NULL or valid until completion.
unsafe fn wait_for_disconnect(
    handle: HANDLE,
    connection: HTTP_CONNECTION_ID,
    reserved: ULONG,
    overlapped: LPOVERLAPPED,
) -> Result<u32> {
    ensure_server()?;
    let device = device(handle)?;
    let queue = queue_of(&device)?;
    if reserved != 0 {
        return Err(Error::INVALID_PARAMETER);
    }
    let connection = service::ConnectionId(connection);
    // SAFETY: as promised by the caller.
    unsafe {
        run(&device, ptr::null_mut(), overlapped, |pend| {
            queue.service.wait_for_disconnect(queue.id, connection, pend)
        })
    }
}

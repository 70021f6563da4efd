//! Request queues: a handle that is file-like to programs (`CloseHandle`, completion ports, `CancelIoEx`), and behind
//! it a queue of the service.
#![expect(unsafe_code, reason = "functions called from C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::fs::File;
use std::sync::{Arc, OnceLock};

use crate::abi::base::{HANDLE, PCWSTR, PHANDLE, PSECURITY_ATTRIBUTES, ULONG};
use crate::abi::error::{Error, Result};
use crate::abi::http::*;
use crate::capi::guard::returning_status;
use crate::server::service::{ApiVersion, OperationId, QueueId, Service};
use crate::win32::device::{Backend, Device, OperationNumber};
use crate::win32::object::{self, Object};

use super::engine::service;
use super::init::{ensure_server, queue_closed, queue_opened};
use super::racing::BlockedSends;
use super::wide::wide;

/// `MAX_PATH`: bytes a queue's name may have.
const MAX_NAME: usize = 260;

const QUEUE_FLAGS: ULONG = HTTP_CREATE_REQUEST_QUEUE_FLAG_OPEN_EXISTING
    | HTTP_CREATE_REQUEST_QUEUE_FLAG_CONTROLLER
    | HTTP_CREATE_REQUEST_QUEUE_FLAG_DELEGATION;

/// What lies behind a queue's handle.
pub(super) struct Queue {
    pub(super) service: &'static dyn Service,
    pub(super) id: QueueId,
    /// Decides which structures its requests and responses use.
    pub(super) version: ApiVersion,
    /// Its descriptor, once a program has asked for it.
    pub(super) descriptor: OnceLock<Arc<File>>,
    pub(super) sends: BlockedSends,
}

impl Backend for Queue {
    fn abort(&self, operation: OperationNumber) -> bool {
        self.service.abort(self.id, OperationId(operation.0))
    }

    fn close(&self) {
        queue_closed(self.id);
        let _ = self.service.close_queue(self.id);
    }
}

/// The device behind a handle; whether it is a queue, [`queue_of`] tells. `INVALID_HANDLE` if there is none. Calls that
/// every request makes use `caller::with_device`.
pub(super) fn device(handle: HANDLE) -> Result<Arc<Device>> {
    object::device(handle.addr())
}

/// The queue a device is. `INVALID_HANDLE` if it is a file.
#[inline]
pub(super) fn queue_of(device: &Device) -> Result<&Queue> {
    device.backend::<Queue>().ok_or(Error::INVALID_HANDLE)
}

fn create(version: ApiVersion, handle: PHANDLE) -> Result<()> {
    let service = service()?;
    let id = service.create_queue(version)?;
    let opened = object::open(Object::Device(Device::new(Queue {
        service,
        id,
        version,
        descriptor: OnceLock::new(),
        sends: BlockedSends::default(),
    })));
    let Ok(number) = opened else {
        let _ = service.close_queue(id);
        return Err(Error::NO_SYSTEM_RESOURCES);
    };
    queue_opened(id, number);
    // SAFETY: C caller, per HttpCreateRequestQueue and HttpCreateHttpHandle: a place for the handle, checked for NULL.
    unsafe { handle.write_unaligned(std::ptr::without_provenance_mut(number)) };
    Ok(())
}

/// Creates a version 1 request queue, to be closed with `CloseHandle`. Its requests are `HTTP_REQUEST_V1`, its
/// responses `HTTP_RESPONSE_V1`, and URLs are registered on it with `HttpAddUrl`.
///
/// `Reserved` is 0. Errors: `ERROR_INVALID_PARAMETER` (`RequestQueueHandle` NULL, `Reserved`), `ERROR_DLL_INIT_FAILED`.
///
/// MSDN: HttpCreateHttpHandle function.
///
/// # Safety
/// `RequestQueueHandle` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpCreateHttpHandle(RequestQueueHandle: PHANDLE, Reserved: ULONG) -> ULONG {
    returning_status(|| {
        ensure_server()?;
        if RequestQueueHandle.is_null() || Reserved != 0 {
            return Err(Error::INVALID_PARAMETER);
        }
        create(ApiVersion::V1, RequestQueueHandle)
    })
}

/// Creates a version 2 request queue without a name, to be closed with `HttpCloseRequestQueue`. `SecurityAttributes`
/// says who may open a queue by name, so it has no effect here.
///
/// Errors: `ERROR_REVISION_MISMATCH` (a version other than 2.0), `ERROR_INVALID_PARAMETER` (`RequestQueueHandle` NULL,
/// `Name` longer than 260 bytes, unknown flags, `OPEN_EXISTING` without a name, with security attributes or with
/// `CONTROLLER`), `ERROR_INVALID_NAME` (a slash or backslash in the name), `ERROR_DLL_INIT_FAILED`.
///
/// Differs from Windows: queues with a name, and the flags `CONTROLLER` and `DELEGATION`, are answered with
/// `ERROR_NOT_SUPPORTED`.
///
/// MSDN: HttpCreateRequestQueue function.
///
/// # Safety
/// `Name` is NULL or a NUL-terminated string; `RequestQueueHandle` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpCreateRequestQueue(
    Version: HTTPAPI_VERSION,
    Name: PCWSTR,
    SecurityAttributes: PSECURITY_ATTRIBUTES,
    Flags: ULONG,
    RequestQueueHandle: PHANDLE,
) -> ULONG {
    returning_status(|| {
        ensure_server()?;
        if (Version.HttpApiMajorVersion, Version.HttpApiMinorVersion) != (2, 0) {
            return Err(Error::REVISION_MISMATCH);
        }
        if RequestQueueHandle.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        check_flags(Flags, Name.is_null(), !SecurityAttributes.is_null())?;
        if !Name.is_null() {
            // SAFETY: C caller, per HttpCreateRequestQueue: a NUL-terminated string, valid during the call.
            check_name(unsafe { wide(Name)? })?;
        }
        if !Name.is_null() || Flags != 0 {
            return Err(Error::NOT_SUPPORTED);
        }
        create(ApiVersion::V2, RequestQueueHandle)
    })
}

fn check_flags(flags: ULONG, nameless: bool, secured: bool) -> Result<()> {
    let open = flags & HTTP_CREATE_REQUEST_QUEUE_FLAG_OPEN_EXISTING != 0;
    let controller = flags & HTTP_CREATE_REQUEST_QUEUE_FLAG_CONTROLLER != 0;
    if flags & !QUEUE_FLAGS != 0 || open && (nameless || secured || controller) {
        return Err(Error::INVALID_PARAMETER);
    }
    Ok(())
}

fn check_name(name: &[u16]) -> Result<()> {
    if size_of_val(name) > MAX_NAME {
        return Err(Error::INVALID_PARAMETER);
    }
    if name.iter().any(|unit| [u16::from(b'/'), u16::from(b'\\')].contains(unit)) {
        return Err(Error::INVALID_NAME);
    }
    Ok(())
}

/// Closes a request queue. Calls pending on it end with `ERROR_OPERATION_ABORTED`, requests waiting in it are refused,
/// requests received and not answered lose their connections, URL groups bound to it are unbound.
///
/// Version 1 queues are closed too. Errors: `ERROR_INVALID_PARAMETER` (not a queue), `ERROR_DLL_INIT_FAILED`.
///
/// MSDN: HttpCloseRequestQueue function.
///
/// # Safety
/// None needed; no pointer is followed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpCloseRequestQueue(RequestQueueHandle: HANDLE) -> ULONG {
    returning_status(|| {
        ensure_server()?;
        let known = device(RequestQueueHandle).is_ok_and(|device| queue_of(&device).is_ok());
        if !known {
            return Err(Error::INVALID_PARAMETER);
        }
        object::close(RequestQueueHandle.addr()).map_err(|_| Error::INVALID_PARAMETER)
    })
}

/// Stops delivery on a version 2 queue: pending receives and waits end with `ERROR_OPERATION_ABORTED`, requests received
/// and not begun to be answered are cancelled, responses under way go on, later receives give `ERROR_INVALID_HANDLE`.
/// Requests that wait on the queue, and those that come later, wait there until it is closed (they are then answered 503) or
/// their time on it is over. Again is no error.
///
/// Errors: `ERROR_INVALID_PARAMETER` (not a version 2 queue), `ERROR_DLL_INIT_FAILED`.
///
/// MSDN: HttpShutdownRequestQueue function.
///
/// # Safety
/// None needed; no pointer is followed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpShutdownRequestQueue(RequestQueueHandle: HANDLE) -> ULONG {
    returning_status(|| {
        ensure_server()?;
        let device = device(RequestQueueHandle).map_err(|_| Error::INVALID_PARAMETER)?;
        let queue = queue_of(&device).map_err(|_| Error::INVALID_PARAMETER)?;
        if queue.version == ApiVersion::V1 {
            return Err(Error::INVALID_PARAMETER);
        }
        queue.service.shutdown_queue(queue.id)
    })
}

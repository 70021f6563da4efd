//! `HttpReceiveHttpRequest`: the next request, or one again by its id, into one buffer of the caller.
//!
//! ```text
//! service.receive ──► delivery ──► does not fit: two ids, MORE_DATA, size needed (the request is taken all the same)
//!                        └► fits: written ──► COPY_BODY: and what has arrived of the body, as far as it fits
//!                                         └─► FLUSH_BODY: and the body up to the buffer's end (may wait once more)
//! ```
//! When a receive pends, all this happens on the thread that brings the request.
#![expect(unsafe_code, reason = "function called from C; takes its buffer")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::sync::Arc;
use std::task::Poll;

use crate::abi::base::{HANDLE, LPOVERLAPPED, PULONG, ULONG};
use crate::abi::error::{Error, Result};
use crate::abi::http::*;
use crate::capi::guard::returning_code;
use crate::server::service::{
    self, ApiVersion, BodyPart, BodyRead, Delivery, OperationId, QueueId, Reply, Service,
};
use crate::win32::device::Device;
use crate::win32::handles::Handle;
use crate::win32::lent::LentBuffer;
use crate::win32::object;
use crate::win32::overlapped::Operation;

use super::auth_info::{give_token, judge, judged_elsewhere};
use super::caller::with_device;
use super::calls::{Outcome, finish_inline, tell, wait};
use super::init::ensure_server;
use super::layout::{BodyRoom, Plan, fixed_size};
use super::queue::queue_of;
use super::write_request::{write_body, write_http_request_v2, write_ids_only};

/// Receives the next request of the queue (`RequestId` 0), or tells again one received before, into the buffer at
/// `RequestBuffer`: an `HTTP_REQUEST_V2` (version 2 queues) or `HTTP_REQUEST_V1`, with everything it points at behind it.
///
/// `Flags`: 0 for the head alone; `HTTP_RECEIVE_REQUEST_FLAG_COPY_BODY` copies what has arrived of the body too, as far
/// as it fits; `HTTP_RECEIVE_REQUEST_FLAG_FLUSH_BODY` (version 2 queues) waits for the body until it ends or the buffer is
/// full. `HTTP_REQUEST_FLAG_MORE_ENTITY_BODY_EXISTS` tells whether there is more. `RequestBufferLength` and
/// `*BytesReturned` count bytes. The buffer is aligned to 8 and stays the caller's; with an OVERLAPPED it must live until
/// completion.
///
/// Errors: `ERROR_MORE_DATA` (only `ConnectionId` and `RequestId` are set; `*BytesReturned` is the size needed; receive
/// again with that id), `ERROR_INSUFFICIENT_BUFFER` (smaller than the structure; no request is taken),
/// `ERROR_CONNECTION_INVALID` (no such request any more), `ERROR_INVALID_HANDLE`, `ERROR_NOACCESS` (buffer NULL or
/// misaligned), `ERROR_INVALID_PARAMETER` (flags), `ERROR_IO_PENDING`, `ERROR_OPERATION_ABORTED` (queue shut down or closed,
/// or cancelled), `ERROR_DLL_INIT_FAILED`.
///
/// Differs from Windows: once the body of a chunked request has been read to its end, receiving the request again by its id
/// tells its trailers in `Headers.pTrailers`, but for fields of framing, routing and the like (RFC 9110, 6.5.1), which are
/// dropped. They are held to the limits of the head; a longer trailer section fails the read that meets it.
///
/// Requests of a session or URL group with authentication have an `HTTP_REQUEST_AUTH_INFO` in `pRequestInfo`. Its
/// `AccessToken`, if not NULL, is the caller's to close with `CloseHandle`, each time the request is received.
///
/// Differs from Windows: the access token is no token of the system's; `nthttp_token_user` tells whose it is.
/// `ContextAttributes` and what stands behind `PackedContext` are 0, because Basic and Digest have no security context here;
/// `pMutualAuthData` (with `ReceiveMutualAuth`) is the value of the Authentication-Info field that Digest ends with.
///
/// MSDN: HttpReceiveHttpRequest function.
///
/// # Safety
/// The buffer is valid for writes of `RequestBufferLength` bytes, with an OVERLAPPED until completion, as that is;
/// `BytesReturned` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpReceiveHttpRequest(
    RequestQueueHandle: HANDLE,
    RequestId: HTTP_REQUEST_ID,
    Flags: ULONG,
    RequestBuffer: PHTTP_REQUEST,
    RequestBufferLength: ULONG,
    BytesReturned: PULONG,
    Overlapped: LPOVERLAPPED,
) -> ULONG {
    returning_code(|| {
        ensure_server()?;
        with_device(RequestQueueHandle, |device, _| {
            let queue = queue_of(device)?;
            let (service, id, version) = (queue.service, queue.id, queue.version);
            let body = CopyBody::from_flags(Flags, version)?;
            if RequestBuffer.is_null() || !RequestBuffer.is_aligned() {
                return Err(Error::NOACCESS);
            }
            if (RequestBufferLength as usize) < fixed_size(version) {
                // SAFETY: C caller, per HttpReceiveHttpRequest: NULL or a place for the count.
                unsafe { tell(BytesReturned, 0) };
                return Err(Error::INSUFFICIENT_BUFFER);
            }
            // SAFETY: C caller, per HttpReceiveHttpRequest: the buffer is ours until the receive has completed.
            let buffer = unsafe { LentBuffer::new(RequestBuffer.cast(), RequestBufferLength as usize) };
            let receive = Receive { service, id, version, body, buffer };
            // SAFETY: C caller, per HttpReceiveHttpRequest, as above.
            unsafe { receive.run(device, service::RequestId(RequestId), BytesReturned, Overlapped) }
        })
    })
}

/// How much body a receive brings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CopyBody {
    No,
    Arrived,
    Flush,
}

impl CopyBody {
    fn from_flags(flags: ULONG, version: ApiVersion) -> Result<CopyBody> {
        match flags {
            0 => Ok(CopyBody::No),
            HTTP_RECEIVE_REQUEST_FLAG_COPY_BODY => Ok(CopyBody::Arrived),
            HTTP_RECEIVE_REQUEST_FLAG_FLUSH_BODY if version == ApiVersion::V2 => Ok(CopyBody::Flush),
            _ => Err(Error::INVALID_PARAMETER),
        }
    }
}

/// A receive that has the caller's buffer.
struct Receive {
    service: &'static dyn Service,
    id: QueueId,
    version: ApiVersion,
    body: CopyBody,
    buffer: LentBuffer,
}

/// What remains to be done when a request has been written.
enum Step {
    Done(Outcome),
    /// Read body to the end of the buffer.
    Flush(Written),
}

/// A request written, with room for body behind it.
struct Written {
    request: service::RequestId,
    size: usize,
    room: BodyRoom,
    /// The access token that was written.
    token: Option<Handle>,
}

impl Receive {
    /// # Safety
    /// `bytes` is NULL or valid for writes; `overlapped` is NULL or valid until completion.
    unsafe fn run(
        mut self,
        device: &Arc<Device>,
        request: service::RequestId,
        bytes: PULONG,
        overlapped: LPOVERLAPPED,
    ) -> Result<u32> {
        if overlapped.is_null() {
            let outcome = self.blocking(request)?;
            // SAFETY: as promised by the caller.
            unsafe { tell(bytes, outcome.bytes) };
            return outcome.status.map(|()| 0);
        }
        // SAFETY: as promised by the caller.
        let operation = unsafe { Operation::begin(device, overlapped)? };
        match self.overlapped(request, operation) {
            // SAFETY: as promised by the caller.
            Some((outcome, operation)) => Ok(unsafe { finish_inline(operation, outcome, bytes) }),
            None => Ok(Error::IO_PENDING.0),
        }
    }

    fn blocking(&mut self, request: service::RequestId) -> Result<Outcome> {
        let (service, id) = (self.service, self.id);
        let delivery = match request.0 {
            HTTP_NULL_ID => match service.receive_blocking(id) {
                Some(received) => received?,
                None => wait(|pend| service.receive(id, pend))?,
            },
            _ => service.receive_again(id, request)?,
        };
        match self.take(delivery) {
            Step::Done(outcome) => Ok(outcome),
            Step::Flush(written) => {
                let rest = self.lend(&written.room);
                let read = wait(|pend| service.read_body(id, written.request, BodyRead::Fill, rest, pend));
                Ok(self.flushed(&written, read))
            }
        }
    }

    /// Gives outcome and operation back when the receive is done at once; otherwise it pends.
    fn overlapped(self, request: service::RequestId, operation: Operation) -> Option<(Outcome, Operation)> {
        let (service, id, number) = (self.service, self.id, operation.number());
        if request.0 != HTTP_NULL_ID {
            return self.delivered(service.receive_again(id, request), operation);
        }
        let device = Arc::clone(operation.device());
        let mut held = Some((self, operation));
        let started = service.receive(id, &mut || {
            let held = held.take();
            Reply::new(OperationId(number.0), move |result| {
                if let Some((receive, operation)) = held {
                    judged_elsewhere(result, move |result| {
                        if let Some((outcome, operation)) = receive.delivered(result, operation) {
                            operation.complete_with(outcome.status, outcome.bytes);
                        }
                    });
                }
            })
        });
        if let (Poll::Ready(result), Some((receive, operation))) = (started, held) {
            return receive.delivered(result, operation);
        }
        device.accepted(number);
        None
    }

    /// Writes the request; `None` when its body has yet to come and the operation pends (again).
    fn delivered(mut self, result: Result<Delivery>, operation: Operation) -> Option<(Outcome, Operation)> {
        let step = match result {
            Ok(delivery) => self.take(delivery),
            Err(error) => Step::Done(Outcome::new(Err(error), 0)),
        };
        match step {
            Step::Done(outcome) => Some((outcome, operation)),
            Step::Flush(written) => self.flush(written, operation),
        }
    }

    fn flush(mut self, written: Written, operation: Operation) -> Option<(Outcome, Operation)> {
        let (service, id, number) = (self.service, self.id, operation.number());
        let (request, rest) = (written.request, self.lend(&written.room));
        let device = Arc::clone(operation.device());
        let mut held = Some((self, written, operation));
        let started = service.read_body(id, request, BodyRead::Fill, rest, &mut || {
            let held = held.take();
            Reply::new(OperationId(number.0), move |read| {
                if let Some((mut receive, written, operation)) = held {
                    let outcome = receive.flushed(&written, read);
                    operation.complete_with(outcome.status, outcome.bytes);
                }
            })
        });
        if let (Poll::Ready(read), Some((mut receive, written, operation))) = (started, held) {
            return Some((receive.flushed(&written, read), operation));
        }
        device.accepted(number);
        None
    }

    /// Writes a request into the buffer, or the two ids if it does not fit.
    fn take(&mut self, mut delivery: Delivery) -> Step {
        judge(self.service, self.id, &mut delivery);
        let plan = Plan::new(self.version, &delivery);
        let size = plan.size;
        let buffer = self.buffer.as_mut_slice();
        if buffer.len() < size {
            write_ids_only(&plan, buffer);
            return Step::Done(Outcome::new(Err(Error::MORE_DATA), size as u64));
        }
        write_http_request_v2(&plan, buffer);
        let token = give_token(&plan, buffer);
        let all = Step::Done(Outcome::new(Ok(()), size as u64));
        if self.body == CopyBody::No || !delivery.more_body {
            return all;
        }
        let Some(room) = BodyRoom::behind(size, buffer.len()) else { return all };
        let written = Written { request: delivery.request, size, room, token };
        drop(delivery);
        match self.body {
            CopyBody::Flush => Step::Flush(written),
            _ => Step::Done(self.copy_arrived(&written)),
        }
    }

    /// Copies what has arrived of the body. A client that has left meanwhile is found out by the next call.
    fn copy_arrived(&mut self, written: &Written) -> Outcome {
        let rest = self.lend(&written.room);
        let never = &mut || Reply::new(OperationId(0), |_| ());
        match self.service.read_body(self.id, written.request, BodyRead::Arrived, rest, never) {
            Poll::Ready(Ok(part)) => self.flushed(written, Ok(part)),
            _ => Outcome::new(Ok(()), written.size as u64),
        }
    }

    /// Tells the body that was read behind the request. No body at all is no error.
    fn flushed(&mut self, written: &Written, read: Result<BodyPart>) -> Outcome {
        let (len, more_body) = match read {
            Ok(part) => (part.len, part.more_body),
            Err(Error::HANDLE_EOF) => (0, false),
            Err(error) => {
                // Nobody closes what came with a receive that failed.
                written.token.map(object::close);
                return Outcome::new(Err(error), 0);
            }
        };
        write_body(&written.room, len, more_body, self.buffer.as_mut_slice());
        let end = if len > 0 { written.room.start + len } else { written.size };
        Outcome::new(Ok(()), end as u64)
    }

    /// The room behind the request, lent on. Until it comes back nothing else touches the buffer.
    fn lend(&mut self, room: &BodyRoom) -> LentBuffer {
        let rest = &mut self.buffer.as_mut_slice()[room.start..room.start + room.len];
        // SAFETY: part of the buffer the C caller lent until completion, which comes after the read.
        unsafe { LentBuffer::new(rest.as_mut_ptr(), rest.len()) }
    }
}

//! The host's long sends: a body that comes in several parts, sent on by the engine one after the other.
//!
//! ```text
//! command + first part ─► send_response ─► Pull ─► More ─► send_body ─► Pull ─► ... ─► Done
//! ```
//!
//! Each part is pulled when the engine is done with the one before, so a slow client holds up the guest and
//! not the host's memory. What the client gets is what it would get of a single send: the length of the
//! whole body is announced in a Content-Length field where the engine would have counted it.

use std::sync::Arc;

use super::body::Part;
use super::codec::{Decoded, Malformed};
use super::message::{Answer, Outcome, Response};
use super::running::Link;
use crate::abi::error::{Error, Result};
use crate::server::service::{QueueId, RequestId, ResponseField, ResponseHead, SendFlags, UNKNOWN_REQUEST};
use crate::wire::field::UNKNOWN;

/// Number of Content-Length (`HttpHeaderContentLength`).
const CONTENT_LENGTH: u8 = 11;

/// Number of Transfer-Encoding (`HttpHeaderTransferEncoding`).
const TRANSFER_ENCODING: u8 = 6;

/// A long send.
pub(super) struct Upload {
    request: RequestId,
    /// As the guest gave them; they hold for the last part.
    flags: SendFlags,
    /// Bytes the engine has counted.
    sent: u64,
    /// A part is pulled and has not come.
    pulled: bool,
}

impl Upload {
    /// The request, if it is the guest's turn.
    pub(super) fn waits_for_part(&self) -> Option<RequestId> {
        self.pulled.then_some(self.request)
    }

    /// Whether part of it is out.
    pub(super) fn has_begun(&self) -> bool {
        self.sent > 0
    }

    /// Whether it is of this request, and which is its last.
    pub(super) fn of(&self, request: RequestId) -> Option<bool> {
        (self.request == request).then_some(!self.flags.more_data)
    }
}

impl Link {
    /// Sends a response, of which the guest may have given the beginning only.
    pub(super) fn send_response(self: &Arc<Self>, tag: u64, queue: QueueId, response: Response) {
        let request = response.request;
        self.in_order(tag, queue, request, move |link| link.begin_response(tag, queue, response));
    }

    fn begin_response(self: &Arc<Self>, tag: u64, queue: QueueId, response: Response) -> bool {
        let Response { request, flags, mut head, part, total } = response;
        if part.last {
            self.single(tag, queue, Outcome::Sent, |pend| {
                self.engine.send_response(queue, request, flags, &head, &mut part.into_body(), pend)
            });
            return false;
        }
        if let Some(total) = total
            && !flags.more_data
        {
            announce_length(&mut head, total);
        }
        self.begin_upload(tag, queue, request, flags);
        self.step(
            tag,
            queue,
            true,
            |pend| {
                let flags = step_flags(flags, false);
                self.engine.send_response(queue, request, flags, &head, &mut part.into_body(), pend)
            },
            move |link, result| link.sent(tag, queue, false, result),
        );
        true
    }

    /// Sends more of a body, of which the guest may have given the beginning only.
    pub(super) fn send_body(
        self: &Arc<Self>,
        tag: u64,
        queue: QueueId,
        request: RequestId,
        flags: SendFlags,
        part: Part,
    ) {
        self.in_order(tag, queue, request, move |link| link.begin_body(tag, queue, request, flags, part));
    }

    fn begin_body(
        self: &Arc<Self>,
        tag: u64,
        queue: QueueId,
        request: RequestId,
        flags: SendFlags,
        part: Part,
    ) -> bool {
        if part.last {
            self.single(tag, queue, Outcome::Sent, |pend| {
                self.engine.send_body(queue, request, flags, &mut part.into_body(), pend)
            });
            return false;
        }
        self.begin_upload(tag, queue, request, flags);
        self.send_part(tag, queue, request, flags, part);
        true
    }

    /// The guest sent the part that was pulled. Malformed if none was.
    pub(super) fn more(self: &Arc<Self>, tag: u64, part: Part) -> Decoded<()> {
        let mut running = self.running.lock();
        // A part may be under way while the call is aborted.
        let Some(call) = running.get_mut(&tag) else { return Ok(()) };
        let queue = call.queue;
        let upload = call.upload.as_mut().filter(|upload| upload.pulled).ok_or(Malformed)?;
        upload.pulled = false;
        let (request, flags) = (upload.request, upload.flags);
        drop(running);
        self.send_part(tag, queue, request, flags, part);
        Ok(())
    }

    fn send_part(
        self: &Arc<Self>,
        tag: u64,
        queue: QueueId,
        request: RequestId,
        flags: SendFlags,
        part: Part,
    ) {
        let last = part.last;
        let flags = step_flags(flags, last);
        self.step(
            tag,
            queue,
            true,
            |pend| self.engine.send_body(queue, request, flags, &mut part.into_body(), pend),
            move |link, result| link.sent(tag, queue, last, result),
        );
    }

    /// The engine is done with a part.
    fn sent(self: &Arc<Self>, tag: u64, queue: QueueId, last: bool, result: Result<u64>) {
        let count = match result {
            Err(error) => {
                let request =
                    self.running.lock().get(&tag).and_then(|call| Some(call.upload.as_ref()?.request));
                self.finish(tag, Err(error));
                return request.map_or((), |request| self.next_in_order(request));
            }
            Ok(count) => count,
        };
        let mut running = self.running.lock();
        let Some(call) = running.get_mut(&tag) else { return };
        let aborted = call.aborted;
        let Some(upload) = &mut call.upload else { return };
        upload.sent += count;
        let (request, sent) = (upload.request, upload.sent);
        upload.pulled = !last && !aborted;
        if upload.pulled {
            // Under the lock, so that no abort can put the end of the call before it.
            return self.outbox.later(tag, Answer::Pull);
        }
        drop(running);
        if last {
            self.finish(tag, Ok(Outcome::Sent(sent)));
            self.next_in_order(request);
        } else {
            self.cancel_upload(tag, queue, request);
        }
    }

    fn begin_upload(&self, tag: u64, queue: QueueId, request: RequestId, flags: SendFlags) {
        self.announce(tag, queue, true, None);
        if let Some(call) = self.running.lock().get_mut(&tag) {
            call.upload = Some(Upload { request, flags, sent: 0, pulled: false });
        }
        self.order.begin(request);
    }

    /// Aborts a send between two parts: as when the engine aborts one, the connection is closed.
    pub(super) fn cancel_upload(self: &Arc<Self>, tag: u64, queue: QueueId, request: RequestId) {
        // The client may be gone already, which comes to the same.
        let _ = self.engine.cancel_request(queue, request);
        self.finish(tag, Err(Error::OPERATION_ABORTED));
        self.next_in_order(request);
    }

    /// Cancels a request, unless its last send has begun: as the engine would have it, had it all of that.
    pub(super) fn cancel_request(&self, queue: QueueId, request: RequestId) -> Result<()> {
        let mut of_it = Vec::new();
        for (tag, call) in self.running.lock().iter() {
            match call.upload.as_ref().and_then(|upload| upload.of(request)) {
                Some(true) => return Err(UNKNOWN_REQUEST),
                Some(false) => of_it.push(*tag),
                None if call.waits_for == Some(request) => of_it.push(*tag),
                None => {}
            }
        }
        self.mark_aborted(&of_it);
        self.engine.cancel_request(queue, request)
    }

    /// Notes that these calls end because the guest wants it.
    fn mark_aborted(&self, tags: &[u64]) {
        let mut running = self.running.lock();
        for tag in tags {
            if let Some(call) = running.get_mut(tag) {
                call.aborted = true;
            }
        }
    }

    /// A queue is about to close.
    pub(super) fn queue_closes(&self, queue: QueueId) {
        for call in self.running.lock().values_mut().filter(|call| call.queue == queue) {
            call.aborted |= call.upload.is_some() || call.waits_for.is_some();
        }
    }
}

/// The flags for a part: only the last one ends what the guest's flags end.
fn step_flags(flags: SendFlags, last: bool) -> SendFlags {
    if last { flags } else { SendFlags { more_data: true, disconnect: false, ..flags } }
}

/// Adds the Content-Length the engine would add to a response given whole. Not where the application chose
/// the framing itself, nor for responses that have no content (RFC 9110, 15.2, 15.3.5, 15.4.5).
fn announce_length(head: &mut ResponseHead, total: u64) {
    let has_content = head.status >= 200 && head.status != 204 && head.status != 304;
    if !has_content || head.fields.iter().any(|field| frames_body(head, field)) {
        return;
    }
    let value = total.to_string();
    let field = ResponseField {
        id: CONTENT_LENGTH,
        name: (0, 0),
        value: (head.text.len() as u32, value.len() as u32),
    };
    head.text.extend_from_slice(value.as_bytes());
    let place = head.fields.partition_point(|other| other.id < CONTENT_LENGTH);
    head.fields.insert(place, field);
}

fn frames_body(head: &ResponseHead, field: &ResponseField) -> bool {
    match field.id {
        CONTENT_LENGTH | TRANSFER_ENCODING => true,
        UNKNOWN => {
            let (start, len) = (field.name.0 as usize, field.name.1 as usize);
            let name = head.text.get(start..start + len).unwrap_or_default();
            name.eq_ignore_ascii_case(b"content-length") || name.eq_ignore_ascii_case(b"transfer-encoding")
        }
        _ => false,
    }
}

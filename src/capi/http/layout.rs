//! Where everything an `HTTP_REQUEST` points at goes in the caller's one buffer, and how long the whole is.
//!
//! ```text
//! structure | unknown headers | infos, trailers | remote, local address | cooked URL | raw URL, verb, names, values | chunk | body
//! └ 848/864 ┘└── 24 each ────┘└─ 16 + each ─┘└── 16 or 32 each ────┘ └─ UTF-16 ──┘└── bytes, each with a NUL ───┘ └ 32 ┘
//! ```
//! Arrays and addresses are aligned to 8. The size told with `ERROR_MORE_DATA` ends before the chunk, so that a
//! buffer of exactly that size always takes the request. Writing is `write_request`'s.

use crate::abi::http::{HTTP_DATA_CHUNK, HTTP_REQUEST_V1, HTTP_REQUEST_V2, HTTP_UNKNOWN_HEADER};
use crate::server::service::{ApiVersion, Delivery, DeliveryExtras, RequestInfo};
use crate::wire::request::{RequestHead, Verb};

use super::cooked::CookedUrl;
use super::joined::{Joined, Measure, measure_distinct};
use super::{address, request_info, trailers};

/// What few requests have behind the structure.
pub(super) struct Extra<'a> {
    /// The entries of `pRequestInfo`.
    pub(super) infos: &'a [RequestInfo],
    /// Bytes of the trailers' array, and of their texts.
    pub(super) trailers: (usize, usize),
}

impl<'a> Extra<'a> {
    #[cold]
    fn of(version: ApiVersion, extras: &'a DeliveryExtras) -> Extra<'a> {
        let trailers = trailers::room(&extras.trailers);
        Extra { infos: request_info::infos(version, extras), trailers }
    }

    fn room(&self) -> usize {
        request_info::room(self.infos) + self.trailers.0 + self.trailers.1
    }
}

/// The plan for one request.
pub(super) struct Plan<'a> {
    pub(super) delivery: &'a Delivery,
    pub(super) url: CookedUrl<'a>,
    /// Set when a name came more than once.
    pub(super) joined: Option<Joined>,
    /// Entries of the unknown header array.
    pub(super) unknown: usize,
    /// What few requests have.
    pub(super) extra: Option<Extra<'a>>,
    /// Bytes of the fixed structure.
    pub(super) fixed: usize,
    /// Bytes of everything but the body.
    pub(super) size: usize,
}

impl<'a> Plan<'a> {
    /// Plans the layout of `delivery` for a queue of this version.
    #[inline]
    pub(super) fn new(version: ApiVersion, delivery: &'a Delivery) -> Plan<'a> {
        let head: &RequestHead = &delivery.head;
        let url = CookedUrl::plan(head, &delivery.local);
        let (Measure { unknown, bytes }, joined) = match measure_distinct(head) {
            Some(measure) => (measure, None),
            None => {
                let joined = Joined::find(head);
                (joined.measure(head), Some(joined))
            }
        };
        let fixed = fixed_size(version);
        let extra = delivery.extras.as_ref().map(|extras| Extra::of(version, extras));
        let size = fixed
            + unknown * size_of::<HTTP_UNKNOWN_HEADER>()
            + extra.as_ref().map_or(0, Extra::room)
            + address::room(&delivery.remote)
            + address::room(&delivery.local)
            + (url.len() + 1) * size_of::<u16>()
            + head.target.len as usize
            + 1
            + verb_room(head)
            + bytes;
        Plan { delivery, url, joined, unknown, extra, fixed, size }
    }
}

/// Bytes of the structure itself: `HTTP_REQUEST_V1` on a version 1 queue, else `HTTP_REQUEST_V2`.
#[inline]
pub(super) fn fixed_size(version: ApiVersion) -> usize {
    match version {
        ApiVersion::V1 => size_of::<HTTP_REQUEST_V1>(),
        ApiVersion::V2 => size_of::<HTTP_REQUEST_V2>(),
    }
}

fn verb_room(head: &RequestHead) -> usize {
    if head.verb == Verb::Unknown { head.verb_text.len as usize + 1 } else { 0 }
}

/// Where body goes that is copied behind a request: the one chunk, then the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BodyRoom {
    /// Offset of the `HTTP_DATA_CHUNK`.
    pub(super) chunk: usize,
    /// Offset of the first byte of body.
    pub(super) start: usize,
    /// Bytes there is room for.
    pub(super) len: usize,
}

impl BodyRoom {
    /// The room a buffer of `capacity` leaves behind a request of `size` bytes; `None` when there is not a byte.
    pub(super) fn behind(size: usize, capacity: usize) -> Option<BodyRoom> {
        let chunk = size.next_multiple_of(8);
        let start = chunk + size_of::<HTTP_DATA_CHUNK>();
        let len = capacity.checked_sub(start)?;
        (len > 0).then_some(BodyRoom { chunk, start, len })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_of_just_the_size_told_has_no_room_for_body() {
        assert_eq!(BodyRoom::behind(1001, 1001), None);
        assert_eq!(BodyRoom::behind(1001, 1040), None);
        assert_eq!(BodyRoom::behind(1001, 1041), Some(BodyRoom { chunk: 1008, start: 1040, len: 1 }));
    }
}

//! The entries of `HTTP_REQUEST_V2.pRequestInfo` in the caller's buffer: the array, then the structures.
//!
//! Here is the one place that lists them: a further entry is a variant of [`RequestInfo`] and a line in [`number`],
//! [`structure_size`] and [`write_structure`]. Which entries a request has is the engine's to say.
#![expect(unsafe_code, reason = "lays C structures over the caller's buffer")]

use std::ptr;

use crate::abi::base::{TCP_INFO_v0, TCP_INFO_v1};
use crate::abi::http::*;
use crate::capi::tcp_info::{tcp_info_v0, tcp_info_v1};
use crate::server::service::{ApiVersion, DeliveryExtras, RequestInfo, Sizing, Timing};

use super::auth_info;

/// The entries of a request as this version tells them: version 1 has none.
pub(super) fn infos(version: ApiVersion, extras: &DeliveryExtras) -> &[RequestInfo] {
    match version {
        ApiVersion::V1 => &[],
        ApiVersion::V2 => &extras.infos,
    }
}

/// Bytes of array and structures; a multiple of 8.
pub(super) fn room(infos: &[RequestInfo]) -> usize {
    infos.iter().map(|info| size_of::<HTTP_REQUEST_INFO>() + entry_room(info)).sum()
}

/// Writes them at `place`, which is aligned to 8 and has [`room`] for them, and gives count and array.
pub(super) fn write(infos: &[RequestInfo], place: &mut [u8]) -> (u16, PHTTP_REQUEST_INFO) {
    assert_eq!(place.len(), room(infos));
    let base = place.as_mut_ptr();
    let mut behind = infos.len() * size_of::<HTTP_REQUEST_INFO>();
    for (index, info) in infos.iter().enumerate() {
        let len = structure_size(info);
        let entry = HTTP_REQUEST_INFO {
            InfoType: number(info),
            InfoLength: len as u32,
            pInfo: base.wrapping_add(behind).cast(),
        };
        // SAFETY: array and structures lie inside the place, whose length is checked above, each at a multiple of 8.
        unsafe {
            base.cast::<HTTP_REQUEST_INFO>().add(index).write(entry);
            write_structure(info, base.add(behind));
        }
        behind += entry_room(info);
    }
    (infos.len() as u16, base.cast())
}

/// Bytes of a structure and of the text behind it.
fn entry_room(info: &RequestInfo) -> usize {
    let text = if let RequestInfo::Auth(identity) = info { auth_info::text_room(identity) } else { 0 };
    (structure_size(info) + text).next_multiple_of(8)
}

fn number(info: &RequestInfo) -> HTTP_REQUEST_INFO_TYPE {
    match info {
        RequestInfo::Auth(_) => HttpRequestInfoTypeAuth,
        RequestInfo::Timing(_) => HttpRequestInfoTypeRequestTiming,
        RequestInfo::TcpV0(_) => HttpRequestInfoTypeTcpInfoV0,
        RequestInfo::Sizing(_) => HttpRequestInfoTypeRequestSizing,
        RequestInfo::TcpV1(_) => HttpRequestInfoTypeTcpInfoV1,
    }
}

fn structure_size(info: &RequestInfo) -> usize {
    match info {
        RequestInfo::Auth(_) => size_of::<HTTP_REQUEST_AUTH_INFO>(),
        RequestInfo::Timing(_) => size_of::<HTTP_REQUEST_TIMING_INFO>(),
        RequestInfo::TcpV0(_) => size_of::<TCP_INFO_v0>(),
        RequestInfo::Sizing(_) => size_of::<HTTP_REQUEST_SIZING_INFO>(),
        RequestInfo::TcpV1(_) => size_of::<TCP_INFO_v1>(),
    }
}

/// # Safety
/// `place` is aligned to 8 and valid for writes of [`entry_room`] bytes.
unsafe fn write_structure(info: &RequestInfo, place: *mut u8) {
    // SAFETY: as promised by the caller.
    unsafe {
        match info {
            RequestInfo::Auth(identity) => auth_info::write(identity, place),
            RequestInfo::Timing(timing) => ptr::write(place.cast(), timing_info(timing)),
            RequestInfo::TcpV0(facts) => ptr::write(place.cast(), tcp_info_v0(facts)),
            RequestInfo::Sizing(sizing) => ptr::write(place.cast(), sizing_info(sizing)),
            RequestInfo::TcpV1(facts) => ptr::write(place.cast(), tcp_info_v1(facts)),
        }
    }
}

fn timing_info(timing: &Timing) -> HTTP_REQUEST_TIMING_INFO {
    let mut info = HTTP_REQUEST_TIMING_INFO {
        RequestTimingCount: HttpRequestTimingTypeMax as u32,
        RequestTiming: [0; HttpRequestTimingTypeMax as usize],
    };
    let mut set = |kind: HTTP_REQUEST_TIMING_TYPE, at| info.RequestTiming[kind as usize] = at;
    set(HttpRequestTimingTypeConnectionStart, timing.connection_start);
    set(HttpRequestTimingTypeDataStart, timing.data_start);
    set(HttpRequestTimingTypeRequestHeaderParseStart, timing.parse_start);
    set(HttpRequestTimingTypeRequestHeaderParseEnd, timing.parse_end);
    set(HttpRequestTimingTypeRequestRoutingStart, timing.routing_start);
    set(HttpRequestTimingTypeRequestRoutingEnd, timing.routing_end);
    set(HttpRequestTimingTypeRequestQueuedForIO, timing.queued);
    set(HttpRequestTimingTypeRequestDeliveredForIO, timing.delivered);
    info
}

fn sizing_info(sizing: &Sizing) -> HTTP_REQUEST_SIZING_INFO {
    let mut info = HTTP_REQUEST_SIZING_INFO {
        Flags: if sizing.index == 0 { HTTP_REQUEST_SIZING_INFO_FLAG_FIRST_REQUEST.into() } else { 0 },
        RequestIndex: sizing.index,
        RequestSizingCount: HttpRequestSizingTypeMax as u32,
        RequestSizing: [0; HttpRequestSizingTypeMax as usize],
    };
    info.RequestSizing[HttpRequestSizingTypeHeaders as usize] = sizing.head;
    info
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::tcp_facts::TcpFacts;

    #[test]
    fn version_1_has_none() {
        let infos = vec![RequestInfo::Sizing(Sizing::default())];
        let extras = DeliveryExtras { infos, trailers: Vec::new() };
        assert_eq!(super::infos(ApiVersion::V1, &extras), []);
        assert_eq!(super::infos(ApiVersion::V2, &extras).len(), 1);
    }

    #[test]
    fn every_entry_stands_aligned_in_its_place() {
        let facts = TcpFacts { mss: 1460, ..TcpFacts::default() };
        let infos = [
            RequestInfo::Timing(Timing { delivered: 9, ..Timing::default() }),
            RequestInfo::TcpV0(facts),
            RequestInfo::Sizing(Sizing { index: 0, head: 77 }),
            RequestInfo::TcpV1(facts),
        ];
        let mut words = vec![0u64; room(&infos) / 8];
        // SAFETY: as many bytes as the words have.
        let place = unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), words.len() * 8) };
        let (count, array) = write(&infos, place);
        // SAFETY: just written.
        let entries = unsafe { std::slice::from_raw_parts(array, usize::from(count)) };
        let lengths: Vec<_> = entries.iter().map(|e| (e.InfoType, e.InfoLength)).collect();
        assert_eq!(lengths, [(5, 248), (6, 88), (7, 56), (9, 136)]);
        assert!(entries.iter().all(|entry| entry.pInfo.addr() % 8 == 0));
        // SAFETY: as the type says.
        let (timing, sizing, tcp) = unsafe {
            (
                entries[0].pInfo.cast::<HTTP_REQUEST_TIMING_INFO>().read(),
                entries[2].pInfo.cast::<HTTP_REQUEST_SIZING_INFO>().read(),
                entries[3].pInfo.cast::<TCP_INFO_v1>().read(),
            )
        };
        assert_eq!((timing.RequestTimingCount, timing.RequestTiming[26]), (30, 9));
        assert_eq!((sizing.Flags, sizing.RequestSizing[4], tcp.Mss), (8, 77, 1460));
    }
}

//! Properties of sessions and URL groups that Windows does not have; their structures stand in `nthttp.h`.
#![expect(unsafe_code, reason = "reads and writes the caller's buffers")]

use crate::abi::base::ULONG;
use crate::abi::error::Result;
use crate::abi::http::{HTTP_PROPERTY_FLAGS, HTTP_SERVER_PROPERTY};
use crate::server::service::{HeadLimits, Property};

use super::property_buffers::{Given, Wanted};
use super::property_values::{is_present, presence};

/// `NTHTTP_SERVER_REQUEST_INFO_PROPERTY`.
pub(super) const REQUEST_INFO: HTTP_SERVER_PROPERTY = 0x100;

/// `NTHTTP_SERVER_LIMITS_PROPERTY`.
pub(super) const LIMITS: HTTP_SERVER_PROPERTY = 0x101;

/// `NTHTTP_REQUEST_INFO_TYPES`.
#[repr(C)]
#[derive(Clone, Copy)]
struct RequestInfoTypes {
    flags: HTTP_PROPERTY_FLAGS,
    types: ULONG,
}

/// # Safety
/// `given` is a buffer of the caller, valid for reads.
pub(super) unsafe fn read_request_info(given: Given) -> Result<Property> {
    // SAFETY: as promised by the caller.
    let RequestInfoTypes { flags, types } = unsafe { given.read()? };
    Ok(Property::RequestInfo(is_present(flags).then_some(types)))
}

/// # Safety
/// `wanted` holds places of the caller, valid for writes.
pub(super) unsafe fn write_request_info(types: Option<u32>, wanted: Wanted) -> Result<()> {
    let told = RequestInfoTypes { flags: presence(types.is_some()), types: types.unwrap_or(0) };
    // SAFETY: as promised by the caller.
    unsafe { wanted.write(told) }
}

/// `NTHTTP_LIMITS_INFO`.
#[repr(C)]
#[derive(Clone, Copy)]
struct LimitsInfo {
    flags: HTTP_PROPERTY_FLAGS,
    max_field_length: ULONG,
    max_request_bytes: ULONG,
    url_segment_max_length: ULONG,
    url_segment_max_count: ULONG,
}

/// # Safety
/// `given` is a buffer of the caller, valid for reads.
pub(super) unsafe fn read_limits(given: Given) -> Result<Property> {
    // SAFETY: as promised by the caller.
    let info: LimitsInfo = unsafe { given.read()? };
    Ok(Property::Limits(is_present(info.flags).then_some(HeadLimits {
        max_field_length: info.max_field_length,
        max_request_bytes: info.max_request_bytes,
        url_segment_max_length: info.url_segment_max_length,
        url_segment_max_count: info.url_segment_max_count,
    })))
}

/// # Safety
/// `wanted` holds places of the caller, valid for writes.
pub(super) unsafe fn write_limits(limits: Option<HeadLimits>, wanted: Wanted) -> Result<()> {
    let flags = presence(limits.is_some());
    let HeadLimits { max_field_length, max_request_bytes, url_segment_max_length, url_segment_max_count } =
        limits.unwrap_or_default();
    let told = LimitsInfo {
        flags,
        max_field_length,
        max_request_bytes,
        url_segment_max_length,
        url_segment_max_count,
    };
    // SAFETY: as promised by the caller.
    unsafe { wanted.write(told) }
}

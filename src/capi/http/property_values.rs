//! The plain property structures: state, timeouts, listening endpoint, protection level, and a queue's numbers. Those with
//! pointers in them are in `property_qos`, `property_auth` and `property_logging`.
#![expect(unsafe_code, reason = "reads and writes the caller's buffers")]
#![expect(non_upper_case_globals, reason = "Windows spelling, as in the header")]

use crate::abi::base::ULONG;
use crate::abi::error::{Error, Result};
use crate::abi::http::*;
use crate::server::service::{Property, PropertyKind, Timeouts, Verbosity};

use super::property_buffers::Given;

const PRESENT: HTTP_PROPERTY_FLAGS = HTTP_PROPERTY_FLAGS(1);
const ABSENT: HTTP_PROPERTY_FLAGS = HTTP_PROPERTY_FLAGS(0);

/// Whether a structure says that it holds a value; without it, it takes the property back.
pub(super) fn is_present(flags: HTTP_PROPERTY_FLAGS) -> bool {
    flags.0 & PRESENT.0 != 0
}

/// The flags of a value that was set, or was not.
pub(super) fn presence(set: bool) -> HTTP_PROPERTY_FLAGS {
    if set { PRESENT } else { ABSENT }
}

/// The property of queues of this number.
pub(super) fn queue_kind(property: HTTP_SERVER_PROPERTY) -> Result<PropertyKind> {
    match property {
        HttpServerQueueLengthProperty => Ok(PropertyKind::QueueLength),
        HttpServerStateProperty => Ok(PropertyKind::State),
        HttpServer503VerbosityProperty => Ok(PropertyKind::Verbosity),
        _ => Err(Error::INVALID_PARAMETER),
    }
}

/// A property of queues with this number as its value.
pub(super) fn queue_value(kind: PropertyKind, value: ULONG) -> Result<Property> {
    match kind {
        PropertyKind::QueueLength
            if (HTTP_MIN_SERVER_QUEUE_LENGTH..=HTTP_MAX_SERVER_QUEUE_LENGTH).contains(&value) =>
        {
            Ok(Property::QueueLength(value))
        }
        PropertyKind::State => {
            active(value as HTTP_ENABLED_STATE).map(|active| Property::State(Some(active)))
        }
        PropertyKind::Verbosity => match value as HTTP_503_RESPONSE_VERBOSITY {
            Http503ResponseVerbosityBasic => Ok(Property::Verbosity(Verbosity::Basic)),
            Http503ResponseVerbosityLimited => Ok(Property::Verbosity(Verbosity::Limited)),
            Http503ResponseVerbosityFull => Ok(Property::Verbosity(Verbosity::Full)),
            _ => Err(Error::INVALID_PARAMETER),
        },
        _ => Err(Error::INVALID_PARAMETER),
    }
}

/// The number a property of queues has in C.
pub(super) fn queue_number(property: Property) -> Result<ULONG> {
    match property {
        Property::QueueLength(length) => Ok(length),
        Property::State(active) => Ok(u32::from(active == Some(false))),
        Property::Verbosity(verbosity) => Ok(verbosity as u32),
        _ => Err(Error::INTERNAL_ERROR),
    }
}

fn active(state: HTTP_ENABLED_STATE) -> Result<bool> {
    match state {
        HttpEnabledStateActive => Ok(true),
        HttpEnabledStateInactive => Ok(false),
        _ => Err(Error::INVALID_PARAMETER),
    }
}

/// Reads `HTTP_STATE_INFO`.
///
/// # Safety
/// `given` is a buffer of the caller, valid for reads; so in the functions below.
pub(super) unsafe fn read_state(given: Given) -> Result<Property> {
    // SAFETY: as promised by the caller.
    let info: HTTP_STATE_INFO = unsafe { given.read()? };
    let state = if is_present(info.Flags) { Some(active(info.State)?) } else { None };
    Ok(Property::State(state))
}

/// Reads `HTTP_TIMEOUT_LIMIT_INFO`.
///
/// # Safety
/// As [`read_state`].
pub(super) unsafe fn read_timeouts(given: Given) -> Result<Property> {
    // SAFETY: as promised by the caller.
    let info: HTTP_TIMEOUT_LIMIT_INFO = unsafe { given.read()? };
    let timeouts = Timeouts {
        entity_body: info.EntityBody,
        drain_entity_body: info.DrainEntityBody,
        request_queue: info.RequestQueue,
        idle_connection: info.IdleConnection,
        header_wait: info.HeaderWait,
        min_send_rate: info.MinSendRate,
    };
    Ok(Property::Timeouts(is_present(info.Flags).then_some(timeouts)))
}

/// Reads `HTTP_LISTEN_ENDPOINT_INFO`.
///
/// # Safety
/// As [`read_state`].
pub(super) unsafe fn read_listen_endpoint(given: Given) -> Result<Property> {
    // SAFETY: as promised by the caller.
    let info: HTTP_LISTEN_ENDPOINT_INFO = unsafe { given.read()? };
    Ok(Property::ListenEndpoint(is_present(info.Flags).then_some(info.EnableSharing != 0)))
}

/// Reads `HTTP_PROTECTION_LEVEL_INFO`.
///
/// # Safety
/// As [`read_state`].
pub(super) unsafe fn read_protection_level(given: Given) -> Result<Property> {
    // SAFETY: as promised by the caller.
    let info: HTTP_PROTECTION_LEVEL_INFO = unsafe { given.read()? };
    let levels = HttpProtectionLevelUnrestricted..=HttpProtectionLevelRestricted;
    match is_present(info.Flags) {
        true if !levels.contains(&info.Level) => Err(Error::INVALID_PARAMETER),
        true => Ok(Property::ProtectionLevel(Some(info.Level as u32))),
        false => Ok(Property::ProtectionLevel(None)),
    }
}

/// `HTTP_STATE_INFO` of a state that was set, or not.
pub(super) fn state_info(state: Option<bool>) -> HTTP_STATE_INFO {
    let number = if state == Some(false) { HttpEnabledStateInactive } else { HttpEnabledStateActive };
    HTTP_STATE_INFO { Flags: presence(state.is_some()), State: number }
}

/// `HTTP_TIMEOUT_LIMIT_INFO` of timeouts that were set, or not.
pub(super) fn timeout_info(timeouts: Option<Timeouts>) -> HTTP_TIMEOUT_LIMIT_INFO {
    let Timeouts {
        entity_body,
        drain_entity_body,
        request_queue,
        idle_connection,
        header_wait,
        min_send_rate,
    } = timeouts.unwrap_or_default();
    HTTP_TIMEOUT_LIMIT_INFO {
        Flags: presence(timeouts.is_some()),
        EntityBody: entity_body,
        DrainEntityBody: drain_entity_body,
        RequestQueue: request_queue,
        IdleConnection: idle_connection,
        HeaderWait: header_wait,
        MinSendRate: min_send_rate,
    }
}

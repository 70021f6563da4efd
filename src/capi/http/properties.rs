//! Properties of sessions, URL groups and queues: state, timeouts, queue length, 503 verbosity, binding.
//!
//! | property | session | URL group | queue |
//! |---|---|---|---|
//! | Timeouts, State | set, query | set, query | (State only) set, query |
//! | Binding | – | set | – |
//! | QueueLength, 503Verbosity | – | – | set, query |
//!
//! A property that is not one of that holder's gives `INVALID_PARAMETER`; one that is, and does not work here, gives
//! `NOT_SUPPORTED`.
#![expect(unsafe_code, reason = "functions called from C; read and write its structures")]
#![expect(non_snake_case, non_upper_case_globals, reason = "Windows spelling, as in the header")]

use crate::abi::base::{HANDLE, PULONG, PVOID, ULONG};
use crate::abi::error::{Error, Result};
use crate::abi::http::*;
use crate::capi::guard::returning_status;
use crate::server::service::{
    ApiVersion, GroupId, Holder, Property, PropertyKind, QueueId, SessionId, Timeouts, Verbosity,
};

use super::engine::service;
use super::init::ensure_server;
use super::property_buffers::{Given, Wanted};
use super::queue::{device, queue_of};
use super::read_logging::read_logging;

const PRESENT: HTTP_PROPERTY_FLAGS = HTTP_PROPERTY_FLAGS(1);
const ABSENT: HTTP_PROPERTY_FLAGS = HTTP_PROPERTY_FLAGS(0);

/// Sets a property that the session's URL groups inherit: `HttpServerStateProperty` (`HTTP_STATE_INFO`) or
/// `HttpServerTimeoutsProperty` (`HTTP_TIMEOUT_LIMIT_INFO`). With `Flags.Present` 0 it is taken back.
///
/// `PropertyInformationLength` is in bytes; more than the structure is accepted. Errors: `ERROR_INVALID_PARAMETER` (no
/// such session, not a property of sessions, buffer NULL or short, value out of range), `ERROR_DLL_INIT_FAILED`.
///
/// Differs from Windows: authentication, logging, QoS and channel binding give `ERROR_NOT_SUPPORTED`.
///
/// MSDN: HttpSetServerSessionProperty function.
///
/// # Safety
/// `PropertyInformation` is NULL or valid for reads of `PropertyInformationLength` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpSetServerSessionProperty(
    ServerSessionId: HTTP_SERVER_SESSION_ID,
    Property: HTTP_SERVER_PROPERTY,
    PropertyInformation: PVOID,
    PropertyInformationLength: ULONG,
) -> ULONG {
    returning_status(|| {
        ensure_server()?;
        let given = Given { start: PropertyInformation, len: PropertyInformationLength };
        given.check()?;
        match Property {
            HttpServerStateProperty | HttpServerTimeoutsProperty => {
                // SAFETY: C caller, per HttpSetServerSessionProperty: a buffer of that length.
                let value = unsafe { read_shared(Property, given)? };
                service()?.set_property(Holder::Session(SessionId(ServerSessionId)), value)
            }
            HttpServerLoggingProperty => {
                // SAFETY: see above; the texts it points at are valid for reads during the call.
                let value = unsafe { read_logging(given)? };
                service()?.set_property(Holder::Session(SessionId(ServerSessionId)), value)
            }
            HttpServerAuthenticationProperty
            | HttpServerQosProperty
            | HttpServerExtendedAuthenticationProperty
            | HttpServerChannelBindProperty => Err(Error::NOT_SUPPORTED),
            _ => Err(Error::INVALID_PARAMETER),
        }
    })
}

/// Reads a session's `HttpServerStateProperty` (`HTTP_STATE_INFO`) or `HttpServerTimeoutsProperty`
/// (`HTTP_TIMEOUT_LIMIT_INFO`); `Flags.Present` is 0 when it was not set there.
///
/// `*ReturnLength` is the size in bytes, also with `ERROR_MORE_DATA` (buffer too small, or NULL with length 0 to ask for
/// the size). Other errors: `ERROR_INVALID_PARAMETER` (no such session, not a property that can be read there, buffer
/// NULL), `ERROR_DLL_INIT_FAILED`.
///
/// Differs from Windows: authentication, QoS and channel binding give `ERROR_NOT_SUPPORTED`.
///
/// MSDN: HttpQueryServerSessionProperty function.
///
/// # Safety
/// `PropertyInformation` is NULL or valid for writes of its length; `ReturnLength` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpQueryServerSessionProperty(
    ServerSessionId: HTTP_SERVER_SESSION_ID,
    Property: HTTP_SERVER_PROPERTY,
    PropertyInformation: PVOID,
    PropertyInformationLength: ULONG,
    ReturnLength: PULONG,
) -> ULONG {
    returning_status(|| {
        ensure_server()?;
        let wanted =
            Wanted { start: PropertyInformation, len: PropertyInformationLength, size: ReturnLength };
        // SAFETY: C caller, per HttpQueryServerSessionProperty: a buffer of that length, and a place for the size.
        unsafe { query_shared(Holder::Session(SessionId(ServerSessionId)), Property, wanted) }
    })
}

/// Sets a property of a URL group: `HttpServerBindingProperty` (`HTTP_BINDING_INFO`: the version 2 queue its requests go
/// to; NULL or `Flags.Present` 0 for none, and requests are answered 503), `HttpServerStateProperty` (`HTTP_STATE_INFO`) or
/// `HttpServerTimeoutsProperty` (`HTTP_TIMEOUT_LIMIT_INFO`).
///
/// `PropertyInformationLength` is in bytes; more than the structure is accepted. Errors: `ERROR_INVALID_PARAMETER` (no
/// such group, not a property of groups, buffer NULL or short, value out of range, not a version 2 queue),
/// `ERROR_DLL_INIT_FAILED`.
///
/// Differs from Windows: authentication, logging, QoS, listening endpoint, channel binding, protection level and
/// delegation give `ERROR_NOT_SUPPORTED`.
///
/// MSDN: HttpSetUrlGroupProperty function.
///
/// # Safety
/// `PropertyInformation` is NULL or valid for reads of `PropertyInformationLength` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpSetUrlGroupProperty(
    UrlGroupId: HTTP_URL_GROUP_ID,
    Property: HTTP_SERVER_PROPERTY,
    PropertyInformation: PVOID,
    PropertyInformationLength: ULONG,
) -> ULONG {
    returning_status(|| {
        ensure_server()?;
        let given = Given { start: PropertyInformation, len: PropertyInformationLength };
        given.check()?;
        let group = GroupId(UrlGroupId);
        match Property {
            HttpServerStateProperty | HttpServerTimeoutsProperty => {
                // SAFETY: C caller, per HttpSetUrlGroupProperty: a buffer of that length, here and below.
                let value = unsafe { read_shared(Property, given)? };
                service()?.set_property(Holder::Group(group), value)
            }
            // SAFETY: see above.
            HttpServerBindingProperty => bind(group, unsafe { given.read()? }),
            // SAFETY: see above; the texts it points at are valid for reads during the call.
            HttpServerLoggingProperty => {
                service()?.set_property(Holder::Group(group), unsafe { read_logging(given)? })
            }
            HttpServerAuthenticationProperty
            | HttpServerQosProperty
            | HttpServerExtendedAuthenticationProperty
            | HttpServerListenEndpointProperty
            | HttpServerChannelBindProperty
            | HttpServerProtectionLevelProperty
            | HttpServerDelegationProperty => Err(Error::NOT_SUPPORTED),
            _ => Err(Error::INVALID_PARAMETER),
        }
    })
}

/// Reads a URL group's `HttpServerStateProperty` or `HttpServerTimeoutsProperty`, as `HttpQueryServerSessionProperty` does
/// a session's.
///
/// MSDN: HttpQueryUrlGroupProperty function.
///
/// # Safety
/// `PropertyInformation` is NULL or valid for writes of its length; `ReturnLength` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpQueryUrlGroupProperty(
    UrlGroupId: HTTP_URL_GROUP_ID,
    Property: HTTP_SERVER_PROPERTY,
    PropertyInformation: PVOID,
    PropertyInformationLength: ULONG,
    ReturnLength: PULONG,
) -> ULONG {
    returning_status(|| {
        ensure_server()?;
        let wanted =
            Wanted { start: PropertyInformation, len: PropertyInformationLength, size: ReturnLength };
        // SAFETY: C caller, per HttpQueryUrlGroupProperty: a buffer of that length, and a place for the size.
        unsafe { query_shared(Holder::Group(GroupId(UrlGroupId)), Property, wanted) }
    })
}

/// Sets a property of a version 2 queue: `HttpServerQueueLengthProperty` (`ULONG`: requests it holds before it refuses),
/// `HttpServerStateProperty` (`HTTP_ENABLED_STATE`) or `HttpServer503VerbosityProperty` (`HTTP_503_RESPONSE_VERBOSITY`).
///
/// `PropertyInformationLength` is in bytes; more than four are accepted. `Reserved1` is 0, `Reserved2` NULL. Errors:
/// `ERROR_INVALID_PARAMETER` (not a queue, not a property of queues, buffer NULL or short, value out of range, reserved
/// parameters), `ERROR_NOT_SUPPORTED` (a version 1 queue), `ERROR_DLL_INIT_FAILED`.
///
/// MSDN: HttpSetRequestQueueProperty function.
///
/// # Safety
/// `PropertyInformation` is NULL or valid for reads of `PropertyInformationLength` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpSetRequestQueueProperty(
    RequestQueueHandle: HANDLE,
    Property: HTTP_SERVER_PROPERTY,
    PropertyInformation: PVOID,
    PropertyInformationLength: ULONG,
    Reserved1: ULONG,
    Reserved2: PVOID,
) -> ULONG {
    returning_status(|| {
        ensure_server()?;
        let queue = version_2_queue(RequestQueueHandle)?;
        let given = Given { start: PropertyInformation, len: PropertyInformationLength };
        given.check()?;
        if Reserved1 != 0 || !Reserved2.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        let kind = queue_kind(Property)?;
        // SAFETY: C caller, per HttpSetRequestQueueProperty: a buffer of that length.
        let value = queue_value(kind, unsafe { given.read()? })?;
        service()?.set_property(Holder::Queue(queue), value)
    })
}

/// Reads a property of a version 2 queue, in the types `HttpSetRequestQueueProperty` takes.
///
/// `*ReturnLength` is the size in bytes, also with `ERROR_MORE_DATA` (buffer too small, or NULL with length 0 to ask for
/// the size). `Reserved1` is 0, `Reserved2` NULL. Other errors: `ERROR_INVALID_PARAMETER` (not a queue, not a property of
/// queues, buffer NULL, reserved parameters), `ERROR_NOT_SUPPORTED` (a version 1 queue), `ERROR_DLL_INIT_FAILED`.
///
/// MSDN: HttpQueryRequestQueueProperty function.
///
/// # Safety
/// `PropertyInformation` is NULL or valid for writes of its length; `ReturnLength` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpQueryRequestQueueProperty(
    RequestQueueHandle: HANDLE,
    Property: HTTP_SERVER_PROPERTY,
    PropertyInformation: PVOID,
    PropertyInformationLength: ULONG,
    Reserved1: ULONG,
    ReturnLength: PULONG,
    Reserved2: PVOID,
) -> ULONG {
    returning_status(|| {
        ensure_server()?;
        let queue = version_2_queue(RequestQueueHandle)?;
        if Reserved1 != 0 || !Reserved2.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        let value = match service()?.property(Holder::Queue(queue), queue_kind(Property)?)? {
            self::Property::QueueLength(length) => length,
            self::Property::State(active) => u32::from(active == Some(false)),
            self::Property::Verbosity(verbosity) => verbosity as u32,
            _ => return Err(Error::INTERNAL_ERROR),
        };
        let wanted =
            Wanted { start: PropertyInformation, len: PropertyInformationLength, size: ReturnLength };
        // SAFETY: C caller, per HttpQueryRequestQueueProperty: a buffer of that length, and a place for the size.
        unsafe { wanted.write(value) }
    })
}

fn version_2_queue(handle: HANDLE) -> Result<QueueId> {
    let device = device(handle).map_err(|_| Error::INVALID_PARAMETER)?;
    let queue = queue_of(&device).map_err(|_| Error::INVALID_PARAMETER)?;
    match queue.version {
        ApiVersion::V1 => Err(Error::NOT_SUPPORTED),
        ApiVersion::V2 => Ok(queue.id),
    }
}

fn queue_kind(property: HTTP_SERVER_PROPERTY) -> Result<PropertyKind> {
    match property {
        HttpServerQueueLengthProperty => Ok(PropertyKind::QueueLength),
        HttpServerStateProperty => Ok(PropertyKind::State),
        HttpServer503VerbosityProperty => Ok(PropertyKind::Verbosity),
        _ => Err(Error::INVALID_PARAMETER),
    }
}

fn queue_value(kind: PropertyKind, value: ULONG) -> Result<Property> {
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

fn active(state: HTTP_ENABLED_STATE) -> Result<bool> {
    match state {
        HttpEnabledStateActive => Ok(true),
        HttpEnabledStateInactive => Ok(false),
        _ => Err(Error::INVALID_PARAMETER),
    }
}

fn bind(group: GroupId, info: HTTP_BINDING_INFO) -> Result<()> {
    let unbound = info.Flags.0 & PRESENT.0 == 0 || info.RequestQueueHandle.is_null();
    let queue = match unbound {
        true => None,
        false => Some(version_2_queue(info.RequestQueueHandle).map_err(|_| Error::INVALID_PARAMETER)?),
    };
    service()?.bind_group(group, queue)
}

/// Reads a property that sessions and groups share.
///
/// # Safety
/// `given` is a buffer of the caller, valid for reads.
unsafe fn read_shared(property: HTTP_SERVER_PROPERTY, given: Given) -> Result<Property> {
    if property == HttpServerStateProperty {
        // SAFETY: as promised by the caller, here and below.
        let info: HTTP_STATE_INFO = unsafe { given.read()? };
        let state = if info.Flags.0 & PRESENT.0 == 0 { None } else { Some(active(info.State)?) };
        return Ok(Property::State(state));
    }
    // SAFETY: see above.
    let info: HTTP_TIMEOUT_LIMIT_INFO = unsafe { given.read()? };
    let timeouts = Timeouts {
        entity_body: info.EntityBody,
        drain_entity_body: info.DrainEntityBody,
        request_queue: info.RequestQueue,
        idle_connection: info.IdleConnection,
        header_wait: info.HeaderWait,
        min_send_rate: info.MinSendRate,
    };
    Ok(Property::Timeouts((info.Flags.0 & PRESENT.0 != 0).then_some(timeouts)))
}

/// # Safety
/// `wanted` holds places of the caller, valid for writes.
unsafe fn query_shared(holder: Holder, property: HTTP_SERVER_PROPERTY, wanted: Wanted) -> Result<()> {
    let kind = match property {
        HttpServerStateProperty => PropertyKind::State,
        HttpServerTimeoutsProperty => PropertyKind::Timeouts,
        HttpServerAuthenticationProperty | HttpServerQosProperty | HttpServerChannelBindProperty => {
            return Err(Error::NOT_SUPPORTED);
        }
        _ => return Err(Error::INVALID_PARAMETER),
    };
    // SAFETY: as promised by the caller.
    unsafe {
        match service()?.property(holder, kind)? {
            Property::State(state) => wanted.write(state_info(state)),
            Property::Timeouts(timeouts) => wanted.write(timeout_info(timeouts)),
            _ => Err(Error::INTERNAL_ERROR),
        }
    }
}

fn state_info(state: Option<bool>) -> HTTP_STATE_INFO {
    let number = if state == Some(false) { HttpEnabledStateInactive } else { HttpEnabledStateActive };
    HTTP_STATE_INFO { Flags: if state.is_some() { PRESENT } else { ABSENT }, State: number }
}

fn timeout_info(timeouts: Option<Timeouts>) -> HTTP_TIMEOUT_LIMIT_INFO {
    let Timeouts {
        entity_body,
        drain_entity_body,
        request_queue,
        idle_connection,
        header_wait,
        min_send_rate,
    } = timeouts.unwrap_or_default();
    HTTP_TIMEOUT_LIMIT_INFO {
        Flags: if timeouts.is_some() { PRESENT } else { ABSENT },
        EntityBody: entity_body,
        DrainEntityBody: drain_entity_body,
        RequestQueue: request_queue,
        IdleConnection: idle_connection,
        HeaderWait: header_wait,
        MinSendRate: min_send_rate,
    }
}

//! Properties of sessions, URL groups and queues (digest §6.1):
//!
//! | property | session | URL group | queue |
//! |---|---|---|---|
//! | Timeouts, State | set, query | set, query | (State only) set, query |
//! | Qos, Authentication, ChannelBind | set, query | set, query | – |
//! | Logging, ExtendedAuthentication | set | set | – |
//! | Binding, ListenEndpoint, ProtectionLevel, Delegation | – | set | – |
//! | QueueLength, 503Verbosity | – | – | set, query |
//! | ours: `NTHTTP_SERVER_REQUEST_INFO`, `.._LIMITS` | set, query | set, query | – |
//! | ours: `NTHTTP_SERVER_CREDENTIALS` | set | set | – |
//!
//! A property that is not one of that holder's gives `INVALID_PARAMETER`. The structures are read and written in the
//! `property_*` files beside this one.
#![expect(unsafe_code, reason = "functions called from C; read and write its structures")]
#![expect(non_snake_case, non_upper_case_globals, reason = "Windows spelling, as in the header")]

use crate::abi::base::{HANDLE, PULONG, PVOID, ULONG};
use crate::abi::error::{Error, Result};
use crate::abi::http::*;
use crate::capi::guard::returning_status;
use crate::server::service::{ApiVersion, GroupId, Holder, Property, PropertyKind, QueueId, SessionId};

use super::engine::service;
use super::init::ensure_server;
use super::property_added::{
    LIMITS, REQUEST_INFO, read_limits, read_request_info, write_limits, write_request_info,
};
use super::property_auth::{
    read_authentication, read_channel_bind, write_authentication, write_channel_bind,
};
use super::property_buffers::{Given, Wanted};
use super::property_credentials::{CREDENTIALS, set_credentials};
use super::property_listen::{LISTEN_PROPERTY, listen};
use super::property_logging::read_logging;
use super::property_qos::{query_qos, read_qos};
use super::property_values::{
    is_present, queue_kind, queue_number, queue_value, read_listen_endpoint, read_protection_level,
    read_state, read_timeouts, state_info, timeout_info,
};
use super::queue::{device, queue_of};

/// Sets a property that the session's URL groups inherit: `HttpServerStateProperty` (`HTTP_STATE_INFO`),
/// `HttpServerTimeoutsProperty` (`HTTP_TIMEOUT_LIMIT_INFO`), `HttpServerQosProperty` (`HTTP_QOS_SETTING_INFO`: bandwidth or
/// flow rate of all its responses together, at least 1024 bytes a second), `HttpServerAuthenticationProperty`,
/// `HttpServerExtendedAuthenticationProperty` (`HTTP_SERVER_AUTHENTICATION_INFO`), `HttpServerChannelBindProperty`
/// (`HTTP_CHANNEL_BIND_INFO`) or `HttpServerLoggingProperty` (`HTTP_LOGGING_INFO`, formats W3C and raw: one log for all
/// groups). With `Flags.Present` 0 it is taken back. Everything pointed at is copied.
///
/// `PropertyInformationLength` is in bytes; more than the structure is accepted. Errors: `ERROR_INVALID_PARAMETER` (no
/// such session, not a property of sessions, buffer NULL or short, value out of range), `ERROR_DLL_INIT_FAILED`.
///
/// Differs from Windows, in logs: a folder named `C:\logs` is `C/logs` below `$NTHTTP_LOG_DIR` (without that, below
/// `/var/log/nthttp` for root, else `$XDG_STATE_HOME/nthttp`); texts are always UTF-8, the flag for it only puts `u_` before
/// the file's name; `pSecurityDescriptor` has no effect. Microsoft does not publish the layout of raw logs, so theirs is
/// ours: the eight bytes `nthtibl` and 1, then records of little-endian numbers and texts. A record is its length (4 bytes,
/// themselves included), seconds since 1970, bytes sent, bytes received, milliseconds taken (8 each), Win32 status (4), status,
/// sub-status, port (2 each), major and minor version (1 each), and, each behind its length (2): server name, service name,
/// client address, server address, method, host, URI stem, URI query, user name. A log that cannot be written loses records,
/// which `nthttp_counters` counts.
///
/// Differs from Windows, in authentication: Basic and Digest are spoken; the bits of Negotiate, NTLM and Kerberos are kept, and
/// requests with credentials of theirs are told as not authenticated. Passwords come from where
/// `NTHTTP_SERVER_CREDENTIALS_PROPERTY` says, else from the password file for all (`NTHTTP_PASSWORD_FILE`, or the parameter
/// `PasswordFile`). `DOMAIN\user` is looked up as it stands, then without the domain. Digest has `qop=auth` alone; a proof
/// made with a nonce that has run out is told as not authenticated, and the next challenge says `stale=true`. A realm that is
/// not set is empty. A 401 names the schemes in `WWW-Authenticate`, as on Windows; the names of those that are enabled and
/// not spoken are left out. Right credentials of Digest are answered with Authentication-Info, unless `ReceiveMutualAuth` is
/// set.
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
        let session = Holder::Session(SessionId(ServerSessionId));
        // SAFETY: C caller, per HttpSetServerSessionProperty: a buffer of that length, and what it points at.
        unsafe {
            match Property {
                CREDENTIALS => set_credentials(session, given),
                _ => service()?.set_property(session, read_shared(Property, given, true)?),
            }
        }
    })
}

/// Reads a session's `HttpServerStateProperty`, `HttpServerTimeoutsProperty`, `HttpServerQosProperty`,
/// `HttpServerAuthenticationProperty` or `HttpServerChannelBindProperty`; `Flags.Present` is 0 when it was not set there.
/// For QoS the caller puts the type asked for into `QosType`; the setting is written behind the structure, and
/// `QosSetting` points at it. Texts and service names too are written into the buffer.
///
/// `*ReturnLength` is the size in bytes, also with `ERROR_MORE_DATA` (buffer too small, or NULL with length 0 to ask for
/// the size). Other errors: `ERROR_INVALID_PARAMETER` (no such session, not a property that can be read there, buffer
/// NULL), `ERROR_DLL_INIT_FAILED`.
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
/// to; NULL or `Flags.Present` 0 for none, and requests are answered 503), those of sessions (`HttpServerQosProperty` also
/// with a connection limit; `HttpServerLoggingProperty` in the formats W3C, IIS and NCSA), `HttpServerListenEndpointProperty`
/// (`HTTP_LISTEN_ENDPOINT_INFO`), `HttpServerProtectionLevelProperty` (`HTTP_PROTECTION_LEVEL_INFO`) or
/// `HttpServerDelegationProperty` (`HTTP_BINDING_INFO`), of which the last three are kept and have no effect.
///
/// `PropertyInformationLength` is in bytes; more than the structure is accepted. Errors: `ERROR_INVALID_PARAMETER` (no
/// such group, not a property of groups, buffer NULL or short, value out of range, not a version 2 queue),
/// `ERROR_DLL_INIT_FAILED`.
///
/// Differs from Windows: the log format `NTHTTP_LOGGING_TYPE_JSON` (0x100) is known too, to sessions and groups, and the
/// properties of `nthttp/nthttp.h` that begin with `NTHTTP_SERVER_`.
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
        // SAFETY: C caller, per HttpSetUrlGroupProperty: a buffer of that length, and what it points at.
        unsafe {
            let value = match Property {
                HttpServerBindingProperty => return bind(group, given.read()?),
                CREDENTIALS => return set_credentials(Holder::Group(group), given),
                LISTEN_PROPERTY => return listen(group, given),
                HttpServerDelegationProperty => delegation(given.read()?)?,
                HttpServerListenEndpointProperty => read_listen_endpoint(given)?,
                HttpServerProtectionLevelProperty => read_protection_level(given)?,
                _ => read_shared(Property, given, false)?,
            };
            service()?.set_property(Holder::Group(group), value)
        }
    })
}

/// Reads a URL group's property, as `HttpQueryServerSessionProperty` does a session's.
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
        let value = queue_number(service()?.property(Holder::Queue(queue), queue_kind(Property)?)?)?;
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

/// The queue a binding names; none when the structure takes it back.
fn bound_queue(info: HTTP_BINDING_INFO) -> Result<Option<QueueId>> {
    if !is_present(info.Flags) || info.RequestQueueHandle.is_null() {
        return Ok(None);
    }
    version_2_queue(info.RequestQueueHandle).map(Some).map_err(|_| Error::INVALID_PARAMETER)
}

fn bind(group: GroupId, info: HTTP_BINDING_INFO) -> Result<()> {
    service()?.bind_group(group, bound_queue(info)?)
}

fn delegation(info: HTTP_BINDING_INFO) -> Result<Property> {
    bound_queue(info).map(Property::Delegation)
}

/// Reads a property that sessions and groups share.
///
/// # Safety
/// `given` is a buffer of the caller, valid for reads, and so is what its structure points at.
unsafe fn read_shared(property: HTTP_SERVER_PROPERTY, given: Given, of_session: bool) -> Result<Property> {
    // SAFETY: as promised by the caller.
    unsafe {
        match property {
            HttpServerStateProperty => read_state(given),
            HttpServerTimeoutsProperty => read_timeouts(given),
            REQUEST_INFO => read_request_info(given),
            LIMITS => read_limits(given),
            HttpServerLoggingProperty => read_logging(given, of_session),
            HttpServerChannelBindProperty => {
                read_channel_bind(given).map(|value| Property::ChannelBind(Some(value)))
            }
            HttpServerAuthenticationProperty => {
                read_authentication(given, false).map(Property::Authentication)
            }
            HttpServerExtendedAuthenticationProperty => {
                read_authentication(given, true).map(Property::ExtendedAuthentication)
            }
            HttpServerQosProperty => match read_qos(given)? {
                Property::Connections(_) if of_session => Err(Error::INVALID_PARAMETER),
                value => Ok(value),
            },
            _ => Err(Error::INVALID_PARAMETER),
        }
    }
}

/// # Safety
/// `wanted` holds places of the caller, valid for writes.
unsafe fn query_shared(holder: Holder, property: HTTP_SERVER_PROPERTY, wanted: Wanted) -> Result<()> {
    let service = service()?;
    let kind = match property {
        HttpServerStateProperty => PropertyKind::State,
        HttpServerTimeoutsProperty => PropertyKind::Timeouts,
        REQUEST_INFO => PropertyKind::RequestInfo,
        LIMITS => PropertyKind::Limits,
        HttpServerAuthenticationProperty => PropertyKind::Authentication,
        HttpServerChannelBindProperty => PropertyKind::ChannelBind,
        // SAFETY: as promised by the caller, here and below.
        HttpServerQosProperty => return unsafe { query_qos(service, holder, wanted) },
        _ => return Err(Error::INVALID_PARAMETER),
    };
    // SAFETY: see above.
    unsafe {
        match service.property(holder, kind)? {
            Property::State(state) => wanted.write(state_info(state)),
            Property::Timeouts(timeouts) => wanted.write(timeout_info(timeouts)),
            Property::Authentication(value) => write_authentication(value, wanted),
            Property::ChannelBind(value) => write_channel_bind(value, wanted),
            Property::RequestInfo(types) => write_request_info(types, wanted),
            Property::Limits(limits) => write_limits(limits, wanted),
            _ => Err(Error::INTERNAL_ERROR),
        }
    }
}

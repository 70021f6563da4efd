//! The options that can be read, and where their values come from (digest §11).
#![expect(unsafe_code, reason = "addresses and strings for C")]

use std::net::SocketAddr;

use super::handle::Object;
use super::options::{Value, default_version_is_1_0};
use super::text::Answer;
use crate::abi::base::{LPWSTR, SOCKADDR_STORAGE};
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::capi::base::memory::GlobalAlloc;
use crate::client::proxy::Proxy;
use crate::client::request::Request;
use crate::client::settings::Settings;
use crate::net::client_stream::{ADDRESS_SIZE, socket_address};
use crate::win32::text::to_wide;

/// WINHTTP_FEATURE_* numbers of what is built in: EXPIRE_CONNECTION, IS_FEATURE_SUPPORTED, the Ex functions and
/// their flags, DISABLE_GLOBAL_POOLING, URL_INCLUDE_DEFAULT_PORT.
const FEATURES: [u32; 12] = [5, 44, 46, 48, 49, 54, 55, 56, 62, 63, 76, 80];

/// The value of an option; `None` is the process.
pub(super) fn query(object: Option<&Object>, option: u32) -> Result<Value> {
    match option {
        WINHTTP_OPTION_HTTP_VERSION => {
            let minor = u32::from(!default_version_is_1_0());
            return Ok(Value::Version(HTTP_VERSION_INFO { dwMajorVersion: 1, dwMinorVersion: minor }));
        }
        WINHTTP_OPTION_WORKER_THREAD_COUNT => return Ok(Value::Number(0)),
        _ => {}
    }
    let object = object.ok_or(Error::INVALID_HANDLE)?;
    if let Some(value) = super::option_websocket::query(object, option) {
        return value;
    }
    match option {
        WINHTTP_OPTION_CALLBACK => Ok(Value::Word(object.notifier().function)),
        WINHTTP_OPTION_CONTEXT_VALUE => Ok(Value::Word(object.notifier().context)),
        WINHTTP_OPTION_HANDLE_TYPE => Ok(Value::Number(match object {
            Object::Session(_) => WINHTTP_HANDLE_TYPE_SESSION,
            Object::Connect(_) => WINHTTP_HANDLE_TYPE_CONNECT,
            Object::Request(_) => WINHTTP_HANDLE_TYPE_REQUEST,
            Object::WebSocket(_) => WINHTTP_HANDLE_TYPE_WEBSOCKET,
        })),
        WINHTTP_OPTION_PARENT_HANDLE => match object {
            Object::Session(_) => Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE),
            Object::Connect(connect) => Ok(Value::Word(connect.session.with(|state| state.notifier.handle))),
            Object::Request(request) => Ok(Value::Word(request.connect.with_notifier(|n| n.handle))),
            Object::WebSocket(socket) => Ok(Value::Word(socket.request)),
        },
        WINHTTP_OPTION_USER_AGENT => match object {
            Object::Session(session) => {
                let agent = session.with(|state| state.agent.clone());
                Ok(Value::Text(to_wide(&String::from_utf8_lossy(&agent))))
            }
            _ => Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE),
        },
        WINHTTP_OPTION_MAX_CONNS_PER_SERVER | WINHTTP_OPTION_MAX_CONNS_PER_1_0_SERVER => match object {
            Object::Session(_) => Ok(Value::Number(u32::MAX)),
            _ => Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE),
        },
        _ => query_request(object, option).unwrap_or_else(|| query_setting(object, option)),
    }
}

/// The options that only requests have; `None` for others.
fn query_request(object: &Object, option: u32) -> Option<Result<Value>> {
    let read: fn(&Request) -> Value = match option {
        WINHTTP_OPTION_URL => |request| Value::Text(to_wide(&request.with_plan(|plan| plan.url.text()))),
        WINHTTP_OPTION_READ_BUFFER_SIZE => |r| Value::Number(r.with_settings(|s| s.read_buffer_size)),
        WINHTTP_OPTION_WRITE_BUFFER_SIZE => |r| Value::Number(r.with_settings(|s| s.write_buffer_size)),
        WINHTTP_OPTION_REQUEST_PRIORITY => |r| Value::Number(r.with_settings(|s| s.priority)),
        WINHTTP_OPTION_SECURITY_FLAGS => |r| Value::Number(r.with_settings(|s| s.security_flags)),
        WINHTTP_OPTION_HTTP_PROTOCOL_USED | WINHTTP_OPTION_STREAM_ERROR_CODE => |_| Value::Number(0),
        _ => return None,
    };
    Some(match object {
        Object::Request(request) => Ok(read(request)),
        _ => Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE),
    })
}

/// The adjustable values. A connect shows its session's time limits and buffer sizes, and has nothing else.
fn query_setting(object: &Object, option: u32) -> Result<Value> {
    let on_connect = matches!(
        option,
        WINHTTP_OPTION_RESOLVE_TIMEOUT
            | WINHTTP_OPTION_CONNECT_TIMEOUT
            | WINHTTP_OPTION_SEND_TIMEOUT
            | WINHTTP_OPTION_RECEIVE_TIMEOUT
            | WINHTTP_OPTION_RECEIVE_RESPONSE_TIMEOUT
    );
    let read = |settings: &mut Settings| setting(settings, option);
    let value = match object {
        Object::Session(session) => session.with(|state| read(&mut state.settings)),
        Object::Connect(connect) => connect.session.with(|state| read(&mut state.settings)),
        Object::Request(request) => request.with_settings(read),
        // Known ones are for others.
        Object::WebSocket(_) => read(&mut Settings::default()),
    };
    match (value, object) {
        (Some(_), Object::WebSocket(_)) => Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE),
        (Some(_), Object::Connect(_)) if !on_connect => Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE),
        (Some(number), _) => Ok(Value::Number(number)),
        (None, _) => Err(Error::INVALID_PARAMETER),
    }
}

fn setting(settings: &Settings, option: u32) -> Option<u32> {
    Some(match option {
        WINHTTP_OPTION_RESOLVE_TIMEOUT => settings.resolve_timeout,
        WINHTTP_OPTION_CONNECT_TIMEOUT => settings.connect_timeout,
        WINHTTP_OPTION_SEND_TIMEOUT => settings.send_timeout,
        WINHTTP_OPTION_RECEIVE_TIMEOUT => settings.receive_timeout,
        WINHTTP_OPTION_RECEIVE_RESPONSE_TIMEOUT => settings.response_timeout.unwrap_or(u32::MAX),
        WINHTTP_OPTION_CONNECT_RETRIES => settings.connect_retries,
        WINHTTP_OPTION_REDIRECT_POLICY => settings.redirect_policy as u32,
        WINHTTP_OPTION_MAX_HTTP_AUTOMATIC_REDIRECTS => settings.max_redirects,
        WINHTTP_OPTION_MAX_HTTP_STATUS_CONTINUE => settings.max_continue,
        WINHTTP_OPTION_MAX_RESPONSE_HEADER_SIZE => settings.max_header_size,
        WINHTTP_OPTION_MAX_RESPONSE_DRAIN_SIZE => settings.max_drain_size,
        _ => return None,
    })
}

/// WINHTTP_OPTION_FEATURE_SUPPORTED: the number of a feature comes in the buffer, a BOOL goes out.
pub(super) fn write_feature(answer: &Answer) -> Result<()> {
    answer.reserve(size_of::<u32>())?;
    let feature =
        answer.question(4).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok()).map(u32::from_ne_bytes);
    answer.plain(u32::from(feature.is_some_and(|feature| FEATURES.contains(&feature))))
}

/// WINHTTP_OPTION_CONNECTION_INFO. Its addresses are this platform's own `sockaddr`s.
pub(super) fn write_connection_info(object: Option<&Object>, answer: &Answer) -> Result<()> {
    let request = match object {
        Some(Object::Request(request)) => request,
        Some(_) => return Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE),
        None => return Err(Error::INVALID_HANDLE),
    };
    let whole = size_of::<WINHTTP_CONNECTION_INFO>();
    answer.reserve(whole)?;
    let size = answer.question(4).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok()).map(u32::from_ne_bytes);
    // Windows 7 takes a size that is short of the padding.
    if !size.is_some_and(|size| size as usize == whole || size as usize + 4 == whole) {
        return Err(Error::INVALID_PARAMETER);
    }
    let (local, remote) = request.addresses()?;
    answer.plain(WINHTTP_CONNECTION_INFO {
        cbSize: whole as u32,
        LocalAddress: storage(local),
        RemoteAddress: storage(remote),
    })
}

fn storage(address: SocketAddr) -> SOCKADDR_STORAGE {
    let bytes = socket_address(address);
    const { assert!(size_of::<SOCKADDR_STORAGE>() == ADDRESS_SIZE) };
    // SAFETY: the bytes are as many as the structure has, and any bytes make one.
    unsafe { std::ptr::read_unaligned(bytes.as_ptr().cast()) }
}

/// WINHTTP_OPTION_PROXY; without a handle the default, which is a direct connection.
pub(super) fn write_proxy(object: Option<&Object>, answer: &Answer) -> Result<()> {
    answer.reserve(size_of::<WINHTTP_PROXY_INFO>())?;
    let proxy = match object {
        None => Proxy { access: WINHTTP_ACCESS_TYPE_NO_PROXY, list: None, bypass: None },
        Some(Object::Session(session)) => session.with(|state| Proxy::clone(&state.proxy)),
        Some(Object::Request(request)) => request.with_proxy(|proxy| Proxy::clone(proxy)),
        Some(_) => return Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE),
    };
    answer.plain(WINHTTP_PROXY_INFO {
        dwAccessType: proxy.access,
        lpszProxy: global_text(proxy.list.as_deref())?,
        lpszProxyBypass: global_text(proxy.bypass.as_deref())?,
    })
}

/// A copy that the caller frees with GlobalFree.
fn global_text(text: Option<&str>) -> Result<LPWSTR> {
    let Some(text) = text else { return Ok(std::ptr::null_mut()) };
    let units: Vec<u16> = text.encode_utf16().chain([0]).collect();
    let place = GlobalAlloc(0, units.len() * 2).cast::<u16>();
    if place.is_null() {
        return Err(Error::NOT_ENOUGH_MEMORY);
    }
    // SAFETY: the memory was just allocated for so many units.
    unsafe { place.copy_from_nonoverlapping(units.as_ptr(), units.len()) };
    Ok(place)
}

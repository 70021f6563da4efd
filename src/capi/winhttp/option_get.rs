//! The options that can be read, and where their values come from (digest §11).

use super::handle::Object;
use super::option_async;
use super::option_proxy;
use super::options::{Value, default_version_is_1_0};
use super::text::Answer;
use super::{option_auth, option_kept, option_network, option_tls, option_websocket};
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::client::request::Request;
use crate::client::settings::Settings;
use crate::win32::text::to_wide;

/// WINHTTP_FEATURE_* numbers of what is built in: EXPIRE_CONNECTION, HTTP_PROTOCOL_REQUIRED, IS_FEATURE_SUPPORTED, the
/// Ex functions and their flags, SECURE_DEFAULTS, AUTOMATIC_CHUNKING, REQUEST_ANNOTATION, DISABLE_PROXY_AUTH_SCHEMES,
/// DISABLE_GLOBAL_POOLING, GET_PROXY_SETTINGS_EX, URL_INCLUDE_DEFAULT_PORT.
const FEATURES: [u32; 18] = [5, 7, 44, 46, 48, 49, 53, 54, 55, 56, 59, 62, 63, 73, 74, 76, 77, 80];

/// Reads the options of one topic; `None` for those of others.
type Topic = fn(&Object, u32) -> Option<Result<Value>>;

/// The topics that have files of their own.
const TOPICS: &[Topic] = &[
    option_auth::query,
    option_kept::query,
    option_network::query,
    option_proxy::query,
    option_tls::query,
    option_websocket::query,
];

/// The value of an option; `None` is the process.
pub(super) fn query(object: Option<&Object>, option: u32) -> Result<Value> {
    if let WINHTTP_OPTION_HTTP_VERSION = option {
        let minor = u32::from(!default_version_is_1_0());
        return Ok(Value::Version(HTTP_VERSION_INFO { dwMajorVersion: 1, dwMinorVersion: minor }));
    }
    if let Some(value) = option_async::query(option) {
        return value;
    }
    let Some(object) = object else {
        return option_kept::query_of_process(option).unwrap_or(Err(Error::INVALID_HANDLE));
    };
    if let Some(found) = TOPICS.iter().find_map(|topic| topic(object, option)) {
        return found;
    }
    match option {
        WINHTTP_OPTION_CALLBACK => Ok(Value::Word(object.notifier().function)),
        WINHTTP_OPTION_CONTEXT_VALUE => Ok(Value::Word(object.notifier().context)),
        WINHTTP_OPTION_HANDLE_TYPE => Ok(Value::Number(match object {
            Object::Session(_) => WINHTTP_HANDLE_TYPE_SESSION,
            Object::Connect(_) => WINHTTP_HANDLE_TYPE_CONNECT,
            Object::Request(_) => WINHTTP_HANDLE_TYPE_REQUEST,
            Object::Resolver(_) => WINHTTP_HANDLE_TYPE_PROXY_RESOLVER,
            Object::WebSocket(_) => WINHTTP_HANDLE_TYPE_WEBSOCKET,
        })),
        WINHTTP_OPTION_PARENT_HANDLE => match object {
            Object::Session(_) => Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE),
            Object::Connect(connect) => Ok(Value::Word(connect.session.with(|state| state.notifier.handle))),
            Object::Request(request) => Ok(Value::Word(request.connect.with_notifier(|n| n.handle))),
            Object::Resolver(resolver) => {
                Ok(Value::Word(resolver.session.with(|state| state.notifier.handle)))
            }
            Object::WebSocket(socket) => Ok(Value::Word(socket.request)),
        },
        WINHTTP_OPTION_USER_AGENT => match object {
            Object::Session(session) => {
                let agent = session.with(|state| state.agent.clone());
                Ok(Value::Text(to_wide(&String::from_utf8_lossy(&agent))))
            }
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
        // They have none, but which options there are is the same.
        Object::Resolver(_) | Object::WebSocket(_) => read(&mut Settings::default()),
    };
    match (value, object) {
        (Some(_), Object::Resolver(_) | Object::WebSocket(_)) => Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE),
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
    answer.plain(u32::from(
        feature.is_some_and(|feature| {
            FEATURES.contains(&feature) || option_network::FEATURES.contains(&feature)
        }),
    ))
}

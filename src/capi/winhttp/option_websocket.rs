//! The options of WebSockets (digest §10.9).
//!
//! | option | handle | value |
//! |---|---|---|
//! | UPGRADE_TO_WEB_SOCKET | request, before it is sent | none |
//! | WEB_SOCKET_CLOSE_TIMEOUT | WebSocket; request for the one made from it | milliseconds, 0 and -1 for ever |
//! | WEB_SOCKET_KEEPALIVE_INTERVAL | WebSocket, set only | milliseconds, at least 15000 |
//! | WEB_SOCKET_RECEIVE_, SEND_BUFFER_SIZE | session, request | bytes |
//! | NTHTTP_OPTION_WEB_SOCKET_DEFLATE | session, request | NTHTTP_WEB_SOCKET_DEFLATE_* |

use super::handle::Object;
use super::option_set::{Store, set_number};
use super::options::{Given, Value};
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::client::settings::{Settings, WebSocketDeflate, limit};

const WRONG_KIND: Error = Error::WINHTTP_INCORRECT_HANDLE_TYPE;

/// Sets one of these options; `None` for others.
pub(super) fn set(object: &Object, option: u32, given: &Given) -> Option<Result<()>> {
    match option {
        WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET => Some(match object {
            Object::Request(request) if given.is_empty() => request.upgrade_to_web_socket(),
            Object::Request(_) => Err(Error::INVALID_PARAMETER),
            _ => Err(WRONG_KIND),
        }),
        WINHTTP_OPTION_WEB_SOCKET_KEEPALIVE_INTERVAL => Some(match object {
            Object::WebSocket(socket) => given.number().and_then(|interval| {
                if interval < WINHTTP_WEB_SOCKET_MIN_KEEPALIVE_VALUE {
                    return Err(Error::INVALID_PARAMETER);
                }
                socket.set_keep_alive(interval);
                Ok(())
            }),
            _ => Err(WRONG_KIND),
        }),
        WINHTTP_OPTION_WEB_SOCKET_CLOSE_TIMEOUT if let Object::WebSocket(socket) = object => {
            Some(given.number().map(|timeout| socket.set_close_timeout(limit(timeout))))
        }
        _ => store(option).map(|store| set_setting(object, option, given, store)),
    }
}

/// How a setting is checked and kept; `None` for other options.
fn store(option: u32) -> Option<Store> {
    Some(match option {
        WINHTTP_OPTION_WEB_SOCKET_CLOSE_TIMEOUT => |settings, value| {
            settings.web_socket_close_timeout = value;
            Ok(())
        },
        WINHTTP_OPTION_WEB_SOCKET_RECEIVE_BUFFER_SIZE => |settings, value| {
            settings.web_socket_receive_buffer = value;
            Ok(())
        },
        WINHTTP_OPTION_WEB_SOCKET_SEND_BUFFER_SIZE => |settings, value| {
            settings.web_socket_send_buffer = value;
            Ok(())
        },
        NTHTTP_OPTION_WEB_SOCKET_DEFLATE => |settings, value| {
            settings.web_socket_deflate =
                WebSocketDeflate::try_from(value).map_err(|()| Error::INVALID_PARAMETER)?;
            Ok(())
        },
        _ => return None,
    })
}

fn set_setting(object: &Object, option: u32, given: &Given, store: Store) -> Result<()> {
    match object {
        Object::Session(_) if option == WINHTTP_OPTION_WEB_SOCKET_CLOSE_TIMEOUT => Err(WRONG_KIND),
        _ => set_number(object, given, store),
    }
}

/// Reads one of these options; `None` for others.
pub(super) fn query(object: &Object, option: u32) -> Option<Result<Value>> {
    let read: fn(&Settings) -> u32 = match option {
        WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET | WINHTTP_OPTION_WEB_SOCKET_KEEPALIVE_INTERVAL => {
            return Some(Err(Error::INVALID_PARAMETER));
        }
        WINHTTP_OPTION_WEB_SOCKET_CLOSE_TIMEOUT => |settings| settings.web_socket_close_timeout,
        WINHTTP_OPTION_WEB_SOCKET_RECEIVE_BUFFER_SIZE => |settings| settings.web_socket_receive_buffer,
        WINHTTP_OPTION_WEB_SOCKET_SEND_BUFFER_SIZE => |settings| settings.web_socket_send_buffer,
        NTHTTP_OPTION_WEB_SOCKET_DEFLATE => |settings| settings.web_socket_deflate.number(),
        _ => return None,
    };
    Some(match object {
        Object::Session(_) if option == WINHTTP_OPTION_WEB_SOCKET_CLOSE_TIMEOUT => Err(WRONG_KIND),
        Object::Session(session) => Ok(Value::Number(session.with(|state| read(&state.settings)))),
        Object::Request(request) => Ok(Value::Number(request.with_settings(|settings| read(settings)))),
        Object::WebSocket(socket) if option == WINHTTP_OPTION_WEB_SOCKET_CLOSE_TIMEOUT => {
            Ok(Value::Number(socket.close_timeout()))
        }
        _ => Err(WRONG_KIND),
    })
}

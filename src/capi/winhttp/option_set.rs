//! The options that can be set, with their checks (digest §11).
//!
//! What waits for TLS or HTTP/2 is refused with
//! ERROR_WINHTTP_INVALID_OPTION, as on a Windows that is too old for it, except where a program would otherwise be
//! kept from plain http: then the value is checked and kept.

use super::handle::Object;
use super::notify::to_number;
use super::option_async;
use super::option_proxy;
use super::options::{Given, set_default_version_1_0};
use super::session::agent_text;
use super::{
    option_auth, option_decompress, option_facts, option_kept, option_network, option_tls, option_websocket,
};
use crate::abi::base::BOOL;
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::client::request::Request;
use crate::client::session::Session;
use crate::client::settings::{RedirectPolicy, Settings};
use crate::win32::object;

const WRONG_KIND: Error = Error::WINHTTP_INCORRECT_HANDLE_TYPE;

/// All bits that WINHTTP_OPTION_SECURITY_FLAGS takes.
const SECURITY_FLAGS: u32 = SECURITY_FLAG_IGNORE_UNKNOWN_CA
    | SECURITY_FLAG_IGNORE_CERT_DATE_INVALID
    | SECURITY_FLAG_IGNORE_CERT_CN_INVALID
    | SECURITY_FLAG_IGNORE_CERT_WRONG_USAGE
    | SECURITY_FLAG_IGNORE_WEAK_SIGNATURE;

/// Sets the options of one topic; `None` for those of others.
type Topic = fn(&Object, u32, &Given) -> Option<Result<()>>;

/// The topics that have files of their own.
const TOPICS: &[Topic] = &[
    option_auth::set,
    option_decompress::set,
    option_facts::set,
    option_kept::set,
    option_network::set,
    option_proxy::set,
    option_tls::set,
    option_websocket::set,
];

/// Sets an option of an object; `None` is the process.
pub(super) fn set(object: Option<&Object>, option: u32, given: &Given) -> Result<()> {
    if let WINHTTP_OPTION_HTTP_VERSION = option {
        return set_version(given.plain()?);
    }
    if let Some(done) = option_async::set(object, option, given) {
        return done;
    }
    let Some(object) = object else {
        let done = option_kept::set_of_process(option, given).or_else(|| option_auth::set_of_process(option));
        return done.unwrap_or(Err(Error::INVALID_HANDLE));
    };
    if let Some(done) = TOPICS.iter().find_map(|topic| topic(object, option, given)) {
        return done;
    }
    match option {
        WINHTTP_OPTION_CALLBACK => {
            let function = to_number(given.plain()?);
            object.with_notifier(|notifier| {
                notifier.function = function;
                if notifier.mask == 0 {
                    notifier.mask = WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS;
                }
            });
            Ok(())
        }
        WINHTTP_OPTION_CONTEXT_VALUE => {
            let context = given.plain::<usize>()?;
            object.with_notifier(|notifier| notifier.context = context);
            Ok(())
        }
        WINHTTP_OPTION_HANDLE_TYPE
        | WINHTTP_OPTION_PARENT_HANDLE
        | WINHTTP_OPTION_URL
        | WINHTTP_OPTION_HTTP_PROTOCOL_USED
        | WINHTTP_OPTION_STREAM_ERROR_CODE
        | WINHTTP_OPTION_FEATURE_SUPPORTED => Err(Error::WINHTTP_OPTION_NOT_SETTABLE),
        WINHTTP_OPTION_ENABLE_FEATURE => set_enabled(object, given),
        _ => set_of_kind(object, option, given),
    }
}

fn set_version(version: HTTP_VERSION_INFO) -> Result<()> {
    match (version.dwMajorVersion, version.dwMinorVersion) {
        (1, minor @ 0..=1) => {
            set_default_version_1_0(minor == 0);
            Ok(())
        }
        _ => Err(Error::INVALID_PARAMETER),
    }
}

/// WINHTTP_OPTION_ENABLE_FEATURE: one value for a session, another for a request, neither of which does anything
/// before there is TLS.
fn set_enabled(object: &Object, given: &Given) -> Result<()> {
    // A size that is wrong is a value that is none.
    let feature = given.number().unwrap_or(0);
    match (object, feature) {
        (Object::Request(_), WINHTTP_ENABLE_SSL_REVOCATION) => Ok(()),
        (Object::Session(_), WINHTTP_ENABLE_SSL_REVERT_IMPERSONATION) => Ok(()),
        (Object::Session(_) | Object::Request(_), _) => Err(Error::INVALID_PARAMETER),
        _ => Err(WRONG_KIND),
    }
}

fn set_of_kind(object: &Object, option: u32, given: &Given) -> Result<()> {
    let done = match object {
        Object::Session(session) => set_session(session, option, given),
        Object::Request(request) => set_request(request, option, given),
        _ => None,
    };
    if let Some(result) = done {
        return result;
    }
    let store =
        setting(option).ok_or(if is_known(option) { WRONG_KIND } else { Error::WINHTTP_INVALID_OPTION })?;
    set_number(object, given, store)
}

/// Checks and keeps a DWORD of a session or a request.
pub(super) fn set_number(object: &Object, given: &Given, store: Store) -> Result<()> {
    match object {
        Object::Session(session) => {
            let number = given.number()?;
            session.with(|state| store(&mut state.settings, number))
        }
        Object::Request(request) => {
            let number = given.number()?;
            request.with_settings(|settings| store(settings, number))
        }
        _ => Err(WRONG_KIND),
    }
}

/// Whether the option is one that `set_session` or `set_request` takes, so that this is merely the wrong handle.
fn is_known(option: u32) -> bool {
    matches!(
        option,
        WINHTTP_OPTION_USER_AGENT
            | WINHTTP_OPTION_DISABLE_GLOBAL_POOLING
            | WINHTTP_OPTION_UNLOAD_NOTIFY_EVENT
            | WINHTTP_OPTION_DISABLE_FEATURE
            | WINHTTP_OPTION_SECURITY_FLAGS
            | WINHTTP_OPTION_REJECT_USERPWD_IN_URL
            | WINHTTP_OPTION_EXPIRE_CONNECTION
            | WINHTTP_OPTION_READ_BUFFER_SIZE
            | WINHTTP_OPTION_WRITE_BUFFER_SIZE
            | WINHTTP_OPTION_REQUEST_PRIORITY
            | WINHTTP_OPTION_CLIENT_CERT_CONTEXT
    )
}

/// The options that only sessions have; `None` for others.
fn set_session(session: &Session, option: u32, given: &Given) -> Option<Result<()>> {
    Some(match option {
        WINHTTP_OPTION_USER_AGENT => {
            agent_text(&given.text()).map(|agent| session.with(|state| state.agent = agent))
        }
        WINHTTP_OPTION_UNLOAD_NOTIFY_EVENT => set_unload_event(session, given),
        WINHTTP_OPTION_DISABLE_GLOBAL_POOLING => given.plain::<BOOL>().map(|wanted| {
            if wanted != 0 {
                session.leave_global_pool();
            }
        }),
        _ => return None,
    })
}

/// The event is signalled when the session and everything made from it are gone; NULL takes it back. Of this option
/// the page says that a wrong size, a handle of something else and a second event are all INVALID_PARAMETER.
fn set_unload_event(session: &Session, given: &Given) -> Result<()> {
    let handle = given.plain::<usize>().map_err(|_| Error::INVALID_PARAMETER)?;
    if handle == 0 {
        session.set_when_gone(None);
        return Ok(());
    }
    let event = object::event(handle).map_err(|_| Error::INVALID_PARAMETER)?;
    if session.has_when_gone() {
        return Err(Error::INVALID_PARAMETER);
    }
    session.set_when_gone(Some(Box::new(move || event.signal.set())));
    Ok(())
}

/// The options that only requests have; `None` for others.
fn set_request(request: &Request, option: u32, given: &Given) -> Option<Result<()>> {
    let keep = |store: fn(&mut Settings, u32)| {
        given.number().map(|number| request.with_settings(|settings| store(settings, number)))
    };
    Some(match option {
        WINHTTP_OPTION_DISABLE_FEATURE => keep(|settings, bits| settings.disabled.0 |= bits),
        WINHTTP_OPTION_SECURITY_FLAGS => match given.number() {
            Ok(flags) if flags & !SECURITY_FLAGS != 0 => Err(Error::INVALID_PARAMETER),
            _ => keep(|settings, flags| settings.security_flags = flags),
        },
        WINHTTP_OPTION_REJECT_USERPWD_IN_URL => {
            keep(|settings, wanted| settings.reject_userinfo = wanted != 0)
        }
        WINHTTP_OPTION_READ_BUFFER_SIZE => keep(|settings, size| settings.read_buffer_size = size),
        WINHTTP_OPTION_WRITE_BUFFER_SIZE => keep(|settings, size| settings.write_buffer_size = size),
        WINHTTP_OPTION_REQUEST_PRIORITY => keep(|settings, priority| settings.priority = priority),
        WINHTTP_OPTION_EXPIRE_CONNECTION if given.is_empty() => request.expire_connection(),
        WINHTTP_OPTION_EXPIRE_CONNECTION => Err(Error::INSUFFICIENT_BUFFER),
        WINHTTP_OPTION_CLIENT_CERT_CONTEXT if !request.with_plan(|plan| plan.url.secure) => {
            Err(Error::WINHTTP_INCORRECT_HANDLE_STATE)
        }
        // "I have none."
        WINHTTP_OPTION_CLIENT_CERT_CONTEXT if given.is_empty() => Ok(()),
        WINHTTP_OPTION_CLIENT_CERT_CONTEXT => Err(Error::WINHTTP_INVALID_OPTION),
        _ => return None,
    })
}

/// How a DWORD is checked and kept.
pub(super) type Store = fn(&mut Settings, u32) -> Result<()>;

/// How a DWORD of sessions and requests is checked and kept; `None` for other options.
fn setting(option: u32) -> Option<Store> {
    macro_rules! plain {
        ($field:ident) => {
            |settings, value| {
                settings.$field = value;
                Ok(())
            }
        };
    }
    Some(match option {
        WINHTTP_OPTION_RESOLVE_TIMEOUT => plain!(resolve_timeout),
        WINHTTP_OPTION_CONNECT_TIMEOUT => plain!(connect_timeout),
        WINHTTP_OPTION_SEND_TIMEOUT => plain!(send_timeout),
        WINHTTP_OPTION_RECEIVE_TIMEOUT => plain!(receive_timeout),
        WINHTTP_OPTION_RECEIVE_RESPONSE_TIMEOUT => |settings, value| {
            settings.set_response_timeout(value);
            Ok(())
        },
        WINHTTP_OPTION_CONNECT_RETRIES => plain!(connect_retries),
        WINHTTP_OPTION_MAX_HTTP_AUTOMATIC_REDIRECTS => plain!(max_redirects),
        WINHTTP_OPTION_MAX_HTTP_STATUS_CONTINUE => plain!(max_continue),
        WINHTTP_OPTION_MAX_RESPONSE_HEADER_SIZE => plain!(max_header_size),
        WINHTTP_OPTION_MAX_RESPONSE_DRAIN_SIZE => plain!(max_drain_size),
        WINHTTP_OPTION_REDIRECT_POLICY => |settings, value| {
            settings.redirect_policy =
                RedirectPolicy::try_from(value).map_err(|()| Error::INVALID_PARAMETER)?;
            Ok(())
        },
        _ => return None,
    })
}

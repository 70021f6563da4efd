//! Sessions and connects, and what is common to all handles.
#![expect(unsafe_code, reason = "exports, and strings of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::ffi::c_int;
use std::net::Ipv6Addr;
use std::sync::Arc;

use super::handle::{self, Object};
use super::notify::{deliver, from_number, to_number};
use super::text::{optional, required};
use crate::abi::base::{BOOL, DWORD, DWORD_PTR, LPCWSTR, TRUE};
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::capi::base::handle::prepare_for_fork;
use crate::capi::guard::{returning_or, winhttp_returning};
use crate::client::notify::{Event, Notifier};
use crate::client::proxy::Proxy;
use crate::client::proxy::settings::{self, default_proxy};
use crate::client::session::{Connect, Session};
use crate::client::settings::Settings;
use crate::win32::last_error;
use crate::wire::field::value_is_safe;

/// Checks that WinHTTP runs on this platform: it does.
///
/// MSDN: WinHttpCheckPlatform.
#[unsafe(no_mangle)]
pub extern "C" fn WinHttpCheckPlatform() -> BOOL {
    winhttp_returning(|| Ok(TRUE))
}

/// Makes a session. No network is touched.
///
/// `pszAgentW` is the value of User-Agent, NULL or "" for none. `dwAccessType` is WINHTTP_ACCESS_TYPE_NO_PROXY,
/// _DEFAULT_PROXY, _AUTOMATIC_PROXY or _NAMED_PROXY; the proxy strings count for the last only. `dwFlags` is 0,
/// WINHTTP_FLAG_ASYNC or WINHTTP_FLAG_SECURE_DEFAULTS. Returns a handle for WinHttpCloseHandle, NULL on failure:
/// ERROR_INVALID_PARAMETER for anything else.
///
/// The default proxy is what WinHttpSetDefaultProxyConfiguration has kept, else what the variables http_proxy,
/// https_proxy, all_proxy and no_proxy say; the automatic one is the desktop's, else that of the same variables, and
/// requests go down its list when a proxy cannot be reached. Both are read now.
///
/// MSDN: WinHttpOpen. Differs from Windows: proxy scripts are not run, so that settings which name one are a direct
/// connection; proxy lists may name SOCKS 5 proxies (`socks=host:port`, `socks5://host`, `socks5h://host`).
///
/// # Safety
/// Strings are NULL or end in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpOpen(
    pszAgentW: LPCWSTR,
    dwAccessType: DWORD,
    pszProxyW: LPCWSTR,
    pszProxyBypassW: LPCWSTR,
    dwFlags: DWORD,
) -> HINTERNET {
    winhttp_returning(|| {
        prepare_for_fork();
        // SECURE_DEFAULTS is two bits, ASYNC one of them; the other means nothing by itself.
        if !matches!(dwFlags, 0 | WINHTTP_FLAG_ASYNC | WINHTTP_FLAG_SECURE_DEFAULTS) {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per WinHttpOpen: strings end in NUL.
        let (agent, list, bypass) =
            unsafe { (optional(pszAgentW), optional(pszProxyW), optional(pszProxyBypassW)) };
        let agent = agent_text(agent.unwrap_or_default())?;
        let proxy = read_proxy(dwAccessType, list, bypass)?;
        let is_async = dwFlags & WINHTTP_FLAG_ASYNC != 0;
        let session = Session::new(is_async, Notifier::new(deliver), agent, proxy);
        session.with(|state| state.secure_defaults = dwFlags == WINHTTP_FLAG_SECURE_DEFAULTS);
        handle::open(Object::Session(Arc::new(session)))
    })
}

/// Checks a User-Agent value.
pub(super) fn agent_text(agent: &[u16]) -> Result<Arc<[u8]>> {
    let agent = String::from_utf16_lossy(agent);
    if !value_is_safe(agent.as_bytes()) {
        return Err(Error::INVALID_PARAMETER);
    }
    Ok(Arc::from(agent.trim().as_bytes()))
}

/// Reads an access type and, for a named proxy, its strings.
pub(super) fn read_proxy(access: DWORD, list: Option<&[u16]>, bypass: Option<&[u16]>) -> Result<Proxy> {
    match access {
        // What it is now: a default that is set later counts for sessions opened after that.
        WINHTTP_ACCESS_TYPE_DEFAULT_PROXY => Ok(default_proxy()),
        WINHTTP_ACCESS_TYPE_NO_PROXY => Ok(Proxy::direct()),
        WINHTTP_ACCESS_TYPE_AUTOMATIC_PROXY => {
            // Read afresh for the first of its requests.
            settings::user();
            Ok(Proxy { access, ..Proxy::default() })
        }
        WINHTTP_ACCESS_TYPE_NAMED_PROXY => {
            let list = list.filter(|list| !list.is_empty()).ok_or(Error::INVALID_PARAMETER)?;
            let text = |units: &[u16]| String::from_utf16_lossy(units);
            Ok(Proxy { access, list: Some(text(list)), bypass: bypass.map(text) })
        }
        _ => Err(Error::INVALID_PARAMETER),
    }
}

/// Names a server for requests. No network is touched, no name looked up.
///
/// `pswzServerName` is a host name, an IPv4 or an IPv6 address (with or without brackets), without scheme and port.
/// `nServerPort` 0 is the standard port of the request's scheme. `dwReserved` must be 0. Returns a handle for
/// WinHttpCloseHandle; on failure NULL: ERROR_INVALID_PARAMETER, ERROR_INVALID_HANDLE,
/// ERROR_WINHTTP_INCORRECT_HANDLE_TYPE, ERROR_WINHTTP_INVALID_URL for a name no server can have.
/// HANDLE_CREATED comes through the session.
///
/// MSDN: WinHttpConnect.
///
/// # Safety
/// The string ends in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpConnect(
    hSession: HINTERNET,
    pswzServerName: LPCWSTR,
    nServerPort: INTERNET_PORT,
    dwReserved: DWORD,
) -> HINTERNET {
    winhttp_returning(|| {
        // SAFETY: C caller, per WinHttpConnect: the string ends in NUL.
        let name = unsafe { required(pswzServerName) }?;
        if dwReserved != 0 {
            return Err(Error::INVALID_PARAMETER);
        }
        let session = handle::session(hSession)?;
        let host = read_host(name)?;
        let connect = Connect::new(Arc::clone(&session), host, nServerPort);
        let created = handle::open(Object::Connect(Arc::new(connect)))?;
        session.with(|state| state.notifier).invoke(&Event::HandleCreated(created.addr()));
        Ok(created)
    })
}

/// A host as it stands in a URL. A colon is an IPv6 address, perhaps with a zone: a port has its own argument.
fn read_host(name: &[u16]) -> Result<String> {
    let name = String::from_utf16_lossy(name);
    let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&name);
    let stray = |c: char| c <= ' ' || c == '\x7F' || "/\\?#@\"<>[]".contains(c);
    if bare.is_empty() || bare.contains(stray) {
        return Err(Error::WINHTTP_INVALID_URL);
    }
    if !bare.contains(':') {
        return Ok(bare.to_owned());
    }
    let address = bare.split_once('%').map_or(bare, |(address, _)| address);
    let address: std::result::Result<Ipv6Addr, _> = address.parse();
    address.map(|_| format!("[{bare}]")).map_err(|_| Error::WINHTTP_INVALID_URL)
}

/// Closes a handle of any kind. The value is invalid from now on.
///
/// An operation of a request that is under way is cancelled: it completes with ERROR_WINHTTP_OPERATION_CANCELLED,
/// on the thread that runs it. HANDLE_CLOSING is the last notification of the handle: it comes before this function
/// returns, unless a callback or operation of the same request is under way, then after that. May be called from any
/// callback. Closing a session ends the synchronous calls its requests are in. Children stay usable.
/// Errors: ERROR_INVALID_HANDLE.
///
/// MSDN: WinHttpCloseHandle.
///
/// # Safety
/// Any value may be passed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpCloseHandle(hInternet: HINTERNET) -> BOOL {
    winhttp_returning(|| {
        match handle::close(hInternet)? {
            Object::Request(request) => request.close(),
            Object::Session(session) => {
                handle::requests_of(&session).iter().for_each(|request| request.interrupt());
                session.with(|state| state.notifier).invoke(&Event::HandleClosing);
            }
            Object::Connect(connect) => connect.with_notifier(|n| *n).invoke(&Event::HandleClosing),
            Object::Resolver(resolver) => resolver.close(),
            Object::WebSocket(socket) => socket.close_handle(),
        }
        Ok(TRUE)
    })
}

/// Sets the function that is told of events of this handle, and of handles made from it later.
///
/// `lpfnInternetCallback` NULL removes it. `dwNotificationFlags` are WINHTTP_CALLBACK_FLAG_*. Returns the function set
/// before, or WINHTTP_INVALID_STATUS_CALLBACK: ERROR_INVALID_HANDLE. The function is called on the thread that
/// causes the event: the caller's, or one of the library's; never two at a time for one request, unless
/// the application calls from inside the function. Changing it while an operation runs is not synchronised with
/// that operation.
///
/// MSDN: WinHttpSetStatusCallback.
///
/// # Safety
/// The function stays callable until the last notification of the handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpSetStatusCallback(
    hInternet: HINTERNET,
    lpfnInternetCallback: WINHTTP_STATUS_CALLBACK,
    dwNotificationFlags: DWORD,
    dwReserved: DWORD_PTR,
) -> WINHTTP_STATUS_CALLBACK {
    returning_or(from_number(usize::MAX), || {
        let _ = dwReserved;
        let function = to_number(lpfnInternetCallback);
        let old = handle::find(hInternet)?.with_notifier(|notifier| {
            notifier.mask = dwNotificationFlags;
            std::mem::replace(&mut notifier.function, function)
        });
        last_error::set(0);
        Ok(from_number(old))
    })
}

/// Sets four time limits of a session (for requests opened later) or of a request, in milliseconds.
///
/// 0 and -1 wait for ever. Errors: ERROR_INVALID_PARAMETER for less than -1, ERROR_INVALID_HANDLE,
/// ERROR_WINHTTP_INCORRECT_HANDLE_TYPE for a connect handle.
///
/// MSDN: WinHttpSetTimeouts.
///
/// # Safety
/// Any values may be passed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpSetTimeouts(
    hInternet: HINTERNET,
    nResolveTimeout: c_int,
    nConnectTimeout: c_int,
    nSendTimeout: c_int,
    nReceiveTimeout: c_int,
) -> BOOL {
    winhttp_returning(|| {
        let given = [nResolveTimeout, nConnectTimeout, nSendTimeout, nReceiveTimeout];
        if given.iter().any(|timeout| *timeout < -1) {
            return Err(Error::INVALID_PARAMETER);
        }
        let apply = |settings: &mut Settings| {
            [
                settings.resolve_timeout,
                settings.connect_timeout,
                settings.send_timeout,
                settings.receive_timeout,
            ] = given.map(|timeout| timeout as u32);
        };
        match handle::find(hInternet)? {
            Object::Session(session) => session.with(|state| apply(&mut state.settings)),
            Object::Request(request) => request.with_settings(apply),
            _ => return Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE),
        }
        Ok(TRUE)
    })
}

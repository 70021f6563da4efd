//! The options about proxies (digest §7.5, §8.2, §11): PROXY, PROXY_RESULT_ENTRY, RECEIVE_ and IS_PROXY_CONNECT_RESPONSE,
//! PROXY_DISABLE_SERVICE_CALLS.
#![expect(unsafe_code, reason = "strings of WINHTTP_PROXY_INFO and WINHTTP_PROXY_RESULT_ENTRY")]

use std::sync::Arc;

use super::handle::Object;
use super::options::{Given, Value};
use super::proxy_text::{text_of, to_info};
use super::session::read_proxy;
use super::text::{Answer, optional};
use crate::abi::base::BOOL;
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::client::proxy::settings::default_proxy;
use crate::client::proxy::{NAMED, Proxy};

const WRONG_KIND: Error = Error::WINHTTP_INCORRECT_HANDLE_TYPE;

/// Sets one of these options; `None` for others.
pub(super) fn set(object: &Object, option: u32, given: &Given) -> Option<Result<()>> {
    Some(match option {
        WINHTTP_OPTION_PROXY => set_proxy(object, given),
        WINHTTP_OPTION_PROXY_RESULT_ENTRY => set_entry(object, given),
        WINHTTP_OPTION_RECEIVE_PROXY_CONNECT_RESPONSE => set_receive(object, given),
        WINHTTP_OPTION_IS_PROXY_CONNECT_RESPONSE => Err(Error::WINHTTP_OPTION_NOT_SETTABLE),
        // There is no service to be called.
        WINHTTP_OPTION_PROXY_DISABLE_SERVICE_CALLS => match object {
            Object::Session(_) => given.plain::<BOOL>().map(|_| ()),
            _ => Err(WRONG_KIND),
        },
        _ => return None,
    })
}

/// Reads one of these options; `None` for others.
pub(super) fn query(object: &Object, option: u32) -> Option<Result<Value>> {
    Some(match option {
        WINHTTP_OPTION_IS_PROXY_CONNECT_RESPONSE => match object {
            Object::Session(_) => Ok(Value::Number(0)),
            Object::Request(request) => Ok(Value::Number(request.is_proxy_answer().into())),
            _ => Err(WRONG_KIND),
        },
        WINHTTP_OPTION_PROXY_RESULT_ENTRY
        | WINHTTP_OPTION_RECEIVE_PROXY_CONNECT_RESPONSE
        | WINHTTP_OPTION_PROXY_DISABLE_SERVICE_CALLS => Err(Error::INVALID_PARAMETER),
        _ => return None,
    })
}

/// WINHTTP_OPTION_PROXY; without a handle the default.
pub(super) fn write_proxy(object: Option<&Object>, answer: &Answer) -> Result<()> {
    let proxy = match object {
        None => Arc::new(default_proxy()),
        Some(Object::Session(session)) => session.with(|state| Arc::clone(&state.proxy)),
        Some(Object::Request(request)) => request.with_proxy(|proxy| Arc::clone(proxy)),
        Some(_) => return Err(WRONG_KIND),
    };
    answer.reserve(size_of::<WINHTTP_PROXY_INFO>())?;
    answer.plain(to_info(&proxy)?)
}

fn set_proxy(object: &Object, given: &Given) -> Result<()> {
    if !matches!(object, Object::Session(_) | Object::Request(_)) {
        return Err(WRONG_KIND);
    }
    let info = given.plain::<WINHTTP_PROXY_INFO>()?;
    // SAFETY: C caller, per WINHTTP_PROXY_INFO: strings are NULL or end in NUL.
    let (list, bypass) = unsafe { (optional(info.lpszProxy), optional(info.lpszProxyBypass)) };
    let proxy = Arc::new(read_proxy(info.dwAccessType, list, bypass)?);
    match object {
        Object::Session(session) => session.with(|state| state.proxy = proxy),
        Object::Request(request) => request.with_proxy(|old| *old = proxy),
        _ => return Err(WRONG_KIND),
    }
    Ok(())
}

/// One entry of WinHttpGetProxyResult, for the request that was asked about.
fn set_entry(object: &Object, given: &Given) -> Result<()> {
    let Object::Request(request) = object else { return Err(WRONG_KIND) };
    let entry = given.plain::<WINHTTP_PROXY_RESULT_ENTRY>()?;
    let mut proxy = Proxy::direct();
    if entry.fProxy != 0 {
        // SAFETY: C caller, per WINHTTP_PROXY_RESULT_ENTRY: the string ends in NUL.
        let host = unsafe { text_of(entry.pwszProxy) }.filter(|host| !host.is_empty());
        let host = host.ok_or(Error::INVALID_PARAMETER)?;
        let scheme = match entry.ProxyScheme {
            INTERNET_SCHEME_HTTP => "http",
            INTERNET_SCHEME_HTTPS => "https",
            INTERNET_SCHEME_SOCKS => "socks5h",
            _ => return Err(Error::INVALID_PARAMETER),
        };
        let bracketed = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host };
        let list = format!("{scheme}://{bracketed}:{}", entry.ProxyPort);
        proxy = Proxy { access: NAMED, list: Some(list), bypass: None };
        // What would be read as a list, or as more than a host, is none.
        if proxy.choose(false, "", 0).is_none_or(|server| server.host != bracketed) {
            return Err(Error::INVALID_PARAMETER);
        }
    }
    request.with_proxy(|old| *old = Arc::new(proxy));
    Ok(())
}

fn set_receive(object: &Object, given: &Given) -> Result<()> {
    match object {
        Object::Session(session) => {
            let wanted = given.plain::<BOOL>()? != 0;
            session.with(|state| state.settings.receive_proxy_answer = wanted);
        }
        Object::Request(request) => {
            let wanted = given.plain::<BOOL>()? != 0;
            request.with_settings(|settings| settings.receive_proxy_answer = wanted);
        }
        _ => return Err(WRONG_KIND),
    }
    Ok(())
}

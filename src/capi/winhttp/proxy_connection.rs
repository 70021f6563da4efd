//! WinHttpConnection...: which of Windows's named network connections a request takes, and the proxies of those. This
//! platform has no such connections; arguments are checked and the call is refused.
#![expect(unsafe_code, reason = "exports")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use super::handle;
use crate::abi::base::{DWORD, PCWSTR};
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::capi::guard::{explain, returning_status};

fn refuse() -> Result<()> {
    explain(format_args!("named network connections and their policies are Windows's own"));
    Err(Error::NOT_SUPPORTED)
}

fn check_tag(tag: WINHTTP_CONNECTION_POLICY_TAG) -> Result<()> {
    let known = TAG_WINHTTP_CONNECTION_POLICY_TAG_DEFAULT..=TAG_WINHTTP_CONNECTION_POLICY_TAG_WWWPT;
    if known.contains(&tag) { Ok(()) } else { Err(Error::INVALID_PARAMETER) }
}

fn check_name(name: PCWSTR, kind: WINHTTP_CONNECTION_PROXY_TYPE) -> Result<()> {
    let known = WINHTTP_CONNECTION_PROXY_TYPE_NULL..=WINHTTP_CONNECTION_PROXY_TYPE_HTTP;
    if name.is_null() || !known.contains(&kind) { Err(Error::INVALID_PARAMETER) } else { Ok(()) }
}

/// Would say which network connections serve which hosts.
///
/// Returns ERROR_INVALID_HANDLE, ERROR_WINHTTP_INCORRECT_HANDLE_TYPE for a handle that is no session's,
/// ERROR_INVALID_PARAMETER for an unknown tag or a NULL list, else ERROR_NOT_SUPPORTED.
///
/// MSDN: WinHttpConnectionSetPolicyEntries. Differs from Windows: there is nothing it could set.
///
/// # Safety
/// Any values may be passed: the list is not looked at.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpConnectionSetPolicyEntries(
    hSession: HINTERNET,
    PolicyEntryTag: WINHTTP_CONNECTION_POLICY_TAG,
    pPolicyEntryList: *mut WINHTTP_CONNECTION_POLICY_ENTRY_LIST,
) -> DWORD {
    returning_status(|| {
        handle::session(hSession)?;
        check_tag(PolicyEntryTag)?;
        if pPolicyEntryList.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        refuse()
    })
}

/// Would take back what WinHttpConnectionSetPolicyEntries has said under a tag.
///
/// Returns ERROR_INVALID_HANDLE, ERROR_WINHTTP_INCORRECT_HANDLE_TYPE for a handle that is no session's,
/// ERROR_INVALID_PARAMETER for an unknown tag, else ERROR_NOT_SUPPORTED.
///
/// MSDN: WinHttpConnectionDeletePolicyEntries. Differs from Windows: there is nothing to delete.
///
/// # Safety
/// Any values may be passed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpConnectionDeletePolicyEntries(
    hSession: HINTERNET,
    PolicyEntryTag: WINHTTP_CONNECTION_POLICY_TAG,
) -> DWORD {
    returning_status(|| {
        handle::session(hSession)?;
        check_tag(PolicyEntryTag)?;
        refuse()
    })
}

/// Would say which proxy a network connection has.
///
/// Returns ERROR_INVALID_PARAMETER for a NULL pointer or an unknown type, else ERROR_NOT_SUPPORTED;
/// WinHttpSetDefaultProxyConfiguration sets a proxy for all connections.
///
/// MSDN: WinHttpConnectionSetProxyInfo. Differs from Windows: there is nothing it could set.
///
/// # Safety
/// Any values may be passed: strings and structures are not looked at.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpConnectionSetProxyInfo(
    pwszConnectionName: PCWSTR,
    Type: WINHTTP_CONNECTION_PROXY_TYPE,
    pProxyInfo: *const WINHTTP_CONNECTION_PROXY_INFO,
) -> DWORD {
    returning_status(|| {
        check_name(pwszConnectionName, Type)?;
        if pProxyInfo.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        refuse()
    })
}

/// Would take back what WinHttpConnectionSetProxyInfo has said.
///
/// Returns ERROR_INVALID_PARAMETER for a NULL name or an unknown type, else ERROR_NOT_SUPPORTED.
///
/// MSDN: WinHttpConnectionDeleteProxyInfo. Differs from Windows: there is nothing to delete.
///
/// # Safety
/// Any values may be passed: the string is not looked at.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpConnectionDeleteProxyInfo(
    pwszConnectionName: PCWSTR,
    Type: WINHTTP_CONNECTION_PROXY_TYPE,
) -> DWORD {
    returning_status(|| {
        check_name(pwszConnectionName, Type)?;
        refuse()
    })
}

/// Would say which network interface each network connection has.
///
/// Returns ERROR_INVALID_HANDLE, ERROR_WINHTTP_INCORRECT_HANDLE_TYPE for a handle that is no session's,
/// ERROR_INVALID_PARAMETER for a NULL list, else ERROR_NOT_SUPPORTED.
///
/// MSDN: WinHttpConnectionUpdateIfIndexTable. Differs from Windows: there is nothing it could set.
///
/// # Safety
/// Any values may be passed: the list is not looked at.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpConnectionUpdateIfIndexTable(
    hSession: HINTERNET,
    pConnectionIfIndexEntries: *mut WINHTTP_CONNECTION_IFINDEX_LIST,
) -> DWORD {
    returning_status(|| {
        handle::session(hSession)?;
        if pConnectionIfIndexEntries.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        refuse()
    })
}

//! The proxy settings of the library and of the user (digest §8.5).
#![expect(unsafe_code, reason = "exports, and structures of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use super::proxy_text::{free_text, global_text, text_of, to_info};
use super::text::{put, required};
use crate::abi::base::{BOOL, DWORD, FALSE, PCWSTR, TRUE};
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::capi::guard::{explain, returning_status, winhttp_returning};
use crate::client::proxy::settings::{default_proxy, set_default_proxy, user};
use crate::client::proxy::{NAMED, Proxy, bypasses};
use crate::net::account;

/// Reads the proxy that sessions opened with WINHTTP_ACCESS_TYPE_DEFAULT_PROXY use.
///
/// It is what WinHttpSetDefaultProxyConfiguration has kept, else what the variables http_proxy, https_proxy, all_proxy
/// and no_proxy say: WINHTTP_ACCESS_TYPE_NAMED_PROXY with two strings, each NULL or to be freed with GlobalFree; or
/// WINHTTP_ACCESS_TYPE_NO_PROXY. Errors: ERROR_INVALID_PARAMETER for NULL, ERROR_NOT_ENOUGH_MEMORY.
///
/// MSDN: WinHttpGetDefaultProxyConfiguration.
///
/// # Safety
/// `pProxyInfo` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpGetDefaultProxyConfiguration(pProxyInfo: *mut WINHTTP_PROXY_INFO) -> BOOL {
    winhttp_returning(|| {
        if pProxyInfo.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        let info = to_info(&default_proxy())?;
        // SAFETY: C caller, per WinHttpGetDefaultProxyConfiguration: writable.
        unsafe { put(pProxyInfo, info) };
        Ok(TRUE)
    })
}

/// Keeps the proxy that sessions opened from now on with WINHTTP_ACCESS_TYPE_DEFAULT_PROXY use.
///
/// `dwAccessType` is WINHTTP_ACCESS_TYPE_NO_PROXY, or WINHTTP_ACCESS_TYPE_NAMED_PROXY with a proxy list and perhaps a
/// bypass list, both ASCII. It is kept in the configuration file: `/etc/nthttp/config.json` for root, whose choice is
/// everybody's, else the user's own, which goes before it; both go before the environment. Errors:
/// ERROR_INVALID_PARAMETER, ERROR_ACCESS_DENIED when the file may not be written, ERROR_WINHTTP_INTERNAL_ERROR when it
/// cannot be.
///
/// MSDN: WinHttpSetDefaultProxyConfiguration. Differs from Windows: users other than root have a default of their own.
///
/// # Safety
/// `pProxyInfo` is NULL or readable, and its strings are NULL or end in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpSetDefaultProxyConfiguration(pProxyInfo: *mut WINHTTP_PROXY_INFO) -> BOOL {
    winhttp_returning(|| {
        if pProxyInfo.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per WinHttpSetDefaultProxyConfiguration: readable, strings end in NUL.
        let (access, list, bypass) = unsafe {
            let info = pProxyInfo.read_unaligned();
            (info.dwAccessType, text_of(info.lpszProxy), text_of(info.lpszProxyBypass))
        };
        set_default_proxy(checked(access, list, bypass)?)?;
        Ok(TRUE)
    })
}

fn checked(access: u32, list: Option<String>, bypass: Option<String>) -> Result<Proxy> {
    match access {
        WINHTTP_ACCESS_TYPE_NO_PROXY => Ok(Proxy::direct()),
        WINHTTP_ACCESS_TYPE_NAMED_PROXY => {
            let list = list.filter(|list| !list.is_empty()).ok_or(Error::INVALID_PARAMETER)?;
            if !list.is_ascii() || !bypass.as_deref().is_none_or(str::is_ascii) {
                return Err(Error::INVALID_PARAMETER);
            }
            Ok(Proxy { access: NAMED, list: Some(list), bypass })
        }
        _ => Err(Error::INVALID_PARAMETER),
    }
}

/// Reads the proxy settings of the user's desktop: KDE's (kioslaverc) or GNOME's (dconf, or the key file that stands for
/// it), else what the variables http_proxy, https_proxy, all_proxy and no_proxy say.
///
/// `fAutoDetect` asks for WinHttpDetectAutoProxyConfigUrl; the strings are NULL or to be freed with GlobalFree. Nothing
/// is applied. Errors: ERROR_FILE_NOT_FOUND when there are no settings, ERROR_INVALID_PARAMETER for NULL,
/// ERROR_NOT_ENOUGH_MEMORY.
///
/// MSDN: WinHttpGetIEProxyConfigForCurrentUser.
///
/// # Safety
/// `pProxyConfig` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpGetIEProxyConfigForCurrentUser(
    pProxyConfig: *mut WINHTTP_CURRENT_USER_IE_PROXY_CONFIG,
) -> BOOL {
    winhttp_returning(|| {
        if pProxyConfig.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        let found = user().ok_or_else(|| {
            explain(format_args!("neither the desktop nor the environment has proxy settings"));
            Error::FILE_NOT_FOUND
        })?;
        let info = to_info(&found.proxy)?;
        let script = global_text(found.script.as_deref()).inspect_err(|_| {
            // SAFETY: just made.
            unsafe {
                free_text(info.lpszProxy);
                free_text(info.lpszProxyBypass);
            }
        })?;
        let config = WINHTTP_CURRENT_USER_IE_PROXY_CONFIG {
            fAutoDetect: found.auto_detect.into(),
            lpszAutoConfigUrl: script,
            lpszProxy: info.lpszProxy,
            lpszProxyBypass: info.lpszProxyBypass,
        };
        // SAFETY: C caller, per WinHttpGetIEProxyConfigForCurrentUser: writable.
        unsafe { put(pProxyConfig, config) };
        Ok(TRUE)
    })
}

/// Whether the bypass list of a proxy setting has a server: `*pfIsInBypassList` becomes TRUE or FALSE.
///
/// `tScheme` is INTERNET_SCHEME_HTTP or INTERNET_SCHEME_HTTPS. Returns 0, or ERROR_INVALID_PARAMETER for a NULL pointer
/// or another scheme. A setting without a bypass list, or that is no named proxy, has no server in it.
///
/// MSDN: not documented; declared by mingw-w64's winhttp.h.
///
/// # Safety
/// `pProxyInfo` is NULL or readable, its strings and `pwszHost` are NULL or end in NUL, `pfIsInBypassList` is NULL or
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpIsHostInProxyBypassList(
    pProxyInfo: *const WINHTTP_PROXY_INFO,
    pwszHost: PCWSTR,
    tScheme: INTERNET_SCHEME,
    nPort: INTERNET_PORT,
    pfIsInBypassList: *mut BOOL,
) -> DWORD {
    returning_status(|| {
        let known = matches!(tScheme, INTERNET_SCHEME_HTTP | INTERNET_SCHEME_HTTPS);
        if pProxyInfo.is_null() || pfIsInBypassList.is_null() || !known {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per the contract above.
        let (host, info) = unsafe { (required(pwszHost)?, pProxyInfo.read_unaligned()) };
        let host = String::from_utf16_lossy(host);
        // SAFETY: C caller: the string ends in NUL.
        let list = unsafe { text_of(info.lpszProxyBypass) };
        let secure = tScheme == INTERNET_SCHEME_HTTPS;
        let named = info.dwAccessType == WINHTTP_ACCESS_TYPE_NAMED_PROXY;
        let has = named && list.is_some_and(|list| bypasses(&list, secure, &host, nPort));
        // SAFETY: C caller: writable.
        unsafe { put(pfIsInBypassList, if has { TRUE } else { FALSE }) };
        Ok(())
    })
}

/// Would choose whether the machine's users have proxy settings of their own. On this platform they always have.
///
/// Returns ERROR_ACCESS_DENIED to users other than root, and ERROR_NOT_SUPPORTED to root.
///
/// MSDN: WinHttpSetProxySettingsPerUser (declared without a page). Differs from Windows: it is never obeyed.
#[unsafe(no_mangle)]
pub extern "C" fn WinHttpSetProxySettingsPerUser(fProxySettingsPerUser: BOOL) -> DWORD {
    returning_status(|| {
        let _ = fProxySettingsPerUser;
        explain(format_args!("users always have proxy settings of their own"));
        Err(if account::user_id() == 0 { Error::NOT_SUPPORTED } else { Error::ACCESS_DENIED })
    })
}

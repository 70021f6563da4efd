//! Finding a proxy for a URL while the caller waits (digest §8.5).
#![expect(unsafe_code, reason = "exports, and structures of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use super::handle::{self, Object};
use super::proxy_text::{global_text, text_of, to_info};
use super::text::{put, required};
use crate::abi::base::{BOOL, DWORD, LPCWSTR, LPWSTR, TRUE};
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::capi::guard::{returning_status, winhttp_returning};
use crate::client::proxy::detect::find;
use crate::client::proxy::lookup::{Entry, Question, reset};
use crate::client::proxy::{NAMED, Proxy};
use crate::net::client_stream::Cancel;

/// Finds the URL of the network's proxy script, without fetching it. Takes time: names are looked up.
///
/// `dwAutoDetectFlags`: WINHTTP_AUTO_DETECT_TYPE_DHCP (a lease of systemd-networkd with option 252),
/// WINHTTP_AUTO_DETECT_TYPE_DNS_A (`wpad` in the search domains of resolv.conf and above them, never as high as a
/// public suffix), or both, in this order. `*ppwstrAutoConfigUrl` becomes a string to be freed with GlobalFree, or NULL.
/// Errors: ERROR_INVALID_PARAMETER without flags or pointer, ERROR_WINHTTP_AUTODETECTION_FAILED.
///
/// MSDN: WinHttpDetectAutoProxyConfigUrl. Differs from Windows: DHCP servers are not asked anew.
///
/// # Safety
/// `ppwstrAutoConfigUrl` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpDetectAutoProxyConfigUrl(
    dwAutoDetectFlags: DWORD,
    ppwstrAutoConfigUrl: *mut LPWSTR,
) -> BOOL {
    winhttp_returning(|| {
        let known = WINHTTP_AUTO_DETECT_TYPE_DHCP | WINHTTP_AUTO_DETECT_TYPE_DNS_A;
        if dwAutoDetectFlags & known == 0 || dwAutoDetectFlags & !known != 0 || ppwstrAutoConfigUrl.is_null()
        {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per WinHttpDetectAutoProxyConfigUrl: writable.
        unsafe { put(ppwstrAutoConfigUrl, std::ptr::null_mut()) };
        let url = global_text(Some(&find(dwAutoDetectFlags, &Cancel::new())?))?;
        // SAFETY: as above.
        unsafe { put(ppwstrAutoConfigUrl, url) };
        Ok(TRUE)
    })
}

/// Finds the proxies for a URL. Always waits, in asynchronous sessions too.
///
/// `pAutoProxyOptions` says who may answer: WINHTTP_AUTOPROXY_AUTO_DETECT, _CONFIG_URL and _ALLOW_AUTOCONFIG a script,
/// _ALLOW_STATIC the proxy lists of the desktop, the environment, or WinHttpSetDefaultProxyConfiguration. The answer is
/// for WINHTTP_OPTION_PROXY on the request: WINHTTP_ACCESS_TYPE_NAMED_PROXY with the proxies that serve this URL, in
/// order, in a string to be freed with GlobalFree, or WINHTTP_ACCESS_TYPE_NO_PROXY. Errors: ERROR_INVALID_HANDLE,
/// ERROR_INVALID_PARAMETER, ERROR_WINHTTP_INCORRECT_HANDLE_TYPE, ERROR_WINHTTP_INVALID_URL,
/// ERROR_WINHTTP_UNRECOGNIZED_SCHEME (the URL's, or that of the script's), ERROR_WINHTTP_AUTODETECTION_FAILED,
/// ERROR_WINHTTP_BAD_AUTO_PROXY_SCRIPT, ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR when nobody who may answer has one.
///
/// MSDN: WinHttpGetProxyForUrl. Differs from Windows: scripts are not run; one that is found is
/// ERROR_WINHTTP_BAD_AUTO_PROXY_SCRIPT, unless _ALLOW_STATIC lets the lists answer.
///
/// # Safety
/// Strings and structures are readable, strings end in NUL, `pProxyInfo` is writable; any may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpGetProxyForUrl(
    hSession: HINTERNET,
    lpcwszUrl: LPCWSTR,
    pAutoProxyOptions: *mut WINHTTP_AUTOPROXY_OPTIONS,
    pProxyInfo: *mut WINHTTP_PROXY_INFO,
) -> BOOL {
    winhttp_returning(|| {
        let object = handle::find(hSession)?;
        if pProxyInfo.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per WinHttpGetProxyForUrl: readable or NULL, strings end in NUL.
        let asked = unsafe { Asked::read(lpcwszUrl, pAutoProxyOptions) }?;
        if !matches!(object, Object::Session(_)) {
            return Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE);
        }
        let entries = asked.question()?.answer(&Cancel::new())?;
        let through = entries.into_iter().map_while(|entry| match entry {
            Entry::Through { item, .. } => Some(item),
            Entry::Direct { .. } => None,
        });
        let list = through.collect::<Vec<_>>().join(";");
        let named = Proxy { access: NAMED, list: Some(list), bypass: None };
        let proxy = if named.list.as_deref() == Some("") { Proxy::direct() } else { named };
        // SAFETY: C caller: writable.
        unsafe { put(pProxyInfo, to_info(&proxy)?) };
        Ok(TRUE)
    })
}

/// A URL and WINHTTP_AUTOPROXY_OPTIONS, with the checks that come before the URL's.
pub(super) struct Asked<'a> {
    url: &'a [u16],
    flags: u32,
    detect: Option<u32>,
    script: Option<String>,
}

/// Who may answer.
const SOURCES: u32 = WINHTTP_AUTOPROXY_AUTO_DETECT
    | WINHTTP_AUTOPROXY_CONFIG_URL
    | WINHTTP_AUTOPROXY_ALLOW_AUTOCONFIG
    | WINHTTP_AUTOPROXY_ALLOW_STATIC
    | WINHTTP_AUTOPROXY_ALLOW_CM;

impl Asked<'_> {
    /// # Safety
    /// Both are readable or NULL; strings end in NUL and stay unchanged while the value lives.
    pub(super) unsafe fn read<'a>(
        url: LPCWSTR,
        options: *const WINHTTP_AUTOPROXY_OPTIONS,
    ) -> Result<Asked<'a>> {
        // SAFETY: the same contract.
        let url = unsafe { required(url) }?;
        if options.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: readable per this function's contract.
        let options = unsafe { options.read_unaligned() };
        let flags = options.dwFlags;
        let detect = (flags & WINHTTP_AUTOPROXY_AUTO_DETECT != 0).then_some(options.dwAutoDetectFlags);
        let mut script = None;
        if flags & WINHTTP_AUTOPROXY_CONFIG_URL != 0 {
            // SAFETY: the string ends in NUL per this function's contract.
            let url = unsafe { text_of(options.lpszAutoConfigUrl) };
            script = Some(url.filter(|url| !url.is_empty()).ok_or(Error::INVALID_PARAMETER)?);
        }
        if flags & SOURCES == 0 || detect == Some(0) {
            return Err(Error::INVALID_PARAMETER);
        }
        Ok(Asked { url, flags, detect, script })
    }

    /// What is to be answered. `INVALID_URL`, `UNRECOGNIZED_SCHEME`.
    pub(super) fn question(self) -> Result<Question> {
        Ok(Question {
            detect: self.detect,
            script: self.script,
            allow_script: self.flags & WINHTTP_AUTOPROXY_ALLOW_AUTOCONFIG != 0,
            allow_static: self.flags & WINHTTP_AUTOPROXY_ALLOW_STATIC != 0,
            ..Question::about(self.url)?
        })
    }
}

/// Forgets what has been learnt about proxies: which could not be reached.
///
/// `dwFlags` must have WINHTTP_RESET_OUT_OF_PROC; which other WINHTTP_RESET_ flags it has makes no difference. Returns
/// 0, ERROR_INVALID_HANDLE, ERROR_WINHTTP_INCORRECT_HANDLE_TYPE for a handle that is no session's, or
/// ERROR_INVALID_PARAMETER.
///
/// MSDN: WinHttpResetAutoProxy. Differs from Windows: two resets need no 30 seconds between them.
///
/// # Safety
/// Any value may be passed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpResetAutoProxy(hSession: HINTERNET, dwFlags: DWORD) -> DWORD {
    returning_status(|| {
        handle::session(hSession)?;
        if dwFlags & WINHTTP_RESET_OUT_OF_PROC == 0 {
            return Err(Error::INVALID_PARAMETER);
        }
        reset();
        Ok(())
    })
}

//! The newer way to read proxy settings (digest §3.26), and the functions of that kind that have no documentation.
#![expect(unsafe_code, reason = "exports, and structures of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use super::handle::{self, Object};
use super::proxy_text::{free_text, global_text};
use super::text::put;
use crate::abi::base::{BOOL, DWORD, DWORD_PTR, PCWSTR, PVOID};
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::capi::base::memory::{GlobalAlloc, GlobalFree};
use crate::capi::guard::{explain, returning, returning_code, returning_status};
use crate::client::proxy::resolver::{Answer, Inquiry};
use crate::client::proxy::settings::UserSettings;

const IO_PENDING: DWORD = 997;

/// The last of WINHTTP_PROXY_SETTINGS_TYPE; the header names it no longer.
const LAST_TYPE: WINHTTP_PROXY_SETTINGS_TYPE = 3;

fn check_type(kind: WINHTTP_PROXY_SETTINGS_TYPE) -> Result<()> {
    let known = WinHttpProxySettingsTypeWsl..=LAST_TYPE;
    if known.contains(&kind) { Ok(()) } else { Err(Error::INVALID_PARAMETER) }
}

/// Starts to read the user's proxy settings. The callback is told GETPROXYSETTINGS_COMPLETE from another thread, with
/// `pContext`, and WinHttpGetProxySettingsResultEx has them.
///
/// `ProxySettingsType` is one of WINHTTP_PROXY_SETTINGS_TYPE but Unknown; all give the same. `pProxySettingsParam` may be
/// NULL; what it asks for makes no difference, because the settings are the same for all connections. Returns
/// ERROR_IO_PENDING, or ERROR_INVALID_HANDLE, ERROR_WINHTTP_INCORRECT_HANDLE_TYPE, ERROR_INVALID_PARAMETER,
/// ERROR_WINHTTP_INCORRECT_HANDLE_STATE while another question is being answered, ERROR_NOT_ENOUGH_MEMORY.
///
/// MSDN: WinHttpGetProxySettingsEx.
///
/// # Safety
/// Any values may be passed: the parameters are not looked at.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpGetProxySettingsEx(
    hResolver: HINTERNET,
    ProxySettingsType: WINHTTP_PROXY_SETTINGS_TYPE,
    pProxySettingsParam: PWINHTTP_PROXY_SETTINGS_PARAM,
    pContext: DWORD_PTR,
) -> DWORD {
    returning_code(|| {
        let _ = pProxySettingsParam;
        let object = handle::find(hResolver)?;
        check_type(ProxySettingsType)?;
        let Object::Resolver(resolver) = object else { return Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE) };
        resolver.ask(Inquiry::Settings, pContext)?;
        Ok(IO_PENDING)
    })
}

/// Reads what WinHttpGetProxySettingsEx found into a WINHTTP_PROXY_SETTINGS_EX.
///
/// `ullFlags` has the WINHTTP_PROXY_TYPE_ bits of what is set; `pcwszProxy` and `pcwszSecureProxy` are the proxies for http
/// and https. To be freed with WinHttpFreeProxySettingsEx. Returns 0, ERROR_INVALID_PARAMETER for NULL,
/// ERROR_INVALID_HANDLE, ERROR_WINHTTP_INCORRECT_HANDLE_TYPE, ERROR_WINHTTP_INCORRECT_HANDLE_STATE when there is no such
/// answer, ERROR_NOT_ENOUGH_MEMORY.
///
/// MSDN: WinHttpGetProxySettingsResultEx.
///
/// # Safety
/// `pProxySettingsEx` is NULL or a writable WINHTTP_PROXY_SETTINGS_EX.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpGetProxySettingsResultEx(
    hResolver: HINTERNET,
    pProxySettingsEx: PVOID,
) -> DWORD {
    returning_status(|| {
        if pProxySettingsEx.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        let Answer::Settings(found, generation) = handle::resolver(hResolver)?.answer()? else {
            return Err(Error::WINHTTP_INCORRECT_HANDLE_STATE);
        };
        let mut made = EMPTY;
        (made.ullGenerationId, made.ullFlags) = (generation, flags_of(&found));
        if let Err(error) = fill(&mut made, &found) {
            // SAFETY: filled by `fill`, as far as it came.
            unsafe { free(&made) };
            return Err(error);
        }
        // SAFETY: C caller, per WinHttpGetProxySettingsResultEx: writable.
        unsafe { put(pProxySettingsEx.cast::<WINHTTP_PROXY_SETTINGS_EX>(), made) };
        Ok(())
    })
}

const EMPTY: WINHTTP_PROXY_SETTINGS_EX = WINHTTP_PROXY_SETTINGS_EX {
    ullGenerationId: 0,
    ullFlags: 0,
    pcwszAutoconfigUrl: std::ptr::null(),
    pcwszProxy: std::ptr::null(),
    pcwszSecureProxy: std::ptr::null(),
    cProxyBypasses: 0,
    rgpcwszProxyBypasses: std::ptr::null_mut(),
    dwInterfaceIndex: 0,
    pcwszConnectionName: std::ptr::null(),
};

fn flags_of(found: &UserSettings) -> u64 {
    let bit = |is: bool, flag: u32| if is { u64::from(flag) } else { 0 };
    bit(true, WINHTTP_PROXY_TYPE_DIRECT)
        | bit(found.proxy.list.is_some(), WINHTTP_PROXY_TYPE_PROXY)
        | bit(found.script.is_some(), WINHTTP_PROXY_TYPE_AUTO_PROXY_URL)
        | bit(found.auto_detect, WINHTTP_PROXY_TYPE_AUTO_DETECT)
}

fn fill(made: &mut WINHTTP_PROXY_SETTINGS_EX, found: &UserSettings) -> Result<()> {
    // No host is in a bypass list that is not asked for.
    let lists = crate::client::proxy::Proxy { bypass: None, ..found.proxy.clone() };
    let server = |secure| lists.choose(secure, "", 0).map(|server| server.item());
    made.pcwszAutoconfigUrl = global_text(found.script.as_deref())?;
    made.pcwszProxy = global_text(server(false).as_deref())?;
    made.pcwszSecureProxy = global_text(server(true).as_deref())?;
    let bypass = found.proxy.bypass.as_deref().unwrap_or_default();
    let items: Vec<&str> = bypass.split([';', ' ']).filter(|item| !item.is_empty()).collect();
    if items.is_empty() {
        return Ok(());
    }
    let place = GlobalAlloc(0, items.len() * size_of::<PCWSTR>()).cast::<PCWSTR>();
    if place.is_null() {
        return Err(Error::NOT_ENOUGH_MEMORY);
    }
    made.rgpcwszProxyBypasses = place;
    for (at, item) in items.into_iter().enumerate() {
        let item = global_text(Some(item))?;
        // SAFETY: the memory was just allocated for all of them.
        unsafe { place.add(at).write(item) };
        made.cProxyBypasses += 1;
    }
    Ok(())
}

/// # Safety
/// Its strings are NULL or ours.
unsafe fn free(settings: &WINHTTP_PROXY_SETTINGS_EX) {
    // SAFETY: this function's contract.
    unsafe {
        for text in [settings.pcwszAutoconfigUrl, settings.pcwszProxy, settings.pcwszSecureProxy] {
            free_text(text);
        }
        free_text(settings.pcwszConnectionName);
        for at in 0..settings.cProxyBypasses as usize {
            free_text(*settings.rgpcwszProxyBypasses.add(at));
        }
        if !settings.rgpcwszProxyBypasses.is_null() {
            GlobalFree(settings.rgpcwszProxyBypasses.cast());
        }
    }
}

/// Frees what WinHttpGetProxySettingsResultEx has put into a structure, which is left empty.
///
/// Returns 0, or ERROR_INVALID_PARAMETER for NULL or an unknown type.
///
/// MSDN: WinHttpFreeProxySettingsEx.
///
/// # Safety
/// `pProxySettingsEx` is NULL, or was filled by WinHttpGetProxySettingsResultEx, or is empty.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpFreeProxySettingsEx(
    ProxySettingsType: WINHTTP_PROXY_SETTINGS_TYPE,
    pProxySettingsEx: PVOID,
) -> DWORD {
    returning_status(|| {
        check_type(ProxySettingsType)?;
        if pProxySettingsEx.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        let place = pProxySettingsEx.cast::<WINHTTP_PROXY_SETTINGS_EX>();
        // SAFETY: C caller, per WinHttpFreeProxySettingsEx.
        unsafe {
            free(&place.read_unaligned());
            put(place, EMPTY);
        }
        Ok(())
    })
}

fn not_here() -> Result<()> {
    explain(format_args!("proxy settings by connection are Windows's own; see WinHttpGetProxySettingsEx"));
    Err(Error::NOT_SUPPORTED)
}

/// Would read the settings of one of Windows's network connections, which this platform does not have.
///
/// Returns ERROR_NOT_SUPPORTED; nothing is written. WinHttpGetProxySettingsEx and
/// WinHttpGetIEProxyConfigForCurrentUser have the user's settings.
///
/// MSDN: declared without a page.
///
/// # Safety
/// Any values may be passed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpReadProxySettings(
    hSession: HINTERNET,
    pcwszConnectionName: PCWSTR,
    fFallBackToDefaultSettings: BOOL,
    fSetAutoDiscoverForDefaultSettings: BOOL,
    pdwSettingsVersion: *mut DWORD,
    pfDefaultSettingsAreReturned: *mut BOOL,
    pWinHttpProxySettings: *mut WINHTTP_PROXY_SETTINGS,
) -> DWORD {
    let _ = (hSession, pcwszConnectionName, fFallBackToDefaultSettings, fSetAutoDiscoverForDefaultSettings);
    let _ = (pdwSettingsVersion, pfDefaultSettingsAreReturned, pWinHttpProxySettings);
    returning_status(not_here)
}

/// Would change the settings of one of Windows's network connections, which this platform does not have.
///
/// Returns ERROR_NOT_SUPPORTED. WinHttpSetDefaultProxyConfiguration keeps a default.
///
/// MSDN: declared without a page.
///
/// # Safety
/// Any values may be passed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpWriteProxySettings(
    hSession: HINTERNET,
    fForceUpdate: BOOL,
    pWinHttpProxySettings: *mut WINHTTP_PROXY_SETTINGS,
) -> DWORD {
    let _ = (hSession, fForceUpdate, pWinHttpProxySettings);
    returning_status(not_here)
}

/// Would free what WinHttpReadProxySettings gives. That gives nothing, so there is nothing to free.
///
/// MSDN: declared without a page.
///
/// # Safety
/// Any value may be passed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpFreeProxySettings(pWinHttpProxySettings: *mut WINHTTP_PROXY_SETTINGS) {
    returning((), || {
        let _ = pWinHttpProxySettings;
    });
}

/// Would give the version of what WinHttpReadProxySettings reads. Returns ERROR_NOT_SUPPORTED; nothing is written.
///
/// MSDN: declared without a page.
///
/// # Safety
/// Any values may be passed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpGetProxySettingsVersion(
    hSession: HINTERNET,
    pdwProxySettingsVersion: *mut DWORD,
) -> DWORD {
    let _ = (hSession, pdwProxySettingsVersion);
    returning_status(not_here)
}

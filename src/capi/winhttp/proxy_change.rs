//! Telling that the proxy settings have changed (digest §3.26).
#![expect(unsafe_code, reason = "exports, and calls the application's function")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::sync::Arc;

use super::text::put;
use crate::abi::base::{DWORD, PVOID, ULONGLONG};
use crate::abi::error::Error;
use crate::abi::winhttp::*;
use crate::capi::base::handle::prepare_for_fork;
use crate::capi::guard::returning_status;
use crate::client::proxy::changes::{register, unregister};
use crate::win32::handles::leave_if_forked;

/// Has a function called whenever the proxy settings have changed: the default of WinHttpSetDefaultProxyConfiguration, or
/// the desktop's.
///
/// `ullFlags` is WINHTTP_PROXY_NOTIFY_CHANGE, which the function gets too, with `pvContext`. It is called on a thread of
/// the library, one call at a time; it may call anything, WinHttpUnregisterProxyChangeNotification too.
/// `*hRegistration` is for that. Returns 0, ERROR_INVALID_PARAMETER for other flags or NULL, ERROR_NOT_ENOUGH_MEMORY.
/// Changes of the environment are this process's own and are not told.
///
/// MSDN: WinHttpRegisterProxyChangeNotification (an empty page).
///
/// # Safety
/// The function stays callable, with its context, until the registration has ended; `hRegistration` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpRegisterProxyChangeNotification(
    ullFlags: ULONGLONG,
    pfnCallback: WINHTTP_PROXY_CHANGE_CALLBACK,
    pvContext: PVOID,
    hRegistration: *mut PVOID,
) -> DWORD {
    returning_status(|| {
        prepare_for_fork();
        let callback = pfnCallback.ok_or(Error::INVALID_PARAMETER)?;
        if ullFlags != u64::from(WINHTTP_PROXY_NOTIFY_CHANGE) || hRegistration.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        let context = pvContext.expose_provenance();
        let id = register(Arc::new(move || {
            let context = std::ptr::with_exposed_provenance_mut(context);
            // SAFETY: C caller, per WinHttpRegisterProxyChangeNotification: callable until the registration has ended.
            unsafe { callback(ullFlags, context) };
            leave_if_forked();
        }))?;
        // SAFETY: C caller: writable.
        unsafe { put(hRegistration, std::ptr::without_provenance_mut(id)) };
        Ok(())
    })
}

/// Ends a registration. When this returns, the function is not running and will not be called again; called from
/// inside the function, it returns at once, and the call under way is the last.
///
/// Returns 0, or ERROR_INVALID_HANDLE for a registration that does not exist (any more).
///
/// MSDN: WinHttpUnregisterProxyChangeNotification (an empty page).
///
/// # Safety
/// Any value may be passed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpUnregisterProxyChangeNotification(hRegistration: PVOID) -> DWORD {
    returning_status(|| unregister(hRegistration.addr()))
}

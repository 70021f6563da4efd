//! Proxy settings as C has them: strings that the caller frees with GlobalFree, and entries of proxy results.
#![expect(unsafe_code, reason = "strings and structures of C")]

use crate::abi::base::LPWSTR;
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::capi::base::memory::{GlobalAlloc, GlobalFree};
use crate::client::proxy::Proxy;

use super::text::optional;

/// A copy that the caller frees with GlobalFree; NULL for none.
pub(super) fn global_text(text: Option<&str>) -> Result<LPWSTR> {
    let Some(text) = text else { return Ok(std::ptr::null_mut()) };
    let units: Vec<u16> = text.encode_utf16().chain([0]).collect();
    let place = GlobalAlloc(0, units.len() * 2).cast::<u16>();
    if place.is_null() {
        return Err(Error::NOT_ENOUGH_MEMORY);
    }
    // SAFETY: the memory was just allocated for so many units.
    unsafe { place.copy_from_nonoverlapping(units.as_ptr(), units.len()) };
    Ok(place)
}

/// Frees a string of [`global_text`].
///
/// # Safety
/// `text` is NULL or came from [`global_text`] and was not freed.
pub(super) unsafe fn free_text(text: *const u16) {
    if !text.is_null() {
        // SAFETY: the caller promises a block of the heap.
        unsafe { GlobalFree(text.cast_mut().cast()) };
    }
}

/// A setting as WINHTTP_PROXY_INFO, its strings copied.
pub(super) fn to_info(proxy: &Proxy) -> Result<WINHTTP_PROXY_INFO> {
    let list = global_text(proxy.list.as_deref())?;
    let bypass = global_text(proxy.bypass.as_deref()).inspect_err(|_| {
        // SAFETY: just made.
        unsafe { free_text(list) }
    })?;
    Ok(WINHTTP_PROXY_INFO { dwAccessType: proxy.access, lpszProxy: list, lpszProxyBypass: bypass })
}

/// A text of C; `None` for NULL.
///
/// # Safety
/// `text` is NULL or ends in NUL.
pub(super) unsafe fn text_of(text: *const u16) -> Option<String> {
    // SAFETY: the same contract.
    unsafe { optional(text) }.map(String::from_utf16_lossy)
}

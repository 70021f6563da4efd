//! Proxy resolvers: finding proxies for a URL while the caller goes on (digest §8.5).
#![expect(unsafe_code, reason = "exports, and structures of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::sync::Arc;

use super::handle::{self, Object};
use super::proxy_detect::Asked;
use super::proxy_text::{free_text, global_text};
use super::text::put;
use crate::abi::base::{BYTE, DWORD, DWORD_PTR, PCWSTR};
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::capi::base::memory::{GlobalAlloc, GlobalFree};
use crate::capi::guard::{returning, returning_code, returning_status};
use crate::client::notify::Event;
use crate::client::proxy::Kind;
use crate::client::proxy::lookup::Entry;
use crate::client::proxy::resolver::{Answer, Inquiry, Resolver};

const IO_PENDING: DWORD = 997;

/// Makes a proxy resolver. It inherits the session's callback and context, and is closed with WinHttpCloseHandle.
///
/// Returns 0, ERROR_INVALID_HANDLE, ERROR_WINHTTP_INCORRECT_HANDLE_TYPE for a handle that is not an asynchronous
/// session's, or ERROR_INVALID_PARAMETER for a NULL pointer.
///
/// MSDN: WinHttpCreateProxyResolver.
///
/// # Safety
/// `phResolver` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpCreateProxyResolver(
    hSession: HINTERNET,
    phResolver: *mut HINTERNET,
) -> DWORD {
    returning_status(|| {
        if phResolver.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        let session = handle::session(hSession)?;
        if !session.is_async {
            return Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE);
        }
        let resolver = Arc::new(Resolver::new(session));
        let created = handle::open(Object::Resolver(Arc::clone(&resolver)))?;
        // SAFETY: C caller, per WinHttpCreateProxyResolver: writable.
        unsafe { put(phResolver, created) };
        resolver.with_notifier(|notifier| *notifier).invoke(&Event::HandleCreated(created.addr()));
        Ok(())
    })
}

/// Starts to find the proxies for a URL. The callback is told GETPROXYFORURL_COMPLETE, and WinHttpGetProxyResult has the
/// answer; or REQUEST_ERROR with API_GET_PROXY_FOR_URL. Both come from another thread, with `pContext`.
///
/// `pAutoProxyOptions` as for WinHttpGetProxyForUrl, with the same errors for the callback. Returns ERROR_IO_PENDING, or at
/// once ERROR_INVALID_HANDLE, ERROR_WINHTTP_INCORRECT_HANDLE_TYPE, ERROR_INVALID_PARAMETER, ERROR_WINHTTP_INVALID_URL,
/// ERROR_WINHTTP_UNRECOGNIZED_SCHEME, ERROR_WINHTTP_INCORRECT_HANDLE_STATE while another question is being answered,
/// ERROR_NOT_ENOUGH_MEMORY. Closing the resolver cancels: REQUEST_ERROR with ERROR_WINHTTP_OPERATION_CANCELLED, then
/// HANDLE_CLOSING.
///
/// MSDN: WinHttpGetProxyForUrlEx. Differs from Windows: scripts are not run (see WinHttpGetProxyForUrl).
///
/// # Safety
/// Strings and structures are readable, strings end in NUL; any may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpGetProxyForUrlEx(
    hResolver: HINTERNET,
    pcwszUrl: PCWSTR,
    pAutoProxyOptions: *mut WINHTTP_AUTOPROXY_OPTIONS,
    pContext: DWORD_PTR,
) -> DWORD {
    // SAFETY: the same contract.
    returning_code(|| unsafe { start(hResolver, pcwszUrl, pAutoProxyOptions, pContext) })
}

/// WinHttpGetProxyForUrlEx with a choice of the network interface, which has no effect here.
///
/// MSDN: declared without a page.
///
/// # Safety
/// As for WinHttpGetProxyForUrlEx; the interface's bytes are not looked at.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpGetProxyForUrlEx2(
    hResolver: HINTERNET,
    pcwszUrl: PCWSTR,
    pAutoProxyOptions: *mut WINHTTP_AUTOPROXY_OPTIONS,
    cbInterfaceSelectionContext: DWORD,
    pInterfaceSelectionContext: *mut BYTE,
    pContext: DWORD_PTR,
) -> DWORD {
    let _ = (cbInterfaceSelectionContext, pInterfaceSelectionContext);
    // SAFETY: the same contract.
    returning_code(|| unsafe { start(hResolver, pcwszUrl, pAutoProxyOptions, pContext) })
}

/// # Safety
/// As for WinHttpGetProxyForUrlEx.
unsafe fn start(
    resolver: HINTERNET,
    url: PCWSTR,
    options: *mut WINHTTP_AUTOPROXY_OPTIONS,
    context: usize,
) -> Result<DWORD> {
    let object = handle::find(resolver)?;
    // SAFETY: the same contract.
    let asked = unsafe { Asked::read(url, options) }?;
    let Object::Resolver(resolver) = object else { return Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE) };
    resolver.ask(Inquiry::ProxyForUrl(asked.question()?), context)?;
    Ok(IO_PENDING)
}

/// Reads what WinHttpGetProxyForUrlEx found: entries in the order to be tried, for WINHTTP_OPTION_PROXY_RESULT_ENTRY.
///
/// An entry with `fProxy` names a proxy; one without is a direct connection, `fBypass` if because of a bypass list.
/// To be freed with WinHttpFreeProxyResult. May be called again. Returns 0, ERROR_INVALID_PARAMETER for NULL,
/// ERROR_INVALID_HANDLE, ERROR_WINHTTP_INCORRECT_HANDLE_TYPE, ERROR_WINHTTP_INCORRECT_HANDLE_STATE when nothing was
/// asked, is answered yet, or could be answered; ERROR_NOT_ENOUGH_MEMORY.
///
/// MSDN: WinHttpGetProxyResult.
///
/// # Safety
/// `pProxyResult` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpGetProxyResult(
    hResolver: HINTERNET,
    pProxyResult: *mut WINHTTP_PROXY_RESULT,
) -> DWORD {
    returning_status(|| {
        if pProxyResult.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        let (cEntries, pEntries) = entries_of(hResolver)?;
        // SAFETY: C caller, per WinHttpGetProxyResult: writable.
        unsafe { put(pProxyResult, WINHTTP_PROXY_RESULT { cEntries, pEntries }) };
        Ok(())
    })
}

/// WinHttpGetProxyResult with two more members, which are NULL and 0. To be freed with WinHttpFreeProxyResultEx.
///
/// MSDN: declared without a page.
///
/// # Safety
/// `pProxyResultEx` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpGetProxyResultEx(
    hResolver: HINTERNET,
    pProxyResultEx: *mut WINHTTP_PROXY_RESULT_EX,
) -> DWORD {
    returning_status(|| {
        if pProxyResultEx.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        let (cEntries, pEntries) = entries_of(hResolver)?;
        let result = WINHTTP_PROXY_RESULT_EX {
            cEntries,
            pEntries,
            hProxyDetectionHandle: std::ptr::null_mut(),
            dwProxyInterfaceAffinity: 0,
        };
        // SAFETY: C caller: writable.
        unsafe { put(pProxyResultEx, result) };
        Ok(())
    })
}

/// Frees what WinHttpGetProxyResult has put into a structure, which is left empty. NULL is ignored.
///
/// MSDN: WinHttpFreeProxyResult.
///
/// # Safety
/// `pProxyResult` is NULL or was filled by WinHttpGetProxyResult, or is empty.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpFreeProxyResult(pProxyResult: *mut WINHTTP_PROXY_RESULT) {
    returning((), || {
        if !pProxyResult.is_null() {
            // SAFETY: C caller, per WinHttpFreeProxyResult.
            unsafe {
                let result = pProxyResult.read_unaligned();
                free_entries(result.cEntries, result.pEntries);
                put(pProxyResult, WINHTTP_PROXY_RESULT { cEntries: 0, pEntries: std::ptr::null_mut() });
            }
        }
    });
}

/// Frees what WinHttpGetProxyResultEx has put into a structure, which is left empty. NULL is ignored.
///
/// MSDN: declared without a page.
///
/// # Safety
/// `pProxyResultEx` is NULL or was filled by WinHttpGetProxyResultEx, or is empty.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpFreeProxyResultEx(pProxyResultEx: *mut WINHTTP_PROXY_RESULT_EX) {
    returning((), || {
        if !pProxyResultEx.is_null() {
            // SAFETY: C caller, per the contract above.
            unsafe {
                let mut result = pProxyResultEx.read_unaligned();
                free_entries(result.cEntries, result.pEntries);
                (result.cEntries, result.pEntries) = (0, std::ptr::null_mut());
                put(pProxyResultEx, result);
            }
        }
    });
}

/// A resolver's answer as C has it.
fn entries_of(resolver: HINTERNET) -> Result<(DWORD, *mut WINHTTP_PROXY_RESULT_ENTRY)> {
    let Answer::Entries(entries) = handle::resolver(resolver)?.answer()? else {
        return Err(Error::WINHTTP_INCORRECT_HANDLE_STATE);
    };
    let size = entries.len() * size_of::<WINHTTP_PROXY_RESULT_ENTRY>();
    let place = GlobalAlloc(0, size).cast::<WINHTTP_PROXY_RESULT_ENTRY>();
    if place.is_null() {
        return Err(Error::NOT_ENOUGH_MEMORY);
    }
    let mut made = 0;
    for entry in &entries {
        match to_c(entry) {
            // SAFETY: the memory was just allocated for all entries.
            Ok(entry) => unsafe { place.add(made as usize).write(entry) },
            Err(error) => {
                // SAFETY: so many were written.
                unsafe { free_entries(made, place) };
                return Err(error);
            }
        }
        made += 1;
    }
    Ok((made, place))
}

fn to_c(entry: &Entry) -> Result<WINHTTP_PROXY_RESULT_ENTRY> {
    Ok(match entry {
        Entry::Direct { bypassed } => WINHTTP_PROXY_RESULT_ENTRY {
            fProxy: 0,
            fBypass: (*bypassed).into(),
            ProxyScheme: 0,
            pwszProxy: std::ptr::null_mut(),
            ProxyPort: 0,
        },
        Entry::Through { kind, host, port, .. } => WINHTTP_PROXY_RESULT_ENTRY {
            fProxy: 1,
            fBypass: 0,
            ProxyScheme: match kind {
                Kind::Http => INTERNET_SCHEME_HTTP,
                Kind::Https => INTERNET_SCHEME_HTTPS,
                Kind::Socks { .. } => INTERNET_SCHEME_SOCKS,
            },
            pwszProxy: global_text(Some(host))?,
            ProxyPort: *port,
        },
    })
}

/// # Safety
/// `entries` is NULL, or an array of [`entries_of`] with so many entries.
unsafe fn free_entries(count: DWORD, entries: *mut WINHTTP_PROXY_RESULT_ENTRY) {
    if entries.is_null() {
        return;
    }
    for at in 0..count as usize {
        // SAFETY: within the array, whose strings are ours.
        unsafe { free_text((*entries.add(at)).pwszProxy) };
    }
    // SAFETY: a block of the heap.
    unsafe { GlobalFree(entries.cast()) };
}

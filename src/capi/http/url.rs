//! Registering URLs: on a URL group (version 2) or straight on a queue (version 1).
#![expect(unsafe_code, reason = "functions called from C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use crate::abi::base::{HANDLE, PCWSTR, PVOID, ULONG};
use crate::abi::error::{Error, Result};
use crate::abi::http::*;
use crate::capi::guard::returning_status;
use crate::server::service::{ApiVersion, GroupId, UrlOwner};

use super::engine::service;
use super::init::ensure_server;
use super::queue::{device, queue_of};
use super::wide::wide;

/// Registers a URL prefix on a version 1 queue: `http://host:port/path/`, with `+` or `*` as wildcard host. When the
/// call returns, the port listens.
///
/// `pReserved` is NULL. Errors: `ERROR_INVALID_PARAMETER` (URL NULL or malformed, `pReserved`, a version 2 queue),
/// `ERROR_INVALID_HANDLE`, `ERROR_ALREADY_EXISTS` (registered, by whomever), `ERROR_ACCESS_DENIED` (not permitted to this
/// user), `ERROR_SHARING_VIOLATION` (another program has the port), `ERROR_DLL_INIT_FAILED`.
///
/// MSDN: HttpAddUrl function.
///
/// # Safety
/// `FullyQualifiedUrl` is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpAddUrl(
    RequestQueueHandle: HANDLE,
    FullyQualifiedUrl: PCWSTR,
    pReserved: PVOID,
) -> ULONG {
    returning_status(|| {
        ensure_server()?;
        let owner = version_1_owner(RequestQueueHandle)?;
        if !pReserved.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per HttpAddUrl: a NUL-terminated string, valid during the call.
        let url = unsafe { wide(FullyQualifiedUrl)? };
        service()?.add_url(owner, url, 0)
    })
}

/// Removes a URL prefix that was registered on this queue by `HttpAddUrl`.
///
/// Errors: `ERROR_INVALID_PARAMETER` (URL NULL or malformed, a version 2 queue), `ERROR_INVALID_HANDLE`,
/// `ERROR_FILE_NOT_FOUND` (not registered on this queue), `ERROR_DLL_INIT_FAILED`.
///
/// MSDN: HttpRemoveUrl function.
///
/// # Safety
/// `FullyQualifiedUrl` is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpRemoveUrl(RequestQueueHandle: HANDLE, FullyQualifiedUrl: PCWSTR) -> ULONG {
    returning_status(|| {
        ensure_server()?;
        let owner = version_1_owner(RequestQueueHandle)?;
        // SAFETY: C caller, per HttpRemoveUrl: a NUL-terminated string, valid during the call.
        let url = unsafe { wide(FullyQualifiedUrl)? };
        service()?.remove_url(owner, Some(url))
    })
}

fn version_1_owner(handle: HANDLE) -> Result<UrlOwner> {
    let device = device(handle)?;
    let queue = queue_of(&device)?;
    match queue.version {
        ApiVersion::V1 => Ok(UrlOwner::Queue(queue.id)),
        ApiVersion::V2 => Err(Error::INVALID_PARAMETER),
    }
}

/// Adds a URL prefix to a group; requests it matches carry `UrlContext`. When the call returns, the port listens.
/// While the group has no queue, requests are answered 503.
///
/// `Reserved` is 0. Errors: `ERROR_INVALID_PARAMETER` (no such group, URL NULL or malformed, `Reserved`),
/// `ERROR_ALREADY_EXISTS` (registered, by whomever), `ERROR_ACCESS_DENIED` (not permitted to this user),
/// `ERROR_SHARING_VIOLATION` (another program has the port), `ERROR_DLL_INIT_FAILED`.
///
/// MSDN: HttpAddUrlToUrlGroup function.
///
/// # Safety
/// `pFullyQualifiedUrl` is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpAddUrlToUrlGroup(
    UrlGroupId: HTTP_URL_GROUP_ID,
    pFullyQualifiedUrl: PCWSTR,
    UrlContext: HTTP_URL_CONTEXT,
    Reserved: ULONG,
) -> ULONG {
    returning_status(|| {
        ensure_server()?;
        if Reserved != 0 {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per HttpAddUrlToUrlGroup: a NUL-terminated string, valid during the call.
        let url = unsafe { wide(pFullyQualifiedUrl)? };
        service()?.add_url(UrlOwner::Group(GroupId(UrlGroupId)), url, UrlContext)
    })
}

/// Removes a URL prefix from a group, or all of them (`HTTP_URL_FLAG_REMOVE_ALL`, with a NULL URL).
///
/// Errors: `ERROR_INVALID_PARAMETER` (no such group, unknown flags, URL missing, malformed or given with the flag),
/// `ERROR_FILE_NOT_FOUND` (not in this group), `ERROR_DLL_INIT_FAILED`.
///
/// MSDN: HttpRemoveUrlFromUrlGroup function.
///
/// # Safety
/// `pFullyQualifiedUrl` is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpRemoveUrlFromUrlGroup(
    UrlGroupId: HTTP_URL_GROUP_ID,
    pFullyQualifiedUrl: PCWSTR,
    Flags: ULONG,
) -> ULONG {
    returning_status(|| {
        ensure_server()?;
        let url = match Flags {
            // SAFETY: C caller, per HttpRemoveUrlFromUrlGroup: a NUL-terminated string, valid during the call.
            0 => Some(unsafe { wide(pFullyQualifiedUrl)? }),
            HTTP_URL_FLAG_REMOVE_ALL if pFullyQualifiedUrl.is_null() => None,
            _ => return Err(Error::INVALID_PARAMETER),
        };
        service()?.remove_url(UrlOwner::Group(GroupId(UrlGroupId)), url)
    })
}

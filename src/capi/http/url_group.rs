//! URL groups: sets of URLs that share a queue and properties. What they hold is registered in `url`, and they are
//! bound to a queue by a property (`properties`).
#![expect(unsafe_code, reason = "functions called from C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use crate::abi::base::ULONG;
use crate::abi::error::Error;
use crate::abi::http::*;
use crate::capi::guard::returning_status;
use crate::server::service::{GroupId, SessionId};

use super::engine::service;
use super::init::ensure_server;
use super::verifiers;

/// Creates a URL group in a session and stores its id. The group is closed with `HttpCloseUrlGroup`, or with its
/// session.
///
/// `Reserved` is 0. Errors, with `*pUrlGroupId` left alone: `ERROR_INVALID_PARAMETER` (no such session, `pUrlGroupId`
/// NULL, `Reserved`), `ERROR_DLL_INIT_FAILED`.
///
/// MSDN: HttpCreateUrlGroup function.
///
/// # Safety
/// `pUrlGroupId` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpCreateUrlGroup(
    ServerSessionId: HTTP_SERVER_SESSION_ID,
    pUrlGroupId: PHTTP_URL_GROUP_ID,
    Reserved: ULONG,
) -> ULONG {
    returning_status(|| {
        ensure_server()?;
        if pUrlGroupId.is_null() || Reserved != 0 {
            return Err(Error::INVALID_PARAMETER);
        }
        let group = service()?.create_group(SessionId(ServerSessionId))?;
        // SAFETY: C caller, per HttpCreateUrlGroup: a place for the id; NULL is refused above.
        unsafe { pUrlGroupId.write_unaligned(group.0) };
        Ok(())
    })
}

/// Closes a URL group; its URLs are free at once. Requests already received or waiting in a queue are not affected.
///
/// Errors: `ERROR_INVALID_PARAMETER` (no such group), `ERROR_DLL_INIT_FAILED`.
///
/// MSDN: HttpCloseUrlGroup function.
///
/// # Safety
/// None needed; no pointer is followed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpCloseUrlGroup(UrlGroupId: HTTP_URL_GROUP_ID) -> ULONG {
    returning_status(|| {
        ensure_server()?;
        service()?.close_group(GroupId(UrlGroupId))?;
        verifiers::sweep(service()?);
        Ok(())
    })
}

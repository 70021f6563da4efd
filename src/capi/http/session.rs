//! Server sessions: the owners of URL groups, and the defaults of their properties.
#![expect(unsafe_code, reason = "functions called from C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use crate::abi::base::ULONG;
use crate::abi::error::Error;
use crate::abi::http::*;
use crate::capi::guard::returning_status;
use crate::server::service::SessionId;

use super::engine::service;
use super::init::{ensure_server, is_known_version, session_closed, session_opened};
use super::verifiers;

/// Creates a server session and stores its id, to be closed with `HttpCloseServerSession`.
///
/// `Reserved` is 0. Errors: `ERROR_INVALID_PARAMETER` (`ServerSessionId` NULL, `Reserved`; both are looked at before the
/// version), `ERROR_REVISION_MISMATCH` (a version other than 1.0 and 2.0), `ERROR_DLL_INIT_FAILED`.
///
/// MSDN: HttpCreateServerSession function.
///
/// # Safety
/// `ServerSessionId` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpCreateServerSession(
    Version: HTTPAPI_VERSION,
    ServerSessionId: PHTTP_SERVER_SESSION_ID,
    Reserved: ULONG,
) -> ULONG {
    returning_status(|| {
        ensure_server()?;
        if ServerSessionId.is_null() || Reserved != 0 {
            return Err(Error::INVALID_PARAMETER);
        }
        if !is_known_version(Version) {
            return Err(Error::REVISION_MISMATCH);
        }
        let session = service()?.create_session()?;
        session_opened(session);
        // SAFETY: C caller, per HttpCreateServerSession: a place for the id; NULL is refused above.
        unsafe { ServerSessionId.write_unaligned(session.0) };
        Ok(())
    })
}

/// Closes a server session with all URL groups in it; their URLs are free at once. Requests already received or
/// waiting in a queue are not affected.
///
/// Errors: `ERROR_INVALID_PARAMETER` (no such session), `ERROR_DLL_INIT_FAILED`.
///
/// MSDN: HttpCloseServerSession function.
///
/// # Safety
/// None needed; no pointer is followed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpCloseServerSession(ServerSessionId: HTTP_SERVER_SESSION_ID) -> ULONG {
    returning_status(|| {
        ensure_server()?;
        service()?.close_session(SessionId(ServerSessionId))?;
        session_closed(SessionId(ServerSessionId));
        verifiers::sweep(service()?);
        Ok(())
    })
}

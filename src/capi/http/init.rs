//! `HttpInitialize` and `HttpTerminate`: who may call, and what the last one to leave takes along.
//!
//! Every other function asks `ensure_server` first; that is one atomic load. The list of open queues and sessions
//! exists so that the last `HttpTerminate` ends what the program left open, as the end of the process would.
#![expect(unsafe_code, reason = "functions called from C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;

use crate::abi::base::{PVOID, ULONG};
use crate::abi::error::{Error, Result};
use crate::abi::http::*;
use crate::capi::base::handle::prepare_for_fork;
use crate::capi::guard::returning_status;
use crate::server::service::{QueueId, SessionId};
use crate::win32::handles::{Handle, is_forked};
use crate::win32::object;

use super::engine;

/// Calls of `HttpInitialize` for servers that `HttpTerminate` has not matched yet.
static SERVERS: AtomicU32 = AtomicU32::new(0);

static STATE: Mutex<State> = Mutex::new(State { configs: 0, queues: Vec::new(), sessions: Vec::new() });

/// What changes under the lock; `SERVERS` too changes only there.
struct State {
    configs: u32,
    queues: Vec<(QueueId, Handle)>,
    sessions: Vec<SessionId>,
}

/// `DLL_INIT_FAILED` unless the program has called `HttpInitialize` for a server.
#[inline]
pub(super) fn ensure_server() -> Result<()> {
    if SERVERS.load(Ordering::Acquire) == 0 { Err(Error::DLL_INIT_FAILED) } else { Ok(()) }
}

/// `DLL_INIT_FAILED` unless the program has called `HttpInitialize` for the configuration.
pub(super) fn ensure_config() -> Result<()> {
    if STATE.lock().configs == 0 { Err(Error::DLL_INIT_FAILED) } else { Ok(()) }
}

/// Enters a queue into the list of what the last `HttpTerminate` closes.
pub(super) fn queue_opened(queue: QueueId, handle: Handle) {
    STATE.lock().queues.push((queue, handle));
}

/// The queue's last handle was closed.
pub(super) fn queue_closed(queue: QueueId) {
    STATE.lock().queues.retain(|(open, _)| *open != queue);
}

/// Enters a session into the list.
pub(super) fn session_opened(session: SessionId) {
    STATE.lock().sessions.push(session);
}

/// The session was closed.
pub(super) fn session_closed(session: SessionId) {
    STATE.lock().sessions.retain(|open| *open != session);
}

/// Whether this is a version of the API there is.
pub(super) fn is_known_version(version: HTTPAPI_VERSION) -> bool {
    matches!((version.HttpApiMajorVersion, version.HttpApiMinorVersion), (1 | 2, 0))
}

fn is_known_flags(flags: ULONG) -> bool {
    flags != 0 && flags & !(HTTP_INITIALIZE_SERVER | HTTP_INITIALIZE_CONFIG) == 0
}

/// Prepares the library for servers (`HTTP_INITIALIZE_SERVER`), for reading and changing the configuration
/// (`HTTP_INITIALIZE_CONFIG`), or both. May be called repeatedly; every call needs its `HttpTerminate` with the same
/// flags. No thread and no socket is made yet.
///
/// `pReserved` is NULL. Errors: `ERROR_INVALID_PARAMETER` (no or unknown flags, `pReserved`),
/// `ERROR_REVISION_MISMATCH` (a version other than 1.0 and 2.0), `ERROR_NOT_READY` (in the child of a fork).
///
/// MSDN: HttpInitialize function.
///
/// # Safety
/// None needed; no pointer is followed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpInitialize(Version: HTTPAPI_VERSION, Flags: ULONG, pReserved: PVOID) -> ULONG {
    returning_status(|| {
        if !is_known_flags(Flags) || !pReserved.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        if !is_known_version(Version) {
            return Err(Error::REVISION_MISMATCH);
        }
        prepare_for_fork();
        if is_forked() {
            return Err(Error::NOT_READY);
        }
        let mut state = STATE.lock();
        if Flags & HTTP_INITIALIZE_SERVER != 0 {
            SERVERS.fetch_add(1, Ordering::AcqRel);
        }
        if Flags & HTTP_INITIALIZE_CONFIG != 0 {
            state.configs += 1;
        }
        Ok(())
    })
}

/// Takes back one `HttpInitialize` for each flag given. The last one for servers closes the request queues and server
/// sessions the program has left open; calls pending on them end with `ERROR_OPERATION_ABORTED`.
///
/// `pReserved` is NULL. Errors: `ERROR_INVALID_PARAMETER` (no or unknown flags, `pReserved`, nothing to take back).
///
/// MSDN: HttpTerminate function.
///
/// # Safety
/// None needed; no pointer is followed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpTerminate(Flags: ULONG, pReserved: PVOID) -> ULONG {
    returning_status(|| {
        if !is_known_flags(Flags) || !pReserved.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        let (server, config) = (Flags & HTTP_INITIALIZE_SERVER != 0, Flags & HTTP_INITIALIZE_CONFIG != 0);
        let mut state = STATE.lock();
        if server && SERVERS.load(Ordering::Relaxed) == 0 || config && state.configs == 0 {
            return Err(Error::INVALID_PARAMETER);
        }
        state.configs -= u32::from(config);
        let last = server && SERVERS.fetch_sub(1, Ordering::AcqRel) == 1;
        if last {
            let (queues, sessions) = (std::mem::take(&mut state.queues), std::mem::take(&mut state.sessions));
            drop(state);
            tear_down(queues, sessions);
        }
        Ok(())
    })
}

/// Closes what was left open. Each may be closed by another thread meanwhile, which is as good.
fn tear_down(queues: Vec<(QueueId, Handle)>, sessions: Vec<SessionId>) {
    for (_, handle) in queues {
        let _ = object::close(handle);
    }
    if let Ok(service) = engine::service() {
        for session in sessions {
            let _ = service.close_session(session);
        }
    }
}

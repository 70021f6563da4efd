//! I/O completion ports.
#![expect(unsafe_code, reason = "exports, and out-parameters of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::ptr::{null_mut, with_exposed_provenance_mut};
use std::sync::Arc;

use super::handle::open;
use super::read::put;
use crate::abi::base::{
    BOOL, DWORD, HANDLE, INVALID_HANDLE_VALUE, LPDWORD, LPOVERLAPPED, LPOVERLAPPED_ENTRY, OVERLAPPED_ENTRY,
    PULONG, PULONG_PTR, TRUE, ULONG, ULONG_PTR,
};
use crate::abi::error::{Error, Result};
use crate::capi::guard::returning_last_error;
use crate::win32::device::Packet;
use crate::win32::object::{self, Object};
use crate::win32::port::Port;
use crate::win32::signal::deadline;

/// Creates a completion port (FileHandle INVALID_HANDLE_VALUE, ExistingCompletionPort NULL), or binds a queue
/// or file to one: to ExistingCompletionPort, or to a new one if that is NULL. CompletionKey comes back with
/// every packet of the handle. A handle can be bound once. NumberOfConcurrentThreads has no effect.
/// Returns the port, or NULL with ERROR_INVALID_PARAMETER (bound already; or a port but no handle),
/// ERROR_INVALID_HANDLE. Any thread. MSDN: CreateIoCompletionPort.
///
/// Differs from Windows: as many threads run as wait; the number of concurrent threads is not limited.
#[unsafe(no_mangle)]
pub extern "C" fn CreateIoCompletionPort(
    FileHandle: HANDLE,
    ExistingCompletionPort: HANDLE,
    CompletionKey: ULONG_PTR,
    NumberOfConcurrentThreads: DWORD,
) -> HANDLE {
    let _ = NumberOfConcurrentThreads;
    returning_last_error(|| {
        if FileHandle == INVALID_HANDLE_VALUE {
            let alone = ExistingCompletionPort.is_null();
            return if alone { open(Object::Port(Port::new())) } else { Err(Error::INVALID_PARAMETER) };
        }
        let device = object::device(FileHandle.addr())?;
        if ExistingCompletionPort.is_null() {
            let port = Port::new();
            device.bind(Arc::clone(&port) as Arc<_>, CompletionKey)?;
            return open(Object::Port(port));
        }
        device.bind(object::port(ExistingCompletionPort.addr())?, CompletionKey)?;
        Ok(ExistingCompletionPort)
    })
}

/// Takes the oldest packet of a port, waiting up to dwMilliseconds (or INFINITE). The waiting thread does the
/// library's I/O meanwhile; it never runs callbacks.
/// Returns TRUE for a packet of a successful operation. Returns FALSE with *lpOverlapped not NULL for one
/// that failed: bytes and key are set, the last error is the operation's. Returns FALSE with *lpOverlapped
/// NULL when there is no packet: WAIT_TIMEOUT (258), ERROR_ABANDONED_WAIT_0 (735, the port was closed
/// meanwhile), ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER (an out-pointer is NULL). MSDN:
/// GetQueuedCompletionStatus.
///
/// # Safety
/// The three out-pointers are valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetQueuedCompletionStatus(
    CompletionPort: HANDLE,
    lpNumberOfBytesTransferred: LPDWORD,
    lpCompletionKey: PULONG_PTR,
    lpOverlapped: *mut LPOVERLAPPED,
    dwMilliseconds: DWORD,
) -> BOOL {
    returning_last_error(|| {
        // SAFETY: C caller, per GetQueuedCompletionStatus: writable (or NULL, which is refused below).
        unsafe { put(lpOverlapped, null_mut()) };
        if lpNumberOfBytesTransferred.is_null() || lpCompletionKey.is_null() || lpOverlapped.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        let packet = object::port(CompletionPort.addr())?.get(deadline(dwMilliseconds))?;
        // SAFETY: C caller, per GetQueuedCompletionStatus: writable.
        unsafe {
            put(lpNumberOfBytesTransferred, packet.bytes as DWORD);
            put(lpCompletionKey, packet.key);
            put(lpOverlapped, with_exposed_provenance_mut(packet.overlapped));
        }
        Error::from_ntstatus(packet.status).map(|()| TRUE)
    })
}

/// Takes up to ulCount packets of a port, waiting up to dwMilliseconds (or INFINITE) for the first.
/// fAlertable has no effect. Each entry's Internal is the operation's NTSTATUS. Returns TRUE with the number
/// in *ulNumEntriesRemoved, or FALSE with WAIT_TIMEOUT, ERROR_ABANDONED_WAIT_0, ERROR_INVALID_HANDLE,
/// ERROR_INVALID_PARAMETER; the number is 0 then.
/// MSDN: GetQueuedCompletionStatusEx.
///
/// # Safety
/// `lpCompletionPortEntries` is valid for writes of `ulCount` entries, `ulNumEntriesRemoved` for one ULONG.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetQueuedCompletionStatusEx(
    CompletionPort: HANDLE,
    lpCompletionPortEntries: LPOVERLAPPED_ENTRY,
    ulCount: ULONG,
    ulNumEntriesRemoved: PULONG,
    dwMilliseconds: DWORD,
    fAlertable: BOOL,
) -> BOOL {
    let _ = fAlertable;
    returning_last_error(|| {
        // SAFETY: C caller, per GetQueuedCompletionStatusEx: writable (or NULL, which is refused below).
        unsafe { put(ulNumEntriesRemoved, 0) };
        if lpCompletionPortEntries.is_null() || ulNumEntriesRemoved.is_null() || ulCount == 0 {
            return Err(Error::INVALID_PARAMETER);
        }
        let mut taken = 0;
        let port = object::port(CompletionPort.addr())?;
        port.get_many(deadline(dwMilliseconds), ulCount as usize, |packet| {
            // SAFETY: C caller: ulCount entries, and the port hands out no more.
            unsafe { put(lpCompletionPortEntries.wrapping_add(taken), entry(&packet)) };
            taken += 1;
        })?;
        // SAFETY: C caller, per GetQueuedCompletionStatusEx: writable.
        unsafe { put(ulNumEntriesRemoved, taken as ULONG) };
        Ok(TRUE)
    })
}

fn entry(packet: &Packet) -> OVERLAPPED_ENTRY {
    OVERLAPPED_ENTRY {
        lpCompletionKey: packet.key,
        lpOverlapped: with_exposed_provenance_mut(packet.overlapped),
        Internal: packet.status as ULONG_PTR,
        dwNumberOfBytesTransferred: packet.bytes as DWORD,
    }
}

/// Queues a packet of the program's own; the three values come back unchanged, and lpOverlapped need not
/// point anywhere.
/// Returns TRUE, or FALSE with ERROR_INVALID_HANDLE. Any thread. MSDN: PostQueuedCompletionStatus.
#[unsafe(no_mangle)]
pub extern "C" fn PostQueuedCompletionStatus(
    CompletionPort: HANDLE,
    dwNumberOfBytesTransferred: DWORD,
    dwCompletionKey: ULONG_PTR,
    lpOverlapped: LPOVERLAPPED,
) -> BOOL {
    returning_last_error(|| -> Result<BOOL> {
        let packet = Packet {
            key: dwCompletionKey,
            overlapped: lpOverlapped.expose_provenance(),
            status: 0,
            bytes: dwNumberOfBytesTransferred as usize,
        };
        object::port(CompletionPort.addr())?.post(packet).map(|()| TRUE)
    })
}

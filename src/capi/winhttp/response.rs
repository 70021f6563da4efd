//! Responses: receiving the head, reading the body.
#![expect(unsafe_code, reason = "exports, and buffers of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use super::handle;
use super::text::put;
use crate::abi::base::{BOOL, DWORD, LPDWORD, LPVOID, PVOID, TRUE, ULONGLONG};
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::capi::guard::{returning_status, winhttp_returning};
use crate::client::{Operation, Outcome};
use crate::win32::last_error;
use crate::win32::lent::LentBuffer;

/// WINHTTP_READ_DATA_EX_FLAG_FILL_BUFFER
const FILL_BUFFER: u64 = 1;

/// Receives the response up to the end of its head, following redirects and answering challenges with the credentials set.
///
/// Synchronous: waits for it. Asynchronous: HEADERS_AVAILABLE or REQUEST_ERROR follows, on the calling thread when the
/// response is there already. Called too early or twice, an asynchronous request reports
/// ERROR_WINHTTP_INCORRECT_HANDLE_STATE by REQUEST_ERROR and this function returns TRUE. `lpReserved` must be NULL.
/// Errors: ERROR_WINHTTP_INCORRECT_HANDLE_STATE, _CONNECTION_ERROR, _TIMEOUT, _INVALID_SERVER_RESPONSE,
/// _HEADER_SIZE_OVERFLOW, _HEADER_COUNT_EXCEEDED, _REDIRECT_FAILED, _LOGIN_FAILURE, _OPERATION_CANCELLED, those of
/// WinHttpSendRequest when the request goes out again, and _RESEND_REQUEST when it would have to but its body came by
/// WinHttpWriteData: call WinHttpSendRequest again, with the same body, and the exchange goes on from there.
///
/// MSDN: WinHttpReceiveResponse.
///
/// # Safety
/// Any handle value may be passed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpReceiveResponse(hRequest: HINTERNET, lpReserved: LPVOID) -> BOOL {
    winhttp_returning(|| {
        if !lpReserved.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        handle::request(hRequest)?.start(Operation::Receive)?;
        Ok(TRUE)
    })
}

/// Tells how many bytes of the body one WinHttpReadData can deliver without waiting; 0 is the end of the body.
///
/// Waits until there is one. `lpdwNumberOfBytesAvailable` may be NULL, and is best so when asynchronous:
/// DATA_AVAILABLE brings the number. Then the last error is 0 if that has happened already, on the calling
/// thread, with the number written before it, and ERROR_IO_PENDING if it comes from another. Errors:
/// ERROR_WINHTTP_INCORRECT_HANDLE_STATE before the head was received, _CONNECTION_ERROR, _TIMEOUT,
/// _INVALID_SERVER_RESPONSE, _OPERATION_CANCELLED.
///
/// MSDN: WinHttpQueryDataAvailable.
///
/// # Safety
/// The number is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpQueryDataAvailable(
    hRequest: HINTERNET,
    lpdwNumberOfBytesAvailable: LPDWORD,
) -> BOOL {
    let mut pending = false;
    let done = winhttp_returning(|| {
        // SAFETY: C caller, per WinHttpQueryDataAvailable: NULL or a place for the number.
        let mut tell = |count| unsafe { put(lpdwNumberOfBytesAvailable, count) };
        let outcome = handle::request(hRequest)?.start_counting(Operation::Query, &mut tell)?;
        pending = outcome == Outcome::Pending;
        Ok(TRUE)
    });
    note_pending(pending);
    done
}

/// Reads from the body until the buffer is full or the body ends.
///
/// `*lpdwNumberOfBytesRead` becomes 0 before anything is looked at, unless it is NULL. Synchronous: then it gives the
/// count, 0 at the end. Asynchronous: the buffer stays valid until READ_COMPLETE, whose length is the count; the last
/// error is 0 if that has happened already, on the calling thread, with the count written before it, and
/// ERROR_IO_PENDING if it comes from another. A body that ends before its Content-Length is no error. Errors: as
/// WinHttpQueryDataAvailable, and ERROR_INVALID_PARAMETER without a buffer.
///
/// MSDN: WinHttpReadData.
///
/// # Safety
/// The buffer is writable until the operation completes; the count is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpReadData(
    hRequest: HINTERNET,
    lpBuffer: LPVOID,
    dwNumberOfBytesToRead: DWORD,
    lpdwNumberOfBytesRead: LPDWORD,
) -> BOOL {
    let mut pending = false;
    let done = winhttp_returning(|| {
        // SAFETY: C caller, per WinHttpReadData: buffer valid until READ_COMPLETE, count NULL or a place for it.
        pending = unsafe { read(hRequest, lpBuffer, dwNumberOfBytesToRead, lpdwNumberOfBytesRead, true) }?;
        Ok(TRUE)
    });
    note_pending(pending);
    done
}

/// As WinHttpReadData; without WINHTTP_READ_DATA_EX_FLAG_FILL_BUFFER in `ullFlags` it completes with the first bytes.
///
/// `cbProperty` and `pvProperty` must be 0. Returns the error code, 0 for success or for an asynchronous read under way;
/// the last error is left alone.
///
/// MSDN: WinHttpReadDataEx.
///
/// # Safety
/// As for WinHttpReadData.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpReadDataEx(
    hRequest: HINTERNET,
    lpBuffer: LPVOID,
    dwNumberOfBytesToRead: DWORD,
    lpdwNumberOfBytesRead: LPDWORD,
    ullFlags: ULONGLONG,
    cbProperty: DWORD,
    pvProperty: PVOID,
) -> DWORD {
    returning_status(|| {
        // SAFETY: C caller, per WinHttpReadDataEx: NULL or a place for the count.
        unsafe { put(lpdwNumberOfBytesRead, 0) };
        if ullFlags & !FILL_BUFFER != 0 || cbProperty != 0 || !pvProperty.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        let fill = ullFlags & FILL_BUFFER != 0;
        // SAFETY: C caller, per WinHttpReadDataEx: as for WinHttpReadData.
        unsafe { read(hRequest, lpBuffer, dwNumberOfBytesToRead, lpdwNumberOfBytesRead, fill) }.map(|_| ())
    })
}

/// Starts a read; says whether its completion will come from another thread.
///
/// # Safety
/// As for WinHttpReadData.
unsafe fn read(handle: HINTERNET, buffer: LPVOID, size: DWORD, count: LPDWORD, fill: bool) -> Result<bool> {
    // SAFETY: C caller, per WinHttpReadData: NULL or a place for the count.
    let mut tell = |read| unsafe { put(count, read) };
    tell(0);
    if buffer.is_null() && size != 0 {
        return Err(Error::INVALID_PARAMETER);
    }
    let request = handle::request(handle)?;
    // SAFETY: C caller, per WinHttpReadData: buffer valid until READ_COMPLETE, and used by nobody else.
    let buffer = unsafe { LentBuffer::new(buffer.cast(), size as usize) };
    let outcome = request.start_counting(Operation::Read { buffer, fill }, &mut tell)?;
    Ok(outcome == Outcome::Pending)
}

/// Tells the caller by the last error that a completion will come from another thread.
fn note_pending(pending: bool) {
    if pending {
        last_error::set(Error::IO_PENDING.0);
    }
}

//! WebSockets: upgrade, send, receive, shut down, close.
#![expect(unsafe_code, reason = "exports, and buffers of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use super::handle::{self, Object};
use super::text::put;
use crate::abi::base::{DWORD, DWORD_PTR, PVOID, USHORT};
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::capi::guard::{returning_status, winhttp_returning};
use crate::client::notify::Event;
use crate::client::websocket::BufferType;
use crate::win32::lent::{LentBuffer, LentBytes};

/// Makes a WebSocket of the connection of a request whose upgrade the server has agreed to.
///
/// The request had WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, and its response has status 101. The new handle has the
/// context `pContext` and the request's callback; HANDLE_CREATED comes through the request, on this thread. The request
/// can then be closed, or sent again. Returns a handle for WinHttpCloseHandle; on failure NULL:
/// ERROR_WINHTTP_INCORRECT_HANDLE_STATE when there is no such response or it has been used, ERROR_INVALID_HANDLE,
/// ERROR_WINHTTP_INCORRECT_HANDLE_TYPE.
///
/// Until it is closed, a pong goes out after every 30 seconds in which nothing was sent
/// (WINHTTP_OPTION_WEB_SOCKET_KEEPALIVE_INTERVAL). Pings are answered while a receive or a close is under way.
///
/// MSDN: WinHttpWebSocketCompleteUpgrade.
///
/// # Safety
/// Any handle value may be passed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpWebSocketCompleteUpgrade(
    hRequest: HINTERNET,
    pContext: DWORD_PTR,
) -> HINTERNET {
    winhttp_returning(|| {
        let request = handle::request(hRequest)?;
        let socket = request.complete_upgrade(pContext)?;
        let created = handle::open(Object::WebSocket(socket.clone()))?;
        socket.start_keep_alive();
        request.with_notifier(|notifier| *notifier).invoke(&Event::HandleCreated(created.addr()));
        Ok(created)
    })
}

/// Sends a message, or a piece of one.
///
/// `eBufferType` is WINHTTP_WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE or _UTF8_MESSAGE_ for the last or only piece, and
/// _BINARY_FRAGMENT_ or _UTF8_FRAGMENT_ for those before it. A buffer is one frame, and may be empty (NULL and 0).
/// Synchronous: returns when the network has taken all of it. Asynchronous: returns 0, and the buffer stays valid until
/// WRITE_COMPLETE or REQUEST_ERROR, which comes from this thread, before the function returns, when the network takes
/// all of it at once. Another send may then be started, also from inside the callback; receiving is independent of it.
/// Returns 0 or the error: ERROR_INVALID_PARAMETER for another type, for NULL with a length, for text inside a binary
/// message or the reverse, and for text that is not UTF-8; ERROR_INVALID_OPERATION while a send, shutdown or close runs
/// and after either side has closed; ERROR_WINHTTP_TIMEOUT when the server takes nothing for the send timeout of the
/// request, ERROR_WINHTTP_CONNECTION_ERROR, ERROR_WINHTTP_OPERATION_CANCELLED, ERROR_INVALID_HANDLE,
/// ERROR_WINHTTP_INCORRECT_HANDLE_TYPE.
///
/// MSDN: WinHttpWebSocketSend.
///
/// # Safety
/// The buffer is readable until the operation completes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpWebSocketSend(
    hWebSocket: HINTERNET,
    eBufferType: WINHTTP_WEB_SOCKET_BUFFER_TYPE,
    pvBuffer: PVOID,
    dwBufferLength: DWORD,
) -> DWORD {
    returning_status(|| {
        let kind = BufferType::try_from(eBufferType)?;
        if kind == BufferType::Close || (pvBuffer.is_null() && dwBufferLength != 0) {
            return Err(Error::INVALID_PARAMETER);
        }
        let socket = handle::web_socket(hWebSocket)?;
        // SAFETY: C caller, per WinHttpWebSocketSend: the bytes are valid until the operation completes.
        let bytes = unsafe { LentBytes::new(pvBuffer.cast(), dwBufferLength as usize) };
        socket.send(kind, bytes)
    })
}

/// Receives some of a message, or the server's close frame.
///
/// Waits for the first bytes and never goes beyond a message: the type is _FRAGMENT_BUFFER_TYPE while more of the message
/// is to come, _MESSAGE_BUFFER_TYPE with its last byte, and WINHTTP_WEB_SOCKET_CLOSE_BUFFER_TYPE, with no bytes, for the
/// close frame. No time limit applies. Synchronous: count and type are in `*pdwBytesRead` and `*peBufferType` (NULL for
/// what is not wanted). Asynchronous: those are left alone, the function returns 0, and the buffer stays valid until
/// READ_COMPLETE, with a WINHTTP_WEB_SOCKET_STATUS, or REQUEST_ERROR; they come from this thread, before the function
/// returns, when the bytes are there already. Text is checked as it comes. A server that breaks the protocol is sent a
/// close frame (1002, or 1007 for text that is not UTF-8), and the connection ends. Returns 0 or the error:
/// ERROR_INVALID_PARAMETER without a buffer; ERROR_INVALID_OPERATION while a receive or a close runs and after the close
/// frame or an error; ERROR_WINHTTP_INVALID_SERVER_RESPONSE, ERROR_WINHTTP_CONNECTION_ERROR for an end without a close
/// frame, ERROR_WINHTTP_OPERATION_CANCELLED when the socket or its handle is closed meanwhile, ERROR_INVALID_HANDLE,
/// ERROR_WINHTTP_INCORRECT_HANDLE_TYPE.
///
/// MSDN: WinHttpWebSocketReceive.
///
/// # Safety
/// The buffer is writable until the operation completes; count and type are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpWebSocketReceive(
    hWebSocket: HINTERNET,
    pvBuffer: PVOID,
    dwBufferLength: DWORD,
    pdwBytesRead: *mut DWORD,
    peBufferType: *mut WINHTTP_WEB_SOCKET_BUFFER_TYPE,
) -> DWORD {
    returning_status(|| {
        if pvBuffer.is_null() || dwBufferLength == 0 {
            return Err(Error::INVALID_PARAMETER);
        }
        let socket = handle::web_socket(hWebSocket)?;
        // SAFETY: C caller, per WinHttpWebSocketReceive: writable until the operation completes, and nobody else's.
        let buffer = unsafe { LentBuffer::new(pvBuffer.cast(), dwBufferLength as usize) };
        if let Some((count, kind)) = socket.receive(buffer)? {
            // SAFETY: C caller, per WinHttpWebSocketReceive: NULL or places for count and type.
            unsafe {
                put(pdwBytesRead, count);
                put(peBufferType, kind as _);
            }
        }
        Ok(())
    })
}

/// Sends the close frame. Nothing can be sent after it; receiving goes on until the server's own has come.
///
/// `usStatus` is a WINHTTP_WEB_SOCKET_*_CLOSE_STATUS, or 3000 to 4999; WINHTTP_WEB_SOCKET_EMPTY_CLOSE_STATUS, without a
/// reason, sends neither. `pvReason` is UTF-8 of at most 123 bytes, NULL with 0 for none. Asynchronous: SHUTDOWN_COMPLETE
/// or REQUEST_ERROR follows, from this thread if the network takes the frame at once. Returns 0 or the error:
/// ERROR_INVALID_PARAMETER for another status or reason, ERROR_INVALID_OPERATION while a send runs and when the close
/// frame has been sent, and those of WinHttpWebSocketSend.
///
/// MSDN: WinHttpWebSocketShutdown.
///
/// # Safety
/// The reason is readable during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpWebSocketShutdown(
    hWebSocket: HINTERNET,
    usStatus: USHORT,
    pvReason: PVOID,
    dwReasonLength: DWORD,
) -> DWORD {
    returning_status(|| {
        // SAFETY: C caller, per WinHttpWebSocketShutdown: readable for its length.
        let reason = unsafe { reason(pvReason, dwReasonLength) }?;
        handle::web_socket(hWebSocket)?.shutdown(usStatus, reason.as_slice())
    })
}

/// Closes the connection: sends the close frame unless that has been done, and waits for the server's, dropping what
/// comes before it.
///
/// Arguments are those of WinHttpWebSocketShutdown. A receive that is under way is cancelled first: an asynchronous one
/// with REQUEST_ERROR, from this thread. The server has WINHTTP_OPTION_WEB_SOCKET_CLOSE_TIMEOUT (10 s) to answer.
/// Asynchronous: CLOSE_COMPLETE or REQUEST_ERROR follows, from this thread if the server's close frame is there already.
/// Whatever it comes to, the connection is gone then. WinHttpWebSocketQueryCloseStatus tells what the server said.
/// Returns 0 or the error: ERROR_INVALID_PARAMETER for an impossible status or reason, ERROR_INVALID_OPERATION while a
/// send runs and when it has been called before, ERROR_WINHTTP_TIMEOUT, ERROR_WINHTTP_INVALID_SERVER_RESPONSE,
/// ERROR_WINHTTP_CONNECTION_ERROR, ERROR_WINHTTP_OPERATION_CANCELLED, ERROR_INVALID_HANDLE,
/// ERROR_WINHTTP_INCORRECT_HANDLE_TYPE.
///
/// MSDN: WinHttpWebSocketClose. Differs from Windows: a synchronous receive in another thread is cancelled when the
/// server's close frame comes or the time is over.
///
/// # Safety
/// The reason is readable during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpWebSocketClose(
    hWebSocket: HINTERNET,
    usStatus: USHORT,
    pvReason: PVOID,
    dwReasonLength: DWORD,
) -> DWORD {
    returning_status(|| {
        // SAFETY: C caller, per WinHttpWebSocketClose: readable for its length.
        let reason = unsafe { reason(pvReason, dwReasonLength) }?;
        handle::web_socket(hWebSocket)?.close(usStatus, reason.as_slice())
    })
}

/// Tells what the server's close frame says.
///
/// `*pusStatus` becomes its status, WINHTTP_WEB_SOCKET_EMPTY_CLOSE_STATUS when it has none; the reason, UTF-8 without
/// NUL, goes to `pvReason`, and its length to `*pdwReasonLengthConsumed`. Returns 0 or the error:
/// ERROR_INSUFFICIENT_BUFFER for a reason that is longer than `dwReasonLength` (NULL and 0 to ask), with the status and
/// its length told all the same; ERROR_INVALID_OPERATION before the close frame has come, ERROR_INVALID_PARAMETER
/// without a place for status or length or for NULL with a length, ERROR_INVALID_HANDLE,
/// ERROR_WINHTTP_INCORRECT_HANDLE_TYPE.
///
/// MSDN: WinHttpWebSocketQueryCloseStatus.
///
/// # Safety
/// Places are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpWebSocketQueryCloseStatus(
    hWebSocket: HINTERNET,
    pusStatus: *mut USHORT,
    pvReason: PVOID,
    dwReasonLength: DWORD,
    pdwReasonLengthConsumed: *mut DWORD,
) -> DWORD {
    returning_status(|| {
        let no_room = pvReason.is_null() && dwReasonLength != 0;
        if pusStatus.is_null() || pdwReasonLengthConsumed.is_null() || no_room {
            return Err(Error::INVALID_PARAMETER);
        }
        handle::web_socket(hWebSocket)?.with_close_status(|frame| {
            let reason = &frame.reason;
            // SAFETY: C caller, per WinHttpWebSocketQueryCloseStatus: places for both, checked for NULL above.
            unsafe {
                put(pusStatus, frame.status);
                // At most 123 bytes.
                put(pdwReasonLengthConsumed, reason.len() as u32);
            }
            if reason.len() > dwReasonLength as usize {
                return Err(Error::INSUFFICIENT_BUFFER);
            }
            if !reason.is_empty() {
                // SAFETY: C caller, per WinHttpWebSocketQueryCloseStatus: that many bytes, which are enough.
                unsafe { pvReason.cast::<u8>().copy_from_nonoverlapping(reason.as_ptr(), reason.len()) };
            }
            Ok(())
        })?
    })
}

/// A reason for a close frame. `INVALID_PARAMETER` for NULL with a length, and for one that is too long.
///
/// # Safety
/// NULL, or readable for its length while the value lives.
unsafe fn reason(start: PVOID, len: DWORD) -> Result<LentBytes> {
    if (start.is_null() && len != 0) || len > WINHTTP_WEB_SOCKET_MAX_CLOSE_REASON_LENGTH {
        return Err(Error::INVALID_PARAMETER);
    }
    // SAFETY: as promised.
    Ok(unsafe { LentBytes::new(start.cast(), len as usize) })
}

//! Events of WebSockets as calls of the application's status callback (digest §2.8).

use std::ffi::c_void;

use crate::abi::winhttp::*;
use crate::client::websocket::WebSocketEvent;

/// Hands the event's structure to `call`, which takes its address and size.
pub(super) fn tell(event: WebSocketEvent, call: impl Fn(*mut c_void, usize)) {
    match event {
        WebSocketEvent::Read(count, kind) | WebSocketEvent::Written(count, kind) => {
            let mut status = WINHTTP_WEB_SOCKET_STATUS { dwBytesTransferred: count, eBufferType: kind as _ };
            call((&raw mut status).cast(), size_of::<WINHTTP_WEB_SOCKET_STATUS>());
        }
        WebSocketEvent::Failed(function, error) => {
            let mut result = WINHTTP_WEB_SOCKET_ASYNC_RESULT {
                AsyncResult: WINHTTP_ASYNC_RESULT { dwResult: 0, dwError: error.0 },
                Operation: function as _,
            };
            call((&raw mut result).cast(), size_of::<WINHTTP_WEB_SOCKET_ASYNC_RESULT>());
        }
        WebSocketEvent::ShutdownComplete | WebSocketEvent::CloseComplete => call(std::ptr::null_mut(), 0),
    }
}

/// The event's bit.
pub(super) fn status_of(event: &WebSocketEvent) -> u32 {
    match event {
        WebSocketEvent::Read(..) => WINHTTP_CALLBACK_STATUS_READ_COMPLETE,
        WebSocketEvent::Written(..) => WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE,
        WebSocketEvent::ShutdownComplete => WINHTTP_CALLBACK_STATUS_SHUTDOWN_COMPLETE,
        WebSocketEvent::CloseComplete => WINHTTP_CALLBACK_STATUS_CLOSE_COMPLETE,
        WebSocketEvent::Failed(..) => WINHTTP_CALLBACK_STATUS_REQUEST_ERROR,
    }
}

//! Events of `client` as calls of the application's status callback (digest §2.3).
#![expect(unsafe_code, reason = "calls the application's function")]

use std::ffi::c_void;

use super::websocket_notify;
use crate::abi::winhttp::*;
use crate::client::notify::{Event, Lookup, Notifier};
use crate::win32::text::to_wide;

/// The callback as a number, for a [`Notifier`].
pub(super) fn to_number(callback: WINHTTP_STATUS_CALLBACK) -> usize {
    // SAFETY: an Option of a function pointer is a pointer, NULL for None.
    unsafe { std::mem::transmute::<WINHTTP_STATUS_CALLBACK, *mut c_void>(callback) }.expose_provenance()
}

/// The callback a number stands for; 0 is none. Any other number is only good to be handed back to C.
pub(super) fn from_number(number: usize) -> WINHTTP_STATUS_CALLBACK {
    let pointer = std::ptr::with_exposed_provenance_mut::<c_void>(number);
    // SAFETY: an Option of a function pointer is a pointer, NULL for None.
    unsafe { std::mem::transmute::<*mut c_void, WINHTTP_STATUS_CALLBACK>(pointer) }
}

/// Calls the application's function, if it wants the event.
pub(super) fn deliver(notifier: &Notifier, event: &Event<'_>) {
    let status = status_of(event);
    let Some(callback) = from_number(notifier.function) else { return };
    if notifier.mask & status == 0 {
        return;
    }
    let call = |information: *mut c_void, length: usize| {
        let handle = super::handle::to_c(notifier.handle);
        // SAFETY: C caller, per WinHttpSetStatusCallback: the function stays callable until the last notification.
        unsafe { callback(handle, notifier.context, status, information, length as u32) };
    };
    let with_number = |mut number: u32| call((&raw mut number).cast(), size_of::<u32>());
    let with_handle = |handle: usize| {
        let mut handle = super::handle::to_c(handle);
        call((&raw mut handle).cast(), size_of::<HINTERNET>());
    };
    match *event {
        Event::ResolvingName(text)
        | Event::NameResolved(text)
        | Event::Connecting(text)
        | Event::Connected(text)
        | Event::Redirect(text) => {
            let mut text = to_wide(text);
            text.push(0);
            call(text.as_mut_ptr().cast(), text.len());
        }
        Event::RequestSent(count)
        | Event::ResponseReceived(count)
        | Event::Intermediate(count)
        | Event::DataAvailable(count)
        | Event::WriteComplete(count) => with_number(count),
        Event::HandleCreated(handle) => with_handle(handle),
        Event::HandleClosing => with_handle(notifier.handle),
        Event::ReadComplete(buffer, count) => {
            call(std::ptr::with_exposed_provenance_mut(buffer), count as usize);
        }
        Event::WebSocket(event) => websocket_notify::tell(event, call),
        Event::RequestError(api, error) => {
            let mut result = WINHTTP_ASYNC_RESULT { dwResult: api as usize, dwError: error.0 };
            call((&raw mut result).cast(), size_of::<WINHTTP_ASYNC_RESULT>());
        }
        Event::LookupFailed(lookup, error) => {
            let mut result = WINHTTP_ASYNC_RESULT { dwResult: lookup as usize, dwError: error.0 };
            call((&raw mut result).cast(), size_of::<WINHTTP_ASYNC_RESULT>());
        }
        Event::LookupComplete(_)
        | Event::SendingRequest
        | Event::ReceivingResponse
        | Event::ClosingConnection
        | Event::ConnectionClosed
        | Event::SendRequestComplete
        | Event::HeadersAvailable => call(std::ptr::null_mut(), 0),
    }
}

fn status_of(event: &Event<'_>) -> u32 {
    match event {
        Event::ResolvingName(_) => WINHTTP_CALLBACK_STATUS_RESOLVING_NAME,
        Event::NameResolved(_) => WINHTTP_CALLBACK_STATUS_NAME_RESOLVED,
        Event::Connecting(_) => WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER,
        Event::Connected(_) => WINHTTP_CALLBACK_STATUS_CONNECTED_TO_SERVER,
        Event::SendingRequest => WINHTTP_CALLBACK_STATUS_SENDING_REQUEST,
        Event::RequestSent(_) => WINHTTP_CALLBACK_STATUS_REQUEST_SENT,
        Event::ReceivingResponse => WINHTTP_CALLBACK_STATUS_RECEIVING_RESPONSE,
        Event::ResponseReceived(_) => WINHTTP_CALLBACK_STATUS_RESPONSE_RECEIVED,
        Event::ClosingConnection => WINHTTP_CALLBACK_STATUS_CLOSING_CONNECTION,
        Event::ConnectionClosed => WINHTTP_CALLBACK_STATUS_CONNECTION_CLOSED,
        Event::HandleCreated(_) => WINHTTP_CALLBACK_STATUS_HANDLE_CREATED,
        Event::HandleClosing => WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING,
        Event::Redirect(_) => WINHTTP_CALLBACK_STATUS_REDIRECT,
        Event::Intermediate(_) => WINHTTP_CALLBACK_STATUS_INTERMEDIATE_RESPONSE,
        Event::SendRequestComplete => WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE,
        Event::HeadersAvailable => WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE,
        Event::DataAvailable(_) => WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE,
        Event::ReadComplete(..) => WINHTTP_CALLBACK_STATUS_READ_COMPLETE,
        Event::WriteComplete(_) => WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE,
        Event::WebSocket(event) => websocket_notify::status_of(event),
        Event::RequestError(..) | Event::LookupFailed(..) => WINHTTP_CALLBACK_STATUS_REQUEST_ERROR,
        Event::LookupComplete(Lookup::ProxyForUrl) => WINHTTP_CALLBACK_STATUS_GETPROXYFORURL_COMPLETE,
        Event::LookupComplete(Lookup::ProxySettings) => WINHTTP_CALLBACK_STATUS_GETPROXYSETTINGS_COMPLETE,
    }
}

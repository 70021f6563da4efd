//! Who is told of an event, and what events there are (digest §2.3).
//!
//! [`Notifier::invoke`] is the only way to the application's callback. It is never called under a lock, because
//! programs call back into the library, and close handles, from inside.

use crate::abi::error::Error;
use crate::win32::handles::leave_if_forked;

use super::operation::Api;
use super::websocket::WebSocketEvent;

/// Something the application may want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A name is being looked up.
    ResolvingName(&'a str),
    /// It was found; the first address as text.
    NameResolved(&'a str),
    /// A connection to this address is being made.
    Connecting(&'a str),
    /// It is there.
    Connected(&'a str),
    /// The request is about to leave.
    SendingRequest,
    /// So many bytes have left.
    RequestSent(u32),
    /// Waiting for the server.
    ReceivingResponse,
    /// So many bytes came.
    ResponseReceived(u32),
    /// The connection is being closed because the request asked for that.
    ClosingConnection,
    /// It is closed.
    ConnectionClosed,
    /// A handle was made.
    HandleCreated(usize),
    /// The last event of a handle.
    HandleClosing,
    /// The request goes on at this URL.
    Redirect(&'a str),
    /// A response with this 1xx status was skipped.
    Intermediate(u32),
    /// SendRequest is done.
    SendRequestComplete,
    /// ReceiveResponse is done.
    HeadersAvailable,
    /// QueryDataAvailable is done.
    DataAvailable(u32),
    /// ReadData is done: address of the caller's buffer and bytes in it.
    ReadComplete(usize, u32),
    /// WriteData is done.
    WriteComplete(u32),
    /// Something about a WebSocket.
    WebSocket(WebSocketEvent),
    /// The operation failed.
    RequestError(Api, Error),
    /// What a resolver was asked is answered.
    LookupComplete(Lookup),
    /// It could not be answered.
    LookupFailed(Lookup, Error),
}

/// What a resolver is asked; the discriminants are what `WINHTTP_ASYNC_RESULT` calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Lookup {
    /// WinHttpGetProxyForUrlEx
    ProxyForUrl = 6,
    /// WinHttpGetProxySettingsEx
    ProxySettings = 7,
}

/// How `capi` turns an event into a call of the application's function.
pub type Deliver = fn(&Notifier, &Event<'_>);

/// The application's function, which events it wants, and what it gets with each.
#[derive(Clone, Copy, Debug)]
pub struct Notifier {
    /// The function, as a number; 0 is none.
    pub function: usize,
    /// Which events it wants, in the numbers of the C header.
    pub mask: u32,
    /// The application's own value.
    pub context: usize,
    /// The handle the events are about.
    pub handle: usize,
    pub(super) deliver: Deliver,
}

impl Notifier {
    /// Nobody is told yet.
    pub fn new(deliver: Deliver) -> Notifier {
        Notifier { function: 0, mask: 0, context: 0, handle: 0, deliver }
    }

    /// Tells the application. Does not come back in the child of a fork.
    #[inline]
    pub fn invoke(&self, event: &Event<'_>) {
        if self.function != 0 {
            (self.deliver)(self, event);
            leave_if_forked();
        }
    }
}

//! WebSockets: what WinHttpWebSocketCompleteUpgrade makes of a request's connection (digest §10, §2.8).
//!
//! ```text
//! upgrade     the request's part: the fields, the checks of the 101, taking over the connection
//! operation   what can be started, and what forbids it
//! reading     from the socket to the reader's buffer, with pongs for pings
//! keep_alive  a pong after every interval in which nothing was sent
//! writing     from the sender's buffer to the socket, with pongs between
//! closing     Close, and the end of the handle
//! task        how asynchronous operations and timers wait
//! ```
//!
//! There is one sending and one receiving operation at a time, and they know nothing of each other: each direction
//! has a lock of its own, held for a burst that does not wait. Between bursts a synchronous call waits in `poll`,
//! and an asynchronous operation is kept in `State` until the workers see the socket ready. Whoever takes an
//! operation out of there completes it, so each completes once, be it with OPERATION_CANCELLED.
//!
//! Locks are taken in the order reader, writer, state; none is held across a callback or a wait.
//!
//! Pings are answered while a receive or a close is under way, because only then anything is read.

mod closing;
mod keep_alive;
mod operation;
mod reading;
mod task;
#[cfg(test)]
mod tests;
pub(crate) mod upgrade;
mod writing;

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard};

use crate::abi::error::Error;
use crate::net::client_stream::ClientStream;
use crate::win32::last_error;
use crate::win32::lent::LentBuffer;
use crate::wire::websocket::close::CloseFrame;

use super::notify::{Event, Notifier};
use super::session::Connect;
use super::settings::{Settings, limit};

use reading::Reader;
use task::Waiting;
use writing::{Output, Writer};

/// Messages and fragments, as WINHTTP_WEB_SOCKET_BUFFER_TYPE counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum BufferType {
    /// The last piece of a binary message.
    BinaryMessage = 0,
    /// More of it follows.
    BinaryFragment = 1,
    /// The last piece of a text.
    Utf8Message = 2,
    /// More of it follows.
    Utf8Fragment = 3,
    /// The server's close frame.
    Close = 4,
}

impl BufferType {
    /// What a piece of a message is called.
    pub fn of(text: bool, last: bool) -> BufferType {
        match (text, last) {
            (false, true) => BufferType::BinaryMessage,
            (false, false) => BufferType::BinaryFragment,
            (true, true) => BufferType::Utf8Message,
            (true, false) => BufferType::Utf8Fragment,
        }
    }
}

impl TryFrom<i32> for BufferType {
    type Error = Error;

    fn try_from(value: i32) -> Result<Self, Error> {
        Ok(match value {
            0 => BufferType::BinaryMessage,
            1 => BufferType::BinaryFragment,
            2 => BufferType::Utf8Message,
            3 => BufferType::Utf8Fragment,
            4 => BufferType::Close,
            _ => return Err(Error::INVALID_PARAMETER),
        })
    }
}

/// Which function an operation came from, as WINHTTP_WEB_SOCKET_OPERATION counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Function {
    /// WinHttpWebSocketSend
    Send = 0,
    /// WinHttpWebSocketReceive
    Receive = 1,
    /// WinHttpWebSocketClose
    Close = 2,
    /// WinHttpWebSocketShutdown
    Shutdown = 3,
}

/// What the application is told of a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebSocketEvent {
    /// Receive is done.
    Read(u32, BufferType),
    /// Send is done.
    Written(u32, BufferType),
    /// Shutdown is done.
    ShutdownComplete,
    /// Close is done.
    CloseComplete,
    /// The operation failed.
    Failed(Function, Error),
}

/// How many completions may nest on one thread before the next is left to a worker (digest §1.8).
const NESTING: u32 = 3;

/// Milliseconds of silence before a pong, unless WINHTTP_OPTION_WEB_SOCKET_KEEPALIVE_INTERVAL says otherwise.
const DEFAULT_KEEP_ALIVE: u32 = 30_000;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// A connection after the upgrade.
pub struct WebSocket {
    /// Where the request came from; keeps the session.
    pub connect: Arc<Connect>,
    /// The handle of the request that was upgraded, which may be closed.
    pub request: usize,
    /// Operations complete through the callback.
    pub is_async: bool,
    /// Milliseconds for a send that makes no progress; 0 waits for ever.
    send_limit: u32,
    /// Dropped before the stream.
    waiting: Waiting,
    stream: ClientStream,
    reader: Mutex<Reader>,
    writer: Mutex<Writer>,
    state: Mutex<State>,
    /// The handle is closed, or the closing of a parent has ended its calls.
    closed: AtomicBool,
    /// When something was sent last.
    sent_at: AtomicU64,
}

/// What is going on. Held for moments only.
struct State {
    notifier: Notifier,
    close_timeout: u32,
    keep_alive: u32,
    /// There is a receive, waiting here or running.
    receiving: bool,
    /// The asynchronous receive that waits.
    receive: Option<LentBuffer>,
    /// There is a send, a shutdown or a close.
    sending: bool,
    /// The asynchronous one that waits for room.
    output: Option<Output>,
    /// Close has been called.
    close_called: bool,
    /// The asynchronous close that waits for the server's close frame, until this moment.
    close_wait: Option<u64>,
    /// Nothing more is sent: a close frame is on its way, or was.
    close_sent: bool,
    /// The server's close frame.
    peer: Option<CloseFrame>,
    /// Nothing more can be received: the close frame has been delivered, or an error has.
    receive_over: bool,
    /// Tasks that wait for bytes, and for room. Only the last one to wait does the work.
    parked: [u32; 2],
    /// CloseHandle has been called.
    closing: bool,
    farewell_said: bool,
    /// Threads in an operation or a callback of this socket; HANDLE_CLOSING waits for them.
    busy: u32,
}

impl State {
    fn new(notifier: Notifier, settings: &Settings) -> State {
        State {
            notifier,
            close_timeout: limit(settings.web_socket_close_timeout),
            keep_alive: DEFAULT_KEEP_ALIVE,
            receiving: false,
            receive: None,
            sending: false,
            output: None,
            close_called: false,
            close_wait: None,
            close_sent: false,
            peer: None,
            receive_over: false,
            parked: [0, 0],
            closing: false,
            farewell_said: false,
            busy: 0,
        }
    }
}

impl WebSocket {
    /// Looks at or changes the notifier.
    pub fn with_notifier<R>(&self, use_notifier: impl FnOnce(&mut Notifier) -> R) -> R {
        use_notifier(&mut self.state.lock().notifier)
    }

    /// WINHTTP_OPTION_WEB_SOCKET_CLOSE_TIMEOUT, in milliseconds.
    pub fn close_timeout(&self) -> u32 {
        self.state.lock().close_timeout
    }

    /// Sets it, for a close that has not begun.
    pub fn set_close_timeout(&self, milliseconds: u32) {
        self.state.lock().close_timeout = milliseconds;
    }

    /// What the server's close frame said. `INVALID_OPERATION` before it has come.
    pub fn with_close_status<R>(&self, look: impl FnOnce(&CloseFrame) -> R) -> Result<R, Error> {
        self.state.lock().peer.as_ref().map(look).ok_or(Error::INVALID_OPERATION)
    }

    /// The state, with this thread counted as busy. `INVALID_HANDLE` when the handle is closed.
    fn enter(&self) -> Result<MutexGuard<'_, State>, Error> {
        let mut state = self.state.lock();
        if state.closing {
            return Err(Error::INVALID_HANDLE);
        }
        state.busy += 1;
        Ok(state)
    }

    /// This thread is done. The last one to be, after the handle has been closed, says goodbye.
    fn leave(&self) {
        let notifier = {
            let mut state = self.state.lock();
            state.busy -= 1;
            if !state.closing || state.busy > 0 || state.farewell_said {
                return;
            }
            state.farewell_said = true;
            state.notifier
        };
        notifier.invoke(&Event::HandleClosing);
    }

    /// Tells the application.
    fn notify(&self, event: WebSocketEvent) {
        if let WebSocketEvent::Failed(..) = event {
            // The callback may ask for the words about it.
            last_error::settle();
        }
        let notifier = self.state.lock().notifier;
        DEPTH.set(DEPTH.get() + 1);
        notifier.invoke(&Event::WebSocket(event));
        DEPTH.set(DEPTH.get() - 1);
    }

    /// Whether CloseHandle has ended what goes on here.
    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Whatever went wrong after the handle was closed went wrong because of that.
    fn blame(&self, error: Error) -> Error {
        if self.is_closed() { Error::WINHTTP_OPERATION_CANCELLED } else { error }
    }
}

//! What an `HINTERNET` names. Stale, foreign and made-up values are refused, never followed.

use std::sync::Arc;

use crate::abi::error::{Error, Result};
use crate::abi::winhttp::HINTERNET;
use crate::client::notify::Notifier;
use crate::client::proxy::resolver::Resolver;
use crate::client::request::Request;
use crate::client::session::{Connect, Session};
use crate::client::websocket::WebSocket;
use crate::win32::handles::HandleTable;

/// An object with a handle.
#[derive(Clone)]
pub(super) enum Object {
    Session(Arc<Session>),
    Connect(Arc<Connect>),
    Request(Arc<Request>),
    Resolver(Arc<Resolver>),
    WebSocket(Arc<WebSocket>),
}

/// Handles of this kind are not those of the kernel's table, which is kind 0.
static TABLE: HandleTable<Object> = HandleTable::new(1);

impl Object {
    /// Looks at or changes the notifier.
    pub(super) fn with_notifier<R>(&self, use_notifier: impl FnOnce(&mut Notifier) -> R) -> R {
        match self {
            Object::Session(session) => session.with(|state| use_notifier(&mut state.notifier)),
            Object::Connect(connect) => connect.with_notifier(use_notifier),
            Object::Request(request) => request.with_notifier(use_notifier),
            Object::Resolver(resolver) => resolver.with_notifier(use_notifier),
            Object::WebSocket(socket) => socket.with_notifier(use_notifier),
        }
    }

    /// The object's notifier as it is now.
    pub(super) fn notifier(&self) -> Notifier {
        self.with_notifier(|notifier| *notifier)
    }
}

/// Gives the object a handle, which its notifications will name.
pub(super) fn open(object: Object) -> Result<HINTERNET> {
    let handle = TABLE.insert(object.clone())?;
    object.with_notifier(|notifier| notifier.handle = handle);
    Ok(to_c(handle))
}

/// The handle as C sees it.
pub(super) fn to_c(handle: usize) -> HINTERNET {
    std::ptr::without_provenance_mut(handle)
}

/// The object behind a handle.
pub(super) fn find(handle: HINTERNET) -> Result<Object> {
    TABLE.get(handle.addr())
}

/// The session behind a handle. `INCORRECT_HANDLE_TYPE` for another kind.
pub(super) fn session(handle: HINTERNET) -> Result<Arc<Session>> {
    match find(handle)? {
        Object::Session(session) => Ok(session),
        _ => Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE),
    }
}

/// The connect behind a handle. `INCORRECT_HANDLE_TYPE` for another kind.
pub(super) fn connect(handle: HINTERNET) -> Result<Arc<Connect>> {
    match find(handle)? {
        Object::Connect(connect) => Ok(connect),
        _ => Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE),
    }
}

/// The request behind a handle. `INCORRECT_HANDLE_TYPE` for another kind.
pub(super) fn request(handle: HINTERNET) -> Result<Arc<Request>> {
    match find(handle)? {
        Object::Request(request) => Ok(request),
        _ => Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE),
    }
}

/// The proxy resolver behind a handle. `INCORRECT_HANDLE_TYPE` for another kind.
pub(super) fn resolver(handle: HINTERNET) -> Result<Arc<Resolver>> {
    match find(handle)? {
        Object::Resolver(resolver) => Ok(resolver),
        _ => Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE),
    }
}

/// The WebSocket behind a handle. `INCORRECT_HANDLE_TYPE` for another kind.
pub(super) fn web_socket(handle: HINTERNET) -> Result<Arc<WebSocket>> {
    match find(handle)? {
        Object::WebSocket(socket) => Ok(socket),
        _ => Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE),
    }
}

/// Takes the handle away; exactly one of several callers gets the object.
pub(super) fn close(handle: HINTERNET) -> Result<Object> {
    TABLE.remove(handle.addr())
}

/// Ends the synchronous calls that other threads are in below a session that closes.
pub(super) fn interrupt_below_session(session: &Arc<Session>) {
    // Nothing below it is synchronous, or nothing is below it.
    if !session.is_async && Arc::strong_count(session) > 1 {
        interrupt_below(|connect| Arc::ptr_eq(&connect.session, session));
    }
}

/// The same below a connect.
pub(super) fn interrupt_below_connect(parent: &Arc<Connect>) {
    if !parent.session.is_async && Arc::strong_count(parent) > 1 {
        interrupt_below(|connect| Arc::ptr_eq(connect, parent));
    }
}

fn interrupt_below(is_below: impl Fn(&Arc<Connect>) -> bool) {
    for object in TABLE.snapshot() {
        match object {
            Object::Request(request) if is_below(&request.connect) => request.interrupt(),
            Object::WebSocket(socket) if is_below(&socket.connect) => socket.interrupt(),
            _ => {}
        }
    }
}

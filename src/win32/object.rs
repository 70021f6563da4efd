//! What a kernel `HANDLE` can name, and the table of all of them.
//!
//! Several handles may name one object (`DuplicateHandle`). When the last one is closed, waits on the object
//! end: those of a port as abandoned, those of a queue because its operations are aborted, those of an event
//! as failed with `INVALID_HANDLE` (Windows would wait on; an event nobody can set any more helps nobody).

use std::any::Any;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use super::device::Device;
use super::event::Event;
use super::handles::{Handle, HandleTable};
use super::port::Port;
use super::semaphore::Semaphore;
use super::thread::Thread;
use crate::abi::error::{Error, Result};

/// An object with a handle.
#[derive(Clone)]
pub enum Object {
    /// `CreateEvent`.
    Event(Arc<Event>),
    /// `CreateIoCompletionPort`.
    Port(Arc<Port>),
    /// Whatever is file-like: request queues and files.
    Device(Arc<Device>),
    /// `CreateThread`.
    Thread(Arc<Thread>),
    /// `CreateSemaphore`.
    Semaphore(Arc<Semaphore>),
    /// A user's access token.
    Token(Arc<Token>),
}

/// An access token; what is in it concerns whoever made it.
pub struct Token {
    /// The maker's view of the user.
    pub user: Box<dyn Any + Send + Sync>,
    handles: HandleCount,
}

impl Token {
    /// A token for this user.
    pub fn new(user: impl Any + Send + Sync) -> Arc<Token> {
        Arc::new(Token { user: Box::new(user), handles: HandleCount::new() })
    }
}

/// How many handles name an object. Once it has sunk to none, it cannot rise again.
pub struct HandleCount(AtomicU32);

const NONE_LEFT: u32 = u32::MAX;

impl HandleCount {
    pub(super) const fn new() -> HandleCount {
        HandleCount(AtomicU32::new(0))
    }

    fn add(&self) -> bool {
        let more = |count| (count != NONE_LEFT).then(|| count + 1);
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok()
    }

    fn any(&self) -> bool {
        !matches!(self.0.load(Ordering::Acquire), 0 | NONE_LEFT)
    }

    /// Counts one handle less; true for the last.
    fn subtract(&self) -> bool {
        let less = |count: u32| Some(if count <= 1 { NONE_LEFT } else { count - 1 });
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, less).is_ok_and(|before| before == 1)
    }
}

static KERNEL: HandleTable<Object> = HandleTable::new(0);

/// Gives the object a (further) handle. `INVALID_HANDLE` if its last handle was closed already.
pub fn open(object: Object) -> Result<Handle> {
    if !object.handles().add() {
        return Err(Error::INVALID_HANDLE);
    }
    KERNEL.insert(object)
}

/// The object behind a handle; `INVALID_HANDLE` if there is none.
#[inline]
pub fn find(handle: Handle) -> Result<Object> {
    KERNEL.get(handle)
}

/// How many handles were closed so far: a look-up made at this count holds as long as the count does.
#[inline]
pub fn closings() -> u64 {
    if super::handles::is_forked() { u64::MAX } else { KERNEL.removals() }
}

/// Closes a handle of any kind; `INVALID_HANDLE` if there is none.
pub fn close(handle: Handle) -> Result<()> {
    let object = KERNEL.remove(handle)?;
    if object.handles().subtract() {
        object.last_handle_closed();
    }
    Ok(())
}

macro_rules! finders {
    ($($(#[$doc:meta])* $name:ident: $kind:ident;)*) => { $(
        $(#[$doc])*
        #[inline]
        pub fn $name(handle: Handle) -> Result<Arc<$kind>> {
            match find(handle)? {
                Object::$kind(object) => Ok(object),
                _ => Err(Error::INVALID_HANDLE),
            }
        }
    )* };
}

finders! {
    /// The event behind a handle; `INVALID_HANDLE` for anything else.
    event: Event;
    /// The completion port behind a handle; `INVALID_HANDLE` for anything else.
    port: Port;
    /// The device (queue or file) behind a handle; `INVALID_HANDLE` for anything else.
    device: Device;
    /// The thread behind a handle; `INVALID_HANDLE` for anything else.
    thread: Thread;
    /// The semaphore behind a handle; `INVALID_HANDLE` for anything else.
    semaphore: Semaphore;
    /// The token behind a handle; `INVALID_HANDLE` for anything else.
    token: Token;
}

/// An object that may be gone; for tables of names.
pub struct WeakObject(WeakKind);

enum WeakKind {
    Event(Weak<Event>),
    Semaphore(Weak<Semaphore>),
    Nameless,
}

impl WeakObject {
    /// The object, if it still exists.
    pub fn upgrade(&self) -> Option<Object> {
        match &self.0 {
            WeakKind::Event(event) => event.upgrade().map(Object::Event),
            WeakKind::Semaphore(semaphore) => semaphore.upgrade().map(Object::Semaphore),
            WeakKind::Nameless => None,
        }
    }

    /// Whether it still has a handle.
    pub fn is_alive(&self) -> bool {
        self.upgrade().is_some_and(|object| object.handles().any())
    }
}

impl Object {
    /// Whether both are the same object.
    pub fn is(&self, other: &Object) -> bool {
        std::ptr::eq(self.handles(), other.handles())
    }

    /// Whether both are, say, events.
    pub fn is_same_kind(&self, other: &Object) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// A reference that does not keep it; events and semaphores have names, other objects give one that is
    /// empty.
    pub fn downgrade(&self) -> WeakObject {
        WeakObject(match self {
            Object::Event(event) => WeakKind::Event(Arc::downgrade(event)),
            Object::Semaphore(semaphore) => WeakKind::Semaphore(Arc::downgrade(semaphore)),
            _ => WeakKind::Nameless,
        })
    }

    fn handles(&self) -> &HandleCount {
        match self {
            Object::Event(event) => &event.handles,
            Object::Port(port) => &port.handles,
            Object::Device(device) => &device.handles,
            Object::Thread(thread) => &thread.handles,
            Object::Semaphore(semaphore) => &semaphore.handles,
            Object::Token(token) => &token.handles,
        }
    }

    fn last_handle_closed(&self) {
        match self {
            Object::Event(event) => event.signal.close(),
            Object::Port(port) => port.close(),
            Object::Device(device) => device.close(),
            Object::Semaphore(semaphore) => semaphore.signal.close(),
            // A thread ends by itself, and with it the waits for it.
            Object::Thread(_) | Object::Token(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_lives_until_its_last_handle_is_closed() {
        let made = Event::new(true, true);
        let first = open(Object::Event(Arc::clone(&made))).unwrap();
        let second = open(Object::Event(Arc::clone(&made))).unwrap();
        close(first).unwrap();
        assert!(event(first).is_err());
        assert!(event(second).unwrap().signal.try_take());
        close(second).unwrap();
        assert!(!made.signal.try_take());
        assert_eq!(open(Object::Event(made)).err(), Some(Error::INVALID_HANDLE));
    }

    #[test]
    fn a_handle_of_another_kind_is_refused() {
        let handle = open(Object::Token(Token::new("somebody"))).unwrap();
        assert!(event(handle).is_err() && port(handle).is_err() && device(handle).is_err());
        assert!(token(handle).unwrap().user.is::<&str>());
        close(handle).unwrap();
        assert_eq!(close(handle), Err(Error::INVALID_HANDLE));
    }
}

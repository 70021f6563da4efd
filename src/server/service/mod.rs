//! The seam between the C API and the engine: the commands that on Windows cross into the kernel.
//!
//! The engine in this process implements [`Service`]; so does `share`, which carries each call to the
//! process that hosts the port. Therefore every value here is owned: no raw pointer, no lock guard, and of
//! the caller's memory only [`LentBytes`](crate::win32::lent::LentBytes) and [`LentBuffer`], which an implementation may copy.
//!
//! **Completion.** A command that can wait returns `Poll::Ready` when it is done at once. Otherwise it asks
//! `pend` for a [`Reply`] (so that no completion is made for nothing), keeps it, returns `Poll::Pending`,
//! and calls it exactly once, on any thread, with no lock held. `Reply` is called even when the queue
//! closes, the client leaves or the operation is cancelled.

mod identity;
mod listening;
mod request;
mod response;
mod settings;

use std::fs::File;
use std::sync::Arc;
use std::task::Poll;

use serde::{Deserialize, Serialize};

use crate::abi::error::{Error, Result};
use crate::win32::lent::LentBuffer;

pub use identity::*;
pub use listening::*;
pub use request::*;
pub use response::*;
pub use settings::*;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name(pub u64);
    )* };
}

ids! {
    /// A server session (`HTTP_SERVER_SESSION_ID`).
    SessionId;
    /// A URL group (`HTTP_URL_GROUP_ID`).
    GroupId;
    /// A request queue of the service; `capi` keeps it behind the queue's HANDLE.
    QueueId;
    /// A request (`HTTP_REQUEST_ID`); never 0, never reused soon.
    RequestId;
    /// A connection (`HTTP_CONNECTION_ID`); never 0.
    ConnectionId;
    /// A pending operation, chosen by the caller, unique among those pending; names it for `abort`.
    OperationId;
}

/// Whom a URL registration belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UrlOwner {
    /// A URL group (version 2).
    Group(GroupId),
    /// A request queue directly (version 1).
    Queue(QueueId),
}

/// The generation of the API an object was made with; decides which structures its requests use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiVersion {
    /// HTTP Server API 1.0.
    V1,
    /// HTTP Server API 2.0.
    V2,
}

/// The one caller of a completion; see the module's notes.
pub struct Reply<T> {
    /// Names the operation for [`Service::abort`].
    pub operation: OperationId,
    /// Called once with the outcome.
    pub complete: Box<dyn FnOnce(Result<T>) + Send>,
}

impl<T> Reply<T> {
    /// A reply that runs `complete` with the outcome.
    pub fn new(operation: OperationId, complete: impl FnOnce(Result<T>) + Send + 'static) -> Reply<T> {
        Reply { operation, complete: Box::new(complete) }
    }

    /// Reports the outcome.
    pub fn send(self, outcome: Result<T>) {
        (self.complete)(outcome)
    }
}

/// Makes the reply when, and only when, an operation has to wait.
pub type Pend<'a, T> = &'a mut dyn FnMut() -> Reply<T>;

/// What the C API asks of the engine. All commands are free-threaded.
pub trait Service: Send + Sync {
    /// Creates a server session.
    fn create_session(&self) -> Result<SessionId>;
    /// Closes a session and the groups in it. Unknown: `INVALID_PARAMETER`.
    fn close_session(&self, session: SessionId) -> Result<()>;
    /// Creates a URL group in a session. Unknown session: `INVALID_PARAMETER`.
    fn create_group(&self, session: SessionId) -> Result<GroupId>;
    /// Closes a group and removes its URLs. Unknown: `INVALID_PARAMETER`.
    fn close_group(&self, group: GroupId) -> Result<()>;
    /// Binds a group to a version 2 queue, or to none.
    fn bind_group(&self, group: GroupId, queue: Option<QueueId>) -> Result<()>;
    /// Registers a prefix; listening before it returns. `INVALID_PARAMETER` (malformed, unknown owner),
    /// `ALREADY_EXISTS`, `SHARING_VIOLATION` (port held by another program), `ACCESS_DENIED`.
    fn add_url(&self, owner: UrlOwner, url: &[u16], context: u64) -> Result<()>;
    /// Removes a prefix, or all (`None`). Not registered there: `FILE_NOT_FOUND`.
    fn remove_url(&self, owner: UrlOwner, url: Option<&[u16]>) -> Result<()>;
    /// Opens a further way in for a group's URLs; `given` is the socket of an address that is inherited.
    /// `INVALID_PARAMETER` (unknown group), `ALREADY_EXISTS` (opened already), `SHARING_VIOLATION` (somebody else listens
    /// there), and the errors of sockets and files.
    fn listen(&self, group: GroupId, listen: Listen, given: Option<Arc<File>>) -> Result<()>;
    /// Closes one that the group opened, or all (`None`). Not opened: `FILE_NOT_FOUND`.
    fn stop_listening(&self, group: GroupId, address: Option<ListenAddress>) -> Result<()>;
    /// Sets a property. Not one of that holder's: `INVALID_PARAMETER`.
    fn set_property(&self, holder: Holder, property: Property) -> Result<()>;
    /// Reads a property back.
    fn property(&self, holder: Holder, kind: PropertyKind) -> Result<Property>;

    /// Keeps the bytes of the one chunk of `body` under a URL that lies under a prefix of the queue's. Elsewhere, or
    /// malformed, or nothing to be kept: `INVALID_PARAMETER`.
    fn add_fragment(&self, queue: QueueId, url: &[u16], body: Body, policy: CachePolicy) -> Result<()>;
    /// Reads a fragment, or part of it, of at most `room` bytes; when it is longer, only its length is told. Unknown:
    /// `PATH_NOT_FOUND`; a range that begins behind the end: `HANDLE_EOF`.
    fn read_fragment(&self, queue: QueueId, url: &[u16], range: Range, room: u64) -> Result<FragmentPart>;
    /// Takes the queue's cached responses and fragments of a URL, and with `recursive` of everything below it, out of the
    /// cache.
    fn flush_cache(&self, queue: QueueId, url: &[u16], recursive: bool) -> Result<()>;

    /// Creates an anonymous request queue.
    fn create_queue(&self, version: ApiVersion) -> Result<QueueId>;
    /// Stops delivery on the queue: pending receives and waits end with `OPERATION_ABORTED`, requests taken
    /// and not begun to be answered are cancelled, later receives give `INVALID_HANDLE`. Requests that wait there, and those
    /// that come, wait on.
    fn shutdown_queue(&self, queue: QueueId) -> Result<()>;
    /// Closes the queue: as shutdown, and waiting requests get 503, unanswered ones a reset, groups are
    /// unbound, version 1 URLs removed.
    fn close_queue(&self, queue: QueueId) -> Result<()>;

    /// A descriptor that is readable while a request waits on the queue, or the queue is shut.
    fn queue_descriptor(&self, queue: QueueId) -> Result<Arc<File>>;
    /// Takes the oldest waiting request of the queue.
    fn receive(&self, queue: QueueId, pend: Pend<'_, Delivery>) -> Poll<Result<Delivery>>;
    /// As [`Service::receive`], waiting on this thread, for a service that can do that without a completion;
    /// `None` from one that cannot.
    fn receive_blocking(&self, queue: QueueId) -> Option<Result<Delivery>> {
        let _ = queue;
        None
    }
    /// Tells a request again that was taken from this queue. Unknown: `CONNECTION_INVALID`.
    fn receive_again(&self, queue: QueueId, request: RequestId) -> Result<Delivery>;
    /// Reads body into `buffer`. End: `HANDLE_EOF`; unknown request: `CONNECTION_INVALID`; client gone while
    /// waiting: `NETNAME_DELETED`. A zero-length buffer with data there: `MORE_DATA`.
    fn read_body(
        &self,
        queue: QueueId,
        request: RequestId,
        mode: BodyRead,
        buffer: LentBuffer,
        pend: Pend<'_, BodyPart>,
    ) -> Poll<Result<BodyPart>>;
    /// Sends a response head and the first part of its body; the outcome counts all bytes sent by the call. What
    /// cannot go at once of `body` is taken out of it.
    fn send_response(
        &self,
        queue: QueueId,
        request: RequestId,
        flags: SendFlags,
        head: &ResponseHead,
        body: &mut Body,
        pend: Pend<'_, u64>,
    ) -> Poll<Result<u64>>;
    /// Sends more body of a response begun with `more_data`.
    fn send_body(
        &self,
        queue: QueueId,
        request: RequestId,
        flags: SendFlags,
        body: &mut Body,
        pend: Pend<'_, u64>,
    ) -> Poll<Result<u64>>;
    /// Keeps the record for the log of a response whose last send is to follow.
    fn log_response(&self, queue: QueueId, request: RequestId, fields: Box<LogFields>) -> Result<()>;
    /// False while nothing can be logged anywhere, so that nobody need gather records.
    fn logs(&self) -> bool {
        true
    }
    /// The counters as Prometheus text.
    fn metrics(&self) -> Result<String>;
    /// Answers a question about the connection of a request taken from this queue and not fully answered. Unknown:
    /// `CONNECTION_INVALID`; not a TCP connection: `INVALID_FUNCTION`.
    fn ask_request(&self, queue: QueueId, request: RequestId, question: Question) -> Result<Fact>;
    /// Changes what [`Service::ask_request`] answers. What is only measured: `INVALID_PARAMETER`.
    fn tell_request(&self, queue: QueueId, request: RequestId, fact: Fact) -> Result<()>;
    /// What the program's own function said of a request's claim ([`Identity::claim`]).
    fn tell_identity(&self, queue: QueueId, request: RequestId, identity: Box<Identity>) -> Result<()>;
    /// The group that has this very prefix and is bound to this queue. None: `FILE_NOT_FOUND`.
    fn find_group(&self, queue: QueueId, url: &[u16]) -> Result<GroupId>;
    /// Cancels a request: its connection is closed. Unknown: `CONNECTION_INVALID`.
    fn cancel_request(&self, queue: QueueId, request: RequestId) -> Result<()>;
    /// Waits until the connection is gone. Unknown: `CONNECTION_INVALID`.
    fn wait_for_disconnect(
        &self,
        queue: QueueId,
        connection: ConnectionId,
        pend: Pend<'_, ()>,
    ) -> Poll<Result<()>>;
    /// Cancels a pending operation: it completes with `OPERATION_ABORTED`, unless it completes otherwise
    /// first. Cancelling a send closes its connection. False if no such operation is pending.
    fn abort(&self, queue: QueueId, operation: OperationId) -> bool;
}

/// The error every command gives for a request, connection or queue it does not know.
pub const UNKNOWN_REQUEST: Error = Error::CONNECTION_INVALID;

//! The seam between the C API and the engine: the commands that on Windows cross into the kernel.
//!
//! The engine in this process implements [`Service`]; so does `share`, which carries each call to the
//! process that hosts the port. Therefore every value here is owned: no raw pointer, no lock guard, and of
//! the caller's memory only [`LentBytes`] and [`LentBuffer`], which an implementation may copy.
//!
//! **Completion.** A command that can wait returns `Poll::Ready` when it is done at once. Otherwise it asks
//! `pend` for a [`Reply`] (so that no completion is made for nothing), keeps it, returns `Poll::Pending`,
//! and calls it exactly once, on any thread, with no lock held. `Reply` is called even when the queue
//! closes, the client leaves or the operation is cancelled.

use std::fs::File;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;

use smallvec::SmallVec;

use crate::abi::error::{Error, Result};
use crate::win32::lent::{LentBuffer, LentBytes};
use crate::wire::request::RequestHead;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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

/// How a queue answers when it must refuse (`HttpServer503VerbosityProperty`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbosity {
    /// Reset the connection.
    Basic,
    /// 503 with the generic reason.
    Limited,
    /// 503 with a detailed reason.
    Full,
}

/// `HttpServerTimeoutsProperty`; 0 inherits, 0xFFFF (0xFFFF_FFFF for the rate) disables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// Seconds between two arrivals of body data.
    pub entity_body: u16,
    /// Seconds to drain an unread body.
    pub drain_entity_body: u16,
    /// Seconds in the queue.
    pub request_queue: u16,
    /// Seconds between two requests.
    pub idle_connection: u16,
    /// Seconds for a head to arrive.
    pub header_wait: u16,
    /// Bytes a second a response must sustain.
    pub min_send_rate: u32,
}

/// A property value, set or read. `None` where the C structure says "not present".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// Active (true) or inactive.
    State(Option<bool>),
    /// Timeouts of a session or group.
    Timeouts(Option<Timeouts>),
    /// Requests a queue holds before it refuses.
    QueueLength(u32),
    /// How a queue refuses.
    Verbosity(Verbosity),
}

/// Which property is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropertyKind {
    /// [`Property::State`].
    State,
    /// [`Property::Timeouts`].
    Timeouts,
    /// [`Property::QueueLength`].
    QueueLength,
    /// [`Property::Verbosity`].
    Verbosity,
}

/// What a property belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A server session.
    Session(SessionId),
    /// A URL group.
    Group(GroupId),
    /// A request queue.
    Queue(QueueId),
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

/// A request as `HttpReceiveHttpRequest` tells it. The head is shared with the connection, which takes it
/// back for the next request: drop the delivery before answering.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its id, valid until the last send begins.
    pub request: RequestId,
    /// Its connection.
    pub connection: ConnectionId,
    /// The context the matched prefix was registered with.
    pub url_context: u64,
    /// The head.
    pub head: Arc<RequestHead>,
    /// Our end of the connection.
    pub local: SocketAddr,
    /// The client's end.
    pub remote: SocketAddr,
    /// Bytes of this request received so far, head included.
    pub bytes_received: u64,
    /// There is body that has not been handed out.
    pub more_body: bool,
    /// Routed by the address the connection came in on (`HTTP_REQUEST_FLAG_IP_ROUTED`).
    pub ip_routed: bool,
}

/// How much of a body [`Service::read_body`] waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyRead {
    /// Only what has arrived; never waits, never sends 100 Continue; 0 bytes if nothing is there.
    Arrived,
    /// At least one byte, or the end.
    Some,
    /// A full buffer, or the end (`HTTP_RECEIVE_REQUEST_ENTITY_BODY_FLAG_FILL_BUFFER`).
    Fill,
}

/// What a body read brought.
#[derive(Debug)]
pub struct BodyPart {
    /// The buffer given, filled from its start.
    pub buffer: LentBuffer,
    /// Bytes in it. 0 only for [`BodyRead::Arrived`]; the other reads report `HANDLE_EOF` at the end.
    pub len: usize,
    /// There is more after these.
    pub more_body: bool,
}

/// A field of a response, as the application gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseField {
    /// Number of a known field, or `wire::field::UNKNOWN`.
    pub id: u8,
    /// Start and length of the name in `text`; empty for known fields.
    pub name: (u32, u32),
    /// Start and length of the value in `text`.
    pub value: (u32, u32),
}

/// The head of a response, copied out of the caller's structures. Fields stand in wire order: known ones by
/// id with multiple-known-header entries at their id's place, then unknown ones.
#[derive(Clone, Debug, Default)]
pub struct ResponseHead {
    /// Status code, 100 to 999.
    pub status: u16,
    /// Holds the reason and all names and values.
    pub text: Vec<u8>,
    /// Length of the reason, which stands first in `text`.
    pub reason_len: u32,
    /// The fields.
    pub fields: Vec<ResponseField>,
    /// A known Server field was given with a pointer but no length: send none.
    pub suppress_server: bool,
}

/// A piece of a response body.
#[derive(Debug)]
pub enum Chunk {
    /// Memory of the caller, lent until completion.
    Memory(LentBytes),
    /// A range of a file; `None` as length means to its end.
    File {
        /// The file; its position is neither used nor moved.
        file: Arc<File>,
        /// First byte.
        offset: u64,
        /// Number of bytes.
        length: Option<u64>,
    },
}

/// The pieces of a body given in one call; one or two need no allocation.
pub type Body = SmallVec<[Chunk; 2]>;

/// The send flags that matter below `capi` (`HTTP_SEND_RESPONSE_FLAG_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendFlags {
    /// Close the connection after this response.
    pub disconnect: bool,
    /// The response goes on in another call.
    pub more_data: bool,
    /// Copy the data and complete early.
    pub buffer_data: bool,
    /// Leave Nagle's algorithm on for this send.
    pub nagling: bool,
    /// Raw bytes both ways after this head (status 101).
    pub opaque: bool,
}

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
    /// Sets a property. Not one of that holder's: `INVALID_PARAMETER`.
    fn set_property(&self, holder: Holder, property: Property) -> Result<()>;
    /// Reads a property back.
    fn property(&self, holder: Holder, kind: PropertyKind) -> Result<Property>;

    /// Creates an anonymous request queue.
    fn create_queue(&self, version: ApiVersion) -> Result<QueueId>;
    /// Stops delivery on the queue: pending receives and waits end with `OPERATION_ABORTED`, requests taken
    /// and not begun to be answered are cancelled, later receives give `INVALID_HANDLE`.
    fn shutdown_queue(&self, queue: QueueId) -> Result<()>;
    /// Closes the queue: as shutdown, and waiting requests get 503, unanswered ones a reset, groups are
    /// unbound, version 1 URLs removed.
    fn close_queue(&self, queue: QueueId) -> Result<()>;

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

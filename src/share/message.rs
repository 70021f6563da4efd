//! What guest and host say to each other: commands one way, answers the other.
//!
//! Every message is a tag and a [`Command`] or [`Answer`]. The guest chooses a tag for each call, unused
//! among its unfinished ones; all answers to the call carry it. The first message of either side is its
//! hello, under tag 0; a side that hears another version ends the channel.
//!
//! ```text
//!                ┌─────────────────────── Done ───────────────────────────┐
//! command ──►    ├─ Pending ─ (Data | Pull ─► More)* ─────────────────────┤
//! ```
//!
//! A call is over with `Done`. `Pending` says, at most once, that the command has to wait. `Data` brings
//! body that was read and is not yet all; `Pull` asks for the next part of a body to be sent.
//! `Because` says in words, just before a `Done` that is an error, why.

use std::fs::File;
use std::sync::Arc;

use super::body::Part;
use super::codec::{Bytes, Decoder, Utf16, wire_enum, wire_struct};
use super::frames::FrameReceiver;
use crate::abi::error::Result;
use crate::server::service::{
    ApiVersion, BodyRead, CachePolicy, ConnectionId, Delivery, Fact, FragmentPart, GroupId, Holder, Identity,
    Listen, ListenAddress, LogFields, Property, PropertyKind, Question, QueueId, Range, RequestId,
    ResponseHead, SendFlags, SessionId, UrlOwner,
};

/// The version of everything in this room that crosses; a change of any of it is another version.
pub const VERSION: u32 = 4;

/// The first message of either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// [`Hello::MAGIC`], so that a stranger on the socket is noticed.
    pub magic: u32,
    /// [`VERSION`].
    pub version: u32,
}

impl Hello {
    /// "nthp".
    pub const MAGIC: u32 = 0x6E74_6870;

    /// The hello of this version.
    pub const OURS: Hello = Hello { magic: Hello::MAGIC, version: VERSION };

    /// Receives the other side's hello; false if it is not ours, or there is none.
    pub fn receive(from: &mut FrameReceiver) -> bool {
        let Ok(Some((bytes, files))) = from.receive() else { return false };
        Decoder::whole(bytes, files) == Ok((0_u64, Hello::OURS))
    }
}

/// What the guest asks.
#[derive(Debug)]
pub enum Command {
    /// `Service::create_session` and its like, answered at once.
    Manage(Manage),
    /// Those that name a request, and receives.
    Traffic(Traffic),
    /// The next part of a body the host pulled; the tag is that of the send. Has no answer of its own.
    More(Part),
    /// `Service::abort` of the call with this tag.
    Abort(u64),
}

/// Commands about sessions, groups, URLs, properties and queues.
#[derive(Debug)]
pub enum Manage {
    /// `Service::create_session`.
    CreateSession,
    /// `Service::close_session`.
    CloseSession(SessionId),
    /// `Service::create_group`.
    CreateGroup(SessionId),
    /// `Service::close_group`.
    CloseGroup(GroupId),
    /// `Service::bind_group`.
    BindGroup(GroupId, Option<QueueId>),
    /// `Service::add_url`.
    AddUrl(UrlOwner, Utf16, u64),
    /// `Service::remove_url`.
    RemoveUrl(UrlOwner, Option<Utf16>),
    /// `Service::listen`.
    Listen(GroupId, Listen, Option<Arc<File>>),
    /// `Service::stop_listening`.
    StopListening(GroupId, Option<ListenAddress>),
    /// `Service::set_property`.
    SetProperty(Holder, Property),
    /// `Service::property`.
    Property(Holder, PropertyKind),
    /// `Service::add_fragment`: the chunk is memory or a file.
    AddFragment(QueueId, Utf16, Part, CachePolicy),
    /// `Service::read_fragment`.
    ReadFragment(QueueId, Utf16, Range, u64),
    /// `Service::flush_cache`.
    FlushCache(QueueId, Utf16, bool),
    /// `Service::create_queue`.
    CreateQueue(ApiVersion),
    /// `Service::shutdown_queue`.
    ShutdownQueue(QueueId),
    /// `Service::close_queue`.
    CloseQueue(QueueId),
    /// `Service::metrics`.
    Metrics,
}

/// Commands about the requests of one queue.
#[derive(Debug)]
pub struct Traffic {
    /// The queue.
    pub queue: QueueId,
    /// What is asked of it.
    pub ask: Ask,
}

/// What is asked of a queue.
#[derive(Debug)]
pub enum Ask {
    /// `Service::receive`.
    Receive,
    /// `Service::receive_again`.
    ReceiveAgain(RequestId),
    /// `Service::read_body` into a buffer of so many bytes.
    ReadBody(RequestId, BodyRead, u64),
    /// `Service::send_response`.
    SendResponse(Response),
    /// `Service::send_body`.
    SendBody(RequestId, SendFlags, Part),
    /// `Service::ask_request`.
    AskRequest(RequestId, Question),
    /// `Service::tell_request`.
    TellRequest(RequestId, Fact),
    /// `Service::tell_identity`.
    TellIdentity(RequestId, Box<Identity>),
    /// `Service::find_group`.
    FindGroup(Utf16),
    /// `Service::queue_descriptor`.
    Descriptor,
    /// `Service::cancel_request`.
    CancelRequest(RequestId),
    /// `Service::wait_for_disconnect`.
    WaitForDisconnect(ConnectionId),
    /// `Service::log_response`.
    LogResponse(RequestId, Box<LogFields>),
}

/// A response and the first part of the body given with it.
#[derive(Debug)]
pub struct Response {
    /// The request it answers.
    pub request: RequestId,
    /// The flags of the call, as given.
    pub flags: SendFlags,
    /// The head.
    pub head: ResponseHead,
    /// The body, or its beginning.
    pub part: Part,
    /// Bytes in the whole body of the call. Not known when a file's length is not.
    pub total: Option<u64>,
}

/// What the host says.
#[derive(Debug)]
pub enum Answer {
    /// The command waits; `Done` follows.
    Pending,
    /// Body that was read; more, or the outcome, follows.
    Data(Bytes),
    /// The next part of the body is wanted.
    Pull,
    /// Why the call fails; `Done` with the error follows.
    Because(String),
    /// The outcome.
    Done(Result<Outcome>),
}

/// The value of a command that succeeded.
#[derive(Debug)]
pub enum Outcome {
    /// There is none.
    Nothing,
    /// The number of what was created.
    Created(u64),
    /// Whether there was something to abort.
    Aborted(bool),
    /// A property.
    Property(Property),
    /// A request.
    Delivery(Delivery),
    /// The last of the body that was read, and whether there is more to read.
    Read(Bytes, bool),
    /// How many bytes were sent.
    Sent(u64),
    /// A fragment, or part of one.
    Fragment(FragmentPart),
    /// The answer to a question about a request.
    Fact(Fact),
    /// A descriptor.
    Descriptor(Arc<File>),
    /// Text in UTF-8.
    Text(String),
}

wire_struct! {
    Hello { magic, version }
    Traffic { queue, ask }
    Response { request, flags, head, part, total }
}

wire_enum! {
    Command {
        0 = Manage { 0: manage }, 1 = Traffic { 0: traffic }, 2 = More { 0: part }, 3 = Abort { 0: tag },
    }
    Manage {
        0 = CreateSession,
        1 = CloseSession { 0: session },
        2 = CreateGroup { 0: session },
        3 = CloseGroup { 0: group },
        4 = BindGroup { 0: group, 1: queue },
        5 = AddUrl { 0: owner, 1: url, 2: context },
        6 = RemoveUrl { 0: owner, 1: url },
        7 = SetProperty { 0: holder, 1: property },
        8 = Property { 0: holder, 1: kind },
        9 = CreateQueue { 0: version },
        10 = ShutdownQueue { 0: queue },
        11 = CloseQueue { 0: queue },
        12 = AddFragment { 0: queue, 1: url, 2: part, 3: policy },
        13 = ReadFragment { 0: queue, 1: url, 2: range, 3: room },
        14 = FlushCache { 0: queue, 1: url, 2: recursive },
        15 = Metrics,
        16 = Listen { 0: group, 1: listen, 2: given },
        17 = StopListening { 0: group, 1: address },
    }
    Ask {
        0 = Receive,
        1 = ReceiveAgain { 0: request },
        2 = ReadBody { 0: request, 1: mode, 2: len },
        3 = SendResponse { 0: response },
        4 = SendBody { 0: request, 1: flags, 2: part },
        5 = CancelRequest { 0: request },
        20 = AskRequest { 0: request, 1: question },
        21 = TellRequest { 0: request, 1: fact },
        30 = TellIdentity { 0: request, 1: identity },
        22 = FindGroup { 0: url },
        23 = Descriptor,
        6 = WaitForDisconnect { 0: connection },
        7 = LogResponse { 0: request, 1: fields },
    }
    Answer { 0 = Pending, 1 = Data { 0: bytes }, 2 = Pull, 3 = Done { 0: outcome }, 4 = Because { 0: words } }
    Outcome {
        0 = Nothing,
        1 = Created { 0: id },
        2 = Aborted { 0: was_pending },
        3 = Property { 0: property },
        4 = Delivery { 0: delivery },
        5 = Read { 0: bytes, 1: more_body },
        6 = Sent { 0: bytes },
        7 = Fragment { 0: part },
        9 = Fact { 0: fact },
        10 = Descriptor { 0: file },
        8 = Text { 0: text },
    }
}

//! Properties of sessions, URL groups and queues, as values of our own.
//!
//! What they are set to is kept by `server::groups::session` and `server::requests::queue`; what holds for a request is
//! worked out in `server::groups::policy`; the C structures are `capi`'s.

use serde::{Deserialize, Serialize};

use super::{CredentialSource, GroupId, QueueId, SessionId};

/// How a queue answers when it must refuse (`HttpServer503VerbosityProperty`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verbosity {
    /// Reset the connection.
    Basic,
    /// 503 with the generic reason.
    Limited,
    /// 503 with a detailed reason.
    Full,
}

/// `HttpServerTimeoutsProperty`; 0 inherits, 0xFFFF (0xFFFF_FFFF for the rate) disables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// `HTTP_FLOWRATE_INFO`: how fast responses may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowRate {
    /// Bytes a second in the long run.
    pub bandwidth: u32,
    /// Bytes a second during a burst.
    pub peak: u32,
    /// Bytes of a burst.
    pub burst: u32,
}

/// Where log records go: `HTTP_LOGGING_INFO`, with the numbers of the C structure where they are lists of bits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Logging {
    /// W3C 0, IIS 1, NCSA 2, raw (centralised binary) 3; the extension JSON is 0x100.
    pub format: u32,
    /// `HTTP_LOGGING_FLAG_*`.
    pub flags: u32,
    /// Name told in the file's head; empty for the default.
    pub software: String,
    /// Folder.
    pub directory: String,
    /// `HTTP_LOG_FIELD_*`, for W3C.
    pub fields: u32,
    /// `HTTP_LOGGING_ROLLOVER_TYPE`.
    pub rollover: u32,
    /// Bytes at which a file ends, for rollover by size.
    pub rollover_size: u32,
}

/// `HTTP_SERVER_AUTHENTICATION_INFO`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// `HTTP_AUTH_ENABLE_*`.
    pub schemes: u32,
    /// The application wants the token of mutual authentication.
    pub receive_mutual_auth: bool,
    /// The application wants the security context.
    pub receive_context_handle: bool,
    /// NTLM authenticates each request.
    pub disable_ntlm_caching: bool,
    /// `HTTP_AUTH_EX_FLAG_*`.
    pub ex_flags: u8,
    /// Domain of the Digest scheme.
    pub digest_domain: Option<String>,
    /// Realm of the Digest scheme.
    pub digest_realm: Option<String>,
    /// Realm of the Basic scheme.
    pub basic_realm: Option<String>,
}

/// `HTTP_CHANNEL_BIND_INFO`; used with TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelBind {
    /// Legacy 0, medium 1, strict 2.
    pub hardening: u32,
    /// `HTTP_CHANNEL_BIND_*`.
    pub flags: u32,
    /// Service names: whether it was given as UTF-16, and the text.
    pub service_names: Vec<(bool, String)>,
}

/// `NTHTTP_LIMITS_INFO`: the registry's limits for the requests of a session or group, narrower than the service's; 0
/// inherits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is the parameter of that name")]
pub struct HeadLimits {
    pub max_field_length: u32,
    pub max_request_bytes: u32,
    pub url_segment_max_length: u32,
    pub url_segment_max_count: u32,
}

/// A property value, set or read. `None` where the C structure says "not present".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Property {
    /// Active (true) or inactive.
    State(Option<bool>),
    /// Timeouts of a session or group.
    Timeouts(Option<Timeouts>),
    /// Requests a queue holds before it refuses.
    QueueLength(u32),
    /// How a queue refuses.
    Verbosity(Verbosity),
    /// Bytes a second of all responses of a session or group.
    Bandwidth(Option<u32>),
    /// Connections whose request went to a group.
    Connections(Option<u32>),
    /// As bandwidth, with bursts.
    FlowRate(Option<FlowRate>),
    /// Log of a session or group.
    Logging(Option<Logging>),
    /// Authentication done by the engine.
    Authentication(Option<Authentication>),
    /// The same with the schemes and flags of Vista.
    ExtendedAuthentication(Option<Authentication>),
    /// Where the engine finds passwords.
    Credentials(Option<CredentialSource>),
    /// Channel binding.
    ChannelBind(Option<ChannelBind>),
    /// Other services may listen on the group's ports too.
    ListenEndpoint(Option<bool>),
    /// Who may reach the group over IPv6 (`HTTP_PROTECTION_LEVEL_TYPE`).
    ProtectionLevel(Option<u32>),
    /// The queue requests are delegated to.
    Delegation(Option<QueueId>),
    /// The entries of `pRequestInfo` wanted: a bit for each `HTTP_REQUEST_INFO_TYPE`.
    RequestInfo(Option<u32>),
    /// Limits on the heads of a session's or group's requests.
    Limits(Option<HeadLimits>),
}

/// Which property is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each names the property of that name")]
pub enum PropertyKind {
    State,
    Timeouts,
    QueueLength,
    Verbosity,
    Bandwidth,
    Connections,
    FlowRate,
    Logging,
    Authentication,
    ExtendedAuthentication,
    Credentials,
    ChannelBind,
    ListenEndpoint,
    ProtectionLevel,
    Delegation,
    RequestInfo,
    Limits,
}

/// What a property belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Holder {
    /// A server session.
    Session(SessionId),
    /// A URL group.
    Group(GroupId),
    /// A request queue.
    Queue(QueueId),
}

impl Property {
    /// Which property it is a value of.
    pub fn kind(&self) -> PropertyKind {
        match self {
            Property::State(_) => PropertyKind::State,
            Property::Timeouts(_) => PropertyKind::Timeouts,
            Property::QueueLength(_) => PropertyKind::QueueLength,
            Property::Verbosity(_) => PropertyKind::Verbosity,
            Property::Bandwidth(_) => PropertyKind::Bandwidth,
            Property::Connections(_) => PropertyKind::Connections,
            Property::FlowRate(_) => PropertyKind::FlowRate,
            Property::Logging(_) => PropertyKind::Logging,
            Property::Authentication(_) => PropertyKind::Authentication,
            Property::ExtendedAuthentication(_) => PropertyKind::ExtendedAuthentication,
            Property::Credentials(_) => PropertyKind::Credentials,
            Property::ChannelBind(_) => PropertyKind::ChannelBind,
            Property::ListenEndpoint(_) => PropertyKind::ListenEndpoint,
            Property::ProtectionLevel(_) => PropertyKind::ProtectionLevel,
            Property::Delegation(_) => PropertyKind::Delegation,
            Property::RequestInfo(_) => PropertyKind::RequestInfo,
            Property::Limits(_) => PropertyKind::Limits,
        }
    }
}

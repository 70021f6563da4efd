//! Requests as they are told to the application, and what reading their bodies brings.

use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::net::tcp_facts::TcpFacts;
use crate::win32::lent::LentBuffer;
use crate::wire::request::RequestHead;

use super::{ConnectionId, Identity, RequestId};

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
    /// What most requests do not have.
    pub extras: Option<Box<DeliveryExtras>>,
}

/// What a request may have besides head and body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryExtras {
    /// The entries of `pRequestInfo`, in the order they are told.
    pub infos: Vec<RequestInfo>,
    /// The trailer section, once the body has been read to its end: field lines with their CRLF, without those that must
    /// not be trailers.
    pub trailers: Vec<u8>,
}

/// An entry of `HTTP_REQUEST_V2.pRequestInfo`. A further kind is a variant here, written by `capi`'s `request_info`
/// and made by the engine's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RequestInfo {
    /// `HTTP_REQUEST_AUTH_INFO`.
    Auth(Box<Identity>),
    /// `HTTP_REQUEST_TIMING_INFO`.
    Timing(Timing),
    /// `TCP_INFO_v0`.
    TcpV0(TcpFacts),
    /// `HTTP_REQUEST_SIZING_INFO`.
    Sizing(Sizing),
    /// `TCP_INFO_v1`.
    TcpV1(TcpFacts),
}

/// When the steps of a request were taken, in the steps of `QueryPerformanceCounter`; 0 if it was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is the `HTTP_REQUEST_TIMING_TYPE` of that name")]
pub struct Timing {
    pub connection_start: u64,
    pub data_start: u64,
    pub parse_start: u64,
    pub parse_end: u64,
    pub routing_start: u64,
    pub routing_end: u64,
    pub queued: u64,
    pub delivered: u64,
}

/// How large a request's parts are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizing {
    /// Its number among the requests of its connection that came to a queue, from 0.
    pub index: u32,
    /// Bytes of request line and fields.
    pub head: u64,
}

/// What can be asked of a request's connection while the request lives (`HttpQueryRequestProperty`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// What the transport measures.
    Tcp,
    /// Seconds the connection may idle afterwards.
    IdleTimeout,
    /// The code point its packets are marked with.
    Dscp,
}

/// The answer to a [`Question`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fact {
    /// See [`Question::Tcp`].
    Tcp(TcpFacts),
    /// See [`Question::IdleTimeout`].
    IdleTimeout(u16),
    /// See [`Question::Dscp`].
    Dscp(u8),
}

/// How much of a body [`super::Service::read_body`] waits for.
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

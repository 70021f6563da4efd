//! Requests as they are told to the application, and what reading their bodies brings.

use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::net::tcp_facts::TcpFacts;
use crate::win32::lent::LentBuffer;
use crate::wire::request::RequestHead;

use super::{ConnectionId, RequestId};

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

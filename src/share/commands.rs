//! The commands of [`Service`], each made a message; how messages travel is `guest`'s.

use std::fs::File;
use std::sync::Arc;
use std::task::Poll;

use super::body::{Cutter, Part, total};
use super::calls::Lent;
use super::codec::Utf16;
use super::guest::Guest;
use super::message::{Ask, Command, Manage, Response, Traffic};
use crate::abi::error::{Error, Result};
use crate::server::service::{
    ApiVersion, Body, BodyPart, BodyRead, CachePolicy, ConnectionId, Delivery, Fact, FragmentPart, GroupId,
    Holder, Identity, Listen, ListenAddress, LogFields, OperationId, Pend, Property, PropertyKind, Question,
    QueueId, Range, RequestId, ResponseHead, SendFlags, Service, SessionId, UNKNOWN_REQUEST, UrlOwner,
};
use crate::win32::lent::LentBuffer;

/// The first part of a body, and what the guest keeps for when the host pulls the rest.
fn cut(body: Body) -> (Part, Lent) {
    let mut cutter = Cutter::new(body);
    let part = cutter.next_part();
    let send = if part.last { None } else { Some(cutter) };
    (part, Lent { send, ..Lent::default() })
}

impl Service for Guest {
    fn create_session(&self) -> Result<SessionId> {
        self.manage(Manage::CreateSession)
    }

    fn close_session(&self, session: SessionId) -> Result<()> {
        self.manage(Manage::CloseSession(session))
    }

    fn create_group(&self, session: SessionId) -> Result<GroupId> {
        self.manage(Manage::CreateGroup(session))
    }

    fn close_group(&self, group: GroupId) -> Result<()> {
        self.manage(Manage::CloseGroup(group))
    }

    fn bind_group(&self, group: GroupId, queue: Option<QueueId>) -> Result<()> {
        self.manage(Manage::BindGroup(group, queue))
    }

    fn add_url(&self, owner: UrlOwner, url: &[u16], context: u64) -> Result<()> {
        self.manage(Manage::AddUrl(owner, Utf16(url.to_vec()), context))
    }

    fn remove_url(&self, owner: UrlOwner, url: Option<&[u16]>) -> Result<()> {
        self.manage(Manage::RemoveUrl(owner, url.map(|url| Utf16(url.to_vec()))))
    }

    fn listen(&self, group: GroupId, listen: Listen, given: Option<Arc<File>>) -> Result<()> {
        self.manage(Manage::Listen(group, listen, given))
    }

    fn stop_listening(&self, group: GroupId, address: Option<ListenAddress>) -> Result<()> {
        self.manage(Manage::StopListening(group, address))
    }

    fn set_property(&self, holder: Holder, property: Property) -> Result<()> {
        self.manage(Manage::SetProperty(holder, property))
    }

    fn property(&self, holder: Holder, kind: PropertyKind) -> Result<Property> {
        self.manage(Manage::Property(holder, kind))
    }

    /// A chunk of memory that does not fit one message is not kept, which a cache may do.
    fn add_fragment(&self, queue: QueueId, url: &[u16], body: Body, policy: CachePolicy) -> Result<()> {
        let part = Cutter::new(body).next_part();
        if !part.last {
            return Err(Error::NOT_ENOUGH_MEMORY);
        }
        self.manage(Manage::AddFragment(queue, Utf16(url.to_vec()), part, policy))
    }

    fn read_fragment(&self, queue: QueueId, url: &[u16], range: Range, room: u64) -> Result<FragmentPart> {
        self.manage(Manage::ReadFragment(queue, Utf16(url.to_vec()), range, room))
    }

    fn flush_cache(&self, queue: QueueId, url: &[u16], recursive: bool) -> Result<()> {
        self.manage(Manage::FlushCache(queue, Utf16(url.to_vec()), recursive))
    }

    fn create_queue(&self, version: ApiVersion) -> Result<QueueId> {
        self.manage(Manage::CreateQueue(version))
    }

    fn shutdown_queue(&self, queue: QueueId) -> Result<()> {
        self.manage(Manage::ShutdownQueue(queue))
    }

    fn close_queue(&self, queue: QueueId) -> Result<()> {
        self.manage(Manage::CloseQueue(queue))
    }

    fn queue_descriptor(&self, queue: QueueId) -> Result<Arc<File>> {
        self.ask(Error::INVALID_HANDLE, &Command::Traffic(Traffic { queue, ask: Ask::Descriptor }))
    }

    fn receive(&self, queue: QueueId, pend: Pend<'_, Delivery>) -> Poll<Result<Delivery>> {
        self.traffic(Error::INVALID_HANDLE, Lent::default(), queue, Ask::Receive, pend)
    }

    fn receive_again(&self, queue: QueueId, request: RequestId) -> Result<Delivery> {
        let ask = Ask::ReceiveAgain(request);
        self.ask(UNKNOWN_REQUEST, &Command::Traffic(Traffic { queue, ask }))
    }

    fn read_body(
        &self,
        queue: QueueId,
        request: RequestId,
        mode: BodyRead,
        buffer: LentBuffer,
        pend: Pend<'_, BodyPart>,
    ) -> Poll<Result<BodyPart>> {
        let ask = Ask::ReadBody(request, mode, buffer.len() as u64);
        let lent = Lent { read: Some((buffer, 0)), send: None };
        self.traffic(UNKNOWN_REQUEST, lent, queue, ask, pend)
    }

    fn send_response(
        &self,
        queue: QueueId,
        request: RequestId,
        flags: SendFlags,
        head: &ResponseHead,
        body: &mut Body,
        pend: Pend<'_, u64>,
    ) -> Poll<Result<u64>> {
        let total = total(body);
        let (part, lent) = cut(std::mem::take(body));
        let response = Response { request, flags, head: head.clone(), part, total };
        self.traffic(UNKNOWN_REQUEST, lent, queue, Ask::SendResponse(response), pend)
    }

    fn send_body(
        &self,
        queue: QueueId,
        request: RequestId,
        flags: SendFlags,
        body: &mut Body,
        pend: Pend<'_, u64>,
    ) -> Poll<Result<u64>> {
        let (part, lent) = cut(std::mem::take(body));
        self.traffic(UNKNOWN_REQUEST, lent, queue, Ask::SendBody(request, flags, part), pend)
    }

    fn log_response(&self, queue: QueueId, request: RequestId, fields: Box<LogFields>) -> Result<()> {
        let ask = Ask::LogResponse(request, fields);
        self.ask(UNKNOWN_REQUEST, &Command::Traffic(Traffic { queue, ask }))
    }

    fn metrics(&self) -> Result<String> {
        self.manage(Manage::Metrics)
    }

    fn ask_request(&self, queue: QueueId, request: RequestId, question: Question) -> Result<Fact> {
        let ask = Ask::AskRequest(request, question);
        self.ask(UNKNOWN_REQUEST, &Command::Traffic(Traffic { queue, ask }))
    }

    fn tell_request(&self, queue: QueueId, request: RequestId, fact: Fact) -> Result<()> {
        let ask = Ask::TellRequest(request, fact);
        self.ask(UNKNOWN_REQUEST, &Command::Traffic(Traffic { queue, ask }))
    }

    fn tell_identity(&self, queue: QueueId, request: RequestId, identity: Box<Identity>) -> Result<()> {
        let ask = Ask::TellIdentity(request, identity);
        self.ask(UNKNOWN_REQUEST, &Command::Traffic(Traffic { queue, ask }))
    }

    fn find_group(&self, queue: QueueId, url: &[u16]) -> Result<GroupId> {
        let ask = Ask::FindGroup(Utf16(url.to_vec()));
        self.ask(Error::INVALID_HANDLE, &Command::Traffic(Traffic { queue, ask }))
    }

    fn cancel_request(&self, queue: QueueId, request: RequestId) -> Result<()> {
        let ask = Ask::CancelRequest(request);
        self.ask(UNKNOWN_REQUEST, &Command::Traffic(Traffic { queue, ask }))
    }

    fn wait_for_disconnect(
        &self,
        queue: QueueId,
        connection: ConnectionId,
        pend: Pend<'_, ()>,
    ) -> Poll<Result<()>> {
        let ask = Ask::WaitForDisconnect(connection);
        self.traffic(UNKNOWN_REQUEST, Lent::default(), queue, ask, pend)
    }

    /// The host knows operations by their calls, so `queue` need not cross.
    fn abort(&self, _queue: QueueId, operation: OperationId) -> bool {
        let Some(tag) = self.call_of(operation) else { return false };
        self.ask(Error::INVALID_HANDLE, &Command::Abort(tag)).unwrap_or(false)
    }
}

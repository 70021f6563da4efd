//! The commands of [`Service`], each found its object and handed on.

use std::fs::File;
use std::sync::Arc;
use std::task::Poll;

use crate::abi::error::{Error, Result};
use crate::win32::lent::LentBuffer;
use crate::wire::prefix::UrlPrefix;

use crate::server::connections::connection::{Active, Connection, Phase};
use crate::server::engine::Engine;
use crate::server::log;
use crate::server::monitor::metrics;
use crate::server::responses::parcel::measure;
use crate::server::service::{
    ApiVersion, Body, BodyPart, BodyRead, CachePolicy, ConnectionId, Delivery, Fact, FragmentPart, GroupId,
    Holder, Identity, Listen, ListenAddress, LogFields, OperationId, Pend, Property, PropertyKind, Question,
    QueueId, Range, RequestId, ResponseHead, SendFlags, Service, SessionId, UNKNOWN_REQUEST, UrlOwner,
};

/// The engine behind [`Service`]; shared, because its watchman needs it too.
pub(super) struct Local(pub(super) Arc<Engine>);

fn ready<T>(outcome: Option<Result<T>>) -> Poll<Result<T>> {
    match outcome {
        Some(outcome) => Poll::Ready(outcome),
        None => Poll::Pending,
    }
}

impl Local {
    /// Works on the connection of a request that is taken and not fully answered.
    fn on_request<T>(
        &self,
        queue: QueueId,
        request: RequestId,
        work: impl FnOnce(&mut Active<'_>) -> Option<Result<T>>,
    ) -> Poll<Result<T>> {
        let Some(connection) = self.0.connection_of(request.0) else {
            return Poll::Ready(Err(UNKNOWN_REQUEST));
        };
        let mut active = Active::new(&self.0, connection);
        let outcome = match active.exchange_of(queue, request) {
            Some(_) => work(&mut active),
            None => Some(Err(UNKNOWN_REQUEST)),
        };
        active.finish();
        ready(outcome)
    }

    /// Takes a request that waited on a queue, if it still stands.
    pub(super) fn claim(&self, request: RequestId) -> Option<Delivery> {
        Active::new(&self.0, self.0.connection_of(request.0)?).claim(request)
    }

    /// The outcome of what never waits.
    fn now<T>(&self, outcome: Poll<Result<T>>) -> Result<T> {
        match outcome {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => Err(Error::INTERNAL_ERROR),
        }
    }

    /// A URL that lies under a prefix registered for this queue; else `INVALID_PARAMETER`.
    fn own_url(&self, queue: QueueId, url: &[u16]) -> Result<UrlPrefix> {
        self.0.queue(queue)?;
        let url = UrlPrefix::parse(url)?;
        if self.0.is_served_by(&url, queue) { Ok(url) } else { Err(Error::INVALID_PARAMETER) }
    }
}

impl Service for Local {
    fn create_session(&self) -> Result<SessionId> {
        Ok(self.0.directory.create_session())
    }

    fn close_session(&self, session: SessionId) -> Result<()> {
        for group in self.0.directory.close_session(session)? {
            group.bind(None);
            self.0.stop_listening(group.id, None);
            self.0.unregister_all(UrlOwner::Group(group.id));
        }
        log::settle();
        Ok(())
    }

    fn create_group(&self, session: SessionId) -> Result<GroupId> {
        self.0.directory.create_group(session)
    }

    fn close_group(&self, group: GroupId) -> Result<()> {
        let group = self.0.directory.close_group(group)?;
        group.bind(None);
        self.0.stop_listening(group.id, None);
        self.0.unregister_all(UrlOwner::Group(group.id));
        drop(group);
        log::settle();
        Ok(())
    }

    fn bind_group(&self, group: GroupId, queue: Option<QueueId>) -> Result<()> {
        let group = self.0.directory.group(group)?;
        let queue = match queue {
            Some(id) => Some(self.0.queue(id).map_err(|_| Error::INVALID_PARAMETER)?),
            None => None,
        };
        if queue.as_ref().is_some_and(|q| q.version == ApiVersion::V1) {
            return Err(Error::INVALID_PARAMETER);
        }
        group.bind(queue);
        Ok(())
    }

    fn add_url(&self, owner: UrlOwner, url: &[u16], context: u64) -> Result<()> {
        self.0.register(owner, url, context)?;
        self.0.start_watchman();
        Ok(())
    }

    fn remove_url(&self, owner: UrlOwner, url: Option<&[u16]>) -> Result<()> {
        match owner {
            UrlOwner::Group(id) => drop(self.0.directory.group(id)?),
            UrlOwner::Queue(id) => drop(self.0.queue(id)?),
        }
        match url {
            Some(url) => self.0.unregister(owner, url),
            None => {
                self.0.unregister_all(owner);
                Ok(())
            }
        }
    }

    fn listen(&self, group: GroupId, listen: Listen, given: Option<Arc<File>>) -> Result<()> {
        self.0.listen(group, listen, given)?;
        self.0.start_watchman();
        Ok(())
    }

    fn stop_listening(&self, group: GroupId, address: Option<ListenAddress>) -> Result<()> {
        self.0.directory.group(group)?;
        let stopped = self.0.stop_listening(group, address.as_ref());
        if stopped || address.is_none() { Ok(()) } else { Err(Error::FILE_NOT_FOUND) }
    }

    fn set_property(&self, holder: Holder, property: Property) -> Result<()> {
        let of_log = property.kind() == PropertyKind::Logging;
        let outcome = match holder {
            Holder::Session(id) => self.0.directory.set_session(id, property),
            Holder::Group(id) => self.0.directory.group(id)?.set(property),
            Holder::Queue(id) => self.0.queue(id)?.set(property),
        };
        if of_log {
            log::settle();
        }
        outcome
    }

    fn property(&self, holder: Holder, kind: PropertyKind) -> Result<Property> {
        match holder {
            Holder::Session(id) => self.0.directory.get_session(id, kind),
            Holder::Group(id) => self.0.directory.group(id)?.get(kind),
            Holder::Queue(id) => self.0.queue(id)?.get(kind),
        }
    }

    fn add_fragment(&self, queue: QueueId, url: &[u16], mut body: Body, policy: CachePolicy) -> Result<()> {
        let url = self.own_url(queue, url)?;
        measure(&mut body)?;
        let [chunk] = &body[..] else { return Err(Error::INVALID_PARAMETER) };
        self.0.cache.add_fragment(queue, &url, chunk, policy, self.0.now_ms())
    }

    fn read_fragment(&self, queue: QueueId, url: &[u16], range: Range, room: u64) -> Result<FragmentPart> {
        self.0.queue(queue)?;
        let url = UrlPrefix::parse(url)?.to_text();
        let bytes = self.0.cache.fragment(queue, &url, self.0.now_ms())?;
        FragmentPart::of(&bytes, range, room)
    }

    fn flush_cache(&self, queue: QueueId, url: &[u16], recursive: bool) -> Result<()> {
        self.0.queue(queue)?;
        self.0.cache.flush(queue, &UrlPrefix::parse(url)?, recursive);
        Ok(())
    }

    fn create_queue(&self, version: ApiVersion) -> Result<QueueId> {
        Ok(self.0.add_queue(version))
    }

    fn shutdown_queue(&self, queue: QueueId) -> Result<()> {
        let queue = self.0.queue(queue)?;
        self.shut(&queue);
        Ok(())
    }

    fn close_queue(&self, queue: QueueId) -> Result<()> {
        let queue = self.0.remove_queue(queue)?;
        self.0.cache.forget_queue(queue.id);
        if queue.version == ApiVersion::V1 {
            self.0.unregister_all(UrlOwner::Queue(queue.id));
        }
        for group in self.0.directory.groups() {
            group.unbind(&queue);
        }
        self.close(&queue);
        Ok(())
    }

    fn queue_descriptor(&self, queue: QueueId) -> Result<Arc<File>> {
        self.0.queue(queue)?.descriptor()
    }

    fn receive(&self, queue: QueueId, pend: Pend<'_, Delivery>) -> Poll<Result<Delivery>> {
        let queue = match self.0.queue(queue) {
            Ok(queue) => queue,
            Err(error) => return Poll::Ready(Err(error)),
        };
        loop {
            match queue.take(pend) {
                Err(error) => return Poll::Ready(Err(error)),
                Ok(None) => return Poll::Pending,
                Ok(Some(request)) => {
                    if let Some(delivery) = self.claim(request) {
                        return Poll::Ready(Ok(delivery));
                    }
                }
            }
        }
    }

    fn receive_blocking(&self, queue: QueueId) -> Option<Result<Delivery>> {
        Some(self.wait_for_request(queue))
    }

    fn receive_again(&self, queue: QueueId, request: RequestId) -> Result<Delivery> {
        let connection = self.0.connection_of(request.0).ok_or(UNKNOWN_REQUEST)?;
        let mut active = Active::new(&self.0, connection);
        active.exchange_of(queue, request).ok_or(UNKNOWN_REQUEST)?;
        active.delivery().ok_or(UNKNOWN_REQUEST)
    }

    fn read_body(
        &self,
        queue: QueueId,
        request: RequestId,
        mode: BodyRead,
        buffer: LentBuffer,
        pend: Pend<'_, BodyPart>,
    ) -> Poll<Result<BodyPart>> {
        self.on_request(queue, request, |active| active.read_body(mode, buffer, pend))
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
        self.on_request(queue, request, |active| active.send_response(flags, head, body, pend))
    }

    fn send_body(
        &self,
        queue: QueueId,
        request: RequestId,
        flags: SendFlags,
        body: &mut Body,
        pend: Pend<'_, u64>,
    ) -> Poll<Result<u64>> {
        self.on_request(queue, request, |active| active.send_more(flags, body, pend))
    }

    fn log_response(&self, queue: QueueId, request: RequestId, fields: Box<LogFields>) -> Result<()> {
        let connection = self.0.connection_of(request.0).ok_or(UNKNOWN_REQUEST)?;
        let mut active = Active::new(&self.0, connection);
        active.exchange_of(queue, request).ok_or(UNKNOWN_REQUEST)?.note_log(|| Some(fields));
        Ok(())
    }

    fn logs(&self) -> bool {
        log::ever_opened()
    }

    fn metrics(&self) -> Result<String> {
        Ok(metrics::text(&self.0.snapshot()))
    }

    fn ask_request(&self, queue: QueueId, request: RequestId, question: Question) -> Result<Fact> {
        self.now(self.on_request(queue, request, |active| Some(active.ask(question))))
    }

    fn tell_request(&self, queue: QueueId, request: RequestId, fact: Fact) -> Result<()> {
        self.now(self.on_request(queue, request, |active| Some(active.tell(fact))))
    }

    fn tell_identity(&self, queue: QueueId, request: RequestId, identity: Box<Identity>) -> Result<()> {
        self.now(self.on_request(queue, request, |active| Some(active.take_identity(*identity))))
    }

    fn find_group(&self, queue: QueueId, url: &[u16]) -> Result<GroupId> {
        self.0.queue(queue)?;
        self.0.group_with(queue, &UrlPrefix::parse(url)?).ok_or(Error::FILE_NOT_FOUND)
    }

    fn cancel_request(&self, queue: QueueId, request: RequestId) -> Result<()> {
        let outcome = self.on_request(queue, request, |active| {
            if let Some(socket) = &active.state.socket {
                socket.reset_on_close();
            }
            active.break_off_with(Error::OPERATION_ABORTED);
            Some(Ok(()))
        });
        match outcome {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => Ok(()),
        }
    }

    fn wait_for_disconnect(
        &self,
        queue: QueueId,
        connection: ConnectionId,
        pend: Pend<'_, ()>,
    ) -> Poll<Result<()>> {
        let Some(found) = self.0.connection_of(connection.0) else {
            return Poll::Ready(Err(self.0.queue(queue).err().unwrap_or(UNKNOWN_REQUEST)));
        };
        let mut active = Active::new(&self.0, found);
        // Under the connection's lock: a queue that closes takes that to end the waits, after its id is gone.
        if let Err(error) = self.0.queue(queue) {
            return Poll::Ready(Err(error));
        }
        if active.state.id != connection || active.state.phase == Phase::Closed {
            return Poll::Ready(Err(UNKNOWN_REQUEST));
        }
        active.await_disconnect(queue, pend());
        Poll::Pending
    }

    fn abort(&self, queue: QueueId, operation: OperationId) -> bool {
        if let Ok(queue) = self.0.queue(queue)
            && let Some(receive) = queue.abort(operation)
        {
            receive.send(Err(Error::OPERATION_ABORTED));
            return true;
        }
        let try_one = |connection: &Connection| {
            let mut active = Active::new(&self.0, connection);
            let found = active.abort(operation);
            active.finish();
            found
        };
        self.0.slots.all().any(try_one)
    }
}

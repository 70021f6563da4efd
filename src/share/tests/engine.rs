//! The engine the tests talk to: it notes every command, and answers at once, later or early as told.

use std::collections::HashMap;
use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use parking_lot::{Condvar, Mutex};

use crate::abi::error::{Error, Result};
use crate::server::service::{
    ApiVersion, Body, BodyPart, BodyRead, CachePolicy, Chunk, Claim, ConnectionId, Delivery, DeliveryExtras,
    Evidence, Fact, FragmentPart, GroupId, Holder, Identity, Listen, ListenAddress, LogFields, OperationId,
    Pend, Property, PropertyKind, Question, QueueId, Range, Reply, RequestId, RequestInfo, ResponseHead,
    SendFlags, Service, SessionId, Sizing, Timeouts, UrlOwner,
};
use crate::win32::lent::LentBuffer;
use crate::wire::Span;
use crate::wire::field::Field;
use crate::wire::request::{Framing, RequestHead, Verb};

/// How commands that may wait are answered.
#[derive(Clone, Copy, Default, PartialEq)]
pub(super) enum Manner {
    /// At once.
    #[default]
    AtOnce,
    /// The reply is called before the command has returned `Pending`.
    Early,
    /// The reply is called by another thread.
    Later,
    /// The reply is kept until it is aborted, the queue is closed, or [`Fake::release`].
    Held,
}

type Release = Box<dyn FnOnce(Result<()>) + Send>;

#[derive(Default)]
pub(super) struct Fake {
    pub(super) manner: Mutex<Manner>,
    /// Every command, as text.
    pub(super) log: Mutex<Vec<String>>,
    /// Error of the next command that can fail.
    pub(super) fail: Mutex<Option<Error>>,
    /// Bytes of request body there are to read, and how many have been.
    pub(super) upload: Mutex<(u64, u64)>,
    /// Bytes sent, checked to be [`pattern`] unless they are kept.
    pub(super) sent: AtomicU64,
    /// The most memory lent by one call.
    pub(super) most_lent: AtomicU64,
    /// Keeps what is sent instead of checking it.
    pub(super) kept: Mutex<Option<Vec<u8>>>,
    held: Mutex<HashMap<OperationId, (QueueId, Release)>>,
    changed: Condvar,
    last_id: AtomicU64,
}

/// The byte at `at` of every body of the tests.
pub(super) fn pattern(at: u64) -> u8 {
    (at % 251) as u8
}

/// A body of `len` bytes, from `at`.
pub(super) fn patterned(at: u64, len: usize) -> Vec<u8> {
    (at..at + len as u64).map(pattern).collect()
}

/// A delivery with something in each field.
pub(super) fn delivery(request: u64) -> Delivery {
    let bytes = b"BREW /pot%41?x HTTP/1.1\r\nHost: h:1\r\n\r\n".to_vec();
    let span = |start, len| Span { start, len };
    let head = RequestHead {
        verb: Verb::Unknown,
        verb_text: span(0, 4),
        target: span(5, 9),
        version: (1, 1),
        fields: vec![Field { id: 28, name: span(25, 4), value: span(31, 3) }],
        host: Some(span(31, 3)),
        raw_path: span(5, 7),
        raw_query: span(12, 2),
        decoded_path: Some("/potA".into()),
        framing: Framing::Length(77),
        keep_alive: false,
        expect_continue: true,
        bytes,
    };
    Delivery {
        request: RequestId(request),
        connection: ConnectionId(request + 1),
        url_context: u64::MAX,
        head: Arc::new(head),
        local: "127.0.0.1:80".parse::<SocketAddr>().unwrap(),
        remote: "[fe80::1%7]:65535".parse::<SocketAddr>().unwrap(),
        bytes_received: 38,
        more_body: true,
        ip_routed: true,
        extras: Some(Box::new(DeliveryExtras {
            trailers: b"X-Sum: 1\r\n".to_vec(),
            infos: vec![
                RequestInfo::Auth(Box::new(claimant())),
                RequestInfo::Sizing(Sizing { index: 3, head: 99 }),
            ],
        })),
    }
}

/// Somebody whose password is to be judged at the other end.
pub(super) fn claimant() -> Identity {
    let evidence = Evidence::Password(b"secret".to_vec());
    let claim = Claim { verifier: 7, user: b"ann".to_vec(), realm: b"r".to_vec(), evidence };
    Identity { claim: Some(Box::new(claim)), ..Identity::default() }
}

impl Fake {
    /// Notes a command; fails it if told so.
    fn note(&self, command: String) -> Result<()> {
        // Taken first: who has seen the command in the log sets the error of the next one.
        let fail = self.fail.lock().take();
        self.log.lock().push(command);
        self.changed.notify_all();
        fail.map_or(Ok(()), Err)
    }

    fn id(&self) -> u64 {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The commands since the last time.
    pub(super) fn commands(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock())
    }

    /// Waits until a command that starts so has come.
    pub(super) fn wait_for(&self, command: &str) {
        let mut log = self.log.lock();
        while !log.iter().any(|noted| noted.starts_with(command)) {
            self.changed.wait(&mut log);
        }
    }

    /// Completes all held operations, once there is one: the guest learns that an operation pends before the
    /// engine has put it away.
    pub(super) fn release(&self) {
        self.wait_held(1);
        let held: Vec<_> = self.held.lock().drain().collect();
        held.into_iter().for_each(|(_, (_, release))| release(Ok(())));
    }

    /// Waits until at least so many operations are held.
    pub(super) fn wait_held(&self, count: usize) {
        while self.held.lock().len() < count {
            std::thread::yield_now();
        }
    }

    fn release_queue(&self, queue: QueueId) {
        let held: Vec<_> = self.held.lock().extract_if(|_, (of, _)| *of == queue).collect();
        held.into_iter().for_each(|(_, (_, release))| release(Err(Error::OPERATION_ABORTED)));
    }

    /// Answers in the manner set.
    fn answer<T: Send + 'static>(
        &self,
        queue: QueueId,
        result: Result<T>,
        pend: Pend<'_, T>,
    ) -> Poll<Result<T>> {
        let manner = *self.manner.lock();
        if manner == Manner::AtOnce {
            return Poll::Ready(result);
        }
        let reply: Reply<T> = pend();
        match manner {
            Manner::Early => reply.send(result),
            Manner::Later => drop(std::thread::spawn(move || reply.send(result))),
            _ => {
                let operation = reply.operation;
                let release = move |how: Result<()>| reply.send(how.and(result));
                assert!(self.held.lock().insert(operation, (queue, Box::new(release))).is_none());
            }
        }
        Poll::Pending
    }

    fn consume(&self, body: Body) -> u64 {
        let mut count = 0;
        let mut lent = 0;
        for chunk in body {
            let bytes = match &chunk {
                Chunk::Memory(bytes) => bytes.as_slice().to_vec(),
                Chunk::Shared { .. } | Chunk::Fragment { .. } | Chunk::Trailers(_) => {
                    unreachable!("no test sends one")
                }
                Chunk::File { file, offset, length } => {
                    let length = length.unwrap_or_else(|| file.metadata().unwrap().len() - offset);
                    let mut bytes = vec![0; length as usize];
                    file.read_exact_at(&mut bytes, *offset).unwrap();
                    bytes
                }
            };
            if matches!(chunk, Chunk::Memory(_)) {
                lent += bytes.len() as u64;
            }
            count += bytes.len() as u64;
            match &mut *self.kept.lock() {
                Some(kept) => kept.extend(bytes),
                None => {
                    let at = self.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                    let same = |(place, byte): (usize, &u8)| *byte == pattern(at + place as u64);
                    assert!(bytes.iter().enumerate().all(same), "body differs");
                }
            }
        }
        self.most_lent.fetch_max(lent, Ordering::Relaxed);
        count
    }
}

impl Service for Fake {
    fn create_session(&self) -> Result<SessionId> {
        self.note("create_session".into())?;
        Ok(SessionId(self.id()))
    }
    fn close_session(&self, session: SessionId) -> Result<()> {
        self.note(format!("close_session {session:?}"))
    }
    fn create_group(&self, session: SessionId) -> Result<GroupId> {
        self.note(format!("create_group {session:?}"))?;
        Ok(GroupId(self.id()))
    }
    fn close_group(&self, group: GroupId) -> Result<()> {
        self.note(format!("close_group {group:?}"))
    }
    fn bind_group(&self, group: GroupId, queue: Option<QueueId>) -> Result<()> {
        self.note(format!("bind_group {group:?} {queue:?}"))
    }
    fn add_url(&self, owner: UrlOwner, url: &[u16], context: u64) -> Result<()> {
        self.note(format!("add_url {owner:?} {url:?} {context}"))
    }
    fn remove_url(&self, owner: UrlOwner, url: Option<&[u16]>) -> Result<()> {
        self.note(format!("remove_url {owner:?} {url:?}"))
    }
    fn listen(&self, group: GroupId, listen: Listen, given: Option<Arc<File>>) -> Result<()> {
        self.note(format!("listen {group:?} {listen:?} {}", given.is_some()))
    }
    fn stop_listening(&self, group: GroupId, address: Option<ListenAddress>) -> Result<()> {
        self.note(format!("stop_listening {group:?} {address:?}"))
    }
    fn set_property(&self, holder: Holder, property: Property) -> Result<()> {
        self.note(format!("set_property {holder:?} {property:?}"))
    }
    fn property(&self, holder: Holder, kind: PropertyKind) -> Result<Property> {
        self.note(format!("property {holder:?} {kind:?}"))?;
        Ok(match kind {
            PropertyKind::State => Property::State(Some(false)),
            PropertyKind::Timeouts => {
                Property::Timeouts(Some(Timeouts { min_send_rate: u32::MAX, ..Timeouts::default() }))
            }
            PropertyKind::QueueLength => Property::QueueLength(1000),
            PropertyKind::Verbosity => Property::Verbosity(crate::server::service::Verbosity::Full),
            _ => return Err(Error::INVALID_PARAMETER),
        })
    }
    fn add_fragment(&self, queue: QueueId, url: &[u16], body: Body, policy: CachePolicy) -> Result<()> {
        let bytes: Vec<_> = body.iter().filter_map(|chunk| chunk.memory().map(<[u8]>::to_vec)).collect();
        self.note(format!("add_fragment {queue:?} {url:?} {bytes:?} {policy:?}"))
    }
    fn read_fragment(&self, queue: QueueId, url: &[u16], range: Range, room: u64) -> Result<FragmentPart> {
        self.note(format!("read_fragment {queue:?} {url:?} {range:?} {room}"))?;
        FragmentPart::of(b"0123456789", range, room)
    }
    fn flush_cache(&self, queue: QueueId, url: &[u16], recursive: bool) -> Result<()> {
        self.note(format!("flush_cache {queue:?} {url:?} {recursive}"))
    }
    fn create_queue(&self, version: ApiVersion) -> Result<QueueId> {
        self.note(format!("create_queue {version:?}"))?;
        Ok(QueueId(self.id()))
    }
    fn shutdown_queue(&self, queue: QueueId) -> Result<()> {
        self.note(format!("shutdown_queue {queue:?}"))?;
        self.release_queue(queue);
        Ok(())
    }
    fn close_queue(&self, queue: QueueId) -> Result<()> {
        self.release_queue(queue);
        self.note(format!("close_queue {queue:?}"))
    }
    fn receive(&self, queue: QueueId, pend: Pend<'_, Delivery>) -> Poll<Result<Delivery>> {
        let answered = self.answer(queue, Ok(delivery(queue.0)), pend);
        let noted = self.note(format!("receive {queue:?}"));
        noted.map_or_else(|error| Poll::Ready(Err(error)), |()| answered)
    }
    fn receive_again(&self, queue: QueueId, request: RequestId) -> Result<Delivery> {
        self.note(format!("receive_again {queue:?} {request:?}"))?;
        Ok(delivery(request.0))
    }
    fn read_body(
        &self,
        queue: QueueId,
        request: RequestId,
        mode: BodyRead,
        mut buffer: LentBuffer,
        pend: Pend<'_, BodyPart>,
    ) -> Poll<Result<BodyPart>> {
        if let Err(error) = self.note(format!("read_body {queue:?} {request:?} {mode:?} {}", buffer.len())) {
            return Poll::Ready(Err(error));
        }
        let mut upload = self.upload.lock();
        let (total, at) = *upload;
        if buffer.is_empty() || at == total {
            let error = if at == total { Error::HANDLE_EOF } else { Error::MORE_DATA };
            return Poll::Ready(Err(error));
        }
        let len = buffer.len().min((total - at) as usize);
        buffer.as_mut_slice()[..len].copy_from_slice(&patterned(at, len));
        upload.1 += len as u64;
        let more_body = upload.1 < total;
        drop(upload);
        self.answer(queue, Ok(BodyPart { buffer, len, more_body }), pend)
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
        if let Err(error) = self.note(format!("send_response {queue:?} {request:?} {flags:?} {head:?}")) {
            return Poll::Ready(Err(error));
        }
        self.answer(queue, Ok(self.consume(std::mem::take(body))), pend)
    }
    fn send_body(
        &self,
        queue: QueueId,
        request: RequestId,
        flags: SendFlags,
        body: &mut Body,
        pend: Pend<'_, u64>,
    ) -> Poll<Result<u64>> {
        let sent = self.consume(std::mem::take(body));
        let answered = self.answer(queue, Ok(sent), pend);
        let noted = self.note(format!("send_body {queue:?} {request:?} {flags:?}"));
        noted.map_or_else(|error| Poll::Ready(Err(error)), |()| answered)
    }
    fn tell_identity(&self, queue: QueueId, request: RequestId, identity: Box<Identity>) -> Result<()> {
        self.note(format!("tell_identity {queue:?} {request:?} {identity:?}"))
    }
    fn log_response(&self, queue: QueueId, request: RequestId, fields: Box<LogFields>) -> Result<()> {
        self.note(format!("log_response {queue:?} {request:?} {fields:?}"))
    }
    fn metrics(&self) -> Result<String> {
        self.note("metrics".into()).map(|()| "a 1\n".into())
    }
    fn queue_descriptor(&self, queue: QueueId) -> Result<Arc<File>> {
        self.note(format!("queue_descriptor {queue:?}"))?;
        File::open("/dev/null").map(Arc::new).map_err(|_| Error::NO_SYSTEM_RESOURCES)
    }
    fn ask_request(&self, queue: QueueId, request: RequestId, question: Question) -> Result<Fact> {
        self.note(format!("ask_request {queue:?} {request:?} {question:?}"))?;
        Ok(Fact::Dscp(7))
    }
    fn tell_request(&self, queue: QueueId, request: RequestId, fact: Fact) -> Result<()> {
        self.note(format!("tell_request {queue:?} {request:?} {fact:?}"))
    }
    fn find_group(&self, queue: QueueId, url: &[u16]) -> Result<GroupId> {
        self.note(format!("find_group {queue:?} {url:?}"))?;
        Ok(GroupId(9))
    }
    fn cancel_request(&self, queue: QueueId, request: RequestId) -> Result<()> {
        self.note(format!("cancel_request {queue:?} {request:?}"))
    }
    fn wait_for_disconnect(
        &self,
        queue: QueueId,
        connection: ConnectionId,
        pend: Pend<'_, ()>,
    ) -> Poll<Result<()>> {
        let answered = self.answer(queue, Ok(()), pend);
        let noted = self.note(format!("wait_for_disconnect {queue:?} {connection:?}"));
        noted.map_or_else(|error| Poll::Ready(Err(error)), |()| answered)
    }
    fn abort(&self, queue: QueueId, operation: OperationId) -> bool {
        let held = self.held.lock().remove(&operation);
        held.is_some_and(|(of, release)| {
            assert_eq!(of, queue);
            release(Err(Error::OPERATION_ABORTED));
            true
        })
    }
}

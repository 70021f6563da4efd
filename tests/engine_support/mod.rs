//! What the tests of the engine share: a queue on a port of its own, plain clients, waits that end.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(missing_docs, unreachable_pub, reason = "names say it, and tests have no public face")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Poll;
use std::time::{Duration, Instant};

use nthttp::abi::error::{Error, Result};
use nthttp::server::local;
use nthttp::server::service::*;
use nthttp::win32::lent::{LentBuffer, LentBytes};

/// Longer than anything here takes, on the slowest machine.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// One queue that serves all of one port.
pub(crate) struct Server {
    pub service: Arc<dyn Service>,
    pub session: SessionId,
    pub group: GroupId,
    pub queue: QueueId,
    pub port: u16,
}

/// An operation that may be pending.
pub(crate) struct Pending<T> {
    pub id: OperationId,
    arrival: Receiver<Result<T>>,
}

impl<T> Pending<T> {
    /// Its outcome; fails the test if there is none in good time.
    pub(crate) fn outcome(self) -> Result<T> {
        self.arrival.recv_timeout(LONG).expect("the operation completes")
    }

    /// Its outcome, unless that was taken before.
    pub(crate) fn outcome_if_any(self) -> Option<Result<T>> {
        self.arrival.recv_timeout(LONG).ok()
    }

    /// Its outcome if it is there.
    pub(crate) fn outcome_now(&self) -> Option<Result<T>> {
        self.arrival.try_recv().ok()
    }
}

fn operation() -> OperationId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    OperationId(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Starts an operation; its outcome arrives in the same place whether at once or later.
pub(crate) fn start<T: Send + 'static>(call: impl FnOnce(Pend<'_, T>) -> Poll<Result<T>>) -> Pending<T> {
    let (sender, arrival): (Sender<Result<T>>, _) = channel();
    let id = operation();
    let mut later = Some(sender.clone());
    let started = call(&mut || {
        let sender = later.take().unwrap();
        Reply::new(id, move |outcome| drop(sender.send(outcome)))
    });
    if let Poll::Ready(outcome) = started {
        sender.send(outcome).unwrap();
    }
    Pending { id, arrival }
}

impl Server {
    pub(crate) fn new() -> Server {
        let service = local().unwrap();
        let session = service.create_session().unwrap();
        let group = service.create_group(session).unwrap();
        let queue = service.create_queue(ApiVersion::V2).unwrap();
        service.bind_group(group, Some(queue)).unwrap();
        let port = loop {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let url: Vec<u16> = format!("http://+:{port}/").encode_utf16().collect();
            if service.add_url(UrlOwner::Group(group), &url, 7).is_ok() {
                break port;
            }
        };
        Server { service, session, group, queue, port }
    }

    /// Sets timeouts of the group, in seconds; the others stay.
    pub(crate) fn timeouts(&self, timeouts: Timeouts) {
        self.service.set_property(Holder::Group(self.group), Property::Timeouts(Some(timeouts))).unwrap();
    }

    pub(crate) fn client(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    pub(crate) fn receive(&self) -> Pending<Delivery> {
        start(|pend| self.service.receive(self.queue, pend))
    }

    /// The id of the next request.
    pub(crate) fn next(&self) -> RequestId {
        self.receive().outcome().unwrap().request
    }

    pub(crate) fn send(
        &self,
        request: RequestId,
        flags: SendFlags,
        status: u16,
        body: Vec<u8>,
    ) -> Pending<u64> {
        let head = ResponseHead { status, ..ResponseHead::default() };
        let mut chunks = Body::new();
        chunks.push(Chunk::Memory(LentBytes::owned(body)));
        start(|pend| self.service.send_response(self.queue, request, flags, &head, &mut chunks, pend))
    }

    /// Answers a request with 200 and a body.
    pub(crate) fn answer(&self, request: RequestId, body: &str) {
        self.send(request, SendFlags::default(), 200, body.into()).outcome().unwrap();
    }

    pub(crate) fn read(&self, request: RequestId, mode: BodyRead, len: usize) -> Pending<BodyPart> {
        let buffer = LentBuffer::owned(vec![0; len]);
        start(|pend| self.service.read_body(self.queue, request, mode, buffer, pend))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.service.close_queue(self.queue);
        let _ = self.service.close_session(self.session);
    }
}

/// Bytes of a body part.
pub(crate) fn text(mut part: BodyPart) -> Vec<u8> {
    part.buffer.as_mut_slice()[..part.len].to_vec()
}

/// Reads until the bytes end in `end`.
pub(crate) fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut got = Vec::new();
    let mut byte = [0; 1];
    while !got.ends_with(end.as_bytes()) {
        match stream.read(&mut byte) {
            Ok(1) => got.push(byte[0]),
            other => panic!("{other:?} after {:?}", String::from_utf8_lossy(&got)),
        }
    }
    String::from_utf8(got).unwrap()
}

/// Everything until the server ends its side or resets, and whether it ended orderly.
pub(crate) fn read_all(stream: &mut TcpStream) -> (Vec<u8>, bool) {
    let mut got = Vec::new();
    let mut part = [0; 4096];
    loop {
        match stream.read(&mut part) {
            Ok(0) => return (got, true),
            Ok(n) => got.extend_from_slice(&part[..n]),
            Err(e) if e.kind() == std::io::ErrorKind::ConnectionReset => return (got, false),
            Err(e) => panic!("{e} after {} bytes", got.len()),
        }
    }
}

/// Waits until something holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LONG, "never: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Writes all bytes in one segment.
pub(crate) fn put(stream: &mut TcpStream, bytes: impl AsRef<[u8]>) {
    stream.write_all(bytes.as_ref()).unwrap();
}

pub(crate) const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

pub(crate) fn is_over<T>(outcome: Result<T>) -> bool {
    matches!(outcome, Err(Error::CONNECTION_INVALID | Error::NETNAME_DELETED | Error::OPERATION_ABORTED))
}

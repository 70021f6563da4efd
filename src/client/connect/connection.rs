//! One connection to a server: the socket, what was received and not yet used, and the head being sent.
//!
//! It travels between requests through `pool`, buffers and all, so that an exchange on a warm connection
//! allocates nothing.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::abi::error::Error;
use crate::net::client_stream::ClientStream;
use crate::net::clock;
use crate::wire::request::Framing;
use crate::wire::response::ResponseHead;

use super::extended_error;
use super::network::{Mark, Path};
use super::waiting::Slot;

use crate::client::operation::Patience;
use crate::client::proxy::Passage;
use crate::client::workers::{Watch, WatchId};

/// Where connections lead: those to the same origin can stand for each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    /// Name or address to connect to: the server's, or the proxy's.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// How it goes on from there.
    pub(crate) passage: Passage,
    /// Connections are shared inside one partition only; 0 is the whole process.
    pub(crate) partition: u64,
    /// How it is led to, if not in the usual way.
    pub(crate) path: Option<Arc<Path>>,
}

/// Bytes received at a time into the connection's own buffer.
const RECEIVE_SIZE: usize = 8 * 1024;

/// The same, once a receive has shown that more comes.
const BUSY_SIZE: usize = 64 * 1024;

/// A connection and its buffers.
pub(crate) struct Connection {
    /// How the workers know it, once an asynchronous request has waited on it. Dropped before the stream closes.
    pub(super) watch: Option<Watch>,
    pub(crate) stream: ClientStream,
    pub(crate) origin: Arc<Origin>,
    /// This end and the other, for WINHTTP_OPTION_CONNECTION_INFO.
    pub(crate) addresses: (SocketAddr, SocketAddr),
    /// The head being sent.
    pub(crate) output: Vec<u8>,
    /// It has waited in the pool, so the server may have given it up in the meantime.
    pub(crate) reused: bool,
    /// Bytes received so far.
    pub(crate) received: u64,
    /// How many requests it has carried.
    pub(crate) served: u32,
    /// When it was made, in steps of [`clock::ticks`].
    pub(super) since: u64,
    /// When it was last taken from the pool.
    pub(super) touched: u64,
    /// Seconds that the server promises to keep it when it is idle.
    pub(crate) keep_for: Option<u32>,
    /// The server may say more than it was asked for.
    pub(super) doubtful: bool,
    input: Vec<u8>,
    start: usize,
    end: usize,
    /// After the stream: the place is free when that is closed.
    slot: Slot,
}

impl Connection {
    /// Takes over a fresh stream.
    pub(super) fn new(stream: ClientStream, slot: Slot) -> Box<Connection> {
        let now = clock::ticks();
        Box::new(Connection {
            watch: None,
            addresses: stream.addresses(),
            stream,
            origin: Arc::clone(&slot.origin),
            output: Vec::new(),
            reused: false,
            received: 0,
            served: 0,
            since: now,
            touched: now,
            keep_for: None,
            doubtful: true,
            input: vec![0; RECEIVE_SIZE],
            start: 0,
            end: 0,
            slot,
        })
    }

    /// Closes the connection and keeps its place.
    pub(crate) fn into_slot(self) -> Slot {
        self.slot
    }

    /// The watch, the stream, and what was received and not used, for who speaks something else on it. Its place is
    /// free for another.
    pub(crate) fn into_parts(mut self) -> (Option<Watch>, ClientStream, Vec<u8>) {
        let begun = self.buffered().to_vec();
        (self.watch.take(), self.stream, begun)
    }

    /// The group it belongs to.
    pub(super) fn mark(&self) -> Option<Mark> {
        self.slot.mark
    }

    /// Moves it to a group.
    pub(super) fn set_mark(&mut self, mark: Option<Mark>) {
        self.slot.set_mark(mark);
    }

    /// Learns from a final response head how long the server keeps the connection, and how old its HTTP is. `interim`
    /// when there were others before it.
    pub(crate) fn learn(&mut self, head: &ResponseHead, framing: Framing, interim: bool) {
        self.doubt(head, framing, interim);
        self.keep_for = head.keep_alive_timeout();
        if head.version < (1, 1) {
            self.slot.set_old();
        }
    }

    /// Received and not yet used.
    #[inline]
    pub(crate) fn buffered(&self) -> &[u8] {
        &self.input[self.start..self.end]
    }

    /// Marks bytes at the front as used.
    #[inline]
    pub(crate) fn consume(&mut self, count: usize) {
        self.start += count;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Receives some bytes behind those in the buffer; 0 is the end of the stream. Unless `patience` is to wait, an
    /// error of kind `WouldBlock` means that nothing has arrived.
    pub(crate) fn fill(&mut self, patience: Patience) -> io::Result<usize> {
        if self.end == self.input.len() {
            self.make_room();
        }
        let Connection { watch, stream, input, end, .. } = self;
        let got = receive(stream, watch.as_ref(), &mut input[*end..], patience)?;
        self.received += got as u64;
        self.end += got;
        if self.end == self.input.len() && self.end < BUSY_SIZE {
            self.input.resize(BUSY_SIZE, 0);
        }
        Ok(got)
    }

    /// As [`Connection::fill`], past the connection's own buffer, which is empty. What there is behind that is not seen.
    pub(crate) fn receive(&mut self, room: &mut [u8], patience: Patience) -> io::Result<usize> {
        self.doubtful = true;
        let got = receive(&self.stream, self.watch.as_ref(), room, patience)?;
        self.received += got as u64;
        Ok(got)
    }

    /// Sends as much as can be without waiting.
    pub(crate) fn send_now(&self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(watch) = &self.watch {
            watch.will_send();
        }
        self.stream.send_now(bytes)
    }

    /// What to wait with for the stream.
    pub(crate) fn watched(&mut self) -> io::Result<WatchId> {
        match &self.watch {
            Some(watch) => Ok(watch.id()),
            None => Ok(self.watch.insert(Watch::new(&self.stream)?).id()),
        }
    }

    fn make_room(&mut self) {
        if self.start > 0 {
            self.input.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        } else {
            let len = self.input.len() * 2;
            self.input.resize(len, 0);
        }
    }

    /// Gives memory back that only an unusual exchange needed, before the connection waits in the pool.
    pub(crate) fn shrink(&mut self) {
        if self.input.len() > RECEIVE_SIZE {
            self.input.truncate(RECEIVE_SIZE);
            self.input.shrink_to_fit();
        }
        if self.output.capacity() > RECEIVE_SIZE {
            self.output = Vec::new();
        }
    }
}

fn receive(
    stream: &ClientStream,
    watch: Option<&Watch>,
    room: &mut [u8],
    patience: Patience,
) -> io::Result<usize> {
    match (patience, watch) {
        (Patience::Wait, _) => stream.receive(room),
        (Patience::Work, Some(watch)) => watch.receive(room, |room| stream.receive_now(room)),
        // Who passes by is not behind what has been reported, but ahead of it.
        (Patience::Work | Patience::Probe, _) => stream.receive_now(room),
    }
}

/// What a failed send or receive is called.
pub(crate) fn io_error(error: &io::Error) -> Error {
    extended_error::note(error);
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Error::WINHTTP_TIMEOUT,
        _ => Error::WINHTTP_CONNECTION_ERROR,
    }
}

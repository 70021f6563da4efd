//! One connection to a server: the socket, what was received and not yet used, and the head being sent.
//!
//! It travels between requests through `pool`, buffers and all, so that an exchange on a warm connection
//! allocates nothing.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::abi::error::Error;
use crate::net::client_stream::ClientStream;

/// Where connections lead: those to the same origin can stand for each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    /// Name or address to connect to: the server's, or the proxy's.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Connections are shared inside one partition only; 0 is the whole process.
    pub(crate) partition: u64,
}

/// Bytes received at a time into the connection's own buffer.
const RECEIVE_SIZE: usize = 8 * 1024;

/// The same, once a receive has shown that more comes.
const BUSY_SIZE: usize = 64 * 1024;

/// A connection and its buffers.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: ClientStream,
    pub(crate) origin: Arc<Origin>,
    /// This end and the other, for WINHTTP_OPTION_CONNECTION_INFO.
    pub(crate) addresses: (SocketAddr, SocketAddr),
    /// The head being sent.
    pub(crate) output: Vec<u8>,
    /// It has carried an exchange before, so the server may have given it up in the meantime.
    pub(crate) reused: bool,
    input: Vec<u8>,
    start: usize,
    end: usize,
}

impl Connection {
    /// Takes over a fresh stream.
    pub(crate) fn new(stream: ClientStream, origin: Arc<Origin>) -> io::Result<Connection> {
        let addresses = stream.addresses()?;
        Ok(Connection {
            stream,
            origin,
            addresses,
            output: Vec::new(),
            reused: false,
            input: vec![0; RECEIVE_SIZE],
            start: 0,
            end: 0,
        })
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

    /// Receives some bytes behind those in the buffer; 0 is the end of the stream. Without `wait`, an error of
    /// kind `WouldBlock` means that nothing has arrived.
    pub(crate) fn fill(&mut self, wait: bool) -> io::Result<usize> {
        if self.end == self.input.len() {
            self.make_room();
        }
        let room = &mut self.input[self.end..];
        let got = if wait { self.stream.receive(room) } else { self.stream.receive_now(room) }?;
        self.end += got;
        if self.end == self.input.len() && self.end < BUSY_SIZE {
            self.input.resize(BUSY_SIZE, 0);
        }
        Ok(got)
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

    /// The stream, for who speaks something else on it.
    pub(crate) fn into_stream(self) -> ClientStream {
        self.stream
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

/// What a failed send or receive is called.
pub(crate) fn io_error(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Error::WINHTTP_TIMEOUT,
        _ => Error::WINHTTP_CONNECTION_ERROR,
    }
}

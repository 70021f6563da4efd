//! What a request remembers of its own course: times, counts, and the connection it used
//! (`WINHTTP_OPTION_REQUEST_TIMES`, `_REQUEST_STATS`, `_CONNECTION_STATS_*`).
//!
//! Written by whoever runs the request and read by anybody, so everything is a number of its own. Clocks that are
//! read anyway are made use of; all times are steps of [`clock::ticks`].

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::abi::error::{Error, Result};
use crate::client::request::Request;
use crate::net::client_stream::Glimpse;
use crate::net::clock;
use crate::net::tcp_facts::TcpFacts;

use super::connection::Connection;

/// Moments; the discriminants are those of `WINHTTP_REQUEST_TIME_ENTRY`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
#[expect(missing_docs, reason = "the enumeration of the C header says what they are")]
pub enum Time {
    ProxyDetectionStart = 0,
    ProxyDetectionEnd = 1,
    ConnectionAcquireStart = 2,
    ConnectionAcquireWaitEnd = 3,
    ConnectionAcquireEnd = 4,
    NameResolutionStart = 5,
    NameResolutionEnd = 6,
    ConnectionEstablishmentStart = 7,
    ConnectionEstablishmentEnd = 8,
    SendRequestStart = 17,
    SendRequestHeadersEnd = 20,
    SendRequestEnd = 21,
    ReceiveResponseStart = 22,
    ReceiveResponseHeadersEnd = 25,
    ReceiveResponseEnd = 27,
    ProxyTunnelStart = 28,
    ProxyTunnelEnd = 29,
}

/// Numbers; the discriminants are those of `WINHTTP_REQUEST_STAT_ENTRY`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
#[expect(missing_docs, reason = "the enumeration of the C header says what they are")]
pub enum Stat {
    ConnectFailureCount = 0,
    ProxyFailureCount = 1,
    RequestHeadersSize = 6,
    ResponseHeadersSize = 8,
    ResponseBodySize = 10,
    ResponseBodyCompressedSize = 11,
}

/// How many moments there are.
pub const TIMES: usize = 36;

/// How many numbers there are.
pub const STATS: usize = 16;

/// See the file's opening.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Ticks of [`clock::ticks`]; 0 is not yet.
    times: [AtomicU64; TIMES],
    stats: [AtomicU64; STATS],
    /// How many requests the connection had carried before.
    index: AtomicU32,
    /// The Winsock number of what went wrong last.
    socket_error: AtomicU32,
    /// The connection used last, and when it was made.
    connection: Mutex<Option<(Glimpse, u64)>>,
}

impl Facts {
    /// Nothing has happened.
    pub(crate) fn new() -> Facts {
        Facts {
            times: [const { AtomicU64::new(0) }; TIMES],
            stats: [const { AtomicU64::new(0) }; STATS],
            index: AtomicU32::new(0),
            socket_error: AtomicU32::new(0),
            connection: Mutex::new(None),
        }
    }

    /// A new exchange begins.
    pub(crate) fn clear(&self) {
        for number in self.times.iter().chain(&self.stats) {
            number.store(0, Ordering::Relaxed);
        }
        self.set_socket_error(0);
    }

    /// A socket call has failed.
    pub(super) fn set_socket_error(&self, code: u32) {
        self.socket_error.store(code, Ordering::Relaxed);
    }

    pub(super) fn socket_error(&self) -> u32 {
        self.socket_error.load(Ordering::Relaxed)
    }

    /// Something happens now.
    #[inline]
    pub(crate) fn mark(&self, time: Time) {
        self.mark_all(&[time], clock::ticks());
    }

    #[inline]
    fn mark_all(&self, times: &[Time], ticks: u64) {
        for time in times {
            self.times[*time as usize].store(ticks, Ordering::Relaxed);
        }
    }

    /// Sets a number.
    #[inline]
    pub(crate) fn set(&self, stat: Stat, number: u64) {
        self.stats[stat as usize].store(number, Ordering::Relaxed);
    }

    /// Adds to a number. Only who runs the request does so.
    #[inline]
    pub(crate) fn add(&self, stat: Stat, number: u64) {
        let sum = self.stats[stat as usize].load(Ordering::Relaxed) + number;
        self.set(stat, sum);
    }

    /// The head, and what of the body came with it, has left.
    #[inline]
    pub(crate) fn sent(&self, head: usize) {
        self.mark_all(&[Time::SendRequestHeadersEnd, Time::SendRequestEnd], clock::ticks());
        self.set(Stat::RequestHeadersSize, head as u64);
    }

    /// A response head of so many bytes is complete.
    #[inline]
    pub(crate) fn head_received(&self, head: usize) {
        self.mark(Time::ReceiveResponseHeadersEnd);
        self.set(Stat::ResponseHeadersSize, head as u64);
    }

    /// The request has the connection that it asked for at `start`, and got at once if that is `None`.
    #[inline]
    pub(super) fn obtained(&self, start: Option<u64>, connection: &mut Connection) {
        use Time::{ConnectionAcquireEnd, ConnectionAcquireStart, SendRequestStart};
        match start {
            None => {
                let all = [ConnectionAcquireStart, ConnectionAcquireEnd, SendRequestStart];
                self.mark_all(&all, connection.touched);
            }
            Some(start) => {
                self.mark_all(&[ConnectionAcquireStart], start);
                self.mark_all(&[ConnectionAcquireEnd, SendRequestStart], clock::ticks());
            }
        }
        self.index.store(connection.served, Ordering::Relaxed);
        connection.served = connection.served.saturating_add(1);
        *self.connection.lock() = Some((connection.stream.glimpse(), connection.since));
    }
}

impl Request {
    /// The moments in ticks of QueryPerformanceCounter, 0 for what has not happened.
    pub fn times(&self) -> [u64; TIMES] {
        std::array::from_fn(|at| self.facts.times[at].load(Ordering::Relaxed))
    }

    /// The numbers, and how many requests the connection had carried before this one.
    pub fn stats(&self) -> ([u64; STATS], u32) {
        let mut stats: [u64; STATS] = std::array::from_fn(|at| self.facts.stats[at].load(Ordering::Relaxed));
        // Only what is decoded has another size on the wire.
        if stats[Stat::ResponseBodyCompressedSize as usize] == 0 {
            stats[Stat::ResponseBodyCompressedSize as usize] = stats[Stat::ResponseBodySize as usize];
        }
        (stats, self.facts.index.load(Ordering::Relaxed))
    }

    /// What the kernel knows of the connection used last. `INCORRECT_HANDLE_STATE` before there was one and after
    /// it has been closed.
    pub fn tcp_facts(&self) -> Result<TcpFacts> {
        let connection = self.facts.connection.lock().clone();
        let facts = connection.and_then(|(glimpse, since)| {
            let facts = glimpse.tcp_facts()?;
            let connection_time_ms = clock::ticks().saturating_sub(since) / 10_000;
            Some(TcpFacts { connection_time_ms, ..facts })
        });
        facts.ok_or(Error::WINHTTP_INCORRECT_HANDLE_STATE)
    }
}

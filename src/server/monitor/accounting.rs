//! What a request leaves behind: its bytes in the counters, and a record in the log if the application said one.
//!
//! Bytes are counted by the socket. What a request has of them is the difference between its beginning and its end,
//! responses held back for later counted as sent.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::abi::error::Error;
use crate::net::clock;
use crate::net::socket::Socket;
use crate::wire::request::Verb;

use super::counters::Kind;
use crate::server::connections::connection::{Active, Exchange, Work};
use crate::server::engine::Engine;
use crate::server::groups::policy::Policy;
use crate::server::log::Record;
use crate::server::responses::outbound::Outgoing;
use crate::server::service::LogFields;

/// What is kept of a request until it is over.
#[derive(Default)]
pub(crate) struct Account {
    /// Bytes its connection had sent and received before it, and since it was last looked at.
    sent_before: u64,
    received_before: u64,
    /// When its first byte came; 0 unless someone wants to know.
    began: u64,
    /// When it came to wait on its queue; 0 if it never did.
    pub(crate) queued: u64,
    /// The application's record, given with the last send.
    log: Option<Box<LogFields>>,
}

impl Account {
    /// For a request whose head of `head_len` bytes has been taken out of the input.
    #[inline]
    pub(crate) fn open(
        work: &mut Work,
        socket: Option<&Socket>,
        policy: &Arc<Policy>,
        head_len: usize,
    ) -> Account {
        policy.tally.request(kind_of(work.head.verb));
        let (sent, received) = traffic(work, socket);
        let mut began = std::mem::take(&mut work.began);
        if policy.log.is_some() && began == 0 {
            began = clock::precise_ms();
        }
        Account {
            sent_before: sent,
            received_before: received.saturating_sub(head_len as u64),
            began,
            queued: 0,
            log: None,
        }
    }
}

impl Account {
    /// For a request that has been counted already, its whole answer included.
    pub(crate) fn settled(work: &Work, socket: Option<&Socket>) -> Account {
        let (sent, received) = traffic(work, socket);
        Account { sent_before: sent, received_before: received, ..Account::default() }
    }
}

/// A request that the cache answers: counted at once, and logged with the record of the response that was kept.
#[inline]
pub(crate) fn count_hit(policy: &Policy, verb: Verb, sent: u64, received: u64) {
    policy.tally.request(kind_of(verb));
    policy.tally.bytes(sent, received);
}

/// Writes the record of a response that was kept, for an answer the cache gave with this status.
#[cold]
pub(crate) fn log_hit(
    policy: &Policy,
    kept: &LogFields,
    status: u16,
    version: (u16, u16),
    bytes: (u64, u64),
) {
    let Some(log) = &policy.log else { return };
    let mut fields = kept.clone();
    fields.protocol_status = status;
    let (bytes_sent, bytes_received) = bytes;
    let now = clock::unix_seconds();
    log.write(&Record { fields: &fields, now, version, bytes_sent, bytes_received, time_taken: 0 });
}

/// Bytes a connection has sent, those that wait to be sent included, and those received and taken out of the input.
#[inline]
fn traffic(work: &Work, socket: Option<&Socket>) -> (u64, u64) {
    let (sent, received) = socket.map_or((0, 0), |socket| (socket.sent(), socket.received()));
    let waiting = if work.outbox.is_empty() { 0 } else { work.outbox.iter().map(Outgoing::left).sum() };
    let taken = received.saturating_sub(work.input.bytes().len() as u64);
    (sent + work.held.len() as u64 + waiting, taken)
}

#[inline]
fn kind_of(verb: Verb) -> Kind {
    match verb {
        Verb::Get => Kind::Get,
        Verb::Head => Kind::Head,
        _ => Kind::Other,
    }
}

impl Exchange {
    /// Keeps the application's record of the response for its end, if it is logged anywhere.
    pub(crate) fn note_log(&mut self, fields: impl FnOnce() -> Option<Box<LogFields>>) {
        if self.policy.log.is_some() {
            self.account.log = fields();
        }
    }
}

impl Active<'_> {
    /// Counts what has gone over since the last time, and writes the record if there is one. A response that was
    /// not wholly sent is logged with the error, unless the application named one.
    #[inline]
    pub(crate) fn account(&mut self, failed: Option<Error>) {
        let state = &mut *self.state;
        let Some(work) = state.work.as_mut() else { return };
        let Some(socket) = state.socket.as_ref() else { return };
        if work.exchange.is_none() {
            return;
        }
        let (mut sent, received) = traffic(work, Some(socket));
        if failed.is_some() {
            // What waits will not go.
            sent = socket.sent();
        }
        let Some(exchange) = work.exchange.as_mut() else { return };
        let account = &mut exchange.account;
        let sent_now = sent.saturating_sub(account.sent_before);
        let received_now = received.saturating_sub(account.received_before);
        (account.sent_before, account.received_before) = (sent, received);
        exchange.policy.tally.bytes(sent_now, received_now);
        if let Some(fields) = account.log.take() {
            let version = work.head.version;
            write_record(exchange, *fields, version, (sent_now, received_now), failed);
        }
    }

    /// The request waits on its queue.
    pub(crate) fn note_queued(&mut self) {
        let now = self.engine.now_ms();
        if let Some(exchange) = self.state.work.as_mut().and_then(|work| work.exchange.as_mut()) {
            exchange.account.queued = now;
        }
    }

    /// A sound request came that no group or queue takes.
    pub(crate) fn count_unrouted(&self) {
        if let Some(work) = &self.state.work {
            self.engine.unrouted.request(kind_of(work.head.verb));
        }
    }
}

#[cold]
fn write_record(
    exchange: &Exchange,
    mut fields: LogFields,
    version: (u16, u16),
    (bytes_sent, bytes_received): (u64, u64),
    failed: Option<Error>,
) {
    let Some(log) = &exchange.policy.log else { return };
    if let (Some(error), 0) = (failed, fields.win32_status) {
        fields.win32_status = error.0;
    }
    let time_taken = clock::precise_ms().saturating_sub(exchange.account.began);
    let now = clock::unix_seconds();
    log.write(&Record { fields: &fields, now, version, bytes_sent, bytes_received, time_taken });
}

impl Engine {
    /// A connection is closed, and so are its counts.
    pub(crate) fn count_closed(&self, socket: &Socket) {
        let totals = &self.directory.totals;
        totals.closed_sent.fetch_add(socket.sent(), Ordering::Relaxed);
        totals.closed_received.fetch_add(socket.received(), Ordering::Relaxed);
    }
}

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

use super::connection::{Active, Exchange, Work};
use super::counters::Kind;
use super::engine::Engine;
use super::log::{Log, Record};
use super::outbound::Outgoing;
use super::policy::Policy;
use super::service::LogFields;

/// What is kept of a request until it is over.
#[derive(Default)]
pub(crate) struct Account {
    /// Bytes its connection had sent and received before it, and since it was last looked at.
    sent_before: u64,
    received_before: u64,
    /// When its first byte came; 0 unless someone wants to know.
    began: u64,
    /// When it came to wait on its queue; 0 if it never did.
    pub(super) queued: u64,
    /// The application's record, given with the last send.
    log: Option<Box<LogFields>>,
}

impl Account {
    /// For a request whose head of `head_len` bytes has been taken out of the input.
    #[inline]
    pub(super) fn open(
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
    /// Counts what has gone over since the last time, and writes the record if there is one.
    #[inline]
    fn settle(
        &mut self,
        policy: &Policy,
        version: (u16, u16),
        (sent, received): (u64, u64),
        failed: Option<Error>,
    ) {
        let sent_now = sent.saturating_sub(self.sent_before);
        let received_now = received.saturating_sub(self.received_before);
        (self.sent_before, self.received_before) = (sent, received);
        policy.tally.bytes(sent_now, received_now);
        if let (Some(fields), Some(log)) = (self.log.take(), &policy.log) {
            write_record(log, *fields, self.began, version, (sent_now, received_now), failed);
        }
    }
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
    pub(super) fn note_log(&mut self, fields: impl FnOnce() -> Option<Box<LogFields>>) {
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
        exchange.account.settle(&exchange.policy, work.head.version, (sent, received), failed);
    }

    /// Opens the account of a request that the cache answers, for the group the connection belongs to.
    pub(super) fn open_hit(&mut self, record: Option<&LogFields>, head_len: usize) -> Account {
        let state = &mut *self.state;
        let (Some(work), Some(policy)) = (state.work.as_mut(), &state.policy) else {
            return Account::default();
        };
        let mut account = Account::open(work, state.socket.as_ref(), policy, head_len);
        if policy.log.is_some() {
            account.log = record.cloned().map(Box::new);
        }
        account
    }

    /// Settles it: at once if the answer is out, else when it is.
    pub(super) fn settle_hit(&mut self, mut account: Account) {
        let state = &mut *self.state;
        let (Some(work), Some(policy)) = (state.work.as_mut(), &state.policy) else { return };
        match work.exchange.as_mut() {
            Some(exchange) => exchange.account = account,
            None => {
                let so_far = traffic(work, state.socket.as_ref());
                account.settle(policy, work.head.version, so_far, None);
            }
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
    log: &Log,
    mut fields: LogFields,
    began: u64,
    version: (u16, u16),
    (bytes_sent, bytes_received): (u64, u64),
    failed: Option<Error>,
) {
    if let (Some(error), 0) = (failed, fields.win32_status) {
        fields.win32_status = error.0;
    }
    let time_taken = clock::precise_ms().saturating_sub(began);
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

//! Answering from the cache, on whichever thread does the engine's I/O; and keeping what was answered.

use std::sync::Arc;

use crate::server::connections::connection::{Active, Exchange, Phase, Work};
use crate::server::monitor::accounting::{Account, count_hit, log_hit};
use crate::server::responses::head::{Circumstances, date, write_head};
use crate::server::responses::outbound::Outgoing;
use crate::server::responses::parcel::{Parcel, Progress, Sent, length, push};
use crate::server::responses::partial::{Served, changed, cut};
use crate::server::responses::pipeline::next_is_there;
use crate::server::service::{Body, CachePolicy, Chunk, QueueId, ResponseHead};

use super::eligible::may_be_kept;
use super::fragments::read_all;
use super::{Entry, Hit, Manner};

const CONTENT_LENGTH: u8 = 11;
const CONTENT_TYPE: u8 = 12;

/// What became of an answer from the cache.
pub(crate) enum Answered {
    /// It is out, or held for the next one; the connection may go on.
    Gone,
    /// The client has not taken all of it yet.
    Waiting,
    /// The client is gone.
    Broken,
}

impl Active<'_> {
    /// Answers the request whose head was read last.
    pub(crate) fn answer_from_cache(&mut self, hit: &Hit, head_len: usize) -> Answered {
        let state = &mut *self.state;
        let (Some(work), Some(socket)) = (state.work.as_mut(), &state.socket) else {
            return Answered::Broken;
        };
        let close = !work.head.keep_alive;
        let earlier = work.held.len();
        let (body, status) = write(hit, work, close, self.engine.names_itself);
        let sent = (work.held.len() - earlier) as u64 + body.iter().map(length).sum::<u64>();
        let received = head_len as u64;
        count_hit(&hit.policy, work.head.verb, sent, received);
        if hit.policy.log.is_some()
            && let Some(fields) = hit.entry.head.extras.as_ref().and_then(|extras| extras.log.as_ref())
        {
            log_hit(&hit.policy, fields, status, work.head.version, (sent, received));
        }
        if body.is_empty() && !close && next_is_there(work) {
            self.hold(earlier);
            return Answered::Gone;
        }
        let mut at = Progress::new(earlier);
        let sent = match work.outbox.is_empty() {
            true => push(socket, Parcel { head: &work.held, body: &body, at: &mut at }, self.engine.turn),
            false => Sent::Blocked,
        };
        match sent {
            Sent::All => {
                work.held.clear();
                Answered::Gone
            }
            Sent::Failed(_) => {
                work.held.clear();
                Answered::Broken
            }
            Sent::Blocked | Sent::Paused => {
                let outgoing = Outgoing::last(std::mem::take(&mut work.held), body, at);
                let left = outgoing.left();
                work.outbox.push_back(outgoing);
                let account = Account::settled(work, state.socket.as_ref());
                work.exchange = Some(Exchange::answered(&hit.policy, close, account));
                state.phase = Phase::Serving;
                self.await_room(left);
                if matches!(sent, Sent::Paused) {
                    self.pause();
                }
                Answered::Waiting
            }
        }
    }

    /// Keeps a response that is about to be sent, if it may be.
    pub(crate) fn keep_response(&self, queue: QueueId, head: &ResponseHead, body: &Body, total: u64) {
        let policy = head.extras.as_ref().map_or(CachePolicy::NoCache, |extras| extras.cache);
        let cache = &self.engine.cache;
        if policy == CachePolicy::NoCache
            || !cache.limits.enabled
            || total == 0
            || total > cache.limits.response
        {
            return;
        }
        let (Some(work), Some(endpoint)) = (self.state.work.as_ref(), &self.state.endpoint) else { return };
        if !may_be_kept(&work.head, head) {
            return;
        }
        let Some(bytes) = joined(body, total) else { return };
        let now = self.engine.now_ms();
        if let Some(entry) =
            Entry::new(&work.head, (endpoint.port, queue), head, bytes, policy, now, self.engine.names_itself)
        {
            cache.store(entry, now);
        }
    }
}

/// Appends the head (and a small body) to what is held; what is left of the body is given back, and the status.
fn write(hit: &Hit, work: &mut Work, close: bool, server: bool) -> (Body, u16) {
    let entry = &hit.entry;
    if hit.manner == Manner::Plain && !close {
        entry.write(&date(), &mut work.held);
        let body = if entry.body_apart { whole(entry) } else { Body::new() };
        return (body, entry.head.status);
    }
    let total = entry.body.len() as u64;
    let mut facts =
        Circumstances { head_request: false, complete: true, body_len: total, may_persist: !close, server };
    match hit.manner {
        Manner::Head => {
            facts.head_request = true;
            write_head(&entry.head, facts, &mut work.held);
            (Body::new(), entry.head.status)
        }
        // Conditions and ranges are for what a 200 brings; other answers are given as they are.
        Manner::Judged if entry.head.status == 200 && entry.is_known_to(&work.head) => {
            let head = changed(&entry.head, 304, "Not Modified", &[CONTENT_LENGTH, CONTENT_TYPE]);
            write_head(&head, facts, &mut work.held);
            (Body::new(), 304)
        }
        Manner::Judged | Manner::Plain => {
            let mut body = whole(entry);
            let part = match entry.head.status {
                200 => cut(&work.head, &entry.head, &mut body, total),
                _ => Ok(Served::Whole),
            };
            let head = match part {
                Ok(Served::Instead(head)) => Some(head),
                _ => None,
            };
            facts.body_len = body.iter().map(length).sum();
            let head = head.as_deref().unwrap_or(&entry.head);
            write_head(head, facts, &mut work.held);
            (body, head.status)
        }
    }
}

fn whole(entry: &Arc<Entry>) -> Body {
    let chunk = Chunk::Shared { bytes: Arc::clone(&entry.body), offset: 0, length: entry.body.len() };
    Body::from_iter([chunk])
}

/// The body in one piece.
fn joined(body: &Body, total: u64) -> Option<Arc<[u8]>> {
    if let [chunk] = &body[..] {
        return read_all(chunk, total).ok();
    }
    let mut bytes = Vec::with_capacity(usize::try_from(total).ok()?);
    for chunk in body {
        bytes.extend_from_slice(&read_all(chunk, total).ok()?);
    }
    Some(bytes.into())
}

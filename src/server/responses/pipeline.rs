//! Pipelining: a response waits while its connection has another complete request buffered, so that a batch
//! of requests is answered by one write. It waits for the next response, or until the engine has nothing
//! else to do; never for the application.

use crate::net::deadlines::NEVER;
use crate::net::socket::Transfer;
use crate::wire::bytes::has_empty_line;

use super::outbound::Outgoing;
use crate::server::connections::connection::{Active, Phase, Work};

/// The most that is held back.
const HELD: usize = 32 * 1024;

/// Whether the finished response at the end of what is held may wait: the connection lives on, and the next
/// request is there already.
#[inline]
pub(crate) fn may_hold(work: &Work) -> bool {
    let goes_on = |e: &crate::server::connections::connection::Exchange| {
        !e.close_after && !e.opaque && e.body.is_done()
    };
    !work.input.is_empty() && work.exchange.as_ref().is_some_and(goes_on) && next_is_there(work)
}

/// Whether the next request is there already, and its answer may go out with what is held.
#[inline]
pub(crate) fn next_is_there(work: &Work) -> bool {
    if work.input.is_empty() || !work.outbox.is_empty() || work.held.len() > HELD {
        return false;
    }
    let input = work.input.bytes();
    work.head.repeats(input).is_some() || has_empty_line(input)
}

impl Active<'_> {
    /// Keeps a response back, behind `earlier` bytes of others. The first one has the engine told.
    pub(crate) fn hold(&mut self, earlier: usize) {
        if earlier == 0 {
            self.engine.hold(self.state.slot());
        }
    }

    /// Sends bytes of the engine's own behind what waits already.
    pub(crate) fn send_own(&mut self, mut bytes: Vec<u8>) {
        let state = &mut *self.state;
        let (Some(work), Some(socket)) = (state.work.as_mut(), &state.socket) else { return };
        let sent = match work.outbox.is_empty() {
            true => socket.write(&bytes, false),
            false => Transfer::WouldBlock,
        };
        let sent = match sent {
            Transfer::Bytes(n) => n,
            Transfer::WouldBlock => 0,
            Transfer::End | Transfer::Broken => return self.break_off(),
        };
        if sent < bytes.len() {
            let rest = bytes.split_off(sent);
            let left = rest.len() as u64;
            work.outbox.push_back(Outgoing::rest(rest));
            if state.send_due == NEVER {
                self.await_room(left);
            }
        }
    }

    /// Sends what was kept back, and goes on with a connection that has let the others go first.
    pub(crate) fn release_held(&mut self) {
        self.send_held();
        let state = &*self.state;
        let unread = state.readable || state.work.as_ref().is_some_and(|work| !work.input.is_empty());
        if unread && matches!(state.phase, Phase::Reading | Phase::Draining | Phase::Lingering) {
            self.advance();
        }
    }

    fn send_held(&mut self) {
        let state = &mut *self.state;
        let Some(work) = state.work.as_mut() else { return };
        let Some(socket) = &state.socket else { return };
        if work.held.is_empty() {
            // Not a response was held back, but one rests until the others had their turn.
            return self.pump();
        }
        let sent = match socket.write(&work.held, false) {
            Transfer::Bytes(n) => n,
            Transfer::WouldBlock => 0,
            Transfer::End | Transfer::Broken => return self.break_off(),
        };
        // Nothing is held while something waits, so what is left waits alone.
        let rest = work.held.split_off(sent);
        work.held.clear();
        if !rest.is_empty() {
            let left = rest.len() as u64;
            work.outbox.push_back(Outgoing::rest(rest));
            self.await_room(left);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    use crate::net::poller::{Events, Poller};
    use crate::net::socket::Socket;
    use crate::server::cache::Entry;
    use crate::server::engine::Engine;
    use crate::server::ports::endpoint::Endpoint;
    use crate::server::ports::entrance::Welcome;
    use crate::server::ports::routing::{Registration, Target};
    use crate::server::service::{ApiVersion, CachePolicy, ResponseHead};
    use crate::wire::prefix::UrlPrefix;
    use crate::wire::request::RequestHead;

    const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const COUNT: u64 = 1000;

    /// An engine whose cache answers [`GET`], and a client.
    fn engine_and_client() -> (Engine, UnixStream) {
        let engine = Engine::new().unwrap();
        let queue = engine.queue(engine.add_queue(ApiVersion::V1)).unwrap();
        let mut request = RequestHead::new();
        request.parse(GET, &Default::default()).unwrap();
        let head = ResponseHead { status: 200, ..Default::default() };
        let (body, policy) = (Arc::from(*b"x"), CachePolicy::UserInvalidates);
        let entry = Entry::new(&request, (1, queue.id), &head, body, policy, 0, true).unwrap();
        engine.cache.store(entry, 0);
        let prefix = UrlPrefix::parse(&"http://+:1/".encode_utf16().collect::<Vec<_>>()).unwrap();
        let endpoint = Arc::new(Endpoint::new(1));
        let registration = Registration { prefix, target: Target::Queue(queue), context: 0 };
        endpoint.routes.write().insert(Arc::new(registration)).unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let connection = engine.slots.reserve().unwrap();
        let nowhere = std::net::SocketAddr::from(([127, 0, 0, 1], 1));
        connection.occupy(Socket::from_fd(OwnedFd::from(ours)), (nowhere, nowhere), endpoint);
        engine.adopt(connection, Welcome::Client);
        (engine, theirs)
    }

    #[test]
    fn a_client_that_asks_without_end_lets_the_others_have_their_turn() {
        let (engine, mut client) = engine_and_client();
        client.write_all(&GET.repeat(COUNT as usize)).unwrap();
        let mut events = Events::with_capacity(8);
        engine.poller.wait(&mut events, -1).unwrap();
        while let Some((token, readiness)) = events.take() {
            if token != Poller::WAKE {
                engine.handle(token, readiness, None);
            }
        }
        let hits = || engine.cache.counts.hits.load(Ordering::Relaxed);
        assert!((1..COUNT / 2).contains(&hits()), "{}", hits());
        let mut turns = 0;
        while engine.holds_any() {
            engine.release_held();
            turns += 1;
        }
        assert_eq!(hits(), COUNT);
        assert!(turns > 2);
        client.set_nonblocking(true).unwrap();
        let mut answers = Vec::new();
        client.read_to_end(&mut answers).unwrap_err();
        assert_eq!(memchr::memmem::find_iter(&answers, b"HTTP/1.1 200 ").count() as u64, COUNT);
    }
}

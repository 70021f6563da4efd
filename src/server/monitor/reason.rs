//! Why the engine refused, timed out or dropped something: the words of HTTPERR (digest §8.4), and how its lines
//! come about.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use crate::net::socket::Socket;
use crate::win32::trace;
use crate::wire::refusal::Refusal;

use crate::server::connections::connection::{Active, Phase, Stage};
use crate::server::connections::introduction::Rudeness;
use crate::server::engine::Engine;
use crate::server::log::ErrorEntry;

/// Why something ended without the application's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The engine answered in the application's stead.
    Refused(Refusal),
    /// The queue was full, and its verbosity says to tell the client nothing.
    QueueFull,
    /// The group has as many connections as it may, and the queue's verbosity says to tell the client nothing.
    ConnectionLimit,
    /// The client left before its request was taken.
    ClientReset,
    /// The client left before it had its response.
    ConnectionDropped,
    /// The queue was closed under a request that had been taken.
    Abandoned,
    ConnectionIdle,
    HeaderWait,
    EntityBody,
    /// Nobody took the request in time; whether the client was told.
    RequestQueue(bool),
    MinBytesPerSecond,
    /// A proxy was to introduce its client.
    Proxy(Rudeness),
}

impl Reason {
    /// The word in the log.
    fn word(self) -> &'static str {
        match self {
            Reason::Refused(refusal) => refusal.log_reason(),
            Reason::QueueFull => "QueueFull",
            Reason::ConnectionLimit => "ConnLimit",
            Reason::ClientReset => "Client_Reset",
            Reason::ConnectionDropped => "Connection_Dropped",
            Reason::Abandoned => "Connection_Abandoned_By_ReqQueue",
            Reason::ConnectionIdle => "Timer_ConnectionIdle",
            Reason::HeaderWait => "Timer_HeaderWait",
            Reason::EntityBody => "Timer_EntityBody",
            Reason::RequestQueue(_) => "Timer_ReqQueue",
            Reason::MinBytesPerSecond => "Timer_MinBytesPerSecond",
            Reason::Proxy(rudeness) => rudeness.word(),
        }
    }

    /// The status the client got, if any.
    fn status(self) -> Option<u16> {
        match self {
            Reason::Refused(refusal) => Some(refusal.status()),
            Reason::RequestQueue(true) => Some(503),
            _ => None,
        }
    }

    /// Whether there is a request to tell of.
    fn has_request(self) -> bool {
        !matches!(self, Reason::ConnectionIdle | Reason::HeaderWait | Reason::Proxy(_))
    }
}

impl Engine {
    /// Resets a connection that is one more than `MaxConnections` allows.
    #[cold]
    pub(crate) fn turn_down(&self, socket: &Socket, local: SocketAddr, remote: SocketAddr) {
        socket.reset_on_close();
        self.directory.totals.errors.fetch_add(1, Ordering::Relaxed);
        if self.errors.is_on() {
            let (version, status) = (None, None);
            let reason = "Connections_Refused";
            self.errors.write(&ErrorEntry {
                remote,
                local,
                version,
                verb: &[],
                url: &[],
                status,
                reason,
                queue: "",
            });
        }
    }
}

impl Active<'_> {
    /// Counts and logs what is about to be done to the connection, once for each time it is worked on.
    pub(crate) fn report(&mut self, reason: Reason) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        self.engine.directory.totals.errors.fetch_add(1, Ordering::Relaxed);
        trace::debug(format_args!("{}: {}", self.state.remote, reason.word()));
        if !self.engine.errors.is_on() {
            return;
        }
        let head = self.state.work.as_ref().filter(|_| reason.has_request()).map(|work| &work.head);
        let url: Vec<u8> = head.map_or(Vec::new(), |head| {
            // Cooked, if it came so far.
            let path = if head.path().is_empty() { head.text(head.target) } else { head.path() };
            [path, head.text(head.raw_query)].concat()
        });
        self.engine.errors.write(&ErrorEntry {
            remote: self.state.remote,
            local: self.state.local,
            version: head.map(|head| head.version).filter(|version| *version != (0, 0)),
            verb: head.map_or(&[], |head| head.text(head.verb_text)),
            url: &url,
            status: reason.status(),
            reason: reason.word(),
            queue: "",
        });
    }

    /// The client has left, or cannot be reached: worth a line if it had asked for something.
    pub(crate) fn report_loss(&mut self) {
        let Some(work) = &self.state.work else { return };
        let stage = work.exchange.as_ref().map(|exchange| exchange.stage);
        let reason = match (self.state.phase, stage) {
            (Phase::Reading, _) if !work.input.is_empty() => Reason::ClientReset,
            (Phase::Serving, Some(Stage::Queued)) => Reason::ClientReset,
            (Phase::Serving, Some(_)) => Reason::ConnectionDropped,
            _ => return,
        };
        self.report(reason);
    }

    /// Why the timer ends the connection, unless its request waits on a queue.
    pub(crate) fn report_timeout(&mut self, now_ms: u64) {
        let work = self.state.work.as_ref();
        let stage = work.and_then(|work| work.exchange.as_ref()).map(|exchange| exchange.stage);
        let reason = match (self.state.phase, stage) {
            (Phase::Reading | Phase::Introducing(_), _) => match work {
                Some(work) if !work.input.is_empty() => Reason::HeaderWait,
                _ => Reason::ConnectionIdle,
            },
            (Phase::Serving, _) if self.is_raw_and_ended() => return,
            (Phase::Serving, _) if self.state.send_due <= now_ms => Reason::MinBytesPerSecond,
            (Phase::Serving | Phase::Draining, _) => Reason::EntityBody,
            // Ours to end anyway.
            (Phase::Lingering | Phase::Closed, _) => return,
        };
        self.report(reason);
    }
}

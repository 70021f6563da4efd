//! Connections that begin with a PROXY header: a proxy says whom it brings, and from then on that is who the client is, for
//! the application and the logs. The header itself is `wire::proxy`'s, who may send one is `entrance`'s.
//!
//! It counts as the beginning of the first head, so the time a head may take is the time both may take.

use crate::net::socket::Transfer;
use crate::wire::proxy::{Introduction, parse};

use super::connection::{Active, Phase, Work};
use crate::server::monitor::reason::Reason;
use crate::server::ports::entrance::Welcome;
use crate::server::requests::inbound::Next;

/// What a proxy did wrong. The connection is closed; whoever is there would not understand an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rudeness {
    /// It said nothing, where that is required.
    Missing,
    /// It said something that is not understood.
    Malformed,
    /// It is none of those whose word is taken.
    Untrusted,
}

impl Rudeness {
    /// The word in the log of errors. HTTP.sys has none for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Rudeness::Missing => "ProxyProtocol_Missing",
            Rudeness::Malformed => "ProxyProtocol_Malformed",
            Rudeness::Untrusted => "ProxyProtocol_Untrusted",
        }
    }
}

impl Active<'_> {
    /// Receives a connection as the way it came in demands.
    pub(crate) fn receive(&mut self, welcome: Welcome) {
        match welcome {
            Welcome::Client => {}
            Welcome::Proxy(required) => self.state.phase = Phase::Introducing(required),
            Welcome::Stranger => {
                self.report(Reason::Proxy(Rudeness::Untrusted));
                self.reset();
            }
        }
    }

    /// Looks for a PROXY header in what has been read, and reads on while it is not whole.
    pub(crate) fn read_introduction(&mut self, required: bool) -> Next {
        let mut work = match self.state.work.take() {
            Some(work) => work,
            None if self.state.readable => self.engine.buffers.take(),
            None => return Next::Wait,
        };
        loop {
            match parse(work.input.bytes()) {
                Ok(Introduction::Partial) => {}
                Ok(Introduction::Complete(used, ends)) => {
                    work.input.consume(used);
                    if let Some(ends) = ends {
                        (self.state.local, self.state.remote) = (ends.destination, ends.source);
                    }
                    return self.go_on_with(work);
                }
                Ok(Introduction::Absent) if !required => return self.go_on_with(work),
                Ok(Introduction::Absent) => return self.show_out(work, Rudeness::Missing),
                Err(_) => return self.show_out(work, Rudeness::Malformed),
            }
            if !self.state.readable {
                return self.await_head(work);
            }
            match self.fill(&mut work) {
                Transfer::Bytes(_) => {}
                Transfer::WouldBlock => return self.await_head(work),
                Transfer::End | Transfer::Broken => {
                    self.state.work = Some(work);
                    self.break_off();
                    return Next::Wait;
                }
            }
        }
    }

    /// What follows is the client's.
    fn go_on_with(&mut self, work: Box<Work>) -> Next {
        self.state.work = Some(work);
        self.state.phase = Phase::Reading;
        Next::Again
    }

    fn show_out(&mut self, work: Box<Work>, rudeness: Rudeness) -> Next {
        self.state.work = Some(work);
        self.report(Reason::Proxy(rudeness));
        self.break_off();
        Next::Wait
    }
}

//! Whether a connection can carry one more request. What a server has sent that nobody asked for would be taken for the
//! head of the next response, and a request on a connection that is closed is lost.
//!
//! Looking costs a system call, which a loop of small requests is spared: within a second the connection is looked at
//! only if what it carried last makes one expect more ([`Connection::doubt`]), or if a worker has heard from it.
//!
//! What remains is a server that says something more within that second, after an ordinary answer in HTTP/1.1 that was
//! complete, on a connection that no worker watches just then: one that breaks the protocol, or that sends a 408 to
//! a client which has been silent for less than a second.

use crate::client::workers::Watch;
use crate::wire::request::Framing;
use crate::wire::response::ResponseHead;

use super::connection::Connection;

impl Connection {
    /// Notes whether more may come after this final response although it says no such thing: a body that must not be
    /// there (after HEAD, 204, 304), another final head after an interim one, the farewell of a server that did
    /// not like the request or did not read all of it, or whatever old servers do.
    pub(super) fn doubt(&mut self, head: &ResponseHead, framing: Framing, interim: bool) {
        self.doubtful = interim || framing == Framing::None || head.status >= 400 || head.version < (1, 1);
    }

    /// Whether the connection is open and the server has said nothing more, as far as is known; with `certain`, after
    /// a look in any case.
    pub(crate) fn is_sound(&self, certain: bool) -> bool {
        let reported = self.watch.as_ref().is_some_and(Watch::has_reported);
        if !certain && !self.doubtful && !reported {
            return true;
        }
        if let Some(watch) = &self.watch {
            watch.will_receive();
        }
        self.stream.is_quiet()
    }
}

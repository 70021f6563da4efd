//! What connections there are to a server, by their marks (`WinHttpQueryConnectionGroup`).

use crate::client::request::Request;
use crate::client::session::Connect;

use super::network::Mark;
use super::pool::POOL;

impl Request {
    /// The mark that the application has given, or the connection at hand has; see [`Request::mark_connection`].
    pub fn mark(&self) -> Option<Mark> {
        let core = self.core.lock();
        let connection = core.exchange.as_ref().and_then(|exchange| exchange.connection.as_ref());
        core.settings.network().mark.or_else(|| connection.and_then(|connection| connection.mark()))
    }

    /// Marks the connection at hand, and those that the request will use.
    pub fn mark_connection(&self, mark: Option<Mark>) {
        let mut core = self.core.lock();
        core.settings.with_network(|network| network.mark = mark);
        if let Some(connection) = core.exchange.as_mut().and_then(|exchange| exchange.connection.as_mut()) {
            connection.set_mark(mark);
        }
    }
}

impl Connect {
    /// How many connections there are to a host in the session's part of the pool, by mark; `only` for one mark.
    pub fn groups(&self, host: &str, port: u16, only: Option<Mark>) -> Vec<(Option<Mark>, u32)> {
        let partition = self.session.with(|state| state.partition);
        let mut groups: Vec<(Option<Mark>, u32)> = Vec::new();
        let pool = POOL.lock();
        for (origin, server) in &pool.servers {
            if origin.host != host || origin.port != port || origin.partition != partition {
                continue;
            }
            for (mark, count) in server.counts.iter().filter(|(mark, _)| only.is_none() || *mark == only) {
                match groups.iter_mut().find(|(known, _)| known == mark) {
                    Some((_, sum)) => *sum += count,
                    None => groups.push((*mark, *count)),
                }
            }
        }
        groups.sort();
        groups
    }
}

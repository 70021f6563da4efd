//! A connection for an exchange: one of the pool's, or a new one once there may be one more.

use std::sync::Arc;

use crate::abi::error::{Error, Result};
use crate::client::exchange::Exchange;
use crate::client::request::Request;
use crate::client::settings::{Settings, limit};
use crate::net::{clock, winsock};
use crate::win32::last_error::explain;

use super::connection::{Connection, Origin};
use super::extended_error;
use super::facts::Time;
use super::pool;
use super::waiting::{GivenUp, Grant, acquire};

impl Request {
    /// A connection to the origin, attached to the request's cancelling. With `certain`, it is one that can be
    /// trusted with what cannot be sent twice.
    pub(crate) fn obtain(
        &self,
        exchange: &mut Exchange,
        origin: &Arc<Origin>,
        settings: &Settings,
        certain: bool,
    ) -> Result<Box<Connection>> {
        let network = settings.network();
        let (mut connection, start) = match pool::take(origin, &network.wish, certain) {
            Some(connection) => (self.attach(connection)?, None),
            None => {
                let start = clock::ticks();
                (self.wait_for_connection(exchange, origin, settings, certain)?, Some(start))
            }
        };
        if network.mark.is_some() {
            connection.set_mark(network.mark);
        }
        self.facts.obtained(start, &mut connection);
        Ok(connection)
    }

    /// The connection that the exchange has already, for one request more.
    pub(crate) fn keep(&self, connection: Box<Connection>) -> Result<Box<Connection>> {
        let start = clock::ticks();
        let mut connection = self.attach(connection)?;
        self.facts.obtained(Some(start), &mut connection);
        Ok(connection)
    }

    /// A new connection in place of one that the server gave up. The application is told nothing.
    pub(crate) fn replace(
        &self,
        exchange: &mut Exchange,
        origin: &Arc<Origin>,
        settings: &Settings,
    ) -> Result<Box<Connection>> {
        self.cancel.detach();
        let slot = exchange.connection.take().map(|connection| connection.into_slot());
        let Some(slot) = slot.filter(|slot| slot.origin == *origin) else {
            return self.obtain(exchange, origin, settings, true);
        };
        let start = clock::ticks();
        let mut connection = self.open_passage(exchange, origin, settings, slot, true)?;
        self.facts.obtained(Some(start), &mut connection);
        Ok(connection)
    }

    fn wait_for_connection(
        &self,
        exchange: &mut Exchange,
        origin: &Arc<Origin>,
        settings: &Settings,
        certain: bool,
    ) -> Result<Box<Connection>> {
        let limits = self.connect.session.with(|state| state.settings.network().limits);
        let patience = limit(settings.connect_timeout);
        let grant = acquire(origin, limits, &settings.network().wish, certain, patience, &self.cancel);
        self.facts.mark(Time::ConnectionAcquireWaitEnd);
        match grant {
            Ok(Grant::Connection(connection)) => self.attach(connection),
            Ok(Grant::Slot(slot)) => self.open_passage(exchange, origin, settings, slot, false),
            Err(GivenUp::Cancelled) => Err(Error::WINHTTP_OPERATION_CANCELLED),
            Err(GivenUp::Timeout) => {
                extended_error::note_code(winsock::TIMED_OUT);
                explain(format_args!("no connection to {} became free in {patience} ms", origin.host));
                Err(Error::WINHTTP_TIMEOUT)
            }
        }
    }

    fn attach(&self, connection: Box<Connection>) -> Result<Box<Connection>> {
        match self.cancel.attach(&connection.stream) {
            Ok(()) => Ok(connection),
            Err(_) => {
                pool::give(connection);
                Err(Error::WINHTTP_OPERATION_CANCELLED)
            }
        }
    }
}

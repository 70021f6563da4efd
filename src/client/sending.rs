//! SendRequest and WriteData: from a plan to bytes on a connection (digest §3.9, §14.1).

use std::sync::Arc;

use crate::abi::error::{Error, Result};
use crate::win32::last_error::explain;
use crate::win32::lent::LentBytes;

use super::connection::{Connection, Origin, io_error};
use super::exchange::{Exchange, Upload};
use super::notify::Event;
use super::operation::{Operation, Outcome};
use super::plan::Plan;
use super::pool;
use super::request::Request;
use super::settings::{Settings, limit};

impl Request {
    /// Checks the lengths against the application's own fields, then starts [`Operation::Send`].
    ///
    /// `INVALID_PARAMETER` when less is announced than is given, or when the application's Content-Length says
    /// something else than `total`.
    pub fn send(self: &Arc<Self>, optional: LentBytes, total: u32) -> Result<Outcome> {
        self.with_plan(|plan| announced(plan, optional.as_slice().len(), total).map(|_| ()))?;
        self.start(Operation::Send { optional, total })
    }

    pub(crate) fn send_request(
        &self,
        exchange: &mut Exchange,
        optional: LentBytes,
        total: u32,
    ) -> Result<()> {
        self.prepare_upgrade()?;
        self.finish_previous(exchange)?;
        let given = optional.as_slice().len();
        let (left, close_asked) = {
            let mut core = self.core.lock();
            core.has_response = false;
            core.trailers = None;
            core.plan.restore();
            let length = announced(&core.plan, given, total)?;
            core.plan.length = length.automatic;
            (
                length.total.map(|all| all - given as u64),
                core.plan.asks_to_close() || core.settings.disabled.keep_alive(),
            )
        };
        let connection = exchange.connection.take();
        *exchange = Exchange {
            connection,
            optional: Some(optional),
            upload: Upload { left, ..Upload::default() },
            close_asked,
            ..Exchange::default()
        };
        self.send_leg(exchange)
    }

    /// Gets a connection and sends the head and what of the body is at hand.
    pub(crate) fn send_leg(&self, exchange: &mut Exchange) -> Result<()> {
        let (origin, settings) = self.route()?;
        let replayable = exchange.upload.left.is_some_and(|left| left == 0);
        self.connect(exchange, &origin, &settings, !replayable)?;
        self.notify(&Event::SendingRequest);
        self.check_open()?;
        let sent = self.send_head(exchange, &origin, &settings)?;
        self.notify(&Event::RequestSent(sent));
        self.check_open()
    }

    /// Sends on the connection at hand, and once more on a new one if that turns out to have been given up by
    /// the server.
    fn send_head(&self, exchange: &mut Exchange, origin: &Arc<Origin>, settings: &Settings) -> Result<u32> {
        loop {
            let optional = exchange.optional.take().unwrap_or_else(LentBytes::empty);
            let connection = exchange.connection()?;
            self.write_head(connection);
            let result = connection.stream.send_all(&connection.output, optional.as_slice());
            let sent = connection.output.len() + optional.as_slice().len();
            let reused = connection.reused;
            exchange.optional = Some(optional);
            match result {
                Ok(()) => return Ok(u32::try_from(sent).unwrap_or(u32::MAX)),
                Err(error) if io_error(&error) == Error::WINHTTP_TIMEOUT => {
                    return Err(Error::WINHTTP_TIMEOUT);
                }
                Err(_) if exchange.has_early_answer() => return Ok(u32::try_from(sent).unwrap_or(u32::MAX)),
                Err(_) if reused && !self.cancel.is_cancelled() => {
                    self.reconnect(exchange, origin, settings)?;
                }
                Err(error) => return Err(io_error(&error)),
            }
        }
    }

    fn write_head(&self, connection: &mut Connection) {
        let agent = self.connect.session.with(|state| Arc::clone(&state.agent));
        connection.output.clear();
        let mut core = self.core.lock();
        if let Some(upgrade) = &mut core.plan.upgrade {
            upgrade.renew();
        }
        core.write_head(&agent, &mut connection.output);
    }

    /// Where the plan's URL is asked, and the settings of now.
    pub(crate) fn route(&self) -> Result<(Arc<Origin>, Settings)> {
        let partition = self.connect.session.with(|state| state.partition);
        let core = self.core.lock();
        let url = &core.plan.url;
        if url.secure {
            explain(format_args!("https://{}: TLS is not built in yet", url.authority()));
            return Err(Error::WINHTTP_SECURE_FAILURE);
        }
        let (host, port) = core.proxy.choose(false, &url.host, url.port).unwrap_or((&url.host, url.port));
        let origin = self.connect.origin(host, port, partition);
        Ok((origin, core.settings.clone()))
    }

    /// Gives the exchange a connection to the origin: the one it has, one from the pool, or a new one.
    fn connect(
        &self,
        exchange: &mut Exchange,
        origin: &Arc<Origin>,
        settings: &Settings,
        certain: bool,
    ) -> Result<()> {
        if exchange.connection.as_ref().is_some_and(|connection| connection.origin != *origin) {
            self.cancel.detach();
            exchange.connection = None;
        }
        let connection = match exchange.connection.take().or_else(|| pool::take(origin, certain)) {
            Some(connection) => {
                self.cancel.attach(&connection.stream).map_err(|_| Error::WINHTTP_OPERATION_CANCELLED)?;
                connection
            }
            None => self.open_connection(origin, settings, false)?,
        };
        self.adopt(exchange, connection, settings)
    }

    /// Replaces a connection that the server gave up while it was idle. The application is told nothing.
    pub(crate) fn reconnect(
        &self,
        exchange: &mut Exchange,
        origin: &Arc<Origin>,
        settings: &Settings,
    ) -> Result<()> {
        self.cancel.detach();
        exchange.connection = None;
        let connection = self.open_connection(origin, settings, true)?;
        self.adopt(exchange, connection, settings)
    }

    fn adopt(&self, exchange: &mut Exchange, mut connection: Connection, settings: &Settings) -> Result<()> {
        let limits = (limit(settings.send_timeout), limit(settings.receive_timeout));
        let ready = connection.stream.set_limits(limits.0, limits.1);
        self.core.lock().addresses = Some(connection.addresses);
        exchange.connection = Some(connection);
        ready.map_err(|error| io_error(&error))
    }

    /// Sends the request again on a new connection, without a word; for a response that never began on a
    /// connection from the pool.
    pub(crate) fn resend_quietly(&self, exchange: &mut Exchange) -> Result<()> {
        let (origin, settings) = self.route()?;
        self.reconnect(exchange, &origin, &settings)?;
        self.send_head(exchange, &origin, &settings).map(|_| ())
    }

    pub(crate) fn write_data(&self, exchange: &mut Exchange, bytes: &[u8]) -> Result<u32> {
        let count = bytes.len();
        if !exchange.upload.unwanted && count > 0 {
            exchange.upload.written = true;
            let settings = self.with_settings(|settings| settings.clone());
            let connection = exchange.connection()?;
            let limits = (limit(settings.send_timeout), limit(settings.receive_timeout));
            let sent = connection.stream.set_limits(limits.0, limits.1);
            let sent = sent.and_then(|()| connection.stream.send_all(bytes, &[]));
            if let Err(error) = sent {
                let error = io_error(&error);
                exchange.upload.unwanted = error != Error::WINHTTP_TIMEOUT && exchange.has_early_answer();
                if !exchange.upload.unwanted {
                    return Err(error);
                }
            }
        }
        if let Some(left) = &mut exchange.upload.left {
            *left = left.saturating_sub(count as u64);
        }
        // C callers cannot write more than 32 bits can count.
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Reads away what is left of the previous response on this handle, or fails when that is too much.
    fn finish_previous(&self, exchange: &mut Exchange) -> Result<()> {
        exchange.optional = None;
        if exchange.connection.is_none() {
            return Ok(());
        }
        if !exchange.responded || exchange.upgraded.is_some() {
            // The earlier response was never received: it would be taken for the new one's.
            exchange.abandon(&self.cancel);
            return Ok(());
        }
        match self.drain(exchange) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::WINHTTP_RESPONSE_DRAIN_OVERFLOW),
            Err(_) => {
                // What became of the earlier response does not matter to this request.
                exchange.abandon(&self.cancel);
                self.check_open()
            }
        }
    }
}

impl Exchange {
    /// The body can be sent again: WriteData had no part in it.
    pub(crate) fn can_replay(&self) -> bool {
        !self.upload.written && self.upload.left.is_none_or(|left| left == 0)
    }

    /// After a failed send: whether the server answered before it stopped reading.
    fn has_early_answer(&mut self) -> bool {
        self.connection.as_mut().is_some_and(|connection| connection.fill(false).is_ok_and(|got| got > 0))
    }
}

/// What is said of the length of the body.
struct Announced {
    /// The whole body; `None` when the application frames it.
    total: Option<u64>,
    /// The Content-Length to be added.
    automatic: Option<u64>,
}

fn announced(plan: &Plan, given: usize, total: u32) -> Result<Announced> {
    if plan.field("Transfer-Encoding").is_some() {
        return Ok(Announced { total: None, automatic: None });
    }
    if (total as usize) < given {
        return Err(Error::INVALID_PARAMETER);
    }
    let Some(own) = plan.field("Content-Length") else {
        let speaks = total > 0 || plan.verb == "POST" || plan.verb == "PUT";
        return Ok(Announced { total: Some(total.into()), automatic: speaks.then_some(total.into()) });
    };
    match own.parse::<u64>().ok() {
        Some(own) if total == 0 || own == u64::from(total) => {
            Ok(Announced { total: Some(own), automatic: None })
        }
        _ => Err(Error::INVALID_PARAMETER),
    }
}

//! SendRequest and WriteData: from a plan to bytes on a connection (digest §3.9, §14.1).

use std::io::{self, ErrorKind};
use std::sync::Arc;

use zeroize::Zeroize;

use crate::abi::error::{Error, Result};
use crate::win32::last_error::explain;
use crate::win32::lent::LentBytes;

use super::causes;
use super::chunking::{Chunks, Ending};
use super::connect::facts::Time;
use super::connection::{Connection, Origin, io_error};
use super::exchange::{Exchange, Upload};
use super::notify::Event;
use super::operation::{Operation, Outcome, Patience};
use super::plan::Plan;
use super::request::Request;
use super::settings::{Settings, limit};
use super::workers::step_aside;

/// A send of no more than this does not wait on a connection that nothing else is being sent on.
const SURELY_SENT: usize = 16 * 1024;

impl Request {
    /// Checks the lengths against the application's own fields, then starts [`Operation::Send`].
    ///
    /// `INVALID_PARAMETER` when less is announced than is given, when the application's Content-Length says something
    /// else than `total` or is no number, and when it stands beside a Transfer-Encoding.
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
        let (left, close_asked, redirects, drain_limit) = {
            let mut core = self.core.lock();
            core.has_response = false;
            core.trailers = None;
            core.proxy_answered = false;
            self.facts.clear();
            let redirects = core.plan.restore();
            let length = announced(&core.plan, given, total)?;
            core.plan.length = length.automatic;
            (
                length.total.map(|all| all - given as u64),
                core.plan.asks_to_close() || core.settings.disabled.keep_alive(),
                redirects,
                core.settings.max_drain_size,
            )
        };
        let connection = exchange.connection.take();
        *exchange = Exchange {
            connection,
            optional: Some(optional),
            upload: Upload { left, ..Upload::default() },
            redirects,
            close_asked,
            drain_limit,
            ..Exchange::default()
        };
        self.send_leg(exchange)
    }

    /// Gets a connection and sends the head and what of the body is at hand.
    pub(crate) fn send_leg(&self, exchange: &mut Exchange) -> Result<()> {
        self.with_settings(|settings| settings.kept.check_protocol())?;
        let replayable = exchange.upload.left.is_some_and(|left| left == 0);
        let (origin, settings) = self.connect_by_route(exchange, !replayable)?;
        if exchange.refused {
            return self.check_open();
        }
        self.notify(&Event::SendingRequest);
        self.check_open()?;
        self.dress(exchange, &origin.host, origin.port);
        let sent = self.send_head(exchange, &origin, &settings)?;
        self.notify(&Event::RequestSent(sent));
        self.check_open()
    }

    /// Sends on the connection at hand, and once more on a new one if that turns out to have been given up by
    /// the server.
    fn send_head(&self, exchange: &mut Exchange, origin: &Arc<Origin>, settings: &Settings) -> Result<u32> {
        loop {
            let optional = exchange.optional.take().unwrap_or_else(LentBytes::empty);
            if optional.as_slice().len() > SURELY_SENT {
                step_aside();
            }
            exchange.upload.unwanted = false;
            exchange.upload.chunks = self.write_head(exchange.connection()?);
            if exchange.upload.left.is_none() {
                exchange.upload.ending = Ending::default();
                exchange.upload.ending.add(optional.as_slice());
            }
            let prefix = exchange.upload.chunks.prefix(optional.as_slice().len());
            let connection = exchange.connection()?;
            connection.output.extend_from_slice(prefix.as_slice());
            let result = connection.stream.send_all(&connection.output, optional.as_slice());
            let head = connection.output.len();
            let sent = head + optional.as_slice().len();
            exchange.optional = Some(optional);
            match result {
                Ok(()) => {
                    if exchange.secret {
                        exchange.connection()?.output.zeroize();
                    }
                    self.facts.sent(head);
                    return Ok(u32::try_from(sent).unwrap_or(u32::MAX));
                }
                Err(error) if io_error(&error) != Error::WINHTTP_TIMEOUT && exchange.has_early_answer() => {
                    // What has not been sent is not wanted: the connection is good for this answer only.
                    exchange.upload.unwanted = true;
                    return Ok(u32::try_from(sent).unwrap_or(u32::MAX));
                }
                Err(error)
                    if !self.cancel.is_cancelled() && exchange.is_stale(io_error(&error), settings) =>
                {
                    self.reconnect(exchange, origin, settings)?;
                    if exchange.refused {
                        return Ok(0);
                    }
                }
                Err(error) => return Err(causes::sending(&error, settings)),
            }
        }
    }

    /// Writes the head; says whether the body behind it is framed here.
    fn write_head(&self, connection: &mut Connection) -> Chunks {
        let agent = self.connect.session.with(|state| Arc::clone(&state.agent));
        connection.output.clear();
        let core = &mut *self.core.lock();
        if let Some(upgrade) = &mut core.plan.upgrade {
            upgrade.renew();
        }
        core.write_head(&agent, &mut connection.output);
        if core.plan.frames_chunks() { Chunks::Start } else { Chunks::Off }
    }

    /// Gives the exchange a connection to the origin: the one it has, one from the pool, or a new one.
    pub(crate) fn connect(
        &self,
        exchange: &mut Exchange,
        origin: &Arc<Origin>,
        settings: &Settings,
        certain: bool,
    ) -> Result<()> {
        let good = |connection: &Connection| connection.origin == *origin && connection.is_sound(certain);
        if exchange.connection.as_deref().is_some_and(|connection| !good(connection)) {
            self.cancel.detach();
            exchange.connection = None;
            exchange.continued = false;
        }
        exchange.refused = false;
        let connection = match exchange.connection.take() {
            Some(connection) => self.keep(connection)?,
            None => self.obtain(exchange, origin, settings, certain)?,
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
        let connection = self.replace(exchange, origin, settings)?;
        self.adopt(exchange, connection, settings)
    }

    fn adopt(
        &self,
        exchange: &mut Exchange,
        mut connection: Box<Connection>,
        settings: &Settings,
    ) -> Result<()> {
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
        if exchange.refused {
            return Ok(());
        }
        // The proxy may be another by now, and what was meant for the first is not for it.
        self.dress(exchange, &origin.host, origin.port);
        self.send_head(exchange, &origin, &settings)?;
        self.end_chunks(exchange)
    }

    /// WriteData, from the byte `sent` on; `None` when the rest takes more patience.
    pub(crate) fn write_data(
        &self,
        exchange: &mut Exchange,
        bytes: &[u8],
        sent: &mut usize,
        patience: Patience,
    ) -> Result<Option<u32>> {
        if !exchange.upload.unwanted && !bytes.is_empty() {
            exchange.upload.written = true;
            match self.send_rest(exchange, bytes, sent, patience) {
                Ok(()) => {}
                Err(fault) if patience != Patience::Wait && fault.kind() == ErrorKind::WouldBlock => {
                    return Ok(None);
                }
                Err(fault) => {
                    exchange.upload.unwanted =
                        io_error(&fault) != Error::WINHTTP_TIMEOUT && exchange.has_early_answer();
                    if !exchange.upload.unwanted {
                        return Err(self.with_settings(|settings| causes::sending(&fault, settings)));
                    }
                }
            }
            self.facts.mark(Time::SendRequestEnd);
        }
        match &mut exchange.upload.left {
            Some(left) => *left = left.saturating_sub(bytes.len() as u64),
            None => exchange.upload.ending.add(bytes),
        }
        // C callers cannot write more than 32 bits can count.
        Ok(Some(u32::try_from(bytes.len()).unwrap_or(u32::MAX)))
    }

    fn send_rest(
        &self,
        exchange: &mut Exchange,
        bytes: &[u8],
        sent: &mut usize,
        patience: Patience,
    ) -> io::Result<()> {
        let limits =
            self.with_settings(|settings| (limit(settings.send_timeout), limit(settings.receive_timeout)));
        let framed = exchange.upload.chunks != Chunks::Off;
        let prefix = exchange.upload.chunks.prefix(bytes.len() - *sent);
        let connection = exchange.connection().map_err(|_| ErrorKind::NotConnected)?;
        connection.stream.set_limits(limits.0, limits.1)?;
        if patience == Patience::Wait || framed {
            step_aside();
            return connection.stream.send_all(prefix.as_slice(), &bytes[*sent..]);
        }
        while *sent < bytes.len() {
            match connection.send_now(&bytes[*sent..]) {
                Ok(count) => *sent += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
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
            Ok(true) => {
                exchange.keep_for_more();
                Ok(())
            }
            Ok(false) => {
                explain(format_args!("more is left of the earlier response than may be read away"));
                Err(Error::WINHTTP_RESPONSE_DRAIN_OVERFLOW)
            }
            Err(_) => {
                // What became of the earlier response does not matter to this request.
                causes::forget();
                exchange.abandon(&self.cancel);
                self.check_open()
            }
        }
    }
}

impl Exchange {
    /// The body can be sent again: WriteData had no part in it. Chunks are ended again, too.
    pub(crate) fn can_replay(&self) -> bool {
        !self.upload.written && self.upload.left.is_none_or(|left| left == 0)
    }

    /// After a failed send: whether the server answered before it stopped reading.
    pub(crate) fn has_early_answer(&mut self) -> bool {
        let connection = self.connection.as_mut();
        connection.is_some_and(|connection| connection.fill(Patience::Probe).is_ok_and(|got| got > 0))
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
    let own = own_length(plan)?;
    if plan.frames_chunks() || plan.has_own_coding() {
        // With both, where the body ends would be a matter of opinion.
        let sound = own.is_none().then_some(Announced { total: None, automatic: None });
        return sound.ok_or(Error::INVALID_PARAMETER);
    }
    let Some(own) = own else {
        let speaks = total > 0 || plan.verb == "POST" || plan.verb == "PUT";
        let all = Announced { total: Some(total.into()), automatic: speaks.then_some(total.into()) };
        return if (total as usize) < given { Err(Error::INVALID_PARAMETER) } else { Ok(all) };
    };
    // A length that 32 bits cannot say counts whatever they say.
    let agreed = total == 0 || own > u32::MAX.into() || own == u64::from(total);
    if agreed && given as u64 <= own {
        Ok(Announced { total: Some(own), automatic: None })
    } else {
        Err(Error::INVALID_PARAMETER)
    }
}

/// The application's own Content-Length. A value that others may read as another number, or two that differ, would let
/// them take part of the body for another request (RFC 9112 §6.3).
fn own_length(plan: &Plan) -> Result<Option<u64>> {
    let mut length = None;
    for field in plan.fields.iter().filter(|field| field.is("Content-Length")) {
        let digits = field.value.bytes().all(|byte| byte.is_ascii_digit());
        let this = field.value.parse::<u64>().ok().filter(|_| digits).ok_or(Error::INVALID_PARAMETER)?;
        if length.is_some_and(|other| other != this) {
            return Err(Error::INVALID_PARAMETER);
        }
        length = Some(this);
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::super::plan::Url;
    use super::*;
    use crate::wire::request_fields::RequestField;

    #[test]
    fn a_length_of_the_applications_own_is_one_number() {
        let of = |values: &[&str], total| {
            let url = Url { secure: false, host: "h".into(), port: 80, target: "/".into() };
            let mut plan = Plan::new("POST".into(), url);
            plan.fields = values
                .iter()
                .map(|value| RequestField { name: "content-length".into(), value: (*value).into() })
                .collect();
            announced(&plan, 0, total).map(|announced| announced.total)
        };
        assert_eq!(of(&[], 7), Ok(Some(7)));
        assert_eq!(of(&["5"], 0), Ok(Some(5)));
        assert_eq!(of(&["5", "05"], 5), Ok(Some(5)));
        for bad in ["+5", "-5", "", "5, 5", "5 ", "0x5", "18446744073709551616", "\u{665}"] {
            assert_eq!(of(&[bad], 0), Err(Error::INVALID_PARAMETER), "{bad}");
        }
        assert_eq!(of(&["5", "6"], 0), Err(Error::INVALID_PARAMETER));
        assert_eq!(of(&["5"], 6), Err(Error::INVALID_PARAMETER));
    }
}

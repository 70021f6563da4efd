//! ReceiveResponse: the final response head, past interim responses and redirects (digest §3.10, §6.4, §14.1).

use std::time::{Duration, Instant};

use crate::abi::error::{Error, Result};
use crate::wire::Parsed;
use crate::wire::response::ResponseLimits;

use super::body::Body;
use super::connection::io_error;
use super::exchange::Exchange;
use super::notify::Event;
use super::redirect::Decision;
use super::request::Request;

/// More fields than this in one head are refused.
const MAX_FIELDS: usize = 1024;

impl Request {
    /// Receives until the final head is there. Without `wait` it stops, with `false`, where it would have to
    /// wait or connect, and can be called again.
    pub(crate) fn receive_response(&self, exchange: &mut Exchange, wait: bool) -> Result<bool> {
        loop {
            if exchange.resend {
                if !wait {
                    return Ok(false);
                }
                self.send_leg(exchange)?;
                exchange.resend = false;
            }
            if exchange.receiving_since.is_none() {
                exchange.receiving_since = Some(Instant::now());
                self.notify(&Event::ReceivingResponse);
                self.check_open()?;
            }
            let Some(size) = self.receive_head(exchange, wait)? else { return Ok(false) };
            exchange.receiving_since = None;
            self.notify(&Event::ResponseReceived(size));
            self.check_open()?;
            let status = self.core.lock().response.status;
            if status / 100 == 1 && status != 101 {
                self.skip_interim(exchange, status)?;
                continue;
            }
            exchange.body = self.body_of_response(exchange)?;
            self.check_upgrade(exchange)?;
            match self.decide_redirect(exchange)? {
                Decision::Final => break,
                Decision::Follow => self.follow_redirect(exchange, wait)?,
            }
        }
        self.core.lock().has_response = true;
        exchange.responded = true;
        exchange.optional = None;
        if exchange.body.is_over() && !exchange.close_asked {
            self.release(exchange);
        }
        Ok(true)
    }

    fn skip_interim(&self, exchange: &mut Exchange, status: u16) -> Result<()> {
        self.notify(&Event::Intermediate(status.into()));
        self.check_open()?;
        exchange.continues += 1;
        if exchange.continues > self.with_settings(|settings| settings.max_continue) {
            return Err(Error::WINHTTP_INVALID_SERVER_RESPONSE);
        }
        Ok(())
    }

    /// Reads one head into the request's response. Gives the bytes of the receive that completed it; `None`
    /// when that would mean to wait.
    fn receive_head(&self, exchange: &mut Exchange, wait: bool) -> Result<Option<u32>> {
        let (limits, time) = self.with_settings(|settings| {
            let limits = ResponseLimits { head: settings.max_header_size as usize, fields: MAX_FIELDS };
            (limits, settings.response_limit())
        });
        let mut received = exchange.connection()?.buffered().len();
        loop {
            let connection = exchange.connection()?;
            if !connection.buffered().is_empty() {
                match self.core.lock().response.parse(connection.buffered(), &limits)? {
                    Parsed::Complete(end) => {
                        connection.consume(end);
                        return Ok(Some(u32::try_from(received).unwrap_or(u32::MAX)));
                    }
                    Parsed::Partial => check_time(exchange.receiving_since, time)?,
                }
            }
            match exchange.connection()?.fill(wait) {
                // Nothing yet, or an end or a fault that will be met again by whoever may wait and connect.
                Ok(0) | Err(_) if !wait => return Ok(None),
                Ok(0) => self.begin_again(exchange, Error::WINHTTP_CONNECTION_ERROR)?,
                Ok(got) => received = got,
                Err(error) => self.begin_again(exchange, io_error(&error))?,
            }
        }
    }

    /// The connection ended before the head did. If it came from the pool and the server had said nothing, it
    /// had been given up before the request arrived: the request is sent once more, on a new one.
    fn begin_again(&self, exchange: &mut Exchange, error: Error) -> Result<()> {
        let connection = exchange.connection()?;
        let stale = connection.reused && connection.buffered().is_empty() && exchange.continues == 0;
        if error != Error::WINHTTP_CONNECTION_ERROR || !stale || !exchange.can_replay() {
            return Err(error);
        }
        self.check_open()?;
        self.resend_quietly(exchange)
    }

    fn body_of_response(&self, exchange: &mut Exchange) -> Result<Body> {
        let core = self.core.lock();
        let framing = core.response.framing(core.plan.is_head(), false)?;
        exchange.spent = !core.response.keep_alive(framing) || core.response.status == 101;
        Ok(Body::new(framing))
    }
}

fn check_time(since: Option<Instant>, limit: u32) -> Result<()> {
    match since {
        Some(since) if limit != 0 && since.elapsed() > Duration::from_millis(limit.into()) => {
            Err(Error::WINHTTP_TIMEOUT)
        }
        _ => Ok(()),
    }
}

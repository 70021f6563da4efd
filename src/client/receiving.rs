//! ReceiveResponse: the final response head, past interim responses and redirects (digest §3.10, §6.4, §14.1).

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use crate::abi::error::{Error, Result};
use crate::wire::Parsed;
use crate::wire::response::ResponseLimits;

use super::auth::Verdict;
use super::body::Body;
use super::causes;
use super::connect::facts::Time;
use super::cookies;
use super::exchange::Exchange;
use super::notify::Event;
use super::operation::Patience;
use super::redirect::Decision;
use super::request::Request;

/// More fields than this in one head are refused.
const MAX_FIELDS: usize = 1024;

/// What else a head wants.
struct Heard {
    /// It is a challenge that the request may be able to answer.
    challenged: bool,
    sets_cookies: bool,
}

impl Request {
    /// Receives until the final head is there. It stops, with `false`, where that takes more patience, and can be
    /// called again.
    pub(crate) fn receive_response(&self, exchange: &mut Exchange, patience: Patience) -> Result<bool> {
        loop {
            if (exchange.resend || exchange.upload.chunks.is_open()) && patience == Patience::Probe {
                return Ok(false);
            }
            if exchange.resend {
                self.send_leg(exchange)?;
                exchange.resend = false;
            }
            if exchange.upload.chunks.is_open() {
                self.end_chunks(exchange)?;
            }
            if exchange.receiving_since.is_none() {
                exchange.receiving_since = Some(Instant::now());
                self.facts.mark(Time::ReceiveResponseStart);
                self.notify(&Event::ReceivingResponse);
                self.check_open()?;
            }
            let Some(size) = self.receive_head(exchange, patience)? else { return Ok(false) };
            exchange.receiving_since = None;
            self.notify(&Event::ResponseReceived(size));
            self.check_open()?;
            let status = self.core.lock().response.status;
            if status / 100 == 1 && status != 101 {
                self.skip_interim(exchange, status)?;
                continue;
            }
            if exchange.refused {
                self.take_refusal(exchange)?;
                break;
            }
            let Heard { challenged, sets_cookies } = self.take_head(exchange)?;
            if sets_cookies {
                self.keep_cookies();
            }
            if status == 101 {
                self.check_upgrade(exchange)?;
            }
            if challenged && self.judge(exchange)? == Verdict::Again {
                self.drain_leg(exchange, patience);
                self.check_open()?;
                continue;
            }
            if status == 408 && self.retry_after_408(exchange)? {
                continue;
            }
            match self.decide_redirect(exchange)? {
                Decision::Final => break,
                Decision::Follow => self.follow_redirect(exchange, patience)?,
            }
        }
        if !exchange.body.is_over() {
            exchange.decoder = self.take_coding();
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
            return Err(causes::too_many_interim(self.with_settings(|settings| settings.max_continue)));
        }
        Ok(())
    }

    /// Reads one head into the request's response. Gives the bytes of the receive that completed it; `None`
    /// when that takes more patience.
    fn receive_head(&self, exchange: &mut Exchange, patience: Patience) -> Result<Option<u32>> {
        let (limits, time) = self.with_settings(|settings| {
            let limits = ResponseLimits { head: settings.max_header_size as usize, fields: MAX_FIELDS };
            (limits, settings.response_limit())
        });
        let mut received = exchange.connection()?.buffered().len();
        let mut fresh = false;
        loop {
            let connection = exchange.connection()?;
            if !connection.buffered().is_empty() {
                let parsed = self.core.lock().response.parse(connection.buffered(), &limits);
                if parsed.is_err() {
                    self.notify(&Event::ResponseReceived(u32::try_from(received).unwrap_or(u32::MAX)));
                }
                match parsed.map_err(|fault| causes::bad_head(fault, connection.buffered(), &limits))? {
                    Parsed::Complete(end) => {
                        connection.consume(end);
                        self.facts.head_received(end);
                        return Ok(Some(u32::try_from(received).unwrap_or(u32::MAX)));
                    }
                    Parsed::Partial if fresh => check_time(exchange.receiving_since, time)?,
                    Parsed::Partial => {}
                }
            }
            match exchange.connection()?.fill(patience) {
                Err(error) if patience != Patience::Wait && error.kind() == ErrorKind::WouldBlock => {
                    return Ok(None);
                }
                // An end or a fault will be met again by whoever may connect.
                Ok(0) | Err(_) if patience == Patience::Probe => return Ok(None),
                Ok(0) => self.begin_again(exchange, None)?,
                Ok(got) => (received, fresh) = (got, true),
                Err(error) => self.begin_again(exchange, Some(&error))?,
            }
        }
    }

    /// The connection ended before the head did. If it came from the pool and the server had said nothing, it
    /// had been given up before the request arrived: the request is sent once more, on a new one.
    fn begin_again(&self, exchange: &mut Exchange, error: Option<&io::Error>) -> Result<()> {
        let connection = exchange.connection()?;
        let received = connection.buffered().len();
        let silent = received == 0 && exchange.continues == 0;
        let error = match error {
            Some(error) => {
                let limit = self.with_settings(|settings| settings.receive_timeout);
                causes::receiving(error, "the response head", limit)
            }
            None => causes::closed_in_head(received),
        };
        let stale = silent
            && error == Error::WINHTTP_CONNECTION_ERROR
            && self.with_settings(|settings| exchange.is_stale(error, settings));
        if !stale || !exchange.can_replay() {
            return Err(error);
        }
        causes::forget();
        self.check_open()?;
        self.resend_quietly(exchange)
    }

    /// Takes from a final head what it says of body and connection.
    fn take_head(&self, exchange: &mut Exchange) -> Result<Heard> {
        let core = &mut *self.core.lock();
        let framing = core.response.framing(core.plan.is_head(), false).map_err(causes::bad_length)?;
        if let Some(connection) = &mut exchange.connection {
            connection.learn(&core.response, framing, exchange.continues > 0);
        }
        exchange.spent = !core.response.keep_alive(framing) || core.response.status == 101;
        exchange.body = Body::new(framing);
        if exchange.secret {
            core.hear_info(exchange, &self.connect.session.nonces);
        }
        if core.settings.passport && core.response.status == 302 {
            core.present_passport()?;
        }
        Ok(Heard {
            challenged: core.credentials.is_some() && matches!(core.response.status, 401 | 407),
            sets_cookies: cookies::are_set_by(&core.response),
        })
    }
}

fn check_time(since: Option<Instant>, limit: u32) -> Result<()> {
    match since {
        Some(since) if limit != 0 && since.elapsed() > Duration::from_millis(limit.into()) => {
            Err(causes::head_too_slow(limit))
        }
        _ => Ok(()),
    }
}

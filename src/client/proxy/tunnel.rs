//! From a proxy on to the server: opening a connection and what has to be said on it before it is the server's
//! (CONNECT, RFC 9110 §9.3.6; SOCKS is in `socks`).
//!
//! A proxy that refuses a tunnel answers instead of the server: the answer stays in the connection's buffer, where
//! ReceiveResponse finds it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::abi::error::{Error, Result};
use crate::win32::last_error::explain;
use crate::wire::Parsed;
use crate::wire::response::{ResponseHead, ResponseLimits};

use super::super::auth::{self, Tried, Verdict};
use super::super::body::Body;
use super::super::causes;
use super::super::connect::facts::Time;
use super::super::connect::waiting::Slot;
use super::super::connection::{Connection, Origin, io_error};
use super::super::exchange::Exchange;
use super::super::notify::Event;
use super::super::request::Request;
use super::super::settings::{Settings, limit};
use super::Passage;
use crate::client::operation::Patience;

/// More fields than this in one head are refused.
const MAX_FIELDS: usize = 1024;

/// How a proxy answers a CONNECT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// The connection leads to the server now.
    Granted,
    /// The answer is for the application.
    Refused,
    /// It wants credentials, and there are some that it has not had yet.
    Challenged,
}

/// What became of one connection.
enum Passed {
    /// It can be used.
    Through(Box<Connection>),
    /// The proxy has to be asked again, with credentials, on another in its place.
    AskAgain(Slot),
}

impl Request {
    /// Opens a connection and leads it on to the server. `quiet` tells the application nothing.
    pub(crate) fn open_passage(
        &self,
        exchange: &mut Exchange,
        origin: &Arc<Origin>,
        settings: &Settings,
        slot: Slot,
        quiet: bool,
    ) -> Result<Box<Connection>> {
        let mut slot = slot;
        loop {
            match self.try_passage(exchange, origin, settings, slot, quiet)? {
                Passed::Through(connection) => return Ok(connection),
                Passed::AskAgain(place) => slot = place,
            }
        }
    }

    /// One connection, led on as far as it goes.
    fn try_passage(
        &self,
        exchange: &mut Exchange,
        origin: &Arc<Origin>,
        settings: &Settings,
        slot: Slot,
        quiet: bool,
    ) -> Result<Passed> {
        let mut connection = self.open_connection(origin, settings, slot, quiet)?;
        // One that became free in the meantime has been led on before.
        if origin.passage == Passage::Straight || connection.reused {
            return Ok(Passed::Through(connection));
        }
        let limits = (limit(settings.send_timeout), limit(settings.receive_timeout));
        let ready = connection.stream.set_limits(limits.0, limits.1).map_err(|error| io_error(&error));
        self.facts.mark(Time::ProxyTunnelStart);
        let led = ready.and_then(|()| match &origin.passage {
            Passage::Straight => Ok(Answer::Granted),
            Passage::Tunnel(host, port, _) => {
                let tried = &mut exchange.tried[1];
                self.ask_for_tunnel(&mut connection, (host, *port), settings, quiet, tried)
            }
            Passage::Socks(host, port, login) => {
                self.pass_socks(&mut connection, (host, *port), login, settings).map(|()| Answer::Granted)
            }
        });
        self.facts.mark(Time::ProxyTunnelEnd);
        match led {
            Ok(Answer::Challenged) => {
                self.cancel.detach();
                Ok(Passed::AskAgain(connection.into_slot()))
            }
            Ok(answer) => {
                let refused = answer == Answer::Refused;
                exchange.refused = refused;
                // The body was meant for the server.
                exchange.upload.unwanted |= refused;
                Ok(Passed::Through(connection))
            }
            Err(error) => {
                self.cancel.detach();
                Err(error)
            }
        }
    }

    /// The response head just received is a proxy's answer to CONNECT. Its body is kept from the application unless
    /// that has asked for it.
    pub(crate) fn take_refusal(&self, exchange: &mut Exchange) -> Result<()> {
        let mut core = self.core.lock();
        let framing = core.response.framing(!core.settings.receive_proxy_answer, true)?;
        core.proxy_answered = true;
        exchange.spent = true;
        exchange.body = Body::new(framing);
        Ok(())
    }

    /// One CONNECT and its answer.
    fn ask_for_tunnel(
        &self,
        connection: &mut Connection,
        target: (&str, u16),
        settings: &Settings,
        quiet: bool,
        tried: &mut Tried,
    ) -> Result<Answer> {
        let tell = |event: Event<'_>| {
            if !quiet {
                self.notify(&event);
            }
            self.check_open()
        };
        tell(Event::SendingRequest)?;
        let proxy = auth::Server::proxy(&connection.origin.host, connection.origin.port);
        let credentials = self.authorize_connect(&proxy, &format!("{}:{}", target.0, target.1), tried);
        self.write_connect(connection, target, credentials.as_deref().map(Vec::as_slice));
        let sent = connection.output.len();
        let origin = Arc::clone(&connection.origin);
        let sending = connection.stream.send_all(&connection.output, &[]);
        sending.map_err(|error| causes::proxy(&error, &origin.host))?;
        tell(Event::RequestSent(u32::try_from(sent).unwrap_or(u32::MAX)))?;
        tell(Event::ReceivingResponse)?;
        let (head, end, received) = receive_answer(connection, settings)?;
        tell(Event::ResponseReceived(u32::try_from(received).unwrap_or(u32::MAX)))?;
        match head.status {
            200..=299 => {
                if credentials.is_some() {
                    self.hear_connect_info(&head, tried);
                }
                connection.consume(end);
                Ok(Answer::Granted)
            }
            407 if self.judge_connect(&proxy, &head, tried) == Verdict::Again => Ok(Answer::Challenged),
            407 => Ok(Answer::Refused),
            _ if settings.receive_proxy_answer => Ok(Answer::Refused),
            status => {
                let reason = String::from_utf8_lossy(head.text(head.reason)).into_owned();
                explain(format_args!(
                    "the proxy {}:{} refused a tunnel to {}:{}: {status} {reason}",
                    connection.origin.host, connection.origin.port, target.0, target.1
                ));
                Err(Error::WINHTTP_CANNOT_CONNECT)
            }
        }
    }

    fn write_connect(
        &self,
        connection: &mut Connection,
        (host, port): (&str, u16),
        credentials: Option<&[u8]>,
    ) {
        let agent = self.connect.session.with(|state| Arc::clone(&state.agent));
        let out = &mut connection.output;
        out.clear();
        out.extend_from_slice(format!("CONNECT {host}:{port} HTTP/1.1\r\n").as_bytes());
        if !agent.is_empty() {
            out.extend_from_slice(b"User-Agent: ");
            out.extend_from_slice(&agent);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(format!("Host: {host}:{port}\r\nProxy-Connection: Keep-Alive\r\n").as_bytes());
        if let Some(credentials) = credentials {
            out.extend_from_slice(b"Proxy-Authorization: ");
            out.extend_from_slice(credentials);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
    }
}

fn parse(head: &mut ResponseHead, connection: &Connection, limits: &ResponseLimits) -> Result<Parsed> {
    let parsed = head.parse(connection.buffered(), limits);
    parsed.map_err(|fault| causes::bad_head(fault, connection.buffered(), limits))
}

/// Waits for the head that answers CONNECT, past interim ones. It stays in the buffer. Gives it, where it ends, and the
/// bytes of the receive that completed it.
fn receive_answer(connection: &mut Connection, settings: &Settings) -> Result<(ResponseHead, usize, usize)> {
    let limits = ResponseLimits { head: settings.max_header_size as usize, fields: MAX_FIELDS };
    let time = settings.response_limit();
    let deadline = (time != 0).then(|| Instant::now() + Duration::from_millis(time.into()));
    let (mut head, mut interim, mut received) = (ResponseHead::new(), 0, 0);
    loop {
        if deadline.is_some_and(|deadline| Instant::now() > deadline) {
            return Err(causes::slow_proxy(&connection.origin.host));
        }
        if !connection.buffered().is_empty()
            && let Parsed::Complete(end) = parse(&mut head, connection, &limits)?
        {
            if head.status / 100 != 1 {
                return Ok((head, end, received));
            }
            connection.consume(end);
            interim += 1;
            if interim > settings.max_continue {
                return Err(causes::too_many_interim(settings.max_continue));
            }
            continue;
        }
        match connection.fill(Patience::Wait) {
            Ok(0) => {
                explain(format_args!("the proxy {} closed the connection", connection.origin.host));
                return Err(Error::WINHTTP_CONNECTION_ERROR);
            }
            Ok(got) => received = got,
            Err(error) => return Err(causes::proxy(&error, &connection.origin.host)),
        }
    }
}

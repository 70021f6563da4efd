//! The response body: how its end is found, what can be read without waiting, and reading it
//! (digest §3.13, §3.14, §6.9).
//!
//! Bytes go from the socket straight into the caller's buffer when the connection's own buffer is empty and the
//! framing allows it.

use std::io::ErrorKind;

use crate::abi::error::{Error, Result};
use crate::wire::chunked::ChunkDecoder;
use crate::wire::request::Framing;

use super::causes;
use super::connect::facts::{Facts, Stat};
use super::connection::Connection;
use super::decode::Source;
use super::exchange::Exchange;
use super::notify::Event;
use super::operation::Patience;
use super::request::Request;
use super::workers::step_aside;

/// The most that one QueryDataAvailable reports.
const MOST_AVAILABLE: usize = 8 * 1024;

/// A buffer smaller than this is filled by way of the connection's own, to save system calls.
const DIRECT: usize = 4 * 1024;

/// What is left of a body.
#[derive(Debug, Default)]
pub(crate) enum Body {
    /// Nothing.
    #[default]
    Over,
    /// So many bytes.
    Length(u64),
    /// Whatever the chunks say.
    Chunked(Box<ChunkDecoder>),
    /// Everything until the connection closes.
    Close,
}

impl Body {
    /// A body that has not been read.
    pub(crate) fn new(framing: Framing) -> Body {
        match framing {
            Framing::None | Framing::Length(0) => Body::Over,
            Framing::Length(length) => Body::Length(length),
            Framing::Chunked => Body::Chunked(Box::new(ChunkDecoder::new(true))),
            Framing::Close => Body::Close,
        }
    }

    /// Nothing is left.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self, Body::Over)
    }

    /// There is an end to wait for other than the end of the connection.
    pub(crate) fn awaits_end(&self) -> bool {
        !matches!(self, Body::Close)
    }

    /// Takes framing off the front of the buffer, then says how many bytes of body are ready in it.
    fn ready(&mut self, connection: &mut Connection) -> Result<usize> {
        let buffered = connection.buffered().len();
        Ok(match self {
            Body::Over => 0,
            Body::Close => buffered,
            Body::Length(left) => usize::try_from(*left).unwrap_or(usize::MAX).min(buffered),
            Body::Chunked(decoder) => {
                let step = decoder.decode(connection.buffered(), &mut []).map_err(causes::bad_chunk)?;
                connection.consume(step.consumed);
                let left = usize::try_from(decoder.left_in_chunk()).unwrap_or(usize::MAX);
                left.min(connection.buffered().len())
            }
        })
    }

    /// Moves what is ready from the connection's buffer to `out`.
    fn take(&mut self, connection: &mut Connection, out: &mut [u8]) -> Result<usize> {
        if let Body::Chunked(decoder) = self {
            let step = decoder.decode(connection.buffered(), out).map_err(causes::bad_chunk)?;
            connection.consume(step.consumed);
            return Ok(step.produced);
        }
        let count = self.ready(connection)?.min(out.len());
        out[..count].copy_from_slice(&connection.buffered()[..count]);
        connection.consume(count);
        self.count_off(count);
        Ok(count)
    }

    fn count_off(&mut self, count: usize) {
        if let Body::Length(left) = self {
            *left -= count as u64;
        }
    }

    /// The end has been reached.
    fn has_ended(&self) -> bool {
        match self {
            Body::Over | Body::Length(0) => true,
            Body::Length(_) | Body::Close => false,
            Body::Chunked(decoder) => decoder.is_done(),
        }
    }

    /// How many bytes may be received past the connection's buffer: all of them body, and at most `room`.
    fn direct(&self, connection: &Connection, room: usize) -> usize {
        if !connection.buffered().is_empty() {
            return 0;
        }
        let most = match self {
            Body::Length(left) => usize::try_from(*left).unwrap_or(usize::MAX).min(room),
            Body::Close => room,
            Body::Over | Body::Chunked(_) => 0,
        };
        // A whole body is worth it however small.
        if most >= DIRECT || matches!(self, Body::Length(left) if *left <= room as u64) { most } else { 0 }
    }
}

/// The raw bytes of a body that have arrived.
struct Arrived<'a> {
    body: &'a mut Body,
    connection: Option<&'a mut Connection>,
    facts: &'a Facts,
}

impl Source for Arrived<'_> {
    fn take(&mut self, out: &mut [u8]) -> Result<usize> {
        match &mut self.connection {
            Some(connection) if !self.body.is_over() => {
                let got = self.body.take(connection, out)?;
                self.facts.add(Stat::ResponseBodyCompressedSize, got as u64);
                Ok(got)
            }
            _ => Ok(0),
        }
    }

    fn has_ended(&self) -> bool {
        self.body.has_ended()
    }
}

impl Exchange {
    /// Drops body bytes that are in the connection's buffer; true when that was all of the body.
    pub(crate) fn skip_buffered(&mut self) -> bool {
        let Some(connection) = self.connection.as_mut() else { return false };
        let mut bin = [0_u8; 4096];
        while let Ok(1..) = self.body.take(connection, &mut bin) {}
        self.body.has_ended()
    }
}

impl Request {
    /// QueryDataAvailable without waiting; `None` when only waiting can tell.
    pub(crate) fn query_buffered(&self, exchange: &mut Exchange) -> Result<Option<u32>> {
        let Exchange { connection, body, decoder, .. } = exchange;
        let ready = match (connection.as_deref_mut(), decoder) {
            (connection, Some(decoder)) => {
                decoder.ready(&mut Arrived { body, connection, facts: &self.facts })?
            }
            (Some(connection), None) if !body.is_over() => body.ready(connection)?,
            _ => 0,
        };
        if ready > 0 {
            return Ok(Some(ready.min(MOST_AVAILABLE) as u32));
        }
        if !exchange.body.has_ended() {
            return Ok(None);
        }
        self.finish_body(exchange);
        Ok(Some(0))
    }

    /// QueryDataAvailable; `None` when it takes more patience.
    pub(crate) fn query_data(&self, exchange: &mut Exchange, patience: Patience) -> Result<Option<u32>> {
        loop {
            let count = self.query_buffered(exchange)?;
            if count.is_some() || !self.receive_body(exchange, &mut [], patience)? {
                return Ok(count);
            }
        }
    }

    /// ReadData without waiting; `None` when the buffer cannot be filled like that. What could be read is in the
    /// buffer all the same, and is remembered.
    pub(crate) fn read_buffered(
        &self,
        exchange: &mut Exchange,
        buffer: &mut [u8],
        fill: bool,
    ) -> Result<Option<u32>> {
        let Exchange { connection, body, decoder, filled, .. } = exchange;
        let mut over = false;
        match (connection.as_deref_mut(), decoder) {
            (connection, Some(decoder)) => {
                let mut arrived = Arrived { body, connection, facts: &self.facts };
                while let got @ 1.. = decoder.read(&mut arrived, &mut buffer[*filled..])? {
                    *filled += got;
                }
                // With room left there is nothing left to come out of what has come in.
                over = *filled < buffer.len() && body.has_ended();
            }
            (connection, None) => {
                if let Some(connection) = connection
                    && !body.is_over()
                {
                    *filled += body.take(connection, &mut buffer[*filled..])?;
                }
                over |= body.has_ended();
            }
        }
        let count = *filled;
        if over {
            self.finish_body(exchange);
        }
        if over || count == buffer.len() || (count > 0 && !fill) {
            exchange.filled = 0;
            self.facts.add(Stat::ResponseBodySize, count as u64);
            // C callers cannot ask for more than 32 bits can count.
            return Ok(Some(u32::try_from(count).unwrap_or(u32::MAX)));
        }
        Ok(None)
    }

    /// ReadData and ReadDataEx; `None` when it takes more patience.
    pub(crate) fn read_data(
        &self,
        exchange: &mut Exchange,
        buffer: &mut [u8],
        fill: bool,
        patience: Patience,
    ) -> Result<Option<u32>> {
        loop {
            match self.read_buffered(exchange, buffer, fill) {
                Ok(Some(count)) => return Ok(Some(count)),
                Ok(None) if !self.receive_body(exchange, buffer, patience)? => return Ok(None),
                Ok(None) => {}
                Err(error) => {
                    exchange.filled = 0;
                    return Err(error);
                }
            }
        }
    }

    /// Receives more of the body: into the free part of `buffer` if that can be, else into the connection's own.
    /// False when that takes more patience.
    fn receive_body(&self, exchange: &mut Exchange, buffer: &mut [u8], patience: Patience) -> Result<bool> {
        if patience == Patience::Probe {
            return Ok(false);
        }
        if !std::mem::replace(&mut exchange.awaiting_body, true) {
            self.notify(&Event::ReceivingResponse);
            self.check_open()?;
        }
        let filled = exchange.filled;
        let Exchange { connection, body, decoder, .. } = exchange;
        let connection = connection.as_deref_mut().ok_or(Error::WINHTTP_CONNECTION_ERROR)?;
        let free = buffer.get_mut(filled..).unwrap_or_default();
        let direct = if decoder.is_some() { 0 } else { body.direct(connection, free.len()) };
        let got = if direct > 0 {
            connection.receive(&mut free[..direct], patience)
        } else {
            connection.fill(patience)
        };
        if patience != Patience::Wait && got.as_ref().is_err_and(|e| e.kind() == ErrorKind::WouldBlock) {
            return Ok(false);
        }
        exchange.awaiting_body = false;
        let limit = || self.with_settings(|settings| settings.receive_timeout);
        let got = got.map_err(|error| causes::receiving(&error, "the response body", limit()));
        if let Ok(got) = got {
            self.notify(&Event::ResponseReceived(u32::try_from(got).unwrap_or(u32::MAX)));
            self.check_open()?;
        }
        match got? {
            0 => self.body_cut_off(exchange)?,
            got if direct > 0 => {
                exchange.filled += got;
                exchange.body.count_off(got);
            }
            _ => {}
        }
        Ok(true)
    }

    /// The server closed the connection. That is how a body without length ends; one with a length is taken as
    /// short without an error, as on Windows; a chunked one has failed.
    fn body_cut_off(&self, exchange: &mut Exchange) -> Result<()> {
        if matches!(exchange.body, Body::Chunked(_)) {
            return Err(causes::closed_in_chunks());
        }
        exchange.spent = true;
        exchange.body = Body::Over;
        Ok(())
    }

    /// The whole body has been read: keeps its trailers and lets the connection go.
    fn finish_body(&self, exchange: &mut Exchange) {
        let body = std::mem::take(&mut exchange.body);
        exchange.decoder = None;
        {
            let mut core = self.core.lock();
            if core.trailers.is_none() {
                core.trailers = Some(match &body {
                    Body::Chunked(decoder) => decoder.trailers().to_vec(),
                    _ => Vec::new(),
                });
            }
        }
        self.release(exchange);
    }

    /// Reads away the rest of a body, so that the connection can carry the next exchange. False, and the
    /// connection is closed, when the rest is longer than the drain limit.
    pub(crate) fn drain(&self, exchange: &mut Exchange) -> Result<bool> {
        let limit = self.with_settings(|settings| settings.max_drain_size) as usize;
        let mut bin = [0_u8; 8192];
        let mut drained = 0;
        while !exchange.body.has_ended() {
            let too_long = match exchange.body {
                Body::Length(left) => left > (limit - drained) as u64,
                Body::Over | Body::Chunked(_) | Body::Close => drained >= limit,
            };
            if too_long {
                exchange.abandon(&self.cancel);
                return Ok(false);
            }
            let Exchange { connection, body, .. } = &mut *exchange;
            let connection = connection.as_deref_mut().ok_or(Error::WINHTTP_CONNECTION_ERROR)?;
            match body.take(connection, &mut bin)? {
                0 if !body.has_ended() => {
                    step_aside();
                    match connection.fill(Patience::Wait) {
                        Ok(0) => self.body_cut_off(exchange)?,
                        Ok(_) => {}
                        Err(error) => {
                            let limit = self.with_settings(|settings| settings.receive_timeout);
                            let what = "a response that is not wanted any more";
                            return Err(causes::receiving(&error, what, limit));
                        }
                    }
                }
                count => drained = (drained + count).min(limit),
            }
        }
        exchange.body = Body::Over;
        if !exchange.may_keep() {
            exchange.abandon(&self.cancel);
        }
        Ok(true)
    }
}

//! What one exchange keeps between operations, and what becomes of its connection.
//!
//! Sending is in `sending`, the response head in `receiving`, the body in `body`.

use std::time::Instant;

use crate::abi::error::{Error, Result};
use crate::net::client_stream::Cancel;
use crate::win32::lent::LentBytes;

use super::auth::Tried;
use super::body::Body;
use super::causes;
use super::chunking::{Chunks, Ending};
use super::connect::facts::Time;
use super::connection::Connection;
use super::decode::Decoder;
use super::notify::Event;
use super::operation::{Api, Operation, Patience};
use super::pool;
use super::request::Request;
use super::websocket::upgrade::Upgraded;

/// The request body, as far as WriteData is concerned.
#[derive(Debug, Default)]
pub(crate) struct Upload {
    /// Bytes announced and not yet written; `None` when the application frames the body itself.
    pub(crate) left: Option<u64>,
    /// WriteData was used, so the library cannot send the body again.
    pub(crate) written: bool,
    /// The server has answered and gone before the body was complete: what follows is dropped, and
    /// ReceiveResponse gives the answer.
    pub(crate) unwanted: bool,
    /// Where the library frames the body.
    pub(crate) chunks: Chunks,
    /// Where the application does.
    pub(crate) ending: Ending,
}

impl Upload {
    /// Whether so many more bytes may be written.
    pub(crate) fn admits(&self, count: usize) -> bool {
        self.left.is_none_or(|left| count as u64 <= left)
    }

    /// The server waits for more of the body, so that it would take what comes next on the connection for it.
    pub(crate) fn is_unfinished(&self) -> bool {
        let own = self.left.is_none() && self.chunks == Chunks::Off;
        let missing = if own { !self.ending.is_last_chunk() } else { self.left.is_some_and(|left| left > 0) };
        self.unwanted || self.chunks.is_open() || missing
    }
}

/// The state of one exchange.
#[derive(Default)]
pub(crate) struct Exchange {
    /// In a box, like wherever a connection is kept: it is handed on for every request.
    pub(crate) connection: Option<Box<Connection>>,
    /// The first bytes of the body, which the application keeps until the response has been received.
    pub(crate) optional: Option<LentBytes>,
    pub(crate) upload: Upload,
    pub(crate) body: Body,
    /// Bytes the pending ReadData has put into its buffer.
    pub(crate) filled: usize,
    /// RECEIVING_RESPONSE has been said for the receive that the body waits for.
    pub(crate) awaiting_body: bool,
    /// What undoes the content coding of the body, if that is to be undone.
    pub(crate) decoder: Option<Box<Decoder>>,
    /// What was tried to satisfy challenges of the server and of the proxy.
    pub(crate) tried: [Tried; 2],
    /// The head says who asks, and is wiped when it has been sent.
    pub(crate) secret: bool,
    /// Redirects followed so far.
    pub(crate) redirects: u32,
    /// 1xx responses skipped so far.
    pub(crate) continues: u32,
    /// The request has to be sent (again) before a response can be received.
    pub(crate) resend: bool,
    /// RECEIVING_RESPONSE has been said for this response, at this time.
    pub(crate) receiving_since: Option<Instant>,
    /// The request asks for the connection to be closed, so its end is announced.
    pub(crate) close_asked: bool,
    /// The application wants this connection to end with this exchange.
    pub(crate) expire: bool,
    /// The final response head has been received.
    pub(crate) responded: bool,
    /// The connection has become a WebSocket's, which is to be completed.
    pub(crate) upgraded: Option<Upgraded>,
    /// The connection has carried another leg of the same request.
    pub(crate) continued: bool,
    /// Something about the response forbids another exchange on the connection.
    pub(crate) spent: bool,
    /// How often it was sent again on another connection.
    pub(crate) retries: u32,
    /// Bytes of the body that are read away when the handle closes.
    pub(crate) drain_limit: u32,
    /// A proxy has answered instead of the server: its answer is in the connection's buffer.
    pub(crate) refused: bool,
}

impl Exchange {
    /// The connection, which every step between sending and the end of the body has.
    pub(crate) fn connection(&mut self) -> Result<&mut Connection> {
        self.connection.as_deref_mut().ok_or(Error::WINHTTP_CONNECTION_ERROR)
    }

    /// Ends the connection: what went over it cannot be trusted any more.
    pub(crate) fn abandon(&mut self, cancel: &Cancel) {
        cancel.detach();
        self.connection = None;
        self.optional = None;
        self.upgraded = None;
        self.body = Body::default();
        self.decoder = None;
    }

    /// The handle closes, and the connection is attached to nothing any more: keeps it if the response is complete
    /// but for bytes that are here already.
    pub(crate) fn settle(&mut self) {
        let complete = self.responded && self.body.awaits_end() && self.drain_arrived();
        let keep = complete && self.may_keep();
        if let Some(connection) = self.connection.take()
            && keep
        {
            pool::give(connection);
        }
    }

    /// Whether the connection can carry another exchange, now that this one is complete.
    pub(crate) fn may_keep(&self) -> bool {
        let clean = self.connection.as_ref().is_some_and(|connection| connection.buffered().is_empty());
        clean && !self.spent && !self.expire && !self.close_asked && !self.upload.is_unfinished()
    }

    /// The connection, if it has been kept, carries another message: as with one from the pool, the server may have
    /// given it up in the meantime.
    pub(crate) fn keep_for_more(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection.reused = true;
        }
    }

    /// Gives the connection to the pool.
    pub(crate) fn give_back(&mut self, cancel: &Cancel) {
        cancel.detach();
        if let Some(connection) = self.connection.take()
            && !cancel.is_cancelled()
        {
            pool::give(connection);
        }
    }
}

impl Request {
    /// The response is complete: the connection goes to the pool or ends.
    pub(crate) fn release(&self, exchange: &mut Exchange) {
        if exchange.upgraded.is_some() {
            return;
        }
        self.facts.mark(Time::ReceiveResponseEnd);
        if exchange.may_keep() {
            exchange.give_back(&self.cancel);
            return;
        }
        let announce = exchange.close_asked && exchange.connection.is_some();
        if announce {
            self.notify(&Event::ClosingConnection);
        }
        self.cancel.detach();
        exchange.connection = None;
        if announce {
            self.notify(&Event::ConnectionClosed);
        }
    }

    /// Runs an operation, to its end if `patience` is to wait; else `None` means that it has to go on later.
    pub(crate) fn perform(
        &self,
        exchange: &mut Exchange,
        operation: &mut Operation,
        patience: Patience,
    ) -> Result<Option<u32>> {
        let api = operation.api();
        let result = self.check_open().and_then(|()| match operation {
            Operation::Send { .. } | Operation::Write { .. } if patience == Patience::Probe => Ok(None),
            Operation::Send { optional, total } => {
                let optional = std::mem::replace(optional, LentBytes::empty());
                self.send_request(exchange, optional, *total).map(|()| Some(0))
            }
            Operation::Write { bytes, sent } => self.write_data(exchange, bytes.as_slice(), sent, patience),
            Operation::Receive => Ok(self.receive_response(exchange, patience)?.then_some(0)),
            Operation::Query => self.query_data(exchange, patience),
            Operation::Read { buffer, fill } => {
                self.read_data(exchange, buffer.as_mut_slice(), *fill, patience)
            }
        });
        // Whatever went wrong after the handle was closed went wrong because of that.
        result
            .map_err(
                |error| if self.cancel.is_cancelled() { Error::WINHTTP_OPERATION_CANCELLED } else { error },
            )
            .inspect_err(|error| self.log_failure(api, *error))
    }

    /// Writes a failure to the diagnostic log.
    pub(crate) fn log_failure(&self, api: Api, error: Error) {
        let url = self.core.lock().plan.url.text();
        causes::log(api, &url, error);
    }
}

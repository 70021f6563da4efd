//! Request bodies that the library frames (WINHTTP_FLAG_AUTOMATIC_CHUNKING): each WriteData is a chunk, and
//! ReceiveResponse ends the body.

use std::io::{self, Write};

use crate::abi::error::Result;

use super::connection::{Connection, io_error};
use super::exchange::Exchange;
use super::request::Request;

/// Chunks up to this size are copied behind their size line, to leave in one piece.
const COPIED: usize = 16 * 1024;

impl Connection {
    /// Sends what is in `output` already (perhaps a head), and a chunk behind it unless there are no bytes.
    pub(crate) fn send_chunk(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return self.stream.send_all(&self.output, &[]);
        }
        // Writing to a vector cannot fail.
        let _ = write!(self.output, "{:x}\r\n", bytes.len());
        if bytes.len() <= COPIED {
            self.output.extend_from_slice(bytes);
            self.output.extend_from_slice(b"\r\n");
            return self.stream.send_all(&self.output, &[]);
        }
        self.stream.send_all(&self.output, bytes)?;
        self.stream.send_all(b"\r\n", &[])
    }
}

impl Request {
    /// Ends a body of chunks, once. A server that has answered and gone does not want the end.
    pub(crate) fn end_chunks(&self, exchange: &mut Exchange) -> Result<()> {
        if !std::mem::replace(&mut exchange.upload.open, false) || exchange.upload.unwanted {
            return Ok(());
        }
        match exchange.connection()?.stream.send_all(b"0\r\n\r\n", &[]) {
            Ok(()) => Ok(()),
            Err(_) if exchange.has_early_answer() => Ok(()),
            Err(error) => Err(io_error(&error)),
        }
    }
}

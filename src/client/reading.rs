//! Reading a body into Rust memory, for synchronous requests of this crate's own programs.
#![expect(unsafe_code, reason = "lends memory for the time of a call")]

use std::sync::Arc;

use crate::abi::error::{Error, Result};
use crate::win32::lent::LentBuffer;

use super::operation::{Operation, Outcome};
use super::request::Request;

impl Request {
    /// ReadData without filling: waits for some of the body; 0 is its end. `INVALID_PARAMETER` for an asynchronous
    /// request.
    pub fn read_some(self: &Arc<Self>, buffer: &mut [u8]) -> Result<usize> {
        if self.is_async {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: the memory is borrowed for this call, and a synchronous request has dropped the operation, and
        // with it the buffer, when `start` returns.
        let lent = unsafe { LentBuffer::new(buffer.as_mut_ptr(), buffer.len()) };
        match self.start(Operation::Read { buffer: lent, fill: false })? {
            Outcome::Done(count) => Ok(count as usize),
            Outcome::Pending | Outcome::Reported => Err(Error::WINHTTP_INTERNAL_ERROR),
        }
    }
}

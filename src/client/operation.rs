//! The operations of a request that can wait, what they take and what they give.

use crate::win32::lent::{LentBuffer, LentBytes};

/// Which function an operation came from; the discriminants are what `WINHTTP_ASYNC_RESULT` calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Api {
    /// WinHttpReceiveResponse
    ReceiveResponse = 1,
    /// WinHttpQueryDataAvailable
    QueryDataAvailable = 2,
    /// WinHttpReadData
    ReadData = 3,
    /// WinHttpWriteData
    WriteData = 4,
    /// WinHttpSendRequest
    SendRequest = 5,
}

/// An operation and what the caller lent it.
#[derive(Debug)]
pub enum Operation {
    /// Send the head and the first bytes of the body.
    Send {
        /// The first bytes of the body.
        optional: LentBytes,
        /// The length announced for the body, or 0.
        total: u32,
    },
    /// Send more of the body.
    Write {
        /// The bytes.
        bytes: LentBytes,
        /// How many of them have left.
        sent: usize,
    },
    /// Receive the final response head.
    Receive,
    /// How many bytes of body can be read without waiting, after waiting for one.
    Query,
    /// Read body.
    Read {
        /// Where to.
        buffer: LentBuffer,
        /// Until the buffer is full, not only until there is anything.
        fill: bool,
    },
}

impl Operation {
    /// Where the operation came from.
    pub fn api(&self) -> Api {
        match self {
            Operation::Send { .. } => Api::SendRequest,
            Operation::Write { .. } => Api::WriteData,
            Operation::Receive => Api::ReceiveResponse,
            Operation::Query => Api::QueryDataAvailable,
            Operation::Read { .. } => Api::ReadData,
        }
    }
}

/// How long whoever runs an operation is prepared to stay with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// The application's thread, in passing: takes what is there, and does not connect, send or wait.
    Probe,
    /// A worker: connects and sends, and leaves waiting for the server to the watch.
    Work,
    /// The application's thread in a synchronous call, or a worker where nothing can be watched: to the end.
    Wait,
}

/// What an accepted operation came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It will be reported to the callback, from another thread.
    Pending,
    /// It is done; with the byte count of Write, Query and Read. An asynchronous request's callback has been told.
    Done(u32),
    /// It failed, and the callback has been told that already.
    Reported,
}

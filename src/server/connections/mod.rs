//! Connections: their state, their memory, their ends.
//!
//! | file | what |
//! |---|---|
//! | `connection` | the state, and how a thread works on it |
//! | `slots` | where they are found |
//! | `buffers` | what they read into |
//! | `introduction` | a PROXY header before the first request |
//! | `raw` | bytes both ways after a 101 |
//! | `effect` | what is done once the lock is let go |
//! | `asking` | what a program asks of them |
//! | `closing` | the ends: orderly, abrupt, by timer, by cancellation |

pub(crate) mod asking;
pub(crate) mod buffers;
pub(crate) mod closing;
pub(crate) mod connection;
pub(crate) mod effect;
pub(crate) mod introduction;
pub(crate) mod raw;
pub(crate) mod slots;

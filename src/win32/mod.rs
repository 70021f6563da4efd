//! The small kernel: handles, events, waits, overlapped operations, completion ports, thread-pool I/O, UTF-16.

pub mod lent;
pub mod wait;

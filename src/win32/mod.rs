//! The small kernel: handles, events, waits, overlapped operations, completion ports, thread-pool I/O,
//! UTF-16.
//!
//! Upward: `handles` and `object` name things; `signal` makes them waitable (`event`, `semaphore`, `thread`);
//! `device` and `overlapped` are asynchronous I/O, `file` a device; `queue` carries `port` and `threadpool`; `waits` waits.
//! `wait` is how a thread sleeps or drives the engine; `lent` is the caller's memory; `last_error`, `text` and `trace` stand alone.
//! No exports here: `capi::base` has the C functions.

pub mod beacon;
pub mod device;
pub mod event;
pub mod file;
pub mod handles;
pub mod last_error;
pub mod lent;
pub mod object;
pub mod overlapped;
pub mod port;
pub mod queue;
pub mod semaphore;
pub mod signal;
pub mod soon;
pub mod text;
pub mod thread;
pub mod threadpool;
pub mod trace;
pub mod wait;
pub mod waits;

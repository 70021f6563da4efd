//! Connections: how one is opened, what it carries from request to request, where it waits in between.
//!
//! ```text
//! obtain ─┬─ pool: idle connections; waiting: places, and the queue for them; groups: what there is, told
//!         └─ dialling: name, addresses, race ─┬─ names: what they mean, remembered; hosts: what they shall mean
//!                                             └─ ahead: further connections, for later
//! ```
//!
//! `connection` is one of them, `network` how the application wants them, `facts` what is remembered of a request's
//! course, `retrying` when it is sent again, `trust` whether a connection will do for that. What is sent on them is decided in `sending` and `receiving`; sockets and the resolver are `net`'s.

mod ahead;
pub(crate) mod connection;
mod dialling;
pub mod extended_error;
pub mod facts;
pub mod groups;
pub mod hosts;
pub mod names;
pub mod network;
mod obtain;
pub(crate) mod pool;
mod retrying;
mod trust;
pub(super) mod waiting;

#[cfg(test)]
mod tests;

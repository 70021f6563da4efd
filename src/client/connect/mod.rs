//! Connections: how one is opened, what it carries from request to request, where it waits in between.
//!
//! `dialling` gets a new one, `connection` is one, `pool` keeps those that wait. What is sent on them is decided in
//! `sending` and `receiving`, sockets and names are `net`'s.

pub(crate) mod connection;
mod dialling;
pub(crate) mod pool;

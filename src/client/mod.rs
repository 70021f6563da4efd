//! What WinHTTP does, in Rust words: sessions, requests, the pool, exchanges, redirects, notifications.
//!
//! ```text
//! session ── connect ── request ── exchange ── connection ── net::client_stream
//!    │                     │           │            └─ pool (process-wide), dialling
//!    └─ settings, proxy    │           └─ head, response, body, redirect
//!                          └─ turn: who runs, what waits, who says goodbye; workers run asynchronous turns
//! ```
//!
//! Nothing here knows handles, UTF-16 or callbacks of C: [`notify::Notifier`] carries those as numbers, and `capi`
//! gives them meaning.

mod body;
mod connection;
mod dialling;
mod exchange;
pub mod notify;
mod operation;
mod plan;
mod pool;
pub mod proxy;
mod receiving;
mod redirect;
pub mod request;
mod sending;
pub mod session;
pub mod settings;
mod turn;
pub mod websocket;
mod workers;

pub use operation::{Api, Operation, Outcome};
pub use plan::{Plan, Url};

#[cfg(test)]
mod tests;

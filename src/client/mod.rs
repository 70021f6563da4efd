//! What WinHTTP does, in Rust words: sessions, requests, the pool, exchanges, redirects, notifications.
//!
//! ```text
//! session ── connect ── request ── exchange ── connection ── net::client_stream
//!    │                     │           │            └─ pool (process-wide), dialling: `connect`
//!    └─ settings, proxy    │           └─ head, response, body, redirect
//!                          └─ turn: who runs, what waits, who says goodbye; workers run asynchronous turns
//! ```
//!
//! Nothing here knows handles, UTF-16 or callbacks of C: [`notify::Notifier`] carries those as numbers, and `capi`
//! gives them meaning.

pub mod auth;
mod body;
mod causes;
mod chunking;
mod completing;
pub mod connect;
mod cookies;
mod decode;
mod exchange;
mod interrupting;
pub mod kept;
pub mod notify;
mod operation;
mod plan;
pub mod proxy;
mod receiving;
mod redirect;
pub mod request;
mod sending;
pub mod session;
pub mod settings;
mod small_file;
mod stages;
mod suffixes;
mod turn;
pub mod websocket;
mod workers;
mod zstd;

use connect::{connection, pool};
pub use operation::{Api, Operation, Outcome};
pub use plan::{Plan, Url};
pub use workers::set_limit as set_worker_limit;

#[cfg(test)]
mod tests;

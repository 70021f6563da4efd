//! One port, many processes: the engine's commands carried over a Unix socket.
//!
//! ```text
//! capi ─► Guest (a Service) ─► commands ─► Host ─► the engine (a Service)
//!                           ◄─ answers  ◄─
//! ```
//!
//! [`guest::Guest`] is the calling side, [`host::Host`] the side that has the engine. Between them run
//! [`message`]s, written by [`codec`], cut into frames by [`frames`] and carried by `net::fd_channel`; files
//! travel as descriptors. The body of a large response is fetched part by part ([`body`]), so neither side
//! ever holds all of it. Who hosts a port, and how processes find each other, is not decided here.

pub mod body;
mod calls;
pub mod codec;
mod commands;
pub mod frames;
pub mod guest;
pub mod host;
pub mod message;
mod order;
mod outbox;
mod owned;
mod running;
mod uploads;
mod values;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;

use crate::net::fd_channel::FdChannel;
use crate::server::service::Service;

/// A service that reaches `engine` through a socket pair, as another process would. When the last reference
/// goes, what was created through it is closed, and the threads of both sides have ended.
pub fn pair(engine: Arc<dyn Service>) -> io::Result<Arc<dyn Service>> {
    let (near, far) = FdChannel::pair()?;
    let host = host::Host::start(far, engine)?;
    Ok(Arc::new(guest::Guest::with_host(near, host)?))
}

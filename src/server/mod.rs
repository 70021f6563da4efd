//! What HTTP.sys does, in Rust words: sessions, URL groups, routing, request queues, connections, limits.
//!
//! | room | what |
//! |---|---|
//! | `service` | the commands, and their values: the seam between `capi` and an engine |
//! | `engine`, `commands` | the engine of this process; the commands it carries out |
//! | `driver` | which thread does its I/O |
//! | `groups` | server sessions and URL groups, and what holds for their requests |
//! | `ports` | where requests come in, and which registration they belong to |
//! | `connections` | their state, memory and ends |
//! | `requests` | read, judged, queued, received |
//! | `responses` | made and sent |
//! | `auth`, `cache`, `log` | credentials; the response cache; request logs and HTTPERR |
//! | `monitor` | counters, and what can be seen and asked from outside |
//!
//! `capi` reaches it through [`service::Service`] only; the engine of this process and the guest of
//! another process both are such services.

pub(crate) mod auth;
mod cache;
mod commands;
mod connections;
mod driver;
mod engine;
mod groups;
mod log;
pub mod monitor;
mod ports;
mod requests;
mod responses;
pub mod service;

use std::sync::{Arc, OnceLock};

use crate::abi::error::{Error, Result};
use crate::win32::wait;

pub use engine::Engine;

/// The engine of this process, made at its first use; it then does its I/O on threads that wait. Fails
/// when the process has no descriptors left.
pub fn local() -> Result<Arc<dyn service::Service>> {
    static ENGINE: OnceLock<Option<Arc<Engine>>> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| {
        let engine = Arc::new(Engine::new().ok()?);
        engine.control.allow(&engine);
        if let Some(settings) = log::ErrorLogSettings::of(&engine.configured.parameters) {
            engine.errors.enable(settings);
        }
        // The hook lives as long as the process, as the engine does.
        wait::set_while_waiting(Box::leak(Box::new(Arc::clone(&engine))));
        Some(engine)
    });
    match engine {
        Some(engine) => Ok(Arc::new(commands::Local(Arc::clone(engine)))),
        None => Err(Error::NO_SYSTEM_RESOURCES),
    }
}

//! What HTTP.sys does, in Rust words: sessions, URL groups, routing, request queues, connections, limits.
//!
//! `capi` reaches it through [`service::Service`] only; the engine of this process and the guest of
//! another process both are such services.

mod accounting;
mod asking;
pub(crate) mod auth;
mod authenticating;
mod body;
mod buffers;
mod cache;
mod closing;
mod commands;
mod configured;
mod connection;
pub mod control;
mod counters;
mod draining;
mod driver;
mod effect;
mod endpoint;
mod engine;
mod entrance;
mod farewell;
mod inbound;
mod introduction;
mod log;
mod metrics;
mod narrower;
mod observe;
mod outbound;
mod parcel;
mod partial;
mod pipeline;
mod placing;
mod policy;
mod raw;
mod reason;
mod registering;
mod request_info;
mod request_queue;
mod response;
mod routing;
pub mod service;
mod session;
mod slots;
pub mod snapshot;
mod stopping;
mod throttle;
mod trailers;
mod waiting;

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

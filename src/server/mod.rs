//! What HTTP.sys does, in Rust words: sessions, URL groups, routing, request queues, connections, limits.
//!
//! `capi` reaches it through [`service::Service`] only; the engine of this process and the guest of
//! another process both are such services.

pub mod service;

//! capi
pub mod http;

//! `nthttp`: the Windows HTTP Server API (`http.h`) and WinHTTP (`winhttp.h`) as one C-ABI library.
//!
//! The crate is a stack of rooms; each imports lower floors only (the `layers` test holds this):
//! `abi` < `wire`, `win32` < `net` < `server`, `client` < `share` < `capi`. The README has the map.

pub mod abi;
#[cfg(feature = "command")]
pub mod admin;
pub mod capi;
pub mod client;
pub mod config;
pub mod net;
pub mod server;
pub mod share;
pub mod win32;
pub mod wire;

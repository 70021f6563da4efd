//! Every exported function, cut like the groups of MSDN: reads arguments, calls a room below, writes results.
//!
//! `guard` wraps each body, `tcp_info` is what both APIs tell of connections. `base` holds the Win32 functions that programs need around the two APIs.

pub mod base;
pub mod guard;
pub mod http;
mod tcp_info;
pub mod winhttp;

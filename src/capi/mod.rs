//! Every exported function, cut like the groups of MSDN: reads arguments, calls a room below, writes results.
//!
//! `guard` wraps each body. `base` holds the Win32 functions that programs need around the two APIs.

pub mod guard;
pub mod http;

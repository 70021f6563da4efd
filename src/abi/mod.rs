//! The C world as data: base types, Windows structures, constants and error codes. Nothing here does anything.
//!
//! `base` is written by hand. Everything whose name begins with `http` or `winhttp`, `codes` and `layout` are generated
//! from `abi/*.tsv` by `abi/generate.py`. Use `base::*`, `http::*` and `winhttp::*`: the rest is re-exported there.

pub mod base;
pub mod codes;
pub mod error;
pub mod http;
pub mod http_config;
pub mod http_constants;
pub mod http_statistics;
mod layout;
pub mod winhttp;
pub mod winhttp_constants;

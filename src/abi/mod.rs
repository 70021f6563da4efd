//! The C world as data: base types, Windows structures, constants and error codes. Nothing here does anything.

pub mod error;

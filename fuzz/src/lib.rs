//! The room `wire`, and the one file of `config` that reads a language, taken from the library's sources, so that fuzzing
//! builds nothing else.
//!
//! Run a target with `cargo +nightly fuzz run request_head`, from the repository's root.

/// The one thing `wire` imports.
#[path = "../../src/abi"]
pub mod abi {
    pub mod error;
}

#[path = "../../src/wire/mod.rs"]
pub mod wire;

#[path = "../../src/config/sddl.rs"]
pub mod sddl;

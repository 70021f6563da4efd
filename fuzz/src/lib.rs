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

/// The proxy settings that come from outside, of the room `client`.
#[path = "../../src/client/proxy"]
pub mod proxy_lists {
    mod bypass;
    mod gvdb;
    mod list;

    /// The first proxy of a list, as an item.
    pub fn first_item(list: &str, secure: bool) -> Option<String> {
        let _ = list::servers(list, secure);
        list::first(list, secure).map(|server| {
            let _ = server.login();
            server.item()
        })
    }

    /// Whether a bypass list has a server.
    pub fn bypassed(list: &str, secure: bool, host: &str, port: u16) -> bool {
        bypass::bypasses(list, secure, host, port)
    }

    /// `no_proxy` as a bypass list.
    pub fn from_suffixes(list: &str) -> String {
        bypass::from_suffixes(list)
    }

    /// The values of a data base.
    pub fn read_data_base(data: &[u8]) {
        let _ = gvdb::values_below(data, "/");
    }
}

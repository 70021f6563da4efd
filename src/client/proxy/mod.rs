//! Which proxy a URL is asked through, and how it is passed (digest §8).
//!
//! | file | what it does |
//! |---|---|
//! | `list`, `bypass` | reads the two lists of a proxy setting |
//! | `environment`, `desktop` (`kde`, `gnome`, `gvdb`) | settings that stand for the system's and the user's |
//! | `settings` | which of them counts, and where the default is kept |
//! | `route` | from a request's URL to the first hop, and down the list when a proxy is not there (`bad`) |
//! | `tunnel`, `socks` | from the first hop on to the server |
//! | `detect`, `lookup`, `resolver` | WPAD, WinHttpGetProxyForUrl, and its asynchronous form |
//! | `changes` | tells who wants to know that the settings have changed |
//!
//! Scripts (PAC) are not run: whoever asks for one is told so. TLS to a proxy is not built in either.

mod bad;
mod bypass;
pub mod changes;
mod desktop;
pub mod detect;
mod environment;
mod gnome;
mod gvdb;
mod kde;
mod list;
pub mod lookup;
pub mod resolver;
mod route;
pub mod settings;
mod socks;
mod tunnel;

pub use bypass::bypasses;
pub use list::{Kind, Server};
pub(crate) use route::Passage;

/// `WINHTTP_ACCESS_TYPE_DEFAULT_PROXY`
pub const DEFAULT: u32 = 0;
/// `WINHTTP_ACCESS_TYPE_NO_PROXY`
pub const DIRECT: u32 = 1;
/// `WINHTTP_ACCESS_TYPE_NAMED_PROXY`
pub const NAMED: u32 = 3;
/// `WINHTTP_ACCESS_TYPE_AUTOMATIC_PROXY`
pub const AUTOMATIC: u32 = 4;

/// A proxy setting, as given to WinHttpOpen or WINHTTP_OPTION_PROXY.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxy {
    /// `WINHTTP_ACCESS_TYPE_*`
    pub access: u32,
    /// `[scheme=][scheme://]server[:port]` items between semicolons or blanks. `None` is a direct connection.
    pub list: Option<String>,
    /// Hosts that are asked directly.
    pub bypass: Option<String>,
}

impl Proxy {
    /// No proxy at all.
    pub fn direct() -> Proxy {
        Proxy { access: DIRECT, ..Proxy::default() }
    }

    /// Whether the bypass list has this server.
    pub fn is_bypassed(&self, secure: bool, host: &str, port: u16) -> bool {
        self.bypass.as_deref().is_some_and(|list| bypasses(list, secure, host, port))
    }

    /// The proxies for a server, best first; none is a direct connection.
    pub fn candidates(&self, secure: bool, host: &str, port: u16) -> Vec<Server<'_>> {
        match &self.list {
            Some(list) if !self.is_bypassed(secure, host, port) => list::servers(list, secure),
            _ => Vec::new(),
        }
    }

    /// The proxy for a server; `None` is a direct connection.
    pub fn choose(&self, secure: bool, host: &str, port: u16) -> Option<Server<'_>> {
        let list = self.list.as_deref()?;
        if self.is_bypassed(secure, host, port) { None } else { list::first(list, secure) }
    }
}

//! The service this process talks to: the engine here, or, with `NTHTTP_SERVICE=socketpair`, the same engine
//! reached through a socket pair, as a guest of another process reaches it.

use std::sync::{Arc, OnceLock};

use crate::abi::error::{Error, Result};
use crate::server::{self, service::Service};
use crate::share;
use crate::win32::handles::is_forked;

/// The service, made at the first use and kept to the end of the process. `NO_SYSTEM_RESOURCES` if it cannot be made,
/// `NOT_READY` in the child of a fork, whose engine would be its parent's: locks held for ever, and one poller for both.
pub(super) fn service() -> Result<&'static dyn Service> {
    static SERVICE: OnceLock<Arc<dyn Service>> = OnceLock::new();
    if is_forked() {
        return Err(Error::NOT_READY);
    }
    if let Some(service) = SERVICE.get() {
        return Ok(&**service);
    }
    let made = make()?;
    Ok(&**SERVICE.get_or_init(|| made))
}

fn make() -> Result<Arc<dyn Service>> {
    let engine = server::local()?;
    match std::env::var_os("NTHTTP_SERVICE") {
        Some(way) if way == "socketpair" => share::pair(engine).map_err(|_| Error::NO_SYSTEM_RESOURCES),
        _ => Ok(engine),
    }
}

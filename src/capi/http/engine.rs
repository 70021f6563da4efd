//! The service this process talks to.

use std::sync::{Arc, OnceLock};

use crate::abi::error::Result;
use crate::server::{self, service::Service};

/// The service, made at the first use and kept to the end of the process. `NO_SYSTEM_RESOURCES` if it cannot be made.
pub(super) fn service() -> Result<&'static dyn Service> {
    static SERVICE: OnceLock<Arc<dyn Service>> = OnceLock::new();
    if let Some(service) = SERVICE.get() {
        return Ok(&**service);
    }
    let made = server::local()?;
    Ok(&**SERVICE.get_or_init(|| made))
}

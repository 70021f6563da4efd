//! The service configuration: what netsh and `HttpSetServiceConfiguration` keep in the registry, in one readable file.
//!
//! [`Store`] reads and changes the file; [`Config`] is what stands in it; [`Parameters`] are the registry's limits and
//! switches by their names; `sddl` and `access` say who may register which URL. Nothing here knows the C structures
//! (`capi/http/config_*`) or the engine, which reads what it needs when it opens a port.

mod access;
mod entries;
mod parameters;
mod records;
mod sddl;
mod store;

pub use access::{Account, Verdict, may_register, user_sddl};
pub use entries::{Entry, Trouble, canonical};
pub use parameters::{Kind, PARAMETERS, Parameter, Parameters};
pub use records::{CacheParameters, Config, SslBinding, SslKey, SslParam, Timeouts, UrlAcl, WinHttpProxy};
pub use sddl::{DELEGATE, Dacl, LISTEN};
pub use store::{Fault, Store, Version};

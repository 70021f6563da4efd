//! What can be seen of a running engine, and asked of it from outside.
//!
//! | file | what |
//! |---|---|
//! | `accounting` | what a request leaves behind |
//! | `reason` | why something was refused or dropped |
//! | `counters` | counts, spread over cores |
//! | `metrics` | them as Prometheus text |
//! | `snapshot` | the types of a look |
//! | `observe` | the look itself |
//! | `control` | the socket that others ask |

pub(crate) mod accounting;
pub mod control;
pub(crate) mod counters;
pub(crate) mod metrics;
pub(crate) mod observe;
pub(crate) mod reason;
pub mod snapshot;

//! Who serves, and on which terms: server sessions and URL groups, and what holds for their requests.
//!
//! | file | what |
//! |---|---|
//! | `session` | who owns which URL group; settings and bindings |
//! | `policy` | what settings come to for a request |
//! | `narrower` | limits that a session or group sets for itself |
//! | `throttle` | how fast responses may leave |

pub(crate) mod narrower;
pub(crate) mod policy;
pub(crate) mod session;
pub(crate) mod throttle;

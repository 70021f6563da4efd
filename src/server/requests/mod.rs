//! Requests on their way in: read, judged, queued, received.
//!
//! | file | what |
//! |---|---|
//! | `inbound` | from readiness to requests |
//! | `authenticating` | whose they are |
//! | `queue` | where they wait for a receive |
//! | `waiting` | a thread that waits for one |
//! | `info` | what they tell besides their heads |
//! | `body` | their bodies |
//! | `draining` | what is left of those |
//! | `stopping` | the end of queues |

pub(crate) mod authenticating;
pub(crate) mod body;
pub(crate) mod draining;
pub(crate) mod inbound;
pub(crate) mod info;
pub(crate) mod queue;
pub(crate) mod stopping;
pub(crate) mod waiting;

//! Where requests come in and which registration they belong to.
//!
//! | file | what |
//! |---|---|
//! | `endpoint` | a port: its sockets, and the prefixes on it |
//! | `entrance` | further ways in that a group asked for |
//! | `registering` | prefixes, added and taken away |
//! | `routing` | whose a request is |
//! | `placing` | its queue and policy, remembered from one request to the next |
//! | `configured` | what the service configuration says of all that |
//! | `farewell` | what becomes of connections when a port closes |

pub(crate) mod configured;
pub(crate) mod endpoint;
pub(crate) mod entrance;
pub(crate) mod farewell;
pub(crate) mod placing;
pub(crate) mod registering;
pub(crate) mod routing;

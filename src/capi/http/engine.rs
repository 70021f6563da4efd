//! The service this process talks to.

use crate::server::service::Service;

/// The service.
#[inline]
pub(super) fn service() -> &'static dyn Service {
    unreachable!()
}

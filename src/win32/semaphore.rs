//! Semaphores: a counting signal with handles.

use std::sync::Arc;

use super::object::HandleCount;
use super::signal::{Mode, Signal};
use crate::abi::error::{Error, Result};

/// A semaphore object.
pub struct Semaphore {
    /// Its count.
    pub signal: Signal,
    pub(super) handles: HandleCount,
}

impl Semaphore {
    /// A semaphore. `INVALID_PARAMETER` unless 0 <= initial <= maximum and maximum > 0.
    pub fn new(initial: i32, maximum: i32) -> Result<Arc<Semaphore>> {
        let count = u32::try_from(initial).map_err(|_| Error::INVALID_PARAMETER)?;
        let maximum = u32::try_from(maximum).map_err(|_| Error::INVALID_PARAMETER)?;
        if maximum == 0 || count > maximum {
            return Err(Error::INVALID_PARAMETER);
        }
        let signal = Signal::new(Mode::Counting { maximum }, count);
        Ok(Arc::new(Semaphore { signal, handles: HandleCount::new() }))
    }
}

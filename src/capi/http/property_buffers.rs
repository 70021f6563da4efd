//! The buffers of property calls: how long they must be, and how sizes are told (digest §6.2).
#![expect(unsafe_code, reason = "reads and writes the caller's buffers")]

use crate::abi::base::{PULONG, PVOID, ULONG};
use crate::abi::error::{Error, Result};

/// A value the caller gives.
#[derive(Clone, Copy)]
pub(super) struct Given {
    pub(super) start: PVOID,
    pub(super) len: ULONG,
}

impl Given {
    /// Refuses a value that is not there.
    pub(super) fn check(self) -> Result<()> {
        if self.start.is_null() || self.len == 0 { Err(Error::INVALID_PARAMETER) } else { Ok(()) }
    }

    /// The value; a longer buffer is accepted.
    ///
    /// # Safety
    /// The buffer is valid for reads of its length; every bit pattern is a `T`.
    pub(super) unsafe fn read<T: Copy>(self) -> Result<T> {
        self.check()?;
        if (self.len as usize) < size_of::<T>() {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: as promised by the caller; the length is checked above.
        Ok(unsafe { self.start.cast::<T>().read_unaligned() })
    }
}

/// Where the caller wants a value.
pub(super) struct Wanted {
    pub(super) start: PVOID,
    pub(super) len: ULONG,
    /// Where the size is told, if anywhere.
    pub(super) size: PULONG,
}

impl Wanted {
    /// Tells the size, and writes the value if there is room.
    ///
    /// # Safety
    /// The buffer is NULL or valid for writes of its length; `size` is NULL or valid for writes.
    pub(super) unsafe fn write<T: Copy>(self, value: T) -> Result<()> {
        let probe = self.len == 0 && !self.size.is_null();
        if self.start.is_null() && !probe {
            return Err(Error::INVALID_PARAMETER);
        }
        if !self.size.is_null() {
            // SAFETY: as promised by the caller.
            unsafe { self.size.write_unaligned(size_of::<T>() as ULONG) };
        }
        if (self.len as usize) < size_of::<T>() {
            return Err(Error::MORE_DATA);
        }
        // SAFETY: as promised by the caller; the length is checked above.
        unsafe { self.start.cast::<T>().write_unaligned(value) };
        Ok(())
    }
}

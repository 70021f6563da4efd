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
        // SAFETY: as promised by the caller.
        unsafe { self.write_with_tail(value, &[]) }
    }

    /// As [`Wanted::write`] of a value that needs `bytes` and cannot be made yet: tells the size only.
    ///
    /// # Safety
    /// As [`Wanted::write`].
    pub(super) unsafe fn probe(self, bytes: usize) -> Result<()> {
        // SAFETY: as promised by the caller.
        unsafe { self.tell(bytes) }.and(Err(Error::MORE_DATA))
    }

    /// Tells the size of the value and what stands behind it, and writes both if there is room.
    ///
    /// # Safety
    /// As [`Wanted::write`].
    pub(super) unsafe fn write_with_tail<T: Copy>(self, value: T, tail: &[u8]) -> Result<()> {
        let bytes = size_of::<T>() + tail.len();
        // SAFETY: as promised by the caller, here and below.
        unsafe { self.tell(bytes)? };
        if (self.len as usize) < bytes {
            return Err(Error::MORE_DATA);
        }
        // SAFETY: see above; the length is checked.
        unsafe {
            self.start.cast::<T>().write_unaligned(value);
            let behind = self.start.cast::<u8>().add(size_of::<T>());
            behind.copy_from_nonoverlapping(tail.as_ptr(), tail.len());
        }
        Ok(())
    }

    /// Tells the size; refuses a buffer that is NULL, unless only the size is asked for.
    ///
    /// # Safety
    /// As [`Wanted::write`].
    unsafe fn tell(&self, bytes: usize) -> Result<()> {
        let probe = self.len == 0 && !self.size.is_null();
        if self.start.is_null() && !probe {
            return Err(Error::INVALID_PARAMETER);
        }
        if !self.size.is_null() {
            // SAFETY: as promised by the caller.
            unsafe { self.size.write_unaligned(bytes as ULONG) };
        }
        Ok(())
    }
}

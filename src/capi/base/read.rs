//! Reading and writing what C points at: strings, out-parameters, buffers of text.
#![expect(unsafe_code, reason = "reads the C caller's memory")]

use crate::abi::error::{Error, Result};

/// The units of a string before its NUL. `INVALID_PARAMETER` for NULL.
///
/// # Safety
/// `text` is NULL or ends in a NUL, and stays unchanged during `'a`.
pub(super) unsafe fn terminated<'a, T: Copy + Default + PartialEq>(text: *const T) -> Result<&'a [T]> {
    if text.is_null() {
        return Err(Error::INVALID_PARAMETER);
    }
    let mut len = 0;
    // SAFETY: the caller promises a NUL, and everything up to it is readable.
    unsafe {
        while *text.add(len) != T::default() {
            len += 1;
        }
        Ok(std::slice::from_raw_parts(text, len))
    }
}

/// As [`terminated`], with `None` for NULL.
///
/// # Safety
/// As for [`terminated`].
pub(super) unsafe fn optional<'a, T: Copy + Default + PartialEq>(text: *const T) -> Option<&'a [T]> {
    // SAFETY: the same contract.
    unsafe { terminated(text) }.ok()
}

/// Writes through an out-pointer unless it is NULL.
///
/// # Safety
/// `place` is NULL or valid for writes.
pub(super) unsafe fn put<T>(place: *mut T, value: T) {
    if !place.is_null() {
        // SAFETY: valid for writes per this function's contract; C does not promise alignment of members.
        unsafe { place.write_unaligned(value) };
    }
}

/// Copies text and a NUL into a buffer of `size` units. Gives the length without NUL if it fitted, else the
/// size needed with NUL and nothing written, as `GetTempPath` and its relatives do.
///
/// # Safety
/// `buffer` is valid for writes of `size` units.
pub(super) unsafe fn put_text<T: Copy + Default>(text: &[T], buffer: *mut T, size: u32) -> u32 {
    if buffer.is_null() || text.len() >= size as usize {
        return text.len() as u32 + 1;
    }
    // SAFETY: text and NUL fit in the size the caller promises.
    unsafe {
        buffer.copy_from_nonoverlapping(text.as_ptr(), text.len());
        *buffer.add(text.len()) = T::default();
    }
    text.len() as u32
}

/// The caller's bytes.
///
/// # Safety
/// `start` is valid for reads of `len` bytes during `'a`, or `len` is 0.
pub(super) unsafe fn bytes<'a, T>(start: *const T, len: usize) -> &'a [T] {
    if start.is_null() || len == 0 {
        return &[];
    }
    // SAFETY: valid for reads per this function's contract.
    unsafe { std::slice::from_raw_parts(start, len) }
}

/// The caller's buffer.
///
/// # Safety
/// `start` is valid for reads and writes of `len` items during `'a` and used by nobody else, or `len` is 0.
pub(super) unsafe fn buffer<'a, T>(start: *mut T, len: usize) -> &'a mut [T] {
    if start.is_null() || len == 0 {
        return &mut [];
    }
    // SAFETY: valid and exclusive per this function's contract.
    unsafe { std::slice::from_raw_parts_mut(start, len) }
}

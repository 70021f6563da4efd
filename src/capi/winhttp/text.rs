//! Strings and numbers of C callers, in and out.
#![expect(unsafe_code, reason = "reads and writes the C caller's memory")]

use crate::abi::error::{Error, Result};

/// The units of a string before its NUL; `None` for NULL.
///
/// # Safety
/// `text` is NULL or ends in a NUL, and stays unchanged during `'a`.
pub(super) unsafe fn optional<'a, T: Copy + Default + PartialEq>(text: *const T) -> Option<&'a [T]> {
    if text.is_null() {
        return None;
    }
    let mut len = 0;
    // SAFETY: the caller promises a NUL, and everything up to it is readable.
    unsafe {
        while *text.add(len) != T::default() {
            len += 1;
        }
        Some(std::slice::from_raw_parts(text, len))
    }
}

/// As [`optional`]; `INVALID_PARAMETER` for NULL.
///
/// # Safety
/// As for [`optional`].
pub(super) unsafe fn required<'a, T: Copy + Default + PartialEq>(text: *const T) -> Result<&'a [T]> {
    // SAFETY: the same contract.
    unsafe { optional(text) }.ok_or(Error::INVALID_PARAMETER)
}

/// A string of `len` units, or up to its NUL when `len` is one of `open` ("the text ends in NUL").
///
/// # Safety
/// `text` is NULL or valid for reads of that many units during `'a`.
pub(super) unsafe fn counted<'a>(text: *const u16, len: u32, open: &[u32]) -> Result<&'a [u16]> {
    if text.is_null() {
        return Err(Error::INVALID_PARAMETER);
    }
    if open.contains(&len) {
        // SAFETY: such a length promises a NUL.
        return unsafe { required(text) };
    }
    // SAFETY: the caller promises `len` units.
    Ok(unsafe { std::slice::from_raw_parts(text, len as usize) })
}

/// Writes through an out-pointer unless it is NULL.
///
/// # Safety
/// `place` is NULL or valid for writes.
pub(super) unsafe fn put<T>(place: *mut T, value: T) {
    if !place.is_null() {
        // SAFETY: valid for writes per this function's contract; alignment is not promised.
        unsafe { place.write_unaligned(value) };
    }
}

/// A caller's buffer with its size in bytes, as every WinHTTP query has it: the size comes in through a pointer,
/// and the size used or needed goes out through it.
pub(super) struct Answer {
    buffer: *mut u8,
    length: *mut u32,
    room: usize,
}

impl Answer {
    /// `INVALID_PARAMETER` without a pointer to the size.
    ///
    /// # Safety
    /// `length` is NULL or valid for reads and writes; `buffer` is NULL or valid for writes of that many bytes.
    pub(super) unsafe fn new<T>(buffer: *mut T, length: *mut u32) -> Result<Answer> {
        if length.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: valid for reads per this function's contract.
        let room = unsafe { length.read_unaligned() } as usize;
        Ok(Answer { buffer: buffer.cast(), length, room: if buffer.is_null() { 0 } else { room } })
    }

    /// The bytes the caller has put into the buffer, for questions that are asked with it; at most `len`.
    pub(super) fn question(&self, len: usize) -> Option<Vec<u8>> {
        // SAFETY: the creator promised `room` bytes.
        (self.room >= len).then(|| unsafe { std::slice::from_raw_parts(self.buffer, len) }.to_vec())
    }

    /// Where the buffer starts.
    pub(super) fn start(&self) -> *mut u8 {
        self.buffer
    }

    /// Makes sure of `needed` bytes; otherwise says so and gives `INSUFFICIENT_BUFFER`.
    pub(super) fn reserve(&self, needed: usize) -> Result<()> {
        if needed <= self.room && !self.buffer.is_null() {
            return Ok(());
        }
        self.say(needed);
        Err(Error::INSUFFICIENT_BUFFER)
    }

    /// Sets the size that goes out.
    pub(super) fn say(&self, length: usize) {
        // SAFETY: the creator promised that the pointer is valid for writes.
        unsafe { self.length.write_unaligned(u32::try_from(length).unwrap_or(u32::MAX)) };
    }

    /// A value of fixed size.
    pub(super) fn plain<T: Copy>(&self, value: T) -> Result<()> {
        self.reserve(size_of::<T>())?;
        // SAFETY: the size was checked; alignment is not promised.
        unsafe { self.buffer.cast::<T>().write_unaligned(value) };
        self.say(size_of::<T>());
        Ok(())
    }

    /// Text and a NUL; the size that goes out is without the NUL on success and with it when the room is short.
    pub(super) fn text<T: Copy + Default>(&self, units: impl ExactSizeIterator<Item = T>) -> Result<()> {
        let size = units.len() * size_of::<T>();
        self.reserve(size + size_of::<T>())?;
        let mut place = self.buffer.cast::<T>();
        for unit in units.chain([T::default()]) {
            // SAFETY: the size was checked for all units and the NUL.
            unsafe {
                place.write_unaligned(unit);
                place = place.add(1);
            }
        }
        self.say(size);
        Ok(())
    }
}

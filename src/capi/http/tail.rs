//! Answers that point into themselves: a structure at the start of the caller's buffer, and what it points at behind it.

use crate::abi::base::{PVOID, PWSTR, USHORT, WCHAR};

/// What is to stand behind a structure in the caller's buffer, and the addresses it will have there.
pub(super) struct Tail {
    start: *mut u8,
    /// What stands there.
    pub(super) bytes: Vec<u8>,
}

impl Tail {
    /// Behind a structure of type `T` at the start of the buffer.
    pub(super) fn behind<T>(buffer: PVOID) -> Tail {
        Tail { start: buffer.cast::<u8>().wrapping_add(size_of::<T>()), bytes: Vec::new() }
    }

    /// The address a place will have.
    pub(super) fn address(&self, at: usize) -> *mut u8 {
        self.start.wrapping_add(at)
    }

    /// Takes zeroed room, aligned to 8 like the buffer; gives where it begins.
    pub(super) fn reserve(&mut self, len: usize) -> usize {
        let at = self.bytes.len().next_multiple_of(8);
        self.bytes.resize(at + len, 0);
        at
    }

    /// Writes into room taken before.
    pub(super) fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Appends a text with its NUL; gives its address and its bytes without the NUL. NULL for none.
    pub(super) fn wide(&mut self, text: Option<&str>) -> (PWSTR, USHORT) {
        let Some(text) = text else { return (std::ptr::null_mut(), 0) };
        let units: Vec<WCHAR> = text.encode_utf16().collect();
        let at = self.bytes.len().next_multiple_of(2);
        self.bytes.resize(at, 0);
        self.bytes.extend(units.iter().chain([&0]).flat_map(|unit| unit.to_ne_bytes()));
        (self.address(at).cast(), (units.len() * 2) as USHORT)
    }

    /// As [`Tail::wide`], in bytes.
    pub(super) fn narrow(&mut self, text: &str) -> (PWSTR, USHORT) {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(0);
        (self.address(at).cast(), text.len() as USHORT)
    }
}

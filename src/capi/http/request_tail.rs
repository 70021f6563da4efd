//! What stands behind the structure of a request: taken piece by piece from the front of the caller's buffer.
#![expect(unsafe_code, reason = "makes UTF-16 of the caller's bytes")]

use crate::abi::base::{PCSTR, PSOCKADDR};

use super::address;

/// What is left of the buffer behind the fixed structure; taken piece by piece from its start.
pub(super) struct Tail<'a> {
    pub(super) rest: &'a mut [u8],
}

impl<'a> Tail<'a> {
    /// Takes room for `len` bytes.
    #[inline]
    pub(super) fn take(&mut self, len: usize) -> &'a mut [u8] {
        let (place, rest) = std::mem::take(&mut self.rest).split_at_mut(len);
        self.rest = rest;
        place
    }

    /// Copies bytes.
    #[inline]
    pub(super) fn append(&mut self, bytes: &[u8]) -> PCSTR {
        let place = self.take(bytes.len());
        place.copy_from_slice(bytes);
        place.as_ptr().cast()
    }

    /// Copies bytes and a NUL.
    #[inline]
    pub(super) fn text(&mut self, bytes: &[u8]) -> PCSTR {
        let place = self.take(bytes.len() + 1);
        place[..bytes.len()].copy_from_slice(bytes);
        place[bytes.len()] = 0;
        place.as_ptr().cast()
    }

    /// Room for UTF-16 units.
    #[inline]
    pub(super) fn units(&mut self, len: usize) -> &'a mut [u16] {
        let place = self.take(len * 2);
        // SAFETY: the place was just taken; arrays and addresses before it are multiples of 8, so it is even.
        unsafe { std::slice::from_raw_parts_mut(place.as_mut_ptr().cast(), len) }
    }

    #[inline]
    pub(super) fn address(&mut self, address: &std::net::SocketAddr) -> PSOCKADDR {
        let place = self.take(address::room(address));
        address::write(address, place);
        place.as_mut_ptr().cast()
    }
}

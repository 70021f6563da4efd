//! Memory of the caller lent to an operation until it completes.
//!
//! The documented contract of every overlapped call is that the buffer stays valid, and is not touched by
//! the caller, until the operation has completed. These types carry that promise through the rooms below
//! `capi` as owned, non-Clone values: whoever completes the operation drops them. Memory of our own, where
//! it stands in for a caller's (room `share`), travels in the same types.
#![expect(unsafe_code, reason = "turns the C caller's promise about a buffer into slices")]

use std::ptr::NonNull;
use std::sync::Arc;

use parking_lot::Mutex;

/// Bytes the caller lets us read until the operation completes.
#[derive(Debug)]
pub struct LentBytes {
    start: NonNull<u8>,
    len: usize,
    /// Holds the memory when it is our own; empty, and without an allocation, when it is a caller's.
    _owner: Vec<u8>,
}

// SAFETY: the memory belongs to the process, not to a thread; the C caller leaves it alone until completion.
unsafe impl Send for LentBytes {}
// SAFETY: as above; only shared reads happen through a shared reference.
unsafe impl Sync for LentBytes {}

impl LentBytes {
    /// # Safety
    /// `start` is valid for reads of `len` bytes, and unchanged, until the value is dropped.
    pub unsafe fn new(start: *const u8, len: usize) -> LentBytes {
        match NonNull::new(start.cast_mut()) {
            Some(start) => LentBytes { start, len, _owner: Vec::new() },
            None => LentBytes { start: NonNull::dangling(), len: 0, _owner: Vec::new() },
        }
    }

    /// Bytes that are there for ever.
    pub const fn from_static(bytes: &'static [u8]) -> LentBytes {
        LentBytes { start: NonNull::from_ref(bytes).cast(), len: bytes.len(), _owner: Vec::new() }
    }

    /// No bytes.
    pub const fn empty() -> LentBytes {
        LentBytes { start: NonNull::dangling(), len: 0, _owner: Vec::new() }
    }

    /// Bytes of our own in place of a caller's.
    pub fn owned(mut bytes: Vec<u8>) -> LentBytes {
        LentBytes { start: start_of(&mut bytes), len: bytes.len(), _owner: bytes }
    }

    /// Some of the bytes; none past the end.
    pub fn narrow(mut self, start: usize, len: usize) -> LentBytes {
        let start = start.min(self.len);
        self.len = len.min(self.len - start);
        // SAFETY: `start` lies in the memory, or at its end.
        self.start = unsafe { self.start.add(start) };
        self
    }

    /// The bytes.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: the creator promised validity for reads until the value is dropped; memory of our own
        // stays where it is because `_owner` is never touched.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

/// A buffer the caller lets us fill until the operation completes.
#[derive(Debug)]
pub struct LentBuffer {
    start: NonNull<u8>,
    len: usize,
    /// Holds the memory, and drops it or gives it back; it is not touched before.
    _owner: Owner,
}

/// Whose the memory of a buffer is.
#[derive(Debug)]
#[expect(dead_code, reason = "is there to be dropped")]
enum Owner {
    /// A caller's, who has an empty vector here, or our own.
    Memory(Vec<u8>),
    /// Our own, to be given back.
    Loan(Box<Loan>),
}

// SAFETY: the memory belongs to the process, not to a thread; the C caller leaves it alone until completion.
unsafe impl Send for LentBuffer {}
// SAFETY: a shared reference gives no access to the memory.
unsafe impl Sync for LentBuffer {}

impl LentBuffer {
    /// # Safety
    /// `start` is valid for reads and writes of `len` initialised-or-writable bytes, used by nobody else,
    /// until the value is dropped.
    pub unsafe fn new(start: *mut u8, len: usize) -> LentBuffer {
        match NonNull::new(start) {
            Some(start) => LentBuffer { start, len, _owner: Owner::Memory(Vec::new()) },
            None => LentBuffer { start: NonNull::dangling(), len: 0, _owner: Owner::Memory(Vec::new()) },
        }
    }

    /// A buffer of our own, of `bytes.len()` bytes, in place of a caller's.
    pub fn owned(mut bytes: Vec<u8>) -> LentBuffer {
        LentBuffer { start: start_of(&mut bytes), len: bytes.len(), _owner: Owner::Memory(bytes) }
    }

    /// Number of bytes that may be written.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing may be written.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The buffer, to be written. Bytes not yet written hold whatever the caller left there.
    #[inline]
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: the creator promised exclusive use until the value is dropped; for memory of our own as
        // in `LentBytes::as_slice`.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

/// Memory of our own that is lent again and again: to one operation at a time, and back here when that has completed.
#[derive(Clone, Debug)]
pub struct Lender(Arc<Mutex<Vec<u8>>>);

impl Lender {
    /// So many bytes to lend.
    pub fn new(len: usize) -> Lender {
        Lender(Arc::new(Mutex::new(vec![0; len])))
    }

    /// All of them as a buffer; one of no bytes while an operation has them.
    pub fn lend(&self) -> LentBuffer {
        let mut bytes = std::mem::take(&mut *self.0.lock());
        let (start, len) = (start_of(&mut bytes), bytes.len());
        let loan = Box::new(Loan { bytes, lender: self.clone() });
        LentBuffer { start, len, _owner: Owner::Loan(loan) }
    }

    /// Looks at them; there are none while an operation has them.
    pub fn look<R>(&self, look: impl FnOnce(&[u8]) -> R) -> R {
        look(&self.0.lock())
    }
}

#[derive(Debug)]
struct Loan {
    bytes: Vec<u8>,
    lender: Lender,
}

impl Drop for Loan {
    fn drop(&mut self) {
        if !self.bytes.is_empty() {
            *self.lender.0.lock() = std::mem::take(&mut self.bytes);
        }
    }
}

/// Where a vector's memory starts; it stays there when the vector is moved.
fn start_of(bytes: &mut Vec<u8>) -> NonNull<u8> {
    NonNull::new(bytes.as_mut_ptr()).unwrap_or(NonNull::dangling())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_narrowed_stays_inside() {
        let part =
            |start, len| LentBytes::owned(b"0123456789".to_vec()).narrow(start, len).as_slice().to_vec();
        assert_eq!((part(2, 3), part(8, 9), part(20, 1)), (b"234".to_vec(), b"89".to_vec(), Vec::new()));
    }

    #[test]
    fn memory_of_our_own_lives_as_long_as_the_value() {
        let bytes = LentBytes::owned(b"lent".to_vec());
        let mut buffer = LentBuffer::owned(vec![0; 4]);
        let moved = Box::new((bytes, buffer.len()));
        buffer.as_mut_slice().copy_from_slice(moved.0.as_slice());
        assert_eq!(buffer.as_mut_slice(), b"lent");
        assert!(LentBytes::owned(Vec::new()).as_slice().is_empty());
    }
    #[test]
    fn what_is_lent_comes_back() {
        // Whose memory it is takes no room in a caller's buffer.
        assert_eq!(size_of::<LentBuffer>(), size_of::<LentBytes>());
        let lender = Lender::new(4);
        for round in 0..3 {
            let mut buffer = lender.lend();
            assert_eq!((buffer.len(), lender.look(<[u8]>::len), lender.lend().len()), (4, 0, 0));
            buffer.as_mut_slice().fill(round);
            drop(Box::new(buffer));
            assert_eq!(lender.look(<[u8]>::to_vec), vec![round; 4]);
        }
    }
}

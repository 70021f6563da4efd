//! Trailer fields in C structures: those of a request in the caller's buffer, those of a response in its last chunk.
#![expect(unsafe_code, reason = "reads and writes C structures")]

use crate::abi::error::{Error, Result};
use crate::abi::http::{HTTP_DATA_CHUNK_TRAILERS, HTTP_UNKNOWN_HEADER, PHTTP_UNKNOWN_HEADER};
use crate::server::service::{Chunk, Delivery};
use crate::wire::trailers::{fields, may_send, push};

use super::read_response::array;
use super::request_tail::Tail;

/// Fields a trailer section may have.
const MAX_FIELDS: u16 = 9999;

/// Bytes of the longest section sent.
const MAX_SECTION: usize = 64 * 1024;

/// The trailer section of a request; empty for nearly all.
pub(super) fn section(delivery: &Delivery) -> &[u8] {
    delivery.extras.as_ref().map_or(&[], |extras| &extras.trailers)
}

/// Bytes of array and texts.
pub(super) fn room(section: &[u8]) -> (usize, usize) {
    let texts = fields(section).map(|(name, value)| name.len() + value.len() + 2).sum();
    (fields(section).count() * size_of::<HTTP_UNKNOWN_HEADER>(), texts)
}

/// Writes the fields: entries at `place`, which is aligned to 8 and has room for all, texts to the tail.
pub(super) fn write(section: &[u8], place: &mut [u8], tail: &mut Tail<'_>) -> (u16, PHTTP_UNKNOWN_HEADER) {
    assert_eq!(place.len(), room(section).0);
    let array: PHTTP_UNKNOWN_HEADER = place.as_mut_ptr().cast();
    let mut count = 0;
    for (name, value) in fields(section) {
        let header = HTTP_UNKNOWN_HEADER {
            NameLength: name.len().min(0xFFFE) as u16,
            RawValueLength: value.len().min(0xFFFE) as u16,
            pName: tail.text(name),
            pRawValue: tail.text(value),
        };
        // SAFETY: the place is aligned and has room for every field (asserted).
        unsafe { array.add(count).write(header) };
        count += 1;
    }
    (count.min(usize::from(u16::MAX)) as u16, array)
}

/// Reads a trailers chunk. `INVALID_PARAMETER` for fields that must not be trailers, or would break the message.
///
/// # Safety
/// What the chunk points at is valid for reads.
pub(super) unsafe fn read_trailers(chunk: HTTP_DATA_CHUNK_TRAILERS) -> Result<Chunk> {
    if chunk.TrailerCount > MAX_FIELDS {
        return Err(Error::INVALID_PARAMETER);
    }
    let mut section = Vec::new();
    // SAFETY: as promised by the caller, here and below.
    for field in unsafe { array(chunk.pTrailers, chunk.TrailerCount)? } {
        // SAFETY: see above.
        let (name, value) = unsafe {
            (
                array(field.pName.cast::<u8>(), field.NameLength)?,
                array(field.pRawValue.cast::<u8>(), field.RawValueLength)?,
            )
        };
        if !may_send(name, value) || section.len() + name.len() + value.len() > MAX_SECTION {
            return Err(Error::INVALID_PARAMETER);
        }
        push(&mut section, name, value);
    }
    Ok(Chunk::Trailers(section))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_fields_than_can_be_counted_are_told_as_many_as_can() {
        let section = b"a:\r\n".repeat(usize::from(u16::MAX) + 2);
        let (array, texts) = room(&section);
        let mut words = vec![0u64; array / 8];
        // SAFETY: as many bytes as the words have.
        let place = unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), words.len() * 8) };
        let mut rest = vec![0; texts];
        assert_eq!(write(&section, place, &mut Tail { rest: &mut rest }).0, u16::MAX);
    }
}

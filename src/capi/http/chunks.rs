//! Body chunks of a response (`HTTP_DATA_CHUNK`): memory stays the caller's until completion, files are kept open.
#![expect(unsafe_code, reason = "reads C structures")]
#![expect(non_upper_case_globals, reason = "Windows spelling, as in the header")]

use crate::abi::base::HANDLE;
use crate::abi::error::{Error, Result};
use crate::abi::http::*;
use crate::server::service::{Body, Chunk};
use crate::win32::file::File;
use crate::win32::lent::LentBytes;

use super::queue::device;
use super::read_response::array;
use super::trailers::read_trailers;
use super::wide::wide;

/// Reads the chunks of one call into `body`.
///
/// # Safety
/// `chunks` is NULL or valid for reads of `count` elements during the call, and what memory chunks point at until the
/// send has completed.
pub(super) unsafe fn read_chunks(count: u16, chunks: *const HTTP_DATA_CHUNK, body: &mut Body) -> Result<()> {
    // SAFETY: as promised by the caller.
    for chunk in unsafe { array(chunks, count)? } {
        // SAFETY: as promised by the caller.
        if let Some(chunk) = unsafe { read_chunk(chunk)? } {
            body.push(chunk);
        }
    }
    Ok(())
}

/// One chunk; `None` for one of no bytes.
///
/// # Safety
/// As for [`read_chunks`].
#[inline]
unsafe fn read_chunk(chunk: &HTTP_DATA_CHUNK) -> Result<Option<Chunk>> {
    match chunk.DataChunkType {
        HttpDataChunkFromMemory => {
            // SAFETY: the type says which member of the union is set, here and below.
            let memory = unsafe { chunk.Source.FromMemory };
            match (memory.BufferLength, memory.pBuffer.is_null()) {
                (0, _) => Ok(None),
                (_, true) => Err(Error::INVALID_PARAMETER),
                (len, false) => {
                    // SAFETY: C caller, per HttpSendHttpResponse: the memory is valid and unchanged until completion.
                    let bytes = unsafe { LentBytes::new(memory.pBuffer.cast(), len as usize) };
                    Ok(Some(Chunk::Memory(bytes)))
                }
            }
        }
        HttpDataChunkFromFileHandle => {
            // SAFETY: see above.
            let (range, handle) = unsafe {
                let part = chunk.Source.FromFileHandle;
                ((part.ByteRange.StartingOffset.QuadPart, part.ByteRange.Length.QuadPart), part.FileHandle)
            };
            file_chunk(handle, range).map(Some)
        }
        HttpDataChunkFromFragmentCache => {
            // SAFETY: see above.
            let fragment = unsafe { chunk.Source.FromFragmentCache };
            let units = usize::from(fragment.FragmentNameLength) / 2;
            if units == 0 || fragment.pFragmentName.is_null() {
                return Err(Error::INVALID_PARAMETER);
            }
            // SAFETY: C caller, per HTTP_DATA_CHUNK: a name of that many bytes, valid during the call.
            let name = unsafe {
                (0..units).map(|at| fragment.pFragmentName.add(at).read_unaligned()).collect::<Vec<_>>()
            };
            Ok(Some(Chunk::Fragment { name: String::from_utf16_lossy(&name), offset: 0, length: None }))
        }
        HttpDataChunkFromFragmentCacheEx => {
            // SAFETY: see above.
            let fragment = unsafe { chunk.Source.FromFragmentCacheEx };
            // SAFETY: C caller, per HTTP_DATA_CHUNK: a NUL-terminated name, valid during the call.
            let name = unsafe { wide(fragment.pFragmentName)? };
            // SAFETY: see above.
            let (offset, length) =
                unsafe { (fragment.ByteRange.StartingOffset.QuadPart, fragment.ByteRange.Length.QuadPart) };
            let length = (length != HTTP_BYTE_RANGE_TO_EOF).then_some(length);
            Ok(Some(Chunk::Fragment { name: String::from_utf16_lossy(name), offset, length }))
        }
        // SAFETY: see above; C caller, per HTTP_DATA_CHUNK: fields that are whole during the call.
        HttpDataChunkTrailers => unsafe { read_trailers(chunk.Source.Trailers).map(Some) },
        _ => Err(Error::INVALID_PARAMETER),
    }
}

/// A range of a file. The file is held until the send has completed, so the caller may close its handle at once.
fn file_chunk(handle: HANDLE, (offset, length): (u64, u64)) -> Result<Chunk> {
    let device = device(handle)?;
    let file = device.backend::<File>().ok_or(Error::INVALID_HANDLE)?.system();
    let length = (length != HTTP_BYTE_RANGE_TO_EOF).then_some(length);
    Ok(Chunk::File { file, offset, length })
}

//! Response bodies on their way: cut into parts on the guest's side, put together on the host's.
//!
//! A body crosses in order, memory as copies, files as descriptors. Most bodies are one part, sent with the
//! command. Of a longer one the guest keeps the lent memory and the host pulls the next part when the
//! engine has sent the one before (`uploads`).

use std::fs::File;
use std::iter::Peekable;
use std::sync::Arc;

use super::codec::{Bytes, Element, wire_enum, wire_struct};
use super::frames::MAX_FILES;
use crate::server::service::{Body, Chunk};
use crate::win32::lent::LentBytes;

/// Bytes of memory in one part, and of body in one read: half a frame, so that a part and what is around it
/// fit in one.
pub const PART_BYTES: usize = super::frames::MAX_FRAME / 2;

/// Chunks in one part.
pub const PART_CHUNKS: usize = 1024;

/// A stretch of a body.
#[derive(Debug, Default)]
pub struct Part {
    /// Its pieces.
    pub chunks: Vec<PartChunk>,
    /// The body ends with it.
    pub last: bool,
}

/// A piece of a part.
#[derive(Debug)]
pub enum PartChunk {
    /// Copied memory; a piece of a chunk if the chunk did not fit.
    Memory(Bytes),
    /// [`Chunk::File`]: file, first byte, number of bytes.
    File(Arc<File>, u64, Option<u64>),
    /// [`Chunk::Fragment`]: name, first byte, number of bytes.
    Fragment(Bytes, u64, Option<u64>),
    /// [`Chunk::Trailers`].
    Trailers(Bytes),
}

wire_struct! { Part { chunks, last } }
wire_enum! { PartChunk { 0 = Memory { 0: bytes }, 1 = File { 0: file, 1: offset, 2: length },
2 = Fragment { 0: name, 1: offset, 2: length }, 3 = Trailers { 0: section } } }
impl Element for PartChunk {}

impl Part {
    /// The part as the engine takes it.
    pub fn into_body(self) -> Body {
        let chunk = |chunk| match chunk {
            PartChunk::Memory(Bytes(bytes)) => Chunk::Memory(LentBytes::owned(bytes)),
            PartChunk::File(file, offset, length) => Chunk::File { file, offset, length },
            PartChunk::Fragment(Bytes(name), offset, length) => {
                Chunk::Fragment { name: String::from_utf8_lossy(&name).into_owned(), offset, length }
            }
            PartChunk::Trailers(Bytes(section)) => Chunk::Trailers(section),
        };
        self.chunks.into_iter().map(chunk).collect()
    }
}

/// A body being cut into parts.
pub struct Cutter {
    rest: Peekable<smallvec::IntoIter<[Chunk; 2]>>,
    /// Bytes already taken of the first chunk of `rest`, which is memory unless this is 0.
    taken: usize,
}

impl Cutter {
    /// Cuts `body`.
    pub fn new(body: Body) -> Cutter {
        Cutter { rest: body.into_iter().peekable(), taken: 0 }
    }

    /// Copies the next part out. After the last one, parts are empty.
    pub fn next_part(&mut self) -> Part {
        let mut part = Part::default();
        let (mut room, mut files) = (PART_BYTES, 0);
        while let Some(chunk) = self.rest.peek() {
            if part.chunks.len() == PART_CHUNKS {
                return part;
            }
            match chunk {
                Chunk::Memory(_) | Chunk::Shared { .. } => {
                    let left = &chunk.memory().unwrap_or_default()[self.taken..];
                    let count = left.len().min(room);
                    if count > 0 || left.is_empty() {
                        part.chunks.push(PartChunk::Memory(Bytes(left[..count].to_vec())));
                    }
                    if count < left.len() {
                        self.taken += count;
                        return part;
                    }
                    room -= count;
                }
                Chunk::File { .. } if files == MAX_FILES => return part,
                Chunk::File { file, offset, length } => {
                    part.chunks.push(PartChunk::File(Arc::clone(file), *offset, *length));
                    files += 1;
                }
                Chunk::Fragment { name, offset, length } => {
                    let name = Bytes(name.clone().into_bytes());
                    part.chunks.push(PartChunk::Fragment(name, *offset, *length));
                }
                Chunk::Trailers(section) => {
                    part.chunks.push(PartChunk::Trailers(Bytes(section.clone())));
                }
            }
            self.rest.next();
            self.taken = 0;
        }
        part.last = true;
        part
    }
}

/// Number of bytes in a body; `None` if a file does not tell its length.
pub fn total(body: &Body) -> Option<u64> {
    body.iter().try_fold(0_u64, |sum, chunk| {
        let bytes = match chunk {
            Chunk::Memory(_) | Chunk::Shared { .. } => chunk.memory().unwrap_or_default().len() as u64,
            Chunk::Fragment { .. } | Chunk::Trailers(_) => return None,
            Chunk::File { length: Some(length), .. } => *length,
            Chunk::File { file, offset, length: None } => file.metadata().ok()?.len().checked_sub(*offset)?,
        };
        sum.checked_add(bytes)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(len: usize) -> Chunk {
        Chunk::Memory(LentBytes::owned((0..len).map(|at| (at % 251) as u8).collect()))
    }

    fn parts(body: Body) -> Vec<Part> {
        let mut cutter = Cutter::new(body);
        let mut parts = vec![cutter.next_part()];
        while !parts[parts.len() - 1].last {
            parts.push(cutter.next_part());
        }
        parts
    }

    fn sizes(part: &Part) -> Vec<usize> {
        let size = |chunk: &PartChunk| match chunk {
            PartChunk::Memory(Bytes(bytes)) => bytes.len(),
            PartChunk::File(..) | PartChunk::Fragment(..) | PartChunk::Trailers(_) => usize::MAX,
        };
        part.chunks.iter().map(size).collect()
    }

    #[test]
    fn small_bodies_are_one_part_and_keep_their_empty_chunks() {
        for body in [Body::new(), Body::from_iter([memory(0)]), Body::from_iter([memory(3), memory(0)])] {
            let chunks = body.len();
            let parts = parts(body);
            assert_eq!((parts.len(), parts[0].chunks.len()), (1, chunks));
        }
        assert_eq!(parts(Body::from_iter([memory(PART_BYTES)])).len(), 1);
    }

    #[test]
    fn long_memory_is_cut_without_loss() {
        let body = Body::from_iter([memory(10), memory(2 * PART_BYTES), memory(0), memory(7)]);
        assert_eq!(total(&body), Some(2 * PART_BYTES as u64 + 17));
        let parts = parts(body);
        let cut: Vec<_> = parts.iter().map(sizes).collect();
        assert_eq!(cut, [vec![10, PART_BYTES - 10], vec![PART_BYTES], vec![10, 0, 7]]);
        let PartChunk::Memory(Bytes(bytes)) = &parts[1].chunks[0] else { panic!("memory") };
        assert_eq!(usize::from(bytes[0]), (PART_BYTES - 10) % 251);
    }

    #[test]
    fn a_part_carries_no_more_files_than_a_message_may() {
        let null = Arc::new(File::open("/dev/null").unwrap());
        let file = || Chunk::File { file: Arc::clone(&null), offset: 1, length: Some(2) };
        let body: Body = (0..2 * MAX_FILES + 1).map(|_| file()).collect();
        let counts: Vec<_> = parts(body).iter().map(|part| part.chunks.len()).collect();
        assert_eq!(counts, [MAX_FILES, MAX_FILES, 1]);
    }

    #[test]
    fn a_file_past_its_end_has_no_length() {
        let null = Arc::new(File::open("/dev/null").unwrap());
        let body = Body::from_iter([Chunk::File { file: null, offset: 1, length: None }]);
        assert_eq!(total(&body), None);
    }
}

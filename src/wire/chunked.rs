//! The chunked transfer coding (RFC 9112 §7.1), decoded in place of the bytes as they arrive.

/// Why a chunked body cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkError {
    /// The framing is wrong.
    Syntax,
    /// A size line is too long, or its number too large.
    SizeOverflow,
    /// The trailer section is too long.
    TrailerOverflow,
}

/// What one call of [`ChunkDecoder::decode`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Bytes of input used up.
    pub consumed: usize,
    /// Bytes of body written to the output.
    pub produced: usize,
}

/// A chunked body being read.
#[derive(Clone, Debug)]
pub struct ChunkDecoder {
    trailers: Vec<u8>,
}

impl ChunkDecoder {
    /// A decoder before the first chunk; `keep_trailers` collects the trailer section.
    pub fn new(keep_trailers: bool) -> ChunkDecoder {
        let _ = keep_trailers;
        todo!("wire")
    }

    /// Decodes from `input` into `output` until either runs out or the body ends.
    pub fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, ChunkError> {
        let _ = (input, output);
        todo!("wire")
    }

    /// The last chunk and the trailer section have been read.
    pub fn is_done(&self) -> bool {
        todo!("wire")
    }

    /// Body bytes of the current chunk that have not been produced yet, 0 between chunks.
    pub fn left_in_chunk(&self) -> u64 {
        todo!("wire")
    }

    /// The trailer section as received (field lines with CRLF), when it was to be kept.
    pub fn trailers(&self) -> &[u8] {
        &self.trailers
    }
}

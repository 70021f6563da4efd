//! The chunked transfer coding (RFC 9112 §7.1), decoded in place of the bytes as they arrive.
//!
//! Strict where two readers could disagree about where a message ends: every line ends in CRLF, sizes have 1 to
//! 16 digits and nothing before them. Extensions are skipped, blanks after a size are too. Trailer fields are
//! checked for shape and may be kept as bytes; what they mean is for others.

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

/// Longest size line, extensions included.
const SIZE_LINE_LIMIT: usize = 4096;

/// Longest trailer section, unless said otherwise.
const TRAILER_LIMIT: usize = 16384;

/// What the next byte belongs to.
///
/// ```text
/// Size ─> AfterSize ─> Extension ─> SizeLf ─┬─> Data ─> DataCr ─> DataLf ─> Size
///                                           └─> (size 0) LineStart ─> Name ─> Value ─> ValueLf ─> LineStart
///                                                        LineStart ─> EndLf ─> Done
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size,
    AfterSize,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    LineStart,
    Name,
    Value,
    ValueLf,
    EndLf,
    Done,
    Failed(ChunkError),
}

/// A chunked body being read.
#[derive(Clone, Debug)]
pub struct ChunkDecoder {
    trailers: Vec<u8>,
    keep_trailers: bool,
    /// Bytes the trailer section, and one line of it, may have.
    limits: (usize, usize),
    state: State,
    /// The chunk's size while its line is read, then what is left of it.
    left: u64,
    /// Digits of the size so far.
    digits: u8,
    /// Bytes of the size line or of the trailer section so far.
    line: usize,
    /// Bytes of the trailer line so far.
    field: usize,
}

impl ChunkDecoder {
    /// A decoder before the first chunk; `keep_trailers` collects the trailer section.
    pub fn new(keep_trailers: bool) -> ChunkDecoder {
        let limits = (TRAILER_LIMIT, TRAILER_LIMIT);
        let trailers = Vec::new();
        ChunkDecoder {
            trailers,
            keep_trailers,
            limits,
            state: State::Size,
            left: 0,
            digits: 0,
            line: 0,
            field: 0,
        }
    }

    /// As [`ChunkDecoder::new`], keeping trailers, with so many bytes for their section, and for a line of it.
    pub fn with_limits(section: usize, field: usize) -> ChunkDecoder {
        ChunkDecoder { limits: (section, field), ..ChunkDecoder::new(true) }
    }

    /// Decodes from `input` into `output` until either runs out or the body ends.
    ///
    /// Framing is consumed even when `output` is full, so that the end is seen without room for more body.
    /// After an error every further call gives the same error.
    pub fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, ChunkError> {
        let mut step = Step { consumed: 0, produced: 0 };
        while step.consumed < input.len() {
            match self.state {
                State::Done => break,
                State::Failed(error) => return Err(error),
                State::Data => {
                    let copied = self.copy(&input[step.consumed..], &mut output[step.produced..]);
                    if copied == 0 {
                        break;
                    }
                    step.consumed += copied;
                    step.produced += copied;
                }
                _ => {
                    if let Err(error) = self.eat(input[step.consumed]) {
                        self.state = State::Failed(error);
                        return Err(error);
                    }
                    step.consumed += 1;
                }
            }
        }
        match self.state {
            State::Failed(error) => Err(error),
            _ => Ok(step),
        }
    }

    /// How many bytes of `input` belong to this body, which goes on there; all of it if the framing is wrong.
    pub fn span(&self, input: &[u8]) -> usize {
        let mut ahead = ChunkDecoder { trailers: Vec::new(), keep_trailers: false, ..self.clone() };
        let (mut at, mut unwanted) = (0, [0; 512]);
        while at < input.len() && !ahead.is_done() {
            match ahead.decode(&input[at..], &mut unwanted) {
                Ok(step) => at += step.consumed,
                Err(_) => return input.len(),
            }
        }
        at
    }

    /// The last chunk and the trailer section have been read.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Body bytes of the current chunk that have not been produced yet, 0 between chunks.
    pub fn left_in_chunk(&self) -> u64 {
        if self.state == State::Data { self.left } else { 0 }
    }

    /// The trailer section as received (field lines with CRLF), when it was to be kept.
    pub fn trailers(&self) -> &[u8] {
        &self.trailers
    }

    /// Copies body bytes of the current chunk; returns how many.
    fn copy(&mut self, input: &[u8], output: &mut [u8]) -> usize {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let len = input.len().min(output.len()).min(left);
        output[..len].copy_from_slice(&input[..len]);
        self.left -= len as u64;
        if self.left == 0 {
            self.state = State::DataCr;
        }
        len
    }

    /// Takes one byte of framing.
    fn eat(&mut self, byte: u8) -> Result<(), ChunkError> {
        self.state = match (self.state, byte) {
            (State::Size | State::AfterSize | State::Extension | State::SizeLf, _) => {
                self.eat_size_line(byte)?
            }
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => {
                (self.left, self.digits, self.line) = (0, 0, 0);
                State::Size
            }
            (State::LineStart | State::Name | State::Value | State::ValueLf | State::EndLf, _) => {
                self.eat_trailer(byte)?
            }
            _ => return Err(ChunkError::Syntax),
        };
        Ok(())
    }

    fn eat_size_line(&mut self, byte: u8) -> Result<State, ChunkError> {
        self.line += 1;
        if self.line > SIZE_LINE_LIMIT {
            return Err(ChunkError::SizeOverflow);
        }
        match (self.state, byte) {
            (State::Size, _) if byte.is_ascii_hexdigit() => {
                if self.digits == 16 {
                    return Err(ChunkError::SizeOverflow);
                }
                self.digits += 1;
                self.left = self.left << 4 | u64::from(char::from(byte).to_digit(16).unwrap_or(0));
                Ok(State::Size)
            }
            (State::Size, _) if self.digits == 0 => Err(ChunkError::Syntax),
            (_, b'\r') if self.state != State::SizeLf => Ok(State::SizeLf),
            (State::Size | State::AfterSize, b' ' | b'\t') => Ok(State::AfterSize),
            (State::Size | State::AfterSize, b';') => Ok(State::Extension),
            (State::Extension, b'\t' | b' '..=b'~' | 0x80..) => Ok(State::Extension),
            (State::SizeLf, b'\n') => {
                self.line = 0;
                Ok(if self.left == 0 { State::LineStart } else { State::Data })
            }
            _ => Err(ChunkError::Syntax),
        }
    }

    fn eat_trailer(&mut self, byte: u8) -> Result<State, ChunkError> {
        self.line += 1;
        self.field = if self.state == State::LineStart { 1 } else { self.field + 1 };
        if self.line > self.limits.0 || self.field > self.limits.1.saturating_add(2) {
            return Err(ChunkError::TrailerOverflow);
        }
        let next = match (self.state, byte) {
            (State::LineStart, b'\r') => return Ok(State::EndLf),
            (State::EndLf, b'\n') => return Ok(State::Done),
            (State::LineStart | State::Name, _) if super::field::is_token(&[byte]) => State::Name,
            (State::Name, b':') => State::Value,
            (State::Value, b'\t' | b' '..=b'~' | 0x80..) => State::Value,
            (State::Value, b'\r') => State::ValueLf,
            (State::ValueLf, b'\n') => State::LineStart,
            _ => return Err(ChunkError::Syntax),
        };
        if self.keep_trailers {
            self.trailers.push(byte);
        }
        Ok(next)
    }
}

#[cfg(test)]
mod tests;

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

/// Longest trailer section.
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
    state: State,
    /// The chunk's size while its line is read, then what is left of it.
    left: u64,
    /// Digits of the size so far.
    digits: u8,
    /// Bytes of the size line or of the trailer section so far.
    line: usize,
}

impl ChunkDecoder {
    /// A decoder before the first chunk; `keep_trailers` collects the trailer section.
    pub fn new(keep_trailers: bool) -> ChunkDecoder {
        ChunkDecoder { trailers: Vec::new(), keep_trailers, state: State::Size, left: 0, digits: 0, line: 0 }
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
        if self.line > TRAILER_LIMIT {
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Decodes in one go: body, bytes used, and whether the end was reached.
    fn decode(input: &[u8]) -> Result<(Vec<u8>, usize, bool), ChunkError> {
        let mut decoder = ChunkDecoder::new(true);
        let mut body = vec![0; input.len()];
        let step = decoder.decode(input, &mut body)?;
        body.truncate(step.produced);
        Ok((body, step.consumed, decoder.is_done()))
    }

    /// Decodes with the given sizes of input and output pieces, over and over.
    fn decode_split(
        input: &[u8],
        pieces: &[(usize, usize)],
    ) -> Result<(Vec<u8>, usize, bool, Vec<u8>), ChunkError> {
        let mut decoder = ChunkDecoder::new(true);
        let (mut body, mut used) = (Vec::new(), 0);
        for (take, room) in pieces.iter().cycle() {
            if used == input.len() || decoder.is_done() {
                break;
            }
            let mut output = vec![0; *room];
            let step = decoder.decode(&input[used..input.len().min(used + take)], &mut output)?;
            body.extend_from_slice(&output[..step.produced]);
            used += step.consumed;
        }
        Ok((body, used, decoder.is_done(), decoder.trailers().to_vec()))
    }

    #[test]
    fn chunks_extensions_and_trailers() {
        let input = b"4\r\nWiki\r\n6;a=b;c=\"d\"\r\npedia \r\n0E \t\r\nin \r\n\r\nchunks.\r\n0\r\nX-A: 1\r\nb:\r\n\r\nGET /";
        let (body, used, done) = decode(input).unwrap();
        assert_eq!(body, b"Wikipedia in \r\n\r\nchunks.");
        assert!(done);
        assert_eq!(&input[used..], b"GET /");
        let mut decoder = ChunkDecoder::new(true);
        decoder.decode(input, &mut [0; 64]).unwrap();
        assert_eq!(decoder.trailers(), b"X-A: 1\r\nb:\r\n");
        let mut decoder = ChunkDecoder::new(false);
        decoder.decode(input, &mut [0; 64]).unwrap();
        assert!(decoder.is_done() && decoder.trailers().is_empty());
    }

    #[test]
    fn the_end_is_seen_without_room_for_output() {
        let mut decoder = ChunkDecoder::new(false);
        let step = decoder.decode(b"3\r\nabc\r\n0\r\n\r\n", &mut [0; 3]).unwrap();
        assert_eq!(step, Step { consumed: 13, produced: 3 });
        assert!(decoder.is_done());
    }

    #[test]
    fn a_body_spans_its_own_bytes() {
        let decoder = ChunkDecoder::new(true);
        assert_eq!(decoder.span(b"3\r\nabc\r\n0\r\na: b\r\n\r\nGET /"), 22);
        assert_eq!(decoder.span(b"3\r\nab"), 5);
        assert_eq!(decoder.span(b"x\r\nab"), 5);
        assert_eq!(decoder.span(format!("7D0\r\n{}\r\n0\r\n\r\nGET", "x".repeat(2000)).as_bytes()), 2012);
    }

    #[test]
    fn what_is_left_of_a_chunk() {
        let mut decoder = ChunkDecoder::new(false);
        assert_eq!(decoder.decode(b"5\r\nabcde", &mut [0; 2]), Ok(Step { consumed: 5, produced: 2 }));
        assert_eq!(decoder.left_in_chunk(), 3);
        assert_eq!(decoder.decode(b"cde", &mut [0; 9]), Ok(Step { consumed: 3, produced: 3 }));
        assert_eq!(decoder.left_in_chunk(), 0);
    }

    #[test]
    fn framing_that_could_be_read_two_ways_is_refused() {
        for input in [
            &b"\r\n"[..],
            b" 1\r\na",
            b"+1\r\na",
            b"0x1\r\na",
            b"g\r\n",
            b";a\r\n",
            b"1\na",
            b"1;a\nb",
            b"1\rx",
            b"1 1\r\na",
            b"1;\0\r\n",
            b"1\r\nab\r\n",
            b"1\r\na\n0",
            b"1\r\na\rx",
            b"0\r\n\n",
            b"0\r\nx\r\n",
            b"0\r\n: x\r\n",
            b"0\r\nx : y\r\n",
            b"0\r\nx: y\n",
            b"0\r\nx: \0\r\n",
            b"0\r\n fold\r\n",
            b"0\r\n\rx",
        ] {
            assert_eq!(decode(input), Err(ChunkError::Syntax), "{:?}", input.escape_ascii().to_string());
        }
    }

    #[test]
    fn sizes_lines_and_trailers_are_bounded() {
        assert_eq!(decode(b"10000000000000000\r\n"), Err(ChunkError::SizeOverflow));
        assert_eq!(decode(b"00000000000000001\r\n"), Err(ChunkError::SizeOverflow));
        assert_eq!(decode(b"ffffffffffffffff\r\nabc").unwrap().0, b"abc");
        let line = [b"1;", &[b'a'; 4096][..]].concat();
        assert_eq!(decode(&line), Err(ChunkError::SizeOverflow));
        assert!(decode(&line[..4096]).is_ok());
        let trailers = [b"0\r\n", b"a: b\r\n".repeat(2731).as_slice()].concat();
        assert_eq!(decode(&trailers), Err(ChunkError::TrailerOverflow));
    }

    #[test]
    fn an_error_stays() {
        let mut decoder = ChunkDecoder::new(false);
        assert_eq!(decoder.decode(b"x", &mut []), Err(ChunkError::Syntax));
        assert_eq!(decoder.decode(b"", &mut []), Err(ChunkError::Syntax));
        assert_eq!(decoder.decode(b"0\r\n\r\n", &mut []), Err(ChunkError::Syntax));
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..20), 0..5),
            flaw in prop::option::of((0usize..200, any::<u8>())),
            mut pieces in prop::collection::vec((1usize..7, 0usize..7), 1..8),
        ) {
            pieces.push((1, 1));
            let mut input = Vec::new();
            for chunk in &chunks {
                input.extend_from_slice(format!("{:X};x=y\r\n", chunk.len()).as_bytes());
                input.extend_from_slice(chunk);
                input.extend_from_slice(b"\r\n");
            }
            input.extend_from_slice(b"0\r\nName: value\r\n\r\n");
            if let Some((at, byte)) = flaw {
                let at = at % input.len();
                input[at] = byte;
            }
            let whole = decode(&input);
            let split = decode_split(&input, &pieces);
            if flaw.is_none() {
                prop_assert_eq!(whole.clone().unwrap(), (chunks.concat(), input.len(), true));
                prop_assert_eq!(&split.as_ref().unwrap().3[..], b"Name: value\r\n");
            }
            prop_assert_eq!(whole, split.map(|(body, used, done, _)| (body, used, done)));
        }
    }
}

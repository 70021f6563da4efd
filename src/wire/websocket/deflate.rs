//! Compressed messages (RFC 7692 §7.2): DEFLATE without the four bytes that end every flush.
//!
//! What is decompressed goes straight into the reader's buffer and no further than that, so a small message that
//! stands for a huge one costs no memory.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::Fault;
use super::handshake::Agreement;

/// The end of a flush, which is left out at the end of a message.
const TAIL: [u8; 4] = [0, 0, 0xFF, 0xFF];

/// The server's messages.
#[derive(Debug)]
pub struct Inflater {
    engine: Decompress,
    each_alone: bool,
    /// A byte beyond the last buffer, which was asked for to see whether there is one.
    ahead: Option<u8>,
    /// How much of the tail has been put back.
    tail: usize,
}

impl Inflater {
    /// For a connection with this agreement.
    pub fn new(agreement: &Agreement) -> Inflater {
        Inflater {
            engine: Decompress::new_with_window_bits(false, agreement.server_bits.max(9)),
            each_alone: agreement.server_no_context,
            ahead: None,
            tail: 0,
        }
    }

    /// Decompresses until the input is used up and nothing is left in the engine, or the output is full: then `true`,
    /// there is more. Gives what was used, what was made, and that.
    pub fn inflate(&mut self, input: &[u8], out: &mut [u8]) -> Result<(usize, usize, bool), Fault> {
        let (mut used, mut made) = (0, 0);
        if let Some(byte) = self.ahead {
            let Some(first) = out.first_mut() else { return Ok((0, 0, true)) };
            *first = byte;
            self.ahead = None;
            made = 1;
        }
        loop {
            let mut beyond = [0_u8; 1];
            let full = made == out.len();
            let room = if full { &mut beyond[..] } else { &mut out[made..] };
            let (read, written) = self.run(&input[used..], room)?;
            used += read;
            if full && written == 1 {
                self.ahead = Some(beyond[0]);
                return Ok((used, made, true));
            }
            made += written;
            if read == 0 && written == 0 {
                return Ok((used, made, false));
            }
        }
    }

    /// The same for the bytes that end a message.
    pub fn finish(&mut self, out: &mut [u8]) -> Result<(usize, bool), Fault> {
        let (used, made, more) = self.inflate(&TAIL[self.tail..], out)?;
        self.tail += used;
        if !more {
            if self.tail != TAIL.len() {
                return Err(Fault::Compression);
            }
            self.tail = 0;
            if self.each_alone {
                self.engine.reset(false);
            }
        }
        Ok((made, more))
    }

    fn run(&mut self, input: &[u8], out: &mut [u8]) -> Result<(usize, usize), Fault> {
        let before = (self.engine.total_in(), self.engine.total_out());
        let status =
            self.engine.decompress(input, out, FlushDecompress::Sync).map_err(|_| Fault::Compression)?;
        let count = |now: u64, then: u64| usize::try_from(now - then).unwrap_or(usize::MAX);
        let done = (count(self.engine.total_in(), before.0), count(self.engine.total_out(), before.1));
        if status == Status::StreamEnd {
            // A last block inside a message; another follows it (RFC 7692 §7.2.3.4).
            self.engine.reset(false);
        }
        Ok(done)
    }
}

/// This side's messages.
#[derive(Debug)]
pub struct Deflater {
    engine: Compress,
    each_alone: bool,
}

impl Deflater {
    /// For a connection with this agreement; `None` when its window is too small for the engine, and messages go out
    /// as they are, which is always allowed.
    pub fn new(agreement: &Agreement) -> Option<Deflater> {
        (agreement.client_bits > 8).then(|| Deflater {
            engine: Compress::new_with_window_bits(Compression::default(), false, agreement.client_bits),
            each_alone: agreement.client_no_context,
        })
    }

    /// Compresses input until it is used up or `most` bytes are in `out`; gives what was used.
    pub fn deflate(&mut self, input: &[u8], out: &mut Vec<u8>, most: usize) -> usize {
        let mut used = 0;
        while used < input.len() && out.len() < most {
            let (read, written) = self.run(&input[used..], out, FlushCompress::None);
            used += read;
            if read == 0 && written == 0 {
                break;
            }
        }
        used
    }

    /// Brings out everything that went in. At the end of a message its last four bytes go, and perhaps the memory of
    /// it.
    pub fn flush(&mut self, out: &mut Vec<u8>, last: bool) {
        while self.run(&[], out, FlushCompress::Sync).1 > 0 && out.len() == out.capacity() {}
        if !last {
            return;
        }
        if out.ends_with(&TAIL) {
            out.truncate(out.len() - TAIL.len());
        } else {
            // Nothing new since the last flush: an empty block is one byte without its tail.
            out.push(0);
        }
        if self.each_alone {
            self.engine.reset();
        }
    }

    fn run(&mut self, input: &[u8], out: &mut Vec<u8>, flush: FlushCompress) -> (usize, usize) {
        out.reserve(256);
        let before = (self.engine.total_in(), out.len());
        // The only failure is a lack of progress, which the counts show.
        let _ = self.engine.compress_vec(input, out, flush);
        (usize::try_from(self.engine.total_in() - before.0).unwrap_or(usize::MAX), out.len() - before.1)
    }
}

//! Zstandard (RFC 8878) block by block: the decoder underneath wants whole blocks, so a block is put together here
//! before it is handed over, and only one at a time, so that what a block stands for is read before the next.

use std::io::Read;

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::abi::error::Result;

use super::stages::{Step, corrupt};

/// The largest window a content coding may ask for (RFC 9659).
const LARGEST_WINDOW: u64 = 8 * 1024 * 1024;

/// The largest block on the wire, with its header and a checksum behind it.
const LARGEST_PART: usize = 3 + 128 * 1024 + 4;

/// What the bytes being put together are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// The header of a frame.
    Header,
    /// So many more bytes of a frame that means nothing.
    Skipped(usize),
    /// A block of a frame with or without a checksum, which stands behind the last block.
    Block { checksum: bool },
}

/// One body.
pub(super) struct Zstd {
    decoder: FrameDecoder,
    part: Part,
    held: Vec<u8>,
    /// Frames that have come to their end.
    frames: u64,
    /// The checksum of the frame has to be looked at when all of the frame has been read.
    unchecked: bool,
}

impl Zstd {
    /// A body that has not begun.
    pub(super) fn new() -> Zstd {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(LARGEST_WINDOW);
        Zstd { decoder, part: Part::Header, held: Vec::new(), frames: 0, unchecked: false }
    }

    /// The last frame is complete and read.
    pub(super) fn is_over(&self) -> bool {
        self.part == Part::Header && self.frames > 0 && self.held.is_empty()
    }

    /// As [`super::stages::Stage::decode`].
    pub(super) fn decode(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step> {
        let mut consumed = 0;
        loop {
            let produced = self.decoder.read(out).map_err(|_| corrupt("zstd"))?;
            if produced > 0 {
                return Ok(Step { consumed, produced });
            }
            self.check()?;
            let rest = &input[consumed..];
            let missing = match self.part {
                Part::Skipped(left) => left,
                _ => self.needed()?.saturating_sub(self.held.len()),
            };
            let count = missing.min(rest.len());
            consumed += count;
            match &mut self.part {
                Part::Skipped(left) => *left -= count,
                _ => self.held.extend_from_slice(&rest[..count]),
            }
            if count < missing {
                return Ok(Step { consumed, produced: 0 });
            }
            // A header says how long it is, or a block, when its first bytes are there.
            if matches!(self.part, Part::Skipped(_)) || self.needed()? <= self.held.len() {
                self.hand_over()?;
                if self.is_over() && consumed == input.len() && self.decoder.can_collect() == 0 {
                    self.check()?;
                    return Ok(Step { consumed, produced: 0 });
                }
            }
        }
    }

    /// How many bytes the present part has, as far as those held tell.
    fn needed(&self) -> Result<usize> {
        let needed = match (self.part, &self.held[..]) {
            (Part::Header, held) if is_skippable(held) => 8,
            (Part::Header, [_, _, _, _, descriptor, ..]) => header_size(*descriptor),
            (Part::Header, _) => 5,
            (Part::Block { checksum }, [first, second, third, ..]) => {
                let header = u32::from_le_bytes([*first, *second, *third, 0]);
                let size = if header >> 1 & 3 == 1 { 1 } else { header as usize >> 3 };
                3 + size + if checksum && header & 1 == 1 { 4 } else { 0 }
            }
            (Part::Block { .. }, _) => 3,
            (Part::Skipped(_), _) => 0,
        };
        if needed > LARGEST_PART { Err(corrupt("zstd")) } else { Ok(needed) }
    }

    /// The part is complete.
    fn hand_over(&mut self) -> Result<()> {
        let held = &self.held[..];
        self.part = match self.part {
            Part::Skipped(_) => {
                self.frames += 1;
                Part::Header
            }
            Part::Header if is_skippable(held) => {
                let size = held.get(4..8).and_then(|size| <[u8; 4]>::try_from(size).ok());
                Part::Skipped(size.map_or(0, u32::from_le_bytes) as usize)
            }
            Part::Header => {
                self.decoder.reset(held).map_err(|_| corrupt("zstd"))?;
                Part::Block { checksum: held[4] & 4 != 0 }
            }
            Part::Block { checksum } => {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(held, one).map_err(|_| corrupt("zstd"))?;
                if held[0] & 1 == 1 {
                    (self.frames, self.unchecked) = (self.frames + 1, checksum);
                    Part::Header
                } else {
                    Part::Block { checksum }
                }
            }
        };
        self.held.clear();
        Ok(())
    }

    /// All of a frame has been read: compares its checksum.
    fn check(&mut self) -> Result<()> {
        let unchecked = std::mem::replace(&mut self.unchecked, false);
        if unchecked && self.decoder.get_checksum_from_data() != self.decoder.get_calculated_checksum() {
            return Err(corrupt("zstd"));
        }
        Ok(())
    }
}

/// Whether a frame's first bytes say that it means nothing.
fn is_skippable(frame: &[u8]) -> bool {
    matches!(frame, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// The size of a frame's header, with its magic number, by the descriptor in it.
fn header_size(descriptor: u8) -> usize {
    let single = descriptor & 0x20 != 0;
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let content = [usize::from(single), 2, 4, 8][usize::from(descriptor >> 6)];
    5 + usize::from(!single) + dictionary + content
}

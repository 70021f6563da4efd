//! What undoes one content coding each: gzip (RFC 1952), deflate (zlib of RFC 1950 and, because servers send that
//! too, raw RFC 1951), brotli (RFC 7932) and zstd (RFC 8878). How they are put together is in `decode`.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Decompress, FlushDecompress, Status};

use crate::abi::error::{Error, Result};
use crate::win32::last_error::explain;

use super::decode::{BROTLI, DEFLATE, GZIP, ZSTD};
use super::zstd::Zstd;

/// What one call did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) consumed: usize,
    pub(super) produced: usize,
}

/// One coding being undone.
pub(super) enum Stage {
    /// Several members may follow each other. The flag of this and the others says that the end has been reached.
    Gzip(Decompress, bool),
    /// The first two bytes decide between zlib and raw.
    DeflateUnknown,
    Deflate(Decompress, bool),
    Brotli(Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>, bool),
    Zstd(Box<Zstd>),
}

/// The name of what cannot be decoded, and what is wrong with it.
pub(super) fn corrupt(coding: &str) -> Error {
    explain(format_args!("the body is not sound {coding}"));
    Error::WINHTTP_INVALID_SERVER_RESPONSE
}

impl Stage {
    /// The stage for a coding, if its bit is set.
    pub(super) fn named(name: &str, bits: u32) -> Option<Stage> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let (bit, stage): (u32, fn() -> Stage) = match () {
            () if is("gzip") || is("x-gzip") => (GZIP, || Stage::Gzip(Decompress::new_gzip(15), false)),
            () if is("deflate") => (DEFLATE, || Stage::DeflateUnknown),
            () if is("br") => (BROTLI, || Stage::Brotli(Box::new(new_brotli()), false)),
            () if is("zstd") => (ZSTD, || Stage::Zstd(Box::new(Zstd::new()))),
            () => return None,
        };
        (bits & bit != 0).then(stage)
    }

    /// Decodes from `input` to `out`. Neither consuming nor producing means that more input is needed, or that the
    /// end has been reached. What follows the end is consumed and dropped.
    pub(super) fn decode(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step> {
        match self {
            Stage::Gzip(_, true) => {
                // Another member follows another.
                if input.first() != Some(&0x1f) {
                    return Ok(Step { consumed: input.len(), produced: 0 });
                }
                *self = Stage::Gzip(Decompress::new_gzip(15), false);
                self.decode(input, out)
            }
            Stage::Gzip(inflate, over) => run(inflate, over, input, out).map_err(|()| corrupt("gzip")),
            Stage::DeflateUnknown => {
                let [first, second, ..] = input else { return Ok(Step::default()) };
                let header = u16::from_be_bytes([*first, *second]);
                let zlib = first & 0x0f == 8 && header % 31 == 0;
                *self = Stage::Deflate(Decompress::new(zlib), false);
                self.decode(input, out)
            }
            Stage::Deflate(_, true) | Stage::Brotli(_, true) => {
                Ok(Step { consumed: input.len(), produced: 0 })
            }
            Stage::Deflate(inflate, over) => run(inflate, over, input, out).map_err(|()| corrupt("deflate")),
            Stage::Brotli(state, over) => run_brotli(state, over, input, out),
            Stage::Zstd(zstd) => zstd.decode(input, out),
        }
    }

    /// All of the body has come out.
    pub(super) fn is_over(&self) -> bool {
        match self {
            Stage::Gzip(_, over) | Stage::Deflate(_, over) | Stage::Brotli(_, over) => *over,
            Stage::DeflateUnknown => false,
            Stage::Zstd(zstd) => zstd.is_over(),
        }
    }
}

fn run(inflate: &mut Decompress, over: &mut bool, input: &[u8], out: &mut [u8]) -> Result<Step, ()> {
    let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
    let status = inflate.decompress(input, out, FlushDecompress::None).map_err(|_| ())?;
    *over = status == Status::StreamEnd;
    let count = |now: u64, before: u64| usize::try_from(now - before).unwrap_or(usize::MAX);
    Ok(Step {
        consumed: count(inflate.total_in(), before_in),
        produced: count(inflate.total_out(), before_out),
    })
}

/// Without large windows, which content coding does not have.
fn new_brotli() -> BrotliState<StandardAlloc, StandardAlloc, StandardAlloc> {
    let alloc = StandardAlloc::default;
    BrotliState::new_strict(alloc(), alloc(), alloc())
}

fn run_brotli(
    state: &mut BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    over: &mut bool,
    input: &[u8],
    out: &mut [u8],
) -> Result<Step> {
    let (mut left, mut consumed, mut room, mut produced, mut total) = (input.len(), 0, out.len(), 0, 0);
    let result = BrotliDecompressStream(
        &mut left,
        &mut consumed,
        input,
        &mut room,
        &mut produced,
        out,
        &mut total,
        state,
    );
    match result {
        BrotliResult::ResultFailure => return Err(corrupt("brotli")),
        BrotliResult::ResultSuccess => *over = true,
        BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
    }
    Ok(Step { consumed, produced })
}

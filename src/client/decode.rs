//! Undoing the content codings of a response body (digest §6.10): gzip, deflate, brotli and zstd, one inside another.
//!
//! Everything is decoded on demand into buffers of fixed size, so that a small body that stands for a huge one
//! costs no more memory than any other. Nothing here waits: the raw bytes are those that have arrived.
//! What undoes one coding is in `stages`.

use crate::abi::error::{Error, Result};
use crate::win32::last_error::explain;
use crate::wire::response::ResponseHead;

use super::request::Request;
use super::stages::Stage;

/// Bytes between two codings, and decoded bytes that wait to be read.
const BUFFER: usize = 16 * 1024;

/// Codings one body may have; a body with more is left as it is. Each multiplies the work that a few bytes can ask
/// for, all of which may come to nothing and so keep a read from ending: with three, for hours.
const MOST: usize = 2;

/// Numbers of fields among response fields.
const CONTENT_LENGTH: u8 = 11;
const CONTENT_ENCODING: u8 = 13;

/// Content codings and the bits that ask for them.
pub(crate) const GZIP: u32 = 1;
pub(crate) const DEFLATE: u32 = 2;
pub(crate) const BROTLI: u32 = 0x100;
pub(crate) const ZSTD: u32 = 0x200;

/// The value of Accept-Encoding for a set of bits.
pub(crate) fn names(bits: u32) -> String {
    let all = [(GZIP, "gzip"), (DEFLATE, "deflate"), (BROTLI, "br"), (ZSTD, "zstd")];
    let names: Vec<&str> = all.into_iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| name).collect();
    names.join(", ")
}

/// Where raw bytes come from: those that are there, and whether more will come.
pub(crate) trait Source {
    /// Some bytes; 0 when none are there now.
    fn take(&mut self, out: &mut [u8]) -> Result<usize>;
    /// There will be no more.
    fn has_ended(&self) -> bool;
}

/// One coding and the bytes that wait to go through it.
struct Link {
    stage: Stage,
    input: Window,
    /// It has been given something. A body without a byte is an empty body, whatever its coding.
    begun: bool,
}

/// Bytes in a buffer of fixed size.
struct Window {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Window {
    fn new() -> Window {
        Window { bytes: vec![0; BUFFER].into(), start: 0, end: 0 }
    }

    fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }
}

/// The decoder of one body.
pub(crate) struct Decoder {
    /// In the order the bytes go through them.
    links: Vec<Link>,
    /// Decoded for QueryDataAvailable and not read yet.
    ready: Window,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("links", &self.links.len()).finish_non_exhaustive()
    }
}

impl Decoder {
    /// A decoder for the value of Content-Encoding, if each of its codings is among the bits.
    fn new(codings: &str, bits: u32) -> Option<Decoder> {
        let names = codings.split(',').map(str::trim).filter(|name| !name.is_empty());
        let mut links = Vec::new();
        for name in names.filter(|name| !name.eq_ignore_ascii_case("identity")) {
            let stage = Stage::named(name, bits)?;
            links.push(Link { stage, input: Window::new(), begun: false });
        }
        // The coding applied last is named last and undone first.
        links.reverse();
        (!links.is_empty() && links.len() <= MOST).then(|| Decoder { links, ready: Window::new() })
    }

    /// Decodes some bytes into `out`; 0 when that takes bytes that have not come, or at the end.
    pub(crate) fn read(&mut self, source: &mut dyn Source, out: &mut [u8]) -> Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let waiting = self.ready.filled();
        if !waiting.is_empty() {
            let count = waiting.len().min(out.len());
            out[..count].copy_from_slice(&waiting[..count]);
            self.ready.start += count;
            return Ok(count);
        }
        pull(&mut self.links, source, out)
    }

    /// How many decoded bytes are ready, after decoding some if none were.
    pub(crate) fn ready(&mut self, source: &mut dyn Source) -> Result<usize> {
        if self.ready.filled().is_empty() {
            let Window { bytes, start, end } = &mut self.ready;
            *start = 0;
            *end = 0;
            *end = pull(&mut self.links, source, bytes)?;
        }
        Ok(self.ready.filled().len())
    }
}

/// Gets decoded bytes out of the last link, which gets its own from the link before, and the first from the source.
fn pull(links: &mut [Link], source: &mut dyn Source, out: &mut [u8]) -> Result<usize> {
    let Some((link, before)) = links.split_last_mut() else { return source.take(out) };
    loop {
        let step = link.stage.decode(link.input.filled(), out)?;
        link.input.start += step.consumed;
        if step.produced > 0 {
            return Ok(step.produced);
        }
        if step.consumed > 0 && link.input.start < link.input.end {
            continue;
        }
        // What is left over did not suffice: it moves to the front, and more comes behind it.
        let Window { bytes, start, end } = &mut link.input;
        bytes.copy_within(*start..*end, 0);
        (*start, *end) = (0, *end - *start);
        if *end == bytes.len() {
            explain(format_args!("the compressed body cannot be decoded"));
            return Err(Error::WINHTTP_INVALID_SERVER_RESPONSE);
        }
        let more = pull(before, source, &mut bytes[*end..])?;
        *end += more;
        link.begun |= more > 0;
        if more == 0 {
            return at_standstill(link, before, source);
        }
    }
}

/// Nothing comes in and nothing goes out: either more is to arrive, or this is the end.
fn at_standstill(link: &Link, before: &[Link], source: &dyn Source) -> Result<usize> {
    let over = source.has_ended() && before.iter().all(|link| link.stage.is_over() || !link.begun);
    if over && link.begun && !link.stage.is_over() {
        explain(format_args!("the compressed body ends too early"));
        return Err(Error::WINHTTP_INVALID_SERVER_RESPONSE);
    }
    Ok(0)
}

impl Request {
    /// The decoder for the response just received, if its codings are to be undone; then its head loses the fields
    /// that would be wrong of the decoded body. Part of a body (206) is left as it is.
    pub(crate) fn take_coding(&self) -> Option<Box<Decoder>> {
        let core = &mut *self.core.lock();
        let bits = core.settings.decompression;
        if bits == 0 || core.response.status == 206 {
            return None;
        }
        let decoder = Decoder::new(&codings_of(&core.response)?, bits)?;
        core.response.remove(&[CONTENT_LENGTH, CONTENT_ENCODING]);
        Some(Box::new(decoder))
    }
}

fn codings_of(head: &ResponseHead) -> Option<String> {
    let values: Vec<_> = head.values(CONTENT_ENCODING).map(String::from_utf8_lossy).collect();
    (!values.is_empty()).then(|| values.join(","))
}

#[cfg(test)]
mod tests;

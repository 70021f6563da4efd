//! One pass over a request head, from the first byte to the empty line.
//!
//! Nothing is remembered between calls: a head that comes in many small pieces is only searched for its end,
//! eight to thirty-two bytes at a time, until it is whole. What can be refused earlier is: a bad first line as
//! soon as it is complete, a method that is no token, and a head that is over its limit.

use memchr::memchr;

use super::framing::Said;
use super::{Framing, Limits, RequestHead, Verb};
use crate::wire::field::{Field, UNKNOWN, request_id_at};
use crate::wire::refusal::Refusal;
use crate::wire::{Parsed, Span, bytes};

/// Capacities that a reused head may keep.
const KEPT_BYTES: usize = 32_768;
const KEPT_FIELDS: usize = 256;

impl RequestHead {
    /// Looks for a complete head at the start of `input`; on `Complete` the head's bytes have been copied
    /// into `self.bytes` and every other field is set. On a refusal the fields seen so far (`verb`,
    /// `target`, `version`) are kept for the log.
    ///
    /// Empty lines before the request line are skipped; spans count from the request line on.
    pub fn parse(&mut self, input: &[u8], limits: &Limits) -> Result<Parsed, Refusal> {
        self.clear();
        let skipped = empty_lines(input);
        let rest = &input[skipped..];
        let outcome = if bytes::has_empty_line(rest) {
            self.read(rest, limits).map(|end| Parsed::Complete(skipped + end))
        } else {
            self.judge_start(rest, input.len(), limits).map(|()| Parsed::Partial)
        };
        match outcome {
            Ok(Parsed::Complete(end)) => self.bytes.extend_from_slice(&input[skipped..end]),
            Ok(Parsed::Partial) => self.clear(),
            Err(_) => self.keep_line(rest),
        }
        outcome
    }

    /// Whether `input` starts with the very head that was read last, whose end then is where it was: clients that ask the
    /// same again need no second reading. A head ends with its empty line; what a refusal left does not.
    #[inline]
    pub fn repeats(&self, input: &[u8]) -> Option<usize> {
        let whole = self.bytes.last() == Some(&b'\n');
        (whole && input.starts_with(&self.bytes)).then_some(self.bytes.len())
    }

    /// Back to an empty head. Buffers keep their capacity, unless one unusual request made them large.
    fn clear(&mut self) {
        self.bytes.clear();
        self.fields.clear();
        if self.bytes.capacity() > KEPT_BYTES || self.fields.capacity() > KEPT_FIELDS {
            self.bytes.shrink_to(KEPT_BYTES);
            self.fields.shrink_to(KEPT_FIELDS);
        }
        self.verb = Verb::Unknown;
        self.verb_text = Span::default();
        self.target = Span::default();
        self.version = (0, 0);
        self.host = None;
        self.raw_path = Span::default();
        self.raw_query = Span::default();
        self.decoded_path = None;
        self.framing = Framing::None;
        self.keep_alive = true;
        self.expect_continue = false;
    }

    /// After a refusal: the bytes that `verb_text` and `target` name, and no fields.
    fn keep_line(&mut self, rest: &[u8]) {
        let end = |span: Span| (span.start + span.len) as usize;
        let needed = end(self.verb_text).max(end(self.target));
        self.bytes.extend_from_slice(&rest[..needed]);
        self.fields.clear();
        self.host = None;
    }

    /// Reads a head that is known to have an end; returns where that is.
    fn read(&mut self, rest: &[u8], limits: &Limits) -> Result<usize, Refusal> {
        let mut at = self.request_line(rest, limits)?;
        let mut said = Said::default();
        loop {
            match rest[at..] {
                [b'\n', ..] => at += 1,
                [b'\r', b'\n', ..] => at += 2,
                _ => {
                    at = self.field_line(rest, at, limits, &mut said)?;
                    continue;
                }
            }
            break;
        }
        if at > limits.head {
            return Err(Refusal::RequestLength);
        }
        self.settle(rest, &said)?;
        Ok(at)
    }

    /// Reads the field line at `start`; returns where the next line starts.
    #[inline]
    fn field_line(
        &mut self,
        rest: &[u8],
        start: usize,
        limits: &Limits,
        said: &mut Said,
    ) -> Result<usize, Refusal> {
        // A known name is a token; others are looked at byte by byte.
        let name_end = bytes::find_colon(rest, start);
        let id = request_id_at(&rest[start..], name_end - start);
        if id == UNKNOWN {
            let token_end = start + bytes::token_len(&rest[start..]);
            let token = token_end != start && token_end == name_end && name_end != rest.len();
            let weak = || limits.syntax.weak_names && is_weak_name(&rest[start..], name_end - start);
            if !token && !weak() {
                return Err(if bare_cr(rest, token_end) { Refusal::LineEnd } else { Refusal::Header });
            }
        }
        let (value, stop, next) = read_value(rest, name_end + 1, limits.syntax.weak_values)?;
        if next > limits.head {
            return Err(Refusal::RequestLength);
        }
        if stop - start > limits.field {
            return Err(Refusal::FieldLength);
        }
        let field = Field { id, name: Span::between(start, name_end), value };
        said.hear(field, rest);
        self.fields.push(field);
        Ok(next)
    }

    /// Judges the start of a head whose end has not come.
    fn judge_start(&mut self, rest: &[u8], received: usize, limits: &Limits) -> Result<(), Refusal> {
        if memchr(b'\n', rest).is_some() {
            self.line_shape(rest, limits)?;
            return if received > limits.head { Err(Refusal::RequestLength) } else { Ok(()) };
        }
        let verb_end = bytes::token_len(rest);
        match rest.get(verb_end) {
            None if received > limits.head => Err(Refusal::Verb),
            None => Ok(()),
            Some(b'\r') if verb_end + 1 == rest.len() && received <= limits.head => Ok(()),
            Some(b'\r') => Err(Refusal::BadRequest),
            Some(b' ') if verb_end > 0 => self.judge_target(rest, verb_end, received, limits),
            Some(_) => Err(Refusal::Verb),
        }
    }

    /// Judges a request line that is still without its end, so far as its target may be too long.
    fn judge_target(
        &mut self,
        rest: &[u8],
        verb_end: usize,
        received: usize,
        limits: &Limits,
    ) -> Result<(), Refusal> {
        let start = verb_end + 1;
        let end = bytes::find_control::<0x21>(rest, start);
        if received <= limits.head && end - start <= limits.field {
            return Ok(());
        }
        self.verb = Verb::from_text(&rest[..verb_end]);
        self.verb_text = Span::between(0, verb_end);
        self.target = Span::between(start, end);
        Err(Refusal::UrlLength)
    }
}

/// How many bytes of empty lines come before the request line (RFC 9112 §2.2).
#[inline]
fn empty_lines(input: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match input[at..] {
            [b'\n', ..] => at += 1,
            [b'\r', b'\n', ..] => at += 2,
            _ => return at,
        }
    }
}

/// The value that starts at `from`, without the blanks around it; where its line stops, and where the next starts.
#[inline]
fn read_value(rest: &[u8], from: usize, weak: bool) -> Result<(Span, usize, usize), Refusal> {
    let mut start = from;
    while rest.get(start).copied().is_some_and(bytes::is_blank) {
        start += 1;
    }
    let mut stop = value_stop(rest, start);
    let next = loop {
        break match rest[stop..] {
            [b'\n', ..] => stop + 1,
            [b'\r', b'\n', ..] => stop + 2,
            [b'\r', ..] => return Err(Refusal::LineEnd),
            [byte, ..] if weak && byte != 0 => {
                stop = value_stop(rest, stop + 1);
                continue;
            }
            _ => return Err(Refusal::Header),
        };
    };
    let mut end = stop;
    while end > start && bytes::is_blank(rest[end - 1]) {
        end -= 1;
    }
    Ok((Span::between(start, end), stop, next))
}

/// Whether the first `len` bytes may be a field name where names need be no tokens: neither blanks nor controls, and a
/// colon behind them.
#[cold]
fn is_weak_name(rest: &[u8], len: usize) -> bool {
    let visible = |byte: &u8| !matches!(byte, 0..=b' ' | 0x7F);
    len > 0 && len < rest.len() && rest[..len].iter().all(visible)
}

/// Offset of the first byte that ends or breaks a field value: any control character but TAB.
#[inline]
fn value_stop(rest: &[u8], from: usize) -> usize {
    let mut at = bytes::find_control::<0x20>(rest, from);
    while rest.get(at) == Some(&b'\t') {
        at = bytes::find_control::<0x20>(rest, at + 1);
    }
    at
}

/// Whether the byte at `at` is a CR without its LF.
fn bare_cr(rest: &[u8], at: usize) -> bool {
    rest[at..].starts_with(b"\r") && !rest[at..].starts_with(b"\r\n")
}

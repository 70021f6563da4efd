//! The request line: method, target in its four forms (RFC 9112 §3.2), version.

use memchr::{memchr, memrchr};

use super::{Limits, RequestHead, Verb, host};
use crate::wire::refusal::Refusal;
use crate::wire::{Span, bytes, target};

impl RequestHead {
    /// Reads the request line of a head that has at least one LF; returns where the next line starts.
    #[inline]
    pub(super) fn request_line(&mut self, rest: &[u8], limits: &Limits) -> Result<usize, Refusal> {
        let next = self.line_shape(rest, limits)?;
        self.read_target(rest, limits)?;
        Ok(next)
    }

    /// Splits the request line into its three parts and judges all that can be judged without looking into the
    /// target; returns where the next line starts.
    #[inline]
    pub(super) fn line_shape(&mut self, rest: &[u8], limits: &Limits) -> Result<usize, Refusal> {
        // Nearly every request is one, and then there is nothing to measure or to look up.
        let (verb, verb_end) = match rest {
            [b'G', b'E', b'T', b' ', ..] => (Verb::Get, 3),
            _ => {
                let end = bytes::token_len(rest);
                (verb(&rest[..end], limits), end)
            }
        };
        self.verb_text = Span::between(0, verb_end);
        self.verb = verb;
        let start = verb_end + 1;
        match rest.get(verb_end) {
            Some(b' ') if verb_end > 0 => {}
            Some(b'\r' | b'\n') => return Err(Refusal::BadRequest),
            _ => return Err(Refusal::Verb),
        }
        let mut end = bytes::find_control::<0x21>(rest, start);
        if limits.syntax.unescaped {
            end = past_controls(rest, end);
        }
        self.target = Span::between(start, end);
        let next = if rest[end..].starts_with(b" HTTP/1.1\r\n") {
            self.version = (1, 1);
            end + 11
        } else {
            self.rest_of_line(rest, end)?
        };
        if end - start > limits.field || end > limits.head {
            return Err(Refusal::UrlLength);
        }
        Ok(next)
    }

    /// Whatever follows the target other than the usual version. A faulty version comes before a faulty
    /// target, so this is where a control character inside the target is found out.
    fn rest_of_line(&mut self, rest: &[u8], target_end: usize) -> Result<usize, Refusal> {
        let line_end = target_end + memchr(b'\n', &rest[target_end..]).ok_or(Refusal::BadRequest)?;
        let line = &rest[..line_end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if memchr(b'\r', line).is_some() {
            return Err(Refusal::LineEnd);
        }
        if target_end >= line.len() {
            return Err(Refusal::BadRequest);
        }
        let last_space = memrchr(b' ', &line[target_end..]).ok_or(Refusal::BadRequest)? + target_end;
        let (major, minor) = version(&line[last_space + 1..]).ok_or(Refusal::BadRequest)?;
        self.version = (major, minor);
        match major {
            0 => Err(Refusal::BadRequest),
            1 if line[target_end] != b' ' => Err(Refusal::Url),
            1 if last_space != target_end => Err(Refusal::BadRequest),
            1 => {
                self.version.1 = minor.min(1);
                Ok(line_end + 1)
            }
            _ => Err(Refusal::Version),
        }
    }

    /// Finds path, query and authority in the target.
    #[inline]
    fn read_target(&mut self, rest: &[u8], limits: &Limits) -> Result<(), Refusal> {
        let (start, end) = (self.target.start as usize, (self.target.start + self.target.len) as usize);
        match rest[start..end] {
            _ if self.verb == Verb::Connect => {
                host::check_with_port(&rest[start..end]).map_err(|_| Refusal::Url)?;
                self.host = Some(self.target);
                self.raw_path = Span::between(end, end);
                self.raw_query = Span::between(end, end);
                Ok(())
            }
            [b'/', ..] => self.read_path(rest, start, end, limits),
            [b'*'] if self.verb == Verb::Options => {
                self.raw_path = self.target;
                self.raw_query = Span::between(end, end);
                Ok(())
            }
            _ => {
                let path = self.read_authority(rest, start, end)?;
                self.read_path(rest, path, end, limits)
            }
        }
    }

    /// The authority of an absolute form; returns where the path starts. It must not be empty: HTTP.sys
    /// refuses `http://host?query`.
    fn read_authority(&mut self, rest: &[u8], start: usize, end: usize) -> Result<usize, Refusal> {
        let text = &rest[start..end];
        let scheme = [&b"http://"[..], b"https://"]
            .into_iter()
            .find(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
            .ok_or(Refusal::Url)?
            .len();
        let authority = text[scheme..].iter().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
        let authority = authority.ok_or(Refusal::Url)?;
        let path = scheme + authority;
        if text[path] != b'/' {
            return Err(Refusal::Url);
        }
        host::check(&text[scheme..path])?;
        self.host = Some(Span::between(start + scheme, start + path));
        Ok(start + path)
    }

    /// Path and query from `start` (a `/`) to `end`.
    #[inline]
    fn read_path(&mut self, rest: &[u8], start: usize, end: usize, limits: &Limits) -> Result<(), Refusal> {
        let text = &rest[start..end];
        let found = target::scan(text, limits)?;
        let path = match found.plain {
            true => found.len,
            false => memchr::memchr2(b'?', b'#', text).unwrap_or(text.len()),
        };
        if !found.plain {
            self.decoded_path = target::decode_path(&text[..path], limits)?;
        }
        if path < text.len() && (text[path] != b'?' || memchr(b'#', &text[path..]).is_some()) {
            return Err(Refusal::Url);
        }
        self.raw_path = Span::between(start, start + path);
        self.raw_query = Span::between(start + path, end);
        Ok(())
    }
}

/// The verb of a method that is not plainly GET.
fn verb(text: &[u8], limits: &Limits) -> Verb {
    match Verb::from_text(text) {
        Verb::Unknown if limits.syntax.any_case_verbs => Verb::from_text(&text.to_ascii_uppercase()),
        verb => verb,
    }
}

/// The end of a target that may have control characters, but for NUL, TAB, CR and LF.
#[cold]
fn past_controls(rest: &[u8], mut end: usize) -> usize {
    while rest.get(end).is_some_and(|byte| !matches!(byte, 0 | b'\t' | b'\r' | b'\n' | b' ')) {
        end = bytes::find_control::<0x21>(rest, end + 1);
    }
    end
}

/// `HTTP/` digit `.` digit, exactly.
fn version(text: &[u8]) -> Option<(u16, u16)> {
    match text {
        [b'H', b'T', b'T', b'P', b'/', major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9'] => {
            Some((u16::from(major - b'0'), u16::from(minor - b'0')))
        }
        _ => None,
    }
}

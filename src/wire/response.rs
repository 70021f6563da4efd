//! Response heads as a client reads them (digest of WinHTTP §5.3, §6.7, §6.9): more forgiving than `request`,
//! since a server's slips must not keep a client from its answer.
//!
//! White space before a colon is dropped, folded lines are joined by one space, lines that are no field are
//! skipped. What cannot be a head at all is [`ResponseFault::Garbage`].

use memchr::memchr;

use super::field::{Field, is_token, response_id};
use super::framing::{Heard, Length};
use super::request::Framing;
use super::{Parsed, Span, bytes};
use crate::abi::error::Error;

/// Why a response cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseFault {
    /// Not HTTP, or a length that makes no sense.
    Garbage,
    /// The head is over its limit.
    HeadTooLarge,
    /// The head has too many fields.
    TooManyFields,
}

impl From<ResponseFault> for Error {
    fn from(fault: ResponseFault) -> Error {
        match fault {
            ResponseFault::Garbage => Error::WINHTTP_INVALID_SERVER_RESPONSE,
            ResponseFault::HeadTooLarge => Error::WINHTTP_HEADER_SIZE_OVERFLOW,
            ResponseFault::TooManyFields => Error::WINHTTP_HEADER_COUNT_EXCEEDED,
        }
    }
}

/// Limits on a response head: WINHTTP_OPTION_MAX_RESPONSE_HEADER_SIZE, and a number of fields.
#[derive(Clone, Copy, Debug)]
pub struct ResponseLimits {
    /// Bytes of the head as received.
    pub head: usize,
    /// Fields.
    pub fields: usize,
}

impl Default for ResponseLimits {
    fn default() -> Self {
        ResponseLimits { head: 65536, fields: 1024 }
    }
}

/// One response head, kept and reused.
#[derive(Clone, Debug, Default)]
pub struct ResponseHead {
    /// The head in normal form, as WINHTTP_QUERY_RAW_HEADERS_CRLF shows it: status line and `Name: value`
    /// lines, each with CRLF, and an empty line.
    pub bytes: Vec<u8>,
    /// HTTP version, e.g. (1, 1).
    pub version: (u16, u16),
    /// Status code, 100 to 999.
    pub status: u16,
    /// Reason phrase, perhaps empty.
    pub reason: Span,
    /// Fields in arrival order, with the numbers of response fields.
    pub fields: Vec<Field>,
}

impl ResponseHead {
    /// An empty head, ready for [`ResponseHead::parse`].
    pub fn new() -> ResponseHead {
        ResponseHead::default()
    }

    /// Looks for a complete head at the start of `input`. A first line that is no status line is refused as
    /// soon as it cannot become one.
    pub fn parse(&mut self, input: &[u8], limits: &ResponseLimits) -> Result<Parsed, ResponseFault> {
        self.bytes.clear();
        self.fields.clear();
        check_start(input)?;
        if !bytes::has_empty_line(input) {
            if let Some(end) = memchr(b'\n', input) {
                status_line(trim_line(&input[..end])).ok_or(ResponseFault::Garbage)?;
            }
            return if input.len() > limits.head {
                Err(ResponseFault::HeadTooLarge)
            } else {
                Ok(Parsed::Partial)
            };
        }
        // Most heads need no more.
        self.bytes.reserve(input.len().min(512));
        self.fields.reserve(12);
        let mut lines = Lines { input, at: 0 };
        self.read_status(lines.next())?;
        loop {
            let line = lines.next();
            if lines.at > limits.head {
                return Err(ResponseFault::HeadTooLarge);
            }
            if line.is_empty() {
                break;
            }
            self.read_field(line, &mut lines);
            if self.fields.len() > limits.fields {
                return Err(ResponseFault::TooManyFields);
            }
        }
        if memchr(0, &input[..lines.at]).is_some() {
            return Err(ResponseFault::Garbage);
        }
        self.bytes.extend_from_slice(b"\r\n");
        Ok(Parsed::Complete(lines.at))
    }

    /// The bytes a span of this head names.
    #[inline]
    pub fn text(&self, span: Span) -> &[u8] {
        span.of(&self.bytes)
    }

    /// The values of a numbered field, in order.
    pub fn values(&self, id: u8) -> impl Iterator<Item = &[u8]> {
        self.fields.iter().filter(move |field| field.id == id).map(|field| self.text(field.value))
    }

    /// How the body ends, when the request was a HEAD or a CONNECT, or neither.
    ///
    /// Chunked goes before a length, and is not honoured in HTTP/1.0.
    pub fn framing(&self, to_head: bool, to_connect: bool) -> Result<Framing, ResponseFault> {
        let tunnel = to_connect && self.status / 100 == 2;
        if to_head || tunnel || self.status < 200 || matches!(self.status, 204 | 304) {
            return Ok(Framing::None);
        }
        let heard = self.heard();
        match (heard.chunked().filter(|_| self.is_modern()), heard.length()) {
            (Some(true), _) => Ok(Framing::Chunked),
            (_, Length::Senseless | Length::Differing) => Err(ResponseFault::Garbage),
            (Some(false), _) | (None, Length::Absent) => Ok(Framing::Close),
            (None, Length::Bytes(length)) => Ok(Framing::Length(length)),
        }
    }

    /// Whether the connection can be used again after a body that ends as `framing` says. Never after a
    /// response that gives its length twice: the server may think differently about where it ends.
    pub fn keep_alive(&self, framing: Framing) -> bool {
        let heard = self.heard();
        let wanted = !heard.close && (self.is_modern() || heard.keep_alive);
        let doubtful = heard.chunked().is_some() && (heard.length() != Length::Absent || !self.is_modern());
        wanted && !doubtful && framing != Framing::Close
    }

    /// Takes fields out of the head, by their numbers.
    pub fn remove(&mut self, ids: &[u8]) {
        let old = std::mem::take(&mut self.bytes);
        let fields = std::mem::take(&mut self.fields);
        let end = memchr(b'\n', &old).map_or(old.len(), |end| end + 1);
        self.bytes.extend_from_slice(&old[..end]);
        for field in fields.into_iter().filter(|field| !ids.contains(&field.id)) {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(field.name.of(&old));
            let name = Span::between(start, self.bytes.len());
            self.bytes.extend_from_slice(b": ");
            let start = self.bytes.len();
            self.bytes.extend_from_slice(field.value.of(&old));
            let value = Span::between(start, self.bytes.len());
            self.bytes.extend_from_slice(b"\r\n");
            self.fields.push(Field { id: field.id, name, value });
        }
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// Presents the response under another status code; its text stays.
    pub fn present_as(&mut self, status: u16) {
        const DIGITS: usize = "HTTP/1.1 ".len();
        let text = format!("{status:03}");
        if let Some(place) = self.bytes.get_mut(DIGITS..DIGITS + text.len()) {
            place.copy_from_slice(text.as_bytes());
            self.status = status;
        }
    }

    fn is_modern(&self) -> bool {
        self.version >= (1, 1)
    }

    fn heard(&self) -> Heard {
        let mut heard = Heard::default();
        for field in &self.fields {
            heard.hear(field.id, self.text(field.value));
        }
        heard
    }

    fn read_status(&mut self, line: &[u8]) -> Result<(), ResponseFault> {
        let (version, status, reason) = status_line(line).ok_or(ResponseFault::Garbage)?;
        (self.version, self.status) = (version, status);
        self.bytes.extend_from_slice(b"HTTP/");
        bytes::push_decimal(&mut self.bytes, version.0.into());
        self.bytes.push(b'.');
        bytes::push_decimal(&mut self.bytes, version.1.into());
        self.bytes.push(b' ');
        bytes::push_decimal(&mut self.bytes, status.into());
        self.bytes.push(b' ');
        self.reason = self.keep(reason);
        self.bytes.extend_from_slice(b"\r\n");
        Ok(())
    }

    /// Reads one field and the folded lines after it; a line that is no field is left out.
    fn read_field(&mut self, line: &[u8], lines: &mut Lines) {
        let (name, value) = match memchr(b':', line) {
            Some(colon) if !bytes::is_blank(line[0]) => (line[..colon].trim_ascii(), &line[colon + 1..]),
            _ => (&b""[..], line),
        };
        let is_field = is_token(name);
        let name = if is_field { self.keep(name) } else { Span::default() };
        if is_field {
            self.bytes.extend_from_slice(b": ");
        }
        let start = self.bytes.len();
        if is_field {
            self.keep(value.trim_ascii());
        }
        while let Some(more) = lines.folded() {
            let more = more.trim_ascii();
            if is_field && !more.is_empty() {
                if self.bytes.len() > start {
                    self.bytes.push(b' ');
                }
                self.keep(more);
            }
        }
        if is_field {
            let value = Span::between(start, self.bytes.len());
            self.fields.push(Field { id: response_id(self.text(name)), name, value });
            self.bytes.extend_from_slice(b"\r\n");
        }
    }

    /// Copies text into `bytes`; a CR that ends no line becomes a space (RFC 9112 §2.2).
    fn keep(&mut self, text: &[u8]) -> Span {
        let start = self.bytes.len();
        self.bytes.extend(text.iter().map(|byte| if *byte == b'\r' { b' ' } else { *byte }));
        Span::between(start, self.bytes.len())
    }
}

/// The lines of a head that is known to have an empty one, without their ends.
struct Lines<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> &'a [u8] {
        let rest = &self.input[self.at..];
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        self.at += rest.len().min(end + 1);
        trim_line(&rest[..end])
    }

    /// The next line if it is folded, that is, starts with white space.
    fn folded(&mut self) -> Option<&'a [u8]> {
        let first = self.input.get(self.at).copied();
        first.is_some_and(bytes::is_blank).then(|| self.next())
    }
}

fn trim_line(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Refuses what cannot become a status line before its end has come.
fn check_start(input: &[u8]) -> Result<(), ResponseFault> {
    let shape = |at: usize, byte: u8| match at {
        0..=4 => byte == b"HTTP/"[at],
        5 | 7 => byte.is_ascii_digit(),
        6 => byte == b'.',
        _ => bytes::is_blank(byte),
    };
    let fits = input.iter().take(9).enumerate().all(|(at, byte)| shape(at, *byte));
    if fits { Ok(()) } else { Err(ResponseFault::Garbage) }
}

/// Version, code of three digits, and reason of `HTTP/x.y code reason`.
fn status_line(line: &[u8]) -> Option<((u16, u16), u16, &[u8])> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u16::from(byte - b'0'));
    let [b'H', b'T', b'T', b'P', b'/', major, b'.', minor, b' ' | b'\t', rest @ ..] = line else {
        return None;
    };
    let (code, reason) = bytes::trim(rest).split_at_checked(3)?;
    if !reason.first().copied().is_none_or(bytes::is_blank) {
        return None;
    }
    let status = u16::try_from(bytes::decimal(code)?).ok().filter(|status| *status >= 100)?;
    Some(((digit(*major)?, digit(*minor)?), status, reason.trim_ascii()))
}

#[cfg(test)]
mod tests;

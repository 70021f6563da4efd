//! Taking a URL apart (digest of WinHTTP §4.2).
//!
//! Where versions of Windows differ this follows the later ones: `?` and `#` end the authority. Extra
//! information starts at whichever of the two comes first.

use std::borrow::Cow;
use std::ops::Range;

use super::escape::escape_unsafe;
use super::{ICU_DECODE, ICU_ESCAPE, ICU_REJECT_USERPWD, find, find_any, known_scheme};
use crate::abi::error::{Error, Result};

/// A URL taken apart: ranges of [`Cracked::text`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cracked<'a> {
    /// The URL itself, or what ICU_DECODE or ICU_ESCAPE made of it. Borrowed without these flags, so that
    /// ranges are positions in the caller's text.
    pub text: Cow<'a, [u16]>,
    /// INTERNET_SCHEME_HTTP or INTERNET_SCHEME_HTTPS.
    pub scheme_id: u32,
    /// The port given, else the scheme's own.
    pub port: u16,
    /// Scheme as written.
    pub scheme: Range<usize>,
    /// User name, perhaps empty; `None` without `@`.
    pub user: Option<Range<usize>>,
    /// Password, perhaps empty; `None` without `:` before the `@`.
    pub password: Option<Range<usize>>,
    /// Host, with the brackets of IPv6.
    pub host: Range<usize>,
    /// From `/` up to `?` or `#`; when absent, empty at the position where it would be.
    pub path: Range<usize>,
    /// From `?` or `#` to the end; when absent, empty at the end.
    pub extra: Range<usize>,
}

impl Cracked<'_> {
    /// Path and extra information together: the path for a caller who has not asked for the latter.
    pub fn path_and_extra(&self) -> Range<usize> {
        self.path.start..self.extra.end
    }
}

/// Takes a URL apart. With both flags, ICU_ESCAPE wins over ICU_DECODE.
///
/// # Errors
/// WINHTTP_UNRECOGNIZED_SCHEME, WINHTTP_INVALID_URL.
pub fn crack(url: &[u16], flags: u32) -> Result<Cracked<'_>> {
    let text = match flags {
        _ if flags & ICU_ESCAPE != 0 => Cow::Owned(escaped(url)),
        _ if flags & ICU_DECODE != 0 => Cow::Owned(decoded(url)),
        _ => Cow::Borrowed(url),
    };
    let colon = find(&text, b':').ok_or(Error::WINHTTP_UNRECOGNIZED_SCHEME)?;
    let (scheme_id, default_port) = known_scheme(&text[..colon]).ok_or(Error::WINHTTP_UNRECOGNIZED_SCHEME)?;
    let start = authority_start(&text, colon).ok_or(Error::WINHTTP_INVALID_URL)?;
    let end = start + find_any(&text[start..], b"/?#");
    let (user, password, host_start) = read_user(&text, start, end);
    if user.is_some() && flags & ICU_REJECT_USERPWD != 0 {
        return Err(Error::WINHTTP_INVALID_URL);
    }
    let (host, port) = read_host(&text, host_start, end).ok_or(Error::WINHTTP_INVALID_URL)?;
    let extra = end + find_any(&text[end..], b"?#");
    Ok(Cracked {
        scheme_id,
        port: port.unwrap_or(default_port),
        scheme: 0..colon,
        user,
        password,
        host,
        path: end..extra,
        extra: extra..text.len(),
        text,
    })
}

/// After `://`, if at least one character follows.
fn authority_start(text: &[u16], colon: usize) -> Option<usize> {
    let slashes = text.get(colon + 1..colon + 3)?;
    let start = colon + 3;
    (slashes.iter().all(|unit| *unit == u16::from(b'/')) && start < text.len()).then_some(start)
}

/// User, password, and where the host starts. The last `@` counts: a host has none.
fn read_user(text: &[u16], start: usize, end: usize) -> (Option<Range<usize>>, Option<Range<usize>>, usize) {
    let Some(len) = text[start..end].iter().rposition(|unit| *unit == u16::from(b'@')) else {
        return (None, None, start);
    };
    let at = start + len;
    match find(&text[start..at], b':') {
        Some(colon) => (Some(start..start + colon), Some(start + colon + 1..at), at + 1),
        None => (Some(start..at), None, at + 1),
    }
}

/// Host and port of an authority without user information; an empty port is none.
fn read_host(text: &[u16], start: usize, end: usize) -> Option<(Range<usize>, Option<u16>)> {
    let authority = &text[start..end];
    let host_len = match authority.first() {
        Some(first) if *first == u16::from(b'[') => find(authority, b']')? + 1,
        _ => find_any(authority, b":"),
    };
    if host_len == 0 {
        return None;
    }
    let host = start..start + host_len;
    match authority[host_len..] {
        [] => Some((host, None)),
        [colon, ref digits @ ..] if colon == u16::from(b':') => Some((host, read_port(digits)?)),
        _ => None,
    }
}

/// `Some(None)` for no digits, `None` for anything but a port.
fn read_port(digits: &[u16]) -> Option<Option<u16>> {
    if digits.is_empty() {
        return Some(None);
    }
    let mut port = 0u16;
    for unit in digits {
        let digit = u8::try_from(*unit).ok().filter(u8::is_ascii_digit)? - b'0';
        port = port.checked_mul(10)?.checked_add(u16::from(digit))?;
    }
    Some(Some(port))
}

/// Each `%XX` as one character of that value; anything else as it is.
fn decoded(url: &[u16]) -> Vec<u16> {
    let mut out = Vec::with_capacity(url.len());
    let mut rest = url;
    while let Some(unit) = rest.first() {
        let escape = escape_at(rest);
        out.push(escape.unwrap_or(*unit));
        rest = &rest[if escape.is_some() { 3 } else { 1 }..];
    }
    out
}

/// The value of the `%XX` that text starts with.
fn escape_at(text: &[u16]) -> Option<u16> {
    let hex = |unit: u16| char::from_u32(u32::from(unit))?.to_digit(16);
    match text {
        [percent, high, low, ..] if *percent == u16::from(b'%') => {
            Some((hex(*high)? << 4 | hex(*low)?) as u16)
        }
        _ => None,
    }
}

/// The URL with everything after the authority escaped.
fn escaped(url: &[u16]) -> Vec<u16> {
    let authority = find(url, b':').and_then(|colon| authority_start(url, colon)).unwrap_or(url.len());
    let end = authority + find_any(&url[authority..], b"/?#");
    let mut out = url[..end].to_vec();
    escape_unsafe(&url[end..], &mut out);
    out
}

//! Where a `Location` leads (RFC 3986 §5.2, digest of WinHTTP §6.5).

use super::{crack, find, find_any, known_scheme};
use crate::abi::error::{Error, Result};

/// The absolute URL of a `Location` that came in answer to `base`, without fragment and without dot segments
/// where it was relative.
///
/// # Errors
/// WINHTTP_UNRECOGNIZED_SCHEME when it leads out of http and https, WINHTTP_INVALID_URL when it leads nowhere.
pub fn resolve_location(base: &[u16], location: &[u16]) -> Result<Vec<u16>> {
    let location = trim(location);
    let location = &location[..find_any(location, b"#")];
    let target = match scheme_len(location) {
        Some(len) if known_scheme(&location[..len]).is_none() => {
            return Err(Error::WINHTTP_UNRECOGNIZED_SCHEME);
        }
        Some(_) => location.to_vec(),
        None => relative(base, location)?,
    };
    crack(&target, 0)?;
    Ok(target)
}

/// A reference without scheme, seen from `base`.
fn relative(base: &[u16], location: &[u16]) -> Result<Vec<u16>> {
    let parts = crack(base, 0)?;
    let slash = u16::from(b'/');
    let authority = &base[..parts.path.start];
    let path = &base[parts.path.clone()];
    match location {
        [] => Ok(base[..find_any(base, b"#")].to_vec()),
        [first, second, ..] if (*first, *second) == (slash, slash) => {
            Ok([&base[..=parts.scheme.end], location].concat())
        }
        [first, ..] if *first == u16::from(b'?') => Ok([authority, path, location].concat()),
        _ => {
            let (own, query) = location.split_at(find_any(location, b"?"));
            let directory = match own.first() {
                Some(first) if *first == slash => &[][..],
                _ => &path[..path.iter().rposition(|unit| *unit == slash).unwrap_or(0)],
            };
            let separator = if own.first() == Some(&slash) { &[][..] } else { &[slash][..] };
            let path = remove_dots(&[directory, separator, own].concat());
            Ok([authority, path.as_slice(), query].concat())
        }
    }
}

/// RFC 3986 §5.2.4 for a path that starts with a slash: what climbs above the root stays there.
fn remove_dots(path: &[u16]) -> Vec<u16> {
    let (slash, dot) = (u16::from(b'/'), u16::from(b'.'));
    let mut kept: Vec<&[u16]> = Vec::new();
    let mut segments = path.split(|unit| *unit == slash).skip(1).peekable();
    while let Some(segment) = segments.next() {
        let dots = segment.len() <= 2 && !segment.is_empty() && segment.iter().all(|unit| *unit == dot);
        match (dots, segment.len()) {
            (true, 2) => drop(kept.pop()),
            (true, _) => {}
            (false, _) => kept.push(segment),
        }
        if dots && segments.peek().is_none() {
            kept.push(&[]);
        }
    }
    let mut out = Vec::with_capacity(path.len());
    for segment in kept {
        out.push(slash);
        out.extend_from_slice(segment);
    }
    out
}

/// The length of the scheme a reference starts with.
fn scheme_len(location: &[u16]) -> Option<usize> {
    let len = find(location, b':')?;
    let ascii = |unit: &u16| u8::try_from(*unit).unwrap_or(0);
    let (first, rest) = location[..len].split_first()?;
    let valid = ascii(first).is_ascii_alphabetic()
        && rest.iter().map(ascii).all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    valid.then_some(len)
}

fn trim(mut text: &[u16]) -> &[u16] {
    let blank = |unit: &u16| *unit == 0x20 || *unit == 0x09;
    while text.first().is_some_and(blank) {
        text = &text[1..];
    }
    while text.last().is_some_and(blank) {
        text = &text[..text.len() - 1];
    }
    text
}

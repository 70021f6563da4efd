//! URLs as WinHTTP takes them apart and puts them together, and the escaping of request paths. All text is
//! UTF-16, all positions are in its units.
//!
//! `crack` is the logic of `WinHttpCrackUrl`, `create` of `WinHttpCreateUrl`, `escape` knows who escapes what,
//! `resolve` follows `Location`. Pointers, capacities and NULs of URL_COMPONENTS are `capi`'s.

mod crack;
mod create;
mod escape;
mod resolve;

pub use crack::{Cracked, crack};
pub use create::{Components, create};
pub use escape::{
    ESCAPE_DISABLE, ESCAPE_DISABLE_QUERY, ESCAPE_PERCENT, escape_object_bytes, escape_object_name,
};
pub use resolve::resolve_location;

/// ICU_DECODE: `%XX` becomes one character before the URL is taken apart.
pub const ICU_DECODE: u32 = 0x1000_0000;
/// ICU_ESCAPE: unsafe characters of path and extra information are escaped.
pub const ICU_ESCAPE: u32 = 0x8000_0000;
/// ICU_ESCAPE_AUTHORITY: user name and password are escaped.
pub const ICU_ESCAPE_AUTHORITY: u32 = 0x2000;
/// ICU_REJECT_USERPWD: user name and password are an error.
pub const ICU_REJECT_USERPWD: u32 = 0x4000;
/// ICU_INCLUDE_DEFAULT_PORT: the port is written even if it is the scheme's own.
pub const ICU_INCLUDE_DEFAULT_PORT: u32 = 0x8000;

/// INTERNET_SCHEME_HTTP
pub const SCHEME_HTTP: u32 = 1;
/// INTERNET_SCHEME_HTTPS
pub const SCHEME_HTTPS: u32 = 2;
/// INTERNET_SCHEME_FTP
pub const SCHEME_FTP: u32 = 3;
/// INTERNET_SCHEME_SOCKS
pub const SCHEME_SOCKS: u32 = 4;

/// The first position of a character.
fn find(text: &[u16], character: u8) -> Option<usize> {
    text.iter().position(|unit| *unit == u16::from(character))
}

/// The first position of any of these characters, or the end.
fn find_any(text: &[u16], characters: &[u8]) -> usize {
    text.iter().position(|unit| characters.iter().any(|c| *unit == u16::from(*c))).unwrap_or(text.len())
}

/// Whether text is this ASCII text but for case.
fn is_text(text: &[u16], ascii: &str) -> bool {
    text.len() == ascii.len()
        && text
            .iter()
            .zip(ascii.bytes())
            .all(|(unit, byte)| u8::try_from(*unit).is_ok_and(|unit| unit.eq_ignore_ascii_case(&byte)))
}

/// The number of a scheme that WinHTTP speaks and its port.
fn known_scheme(scheme: &[u16]) -> Option<(u32, u16)> {
    match () {
        _ if is_text(scheme, "http") => Some((SCHEME_HTTP, 80)),
        _ if is_text(scheme, "https") => Some((SCHEME_HTTPS, 443)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

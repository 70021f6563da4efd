//! Text between UTF-16, UTF-8 and Windows-1252.
//!
//! Conversions work on slices and count or write through a [`Sink`], so that `MultiByteToWideChar` can measure
//! with the same code that converts. Reading C strings is in `capi`; comparing and formatting wide strings is in
//! the headers.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use crate::abi::error::{Error, Result};

/// The code pages there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodePage {
    /// 65001.
    Utf8,
    /// 1252, Western European.
    Windows1252,
    /// 28591, ISO 8859-1.
    Latin1,
    /// 20127, ASCII.
    Ascii,
}

/// A fixed buffer that goes on counting when it is full.
pub struct Sink<'a, T> {
    buffer: &'a mut [T],
    len: usize,
}

impl<'a, T> Sink<'a, T> {
    /// Writes into `buffer`; an empty one only counts.
    pub fn new(buffer: &'a mut [T]) -> Sink<'a, T> {
        Sink { buffer, len: 0 }
    }

    /// Adds a unit.
    #[inline]
    pub fn put(&mut self, unit: T) {
        if let Some(place) = self.buffer.get_mut(self.len) {
            *place = unit;
        }
        self.len += 1;
    }

    /// Units put so far, whether they fitted or not.
    pub fn count(&self) -> usize {
        self.len
    }
}

/// The Unicode characters of 0x80 to 0x9F in Windows-1252; 0 where there is none (Windows maps those to the
/// control character of the same number).
const WINDOWS_1252: [u16; 32] = [
    0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,
    0x017D, 0, 0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
    0x0153, 0, 0x017E, 0x0178,
];

/// Bytes to UTF-16. Invalid bytes become U+FFFD, or with `strict` give `NO_UNICODE_TRANSLATION`.
pub fn decode(page: CodePage, bytes: &[u8], strict: bool, out: &mut Sink<'_, u16>) -> Result<()> {
    if page != CodePage::Utf8 {
        return decode_single(page, bytes, strict, out);
    }
    for chunk in bytes.utf8_chunks() {
        chunk.valid().encode_utf16().for_each(|unit| out.put(unit));
        if !chunk.invalid().is_empty() {
            if strict {
                return Err(Error::NO_UNICODE_TRANSLATION);
            }
            out.put(0xFFFD);
        }
    }
    Ok(())
}

fn decode_single(page: CodePage, bytes: &[u8], strict: bool, out: &mut Sink<'_, u16>) -> Result<()> {
    for &byte in bytes {
        let unit = match (page, byte) {
            (CodePage::Windows1252, 0x80..=0x9F) => match WINDOWS_1252[usize::from(byte - 0x80)] {
                0 => u16::from(byte),
                unit => unit,
            },
            (CodePage::Ascii, 0x80..) if strict => return Err(Error::NO_UNICODE_TRANSLATION),
            (CodePage::Ascii, 0x80..) => 0xFFFD,
            _ => u16::from(byte),
        };
        out.put(unit);
    }
    Ok(())
}

/// UTF-16 to bytes. What the page cannot say becomes U+FFFD in UTF-8 and `default` in the others; tells whether
/// that happened. With `strict`, a lone surrogate gives `NO_UNICODE_TRANSLATION`.
pub fn encode(
    page: CodePage,
    units: &[u16],
    strict: bool,
    default: &[u8],
    out: &mut Sink<'_, u8>,
) -> Result<bool> {
    let mut substituted = false;
    for character in char::decode_utf16(units.iter().copied()) {
        if character.is_err() && strict {
            return Err(Error::NO_UNICODE_TRANSLATION);
        }
        let character = character.unwrap_or_else(|_| {
            substituted = true;
            char::REPLACEMENT_CHARACTER
        });
        if page == CodePage::Utf8 {
            character.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| out.put(byte));
        } else if let Some(byte) = single_byte(page, character) {
            out.put(byte);
        } else {
            substituted = true;
            default.iter().for_each(|&byte| out.put(byte));
        }
    }
    Ok(substituted)
}

fn single_byte(page: CodePage, character: char) -> Option<u8> {
    let code = u32::from(character);
    match (page, code) {
        (_, 0..=0x7F) | (CodePage::Latin1, 0x80..=0xFF) | (CodePage::Windows1252, 0xA0..=0xFF) => {
            Some(code as u8)
        }
        (CodePage::Windows1252, 0x80..=0x9F) => {
            (WINDOWS_1252[code as usize - 0x80] == 0).then_some(code as u8)
        }
        (CodePage::Windows1252, _) => {
            let index = WINDOWS_1252.iter().position(|&unit| u32::from(unit) == code)?;
            Some(0x80 + index as u8)
        }
        _ => None,
    }
}

/// UTF-8 to UTF-16.
pub fn to_wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// UTF-16 to UTF-8. `NO_UNICODE_TRANSLATION` for a lone surrogate.
pub fn to_utf8(units: &[u16]) -> Result<String> {
    String::from_utf16(units).map_err(|_| Error::NO_UNICODE_TRANSLATION)
}

/// A Windows path as a path of this system: backslashes become slashes, a `\\?\` in front is dropped. A drive
/// letter has no meaning here and stays part of the name. `PATH_NOT_FOUND` if empty, `INVALID_NAME` if it holds
/// a NUL or a lone surrogate.
pub fn to_path(units: &[u16]) -> Result<PathBuf> {
    let text = String::from_utf16(units).map_err(|_| Error::INVALID_NAME)?;
    path_from_utf8(text.into_bytes())
}

/// As [`to_path`], from bytes in the system's own encoding.
pub fn path_from_utf8(mut bytes: Vec<u8>) -> Result<PathBuf> {
    if bytes.starts_with(br"\\?\") {
        bytes.drain(..4);
    }
    if bytes.contains(&0) {
        return Err(Error::INVALID_NAME);
    }
    if bytes.is_empty() {
        return Err(Error::PATH_NOT_FOUND);
    }
    bytes.iter_mut().filter(|byte| **byte == b'\\').for_each(|byte| *byte = b'/');
    Ok(OsString::from_vec(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(page: CodePage, bytes: &[u8], strict: bool) -> Result<Vec<u16>> {
        let mut buffer = [0; 64];
        let mut out = Sink::new(&mut buffer);
        decode(page, bytes, strict, &mut out)?;
        let count = out.count();
        Ok(buffer[..count].to_vec())
    }

    fn encoded(page: CodePage, text: &[u16]) -> (Vec<u8>, bool) {
        let mut buffer = [0; 64];
        let mut out = Sink::new(&mut buffer);
        let substituted = encode(page, text, false, b"?", &mut out).unwrap();
        let count = out.count();
        (buffer[..count].to_vec(), substituted)
    }

    #[test]
    fn utf8_goes_both_ways_and_invalid_bytes_are_replaced_or_refused() {
        let text = "a\u{E9}\u{20AC}\u{1F600}";
        assert_eq!(decoded(CodePage::Utf8, text.as_bytes(), true), Ok(to_wide(text)));
        assert_eq!(encoded(CodePage::Utf8, &to_wide(text)), (text.as_bytes().to_vec(), false));
        assert_eq!(decoded(CodePage::Utf8, b"a\xFFb", false), Ok(vec![0x61, 0xFFFD, 0x62]));
        assert_eq!(decoded(CodePage::Utf8, b"a\xFFb", true), Err(Error::NO_UNICODE_TRANSLATION));
        assert_eq!(encoded(CodePage::Utf8, &[0xD800]), ("\u{FFFD}".as_bytes().to_vec(), true));
    }

    #[test]
    fn windows_1252_is_its_own_inverse() {
        let all: Vec<u8> = (0..=255).collect();
        let mut wide = [0; 256];
        decode(CodePage::Windows1252, &all, true, &mut Sink::new(&mut wide)).unwrap();
        let mut back = [0; 256];
        let substituted =
            encode(CodePage::Windows1252, &wide, true, b"?", &mut Sink::new(&mut back)).unwrap();
        assert!(!substituted && back[..] == all[..]);
        assert_eq!(wide[0x80], 0x20AC);
        assert_eq!(encoded(CodePage::Windows1252, &to_wide("\u{416}x")), (b"?x".to_vec(), true));
    }

    #[test]
    fn a_full_sink_goes_on_counting() {
        let mut buffer = [0u16; 2];
        let mut out = Sink::new(&mut buffer);
        decode(CodePage::Utf8, b"abcd", false, &mut out).unwrap();
        assert_eq!((out.count(), buffer), (4, [0x61, 0x62]));
    }

    #[test]
    fn windows_paths_become_paths() {
        assert_eq!(to_path(&to_wide(r"\\?\a\b")).unwrap(), PathBuf::from("a/b"));
        assert_eq!(to_path(&[]), Err(Error::PATH_NOT_FOUND));
        assert_eq!(to_path(&[0xD800]), Err(Error::INVALID_NAME));
    }
}

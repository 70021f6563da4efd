//! Header fields as an array in the caller's buffer (digest §5.6).
#![expect(unsafe_code, reason = "exports, and memory of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use super::handle;
use super::headers::{name_of, visit_fields};
use super::text::{Answer, optional, put};
use crate::abi::base::{DWORD, PDWORD, PVOID, UINT, ULONGLONG};
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::capi::base::string::code_page;
use crate::capi::guard::returning_status;
use crate::win32::text::{CodePage, Sink, decode};

/// Gives all fields, or one of a name, of the response, its trailers or the request.
///
/// `dwInfoLevel` is WINHTTP_QUERY_EX_ALL_HEADERS, a WINHTTP_QUERY_* that names a header, or WINHTTP_QUERY_CUSTOM with
/// `pHeaderName`, and may hold WINHTTP_QUERY_FLAG_REQUEST_HEADERS, _TRAILERS and _WIRE_ENCODING (the strings are then
/// char, the name too). `ullFlags` must be 0. `uiCodePage` says how values are read: 0 and 65001 as UTF-8, or as
/// Latin-1 where they are none; 1252, 28591 and 20127 as what they are; any other number as 0.
/// `*pdwIndex` picks one of the fields, from 0, and is moved on; without `pdwIndex` it is the first of that name, or all
/// of them for WINHTTP_QUERY_EX_ALL_HEADERS. The array and its strings lie in `pBuffer`, aligned to 8 bytes, of
/// `*pdwBufferLength` bytes; `*ppHeaders`, unless NULL, points there. Returns the error code: ERROR_INSUFFICIENT_BUFFER
/// (the length then holds the bytes needed), ERROR_WINHTTP_HEADER_NOT_FOUND, ERROR_INVALID_PARAMETER,
/// ERROR_WINHTTP_INCORRECT_HANDLE_STATE, ERROR_INVALID_HANDLE.
///
/// MSDN: WinHttpQueryHeadersEx.
///
/// # Safety
/// The buffer is writable for its length, the name ends in NUL, pointers are NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpQueryHeadersEx(
    hRequest: HINTERNET,
    dwInfoLevel: DWORD,
    ullFlags: ULONGLONG,
    uiCodePage: UINT,
    pdwIndex: PDWORD,
    pHeaderName: PWINHTTP_HEADER_NAME,
    pBuffer: PVOID,
    pdwBufferLength: PDWORD,
    ppHeaders: *mut PWINHTTP_EXTENDED_HEADER,
    pdwHeadersCount: PDWORD,
) -> DWORD {
    returning_status(|| {
        let known = WINHTTP_QUERY_FLAG_REQUEST_HEADERS
            | WINHTTP_QUERY_FLAG_TRAILERS
            | WINHTTP_QUERY_FLAG_WIRE_ENCODING;
        let attribute = dwInfoLevel & !known;
        if ullFlags != 0 || pdwHeadersCount.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        let wide = dwInfoLevel & WINHTTP_QUERY_FLAG_WIRE_ENCODING == 0;
        // Nothing is wrong with a number of no code page, by the function's page.
        let page = code_page(uiCodePage).unwrap_or(CodePage::Utf8);
        // SAFETY: C caller, per WinHttpQueryHeadersEx: NULL or a name that ends in NUL.
        let name = match (attribute, unsafe { read_name(pHeaderName, wide) }) {
            (WINHTTP_QUERY_EX_ALL_HEADERS, None) => None,
            (WINHTTP_QUERY_CUSTOM, Some(name)) => Some(name),
            (attribute, None) => Some(name_of(attribute).ok_or(Error::INVALID_PARAMETER)?.to_owned()),
            _ => return Err(Error::INVALID_PARAMETER),
        };
        // SAFETY: C caller, per WinHttpQueryHeadersEx: the buffer is writable for the length given.
        let answer = unsafe { Answer::new(pBuffer, pdwBufferLength) }?;
        // SAFETY: C caller, per WinHttpQueryHeadersEx: NULL or a place for the index.
        let index = unsafe { pdwIndex.as_ref() }.copied();
        let page = wide.then_some(page);
        let found = collect(hRequest, dwInfoLevel, name.as_deref(), index, page)?;
        // SAFETY: `answer` checks the room of the buffer, and the places were checked above.
        unsafe {
            put(ppHeaders, write_array(&found, &answer, wide)?);
            put(pdwHeadersCount, (found.len() / 2) as u32);
            if let Some(index) = index {
                put(pdwIndex, index + 1);
            }
        }
        Ok(())
    })
}

/// # Safety
/// `name` is NULL or points at a string that ends in NUL.
unsafe fn read_name(name: PWINHTTP_HEADER_NAME, wide: bool) -> Option<String> {
    // SAFETY: both members of the union are pointers; the flags say which one the caller has set.
    unsafe {
        let name = name.as_ref()?;
        if wide {
            optional(name.pwszName).map(String::from_utf16_lossy)
        } else {
            optional(name.pszName.cast::<u8>()).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        }
    }
}

/// Names and values in turn, as bytes of the units they will be written in, each with its NUL.
fn collect(
    handle: HINTERNET,
    level: u32,
    name: Option<&str>,
    index: Option<u32>,
    page: Option<CodePage>,
) -> Result<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    visit_fields(&*handle::request(handle)?, level, |fields| {
        let wanted =
            fields.filter(|field| name.is_none_or(|name| field.name.eq_ignore_ascii_case(name.as_bytes())));
        let (skip, take) = match (index, name) {
            (None, None) => (0, usize::MAX),
            (index, _) => (index.unwrap_or(0) as usize, 1),
        };
        for field in wanted.skip(skip).take(take) {
            found.push(encode(field.name, page));
            found.push(encode(field.value, page));
        }
    })?;
    if found.is_empty() { Err(Error::WINHTTP_HEADER_NOT_FOUND) } else { Ok(found) }
}

/// The text and a NUL: as UTF-16 when there is a code page to read it with, else as it is.
fn encode(text: &[u8], page: Option<CodePage>) -> Vec<u8> {
    let Some(page) = page else { return [text, &[0]].concat() };
    let page = match page {
        CodePage::Utf8 if std::str::from_utf8(text).is_err() => CodePage::Latin1,
        page => page,
    };
    let mut units = vec![0; text.len() + 1];
    let mut sink = Sink::new(&mut units);
    // Nothing is refused when the decoding is not strict.
    let _ = decode(page, text, false, &mut sink);
    let count = sink.count();
    units[..=count].iter().flat_map(|unit| unit.to_ne_bytes()).collect()
}

/// Lays the array out at the first aligned place of the buffer, its strings behind it.
///
/// # Safety
/// The answer's buffer is writable for the room it reports.
unsafe fn write_array(found: &[Vec<u8>], answer: &Answer, wide: bool) -> Result<PWINHTTP_EXTENDED_HEADER> {
    let entries = found.len() / 2;
    let padding = answer.start().align_offset(align_of::<WINHTTP_EXTENDED_HEADER>());
    let padding = if answer.start().is_null() { 0 } else { padding };
    let array = entries * size_of::<WINHTTP_EXTENDED_HEADER>();
    let needed = padding + array + found.iter().map(Vec::len).sum::<usize>();
    answer.reserve(needed)?;
    // SAFETY: `reserve` has found room for padding, array and strings.
    let (headers, mut place) = unsafe {
        let headers = answer.start().add(padding);
        (headers.cast::<WINHTTP_EXTENDED_HEADER>(), headers.add(array))
    };
    let mut string = |bytes: &[u8]| {
        let start = place;
        // SAFETY: as above.
        unsafe {
            place.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            place = place.add(bytes.len());
        }
        start
    };
    for (index, pair) in found.chunks_exact(2).enumerate() {
        let (name, value) = (string(&pair[0]), string(&pair[1]));
        let entry = if wide {
            WINHTTP_EXTENDED_HEADER {
                Name: WINHTTP_EXTENDED_HEADER_NAME { pwszName: name.cast() },
                Value: WINHTTP_EXTENDED_HEADER_VALUE { pwszValue: value.cast() },
            }
        } else {
            WINHTTP_EXTENDED_HEADER {
                Name: WINHTTP_EXTENDED_HEADER_NAME { pszName: name.cast() },
                Value: WINHTTP_EXTENDED_HEADER_VALUE { pszValue: value.cast() },
            }
        };
        // SAFETY: the array was given room and alignment above.
        unsafe { headers.add(index).write(entry) };
    }
    answer.say(needed);
    Ok(headers)
}

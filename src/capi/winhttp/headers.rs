//! Header fields of requests and responses, one by one or all together (digest §5.4).
#![expect(unsafe_code, reason = "exports, and memory of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use super::handle;
use super::text::{Answer, put, required};
use super::time::parse_system_time;
use crate::abi::base::{BOOL, DWORD, LPCWSTR, LPDWORD, LPVOID, TRUE};
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::capi::guard::winhttp_returning;
use crate::client::request::Request;

/// The header names that attributes 0 to 78 stand for; "" for attributes that name none.
static NAMES: [&str; 79] = [
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-ID",
    "Content-Description",
    "Content-Length",
    "Content-Language",
    "Allow",
    "Public",
    "Date",
    "Expires",
    "Last-Modified",
    "Message-ID",
    "URI",
    "Derived-From",
    "Cost",
    "Link",
    "Pragma",
    "",
    "",
    "",
    "",
    "",
    "Connection",
    "Accept",
    "Accept-Charset",
    "Accept-Encoding",
    "Accept-Language",
    "Authorization",
    "Content-Encoding",
    "Forwarded",
    "From",
    "If-Modified-Since",
    "Location",
    "Orig-URI",
    "Referer",
    "Retry-After",
    "Server",
    "Title",
    "User-Agent",
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "Accept-Ranges",
    "Set-Cookie",
    "Cookie",
    "",
    "Refresh",
    "Content-Disposition",
    "Age",
    "Cache-Control",
    "Content-Base",
    "Content-Location",
    "Content-MD5",
    "Content-Range",
    "ETag",
    "Host",
    "If-Match",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Max-Forwards",
    "Proxy-Authorization",
    "Range",
    "Transfer-Encoding",
    "Upgrade",
    "Vary",
    "Via",
    "Warning",
    "Expect",
    "Proxy-Connection",
    "Unless-Modified-Since",
    "",
    "",
    "",
    "",
    "Proxy-Support",
    "Authentication-Info",
    "PassportURLs",
    "PassportConfig",
];

/// The header name of an attribute that has one.
pub(super) fn name_of(attribute: u32) -> Option<&'static str> {
    NAMES.get(attribute as usize).copied().filter(|name| !name.is_empty())
}

/// What a query asks for: an attribute and how the answer is to look.
#[derive(Clone, Copy)]
struct Level(u32);

impl Level {
    fn attribute(self) -> u32 {
        self.0 & 0xFFFF
    }

    fn has(self, flag: u32) -> bool {
        self.0 & flag != 0
    }
}

/// Looks up a header field, or several at once, of the response or the request.
///
/// `dwInfoLevel` is WINHTTP_QUERY_* with WINHTTP_QUERY_FLAG_*; `pwszName` names the field for WINHTTP_QUERY_CUSTOM.
/// `*lpdwBufferLength` counts bytes: the room, then the size used (text: without NUL) or, with
/// ERROR_INSUFFICIENT_BUFFER, the size needed (text: with NUL). `*lpdwIndex`, unless NULL, picks one of several fields of
/// the same name, from 0, and is moved on by success. Errors: ERROR_WINHTTP_HEADER_NOT_FOUND,
/// ERROR_WINHTTP_INCORRECT_HANDLE_STATE before the response (or, for trailers, before its end; while the callback is told
/// of a redirect, the fields are the redirect's),
/// ERROR_WINHTTP_INVALID_HEADER when a number is asked for and there is none, ERROR_INVALID_PARAMETER,
/// ERROR_INVALID_HANDLE, ERROR_WINHTTP_INCORRECT_HANDLE_TYPE.
///
/// MSDN: WinHttpQueryHeaders.
///
/// # Safety
/// The name ends in NUL, the buffer is writable for its length, pointers are NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpQueryHeaders(
    hRequest: HINTERNET,
    dwInfoLevel: DWORD,
    pwszName: LPCWSTR,
    lpBuffer: LPVOID,
    lpdwBufferLength: LPDWORD,
    lpdwIndex: LPDWORD,
) -> BOOL {
    winhttp_returning(|| {
        let level = Level(dwInfoLevel);
        // SAFETY: C caller, per WinHttpQueryHeaders: the buffer is writable for the length given.
        let answer = unsafe { Answer::new(lpBuffer, lpdwBufferLength) }?;
        // SAFETY: C caller, per WinHttpQueryHeaders: NULL or a place for the index.
        let index = unsafe { lpdwIndex.as_ref() }.copied().unwrap_or(0);
        let request = handle::request(hRequest)?;
        let name = match level.attribute() {
            // SAFETY: C caller, per WinHttpQueryHeaders: the name ends in NUL.
            WINHTTP_QUERY_CUSTOM => String::from_utf16_lossy(unsafe { required(pwszName) }?),
            attribute => (*NAMES.get(attribute as usize).ok_or(Error::INVALID_PARAMETER)?).to_owned(),
        };
        if name.is_empty() {
            write_special(&request, level, &answer)?;
            return Ok(TRUE);
        }
        write_field(&request, level, &name, index, &answer)?;
        // SAFETY: C caller, per WinHttpQueryHeaders: NULL or a place for the index.
        unsafe { put(lpdwIndex, index + 1) };
        Ok(TRUE)
    })
}

fn write_field(request: &Request, level: Level, name: &str, index: u32, answer: &Answer) -> Result<()> {
    let mut found = Err(Error::WINHTTP_HEADER_NOT_FOUND);
    let mut write = |field: Field<'_>| found = write_value(field.value, level, answer);
    let wanted = |field: &Field<'_>| field.name.eq_ignore_ascii_case(name.as_bytes());
    visit_fields(request, level.0, |fields| {
        if let Some(field) = fields.filter(wanted).nth(index as usize) {
            write(field);
        }
    })?;
    found
}

/// A field of any head.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: &'a [u8],
}

/// Shows the fields that the flags of a query mean: of the request, the trailers, or the response.
pub(super) fn visit_fields(
    request: &Request,
    level: u32,
    look: impl FnOnce(&mut dyn Iterator<Item = Field<'_>>),
) -> Result<()> {
    let level = Level(level);
    if level.has(WINHTTP_QUERY_FLAG_REQUEST_HEADERS) {
        let head = request.head();
        look(&mut lines(&head).skip(1).filter_map(split_line));
        return Ok(());
    }
    if level.has(WINHTTP_QUERY_FLAG_TRAILERS) {
        return request.with_trailers(|trailers| look(&mut lines(trailers).filter_map(split_line)));
    }
    request.with_response(|head| {
        let fields = head.fields.iter();
        look(&mut fields.map(|field| Field { name: head.text(field.name), value: head.text(field.value) }));
    })
}

/// The lines of a head, without their ends and without the empty one.
fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = head.split(|byte| *byte == b'\n');
    lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)).filter(|line| !line.is_empty())
}

fn split_line(line: &[u8]) -> Option<Field<'_>> {
    let colon = memchr::memchr(b':', line)?;
    Some(Field { name: &line[..colon], value: line[colon + 1..].trim_ascii() })
}

/// Everything that is not a single field.
fn write_special(request: &Request, level: Level, answer: &Answer) -> Result<()> {
    match level.attribute() {
        WINHTTP_QUERY_REQUEST_METHOD => {
            let verb = request.with_plan(|plan| plan.verb.clone());
            write_value(verb.as_bytes(), level, answer)
        }
        WINHTTP_QUERY_VERSION if level.has(WINHTTP_QUERY_FLAG_REQUEST_HEADERS) => {
            let version = request.with_plan(|plan| plan.version());
            write_value(version.as_bytes(), level, answer)
        }
        WINHTTP_QUERY_RAW_HEADERS | WINHTTP_QUERY_RAW_HEADERS_CRLF => write_raw(request, level, answer),
        // A request has no status, and trailers have no first line.
        _ if level.has(WINHTTP_QUERY_FLAG_REQUEST_HEADERS) => Err(Error::WINHTTP_HEADER_NOT_FOUND),
        _ if level.has(WINHTTP_QUERY_FLAG_TRAILERS) => {
            request.with_trailers(|_| Err(Error::WINHTTP_HEADER_NOT_FOUND))?
        }
        WINHTTP_QUERY_STATUS_CODE if level.has(WINHTTP_QUERY_FLAG_NUMBER) => {
            answer.plain(u32::from(request.with_response(|head| head.status)?))
        }
        WINHTTP_QUERY_STATUS_CODE => {
            let status = request.with_response(|head| head.status)?;
            write_value(status.to_string().as_bytes(), level, answer)
        }
        WINHTTP_QUERY_STATUS_TEXT => {
            request.with_response(|head| write_value(head.text(head.reason), level, answer))?
        }
        WINHTTP_QUERY_VERSION => {
            let (major, minor) = request.with_response(|head| head.version)?;
            write_value(format!("HTTP/{major}.{minor}").as_bytes(), level, answer)
        }
        _ => request.with_response(|_| Err(Error::WINHTTP_HEADER_NOT_FOUND))?,
    }
}

fn write_raw(request: &Request, level: Level, answer: &Answer) -> Result<()> {
    if level.has(WINHTTP_QUERY_FLAG_REQUEST_HEADERS) {
        return write_head(&request.head(), level, answer);
    }
    if level.has(WINHTTP_QUERY_FLAG_TRAILERS) {
        return request.with_trailers(|trailers| {
            let end: &[u8] = if trailers.is_empty() { b"" } else { b"\r\n" };
            write_head(&[trailers, end].concat(), level, answer)
        })?;
    }
    request.with_response(|head| write_head(&head.bytes, level, answer))?
}

/// A whole head: its lines with CRLF and an empty one, or each with a NUL.
fn write_head(head: &[u8], level: Level, answer: &Answer) -> Result<()> {
    if level.attribute() == WINHTTP_QUERY_RAW_HEADERS_CRLF {
        return write_text(head, level, answer);
    }
    let mut text = Vec::with_capacity(head.len());
    for line in lines(head) {
        text.extend_from_slice(line);
        text.push(0);
    }
    write_text(&text, level, answer)
}

fn write_value(value: &[u8], level: Level, answer: &Answer) -> Result<()> {
    if level.has(WINHTTP_QUERY_FLAG_NUMBER64) {
        answer.reserve(size_of::<u64>())?;
        return answer.plain(leading_number(value)?);
    }
    if level.has(WINHTTP_QUERY_FLAG_NUMBER) {
        answer.reserve(size_of::<u32>())?;
        return answer.plain(leading_number(value)? as u32);
    }
    if level.has(WINHTTP_QUERY_FLAG_SYSTEMTIME) {
        let wide: Vec<u16> = value.iter().map(|byte| u16::from(*byte)).collect();
        let time = parse_system_time(&wide).map_err(|_| Error::WINHTTP_HEADER_NOT_FOUND)?;
        return answer.plain(time);
    }
    write_text(value, level, answer)
}

/// Bytes as text: one character each (Latin-1), or as they are.
fn write_text(value: &[u8], level: Level, answer: &Answer) -> Result<()> {
    if level.has(WINHTTP_QUERY_FLAG_WIRE_ENCODING) {
        answer.text(value.iter().copied())
    } else if level.has(WINHTTP_QUERY_FLAG_REQUEST_HEADERS) {
        // What the application has set comes back as it was.
        let text: Vec<u16> = String::from_utf8_lossy(value).encode_utf16().collect();
        answer.text(text.into_iter())
    } else {
        answer.text(value.iter().map(|byte| u16::from(*byte)))
    }
}

/// The digits a value starts with; numbers beyond 64 bits wrap, as 32-bit ones do on Windows.
fn leading_number(value: &[u8]) -> Result<u64> {
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit());
    let number = |sum: u64, digit: &u8| sum.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
    match value.first() {
        Some(b'0'..=b'9') => Ok(digits.fold(0, number)),
        _ => Err(Error::WINHTTP_INVALID_HEADER),
    }
}

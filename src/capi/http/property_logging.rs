//! `HTTP_LOGGING_INFO` (digest §6.11).
#![expect(unsafe_code, reason = "reads the caller's structures")]
#![expect(non_upper_case_globals, reason = "Windows spelling, as in the header")]

use crate::abi::base::{PCWSTR, USHORT};
use crate::abi::error::{Error, Result};
use crate::abi::http::*;
use crate::server::service::{Logging, Property};

use super::property_buffers::Given;
use super::property_values::is_present;

/// Bytes a software name may have (MAX_PATH).
const MAX_SOFTWARE_NAME: USHORT = 260;
/// Bytes a folder's name may have.
const MAX_DIRECTORY_NAME: USHORT = 424;
/// The least size at which a file is ended.
const LEAST_ROLLOVER_SIZE: u32 = 1024 * 1024;
/// `NTHTTP_LOGGING_TYPE_JSON`: one JSON object a line.
const JSON: HTTP_LOGGING_TYPE = 0x100;

const FLAGS: u32 = HTTP_LOGGING_FLAG_LOCAL_TIME_ROLLOVER
    | HTTP_LOGGING_FLAG_USE_UTF8_CONVERSION
    | HTTP_LOGGING_FLAG_LOG_ERRORS_ONLY
    | HTTP_LOGGING_FLAG_LOG_SUCCESS_ONLY;

/// Reads the structure; `centralised` for a session's, which has one log for all its groups.
///
/// # Safety
/// `given` is a buffer of the caller, valid for reads, and so are the names it points at.
pub(super) unsafe fn read_logging(given: Given, centralised: bool) -> Result<Property> {
    // SAFETY: as promised by the caller, here and below.
    let info: HTTP_LOGGING_INFO = unsafe { given.read()? };
    if !is_present(info.Flags) {
        return Ok(Property::Logging(None));
    }
    check(&info, centralised)?;
    // SAFETY: see above.
    let (software, directory) = unsafe {
        (
            text(info.SoftwareName, info.SoftwareNameLength)?,
            text(info.DirectoryName, info.DirectoryNameLength)?,
        )
    };
    if !is_fully_qualified(&directory) {
        return Err(Error::INVALID_PARAMETER);
    }
    Ok(Property::Logging(Some(Logging {
        format: info.Format as u32,
        flags: info.LoggingFlags,
        software,
        directory,
        fields: info.Fields,
        rollover: info.RolloverType as u32,
        rollover_size: info.RolloverSize,
    })))
}

fn check(info: &HTTP_LOGGING_INFO, centralised: bool) -> Result<()> {
    let format = match info.Format {
        HttpLoggingTypeW3C | JSON => true,
        HttpLoggingTypeRaw => centralised,
        HttpLoggingTypeIIS | HttpLoggingTypeNCSA => !centralised,
        _ => false,
    };
    let both = HTTP_LOGGING_FLAG_LOG_ERRORS_ONLY | HTTP_LOGGING_FLAG_LOG_SUCCESS_ONLY;
    let by_size = info.RolloverType == HttpLoggingRolloverSize;
    let sound = format
        && info.LoggingFlags & !FLAGS == 0
        && info.LoggingFlags & both != both
        && info.SoftwareNameLength <= MAX_SOFTWARE_NAME
        && (1..=MAX_DIRECTORY_NAME).contains(&info.DirectoryNameLength)
        && !info.DirectoryName.is_null()
        && info.pExtFields.is_null()
        && info.NumOfExtFields == 0
        && info.MaxRecordSize == 0
        && (HttpLoggingRolloverSize..=HttpLoggingRolloverHourly).contains(&info.RolloverType)
        && (!by_size || info.RolloverSize >= LEAST_ROLLOVER_SIZE);
    if sound { Ok(()) } else { Err(Error::INVALID_PARAMETER) }
}

/// A text of so many bytes of UTF-16; empty when there is none.
///
/// # Safety
/// `start` is NULL or valid for reads of `bytes` bytes.
unsafe fn text(start: PCWSTR, bytes: USHORT) -> Result<String> {
    if bytes == 0 {
        return Ok(String::new());
    }
    if start.is_null() || !bytes.is_multiple_of(2) {
        return Err(Error::INVALID_PARAMETER);
    }
    // SAFETY: as promised by the caller.
    let units = (0..usize::from(bytes) / 2).map(|at| unsafe { start.add(at).read_unaligned() });
    let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    if text.contains('\0') { Err(Error::INVALID_PARAMETER) } else { Ok(text) }
}

/// A folder named from the root (`/var/log`, `C:\logs`), without steps upward.
fn is_fully_qualified(directory: &str) -> bool {
    let windows = directory.as_bytes();
    let drive = windows.len() >= 3
        && windows[0].is_ascii_alphabetic()
        && windows[1] == b':'
        && matches!(windows[2], b'\\' | b'/');
    let upward = directory.split(['/', '\\']).any(|part| part == ".." || part == ".");
    (directory.starts_with('/') || drive) && !upward
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_named_from_the_root() {
        for good in ["/var/log/x", "C:\\logs", "c:/logs"] {
            assert!(is_fully_qualified(good), "{good}");
        }
        for bad in ["logs", "", "../x", "/var/../etc", "C:logs", "\\logs", "/a/./b"] {
            assert!(!is_fully_qualified(bad), "{bad}");
        }
    }
}

//! Reads `HTTP_LOGGING_INFO`, how a session or a group is to log (digest §6.11). What may be logged where is the engine's
//! to say.
#![expect(unsafe_code, reason = "reads C structures")]

use std::slice;

use crate::abi::base::{PCWSTR, USHORT};
use crate::abi::error::{Error, Result};
use crate::abi::http::*;
use crate::server::service::{Logging, Property};

use super::property_buffers::Given;

/// Bytes the texts may have: MAX_PATH, and what `DirectoryNameLength` is documented to be at most.
const LONGEST_SOFTWARE: USHORT = 260;
const LONGEST_DIRECTORY: USHORT = 424;

/// The value of `HttpServerLoggingProperty`.
///
/// # Safety
/// `given` is a buffer of the caller, valid for reads; if it holds an `HTTP_LOGGING_INFO`, so are the texts it names.
pub(super) unsafe fn read_logging(given: Given) -> Result<Property> {
    // SAFETY: as promised by the caller.
    let info: HTTP_LOGGING_INFO = unsafe { given.read()? };
    if info.Flags.0 & 1 == 0 {
        return Ok(Property::Logging(None));
    }
    if !info.pExtFields.is_null() || info.NumOfExtFields != 0 || info.MaxRecordSize != 0 {
        return Err(Error::INVALID_PARAMETER);
    }
    let known = |number: i32| u32::try_from(number).map_err(|_| Error::INVALID_PARAMETER);
    // SAFETY: as promised by the caller, here and below.
    let software = unsafe { text(info.SoftwareName, info.SoftwareNameLength, LONGEST_SOFTWARE)? };
    // SAFETY: see above.
    let directory = unsafe { text(info.DirectoryName, info.DirectoryNameLength, LONGEST_DIRECTORY)? };
    Ok(Property::Logging(Some(Logging {
        format: known(info.Format)?,
        flags: info.LoggingFlags,
        software,
        directory,
        fields: info.Fields,
        rollover: known(info.RolloverType)?,
        rollover_size: info.RolloverSize,
    })))
}

/// A text whose length is told in bytes.
///
/// # Safety
/// `start` is NULL or valid for reads of `len` bytes.
unsafe fn text(start: PCWSTR, len: USHORT, longest: USHORT) -> Result<String> {
    if len == 0 {
        return Ok(String::new());
    }
    if start.is_null() || len > longest || len % 2 != 0 {
        return Err(Error::INVALID_PARAMETER);
    }
    if !start.is_aligned() {
        return Err(Error::NOACCESS);
    }
    // SAFETY: as promised by the caller.
    let units = unsafe { slice::from_raw_parts(start, usize::from(len) / 2) };
    String::from_utf16(units).map_err(|_| Error::INVALID_PARAMETER)
}

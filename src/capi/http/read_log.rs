//! Reads `HTTP_LOG_FIELDS_DATA`, what a program says of a response for the log.
#![expect(unsafe_code, reason = "reads C structures")]

use std::slice;

use smallvec::SmallVec;

use crate::abi::base::USHORT;
use crate::abi::error::{Error, Result};
use crate::abi::http::*;
use crate::server::service::LogFields;

/// The fields, or none for NULL. Lengths are in bytes; an odd byte of a wide text is left out.
///
/// # Safety
/// `data` is NULL or a structure of its `Type`, which with everything it points at is valid for reads.
pub(super) unsafe fn read_log_fields_data(data: *const HTTP_LOG_DATA) -> Result<Option<LogFields>> {
    if data.is_null() {
        return Ok(None);
    }
    if !data.cast::<HTTP_LOG_FIELDS_DATA>().is_aligned() {
        return Err(Error::NOACCESS);
    }
    // SAFETY: as promised by the caller; every log data begins with its type.
    if unsafe { (*data).Type } != HttpLogDataTypeFields {
        return Err(Error::INVALID_PARAMETER);
    }
    // SAFETY: as promised by the caller; the type says which structure it is.
    let given = unsafe { &*data.cast::<HTTP_LOG_FIELDS_DATA>() };
    // SAFETY: as promised by the caller, here and below.
    let (user, stem) = unsafe {
        (wide_text(given.UserName, given.UserNameLength)?, wide_text(given.UriStem, given.UriStemLength)?)
    };
    // SAFETY: see above.
    let text = |start, len| unsafe { bytes(start, len) };
    let mut fields = LogFields::of([
        &user,
        &stem,
        text(given.ClientIp, given.ClientIpLength)?,
        text(given.ServerName, given.ServerNameLength)?,
        text(given.ServiceName, given.ServiceNameLength)?,
        text(given.ServerIp, given.ServerIpLength)?,
        text(given.Method, given.MethodLength)?,
        text(given.UriQuery, given.UriQueryLength)?,
        text(given.Host, given.HostLength)?,
        text(given.UserAgent, given.UserAgentLength)?,
        text(given.Cookie, given.CookieLength)?,
        text(given.Referrer, given.ReferrerLength)?,
    ]);
    fields.server_port = given.ServerPort;
    fields.protocol_status = given.ProtocolStatus;
    fields.win32_status = given.Win32Status;
    fields.method_num = given.MethodNum as u32;
    fields.sub_status = given.SubStatus;
    Ok(Some(fields))
}

/// A wide text in UTF-8, which most are short enough for to need no memory.
///
/// # Safety
/// `start` is NULL or valid for reads of `len` bytes.
unsafe fn wide_text(start: *const u16, len: USHORT) -> Result<SmallVec<[u8; 256]>> {
    let mut text = SmallVec::new();
    if len < 2 {
        return Ok(text);
    }
    if start.is_null() {
        return Err(Error::INVALID_PARAMETER);
    }
    if !start.is_aligned() {
        return Err(Error::NOACCESS);
    }
    // SAFETY: as promised by the caller.
    let units = unsafe { slice::from_raw_parts(start, usize::from(len) / 2) };
    if units.iter().all(|unit| *unit < 0x80) {
        text.extend(units.iter().map(|unit| *unit as u8));
        return Ok(text);
    }
    for character in char::decode_utf16(units.iter().copied()) {
        let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
        text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Ok(text)
}

/// # Safety
/// `start` is NULL or valid for reads of `len` bytes while the result lives.
unsafe fn bytes<'a, T>(start: *const T, len: USHORT) -> Result<&'a [u8]> {
    if len == 0 {
        return Ok(&[]);
    }
    if start.is_null() {
        return Err(Error::INVALID_PARAMETER);
    }
    // SAFETY: as promised by the caller.
    Ok(unsafe { slice::from_raw_parts(start.cast::<u8>(), usize::from(len)) })
}

#[cfg(test)]
mod tests {
    use std::mem;

    use super::*;
    use crate::server::service::LogText;

    fn blank() -> HTTP_LOG_FIELDS_DATA {
        // SAFETY: NULL pointers and zeros are a valid structure.
        unsafe { mem::zeroed() }
    }

    fn read(data: &HTTP_LOG_FIELDS_DATA) -> Result<Option<LogFields>> {
        // SAFETY: the structures of these tests are whole.
        unsafe { read_log_fields_data((&raw const *data).cast()) }
    }

    #[test]
    fn lengths_count_bytes() {
        let stem: Vec<u16> = "/ä".encode_utf16().collect();
        let mut data = blank();
        data.UriStem = stem.as_ptr().cast_mut();
        data.UriStemLength = 5;
        data.Method = c"GETX".as_ptr().cast_mut().cast();
        data.MethodLength = 3;
        data.ProtocolStatus = 404;
        let fields = read(&data).unwrap().unwrap();
        assert_eq!(
            (fields.text(LogText::UriStem), fields.text(LogText::Method)),
            ("/ä".as_bytes(), &b"GET"[..])
        );
        assert_eq!((fields.text(LogText::UserName), fields.protocol_status), (&b""[..], 404));
    }

    #[test]
    fn what_is_no_log_data_is_refused() {
        // SAFETY: NULL.
        assert_eq!(unsafe { read_log_fields_data(std::ptr::null()) }, Ok(None));
        let mut data = blank();
        data.Base.Type = 1;
        assert_eq!(read(&data), Err(Error::INVALID_PARAMETER));
        for spoil in [
            (|d| d.UserNameLength = 2) as fn(&mut HTTP_LOG_FIELDS_DATA),
            |d| d.HostLength = 1,
            |d| d.ReferrerLength = 1,
        ] {
            let mut data = blank();
            spoil(&mut data);
            assert_eq!(read(&data), Err(Error::INVALID_PARAMETER));
        }
    }
}

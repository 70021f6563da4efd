//! Reads `HTTP_LOG_FIELDS_DATA`, what a program says of a response for the log.
#![expect(unsafe_code, reason = "reads C structures")]

use std::slice;

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
    let wide = |start, len| unsafe { wide_text(start, len) };
    // SAFETY: see above.
    let text = |start, len| unsafe { bytes(start, len) };
    Ok(Some(LogFields {
        user_name: wide(given.UserName, given.UserNameLength)?,
        uri_stem: wide(given.UriStem, given.UriStemLength)?,
        client_ip: text(given.ClientIp, given.ClientIpLength)?,
        server_name: text(given.ServerName, given.ServerNameLength)?,
        service_name: text(given.ServiceName, given.ServiceNameLength)?,
        server_ip: text(given.ServerIp, given.ServerIpLength)?,
        method: text(given.Method, given.MethodLength)?,
        uri_query: text(given.UriQuery, given.UriQueryLength)?,
        host: text(given.Host, given.HostLength)?,
        user_agent: text(given.UserAgent, given.UserAgentLength)?,
        cookie: text(given.Cookie, given.CookieLength)?,
        referrer: text(given.Referrer, given.ReferrerLength)?,
        server_port: given.ServerPort,
        protocol_status: given.ProtocolStatus,
        win32_status: given.Win32Status,
        method_num: given.MethodNum as u32,
        sub_status: given.SubStatus,
    }))
}

/// # Safety
/// `start` is NULL or valid for reads of `len` bytes.
unsafe fn wide_text(start: *const u16, len: USHORT) -> Result<String> {
    if len > 1 && !start.is_null() && !start.is_aligned() {
        return Err(Error::NOACCESS);
    }
    if len < 2 {
        return Ok(String::new());
    }
    if start.is_null() {
        return Err(Error::INVALID_PARAMETER);
    }
    // SAFETY: as promised by the caller.
    let units = unsafe { slice::from_raw_parts(start, usize::from(len) / 2) };
    Ok(String::from_utf16_lossy(units))
}

/// # Safety
/// `start` is NULL or valid for reads of `len` bytes.
unsafe fn bytes<T>(start: *const T, len: USHORT) -> Result<Vec<u8>> {
    if len == 0 {
        return Ok(Vec::new());
    }
    if start.is_null() {
        return Err(Error::INVALID_PARAMETER);
    }
    // SAFETY: as promised by the caller.
    Ok(unsafe { slice::from_raw_parts(start.cast::<u8>(), usize::from(len)) }.to_vec())
}

#[cfg(test)]
mod tests {
    use std::mem;

    use super::*;

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
            (&fields.uri_stem[..], &fields.method[..], fields.protocol_status),
            ("/ä", &b"GET"[..], 404)
        );
        assert!(fields.user_name.is_empty());
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

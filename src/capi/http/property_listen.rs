//! `NTHTTP_LISTEN_INFO`, of `NTHTTP_SERVER_LISTEN_PROPERTY`: further ways in for a group's URLs. An addition of this library,
//! declared and described in `include/nthttp/nthttp.h`.
#![expect(unsafe_code, reason = "reads the caller's structure")]
#![expect(non_snake_case, reason = "spelt as in the header")]

use std::ffi::CStr;
use std::fs::File;
use std::mem::offset_of;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use crate::abi::base::{PCSTR, ULONG, USHORT};
use crate::abi::error::{Error, Result};
use crate::abi::http::{HTTP_PROPERTY_FLAGS, HTTP_SERVER_PROPERTY};
use crate::net::listener::BACKLOG;
use crate::server::service::{GroupId, Listen, ListenAddress, Network, ProxyMode, ProxyRule};

use super::engine::service;
use super::property_buffers::Given;
use super::property_values::is_present;

/// `NTHTTP_SERVER_LISTEN_PROPERTY`.
pub(super) const LISTEN_PROPERTY: HTTP_SERVER_PROPERTY = 0x140;

/// `NTHTTP_LISTEN_FLAG_ONLY`.
const FLAG_ONLY: ULONG = 1;

/// The port of `http` URLs that name none.
const HTTP_PORT: USHORT = 80;

/// As in the header.
#[repr(C)]
#[derive(Clone, Copy)]
struct NTHTTP_LISTEN_INFO {
    Flags: HTTP_PROPERTY_FLAGS,
    ListenFlags: ULONG,
    Address: PCSTR,
    TrustedProxies: PCSTR,
    ProxyProtocol: i32,
    SocketMode: ULONG,
    Backlog: ULONG,
    Port: USHORT,
}

const _: () = {
    assert!(size_of::<NTHTTP_LISTEN_INFO>() == 40);
    assert!(offset_of!(NTHTTP_LISTEN_INFO, Address) == 8);
    assert!(offset_of!(NTHTTP_LISTEN_INFO, ProxyProtocol) == 24);
    assert!(offset_of!(NTHTTP_LISTEN_INFO, Port) == 36);
};

/// Opens a way in for a group, or closes one or all.
///
/// # Safety
/// `given` is a buffer of the caller, valid for reads, and so are the texts its structure points at.
pub(super) unsafe fn listen(group: GroupId, given: Given) -> Result<()> {
    // SAFETY: as promised by the caller, here and below.
    let info: NTHTTP_LISTEN_INFO = unsafe { given.read()? };
    // SAFETY: see above.
    let (address, trusted) = unsafe { (text(info.Address), text(info.TrustedProxies)) };
    let address = match address {
        Some(text) => Some(ListenAddress::parse(text).ok_or(Error::INVALID_PARAMETER)?),
        None => None,
    };
    if !is_present(info.Flags) {
        return service()?.stop_listening(group, address);
    }
    let address = address.ok_or(Error::INVALID_PARAMETER)?;
    let given = match address {
        // SAFETY: see above: the caller lends the descriptor for this call.
        ListenAddress::Inherited(number) => Some(unsafe { copy_of(number)? }),
        _ => None,
    };
    service()?.listen(group, read(&info, address, trusted)?, given)
}

fn read(info: &NTHTTP_LISTEN_INFO, address: ListenAddress, trusted: Option<&[u8]>) -> Result<Listen> {
    let mode = match info.ProxyProtocol {
        0 => ProxyMode::Off,
        1 => ProxyMode::Optional,
        2 => ProxyMode::Required,
        _ => return Err(Error::INVALID_PARAMETER),
    };
    let trusted = match trusted {
        Some(text) => std::str::from_utf8(text).ok().and_then(Network::parse_all),
        None => Some(Vec::new()),
    };
    let is_file = matches!(&address, ListenAddress::Unix(name) if name.first() == Some(&b'/'));
    let sound = info.ListenFlags & !FLAG_ONLY == 0
        && info.SocketMode & !0o777 == 0
        && (is_file || info.SocketMode == 0)
        && (mode != ProxyMode::Off || info.TrustedProxies.is_null());
    match trusted {
        Some(trusted) if sound => Ok(Listen {
            port: if info.Port == 0 { HTTP_PORT } else { info.Port },
            address,
            only: info.ListenFlags & FLAG_ONLY != 0,
            proxy: ProxyRule { mode, trusted },
            mode: (info.SocketMode != 0).then_some(info.SocketMode),
            backlog: if info.Backlog == 0 { BACKLOG } else { info.Backlog },
        }),
        _ => Err(Error::INVALID_PARAMETER),
    }
}

/// The bytes of a C text; none when it is NULL.
///
/// # Safety
/// `start` is NULL or ends with a NUL, and stays as it is for as long as the bytes are looked at.
unsafe fn text<'a>(start: PCSTR) -> Option<&'a [u8]> {
    if start.is_null() {
        return None;
    }
    // SAFETY: as promised by the caller.
    Some(unsafe { CStr::from_ptr(start.cast()) }.to_bytes())
}

/// A copy of a descriptor; the caller's stays the caller's.
///
/// # Safety
/// The number, if it is a descriptor's, stays one during the call.
unsafe fn copy_of(number: i32) -> Result<Arc<File>> {
    // SAFETY: as promised by the caller; a number that is none fails to be copied. It is never -1 (the parser).
    let lent = unsafe { BorrowedFd::borrow_raw(number) };
    let copy = lent.try_clone_to_owned().map_err(|_| Error::INVALID_HANDLE)?;
    Ok(Arc::new(File::from(copy)))
}

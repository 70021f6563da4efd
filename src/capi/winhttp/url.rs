//! URLs taken apart and put together.
#![expect(unsafe_code, reason = "exports, and strings of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::ops::Range;

use super::text::counted;
use crate::abi::base::{BOOL, DWORD, LPCWSTR, LPDWORD, LPWSTR, TRUE};
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::capi::guard::winhttp_returning;
use crate::wire::url::{Components, ICU_DECODE, ICU_ESCAPE, crack, create};

/// Takes a URL apart.
///
/// `dwUrlLength` counts characters, 0 for a URL that ends in NUL. Each part of `lpUrlComponents` is asked for by its
/// pointer and length: NULL and a length gives a pointer into `pwszUrl`, a buffer and its size in characters a
/// copy with NUL, NULL and 0 nothing. `dwFlags` are ICU_DECODE, ICU_ESCAPE (both need buffers) and ICU_REJECT_USERPWD.
/// Errors: ERROR_INVALID_PARAMETER, ERROR_WINHTTP_UNRECOGNIZED_SCHEME, ERROR_WINHTTP_INVALID_URL,
/// ERROR_INSUFFICIENT_BUFFER (lengths then hold the sizes needed).
///
/// MSDN: WinHttpCrackUrl.
///
/// # Safety
/// The URL is readable for its length, buffers are writable for theirs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpCrackUrl(
    pwszUrl: LPCWSTR,
    dwUrlLength: DWORD,
    dwFlags: DWORD,
    lpUrlComponents: LPURL_COMPONENTS,
) -> BOOL {
    winhttp_returning(|| {
        // SAFETY: C caller, per WinHttpCrackUrl: that many characters, or up to a NUL; components NULL or valid.
        let (url, parts) = unsafe { (counted(pwszUrl, dwUrlLength, &[0])?, lpUrlComponents.as_mut()) };
        let parts = parts.ok_or(Error::INVALID_PARAMETER)?;
        if parts.dwStructSize as usize != size_of::<URL_COMPONENTS>() {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per WinHttpCrackUrl: buffers are writable for their lengths.
        unsafe { write_cracked(url, dwFlags, parts) }?;
        Ok(TRUE)
    })
}

/// # Safety
/// As for WinHttpCrackUrl.
unsafe fn write_cracked(url: &[u16], flags: u32, parts: &mut URL_COMPONENTS) -> Result<()> {
    let rewritten = flags & (ICU_DECODE | ICU_ESCAPE) != 0;
    let asked = [
        (parts.lpszScheme, parts.dwSchemeLength),
        (parts.lpszHostName, parts.dwHostNameLength),
        (parts.lpszUserName, parts.dwUserNameLength),
        (parts.lpszPassword, parts.dwPasswordLength),
        (parts.lpszUrlPath, parts.dwUrlPathLength),
        (parts.lpszExtraInfo, parts.dwExtraInfoLength),
    ];
    let impossible = |(place, len): &(LPWSTR, DWORD)| {
        (!place.is_null() && *len == 0) || (place.is_null() && *len != 0 && rewritten)
    };
    if asked.iter().any(impossible) {
        return Err(Error::INVALID_PARAMETER);
    }
    let cracked = crack(url, flags)?;
    let wants_extra = !parts.lpszExtraInfo.is_null() || parts.dwExtraInfoLength != 0;
    let path = if wants_extra { cracked.path.clone() } else { cracked.path_and_extra() };
    // The parts may have their room in the URL itself, as when the same structure is used once more.
    let text = cracked.text.into_owned();
    let start = url.as_ptr();
    let mut fits = true;
    let mut write = |range: Option<Range<usize>>, place: &mut LPWSTR, len: &mut DWORD| {
        // SAFETY: C caller, per WinHttpCrackUrl: a buffer is writable for its length.
        fits &= unsafe { write_part(start, &text, range, place, len) };
    };
    write(Some(cracked.scheme.clone()), &mut parts.lpszScheme, &mut parts.dwSchemeLength);
    write(Some(cracked.host.clone()), &mut parts.lpszHostName, &mut parts.dwHostNameLength);
    write(cracked.user.clone(), &mut parts.lpszUserName, &mut parts.dwUserNameLength);
    write(cracked.password.clone(), &mut parts.lpszPassword, &mut parts.dwPasswordLength);
    write(Some(path), &mut parts.lpszUrlPath, &mut parts.dwUrlPathLength);
    write(Some(cracked.extra.clone()), &mut parts.lpszExtraInfo, &mut parts.dwExtraInfoLength);
    parts.nScheme = cracked.scheme_id as INTERNET_SCHEME;
    parts.nPort = cracked.port;
    if fits { Ok(()) } else { Err(Error::INSUFFICIENT_BUFFER) }
}

/// Writes one part as it was asked for: a copy from `text`, or its place in the URL, which starts at `url`. False when
/// its buffer is too small.
///
/// # Safety
/// `*place` is NULL or writable for `*len` units, and not in `text`.
unsafe fn write_part(
    url: *const u16,
    text: &[u16],
    range: Option<Range<usize>>,
    place: &mut LPWSTR,
    len: &mut DWORD,
) -> bool {
    let part = &text[range.clone().unwrap_or_default()];
    if place.is_null() {
        if *len != 0 {
            *place = range.map_or(std::ptr::null_mut(), |range| url.wrapping_add(range.start).cast_mut());
            *len = part.len() as u32;
        }
        return true;
    }
    if part.len() >= *len as usize {
        *len = part.len() as u32 + 1;
        return false;
    }
    // SAFETY: the part and its NUL fit in what the caller promises.
    unsafe {
        place.copy_from_nonoverlapping(part.as_ptr(), part.len());
        place.add(part.len()).write(0);
    }
    *len = part.len() as u32;
    true
}

/// Puts a URL together.
///
/// Parts of `lpUrlComponents` are NULL for none; a length of 0 means that the part ends in NUL. `*pdwUrlLength` is the
/// room in characters; on success it becomes the length without NUL, and with ERROR_INSUFFICIENT_BUFFER the room needed.
/// `dwFlags` are ICU_ESCAPE, ICU_ESCAPE_AUTHORITY, ICU_REJECT_USERPWD and ICU_INCLUDE_DEFAULT_PORT. Errors also:
/// ERROR_INVALID_PARAMETER, ERROR_WINHTTP_INVALID_URL.
///
/// MSDN: WinHttpCreateUrl. Differs from Windows: a room of exactly the length, without the NUL, is too small.
///
/// # Safety
/// Parts are readable for their lengths, the buffer is writable for the room.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpCreateUrl(
    lpUrlComponents: LPURL_COMPONENTS,
    dwFlags: DWORD,
    pwszUrl: LPWSTR,
    pdwUrlLength: LPDWORD,
) -> BOOL {
    winhttp_returning(|| {
        // SAFETY: C caller, per WinHttpCreateUrl: NULL or valid.
        let (parts, room) = unsafe { (lpUrlComponents.as_ref(), pdwUrlLength.as_mut()) };
        let (parts, room) = parts.zip(room).ok_or(Error::INVALID_PARAMETER)?;
        if parts.dwStructSize as usize != size_of::<URL_COMPONENTS>() {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per WinHttpCreateUrl: parts are readable for their lengths.
        let url = create(&unsafe { read_components(parts) }, dwFlags)?;
        if *room as usize <= url.len() {
            *room = url.len() as u32 + 1;
            return Err(Error::INSUFFICIENT_BUFFER);
        }
        if pwszUrl.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per WinHttpCreateUrl: the buffer has that room, and URL and NUL fit in it.
        unsafe {
            pwszUrl.copy_from_nonoverlapping(url.as_ptr(), url.len());
            pwszUrl.add(url.len()).write(0);
        }
        *room = url.len() as u32;
        Ok(TRUE)
    })
}

/// # Safety
/// As for the components of WinHttpCreateUrl.
unsafe fn read_components(parts: &URL_COMPONENTS) -> Components<'_> {
    // SAFETY: C caller, per WinHttpCreateUrl: NULL, or that many characters, or up to a NUL.
    let part = |place: LPWSTR, len: DWORD| unsafe { counted(place, len, &[0]) }.ok();
    Components {
        scheme: part(parts.lpszScheme, parts.dwSchemeLength),
        scheme_id: parts.nScheme as u32,
        user: part(parts.lpszUserName, parts.dwUserNameLength),
        password: part(parts.lpszPassword, parts.dwPasswordLength),
        host: part(parts.lpszHostName, parts.dwHostNameLength),
        port: parts.nPort,
        path: part(parts.lpszUrlPath, parts.dwUrlPathLength),
        extra: part(parts.lpszExtraInfo, parts.dwExtraInfoLength),
    }
}

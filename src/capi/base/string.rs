//! Text between code pages, and the lstr family.
//!
//! The code page of the process (CP_ACP) is UTF-8, as everything on this system is.
#![expect(unsafe_code, reason = "exports, and strings of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::cmp::Ordering;

use super::read::{buffer, bytes, optional, put};
use crate::abi::base::{DWORD, INT, LPBOOL, LPCCH, LPCSTR, LPCWCH, LPCWSTR, LPSTR, LPWSTR, UINT};
use crate::abi::error::{Error, Result};
use crate::capi::guard::{returning, returning_last_error};
use crate::win32::text::{CodePage, Sink, decode, encode};

const CP_UTF8: UINT = 65001;
const MB_ERR_INVALID_CHARS: DWORD = 8;
const MB_ALL: DWORD = 1 | 2 | 4 | MB_ERR_INVALID_CHARS;
const WC_ERR_INVALID_CHARS: DWORD = 0x80;
const WC_ALL: DWORD = 0x400 | 0x200 | 0x40 | 0x20 | 0x10;
const INVALID_FLAGS: Error = Error(1004);

/// The code page of a number: CP_ACP, CP_OEMCP, CP_MACCP and CP_THREAD_ACP are UTF-8.
pub(in crate::capi) fn code_page(number: UINT) -> Result<CodePage> {
    match number {
        0..=3 | CP_UTF8 => Ok(CodePage::Utf8),
        1252 => Ok(CodePage::Windows1252),
        28591 => Ok(CodePage::Latin1),
        20127 => Ok(CodePage::Ascii),
        _ => Err(Error::INVALID_PARAMETER),
    }
}

/// The length of the input in units: as given, or up to and with the NUL for a negative one.
///
/// # Safety
/// `text` ends in NUL if `len` is negative.
unsafe fn input_len<T: Copy + Default + PartialEq>(text: *const T, len: INT) -> usize {
    // SAFETY: as this function's contract.
    usize::try_from(len).unwrap_or_else(|_| unsafe { optional(text) }.map_or(0, |text| text.len() + 1))
}

/// The result of a conversion of which `count` units came out.
fn fitted(count: usize, room: INT) -> Result<INT> {
    if room > 0 && count > room as usize {
        return Err(Error::INSUFFICIENT_BUFFER);
    }
    INT::try_from(count).map_err(|_| Error::INVALID_PARAMETER)
}

/// Converts bytes to UTF-16. CodePage: CP_ACP and its like (all UTF-8 here), CP_UTF8, 1252, 28591, 20127.
/// cbMultiByte counts bytes, or is -1 for a string with NUL, which is then converted too. cchWideChar 0 only
/// measures. Invalid bytes become U+FFFD, or with MB_ERR_INVALID_CHARS fail the call.
/// Returns the number of units, or 0 with ERROR_INVALID_PARAMETER (code page, NULL, length 0, both buffers
/// the same), ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_FLAGS, ERROR_NO_UNICODE_TRANSLATION. MSDN:
/// MultiByteToWideChar.
///
/// # Safety
/// `lpMultiByteStr` is valid for `cbMultiByte` bytes or ends in NUL; `lpWideCharStr` for writes of
/// `cchWideChar` units.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn MultiByteToWideChar(
    CodePage: UINT,
    dwFlags: DWORD,
    lpMultiByteStr: LPCCH,
    cbMultiByte: INT,
    lpWideCharStr: LPWSTR,
    cchWideChar: INT,
) -> INT {
    returning_last_error(|| {
        let wrong = lpMultiByteStr.is_null() || cbMultiByte == 0 || cchWideChar < 0;
        let no_room =
            cchWideChar > 0 && (lpWideCharStr.is_null() || lpWideCharStr.addr() == lpMultiByteStr.addr());
        if wrong || no_room {
            return Err(Error::INVALID_PARAMETER);
        }
        let page = code_page(CodePage)?;
        let allowed = if CodePage == CP_UTF8 { MB_ERR_INVALID_CHARS } else { MB_ALL };
        if dwFlags & !allowed != 0 {
            return Err(INVALID_FLAGS);
        }
        // SAFETY: C caller, per MultiByteToWideChar.
        let (input, output) = unsafe {
            let len = input_len(lpMultiByteStr, cbMultiByte);
            (bytes(lpMultiByteStr.cast::<u8>(), len), buffer(lpWideCharStr, cchWideChar as usize))
        };
        let mut out = Sink::new(output);
        decode(page, input, dwFlags & MB_ERR_INVALID_CHARS != 0, &mut out)?;
        fitted(out.count(), cchWideChar)
    })
}

/// Converts UTF-16 to bytes; code pages and lengths as for MultiByteToWideChar. What the code page cannot say
/// becomes lpDefaultChar (NULL: "?"), or U+FFFD in UTF-8; *lpUsedDefaultChar (may be NULL) tells whether that
/// happened. Both must be NULL for CP_UTF8. With WC_ERR_INVALID_CHARS (UTF-8) a lone surrogate fails the
/// call. Best-fit characters are never used.
/// Returns the number of bytes, or 0 with ERROR_INVALID_PARAMETER, ERROR_INSUFFICIENT_BUFFER,
/// ERROR_INVALID_FLAGS, ERROR_NO_UNICODE_TRANSLATION. MSDN: WideCharToMultiByte.
///
/// # Safety
/// `lpWideCharStr` is valid for `cchWideChar` units or ends in NUL; `lpMultiByteStr` for writes of
/// `cbMultiByte` bytes; `lpDefaultChar` is NULL or ends in NUL; `lpUsedDefaultChar` is NULL or valid for
/// writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WideCharToMultiByte(
    CodePage: UINT,
    dwFlags: DWORD,
    lpWideCharStr: LPCWCH,
    cchWideChar: INT,
    lpMultiByteStr: LPSTR,
    cbMultiByte: INT,
    lpDefaultChar: LPCCH,
    lpUsedDefaultChar: LPBOOL,
) -> INT {
    returning_last_error(|| {
        let wrong = lpWideCharStr.is_null() || cchWideChar == 0 || cbMultiByte < 0;
        let no_room =
            cbMultiByte > 0 && (lpMultiByteStr.is_null() || lpMultiByteStr.addr() == lpWideCharStr.addr());
        let defaults = !lpDefaultChar.is_null() || !lpUsedDefaultChar.is_null();
        if wrong || no_room || (CodePage == CP_UTF8 && defaults) {
            return Err(Error::INVALID_PARAMETER);
        }
        let page = code_page(CodePage)?;
        let utf8_flags = if page == self::CodePage::Utf8 { WC_ERR_INVALID_CHARS } else { 0 };
        let allowed = utf8_flags | if CodePage == CP_UTF8 { 0 } else { WC_ALL };
        if dwFlags & !allowed != 0 {
            return Err(INVALID_FLAGS);
        }
        // SAFETY: C caller, per WideCharToMultiByte.
        let (input, output, default) = unsafe {
            let len = input_len(lpWideCharStr, cchWideChar);
            let output = buffer(lpMultiByteStr.cast::<u8>(), cbMultiByte as usize);
            (bytes(lpWideCharStr, len), output, optional(lpDefaultChar.cast::<u8>()).unwrap_or(b"?"))
        };
        let mut out = Sink::new(output);
        let substituted = encode(page, input, dwFlags & WC_ERR_INVALID_CHARS != 0, default, &mut out)?;
        // SAFETY: C caller, per WideCharToMultiByte: NULL or writable.
        unsafe { put(lpUsedDefaultChar, substituted.into()) };
        fitted(out.count(), cbMultiByte)
    })
}

/// The code page of the process: always 65001, UTF-8. MSDN: GetACP.
#[unsafe(no_mangle)]
pub extern "C" fn GetACP() -> UINT {
    CP_UTF8
}

/// The length of a string in units without its NUL; 0 for NULL. MSDN: lstrlenW.
///
/// # Safety
/// `lpString` is NULL or ends in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lstrlenW(lpString: LPCWSTR) -> INT {
    // SAFETY: C caller, per lstrlenW.
    returning(0, || unsafe { optional(lpString) }.map_or(0, |text| text.len() as INT))
}

/// The length of a string in bytes without its NUL; 0 for NULL. MSDN: lstrlenA.
///
/// # Safety
/// `lpString` is NULL or ends in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lstrlenA(lpString: LPCSTR) -> INT {
    // SAFETY: C caller, per lstrlenA.
    returning(0, || unsafe { optional(lpString) }.map_or(0, |text| text.len() as INT))
}

/// NULL comes before every string.
fn sign<T: Ord>(left: Option<T>, right: Option<T>) -> INT {
    match left.cmp(&right) {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }
}

fn folded_wide(text: &[u16]) -> Vec<u32> {
    let characters = char::decode_utf16(text.iter().copied());
    characters.flat_map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER).to_lowercase()).map(u32::from).collect()
}

fn folded_narrow(text: &[u8]) -> String {
    String::from_utf8_lossy(text).to_lowercase()
}

/// Compares two strings unit by unit: less than 0, 0 or more than 0. NULL comes first. MSDN: lstrcmpW.
///
/// Differs from Windows: the order is that of the units, not that of a language.
///
/// # Safety
/// Both are NULL or end in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lstrcmpW(lpString1: LPCWSTR, lpString2: LPCWSTR) -> INT {
    // SAFETY: C caller, per lstrcmpW.
    returning(0, || unsafe { sign(optional(lpString1), optional(lpString2)) })
}

/// As lstrcmpW, for bytes. MSDN: lstrcmpA.
///
/// # Safety
/// Both are NULL or end in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lstrcmpA(lpString1: LPCSTR, lpString2: LPCSTR) -> INT {
    // SAFETY: C caller, per lstrcmpA.
    returning(0, || unsafe { sign(optional(lpString1.cast::<u8>()), optional(lpString2.cast::<u8>())) })
}

/// As lstrcmpW, without regard to case. MSDN: lstrcmpiW.
///
/// # Safety
/// Both are NULL or end in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lstrcmpiW(lpString1: LPCWSTR, lpString2: LPCWSTR) -> INT {
    // SAFETY: C caller, per lstrcmpiW.
    returning(0, || unsafe {
        sign(optional(lpString1).map(folded_wide), optional(lpString2).map(folded_wide))
    })
}

/// As lstrcmpA, without regard to case. MSDN: lstrcmpiA.
///
/// # Safety
/// Both are NULL or end in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lstrcmpiA(lpString1: LPCSTR, lpString2: LPCSTR) -> INT {
    // SAFETY: C caller, per lstrcmpiA.
    returning(0, || unsafe {
        sign(optional(lpString1.cast()).map(folded_narrow), optional(lpString2.cast()).map(folded_narrow))
    })
}

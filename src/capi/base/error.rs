//! The last error, and the texts of errors.
#![expect(unsafe_code, reason = "exports, and buffers of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::ffi::{c_char, c_void};

use super::memory::LocalAlloc;
use super::module::Module;
use super::read::{optional, put_text};
use super::{messages, messages_winhttp};
use crate::abi::base::{DWORD, LPCVOID, LPSTR, LPWSTR};
use crate::abi::error::{Error, Result};
use crate::capi::guard::{returning_last_error, set_last_error};
use crate::win32::{last_error, text};

const ALLOCATE_BUFFER: DWORD = 0x100;
const IGNORE_INSERTS: DWORD = 0x200;
const FROM_STRING: DWORD = 0x400;
const FROM_HMODULE: DWORD = 0x800;
const FROM_SYSTEM: DWORD = 0x1000;
const MAX_WIDTH_MASK: DWORD = 0xFF;
const MESSAGE_NOT_FOUND: Error = Error(317);

/// The error code of the last call of this thread that failed. WinHTTP functions set it to 0 when they
/// succeed, others leave it alone then; the HTTP Server API does not use it. MSDN: GetLastError.
#[unsafe(no_mangle)]
pub extern "C" fn GetLastError() -> DWORD {
    last_error::get()
}

/// Sets the last error of this thread, and errno. MSDN: SetLastError.
#[unsafe(no_mangle)]
pub extern "C" fn SetLastError(dwErrCode: DWORD) {
    set_last_error(dwErrCode);
}

/// Why the last call of this thread that failed did so, in words (UTF-8), where the code alone does not tell:
/// who owns the prefix, what was wrong with a certificate. An empty string if there is no more to say. The
/// string stays valid until another call of this thread fails. An addition of this library.
#[unsafe(no_mangle)]
pub extern "C" fn nthttp_last_error_message() -> *const c_char {
    last_error::detail(|text| text.unwrap_or_default().as_ptr())
}

/// Gives the text of a message: of an error of the system (FORMAT_MESSAGE_FROM_SYSTEM), of WinHTTP
/// (FORMAT_MESSAGE_FROM_HMODULE with GetModuleHandle("winhttp.dll")), or a string of the program
/// (FORMAT_MESSAGE_FROM_STRING, lpSource). It ends in CR LF, or in a space if the width mask is not 0. With
/// FORMAT_MESSAGE_ALLOCATE_BUFFER, lpBuffer is the address of a pointer, nSize the least size, and the text
/// is to be freed with LocalFree. Texts are in English; dwLanguageId has no effect.
/// Returns the length without NUL, or 0 with ERROR_MR_MID_NOT_FOUND (317: no such text),
/// ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_PARAMETER, ERROR_MOD_NOT_FOUND, ERROR_NOT_ENOUGH_MEMORY. Any
/// thread. MSDN: FormatMessageW.
///
/// Differs from Windows: inserts (%1) in a string of the program are refused with ERROR_CALL_NOT_IMPLEMENTED
/// unless FORMAT_MESSAGE_IGNORE_INSERTS is given; no text of the system has any. Lines are not wrapped to a
/// width.
///
/// # Safety
/// `lpSource` is as the flags say; `lpBuffer` is valid for writes of `nSize` units, or of a pointer with
/// ALLOCATE_BUFFER.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn FormatMessageW(
    dwFlags: DWORD,
    lpSource: LPCVOID,
    dwMessageId: DWORD,
    dwLanguageId: DWORD,
    lpBuffer: LPWSTR,
    nSize: DWORD,
    Arguments: *mut c_void,
) -> DWORD {
    let _ = (dwLanguageId, Arguments);
    returning_last_error(|| {
        let own = if dwFlags & FROM_STRING != 0 {
            // SAFETY: C caller, per FormatMessageW: ends in NUL.
            unsafe { optional(lpSource.cast::<u16>()) }.map(String::from_utf16_lossy)
        } else {
            None
        };
        let message = message(dwFlags, own, lpSource, dwMessageId)?;
        // SAFETY: C caller, per FormatMessageW.
        unsafe { deliver(&text::to_wide(&message), dwFlags, lpBuffer, nSize) }
    })
}

/// As FormatMessageW, in UTF-8. MSDN: FormatMessageA.
///
/// # Safety
/// As for FormatMessageW.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn FormatMessageA(
    dwFlags: DWORD,
    lpSource: LPCVOID,
    dwMessageId: DWORD,
    dwLanguageId: DWORD,
    lpBuffer: LPSTR,
    nSize: DWORD,
    Arguments: *mut c_void,
) -> DWORD {
    let _ = (dwLanguageId, Arguments);
    returning_last_error(|| {
        let own = if dwFlags & FROM_STRING != 0 {
            // SAFETY: C caller, per FormatMessageA: ends in NUL.
            unsafe { optional(lpSource.cast::<u8>()) }.map(|text| String::from_utf8_lossy(text).into_owned())
        } else {
            None
        };
        let message = message(dwFlags, own, lpSource, dwMessageId)?;
        // SAFETY: C caller, per FormatMessageA.
        unsafe { deliver(message.as_bytes(), dwFlags, lpBuffer.cast(), nSize) }
    })
}

/// The finished text. `own` is the program's string, where the flags ask for it.
fn message(flags: DWORD, own: Option<String>, source: LPCVOID, code: u32) -> Result<String> {
    let one_line = flags & MAX_WIDTH_MASK != 0;
    if flags & FROM_STRING != 0 {
        if flags & (FROM_HMODULE | FROM_SYSTEM) != 0 {
            return Err(Error::INVALID_PARAMETER);
        }
        let mut text = own.ok_or(Error::INVALID_PARAMETER)?;
        if flags & IGNORE_INSERTS == 0 {
            text = without_escapes(&text)?;
        }
        return Ok(if one_line { text.replace("\r\n", " ").replace('\n', " ") } else { text });
    }
    let text = if flags & FROM_HMODULE != 0 { of_module(source, code)? } else { None };
    let text = text.or_else(|| if flags & FROM_SYSTEM != 0 { messages::of(code) } else { None });
    if flags & (FROM_HMODULE | FROM_SYSTEM) == 0 {
        return Err(Error::INVALID_PARAMETER);
    }
    let end = if one_line { " " } else { "\r\n" };
    text.map(|text| format!("{text}{end}")).ok_or(MESSAGE_NOT_FOUND)
}

fn of_module(source: LPCVOID, code: u32) -> Result<Option<&'static str>> {
    let module = if source.is_null() { Module::Program } else { Module::of(source.cast_mut())? };
    Ok(match module {
        Module::WinHttp => messages_winhttp::of(code),
        Module::Base => messages::of(code),
        Module::Program | Module::HttpApi => None,
    })
}

/// Turns %n, %r, %t, %b, %0, %!, %. and %% into what they stand for. `CALL_NOT_IMPLEMENTED` for inserts.
fn without_escapes(text: &str) -> Result<String> {
    let mut result = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            result.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => result.push_str("\r\n"),
            Some('r') => result.push('\r'),
            Some('t') => result.push('\t'),
            Some('b') => result.push(' '),
            Some('0') => break,
            Some('1'..='9') => return Err(Error::CALL_NOT_IMPLEMENTED),
            Some(other) => result.push(other),
            None => return Err(Error::INVALID_PARAMETER),
        }
    }
    Ok(result)
}

/// Puts the text where the caller wants it.
///
/// # Safety
/// `buffer` is valid for writes of `size` units, or points at a pointer with ALLOCATE_BUFFER.
unsafe fn deliver<T: Copy + Default>(text: &[T], flags: DWORD, buffer: *mut T, size: DWORD) -> Result<DWORD> {
    if buffer.is_null() {
        return Err(Error::INVALID_PARAMETER);
    }
    let needed = text.len() as u32 + 1;
    let (target, room) = if flags & ALLOCATE_BUFFER != 0 {
        let room = needed.max(size);
        (LocalAlloc(0, room as usize * size_of::<T>()).cast::<T>(), room)
    } else {
        (buffer, size)
    };
    if target.is_null() {
        return Err(Error::NOT_ENOUGH_MEMORY);
    }
    if room < needed {
        return Err(Error::INSUFFICIENT_BUFFER);
    }
    // SAFETY: the text and its NUL fit in the room; with ALLOCATE_BUFFER `buffer` points at a pointer.
    unsafe {
        put_text(text, target, room);
        if flags & ALLOCATE_BUFFER != 0 {
            buffer.cast::<*mut T>().write_unaligned(target);
        }
    }
    Ok(text.len() as DWORD)
}

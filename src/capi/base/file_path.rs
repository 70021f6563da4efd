//! Files by name: attributes, deletion, temporary names. Names in UTF-16 or UTF-8; backslashes count as
//! slashes.
#![expect(unsafe_code, reason = "exports, and strings of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::read::{put_text, terminated};
use crate::abi::base::{BOOL, DWORD, LPCSTR, LPCWSTR, LPSTR, LPWSTR, TRUE, UINT};
use crate::abi::error::{Error, Result};
use crate::capi::guard::{returning_last_error, returning_or};
use crate::win32::{file, text};

const READONLY: DWORD = 0x1;
const DIRECTORY: DWORD = 0x10;
const NORMAL: DWORD = 0x80;
const INVALID: DWORD = 0xFFFF_FFFF;
/// Longest directory name GetTempFileName takes (MAX_PATH less the file's name).
const LONGEST_DIRECTORY: usize = 260 - 14;
const MAX_PATH: u32 = 260;
const DIRECTORY_NAME_WRONG: Error = Error(267);
const BUFFER_OVERFLOW: Error = Error(111);

/// # Safety
/// `name` is NULL or ends in NUL.
unsafe fn wide_path(name: LPCWSTR) -> Result<PathBuf> {
    // SAFETY: as this function's contract.
    text::to_path(unsafe { terminated(name) }.map_err(|_| Error::PATH_NOT_FOUND)?)
}

/// # Safety
/// `name` is NULL or ends in NUL.
unsafe fn narrow_path(name: LPCSTR) -> Result<PathBuf> {
    // SAFETY: as this function's contract.
    let name = unsafe { terminated(name.cast::<u8>()) }.map_err(|_| Error::PATH_NOT_FOUND)?;
    text::path_from_utf8(name.to_vec())
}

fn not_found(path: &Path, error: &std::io::Error) -> Error {
    let parent_missing =
        path.parent().is_some_and(|parent| !parent.as_os_str().is_empty() && !parent.is_dir());
    match error.kind() {
        ErrorKind::NotFound if parent_missing => Error::PATH_NOT_FOUND,
        _ => file::from_io(error),
    }
}

fn attributes(path: &Path) -> Result<DWORD> {
    let metadata = std::fs::metadata(path).map_err(|error| not_found(path, &error))?;
    let directory = if metadata.is_dir() { DIRECTORY } else { 0 };
    let read_only = if metadata.permissions().readonly() { READONLY } else { 0 };
    Ok(if directory | read_only == 0 { NORMAL } else { directory | read_only })
}

fn delete(path: &Path) -> Result<BOOL> {
    if path.is_dir() && !path.is_symlink() {
        return Err(Error::ACCESS_DENIED);
    }
    std::fs::remove_file(path).map(|()| TRUE).map_err(|error| not_found(path, &error))
}

/// Tells FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_READONLY (nobody may write), or FILE_ATTRIBUTE_NORMAL.
/// Returns INVALID_FILE_ATTRIBUTES with ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_ACCESS_DENIED,
/// ERROR_INVALID_NAME. MSDN: GetFileAttributesW.
///
/// # Safety
/// `lpFileName` is NULL or ends in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetFileAttributesW(lpFileName: LPCWSTR) -> DWORD {
    // SAFETY: C caller, per GetFileAttributesW.
    returning_or(INVALID, || attributes(&unsafe { wide_path(lpFileName) }?))
}

/// As GetFileAttributesW. MSDN: GetFileAttributesA.
///
/// # Safety
/// `lpFileName` is NULL or ends in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetFileAttributesA(lpFileName: LPCSTR) -> DWORD {
    // SAFETY: C caller, per GetFileAttributesA.
    returning_or(INVALID, || attributes(&unsafe { narrow_path(lpFileName) }?))
}

/// Deletes a file; handles that are open on it keep their contents. Returns TRUE, or FALSE with
/// ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_ACCESS_DENIED (also for a directory),
/// ERROR_INVALID_NAME. MSDN: DeleteFileW.
///
/// # Safety
/// `lpFileName` is NULL or ends in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn DeleteFileW(lpFileName: LPCWSTR) -> BOOL {
    // SAFETY: C caller, per DeleteFileW.
    returning_last_error(|| delete(&unsafe { wide_path(lpFileName) }?))
}

/// As DeleteFileW. MSDN: DeleteFileA.
///
/// # Safety
/// `lpFileName` is NULL or ends in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn DeleteFileA(lpFileName: LPCSTR) -> BOOL {
    // SAFETY: C caller, per DeleteFileA.
    returning_last_error(|| delete(&unsafe { narrow_path(lpFileName) }?))
}

/// The directory for temporary files, with a slash at its end.
fn temporary() -> Vec<u8> {
    let mut path = std::env::temp_dir().into_os_string().into_vec();
    if path.last() != Some(&b'/') {
        path.push(b'/');
    }
    path
}

/// Tells the directory for temporary files (TMPDIR, else /tmp), ending in a slash. Returns its length without
/// NUL; if the buffer of nBufferLength units is too small, the size needed with NUL, and writes nothing.
/// MSDN: GetTempPathW.
///
/// # Safety
/// `lpBuffer` is valid for writes of `nBufferLength` units.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetTempPathW(nBufferLength: DWORD, lpBuffer: LPWSTR) -> DWORD {
    returning_last_error(|| {
        let path = text::to_wide(&String::from_utf8_lossy(&temporary()));
        // SAFETY: C caller, per GetTempPathW.
        Ok(unsafe { put_text(&path, lpBuffer, nBufferLength) })
    })
}

/// As GetTempPathW, in bytes. MSDN: GetTempPathA.
///
/// # Safety
/// `lpBuffer` is valid for writes of `nBufferLength` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetTempPathA(nBufferLength: DWORD, lpBuffer: LPSTR) -> DWORD {
    // SAFETY: C caller, per GetTempPathA.
    returning_last_error(|| Ok(unsafe { put_text(&temporary(), lpBuffer.cast::<u8>(), nBufferLength) }))
}

/// Finds the name `directory/preNNNN.tmp`; creates the file if the number is not given.
fn temporary_name(directory: &Path, prefix: &[u8], unique: UINT) -> Result<(PathBuf, UINT)> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    if directory.as_os_str().len() > LONGEST_DIRECTORY {
        return Err(BUFFER_OVERFLOW);
    }
    let prefix = String::from_utf8_lossy(prefix).chars().take(3).collect::<String>();
    let path = |number: UINT| directory.join(format!("{prefix}{number:X}.tmp"));
    if unique != 0 {
        return Ok((path(unique & 0xFFFF), unique));
    }
    if !directory.is_dir() {
        return Err(DIRECTORY_NAME_WRONG);
    }
    for _ in 0..0xFFFF {
        let number = (NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(std::process::id()) & 0xFFFF).max(1);
        match OpenOptions::new().write(true).create_new(true).open(path(number)) {
            Ok(_) => return Ok((path(number), number)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(file::from_io(&error)),
        }
    }
    Err(Error::FILE_EXISTS)
}

/// Makes a name for a temporary file: the directory, up to three characters of the prefix, a number, ".tmp".
/// With uUnique 0 a number is chosen and the file created, empty. lpTempFileName is a buffer of MAX_PATH
/// (260) units. Returns the number, or 0 with ERROR_DIRECTORY (267: no such directory), ERROR_BUFFER_OVERFLOW
/// (111: its name is too long), ERROR_ACCESS_DENIED, ERROR_FILE_EXISTS.
/// MSDN: GetTempFileNameW.
///
/// # Safety
/// `lpPathName` and `lpPrefixString` end in NUL; `lpTempFileName` is valid for writes of 260 units.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetTempFileNameW(
    lpPathName: LPCWSTR,
    lpPrefixString: LPCWSTR,
    uUnique: UINT,
    lpTempFileName: LPWSTR,
) -> UINT {
    returning_last_error(|| {
        if lpTempFileName.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per GetTempFileNameW.
        let (directory, prefix) =
            unsafe { (wide_path(lpPathName)?, terminated(lpPrefixString).unwrap_or(&[])) };
        let prefix = String::from_utf16_lossy(prefix);
        let (path, number) = temporary_name(&directory, prefix.as_bytes(), uUnique)?;
        let path = text::to_wide(&path.to_string_lossy());
        // SAFETY: C caller, per GetTempFileNameW: 260 units.
        unsafe { put_text(&path, lpTempFileName, MAX_PATH) };
        Ok(number)
    })
}

/// As GetTempFileNameW, in bytes. MSDN: GetTempFileNameA.
///
/// # Safety
/// `lpPathName` and `lpPrefixString` end in NUL; `lpTempFileName` is valid for writes of 260 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetTempFileNameA(
    lpPathName: LPCSTR,
    lpPrefixString: LPCSTR,
    uUnique: UINT,
    lpTempFileName: LPSTR,
) -> UINT {
    returning_last_error(|| {
        if lpTempFileName.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per GetTempFileNameA.
        let (directory, prefix) =
            unsafe { (narrow_path(lpPathName)?, terminated(lpPrefixString.cast::<u8>()).unwrap_or(&[])) };
        let (path, number) = temporary_name(&directory, prefix, uUnique)?;
        // SAFETY: C caller, per GetTempFileNameA: 260 bytes.
        unsafe { put_text(path.as_os_str().as_bytes(), lpTempFileName.cast::<u8>(), MAX_PATH) };
        Ok(number)
    })
}

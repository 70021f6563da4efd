//! Files: opening, reading, writing, positions.
#![expect(unsafe_code, reason = "exports, and buffers of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::io::SeekFrom;
use std::sync::Arc;

use super::handle::open;
use super::read::{buffer, bytes, put, terminated};
use crate::abi::base::{
    BOOL, DWORD, HANDLE, INVALID_HANDLE_VALUE, LARGE_INTEGER, LONG, LPCSTR, LPCVOID, LPCWSTR, LPDWORD,
    LPOVERLAPPED, LPSECURITY_ATTRIBUTES, LPVOID, PLARGE_INTEGER, PLONG, TRUE,
};
use crate::abi::error::{Error, Result};
use crate::capi::guard::{returning_last_error, returning_or, set_last_error};
use crate::win32::device::Device;
use crate::win32::file::{Disposition, File, Opening};
use crate::win32::object::{self, Object};
use crate::win32::overlapped::Operation;
use crate::win32::{last_error, text};

const READS: DWORD = 0x8000_0000 | 0x1000_0000 | 0x1;
const WRITES: DWORD = 0x4000_0000 | 0x1000_0000 | 0x2 | 0x4;
const APPENDS: DWORD = 0x4;
const FLAG_OVERLAPPED: DWORD = 0x4000_0000;
const FLAG_DELETE_ON_CLOSE: DWORD = 0x0400_0000;
const FLAG_BACKUP_SEMANTICS: DWORD = 0x0200_0000;
const INVALID: DWORD = 0xFFFF_FFFF;

fn opening(access: DWORD, disposition: DWORD, flags: DWORD) -> Result<Opening> {
    let disposition = match disposition {
        1 => Disposition::CreateNew,
        2 => Disposition::CreateAlways,
        3 => Disposition::OpenExisting,
        4 => Disposition::OpenAlways,
        5 => Disposition::TruncateExisting,
        _ => return Err(Error::INVALID_PARAMETER),
    };
    Ok(Opening {
        read: access & READS != 0,
        write: access & WRITES != 0,
        append: access & WRITES == APPENDS,
        disposition,
        overlapped: flags & FLAG_OVERLAPPED != 0,
        delete_on_close: flags & FLAG_DELETE_ON_CLOSE != 0,
        directories: flags & FLAG_BACKUP_SEMANTICS != 0,
    })
}

fn create(path: Result<std::path::PathBuf>, opening: Result<Opening>) -> Result<HANDLE> {
    let (path, opening) = (path?, opening?);
    let (file, existed) = File::open(&path, &opening)?;
    let handle = open(Object::Device(Device::new(file)))?;
    match opening.disposition {
        Disposition::CreateAlways | Disposition::OpenAlways if existed => {
            set_last_error(Error::ALREADY_EXISTS.0)
        }
        _ => last_error::set(0),
    }
    Ok(handle)
}

/// Opens or creates a file. The name is a path of this system; backslashes count as slashes. Access:
/// GENERIC_READ, GENERIC_WRITE, GENERIC_ALL, FILE_READ_DATA, FILE_WRITE_DATA, FILE_APPEND_DATA. Flags:
/// FILE_FLAG_OVERLAPPED, FILE_FLAG_DELETE_ON_CLOSE, FILE_FLAG_BACKUP_SEMANTICS (directories); others, share
/// mode, security and template have no effect.
/// Returns a handle to be closed with CloseHandle; after CREATE_ALWAYS and OPEN_ALWAYS the last error is
/// ERROR_ALREADY_EXISTS if the file was there, else 0. Returns INVALID_HANDLE_VALUE with
/// ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_ACCESS_DENIED, ERROR_FILE_EXISTS, ERROR_INVALID_NAME,
/// ERROR_INVALID_PARAMETER. MSDN: CreateFileW.
///
/// Differs from Windows: a file open elsewhere is no sharing violation; drive letters mean nothing.
///
/// # Safety
/// `lpFileName` ends in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CreateFileW(
    lpFileName: LPCWSTR,
    dwDesiredAccess: DWORD,
    dwShareMode: DWORD,
    lpSecurityAttributes: LPSECURITY_ATTRIBUTES,
    dwCreationDisposition: DWORD,
    dwFlagsAndAttributes: DWORD,
    hTemplateFile: HANDLE,
) -> HANDLE {
    let _ = (dwShareMode, lpSecurityAttributes, hTemplateFile);
    returning_or(INVALID_HANDLE_VALUE, || {
        // SAFETY: C caller, per CreateFileW: ends in NUL.
        let path =
            unsafe { terminated(lpFileName) }.map_err(|_| Error::PATH_NOT_FOUND).and_then(text::to_path);
        create(path, opening(dwDesiredAccess, dwCreationDisposition, dwFlagsAndAttributes))
    })
}

/// As CreateFileW, with a name in UTF-8. MSDN: CreateFileA.
///
/// # Safety
/// `lpFileName` ends in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CreateFileA(
    lpFileName: LPCSTR,
    dwDesiredAccess: DWORD,
    dwShareMode: DWORD,
    lpSecurityAttributes: LPSECURITY_ATTRIBUTES,
    dwCreationDisposition: DWORD,
    dwFlagsAndAttributes: DWORD,
    hTemplateFile: HANDLE,
) -> HANDLE {
    let _ = (dwShareMode, lpSecurityAttributes, hTemplateFile);
    returning_or(INVALID_HANDLE_VALUE, || {
        // SAFETY: C caller, per CreateFileA: ends in NUL.
        let name = unsafe { terminated(lpFileName.cast::<u8>()) }.map_err(|_| Error::PATH_NOT_FOUND);
        let path = name.and_then(|name| text::path_from_utf8(name.to_vec()));
        create(path, opening(dwDesiredAccess, dwCreationDisposition, dwFlagsAndAttributes))
    })
}

/// The device and file behind a handle. `INVALID_FUNCTION` for request queues, which are not read like files.
fn file_of(device: &Device) -> Result<&File> {
    device.backend::<File>().ok_or(Error::INVALID_FUNCTION)
}

/// One transfer, with or without an OVERLAPPED. `at_end` is what 0 bytes mean for an overlapped operation.
///
/// # Safety
/// `overlapped` is NULL or valid until the operation has completed, `transferred` NULL or writable.
unsafe fn transfer(
    handle: HANDLE,
    overlapped: LPOVERLAPPED,
    transferred: LPDWORD,
    at_end: Result<()>,
    run: impl FnOnce(&File, Option<u64>) -> Result<usize>,
) -> Result<BOOL> {
    // SAFETY: the caller's promise: NULL or writable.
    unsafe { put(transferred, 0) };
    let device: Arc<Device> = object::device(handle.addr())?;
    let file = file_of(&device)?;
    if overlapped.is_null() {
        if file.is_overlapped() || transferred.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        let done = run(file, None)?;
        // SAFETY: as above.
        unsafe { put(transferred, done as DWORD) };
        return Ok(TRUE);
    }
    // SAFETY: the caller's promise; `begin` refuses what is misaligned before it is read here.
    let (operation, offset) = unsafe {
        let operation = Operation::begin(&device, overlapped)?;
        let position = (*overlapped).Position.Parts;
        (operation, u64::from(position.OffsetHigh) << 32 | u64::from(position.Offset))
    };
    let outcome = run(file, Some(offset));
    let done = outcome.unwrap_or(0) as DWORD;
    let status = outcome.and_then(|done| if done == 0 { at_end } else { Ok(()) });
    // SAFETY: as above.
    unsafe { put(transferred, done) };
    match operation.finish_inline(status, done) {
        0 => Ok(TRUE),
        code => Err(Error(code)),
    }
}

/// Reads up to nNumberOfBytesToRead bytes: from the position, or with an OVERLAPPED from its Offset. At the
/// end of the file an ordinary read succeeds with 0 bytes and an overlapped one fails with ERROR_HANDLE_EOF.
/// Overlapped reads complete within the call: event, packet or callback follow as for any operation that
/// succeeds at once.
/// Returns TRUE, or FALSE with ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER (no OVERLAPPED for a handle
/// opened with FILE_FLAG_OVERLAPPED; neither OVERLAPPED nor lpNumberOfBytesRead), ERROR_ACCESS_DENIED (not
/// opened for reading), ERROR_NOACCESS.
/// MSDN: ReadFile.
///
/// # Safety
/// `lpBuffer` is valid for writes of `nNumberOfBytesToRead` bytes; the other two are NULL or valid for
/// writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ReadFile(
    hFile: HANDLE,
    lpBuffer: LPVOID,
    nNumberOfBytesToRead: DWORD,
    lpNumberOfBytesRead: LPDWORD,
    lpOverlapped: LPOVERLAPPED,
) -> BOOL {
    returning_last_error(|| {
        if lpBuffer.is_null() && nNumberOfBytesToRead > 0 {
            return Err(Error::NOACCESS);
        }
        let at_end = if nNumberOfBytesToRead > 0 { Err(Error::HANDLE_EOF) } else { Ok(()) };
        // SAFETY: C caller, per ReadFile.
        unsafe {
            let target = buffer(lpBuffer.cast::<u8>(), nNumberOfBytesToRead as usize);
            transfer(hFile, lpOverlapped, lpNumberOfBytesRead, at_end, |file, offset| {
                file.read(target, offset)
            })
        }
    })
}

/// Writes nNumberOfBytesToWrite bytes: at the position, or with an OVERLAPPED at its Offset (0xFFFFFFFF in
/// both halves: at the end). Otherwise as ReadFile; also ERROR_DISK_FULL, ERROR_BROKEN_PIPE. MSDN: WriteFile.
///
/// # Safety
/// `lpBuffer` is valid for reads of `nNumberOfBytesToWrite` bytes; the other two are NULL or valid for
/// writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WriteFile(
    hFile: HANDLE,
    lpBuffer: LPCVOID,
    nNumberOfBytesToWrite: DWORD,
    lpNumberOfBytesWritten: LPDWORD,
    lpOverlapped: LPOVERLAPPED,
) -> BOOL {
    returning_last_error(|| {
        if lpBuffer.is_null() && nNumberOfBytesToWrite > 0 {
            return Err(Error::NOACCESS);
        }
        // SAFETY: C caller, per WriteFile.
        unsafe {
            let source = bytes(lpBuffer.cast::<u8>(), nNumberOfBytesToWrite as usize);
            transfer(hFile, lpOverlapped, lpNumberOfBytesWritten, Ok(()), |file, offset| {
                file.write(source, offset)
            })
        }
    })
}

/// Runs an operation on the file behind a handle.
fn on_file<R>(handle: HANDLE, run: impl FnOnce(&File) -> Result<R>) -> Result<R> {
    let device = object::device(handle.addr())?;
    run(file_of(&device)?)
}

fn target(distance: i64, method: DWORD) -> Result<SeekFrom> {
    match method {
        // A negative distance from the start is told apart from one that is merely large.
        0 => u64::try_from(distance).map(SeekFrom::Start).map_err(|_| Error::NEGATIVE_SEEK),
        1 => Ok(SeekFrom::Current(distance)),
        2 => Ok(SeekFrom::End(distance)),
        _ => Err(Error::INVALID_PARAMETER),
    }
}

/// Moves the position of a file: FILE_BEGIN, FILE_CURRENT, FILE_END. With lpDistanceToMoveHigh the distance
/// has 64 bits, and the upper half of the new position is put there. Returns the lower half of the new
/// position, or INVALID_SET_FILE_POINTER with ERROR_INVALID_HANDLE, ERROR_NEGATIVE_SEEK,
/// ERROR_INVALID_PARAMETER (method; a position of 4 GiB or more without lpDistanceToMoveHigh).
/// INVALID_SET_FILE_POINTER may be a position too: then the last error is 0. MSDN: SetFilePointer.
///
/// # Safety
/// `lpDistanceToMoveHigh` is NULL or valid for reads and writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SetFilePointer(
    hFile: HANDLE,
    lDistanceToMove: LONG,
    lpDistanceToMoveHigh: PLONG,
    dwMoveMethod: DWORD,
) -> DWORD {
    returning_or(INVALID, || {
        // SAFETY: C caller, per SetFilePointer: NULL or readable.
        let high =
            (!lpDistanceToMoveHigh.is_null()).then(|| unsafe { lpDistanceToMoveHigh.read_unaligned() });
        let distance = high.map_or(i64::from(lDistanceToMove), |high| {
            i64::from(high) << 32 | i64::from(lDistanceToMove as u32)
        });
        let position = on_file(hFile, |file| {
            let before = file.seek(SeekFrom::Current(0))?;
            let position = file.seek(target(distance, dwMoveMethod)?)?;
            if high.is_none() && position > u64::from(u32::MAX) {
                file.seek(SeekFrom::Start(before))?;
                return Err(Error::INVALID_PARAMETER);
            }
            Ok(position)
        })?;
        // SAFETY: as above, writable.
        unsafe { put(lpDistanceToMoveHigh, (position >> 32) as LONG) };
        last_error::set(0);
        Ok(position as DWORD)
    })
}

/// Moves the position of a file by 64 bits; the new one goes to *lpNewFilePointer (may be NULL). Returns
/// TRUE, or FALSE with ERROR_INVALID_HANDLE, ERROR_NEGATIVE_SEEK, ERROR_INVALID_PARAMETER. MSDN:
/// SetFilePointerEx.
///
/// # Safety
/// `lpNewFilePointer` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SetFilePointerEx(
    hFile: HANDLE,
    liDistanceToMove: LARGE_INTEGER,
    lpNewFilePointer: PLARGE_INTEGER,
    dwMoveMethod: DWORD,
) -> BOOL {
    returning_last_error(|| {
        // SAFETY: all bits of the union are an integer.
        let distance = unsafe { liDistanceToMove.QuadPart };
        let position = on_file(hFile, |file| file.seek(target(distance, dwMoveMethod)?))?;
        // SAFETY: C caller, per SetFilePointerEx: NULL or writable.
        unsafe { put(lpNewFilePointer, LARGE_INTEGER { QuadPart: position as i64 }) };
        Ok(TRUE)
    })
}

/// Tells the size of a file in bytes. Returns TRUE, or FALSE with ERROR_INVALID_HANDLE,
/// ERROR_INVALID_PARAMETER (NULL).
/// MSDN: GetFileSizeEx.
///
/// # Safety
/// `lpFileSize` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetFileSizeEx(hFile: HANDLE, lpFileSize: PLARGE_INTEGER) -> BOOL {
    returning_last_error(|| {
        if lpFileSize.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        let size = on_file(hFile, File::size)?;
        // SAFETY: C caller, per GetFileSizeEx: writable.
        unsafe { put(lpFileSize, LARGE_INTEGER { QuadPart: size as i64 }) };
        Ok(TRUE)
    })
}

/// The lower half of the size of a file; the upper half goes to *lpFileSizeHigh (may be NULL). Returns
/// INVALID_FILE_SIZE with ERROR_INVALID_HANDLE; that may be a lower half too, and then the last error is 0.
/// MSDN: GetFileSize.
///
/// # Safety
/// `lpFileSizeHigh` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetFileSize(hFile: HANDLE, lpFileSizeHigh: LPDWORD) -> DWORD {
    returning_or(INVALID, || {
        let size = on_file(hFile, File::size)?;
        // SAFETY: C caller, per GetFileSize: NULL or writable.
        unsafe { put(lpFileSizeHigh, (size >> 32) as DWORD) };
        last_error::set(0);
        Ok(size as DWORD)
    })
}

/// Cuts or extends a file to its position. Returns TRUE, or FALSE with ERROR_INVALID_HANDLE,
/// ERROR_ACCESS_DENIED, ERROR_DISK_FULL.
/// MSDN: SetEndOfFile.
#[unsafe(no_mangle)]
pub extern "C" fn SetEndOfFile(hFile: HANDLE) -> BOOL {
    returning_last_error(|| on_file(hFile, File::set_end).map(|()| TRUE))
}

/// Hands everything written to the disk. Returns TRUE, or FALSE with ERROR_INVALID_HANDLE. MSDN:
/// FlushFileBuffers.
#[unsafe(no_mangle)]
pub extern "C" fn FlushFileBuffers(hFile: HANDLE) -> BOOL {
    returning_last_error(|| on_file(hFile, File::flush).map(|()| TRUE))
}

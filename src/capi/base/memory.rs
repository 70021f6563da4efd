//! Memory: the process heap, and the older Local and Global functions. All of them are the C library's
//! allocator, so memory from one may be freed by any other, and by free(), which is what
//! HeapFree(GetProcessHeap(), 0, p) is here.
#![expect(unsafe_code, reason = "exports, and the C library's allocator")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::ffi::c_void;
use std::ptr::{null_mut, without_provenance_mut};

use crate::abi::base::{BOOL, DWORD, FALSE, HANDLE, HGLOBAL, HLOCAL, LPCVOID, LPVOID, SIZE_T, TRUE, UINT};
use crate::abi::error::Error;
use crate::capi::guard::set_last_error;

const HEAP: usize = 0x1_0000;
const HEAP_ZERO_MEMORY: DWORD = 8;
const HEAP_REALLOC_IN_PLACE_ONLY: DWORD = 16;
const ZEROINIT: UINT = 0x40;

/// Memory of at least `size` bytes, zeroed or not; NULL if there is none.
fn allocate(size: usize, zeroed: bool) -> *mut c_void {
    // SAFETY: no preconditions.
    unsafe { if zeroed { libc::calloc(1, size.max(1)) } else { libc::malloc(size.max(1)) } }
}

#[cfg(target_os = "macos")]
unsafe fn usable(memory: *const c_void) -> usize {
    // SAFETY: the caller's block came from the C library.
    unsafe { libc::malloc_size(memory) }
}

/// Bytes of a block that may be used.
///
/// # Safety
/// `memory` came from the C library's allocator.
#[cfg(not(target_os = "macos"))]
unsafe fn usable(memory: *const c_void) -> usize {
    // SAFETY: the caller's block came from the C library.
    unsafe { libc::malloc_usable_size(memory.cast_mut()) }
}

/// The heap of the process. MSDN: GetProcessHeap.
#[unsafe(no_mangle)]
pub extern "C" fn GetProcessHeap() -> HANDLE {
    without_provenance_mut(HEAP)
}

/// Allocates dwBytes bytes, zeroed with HEAP_ZERO_MEMORY; other flags have no effect. hHeap is
/// GetProcessHeap().
/// Returns memory to be freed with HeapFree or free(), or NULL; the last error is not set. MSDN: HeapAlloc.
#[unsafe(no_mangle)]
pub extern "C" fn HeapAlloc(hHeap: HANDLE, dwFlags: DWORD, dwBytes: SIZE_T) -> LPVOID {
    if hHeap.addr() != HEAP {
        return null_mut();
    }
    allocate(dwBytes, dwFlags & HEAP_ZERO_MEMORY != 0)
}

/// Changes the size of a block; bytes added are zero with HEAP_ZERO_MEMORY. With HEAP_REALLOC_IN_PLACE_ONLY
/// the block stays where it is, or the call fails. Returns the block, or NULL with the old one unchanged; the
/// last error is not set.
/// MSDN: HeapReAlloc.
///
/// # Safety
/// `lpMem` came from HeapAlloc or HeapReAlloc and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HeapReAlloc(
    hHeap: HANDLE,
    dwFlags: DWORD,
    lpMem: LPVOID,
    dwBytes: SIZE_T,
) -> LPVOID {
    if hHeap.addr() != HEAP || lpMem.is_null() {
        return null_mut();
    }
    // SAFETY: C caller, per HeapReAlloc: a block of ours; the zeroed bytes lie within the new block.
    unsafe {
        let before = usable(lpMem);
        if dwFlags & HEAP_REALLOC_IN_PLACE_ONLY != 0 {
            return if dwBytes <= before { lpMem } else { null_mut() };
        }
        let memory = libc::realloc(lpMem, dwBytes.max(1));
        if !memory.is_null() && dwFlags & HEAP_ZERO_MEMORY != 0 {
            let after = usable(memory);
            memory.byte_add(before.min(after)).write_bytes(0, after.saturating_sub(before));
        }
        memory
    }
}

/// Frees a block; NULL is allowed. Returns TRUE, or FALSE with ERROR_INVALID_HANDLE for another heap. MSDN:
/// HeapFree.
///
/// # Safety
/// `lpMem` is NULL or came from HeapAlloc or HeapReAlloc and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HeapFree(hHeap: HANDLE, dwFlags: DWORD, lpMem: LPVOID) -> BOOL {
    let _ = dwFlags;
    if hHeap.addr() != HEAP {
        set_last_error(Error::INVALID_HANDLE.0);
        return FALSE;
    }
    // SAFETY: C caller, per HeapFree: NULL or a block of ours.
    unsafe { libc::free(lpMem) };
    TRUE
}

/// The size of a block in bytes, or (SIZE_T)-1. MSDN: HeapSize.
///
/// Differs from Windows: what the block can hold, which may be a little more than was asked for.
///
/// # Safety
/// `lpMem` came from HeapAlloc or HeapReAlloc and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HeapSize(hHeap: HANDLE, dwFlags: DWORD, lpMem: LPCVOID) -> SIZE_T {
    let _ = dwFlags;
    if hHeap.addr() != HEAP || lpMem.is_null() {
        return SIZE_T::MAX;
    }
    // SAFETY: C caller, per HeapSize: a block of ours.
    unsafe { usable(lpMem) }
}

fn allocate_or_say(flags: UINT, size: usize) -> *mut c_void {
    let memory = allocate(size, flags & ZEROINIT != 0);
    if memory.is_null() {
        set_last_error(Error::NOT_ENOUGH_MEMORY.0);
    }
    memory
}

/// # Safety
/// `memory` is NULL or a block of ours.
unsafe fn release(memory: *mut c_void) -> *mut c_void {
    // SAFETY: as this function's contract.
    unsafe { libc::free(memory) };
    null_mut()
}

/// Allocates uBytes bytes, zeroed with LMEM_ZEROINIT. The result is a pointer whatever the flags
/// (LMEM_MOVEABLE has no effect). Returns memory to be freed with LocalFree, or NULL with
/// ERROR_NOT_ENOUGH_MEMORY. MSDN: LocalAlloc.
#[unsafe(no_mangle)]
pub extern "C" fn LocalAlloc(uFlags: UINT, uBytes: SIZE_T) -> HLOCAL {
    allocate_or_say(uFlags, uBytes)
}

/// Frees memory of LocalAlloc, FormatMessage and the like; NULL is allowed. Returns NULL. MSDN: LocalFree.
///
/// # Safety
/// `hMem` is NULL or memory of this library that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn LocalFree(hMem: HLOCAL) -> HLOCAL {
    // SAFETY: C caller, per LocalFree.
    unsafe { release(hMem) }
}

/// Allocates dwBytes bytes, zeroed with GMEM_ZEROINIT. The result is a pointer whatever the flags
/// (GMEM_MOVEABLE has no effect). Returns memory to be freed with GlobalFree, or NULL with
/// ERROR_NOT_ENOUGH_MEMORY. MSDN: GlobalAlloc.
#[unsafe(no_mangle)]
pub extern "C" fn GlobalAlloc(uFlags: UINT, dwBytes: SIZE_T) -> HGLOBAL {
    allocate_or_say(uFlags, dwBytes)
}

/// Frees memory of GlobalAlloc and the strings WinHTTP gives away (proxy settings); NULL is allowed. Returns
/// NULL.
/// MSDN: GlobalFree.
///
/// # Safety
/// `hMem` is NULL or memory of this library that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GlobalFree(hMem: HGLOBAL) -> HGLOBAL {
    // SAFETY: C caller, per GlobalFree.
    unsafe { release(hMem) }
}

/// The memory of a block of GlobalAlloc, which is the block itself. MSDN: GlobalLock.
#[unsafe(no_mangle)]
pub extern "C" fn GlobalLock(hMem: HGLOBAL) -> LPVOID {
    hMem
}

/// Undoes GlobalLock, for which there is nothing to do. Returns FALSE with NO_ERROR as last error: not locked
/// any more.
/// MSDN: GlobalUnlock.
#[unsafe(no_mangle)]
pub extern "C" fn GlobalUnlock(hMem: HGLOBAL) -> BOOL {
    let _ = hMem;
    crate::win32::last_error::set(0);
    FALSE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growing_with_zeroes_leaves_no_old_bytes() {
        let heap = GetProcessHeap();
        // SAFETY: blocks of the heap, used within their sizes and freed once.
        unsafe {
            let block = HeapAlloc(heap, HEAP_ZERO_MEMORY, 100).cast::<u8>();
            block.write_bytes(7, 100);
            let block = HeapReAlloc(heap, HEAP_ZERO_MEMORY, block.cast(), 10_000).cast::<u8>();
            let bytes = std::slice::from_raw_parts(block, 10_000);
            assert!(bytes[..100].iter().all(|&b| b == 7) && bytes[100..].iter().all(|&b| b == 0));
            assert!(HeapSize(heap, 0, block.cast()) >= 10_000);
            assert_eq!(HeapFree(heap, 0, block.cast()), TRUE);
            assert_eq!(HeapFree(null_mut(), 0, null_mut()), FALSE);
            assert!(HeapAlloc(null_mut(), 0, 1).is_null());
        }
    }
}

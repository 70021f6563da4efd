//! What the machine is and gives: processors, pages, unique numbers.
#![expect(unsafe_code, reason = "exports, and out-parameters of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::fs::File;
use std::io::Read;
use std::ptr::without_provenance_mut;

use super::handle::is_current_process;
use super::read::put;
use crate::abi::base::{BOOL, GUID, HANDLE, LONG, LPSYSTEM_INFO, PDWORD_PTR, SYSTEM_INFO, TRUE};
use crate::abi::error::{Error, Result};
use crate::capi::guard::{returning, returning_last_error};

const ARCHITECTURE_INTEL: u16 = 0;
const ARCHITECTURE_AMD64: u16 = 9;
const ARCHITECTURE_ARM64: u16 = 12;
const ARCHITECTURE_UNKNOWN: u16 = 0xFFFF;
const OUT_OF_MEMORY: LONG = 14;
const ALLOCATION_GRANULARITY: u32 = 0x1_0000;

fn processors() -> u32 {
    std::thread::available_parallelism().map_or(1, |count| count.get() as u32)
}

/// A bit for each processor, of which there may be 64.
fn processor_mask() -> usize {
    match processors() {
        count @ ..64 => (1 << count) - 1,
        _ => usize::MAX,
    }
}

fn page_size() -> u32 {
    // SAFETY: no preconditions.
    u32::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

fn system_info() -> SYSTEM_INFO {
    let (architecture, kind) = match std::env::consts::ARCH {
        "x86_64" => (ARCHITECTURE_AMD64, 8664),
        "x86" => (ARCHITECTURE_INTEL, 586),
        "aarch64" => (ARCHITECTURE_ARM64, 0),
        _ => (ARCHITECTURE_UNKNOWN, 0),
    };
    SYSTEM_INFO {
        wProcessorArchitecture: architecture,
        wReserved: 0,
        dwPageSize: page_size(),
        lpMinimumApplicationAddress: without_provenance_mut(0x1_0000),
        lpMaximumApplicationAddress: without_provenance_mut(0x7FFF_FFFE_FFFF),
        dwActiveProcessorMask: processor_mask(),
        dwNumberOfProcessors: processors(),
        dwProcessorType: kind,
        dwAllocationGranularity: ALLOCATION_GRANULARITY,
        wProcessorLevel: 0,
        wProcessorRevision: 0,
    }
}

/// Tells architecture, page size and the number of processors this process may use. MSDN: GetSystemInfo.
///
/// # Safety
/// `lpSystemInfo` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetSystemInfo(lpSystemInfo: LPSYSTEM_INFO) {
    // SAFETY: C caller, per GetSystemInfo.
    returning((), || unsafe { put(lpSystemInfo, system_info()) });
}

/// As GetSystemInfo. MSDN: GetNativeSystemInfo.
///
/// # Safety
/// `lpSystemInfo` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetNativeSystemInfo(lpSystemInfo: LPSYSTEM_INFO) {
    // SAFETY: the same contract.
    unsafe { GetSystemInfo(lpSystemInfo) };
}

/// Tells the processors of the process and of the system as bits. hProcess is GetCurrentProcess(). Returns
/// TRUE, or FALSE with ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER. MSDN: GetProcessAffinityMask.
///
/// Differs from Windows: processors are counted from 0, whichever of the machine's the process may use.
///
/// # Safety
/// Both pointers are valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetProcessAffinityMask(
    hProcess: HANDLE,
    lpProcessAffinityMask: PDWORD_PTR,
    lpSystemAffinityMask: PDWORD_PTR,
) -> BOOL {
    returning_last_error(|| -> Result<BOOL> {
        if !is_current_process(hProcess) {
            return Err(Error::INVALID_HANDLE);
        }
        if lpProcessAffinityMask.is_null() || lpSystemAffinityMask.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per GetProcessAffinityMask: writable.
        unsafe {
            put(lpProcessAffinityMask, processor_mask());
            put(lpSystemAffinityMask, processor_mask());
        }
        Ok(TRUE)
    })
}

/// Makes a GUID of random bits (version 4). Returns 0 (RPC_S_OK), or 14 (RPC_S_OUT_OF_MEMORY) if the system has no random
/// bits to give. Any thread. MSDN: UuidCreate.
///
/// # Safety
/// `Uuid` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn UuidCreate(Uuid: *mut GUID) -> LONG {
    returning(OUT_OF_MEMORY, || {
        let mut bytes = [0; 16];
        let filled = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
        if filled.is_err() {
            return OUT_OF_MEMORY;
        }
        let bits = u128::from_le_bytes(bytes);
        let guid = GUID {
            Data1: bits as u32,
            Data2: (bits >> 32) as u16,
            Data3: (bits >> 48) as u16 & 0x0FFF | 0x4000,
            Data4: (((bits >> 64) as u64 & !0xC0) | 0x80).to_le_bytes(),
        };
        // SAFETY: C caller, per UuidCreate: writable.
        unsafe { put(Uuid, guid) };
        0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_are_random_ones_and_differ() {
        let mut made = [GUID { Data1: 0, Data2: 0, Data3: 0, Data4: [0; 8] }; 2];
        for guid in &mut made {
            // SAFETY: writable.
            assert_eq!(unsafe { UuidCreate(guid) }, 0);
            assert_eq!((guid.Data3 >> 12, guid.Data4[0] >> 6), (4, 2));
        }
        assert_ne!(made[0].Data4, made[1].Data4);
    }
}

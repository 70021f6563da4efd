//! Critical sections and slim reader/writer locks.
//!
//! A critical section keeps a re-entrant lock of ours behind `DebugInfo`. A slim lock is the word itself:
//! zero is free, so that SRWLOCK_INIT and zeroed memory work and nothing needs to be released.
#![expect(unsafe_code, reason = "exports, and locks that live in memory of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::ptr::null_mut;

use parking_lot::lock_api::RawRwLock as _;
use parking_lot::{RawRwLock, RawThreadId};

use crate::abi::base::{
    BOOL, BOOLEAN, CRITICAL_SECTION, DWORD, FALSE, LPCRITICAL_SECTION, PSRWLOCK, SRWLOCK, TRUE,
};

type Lock = parking_lot::lock_api::RawReentrantMutex<parking_lot::RawMutex, RawThreadId>;

const _: () = assert!(
    size_of::<RawRwLock>() == size_of::<SRWLOCK>() && align_of::<RawRwLock>() == align_of::<SRWLOCK>()
);

/// Makes a critical section ready. MSDN: InitializeCriticalSection.
///
/// # Safety
/// `lpCriticalSection` is valid for writes, and is used as a critical section only until
/// DeleteCriticalSection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InitializeCriticalSection(lpCriticalSection: LPCRITICAL_SECTION) {
    let lock = Box::new(Lock::INIT);
    let section = CRITICAL_SECTION {
        DebugInfo: Box::into_raw(lock).cast(),
        LockCount: -1,
        RecursionCount: 0,
        OwningThread: null_mut(),
        LockSemaphore: null_mut(),
        SpinCount: 0,
    };
    // SAFETY: C caller, per InitializeCriticalSection: writable.
    unsafe { lpCriticalSection.write(section) };
}

/// As InitializeCriticalSection; the spin count has no effect. Returns TRUE.
/// MSDN: InitializeCriticalSectionAndSpinCount.
///
/// # Safety
/// As for InitializeCriticalSection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InitializeCriticalSectionAndSpinCount(
    lpCriticalSection: LPCRITICAL_SECTION,
    dwSpinCount: DWORD,
) -> BOOL {
    let _ = dwSpinCount;
    // SAFETY: the same contract.
    unsafe { InitializeCriticalSection(lpCriticalSection) };
    TRUE
}

/// As InitializeCriticalSection; spin count and flags have no effect. Returns TRUE. MSDN:
/// InitializeCriticalSectionEx.
///
/// # Safety
/// As for InitializeCriticalSection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InitializeCriticalSectionEx(
    lpCriticalSection: LPCRITICAL_SECTION,
    dwSpinCount: DWORD,
    Flags: DWORD,
) -> BOOL {
    let _ = (dwSpinCount, Flags);
    // SAFETY: the same contract.
    unsafe { InitializeCriticalSection(lpCriticalSection) };
    TRUE
}

/// The lock of a critical section.
///
/// # Safety
/// The critical section is initialised and not deleted during `'a`.
unsafe fn lock_of<'a>(section: LPCRITICAL_SECTION) -> &'a Lock {
    // SAFETY: initialised, so DebugInfo came from Box::into_raw.
    unsafe { &*(*section).DebugInfo.cast::<Lock>() }
}

/// Enters a critical section, waiting while another thread is in it; a thread may enter several times and
/// must leave as often. MSDN: EnterCriticalSection.
///
/// # Safety
/// The critical section is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn EnterCriticalSection(lpCriticalSection: LPCRITICAL_SECTION) {
    // SAFETY: C caller, per EnterCriticalSection: initialised.
    unsafe { lock_of(lpCriticalSection) }.lock();
}

/// Enters a critical section unless another thread is in it. Returns TRUE if entered. MSDN:
/// TryEnterCriticalSection.
///
/// # Safety
/// The critical section is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn TryEnterCriticalSection(lpCriticalSection: LPCRITICAL_SECTION) -> BOOL {
    // SAFETY: C caller, per TryEnterCriticalSection: initialised.
    if unsafe { lock_of(lpCriticalSection) }.try_lock() { TRUE } else { FALSE }
}

/// Leaves a critical section once. MSDN: LeaveCriticalSection.
///
/// # Safety
/// The calling thread is in the critical section.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn LeaveCriticalSection(lpCriticalSection: LPCRITICAL_SECTION) {
    // SAFETY: C caller, per LeaveCriticalSection: initialised and entered by this thread.
    unsafe { lock_of(lpCriticalSection).unlock() };
}

/// Releases what a critical section owns. MSDN: DeleteCriticalSection.
///
/// # Safety
/// The critical section is initialised and nobody is in it or uses it later.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn DeleteCriticalSection(lpCriticalSection: LPCRITICAL_SECTION) {
    // SAFETY: C caller, per DeleteCriticalSection: ours alone, and DebugInfo came from Box::into_raw, or is
    // NULL if it was deleted before.
    unsafe {
        let lock = std::mem::replace(&mut (*lpCriticalSection).DebugInfo, null_mut());
        if !lock.is_null() {
            drop(Box::from_raw(lock.cast::<Lock>()));
        }
    }
}

/// The lock in a slim lock's word.
///
/// # Safety
/// `lock` is valid during `'a` and held zero or came from InitializeSRWLock before its first use.
unsafe fn slim<'a>(lock: PSRWLOCK) -> &'a RawRwLock {
    // SAFETY: same size and alignment, and a free lock is a zero word (held by a test).
    unsafe { &*lock.cast::<RawRwLock>() }
}

/// Makes a slim lock ready; SRWLOCK_INIT does the same. MSDN: InitializeSRWLock.
///
/// # Safety
/// `SRWLock` is valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InitializeSRWLock(SRWLock: PSRWLOCK) {
    // SAFETY: C caller, per InitializeSRWLock: writable.
    unsafe { SRWLock.write(crate::abi::base::SRWLOCK { Ptr: null_mut() }) };
}

/// Takes a slim lock alone, waiting for others to release it. Not re-entrant. MSDN: AcquireSRWLockExclusive.
///
/// # Safety
/// The lock is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AcquireSRWLockExclusive(SRWLock: PSRWLOCK) {
    // SAFETY: C caller, per AcquireSRWLockExclusive: initialised.
    unsafe { slim(SRWLock) }.lock_exclusive();
}

/// Takes a slim lock together with other readers. Not re-entrant. MSDN: AcquireSRWLockShared.
///
/// # Safety
/// The lock is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AcquireSRWLockShared(SRWLock: PSRWLOCK) {
    // SAFETY: C caller, per AcquireSRWLockShared: initialised.
    unsafe { slim(SRWLock) }.lock_shared();
}

/// Takes a slim lock alone if it is free. Returns TRUE if taken. MSDN: TryAcquireSRWLockExclusive.
///
/// # Safety
/// The lock is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn TryAcquireSRWLockExclusive(SRWLock: PSRWLOCK) -> BOOLEAN {
    // SAFETY: C caller, per TryAcquireSRWLockExclusive: initialised.
    unsafe { slim(SRWLock) }.try_lock_exclusive().into()
}

/// Takes a slim lock together with readers if no writer has it. Returns TRUE if taken. MSDN:
/// TryAcquireSRWLockShared.
///
/// # Safety
/// The lock is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn TryAcquireSRWLockShared(SRWLock: PSRWLOCK) -> BOOLEAN {
    // SAFETY: C caller, per TryAcquireSRWLockShared: initialised.
    unsafe { slim(SRWLock) }.try_lock_shared().into()
}

/// Gives back a slim lock taken alone. MSDN: ReleaseSRWLockExclusive.
///
/// # Safety
/// The calling thread has the lock alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ReleaseSRWLockExclusive(SRWLock: PSRWLOCK) {
    // SAFETY: C caller, per ReleaseSRWLockExclusive: taken by this thread.
    unsafe { slim(SRWLock).unlock_exclusive() };
}

/// Gives back a slim lock taken with others. MSDN: ReleaseSRWLockShared.
///
/// # Safety
/// The calling thread has the lock together with others.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ReleaseSRWLockShared(SRWLock: PSRWLOCK) {
    // SAFETY: C caller, per ReleaseSRWLockShared: taken by this thread.
    unsafe { slim(SRWLock).unlock_shared() };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_word_is_a_free_slim_lock() {
        let mut lock = SRWLOCK { Ptr: null_mut() };
        let lock = &raw mut lock;
        // SAFETY: initialised, and released before it goes.
        unsafe {
            AcquireSRWLockExclusive(lock);
            assert_eq!(TryAcquireSRWLockShared(lock), 0);
            ReleaseSRWLockExclusive(lock);
            assert_eq!(TryAcquireSRWLockShared(lock), 1);
            assert_eq!(TryAcquireSRWLockExclusive(lock), 0);
            ReleaseSRWLockShared(lock);
            assert!((*lock).Ptr.is_null());
        }
    }

    #[test]
    fn critical_sections_count_entries_and_keep_others_out() {
        // SAFETY: all members are integers and pointers.
        let mut section: CRITICAL_SECTION = unsafe { std::mem::zeroed() };
        let section = &raw mut section;
        let address = section.expose_provenance();
        let try_elsewhere = move || {
            let enter = move || {
                let section = std::ptr::with_exposed_provenance_mut(address);
                // SAFETY: initialised, and joined before it is deleted.
                unsafe {
                    let entered = TryEnterCriticalSection(section);
                    if entered == TRUE {
                        LeaveCriticalSection(section);
                    }
                    entered
                }
            };
            std::thread::spawn(enter).join().unwrap() == TRUE
        };
        // SAFETY: initialised first, left as often as entered, deleted last.
        unsafe {
            InitializeCriticalSection(section);
            EnterCriticalSection(section);
            assert_eq!(TryEnterCriticalSection(section), TRUE);
            LeaveCriticalSection(section);
            assert!(!try_elsewhere());
            LeaveCriticalSection(section);
            assert!(try_elsewhere());
            DeleteCriticalSection(section);
        }
    }
}

//! UTF-16 strings of the caller.
#![expect(unsafe_code, reason = "reads C strings")]

use crate::abi::base::PCWSTR;
use crate::abi::error::{Error, Result};

/// Units a string may have: its length in bytes must fit 16 bits.
const MOST: usize = 0x7FFF;

/// The string at `text`, without its NUL. `INVALID_PARAMETER` for NULL and for endless strings.
///
/// # Safety
/// `text` is NULL or a NUL-terminated string that stays valid while the slice lives.
pub(super) unsafe fn wide<'a>(text: PCWSTR) -> Result<&'a [u16]> {
    if text.is_null() {
        return Err(Error::INVALID_PARAMETER);
    }
    if !text.is_aligned() {
        return Err(Error::NOACCESS);
    }
    // SAFETY: as promised by the caller; nothing is read past the NUL.
    let len = (0..=MOST).find(|at| unsafe { *text.add(*at) } == 0).ok_or(Error::INVALID_PARAMETER)?;
    // SAFETY: these units were just read.
    Ok(unsafe { std::slice::from_raw_parts(text, len) })
}

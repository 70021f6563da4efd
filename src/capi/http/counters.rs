//! `nthttp_counters`: the counters of the service, its URL groups and queues, in one text. An addition of this library.
#![expect(unsafe_code, reason = "a function called from C; writes its buffer")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use crate::abi::base::{PSTR, PULONG, ULONG};
use crate::abi::error::{Error, Result};
use crate::capi::guard::returning_status;

use super::engine::service;

/// Gives the counters of the service, its URL groups and request queues as Prometheus text (exposition format 0.0.4, UTF-8):
/// what HTTP.sys has as the performance counter sets "HTTP Service", "HTTP Service Url Groups" and "HTTP Service Request
/// Queues", with the totals its rates are the rates of. An addition of this library.
///
/// `Buffer` receives the text and a NUL; `Length` is its size in bytes. `*ReturnLength` is the size needed in bytes, the
/// NUL included. Any thread, at any time; the counters go on meanwhile, so the size needed may grow between two calls.
///
/// Errors: `ERROR_MORE_DATA` (buffer too small, or NULL with length 0 to ask for the size; nothing is written),
/// `ERROR_INVALID_PARAMETER` (NULL with a length, or no `ReturnLength`), `ERROR_NO_SYSTEM_RESOURCES`.
///
/// # Safety
/// `Buffer` is NULL or valid for writes of `Length` bytes; `ReturnLength` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nthttp_counters(Buffer: PSTR, Length: ULONG, ReturnLength: PULONG) -> ULONG {
    returning_status(|| {
        if ReturnLength.is_null() || Buffer.is_null() && Length != 0 {
            return Err(Error::INVALID_PARAMETER);
        }
        let text = service()?.metrics()?;
        // SAFETY: C caller, per nthttp_counters: a buffer of that length, and a place for the size.
        unsafe { put(text.as_bytes(), Buffer, Length, ReturnLength) }
    })
}

/// # Safety
/// `buffer` is NULL with no length, or valid for writes of `length` bytes; `size` is valid for writes.
unsafe fn put(text: &[u8], buffer: PSTR, length: ULONG, size: PULONG) -> Result<()> {
    let needed = ULONG::try_from(text.len() + 1).map_err(|_| Error::NO_SYSTEM_RESOURCES)?;
    // SAFETY: as promised by the caller; C may give places of any alignment.
    unsafe { size.write_unaligned(needed) };
    if needed > length {
        return Err(Error::MORE_DATA);
    }
    // SAFETY: as promised by the caller, and the text and its NUL fit.
    unsafe {
        buffer.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), text.len());
        buffer.cast::<u8>().add(text.len()).write(0);
    }
    Ok(())
}

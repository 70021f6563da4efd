//! `nthttp_token_user`: whose access token it is. An addition of this library.
#![expect(unsafe_code, reason = "function called from C; writes its buffer")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use crate::abi::base::{HANDLE, PULONG, PWSTR, ULONG};
use crate::abi::error::{Error, Result};
use crate::capi::guard::returning_status;
use crate::win32::object;

/// What is in a token.
pub(super) struct User(pub(super) String);

/// Gives the name of the user an access token of `HTTP_REQUEST_AUTH_INFO` belongs to, as the client wrote it. An addition of
/// this library, because there is no Windows user behind the token.
///
/// `*Length` is the size of `Buffer` in characters, and then the number written or needed, the NUL included. The token stays
/// the caller's. Any thread.
///
/// Errors: `ERROR_INSUFFICIENT_BUFFER` (too small, or NULL with length 0 to ask for the size; nothing is written),
/// `ERROR_INVALID_HANDLE` (not such a token), `ERROR_INVALID_PARAMETER` (`Length` NULL, or `Buffer` NULL with a length).
///
/// # Safety
/// `Buffer` is NULL or valid for writes of `*Length` characters; `Length` is NULL or valid for reads and writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nthttp_token_user(Token: HANDLE, Buffer: PWSTR, Length: PULONG) -> ULONG {
    returning_status(|| {
        let token = object::token(Token.addr())?;
        let user = token.user.downcast_ref::<User>().ok_or(Error::INVALID_HANDLE)?;
        if Length.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        let name: Vec<u16> = user.0.encode_utf16().chain([0]).collect();
        // SAFETY: C caller, per nthttp_token_user: a buffer of `*Length` characters, and that.
        unsafe { put(&name, Buffer, Length) }
    })
}

/// # Safety
/// `length` is valid for reads and writes; `buffer` is NULL or valid for writes of `*length` characters.
unsafe fn put(name: &[u16], buffer: PWSTR, length: PULONG) -> Result<()> {
    // SAFETY: as promised by the caller, here and below; C may give places of any alignment.
    let room = unsafe { length.read_unaligned() };
    if buffer.is_null() && room != 0 {
        return Err(Error::INVALID_PARAMETER);
    }
    // SAFETY: see above.
    unsafe { length.write_unaligned(name.len() as ULONG) };
    if (room as usize) < name.len() {
        return Err(Error::INSUFFICIENT_BUFFER);
    }
    // SAFETY: see above; the name fits.
    unsafe { buffer.cast::<u8>().copy_from_nonoverlapping(name.as_ptr().cast(), size_of_val(name)) };
    Ok(())
}

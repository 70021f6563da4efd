//! Authentication: what a server asks for, and whom to log in as.
#![expect(unsafe_code, reason = "exports, and strings of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use zeroize::Zeroizing;

use super::handle;
use super::text::optional;
use crate::abi::base::TRUE;
use crate::abi::base::{BOOL, DWORD, LPCWSTR, LPDWORD, LPVOID};
use crate::abi::error::Error;
use crate::abi::winhttp::HINTERNET;
use crate::capi::guard::winhttp_returning;
use crate::client::auth::{Login, Scheme, Target};

/// Tells which authentication schemes the server or proxy offers, after a response with status 401 or 407.
///
/// `*lpdwSupportedSchemes` is a set of WINHTTP_AUTH_SCHEME_*, `*lpdwFirstScheme` the first of them in the order of the
/// response, `*pdwAuthTarget` WINHTTP_AUTH_TARGET_SERVER or _PROXY. Schemes that WinHTTP does not know are left out.
/// Errors: ERROR_INVALID_PARAMETER for a NULL pointer, ERROR_INVALID_OPERATION when there is no such response or no
/// scheme in it (nothing is written then), ERROR_INVALID_HANDLE, ERROR_WINHTTP_INCORRECT_HANDLE_TYPE.
///
/// MSDN: WinHttpQueryAuthSchemes.
///
/// # Safety
/// The three places are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpQueryAuthSchemes(
    hRequest: HINTERNET,
    lpdwSupportedSchemes: LPDWORD,
    lpdwFirstScheme: LPDWORD,
    pdwAuthTarget: LPDWORD,
) -> BOOL {
    winhttp_returning(|| {
        let request = handle::request(hRequest)?;
        let places = [lpdwSupportedSchemes, lpdwFirstScheme, pdwAuthTarget];
        if places.iter().any(|place| place.is_null()) {
            return Err(Error::INVALID_PARAMETER);
        }
        let offer = request.auth_offer()?;
        for (place, value) in places.into_iter().zip([offer.schemes, offer.first as u32, offer.target as u32])
        {
            // SAFETY: C caller, per WinHttpQueryAuthSchemes: writable; alignment is not promised.
            unsafe { place.write_unaligned(value) };
        }
        Ok(TRUE)
    })
}

/// Sets whom a request logs in as when the server or the proxy asks for it by one scheme.
///
/// `AuthTargets` is WINHTTP_AUTH_TARGET_SERVER or _PROXY, `AuthScheme` exactly one of WINHTTP_AUTH_SCHEME_*. Both strings
/// are copied and wiped with the request. They go before WINHTTP_OPTION_USERNAME and _PASSWORD. With
/// WINHTTP_AUTH_SCHEME_BASIC they go out with the next request unasked. They are never sent to a server that a redirect
/// leads to. Errors: ERROR_INVALID_PARAMETER for another target or scheme, for a user that is NULL or empty or a
/// password that is NULL with BASIC and DIGEST, and for `pAuthParams` other than NULL; ERROR_INVALID_HANDLE,
/// ERROR_WINHTTP_INCORRECT_HANDLE_TYPE.
///
/// MSDN: WinHttpSetCredentials. Differs from Windows: NTLM, NEGOTIATE and PASSPORT are kept but not built in: a server
/// that offers nothing else gets no answer, and the program its 401.
///
/// # Safety
/// Strings are NULL or end in NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpSetCredentials(
    hRequest: HINTERNET,
    AuthTargets: DWORD,
    AuthScheme: DWORD,
    pwszUserName: LPCWSTR,
    pwszPassword: LPCWSTR,
    pAuthParams: LPVOID,
) -> BOOL {
    winhttp_returning(|| {
        let request = handle::request(hRequest)?;
        let target = match AuthTargets {
            0 => Target::Server,
            1 => Target::Proxy,
            _ => return Err(Error::INVALID_PARAMETER),
        };
        let scheme = Scheme::try_from(AuthScheme).map_err(|()| Error::INVALID_PARAMETER)?;
        // SAFETY: C caller, per WinHttpSetCredentials: strings end in NUL.
        let (user, password) = unsafe { (optional(pwszUserName), optional(pwszPassword)) };
        let needs_both = matches!(scheme, Scheme::Basic | Scheme::Digest);
        let has_both = user.is_some_and(|user| !user.is_empty()) && password.is_some();
        if (needs_both && !has_both) || !pAuthParams.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        let text = |units: &[u16]| Zeroizing::new(String::from_utf16_lossy(units));
        let login = Login { user: user.map(text), password: password.map(text).unwrap_or_default() };
        request.set_credentials(target, scheme, login);
        Ok(TRUE)
    })
}

/// Is refused: the parameters of a challenge are read from its header field (WINHTTP_QUERY_WWW_AUTHENTICATE).
///
/// Fails with ERROR_CALL_NOT_IMPLEMENTED, as documented for a function that no published version of WinHTTP has.
///
/// # Safety
/// Any values may be passed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpQueryAuthParams(
    hRequest: HINTERNET,
    AuthScheme: DWORD,
    pAuthParams: *mut LPVOID,
) -> BOOL {
    winhttp_returning(|| {
        let _ = (hRequest, AuthScheme, pAuthParams);
        Err(Error::CALL_NOT_IMPLEMENTED)
    })
}

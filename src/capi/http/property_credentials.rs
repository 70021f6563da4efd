//! `NTHTTP_SERVER_CREDENTIALS_PROPERTY`: where passwords for Basic and Digest come from. The structure stands in `nthttp.h`.
#![expect(unsafe_code, reason = "reads the caller's structure")]
#![expect(non_snake_case, reason = "spelled as in the header")]

use crate::abi::base::{PCWSTR, PVOID, ULONG};
use crate::abi::error::{Error, Result};
use crate::abi::http::{HTTP_PROPERTY_FLAGS, HTTP_SERVER_PROPERTY};
use crate::server::service::{CredentialSource, Holder, Property};

use super::engine::service;
use super::property_buffers::Given;
use super::property_values::is_present;
use super::verifiers::{self, Verifier, Verify};
use super::wide::wide;

/// `NTHTTP_SERVER_CREDENTIALS_PROPERTY`.
pub(super) const CREDENTIALS: HTTP_SERVER_PROPERTY = 0x120;

/// `NTHTTP_DIGEST_MD5` and `NTHTTP_DIGEST_SHA256`.
const ALGORITHMS: ULONG = 3;

/// `NTHTTP_CREDENTIALS_INFO`.
#[repr(C)]
#[derive(Clone, Copy)]
struct CredentialsInfo {
    Flags: HTTP_PROPERTY_FLAGS,
    DigestAlgorithms: ULONG,
    NonceSeconds: ULONG,
    PasswordFile: PCWSTR,
    Verify: Option<Verify>,
    Context: PVOID,
}

/// Sets the property of a session or group.
///
/// # Safety
/// `given` is a buffer of the caller, valid for reads, and so is what its structure points at.
pub(super) unsafe fn set_credentials(holder: Holder, given: Given) -> Result<()> {
    // SAFETY: as promised by the caller, here and below.
    let info: CredentialsInfo = unsafe { given.read()? };
    if !is_present(info.Flags) {
        service()?.set_property(holder, Property::Credentials(None))?;
        verifiers::keep_only(holder, None);
        return Ok(());
    }
    let both = info.Verify.is_some() && !info.PasswordFile.is_null();
    if info.DigestAlgorithms & !ALGORITHMS != 0 || both {
        return Err(Error::INVALID_PARAMETER);
    }
    // SAFETY: see above.
    let file = unsafe { path(info.PasswordFile)? };
    let context = info.Context;
    let verifier = info.Verify.map(|function| verifiers::enter(holder, Verifier { function, context }));
    let source = CredentialSource {
        file,
        verifier,
        algorithms: info.DigestAlgorithms,
        nonce_seconds: info.NonceSeconds,
    };
    let set = service()?.set_property(holder, Property::Credentials(Some(source)));
    match (&set, verifier) {
        (Ok(()), _) => verifiers::keep_only(holder, verifier),
        (Err(_), Some(number)) => verifiers::remove(number),
        (Err(_), None) => {}
    }
    set
}

/// # Safety
/// `text` is NULL or a NUL-terminated string.
unsafe fn path(text: PCWSTR) -> Result<Option<String>> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: as promised by the caller.
    let units = unsafe { wide(text)? };
    String::from_utf16(units).map(Some).map_err(|_| Error::INVALID_NAME)
}

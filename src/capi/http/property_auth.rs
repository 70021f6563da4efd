//! `HTTP_SERVER_AUTHENTICATION_INFO` and `HTTP_CHANNEL_BIND_INFO` (digest §6.9, §6.10): structures with texts behind them.
//! A query writes them whole into the caller's buffer, the texts behind the structure.
#![expect(unsafe_code, reason = "reads and writes the caller's buffers")]
#![expect(non_upper_case_globals, reason = "Windows spelling, as in the header")]

use crate::abi::base::{PWSTR, USHORT};
use crate::abi::error::{Error, Result};
use crate::abi::http::*;
use crate::server::service::{Authentication, ChannelBind};

use super::property_buffers::{Given, Wanted};
use super::property_values::{is_present, presence};
use super::tail::Tail;

const CHANNEL_BIND_FLAGS: u32 = 0x3F;

/// The most service names a channel binding may have.
const MAX_SERVICE_NAMES: u32 = 1024;

/// Reads `HTTP_SERVER_AUTHENTICATION_INFO`. Only the extended property knows Kerberos and flags.
///
/// # Safety
/// `given` is a buffer of the caller, valid for reads, and so are the texts it points at.
pub(super) unsafe fn read_authentication(given: Given, extended: bool) -> Result<Option<Authentication>> {
    // SAFETY: as promised by the caller, here and below.
    let info: HTTP_SERVER_AUTHENTICATION_INFO = unsafe { given.read()? };
    if !is_present(info.Flags) {
        return Ok(None);
    }
    let schemes =
        if extended { HTTP_AUTH_ENABLE_ALL } else { HTTP_AUTH_ENABLE_ALL & !HTTP_AUTH_ENABLE_KERBEROS };
    let ex_flags =
        HTTP_AUTH_EX_FLAG_ENABLE_KERBEROS_CREDENTIAL_CACHING | HTTP_AUTH_EX_FLAG_CAPTURE_CREDENTIAL;
    let flags_known = u32::from(info.ExFlags) & !(if extended { ex_flags } else { 0 }) == 0;
    if info.AuthSchemes & !schemes != 0 || !flags_known {
        return Err(Error::INVALID_PARAMETER);
    }
    let (digest, basic) = (&info.DigestParams, &info.BasicParams);
    // SAFETY: see above.
    let (digest_domain, digest_realm, basic_realm) = unsafe {
        (
            text(digest.DomainName, digest.DomainNameLength)?,
            text(digest.Realm, digest.RealmLength)?,
            text(basic.Realm, basic.RealmLength)?,
        )
    };
    Ok(Some(Authentication {
        schemes: info.AuthSchemes,
        receive_mutual_auth: info.ReceiveMutualAuth != 0,
        receive_context_handle: info.ReceiveContextHandle != 0,
        disable_ntlm_caching: info.DisableNTLMCredentialCaching != 0,
        ex_flags: info.ExFlags,
        digest_domain,
        digest_realm,
        basic_realm,
    }))
}

/// A text of so many bytes of UTF-16, if there is one. It goes into a quoted string of a field, so control characters are
/// refused.
///
/// # Safety
/// `start` is NULL or valid for reads of `bytes` bytes.
unsafe fn text(start: PWSTR, bytes: USHORT) -> Result<Option<String>> {
    if bytes == 0 || start.is_null() {
        return if bytes == 0 { Ok(None) } else { Err(Error::INVALID_PARAMETER) };
    }
    // SAFETY: as promised by the caller.
    let units = (0..usize::from(bytes) / 2).map(|at| unsafe { start.add(at).read_unaligned() });
    let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    let sound = bytes.is_multiple_of(2) && !text.chars().any(char::is_control);
    if sound { Ok(Some(text)) } else { Err(Error::INVALID_PARAMETER) }
}

/// Writes `HTTP_SERVER_AUTHENTICATION_INFO` with its texts behind it.
///
/// # Safety
/// `wanted` holds places of the caller, valid for writes.
pub(super) unsafe fn write_authentication(value: Option<Authentication>, wanted: Wanted) -> Result<()> {
    let set = value.is_some();
    let value = value.unwrap_or_default();
    let mut tail = Tail::behind::<HTTP_SERVER_AUTHENTICATION_INFO>(wanted.start);
    let (domain, domain_len) = tail.wide(value.digest_domain.as_deref());
    let (digest_realm, digest_len) = tail.wide(value.digest_realm.as_deref());
    let (basic_realm, basic_len) = tail.wide(value.basic_realm.as_deref());
    let info = HTTP_SERVER_AUTHENTICATION_INFO {
        Flags: presence(set),
        AuthSchemes: value.schemes,
        ReceiveMutualAuth: value.receive_mutual_auth.into(),
        ReceiveContextHandle: value.receive_context_handle.into(),
        DisableNTLMCredentialCaching: value.disable_ntlm_caching.into(),
        ExFlags: value.ex_flags,
        DigestParams: HTTP_SERVER_AUTHENTICATION_DIGEST_PARAMS {
            DomainNameLength: domain_len,
            DomainName: domain,
            RealmLength: digest_len,
            Realm: digest_realm,
        },
        BasicParams: HTTP_SERVER_AUTHENTICATION_BASIC_PARAMS { RealmLength: basic_len, Realm: basic_realm },
    };
    // SAFETY: as promised by the caller.
    unsafe { wanted.write_with_tail(info, &tail.bytes) }
}

/// Reads `HTTP_CHANNEL_BIND_INFO`.
///
/// # Safety
/// `given` is a buffer of the caller, valid for reads, and so is everything it points at.
pub(super) unsafe fn read_channel_bind(given: Given) -> Result<ChannelBind> {
    // SAFETY: as promised by the caller, here and below.
    let info: HTTP_CHANNEL_BIND_INFO = unsafe { given.read()? };
    let levels = HttpAuthenticationHardeningLegacy..=HttpAuthenticationHardeningStrict;
    let named = info.NumberOfServiceNames;
    let sound = levels.contains(&info.Hardening)
        && info.Flags & !CHANNEL_BIND_FLAGS == 0
        && named <= MAX_SERVICE_NAMES
        && (named == 0 || !info.ServiceNames.is_null());
    if !sound {
        return Err(Error::INVALID_PARAMETER);
    }
    // SAFETY: see above.
    let names =
        (0..named as usize).map(|at| unsafe { service_name(info.ServiceNames.add(at).read_unaligned()) });
    let service_names = names.collect::<Result<_>>()?;
    Ok(ChannelBind { hardening: info.Hardening as u32, flags: info.Flags, service_names })
}

/// # Safety
/// `name` is NULL or points at a service name of its type, valid for reads.
unsafe fn service_name(name: PHTTP_SERVICE_BINDING_BASE) -> Result<(bool, String)> {
    if name.is_null() {
        return Err(Error::INVALID_PARAMETER);
    }
    // SAFETY: as promised by the caller, here and below.
    unsafe {
        match (*name).Type {
            HttpServiceBindingTypeW => {
                let wide = name.cast::<HTTP_SERVICE_BINDING_W>().read_unaligned();
                let bytes = USHORT::try_from(wide.BufferSize).map_err(|_| Error::INVALID_PARAMETER)?;
                Ok((true, text(wide.Buffer, bytes)?.unwrap_or_default()))
            }
            HttpServiceBindingTypeA => {
                let narrow = name.cast::<HTTP_SERVICE_BINDING_A>().read_unaligned();
                if narrow.Buffer.is_null() || narrow.BufferSize > u32::from(USHORT::MAX) {
                    return Err(Error::INVALID_PARAMETER);
                }
                let bytes =
                    std::slice::from_raw_parts(narrow.Buffer.cast::<u8>(), narrow.BufferSize as usize);
                Ok((false, String::from_utf8_lossy(bytes).into_owned()))
            }
            _ => Err(Error::INVALID_PARAMETER),
        }
    }
}

/// Writes `HTTP_CHANNEL_BIND_INFO` with its service names behind it: pointers, structures, texts.
///
/// # Safety
/// `wanted` holds places of the caller, valid for writes.
pub(super) unsafe fn write_channel_bind(value: Option<ChannelBind>, wanted: Wanted) -> Result<()> {
    let value = value.unwrap_or_default();
    let count = value.service_names.len();
    let mut tail = Tail::behind::<HTTP_CHANNEL_BIND_INFO>(wanted.start);
    let pointers = tail.reserve(count * size_of::<PHTTP_SERVICE_BINDING_BASE>());
    let entries = tail.reserve(count * size_of::<HTTP_SERVICE_BINDING_W>());
    for (at, (is_wide, name)) in value.service_names.iter().enumerate() {
        let (text, len) = if *is_wide { tail.wide(Some(name)) } else { tail.narrow(name) };
        let kind = if *is_wide { HttpServiceBindingTypeW } else { HttpServiceBindingTypeA };
        let entry = HTTP_SERVICE_BINDING_W {
            Base: HTTP_SERVICE_BINDING_BASE { Type: kind },
            Buffer: text,
            BufferSize: len.into(),
        };
        let place = entries + at * size_of::<HTTP_SERVICE_BINDING_W>();
        let address = tail.address(place);
        tail.put(pointers + at * size_of::<usize>(), &(address as usize).to_ne_bytes());
        tail.put(place, &entry.Base.Type.to_ne_bytes());
        tail.put(place + 8, &(entry.Buffer as usize).to_ne_bytes());
        tail.put(place + 16, &entry.BufferSize.to_ne_bytes());
    }
    let info = HTTP_CHANNEL_BIND_INFO {
        Hardening: value.hardening as HTTP_AUTHENTICATION_HARDENING_LEVELS,
        Flags: value.flags,
        ServiceNames: if count == 0 { std::ptr::null_mut() } else { tail.address(pointers).cast() },
        NumberOfServiceNames: count as u32,
    };
    // SAFETY: as promised by the caller.
    unsafe { wanted.write_with_tail(info, &tail.bytes) }
}

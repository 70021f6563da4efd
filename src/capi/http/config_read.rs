//! The structures that service configuration is given in, read into entries of `config`.
#![expect(unsafe_code, reason = "reads the caller's structures")]
#![expect(non_upper_case_globals, reason = "Windows spelling, as in the header")]

use std::net::{IpAddr, SocketAddr};

use crate::abi::base::{GUID, PCWSTR, PVOID, SOCKADDR_STORAGE, ULONG, WCHAR};
use crate::abi::error::{Error, Result};
use crate::abi::http::*;
use crate::config::{Entry, SslBinding, SslKey, SslParam, UrlAcl};

use super::address;

/// The longest text of a structure, in UTF-16 units.
const MAX_TEXT: usize = 32_766;

/// A structure of the caller, or part of one.
#[derive(Clone, Copy)]
pub(super) struct Input {
    pub(super) start: PVOID,
    pub(super) len: ULONG,
}

impl Input {
    /// Reads the structure; a longer buffer is accepted.
    ///
    /// # Safety
    /// The buffer is NULL or valid for reads of its length; every bit pattern is a `T`.
    pub(super) unsafe fn read<T: Copy>(self) -> Result<T> {
        if self.start.is_null() {
            return Err(Error::INVALID_PARAMETER);
        }
        if (self.len as usize) < size_of::<T>() {
            return Err(Error::INSUFFICIENT_BUFFER);
        }
        // SAFETY: as promised by the caller; the length is checked above.
        Ok(unsafe { self.start.cast::<T>().read_unaligned() })
    }
}

/// Whether only the key of a structure is of interest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Key and value.
    Whole,
    /// The key alone: for deletion.
    Key,
}

/// Reads the `_SET` structure of an id.
///
/// # Safety
/// `input` is NULL or valid for reads of its length, and so is everything it points at.
pub(super) unsafe fn read_entry(id: HTTP_SERVICE_CONFIG_ID, input: Input, part: Part) -> Result<Entry> {
    // SAFETY: as promised by the caller.
    unsafe {
        match id {
            HttpServiceConfigIPListenList => {
                let param: HTTP_SERVICE_CONFIG_IP_LISTEN_PARAM = input.read()?;
                let address = address::read(param.pAddress.cast(), param.AddrLength.into())?;
                Ok(Entry::IpListen(address.ip()))
            }
            HttpServiceConfigUrlAclInfo => read_url_acl(input, part).map(Entry::UrlAcl),
            HttpServiceConfigTimeout => read_timeout(input, part),
            HttpServiceConfigCache => read_cache(input, part),
            HttpServiceConfigSetting => read_setting(input, part),
            HttpServiceConfigSSLCertInfo
            | HttpServiceConfigSslSniCertInfo
            | HttpServiceConfigSslCcsCertInfo
            | HttpServiceConfigSslScopedCcsCertInfo => {
                read_ssl(id, input, part).map(|b| Entry::Ssl(Box::new(b)))
            }
            _ => Err(Error::INVALID_PARAMETER),
        }
    }
}

/// # Safety
/// As [`read_entry`].
unsafe fn read_url_acl(input: Input, part: Part) -> Result<UrlAcl> {
    // SAFETY: as promised by the caller, here and below.
    unsafe {
        let set: HTTP_SERVICE_CONFIG_URLACL_SET = input.read()?;
        let sddl = match part {
            Part::Whole => text(set.ParamDesc.pStringSecurityDescriptor)?.ok_or(Error::INVALID_PARAMETER)?,
            Part::Key => String::new(),
        };
        Ok(UrlAcl { url: text(set.KeyDesc.pUrlPrefix)?.ok_or(Error::INVALID_PARAMETER)?, sddl })
    }
}

/// # Safety
/// As [`read_entry`]. For deletion the key alone is enough.
unsafe fn read_timeout(input: Input, part: Part) -> Result<Entry> {
    // SAFETY: as promised by the caller.
    let (key, seconds) = unsafe {
        match part {
            Part::Whole => {
                let set: HTTP_SERVICE_CONFIG_TIMEOUT_SET = input.read()?;
                (set.KeyDesc, set.ParamDesc)
            }
            Part::Key => (input.read::<HTTP_SERVICE_CONFIG_TIMEOUT_KEY>()?, 0),
        }
    };
    match key {
        IdleConnectionTimeout => Ok(Entry::IdleConnection(seconds)),
        HeaderWaitTimeout => Ok(Entry::HeaderWait(seconds)),
        _ => Err(Error::INVALID_PARAMETER),
    }
}

/// # Safety
/// As [`read_timeout`].
unsafe fn read_cache(input: Input, part: Part) -> Result<Entry> {
    // SAFETY: as promised by the caller.
    let (key, bytes) = unsafe {
        match part {
            Part::Whole => {
                let set: HTTP_SERVICE_CONFIG_CACHE_SET = input.read()?;
                (set.KeyDesc, set.ParamDesc)
            }
            Part::Key => (input.read::<HTTP_SERVICE_CONFIG_CACHE_KEY>()?, 0),
        }
    };
    match key {
        MaxCacheResponseSize => Ok(Entry::MaxCacheResponseSize(bytes)),
        CacheRangeChunkSize => Ok(Entry::CacheRangeChunkSize(bytes)),
        _ => Err(Error::INVALID_PARAMETER),
    }
}

/// # Safety
/// As [`read_timeout`].
unsafe fn read_setting(input: Input, part: Part) -> Result<Entry> {
    // SAFETY: as promised by the caller.
    let (key, value) = unsafe {
        match part {
            Part::Whole => {
                let set: HTTP_SERVICE_CONFIG_SETTING_SET = input.read()?;
                (set.KeyDesc, set.ParamDesc)
            }
            Part::Key => (input.read::<HTTP_SERVICE_CONFIG_SETTING_KEY>()?, 0),
        }
    };
    match key {
        HttpTlsThrottle => Ok(Entry::Setting(key as u32, value)),
        _ => Err(Error::INVALID_PARAMETER),
    }
}

/// # Safety
/// As [`read_entry`].
unsafe fn read_ssl(id: HTTP_SERVICE_CONFIG_ID, input: Input, part: Part) -> Result<SslBinding> {
    // SAFETY: as promised by the caller.
    let (key, param) = unsafe {
        match id {
            HttpServiceConfigSSLCertInfo => {
                let set: HTTP_SERVICE_CONFIG_SSL_SET = input.read()?;
                (ssl_key(set.KeyDesc)?, set.ParamDesc)
            }
            HttpServiceConfigSslCcsCertInfo => {
                let set: HTTP_SERVICE_CONFIG_SSL_CCS_SET = input.read()?;
                (ccs_key(set.KeyDesc)?, set.ParamDesc)
            }
            _ => {
                let set: HTTP_SERVICE_CONFIG_SSL_SNI_SET = input.read()?;
                (sni_key(id, set.KeyDesc)?, set.ParamDesc)
            }
        }
    };
    let certificates_of_store = matches!(key, SslKey::Ccs { .. } | SslKey::ScopedCcs { .. });
    let param = match part {
        // SAFETY: as promised by the caller.
        Part::Whole => unsafe { ssl_param(&param, certificates_of_store)? },
        Part::Key => SslParam::default(),
    };
    Ok(SslBinding { key, param })
}

/// # Safety
/// The address in it is valid for reads.
pub(super) unsafe fn ssl_key(key: HTTP_SERVICE_CONFIG_SSL_KEY) -> Result<SslKey> {
    // SAFETY: as promised by the caller; the family tells its length.
    let address = unsafe { address::read(key.pIpPort.cast(), address::LONGEST)? };
    Ok(SslKey::Ip { address })
}

/// # Safety
/// The name in it is valid for reads.
pub(super) unsafe fn sni_key(
    id: HTTP_SERVICE_CONFIG_ID,
    key: HTTP_SERVICE_CONFIG_SSL_SNI_KEY,
) -> Result<SslKey> {
    let address = port_key(&key.IpPort)?;
    // SAFETY: as promised by the caller.
    let host = unsafe { text(key.Host)? }.filter(|host| !host.is_empty()).ok_or(Error::INVALID_PARAMETER)?;
    Ok(match id {
        HttpServiceConfigSslSniCertInfo => SslKey::Sni { host, address },
        _ => SslKey::ScopedCcs { host, address },
    })
}

pub(super) fn ccs_key(key: HTTP_SERVICE_CONFIG_SSL_CCS_KEY) -> Result<SslKey> {
    port_key(&key.LocalAddress).map(|address| SslKey::Ccs { address })
}

/// Keys without an address of their own stand at the unspecified IPv4 address.
fn port_key(storage: &SOCKADDR_STORAGE) -> Result<SocketAddr> {
    // SAFETY: a storage is as long as any address.
    let address = unsafe { address::read((&raw const *storage).cast(), address::LONGEST)? };
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() && address.port() != 0 => Ok(address),
        _ => Err(Error::INVALID_PARAMETER),
    }
}

/// # Safety
/// What it points at is valid for reads.
unsafe fn ssl_param(param: &HTTP_SERVICE_CONFIG_SSL_PARAM, hash_optional: bool) -> Result<SslParam> {
    let length = param.SslHashLength as usize;
    let known = matches!(length, 20 | 32) && !param.pSslHash.is_null() || hash_optional && length == 0;
    if !known {
        return Err(Error::INVALID_PARAMETER);
    }
    // SAFETY: as promised by the caller, here and below.
    let hash = match length {
        0 => &[][..],
        // SAFETY: see above.
        _ => unsafe { std::slice::from_raw_parts(param.pSslHash.cast::<u8>(), length) },
    };
    Ok(SslParam {
        cert_hash: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
        app_id: guid_text(param.AppId),
        // SAFETY: see above.
        store: unsafe { text(param.pSslCertStoreName)? },
        check_mode: param.DefaultCertCheckMode,
        revocation_freshness: param.DefaultRevocationFreshnessTime,
        revocation_timeout: param.DefaultRevocationUrlRetrievalTimeout,
        // SAFETY: see above.
        ctl_identifier: unsafe { text(param.pDefaultSslCtlIdentifier)? },
        // SAFETY: see above.
        ctl_store: unsafe { text(param.pDefaultSslCtlStoreName)? },
        flags: param.DefaultFlags,
    })
}

/// `{01234567-89ab-cdef-0123-456789abcdef}`.
fn guid_text(guid: GUID) -> String {
    let [a, b, rest @ ..] = guid.Data4;
    let rest: String = rest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{{{:08x}-{:04x}-{:04x}-{a:02x}{b:02x}-{rest}}}", guid.Data1, guid.Data2, guid.Data3)
}

/// A NUL-terminated text; `None` for NULL.
///
/// # Safety
/// `start` is NULL or points at a NUL-terminated string.
pub(super) unsafe fn text(start: PCWSTR) -> Result<Option<String>> {
    if start.is_null() {
        return Ok(None);
    }
    let mut units: Vec<WCHAR> = Vec::new();
    loop {
        // SAFETY: as promised by the caller: all up to the NUL.
        match unsafe { start.add(units.len()).read_unaligned() } {
            0 => break,
            _ if units.len() == MAX_TEXT => return Err(Error::INVALID_PARAMETER),
            unit => units.push(unit),
        }
    }
    String::from_utf16(&units).map(Some).map_err(|_| Error::INVALID_PARAMETER)
}

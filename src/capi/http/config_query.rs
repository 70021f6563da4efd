//! The answers to `HttpQueryServiceConfiguration`: one entry by its key, or the next one by a number. What an answer points
//! at stands behind it in the caller's buffer.
#![expect(unsafe_code, reason = "reads and writes the caller's structures")]
#![expect(non_upper_case_globals, reason = "Windows spelling, as in the header")]

use std::net::{IpAddr, SocketAddr};

use crate::abi::base::{DWORD, GUID, SOCKADDR_STORAGE, ULONG, USHORT};
use crate::abi::error::{Error, Result};
use crate::abi::http::*;
use crate::config::{Config, SslBinding, SslKey, SslParam, canonical};

use super::address;
use super::config_read::{Input, ccs_key, sni_key, ssl_key, text};
use super::property_buffers::Wanted;
use super::tail::Tail;

/// Seconds of a timeout that is not set.
const DEFAULT_TIMEOUT: USHORT = 120;
/// `MaxCacheResponseSize` and `CacheRangeChunkSize` where they are not set.
const DEFAULT_CACHE: (ULONG, ULONG) = (262_144, 0);

/// Which entry is asked for.
enum Which<K> {
    Exact(K),
    Next(DWORD),
}

impl<K> Which<K> {
    /// Finds the entry among all of its list. Past the end there are no more items; without the key there is no file.
    fn find<'a, T>(self, mut all: impl Iterator<Item = &'a T>, is: impl Fn(&T, &K) -> bool) -> Result<&'a T> {
        match self {
            Which::Exact(key) => all.find(|entry| is(entry, &key)).ok_or(Error::FILE_NOT_FOUND),
            Which::Next(token) => all.nth(token as usize).ok_or(Error::NO_MORE_ITEMS),
        }
    }
}

fn which<K>(
    kind: HTTP_SERVICE_CONFIG_QUERY_TYPE,
    token: DWORD,
    key: impl FnOnce() -> Result<K>,
) -> Result<Which<K>> {
    match kind {
        HttpServiceConfigQueryExact => key().map(Which::Exact),
        HttpServiceConfigQueryNext => Ok(Which::Next(token)),
        _ => Err(Error::INVALID_PARAMETER),
    }
}

/// Answers a query.
///
/// # Safety
/// `input` is NULL or valid for reads of its length, with everything it points at; `wanted` holds places valid for writes.
pub(super) unsafe fn query(
    id: HTTP_SERVICE_CONFIG_ID,
    config: &Config,
    input: Input,
    wanted: Wanted,
) -> Result<()> {
    // SAFETY: as promised by the caller.
    unsafe {
        match id {
            HttpServiceConfigIPListenList => write_ip_listen(&config.ip_listen, wanted),
            HttpServiceConfigUrlAclInfo => query_url_acl(config, input, wanted),
            HttpServiceConfigTimeout => match input.read::<HTTP_SERVICE_CONFIG_TIMEOUT_KEY>()? {
                IdleConnectionTimeout => {
                    wanted.write(config.timeouts.idle_connection.unwrap_or(DEFAULT_TIMEOUT))
                }
                HeaderWaitTimeout => wanted.write(config.timeouts.header_wait.unwrap_or(DEFAULT_TIMEOUT)),
                _ => Err(Error::INVALID_PARAMETER),
            },
            HttpServiceConfigCache => match input.read::<HTTP_SERVICE_CONFIG_CACHE_KEY>()? {
                MaxCacheResponseSize => {
                    wanted.write(config.cache.max_response_size.unwrap_or(DEFAULT_CACHE.0))
                }
                CacheRangeChunkSize => wanted.write(config.cache.range_chunk_size.unwrap_or(DEFAULT_CACHE.1)),
                _ => Err(Error::INVALID_PARAMETER),
            },
            HttpServiceConfigSetting => query_setting(config, input, wanted),
            HttpServiceConfigSSLCertInfo
            | HttpServiceConfigSslSniCertInfo
            | HttpServiceConfigSslCcsCertInfo
            | HttpServiceConfigSslScopedCcsCertInfo => query_ssl(id, config, input, wanted),
            _ => Err(Error::INVALID_PARAMETER),
        }
    }
    .map_err(|error| if error == Error::MORE_DATA { Error::INSUFFICIENT_BUFFER } else { error })
}

/// # Safety
/// As [`query`].
unsafe fn write_ip_listen(addresses: &[IpAddr], wanted: Wanted) -> Result<()> {
    if addresses.is_empty() {
        return Err(Error::FILE_NOT_FOUND);
    }
    // The list begins at the alignment of an address, 8 bytes in.
    let mut bytes = vec![0; 4];
    for ip in addresses {
        bytes.extend_from_slice(&storage(SocketAddr::new(*ip, 0)));
    }
    // SAFETY: as promised by the caller.
    unsafe { wanted.write_with_tail(addresses.len() as ULONG, &bytes) }
}

/// A `SOCKADDR_STORAGE`.
fn storage(address: SocketAddr) -> [u8; size_of::<SOCKADDR_STORAGE>()] {
    let mut bytes = [0; size_of::<SOCKADDR_STORAGE>()];
    address::write(&address, &mut bytes[..address::room(&address)]);
    bytes
}

/// # Safety
/// As [`query`].
unsafe fn query_url_acl(config: &Config, input: Input, wanted: Wanted) -> Result<()> {
    // SAFETY: as promised by the caller, here and below.
    let asked: HTTP_SERVICE_CONFIG_URLACL_QUERY = unsafe { input.read()? };
    let key = || {
        // SAFETY: see above.
        let url = unsafe { text(asked.KeyDesc.pUrlPrefix)? }.ok_or(Error::INVALID_PARAMETER)?;
        canonical(&url).map_err(|trouble| trouble.code())
    };
    let which = which(asked.QueryDesc, asked.dwToken, key)?;
    let acl = which
        .find(config.url_acls.iter(), |acl, url: &String| acl.url.to_lowercase() == url.to_lowercase())?;
    let mut tail = Tail::behind::<HTTP_SERVICE_CONFIG_URLACL_SET>(wanted.start);
    let (url, _) = tail.wide(Some(&acl.url));
    let (sddl, _) = tail.wide(Some(&acl.sddl));
    let set = HTTP_SERVICE_CONFIG_URLACL_SET {
        KeyDesc: HTTP_SERVICE_CONFIG_URLACL_KEY { pUrlPrefix: url },
        ParamDesc: HTTP_SERVICE_CONFIG_URLACL_PARAM { pStringSecurityDescriptor: sddl },
    };
    // SAFETY: see above.
    unsafe { wanted.write_with_tail(set, &tail.bytes) }
}

/// # Safety
/// As [`query`].
unsafe fn query_setting(config: &Config, input: Input, wanted: Wanted) -> Result<()> {
    // SAFETY: as promised by the caller, here and below.
    let key: HTTP_SERVICE_CONFIG_SETTING_KEY = unsafe { input.read()? };
    if key != HttpTlsThrottle {
        return Err(Error::INVALID_PARAMETER);
    }
    let value = config.settings.get(&key.to_string()).and_then(serde_json::Value::as_u64);
    let value = value.and_then(|value| ULONG::try_from(value).ok()).ok_or(Error::FILE_NOT_FOUND)?;
    // SAFETY: see above.
    unsafe { wanted.write(value) }
}

/// # Safety
/// As [`query`].
unsafe fn query_ssl(id: HTTP_SERVICE_CONFIG_ID, config: &Config, input: Input, wanted: Wanted) -> Result<()> {
    // SAFETY: as promised by the caller.
    let which = unsafe {
        match id {
            HttpServiceConfigSSLCertInfo => {
                let asked: HTTP_SERVICE_CONFIG_SSL_QUERY = input.read()?;
                which(asked.QueryDesc, asked.dwToken, || ssl_key(asked.KeyDesc))?
            }
            HttpServiceConfigSslCcsCertInfo => {
                let asked: HTTP_SERVICE_CONFIG_SSL_CCS_QUERY = input.read()?;
                which(asked.QueryDesc, asked.dwToken, || ccs_key(asked.KeyDesc))?
            }
            _ => {
                let asked: HTTP_SERVICE_CONFIG_SSL_SNI_QUERY = input.read()?;
                which(asked.QueryDesc, asked.dwToken, || sni_key(id, asked.KeyDesc))?
            }
        }
    };
    let of_list = config.ssl_bindings.iter().filter(|binding| is_of(id, &binding.key));
    let binding = which.find(of_list, |binding: &SslBinding, key| binding.key.is(key))?;
    // SAFETY: as promised by the caller.
    unsafe { write_ssl(binding, wanted) }
}

fn is_of(id: HTTP_SERVICE_CONFIG_ID, key: &SslKey) -> bool {
    match key {
        SslKey::Ip { .. } => id == HttpServiceConfigSSLCertInfo,
        SslKey::Sni { .. } => id == HttpServiceConfigSslSniCertInfo,
        SslKey::Ccs { .. } => id == HttpServiceConfigSslCcsCertInfo,
        SslKey::ScopedCcs { .. } => id == HttpServiceConfigSslScopedCcsCertInfo,
    }
}

/// # Safety
/// As [`query`].
unsafe fn write_ssl(binding: &SslBinding, wanted: Wanted) -> Result<()> {
    match &binding.key {
        SslKey::Ip { address } => {
            let mut tail = Tail::behind::<HTTP_SERVICE_CONFIG_SSL_SET>(wanted.start);
            let at = tail.reserve(size_of::<SOCKADDR_STORAGE>());
            tail.put(at, &storage(*address));
            let key = HTTP_SERVICE_CONFIG_SSL_KEY { pIpPort: tail.address(at).cast() };
            let set =
                HTTP_SERVICE_CONFIG_SSL_SET { KeyDesc: key, ParamDesc: param(&binding.param, &mut tail) };
            // SAFETY: as promised by the caller, here and below.
            unsafe { wanted.write_with_tail(set, &tail.bytes) }
        }
        SslKey::Ccs { address } => {
            let mut tail = Tail::behind::<HTTP_SERVICE_CONFIG_SSL_CCS_SET>(wanted.start);
            let key = HTTP_SERVICE_CONFIG_SSL_CCS_KEY { LocalAddress: as_storage(*address) };
            let set =
                HTTP_SERVICE_CONFIG_SSL_CCS_SET { KeyDesc: key, ParamDesc: param(&binding.param, &mut tail) };
            // SAFETY: see above.
            unsafe { wanted.write_with_tail(set, &tail.bytes) }
        }
        SslKey::Sni { host, address } | SslKey::ScopedCcs { host, address } => {
            let mut tail = Tail::behind::<HTTP_SERVICE_CONFIG_SSL_SNI_SET>(wanted.start);
            let (name, _) = tail.wide(Some(host));
            let key = HTTP_SERVICE_CONFIG_SSL_SNI_KEY { IpPort: as_storage(*address), Host: name };
            let set =
                HTTP_SERVICE_CONFIG_SSL_SNI_SET { KeyDesc: key, ParamDesc: param(&binding.param, &mut tail) };
            // SAFETY: see above.
            unsafe { wanted.write_with_tail(set, &tail.bytes) }
        }
    }
}

fn as_storage(address: SocketAddr) -> SOCKADDR_STORAGE {
    let bytes = storage(address);
    // SAFETY: plain bytes and numbers, for which every pattern is a value; as many as are read.
    unsafe { bytes.as_ptr().cast::<SOCKADDR_STORAGE>().read_unaligned() }
}

fn param(param: &SslParam, tail: &mut Tail) -> HTTP_SERVICE_CONFIG_SSL_PARAM {
    let hash: Vec<u8> =
        (0..param.cert_hash.len() / 2).filter_map(|at| byte(&param.cert_hash, at * 2)).collect();
    let at = tail.reserve(hash.len());
    tail.put(at, &hash);
    let hash_start = if hash.is_empty() { std::ptr::null_mut() } else { tail.address(at).cast() };
    HTTP_SERVICE_CONFIG_SSL_PARAM {
        SslHashLength: hash.len() as ULONG,
        pSslHash: hash_start,
        AppId: guid(&param.app_id),
        pSslCertStoreName: tail.wide(param.store.as_deref()).0,
        DefaultCertCheckMode: param.check_mode,
        DefaultRevocationFreshnessTime: param.revocation_freshness,
        DefaultRevocationUrlRetrievalTimeout: param.revocation_timeout,
        pDefaultSslCtlIdentifier: tail.wide(param.ctl_identifier.as_deref()).0,
        pDefaultSslCtlStoreName: tail.wide(param.ctl_store.as_deref()).0,
        DefaultFlags: param.flags,
    }
}

fn byte(hex: &str, at: usize) -> Option<u8> {
    u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()
}

/// The GUID of a text in braces; zeros where the file has something else.
fn guid(text: &str) -> GUID {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let bits = if digits.len() == 32 { u128::from_str_radix(&digits, 16).unwrap_or(0) } else { 0 };
    GUID {
        Data1: (bits >> 96) as u32,
        Data2: (bits >> 80) as u16,
        Data3: (bits >> 64) as u16,
        Data4: (bits as u64).to_be_bytes(),
    }
}

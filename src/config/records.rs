//! What stands in the configuration file, section by section. Members that this version does not know are kept.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Addresses that ports are opened on; all when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ip_listen: Vec<IpAddr>,
    /// URL reservations, in the order they were made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub url_acls: Vec<UrlAcl>,
    /// Service-wide timeouts.
    #[serde(skip_serializing_if = "Timeouts::is_empty")]
    pub timeouts: Timeouts,
    /// The cache's settings.
    #[serde(skip_serializing_if = "CacheParameters::is_empty")]
    pub cache: CacheParameters,
    /// `HTTP_SERVICE_CONFIG_SETTING_KEY` by number.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub settings: Map<String, Value>,
    /// Certificates of ports, in the order they were made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ssl_bindings: Vec<SslBinding>,
    /// Limits and switches by the registry's names (`parameters`).
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub parameters: Map<String, Value>,
    /// The proxy of WinHTTP sessions that ask for the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub winhttp_proxy: Option<WinHttpProxy>,
    /// What another version wrote.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What WinHttpSetDefaultProxyConfiguration keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WinHttpProxy {
    /// The proxy list; without one, connections are direct.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// The bypass list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bypass: Option<String>,
}

/// A URL reservation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrlAcl {
    /// The prefix, in canonical form.
    pub url: String,
    /// Who may do what with it.
    pub sddl: String,
}

/// Service-wide timeouts in seconds; `None` is the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timeouts {
    /// Between two requests of a connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_connection: Option<u16>,
    /// For a head to arrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_wait: Option<u16>,
}

impl Timeouts {
    fn is_empty(&self) -> bool {
        *self == Timeouts::default()
    }
}

/// `HTTP_SERVICE_CONFIG_CACHE_KEY`, in bytes; `None` is the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CacheParameters {
    /// `MaxCacheResponseSize`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_response_size: Option<u32>,
    /// `CacheRangeChunkSize`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range_chunk_size: Option<u32>,
}

impl CacheParameters {
    fn is_empty(&self) -> bool {
        *self == CacheParameters::default()
    }
}

/// What a certificate is bound to; the kinds are lists of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SslKey {
    /// `HttpServiceConfigSSLCertInfo`: an address and a port.
    Ip {
        /// Address and port; the unspecified address stands for all.
        address: SocketAddr,
    },
    /// `HttpServiceConfigSslSniCertInfo`: a name and a port.
    Sni {
        /// The name a client asks for.
        host: String,
        /// The port, at the unspecified address.
        address: SocketAddr,
    },
    /// `HttpServiceConfigSslCcsCertInfo`: certificates of the central store, for a port.
    Ccs {
        /// The port, at the unspecified address.
        address: SocketAddr,
    },
    /// `HttpServiceConfigSslScopedCcsCertInfo`: the same for a name.
    ScopedCcs {
        /// The name a client asks for.
        host: String,
        /// The port, at the unspecified address.
        address: SocketAddr,
    },
}

impl SslKey {
    /// Whether two keys name the same binding: names do not distinguish capitals.
    pub fn is(&self, other: &SslKey) -> bool {
        match (self, other) {
            (SslKey::Sni { host: a, address: x }, SslKey::Sni { host: b, address: y })
            | (SslKey::ScopedCcs { host: a, address: x }, SslKey::ScopedCcs { host: b, address: y }) => {
                x == y && a.eq_ignore_ascii_case(b)
            }
            _ => self == other,
        }
    }

    /// Whether both are of one list.
    pub fn is_like(&self, other: &SslKey) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// A certificate binding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SslBinding {
    /// What it is for.
    #[serde(flatten)]
    pub key: SslKey,
    /// How it is served.
    #[serde(flatten)]
    pub param: SslParam,
}

/// `HTTP_SERVICE_CONFIG_SSL_PARAM`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SslParam {
    /// Thumbprint of the certificate, in hexadecimal.
    pub cert_hash: String,
    /// Who made the binding: a GUID.
    pub app_id: String,
    /// Store of the certificate; `None` is "MY".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// `DefaultCertCheckMode`.
    pub check_mode: u32,
    /// `DefaultRevocationFreshnessTime`, seconds.
    pub revocation_freshness: u32,
    /// `DefaultRevocationUrlRetrievalTimeout`, milliseconds.
    pub revocation_timeout: u32,
    /// `pDefaultSslCtlIdentifier`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ctl_identifier: Option<String>,
    /// `pDefaultSslCtlStoreName`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ctl_store: Option<String>,
    /// `DefaultFlags`.
    pub flags: u32,
}

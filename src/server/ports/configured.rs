//! What the service configuration means for the engine: who may register, what is reserved, where ports are opened, and the
//! limits and timeouts that hold from the start.
//!
//! The file is looked at again whenever a URL is registered (its reservations take effect at once); limits and timeouts
//! are read once, as Windows reads its registry.

use std::net::IpAddr;

use parking_lot::Mutex;

use crate::abi::error::{Error, Result};
use crate::config::{Account, Config, Parameters, Store, Verdict, may_register};
use crate::win32::last_error;
use crate::wire::prefix::UrlPrefix;
use crate::wire::request::{Limits, Syntax};

use crate::server::cache::CacheLimits;
use crate::server::service::Timeouts;

/// The configuration as it was read last.
pub(crate) struct Configured {
    store: Store,
    read: Mutex<Read>,
    /// Limits and switches, as they were at the start.
    pub(crate) parameters: Parameters,
    /// Service-wide timeouts, as they were at the start; 0 where the default holds.
    pub(crate) timeouts: Timeouts,
}

struct Read {
    version: crate::config::Version,
    config: Config,
}

impl Configured {
    /// Reads the configuration. One that is malformed counts as empty, and whoever registers is told.
    pub(crate) fn read() -> Configured {
        let store = Store::of_this_user();
        let version = store.version();
        let config = store.read().unwrap_or_default();
        let parameters = Parameters::of(&config.parameters);
        let timeouts = Timeouts {
            idle_connection: config.timeouts.idle_connection.unwrap_or(0),
            header_wait: config.timeouts.header_wait.unwrap_or(0),
            ..Timeouts::default()
        };
        Configured { store, read: Mutex::new(Read { version, config }), parameters, timeouts }
    }

    /// The limits on request heads.
    pub(crate) fn limits(&self) -> Limits {
        let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        Limits {
            field: number(self.parameters.max_field_length),
            head: number(self.parameters.max_request_bytes),
            segment: number(self.parameters.url_segment_max_length),
            segments: number(self.parameters.url_segment_max_count),
            syntax: self.syntax(),
        }
    }

    /// The exceptions to the grammar of request heads.
    fn syntax(&self) -> Syntax {
        let parameters = &self.parameters;
        Syntax {
            restricted: parameters.allow_restricted_chars != 0,
            unescaped: parameters.allow_unescaped_restricted_chars != 0,
            percent_u: parameters.percent_u_allowed != 0,
            non_utf8: parameters.enable_non_utf8 != 0,
            favor_utf8: parameters.favor_utf8 != 0,
            weak_names: parameters.allow_weak_header_name_syntax != 0,
            weak_values: parameters.allow_weak_header_value_syntax != 0,
            any_case_verbs: parameters.allow_case_insensitive_verbs != 0,
        }
    }

    /// How much the cache keeps.
    pub(crate) fn cache_limits(&self) -> CacheLimits {
        let parameters = &self.parameters;
        let configured = self.read.lock().config.cache.max_response_size;
        CacheLimits {
            enabled: parameters.uri_enable_cache != 0,
            response: configured.map_or(parameters.uri_max_uri_bytes, u64::from),
            total: parameters.uri_max_cache_megabytes << 20,
            scavenge_ms: parameters.uri_scavenger_period.saturating_mul(1000),
        }
    }

    /// Whether this process may register a prefix; what is reserved on its port, and where the port is to be opened.
    pub(crate) fn admit(&self, prefix: &UrlPrefix) -> Result<Admission> {
        let mut read = self.read.lock();
        let version = self.store.version();
        if read.version != version {
            let config = self.store.read().map_err(|fault| {
                last_error::explain(format_args!("service configuration: {fault}"));
                Error::BADDB
            })?;
            *read = Read { version, config };
        }
        let config = &read.config;
        let required = self.parameters.require_reservations != 0;
        // Nothing is asked of the system where nothing is reserved.
        let free = config.url_acls.is_empty() && !required;
        if !free && may_register(&config.url_acls, prefix, &Account::current(), required) == Verdict::Denied {
            let url = prefix.to_text();
            last_error::explain(format_args!(
                "{url} is reserved for others; reserve it with: nthttp add urlacl url={url} user=NAME"
            ));
            return Err(Error::ACCESS_DENIED);
        }
        let urls = config.url_acls.iter().map(|acl| acl.url.encode_utf16().collect::<Vec<_>>());
        let reserved = urls.filter_map(|url| UrlPrefix::parse(&url).ok()).filter(|p| p.port == prefix.port);
        Ok(Admission { reserved: reserved.collect(), addresses: config.ip_listen.clone() })
    }
}

/// What holds on a port.
#[derive(Default)]
pub(crate) struct Admission {
    /// The prefixes reserved there.
    pub(crate) reserved: Vec<UrlPrefix>,
    /// The addresses it is to be opened on; all when there are none.
    pub(crate) addresses: Vec<IpAddr>,
}

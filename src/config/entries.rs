//! Entries of the configuration: added, changed and deleted by their keys, the same for the C functions and the command.

use std::net::IpAddr;

use crate::abi::error::Error;
use crate::wire::prefix::UrlPrefix;

use super::access::Account;
use super::records::{Config, SslBinding, SslKey, UrlAcl};
use super::sddl::{DELEGATE, Dacl};
use super::store::{Fault, Store};

/// One entry, or with only its key meant, the name of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// An address to listen on, which is all key.
    IpListen(IpAddr),
    /// A reservation, by its URL.
    UrlAcl(UrlAcl),
    /// Seconds between two requests of a connection.
    IdleConnection(u16),
    /// Seconds for a head to arrive.
    HeaderWait(u16),
    /// Bytes of the largest cached response.
    MaxCacheResponseSize(u32),
    /// Bytes of a piece of a cached range.
    CacheRangeChunkSize(u32),
    /// A setting by its number.
    Setting(u32, u32),
    /// A certificate, by what it is bound to.
    Ssl(Box<SslBinding>),
}

/// Why an entry was not added, changed or deleted.
#[derive(Debug)]
pub enum Trouble {
    /// There is one with this key.
    Exists,
    /// There is none with this key.
    Missing,
    /// The account may not do that.
    Denied,
    /// It makes no sense: why.
    Invalid(&'static str),
    /// The file could not be read or written.
    Fault(Fault),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Trouble {
        if fault.is_denied() { Trouble::Denied } else { Trouble::Fault(fault) }
    }
}

impl Trouble {
    /// The Win32 error it is.
    pub fn code(&self) -> Error {
        match self {
            Trouble::Exists => Error::ALREADY_EXISTS,
            Trouble::Missing => Error::FILE_NOT_FOUND,
            Trouble::Denied => Error::ACCESS_DENIED,
            Trouble::Invalid(_) => Error::INVALID_PARAMETER,
            Trouble::Fault(Fault::Malformed(..)) => Error::BADDB,
            Trouble::Fault(Fault::Io(..)) => Error::REGISTRY_IO_FAILED,
        }
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Trouble::Exists => f.write_str("there is such an entry already; delete it first"),
            Trouble::Missing => f.write_str("there is no such entry"),
            Trouble::Denied => f.write_str("this user may not change the configuration"),
            Trouble::Invalid(why) => f.write_str(why),
            Trouble::Fault(fault) => write!(f, "{fault}"),
        }
    }
}

impl Store {
    /// Adds an entry; single values (timeouts, cache, settings) are overwritten, others must be new.
    pub fn add(&self, entry: Entry) -> Result<(), Trouble> {
        let entry = entry.checked()?;
        self.change(|config| {
            if entry.is_keyed() && config.has(&entry) {
                return Err(Trouble::Exists);
            }
            if let Entry::UrlAcl(acl) = &entry {
                may_reserve(config, acl, &Account::current())?;
            }
            config.put(entry);
            Ok(())
        })
    }

    /// Changes an entry that is there.
    pub fn update(&self, entry: Entry) -> Result<(), Trouble> {
        let entry = entry.checked()?;
        self.change(|config| {
            if !config.has(&entry) {
                return Err(Trouble::Missing);
            }
            config.put(entry);
            Ok(())
        })
    }

    /// Deletes the entry with this one's key.
    pub fn delete(&self, entry: &Entry) -> Result<(), Trouble> {
        let canonical = match entry {
            Entry::UrlAcl(acl) => &Entry::UrlAcl(UrlAcl { url: canonical(&acl.url)?, sddl: String::new() }),
            other => other,
        };
        self.change(|config| if config.take(canonical) { Ok(()) } else { Err(Trouble::Missing) })
    }
}

impl Entry {
    fn is_keyed(&self) -> bool {
        matches!(self, Entry::IpListen(_) | Entry::UrlAcl(_) | Entry::Ssl(_))
    }

    /// In canonical form, if it makes sense.
    fn checked(self) -> Result<Entry, Trouble> {
        match self {
            Entry::UrlAcl(UrlAcl { url, sddl }) => {
                Dacl::parse(&sddl).ok_or(Trouble::Invalid("the SDDL is not understood"))?;
                Ok(Entry::UrlAcl(UrlAcl { url: canonical(&url)?, sddl }))
            }
            other => Ok(other),
        }
    }
}

/// The canonical form of a prefix, in which reservations are kept and compared.
pub fn canonical(url: &str) -> Result<String, Trouble> {
    let units: Vec<u16> = url.encode_utf16().collect();
    let prefix = UrlPrefix::parse(&units).map_err(|_| {
        Trouble::Invalid(
            "the URL is not a prefix such as http://+:8080/path/ (scheme, host, port and a slash)",
        )
    })?;
    Ok(prefix.to_text())
}

/// One who is no administrator needs the right to delegate on the reservation above, if there is one; and a port carries
/// one scheme.
fn may_reserve(config: &Config, acl: &UrlAcl, account: &Account) -> Result<(), Trouble> {
    let parts = |url: &str| UrlPrefix::parse(&url.encode_utf16().collect::<Vec<_>>()).ok();
    let Some(wanted) = parts(&acl.url) else { return Err(Trouble::Invalid("the URL is not a prefix")) };
    let mut above: Option<(usize, &UrlAcl)> = None;
    for other in &config.url_acls {
        let Some(prefix) = parts(&other.url) else { continue };
        if prefix.port == wanted.port && prefix.scheme != wanted.scheme {
            return Err(Trouble::Exists);
        }
        let parent = prefix.port == wanted.port
            && prefix.host == wanted.host
            && wanted.path.to_lowercase().starts_with(&prefix.path.to_lowercase());
        if parent && above.is_none_or(|(len, _)| prefix.path.len() > len) {
            above = Some((prefix.path.len(), other));
        }
    }
    let granted =
        |acl: &UrlAcl| Dacl::parse(&acl.sddl).is_some_and(|d| d.grants(DELEGATE, |t| account.is(t)));
    match above {
        Some((_, parent)) if !account.is_administrator() && !granted(parent) => Err(Trouble::Denied),
        _ => Ok(()),
    }
}

impl Config {
    /// Whether there is an entry with this key.
    fn has(&self, entry: &Entry) -> bool {
        match entry {
            Entry::IpListen(address) => self.ip_listen.contains(address),
            Entry::UrlAcl(acl) => self.url_acl(&acl.url).is_some(),
            Entry::IdleConnection(_) => self.timeouts.idle_connection.is_some(),
            Entry::HeaderWait(_) => self.timeouts.header_wait.is_some(),
            Entry::MaxCacheResponseSize(_) => self.cache.max_response_size.is_some(),
            Entry::CacheRangeChunkSize(_) => self.cache.range_chunk_size.is_some(),
            Entry::Setting(key, _) => self.settings.contains_key(&key.to_string()),
            Entry::Ssl(binding) => self.ssl_binding(&binding.key).is_some(),
        }
    }

    /// The reservation of a URL in canonical form; capitals of paths make no difference.
    pub fn url_acl(&self, url: &str) -> Option<&UrlAcl> {
        self.url_acls.iter().find(|acl| acl.url.to_lowercase() == url.to_lowercase())
    }

    /// The certificate of a key.
    pub fn ssl_binding(&self, key: &SslKey) -> Option<&SslBinding> {
        self.ssl_bindings.iter().find(|binding| binding.key.is(key))
    }

    fn put(&mut self, entry: Entry) {
        match entry {
            Entry::IpListen(address) => self.ip_listen.push(address),
            Entry::UrlAcl(acl) => {
                match self.url_acls.iter_mut().find(|a| a.url.to_lowercase() == acl.url.to_lowercase()) {
                    Some(place) => *place = acl,
                    None => self.url_acls.push(acl),
                }
            }
            Entry::IdleConnection(seconds) => self.timeouts.idle_connection = Some(seconds),
            Entry::HeaderWait(seconds) => self.timeouts.header_wait = Some(seconds),
            Entry::MaxCacheResponseSize(bytes) => self.cache.max_response_size = Some(bytes),
            Entry::CacheRangeChunkSize(bytes) => self.cache.range_chunk_size = Some(bytes),
            Entry::Setting(key, value) => drop(self.settings.insert(key.to_string(), value.into())),
            Entry::Ssl(binding) => match self.ssl_bindings.iter_mut().find(|b| b.key.is(&binding.key)) {
                Some(place) => *place = *binding,
                None => self.ssl_bindings.push(*binding),
            },
        }
    }

    /// Takes out the entry with this key; false if there is none.
    fn take(&mut self, entry: &Entry) -> bool {
        let there = self.has(entry);
        match entry {
            Entry::IpListen(address) => self.ip_listen.retain(|a| a != address),
            Entry::UrlAcl(acl) => self.url_acls.retain(|a| a.url.to_lowercase() != acl.url.to_lowercase()),
            Entry::IdleConnection(_) => self.timeouts.idle_connection = None,
            Entry::HeaderWait(_) => self.timeouts.header_wait = None,
            Entry::MaxCacheResponseSize(_) => self.cache.max_response_size = None,
            Entry::CacheRangeChunkSize(_) => self.cache.range_chunk_size = None,
            Entry::Setting(key, _) => drop(self.settings.remove(&key.to_string())),
            Entry::Ssl(binding) => self.ssl_bindings.retain(|b| !b.key.is(&binding.key)),
        }
        there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acl(url: &str) -> Entry {
        Entry::UrlAcl(UrlAcl { url: url.into(), sddl: "D:(A;;GX;;;WD)".into() })
    }

    #[test]
    fn entries_come_and_go_by_their_keys() {
        let folder = std::env::temp_dir().join(format!("nthttp-entries-{}", std::process::id()));
        let store = Store::at(folder.join("config.json"));
        store.add(acl("http://LocalHost:80/App")).unwrap();
        assert!(matches!(store.add(acl("http://localhost:80/app/")), Err(Trouble::Exists)));
        assert!(matches!(store.add(acl("https://+:80/x/")), Err(Trouble::Exists)));
        assert!(matches!(store.add(acl("http://localhost/")), Err(Trouble::Invalid(_))));
        assert_eq!(store.read().unwrap().url_acls[0].url, "http://localhost:80/App/");
        store.delete(&acl("http://localhost:80/APP")).unwrap();
        assert!(matches!(store.delete(&acl("http://localhost:80/APP")), Err(Trouble::Missing)));
        store.add(Entry::IdleConnection(7)).unwrap();
        store.add(Entry::IdleConnection(8)).unwrap();
        assert_eq!(store.read().unwrap().timeouts.idle_connection, Some(8));
        assert!(matches!(store.update(Entry::HeaderWait(1)), Err(Trouble::Missing)));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_reservation_below_another_needs_the_right_to_delegate() {
        let above = |sddl: &str| Config {
            url_acls: vec![UrlAcl { url: "http://+:80/a/".into(), sddl: sddl.into() }],
            ..Config::default()
        };
        let below = UrlAcl { url: "http://+:80/A/b/".into(), sddl: String::new() };
        let someone = Account { user: 7, groups: Vec::new() };
        assert!(matches!(may_reserve(&above("D:(A;;GX;;;WD)"), &below, &someone), Err(Trouble::Denied)));
        assert!(may_reserve(&above("D:(A;;GW;;;WD)"), &below, &someone).is_ok());
        assert!(
            may_reserve(&above("D:(A;;GX;;;WD)"), &below, &Account { user: 0, groups: Vec::new() }).is_ok()
        );
    }
}

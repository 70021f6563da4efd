//! `add`, `delete` and `update`: entries of the configuration, by the tags netsh has for them.

use crate::config::{Entry as Stored, Parameter, SslBinding, SslParam, Store, Trouble, UrlAcl, user_sddl};

use super::Outcome;
use super::netsh::{SSL_TAGS, ip_address, ssl_binding, ssl_key};
use super::running;
use super::tags::Values;
use super::words::{Delete, Entry, Tags};

/// The tags of `urlacl`, in netsh's order.
const URL_TAGS: [&str; 5] = ["url", "user", "listen", "delegate", "sddl"];

/// `add`.
pub(super) fn add(what: Entry) -> Outcome {
    match entry(&what, None)? {
        Change::Entry(entry) => told(Store::of_this_user().add(entry)),
        Change::Parameter(parameter, value) => set(parameter, Some(value)),
    }
}

/// `update`: single values are put in place, bindings must be there.
pub(super) fn update(what: Entry) -> Outcome {
    let store = Store::of_this_user();
    if matches!(what, Entry::Urlacl(_) | Entry::Iplisten(_)) {
        return Err("such entries are not changed in place: delete and add it".to_owned());
    }
    let config = store.read().map_err(|fault| fault.to_string())?;
    match entry(&what, Some(&config))? {
        Change::Entry(entry @ Stored::Ssl(_)) => told(store.update(entry)),
        Change::Entry(entry) => told(store.add(entry)),
        Change::Parameter(parameter, value) => set(parameter, Some(value)),
    }
}

/// `delete`.
pub(super) fn delete(what: Delete) -> Outcome {
    let entry = match what {
        Delete::Cache(tags) => return running::delete_cache(tags),
        Delete::Parameter(tags) => {
            let values = Values::read(&tags.given, &["name"])?;
            return set(parameter(&values)?, None);
        }
        Delete::Urlacl(tags) => {
            let values = Values::read(&tags.given, &["url"])?;
            Stored::UrlAcl(UrlAcl { url: values.need("url")?.to_owned(), sddl: String::new() })
        }
        Delete::Iplisten(tags) => Stored::IpListen(ip_address(&Values::read(&tags.given, &["ipaddress"])?)?),
        Delete::Sslcert(tags) => {
            let values = Values::read(&tags.given, &SSL_TAGS[..3])?;
            let key = ssl_key(&values)?.ok_or("ipport=..., hostnameport=... or ccs=... is missing")?;
            Stored::Ssl(Box::new(SslBinding { key, param: SslParam::default() }))
        }
        Delete::Timeout(tags) => timeout(&Values::read(&tags.given, &["timeouttype"])?, 0)?,
        Delete::Cacheparam(tags) => cache_parameter(&Values::read(&tags.given, &["type"])?, 0)?,
    };
    told(Store::of_this_user().delete(&entry))
}

/// What an entry's tags come to.
enum Change {
    Entry(Stored),
    Parameter(&'static Parameter, serde_json::Value),
}

fn entry(what: &Entry, known: Option<&crate::config::Config>) -> Result<Change, String> {
    Ok(Change::Entry(match what {
        Entry::Urlacl(tags) => url_acl(tags)?,
        Entry::Iplisten(tags) => Stored::IpListen(ip_address(&Values::read(&tags.given, &["ipaddress"])?)?),
        Entry::Sslcert(tags) => {
            let values = Values::read(&tags.given, &SSL_TAGS)?;
            let key = ssl_key(&values)?.ok_or("ipport=..., hostnameport=... or ccs=... is missing")?;
            let base = known.and_then(|config| config.ssl_binding(&key)).map(|found| found.param.clone());
            Stored::Ssl(Box::new(ssl_binding(key, &values, base.unwrap_or_default())?))
        }
        Entry::Timeout(tags) => {
            let values = Values::read(&tags.given, &["timeouttype", "value"])?;
            timeout(&values, values.number("value")?.ok_or("value=SECONDS is missing")?)?
        }
        Entry::Cacheparam(tags) => {
            let values = Values::read(&tags.given, &["type", "value"])?;
            cache_parameter(&values, values.number("value")?.ok_or("value=BYTES is missing")?)?
        }
        Entry::Parameter(tags) => {
            let values = Values::read(&tags.given, &["name", "value"])?;
            let parameter = parameter(&values)?;
            return Ok(Change::Parameter(parameter, parameter.read(values.need("value")?)?));
        }
    }))
}

fn url_acl(tags: &Tags) -> Result<Stored, String> {
    let values = Values::read(&tags.given, &URL_TAGS)?;
    let sddl = match (values.get("sddl"), values.get("user")) {
        (Some(sddl), None) => sddl.to_owned(),
        (None, Some(user)) => {
            let listen = values.switch("listen")?.unwrap_or(true);
            let delegate = values.switch("delegate")?.unwrap_or(false);
            user_sddl(user, listen, delegate)
                .ok_or_else(|| format!("user={user}: no such user or group, or no right is given"))?
        }
        _ => return Err("say either user=NAME or sddl=SDDL".to_owned()),
    };
    Ok(Stored::UrlAcl(UrlAcl { url: values.need("url")?.to_owned(), sddl }))
}

fn timeout(values: &Values, seconds: u16) -> Result<Stored, String> {
    match values.need("timeouttype")?.to_ascii_lowercase().as_str() {
        "idleconnectiontimeout" => Ok(Stored::IdleConnection(seconds)),
        "headerwaittimeout" => Ok(Stored::HeaderWait(seconds)),
        other => Err(format!("timeouttype={other}: say idleconnectiontimeout or headerwaittimeout")),
    }
}

fn cache_parameter(values: &Values, bytes: u32) -> Result<Stored, String> {
    match values.need("type")?.to_ascii_lowercase().as_str() {
        "maxcacheresponsesize" => Ok(Stored::MaxCacheResponseSize(bytes)),
        "cacherangechunksize" => Ok(Stored::CacheRangeChunkSize(bytes)),
        other => Err(format!("type={other}: say maxcacheresponsesize or cacherangechunksize")),
    }
}

fn parameter(values: &Values) -> Result<&'static Parameter, String> {
    let name = values.need("name")?;
    Parameter::by_name(name)
        .ok_or_else(|| format!("name={name}: no such parameter; see: nthttp show parameter"))
}

/// Sets a parameter, or takes it back.
fn set(parameter: &Parameter, value: Option<serde_json::Value>) -> Outcome {
    told(Store::of_this_user().change(|config| {
        match value {
            Some(value) => drop(config.parameters.insert(parameter.name.to_owned(), value)),
            None if config.parameters.remove(parameter.name).is_none() => return Err(Trouble::Missing),
            None => {}
        }
        Ok(())
    }))
}

fn told(outcome: Result<(), Trouble>) -> Outcome {
    outcome.map_err(|trouble| match trouble {
        Trouble::Denied => {
            let path = Store::of_this_user().path().display().to_string();
            format!(
                "{path} may not be changed by this user; set NTHTTP_CONFIG to a file of your own, or be root"
            )
        }
        other => other.to_string(),
    })
}

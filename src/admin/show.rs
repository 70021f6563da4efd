//! `show`: what is stored, and (through `running`) what runs.

use serde_json::{Map, Value};

use crate::config::{Config, Dacl, Kind, PARAMETERS, Parameters, SslBinding, SslKey, Store, UrlAcl};

use super::Outcome;
use super::netsh::{CHECKS, FLAGS, ssl_key};
use super::print::{heading, json, line, pairs, table, yes};
use super::running;
use super::tags::Values;
use super::words::{Show, Tags};

/// Seconds of a timeout that is not set.
const DEFAULT_TIMEOUT: u16 = 120;

pub(super) fn run(what: Show, as_json: bool) -> Outcome {
    match what {
        Show::Servicestate(tags) => return running::service_state(tags, as_json),
        Show::Cachestate(tags) => return running::cache_state(tags, as_json),
        Show::Counters(tags) => return running::counters(tags, as_json),
        _ => {}
    }
    let config = Store::of_this_user().read().map_err(|fault| fault.to_string())?;
    match what {
        Show::Urlacl(tags) => url_acls(&config, &tags, as_json),
        Show::Iplisten(tags) => ip_listen(&config, &tags, as_json),
        Show::Sslcert(tags) => ssl_bindings(&config, &tags, as_json),
        Show::Timeout => timeouts(&config, as_json),
        Show::Cacheparam => cache_parameters(&config, as_json),
        Show::Parameter(tags) => parameters(&config, &tags, as_json),
        Show::Servicestate(_) | Show::Cachestate(_) | Show::Counters(_) => Ok(()),
    }
}

fn url_acls(config: &Config, tags: &Tags, as_json: bool) -> Outcome {
    let values = Values::read(&tags.given, &["url"])?;
    let wanted = |acl: &&UrlAcl| values.get("url").is_none_or(|url| acl.url.eq_ignore_ascii_case(url));
    let found: Vec<&UrlAcl> = config.url_acls.iter().filter(wanted).collect();
    if as_json {
        return json(&found);
    }
    heading("URL reservations");
    for acl in found {
        line(&format!("    Reserved URL : {}", acl.url));
        for entry in Dacl::parse(&acl.sddl).map_or(Vec::new(), |dacl| dacl.entries) {
            line(&format!("        {}: {}", if entry.allows { "User" } else { "Denied" }, entry.trustee));
            let right = |bit| yes(entry.rights & bit != 0);
            line(&format!("            Listen: {}", right(crate::config::LISTEN)));
            line(&format!("            Delegate: {}", right(crate::config::DELEGATE)));
        }
        line(&format!("            SDDL: {}", acl.sddl));
    }
    Ok(())
}

fn ip_listen(config: &Config, tags: &Tags, as_json: bool) -> Outcome {
    let values = Values::read(&tags.given, &["ipaddress"])?;
    let wanted = |ip: &&std::net::IpAddr| values.get("ipaddress").is_none_or(|text| ip.to_string() == text);
    let found: Vec<_> = config.ip_listen.iter().filter(wanted).collect();
    if as_json {
        return json(&found);
    }
    heading("IP addresses present in the IP listen list");
    if found.is_empty() {
        line("    none: ports are opened on every address");
    }
    found.iter().for_each(|address| line(&format!("    {address}")));
    Ok(())
}

fn ssl_bindings(config: &Config, tags: &Tags, as_json: bool) -> Outcome {
    let values = Values::read(&tags.given, &["ipport", "hostnameport", "ccs"])?;
    let key = ssl_key(&values)?;
    let wanted = |binding: &&SslBinding| key.as_ref().is_none_or(|key| binding.key.is(key));
    let found: Vec<&SslBinding> = config.ssl_bindings.iter().filter(wanted).collect();
    if as_json {
        return json(&found);
    }
    heading("SSL certificate bindings");
    for binding in found {
        pairs(4, &ssl_pairs(binding));
        line("");
    }
    Ok(())
}

fn ssl_pairs(binding: &SslBinding) -> Vec<(&'static str, String)> {
    let param = &binding.param;
    let place = match &binding.key {
        SslKey::Ip { address } => ("IP:port", address.to_string()),
        SslKey::Sni { host, address } => ("Hostname:port", format!("{host}:{}", address.port())),
        SslKey::Ccs { address } => ("Central Certificate Store", address.port().to_string()),
        SslKey::ScopedCcs { host, address } => {
            ("Scoped Certificate Store", format!("{host}:{}", address.port()))
        }
    };
    let none = || "(null)".to_owned();
    let mut found = vec![
        place,
        ("Certificate Hash", if param.cert_hash.is_empty() { none() } else { param.cert_hash.clone() }),
        ("Application ID", param.app_id.clone()),
        ("Certificate Store Name", param.store.clone().unwrap_or_else(none)),
    ];
    for (name, bit, enables) in CHECKS {
        let set = param.check_mode & bit != 0;
        found.push((name, able(set == enables)));
    }
    found.push(("Revocation Freshness Time", param.revocation_freshness.to_string()));
    found.push(("URL Retrieval Timeout", param.revocation_timeout.to_string()));
    found.push(("Ctl Identifier", param.ctl_identifier.clone().unwrap_or_else(none)));
    found.push(("Ctl Store Name", param.ctl_store.clone().unwrap_or_else(none)));
    found.extend(FLAGS.iter().map(|(name, bit)| (*name, able(param.flags & bit != 0))));
    found
}

fn able(on: bool) -> String {
    (if on { "Enabled" } else { "Disabled" }).to_owned()
}

fn timeouts(config: &Config, as_json: bool) -> Outcome {
    let idle = config.timeouts.idle_connection.unwrap_or(DEFAULT_TIMEOUT);
    let header = config.timeouts.header_wait.unwrap_or(DEFAULT_TIMEOUT);
    if as_json {
        return json(&serde_json::json!({ "idle_connection": idle, "header_wait": header }));
    }
    heading("Timeouts (seconds)");
    pairs(4, &[("Idle Connection", idle.to_string()), ("Header Wait", header.to_string())]);
    Ok(())
}

fn cache_parameters(config: &Config, as_json: bool) -> Outcome {
    if as_json {
        return json(&config.cache);
    }
    let told = |value: Option<u32>| value.map_or("default".to_owned(), |bytes| bytes.to_string());
    heading("Cache parameters (bytes)");
    let cache = config.cache;
    let shown = [
        ("Max Cache Response Size", told(cache.max_response_size)),
        ("Cache Range Chunk Size", told(cache.range_chunk_size)),
    ];
    pairs(4, &shown);
    Ok(())
}

fn parameters(config: &Config, tags: &Tags, as_json: bool) -> Outcome {
    let values = Values::read(&tags.given, &["name"])?;
    let effective = Parameters::of(&config.parameters);
    let mut rows = Vec::new();
    let mut found = Map::new();
    for parameter in PARAMETERS {
        if values.get("name").is_some_and(|name| !name.eq_ignore_ascii_case(parameter.name)) {
            continue;
        }
        let value: Value = match parameter.kind {
            Kind::Number(..) => effective.number(parameter.name).into(),
            Kind::Text => effective.text(parameter.name).into(),
        };
        let shown = match &value {
            Value::Null => "default".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let origin = if config.parameters.contains_key(parameter.name) { "set" } else { "" };
        rows.push(vec![parameter.name.to_owned(), shown, origin.to_owned(), parameter.about.to_owned()]);
        found.insert(parameter.name.to_owned(), value);
    }
    if as_json {
        return json(&Value::Object(found));
    }
    table(&["name", "value", "", "what it is"], &rows);
    Ok(())
}

//! `dump` and `apply`: the configuration as the commands that make it, and back.

use std::io::Read;
use std::path::Path;

use clap::Parser;

use crate::config::{Config, SslBinding, SslKey, Store};

use super::Outcome;
use super::netsh::{CHECKS, FLAGS};
use super::print::{json, line};
use super::words::{Command, Words};

/// `dump`.
pub(super) fn dump(as_json: bool) -> Outcome {
    let config = Store::of_this_user().read().map_err(|fault| fault.to_string())?;
    if as_json {
        return json(&config);
    }
    lines(&config).iter().for_each(|text| line(text));
    Ok(())
}

fn lines(config: &Config) -> Vec<String> {
    let mut out: Vec<String> =
        config.ip_listen.iter().map(|ip| format!("add iplisten ipaddress={ip}")).collect();
    let quote = |text: &str| if text.contains(' ') { format!("\"{text}\"") } else { text.to_owned() };
    for acl in &config.url_acls {
        out.push(format!("add urlacl url={} sddl={}", quote(&acl.url), quote(&acl.sddl)));
    }
    let timeouts = [
        ("idleconnectiontimeout", config.timeouts.idle_connection),
        ("headerwaittimeout", config.timeouts.header_wait),
    ];
    for (name, seconds) in timeouts {
        out.extend(seconds.map(|seconds| format!("add timeout timeouttype={name} value={seconds}")));
    }
    let cache = [
        ("maxcacheresponsesize", config.cache.max_response_size),
        ("cacherangechunksize", config.cache.range_chunk_size),
    ];
    for (name, bytes) in cache {
        out.extend(bytes.map(|bytes| format!("add cacheparam type={name} value={bytes}")));
    }
    for (name, value) in &config.parameters {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        out.push(format!("add parameter name={name} value={}", quote(&value)));
    }
    out.extend(config.ssl_bindings.iter().filter_map(ssl_line));
    out
}

/// A binding that the command can make; those of a scoped store only the C functions can.
fn ssl_line(binding: &SslBinding) -> Option<String> {
    let place = match &binding.key {
        SslKey::Ip { address } => format!("ipport={address}"),
        SslKey::Sni { host, address } => format!("hostnameport={host}:{}", address.port()),
        SslKey::Ccs { address } => format!("ccs={}", address.port()),
        SslKey::ScopedCcs { .. } => return None,
    };
    let param = &binding.param;
    let mut out = format!("add sslcert {place} appid={}", param.app_id);
    let mut tag = |name: &str, value: &str| out.push_str(&format!(" {name}={value}"));
    if !param.cert_hash.is_empty() {
        tag("certhash", &param.cert_hash);
    }
    let texts = [
        ("certstorename", &param.store),
        ("sslctlidentifier", &param.ctl_identifier),
        ("sslctlstorename", &param.ctl_store),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            tag(name, &format!("\"{text}\""));
        }
    }
    tag("revocationfreshnesstime", &param.revocation_freshness.to_string());
    tag("urlretrievaltimeout", &param.revocation_timeout.to_string());
    for (name, bit, enables) in CHECKS {
        tag(name, if (param.check_mode & bit != 0) == enables { "enable" } else { "disable" });
    }
    for (name, bit) in FLAGS {
        tag(name, if param.flags & bit != 0 { "enable" } else { "disable" });
    }
    Some(out)
}

/// `apply`: every line is checked before the first one is carried out.
pub(super) fn apply(file: &Path, dry_run: bool) -> Outcome {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.map_err(|why| format!("{}: {why}", file.display()))?;
    let mut commands = Vec::new();
    for (at, text) in text.lines().enumerate() {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        commands.push((at + 1, read(text).map_err(|why| format!("line {}: {why}", at + 1))?));
    }
    if dry_run {
        return Ok(());
    }
    for (at, command) in commands {
        super::run(command, false).map_err(|why| format!("line {at}: {why}"))?;
    }
    Ok(())
}

fn read(text: &str) -> Result<Command, String> {
    let words = split(text)?;
    let given = std::iter::once("nthttp".to_owned()).chain(words);
    let words = Words::try_parse_from(given)
        .map_err(|why| why.to_string().lines().next().unwrap_or("?").to_owned())?;
    match words.command {
        command @ (Command::Add { .. } | Command::Delete { .. } | Command::Update { .. }) => Ok(command),
        _ => Err("only add, delete and update are carried out from a file".to_owned()),
    }
}

/// Words between spaces; quotation marks keep spaces in one.
fn split(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quoted, mut any) = (Vec::new(), String::new(), false, false);
    for character in text.chars() {
        match character {
            '"' => {
                quoted = !quoted;
                any = true;
            }
            ' ' | '\t' if !quoted => {
                if any || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            other => word.push(other),
        }
    }
    if quoted {
        return Err("a quotation mark is not closed".to_owned());
    }
    if any || !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::UrlAcl;

    #[test]
    fn quotation_marks_keep_spaces() {
        assert_eq!(split("a  b=\"c d\" \"\"").unwrap(), ["a", "b=c d", ""]);
        assert!(split("a \"b").is_err());
    }

    #[test]
    fn what_is_dumped_is_understood() {
        let mut config = Config::default();
        config.url_acls.push(UrlAcl { url: "http://+:80/a b/".into(), sddl: "D:(A;;GX;;;WD)".into() });
        config.timeouts.idle_connection = Some(9);
        config.ip_listen.push([127, 0, 0, 1].into());
        config.parameters.insert("MaxFieldLength".into(), 20_000.into());
        for text in lines(&config) {
            assert!(read(&text).is_ok(), "{text}");
        }
        assert!(read("show timeout").is_err() && read("nonsense").is_err());
    }
}

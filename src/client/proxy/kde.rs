//! KDE's proxy settings: the group `[Proxy Settings]` of `kioslaverc`.
//!
//! A list of servers that alone are asked through the proxy (`ReversedException`) cannot be said in a bypass list:
//! then there is no proxy.

use std::collections::HashMap;
use std::path::Path;

use crate::client::small_file::contents;

use super::bypass::from_suffixes;
use super::settings::UserSettings;
use super::{NAMED, Proxy};

/// The file, in the user's configuration folder.
pub(super) const FILE: &str = "kioslaverc";

/// Larger files are no settings.
const LARGEST: u64 = 1 << 20;

/// What the file says; `None` when there is none, or nothing about a proxy in it.
pub(super) fn read(folder: &Path, variable: impl Fn(&str) -> Option<String>) -> Option<UserSettings> {
    parse(&String::from_utf8(contents(&folder.join(FILE), LARGEST)?).ok()?, variable)
}

fn parse(text: &str, variable: impl Fn(&str) -> Option<String>) -> Option<UserSettings> {
    let keys = group(text, "[Proxy Settings]");
    let key = |name: &str| keys.get(name).copied().filter(|value| !value.is_empty());
    let direct = UserSettings { proxy: Proxy::direct(), ..UserSettings::default() };
    match key("ProxyType")?.parse::<u32>().ok()? {
        1 => Some(UserSettings { proxy: manual(&key, |value| Some(value.to_owned())), ..direct }),
        2 => Some(UserSettings { script: key("Proxy Config Script").map(str::to_owned), ..direct }),
        3 => Some(UserSettings { auto_detect: true, ..direct }),
        // The values are names of variables.
        4 => Some(UserSettings { proxy: manual(&key, variable), ..direct }),
        _ => Some(direct),
    }
}

/// The `key=value` lines of one group.
fn group<'a>(text: &'a str, name: &str) -> HashMap<&'a str, &'a str> {
    let lines = text.lines().map(str::trim).skip_while(|line| *line != name).skip(1);
    let own = lines.take_while(|line| !line.starts_with('['));
    // `key[$e]` is the same key with a mark.
    let plain = |key: &'a str| key.split('[').next().unwrap_or(key).trim();
    own.filter_map(|line| line.split_once('=')).map(|(key, value)| (plain(key), value.trim())).collect()
}

fn manual<'a>(key: &impl Fn(&str) -> Option<&'a str>, value_of: impl Fn(&str) -> Option<String>) -> Proxy {
    if key("ReversedException").is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1") {
        return Proxy::direct();
    }
    let mut items = Vec::new();
    for (name, label) in [("httpProxy", "http="), ("httpsProxy", "https="), ("socksProxy", "socks=")] {
        let Some(server) = key(name).and_then(&value_of).and_then(|value| server(&value)) else { continue };
        items.push(format!("{label}{server}"));
    }
    if items.is_empty() {
        return Proxy::direct();
    }
    let bypass = key("NoProxyFor").and_then(value_of).map(|list| from_suffixes(&list));
    Proxy { access: NAMED, list: Some(items.join(";")), bypass: bypass.filter(|list| !list.is_empty()) }
}

/// `scheme://host port`, as KDE writes it, or with a colon. KDE's `socks://` is a SOCKS proxy that gets names.
fn server(value: &str) -> Option<String> {
    let mut words = value.trim_end_matches('/').split_whitespace();
    let host = words.next().filter(|host| !host.contains([';', '=']))?;
    match words.next() {
        None => Some(host.to_owned()),
        Some(port) => Some(format!("{host}:{}", port.parse::<u16>().ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<UserSettings> {
        parse(text, |name| (name == "MY_PROXY").then(|| "http://v:7".to_owned()))
    }

    fn list(text: &str) -> Option<String> {
        read(&format!("[Other]\nProxyType=9\n[Proxy Settings]\n{text}\n[More]\nhttpProxy=no\n"))?.proxy.list
    }

    #[test]
    fn each_type_of_setting_is_told_apart() {
        assert_eq!(read(""), None);
        assert_eq!(read("[Proxy Settings]\nhttpProxy=http://p 1\n"), None);
        assert!(read("[Proxy Settings]\nProxyType=3").unwrap().auto_detect);
        let script = read("[Proxy Settings]\nProxy Config Script=http://w/x.pac\nProxyType=2").unwrap();
        assert_eq!(script.script.as_deref(), Some("http://w/x.pac"));
        let none = read("[Proxy Settings]\nProxyType=0\nhttpProxy=http://p 1").unwrap();
        assert_eq!((none.auto_detect, none.script, none.proxy), (false, None, Proxy::direct()));
    }

    #[test]
    fn servers_stand_with_a_blank_or_a_colon() {
        assert_eq!(list("ProxyType=1\nhttpProxy=http://p 3128"), Some("http=http://p:3128".into()));
        let two = "ProxyType=1\nhttpProxy[$e]=p:1\nsocksProxy=socks://s 1080\nhttpsProxy=";
        assert_eq!(list(two), Some("http=p:1;socks=socks://s:1080".into()));
        assert_eq!(list("ProxyType=4\nhttpProxy=MY_PROXY\nhttpsProxy=UNSET"), Some("http=http://v:7".into()));
        assert_eq!(list("ProxyType=1\nhttpProxy=p x"), None);
        assert_eq!(list("ProxyType=1\nhttpProxy=p 1\nReversedException=true"), None);
        let bypass =
            read("[Proxy Settings]\nProxyType=1\nhttpProxy=p 1\nNoProxyFor=.kde.org,10.0.0.1").unwrap();
        assert_eq!(bypass.proxy.bypass.as_deref(), Some("kde.org;*.kde.org;10.0.0.1"));
    }
}

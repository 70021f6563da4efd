//! GNOME's proxy settings: the keys of `org.gnome.system.proxy`, from dconf's data base or from the key file that
//! sandboxed programs have instead of it.
//!
//! Only what the user has set is found: a machine's own defaults (dconf profiles) are not looked for. Names of users and
//! passwords, which GNOME keeps for http alone, are not used.

use std::collections::HashMap;
use std::path::Path;

use crate::client::small_file::contents;

use super::bypass::from_suffixes;
use super::gvdb::{self, Value};
use super::settings::UserSettings;
use super::{NAMED, Proxy};

/// The files, in the user's configuration folder; the second counts where the first says nothing.
pub(super) const FILES: [&str; 2] = ["dconf/user", "glib-2.0/settings/keyfile"];

/// Larger files are no settings.
const LARGEST: u64 = 16 << 20;

/// Values by their path below `/system/proxy/`.
type Keys = HashMap<String, Value>;

/// What the user has set; `None` when there is nothing about a proxy.
pub(super) fn read(folder: &Path) -> Option<UserSettings> {
    let bytes = |file: &str| contents(&folder.join(file), LARGEST);
    let from_dconf = bytes(FILES[0]).map(|data| gvdb::values_below(&data, "/system/proxy/"));
    let from_file = || bytes(FILES[1]).map(|data| parse(&String::from_utf8_lossy(&data)));
    from_dconf.and_then(|keys| decide(&keys)).or_else(|| decide(&from_file()?))
}

/// Reads the `[system/proxy...]` groups of a key file.
fn parse(text: &str) -> Keys {
    let (mut keys, mut group) = (Keys::new(), None);
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let below = name.strip_prefix("system/proxy");
            group = below.map(|rest| rest.trim_start_matches('/').to_owned());
        } else if let (Some(group), Some((key, value))) = (&group, line.split_once('=')) {
            let path =
                if group.is_empty() { key.trim().to_owned() } else { format!("{group}/{}", key.trim()) };
            if let Some(value) = read_text(value.trim()) {
                keys.insert(path, value);
            }
        }
    }
    keys
}

/// A value in GVariant's text form: `'text'`, a number, or `['a', 'b']`.
fn read_text(text: &str) -> Option<Value> {
    let quoted = |text: &str| {
        let text = text.trim();
        let quote = text.chars().next().filter(|c| ['\'', '"'].contains(c))?;
        text.strip_prefix(quote)?.strip_suffix(quote).map(str::to_owned)
    };
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return Some(Value::Texts(inner.split(',').filter_map(quoted).collect()));
    }
    quoted(text).map(Value::Text).or_else(|| text.parse().ok().map(Value::Number))
}

fn decide(keys: &Keys) -> Option<UserSettings> {
    let text = |key: &str| match keys.get(key) {
        Some(Value::Text(text)) if !text.is_empty() => Some(text.as_str()),
        _ => None,
    };
    let direct = UserSettings { proxy: Proxy::direct(), ..UserSettings::default() };
    match text("mode")? {
        "manual" => Some(UserSettings { proxy: manual(keys), ..direct }),
        "auto" => {
            let script = text("autoconfig-url").map(str::to_owned);
            Some(UserSettings { auto_detect: script.is_none(), script, ..direct })
        }
        _ => Some(direct),
    }
}

fn manual(keys: &Keys) -> Proxy {
    let mut items = Vec::new();
    for (name, label) in [("http", "http="), ("https", "https="), ("socks", "socks=")] {
        let (host, port) = (keys.get(&format!("{name}/host")), keys.get(&format!("{name}/port")));
        let (Some(Value::Text(host)), Some(Value::Number(port))) = (host, port) else { continue };
        let usable = !host.is_empty() && !host.contains([';', '=', ' ']);
        if let (true, Ok(port @ 1..)) = (usable, u16::try_from(*port)) {
            items.push(format!("{label}{}:{port}", bracketed(host)));
        }
    }
    if items.is_empty() {
        return Proxy::direct();
    }
    let ignored = match keys.get("ignore-hosts") {
        Some(Value::Texts(hosts)) => from_suffixes(&hosts.join(",").replace("*.", "")),
        // What GNOME itself starts with.
        _ => from_suffixes("localhost,127.0.0.0/8,::1"),
    };
    Proxy {
        access: NAMED,
        list: Some(items.join(";")),
        bypass: Some(ignored).filter(|list| !list.is_empty()),
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<UserSettings> {
        decide(&parse(text))
    }

    #[test]
    fn a_key_file_is_read() {
        assert_eq!(read("[system/other]\nmode='manual'\n"), None);
        assert_eq!(read("[system/proxy]\nmode='none'\n").unwrap().proxy, Proxy::direct());
        let auto = read("[system/proxy]\nautoconfig-url='http://w/p.pac'\nmode='auto'\n").unwrap();
        assert_eq!((auto.auto_detect, auto.script.as_deref()), (false, Some("http://w/p.pac")));
        assert!(read("[system/proxy]\nmode='auto'\nautoconfig-url=''\n").unwrap().auto_detect);
    }

    #[test]
    fn manual_proxies_need_a_host_and_a_port() {
        let text = "[system/proxy]\nmode='manual'\nignore-hosts=['localhost', '*.corp', '10.0.0.0/8']\n\
                    [system/proxy/http]\nhost='p'\nport=3128\n[system/proxy/https]\nhost='q'\nport=0\n\
                    [system/proxy/socks]\nhost='::1'\nport=1080\n";
        let proxy = read(text).unwrap().proxy;
        assert_eq!(proxy.list.as_deref(), Some("http=p:3128;socks=[::1]:1080"));
        assert_eq!(proxy.bypass.as_deref(), Some("localhost;*.localhost;corp;*.corp;10.0.0.0/8"));
        assert_eq!(read("[system/proxy]\nmode='manual'\n").unwrap().proxy, Proxy::direct());
    }
}

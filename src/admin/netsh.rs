//! What the tags of entries mean: addresses with ports, thumbprints, GUIDs, and netsh's switches for certificates.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::config::{SslBinding, SslKey, SslParam};

use super::tags::Values;

/// The tags of `sslcert`, in netsh's order.
pub(super) const SSL_TAGS: [&str; 26] = [
    "ipport",
    "hostnameport",
    "ccs",
    "certhash",
    "certstorename",
    "sslctlidentifier",
    "sslctlstorename",
    "appid",
    "verifyclientcertrevocation",
    "verifyrevocationwithcachedclientcertonly",
    "usagecheck",
    "revocationfreshnesstime",
    "urlretrievaltimeout",
    "dsmapperusage",
    "clientcertnegotiation",
    "reject",
    "disablehttp2",
    "disablequic",
    "disablelegacytls",
    "disabletls12",
    "disabletls13",
    "disableocspstapling",
    "enabletokenbinding",
    "logextendedevents",
    "enablesessionticket",
    "disablesessionid",
];

/// Switches of `DefaultFlags`: tag and bit.
pub(super) const FLAGS: [(&str, u32); 13] = [
    ("dsmapperusage", 0x1),
    ("clientcertnegotiation", 0x2),
    ("reject", 0x8),
    ("disablehttp2", 0x10),
    ("disablequic", 0x20),
    ("disabletls13", 0x40),
    ("disableocspstapling", 0x80),
    ("enabletokenbinding", 0x100),
    ("logextendedevents", 0x200),
    ("disablelegacytls", 0x400),
    ("enablesessionticket", 0x800),
    ("disabletls12", 0x1000),
    ("disablesessionid", 0x4000),
];

/// Switches of `DefaultCertCheckMode`: tag, bit, and whether the bit says "enable".
pub(super) const CHECKS: [(&str, u32, bool); 3] = [
    ("verifyclientcertrevocation", 0x1, false),
    ("verifyrevocationwithcachedclientcertonly", 0x2, true),
    ("usagecheck", 0x1_0000, false),
];

/// What a certificate is bound to.
pub(super) fn ssl_key(values: &Values) -> Result<Option<SslKey>, String> {
    let given = [values.get("ipport"), values.get("hostnameport"), values.get("ccs")];
    match given {
        [None, None, None] => Ok(None),
        [Some(text), None, None] => Ok(Some(SslKey::Ip { address: ip_port(text)? })),
        [None, Some(text), None] => {
            let (host, port) =
                text.rsplit_once(':').ok_or_else(|| format!("hostnameport={text}: say NAME:PORT"))?;
            Ok(Some(SslKey::Sni { host: host.to_owned(), address: any(port)? }))
        }
        [None, None, Some(text)] => {
            let port = text.rsplit(':').next().unwrap_or(text);
            Ok(Some(SslKey::Ccs { address: any(port)? }))
        }
        _ => Err("say only one of ipport, hostnameport and ccs".to_owned()),
    }
}

fn any(port: &str) -> Result<SocketAddr, String> {
    let port: u16 = port.parse().map_err(|_| format!("{port}: not a port"))?;
    Ok(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))
}

fn ip_port(text: &str) -> Result<SocketAddr, String> {
    let found: Result<SocketAddr, _> = text.parse();
    match found {
        Ok(address) if address.port() != 0 => Ok(address),
        _ => Err(format!("ipport={text}: say ADDRESS:PORT, such as 0.0.0.0:443 or [::]:443")),
    }
}

/// An address of the listen list.
pub(super) fn ip_address(values: &Values) -> Result<IpAddr, String> {
    let text = values.need("ipaddress")?;
    text.parse().map_err(|_| format!("ipaddress={text}: not an address"))
}

/// A binding made of tags; what is not given is taken from `base`.
pub(super) fn ssl_binding(key: SslKey, values: &Values, base: SslParam) -> Result<SslBinding, String> {
    let central = matches!(key, SslKey::Ccs { .. });
    let mut param = base;
    if let Some(hash) = values.get("certhash") {
        param.cert_hash = thumbprint(hash)?;
    }
    if let Some(id) = values.get("appid") {
        param.app_id = guid(id)?;
    }
    if param.cert_hash.is_empty() && !central {
        return Err("certhash=... is missing".to_owned());
    }
    if param.app_id.is_empty() {
        return Err("appid=... is missing".to_owned());
    }
    let text = |tag, place: &mut Option<String>| {
        if let Some(value) = values.get(tag) {
            *place = Some(value.to_owned());
        }
    };
    text("certstorename", &mut param.store);
    text("sslctlidentifier", &mut param.ctl_identifier);
    text("sslctlstorename", &mut param.ctl_store);
    if let Some(seconds) = values.number("revocationfreshnesstime")? {
        param.revocation_freshness = seconds;
    }
    if let Some(ms) = values.number("urlretrievaltimeout")? {
        param.revocation_timeout = ms;
    }
    for (tag, bit) in FLAGS {
        switch(&mut param.flags, bit, values.switch(tag)?);
    }
    for (tag, bit, enables) in CHECKS {
        switch(&mut param.check_mode, bit, values.switch(tag)?.map(|on| on == enables));
    }
    Ok(SslBinding { key, param })
}

fn switch(bits: &mut u32, bit: u32, on: Option<bool>) {
    match on {
        Some(true) => *bits |= bit,
        Some(false) => *bits &= !bit,
        None => {}
    }
}

/// A thumbprint without separators, in small letters: SHA-1 or SHA-256.
fn thumbprint(text: &str) -> Result<String, String> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
    let sound = matches!(plain.len(), 40 | 64) && plain.bytes().all(|b| b.is_ascii_hexdigit());
    if sound {
        Ok(plain.to_lowercase())
    } else {
        Err(format!("certhash={text}: say 40 or 64 hexadecimal digits"))
    }
}

/// A GUID in braces, in small letters.
fn guid(text: &str) -> Result<String, String> {
    let plain = text.trim_start_matches('{').trim_end_matches('}').to_lowercase();
    let groups: Vec<usize> = plain.split('-').map(str::len).collect();
    let sound = groups == [8, 4, 4, 4, 12] && plain.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    if sound { Ok(format!("{{{plain}}}")) } else { Err(format!("appid={text}: not a GUID")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(given: &[&str]) -> Values {
        Values::read(&given.iter().map(|s| s.to_string()).collect::<Vec<_>>(), &SSL_TAGS).unwrap()
    }

    #[test]
    fn a_binding_is_made_of_tags_and_changed_by_some() {
        let hash = "00 11".repeat(10).replace(' ', "");
        let given = values(&[
            "ipport=0.0.0.0:443",
            &format!("certhash={hash}"),
            "appid={01234567-89AB-cdef-0123-456789abcdef}",
            "clientcertnegotiation=enable",
            "verifyclientcertrevocation=disable",
        ]);
        let key = ssl_key(&given).unwrap().unwrap();
        let made = ssl_binding(key.clone(), &given, SslParam::default()).unwrap();
        assert_eq!((made.param.flags, made.param.check_mode), (2, 1));
        assert_eq!(made.param.app_id, "{01234567-89ab-cdef-0123-456789abcdef}");
        let change = values(&["ipport=0.0.0.0:443", "clientcertnegotiation=disable", "disablehttp2=enable"]);
        let changed = ssl_binding(key, &change, made.param).unwrap();
        assert_eq!((changed.param.flags, changed.param.cert_hash), (0x10, hash));
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for bad in ["ipport=1.2.3.4", "ipport=x:1", "hostnameport=name", "ccs=x"] {
            assert!(ssl_key(&values(&[bad])).is_err(), "{bad}");
        }
        assert!(ssl_key(&values(&["ccs=443", "ipport=1.2.3.4:5"])).is_err());
        assert!(thumbprint("abc").is_err() && guid("x").is_err());
    }
}

//! Where the network's proxy script is (WPAD): DHCP's option 252, as far as a lease on this machine tells it, then
//! DNS, `wpad` in the search domains and above them, never as high as a public suffix.
//!
//! DHCP is not asked anew: that takes a privileged port. The leases of systemd-networkd are readable by everybody;
//! other clients keep theirs for themselves.

use std::path::Path;

use crate::abi::error::{Error, Result};
use crate::client::small_file::contents;
use crate::client::suffixes::is_public_suffix;
use crate::net::client_stream::Cancel;
use crate::net::resolve::{ResolveError, resolve};
use crate::win32::handles::is_forked;
use crate::win32::last_error::explain;

use super::super::connect::hosts;

/// `WINHTTP_AUTO_DETECT_TYPE_DHCP`
pub const DHCP: u32 = 1;
/// `WINHTTP_AUTO_DETECT_TYPE_DNS_A`
pub const DNS_A: u32 = 2;

/// `ERROR_WINHTTP_AUTODETECTION_FAILED`
pub(super) const AUTODETECTION_FAILED: Error = Error(12180);

const LEASES: &str = "/run/systemd/netif/leases";
const RESOLVER: &str = "/etc/resolv.conf";

/// A file of more bytes than this is none of these.
const LONGEST: u64 = 1 << 20;

/// Milliseconds for one name.
const PATIENCE: u32 = 5_000;

/// More names than this are not tried.
const MOST: usize = 16;

/// The URL of the script. Looking names up can take seconds, and ends when `cancel` is.
pub fn find(flags: u32, cancel: &Cancel) -> Result<String> {
    if is_forked() {
        return Err(AUTODETECTION_FAILED);
    }
    if flags & DHCP != 0
        && let Some(url) = from_leases(Path::new(LEASES))
    {
        return Ok(url);
    }
    let mut tried = Vec::new();
    if flags & DNS_A != 0 {
        tried = names(&search_domains());
        for name in &tried {
            let led = hosts::of_environment().and_then(|hosts| hosts.find(name, 80));
            let there = match led {
                Some(places) => Ok(!places.is_empty()),
                None => resolve(name, PATIENCE, cancel).map(|_| true),
            };
            match there {
                Ok(true) => return Ok(format!("http://{name}/wpad.dat")),
                Err(ResolveError::Cancelled) => return Err(Error::WINHTTP_OPERATION_CANCELLED),
                Ok(false) | Err(_) => {}
            }
        }
    }
    match tried.as_slice() {
        [] => explain(format_args!(
            "no DHCP lease names a proxy script, and there is no domain to look for one in"
        )),
        names => explain(format_args!("no proxy script: none of {} has an address", names.join(", "))),
    }
    Err(AUTODETECTION_FAILED)
}

/// Option 252 of the first lease that has it.
fn from_leases(folder: &Path) -> Option<String> {
    let mut files: Vec<_> =
        std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    files.iter().find_map(|file| from_lease(&text_of(file)?))
}

fn text_of(file: &Path) -> Option<String> {
    String::from_utf8(contents(file, LONGEST)?).ok()
}

/// `OPTION_252=` and the bytes in hexadecimal.
fn from_lease(text: &str) -> Option<String> {
    let digits = text.lines().find_map(|line| line.strip_prefix("OPTION_252="))?.trim();
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(byte).collect();
    let url = String::from_utf8(bytes?).ok()?;
    // Some servers end it with a NUL or a line.
    let url = url.trim_matches(['\0', '\n', '\r', ' ']);
    let sound = url.bytes().all(|byte| byte.is_ascii_graphic());
    let known = url.starts_with("http://") || url.starts_with("https://");
    (sound && known).then(|| url.to_owned())
}

/// What names are searched in: `LOCALDOMAIN`, else resolv.conf's last `search` or `domain` line (resolv.conf(5)).
fn search_domains() -> Vec<String> {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    match std::env::var("LOCALDOMAIN") {
        Ok(own) => words(&own),
        Err(_) => {
            let text = text_of(Path::new(RESOLVER)).unwrap_or_default();
            let line = text.lines().rev().find_map(|line| {
                let (word, rest) = line.trim().split_once(char::is_whitespace)?;
                ["search", "domain"].contains(&word).then_some(rest)
            });
            words(line.unwrap_or_default())
        }
    }
}

/// `wpad` in each domain and its parents, without repetition.
fn names(domains: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    for domain in domains {
        let mut rest = domain.trim_matches('.');
        while is_private(rest) && all.len() < MOST {
            let name = format!("wpad.{rest}");
            if !all.contains(&name) {
                all.push(name);
            }
            rest = rest.split_once('.').map_or("", |(_, parent)| parent);
        }
    }
    all
}

/// Whether a domain belongs to somebody, as far as its form tells.
fn is_private(domain: &str) -> bool {
    let whole = domain.split('.').all(|label| !label.is_empty());
    whole && !is_public_suffix(&domain.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_climb_but_not_to_a_public_suffix() {
        let of = |domains: &[&str]| names(&domains.iter().map(|d| (*d).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            of(&["a.b.example.com"]),
            ["wpad.a.b.example.com", "wpad.b.example.com", "wpad.example.com"]
        );
        assert_eq!(of(&["x.corp.co.uk."]), ["wpad.x.corp.co.uk", "wpad.corp.co.uk"]);
        assert_eq!(of(&["bmw.de", "a.bmw.de"]), ["wpad.bmw.de", "wpad.a.bmw.de"]);
        assert!(of(&["com", "CO.UK", "", ".", "a..b"]).is_empty());
        assert_eq!(of(&[&"a.".repeat(100)]).len(), MOST);
    }

    #[test]
    fn a_lease_tells_the_url_in_hexadecimal() {
        assert_eq!(
            from_lease("ADDRESS=1\nOPTION_252=687474703a2f2f772f780a\n").as_deref(),
            Some("http://w/x")
        );
        for bad in ["", "OPTION_252=", "OPTION_252=6", "OPTION_252=zz", "OPTION_252=66747001", "OPTION_252=é"]
        {
            assert_eq!(from_lease(bad), None, "{bad}");
        }
        assert_eq!(from_leases(Path::new("/nonexistent")), None);
    }

    #[test]
    fn a_file_that_is_no_lease_is_not_read_to_its_end() {
        let folder = std::env::temp_dir().join(format!("nthttp-leases-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let lease = "OPTION_252=687474703a2f2f772f78\n";
        let long = " ".repeat(LONGEST as usize + 1 - lease.len());
        std::fs::write(folder.join("1"), format!("{lease}{long}")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", folder.join("2")).unwrap();
        assert_eq!(from_leases(&folder), None);
        std::fs::write(folder.join("1"), format!("{lease}{}", &long[1..])).unwrap();
        assert_eq!(from_leases(&folder).as_deref(), Some("http://w/x"));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn nothing_is_found_without_asking() {
        assert_eq!(find(0, &Cancel::new()), Err(AUTODETECTION_FAILED));
    }
}

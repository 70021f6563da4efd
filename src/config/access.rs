//! Who may register a URL: the reservations' lists, judged for an account (digest §2.5, §2.6, §9.6).
//!
//! Windows lets an ordinary user register only what is reserved for him, or `localhost`. Here a reservation binds as it
//! does there; where there is none, everyone may register, unless the parameter `RequireReservations` is set.

use std::net::IpAddr;

use crate::net::account;
use crate::wire::prefix::{Host, UrlPrefix};

use super::records::UrlAcl;
use super::sddl::{Dacl, LISTEN};

/// An account to be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its user.
    pub user: u32,
    /// Its groups.
    pub groups: Vec<u32>,
}

/// What was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Allowed,
    /// It may not.
    Denied,
}

impl Account {
    /// That of this process.
    pub fn current() -> Account {
        Account { user: account::user_id(), groups: account::group_ids() }
    }

    /// Stands for the administrators.
    pub fn is_administrator(&self) -> bool {
        self.user == 0
    }

    /// Whether a trustee of a list is this account, or a group it is in.
    pub fn is(&self, trustee: &str) -> bool {
        match trustee {
            "WD" | "AU" | "BU" | "IU" | "S-1-1-0" | "S-1-5-11" | "S-1-5-4" | "S-1-5-32-545" => true,
            "BA" | "SY" | "LA" | "S-1-5-18" | "S-1-5-32-544" => self.is_administrator(),
            _ => {
                let number = |prefix| trustee.strip_prefix(prefix).and_then(|n: &str| n.parse::<u32>().ok());
                number("S-1-22-1-") == Some(self.user)
                    || number("S-1-22-2-").is_some_and(|group| self.groups.contains(&group))
            }
        }
    }
}

/// The descriptor that gives a user or group rights, by name or number, as netsh's `user=` does; `None` if there is no such
/// account. `DOMAIN\name` is looked up without its domain.
pub fn user_sddl(name: &str, listen: bool, delegate: bool) -> Option<String> {
    let plain = name.rsplit('\\').next().unwrap_or(name);
    let trustee = match plain.to_ascii_lowercase().as_str() {
        "everyone" => "WD".to_owned(),
        "users" | "builtin users" => "BU".to_owned(),
        "administrators" => "BA".to_owned(),
        "system" => "SY".to_owned(),
        _ => {
            let user = plain.parse().ok().or_else(|| account::user_by_name(plain));
            let of_user = user.map(|id| format!("S-1-22-1-{id}"));
            of_user.or_else(|| account::group_by_name(plain).map(|id| format!("S-1-22-2-{id}")))?
        }
    };
    let rights = match (listen, delegate) {
        (true, true) => "GA",
        (true, false) => "GX",
        (false, true) => "GW",
        (false, false) => return None,
    };
    Some(format!("D:(A;;{rights};;;{trustee})"))
}

/// Whether an account may register a prefix under these reservations.
pub fn may_register(acls: &[UrlAcl], prefix: &UrlPrefix, account: &Account, require: bool) -> Verdict {
    let granted = match longest(acls, prefix) {
        Some(dacl) => dacl.grants(LISTEN, |trustee| account.is(trustee)),
        None => !require || account.is_administrator() || is_own_affair(prefix),
    };
    if granted { Verdict::Allowed } else { Verdict::Denied }
}

/// The list of the longest reservation above a prefix, in the same category, scheme and port. One that cannot be read
/// grants nothing.
fn longest(acls: &[UrlAcl], prefix: &UrlPrefix) -> Option<Dacl> {
    let reserved = |acl: &UrlAcl| {
        let units: Vec<u16> = acl.url.encode_utf16().collect();
        let reserved = UrlPrefix::parse(&units).ok()?;
        let same =
            reserved.scheme == prefix.scheme && reserved.port == prefix.port && reserved.host == prefix.host;
        (same && lies_under(&prefix.path, &reserved.path)).then_some(reserved.path.len())
    };
    let best = acls.iter().filter_map(|acl| Some((reserved(acl)?, acl))).max_by_key(|(len, _)| *len)?;
    Some(Dacl::parse(&best.1.sddl).unwrap_or(Dacl { entries: Vec::new() }))
}

/// Both end with a slash, so that whole segments are compared.
fn lies_under(path: &str, reserved: &str) -> bool {
    path.to_lowercase().starts_with(&reserved.to_lowercase())
}

/// What everyone may register on Windows too: a name of the loopback on a port that is not privileged.
fn is_own_affair(prefix: &UrlPrefix) -> bool {
    let loopback = match &prefix.host {
        Host::Name(name) => name == "localhost",
        Host::Address(IpAddr::V4(address)) => address.is_loopback(),
        Host::Address(IpAddr::V6(address)) => address.is_loopback(),
        Host::Strong | Host::Weak => false,
    };
    loopback && prefix.port >= 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acl(url: &str, sddl: &str) -> UrlAcl {
        UrlAcl { url: url.into(), sddl: sddl.into() }
    }

    fn judge(acls: &[UrlAcl], url: &str, user: u32, require: bool) -> Verdict {
        let prefix = UrlPrefix::parse(&url.encode_utf16().collect::<Vec<_>>()).unwrap();
        may_register(acls, &prefix, &Account { user, groups: vec![100] }, require)
    }

    #[test]
    fn the_longest_reservation_decides() {
        let acls = [
            acl("http://+:80/", "D:(A;;GX;;;S-1-22-1-7)"),
            acl("http://+:80/team/", "D:(A;;GX;;;S-1-22-2-100)"),
            acl("http://*:80/team/deep/", "D:(A;;GX;;;WD)"),
        ];
        assert_eq!(judge(&acls, "http://+:80/x/", 7, false), Verdict::Allowed);
        assert_eq!(judge(&acls, "http://+:80/x/", 8, false), Verdict::Denied);
        assert_eq!(judge(&acls, "http://+:80/TEAM/deep/", 8, false), Verdict::Allowed);
        assert_eq!(judge(&acls, "http://+:80/teams/", 8, false), Verdict::Denied);
        assert_eq!(judge(&acls, "http://+:80/x/", 0, false), Verdict::Denied);
        assert_eq!(judge(&acls, "http://+:81/x/", 8, false), Verdict::Allowed);
    }

    #[test]
    fn without_a_reservation_it_depends() {
        for (url, user, require, wanted) in [
            ("http://+:8080/", 8, false, Verdict::Allowed),
            ("http://+:8080/", 8, true, Verdict::Denied),
            ("http://+:8080/", 0, true, Verdict::Allowed),
            ("http://localhost:8080/", 8, true, Verdict::Allowed),
            ("http://127.0.0.1:8080/", 8, true, Verdict::Allowed),
            ("http://localhost:80/", 8, true, Verdict::Denied),
        ] {
            assert_eq!(judge(&[], url, user, require), wanted, "{url} {user} {require}");
        }
        assert_eq!(judge(&[acl("http://+:80/", "nonsense")], "http://+:80/", 0, false), Verdict::Denied);
    }

    #[test]
    fn names_become_trustees() {
        assert_eq!(user_sddl("Everyone", true, false).as_deref(), Some("D:(A;;GX;;;WD)"));
        assert_eq!(user_sddl("DOMAIN\\root", true, true).as_deref(), Some("D:(A;;GA;;;S-1-22-1-0)"));
        assert_eq!(user_sddl("1234", false, true).as_deref(), Some("D:(A;;GW;;;S-1-22-1-1234)"));
        assert_eq!((user_sddl("no such one", true, false), user_sddl("root", false, false)), (None, None));
    }
}

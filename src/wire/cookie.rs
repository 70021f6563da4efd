//! Cookies as bytes (RFC 6265 §5): Set-Cookie fields, their dates, and the matching of domains and paths. What is
//! kept, and what is sent when, is `client::cookies`' business.

use super::date::{CivilTime, to_unix};
use super::prefix::ascii_name;

/// The longest name and value together; a longer cookie is ignored.
pub const LONGEST_PAIR: usize = 4096;

/// The longest value of an attribute; a longer attribute is ignored.
const LONGEST_ATTRIBUTE: usize = 1024;

/// A Set-Cookie field as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetCookie<'a> {
    /// Never empty.
    pub name: &'a [u8],
    /// Perhaps empty; quotes are part of it.
    pub value: &'a [u8],
    /// Seconds since 1970 at which the cookie ends, from `Expires`.
    pub expires: Option<i64>,
    /// Seconds it lives, from `Max-Age`; goes before `expires`.
    pub max_age: Option<i64>,
    /// As [`canonical_host`] makes it and without a dot in front; `None` without the attribute or when it is empty.
    pub domain: Option<String>,
    /// `None` without the attribute, or when it does not start with a slash.
    pub path: Option<&'a [u8]>,
    /// For https only.
    pub secure: bool,
}

impl<'a> SetCookie<'a> {
    /// Reads a field's value. `None` for one that sets nothing: without a name, with control characters, too long.
    pub fn parse(field: &'a [u8]) -> Option<SetCookie<'a>> {
        if field.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
            return None;
        }
        let mut parts = field.split(|byte| *byte == b';');
        let pair = parts.next()?;
        let (name, value) = split_pair(pair);
        let value = value?;
        if name.is_empty() || name.len() + value.len() > LONGEST_PAIR {
            return None;
        }
        let mut cookie = SetCookie { name, value, ..SetCookie::default() };
        for (name, value) in parts.map(split_pair) {
            let value = value.unwrap_or_default();
            if value.len() <= LONGEST_ATTRIBUTE {
                cookie.take(name, value);
            }
        }
        Some(cookie)
    }

    /// Takes an attribute; the last of each kind counts.
    fn take(&mut self, name: &[u8], value: &'a [u8]) {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if is("Expires") {
            self.expires = parse_date(value).or(self.expires);
        } else if is("Max-Age") {
            self.max_age = parse_age(value).or(self.max_age);
        } else if is("Domain") {
            let bare = value.strip_prefix(b".").unwrap_or(value);
            self.domain =
                Some(canonical_host(&String::from_utf8_lossy(bare))).filter(|text| !text.is_empty());
        } else if is("Path") {
            self.path = Some(value).filter(|path| path.starts_with(b"/"));
        } else if is("Secure") {
            self.secure = true;
        }
    }
}

/// A host as cookies compare it (RFC 6265 §5.1.2): in lower case, an international name in ASCII.
pub fn canonical_host(host: &str) -> String {
    let strange = !host.is_ascii() && host.len() <= LONGEST_ATTRIBUTE;
    let international = if strange { ascii_name(host) } else { None };
    international.unwrap_or_else(|| host.to_ascii_lowercase())
}

/// `name=value`, both trimmed; no value without the sign.
fn split_pair(part: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b'=', part) {
        Some(sign) => (part[..sign].trim_ascii(), Some(part[sign + 1..].trim_ascii())),
        None => (part.trim_ascii(), None),
    }
}

/// Digits, perhaps after a minus sign; numbers beyond reach are as good as the furthest.
fn parse_age(value: &[u8]) -> Option<i64> {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    if digits.len() != value.len() {
        return Some(0);
    }
    let number = std::str::from_utf8(digits).ok()?.parse::<i64>();
    Some(number.unwrap_or(i64::MAX))
}

/// Seconds since 1970 of a cookie date (RFC 6265 §5.1.1): its parts in any order and with odd separators.
pub fn parse_date(text: &[u8]) -> Option<i64> {
    let is_delimiter =
        |byte: &u8| matches!(byte, b'\t' | b' '..=b'/' | b';'..=b'@' | b'['..=b'`' | b'{'..=b'~');
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for word in text.split(is_delimiter).filter(|word| !word.is_empty()) {
        // Each word is the first of these that it can be and that is still missing.
        let found = take_first(&mut time, || read_time(word))
            || take_first(&mut day, || read_number(word, 1..=2))
            || take_first(&mut month, || read_month(word))
            || take_first(&mut year, || read_number(word, 2..=4));
        let _ = found;
    }
    let (time, year) = (time?, year?);
    let year = match year {
        70..=99 => year + 1900,
        0..=69 => year + 2000,
        year => year,
    };
    let [hour, minute, second] = time;
    if year < 1601 || second > 59 {
        return None;
    }
    let civil = CivilTime { year, month: month?, day: day?, hour, minute, second, ..CivilTime::default() };
    to_unix(&civil)
}

fn take_first<T>(place: &mut Option<T>, read: impl FnOnce() -> Option<T>) -> bool {
    if place.is_some() {
        return false;
    }
    *place = read();
    place.is_some()
}

/// Digits at the front, as many as are allowed; what follows must not be another digit.
fn read_number(word: &[u8], digits: std::ops::RangeInclusive<usize>) -> Option<u16> {
    let count = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !digits.contains(&count) {
        return None;
    }
    std::str::from_utf8(&word[..count]).ok()?.parse().ok()
}

fn read_time(word: &[u8]) -> Option<[u16; 3]> {
    let mut parts = word.splitn(3, |byte| *byte == b':');
    let mut time = [0; 3];
    for (at, place) in time.iter_mut().enumerate() {
        let part = parts.next()?;
        // Only the seconds may have something behind them.
        if at < 2 && !part.iter().all(u8::is_ascii_digit) {
            return None;
        }
        *place = read_number(part, 1..=2)?;
    }
    Some(time)
}

fn read_month(word: &[u8]) -> Option<u16> {
    const MONTHS: &[u8; 36] = b"janfebmaraprmayjunjulaugsepoctnovdec";
    let start = word.get(..3)?.to_ascii_lowercase();
    let at = MONTHS.chunks(3).position(|month| month == start)?;
    u16::try_from(at + 1).ok()
}

/// Whether a host is the domain or lies inside it; an address is only itself. Both in lower case.
pub fn domain_matches(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|front| front.ends_with('.')) && !is_address(host)
}

/// Whether a host is an IPv4 or (in brackets or not) an IPv6 address. What ends in a number is no name, but one of the
/// short forms of an IPv4 address that resolvers know, such as `127.1`.
pub fn is_address(host: &str) -> bool {
    let last = host.strip_suffix('.').unwrap_or(host).rsplit('.').next().unwrap_or_default();
    let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    host.contains(':')
        || (!last.is_empty() && digits(last))
        || hex.is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Whether a request path lies at or below a cookie's path.
pub fn path_matches(path: &[u8], prefix: &[u8]) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| prefix.ends_with(b"/") || matches!(rest, [] | [b'/', ..]))
}

/// The directory of a request path, which a cookie without a path belongs to.
pub fn default_path(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(1..) if path[0] != b'/' => b"/",
        None | Some(0) => b"/",
        Some(last) => &path[..last],
    }
}

/// Whether names directly below this one belong to different owners, so that none may set cookies for it: a
/// top-level domain, and the usual second levels below those of two letters (`co.uk`). It is no full list; `suffixes`
/// reads one.
pub fn is_public_suffix(domain: &str) -> bool {
    const SECOND: [&str; 13] =
        ["ac", "co", "com", "edu", "gob", "gov", "go", "mil", "ne", "net", "nom", "or", "org"];
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    match domain.split_once('.') {
        None => true,
        Some((second, top)) => top.len() == 2 && SECOND.contains(&second),
    }
}

#[cfg(test)]
mod tests;

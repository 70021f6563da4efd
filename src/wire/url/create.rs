//! Putting a URL together (digest of WinHTTP §4.3).

use super::escape::{escape_unsafe, escape_user};
use super::{
    ICU_ESCAPE, ICU_ESCAPE_AUTHORITY, ICU_INCLUDE_DEFAULT_PORT, ICU_REJECT_USERPWD, SCHEME_FTP, SCHEME_HTTP,
    SCHEME_HTTPS, SCHEME_SOCKS, known_scheme,
};
use crate::abi::error::{Error, Result};

/// The parts of a URL; `None` stands for a NULL pointer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Components<'a> {
    /// Goes before `scheme_id`.
    pub scheme: Option<&'a [u16]>,
    /// INTERNET_SCHEME; 0 is http.
    pub scheme_id: u32,
    /// User name.
    pub user: Option<&'a [u16]>,
    /// Password; only with a user name.
    pub password: Option<&'a [u16]>,
    /// Host; without one no port is written either.
    pub host: Option<&'a [u16]>,
    /// Port, left out when it is the scheme's own.
    pub port: u16,
    /// Path; gets its leading slash.
    pub path: Option<&'a [u16]>,
    /// What follows the path, `?` or `#` included.
    pub extra: Option<&'a [u16]>,
}

/// The URL, without NUL.
///
/// # Errors
/// INVALID_PARAMETER for a password without user name or an unknown `scheme_id`; WINHTTP_INVALID_URL for user
/// information under ICU_REJECT_USERPWD.
pub fn create(parts: &Components<'_>, flags: u32) -> Result<Vec<u16>> {
    let mut url = Vec::new();
    let default_port = write_scheme(parts, &mut url)?;
    write_user(parts, flags, &mut url)?;
    if let Some(host) = parts.host {
        url.extend_from_slice(host);
        if default_port != Some(parts.port) || flags & ICU_INCLUDE_DEFAULT_PORT != 0 {
            write(&format!(":{}", parts.port), &mut url);
        }
    }
    let put = if flags & ICU_ESCAPE != 0 { escape_unsafe } else { copy };
    let path = parts.path.unwrap_or_default();
    if path.first().is_some_and(|first| *first != u16::from(b'/')) {
        write("/", &mut url);
    }
    put(path, &mut url);
    put(parts.extra.unwrap_or_default(), &mut url);
    Ok(url)
}

/// Writes scheme and `://`; returns the scheme's own port if that is known.
fn write_scheme(parts: &Components<'_>, url: &mut Vec<u16>) -> Result<Option<u16>> {
    match (parts.scheme, parts.scheme_id) {
        (Some(scheme), _) => copy(scheme, url),
        (None, 0 | SCHEME_HTTP) => write("http", url),
        (None, SCHEME_HTTPS) => write("https", url),
        (None, SCHEME_FTP) => write("ftp", url),
        (None, SCHEME_SOCKS) => write("socks", url),
        (None, _) => return Err(Error::INVALID_PARAMETER),
    }
    let port = known_scheme(url).map(|(_, port)| port);
    write("://", url);
    Ok(port)
}

fn write_user(parts: &Components<'_>, flags: u32, url: &mut Vec<u16>) -> Result<()> {
    let put = if flags & ICU_ESCAPE_AUTHORITY != 0 { escape_user } else { copy };
    match (parts.user, parts.password) {
        (None, None) => return Ok(()),
        (None, Some(_)) => return Err(Error::INVALID_PARAMETER),
        _ if flags & ICU_REJECT_USERPWD != 0 => return Err(Error::WINHTTP_INVALID_URL),
        (Some(user), None) => put(user, url),
        (Some(user), Some(password)) => {
            put(user, url);
            write(":", url);
            put(password, url);
        }
    }
    write("@", url);
    Ok(())
}

fn write(ascii: &str, url: &mut Vec<u16>) {
    url.extend(ascii.bytes().map(u16::from));
}

fn copy(text: &[u16], url: &mut Vec<u16>) {
    url.extend_from_slice(text);
}

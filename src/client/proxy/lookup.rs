//! Which proxies a URL is to be asked through, for WinHttpGetProxyForUrl and its kin.
//!
//! Static settings are answered. Scripts are not run: where only a script could tell, the answer is
//! `BAD_AUTO_PROXY_SCRIPT`, and the words say so.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::abi::error::{Error, Result};
use crate::net::client_stream::Cancel;
use crate::win32::last_error::explain;
use crate::wire::url::{SCHEME_HTTPS, crack};

use super::settings::{self, UserSettings};
use super::{Kind, Proxy, bad, detect};

/// `ERROR_WINHTTP_BAD_AUTO_PROXY_SCRIPT`
const BAD_SCRIPT: Error = Error(12166);
/// `ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR`
const SERVICE_ERROR: Error = Error(12178);

/// What is asked, and who may answer it.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// https
    pub secure: bool,
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// A script found by these means (`detect`).
    pub detect: Option<u32>,
    /// A script at this URL.
    pub script: Option<String>,
    /// A script that the user's settings name.
    pub allow_script: bool,
    /// The lists of the user's settings, else the default's.
    pub allow_static: bool,
}

/// One way to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Without a proxy; because of a bypass list, or because there is none.
    Direct {
        /// Because of a bypass list.
        bypassed: bool,
    },
    /// Through this one.
    Through {
        /// What it speaks.
        kind: Kind,
        /// Name or address, without brackets.
        host: String,
        /// Its port.
        port: u16,
        /// As it stands in a list.
        item: String,
    },
}

impl Question {
    /// A question about a URL. `INVALID_URL` or `UNRECOGNIZED_SCHEME` for one that cannot be asked about.
    pub fn about(url: &[u16]) -> Result<Question> {
        let parts = crack(url, 0)?;
        let host = String::from_utf16_lossy(&parts.text[parts.host.clone()]);
        if host.is_empty() {
            return Err(Error::WINHTTP_INVALID_URL);
        }
        Ok(Question {
            secure: parts.scheme_id == SCHEME_HTTPS,
            host,
            port: parts.port,
            ..Question::default()
        })
    }

    /// The answer. May look names up, which takes time and ends when `cancel` is.
    pub fn answer(&self, cancel: &Cancel) -> Result<Vec<Entry>> {
        let mut fault = None;
        if let Some(flags) = self.detect {
            fault = Some(detect::find(flags, cancel).map_or_else(|error| error, |url| cannot_run(&url)));
        }
        if cancel.is_cancelled() {
            return Err(Error::WINHTTP_OPERATION_CANCELLED);
        }
        if let Some(url) = &self.script {
            fault = Some(cannot_run(url));
        }
        let user = if self.allow_script || self.allow_static { settings::user() } else { None };
        if let (true, Some(user)) = (self.allow_script, &user)
            && let Some(error) = script_of(user, cancel)
        {
            fault = fault.or(Some(error));
        }
        if self.allow_static {
            return Ok(self.by_lists(user));
        }
        Err(fault.unwrap_or_else(|| {
            explain(format_args!("no settings name a proxy script"));
            SERVICE_ERROR
        }))
    }

    fn by_lists(&self, user: Option<UserSettings>) -> Vec<Entry> {
        let own = user.map(|user| user.proxy).filter(|proxy| proxy.list.is_some());
        let proxy = own.unwrap_or_else(settings::default_proxy);
        self.by_list(&proxy)
    }

    fn by_list(&self, proxy: &Proxy) -> Vec<Entry> {
        if proxy.list.is_some() && proxy.is_bypassed(self.secure, &self.host, self.port) {
            return vec![Entry::Direct { bypassed: true }];
        }
        let through = proxy.candidates(self.secure, &self.host, self.port).into_iter().map(|server| {
            let bare = server.host.trim_start_matches('[').trim_end_matches(']');
            Entry::Through {
                kind: server.kind,
                host: bare.to_owned(),
                port: server.port,
                item: server.item(),
            }
        });
        let all: Vec<_> = through.collect();
        if all.is_empty() { vec![Entry::Direct { bypassed: false }] } else { all }
    }
}

/// Why the user's script does not answer, if there is one.
fn script_of(user: &UserSettings, cancel: &Cancel) -> Option<Error> {
    match &user.script {
        Some(url) => Some(cannot_run(url)),
        None if user.auto_detect => {
            let found = detect::find(detect::DHCP | detect::DNS_A, cancel);
            Some(found.map_or_else(|error| error, |url| cannot_run(&url)))
        }
        None => None,
    }
}

fn cannot_run(url: &str) -> Error {
    let is = |scheme: &str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    if !is("http://") && !is("https://") {
        explain(format_args!("the proxy script {url} is neither at an http nor at an https URL"));
        return Error::WINHTTP_UNRECOGNIZED_SCHEME;
    }
    explain(format_args!("the proxy script {url} cannot be run: scripts are not built in yet"));
    BAD_SCRIPT
}

/// Counts resets and changes; what was learnt before one of them may be wrong after it.
static GENERATION: AtomicU64 = AtomicU64::new(1);

/// Forgets which proxies could not be reached (WinHttpResetAutoProxy).
pub fn reset() {
    bad::forget();
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// How often things have been forgotten, from 1 on.
pub fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(url: &str) -> Result<Question> {
        Question::about(&url.encode_utf16().collect::<Vec<_>>())
    }

    #[test]
    fn a_question_needs_a_scheme_and_a_host() {
        let question = about("HTTPS://user@Host/path?q").unwrap();
        assert_eq!((question.secure, &*question.host, question.port), (true, "Host", 443));
        assert!(about("http:").is_err() && about("ftp://h/").is_err() && about("").is_err());
    }

    #[test]
    fn lists_are_answered_in_order() {
        let proxy = |list: &str| Proxy { access: 3, list: Some(list.into()), bypass: Some("*.x".into()) };
        let question = about("http://h/").unwrap();
        let items = |answer: Vec<Entry>| -> Vec<String> {
            let item = |entry| match entry {
                Entry::Through { item, .. } => item,
                Entry::Direct { bypassed } => format!("direct {bypassed}"),
            };
            answer.into_iter().map(item).collect()
        };
        assert_eq!(items(question.by_list(&proxy("http=a https=b;[::1]:9"))), ["a:80", "[::1]:9"]);
        assert_eq!(items(question.by_list(&proxy("https=b"))), ["direct false"]);
        assert_eq!(items(about("http://h.x/").unwrap().by_list(&proxy("a"))), ["direct true"]);
        assert_eq!(items(question.by_list(&Proxy::direct())), ["direct false"]);
    }

    #[test]
    fn a_script_is_refused_with_the_error_of_its_kind() {
        let ask = |script: &str| Question { script: Some(script.into()), ..about("http://h/").unwrap() };
        let answer = |question: Question| question.answer(&Cancel::new());
        assert_eq!(answer(ask("http://w/p.pac")), Err(BAD_SCRIPT));
        assert_eq!(answer(ask("file:///p.pac")), Err(Error::WINHTTP_UNRECOGNIZED_SCHEME));
        assert_eq!(answer(about("http://h/").unwrap()), Err(SERVICE_ERROR));
    }
}

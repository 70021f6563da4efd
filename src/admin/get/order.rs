//! What the words ask for, made ready for the transfers: URLs taken apart, files named, the session they share.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use crate::abi::error::Error;
use crate::client::auth::{Login, Target};
use crate::client::proxy::settings::default_proxy;
use crate::client::proxy::{self, Proxy};
use crate::client::request::Request;
use crate::client::session::Session;
use crate::client::settings::{RedirectPolicy, Settings};
use crate::client::{Plan, Url};
use crate::wire::request_fields::RequestField;
use crate::wire::url::{SCHEME_HTTPS, crack, escape_object_name};

use super::callback;
use super::fault::Fault;
use super::files::files;
use super::upload::Upload;
use super::words::Words;

/// Every coding there is: `WINHTTP_DECOMPRESSION_FLAG_ALL` and this library's own.
const ALL_CODINGS: u32 = 0x303;

/// Everything that is asked for.
pub(super) struct Order {
    pub(super) words: Words,
    pub(super) as_json: bool,
    /// As they were given.
    pub(super) urls: Vec<String>,
    /// The same, ready to be sent.
    pub(super) plans: Vec<Plan>,
    /// Who logs in where, from the words or the URL.
    users: Vec<Option<String>>,
    /// Where the bodies go, one a URL; empty when all go to the standard output.
    pub(super) files: Vec<Option<PathBuf>>,
    pub(super) upload: Upload,
    pub(super) session: Arc<Session>,
    /// When `--max-time` is over.
    pub(super) deadline: Option<Instant>,
    /// It is over.
    pub(super) time_is_up: AtomicBool,
}

impl Order {
    pub(super) fn new(verb: &str, mut words: Words, as_json: bool) -> Result<Order, Fault> {
        let urls = std::mem::take(&mut words.urls);
        // Of a head there is nothing else to show.
        words.include |= verb == "HEAD" && !as_json;
        let upload = Upload::new(&words.data, urls.len())?;
        let verb = match &words.request {
            Some(own) => own.clone(),
            None if verb == "GET" && upload.is_some() => "POST".to_owned(),
            None => verb.to_owned(),
        };
        let made = urls.iter().map(|url| plan(&verb, url, &words, &upload)).collect::<Result<Vec<_>, _>>()?;
        let (plans, users): (Vec<Plan>, _) = made.into_iter().unzip();
        let files = files(&words, &urls, &plans)?;
        if words.resume && (files.is_empty() || files.contains(&None)) {
            return Err(Fault::new(33, "only a file can be gone on with: name it with -o or -O"));
        }
        let session = Arc::new(session(&words));
        let deadline = words.max_time.map(|seconds| Instant::now() + Duration::from_secs_f64(seconds));
        let time_is_up = AtomicBool::new(false);
        Ok(Order { words, as_json, urls, plans, users, files, upload, session, deadline, time_is_up })
    }

    /// Where the body of a URL goes, if not to the standard output.
    pub(super) fn file(&self, number: usize) -> Option<&Path> {
        self.files.get(number)?.as_deref()
    }

    /// Gives a request the names and passwords that are for it.
    pub(super) fn log_in(&self, request: &Request, number: usize) {
        let given = [(Target::Server, &self.users[number]), (Target::Proxy, &self.words.proxy_user)];
        for (target, user) in given {
            let Some(user) = user else { continue };
            let (name, password) = user.split_once(':').unwrap_or((user, ""));
            request.with_named_login(target, |login| {
                *login = Login { user: Some(name.to_owned().into()), password: password.to_owned().into() };
            });
        }
    }
}

/// The session, with what the words say for all transfers.
fn session(words: &Words) -> Session {
    let own = concat!("nthttp/", env!("CARGO_PKG_VERSION"));
    let agent = words.user_agent.as_deref().unwrap_or(own);
    let proxy = match &words.proxy {
        Some(list) if list.is_empty() => Proxy::direct(),
        Some(list) => Proxy { access: proxy::NAMED, list: Some(list.clone()), bypass: None },
        None => default_proxy(),
    };
    let session = Session::new(words.at_once, callback::silence(), Arc::from(agent.as_bytes()), proxy);
    session.with(|state| adjust(&mut state.settings, words));
    session
}

fn adjust(settings: &mut Settings, words: &Words) {
    if words.no_location {
        settings.redirect_policy = RedirectPolicy::Never;
    }
    if words.compressed {
        settings.decompression = ALL_CODINGS;
    }
    if let Some(limit) = words.max_redirs {
        settings.max_redirects = limit;
    }
    if let Some(seconds) = words.connect_timeout {
        settings.connect_timeout = (seconds * 1000.0).ceil() as u32;
    }
}

/// One URL and what is sent with it, and who logs in.
fn plan(verb: &str, url: &str, words: &Words, upload: &Upload) -> Result<(Plan, Option<String>), Fault> {
    if !crate::wire::field::is_token(verb.as_bytes()) {
        return Err(Fault::new(2, format!("{verb:?} is no method; methods are words like GET")));
    }
    let (url, user) = read_url(url)?;
    let mut plan = Plan::new(verb.to_owned(), url);
    for header in &words.headers {
        plan.fields.push(read_field(header)?);
    }
    if upload.is_some() {
        let as_it_is = matches!(&words.data[..], [one] if one.starts_with('@'));
        let kind = if as_it_is { "octet-stream" } else { "x-www-form-urlencoded" };
        add_default(&mut plan, "Content-Type", &format!("application/{kind}"))?;
    }
    upload.prepare(&mut plan)?;
    Ok((plan, words.user.clone().or(user)))
}

/// Adds a field unless it is among those given.
fn add_default(plan: &mut Plan, name: &str, value: &str) -> Result<(), Fault> {
    if plan.field(name).is_none() {
        plan.fields.push(RequestField::new(name, value).map_err(Fault::of)?);
    }
    Ok(())
}

fn read_field(text: &str) -> Result<RequestField, Fault> {
    let field = text.split_once(':').and_then(|(name, value)| RequestField::new(name, value).ok());
    let words = || format!("{text:?} is no header field; one is written -H \"Name: value\"");
    field.ok_or_else(|| Fault::new(2, words()))
}

/// A URL, and `user:password` if it has them.
fn read_url(text: &str) -> Result<(Url, Option<String>), Fault> {
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let units: Vec<u16> = whole.encode_utf16().collect();
    let parts = crack(&units, 0).map_err(|error| Fault::of(error).about(text))?;
    if whole[..].chars().take(parts.path.start).any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Fault::of(Error::WINHTTP_INVALID_URL).about(text));
    }
    let piece = |range: std::ops::Range<usize>| String::from_utf16_lossy(&units[range]);
    let user = parts.user.clone().map(|user| {
        let password = parts.password.clone().map(piece).unwrap_or_default();
        format!("{}:{password}", piece(user))
    });
    // A fragment is for the reader, not for the server.
    let end = units[parts.path.start..].iter().position(|unit| *unit == u16::from(b'#'));
    let target = parts.path.start..end.map_or(units.len(), |len| parts.path.start + len);
    let url = Url {
        secure: parts.scheme_id == SCHEME_HTTPS,
        host: piece(parts.host.clone()),
        port: parts.port,
        target: String::from_utf8_lossy(&escape_object_name(&units[target], 0)).into_owned(),
    };
    Ok((url, user))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_may_lack_their_scheme_and_lose_their_fragment() {
        let text = |url: &str| read_url(url).map(|(url, user)| (url.text(), user));
        assert_eq!(text("localhost:81/a b?c#d"), Ok(("http://localhost:81/a%20b?c".into(), None)));
        assert_eq!(text("http://u:p@h"), Ok(("http://h/".into(), Some("u:p".into()))));
        assert_eq!(text("https://[::1]/#x"), Ok(("https://[::1]/".into(), None)));
        assert_eq!(text("ftp://h/").map_err(|fault| fault.code), Err(3));
        assert_eq!(text("http://").map_err(|fault| fault.code), Err(3));
    }

    #[test]
    fn fields_are_checked() {
        assert_eq!(read_field("A: b").map(|field| field.value), Ok("b".to_owned()));
        assert!(
            read_field("A").is_err() && read_field("A b: c").is_err() && read_field("A: b\r\nC: d").is_err()
        );
    }
}

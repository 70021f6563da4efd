//! Which challenge is answered, and what a request says of itself (digest §7.2, §14.1).
//!
//! A challenge is answered when the request has credentials for one of its schemes that this exchange has not tried
//! yet, or when the server calls the nonce stale. The answer is not made here but with the next head, by
//! [`Request::dress`], because what has been learnt (in the session's nonces, and in the credentials) is what
//! the next head is made from, whether that is this exchange's next leg or the next SendRequest's first.

use getrandom::fill;
use zeroize::Zeroizing;

use crate::abi::error::{Error, Result};
use crate::client::exchange::Exchange;
use crate::client::plan::Url;
use crate::client::request::{Core, Request};
use crate::win32::last_error::{explain, remark};
use crate::wire::challenge::{Challenge, challenges};
use crate::wire::response::ResponseHead;

use super::digest::{Nonce, basic};
use super::{Credentials, Login, Nonces, Scheme, Target};

/// Answers to one target in one exchange: enough for every scheme and a stale nonce or two.
const MOST_TIMES: u8 = 5;

/// Whom credentials are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    secure: bool,
    host: String,
    port: u16,
}

impl Server {
    /// A server, by any URL on it.
    pub(crate) fn of(url: &Url) -> Server {
        Server { secure: url.secure, host: url.host.to_ascii_lowercase(), port: url.port }
    }

    /// A proxy.
    pub(crate) fn proxy(host: &str, port: u16) -> Server {
        Server { secure: false, host: host.to_ascii_lowercase(), port }
    }
}

/// What one exchange has tried on one target.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tried {
    /// Bits of schemes that are not to be tried again.
    schemes: u32,
    /// How often a challenge was answered.
    times: u8,
    /// The scheme of the challenge answered last.
    chosen: Option<Scheme>,
}

impl Tried {
    fn has(&self, scheme: Scheme) -> bool {
        self.schemes & scheme as u32 != 0
    }

    fn choose(&mut self, scheme: Scheme) -> Verdict {
        self.schemes |= scheme as u32;
        self.times += 1;
        self.chosen = Some(scheme);
        Verdict::Again
    }
}

/// What becomes of a 401 or 407.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The application gets it.
    Final,
    /// The request is to be sent again.
    Again,
}

/// The fields that a head carries besides the application's, made anew for each leg.
#[derive(Default)]
pub(crate) struct Dress {
    /// Value of Authorization.
    pub(crate) authorization: Option<Zeroizing<Vec<u8>>>,
    /// Value of Proxy-Authorization, for a head that the proxy itself reads.
    pub(crate) proxy_authorization: Option<Zeroizing<Vec<u8>>>,
    /// The jar's part of Cookie.
    pub(crate) cookies: Option<Vec<u8>>,
}

/// Who is asked for what.
struct Asked<'a> {
    target: Target,
    server: &'a Server,
    verb: &'a str,
    uri: &'a str,
}

impl Request {
    /// Makes the fields that the next head carries: credentials and cookies. `host` and `port` are where it is sent,
    /// which is the proxy when there is one.
    pub(crate) fn dress(&self, exchange: &mut Exchange, host: &str, port: u16) {
        let session = &self.connect.session;
        let core = &mut *self.core.lock();
        core.dress = Dress::default();
        exchange.secret = false;
        if !core.settings.disabled.cookies() && session.cookies.holds_any() {
            core.dress.cookies = session.cookies.field(&core.plan.url);
        }
        let Core { credentials: Some(credentials), plan, dress, absolute_form, .. } = core else { return };
        if core.settings.disabled.authentication() {
            return;
        }
        if let Some(carried) = credentials.carried.take() {
            exchange.tried = carried;
        }
        let off = core.settings.disabled_proxy_schemes;
        let (url, verb) = (&plan.url, &*plan.verb);
        if plan.is_at_first_server() && plan.field("Authorization").is_none() {
            let (target, server) = (Target::Server, &Server::of(url));
            let asked = Asked { target, server, verb, uri: &url.target };
            dress.authorization = credentials.say(&session.nonces, &asked, 0, &mut exchange.tried[0]);
        }
        if *absolute_form && plan.field("Proxy-Authorization").is_none() {
            let (target, server) = (Target::Proxy, &Server::proxy(host, port));
            let asked = Asked { target, server, verb, uri: &url.text() };
            dress.proxy_authorization = credentials.say(&session.nonces, &asked, off, &mut exchange.tried[1]);
        }
        exchange.secret = dress.authorization.is_some() || dress.proxy_authorization.is_some();
    }

    /// The value of Proxy-Authorization for a CONNECT; `uri` is what it asks for (`host:port`).
    pub(crate) fn authorize_connect(
        &self,
        proxy: &Server,
        uri: &str,
        tried: &mut Tried,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let core = &mut *self.core.lock();
        let credentials = core.credentials.as_deref()?;
        if core.settings.disabled.authentication() {
            return None;
        }
        let asked = Asked { target: Target::Proxy, server: proxy, verb: "CONNECT", uri };
        credentials.say(&self.connect.session.nonces, &asked, core.settings.disabled_proxy_schemes, tried)
    }

    /// Whether the 407 that answered a CONNECT is to be answered.
    pub(crate) fn judge_connect(&self, proxy: &Server, head: &ResponseHead, tried: &mut Tried) -> Verdict {
        let core = &mut *self.core.lock();
        let Core { credentials: Some(credentials), settings, .. } = core else { return Verdict::Final };
        if head.status != 407 || settings.disabled.authentication() {
            return Verdict::Final;
        }
        let off = settings.disabled_proxy_schemes;
        credentials.judge(&self.connect.session.nonces, Target::Proxy, proxy, head, off, tried)
    }

    /// Whether a 401 or 407 is to be answered. `RESEND_REQUEST` when it is, but the body cannot be sent again: the
    /// next SendRequest then answers it.
    pub(crate) fn judge(&self, exchange: &mut Exchange) -> Result<Verdict> {
        let core = &mut *self.core.lock();
        let target = match core.response.status {
            401 => Target::Server,
            407 => Target::Proxy,
            _ => return Ok(Verdict::Final),
        };
        let Core { credentials: Some(credentials), plan, .. } = core else { return Ok(Verdict::Final) };
        let (own, server, off) = match (target, exchange.connection.as_ref()) {
            (Target::Server, _) => ("Authorization", Server::of(&plan.url), 0),
            (Target::Proxy, Some(connection)) if core.absolute_form => {
                let proxy = Server::proxy(&connection.origin.host, connection.origin.port);
                ("Proxy-Authorization", proxy, core.settings.disabled_proxy_schemes)
            }
            (Target::Proxy, _) => return Ok(Verdict::Final),
        };
        let ours = target == Target::Proxy || plan.is_at_first_server();
        if core.settings.disabled.authentication() || !ours || plan.field(own).is_some() {
            return Ok(Verdict::Final);
        }
        let tried = &mut exchange.tried[target as usize];
        let nonces = &self.connect.session.nonces;
        let verdict = credentials.judge(nonces, target, &server, &core.response, off, tried);
        if verdict == Verdict::Again && !exchange.can_replay() {
            credentials.carried = Some(exchange.tried);
            explain(format_args!(
                "the request has to be sent with credentials, and its body was written piece by piece"
            ));
            return Err(Error::WINHTTP_RESEND_REQUEST);
        }
        Ok(verdict)
    }
}

/// What a response offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The bits of all known schemes.
    pub schemes: u32,
    /// The first of them.
    pub first: Scheme,
    /// Whose challenges they are.
    pub target: Target,
}

impl Request {
    /// What the 401 or 407 just received offers. `INVALID_OPERATION` when there is none or it offers nothing known.
    pub fn auth_offer(&self) -> Result<Offer> {
        self.with_response(|head| {
            let target = match head.status {
                401 => Target::Server,
                407 => Target::Proxy,
                _ => return None,
            };
            let offered = head.values(target.field()).flat_map(challenges);
            let mut offered = offered.filter_map(|challenge| Scheme::named(challenge.scheme));
            let first = offered.next()?;
            let schemes = offered.fold(first as u32, |bits, scheme| bits | scheme as u32);
            Some(Offer { schemes, first, target })
        })
        .ok()
        .flatten()
        .ok_or(Error::INVALID_OPERATION)
    }

    /// Keeps credentials for one scheme.
    pub fn set_credentials(&self, target: Target, scheme: Scheme, login: Login) {
        self.core.lock().credentials.get_or_insert_default().set(target, scheme, login);
    }

    /// Looks at or changes the user and password that are for any scheme.
    pub fn with_named_login<R>(&self, target: Target, use_login: impl FnOnce(&mut Login) -> R) -> R {
        use_login(self.core.lock().credentials.get_or_insert_default().named(target))
    }
}

impl Credentials {
    /// What a head says: the answer to the challenge chosen last; before any, to one that the session remembers, or
    /// Basic if that is what the application means.
    fn say(
        &self,
        nonces: &Nonces,
        asked: &Asked<'_>,
        off: u32,
        tried: &mut Tried,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let Asked { target, server, verb, uri } = *asked;
        let digest = || {
            let login = self.login(target, Scheme::Digest).filter(|_| off & off_bit(Scheme::Digest) == 0)?;
            nonces.answer(target, server, login, verb, uri)
        };
        match tried.chosen {
            Some(Scheme::Basic) => self.login(target, Scheme::Basic).map(basic),
            Some(_) => digest(),
            None => digest().or_else(|| {
                let login =
                    self.basic_unasked(target, server).filter(|_| off & off_bit(Scheme::Basic) == 0)?;
                tried.schemes |= Scheme::Basic as u32;
                Some(basic(login))
            }),
        }
    }

    /// Chooses the first challenge, in the order of the fields, that can be answered.
    fn judge(
        &mut self,
        nonces: &Nonces,
        target: Target,
        server: &Server,
        head: &ResponseHead,
        off: u32,
        tried: &mut Tried,
    ) -> Verdict {
        if tried.times >= MOST_TIMES {
            return Verdict::Final;
        }
        let mut refused = None;
        for challenge in head.values(target.field()).flat_map(challenges) {
            let Some(scheme) = Scheme::named(challenge.scheme) else { continue };
            if off & off_bit(scheme) != 0 || self.login(target, scheme).is_none() {
                continue;
            }
            match scheme {
                Scheme::Basic if !tried.has(scheme) => {
                    self.note_basic(target, server);
                    return tried.choose(scheme);
                }
                Scheme::Digest if !tried.has(scheme) || is_stale(&challenge) => {
                    if let Some(nonce) = client_nonce().and_then(|own| Nonce::read(&challenge, own)) {
                        nonces.keep(target, server, nonce);
                        return tried.choose(scheme);
                    }
                    refused = refused.or(Some("a Digest that is not known"));
                }
                Scheme::Basic | Scheme::Digest => {}
                Scheme::Ntlm => refused = refused.or(Some("NTLM, which is not built in")),
                Scheme::Negotiate => refused = refused.or(Some("Negotiate, which is not built in")),
                Scheme::Passport => refused = refused.or(Some("Passport, whose service is gone")),
            }
        }
        if let Some(scheme) = refused {
            remark(format_args!("{} asks for {scheme}", server.host));
        }
        Verdict::Final
    }
}

fn is_stale(challenge: &Challenge<'_>) -> bool {
    challenge.parameter("stale").is_some_and(|value| value.eq_ignore_ascii_case(b"true"))
}

fn client_nonce() -> Option<String> {
    let mut bytes = [0_u8; 16];
    fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The bit that switches a scheme off for proxies (`WINHTTP_PROXY_DISABLE_SCHEME_*`).
fn off_bit(scheme: Scheme) -> u32 {
    match scheme {
        Scheme::Basic => 1,
        Scheme::Digest => 2,
        Scheme::Ntlm => 4,
        Scheme::Negotiate => 0x10,
        Scheme::Passport => 0,
    }
}

//! Which challenge is answered, and what a request says of itself (digest §7.2, §14.1).
//!
//! A challenge is answered when the request has credentials for one of its schemes that this exchange has not tried
//! yet, or when the server calls the nonce stale. The answer is not made here but with the next head, by
//! [`Request::dress`], because what has been learnt (in the session's nonces, and in the credentials) is what
//! the next head is made from, whether that is this exchange's next leg or the next SendRequest's first.

use getrandom::fill;
use zeroize::Zeroizing;

use crate::abi::error::{Error, Result};
use crate::client::exchange::{Exchange, Upload};
use crate::client::request::{Core, Request};
use crate::win32::last_error::{explain, remark};
use crate::win32::lent::LentBytes;
use crate::wire::challenge::{Challenge, challenges};
use crate::wire::response::ResponseHead;

use super::digest::{Nonce, basic};
use super::nonces::{Asked, NonceId};
use super::space::Space;
use super::{Credentials, Nonces, Scheme, Server, Target};

/// Answers to one target in one exchange: enough for every scheme and a stale nonce or two.
const MOST_TIMES: u8 = 5;

/// What one exchange has tried on one target.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tried {
    /// Whom all this is about: a proxy may take another's place.
    whom: Option<Server>,
    /// Bits of schemes that are not to be tried again.
    schemes: u32,
    /// How often a challenge was answered.
    times: u8,
    /// The scheme of the challenge answered last.
    chosen: Option<Scheme>,
    /// The Digest challenge chosen last, or answered last.
    nonce: Option<NonceId>,
}

impl Tried {
    fn has(&self, scheme: Scheme) -> bool {
        self.schemes & scheme as u32 != 0
    }

    /// The Digest challenge that the last head answered, if it did.
    pub(super) fn nonce(&self) -> Option<NonceId> {
        self.nonce
    }

    /// Forgets what was tried on another than this.
    fn turn_to(&mut self, server: &Server) {
        if self.whom.as_ref() != Some(server) {
            *self = Tried { whom: Some(server.clone()), times: self.times, ..Tried::default() };
        }
    }

    fn choose(&mut self, scheme: Scheme, nonce: Option<NonceId>) -> Verdict {
        self.schemes |= scheme as u32;
        self.times += 1;
        self.chosen = Some(scheme);
        self.nonce = nonce;
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
        let (url, verb, path) = (&plan.url, &*plan.verb, &*plan.url.target);
        let Exchange { tried: [tried, tried_on_proxy], optional, upload, .. } = exchange;
        let body = whole_body(optional.as_ref(), upload);
        if plan.is_at_first_server() && plan.field("Authorization").is_none() {
            let (target, server) = (Target::Server, &Server::of(url));
            let asked = Asked { target, server, verb, uri: path, path, body };
            dress.authorization = credentials.say(&session.nonces, &asked, 0, tried);
        }
        if *absolute_form && plan.field("Proxy-Authorization").is_none() {
            let (target, server) = (Target::Proxy, &Server::proxy(host, port));
            let asked = Asked { target, server, verb, uri: &url.text(), path, body };
            dress.proxy_authorization = credentials.say(&session.nonces, &asked, off, tried_on_proxy);
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
        let (target, verb, path, body) = (Target::Proxy, "CONNECT", "", Some(&[][..]));
        let asked = Asked { target, server: proxy, verb, uri, path, body };
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
        let asking = Asking { target: Target::Proxy, server: proxy, head, off, knows_body: true };
        credentials.judge(&self.connect.session.nonces, &asking, tried)
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
        let knows_body = whole_body(exchange.optional.as_ref(), &exchange.upload).is_some();
        let asking = Asking { target, server: &server, head: &core.response, off, knows_body };
        let tried = &mut exchange.tried[target as usize];
        let verdict = credentials.judge(&self.connect.session.nonces, &asking, tried);
        if verdict == Verdict::Again && !exchange.can_replay() {
            credentials.carried = Some(exchange.tried.clone());
            explain(format_args!(
                "the request has to be sent with credentials, and its body was written piece by piece"
            ));
            return Err(Error::WINHTTP_RESEND_REQUEST);
        }
        Ok(verdict)
    }
}

/// Who has answered with what.
struct Asking<'a> {
    target: Target,
    server: &'a Server,
    head: &'a ResponseHead,
    /// Schemes that are switched off, as bits of their own.
    off: u32,
    knows_body: bool,
}

/// The longest body that is hashed: a request cannot be closed meanwhile.
const LONGEST_BODY: usize = 16 << 20;

/// The request body, if all of it was given to SendRequest.
fn whole_body<'a>(optional: Option<&'a LentBytes>, upload: &Upload) -> Option<&'a [u8]> {
    let whole = upload.left == Some(0) && !upload.written;
    let body = whole.then(|| optional.map_or(&[][..], LentBytes::as_slice));
    body.filter(|body| body.len() <= LONGEST_BODY)
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
        let Asked { target, server, .. } = *asked;
        tried.turn_to(server);
        let chosen = tried.nonce.take();
        let digest = |tried: &mut Tried| {
            let login = self.login(target, Scheme::Digest).filter(|_| off & off_bit(Scheme::Digest) == 0)?;
            let (id, answer) = nonces.answer(asked, chosen, login)?;
            tried.nonce = Some(id);
            Some(answer)
        };
        match tried.chosen {
            Some(Scheme::Basic) => self.login(target, Scheme::Basic).map(basic),
            Some(_) => digest(tried),
            None => digest(tried).or_else(|| {
                let login =
                    self.basic_unasked(target, server).filter(|_| off & off_bit(Scheme::Basic) == 0)?;
                tried.schemes |= Scheme::Basic as u32;
                Some(basic(login))
            }),
        }
    }

    /// Chooses the first challenge, in the order of the fields, that can be answered.
    fn judge(&mut self, nonces: &Nonces, asking: &Asking<'_>, tried: &mut Tried) -> Verdict {
        let Asking { target, server, head, off, .. } = *asking;
        tried.turn_to(server);
        if tried.times >= MOST_TIMES {
            return Verdict::Final;
        }
        let mut refused = None;
        for challenge in head.values(target.field()).flat_map(challenges) {
            let Some(scheme) = Scheme::named(challenge.scheme) else { continue };
            if off & off_bit(scheme) != 0 || self.login(target, scheme).is_none() {
                continue;
            }
            let why = match scheme {
                Scheme::Basic if !tried.has(scheme) => {
                    self.note_basic(target, server);
                    return tried.choose(scheme, None);
                }
                Scheme::Digest if !tried.has(scheme) || is_stale(&challenge) => {
                    match asking.take(nonces, &challenge) {
                        Ok(id) => return tried.choose(scheme, Some(id)),
                        Err(why) => why,
                    }
                }
                Scheme::Basic | Scheme::Digest => continue,
                Scheme::Ntlm => "NTLM, which is not built in",
                Scheme::Negotiate => "Negotiate, which is not built in",
                Scheme::Passport => "Passport, whose service is gone",
            };
            refused = refused.or(Some(why));
        }
        if let Some(scheme) = refused {
            remark(format_args!("{} asks for {scheme}", server.host));
        }
        Verdict::Final
    }
}

impl Asking<'_> {
    /// Has the session remember a Digest challenge, or says why it cannot be answered.
    fn take(&self, nonces: &Nonces, challenge: &Challenge<'_>) -> std::result::Result<NonceId, &'static str> {
        let nonce = client_nonce().and_then(|own| Nonce::read(challenge, own));
        let nonce = nonce.ok_or("a Digest that is not known")?;
        if nonce.signs_body() && !self.knows_body {
            return Err(
                "a Digest of the body (auth-int), which has to be given whole to SendRequest, at most 16 MiB",
            );
        }
        // The protection space of a proxy is all that it does.
        let domain = challenge.parameter("domain").filter(|_| self.target == Target::Server);
        Ok(nonces.keep(self.target, self.server, Space::read(domain, self.server), nonce))
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

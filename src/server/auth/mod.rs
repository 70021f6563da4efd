//! Authentication of requests by the engine: Basic and Digest (digest §6.9).
//!
//! A group whose settings, or its session's, enable schemes has a [`Guard`] in its policy. It examines each request before
//! that is queued:
//!
//! ```text
//!            ┌─ no credentials, or of a scheme not enabled or not spoken ─► NotAuthenticated ──┐
//! request ──►├─ malformed ─► 400                                                               ├─► queue
//!            ├─ Digest, or a password that was right a moment ago ─► Success or Failure ───────┤
//!            ├─ a password to be compared with a slow sum ─► `judges` ─► Success or Failure ───┤
//!            └─ a function of the program is to judge ─► its claim goes along (capi asks it) ──┘
//! ```
//! So the threads that do I/O never wait for a slow sum or for the program. The challenge comes from the application, which
//! names schemes in its 401; `challenge` makes them whole. Negotiate, NTLM and Kerberos are not spoken.

mod challenge;
mod digest;
mod judges;
mod key;
mod nonce;
mod password_file;
mod remembered;

#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

use crate::net::clock;
use crate::win32::trace;
use crate::wire::authorization::{Algorithm, Authorization, Basic, Digest, Qop};
use crate::wire::request::RequestHead;

use crate::server::service::{
    AuthScheme, Authentication, Claim, CredentialSource, Evidence, Identity, LOGON_DENIED, NO_AUTHORITY,
    OUT_OF_SEQUENCE,
};

pub(crate) use challenge::dress;
pub(crate) use digest::{Proof, ha1};
pub(crate) use judges::{Judges, Password};
pub(crate) use password_file::PasswordFile;

/// `HTTP_AUTH_ENABLE_*`.
const BASIC: u32 = 1;
const DIGEST: u32 = 2;
const NTLM: u32 = 4;
const NEGOTIATE: u32 = 8;
const KERBEROS: u32 = 16;

/// The request field.
const AUTHORIZATION: u8 = 24;

/// Seconds a nonce is good unless the program says otherwise.
const NONCE_SECONDS: u32 = 300;

/// Where passwords come from when no session or group says.
static DEFAULT_FILE: OnceLock<Option<Arc<PasswordFile>>> = OnceLock::new();

/// Takes the password file for all: `NTHTTP_PASSWORD_FILE`, else the configured one. Once.
pub(crate) fn set_default_file(configured: Option<&str>) {
    DEFAULT_FILE.get_or_init(|| {
        let chosen = std::env::var_os("NTHTTP_PASSWORD_FILE").filter(|path| !path.is_empty());
        let path = chosen.or_else(|| configured.map(Into::into))?;
        let opened = PasswordFile::open(path.as_ref());
        opened
            .inspect_err(|error| trace::error(format_args!("password file {}: {error}", path.display())))
            .ok()
            .map(Arc::new)
    });
}

/// Where the passwords of a session or group come from, opened.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) settings: CredentialSource,
    pub(crate) file: Option<Arc<PasswordFile>>,
}

/// What stands before the requests of a group.
pub(crate) struct Guard {
    schemes: u32,
    basic_realm: String,
    digest_realm: String,
    digest_domain: Option<String>,
    mutual_wanted: bool,
    verifier: Option<u64>,
    file: Option<Arc<PasswordFile>>,
    /// See [`CredentialSource`].
    offered: u32,
    nonce_ms: u64,
}

/// What examining a request came to.
pub(crate) enum Examined {
    /// This much is known.
    Known(Identity),
    /// A password is to be compared with a slow sum.
    Slow(Password),
    /// The field cannot be understood.
    Malformed,
}

/// Digest algorithms to offer and accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Algorithms {
    md5: bool,
    sha256: bool,
}

impl Algorithms {
    fn offers(self, sha256: bool) -> bool {
        if sha256 { self.sha256 } else { self.md5 }
    }
}

impl Guard {
    /// A guard of these settings; `None` when they enable nothing.
    pub(crate) fn of(settings: Option<&Authentication>, source: Option<&Source>) -> Option<Guard> {
        let settings = settings.filter(|settings| settings.schemes != 0)?;
        let said = source.map(|source| &source.settings);
        let own_file = source.and_then(|source| source.file.as_ref());
        let verifier = said.and_then(|said| said.verifier);
        let fallback = || DEFAULT_FILE.get().and_then(Option::as_ref).filter(|_| verifier.is_none());
        let seconds = said.map(|said| said.nonce_seconds).filter(|seconds| *seconds != 0);
        Some(Guard {
            schemes: settings.schemes,
            basic_realm: settings.basic_realm.clone().unwrap_or_default(),
            digest_realm: settings.digest_realm.clone().unwrap_or_default(),
            digest_domain: settings.digest_domain.clone(),
            mutual_wanted: settings.receive_mutual_auth,
            verifier,
            file: own_file.or_else(fallback).cloned(),
            offered: said.map_or(0, |said| said.algorithms),
            nonce_ms: u64::from(seconds.unwrap_or(NONCE_SECONDS)) * 1000,
        })
    }

    /// The guard as a response's own settings would have it (`HttpResponseInfoTypeAuthenticationProperty`).
    pub(crate) fn for_response(settings: &Authentication, guard: Option<&Guard>) -> Option<Guard> {
        let own = Guard::of(Some(settings), None)?;
        let Some(guard) = guard else { return Some(own) };
        let (file, verifier) = (guard.file.clone(), guard.verifier);
        Some(Guard { file, verifier, offered: guard.offered, nonce_ms: guard.nonce_ms, ..own })
    }

    /// What the request's credentials come to.
    pub(crate) fn examine(&self, head: &RequestHead) -> Examined {
        let mut values = head.fields.iter().filter(|field| field.id == AUTHORIZATION);
        let Some(field) = values.next() else { return Examined::Known(Identity::default()) };
        if values.next().is_some() {
            // Two of them: whoever reads the other one would see another user.
            return Examined::Malformed;
        }
        let value = head.text(field.value);
        if !self.judges(value) {
            return Examined::Known(Identity::default());
        }
        let now_ms = clock::now_ms();
        match Authorization::parse(value) {
            Err(_) => Examined::Malformed,
            Ok(Authorization::Other) => Examined::Known(Identity::default()),
            Ok(Authorization::Basic(basic)) => self.basic(basic, now_ms),
            Ok(Authorization::Digest(digest)) if !is_target(&digest.uri, head) => Examined::Malformed,
            Ok(Authorization::Digest(digest)) => {
                let mut identity = self.digest(&digest, head.text(head.verb_text), now_ms);
                identity.mutual_wanted = self.mutual_wanted;
                Examined::Known(identity)
            }
        }
    }

    /// Whether the value is of a scheme that is enabled and spoken.
    fn judges(&self, value: &[u8]) -> bool {
        let (scheme, _) = crate::wire::authorization::split_scheme(value);
        self.schemes & BASIC != 0 && scheme.eq_ignore_ascii_case(b"Basic")
            || self.schemes & DIGEST != 0 && scheme.eq_ignore_ascii_case(b"Digest")
    }

    fn basic(&self, basic: Basic, now_ms: u64) -> Examined {
        let realm = self.basic_realm.as_bytes();
        if let Some(verifier) = self.verifier {
            let evidence = Evidence::Password(basic.password);
            return Examined::Known(claim(verifier, basic.user, realm, evidence));
        }
        let Some(file) = &self.file else {
            return Examined::Known(Identity::failure(AuthScheme::Basic, NO_AUTHORITY));
        };
        let password = Password::new(file.content(now_ms), basic, realm);
        if password.is_remembered(now_ms) {
            Examined::Known(password.right())
        } else {
            Examined::Slow(password)
        }
    }

    fn digest(&self, digest: &Digest, method: &[u8], now_ms: u64) -> Identity {
        let denied = Identity::failure(AuthScheme::Digest, LOGON_DENIED);
        let sha256 = digest.algorithm == Algorithm::Sha256;
        let acceptable = digest.algorithm != Algorithm::Other
            && self.algorithms(now_ms).offers(sha256)
            && digest.qop == Qop::Auth
            && digest.realm == self.digest_realm.as_bytes();
        if !acceptable {
            return denied;
        }
        let stale = Identity { stale: true, ..Identity::default() };
        let Some(nonce) = nonce::read(&digest.nonce, now_ms, self.nonce_ms) else { return stale };
        let proof = Proof::of(digest, sha256, method);
        let judged = match (self.verifier, &self.file) {
            (Some(verifier), _) => {
                claim(verifier, digest.user.clone(), &digest.realm, Evidence::Proof(proof))
            }
            (None, None) => return Identity::failure(AuthScheme::Digest, NO_AUTHORITY),
            (None, Some(file)) => {
                let content = file.content(now_ms);
                let held = content.proof(sha256, &digest.user, &digest.realm);
                // A user who is not there takes the same way, with a sum no password has.
                match (proof.check(held.unwrap_or("?")), held) {
                    (Some(mutual), Some(_)) => {
                        Identity::success(AuthScheme::Digest, &digest.user, Some(mutual))
                    }
                    _ => return denied,
                }
            }
        };
        match nonce::count(nonce, digest.count) {
            nonce::Use::First => judged,
            nonce::Use::Again => Identity::failure(AuthScheme::Digest, OUT_OF_SEQUENCE),
            nonce::Use::Stale => stale,
        }
    }

    /// What the program asks for; else what everybody in the file has a proof for; else MD5, as Windows.
    fn algorithms(&self, now_ms: u64) -> Algorithms {
        if self.offered != 0 {
            return Algorithms { md5: self.offered & 1 != 0, sha256: self.offered & 2 != 0 };
        }
        match &self.file {
            Some(file) => {
                let content = file.content(now_ms);
                let sha256 = content.proves(true);
                Algorithms { md5: !sha256 || content.proves(false), sha256 }
            }
            None => Algorithms { md5: true, sha256: false },
        }
    }
}

/// Whether a proof's URI is the request's: the target as it stands, or its path and query.
fn is_target(uri: &[u8], head: &RequestHead) -> bool {
    let (path, query) = (head.text(head.raw_path), head.text(head.raw_query));
    uri == head.text(head.target) || uri.strip_prefix(path).is_some_and(|rest| rest == query)
}

fn claim(verifier: u64, user: Vec<u8>, realm: &[u8], evidence: Evidence) -> Identity {
    let claim = Claim { verifier, user, realm: realm.to_vec(), evidence };
    Identity { claim: Some(Box::new(claim)), ..Identity::default() }
}

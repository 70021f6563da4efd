//! Digest authentication as a client does it (RFC 7616): a challenge, and the field that answers it.
//!
//! MD5, SHA-256 and SHA-512-256, each also for a session (`-sess`); quality of protection `auth` or none
//! (RFC 2069), and `auth-int`, which is about the body too, where nothing else is offered. That a server proves
//! itself (`rspauth`) is not checked: a client need not, and nothing here would come of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::wire::challenge::Challenge;

use super::Login;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Md5,
    Sha256,
    Sha512Half,
}

impl Hash {
    fn hex(self, parts: &[&[u8]]) -> String {
        fn run<D: md5::Digest>(parts: &[&[u8]]) -> String {
            let mut hash = D::new();
            for (at, part) in parts.iter().enumerate() {
                if at > 0 {
                    hash.update(b":");
                }
                hash.update(part);
            }
            hex(&hash.finalize())
        }
        match self {
            Hash::Md5 => run::<md5::Md5>(parts),
            Hash::Sha256 => run::<sha2::Sha256>(parts),
            Hash::Sha512Half => run::<sha2::Sha512_256>(parts),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the answer is about besides user and nonce (`qop`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protection {
    /// Method and URI; neither count nor client nonce are sent.
    Older,
    /// Method and URI.
    Auth,
    /// Method, URI and body.
    AuthInt,
}

impl Protection {
    /// The first that the server offers, but `auth-int` last. `None` when it offers others only.
    fn read(offered: Option<&[u8]>) -> Option<Protection> {
        let offered = offered.unwrap_or_default();
        if offered.trim_ascii().is_empty() {
            return Some(Protection::Older);
        }
        let has = |name: &str| {
            offered.split(|b| *b == b',').any(|q| q.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
        };
        match () {
            () if has("auth") => Some(Protection::Auth),
            () if has("auth-int") => Some(Protection::AuthInt),
            () => None,
        }
    }

    fn name(self) -> Option<&'static str> {
        match self {
            Protection::Older => None,
            Protection::Auth => Some("auth"),
            Protection::AuthInt => Some("auth-int"),
        }
    }
}

/// The longest text of a challenge that is sent back.
const LONGEST: usize = 4096;

/// A challenge, and how often it has been answered.
#[derive(Clone, Debug)]
pub(crate) struct Nonce {
    realm: Vec<u8>,
    nonce: Vec<u8>,
    /// The nonce of the challenge itself, which a session's key is made of, once there was another.
    first: Option<Vec<u8>>,
    opaque: Option<Vec<u8>>,
    hash: Hash,
    /// The algorithm as the server wrote it, if it did.
    algorithm: Option<Vec<u8>>,
    for_session: bool,
    protection: Protection,
    hides_user: bool,
    utf8: bool,
    /// One for the life of the challenge, so that a session's key stays the same.
    client_nonce: String,
    count: u32,
}

impl Nonce {
    /// Reads a challenge. `None` for one that cannot be answered.
    pub(crate) fn read(challenge: &Challenge<'_>, client_nonce: String) -> Option<Nonce> {
        let text = |name: &str| challenge.parameter(name).map(<[u8]>::to_vec);
        let flag =
            |name: &str| challenge.parameter(name).is_some_and(|value| value.eq_ignore_ascii_case(b"true"));
        let algorithm = text("algorithm");
        let (hash, for_session) = read_algorithm(algorithm.as_deref().unwrap_or(b"MD5"))?;
        let nonce = Nonce {
            realm: text("realm")?,
            nonce: text("nonce")?,
            first: None,
            opaque: text("opaque"),
            hash,
            algorithm,
            for_session,
            protection: Protection::read(challenge.parameter("qop"))?,
            hides_user: flag("userhash"),
            utf8: challenge.parameter("charset").is_some_and(|value| value.eq_ignore_ascii_case(b"UTF-8")),
            client_nonce,
            count: 0,
        };
        let texts = [Some(&nonce.realm), Some(&nonce.nonce), nonce.opaque.as_ref(), nonce.algorithm.as_ref()];
        let sound = texts.into_iter().flatten().all(|text| is_sound(text));
        sound.then_some(nonce)
    }

    pub(super) fn is_of_same_realm(&self, other: &Nonce) -> bool {
        self.realm == other.realm
    }

    /// Whether the answer is about the body, too.
    pub(super) fn signs_body(&self) -> bool {
        self.protection == Protection::AuthInt
    }

    /// Uses another nonce from now on (`nextnonce`), and counts anew.
    pub(super) fn renew(&mut self, next: &[u8]) {
        if next.is_empty() || next == self.nonce || !is_sound(next) {
            return;
        }
        let old = std::mem::replace(&mut self.nonce, next.to_vec());
        self.first.get_or_insert(old);
        self.count = 0;
    }

    /// One more request is to answer.
    pub(super) fn count_one(&mut self) {
        self.count = self.count.wrapping_add(1);
    }

    /// The value of Authorization for the request counted last.
    pub(crate) fn answer(&self, login: &Login, method: &str, uri: &str, body: &[u8]) -> Zeroizing<Vec<u8>> {
        let user = login.user.as_deref().map_or(&b""[..], |user| user.as_bytes());
        let count = format!("{:08x}", self.count);
        let asked = self.asked(method, uri, body);
        let proof = self.proof(user, login.password.as_bytes(), &asked, &count);
        let mut out = Zeroizing::new(b"Digest ".to_vec());
        self.write_user(&mut out, user);
        quoted(&mut out, ", realm", &self.realm);
        quoted(&mut out, ", nonce", &self.nonce);
        quoted(&mut out, ", uri", uri.as_bytes());
        if let Some(algorithm) = &self.algorithm {
            plain(&mut out, ", algorithm", algorithm);
        }
        let protection = self.protection.name();
        if let Some(name) = protection {
            plain(&mut out, ", qop", name.as_bytes());
            plain(&mut out, ", nc", count.as_bytes());
        }
        if protection.is_some() || self.for_session {
            quoted(&mut out, ", cnonce", self.client_nonce.as_bytes());
        }
        quoted(&mut out, ", response", proof.as_bytes());
        if let Some(opaque) = &self.opaque {
            quoted(&mut out, ", opaque", opaque);
        }
        if self.hides_user {
            plain(&mut out, ", userhash", b"true");
        }
        out
    }

    /// H(A2) of RFC 7616 §3.4.3.
    fn asked(&self, method: &str, uri: &str, body: &[u8]) -> String {
        let (method, uri) = (method.as_bytes(), uri.as_bytes());
        if self.signs_body() {
            let body = self.hash.hex(&[body]);
            return self.hash.hex(&[method, uri, body.as_bytes()]);
        }
        self.hash.hex(&[method, uri])
    }

    fn proof(&self, user: &[u8], password: &[u8], asked: &str, count: &str) -> String {
        let mut key = Zeroizing::new(self.hash.hex(&[user, &self.realm, password]));
        let (asked, client_nonce) = (asked.as_bytes(), self.client_nonce.as_bytes());
        if self.for_session {
            let first = self.first.as_ref().unwrap_or(&self.nonce);
            key = Zeroizing::new(self.hash.hex(&[key.as_bytes(), first, client_nonce]));
        }
        let key = key.as_bytes();
        match self.protection.name() {
            Some(name) => {
                self.hash.hex(&[key, &self.nonce, count.as_bytes(), client_nonce, name.as_bytes(), asked])
            }
            None => self.hash.hex(&[key, &self.nonce, asked]),
        }
    }

    /// The user: hashed if the server can take that, with its letters escaped if the server speaks of UTF-8.
    fn write_user(&self, out: &mut Vec<u8>, user: &[u8]) {
        if self.hides_user {
            quoted(out, "username", self.hash.hex(&[user, &self.realm]).as_bytes());
        } else if self.utf8 && !user.is_ascii() {
            plain(out, "username*", b"UTF-8''");
            for byte in user {
                if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(byte) {
                    out.push(*byte);
                } else {
                    out.extend_from_slice(format!("%{byte:02X}").as_bytes());
                }
            }
        } else {
            quoted(out, "username", user);
        }
    }
}

/// Whether a text can be sent back: it must not be able to break the head, or to make it longer than is sane.
fn is_sound(text: &[u8]) -> bool {
    text.len() <= LONGEST && !text.iter().any(u8::is_ascii_control)
}

fn read_algorithm(name: &[u8]) -> Option<(Hash, bool)> {
    let name = String::from_utf8_lossy(name).to_ascii_uppercase();
    let (bare, for_session) = match name.strip_suffix("-SESS") {
        Some(bare) => (bare, true),
        None => (&*name, false),
    };
    let hash = match bare {
        "MD5" => Hash::Md5,
        "SHA-256" => Hash::Sha256,
        "SHA-512-256" => Hash::Sha512Half,
        _ => return None,
    };
    Some((hash, for_session))
}

fn plain(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    out.extend_from_slice(value);
}

fn quoted(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    plain(out, name, b"\"");
    for byte in value {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

/// The value of Authorization for Basic; user and password go as UTF-8.
pub(super) fn basic(login: &Login) -> Zeroizing<Vec<u8>> {
    let user = login.user.as_deref().map_or("", |user| user);
    let pair = Zeroizing::new([user.as_bytes(), b":", login.password.as_bytes()].concat());
    let mut out = Zeroizing::new(Vec::with_capacity(8 + pair.len() * 4 / 3 + 4));
    out.extend_from_slice(b"Basic ");
    out.extend_from_slice(Zeroizing::new(STANDARD.encode(&*pair)).as_bytes());
    out
}

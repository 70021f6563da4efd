//! Digest authentication as a client does it (RFC 7616): a challenge, and the field that answers it.
//!
//! MD5, SHA-256 and SHA-512-256, each also for a session (`-sess`); quality of protection `auth` or none
//! (RFC 2069). `auth-int` alone is not answered.

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

/// A challenge, and how often it has been answered.
#[derive(Clone, Debug)]
pub(crate) struct Nonce {
    realm: Vec<u8>,
    nonce: Vec<u8>,
    opaque: Option<Vec<u8>>,
    hash: Hash,
    /// The algorithm as the server wrote it, if it did.
    algorithm: Option<Vec<u8>>,
    for_session: bool,
    /// `qop=auth`; without it, neither count nor client nonce are sent.
    counted: bool,
    hides_user: bool,
    utf8: bool,
    /// One for the life of the nonce, so that a session's key stays the same.
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
        let offered = challenge.parameter("qop");
        let counted = match offered {
            None => false,
            Some(list)
                if list.split(|b| *b == b',').any(|q| q.trim_ascii().eq_ignore_ascii_case(b"auth")) =>
            {
                true
            }
            Some(list) if list.trim_ascii().is_empty() => false,
            Some(_) => return None,
        };
        let nonce = Nonce {
            realm: text("realm")?,
            nonce: text("nonce")?,
            opaque: text("opaque"),
            hash,
            algorithm,
            for_session,
            counted,
            hides_user: flag("userhash"),
            utf8: challenge.parameter("charset").is_some_and(|value| value.eq_ignore_ascii_case(b"UTF-8")),
            client_nonce,
            count: 0,
        };
        // What is sent back must not be able to break the head.
        let texts = [Some(&nonce.realm), Some(&nonce.nonce), nonce.opaque.as_ref(), nonce.algorithm.as_ref()];
        let sound = texts.into_iter().flatten().all(|text| !text.iter().any(u8::is_ascii_control));
        sound.then_some(nonce)
    }

    /// The value of Authorization for one more request.
    pub(crate) fn answer(&mut self, login: &Login, method: &str, uri: &str) -> Zeroizing<Vec<u8>> {
        self.count = self.count.wrapping_add(1);
        let user = login.user.as_deref().map_or(&b""[..], |user| user.as_bytes());
        let count = format!("{:08x}", self.count);
        let proof = self.proof(user, login.password.as_bytes(), method, uri, &count);
        let mut out = Zeroizing::new(b"Digest ".to_vec());
        self.write_user(&mut out, user);
        quoted(&mut out, ", realm", &self.realm);
        quoted(&mut out, ", nonce", &self.nonce);
        quoted(&mut out, ", uri", uri.as_bytes());
        if let Some(algorithm) = &self.algorithm {
            plain(&mut out, ", algorithm", algorithm);
        }
        if self.counted {
            plain(&mut out, ", qop", b"auth");
            plain(&mut out, ", nc", count.as_bytes());
        }
        if self.counted || self.for_session {
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

    fn proof(&self, user: &[u8], password: &[u8], method: &str, uri: &str, count: &str) -> String {
        let mut key = Zeroizing::new(self.hash.hex(&[user, &self.realm, password]));
        let client_nonce = self.client_nonce.as_bytes();
        if self.for_session {
            key = Zeroizing::new(self.hash.hex(&[key.as_bytes(), &self.nonce, client_nonce]));
        }
        let asked = self.hash.hex(&[method.as_bytes(), uri.as_bytes()]);
        let (key, asked) = (key.as_bytes(), asked.as_bytes());
        if self.counted {
            self.hash.hex(&[key, &self.nonce, count.as_bytes(), client_nonce, b"auth", asked])
        } else {
            self.hash.hex(&[key, &self.nonce, asked])
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

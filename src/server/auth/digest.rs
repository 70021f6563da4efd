//! The arithmetic of Digest (RFC 7616, section 3.4): proofs, checked against what is known of a password. Whether the nonce
//! is good is `nonce`'s.

use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::wire::authorization::Digest;

/// A client's proof, reduced to what checking it needs: H(HA1 ":" `asked`) must be `response`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Made with SHA-256 rather than MD5.
    pub sha256: bool,
    response: Vec<u8>,
    asked: Vec<u8>,
    /// The same for our proof that we know the password too.
    answered: Vec<u8>,
    /// The rest of Authentication-Info.
    info: String,
}

/// The sum of some bytes, in hexadecimal.
pub(super) fn hash(sha256: bool, bytes: &[u8]) -> String {
    if sha256 { hex(&Sha256::digest(bytes)) } else { hex(&Md5::digest(bytes)) }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// HA1 of a user with this password.
pub(crate) fn ha1(sha256: bool, user: &[u8], realm: &[u8], password: &[u8]) -> String {
    hash(sha256, &[user, realm, password].join(&b':'))
}

impl Proof {
    /// The proof of a Digest field with `qop=auth`, for a request with this method.
    pub(crate) fn of(digest: &Digest, sha256: bool, method: &[u8]) -> Proof {
        let common = [&digest.nonce[..], &digest.count_text, &digest.cnonce, b"auth"].join(&b':');
        let with = |method: &[u8]| {
            let ha2 = hash(sha256, &[method, &digest.uri].join(&b':'));
            [&common[..], ha2.as_bytes()].join(&b':')
        };
        let quoted = super::challenge::quoted(&String::from_utf8_lossy(&digest.cnonce));
        Proof {
            sha256,
            response: digest.response.to_ascii_lowercase(),
            asked: with(method),
            answered: with(b""),
            info: format!("qop=auth, cnonce={quoted}, nc={}", String::from_utf8_lossy(&digest.count_text)),
        }
    }

    /// Checks the proof against HA1; the value of Authentication-Info if it holds.
    pub fn check(&self, ha1: &str) -> Option<String> {
        let ha1 = ha1.to_ascii_lowercase();
        let sum = |rest: &[u8]| hash(self.sha256, &[ha1.as_bytes(), rest].join(&b':'));
        let right: bool = sum(&self.asked).as_bytes().ct_eq(&self.response).into();
        right.then(|| format!("rspauth=\"{}\", {}", sum(&self.answered), self.info))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::authorization::Authorization;

    /// RFC 7616, section 3.9.1.
    fn example(algorithm: &str, response: &str) -> Proof {
        let field = format!(
            "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", \
             algorithm={algorithm}, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, \
             cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, response=\"{response}\""
        );
        match Authorization::parse(field.as_bytes()) {
            Ok(Authorization::Digest(digest)) => Proof::of(&digest, algorithm == "SHA-256", b"GET"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_examples_of_rfc_7616() {
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let sha256 = algorithm == "SHA-256";
            let secret = ha1(sha256, b"Mufasa", b"http-auth@example.org", b"Circle of Life");
            let info = example(algorithm, response).check(&secret).expect(algorithm);
            assert!(info.starts_with("rspauth=\"") && info.ends_with(", nc=00000001"), "{info}");
            assert!(example(algorithm, &response.to_uppercase()).check(&secret.to_uppercase()).is_some());
            let wrong = ha1(sha256, b"Mufasa", b"http-auth@example.org", b"Circle of life");
            assert_eq!(example(algorithm, response).check(&wrong), None);
            assert_eq!(example(algorithm, "").check(&secret), None);
        }
    }

    #[test]
    fn sums_are_those_of_the_standards() {
        assert_eq!(hash(false, b""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(hash(true, b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}

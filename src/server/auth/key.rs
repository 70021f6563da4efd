//! The process's key, from which nonces and remembered passwords are made unforgeable.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// A keyed sum of several texts, each told apart from the next.
pub(super) fn sum(parts: &[&[u8]]) -> [u8; 32] {
    static KEY: OnceLock<Hmac<Sha256>> = OnceLock::new();
    let mut sum = KEY.get_or_init(make).clone();
    for part in parts {
        sum.update(&(part.len() as u64).to_le_bytes());
        sum.update(part);
    }
    sum.finalize().into_bytes().into()
}

fn make() -> Hmac<Sha256> {
    let mut key = [0; 32];
    if getrandom::fill(&mut key).is_err() {
        // The standard library has random bits of its own, or has ended the process.
        for word in key.chunks_exact_mut(8) {
            word.copy_from_slice(&RandomState::new().hash_one(0).to_ne_bytes());
        }
    }
    <Hmac<Sha256> as Mac>::new_from_slice(&key)
        .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart() {
        assert_eq!(sum(&[b"a", b"b"]), sum(&[b"a", b"b"]));
        assert_ne!(sum(&[b"ab", b""]), sum(&[b"a", b"b"]));
    }
}

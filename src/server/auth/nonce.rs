//! Nonces: made without memory, unforgeable, good for a while; and the counts used with them, so that nobody uses a proof
//! twice (RFC 7616, section 5.5).
//!
//! A nonce is a number in sequence, the time it was made and a keyed sum of both. Counts are remembered for nonces that
//! were used, in a window that lets requests on several connections overtake each other. The memory is bounded: what is
//! forgotten, and all made before it, counts as stale.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use subtle::ConstantTimeEq;

use super::key;

/// Nonces whose counts are remembered.
const REMEMBERED: usize = 8192;
/// Counts below the highest that may still come.
const WINDOW: u32 = 128;
const SUM: usize = 16;
const LEN: usize = 16 + SUM;

/// A nonce of ours that has not run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nonce(u64);

/// What using a count came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Not seen before.
    First,
    /// Seen before.
    Again,
    /// So old that nobody remembers.
    Stale,
}

/// Makes a nonce.
pub(super) fn make(now_ms: u64) -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let number = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    let mut bytes = [0; LEN];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes[8..16].copy_from_slice(&now_ms.to_be_bytes());
    let sum = key::sum(&[b"nonce", &bytes[..16]]);
    bytes[16..].copy_from_slice(&sum[..SUM]);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The nonce in a client's answer; `None` if it is not ours, or too old.
pub(super) fn read(text: &[u8], now_ms: u64, life_ms: u64) -> Option<Nonce> {
    let mut bytes = [0; LEN];
    // Longer texts do not fit, and are not ours.
    let len = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
    let sum = key::sum(&[b"nonce", &bytes[..16]]);
    let ours: bool = bytes[16..].ct_eq(&sum[..SUM]).into();
    let [number, made] = [0, 8].map(|at| {
        let mut word = [0; 8];
        word.copy_from_slice(&bytes[at..at + 8]);
        u64::from_be_bytes(word)
    });
    (len == LEN && ours && now_ms.saturating_sub(made) <= life_ms).then_some(Nonce(number))
}

/// Uses a count with a nonce.
pub(super) fn count(nonce: Nonce, count: u32) -> Use {
    static USED: LazyLock<Mutex<Counts>> = LazyLock::new(Mutex::default);
    USED.lock().take(nonce.0, count)
}

#[derive(Default)]
struct Counts {
    /// By the nonce's number: the highest count, and a bit for each of those below that was seen.
    nonces: BTreeMap<u64, (u32, u128)>,
    /// Nonces up to this one are forgotten.
    forgotten: u64,
}

impl Counts {
    fn take(&mut self, number: u64, count: u32) -> Use {
        if let Some((highest, seen)) = self.nonces.get_mut(&number) {
            if count > *highest {
                let ahead = count - *highest;
                *seen = if ahead < WINDOW { *seen << ahead } else { 0 };
                (*highest, *seen) = (count, *seen | 1);
                return Use::First;
            }
            let behind = *highest - count;
            if behind >= WINDOW {
                return Use::Stale;
            }
            let bit = 1 << behind;
            let again = *seen & bit != 0;
            *seen |= bit;
            return if again { Use::Again } else { Use::First };
        }
        if number <= self.forgotten {
            return Use::Stale;
        }
        if self.nonces.len() == REMEMBERED
            && let Some((oldest, _)) = self.nonces.pop_first()
        {
            self.forgotten = oldest;
            if number <= oldest {
                return Use::Stale;
            }
        }
        self.nonces.insert(number, (count, 1));
        Use::First
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_nonces_are_read_and_only_for_their_time() {
        let nonce = make(1000);
        assert!(read(nonce.as_bytes(), 1000, 500).is_some());
        assert!(read(nonce.as_bytes(), 1500, 500).is_some());
        assert_eq!(read(nonce.as_bytes(), 1501, 500), None);
        for at in 0..nonce.len() - 1 {
            let mut forged = nonce.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(read(&forged, 1000, 500), None, "{at}");
        }
        for bad in ["", "x", "????", &nonce[1..], &format!("{nonce}AA")] {
            assert_eq!(read(bad.as_bytes(), 1000, 500), None);
        }
        assert_ne!(make(1000), nonce);
    }

    #[test]
    fn a_count_is_good_once() {
        let mut counts = Counts::default();
        assert_eq!(counts.take(5, 1), Use::First);
        assert_eq!(counts.take(5, 1), Use::Again);
        assert_eq!(counts.take(5, 4), Use::First);
        assert_eq!(counts.take(5, 3), Use::First);
        assert_eq!([3, 4, 1].map(|n| counts.take(5, n)), [Use::Again; 3]);
        assert_eq!(counts.take(5, 1000), Use::First);
        assert_eq!([1000 - 128, 1000 - 127].map(|n| counts.take(5, n)), [Use::Stale, Use::First]);
        assert_eq!(counts.take(6, u32::MAX), Use::First);
    }

    #[test]
    fn what_is_forgotten_is_stale() {
        let mut counts = Counts::default();
        for number in 10..10 + REMEMBERED as u64 {
            assert_eq!(counts.take(number, 1), Use::First);
        }
        assert_eq!(counts.take(1_000_000, 1), Use::First);
        assert_eq!(counts.nonces.len(), REMEMBERED);
        assert_eq!([9, 10].map(|number| counts.take(number, 2)), [Use::Stale; 2]);
        assert_eq!(counts.take(11, 1), Use::Again);
    }
}

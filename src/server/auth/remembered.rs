//! Passwords of the Basic scheme that were right a moment ago, so that a client that sends its password with every request
//! has the slow sum made once. Kept as keyed sums, never as text, and only as long as the file does not change.

use std::collections::HashMap;
use std::sync::LazyLock;

use parking_lot::Mutex;

use super::key;

/// Milliseconds they are remembered.
const LIFE_MS: u64 = 300_000;
const MOST: usize = 4096;

static REMEMBERED: LazyLock<Mutex<Memory>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Memory(HashMap<[u8; 32], u64>);

/// What a password is remembered by.
pub(super) fn sum(edition: u64, user: &[u8], realm: &[u8], password: &[u8]) -> [u8; 32] {
    key::sum(&[b"basic", &edition.to_le_bytes(), user, realm, password])
}

/// Whether it was right a moment ago.
pub(super) fn knows(sum: &[u8; 32], now_ms: u64) -> bool {
    REMEMBERED.lock().0.get(sum).is_some_and(|until| *until > now_ms)
}

/// It was right.
pub(super) fn remember(sum: [u8; 32], now_ms: u64) {
    REMEMBERED.lock().insert(sum, now_ms);
}

impl Memory {
    fn insert(&mut self, sum: [u8; 32], now_ms: u64) {
        if self.0.len() >= MOST {
            self.0.retain(|_, until| *until > now_ms);
        }
        if self.0.len() >= MOST {
            // More users at once than that are checked anew.
            self.0.clear();
        }
        self.0.insert(sum, now_ms + LIFE_MS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_remembers_for_a_while_and_within_bounds() {
        let one = sum(1, b"u", b"r", b"p");
        assert_ne!(one, sum(2, b"u", b"r", b"p"));
        remember(one, 1000);
        assert!(knows(&one, 1000 + LIFE_MS - 1) && !knows(&one, 1000 + LIFE_MS));
        let mut memory = Memory::default();
        for number in 0..2 * MOST as u64 {
            memory.insert(key::sum(&[&number.to_le_bytes()]), number);
        }
        assert!(memory.0.len() <= MOST);
    }
}

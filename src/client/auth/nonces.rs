//! The Digest challenges a session has met, one for each server and proxy, so that a request that has credentials
//! for Digest answers the last one at once, with its next count, in place of asking for another.

use parking_lot::Mutex;
use zeroize::Zeroizing;

use super::digest::Nonce;
use super::{Login, Server, Target};

/// Servers remembered; the one asked longest ago is forgotten first.
const MOST: usize = 64;

/// What a session remembers.
#[derive(Debug, Default)]
pub(crate) struct Nonces(Mutex<Vec<(Target, Server, Nonce)>>);

impl Nonces {
    /// Keeps a challenge in place of the server's earlier one.
    pub(super) fn keep(&self, target: Target, server: &Server, nonce: Nonce) {
        let mut known = self.0.lock();
        known.retain(|(of, from, _)| *of != target || from != server);
        if known.len() == MOST {
            known.remove(0);
        }
        known.push((target, server.clone(), nonce));
    }

    /// Answers the server's challenge once more; `None` when it has made none.
    pub(super) fn answer(
        &self,
        target: Target,
        server: &Server,
        login: &Login,
        method: &str,
        uri: &str,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let mut known = self.0.lock();
        let at = known.iter().position(|(of, from, _)| *of == target && from == server)?;
        let mut entry = known.remove(at);
        let answer = entry.2.answer(login, method, uri);
        known.push(entry);
        Some(answer)
    }
}

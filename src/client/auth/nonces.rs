//! The Digest challenges a session has met, so that a request that has credentials for Digest answers one at once,
//! with its next count, in place of asking for another: the last of each realm of a server, where `domain` lets it.

use parking_lot::Mutex;
use zeroize::Zeroizing;

use super::digest::Nonce;
use super::space::Space;
use super::{Login, Server, Target};

/// Challenges remembered; the one answered longest ago is forgotten first.
const MOST: usize = 64;

/// Challenges remembered of one server, so that none makes the session forget all others.
const MOST_OF_SERVER: usize = 4;

/// Who is asked for what.
pub(super) struct Asked<'a> {
    pub(super) target: Target,
    pub(super) server: &'a Server,
    pub(super) verb: &'a str,
    /// What the request line says.
    pub(super) uri: &'a str,
    /// Where on the server that is.
    pub(super) path: &'a str,
    /// The whole body; `None` while nobody knows it.
    pub(super) body: Option<&'a [u8]>,
}

/// Names a challenge that is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NonceId(u64);

#[derive(Debug)]
struct Known {
    id: NonceId,
    target: Target,
    server: Server,
    space: Space,
    nonce: Nonce,
}

impl Known {
    fn is_of(&self, target: Target, server: &Server) -> bool {
        self.target == target && self.server == *server
    }
}

#[derive(Debug, Default)]
struct Memory {
    /// The one answered last stands last.
    known: Vec<Known>,
    next: u64,
}

/// What a session remembers.
#[derive(Debug, Default)]
pub(crate) struct Nonces(Mutex<Memory>);

impl Nonces {
    /// Keeps a challenge in place of the realm's earlier one.
    pub(super) fn keep(&self, target: Target, server: &Server, space: Space, nonce: Nonce) -> NonceId {
        let Memory { known, next } = &mut *self.0.lock();
        known.retain(|old| !old.is_of(target, server) || !old.nonce.is_of_same_realm(&nonce));
        let mut of_server = known.iter().enumerate().filter(|(_, old)| old.is_of(target, server));
        let oldest = of_server.next().map(|(at, _)| at);
        if 1 + of_server.count() >= MOST_OF_SERVER
            && let Some(oldest) = oldest
        {
            known.remove(oldest);
        } else if known.len() == MOST {
            known.remove(0);
        }
        let id = NonceId(*next);
        *next += 1;
        known.push(Known { id, target, server: server.clone(), space, nonce });
        id
    }

    /// Answers the challenge that is named, or else the one of the server that says most closely that it is for
    /// what is asked. `None` when there is none, or it is about a body that is not known.
    pub(super) fn answer(
        &self,
        asked: &Asked<'_>,
        named: Option<NonceId>,
        login: &Login,
    ) -> Option<(NonceId, Zeroizing<Vec<u8>>)> {
        let (id, nonce) = self.use_one(asked, named)?;
        Some((id, nonce.answer(login, asked.verb, asked.uri, asked.body.unwrap_or_default())))
    }

    /// Counts one more answer. What it is, is worked out without the lock: that may be about a long body.
    fn use_one(&self, asked: &Asked<'_>, named: Option<NonceId>) -> Option<(NonceId, Nonce)> {
        let known = &mut self.0.lock().known;
        let fits = |one: &Known| {
            one.is_of(asked.target, asked.server) && (asked.body.is_some() || !one.nonce.signs_body())
        };
        let at = known.iter().position(|one| Some(one.id) == named && fits(one)).or_else(|| {
            let fitting = known.iter().enumerate().filter(|(_, one)| fits(one));
            let near = fitting.filter_map(|(at, one)| one.space.depth(asked.path).map(|depth| (depth, at)));
            near.max().map(|(_, at)| at)
        })?;
        let mut one = known.remove(at);
        one.nonce.count_one();
        let used = (one.id, one.nonce.clone());
        known.push(one);
        Some(used)
    }

    /// The server has told what to use in place of the nonce of a challenge.
    pub(super) fn renew(&self, id: NonceId, next: &[u8]) {
        if let Some(one) = self.0.lock().known.iter_mut().find(|one| one.id == id) {
            one.nonce.renew(next);
        }
    }
}

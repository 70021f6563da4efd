//! Comparing passwords with slow sums, on threads of the pool: never on one that does I/O, at most half of the processors
//! at once, and no more in line than a flood may cost.

use std::collections::VecDeque;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock, Weak};

use parking_lot::Mutex;

use crate::net::clock;
use crate::server::engine::Engine;
use crate::server::service::{AuthScheme, Identity, LOGON_DENIED, RequestId};
use crate::win32::threadpool::Callbacks;
use crate::wire::authorization::Basic;

use super::password_file::Content;
use super::remembered;

/// Requests that may wait for their password to be compared.
const LONGEST_LINE: usize = 256;

/// A password to be compared.
pub(crate) struct Password {
    content: Arc<Content>,
    basic: Basic,
    /// Where a domain ends in the user's name (`DOMAIN\user`).
    plain: usize,
    realm: Vec<u8>,
    sum: [u8; 32],
}

impl Password {
    pub(super) fn new(content: Arc<Content>, basic: Basic, realm: &[u8]) -> Password {
        let sum = remembered::sum(content.edition, &basic.user, realm, &basic.password);
        let plain = memchr::memrchr(b'\\', &basic.user).map_or(0, |at| at + 1);
        Password { content, basic, plain, realm: realm.to_vec(), sum }
    }

    pub(super) fn is_remembered(&self, now_ms: u64) -> bool {
        remembered::knows(&self.sum, now_ms)
    }

    /// It is right.
    pub(super) fn right(&self) -> Identity {
        Identity::success(AuthScheme::Basic, &self.basic.user, None)
    }

    /// Compares it; this may take a second. A name with a domain is looked up as it stands; if there is none, without.
    pub(super) fn judge(&self) -> Identity {
        let Basic { user, password } = &self.basic;
        // Never both: the one in the domain is another user than the one without.
        let known = self.content.knows(user, &self.realm);
        let name = if known { &user[..] } else { &user[self.plain..] };
        if !self.content.is_password(name, &self.realm, password) {
            return Identity::failure(AuthScheme::Basic, LOGON_DENIED);
        }
        remembered::remember(self.sum, clock::now_ms());
        self.right()
    }
}

/// Those who compare, and what waits for them.
#[derive(Default)]
pub(crate) struct Judges {
    line: Mutex<Line>,
    work: OnceLock<Arc<Callbacks>>,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<(RequestId, Password)>,
    busy: usize,
}

impl Judges {
    /// Has a password compared; the engine is told through [`Engine::told_identity`]. False if it cannot be done now.
    pub(crate) fn ask(&self, engine: &Weak<Engine>, request: RequestId, password: Password) -> bool {
        let mut line = self.line.lock();
        if line.waiting.len() >= LONGEST_LINE {
            return false;
        }
        line.waiting.push_back((request, password));
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        if line.busy >= (processors / 2).max(1) {
            return true;
        }
        line.busy += 1;
        drop(line);
        let engine = Weak::clone(engine);
        let work = self.work.get_or_init(|| {
            Callbacks::work(move || {
                if let Some(engine) = engine.upgrade() {
                    engine.judges.judge_all(&engine);
                }
            })
        });
        let begun = work.submit().is_ok();
        if !begun {
            let mut line = self.line.lock();
            line.busy -= 1;
            line.waiting.retain(|(waiting, _)| *waiting != request);
        }
        begun
    }

    fn judge_all(&self, engine: &Engine) {
        loop {
            let mut line = self.line.lock();
            let Some((request, password)) = line.waiting.pop_front() else {
                // Of a call that was refused and came all the same, nobody knows.
                line.busy = line.busy.saturating_sub(1);
                return;
            };
            drop(line);
            // What a crate panics about lets nobody in, and keeps nobody waiting.
            let judged = catch_unwind(AssertUnwindSafe(|| password.judge()));
            let denied = || Identity::failure(AuthScheme::Basic, LOGON_DENIED);
            engine.told_identity(request, judged.unwrap_or_else(|_| denied()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::digest::ha1;
    use super::*;
    use crate::server::service::AuthStatus;

    #[test]
    fn a_user_in_a_domain_is_not_the_one_without() {
        let line = |user: &str, password: &str| {
            format!("{user}:r:{}\n", ha1(false, user.as_bytes(), b"r", password.as_bytes()))
        };
        let file = line("ann", "plain") + &line("CORP\\ann", "corp");
        let content = Arc::new(Content::parse(file.as_bytes()));
        let judge = |user: &str, password: &str| {
            let basic = Basic { user: user.into(), password: password.into() };
            Password::new(Arc::clone(&content), basic, b"r").judge().status
        };
        for (user, password) in [("ann", "plain"), ("CORP\\ann", "corp"), ("HOME\\ann", "plain")] {
            assert_eq!(judge(user, password), AuthStatus::Success, "{user}");
        }
        for (user, password) in
            [("CORP\\ann", "plain"), ("HOME\\ann", "corp"), ("ann", "corp"), ("CORP\\", "plain")]
        {
            assert_eq!(judge(user, password), AuthStatus::Failure, "{user}");
        }
    }

    #[test]
    fn a_call_that_was_refused_and_comes_all_the_same_does_no_harm() {
        let engine = Engine::new().unwrap();
        engine.judges.judge_all(&engine);
        assert_eq!(engine.judges.line.lock().busy, 0);
    }

    #[test]
    fn a_flood_is_turned_away() {
        let judges = Judges::default();
        let (content, nobody) = (Arc::new(Content::default()), Weak::new());
        let password = || {
            let basic = Basic { user: b"a".to_vec(), password: b"b".to_vec() };
            Password::new(Arc::clone(&content), basic, b"")
        };
        // Without an engine nobody works the line off.
        assert!((0..LONGEST_LINE as u64).all(|number| judges.ask(&nobody, RequestId(number), password())));
        assert!(!judges.ask(&nobody, RequestId(0), password()));
    }
}

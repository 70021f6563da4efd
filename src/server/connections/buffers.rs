//! Input buffers and the pool that idle connections give theirs back to.
//!
//! The pool hands out what came back last, so under load a few buffers, hot in the cache, serve thousands
//! of connections, and an idle connection holds none.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::net::deadlines::NEVER;
use crate::wire::request::RequestHead;

use super::connection::Work;

/// First size of an input buffer, and the largest one the pool keeps.
const SIZE: usize = 16 * 1024;

/// The most memory for responses that is kept for the next ones; more than a full pipeline takes.
const KEPT_HELD: usize = 64 * 1024;

/// How many the pool keeps.
const KEPT: usize = 64;

/// Bytes read from a connection and not yet used.
pub(crate) struct Input {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Input {
    fn new() -> Input {
        Input { bytes: vec![0; SIZE].into_boxed_slice(), start: 0, end: 0 }
    }

    /// What is there.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Uses up the first `n` bytes.
    #[inline]
    pub(crate) fn consume(&mut self, n: usize) {
        self.start += n;
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Room to read into; makes some by moving what is there to the front, or by growing.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        if self.end == self.bytes.len() {
            if self.start > 0 {
                self.bytes.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            } else {
                let mut larger = vec![0; self.bytes.len() * 2];
                larger[..self.end].copy_from_slice(&self.bytes);
                self.bytes = larger.into_boxed_slice();
            }
        }
        &mut self.bytes[self.end..]
    }

    /// Counts in bytes read into [`Input::space`].
    #[inline]
    pub(crate) fn filled(&mut self, n: usize) {
        self.end += n;
    }
}

thread_local! {
    /// What this thread gave back last: it is the likeliest to need it again, and takes it without a lock.
    static OWN: Cell<Option<Box<Work>>> = const { Cell::new(None) };
}

/// The pool.
#[derive(Default)]
#[expect(clippy::vec_box, reason = "each is handed on as the box it is")]
pub(crate) struct Pool {
    free: Mutex<Vec<Box<Work>>>,
}

impl Pool {
    /// Working memory for a connection that has something to do.
    pub(crate) fn take(&self) -> Box<Work> {
        OWN.take().or_else(|| self.free.lock().pop()).unwrap_or_else(|| {
            Box::new(Work {
                input: Input::new(),
                head: Arc::new(RequestHead::new()),
                exchange: None,
                place: None,
                reads: VecDeque::new(),
                outbox: VecDeque::new(),
                held: Vec::new(),
                began: 0,
                nagled: false,
                paused_until: NEVER,
                stamps: None,
            })
        })
    }

    /// Takes it back from one that has not.
    pub(crate) fn give(&self, mut work: Box<Work>) {
        work.exchange = None;
        work.place = None;
        work.paused_until = NEVER;
        work.nagled = false;
        work.began = 0;
        work.stamps = None;
        let unused = work.input.is_empty() && work.input.bytes.len() == SIZE;
        if !unused || work.head.bytes.capacity() > SIZE || work.held.capacity() > KEPT_HELD {
            return;
        }
        if let Some(other) = OWN.replace(Some(work)) {
            let mut free = self.free.lock();
            if free.len() < KEPT {
                free.push(other);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_moves_before_it_grows() {
        let mut input = Input::new();
        let n = input.space().len();
        input.filled(n);
        input.consume(n - 10);
        assert_eq!(input.space().len(), SIZE - 10);
        input.filled(SIZE - 10);
        assert_eq!(input.space().len(), SIZE);
        assert_eq!(input.bytes().len(), SIZE);
    }
}

//! A queue that threads wait at: the heart of completion ports and of the thread pool.
//!
//! The thread that came last is woken first, since its caches are warmest; and if the thread that brings an
//! item waits here itself (it drives the engine meanwhile), the item is its own and nobody is woken at all.
//! A woken thread finds its item or, if another was quicker, waits on.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use super::beacon::Beacon;
use super::wait::Waiter;

/// Why a take brought nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Empty {
    /// The deadline passed.
    TimedOut,
    /// The queue was closed.
    Closed,
}

/// A closable queue.
pub struct WaitQueue<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    items: VecDeque<T>,
    waiting: Vec<Arc<Waiter>>,
    closed: bool,
    beacon: Beacon,
}

impl<T> WaitQueue<T> {
    /// An empty queue.
    pub const fn new() -> WaitQueue<T> {
        let state =
            State { items: VecDeque::new(), waiting: Vec::new(), closed: false, beacon: Beacon::new() };
        WaitQueue { state: Mutex::new(state) }
    }

    /// Adds an item and wakes a thread for it. Tells whether one waited; gives the item back if closed.
    pub fn put(&self, item: T) -> Result<bool, T> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(item);
        }
        state.items.push_back(item);
        state.beacon.show(true);
        let woken = state.choose();
        drop(state);
        if let Some(waiter) = &woken {
            waiter.notify();
        }
        Ok(woken.is_some())
    }

    /// Takes the oldest item, waiting for one until the deadline and driving the engine meanwhile.
    pub fn take(&self, deadline: Option<Instant>) -> Result<T, Empty> {
        self.take_many(deadline, 1, |item| item)
    }

    /// As [`WaitQueue::take`], and hands up to `limit` items to `each`, whose first result it gives.
    pub fn take_many<R>(
        &self,
        deadline: Option<Instant>,
        limit: usize,
        mut each: impl FnMut(T) -> R,
    ) -> Result<R, Empty> {
        let mut me: Option<Arc<Waiter>> = None;
        let mut late = false;
        loop {
            let mut state = self.state.lock();
            if let Some(item) = state.items.pop_front() {
                state.leave(me.as_ref());
                let first = each(item);
                for item in (1..limit).map_while(|_| state.items.pop_front()) {
                    each(item);
                }
                let more = !state.items.is_empty();
                state.beacon.show(more);
                return Ok(first);
            }
            late = late || deadline.is_some_and(|deadline| Instant::now() >= deadline);
            if state.closed || late {
                state.leave(me.as_ref());
                return Err(if state.closed { Empty::Closed } else { Empty::TimedOut });
            }
            let me = me.get_or_insert_with(|| {
                let waiter = Waiter::current();
                waiter.reset();
                waiter
            });
            state.enter(me);
            drop(state);
            late = !me.wait(deadline, true);
        }
    }

    /// Closes the queue: drops what is in it and ends all waits.
    pub fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        // Who waits at the descriptor is to learn of it.
        state.beacon.show(true);
        let items = std::mem::take(&mut state.items);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        drop(items);
        waiting.iter().for_each(|waiter| waiter.notify());
    }

    /// A descriptor that is readable while there is an item, or the queue is closed.
    pub fn descriptor(&self) -> io::Result<Arc<File>> {
        let mut state = self.state.lock();
        let ready = !state.items.is_empty() || state.closed;
        state.beacon.descriptor(ready)
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.state.lock().items.len()
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Default for WaitQueue<T> {
    fn default() -> Self {
        WaitQueue::new()
    }
}

impl<T> State<T> {
    fn choose(&mut self) -> Option<Arc<Waiter>> {
        if self.waiting.len() > 1 {
            let me = Waiter::current();
            if let Some(index) = self.waiting.iter().position(|waiter| Arc::ptr_eq(waiter, &me)) {
                return Some(self.waiting.remove(index));
            }
        }
        self.waiting.pop()
    }

    fn enter(&mut self, me: &Arc<Waiter>) {
        if !self.waiting.iter().any(|waiter| Arc::ptr_eq(waiter, me)) {
            self.waiting.push(Arc::clone(me));
        }
    }

    fn leave(&mut self, me: Option<&Arc<Waiter>>) {
        if let Some(me) = me {
            self.waiting.retain(|waiter| !Arc::ptr_eq(waiter, me));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::signal::deadline;
    use super::*;

    #[test]
    fn items_come_in_order_and_an_empty_queue_times_out() {
        let queue = WaitQueue::new();
        (0..5).for_each(|n| assert_eq!(queue.put(n), Ok(false)));
        assert_eq!(queue.take(None), Ok(0));
        let mut batch = Vec::new();
        queue.take_many(None, 3, |n| batch.push(n)).unwrap();
        assert_eq!(batch, [1, 2, 3]);
        assert_eq!(queue.take(deadline(0)), Ok(4));
        assert_eq!(queue.take(deadline(0)), Err(Empty::TimedOut));
        assert_eq!(queue.take(deadline(1)), Err(Empty::TimedOut));
    }

    #[test]
    fn every_item_reaches_exactly_one_thread() {
        let queue = Arc::new(WaitQueue::new());
        let takers: Vec<_> = (0..4)
            .map(|_| {
                let queue = Arc::clone(&queue);
                std::thread::spawn(move || {
                    std::iter::from_fn(|| queue.take(None).ok())
                        .take_while(|&n| n != u32::MAX)
                        .map(u64::from)
                        .sum::<u64>()
                })
            })
            .collect();
        (0..2000).for_each(|n| assert!(queue.put(n).is_ok()));
        (0..4).for_each(|_| assert!(queue.put(u32::MAX).is_ok()));
        let sum: u64 = takers.into_iter().map(|taker| taker.join().unwrap()).sum();
        assert_eq!(sum, (0..2000).sum::<u64>());
    }

    #[test]
    fn closing_ends_waits_and_refuses_items() {
        let queue = Arc::new(WaitQueue::<u8>::new());
        let other = Arc::clone(&queue);
        let taker = std::thread::spawn(move || other.take(None));
        queue.close();
        assert_eq!(taker.join().unwrap(), Err(Empty::Closed));
        assert_eq!(queue.put(1), Err(1));
        assert_eq!(queue.take(None), Err(Empty::Closed));
    }
}

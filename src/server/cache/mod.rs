//! The response cache and the fragment cache: what is kept, for how long, within which memory (digest §3.8, §5.8).
//!
//! A response is found by port, Host and target as the client wrote them, so that a hit needs no cooking of URLs; other
//! spellings of one URL are entries of their own, and a flush finds them all by their canonical URL. What may be kept is
//! judged in `eligible`, how a hit is answered stands in `serve`, what is given up before its
//! time in `flush`; fragments are in `fragments`.

mod eligible;
mod entry;
mod flush;
mod fragments;
mod serve;

use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use foldhash::quality::RandomState;
use parking_lot::{Mutex, RwLock};
use smallvec::SmallVec;

use crate::net::clock;
use crate::wire::request::RequestHead;

use crate::server::groups::policy::Policy;
use crate::server::monitor::snapshot::{CacheEntry, CacheState};
use crate::server::service::QueueId;

pub(crate) use eligible::Manner;
pub(crate) use entry::Entry;
pub(crate) use fragments::Fragments;
pub(crate) use serve::Answered;

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CacheLimits {
    /// Anything at all (`UriEnableCache`).
    pub(crate) enabled: bool,
    /// Bytes of one response (`UriMaxUriBytes`).
    pub(crate) response: u64,
    /// Bytes of everything.
    pub(crate) total: u64,
    /// Milliseconds between two looks for stale entries (`UriScavengerPeriod`).
    pub(crate) scavenge_ms: u64,
}

/// What the cache has done.
#[derive(Default)]
pub(crate) struct CacheCounts {
    pub(crate) stored: AtomicU64,
    pub(crate) hits: AtomicU64,
    pub(crate) misses: AtomicU64,
    pub(crate) flushes: AtomicU64,
    pub(crate) flushed: AtomicU64,
}

/// Places of entries that are gone which may stand in the order, besides as many as there are entries.
const SLACK: usize = 64;

/// The responses of one key; nearly always one.
type Bucket = SmallVec<[Arc<Entry>; 1]>;

/// The caches of an engine.
pub(crate) struct Cache {
    pub(crate) limits: CacheLimits,
    pub(crate) counts: CacheCounts,
    pub(crate) fragments: Fragments,
    hasher: RandomState,
    /// By the hash of port, Host and target.
    entries: RwLock<HashMap<u64, Bucket, RandomState>>,
    /// Entries in `entries`; asked before anything else, so that an empty cache costs a request one load.
    live: AtomicUsize,
    /// Bytes of all entries and fragments.
    bytes: AtomicU64,
    order: Mutex<Order>,
}

/// Entries from the oldest to the newest; those used since they were looked at last get another turn.
#[derive(Default)]
struct Order {
    queue: VecDeque<Weak<Entry>>,
    scavenged_ms: u64,
}

/// A request that the cache answers.
pub(crate) struct Hit {
    pub(crate) entry: Arc<Entry>,
    pub(crate) manner: Manner,
    /// What holds for the request.
    pub(crate) policy: Arc<Policy>,
}

impl Cache {
    pub(crate) fn new(limits: CacheLimits) -> Cache {
        Cache {
            limits,
            counts: CacheCounts::default(),
            fragments: Fragments::default(),
            hasher: RandomState::default(),
            entries: RwLock::default(),
            live: AtomicUsize::new(0),
            bytes: AtomicU64::new(0),
            order: Mutex::default(),
        }
    }

    /// Looks for the answer to a request that goes to this queue.
    #[inline]
    pub(crate) fn look_up(
        &self,
        port: u16,
        head: &RequestHead,
        queue: QueueId,
        policy: &Arc<Policy>,
    ) -> Option<Hit> {
        if self.live.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let (entry, manner) = self.find(port, head, queue, clock::now_ms())?;
        Some(Hit { entry, manner, policy: Arc::clone(policy) })
    }

    fn find(
        &self,
        port: u16,
        head: &RequestHead,
        queue: QueueId,
        now_ms: u64,
    ) -> Option<(Arc<Entry>, Manner)> {
        let manner = eligible::manner(head)?;
        let (host, path) = eligible::key(head)?;
        let hash = self.hasher.hash_one((port, host, path));
        let found = self.entries.read().get(&hash).and_then(|bucket| {
            let matches =
                |e: &&Arc<Entry>| e.port == port && &*e.host == host && &*e.path == path && e.queue == queue;
            bucket.iter().find(matches).cloned()
        });
        let fit = found.filter(|entry| !entry.is_stale(now_ms) && entry.suits(head));
        let Some(entry) = fit else {
            self.counts.misses.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        self.counts.hits.fetch_add(1, Ordering::Relaxed);
        entry.used();
        Some((entry, manner))
    }

    /// Keeps a response, in place of an older one for the same key.
    pub(crate) fn store(&self, entry: Entry, now_ms: u64) {
        let entry = Arc::new(entry);
        let hash = self.hash(&entry);
        {
            let mut entries = self.entries.write();
            let bucket = entries.entry(hash).or_default();
            bucket.retain(|old| {
                let same = old.port == entry.port && old.host == entry.host && old.path == entry.path;
                if same {
                    self.count_out(old);
                }
                !same
            });
            bucket.push(Arc::clone(&entry));
            self.live.fetch_add(1, Ordering::Relaxed);
            self.bytes.fetch_add(entry.size(), Ordering::Relaxed);
        }
        self.counts.stored.fetch_add(1, Ordering::Relaxed);
        let mut order = self.order.lock();
        order.queue.push_back(Arc::downgrade(&entry));
        if now_ms.saturating_sub(order.scavenged_ms) >= self.limits.scavenge_ms {
            order.scavenged_ms = now_ms;
            drop(order);
            self.take_out(|entry| entry.is_stale(now_ms));
            self.expire_fragments(now_ms);
            order = self.order.lock();
        }
        if order.queue.len() > 2 * self.live.load(Ordering::Relaxed) + SLACK {
            // Entries that were replaced or flushed stand there yet, and hold some memory.
            order.queue.retain(|entry| entry.strong_count() > 0);
        }
        self.make_room(&mut order, now_ms);
    }

    fn expire_fragments(&self, now_ms: u64) {
        self.bytes.fetch_sub(self.fragments.expire(now_ms), Ordering::Relaxed);
    }

    /// Takes out what is over, then the oldest until the rest fits.
    fn make_room(&self, order: &mut Order, now_ms: u64) {
        if self.bytes.load(Ordering::Relaxed) > self.limits.total {
            self.expire_fragments(now_ms);
        }
        let mut turns = order.queue.len() * 2;
        while self.bytes.load(Ordering::Relaxed) > self.limits.total && turns > 0 {
            turns -= 1;
            let Some(oldest) = order.queue.pop_front() else { return };
            let Some(entry) = oldest.upgrade() else { continue };
            if entry.was_used() && turns > order.queue.len() {
                order.queue.push_back(oldest);
            } else {
                self.remove(&entry);
            }
        }
    }

    fn hash(&self, entry: &Entry) -> u64 {
        self.hasher.hash_one((entry.port, &*entry.host, &*entry.path))
    }

    fn remove(&self, entry: &Arc<Entry>) {
        let mut entries = self.entries.write();
        let hash = self.hash(entry);
        if let Some(bucket) = entries.get_mut(&hash) {
            let before = bucket.len();
            bucket.retain(|other| !Arc::ptr_eq(other, entry));
            if bucket.len() < before {
                self.count_out(entry);
            }
            if bucket.is_empty() {
                entries.remove(&hash);
            }
        }
    }

    fn count_out(&self, entry: &Entry) {
        self.live.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(entry.size(), Ordering::Relaxed);
    }

    /// Bytes it holds.
    pub(crate) fn size(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// What is in it, for those who look from outside.
    pub(crate) fn see(&self, with_entries: bool, now_ms: u64) -> CacheState {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut entries = Vec::new();
        if with_entries {
            entries.extend(self.entries.read().values().flatten().map(|entry| entry.see(now_ms)));
            entries.extend(self.fragments.see(now_ms));
            entries.sort_by(|a: &CacheEntry, b| a.url.cmp(&b.url));
        }
        CacheState {
            current_uris: self.live.load(Ordering::Relaxed) as u64,
            total_uris: count(&self.counts.stored),
            hits: count(&self.counts.hits),
            misses: count(&self.counts.misses),
            flushes: count(&self.counts.flushes),
            flushed_uris: count(&self.counts.flushed),
            fragments: self.fragments.count(),
            bytes: self.size(),
            limit_bytes: self.limits.total,
            entries,
        }
    }
}

#[cfg(test)]
mod tests;

//! What can be seen of the caches, and the flush that asks for no queue: both for the control socket.

use std::sync::atomic::Ordering;

use crate::server::snapshot::{CacheEntry, CacheState};
use crate::wire::prefix::UrlPrefix;

use super::{Cache, is_under};

impl Cache {
    /// Its counters, and with `entries` what it holds.
    pub(crate) fn see(&self, entries: bool, now_ms: u64) -> CacheState {
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let fragments = self.fragments.see(now_ms);
        let mut seen = CacheState {
            current_uris: self.live.load(Ordering::Relaxed) as u64,
            total_uris: count(&self.counts.stored),
            hits: count(&self.counts.hits),
            misses: count(&self.counts.misses),
            flushes: count(&self.counts.flushes),
            flushed_uris: count(&self.counts.flushed),
            fragments: fragments.len() as u64,
            bytes: self.size(),
            limit_bytes: self.limits.total,
            entries: Vec::new(),
        };
        if entries {
            let responses = self.entries.read();
            seen.entries = responses
                .values()
                .flatten()
                .map(|entry| CacheEntry {
                    url: entry.url.clone(),
                    fragment: false,
                    status: entry.head.status,
                    bytes: entry.size(),
                    hits: entry.hits.load(Ordering::Relaxed),
                    seconds_left: entry.expires_ms.map(|at| at.saturating_sub(now_ms) / 1000),
                })
                .collect();
            drop(responses);
            seen.entries.extend(fragments);
            seen.entries.sort_by(|a, b| a.url.cmp(&b.url));
        }
        seen
    }

    /// Flushes the responses and fragments of one URL, or of everything below it, whosever they are.
    pub(crate) fn flush_everywhere(&self, url: &UrlPrefix, recursive: bool) {
        let wanted = url.to_text().to_lowercase();
        let mut out = self.take_out(|entry| is_under(&entry.url, &wanted, recursive));
        let (fragments, bytes) = self.fragments.flush(|_, name| is_under(name, &wanted, recursive));
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        out += fragments;
        self.counts.flushes.fetch_add(1, Ordering::Relaxed);
        self.counts.flushed.fetch_add(out, Ordering::Relaxed);
    }
}

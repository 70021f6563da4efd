//! Giving up what is kept: flushes of one URL or of all below it, and what goes with a queue or a registration.

use std::sync::atomic::Ordering;

use crate::server::service::QueueId;
use crate::wire::prefix::UrlPrefix;

use super::{Cache, Entry};

impl Cache {
    /// Takes out all for which `goes` says so; tells how many.
    pub(super) fn take_out(&self, goes: impl Fn(&Entry) -> bool) -> u64 {
        let mut out = 0;
        self.entries.write().retain(|_, bucket| {
            bucket.retain(|entry| {
                let stays = !goes(entry);
                if !stays {
                    self.count_out(entry);
                    out += 1;
                }
                stays
            });
            !bucket.is_empty()
        });
        out
    }

    /// Flushes a queue's responses and fragments of one URL, or of everything below it.
    pub(crate) fn flush(&self, queue: QueueId, url: &UrlPrefix, recursive: bool) {
        let wanted = url.to_text().to_lowercase();
        let mut out = self.take_out(|entry| entry.queue == queue && is_under(&entry.url, &wanted, recursive));
        let (fragments, bytes) =
            self.fragments.flush(|q, name| q == queue && is_under(name, &wanted, recursive));
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        out += fragments;
        self.counts.flushes.fetch_add(1, Ordering::Relaxed);
        self.counts.flushed.fetch_add(out, Ordering::Relaxed);
    }

    /// Flushes what was kept under a registration that goes: a prefix of this URL.
    pub(crate) fn forget_prefix(&self, url: &UrlPrefix) {
        if self.live.load(Ordering::Relaxed) > 0 {
            let port = url.port;
            let path = url.path.to_lowercase();
            // The registration that answered is not known any more, so everything on the port below that path goes.
            self.take_out(|entry| entry.port == port && entry.decoded_path.starts_with(path.as_str()));
        }
    }

    /// Flushes everything of a queue that closes, or that a group leaves.
    pub(crate) fn forget_queue(&self, queue: QueueId) {
        if self.live.load(Ordering::Relaxed) > 0 {
            self.take_out(|entry| entry.queue == queue);
        }
        let (_, bytes) = self.fragments.flush(|q, _| q == queue);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Flushes one URL, all below it, or (without one) everything, of every queue.
    pub(crate) fn flush_any(&self, url: Option<&UrlPrefix>, recursive: bool) {
        let wanted = url.map(|url| url.to_text().to_lowercase());
        let goes = |url: &str| wanted.as_deref().is_none_or(|wanted| is_under(url, wanted, recursive));
        let out = self.take_out(|entry| goes(&entry.url));
        let (fragments, bytes) = self.fragments.flush(|_, name| goes(name));
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.counts.flushes.fetch_add(1, Ordering::Relaxed);
        self.counts.flushed.fetch_add(out + fragments, Ordering::Relaxed);
    }
}

/// Whether a URL is this one, or lies below it. Both are canonical and in small letters; `wanted` ends with a slash.
fn is_under(url: &str, wanted: &str, recursive: bool) -> bool {
    let same = url.strip_suffix('/').unwrap_or(url) == wanted.strip_suffix('/').unwrap_or(wanted);
    same || recursive && url.starts_with(wanted)
}

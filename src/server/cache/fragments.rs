//! The fragment cache: bytes under a URL, to be put into responses by name.

use std::collections::HashMap;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;

use crate::abi::error::{Error, Result};
use crate::server::monitor::snapshot::CacheEntry;
use crate::server::responses::parcel::length;
use crate::server::service::{Body, CachePolicy, Chunk, QueueId};
use crate::wire::prefix::UrlPrefix;

use super::Cache;

struct Fragment {
    bytes: Arc<[u8]>,
    expires_ms: Option<u64>,
}

impl Fragment {
    fn lasts(&self, now_ms: u64) -> bool {
        self.expires_ms.is_none_or(|at| now_ms < at)
    }
}

/// The fragments of all queues, by queue and canonical URL in small letters.
#[derive(Default)]
pub(crate) struct Fragments {
    by_name: Mutex<HashMap<(QueueId, String), Fragment>>,
}

impl Fragments {
    /// Takes out those for which `goes` says so; how many, and how many bytes.
    pub(super) fn flush(&self, goes: impl Fn(QueueId, &str) -> bool) -> (u64, u64) {
        let (mut count, mut bytes) = (0, 0);
        self.by_name.lock().retain(|(queue, name), fragment| {
            let stays = !goes(*queue, name);
            if !stays {
                count += 1;
                bytes += fragment.bytes.len() as u64;
            }
            stays
        });
        (count, bytes)
    }
}

impl Fragments {
    /// Takes out those whose time is over; how many bytes.
    pub(super) fn expire(&self, now_ms: u64) -> u64 {
        let mut bytes = 0;
        self.by_name.lock().retain(|_, fragment| {
            let stays = fragment.lasts(now_ms);
            bytes += if stays { 0 } else { fragment.bytes.len() as u64 };
            stays
        });
        bytes
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.by_name.lock().len() as u64
    }

    /// What they are, for those who look from outside.
    pub(super) fn see(&self, now_ms: u64) -> Vec<CacheEntry> {
        let by_name = self.by_name.lock();
        let told = by_name.iter().map(|((_, name), fragment)| CacheEntry {
            url: name.clone(),
            fragment: true,
            bytes: fragment.bytes.len() as u64,
            seconds_left: fragment.expires_ms.map(|at| at.saturating_sub(now_ms) / 1000),
            ..CacheEntry::default()
        });
        told.collect()
    }
}

/// The name a fragment is kept under.
fn name_of(url: &str) -> Result<String> {
    let units: Vec<u16> = url.encode_utf16().collect();
    Ok(UrlPrefix::parse(&units)?.to_text().to_lowercase())
}

impl Cache {
    /// Keeps the bytes of a chunk as a fragment of a queue, in place of an older one of that URL. A cache that is off or
    /// has no room takes it and forgets it: fragments may vanish at any time.
    pub(crate) fn add_fragment(
        &self,
        queue: QueueId,
        url: &UrlPrefix,
        chunk: &Chunk,
        policy: CachePolicy,
        now_ms: u64,
    ) -> Result<()> {
        let expires_ms = match policy {
            CachePolicy::NoCache => return Err(Error::INVALID_PARAMETER),
            CachePolicy::UserInvalidates => None,
            CachePolicy::TimeToLive(seconds) => Some(now_ms.saturating_add(u64::from(seconds) * 1000)),
        };
        let bytes = read_all(chunk, self.limits.total)?;
        if !self.limits.enabled {
            return Ok(());
        }
        let added = bytes.len() as u64;
        let key = (queue, url.to_text().to_lowercase());
        let old = self.fragments.by_name.lock().insert(key.clone(), Fragment { bytes, expires_ms });
        let removed = old.map_or(0, |old| old.bytes.len() as u64);
        self.bytes.fetch_add(added, Ordering::Relaxed);
        self.bytes.fetch_sub(removed, Ordering::Relaxed);
        self.make_room(&mut self.order.lock(), now_ms);
        if self.size() > self.limits.total
            && let Some(gone) = self.fragments.by_name.lock().remove(&key)
        {
            // Perhaps a newer one than was added here.
            self.bytes.fetch_sub(gone.bytes.len() as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The bytes of a fragment.
    pub(crate) fn fragment(&self, queue: QueueId, url: &str, now_ms: u64) -> Result<Arc<[u8]>> {
        let key = (queue, name_of(url).map_err(|_| Error::PATH_NOT_FOUND)?);
        let mut fragments = self.fragments.by_name.lock();
        match fragments.get(&key) {
            Some(fragment) if fragment.lasts(now_ms) => Ok(Arc::clone(&fragment.bytes)),
            Some(_) => {
                if let Some(old) = fragments.remove(&key) {
                    self.bytes.fetch_sub(old.bytes.len() as u64, Ordering::Relaxed);
                }
                Err(Error::PATH_NOT_FOUND)
            }
            None => Err(Error::PATH_NOT_FOUND),
        }
    }

    /// Puts the bytes of fragments in their places. One that is missing fails the whole: `PATH_NOT_FOUND`.
    pub(crate) fn fill_in(&self, queue: QueueId, body: &mut Body, now_ms: u64) -> Result<()> {
        for chunk in body.iter_mut() {
            let Chunk::Fragment { name, offset, length } = chunk else { continue };
            let bytes = self.fragment(queue, name, now_ms)?;
            let offset =
                usize::try_from(*offset).ok().filter(|at| *at <= bytes.len()).ok_or(Error::HANDLE_EOF)?;
            let left = bytes.len() - offset;
            let length =
                length.map_or(left, |length| usize::try_from(length).map_or(left, |length| length.min(left)));
            *chunk = Chunk::Shared { bytes, offset, length };
        }
        Ok(())
    }
}

/// The bytes of a chunk of memory or of a file, of at most so many.
pub(super) fn read_all(chunk: &Chunk, most: u64) -> Result<Arc<[u8]>> {
    if let Some(bytes) = chunk.memory() {
        return if bytes.len() as u64 <= most { Ok(bytes.into()) } else { Err(Error::NOT_ENOUGH_MEMORY) };
    }
    let Chunk::File { file, offset, .. } = chunk else { return Err(Error::INVALID_PARAMETER) };
    let len = length(chunk);
    if len > most {
        return Err(Error::NOT_ENOUGH_MEMORY);
    }
    let mut bytes = vec![0; usize::try_from(len).map_err(|_| Error::NOT_ENOUGH_MEMORY)?];
    file.read_exact_at(&mut bytes, *offset).map_err(|_| Error::HANDLE_EOF)?;
    Ok(bytes.into())
}

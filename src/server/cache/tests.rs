//! What the caches keep, find, flush and let go.

use super::*;
use crate::server::service::{CachePolicy, Chunk, ResponseHead};
use crate::win32::lent::LentBytes;
use crate::wire::prefix::UrlPrefix;

fn cache(total: u64) -> Cache {
    Cache::new(CacheLimits { enabled: true, response: 1 << 20, total, scavenge_ms: 1000 })
}

fn request(text: &str) -> RequestHead {
    let mut head = RequestHead::new();
    head.parse(text.as_bytes(), &Default::default()).unwrap();
    head
}

fn get(path: &str) -> RequestHead {
    request(&format!("GET {path} HTTP/1.1\r\nHost: a:80\r\n\r\n"))
}

fn keep(cache: &Cache, path: &str, policy: CachePolicy, bytes: usize) {
    let head = ResponseHead { status: 200, ..Default::default() };
    let body: Arc<[u8]> = vec![b'x'; bytes].into();
    cache.store(Entry::new(&get(path), (80, QueueId(1)), &head, body, policy, 0, true).unwrap(), 0);
}

fn found(cache: &Cache, path: &str, now: u64) -> bool {
    cache.find(80, &get(path), QueueId(1), now).is_some()
}

#[test]
fn entries_are_found_until_their_time_is_over() {
    let cache = cache(1 << 20);
    keep(&cache, "/a", CachePolicy::UserInvalidates, 10);
    keep(&cache, "/b", CachePolicy::TimeToLive(2), 10);
    assert!(found(&cache, "/a", 1 << 40) && found(&cache, "/b", 1_999));
    assert!(!found(&cache, "/b", 2_000) && !found(&cache, "/c", 0));
    assert!(cache.find(80, &get("/a"), QueueId(2), 0).is_none());
    assert!(cache.find(81, &get("/a"), QueueId(1), 0).is_none());
}

#[test]
fn a_flush_takes_one_url_or_all_below() {
    let cache = cache(1 << 20);
    for path in ["/a", "/a/b", "/a/b/c", "/ab"] {
        keep(&cache, path, CachePolicy::UserInvalidates, 10);
    }
    let url = |text: &str| UrlPrefix::parse(&text.encode_utf16().collect::<Vec<_>>()).unwrap();
    cache.flush(QueueId(1), &url("http://A:80/a/b"), false);
    assert_eq!(["/a", "/a/b", "/a/b/c", "/ab"].map(|p| found(&cache, p, 0)), [true, false, true, true]);
    cache.flush(QueueId(2), &url("http://a:80/"), true);
    cache.flush(QueueId(1), &url("http://a:80/A/"), true);
    assert_eq!(["/a", "/a/b/c", "/ab"].map(|p| found(&cache, p, 0)), [false, false, true]);
    cache.flush_any(None, false);
    assert_eq!((cache.size(), found(&cache, "/ab", 0)), (0, false));
}

#[test]
fn memory_stays_within_its_bound_and_what_is_used_stays_longer() {
    let cache = cache(30_000);
    keep(&cache, "/hot", CachePolicy::UserInvalidates, 5_000);
    for n in 0..50 {
        assert!(found(&cache, "/hot", 0), "{n}");
        keep(&cache, &format!("/{n}"), CachePolicy::UserInvalidates, 5_000);
        assert!(cache.size() <= 30_000);
    }
}

#[test]
fn entries_that_were_replaced_leave_nothing_behind() {
    let cache = cache(1 << 20);
    (0..1000).for_each(|_| keep(&cache, "/a", CachePolicy::UserInvalidates, 10));
    assert!(cache.order.lock().queue.len() <= 2 + SLACK);
}

#[test]
fn fragments_whose_time_is_over_make_room() {
    let cache = cache(30_000);
    let url = |n: u32| format!("http://a:80/{n}/");
    let add = |n: u32, now: u64| {
        let prefix = UrlPrefix::parse(&url(n).encode_utf16().collect::<Vec<_>>()).unwrap();
        let chunk = Chunk::Memory(LentBytes::owned(vec![0; 5_000]));
        cache.add_fragment(QueueId(1), &prefix, &chunk, CachePolicy::TimeToLive(1), now).unwrap();
    };
    (0..6).for_each(|n| add(n, 0));
    assert_eq!(cache.size(), 30_000);
    add(7, 2_000);
    assert!(cache.fragment(QueueId(1), &url(7), 2_000).is_ok());
    assert_eq!(cache.size(), 5_000);
    keep(&cache, "/a", CachePolicy::UserInvalidates, 20_000);
    assert!(found(&cache, "/a", 0));
}

#[test]
fn an_entry_is_replaced_by_the_next_one() {
    let cache = cache(1 << 20);
    keep(&cache, "/a", CachePolicy::UserInvalidates, 10);
    let before = cache.size();
    keep(&cache, "/a", CachePolicy::UserInvalidates, 10);
    assert_eq!(cache.size(), before);
}

//! The counters as Prometheus text (exposition format 0.0.4).

use std::fmt::{Display, Write};

use super::snapshot::{GroupCounters, GroupState, QueueCounters, QueueState, Snapshot};

/// What kind of metric it is.
#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
}
use Kind::{Counter, Gauge};

/// Every metric of an engine.
pub(crate) fn text(snapshot: &Snapshot) -> String {
    let mut page = Page(String::with_capacity(8192));
    service(snapshot, &mut page);
    cache(snapshot, &mut page);
    groups(snapshot, &mut page);
    queues(snapshot, &mut page);
    page.0
}

struct Page(String);

impl Page {
    /// One metric with its samples: labels, already in braces or empty, and values.
    fn metric<L: Display>(
        &mut self,
        (name, kind, help): (&str, Kind, &str),
        samples: impl IntoIterator<Item = (L, u64)>,
    ) {
        let kind = match kind {
            Counter => "counter",
            Gauge => "gauge",
        };
        let page = &mut self.0;
        // Writing to a string cannot fail.
        let _ = writeln!(page, "# HELP nthttp_{name} {help}\n# TYPE nthttp_{name} {kind}");
        for (labels, value) in samples {
            let _ = writeln!(page, "nthttp_{name}{labels} {value}");
        }
    }

    fn single(&mut self, about: (&str, Kind, &str), value: u64) {
        self.metric(about, [("", value)]);
    }
}

fn service(snapshot: &Snapshot, page: &mut Page) {
    let all = &snapshot.service;
    page.single(("start_time_seconds", Gauge, "When the engine was made, since 1970."), snapshot.started);
    page.single(("connections", Gauge, "Connections that live."), all.current_connections);
    page.single(("connections_max", Gauge, "The most connections at once."), all.max_connections);
    page.single(("connections_total", Counter, "Connections accepted."), all.connection_attempts);
    page.single(("requests_total", Counter, "Sound requests."), all.all_requests);
    page.single(("get_requests_total", Counter, "Of these, GET."), all.get_requests);
    page.single(("head_requests_total", Counter, "Of these, HEAD."), all.head_requests);
    page.single(("errors_total", Counter, "Refused, timed out or dropped by the engine."), all.errors);
    page.single(("received_bytes_total", Counter, "Bytes taken from clients."), all.bytes_received);
    page.single(("sent_bytes_total", Counter, "Bytes given to clients."), all.bytes_sent);
    page.single(("log_records_total", Counter, "Log records taken."), all.log_records);
    page.single(("log_records_lost_total", Counter, "Log records lost."), all.log_records_lost);
}

fn cache(snapshot: &Snapshot, page: &mut Page) {
    let cache = &snapshot.cache;
    page.single(("cache_uris", Gauge, "Responses cached."), cache.current_uris);
    page.single(("cache_uris_total", Counter, "Responses ever cached."), cache.total_uris);
    page.single(("cache_hits_total", Counter, "Requests the cache answered."), cache.hits);
    page.single(("cache_misses_total", Counter, "Requests it did not."), cache.misses);
    page.single(("cache_flushes_total", Counter, "Flushes."), cache.flushes);
    page.single(("cache_flushed_uris_total", Counter, "Responses flushed."), cache.flushed_uris);
    page.single(("cache_fragments", Gauge, "Fragments cached."), cache.fragments);
    page.single(("cache_bytes", Gauge, "Bytes cached."), cache.bytes);
    page.single(("cache_limit_bytes", Gauge, "The most bytes the cache may hold."), cache.limit_bytes);
}

fn groups(snapshot: &Snapshot, page: &mut Page) {
    type Row = (&'static str, Kind, &'static str, fn(&GroupCounters) -> u64);
    const ROWS: [Row; 8] = [
        ("group_connections", Gauge, "Connections of the URL group.", |c| c.current_connections),
        ("group_connections_max", Gauge, "The most at once.", |c| c.max_connections),
        ("group_connections_total", Counter, "Connections that came.", |c| c.connection_attempts),
        ("group_requests_total", Counter, "Requests for the URL group.", |c| c.all_requests),
        ("group_get_requests_total", Counter, "Of these, GET.", |c| c.get_requests),
        ("group_head_requests_total", Counter, "Of these, HEAD.", |c| c.head_requests),
        ("group_received_bytes_total", Counter, "Bytes of its requests.", |c| c.bytes_received),
        ("group_sent_bytes_total", Counter, "Bytes of its responses.", |c| c.bytes_sent),
    ];
    let groups: Vec<&GroupState> = snapshot.sessions.iter().flat_map(|s| &s.groups).collect();
    for (name, kind, help, read) in ROWS {
        page.metric(
            (name, kind, help),
            groups.iter().map(|group| (group_labels(group), read(&group.counters))),
        );
    }
}

fn group_labels(group: &GroupState) -> String {
    let url = group.urls.first().map_or("", String::as_str);
    format!("{{group=\"{:#018x}\",url=\"{}\"}}", group.id, escaped(url))
}

fn queues(snapshot: &Snapshot, page: &mut Page) {
    type Row = (&'static str, Kind, &'static str, fn(&QueueCounters) -> u64);
    const ROWS: [Row; 5] = [
        ("queue_size", Gauge, "Requests that wait on the queue.", |c| c.current_queue_size),
        ("queue_oldest_age_ms", Gauge, "How long the oldest has waited.", |c| c.max_queue_item_age_ms),
        ("queue_arrived_total", Counter, "Requests that came.", |c| c.arrived),
        ("queue_rejected_total", Counter, "Requests refused.", |c| c.rejected),
        ("queue_cache_hits_total", Counter, "Requests for it that the cache answered.", |c| c.cache_hits),
    ];
    for (name, kind, help, read) in ROWS {
        let samples = snapshot.queues.iter().map(|queue| (queue_labels(queue), read(&queue.counters)));
        page.metric((name, kind, help), samples);
    }
}

fn queue_labels(queue: &QueueState) -> String {
    format!("{{queue=\"{:#018x}\",name=\"{}\"}}", queue.id, escaped(&queue.name))
}

/// A label's value: backslash, quote and line feed are escaped.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::monitor::snapshot::SessionState;

    #[test]
    fn every_metric_has_its_help_type_and_samples() {
        let mut snapshot = Snapshot::default();
        snapshot.service.all_requests = 7;
        let counters = GroupCounters { bytes_sent: 9, ..GroupCounters::default() };
        let urls = vec!["http://\"+:80/".into()];
        let group = GroupState { id: 1, urls, counters, ..GroupState::default() };
        snapshot.sessions.push(SessionState { groups: vec![group], ..SessionState::default() });
        let page = text(&snapshot);
        assert!(page.contains("# TYPE nthttp_requests_total counter\nnthttp_requests_total 7\n"));
        let group =
            "nthttp_group_sent_bytes_total{group=\"0x0000000000000001\",url=\"http://\\\"+:80/\"} 9\n";
        assert!(page.contains(group), "{page}");
        let count = |start: &str| page.lines().filter(|line| line.starts_with(start)).count();
        assert_eq!(count("# HELP "), count("# TYPE "));
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap();
            assert_eq!(count(&format!("# TYPE {name} ")), 1, "{name}");
            line.rsplit(' ').next().unwrap().parse::<u64>().unwrap();
        }
    }
}

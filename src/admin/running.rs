//! What runs: service state, cache, counters, as the processes that serve tell them; and what is asked of them.

use serde_json::{Map, Value};

use crate::server::monitor::snapshot::{
    CacheState, Deed, GroupState, QueueState, SessionState, Show, Snapshot,
};

use super::Outcome;
use super::control::{Process, processes};
use super::print::{heading, json, line, pairs, size, span, table};
use super::tags::Values;
use super::words::{Flush, Tags};

/// The processes a command is for.
fn chosen(values: &Values) -> Result<Vec<Process>, String> {
    processes(values.number("process")?)
}

/// `show servicestate`.
pub(super) fn service_state(tags: Tags, as_json: bool) -> Outcome {
    let values = Values::read(&tags.given, &["view", "process"])?;
    let by_queue = match values.get("view").unwrap_or("session").to_ascii_lowercase().as_str() {
        "session" => false,
        "requestq" => true,
        other => return Err(format!("view={other}: say session or requestq")),
    };
    let snapshots: Vec<Snapshot> =
        chosen(&values)?.iter().map(|process| process.show(Show::Snapshot)).collect::<Result<_, _>>()?;
    if as_json {
        return json(&snapshots);
    }
    if snapshots.is_empty() {
        line("No process of this user serves HTTP.");
    }
    for snapshot in &snapshots {
        heading(&format!("Process {} ({})", snapshot.pid, snapshot.program));
        match by_queue {
            false => sessions(snapshot),
            true => queues(snapshot),
        }
    }
    Ok(())
}

fn sessions(snapshot: &Snapshot) {
    for session in &snapshot.sessions {
        line(&format!("Server session ID: {:X}", session.id));
        pairs(4, &session_pairs(session));
        for group in &session.groups {
            line(&format!("    URL group ID: {:X}", group.id));
            pairs(8, &group_pairs(group));
            listed(8, "Registered URLs", &group.urls);
            listed(8, "Further listeners", &group.listeners);
        }
    }
    line("");
    queues(snapshot);
}

fn session_pairs(session: &SessionState) -> Vec<(&'static str, String)> {
    let mut found = vec![("State", state(session.active))];
    found.extend(session.bandwidth.map(|rate| ("Bandwidth", format!("{}/s", size(rate.into())))));
    found.extend(session.log.as_ref().map(|log| ("Log", format!("{} in {}", log.format, log.directory))));
    found
}

fn group_pairs(group: &GroupState) -> Vec<(&'static str, String)> {
    let queue = group.queue.map_or("none: requests get 503".to_owned(), |queue| format!("{queue:X}"));
    let counters = &group.counters;
    let mut found = vec![
        ("State", state(group.active)),
        ("Request queue ID", queue),
        ("Requests", counters.all_requests.to_string()),
        (
            "Bytes received / sent",
            format!("{} / {}", size(counters.bytes_received), size(counters.bytes_sent)),
        ),
        ("Connections", format!("{} (most {})", counters.current_connections, counters.max_connections)),
    ];
    found.extend(group.max_connections.map(|most| ("Connection limit", most.to_string())));
    found.extend(group.bandwidth.map(|rate| ("Bandwidth", format!("{}/s", size(rate.into())))));
    found.extend(group.log.as_ref().map(|log| ("Log", format!("{} in {}", log.format, log.directory))));
    found
}

fn queues(snapshot: &Snapshot) {
    line("Request queues:");
    for queue in &snapshot.queues {
        let name = if queue.name.is_empty() { "unnamed" } else { &queue.name };
        line(&format!("    Request queue ID: {:X} ({name})", queue.id));
        pairs(8, &queue_pairs(queue));
        listed(8, "Registered URLs", &queue.urls);
        let of_queue = snapshot.connections.iter().filter(|c| c.queue == Some(queue.id));
        let requests: Vec<String> =
            of_queue.map(|c| format!("{} {} from {} ({})", c.method, c.url, c.remote, c.phase)).collect();
        listed(8, "Requests", &requests);
    }
}

fn queue_pairs(queue: &QueueState) -> Vec<(&'static str, String)> {
    let counters = &queue.counters;
    vec![
        ("Version", format!("{}.0", queue.version)),
        ("State", state(queue.active)),
        ("503 verbosity", queue.verbosity.clone()),
        ("Waiting requests", format!("{} of at most {}", counters.current_queue_size, queue.length)),
        ("Oldest waits", span(counters.max_queue_item_age_ms)),
        ("Waiting receives", queue.receivers.to_string()),
        ("Arrived / rejected", format!("{} / {}", counters.arrived, counters.rejected)),
    ]
}

fn listed(indent: usize, name: &str, lines: &[String]) {
    if !lines.is_empty() {
        line(&format!("{:indent$}{name}:", ""));
        lines.iter().for_each(|text| line(&format!("{:indent$}    {text}", "")));
    }
}

fn state(active: bool) -> String {
    (if active { "Active" } else { "Inactive" }).to_owned()
}

/// `show cachestate`.
pub(super) fn cache_state(tags: Tags, as_json: bool) -> Outcome {
    let values = Values::read(&tags.given, &["url", "process"])?;
    let wanted = values.get("url");
    let mut found = Map::new();
    for process in chosen(&values)? {
        let mut cache: CacheState = process.show(Show::Cache)?;
        cache.entries.retain(|entry| wanted.is_none_or(|url| entry.url.eq_ignore_ascii_case(url)));
        if as_json {
            let value = serde_json::to_value(&cache).map_err(|why| why.to_string())?;
            found.insert(process.pid.to_string(), value);
        } else {
            show_cache(process.pid, &cache);
        }
    }
    if as_json { json(&Value::Object(found)) } else { Ok(()) }
}

fn show_cache(pid: u32, cache: &CacheState) {
    heading(&format!("Cache of process {pid}"));
    line(&format!(
        "{} responses and {} fragments, {} of {}; {} hits, {} misses, {} flushed\n",
        cache.current_uris,
        cache.fragments,
        size(cache.bytes),
        size(cache.limit_bytes),
        cache.hits,
        cache.misses,
        cache.flushed_uris
    ));
    let rows: Vec<Vec<String>> = cache
        .entries
        .iter()
        .map(|entry| {
            let status = if entry.fragment { "fragment".to_owned() } else { entry.status.to_string() };
            let left = entry.seconds_left.map_or("until flushed".to_owned(), |s| span(s * 1000));
            vec![entry.url.clone(), status, size(entry.bytes), entry.hits.to_string(), left]
        })
        .collect();
    if !rows.is_empty() {
        table(&["URL", "status", "size", "hits", "time to live"], &rows);
    }
}

/// `show counters`.
pub(super) fn counters(tags: Tags, as_json: bool) -> Outcome {
    let values = Values::read(&tags.given, &["process"])?;
    let mut found = Map::new();
    for process in chosen(&values)? {
        if !as_json {
            line(process.metrics()?.trim_end());
            continue;
        }
        let snapshot: Snapshot = process.show(Show::Snapshot)?;
        let value = serde_json::to_value(snapshot.service).map_err(|why| why.to_string())?;
        found.insert(process.pid.to_string(), value);
    }
    if as_json { json(&Value::Object(found)) } else { Ok(()) }
}

/// `flush logbuffer`.
pub(super) fn flush(what: Flush) -> Outcome {
    let Flush::Logbuffer(tags) = what;
    let values = Values::read(&tags.given, &["process"])?;
    chosen(&values)?.iter().try_for_each(|process| process.make(Deed::FlushLog))
}

/// `delete cache`.
pub(super) fn delete_cache(tags: Tags) -> Outcome {
    let values = Values::read(&tags.given, &["url", "recursive", "process"])?;
    let url = values.get("url").map(str::to_owned);
    let recursive = values.switch("recursive")?.unwrap_or(false);
    chosen(&values)?
        .iter()
        .try_for_each(|process| process.make(Deed::FlushCache { url: url.clone(), recursive }))
}

//! What can be seen of a running engine, and what can be asked of it from outside: the types of the control
//! socket, each of which is JSON as serde writes it. `observe` fills them in, `control` speaks them, `metrics`
//! writes them as Prometheus text.
//!
//! Names in the comments of counters are those of HTTP.sys's performance counter sets. Its rates are kept here as
//! the totals they are the rates of.

use serde::{Deserialize, Serialize};

use crate::server::service::Timeouts;

/// What a client of the control socket asks: one line of JSON a connection.
///
/// `{"show":"snapshot"}`, `{"show":"cache"}`, `{"show":"metrics"}`, `{"do":"flush-log"}`,
/// `{"do":"flush-cache","url":"http://+:80/a","recursive":true}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Command {
    /// To be told something.
    Show {
        /// What.
        show: Show,
    },
    /// To have something done; answered with [`Done`].
    Do(Deed),
}

/// What can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Show {
    /// A [`Snapshot`].
    Snapshot,
    /// A [`CacheState`] with its entries.
    Cache,
    /// Prometheus text, which is the one answer that is no JSON.
    Metrics,
}

/// What can be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Deed {
    /// Takes responses out of the cache: of one URL, of all below it, or (without a URL) every one.
    FlushCache {
        /// The URL, as it was registered or asked for.
        #[serde(default)]
        url: Option<String>,
        /// Also what lies below it.
        #[serde(default)]
        recursive: bool,
    },
    /// Writes what the logs hold in memory to their files.
    FlushLog,
}

/// The answer to a [`Deed`], or to a command that could not be carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// 0, or the Win32 error.
    pub code: u32,
    /// What went wrong, in words; empty when nothing did.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
}

/// The engine of one process at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The process.
    pub pid: u32,
    /// Its program, as the system tells it.
    pub program: String,
    /// Seconds since 1970 when the engine was made, and now.
    pub started: u64,
    /// See `started`.
    pub now: u64,
    /// Counters of the whole engine.
    pub service: ServiceCounters,
    /// Server sessions with their URL groups.
    pub sessions: Vec<SessionState>,
    /// Request queues.
    pub queues: Vec<QueueState>,
    /// Connections that live.
    pub connections: Vec<ConnectionState>,
    /// The response cache, without its entries.
    pub cache: CacheState,
}

/// Counters of an engine since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceCounters {
    /// Connections that live.
    pub current_connections: u64,
    /// The most that lived at once.
    pub max_connections: u64,
    /// Connections accepted (ConnectionAttempts).
    pub connection_attempts: u64,
    /// Requests whose head was complete and sound (AllRequests).
    pub all_requests: u64,
    /// Of these, GET (GetRequests).
    pub get_requests: u64,
    /// Of these, HEAD (HeadRequests).
    pub head_requests: u64,
    /// Requests and connections the engine refused, timed out or dropped: what HTTPERR tells of.
    pub errors: u64,
    /// Bytes taken from clients (BytesReceivedRate).
    pub bytes_received: u64,
    /// Bytes given to clients (BytesSentRate).
    pub bytes_sent: u64,
    /// Log records written, and those lost because a log could not be.
    pub log_records: u64,
    /// See `log_records`.
    pub log_records_lost: u64,
}

/// A server session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionState {
    /// Its id.
    pub id: u64,
    /// Takes requests (its own setting).
    pub active: bool,
    /// Its own timeouts, 0 where it inherits.
    pub timeouts: Option<Timeouts>,
    /// Bytes a second, if limited.
    pub bandwidth: Option<u32>,
    /// The log of all its groups, if it has one.
    pub log: Option<LogState>,
    /// Its URL groups.
    pub groups: Vec<GroupState>,
}

/// A URL group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupState {
    /// Its id.
    pub id: u64,
    /// Takes requests (its own setting).
    pub active: bool,
    /// The queue it is bound to.
    pub queue: Option<u64>,
    /// The prefixes registered on it.
    pub urls: Vec<String>,
    /// Its further listeners, and the ports they lead to.
    pub listeners: Vec<String>,
    /// Its own timeouts, 0 where it inherits.
    pub timeouts: Option<Timeouts>,
    /// Bytes a second, if limited.
    pub bandwidth: Option<u32>,
    /// Connections, if limited.
    pub max_connections: Option<u32>,
    /// `HTTP_AUTH_ENABLE_*` that hold for it.
    pub auth_schemes: u32,
    /// Its own log, if it has one.
    pub log: Option<LogState>,
    /// Its counters.
    pub counters: GroupCounters,
}

/// Counters of a URL group ("HTTP Service Url Groups").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupCounters {
    /// CurrentConnections: whose last request was for this group.
    pub current_connections: u64,
    /// MaxConnections.
    pub max_connections: u64,
    /// ConnectionAttempts: connections that brought a first request for this group.
    pub connection_attempts: u64,
    /// AllRequests.
    pub all_requests: u64,
    /// GetRequests.
    pub get_requests: u64,
    /// HeadRequests.
    pub head_requests: u64,
    /// BytesSentRate; BytesTransferredRate is of both.
    pub bytes_sent: u64,
    /// BytesReceivedRate.
    pub bytes_received: u64,
}

/// A request queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueueState {
    /// Its id.
    pub id: u64,
    /// Its name; empty for an anonymous one.
    pub name: String,
    /// 1 or 2.
    pub version: u32,
    /// Takes requests.
    pub active: bool,
    /// Requests it holds before it refuses.
    pub length: u32,
    /// `basic`, `limited` or `full`.
    pub verbosity: String,
    /// Calls that wait for a request.
    pub receivers: u64,
    /// Prefixes registered on it directly (version 1).
    pub urls: Vec<String>,
    /// Its counters.
    pub counters: QueueCounters,
}

/// Counters of a request queue ("HTTP Service Request Queues").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueueCounters {
    /// CurrentQueueSize.
    pub current_queue_size: u64,
    /// MaxQueueItemAge: milliseconds the oldest request has waited.
    pub max_queue_item_age_ms: u64,
    /// ArrivalRate: requests that came.
    pub arrived: u64,
    /// RejectedRequests, RejectionRate.
    pub rejected: u64,
    /// CacheHitRate: requests for it that the cache answered.
    pub cache_hits: u64,
}

/// A connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConnectionState {
    /// Its id.
    pub id: u64,
    /// The client's end.
    pub remote: String,
    /// Our end.
    pub local: String,
    /// `idle`, `reading`, `queued`, `delivered`, `responding`, `finishing`, `draining` or `lingering`.
    pub phase: String,
    /// Method and target of the request it is at, if it is at one.
    pub method: String,
    /// See `method`.
    pub url: String,
    /// The queue that request went to.
    pub queue: Option<u64>,
    /// Bytes taken from it.
    pub bytes_received: u64,
    /// Bytes given to it.
    pub bytes_sent: u64,
    /// Milliseconds since it was accepted.
    pub age_ms: u64,
}

/// The response cache ("HTTP Service").
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CacheState {
    /// CurrentUrisCached.
    pub current_uris: u64,
    /// TotalUrisCached.
    pub total_uris: u64,
    /// UriCacheHits.
    pub hits: u64,
    /// UriCacheMisses.
    pub misses: u64,
    /// UriCacheFlushes.
    pub flushes: u64,
    /// TotalFlushedUris.
    pub flushed_uris: u64,
    /// Fragments cached.
    pub fragments: u64,
    /// Bytes it holds, and the most it may hold.
    pub bytes: u64,
    /// See `bytes`.
    pub limit_bytes: u64,
    /// The entries; only when asked for.
    pub entries: Vec<CacheEntry>,
}

/// One cached response or fragment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CacheEntry {
    /// Its URL, or the fragment's name.
    pub url: String,
    /// A fragment, which has no status.
    pub fragment: bool,
    /// Status of the response.
    pub status: u16,
    /// Bytes of it.
    pub bytes: u64,
    /// Times it was used.
    pub hits: u64,
    /// Seconds it may still be used; `None` until it is flushed.
    pub seconds_left: Option<u64>,
}

/// A log of responses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogState {
    /// `w3c`, `iis`, `ncsa`, `raw` or `json`.
    pub format: String,
    /// Its folder.
    pub directory: String,
    /// Records taken, and those lost because it could not be written.
    pub records: u64,
    /// See `records`.
    pub lost: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_one_line_of_json() {
        let flush = |url: Option<&str>, recursive| {
            Command::Do(Deed::FlushCache { url: url.map(str::to_owned), recursive })
        };
        for (text, command) in [
            (r#"{"show":"snapshot"}"#, Command::Show { show: Show::Snapshot }),
            (r#"{"show":"metrics"}"#, Command::Show { show: Show::Metrics }),
            (r#"{"do":"flush-log"}"#, Command::Do(Deed::FlushLog)),
            (r#"{"do":"flush-cache"}"#, flush(None, false)),
            (
                r#"{"do":"flush-cache","url":"http://+:80/a","recursive":true}"#,
                flush(Some("http://+:80/a"), true),
            ),
        ] {
            assert_eq!(serde_json::from_str::<Command>(text).unwrap(), command, "{text}");
            let written = serde_json::to_string(&command).unwrap();
            assert_eq!(serde_json::from_str::<Command>(&written).unwrap(), command);
        }
        assert!(serde_json::from_str::<Command>(r#"{"do":"harm"}"#).is_err());
    }
}

//! Looks at a running engine: what `snapshot` describes, gathered object by object. Each object is seen at one moment,
//! all of them within a few; no lock is held longer than it takes to copy what is behind it.

use std::sync::atomic::Ordering;

use crate::abi::error::Result;
use crate::net::clock;
use crate::wire::prefix::UrlPrefix;

use super::snapshot::{
    CacheState, ConnectionState, GroupState, QueueState, ServiceCounters, SessionState, Snapshot,
};
use crate::server::connections::connection::{Connection, Exchange, Phase, Stage, State};
use crate::server::engine::Engine;
use crate::server::groups::policy::Settings;
use crate::server::groups::session::{Group, Inventory};
use crate::server::ports::routing::Registration;
use crate::server::requests::queue::Queue;
use crate::server::service::{QueueId, RequestId, UrlOwner};

/// Bytes of a URL that are shown.
const LONGEST_URL: usize = 1024;

impl Engine {
    /// The engine as it stands.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut connections = Vec::new();
        let bytes = self.directory.totals.bytes(|| {
            connections.extend(self.slots.all().filter_map(|place| self.see_connection(place)));
            let sum = |of: fn(&ConnectionState) -> u64| connections.iter().map(of).sum();
            (sum(|connection| connection.bytes_sent), sum(|connection| connection.bytes_received))
        });
        let mut service = self.service_counters();
        (service.bytes_sent, service.bytes_received) = bytes;
        Snapshot {
            pid: std::process::id(),
            program: program(),
            started: self.started,
            now: clock::unix_seconds(),
            service,
            sessions: self.see_sessions(),
            queues: self.see_queues(),
            connections,
            cache: self.see_cache(false),
        }
    }

    /// The response cache, with what is in it if wanted.
    pub(crate) fn see_cache(&self, with_entries: bool) -> CacheState {
        self.cache.see(with_entries, self.now_ms())
    }

    /// Flushes the cache: one URL, all below it, or everything.
    pub(crate) fn flush_cache(&self, url: Option<&str>, recursive: bool) -> Result<()> {
        let prefix = |url: &str| UrlPrefix::parse(&url.encode_utf16().collect::<Vec<_>>());
        let url = url.map(prefix).transpose()?;
        self.cache.flush_any(url.as_ref(), recursive);
        Ok(())
    }

    fn service_counters(&self) -> ServiceCounters {
        let requests = self.directory.totals.read();
        let (max_connections, connection_attempts) = self.slots.history();
        let (log_records, log_records_lost) = crate::server::log::counts();
        ServiceCounters {
            current_connections: self.slots.live() as u64,
            max_connections,
            connection_attempts,
            all_requests: requests.all_requests,
            get_requests: requests.get_requests,
            head_requests: requests.head_requests,
            errors: self.directory.totals.errors.load(Ordering::Relaxed),
            log_records,
            log_records_lost,
            ..ServiceCounters::default()
        }
    }

    fn see_sessions(&self) -> Vec<SessionState> {
        let session = |Inventory { id, settings, groups }: Inventory| SessionState {
            id: id.0,
            active: settings.active.unwrap_or(true),
            timeouts: settings.timeouts,
            bandwidth: settings.bandwidth,
            log: settings.log.as_ref().map(|log| log.state()),
            groups: groups.iter().map(|(group, own)| self.see_group(group, own, &settings)).collect(),
        };
        let mut sessions: Vec<_> = self.directory.all().into_iter().map(session).collect();
        sessions.sort_by_key(|session| session.id);
        sessions
    }

    fn see_group(&self, group: &Group, own: &Settings, session: &Settings) -> GroupState {
        let authentication = own.extended_authentication.as_ref().or(own.authentication.as_ref());
        let inherited = session.extended_authentication.as_ref().or(session.authentication.as_ref());
        GroupState {
            id: group.id.0,
            active: own.active.unwrap_or(true),
            queue: group.binding.lock().queue.as_ref().map(|queue| queue.id.0),
            urls: self.urls_of(UrlOwner::Group(group.id)),
            listeners: self.entrances_of(group.id),
            timeouts: own.timeouts,
            bandwidth: own.bandwidth,
            max_connections: own.connections,
            auth_schemes: authentication.or(inherited).map_or(0, |a| a.schemes),
            log: own.log.as_ref().map(|log| log.state()),
            counters: group.tally.read(),
        }
    }

    /// Without the lock of the list: who has a connection's lock may want it, and here a connection's lock is wanted.
    fn see_queues(&self) -> Vec<QueueState> {
        let queues: Vec<_> = self.queues.read().iter().flatten().cloned().collect();
        queues.iter().map(|queue| self.see_queue(queue)).collect()
    }

    fn see_queue(&self, queue: &Queue) -> QueueState {
        let (mut seen, oldest) = queue.observe();
        seen.counters.max_queue_item_age_ms = oldest.map_or(0, |request| self.waited(request));
        seen.urls = self.urls_of(UrlOwner::Queue(queue.id));
        seen
    }

    /// Milliseconds a request has waited on its queue.
    fn waited(&self, request: RequestId) -> u64 {
        let Some(connection) = self.connection_of(request.0) else { return 0 };
        let state = connection.state.lock();
        match exchange_of(&state) {
            Some(exchange) if exchange.request == request && exchange.account.queued != 0 => {
                self.now_ms().saturating_sub(exchange.account.queued)
            }
            _ => 0,
        }
    }

    fn urls_of(&self, owner: UrlOwner) -> Vec<String> {
        let endpoints: Vec<_> = self.endpoints.read().values().cloned().collect();
        let mine = |registration: &Registration| crate::server::ports::registering::owns(owner, registration);
        let mut urls: Vec<_> = endpoints.iter().flat_map(|e| e.prefixes(mine)).map(|p| p.to_text()).collect();
        urls.sort();
        urls
    }

    fn see_connection(&self, place: &Connection) -> Option<ConnectionState> {
        let state = place.state.lock();
        let socket = state.socket.as_ref()?;
        let exchange = exchange_of(&state);
        let (method, url) = match (&state.work, exchange) {
            (Some(work), Some(_)) => {
                let head = &work.head;
                (shown(head.text(head.verb_text)), shown(head.text(head.target)))
            }
            _ => Default::default(),
        };
        Some(ConnectionState {
            id: state.id.0,
            remote: state.remote.to_string(),
            local: state.local.to_string(),
            phase: phase_of(&state).into(),
            method,
            url,
            queue: exchange.map(|exchange| exchange.queue).map(|QueueId(id)| id),
            bytes_received: socket.received(),
            bytes_sent: socket.sent(),
            age_ms: u64::from((self.now_ms() as u32).wrapping_sub(socket.opened())),
        })
    }
}

fn exchange_of(state: &State) -> Option<&Exchange> {
    state.work.as_ref()?.exchange.as_ref()
}

fn phase_of(state: &State) -> &'static str {
    match state.phase {
        Phase::Reading if state.work.is_none() => "idle",
        Phase::Reading | Phase::Introducing(_) => "reading",
        Phase::Draining => "draining",
        Phase::Lingering | Phase::Closed => "lingering",
        Phase::Serving => match exchange_of(state).map(|exchange| exchange.stage) {
            Some(Stage::Queued) => "queued",
            Some(Stage::Responding) => "responding",
            Some(Stage::Finishing) => "finishing",
            Some(Stage::Delivered) | None => "delivered",
        },
    }
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(&text[..text.len().min(LONGEST_URL)]).into_owned()
}

fn program() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::service::ApiVersion;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    #[test]
    fn who_looks_on_holds_no_lock_that_others_wait_for() {
        let engine = Engine::new().unwrap();
        let place = engine.slots.reserve().unwrap();
        let queue = engine.queue(engine.add_queue(ApiVersion::V2)).unwrap();
        queue.offer(RequestId(place.state.lock().slot().into()), None);
        std::thread::scope(|scope| {
            let busy = place.state.lock();
            let looking = scope.spawn(|| engine.see_queues().len());
            // Until it has the queue in hand, and is about to want the connection.
            let patience = Instant::now() + Duration::from_secs(5);
            while Arc::strong_count(&queue) < 3 && Instant::now() < patience {
                std::thread::yield_now();
            }
            let list = engine.queues.try_write_for(Duration::from_secs(5));
            assert!(list.is_some());
            drop((list, busy));
            assert_eq!(looking.join().unwrap(), 1);
        });
    }
}

//! Server sessions and URL groups: who owns which, their states, timeouts and bindings.
//!
//! Settings cascade: a group's value, else its session's, else the service's default (digest §1.9).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::abi::error::{Error, Result};

use super::request_queue::Queue;
use super::service::{GroupId, Property, PropertyKind, SessionId, Timeouts};

/// The service's timeouts (digest §6.5).
pub(crate) const DEFAULT_TIMEOUTS: Timeouts = Timeouts {
    entity_body: 120,
    drain_entity_body: 120,
    request_queue: 120,
    idle_connection: 120,
    header_wait: 120,
    min_send_rate: 150,
};

/// What sessions and groups both have.
#[derive(Default)]
struct Settings {
    active: Option<bool>,
    timeouts: Option<Timeouts>,
}

impl Settings {
    fn set(&mut self, property: Property) -> Result<()> {
        match property {
            Property::State(active) => self.active = active,
            Property::Timeouts(timeouts) => self.timeouts = timeouts,
            _ => return Err(Error::INVALID_PARAMETER),
        }
        Ok(())
    }

    fn get(&self, kind: PropertyKind) -> Result<Property> {
        match kind {
            PropertyKind::State => Ok(Property::State(self.active)),
            PropertyKind::Timeouts => Ok(Property::Timeouts(self.timeouts)),
            _ => Err(Error::INVALID_PARAMETER),
        }
    }
}

/// A server session.
pub(crate) struct Session {
    settings: Mutex<Settings>,
}

struct GroupState {
    settings: Settings,
    queue: Option<Arc<Queue>>,
}

/// A URL group.
pub(crate) struct Group {
    pub(crate) id: GroupId,
    session_id: SessionId,
    session: Arc<Session>,
    state: Mutex<GroupState>,
}

impl Group {
    /// Binds the group to a queue, or to none.
    pub(crate) fn bind(&self, queue: Option<Arc<Queue>>) {
        let old = std::mem::replace(&mut self.state.lock().queue, queue);
        drop(old);
    }

    /// Lets go of a queue that is closing.
    pub(crate) fn unbind(&self, queue: &Arc<Queue>) {
        let mut state = self.state.lock();
        if state.queue.as_ref().is_some_and(|q| Arc::ptr_eq(q, queue)) {
            state.queue = None;
        }
    }

    /// The queue requests go to now, whether group and session take any, and the timeouts that hold.
    pub(crate) fn binding(&self) -> (Option<Arc<Queue>>, bool, Timeouts) {
        let state = self.state.lock();
        let session = self.session.settings.lock();
        let active = state.settings.active.unwrap_or(true) && session.active.unwrap_or(true);
        let timeouts = match (state.settings.timeouts, session.timeouts) {
            (None, None) => DEFAULT_TIMEOUTS,
            (own, parent) => {
                let parent = cascade(parent.unwrap_or_default(), DEFAULT_TIMEOUTS);
                cascade(own.unwrap_or_default(), parent)
            }
        };
        (state.queue.clone(), active, timeouts)
    }

    pub(crate) fn set(&self, property: Property) -> Result<()> {
        self.state.lock().settings.set(property)
    }

    pub(crate) fn get(&self, kind: PropertyKind) -> Result<Property> {
        self.state.lock().settings.get(kind)
    }
}

fn cascade(own: Timeouts, parent: Timeouts) -> Timeouts {
    fn pick<T: Default + PartialEq>(own: T, parent: T) -> T {
        if own == T::default() { parent } else { own }
    }
    Timeouts {
        entity_body: pick(own.entity_body, parent.entity_body),
        drain_entity_body: pick(own.drain_entity_body, parent.drain_entity_body),
        request_queue: pick(own.request_queue, parent.request_queue),
        idle_connection: pick(own.idle_connection, parent.idle_connection),
        header_wait: pick(own.header_wait, parent.header_wait),
        min_send_rate: pick(own.min_send_rate, parent.min_send_rate),
    }
}

/// The sessions and groups of a service.
#[derive(Default)]
pub(crate) struct Directory {
    sessions: Mutex<HashMap<SessionId, Arc<Session>>>,
    groups: Mutex<HashMap<GroupId, Arc<Group>>>,
    last: AtomicU64,
}

impl Directory {
    /// Ids look like the ones Windows gives (large, with a changing high part), so that nobody takes one
    /// for an index.
    fn next_id(&self) -> u64 {
        let n = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        (n << 56) ^ 0xFE00_0000_2000_0000 ^ (n.wrapping_mul(0x9E37_79B9) & 0x00FF_FFFF_FFFF) | 1
    }

    pub(crate) fn create_session(&self) -> SessionId {
        let mut sessions = self.sessions.lock();
        let id = loop {
            let id = SessionId(self.next_id());
            if !sessions.contains_key(&id) {
                break id;
            }
        };
        sessions.insert(id, Arc::new(Session { settings: Mutex::default() }));
        id
    }

    /// Takes a session out, with the groups in it.
    pub(crate) fn close_session(&self, id: SessionId) -> Result<Vec<Arc<Group>>> {
        self.sessions.lock().remove(&id).ok_or(Error::INVALID_PARAMETER)?;
        let mut groups = self.groups.lock();
        let ids: Vec<_> = groups.values().filter(|g| g.session_id == id).map(|g| g.id).collect();
        Ok(ids.iter().filter_map(|id| groups.remove(id)).collect())
    }

    pub(crate) fn create_group(&self, session_id: SessionId) -> Result<GroupId> {
        let session = self.session(session_id)?;
        let mut groups = self.groups.lock();
        let id = loop {
            let id = GroupId(self.next_id());
            if !groups.contains_key(&id) {
                break id;
            }
        };
        let state = Mutex::new(GroupState { settings: Settings::default(), queue: None });
        groups.insert(id, Arc::new(Group { id, session_id, session, state }));
        Ok(id)
    }

    pub(crate) fn close_group(&self, id: GroupId) -> Result<Arc<Group>> {
        self.groups.lock().remove(&id).ok_or(Error::INVALID_PARAMETER)
    }

    pub(crate) fn group(&self, id: GroupId) -> Result<Arc<Group>> {
        self.groups.lock().get(&id).cloned().ok_or(Error::INVALID_PARAMETER)
    }

    /// Every group.
    pub(crate) fn groups(&self) -> Vec<Arc<Group>> {
        self.groups.lock().values().cloned().collect()
    }

    fn session(&self, id: SessionId) -> Result<Arc<Session>> {
        self.sessions.lock().get(&id).cloned().ok_or(Error::INVALID_PARAMETER)
    }

    pub(crate) fn set_session(&self, id: SessionId, property: Property) -> Result<()> {
        self.session(id)?.settings.lock().set(property)
    }

    pub(crate) fn get_session(&self, id: SessionId, kind: PropertyKind) -> Result<Property> {
        self.session(id)?.settings.lock().get(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_a_session_closes_its_groups_only() {
        let directory = Directory::default();
        let (a, b) = (directory.create_session(), directory.create_session());
        let in_a = directory.create_group(a).unwrap();
        let in_b = directory.create_group(b).unwrap();
        assert_eq!(directory.close_session(a).unwrap().len(), 1);
        assert!(directory.group(in_a).is_err());
        assert!(directory.group(in_b).is_ok());
        assert_eq!(directory.create_group(a), Err(Error::INVALID_PARAMETER));
    }

    #[test]
    fn a_group_inherits_what_it_does_not_set() {
        let directory = Directory::default();
        let session = directory.create_session();
        let group = directory.group(directory.create_group(session).unwrap()).unwrap();
        let of_session = Timeouts { idle_connection: 7, header_wait: 8, ..Timeouts::default() };
        directory.set_session(session, Property::Timeouts(Some(of_session))).unwrap();
        group.set(Property::Timeouts(Some(Timeouts { header_wait: 9, ..Timeouts::default() }))).unwrap();
        let held = group.binding().2;
        assert_eq!((held.idle_connection, held.header_wait, held.entity_body), (7, 9, 120));
    }
}

//! Server sessions and URL groups: who owns which, their settings and bindings. What settings come to is `policy`'s.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::abi::error::{Error, Result};

use super::policy::{Policy, Settings};
use crate::server::log;
use crate::server::monitor::counters::{Tally, Totals};
use crate::server::ports::placing;
use crate::server::requests::queue::Queue;
use crate::server::service::{GroupId, Property, PropertyKind, SessionId};

/// The properties a session has (digest §6.1); a group has these and its own.
const OF_SESSIONS: [PropertyKind; 11] = [
    PropertyKind::State,
    PropertyKind::Timeouts,
    PropertyKind::Bandwidth,
    PropertyKind::FlowRate,
    PropertyKind::Logging,
    PropertyKind::Authentication,
    PropertyKind::ExtendedAuthentication,
    PropertyKind::Credentials,
    PropertyKind::ChannelBind,
    PropertyKind::RequestInfo,
    PropertyKind::Limits,
];

/// A server session.
pub(crate) struct Session {
    settings: Mutex<Settings>,
}

/// Where a group's requests go, and what holds for them.
pub(crate) struct Binding {
    /// Where they go.
    pub(crate) queue: Option<Arc<Queue>>,
    /// What holds for them, worked out whenever a setting changes.
    pub(crate) policy: Arc<Policy>,
}

/// A URL group.
pub(crate) struct Group {
    pub(crate) id: GroupId,
    session_id: SessionId,
    session: Arc<Session>,
    settings: Mutex<Settings>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) binding: Mutex<Binding>,
}

impl Group {
    fn new(id: GroupId, session_id: SessionId, session: Arc<Session>, tally: Arc<Tally>) -> Group {
        let policy = Arc::new(Policy::of_service(Arc::clone(&tally)));
        let binding = Mutex::new(Binding { queue: None, policy });
        let group = Group { id, session_id, session, settings: Mutex::default(), tally, binding };
        group.refresh();
        group
    }

    /// Binds the group to a queue, or to none.
    pub(crate) fn bind(&self, queue: Option<Arc<Queue>>) {
        let old = std::mem::replace(&mut self.binding.lock().queue, queue);
        placing::changed();
        drop(old);
    }

    /// Lets go of a queue that is closing.
    pub(crate) fn unbind(&self, queue: &Arc<Queue>) {
        let mut binding = self.binding.lock();
        if binding.queue.as_ref().is_some_and(|q| Arc::ptr_eq(q, queue)) {
            binding.queue = None;
            placing::changed();
        }
    }

    /// Works out again what holds.
    fn refresh(&self) {
        let own = self.settings.lock();
        let parent = self.session.settings.lock();
        self.binding.lock().policy = Arc::new(Policy::of(&own, &parent, &self.tally));
        placing::changed();
    }

    /// Sets a property of groups.
    pub(crate) fn set(&self, property: Property) -> Result<()> {
        if let Property::Logging(Some(settings)) = &property {
            log::check(settings, false)?;
        }
        self.settings.lock().set(property)?;
        self.refresh();
        Ok(())
    }

    /// Reads a property of groups back.
    pub(crate) fn get(&self, kind: PropertyKind) -> Result<Property> {
        self.settings.lock().get(kind)
    }
}

/// A session as it stands: what was set there, and its groups with what was set on them.
pub(crate) struct Inventory {
    pub(crate) id: SessionId,
    pub(crate) settings: Settings,
    pub(crate) groups: Vec<(Arc<Group>, Settings)>,
}

/// The sessions and groups of a service.
#[derive(Default)]
pub(crate) struct Directory {
    sessions: Mutex<HashMap<SessionId, Arc<Session>>>,
    groups: Mutex<HashMap<GroupId, Arc<Group>>>,
    last: AtomicU64,
    /// What the counters of groups pass into.
    pub(crate) totals: Arc<Totals>,
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
        let mut sessions = self.sessions.lock();
        let mut groups = self.groups.lock();
        sessions.remove(&id).ok_or(Error::INVALID_PARAMETER)?;
        let ids: Vec<_> = groups.values().filter(|g| g.session_id == id).map(|g| g.id).collect();
        Ok(ids.iter().filter_map(|id| groups.remove(id)).collect())
    }

    pub(crate) fn create_group(&self, session_id: SessionId) -> Result<GroupId> {
        // Both locks, as in `close_session`: no group comes to a session that has gone.
        let sessions = self.sessions.lock();
        let session = sessions.get(&session_id).cloned().ok_or(Error::INVALID_PARAMETER)?;
        let mut groups = self.groups.lock();
        let id = loop {
            let id = GroupId(self.next_id());
            if !groups.contains_key(&id) {
                break id;
            }
        };
        groups.insert(id, Arc::new(Group::new(id, session_id, session, self.totals.tally())));
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

    /// Every session.
    pub(crate) fn all(&self) -> Vec<Inventory> {
        let sessions: Vec<_> = self.sessions.lock().iter().map(|(id, s)| (*id, Arc::clone(s))).collect();
        let groups = self.groups();
        let of = |session: SessionId| groups.iter().filter(move |group| group.session_id == session);
        let with_settings = |group: &Arc<Group>| (Arc::clone(group), group.settings.lock().clone());
        let all = sessions.into_iter().map(|(id, session)| {
            let settings = session.settings.lock().clone();
            Inventory { id, settings, groups: of(id).map(with_settings).collect() }
        });
        all.collect()
    }

    fn session(&self, id: SessionId) -> Result<Arc<Session>> {
        self.sessions.lock().get(&id).cloned().ok_or(Error::INVALID_PARAMETER)
    }

    pub(crate) fn set_session(&self, id: SessionId, property: Property) -> Result<()> {
        if !OF_SESSIONS.contains(&property.kind()) {
            return Err(Error::INVALID_PARAMETER);
        }
        if let Property::Logging(Some(settings)) = &property {
            log::check(settings, true)?;
        }
        self.session(id)?.settings.lock().set(property)?;
        self.groups().iter().filter(|g| g.session_id == id).for_each(|g| g.refresh());
        Ok(())
    }

    pub(crate) fn get_session(&self, id: SessionId, kind: PropertyKind) -> Result<Property> {
        if !OF_SESSIONS.contains(&kind) {
            return Err(Error::INVALID_PARAMETER);
        }
        self.session(id)?.settings.lock().get(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::service::Timeouts;

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
        let held = group.binding.lock().policy.timeouts;
        assert_eq!((held.idle_connection, held.header_wait, held.entity_body), (7, 9, 120));
    }
}

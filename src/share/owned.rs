//! What a guest has created, so that it reaches nothing else and leaves nothing behind.
//!
//! An id that is not the guest's becomes one that nobody has; the engine then gives the error it documents
//! for unknown ids. Requests and connections need no list: the engine knows them by their queue.

use std::collections::{HashMap, HashSet};

use crate::server::service::{GroupId, Holder, QueueId, Service, SessionId, UrlOwner};

/// An id that no engine gives out.
const NOBODY: u64 = u64::MAX;

/// The objects of one guest.
#[derive(Default)]
pub(super) struct Owned {
    sessions: HashSet<SessionId>,
    groups: HashMap<GroupId, SessionId>,
    queues: HashSet<QueueId>,
}

impl Owned {
    /// The session if it is the guest's.
    pub(super) fn session(&self, session: SessionId) -> SessionId {
        if self.sessions.contains(&session) { session } else { SessionId(NOBODY) }
    }

    /// The group if it is the guest's.
    pub(super) fn group(&self, group: GroupId) -> GroupId {
        if self.groups.contains_key(&group) { group } else { GroupId(NOBODY) }
    }

    /// The queue if it is the guest's.
    pub(super) fn queue(&self, queue: QueueId) -> QueueId {
        if self.queues.contains(&queue) { queue } else { QueueId(NOBODY) }
    }

    /// The owner of a URL if it is the guest's.
    pub(super) fn url_owner(&self, owner: UrlOwner) -> UrlOwner {
        match owner {
            UrlOwner::Group(group) => UrlOwner::Group(self.group(group)),
            UrlOwner::Queue(queue) => UrlOwner::Queue(self.queue(queue)),
        }
    }

    /// The holder of a property if it is the guest's.
    pub(super) fn holder(&self, holder: Holder) -> Holder {
        match holder {
            Holder::Session(session) => Holder::Session(self.session(session)),
            Holder::Group(group) => Holder::Group(self.group(group)),
            Holder::Queue(queue) => Holder::Queue(self.queue(queue)),
        }
    }

    /// Remembers a session.
    pub(super) fn add_session(&mut self, session: SessionId) {
        self.sessions.insert(session);
    }

    /// Remembers a group.
    pub(super) fn add_group(&mut self, group: GroupId, session: SessionId) {
        self.groups.insert(group, session);
    }

    /// Remembers a queue.
    pub(super) fn add_queue(&mut self, queue: QueueId) {
        self.queues.insert(queue);
    }

    /// Forgets a session and the groups that went with it.
    pub(super) fn forget_session(&mut self, session: SessionId) {
        self.sessions.remove(&session);
        self.groups.retain(|_, of| *of != session);
    }

    /// Forgets a group.
    pub(super) fn forget_group(&mut self, group: GroupId) {
        self.groups.remove(&group);
    }

    /// Forgets a queue.
    pub(super) fn forget_queue(&mut self, queue: QueueId) {
        self.queues.remove(&queue);
    }

    /// Closes everything: queues first, so that waiting requests are refused while their URLs still lead
    /// there.
    pub(super) fn close_all(&mut self, engine: &dyn Service) {
        for queue in self.queues.drain() {
            // The guest is gone; there is nobody to tell of an error.
            let _ = engine.close_queue(queue);
        }
        for session in self.sessions.drain() {
            let _ = engine.close_session(session);
        }
        self.groups.clear();
    }
}

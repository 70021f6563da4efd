//! How a session or request wants its connections: what the options about resolving, connecting and the pool set.
//!
//! `Settings` holds one of these only once something differs from the default, and shares it with copies of itself.

use std::sync::Arc;

use crate::client::settings::Settings;
use crate::net::tuning::Tuning;

use super::hosts::Hosts;
use super::names::Remembering;

/// A name for a group of connections (`WINHTTP_OPTION_CONNECTION_GUID`).
pub type Mark = [u8; 16];

/// Wishes about connections; see the option of the same name for each.
#[derive(Clone, Debug)]
pub struct Network {
    /// What makes a connection one that others cannot stand for; `None` is nothing in particular.
    pub path: Option<Arc<Path>>,
    /// How names are remembered.
    pub names: Remembering,
    /// `IPV6_FAST_FALLBACK`
    pub fast_fallback: bool,
    /// `FAILED_CONNECTION_RETRIES`, once set.
    pub retries: Option<Retries>,
    /// Connections opened with the first to a server.
    pub background: u32,
    /// `FIRST_AVAILABLE_CONNECTION`
    pub first_available: bool,
    /// Connections to one server at the same time.
    pub limits: Limits,
    /// Which of the pool's connections will do.
    pub wish: Wish,
    /// What to call the connection that is used.
    pub mark: Option<Mark>,
}

impl Network {
    /// What an application that sets nothing gets.
    pub const DEFAULT: Network = Network {
        path: None,
        names: Remembering { entries: 0, max_age: 0, min_life: 0, soft_limit: false, bypass: false },
        fast_fallback: false,
        retries: None,
        background: 0,
        first_available: false,
        limits: Limits { modern: u32::MAX, old: u32::MAX },
        wish: Wish { mark: None, only_marked: false },
        mark: None,
    };

    /// Changes the path.
    pub fn with_path(&mut self, change: impl FnOnce(&mut Path)) {
        let mut path = self.path.as_deref().cloned().unwrap_or_default();
        change(&mut path);
        self.path = (path != Path::default()).then(|| Arc::new(path));
    }
}

impl Settings {
    /// The wishes about connections.
    pub fn network(&self) -> &Network {
        static DEFAULT: Network = Network::DEFAULT;
        self.network.as_deref().unwrap_or(&DEFAULT)
    }

    /// Changes the wishes about connections.
    pub fn with_network(&mut self, change: impl FnOnce(&mut Network)) {
        change(Arc::make_mut(self.network.get_or_insert_with(|| Arc::new(Network::DEFAULT))));
    }
}

/// Connections with different paths never stand for each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Path {
    /// What the socket is told.
    pub tuning: Tuning,
    /// Names that lead elsewhere.
    pub hosts: Option<Arc<Hosts>>,
    /// The name to be resolved instead of the server's.
    pub resolve_as: Option<Arc<str>>,
}

/// How often a request is sent again after its connection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// At most so often.
    pub most: u32,
    /// `WINHTTP_CONNECTION_RETRY_CONDITION_*`
    pub conditions: u32,
}

impl Retries {
    /// After a 408 response.
    pub(crate) const AFTER_408: u32 = 1;
    /// After a send that timed out on a connection from the pool.
    pub(crate) const STALE: u32 = 4;

    /// Whether there may be another, after so many.
    pub(crate) fn allow(&self, condition: u32, so_far: u32) -> bool {
        self.conditions & condition != 0 && so_far < self.most
    }
}

/// How many connections to one server, in the option's own numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `MAX_CONNS_PER_SERVER`
    pub modern: u32,
    /// `MAX_CONNS_PER_1_0_SERVER`
    pub old: u32,
}

/// Which connections of the pool will do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Those with this mark, if there is one here, and those without any.
    pub mark: Option<Mark>,
    /// Not those without any.
    pub only_marked: bool,
}

impl Wish {
    pub(super) fn accepts(&self, mark: Option<Mark>) -> bool {
        self.mark.is_none() || mark == self.mark || (mark.is_none() && !self.only_marked)
    }
}

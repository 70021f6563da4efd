//! What holds for the requests of a URL group: its own settings, else its session's, else the service's
//! (digest §1.9). Worked out whenever a setting changes, and shared by the requests it holds for.

use std::io::ErrorKind;
use std::sync::{Arc, OnceLock};

use crate::abi::error::{Error, Result};
use crate::net::clock;
use crate::win32::last_error;
use crate::wire::request::Limits;

use super::narrower;
use super::throttle::Throttle;
use crate::server::auth::{Guard, PasswordFile, Source};
use crate::server::log::Log;
use crate::server::monitor::counters::Tally;
use crate::server::requests::info;
use crate::server::service::{
    Authentication, ChannelBind, CredentialSource, FlowRate, HeadLimits, Logging, Property, PropertyKind,
    QueueId, Timeouts,
};

/// The timeouts of a service that is not configured otherwise (digest §6.5).
const DEFAULT_TIMEOUTS: Timeouts = Timeouts {
    entity_body: 120,
    drain_entity_body: 120,
    request_queue: 120,
    idle_connection: 120,
    header_wait: 120,
    min_send_rate: 150,
};

static SERVICE_TIMEOUTS: OnceLock<Timeouts> = OnceLock::new();

/// The service's timeouts.
#[inline]
pub(crate) fn service_timeouts() -> Timeouts {
    *SERVICE_TIMEOUTS.get().unwrap_or(&DEFAULT_TIMEOUTS)
}

/// Takes the configured timeouts for the service's, once; 0 leaves the default.
pub(crate) fn set_service_timeouts(configured: Timeouts) {
    SERVICE_TIMEOUTS.get_or_init(|| cascade(configured, DEFAULT_TIMEOUTS));
}

/// What was set on a session or a group; `None` inherits.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    pub(crate) active: Option<bool>,
    pub(crate) timeouts: Option<Timeouts>,
    pub(crate) bandwidth: Option<u32>,
    /// The buckets of bandwidth and flow rate, which all that it holds for share.
    bandwidth_throttle: Option<Arc<Throttle>>,
    flow_throttle: Option<Arc<Throttle>>,
    pub(crate) connections: Option<u32>,
    pub(crate) flow_rate: Option<FlowRate>,
    pub(crate) logging: Option<Logging>,
    /// The log that `logging` describes.
    pub(crate) log: Option<Arc<Log>>,
    pub(crate) authentication: Option<Authentication>,
    pub(crate) extended_authentication: Option<Authentication>,
    /// Which of these two was set last, and holds.
    extended_holds: bool,
    /// Where passwords come from.
    credentials: Option<Source>,
    pub(crate) channel_bind: Option<ChannelBind>,
    pub(crate) listen_endpoint: Option<bool>,
    pub(crate) protection_level: Option<u32>,
    pub(crate) delegation: Option<QueueId>,
    pub(crate) request_infos: Option<u32>,
    pub(crate) limits: Option<HeadLimits>,
}

impl Settings {
    /// Takes a value. Which holder has which property is for the holders to say.
    pub(crate) fn set(&mut self, property: Property) -> Result<()> {
        match property {
            Property::State(value) => self.active = value,
            Property::Timeouts(value) => self.timeouts = value,
            Property::Bandwidth(value) => {
                self.bandwidth = value;
                self.bandwidth_throttle =
                    value.map(|rate| Arc::new(Throttle::of_bandwidth(rate, clock::now_ms())));
            }
            Property::Connections(value) => self.connections = value,
            Property::FlowRate(value) => {
                self.flow_rate = value;
                self.flow_throttle = value.map(|flow| Arc::new(Throttle::of_flow(flow, clock::now_ms())));
            }
            Property::Logging(value) => {
                self.log = value.as_ref().map(Log::open).transpose()?.map(Arc::new);
                self.logging = value;
            }
            Property::Authentication(value) => {
                (self.authentication, self.extended_holds) = (value, false);
            }
            Property::ExtendedAuthentication(value) => {
                (self.extended_authentication, self.extended_holds) = (value, true);
            }
            Property::Credentials(value) => self.credentials = value.map(open).transpose()?,
            Property::ChannelBind(value) => self.channel_bind = value,
            Property::ListenEndpoint(value) => self.listen_endpoint = value,
            Property::ProtectionLevel(value) => self.protection_level = value,
            Property::Delegation(value) => self.delegation = value,
            Property::RequestInfo(value) => {
                info::want(value.unwrap_or(0))?;
                self.request_infos = value;
            }
            Property::Limits(value) => {
                value.as_ref().map_or(Ok(()), narrower::check)?;
                self.limits = value;
            }
            Property::QueueLength(_) | Property::Verbosity(_) => return Err(Error::INVALID_PARAMETER),
        }
        Ok(())
    }

    /// Gives a value back as it was set here.
    pub(crate) fn get(&self, kind: PropertyKind) -> Result<Property> {
        Ok(match kind {
            PropertyKind::State => Property::State(self.active),
            PropertyKind::Timeouts => Property::Timeouts(self.timeouts),
            PropertyKind::Bandwidth => Property::Bandwidth(self.bandwidth),
            PropertyKind::Connections => Property::Connections(self.connections),
            PropertyKind::FlowRate => Property::FlowRate(self.flow_rate),
            PropertyKind::Logging => Property::Logging(self.logging.clone()),
            PropertyKind::Authentication => Property::Authentication(self.authentication.clone()),
            PropertyKind::ExtendedAuthentication => {
                Property::ExtendedAuthentication(self.extended_authentication.clone())
            }
            PropertyKind::Credentials => {
                Property::Credentials(self.credentials.as_ref().map(|source| source.settings.clone()))
            }
            PropertyKind::ChannelBind => Property::ChannelBind(self.channel_bind.clone()),
            PropertyKind::ListenEndpoint => Property::ListenEndpoint(self.listen_endpoint),
            PropertyKind::ProtectionLevel => Property::ProtectionLevel(self.protection_level),
            PropertyKind::Delegation => Property::Delegation(self.delegation),
            PropertyKind::RequestInfo => Property::RequestInfo(self.request_infos),
            PropertyKind::Limits => Property::Limits(self.limits),
            PropertyKind::QueueLength | PropertyKind::Verbosity => return Err(Error::INVALID_PARAMETER),
        })
    }
}

impl Settings {
    /// What was set last about authentication, of the two properties there are.
    fn authentication(&self) -> Option<&Authentication> {
        let (plain, extended) = (self.authentication.as_ref(), self.extended_authentication.as_ref());
        if self.extended_holds { extended.or(plain) } else { plain.or(extended) }
    }
}

/// Opens where passwords come from.
fn open(settings: CredentialSource) -> Result<Source> {
    let opened = settings.file.as_ref().map(|path| {
        PasswordFile::open(path.as_ref()).map_err(|error| {
            last_error::explain(format_args!("password file {path}: {error}"));
            match error.kind() {
                ErrorKind::NotFound => Error::FILE_NOT_FOUND,
                ErrorKind::PermissionDenied => Error::ACCESS_DENIED,
                _ => Error::INVALID_PARAMETER,
            }
        })
    });
    Ok(Source { file: opened.transpose()?.map(Arc::new), settings })
}

/// What holds for a request.
#[derive(Clone)]
pub(crate) struct Policy {
    /// Group and session take requests.
    pub(crate) active: bool,
    /// Timeouts, none of them 0.
    pub(crate) timeouts: Timeouts,
    /// Where responses are logged: the session's log goes before the group's.
    pub(crate) log: Option<Arc<Log>>,
    /// What counts them.
    pub(crate) tally: Arc<Tally>,
    /// How fast responses may leave: of session and group.
    pub(crate) throttles: Vec<Arc<Throttle>>,
    /// How many connections the group may have.
    pub(crate) connections: Option<u32>,
    /// Who finds out who asks, if anybody is to.
    pub(crate) guard: Option<Arc<Guard>>,
    /// The entries of `pRequestInfo` wanted: a bit for each type.
    pub(crate) request_infos: u32,
    /// Limits on heads, where they are narrower than the service's.
    pub(crate) limits: Option<Box<Limits>>,
}

impl Policy {
    /// What holds where nothing is set: for version 1 queues.
    pub(crate) fn of_service(tally: Arc<Tally>) -> Policy {
        Policy {
            active: true,
            timeouts: service_timeouts(),
            log: None,
            tally,
            throttles: Vec::new(),
            connections: None,
            guard: None,
            request_infos: 0,
            limits: None,
        }
    }

    /// What a group's settings, its session's and the service's come to.
    pub(crate) fn of(group: &Settings, session: &Settings, tally: &Arc<Tally>) -> Policy {
        let throttles = [
            &session.bandwidth_throttle,
            &session.flow_throttle,
            &group.bandwidth_throttle,
            &group.flow_throttle,
        ];
        let throttles = throttles.into_iter();
        let source = group.credentials.as_ref().or(session.credentials.as_ref());
        let guard = Guard::of(group.authentication().or(session.authentication()), source);
        let inherited = cascade(session.timeouts.unwrap_or_default(), service_timeouts());
        Policy {
            active: group.active.unwrap_or(true) && session.active.unwrap_or(true),
            timeouts: cascade(group.timeouts.unwrap_or_default(), inherited),
            log: session.log.as_ref().or(group.log.as_ref()).cloned(),
            tally: Arc::clone(tally),
            throttles: throttles.flatten().cloned().collect(),
            connections: group.connections,
            guard: guard.map(Arc::new),
            request_infos: group.request_infos.or(session.request_infos).unwrap_or(0),
            limits: narrower::limits(group.limits, session.limits),
        }
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

//! The options about resolving names, making connections and the pool (digest §6.1 to §6.3, §11). What can be read of
//! connections and requests is in `option_facts`.

use std::mem::size_of;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::handle::Object;
use super::options::{Given, Value};
use crate::abi::base::{BOOL, GUID, tcp_keepalive};
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::client::connect::hosts::Hosts;
use crate::client::connect::names::Remembering;
use crate::client::connect::network::{Mark, Network, Retries, Wish};
use crate::client::session::Session;
use crate::net::tuning::{Priority, Tuning};
use crate::win32::last_error::explain;

const WRONG_KIND: Error = Error::WINHTTP_INCORRECT_HANDLE_TYPE;

/// WINHTTP_FEATURE_* numbers of what is built in here and in `option_facts` and `group`. Not among them are the two
/// flags about the time that an answer of the resolver holds: it is not known.
pub(super) const FEATURES: [u32; 23] =
    [2, 3, 4, 8, 12, 14, 15, 24, 27, 32, 34, 35, 37, 38, 39, 50, 51, 57, 58, 60, 61, 89, 92];

/// All bits of `dwAllowedRetryConditions`.
const RETRY_CONDITIONS: u32 = WINHTTP_CONNECTION_RETRY_CONDITION_408
    | WINHTTP_CONNECTION_RETRY_CONDITION_SSL_HANDSHAKE
    | WINHTTP_CONNECTION_RETRY_CONDITION_STALE_CONNECTION;

/// All bits of `WINHTTP_RESOLVER_CACHE_CONFIG`.
const CACHE_FLAGS: u64 = (WINHTTP_RESOLVER_CACHE_CONFIG_FLAG_SOFT_LIMIT
    | WINHTTP_RESOLVER_CACHE_CONFIG_FLAG_BYPASS_CACHE
    | WINHTTP_RESOLVER_CACHE_CONFIG_FLAG_USE_DNS_TTL
    | WINHTTP_RESOLVER_CACHE_CONFIG_FLAG_CONN_USE_TTL) as u64;

/// Sets one of these options; `None` for others.
pub(super) fn set(object: &Object, option: u32, given: &Given) -> Option<Result<()>> {
    Some(match option {
        WINHTTP_OPTION_MAX_CONNS_PER_SERVER => {
            set_limit(object, given, |network, limit| network.limits.modern = limit)
        }
        WINHTTP_OPTION_MAX_CONNS_PER_1_0_SERVER => {
            set_limit(object, given, |network, limit| network.limits.old = limit)
        }
        WINHTTP_OPTION_IPV6_FAST_FALLBACK => {
            set_switch(object, given, |network, is| network.fast_fallback = is)
        }
        WINHTTP_OPTION_FIRST_AVAILABLE_CONNECTION => {
            set_switch(object, given, |network, is| network.first_available = is)
        }
        WINHTTP_OPTION_TCP_FAST_OPEN => {
            set_switch(object, given, |network, is| network.with_path(|path| path.tuning.fast_open = is))
        }
        WINHTTP_OPTION_BACKGROUND_CONNECTIONS => of_session(object).and_then(|session| {
            given.number().map(|count| change(session, |network| network.background = count))
        }),
        WINHTTP_OPTION_FAILED_CONNECTION_RETRIES => {
            of_session(object).and_then(|session| set_retries(session, given))
        }
        WINHTTP_OPTION_RESOLVER_CACHE_CONFIG => {
            of_session(object).and_then(|session| set_cache(session, given))
        }
        WINHTTP_OPTION_TCP_KEEPALIVE => of_session(object).and_then(|session| set_keep_alive(session, given)),
        WINHTTP_OPTION_TCP_PRIORITY_HINT => set_tuning(object, given, |tuning, hint| {
            tuning.priority = Some(match hint {
                0 => Priority::VeryLow,
                1 => Priority::Low,
                2 => Priority::Normal,
                _ => return Err(Error::INVALID_PARAMETER),
            });
            Ok(())
        }),
        WINHTTP_OPTION_NETWORK_INTERFACE_AFFINITY => set_tuning(object, given, |tuning, index| {
            tuning.interface = index;
            Ok(())
        }),
        WINHTTP_OPTION_DSCP_TAG => set_tuning(object, given, |tuning, code| {
            tuning.dscp =
                Some(u8::try_from(code).ok().filter(|code| *code < 64).ok_or(Error::INVALID_PARAMETER)?);
            Ok(())
        }),
        WINHTTP_OPTION_RESOLUTION_HOSTNAME => set_resolution_name(object, given),
        WINHTTP_OPTION_CONNECTION_GUID => set_mark(object, given),
        WINHTTP_OPTION_MATCH_CONNECTION_GUID => set_wish(object, given),
        NTHTTP_OPTION_HOST_OVERRIDE => set_hosts(object, given),
        _ => return None,
    })
}

/// Reads one of these options; `None` for others.
pub(super) fn query(object: &Object, option: u32) -> Option<Result<Value>> {
    let read: fn(&Network) -> u32 = match option {
        WINHTTP_OPTION_MAX_CONNS_PER_SERVER => |network| network.limits.modern,
        WINHTTP_OPTION_MAX_CONNS_PER_1_0_SERVER => |network| network.limits.old,
        WINHTTP_OPTION_IPV6_FAST_FALLBACK
        | WINHTTP_OPTION_FIRST_AVAILABLE_CONNECTION
        | WINHTTP_OPTION_TCP_FAST_OPEN
        | WINHTTP_OPTION_BACKGROUND_CONNECTIONS
        | WINHTTP_OPTION_FAILED_CONNECTION_RETRIES
        | WINHTTP_OPTION_RESOLVER_CACHE_CONFIG
        | WINHTTP_OPTION_TCP_KEEPALIVE
        | WINHTTP_OPTION_TCP_PRIORITY_HINT
        | WINHTTP_OPTION_NETWORK_INTERFACE_AFFINITY
        | WINHTTP_OPTION_DSCP_TAG
        | WINHTTP_OPTION_RESOLUTION_HOSTNAME
        | WINHTTP_OPTION_MATCH_CONNECTION_GUID
        | NTHTTP_OPTION_HOST_OVERRIDE => return Some(Err(Error::INVALID_PARAMETER)),
        WINHTTP_OPTION_TCP_PRIORITY_STATUS => return Some(read_priority(object)),
        _ => return None,
    };
    Some(
        of_session(object).map(|session| Value::Number(session.with(|state| read(state.settings.network())))),
    )
}

fn of_session(object: &Object) -> Result<&Session> {
    match object {
        Object::Session(session) => Ok(session),
        _ => Err(WRONG_KIND),
    }
}

fn change(session: &Session, change: impl FnOnce(&mut Network)) {
    session.with(|state| state.settings.with_network(change));
}

/// Changes what a session or request wants.
fn change_either(object: &Object, change: impl FnOnce(&mut Network)) -> Result<()> {
    match object {
        Object::Session(session) => session.with(|state| state.settings.with_network(change)),
        Object::Request(request) => request.with_settings(|settings| settings.with_network(change)),
        _ => return Err(WRONG_KIND),
    }
    Ok(())
}

fn set_switch(object: &Object, given: &Given, store: fn(&mut Network, bool)) -> Result<()> {
    let session = of_session(object)?;
    let wanted = given.plain::<BOOL>()? != 0;
    change(session, |network| store(network, wanted));
    Ok(())
}

/// A session with a limit has a pool of its own: otherwise the connections of others would count, and others would
/// make more.
fn set_limit(object: &Object, given: &Given, store: fn(&mut Network, u32)) -> Result<()> {
    let session = of_session(object)?;
    let limit = match given.number()? {
        0 => 2,
        limit => limit,
    };
    change(session, |network| store(network, limit));
    if limit != u32::MAX {
        session.leave_global_pool();
    }
    Ok(())
}

fn set_retries(session: &Session, given: &Given) -> Result<()> {
    let wanted = given.plain::<WINHTTP_FAILED_CONNECTION_RETRIES>()?;
    let (most, conditions) = (wanted.dwMaxRetries, wanted.dwAllowedRetryConditions);
    if conditions & !RETRY_CONDITIONS != 0 {
        return Err(Error::INVALID_PARAMETER);
    }
    if session.has_children.load(Ordering::Relaxed) {
        return Err(Error::WINHTTP_INCORRECT_HANDLE_STATE);
    }
    change(session, |network| network.retries = Some(Retries { most, conditions }));
    Ok(())
}

fn set_cache(session: &Session, given: &Given) -> Result<()> {
    let wanted = given.plain::<WINHTTP_RESOLVER_CACHE_CONFIG>()?;
    let has = |flag: u32| wanted.ullFlags & u64::from(flag) != 0;
    if wanted.ullFlags & !CACHE_FLAGS != 0
        || !(WinHttpSecureDnsSettingDefault..WinHttpSecureDnsSettingMax).contains(&wanted.SecureDnsSetting)
    {
        return Err(Error::INVALID_PARAMETER);
    }
    if wanted.SecureDnsSetting == WinHttpSecureDnsSettingRequireEncryption {
        explain(format_args!(
            "whether names are looked up with encryption is for the system's resolver to say"
        ));
        return Err(Error::WINHTTP_INVALID_OPTION);
    }
    let names = Remembering {
        entries: wanted.ulMaxResolverCacheEntries,
        max_age: wanted.ulMaxCacheEntryAge,
        min_life: wanted.ulMinCacheEntryTtl,
        soft_limit: has(WINHTTP_RESOLVER_CACHE_CONFIG_FLAG_SOFT_LIMIT),
        bypass: has(WINHTTP_RESOLVER_CACHE_CONFIG_FLAG_BYPASS_CACHE),
    };
    change(session, |network| network.names = names);
    Ok(())
}

fn set_keep_alive(session: &Session, given: &Given) -> Result<()> {
    let wanted = given.plain::<tcp_keepalive>()?;
    let times = (wanted.onoff != 0).then_some((wanted.keepalivetime, wanted.keepaliveinterval));
    change(session, |network| network.with_path(|path| path.tuning.keep_alive = times));
    Ok(())
}

fn set_tuning(object: &Object, given: &Given, store: fn(&mut Tuning, u32) -> Result<()>) -> Result<()> {
    if matches!(object, Object::Session(_) | Object::Request(_)) {
        let number = given.number()?;
        store(&mut Tuning::default(), number)?;
        return change_either(object, |network| {
            network.with_path(|path| {
                // It was tried just before.
                let _ = store(&mut path.tuning, number);
            });
        });
    }
    Err(WRONG_KIND)
}

fn read_priority(object: &Object) -> Result<Value> {
    let Object::Request(request) = object else { return Err(WRONG_KIND) };
    let hint = request.with_settings(|settings| {
        settings.network().path.as_deref().and_then(|path| path.tuning.priority).unwrap_or(Priority::Normal)
    });
    Ok(Value::Number(hint as u32))
}

/// The name to resolve instead of the server's; no name takes it back.
fn set_resolution_name(object: &Object, given: &Given) -> Result<()> {
    let Object::Request(request) = object else { return Err(WRONG_KIND) };
    let name = String::from_utf16_lossy(&given.text());
    if name.contains(|c: char| c <= ' ' || "/\\?#@\"<>".contains(c)) {
        return Err(Error::INVALID_PARAMETER);
    }
    if !request.is_unsent() {
        return Err(Error::WINHTTP_INCORRECT_HANDLE_STATE);
    }
    let name = (!name.is_empty()).then(|| Arc::from(name));
    change_either(object, |network| network.with_path(|path| path.resolve_as = name))
}

/// Names that lead elsewhere; an empty list takes them back.
fn set_hosts(object: &Object, given: &Given) -> Result<()> {
    if !matches!(object, Object::Session(_) | Object::Request(_)) {
        return Err(WRONG_KIND);
    }
    let hosts = Hosts::read(&String::from_utf16_lossy(&given.text())).map_err(|item| {
        explain(format_args!("\"{item}\" is not name[:port]=host[:port] or name[:port]=-"));
        Error::INVALID_PARAMETER
    })?;
    let hosts = (!hosts.is_empty()).then(|| Arc::new(hosts));
    change_either(object, |network| network.with_path(|path| path.hosts = hosts))
}

/// A GUID as `client` has it.
pub(super) fn mark_of(guid: GUID) -> Mark {
    let mut mark = [0; size_of::<GUID>()];
    mark[..4].copy_from_slice(&guid.Data1.to_ne_bytes());
    mark[4..6].copy_from_slice(&guid.Data2.to_ne_bytes());
    mark[6..8].copy_from_slice(&guid.Data3.to_ne_bytes());
    mark[8..].copy_from_slice(&guid.Data4);
    mark
}

/// A GUID as C has it; all zeros stand for none.
pub(super) fn guid_of(mark: Option<Mark>) -> GUID {
    let [a, b, c, d, e, f, g, h, rest @ ..] = mark.unwrap_or_default();
    GUID {
        Data1: u32::from_ne_bytes([a, b, c, d]),
        Data2: u16::from_ne_bytes([e, f]),
        Data3: u16::from_ne_bytes([g, h]),
        Data4: rest,
    }
}

fn set_mark(object: &Object, given: &Given) -> Result<()> {
    let Object::Request(request) = object else { return Err(WRONG_KIND) };
    let mark = Some(mark_of(given.plain::<GUID>()?)).filter(|mark| *mark != Mark::default());
    request.mark_connection(mark);
    Ok(())
}

fn set_wish(object: &Object, given: &Given) -> Result<()> {
    let Object::Request(request) = object else { return Err(WRONG_KIND) };
    let wanted = given.plain::<WINHTTP_MATCH_CONNECTION_GUID>()?;
    if wanted.ullFlags & !u64::from(WINHTTP_MATCH_CONNECTION_GUID_FLAGS_MASK) != 0 {
        return Err(Error::INVALID_PARAMETER);
    }
    let mark = Some(mark_of(wanted.ConnectionGuid)).filter(|mark| *mark != Mark::default());
    let wish = Wish { mark, only_marked: wanted.ullFlags != 0 };
    request.with_settings(|settings| settings.with_network(|network| network.wish = wish));
    Ok(())
}

//! Which proxy settings count: the library's own default, which WinHttpSetDefaultProxyConfiguration keeps in the
//! configuration file, and the user's, which are the desktop's. The environment stands in for either.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::abi::error::{Error, Result};
use crate::config::{Fault, Store, WinHttpProxy};
use crate::win32::handles::is_forked;
use crate::win32::last_error::explain;

use super::{DIRECT, NAMED, Proxy, desktop, environment};

/// What the user has chosen for all programs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserSettings {
    /// Look for a script in the network.
    pub auto_detect: bool,
    /// URL of a script.
    pub script: Option<String>,
    /// A proxy for what no script decides.
    pub proxy: Proxy,
}

/// How long [`recent`] gives the same answer.
const RECENT: Duration = Duration::from_secs(1);

static RECENTLY: Mutex<Option<(Instant, Arc<UserSettings>)>> = Mutex::new(None);

/// The user's settings, read now: the desktop's, else the environment's.
pub fn user() -> Option<UserSettings> {
    let from_environment = || {
        let proxy = environment::read()?;
        Some(UserSettings { proxy, ..UserSettings::default() })
    };
    let found = desktop::read().or_else(from_environment);
    let known =
        found.clone().unwrap_or_else(|| UserSettings { proxy: Proxy::direct(), ..UserSettings::default() });
    // A lock that another thread held during a fork is held for ever.
    if !is_forked() {
        *RECENTLY.lock() = Some((Instant::now(), Arc::new(known)));
    }
    found
}

/// The user's settings as they were a moment ago; for requests, which are many.
pub(crate) fn recent() -> Arc<UserSettings> {
    let known = |recently: &Option<(Instant, Arc<UserSettings>)>| {
        recently.as_ref().filter(|(since, _)| since.elapsed() < RECENT).map(|(_, found)| Arc::clone(found))
    };
    let fresh = known(&RECENTLY.lock());
    fresh.unwrap_or_else(|| {
        let found =
            user().unwrap_or_else(|| UserSettings { proxy: Proxy::direct(), ..UserSettings::default() });
        Arc::new(found)
    })
}

/// The library's default: what the configuration file says, else the environment; else, a direct connection.
pub fn default_proxy() -> Proxy {
    stored().or_else(environment::read).unwrap_or_else(Proxy::direct)
}

/// What the user's configuration file says, else the machine's. One that cannot be read says nothing.
fn stored() -> Option<Proxy> {
    let read = |store: Store| store.read().ok()?.winhttp_proxy;
    let record = read(Store::of_this_user()).or_else(|| read(Store::of_machine()?))?;
    let access = if record.list.is_some() { NAMED } else { DIRECT };
    Some(Proxy { access, list: record.list, bypass: record.bypass })
}

/// Keeps a default in the configuration file.
pub fn set_default_proxy(proxy: Proxy) -> Result<()> {
    let record = WinHttpProxy { list: proxy.list, bypass: proxy.bypass };
    let changed = Store::of_this_user().change(|config| {
        config.winhttp_proxy = Some(record);
        Ok::<_, Fault>(())
    });
    changed.map_err(|fault| {
        explain(format_args!("{fault}"));
        if fault.is_denied() { Error::ACCESS_DENIED } else { Error::WINHTTP_INTERNAL_ERROR }
    })
}

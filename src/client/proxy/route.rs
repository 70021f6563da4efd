//! From a request's URL to the first hop: the server itself, or the proxy that leads to it.

use std::sync::Arc;

use parking_lot::MutexGuard;
use zeroize::Zeroizing;

use crate::abi::error::{Error, Result};
use crate::win32::last_error::explain;
use crate::win32::trace;

use super::super::auth::{self, Identity, Target};
use super::super::connect::facts::{Stat, Time};
use super::super::connection::Origin;
use super::super::exchange::Exchange;
use super::super::plan::Url;
use super::super::request::{Core, Request};
use super::super::settings::Settings;
use super::list::NameAndPassword;
use super::settings::UserSettings;
use super::socks::Login;
use super::{AUTOMATIC, Kind, Proxy, Server, bad, settings};

/// `ERROR_WINHTTP_SECURE_FAILURE_PROXY`: TLS to a proxy failed.
const SECURE_FAILURE_PROXY: Error = Error(12188);

/// How a connection goes on from its first hop. Connections that go on differently cannot stand for each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Passage {
    /// It does not: this is the server, or a proxy that is told whole URLs.
    #[default]
    Straight,
    /// CONNECT asks the proxy for a tunnel to this host and port, on behalf of somebody if there are credentials.
    Tunnel(String, u16, Option<Identity>),
    /// SOCKS 5 asks the proxy for a connection to this host and port.
    Socks(String, u16, Login),
}

impl Request {
    /// Where the plan's URL is asked, and the settings of now.
    pub(crate) fn route(&self) -> Result<(Arc<Origin>, Settings)> {
        let partition = self.connect.session.with(|state| state.partition);
        let mut core = self.core.lock();
        let automatic = core.proxy.access == AUTOMATIC;
        let user = automatic.then(|| MutexGuard::unlocked(&mut core, || self.detect()));
        let url = &core.plan.url;
        if url.secure {
            explain(format_args!("https://{}: TLS is not built in yet", url.authority()));
            return Err(Error::WINHTTP_SECURE_FAILURE);
        }
        let proxy = user.as_ref().map_or(&*core.proxy, |user| &user.proxy);
        let Some(server) = pick(proxy, url, automatic) else {
            let origin =
                self.connect.origin((&url.host, url.port), Passage::Straight, partition, &core.settings);
            core.absolute_form = false;
            return Ok((origin, core.settings.clone()));
        };
        let listed = listed_login(&server);
        let passage = passage(&server, &core, listed.as_ref())?;
        let absolute = passage == Passage::Straight;
        let origin = self.connect.origin((server.host, server.port), passage, partition, &core.settings);
        core.absolute_form = absolute;
        if listed.is_some() || core.credentials.is_some() {
            // What is meant for one proxy is not for the next.
            core.credentials.get_or_insert_default().set_listed(listed);
        }
        Ok((origin, core.settings.clone()))
    }

    /// The user's settings, for a request that is to find its proxy by itself.
    fn detect(&self) -> Arc<UserSettings> {
        self.facts.mark(Time::ProxyDetectionStart);
        let found = settings::recent();
        self.facts.mark(Time::ProxyDetectionEnd);
        if found.script.is_some() || found.auto_detect {
            trace::warn(format_args!("the user's settings want a proxy script, which cannot be run"));
        }
        found
    }

    /// Gives the exchange a connection for its URL. When the proxies were found automatically and one cannot be
    /// reached, the next is tried.
    pub(crate) fn connect_by_route(
        &self,
        exchange: &mut Exchange,
        certain: bool,
    ) -> Result<(Arc<Origin>, Settings)> {
        let mut tried = Vec::new();
        loop {
            let (origin, settings) = self.route()?;
            match self.connect(exchange, &origin, &settings, certain) {
                Ok(()) => return Ok((origin, settings)),
                Err(error) => self.give_up_on(origin, error, &mut tried)?,
            }
        }
    }

    /// A first hop could not be reached: says whether there is another to be tried, by not failing.
    fn give_up_on(&self, origin: Arc<Origin>, error: Error, tried: &mut Vec<Arc<Origin>>) -> Result<()> {
        let unreachable = matches!(
            error,
            Error::WINHTTP_CANNOT_CONNECT | Error::WINHTTP_TIMEOUT | Error::WINHTTP_NAME_NOT_RESOLVED
        );
        let (automatic, absolute) = {
            let core = self.core.lock();
            (core.proxy.access == AUTOMATIC, core.absolute_form)
        };
        let by_proxy = absolute || origin.passage != Passage::Straight;
        if !unreachable || !automatic || !by_proxy || self.cancel.is_cancelled() {
            return Err(error);
        }
        self.facts.add(Stat::ProxyFailureCount, 1);
        trace::info(format_args!("the proxy {}:{} cannot be reached", origin.host, origin.port));
        bad::remember(&origin.host, origin.port);
        tried.push(origin);
        let (next, _) = self.route()?;
        if tried.contains(&next) { Err(error) } else { Ok(()) }
    }
}

fn pick<'a>(proxy: &'a Proxy, url: &Url, automatic: bool) -> Option<Server<'a>> {
    if automatic {
        bad::best(&proxy.candidates(url.secure, &url.host, url.port))
    } else {
        proxy.choose(url.secure, &url.host, url.port)
    }
}

/// The user and password that a proxy list has for an HTTP proxy.
fn listed_login(server: &Server<'_>) -> Option<auth::Login> {
    let (user, password) = server.login().filter(|_| server.kind == Kind::Http)?;
    let text = |bytes: Zeroizing<Vec<u8>>| Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
    Some(auth::Login { user: Some(text(user)), password: text(password) })
}

/// How a proxy is passed. A request that asks the server to go on in another protocol needs a tunnel, because a
/// proxy would take such a field for its own (RFC 6455 §4.1, RFC 9110 §7.8).
fn passage(server: &Server<'_>, core: &Core, listed: Option<&auth::Login>) -> Result<Passage> {
    let plan = &core.plan;
    let target = || (plan.url.host.clone(), plan.url.port);
    match server.kind {
        Kind::Http if plan.url.secure || plan.upgrade.is_some() || plan.field("Upgrade").is_some() => {
            let (host, port) = target();
            Ok(Passage::Tunnel(host, port, identity(core, listed)))
        }
        Kind::Http => Ok(Passage::Straight),
        Kind::Socks { remote_names } => {
            let (host, port) = target();
            Ok(Passage::Socks(host, port, Login { remote_names, user: socks_login(server, core) }))
        }
        Kind::Https => {
            explain(format_args!("TLS to the proxy {}:{} is not built in yet", server.host, server.port));
            Err(SECURE_FAILURE_PROXY)
        }
    }
}

/// On whose behalf a tunnel is asked for: it stays theirs, and is never lent to a request that would ask as another.
fn identity(core: &Core, listed: Option<&auth::Login>) -> Option<Identity> {
    if core.settings.disabled.authentication() {
        return None;
    }
    Identity::of(core.credentials.as_deref(), listed)
}

/// The application's own user name and password for proxies go before the list's.
fn socks_login(server: &Server<'_>, core: &Core) -> Option<NameAndPassword> {
    let own = core.credentials.as_deref().and_then(|all| all.named_login(Target::Proxy));
    let bytes = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
    let own = own.and_then(|login| Some((bytes(login.user.as_ref()?), bytes(&login.password))));
    own.or_else(|| server.login())
}

#[cfg(test)]
mod tests {
    use super::super::super::auth::Scheme;
    use super::super::super::notify::Notifier;
    use super::super::super::plan::Plan;
    use super::super::super::session::{Connect, Session};
    use super::super::NAMED;
    use super::*;

    /// Where a request for another protocol goes by way of a proxy list, as somebody.
    fn way(list: &str, user: Option<&str>) -> Arc<Origin> {
        let proxy = Proxy { access: NAMED, list: Some(list.into()), bypass: None };
        let session = Session::new(false, Notifier::new(|_, _| {}), Arc::from(&b""[..]), proxy);
        let connect = Connect::new(Arc::new(session), "h".into(), 80);
        let url = Url { secure: false, host: "h".into(), port: 80, target: "/".into() };
        let request = Request::new(Arc::new(connect), Plan::new("GET".into(), url));
        request.upgrade_to_web_socket().unwrap();
        if let Some(user) = user {
            let text = |text: &str| Zeroizing::new(text.to_owned());
            let login = auth::Login { user: Some(text(user)), password: text("x") };
            request.set_credentials(Target::Proxy, Scheme::Basic, login);
        }
        request.route().unwrap().0
    }

    #[test]
    fn a_tunnel_is_for_those_only_who_would_ask_alike() {
        assert_eq!(way("p:1", None), way("p:1", None));
        assert_eq!(way("p:1", Some("a")), way("p:1", Some("a")));
        assert_eq!(way("a:x@p:1", None), way("a:x@p:1", None));
        let all = [
            way("p:1", None),
            way("p:1", Some("a")),
            way("p:1", Some("b")),
            way("a:x@p:1", None),
            way("a:y@p:1", None),
            way("a:y@p:1", Some("a")),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(!all[at + 1..].contains(one), "{at}");
        }
    }
}

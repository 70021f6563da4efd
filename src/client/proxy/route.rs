//! From a request's URL to the first hop: the server itself, or the proxy that leads to it.

use std::sync::Arc;

use parking_lot::MutexGuard;

use crate::abi::error::{Error, Result};
use crate::win32::last_error::explain;

use super::super::connection::Origin;
use super::super::exchange::Exchange;
use super::super::plan::{Plan, Url};
use super::super::request::Request;
use super::super::settings::Settings;
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
    /// CONNECT asks the proxy for a tunnel to this host and port.
    Tunnel(String, u16),
    /// SOCKS 5 asks the proxy for a connection to this host and port.
    Socks(String, u16, Login),
}

impl Request {
    /// Where the plan's URL is asked, and the settings of now.
    pub(crate) fn route(&self) -> Result<(Arc<Origin>, Settings)> {
        let partition = self.connect.session.with(|state| state.partition);
        let mut core = self.core.lock();
        let automatic = core.proxy.access == AUTOMATIC;
        let user = automatic.then(|| MutexGuard::unlocked(&mut core, settings::recent));
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
        let passage = passage(&server, &core.plan)?;
        let absolute = passage == Passage::Straight;
        let origin = self.connect.origin((server.host, server.port), passage, partition, &core.settings);
        core.absolute_form = absolute;
        Ok((origin, core.settings.clone()))
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
        let automatic = self.with_proxy(|proxy| proxy.access == AUTOMATIC);
        if !unreachable || !automatic || self.cancel.is_cancelled() {
            return Err(error);
        }
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

/// How a proxy is passed. A request that asks the server to go on in another protocol needs a tunnel, because a
/// proxy would take such a field for its own (RFC 6455 §4.1, RFC 9110 §7.8).
fn passage(server: &Server<'_>, plan: &Plan) -> Result<Passage> {
    let target = || (plan.url.host.clone(), plan.url.port);
    match server.kind {
        Kind::Http if plan.url.secure || plan.upgrade.is_some() || plan.field("Upgrade").is_some() => {
            let (host, port) = target();
            Ok(Passage::Tunnel(host, port))
        }
        Kind::Http => Ok(Passage::Straight),
        Kind::Socks { remote_names } => {
            let (host, port) = target();
            Ok(Passage::Socks(host, port, Login::new(remote_names, server.user)))
        }
        Kind::Https => {
            explain(format_args!("TLS to the proxy {}:{} is not built in yet", server.host, server.port));
            Err(SECURE_FAILURE_PROXY)
        }
    }
}

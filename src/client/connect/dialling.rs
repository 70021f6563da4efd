//! Opening a connection: name, addresses, notifications (digest §6.1, §6.2).

use std::io;
use std::sync::Arc;

use crate::abi::error::{Error, Result};
use crate::net::dial::{DialError, dial};
use crate::net::resolve::{ResolveError, resolve};
use crate::win32::last_error::explain;

use super::connection::{Connection, Origin};
use crate::client::notify::Event;
use crate::client::request::Request;
use crate::client::settings::{Settings, limit};
use crate::client::workers::step_aside;

impl Request {
    /// Connects to the origin, trying its addresses in order, and leaves the connection attached to the
    /// request's cancelling. `quiet` tells the application nothing.
    pub(crate) fn open_connection(
        &self,
        origin: &Arc<Origin>,
        settings: &Settings,
        quiet: bool,
    ) -> Result<Connection> {
        let tell = |event: Event<'_>| {
            if !quiet {
                self.notify(&event);
            }
        };
        tell(Event::ResolvingName(&origin.host));
        self.check_open()?;
        step_aside();
        let addresses = resolve(&origin.host, origin.port, limit(settings.resolve_timeout), &self.cancel)
            .map_err(|e| match e {
                ResolveError::Cancelled => Error::WINHTTP_OPERATION_CANCELLED,
                ResolveError::Timeout => Error::WINHTTP_TIMEOUT,
                ResolveError::NotFound => {
                    explain(format_args!("the name {} has no address", origin.host));
                    Error::WINHTTP_NAME_NOT_RESOLVED
                }
                ResolveError::NoThread => Error::NOT_ENOUGH_MEMORY,
            })?;
        let mut error = Error::WINHTTP_NAME_NOT_RESOLVED;
        for (index, address) in addresses.iter().take(settings.connect_retries.max(1) as usize).enumerate() {
            let text = address.ip().to_string();
            if index == 0 {
                tell(Event::NameResolved(&text));
            }
            tell(Event::Connecting(&text));
            self.check_open()?;
            match dial(address, limit(settings.connect_timeout), &self.cancel) {
                Ok(stream) => {
                    tell(Event::Connected(&text));
                    return Connection::new(stream, Arc::clone(origin)).map_err(|error: io::Error| {
                        explain(format_args!("the connection to {address} was gone at once: {error}"));
                        self.cancel.detach();
                        Error::WINHTTP_CANNOT_CONNECT
                    });
                }
                Err(DialError::Cancelled) => return Err(Error::WINHTTP_OPERATION_CANCELLED),
                Err(DialError::Timeout) => {
                    explain(format_args!("no answer from {address}"));
                    error = Error::WINHTTP_TIMEOUT;
                }
                Err(DialError::Failed(cause)) => {
                    explain(format_args!("connecting to {address}: {cause}"));
                    error = Error::WINHTTP_CANNOT_CONNECT;
                }
            }
        }
        Err(error)
    }
}

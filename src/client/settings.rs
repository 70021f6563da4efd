//! The adjustable values of a session, which every request copies when it is opened.
//!
//! Time limits are kept as the application gave them, because that is how they are read back; [`limit`] turns
//! them into what `net` understands.

use std::sync::Arc;

use super::connect::network::Network;
use super::kept::Kept;

/// What to do with a redirect (`WINHTTP_OPTION_REDIRECT_POLICY`); the discriminants are the option's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum RedirectPolicy {
    /// Hand 30x responses to the application.
    Never = 0,
    /// Follow, but fail on the way from https to http.
    DisallowHttpsToHttp = 1,
    /// Follow.
    Always = 2,
}

impl TryFrom<u32> for RedirectPolicy {
    type Error = ();

    fn try_from(value: u32) -> Result<Self, ()> {
        match value {
            0 => Ok(RedirectPolicy::Never),
            1 => Ok(RedirectPolicy::DisallowHttpsToHttp),
            2 => Ok(RedirectPolicy::Always),
            _ => Err(()),
        }
    }
}

/// The bits of `WINHTTP_OPTION_DISABLE_FEATURE`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disabled(pub u32);

impl Disabled {
    const COOKIES: u32 = 1;
    const REDIRECTS: u32 = 2;
    const AUTHENTICATION: u32 = 4;
    const KEEP_ALIVE: u32 = 8;

    /// The session's cookies are neither sent nor added to.
    #[inline]
    pub fn cookies(self) -> bool {
        self.0 & Disabled::COOKIES != 0
    }

    /// Challenges are handed to the application, and nothing is sent unasked.
    pub fn authentication(self) -> bool {
        self.0 & Disabled::AUTHENTICATION != 0
    }

    /// Redirects are handed to the application.
    pub fn redirects(self) -> bool {
        self.0 & Disabled::REDIRECTS != 0
    }

    /// Every exchange has a connection of its own.
    pub fn keep_alive(self) -> bool {
        self.0 & Disabled::KEEP_ALIVE != 0
    }
}

/// The value of `NTHTTP_OPTION_WEB_SOCKET_DEFLATE`: flags, and numbers of window bits, 0 for any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WebSocketDeflate(u32);

impl WebSocketDeflate {
    const ON: u32 = 1;
    const CLIENT_NO_CONTEXT: u32 = 2;
    const SERVER_NO_CONTEXT: u32 = 4;

    /// Whether it is offered at all.
    pub fn is_on(self) -> bool {
        self.0 & WebSocketDeflate::ON != 0
    }

    /// This side compresses each message by itself.
    pub fn client_no_context(self) -> bool {
        self.0 & WebSocketDeflate::CLIENT_NO_CONTEXT != 0
    }

    /// The server is to compress each message by itself.
    pub fn server_no_context(self) -> bool {
        self.0 & WebSocketDeflate::SERVER_NO_CONTEXT != 0
    }

    /// This side's window.
    pub fn client_bits(self) -> u8 {
        (self.0 >> 8) as u8
    }

    /// The server's window.
    pub fn server_bits(self) -> u8 {
        (self.0 >> 16) as u8
    }

    /// The number it came from.
    pub fn number(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for WebSocketDeflate {
    type Error = ();

    fn try_from(value: u32) -> Result<Self, ()> {
        let wanted = WebSocketDeflate(value);
        let fits = |bits: u8| bits == 0 || (9..=15).contains(&bits);
        let known = value & 0xFF00_00F8 == 0 && (wanted.is_on() || value == 0);
        if known && fits(wanted.client_bits()) && fits(wanted.server_bits()) { Ok(wanted) } else { Err(()) }
    }
}

/// The longest a response head may take when `RECEIVE_RESPONSE_TIMEOUT` was never set, in milliseconds.
const DEFAULT_RESPONSE_LIMIT: u32 = 90_000;

/// Adjustable values; see the option of the same name for each.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Milliseconds for a name.
    pub resolve_timeout: u32,
    /// Milliseconds for each address.
    pub connect_timeout: u32,
    /// Milliseconds for each send.
    pub send_timeout: u32,
    /// Milliseconds for each receive.
    pub receive_timeout: u32,
    /// `None` until set: then it reads as infinite and works as 90 seconds.
    pub response_timeout: Option<u32>,
    /// How many addresses are tried.
    pub connect_retries: u32,
    /// What to do with redirects.
    pub redirect_policy: RedirectPolicy,
    /// Redirects followed before it is an error.
    pub max_redirects: u32,
    /// 1xx responses skipped before it is an error.
    pub max_continue: u32,
    /// Bytes of a response head.
    pub max_header_size: u32,
    /// Bytes of body read away to keep a connection.
    pub max_drain_size: u32,
    /// Features switched off.
    pub disabled: Disabled,
    /// Bytes, for WebSockets.
    pub web_socket_receive_buffer: u32,
    /// Bytes, for WebSockets.
    pub web_socket_send_buffer: u32,
    /// Milliseconds for the server's close frame, for WebSockets.
    pub web_socket_close_timeout: u32,
    /// What of permessage-deflate is offered for WebSockets.
    pub web_socket_deflate: WebSocketDeflate,
    /// A redirect to a URL with a user name is an error.
    pub reject_userinfo: bool,
    /// Kept for reading back; has no effect.
    pub read_buffer_size: u32,
    /// Kept for reading back; has no effect.
    pub write_buffer_size: u32,
    /// Kept for reading back; has no effect.
    pub priority: u32,
    /// A proxy's answer to CONNECT is a response with its body, whatever its status.
    pub receive_proxy_answer: bool,
    /// Codings to undo, as `WINHTTP_DECOMPRESSION_FLAG_*`.
    pub decompression: u32,
    /// Schemes not to use with proxies, as `WINHTTP_PROXY_DISABLE_SCHEME_*`.
    pub disabled_proxy_schemes: u32,
    /// A redirect that asks for Passport is a 401.
    pub passport: bool,
    /// Which certificate faults to ignore, for TLS.
    pub security_flags: u32,
    /// What is wished of connections, if anything.
    pub(super) network: Option<Arc<Network>>,
    /// What newer options set.
    pub kept: Kept,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            resolve_timeout: 0,
            connect_timeout: 60_000,
            send_timeout: 30_000,
            receive_timeout: 30_000,
            response_timeout: None,
            connect_retries: 5,
            redirect_policy: RedirectPolicy::DisallowHttpsToHttp,
            max_redirects: 10,
            max_continue: 10,
            max_header_size: 64 * 1024,
            max_drain_size: 1024 * 1024,
            disabled: Disabled::default(),
            web_socket_receive_buffer: 32768,
            web_socket_send_buffer: 32768,
            web_socket_close_timeout: 10_000,
            web_socket_deflate: WebSocketDeflate::default(),
            reject_userinfo: false,
            read_buffer_size: 8192,
            write_buffer_size: 8192,
            priority: 0,
            receive_proxy_answer: false,
            decompression: 0,
            disabled_proxy_schemes: 0,
            passport: false,
            security_flags: 0,
            network: None,
            kept: Kept::default(),
        }
    }
}

impl Settings {
    /// Sets `RECEIVE_RESPONSE_TIMEOUT`, which is never below `RECEIVE_TIMEOUT`.
    pub fn set_response_timeout(&mut self, value: u32) {
        self.response_timeout = Some(value.max(self.receive_timeout));
    }

    /// The longest a response head may take, in milliseconds; 0 is for ever.
    pub fn response_limit(&self) -> u32 {
        self.response_timeout.map_or(DEFAULT_RESPONSE_LIMIT, limit)
    }
}

/// A time limit as `net` understands it: 0 waits for ever, which the application may also write as -1.
pub fn limit(timeout: u32) -> u32 {
    if timeout == u32::MAX { 0 } else { timeout }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_response_timeout_is_lifted_to_the_receive_timeout() {
        let mut settings = Settings::default();
        assert_eq!(settings.response_limit(), 90_000);
        settings.receive_timeout = 48_879;
        for (given, kept) in [(48_878, 48_879), (48_879, 48_879), (48_880, 48_880)] {
            settings.set_response_timeout(given);
            assert_eq!(settings.response_timeout, Some(kept));
        }
        settings.set_response_timeout(u32::MAX);
        assert_eq!(settings.response_limit(), 0);
    }
}

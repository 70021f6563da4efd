//! The request's part: the fields of the upgrade, the checks of the 101, and taking over the connection
//! (digest §10.1, RFC 6455 §4.1).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use parking_lot::Mutex;

use crate::abi::error::{Error, Result};
use crate::net::clock::now_ms;
use crate::win32::last_error::explain;
use crate::wire::response::ResponseHead;
use crate::wire::websocket::handshake::{Agreement, Offer, accept, has_token, key};
use crate::wire::websocket::inbound::{Inbound, MIN_INPUT};
use crate::wire::websocket::outbound::Outbound;

use super::super::exchange::Exchange;
use super::super::plan::Plan;
use super::super::request::{Phase, Request};
use super::super::settings::{Settings, limit};
use super::reading::Reader;
use super::task::Waiting;
use super::writing::Writer;
use super::{State, WebSocket};

/// The smallest WINHTTP_OPTION_WEB_SOCKET_SEND_BUFFER_SIZE that can be sent with.
const MIN_SEND_BUFFER: u32 = 16;

/// The smallest receive buffer; one asked for smaller is of this size.
const MIN_RECEIVE_BUFFER: usize = 256;

/// The largest buffer of either side, whatever is asked for.
const MAX_BUFFER: usize = 1 << 20;

/// What a request with WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Upgrade {
    /// Sec-WebSocket-Key of the head sent last.
    key: String,
    /// permessage-deflate, if it is wanted.
    offer: Option<Offer>,
    /// Buffer sizes at the time of the send.
    send_buffer: usize,
    receive_buffer: usize,
}

impl Upgrade {
    /// The fields that ask for it.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static str, String)> {
        let extensions = self.offer.map(|offer| ("Sec-WebSocket-Extensions", offer.text()));
        let fixed = [
            ("Connection", "Upgrade".to_owned()),
            ("Upgrade", "websocket".to_owned()),
            ("Sec-WebSocket-Version", "13".to_owned()),
            ("Sec-WebSocket-Key", self.key.clone()),
        ];
        fixed.into_iter().chain(extensions)
    }

    /// A new key, for a head that is about to be sent.
    pub(crate) fn renew(&mut self) {
        let mut random = [0; 16];
        fill_random(&mut random);
        self.key = key(random);
    }
}

/// Random bytes. Without a source of them, which no supported system lacks, masks are merely all alike.
fn fill_random(bytes: &mut [u8]) {
    let _ = getrandom::fill(bytes);
}

/// An upgrade the server has agreed to, before it is completed.
#[derive(Debug)]
pub(crate) struct Upgraded {
    agreement: Option<Agreement>,
    send_buffer: usize,
    receive_buffer: usize,
}

impl Request {
    /// WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET. `INCORRECT_HANDLE_STATE` once the request has been sent.
    pub fn upgrade_to_web_socket(&self) -> Result<()> {
        let mut core = self.core.lock();
        if core.phase != Phase::Opened {
            return Err(Error::WINHTTP_INCORRECT_HANDLE_STATE);
        }
        core.plan.upgrade.get_or_insert_default();
        Ok(())
    }

    /// Takes the settings of now for a request that is about to be sent. `NOT_ENOUGH_MEMORY` for a send buffer that
    /// holds no frame.
    pub(crate) fn prepare_upgrade(&self) -> Result<()> {
        let mut core = self.core.lock();
        let settings = &core.settings;
        let (send, receive) = (settings.web_socket_send_buffer, settings.web_socket_receive_buffer);
        let offer = offer_of(settings);
        let Some(upgrade) = &mut core.plan.upgrade else { return Ok(()) };
        if send < MIN_SEND_BUFFER {
            explain(format_args!("a send buffer of {send} bytes is too small for a WebSocket"));
            return Err(Error::NOT_ENOUGH_MEMORY);
        }
        upgrade.offer = offer;
        upgrade.send_buffer = (send as usize).min(MAX_BUFFER);
        upgrade.receive_buffer = (receive as usize).clamp(MIN_RECEIVE_BUFFER, MAX_BUFFER);
        Ok(())
    }

    /// Checks a 101 that was asked for: what does not fit is `INVALID_SERVER_RESPONSE`. The connection is kept for
    /// [`Request::complete_upgrade`].
    pub(crate) fn check_upgrade(&self, exchange: &mut Exchange) -> Result<()> {
        let core = self.core.lock();
        let Some(upgrade) = core.plan.upgrade.as_deref().filter(|_| core.response.status == 101) else {
            return Ok(());
        };
        let agreement = check(&core.plan, upgrade, &core.response).map_err(|what| {
            explain(format_args!("the server's answer to the upgrade has {what}"));
            Error::WINHTTP_INVALID_SERVER_RESPONSE
        })?;
        exchange.upgraded = Some(Upgraded {
            agreement,
            send_buffer: upgrade.send_buffer,
            receive_buffer: upgrade.receive_buffer,
        });
        Ok(())
    }

    /// Makes a WebSocket of the connection. `INCORRECT_HANDLE_STATE` unless the response is a 101 that was asked for.
    pub fn complete_upgrade(&self, context: usize) -> Result<Arc<WebSocket>> {
        let mut core = self.core.lock();
        if core.turn.closing {
            return Err(Error::INVALID_HANDLE);
        }
        let taken = match (core.phase, &mut core.exchange) {
            (Phase::Responded, Some(exchange)) => exchange.upgraded.take().zip(exchange.connection.take()),
            _ => None,
        };
        let (upgraded, connection) = taken.ok_or(Error::WINHTTP_INCORRECT_HANDLE_STATE)?;
        let (settings, notifier) = (core.settings.clone(), core.notifier);
        // Before the lock is gone: closing the request from now on leaves the connection alone.
        self.cancel.detach();
        drop(core);
        let (watch, mut stream, begun) = connection.into_parts();
        let send_limit = limit(settings.send_timeout);
        stream.set_limits(0, 0).map_err(|_| Error::WINHTTP_CONNECTION_ERROR)?;
        let agreement = upgraded.agreement.as_ref();
        let outbound = Outbound::new(upgraded.send_buffer, fill_random, agreement);
        let size = upgraded.receive_buffer.max(MIN_INPUT);
        let mut state = State::new(notifier, &settings);
        let request = std::mem::replace(&mut state.notifier.handle, 0);
        state.notifier.context = context;
        Ok(Arc::new(WebSocket {
            connect: Arc::clone(&self.connect),
            request,
            is_async: self.is_async,
            send_limit,
            waiting: Waiting::new(watch),
            stream,
            reader: Mutex::new(Reader::new(Inbound::new(agreement), size, begun)),
            writer: Mutex::new(Writer::new(outbound)),
            state: Mutex::new(state),
            closed: AtomicBool::new(false),
            sent_at: AtomicU64::new(now_ms()),
        }))
    }
}

/// What NTHTTP_OPTION_WEB_SOCKET_DEFLATE asks for.
fn offer_of(settings: &Settings) -> Option<Offer> {
    let wanted = settings.web_socket_deflate;
    wanted.is_on().then(|| Offer {
        client_no_context: wanted.client_no_context(),
        server_no_context: wanted.server_no_context(),
        client_bits: wanted.client_bits(),
        server_bits: wanted.server_bits(),
    })
}

/// Checks the fields of a 101, and says what is wrong with them.
fn check(
    plan: &Plan,
    upgrade: &Upgrade,
    response: &ResponseHead,
) -> std::result::Result<Option<Agreement>, &'static str> {
    let values = |name: &str| {
        let is = move |text: &[u8]| text.eq_ignore_ascii_case(name.as_bytes());
        let named = response.fields.iter().filter(move |field| is(response.text(field.name)));
        named.map(|field| response.text(field.value)).collect::<Vec<_>>()
    };
    let has = |name: &str, token: &str| values(name).iter().any(|value| has_token(value, token));
    if !has("Upgrade", "websocket") {
        return Err("no Upgrade: websocket");
    }
    if !has("Connection", "upgrade") {
        return Err("no Connection: Upgrade");
    }
    let key = plan.field("Sec-WebSocket-Key").unwrap_or(&upgrade.key);
    if !matches!(values("Sec-WebSocket-Accept")[..], [value] if value == accept(key.trim()).as_bytes()) {
        return Err("another Sec-WebSocket-Accept than the key asks for");
    }
    if let [protocol, ..] = values("Sec-WebSocket-Protocol")[..] {
        let protocol = String::from_utf8_lossy(protocol);
        let asked = plan.field("Sec-WebSocket-Protocol");
        if !asked.is_some_and(|asked| has_token(asked.as_bytes(), protocol.trim())) {
            return Err("a Sec-WebSocket-Protocol that was not asked for");
        }
    }
    // An application that asks for extensions itself looks after them itself.
    let own = plan.field("Sec-WebSocket-Extensions").is_some();
    match (&values("Sec-WebSocket-Extensions")[..], upgrade.offer.filter(|_| !own)) {
        ([], _) => Ok(None),
        (_, None) if own => Ok(None),
        ([one], Some(offer)) => {
            offer.agree(one).map(Some).ok_or("Sec-WebSocket-Extensions that do not fit the offer")
        }
        _ => Err("Sec-WebSocket-Extensions that were not offered"),
    }
}

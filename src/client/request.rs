//! One request: its plan, its answer, its state. Who may run it, and when, is in `turn`.
//!
//! ```text
//!              SendRequest                    ReceiveResponse
//! OPENED ─────────► SENDING ──► SENT ─────────────► RECEIVING ──► RESPONDED ◄──► READING
//!    ▲                 │         │ ▲ WriteData          │             │   Query/ReadData │
//!    │                 │         ▼ │                    │             │                  │
//!    │                 │       WRITING                  │             │                  │
//!    │                 ▼         ▼                      ▼             │                  ▼
//!    │              FAILED ◄──────────────────────────────────────────│───────────────────
//!    └── SendRequest starts over from OPENED, SENT, RESPONDED and FAILED
//! ```

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::abi::error::{Error, Result};
use crate::net::client_stream::Cancel;
use crate::win32::handles::is_forked;
use crate::wire::response::ResponseHead;

use super::auth::{Credentials, Dress};
use super::connect::facts::Facts;
use super::exchange::Exchange;
use super::notify::{Event, Notifier};
use super::plan::Plan;
use super::proxy::Proxy;
use super::session::Connect;
use super::settings::Settings;
use super::turn::Turn;

/// Where a request stands; see the drawing above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Opened,
    Sending,
    Sent,
    Writing,
    Receiving,
    Responded,
    Reading,
    Failed,
}

/// What WinHttpOpenRequest makes.
pub struct Request {
    /// Its parent.
    pub connect: Arc<Connect>,
    /// Operations complete through the callback.
    pub is_async: bool,
    /// What happened, and when.
    pub(crate) facts: Facts,
    /// How waits of this request are ended.
    pub(crate) cancel: Cancel,
    pub(crate) core: Mutex<Core>,
}

/// The parts of a request that its functions share. Held for moments only.
pub(crate) struct Core {
    pub(crate) notifier: Notifier,
    pub(crate) settings: Settings,
    pub(crate) proxy: Arc<Proxy>,
    pub(crate) plan: Plan,
    /// Whom to log in as, if the application has said.
    pub(crate) credentials: Option<Box<Credentials>>,
    /// What the head carries besides the plan's fields.
    pub(crate) dress: Dress,
    pub(crate) phase: Phase,
    pub(crate) turn: Turn,
    /// At home between operations; taken out by whoever runs one.
    pub(crate) exchange: Option<Box<Exchange>>,
    pub(crate) response: ResponseHead,
    /// `response` is this exchange's, and the application may see it.
    pub(crate) has_response: bool,
    /// The trailer section of a finished chunked body.
    pub(crate) trailers: Option<Vec<u8>>,
    /// This end and the other of the connection used last.
    pub(crate) addresses: Option<(SocketAddr, SocketAddr)>,
    /// The head is for a proxy, which wants the whole URL.
    pub(crate) absolute_form: bool,
    /// The response is a proxy's answer to CONNECT.
    pub(crate) proxy_answered: bool,
}

impl Request {
    /// A request that has not been sent.
    pub fn new(connect: Arc<Connect>, plan: Plan) -> Request {
        let session = &connect.session;
        let (settings, proxy) = session.with(|state| (state.settings.clone(), Arc::clone(&state.proxy)));
        let core = Core {
            notifier: connect.with_notifier(|notifier| *notifier),
            settings,
            proxy,
            plan,
            credentials: None,
            dress: Dress::default(),
            phase: Phase::Opened,
            turn: Turn::default(),
            exchange: None,
            response: ResponseHead::new(),
            has_response: false,
            trailers: None,
            addresses: None,
            absolute_form: false,
            proxy_answered: false,
        };
        let is_async = session.is_async;
        Request { connect, is_async, facts: Facts::new(), cancel: Cancel::new(), core: Mutex::new(core) }
    }

    /// Looks at or changes the notifier.
    pub fn with_notifier<R>(&self, use_notifier: impl FnOnce(&mut Notifier) -> R) -> R {
        use_notifier(&mut self.core.lock().notifier)
    }

    /// Looks at or changes the settings.
    pub fn with_settings<R>(&self, use_settings: impl FnOnce(&mut Settings) -> R) -> R {
        use_settings(&mut self.core.lock().settings)
    }

    /// Looks at or changes which proxy is used.
    pub fn with_proxy<R>(&self, use_proxy: impl FnOnce(&mut Arc<Proxy>) -> R) -> R {
        use_proxy(&mut self.core.lock().proxy)
    }

    /// Looks at or changes what is asked for. Changes count from the next head that is written.
    pub fn with_plan<R>(&self, use_plan: impl FnOnce(&mut Plan) -> R) -> R {
        use_plan(&mut self.core.lock().plan)
    }

    /// Looks at the final response, or, while the callback is told of a redirect, at that. `INCORRECT_HANDLE_STATE`
    /// before ReceiveResponse has completed.
    pub fn with_response<R>(&self, look: impl FnOnce(&ResponseHead) -> R) -> Result<R> {
        let core = self.core.lock();
        let sent_again = matches!(core.phase, Phase::Sending | Phase::Sent | Phase::Writing);
        if !core.has_response || sent_again {
            return Err(Error::WINHTTP_INCORRECT_HANDLE_STATE);
        }
        Ok(look(&core.response))
    }

    /// Looks at the trailer section (field lines with CRLF). `INCORRECT_HANDLE_STATE` before the end of the body.
    pub fn with_trailers<R>(&self, look: impl FnOnce(&[u8]) -> R) -> Result<R> {
        let core = self.core.lock();
        let trailers = core.trailers.as_deref().ok_or(Error::WINHTTP_INCORRECT_HANDLE_STATE)?;
        Ok(look(trailers))
    }

    /// The head as it was sent, from the request line to the empty line; before that, with the application's own
    /// fields only.
    pub fn head(&self) -> Vec<u8> {
        let agent = self.connect.session.with(|state| Arc::clone(&state.agent));
        let core = self.core.lock();
        let mut out = Vec::new();
        if core.phase == Phase::Opened {
            core.plan.write_draft(&mut out);
        } else {
            core.write_head(&agent, &mut out);
        }
        out
    }

    /// Addresses of this end and the other. `INCORRECT_HANDLE_STATE` before there was a connection.
    pub fn addresses(&self) -> Result<(SocketAddr, SocketAddr)> {
        self.core.lock().addresses.ok_or(Error::WINHTTP_INCORRECT_HANDLE_STATE)
    }

    /// Whether the response is a proxy's answer to CONNECT.
    pub fn is_proxy_answer(&self) -> bool {
        let core = self.core.lock();
        core.has_response && core.proxy_answered
    }

    /// Whether SendRequest has never been called.
    pub fn is_unsent(&self) -> bool {
        self.core.lock().phase == Phase::Opened
    }

    /// The connection closes after this exchange.
    pub fn expire_connection(&self) -> Result<()> {
        match &mut self.core.lock().exchange {
            Some(exchange) if exchange.connection.is_some() => {
                exchange.expire = true;
                Ok(())
            }
            _ => Err(Error::WINHTTP_INCORRECT_HANDLE_STATE),
        }
    }

    /// Tells the application of progress, unless the request has been closed.
    pub(crate) fn notify(&self, event: &Event<'_>) {
        if !self.cancel.is_cancelled() {
            let notifier = self.core.lock().notifier;
            notifier.invoke(event);
        }
    }

    /// `OPERATION_CANCELLED` once the request has been closed, and in the child of a fork, whose connections are its
    /// parent's. Asked after every callback that could have done it.
    pub(crate) fn check_open(&self) -> Result<()> {
        if self.cancel.is_cancelled() || is_forked() {
            Err(Error::WINHTTP_OPERATION_CANCELLED)
        } else {
            Ok(())
        }
    }
}

impl Core {
    /// Appends the head; see [`Plan::write_head`].
    pub(crate) fn write_head(&self, agent: &[u8], out: &mut Vec<u8>) {
        let around = super::plan::Surroundings {
            agent,
            through_proxy: self.absolute_form,
            keep_alive: !self.settings.disabled.keep_alive(),
            dress: &self.dress,
            decompression: self.settings.decompression,
        };
        self.plan.write_head(&around, out);
    }
}

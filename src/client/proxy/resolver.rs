//! What WinHttpCreateProxyResolver makes: asks on a worker, tells the callback, keeps the answer.
//!
//! One question at a time. A worker that has one keeps the resolver busy until the callback has returned, so that
//! callbacks come one after the other and HANDLE_CLOSING last.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::abi::error::{Error, Result};
use crate::net::client_stream::Cancel;
use crate::win32::last_error;

use super::super::notify::{Event, Lookup, Notifier};
use super::super::session::Session;
use super::super::workers::{Task, step_aside, submit};
use super::lookup::{Entry, Question, generation};
use super::settings::{self, UserSettings};

/// What a resolver is asked.
#[derive(Clone, Debug)]
pub enum Inquiry {
    /// The proxies for a URL.
    ProxyForUrl(Question),
    /// The user's settings.
    Settings,
}

/// What it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The proxies for a URL, in the order to be tried.
    Entries(Vec<Entry>),
    /// The user's settings, and a number that changes with what is known of proxies.
    Settings(UserSettings, u64),
}

impl Inquiry {
    fn kind(&self) -> Lookup {
        match self {
            Inquiry::ProxyForUrl(_) => Lookup::ProxyForUrl,
            Inquiry::Settings => Lookup::ProxySettings,
        }
    }

    fn answer(&self, cancel: &Cancel) -> Result<Answer> {
        match self {
            Inquiry::ProxyForUrl(question) => question.answer(cancel).map(Answer::Entries),
            Inquiry::Settings => {
                let none = || UserSettings { proxy: settings::default_proxy(), ..UserSettings::default() };
                Ok(Answer::Settings(settings::user().unwrap_or_else(none), generation()))
            }
        }
    }
}

/// A proxy resolver.
pub struct Resolver {
    /// Its parent.
    pub session: Arc<Session>,
    cancel: Cancel,
    state: Mutex<State>,
}

struct State {
    notifier: Notifier,
    /// What is asked and not yet begun.
    asked: Option<Inquiry>,
    answer: Option<Answer>,
    /// A question is being answered.
    working: bool,
    /// A worker has the resolver, or is about to.
    busy: bool,
    closing: bool,
}

impl Resolver {
    /// A resolver that inherits the session's notifier.
    pub fn new(session: Arc<Session>) -> Resolver {
        let notifier = session.with(|state| state.notifier);
        let state =
            State { notifier, asked: None, answer: None, working: false, busy: false, closing: false };
        Resolver { session, cancel: Cancel::new(), state: Mutex::new(state) }
    }

    /// Looks at or changes the notifier.
    pub fn with_notifier<R>(&self, use_notifier: impl FnOnce(&mut Notifier) -> R) -> R {
        use_notifier(&mut self.state.lock().notifier)
    }

    /// Starts to answer. `INCORRECT_HANDLE_STATE` while another question is being answered.
    pub fn ask(self: &Arc<Self>, request: Inquiry, context: usize) -> Result<()> {
        let mut state = self.state.lock();
        if state.closing {
            return Err(Error::INVALID_HANDLE);
        }
        if state.asked.is_some() || state.working {
            return Err(Error::WINHTTP_INCORRECT_HANDLE_STATE);
        }
        state.notifier.context = context;
        state.answer = None;
        state.asked = Some(request);
        // The worker whose callback this may be goes on with it.
        if std::mem::replace(&mut state.busy, true) {
            return Ok(());
        }
        drop(state);
        let task: Arc<dyn Task> = Arc::clone(self) as _;
        submit(task).map_err(|_| {
            let mut state = self.state.lock();
            (state.asked, state.busy) = (None, false);
            let (closing, notifier) = (state.closing, state.notifier);
            drop(state);
            if closing {
                // Closing took the resolver for busy.
                notifier.invoke(&Event::HandleClosing);
            }
            Error::NOT_ENOUGH_MEMORY
        })
    }

    /// The answer. `INCORRECT_HANDLE_STATE` when there is none.
    pub fn answer(&self) -> Result<Answer> {
        self.state.lock().answer.clone().ok_or(Error::WINHTTP_INCORRECT_HANDLE_STATE)
    }

    /// Closes the resolver: what is being answered is cancelled, and HANDLE_CLOSING follows when no callback runs any
    /// more, at once if none does.
    pub fn close(&self) {
        let mut state = self.state.lock();
        state.closing = true;
        let (idle, notifier) = (!state.busy, state.notifier);
        drop(state);
        self.cancel.cancel();
        if idle {
            notifier.invoke(&Event::HandleClosing);
        }
    }

    /// Answers one question and tells the callback.
    fn work_on(&self, request: &Inquiry) {
        step_aside();
        let cancelled = || Err(Error::WINHTTP_OPERATION_CANCELLED);
        let answer = if self.cancel.is_cancelled() { cancelled() } else { request.answer(&self.cancel) };
        let mut state = self.state.lock();
        state.working = false;
        let answer = if state.closing { cancelled() } else { answer };
        let event = match answer {
            Ok(answer) => {
                state.answer = Some(answer);
                Event::LookupComplete(request.kind())
            }
            Err(error) => Event::LookupFailed(request.kind(), error),
        };
        let notifier = state.notifier;
        drop(state);
        // The callback may ask for the words about it.
        last_error::settle();
        notifier.invoke(&event);
    }
}

impl Task for Resolver {
    fn run(self: Arc<Self>) {
        loop {
            let mut state = self.state.lock();
            if let Some(request) = state.asked.take() {
                state.working = true;
                drop(state);
                self.work_on(&request);
                continue;
            }
            if !state.closing {
                state.busy = false;
                return;
            }
            let notifier = state.notifier;
            drop(state);
            notifier.invoke(&Event::HandleClosing);
            // Busy for ever: nothing more is said.
            return;
        }
    }
}

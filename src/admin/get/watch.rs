//! The notifications of a request: printed with `-v`, and timed.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use parking_lot::Mutex;

use crate::client::notify::{Event, Notifier};

/// When the phases of the last exchange were over, in seconds since the start; `None` for what did not happen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Phases {
    pub(super) resolved: Option<f64>,
    pub(super) connected: Option<f64>,
    pub(super) sent: Option<f64>,
    pub(super) answered: Option<f64>,
    pub(super) redirects: u32,
    pub(super) connections: u32,
}

/// Who watches a request.
pub(super) struct Watch {
    start: Instant,
    /// Printed in front of each notification, when there are several URLs.
    name: String,
    verbose: bool,
    phases: Mutex<Phases>,
    context: usize,
}

/// The watchers by the context of their notifications.
static WATCHES: LazyLock<Mutex<HashMap<usize, Arc<Watch>>>> = LazyLock::new(Mutex::default);

impl Watch {
    pub(super) fn new(name: String, verbose: bool) -> Arc<Watch> {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let context = NEXT.fetch_add(1, Ordering::Relaxed);
        let watch = Watch { start: Instant::now(), name, verbose, phases: Mutex::default(), context };
        let watch = Arc::new(watch);
        WATCHES.lock().insert(context, Arc::clone(&watch));
        watch
    }

    /// Gets every notification of a request.
    pub(super) fn notifier(&self) -> Notifier {
        let mut notifier = Notifier::new(deliver);
        (notifier.function, notifier.mask, notifier.context) = (1, u32::MAX, self.context);
        notifier
    }

    /// Nothing more comes.
    pub(super) fn end(&self) {
        WATCHES.lock().remove(&self.context);
    }

    pub(super) fn phases(&self) -> Phases {
        *self.phases.lock()
    }

    /// Seconds since the start.
    pub(super) fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// Prints a line to the standard error, if it is wanted.
    pub(super) fn say(&self, sign: char, text: &str) {
        if self.verbose {
            let coloured = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            let (dim, plain) = if coloured { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
            eprintln!("{dim}{}{sign} {text}{plain}", self.name);
        }
    }

    /// Prints the lines of a head.
    pub(super) fn say_head(&self, sign: char, head: &[u8]) {
        if self.verbose {
            String::from_utf8_lossy(head).trim_end().lines().for_each(|line| self.say(sign, line));
        }
    }

    fn hear(&self, event: &Event<'_>) {
        let now = self.seconds();
        {
            let mut phases = self.phases.lock();
            match event {
                Event::NameResolved(_) => phases.resolved = Some(now),
                Event::Connected(_) => {
                    phases.connected = Some(now);
                    phases.connections += 1;
                }
                Event::RequestSent(_) => phases.sent = Some(now),
                Event::ResponseReceived(_) if phases.answered.is_none() => phases.answered = Some(now),
                Event::Redirect(_) => {
                    phases.redirects += 1;
                    phases.answered = None;
                }
                _ => {}
            }
        }
        self.say('*', &format!("{now:.3} {}", words_of(event)));
    }
}

fn deliver(notifier: &Notifier, event: &Event<'_>) {
    let watch = WATCHES.lock().get(&notifier.context).cloned();
    if let Some(watch) = watch {
        watch.hear(event);
    }
}

/// A notification by its name in the documentation, and what it brings.
fn words_of(event: &Event<'_>) -> String {
    match event {
        Event::ResolvingName(name) => format!("RESOLVING_NAME {name}"),
        Event::NameResolved(address) => format!("NAME_RESOLVED {address}"),
        Event::Connecting(address) => format!("CONNECTING_TO_SERVER {address}"),
        Event::Connected(address) => format!("CONNECTED_TO_SERVER {address}"),
        Event::SendingRequest => "SENDING_REQUEST".to_owned(),
        Event::RequestSent(bytes) => format!("REQUEST_SENT {bytes} bytes"),
        Event::ReceivingResponse => "RECEIVING_RESPONSE".to_owned(),
        Event::ResponseReceived(bytes) => format!("RESPONSE_RECEIVED {bytes} bytes"),
        Event::ClosingConnection => "CLOSING_CONNECTION".to_owned(),
        Event::ConnectionClosed => "CONNECTION_CLOSED".to_owned(),
        Event::HandleClosing => "HANDLE_CLOSING".to_owned(),
        Event::Redirect(url) => format!("REDIRECT {url}"),
        Event::Intermediate(status) => format!("INTERMEDIATE_RESPONSE {status}"),
        other => format!("{other:?}"),
    }
}

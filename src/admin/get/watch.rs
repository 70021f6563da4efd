//! The notifications of a request: printed with `-v`, and timed.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use crate::admin::print;
use crate::client::notify::Event;

use super::callback::Listener;

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
}

impl Watch {
    pub(super) fn new(name: String, verbose: bool) -> Arc<Watch> {
        Arc::new(Watch { start: Instant::now(), name, verbose, phases: Mutex::default() })
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
            print::aside(&format!("{dim}{}{sign} {text}{plain}", self.name));
        }
    }

    /// Prints the lines of a head.
    pub(super) fn say_head(&self, sign: char, head: &[u8]) {
        if self.verbose {
            String::from_utf8_lossy(head).trim_end().lines().for_each(|line| self.say(sign, line));
        }
    }
}

impl Listener for Watch {
    fn hear(&self, event: &Event<'_>) {
        let now = self.seconds();
        self.phases.lock().note(event, now);
        if self.verbose {
            self.say('*', &format!("{now:.3} {}", words_of(event)));
        }
    }
}

impl Phases {
    fn note(&mut self, event: &Event<'_>, now: f64) {
        match event {
            Event::NameResolved(_) => self.resolved = Some(now),
            Event::Connected(_) => {
                self.connected = Some(now);
                self.connections += 1;
            }
            Event::RequestSent(_) => self.sent = Some(now),
            Event::ResponseReceived(_) if self.answered.is_none() => self.answered = Some(now),
            Event::Redirect(_) => {
                self.redirects += 1;
                self.answered = None;
            }
            _ => {}
        }
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
        Event::SendRequestComplete => "SENDREQUEST_COMPLETE".to_owned(),
        Event::HeadersAvailable => "HEADERS_AVAILABLE".to_owned(),
        Event::ReadComplete(_, bytes) => format!("READ_COMPLETE {bytes} bytes"),
        Event::WriteComplete(bytes) => format!("WRITE_COMPLETE {bytes} bytes"),
        Event::RequestError(api, error) => format!("REQUEST_ERROR {api:?} {}", error.0),
        other => format!("{other:?}"),
    }
}

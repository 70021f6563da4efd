//! One URL: the request is sent, the response received, its body written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::abi::error::Error;
use crate::client::Operation;
use crate::client::request::Request;
use crate::client::session::Connect;
use crate::wire::request_fields::RequestField;

use super::fault::Fault;
use super::order::Order;
use super::progress::{Bar, Progress};
use super::report::Report;
use super::sink::{Sink, content_range, size_of};
use super::watch::Watch;

/// How often a request is sent again because the client asks for that.
const RESENDS: usize = 5;

/// Bytes read at a time.
const BLOCK: usize = 256 * 1024;

/// `ERROR_WINHTTP_RESEND_REQUEST`
const RESEND_REQUEST: Error = Error(12032);

/// One of the URLs of an order.
pub(super) struct Transfer {
    order: Arc<Order>,
    pub(super) number: usize,
    watch: Arc<Watch>,
    request: Mutex<Option<Arc<Request>>>,
    gave_up: AtomicBool,
}

/// What the head of a response says about its body.
struct Head {
    status: u16,
    reason: String,
    fields: Vec<(String, String)>,
    bytes: Vec<u8>,
}

impl Head {
    fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// Bytes the body should have.
    fn length(&self) -> Option<u64> {
        if self.field("Transfer-Encoding").is_some() {
            return None;
        }
        self.field("Content-Length").and_then(|text| text.parse().ok())
    }
}

impl Transfer {
    pub(super) fn new(order: Arc<Order>, number: usize) -> Transfer {
        let name = if order.urls.len() > 1 { format!("[{}] ", number + 1) } else { String::new() };
        let watch = Watch::new(name, order.words.verbose);
        Transfer { order, number, watch, request: Mutex::new(None), gave_up: AtomicBool::new(false) }
    }

    /// Ends the transfer from another thread.
    pub(super) fn give_up(&self) {
        self.gave_up.store(true, Ordering::Relaxed);
        if let Some(request) = &*self.request.lock() {
            request.close();
        }
    }

    /// Fetches the URL.
    pub(super) fn run(&self, progress: &Progress) -> Result<Report, Fault> {
        let (request, have) = self.open()?;
        *self.request.lock() = Some(Arc::clone(&request));
        let result = if self.gave_up.load(Ordering::Relaxed) {
            Err(Fault::of(Error::WINHTTP_OPERATION_CANCELLED))
        } else {
            self.exchange(&request).and_then(|head| self.receive(&request, head, have, progress))
        };
        request.close();
        self.watch.end();
        match result {
            Err(_) if self.gave_up.load(Ordering::Relaxed) => {
                Err(Fault::of(Error::WINHTTP_OPERATION_CANCELLED))
            }
            result => result,
        }
    }

    /// The request, and how much of its file is there already.
    fn open(&self) -> Result<(Arc<Request>, u64), Fault> {
        let mut plan = self.order.plans[self.number].clone();
        let file = self.order.files.get(self.number).filter(|_| self.order.words.resume);
        let have = file.map_or(0, |path| size_of(path));
        if have > 0 {
            plan.fields.push(RequestField::new("Range", &format!("bytes={have}-")).map_err(Fault::of)?);
        }
        let connect = Connect::new(Arc::clone(&self.order.session), plan.url.host.clone(), plan.url.port);
        connect.with_notifier(|notifier| *notifier = self.watch.notifier());
        let request = Arc::new(Request::new(Arc::new(connect), plan));
        self.order.log_in(&request, self.number);
        Ok((request, have))
    }

    /// Sends the request, as often as the client wants it, and receives the head.
    fn exchange(&self, request: &Arc<Request>) -> Result<Head, Fault> {
        for _ in 0..RESENDS {
            self.order.upload.send(request)?;
            self.watch.say_head('>', &request.head());
            match request.start(Operation::Receive) {
                Ok(_) => return self.head(request),
                Err(RESEND_REQUEST) => self.watch.say('*', "RESEND_REQUEST"),
                Err(error) => return Err(Fault::of(error)),
            }
        }
        Err(Fault::of(RESEND_REQUEST))
    }

    fn head(&self, request: &Request) -> Result<Head, Fault> {
        let head = request.with_response(|head| {
            let text = |span| String::from_utf8_lossy(head.text(span)).into_owned();
            let fields = head.fields.iter().map(|field| (text(field.name), text(field.value)));
            let bytes = head.bytes.clone();
            Head { status: head.status, reason: text(head.reason), fields: fields.collect(), bytes }
        });
        let head = head.map_err(Fault::of)?;
        self.watch.say_head('<', &head.bytes);
        Ok(head)
    }

    /// Receives the body and says what came of it all.
    fn receive(
        &self,
        request: &Arc<Request>,
        head: Head,
        have: u64,
        progress: &Progress,
    ) -> Result<Report, Fault> {
        let mut fault = self.refusal(&head, have);
        let (mut sink, kept) = if fault.is_some() { (Sink::Nothing, 0) } else { self.sink(&head, have)? };
        if self.order.words.include && fault.is_none() {
            sink.write(&head.bytes)?;
        }
        let length =
            head.length().filter(|_| self.order.plans[self.number].verb != "HEAD" && head.status != 304);
        let bar = progress.bar(&self.order.urls[self.number], kept, length.map(|length| kept + length));
        let received = copy(request, &mut sink, &bar);
        bar.end();
        let received = received?;
        if let Some(length) = length.filter(|length| received < *length && !matches!(sink, Sink::Nothing)) {
            fault = Some(Fault::new(
                18,
                format!(
                    "the body ends after {received} of {length} bytes; with -o, --resume goes on from there"
                ),
            ));
        }
        let body = self.finish(sink);
        Ok(Report {
            url: request.with_plan(|plan| plan.url.text()),
            status: head.status,
            reason: head.reason,
            fields: head.fields,
            received,
            file: self.order.files.get(self.number).map(|path| path.display().to_string()),
            body,
            phases: self.watch.phases(),
            total: self.watch.seconds(),
            fault,
        })
    }

    /// Why the body of this response is not wanted.
    fn refusal(&self, head: &Head, have: u64) -> Option<Fault> {
        let range = head.field("Content-Range").and_then(content_range);
        if have > 0 && head.status == 416 {
            return match range {
                Some((_, Some(whole))) if whole == have => None,
                _ => Some(Fault::new(
                    33,
                    format!("the server cannot go on at byte {have}; delete the file to start anew"),
                )),
            };
        }
        if have > 0 && head.status == 206 && range.is_none_or(|(start, _)| start != Some(have)) {
            return Some(Fault::new(33, "the server goes on at another byte than it was asked to"));
        }
        (head.status >= 400 && (self.order.words.fail || self.order.words.resume))
            .then(|| Fault::new(22, format!("the server answered {} {}", head.status, head.reason)))
    }

    /// Where the body goes, and how much of it is there.
    fn sink(&self, head: &Head, have: u64) -> Result<(Sink, u64), Fault> {
        let Some(path) = self.order.files.get(self.number) else {
            // Bodies that come at the same time are written one after the other.
            let collected = self.order.as_json || (self.order.words.at_once && self.order.urls.len() > 1);
            return Ok((if collected { Sink::Memory(Vec::new()) } else { Sink::Output }, 0));
        };
        match head.status {
            206 if have > 0 => Ok((Sink::file(path, have)?, have)),
            416 if have > 0 => {
                self.watch.say('*', "the file is complete");
                Ok((Sink::Nothing, have))
            }
            _ => Ok((Sink::file(path, 0)?, 0)),
        }
    }

    /// The body, if it belongs to the report; else what was held back is written.
    fn finish(&self, sink: Sink) -> Option<Vec<u8>> {
        let body = sink.into_memory()?;
        if self.order.as_json {
            return Some(body);
        }
        // The standard output complains by ending the command.
        let _ = Sink::Output.write(&body);
        None
    }
}

/// Copies the body; gives its length.
fn copy(request: &Arc<Request>, sink: &mut Sink, bar: &Bar) -> Result<u64, Fault> {
    let mut block = vec![0; BLOCK];
    let mut received = 0;
    loop {
        match request.read_some(&mut block).map_err(Fault::of)? {
            0 => return Ok(received),
            count => {
                sink.write(&block[..count])?;
                bar.add(count);
                received += count as u64;
            }
        }
    }
}

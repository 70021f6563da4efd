//! One URL, step by step: which operation of its request comes next, and what the last one has brought.
//!
//! ```text
//! begin ─► SENDING ─► WRITING (while there is more to upload) ─► RECEIVING ─► READING (until the body ends) ─► report
//!             ▲                                                      │
//!             └──────────────── RESEND_REQUEST ──────────────────────┘
//! ```
//!
//! Who starts the operations, and how he hears that they are done, is in `one_by_one` and `at_once`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::abi::error::Error;
use crate::client::Operation;
use crate::client::request::Request;
use crate::client::session::Connect;
use crate::win32::lent::Lender;
use crate::wire::request_fields::RequestField;

use super::answer::{Answer, Head};
use super::fault::Fault;
use super::order::Order;
use super::progress::Gauge;
use super::report::Report;
use super::sink::size_of;
use super::upload::Source;
use super::watch::Watch;

/// How often a request is sent again because the client asks for that.
const RESENDS: usize = 5;

/// Bytes read at a time.
const BLOCK: usize = 256 * 1024;

/// One of the URLs of an order.
pub(super) struct Transfer {
    order: Arc<Order>,
    number: usize,
    request: Arc<Request>,
    watch: Arc<Watch>,
    gauge: Arc<Gauge>,
    /// Bytes of its file that are there already.
    have: u64,
    stage: Stage,
    resends: usize,
    upload: Source,
    /// Where ReadData puts the body.
    block: Lender,
    answer: Option<Answer>,
}

/// What is under way.
#[derive(Clone, Copy)]
enum Stage {
    Sending,
    Writing,
    Receiving,
    Reading,
}

/// What is to be done.
pub(super) enum Next {
    Start(Operation),
    Over(Result<Report, Fault>),
}

impl Transfer {
    /// Opens the request.
    pub(super) fn new(order: Arc<Order>, number: usize, gauge: Arc<Gauge>) -> Result<Transfer, Fault> {
        let mut plan = order.plans[number].clone();
        let file = order.file(number).filter(|_| order.words.resume);
        let have = file.map_or(0, size_of);
        if have > 0 {
            plan.fields.push(RequestField::new("Range", &format!("bytes={have}-")).map_err(Fault::of)?);
        }
        let connect = Connect::new(Arc::clone(&order.session), plan.url.host.clone(), plan.url.port);
        let request = Arc::new(Request::new(Arc::new(connect), plan));
        order.log_in(&request, number);
        let name = if order.urls.len() > 1 { format!("[{}] ", number + 1) } else { String::new() };
        let watch = Watch::new(name, order.words.verbose);
        let (stage, upload, block) = (Stage::Sending, Source::Nothing, Lender::new(BLOCK));
        Ok(Transfer {
            order,
            number,
            request,
            watch,
            gauge,
            have,
            stage,
            resends: 0,
            upload,
            block,
            answer: None,
        })
    }

    pub(super) fn request(&self) -> &Arc<Request> {
        &self.request
    }

    pub(super) fn watch(&self) -> &Arc<Watch> {
        &self.watch
    }

    /// The first operation.
    pub(super) fn begin(&mut self) -> Next {
        let first = self.send();
        self.next(first.map(Some))
    }

    /// The operation after the one that is done; with the bytes written or read.
    pub(super) fn after(&mut self, done: Result<u32, Fault>) -> Next {
        let next = match (done, self.stage) {
            (Err(fault), Stage::Receiving) if fault.is(Error::WINHTTP_RESEND_REQUEST) => {
                self.send_again(fault)
            }
            (Err(fault), _) => Err(fault),
            (Ok(_), Stage::Sending) => {
                self.watch.say_head('>', &self.request.head());
                self.write()
            }
            (Ok(_), Stage::Writing) => self.write(),
            (Ok(_), Stage::Receiving) => self.look_at_head(),
            (Ok(count), Stage::Reading) => self.take(count),
        };
        self.next(next)
    }

    /// Without an operation, it is over. What has come before a failure is reported with it.
    fn next(&mut self, operation: Result<Option<Operation>, Fault>) -> Next {
        let fault = match operation {
            Ok(Some(operation)) => return Next::Start(operation),
            Ok(None) => None,
            Err(_) if self.order.time_is_up.load(Ordering::SeqCst) => Some(Fault::late()),
            Err(fault) => Some(fault),
        };
        self.gauge.end();
        Next::Over(match (self.report(), fault) {
            (Some(report), None) => Ok(report),
            (Some(report), fault) => Ok(Report { fault, ..report }),
            (None, fault) => Err(fault.unwrap_or_else(|| Fault::of(Error::WINHTTP_INTERNAL_ERROR))),
        })
    }

    fn send(&mut self) -> Result<Operation, Fault> {
        let (optional, total, rest) = self.order.upload.open()?;
        (self.stage, self.upload) = (Stage::Sending, rest);
        Ok(Operation::Send { optional, total })
    }

    /// The client wants the request again, with its login: it cannot send again what it was given by WriteData.
    fn send_again(&mut self, fault: Fault) -> Result<Option<Operation>, Fault> {
        self.watch.say('*', "RESEND_REQUEST");
        self.resends += 1;
        if self.resends > RESENDS {
            return Err(fault);
        }
        self.upload.check_again()?;
        self.send().map(Some)
    }

    /// Sends the next piece of the body, and after the last receives the response.
    fn write(&mut self) -> Result<Option<Operation>, Fault> {
        match self.upload.next_block()? {
            Some(bytes) => {
                self.stage = Stage::Writing;
                Ok(Some(Operation::Write { bytes, sent: 0 }))
            }
            None => {
                self.stage = Stage::Receiving;
                Ok(Some(Operation::Receive))
            }
        }
    }

    fn look_at_head(&mut self) -> Result<Option<Operation>, Fault> {
        let head = self.request.with_response(Head::of).map_err(Fault::of)?;
        self.watch.say_head('<', &head.bytes);
        let answer = Answer::new(&self.order, self.number, head, self.have)?;
        if answer.is_kept_file() {
            self.watch.say('*', "the file is complete");
        }
        self.gauge.begin(answer.kept, answer.whole());
        self.answer = Some(answer);
        self.stage = Stage::Reading;
        Ok(Some(self.read()))
    }

    fn read(&self) -> Operation {
        Operation::Read { buffer: self.block.lend(), fill: false }
    }

    /// Takes a piece of the body; one of no bytes is its end.
    fn take(&mut self, count: u32) -> Result<Option<Operation>, Fault> {
        let (Some(answer), 1..) = (&mut self.answer, count) else { return Ok(None) };
        self.block.look(|bytes| answer.take(&bytes[..count as usize]))?;
        self.gauge.add(count);
        Ok(Some(self.read()))
    }

    /// What has come, if there is an answer.
    fn report(&mut self) -> Option<Report> {
        let answer = self.answer.take()?;
        let fault = answer.fault();
        Some(Report {
            url: self.request.with_plan(|plan| plan.url.text()),
            status: answer.head.status,
            reason: answer.head.reason,
            fields: answer.head.fields,
            received: answer.received,
            file: self.order.file(self.number).map(|path| path.display().to_string()),
            body: answer.sink.into_memory(),
            phases: self.watch.phases(),
            total: self.watch.seconds(),
            fault,
        })
    }
}

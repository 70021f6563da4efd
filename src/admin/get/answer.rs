//! The head of a response, and what becomes of its body: whether it is wanted, where it goes, whether it is whole.

use crate::wire::response::ResponseHead;

use super::fault::Fault;
use super::order::Order;
use super::sink::{Sink, content_range};

/// What the head of a response says.
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) reason: String,
    pub(super) fields: Vec<(String, String)>,
    pub(super) bytes: Vec<u8>,
}

impl Head {
    pub(super) fn of(head: &ResponseHead) -> Head {
        let text = |span| String::from_utf8_lossy(head.text(span)).into_owned();
        let fields = head.fields.iter().map(|field| (text(field.name), text(field.value)));
        let bytes = head.bytes.clone();
        Head { status: head.status, reason: text(head.reason), fields: fields.collect(), bytes }
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// Bytes the body of an answer to this method should have, as far as the head says.
    fn length(&self, verb: &str) -> Option<u64> {
        if verb == "HEAD" || self.status == 304 || self.field("Transfer-Encoding").is_some() {
            return None;
        }
        self.field("Content-Length").and_then(|text| text.parse().ok())
    }

    /// Why the body is not wanted, if its first `have` bytes are there already.
    fn refusal(&self, order: &Order, have: u64) -> Option<Fault> {
        let range = self.field("Content-Range").and_then(content_range);
        if have > 0 && self.status == 416 {
            let complete = matches!(range, Some((_, Some(whole))) if whole == have);
            let words = format!("the server cannot go on at byte {have}; delete the file to start anew");
            return (!complete).then(|| Fault::new(33, words));
        }
        if have > 0 && self.status == 206 && range.is_none_or(|(start, _)| start != Some(have)) {
            return Some(Fault::new(33, "the server goes on at another byte than it was asked to"));
        }
        (self.status >= 400 && (order.words.fail || order.words.resume))
            .then(|| Fault::new(22, format!("the server answered {} {}", self.status, self.reason)))
    }
}

/// A response while its body comes.
pub(super) struct Answer {
    pub(super) head: Head,
    pub(super) sink: Sink,
    /// Bytes that were in the file before.
    pub(super) kept: u64,
    /// Bytes that have come.
    pub(super) received: u64,
    /// Bytes that should come, if that is known.
    length: Option<u64>,
    refused: Option<Fault>,
}

impl Answer {
    /// Opens what the body goes to.
    pub(super) fn new(order: &Order, number: usize, head: Head, have: u64) -> Result<Answer, Fault> {
        let refused = head.refusal(order, have);
        let (mut sink, kept) = match &refused {
            Some(_) => (Sink::Nothing, 0),
            None => sink(order, number, head.status, have)?,
        };
        if order.words.include && refused.is_none() {
            sink.write(&head.bytes)?;
        }
        let length = head.length(&order.plans[number].verb);
        Ok(Answer { head, sink, kept, received: 0, length, refused })
    }

    /// The file had been there in full.
    pub(super) fn is_kept_file(&self) -> bool {
        self.head.status == 416 && self.kept > 0
    }

    /// What the file or the output will have in the end.
    pub(super) fn whole(&self) -> Option<u64> {
        self.length.map(|length| self.kept + length)
    }

    /// Takes a piece of the body.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.sink.write(bytes)?;
        self.received += bytes.len() as u64;
        Ok(())
    }

    /// What is wrong with it although all has come that comes.
    pub(super) fn fault(&self) -> Option<Fault> {
        let short = self.length.filter(|length| self.received < *length);
        match (short, &self.sink) {
            (Some(length), Sink::Output | Sink::Memory(_) | Sink::File(..)) => Some(Fault::new(
                18,
                format!(
                    "the body ends after {} of {length} bytes; with -o, --resume goes on from there",
                    self.received
                ),
            )),
            _ => self.refused.clone(),
        }
    }
}

/// Where a body goes, and how much of it is there.
fn sink(order: &Order, number: usize, status: u16, have: u64) -> Result<(Sink, u64), Fault> {
    let Some(path) = order.file(number) else {
        // Bodies that come at the same time are written one after the other.
        let collected = order.as_json || (order.words.at_once && order.urls.len() > 1);
        return Ok((if collected { Sink::Memory(Vec::new()) } else { Sink::Output }, 0));
    };
    match status {
        206 if have > 0 => Ok((Sink::file(path, have)?, have)),
        416 if have > 0 => Ok((Sink::Nothing, have)),
        _ => Ok((Sink::file(path, 0)?, 0)),
    }
}

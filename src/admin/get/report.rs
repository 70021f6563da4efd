//! What is told after the transfers: timing for people, or one JSON document; and the exit code.

use base64::Engine;
use serde_json::{Map, Value, json};

use crate::admin::print;

use super::fault::Fault;
use super::order::Order;
use super::sink::Sink;
use super::watch::Phases;

/// What one transfer came to.
pub(super) struct Report {
    /// After redirects.
    pub(super) url: String,
    pub(super) status: u16,
    pub(super) reason: String,
    pub(super) fields: Vec<(String, String)>,
    /// Bytes of body received.
    pub(super) received: u64,
    pub(super) file: Option<String>,
    /// The body, if it is part of the report.
    pub(super) body: Option<Vec<u8>>,
    pub(super) phases: Phases,
    /// Seconds for all.
    pub(super) total: f64,
    /// What is wrong with it nevertheless.
    pub(super) fault: Option<Fault>,
}

/// Tells of the transfers, in the order of their URLs.
pub(super) struct Teller<'a> {
    order: &'a Order,
    told: usize,
    code: u8,
    documents: Vec<Value>,
}

impl<'a> Teller<'a> {
    pub(super) fn new(order: &'a Order) -> Teller<'a> {
        Teller { order, told: 0, code: 0, documents: Vec::new() }
    }

    /// What came of the next URL. A body that had to wait for those before it is written here.
    pub(super) fn tell(&mut self, mut result: Result<Report, Fault>) {
        let url = &self.order.urls[self.told];
        self.told += 1;
        if let (Ok(report), false) = (&mut result, self.order.as_json)
            && let Some(body) = report.body.take()
            && let Err(fault) = Sink::Output.write(&body)
        {
            report.fault = Some(fault);
        }
        let fault = match &result {
            Ok(report) => report.fault.as_ref(),
            Err(fault) => Some(fault),
        };
        if let Some(fault) = fault {
            let code = fault.tell(url);
            self.code = if self.code == 0 { code } else { self.code };
        }
        if self.order.as_json {
            self.documents.push(document(url, &result));
        } else if let (Ok(report), true) = (&result, self.order.words.timing) {
            timing(report);
        }
    }

    /// There are no more; gives the exit code.
    pub(super) fn end(mut self) -> u8 {
        if self.order.as_json {
            let alone = if self.documents.len() == 1 { self.documents.pop() } else { None };
            write_json(&alone.unwrap_or(Value::Array(self.documents)));
        }
        self.code
    }
}

/// Tells why nothing was done; gives the exit code.
pub(super) fn refuse(fault: &Fault, as_json: bool) -> u8 {
    if as_json {
        write_json(&json!({ "error": of_fault(fault) }));
    }
    fault.tell("")
}

fn write_json(document: &Value) {
    // A document made of strings and numbers can always be written.
    let _ = print::json(document);
}

/// The phases, one under the other, on the standard error: the standard output may be the body.
fn timing(report: &Report) {
    let phases = &report.phases;
    print::aside(&format!("{} {} {}", report.status, report.reason, report.url));
    for (name, at) in [
        ("name resolved", phases.resolved),
        ("connected", phases.connected),
        ("request sent", phases.sent),
        ("first byte", phases.answered),
        ("complete", Some(report.total)),
    ] {
        match at {
            Some(seconds) => print::aside(&format!("{name:>15} {:>10.3} ms", seconds * 1000.0)),
            None => print::aside(&format!("{name:>15} {:>10}", "-")),
        }
    }
    let speed = report.received as f64 / report.total.max(1e-9);
    let (size, speed) = (print::size(report.received), print::size(speed as u64));
    print::aside(&format!("{:>15} {size}, {speed}/s", "body"));
}

fn document(asked: &str, result: &Result<Report, Fault>) -> Value {
    let report = match result {
        Ok(report) => report,
        Err(fault) => return json!({ "url": asked, "error": of_fault(fault) }),
    };
    let fields: Vec<Value> = report.fields.iter().map(|(name, value)| json!([name, value])).collect();
    let mut all = Map::new();
    let mut put = |name: &str, value: Value| all.insert(name.to_owned(), value);
    put("url", json!(report.url));
    put("status", json!(report.status));
    put("reason", json!(report.reason));
    put("headers", Value::Array(fields));
    put("bytes", json!(report.received));
    if let Some(file) = &report.file {
        put("file", json!(file));
    }
    if let Some(body) = &report.body {
        match std::str::from_utf8(body) {
            Ok(text) => put("body", json!(text)),
            Err(_) => put("body_base64", json!(base64::engine::general_purpose::STANDARD.encode(body))),
        };
    }
    let phases = &report.phases;
    put(
        "seconds",
        json!({
            "resolved": phases.resolved, "connected": phases.connected, "sent": phases.sent,
            "first_byte": phases.answered, "total": report.total,
        }),
    );
    put("redirects", json!(phases.redirects));
    put("connections", json!(phases.connections));
    if let Some(fault) = &report.fault {
        put("error", of_fault(fault));
    }
    Value::Object(all)
}

fn of_fault(fault: &Fault) -> Value {
    json!({ "exit": fault.code, "code": fault.error, "words": fault.words })
}

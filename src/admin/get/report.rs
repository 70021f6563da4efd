//! What is told after the transfers: timing for people, or one JSON document; and the exit code.

use base64::Engine;
use serde_json::{Map, Value, json};

use crate::admin::print;

use super::fault::Fault;
use super::order::Order;
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

/// Tells about all; gives the exit code.
pub(super) fn tell(order: &Order, results: Vec<Result<Report, Fault>>) -> u8 {
    let mut code = 0;
    let mut documents = Vec::new();
    for (result, url) in results.into_iter().zip(&order.urls) {
        let fault = match &result {
            Ok(report) => report.fault.as_ref(),
            Err(fault) => Some(fault),
        };
        if let Some(fault) = fault {
            fault.tell(url);
            code = if code == 0 { fault.code } else { code };
        }
        if order.as_json {
            documents.push(document(url, &result));
        } else if let (Ok(report), true) = (&result, order.words.timing) {
            timing(report);
        }
    }
    let whole = if documents.len() == 1 { documents.pop() } else { Some(Value::Array(documents)) };
    if order.as_json {
        // A document made of strings and numbers can always be written.
        let _ = print::json(&whole);
    }
    code
}

/// The phases, one under the other, on the standard error: the standard output may be the body.
fn timing(report: &Report) {
    let phases = &report.phases;
    eprintln!("{} {} {}", report.status, report.reason, report.url);
    for (name, at) in [
        ("name resolved", phases.resolved),
        ("connected", phases.connected),
        ("request sent", phases.sent),
        ("first byte", phases.answered),
        ("complete", Some(report.total)),
    ] {
        match at {
            Some(seconds) => eprintln!("{name:>15} {:>10.3} ms", seconds * 1000.0),
            None => eprintln!("{name:>15} {:>10}", "-"),
        }
    }
    let speed = report.received as f64 / report.total.max(1e-9);
    eprintln!("{:>15} {}, {}/s", "body", print::size(report.received), print::size(speed as u64));
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

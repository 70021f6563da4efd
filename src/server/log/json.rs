//! The JSON form, one object a line: an addition of this library. Names are those of the W3C columns; fields that
//! were not given are left out.

use std::fmt::Write as _;

use crate::server::service::LogText;

use super::moment::Moment;
use super::record::{Record, push_number, push_version};

/// One line.
pub(super) fn write(record: &Record<'_>, moment: &Moment, out: &mut Vec<u8>) {
    let said = record.fields;
    begin(moment, out);
    for (name, text) in [
        ("s-sitename", said.text(LogText::ServiceName)),
        ("s-computername", said.text(LogText::ServerName)),
        ("s-ip", said.text(LogText::ServerIp)),
        ("cs-method", record.method()),
        ("cs-uri-stem", said.text(LogText::UriStem)),
        ("cs-uri-query", said.text(LogText::UriQuery)),
        ("cs-username", said.text(LogText::UserName)),
        ("c-ip", said.text(LogText::ClientIp)),
        ("cs(User-Agent)", said.text(LogText::UserAgent)),
        ("cs(Cookie)", said.text(LogText::Cookie)),
        ("cs(Referer)", said.text(LogText::Referrer)),
        ("cs-host", said.text(LogText::Host)),
    ] {
        text_member(name, text, out);
    }
    out.extend_from_slice(b",\"cs-version\":\"");
    push_version(record.version, out);
    out.push(b'"');
    for (name, number) in [
        ("s-port", u64::from(said.server_port)),
        ("sc-status", said.protocol_status.into()),
        ("sc-substatus", said.sub_status.into()),
        ("sc-win32-status", said.win32_status.into()),
        ("sc-bytes", record.bytes_sent),
        ("cs-bytes", record.bytes_received),
        ("time-taken", record.time_taken),
    ] {
        number_member(name, number, out);
    }
    out.extend_from_slice(b"}\n");
}

/// `{"time":"2026-11-21T04:31:00Z"`
pub(super) fn begin(moment: &Moment, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"time\":\"");
    out.extend_from_slice(moment.date());
    out.push(b'T');
    out.extend_from_slice(moment.time());
    out.extend_from_slice(b"Z\"");
}

/// `,"name":"text"`, unless the text is empty. Bytes that are no UTF-8 become U+FFFD.
pub(super) fn text_member(name: &str, text: &[u8], out: &mut Vec<u8>) {
    if text.is_empty() {
        return;
    }
    member(name, out);
    out.push(b'"');
    let mut escaped = String::new();
    for character in String::from_utf8_lossy(text).chars() {
        match character {
            '"' | '\\' => escaped.extend(['\\', character]),
            // Writing to a string cannot fail.
            '\0'..='\u{1F}' | '\u{7F}' => drop(write!(escaped, "\\u{:04x}", u32::from(character))),
            _ => escaped.push(character),
        }
    }
    out.extend_from_slice(escaped.as_bytes());
    out.push(b'"');
}

/// `,"name":7`
pub(super) fn number_member(name: &str, number: u64, out: &mut Vec<u8>) {
    member(name, out);
    push_number(number, out);
}

fn member(name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

//! The W3C extended format: fields as chosen, in the order of Microsoft's table, and the lines at a file's head.

use crate::server::service::LogText;

use super::moment::Moment;
use super::record::{Record, push_field, push_number, push_version};

const DEFAULT_SOFTWARE: &str = "Microsoft HTTP Server API 2.0";

/// `HTTP_LOG_FIELD_*`, and the column each is, in the order of columns.
const COLUMNS: [(u32, &str); 23] = [
    (0x0000_0001, "date"),
    (0x0000_0002, "time"),
    (0x0000_0010, "s-sitename"),
    (0x0000_0020, "s-computername"),
    (0x0000_0040, "s-ip"),
    (0x0000_0080, "cs-method"),
    (0x0000_0100, "cs-uri-stem"),
    (0x0000_0200, "cs-uri-query"),
    (0x0000_8000, "s-port"),
    (0x0000_0008, "cs-username"),
    (0x0000_0004, "c-ip"),
    (0x0008_0000, "cs-version"),
    (0x0001_0000, "cs(User-Agent)"),
    (0x0002_0000, "cs(Cookie)"),
    (0x0004_0000, "cs(Referer)"),
    (0x0010_0000, "cs-host"),
    (0x0000_0400, "sc-status"),
    (0x0020_0000, "sc-substatus"),
    (0x0000_0800, "sc-win32-status"),
    (0x0000_1000, "sc-bytes"),
    (0x0000_2000, "cs-bytes"),
    (0x0000_4000, "time-taken"),
    (0x0800_0000, "streamid"),
];

/// The lines a file begins with, and again after it was opened anew.
pub(super) fn write_head(software: &str, fields: u32, moment: &Moment, out: &mut Vec<u8>) {
    out.extend_from_slice(b"#Software: ");
    let software = if software.is_empty() { DEFAULT_SOFTWARE } else { software };
    out.extend(software.bytes().map(|byte| if byte < b' ' { b'+' } else { byte }));
    out.extend_from_slice(b"\r\n#Version: 1.0\r\n#Date: ");
    out.extend_from_slice(moment.date());
    out.push(b' ');
    out.extend_from_slice(moment.time());
    out.extend_from_slice(b"\r\n#Fields:");
    for (_, name) in chosen(fields) {
        out.push(b' ');
        out.extend_from_slice(name.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

fn chosen(fields: u32) -> impl Iterator<Item = (u32, &'static str)> {
    COLUMNS.into_iter().filter(move |(bit, _)| fields & bit != 0)
}

/// One line. Without fields there is nothing to say.
pub(super) fn write(record: &Record<'_>, moment: &Moment, fields: u32, out: &mut Vec<u8>) {
    let start = out.len();
    for (bit, _) in chosen(fields) {
        if out.len() > start {
            out.push(b' ');
        }
        write_column(bit, record, moment, out);
    }
    if out.len() > start {
        out.extend_from_slice(b"\r\n");
    }
}

fn write_column(bit: u32, record: &Record<'_>, moment: &Moment, out: &mut Vec<u8>) {
    let said = record.fields;
    match bit {
        0x0000_0001 => out.extend_from_slice(moment.date()),
        0x0000_0002 => out.extend_from_slice(moment.time()),
        0x0000_0004 => push_field(said.text(LogText::ClientIp), out),
        0x0000_0008 => push_field(said.text(LogText::UserName), out),
        0x0000_0010 => push_field(said.text(LogText::ServiceName), out),
        0x0000_0020 => push_field(said.text(LogText::ServerName), out),
        0x0000_0040 => push_field(said.text(LogText::ServerIp), out),
        0x0000_0080 => push_field(record.method(), out),
        0x0000_0100 => push_field(said.text(LogText::UriStem), out),
        0x0000_0200 => push_field(said.text(LogText::UriQuery), out),
        0x0000_0400 => push_number(said.protocol_status.into(), out),
        0x0000_0800 => push_number(said.win32_status.into(), out),
        0x0000_1000 => push_number(record.bytes_sent, out),
        0x0000_2000 => push_number(record.bytes_received, out),
        0x0000_4000 => push_number(record.time_taken, out),
        0x0000_8000 => push_number(said.server_port.into(), out),
        0x0001_0000 => push_field(said.text(LogText::UserAgent), out),
        0x0002_0000 => push_field(said.text(LogText::Cookie), out),
        0x0004_0000 => push_field(said.text(LogText::Referrer), out),
        0x0008_0000 => push_version(record.version, out),
        0x0010_0000 => push_field(said.text(LogText::Host), out),
        0x0020_0000 => push_number(said.sub_status.into(), out),
        // HTTP/1.1 has no streams.
        _ => out.push(b'-'),
    }
}

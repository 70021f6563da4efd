//! The two fixed text formats, both on the machine's own clock: NCSA common, and Microsoft IIS.

use crate::server::service::LogText;

use super::moment::Moment;
use super::record::{Record, push_field, push_number, push_version};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `10.0.0.1 - fred [08/Apr/2001:17:39:04 -0800] "GET /a?b HTTP/1.0" 200 3401`
pub(super) fn write_ncsa(record: &Record<'_>, moment: &Moment, out: &mut Vec<u8>) {
    let said = record.fields;
    push_field(said.text(LogText::ClientIp), out);
    out.extend_from_slice(b" - ");
    push_field(said.text(LogText::UserName), out);
    out.extend_from_slice(b" [");
    ncsa_time(moment, out);
    out.extend_from_slice(b"] \"");
    push_field(record.method(), out);
    out.push(b' ');
    push_field(said.text(LogText::UriStem), out);
    if !said.text(LogText::UriQuery).is_empty() {
        out.push(b'?');
        push_field(said.text(LogText::UriQuery), out);
    }
    out.push(b' ');
    push_version(record.version, out);
    out.extend_from_slice(b"\" ");
    push_number(said.protocol_status.into(), out);
    out.push(b' ');
    push_number(record.bytes_sent, out);
    out.extend_from_slice(b"\r\n");
}

/// `08/Apr/2001:17:39:04 -0800`
fn ncsa_time(moment: &Moment, out: &mut Vec<u8>) {
    let time = moment.local();
    two(time.day, out);
    out.push(b'/');
    let month = MONTHS.get(usize::from(time.month).wrapping_sub(1)).unwrap_or(&MONTHS[0]);
    out.extend_from_slice(month.as_bytes());
    out.push(b'/');
    push_number(time.year.into(), out);
    for part in [time.hour, time.minute, time.second] {
        out.push(b':');
        two(part, out);
    }
    let minutes = moment.offset().abs() / 60;
    out.extend_from_slice(if moment.offset() < 0 { b" -" } else { b" +" });
    two((minutes / 60) as u16, out);
    two((minutes % 60) as u16, out);
}

/// `10.0.0.1, -, 03/20/01, 7:55:20, W3SVC2, SERVER, 10.0.0.2, 4502, 163, 3223, 200, 0, GET, /a.gif, -,`
pub(super) fn write_iis(record: &Record<'_>, moment: &Moment, out: &mut Vec<u8>) {
    let said = record.fields;
    item(said.text(LogText::ClientIp), out);
    item(said.text(LogText::UserName), out);
    let time = moment.local();
    for (part, behind) in [(time.month, b"/"), (time.day, b"/")] {
        two(part, out);
        out.extend_from_slice(behind);
    }
    two(time.year % 100, out);
    out.extend_from_slice(b", ");
    push_number(time.hour.into(), out);
    for part in [time.minute, time.second] {
        out.push(b':');
        two(part, out);
    }
    out.extend_from_slice(b", ");
    item(said.text(LogText::ServiceName), out);
    item(said.text(LogText::ServerName), out);
    item(said.text(LogText::ServerIp), out);
    for number in [
        record.time_taken,
        record.bytes_received,
        record.bytes_sent,
        said.protocol_status.into(),
        said.win32_status.into(),
    ] {
        push_number(number, out);
        out.extend_from_slice(b", ");
    }
    item(record.method(), out);
    item(said.text(LogText::UriStem), out);
    push_field(said.text(LogText::UriQuery), out);
    out.extend_from_slice(b",\r\n");
}

fn item(field: &[u8], out: &mut Vec<u8>) {
    push_field(field, out);
    out.extend_from_slice(b", ");
}

fn two(number: u16, out: &mut Vec<u8>) {
    out.push(b'0' + (number / 10 % 10) as u8);
    out.push(b'0' + (number % 10) as u8);
}

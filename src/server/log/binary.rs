//! Centralised binary logging: the fields Microsoft's Log Parser reads from such a file, in a layout of our own,
//! because Microsoft's is not published. All numbers are little-endian.
//!
//! The file begins with [`MAGIC`] (8 bytes, of which the last is the layout's version) and holds records, each of:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | length of the record, these bytes included |
//! | 8 | seconds since 1970 |
//! | 8, 8, 8 | bytes sent, bytes received, milliseconds taken |
//! | 4 | Win32 status |
//! | 2, 2, 2 | status, sub-status, server port |
//! | 1, 1 | major and minor version of HTTP |
//! | 2 + n, nine times | length and bytes of: server name, service name, client address, server address, method, host, URI stem (UTF-8), URI query, user name (UTF-8) |

use crate::server::service::LogText;

use super::record::Record;

/// What a file begins with.
pub(super) const MAGIC: &[u8; 8] = b"nthtibl\x01";

/// One record.
pub(super) fn write(record: &Record<'_>, out: &mut Vec<u8>) {
    let said = record.fields;
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    for number in [record.now, record.bytes_sent, record.bytes_received, record.time_taken] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(&said.win32_status.to_le_bytes());
    for number in [said.protocol_status, said.sub_status, said.server_port] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend([record.version.0, record.version.1].map(|number| number.min(255) as u8));
    for text in [
        said.text(LogText::ServerName),
        said.text(LogText::ServiceName),
        said.text(LogText::ClientIp),
        said.text(LogText::ServerIp),
        record.method(),
        said.text(LogText::Host),
        said.text(LogText::UriStem),
        said.text(LogText::UriQuery),
        said.text(LogText::UserName),
    ] {
        let text = &text[..text.len().min(usize::from(u16::MAX))];
        out.extend_from_slice(&(text.len() as u16).to_le_bytes());
        out.extend_from_slice(text);
    }
    let length = (out.len() - start) as u32;
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

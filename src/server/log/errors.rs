//! HTTPERR: what the engine refuses, times out or drops, a line each, in files `httperr<N>.log` (digest §8.4). A
//! JSON form besides, one object a line.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::config::Parameters;
use crate::net::clock;

use super::directory;
use super::files::{Files, Preamble};
use super::json;
use super::moment::Moment;
use super::record::{push_field, push_number, push_version};
use super::rollover::{Naming, Rollover};
use super::sink::Sink;

/// The longest verb and URL a line has.
const LONGEST_VERB: usize = 255;
const LONGEST_URL: usize = 4096;

/// How errors are logged: the service's parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ErrorLogSettings {
    /// `ErrorLoggingDir`, in which a folder `HTTPERR` is made.
    pub(crate) directory: PathBuf,
    /// `ErrorLogFileTruncateSize`: bytes at which a file ends.
    pub(crate) truncate_size: u64,
    /// Objects instead of lines.
    pub(crate) json: bool,
}

impl ErrorLogSettings {
    /// What the service's parameters say; `None` when errors are not to be logged, or there is no place for them. A
    /// folder that is not fully qualified counts as not set.
    pub(crate) fn of(parameters: &Parameters) -> Option<ErrorLogSettings> {
        if parameters.enable_error_logging == 0 {
            return None;
        }
        let chosen = parameters.error_logging_dir.as_ref().and_then(|name| directory::resolve(name).ok());
        Some(ErrorLogSettings {
            directory: chosen.or_else(directory::default_root)?,
            truncate_size: parameters.error_log_file_truncate_size,
            json: parameters.error_log_json != 0,
        })
    }
}

/// The log of errors; off until settings are given.
#[derive(Default)]
pub(crate) struct ErrorLog {
    on: OnceLock<On>,
}

struct On {
    sink: Arc<Sink>,
    json: bool,
}

/// One error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrorEntry<'a> {
    pub(crate) remote: SocketAddr,
    pub(crate) local: SocketAddr,
    /// What is known of the request; empty or `None` where that did not come so far.
    pub(crate) version: Option<(u16, u16)>,
    pub(crate) verb: &'a [u8],
    /// Path and query.
    pub(crate) url: &'a [u8],
    /// The status sent, if one was.
    pub(crate) status: Option<u16>,
    pub(crate) reason: &'a str,
    /// The queue it was meant for.
    pub(crate) queue: &'a str,
}

impl ErrorLog {
    /// Turns the log on, once.
    pub(crate) fn enable(&self, settings: ErrorLogSettings) {
        self.on.get_or_init(|| {
            let naming = Naming::of("httperr", false, Rollover::Size(settings.truncate_size));
            let preamble = if settings.json { Preamble::None } else { Preamble::Errors };
            let files = Files::new(settings.directory.join("HTTPERR"), naming, preamble, true);
            On { sink: Sink::start(files, false, true), json: settings.json }
        });
    }

    /// Whether errors are logged, so that nobody need describe one for nothing.
    pub(crate) fn is_on(&self) -> bool {
        self.on.get().is_some()
    }

    /// Takes an error.
    pub(crate) fn write(&self, entry: &ErrorEntry<'_>) {
        let Some(on) = self.on.get() else { return };
        on.sink.append(clock::unix_seconds(), |moment, out| match on.json {
            true => write_json(entry, moment, out),
            false => write_line(entry, moment, out),
        });
    }
}

/// The lines at the head of a new file.
pub(super) fn write_head(size: u64, out: &mut Vec<u8>) {
    if size == 0 {
        out.extend_from_slice(
            b"#Software: Microsoft HTTP API 2.0\r\n#Version: 1.0\r\n#Fields: date time c-ip c-port s-ip s-port \
              cs-version cs-method cs-uri sc-status s-siteid s-reason s-queuename\r\n",
        );
    }
}

fn write_line(entry: &ErrorEntry<'_>, moment: &Moment, out: &mut Vec<u8>) {
    out.extend_from_slice(moment.date());
    out.push(b' ');
    out.extend_from_slice(moment.time());
    for end in [entry.remote, entry.local] {
        out.push(b' ');
        out.extend_from_slice(address(end.ip(), end).as_bytes());
        out.push(b' ');
        push_number(end.port().into(), out);
    }
    out.push(b' ');
    match entry.version {
        Some((major, minor)) if major >= 10 || minor >= 10 => out.extend_from_slice(b"HTTP/?.?"),
        Some(version) => push_version(version, out),
        None => out.push(b'-'),
    }
    for (text, longest) in [(entry.verb, LONGEST_VERB), (entry.url, LONGEST_URL)] {
        out.push(b' ');
        push_field(&text[..text.len().min(longest)], out);
    }
    out.push(b' ');
    match entry.status {
        Some(status) => push_number(status.min(999).into(), out),
        None => out.push(b'-'),
    }
    // Sites are IIS's.
    out.extend_from_slice(b" - ");
    push_field(entry.reason.as_bytes(), out);
    out.push(b' ');
    push_field(entry.queue.as_bytes(), out);
    out.extend_from_slice(b"\r\n");
}

fn write_json(entry: &ErrorEntry<'_>, moment: &Moment, out: &mut Vec<u8>) {
    json::begin(moment, out);
    json::text_member("c-ip", address(entry.remote.ip(), entry.remote).as_bytes(), out);
    json::number_member("c-port", entry.remote.port().into(), out);
    json::text_member("s-ip", address(entry.local.ip(), entry.local).as_bytes(), out);
    json::number_member("s-port", entry.local.port().into(), out);
    if let Some((major, minor)) = entry.version {
        json::text_member("cs-version", format!("HTTP/{major}.{minor}").as_bytes(), out);
    }
    json::text_member("cs-method", &entry.verb[..entry.verb.len().min(LONGEST_VERB)], out);
    json::text_member("cs-uri", &entry.url[..entry.url.len().min(LONGEST_URL)], out);
    if let Some(status) = entry.status {
        json::number_member("sc-status", status.into(), out);
    }
    json::text_member("s-reason", entry.reason.as_bytes(), out);
    json::text_member("s-queuename", entry.queue.as_bytes(), out);
    out.extend_from_slice(b"}\n");
}

/// An address, with its scope if it has one.
fn address(ip: IpAddr, end: SocketAddr) -> String {
    match end {
        SocketAddr::V6(v6) if v6.scope_id() != 0 => format!("{ip}%{}", v6.scope_id()),
        _ => ip.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> ErrorEntry<'static> {
        ErrorEntry {
            remote: "172.31.77.6:2094".parse().unwrap(),
            local: "172.31.77.6:80".parse().unwrap(),
            version: Some((1, 1)),
            verb: b"GET",
            url: b"/qos/1kbfile.txt",
            status: Some(503),
            reason: "ConnLimit",
            queue: "",
        }
    }

    fn line(entry: &ErrorEntry<'_>) -> String {
        let mut out = Vec::new();
        // 2002-07-05 18:45:09
        write_line(entry, &Moment::with_offset(1_025_894_709, 0), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn parameters_say_whether_and_where() {
        let on = Parameters {
            error_logging_dir: Some("/logs".into()),
            error_log_json: 1,
            ..Parameters::default()
        };
        let settings = ErrorLogSettings::of(&on).unwrap();
        let expected = ErrorLogSettings { directory: "/logs".into(), truncate_size: 1 << 20, json: true };
        assert_eq!(settings, expected);
        assert_eq!(ErrorLogSettings::of(&Parameters { enable_error_logging: 0, ..on }), None);
    }

    #[test]
    fn a_line_looks_as_documented() {
        let expected = "2002-07-05 18:45:09 172.31.77.6 2094 172.31.77.6 80 HTTP/1.1 GET /qos/1kbfile.txt 503 - ConnLimit -\r\n";
        assert_eq!(line(&entry()), expected);
        let unknown = ErrorEntry {
            version: None,
            verb: b"",
            url: b"",
            status: None,
            reason: "Timer_MinBytesPerSecond",
            ..entry()
        };
        assert!(line(&unknown).ends_with(" 80 - - - - - Timer_MinBytesPerSecond -\r\n"));
    }

    #[test]
    fn nothing_a_client_sends_ends_a_line_or_a_field() {
        let long = vec![b'A'; 300];
        let odd = ErrorEntry {
            version: Some((1, 10)),
            verb: &long,
            url: b"/a b\r\n\x7f",
            queue: "my queue",
            ..entry()
        };
        let line = line(&odd);
        let fields: Vec<_> = line.trim_end().split(' ').collect();
        assert_eq!((fields.len(), fields[6], fields[7].len(), fields[8]), (13, "HTTP/?.?", 255, "/a+b+++"));
        assert_eq!(fields[12], "my+queue");
    }

    #[test]
    fn an_object_has_what_is_known() {
        let mut out = Vec::new();
        let entry =
            ErrorEntry { url: b"/\"\n", status: None, local: "[fe80::1%3]:80".parse().unwrap(), ..entry() };
        write_json(&entry, &Moment::with_offset(1_025_894_709, 0), &mut out);
        let object: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(object["time"], "2002-07-05T18:45:09Z");
        assert_eq!((&object["cs-uri"], &object["s-ip"]), (&"/\"\n".into(), &"fe80::1%3".into()));
        assert!(object.get("sc-status").is_none());
    }
}

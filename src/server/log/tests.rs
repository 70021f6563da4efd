//! Every format's line, and a log from its first record to its files.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::moment::Moment;
use super::rollover::{Naming, Rollover};
use super::*;
use crate::server::service::LogFields;

/// 2026-11-21 04:31:00.
const NOW: u64 = 1_795_235_460;

fn fields() -> LogFields {
    let texts: [&[u8]; 12] = [
        "DOMÄN\\fred x".as_bytes(),
        "/ä/a b".as_bytes(),
        b"10.0.0.1",
        b"HOST",
        b"W3SVC1",
        b"10.0.0.2",
        b"GET",
        b"q=1",
        b"www.example",
        b"curl/8 (x)",
        b"",
        b"http://r/\r\n",
    ];
    let mut fields = LogFields::of(texts);
    (fields.server_port, fields.protocol_status, fields.win32_status) = (80, 200, 64);
    (fields.method_num, fields.sub_status) = (4, 3);
    fields
}

fn record(fields: &LogFields) -> Record<'_> {
    Record { fields, now: NOW, version: (1, 1), bytes_sent: 3223, bytes_received: 163, time_taken: 4502 }
}

fn line(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn w3c_columns_stand_in_microsofts_order() {
    let (fields, moment) = (fields(), Moment::with_offset(NOW, 3600));
    let all = 0x083F_FFFF;
    assert_eq!(
        line(|out| w3c::write(&record(&fields), &moment, all, out)),
        "2026-11-21 04:31:00 W3SVC1 HOST 10.0.0.2 GET /ä/a+b q=1 80 DOMÄN\\fred+x 10.0.0.1 HTTP/1.1 curl/8+(x) - \
         http://r/++ www.example 200 3 64 3223 163 4502 -\r\n"
    );
    assert_eq!(
        line(|out| w3c::write_head("", all, &moment, out)),
        "#Software: Microsoft HTTP Server API 2.0\r\n#Version: 1.0\r\n#Date: 2026-11-21 04:31:00\r\n\
         #Fields: date time s-sitename s-computername s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip \
         cs-version cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes \
         cs-bytes time-taken streamid\r\n"
    );
    assert_eq!(line(|out| w3c::write(&record(&fields), &moment, 0x402, out)), "04:31:00 200\r\n");
    assert_eq!(line(|out| w3c::write(&record(&fields), &moment, 0, out)), "");
}

#[test]
fn ncsa_lines_tell_local_time() {
    let fields = fields();
    let ncsa =
        |offset| line(|out| text::write_ncsa(&record(&fields), &Moment::with_offset(NOW, offset), out));
    assert_eq!(
        ncsa(-(8 * 3600)),
        "10.0.0.1 - DOMÄN\\fred+x [20/Nov/2026:20:31:00 -0800] \"GET /ä/a+b?q=1 HTTP/1.1\" 200 3223\r\n"
    );
    assert!(ncsa(5 * 3600 + 1800).contains("[21/Nov/2026:10:01:00 +0530]"));
}

#[test]
fn iis_lines_end_with_a_comma() {
    let fields = fields();
    assert_eq!(
        line(|out| text::write_iis(&record(&fields), &Moment::with_offset(NOW, 0), out)),
        "10.0.0.1, DOMÄN\\fred+x, 11/21/26, 4:31:00, W3SVC1, HOST, 10.0.0.2, 4502, 163, 3223, 200, 64, GET, /ä/a+b, q=1,\r\n"
    );
}

#[test]
fn fields_not_given_are_hyphens_and_a_method_may_be_a_number() {
    let mut fields = LogFields::default();
    fields.method_num = 6;
    let moment = Moment::with_offset(NOW, 0);
    assert_eq!(
        line(|out| text::write_iis(&record(&fields), &moment, out)),
        "-, -, 11/21/26, 4:31:00, -, -, -, 4502, 163, 3223, 0, 0, POST, -, -,\r\n"
    );
    assert_eq!(
        line(|out| text::write_ncsa(&record(&fields), &moment, out)),
        "- - - [21/Nov/2026:04:31:00 +0000] \"POST - HTTP/1.1\" 0 3223\r\n"
    );
}

#[test]
fn an_object_parses_and_has_what_was_given() {
    let fields = fields();
    let text = line(|out| json::write(&record(&fields), &Moment::with_offset(NOW, 0), out));
    assert!(text.ends_with("}\n") && text.lines().count() == 1);
    let object: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(object["time"], "2026-11-21T04:31:00Z");
    assert_eq!(
        (&object["cs(Referer)"], &object["cs-username"]),
        (&"http://r/\r\n".into(), &"DOMÄN\\fred x".into())
    );
    assert_eq!((&object["sc-status"], &object["sc-bytes"]), (&200.into(), &3223.into()));
    assert!(object.get("cs(Cookie)").is_none());
}

#[test]
fn a_binary_record_tells_its_length() {
    let fields = fields();
    let mut out = Vec::new();
    binary::write(&record(&fields), &mut out);
    assert_eq!(out[..4], (out.len() as u32).to_le_bytes());
    assert_eq!(out[4..12], NOW.to_le_bytes());
    assert_eq!(out[40..46], [200, 0, 3, 0, 80, 0]);
    assert_eq!((&out[46..48], &out[48..54]), (&[1u8, 1][..], &b"\x04\0HOST"[..]));
    assert!(
        out.ends_with("\x0e\0DOMÄN\\fred x".as_bytes()) || out.ends_with("\x0d\0DOMÄN\\fred x".as_bytes())
    );
}

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("nthttp-log-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Folder(path)
    }

    fn names(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(&self.0) else { return Vec::new() };
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn settings(folder: &Folder) -> Logging {
    Logging {
        format: 0,
        flags: 0,
        software: String::new(),
        directory: folder.0.to_str().unwrap().into(),
        fields: 0x400,
        rollover: 1,
        rollover_size: 0,
    }
}

#[test]
fn a_file_is_made_with_the_first_record_and_continued_later() {
    let folder = Folder::new("first");
    let fields = fields();
    let log = Log::open(&settings(&folder)).unwrap();
    assert!(folder.names().is_empty());
    log.write(&record(&fields));
    assert!(flush_all());
    assert_eq!(folder.names(), ["ex261121.log"]);
    log.write(&record(&fields));
    log.write(&Record { now: NOW + 86_400, ..record(&fields) });
    drop(log);
    let again = Log::open(&settings(&folder)).unwrap();
    again.write(&record(&fields));
    assert!(flush_all());
    assert_eq!(folder.names(), ["ex261121.log", "ex261122.log"]);
    let text = folder.text("ex261121.log");
    assert_eq!(text.lines().filter(|line| *line == "200").count(), 3);
    assert_eq!(text.lines().filter(|line| line.starts_with("#Fields: sc-status")).count(), 2);
    assert_eq!(
        again.state(),
        LogState { format: "w3c".into(), directory: settings(&folder).directory, records: 1, lost: 0 }
    );
}

#[test]
fn errors_only_and_success_only() {
    let folder = Folder::new("sides");
    let with = |status| {
        let mut fields = LogFields::default();
        fields.protocol_status = status;
        fields
    };
    for (flags, expected) in
        [(ERRORS_ONLY, "400 404 500"), (SUCCESS_ONLY, "200 399"), (0, "200 399 400 404 500")]
    {
        let log = Log::open(&Logging { flags, ..settings(&folder) }).unwrap();
        for fields in [200, 399, 400, 404, 500].map(with) {
            log.write(&record(&fields));
        }
        assert!(flush_all());
        let text = folder.text("ex261121.log");
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(lines.join(" "), expected);
        fs::remove_dir_all(&folder.0).unwrap();
    }
}

#[test]
fn a_file_ends_before_it_is_too_large_and_numbers_go_on() {
    let folder = Folder::new("size");
    fs::create_dir_all(&folder.0).unwrap();
    fs::write(folder.0.join("ncsa4.log"), [b'\n'; 100]).unwrap();
    let naming = Naming::of("ncsa", false, Rollover::Size(100));
    let period = Rollover::Size(100).period(0);
    let mut files = Files::new(folder.0.clone(), naming, Preamble::None, true);
    let moment = Moment::with_offset(NOW, 0);
    let ends: Vec<usize> = (1..=10).map(|n| n * 30).collect();
    files.write(period, &moment, &[b'x'; 300], &ends).unwrap();
    let size = |n: u32| fs::metadata(folder.0.join(format!("ncsa{n}.log"))).unwrap().len();
    assert_eq!([4, 5, 6, 7, 8].map(size), [100, 90, 90, 90, 30]);
    files.write(period, &moment, &[b'x'; 150], &[150]).unwrap();
    assert_eq!([8, 9].map(size), [30, 150]);
}

#[test]
fn a_file_that_is_moved_away_is_made_again() {
    let folder = Folder::new("moved");
    let fields = fields();
    let log = Log::open(&settings(&folder)).unwrap();
    log.write(&record(&fields));
    assert!(flush_all());
    fs::rename(folder.0.join("ex261121.log"), folder.0.join("old")).unwrap();
    log.write(&record(&fields));
    assert!(flush_all());
    assert_eq!(folder.text("old"), folder.text("ex261121.log"));
}

#[test]
fn a_folder_that_cannot_be_made_costs_records_only() {
    let folder = Folder::new("nowhere");
    fs::write(&folder.0, b"a file where the folder should be").unwrap();
    let fields = fields();
    let log = Log::open(&settings(&folder)).unwrap();
    log.write(&record(&fields));
    log.write(&record(&fields));
    assert!(flush_all());
    assert_eq!((log.state().records, log.state().lost), (2, 2));
    fs::remove_file(&folder.0).unwrap();
    log.write(&record(&fields));
    assert!(flush_all());
    assert_eq!((log.state().records, log.state().lost), (3, 2));
}

#[test]
fn records_are_written_within_a_moment_without_being_asked_for() {
    let folder = Folder::new("patience");
    let log = Log::open(&settings(&folder)).unwrap();
    log.write(&record(&fields()));
    for _ in 0..1000 {
        if !folder.names().is_empty() && folder.text("ex261121.log").ends_with("\r\n200\r\n") {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("not written");
}

#[test]
fn what_a_holder_may_log_is_checked() {
    let folder = Folder::new("check");
    let base = settings(&folder);
    let allowed = |format, of_session| check(&Logging { format, ..base.clone() }, of_session).is_ok();
    assert_eq!([0, 1, 2, 3, 0x100, 4].map(|f| allowed(f, true)), [true, false, false, true, true, false]);
    assert_eq!([0, 1, 2, 3, 0x100, 4].map(|f| allowed(f, false)), [true, true, true, false, true, false]);
    for wrong in [
        Logging { flags: ERRORS_ONLY | SUCCESS_ONLY, ..base.clone() },
        Logging { flags: 16, ..base.clone() },
        Logging { rollover: 5, ..base.clone() },
        Logging { rollover: 0, rollover_size: LEAST_SIZE - 1, ..base.clone() },
        Logging { directory: "logs".into(), ..base.clone() },
    ] {
        assert_eq!(check(&wrong, false), Err(Error::INVALID_PARAMETER), "{wrong:?}");
    }
    assert_eq!(check(&Logging { rollover: 0, rollover_size: NEVER, ..base.clone() }, false), Ok(()));
}

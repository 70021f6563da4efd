//! Logs of responses: what a server session or URL group was told to keep (`HTTP_LOGGING_INFO`, digest §6.11).
//!
//! A [`Log`] is the handle the requests of a group share. A record is formatted into the log's memory by the thread
//! that ends the response, which never waits for a file; the one writer thread (`writer`) takes it from there
//! (`sink`) to its file (`files`, `rollover`). The lines themselves are made in `w3c`, `text`, `json` and `binary`.
//! What the engine refuses goes to another log, `errors`.

mod binary;
mod directory;
mod errors;
mod files;
mod json;
mod moment;
mod record;
mod rollover;
mod sink;
mod text;
mod w3c;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::abi::error::{Error, Result};

use crate::server::monitor::snapshot::LogState;
use crate::server::service::Logging;

pub(crate) use errors::{ErrorEntry, ErrorLog, ErrorLogSettings};
pub(crate) use record::Record;
pub(crate) use sink::counts;
pub(crate) use writer::{flush_all, rest, stay};

use files::{Files, Preamble};
use rollover::{Naming, Rollover};
use sink::Sink;

/// `HTTP_LOGGING_TYPE`, and JSON, which is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    W3c,
    Iis,
    Ncsa,
    Raw,
    Json,
}

const LOCAL_TIME_ROLLOVER: u32 = 1;
const UTF8_CONVERSION: u32 = 2;
const ERRORS_ONLY: u32 = 4;
const SUCCESS_ONLY: u32 = 8;
const KNOWN_FLAGS: u32 = LOCAL_TIME_ROLLOVER | UTF8_CONVERSION | ERRORS_ONLY | SUCCESS_ONLY;

/// The first status that counts as an error.
const FIRST_ERROR: u16 = 400;

/// Bytes at which a file may end at the earliest, and the size that means "never".
const LEAST_SIZE: u32 = 1 << 20;
const NEVER: u32 = u32::MAX;

/// Set for good once a log was opened: until then nobody need read log data.
static EVER_OPENED: AtomicBool = AtomicBool::new(false);

/// Whether a log was ever opened in this process.
#[inline]
pub(crate) fn ever_opened() -> bool {
    EVER_OPENED.load(Ordering::Relaxed)
}

/// After a log was closed: waits until what it held is in its file.
pub(crate) fn settle() {
    if ever_opened() {
        flush_all();
    }
}

impl Format {
    fn of(number: u32) -> Result<Format> {
        match number {
            0 => Ok(Format::W3c),
            1 => Ok(Format::Iis),
            2 => Ok(Format::Ncsa),
            3 => Ok(Format::Raw),
            0x100 => Ok(Format::Json),
            _ => Err(Error::INVALID_PARAMETER),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Format::W3c => "w3c",
            Format::Iis => "iis",
            Format::Ncsa => "ncsa",
            Format::Raw => "raw",
            Format::Json => "json",
        }
    }
}

/// Checks what a session (whose log is that of all its groups) or a group is to log.
pub(crate) fn check(settings: &Logging, of_session: bool) -> Result<()> {
    let format = Format::of(settings.format)?;
    let allowed = match format {
        Format::W3c | Format::Json => true,
        Format::Raw => of_session,
        Format::Iis | Format::Ncsa => !of_session,
    };
    let one_sided = settings.flags & (ERRORS_ONLY | SUCCESS_ONLY) != ERRORS_ONLY | SUCCESS_ONLY;
    let sized = settings.rollover != 0 || settings.rollover_size >= LEAST_SIZE;
    let known = settings.flags & !KNOWN_FLAGS == 0 && settings.rollover <= 4;
    if !(allowed && one_sided && sized && known) {
        return Err(Error::INVALID_PARAMETER);
    }
    directory::resolve(&settings.directory).map(drop)
}

/// A log that takes records. Dropping the last handle has its file closed behind them.
pub(crate) struct Log {
    format: Format,
    flags: u32,
    fields: u32,
    directory: String,
    sink: Arc<Sink>,
}

impl Log {
    /// A log as [`check`] found it possible. Its file is made with the first record.
    pub(crate) fn open(settings: &Logging) -> Result<Log> {
        let format = Format::of(settings.format)?;
        let local = settings.flags & LOCAL_TIME_ROLLOVER != 0;
        let naming = Naming::of(format.name(), settings.flags & UTF8_CONVERSION != 0, rollover_of(settings));
        let preamble = match format {
            Format::W3c => Preamble::w3c(&settings.software, settings.fields),
            Format::Raw => Preamble::Binary,
            Format::Iis | Format::Ncsa | Format::Json => Preamble::None,
        };
        let files =
            Files::new(directory::resolve(&settings.directory)?, naming, preamble, format != Format::Raw);
        EVER_OPENED.store(true, Ordering::Relaxed);
        Ok(Log {
            format,
            flags: settings.flags,
            fields: settings.fields,
            directory: settings.directory.clone(),
            sink: Sink::start(files, local, false),
        })
    }

    /// Whether responses of this status are logged here.
    #[inline]
    pub(crate) fn takes(&self, status: u16) -> bool {
        match self.flags & (ERRORS_ONLY | SUCCESS_ONLY) {
            ERRORS_ONLY => status >= FIRST_ERROR,
            SUCCESS_ONLY => status < FIRST_ERROR,
            _ => true,
        }
    }

    /// Takes a record, if it is of those the log wants.
    pub(crate) fn write(&self, record: &Record<'_>) {
        if !self.takes(record.fields.protocol_status) {
            return;
        }
        self.sink.append(record.now, |moment, out| match self.format {
            Format::W3c => w3c::write(record, moment, self.fields, out),
            Format::Iis => text::write_iis(record, moment, out),
            Format::Ncsa => text::write_ncsa(record, moment, out),
            Format::Raw => binary::write(record, out),
            Format::Json => json::write(record, moment, out),
        });
    }

    /// What it is and has done.
    pub(crate) fn state(&self) -> LogState {
        let (records, lost) = self.sink.counts();
        LogState { format: self.format.name().into(), directory: self.directory.clone(), records, lost }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.sink.close();
    }
}

fn rollover_of(settings: &Logging) -> Rollover {
    match settings.rollover {
        1 => Rollover::Daily,
        2 => Rollover::Weekly,
        3 => Rollover::Monthly,
        4 => Rollover::Hourly,
        _ if settings.rollover_size == NEVER => Rollover::Size(u64::MAX),
        _ => Rollover::Size(u64::from(settings.rollover_size)),
    }
}

#[cfg(test)]
mod tests;
